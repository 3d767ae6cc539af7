"""The unrolled chain: pick a word and see its factors multiply, drag their order, draw a new one.

A table p(x_1 … x_n) stands behind the picture. Its factors stand in a row, one card a step, each
with the row p(x_i | what came before) as bars. A word reads one bar on each card: their product is
p(x), their logs add to log p(x) (density estimation). A uniform number on each card picks a bar
instead: that draws a word (sampling). Cards can be dragged, or moved by keys, into another order:
every row changes, the product does not.

The identity is the chain rule of probability; the sampler is ancestral sampling.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from decimal import ROUND_HALF_UP, Decimal, localcontext

import anywidget
import numpy as np
import traitlets

from figures import widget
from figures.drawing import Drawing

MOST_VARIABLES = 4  # 24 orders, and cards that fit side by side
MOST_VALUES = 6
MOST_WORDS = 81  # bars that can still be told apart at 700 pixels
TOLERANCE = 1e-9


class ChainExplorer(widget.Widget):
    """Draws a joint as a chain of factors, in any order of its variables.

    table     the joint, an array of shape (k, …, k) that sums to 1: n ≤ 4 axes, k ≤ 6, k^n ≤ 81.
    names     n names for the variables; x1 … xn if left out.
    values    k names for the values; their numbers 0 … k−1 if left out. A string gives letters.
    x         the word to begin with, n values as integers 0 … k−1; all 0 if left out.

    Raises ValueError, in one sentence, for a table that cannot be drawn.

    `ChainExplorer(table)` factors the table itself. `ChainExplorer.of(table, conditionals, reorder,
    sample)` draws what the student's own functions return.
    """

    _esm, _css = widget.parts("chain", ".chain-explorer")

    # What the JavaScript draws. Tables are flat, last axis fastest, as NumPy ravels them.
    _names = traitlets.List().tag(sync=True)
    _values = traitlets.List().tag(sync=True)
    _table = traitlets.List().tag(sync=True)
    _factors = traitlets.Dict().tag(sync=True)  # "0,1,2" → one flat table a step; null is no number
    _tally = traitlets.List().tag(sync=True)  # how often `sample` drew each word
    _notice = traitlets.Unicode("").tag(sync=True)  # in place of the picture
    _order_notice = traitlets.Unicode("").tag(sync=True)  # why the cards cannot be moved
    _sample_notice = traitlets.Unicode("").tag(sync=True)  # why there is no tally
    _seed = traitlets.Int(0).tag(sync=True)
    # Where the reader is.
    _order = traitlets.List().tag(sync=True)
    _x = traitlets.List().tag(sync=True)

    def __init__(
        self,
        table: Sequence,
        names: Sequence[str] | None = None,
        values: Sequence[str] | None = None,
        x: Sequence[int] | None = None,
        seed: int = 5,
    ) -> None:
        super().__init__()
        self._begin(table, names, values, x, seed)
        self._factors = {
            _key(order): _plain(factors_of(self._p.transpose(order)))
            for order in itertools.permutations(range(self._p.ndim))
        }

    @classmethod
    def of(
        cls,
        table: Sequence,
        conditionals: Callable,
        reorder: Callable | None = None,
        sample: Callable | None = None,
        names: Sequence[str] | None = None,
        values: Sequence[str] | None = None,
        x: Sequence[int] | None = None,
        draws: int = 2000,
        seed: int = 5,
    ) -> ChainExplorer:
        """An explorer of what the student's own functions return for `table`.

        Calls `conditionals(table)` for the natural order, `reorder(table, order)` for each other
        one, and `sample(tables, draws, rng)`. A function that is not written yet, or raises, or
        answers in another form, gives a sentence where its part would be, never a traceback; the
        other parts work.
        """
        explorer = cls.__new__(cls)
        anywidget.AnyWidget.__init__(explorer)
        explorer._begin(table, names, values, x, seed)
        explorer.draw_from(
            lambda c, r, s: explorer._ask(c, r, s, draws), conditionals, reorder, sample
        )
        return explorer

    def _begin(
        self,
        table: Sequence,
        names: Sequence[str] | None,
        values: Sequence[str] | None,
        x: Sequence[int] | None,
        seed: int,
    ) -> None:
        self._p = _table_of(table)
        n, k = self._p.ndim, self._p.shape[0]
        self._names = _named(names, [f"x{i + 1}" for i in range(n)], "names", "a variable")
        self._values = _named(values, [str(v) for v in range(k)], "values", "a value")
        self._table = self._p.ravel().tolist()
        self._order, self._seed = list(range(n)), int(seed)
        self._x = [0] * n if x is None else [int(v) for v in x]
        if len(self._x) != n or not all(0 <= v < k for v in self._x):
            raise ValueError(f"x must hold {n} values in 0 … {k - 1}: got {list(x)}")

    def _ask(
        self,
        conditionals: Callable,
        reorder: Callable | None,
        sample: Callable | None,
        draws: int,
    ) -> None:
        p, n = self._p, self._p.ndim
        natural = tuple(range(n))
        tables, self._notice = widget.asked(
            conditionals, lambda: _tables(conditionals(p.copy()), p)
        )
        if tables is None:
            return
        factors = {_key(natural): _plain(tables)}
        if reorder is not None and n > 1:
            for order in itertools.permutations(range(n)):
                if order == natural:
                    continue

                def call(order: tuple[int, ...] = order) -> list[np.ndarray]:
                    return _tables(reorder(p.copy(), list(order)), p)

                moved, self._order_notice = widget.asked(reorder, call)
                if moved is None:
                    factors = {_key(natural): _plain(tables)}
                    break
                factors[_key(order)] = _plain(moved)
        elif n > 1:
            self._order_notice = "These factors stand in one order only."
        self._factors = factors
        if sample is not None:
            rng = np.random.default_rng(self._seed)

            def count() -> np.ndarray:
                drawn = sample([t.copy() for t in tables], draws, rng)
                return _tally_of(drawn, draws, p)

            tally, self._sample_notice = widget.asked(sample, count)
            self._tally = [] if tally is None else tally.tolist()

    # ------------------------------------------------------------------------------- in words
    # The JavaScript says a word, its order and the whole in the same words; a test holds the two
    # together.

    def factors_at(self, x: Sequence[int], order: Sequence[int]) -> list[float]:
        """The n factors of the word `x` in this order, first step first."""
        k = len(self._values)
        found, at = [], 0
        for variable, flat in zip(order, self._factors[_key(order)], strict=True):
            at = at * k + x[variable]
            found.append(math.nan if flat[at] is None else flat[at])
        return found

    def in_words(self, x: Sequence[int] | None = None, order: Sequence[int] | None = None) -> str:
        """The word's factors, their product and log, and what the table says."""
        x, order = self._x if x is None else x, self._order if order is None else order
        if self._notice:
            return self._notice
        names, values, k = self._names, self._values, len(self._values)
        factors = self.factors_at(x, order)
        terms, given, rows, at = [], [], [], 0
        for step, variable in enumerate(order):
            here = f"{names[variable]}={values[x[variable]]}"
            terms.append(f"p({here}{' | ' + ', '.join(given) if given else ''})")
            given.append(here)
            flat = self._factors[_key(order)][step]
            row = sum(math.nan if v is None else v for v in flat[at * k : at * k + k])
            if not abs(row - 1) <= TOLERANCE:
                rows.append(f" The row of {names[variable]} sums to {number(row)}, not to 1.")
            at = at * k + x[variable]
        product = math.prod(factors)
        logs = [log(f) for f in factors]
        table = self._table[_index(x, k)]
        same = abs(product - table) <= TOLERANCE
        said = (
            f"{' · '.join(terms)} = {' · '.join(number(f) for f in factors)} = {number(product)}. "
            f"Logs: {sum_of(logs)} = {signed(sum(logs))} nats. The table says {number(table)}"
        )
        said += " too." if same else ": the product is another number."
        return said + "".join(rows)

    def whole_in_words(self, order: Sequence[int] | None = None) -> str:
        """Whether all words' products are the table's numbers in this order."""
        order = self._order if order is None else order
        if self._notice:
            return self._notice
        k, n = len(self._values), len(self._names)
        wrong = 0
        for i, x in enumerate(itertools.product(range(k), repeat=n)):
            product = math.prod(self.factors_at(x, order))
            wrong += not abs(product - self._table[i]) <= TOLERANCE
        place = ", ".join(self._names[v] for v in order)
        if wrong:
            return f"{wrong} of {k**n} products differ from the table in the order {place}"
        return f"All {k**n} products equal the table in the order {place}"

    def picture(self) -> Drawing:
        """One card a step: the row of the table that the word reads, and its bar."""
        n, k = len(self._names), len(self._values)
        card, drawing = 700 / n, Drawing(700, 60 + 26 * k)
        at = 0
        for step, variable in enumerate(self._order):
            left = step * card
            drawing.rect(left, 0, card - 12, 50 + 26 * k, "panel", rx=8, stroke="line")
            before = ", ".join(
                f"{self._names[v]}={self._values[self._x[v]]}" for v in self._order[:step]
            )
            named = f"p({self._names[variable]}{' | ' if before else ''}{before})"
            drawing.text(left + 12, 24, named, bold=True, size=12 if len(named) > 16 else 14)
            row = self._factors[_key(self._order)][step][at * k : at * k + k]
            for value, p in enumerate(row):
                y = 40 + 26 * value
                here = value == self._x[variable]
                bar = (card - 130) * min(1.0, max(0.0, p or 0.0))
                drawing.text(left + 12, y + 14, self._values[value], bold=here)
                drawing.rect(left + 34, y, bar, 18, "path" if here else "wire")
                said = number(math.nan if p is None else p)
                drawing.text(left + 40 + bar, y + 14, said, bold=here, size=12)
                drawing.mark("p", step, value, said, "here" if here else "")
            at = at * k + self._x[variable]
        return drawing

    def tally_in_words(self, x: Sequence[int] | None = None) -> str:
        """How often `sample` drew the word, beside what p(x) leads one to expect."""
        x = self._x if x is None else x
        if not self._tally:
            return self._sample_notice
        draws, at = sum(self._tally), _index(x, len(self._values))
        expected = number(self._table[at] * draws)
        word = " ".join(self._values[v] for v in x)
        came = f"{word} came {self._tally[at]} times in {draws} draws of sample"
        return f"{came}; p(x) expects {expected}."

    def __repr__(self) -> str:
        if self._notice:
            return f"ChainExplorer: {self._notice}"
        size = f"{len(self._names)} variables, values {', '.join(self._values)}"
        lines = [f"ChainExplorer: {size}", f"{self.whole_in_words()}.", self.in_words()]
        lines += [said for said in (self.tally_in_words(), self._order_notice) if said]
        return "\n".join(lines)


def factors_of(p: np.ndarray) -> list[np.ndarray]:
    """p(x_i | x_<i) for each i, shapes (k,), (k, k), …: uniform after an impossible prefix."""
    tables = []
    for i in range(p.ndim):
        upto = p.sum(axis=tuple(range(i + 1, p.ndim)))
        mass = upto.sum(axis=-1, keepdims=True)
        tables.append(np.divide(upto, mass, out=np.full(upto.shape, 1 / len(p)), where=mass > 0))
    return tables


# --- numbers as JavaScript writes them ------------------------------------------------------------


def number(value: float) -> str:
    """0.12, 3.20e-5, 0, NaN: at most four decimals, as `number` in chain.js."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    if value == 0:
        return "0"
    with localcontext(rounding=ROUND_HALF_UP):
        if abs(value) < 0.001:
            return format(Decimal(value), ".2e").replace("-", "−", value < 0)
        text = format(Decimal(value), ".4f")
    return text.rstrip("0").rstrip(".").replace("-", "−")


def signed(value: float) -> str:
    """−2.120 with a true minus sign; −∞ for log 0."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    with localcontext(rounding=ROUND_HALF_UP):
        text = format(Decimal(abs(value)), ".3f")
    return ("−" if value < 0 and float(text) else "") + text


def sum_of(values: Sequence[float]) -> str:
    """−0.916 − 0.693 − 0.511."""
    first, *others = (signed(v) for v in values)
    return first + "".join(f" − {t[1:]}" if t.startswith("−") else f" + {t}" for t in others)


def log(value: float) -> float:
    """Natural log; −inf of 0, NaN of what is negative or no number."""
    if value == 0:
        return -math.inf
    return math.log(value) if value > 0 else math.nan


# --- what was given -------------------------------------------------------------------------------


def _key(order: Sequence[int]) -> str:
    return ",".join(str(v) for v in order)


def _index(x: Sequence[int], k: int) -> int:
    at = 0
    for value in x:
        at = at * k + value
    return at


def _plain(tables: Sequence[np.ndarray]) -> list[list[float | None]]:
    """Flat lists that JSON can carry: it has no NaN and no infinity."""
    return [[v if math.isfinite(v) else None for v in t.ravel().tolist()] for t in tables]


def _table_of(table: Sequence) -> np.ndarray:
    if hasattr(table, "detach"):
        table = table.detach().cpu()
    try:
        p = np.array(table, dtype=np.float64)
    except (TypeError, ValueError):
        raise ValueError(f"a table is an array of numbers: got {type(table).__name__}") from None
    if p.ndim == 0 or len(set(p.shape)) != 1:
        raise ValueError(f"a table has shape (k, …, k), one axis a variable: got {p.shape}")
    if p.ndim > MOST_VARIABLES or len(p) > MOST_VALUES or p.size > MOST_WORDS:
        raise ValueError(
            f"at most {MOST_VARIABLES} variables, {MOST_VALUES} values and {MOST_WORDS} words can "
            f"be drawn: got shape {p.shape}"
        )
    if not (np.isfinite(p).all() and (p >= 0).all() and abs(p.sum() - 1) < 1e-6):
        raise ValueError(f"a table holds probabilities that sum to 1: got the sum {p.sum():g}")
    return p


def _named(given: Sequence[str] | None, default: list[str], what: str, whose: str) -> list[str]:
    if given is None:
        return default
    names = [str(name) for name in given]
    if len(names) != len(default) or len(set(names)) != len(names):
        raise ValueError(
            f"{what} must hold {len(default)} different names, one for {whose}: got {names}"
        )
    return names


def _tables(answer: object, p: np.ndarray) -> list[np.ndarray]:
    """The student's tables as float arrays of the right shapes, or one sentence as ValueError."""
    if answer is None:
        raise NotImplementedError
    wanted = [p.shape[: i + 1] for i in range(p.ndim)]
    asked = ", ".join(map(str, wanted))
    if not isinstance(answer, list | tuple):
        raise widget.WrongForm(
            f"a list of tables of shape {asked} is needed: got {type(answer).__name__}"
        )
    try:
        tables = [np.asarray(table, dtype=np.float64) for table in answer]
    except (TypeError, ValueError):
        raise widget.WrongForm("its tables must be arrays of numbers") from None
    shapes = [table.shape for table in tables]
    if shapes != wanted:
        got = ", ".join(map(str, shapes)) or "none"
        raise widget.WrongForm(f"tables of shape {asked} are needed: got {got}")
    return tables


def _tally_of(answer: object, draws: int, p: np.ndarray) -> np.ndarray:
    if answer is None:
        raise NotImplementedError
    x = np.asarray(answer)
    if x.shape != (draws, p.ndim) or x.dtype.kind not in "iu":
        got = f"{x.dtype} of shape {x.shape}"
        raise widget.WrongForm(f"integers of shape {(draws, p.ndim)} are needed: got {got}")
    if x.min() < 0 or x.max() >= len(p):
        raise widget.WrongForm(f"values in 0 … {len(p) - 1} are needed: got {x.min()} to {x.max()}")
    return np.bincount(np.ravel_multi_index(tuple(x.T), p.shape), minlength=p.size)
