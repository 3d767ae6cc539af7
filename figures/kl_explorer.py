"""The KL explorer: two bumps, one Gaussian to drag, and both KL divergences between them, live.

KL(p‖q) weights by the world p (two bumps), KL(q‖p) by the model q (a Gaussian). The picture shades
what each point of the axis adds to the chosen one, and draws both as landscapes over (μ, σ) with
their optima marked. The JavaScript computes all of it; the student's own functions are asked
through the kernel, and where they end is marked beside the truth.

Definitions: Kullback and Leibler (1951); the two fits as in Bishop (2006), section 10.1.2.
"""

from collections.abc import Callable, Sequence

import numpy as np
import traitlets

from figures import widget
from figures.drawing import Drawing
from figures.widget import fixed

BUMPS = ((0.4, -2.0, 0.6), (0.6, 2.0, 0.6))  # (weight, mean, standard deviation)


class KLExplorer(widget.Widget):
    """Draws a density p of bumps and a Gaussian q, with KL(p‖q) and KL(q‖p) in nats.

    bumps   (weight, mean, standard deviation) of each bump; weights sum to 1.
    mu      mean of the Gaussian at first.
    sigma   its standard deviation at first.
    whole   whether all is shown at once. Else the reader first moves the Gaussian and commits to
            a place; then come the least values, what each x adds, and both landscapes.

    Raises ValueError, in one sentence, for bumps that make no density.

    `KLExplorer.of(kl, fit_forward, fit_reverse)` also asks the student's own functions.
    """

    _esm, _css = widget.parts("kl_explorer", ".kl-explorer")

    mu = traitlets.Float().tag(sync=True)
    sigma = traitlets.Float().tag(sync=True)
    _bumps = traitlets.List().tag(sync=True)
    _view = traitlets.List().tag(sync=True)  # the part of the axis that is drawn
    _sigmas = traitlets.List().tag(sync=True)  # the least and the greatest sigma
    _grid = traitlets.List().tag(sync=True)  # first point, spacing, number of points
    _optima = traitlets.Dict().tag(sync=True)  # {"forward": [[mu, sigma, kl]], "reverse": [...]}
    # What the student's functions said: ends [direction, mu, sigma], kl at a place, and sentences.
    _ends = traitlets.List().tag(sync=True)
    _their_kl = traitlets.Dict().tag(sync=True)  # as text, with the place it was asked for
    _notices = traitlets.List().tag(sync=True)
    _whole = traitlets.Bool(False).tag(sync=True)
    _request = traitlets.Dict().tag(sync=True)  # the last button pressed

    def __init__(
        self,
        bumps: Sequence[Sequence[float]] = BUMPS,
        mu: float | None = None,
        sigma: float | None = None,
        whole: bool = False,
    ) -> None:
        super().__init__()
        self._whole = whole
        self._functions: tuple[Callable, ...] | None = None
        bumps = _bumps_of(bumps)
        low = min(m - 4 * s for _, m, s in bumps)
        high = max(m + 4 * s for _, m, s in bumps)
        least = min(s for *_, s in bumps) / 2
        most = (high - low) / 3
        spacing = least / 6
        first = low - 6 * most  # so wide that no Gaussian in reach loses anything
        self._bumps = [list(bump) for bump in bumps]
        self._view, self._sigmas = [low, high], [least, most]
        self._grid = [first, spacing, int((high - low + 12 * most) / spacing) + 1]
        self.mu = float(np.clip((low + high) / 2 if mu is None else mu, low, high))
        self.sigma = float(np.clip(1.0 if sigma is None else sigma, least, most))
        self._optima = {
            "forward": [self._worth("forward", *self._moments())],
            "reverse": self._valleys(),
        }

    @classmethod
    def of(
        cls,
        kl: Callable,
        fit_forward: Callable,
        fit_reverse: Callable,
        bumps: Sequence[Sequence[float]] = BUMPS,
        mu: float | None = None,
        sigma: float | None = None,
    ) -> "KLExplorer":
        """An explorer that also asks the student's own functions.

        Calls `kl(p, q)`, `fit_forward(p, grid)` and `fit_reverse(p, grid, start)` on arrays.
        A function that is not written yet, or that raises, gives one sentence, and the picture
        stands without it.
        """
        explorer = cls(bumps, mu, sigma, whole=True)
        explorer._live = True
        explorer.draw_from(explorer._draw_from_functions, kl, fit_forward, fit_reverse)
        explorer.observe(explorer._ask_kl, names=["mu", "sigma"])
        explorer.observe(explorer._answer, names="_request")
        return explorer

    # --- the mathematics ---------------------------------------------------------------------

    @property
    def grid(self) -> np.ndarray:
        """The points over which all sums run."""
        first, spacing, count = self._grid
        return first + spacing * np.arange(count)

    def log_p(self, x: np.ndarray) -> np.ndarray:
        """log p at the points x."""
        terms = [np.log(w) + log_gaussian(x, m, s) for w, m, s in self._bumps]
        return np.logaddexp.reduce(terms, axis=0)

    def forward(self, mu: float, sigma: float) -> float:
        """KL(p‖q) in nats for q = N(mu, sigma²)."""
        log_p = self.log_p(self.grid)
        return float(
            (np.exp(log_p) * (log_p - log_gaussian(self.grid, mu, sigma))).sum() * self._grid[1]
        )

    def reverse(self, mu: float, sigma: float) -> float:
        """KL(q‖p) in nats for q = N(mu, sigma²)."""
        log_q = log_gaussian(self.grid, mu, sigma)
        return float((np.exp(log_q) * (log_q - self.log_p(self.grid))).sum() * self._grid[1])

    def _worth(self, direction: str, mu: float, sigma: float) -> list[float]:
        return [mu, sigma, getattr(self, direction)(mu, sigma)]

    def _moments(self) -> tuple[float, float]:
        """Mean and standard deviation of p: the forward optimum."""
        mean = sum(w * m for w, m, _ in self._bumps)
        variance = sum(w * (s**2 + (m - mean) ** 2) for w, m, s in self._bumps)
        return mean, float(np.sqrt(variance))

    def _valleys(self) -> list[list[float]]:
        """The local optima of KL(q‖p) that a descent finds from p's bumps and its moments."""
        found: list[list[float]] = []
        for start in [(m, s) for _, m, s in self._bumps] + [self._moments()]:
            end = self._worth("reverse", *self._descend(*start))
            if all(abs(end[0] - e[0]) + abs(end[1] - e[1]) > 0.05 * self._sigmas[0] for e in found):
                found.append(end)
        return sorted(found, key=lambda end: end[2])

    def _descend(self, mu: float, sigma: float) -> tuple[float, float]:
        x, log_p, s = self.grid, self.log_p(self.grid), np.log(sigma)
        for _ in range(4000):
            sigma = np.exp(s)
            z = (x - mu) / sigma
            log_q = log_gaussian(x, mu, sigma)
            weighted = np.exp(log_q) * (log_q - log_p) * self._grid[1]
            slopes = (weighted * z).sum() / sigma, (weighted * (z**2 - 1)).sum()
            if max(map(abs, slopes)) < 1e-9:
                break
            mu, s = (
                value - np.clip(0.03 * slope, -0.05, 0.05)
                for value, slope in zip((mu, s), slopes, strict=True)
            )
        return float(mu), float(np.exp(s))

    def picture(self) -> Drawing:
        """The two bumps and the Gaussian."""
        drawing = Drawing(700, 260)
        x = np.linspace(*self._view, 281)
        p, q = np.exp(self.log_p(x)), np.exp(log_gaussian(x, self.mu, self.sigma))
        spans = (tuple(self._view), (0.0, 1.12 * float(max(p.max(), q.max()))))
        box = (0, 30, 700, 190)
        drawing.text(0, 14, "p, the world: the area; q, the model's Gaussian: dashed", "quiet")
        drawing.plot(box, x, p, spans, "path", area=True)
        drawing.plot(box, x, q, spans, "leak", dashed=True)
        drawing.mark("p", *(fixed(float(v), 3) for v in p[::40]))
        drawing.mark("q", *(fixed(float(v), 3) for v in q[::40]))
        drawing.line([(0, 220), (700, 220)], "rim")
        low, high = self._view
        for tick in range(int(np.ceil(low)), int(high) + 1):
            place = 700 * (tick - low) / (high - low)
            drawing.text(place, 238, f"{tick}".replace("-", "−"), "quiet", anchor="middle", size=12)
        return drawing

    # --- in words -----------------------------------------------------------------------------

    def in_words(self) -> str:
        """Where the Gaussian stands and both divergences, as the widget says it."""
        told = []
        for name, direction in (("KL(p‖q)", "forward"), ("KL(q‖p)", "reverse")):
            value = getattr(self, direction)(self.mu, self.sigma)
            above = max(0.0, value - self._optima[direction][0][2])
            least = f", {above:.3f} above its least" if self._whole else ""
            told.append(f"{name} = {value:.3f} nats{least}")
        return f"Gaussian with μ = {self.mu:.2f} and σ = {self.sigma:.2f}: {'; '.join(told)}."

    def in_parts(self, direction: str = "forward") -> str:
        """A divergence as a cross-entropy less an entropy, as its card says it."""
        value = getattr(self, direction)(self.mu, self.sigma)
        if direction == "reverse":
            entropy = float(np.log(self.sigma) + 0.5 * np.log(2 * np.pi * np.e))
            surprise, variety = "E_q[−log p]", "H(q)"
        else:
            first, spacing, count = self._grid
            log_p = self.log_p(first + spacing * np.arange(count))
            entropy = -float((np.exp(log_p) * log_p).sum() * spacing)
            surprise, variety = "H(p,q)", "H(p)"
        said = f"= {surprise} {value + entropy:.3f} less {variety} {entropy:.3f}"
        return said.replace("-", "−")

    def point_in_words(self, x: float, direction: str = "forward") -> str:
        """What the point x adds to the integral of one direction, as the widget says it."""
        log_p = float(self.log_p(np.array([x]))[0])
        log_q = float(log_gaussian(np.array([x]), self.mu, self.sigma)[0])
        p, q = np.exp(log_p), np.exp(log_q)
        term, value = (
            ("p·log(p/q)", p * (log_p - log_q))
            if direction == "forward"
            else ("q·log(q/p)", q * (log_q - log_p))
        )
        return f"At x = {x:.2f}: p = {p:.3f}, q = {q:.3f}, {term} = {value:.3f}."

    def __repr__(self) -> str:
        bumps = " + ".join(f"{w:g}·N({m:g}, {s:g}²)" for w, m, s in self._bumps)
        optima = [
            f"{name} is least, {kl:.3f} nats, at μ = {mu:.2f} and σ = {sigma:.2f}."
            for name, (mu, sigma, kl) in (
                ("KL(p‖q)", self._optima["forward"][0]),
                ("KL(q‖p)", self._optima["reverse"][0]),
            )
        ]
        others = [f"{kl:.3f} at μ = {mu:.2f}" for mu, _, kl in self._optima["reverse"][1:]]
        if others:
            optima.append(f"KL(q‖p) has other local optima: {', '.join(others)}.")
        said = [f"KLExplorer: p = {bumps}", self.in_words(), *(optima if self._whole else [])]
        said += [
            f"Your fit_{direction} ends at μ = {mu:.2f} and σ = {sigma:.2f}."
            for direction, mu, sigma in self._ends
        ]
        return "\n".join([*said, *self._notices])

    # --- the student's functions ---------------------------------------------------------------

    def _table(self, wide: bool) -> tuple[np.ndarray, np.ndarray]:
        """(grid, p) for a student's function: where p has its mass or, wide, where q may have."""
        x = self.grid
        low, high = self._view
        margin = 6 * self._sigmas[1] if wide else self._sigmas[1] / 2
        x = x[(x > low - margin) & (x < high + margin)]
        x = x[self.log_p(x) > -700]  # a log of 0 would be our fault, not theirs
        return x, np.exp(self.log_p(x))

    def _draw_from_functions(self, *functions: Callable) -> None:
        self._functions, self._notices = functions, []
        self._ask_fits()
        self._ask_kl()

    def _ask_fits(self) -> None:
        _, fit_forward, fit_reverse = self._functions
        x, p = self._table(wide=True)
        ends: list = []
        starts = [(m, s) for _, m, s in self._bumps] + [self._moments()]
        self._collect(ends, "forward", fit_forward, p.copy(), x.copy())
        for start in starts:
            if not self._collect(ends, "reverse", fit_reverse, p.copy(), x.copy(), start):
                break  # one sentence is enough
        self._ends = ends

    def _collect(self, ends: list, direction: str, fit: Callable, *arguments: object) -> bool:
        """Appends where the student's fit ends; False, with a notice, if it does not say."""
        answer = self._call(fit, *arguments)
        if answer is None:
            return False
        try:
            mu, sigma = map(float, answer)
        except (TypeError, ValueError):
            self._tell(fit, f"{widget.name_of(fit)} should return a pair of numbers, (mu, sigma).")
            return False
        if not (np.isfinite(mu) and np.isfinite(sigma) and sigma > 0):
            self._tell(fit, f"{widget.name_of(fit)} ends at mu = {mu:.4g}, sigma = {sigma:.4g}.")
            return False
        ends.append([direction, mu, sigma])
        return True

    def _ask_kl(self, change: object = None) -> None:
        kl = self._functions[0]
        values = {}
        for direction, wide in (("forward", False), ("reverse", True)):
            x, p = self._table(wide)
            p = p * self._grid[1]
            q = np.exp(log_gaussian(x, self.mu, self.sigma)) * self._grid[1]
            answer = self._call(kl, *((p, q) if direction == "forward" else (q, p)))
            try:
                values[direction] = f"{float(answer):.3f}" if answer is not None else ""
            except (TypeError, ValueError):
                self._tell(kl, f"{widget.name_of(kl)} should return a number.")
                values[direction] = ""
        here = {"mu": self.mu, "sigma": self.sigma}
        self._their_kl = values | here if all(values.values()) else {}

    def _answer(self, change: dict) -> None:
        """Starts the student's fit_reverse where the Gaussian stands now."""
        if change["new"].get("fit") != "reverse":
            return
        x, p = self._table(wide=True)
        ends = list(self._ends)
        self._notices = []
        if self._collect(ends, "reverse", self._functions[2], p, x, (self.mu, self.sigma)):
            with self.hold_sync():
                self._ends = ends
                self.mu, self.sigma = (
                    float(np.clip(value, *span))
                    for value, span in zip(ends[-1][1:], (self._view, self._sigmas), strict=True)
                )

    def _call(self, function: Callable, *arguments: object) -> object:
        """The student's answer, or None with a notice in its place."""
        with np.errstate(all="ignore"):
            answer, notice = widget.asked(function, function, *arguments)
        if notice:
            self._tell(function, notice)
        return answer

    def _tell(self, function: Callable, sentence: str) -> None:
        name = widget.name_of(function)  # the first sentence on each function is enough
        if not any(one.startswith((f"{name} ", f"{name},", f"{name}:")) for one in self._notices):
            self._notices = [*self._notices, sentence]


def log_gaussian(x: np.ndarray, mu: float, sigma: float) -> np.ndarray:
    """log of the density of N(mu, sigma²) at the points x."""
    return -0.5 * ((x - mu) / sigma) ** 2 - np.log(sigma) - 0.5 * np.log(2 * np.pi)


def _bumps_of(bumps: Sequence[Sequence[float]]) -> list[tuple[float, float, float]]:
    try:
        found = [(float(w), float(m), float(s)) for w, m, s in bumps]
    except (TypeError, ValueError):
        raise ValueError(
            f"bumps must hold (weight, mean, standard deviation) of each bump: got {bumps!r}"
        ) from None
    if not found or min(w for w, *_ in found) <= 0 or abs(sum(w for w, *_ in found) - 1) > 1e-9:
        raise ValueError(
            f"the weights of the bumps must be positive and sum to 1: got {[w for w, *_ in found]}"
        )
    if min(s for *_, s in found) <= 0:
        raise ValueError(
            f"the standard deviations of the bumps must be positive: got {[s for *_, s in found]}"
        )
    return found
