"""The growth of parameters: a student's counting functions over n, on logarithmic axes.

A straight line here is a power of n, and its slope the exponent: the chain and NADE rise with
slope 1, the FVSBN with slope 2. The full table is no line at all. The place where the FVSBN
overtakes NADE is searched with the student's own functions and marked.

Counts: a logistic regression for each variable, n(n + 1)/2 (FVSBN; Larochelle and Murray, 2011,
section 2); 2nh + h + n (NADE, section 3); the open connections and biases of a MADE with one hidden
layer (Germain et al., 2015, section 4).
"""

import math
from collections.abc import Callable

import traitlets

from figures import widget
from figures.drawing import Drawing

MOST = 4096  # variables
MOST_CHAIN = 784  # a student's search for cycles may take n² steps
HIDDEN = (10, 50, 100, 500)
GRID = (
    1,
    2,
    3,
    4,
    5,
    6,
    7,
    8,
    9,
    10,
    12,
    14,
    17,
    20,
    24,
    28,
    40,
    57,
    80,
    100,
    141,
    200,
    266,
    400,
    566,
    784,
)
GRID = (*GRID, 1000, 1414, 2000, 2828, MOST)


class ParameterGrowth(widget.Widget):
    """Draws how many numbers n binary variables need, counted by the student's functions.

    Takes the functions of the lesson; NADE and MADE have no line where theirs is not given. One
    that is not written yet, or that raises or returns something else than an int, has no line
    either, and a sentence says why. `hidden` is the number of hidden units to begin with, one of
    10, 50, 100 and 500.
    """

    _esm, _css = widget.parts("parameter_growth", ".parameter-growth")

    _most = traitlets.Int(MOST).tag(sync=True)
    _grid = traitlets.Dict().tag(sync=True)  # h → the values of n that can be pointed at
    # name → h → [[n, log10 of the count, the count in words], …]; h is "" where it plays no part.
    _series = traitlets.Dict().tag(sync=True)
    _crossover = traitlets.Dict().tag(sync=True)  # h → the first n at which FVSBN > NADE, or 0
    _hidden = traitlets.Unicode("500").tag(sync=True)
    _notices = traitlets.List().tag(sync=True)

    def __init__(
        self,
        table_parameters: Callable,
        bayes_net_parameters: Callable,
        fvsbn_parameters: Callable,
        nade_parameters: Callable | None = None,
        made_parameters: Callable | None = None,
        hidden: int = 500,
    ) -> None:
        if hidden not in HIDDEN:
            raise ValueError(f"hidden must be one of {', '.join(map(str, HIDDEN))}: got {hidden}")
        super().__init__()
        self._hidden = str(hidden)
        given = [nade_parameters, made_parameters]
        self._with_hidden = [name for name, f in zip(("NADE", "MADE"), given, strict=True) if f]
        self.draw_from(
            self._count,
            table_parameters,
            bayes_net_parameters,
            fvsbn_parameters,
            *(f for f in given if f),
        )

    def _count(
        self,
        table_parameters: Callable,
        bayes_net_parameters: Callable,
        fvsbn_parameters: Callable,
        *with_hidden_units: Callable,
    ) -> None:
        ask = _Asker()
        hidden = dict(zip(self._with_hidden, with_hidden_units, strict=True))
        nade = hidden.get("NADE")
        crossover = {h: _overtaking(ask, fvsbn_parameters, nade, h) if nade else 0 for h in HIDDEN}
        grids = {h: sorted({*GRID, *_beside(crossover[h])}) for h in HIDDEN}
        every = sorted({n for grid in grids.values() for n in grid})

        def alone(function: Callable, most: int = MOST, of: Callable = int) -> dict:
            return {"": [(n, ask(function, *_args(of(n)))) for n in every if n <= most]}

        def with_hidden(function: Callable, of: Callable = int) -> dict:
            return {str(h): [(n, ask(function, n, of(h))) for n in grids[h]] for h in HIDDEN}

        counts = {
            "table": alone(table_parameters, of=lambda n: ([2] * n,)),
            "FVSBN": alone(fvsbn_parameters),
            **{
                name: with_hidden(f, of=(lambda h: [h]) if name == "MADE" else int)
                for name, f in hidden.items()
            },
            "chain": alone(bayes_net_parameters, MOST_CHAIN, of=_chain),
        }
        self._series = {
            name: {
                h: [[n, math.log10(c), in_words(c)] for n, c in points if c is not None and c > 0]
                for h, points in by_hidden.items()
            }
            for name, by_hidden in counts.items()
        }
        self._grid = {str(h): grid for h, grid in grids.items()}
        self._crossover = {str(h): n for h, n in crossover.items()}
        self._notices = list(ask.notices.values())

    def __repr__(self) -> str:
        lines = [f"ParameterGrowth: {self.headline_in_words()}"]
        lines += [self.at_in_words(n) for n in (3, 20, 100, 784, MOST)]
        return "\n".join([*lines, *self._notices])

    def picture(self) -> Drawing:
        """The counts over n, both axes logarithmic, up to 10^12."""
        drawing, box = Drawing(700, 330), (50, 10, 540, 280)
        spans = ((0.0, math.log10(MOST)), (0.0, 12.0))
        for power in range(0, 13, 3):
            y = 290 - 280 * power / 12
            drawing.line([(50, y), (590, y)], "line", 1)
            drawing.text(44, y + 4, f"10^{power}", "quiet", anchor="end", size=12)
        for n in (1, 10, 100, 1000):
            x = 50 + 540 * math.log10(n) / spans[0][1]
            drawing.text(x, 308, f"n = {n}", "quiet", anchor="middle", size=12)
        roles = {"table": "leak", "FVSBN": "path", "NADE": "good", "MADE": "gap", "chain": "ink"}
        for at, name in enumerate(self._series):
            role, points = roles[name], self._points(name)
            drawing.plot(box, [math.log10(n) for n, *_ in points], [c for _, c, _ in points],
                         spans, role, dashed=at % 2 == 1)  # fmt: skip
            if points:
                drawing.mark(name, len(points), points[-1][2])
            drawing.line([(600, 30 + 26 * at), (624, 30 + 26 * at)], role, 2.2, at % 2 == 1)
            drawing.text(630, 34 + 26 * at, name)
        return drawing

    def headline_in_words(self) -> str:
        """Where the FVSBN overtakes NADE, as the widget says it."""
        both = all(self._points(name) for name in ("FVSBN", "NADE"))
        if not both:
            return "How many numbers for n bits?"
        at, h = self._crossover[self._hidden], self._hidden
        if not at:
            return f"With h = {h}, FVSBN does not overtake NADE up to n = {MOST:,}."
        return f"With h = {h}, FVSBN has more parameters than NADE from n = {at:,} on."

    def at_in_words(self, n: int) -> str:
        """The counts at one n of the grid, as the widget says them."""
        said = []
        for name in self._series:
            found = [words for at, _, words in self._points(name) if at == n]
            said += [f"{name} {words}" for words in found]
        return f"n = {n:,}: {', '.join(said)}." if said else f"n = {n:,}: nothing to show yet."

    def _points(self, name: str) -> list:
        by_hidden = self._series.get(name, {})
        return by_hidden.get("", by_hidden.get(self._hidden, []))


def in_words(count: int) -> str:
    """A count with its digits grouped, or as "about 1.3·10^30" where it has more than 15."""
    if count < 10**15:
        return f"{count:,}"
    exponent = math.floor(math.log10(count))
    first = 10 ** (math.log10(count) - exponent)
    # 9.96 would print as 10.0.
    if first >= 9.95:
        first, exponent = 1.0, exponent + 1
    return f"about {first:.1f}·10^{exponent:,}"


class _Asker:
    """Calls the student's functions, and keeps one sentence for each that gives no count."""

    def __init__(self) -> None:
        self.notices: dict[str, str] = {}

    def __call__(self, function: Callable, *args: object) -> int | None:
        name = getattr(function, "__name__", "a function")
        if name in self.notices:
            return None
        said, notice = widget.asked(function, function, *args)
        if type(said) is int:
            return said
        odd = f"{name} returned {said!r}"[:80] + f", which is no int (a {type(said).__name__})."
        self.notices[name] = notice or odd
        return None


def _args(given: object) -> tuple:
    return given if isinstance(given, tuple) else (given,)


def _chain(n: int) -> tuple[list[int], list[list[int]]]:
    return [2] * n, [[], *([i] for i in range(n - 1))]


def _beside(n: int) -> set[int]:
    return {n, max(n - 1, 1)} if n else set()


def _overtaking(ask: _Asker, left: Callable, right: Callable, hidden: int) -> int:
    """The first n ≤ MOST with left(n) > right(n, hidden), if they cross once; 0 if never."""

    def above(n: int) -> bool:
        a, b = ask(left, n), ask(right, n, hidden)
        return a is not None and b is not None and a > b

    if not above(MOST):
        return 0
    low, high = 0, MOST  # not above at low (there is no n = 0), above at high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if above(middle) else (middle, high)
    return high
