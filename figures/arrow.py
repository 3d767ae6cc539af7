"""The arrow: one world of two numbers, factored as x1 → x2 or x2 → x1, and its best Gaussian model.

The world is X1 ~ N(0, 1) and X2 | X1 ~ N(mu[1] if x1 > 0 else mu[0], ε), with ε a variance. On the
left stands the world, drawn from the factors of the arrow; on the right the best model whose two
factors are Gaussians along that arrow. Turning the arrow leaves the world as it is, and the model
not: the family of models is another one. A line walks through the values of what is given; below
stand both factors, the truth as an area, the model as a dashed line, with the nats that are lost.

The best Gaussian has the moments of the truth (least KL(p‖q): Bishop, 2006, section 10.7).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from decimal import ROUND_HALF_UP, Decimal, localcontext

import anywidget
import numpy as np
import traitlets

from figures import widget
from figures.drawing import Drawing

VARIANCES = (0.01, 0.04, 0.09, 0.16, 0.25, 0.5, 1.0)
COLUMNS, ROWS = 96, 81  # points of x1 and of x2 in the picture
EDGE = 3.6  # x1 runs from −EDGE to EDGE
ARROWS = ("forward", "reverse")
SAME = 1e-6  # what two ways of writing the same joint may differ by
MOST_VARIANCES = 12
STEP = 0.05  # of the grid on which losses are computed; no point of it stands on the jump at 0
FINE = (np.arange(320) + 0.5) * STEP - 8


class ArrowExplorer(widget.Widget):
    """Draws the world of a step and the best Gaussian model along an arrow that can be turned.

    mu      the means of X2 where x1 ≤ 0 and where x1 > 0: two different numbers.
    eps     the variances of X2 given X1 that can be chosen.
    arrow   "forward" (x1 → x2) or "reverse" (x2 → x1), to begin with.
    at      the place in `eps` to begin with.

    `ArrowExplorer()` uses its own formulas. `ArrowExplorer.of(marginal_x2, reverse_posterior,
    best_reverse_gaussian, gap)` draws what the student's own functions return.

    Raises ValueError, in one sentence, for a world that cannot be drawn.
    """

    _esm, _css = widget.parts("arrow", ".arrow-explorer")

    # What the JavaScript draws; lists by variance, null where there is no number.
    _mu = traitlets.List().tag(sync=True)
    _eps = traitlets.List().tag(sync=True)
    _x1 = traitlets.List().tag(sync=True)
    _x2 = traitlets.List().tag(sync=True)
    _p2 = traitlets.List().tag(sync=True)  # p(x2)
    _post = traitlets.Bytes(b"").tag(sync=True)  # p(x1 | x2), float32 (variances, x2, x1)
    _mass = traitlets.List().tag(sync=True)  # ∫ p(x1 | x2) dx1 for each x2, and that of x1 > 0
    _above = traitlets.List().tag(sync=True)
    _off = traitlets.List().tag(sync=True)  # by how much the two factorizations differ
    _model = traitlets.List().tag(sync=True)  # {mean2, var2, mean, var}, or {} if there is none
    _lost = traitlets.List().tag(sync=True)  # {first, second, here: one for each x2, gap}
    _notice = traitlets.Unicode("").tag(sync=True)  # in place of the reverse world
    _fit_notice = traitlets.Unicode("").tag(sync=True)  # in place of the reverse model
    _gap_notice = traitlets.Unicode("").tag(sync=True)
    # Where the reader is.
    _arrow = traitlets.Unicode("forward").tag(sync=True)
    _at = traitlets.Int(0).tag(sync=True)
    _column = traitlets.Int(0).tag(sync=True)
    _row = traitlets.Int(0).tag(sync=True)

    def __init__(
        self,
        mu: Sequence[float] = (0.0, 1.0),
        eps: Sequence[float] = VARIANCES,
        arrow: str = "forward",
        at: int = 1,
    ) -> None:
        super().__init__()
        self._begin(mu, eps, arrow, at)
        self._ask(marginal, posterior, best, None)

    @classmethod
    def of(
        cls,
        marginal_x2: Callable,
        reverse_posterior: Callable,
        best_reverse_gaussian: Callable | None = None,
        gap: Callable | None = None,
        mu: Sequence[float] = (0.0, 1.0),
        eps: Sequence[float] = VARIANCES,
        arrow: str = "reverse",
        at: int = 1,
    ) -> ArrowExplorer:
        """An explorer of what the student's own functions return.

        Calls `marginal_x2(x2, mu, eps)`, `reverse_posterior(x1, x2, mu, eps)` with x1 (n,) and x2
        (m, 1), `best_reverse_gaussian(mu, eps)` and `gap(mu, eps)`. A function that is not written
        yet, or raises, or answers in another form, gives a sentence where its part would be, never
        a traceback; the other parts work.
        """
        explorer = cls.__new__(cls)
        anywidget.AnyWidget.__init__(explorer)
        explorer._begin(mu, eps, arrow, at)
        functions = (marginal_x2, reverse_posterior, best_reverse_gaussian, gap)
        explorer.draw_from(explorer._ask, *functions)
        return explorer

    def _begin(self, mu: Sequence[float], eps: Sequence[float], arrow: str, at: int) -> None:
        try:
            self._mu, self._eps = [float(m) for m in mu], [float(e) for e in eps]
        except (TypeError, ValueError):
            raise ValueError(f"mu and eps hold numbers: got {mu!r} and {eps!r}") from None
        if len(self._mu) != 2 or self._mu[0] == self._mu[1] or not np.isfinite(self._mu).all():
            raise ValueError(f"mu must hold two different means: got {self._mu}")
        if not 1 <= len(self._eps) <= MOST_VARIANCES or not all(e > 0 for e in self._eps):
            raise ValueError(
                f"eps must hold 1 to {MOST_VARIANCES} variances above 0: got {self._eps}"
            )
        if arrow not in ARROWS:
            raise ValueError(f"arrow is one of {', '.join(ARROWS)}: got {arrow!r}")
        if not 0 <= at < len(self._eps):
            raise ValueError(f"at must be a place in eps, 0 … {len(self._eps) - 1}: got {at}")
        middle, reach = sum(self._mu) / 2, 2 * abs(self._mu[1] - self._mu[0])
        self._x1 = [(i + 0.5) * 2 * EDGE / COLUMNS - EDGE for i in range(COLUMNS)]
        self._x2 = [middle - reach + i * 2 * reach / (ROWS - 1) for i in range(ROWS)]
        self._arrow, self._at = arrow, at
        self._column, self._row = 60, 42

    def _ask(
        self,
        marginal_x2: Callable,
        reverse_posterior: Callable,
        best_reverse_gaussian: Callable | None,
        gap: Callable | None,
    ) -> None:
        mu, x1, x2 = tuple(self._mu), np.array(self._x1), np.array(self._x2)
        p2, post, mass, above, off, model, lost = [], [], [], [], [], [], []

        def density(x2: np.ndarray, eps: float) -> np.ndarray:
            return _heights(marginal_x2(x2.copy(), mu, eps), x2.shape)

        def rows(x1: np.ndarray, x2: np.ndarray, eps: float) -> np.ndarray:
            answer = reverse_posterior(x1.copy(), x2[:, None].copy(), mu, eps)
            return _heights(answer, (len(x2), len(x1)))

        for eps in self._eps:
            p, self._notice = _asked(marginal_x2, density, x2, eps)
            if p is None:
                return
            q, self._notice = _asked(reverse_posterior, rows, x1, x2, eps)
            if q is None:
                return
            fine, self._notice = _asked(reverse_posterior, rows, FINE, x2, eps)
            if fine is None:
                return
            p2.append(_plain(p))
            post.append(q.astype(np.float32))
            mass.append(_plain(fine.sum(1) * STEP))
            above.append(_plain(fine[:, FINE > 0].sum(1) * STEP))
            forward = gaussian(x1, 0, 1) * gaussian(
                x2[:, None], np.where(x1 > 0, mu[1], mu[0]), eps
            )
            with np.errstate(all="ignore"):
                off.append(_plain(np.abs(p[:, None] * q - forward).max()))
            model.append({})
            lost.append({})
            if best_reverse_gaussian is None or self._fit_notice:
                continue
            wide = _wide(mu, eps)
            found, self._fit_notice = _asked(
                best_reverse_gaussian,
                lambda eps, wide: _model_of(best_reverse_gaussian(mu, eps), x2, wide),
                eps,
                wide,
            )
            if found is None:
                continue
            names = ("mean2", "var2", "mean", "var")
            model[-1] = {name: _plain(part) for name, part in zip(names, found, strict=False)}
            truth = density(wide, eps), rows(FINE, wide, eps)
            lost[-1] = _losses(truth, found, wide, fine)
            if gap is not None and not self._gap_notice:
                value, self._gap_notice = _asked(gap, lambda eps: _number(gap(mu, eps)), eps)
                lost[-1]["gap"] = None if value is None else _plain(value)
        self._p2, self._post = p2, np.stack(post).tobytes()
        self._mass, self._above, self._off, self._model, self._lost = mass, above, off, model, lost

    # ------------------------------------------------------------------------------- in words
    # The JavaScript says the same words; a test holds the two together.

    def whole_in_words(self, arrow: str | None = None, at: int | None = None) -> str:
        """Whether the Gaussian family of this arrow can follow the world, and by how much not."""
        arrow, at = self._arrow if arrow is None else arrow, self._at if at is None else at
        eps = number(self._eps[at])
        if arrow == "forward":
            return f"x1 → x2 at ε = {eps}: Gaussian factors can follow, 0 nats lost"
        if self._notice:
            return self._notice
        if self._off[at] is None or self._off[at] > SAME:
            off = "NaN" if self._off[at] is None else number(self._off[at])
            return (
                f"x2 → x1 at ε = {eps}: this is another world, p(x2) p(x1 | x2) differs from "
                f"p(x1) p(x2 | x1) by up to {off}"
            )
        if not self._model[at]:
            return self._fit_notice or f"x2 → x1 at ε = {eps}: the same world, and no model yet"
        return (
            f"x2 → x1 at ε = {eps}: Gaussian factors cannot follow, {number(self._total(at))} nats "
            "lost"
        )

    def in_words(
        self,
        arrow: str | None = None,
        at: int | None = None,
        column: int | None = None,
        row: int | None = None,
    ) -> str:
        """What the picture shows for what is given: truth, model and loss."""
        arrow, at = self._arrow if arrow is None else arrow, self._at if at is None else at
        if arrow == "forward":
            x1 = self._x1[self._column if column is None else column]
            mean = self._mu[1] if x1 > 0 else self._mu[0]
            return (
                f"Given x1 = {fixed(x1)}: x2 is N({number(mean)}, {number(self._eps[at])}), and so "
                "says the model. Nothing is lost, here or anywhere."
            )
        if self._notice:
            return self._notice
        row = self._row if row is None else row
        mass, above, model, lost = (
            self._mass[at][row],
            self._above[at][row],
            self._model[at],
            self._lost[at],
        )
        said = f"Given x2 = {fixed(self._x2[row])}: "
        if mass is None:
            return said + "p(x1 | x2) is no number there."
        said += f"x1 is above 0 with probability {fixed(above)}."
        if abs(mass - 1) > 0.01:
            said += f" p(x1 | x2) has the mass {number(mass)} there, not 1."
        if not model:
            return f"{said} {self._fit_notice or 'There is no model yet.'}"
        mean, var = model["mean"][row], model["var"][row]
        said += (
            f" The model's Gaussian has mean {number(mean)} and variance {number(var)}, and loses "
            f"{number(lost['here'][row])} nats here. On average {number(lost['second'])} are lost "
            f"in q(x1 | x2), and {number(lost['first'])} in q(x2)."
        )
        if "gap" in lost:
            total = self._total(at)
            agree = lost["gap"] is not None and abs(lost["gap"] - total) <= 0.01 + 0.01 * abs(total)
            if not agree and not self._gap_notice:
                said += f" Your gap says {number(lost['gap'])}, the two parts say {number(total)}."
        return said + (f" {self._gap_notice}" if self._gap_notice else "")

    def picture(self) -> Drawing:
        """p of the effect given the cause that the line stands at, and the model's Gaussian."""
        forward = self._arrow == "forward"
        drawing = Drawing(700, 250)
        if forward:
            x, given = self._x2, self._x1[self._column]
            mean, var = self._mu[1] if given > 0 else self._mu[0], self._eps[self._at]
            truth = gaussian(np.array(x), mean, var)
        else:
            x, given = self._x1, self._x2[self._row]
            shape = (len(self._eps), len(self._x2), len(self._x1))
            truth = np.frombuffer(self._post, np.float32).reshape(shape)[self._at, self._row]
            model = self._model[self._at]
            mean, var = (model["mean"][self._row], model["var"][self._row]) if model else (0, None)
        high = 1.15 * float(np.nanmax(truth))
        spans, box = ((x[0], x[-1]), (0.0, max(high, 1e-9))), (0, 30, 700, 180)
        effect, cause = ("x2", "x1") if forward else ("x1", "x2")
        said = f"p({effect} | {cause} = {fixed(given)}): the area; the model's Gaussian: dashed"
        drawing.text(0, 14, said, "quiet")
        drawing.plot(box, x, truth, spans, "path", area=True)
        drawing.mark("truth", *(widget.fixed(float(v), 3) for v in truth[::10]))
        if var:
            fitted = gaussian(np.array(x), mean, var)
            drawing.plot(box, x, fitted, spans, "leak", dashed=True)
            drawing.mark("model", *(widget.fixed(float(v), 3) for v in fitted[::10]))
        drawing.line([(0, 210), (700, 210)], "rim")
        for tick in range(math.ceil(x[0]), math.floor(x[-1]) + 1):
            place = 700 * (tick - x[0]) / (x[-1] - x[0])
            drawing.text(place, 228, f"{tick}".replace("-", "−"), "quiet", anchor="middle", size=12)
        return drawing

    def _total(self, at: int) -> float:
        first, second = self._lost[at]["first"], self._lost[at]["second"]
        return math.nan if first is None or second is None else first + second

    def __repr__(self) -> str:
        mu = f"mu = ({number(self._mu[0])}, {number(self._mu[1])})"
        lines = [f"ArrowExplorer: {mu}, ε one of {', '.join(map(number, self._eps))}"]
        for arrow in ARROWS:
            lines.append(f"{self.whole_in_words(arrow)}.".replace("..", "."))
        said = self.in_words()
        return "\n".join([*lines, *([] if lines[-1] == said else [said])])


# --- the formulas of the picture itself -----------------------------------------------------------


def gaussian(x: np.ndarray, mean: object, variance: object) -> np.ndarray:
    """The density of N(mean, variance)."""
    with np.errstate(all="ignore"):
        return np.exp(-((x - mean) ** 2) / (2 * variance)) / np.sqrt(2 * math.pi * variance)


def marginal(x2: np.ndarray, mu: tuple[float, float], eps: float) -> np.ndarray:
    """p(x2): both bumps, half of each."""
    return (gaussian(x2, mu[0], eps) + gaussian(x2, mu[1], eps)) / 2


def _above_zero(x2: np.ndarray, mu: tuple[float, float], eps: float) -> np.ndarray:
    """P(X1 > 0 | x2), from the log-odds, so that nothing underflows."""
    return (1 + np.tanh((mu[1] - mu[0]) * (x2 - sum(mu) / 2) / (2 * eps))) / 2


def posterior(x1: np.ndarray, x2: np.ndarray, mu: tuple[float, float], eps: float) -> np.ndarray:
    """p(x1 | x2): a standard bell in two pieces."""
    upper = _above_zero(x2, mu, eps)
    return gaussian(x1, 0.0, 1.0) * np.where(x1 > 0, 2 * upper, 2 - 2 * upper)


def best(mu: tuple[float, float], eps: float) -> tuple[float, float, Callable]:
    """(E[X2], Var[X2], x2 ↦ (E[X1 | x2], Var[X1 | x2]))."""

    def given(x2: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        mean = math.sqrt(2 / math.pi) * (2 * _above_zero(x2, mu, eps) - 1)
        return mean, 1 - mean * mean

    return sum(mu) / 2, eps + ((mu[1] - mu[0]) / 2) ** 2, given


def _losses(truth: tuple, found: tuple, wide: np.ndarray, fine: np.ndarray) -> dict:
    """What the model loses: in q(x2), in q(x1 | x2) on average, and there for each x2 drawn."""
    density, rows = truth
    mean2, var2, mean, var, wide_mean, wide_var = found
    step = wide[1] - wide[0]
    per_row = _divergence(rows, gaussian(FINE, wide_mean[:, None], wide_var[:, None]), STEP)
    here = _divergence(fine, gaussian(FINE, mean[:, None], var[:, None]), STEP)
    with np.errstate(all="ignore"):
        second = np.where(density == 0, 0.0, density * per_row).sum() * step
    return {
        "first": _plain(_divergence(density, gaussian(wide, mean2, var2), step)),
        "second": _plain(second),
        "here": _plain(here),
    }


def _wide(mu: tuple[float, float], eps: float) -> np.ndarray:
    """Points of x2 that miss nothing of p(x2)."""
    reach = 7 * math.sqrt(eps)
    return np.linspace(min(mu) - reach, max(mu) + reach, 240)


def _divergence(p: np.ndarray, q: np.ndarray, step: float) -> np.ndarray:
    """KL(p‖q) along the last axis, heights on an even grid; 0 log 0 = 0, NaN where p is none."""
    with np.errstate(all="ignore"):
        terms = np.where(p == 0, 0.0, p * (np.log(p) - np.log(np.maximum(q, 1e-300))))
        return terms.sum(-1) * step


# --- numbers as JavaScript writes them ------------------------------------------------------------


def number(value: float | None) -> str:
    """0.496, 2, 1.20e-5, NaN: at most three decimals, as `number` in arrow.js."""
    if value is None or math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    if abs(value) < 1e-9:
        return "0"
    with localcontext(rounding=ROUND_HALF_UP):
        if abs(value) < 0.001:
            text = format(Decimal(abs(value)), ".2e")
        else:
            text = format(Decimal(abs(value)), ".3f").rstrip("0").rstrip(".")
    return ("−" if value < 0 else "") + text


def fixed(value: float | None) -> str:
    """0.60, −1.24, NaN: two decimals, as `fixed` in arrow.js."""
    if value is None or not math.isfinite(value):
        return "NaN"
    with localcontext(rounding=ROUND_HALF_UP):
        text = format(Decimal(abs(value)), ".2f")
    return ("−" if value < 0 and float(text) else "") + text


def _plain(values: object) -> object:
    """Numbers that JSON can carry: None for what is none."""
    array = np.asarray(values, dtype=np.float64)
    if array.ndim == 0:
        return float(array) if np.isfinite(array) else None
    return [v if math.isfinite(v) else None for v in array.ravel().tolist()]


# --- what the student's functions gave ------------------------------------------------------------


def _heights(answer: object, shape: tuple[int, ...]) -> np.ndarray:
    if answer is None:
        raise NotImplementedError
    try:
        array = np.asarray(answer, dtype=np.float64)
    except (TypeError, ValueError):
        raise widget.WrongForm(
            f"an array of numbers is needed: got {type(answer).__name__}"
        ) from None
    if array.shape != shape:
        raise widget.WrongForm(f"an array of shape {shape} is needed: got {array.shape}")
    return array


def _number(answer: object) -> float:
    return float(_heights(answer, ()))


def _model_of(answer: object, x2: np.ndarray, wide: np.ndarray) -> tuple:
    """mean2, var2, and mean and variance of x1 at x2 and at `wide`."""
    if answer is None:
        raise NotImplementedError
    if not isinstance(answer, list | tuple) or len(answer) != 3 or not callable(answer[2]):
        raise widget.WrongForm("mean2, var2 and a function of x2 are needed")
    pairs = []
    for points in (x2, wide):
        pair = answer[2](points.copy())
        if not isinstance(pair, list | tuple) or len(pair) != 2:
            raise widget.WrongForm("conditional(x2) must return a pair, mean and variance")
        pairs += [_heights(part, points.shape) for part in pair]
    return _number(answer[0]), _number(answer[1]), *pairs


def _asked(function: Callable, call: Callable, *args: object) -> tuple:
    with np.errstate(all="ignore"):
        return widget.asked(function, call, *args)
