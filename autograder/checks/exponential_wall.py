"""Checks of lesson 01, the exponential wall: counts of the free numbers of a distribution.

Every count is an exact integer (`autograder.checks.counts`).
Sources: Pearl (1988), "Probabilistic Reasoning in Intelligent Systems", chapter 3 (Bayes nets);
Larochelle and Murray (2011), section 2 (FVSBN).
"""

from __future__ import annotations

import graphlib
import math
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from autograder.checking import checks
from autograder.checks.counts import (
    FLOAT_ADVICE,
    Raised,
    Refused,
    Seen,
    fail_only,
    of_floats,
    raised,
    refusal,
    subject,
    triangle,
    wrapped,
)
from autograder.claims import Cause, Claim
from autograder.diagnosis import Mistake, Property, Symptom, examine
from autograder.diagnosis.mistakes import several
from autograder.diagnosis.shrinking import simpler
from autograder.draw import Draw
from autograder.remote.proxy import Standin

LESSON = "01_exponential_wall"
SECONDS = 4.0  # that a notebook waits for a loop that may never end: a right answer takes none
Parents = Sequence[Sequence[int]]
Net = tuple[list[int], list[list[int]]]


# --- what the mathematics says --------------------------------------------------------------------


def table_count(cardinalities: Sequence[int]) -> int:
    """One number for each joint value, less one because they sum to 1."""
    return math.prod(cardinalities) - 1


def table_variable_by_variable(cardinalities: Sequence[int]) -> int:
    """The same by the chain rule: each variable adds k − 1 numbers for each row so far."""
    count = 0
    for k in cardinalities:
        count += (count + 1) * (k - 1)
    return count


def first_bits(limit: int) -> int:
    """The first n with 2^n − 1 > limit."""
    return (limit + 1).bit_length()


def first_bits_one_by_one(limit: int) -> int | None:
    """The same by trying one n after the other."""
    for n in range(limit.bit_length() + 3):
        if 2**n - 1 > limit:
            return n
    return None


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


def rows_that_go_on(cardinalities: Sequence[int], parents: Parents) -> int:
    """The count with a product of rows that is never set back to 1."""
    count, rows = 0, 1
    for k, row in zip(cardinalities, parents, strict=True):
        rows *= math.prod(cardinalities[j] for j in row)
        count += (k - 1) * rows
    return count


def two_ways(parents: Parents) -> bool:
    """Whether two ways lead from some node up to the same ancestor, in a net without a cycle."""

    def ancestors(node: int) -> list[int]:
        return [one for j in parents[node] for one in (j, *ancestors(j))]

    above = (ancestors(node) for node in range(len(parents)))
    return any(len(one) != len(set(one)) for one in above)


def cycle_of(parents: Parents) -> set[int]:
    """The nodes of a cycle; empty if there is none."""
    try:
        graphlib.TopologicalSorter(dict(enumerate(parents))).prepare()
    except graphlib.CycleError as error:
        return set(error.args[1])
    return set()


def rule_of_nets(
    cardinalities: Sequence[int],
    parents: Parents,
    *,
    count: Callable[[Sequence[int], Parents], int] = net_count,
    longest: float = math.inf,
    below: bool = True,
    above: bool = True,
) -> int | Refused | Raised:
    """Free numbers of a net, `Refused` for a graph that is none. Each option turns one thing wrong.

    `longest` is the length up to which a cycle is noticed; `below` and `above` say whether parents
    below 0 and from n on are.
    """
    n = len(cardinalities)
    for child, row in enumerate(parents):
        if any((below and j < 0) or (above and j >= n) for j in row):
            return Refused(frozenset({child}), 4)
        if any(not -n <= j < n for j in row):
            return Raised(("IndexError",))
    ring = cycle_of(parents)
    if ring and len(ring) <= longest:
        return Refused(frozenset(ring), 3)
    return count(cardinalities, parents)


def net_node_by_node(cardinalities: Sequence[int], parents: Parents) -> int | Refused | Raised:
    """The same, one node after the other."""
    asked = rule_of_nets(cardinalities, parents)
    if not isinstance(asked, int):
        return asked
    count = 0
    for i in range(len(cardinalities)):
        rows = 1
        for j in parents[i]:
            rows *= cardinalities[j]
        count += (cardinalities[i] - 1) * rows
    return count


def triangle_row_by_row(n: int) -> int:
    """The same: i − 1 weights and a bias for the i-th conditional."""
    return sum((i - 1) + 1 for i in range(1, n + 1))


# --- table_parameters -----------------------------------------------------------------------------


def by_logarithms(
    end: Callable[[float], int],
    log: Callable[[float], float] = math.log,
    exp: Callable[[float], float] = math.exp,
) -> Callable[[Sequence[int]], Any]:
    """The count by a sum of logarithms; `end` makes a whole number of the cells."""

    def count(cardinalities: Sequence[int]) -> Any:
        try:
            return end(exp(sum(log(k) for k in cardinalities))) - 1
        except OverflowError:
            return Raised(("OverflowError",))

    return count


def cells_of_all_rows(cardinalities: Sequence[int]) -> int:
    """The cells of the chain rule's tables, the last of each row too."""
    return sum(math.prod(cardinalities[: i + 1]) for i in range(len(cardinalities)))


def float_product(cardinalities: Sequence[int]) -> Any:
    """The cells as a float, and an int only at the end."""
    cells = 1.0
    for k in cardinalities:
        cells *= k
    return Raised(("OverflowError",)) if cells == math.inf else int(cells) - 1


_TABLE = (
    *several(
        "forgets-minus-one",
        "you count every cell of the table; but the cells sum to 1, so the last one follows from "
        "the others",
        math.prod,
    ),
    *several(
        "minus-one-per-variable",
        "you take one off for each variable; only the whole table sums to 1, so one comes off the "
        "product, once",
        lambda c: math.prod(k - 1 for k in c),
        lambda c: math.prod(c) - len(c),
    ),
    *several(
        "adds-over-variables",
        "you add over the variables: that is how many numbers INDEPENDENT variables need; joint "
        "values multiply",
        lambda c: sum(k - 1 for k in c),
        lambda c: sum(c) - 1,
        lambda c: sum(c),
    ),
    *several(
        "assumes-binary",
        "you count as if every variable had two values: use each variable's own cardinality",
        lambda c: 2 ** len(c) - 1,
    ),
    *several(
        "power-for-product",
        "you raise one number to a power: the variables have cardinalities of their own, and their "
        "joint values are the product of all of them",
        lambda c: len(c) ** max(c, default=1) - 1,
        lambda c: max(c, default=1) ** len(c) - 1,
        lambda c: (c[0] if c else 1) ** len(c) - 1,
        lambda c: len(c) ** (c[0] if c else 1) - 1,
    ),
    *several(
        "int64-overflow",
        "integers of 64 bits, as NumPy and torch have them, lose the highest digits of what is "
        "larger, without a word: multiply Python ints",
        lambda c: wrapped(math.prod(c)) - 1,
        lambda c: wrapped(math.prod(c) - 1),
    ),
    *several("float-for-an-integer", FLOAT_ADVICE, float_product),
    *several(
        "product-by-logarithms",
        "a sum of logarithms makes a float, which may lie a hair beside the product, and ends near "
        "2^1024: multiply the whole numbers themselves",
        *(
            by_logarithms(end, log, exp)
            for end in (int, round)
            for log, exp in ((math.log, math.exp), (math.log2, lambda total: 2.0**total))
        ),
    ),
    *several(
        "equal-ones-counted-once",
        "equal cardinalities count once, as in a set: every variable is a factor of its own, also "
        "where another one has as many values",
        lambda c: math.prod(set(c)) - 1,
    ),
    *several(
        "cells-of-the-conditionals",
        "you add the cells of all conditional tables, the last of each row too: it is each ROW of "
        "them that sums to 1, and the joint table has one such sum",
        cells_of_all_rows,
    ),
    *several(
        "never-nothing",
        "where there is nothing to choose you count 1: one joint value has probability 1, so no "
        "number is free",
        lambda c: max(math.prod(c) - 1, 1),
        lambda c: math.prod(c) - 1 if c else 1,
    ),
    *several(
        "one-conditional-only",
        "that is ONE conditional table, a row for each combination of the other variables: the "
        "table of all of them has one cell for each combination of all, and one sum",
        lambda c: math.prod(c[:-1]) * (c[-1] - 1) if c else 0,
        lambda c: math.prod(c[1:]) * (c[0] - 1) if c else 0,
    ),
    *several(
        "product-begins-with-0",
        "your answer is −1, whatever the cardinalities: a product that begins with 0 stays 0",
        lambda c: -1,
    ),
    *several(
        "first-variable-only",
        "that is the count of the first variable alone: every variable is a factor (does `return` "
        "stand inside the loop?)",
        lambda c: (c[0] if c else 1) - 1,
    ),
    *several(
        "empty-product",
        "where there is no variable you count -1: a product of nothing is 1, for no variable makes "
        "one (empty) joint value",
        lambda c: math.prod(c) - 1 if c else -1,
    ),
)
_TABLE_SEEN = (
    Symptom(
        "empty-product",
        "your function raises where there is no variable: a product of nothing is 1, for no "
        "variable makes one (empty) joint value",
        lambda seen: raised(seen) and fail_only(seen, lambda c: not c),
    ),
    Symptom("float-for-an-integer", FLOAT_ADVICE, lambda seen: _nearly(seen)),
)


def _nearly(seen: Seen) -> bool:
    """Whether all that fails is too large for a float, and right but for the last digits."""
    return all(
        "OverflowError" in o.answer.kinds
        if isinstance(o.answer, Raised)
        else isinstance(o.answer, int) and abs(o.answer - o.right) < o.right >> 30
        for o in seen
        if o.fails
    )


def small_tables(draw: Draw) -> list[tuple[list[int]]]:
    """Tables of a few variables, of several cardinalities."""
    drawn = (
        [draw.integer(2, 6) for _ in range(draw.integer(2, 5))] + [draw.integer(3, 5)]
        for _ in range(3)
    )
    return [([2, 2],), ([6, 2],), ([2, 5],), ([3, 4, 2],), *((c,) for c in drawn)]


def large_tables(draw: Draw) -> list[tuple[list[int]]]:
    """Tables that no float and no int64 can count, of no more variables than recursion takes."""
    drawn = [draw.integer(2, 9) for _ in range(draw.integer(400, 800))]
    return [([2] * 784,), (drawn,), ([4] * draw.integer(515, 800),)]


def tables_of_constants(draw: Draw) -> list[tuple[list[int]]]:
    """Nothing, constants, and one variable among constants."""
    several = [1] * draw.integer(2, 5)
    return [([],), ([1],), (several,), ([1, 5, 1],), ([1, draw.integer(2, 9), 1],)]


def table_by_hand(cardinalities: Sequence[int]) -> str:
    """The joint values of a small table, counted."""
    cells = math.prod(cardinalities)
    if cells > 12:
        return ""
    values = [f"0 … {k - 1}" if k > 1 else "0" for k in cardinalities]
    joint = f"{cells} joint value" + "s" * (cells > 1)
    return f"variables with values {'; '.join(values) or '(none)'}: {joint}, and they sum to 1"


@checks("table_parameters", lesson=LESSON, points=2, see="A table of everything")
def numbers_of_a_table(table_parameters: Standin, draw: Draw) -> Iterator[Claim | Cause]:
    """A table needs one number for each joint value, less one."""
    asked = subject(
        table_parameters,
        "table_parameters",
        table_count,
        forms=(table_variable_by_variable,),
        mistakes=_TABLE,
        symptoms=_TABLE_SEEN,
        by_hand=table_by_hand,
        cases=[([2],), ([3],), ([2, 2],), ([2, 3],), ([3, 2],), ([2, 2, 3],)],
    )
    yield from examine(
        asked,
        draw,
        Property(
            "cells",
            "a table has one free number for each joint value, less one",
            small_tables,
            points=1,
            asks="the joint values counted out one by one, less the one that the sum to 1 fixes",
        ),
        Property(
            "large",
            "784 bits, and larger tables, are counted to the last digit",
            large_tables,
            points=0.5,
            asks="an exact Python int: nothing rounds or overflows",
            typical=False,
            needs="cells",
        ),
        Property(
            "constants",
            "what has only one value needs no number",
            tables_of_constants,
            points=0.5,
            asks="constants add nothing; no variable, or constants alone: one joint value of "
            "probability 1, nothing to choose",
            typical=False,
            needs="cells",
        ),
    )


# --- bits_to_exceed -------------------------------------------------------------------------------


def by_a_logarithm(of: Callable[[int], float]) -> Callable[[int], Any]:
    """A count by a logarithm, with Python's exception where it has none."""

    def count(limit: int) -> Any:
        try:
            return int(of(limit))
        except (ValueError, OverflowError) as error:
            return Raised((type(error).__name__,))

    return count


def halvings(limit: int) -> Any:
    """How often the limit can be halved, as a float, until it is below 1."""
    if limit >= 2**1024:
        return Raised(("OverflowError",))
    n, left = 0, float(limit)
    while left >= 1:
        n, left = n + 1, left / 2
    return n


def by_float_powers(limit: int) -> Any:
    """The first n by powers of 2.0."""
    if limit >= 2**1024:
        return Raised(("OverflowError",))
    return next((n for n in range(1024) if 2.0**n - 1 > float(limit)), Raised(("OverflowError",)))


_FLOAT_LOG = (
    "a float cannot tell 2^200 − 1 from 2^200, so a logarithm lands on the wrong side; stay with "
    "integers"
)
_BITS = (
    Mistake(
        "floor-for-ceiling",
        "you are one bit short: 2^n − 1 with your n does not exceed the limit yet",
        after=lambda n, limit: n - 1,
    ),
    Mistake(
        "one-bit-too-many",
        "one bit fewer would already exceed the limit: you are looking for the FIRST n",
        after=lambda n, limit: n + 1,
    ),
    Mistake(
        "two-bits-at-a-time",
        "you go up by two bits at a time, and may pass over the first n",
        after=lambda n, limit: n + n % 2,
    ),
    *(
        Mistake(
            "table-for-its-bits",
            "that is the size of the table: asked is how many bits it has, the n in 2^n − 1",
            after=size,
        )
        for size in (lambda n, limit: 2**n - 1, lambda n, limit: 2**n)
    ),
    *several(
        "reaches-for-exceeds",
        "where the limit is 2^n − 1 itself you stop one bit early: the −1 is forgotten, or ≥ "
        "stands where > belongs, or a whole logarithm is rounded up, which does not move it",
        lambda limit: limit.bit_length(),
        lambda limit: max(1, limit.bit_length()),
        by_a_logarithm(lambda limit: math.ceil(math.log2(limit + 1))),
        by_a_logarithm(lambda limit: math.floor(math.log2(limit)) + 1),
    ),
    *several(
        "halved-as-a-float",
        "you halve the limit until less than 1 is left, which counts ITS bits and forgets the −1; "
        "and / makes a float, which rounds a large limit: stay with whole numbers",
        halvings,
    ),
    *several(
        "minus-one-on-the-wrong-side",
        "2^n − 1 > limit means 2^n > limit + 1: move the 1 to the other side once",
        lambda limit: (limit + 2).bit_length(),
        lambda limit: max(limit - 1, 0).bit_length(),
    ),
    *several(
        "counts-decimal-digits",
        "you count decimal digits (a logarithm to base 10): every bit doubles the table",
        lambda limit: len(str(limit)),
        lambda limit: len(str(limit)) - 1,
        lambda limit: len(str(limit)) + 1,
    ),
    *several(
        "natural-logarithm",
        "that is the natural logarithm: every bit doubles the table, so the base is 2",
        by_a_logarithm(lambda limit: math.ceil(math.log(limit))),
        by_a_logarithm(lambda limit: math.floor(math.log(limit))),
        by_a_logarithm(lambda limit: math.floor(math.log(limit)) + 2),
    ),
    *several(
        "float-logarithm",
        _FLOAT_LOG,
        by_a_logarithm(lambda limit: math.floor(math.log2(limit + 1)) + 1),
        by_float_powers,
    ),
)
_BITS_SEEN = (
    Symptom(
        "atoms-at-100-bits",
        "100 bits make about 1.3·10^30 numbers: far, far fewer than 10^80; each factor 10 costs "
        "3.3 bits",
        lambda seen: any(o.args == (10**80,) and o.answer == 100 for o in seen),
    ),
    Symptom(
        "float-logarithm",
        "your number of bits is right for small limits, and for huge ones off by one, or none at "
        "all, as with floats: " + _FLOAT_LOG,
        lambda seen: (
            fail_only(seen, lambda limit: limit > 2**53)
            and of_floats(seen)
            and all(
                "OverflowError" in o.answer.kinds
                if isinstance(o.answer, Raised)
                else isinstance(o.answer, int) and abs(o.answer - o.right) == 1
                for o in seen
                if o.fails
            )
        ),
    ),
    Symptom(
        "logarithm-at-a-power",
        "you are one off at some limits next to a power of 2, and right elsewhere, as with a "
        "logarithm, whose last digit is rounded to either side: stay with whole numbers",
        lambda seen: all(
            isinstance(o.answer, int) and abs(o.answer - o.right) == 1 and _next_to_a_power(*o.args)
            for o in seen
            if o.fails
        ),
        weak=True,
    ),
    Symptom(
        "fails-at-the-edge",
        "your function raises for a small limit: small limits are limits too, and for limit 0 one "
        "bit is enough, since 2^1 − 1 > 0",
        lambda seen: raised(seen) and fail_only(seen, lambda limit: limit < 5),
    ),
)


def _next_to_a_power(limit: int) -> bool:
    """Whether a power of 2 lies at most 2 away, of a huge limit: at most a part in 10^18."""
    away = max(2, limit >> 60)
    return (limit + away).bit_length() > max(limit - away - 1, 0).bit_length()


def limits_between(draw: Draw) -> list[tuple[int]]:
    """Limits well inside 2^k … 2^(k+1), away from both ends."""
    powers = (5, draw.integer(8, 20), draw.integer(25, 40))
    drawn = [2**k + draw.integer(2 ** (k - 2), 2 ** (k - 1)) for k in powers]
    return [(1000,), (5,), *((limit,) for limit in drawn)]


def limits_at_the_edge(draw: Draw) -> list[tuple[int]]:
    """The smallest limits, those about a power of 2, and all that are one less than a power."""
    k = draw.integer(3, 12)
    reached = [2**bits - 1 for bits in range(3, 32)]
    return [(limit,) for limit in (0, 1, 2, 3, 2**k - 2, 2**k, *reached)]


def huge_limits(draw: Draw) -> list[tuple[int]]:
    """Limits that no float can hold exactly."""
    many = draw.integer(200, 900)
    return [(10**80,), (2**many - 2,), (2**many + draw.integer(0, 9),), (10**400,)]


def bits_by_hand(limit: int) -> str:
    """The tables of 0, 1, 2, … bits, up to the first that is larger than a small limit."""
    if limit > 40:
        return ""
    tables = ", ".join(f"n = {n}: {2**n - 1}" for n in range(first_bits(limit) + 1))
    return f"free numbers of a table of n bits, to the first above {limit}: {tables}"


@checks(
    "bits_to_exceed", lesson=LESSON, points=2, see="When is a table too large?", seconds=SECONDS
)
def bits_that_pass_a_limit(bits_to_exceed: Standin, draw: Draw) -> Iterator[Claim | Cause]:
    """The first number of bits whose table is larger than a limit."""
    asked = subject(
        bits_to_exceed,
        "bits_to_exceed",
        first_bits,
        forms=(first_bits_one_by_one,),
        mistakes=_BITS,
        symptoms=_BITS_SEEN,
        by_hand=bits_by_hand,
        cases=[(limit,) for limit in range(8)],
    )
    yield from examine(
        asked,
        draw,
        Property(
            "first",
            "n bits exceed the limit, and n − 1 bits do not",
            limits_between,
            points=1,
            asks="the smallest n with 2^n − 1 > limit",
        ),
        Property(
            "edge",
            "a table that just reaches the limit does not exceed it",
            limits_at_the_edge,
            points=0.5,
            asks="the smallest n with strictly more numbers than the limit, counted as 2^n − 1",
            typical=False,
            needs="first",
        ),
        Property(
            "huge",
            "limits like 10^80 and 10^400 are passed at the right bit",
            huge_limits,
            points=0.5,
            asks="the smallest n, by exact integers all the way: 2^n is one",
            typical=False,
            needs="first",
        ),
    )


# --- bayes_net_parameters -------------------------------------------------------------------------


def random_net(draw: Draw, n: int, most: int = 4) -> Net:
    """A net whose nodes are listed after their parents, with 2 … 5 values each."""
    cardinalities = [draw.integer(2, 5) for _ in range(n)]
    parents = [
        sorted(int(j) for j in draw.permutation(i)[: draw.integer(0, min(i, most))])
        for i in range(n)
    ]
    return cardinalities, parents


def relabeled(net: Net, new: Sequence[int]) -> Net:
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


def small_nets(draw: Draw) -> list[Net]:
    """One without arrows, which every search takes, the net of the lesson's picture, and others."""
    nets = [([3, 4], [[], []]), ([4, 2, 3, 2], [[], [0], [0], [1, 2]])]
    return nets + [random_net(draw, n) for n in (3, 4, draw.integer(5, 6), draw.integer(6, 7))]


def chains(draw: Draw) -> list[Net]:
    """Long chains, and one node."""
    n = draw.integer(40, 300)
    ways = [[], *([i - 1] for i in range(1, n))]
    return [([2] * n, ways), ([2], [[]]), ([draw.integer(3, 5)] * n, ways)]


def full_nets(draw: Draw) -> list[Net]:
    """Nets in which every node looks at all before it."""
    drawn = [draw.integer(2, 6) for _ in range(draw.integer(4, 6))]
    wide = [draw.integer(10**3, 10**6) for _ in range(8)]
    return [(c, [list(range(i)) for i in range(len(c))]) for c in ([2] * 5, drawn, wide)]


def nets_in_any_order(draw: Draw) -> list[Net]:
    """Nets whose nodes are not listed after their parents."""
    mixed = []
    for n in (2, 4, draw.integer(5, 7)):
        net = random_net(draw, n)
        # At least one arrow; or three, for a node with more rows than the sum of its parents.
        net[1][-1] = sorted({*net[1][-1], *range(min(n - 1, 3))})
        for new in (list(range(n))[::-1], draw.permutation(n).tolist()):
            mixed.append(relabeled(net, new))
    return mixed


def graphs_with_a_cycle(draw: Draw) -> list[Net]:
    """Graphs of 14 … 18 nodes with a cycle of one node, of two, and of more.

    Nodes hang below the cycle, and have parents off the cycle too; others stand apart. The first
    and the last node hang below the cycle of two nodes, and one of them lies on another cycle.
    In a last graph neither of them has to do with the cycle.
    """
    graphs = []
    for length, on_it in ((1, -1), (2, None), (draw.integer(4, 6), 0)):
        n = draw.integer(14, 18)
        names = (1 + draw.permutation(n - 2)).tolist()
        low, high = draw.choice([(0, n - 1), (n - 1, 0)])
        if on_it is not None:
            high = names[0]
            names[0] = on_it % n
            low = n - 1 - names[0]
        ring, rest = names[:length], sorted(names[length:])
        parents: list[list[int]] = [[] for _ in range(n)]
        for at, node in enumerate(rest):
            parents[node] = rest[max(0, at - draw.integer(0, 2)) : at]
        for at, node in enumerate(ring):
            parents[node] = [rest[0], ring[at - 1]] if at else [ring[at - 1]]
        parents[low] = [rest[0], ring[0]]
        parents[high] = [rest[-1], low]
        graphs.append(([2] * n, parents))
    graphs.append(([2] * 5, [[], [2], [3], [1], [0]]))
    return graphs


def graphs_with_a_stranger(draw: Draw) -> list[Net]:
    """Chains in which one node has a parent that does not exist.

    Of the negative ones, read from the end of a list, some lie behind the child, where they would
    make a cycle, and one before it.
    """
    n, graphs = draw.integer(14, 18), []
    for stranger in (n, n + draw.integer(20, 60), -1, -draw.integer(2, 5), draw.integer(0, 4) - n):
        child = draw.integer(7, n - 6)
        parents: list[list[int]] = [[i - 1] if i else [] for i in range(n)]
        parents[child] = [child - 1, stranger]
        graphs.append(([2] * n, parents))
    return graphs


def net_as(name: str, advice: str, *counts: Callable[..., int]) -> tuple[Mistake, ...]:
    """A net counted otherwise, refused where it should be."""
    return tuple(Mistake(name, advice, options={"count": count}) for count in counts)


_NET = (
    *net_as(
        "minus-one-per-row-missing",
        "you count every cell of the tables; each ROW sums to 1, so one number of each row "
        "follows from the others",
        lambda c, p: net_count(c, p, free=lambda k: k),
    ),
    *net_as(
        "minus-one-per-table",
        "you take one number off each table; it is each row that sums to 1",
        lambda c, p: net_count(c, p, free=lambda k: k) - len(c),
    ),
    *net_as(
        "minus-one-for-the-net",
        "you take a single number off the whole net; each row of each table sums to 1",
        lambda c, p: net_count(c, p, free=lambda k: k) - 1,
    ),
    *net_as(
        "multiplies-over-nodes",
        "you multiply the nodes' counts; the probabilities multiply, but their tables lie side by "
        "side, so the numbers add",
        lambda c, p: math.prod(node_counts(c, p)),
    ),
    *net_as(
        "adds-the-parents",
        "you add the parents' cardinalities; a row belongs to each COMBINATION of their values, so "
        "they multiply",
        lambda c, p: net_count(c, p, rows=lambda ks: sum(ks) if ks else 1),
        lambda c, p: net_count(c, p, rows=sum),
    ),
    *net_as(
        "counts-the-node-itself",
        "the node itself is among your rows; its own values are the columns, and only the parents "
        "make rows",
        lambda c, p: net_count(c, p, free=lambda k: k * (k - 1)),
    ),
    *net_as(
        "counts-the-parent",
        "you count a parent's own numbers again in each child; they stand in the parent's table "
        "already",
        lambda c, p: net_count(c, p) + sum(c[j] - 1 for row in p for j in row),
        lambda c, p: net_count(c, p) + sum(len(row) for row in p),
    ),
    *net_as(
        "minus-one-on-parents",
        "you take one off the parents' cardinalities; every value of a parent has its own row",
        lambda c, p: net_count(c, p, rows=lambda ks: math.prod(k - 1 for k in ks)),
    ),
    *net_as(
        "children-for-parents",
        "you read the arrows backward: parents[i] lists the parents OF node i",
        lambda c, p: net_count(c, children_of(p)),
    ),
    *net_as(
        "ignores-the-parents",
        "you count one row for each node: a node has a row for each combination of its parents' "
        "values",
        lambda c, p: sum(k - 1 for k in c),
    ),
    *net_as(
        "counts-rows-alone",
        "you count one number for each row: a row of k probabilities has more that are free, if k "
        "is more than 2",
        lambda c, p: net_count(c, p, free=lambda k: 1),
    ),
    *net_as(
        "assumes-binary",
        "you count as if every variable had two values: use each one's own cardinality",
        lambda c, p: sum(2 ** len(row) for row in p),
    ),
    *net_as(
        "assumes-binary-parents",
        "you count two rows for each parent's value, as if parents were bits: a parent of k values "
        "makes k rows of each row",
        lambda c, p: net_count(c, p, rows=lambda ks: 2 ** len(ks)),
    ),
    *net_as(
        "one-parent-only",
        "your rows are those of a single parent: all of them multiply (`rows *= k`, and not "
        "`rows = k`)",
        lambda c, p: net_count(c, p, rows=lambda ks: ks[-1] if ks else 1),
        lambda c, p: net_count(c, p, rows=lambda ks: ks[0] if ks else 1),
    ),
    *net_as(
        "rows-not-begun-anew",
        "the product of the rows goes on from node to node: it begins with 1 at each of them",
        rows_that_go_on,
    ),
    *net_as(
        "roots-forgotten",
        "a node without parents has a table too, of one row",
        lambda c, p: sum(m for m, row in zip(node_counts(c, p), p, strict=True) if row),
    ),
    *net_as(
        "last-node-only",
        "that is the count of the last node alone: the nodes' counts add (does = stand where += "
        "belongs?)",
        lambda c, p: [0, *node_counts(c, p)][-1],
    ),
    *net_as(
        "ignores-the-graph",
        "that is the full table again: the missing arrows are what saves numbers",
        lambda c, p: table_count(c),
    ),
    *net_as(
        "int64-overflow",
        "integers of 64 bits, as NumPy and torch have them, lose the highest digits of what is "
        "larger: multiply Python ints",
        lambda c, p: net_count(c, p, rows=lambda ks: wrapped(math.prod(ks))),
        lambda c, p: wrapped(net_count(c, p)),
    ),
    Mistake(
        "cycles-unnoticed",
        "you count a graph with a cycle as if it were a net; its tables do not multiply to a "
        "distribution",
        options={"longest": 0},
    ),
    Mistake(
        "only-self-loops",
        "you notice a node that is its own parent, but not A → B → A",
        options={"longest": 1},
    ),
    Mistake(
        "only-short-cycles",
        "you notice short cycles only: a cycle may run through any number of nodes",
        options={"longest": 2},
    ),
    Mistake(
        "negative-index",
        "a negative parent slips through: Python reads a list's place −1 as its last one, so check "
        "both ends of the range",
        options={"below": False},
    ),
    Mistake(
        "index-error",
        "Python's IndexError does not tell the reader which node is wrong: check the range first, "
        "and raise ValueError with the node's number",
        options={"below": False, "above": False},
    ),
    Mistake(
        "index-error",
        "Python's IndexError does not tell the reader which node is wrong: check the upper end of "
        "the range too, and raise ValueError with the node's number",
        options={"above": False},
    ),
)


def _is_cycle(args: Net) -> bool:
    return bool(cycle_of(args[1]))


def _received(seen: Seen, *, cycle: bool) -> list[str]:
    """How graphs that are no nets were received: those with a cycle, or those with a stranger."""
    wrong = [o for o in seen if isinstance(o.right, Refused)]
    return [refusal(o.answer, o.right) for o in wrong if _is_cycle(o.args) == cycle]


def _refuses_only(seen: Seen, such: Callable[[Parents], bool]) -> bool:
    """Whether nets are refused though nothing is wrong, all of them such nets."""
    refused = [
        o.args[1]
        for o in seen
        if not isinstance(o.right, Refused)
        and isinstance(o.answer, Raised)
        and "ValueError" in o.answer.kinds
    ]
    return bool(refused) and all(map(such, refused))


def _later_parent(parents: Parents) -> bool:
    """Whether a parent has a larger number than its child."""
    return any(j > i for i, row in enumerate(parents) for j in row)


def _names_the_next(seen: Seen) -> bool:
    """Whether every message about a stranger names the node after the one that has it."""
    told = [
        (min(o.right.nodes), set(map(int, re.findall(r"\d+", o.answer.sentence))))
        for o in seen
        if isinstance(o.right, Refused) and not _is_cycle(o.args) and isinstance(o.answer, Raised)
    ]
    return bool(told) and all(node not in told and node + 1 in told for node, told in told)


def _names_below(seen: Seen) -> bool:
    """Nodes are named at cycles, and some of them hang below it."""
    for o in seen:
        if isinstance(o.right, Refused) and _is_cycle(o.args) and isinstance(o.answer, Raised):
            message = o.answer.sentence.partition(":")[2]
            numbers = [int(text) for text in re.findall(r"\d+", message)]
            if "ValueError" in o.answer.kinds and len(numbers) == 1:
                if numbers[0] not in o.right.nodes and numbers[0] < len(o.args[0]):
                    return True
    return False


def _by_index_error(seen: Seen) -> bool:
    return any(
        isinstance(o.right, Refused)
        and isinstance(o.answer, Raised)
        and "IndexError" in o.answer.kinds
        for o in seen
    )


_OTHER = "a graph that is no net is refused, but by another exception: a ValueError is asked"


def _strangers(*how: str) -> Callable[[Seen], bool]:
    """Whether a parent that does not exist is received in one of these ways."""
    return lambda seen: not {*how}.isdisjoint(_received(seen, cycle=False))


def _cycles(*how: str) -> Callable[[Seen], bool]:
    """Whether a cycle is, and every parent that does not exist as it should: that comes first."""
    return lambda seen: (
        not {*how}.isdisjoint(_received(seen, cycle=True))
        and {*_received(seen, cycle=False)} <= {"named"}
    )


_NET_SEEN = (
    Symptom(
        "assumes-parents-come-first",
        "you refuse a net in which a parent's number is larger than its child's: that is no cycle; "
        "only a node that is its own ancestor makes one",
        lambda seen: _refuses_only(seen, _later_parent),
    ),
    Symptom(
        "two-ways-are-no-cycle",
        "you refuse nets in which two ways lead up to the same ancestor: that is no cycle. A node "
        "may be met twice; it lies on a cycle if it is met again on ONE way up from itself",
        lambda seen: _refuses_only(seen, two_ways),
    ),
    Symptom(
        "recursion-without-end",
        "your search gets too deep for Python's recursion: round a cycle it must end, and a long "
        "chain is no cycle",
        lambda seen: any(
            isinstance(o.answer, Raised) and "RecursionError" in o.answer.kinds for o in seen
        ),
    ),
    Symptom(
        "index-error",
        "Python's IndexError does not tell the reader which node is wrong: check the range first, "
        "and raise ValueError with the node's number",
        _by_index_error,
    ),
    Symptom(
        "names-the-next-node",
        "your message names the node after the one that is meant: nodes are numbered from 0",
        _names_the_next,
    ),
    Symptom(
        "names-no-node",
        "your message should name the node whose list of parents is wrong",
        _strangers("unnamed"),
    ),
    Symptom("another-exception", _OTHER, _strangers("other")),
    Symptom(
        "names-a-node-off-the-cycle",
        "the node that your message names does not lie on the cycle: a node below a cycle has it "
        "among its ancestors, but is not its own ancestor",
        lambda seen: _cycles("unnamed")(seen) and _names_below(seen),
    ),
    Symptom(
        "names-no-node",
        "your message should name a node on the cycle (its number, as in parents), and not merely "
        "list them all",
        _cycles("unnamed"),
    ),
    Symptom("another-exception", _OTHER, _cycles("other")),
    Symptom(
        "range-unchecked",
        "you count a net with a parent that does not exist",
        _strangers("counted"),
        weak=True,
    ),
    Symptom(
        "cycles-unnoticed",
        "you count a graph with a cycle as if it were a net; its tables do not multiply to a "
        "distribution",
        _cycles("counted"),
        weak=True,
    ),
)
_SIMPLE_NETS = [
    ([2], [[]]),
    ([3], [[]]),
    ([2, 2], [[], []]),
    ([2, 2], [[], [0]]),
    ([2, 3], [[], [0]]),
    ([3, 2], [[], [0]]),
    ([2, 3], [[1], []]),
    ([2, 2, 2], [[], [0], [0, 1]]),
    ([2, 2, 2], [[], [], [0, 1]]),
    ([3, 2, 2], [[], [], [0, 1]]),
    ([2], [[0]]),
    ([2, 2], [[1], [0]]),
    ([2, 2, 2], [[2], [0], [1]]),
    ([2, 2, 2, 2], [[1], [2], [1], []]),
    ([2, 2, 2, 2], [[], [2], [1], [2]]),
    ([2, 2, 2], [[], [0, 2], [1]]),
    ([2, 2], [[], [2]]),
    ([2, 2], [[], [-1]]),
]


def simpler_nets(*net: Any) -> Iterator[Net]:
    """Simple nets, or simple graphs that are refused for the same reason as this one."""
    kind = _kind(*net)
    alike = [case for case in _SIMPLE_NETS if _kind(*case) == kind]
    return simpler(alike)(*net)


def _kind(cardinalities: Sequence[int], parents: Parents) -> str:
    """Why a graph is refused: for a "cycle", for a "stranger", or not at all."""
    if not isinstance(rule_of_nets(cardinalities, parents), Refused):
        return "net"
    return "cycle" if _is_cycle((list(cardinalities), list(map(list, parents)))) else "stranger"


def net_by_hand(cardinalities: Sequence[int], parents: Parents) -> str:
    """The rows of each node's table, or why the graph is no net."""
    if len(cardinalities) > 4:
        return ""
    asked = rule_of_nets(cardinalities, parents)
    if isinstance(asked, Refused):
        nodes = " or ".join(map(str, sorted(asked.nodes)))
        what = "a cycle" if _is_cycle((cardinalities, parents)) else "a parent that is no node"
        return f"{what}: a ValueError that names node {nodes}"
    tables = (
        f"node {i}: {rows} row{'s' * (rows > 1)} of {k} probabilities that sum to 1"
        for i, (k, rows) in enumerate(
            zip(cardinalities, node_counts(cardinalities, parents, free=lambda k: 1), strict=True)
        )
    )
    return "; ".join(tables)


@checks(
    "bayes_net_parameters",
    lesson=LESSON,
    points=4,
    see="Fewer parents, fewer numbers",
    seconds=SECONDS,
)
def numbers_of_a_bayes_net(bayes_net_parameters: Standin, draw: Draw) -> Iterator[Claim | Cause]:
    """Each node needs k − 1 numbers for each combination of its parents' values."""
    asked = subject(
        bayes_net_parameters,
        "bayes_net_parameters",
        rule_of_nets,
        forms=(net_node_by_node,),
        mistakes=_NET,
        symptoms=_NET_SEEN,
        by_hand=net_by_hand,
        smaller=simpler_nets,
    )
    yield from examine(
        asked,
        draw,
        Property(
            "rows",
            "each node has k − 1 free numbers for each combination of its parents' values",
            small_nets,
            points=1,
            asks="the sum over the nodes of (k − 1) times the product of the parents' values",
        ),
        Property(
            "chain",
            "a chain of n bits needs 2n − 1 numbers",
            chains,
            points=0.5,
            asks="for bits 1 for the first, and 2 for each after it: linear in n",
            typical=False,
            needs="rows",
        ),
        Property(
            "full",
            "with all earlier variables as parents, the net needs as much as the full table",
            full_nets,
            points=0.5,
            asks="the chain rule alone saves nothing: it is an identity",
            typical=False,
            needs="rows",
        ),
        Property(
            "order",
            "the nodes may be listed in any order",
            nets_in_any_order,
            points=0.5,
            asks="a parent with a larger number is no cycle: only the arrows matter",
            typical=False,
            needs="rows",
        ),
        Property(
            "range",
            "a parent that does not exist is refused by a ValueError that names the node",
            graphs_with_a_stranger,
            points=0.5,
            asks="a ValueError with the number of the node that has a parent outside 0 … n − 1",
            typical=False,
        ),
        Property(
            "cycle",
            "a cycle is refused by a ValueError that names a node on it",
            graphs_with_a_cycle,
            points=1,
            asks="no node may be its own ancestor, by one arrow or by many",
            typical=False,
        ),
    )


# --- fvsbn_parameters -----------------------------------------------------------------------------

_FVSBN = (
    *several(
        "forgets-the-biases",
        "you count the weights alone: every one of the n regressions has a bias as well, and for "
        "x_1 it is all there is",
        lambda n: n * (n - 1) // 2,
    ),
    *several(
        "one-bias-for-all",
        "that is n(n − 1)/2 + 1: a bias for x_1, and then one number too few for every variable. "
        "x_i has i − 1 weights AND a bias of its own: one bias does not serve all",
        lambda n: n * (n - 1) // 2 + 1,
    ),
    *several(
        "first-conditional-left-out",
        "you are one number short: the first conditional has no weights, but it has a bias",
        lambda n: triangle(n) - 1,
    ),
    *several(
        "counts-the-dense-size",
        "you count a full square; x_i may only look at x_1 … x_(i−1), so of the weights a triangle "
        "is left",
        lambda n: n * n,
        lambda n: n * n + n,
    ),
    *several(
        "half-a-square",
        "half a square counts the biases only half: on the diagonal of the triangle each of the n "
        "regressions has a whole one",
        lambda n: n * n // 2,
    ),
    *several(
        "halved-too-early",
        "you halve a factor before you multiply: where it is odd, // throws a half away. Multiply "
        "first, and halve the product",
        lambda n: n // 2 * (n + 1),
        lambda n: (n + 1) // 2 * n,
    ),
    *several(
        "counts-variables-alone",
        "that is n, or half of it: the i-th conditional has i − 1 weights and a bias, and all of "
        "them add up",
        lambda n: n // 2,
        lambda n: n,
    ),
    *several(
        "sees-itself",
        "you give x_i a weight for itself: it has i − 1 weights and a bias",
        lambda n: triangle(n) + n,
    ),
    *several(
        "counts-a-chain",
        "that is a chain, where x_i looks at one variable; here it looks at all before it",
        lambda n: 2 * n - 1,
    ),
    *several(
        "counts-the-table",
        "that is the full table: a logistic regression has one weight for each variable before it, "
        "not one number for each combination of their values",
        lambda n: 2**n - 1,
    ),
)


def numbers_of_variables(draw: Draw) -> list[tuple[int]]:
    """Small and large n."""
    return [(n,) for n in (1, 2, 3, 4, 784, draw.integer(5, 40), draw.integer(100, 3000))]


def growing_numbers(draw: Draw) -> list[tuple[int]]:
    """A large n, the next one, and twice as many."""
    n = draw.integer(10, 4000)
    return [(n,), (n + 1,), (2 * n,)]


def fvsbn_by_hand(n: int) -> str:
    """The conditionals of a small FVSBN."""
    if n > 4:
        return ""
    return "; ".join(f"x_{i}: {i - 1} weights, 1 bias" for i in range(1, n + 1))


@checks("fvsbn_parameters", lesson=LESSON, points=1, see="A formula in place of a table")
def numbers_of_an_fvsbn(fvsbn_parameters: Standin, draw: Draw) -> Iterator[Claim | Cause]:
    """A row of logistic regressions needs i numbers for its i-th conditional."""
    asked = subject(
        fvsbn_parameters,
        "fvsbn_parameters",
        triangle,
        forms=(triangle_row_by_row,),
        mistakes=_FVSBN,
        by_hand=fvsbn_by_hand,
        cases=[(n,) for n in (1, 2, 3, 4)],
    )
    yield from examine(
        asked,
        draw,
        Property(
            "conditionals",
            "the i-th conditional has i − 1 weights and a bias",
            numbers_of_variables,
            points=0.5,
            asks="1 + 2 + … + n, as an integer",
        ),
        Property(
            "growth",
            "one more variable brings a bias and a weight for each variable before it",
            growing_numbers,
            points=0.5,
            asks="1 + 2 + … + n: n more than for n − 1, so the count grows with n squared",
            typical=False,
            needs="conditionals",
        ),
    )
