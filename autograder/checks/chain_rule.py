"""Checks of lesson 02, the chain rule: factors of a table, their product, scores, samples, queries.

Notation: n variables with k values each, x_{<i} the prefix of x_i, factor i the table
p(x_i | x_{<i}) with one axis for each of x_1 … x_i. All logs are natural (nats).
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
from scipy.stats import chi2

from autograder import claim, expect_array, when
from autograder.checking import checks
from autograder.checks.arguments import untouched
from autograder.checks.numbers import SMALL, exactly
from autograder.checks.samples import claim_of_independence, claim_of_the_generator, place_of
from autograder.checks.witness import waits_unless
from autograder.claims import Cause, Claim
from autograder.diagnosis import Mistake, Property, Subject, Symptom, examine, shrinking
from autograder.diagnosis.examine import shown
from autograder.diagnosis.mistakes import alike
from autograder.draw import Draw
from autograder.remote.proxy import CallTookTooLong, Standin, StudentFailed, WrongKind, describe

LESSON = "02_chain_rule"

EXACT = 1e-12  # what "equal" means for a product of a few float64 factors
# Nominal false-alarm rates of one χ² test: see `fits` for what they are worth.
TOO_FAR, TOO_EVEN = 1e-10, 1e-7


# --- what the mathematics says --------------------------------------------------------------------


def first_axes(p: np.ndarray, i: int) -> np.ndarray:
    """p(x_1 … x_i) of the variables up to axis `i`: the later axes summed out."""
    return p.sum(axis=tuple(range(i + 1, p.ndim)))


def rows_normalized(
    table: np.ndarray,
    *,
    axis: Any = -1,
    keepdims: bool = True,
    floor: float = 0.0,
    added: float = 0.0,
    rare: float = 0.0,
    never: float | None = None,
) -> np.ndarray:
    """The table divided by its sums along the last axis; a row without mass becomes uniform.

    Wrong things: another `axis`, or `keepdims` off; `floor` added to the sums, `added` to
    all cells; no more mass than `rare` counts as none; `never` stands in such a row.
    """
    table = table + added
    mass = table.sum(axis=axis, keepdims=keepdims) + floor
    rows = np.full(table.shape, 1 / table.shape[-1])
    if never is not None:
        rows[:] = never
    return np.divide(table, mass, out=rows, where=mass > rare)


def factors(p: np.ndarray, *, kept: Any = None, divide: bool = True, **wrong: Any) -> list:
    """The factors p(x_i | x_{<i}) of a joint. Each option turns one thing of it wrong.

    `kept(p, i)` is the table of which factor i is made, in the place of p(x_1 … x_i).
    """
    tables = []
    for i in range(p.ndim):
        upto = first_axes(p, i)
        if kept is not None:
            upto = kept(p, i)
        tables.append(rows_normalized(upto, **wrong) if divide else upto)
    return tables


def factors_in_one(p: np.ndarray) -> list[np.ndarray]:
    """The factors once more, in one loop."""
    n, tables = p.ndim, []
    for i in range(n):
        upto = p.sum(axis=tuple(range(i + 1, n)))
        prefix = upto.sum(axis=-1, keepdims=True)
        row = np.full(upto.shape, 1 / p.shape[i])
        tables.append(np.divide(upto, prefix, out=row, where=prefix > 0))
    return tables


def product_of(tables: Sequence[np.ndarray]) -> np.ndarray:
    """The joint whose factors are `tables`."""
    product = np.ones(())
    for table in tables:
        product = product[..., None] * table
    return product


def marginal(p: np.ndarray, i: int) -> np.ndarray:
    """p(x_i), shape (k,)."""
    return p.sum(axis=tuple(a for a in range(p.ndim) if a != i))


def outer(rows: Sequence[np.ndarray]) -> np.ndarray:
    """The joint of independent variables with these marginals."""
    return product_of([row.reshape((1,) * i + row.shape) for i, row in enumerate(rows)])


def along_last_axis(row: np.ndarray, i: int) -> np.ndarray:
    """A (k,) row as a table of shape (k,)*(i+1) whose every prefix has that row."""
    return np.broadcast_to(row, (len(row),) * i + row.shape)


def markov_tables(p: np.ndarray, **wrong: Any) -> list[np.ndarray]:
    """p(x_i | x_{i−1}) in the shape of the factors: what is left of them without the older past."""
    tables = [marginal(p, 0)]
    for i in range(1, p.ndim):
        pair = p.sum(axis=tuple(a for a in range(p.ndim) if a not in (i - 1, i)))
        rows = rows_normalized(pair, **wrong)
        tables.append(np.broadcast_to(rows, (p.shape[0],) * (i - 1) + rows.shape))
    return tables


def one_uniform_for_all(tables: Sequence[np.ndarray]) -> np.ndarray:
    """The joint of a sampler that inverts every factor with the same uniform number.

    x comes out where the uniform lies in all its intervals at once: their intersection is its
    probability.
    """
    shape = tables[-1].shape
    low, high = np.zeros(shape), np.ones(shape)
    for i, table in enumerate(tables):
        top = table.cumsum(axis=-1)
        spread = (...,) + (None,) * (len(shape) - i - 1)
        low = np.maximum(low, (top - table)[spread])
        high = np.minimum(high, top[spread])
    return np.maximum(high - low, 0.0)


def prefix_backwards(tables: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Factors looked up with their prefix in the wrong direction."""
    return [t.transpose((*range(t.ndim - 1)[::-1], t.ndim - 1)) for t in tables]


def words(k: int, n: int) -> np.ndarray:
    """All k^n words, int64 (k^n, n), in the order of a raveled table."""
    return np.indices((k,) * n).reshape(n, -1).T.astype(np.int64)


def log_of(p: np.ndarray) -> np.ndarray:
    """Natural log with log 0 = −inf and no warning."""
    with np.errstate(divide="ignore"):
        return np.log(p)


# --- what is drawn --------------------------------------------------------------------------------


def draw_joint(draw: Draw, k: int, n: int, evenness: float = 1.0) -> np.ndarray:
    """A joint of shape (k,)*n with all entries above 0."""
    p = draw.rng.dirichlet(np.full(k**n, evenness)) + 1e-3 / k**n
    return (p / p.sum()).reshape((k,) * n)


def draw_tables(draw: Draw, k: int, n: int) -> list[np.ndarray]:
    """Factors drawn row by row, all entries above 0."""
    return [
        rows_normalized(
            draw.rng.dirichlet(np.ones(k), size=(k,) * i).reshape((k,) * (i + 1)) + 0.02
        )
        for i in range(n)
    ]


def draw_order(draw: Draw, n: int) -> list[int]:
    """An order that is neither its own inverse nor its own mirror, so that mixing them up shows."""
    while True:
        order = draw.permutation(n)
        if (order[order] != np.arange(n)).any() and (np.argsort(order) != order[::-1]).any():
            return order.tolist()


# --- what came back -------------------------------------------------------------------------------


def take_tables(answer: Any, what: str) -> list[np.ndarray]:
    """The student's list of tables as float64 arrays, or WrongKind."""
    if not isinstance(answer, list | tuple):
        raise WrongKind(f"{what} should be a list of n arrays: got {describe(answer)}")
    return [
        expect_array(table, None, "number", f"factor {i} of {what}").astype(np.float64)
        for i, table in enumerate(answer, 1)
    ]


def to_rounding(a: Any, b: Any) -> bool:
    """Equal to `EXACT`."""
    return alike(a, b, EXACT)


def shapes(tables: Sequence[np.ndarray]) -> list[tuple[int, ...]]:
    return [table.shape for table in tables]


def same_shapes(tables: Sequence[np.ndarray], others: Sequence[np.ndarray]) -> bool:
    """Whether two lists of tables agree in their shapes."""
    return shapes(tables) == shapes(others)


def hold_rows(tables: Sequence[np.ndarray]) -> bool:
    """Whether every row is a distribution, and not every one the uniform one.

    Rows of equal entries sum to 1 whatever the joint is: they say nothing of it.
    """
    distributions = all(
        np.isfinite(t).all() and (t >= 0).all() and np.abs(t.sum(axis=-1) - 1).max() < 1e-9
        for t in tables
    )
    return distributions and any(np.ptp(t, axis=-1).max() > 1e-6 for t in tables)


def same_rows(tables: Sequence[np.ndarray], others: Sequence[np.ndarray]) -> bool:
    """Equal, or tables of the same shapes that both hold distributions."""
    if exactly(tables, others):
        return True
    return same_shapes(tables, others) and hold_rows(tables) and hold_rows(others)


def same_product(tables: Sequence[np.ndarray], others: Sequence[np.ndarray]) -> bool:
    """Equal, or tables of the same shapes with the same product."""
    if exactly(tables, others):
        return True
    return same_shapes(tables, others) and to_rounding(product_of(tables), product_of(others))


def told_tables(tables: Sequence[np.ndarray]) -> str:
    """Shapes, the sums of rows, the first numbers."""
    if not tables:
        return "no table"
    shaped = ", ".join(str(table.shape) for table in tables)
    sums = np.concatenate([np.atleast_1d(table.sum(axis=-1)).ravel() for table in tables])
    low, high = sums.min(), sums.max()
    first = "; ".join(shown(table, 9) for table in tables[:2])
    return f"tables of shape {shaped} with rows that sum to {low:.6g} … {high:.6g}: {first}"


def statistic(counts: np.ndarray, p: np.ndarray) -> float:
    """Pearson's χ²; inf if something came that has probability 0."""
    if counts[p <= 0].any():
        return np.inf
    expected = counts.sum() * p[p > 0]
    return float(((counts[p > 0] - expected) ** 2 / expected).sum())


def limits(freedom: int) -> tuple[float, float]:
    """Between which χ² of independent draws lies, nearly always; see `fits`."""
    return chi2.ppf(TOO_EVEN, freedom), chi2.isf(TOO_FAR, freedom)


def fits(counts: np.ndarray, p: np.ndarray) -> bool:
    """Whether counts of independent draws fit p by a two-sided χ² test.

    With expected counts of 100 and more the upper tail of the statistic is at worst about 20 times
    that of the χ² distribution at this level (a Poisson count of mean 100 exceeds 6.5 standard
    deviations with probability 2e-9), and the lower tail, 1e-7, is hardly changed: a right sampler
    fails less than once in a million verdicts.
    """
    seen, freedom = statistic(counts, p), int((p > 0).sum()) - 1
    if freedom == 0:
        return seen == 0
    low, high = limits(freedom)
    return low <= seen <= high


# --- conditionals ---------------------------------------------------------------------------------


def _where_last(p: np.ndarray, i: int) -> np.ndarray:
    return p.sum(axis=tuple(range(p.ndim - 1 - i)))


def _only_own(p: np.ndarray, i: int) -> np.ndarray:
    return along_last_axis(marginal(p, i), i)


_JOINT_FOR_CONDITIONAL = Mistake(
    "joint-for-conditional",
    "your table i is p(x_1 … x_i), which is not yet divided by p(x_<i): in the product every "
    "prefix then counts many times",
    options={"divide": False},
)
_AXES = tuple(
    Mistake(
        "axis-order",
        "your table i is about the LAST variables: x_1 is axis 0, so p(x_1 … x_i) keeps the first "
        "axes and sums the later ones out",
        **how,
    )
    for how in (
        {"options": {"kept": lambda p, i: p.sum(axis=tuple(range(i)))}},
        {"options": {"kept": _where_last}},
        {"gives": lambda p, **wrong: factors(p.transpose(), **wrong)},
    )
)
_MARGINALS = tuple(
    Mistake(
        "marginals-for-conditionals",
        "your rows are the same for every prefix: those are the marginals p(x_i), as if the "
        "variables were independent; a factor p(x_i | x_<i) has a row of its own for every prefix",
        options={"kept": kept},
    )
    for kept in (marginal, _only_own)
)
_WRONG_AXIS = (
    Mistake(
        "wrong-axis",
        "your tables are divided by their sums along the FIRST axis: x_i is the last axis of its "
        "table, and a row p(· | prefix) lies along it",
        options={"axis": 0},
    ),
    Mistake(
        "sums-lined-up-wrong",
        "each entry is divided by the sum of another row: the sums lack the axis of x_i, and NumPy "
        "lines them up with the LAST axes; keep that axis, of length 1",
        options={"keepdims": False},
    ),
    Mistake(
        "wrong-axis",
        "you divide by the sum over the prefixes, which is p(x_i): a row p(· | prefix) lies along "
        "the axis of x_i, and its own sum divides it",
        gives=lambda p, **wrong: [
            rows_normalized(t, axis=tuple(range(t.ndim - 1)), **wrong)
            for t in factors(p, divide=False)
        ],
    ),
)
_EPSILON = tuple(
    Mistake(
        "epsilon-in-the-denominator",
        "a constant added to the denominator is larger than a very rare prefix itself: that row "
        "no longer sums to 1",
        options={"floor": small},
    )
    for small in SMALL
    if small > 1e-25  # less is seen after an impossible prefix only, in a row of zeros
) + tuple(
    Mistake(name, advice, options={how: small})
    for name, how, advice in (
        (
            "constant-in-every-cell",
            "added",
            "a constant is added to every cell, and drowns what follows a very rare prefix: its "
            "row becomes uniform, though p says what it is",
        ),
        (
            "rare-for-impossible",
            "rare",
            "a rare prefix is taken for an impossible one, and gets a uniform row: only where the "
            "sum is 0 is nothing known",
        ),
    )
    for small in SMALL
    if small > 1e-15
)
_AFTER_NEVER = (
    Mistake(
        "zero-cells-uniform",
        "every cell of probability 0 gets 1/k, and its row sums to more than 1: only a row whose "
        "PREFIX has no mass is uniform",
        after=lambda tables, p: [np.where(t == 0, 1 / t.shape[-1], t) for t in tables],
    ),
    Mistake(
        "nan-after-an-impossible-prefix",
        "0/0 is NaN, and NaN times the prefix's 0 is NaN again: divide only where the prefix has "
        "mass",
        options={"never": np.nan},
    ),
    Mistake(
        "zero-row-after-an-impossible-prefix",
        "a row of zeros is no distribution: put 1/k, which is multiplied by 0 anyhow",
        options={"never": 0.0},
    ),
    *(
        Mistake(
            "another-number-for-1/k",
            "the rows after a prefix of probability 0 are flat, and do not sum to 1: there are k "
            "entries, of 1/k each",
            after=lambda tables, p, of=of: [
                np.where(first_axes(p, i).sum(axis=-1, keepdims=True) == 0, 1 / of(p, t), t)
                for i, t in enumerate(tables)
            ],
        )
        for of in (
            *(lambda p, t, number=number: number for number in (1, 2, 3)),
            lambda p, t: p.ndim,
            lambda p, t: p.size,
            lambda p, t: t.size,
        )
    ),
)


def over_the_factor_before(p: np.ndarray) -> list[np.ndarray]:
    """Each prefix marginal divided by the factor before it, which is no longer a marginal."""
    tables = [first_axes(p, 0)]
    for i in range(1, p.ndim):
        upto, before = first_axes(p, i), tables[-1][..., None]
        row = np.full(upto.shape, 1 / p.shape[i])
        tables.append(np.divide(upto, before, out=row, where=before > 0))
    return tables


_FACTORS = (
    *_AXES,
    *_MARGINALS,
    Mistake(
        "divided-by-the-factor-before",
        "you divide p(x_1 … x_i) by the FACTOR before it: from the third variable on that is no "
        "longer p(x_1 … x_i−1), which is what the definition divides by",
        gives=over_the_factor_before,
    ),
    Mistake(
        "keeps-all-axes",
        "each of your tables has all n axes: p(x_i | everything else) is not a factor of the chain "
        "rule; sum the variables after x_i out",
        options={"kept": lambda p, i: p},
    ),
    *(
        Mistake(
            "one-factor-too-few-or-many",
            "n variables have n factors: the first is p(x_1), with the empty prefix, and the last "
            "is p(x_n | x_<n)",
            after=after,
        )
        for after in (
            lambda tables, *_: tables[:-1],
            lambda tables, *_: tables[1:],
            lambda tables, *_: [np.ones(()), *tables],
        )
    ),
    Mistake(
        "last-factor-first",
        "your list begins with p(x_n | x_<n) and ends with p(x_1): the factors come in the order "
        "of the variables",
        after=lambda tables, *_: tables[::-1],
    ),
    Mistake(
        "own-axis-summed-out",
        "your table i has no axis for x_i itself: only the variables AFTER x_i are summed out",
        after=lambda tables, *_: [np.ones(()), *tables[:-1]],
    ),
    _JOINT_FOR_CONDITIONAL,
    *_WRONG_AXIS,
    *_AFTER_NEVER,
    *_EPSILON,
    Mistake(
        "largest-for-sum",
        "the later variables are left out by their LARGEST entry: sum them out",
        options={"kept": lambda p, i: p.max(axis=tuple(range(i + 1, p.ndim)))},
    ),
    *(
        Mistake(
            "smoothed",
            "a constant is added to every cell, as where rows are learned from few counts: p is "
            "known here, and its factors multiply back to p itself only if nothing is added",
            options=how,
        )
        for added in (1e-4, 1e-3, 1e-2, 0.1, 0.5, 1.0)
        for how in (
            {"added": added},
            {"kept": lambda p, i, added=added: first_axes(p + added, i)},
        )
    ),
    Mistake(
        "only-the-last-letter",
        "your rows depend on x_{i−1} only: the chain rule keeps the whole prefix, a chain of "
        "neighbors is an assumption",
        gives=markov_tables,
    ),
    Mistake(
        "softmax-of-probabilities",
        "you take the exponential of probabilities (a softmax): p holds probabilities already, "
        "not logits; divide each row by its sum",
        gives=lambda p: [rows_normalized(np.exp(t)) for t in factors(p, divide=False)],
    ),
    Mistake(
        "uniform-rows",
        "all your rows are uniform, which sums to 1 for free: p decides what they are",
        gives=lambda p: [np.full(t.shape, 1 / t.shape[-1]) for t in factors(p)],
    ),
)


SIZES = ((3, 3), (4, 2), (3, 4), (4, 3))  # n and k


def ordinary_joints(
    draw: Draw, sizes: Sequence[tuple[int, int]] = SIZES
) -> list[tuple[np.ndarray]]:
    """A joint with all entries above 0, and the same with the last variable turned round."""
    n, k = draw.choice(sizes)
    p = draw_joint(draw, k, n)
    return [(p,), (p[..., ::-1].copy(),)]


def joints_with_a_rare_prefix(draw: Draw) -> list[tuple[np.ndarray]]:
    """Two joints with a prefix of probability 1e-15: a prefix like any other."""
    cases = []
    for (p,) in ordinary_joints(draw):
        p[tuple(draw.integer(0, p.shape[0] - 1) for _ in range(2))] *= 1e-14
        cases.append((p / p.sum(),))
    return cases


def joints_with_rare_rows(draw: Draw) -> list[tuple[np.ndarray]]:
    """The same, and one in which a single word never comes: its prefix does."""
    (p,), *_ = ordinary_joints(draw)
    p[tuple(draw.integer(0, p.shape[0] - 1) for _ in range(p.ndim))] = 0.0
    return [*joints_with_a_rare_prefix(draw), (p / p.sum(),)]


def joints_of_any_size(draw: Draw) -> list[tuple[np.ndarray]]:
    """With a rare prefix, without, and of a single variable."""
    (p,), *_ = ordinary_joints(draw)
    return [*joints_with_a_rare_prefix(draw), (p,), (marginal(p, 0),)]


def with_zeros(p: np.ndarray, draw: Draw) -> np.ndarray:
    """The joint with a first value that never comes, and a prefix of two that never does."""
    k = p.shape[0]
    p[draw.integer(0, k - 1)] = 0.0
    p[tuple(draw.integer(0, k - 1) for _ in range(2))] = 0.0
    return p / p.sum()


def joints_with_zeros(draw: Draw) -> list[tuple[np.ndarray]]:
    """Two joints of different k: in one it is neither n nor 2, so that 1/k is no other number."""
    other, _ = ordinary_joints(draw, SIZES[2:3])
    joint, _ = ordinary_joints(draw, (*SIZES[:2], SIZES[3]))
    return [(with_zeros(p, draw),) for (p,) in (other, joint)]


def simple_joints(size: int) -> Iterator[np.ndarray]:
    """Joints of two bits and of three, with fewer than `size` cells."""
    for n in (2, 3):
        if 2**n < size:
            for p in shrinking.tables_of(2**n):
                yield p.reshape((2,) * n)
            p = np.zeros((2,) * n)
            p[0] = next(p for p in shrinking.tables_of(2 ** (n - 1))).reshape((2,) * (n - 1))
            yield p


def show_joint(p: np.ndarray, *_: Any) -> str:
    """A joint in words."""
    return f"the joint {shown(p, 8)}"


def factors_by_hand(p: np.ndarray) -> str:
    """Sums and quotients of two variables."""
    if p.ndim != 2 or p.size > 4:
        return ""
    rows = [
        f"after {v}: {shown(row)} / {row.sum():.3g}" if row.sum() else f"after {v}: uniform"
        for v, row in enumerate(p)
    ]
    return f"p(x_1) = {shown(p.sum(axis=1))}; " + "; ".join(rows)


@checks("conditionals", lesson=LESSON, points=4, see="Exercise 1: from the table to the factors")
def factors_of_a_joint(conditionals: Standin, draw: Draw) -> Iterator[Claim | Cause]:
    """The factors of a joint are its prefix marginals, divided row by row."""
    subject = Subject(
        ask=lambda p: take_tables(untouched(conditionals)(p), "the answer"),
        rule=factors,
        forms=(factors_in_one,),
        mistakes=_FACTORS,
        show=show_joint,
        told=told_tables,
        by_hand=factors_by_hand,
        smaller=lambda p: ((small,) for small in simple_joints(p.size)),
        alike=exactly,
    )
    yield from examine(
        subject,
        draw,
        Property(
            "shapes",
            "factor i is a table over x_1 … x_i",
            ordinary_joints,
            points=0.5,
            asks="n tables, each with one axis more than the one before, from (k,) to (k, …, k)",
            typical=False,
            alike=same_shapes,
        ),
        Property(
            "rows",
            "every row is a distribution, whatever the prefix",
            joints_with_rare_rows,
            points=1,
            asks="every row sums to 1, after a prefix of probability 1e-15 too, and says more than "
            "1/k for everything",
            typical=False,
            needs="shapes",
            alike=same_rows,
        ),
        Property(
            "product",
            "the factors multiply back to the joint",
            joints_of_any_size,
            points=1.5,
            asks="p(x_1)·p(x_2 | x_1)·… in every cell, for n = 1 too",
            needs="rows",
        ),
        Property(
            "never",
            "after a prefix of probability 0 the row is uniform, and nothing is NaN",
            joints_with_zeros,
            points=1,
            asks="1/k for each of the k values after such a prefix; all other rows as before",
            typical=False,
            needs="product",
        ),
    )


# --- joint ----------------------------------------------------------------------------------------


def trailing(tables: Sequence[np.ndarray]) -> np.ndarray:
    """The product as NumPy broadcasts it: shapes lined up at their last axes."""
    product = np.ones(())
    for table in tables:
        product = product * table
    return product


def outer_of(tables: Sequence[np.ndarray]) -> np.ndarray:
    """Every entry of every factor times every other one: all axes of all factors."""
    product = np.ones(())
    for table in tables:
        product = np.multiply.outer(product, table)
    return product


def sum_of(tables: Sequence[np.ndarray], begin: float = 1.0) -> np.ndarray:
    """Factors added in the place of multiplied."""
    total = np.full((), begin)
    for table in tables:
        total = total[..., None] + table
    return total


def rows_averaged(table: np.ndarray) -> np.ndarray:
    """The mean of the rows after all prefixes, in the table's shape."""
    row = table.reshape(-1, table.shape[-1]).mean(axis=0)
    return np.broadcast_to(row, table.shape)


def without_the_first(tables: Sequence[np.ndarray]) -> np.ndarray:
    """The product without p(x_1), divided by its sum."""
    product = product_of([np.ones_like(tables[0]), *tables[1:]])
    return product / product.sum()


def product_in(kind: Any, tables: Sequence[np.ndarray]) -> np.ndarray:
    """The product with every number rounded to a float of a few digits."""
    product = np.ones((), kind)
    for table in tables:
        product = (product[..., None] * table).astype(kind)
    return product.astype(float)


_PRODUCT = (
    Mistake(
        "first-factor-dropped",
        "the first factor is missing, and a division by the sum hides it: p(x_1) is one of the n, "
        "and the product of all of them needs no division",
        gives=without_the_first,
    ),
    Mistake(
        "rows-averaged",
        "each factor comes as ONE row, the mean over all prefixes: factor i has a row for every "
        "prefix, and each cell takes that of its own",
        gives=lambda tables: product_of([rows_averaged(table) for table in tables]),
    ),
    *(
        Mistake(
            "factor-clipped",
            "factors are kept away from 0: an impossible word has probability 0, and no log is "
            "needed here that would mind",
            gives=lambda tables, least=least: product_of([np.maximum(t, least) for t in tables]),
        )
        for least in SMALL
    ),
    Mistake(
        "half-precision",
        "your numbers are rounded to some three digits, as float16 does: keep float64",
        gives=partial(product_in, np.float16),
    ),
    Mistake(
        "trailing-broadcast",
        "NumPy lines shapes up at their LAST axes: (k,) times (k, k) multiplies by p(x_1) along "
        "the axis of x_2, and not along that of x_1",
        gives=trailing,
    ),
    Mistake(
        "factor-axes-backwards",
        "the axes of each factor are read from the last to the first: axis 0 of factor i belongs "
        "to x_1, its last axis to x_i",
        gives=lambda tables: product_of([table.transpose() for table in tables]),
    ),
    Mistake(
        "log-for-probability",
        "these are logs: the joint holds probabilities",
        after=lambda p, *_: log_of(p),
    ),
    Mistake(
        "axis-order",
        "your axes come out in the order x_n … x_1: axis 0 belongs to x_1",
        after=lambda p, *_: p.transpose(),
    ),
    Mistake(
        "last-factor-only",
        "that is the last factor alone, p(x_n | x_<n), each of whose rows sums to 1: the factors "
        "before it are missing, or divided out again",
        gives=lambda tables: tables[-1],
    ),
    Mistake(
        "first-factor-only",
        "that is the first factor alone: all of them are multiplied (does `return` stand inside "
        "the loop?)",
        gives=lambda tables: tables[0],
    ),
    Mistake(
        "first-factor-dropped",
        "the first factor is missing: p(x_1) is one of the n",
        gives=lambda tables: product_of(tables[1:]),
    ),
    Mistake(
        "last-factor-first",
        "you multiply from the last factor to the first: factor i has one axis more than the "
        "product of those before it, so begin with p(x_1)",
        gives=lambda tables: product_of(tables[::-1]),
    ),
    Mistake(
        "outer-product",
        "each factor brings all its axes anew: factor i has the axes of x_1 … x_i, of which the "
        "product so far has all but the last; only that one is new",
        gives=outer_of,
    ),
    *(
        Mistake(
            "sum-for-product",
            "you add the factors: a joint probability is their product",
            gives=partial(sum_of, begin=begin),
        )
        for begin in (1.0, 0.0)
    ),
    *(
        Mistake(
            "sum-for-product",
            "you add the factors, and a division by the total hides it: a joint probability is "
            "their product, which sums to 1 by itself",
            gives=lambda tables, begin=begin: sum_of(tables, begin) / sum_of(tables, begin).sum(),
        )
        for begin in (1.0, 0.0)
    ),
    *(
        Mistake(
            "constant-added",
            "a constant is added to every factor, as before a log: the product of the factors "
            "themselves is asked, where 0 is as good as any number",
            gives=lambda tables, added=added: product_of([t + added for t in tables]),
        )
        for added in (1e-4, 1e-3, *SMALL)
    ),
    Mistake(
        "nan-where-impossible",
        "where a factor is 0 you divide by 0, or take its log: 0 times anything is 0 there",
        after=lambda p, *_: np.where(p == 0, np.nan, p),
    ),
)
_FLOAT32 = Symptom(
    "float32",
    "right to some seven digits only, as if your numbers were float32 somewhere",
    lambda seen: all(alike(o.answer, o.right, 1e-6) for o in seen),
)


def products(draw: Draw) -> list[tuple[list[np.ndarray]]]:
    """Factors with all entries above 0."""
    n, k = draw.choice([(3, 3), (4, 2), (3, 4), (4, 3)])
    return [(draw_tables(draw, k, n),)]


def products_with_zeros(draw: Draw) -> list[tuple[list[np.ndarray]]]:
    """Factors of a joint with impossible words, and the only factor of one variable."""
    (p,), *_ = joints_with_zeros(draw)
    return [(factors(p),), (draw_tables(draw, p.shape[0], 1),)]


def show_tables(tables: Sequence[np.ndarray]) -> str:
    """Factors in words."""
    return f"{len(tables)} factors over {len(tables[0])} letters: " + "; ".join(
        shown(table) for table in tables[:2]
    )


def product_by_hand(tables: Sequence[np.ndarray]) -> str:
    """The cells of two bits."""
    if len(tables) != 2 or len(tables[0]) > 2:
        return ""
    first, second = tables
    cells = np.ndindex(second.shape)
    return ", ".join(f"p{c} = {first[c[0]]:.3g}·{second[c]:.3g}" for c in cells)


@checks("joint", lesson=LESSON, points=2, see="Exercise 2: from the factors back to the table")
def product_of_the_factors(joint: Standin, draw: Draw) -> Iterator[Claim | Cause]:
    """The product of the factors is the joint, cell by cell."""
    subject = Subject(
        ask=lambda tables: expect_array(
            untouched(joint)(tables), None, "number", "the joint"
        ).astype(float),
        rule=product_of,
        mistakes=_PRODUCT,
        symptoms=(_FLOAT32,),
        show=show_tables,
        by_hand=product_by_hand,
        smaller=lambda tables: ((factors(p),) for p in simple_joints(tables[-1].size)),
        alike=to_rounding,
    )
    yield from examine(
        subject,
        draw,
        Property(
            "cells",
            "every cell is the product of its n factors",
            products,
            points=1,
            asks=f"shape (k,)*n, cells equal to {EXACT:g}, sum 1",
        ),
        Property(
            "zeros",
            "a joint with impossible words, and one of a single variable, come back as they were",
            products_with_zeros,
            points=1,
            asks="0 where a factor is 0, and p(x_1) itself when there is no other factor",
            typical=False,
            needs="cells",
        ),
    )


# --- log_likelihood -------------------------------------------------------------------------------


def machine_of_the_lesson() -> list[np.ndarray]:
    """Factors over A, B, C in which B, A, C has the factors 0.4, 0.5, 0.6."""
    second, third = np.full((3, 3), 1 / 3), np.full((3, 3, 3), 1 / 3)
    second[1], third[1, 0] = (0.5, 0.2, 0.3), (0.1, 0.3, 0.6)
    return [np.array([0.3, 0.4, 0.3]), second, third]


def words_factors(tables: Sequence[np.ndarray], x: np.ndarray) -> np.ndarray:
    """p(x_i | x_{<i}) of every word and step, (B, n)."""
    steps = [table[tuple(x[:, : i + 1].T)] for i, table in enumerate(tables)]
    return np.stack(steps, axis=1)


def log_steps(
    tables: Sequence[np.ndarray],
    x: np.ndarray,
    *,
    log: Any = np.log,
    floor: float = 0.0,
    least: float = 0.0,
    look_up: Any = None,
) -> np.ndarray:
    """The log-factors (B, n). Each option turns one thing of them wrong.

    `floor` is added inside the logarithm, `least` is the least factor there; `look_up(tables, x)`
    gives other factors than the words' own.
    """
    found = words_factors(tables, x)
    if look_up is not None:
        found = look_up(tables, x)
    return log(np.maximum(found + floor, least))


def score(tables: Sequence[np.ndarray], x: np.ndarray, **wrong: Any) -> np.ndarray:
    """log p(x) of every word in nats, (B,)."""
    return log_steps(tables, x, **wrong).sum(axis=1)


def score_in_a_loop(tables: Sequence[np.ndarray], x: np.ndarray) -> np.ndarray:
    """The log-likelihoods once more, added up step by step."""
    total = np.zeros(len(x))
    for i, table in enumerate(tables):
        total += np.log(table[tuple(x[:, : i + 1].T)])
    return total


def marginals_at(tables: Sequence[np.ndarray], x: np.ndarray) -> np.ndarray:
    """p(x_i) of every word and step, (B, n)."""
    p = product_of(tables)
    return np.stack([marginal(p, i)[x[:, i]] for i in range(x.shape[1])], axis=1)


def with_a_chosen_one(tables: Sequence[np.ndarray], x: np.ndarray) -> np.ndarray:
    """Each row's logs, times 1 at the word's letter and 0 elsewhere, summed."""
    total = np.zeros(len(x))
    for i, table in enumerate(tables):
        rows = np.broadcast_to(table[tuple(x[:, :i].T)], (len(x), table.shape[-1]))
        total = total + (np.eye(table.shape[-1])[x[:, i]] * np.log(rows)).sum(axis=1)
    return total


_INDEX = (
    "If it is what you looked up that has too many axes: an ARRAY as an index picks along the "
    "first axis alone, a TUPLE of arrays has one index for each axis"
)
_BATCH = "that is one number for the whole batch: keep one number for each word"
_BACKWARDS = "your prefix is looked up backwards: x_1 belongs to axis 0 of every table"
_SCORES = (
    Mistake("sums-over-the-batch", _BATCH, after=lambda v, *_: v.sum()),
    Mistake(
        "squeezed",
        "a batch of one word gives a number without an axis (a squeeze takes every axis of length "
        "1 away): its answer has shape (1,)",
        after=lambda v, *_: np.squeeze(v),
    ),
    Mistake("averages-over-the-batch", _BATCH, after=lambda v, *_: v.mean()),
    Mistake("averages-over-the-batch", _BATCH, after=lambda v, *_: -v.mean()),
    Mistake(
        "sums-over-the-wrong-axis",
        "you have one number a step, summed over the words: sum over the steps",
        gives=lambda tables, x, **wrong: log_steps(tables, x, **wrong).sum(axis=0),
    ),
    Mistake(
        "no-sum",
        "those are the log-factors, one a step: the word's log-likelihood is their sum",
        gives=log_steps,
    ),
    Mistake(
        "mean-over-steps",
        "you divide by the number of steps: the log of a product is the SUM of the logs",
        after=lambda v, tables, x: v / len(tables),
    ),
    Mistake(
        "sign",
        "that is the negative log-likelihood: a log-probability is at most 0",
        after=lambda v, *_: -v,
    ),
    Mistake(
        "bits-for-nats",
        "you took log2: this course counts in nats, np.log",
        options={"log": np.log2},
    ),
    Mistake(
        "no-log",
        "that is the probability itself: its log is asked for",
        after=lambda v, *_: np.exp(v),
    ),
    Mistake(
        "last-factor-only",
        "that is the last step alone: every factor counts, from p(x_1) on",
        gives=lambda tables, x, **wrong: log_steps(tables, x, **wrong)[:, -1],
    ),
    Mistake(
        "first-factor-dropped",
        "the first factor is missing: p(x_1), with the empty prefix, counts like the others",
        gives=lambda tables, x, **wrong: log_steps(tables, x, **wrong)[:, 1:].sum(axis=1),
    ),
    Mistake(
        "log-of-the-sum",
        "that is the log of the SUM of the factors: take the log of each factor first, then add",
        gives=lambda tables, x: np.log(words_factors(tables, x).sum(axis=1)),
    ),
    *(
        Mistake("axis-order", _BACKWARDS, options={"look_up": look_up})
        for look_up in (
            lambda tables, x: words_factors(prefix_backwards(tables), x),
            lambda tables, x: np.stack([t[tuple(x[:, i::-1].T)] for i, t in enumerate(tables)], 1),
        )
    ),
    Mistake(
        "marginals-for-conditionals",
        "those are the marginals' logs: look each factor up at the word's own prefix",
        options={"look_up": marginals_at},
    ),
    Mistake(
        "prefix-never-updated",
        "each factor is looked up after 0, 0, …: the row is that of the word's own prefix",
        options={
            "look_up": lambda tables, x: np.stack(
                [t[(0,) * i][x[:, i]] for i, t in enumerate(tables)], axis=1
            )
        },
    ),
    Mistake(
        "first-word-for-all",
        "every word gets the score of the FIRST one: look up each word's own letters",
        gives=lambda tables, x, **wrong: score(tables, np.repeat(x[:1], len(x), axis=0), **wrong),
    ),
    *(
        Mistake(
            "minus-infinity-replaced",
            "log 0 = −inf is the right score of an impossible word, and something (np.nan_to_num, "
            "a where, an if) puts a finite number in its place",
            options={"log": log},
        )
        for log in (
            lambda p: np.nan_to_num(np.log(p)),
            lambda p: np.log(np.where(p > 0, p, 1.0)),
        )
    ),
    *(
        Mistake(
            "minus-infinity-replaced",
            "log 0 = −inf is the right score of an impossible word, and something (np.nan_to_num, "
            "a where, an if) puts a finite number in its place",
            after=after,
        )
        for after in (
            lambda v, *_: np.where(np.isneginf(v), 0.0, v),
            lambda v, *_: np.nan_to_num(v),
        )
    ),
    Mistake(
        "product-before-log",
        "you multiply first and take the log after: the product has become 0, as that of 2,000 "
        "fair bits does; take logs first, then add",
        gives=lambda tables, x: np.log(words_factors(tables, x).prod(axis=1)),
    ),
    Mistake(
        "zero-times-minus-infinity",
        "somewhere 0 is multiplied by log 0 = −inf, which is NaN: take the log of the word's own "
        "factor only",
        gives=with_a_chosen_one,
    ),
    Mistake(
        "zero-times-minus-infinity",
        "somewhere 0 is multiplied by log 0 = −inf, which is NaN: take the log of the word's own "
        "factor only",
        gives=lambda tables, x: (
            score(tables, x) + (np.nan if any((t == 0).any() for t in tables) else 0.0)
        ),
    ),
    *(
        Mistake(
            "epsilon-inside-the-log",
            "a constant inside the log (or a clip) hides a factor that is smaller, or 0: no factor "
            "needs it, and log 0 = −inf is the right score of an impossible word",
            options={how: small},
        )
        for how in ("floor", "least")
        for small in SMALL
    ),
)


def words_to_score(draw: Draw) -> list[tuple[list[np.ndarray], np.ndarray]]:
    """A batch of words of a random model, and the lesson's B-A-C."""
    n, k = draw.choice([(3, 3), (4, 2), (5, 2), (3, 4)])
    x = draw.rng.integers(0, k, size=(draw.integer(n + 2, n + 6), n))
    return [(draw_tables(draw, k, n), x), (machine_of_the_lesson(), np.array([[1, 0, 2]]))]


def words_too_rare_for_a_float(draw: Draw) -> list[tuple[list[np.ndarray], np.ndarray]]:
    """A word of a dozen factors between 1e-38 and 1e-60."""
    long = draw.integer(11, 13)
    path = draw.rng.integers(0, 2, size=long)
    thin = [np.full((2,) * (i + 1), 0.5) for i in range(long)]
    tiny = 10.0 ** -draw.integer(38, 60)
    for i, table in enumerate(thin):
        table[tuple(path[:i])] = 1.0
        table[tuple(path[: i + 1])] = tiny
    return [(thin, path[None])]


def words_with_zeros(draw: Draw) -> list[tuple[list[np.ndarray], np.ndarray]]:
    """Possible words and impossible ones, of a model whose rows hold zeros.

    Of three letters at least: with two, what the zeros leave would be one beginning for all words.
    """
    n, k = draw.choice([(3, 3), (4, 3), (3, 4)])
    tables = draw_tables(draw, k, n)
    tables[0][-1] = 0.0
    tables[1][0] = np.eye(k)[1]  # after a 0 comes a 1, always
    tables[2][0, 1, 0] = 0.0
    x = words(k, n)[draw.permutation(k**n)[:60]]
    possible = np.array([[0, 1, 1] + [0] * (n - 3), [0, 0, 1] + [0] * (n - 3)])
    return [([rows_normalized(table) for table in tables], np.concatenate([possible, x]))]


def show_words(tables: Sequence[np.ndarray], x: np.ndarray) -> str:
    """Words with the factors of the first one."""
    first = shown(words_factors(tables, x[:1])[0])
    if len(x) == 1:
        return f"a word with the factors {first}"
    return f"{len(x)} words of {len(tables)} letters, the first with the factors {first}"


def score_by_hand(tables: Sequence[np.ndarray], x: np.ndarray) -> str:
    """The sums of one short word, or of two."""
    if len(x) > 2 or len(tables) > 5:
        return ""
    sums = (" + ".join(f"log {p:.3g}" for p in word) for word in words_factors(tables, x))
    values = score(tables, x)
    found = [f"{terms} = {v:.4g} nats" for terms, v in zip(sums, values, strict=True)]
    return "; ".join(found) if len(x) > 1 else f"{found[0]}, the one entry of an array"


def fewer_words(tables: Any, x: np.ndarray) -> Iterator[tuple[list[np.ndarray], np.ndarray]]:
    """The lesson's word, alone and beside another, and each word of a batch alone."""
    if len(x) > 1 or len(tables) > 5:
        yield machine_of_the_lesson(), np.array([[1, 0, 2]])
    if len(x) > 2:
        yield machine_of_the_lesson(), np.array([[1, 0, 2], [0, 1, 2]])
    if len(x) > 1:
        yield from ((tables, word[None]) for word in x)


@checks("log_likelihood", lesson=LESSON, points=3, see="Exercise 3: how likely is this word?")
def score_of_a_word(log_likelihood: Standin, draw: Draw) -> Iterator[Claim | Cause]:
    """The log-likelihood of a word is the sum of its log-factors, in nats."""

    def ask(tables: list[np.ndarray], x: np.ndarray) -> np.ndarray:
        try:
            found = untouched(log_likelihood)(tables, x)
        except StudentFailed as error:
            if "broadcast" not in str(error) and "same shape" not in str(error):
                raise
            told = f"{error}. {_INDEX}"
            raise StudentFailed(told, error.line, error.number, error.kinds) from None
        return expect_array(found, None, "number", "the log-likelihood").astype(np.float64)

    subject = Subject(
        ask=ask,
        rule=score,
        forms=(score_in_a_loop,),
        mistakes=_SCORES,
        show=show_words,
        told=lambda a: shown(a) + ("" if np.ndim(a) else ", a number without an axis"),
        by_hand=score_by_hand,
        smaller=fewer_words,
        alike=exactly,
    )
    yield from examine(
        subject,
        draw,
        Property(
            "sum",
            "each word gets the sum of its log-factors, in nats",
            words_to_score,
            points=1,
            asks="shape (B,), and for B-A-C with the factors 0.4, 0.5, 0.6 the log of 0.12",
        ),
        Property(
            "finite",
            "the sum is right where the probability itself is too small for a float, too",
            words_too_rare_for_a_float,
            points=1,
            asks="the sum of the logs, a finite number: the product would be smaller than the "
            "smallest float64, 5e-324",
            needs="sum",
        ),
        Property(
            "impossible",
            "an impossible word has log-likelihood −inf, a possible one never, and nothing is NaN",
            words_with_zeros,
            points=1,
            asks="−inf where a factor of the word is 0, and only there",
            typical=False,
            needs="sum",
        ),
    )


# --- sample ---------------------------------------------------------------------------------------


def _after_zeros(table: np.ndarray) -> np.ndarray:
    """The rows of the last letter before, as if all those before that one were 0."""
    rows = table[(0,) * (table.ndim - 2)] if table.ndim > 1 else table
    return np.broadcast_to(rows, table.shape)


def wrong_samplers(tables: Sequence[np.ndarray]) -> dict[str, np.ndarray]:
    """The joints that the usual wrong samplers draw from, by the name of the misconception."""
    p, n, k = product_of(tables), len(tables), len(tables[0])
    first_rows = [t.reshape(-1, k)[0] for t in tables]
    last_rows = [t.reshape(-1, k)[-1] for t in tables]
    greedy, path = np.zeros(p.shape), ()
    for table in tables:
        path += (int(table[path].argmax()),)
    greedy[path] = 1.0
    return {
        "samples-from-the-marginals": outer([marginal(p, i) for i in range(n)]),
        "one-uniform-for-all-steps": one_uniform_for_all(tables),
        "samples-from-the-last-axis": outer([marginal(p, n - 1)] * n),
        "prefix-never-updated": outer(first_rows),
        "last-row": outer(last_rows),
        "only-the-last-letter": product_of(markov_tables(p)),
        "last-letter-after-zeros": product_of([_after_zeros(t) for t in tables]),
        "rows-averaged": product_of([rows_averaged(t) for t in tables]),
        "axis-order": p.transpose(),
        "prefix-backwards": product_of(prefix_backwards(tables)),
        "one-letter-further": product_of([np.roll(t, 1, axis=-1) for t in tables]),
        "uniform": np.full(p.shape, 1 / p.size),
        "greedy": greedy,
    }


_POSSIBLE = {"greedy", "one-uniform-for-all-steps"}  # what they draw has no factor 0
_WRONG_SAMPLER = {
    "samples-from-the-marginals": "your samples fit the product of the marginals p(x_i): each "
    "letter has its own frequency and forgets what came before; use the row of its prefix",
    "one-uniform-for-all-steps": "your samples look as if one uniform number served all steps: "
    "draw a fresh one for each step (and each sample), or it ties the letters of a word together",
    "samples-from-the-last-axis": "every letter of yours is distributed as the LAST one: step i "
    "draws from factor i",
    "prefix-never-updated": "your samples look as if every row were that after 0, 0, …: put the "
    "drawn value into the prefix before the next step looks its row up",
    "row-of-the-first-word": "all words of a call are drawn from the rows of its FIRST word: each "
    "word goes on from its own prefix",
    "last-row": "your samples look as if every row were the last one of its table: index with the "
    "prefix just drawn",
    "only-the-last-letter": "each letter of yours hears the one just before it alone: its row is "
    "that of the whole prefix",
    "last-letter-after-zeros": "each letter of yours hears the one just before it, and takes those "
    "further back for 0: its row is that of the whole prefix",
    "rows-averaged": "your letters come from the mean of all rows of a table: look up the row of "
    "the prefix just drawn",
    "axis-order": "your samples are right when read backwards: column 0 is x_1",
    "prefix-backwards": "your samples look as if the prefix were looked up backwards: x_1 belongs "
    "to axis 0 of every table",
    "one-letter-further": "each letter of yours is one further than its row says: the letters "
    "count from 0",
    "uniform": "all words come equally often, whatever the factors' rows say",
    "greedy": "always the most likely letter: a sampler draws each letter with ITS probability",
}


def samples_of(
    sample: Standin, tables: list[np.ndarray], count: int, rng: np.random.Generator
) -> np.ndarray:
    """The student's words, (count, n) in 0 … k − 1, or WrongKind."""
    found = expect_array(sample(tables, count, rng), (count, len(tables)), "int", "the samples")
    k = len(tables[0])
    if found.size and not (0 <= found.min() and found.max() < k):
        raise WrongKind(
            f"a sample of {k} values holds 0 … {k - 1}: got {found.min()} to {found.max()}"
        )
    return found


def draw_apart(draw: Draw, count: int) -> tuple[list[np.ndarray], np.ndarray]:
    """Factors of three bits, and their joint, from which every wrong sampler's is far.

    Eight words with at least 125 expected draws each, so far from what every usual mistake draws
    from that the test tells them apart (a noncentrality of 250 against a limit near 63), and with a
    first letter that is not nearly certain: what pairs of samples share shows in it.
    """
    while True:
        p = 1 / 64 + (1 - 8 / 64) * draw.rng.dirichlet(np.full(8, 0.5)).reshape(2, 2, 2)
        tables = factors(p)
        wrong = wrong_samplers(tables)
        apart = all(count * ((q - p) ** 2 / p).sum() > 250 for q in wrong.values())
        if apart and 0.3 < tables[0][0] < 0.7 and all(
            np.abs(q - r).sum() > 0.16 for q, r in itertools.combinations(wrong.values(), 2)
        ):  # fmt: skip
            return tables, p


def counts_of(x: np.ndarray, p: np.ndarray) -> np.ndarray:
    """How often each word came, in the shape of the joint."""
    return np.bincount(place_of(x, len(p)), minlength=p.size).reshape(p.shape)


def rows_of_the_first_word(
    take: Callable[..., np.ndarray], drawn: Sequence[tuple], draw: Draw
) -> bool:
    """Whether each call's words fit the rows of its first word, which is not always the same."""
    tables, _ = drawn[0]
    more = [(tables, take(tables, 1000, draw.numpy_generator())) for _ in range(4)]
    calls = [*drawn, *more]
    for own, x in calls:
        q = outer([table[tuple(x[0, :i])] for i, table in enumerate(own)])
        if not fits(counts_of(x, q), q):
            return False
    return len({tuple(x[0, :-1]) for _, x in calls}) > 1


def wrong_sampler_that_fits(
    take: Callable[..., np.ndarray], drawn: Sequence[tuple], draw: Draw
) -> str:
    """The one name whose joint fits what was drawn at two draws, "" if none does."""
    if rows_of_the_first_word(take, drawn, draw):
        return "row-of-the-first-word"
    fitting = [
        {name for name, q in wrong_samplers(tables).items() if fits(counts_of(x, q), q)}
        for tables, x in drawn
    ]
    name = next((name for name in _WRONG_SAMPLER if all(name in found for found in fitting)), "")
    if name != "greedy":
        return name
    # One draw for all may happen to be the likeliest word, not again and again; and one word for
    # everything may be, but not of the mirrored joint too.
    tables, x = drawn[0]
    mirrored = [t[(slice(None, None, -1),) * t.ndim] for t in tables]
    again = [take(tables, 2, draw.numpy_generator())[0] for _ in range(20)]
    again.append(1 - take(mirrored, 2, draw.numpy_generator())[0])
    return name if (np.array(again) == x[0]).all() else ""


def claims_of_the_distribution(
    take: Callable[..., np.ndarray], draw: Draw, count: int = 8000
) -> Generator[Claim, None, tuple[bool, Claim]]:
    """Counts that fit the joint, of samples that know nothing of each other.

    Returns whether a mistake was recognized, and the claim about the generator, not yet told.
    """
    tables, p = draw_apart(draw, count)
    x = take(tables, count, draw.numpy_generator())
    counts = counts_of(x, p)
    seen, right = statistic(counts, p), fits(counts, p)
    low, high = limits(7)
    recognized, one_for_all = "", False
    if not right:
        others, _ = draw_apart(draw.again(), count)
        once_more = take(others, count, draw.numpy_generator())
        recognized = wrong_sampler_that_fits(take, [(tables, x), (others, once_more)], draw)
        few = [take(tables, 2, draw.numpy_generator()) for _ in range(20)]
        alike_within = all((y == y[0]).all() for y in (x, once_more, *few))
        one_for_all = alike_within and any((y[0] != x[0]).any() for y in few)
    yield claim(
        "8,000 samples are distributed as the joint",
        right,
        points=0.5,
        saw=f"χ² = {seen:.4g} on 7 degrees of freedom, in {count:,} samples of 3 bits",
        asks=f"χ² between {low:.2g} and {high:.1f}, which a right sampler misses less than once "
        "in a million verdicts",
        advice=[
            *(when(recognized == name, name, text) for name, text in _WRONG_SAMPLER.items()),
            when(
                one_for_all,
                "one-draw-for-the-whole-batch",
                "all samples of a call are the same word, and those of another call another one: "
                "draw once for each sample, not once for the batch",
            ),
            when(
                seen < low,
                "too-even",
                "these counts are too even for independent draws: each sample is drawn for itself",
            ),
            "nothing that is known here draws such words: compare how often each first letter "
            "comes with factor 1, then each second letter after each first one with factor 2",
        ],
    )
    needs = "samples that are distributed as the joint"
    source = claim_of_its_generator(take, draw)
    yield claim_of_independence(
        lambda: x,
        p,
        right,
        source,
        "sample",
        needs=needs,
        few=lambda count: take(tables, count, draw.numpy_generator()),
    )
    return bool(recognized) or one_for_all, source


def draw_forced(draw: Draw) -> list[np.ndarray]:
    """Factors after whose first letter everything is determined; the last letter never is first.

    No place has one letter in all possible words, and every wrong sampler draws impossible ones,
    but for those that cannot.
    """
    n, k = draw.choice([(3, 3), (4, 3), (3, 4)])
    while True:
        first = rows_normalized(np.append(draw.uniform(k - 1) + 1.0, 0.0))
        rows = [np.eye(k)[draw.rng.integers(k, size=(k,) * i)] for i in range(1, n)]
        forced = [first, *rows]
        p, wrong = product_of(forced), wrong_samplers(forced)
        varied = all(marginal(p, i).max() < 1 for i in range(n))
        if varied and all(
            q[p == 0].sum() > 0.1 for name, q in wrong.items() if name not in _POSSIBLE
        ):
            return forced


def letters_that_follow(forced: list[np.ndarray], x: np.ndarray) -> dict[int, bool]:
    """Of each place of words (N, n) at which the rows differ, whether its letters differ, too."""
    ends = [forced[i][tuple(x[:, :i].T)].argmax(axis=-1) for i in range(1, len(forced))]
    return {i: np.ptp(x[:, i]) > 0 for i, end in enumerate(ends, 1) if np.ptp(end) > 0}


def claim_of_the_impossible(take: Callable[..., np.ndarray], draw: Draw, recognized: bool) -> Claim:
    """What has probability 0 never comes; why it does is told unless it is `recognized`."""
    calls = [500] + [1] * 40  # in one call all may be alike
    for _ in range(3):  # of one model a wrong row may happen to be the right one
        forced = draw_forced(draw)
        n, k = len(forced), len(forced[0])
        x = np.concatenate([take(forced, count, draw.numpy_generator()) for count in calls])
        never = int((product_of(forced)[tuple(x.T)] == 0).sum())
        if never:
            break
    first = int((x[:, 0] == k - 1).sum())
    constant = [i for i, follows in letters_that_follow(forced, x).items() if not follows]
    for _ in range(6 if never and constant and not recognized else 0):  # in one model by chance
        other = draw_forced(draw)
        follow = letters_that_follow(other, take(other, 100, draw.numpy_generator()))
        if follow and all(follow.values()):
            constant = []
    return claim(
        "what has probability 0 never comes, and what has probability 1 always does",
        never == 0,
        saw=f"{never} of {len(x)} words that have probability 0 (n = {n}, k = {k})",
        asks="none: after the first letter, every row here puts all its mass on one letter",
        waits=waits_unless(never or np.ptp(x, axis=0).any(), "samples that differ"),
        advice=[
            when(
                first and not recognized,
                "impossible-first-letter",
                f"the first letter {k - 1} has probability 0 and came {first} times: a letter "
                "whose part of the unit interval is empty is never drawn, and the letters count "
                "from 0",
            ),
            when(
                never and constant and not recognized,
                "prefix-ignored",
                f"letter {constant[0] + 1 if constant else 0} is the same whatever came before "
                "it, though its rows differ: the row must be that of the prefix just drawn",
            ),
            f"the first letter {k - 1} has probability 0, and came"
            if first
            else "the first letter is a possible one, and a later one has probability 0 in the "
            "row of the letters that came before it",
        ],
    )


def claim_of_its_generator(take: Callable[..., np.ndarray], draw: Draw) -> Claim:
    """All randomness comes from rng."""
    tables = factors(draw_joint(draw, 3, 3, 5.0))
    turned = [t[..., ::-1] for t in tables]  # other tables, the same random numbers
    seed = draw.apart()

    def several(tables: list[np.ndarray], rng: np.random.Generator) -> np.ndarray:
        """Of several calls, since one call might draw one word for all."""
        return np.concatenate([take(tables, 10, rng) for _ in range(20)])

    one, other = (several(t, np.random.default_rng(seed)) for t in (tables, turned))
    heard = waits_unless((one != other).any(), "samples that change with the tables")
    ask = partial(several, tables)
    return claim_of_the_generator(ask, draw, waits=heard, begin=np.random.default_rng)


@checks("sample", lesson=LESSON, points=3, see="Exercise 4: draw a word")
def ancestral_samples(sample: Standin, draw: Draw) -> Iterator[Claim]:
    """Samples drawn letter by letter are distributed as the joint."""

    def take(tables: list[np.ndarray], count: int, rng: np.random.Generator) -> np.ndarray:
        return samples_of(sample, tables, count, rng)

    recognized, source = yield from claims_of_the_distribution(take, draw)
    yield claim_of_the_impossible(take, draw, recognized)
    yield source


# --- reorder --------------------------------------------------------------------------------------


def factors_in_order(p: np.ndarray, order: Sequence[int], **wrong: Any) -> list[np.ndarray]:
    """The factors of the joint whose axes are put into the order."""
    return factors(np.transpose(p, order), **wrong)


def swapped_in_turn(p: np.ndarray, order: Sequence[int]) -> np.ndarray:
    """The joint after one exchange of two axes for each step, each of which moves the others."""
    for i, v in enumerate(order):
        p = p.swapaxes(i, v)
    return p


def moved_in_turn(p: np.ndarray, order: Sequence[int]) -> np.ndarray:
    """The same by moving one axis after the other."""
    for i, v in enumerate(order):
        p = np.moveaxis(p, v, i)
    return p


def rotated(p: np.ndarray, order: Sequence[int]) -> np.ndarray:
    """The joint from variable order[0] on, and round: of the order only its begin."""
    return p.transpose([(order[0] + i) % p.ndim for i in range(p.ndim)])


_ORDERS = (
    *(
        Mistake(
            "axes-moved-in-turn",
            "axes are moved one after the other, and after the first move the others no longer "
            "stand where the order counts them: put all of them in their places at once",
            gives=lambda p, order, move=move, **wrong: factors(move(p, order), **wrong),
        )
        for move in (swapped_in_turn, moved_in_turn)
    ),
    Mistake(
        "only-the-begin-of-the-order",
        "only order[0] is heeded, and the others follow in a circle: every step takes the variable "
        "that the order names",
        gives=lambda p, order, **wrong: factors(rotated(p, order), **wrong),
    ),
    Mistake(
        "marginals-for-conditionals",
        "those are the marginals, each variable by itself: step i is p(x_order[i] | those before "
        "it in the order), with one axis more each time",
        gives=lambda p, order: [marginal(p, v) for v in order],
    ),
    Mistake(
        "axes-turned-round",
        "you turn the axes round, whatever the order is: that is one order among many",
        gives=lambda p, order, **wrong: factors(p.transpose(), **wrong),
    ),
    Mistake(
        "axes-in-stored-order",
        "the axes of each table stand in the order of the variables' numbers: they follow the "
        "order, and its newest variable comes last",
        after=lambda tables, p, order: [t.transpose(np.argsort(order[: t.ndim])) for t in tables],
    ),
    *(
        Mistake("not-factored", "that is the joint with its axes moved: now factor it", gives=gives)
        for gives in (lambda p, order: [p.transpose(order)], lambda p, order: [p])
    ),
    Mistake(
        "factors-shuffled",
        "you reorder the list of factors: p(x_3 | x_1, x_2) does not become p(x_3) by being first; "
        "reorder the JOINT's axes, then factor",
        gives=lambda p, order, **wrong: [factors(p, **wrong)[v] for v in order],
    ),
    Mistake(
        "order-ignored",
        "those are the factors of the natural order",
        gives=lambda p, order, **wrong: factors(p, **wrong),
    ),
    Mistake(
        "inverse-order",
        "you use the inverse of the order: order[0] is the variable that comes FIRST, not the "
        "place of variable 0",
        gives=lambda p, order, **wrong: factors(p.transpose(np.argsort(order)), **wrong),
    ),
    Mistake(
        "order-backwards",
        "your factors follow the order from its end: order[0] comes first",
        gives=lambda p, order, **wrong: factors(p.transpose(order[::-1]), **wrong),
    ),
    _JOINT_FOR_CONDITIONAL,
)


def ordered_joints(draw: Draw) -> list[tuple[np.ndarray, list[int]]]:
    """A joint in two orders, in the natural one, and in one with two variables exchanged.

    Of three variables an order that is not its own inverse only begins the circle elsewhere, and an
    exchange never does. The other order is its inverse: whoever moves one axis after the other, and
    thereby none in the one, does not come through the other.
    """
    n, k = draw.choice([(3, 2), (3, 3), (4, 2)])
    p, order, exchanged = draw_joint(draw, k, n, 0.7), draw_order(draw, n), list(range(n))
    i, j = sorted(draw.permutation(n)[:2].tolist())
    exchanged[i], exchanged[j] = j, i
    orders = (order, list(range(n)), exchanged, np.argsort(order).tolist())
    return [(p, one) for one in orders]


def show_order(p: np.ndarray, order: Sequence[int]) -> str:
    """The joint and the order of its variables."""
    return f"{show_joint(p)} in the order " + " ".join(f"x_{v + 1}" for v in order)


def small_orders(p: np.ndarray, order: Sequence[int]) -> Iterator[tuple[np.ndarray, list[int]]]:
    """The lesson's rain and umbrella, both ways round, and three bits."""
    if p.size > 4:
        rain = np.array([[0.54, 0.06], [0.08, 0.32]])
        yield from ((rain, list(o)) for o in ([0, 1], [1, 0]))
    if p.size > 8:
        bits = np.arange(1, 9).reshape(2, 2, 2) / 36
        yield from ((bits, list(o)) for o in itertools.permutations(range(3)))


@checks("reorder", lesson=LESSON, points=2, see="Exercise 5: any order")
def factors_in_any_order(reorder: Standin, draw: Draw) -> Iterator[Claim | Cause]:
    """In every order the factors are others, and their product is the same joint."""

    def ask(p: np.ndarray, order: list[int]) -> list[np.ndarray]:
        answer = untouched(reorder)(p, order)
        if not isinstance(answer, list | tuple):  # one array: a joint, not its factors
            return [expect_array(answer, None, "number", "the answer").astype(np.float64)]
        return take_tables(answer, "the answer")

    subject = Subject(
        ask=ask,
        rule=factors_in_order,
        mistakes=_ORDERS,
        show=show_order,
        told=told_tables,
        by_hand=lambda p, order: factors_by_hand(p.transpose(order)),
        smaller=small_orders,
        alike=exactly,
    )
    yield from examine(
        subject,
        draw,
        Property(
            "factors",
            "each factor is a row of probabilities over the order's next variable, given those "
            "before it",
            ordered_joints,
            points=1,
            asks="first the variable order[0], then order[1] given it, and so on; in the natural "
            "order the factors that you know",
        ),
        Property(
            "product",
            "their product, put back in its places, is the same joint",
            ordered_joints,
            points=1,
            asks=f"equality to {EXACT:g}: the chain rule holds in every order",
            typical=False,
            alike=same_product,
        ),
    )


# --- conditional_query ----------------------------------------------------------------------------


@dataclass(frozen=True)
class Raised:
    """What stands for an answer where an exception came: a ValueError, or another."""

    refused: bool
    text: str = field(default="", compare=False)


def query(
    p: np.ndarray,
    evidence: dict[int, int],
    *,
    cut_out: Any = None,
    divide: bool = True,
    axis: Any = None,
    least: float = 0.0,
    impossible: Any = None,
) -> Any:
    """p(rest | evidence), one axis for each variable that is not in the evidence.

    Each option turns one thing wrong: `cut_out(p, evidence)` cuts otherwise, `axis` divides along
    one axis, evidence of probability `least` is refused too; `impossible(cut)` is given for
    evidence of probability 0, in the place of a ValueError.
    """
    cut = p[tuple(evidence.get(i, slice(None)) for i in range(p.ndim))]
    if cut_out is not None:
        cut = cut_out(p, evidence)
    mass = cut.sum(axis=axis, keepdims=axis is not None)
    if cut.sum() <= least:
        return Raised(True) if impossible is None else impossible(cut)
    return cut / mass if divide else cut


def cut_and_divided(p: np.ndarray, evidence: dict[int, int]) -> Any:
    """The answer once more, in four steps."""
    cut = p[tuple(evidence.get(i, slice(None)) for i in range(p.ndim))]
    mass = cut.sum()
    if mass == 0:
        return Raised(True)
    return cut / mass


def one_after_the_other(p: np.ndarray, evidence: dict[int, int]) -> Any:
    """What comes out if evidence is taken one by one and the axes' shift is forgotten."""
    for axis, value in evidence.items():
        if axis >= p.ndim or value >= p.shape[axis]:
            return Raised(False)
        p = np.take(p, value, axis=axis)
    return p / p.sum() if p.sum() > 0 else Raised(True)


def in_order_of_the_list(p: np.ndarray, evidence: dict[int, int]) -> Any:
    """What comes out if evidence is taken one by one, each axis less by the number of cuts."""
    for cuts, (axis, value) in enumerate(evidence.items()):
        if axis - cuts >= p.ndim or value >= p.shape[axis - cuts]:
            return Raised(False)
        p = np.take(p, value, axis=axis - cuts)
    return p / p.sum() if p.sum() > 0 else Raised(True)


def values_for_keys(p: np.ndarray, evidence: dict[int, int]) -> Any:
    """The answer to evidence whose variables and values have changed places."""
    if any(value >= p.ndim or key >= p.shape[value] for key, value in evidence.items()):
        return Raised(False)
    return query(p, {value: key for key, value in evidence.items()})


def zeroed(p: np.ndarray, evidence: dict[int, int]) -> np.ndarray:
    """The joint with 0 in all cells that contradict the evidence."""
    where = tuple(evidence.get(i, slice(None)) for i in range(p.ndim))
    found = np.zeros_like(p)
    found[where] = p[where]
    return found


def cut_by_one(which: int) -> Callable[..., np.ndarray]:
    """A cut that uses the first of the evidence alone (0), or the last (-1)."""
    return lambda p, evidence: (
        np.take(p, [*evidence.values()][which], axis=[*evidence][which]) if evidence else p
    )


def with_thin_axes(p: np.ndarray, evidence: dict[int, int]) -> np.ndarray:
    """The cut, with an axis of one entry for each variable in the evidence."""
    spots = ([evidence[i]] if i in evidence else list(range(p.shape[i])) for i in range(p.ndim))
    return p[np.ix_(*spots)]


def heard_only_afterwards(p: np.ndarray, evidence: dict[int, int]) -> Any:
    """The factors of what is not known, with the evidence written into their prefixes."""
    if isinstance(query(p, evidence), Raised):
        return Raised(True)
    product = np.ones(())
    for i, table in enumerate(factors(p)):
        if i not in evidence:
            prefix = tuple(evidence.get(j, slice(None)) for j in range(i))
            product = product[..., None] * table[prefix]
    return product


_SHIFT = (
    "each cut takes an axis away, so that the next key means another variable: the evidence counts "
    "the variables of the whole joint"
)
_QUERIES = (
    Mistake(
        "not-renormalized",
        "that is p(rest, evidence), the cut through the table: divide by p(evidence), its sum",
        options={"divide": False},
    ),
    Mistake(
        "evidence-ignored",
        "that is p(rest) with the evidence summed out: nothing was learned from it",
        options={"cut_out": lambda p, evidence: p.sum(axis=tuple(evidence))},
    ),
    Mistake(
        "zero-taken-for-nothing",
        "evidence whose value is 0 is left out: to Python 0 is as false as None, and here it is a "
        "value like any other",
        options={
            "cut_out": lambda p, evidence: p[
                tuple(evidence.get(i) or slice(None) for i in range(p.ndim))
            ]
        },
    ),
    Mistake(
        "evidence-as-prefix",
        "you put the evidence on the first axes: its keys say which variables it is about",
        options={"cut_out": lambda p, evidence: p[tuple(evidence.values())]},
    ),
    Mistake(
        "evidence-heard-only-afterwards",
        "only what comes AFTER the evidence hears of it, since you multiply the factors with the "
        "evidence written into their prefixes: what comes before it changes as well. Cut the joint",
        gives=heard_only_afterwards,
    ),
    Mistake("axes-shift", _SHIFT, gives=one_after_the_other),
    Mistake(
        "axes-shift",
        _SHIFT,
        gives=lambda p, evidence: one_after_the_other(p, dict(sorted(evidence.items()))),
    ),
    Mistake(
        "none-is-a-new-axis",
        "an index of None stands for no axis of the table, so that the numbers behind it cut other "
        "variables: a variable that is not known keeps all its values",
        options={"cut_out": lambda p, evidence: p[tuple(evidence.get(i) for i in range(p.ndim))]},
    ),
    Mistake(
        "values-for-keys",
        "variables and values have changed places: the keys of the evidence are the variables",
        gives=values_for_keys,
    ),
    Mistake(
        "zeroed-instead-of-cut",
        "cells that contradict the evidence are 0, and still there: cut, so that what is known has "
        "no axis",
        options={"cut_out": zeroed},
    ),
    *(
        Mistake(
            "one-of-the-evidence-only",
            "one variable of the evidence is used, and the others are left as if unknown: cut at "
            "all of them",
            options={"cut_out": cut_by_one(which)},
        )
        for which in (0, -1)
    ),
    Mistake(
        "largest-for-sum",
        "the cut is divided by its LARGEST entry: its sum, p(evidence), divides it",
        gives=lambda p, evidence: (
            query(p, evidence, divide=False) / query(p, evidence, divide=False).max()
            if query(p, evidence, divide=False).max() > 0
            else Raised(True)
        ),
    ),
    Mistake(
        "evidence-taken-for-sorted",
        "the evidence is cut in the order in which it is listed, as if its variables rose: each "
        "cut moves only the axes BEHIND it, so sort the variables, or cut at all of them at once",
        gives=in_order_of_the_list,
    ),
    Mistake(
        "zero-cell-for-impossible",
        "evidence is refused where ONE cell of the cut is 0: it has an answer, unless all are",
        gives=lambda p, evidence: (
            query(p, evidence)
            if np.all(p[tuple(evidence.get(i, slice(None)) for i in range(p.ndim))])
            else Raised(True)
        ),
    ),
    Mistake(
        "keeps-the-evidence-axes",
        "the evidence still has its axes: index with its plain values, and they are gone",
        options={"cut_out": with_thin_axes},
    ),
    *(
        Mistake(
            "wrong-axis",
            "you divide along one axis: the whole cut sums to p(evidence), and that one number "
            "divides it",
            options={"axis": axis},
        )
        for axis in (-1, 0)
    ),
    Mistake(
        "axis-order",
        "the rest keeps the variables' own order: axis 0 is the first that is not evidence",
        after=lambda v, *_: v if isinstance(v, Raised) else v.transpose(),
    ),
    Mistake(
        "nan-for-impossible-evidence",
        "0/0 went through as NaN: test p(evidence) before you divide, and raise a ValueError",
        options={"impossible": lambda cut: cut / cut.sum()},
    ),
    *(
        Mistake(
            "rare-evidence-refused",
            "evidence of a small probability is evidence like any other: only probability 0 has "
            "no answer",
            options={"least": small},
        )
        for small in SMALL
    ),
)
_ANSWERED = Symptom(
    "impossible-evidence-answered",
    "evidence of probability 0 has no conditional distribution, and got an answer: raise a "
    "ValueError that says so",
    lambda seen: all(
        isinstance(o.answer, np.ndarray) if isinstance(o.right, Raised) else not o.fails
        for o in seen
    ),
)


_OTHER_EXCEPTION = Symptom(
    "another-exception",
    "evidence of probability 0 is refused, but by another exception: a ValueError is asked",
    lambda seen: all(
        isinstance(o.answer, Raised) and isinstance(o.right, Raised) for o in seen if o.fails
    ),
)


def same_answer(a: Any, b: Any) -> bool:
    """Equal to 1e-9, or both refusals of the same kind."""
    if isinstance(a, Raised) or isinstance(b, Raised):
        return type(a) is type(b) and a == b
    return alike(a, b, 1e-9)


def told_answer(answer: Any) -> str:
    """An answer, or what was raised."""
    if isinstance(answer, Raised):
        return answer.text
    total = f", with the sum {answer.sum():.4g}" if answer.ndim else ""
    return shown(answer) + total


def one_known(draw: Draw) -> list[tuple[np.ndarray, dict[int, int]]]:
    """Evidence on one variable that is not the first: the value 0, and another."""
    n, k = draw.choice([(4, 2), (4, 3)])
    p = draw_joint(draw, k, n, 0.7)
    return [(p, {draw.integer(1, n - 1): value}) for value in (0, draw.integer(1, k - 1))]


def several_known(draw: Draw) -> list[tuple[np.ndarray, dict[int, int]]]:
    """Evidence on two variables that are not the first, in both orders, and on one with the first.

    Two of the first variables are a prefix, and one of them may hold the other's number.
    """
    n, k = draw.choice([(4, 2), (4, 3)])
    pair = sorted((1 + draw.permutation(n - 1)[:2]).tolist())
    values = draw.rng.permutation([0, draw.integer(1, k - 1)]).tolist()
    p, known = draw_joint(draw, k, n, 0.7), dict(zip(pair, values, strict=True))
    both_ways = [(p, known), (p, dict(reversed(known.items())))]
    return [*both_ways, (p, {pair[1]: values[0], 0: draw.integer(0, k - 1)})]


def edges_of_evidence(draw: Draw) -> list[tuple[np.ndarray, dict[int, int]]]:
    """No evidence, on everything, of probability 0, of a very small one, and with a cell of 0.

    Evidence on everything holds the value 0, and another.
    """
    n, k = draw.choice([(4, 2), (4, 3)])
    p, value = draw_joint(draw, k, n, 0.7), draw.integer(0, k - 1)
    whole = draw.rng.permutation([0, 1, *draw.rng.integers(0, k, size=n - 2)]).tolist()
    never, hardly, holed = p.copy(), p.copy(), p.copy()
    never[:, value] = 0.0
    hardly[:, value] *= 1e-20
    holed[:, value].flat[draw.integer(0, k**n // k - 1)] = 0.0
    cases = [(p, {}), (p, dict(enumerate(whole)))]
    return cases + [(q / q.sum(), {1: value}) for q in (never, hardly, holed)]


def small_queries(p: np.ndarray, evidence: dict[int, int]) -> Iterator[tuple]:
    """The lesson's rain and umbrella, and a joint in which it never rains."""
    if p.size > 4:
        rain = np.array([[0.54, 0.06], [0.08, 0.32]])
        yield from ((rain, e) for e in ({1: 1}, {0: 1}, {1: 0}, {}, {0: 1, 1: 0}, {1: 0, 0: 1}))
        yield np.array([[0.9, 0.1], [0.0, 0.0]]), {0: 1}
        yield np.array([[0.6, 0.1], [0.3, 0.0]]), {0: 1}
    if p.size > 8:
        bits = np.arange(1, 9).reshape(2, 2, 2) / 36
        yield from ((bits, e) for e in ({2: 1}, {1: 1}, {0: 1, 1: 0}, {1: 0, 0: 1}, {2: 1, 0: 0}))


def query_by_hand(p: np.ndarray, evidence: dict[int, int]) -> str:
    """The cut and its sum, where it has at most four cells."""
    cut = p[tuple(evidence.get(i, slice(None)) for i in range(p.ndim))]
    if cut.size > 4:
        return ""
    if not cut.sum():
        return f"the cut {shown(cut)} has the sum 0: a ValueError"
    return f"the cut {shown(cut)}, divided by its sum {cut.sum():.4g}"


@checks(
    "conditional_query", lesson=LESSON, points=3, see="Exercise 6: evidence that is not a prefix"
)
def answers_from_a_table(conditional_query: Standin, draw: Draw) -> Iterator[Claim | Cause]:
    """A table answers any conditional question: cut, then divide."""

    def ask(p: np.ndarray, evidence: dict[int, int]) -> Any:
        try:
            found = untouched(conditional_query)(p, dict(evidence))
        except CallTookTooLong:
            raise
        except StudentFailed as error:
            line = f", at your line {error.line}" if error.line else ""
            # NumPy's AxisError is a ValueError too, and refuses no evidence.
            refused = error.is_a(ValueError) and not error.is_a(IndexError)
            return Raised(refused, f"{error}{line}")
        return expect_array(found, None, "number", "the answer").astype(np.float64)

    subject = Subject(
        ask=ask,
        rule=query,
        forms=(cut_and_divided,),
        mistakes=_QUERIES,
        symptoms=(_ANSWERED, _OTHER_EXCEPTION),
        show=lambda p, evidence: f"the evidence {evidence} in {show_joint(p)}",
        told=told_answer,
        by_hand=query_by_hand,
        smaller=small_queries,
        alike=same_answer,
    )
    yield from examine(
        subject,
        draw,
        Property(
            "one",
            "a variable that does not come first may be the evidence",
            one_known,
            points=1,
            asks="p(the others | it), with one axis for each of the others, that sums to 1",
        ),
        Property(
            "several",
            "several variables may be the evidence, in whatever order they are listed",
            several_known,
            points=1,
            asks="the same answer in both orders, with one axis for each of the others, that sums "
            "to 1",
        ),
        Property(
            "edges",
            "no evidence leaves the joint, full evidence leaves 1, impossible evidence alone is "
            "refused",
            edges_of_evidence,
            points=1,
            asks="the joint itself; the number 1; a ValueError where 0/0 would be the answer, and "
            "only there",
            typical=False,
            needs="one",
        ),
    )
