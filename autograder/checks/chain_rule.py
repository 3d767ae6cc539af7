"""Checks of lesson 02, the chain rule: factors of a table, their product, scores, samples, queries.

Notation: n variables with k values each, x_{<i} the prefix of x_i, factor i the table
p(x_i | x_{<i}) with one axis for each of x_1 … x_i. All logs are natural (nats).
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from scipy.stats import chi2

from autograder import claim, expect_array, when
from autograder.checking import checks
from autograder.checks.witness import same, waits_unless
from autograder.claims import Claim
from autograder.draw import Draw
from autograder.remote.proxy import Standin, StudentFailed, WrongKind, describe, exception_of

LESSON = "02_chain_rule"

EXACT = 1e-12  # what "equal" means for a product of a few float64 factors
# Nominal false-alarm rates of one χ² test; see `fits` for what they are worth.
TOO_FAR, TOO_EVEN = 1e-10, 1e-7

SEE_FACTORS = "Exercise 1: from the table to the factors"
SEE_PRODUCT = "Exercise 2: from the factors back to the table"
SEE_SCORE = "Exercise 3: how likely is this word?"
SEE_SAMPLE = "Exercise 4: draw a word"
SEE_ORDER = "Exercise 5: any order"
SEE_QUERY = "Exercise 6: evidence that is not a prefix"


# --- what the mathematics says --------------------------------------------------------------------


def prefix_marginals(p: np.ndarray) -> list[np.ndarray]:
    """p(x_1 … x_i) for i = 1 … n: the later axes summed out."""
    return [p.sum(axis=tuple(range(i + 1, p.ndim))) for i in range(p.ndim)]


def rows_normalized(table: np.ndarray, axis: int = -1) -> np.ndarray:
    """The table divided by its sums along `axis`; a row without mass becomes uniform."""
    mass = table.sum(axis=axis, keepdims=True)
    rows = np.full(table.shape, 1 / table.shape[axis])
    return np.divide(table, mass, out=rows, where=mass > 0)


def tables_of(p: np.ndarray) -> list[np.ndarray]:
    """The factors p(x_i | x_{<i}) of a joint."""
    return [rows_normalized(table) for table in prefix_marginals(p)]


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


def markov_tables(p: np.ndarray) -> list[np.ndarray]:
    """p(x_i | x_{i−1}) in the shape of the factors: what is left of them without the older past."""
    tables = [marginal(p, 0)]
    for i in range(1, p.ndim):
        pair = p.sum(axis=tuple(a for a in range(p.ndim) if a not in (i - 1, i)))
        rows = rows_normalized(pair)
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


def close(a: np.ndarray, b: np.ndarray, tolerance: float = EXACT) -> bool:
    """Equal in shape, and in value up to `tolerance`; NaN equals nothing."""
    return a.shape == b.shape and bool(np.allclose(a, b, rtol=tolerance, atol=tolerance))


def alike(tables: Sequence[np.ndarray], others: Sequence[np.ndarray], tolerance=1e-9) -> bool:
    """Whether two lists of tables are equal, table by table."""
    return len(tables) == len(others) and all(
        close(a, b, tolerance) for a, b in zip(tables, others, strict=True)
    )


def worst_row(tables: Sequence[np.ndarray]) -> float:
    """The largest distance of a row's sum from 1; inf where an entry is negative or no number."""
    worst = 0.0
    for table in tables:
        if not np.isfinite(table).all() or (table < 0).any():
            return np.inf
        worst = max(worst, float(np.abs(table.sum(axis=-1) - 1).max()))
    return worst


def shapes_text(tables: Sequence[np.ndarray]) -> str:
    return ", ".join(str(table.shape) for table in tables) or "none"


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


@checks("conditionals", lesson=LESSON, points=4)
def factors_of_a_joint(conditionals: Standin, draw: Draw) -> Iterator[Claim]:
    """The factors of a joint are its prefix marginals, divided row by row."""
    n, k = draw.choice([(3, 3), (4, 2), (3, 4), (4, 3)])
    p = draw_joint(draw, k, n)
    rare = tuple(draw.integer(0, k - 1) for _ in range(2))
    p[rare] *= 1e-14  # a prefix that almost never comes is a prefix like any other
    p /= p.sum()
    tables = take_tables(conditionals(p), "the answer")
    wanted = [(k,) * (i + 1) for i in range(n)]
    shapes = [table.shape for table in tables]
    turned = take_tables(conditionals(p[..., ::-1].copy()), "the answer")
    yield claim(
        "factor i is a table over x_1 … x_i",
        shapes == wanted,
        points=0.5,
        saw=f"tables of shape {shapes_text(tables)} for a joint of shape {p.shape}",
        asks="n tables, each with one axis more than the one before, from (k,) to (k, …, k)",
        waits=waits_unless(not same(tables, turned), "tables that change with the joint"),
        advice=[
            when(
                shapes == wanted[::-1],
                "axis-order",
                "your tables come out longest first: factor i needs the axes 0 … i, so it is the "
                "LATER axes, i+1 … n−1, that are summed out",
            ),
            when(
                shapes == [(k,)] * n,
                "marginals-for-conditionals",
                "one row for each variable is its marginal p(x_i): a factor p(x_i | x_<i) has a "
                "row for every prefix",
            ),
            when(
                shapes == [(k,) * n] * n,
                "keeps-all-axes",
                "each of your tables has all n axes: p(x_i | everything else) is not a factor of "
                "the chain rule; sum the variables after x_i out",
            ),
            when(
                len(shapes) == n - 1 or len(shapes) == n + 1,
                "one-factor-too-few-or-many",
                "n variables have n factors: the first is p(x_1), with the empty prefix, and the "
                "last is p(x_n | x_<n)",
            ),
            "sum out the axes after i to get p(x_1 … x_i), then divide each row by its sum",
        ],
        see=SEE_FACTORS,
    )
    if shapes != wanted:
        return

    worst = worst_row(tables)
    # Rows of equal entries sum to 1 whatever p is: they say nothing of it.
    even = all(np.ptp(t, axis=-1).max() < 1e-6 for t in tables)
    sums_first = [np.abs(t.sum(axis=0) - 1).max() < 1e-9 for t in tables[1:]]
    # Only the rare prefixes are short of 1: the mark of a constant added to the denominator.
    ordinary = [t for t in tables[:2]] + [
        np.delete(t.reshape(k * k, *t.shape[2:]), rare[0] * k + rare[1], axis=0) for t in tables[2:]
    ]
    no_division = alike(tables, prefix_marginals(p))
    yield claim(
        "every row is a distribution, whatever the prefix",
        worst < 1e-9 and not even,
        saw="the same probability for every letter, after every prefix"
        if even
        else "an entry that is negative or no number"
        if np.isinf(worst)
        else f"a row that is {worst:.2g} away from summing to 1",
        asks="the last axis of every table sums to 1, also after a prefix of probability 1e-15",
        advice=[
            when(
                even,
                "uniform-rows",
                "all your rows are uniform, which sums to 1 for free: p decides what they are",
            ),
            when(
                no_division,
                "joint-for-conditional",
                "your table i is p(x_1 … x_i), which is not yet divided by p(x_<i)",
            ),
            when(
                all(sums_first),
                "wrong-axis",
                "your tables sum to 1 along the FIRST axis: x_i is the last axis of its table, "
                "and a row p(· | prefix) lies along it",
            ),
            when(
                worst_row(ordinary) < 1e-6,
                "epsilon-in-the-denominator",
                "the rows of ordinary prefixes are fine and that of a very rare one is not: a "
                "constant added to the denominator is larger than the prefix itself",
            ),
            "divide p(x_1 … x_i) by its sum along the last axis, kept as an axis (keepdims=True)",
        ],
        see=SEE_FACTORS,
    )

    gap = float(np.abs(product_of(tables) - p).max())
    one = take_tables(conditionals(p.sum(axis=tuple(range(1, n)))), "the answer for n = 1")
    backwards = [p.sum(axis=tuple(range(n - 1 - i))) for i in range(n)]
    transposed = prefix_marginals(p.transpose())
    yield claim(
        "the factors multiply back to the joint",
        gap < EXACT and alike(one, [p.sum(axis=tuple(range(1, n)))]),
        points=1.5,
        saw=f"a product that misses an entry of the joint by {gap:.2g}"
        if not gap < EXACT
        else f"for a single variable: tables of shape {shapes_text(one)}",
        asks=f"the same number in every cell, to {EXACT:g}, for n = 1 too",
        advice=[
            when(
                no_division,
                "joint-for-conditional",
                "your table i is p(x_1 … x_i): in the product every prefix then counts many times",
            ),
            when(
                all(sums_first) and worst >= 1e-9,
                "wrong-axis",
                "divided along the first axis, table i becomes p(x_1 | …): divide along the last "
                "one",
            ),
            when(
                alike(tables, [along_last_axis(marginal(p, i), i) for i in range(n)]),
                "marginals-for-conditionals",
                "your rows are the same for every prefix: those are the marginals p(x_i), as if "
                "the variables were independent",
            ),
            when(
                any(
                    alike(tables, [rows_normalized(t, axis) for t in other])
                    for other in (backwards, transposed)
                    for axis in (0, -1)
                ),
                "axis-order",
                "your table i is about the LAST variables: x_1 is axis 0, so p(x_1 … x_i) keeps "
                "the first axes and sums the later ones out",
            ),
            when(
                alike(tables, markov_tables(p)),
                "only-the-last-letter",
                "your rows depend on x_{i−1} only: the chain rule keeps the whole prefix, a chain "
                "of neighbors is an assumption",
            ),
            "multiply your tables by hand for a 2×2 joint: p(x_1)·p(x_2 | x_1) must give every "
            "cell",
        ],
        see=SEE_FACTORS,
    )

    holes = draw_joint(draw, k, n)
    never, gone = draw.integer(0, k - 1), tuple(draw.integer(0, k - 1) for _ in range(2))
    holes[never] = 0.0
    holes[gone] = 0.0
    holes /= holes.sum()
    found = take_tables(conditionals(holes), "the answer for a joint with zeros")
    right = tables_of(holes)
    row = found[1][never] if len(found) > 1 and found[1].ndim == 2 else np.array([np.nan])
    yield claim(
        "after a prefix of probability 0 the row is uniform, and nothing is NaN",
        alike(found, right),
        saw=f"the row {np.array2string(row, precision=3)} after a first value that never comes",
        asks=f"1/{k} for each of the {k} values after such a prefix; all other rows as before",
        advice=[
            when(
                any(np.isnan(t).any() for t in found),
                "nan-after-an-impossible-prefix",
                "0/0 is NaN, and NaN times the prefix's 0 is NaN again: divide only where the "
                "prefix has mass (np.divide with where=, or np.where on a safe denominator)",
            ),
            when(
                close(row, np.zeros(k)),
                "zero-row-after-an-impossible-prefix",
                "a row of zeros is no distribution: put 1/k, which is multiplied by 0 anyhow",
            ),
            "put a uniform row where the prefix has probability 0, and change no other row",
        ],
        see=SEE_FACTORS,
    )


# --- joint ----------------------------------------------------------------------------------------


@checks("joint", lesson=LESSON, points=2)
def product_of_the_factors(joint: Standin, draw: Draw) -> Iterator[Claim]:
    """The product of the factors is the joint, cell by cell."""

    def take(tables: list[np.ndarray]) -> np.ndarray:
        return expect_array(joint(tables), None, "number", "the joint").astype(np.float64)

    n, k = draw.choice([(3, 3), (4, 2), (3, 4), (4, 3)])
    tables = draw_tables(draw, k, n)
    right, found = product_of(tables), take(tables)
    trailing = np.ones(())
    for table in tables:
        trailing = trailing * table
    yield claim(
        "every cell is the product of its n factors",
        close(found, right),
        saw=f"shape {found.shape}"
        if found.shape != right.shape
        else f"a cell off by {np.abs(found - right).max():.2g}, and a sum of {found.sum():.4g}",
        asks=f"shape (k,)*n, here {right.shape}, cells equal to {EXACT:g}, sum 1",
        advice=[
            when(
                close(found, trailing),
                "trailing-broadcast",
                "NumPy lines shapes up at their LAST axes: (k,) times (k, k) multiplies by p(x_1) "
                "along the axis of x_2; give the product so far a new last axis first, "
                "product[..., None]",
            ),
            when(
                close(found, log_of(right), 1e-9),
                "log-for-probability",
                "these are logs: the joint holds probabilities",
            ),
            when(
                close(found, right.transpose()),
                "axis-order",
                "your axes come out in the order x_n … x_1: axis 0 belongs to x_1",
            ),
            when(
                close(found, tables[-1]),
                "last-factor-only",
                "that is the last factor alone, p(x_n | x_<n): multiply by the factors before it",
            ),
            when(
                close(found, right, 1e-5),
                "float32",
                "right to seven digits only: somewhere your numbers become float32",
            ),
            "multiply factor by factor, giving the product so far one more axis at the end each "
            "time",
        ],
        see=SEE_PRODUCT,
    )

    holes = draw_joint(draw, k, n)
    holes[draw.integer(0, k - 1)] = 0.0
    holes[tuple(draw.integer(0, k - 1) for _ in range(2))] = 0.0
    holes /= holes.sum()
    back, single = take(tables_of(holes)), take([tables[0]])
    yield claim(
        "a joint with impossible words, and one of a single variable, come back as they were",
        close(back, holes) and close(single, tables[0]),
        saw="a cell that is no number"
        if np.isnan(back).any()
        else f"shape {single.shape} for one variable"
        if single.shape != (k,)
        else "another joint than the one that the factors were made from",
        asks="0 where a factor is 0, and p(x_1) itself when there is no other factor",
        advice="the first factor has the empty prefix before it: start from the number 1",
        see=SEE_PRODUCT,
    )


# --- log_likelihood -------------------------------------------------------------------------------


def machine_of_the_lesson() -> list[np.ndarray]:
    """Factors over A, B, C in which B, A, C has the factors 0.4, 0.5, 0.6."""
    second, third = np.full((3, 3), 1 / 3), np.full((3, 3, 3), 1 / 3)
    second[1], third[1, 0] = (0.5, 0.2, 0.3), (0.1, 0.3, 0.6)
    return [np.array([0.3, 0.4, 0.3]), second, third]


@checks("log_likelihood", lesson=LESSON, points=3)
def score_of_a_word(log_likelihood: Standin, draw: Draw) -> Iterator[Claim]:
    """The log-likelihood of a word is the sum of its log-factors, in nats."""

    def take(tables: list[np.ndarray], x: np.ndarray) -> np.ndarray:
        found = log_likelihood(tables, x)
        return expect_array(found, None, "number", "the log-likelihood").astype(np.float64)

    n, k = draw.choice([(3, 3), (4, 2), (5, 2), (3, 4)])
    batch = draw.integer(n + 2, n + 6)
    tables = draw_tables(draw, k, n)
    x = draw.rng.integers(0, k, size=(batch, n))
    steps = np.stack([np.log(t[tuple(x[:, : i + 1].T)]) for i, t in enumerate(tables)], axis=1)
    right, found = steps.sum(axis=1), take(tables, x)
    reverse = prefix_backwards(tables)
    backwards = log_of(product_of(reverse))[tuple(x.T)]
    mirrored = sum(log_of(t)[tuple(x[:, i::-1].T)] for i, t in enumerate(tables))
    word = take(machine_of_the_lesson(), np.array([[1, 0, 2]]))
    is_word = word.shape == (1,) and abs(word[0] - np.log(0.12)) < 1e-9
    p = product_of(tables)
    independent = log_of(outer([marginal(p, i) for i in range(n)]))[tuple(x.T)]
    size = found.size == 1
    yield claim(
        "each word gets the sum of its log-factors, in nats",
        close(found, right, 1e-9) and is_word,
        saw=f"shape {found.shape} for {batch} words"
        if found.shape != right.shape
        else f"{word[0]:.4f} for B-A-C"
        if word.shape == (1,) and close(found, right, 1e-9)
        else f"a word that is off by {np.abs(found - right).max():.3g} nats",
        asks="shape (B,), and for B-A-C with the factors 0.4, 0.5, 0.6 the log of 0.12",
        advice=[
            when(
                size and np.isclose(found.sum(), right.sum()),
                "sums-over-the-batch",
                "that is one number for the whole batch: sum over the steps only, and keep one "
                "number for each word",
            ),
            when(
                size
                and (
                    np.isclose(found.sum(), right.mean()) or np.isclose(-found.sum(), right.mean())
                ),
                "averages-over-the-batch",
                "that is the average of the batch: return one number for each word",
            ),
            when(
                found.shape == (n,),
                "sums-over-the-wrong-axis",
                "you have one number a step, summed over the words: sum over the steps",
            ),
            when(
                found.shape == (batch, n),
                "no-sum",
                "those are the log-factors, one a step: the word's log-likelihood is their sum",
            ),
            when(
                close(found, right / n, 1e-9),
                "mean-over-steps",
                "you divide by the number of steps: the log of a product is the SUM of the logs",
            ),
            when(
                close(found, -right, 1e-9),
                "sign",
                "that is the negative log-likelihood: a log-probability is at most 0",
            ),
            when(
                close(found, right / np.log(2), 1e-9),
                "bits-for-nats",
                "you took log2: this course counts in nats, np.log",
            ),
            when(
                close(found, np.exp(right), 1e-9),
                "no-log",
                "that is the probability itself: its log is asked for",
            ),
            when(
                close(found, steps[:, -1], 1e-9),
                "last-factor-only",
                "that is the last step alone: every factor counts, from p(x_1) on",
            ),
            when(
                close(found, backwards, 1e-9) or close(found, mirrored, 1e-9),
                "axis-order",
                "your prefix is looked up backwards: x_1 belongs to axis 0 of every table",
            ),
            when(
                close(found, independent, 1e-9),
                "marginals-for-conditionals",
                "those are the marginals' logs: look each factor up at the word's own prefix",
            ),
            "for word b and step i, look up tables[i] at (x_1, …, x_i), take the log, and add",
        ],
        see=SEE_SCORE,
    )

    long = draw.integer(11, 13)
    path = draw.rng.integers(0, 2, size=long)
    thin = [np.full((2,) * (i + 1), 0.5) for i in range(long)]
    tiny = 10.0 ** -draw.integer(38, 60)
    for i, table in enumerate(thin):
        table[tuple(path[:i])] = 1.0
        table[tuple(path[: i + 1])] = tiny
    score = take(thin, path[None])
    yield claim(
        "it stays finite where the probability itself is too small for a float",
        score.shape == (1,) and abs(score[0] / (long * np.log(tiny)) - 1) < 1e-9,
        saw=f"{score.reshape(-1)[:1]} for {long} factors of {tiny:g}",
        asks="a finite sum of logs: the product would be smaller than the smallest float64, 5e-324",
        advice=[
            when(
                np.isneginf(score).any(),
                "product-before-log",
                "you multiply first and take the log after: the product has become 0, as that of "
                "2,000 fair bits does; take logs first, then add",
            ),
            when(
                score.shape == (1,) and abs(score[0]) < abs(long * np.log(tiny)) * 0.9,
                "epsilon-inside-the-log",
                "a constant inside the log (or a clip) is larger than the factor itself: no factor "
                "needs it",
            ),
            "take the log of each factor, then add",
        ],
        see=SEE_SCORE,
    )

    holed = draw_tables(draw, k, n)
    holed[0][-1] = 0.0
    holed[0] /= holed[0].sum()
    holed[1][0] = np.eye(k)[1]  # after a 0 comes a 1, always
    holed[2][0, 1, 0] = 0.0
    holed = [rows_normalized(table) for table in holed]
    x = words(k, n)[draw.permutation(k**n)[:60]]
    possible = np.array([[0, 1, 1] + [0] * (n - 3), [0, 0, 1] + [0] * (n - 3)])
    x = np.concatenate([possible, x])
    right, found = log_of(product_of(holed))[tuple(x.T)], take(holed, x)
    yield claim(
        "an impossible word has log-likelihood −inf, a possible one never, and nothing is NaN",
        close(found, right, 1e-9),
        saw=f"{int(np.isnan(found).sum())} NaN, {int(np.isneginf(found).sum())} times −inf and "
        f"{int(np.isfinite(found).sum())} finite, among {len(x)} words",
        asks=f"{int(np.isneginf(right).sum())} times −inf, {int(np.isfinite(right).sum())} finite",
        advice=[
            when(
                np.isnan(found).any(),
                "zero-times-minus-infinity",
                "somewhere 0 is multiplied by log 0 = −inf, which is NaN: pick the factor first, "
                "then take its log",
            ),
            when(
                found.shape == right.shape and np.isfinite(found[np.isneginf(right)]).any(),
                "epsilon-inside-the-log",
                "an impossible word got a finite score: a constant added inside the log (or a "
                "clip) hides the 0; let np.log(0) be −inf",
            ),
            "log 0 = −inf is the right score of a factor 0, and −inf plus anything finite stays "
            "−inf",
        ],
        see=SEE_SCORE,
    )


# --- sample ---------------------------------------------------------------------------------------


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
        "axis-order": p.transpose(),
        "prefix-backwards": product_of(prefix_backwards(tables)),
        "uniform": np.full(p.shape, 1 / p.size),
        "greedy": greedy,
    }


_WRONG_SAMPLER = {
    "samples-from-the-marginals": "your samples fit the product of the marginals p(x_i): each "
    "letter has its own frequency and forgets what came before; use the row of its prefix",
    "one-uniform-for-all-steps": "your samples look as if one uniform number served all steps: "
    "draw a fresh one for each step (and each sample), or the letters hang together by chance",
    "samples-from-the-last-axis": "every letter of yours is distributed as the LAST one: step i "
    "draws from factor i",
    "prefix-never-updated": "your rows are those after 0, 0, …: put the drawn value into the "
    "prefix before the next step looks its row up",
    "last-row": "your rows are always the last ones of their tables: index with the prefix just "
    "drawn",
    "axis-order": "your samples are right when read backwards: column 0 is x_1",
    "prefix-backwards": "you look the prefix up backwards: x_1 belongs to axis 0 of every table",
    "uniform": "all words come equally often: the factors' rows are not used",
    "greedy": "always the most likely letter: a sampler draws each letter with ITS probability",
}


@checks("sample", lesson=LESSON, points=3)
def ancestral_samples(sample: Standin, draw: Draw) -> Iterator[Claim]:
    """Samples drawn letter by letter are distributed as the joint."""

    def take(tables: list[np.ndarray], count: int, rng: np.random.Generator) -> np.ndarray:
        found = expect_array(sample(tables, count, rng), (count, len(tables)), "int", "the samples")
        k = len(tables[0])
        if found.size and not (0 <= found.min() and found.max() < k):
            raise WrongKind(
                f"a sample of {k} values holds 0 … {k - 1}: got {found.min()} to {found.max()}"
            )
        return found

    # Eight words with at least 125 expected draws each, and so far from what every usual mistake
    # draws from that the test tells them apart (a noncentrality of 250 against a limit near 63).
    count, n, k = 8000, 3, 2
    while True:
        p = 1 / 64 + (1 - 8 / 64) * draw.rng.dirichlet(np.full(8, 0.5)).reshape(2, 2, 2)
        tables = tables_of(p)
        wrong = wrong_samplers(tables)
        apart = all(count * ((q - p) ** 2 / p).sum() > 250 for q in wrong.values())
        if apart and all(
            np.abs(q - r).sum() > 0.16 for q, r in itertools.combinations(wrong.values(), 2)
        ):
            break
    x = take(tables, count, draw.numpy_generator())
    counts = np.bincount(np.ravel_multi_index(tuple(x.T), p.shape), minlength=8).reshape(p.shape)
    seen = statistic(counts, p)
    low, high = limits(7)
    same_letters = [i + 1 for i in range(n) if (x[:, i] == x[0, i]).all()]
    recognized = next((name for name, q in wrong.items() if fits(counts, q)), "")
    if recognized == "greedy":  # or one draw for all, which happened to be the likeliest word
        others = [take(tables, 2, draw.numpy_generator())[0] for _ in range(20)]
        recognized = "greedy" if (np.array(others) == x[0]).all() else ""
    yield claim(
        "8,000 samples are distributed as the joint",
        fits(counts, p),
        saw=f"χ² = {seen:.4g} on 7 degrees of freedom, in {count:,} samples of 3 bits",
        asks=f"χ² between {low:.2g} and {high:.1f}, which a right sampler misses less than once "
        "in a million verdicts",
        advice=[
            *(when(recognized == name, name, text) for name, text in _WRONG_SAMPLER.items()),
            when(
                bool(same_letters),
                "one-draw-for-the-whole-batch",
                f"all samples have the same letter {same_letters[0] if same_letters else 1}: draw "
                "once for each sample, not once for the batch",
            ),
            when(
                seen < low,
                "too-even",
                "these counts are too even for independent draws: each sample is drawn for itself",
            ),
            "at step i, take the row of factor i at the prefix that this very sample has so far",
        ],
        see=SEE_SAMPLE,
    )

    n, k = draw.choice([(3, 3), (4, 3), (3, 4)])
    # After the first letter everything is determined, by a shift that is not zero.
    forced = [np.zeros((k,) * (i + 1)) for i in range(n)]
    forced[0] = rows_normalized(np.append(draw.uniform(k - 1) + 0.2, 0.0))
    for i in range(1, n):
        prefixes = words(k, i)
        following = (prefixes[:, -1] + prefixes[:, 0] + draw.integer(1, k - 1)) % k
        forced[i].reshape(-1, k)[np.arange(k**i), following] = 1.0
    support = product_of(forced) > 0
    x = np.concatenate(
        [take(forced, 500, draw.numpy_generator()), take(forced, 1, draw.numpy_generator())]
    )
    never = int((~support[tuple(x.T)]).sum())
    yield claim(
        "what has probability 0 never comes, and what has probability 1 always does",
        never == 0,
        saw=f"{never} of 501 words that have probability 0 (n = {n}, k = {k})",
        asks="none: after the first letter, every row here puts all its mass on one letter",
        advice=[
            when(
                (x[:, 0] == k - 1).any(),
                "impossible-first-letter",
                f"the first letter {k - 1} has probability 0 and came: count the sums p_0, p_0 + "
                "p_1, … that are at most u, and draw u from [0, 1)",
            ),
            when(
                never > 0,
                "prefix-ignored",
                "the first letter is fine, a later one is impossible after it: the row must be "
                "that of the prefix just drawn",
            ),
        ],
        see=SEE_SAMPLE,
    )

    seed, other = draw.integer(0, 2**31), draw.integer(2**31, 2**32)
    one, two, three = (np.random.default_rng(s) for s in (seed, seed, other))
    fresh = str(one.bit_generator.state)
    p = draw_joint(draw, 3, 3, 5.0)
    a, b, c = (take(tables_of(p), 200, rng) for rng in (one, two, three))
    advanced = str(one.bit_generator.state) != fresh
    turned = [t[..., ::-1] for t in tables_of(p)]  # other tables, the same random numbers
    heard = not advanced or not np.array_equal(a, take(turned, 200, np.random.default_rng(seed)))
    yield claim(
        "all randomness comes from the generator that it was given",
        advanced and np.array_equal(a, b) and not np.array_equal(a, c),
        saw="the generator was left as it was"
        if not advanced
        else "two generators in the same state gave different samples"
        if not np.array_equal(a, b)
        else "two generators in different states gave equal samples",
        asks="rng moves on; the same state gives the same samples, another state others",
        waits=waits_unless(heard, "samples that change with the tables"),
        advice=[
            when(
                not advanced,
                "own-generator",
                "your function draws from elsewhere (np.random.…, or a generator made inside): use "
                "rng.random, rng.choice, …, so that a run can be repeated",
            ),
            when(
                not np.array_equal(a, b),
                "a-second-source",
                "part of your randomness comes from elsewhere: let every number come from rng",
            ),
            "the state of rng must decide what is drawn: use it for every step",
        ],
        see=SEE_SAMPLE,
    )


# --- reorder --------------------------------------------------------------------------------------


@checks("reorder", lesson=LESSON, points=2)
def factors_in_any_order(reorder: Standin, draw: Draw) -> Iterator[Claim]:
    """In every order the factors are others, and their product is the same joint."""
    n, k = draw.choice([(3, 2), (3, 3), (4, 2)])
    p = draw_joint(draw, k, n, 0.7)
    order = draw_order(draw, n)
    there = " ".join(f"x_{v + 1}" for v in order)

    def take(order: list[int]) -> list[np.ndarray]:
        answer = reorder(p, order)
        if not isinstance(answer, list | tuple):  # one array: a joint, not its factors
            return [expect_array(answer, None, "number", "the answer").astype(np.float64)]
        return take_tables(answer, "the answer")

    tables = take(order)
    moved = p.transpose(order)
    wanted = [(k,) * (i + 1) for i in range(n)]
    right_shapes = [t.shape for t in tables] == wanted
    again = product_of(tables) if right_shapes else np.zeros(())
    back = again.transpose(np.argsort(order)) if right_shapes else again
    shuffled = sorted(t.shape for t in tables) == sorted(wanted) and not right_shapes
    advice = [
        when(
            len(tables) == 1 and any(close(tables[0], q) for q in (moved, p)),
            "not-factored",
            "that is the joint with its axes moved: now factor it",
        ),
        when(
            shuffled,
            "factors-shuffled",
            "you reorder the list of factors: p(x_3 | x_1, x_2) does not become p(x_3) by being "
            "first; reorder the JOINT's axes, then factor",
        ),
        when(
            alike(tables, tables_of(p)),
            "order-ignored",
            "those are the factors of the natural order",
        ),
        when(
            alike(tables, tables_of(p.transpose(np.argsort(order)))),
            "inverse-order",
            "you use the inverse of the order: order[0] is the variable that comes FIRST, not the "
            "place of variable 0; np.transpose(joint, order) puts axis order[i] at place i",
        ),
        when(
            alike(tables, tables_of(p.transpose(order[::-1]))),
            "order-backwards",
            "your factors follow the order from its end: order[0] comes first",
        ),
        when(
            right_shapes and alike(tables, prefix_marginals(moved)),
            "joint-for-conditional",
            "your tables are p(of the first i variables), not yet divided by their prefix",
        ),
        "move the joint's axes into the order, then factor as before",
    ]
    natural = take(list(range(n)))
    yield claim(
        "each factor is a row of probabilities over the order's next variable, given those before "
        "it",
        alike(tables, tables_of(moved)) and alike(natural, tables_of(p)),
        saw=f"tables of shape {shapes_text(tables)} in the order {there}",
        asks=f"first p(x_{order[0] + 1}), then p(x_{order[1] + 1} | x_{order[0] + 1}), and so on; "
        "in the natural order the factors that you know",
        advice=advice,
        see=SEE_ORDER,
    )
    yield claim(
        "their product, put back in its places, is the same joint",
        right_shapes and close(back, p),
        saw=f"a cell that is off by {np.abs(back - p).max():.2g}"
        if right_shapes
        else f"tables of shape {shapes_text(tables)}",
        asks=f"equality to {EXACT:g}: the chain rule holds in every order",
        advice=advice,
        see=SEE_ORDER,
    )


# --- conditional_query ----------------------------------------------------------------------------


def answer_of(p: np.ndarray, evidence: dict[int, int]) -> np.ndarray:
    """p(rest | evidence), one axis for each variable that is not in the evidence."""
    cut = p[tuple(evidence.get(i, slice(None)) for i in range(p.ndim))]
    return cut / cut.sum()


def sequential(p: np.ndarray, evidence: dict[int, int]) -> np.ndarray | None:
    """What comes out if evidence is taken one by one and the axes' shift is forgotten."""
    for axis, value in evidence.items():
        if axis >= p.ndim:
            return None
        p = np.take(p, value, axis=axis)
    return p / p.sum()


@checks("conditional_query", lesson=LESSON, points=3)
def answers_from_a_table(conditional_query: Standin, draw: Draw) -> Iterator[Claim]:
    """A table answers any conditional question: cut, then divide."""
    n, k = draw.choice([(4, 2), (4, 3)])
    p = draw_joint(draw, k, n, 0.7)

    def outcome(evidence: dict[int, int]) -> tuple[np.ndarray | None, str]:
        """The student's answer, or None and what happened."""
        try:
            found = conditional_query(p, dict(evidence))
        except StudentFailed as error:
            return None, f"{error}" + (f", at your line {error.line}" if error.line else "")
        return expect_array(found, None, "number", "the answer").astype(np.float64), ""

    def advice(found: np.ndarray | None, raised: str, evidence: dict[int, int]) -> list[Any]:
        right = answer_of(p, evidence)
        cut = right * p[tuple(evidence.get(i, slice(None)) for i in range(n))].sum()
        rest = p.sum(axis=tuple(evidence))
        prefix = p[tuple(evidence.values())]
        shifted = sequential(p, evidence)

        def same(other: np.ndarray | None) -> bool:
            return found is not None and other is not None and close(found, other, 1e-9)

        return [
            when(
                same(cut),
                "not-renormalized",
                "that is p(rest, evidence), the cut through the table: divide by p(evidence), its "
                "sum",
            ),
            when(
                same(rest),
                "evidence-ignored",
                "that is p(rest) with the evidence summed out: nothing was learned from it",
            ),
            when(
                same(prefix / prefix.sum()) or same(prefix),
                "evidence-as-prefix",
                "you put the evidence on the first axes: its keys say which variables it is about",
            ),
            when(
                (raised and len(evidence) > 1 and shifted is None) or same(shifted),
                "axes-shift",
                "each cut takes an axis away, so later variables move down: cut all axes at once, "
                "with one tuple of values and slices",
            ),
            when(
                found is not None and found.ndim == n,
                "keeps-the-evidence-axes",
                "the evidence still has its axes: index with its plain values, and they are gone",
            ),
            when(
                same(rows_normalized(cut)) or same(rows_normalized(cut, 0)),
                "wrong-axis",
                "you divide row by row: the whole cut sums to p(evidence), and that one number "
                "divides it",
            ),
            when(
                same(right.transpose()),
                "axis-order",
                "the rest keeps the variables' own order: axis 0 is the first that is not evidence",
            ),
            "fix the evidence's axes at their values, then divide by the sum of what is left",
        ]

    def told(found: np.ndarray | None, raised: str) -> str:
        if found is None:
            return raised
        return f"shape {found.shape}, sum {found.sum():.4g}"

    evidence = {draw.integer(1, n - 1): draw.integer(0, k - 1)}
    found, raised = outcome(evidence)
    one = next(iter(evidence))
    yield claim(
        "a variable that does not come first may be the evidence",
        found is not None and close(found, answer_of(p, evidence)),
        saw=told(found, raised) + f", for evidence on x_{one + 1}",
        asks=f"p(the others | x_{one + 1}), an array of {n - 1} axes that sums to 1",
        advice=advice(found, raised, evidence),
        see=SEE_QUERY,
    )

    low = draw.integer(0, n - 3)
    pair = [low, draw.integer(low + 1, n - 1)]
    first = {v: draw.integer(0, k - 1) for v in pair}
    turned = {v: first[v] for v in reversed(pair)}
    answers = [(e, *outcome(e)) for e in (first, turned)]
    right = answer_of(p, first)
    bad = next((a for a in answers if a[1] is None or not close(a[1], right)), answers[0])
    is_right = bad[1] is not None and close(bad[1], right)
    yield claim(
        "several variables may be the evidence, in whatever order they are listed",
        is_right,
        saw=told(bad[1], bad[2]) + f", for evidence {bad[0]}",
        asks=f"the same answer for {first} and {turned}, an array of {n - 2} axes that sums to 1",
        advice=advice(bad[1], bad[2], bad[0]),
        see=SEE_QUERY,
    )

    nothing, why = outcome({})
    value = draw.integer(0, k - 1)
    everything = {i: value for i in range(n)}
    certain, _ = outcome(everything)
    p[:, value] = 0.0
    p /= p.sum()
    impossible, raised = outcome({1: value})
    refusal = exception_of(conditional_query, p, {1: value})
    refused = refusal is not None and refusal.is_a(ValueError)
    no_evidence = nothing is not None and nothing.shape == p.shape and abs(nothing.sum() - 1) < 1e-9
    certain_is_one = certain is not None and certain.shape == () and abs(float(certain) - 1) < 1e-9
    yield claim(
        "no evidence leaves the joint, full evidence leaves 1, impossible evidence is refused",
        refused and no_evidence and certain_is_one,
        saw="without evidence: " + told(nothing, why)
        if not no_evidence
        else "with all variables given: " + told(certain, "an exception")
        if not certain_is_one
        else "for evidence of probability 0: " + told(impossible, raised),
        asks="the joint itself; the number 1; and a ValueError, since 0/0 is no answer",
        advice=[
            when(
                no_evidence
                and certain_is_one
                and impossible is not None
                and np.isnan(impossible).any(),
                "nan-for-impossible-evidence",
                "0/0 went through as NaN: test p(evidence) before you divide, and raise a "
                "ValueError",
            ),
            when(
                no_evidence and certain_is_one and not refused,
                "impossible-evidence-answered",
                "evidence of probability 0 has no conditional distribution: raise a ValueError "
                "that says so",
            ),
            "an empty dictionary cuts nothing, and a full one leaves a single number, divided by "
            "itself",
        ],
        see=SEE_QUERY,
    )
