"""Checks of lesson 01, the exponential wall: counts of the free numbers of a distribution.

Every count is an exact integer. What a check compares with is counted here by the definition, and
each misconception is a count of its own, so that a wrong answer is recognized by its numbers.
Sources: Pearl (1988), "Probabilistic Reasoning in Intelligent Systems", chapter 3 (Bayes nets);
Larochelle and Murray (2011), sections 2 and 3 (FVSBN, NADE); Germain, Gregor, Murray and Larochelle
(2015), section 4 (MADE).
"""

from __future__ import annotations

import copy
import itertools
import math
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from autograder import claim, when
from autograder.checking import checks
from autograder.claims import Advice, Claim
from autograder.draw import Draw
from autograder.remote.proxy import Standin, StudentFailed, describe

LESSON = "01_exponential_wall"
INT64 = 2**63  # where NumPy's integers end
Parents = Sequence[Sequence[int]]


# --- what the mathematics says --------------------------------------------------------------------


def table_count(cardinalities: Sequence[int]) -> int:
    """One number for each joint value, less one because they sum to 1."""
    return math.prod(cardinalities) - 1


def node_counts(
    cardinalities: Sequence[int],
    parents: Parents,
    rows: Callable[[list[int]], int] = math.prod,
    free: Callable[[int], int] = lambda k: k - 1,
) -> list[int]:
    """Free numbers of each node's table; `rows` and `free` give the rule's usual corruptions."""
    return [
        free(k) * rows([cardinalities[j] for j in row])
        for k, row in zip(cardinalities, parents, strict=True)
    ]


def net_count(cardinalities: Sequence[int], parents: Parents, **how: Callable) -> int:
    """Free numbers of a Bayes net; `how` as for `node_counts`."""
    return sum(node_counts(cardinalities, parents, **how))


def nade_count(n: int, hidden: int) -> int:
    """W (hidden × n), c (hidden), V (n × hidden) and b (n)."""
    return 2 * n * hidden + hidden + n


def made_count(
    n: int,
    hidden_sizes: Sequence[int],
    *,
    degree: Callable[[int, int], int] = lambda k, n: 1 + k % max(n - 1, 1),
    hidden: Callable[[Any, Any], Any] = np.greater_equal,
    output: Callable[[Any, Any], Any] = np.greater,
    between: bool = True,
    runs_on: bool = False,
    biases: str = "hidden output",
) -> int:
    """Open connections and biases of a MADE; the options give the rule's usual corruptions."""
    if n == 1:
        return 1  # no degree in 1 … 0, so no hidden unit: the output's bias
    places = np.arange(1, n + 1)
    below, count, before = places, n * ("output" in biases), 0
    for layer, size in enumerate(hidden_sizes):
        degrees = np.array([degree(before + k, n) for k in range(size)], dtype=np.int64)
        is_open = hidden(degrees[:, None], below[None, :])
        masked = layer == 0 or between
        count += int(is_open.sum()) if masked else is_open.size
        count += size * ("hidden" in biases)
        below, before = degrees, before + size * runs_on
    return count + int(output(places[:, None], below[None, :]).sum())


def dense_count(n: int, hidden_sizes: Sequence[int]) -> int:
    """The same network without masks."""
    sizes = [n, *hidden_sizes, n]
    return sum(a * b + b for a, b in itertools.pairwise(sizes))


# --- what was seen --------------------------------------------------------------------------------


def whole_number(value: Any) -> int | None:
    """`value` as an exact int, or None if it is none (a float, a bool, text, an object)."""
    if isinstance(value, bool | np.bool_ | Standin):
        return None
    if isinstance(value, int | np.integer):
        return int(value)
    if getattr(value, "shape", None) == ():
        item = value.item()  # a tensor or array of one number
        return item if type(item) is int else None
    return None


def as_float(value: Any) -> float | None:
    """`value` as a float if it is one in any dress, else None."""
    if isinstance(value, float | np.floating):
        return float(value)
    if not isinstance(value, Standin) and getattr(value, "shape", None) == ():
        item = value.item()
        return item if type(item) is float else None
    return None


def said(value: Any) -> str:
    """A student's answer in a few words; a huge int by its size, for its digits fill pages."""
    if isinstance(value, StudentFailed):
        return f"raised {value}"[:200] + (f" at your line: {value.line}" if value.line else "")
    number = whole_number(value)
    if number is not None:
        if abs(number) < 10**15:
            return f"returned {number:,}"
        return f"returned an integer of {number.bit_length():,} bits"
    real = as_float(value)
    if real is not None:
        return f"returned {real:.17g}, a float"
    return f"returned {describe(value)}"


def call_text(name: str, args: Sequence[Any]) -> str:
    """The call as one would write it, cut where it gets long."""
    text = ", ".join(_short(arg) for arg in args)
    return f"{name}({text})"


def _short(value: Any) -> str:
    if isinstance(value, list) and len(value) > 8 and all(v == value[0] for v in value):
        return f"[{value[0]}] * {len(value)}"
    if isinstance(value, int) and abs(value) >= 10**15:
        return f"<an integer of {value.bit_length():,} bits>"
    text = repr(value)
    return text if len(text) <= 90 else text[:89] + "…"


class Answers:
    """What a counting function says of several cases, beside what is true of them.

    `cases` are tuples of arguments. With `may_raise`, an exception of the student's is an answer
    like another; without, it ends the check and is told with the student's own line.
    """

    def __init__(
        self,
        function: Standin,
        name: str,
        truth: Callable[..., int],
        cases: Sequence[tuple],
        *,
        may_raise: bool = True,
    ) -> None:
        self.name, self.truth, self.cases = name, truth, list(cases)
        self.values = [_ask(function, case, may_raise) for case in self.cases]

    def wrong(self) -> int | None:
        """The first case that is answered wrongly, or None."""
        for i, (case, value) in enumerate(zip(self.cases, self.values, strict=True)):
            if whole_number(value) != self.truth(*case):
                return i
        return None

    @property
    def hold(self) -> bool:
        """Whether every answer is the exact integer."""
        return self.wrong() is None

    @property
    def saw(self) -> str:
        """The first wrong answer in words, or how many were right."""
        i = self.wrong()
        if i is None:
            return f"{len(self.cases)} cases, each exact"
        return f"{call_text(self.name, self.cases[i])} {said(self.values[i])}"

    def fit(self, formula: Callable[..., int | float]) -> bool:
        """Whether every answer is what `formula` gives, as an int or as a float near it."""
        for case, value in zip(self.cases, self.values, strict=True):
            wanted = formula(*case)
            number, real = whole_number(value), as_float(value)
            if number is None and (real is None or not near(real, wanted)):
                return False
            if number is not None and number != wanted:
                return False
        return True

    def shows(self, formula: Callable[..., int | float] | bool) -> bool:
        """Whether a formula fits, or a symptom was found already."""
        return self.fit(formula) if callable(formula) else bool(formula)

    def raised(self, *kinds: type[Exception]) -> bool:
        """Whether an answer was an exception of one of these kinds (of any, if none is named)."""
        failures = [v for v in self.values if isinstance(v, StudentFailed)]
        return any(not kinds or failure.is_a(*kinds) for failure in failures)

    @property
    def are_floats(self) -> bool:
        """Whether an answer is a float."""
        return any(as_float(v) is not None for v in self.values)

    @property
    def wrapped(self) -> bool:
        """Whether int64 ran over, as far as one can see: a huge count came out far too small."""
        return any(
            (number := whole_number(value)) is not None
            and abs(number) < self.truth(*case) >> 16
            and self.truth(*case) >= INT64
            for case, value in zip(self.cases, self.values, strict=True)
        )

    def beside(self, other: Answers) -> Answers:
        """These answers and `other` together, to tell apart what one of them cannot."""
        both = copy.copy(self)
        both.cases, both.values = self.cases + other.cases, self.values + other.values
        return both

    def advice(
        self, *formulas: tuple[Callable[..., int | float] | bool, str, str], else_: str
    ) -> list[str | Advice]:
        """Advice for the first formula (or symptom) that fits; a float is named before `else_`."""
        if self.hold:
            return [else_]
        known = [when(self.shows(formula), name, text) for formula, name, text in formulas]
        rounded = (
            "float-for-an-integer",
            "a count is an integer, and a float keeps only 53 bits of it: multiply Python "
            "ints, and divide with // (or not at all)",
        )
        right_but_float = self.are_floats and self.fit(self.truth)
        return [when(right_but_float, *rounded), *known, when(self.are_floats, *rounded), else_]


def _ask(function: Standin, args: tuple, may_raise: bool) -> Any:
    try:
        return function(*args)
    except StudentFailed as error:
        if not may_raise:
            raise
        return error


def near(value: float, wanted: int | float) -> bool:
    """Equal as floats are, with no overflow where `wanted` is an integer of any size."""
    if not math.isfinite(value):
        return False
    try:
        return math.isclose(value, float(wanted), rel_tol=1e-9, abs_tol=1e-9)
    except OverflowError:
        return False


# --- table_parameters -----------------------------------------------------------------------------


@checks("table_parameters", lesson=LESSON, points=2)
def numbers_of_a_table(table_parameters: Standin, draw: Draw) -> Iterator[Claim]:
    """A table needs one number for each joint value, less one."""
    name = "table_parameters"
    small = [([2, 2],), ([6, 2],), ([3, 4, 2],)]
    small += [
        ([draw.integer(2, 6) for _ in range(draw.integer(2, 5))] + [draw.integer(3, 5)],)
        for _ in range(3)
    ]
    seen = first = Answers(table_parameters, name, table_count, small, may_raise=False)
    yield claim(
        "a table has one free number for each joint value, less one",
        seen.hold,
        points=1,
        saw=seen.saw,
        asks="the joint values counted out one by one, less the one that the sum to 1 fixes",
        advice=seen.advice(
            (
                lambda c: math.prod(c),
                "forgets-minus-one",
                "you count every cell of the table; but the cells sum to 1, so the last one "
                "follows from the others",
            ),
            (
                lambda c: math.prod(k - 1 for k in c),
                "minus-one-per-variable",
                "you take one off each variable; only the whole table sums to 1, so one comes "
                "off the product",
            ),
            (
                seen.fit(lambda c: sum(c))
                or seen.fit(lambda c: sum(c) - 1)
                or seen.fit(lambda c: sum(k - 1 for k in c)),
                "adds-over-variables",
                "you add over the variables: that is how many numbers INDEPENDENT variables "
                "need; joint values multiply",
            ),
            (
                lambda c: 2 ** len(c) - 1,
                "assumes-binary",
                "you count as if every variable had two values: use each variable's own "
                "cardinality",
            ),
            else_="list the joint values of two dice by hand, and count the free numbers again",
        ),
        see="A table of everything",
    )

    large = [([2] * 784,), ([draw.integer(2, 9) for _ in range(draw.integer(400, 900))],)]
    large += [([2] * draw.integer(1030, 2000),)]
    seen = Answers(table_parameters, name, table_count, large)
    yield claim(
        "784 bits, and larger tables, are counted to the last digit",
        seen.hold,
        points=0.5,
        saw=seen.saw,
        asks="an exact Python int: multiply ints, and nothing rounds or overflows",
        advice=seen.advice(
            (
                math.prod,
                "forgets-minus-one",
                "the product is exact, but the sum to 1 takes one number off it",
            ),
            (
                first.hold and seen.wrapped,
                "int64-overflow",
                "NumPy's integers end at 2^63 and then start again from below, without a word: "
                "multiply Python ints (math.prod)",
            ),
            (
                seen.raised(OverflowError),
                "float-for-an-integer",
                "a float ends near 10^308, and rounds long before: multiply Python ints",
            ),
            else_="Python ints have no largest value: keep to int arithmetic all the way",
        ),
        see="A table of everything",
    )

    k = draw.integer(2, 9)
    edges = [([],), ([1],), ([1] * draw.integer(2, 5),), ([1, k, 1],)]
    seen = Answers(table_parameters, name, table_count, edges)
    yield claim(
        "what has only one value needs no number",
        seen.hold,
        points=0.5,
        saw=seen.saw,
        asks="no variable, or constants alone: one joint value of probability 1, nothing to choose",
        advice=seen.advice(
            (
                lambda c: math.prod(c),
                "forgets-minus-one",
                "a constant has one joint value, and its probability is 1: nothing is free",
            ),
            (
                seen.raised(),
                "empty-product",
                "a product of nothing is 1: no variable makes one (empty) joint value",
            ),
            else_="one joint value has probability 1: there is nothing left to choose",
        ),
        see="A table of everything",
    )


# --- bits_to_exceed -------------------------------------------------------------------------------


def first_bits(limit: int) -> int:
    """The first n with 2^n − 1 > limit."""
    return (limit + 1).bit_length()


@checks("bits_to_exceed", lesson=LESSON, points=2)
def bits_that_pass_a_limit(bits_to_exceed: Standin, draw: Draw) -> Iterator[Claim]:
    """The first number of bits whose table is larger than a limit."""
    name = "bits_to_exceed"

    def between(k: int) -> int:
        """A limit well inside 2^k … 2^(k+1), away from both ends."""
        return 2**k + draw.integer(2 ** (k - 2), 2 ** (k - 1))

    powers = (5, draw.integer(8, 20), draw.integer(25, 40))
    cases = [(1000,), (5,), *((between(k),) for k in powers)]
    seen = Answers(bits_to_exceed, name, first_bits, cases, may_raise=False)
    yield claim(
        "n bits exceed the limit, and n − 1 bits do not",
        seen.hold,
        points=1,
        saw=seen.saw,
        asks="the smallest n with 2^n − 1 > limit",
        advice=seen.advice(
            (
                lambda limit: first_bits(limit) - 1,
                "floor-for-ceiling",
                "you are one bit short: 2^n − 1 with your n is still below the limit; round the "
                "logarithm up, not down",
            ),
            (
                lambda limit: first_bits(limit) + 1,
                "one-bit-too-many",
                "one bit fewer would already exceed the limit: you are looking for the FIRST n",
            ),
            (
                seen.fit(lambda limit: len(str(limit)))
                or seen.fit(lambda limit: len(str(limit)) - 1),
                "counts-decimal-digits",
                "you count decimal digits (a logarithm to base 10): every bit doubles the table",
            ),
            (
                seen.fit(lambda limit: math.ceil(math.log(limit)))
                or seen.fit(lambda limit: math.floor(math.log(limit))),
                "natural-logarithm",
                "that is the natural logarithm: every bit doubles the table, so the base is 2",
            ),
            else_="try n = 1, 2, 3, … by hand for the limit 1000: which n is the first?",
        ),
        see="When is a table too large?",
    )

    k = draw.integer(3, 12)
    edges = [(0,), (1,), (2,), (3,), (2**k - 2,), (2**k - 1,), (2**k,)]
    seen = Answers(bits_to_exceed, name, first_bits, edges)
    yield claim(
        "a table that just reaches the limit does not exceed it",
        seen.hold,
        points=0.5,
        saw=seen.saw,
        asks="strictly more than the limit, counted as 2^n − 1",
        advice=seen.advice(
            (
                lambda limit: limit.bit_length(),
                "reaches-for-exceeds",
                "where the limit is 2^n − 1 itself you stop one bit early: the −1 is forgotten, or "
                "≥ stands where > belongs",
            ),
            (
                lambda limit: math.ceil(math.log2(limit + 1)),
                "reaches-for-exceeds",
                "where the limit is 2^n − 1 itself you stop one bit early: rounding up does not "
                "move a logarithm that is whole already",
            ),
            (
                lambda limit: (limit + 2).bit_length(),
                "minus-one-on-the-wrong-side",
                "2^n − 1 > limit means 2^n > limit + 1: move the 1 to the other side once",
            ),
            (
                seen.raised(),
                "fails-at-the-edge",
                "small limits are limits too: for limit 0 one bit is enough, since 2^1 − 1 > 0",
            ),
            else_="work out limit 0, 1, 2 and 3 by hand: 2^n − 1 is 1, 3, 7, …",
        ),
        see="When is a table too large?",
    )

    many = draw.integer(200, 900)
    huge = [(10**80,), (2**many - 2,), (2**many + draw.integer(0, 9),), (10**400,)]
    seen = Answers(bits_to_exceed, name, first_bits, huge)
    yield claim(
        "limits like 10^80 and 10^400 are passed at the right bit",
        seen.hold,
        points=0.5,
        saw=seen.saw,
        asks="exact integers all the way: 2^n is one",
        advice=seen.advice(
            (
                whole_number(seen.values[0]) == 100,
                "atoms-at-100-bits",
                "100 bits make about 1.3·10^30 numbers: far, far fewer than 10^80; each factor 10 "
                "costs 3.3 bits",
            ),
            (
                lambda limit: first_bits(limit) - 1,
                "floor-for-ceiling",
                "you are one bit short of exceeding the limit",
            ),
            (
                seen.raised(OverflowError)
                or all(
                    (n := whole_number(v)) is not None and abs(n - first_bits(*case)) <= 1
                    for case, v in zip(seen.cases, seen.values, strict=True)
                ),
                "float-logarithm",
                "a float cannot tell 2^200 − 1 from 2^200, so a logarithm lands on the wrong side; "
                "stay with integers (a loop, or int.bit_length)",
            ),
            else_="stay with Python ints: 2**n is exact for every n",
        ),
        see="When is a table too large?",
    )


# --- bayes_net_parameters -------------------------------------------------------------------------


def random_net(draw: Draw, n: int, most: int = 4) -> tuple[list[int], list[list[int]]]:
    """A net whose nodes are listed after their parents, with 2 … 5 values each."""
    cardinalities = [draw.integer(2, 5) for _ in range(n)]
    parents = [
        sorted(int(j) for j in draw.permutation(i)[: draw.integer(0, min(i, most))])
        for i in range(n)
    ]
    return cardinalities, parents


def relabeled(net: tuple[list[int], list[list[int]]], new: Sequence[int]) -> tuple[list, list]:
    """The same net with node i called new[i]."""
    cardinalities, parents = net
    n = len(cardinalities)
    renamed: list[Any] = [None] * n
    rows: list[Any] = [None] * n
    for i in range(n):
        renamed[new[i]] = cardinalities[i]
        rows[new[i]] = [int(new[j]) for j in parents[i]]
    return renamed, rows


def children_of(parents: Parents) -> list[list[int]]:
    """The same arrows read backward."""
    return [[i for i, row in enumerate(parents) if j in row] for j in range(len(parents))]


def net_with_cycle(draw: Draw, length: int) -> tuple[list[int], list[list[int]], set[int]]:
    """A net of 14 … 18 nodes, of which `length` stand in a ring apart from the others."""
    n = draw.integer(14, 18)
    names = draw.permutation(n).tolist()
    ring, rest = names[:length], sorted(names[length:])
    parents: list[list[int]] = [[] for _ in range(n)]
    for at, node in enumerate(rest):
        parents[node] = rest[max(0, at - draw.integer(0, 2)) : at]
    for at, node in enumerate(ring):
        parents[node] = [ring[at - 1]]
    return [2] * n, parents, set(ring)


def refusal(answer: Any, nodes: set[int], innocent: int) -> str:
    """How a net that is none was received: "named", "unnamed", "counted", or another error's kind.

    A message names a node by its number; to name it beside all the others tells nothing, so at
    most `innocent` other numbers may stand there.
    """
    if not isinstance(answer, StudentFailed):
        return "counted"
    if not answer.is_a(ValueError):
        known = (kind for kind in (RecursionError, IndexError) if answer.is_a(kind))
        return next(known, Exception).__name__
    message = str(answer).partition(":")[2]
    numbers = {int(text) for text in re.findall(r"(?<![-\d])\d{1,6}(?!\d)", message)}
    return "named" if numbers & nodes and len(numbers - nodes) <= innocent else "unnamed"


@checks("bayes_net_parameters", lesson=LESSON, points=4)
def numbers_of_a_bayes_net(bayes_net_parameters: Standin, draw: Draw) -> Iterator[Claim]:
    """Each node needs k − 1 numbers for each combination of its parents' values."""
    name = "bayes_net_parameters"
    nets = [([4, 2, 3, 2], [[], [0], [0], [1, 2]]), ([3, 4], [[], []])]
    nets += [random_net(draw, n) for n in (3, 4, draw.integer(5, 6), draw.integer(6, 7))]
    seen = small = Answers(bayes_net_parameters, name, net_count, nets, may_raise=False)
    yield claim(
        "each node has k − 1 free numbers for each combination of its parents' values",
        seen.hold,
        points=1,
        saw=seen.saw,
        asks="the sum over the nodes of (k − 1) times the product of the parents' cardinalities",
        advice=_net_advice(seen),
        see="Fewer parents, fewer numbers",
    )

    n = draw.integer(40, 300)
    ways = [[], *([i - 1] for i in range(1, n))]
    chains = [([2] * n, ways), ([2], [[]]), ([draw.integer(3, 5)] * n, ways)]
    seen = Answers(bayes_net_parameters, name, net_count, chains)
    yield claim(
        "a chain of n bits needs 2n − 1 numbers",
        seen.hold,
        points=0.5,
        saw=seen.saw,
        asks="1 for the first bit, and 2 for each bit after it: linear in n",
        advice=seen.advice(
            (
                seen.raised(RecursionError),
                "recursion-without-end",
                f"a chain of {n} nodes has no cycle, but your recursion gets too deep for Python",
            ),
            *_told_apart(small, seen),
            else_="draw a chain of three bits, write its three tables, and count",
        ),
        see="Fewer parents, fewer numbers",
    )

    cardinalities = [draw.integer(2, 6) for _ in range(draw.integer(4, 6))]
    wide = [draw.integer(10**3, 10**6) for _ in range(8)]
    full = [(c, [list(range(i)) for i in range(len(c))]) for c in ([2] * 5, cardinalities, wide)]
    seen = Answers(bayes_net_parameters, name, net_count, full)
    yield claim(
        "with all earlier variables as parents, the net needs as much as the full table",
        seen.hold,
        points=0.5,
        saw=seen.saw,
        asks="the chain rule alone saves nothing: it is an identity",
        advice=seen.advice(
            (
                small.hold and seen.wrapped,
                "int64-overflow",
                "NumPy's integers end at 2^63: multiply Python ints (math.prod)",
            ),
            *_told_apart(small, seen),
            else_="for three bits the tables have 1, 2 and 4 rows: 7 numbers, as 2^3 − 1",
        ),
        see="Does the chain rule save anything?",
    )

    mixed = []
    for n in (2, 4, draw.integer(5, 7)):
        net = random_net(draw, n)
        net[1][-1] = sorted({*net[1][-1], 0})  # at least one arrow
        for new in (list(range(n))[::-1], draw.permutation(n).tolist()):
            mixed.append(relabeled(net, new))
    seen = Answers(bayes_net_parameters, name, net_count, mixed)
    yield claim(
        "the nodes may be listed in any order",
        seen.hold,
        points=0.5,
        saw=seen.saw,
        asks="a parent with a larger number is no cycle: only the arrows matter",
        advice=seen.advice(
            (
                seen.raised(ValueError),
                "assumes-parents-come-first",
                "you refuse a net because a parent's number is larger than its child's: that is "
                "no cycle; follow the arrows, and see whether a node leads back to itself",
            ),
            *_told_apart(small, seen),
            else_="the count of a node depends on its parents' cardinalities, not on their places",
        ),
        see="Fewer parents, fewer numbers",
    )

    yield _cycles(bayes_net_parameters, draw)
    yield _out_of_range(bayes_net_parameters, draw)


def _net_formulas(seen: Answers) -> list[tuple[Callable[..., int] | bool, str, str]]:
    """The wrong counts of a net that have a name."""
    return [
        (
            lambda c, p: net_count(c, p, free=lambda k: k),
            "minus-one-per-row-missing",
            "you count every cell of the tables; each ROW sums to 1, so a row of k cells has "
            "k − 1 free numbers",
        ),
        (
            lambda c, p: net_count(c, p, free=lambda k: k) - len(c),
            "minus-one-per-table",
            "you take one number off each table; it is each row that sums to 1",
        ),
        (
            lambda c, p: net_count(c, p, free=lambda k: k) - 1,
            "minus-one-for-the-net",
            "you take a single number off the whole net; each row of each table sums to 1",
        ),
        (
            lambda c, p: math.prod(node_counts(c, p)),
            "multiplies-over-nodes",
            "you multiply the nodes' counts; the probabilities multiply, but their tables lie side "
            "by side, so the numbers add",
        ),
        (
            seen.fit(lambda c, p: net_count(c, p, rows=lambda ks: sum(ks) if ks else 1))
            or seen.fit(lambda c, p: net_count(c, p, rows=sum)),
            "adds-the-parents",
            "you add the parents' cardinalities; a row belongs to each COMBINATION of their "
            "values, so they multiply",
        ),
        (
            lambda c, p: sum(
                (k - 1) * k * math.prod(c[j] for j in row) for k, row in zip(c, p, strict=True)
            ),
            "counts-the-node-itself",
            "the node itself is among your rows; its own values are the columns, and only the "
            "parents make rows",
        ),
        (
            seen.fit(lambda c, p: net_count(c, p) + sum(c[j] - 1 for row in p for j in row))
            or seen.fit(lambda c, p: net_count(c, p) + sum(len(row) for row in p)),
            "counts-the-parent",
            "you count a parent's own numbers again in each child; they stand in the parent's "
            "table already",
        ),
        (
            lambda c, p: net_count(c, p, rows=lambda ks: math.prod(k - 1 for k in ks)),
            "minus-one-on-parents",
            "you take one off the parents' cardinalities; every value of a parent has its own row",
        ),
        (
            lambda c, p: net_count(c, children_of(p)),
            "children-for-parents",
            "you read the arrows backward: parents[i] lists the parents OF node i",
        ),
        (
            lambda c, p: sum(2 ** len(row) for row in p),
            "assumes-binary",
            "you count as if every variable had two values: use each one's own cardinality",
        ),
        (
            lambda c, p: sum(
                (k - 1) * math.prod(c[j] for j in row) for k, row in zip(c, p, strict=True) if row
            ),
            "roots-forgotten",
            "a node without parents has a table too: one row, k − 1 free numbers",
        ),
        (
            lambda c, p: table_count(c),
            "ignores-the-graph",
            "that is the full table again: the missing arrows are what saves numbers",
        ),
    ]


def _told_apart(small: Answers, seen: Answers) -> list[tuple[bool, str, str]]:
    """The formulas that fit both: a chain alone cannot tell a sum of parents from a product."""
    both = small.beside(seen)
    known = [(both, one) for one in _net_formulas(both)]
    known += [(seen, one) for one in _net_formulas(seen)] if small.hold else []
    return [(of.shows(formula), name, text) for of, (formula, name, text) in known]


def _net_advice(seen: Answers) -> list[str | Advice]:
    return seen.advice(
        *_net_formulas(seen),
        else_="take the net of the picture, write each node's table, count its rows and columns",
    )


def _cycles(bayes_net_parameters: Standin, draw: Draw) -> Claim:
    """A graph with a cycle is refused by a ValueError that names a node on it."""
    received = []
    for length in (1, 2, draw.integer(4, 6)):
        cardinalities, parents, ring = net_with_cycle(draw, length)
        answer = _ask(bayes_net_parameters, (cardinalities, parents), may_raise=True)
        received.append((length, refusal(answer, ring, 3), answer))
    kinds = [kind for _, kind, _ in received]
    bad = next(((length, answer) for length, kind, answer in received if kind != "named"), None)
    return claim(
        "a cycle is refused by a ValueError that names a node on it",
        bad is None,
        points=1,
        saw=f"a cycle of {bad[0]}: {said(bad[1])}" if bad else "",
        asks="no node may be its own ancestor, by one arrow or by many",
        advice=[
            when(
                kinds == ["counted"] * 3,
                "cycles-unnoticed",
                "you count a graph with a cycle as if it were a net; its tables do not multiply to "
                "a distribution",
            ),
            when(
                kinds[0] != "counted" and kinds[1:] == ["counted"] * 2,
                "only-self-loops",
                "you notice a node that is its own parent, but not A → B → A",
            ),
            when(
                kinds[2] == "counted",
                "only-short-cycles",
                "you notice short cycles only: a cycle may run through any number of nodes; take "
                "off, again and again, nodes whose parents are all gone",
            ),
            when(
                "RecursionError" in kinds,
                "recursion-without-end",
                "your search runs round the cycle for ever: remember the nodes you are on the way "
                "through",
            ),
            when(
                "unnamed" in kinds,
                "names-no-node",
                "your message should name one node on the cycle (its number, as in parents), and "
                "not merely list them all",
            ),
            "raise ValueError with the number of a node on the cycle in its message",
        ],
        see="Fewer parents, fewer numbers",
    )


def _out_of_range(bayes_net_parameters: Standin, draw: Draw) -> Claim:
    """A parent that does not exist is refused by a ValueError that names the child."""
    received = []
    n = draw.integer(14, 18)
    for stranger in (n, n + draw.integer(20, 60), -1, -draw.integer(2, 5)):
        child = draw.integer(7, n - 2)
        parents: list[list[int]] = [[i - 1] if i else [] for i in range(n)]
        parents[child] = [child - 1, stranger]
        answer = _ask(bayes_net_parameters, ([2] * n, parents), may_raise=True)
        received.append((stranger, refusal(answer, {child}, 4), answer))
    kinds = [kind for _, kind, _ in received]
    bad = next(((parent, answer) for parent, kind, answer in received if kind != "named"), None)
    return claim(
        "a parent that does not exist is refused by a ValueError that names the node",
        bad is None,
        points=0.5,
        saw=f"parent {bad[0]} among {n} nodes: {said(bad[1])}" if bad else "",
        asks=f"parents are numbers 0 … {n - 1} here",
        advice=[
            when(
                kinds[0] == kinds[1] == "named" and "counted" in kinds[2:],
                "negative-index",
                "a negative parent slips through: Python reads cardinalities[-1] as the last one, "
                "so check both ends of the range",
            ),
            when(
                "IndexError" in kinds,
                "index-error",
                "Python's IndexError does not tell the reader which node is wrong: check the range "
                "first, and raise ValueError with the node's number",
            ),
            when(
                "unnamed" in kinds,
                "names-no-node",
                "your message should name the node whose list of parents is wrong",
            ),
            when(
                "counted" in kinds,
                "range-unchecked",
                "you count a net with a parent that does not exist",
            ),
            "raise ValueError with the node's number in its message",
        ],
        see="Fewer parents, fewer numbers",
    )


# --- fvsbn_parameters -----------------------------------------------------------------------------


def _triangle(n: int) -> int:
    return n * (n + 1) // 2


@checks("fvsbn_parameters", lesson=LESSON, points=1)
def numbers_of_an_fvsbn(fvsbn_parameters: Standin, draw: Draw) -> Iterator[Claim]:
    """A row of logistic regressions needs i numbers for its i-th conditional."""
    name = "fvsbn_parameters"
    sizes = [1, 2, 3, 4, 784, draw.integer(5, 40), draw.integer(100, 3000)]
    seen = Answers(fvsbn_parameters, name, _triangle, [(n,) for n in sizes], may_raise=False)
    formulas = (
        (
            lambda n: n * (n - 1) // 2,
            "forgets-the-biases",
            "you count the weights alone: every one of the n regressions has a bias as well, and "
            "for x_1 it is all there is",
        ),
        (
            lambda n: n * (n - 1) // 2 + 1,
            "one-bias-for-all",
            "you count a single bias: each of the n regressions has its own",
        ),
        (
            seen.fit(lambda n: n * n) or seen.fit(lambda n: n * n + n),
            "counts-the-dense-size",
            "you count a full square; x_i may only look at x_1 … x_(i−1), so of the weights a "
            "triangle is left: half of n(n + 1) with the biases",
        ),
        (
            lambda n: n * (n + 1) // 2 + n,
            "sees-itself",
            "you give x_i a weight for itself: it has i − 1 weights and a bias",
        ),
        (
            lambda n: 2 * n - 1,
            "counts-a-chain",
            "that is a chain, where x_i looks at one variable; here it looks at all before it",
        ),
        (
            lambda n: 2**n - 1,
            "counts-the-table",
            "that is the full table: a logistic regression has one weight for each variable before "
            "it, not one number for each combination of their values",
        ),
    )
    yield claim(
        "the i-th conditional has i − 1 weights and a bias",
        seen.hold,
        points=0.5,
        saw=seen.saw,
        asks="1 + 2 + … + n, as an integer",
        advice=seen.advice(
            *formulas, else_="write the numbers of each conditional for n = 3: 1, 2 and 3"
        ),
        see="A formula in place of a table",
    )

    n = draw.integer(10, 4000)
    steps = Answers(fvsbn_parameters, name, _triangle, [(n,), (n + 1,), (2 * n,)])
    low, high, double = (whole_number(v) for v in steps.values)
    known = low is not None and high is not None and double is not None
    grows = known and high - low == n + 1 and double - 2 * low == n * n
    yield claim(
        "one more variable brings a bias and a weight for each variable before it",
        grows,
        points=0.5,
        saw=f"from n = {n} to {n + 1}: {said(steps.values[0])}, then {said(steps.values[1])}",
        asks="n + 1 numbers more, so the count grows with the square of n",
        advice=steps.advice(*formulas, else_="how many numbers does the next conditional bring?"),
        see="A formula in place of a table",
    )


# --- nade_parameters ------------------------------------------------------------------------------


@checks("nade_parameters", lesson=LESSON, points=2)
def numbers_of_a_nade(nade_parameters: Standin, draw: Draw) -> Iterator[Claim]:
    """NADE stores two matrices and two vectors of biases, whatever the step."""
    name = "nade_parameters"
    sizes = [(3, 2), (784, 500), (5, 7)]
    sizes += [(draw.integer(2, 30), draw.integer(31, 60))]
    sizes += [(draw.integer(100, 900), draw.integer(3, 90))]
    seen = Answers(nade_parameters, name, nade_count, sizes, may_raise=False)
    formulas = (
        (
            lambda n, h: 2 * n * h,
            "forgets-the-biases",
            "you count the two matrices alone: c has a bias for each hidden unit, b one for each "
            "variable",
        ),
        (
            lambda n, h: 2 * n * h + n,
            "forgets-c-or-the-last-column",
            "you are h numbers short: either c is missing, one bias a hidden unit, or you left out "
            "the last column of W, which no step uses but which is stored",
        ),
        (
            lambda n, h: 2 * n * h + h,
            "forgets-b",
            "every conditional has a bias of its own: b, one number a variable",
        ),
        (
            seen.fit(lambda n, h: n * h + h + n) or seen.fit(lambda n, h: n * h),
            "counts-one-matrix",
            "you count one matrix: W leads into the hidden layer (h × n), V out of it (n × h), and "
            "they are not the same",
        ),
        (
            seen.fit(lambda n, h: n * n * h + n * h + h + n)
            or seen.fit(lambda n, h: h * n * (n - 1) // 2 + n * h + h + n)
            or seen.fit(lambda n, h: h * n * (n - 1) // 2 + n * h + n * h + n),
            "separate-weights-per-step",
            "you give every step weights of its own: all steps share one W (and one c), and step i "
            "uses its first i − 1 columns",
        ),
        (
            lambda n, h: 3 * n * h + n,
            "separate-biases-per-step",
            "you give every step its own c: all steps share one",
        ),
        (
            seen.fit(lambda n, h: n * h + 2 * h + n) or seen.fit(lambda n, h: n * h + 2 * h + 1),
            "one-output-for-all",
            "you share V between the conditionals: each has its own row of V, of h numbers",
        ),
    )
    yield claim(
        "W, c, V and b are counted, each once",
        seen.hold,
        points=1,
        saw=seen.saw,
        asks="the sizes of h × n, h, n × h and n, added",
        advice=seen.advice(
            *formulas, else_="write the four arrays for n = 3 and h = 2: 6, 2, 6 and 3"
        ),
        see="Share the hidden layer",
    )

    n, h = draw.integer(50, 3000), draw.integer(20, 900)
    cases = [(n, h), (n + 1, h), (n, h + 1), (2 * n, h), (n, 0), (1, h)]
    steps = Answers(nade_parameters, name, nade_count, cases)
    counts = [whole_number(v) for v in steps.values]
    linear = None not in counts and (
        counts[1] - counts[0] == 2 * h + 1
        and counts[2] - counts[0] == 2 * n + 1
        and counts[3] - 2 * counts[0] == -h
    )
    yield claim(
        "linear in n: one more variable brings a column of W, a row of V and a bias",
        linear and counts[4] == n,
        points=1,
        saw=steps.saw,
        asks="2h + 1 numbers more for each variable; and n biases when there is no hidden unit",
        advice=steps.advice(
            *formulas,
            else_="what does one more variable add to W, to V and to b, and what to c?",
        ),
        see="Share the hidden layer",
    )


# --- made_parameters ------------------------------------------------------------------------------


def _made_formulas(seen: Answers) -> list[tuple[Callable[..., int] | bool, str, str]]:
    """The wrong counts of a MADE that have a name."""
    greater, at_least = np.greater, np.greater_equal
    return [
        (
            dense_count,
            "counts-the-dense-size",
            "you count every entry of the weight matrices; a connection that its mask sets to 0 "
            "does not exist",
        ),
        (
            lambda n, h: made_count(n, h, biases=""),
            "forgets-the-biases",
            "you count connections alone: every hidden unit and every output has a bias",
        ),
        (
            seen.fit(lambda n, h: made_count(n, h, biases="output"))
            or seen.fit(lambda n, h: made_count(n, h, biases="hidden")),
            "forgets-some-biases",
            "some biases are missing: every hidden unit has one, and every output too",
        ),
        (
            lambda n, h: made_count(n, h, output=at_least),
            "output-sees-itself",
            "your output mask uses ≥: output d is then connected to units that see input d, itself",
        ),
        (
            lambda n, h: made_count(n, h, hidden=greater),
            "strict-at-the-hidden-layer",
            "your hidden mask uses >: a unit of degree m may see input m as well, so it is ≥",
        ),
        (
            lambda n, h: made_count(n, h, hidden=greater, output=at_least),
            "masks-exchanged",
            "> and ≥ are exchanged: ≥ belongs to the hidden layers, > to the output",
        ),
        (
            seen.fit(lambda n, h: made_count(n, h, hidden=np.less_equal))
            or seen.fit(lambda n, h: made_count(n, h, hidden=np.less_equal, output=np.less))
            or seen.fit(lambda n, h: made_count(n, h, output=np.less)),
            "mask-turned-round",
            "an inequality points the wrong way: a unit sees SMALLER degrees, or equal ones",
        ),
        (
            lambda n, h: made_count(n, h, between=False),
            "hidden-to-hidden-dense",
            "you count every connection between two hidden layers; they are masked as well, "
            "by m(above) ≥ m(below)",
        ),
        (
            lambda n, h: made_count(n, h, degree=lambda k, n: k % max(n - 1, 1)),
            "degrees-from-0",
            "your degrees start at 0: such a unit sees no input; our convention is "
            "m_k = 1 + k mod (n − 1)",
        ),
        (
            lambda n, h: made_count(n, h, degree=lambda k, n: k % n),
            "degrees-from-0",
            "your degrees run over 0 … n − 1: they should run over 1 … n − 1",
        ),
        (
            lambda n, h: made_count(n, h, degree=lambda k, n: 1 + k % n),
            "degrees-to-n",
            "your degrees reach n: such a unit sees every input, and no output may use it; take "
            "them modulo n − 1",
        ),
        (
            lambda n, h: made_count(n, h, degree=lambda k, n: 1 + (k + 1) % max(n - 1, 1)),
            "counts-units-from-1",
            "the first unit has k = 0, and so the degree 1: in each layer k runs from 0",
        ),
        (
            lambda n, h: made_count(n, h, runs_on=True),
            "degrees-run-on",
            "your degrees run on from one layer into the next: in each layer k starts at 0 again",
        ),
    ]


@checks("made_parameters", lesson=LESSON, points=3)
def numbers_of_a_made(made_parameters: Standin, draw: Draw) -> Iterator[Claim]:
    """A MADE has the connections that its masks leave open, and its biases."""
    name = "made_parameters"

    def ask(cases: list[tuple], may_raise: bool = True) -> Answers:
        return Answers(made_parameters, name, made_count, cases, may_raise=may_raise)

    def deep(n: int, layers: int) -> tuple[int, list[int]]:
        return n, [draw.integer(n, 3 * n + 1) for _ in range(layers)]

    one = [(3, [4]), (2, [3]), (5, [9]), (784, [50])]
    one += [(draw.integer(4, 30), [draw.integer(30, 80)])]
    one += [(draw.integer(31, 60), [draw.integer(2, 30)])]
    more = [(4, [5, 7]), (5, [7, 6, 9]), deep(draw.integer(6, 9), 2)]
    more += [deep(draw.integer(10, 16), 2), deep(draw.integer(5, 12), 3)]
    shallow, layered = ask(one, may_raise=False), ask(more)
    # One layer cannot tell a strict mask from forgotten biases: two layers can.
    both = shallow.beside(layered)
    known = [(both.shows(f), name_of, text) for f, name_of, text in _made_formulas(both)]
    yield claim(
        "one hidden layer: a unit of degree m has m connections below it and n − m above",
        shallow.hold,
        points=1,
        saw=shallow.saw,
        asks="n connections for each hidden unit, whatever its degree, and h + n biases",
        advice=shallow.advice(
            *known,
            *_made_formulas(shallow),
            else_="draw n = 3 with four hidden units of degrees 1, 2, 1, 2, and count the lines",
        ),
        see="Count what the masks leave open",
    )
    yield claim(
        "between hidden layers only m(above) ≥ m(below) is connected",
        layered.hold,
        points=1,
        saw=layered.saw,
        asks="the ones of every mask, with the degrees m_k = 1 + k mod (n − 1) in each layer",
        advice=layered.advice(
            *_made_formulas(layered),
            else_="write both lists of degrees for n = 4, hidden sizes 5 and 7, and count pairs",
        ),
        see="Count what the masks leave open",
    )

    sizes = [2, 3, draw.integer(4, 9), draw.integer(10, 60)]
    seen = ask([(n, []) for n in sizes])
    yield claim(
        "without a hidden layer a MADE is an FVSBN",
        seen.hold,
        points=0.5,
        saw=seen.saw,
        asks="inputs straight to outputs, masked by >, and n biases: a triangle of numbers",
        advice=seen.advice(
            *_made_formulas(seen),
            (
                seen.raised(),
                "needs-a-hidden-layer",
                "an empty list of hidden sizes is allowed: the layer below the outputs is then the "
                "inputs, with degrees 1 … n",
            ),
            else_="start with the inputs as the layer below: if no hidden layer follows, the "
            "output mask joins inputs and outputs",
        ),
        see="Count what the masks leave open",
    )

    # One case at n = 2, or whoever always answers 1 would be right.
    seen = ask(
        [
            (1, [draw.integer(1, 9)]),
            (1, []),
            (1, [draw.integer(2, 9), draw.integer(2, 9)]),
            (2, [1]),
        ]
    )
    yield claim(
        "one variable needs one number",
        seen.hold,
        points=0.5,
        saw=seen.saw,
        asks="at n = 1 there is no degree to give, so no hidden unit: the output's bias is all",
        advice=seen.advice(
            (
                seen.raised(ZeroDivisionError),
                "no-degree-at-n-1",
                "at n = 1 the convention divides by n − 1 = 0: there is no degree in 1 … 0, so "
                "treat this case first",
            ),
            (
                not seen.raised() and not seen.are_floats,
                "units-without-a-degree",
                "at n = 1 the degrees 1 … n − 1 are none, so no hidden unit exists, and none has a "
                "bias: only the output's bias is left",
            ),
            else_="treat n = 1 first: one variable, one number",
        ),
        see="Count what the masks leave open",
    )
