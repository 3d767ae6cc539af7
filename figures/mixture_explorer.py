"""The mixture explorer: two bells to drag over the gray levels of data, and three prices of it.

The same levels are priced by a table (bins), by a mixture's density at each level, and by the mass
that the mixture has in each level's bin (discretized, with open ends). The picture shows the data
with one of the three, and under it what each level adds to the average negative log-likelihood.
Everything is computed in the browser; the student's own function is asked through the kernel.

Discretized mixture of logistics: Salimans, Karpathy, Chen and Kingma (2017), section 2.1.
"""

from collections.abc import Callable, Sequence

import numpy as np
import traitlets
from scipy.special import log_expit, logsumexp

from figures import widget
from figures.drawing import Drawing
from figures.widget import fixed

BELLS = ((0.6, 90.0, 25.0), (0.4, 225.0, 10.0))  # (weight, center, width)
VIEWS = ("bins", "density", "discretized")


class MixtureExplorer(widget.Widget):
    """Draws counts of levels and a mixture of two logistics, with the data's average NLL.

    counts  how often each level 0 … K−1 came, at least 3 levels, whole numbers that are not all 0.
    bells   (weight, center, width) of the two logistics; the weights sum to 1.

    Raises ValueError, in one sentence, for counts or bells that make no picture.

    `MixtureExplorer.of(discretized_logistic_mixture, counts)` also asks the student's own function.
    """

    _esm, _css = widget.parts("mixture_explorer", ".mixture-explorer")

    bells = traitlets.List().tag(sync=True)
    view = traitlets.Unicode("density").tag(sync=True)
    short_axis = traitlets.Bool(False).tag(sync=True)  # whether the axis runs from 0 to 1
    _counts = traitlets.List().tag(sync=True)
    _theirs = traitlets.Unicode("").tag(sync=True)  # what the student's function says here

    def __init__(
        self, counts: Sequence[int], bells: Sequence[Sequence[float]] = BELLS, view: str = "density"
    ) -> None:
        super().__init__()
        counts = [int(c) for c in counts]
        if len(counts) < 3 or min(counts) < 0 or not any(counts):
            raise ValueError(
                f"counts must be of at least 3 levels, none negative, not all 0: got {counts[:6]}"
            )
        bells = [[float(v) for v in bell] for bell in bells]
        if (
            len(bells) != 2
            or min(b[0] for b in bells) <= 0
            or abs(sum(b[0] for b in bells) - 1) > 1e-6
            or min(b[2] for b in bells) <= 0
        ):
            raise ValueError(
                "two bells (weight, center, width) are needed, with weights that sum to 1 and "
                f"widths above 0: got {bells}"
            )
        if view not in VIEWS:
            raise ValueError(f"view must be one of {', '.join(VIEWS)}: got {view!r}")
        self._counts, self.bells, self.view = counts, bells, view

    @classmethod
    def of(cls, discretized: Callable, counts: Sequence[int]) -> "MixtureExplorer":
        """An explorer that also asks `discretized(x, logits, mu, scale, levels)` where it stands.

        A function that is not written yet, or that raises, gives one sentence.
        """
        explorer = cls(counts, view="discretized")
        explorer._live = True
        explorer.draw_from(explorer._draw_from_function, discretized)
        explorer.observe(lambda change: explorer._ask(), names=["bells"])
        return explorer

    # --- the mathematics ---------------------------------------------------------------------

    def log_density(self) -> np.ndarray:
        """log of the mixture's density at each level (K,), in nats, on the axis that is chosen."""
        x = np.arange(len(self._counts))[:, None]
        w, mu, s = np.array(self.bells).T
        z = (x - mu) / s
        unit = np.log(len(self._counts)) if self.short_axis else 0.0
        logs = np.log(w) + log_expit(z) + log_expit(-z) - np.log(s)
        return np.asarray(logsumexp(logs, axis=1)) + unit

    def log_mass(self) -> np.ndarray:
        """log of the mixture's mass in each level's bin (K,), the first and the last one open."""
        x = np.arange(len(self._counts))[:, None]
        w, mu, s = np.array(self.bells).T
        below, above = log_expit((x + 0.5 - mu) / s), log_expit((mu - x + 0.5) / s)
        mass = below + above + np.log(-np.expm1(-1 / s))
        mass[0], mass[-1] = below[0], above[-1]
        return np.asarray(logsumexp(np.log(w) + mass, axis=1))

    def log_share(self) -> np.ndarray:
        """log of each level's share of the data (K,), with 1 added to each count."""
        counts = np.array(self._counts) + 1.0
        return np.log(counts / counts.sum())

    def nats(self) -> dict[str, float]:
        """The average NLL of the data under each of the three, in nats."""
        share = np.array(self._counts) / sum(self._counts)
        logs = (self.log_share(), self.log_density(), self.log_mass())
        return {view: float(-(share * log).sum()) for view, log in zip(VIEWS, logs, strict=True)}

    def _draw_from_function(self, function: Callable) -> None:
        self._function = function
        self._ask()

    def _ask(self) -> None:
        logs, said = widget.asked(self._function, self._their_logs)
        if logs is None:
            self._theirs = said
            return
        nll = -(np.array(self._counts) * logs).sum() / sum(self._counts)
        self._theirs = (
            f"Yours: {fixed(float(nll), 3)} nats, "
            f"{fixed(float(np.exp(logs).sum()), 4)} in sum over all levels."
        )

    def _their_logs(self) -> np.ndarray | None:
        import torch

        x = torch.arange(len(self._counts))
        w, mu, s = torch.tensor(np.array(self.bells), dtype=torch.float64).T
        answer = self._function(x, torch.log(w), mu, s, len(x))
        if answer is None:
            return None
        logs = np.asarray(answer, dtype=float)
        if logs.shape != (len(x),):
            raise widget.WrongForm(f"shape ({len(x)},) is drawn, and it gave shape {logs.shape}")
        return logs

    # --- without a front end -----------------------------------------------------------------

    def picture(self) -> Drawing:
        """The data and the chosen one of the three, and below what each level adds to the price."""
        drawing = Drawing(720, 330)
        x = np.arange(len(self._counts))
        share = np.array(self._counts) / sum(self._counts)
        unit = np.log(len(x)) if self.short_axis else 0.0
        priced = dict(
            zip(VIEWS, (self.log_share(), self.log_density(), self.log_mass()), strict=True)
        )
        # A density is drawn for an axis on which a level is 1 wide, whatever axis prices it.
        height = np.exp(priced[self.view] - (unit if self.view == "density" else 0.0))
        adds = np.maximum(0, -share * priced[self.view])
        across, most = (0.0, float(len(x) - 1)), 1.35 * float(share.max())
        drawing.text(0, 14, f"the data: the area; {self.view}: the line", "quiet")
        drawing.plot((0, 30, 720, 180), x, share, (across, (0.0, most)), "wire", area=True)
        drawing.plot((0, 30, 720, 180), x, np.minimum(height, most), (across, (0.0, most)), "path")
        drawing.line([(0, 210), (720, 210)], "rim")
        drawing.text(0, 230, "what each level adds to the average, in nats", "quiet")
        tallest = max(1e-9, float(adds.max()))
        drawing.plot((0, 240, 720, 80), x, adds, (across, (0.0, tallest)), "gap", area=True)
        drawing.line([(0, 320), (720, 320)], "rim")
        step = max(1, len(x) // 8)
        for name, values in (("data", share), (self.view, height), ("adds", adds)):
            drawing.mark(name, *(fixed(float(v), 4) for v in values[::step]))
        for k, (_, center, _) in enumerate(self.bells, 1):
            at = 720 * min(max((center + 0.5) / len(x), 0.0), 1.0)
            drawing.circle(at, 210, 7, "page", stroke="path", stroke_width=3)
            drawing.mark("bell", k, fixed(center, 1))
        return drawing

    # --- the words ---------------------------------------------------------------------------

    def in_words(self) -> str:
        """What the picture shows, in a sentence; the JavaScript says the same."""
        bells = "; ".join(
            f"bell {k}: weight {fixed(w, 2)}, center {fixed(mu, 1)}, width {fixed(s, 2)}"
            for k, (w, mu, s) in enumerate(self.bells, 1)
        )
        prices = ", ".join(f"{view} {fixed(v, 3)}" for view, v in self.nats().items())
        axis = f"0 to {1 if self.short_axis else len(self._counts)}"
        return f"{bells}. Average NLL in nats on the axis {axis}: {prices}."

    def __repr__(self) -> str:
        theirs = f" {self._theirs}" if self._theirs else ""
        return f"MixtureExplorer: {self.in_words()}{theirs}"
