"""Checks of lesson 06, KL: entropies of tables, units of text, and the two ways to fit a Gaussian.

Notation: p is the world, q the model; KL(p‖q) = Σ p log(p/q) in nats, weighted by its first
argument (Kullback and Leibler, 1951; Cover and Thomas, 2006, chapter 2). Densities are tabulated on
evenly spaced grids.
"""

from __future__ import annotations

import contextlib
import itertools
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from autograder.checking import checks
from autograder.checks.arguments import untouched
from autograder.checks.numbers import SMALL, exactly, number
from autograder.claims import Cause, Claim, waiting
from autograder.diagnosis import Mistake, Property, Subject, Symptom, examine
from autograder.diagnosis.examine import shown
from autograder.diagnosis.mistakes import Observation, alike
from autograder.diagnosis.shrinking import tables_of
from autograder.draw import Draw
from autograder.remote.proxy import Standin, StudentFailed, WrongKind

LESSON = "06_kl"
SQRT_2_PI = math.sqrt(2 * math.pi)
WHOLE = "a whole walk"
BY_DEFAULT = "one step at the rate that is taken if none is given"
RATE = 0.02  # that rate


# --- what the mathematics says --------------------------------------------------------------------


def log_gaussian(x: np.ndarray, mu: float, sigma: float) -> np.ndarray:
    """log of the density of N(mu, sigma²)."""
    return -0.5 * ((x - mu) / sigma) ** 2 - np.log(sigma) - 0.5 * np.log(2 * np.pi)


def mixture(grid: np.ndarray, bumps: Sequence[tuple[float, float, float]]) -> np.ndarray:
    """The density Σ weight · N(mean, sd²) on the grid; bumps are (weight, mean, sd)."""
    return sum(w * np.exp(log_gaussian(grid, m, s)) for w, m, s in bumps)


def table(draw: Draw, outcomes: int, zeros: int = 0) -> np.ndarray:
    """Random probabilities (outcomes,), none too near the uniform ones; `zeros` of them are 0."""
    p = draw.rng.gamma(0.7, size=outcomes) + 0.02
    p[draw.permutation(outcomes)[:zeros]] = 0.0
    return p / p.sum()


# --- entropy, cross-entropy, KL -------------------------------------------------------------------


def surprise(
    p: np.ndarray,
    q: np.ndarray,
    *,
    log: Any = np.log,
    weight: str = "p",
    inside: str = "q",
    left_out: str = "p = 0",
    floor: float = 0.0,
    least: float = 0.0,
) -> float:
    """H(p, q) = Σ p (−log q) in nats over p > 0. Each option turns one thing of it wrong.

    `floor` is added inside the logarithm, `least` is the least value that q has there.
    """
    outcomes = {
        "p = 0": p > 0,
        "nothing": p == p,
        "q = 0": q > 0,
        "both": (p > 0) & (q > 0),
    }[left_out]
    weights = {"p": p, "q": q, "none": np.ones(len(p))}[weight][outcomes]
    belief = {"p": p, "q": q}[inside][outcomes]
    return float(-(weights * log(np.maximum(belief + floor, least))).sum())


def rule_of_entropy(p: np.ndarray, **wrong: Any) -> float:
    """H(p) = H(p, p) in nats."""
    return surprise(p, p, **wrong)


def rule_of_kl(
    p: np.ndarray, q: np.ndarray, *, floor: float = 0.0, least: float = 0.0, **wrong: Any
) -> float:
    """KL(p‖q) = H(p, q) − H(p) in nats: inf where q = 0 < p. `floor` and `least` are for q."""
    return surprise(p, q, floor=floor, least=least, **wrong) - surprise(p, p, **wrong)


def entropy_plainly(p: np.ndarray) -> float:
    """H(p) without options."""
    seen = p[p > 0]
    return float(-(seen * np.log(seen)).sum())


def kl_plainly(p: np.ndarray, q: np.ndarray) -> float:
    """KL(p‖q) without options, as one sum."""
    seen = p > 0
    return float((p[seen] * (np.log(p[seen]) - np.log(q[seen]))).sum())


_BITS = tuple(
    Mistake(
        name,
        f"these are {what}: the lesson counts in nats, with natural logarithms",
        options={"log": log},
    )
    for name, what, log in (("bits-for-nats", "bits", np.log2), ("base-10", "base 10", np.log10))
)
_SIGN = Mistake("sign", "a sign is lost: surprise is MINUS a logarithm", after=lambda v, *_: -v)
_MEAN = Mistake(
    "mean-for-sum",
    "the weights p are an average already: sum the products, do not take their mean",
    after=lambda v, p, *_: v / len(p),
)
_UNWEIGHTED = Mistake(
    "mean-over-outcomes",
    "every outcome counts the same in your answer: a rare one must weigh less, by p",
    options={"weight": "none"},
)
_NAN = Mistake(
    "zero-log-zero",
    "0 · log 0 is NaN in floating point, and counts as 0 here: leave the outcomes with p = 0 out",
    options={"left_out": "nothing"},
)
_NAN_OF_Q = Mistake(  # as in F.kl_div, which leaves p log p out where p = 0, and not p log q
    _NAN.name,
    _NAN.advice,
    gives=lambda p, q: np.nan if ((p == 0) & (q == 0)).any() else kl_plainly(p, q),
)
_LEFT_OUT = tuple(
    Mistake(
        "zeros-of-q-left-out",
        "you leave the outcomes with q = 0 out: only those with p = 0 may go",
        options={"left_out": left_out},
    )
    for left_out in ("both", "q = 0")
)
_EPSILON = tuple(
    Mistake(
        "epsilon-in-log",
        "something small is added inside the logarithm, or q is clipped: that hides the infinite "
        "price of calling a real event impossible",
        options={how: small},
    )
    for how in ("floor", "least")
    for small in SMALL
)
_FINITE = Symptom(
    "epsilon-in-log",
    "your price of an event that the model calls impossible is a finite number: it must be inf, "
    "and nothing may stand in its place",
    lambda seen: (
        bool(never := [o.answer for o in seen if o.right == np.inf])
        and bool(np.isfinite(never).all())
        and not any(o.fails for o in seen if o.args[1].min() > 1e-15)
    ),
)


def until_never(p: np.ndarray) -> slice:
    """The outcomes before the first with p = 0: all, if there is none."""
    return slice(len(p) if p.all() else int(np.argmin(p > 0)))


_ENDS_AT_ZERO = Mistake(
    "ends-at-the-first-zero",
    "your sum ends at the first outcome with p = 0 (as with break): such an outcome counts "
    "nothing, and those after it do (continue)",
    gives=lambda p, *q: (kl_plainly if q else entropy_plainly)(
        *(t[until_never(p)] for t in (p, *q))
    ),
)
_INF_EVERYWHERE = Mistake(
    "never-and-never",
    "your answer is inf wherever some q is 0: where p is 0 too, nothing is called impossible that "
    "ever happens, and it counts nothing",
    after=lambda v, p, q: np.inf if (q == 0).any() else v,
)


def typical_tables(draw: Draw) -> list[tuple[np.ndarray]]:
    """Tables of 3, of some and of hundreds of outcomes, none of them 0; and one of equal pairs."""
    cases = [(table(draw, k),) for k in (3, draw.integer(4, 8), draw.integer(200, 300))]
    return [*cases, (np.repeat(table(draw, draw.integer(3, 6)), 2) / 2,)]


def tables_with_zeros(draw: Draw) -> list[tuple[np.ndarray]]:
    """Certainty, a table of one outcome, and one with zeros."""
    k = draw.integer(3, 9)
    sure = np.eye(k)[draw.integer(0, k - 1)]
    return [(sure,), (np.array([1.0]),), (table(draw, 12, zeros=draw.integer(3, 8)),)]


def typical_pairs(draw: Draw) -> list[tuple[np.ndarray, np.ndarray]]:
    """World and model, none of their outcomes 0."""
    sizes = (3, draw.integer(4, 8), draw.integer(200, 300))
    return [(table(draw, k), table(draw, k)) for k in sizes]


def worlds_with_zeros(draw: Draw) -> list[tuple[np.ndarray, np.ndarray]]:
    """Outcomes that never happen, some of them impossible for the model too: a few, hundreds."""
    cases = []
    for k in (draw.integer(8, 14), draw.integer(200, 300)):
        p, q = table(draw, k, zeros=k // 3), table(draw, k)
        q[np.flatnonzero(p == 0)[:2]] = 0.0
        cases.append((p, q / q.sum()))
    return cases


def wrong_nevers(draw: Draw) -> list[tuple[np.ndarray, np.ndarray]]:
    """Models that call a real event impossible, and nearly so."""
    k = draw.integer(3, 8)
    p, q = table(draw, k), table(draw, k)
    victim = draw.integer(0, k - 1)
    q[victim] = 0.0
    q /= q.sum()
    tiny = q.copy()
    tiny[victim] = 10.0 ** -draw.integer(30, 200)
    return [(p, q), (p, tiny)]


def near_and_far(draw: Draw) -> list[tuple[np.ndarray, np.ndarray]]:
    """A model that is the world itself, and beliefs near to it and far, bolder and more timid ones.

    These are the world's powers: Σ (p − q) log p is negative for one of them and positive for the
    other, so that a difference of other entropies cannot be positive for both.
    """
    p = table(draw, draw.integer(5, 60))
    cases = [(p, p.copy()), *((p, p**power / (p**power).sum()) for power in (2.0, 0.5))]
    for _ in range(12):
        k = draw.integer(2, 30)
        p, q = table(draw, k), table(draw, k)
        while np.abs(p - q).max() < 0.05:  # two tables of two outcomes may be almost equal
            q = table(draw, k)
        cases += [(p, (1 - t) * p + t * q) for t in (1.0, 0.1)]
    return cases


def show_tables(p: np.ndarray, q: np.ndarray | None = None) -> str:
    """A case in words."""
    return f"p = {shown(p)}" + ("" if q is None else f", q = {shown(q)}")


def smaller_pairs(p: np.ndarray, q: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Simple worlds with simple models, of fewer outcomes."""
    for k in range(2, min(len(p), 5)):
        yield from itertools.permutations(tables_of(k), 2)


def by_hand(p: np.ndarray, q: np.ndarray | None = None, *, divergence: bool = False) -> str:
    """The sum, term by term, where p has at most four outcomes."""
    if len(p) > 4:
        return ""
    q = p if q is None else q
    terms = [
        f"{a:.3g}·log({a:.3g}/{b:.3g})" if divergence else f"{a:.3g}·(−log {b:.3g})"
        for a, b in zip(p, q, strict=True)
        if a > 0
    ]
    total = rule_of_kl(p, q) if divergence else surprise(p, q)
    return " + ".join(terms) + f" = {total + 0:.4g} nats"  # never −0


_OTHER_MEASURES = tuple(
    Mistake(
        "another-measure",
        f"this is {what}, another measure of the uncertainty: H(p) averages −log p",
        gives=program,
    )
    for what, program in (
        ("the surprise of the likeliest outcome (the min-entropy)", lambda p: -np.log(p.max())),
        ("−log Σ p² (the collision entropy)", lambda p: -np.log((p**2).sum())),
        ("1 − Σ p² (the Gini impurity)", lambda p: 1 - (p**2).sum()),
    )
)


_MISTAKES_OF_ENTROPY = (
    *_BITS,
    _SIGN,
    _UNWEIGHTED,
    Mistake(
        "mean-over-outcomes",
        "every outcome counts the same in your answer: a rare one must weigh less, by p",
        gives=lambda p: -np.log(p[p > 0]).mean(),
    ),
    _MEAN,
    Mistake(
        "perplexity-for-entropy",
        "this is exp H, a number of choices: H itself is asked",
        after=lambda v, p: np.exp(v),
    ),
    Mistake(
        "normalized",
        "this is divided by log K, the most that K outcomes can have: H itself is asked, in nats",
        after=lambda v, p: v / np.log(max(len(p), 2)),
    ),
    Mistake(
        "only-the-count",
        "this is log K, whatever the probabilities: it is the entropy of even ones only",
        gives=lambda p: np.log((p > 0).sum()),
    ),
    Mistake(
        "equal-ones-once",
        "two outcomes with the same probability are two: np.unique(p) keeps one of them",
        gives=lambda p: rule_of_entropy(np.unique(p)),
    ),
    Mistake(
        "probabilities-counted",
        "you count how often each number stands in p: p holds the probabilities already",
        gives=lambda p: rule_of_entropy(np.unique(p, return_counts=True)[1] / len(p)),
    ),
    Mistake(
        "binary-formula",
        "this is the formula for coins, with the terms (1 − p) log(1 − p): over a table of "
        "outcomes only the p log p are summed",
        gives=lambda p: rule_of_entropy(p) + rule_of_entropy(1 - p),
    ),
    Mistake(
        "binary-formula",
        "this is the formula for a coin, of the first outcome and all others together: "
        "each outcome has its own term",
        gives=lambda p: rule_of_entropy(np.array([p[0], 1 - p[0]])),
    ),
    *_OTHER_MEASURES,
    _ENDS_AT_ZERO,
    _NAN,
    Mistake(
        "zero-log-zero",
        "0 · log 0 is NaN in floating point, and a sum with it is NaN too, of which you "
        "make 0: leave the outcomes with p = 0 out before the sum",
        gives=lambda p: rule_of_entropy(p) if p.all() else 0.0,
    ),
    *_EPSILON,
    *(
        Mistake(
            "epsilon-everywhere",
            f"something small is added to every p{then}: the probabilities are those that are "
            "given, and an outcome with p = 0 is left out",
            gives=lambda p, small=small, of=of: (
                -((t := (p + small) / of(p + small)) * np.log(t)).sum()
            ),
        )
        for small in (1e-2, 1e-3, 1e-4, *SMALL)
        for then, of in (("", lambda t: 1.0), (", and the whole divided by its sum", np.sum))
    ),
)


@checks("entropy", lesson=LESSON, points=1, see="Exercise 1: surprise")
def entropy_of_a_table(entropy: Standin, draw: Draw) -> Iterator[Claim | Cause]:
    """The average surprise of who knows p."""
    subject = Subject(
        ask=lambda p: number(untouched(entropy)(p), "the entropy"),
        rule=rule_of_entropy,
        forms=(entropy_plainly,),
        mistakes=_MISTAKES_OF_ENTROPY,
        show=show_tables,
        by_hand=by_hand,
        smaller=lambda p: ((t,) for k in range(2, min(len(p), 5)) for t in tables_of(k)),
        alike=exactly,
    )
    yield from examine(
        subject,
        draw,
        Property(
            "average",
            "H(p) is the average surprise −log p, weighted by p, in nats",
            typical_tables,
            points=0.5,
            asks="each outcome's −log p, counted with the weight p, summed",
        ),
        Property(
            "zeros",
            "an outcome of probability 0 counts nothing, and certainty has entropy 0",
            tables_with_zeros,
            points=0.5,
            asks="0 · log 0 counts as 0, since t log t → 0",
            typical=False,
            needs="average",
        ),
    )


_SQUARED_ERRORS = tuple(
    Mistake(
        "squared-error",
        "squared differences of p and q are summed: what is averaged is −log q, or log(p/q)",
        gives=lambda p, q, over=over: ((p - q) ** 2).sum() / over(p),
    )
    for over in (lambda p: 1, len)
)


@checks("cross_entropy", lesson=LESSON, points=2, see="Exercise 1: surprise")
def surprise_of_a_believer(cross_entropy: Standin, draw: Draw) -> Iterator[Claim | Cause]:
    """The average surprise of who believes q while the world does p."""
    subject = Subject(
        ask=lambda p, q: number(untouched(cross_entropy)(p, q), "the cross-entropy"),
        rule=surprise,
        mistakes=(
            Mistake(
                "arguments-swapped",
                "p and q have changed places: the FIRST argument weights, the second one stands in "
                "the logarithm",
                gives=lambda p, q, **wrong: surprise(q, p, **wrong),
            ),
            *_BITS,
            _SIGN,
            Mistake(
                "kl-for-cross-entropy",
                "this is KL(p‖q): the cross-entropy keeps the part H(p) that nobody can avoid",
                gives=rule_of_kl,
            ),
            *(
                Mistake(
                    "only-one-of-them",
                    "your answer depends on one of the two only: weights from p, surprises from q",
                    options=one,
                )
                for one in ({"inside": "p"}, {"weight": "q"})
            ),
            _UNWEIGHTED,
            Mistake(
                "mean-over-outcomes",
                "every outcome counts the same in your answer: weight it by p",
                gives=lambda p, q: -np.log(q[p > 0]).mean(),
            ),
            _MEAN,
            Mistake(
                "softmax-first",
                "this takes q for logits (as F.cross_entropy does): q holds probabilities",
                gives=lambda p, q: np.log(np.exp(q).sum()) - (p * q).sum(),
            ),
            Mistake(
                "binary-formula",
                "this is the formula for coins, with the terms (1 − p) log(1 − q): over a table of "
                "outcomes only the p log q are summed",
                gives=lambda p, q: surprise(p, q) - ((1 - p) * np.log(1 - q))[p > 0].sum(),
            ),
            Mistake(
                "likeliest-only",
                "only the likeliest outcome counts in your answer, as if it were the one label: "
                "every outcome counts, with its weight p",
                gives=lambda p, q: -np.log(q[p.argmax()]),
            ),
            Mistake(
                "entropy-of-q",
                "H(q) is added to KL(p‖q) here: what they have in common is H(p)",
                gives=lambda p, q: kl_plainly(p, q) + rule_of_entropy(q),
            ),
            Mistake(
                "log-of-mean",
                "this is minus the logarithm of the average q: average the LOGS",
                gives=lambda p, q: -np.log((p * q).sum()),
            ),
            Mistake(
                "product-in-the-logarithm",
                "the logarithm is taken of p · q: the weight p stands outside, q alone inside",
                gives=lambda p, q: surprise(p, q) + rule_of_entropy(p),
            ),
            Mistake(
                "q-normalized-again",
                "q is divided by what it gives to the outcomes with p > 0: what a belief wastes on "
                "events that never happen is a part of its price",
                gives=lambda p, q: surprise(p, q / q[p > 0].sum()),
            ),
            *_SQUARED_ERRORS,
            Mistake(
                _ENDS_AT_ZERO.name,
                _ENDS_AT_ZERO.advice,
                gives=lambda p, q: surprise(*(t[until_never(p)] for t in (p, q))),
            ),
            _NAN,
            _INF_EVERYWHERE,
            *_LEFT_OUT,
            *_EPSILON,
        ),
        symptoms=(_FINITE,),
        show=show_tables,
        by_hand=by_hand,
        smaller=smaller_pairs,
        alike=exactly,
    )
    yield from examine(
        subject,
        draw,
        Property(
            "average",
            "H(p, q) is the average of −log q, weighted by p, in nats",
            typical_pairs,
            points=1,
            asks="the outcomes come as p says, the surprise is −log q",
        ),
        _zeros(0.5, "what never happens surprises nobody"),
        _price_of_never("H(p, q)", 0.5),
    )


def _zeros(points: float, asks: str) -> Property:
    text = "an outcome with p = 0 counts nothing, whatever q says of it"
    return Property("zeros", text, worlds_with_zeros, points, asks, typical=False, needs="average")


def _price_of_never(what: str, points: float) -> Property:
    return Property(
        "never",
        f"{what} is inf where the model calls a real event impossible, and exact where nearly so",
        wrong_nevers,
        points,
        asks="−log q grows without bound as q → 0, and is inf at 0",
        typical=False,
        needs="average",
    )


@checks("kl", lesson=LESSON, points=3, see="Exercise 1: surprise")
def price_of_a_belief(kl: Standin, draw: Draw) -> Iterator[Claim | Cause]:
    """What believing q costs while the world does p, beyond what p costs itself."""
    subject = Subject(
        ask=lambda p, q: number(untouched(kl)(p, q), "the divergence"),
        rule=rule_of_kl,
        forms=(kl_plainly,),
        mistakes=(
            *_MISTAKES_OF_KL,
            _ENDS_AT_ZERO,
            _NAN,
            _NAN_OF_Q,
            *_LEFT_OUT,
            *_EPSILON,
            *_EPSILON_IN_BOTH,
        ),
        symptoms=(_FINITE,),
        show=show_tables,
        by_hand=lambda p, q: by_hand(p, q, divergence=True),
        smaller=smaller_pairs,
        alike=exactly,
    )
    yield from examine(
        subject,
        draw,
        Property(
            "average",
            "KL(p‖q) is the average of log(p/q), weighted by p, in nats",
            typical_pairs,
            points=1,
            asks="H(p, q) − H(p): the surprise that q adds",
        ),
        Property(
            "gibbs",
            "it is 0 for q = p, and positive for every other q without a 0",
            near_and_far,
            points=0.5,
            asks="Gibbs' inequality: nobody is less surprised by p than who believes p",
            # Pinsker: KL ≥ 2 · 0.005² = 5e-5 for the nearest of these beliefs.
            alike=lambda a, b: abs(a) < 1e-12 if abs(b) < 1e-12 else a > 1e-7,
            typical=False,
            needs="average",
        ),
        _zeros(0.5, "0 · log 0 counts as 0"),
        _price_of_never("KL(p‖q)", 1),
    )


def kl_terms(p: np.ndarray, q: np.ndarray) -> np.ndarray:
    """p log(p/q) − p + q, as `scipy.special.kl_div` has it: the same sum, and no term below 0."""
    return np.where(p > 0, p * np.log(np.where(p > 0, p, 1.0) / q), 0.0) - p + q


_EPSILON_IN_BOTH = tuple(
    Mistake(
        "epsilon-in-log",
        "something small is added to p and q inside the logarithms (or both are clipped): that "
        "hides the infinite price of calling a real event impossible",
        gives=lambda p, q, small=small: (p * np.log((p + small) / (q + small))).sum(),
    )
    for small in SMALL
)
_MISTAKES_OF_KL = (
    Mistake(
        "arguments-swapped",
        "this is KL(q‖p), the other way round: the FIRST argument weights",
        gives=lambda p, q, **wrong: rule_of_kl(q, p, **wrong),
    ),
    *_BITS,
    Mistake("sign", "a sign is lost: log(p/q), not log(q/p)", after=lambda v, *_: -v),
    Mistake(
        "weights-of-q",
        "log(p/q) is weighted by q here, which gives −KL(q‖p): the weight is p",
        gives=lambda p, q: (q * np.log(p / q))[p > 0].sum(),
    ),
    Mistake(
        "cross-entropy-for-kl",
        "this is H(p, q): take away the part H(p) that even a perfect believer pays",
        gives=surprise,
    ),
    Mistake(
        "arguments-swapped",
        "H(p) is taken from H(q, p) here, which can be negative: it is a part of H(p, q)",
        gives=lambda p, q: surprise(q, p) - rule_of_entropy(p),
    ),
    Mistake(
        "arguments-swapped",
        "H(q) is taken from H(p, q) here, which can be negative: the part that even a perfect "
        "believer pays is H(p)",
        gives=lambda p, q: surprise(p, q) - rule_of_entropy(q),
    ),
    Mistake(
        "difference-of-entropies",
        "H(q) − H(p) is no divergence (it can be negative): the cross-entropy H(p, q) is what H(p) "
        "is taken from",
        gives=lambda p, q: rule_of_entropy(q) - rule_of_entropy(p),
    ),
    *(
        Mistake(
            "symmetrized",
            "this is a symmetric relative of KL: the lesson is about its asymmetry",
            gives=program,
        )
        for program in (
            lambda p, q: rule_of_kl(p, q) + rule_of_kl(q, p),
            lambda p, q: (rule_of_kl(p, q) + rule_of_kl(q, p)) / 2,
            lambda p, q: rule_of_kl(p, (p + q) / 2) / 2 + rule_of_kl(q, (p + q) / 2) / 2,
        )
    ),
    Mistake(
        "absolute-terms",
        "single terms may be negative, and must stay so: only their sum is never below 0",
        gives=lambda p, q: np.abs(p * np.log(p / q))[p > 0].sum(),
    ),
    Mistake(
        "absolute-terms",
        "terms below 0 are cut off: they must stay, and only the whole sum is never below 0",
        gives=lambda p, q: np.maximum(p * np.log(p / q), 0.0)[p > 0].sum(),
    ),
    Mistake(
        "binary-formula",
        "this is the formula for coins, with the terms (1 − p) log((1 − p)/(1 − q)): over a table "
        "of outcomes only the p log(p/q) are summed",
        gives=lambda p, q: kl_plainly(p, q) + kl_plainly(1 - p, 1 - q),
    ),
    Mistake(
        "q-normalized-again",
        "q is divided by what it gives to the outcomes with p > 0: what a belief wastes on events "
        "that never happen is a part of its price",
        gives=lambda p, q: kl_plainly(p, q / q[p > 0].sum()),
    ),
    Mistake(
        "mass-of-q-lost",
        "to the terms p log(p/q) − p + q (as in kl_div) belong those with p = 0 too, which are q: "
        "without the − p + q they may go",
        gives=lambda p, q: kl_plainly(p, q) - 1 + q[p > 0].sum(),
    ),
    _INF_EVERYWHERE,
    Mistake(
        "zeros-of-q-left-out",
        "you leave the outcomes with q = 0 out: only those with p = 0 may go",
        gives=lambda p, q: kl_plainly(np.where(q > 0, p, 0.0), q),
    ),
    Mistake(
        "zeros-of-q-left-out",
        "you leave the outcomes with q = 0 out: only those with p = 0 may go",
        gives=lambda p, q: np.where(q > 0, kl_terms(p, q), 0.0).sum(),
    ),
    Mistake(
        "squared-terms",
        "the logarithms are squared: KL is no distance, and sums p · log(p/q) as it is",
        gives=lambda p, q: (p * np.log(p / q) ** 2)[p > 0].sum(),
    ),
    _UNWEIGHTED,
    Mistake(
        "mean-over-outcomes",
        "every outcome counts the same in your answer: weight log(p/q) by p",
        gives=lambda p, q: np.log(p / q)[p > 0].mean(),
    ),
    Mistake(
        "mean-for-sum",
        "the weights p are an average already: sum the products (F.kl_div's default, "
        "reduction='mean', divides once too often)",
        after=lambda v, p, q: v / len(p),
    ),
    *(
        Mistake(
            "probabilities-for-logs",
            "the logarithm of q is missing: F.kl_div wants LOG-probabilities first, then p",
            gives=program,
        )
        for program in (
            lambda p, q: np.where(p > 0, p * (np.log(p) - q), 0.0).sum(),
            lambda p, q: np.where(p > 0, p * (np.log(p) - q), 0.0).mean(),
            lambda p, q: np.where(q > 0, q * (np.log(q) - p), 0.0).sum(),
        )
    ),
    *_SQUARED_ERRORS,
    *(
        Mistake(
            "another-divergence",
            f"this is {what}, another measure of how far p and q are apart: KL averages log(p/q)",
            gives=program,
        )
        for what, program in (
            ("Σ (p − q)²/q (chi-square)", lambda p, q: ((p - q) ** 2 / q).sum()),
            ("½ Σ |p − q| (the total variation)", lambda p, q: np.abs(p - q).sum() / 2),
            (
                "the root of the Jensen-Shannon divergence",
                lambda p, q: np.sqrt(
                    rule_of_kl(p, (p + q) / 2) / 2 + rule_of_kl(q, (p + q) / 2) / 2
                ),
            ),
        )
    ),
    Mistake(
        "log-forgotten",
        "the ratios p/q are averaged: their LOGARITHMS are",
        gives=lambda p, q: (p * p / q)[p > 0].sum(),
    ),
    Mistake(
        "multiplied-by-ln-2",
        "no factor is needed: np.log gives nats already",
        after=lambda v, *_: v * np.log(2),
    ),
)


# --- units of text --------------------------------------------------------------------------------


def rule_of_perplexity(log_probs: np.ndarray) -> float:
    """exp of the average surprise: the geometric mean of 1/probability over the tokens."""
    return float(np.exp(-np.mean(log_probs)))


def rule_of_bits(log_probs: np.ndarray) -> float:
    """The average surprise in bits."""
    return float(-np.mean(log_probs) / np.log(2))


def typical_texts(draw: Draw) -> list[tuple[np.ndarray]]:
    """Three texts of tokens of every kind, one of even tokens, and one that is always sure."""
    cases = [
        (np.log(draw.uniform(n) * scale + 0.01),)
        for n, scale in ((2, 0.9), (draw.integer(5, 9), 0.5), (draw.integer(20, 30), 0.1))
    ]
    n = draw.integer(3, 40)
    return [*cases, (np.full(n, -np.log(draw.integer(20, 90))),), (np.zeros(n),)]


def repeated_texts(draw: Draw) -> list[tuple[np.ndarray]]:
    """One text, the same twice, and 300 times."""
    text = np.log(draw.uniform(draw.integer(30, 60)) * 0.2 + 0.001)
    return [(np.tile(text, copies),) for copies in (1, 2, 300)]


def coins_and_certainty(draw: Draw) -> list[tuple[np.ndarray]]:
    """Fair coins, and tokens that are sure, beside ordinary texts."""
    return [*typical_texts(draw), (np.full(draw.integer(2, 30), np.log(0.5)),)]


def with_an_impossible_token(draw: Draw) -> list[tuple[np.ndarray]]:
    """A text, its copies, and the text with a token of probability 0."""
    cases = repeated_texts(draw)
    return [*cases, (np.append(cases[0][0], -np.inf),)]


def grows_with_length(seen: Sequence[Observation], total: Callable[[float], float]) -> bool:
    """Whether twice the text has twice the `total`, in all of the pairs that were asked.

    Texts of certain tokens tell nothing: nothing is twice nothing.
    """
    answers = {(len(o.args[0]), o.args[0][0]): o.answer for o in seen}
    pairs = [
        (total(answers[n, first]), total(answers[2 * n, first]))
        for n, first in answers
        if first and (2 * n, first) in answers
    ]
    return bool(pairs) and all(
        np.isfinite(two) and abs(one) > 1e-3 and exactly(two, 2 * one) for one, two in pairs
    )


def show_text(log_probs: np.ndarray) -> str:
    """A text in words."""
    times = "s" if len(log_probs) > 1 else ""
    return f"{len(log_probs)} token{times} of probability {shown(np.exp(log_probs))}"


def smaller_texts(log_probs: np.ndarray) -> Iterator[tuple[np.ndarray]]:
    """Texts of one token and of two."""
    if len(log_probs) > 2:
        yield from ((np.log(t),) for t in ([0.5], [0.5, 0.125], [0.25, 0.25, 0.0625]))


def mean_by_hand(log_probs: np.ndarray, *, bits: bool) -> str:
    """The average, term by term, of a text of at most four tokens."""
    if len(log_probs) > 4:
        return ""
    terms = " + ".join(f"(−log {value:.3g})" for value in np.exp(log_probs))
    mean = f"({terms})/{len(log_probs)}"
    if bits:
        return f"{mean} = {-log_probs.mean():.4g} nats = {rule_of_bits(log_probs):.4g} bits"
    return f"exp of {mean} = {rule_of_perplexity(log_probs):.4g}"


_LOG_OF_LOGS = "log_probs are logarithms already: no further one is needed"
_PER_TOKEN = "the answer grows with the length of the text: divide by the number of tokens"
_SUMMED = Symptom(
    "exp-of-sum",
    "for a text twice it is the square of that for the text once: " + _PER_TOKEN,
    lambda seen: grows_with_length(
        seen, lambda v: np.log(v) if np.isfinite(v) and v > 0 else np.nan
    ),
)
_HIDDEN = Symptom(
    "impossible-token-hidden",
    "with an impossible token your answer is still finite: it must cost everything, and nothing "
    "may be clipped or left out",
    lambda seen: (
        bool(never := [o.answer for o in seen if o.right == np.inf])
        and bool(np.isfinite(never).all())
        and not any(o.fails for o in seen if o.right != np.inf)
    ),
)


_COUNTED = "every one of the N tokens counts, the first too: divide by N"
_COUNTS_OFF = (
    Mistake(
        "count-off-by-one",
        "the sum is divided by N − 1: " + _COUNTED,
        gives=lambda t: np.exp(-t.sum() / (len(t) - 1)),
    ),
    Mistake(
        "count-off-by-one",
        "the first token is left out: " + _COUNTED,
        gives=lambda t: np.exp(-t[1:].sum() / (len(t) - 1)),
    ),
    Mistake(
        "count-off-by-one",
        "the first token is left out of the sum, which is divided by N all the same: every one of "
        "the N tokens has a price, the first too",
        gives=lambda t: np.exp(-t[1:].sum() / len(t)),
    ),
    Mistake(
        "count-off-by-one",
        "the last token is left out of the sum: every one of the N tokens has a price",
        gives=lambda t: np.exp(-t[:-1].sum() / len(t)),
    ),
    Mistake(
        "count-off-by-one",
        "the last token is left out: every one of the N tokens counts",
        gives=lambda t: np.exp(-t[:-1].sum() / (len(t) - 1)),
    ),
)
_WEIGHTED = (
    "each token is weighted by its own probability here: in the mean over a text every "
    "token counts once (the text itself has the frequencies)"
)
_OTHER_MEANS = (
    Mistake("weighted-by-q", _WEIGHTED, gives=lambda t: -np.nan_to_num(np.exp(t) * t).sum()),
    Mistake("weighted-by-q", _WEIGHTED, gives=lambda t: -np.nan_to_num(np.exp(t) * t).mean()),
    Mistake(
        "weighted-by-q",
        _WEIGHTED,
        gives=lambda t: -np.nan_to_num(np.exp(t) * t).sum() / np.exp(t).sum(),
    ),
    Mistake(
        "weighted-by-q",
        _WEIGHTED,
        gives=lambda t: -(np.exp(t) * t).sum() / np.exp(t).sum(),
    ),
    Mistake(
        "median-for-mean",
        "this is made of the median of the surprises: their mean is asked",
        gives=lambda t: -np.median(t),
    ),
    Mistake(
        "normalized-over-the-text",
        "a softmax over the tokens of the text comes first: log_probs are logarithms of "
        "probabilities already, each from a distribution of its own",
        gives=lambda t: np.logaddexp.reduce(t) - t.mean(),
    ),
)


@checks("perplexity", lesson=LESSON, points=1, see="Exercise 2: two units for text")
def choices_of_a_model(perplexity: Standin, draw: Draw) -> Iterator[Claim | Cause]:
    """As unsure as among so many equally likely tokens."""
    mixed = "two bases are mixed: natural logarithms belong to exp, binary ones to 2^…"
    arithmetic = "you average probabilities or their inverses: average the LOGS, then take exp"
    subject = Subject(
        ask=lambda t: number(untouched(perplexity)(t), "the perplexity"),
        rule=rule_of_perplexity,
        mistakes=(
            Mistake(
                "exp-of-sum",
                "this is exp of the SUM, which grows with the text: take the mean over the tokens",
                gives=lambda t: np.exp(-t.sum()),
            ),
            Mistake(
                "sign",
                "below 1: the surprise is MINUS the log-probability",
                gives=lambda t: np.exp(t.mean()),
            ),
            Mistake(
                "sign",
                "the minus stands outside of exp: it belongs inside, before the mean",
                gives=lambda t: -np.exp(t.mean()),
            ),
            *_COUNTS_OFF,
            *(
                Mistake(m.name, m.advice, gives=lambda t, m=m: np.exp(m.gives(t)))
                for m in _OTHER_MEANS
            ),
            Mistake("base-mixed", mixed, gives=lambda t: 2.0 ** -t.mean()),
            Mistake("base-mixed", mixed, gives=lambda t: np.exp(-t.mean() / np.log(2))),
            Mistake("arithmetic-mean", arithmetic, gives=lambda t: np.exp(-t).mean()),
            Mistake("arithmetic-mean", arithmetic, gives=lambda t: 1 / np.exp(t).mean()),
            Mistake(
                "product-underflows",
                "a product of thousands of probabilities is 0 in floating point: add logarithms",
                gives=lambda t: np.prod(np.exp(t)) ** (-1 / len(t)),
            ),
            Mistake(
                "exp-forgotten",
                "this is the mean surprise in nats: exp of it",
                gives=lambda t: -t.mean(),
            ),
            Mistake("log-of-logs", _LOG_OF_LOGS, gives=lambda t: np.exp(-np.log(-t).mean())),
            Mistake("log-of-logs", _LOG_OF_LOGS, gives=lambda t: np.exp(-np.log(t).mean())),
        ),
        symptoms=(_SUMMED, _HIDDEN),
        show=show_text,
        by_hand=lambda t: mean_by_hand(t, bits=False),
        smaller=smaller_texts,
        alike=exactly,
    )
    yield from examine(
        subject,
        draw,
        Property(
            "choices",
            "perplexity is exp of the average surprise: V if even over V tokens, 1 if always sure",
            typical_texts,
            points=0.5,
            asks="the geometric mean of 1/probability over the tokens",
        ),
        Property(
            "length",
            "length alone does not perplex; one impossible token does, without end",
            with_an_impossible_token,
            points=0.5,
            asks="an average over tokens; inf where one of them has log-probability −inf",
            typical=False,
            needs="choices",
        ),
    )


_OTHER_BITS = (
    Mistake(
        "another-base",
        "the natural logarithm is divided by log₁₀ 2: from nats to bits it is ln 2",
        gives=lambda t: -t.mean() / np.log10(2),
    ),
    Mistake(
        "bytes-for-bits",
        "this is divided by 8 as well, or by ln 256: a token's BITS are asked, not bytes",
        gives=lambda t: -t.mean() / np.log(256),
    ),
    Mistake(
        "whole-bits",
        "each token's bits are rounded up to a whole number: an average surprise is no code of "
        "whole bits",
        gives=lambda t: np.ceil(-t / np.log(2)).mean(),
    ),
    Mistake(
        "whole-bits",
        "the bits per token are cut off to a whole number, as // does: / keeps the fraction",
        gives=lambda t: np.floor(-t.mean() / np.log(2)),
    ),
    *(
        Mistake(
            "rounded-constant",
            f"the factor is rounded to {factor}: it is 1/ln 2 = 1.442695…, so divide by np.log(2)",
            gives=lambda t, factor=factor: -t.mean() * factor,
        )
        for factor in (1.44, 1.443, 1.4427)
    ),
    *(
        Mistake(
            "rounded-constant",
            f"ln 2 is rounded to {ln_2}: np.log(2) gives it exactly",
            gives=lambda t, ln_2=ln_2: -t.mean() / ln_2,
        )
        for ln_2 in (0.69, 0.693, 0.6931)
    ),
    *(
        Mistake(
            "epsilon-in-log",
            "something small is added to the probabilities before their logarithm is taken: "
            "log_probs are logarithms already, and exact",
            gives=lambda t, small=small: -np.log2(np.exp(t) + small).mean(),
        )
        for small in SMALL
    ),
)


@checks("bits_per_token", lesson=LESSON, points=1, see="Exercise 2: two units for text")
def bits_of_a_text(bits_per_token: Standin, draw: Draw) -> Iterator[Claim | Cause]:
    """The same average surprise, counted in yes/no answers."""
    perplexity = "this is a perplexity: its binary logarithm is asked"
    subject = Subject(
        ask=lambda t: number(untouched(bits_per_token)(t), "the bits per token"),
        rule=rule_of_bits,
        mistakes=(
            Mistake(
                "nats-for-bits",
                "these are nats: divide by ln 2 for bits",
                gives=lambda t: -t.mean(),
            ),
            Mistake(
                "multiplied-by-ln-2",
                "you multiply by ln 2: a bit is the SMALLER unit, and there are more of them",
                gives=lambda t: -t.mean() * np.log(2),
            ),
            Mistake(
                "summed-over-tokens",
                "these are the bits of the whole text: per token is asked",
                after=lambda v, t: v * len(t),
            ),
            Mistake(
                "sign",
                "a sign is lost: surprise is MINUS the log-probability",
                after=lambda v, t: -v,
            ),
            Mistake("perplexity-for-bits", perplexity, gives=lambda t: np.exp(-t.mean())),
            Mistake("perplexity-for-bits", perplexity, gives=lambda t: 2.0 ** -t.mean()),
            Mistake(
                "log-of-mean",
                "you average probabilities and take the log: average the LOGS",
                gives=lambda t: -np.log2(np.exp(t).mean()),
            ),
            *(
                Mistake(m.name, m.advice, gives=lambda t, m=m: m.gives(t) / np.log(2))
                for m in _OTHER_MEANS
            ),
            *_OTHER_BITS,
            *(
                Mistake(m.name, m.advice, gives=lambda t, m=m: np.log2(m.gives(t)))
                for m in _COUNTS_OFF
            ),
            *(
                Mistake("log-of-logs", _LOG_OF_LOGS, gives=program)
                for log in (np.log2, np.log)
                for program in (
                    lambda t, log=log: -log(t).mean(),
                    lambda t, log=log: -log(-t).mean(),
                    lambda t, log=log: log(-t).mean(),
                )
            ),
        ),
        symptoms=(
            Symptom(
                "summed-over-tokens",
                _PER_TOKEN,
                lambda seen: grows_with_length(seen, lambda v: v),
                weak=True,
            ),
        ),
        show=show_text,
        by_hand=lambda t: mean_by_hand(t, bits=True),
        smaller=smaller_texts,
        alike=exactly,
    )
    yield from examine(
        subject,
        draw,
        Property(
            "bits",
            "a nat is 1/ln 2 bits: a fair coin costs 1 bit a toss, certainty none",
            coins_and_certainty,
            points=0.5,
            asks="the average of −log₂ of the probabilities",
        ),
        Property(
            "power",
            "perplexity is 2 to the bits per token, whatever the length of the text",
            repeated_texts,
            points=0.5,
            asks="2^BPT = PP, for any length",
            typical=False,
            needs="bits",
        ),
    )


# --- maximum likelihood ---------------------------------------------------------------------------


def rule_of_mle(
    samples: np.ndarray,
    q: np.ndarray,
    *,
    added: float = 0.0,
    counts: bool = False,
    over: Any = None,
    floor: Any = rule_of_entropy,
    beyond: Any = rule_of_kl,
) -> list[float]:
    """The average NLL, H(p̂) and KL(p̂‖q).

    `added` stands in every count, `counts` leaves them undivided, `over` (of the counts) is what
    divides them; `floor` and `beyond` are what is computed from p̂ (and q) in the second and the
    third place.
    """
    often = np.bincount(samples, minlength=len(q)) + added
    frequency = often if counts else often / (over(often) if over else often.sum())
    nll = -np.log(q[samples]).mean()
    return [float(nll), float(floor(frequency)), float(beyond(frequency, q))]


def _parts(frequency: np.ndarray, q: np.ndarray) -> list[float]:
    return [rule_of_entropy(frequency), rule_of_kl(frequency, q)]


def nll_instead(first: Callable[[np.ndarray, np.ndarray], float]) -> Callable[..., list[float]]:
    """What puts another number in the first place."""
    return lambda value, samples, q: [float(first(samples, q)), *value[1:]]


def samples_of_worlds(draw: Draw) -> list[tuple[np.ndarray, np.ndarray]]:
    """Samples and a model; some outcomes never come, and there the model may say 0."""
    cases = []
    for k, n in ((2, draw.integer(5, 9)), (draw.integer(4, 7), 40), (draw.integer(20, 30), 300)):
        samples = draw.rng.choice(k, size=n, p=table(draw, k))
        samples[:3] = (0, 0, 1)  # never all alike
        cases.append((samples, table(draw, k)))
    q = table(draw, 9)
    unseen = draw.rng.integers(1, 6, size=draw.integer(20, 40))  # neither the first nor the last
    never = np.where(np.arange(9) == 0, 0.0, q)
    return [*cases, (unseen, q), (unseen, never / never.sum())]


def impossible_samples(draw: Draw) -> list[tuple[np.ndarray, np.ndarray]]:
    """Samples with one that the model calls impossible: all outcomes come, and all but the first.

    So KL the other way round is finite once.
    """
    k = draw.integer(4, 7)
    q = np.append(table(draw, k - 1), 0.0)
    counts = (draw.integer(10, 20), draw.integer(10, 20))
    some = [draw.rng.integers(low, k - 1, size=n) for low, n in zip((0, 1), counts, strict=True)]
    return [(np.append(some[0], range(k)), q), (np.append(some[1], k - 1), q)]


def told_three(answer: Sequence[float]) -> str:
    """The three numbers, and by how much they do not add up."""
    nll, floor, beyond = answer
    gap = nll - floor - beyond
    three = f"NLL {nll:.4g}, H(p̂) {floor:.4g}, KL {beyond:.4g}"
    return three if np.isnan(gap) else f"{three}: a gap of {gap:.2g}"


def show_samples(samples: np.ndarray, q: np.ndarray) -> str:
    """Samples and model in words."""
    counts = np.bincount(samples, minlength=len(q))
    return f"{len(samples)} samples, {shown(counts)} of each outcome, and q = {shown(q)}"


def mle_by_hand(samples: np.ndarray, q: np.ndarray) -> str:
    """The three averages of at most four samples."""
    if len(samples) > 4:
        return ""
    frequency = np.bincount(samples, minlength=len(q)) / len(samples)
    terms = " + ".join(f"(−log {q[x]:.3g})" for x in samples)
    nll, floor, beyond = rule_of_mle(samples, q)
    return (
        f"NLL = ({terms})/{len(samples)} = {nll:.4g}; p̂ = {shown(frequency)}, so H = {floor:.4g} "
        f"and KL = {beyond:.4g}"
    )


def same_gap(a: Sequence[float], b: Sequence[float]) -> bool:
    """Whether both fail to add up by the same, to 1e-10, with the same last two numbers."""
    gaps = [x[0] - x[1] - x[2] for x in (a, b)]
    return alike(gaps[0], gaps[1], 1e-10) and exactly(a[1:], b[1:])


_WRONG_NLL = (
    Mistake(
        "summed-over-samples",
        "the first number is the sum over the samples: their average is asked",
        after=nll_instead(lambda s, q: -np.log(q[s]).sum()),
    ),
    Mistake(
        "sign",
        "the first number is the average LOG-likelihood: NLL is minus that",
        after=nll_instead(lambda s, q: np.log(q[s]).mean()),
    ),
    Mistake(
        "bits-for-nats",
        "the first number is in bits: the lesson counts in nats, with natural logarithms",
        after=nll_instead(lambda s, q: -np.log2(q[s]).mean()),
    ),
    *(
        Mistake(
            "mean-over-outcomes",
            "you average over the outcomes: an outcome counts as often as it was sampled",
            after=nll_instead(first),
        )
        for first in (
            lambda s, q: -np.log(q).mean(),
            lambda s, q: -np.log(q[np.unique(s)]).mean(),
        )
    ),
    Mistake(
        "log-of-mean",
        "average the logs, not the probabilities",
        after=nll_instead(lambda s, q: -np.log(q[s].mean())),
    ),
    *(
        Mistake(
            "epsilon-in-log",
            "something small is added inside the logarithm of the first number, or q is clipped: "
            "it is −log q(x) as it is",
            after=nll_instead(first),
        )
        for small in SMALL
        for first in (
            lambda s, q, small=small: -np.log(q[s] + small).mean(),
            lambda s, q, small=small: -np.log(np.maximum(q[s], small)).mean(),
        )
    ),
    *(
        Mistake(
            "epsilon-in-log",
            "something small is added inside the logarithm of the first number, or q is clipped, "
            "and the third is made of it: both are inf where q calls a sample impossible",
            after=lambda v, s, q, small=small, how=how: [
                nll := float(-np.log(how(q[s], small)).mean()),
                v[1],
                nll - v[1],
            ],
        )
        for small in SMALL
        for how in (np.add, np.maximum)
    ),
    Mistake(
        "log-forgotten",
        "the first number averages probabilities: surprise is −log of them",
        after=nll_instead(lambda s, q: -q[s].mean()),
    ),
)
_WRONG_PARTS = (
    Mistake(
        "arguments-swapped",
        "this is KL(q‖p̂): the samples are the world, q the belief",
        options={"beyond": lambda f, q: rule_of_kl(q, f)},
    ),
    Mistake(
        "compared-with-itself",
        "KL is 0: you compare the samples' frequencies with themselves; q is the model",
        options={"beyond": lambda f, q: 0.0},
    ),
    Mistake(
        "cross-entropy-for-kl",
        "the third number is H(p̂, q): KL is what it has beyond H(p̂)",
        options={"beyond": surprise},
    ),
    Mistake(
        "cross-entropy-for-entropy",
        "the second number is H(p̂, q), which is the NLL once more: the floor is H(p̂), where q "
        "does not occur",
        gives=lambda s, q, **wrong: [
            (v := rule_of_mle(s, q, **wrong))[0],
            surprise(np.bincount(s, minlength=len(q)) / len(s), q),
            v[2],
        ],
    ),
    Mistake(
        "sum-for-difference",
        "the third number is H(p̂, q) + H(p̂): KL is what H(p̂, q) has BEYOND H(p̂), a difference",
        options={"beyond": lambda f, q: surprise(f, q) + rule_of_entropy(f)},
    ),
    *(
        Mistake(
            "bits-for-nats",
            f"{which} in bits: the lesson counts in nats, with natural logarithms",
            after=lambda v, s, q, units=units: [
                value / np.log(2) if bits else value for value, bits in zip(v, units, strict=True)
            ],
        )
        for which, units in (
            ("the second number is", (False, True, False)),
            ("the third number is", (False, False, True)),
            ("the second and the third number are", (False, True, True)),
            ("all three numbers are", (True, True, True)),
        )
    ),
    Mistake(
        "counts-for-frequencies",
        "p̂'s entries must sum to 1: counts are divided by the number of samples",
        options={"counts": True},
    ),
    Mistake(
        "counts-for-frequencies",
        "the counts are divided by the number of samples less 1, so that p̂ sums to more than 1: "
        "that belongs to a variance",
        options={"over": lambda often: often.sum() - 1},
    ),
    Mistake(
        "difference-of-infinities",
        "H(p̂) is computed as NLL − KL, and inf − inf is NaN where q calls a sample impossible: "
        "it is computed from p̂ alone",
        after=lambda v, *_: [v[0], v[0] - v[2], v[2]],
    ),
    Mistake(
        "parts-swapped",
        "the first number and the third have changed places: first the NLL, then H(p̂), then KL",
        after=lambda v, *_: v[::-1],
    ),
    Mistake(
        "entropy-of-q",
        "this is the entropy of the model: the floor is that of the SAMPLES, H(p̂)",
        gives=lambda s, q, **wrong: rule_of_mle(s, q, floor=lambda f: rule_of_entropy(q), **wrong),
    ),
    Mistake(
        "counts-for-frequencies",
        "the counts are divided by the number of outcomes, K: it is the number of samples that "
        "makes p̂ sum to 1",
        options={"over": len},
    ),
    Mistake(
        "bins-of-a-histogram",
        "np.histogram lays its bins from the least sample to the largest: an outcome beyond them "
        "that never came shifts all others, and p̂ counts the outcomes 0, 1, … themselves",
        gives=lambda s, q: [
            -np.log(q[s]).mean(),
            *_parts(np.histogram(s, bins=len(q))[0] / len(s), q),
        ],
    ),
    *(
        Mistake(
            "smoothed",
            "p̂ is made of the counts as they are: with anything added the identity is lost",
            options={"added": added},
        )
        for added in (1.0, 0.5, *SMALL[:7])
    ),
    Mistake(
        "parts-swapped",
        "the second number and the third have changed places: first the NLL, then H(p̂), then KL",
        after=lambda v, *_: [v[0], v[2], v[1]],
    ),
    Mistake(
        "unseen-outcomes",
        "np.unique leaves out what never came, so that the frequencies after it stand beside the "
        "wrong q: p̂ has a place for each of the K outcomes",
        gives=lambda s, q: [
            -np.log(q[s]).mean(),
            *_parts((f := np.unique(s, return_counts=True)[1] / len(s)), q[: len(f)]),
        ],
    ),
    Mistake(
        "counts-forgotten",
        "each outcome that came counts the same: count how often it came",
        gives=lambda s, q: rule_of_mle(np.unique(s), q),
    ),
    Mistake(
        "counts-forgotten",
        "each outcome that came counts the same: count how often it came",
        gives=lambda s, q: [-np.log(q[s]).mean(), *rule_of_mle(np.unique(s), q)[1:]],
    ),
)
_UNSEEN = Symptom(
    "unseen-outcomes",
    "where outcomes never came a number is not finite: they have p̂ = 0, and count nothing",
    lambda seen: (
        bool(bad := [o for o in seen if o.fails])
        and all(len(np.unique(o.args[0])) < len(o.args[1]) for o in bad)
        and not any(np.isfinite(o.answer).all() for o in bad)
    ),
)


def _where_it_stops(
    mle_equals_kl: Standin, error: StudentFailed, samples: np.ndarray, q: np.ndarray
) -> StudentFailed:
    """The same error; with what it comes from, if it comes only where an outcome never came."""
    if not error.is_a(IndexError, ValueError) or len(np.unique(samples)) == len(q):
        return error
    try:
        mle_equals_kl(np.append(samples, np.arange(len(q))), q.copy())
    except StudentFailed:
        return error
    why = (
        f"{error}. It stops where an outcome never came, and not where each came: p̂ has a place "
        "for each of the K outcomes, 0 for those"
    )
    return StudentFailed(why, error.line, error.number, error.kinds)


@checks(
    "mle_equals_kl",
    lesson=LESSON,
    points=2,
    see="Exercise 3: maximum likelihood is forward KL",
)
def likelihood_is_forward_kl(mle_equals_kl: Standin, draw: Draw) -> Iterator[Claim | Cause]:
    """The average NLL is H(p̂) + KL(p̂‖q)."""

    def ask(samples: np.ndarray, q: np.ndarray) -> list[float]:
        try:
            found = untouched(mle_equals_kl)(samples, q)
        except StudentFailed as error:
            raise _where_it_stops(mle_equals_kl, error, samples, q) from None
        if not isinstance(found, list | tuple | np.ndarray) or len(found) != 3:
            raise WrongKind(
                "mle_equals_kl should return three numbers: the average NLL, H(p̂), KL(p̂‖q)"
            )
        names = ("the average NLL", "H(p̂)", "KL(p̂‖q)")
        return [number(v, name) for v, name in zip(found, names, strict=True)]

    subject = Subject(
        ask=ask,
        rule=rule_of_mle,
        mistakes=(*_WRONG_NLL, *_WRONG_PARTS),
        symptoms=(_UNSEEN,),
        show=show_samples,
        told=told_three,
        by_hand=mle_by_hand,
        smaller=lambda s, q: (
            (np.array([0, 0, 0, 1]), np.array(belief))
            for belief in ((0.5, 0.5), (0.9, 0.1))
            if len(s) > 4
        ),
        alike=exactly,
    )
    yield from examine(
        subject,
        draw,
        Property(
            "nll",
            "the first number is the samples' average of −log q",
            samples_of_worlds,
            points=0.5,
            asks="one term −log q(x) for each sample, and their mean",
            alike=lambda a, b: exactly(a[0], b[0]),
        ),
        Property(
            "parts",
            "the others are H(p̂) and KL(p̂‖q) of the samples' frequencies",
            samples_of_worlds,
            points=0.5,
            asks="p̂(x) = how often x came, divided by the number of samples",
            alike=lambda a, b: exactly(a[1:], b[1:]),
        ),
        Property(
            "identity",
            "average NLL = H(p̂) + KL(p̂‖q), to 1e-10, for every q",
            samples_of_worlds,
            points=0.75,
            asks="an identity, and so a greatest likelihood where KL is least",
            alike=same_gap,
            needs="parts",
        ),
        Property(
            "never",
            "one sample that the model calls impossible makes NLL and KL infinite, and leaves H(p̂) "
            "as it is",
            impossible_samples,
            points=0.25,
            asks="−log 0 = inf, among the samples and in KL(p̂‖q); H(p̂) stays what it is",
            typical=False,
            needs="parts",
        ),
    )


# --- the two fits ---------------------------------------------------------------------------------

Bumps = tuple[tuple[float, float, float], ...]  # (weight, mean, sd) of each


def pair(value: Any, name: str) -> tuple[float, float]:
    """(mu, sigma) from what a fit returned; WrongKind if it is no pair of numbers."""
    if isinstance(value, Standin | dict | str) or not hasattr(value, "__len__") or len(value) != 2:
        raise WrongKind(f"{name} should return a pair of numbers, (mu, sigma)")
    return number(value[0], f"mu of {name}"), number(value[1], f"sigma of {name}")


def two_bumps(draw: Draw) -> tuple[np.ndarray, Bumps]:
    """A grid, and two far bumps from the left; the weights are never near 1/2."""
    scale, middle = float(0.7 + 0.8 * draw.uniform()), float(draw.normal(scale=2.0))
    gap = float(4.5 + 1.5 * draw.uniform()) * scale
    weight = float(0.3 + 0.15 * draw.uniform()) + 0.25 * draw.integer(0, 1)
    bumps = (
        (weight, middle - gap / 2, scale * float(0.45 + 0.1 * draw.uniform())),
        (1 - weight, middle + gap / 2, scale * float(0.6 + 0.1 * draw.uniform())),
    )
    grid = np.linspace(middle - 7 * scale, middle + 7.5 * scale, draw.integer(350, 450))
    return grid, bumps


def told_pair(answer: Sequence[float]) -> str:
    """A Gaussian in words."""
    return f"mu = {answer[0]:.4g}, sigma = {answer[1]:.4g}"


def show_density(bumps: Bumps) -> str:
    """A mixture in words."""
    parts = (f"{w:.3g}·N({m:.3g}, {s:.3g}²)" if w < 1 else f"N({m:.3g}, {s:.3g}²)"
             for w, m, s in bumps)  # fmt: skip
    return "p = " + " + ".join(parts)


def rule_of_moments(
    p: np.ndarray, grid: np.ndarray, bumps: Bumps = (), *, center: bool = True
) -> tuple[float, float]:
    """Mean and standard deviation of a density on a grid, where KL(p‖q) is least."""
    weights = p / p.sum()
    mu = (weights * grid).sum()
    return mu, np.sqrt((weights * (grid - (mu if center else 0.0)) ** 2).sum())


def moments_plainly(p: np.ndarray, grid: np.ndarray, bumps: Bumps) -> tuple[float, float]:
    """The same without options."""
    weights = p / p.sum()
    mu = (weights * grid).sum()
    return mu, np.sqrt((weights * (grid - mu) ** 2).sum())


def moments_weighted(weights: Callable[..., np.ndarray]) -> Callable[..., tuple[float, float]]:
    """The moments with other weights; a variance below 0 has no root."""

    def gives(p: np.ndarray, grid: np.ndarray, bumps: Bumps) -> tuple[float, float]:
        w = weights(p, grid)
        mu = (w * grid).sum()
        return mu, np.sqrt((w * (grid - mu) ** 2).sum())

    return gives


def covered_densities(draw: Draw) -> list[tuple[np.ndarray, np.ndarray, Bumps]]:
    """Two of far bumps, a skewed one, and a wide one on a coarse grid."""
    cases = [two_bumps(draw) for _ in range(2)]
    middle = float(draw.normal(scale=3.0))
    skewed = (
        (0.15, middle - 3.0, 0.4),
        (0.25, middle, 0.7),
        (0.6, middle + 1.5, 0.5 + 0.4 * float(draw.uniform())),
    )
    cases.append((np.linspace(middle - 8, middle + 9, draw.integer(700, 900)), skewed))
    wide = ((0.4, middle - 1.5, 1.0 + 0.2 * float(draw.uniform())), (0.6, middle + 1.6, 1.1))
    cases.append((np.linspace(middle - 9, middle + 9, draw.integer(35, 39)), wide))
    return [(mixture(grid, bumps), grid, bumps) for grid, bumps in cases]


def moments_by_hand(p: np.ndarray, grid: np.ndarray, bumps: Bumps) -> str:
    """The mean and the variance of the lesson's two bumps."""
    if bumps != LESSONS_BUMPS:
        return ""
    mean = " + ".join(f"{w:.3g}·({m:.3g})" for w, m, _ in bumps)
    parts = " + ".join(f"{w:.3g}·({s:.3g}² + ({m:.3g} − mu)²)" for w, m, s in bumps)
    mu, sigma = rule_of_moments(p, grid)
    return f"mu = {mean} = {mu:.4g}; sigma² = {parts} = {sigma**2:.4g}, sigma = {sigma:.4g}"


LESSONS_BUMPS: Bumps = ((0.4, -2.0, 0.6), (0.6, 2.0, 0.6))
_SPACING = "the heights p sum to 1/Δ, not to 1: divide by p.sum(), or multiply by the spacing"
_GRID = "each point of the grid weighs the same in it: weight by p"
_MODE = (
    "mu sits on the highest bump: that is what the REVERSE KL does; the forward one covers all of "
    "p, and asks for its mean and variance"
)
_LOG_SIGMA = Mistake(
    "log-sigma-returned",
    "this is log sigma: return sigma",
    after=lambda v, *_: (v[0], np.log(v[1])),
)
_VARIANCE = Mistake(
    "variance-for-sigma",
    "this is the variance: sigma is its root",
    after=lambda v, *_: (v[0], v[1] ** 2),
)
_FORWARD_MISTAKES = (
    _VARIANCE,
    _LOG_SIGMA,
    Mistake(
        "moment-about-zero",
        "this is the root of the mean of x²: take the mean away first, (x − m)²",
        options={"center": False},
    ),
    *(
        Mistake(
            "mean-not-squared",
            "of the mean of x² the mean m is taken, and not its square: σ² = E[x²] − m²",
            after=lambda v, *_, turned=turned: (
                v[0],
                np.sqrt(turned(v[1] ** 2 + v[0] ** 2 - v[0])),
            ),
        )
        for turned in (abs, lambda v: max(v, 0.0))
    ),
    Mistake(
        "mean-over-outcomes",
        _GRID,
        gives=moments_weighted(lambda p, g: np.full(len(g), 1 / len(g))),
    ),
    Mistake("mean-over-outcomes", _GRID, after=lambda v, p, g, _: (v[0], g.std())),
    Mistake(
        "mean-over-outcomes",
        "the mean is weighted by p, and in sigma each point of the grid weighs the same: weight "
        "the (x − m)² by p too",
        after=lambda v, p, g, _: (v[0], np.sqrt(((g - v[0]) ** 2).mean())),
    ),
    Mistake(
        "mean-over-outcomes",
        _GRID,
        gives=lambda p, g, _: (
            g.mean(),
            np.sqrt((p / p.sum() * (g - g.mean()) ** 2).sum()),
        ),
    ),
    Mistake("spacing-forgotten", _SPACING, gives=moments_weighted(lambda p, g: p)),
    Mistake("spacing-forgotten", _SPACING, after=lambda v, p, g, _: (v[0], v[1] * p.sum() ** 0.5)),
    *(
        Mistake(
            "mean-for-sum",
            "this divides by the number of points: the weights are p, and sum to 1 as p·Δ",
            gives=program,
        )
        for program in (
            moments_weighted(lambda p, g: p / len(p)),
            lambda p, g, _: (
                (p * g).mean(),
                np.sqrt((p * (g - (p * g).mean()) ** 2).sum()),
            ),
        )
    ),
    Mistake(
        "weights-squared",
        "the weights are squared too: only x − m is, w · (x − m)²",
        after=lambda v, p, g, _: (v[0], np.sqrt(((p / p.sum() * (g - v[0])) ** 2).sum())),
    ),
    Mistake(
        "mean-distance",
        "this is the mean distance from m: sigma is the root of the mean SQUARE of it",
        after=lambda v, p, g, _: (v[0], (p / p.sum() * np.abs(g - v[0])).sum()),
    ),
    Mistake(
        "mean-distance",
        "this is √(π/2) times the mean distance from m, which is sigma for a Gaussian p only: take "
        "the root of the mean SQUARE",
        after=lambda v, p, g, _: (
            v[0],
            (p / p.sum() * np.abs(g - v[0])).sum() * np.sqrt(np.pi / 2),
        ),
    ),
    Mistake(
        "median-for-mean",
        "mu is the median of p, with half of the mass on either side: the mean is asked",
        after=lambda v, p, g, _: (np.interp(0.5, p.cumsum() / p.sum(), g), v[1]),
    ),
    Mistake(
        "median-for-mean",
        "mu is the median of p, with half of the mass on either side, and sigma is taken around "
        "it: the mean is asked",
        gives=lambda p, g, _: (
            (m := g[np.searchsorted(p.cumsum() / p.sum(), 0.5)]),
            np.sqrt((p / p.sum() * (g - m) ** 2).sum()),
        ),
    ),
    Mistake(
        "weights-of-a-softmax",
        "the weights are a softmax of the heights: p is a density already, and p / p.sum() are "
        "its weights",
        gives=moments_weighted(lambda p, g: np.exp(p) / np.exp(p).sum()),
    ),
    Mistake(
        "width-at-half-height",
        "sigma is made of the width of p at half of its height, which holds for a single "
        "Gaussian: it is the root of the mean of (x − m)²",
        after=lambda v, p, g, _: (
            v[0],
            np.ptp(g[p >= p.max() / 2]) / (2 * np.sqrt(2 * np.log(2))),
        ),
    ),
    Mistake(
        "weights-squared",
        "the weights are p², not p: a high place counts too much",
        gives=moments_weighted(lambda p, g: p**2 / (p**2).sum()),
    ),
    Mistake(
        "roots-for-weights",
        "the weights are the roots of p, not p: a low place counts too much",
        gives=moments_weighted(lambda p, g: np.sqrt(p) / np.sqrt(p).sum()),
    ),
    Mistake(
        "spacing-twice",
        "the spacing stands twice in the variance: once makes an integral of a sum",
        after=lambda v, p, g, _: (v[0], v[1] * np.sqrt(g[1] - g[0])),
    ),
    Mistake(
        "corrected-for-a-sample",
        "the variance is multiplied by n/(n − 1), n the points of the grid: that belongs to the "
        "variance of n samples, and p is no sample",
        after=lambda v, p, g, _: (v[0], v[1] * np.sqrt(len(g) / (len(g) - 1))),
    ),
    Mistake(
        "moments-of-the-heights",
        "these are moments of the HEIGHTS p: those of x, weighted by p, are asked",
        gives=lambda p, g, _: (p.mean(), p.std()),
    ),
    Mistake(
        "moments-of-the-heights",
        "sigma is the standard deviation of the HEIGHTS p: that of x, weighted by p, is asked",
        after=lambda v, p, g, _: (v[0], p.std()),
    ),
    Mistake(
        "forward-called-mode-seeking",
        _MODE,
        gives=lambda p, g, _: (
            g[p.argmax()],
            np.sqrt((p / p.sum() * (g - g[p.argmax()]) ** 2).sum()),
        ),
    ),
    Mistake(
        "mu-and-sigma-swapped", "mu and sigma have changed places", after=lambda v, *_: v[::-1]
    ),
)
_ON_THE_MODE = Symptom(
    "forward-called-mode-seeking",
    _MODE,
    lambda seen: all(
        abs(o.answer[0] - o.args[1][o.args[0].argmax()]) < 0.15 * o.right[1] for o in seen
    ),
)


def near_by(a: float, b: float) -> bool:
    """Equal to 2e-3, absolute and relative: a sum stands for an integral."""
    return alike(a, b, 2e-3)


@checks("fit_forward", lesson=LESSON, points=3, see="Exercise 4: the forward fit")
def gaussian_that_covers(fit_forward: Standin, draw: Draw) -> Iterator[Claim | Cause]:
    """The Gaussian of least KL(p‖q) has the moments of p."""
    grid = np.linspace(-8, 8, 401)
    subject = Subject(
        ask=lambda p, grid, bumps: pair(untouched(fit_forward)(p, grid), "fit_forward"),
        rule=rule_of_moments,
        forms=(moments_plainly,),
        mistakes=_FORWARD_MISTAKES,
        symptoms=(_ON_THE_MODE,),
        show=lambda p, grid, bumps: (
            f"{show_density(bumps)} on the grid {grid[0]:.3g} … {grid[-1]:.3g}"
        ),
        told=told_pair,
        by_hand=moments_by_hand,
        smaller=lambda p, g, bumps: (
            [(mixture(grid, LESSONS_BUMPS), grid, LESSONS_BUMPS)] * (bumps != LESSONS_BUMPS)
        ),
        alike=lambda a, b: near_by(a[0], b[0]) and near_by(a[1], b[1]),
    )
    yield from examine(
        subject,
        draw,
        Property(
            "mean",
            "mu is the mean of p",
            covered_densities,
            points=1,
            asks="∫ p(x) x dx",
            alike=lambda a, b: near_by(a[0], b[0]),
        ),
        Property(
            "spread",
            "sigma is the standard deviation of p: within the bumps and between them",
            covered_densities,
            points=1,
            asks="the root of ∫ p(x) (x − m)² dx",
            alike=lambda a, b: near_by(a[1], b[1]),
        ),
        Property(
            "least",
            "no Gaussian near it has a smaller KL(p‖q)",
            covered_densities,
            points=1,
            asks="the least forward KL: every small change of mu or sigma makes it larger",
        ),
    )


def optimum(
    p: np.ndarray,
    grid: np.ndarray,
    start: tuple[float, float],
    bumps: Bumps,
    how: Any = None,
) -> tuple[float, float]:
    """The local optimum of KL(q‖p) that natural steps downhill from `start` reach.

    With no steps, or steps at rate 0 (`how` = 0), it is the start; with a rate and a number of
    steps (`how` is a pair), where these lead.
    """
    if how == BY_DEFAULT:
        how = RATE, 1
    if isinstance(how, tuple):
        for _ in range(how[1]):
            start = one_step(p, grid, start, bumps, how[0])
        return start
    mu, s, log_p = start[0], np.log(start[1]), np.log(p)
    for _ in range(400 if how in (None, WHOLE) else 0):
        z = (grid - mu) / np.exp(s)
        log_q = log_gaussian(grid, mu, np.exp(s))
        weighted = np.exp(log_q) * (grid[1] - grid[0]) * (log_q - log_p)
        mu -= np.clip(0.1 * (weighted * z).sum() * np.exp(s), -0.1, 0.1)
        s -= np.clip(0.05 * (weighted * (z**2 - 1)).sum(), -0.1, 0.1)
    return float(mu), float(np.exp(s))


def is_optimum(p: np.ndarray, grid: np.ndarray, end: tuple[float, float], bumps: Bumps) -> bool:
    """Whether steps downhill from a Gaussian, no spike that the grid does not see, stay there."""
    seen = np.isfinite(end).all() and end[1] > grid[1] - grid[0] and grid[0] < end[0] < grid[-1]
    return bool(seen) and at_place(end, optimum(p, grid, end, bumps))


def one_step(
    p: np.ndarray,
    grid: np.ndarray,
    start: tuple[float, float],
    bumps: Bumps,
    rate: float,
    *,
    weight: Any = None,
    price: Any = None,
    walks: tuple[float, float] = (1.0, 1.0),
    less: float = 1.0,
    made: Any = None,
) -> tuple[float, float]:
    """One step of gradient descent on KL(q‖p) in mu and log sigma.

    `weight`, of (p, q, spacing), stands in the place of q · dx; `price`, of (log q, log p), in the
    place of their difference; `less` in that of the 1 in z² − 1. `walks` are factors of the two
    slopes; `made`, of both, is what steps are made of.
    """
    mu, s = start[0], np.log(start[1])
    z, spacing = (grid - mu) / np.exp(s), grid[1] - grid[0]
    log_q, log_p = log_gaussian(grid, mu, np.exp(s)), np.log(p)
    r = price(log_q, log_p) if price else log_q - log_p
    weighted = r * (weight(p, np.exp(log_q), spacing) if weight else np.exp(log_q) * spacing)
    slopes = np.array([(weighted * z).sum() / np.exp(s), (weighted * (z**2 - less)).sum()])
    slope_mu, slope_s = made(slopes) if made else slopes
    return mu - walks[0] * rate * slope_mu, np.exp(s - walks[1] * rate * slope_s)


def with_momentum(
    p: np.ndarray, grid: np.ndarray, start: Any, bumps: Bumps, how: Any = None
) -> tuple[float, float]:
    """The walk of `optimum` where 0.9 of every step is added to the next one."""
    if not isinstance(how, tuple):
        return optimum(p, grid, start, bumps, how)
    place, step = np.array([start[0], np.log(start[1])]), np.zeros(2)
    for _ in range(how[1]):
        mu, sigma = one_step(p, grid, (place[0], np.exp(place[1])), bumps, how[0])
        step = 0.9 * step + [mu - place[0], np.log(sigma) - place[1]]
        place = place + step
    return place[0], np.exp(place[1])


def with_cosine(
    p: np.ndarray, grid: np.ndarray, start: Any, bumps: Bumps, how: Any = None
) -> tuple[float, float]:
    """The walk of `optimum` where the rate falls to 0 along a cosine."""
    if not isinstance(how, tuple):
        return optimum(p, grid, start, bumps, how)
    for i in range(how[1]):
        rate = how[0] * 0.5 * (1 + np.cos(np.pi * i / how[1]))
        start = one_step(p, grid, start, bumps, rate)
    return start


def step_plainly(
    p: np.ndarray, grid: np.ndarray, start: tuple[float, float], bumps: Bumps, rate: float
) -> tuple[float, float]:
    """The same without options."""
    mu, s = start[0], np.log(start[1])
    spacing, log_p = grid[1] - grid[0], np.log(p)
    sigma = np.exp(s)
    z = (grid - mu) / sigma
    log_q = -(z**2) / 2 - s - 0.5 * np.log(2 * np.pi)
    weighted = np.exp(log_q) * spacing * (log_q - log_p)
    slope_mu, slope_s = (weighted * z).sum() / sigma, (weighted * (z**2 - 1)).sum()
    mu, s = mu - rate * slope_mu, s - rate * slope_s
    return mu, np.exp(s)


def step_in_turn(p: np.ndarray, grid: np.ndarray, start: Any, bumps: Bumps, rate: float) -> Any:
    """A step of mu, and then one of log sigma whose z is that of the new mu."""
    mu, sigma = start[0], start[1]
    dx, log_q = grid[1] - grid[0], log_gaussian(grid, mu, sigma)
    weighted = np.exp(log_q) * dx * (log_q - np.log(p))
    new = mu - rate * (weighted * (grid - mu) / sigma).sum() / sigma
    again = (weighted * (((grid - new) / sigma) ** 2 - 1)).sum()
    anew = one_step(p, grid, (new, sigma), bumps, rate)[1]
    return new, (sigma * np.exp(-rate * again), anew)


def step_of_sigma(factor: Callable[[float], float]) -> Callable[..., tuple[float, float]]:
    """A step in sigma itself, whose slope is the one in log sigma times a factor."""

    def step(
        p: np.ndarray, grid: np.ndarray, start: Any, bumps: Bumps, rate: float
    ) -> tuple[float, float]:
        mu, sigma = one_step(p, grid, start, bumps, rate)
        return mu, start[1] + np.log(sigma / start[1]) * factor(start[1])

    return step


_NOT_MOVED = Mistake(
    "not-moved",
    "this is the start, or as good as: mu and s must walk, as many steps as asked",
    gives=lambda p, g, start, *_: start,
)
_FORWARD = {"weight": lambda p, q, dx: p / p.sum(), "price": lambda log_q, log_p: 1.0}
_WRONG_STEPS = (
    Mistake(
        "spacing-forgotten",
        "an integral is a sum times the spacing dx of the grid: without it the steps are as much "
        "too large as the grid is fine",
        options={"weight": lambda p, q, dx: q},
    ),
    Mistake(
        "mean-for-sum",
        "an integral is the SUM of heights times dx, not their mean",
        options={"weight": lambda p, q, dx: q / len(q)},
    ),
    Mistake(
        "entropy-of-q-forgotten",
        "this is the slope of E_q[−log p] alone, which likes a spike; the term log q in r keeps q "
        "wide",
        options={"price": lambda log_q, log_p: -log_p},
    ),
    Mistake(
        "log-of-density",
        "where the height of q underflows to 0 its logarithm is −inf, and 0 · inf is NaN: write "
        "log q as the parabola that it is",
        options={"price": lambda log_q, log_p: np.log(np.exp(log_q)) - log_p},
    ),
    Mistake(
        "uphill",
        "each step goes uphill: it must go AGAINST the slope",
        options={"walks": (-1.0, -1.0)},
    ),
    Mistake(
        "uphill",
        "this climbs: with p's weights alone the sum is minus the slope of the FORWARD KL (data "
        "alone cannot give the reverse one); the weights are q's",
        options={**_FORWARD, "walks": (1.0, 1.0)},
    ),
    Mistake(
        "forward-for-reverse",
        "these steps go down the FORWARD KL, whose weights are p's: the weights are q's",
        options={**_FORWARD, "walks": (-1.0, -1.0)},
    ),
    Mistake(
        "weights-of-p",
        "log q − log p is weighted by p here: in KL(q‖p) the weights are q's",
        options={"weight": lambda p, q, dx: p * dx},
    ),
    Mistake(
        "weights-forgotten",
        "every point of the grid weighs the same in your sums: the weights are q's",
        options={"weight": lambda p, q, dx: dx},
    ),
    Mistake(
        "sigma-fixed",
        "sigma stays that of the start: both parameters must walk",
        options={"walks": (1.0, 0.0)},
    ),
    Mistake(
        "mu-fixed",
        "mu stays that of the start: both parameters must walk",
        options={"walks": (0.0, 1.0)},
    ),
    Mistake(
        "sigma-missing-in-slope",
        "the slope in mu is ∫ q (z/σ) r dx: your step in mu is σ times too large, as if the 1/σ "
        "were left out",
        gives=lambda p, g, start, b, rate, **wrong: one_step(
            p, g, start, b, rate, **{"walks": (start[1], 1.0), **wrong}
        ),
    ),
    *(
        Mistake(
            "density-not-normalized",
            "exp(log_q) does not integrate to 1 in your steps: log q = −z²/2 − s − ½ log 2π, all "
            "three terms of it",
            gives=lambda p, g, start, b, rate, heights=heights, power=power: one_step(
                p, g, start, b, rate * heights * start[1] ** power
            ),
        )
        for heights, power in ((1.0, 1), (SQRT_2_PI, 0), (SQRT_2_PI, 1), (math.sqrt(2), 0))
    ),
    *(
        Mistake(
            "one-after-the-other",
            "sigma's slope is taken where mu has moved to: compute both slopes before you move "
            "either parameter",
            gives=lambda *case, which=which: (
                step_in_turn(*case)[0],
                step_in_turn(*case)[1][which],
            ),
        )
        for which in (0, 1)
    ),
    *(
        Mistake(
            "walk-in-sigma",
            "this walks in sigma itself: the slopes and the steps are those of s = log sigma",
            gives=step_of_sigma(factor),
        )
        for factor in (lambda sigma: 1.0, lambda sigma: 1 / sigma)
    ),
    Mistake(
        "rate-ignored",
        "your steps are those of rate 0.02, whatever rate is given",
        gives=lambda p, g, start, b, rate: one_step(p, g, start, b, 0.02),
    ),
    Mistake(
        "start-sigma-for-its-log",
        "`start` is (mu, sigma): the walk is in s = log sigma, and begins at the logarithm of it",
        gives=lambda p, g, start, b, rate: one_step(p, g, (start[0], np.exp(start[1])), b, rate),
    ),
    Mistake(
        "variance-for-sigma",
        "`start` is (mu, sigma), and sigma is the standard deviation: you begin at its root, as if "
        "it were the variance",
        gives=lambda p, g, start, b, rate: one_step(p, g, (start[0], start[1] ** 0.5), b, rate),
    ),
    Mistake(
        "adaptive-steps",
        "your first step is the rate itself, however steep it is (as Adam's is): a step is minus "
        "the rate TIMES the slope",
        options={"made": np.sign},
    ),
    Mistake(
        "slopes-clipped",
        "steep slopes are made shorter before the step (clipped to length 1): a step is minus the "
        "rate times the slope, as long as it is",
        options={"made": lambda slopes: slopes / max(np.hypot(*slopes), 1.0)},
    ),
    Mistake(
        "slopes-clipped",
        "steep slopes are cut to 1 before the step: a step is minus the rate times the slope, as "
        "long as it is",
        options={"made": lambda slopes: slopes.clip(-1, 1)},
    ),
    Mistake(
        "one-forgotten",
        "the slope in s is ∫ q (z² − 1) r dx: yours is as if the 1 were left out",
        options={"less": 0.0},
    ),
    *(
        Mistake(
            "epsilon-in-log",
            "something small is added inside the logarithms: far out that is not log q and log p, "
            "and a wide q is not led back; write log q as the parabola that it is",
            options={
                "price": lambda log_q, log_p, small=small: (
                    np.log(np.exp(log_q) + small) - np.log(np.exp(log_p) + small)
                )
            },
        )
        for small in SMALL
        if 1e-38 <= small < 1e-7
    ),
    Mistake(
        "one-step-too-many",
        "asked for one step, it walks two",
        gives=lambda p, g, start, b, rate: one_step(p, g, one_step(p, g, start, b, rate), b, rate),
    ),
    Mistake("mu-uphill", "sigma walks downhill, mu uphill: a sign", options={"walks": (-1.0, 1.0)}),
    Mistake(
        "sigma-uphill", "mu walks downhill, sigma uphill: a sign", options={"walks": (1.0, -1.0)}
    ),
    _LOG_SIGMA,
    _VARIANCE,
    _NOT_MOVED,
)
_START_IGNORED = Symptom(
    "start-ignored",
    "from different starts your first step ends in one place: the descent must begin at `start`",
    lambda seen: (
        len({o.args[3] for o in seen}) < len(seen)
        and all(
            a.answer == b.answer
            for a, b in itertools.combinations(seen, 2)
            if a.args[3] == b.args[3]
        )
    ),
)
_SAME_END = Symptom(
    "start-ignored",
    "from starts on different bumps it ends in one place: does the descent begin at `start`, and "
    "are its steps small?",
    lambda seen: (
        bool(
            pairs := [
                (a, b)
                for a, b in itertools.combinations(seen, 2)
                if a.args[3] == b.args[3]
                and not at_place(a.right, b.right)
                and len(a.args) == len(b.args) == 4
            ]
        )
        and all(np.isfinite(a.answer).all() and at_place(a.answer, b.answer) for a, b in pairs)
    ),
)


def _on_the_way(o: Observation) -> bool:
    (mu, sigma), (mu_0, sigma_0), (end, wide) = o.answer, o.args[2], o.right

    def between(value: float, a: float, b: float) -> bool:
        return min(a, b) < value < max(a, b)

    return between(mu, mu_0, end) and between(sigma, sigma_0, wide)


_STOPPED = Symptom(
    "stopped-early",
    "it ends between the start and the optimum: on the way, but not there; more steps, or larger "
    "ones (do the integrals have their factor dx?)",
    lambda seen: (
        bool(alone := [o for o in seen if len(o.args[3]) == 1 and len(o.args) == 4])
        and all(o.fails and _on_the_way(o) for o in alone)
    ),
)


_OTHER_RATE = Symptom(
    "default-changed",
    "with a rate given your steps are right, and without one they are not: the rate is 0.02 then, "
    "as the signature says",
    lambda seen: (
        any(o.args[4:] == (BY_DEFAULT,) for o in seen)
        and all(o.fails == (o.args[4:] == (BY_DEFAULT,)) for o in seen)
    ),
)


def one_step_less(
    p: np.ndarray, grid: np.ndarray, start: Any, bumps: Bumps, how: Any = None
) -> tuple[float, float]:
    """The walk of `optimum` without its last step."""
    if how == BY_DEFAULT:
        return start
    if isinstance(how, tuple):
        how = how[0], max(how[1] - 1, 0)
    return optimum(p, grid, start, bumps, how)


def at_place(a: Sequence[float], b: Sequence[float]) -> bool:
    """Whether two Gaussians are one, to 3 % of the second's sigma."""
    unit = max(abs(b[1]), 0.05)
    return bool(np.abs(np.subtract(a, b)).max() < 0.03 * unit)


def at_step(a: Sequence[float], b: Sequence[float]) -> bool:
    """Whether two Gaussians are one, to what a sum over a grid leaves of a step."""
    return bool(np.abs(np.subtract(a, b)).max() < 2e-4 * max(abs(b[1]), 0.05))


def gaussian_worlds(draw: Draw) -> list[tuple]:
    """Gaussians, on a coarse and far-reaching grid and on a fine one, each with a start beside it.

    A mean over the grid is smaller than the integral by what the grid spans: so much that steps of
    that size end before the optimum of the first. The other lies so far from 0 that a start of
    one's own, near 0, is off the grid.
    """
    cases = []
    for points, reach, least, shift, stretch, far in (
        (2 * draw.integer(150, 200) + 1, 25, 0.8, 0.9, 1.5, 0),
        (1500, 8, 0.5, -0.7, 0.6, draw.choice((-12, 12))),
    ):
        m, s = far + float(draw.normal(scale=0.5)), least + 0.3 * float(draw.uniform())
        grid, bumps = np.linspace(m - reach * s, m + reach * s, points), ((1.0, m, s),)
        cases.append((mixture(grid, bumps), grid, (m + shift * s, stretch * s), bumps))
    return cases


def bumps_with_starts(draw: Draw) -> list[tuple]:
    """Two far and skewed bumps of different widths, from a start on each of them.

    The starts are narrow, and on the steep side: neither mu nor sigma is near its end. The grid
    is fine and far-reaching: sums without their dx are much too large, means much too small.
    """
    scale, middle = float(0.7 + 0.2 * draw.uniform()), float(draw.normal(scale=2.0))
    weight = float(0.3 + 0.15 * draw.uniform()) + 0.25 * draw.integer(0, 1)  # never near 1/2
    homes = ((weight, middle - 3.2 * scale, scale), (1 - weight, middle + 3.2 * scale, 0.7 * scale))
    bumps: Bumps = ()
    for (w, mean, unit), side in zip(homes, (-1, 1), strict=True):  # the tails point outward
        bumps += ((0.7 * w, mean, 0.5 * unit), (0.3 * w, mean + side * 1.2 * unit, 0.8 * unit))
    grid = np.linspace(middle - 16 * scale, middle + 16 * scale, draw.integer(1300, 1500))
    p = mixture(grid, bumps)
    return [
        (
            p,
            grid,
            (
                mean - unit * side * float(0.35 + 0.2 * draw.uniform()),
                unit * float(0.3 + 0.1 * draw.uniform()),
            ),
            bumps,
        )
        for (_, mean, unit), side in zip(homes, (-1, 1), strict=True)
    ]


def near_bumps(draw: Draw) -> list[tuple]:
    """Two bumps so close that there is one optimum, wide and across both; its sigma is below 1.

    They are as far apart as they may be, so that fits with other weights end elsewhere.
    """
    center, unit = float(draw.normal()), float(0.35 + 0.1 * draw.uniform())
    half = float(1.25 + 0.1 * draw.uniform()) * unit
    grid = np.linspace(center - 8, center + 8, draw.integer(900, 1100))
    bumps = ((0.25, center - half, unit), (0.75, center + half, unit))
    return [(mixture(grid, bumps), grid, (center - half, unit), bumps)]


def from_wide(world: tuple) -> tuple:
    """The same Gaussian, from a start four times as wide: a sum of it reaches where p is tiny."""
    p, grid, start, bumps = world
    return p, grid, (start[0], 4 * bumps[0][2]), bumps


def _show_walk(p: np.ndarray, grid: np.ndarray, start: Any, bumps: Bumps, *how: Any) -> str:
    told = f"{show_density(bumps)}, from the start ({start[0]:.3g}, {start[1]:.3g})"
    if how and isinstance(how[0], tuple):
        steps = ("no step", "one step", "two steps", "three steps")[how[0][1]]
        return f"{told}, {steps} at rate {how[0][0]:.3g}"
    if how and how[0] == BY_DEFAULT:
        return f"{told}, steps=1, and no rate given"
    if how and isinstance(how[0], float) and how[0] == 0:
        return f"{told}, 60 steps at rate 0"
    return told + {float: ", one step at rate {:.3g}", int: ", {} steps"}.get(
        type(how[0]) if how else None, ""
    ).format(*how)


def _step_by_hand(p: np.ndarray, grid: np.ndarray, start: Any, bumps: Bumps, rate: float) -> str:
    """The slopes of one Gaussian against another have a closed form."""
    if len(bumps) > 1:
        return ""
    (_, m, s), (mu, sigma) = bumps[0], start
    slopes = (mu - m) / s**2, sigma**2 / s**2 - 1
    new = mu - rate * slopes[0], np.log(sigma) - rate * slopes[1]
    return (
        f"slopes {slopes[0]:.3g} and {slopes[1]:.3g}; mu = {mu:.3g} − {rate:.3g}·{slopes[0]:.3g} = "
        f"{new[0]:.4g}, log sigma = {np.log(sigma):.3g} − {rate:.3g}·{slopes[1]:.3g} = {new[1]:.4g}"
    )


def _cause_in_a_step(fit_reverse: Standin, draw: Draw, end: Cause) -> Cause:
    """What one step shows of a walk that ends elsewhere, if the function takes rate and steps."""

    def ask(p: np.ndarray, grid: np.ndarray, start: Any, bumps: Bumps, rate: float) -> Any:
        return pair(untouched(fit_reverse)(p, grid, start, rate=rate, steps=1), "fit_reverse")

    def cases(draw: Draw) -> list[tuple]:
        walks = [*gaussian_worlds(draw), *bumps_with_starts(draw), *near_bumps(draw)]
        rate = 0.01 + 0.02 * float(draw.uniform())  # one, so that equal steps from two starts show
        return [(*walk, rate) for walk in (*walks, from_wide(walks[0]))]

    grid, normal = np.linspace(-9, 9, 401), ((1.0, 0.0, 1.0),)
    subject = Subject(
        ask=ask,
        rule=one_step,
        forms=(step_plainly,),
        mistakes=_WRONG_STEPS,
        symptoms=(_START_IGNORED,),
        show=_show_walk,
        told=told_pair,
        by_hand=_step_by_hand,
        smaller=lambda p, g, start, bumps, rate: (
            [(mixture(grid, normal), grid, at, normal, 0.02) for at in ((1.0, 1.0), (1.0, 2.0))]
            if bumps != normal
            else ()
        ),
    )
    step = Property("step", "a step", cases, 0, asks="")
    try:
        causes = [s for s in examine(subject, draw, step) if isinstance(s, Cause)]
    except (StudentFailed, WrongKind):
        return end
    if end.names in (("one-step-less",), ("default-changed",)):
        return end
    if causes and causes[0].how == "reproduced":
        return causes[0]
    if end.how == "reproduced":
        return end
    if causes and causes[0].how != "unknown":
        return causes[0]
    if not causes and not end.advice:
        text = (
            "one step of yours is right, and after several of them you are elsewhere: are there as "
            "many as asked, all at the rate that is given, and each made of its own slopes alone?"
        )
        return Cause(("rate-or-steps",), text, "symptom", end.example)
    return end


_WRONG_ENDS = (
    Mistake(
        "one-step-less",
        "it walks one step less than asked: with steps=1 it stays at the start",
        gives=one_step_less,
    ),
    Mistake(
        "forward-for-reverse",
        "this is the forward fit: it covers both bumps; the reverse KL weights by q, and "
        "forgetting a bump costs it only −log w",
        gives=lambda p, g, *_: rule_of_moments(p, g),
    ),
    Mistake(
        "memory-of-steps",
        "your steps keep a part of the steps before them (momentum): each is minus the "
        "rate times the slope where it stands, and nothing else",
        gives=with_momentum,
    ),
    Mistake(
        "rate-that-falls",
        "your rate falls from step to step: the rate is the same in all of them",
        gives=with_cosine,
    ),
    Mistake(
        "steps-ignored",
        "it walks as long as ever, whatever `steps` says: there are as many steps as that",
        gives=lambda p, g, start, bumps, how=None: (
            start if isinstance(how, float) else optimum(p, g, start, bumps)
        ),
    ),
    Mistake(
        "steps-ignored",
        "it goes to the optimum, whatever `rate` and `steps` say: each step is minus the "
        "rate times the slope, and there are as many as `steps` says",
        gives=lambda p, g, start, bumps, *_: optimum(p, g, start, bumps),
    ),
    _LOG_SIGMA,
    _VARIANCE,
    _NOT_MOVED,
)


@checks("fit_reverse", lesson=LESSON, points=4, see="Exercise 5: the reverse fit")
def gaussian_that_chooses(fit_reverse: Standin, draw: Draw) -> Iterator[Claim | Cause]:
    """Gradient descent on KL(q‖p) ends in the valley where it starts."""

    ends: list[tuple] = []  # of whole walks, each with its world

    def ask(p: np.ndarray, grid: np.ndarray, start: Any, bumps: Bumps, how: Any = None) -> Any:
        options = {} if how in (None, WHOLE) else {"steps": how}
        if isinstance(how, float):
            options = {"rate": how, "steps": 60}
        if isinstance(how, tuple):
            options = dict(zip(("rate", "steps"), how, strict=True))
        if how == BY_DEFAULT:
            options = {"steps": 1}
        end = pair(untouched(fit_reverse)(p, grid, start, **options), "fit_reverse")
        if how is None:
            ends.append((p, grid, end, bumps))
        right = end if how is None else optimum(p, grid, start, bumps, how)
        if how == WHOLE and at_place(end, right):
            return right
        if how == BY_DEFAULT:
            how = RATE, 1
        if isinstance(how, tuple) and how[1] and not at_step(end, right):
            before = optimum(p, grid, start, bumps, (how[0], how[1] - 1))
            if alike(end[1], before[1], 1e-5) and at_step((end[0], right[1]), right):
                return right  # a sigma that is known in the loop only is that before its last step
        return end

    def walks_from_a_start(draw: Draw) -> list[tuple]:
        """A walk; of no steps, at rate 0, of one and more, where the function can do with them.

        It is on the narrower bump, where steps that are too large never settle.
        """
        walk, alone = bumps_with_starts(draw)[1], gaussian_worlds(draw)[0]
        rate = alone[3][0][2] ** 2 / 6  # a tenth of sigma, where the other is a Gaussian
        steep = walk[2][1] ** 2  # on a skewed bump the slope of sigma depends on mu
        walks = [(*walk, WHOLE)]
        for case in (
            *((*walk, 0), (*walk, 0.0), (*alone, (rate, 0)), (*alone, (rate, 1))),
            *((*walk, (steep, 1)), (*walk, (steep, 3)), (*from_wide(alone), (RATE, 1))),
            (*from_wide(alone), BY_DEFAULT),
        ):
            with contextlib.suppress(StudentFailed, WrongKind):
                ask(*case)
                walks.append(case)
        return walks

    subject = Subject(
        ask=ask,
        rule=optimum,
        mistakes=_WRONG_ENDS,
        symptoms=(_SAME_END, _OTHER_RATE, _STOPPED),
        show=_show_walk,
        told=told_pair,
        alike=at_place,
    )
    failed = ""  # the first claim that does not hold
    for said in examine(
        replace(subject, rule=lambda *case: optimum(*case)),  # slips are looked for in one step
        draw,
        Property(
            "alone",
            "where p is a Gaussian itself, the descent finds it",
            gaussian_worlds,
            points=1,
            asks="KL(q‖p) = 0, at q = p",
        ),
        Property(
            "bumps",
            "from a start on a bump it settles on that bump: on the left one, and on the right one",
            bumps_with_starts,
            points=1.5,
            asks="mode-seeking: the local optimum of KL(q‖p) next to the start",
        ),
        Property(
            "start",
            "the descent begins at `start`: without a step it is there, one goes by minus the rate "
            "times the slopes, and many lead onto its bump",
            walks_from_a_start,
            points=0.5,
            asks="steps = 0, or a rate of 0, leaves mu and sigma as they were given; in "
            "each step mu and log sigma go by minus the rate times their slopes; the rate is 0.02 "
            "if none is given",
            alike=at_step,
            typical=False,
            needs="bumps",
        ),
        Property(
            "local",
            "where it ends, no small step makes KL(q‖p) smaller, near bumps included",
            near_bumps,
            points=1,
            asks="a local optimum: both slopes are 0",
            typical=False,
            needs="bumps",
        ),
    ):
        if isinstance(said, Cause):
            said = _cause_in_a_step(fit_reverse, draw.again(), said)
        elif said.id == "local" and said.holds and failed:
            if not all(is_optimum(*end) for end in ends):
                said = waiting(said.text, f"“{failed}”", points=said.points, id=said.id)
        elif said.fails and not failed:
            failed = said.text
        yield said
