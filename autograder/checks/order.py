"""Checks of lesson 08, order: one joint, two arrows, and which family can follow which of them.

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

import functools
import itertools
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import torch

from autograder import expect_array
from autograder.checking import checks
from autograder.checks import numbers
from autograder.checks.arguments import untouched
from autograder.checks.numbers import sigmoid
from autograder.claims import Cause, Claim
from autograder.diagnosis import Mistake, Property, Subject, Symptom, examine
from autograder.diagnosis.examine import shown
from autograder.diagnosis.mistakes import Observation, Same, alike, several
from autograder.draw import Draw
from autograder.remote.proxy import Standin, WrongKind, describe

LESSON = "08_order"
HALF_NORMAL_MEAN = np.sqrt(2 / np.pi)

Mu = tuple[float, float]
World = tuple[Mu, float]

LESSONS_WORLD: World = ((0.0, 1.0), 0.04)
FALLING_WORLD: World = ((1.0, -0.5), 0.25)  # with no mean at 0, and no variance near 0


# --- what the mathematics says --------------------------------------------------------------------


def gaussian(x: np.ndarray, mean: Any, variance: Any) -> np.ndarray:
    """The density of N(mean, variance)."""
    return np.exp(-0.5 * (x - mean) ** 2 / variance) / np.sqrt(2 * np.pi * variance)


def marginal(x2: np.ndarray, mu: Mu, eps: float) -> np.ndarray:
    """p(x2): half of each bump."""
    return 0.5 * gaussian(x2, mu[0], eps) + 0.5 * gaussian(x2, mu[1], eps)


def weight_above(x2: np.ndarray, mu: Mu, eps: float) -> np.ndarray:
    """w(x2) = P(X1 > 0 | x2), by the log-odds: finite wherever x2 is."""
    return sigmoid((mu[1] - mu[0]) * (x2 - (mu[0] + mu[1]) / 2) / eps)


def overflowing(x1: np.ndarray, x2: np.ndarray, mu: Mu, eps: float) -> np.ndarray:
    """The same where w is written as e^t / (1 + e^t)."""
    odds = np.exp((mu[1] - mu[0]) * (x2 - (mu[0] + mu[1]) / 2) / eps)
    w = odds / (1 + odds)
    return 2 * gaussian(x1, 0.0, 1.0) * np.where(np.greater(x1, 0), w, 1 - w)


def posterior(
    x1: np.ndarray,
    x2: np.ndarray,
    mu: Mu,
    eps: float,
    *,
    above: Callable[..., np.ndarray] = np.greater,
    power: float = 1,
    middle: Callable[[Mu], float] = lambda mu: (mu[0] + mu[1]) / 2,
    divided: str = "",
) -> np.ndarray:
    """p(x1 | x2), broadcast. Each option turns one thing of it wrong.

    `above` says where x1 lies on the upper side, `power` is that of ε, `middle` where both sides
    are as likely; `divided` writes Bayes' rule as a fraction, 0/0 being "NaN" or "0".
    """
    if divided:
        p = bayes(x1, x2, mu, eps**power, above)
        return np.nan_to_num(p) if divided == "0" else p
    log_odds = (mu[1] - mu[0]) * (x2 - middle(mu)) / eps**power
    side = sigmoid(np.where(above(x1, 0), log_odds, -log_odds))
    return 2 * gaussian(x1, 0.0, 1.0) * side


def likelihood(
    x1: np.ndarray, x2: np.ndarray, mu: Mu, eps: float, above: Callable = np.greater
) -> np.ndarray:
    """p(x2 | x1), broadcast."""
    return gaussian(x2, np.where(above(x1, 0), mu[1], mu[0]), eps)


def bayes(
    x1: np.ndarray, x2: np.ndarray, mu: Mu, eps: float, above: Callable = np.greater
) -> np.ndarray:
    """p(x1 | x2) as a fraction: NaN where p(x2) is 0 in floating point."""
    return gaussian(x1, 0.0, 1.0) * likelihood(x1, x2, mu, eps, above) / marginal(x2, mu, eps)


def half_moment(k: int) -> float:
    """E[X^k | X > 0] of a standard normal, k = 0 … 4."""
    return (1.0, HALF_NORMAL_MEAN, 1.0, 2 * HALF_NORMAL_MEAN, 3.0)[k]


def moment_of_x1(k: int, w: np.ndarray) -> np.ndarray:
    """E[X1^k | x2] where the upper side has the probability w: over x1 ≤ 0, and over x1 > 0."""
    return (-1) ** k * half_moment(k) * (1 - w) + half_moment(k) * w


def conditional_moments(x2: np.ndarray, mu: Mu, eps: float) -> tuple[np.ndarray, np.ndarray]:
    """(E[X1 | x2], Var[X1 | x2])."""
    w = weight_above(x2, mu, eps)
    mean = moment_of_x1(1, w)
    return mean, moment_of_x1(2, w) - mean**2


def moments_of_x2(mu: Mu, eps: float) -> tuple[float, float]:
    """(E[X2], Var[X2])."""
    return (mu[0] + mu[1]) / 2, eps + (mu[1] - mu[0]) ** 2 / 4


def nodes(mu: Mu, eps: float, count: int = 400, out: float = 8) -> tuple[np.ndarray, float]:
    """Even nodes over both bumps, `out` standard deviations out, and their spacing."""
    reach = out * np.sqrt(eps)
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


def relative_entropy(p: np.ndarray, q: np.ndarray) -> np.ndarray:
    """p log(p/q), entry by entry; 0 log 0 = 0."""
    ratio = np.log(np.maximum(p, 1e-300)) - np.log(np.maximum(q, 1e-300))
    return np.where(p > 0, p * ratio, 0.0)


def divergence(p: np.ndarray, q: np.ndarray, step: float) -> np.ndarray:
    """KL(p‖q) of heights on an even grid, along the last axis."""
    return relative_entropy(p, q).sum(-1) * step


# --- what comes back ------------------------------------------------------------------------------


def number(value: Any, what: str) -> float:
    """`value`, or the one entry of an array, as a float; WrongKind if it is no real number."""
    one = isinstance(value, np.ndarray) and value.size == 1
    return numbers.number(value.reshape(()) if one else value, what)


def heights(value: Any, what: str = "the density") -> np.ndarray:
    """A density's values as float64, of any shape."""
    return expect_array(value, None, "number", what).astype(np.float64)


def same_shapes(a: Any, b: Any) -> bool:
    """Equal shapes; one number may come as an array of one."""
    return np.shape(a) == np.shape(b) or np.size(a) == np.size(b) == 1 >= np.ndim(a)


def entry_by_entry(a: np.ndarray, b: np.ndarray) -> bool:
    """Equal shapes and values; one number may come as an array of one."""
    return same_shapes(a, b) and alike(np.reshape(a, np.shape(b)), b)


def of_equal_mass(tolerance: float) -> Same:
    """Whether heights on one even grid are those of two densities with the same integral."""
    return lambda a, b: (
        a.shape == b.shape and bool((a >= 0).all()) and abs(a.sum() / b.sum() - 1) < tolerance
    )


def agreeing(holds: Callable[[list[float]], bool]) -> Same:
    """Numbers count as the same if they are close, or if what `holds` says is true of both."""
    return lambda a, b: alike(a, b, 1e-4) or (holds(a) and holds(b))


def world(draw: Draw, *, falling: bool = False, scale: float = 1.0) -> World:
    """Two means and a variance, the bumps 1.5 to 5 standard deviations apart, and ε far from 1.

    ε = 1 would hide who takes a variance for a standard deviation.
    """
    eps = float(draw.rng.uniform(0.15, 0.6)) * scale**2
    low = float(draw.rng.uniform(-1.5, 1.5)) * scale
    high = low + float(draw.rng.uniform(1.5, 5)) * float(np.sqrt(eps))
    return ((high, low) if falling else (low, high)), eps


def three_worlds(draw: Draw) -> list[World]:
    """One that rises, one that falls, and a wide one."""
    return [world(draw), world(draw, falling=True), world(draw, scale=3.0)]


def in_simple_worlds(of: World, *places: tuple) -> Iterator[tuple]:
    """Places in the lesson's world, and in one that falls, for who was asked about another one."""
    if of not in (simple := (LESSONS_WORLD, FALLING_WORLD)):
        yield from ((*place, *one) for one in simple for place in places)


def moved_apart(of: World, distance: float) -> World:
    """The same world, its second bump so many standard deviations from the first."""
    (first, second), eps = of
    return (first, first + float(np.copysign(distance, second - first) * np.sqrt(eps))), eps


def told(mu: Mu, eps: float) -> str:
    """The world in words."""
    return f"mu = ({mu[0]:.3g}, {mu[1]:.3g}), ε = {eps:.3g}"


def told_places(**x: Any) -> str:
    """Where a density was asked: at a place, at many from one to another, or in an array."""
    return ", ".join(f"{name} = {_told_place(np.asarray(at))}" for name, at in x.items())


def _told_place(x: np.ndarray) -> str:
    if x.ndim > 1:
        return f"an array of shape {x.shape}"
    if 1 < x.size <= 4:
        return shown(x)
    return f"{x.min():.3g} … {x.max():.3g}" if x.size > 1 else f"{x.reshape(-1)[0]:.3g}"


def entry_off(answer: np.ndarray, right: np.ndarray, **x: Any) -> str:
    """The first entry of an answer that is not the right one, and where; or a shape."""
    right = np.asarray(right)
    if not same_shapes(answer, right):
        return f"shape {answer.shape}"
    answer = answer.reshape(right.shape)
    at = int(np.argmin(np.isclose(answer, right, 1e-6, 1e-6)))
    place = {name: np.broadcast_to(v, right.shape).reshape(-1)[at] for name, v in x.items()}
    return f"{answer.reshape(-1)[at]:.4g} at {told_places(**place)}"


_STD = "ε is a VARIANCE, as in N(μ, ε): where a standard deviation is wanted, √ε belongs"


# --- marginal_x2 ----------------------------------------------------------------------------------


def places_in_bumps(draw: Draw) -> list[tuple]:
    """Nine places in each of three worlds."""
    return [
        (draw.rng.uniform(min(mu) - 2 * eps**0.5, max(mu) + 2 * eps**0.5, size=9), mu, eps)
        for mu, eps in three_worlds(draw)
    ]


def grids_over_bumps(draw: Draw) -> list[tuple]:
    """Fine grids over narrow bumps far from 0, and over bumps wide enough to be one."""
    cases = []
    for ratio, away in ((0.003, 9), (0.3, 0), (40.0, 0)):
        (low, high), _ = world(draw)
        mu, eps = (low + away, high + away), ratio * (high - low) ** 2
        cases.append((nodes(mu, eps, 4001, 12)[0], mu, eps))
    return cases


def places_of_any_shape(draw: Draw) -> list[tuple]:
    """One number, an array of two axes, and its entries in a row."""
    mu, eps = world(draw)
    grid = np.append(draw.rng.uniform(min(mu), max(mu), size=4), mu).reshape(2, 3)
    return [(x2, mu, eps) for x2 in (grid, float(grid[0, 0]), grid.reshape(-1))]


def bumps_by_hand(x2: Any, mu: Mu, eps: float) -> str:
    """Half of each bump, at one place."""
    if np.size(x2) != 1:
        return ""
    low, high = (float(np.reshape(gaussian(x2, m, eps), ())) for m in mu)
    return f"half of each bump: ½ · {low:.4g} + ½ · {high:.4g} = {(low + high) / 2:.4g}"


def integral(answer: np.ndarray, x: np.ndarray) -> str:
    """The integral of heights on an even grid, in words."""
    if answer.shape != x.shape or not (answer >= 0).all():
        return f"shape {answer.shape}, heights from {answer.min(initial=0):.4g}"
    return f"an integral of {answer.sum() * (x[1] - x[0]):.9g}"


_DENSITY = Mistake(
    "log-density", "this is a logarithm: the density itself is asked", after=lambda v, *_: np.log(v)
)
_FLAT = Mistake(
    "flattened",
    "a row comes back, whatever the shape of what is given: the answer has its shape",
    after=lambda v, *_: np.ravel(v),
)


def erf(x: np.ndarray) -> np.ndarray:
    """The error function, of an array or of a number."""
    return torch.special.erf(torch.as_tensor(x, dtype=torch.float64)).numpy()


def below(x: Any, mean: float, variance: float) -> np.ndarray:
    """The distribution function of N(mean, variance)."""
    return 0.5 + 0.5 * erf((x - mean) / np.sqrt(2 * variance))


_OTHER_MARGINALS = (
    Mistake(
        "product-of-bumps",
        "the bumps are multiplied (their geometric mean), which makes one bump in the middle: add "
        "half of each",
        gives=lambda x2, mu, eps: np.sqrt(gaussian(x2, mu[0], eps) * gaussian(x2, mu[1], eps)),
    ),
    *several(
        "nearest-bump-only",
        "only the bump that is nearer to x2 counts in your answer: both may have made it",
        *(
            lambda x2, mu, eps, share=share: (
                share
                * gaussian(x2, np.where(np.abs(x2 - mu[1]) < np.abs(x2 - mu[0]), mu[1], mu[0]), eps)
            )
            for share in (0.5, 1.0)
        ),
    ),
    *several(
        "nearest-bump-only",
        "where x2 lies above the middle only the bump at mu[1] counts in your answer, below it "
        "only the other: both may have made it",
        *(
            lambda x2, mu, eps, share=share: (
                share * gaussian(x2, np.where(np.greater(x2, sum(mu) / 2), mu[1], mu[0]), eps)
            )
            for share in (0.5, 1.0)
        ),
    ),
    *several(
        "sign-of-x2",
        "the sign of x2 chooses the bump in your answer: it is that of x1, which is not known "
        "here, and either way equally likely",
        *(
            lambda x2, mu, eps, share=share: (
                share * gaussian(x2, np.where(np.greater(x2, 0), mu[1], mu[0]), eps)
            )
            for share in (0.5, 1.0)
        ),
    ),
    *several(
        "normalized-over-what-is-given",
        "your answer is divided by its sum over the places that are given: a density at one place "
        "does not change with the others",
        lambda x2, mu, eps: (p := marginal(x2, mu, eps)) / p.sum(),
        lambda x2, mu, eps: (p := marginal(x2, mu, eps)) / p.sum() / (x2[1] - x2[0]),
    ),
    Mistake(
        "distribution-for-density",
        "this is the distribution function, which grows from 0 to 1: the density is asked",
        gives=lambda x2, mu, eps: (below(x2, mu[0], eps) + below(x2, mu[1], eps)) / 2,
    ),
    *several(
        "weights-from-the-means",
        "your weights depend on mu: a side of x1 has the probability ½, whatever bump it makes",
        *(
            lambda x2, mu, eps, w=w: (
                w(mu, eps) * gaussian(x2, mu[0], eps) + (1 - w(mu, eps)) * gaussian(x2, mu[1], eps)
            )
            for w in (
                lambda mu, eps: below(0.0, mu[0], 1.0),
                lambda mu, eps: below(0.0, mu[0], eps),
            )
        ),
    ),
    *several(
        "variance-for-std",
        "exponent and normalizer do not belong together: −(x2 − μ)²/(2ε) stands with 1/√(2πε)",
        lambda x2, mu, eps: marginal(x2, mu, eps / 2) / np.sqrt(2),
        lambda x2, mu, eps: marginal(x2, mu, eps) / np.sqrt(2 * np.pi * eps),
        lambda x2, mu, eps: marginal(x2, mu, eps) * np.sqrt(2),
    ),
)
_MISTAKES_OF_MARGINAL = (
    *several("variance-for-std", _STD, lambda x2, mu, eps: marginal(x2, mu, eps**2)),
    *several(
        "variance-for-std",
        "variance and standard deviation are mixed: exponent and normalizer must speak of the same "
        "variance ε",
        lambda x2, mu, eps: marginal(x2, mu, eps**2) * np.sqrt(eps),
        lambda x2, mu, eps: marginal(x2, mu, eps) / np.sqrt(eps),
    ),
    Mistake(
        "weights-of-one",
        "the two bumps together have a mass of 2: each is weighted with the probability of its "
        "side of x1, ½",
        after=lambda v, *_: 2 * v,
    ),
    Mistake(
        "means-averaged",
        "you averaged the MEANS: that is one bump in the middle, where x2 is seldom",
        gives=lambda x2, mu, eps: gaussian(x2, sum(mu) / 2, eps),
    ),
    Mistake(
        "one-gaussian",
        "right mean, right variance, and still one Gaussian: the marginal has two bumps",
        gives=lambda x2, mu, eps: gaussian(x2, *moments_of_x2(mu, eps)),
    ),
    *several(
        "one-side-only",
        "this is p(x2) for one side of x1 only: the other side brings its own bump",
        *(lambda x2, mu, eps, i=i: gaussian(x2, mu[i], eps) for i in (0, 1)),
        *(lambda x2, mu, eps, i=i: gaussian(x2, mu[i], eps) / 2 for i in (0, 1)),
    ),
    *several(
        "unequal-weights",
        "one of the two bumps has another weight than ½: both sides of x1 are equally likely",
        *(
            lambda x2, mu, eps, a=a, b=b: (
                a * gaussian(x2, mu[0], eps) + b * gaussian(x2, mu[1], eps)
            )
            for a, b in ((1, 0.5), (0.5, 1), (0.5, -0.5), (-0.5, 0.5))
        ),
    ),
    *_OTHER_MARGINALS,
    _DENSITY,
    _FLAT,
    Mistake(
        "normalizer-omitted",
        "the factor 1/√(2πε) is missing: right shape, but not the right mass",
        after=lambda v, x2, mu, eps: v * np.sqrt(2 * np.pi * eps),
    ),
    Mistake(
        "sum-of-variables",
        "X1 decides WHICH bump, it is not added to it: a bump has the variance ε, not 1 + ε",
        gives=lambda x2, mu, eps: marginal(x2, mu, 1 + eps),
    ),
    Mistake(
        "sum-of-variables",
        "this is one bump of the variance 1 + ε between the means: X1 decides WHICH bump, and is "
        "not added to it",
        gives=lambda x2, mu, eps: gaussian(x2, sum(mu) / 2, 1 + eps),
    ),
    Mistake(
        "world-ignored",
        "the bumps stand at 0 and 1, whatever mu says",
        gives=lambda x2, mu, eps: marginal(x2, LESSONS_WORLD[0], eps),
    ),
)


def _density_off(answer: np.ndarray, right: np.ndarray, x2: Any, *of: Any) -> str:
    return f"{entry_off(answer, right, x2=x2)}, {told(*of)}"


def one_factor(pairs: Sequence[tuple[np.ndarray, np.ndarray]]) -> bool:
    """Whether all answers are one and the same multiple of what is right, to 1%, and not near 1."""
    if any(np.shape(answer) != np.shape(right) for answer, right in pairs):
        return False
    answers, rights = (
        np.concatenate([np.ravel(one) for one in of]) for of in zip(*pairs, strict=True)
    )
    large = np.abs(rights) > 1e-3
    ratios = answers[large] / rights[large]
    return bool(
        large.sum() > 5
        and np.isfinite(ratios).all()
        and np.ptp(ratios) < 1e-2 * abs(ratios.mean())
        and abs(ratios.mean() - 1) > 0.1
    )


_ONE_FACTOR = Symptom(
    "not-normalized",
    "everywhere your answer is the right density times one and the same number, so that it does "
    "not integrate to 1 (a sum over x1 needs the spacing as a factor)",
    lambda seen: one_factor([(o.answer, o.right) for o in seen if o.fails]),
)


@checks("marginal_x2", lesson=LESSON, points=3, see="Exercise 1: what x2 looks like alone")
def two_bumps(marginal_x2: Standin, draw: Draw) -> Iterator[Claim | Cause]:
    """Summing x1 out leaves a mixture of two Gaussians."""
    subject = Subject(
        ask=lambda x2, mu, eps: heights(untouched(marginal_x2)(x2, mu, eps)),
        rule=marginal,
        mistakes=_MISTAKES_OF_MARGINAL,
        symptoms=(_ONE_FACTOR,),
        show=lambda x2, *of: f"{told_places(x2=x2)}, {told(*of)}",
        by_hand=bumps_by_hand,
        smaller=lambda x2, *of: in_simple_worlds(
            of, *((np.array([at]),) for at in (0.0, 0.5, 1.2))
        ),
    )
    yield from examine(
        subject,
        draw,
        Property(
            "bumps",
            "p(x2) is the mean of the two bumps N(mu[0], ε) and N(mu[1], ε)",
            places_in_bumps,
            points=1.5,
            asks="half the probability lies at x1 ≤ 0 and brings one bump, half at x1 > 0",
            saw=_density_off,
        ),
        Property(
            "mass",
            "it integrates to 1, for narrow bumps and for wide ones",
            grids_over_bumps,
            points=1,
            asks="∫ p(x2) dx2 = 1 and p ≥ 0, or it is no density",
            typical=False,
            needs="bumps",  # a wrong density may have its mass elsewhere
            alike=of_equal_mass(1e-6),
            saw=lambda answer, _, x2, *of: f"{integral(answer, x2)}, {told(*of)}",
        ),
        Property(
            "shape",
            "one number in, one number out; an array in, one of its shape out",
            places_of_any_shape,
            points=0.5,
            asks="the same density at each entry of x2, in the shape of x2",
            typical=False,
            needs="bumps",
            alike=entry_by_entry,
            saw=_density_off,
        ),
    )


# --- reverse_posterior ----------------------------------------------------------------------------


def pairs_in_worlds(draw: Draw) -> list[tuple]:
    """Four pairs of x1 and x2 in each of three worlds."""
    cases = []
    for mu, eps in three_worlds(draw):
        away = np.array([-1.1, -0.4, 0.3, 0.9]) * draw.rng.uniform(0.7, 1.2)
        x1 = np.array([-1.3, 0.4, 1.1, -0.2]) * draw.rng.uniform(0.7, 1.2)
        cases.append((x1, sum(mu) / 2 + np.sqrt(eps) * away, mu, eps))
    return cases


def rows_of_x1(draw: Draw) -> list[tuple]:
    """A fine grid of x1, none of its points on the jump, for x2 on the bumps and between them."""
    x1 = (np.arange(1600) + 0.5) / 100 - 8
    return [
        (x1, float(x2), mu, eps)
        for mu, eps in (world(draw), world(draw, falling=True))
        for x2 in (mu[0], sum(mu) / 2, mu[1] + np.sqrt(eps))
    ]


def far_from_both(draw: Draw) -> list[tuple]:
    """x2 a hundred standard deviations below the bumps, and above them; and thousands."""
    cases = []
    for side in (-1, 1, -30, 30):  # the log-odds of the last two are large, of either sign
        mu, eps = world(draw, falling=side == 1)
        far = side * float(draw.rng.uniform(80, 120)) * eps**0.5 + sum(mu) / 2
        cases.append((np.array([-0.7, 0.7]), far, mu, eps))
    return cases


def columns_and_rows(draw: Draw) -> list[tuple]:
    """x1 as a column and x2 as a row; and two numbers, x1 on the border."""
    mu, eps = world(draw)
    x2 = sum(mu) / 2 + (mu[1] - mu[0]) * np.array([[-0.25, 0.25]])  # no log-odds beyond 6.25
    return [
        (np.array([[-0.5], [0.5], [1.5]]), x2, mu, eps),
        (0.0, float(x2[0, 0]), mu, eps),
    ]


def pieces_by_hand(x1: Any, x2: Any, mu: Mu, eps: float) -> str:
    """Both pieces of the bell, at one pair."""
    if np.size(x1) != 1 or np.size(x2) != 1:
        return ""
    one, other = float(np.reshape(x1, ())), float(np.reshape(x2, ()))
    bell, w = float(gaussian(one, 0.0, 1.0)), float(weight_above(other, mu, eps))
    w, side = (w, "w") if one > 0 else (1 - w, "1 − w")
    border = "" if one else ", since x1 = 0 belongs to the lower side"
    return f"2 · φ(x1) · ({side}) = 2 · {bell:.4g} · {w:.4g} = {2 * bell * w:.4g}{border}"


def best_line(x2: np.ndarray, mu: Mu, eps: float) -> tuple[np.ndarray, float]:
    """Mean and variance of x1 about the best straight line on x2."""
    covariance = (mu[1] - mu[0]) / 2 * HALF_NORMAL_MEAN
    mean2, var2 = moments_of_x2(mu, eps)
    return covariance / var2 * (x2 - mean2), 1 - covariance**2 / var2


_MISTAKES_OF_POSTERIOR = (
    Mistake(
        "sign-of-x2",
        "the side is chosen by the sign of x2: it is x1 that lies on one side or the other",
        gives=lambda x1, x2, mu, eps: (
            np.where(
                x2 > 0,
                posterior(np.abs(x1) + 1, x2, mu, eps) / gaussian(np.abs(x1) + 1, 0.0, 1.0),
                posterior(-np.abs(x1) - 1, x2, mu, eps) / gaussian(np.abs(x1) + 1, 0.0, 1.0),
            )
            * gaussian(x1, 0.0, 1.0)
        ),
    ),
    Mistake(
        "bell-of-x2",
        "φ is taken at x2: the bell that is cut in two pieces is that of x1",
        after=lambda v, x1, x2, *_: v * gaussian(x2, 0.0, 1.0) / gaussian(x1, 0.0, 1.0),
    ),
    Mistake(
        "zero-above",
        "at x1 = 0 you take the upper side: the world says mu[1] where x1 > 0",
        options={"above": np.greater_equal},
    ),
    Mistake(
        "sides-swapped",
        "the weight of the WRONG side: where x1 > 0, the bump at mu[1] is the one that must "
        "explain x2",
        options={"above": np.less_equal},
    ),
    Mistake("variance-for-std", _STD, options={"power": 2}),
    Mistake(
        "std-for-variance",
        "√ε stands where ε belongs: the log-odds are divided by the VARIANCE",
        options={"power": 0.5},
    ),
    Mistake(
        "half-twice",
        "the log-odds are halved in your answer: (μ1 − μ0)/ε · (x2 − the middle) has no ½",
        gives=lambda x1, x2, mu, eps, **wrong: posterior(x1, x2, mu, 2 * eps, **wrong),
    ),
    Mistake(
        "overflow",
        "e^t is infinite in floating point where t is large, and ∞/∞ is NaN: expit gives σ(t) for "
        "every t",
        gives=lambda x1, x2, mu, eps: overflowing(x1, x2, mu, eps),
    ),
    *(
        Mistake(
            "middle-elsewhere",
            f"both sides are as likely at x2 = {told} in your answer: that is not halfway between "
            "the bumps",
            options={"middle": middle},
        )
        for told, middle in (
            ("(mu[1] − mu[0]) / 2", lambda mu: (mu[1] - mu[0]) / 2),
            ("(mu[0] − mu[1]) / 2", lambda mu: (mu[0] - mu[1]) / 2),
            ("mu[0] + mu[1]", lambda mu: mu[0] + mu[1]),
            ("0", lambda mu: 0.0),
            ("½", lambda mu: 0.5),
        )
    ),
    Mistake(
        "normalizer-omitted",
        "this is the joint p(x1, x2): Bayes' rule divides it by p(x2)",
        after=lambda v, x1, x2, mu, eps: v * marginal(x2, mu, eps),
    ),
    Mistake(
        "arrow-not-turned",
        "this is p(x2 | x1), the arrow as it was: p(x1) and p(x2) are missing",
        gives=likelihood,
    ),
    Mistake(
        "prior-forgotten",
        "p(x1) is missing: a large x1 is rare before x2 says a word",
        after=lambda v, x1, *_: v / gaussian(x1, 0.0, 1.0),
    ),
    Mistake(
        "distance-forgotten",
        "μ1 − μ0 is left out of the log-odds, as if it were 1",
        gives=lambda x1, x2, mu, eps, **wrong: posterior(
            x1, x2, mu, eps * (mu[1] - mu[0]), **wrong
        ),
    ),
    Mistake(
        "distance-without-sign",
        "the absolute value of μ1 − μ0 stands in the log-odds: where mu[0] is the upper mean, a "
        "large x2 speaks for x1 ≤ 0",
        gives=lambda x1, x2, mu, eps: posterior(
            x1, x2, mu, eps * np.sign(mu[1] - mu[0]) if mu[1] != mu[0] else eps
        ),
    ),
    Mistake(
        "upper-side-everywhere",
        "w, the probability of the upper side, stands on both sides: where x1 ≤ 0 it is 1 − w",
        options={"above": lambda x1, zero: np.isfinite(x1)},
    ),
    Mistake(
        "more-likely-side",
        "the likelier side gets all of the mass: each side has its own probability, w and 1 − w",
        gives=lambda x1, x2, mu, eps: (
            2
            * gaussian(x1, 0.0, 1.0)
            * (np.where(np.greater(x1, 0), 1, -1) * (2 * weight_above(x2, mu, eps) - 1) > 0)
        ),
    ),
    Mistake(
        "x1-for-its-side",
        "the log-odds are multiplied by x1 itself: only its SIDE counts, + or −",
        gives=lambda x1, x2, mu, eps: (
            2
            * gaussian(x1, 0.0, 1.0)
            * sigmoid(x1 * (mu[1] - mu[0]) * (x2 - (mu[0] + mu[1]) / 2) / eps)
        ),
    ),
    Mistake(
        "gaussians-for-halves",
        "a whole Gaussian stands for each side, about that side's mean: a side is HALF of the "
        "bell of x1, and nothing beyond 0",
        gives=lambda x1, x2, mu, eps: (
            weight_above(x2, mu, eps) * gaussian(x1, HALF_NORMAL_MEAN, 1.0)
            + (1 - weight_above(x2, mu, eps)) * gaussian(x1, -HALF_NORMAL_MEAN, 1.0)
        ),
    ),
    Mistake(
        "side-forgotten",
        "2 φ(x1) alone is one side's density as if its sign were certain on BOTH sides: the "
        "probability of x1's side, given x2, is the factor that is missing",
        gives=lambda x1, x2, mu, eps: 2 * gaussian(x1, 0.0, 1.0) + 0 * x2,
    ),
    Mistake(
        "prior-returned",
        "this is p(x1), as if x2 told nothing: x2 near a bump tells the sign of x1",
        gives=lambda x1, x2, mu, eps: gaussian(x1, 0.0, 1.0) + 0 * x2,
    ),
    Mistake(
        "half-normal-halved",
        "half of the mass is missing: p(x1) restricted to one side has the density 2 φ(x1) there",
        after=lambda v, *_: v / 2,
    ),
    Mistake(
        "weight-without-density",
        "this is the probability of x1's SIDE: spread it over that side with 2 φ(x1)",
        after=lambda v, x1, *_: v / gaussian(x1, 0.0, 1.0) / 2,
    ),
    Mistake(
        "evidence-doubled",
        "twice too much: p(x2) is HALF of each bump",
        after=lambda v, *_: 2 * v,
    ),
    Mistake(
        "order-changes-the-joint",
        "you divide by one Gaussian for p(x2), which has two bumps (exercise 1): p(x2) times this "
        "is another joint, but turning the arrow never changes the joint",
        gives=lambda x1, x2, mu, eps: (
            gaussian(x1, 0.0, 1.0)
            * likelihood(x1, x2, mu, eps)
            / gaussian(x2, *moments_of_x2(mu, eps))
        ),
    ),
    *several(
        "gaussian-for-posterior",
        "this is a Gaussian: the best one can do with one, but not the truth. Use Bayes' rule as "
        "it stands",
        lambda x1, x2, mu, eps: gaussian(x1, *conditional_moments(x2, mu, eps)),
        lambda x1, x2, mu, eps: gaussian(x1, *best_line(x2, mu, eps)),
    ),
    _DENSITY,
    _FLAT,
    Mistake(
        "zero-by-zero",
        "0 / 0: far out both bumps are 0 in floating point, their RATIO is not. Its logarithm is "
        "harmless",
        options={"divided": "NaN"},
    ),
    Mistake(
        "underflow-patched",
        "far out both bumps are 0 in floating point, and 0 is what is left where something small "
        "is added to p(x2) or NaN is replaced: no NaN, but no density either",
        options={"divided": "0"},
    ),
)


def _posterior_off(answer: np.ndarray, right: np.ndarray, x1: Any, x2: Any, *of: Any) -> str:
    return f"{entry_off(answer, right, x1=x1, x2=x2)}, {told(*of)}"


@checks("reverse_posterior", lesson=LESSON, points=4, see="Exercise 2: turn the arrow")
def bayes_turns_the_arrow(reverse_posterior: Standin, draw: Draw) -> Iterator[Claim | Cause]:
    """Bayes' rule turns the arrow, and what comes out is no Gaussian."""
    subject = Subject(
        ask=lambda x1, x2, mu, eps: heights(untouched(reverse_posterior)(x1, x2, mu, eps)),
        rule=posterior,
        forms=(bayes,),
        mistakes=_MISTAKES_OF_POSTERIOR,
        symptoms=(_ONE_FACTOR,),
        show=lambda x1, x2, *of: f"{told_places(x1=x1, x2=x2)}, {told(*of)}",
        by_hand=pieces_by_hand,
        smaller=lambda x1, x2, *of: in_simple_worlds(
            of,  # ordinary pairs, far out, and on the border
            *(
                (np.array([a]), np.array([b]))
                for a, b in ((0.5, 0.6), (-0.5, 0.6), (0.5, 100.0), (0.0, 1.0))
            ),
        ),
    )
    yield from examine(
        subject,
        draw,
        Property(
            "bayes",
            "p(x1 | x2) = p(x1) p(x2 | x1) / p(x2)",
            pairs_in_worlds,
            points=1.5,
            asks="Bayes' rule at each pair of x1 and x2",
            saw=_posterior_off,
        ),
        Property(
            "rows",
            "for each x2 it integrates to 1 over x1",
            rows_of_x1,
            points=1,
            asks="∫ p(x1 | x2) dx1 = 1, at each x2 for itself",
            typical=False,
            needs="bayes",  # a wrong density may have its mass elsewhere
            alike=of_equal_mass(1e-4),
            saw=lambda answer, _, x1, x2, *of: (
                f"{integral(answer, x1)} at x2 = {x2:.3g}, {told(*of)}"
            ),
        ),
        Property(
            "far",
            "it stays a density where p(x2) is too small for a floating-point number",
            far_from_both,
            points=1,
            asks="far out x2 is a rare event, and tells the sign of x1 with certainty",
            typical=False,
            needs="bayes",
            saw=_posterior_off,
        ),
        Property(
            "broadcast",
            "x1 and x2 broadcast; x1 = 0 belongs to the lower side",
            columns_and_rows,
            points=0.5,
            asks="an entry for each pair; and μ = mu[1] only where x1 > 0",
            typical=False,
            needs="bayes",
            alike=entry_by_entry,
            saw=_posterior_off,
        ),
    )


# --- best_reverse_gaussian ------------------------------------------------------------------------


def best_moments(mu: Mu, eps: float, x2: np.ndarray | None = None) -> list[Any]:
    """Mean and variance of X2; of X1, where an x2 is given."""
    return list(moments_of_x2(mu, eps) if x2 is None else conditional_moments(x2, mu, eps))


def reverse_model(
    best_reverse_gaussian: Standin, mu: Mu, eps: float
) -> tuple[float, float, Callable[[Any], list[np.ndarray]]]:
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

    def ask(x2: Any) -> list[np.ndarray]:
        pair = conditional(x2)
        if pair is None or not isinstance(pair, list | tuple) or len(pair) != 2:
            raise WrongKind(
                f"conditional(x2) should return a pair, mean and variance: got {describe(pair)}"
            )
        return [heights(pair[0], "the mean"), heights(pair[1], "the variance")]

    return number(mean2, "mean2"), number(var2, "var2"), ask


def another(mu: Mu, eps: float) -> World:
    """A world that is asked for before the model of (mu, eps) is: no model may forget its own."""
    return (mu[1] + 1, mu[0]), 2 * eps


def worlds_of_models(draw: Draw) -> list[World]:
    """Three ordinary worlds, and narrow bumps far from 0, which a quadrature may look past."""
    offset = float(draw.integer(40, 60))
    narrow = (offset, offset + 1), float(draw.rng.uniform(0.02, 0.05))
    return [*three_worlds(draw), narrow]


def models(draw: Draw) -> list[tuple]:
    """Worlds, whose x2 is asked about."""
    return [(mu, eps, None) for mu, eps in worlds_of_models(draw)]


def places_in_models(draw: Draw) -> list[tuple]:
    """Worlds, and five places of x2 on both sides of the middle."""
    spread = np.array([-2.0, -0.8, 0.1, 0.7, 1.9])
    return [
        (mu, eps, sum(mu) / 2 + np.sqrt(eps) * spread * draw.rng.uniform(0.8, 1.2))
        for mu, eps in worlds_of_models(draw)
    ]


def places_of_any_shape_in_a_model(draw: Draw) -> list[tuple]:
    """A number, and an array of two axes."""
    mu, eps, places = places_in_models(draw)[0]
    return [(mu, eps, float(places[0])), (mu, eps, places[:4].reshape(2, 2))]


def show_model(mu: Mu, eps: float, x2: Any) -> str:
    """A question to a model in words."""
    return told(mu, eps) if x2 is None else f"{told_places(x2=x2)}, {told(mu, eps)}"


def told_moments(answer: Sequence[Any]) -> str:
    """Mean and variance in words."""
    return f"mean {shown(answer[0])}, variance {shown(answer[1])}"


def moments_by_hand(mu: Mu, eps: float, x2: Any) -> str:
    """The law of total variance, or the two half-bells of one x2."""
    mean, variance = best_moments(mu, eps, x2)
    if x2 is None:
        inner = f"{eps:.3g} within a bump + {variance - eps:.3g} between the bumps"
        return f"mean {mean:.3g}, variance {inner} = {variance:.4g}"
    if np.size(x2) != 1:
        return ""
    w, mean, variance = (
        float(np.reshape(v, ())) for v in (weight_above(x2, mu, eps), mean, variance)
    )
    return (
        f"mean {w:.4g} · 0.7979 − {1 - w:.4g} · 0.7979 = {mean:.4g}, "
        f"variance 1 − {mean:.4g}² = {variance:.4g}"
    )


def _in_x2(name: str, advice: str, var2: Callable[[Mu, float], float]) -> Mistake:
    """A mistake in the variance of X2 alone."""

    def after(value: list[Any], mu: Mu, eps: float, x2: Any) -> list[Any]:
        return value if x2 is not None else [value[0], var2(mu, eps)]

    return Mistake(name, advice, after=after)


def _in_x1(
    name: str, advice: str, change: Callable[[list[Any], np.ndarray, Mu, float], list[Any]]
) -> Mistake:
    """A mistake in mean and variance of X1 given x2."""

    def after(value: list[Any], mu: Mu, eps: float, x2: Any) -> list[Any]:
        return value if x2 is None else change(value, x2, mu, eps)

    return Mistake(name, advice, after=after)


def _mean(name: str, advice: str, mean: Callable[..., Any]) -> tuple[Mistake, Mistake]:
    """A mistake in the mean of X1 given x2; the variance may be right, or follow from it."""
    return (
        _in_x1(name, advice, lambda v, *given: [mean(*given), v[1]]),
        _in_x1(name, advice, lambda v, *given: [(m := mean(*given)), 1 - m**2]),
    )


def _variance(name: str, advice: str, variance: Callable[..., Any]) -> Mistake:
    """A mistake in the variance of X1 given x2 alone."""
    return _in_x1(name, advice, lambda v, x2, *of: [v[0], variance(v, x2, *of) + 0 * x2])


def average_variance(mu: Mu, eps: float) -> float:
    """E Var[X1 | X2]."""
    x2, step = nodes(mu, eps)
    return (marginal(x2, mu, eps) * conditional_moments(x2, mu, eps)[1]).sum() * step


_ONE_VARIANCE = (
    "one variance for all x2: a network has an output for it too, so it may differ from x2 to x2"
)
_MISTAKES_OF_MODEL = (
    _in_x2(
        "sum-of-variables",
        "X1 decides WHICH bump, it is not added to it: the variance between the bumps is Δ²/4, "
        "not 1",
        lambda mu, eps: 1 + eps,
    ),
    _in_x1(
        "mean-and-variance-swapped",
        "mean and variance have changed places: conditional returns (mean, variance)",
        lambda v, *_: v[::-1],
    ),
    _in_x2(
        "within-only",
        "ε is the variance WITHIN a bump: the distance between the bumps adds to it",
        lambda mu, eps: eps,
    ),
    _in_x2(
        "between-only",
        "Δ²/4 is the variance BETWEEN the bumps: the width ε of each comes on top",
        lambda mu, eps: (mu[1] - mu[0]) ** 2 / 4,
    ),
    _in_x2(
        "std-for-variance",
        "var2 is the square of what you return, which is a standard deviation",
        lambda mu, eps: np.sqrt(moments_of_x2(mu, eps)[1]),
    ),
    _in_x2(
        "second-moment",
        "this is E[X2²]: subtract the square of the mean",
        lambda mu, eps: eps + (mu[0] ** 2 + mu[1] ** 2) / 2,
    ),
    _in_x2("variance-for-std", _STD, lambda mu, eps: moments_of_x2(mu, eps**2)[1]),
    _in_x2(
        "corrected-for-a-sample",
        "the variance of the two means is that of a sample (ddof=1), Δ²/2: the means are the whole "
        "population, each of probability ½, which makes Δ²/4",
        lambda mu, eps: eps + (mu[1] - mu[0]) ** 2 / 2,
    ),
    *(
        Mistake(
            "one-mean-alone",
            f"mean2 is mu[{which}] alone: it is the average of the two means",
            after=lambda v, mu, eps, x2, which=which: v if x2 is not None else [mu[which], v[1]],
        )
        for which in (1, 0)
    ),
    _in_x2(
        "std-for-variance",
        "√ε stands where ε belongs: ε is the variance within a bump already",
        lambda mu, eps: np.sqrt(eps) + (mu[1] - mu[0]) ** 2 / 4,
    ),
    Mistake(
        "first-mean-taken-for-0",
        "mean2 is half of mu[1] alone: mu[0] need not be 0",
        after=lambda v, mu, eps, x2: v if x2 is not None else [mu[1] / 2, v[1]],
    ),
    Mistake(
        "first-mean-taken-for-0",
        "mean2 and var2 are those of mu[0] = 0: it need not be 0",
        after=lambda v, mu, eps, x2: v if x2 is not None else [mu[1] / 2, eps + mu[1] ** 2 / 4],
    ),
    _in_x2(
        "whole-distance",
        "each bump is half of Δ away from the mean, not the whole",
        lambda mu, eps: eps + (mu[1] - mu[0]) ** 2,
    ),
    Mistake(
        "difference-for-sum",
        "mean2 is half the DIFFERENCE of the two means: it is half of their sum",
        after=lambda v, mu, eps, x2: v if x2 is not None else [(mu[1] - mu[0]) / 2, v[1]],
    ),
    Mistake(
        "means-added",
        "mean2 is the AVERAGE of the two means: yours is their sum",
        after=lambda v, mu, eps, x2: v if x2 is not None else [2 * v[0], v[1]],
    ),
    *_mean(
        "sides-swapped",
        "right size, wrong sign: x2 near mu[1] says that x1 is positive",
        lambda x2, mu, eps: -conditional_moments(x2, mu, eps)[0],
    ),
    _in_x1(
        "best-line",
        "this is the best STRAIGHT LINE through x1 on x2: a network may bend it",
        lambda v, *given: [line := best_line(*given)[0], best_line(*given)[1] + 0 * line],
    ),
    *_mean(
        "best-line",
        "this is the best STRAIGHT LINE through x1 on x2: a network may bend it",
        lambda *given: best_line(*given)[0],
    ),
    *_mean(
        "more-likely-side",
        "you decide for one side: both sides count, with their probabilities",
        lambda x2, mu, eps: HALF_NORMAL_MEAN * np.sign(2 * weight_above(x2, mu, eps) - 1),
    ),
    *_mean(
        "signs-for-means",
        "this is the mean of the SIGN of x1: half a normal has the mean √(2/π), not 1",
        lambda *given: 2 * weight_above(*given) - 1,
    ),
    *_mean(
        "mean-halved",
        "w − ½ stands where w − (1 − w) = 2w − 1 belongs: half of the mean",
        lambda *given: conditional_moments(*given)[0] / 2,
    ),
    *_mean(
        "root-forgotten",
        "half a normal has the mean √(2/π): yours is 2/π, without the root",
        lambda *given: 2 / np.pi * (2 * weight_above(*given) - 1),
    ),
    *_mean(
        "log-odds-doubled",
        "the log-odds stand twice in tanh: w − (1 − w) is tanh of HALF of them",
        lambda x2, mu, eps: conditional_moments(x2, mu, eps / 2)[0],
    ),
    *_mean(
        "prior-mean",
        "0 is the mean of x1 before x2 is known: weight with p(x1 | x2)",
        lambda x2, mu, eps: 0 * x2,
    ),
    _in_x1(
        "normalizer-omitted",
        "divided by p(x2) the integrals would be right: the posterior in them is not normalized",
        lambda v, *given: [
            mean := v[0] * marginal(*given),
            (v[1] + v[0] ** 2) * marginal(*given) - mean**2,
        ],
    ),
    *(
        _in_x1(
            "one-side-only",
            "the integral over one side of x1 alone: the other side belongs to it",
            lambda v, x2, mu, eps, s=s: [
                mean := s * HALF_NORMAL_MEAN * (w := weight_above(x2, mu[::s], eps)),
                w - mean**2,
            ],
        )
        for s in (1, -1)
    ),
    _in_x1("variance-for-std", _STD, lambda v, x2, mu, eps: best_moments(mu, eps**2, x2)),
    *_mean(
        "arrow-not-turned",
        "this is μ, the mean of x2 given x1: the arrow is turned here",
        lambda x2, mu, eps: np.where(x2 > 0, mu[1], mu[0]),
    ),
    _in_x1(
        "world-forgotten",
        "conditional answers for the world that was asked for last: it must keep the mu and eps of "
        "its own model",
        lambda v, x2, mu, eps: best_moments(*another(mu, eps), x2),
    ),
    _variance(
        "second-moment",
        "this is E[X1² | x2], which is 1 whatever x2 is: subtract the square of the mean",
        lambda *_: 1.0,
    ),
    _variance(
        "std-for-variance",
        "conditional's second value is a standard deviation: the variance is asked",
        lambda v, *_: np.sqrt(v[1]),
    ),
    _variance("constant-variance", _ONE_VARIANCE, lambda v, x2, *of: average_variance(*of)),
    _variance("constant-variance", _ONE_VARIANCE, lambda v, *given: best_line(*given)[1]),
    _variance(
        "within-only",
        "1 − 2/π is the variance within ONE side: where both sides are possible, their distance "
        "comes on top",
        lambda *_: 1 - 2 / np.pi,
    ),
    _variance(
        "eps-for-variance",
        "ε is the variance of x2 given x1: the arrow is turned here",
        lambda v, x2, mu, eps: eps,
    ),
)


def looked_past(seen: Sequence[Observation]) -> bool:
    """Whether the moments of X2 are 0 where the bumps lie far out, and right elsewhere."""
    asked = [o for o in seen if o.args[2] is None]
    far = [o for o in asked if o.args[0][0] > 30]
    return all(o.fails and np.allclose(o.answer, 0, atol=1e-6) for o in far) and not any(
        o.fails for o in asked if o not in far
    )


def nearly(seen: Sequence[Observation]) -> bool:
    """Whether mean and variance of X1 fail, and each by 0.02 at most."""
    asked = [o for o in seen if o.args[2] is not None]
    return any(o.fails for o in asked) and all(alike(o.answer, o.right, 0.02) for o in asked)


def mean_times_a_number(seen: Sequence[Observation]) -> bool:
    """Whether every mean of X1 is one and the same multiple of the right one."""
    asked = [o for o in seen if o.args[2] is not None and o.fails]
    return bool(asked) and one_factor([(o.answer[0], o.right[0]) for o in asked])


_SYMPTOMS_OF_MODEL = (
    Symptom(
        "not-normalized",
        "at every x2 your mean is E[X1 | x2] times one and the same number: the weights do not sum "
        "to 1 (a sum over a grid needs the spacing as a factor, an integral both tails of x1)",
        mean_times_a_number,
    ),
    Symptom(
        "bumps-missed",
        "right for bumps near 0, and 0 for narrow ones far out: what was integrated there looked "
        "past the bumps",
        looked_past,
    ),
    Symptom(
        "quadrature-across-the-jump",
        "nearly: within 0.02 at every x2, so the rule is right and the integral is not exact. Does "
        "it reach to where the bell has ended, and does it know of the jump at 0? Take x1 ≤ 0 and "
        "x1 > 0 apart",
        nearly,
    ),
)


def _part_off(part: int, answer: list, right: list, mu: Mu, eps: float, x2: Any) -> str:
    return f"{entry_off(answer[part], right[part], x2=x2)}, {told(mu, eps)}"


@checks(
    "best_reverse_gaussian", lesson=LESSON, points=4, see="Exercise 3: the best a Gaussian can do"
)
def moments_are_the_best_gaussian(
    best_reverse_gaussian: Standin, draw: Draw
) -> Iterator[Claim | Cause]:
    """The Gaussian of least forward KL has the moments of the truth, in both factors."""

    places = functools.cache(places_in_models)  # of a draw: mean and variance are one answer
    asked: dict[Any, list[np.ndarray]] = {}

    def ask(mu: Mu, eps: float, x2: Any) -> list[Any]:
        if x2 is None:
            return list(reverse_model(best_reverse_gaussian, mu, eps)[:2])
        question = (mu, eps, np.shape(x2), np.asarray(x2).tobytes())
        if question not in asked:
            model = reverse_model(best_reverse_gaussian, mu, eps)
            reverse_model(best_reverse_gaussian, *another(mu, eps))
            asked[question] = model[2](x2)
        return asked[question]

    subject = Subject(
        ask=ask,
        rule=best_moments,
        mistakes=_MISTAKES_OF_MODEL,
        symptoms=_SYMPTOMS_OF_MODEL,
        show=show_model,
        told=told_moments,
        by_hand=moments_by_hand,
        smaller=lambda mu, eps, x2: (
            (*LESSONS_WORLD, x2 if x2 is None else np.array([at]))
            for at in (0.6, 1.0)
            if (mu, eps) != LESSONS_WORLD
        ),
    )
    yield from examine(
        subject,
        draw,
        Property(
            "moments",
            "mean2 and var2 are mean and variance of X2",
            models,
            points=1,
            asks="the moments of p(x2); wherever the bumps lie",
        ),
        Property(
            "mean",
            "the conditional's mean is E[X1 | x2]",
            places,
            points=1.5,
            asks="∫ x1 p(x1 | x2) dx1, to 5 digits",
            alike=lambda a, b: alike(a[0], b[0], 1e-5),
            saw=lambda *seen: "mean " + _part_off(0, *seen),
        ),
        Property(
            "variance",
            "the conditional's variance is Var[X1 | x2], another one for each x2",
            places,
            points=1,
            asks="E[X1² | x2] − E[X1 | x2]², to 5 digits",
            alike=lambda a, b: alike(a[1], b[1], 1e-5),
            saw=lambda *seen: "variance " + _part_off(1, *seen),
        ),
        Property(
            "shape",
            "conditional takes a number or an array of any shape",
            places_of_any_shape_in_a_model,
            points=0.5,
            asks="mean and variance of each x2, both in the shape of x2",
            typical=False,
            needs="mean",
            alike=lambda a, b: (
                all(map(same_shapes, a, b)) and alike(np.ravel(a[0]), np.ravel(b[0]), 1e-5)
            ),
            saw=lambda answer, right, mu, eps, x2: (
                f"shapes {answer[0].shape} and {answer[1].shape} for x2 of shape {np.shape(x2)}"
                if not all(map(same_shapes, answer, right))
                else "mean " + _part_off(0, answer, right, mu, eps, x2)
            ),
        ),
    )


# --- gap ------------------------------------------------------------------------------------------


def gaps_of(worlds: Sequence[World]) -> list[float]:
    """The gap of each world, nats."""
    return list(itertools.starmap(gap_of, worlds))


def ordinary_worlds(draw: Draw) -> list[tuple]:
    """A narrow one that rises, a wide one that falls, and one that falls without touch.

    So narrow and so wide that places which do not go with √ε miss a part of the bumps.
    """
    far = moved_apart(world(draw, falling=True), float(draw.rng.uniform(10, 11)))
    return [([world(draw, scale=0.3)],), ([world(draw, falling=True, scale=8.0)],), ([far],)]


def merging_worlds(draw: Draw) -> list[tuple]:
    """Bumps 0, 0.3 and 1.5 standard deviations apart."""
    low, eps = float(draw.normal(1)[0]), float(draw.rng.uniform(0.3, 2))
    return [([((low, low + d * eps**0.5), eps) for d in (0.0, 0.3, 1.5)],)]


def same_worlds(draw: Draw) -> list[tuple]:
    """A world as it is, shifted and stretched; and another one, as it is, shrunk and mirrored.

    The bumps of the first are near each other, where an average without weights turns the sign;
    those of the other are so far apart that places from one mean to the other, turned, miss both.
    """
    (low, high), eps = moved_apart(world(draw), float(draw.rng.uniform(1.5, 1.8)))
    s, c = float(draw.rng.uniform(20, 40)), float(draw.rng.uniform(8, 12))
    first = [((low, high), eps), ((low + s, high + s), eps), ((low * c, high * c), eps * c**2)]
    (low, high), eps = moved_apart(world(draw, scale=2.0), float(draw.rng.uniform(10, 11)))
    second = [((low, high), eps), ((low / c, high / c), eps / c**2), ((high, low), eps)]
    return [(first,), (second,)]


def merge(gaps: list[float]) -> bool:
    """Whether three gaps start at 0 and grow."""
    return len(gaps) == 3 and abs(gaps[0]) < 1e-6 and gaps[0] < gaps[1] < gaps[2]


def stay(gaps: list[float]) -> bool:
    """Whether the gaps of one world are one number above 0."""
    return len(gaps) == 3 and gaps[0] > 1e-6 and all(alike(g, gaps[0], 1e-4) for g in gaps)


def told_gaps(gaps: Sequence[float]) -> str:
    """Gaps in words."""
    return ", ".join(f"{gap:.5g}" for gap in gaps)


def gap_by_hand(worlds: Sequence[World]) -> str:
    """Both terms of the gap of one world."""
    if len(worlds) != 1:
        return ""
    mu, eps = worlds[0]
    first = moments_of_x2(mu, eps)[1] / eps
    return (
        f"½ · log {first:.4g} + ½ · ({2 * second_term(mu, eps):.4g}) = {gap_of(mu, eps):.4g} nats"
    )


def by_the_models_x2(mu: Mu, eps: float) -> float:
    """The gap with an average over the model's x2."""
    mean2, var2 = moments_of_x2(mu, eps)
    x2 = mean2 + np.sqrt(var2) * np.linspace(-12, 12, 4001)
    log_variance = np.log(conditional_moments(x2, mu, eps)[1])
    average = (gaussian(x2, mean2, var2) * log_variance).sum() * (x2[1] - x2[0])
    return 0.5 * np.log(var2 / eps) + 0.5 * average


def by_the_models_x2_near_the_bumps(mu: Mu, eps: float) -> float:
    """The same from even places over both bumps, which cut the model's x2 off."""
    x2, step = nodes(mu, eps)
    logs = np.log(conditional_moments(x2, mu, eps)[1])
    return first_term(mu, eps) + 0.5 * (gaussian(x2, *moments_of_x2(mu, eps)) * logs).sum() * step


def by_places_in_eps(mu: Mu, eps: float, reach: float, count: int = 400) -> float:
    """The gap from even places that reach so many times ε, not √ε, beyond both bumps."""
    x2 = np.linspace(min(mu) - reach * eps, max(mu) + reach * eps, count)
    logs = np.log(conditional_moments(x2, mu, eps)[1])
    p = marginal(x2, mu, eps) * (x2[1] - x2[0])
    return first_term(mu, eps) + 0.5 * float((p * logs).sum())


def by_places(mu: Mu, eps: float, reach: float, count: int = 400, *, weighted: bool) -> float:
    """The gap from even places, from `reach` standard deviations before mu[0] to behind mu[1].

    If not `weighted`, they lie over both bumps, and each place counts as much as the others.
    """
    out = reach * np.sqrt(eps)
    low, high = mu if weighted else (min(mu), max(mu))
    x2 = np.linspace(low - out, high + out, count)
    logs = np.log(conditional_moments(x2, mu, eps)[1])
    p = marginal(x2, mu, eps) * (x2[1] - x2[0]) if weighted else np.full(count, 1 / count)
    return first_term(mu, eps) + 0.5 * float((p * logs).sum())


def first_term(mu: Mu, eps: float) -> float:
    """½ log(Var[X2] / ε)."""
    return float(0.5 * np.log(moments_of_x2(mu, eps)[1] / eps))


def second_term(mu: Mu, eps: float) -> float:
    """½ E log Var[X1 | X2]."""
    return gap_of(mu, eps) - first_term(mu, eps)


def _worlds(name: str, advice: str, program: Callable[[Mu, float], float]) -> Mistake:
    """A mistake in the gap of each world."""
    return Mistake(name, advice, gives=lambda worlds: list(itertools.starmap(program, worlds)))


def _times(name: str, advice: str, factor: float) -> Mistake:
    """Every number of the answer is `factor` times the right one."""
    return Mistake(name, advice, after=lambda v, *_: [factor * x for x in v])


_BITS = _times("bits-for-nats", "these are bits: natural logarithms give nats", 1 / np.log(2))
_MISTAKES_OF_GAP = (
    _times("half-forgotten", "twice too much: the log of a VARIANCE has a ½", 2),
    _times("half-twice", "half too little: is one of the ½ there twice?", 0.5),
    *(
        _worlds(
            name,
            advice,
            lambda mu, eps, a=a, b=b: a * first_term(mu, eps) + b * second_term(mu, eps),
        )
        for name, advice, a, b in (
            (
                "half-forgotten",
                "the log of a VARIANCE has a ½, in both terms: one is missing",
                2,
                1,
            ),
            (
                "half-forgotten",
                "the log of a VARIANCE has a ½, in both terms: one is missing",
                1,
                2,
            ),
            ("half-twice", "one of the two terms is halved twice", 1, 0.5),
            ("half-twice", "one of the two terms is halved twice", 0.5, 1),
            ("sign-of-average", "the average of log Var[X1 | x2] is negative, and is added", 1, -1),
            ("sign", "½ log(Var[X2] / ε) has the wrong sign: it is above 0, and is added", -1, 1),
        )
    ),
    _BITS,
    _times("sign", "a KL is never negative: the sign has turned", -1),
    _worlds(
        "order-never-matters",
        "0 for all worlds: the identity is order-free, a family of models is not",
        lambda mu, eps: 0.0,
    ),
    _worlds(
        "first-factor-only",
        "this is what p(x2) loses alone: p(x1 | x2) is no Gaussian either",
        gap_of_x2,
    ),
    _worlds(
        "second-factor-only",
        "this is what p(x1 | x2) loses alone: one Gaussian for p(x2) loses something too",
        lambda mu, eps: gap_of(mu, eps) - gap_of_x2(mu, eps),
    ),
    _worlds(
        "average-forgotten",
        "the average of log Var[X1 | x2] is missing: knowing x2 narrows x1, and that helps",
        first_term,
    ),
    _worlds(
        "first-term-forgotten",
        "this is the average of log Var[X1 | x2] alone: what one Gaussian for p(x2) costs is "
        "missing",
        second_term,
    ),
    _worlds(
        "log-outside",
        "the log of an average is no average of logs",
        lambda mu, eps: first_term(mu, eps) + 0.5 * np.log(average_variance(mu, eps)),
    ),
    _worlds(
        "model-weighted",
        "you average over the MODEL's x2: in KL(p‖q) the average is over the truth",
        by_the_models_x2,
    ),
    _worlds(
        "model-weighted",
        "you average over the MODEL's x2: in KL(p‖q) the average is over the truth",
        by_the_models_x2_near_the_bumps,
    ),
    _worlds(
        "half-bell-everywhere",
        "1 − 2/π is the variance of x1 where x2 tells its side for sure: between the bumps it does "
        "not, so average over x2",
        lambda mu, eps: first_term(mu, eps) + 0.5 * np.log(1 - 2 / np.pi),
    ),
    _worlds(
        "entropy-forgotten",
        "this is the model's average NLL: KL is what it has beyond the entropy of the world",
        lambda mu, eps: gap_of(mu, eps) + np.log(2 * np.pi * np.e) + 0.5 * np.log(eps),
    ),
    *(
        _worlds(
            "grid-not-over-the-bumps",
            "your places of x2 reach so many times ε beyond the bumps: √ε is their width",
            functools.partial(by_places_in_eps, reach=reach),
        )
        for reach in (5, 6, 8, 10)
    ),
    _worlds(
        "one-joint-gaussian",
        "this is the gap of one bivariate Gaussian, with a straight line for the mean: the reverse "
        "model may bend",
        lambda mu, eps: first_term(mu, eps) + 0.5 * np.log(best_line(0.0, mu, eps)[1]),
    ),
    *(
        _worlds(
            "grid-for-rising-means",
            "where mu[0] lies above mu[1] your places of x2 miss a part of the bumps: they must "
            "span both, whichever is the upper one",
            functools.partial(by_places, reach=reach, weighted=True),
        )
        for reach in (4, 5, 6, 8, 10, 12)
    ),
    *(
        _worlds(
            "unweighted-average",
            "you average over x2 as if each place were equally frequent",
            functools.partial(by_places, reach=reach, count=count, weighted=False),
        )
        for reach in (6, 8, 10)
        for count in (200, 400, 500, 1000)
    ),
    *(
        _worlds(
            "grid-not-over-the-bumps",
            "your places of x2 lie between the two means only, and miss the outer half of each "
            "bump: go some √ε beyond them",
            functools.partial(by_places_in_eps, reach=0, count=count),
        )
        for count in (200, 400, 500, 1000)
    ),
    _worlds(
        "variance-at-the-means",
        "Var[X1 | x2] is taken at the two means of X2 alone: it is smallest about there, and the "
        "average runs over every x2",
        lambda mu, eps: (
            first_term(mu, eps) + 0.5 * np.log(conditional_moments(np.array(mu), mu, eps)[1]).mean()
        ),
    ),
    _worlds("variance-for-std", _STD, lambda mu, eps: gap_of(mu, eps**2)),
    _worlds("variance-for-std", _STD, lambda mu, eps: gap_of(mu, eps) - 0.5 * np.log(eps)),
    _worlds(
        "spacing-forgotten",
        "a sum over a grid becomes an integral only with the spacing as a factor",
        lambda mu, eps: first_term(mu, eps) + second_term(mu, eps) / nodes(mu, eps)[1],
    ),
)


_MISTAKES_OF_GAP += tuple(
    _worlds(
        "mean-for-sum",
        "this is the mean over the grid of p · log v: an average over x2 is their SUM, times the "
        "spacing",
        lambda mu, eps, count=count: (
            first_term(mu, eps) + second_term(mu, eps) / (nodes(mu, eps, count)[1] * count)
        ),
    )
    for count in (200, 400, 401, 500, 800, 1000, 1001, 2000, 2001)
)


def average_of_nothing(seen: Sequence[Observation]) -> bool:
    """Whether the average over x2 is 0 wherever the bumps were shifted far out."""
    moved = [
        (o.answer[1], of[1]) for o in seen for of in o.args if len(of) == 3 and of[1][0][0] > 18
    ]
    return bool(moved) and all(alike(answer, first_term(*of), 1e-4) for answer, of in moved)


def one_number(seen: Sequence[Observation]) -> bool:
    """Whether every answer is the same number."""
    gaps = [gap for o in seen for gap in o.answer]
    return bool(np.isfinite(gaps).all()) and len(set(gaps)) == 1


@checks("gap", lesson=LESSON, points=2, see="Exercise 4: the gap, in nats")
def what_the_reverse_arrow_loses(gap: Standin, draw: Draw) -> Iterator[Claim | Cause]:
    """KL from the truth to the best Gaussian model of the turned arrow."""
    subject = Subject(
        ask=lambda worlds: [number(gap(mu, eps), "the gap") for mu, eps in worlds],
        rule=gaps_of,
        mistakes=_MISTAKES_OF_GAP,
        symptoms=(
            Symptom(
                "grid-not-over-the-bumps",
                "where the bumps are shifted, your average over x2 is 0, as if it looked "
                "elsewhere: the places where x2 is looked at must go with mu and √ε",
                average_of_nothing,
            ),
            Symptom(
                "constant-gap",
                "the same number for all worlds: the gap must grow with the distance of the bumps",
                one_number,
            ),
        ),
        show=lambda worlds: "; ".join(itertools.starmap(told, worlds)),
        told=told_gaps,
        by_hand=gap_by_hand,
        smaller=lambda worlds: [] if worlds == [LESSONS_WORLD] else [([LESSONS_WORLD],)],
        alike=lambda a, b: alike(a, b, 1e-4),
    )
    yield from examine(
        subject,
        draw,
        Property(
            "kl",
            "the gap is KL(p ‖ the best reverse Gaussian model), in nats",
            ordinary_worlds,
            points=1,
            asks="½ log(Var[X2] / ε) + ½ E log Var[X1 | X2], the average over p(x2), to 4 digits",
        ),
        Property(
            "merging",
            "it falls to 0 as the bumps merge, and is above 0 before",
            merging_worlds,
            points=0.5,
            asks="0 where x2 knows nothing of x1, and more the further the bumps are apart",
            typical=False,
            alike=agreeing(merge),
        ),
        Property(
            "units",
            "it is above 0, and depends on the distance in standard deviations, Δ/√ε, alone",
            same_worlds,
            points=0.5,
            asks="one number above 0: KL knows neither the units of x2 nor its zero",
            typical=False,
            alike=agreeing(stay),
            saw=lambda gaps, _, worlds: (
                f"{told_gaps(gaps)} for {told(*worlds[0])}: as it is, "
                + ("shifted, stretched" if worlds[0][1] == worlds[1][1] else "shrunk, mirrored")
            ),
        ),
    )


# --- mixture_reverse ------------------------------------------------------------------------------


@functools.lru_cache(maxsize=64)
def fitted(components: int, mu: Mu, eps: float) -> tuple[np.ndarray, ...]:
    """Grid, p and its mixture of x2, each (80,); and of x1, for each x2 (80, 240)."""
    x1 = (np.arange(240) + 0.5) / 20 - 6  # no node stands on the jump
    # The lesson's own grid, since an average without weights depends on it.
    x2, _ = nodes(mu, eps, 80, 7)
    p2, p1 = marginal(x2, mu, eps), posterior(x1, x2[:, None], mu, eps)
    return x2, p2, best_mixture(p2, x2, components), x1, p1, best_mixture(p1, x1, components)


def loss(
    components: int,
    mu: Mu,
    eps: float,
    *,
    of_x2: int = 0,
    of_x1: int = 0,
    each: Callable[..., np.ndarray] = relative_entropy,
    one_for_all: str = "",
    total: Callable[..., float] | None = None,
    more: int = 0,
    over: str = "p",
) -> float:
    """What is lost when both reverse factors are mixtures, nats. Options turn one thing wrong.

    `of_x2` and `of_x1` are other numbers of components, `more` is added to both, `over` says which
    density of x2 weights the loss in x1 ("q": that of the model), `each` what is summed,
    `one_for_all` how x2 is averaged away before x1 is fitted; `total` makes another sum of the loss
    in x2, that in x1 for each x2 (80,), p(x2) (80,) and the spacings.
    """
    x2, p2, q2 = fitted(of_x2 or components + more, mu, eps)[:3]
    x1, p1, q1 = fitted(of_x1 or components + more, mu, eps)[3:]
    h1, h2 = x1[1] - x1[0], x2[1] - x2[0]
    if one_for_all:
        average = p1.mean(0) if one_for_all == "mean" else p2 @ p1 / p2.sum()
        q1 = np.broadcast_to(best_mixture(average, x1, of_x1 or components), p1.shape)
    lost2, lost1 = each(p2, q2).sum() * h2, each(p1, q1).sum(1) * h1
    if total is not None:
        return float(total(lost2, lost1, p2, h2, h1))
    return float(lost2 + ((p2 if over == "p" else q2) * lost1).sum() * h2)


def losses_of(counts: Sequence[int], mu: Mu, eps: float, **wrong: Any) -> list[float]:
    """What is lost with each number of components, nats."""
    return list(map(functools.partial(loss, mu=mu, eps=eps, **wrong), counts))


def worlds_to_fit(draw: Draw) -> list[World]:
    """Bumps 3 to 5 standard deviations apart, and close ones.

    Far bumps lose much in both factors. With close ones most of p(x2) lies where x2 tells little:
    there an average without weights is far off. The former lie where no other world's grid does.
    """
    worlds = []
    for falling, near, far, moved in ((False, 3.0, 5.0, 12.0), (True, 1.2, 1.8, 0.0)):
        (one, other), eps = world(draw, falling=falling)
        of = (one + moved, other + moved), eps
        worlds.append(moved_apart(of, float(draw.rng.uniform(near, far))))
    return worlds


def one_component(draw: Draw) -> list[tuple]:
    """One component in two worlds, and in the lesson's, which the function has by default."""
    return [((1,), mu, eps) for mu, eps in (*worlds_to_fit(draw), LESSONS_WORLD)]


def two_components(draw: Draw) -> list[tuple]:
    """One component and two in two worlds: whoever is right with one must be so with two."""
    return [((1, 2), mu, eps) for mu, eps in worlds_to_fit(draw)]


def more_components(draw: Draw) -> list[tuple]:
    """Three components and four, for bumps that are far apart."""
    return [((3, 4), *worlds_to_fit(draw)[0])]


def near(share: float) -> Same:
    """Whether each number is within this share of the right one: mixtures are fitted locally."""
    return lambda a, b: (
        len(a) == len(b)
        and all(
            bool(np.isfinite(y)) and abs(x - y) <= share * abs(y) + 1e-3
            for x, y in zip(a, b, strict=True)
        )
    )


def falls(a: list[float], b: list[float]) -> bool:
    """Whether both fall, and end near each other."""
    falling = all(later < earlier for v in (a, b) for earlier, later in itertools.pairwise(v))
    return near(0.15)(a, b) or (falling and 0.6 * b[-1] < a[-1] < 1.5 * b[-1] + 2e-3)


def other_sums(how: Sequence[str], lost2: Any, lost1: Any, p2: Any, h2: float, h1: float) -> float:
    """The loss, its three integrals being what `how` says: of x2's KL, over x2, of x1's KL."""
    factors = {"integral": (1, 1), "sum": (1 / h2, 1 / h1), "mean": (1 / h2 / 80, 1 / h1 / 240)}
    factors["other spacing"] = (h1 / h2, h2 / h1)
    in_x2, over_x2, in_x1 = factors[how[0]][0], factors[how[1]][0], factors[how[2]][1]
    return lost2 * in_x2 + (p2 * lost1).sum() * h2 * over_x2 * in_x1


_IN_ONE = "p({}) is a mixture now, p({}) still one Gaussian: fit both"
_MISTAKES_OF_MIXTURE = (
    Mistake(
        "two-components-suffice",
        "this is what p(x2) loses, and no more: two components close THAT. p(x1 | x2) has a jump "
        "at 0, and loses something too",
        options={"total": lambda lost2, *_: lost2},
    ),
    Mistake(
        "two-components-suffice",
        "0 from two components on: true of p(x2). But p(x1 | x2) jumps at x1 = 0, and no two "
        "Gaussians make a jump",
        after=lambda v, counts, *_: [x * (k == 1) for x, k in zip(v, counts, strict=True)],
    ),
    Mistake(
        "second-factor-only",
        "this is what p(x1 | x2) loses: add what p(x2) loses",
        options={"total": lambda lost2, lost1, p2, step2, step1: (p2 * lost1).sum() * step2},
    ),
    Mistake(
        "unweighted-average",
        "you average over x2 as if each value were equally frequent",
        options={"total": lambda lost2, lost1, *_: lost2 + lost1.mean()},
    ),
    *(
        Mistake(
            "spacing-forgotten",
            "a mean over a grid is no integral: a sum, and the spacing as a factor, make one"
            if "mean" in how
            else "a sum over a grid becomes an integral only with the spacing as a factor, in x1 "
            "and in x2",
            options={"total": functools.partial(other_sums, how)},
        )
        for how in itertools.product(("integral", "sum", "mean"), repeat=3)
        if set(how) != {"integral"} and how != ("integral", "mean", "mean")
    ),
    *(
        Mistake(
            "spacings-swapped",
            "a spacing of x1 stands at a sum over x2, or one of x2 at a sum over x1: each sum "
            "takes the spacing of what it runs over",
            options={"total": functools.partial(other_sums, how)},
        )
        for how in itertools.product(("integral", "other spacing"), repeat=3)
        if set(how[1:]) == {"integral", "other spacing"} or how[0] != "integral"
    ),
    *(
        Mistake(
            "one-mixture-for-all-x2",
            "one mixture for x1, whatever x2 is: q(x1 | x2) may be another one for each x2",
            options={"one_for_all": how},
        )
        for how in ("mean", "weighted")
    ),
    Mistake(
        "reversed-kl",
        "KL(q‖p) weights by the model: the truth comes first in KL(p‖q)",
        options={"each": lambda p, q: relative_entropy(q, p)},
    ),
    _BITS,
    _times("sign", "a KL is never negative: p log(p/q), not q above and p below", -1),
    Mistake(
        "absolute-terms",
        "single terms of a KL may be negative, and must stay so: only the whole sum is at least 0",
        options={"each": lambda p, q: np.abs(relative_entropy(p, q))},
    ),
    Mistake(
        "model-weighted",
        "you average over the MODEL's x2: in KL(p‖q) the average is over the truth, p(x2)",
        options={"over": "q"},
    ),
    Mistake(
        "unweighted-average",
        "p(x2) is left out of the integral over x2: what seldom comes counts as much as what often "
        "does",
        options={"total": lambda lost2, lost1, p2, h2, h1: lost2 + lost1.sum() * h2},
    ),
    Mistake(
        "world-ignored",
        "this is the loss in the world of the defaults, mu = (0, 1) and ε = 0.04, whatever is "
        "given",
        gives=lambda counts, mu, eps: [loss(k, *LESSONS_WORLD) for k in counts],
    ),
    Mistake(
        "loss-halved",
        "half too little: each of the two losses counts once",
        after=lambda v, *_: [x / 2 for x in v],
    ),
    Mistake(
        "squared-error",
        "squared differences are summed: a KL sums p log(p/q)",
        options={"each": lambda p, q: (p - q) ** 2},
    ),
    Mistake(
        "cross-entropy-for-kl",
        "−p log q is summed: KL is what that has beyond −p log p",
        options={"each": lambda p, q: -p * np.log(q)},
    ),
    Mistake(
        "components-off-by-one",
        "this is what one more component than `components` loses",
        options={"more": 1},
    ),
    Mistake(
        "components-off-by-one",
        "p(x1 | x2) gets one component more than `components`, and the other factor does not",
        gives=lambda counts, mu, eps: [loss(k, mu, eps, of_x1=k + 1) for k in counts],
    ),
    Mistake(
        "gap-scaled",
        "the gap is divided by the square of `components`: what is left has to be computed, from "
        "a fit to each density",
        gives=lambda counts, mu, eps: [loss(1, mu, eps) / k**2 for k in counts],
    ),
    Mistake(
        "gap-scaled",
        "the gap is divided by `components`: what is left has to be computed, from a fit to each "
        "density",
        gives=lambda counts, mu, eps: [loss(1, mu, eps) / k for k in counts],
    ),
    Mistake(
        "components-ignored",
        "the same as with one component, whatever `components` says",
        options={"of_x2": 1, "of_x1": 1},
    ),
    Mistake("mixture-in-one-factor", _IN_ONE.format("x2", "x1 | x2"), options={"of_x1": 1}),
    Mistake("mixture-in-one-factor", _IN_ONE.format("x1 | x2", "x2"), options={"of_x2": 1}),
    Mistake(
        "components-capped",
        "from three components on nothing changes any more: `components` may be any number",
        after=lambda v, counts, mu, eps: [
            loss(min(k, 2), mu, eps) if k > 2 else x for x, k in zip(v, counts, strict=True)
        ],
    ),
)


@checks(
    "mixture_reverse",
    lesson=LESSON,
    points=3,
    see="Exercise 5: how many Gaussians close the gap?",
)
def how_many_components(mixture_reverse: Standin, draw: Draw) -> Iterator[Claim | Cause]:
    """What is still lost when both reverse factors may be mixtures of Gaussians."""

    def ask(counts: Sequence[int], mu: Mu, eps: float) -> list[float]:
        of = () if (mu, eps) == LESSONS_WORLD else (mu, eps)
        return [number(mixture_reverse(components, *of), "the loss") for components in counts]

    subject = Subject(
        ask=ask,
        rule=losses_of,
        mistakes=_MISTAKES_OF_MIXTURE,
        symptoms=(
            Symptom(
                "nothing-lost",
                "0 in every world, whatever `components` says: one Gaussian loses something of two "
                "bumps. Is everything multiplied by 0, or a difference of a thing from itself?",
                lambda seen: not any(loss for o in seen for loss in o.answer),
            ),
            Symptom(
                "other-defaults",
                "right where mu and eps are given, and wrong where they are left out: what stands "
                "for them in the first line is part of the exercise",
                lambda seen: all(o.fails == (o.args[1:] == LESSONS_WORLD) for o in seen),
            ),
        ),
        show=lambda counts, *of: f"components = {', '.join(map(str, counts))}, {told(*of)}",
        told=told_gaps,
        alike=near(0.01),
    )
    yield from examine(
        subject,
        draw,
        Property(
            "one",
            "one component loses the gap: the sum of what both factors lose",
            one_component,
            points=1,
            asks="KL of p(x2), plus the KL of p(x1 | x2) averaged with the weight p(x2)",
        ),
        Property(
            "two",
            "two components close the gap in p(x2), and not in p(x1 | x2)",
            two_components,
            points=1,
            asks="what is left when both factors are fitted with two components, to 15 %",
            needs="one",
            judged_alone=False,
            # Expectation maximization may stop in another local optimum: 15 % is room for that, and
            # far from the usual mistakes.
            alike=near(0.15),
        ),
        Property(
            "more",
            "each further component helps, and none closes the gap for good",
            more_components,
            points=1,
            asks="less with each component, and with the last one about what is left then: never 0",
            typical=False,
            needs="two",
            judged_alone=False,
            alike=falls,
        ),
    )


# --- initial_bias ---------------------------------------------------------------------------------


def smoothed_log_odds(
    images: np.ndarray,
    *,
    axis: int | None = 0,
    ink: float = 0.5,
    white: float = 0.5,
    put: Callable[[np.ndarray], np.ndarray] = lambda f: np.log(f) - np.log1p(-f),
) -> np.ndarray:
    """The log-odds of each pixel's frequency among bits (N, n): (n,). Options turn one thing wrong.

    `ink` and `white` are the images added, `put` what is made of the frequency.
    """
    count = images.shape[0] if axis == 0 else images.size if axis is None else images.shape[1]
    with np.errstate(divide="ignore", invalid="ignore"):
        return put((images.sum(axis) + ink) / (count + ink + white))


def log_odds_of_ink(images: np.ndarray) -> np.ndarray:
    """The same as `smoothed_log_odds`, in two lines."""
    frequency = (images.sum(0) + 0.5) / (len(images) + 1)
    return np.log(frequency / (1 - frequency))


def images_to_count(draw: Draw) -> list[tuple]:
    """Few images and more, of pixels that are neither always inked nor never."""
    cases = []
    for count, n in ((5, 3), (draw.integer(6, 9), 4), (draw.integer(130, 170), draw.integer(5, 7))):
        bits = draw.rng.random((count, n)) < draw.rng.uniform(0.2, 0.8, size=n)
        bits[0], bits[1] = False, True
        cases.append((bits.astype(np.float64),))
    return cases


def images_with_edges(draw: Draw) -> list[tuple]:
    """A pixel that is never inked, and one that always is."""
    bits = (draw.rng.random((draw.integer(7, 11), 4)) < 0.5).astype(np.float64)
    bits[:, 0], bits[:, 3] = 0, 1
    many = (draw.rng.random((256, 3)) < 0.5).astype(np.float64)  # 1 / 256: 32 bits hold it
    many[:, 0], many[:, 2] = 0, 1  # log-odds beyond 6, either way
    return [(bits,), (many,)]


def _count_by_hand(images: np.ndarray) -> str:
    count, inked = len(images), int(images[:, 0].sum())
    return f"pixel 1: inked in {inked} of {count}, so f = ({inked} + ½) / ({count} + 1)"


def _few_images(images: np.ndarray) -> Iterator[tuple]:
    if images.shape != (3, 2):
        yield (np.array([[0.0, 1.0], [0.0, 1.0], [0.0, 0.0]]),)


def _log_odds(frequency: np.ndarray) -> np.ndarray:
    return np.log(frequency) - np.log1p(-frequency)


_MISTAKES_OF_BIAS = (
    Mistake("nothing-added", "nothing is added to the counts: half an image of each kind, which "
            "also keeps a pixel that is never inked from −∞", options={"ink": 0.0, "white": 0.0}),
    Mistake("one-of-each-added", "a whole white and a whole inked image are added: half of each "
            "is asked", options={"ink": 1.0, "white": 1.0}),
    Mistake("added-above-only", "something is added to the count of inked images only: the images "
            "in all become N + 1", options={"white": -0.5}),
    Mistake("added-below-only", "the count of inked images lacks its half", options={"ink": 0.0}),
    Mistake("added-below-only", "the count of inked images lacks its half",
            options={"ink": 0.0, "white": 1.0}),
    *(Mistake("other-images-added", "not half a white and half an inked image are added: N + 1 "
              "images in all, and ½ of them inked", options={"ink": ink, "white": white})
      for ink, white in ((1.0, 0.0), (0.25, 0.75), (0.5, 1.5), (0.5, -1.5), (0.5, 0.0))),
    Mistake("frequency", "this is the frequency f itself: the bias is a log-odds",
            options={"put": lambda f: f}),
    Mistake("log-frequency", "this is log f: the log-odds are log f − log(1 − f)",
            options={"put": np.log}),
    Mistake("odds", "these are odds: their logarithm is asked",
            options={"put": lambda f: f / (1 - f)}),
    Mistake("another-link", "the inverse of Φ is taken (a probit): the unit is a sigmoid, whose "
            "inverse is log f − log(1 − f)", options={"put": (
                lambda f: torch.special.ndtri(torch.as_tensor(f)).numpy())}),
    Mistake("sigmoid", "σ(f) goes the wrong way: b is what σ turns INTO f",
            options={"put": lambda f: 1 / (1 + np.exp(-f))}),
    Mistake("log-odds-halved", "this is half of the log-odds, as belongs to a tanh (atanh(2f − "
            "1)): the unit is a sigmoid", after=lambda v, *_: v / 2),
    Mistake("white-for-ink", "the sign is turned: a bias says how likely INK is",
            after=lambda v, *_: -v),
    Mistake("bits-for-nats", "these are bits: the logarithm is the natural one",
            after=lambda v, *_: v / np.log(2)),
    Mistake("over-the-pixels", "you count over the pixels of each image: one number for each "
            "PIXEL is asked", options={"axis": 1}),
    Mistake("over-everything", "you count over everything: each pixel has its own frequency",
            options={"axis": None}),
    Mistake("over-everything", "you count over everything: each pixel has its own frequency",
            gives=lambda images: np.full(
                images.shape[1], smoothed_log_odds(images.reshape(-1, 1))[0])),
    Mistake("over-everything", "you divide by the number of all bits, N · n: each pixel is seen "
            "once in each of the N images",
            gives=lambda images: _log_odds((images.sum(0) + 0.5) / (images.size + 1))),
    Mistake("over-everything", "you divide by the number of PIXELS: a pixel is seen once in each "
            "of the N images",
            gives=lambda images: _log_odds((images.sum(0) + 0.5) / (images.shape[1] + 1))),
    Mistake("added-to-frequencies", "½ is added to the frequencies of ink and of white: it belongs "
            "to the COUNTS, before they are divided by N + 1",
            gives=lambda images: _log_odds((images.mean(0) + 0.5) / 2)),
    Mistake("other-images-added", "a quarter of an image of each kind is added: half of each is "
            "asked", options={"ink": 0.25, "white": 0.25}),
    Mistake("mean-taken-away", "the mean over the pixels is taken away: each pixel keeps its own "
            "log-odds", after=lambda v, *_: v - v.mean()),
    Mistake("row-for-vector", "a table of one row comes back: one number for each pixel, (n,), is "
            "asked (keepdim makes such a table)", after=lambda v, *_: v[None]),
    *(Mistake("clamped", f"your biases are held between −{most} and {most}: a pixel that is "
              "practically never inked may start lower", after=lambda v, *_, most=most:
              v.clip(-most, most)) for most in (2, 3, 4, 5, 6)),
)  # fmt: skip


@checks("initial_bias", lesson=LESSON, points=2, see="Exercise 6: a start for every bias")
def biases_start_at_log_odds(initial_bias: Standin, draw: Draw) -> Iterator[Claim | Cause]:
    """Each pixel alone, at its best."""
    subject = Subject(
        ask=lambda images: heights(
            untouched(initial_bias)(torch.tensor(images).float()), "the biases"
        ),
        rule=smoothed_log_odds,
        mistakes=_MISTAKES_OF_BIAS,
        forms=(log_odds_of_ink,),
        show=lambda images: (
            f"{images.shape[0]} images of {images.shape[1]} pixels, inked "
            f"{', '.join(f'{inked:.0f}' for inked in images.sum(0))} times"
        ),
        by_hand=_count_by_hand,
        smaller=_few_images,
    )

    def close(a: np.ndarray, b: np.ndarray) -> bool:
        return same_shapes(a, b) and alike(np.reshape(a, np.shape(b)), b, 1e-5)

    yield from examine(
        subject,
        draw,
        Property(
            "log-odds",
            "each pixel's bias is the log-odds of its frequency, half an image of each kind added",
            images_to_count,
            points=1.5,
            asks="b = log f − log(1 − f) with f = (inked + ½) / (N + 1), one for each pixel",
            alike=close,
        ),
        Property(
            "edges",
            "a pixel that is never inked, or always, starts at the log-odds of half an image",
            images_with_edges,
            points=0.5,
            asks="the same formula: ½ and N + ½ of N + 1 have finite log-odds",
            typical=False,
            alike=close,
        ),
    )
