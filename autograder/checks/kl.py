"""Checks of lesson 06, KL: entropies of tables, units of text, and the two ways to fit a Gaussian.

Notation: p is the world, q the model; KL(p‖q) = Σ p log(p/q) in nats, weighted by its first
argument (Kullback and Leibler, 1951; Cover and Thomas, 2006, chapter 2). Densities are tabulated on
evenly spaced grids.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from autograder import claim, expect_array, when
from autograder.checking import checks
from autograder.claims import Cause, Claim
from autograder.diagnosis import Mistake, Property, Subject, Symptom, examine
from autograder.diagnosis.examine import shown
from autograder.diagnosis.mistakes import alike
from autograder.diagnosis.shrinking import tables_of
from autograder.draw import Draw
from autograder.remote.proxy import Standin, WrongKind

LESSON = "06_kl"


# --- what the mathematics says --------------------------------------------------------------------


def mass_log(p: np.ndarray, q: np.ndarray) -> float:
    """Σ p log q over the outcomes with p > 0; −inf where one of them has q = 0."""
    seen = p > 0
    with np.errstate(divide="ignore"):
        return float((p[seen] * np.log(q[seen])).sum())


def entropy_of(p: np.ndarray) -> float:
    """H(p) in nats."""
    return -mass_log(p, p)


def divergence(p: np.ndarray, q: np.ndarray) -> float:
    """KL(p‖q) in nats."""
    return mass_log(p, p) - mass_log(p, q)


def log_gaussian(x: np.ndarray, mu: float, sigma: float) -> np.ndarray:
    """log of the density of N(mu, sigma²)."""
    return -0.5 * ((x - mu) / sigma) ** 2 - np.log(sigma) - 0.5 * np.log(2 * np.pi)


def mixture(grid: np.ndarray, bumps: Sequence[tuple[float, float, float]]) -> np.ndarray:
    """The density Σ weight · N(mean, sd²) on the grid; bumps are (weight, mean, sd)."""
    return sum(w * np.exp(log_gaussian(grid, m, s)) for w, m, s in bumps)


def moments(p: np.ndarray, grid: np.ndarray) -> tuple[float, float]:
    """Mean and standard deviation of a density on a grid."""
    weights = p / p.sum()
    mean = float((weights * grid).sum())
    return mean, float(np.sqrt((weights * (grid - mean) ** 2).sum()))


def forward_kl(p: np.ndarray, grid: np.ndarray, mu: float, sigma: float) -> float:
    """KL(p‖q) for q = N(mu, sigma²) and a density p > 0 on the grid."""
    return float((p * (np.log(p) - log_gaussian(grid, mu, sigma))).sum() * (grid[1] - grid[0]))


def reverse_kl(p: np.ndarray, grid: np.ndarray, mu: float, sigma: float) -> float:
    """KL(q‖p) for q = N(mu, sigma²) and a density p > 0 on the grid."""
    log_q = log_gaussian(grid, mu, sigma)
    return float((np.exp(log_q) * (log_q - np.log(p))).sum() * (grid[1] - grid[0]))


def descend(p: np.ndarray, grid: np.ndarray, start: tuple[float, float]) -> tuple[float, float]:
    """The local optimum of KL(q‖p) that short steps downhill from `start` reach."""
    mu, s, log_p = start[0], np.log(start[1]), np.log(p)
    for _ in range(3000):
        z = (grid - mu) / np.exp(s)
        log_q = log_gaussian(grid, mu, np.exp(s))
        weighted = np.exp(log_q) * (grid[1] - grid[0]) * (log_q - log_p)
        slope_mu, slope_s = (weighted * z).sum() / np.exp(s), (weighted * (z**2 - 1)).sum()
        mu -= np.clip(0.03 * slope_mu, -0.05, 0.05)
        s -= np.clip(0.03 * slope_s, -0.05, 0.05)
    return float(mu), float(np.exp(s))


def number(value: Any, what: str) -> float:
    """`value` as a float; WrongKind if it is anything but one real number."""
    if isinstance(value, bool):
        raise WrongKind(f"{what} should be a number: got {value!r}")
    return float(expect_array(value, (), "number", what))


def close(a: float, b: float, tolerance: float = 1e-9) -> bool:
    """Equal up to `tolerance`, absolute and relative; infinities equal themselves, NaN nothing."""
    return bool(a == b or np.isclose(a, b, rtol=tolerance, atol=tolerance))


def table(draw: Draw, outcomes: int, zeros: int = 0) -> np.ndarray:
    """Random probabilities (outcomes,), none too near the uniform ones; `zeros` of them are 0."""
    p = draw.rng.gamma(0.7, size=outcomes) + 0.02
    p[draw.permutation(outcomes)[:zeros]] = 0.0
    return p / p.sum()


def first_fit(
    got: Sequence[float], cases: Sequence[tuple], wrong: dict[str, Any], tolerance: float = 1e-6
) -> str:
    """The first name in `wrong` whose function of each case gives what was got; "" if none does."""
    for name, function in wrong.items():
        with np.errstate(all="ignore"):
            values = [function(*case) for case in cases]
        fits = all(close(g, v, tolerance) for g, v in zip(got, values, strict=True))
        if fits and all(np.isfinite(values)):
            return name
    return ""


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
_LEFT_OUT = tuple(
    Mistake(
        "zeros-of-q-left-out",
        "you leave the outcomes with q = 0 out: only those with p = 0 may go",
        options={"left_out": left_out},
    )
    for left_out in ("both", "q = 0")
)
_SMALL = (1e-5, 1e-6, 1e-7, 1e-8, 1e-9, 1e-10, 1e-12, 1e-15, 1e-16, 1e-20, 1e-30, 1e-100, 1e-300)
_EPSILON = tuple(
    Mistake(
        "epsilon-in-log",
        "something small is added inside the logarithm, or q is clipped: that hides the infinite "
        "price of calling a real event impossible",
        options={how: small},
    )
    for how in ("floor", "least")
    for small in (*_SMALL, float(np.finfo(float).eps), float(np.finfo(float).tiny))
)
_FINITE = Symptom(
    "epsilon-in-log",
    "your price of an event that the model calls impossible is a finite number: it must be inf, "
    "and nothing may stand in its place",
    lambda seen: (
        bool(never := [o.answer for o in seen if o.right == np.inf])
        and all(1 < a < np.inf for a in never)
    ),
)


def typical_tables(draw: Draw) -> list[tuple[np.ndarray]]:
    """Tables of 3, of some and of hundreds of outcomes, none of them 0."""
    return [(table(draw, k),) for k in (3, draw.integer(4, 8), draw.integer(200, 300))]


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
    """Outcomes that never happen, some of them impossible for the model too."""
    k = draw.integer(8, 14)
    p, q = table(draw, k, zeros=4), table(draw, k)
    q[np.flatnonzero(p == 0)[:2]] = 0.0
    return [(p, q / q.sum())]


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
    """A model that is the world itself, and beliefs near to it and far."""
    p = table(draw, draw.integer(5, 60))
    cases = [(p, p.copy())]
    for _ in range(12):
        k = draw.integer(2, 30)
        p, q = table(draw, k), table(draw, k)
        while np.abs(p - q).max() < 0.05:  # two tables of two outcomes may be almost equal
            q = table(draw, k)
        cases += [(p, (1 - t) * p + t * q) for t in (1.0, 0.1)]
    return cases


def exactly(a: Any, b: Any) -> bool:
    """Equal to 1e-9."""
    return alike(a, b, 1e-9)


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
    return " + ".join(terms) + f" = {total:.4g} nats"


@checks("entropy", lesson=LESSON, points=1, see="Exercise 1: surprise")
def entropy_of_a_table(entropy: Standin, draw: Draw) -> Iterator[Claim | Cause]:
    """The average surprise of who knows p."""
    subject = Subject(
        ask=lambda p: number(entropy(p), "the entropy"),
        rule=rule_of_entropy,
        mistakes=(
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
                "this is divided by log K, the most that K outcomes can have: H itself is asked, "
                "in nats",
                after=lambda v, p: v / np.log(max(len(p), 2)),
            ),
            Mistake(
                "only-the-count",
                "this is log K, whatever the probabilities: it is the entropy of even ones only",
                gives=lambda p: np.log((p > 0).sum()),
            ),
            _NAN,
            *_EPSILON,
        ),
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


@checks("cross_entropy", lesson=LESSON, points=2, see="Exercise 1: surprise")
def surprise_of_a_believer(cross_entropy: Standin, draw: Draw) -> Iterator[Claim | Cause]:
    """The average surprise of who believes q while the world does p."""
    subject = Subject(
        ask=lambda p, q: number(cross_entropy(p, q), "the cross-entropy"),
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
            _NAN,
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
        ask=lambda p, q: number(kl(p, q), "the divergence"),
        rule=rule_of_kl,
        mistakes=(*_MISTAKES_OF_KL, _NAN, *_LEFT_OUT, *_EPSILON),
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
            "it is 0 for q = p, and positive for every other q",
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
    Mistake(
        "multiplied-by-ln-2",
        "no factor is needed: np.log gives nats already",
        after=lambda v, *_: v * np.log(2),
    ),
)


# --- units of text --------------------------------------------------------------------------------


def texts(draw: Draw) -> list[tuple[np.ndarray]]:
    """Log-probabilities of three texts: tokens of every kind, none of them all alike."""
    return [
        (np.log(draw.uniform(n) * scale + 0.01),)
        for n, scale in ((2, 0.9), (draw.integer(5, 9), 0.5), (draw.integer(20, 30), 0.1))
    ]


@checks("perplexity", lesson=LESSON, points=1)
def choices_of_a_model(perplexity: Standin, draw: Draw) -> Iterator[Claim]:
    """As unsure as among so many equally likely tokens."""
    see = "Exercise 2: two units for text"

    def ask(log_probs: np.ndarray) -> float:
        return number(perplexity(log_probs), "the perplexity")

    cases = texts(draw)
    got = [ask(t) for (t,) in cases]
    right = [float(np.exp(-t.mean())) for (t,) in cases]
    v, n = draw.integer(20, 90), draw.integer(3, 40)
    even, perfect = ask(np.full(n, -np.log(v))), ask(np.zeros(n))
    wrong = {
        "exp-of-sum": lambda t: np.exp(-t.sum()),
        "sign": lambda t: np.exp(t.mean()),
        "base-mixed": lambda t: 2.0 ** -t.mean(),
        "base-mixed-bits": lambda t: np.exp(-t.mean() / np.log(2)),
        "mean-of-inverses": lambda t: np.exp(-t).mean(),
        "inverse-of-mean": lambda t: 1 / np.exp(t).mean(),
        "exp-forgotten": lambda t: -t.mean(),
        "log-of-logs": lambda t: np.exp(-np.log(-t).mean()),
    }
    named = first_fit(got, cases, wrong)
    if all(close(g, np.exp(min(-t.sum(), 700.0))) for g, (t,) in zip(got, cases, strict=True)):
        named = "exp-of-sum"
    yield claim(
        "perplexity is exp of the average surprise: V if even over V tokens, 1 if always sure",
        all(map(close, got, right)) and close(even, v) and close(perfect, 1.0),
        points=0.5,
        saw=f"{got[0]:.4g} for two tokens of probability {np.exp(cases[0][0][0]):.3g} and "
        f"{np.exp(cases[0][0][1]):.3g}; {even:.4g} for {n} tokens of probability 1/{v}",
        asks="the geometric mean of 1/probability over the tokens",
        advice=[
            when(
                named == "exp-of-sum",
                named,
                "this is exp of the SUM, which grows with the text: take the mean over the tokens",
            ),
            when(named == "sign", named, "below 1: the surprise is MINUS the log-probability"),
            when(
                named in ("base-mixed", "base-mixed-bits"),
                "base-mixed",
                "two bases are mixed: natural logarithms belong to exp, binary ones to 2^…",
            ),
            when(
                named in ("mean-of-inverses", "inverse-of-mean"),
                "arithmetic-mean",
                "you average probabilities or their inverses: average the LOGS, then take exp",
            ),
            when(named == "exp-forgotten", named, "this is the mean surprise in nats: exp of it"),
            when(named == "log-of-logs", named, "log_probs are logarithms already"),
            "work out the probabilities ½ and ⅛ by hand, and compare: 4",
        ],
        see=see,
    )
    once = np.log(draw.uniform(draw.integer(30, 60)) * 0.2 + 0.001)
    twice, long = ask(np.tile(once, 2)), ask(np.tile(once, 400))
    one, never = ask(once), ask(np.append(once, -np.inf))
    yield claim(
        "length alone does not perplex; one impossible token does, without end",
        close(twice, one) and close(long, one) and np.isfinite(one) and never == np.inf,
        points=0.5,
        saw=f"{one:.4g} for a text, {twice:.4g} for the same text twice, {never:.4g} with an "
        "impossible token added",
        asks="an average over tokens; inf where one of them has log-probability −inf",
        advice=[
            when(
                not close(twice, one),
                "exp-of-sum",
                "the answer grows with the length of the text: divide by the number of tokens",
            ),
            when(
                close(twice, one) and np.isfinite(never),
                "impossible-token-hidden",
                "an impossible token must cost everything: nothing may be clipped or left out",
            ),
            "take the mean of the logs first, exp last",
        ],
        see=see,
    )


@checks("bits_per_token", lesson=LESSON, points=1)
def bits_of_a_text(bits_per_token: Standin, draw: Draw) -> Iterator[Claim]:
    """The same average surprise, counted in yes/no answers."""
    see = "Exercise 2: two units for text"

    def ask(log_probs: np.ndarray) -> float:
        return number(bits_per_token(log_probs), "the bits per token")

    cases = texts(draw)
    got = [ask(t) for (t,) in cases]
    n = draw.integer(2, 30)
    coin, sure = ask(np.full(n, np.log(0.5))), ask(np.zeros(n))
    wrong = {
        "nats-for-bits": lambda t: -t.mean(),
        "multiplied-by-ln-2": lambda t: -t.mean() * np.log(2),
        "summed-over-tokens": lambda t: -t.sum() / np.log(2),
        "sign": lambda t: t.mean() / np.log(2),
        "perplexity-for-bits": lambda t: np.exp(-t.mean()),
        "log-of-mean": lambda t: -np.log2(np.exp(t).mean()),
        "two-to-the-nats": lambda t: 2.0 ** -t.mean(),
    }
    named = first_fit(got, cases, wrong)
    yield claim(
        "a nat is 1/ln 2 bits: a fair coin costs 1 bit a toss, certainty none",
        all(close(g, -t.mean() / np.log(2)) for g, (t,) in zip(got, cases, strict=True))
        and close(coin, 1.0)
        and close(sure, 0.0),
        points=0.5,
        saw=f"{coin:.4g} bits for each of {n} fair coin tosses"
        if not close(coin, 1.0)
        else f"{got[0]:.4g} bits for tokens of probability {np.exp(cases[0][0][0]):.3g} and "
        f"{np.exp(cases[0][0][1]):.3g}",
        asks="the average of −log₂ of the probabilities",
        advice=[
            when(named == "nats-for-bits", named, "these are nats: divide by ln 2 for bits"),
            when(
                named == "multiplied-by-ln-2",
                named,
                "you multiply by ln 2: a bit is the SMALLER unit, and there are more of them",
            ),
            when(
                named == "summed-over-tokens",
                named,
                "these are the bits of the whole text: per token is asked",
            ),
            when(named == "sign", named, "negative bits: surprise is MINUS the log-probability"),
            when(
                named in ("perplexity-for-bits", "two-to-the-nats"),
                "perplexity-for-bits",
                "this is a perplexity: its binary logarithm is asked",
            ),
            when(
                named == "log-of-mean",
                named,
                "you average probabilities and take the log: average the LOGS",
            ),
            when(
                any(map(np.isnan, got)),
                "log-of-logs",
                "NaN: log_probs are logarithms already, and no logarithm of theirs exists",
            ),
            "test yourself with one fair coin toss: exactly 1",
        ],
        see=see,
    )
    text = np.log(draw.uniform(draw.integer(30, 60)) * 0.2 + 0.001)
    one, long = ask(text), ask(np.tile(text, 300))
    power = float(np.exp(-text.mean()))
    yield claim(
        "perplexity is 2 to the bits per token, whatever the length of the text",
        close(2.0 ** min(one, 1000.0), power) and close(one, long),
        points=0.5,
        saw=f"{one:.4g} bits for a text, {long:.4g} for 300 copies of it, and a perplexity of "
        f"{power:.4g}",
        asks="2^BPT = PP, for any length",
        advice=[
            when(
                not close(one, long),
                "summed-over-tokens",
                "the answer grows with the length of the text: divide by the number of tokens",
            ),
            when(named == "multiplied-by-ln-2", named, "divide by ln 2, do not multiply"),
            when(named == "nats-for-bits", named, "exp of your answer is the perplexity: nats"),
            "natural logarithms divided by ln 2 are binary ones",
        ],
        see=see,
    )


# --- maximum likelihood ---------------------------------------------------------------------------


@checks("mle_equals_kl", lesson=LESSON, points=2)
def likelihood_is_forward_kl(mle_equals_kl: Standin, draw: Draw) -> Iterator[Claim]:
    """The average NLL is H(p̂) + KL(p̂‖q)."""
    see = "Exercise 3: maximum likelihood is forward KL"

    def ask(samples: np.ndarray, q: np.ndarray) -> list[float]:
        found = mle_equals_kl(samples, q)
        if not isinstance(found, list | tuple | np.ndarray) or len(found) != 3:
            raise WrongKind(
                "mle_equals_kl should return three numbers: the average NLL, H(p̂), KL(p̂‖q)"
            )
        names = ("the average NLL", "H(p̂)", "KL(p̂‖q)")
        return [number(v, name) for v, name in zip(found, names, strict=True)]

    def frequencies(samples: np.ndarray, q: np.ndarray) -> np.ndarray:
        return np.bincount(samples, minlength=len(q)) / len(samples)

    cases = []
    for k, n in ((2, draw.integer(5, 9)), (draw.integer(4, 7), 40), (draw.integer(20, 30), 300)):
        samples = draw.rng.choice(k, size=n, p=table(draw, k))
        samples[:3] = (0, 0, 1)  # never all alike
        cases.append((samples, table(draw, k)))
    unseen_q = table(draw, 9)
    unseen = draw.rng.integers(1, 6, size=draw.integer(20, 40))  # neither the first nor the last
    cases.append((unseen, unseen_q))
    got = [ask(*case) for case in cases]

    def right_nll(samples: np.ndarray, q: np.ndarray) -> float:
        return float(-np.log(q[samples]).mean())

    nll = [g[0] for g in got]
    wrong_nll = {
        "summed-over-samples": lambda s, q: right_nll(s, q) * len(s),
        "sign": lambda s, q: -right_nll(s, q),
        "bits-for-nats": lambda s, q: right_nll(s, q) / np.log(2),
        "mean-over-outcomes": lambda s, q: -np.log(q).mean(),
        "log-of-mean": lambda s, q: -np.log(q[s].mean()),
        "samples-not-counted": lambda s, q: -np.log(q[np.unique(s)]).mean(),
    }
    named = first_fit(nll, cases, wrong_nll)
    never_q = np.where(np.arange(9) == 0, 0.0, unseen_q)
    never_q /= never_q.sum()
    spared = ask(unseen, never_q)  # q = 0 where nothing was seen: that costs nothing
    exact = close(spared[0], right_nll(unseen, never_q))
    yield claim(
        "the first number is the samples' average of −log q",
        all(close(v, right_nll(*case)) for v, case in zip(nll, cases, strict=True)) and exact,
        points=0.5,
        saw=f"{nll[0]:.4g} for {len(cases[0][0])} samples, {np.bincount(cases[0][0]).tolist()} of "
        f"each outcome, and q = {shown(cases[0][1])}"
        if exact or not np.isfinite(spared[0])
        else f"{spared[0]:.4g}",
        asks="one term −log q(x) for each sample, and their mean",
        advice=[
            when(
                named == "summed-over-samples",
                named,
                "this is the sum over the samples: their average is asked",
            ),
            when(named == "sign", named, "this is the average LOG-likelihood: NLL is minus that"),
            when(named == "bits-for-nats", named, _BITS),
            when(
                named in ("mean-over-outcomes", "samples-not-counted"),
                "mean-over-outcomes",
                "you average over the outcomes: an outcome counts as often as it was sampled",
            ),
            when(named == "log-of-mean", named, "average the logs, not the probabilities"),
            "q[samples] has the probability of each sample",
        ],
        see=see,
    )

    def fits(index: int, function: Any) -> bool:
        with np.errstate(all="ignore"):
            return all(
                close(g[index], function(frequencies(*c), c[1]))
                for g, c in zip(got, cases, strict=True)
            )

    right_h = fits(1, lambda f, q: entropy_of(f))
    right_kl = fits(2, divergence)
    finite = all(np.isfinite(g).all() for g in got)
    smoothed = [(np.bincount(s, minlength=len(q)) + 1) / (len(s) + len(q)) for s, q in cases]
    is_smoothed = all(close(g[1], entropy_of(f)) for g, f in zip(got, smoothed, strict=True))
    yield claim(
        "the others are H(p̂) and KL(p̂‖q) of the samples' frequencies",
        right_h and right_kl and np.isfinite(spared).all(),
        points=0.5,
        saw=f"H = {got[0][1]:.4g}, KL = {got[0][2]:.4g} for samples with "
        f"{np.bincount(cases[0][0]).tolist()} of each outcome"
        if finite
        else "a number that is not finite, where some outcomes were never sampled",
        asks="p̂(x) = how often x came, divided by the number of samples",
        advice=[
            when(
                right_h and fits(2, lambda f, q: divergence(q, f)),
                "arguments-swapped",
                "this is KL(q‖p̂): the samples are the world, q the belief",
            ),
            when(
                not finite,
                "unseen-outcomes",
                "outcomes that never came have p̂ = 0: they count nothing, in either number",
            ),
            when(
                fits(1, lambda f, q: entropy_of(q)),
                "entropy-of-q",
                "this is the entropy of the model: the floor is that of the SAMPLES, H(p̂)",
            ),
            when(
                is_smoothed,
                "smoothed",
                "p̂ is made of the counts as they are: with anything added the identity is lost",
            ),
            when(
                fits(1, lambda f, q: entropy_of((f > 0) / (f > 0).sum())),
                "counts-forgotten",
                "each outcome that came counts the same: count how often it came (np.bincount)",
            ),
            when(
                not right_h and not right_kl,
                "counts-for-frequencies",
                "do p̂'s entries sum to 1? counts must be divided by the number of samples",
            ),
            "count the outcomes with np.bincount(samples, minlength=len(q)), and divide",
        ],
        see=see,
    )
    gaps = [abs(a - b - c) for a, b, c in got]
    worst = float(np.max(gaps)) if np.isfinite(gaps).all() else float("nan")
    varied = len({round(g[0], 6) for g in got}) > 1
    yield claim(
        "average NLL = H(p̂) + KL(p̂‖q), to 1e-10, for every q",
        worst < 1e-10 and varied and finite and all(g[2] > 0 for g in got),
        points=1,
        saw=f"a difference of {worst:.2g} nats"
        if worst >= 1e-10
        else "numbers that do not follow the samples",
        asks="an identity, and so a greatest likelihood where KL is least",
        advice=[
            when(
                all(g[2] <= 1e-12 for g in got),
                "compared-with-itself",
                "KL is 0: you compare the samples' frequencies with themselves; q is the model",
            ),
            when(
                right_h and fits(2, lambda f, q: divergence(q, f)),
                "arguments-swapped",
                "with KL(q‖p̂) nothing adds up: the first argument weights, and the samples are the "
                "world",
            ),
            when(
                named == "summed-over-samples",
                named,
                "the NLL is a sum over samples, the other two are averages",
            ),
            when(is_smoothed, "smoothed", "the identity holds for the bare frequencies only"),
            "all three are averages with the same weights: how often each outcome came",
        ],
        see=see,
    )


# --- the two fits ---------------------------------------------------------------------------------


def pair(value: Any, name: str) -> tuple[float, float]:
    """(mu, sigma) from what a fit returned; WrongKind if it is no pair of numbers."""
    if isinstance(value, Standin | dict | str) or not hasattr(value, "__len__") or len(value) != 2:
        raise WrongKind(f"{name} should return a pair of numbers, (mu, sigma)")
    return number(value[0], f"mu of {name}"), number(value[1], f"sigma of {name}")


def two_bumps(draw: Draw) -> tuple[np.ndarray, np.ndarray, list[tuple[float, float, float]]]:
    """A density of two far bumps, its grid, and the bumps (weight, mean, sd) from the left."""
    scale, middle = float(0.7 + 0.8 * draw.uniform()), float(draw.normal(scale=2.0))
    gap = float(4.5 + 1.5 * draw.uniform()) * scale
    weight = float(0.3 + 0.15 * draw.uniform()) + 0.25 * draw.integer(0, 1)  # never near 1/2
    bumps = [
        (weight, middle - gap / 2, scale * float(0.45 + 0.1 * draw.uniform())),
        (1 - weight, middle + gap / 2, scale * float(0.6 + 0.1 * draw.uniform())),
    ]
    grid = np.linspace(middle - 7 * scale, middle + 7.5 * scale, draw.integer(350, 450))
    return mixture(grid, bumps), grid, bumps


@checks("fit_forward", lesson=LESSON, points=3)
def gaussian_that_covers(fit_forward: Standin, draw: Draw) -> Iterator[Claim]:
    """The Gaussian of least KL(p‖q) has the moments of p."""
    see = "Exercise 4: the forward fit"
    cases = [two_bumps(draw)[:2] for _ in range(2)]
    middle = float(draw.normal(scale=3.0))
    skewed = [
        (0.15, middle - 3.0, 0.4),
        (0.25, middle, 0.7),
        (0.6, middle + 1.5, 0.5 + 0.4 * draw.uniform()),
    ]
    grid = np.linspace(middle - 8, middle + 9, draw.integer(700, 900))
    cases.append((mixture(grid, skewed), grid))
    got = [pair(fit_forward(p, grid), "fit_forward") for p, grid in cases]
    right = [moments(p, grid) for p, grid in cases]
    mus, sigmas = zip(*got, strict=True)

    def fits(values: Sequence[float], function: Any, tolerance: float = 2e-3) -> bool:
        with np.errstate(all="ignore"):
            return all(
                close(v, float(function(p, g)), tolerance)
                for v, (p, g) in zip(values, cases, strict=True)
            )

    def spacing(grid: np.ndarray) -> float:
        return float(grid[1] - grid[0])

    spread = [s for _, s in right]
    mode = all(
        abs(v - g[np.argmax(p)]) < 0.15 * s for v, s, (p, g) in zip(mus, spread, cases, strict=True)
    )
    advice_on_mode = when(
        mode,
        "forward-called-mode-seeking",
        "this sits on the highest bump: that is what the REVERSE KL does; the forward one covers "
        "all of p, and asks for its mean and variance",
    )
    mean_right = all(abs(v - m) < 2e-3 * s for v, (m, s) in zip(mus, right, strict=True))
    yield claim(
        "mu is the mean of p",
        mean_right,
        points=1,
        saw=f"mu = {mus[0]:.4g} for a density with its highest bump near "
        f"{cases[0][1][np.argmax(cases[0][0])]:.2f}",
        asks="∫ p(x) x dx",
        advice=[
            when(
                fits(mus, lambda p, g: g.mean()),
                "mean-over-outcomes",
                "this is the mean of the grid: each point weighs the same in it; weight by p",
            ),
            when(
                fits(mus, lambda p, g: (p * g).sum()),
                "spacing-forgotten",
                "the heights p sum to 1/Δ, not to 1: divide by p.sum(), or multiply by the spacing",
            ),
            when(
                fits(mus, lambda p, g: (p * g).mean()),
                "mean-for-sum",
                "this divides by the number of points: the weights are p, and sum to 1 as p·Δ",
            ),
            when(
                fits(mus, lambda p, g: p.mean()),
                "moments-of-the-heights",
                "this is the mean of the HEIGHTS p: the mean of x, weighted by p, is asked",
            ),
            advice_on_mode,
            when(
                fits(sigmas, lambda p, g: moments(p, g)[0])
                and fits(mus, lambda p, g: moments(p, g)[1]),
                "mu-and-sigma-swapped",
                "mu and sigma have changed places",
            ),
            "work out the two bumps at ±2 by hand, and compare: 0.4",
        ],
        see=see,
    )
    sigma_right = all(abs(v - s) < 2e-3 * s for v, (_, s) in zip(sigmas, right, strict=True))
    yield claim(
        "sigma is the standard deviation of p: within the bumps and between them",
        sigma_right,
        points=1,
        saw=f"sigma = {sigmas[0]:.4g} on the grid {cases[0][1][0]:.3g} … {cases[0][1][-1]:.3g}",
        asks="the root of ∫ p(x) (x − m)² dx",
        advice=[
            when(
                fits(sigmas, lambda p, g: moments(p, g)[1] ** 2),
                "variance-for-sigma",
                "this is the variance: sigma is its root",
            ),
            when(
                fits(sigmas, lambda p, g: np.sqrt((p * g**2).sum() / p.sum())),
                "moment-about-zero",
                "this is the root of the mean of x²: take the mean away first, (x − m)²",
            ),
            when(
                fits(sigmas, lambda p, g: (p * g**2).sum() / p.sum()),
                "moment-about-zero",
                "this is the mean of x²: take the mean away first, (x − m)², and take the root",
            ),
            when(
                fits(sigmas, lambda p, g: g.std(), 4e-3),
                "mean-over-outcomes",
                "this is the standard deviation of the grid: weight by p",
            ),
            when(
                fits(sigmas, lambda p, g: moments(p, g)[1] / np.sqrt(spacing(g)))
                or fits(sigmas, lambda p, g: moments(p, g)[1] ** 2 / spacing(g)),
                "spacing-forgotten",
                "the heights p sum to 1/Δ, not to 1: divide by p.sum(), or multiply by the spacing",
            ),
            when(
                fits(sigmas, lambda p, g: p.std(), 4e-3),
                "moments-of-the-heights",
                "this is the spread of the HEIGHTS p: the spread of x, weighted by p, is asked",
            ),
            when(
                fits(sigmas, lambda p, g: np.log(moments(p, g)[1])),
                "log-sigma-returned",
                "this is log sigma: return sigma",
            ),
            advice_on_mode,
            when(
                all(v < 0.6 * s for v, s in zip(sigmas, spread, strict=True)),
                "within-bumps-only",
                "too narrow: the distance BETWEEN the bumps is a part of the variance, too",
            ),
            "the average of (x − m)² with the weights of the mean, and its root",
        ],
        see=see,
    )
    better = ""
    for (mu, sigma), (p, grid), unit in zip(got, cases, spread, strict=True):
        if not (np.isfinite(mu) and np.isfinite(sigma) and sigma > 0):
            better = better or f"mu = {mu:.4g}, sigma = {sigma:.4g}: no Gaussian"
            continue
        here = forward_kl(p, grid, mu, sigma)
        for near in ((0.05, 1), (-0.05, 1), (0, 1.05), (0, 0.95)):
            there = forward_kl(p, grid, mu + near[0] * unit, sigma * near[1])
            if not there > here and not better:  # NaN is no minimum either
                better = f"KL(p‖q) = {here:.4f} nats at your place, {there:.4f} a step beside it"
    yield claim(
        "no Gaussian near it has a smaller KL(p‖q)",
        not better,
        points=1,
        saw=better,
        asks="the least forward KL: every small change of mu or sigma makes it larger",
        advice=[
            advice_on_mode,
            "drag the explorer's Gaussian to your place: which way does KL(p‖q) fall?",
        ],
        see=see,
    )


@checks("fit_reverse", lesson=LESSON, points=4)
def gaussian_that_chooses(fit_reverse: Standin, draw: Draw) -> Iterator[Claim]:
    """Gradient descent on KL(q‖p) ends in the valley where it starts."""
    see = "Exercise 5: the reverse fit"

    def fit(p: np.ndarray, grid: np.ndarray, start: tuple[float, float]) -> tuple[float, float]:
        return pair(fit_reverse(p, grid, start), "fit_reverse")

    def is_at(found: tuple[float, float], place: tuple[float, float], far: float = 0.05) -> bool:
        unit = place[1]
        return bool(abs(found[0] - place[0]) < far * unit and abs(found[1] - unit) < far * unit)

    def in_words(found: tuple[float, float]) -> str:
        return f"mu = {found[0]:.4g}, sigma = {found[1]:.4g}"

    m, s = float(draw.normal(scale=2.0)), float(0.5 + 0.25 * draw.uniform())
    s *= draw.integer(1, 2)
    grid = np.linspace(m - 9, m + 9, draw.integer(350, 450))
    p = mixture(grid, [(1.0, m, s)])
    starts = [(m + 0.9 * s, 1.5 * s), (m - 0.7 * s, 0.6 * s)]
    alone = [fit(p, grid, start) for start in starts]
    lost = [f for f in alone if not np.isfinite(f).all()]
    moved = [not is_at(f, start, 0.01) for f, start in zip(alone, starts, strict=True)]
    away = [
        abs(f[0] - m) > abs(start[0] - m) + 0.2 * s for f, start in zip(alone, starts, strict=True)
    ]
    kept_sigma = [abs(f[1] - start[1]) < 1e-3 * s for f, start in zip(alone, starts, strict=True)]
    kept_mu = [abs(f[0] - start[0]) < 1e-3 * s for f, start in zip(alone, starts, strict=True)]

    def all_are(function: Any) -> bool:
        return all(abs(f[1] - function(s)) < 0.02 * s for f in alone)

    advice_alone = [
        when(
            bool(lost) or any(away),
            "uphill",
            "mu runs away from p: a step goes AGAINST the slope, and the weights are q's (with p's "
            "weights the same sum is minus the forward KL: data alone cannot give the reverse one)",
        ),
        when(not any(moved), "not-moved", "this is the start: does the loop update mu and s?"),
        when(
            all(kept_sigma) and not all(kept_mu),
            "sigma-fixed",
            "sigma is still that of the start: both parameters must walk",
        ),
        when(
            all(kept_mu) and not all(kept_sigma),
            "mu-fixed",
            "mu is still that of the start: both parameters must walk",
        ),
        when(
            all_are(np.log),
            "log-sigma-returned",
            "this is log sigma: the walk is in s = log sigma, the answer is sigma",
        ),
        when(all_are(np.square), "variance-for-sigma", "this is the variance: return sigma"),
        when(
            all(f[1] < 0.3 * s and abs(f[0] - m) < s for f in alone),
            "entropy-of-q-forgotten",
            "sigma shrinks to nothing: that is E_q[−log p] alone, which likes a spike; the term "
            "log q in r keeps q wide",
        ),
        when(
            all(
                min(start[0], m) - 0.1 * s < f[0] < max(start[0], m) + 0.1 * s
                for f, start in zip(alone, starts, strict=True)
            ),
            "stopped-early",
            "on the way but not there: more steps, or larger ones (do the integrals have their "
            "factor dx?)",
        ),
        "work out the two slopes for p = N(0, 1), q = N(1, 1) by hand, and compare: 1 and 0",
    ]
    yield claim(
        "where p is a Gaussian itself, the descent finds it",
        all(is_at(f, (m, s), 0.03) for f in alone),
        points=1,
        saw=f"{in_words(alone[0])} from the start ({starts[0][0]:.3g}, {starts[0][1]:.3g}), for "
        f"p = N({m:.3g}, {s:.3g}²)",
        asks="KL(q‖p) = 0, at q = p",
        advice=advice_alone,
        see=see,
    )

    p, grid, bumps = two_bumps(draw)
    starts = [
        (mean + 0.5 * sd * float(draw.uniform() - 0.5), float(sd * (0.8 + 0.5 * draw.uniform())))
        for _, mean, sd in bumps
    ]
    found = [fit(p, grid, start) for start in starts]
    places = [descend(p, grid, (mean, sd)) for _, mean, sd in bumps]
    at_home = [is_at(f, place) for f, place in zip(found, places, strict=True)]
    forward = moments(p, grid)
    advice_bumps = [
        when(
            all(is_at(f, forward) for f in found),
            "forward-for-reverse",
            "this is the forward fit: it covers both bumps; the reverse KL weights by q, and "
            "forgetting a bump costs it only −log w",
        ),
        when(
            is_at(found[0], found[1], 0.02) and any(at_home),
            "start-ignored",
            "both starts end on the same bump: the descent begins at `start`, it does not look for "
            "the best bump",
        ),
        when(
            is_at(found[0], found[1], 0.02),
            "start-ignored",
            "both starts end at the same place: begin the descent at `start`",
        ),
        *advice_alone[:-2],
        when(
            any(at_home),
            "one-bump-only",
            "one start ends at its bump, the other does not: are the steps too large?",
        ),
        "from a start on a bump, small steps downhill stay there: draw the path in the explorer",
    ]
    worst = found[0] if not at_home[0] else found[1]
    yield claim(
        "from a start on a bump it settles on that bump: on the left one, and on the right one",
        all(at_home),
        points=2,
        saw=f"{in_words(worst)} from the {'right' if at_home[0] else 'left'} bump; they are "
        f"at {bumps[0][1]:.3g} and {bumps[1][1]:.3g}",
        asks="mode-seeking: the local optimum of KL(q‖p) next to the start",
        advice=advice_bumps,
        see=see,
    )

    # Two bumps so close that there is one optimum, wide and across both.
    center, unit = float(draw.normal()), float(0.5 + 0.3 * draw.uniform())
    half = float(0.8 + 0.3 * draw.uniform()) * unit
    wide_grid = np.linspace(center - 8, center + 8, draw.integer(350, 450))
    merged = mixture(wide_grid, [(0.35, center - half, unit), (0.65, center + half, unit)])
    settled = [(f, p, grid) for f in found]
    settled.append((fit(merged, wide_grid, (center - half, unit)), merged, wide_grid))
    better = ""
    for (mu, sigma), p_here, grid_here in settled:
        if not (np.isfinite(mu) and np.isfinite(sigma) and sigma > 0):
            better = better or f"mu = {mu:.4g}, sigma = {sigma:.4g}: no Gaussian"
            continue
        if sigma < 2 * (grid_here[1] - grid_here[0]) or not grid_here[0] < mu < grid_here[-1]:
            better = better or f"{in_words((mu, sigma))}, finer than the grid or off it"
            continue
        here = reverse_kl(p_here, grid_here, mu, sigma)
        for step, stretch in ((0.08, 1), (-0.08, 1), (0, 1.08), (0, 0.92)):
            there = reverse_kl(p_here, grid_here, mu + step * sigma, sigma * stretch)
            if not there > here and not better:  # NaN is no minimum either
                better = f"KL(q‖p) = {here:.4f} nats at your place, {there:.4f} a step beside it"
    yield claim(
        "where it ends, no small step makes KL(q‖p) smaller, near bumps included",
        not better,
        points=1,
        saw=better,
        asks="a local optimum: both slopes are 0",
        advice=advice_bumps,
        see=see,
    )
