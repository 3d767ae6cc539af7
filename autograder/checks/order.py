"""Checks of lesson 07, order: one joint, two arrows, and which family can follow which of them.

The world: X1 ~ N(0, 1), and X2 given X1 ~ N(μ(X1), ε) with ε a VARIANCE; μ is mu[0] where x1 ≤ 0
and mu[1] where x1 > 0. Everything that is asked has a closed form, so that no check needs a table
of answers. With Δ = mu[1] − mu[0] and w(x2) = P(X1 > 0 | x2) = σ(Δ (x2 − (mu[0] + mu[1]) / 2) / ε):

    p(x1 | x2)    = 2 φ(x1) w for x1 > 0, and 2 φ(x1) (1 − w) for x1 ≤ 0   (Bayes)
    E[X1 | x2]    = √(2/π) (2w − 1), and E[X1² | x2] = 1 whatever x2 is    (half-normal moments)
    Var[X2]       = ε + Δ²/4                                         (law of total variance)
    the gap       = ½ log(Var[X2] / ε) + ½ E log Var[X1 | X2]              (nats)

The last line: a Gaussian with the moments of p has −E_p log q = ½ log(2πe Var), in both factors,
and the entropy of the joint is that of its forward factors, ½ log(2πe) + ½ log(2πe ε). That such
a Gaussian is the one of least KL(p‖q): Bishop (2006), section 10.7.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from autograder import claim, expect_array, when
from autograder.checking import checks
from autograder.claims import Claim
from autograder.draw import Draw
from autograder.remote.proxy import Standin, WrongKind, describe

LESSON = "07_order"
HALF_NORMAL_MEAN = np.sqrt(2 / np.pi)

Mu = tuple[float, float]


# --- what the mathematics says --------------------------------------------------------------------


def gaussian(x: np.ndarray, mean: Any, variance: Any) -> np.ndarray:
    """The density of N(mean, variance)."""
    return np.exp(-0.5 * (x - mean) ** 2 / variance) / np.sqrt(2 * np.pi * variance)


def marginal(x2: np.ndarray, mu: Mu, eps: float) -> np.ndarray:
    """p(x2): half of each bump."""
    return 0.5 * gaussian(x2, mu[0], eps) + 0.5 * gaussian(x2, mu[1], eps)


def weight_above(x2: np.ndarray, mu: Mu, eps: float) -> np.ndarray:
    """w(x2) = P(X1 > 0 | x2), by the log-odds: finite wherever x2 is."""
    log_odds = (mu[1] - mu[0]) * (x2 - (mu[0] + mu[1]) / 2) / eps
    return np.exp(-np.logaddexp(0.0, -log_odds))


def posterior(x1: np.ndarray, x2: np.ndarray, mu: Mu, eps: float) -> np.ndarray:
    """p(x1 | x2), broadcast."""
    w = np.where(x1 > 0, weight_above(x2, mu, eps), weight_above(x2, mu[::-1], eps))
    return 2 * gaussian(x1, 0.0, 1.0) * w


def conditional_moments(x2: np.ndarray, mu: Mu, eps: float) -> tuple[np.ndarray, np.ndarray]:
    """(E[X1 | x2], Var[X1 | x2])."""
    mean = HALF_NORMAL_MEAN * (2 * weight_above(x2, mu, eps) - 1)
    return mean, 1 - mean**2


def moments_of_x2(mu: Mu, eps: float) -> tuple[float, float]:
    """(E[X2], Var[X2])."""
    return (mu[0] + mu[1]) / 2, eps + (mu[1] - mu[0]) ** 2 / 4


def nodes(mu: Mu, eps: float, count: int = 2001) -> tuple[np.ndarray, float]:
    """Even nodes over both bumps, twelve standard deviations out, and their spacing."""
    reach = 12 * np.sqrt(eps)
    x2 = np.linspace(min(mu) - reach, max(mu) + reach, count)
    return x2, x2[1] - x2[0]


def gap_of(mu: Mu, eps: float) -> float:
    """KL of the best Gaussian model of the arrow x2 → x1, nats."""
    x2, step = nodes(mu, eps)
    variance = conditional_moments(x2, mu, eps)[1]
    average = (marginal(x2, mu, eps) * np.log(variance)).sum() * step
    return float(0.5 * np.log(moments_of_x2(mu, eps)[1] / eps) + 0.5 * average)


def gap_of_x2(mu: Mu, eps: float) -> float:
    """The part of the gap that the first factor loses: KL(p(x2) ‖ one Gaussian)."""
    x2, step = nodes(mu, eps)
    p = marginal(x2, mu, eps)
    seen = p > 0
    cross = 0.5 * np.log(2 * np.pi * np.e * moments_of_x2(mu, eps)[1])
    return float(cross + (p[seen] * np.log(p[seen])).sum() * step)


def best_mixture(p: np.ndarray, grid: np.ndarray, components: int, steps: int = 120) -> np.ndarray:
    """Heights of the mixture of Gaussians that expectation maximization finds for p (…, m).

    It starts from pieces of p with equal mass (Dempster, Laird and Rubin, 1977, for the steps).
    """
    mass = p / p.sum(-1, keepdims=True)
    piece = np.minimum((mass.cumsum(-1) * components - 1e-9).astype(int), components - 1)
    share = (piece[..., None, :] == np.arange(components)[:, None]).astype(np.float64)
    floor = (grid[1] - grid[0]) ** 2 / 2
    for _ in range(steps if components > 1 else 1):  # one component is found at once
        shared = share * mass[..., None, :]
        w = shared.sum(-1) + 1e-300
        mean = shared @ grid / w
        variance = np.maximum(shared @ grid**2 / w - mean**2, floor)
        bumps = w[..., None] * gaussian(grid, mean[..., None], variance[..., None])
        q = np.maximum(bumps.sum(-2), 1e-300)
        share = bumps / q[..., None, :]
    return q


def divergence(p: np.ndarray, q: np.ndarray, step: float) -> np.ndarray:
    """KL(p‖q) of heights on an even grid, along the last axis; 0 log 0 = 0."""
    ratio = np.log(np.maximum(p, 1e-300)) - np.log(np.maximum(q, 1e-300))
    return np.where(p > 0, p * ratio, 0.0).sum(-1) * step


def mixture_losses(components: int, mu: Mu, eps: float) -> dict[str, float]:
    """What is lost when both reverse factors are mixtures, by factor, and what mistakes would say.

    "x2" and "x1" add up to the answer; "unweighted" averages over x2 as if all were equally
    frequent, "reversed" has KL(q‖p).
    """
    x1 = (np.arange(240) + 0.5) / 20 - 6  # no node stands on the jump
    # The lesson's own grid, since an average without weights depends on it.
    x2 = np.linspace(min(mu) - 7 * np.sqrt(eps), max(mu) + 7 * np.sqrt(eps), 80)
    p2, p1 = marginal(x2, mu, eps), posterior(x1, x2[:, None], mu, eps)
    q2, q1 = best_mixture(p2, x2, components), best_mixture(p1, x1, components)
    h1, h2 = x1[1] - x1[0], x2[1] - x2[0]
    rows = divergence(p1, q1, h1)
    first = float(divergence(p2, q2, h2))
    backward = float(divergence(q2, p2, h2) + (p2 * divergence(q1, p1, h1)).sum() * h2)
    return {
        "x2": first,
        "x1": float((p2 * rows).sum() * h2),
        "unweighted": first + float(rows.mean()),
        "reversed": backward,
    }


# --- what comes back ------------------------------------------------------------------------------


def close(a: Any, b: Any, tolerance: float = 1e-9) -> bool:
    """Equal shapes, and values up to `tolerance` (absolute, and relative to b); never for NaN."""
    a, b = np.asarray(a), np.asarray(b)
    return a.shape == b.shape and bool(np.allclose(a, b, rtol=tolerance, atol=tolerance))


def number(value: Any, what: str) -> float:
    """`value` as a float; WrongKind if it is anything but one real number."""
    if isinstance(value, bool):
        raise WrongKind(f"{what} should be a number: got {value!r}")
    if isinstance(value, np.ndarray) and value.size == 1:
        value = value.reshape(())
    return float(expect_array(value, (), "number", what))


def heights(value: Any, what: str) -> np.ndarray:
    """A density's values as float64, of any shape."""
    return expect_array(value, None, "number", what).astype(np.float64)


def first_fit(
    got: Sequence[Any], cases: Sequence[tuple], wrong: dict[str, Callable], tolerance: float = 1e-6
) -> str:
    """The first name in `wrong` whose function of each case gives what was got; "" if none does."""
    for name, function in wrong.items():
        with np.errstate(all="ignore"):
            values = [np.asarray(function(*case), dtype=np.float64) for case in cases]
        fits = all(close(g, v, tolerance) for g, v in zip(got, values, strict=True))
        if fits and all(np.isfinite(v).all() for v in values):
            return name
    return ""


def world(draw: Draw, *, falling: bool = False, scale: float = 1.0) -> tuple[Mu, float]:
    """Two means and a variance, the bumps 1.5 to 5 standard deviations apart, and ε far from 1.

    ε = 1 would hide who takes a variance for a standard deviation.
    """
    eps = float(draw.rng.uniform(0.15, 0.6)) * scale**2
    low = float(draw.rng.uniform(-1.5, 1.5)) * scale
    high = low + float(draw.rng.uniform(1.5, 5)) * np.sqrt(eps)
    return ((high, low) if falling else (low, high)), eps


def told(mu: Mu, eps: float) -> str:
    """The world in words."""
    return f"mu = ({mu[0]:.3g}, {mu[1]:.3g}), ε = {eps:.3g}"


def _off(got: np.ndarray, right: np.ndarray) -> int:
    """Where `got` is furthest from `right`; the first place where it is no number at all."""
    away = np.abs(got - right)
    return int(np.argmax(np.where(np.isfinite(away), away, np.inf)))


_STD = "ε is a VARIANCE, as in N(μ, ε): the standard deviation, which scipy calls scale, is √ε"


# --- marginal_x2 ----------------------------------------------------------------------------------


@checks("marginal_x2", lesson=LESSON, points=3)
def two_bumps(marginal_x2: Standin, draw: Draw) -> Iterator[Claim]:
    """Summing x1 out leaves a mixture of two Gaussians."""
    see = "Exercise 1: what x2 looks like alone"
    cases = []
    for falling, scale in ((False, 1.0), (True, 1.0), (False, 3.0)):
        mu, eps = world(draw, falling=falling, scale=scale)
        x2 = draw.rng.uniform(min(mu) - 2 * np.sqrt(eps), max(mu) + 2 * np.sqrt(eps), size=9)
        cases.append((x2, mu, eps))
    got = [heights(marginal_x2(*case), "the density") for case in cases]
    right = [marginal(*case) for case in cases]

    def one(mean: Callable, variance: Callable) -> Callable:
        return lambda x2, mu, eps: gaussian(x2, mean(mu), variance(mu, eps))

    wrong = {
        "variance-for-std": lambda x2, mu, eps: marginal(x2, mu, eps**2),
        "std-only-in-exponent": lambda x2, mu, eps: marginal(x2, mu, eps**2) * np.sqrt(eps),
        "std-only-in-normalizer": lambda x2, mu, eps: marginal(x2, mu, eps) / np.sqrt(eps),
        "weights-of-one": lambda x2, mu, eps: 2 * marginal(x2, mu, eps),
        "means-averaged": one(lambda mu: sum(mu) / 2, lambda mu, eps: eps),
        "one-gaussian": lambda x2, mu, eps: gaussian(x2, *moments_of_x2(mu, eps)),
        "one-bump": one(lambda mu: mu[0], lambda mu, eps: eps),
        "other-bump": one(lambda mu: mu[1], lambda mu, eps: eps),
        "log-density": lambda x2, mu, eps: np.log(marginal(x2, mu, eps)),
        "normalizer-omitted": lambda x2, mu, eps: marginal(x2, mu, eps) * np.sqrt(2 * np.pi * eps),
        "sum-of-variables": lambda x2, mu, eps: (
            0.5 * gaussian(x2, mu[0], 1 + eps) + 0.5 * gaussian(x2, mu[1], 1 + eps)
        ),
    }
    named = first_fit(got, cases, wrong)
    holds = all(map(close, got, right))
    x2, mu, eps = cases[0]
    yield claim(
        "p(x2) is the mean of the two bumps N(mu[0], ε) and N(mu[1], ε)",
        holds,
        points=1.5,
        saw=f"an answer of shape {got[0].shape} for {len(x2)} values of x2"
        if got[0].shape != x2.shape
        else f"p({x2[0]:.3g}) = {got[0][0]:.4g} for {told(mu, eps)}",
        asks="half the probability lies at x1 ≤ 0 and brings one bump, half at x1 > 0",
        advice=[
            when(named == "variance-for-std", named, _STD),
            when(
                named in ("std-only-in-exponent", "std-only-in-normalizer"),
                "variance-for-std",
                "variance and standard deviation are mixed: ε stands in the exponent as 2ε, and in "
                "front as √(2πε)",
            ),
            when(
                named == "weights-of-one",
                named,
                "the two bumps together have a mass of 2: each is weighted with the probability "
                "of its side of x1, ½",
            ),
            when(
                named == "means-averaged",
                named,
                "you averaged the MEANS: that is one bump in the middle, where x2 is seldom. "
                "Average the densities",
            ),
            when(
                named == "one-gaussian",
                named,
                "right mean, right variance, and still one Gaussian: the marginal has two bumps",
            ),
            when(
                named in ("one-bump", "other-bump"),
                "one-side-only",
                "this is p(x2) for one side of x1 only: the other side brings its own bump",
            ),
            when(named == "log-density", named, "this is log p(x2): the density is asked"),
            when(
                named == "normalizer-omitted",
                named,
                "the factor 1/√(2πε) is missing: right shape, but not the right mass",
            ),
            when(
                named == "sum-of-variables",
                named,
                "X1 decides WHICH bump, it is not added to it: a bump has the variance ε, not 1+ε",
            ),
            "put x1 on each side in turn: which Gaussian is x2 then, and with which probability?",
        ],
        see=see,
    )

    totals, worlds = [], []
    for ratio in (0.003, 0.3, 40.0):  # narrow bumps, and bumps wide enough to be one
        mu, _ = world(draw)
        eps = ratio * (mu[1] - mu[0]) ** 2
        x2, step = nodes(mu, eps, 4001)
        answer = heights(marginal_x2(x2, mu, eps), "the density")
        fits = answer.shape == x2.shape and (answer >= 0).all()
        totals.append(float(answer.sum() * step) if fits else float("nan"))
        worlds.append((mu, eps))
    bad = next((i for i, total in enumerate(totals) if not abs(total - 1) < 1e-6), 0)
    yield claim(
        "it integrates to 1, for narrow bumps and for wide ones",
        all(abs(total - 1) < 1e-6 for total in totals),
        points=1,
        saw=f"an integral of {totals[bad]:.4g} for {told(*worlds[bad])}",
        asks="∫ p(x2) dx2 = 1 and p ≥ 0, or it is no density",
        advice=[
            when(
                named == "weights-of-one",
                "weights-of-one",
                "each bump has mass 1 by itself: together they need the weights ½ and ½",
            ),
            when(
                named.startswith("std-only"),
                "variance-for-std",
                "exponent and normalizer must speak of the same variance ε",
            ),
            when(
                named == "normalizer-omitted",
                "normalizer-omitted",
                "the factor 1/√(2πε) is missing",
            ),
            "add up your density on a fine grid, times the spacing: what is missing?",
        ],
        see=see,
    )

    mu, eps = world(draw)
    grid = draw.normal(2, 3)
    square = heights(marginal_x2(grid, mu, eps), "the density")
    single = number(marginal_x2(float(grid[0, 0]), mu, eps), "the density at one point")
    flat = heights(marginal_x2(grid.reshape(-1), mu, eps), "the density")
    fits = close(square.reshape(-1), flat) if square.shape == (2, 3) else False
    yield claim(
        "one number in, one number out; an array in, one of its shape out",
        holds and fits and close(single, flat[0]),
        points=0.5,
        saw=f"shape {square.shape} for x2 of shape (2, 3)"
        if not fits
        else f"{single:.4g} at the point {grid[0, 0]:.3g}",
        asks="the same density at each entry of x2",
        advice="write it with array operations, and without a sum over the entries of x2",
        see=see,
    )


# --- reverse_posterior ----------------------------------------------------------------------------


@checks("reverse_posterior", lesson=LESSON, points=4)
def bayes_turns_the_arrow(reverse_posterior: Standin, draw: Draw) -> Iterator[Claim]:
    """Bayes' rule turns the arrow, and what comes out is no Gaussian."""
    see = "Exercise 2: turn the arrow"
    cases = []
    for falling, scale in ((False, 1.0), (True, 1.0), (False, 3.0)):
        mu, eps = world(draw, falling=falling, scale=scale)
        middle, spread = (mu[0] + mu[1]) / 2, np.sqrt(eps)
        x2 = middle + spread * np.array([-1.1, -0.4, 0.3, 0.9]) * draw.rng.uniform(0.7, 1.2)
        x1 = np.array([-1.3, 0.4, 1.1, -0.2]) * draw.rng.uniform(0.7, 1.2)
        cases.append((x1, x2, mu, eps))
    got = [heights(reverse_posterior(*case), "the density") for case in cases]
    right = [posterior(*case) for case in cases]

    def likelihood(x1, x2, mu, eps):
        return gaussian(x2, np.where(x1 > 0, mu[1], mu[0]), eps)

    def smooth(x1, x2, mu, eps):
        mean, variance = conditional_moments(x2, mu, eps)
        return gaussian(x1, mean, variance)

    def linear(x1, x2, mu, eps):
        covariance = (mu[1] - mu[0]) / 2 * HALF_NORMAL_MEAN
        mean2, var2 = moments_of_x2(mu, eps)
        mean = covariance / var2 * (x2 - mean2)
        return gaussian(x1, mean, 1 - covariance**2 / var2)

    wrong = {
        "sides-swapped": lambda x1, x2, mu, eps: posterior(x1, x2, mu[::-1], eps),
        "normalizer-omitted": lambda x1, x2, mu, eps: (
            gaussian(x1, 0, 1) * likelihood(x1, x2, mu, eps)
        ),
        "variance-for-std": lambda x1, x2, mu, eps: posterior(x1, x2, mu, eps**2),
        "arrow-not-turned": likelihood,
        "prior-forgotten": lambda x1, x2, mu, eps: (
            likelihood(x1, x2, mu, eps) / marginal(x2, mu, eps)
        ),
        "prior-returned": lambda x1, x2, mu, eps: gaussian(x1, 0, 1) + 0 * x2,
        "half-normal-halved": lambda x1, x2, mu, eps: posterior(x1, x2, mu, eps) / 2,
        "weight-without-density": lambda x1, x2, mu, eps: (
            posterior(x1, x2, mu, eps) / gaussian(x1, 0, 1) / 2
        ),
        "evidence-doubled": lambda x1, x2, mu, eps: 2 * posterior(x1, x2, mu, eps),
        "gaussian-for-posterior": smooth,
        "linear-gaussian": linear,
        "log-density": lambda x1, x2, mu, eps: np.log(posterior(x1, x2, mu, eps)),
        "one-evidence": lambda x1, x2, mu, eps: (
            gaussian(x1, 0, 1) * likelihood(x1, x2, mu, eps) / gaussian(x2, *moments_of_x2(mu, eps))
        ),
    }
    named = first_fit(got, cases, wrong)
    holds = all(map(close, got, right))
    x1, x2, mu, eps = cases[0]
    shape = got[0].shape
    bad = _off(got[0], right[0]) if shape == x1.shape else 0
    yield claim(
        "p(x1 | x2) = p(x1) p(x2 | x1) / p(x2)",
        holds,
        points=1.5,
        saw=f"an answer of shape {shape} for {len(x1)} pairs"
        if shape != x1.shape
        else f"p(x1 = {x1[bad]:.3g} | x2 = {x2[bad]:.3g}) = {got[0][bad]:.4g} for {told(mu, eps)}",
        asks="Bayes' rule at each pair of x1 and x2",
        advice=[
            when(
                named == "sides-swapped",
                named,
                "the weight of the WRONG side: where x1 > 0, the bump at mu[1] is the one that "
                "must explain x2",
            ),
            when(
                named == "normalizer-omitted",
                named,
                "this is the joint p(x1, x2): Bayes' rule divides it by p(x2)",
            ),
            when(named == "variance-for-std", named, _STD),
            when(
                named == "arrow-not-turned",
                named,
                "this is p(x2 | x1), the arrow as it was: multiply by p(x1), divide by p(x2)",
            ),
            when(
                named == "prior-forgotten",
                named,
                "p(x1) is missing: a large x1 is rare before x2 says a word",
            ),
            when(
                named == "prior-returned",
                named,
                "this is p(x1), as if x2 told nothing: x2 near a bump tells the sign of x1",
            ),
            when(
                named == "half-normal-halved",
                named,
                "half of the mass is missing: p(x1) restricted to one side has the density 2 φ(x1) "
                "there",
            ),
            when(
                named == "weight-without-density",
                named,
                "this is the probability of x1's SIDE: spread it over that side with 2 φ(x1)",
            ),
            when(
                named == "evidence-doubled",
                named,
                "twice too much: p(x2) is HALF of each bump, and you divide by half of that",
            ),
            when(
                named == "one-evidence",
                "order-changes-the-joint",
                "you divide by one Gaussian for p(x2), which has two bumps (exercise 1): p(x2) "
                "times this is another joint, but turning the arrow never changes the joint",
            ),
            when(
                named in ("gaussian-for-posterior", "linear-gaussian"),
                "gaussian-for-posterior",
                "this is a Gaussian: the best one can do with one, but not the truth. Use Bayes' "
                "rule as it stands",
            ),
            when(named == "log-density", named, "this is log p(x1 | x2): the density is asked"),
            "compute the example by hand, factor by factor, and compare",
        ],
        see=see,
    )

    x1 = (np.arange(1600) + 0.5) / 100 - 8  # midpoints: none of them on the jump
    totals, at = [], []
    for falling in (False, True):
        mu, eps = world(draw, falling=falling)
        for x2 in (mu[0], (mu[0] + mu[1]) / 2, mu[1] + np.sqrt(eps)):
            answer = heights(reverse_posterior(x1, float(x2), mu, eps), "the density")
            fits = answer.shape == x1.shape and (answer >= 0).all()
            totals.append(float(answer.sum() / 100) if fits else float("nan"))
            at.append((float(x2), mu, eps))
    bad = next((i for i, total in enumerate(totals) if not abs(total - 1) < 1e-4), 0)
    yield claim(
        "for each x2 it integrates to 1 over x1",
        all(abs(total - 1) < 1e-4 for total in totals),
        points=1,
        saw=f"an integral of {totals[bad]:.4g} at x2 = {at[bad][0]:.3g}, {told(*at[bad][1:])}",
        asks="∫ p(x1 | x2) dx1 = 1, at each x2 for itself",
        advice=[
            when(
                named == "normalizer-omitted"
                or all(
                    abs(t - marginal(np.array(x), m, e)) < 1e-4
                    for t, (x, m, e) in zip(totals, at, strict=True)
                ),
                "normalizer-omitted",
                "it integrates to p(x2) instead: that is what Bayes' rule divides by",
            ),
            when(
                named == "prior-forgotten",
                "prior-forgotten",
                "without p(x1) it stays as high for x1 = 100 as for x1 = 1",
            ),
            when(
                named in ("half-normal-halved", "evidence-doubled", "weight-without-density"),
                named,
                "half a standard normal has a mass of ½, so its density is 2 φ(x1) on its side",
            ),
            "integrate your answer over x1 on a grid: which factor is missing?",
        ],
        see=see,
    )

    mu, eps = world(draw, falling=draw.choice((False, True)))
    far = float(draw.rng.uniform(80, 120)) * np.sqrt(eps) * draw.choice((-1, 1)) + sum(mu) / 2
    x1 = np.array([-0.7, 0.7])
    answer = heights(reverse_posterior(x1, far, mu, eps), "the density")
    truth = posterior(x1, np.array(far), mu, eps)
    fits = close(answer, truth, 1e-6)
    broken = not np.isfinite(answer).all()
    yield claim(
        "it stays a density where p(x2) is too small for a floating-point number",
        fits,
        points=1,
        saw=f"p(x1 = ±0.7 | x2) = {', '.join(f'{v:.4g}' for v in answer.reshape(-1)[:2])} at a "
        f"distance of {abs(far - sum(mu) / 2) / np.sqrt(eps):.0f} standard deviations",
        asks="far out x2 is a rare event, and tells the sign of x1 with certainty",
        advice=[
            when(
                broken,
                "zero-by-zero",
                "0 / 0: both bumps are 0 there in floating point, their RATIO is not. Take it from "
                "the log-odds, by the sigmoid",
            ),
            when(
                holds and answer.shape == (2,) and (answer == 0).all(),
                "underflow-patched",
                "something small is added below the fraction line, or NaN replaced: no NaN, but no "
                "density either. Divide before you exponentiate: the log-odds",
            ),
            when(
                named == "sides-swapped",
                "sides-swapped",
                "the weight of the wrong side: far to the side of mu[1], x1 is positive",
            ),
            "the log-odds of the two sides are Δ (x2 − middle) / ε: no exponential can underflow",
        ],
        see=see,
    )

    mu, eps = world(draw)
    x1, x2 = np.array([-0.5, 0.5, 1.5]), np.array([mu[0], mu[1]])
    answer = heights(reverse_posterior(x1[:, None], x2[None, :], mu, eps), "the density")
    square = posterior(x1[:, None], x2[None, :], mu, eps)
    edge = number(reverse_posterior(0.0, float(mu[0]), mu, eps), "the density at one point")
    at_zero = float(posterior(np.array(0.0), np.array(mu[0]), mu, eps))
    yield claim(
        "x1 and x2 broadcast; x1 = 0 belongs to the lower side",
        close(answer, square) and close(edge, at_zero),
        points=0.5,
        saw=f"shape {answer.shape} for x1 (3, 1) and x2 (1, 2)"
        if answer.shape != (3, 2)
        else f"{edge:.4g} at x1 = 0, x2 = {mu[0]:.3g}, {told(mu, eps)}",
        asks="shape (3, 2), entry by entry; and μ = mu[1] only where x1 > 0",
        advice=[
            when(
                answer.shape == (3, 2)
                and close(edge, 2 * gaussian(np.array(0.0), 0, 1) * weight_above(mu[0], mu, eps)),
                "zero-above",
                "at x1 = 0 you take the upper side: the world says mu[1] where x1 > 0",
            ),
            when(named == "sides-swapped", "sides-swapped", "the two sides have changed places"),
            "np.where(x1 > 0, …, …) chooses entry by entry, whatever the shapes",
        ],
        see=see,
    )


# --- best_reverse_gaussian ------------------------------------------------------------------------


def reverse_model(
    best_reverse_gaussian: Standin, mu: Mu, eps: float
) -> tuple[float, float, Callable[[Any], tuple[np.ndarray, np.ndarray]]]:
    """(E[X2], Var[X2], conditional) as the student's function returned them, checked for kind."""
    answer = best_reverse_gaussian(mu, eps)
    if not isinstance(answer, list | tuple) or len(answer) != 3:
        raise WrongKind(
            "best_reverse_gaussian should return three things, mean2, var2 and the function "
            f"conditional: got {describe(answer)}"
        )
    mean2, var2, conditional = answer
    if not callable(conditional):
        raise WrongKind(
            "the third thing that best_reverse_gaussian returns should be a function of x2: got "
            f"{describe(conditional)}"
        )

    def ask(x2: Any) -> tuple[np.ndarray, np.ndarray]:
        pair = conditional(x2)
        if pair is None or not isinstance(pair, list | tuple) or len(pair) != 2:
            raise WrongKind(
                f"conditional(x2) should return a pair, mean and variance: got {describe(pair)}"
            )
        return heights(pair[0], "the mean"), heights(pair[1], "the variance")

    return number(mean2, "mean2"), number(var2, "var2"), ask


@checks("best_reverse_gaussian", lesson=LESSON, points=4)
def moments_are_the_best_gaussian(best_reverse_gaussian: Standin, draw: Draw) -> Iterator[Claim]:
    """The Gaussian of least forward KL has the moments of the truth, in both factors."""
    see = "Exercise 3: the best a Gaussian can do"
    worlds = [world(draw), world(draw, falling=True), world(draw, scale=3.0)]
    offset = float(draw.integer(40, 60))  # narrow bumps far from 0: where quadrature may look past
    worlds.append(((offset, offset + 1), float(draw.rng.uniform(0.02, 0.05))))
    models = [reverse_model(best_reverse_gaussian, mu, eps) for mu, eps in worlds]

    found = [m[:2] for m in models]
    right = [moments_of_x2(mu, eps) for mu, eps in worlds]
    second = [v for _, v in found]
    wrong = {
        "within-only": lambda mu, eps: eps,
        "between-only": lambda mu, eps: (mu[1] - mu[0]) ** 2 / 4,
        "std-for-variance": lambda mu, eps: np.sqrt(moments_of_x2(mu, eps)[1]),
        "second-moment": lambda mu, eps: eps + (mu[0] ** 2 + mu[1] ** 2) / 2,
        "variance-for-std": lambda mu, eps: moments_of_x2(mu, eps**2)[1],
        "whole-distance": lambda mu, eps: eps + (mu[1] - mu[0]) ** 2,
    }
    named = first_fit(second, worlds, wrong)
    easy = all(close(f, r, 1e-6) for f, r in zip(found[:3], right[:3], strict=True))
    holds = all(close(f, r, 1e-6) for f, r in zip(found, right, strict=True))
    bad = next((i for i in range(4) if not close(found[i], right[i], 1e-6)), 0)
    yield claim(
        "mean2 and var2 are mean and variance of X2",
        holds,
        points=1,
        saw=f"mean {found[bad][0]:.4g}, variance {found[bad][1]:.4g} for {told(*worlds[bad])}",
        asks="the moments of p(x2); wherever the bumps lie",
        advice=[
            when(
                easy,
                "bumps-missed",
                "right for bumps near 0, wrong for narrow ones far out: a quadrature over −∞ … ∞ "
                "looked past them. Integrate over the bumps, or use the law of total variance",
            ),
            when(
                named == "within-only",
                named,
                "ε is the variance WITHIN a bump: the distance between the bumps adds Δ²/4",
            ),
            when(
                named == "between-only",
                named,
                "Δ²/4 is the variance BETWEEN the bumps: the width ε of each comes on top",
            ),
            when(named == "std-for-variance", named, "a standard deviation: var2 is its square"),
            when(
                named == "second-moment",
                named,
                "this is E[X2²]: subtract the square of the mean",
            ),
            when(
                named == "whole-distance",
                named,
                "each bump is half of Δ away from the mean: (Δ/2)², not Δ²",
            ),
            when(named == "variance-for-std", named, _STD),
            "variance = ε within a bump, plus the squared distance of the bumps from their mean",
        ],
        see=see,
    )

    points = []
    for mu, eps in worlds:
        spread = np.array([-2.0, -0.8, 0.1, 0.7, 1.9]) * draw.rng.uniform(0.8, 1.2)
        points.append(sum(mu) / 2 + np.sqrt(eps) * spread)
    answers = [m[2](x2) for m, x2 in zip(models, points, strict=True)]
    cases = [(x2, mu, eps) for x2, (mu, eps) in zip(points, worlds, strict=True)]
    right_mean = [conditional_moments(*case)[0] for case in cases]
    right_var = [conditional_moments(*case)[1] for case in cases]
    got_mean, got_var = [a[0] for a in answers], [a[1] for a in answers]

    def line(x2, mu, eps):
        mean2, var2 = moments_of_x2(mu, eps)
        return (mu[1] - mu[0]) / 2 * HALF_NORMAL_MEAN / var2 * (x2 - mean2)

    wrong = {
        "sides-swapped": lambda x2, mu, eps: -conditional_moments(x2, mu, eps)[0],
        "best-line": line,
        "more-likely-side": lambda x2, mu, eps: (
            HALF_NORMAL_MEAN * np.sign(2 * weight_above(x2, mu, eps) - 1)
        ),
        "signs-for-means": lambda x2, mu, eps: 2 * weight_above(x2, mu, eps) - 1,
        "prior-mean": lambda x2, mu, eps: 0 * x2,
        "normalizer-omitted": lambda x2, mu, eps: (
            conditional_moments(x2, mu, eps)[0] * marginal(x2, mu, eps)
        ),
        "one-side-only": lambda x2, mu, eps: HALF_NORMAL_MEAN * weight_above(x2, mu, eps),
        "variance-for-std": lambda x2, mu, eps: conditional_moments(x2, mu, eps**2)[0],
        "arrow-not-turned": lambda x2, mu, eps: np.where(x2 > 0, mu[1], mu[0]),
    }
    named = first_fit(got_mean, cases, wrong, 1e-5)
    mean_holds = all(close(g, r, 1e-5) for g, r in zip(got_mean, right_mean, strict=True))
    bad = next((i for i in range(4) if not close(got_mean[i], right_mean[i], 1e-5)), 0)
    shape = got_mean[bad].shape
    at = _off(got_mean[bad], right_mean[bad]) if shape == points[bad].shape else 0
    yield claim(
        "the conditional's mean is E[X1 | x2]",
        mean_holds,
        points=1.5,
        saw=f"a mean of shape {shape} for 5 values of x2"
        if shape != points[bad].shape
        else f"mean {got_mean[bad][at]:.5g} at x2 = {points[bad][at]:.3g}, {told(*worlds[bad])}",
        asks="∫ x1 p(x1 | x2) dx1, to 5 digits",
        advice=[
            when(
                named == "sides-swapped",
                named,
                "right size, wrong sign: x2 near mu[1] says that x1 is positive",
            ),
            when(
                named == "best-line",
                named,
                "this is the best STRAIGHT LINE through x1 on x2: a network may bend it, so the "
                "best model is the conditional mean itself",
            ),
            when(
                named == "more-likely-side",
                named,
                "you decide for one side: both sides count, with their probabilities",
            ),
            when(
                named == "signs-for-means",
                named,
                "this is the mean of the SIGN of x1: half a normal has the mean √(2/π), not 1",
            ),
            when(
                named == "prior-mean",
                named,
                "0 is the mean of x1 before x2 is known: weight with p(x1 | x2)",
            ),
            when(
                named == "normalizer-omitted",
                named,
                "divided by p(x2) it would be right: is your posterior normalized?",
            ),
            when(
                named == "one-side-only",
                named,
                "the integral over x1 > 0 alone: add that over x1 ≤ 0",
            ),
            when(
                named == "arrow-not-turned",
                named,
                "this is μ, the mean of x2 given x1: the arrow is turned here",
            ),
            when(named == "variance-for-std", named, _STD),
            when(
                shape == points[bad].shape
                and np.allclose(got_mean[bad], right_mean[bad], atol=0.02),
                "quadrature-across-the-jump",
                "nearly: a quadrature rule that does not know of the jump at 0 is not exact. "
                "Integrate over x1 ≤ 0 and x1 > 0 apart",
            ),
            "integrate x1 times your reverse_posterior over x1, below 0 and above 0",
        ],
        see=see,
    )

    def averaged(x2, mu, eps):
        grid, step = nodes(mu, eps)
        variances = conditional_moments(grid, mu, eps)[1]
        return 0 * x2 + (marginal(grid, mu, eps) * variances).sum() * step

    def about_line(x2, mu, eps):
        covariance = (mu[1] - mu[0]) / 2 * HALF_NORMAL_MEAN
        return 0 * x2 + 1 - covariance**2 / moments_of_x2(mu, eps)[1]

    wrong = {
        "second-moment": lambda x2, mu, eps: 0 * x2 + 1.0,
        "std-for-variance": lambda x2, mu, eps: np.sqrt(conditional_moments(x2, mu, eps)[1]),
        "constant-variance": averaged,
        "line-variance": about_line,
        "within-only": lambda x2, mu, eps: 0 * x2 + 1 - 2 / np.pi,
        "eps-for-variance": lambda x2, mu, eps: 0 * x2 + eps,
        "variance-for-std": lambda x2, mu, eps: conditional_moments(x2, mu, eps**2)[1],
    }
    named = first_fit(got_var, cases, wrong, 1e-5)
    var_holds = all(close(g, r, 1e-5) for g, r in zip(got_var, right_var, strict=True))
    bad = next((i for i in range(4) if not close(got_var[i], right_var[i], 1e-5)), 0)
    shape = got_var[bad].shape
    at = _off(got_var[bad], right_var[bad]) if shape == points[bad].shape else 0
    yield claim(
        "the conditional's variance is Var[X1 | x2], another one for each x2",
        var_holds,
        points=1,
        saw=f"a variance of shape {shape} for 5 values of x2"
        if shape != points[bad].shape
        else f"variance {got_var[bad][at]:.5g} at x2 = {points[bad][at]:.3g}, {told(*worlds[bad])}",
        asks="E[X1² | x2] − E[X1 | x2]², to 5 digits",
        advice=[
            when(
                named == "second-moment",
                named,
                "this is E[X1² | x2], which is 1 whatever x2 is: subtract the square of the mean",
            ),
            when(
                named == "std-for-variance",
                named,
                "this is the standard deviation: the variance is asked",
            ),
            when(
                named in ("constant-variance", "line-variance"),
                "constant-variance",
                "one variance for all x2: a network has an output for it too, so it may differ "
                "from x2 to x2",
            ),
            when(
                named == "within-only",
                named,
                "1 − 2/π is the variance within ONE side: where both sides are possible, their "
                "distance comes on top",
            ),
            when(
                named == "eps-for-variance",
                named,
                "ε is the variance of x2 given x1: the arrow is turned here",
            ),
            when(named == "variance-for-std", named, _STD),
            "the second moment comes from the same integral as the mean, with x1² for x1",
        ],
        see=see,
    )

    mu, eps = worlds[0]
    single = models[0][2](float(points[0][0]))
    one = [number(part, "mean and variance at one point") for part in single]
    grid = models[0][2](points[0][:4].reshape(2, 2))
    shapes = [part.shape for part in grid]
    yield claim(
        "conditional takes a number or an array of any shape",
        mean_holds
        and close(one, [right_mean[0][0], right_var[0][0]], 1e-5)
        and shapes == [(2, 2), (2, 2)],
        points=0.5,
        saw=f"shapes {shapes[0]} and {shapes[1]} for x2 of shape (2, 2)",
        asks="mean and variance in the shape of x2",
        advice="reverse_posterior broadcasts: let quad_vec integrate all entries of x2 at once",
        see=see,
    )


# --- gap ------------------------------------------------------------------------------------------


@checks("gap", lesson=LESSON, points=2)
def what_the_reverse_arrow_loses(gap: Standin, draw: Draw) -> Iterator[Claim]:
    """KL from the truth to the best Gaussian model of the turned arrow."""
    see = "Exercise 4: the gap, in nats"
    worlds = [world(draw), world(draw, falling=True), world(draw, scale=3.0)]
    got = [number(gap(mu, eps), "the gap") for mu, eps in worlds]
    right = [gap_of(mu, eps) for mu, eps in worlds]

    def log_outside(mu, eps):
        x2, step = nodes(mu, eps)
        variance = conditional_moments(x2, mu, eps)[1]
        mean_variance = (marginal(x2, mu, eps) * variance).sum() * step
        return 0.5 * np.log(moments_of_x2(mu, eps)[1] / eps) + 0.5 * np.log(mean_variance)

    def by_model(mu, eps):
        mean2, var2 = moments_of_x2(mu, eps)
        x2 = mean2 + np.sqrt(var2) * np.linspace(-12, 12, 4001)
        average = (
            gaussian(x2, mean2, var2) * np.log(conditional_moments(x2, mu, eps)[1])
        ).sum() * (x2[1] - x2[0])
        return 0.5 * np.log(var2 / eps) + 0.5 * average

    def one_joint_gaussian(mu, eps):
        var2 = moments_of_x2(mu, eps)[1]
        covariance = (mu[1] - mu[0]) / 2 * HALF_NORMAL_MEAN
        return 0.5 * np.log((var2 - covariance**2) / eps)

    wrong = {
        "half-forgotten": lambda mu, eps: 2 * gap_of(mu, eps),
        "half-twice": lambda mu, eps: gap_of(mu, eps) / 2,
        "bits-for-nats": lambda mu, eps: gap_of(mu, eps) / np.log(2),
        "sign": lambda mu, eps: -gap_of(mu, eps),
        "first-factor-only": gap_of_x2,
        "second-factor-only": lambda mu, eps: gap_of(mu, eps) - gap_of_x2(mu, eps),
        "average-forgotten": lambda mu, eps: 0.5 * np.log(moments_of_x2(mu, eps)[1] / eps),
        "log-outside": log_outside,
        "model-weighted": by_model,
        "one-joint-gaussian": one_joint_gaussian,
        "variance-for-std": lambda mu, eps: gap_of(mu, eps**2),
        "eps-squared": lambda mu, eps: gap_of(mu, eps) - 0.5 * np.log(eps),
        "no-gap": lambda mu, eps: 0.0,
    }
    named = first_fit(got, worlds, wrong, 1e-4)
    holds = all(close(g, r, 1e-4) for g, r in zip(got, right, strict=True))
    bad = next((i for i in range(3) if not close(got[i], right[i], 1e-4)), 0)
    yield claim(
        "the gap is KL(p ‖ the best reverse Gaussian model), in nats",
        holds,
        points=1,
        saw=f"{got[bad]:.5g} for {told(*worlds[bad])}",
        asks="½ log(Var[X2] / ε) + ½ E log Var[X1 | X2], the average over p(x2), to 4 digits",
        advice=[
            when(named == "half-forgotten", named, "twice too much: the log of a VARIANCE has a ½"),
            when(named == "half-twice", named, "half too little: is one of the ½ there twice?"),
            when(named == "bits-for-nats", named, "these are bits: natural logarithms give nats"),
            when(named == "sign", named, "a KL is never negative: the sign has turned"),
            when(
                named == "first-factor-only",
                named,
                "this is what p(x2) loses alone: p(x1 | x2) is no Gaussian either",
            ),
            when(
                named == "second-factor-only",
                named,
                "this is what p(x1 | x2) loses alone: one Gaussian for p(x2) loses something too",
            ),
            when(
                named == "average-forgotten",
                named,
                "the average of log Var[X1 | x2] is missing: knowing x2 narrows x1, and that helps",
            ),
            when(
                named == "log-outside",
                named,
                "the log of an average is no average of logs: take the log at each x2 first",
            ),
            when(
                named == "model-weighted",
                named,
                "you average over the MODEL's x2: in KL(p‖q) the average is over the truth, "
                "marginal_x2",
            ),
            when(
                named == "one-joint-gaussian",
                named,
                "this is the gap of one bivariate Gaussian, with a straight line for the mean: the "
                "reverse model may bend",
            ),
            when(named == "variance-for-std", named, _STD),
            when(named == "eps-squared", "variance-for-std", _STD),
            when(
                named == "no-gap",
                "order-never-matters",
                "0 for all worlds: the identity is order-free, a family of models is not",
            ),
            "if best_reverse_gaussian passes its check: average over p(x2), with the spacing",
        ],
        see=see,
    )

    low = draw.normal(1)[0]
    eps = float(draw.rng.uniform(0.3, 2))
    merging = [0.0, 0.3, 1.5]
    values = [number(gap((low, low + d * np.sqrt(eps)), eps), "the gap") for d in merging]
    rises = abs(values[0]) < 1e-6 and all(
        later > earlier for earlier, later in itertools.pairwise(values)
    )
    yield claim(
        "it falls to 0 as the bumps merge, and is above 0 before",
        rises,
        points=0.5,
        saw=f"{', '.join(f'{v:.3g}' for v in values)} for bumps 0, 0.3 and 1.5 standard "
        "deviations apart",
        asks="0 where x2 knows nothing of x1, and more the further the bumps are apart",
        advice=[
            when(
                named == "no-gap",
                "order-never-matters",
                "a gap of 0 says that the reversed family holds the truth: only at Δ = 0",
            ),
            when(
                abs(values[0]) > 1e-6 and close(values[0], 0.5 * np.log(1 / eps), 1e-4),
                "variance-for-std",
                _STD,
            ),
            "at mu[0] = mu[1], X1 and X2 are independent Gaussians: Var[X2] = ε, Var[X1 | x2] = 1",
        ],
        see=see,
    )

    mu, eps = worlds[0]
    shift, factor = float(draw.rng.uniform(20, 40)), float(draw.rng.uniform(2, 4))
    same = [
        got[0],
        number(gap((mu[0] + shift, mu[1] + shift), eps), "the gap"),
        number(gap((mu[0] * factor, mu[1] * factor), eps * factor**2), "the gap"),
        number(gap((mu[1], mu[0]), eps), "the gap"),
    ]
    # A constant is the same in every unit, and no measurement.
    depends = bool(np.isfinite([*same, *values]).all()) and not close(values[1], values[2], 1e-3)
    yield claim(
        "it depends on the distance in standard deviations, Δ/√ε, and on nothing else",
        depends and min(same) > 1e-6 and all(close(value, same[0], 1e-4) for value in same),
        points=0.5,
        saw=f"{', '.join(f'{v:.5g}' for v in same)}: as given, shifted by {shift:.2g}, "
        f"stretched by {factor:.2g}, mirrored",
        asks="the same four times: KL does not know in which units x2 is measured",
        advice=[
            when(named == "no-gap", "order-never-matters", "a constant 0 is no measurement"),
            when(
                all(close(value, same[0], 1e-4) for value in same),
                "constant-gap",
                "the same number for all worlds: the gap must grow with the distance of the bumps",
            ),
            when(
                not close(same[1], same[0], 1e-4),
                "grid-not-over-the-bumps",
                "shifted bumps give another gap: place the nodes of x2 by mu and √ε, not by hand",
            ),
            when(
                not close(same[2], same[0], 1e-4),
                "variance-for-std",
                "stretched by a factor c, ε grows by c²: somewhere ε is treated as a standard "
                "deviation",
            ),
            "place the nodes of x2 relative to the bumps: from min(mu) − 8√ε to max(mu) + 8√ε",
        ],
        see=see,
    )


# --- mixture_reverse ------------------------------------------------------------------------------


@checks("mixture_reverse", lesson=LESSON, points=3)
def how_many_components(mixture_reverse: Standin, draw: Draw) -> Iterator[Claim]:
    """What is still lost when both reverse factors may be mixtures of Gaussians."""
    see = "Exercise 5: how many Gaussians close the gap?"

    def ask(components: int, mu: Mu, eps: float) -> float:
        return number(mixture_reverse(components, mu, eps), "the loss")

    def near(value: float, right: float, share: float) -> bool:
        return bool(abs(value - right) <= share * right + 1e-3)

    # Bumps 3 to 5 standard deviations apart, where both factors lose much; and close ones, where
    # most of p(x2) lies where x2 tells little: there an average without weights is far off.
    worlds = []
    for falling, near_by, far_off in ((False, 3.0, 5.0), (True, 1.2, 1.8)):
        mu, eps = world(draw, falling=falling)
        distance = np.sign(mu[1] - mu[0]) * draw.rng.uniform(near_by, far_off) * np.sqrt(eps)
        worlds.append(((mu[0], float(mu[0] + distance)), eps))
    got = {k: [ask(k, mu, eps) for mu, eps in worlds] for k in (1, 2)}
    losses = {k: [mixture_losses(k, mu, eps) for mu, eps in worlds] for k in (1, 2)}

    def fits(k: int, right: Callable[[dict[str, float]], float], share: float = 0.02) -> bool:
        return all(near(g, right(m), share) for g, m in zip(got[k], losses[k], strict=True))

    def whole(m: dict[str, float]) -> float:
        return m["x2"] + m["x1"]

    one = all(near(value, gap_of(*case), 0.01) for value, case in zip(got[1], worlds, strict=True))
    named = ""
    for name, right in {
        "first-factor-only": lambda m: m["x2"],
        "second-factor-only": lambda m: m["x1"],
        "unweighted-average": lambda m: m["unweighted"],
        "reversed-kl": lambda m: m["reversed"],
        "bits-for-nats": lambda m: whole(m) / np.log(2),
    }.items():
        if not one and not named and fits(1, right):
            named = name
    advice = [
        when(
            named == "first-factor-only",
            "two-components-suffice",
            "this is what p(x2) loses: two components close THAT. p(x1 | x2) has a jump at 0, and "
            "loses something too",
        ),
        when(
            named == "second-factor-only",
            named,
            "this is what p(x1 | x2) loses: add what p(x2) loses",
        ),
        when(
            named == "unweighted-average",
            named,
            "you average over x2 as if each value were equally frequent: weight with p(x2)",
        ),
        when(
            named == "reversed-kl",
            named,
            "KL(q‖p) weights by the model: the truth comes first in KL(p‖q)",
        ),
        when(named == "bits-for-nats", named, "these are bits: natural logarithms give nats"),
        when(
            all(value > 2 * whole(m) + 0.1 for value, m in zip(got[1], losses[1], strict=True)),
            "spacing-forgotten",
            "a sum over a grid becomes an integral only with the spacing as a factor, in x1 and in "
            "x2",
        ),
        when(
            all(value < -1e-3 for value in got[1]),
            "sign",
            "a KL is never negative: p log(p/q), not q below and p above",
        ),
    ]
    yield claim(
        "one component loses the gap: the sum of what both factors lose",
        one,
        points=1,
        saw=f"{got[1][0]:.4g} nats for {told(*worlds[0])}",
        asks="KL of p(x2), plus the KL of p(x1 | x2) averaged with the weight p(x2)",
        advice=[*advice, "with one component, fit_mixture returns the Gaussian of exercise 3"],
        see=see,
    )

    # Expectation maximization may stop in another local optimum: 15 % is room for that, and far
    # from the usual mistakes.
    two = fits(2, whole, 0.15)
    yield claim(
        "two components close the gap in p(x2), and not in p(x1 | x2)",
        two,
        points=1,
        saw=f"{got[2][0]:.4g} nats for {told(*worlds[0])}",
        asks="a fifth to a half of the gap is left: half a bell, cut off at 0, is no Gaussian",
        advice=[
            *advice,
            when(
                all(abs(value) < 1e-3 for value in got[2]),
                "two-components-suffice",
                "0 with two components: true of p(x2). But p(x1 | x2) jumps at x1 = 0, and no two "
                "Gaussians make a jump",
            ),
            when(
                all(near(b, a, 0.01) for a, b in zip(got[1], got[2], strict=True)),
                "components-ignored",
                "the same as with one component: hand `components` on to fit_mixture",
            ),
            when(
                all(
                    near(b, m["x2"] + n["x1"], 0.03)
                    for b, m, n in zip(got[2], losses[2], losses[1], strict=True)
                ),
                "mixture-in-one-factor",
                "p(x2) is a mixture now, p(x1 | x2) still one Gaussian: fit both",
            ),
            when(
                all(
                    near(b, m["x2"] + n["x1"], 0.03)
                    for b, m, n in zip(got[2], losses[1], losses[2], strict=True)
                ),
                "mixture-in-one-factor",
                "p(x1 | x2) is a mixture now, p(x2) still one Gaussian: fit both",
            ),
            "fit_mixture fits each row of an array (…, m): give it p(x1 | x2) for all x2 at once",
        ],
        see=see,
    )

    mu, eps = worlds[1]
    many = draw.choice((4, 5))
    steps = [got[1][1], got[2][1], ask(3, mu, eps), ask(many, mu, eps)]
    best = whole(mixture_losses(many, mu, eps))
    falls = all(b < a for a, b in itertools.pairwise(steps))
    yield claim(
        "each further component helps, and none closes the gap for good",
        falls and 0.5 * best < steps[-1] < 1.5 * best + 2e-3,
        points=1,
        saw=f"{', '.join(f'{v:.4g}' for v in steps)} nats with 1, 2, 3 and {many} components",
        asks="less and less, and never 0: a sum of smooth bumps has no jump",
        advice=[
            *advice,
            when(
                all(abs(value) < 1e-3 for value in steps[1:]),
                "two-components-suffice",
                "0 from two components on: that is p(x2) alone. p(x1 | x2) has a jump",
            ),
            when(
                all(near(value, steps[0], 0.01) for value in steps),
                "components-ignored",
                "always the same number: hand `components` on to fit_mixture",
            ),
            "fit both factors with the same number of components, each time anew",
        ],
        see=see,
    )
