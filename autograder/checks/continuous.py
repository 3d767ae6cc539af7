"""Checks of lesson 07, continuous: densities, mixtures, discretized logistics, dequantized levels.

Notation: x are B numbers, or whole levels 0 … levels − 1; a mixture has K logits (their softmax are
the weights), K centers mu and K scales, (K,) for all x or (B, K) for each; all logs are natural
unless a name says bits. The discretized mixture is that of Salimans, Karpathy, Chen and Kingma
(2017), with open bins at both ends.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from scipy.special import logit
from scipy.stats import binom

from autograder import claim, expect_array, when
from autograder.checking import checks
from autograder.checks.arguments import untouched
from autograder.checks.numbers import SMALL, close, sigmoid, softmax, tensor
from autograder.checks.samples import (
    apart,
    as_often,
    claim_of_independence,
    claim_of_the_generator,
    note_on_default,
)
from autograder.checks.witness import too_even, waits_unless
from autograder.claims import Cause, Claim, waiting
from autograder.diagnosis import Mistake, Property, Subject, Symptom, examine
from autograder.diagnosis.examine import shown
from autograder.diagnosis.mistakes import program_of
from autograder.draw import Draw
from autograder.inside.continuous import slope_in_x
from autograder.remote.proxy import Standin, WrongKind

LESSON = "07_continuous"
Array = np.ndarray
VALUE, SLOPE = "values", "the slope in x"
CONSTANT = 0.5 * np.log(2 * np.pi)
FLOORS = tuple(small for small in SMALL if small >= 1e-38)  # what single precision holds


# --- small things ---------------------------------------------------------------------------------


near = functools.partial(close, tolerance=2e-5)


def doubles(*values: Any) -> list[torch.Tensor]:
    """The values in double precision."""
    return [torch.as_tensor(value, dtype=torch.float64) for value in values]


def asking(function: Standin, what: str, *, broadcasts: bool = False) -> Callable[..., Any]:
    """How `function(x, …)` is asked for its values, or for their slope in x (the last argument).

    The values have the shape of x, or the one that all arguments broadcast to.
    """

    def ask(x: Array, *args: Any) -> Array:
        args, of = (args[:-1], args[-1]) if isinstance(args[-1], str) else (args, VALUE)
        given = [tensor(a) if isinstance(a, np.ndarray | np.floating) else a for a in args]
        if of == VALUE:
            shape = np.broadcast_shapes(*map(np.shape, (x, *args))) if broadcasts else x.shape
            return expect_array(untouched(function)(tensor(x), *given), shape, "float", what)
        slope = slope_in_x(function, tensor(x), *given)
        if slope is None:
            raise WrongKind(f"{what} should have a gradient in x: none arrives there")
        return expect_array(slope, x.shape, "float", "the gradient in x")

    return ask


def ended(values: torch.Tensor, x: torch.Tensor, of: str) -> Array:
    """The values, or the slope in x of their sum."""
    return (values if of == VALUE else torch.autograd.grad(values.sum(), x)[0]).detach().numpy()


def log_weights(logits: torch.Tensor, how: str) -> torch.Tensor:
    """log softmax of the logits; otherwise what stands there by mistake."""
    return {
        "softmax": lambda z: z.log_softmax(-1),
        "raw": lambda z: z,
        "equal": lambda z: torch.full_like(z, -np.log(z.shape[-1])),
        "none": torch.zeros_like,
        "no log": lambda z: z.softmax(-1),
        "over the batch": lambda z: z.log_softmax(0),
        "twice": lambda z: z.softmax(-1).log_softmax(-1),
        "sigmoids": F.logsigmoid,
        "squared": lambda z: 2 * z.log_softmax(-1),
    }[how](logits)


def joined(logs: torch.Tensor, parts: torch.Tensor, how: str) -> torch.Tensor:
    """log Σ exp(logs + parts) over the components; otherwise what stands there by mistake."""
    return {
        "sum": lambda: torch.logsumexp(logs + parts, -1),
        "logs": lambda: (logs.exp() * parts).sum(-1),
        "all logs": lambda: (logs + parts).sum(-1),
        "mean of logs": lambda: (logs + parts).mean(-1),
        "weights added": lambda: (logs.exp() + parts.exp()).sum(-1).log(),
        "weights added to shares": lambda: (
            (logs.exp() + (parts - (top := parts.max(-1, keepdim=True).values)).exp()).sum(-1).log()
            + top[..., 0]
        ),
        "parts": lambda: parts.sum(-1) + 0 * logs.sum(-1),
        "mean": lambda: torch.logsumexp(logs + parts, -1) - np.log(parts.shape[-1]),
        "times": lambda: torch.logsumexp(logs.exp() * parts, -1),
        "all but the last": lambda: torch.logsumexp((logs + parts)[..., :-1], -1),
        "best": lambda: (logs + parts).max(-1).values,
        "less the best": lambda: torch.logsumexp(logs + parts, -1) - (logs + parts).max(-1).values,
        "likeliest": lambda: parts.gather(-1, logs.argmax(-1, keepdim=True).expand_as(parts))[
            ..., 0
        ],
    }[how]()


def named(names: str, *args: Any) -> str:
    """Arguments in words, each with its name."""
    return ", ".join(f"{n} = {shown(a)}" for n, a in zip(names.split(), args, strict=True))


def show_at(names: str) -> Callable[..., str]:
    """What tells a case in words: x, the parameters of these `names`, and whether it is a slope."""

    def show(x: Array, *args: Any) -> str:
        args, of = (args[:-1], args[-1]) if isinstance(args[-1], str) else (args, VALUE)
        return ("" if of == VALUE else f"{of} at ") + named(f"x {names}", x, *args)

    return show


_SIGN = Mistake(
    "sign", "a sign is lost: look which of log and minus log is asked", after=lambda v, *_: -v
)
_BITS = Mistake(
    "bits-for-nats",
    "these are bits: nats are asked, natural logarithms",
    after=lambda v, *_: v / np.log(2),
)
_WEIGHTS = (
    Mistake(
        "logits-not-normalized",
        "the logits stand where log-weights belong: the weights must sum to 1 first",
        options={"weights": "raw"},
    ),
    Mistake(
        "weights-ignored",
        "every component counts the same in your answer, whatever its logit",
        options={"weights": "equal"},
    ),
    Mistake(
        "weights-ignored",
        "the components are summed without any weight",
        options={"weights": "none"},
    ),
    Mistake(
        "weight-for-log-weight",
        "a weight is added to a logarithm: its logarithm belongs there",
        options={"weights": "no log"},
    ),
    Mistake(
        "softmax-over-the-batch",
        "the weights sum to 1 over the examples: they must over the components",
        options={"weights": "over the batch"},
    ),
    Mistake(
        "softmax-twice",
        "a softmax of a softmax stands there, which makes the weights nearly equal: one is asked",
        options={"weights": "twice"},
    ),
    Mistake(
        "sigmoid-for-softmax",
        "the sigmoid of each logit stands where its weight belongs: the weights are the softmax of "
        "all of them, and sum to 1",
        options={"weights": "sigmoids"},
    ),
    Mistake(
        "weights-squared",
        "the weights stand squared in the sum: each component is multiplied with its own once",
        options={"weights": "squared"},
    ),
)
_JOINS = (
    Mistake(
        "mixture-of-logs",
        "this averages the LOGARITHMS of the components: the mixture is an average of the "
        "probabilities, and its logarithm comes last",
        options={"join": "logs"},
    ),
    Mistake(
        "mixture-of-logs",
        "the components' logarithms are added up: that is a product of components; the mixture "
        "adds their probabilities",
        options={"join": "all logs"},
    ),
    Mistake(
        "mixture-of-logs",
        "the components' logarithms are summed, without weights: that is a product of components; "
        "the mixture adds their probabilities, each with its weight",
        options={"join": "parts"},
    ),
    Mistake(
        "mixture-of-logs",
        "the components' logarithms, each with that of its weight, are averaged: the mixture adds "
        "their probabilities, and its logarithm comes last",
        options={"join": "mean of logs"},
    ),
    *(
        Mistake(
            "weights-added",
            "the weights are ADDED to what the components give: each is multiplied with its own",
            options={"join": join},
        )
        for join in ("weights added", "weights added to shares")
    ),
    Mistake(
        "mean-for-sum",
        "the weights sum to 1 already: a mean over the components divides by K once too often",
        options={"join": "mean"},
    ),
    Mistake(
        "weight-for-log-weight",
        "a weight MULTIPLIES the logarithm of a density before the log-sum-exp: its own logarithm "
        "is added to that",
        options={"join": "times"},
    ),
    Mistake(
        "last-component-lost",
        "the last component is missing in the sum",
        options={"join": "all but the last"},
    ),
    Mistake(
        "best-component-only",
        "only the best component of each x counts here: all of them may have made it",
        options={"join": "best"},
    ),
    Mistake(
        "largest-not-put-back",
        "the largest exponent is taken out before the sum, and not put back after it",
        options={"join": "less the best"},
    ),
    Mistake(
        "heaviest-component-only",
        "only the component of the greatest weight counts here",
        options={"join": "likeliest"},
    ),
)


def _lost(seen: Sequence[Any]) -> bool:
    """Whether all that fails is not finite, where the right answer is."""
    failed = [o for o in seen if o.fails]
    return all(
        isinstance(o.answer, np.ndarray)
        and np.isfinite(o.right).all()
        and not np.isfinite(o.answer).all()
        and near(o.answer[f := np.isfinite(o.answer)], o.right[f])
        for o in failed
    )


_UNDERFLOW = Symptom(
    "underflow",
    "where it differs, your answer is not finite: something became exactly 0 (or infinite) in "
    "floating point before its logarithm was taken; stay in logarithms all the way",
    _lost,
)


def _flat(seen: Sequence[Any]) -> bool:
    """Whether what fails is finite, nearer to 0 than it should be, and somewhere stands still."""
    failed = [o for o in seen if o.fails]
    wrong = [~np.isclose(o.answer, o.right, 2e-5, 2e-5) for o in failed]
    return all(
        np.isfinite(o.answer).all()
        and (abs(o.answer[w]) <= abs(o.right[w])).all()
        and (SLOPE in o.args[-1:] or (abs(o.right[w]) > 15).all())  # far out, and there alone
        for o, w in zip(failed, wrong, strict=True)
    ) and any(
        w.sum() > 1
        and np.ptp(o.answer[w]) < 1e-3 * (1 + abs(o.answer[w]).max())
        and np.ptp(o.right[w]) > 1
        for o, w in zip(failed, wrong, strict=True)
    )


_FLOOR = Symptom(
    "epsilon-in-log",
    "far out your answers stop changing with x, at a finite price that is not the asked one: "
    "something is added inside the logarithm, or a clamp holds it",
    _flat,
)


# --- histogram_nll --------------------------------------------------------------------------------


def rule_of_histogram(
    x: Array,
    train: Array,
    levels: int,
    alpha: float,
    *,
    total: str = "all",
    counted: str = "train",
    raised: str = "all",
    log: Any = np.log,
) -> Array:
    """−log of (count + alpha) / (N + levels · alpha) at each x; an option turns one thing wrong."""
    source = {"train": train, "x": x, "both": np.concatenate([train, x])}[counted]
    counts = np.bincount(source, minlength=levels)[:levels]
    n, seen = len(source), (counts > 0).sum()
    whole = {
        "all": n + levels * alpha,
        "alpha forgotten": n,
        "alpha once": n + alpha,
        "only seen": n + seen * alpha,
        "only empty": n + (levels - seen) * alpha,
        "up to the largest": n + (source.max() + 1) * alpha,
        "levels only": n + levels,
        "one level short": n + (levels - 1) * alpha,
        "of x": len(x) + levels * alpha,
        "of train": len(train) + levels * alpha,
    }[total]
    more = np.full(levels, alpha)
    if raised in ("empty", "seen"):
        more[(counts > 0) == (raised == "empty")] = 0.0
    if raised == "up to the largest":
        more[source.max() + 1 :] = 0.0
    with np.errstate(divide="ignore"):
        return -log((counts + more)[x] / whole)


def histograms(draw: Draw) -> list[tuple]:
    """Skewed levels, some never seen: above all others, and 1 between 0 and 2.

    Once with a whole alpha, and once with a part of one.
    """
    cases = []
    for alpha in (1.0, round(float(0.2 + 0.5 * draw.uniform()), 2)):
        levels = draw.integer(7, 12)
        train = draw.rng.binomial(levels - 3, 0.3, size=draw.integer(20, 40))
        train = np.append(np.where(train == 1, 2, train), 0)
        x = np.concatenate([draw.permutation(levels), [0, 1]])
        cases.append((x, train.astype(np.int64), levels, alpha))
    return cases


def unsmoothed(draw: Draw) -> list[tuple]:
    """No smoothing: levels that the training set has, and one that it has not."""
    levels = draw.integer(6, 9)
    train = draw.rng.integers(1, levels - 1, size=draw.integer(30, 50))
    return [(np.append(draw.permutation(levels), 2), train.astype(np.int64), levels, 0.0)]


def _of_shares(shares: Callable[..., Array]) -> Callable[..., Array]:
    """−log of other shares of the counts."""

    def price(x: Array, train: Array, levels: int, alpha: float) -> Array:
        counts = np.bincount(train, minlength=levels)
        with np.errstate(divide="ignore", invalid="ignore"):
            return -np.log(shares(counts, alpha)[x])

    return price


def _bins_of_histc(x: Array, train: Array, levels: int, alpha: float) -> Array:
    counts = np.histogram(train, bins=levels)[0]
    with np.errstate(divide="ignore"):
        return -np.log((counts[x] + alpha) / (len(train) + levels * alpha))


_WRONG_TABLES = (
    Mistake(
        "bins-of-a-histogram",
        "a histogram's bins (torch.histc, np.histogram) lie from the least training level to the "
        "largest, if no range is given: what is counted are the levels 0, 1, … themselves",
        gives=_bins_of_histc,
    ),
    Mistake(
        "alpha-shared-out",
        "each level gets alpha / K: EVERY count is raised by alpha, which makes N + K · alpha",
        gives=_of_shares(
            lambda counts, alpha: (counts + alpha / len(counts)) / (counts.sum() + alpha)
        ),
    ),
    Mistake(
        "alpha-shared-out",
        "the shares are mixed with even ones, of which each level gets alpha / K: alpha is added "
        "to each COUNT, before they are divided",
        gives=_of_shares(
            lambda counts, alpha: (counts / counts.sum() + alpha / len(counts)) / (1 + alpha)
        ),
    ),
    Mistake(
        "counts-for-logits",
        "a softmax of the counts stands there (F.cross_entropy takes logits): shares are counts "
        "divided by their sum",
        gives=_of_shares(lambda counts, alpha: softmax(counts + alpha)),
    ),
    Mistake(
        "counts-for-logits",
        "a softmax of the counts stands there (F.cross_entropy takes logits): shares are counts "
        "divided by their sum",
        gives=_of_shares(lambda counts, alpha: softmax(counts.astype(np.float64))),
    ),
    Mistake(
        "levels-up-to-the-largest",
        "levels above the largest of the training set are missing in your table: there are "
        "`levels` of them, and each count is raised by alpha",
        options={"raised": "up to the largest", "total": "up to the largest"},
    ),
    *(
        Mistake(
            "seen-levels-only",
            "alpha is added to the levels that came and to no other: EVERY count is raised by it, "
            "0 too",
            options={"raised": "seen", "total": total},
        )
        for total in ("only seen", "all", "alpha forgotten")
    ),
    Mistake(
        "alpha-shared-out",
        "the shares are mixed with even ones, with the weights 1 − alpha and alpha: alpha is added "
        "to each COUNT, before they are divided",
        gives=_of_shares(
            lambda counts, alpha: (1 - alpha) * counts / counts.sum() + alpha / len(counts)
        ),
    ),
    Mistake(
        "counts-of-the-test-set",
        "the counts are divided by the number of x: N is the number of TRAINING levels",
        options={"total": "of x"},
    ),
    Mistake(
        "alpha-added-to-shares",
        "alpha is added to the shares: it belongs to the COUNTS, before they are divided",
        gives=_of_shares(
            lambda counts, alpha: (counts / counts.sum() + alpha) / (1 + len(counts) * alpha)
        ),
    ),
    Mistake(
        "counts-forgotten",
        "each level that came counts once, however often it came: count how often",
        gives=_of_shares(
            lambda counts, alpha: ((counts > 0) + alpha) / (counts.sum() + len(counts) * alpha)
        ),
    ),
    Mistake(
        "alpha-cut-to-a-whole-number",
        "the fraction of alpha is lost: counts of whole numbers cannot hold it",
        gives=lambda x, train, levels, alpha: rule_of_histogram(x, train, levels, int(alpha)),
    ),
    *(
        Mistake(
            "epsilon-in-log",
            "a share of 0 is held up before its logarithm is taken (a clamp, or something small "
            "is added): with alpha = 0 a level that never came costs inf",
            gives=lambda *case, small=small, how=how: (
                -np.log(how(np.exp(-rule_of_histogram(*case)), small))
            ),
        )
        for small in SMALL
        for how in (np.maximum, np.add)
    ),
)


@checks("histogram_nll", lesson=LESSON, points=2, see="Exercise 1: a table of levels")
def price_in_a_table(histogram_nll: Standin, draw: Draw) -> Iterator[Claim | Cause]:
    """Frequencies of the training set, smoothed, and what each x costs under them."""
    subject = Subject(
        ask=asking(histogram_nll, "the NLL"),
        rule=rule_of_histogram,
        mistakes=(
            _SIGN,
            _BITS,
            Mistake(
                "probability-for-nll",
                "these are probabilities: minus their logarithm is asked",
                after=lambda v, *_: np.exp(-v),
            ),
            *_WRONG_TABLES,
            *(
                Mistake(
                    "smoothing-not-normalized",
                    "with alpha added to every level the whole grows by alpha for EACH of them: "
                    "your probabilities do not sum to 1",
                    options={"total": total},
                )
                for total in (
                    "alpha forgotten",
                    "alpha once",
                    "only seen",
                    "levels only",
                    "up to the largest",
                    "one level short",
                )
            ),
            *(
                Mistake(
                    "empty-levels-only",
                    "alpha is added to the levels that never came and to no other: EVERY count is "
                    "raised by it",
                    options={"raised": "empty", "total": total},
                )
                for total in ("all", "only empty", "alpha forgotten")
            ),
            Mistake(
                "smoothing-forgotten",
                "alpha is nowhere in your answer",
                gives=lambda x, train, levels, alpha, **w: rule_of_histogram(
                    x, train, levels, 0.0, **w
                ),
            ),
            Mistake(
                "alpha-ignored",
                "you add 1 to each count, whatever alpha is",
                gives=lambda x, train, levels, alpha, **w: rule_of_histogram(
                    x, train, levels, 1.0, **w
                ),
            ),
            Mistake(
                "counts-of-the-test-set",
                "the levels are counted in x itself: a model may count in the training set only",
                options={"counted": "x"},
            ),
            Mistake(
                "counts-of-the-test-set",
                "the levels are counted in x itself, and divided by the number of training levels: "
                "a model may count in the training set only",
                options={"counted": "x", "total": "of train"},
            ),
            Mistake(
                "counts-of-the-test-set",
                "x is counted along with the training set: a model may count in the latter only",
                options={"counted": "both"},
            ),
            Mistake(
                "average",
                "the same number for every x: one for each is asked",
                after=lambda v, *_: np.full_like(v, v.mean()),
            ),
            Mistake(
                "density-for-probability",
                "this is the density of a level of width 1/levels: the probability itself is asked",
                after=lambda v, x, train, levels, alpha: v - np.log(levels),
            ),
        ),
        show=lambda x, train, levels, alpha: (
            f"x = {shown(x)}, counts {shown(np.bincount(train, minlength=levels), 12)} of {levels} "
            f"levels, alpha = {alpha:g}"
        ),
        by_hand=lambda x, train, levels, alpha: (
            f"level {x[0]}: −log(({(train == x[0]).sum()} + {alpha:g}) / "
            f"({len(train)} + {levels}·{alpha:g})) = "
            f"{rule_of_histogram(x, train, levels, alpha)[0]:.4g}"
            if len(train) < 5
            else ""
        ),
        smaller=lambda x, train, levels, alpha: (
            [(np.array([i]), np.array([0, 0, 1]), 3, alpha) for i in (0, 1, 2)]
            if len(train) > 3
            else ()
        ),
        alike=near,
    )
    yield from examine(
        subject,
        draw,
        Property(
            "smoothed",
            "x costs −log of its share (count + alpha) / (N + levels · alpha)",
            histograms,
            points=1,
            asks="shares of all levels that sum to 1, also of those that never came",
        ),
        Property(
            "never",
            "without smoothing, shares are frequencies, and a level that never came costs inf",
            unsmoothed,
            points=1,
            asks="alpha = 0: −log(count / N), and −log 0 = inf",
            typical=False,
            needs="smoothed",
        ),
    )


# --- gaussian_nll ---------------------------------------------------------------------------------


def rule_of_gaussian(
    x: Array,
    mu: Any,
    sigma: Any,
    of: str = VALUE,
    *,
    power: float = 1.0,
    spread: float = 1.0,
    square: float = 0.5,
    constant: float = CONSTANT,
    held: Callable[..., Any] | None = None,
    bent: bool = False,
) -> Array:
    """−log of the density of N(mu, sigma²) at x, in nats. Each option turns one thing wrong."""
    at, center, width = doubles(x, mu, held(sigma) if held else sigma)
    at.requires_grad_()
    z = (at - center) / width**power
    return ended(square * (z.abs() if bent else z**2) + spread * width.log() + constant, at, of)


def gaussian_plainly(x: Array, mu: Any, sigma: Any, of: str = VALUE) -> Array:
    """The same without options."""
    at, center, width = doubles(x, mu, sigma)
    at.requires_grad_()
    z = (at - center) / width
    return ended(0.5 * z**2 + torch.log(width) + 0.5 * math.log(2 * math.pi), at, of)


_VARIANCE = tuple(
    Mistake(name, advice, options=options)
    for name, advice, options in (
        (
            "sigma-for-variance",
            "sigma stands where sigma² belongs: the square of x − mu is divided by the VARIANCE",
            {"power": 0.5, "spread": 0.5},
        ),
        (
            "sigma-for-variance",
            "the square of x − mu is divided by sigma: the variance sigma² belongs there",
            {"power": 0.5},
        ),
        (
            "sigma-for-variance",
            "the logarithm's part is that of log sigma² where log sigma belongs, or of its half",
            {"spread": 2.0},
        ),
        (
            "sigma-for-variance",
            "½ log sigma stands there: it is ½ log sigma², so log sigma",
            {"spread": 0.5},
        ),
        (
            "variance-squared",
            "sigma is squared once too often in the exponent",
            {"power": 2.0},
        ),
        (
            "log-sigma-forgotten",
            "a wide Gaussian costs you no more than a narrow one: the density of a wide one is "
            "lower everywhere near its center",
            {"spread": 0.0},
        ),
        ("half-forgotten", "the square of z is not halved", {"square": 1.0}),
        (
            "constant-forgotten",
            "½ log 2π is missing: without it the density does not integrate to 1",
            {"constant": 0.0},
        ),
        (
            "constant-forgotten",
            "the constant is ½ log 2π, and not log 2π",
            {"constant": 2 * CONSTANT},
        ),
        (
            "constant-forgotten",
            "the constant is ½ log 2π, and not ½ log π",
            {"constant": 0.5 * np.log(np.pi)},
        ),
        (
            "constant-forgotten",
            "the constant's logarithm is of base 10: the natural one is asked, ½ ln 2π",
            {"constant": 0.5 * np.log10(2 * np.pi)},
        ),
        (
            "log-sigma-sign",
            "the logarithm of sigma has the wrong sign: a narrow Gaussian is HIGHER at its center",
            {"spread": -1.0},
        ),
    )
)
_DENSITY = Mistake(
    "density-for-nll",
    "these are densities: minus their logarithm is asked",
    after=lambda v, *_: np.exp(-v),
)


def gaussian_cases(draw: Draw, of: str = VALUE) -> list[tuple]:
    """One Gaussian for all x, one for each, and several for each.

    Narrow ones too, whose NLL is negative, and one that is next to a spike. No x lies farther than
    3 sigmas away: what far points cost is asked elsewhere.
    """
    b, spike = draw.integer(4, 7), np.asarray(10.0 ** -draw.integer(8, 20))
    one, each = 0.5 + 2 * np.asarray(draw.uniform()), 0.01 + 0.1 * draw.uniform(b)
    center, centers = draw.normal(), draw.normal(b, scale=0.05)
    return [
        (center + one * np.clip(draw.normal(b, scale=1.5), -3, 3), center, one, of),
        (centers + each * np.clip(draw.normal(b), -3, 3), centers, each, of),
        (2 * draw.uniform(b, 1) - 1, 2 * draw.uniform(3) - 1, 0.7 + draw.uniform(3), of),
        (spike * np.clip(draw.normal(b), -3, 3), np.asarray(0.0), spike, of),
    ]


def _with_variance(sigma: Any, more: float) -> Any:
    """The standard deviation when `more` is added to the variance."""
    return np.sqrt(np.square(sigma) + more)


_WRONG_BELLS = (
    Mistake(
        "bits-for-nats",
        "the logarithms are binary: nats are asked, natural logarithms",
        options={"spread": 1 / np.log(2), "constant": CONSTANT / np.log(2)},
    ),
    Mistake(
        "log-sigma-taken",
        "you take sigma for its logarithm: sigma is the standard deviation itself",
        options={"held": np.exp},
    ),
    Mistake(
        "log-sigma-taken",
        "you take sigma for the logarithm of the variance (as in a VAE): sigma is the standard "
        "deviation itself",
        options={"held": lambda sigma: np.exp(np.asarray(sigma) / 2)},
    ),
    Mistake(
        "negative-cut-off",
        "what is below 0 is cut off: a density may exceed 1, and then its NLL is negative",
        gives=lambda x, mu, sigma, of: np.where(
            rule_of_gaussian(x, mu, sigma) < 0, 0.0, rule_of_gaussian(x, mu, sigma, of)
        ),
    ),
    *(
        Mistake(
            "sigma-held-up",
            "a small sigma is taken for a larger one (clamped, or something is added): it may be "
            "as small as it likes (F.gaussian_nll_loss holds the variance at 1e-6)",
            options={"held": lambda sigma, least=least, how=how: how(sigma, least)},
        )
        for least in (0.1, 1e-2, 1e-3, 1e-4, *SMALL)
        for how in (np.maximum, np.add, _with_variance)
    ),
)
_OTHER_BELLS = (
    *(
        Mistake(
            "squared-error",
            "this is the squared distance alone, whatever sigma is: divide x − mu by sigma, and "
            "add log sigma and the constant",
            options={"power": 0.0, "spread": 0.0, "constant": 0.0, "square": square},
        )
        for square in (0.5, 1.0)
    ),
    Mistake(
        "square-forgotten",
        "½ |z| stands where ½ z² belongs: the square is lost",
        options={"bent": True},
    ),
    Mistake(
        "divergence-for-nll",
        "this is KL(N(mu, sigma²)‖N(0, 1)), a term of a VAE's loss: x is not in it, and minus the "
        "log-density of x is asked",
        gives=lambda x, mu, sigma, of: (
            0.5 * (np.square(mu) + np.square(sigma) - 1) - np.log(sigma) + 0 * x
        ) * (of == VALUE),
    ),
)  # fmt: skip


def raised(rule: Callable[..., Any]) -> tuple[Mistake, ...]:
    """Something small that is added to the density before its logarithm is taken."""

    def price(*case: Any, small: float) -> Any:
        density = np.exp(-rule(*case[:-1], VALUE))
        if case[-1] == VALUE:
            return -np.log(density + small)
        return rule(*case) * density / (density + small)

    return tuple(
        Mistake(
            "epsilon-in-log",
            "something small is added to the density before its logarithm is taken: far out it is "
            "all that is left, and the price a made-up one; write the logarithm itself",
            gives=functools.partial(price, small=small),
        )
        for small in (1e-3, 1e-4, *SMALL)
    )


def far_gaussians(draw: Draw, of: str = VALUE) -> list[tuple]:
    """Points hundreds of sigmas away."""
    sigma = np.asarray(0.5 + draw.uniform())
    x = np.array([-1.0, 1.0, 3.0]) * draw.integer(500, 900) * sigma
    return [(x, np.asarray(0.5), sigma, of)]


def _slopes(cases: Callable[..., list[tuple]], more: Callable[..., list[tuple]]) -> Any:
    return lambda draw: cases(draw, SLOPE) + more(draw, SLOPE)


def _gaussian_by_hand(x: Array, mu: Any, sigma: Any, of: str = VALUE) -> str:
    if x.size > 1 or of != VALUE:
        return ""
    z, s = float((x - mu)[0] / sigma), float(sigma)
    return (
        f"z = {z:.3g}, ½z² = {z * z / 2:.4g}, log σ = {np.log(s):.4g}, ½ log 2π = {CONSTANT:.4g}: "
        f"{rule_of_gaussian(x, mu, sigma)[0]:.4g} nats"
    )


@checks("gaussian_nll", lesson=LESSON, points=2, see="Exercise 2: a density")
def surprise_of_a_bell(gaussian_nll: Standin, draw: Draw) -> Iterator[Claim | Cause]:
    """Minus the logarithm of the height of a Gaussian."""
    subject = Subject(
        ask=asking(gaussian_nll, "the NLL", broadcasts=True),
        rule=lambda *case, **wrong: rule_of_gaussian(*case, **wrong),  # slips: of the plain one
        forms=(gaussian_plainly,),
        mistakes=(
            *(_SIGN, _BITS, _DENSITY, *_VARIANCE, *_WRONG_BELLS, *_OTHER_BELLS),
            *raised(rule_of_gaussian),
        ),
        symptoms=(_UNDERFLOW, _FLOOR),
        show=show_at("mu sigma"),
        by_hand=_gaussian_by_hand,
        smaller=lambda x, mu, sigma, of: (
            [
                (np.array([v]), np.asarray(0.0), np.asarray(s), of)
                for v, s in ((0.0, 1.0), (1.0, 1.0), (1.0, 2.0), (0.0, 0.1), (100.0, 1.0))
            ]
            if x.size > 1 or np.size(mu) > 1
            else ()
        ),
        alike=near,
    )
    yield from examine(
        subject,
        draw,
        Property(
            "nll",
            "x costs ½z² + log σ + ½ log 2π nats, where z = (x − μ)/σ",
            gaussian_cases,
            points=1,
            asks="minus the logarithm of a density, which is negative where the density exceeds 1",
        ),
        Property(
            "far",
            "far out it costs about ½z² nats, and has a finite slope that leads back",
            lambda draw: [*far_gaussians(draw), *_slopes(gaussian_cases, far_gaussians)(draw)],
            points=1,
            asks="½z² at any z, and the slope z/σ",
            typical=False,
            needs="nll",
        ),
    )


# --- mixture_nll ----------------------------------------------------------------------------------


def rule_of_mixture(
    x: Array,
    logits: Array,
    mu: Array,
    sigma: Array,
    of: str = VALUE,
    *,
    power: float = 1.0,
    spread: float = 1.0,
    square: float = 0.5,
    constant: float = CONSTANT,
    held: Callable[..., Any] | None = None,
    weights: str = "softmax",
    join: str = "sum",
) -> Array:
    """−log Σ_k w_k N(x; mu_k, sigma_k²) in nats. Each option turns one thing wrong."""
    at, scores, center, width = doubles(x, logits, mu, held(sigma) if held else sigma)
    at.requires_grad_()
    z = (at[:, None] - center) / width**power  # (B, K)
    parts = -(square * z**2 + spread * width.log() + constant)
    return ended(-joined(log_weights(scores, weights), parts, join), at, of)


def moments_of(logits: Any, mu: Any, sigma: Any) -> tuple[Array, Array]:
    """Mean and standard deviation of mixtures."""
    scores, center, width = doubles(logits, mu, sigma)
    w = scores.softmax(-1)
    mean = (w * center).sum(-1)
    return mean.numpy(), ((w * (width**2 + center**2)).sum(-1) - mean**2).sqrt().numpy()


def averages_of(logits: Any, mu: Any, sigma: Any) -> tuple[Array, Array]:
    """The averaged center and sigma of mixtures."""
    scores, center, width = doubles(logits, mu, sigma)
    w = scores.softmax(-1)
    return (w * center).sum(-1).numpy(), (w * width).sum(-1).numpy()


_ONE_BELL = tuple(
    Mistake(
        "one-bell-for-several",
        f"this is one Gaussian with {what}: the mixture adds the components' densities",
        gives=lambda x, z, m, s, of=VALUE, take=take: rule_of_gaussian(x, *take(z, m, s), of),
    )
    for take, what in (
        (moments_of, "the mean and the variance of the mixture"),
        (averages_of, "the averaged center and sigma"),
    )
)


_HELD = tuple(one for one in _WRONG_BELLS if "held" in one.options)


def mixture_cases(draw: Draw, of: str = VALUE) -> list[tuple]:
    """Components for all x, and components for each of them.

    Each x lies within 2 sigma of one of its components, where no density is tiny: what is added to
    densities, such as 1e-12, shows far out alone.
    """
    b, k = draw.integer(6, 8), draw.integer(3, 4)
    cases = []
    for shape in ((k,), (b, k)):
        logits, mu = draw.normal(*shape) + 2.0, 2 * draw.normal(*shape)
        sigma = 0.3 + draw.uniform(*shape)
        about = np.eye(k)[draw.rng.integers(0, k, size=b)]  # one component for each x
        x = (about * mu).sum(1) + (about * sigma).sum(1) * (4 * draw.uniform(b) - 2)
        cases.append((x, logits, mu, sigma, of))
    return cases


def spikes(draw: Draw, of: str = VALUE) -> list[tuple]:
    """Narrow components at 0 and one that is wide: points on the spikes, and beside them."""
    mu, sigma = np.append(draw.normal(), [0.0, 0.0]), np.append(1.0, 10.0 ** -draw.integer(5, 12))
    sigma = np.append(sigma, 0.1 * sigma[1])
    x = np.append(sigma * draw.rng.uniform(-1, 1, size=3), 0.5)
    return [(x, draw.normal(3), mu, sigma, of)]


def far_mixtures(draw: Draw, of: str = VALUE) -> list[tuple]:
    """Points tens and hundreds of sigmas from every component; one weight is tiny, two are not.

    Out there the widest component counts alone. It is never the heaviest, and its weight is not
    1/K: once it is the lighter of two, once the tiny one. At x = 60 densities underflow, and the
    price is so low that the logarithm of a weight is no rounding error.
    """
    cases = []
    for tiny in (False, True):
        k = draw.integer(3, 4)
        logits = np.append(np.arange(k - 1) * 3.0 + draw.uniform(k - 1), -draw.integer(50, 300))
        sigma = 0.3 + 0.5 * draw.uniform(k)
        sigma[-1 if tiny else 0] = 1.1 + 0.2 * draw.uniform()
        order = draw.permutation(k)
        x = np.append(np.array([-1.0, 1.0, 3.0]) * draw.integer(300, 900), 60.0)
        cases.append((x, logits[order], draw.normal(k), sigma[order], of))
    return cases


def _mixture_by_hand(x: Array, logits: Array, mu: Array, sigma: Array, of: str = VALUE) -> str:
    if x.size > 1 or of != VALUE or np.ndim(logits) > 1:
        return ""
    w = np.exp(logits - np.logaddexp.reduce(logits))
    heights = np.exp(-0.5 * ((x - mu) / sigma) ** 2 - CONSTANT) / sigma
    terms = " + ".join(f"{a:.3g}·{h:.3g}" for a, h in zip(w, heights, strict=True))
    return f"−log({terms}) = {rule_of_mixture(x, logits, mu, sigma)[0]:.4g} nats"


def _smaller_mixtures(x: Array, logits: Array, mu: Array, sigma: Array, of: str) -> Iterator[tuple]:
    if x.size > 1:
        for z in ([0.0, 0.0], [np.log(3.0), 0.0], [2.0, 1.0]):
            yield np.array([0.5]), np.array(z), np.array([0.0, 2.0]), np.array([1.0, 0.5]), of


@checks("mixture_nll", lesson=LESSON, points=3, see="Exercise 3: several bells")
def surprise_of_several_bells(mixture_nll: Standin, draw: Draw) -> Iterator[Claim | Cause]:
    """The logarithm of a sum of densities, which are too small to be written down."""
    subject = Subject(
        ask=asking(mixture_nll, "the NLL"),
        rule=rule_of_mixture,
        mistakes=(
            *(_SIGN, _BITS, _DENSITY, *_JOINS, *_WEIGHTS, *_VARIANCE, *_ONE_BELL, *_HELD),
            *raised(rule_of_mixture),
        ),
        symptoms=(_UNDERFLOW, _FLOOR),
        show=show_at("logits mu sigma"),
        by_hand=_mixture_by_hand,
        smaller=_smaller_mixtures,
        alike=near,
    )
    yield from examine(
        subject,
        draw,
        Property(
            "nll",
            "x costs −log Σ w_k N(x; μ_k, σ_k²), with one mixture for all x or one for each",
            mixture_cases,
            points=1,
            asks="densities averaged with the weights softmax(logits), and then the logarithm",
        ),
        Property(
            "far",
            "hundreds of σ away its price is finite, and exact; so it is on a spike",
            lambda draw: far_mixtures(draw) + spikes(draw),
            points=1,
            asks="log-sum-exp: no density is ever written down, and no sigma held up",
            typical=False,
            needs="nll",
        ),
        Property(
            "slope",
            "its slope in x is finite everywhere, and leads back to the components",
            _slopes(mixture_cases, far_mixtures),
            points=1,
            asks="each component's slope z_k/σ_k, weighted by how likely it made x",
            typical=False,
            needs="nll",
        ),
    )


# --- discretized_logistic_mixture -----------------------------------------------------------------


def log_chances(
    x: Array,
    mu: Any,
    scale: Any,
    levels: int,
    *,
    low: float = 0.5,
    high: float = 0.5,
    edges: str = "open",
    top: int | None = None,
    power: float = 1.0,
    law: str = "logistic",
    how: str = "exact",
    floor: float = 0.0,
    held: float = 0.0,
) -> torch.Tensor:
    """log of the mass of each component's bin about x: (B, K). Each option turns one thing wrong.

    `floor` is the least difference of distribution functions (how = "clamped") or what is added;
    `held` the least scale.
    """
    x, mu, scale = doubles(x, mu, np.maximum(scale, held))
    x, top = x[:, None], levels - 1 if top is None else top
    a, b = (x + high - mu) / scale**power, (x - low - mu) / scale**power
    z = (x - mu) / scale
    if law == "density":
        return F.logsigmoid(z) + F.logsigmoid(-z) - scale.log()
    below, above = F.logsigmoid(a), F.logsigmoid(-b)
    middle = below + above + torch.log(-torch.expm1(b - a))
    if law == "normal":
        below, above = (torch.special.log_ndtr(v) for v in (a, -b))
        middle = torch.log(torch.special.ndtr(a) - torch.special.ndtr(b))
    difference = torch.sigmoid(a) - torch.sigmoid(b)
    middle = {
        "exact": middle,
        "plain": difference.log(),
        "width upside down": below + above + torch.log(-torch.expm1(-scale)),
        "clamped": difference.clamp(min=floor).log(),
        "added": (difference + floor).log(),
        "height": torch.where(
            difference > 1e-5,
            difference.clamp(min=1e-12).log(),
            F.logsigmoid(z) + F.logsigmoid(-z) - scale.log() - floor,
        ),
    }[how]
    first, last = below, above
    if edges == "swapped":
        first, last = above, below
    if edges in ("short", "first short"):
        first = F.logsigmoid(b)
    if edges in ("short", "last short"):
        last = F.logsigmoid(-a)
    if edges not in ("none", "last only"):
        middle = torch.where(x == 0, first, middle)
    if edges not in ("none", "first only"):
        middle = torch.where(x == top, last, middle)
    return middle


def rule_of_discretized(
    x: Array,
    logits: Array,
    mu: Array,
    scale: Array,
    levels: int,
    *,
    weights: str = "softmax",
    join: str = "sum",
    **wrong: Any,
) -> Array:
    """log P(x) of a discretized mixture of logistics, in nats."""
    logs = log_weights(torch.as_tensor(logits, dtype=torch.float64), weights)
    return joined(logs, log_chances(x, mu, scale, levels, **wrong), join).numpy()


def discretized_plainly(x: Array, logits: Array, mu: Array, scale: Array, levels: int) -> Array:
    """The same without options."""
    at, scores, center, width = doubles(x[:, None], logits, mu, scale)
    a, b = (at + 0.5 - center) / width, (at - 0.5 - center) / width
    below, above = F.logsigmoid(a), F.logsigmoid(-b)
    middle = below + above + torch.log(-torch.expm1(-1 / width))
    chance = torch.where(at == 0, below, torch.where(at == levels - 1, above, middle))
    return torch.logsumexp(chance + scores.log_softmax(-1), -1).numpy()


def _levels_and_components(draw: Draw, levels: int, b: int, *shape: int) -> tuple:
    # No bin's mass is so small that a difference of sigmoids loses it: `sharp_and_wide` asks that.
    mu = levels * (0.3 + 0.4 * draw.uniform(*shape))
    return draw.normal(*shape) + 1.0, mu, levels * (0.1 + 0.1 * draw.uniform(*shape))


def middle_levels(draw: Draw) -> list[tuple]:
    """Levels between the ends, some of 16 and of 256."""
    cases = []
    for levels, k in ((draw.integer(9, 20), 3), (256, draw.integer(2, 5))):
        x = np.concatenate([1 + draw.permutation(levels - 2)[:5], [1, levels - 2]])
        cases.append((x, *_levels_and_components(draw, levels, 7, k), levels))
    return cases


def ends(draw: Draw) -> list[tuple]:
    """Both ends, and what lies beside them."""
    cases = []
    for levels in (draw.integer(9, 20), 256):
        logits, mu, scale = _levels_and_components(draw, levels, 4, 3)
        cases.append((np.array([0, levels - 1, 1, levels - 2]), logits, mu, 2 * scale, levels))
    return cases


def wide_in_single(draw: Draw) -> list[tuple]:
    """Scales near 1e4 in single precision, where 1 − e^(−1/s) by a subtraction has four digits."""
    mu = np.array([draw.integer(60, 180) + 0.25], dtype=np.float32)
    scales = (10 ** (3.7 + 0.3 * draw.uniform(6))).astype(np.float32)
    return [(np.array([60, 200]), np.zeros(1, np.float32), mu, s[None], 256) for s in scales]


def _digits_lost(seen: Sequence[Any]) -> bool:
    """Whether all that fails is in single precision, and right but for its last digits."""
    failed = [o for o in seen if o.fails]
    return all(
        np.asarray(o.args[3]).dtype == np.float32 and close(o.answer, o.right, 1e-3) for o in failed
    )


_DIGITS = Symptom(
    "cancellation",
    "your answers are right in double precision; in single precision, and for a large scale, they "
    "keep few digits: two numbers that are nearly equal are subtracted somewhere",
    _digits_lost,
)


def sharp_and_wide(draw: Draw) -> list[tuple]:
    """Scales of 1e-4 and of 1e4, with x at the center and far away."""
    mu = float(draw.integer(60, 180)) + 0.3
    x = np.array([round(mu), round(mu) + 1, 20, 230, 0, 255])
    sharp = np.array([1e-4, 0.02 + 0.1 * float(draw.uniform())])
    return [
        (x, np.array([0.3, -0.2]), np.array([mu, mu + draw.integer(2, 5)]), sharp, 256),
        (x, np.array([0.0]), np.array([mu]), sharp[:1], 256),
        (x, np.array([0.0]), np.array([mu]), np.array([10.0 ** draw.integer(3, 4)]), 256),
    ]


def components_of_each(draw: Draw) -> list[tuple]:
    """One mixture for each x, as a network gives them; the edges are asked elsewhere."""
    b, levels = draw.integer(5, 8), draw.integer(12, 40)
    x = draw.rng.integers(2, levels - 2, size=b)
    return [(x, *_levels_and_components(draw, levels, b, b, draw.integer(2, 4)), levels)]


def _discretized_by_hand(x: Array, logits: Array, mu: Array, scale: Array, levels: int) -> str:
    if x.size > 1 or np.ndim(logits) > 1 or len(logits) > 1:
        return ""
    a, b = (x[0] + 0.5 - mu[0]) / scale[0], (x[0] - 0.5 - mu[0]) / scale[0]
    low = "−∞" if x[0] == 0 else f"z = {b:.3g}"
    high = "+∞" if x[0] == levels - 1 else f"z = {a:.3g}"
    total = rule_of_discretized(x, logits, mu, scale, levels)[0]
    p = f"{np.exp(total):.4g}" if total > -500 else f"exp({total:.4g})"
    return f"from {low} to {high}: P = {p}, log P = {total:.4g}"


def _smaller_discretized(
    x: Array, logits: Array, mu: Array, scale: Array, levels: int
) -> Iterator[tuple]:
    if x.size > 1:
        for level in (2, 0, 4):
            yield np.array([level]), np.zeros(1), np.array([2.0]), np.array([1.0]), 5
        yield np.array([4]), np.zeros(1), np.array([2.0]), np.array([0.001]), 9


def _on_another_axis(x: Array, logits: Array, mu: Array, scale: Array, levels: int) -> Array:
    """log P where only x is moved to an axis from −1 to 1, as published for images there."""
    y, scores, center, width = doubles((2 * x / (levels - 1) - 1)[:, None], logits, mu, scale)
    a, b = (y + 1 / (levels - 1) - center) / width, (y - 1 / (levels - 1) - center) / width
    parts = (torch.sigmoid(a) - torch.sigmoid(b)).clamp(min=1e-12).log()
    parts = torch.where(y < -0.999, F.logsigmoid(a), parts)
    parts = torch.where(y > 0.999, F.logsigmoid(-b), parts)
    return joined(scores.log_softmax(-1), parts, "sum").numpy()


def _one_edge_for_all(
    first: int, x: Array, logits: Array, mu: Array, scale: Array, levels: int
) -> Array:
    """The mass of both ends as bins that are open for every x, where any x is such an end."""
    ends, edge = (0, levels - 1), None
    for at in (ends[first], ends[first - 1]):
        if edge is None and (x == at).any():
            edge = at
    if edge is None:
        return rule_of_discretized(x, logits, mu, scale, levels)
    at, scores, center, width = doubles(x[:, None], logits, mu, scale)
    parts = F.logsigmoid((at + 0.5 - center) / width if edge == 0 else (center - at + 0.5) / width)
    return joined(scores.log_softmax(-1), parts, "sum").numpy()


def _renormalized(x: Array, logits: Array, mu: Array, scale: Array, levels: int) -> Array:
    each = (np.array(np.broadcast_to(a, (len(x), np.shape(a)[-1]))) for a in (logits, mu, scale))
    return np.array(
        [
            (every := rule_of_discretized(np.arange(levels), *of, levels, edges="none"))[at]
            - np.logaddexp.reduce(every)
            for at, *of in zip(x, *each, strict=True)
        ]
    )


_BINS = (
    Mistake(
        "no-edge-bins",
        "the first and the last level get a bin of width 1 like all others: what lies beyond them "
        "belongs to no level then, and the probabilities sum to less than 1",
        options={"edges": "none"},
    ),
    Mistake(
        "no-edge-bins",
        "the first level's bin is open; that of the last one, level `levels` − 1, is not",
        options={"edges": "first only"},
    ),
    Mistake(
        "no-edge-bins",
        "the last level's bin is open, the first one's is not",
        options={"edges": "last only"},
    ),
    Mistake("edges-swapped", "the open ends have changed places", options={"edges": "swapped"}),
    Mistake(
        "width-upside-down",
        "1 − e^(−scale) stands there: a − b is the width of a bin in scales, 1/scale",
        options={"how": "width upside down"},
    ),
    *(
        Mistake(
            "edge-level-left-out",
            f"{which}: an end level has the mass of its own bin too, besides what lies beyond",
            options={"edges": edges},
        )
        for edges, which in (
            ("short", "both open bins stop before their level begins"),
            ("first short", "the first level's open bin stops at −½, before the level begins"),
            ("last short", "the last level's open bin begins where that level ends"),
        )
    ),
    Mistake(
        "levels-ignored",
        "the last level is 255 in your answer, whatever `levels` says",
        options={"top": 255},
    ),
    Mistake(
        "density-for-probability",
        "this is the logarithm of a DENSITY at x: a level has the mass of its bin, a difference of "
        "two values of the distribution function",
        options={"law": "density"},
    ),
    Mistake(
        "gaussian-for-logistic",
        "this is the distribution function of a Gaussian: the logistic's is the sigmoid",
        options={"law": "normal"},
    ),
    *(
        Mistake(
            "bin-not-centered",
            "the bin of level x reaches from x − ½ to x + ½: yours lies elsewhere, or is wider",
            options={"low": low, "high": high},
        )
        for low, high in ((0.0, 1.0), (1.0, 0.0), (1.0, 1.0), (0.25, 0.25))
    ),
    Mistake(
        "width-of-another-axis",
        "the half-width 1/255 belongs to an axis that runs from −1 to 1: here levels are 1 apart",
        options={"low": 1 / 255, "high": 1 / 255},
    ),
    Mistake(
        "scale-squared", "scale stands squared where it belongs as it is", options={"power": 2.0}
    ),
    Mistake(
        "scale-squared",
        "the root of scale stands where it belongs as it is",
        options={"power": 0.5},
    ),
    Mistake("scale-forgotten", "scale is nowhere in your answer", options={"power": 0.0}),
    Mistake(
        "scale-inverse",
        "you multiply by scale: a large scale is a WIDE component",
        options={"power": -1.0},
    ),
    Mistake(
        "log-scale",
        "you take scale for a logarithm: it is the scale itself",
        gives=lambda x, logits, mu, scale, levels, **w: rule_of_discretized(
            x, logits, mu, np.exp(scale), levels, **w
        ),
    ),
    Mistake(
        "underflow",
        "two sigmoids that are equal to the last digit are subtracted, and log 0 is −inf: write "
        "the difference as a product first, and its logarithm as a sum",
        options={"how": "plain"},
    ),
    *(
        Mistake(
            "scale-held-up",
            f"a scale below {least:.2g} is taken for {least:.2g}, as where log scale is clamped: "
            "it may be as small as it likes",
            options={"held": least},
        )
        for least in (*(math.exp(-k) for k in range(3, 10)), 0.1, 0.01, 1e-3, 0.05)
    ),
    *(
        Mistake(
            "height-for-mass",
            "where the bin's mass is tiny, the height of the density at its middle stands for it "
            "(as in PixelCNN++): in a narrow component's tail these differ by far",
            options={"how": "height", "floor": floor},
        )
        for floor in (0.0, math.log(127.5))
    ),
    Mistake(
        "width-of-another-axis",
        "x is moved to an axis from −1 to 1, and mu and scale are not: all of them are in levels",
        gives=lambda *case: _on_another_axis(*case),
    ),
    *(
        Mistake(
            "edges-for-all",
            "one level 0 (or one last level) among the x makes ALL of them that edge: choose for "
            "each x by itself",
            gives=lambda *case, first=first: _one_edge_for_all(first, *case),
        )
        for first in (0, -1)
    ),
    Mistake(
        "renormalized",
        "your probabilities are divided by their sum over the levels: what lies beyond an end "
        "belongs to that end level, and to no other",
        gives=lambda *case: _renormalized(*case),
    ),
    *(
        Mistake(
            "epsilon-in-log",
            f"{floor:.0e} is added inside the logarithm, or clamps it: far levels then cost a "
            "made-up price, and pull no gradient",
            options={"how": how, "floor": floor},
        )
        for how in ("clamped", "added")
        for floor in FLOORS
    ),
)


@checks(
    "discretized_logistic_mixture",
    lesson=LESSON,
    points=4,
    see="Exercise 4: a density that knows its bins",
)
def mass_of_a_bin(discretized_logistic_mixture: Standin, draw: Draw) -> Iterator[Claim | Cause]:
    """A level's probability is the mass between its neighbors."""
    subject = Subject(
        ask=asking(discretized_logistic_mixture, "the log-probability"),
        rule=rule_of_discretized,
        forms=(discretized_plainly,),
        mistakes=(
            _SIGN,
            _BITS,
            Mistake(
                "probability-for-log",
                "these are probabilities: their logarithm is asked",
                after=lambda v, *_: np.exp(v),
            ),
            *_BINS,
            *_JOINS,
            *_WEIGHTS,
        ),
        symptoms=(_UNDERFLOW, _DIGITS, _FLOOR),
        show=show_at("logits mu scale levels"),
        by_hand=_discretized_by_hand,
        smaller=_smaller_discretized,
        alike=near,
    )
    yield from examine(
        subject,
        draw,
        Property(
            "middle",
            "a level between the ends has the mass from x − ½ to x + ½ under the mixture",
            middle_levels,
            points=1,
            asks="log Σ w_k [σ((x + ½ − μ_k)/s_k) − σ((x − ½ − μ_k)/s_k)]",
        ),
        Property(
            "edges",
            "the first and the last level have all that lies beyond them too",
            ends,
            points=1,
            asks="open bins at both ends: over all levels the probabilities sum to 1",
            needs="middle",
        ),
        Property(
            "stable",
            "it is exact for scales from 1e-4 to 1e4, and for levels however far",
            sharp_and_wide,
            points=0.5,
            asks="a finite logarithm, exact where the sigmoids agree to the last digit",
            needs="middle",
        ),
        Property(
            "single",
            "in single precision too, a wide component keeps its digits",
            wide_in_single,
            points=0.5,
            asks="log P to five digits at scales from 5,000 to 10,000",
            typical=False,
            needs="middle",
            alike=functools.partial(close, tolerance=3e-6),
        ),
        Property(
            "each",
            "each x may have its own mixture, with parameters (B, K)",
            components_of_each,
            points=1,
            asks="row b of the parameters belongs to x[b]",
            typical=False,
            needs="middle",
        ),
    )


# --- sample ---------------------------------------------------------------------------------------

LEVELS, DRAWS = 7, 20_000  # of the sampled mixtures: 9 shares with what lies outside, see BOUND
SEEN_APART = 0.07  # the least distance of a wrong law that DRAWS samples show beyond BOUND
ONE = "one level in all draws of a call, and others in other calls"
CALLS = 12  # more, to see whether each of them has a component of its own
ONE_NUMBER = "one level of each component in a call, and others in other calls"
ONE_COMPONENT = "one component in all draws of a call, and others in other calls"


def law_of_levels(
    logits: Array, mu: Array, scale: Array, levels: int, *, outside: str = "joined", **wrong: Any
) -> Array:
    """Shares of less than 0, of 0 … levels − 1, and of more, among samples."""
    every = np.arange(levels)
    p = np.exp(rule_of_discretized(every, logits, mu, scale, levels, **wrong))
    if outside == "joined":
        return np.concatenate([[0.0], p, [0.0]])
    closed = np.exp(rule_of_discretized(every, logits, mu, scale, levels, edges="none", **wrong))
    if outside == "one level more":
        return np.concatenate([[0.0], p[:-1], [closed[-1], p[-1] - closed[-1]]])
    if outside == "drawn again":
        return np.concatenate([[0.0], closed / closed.sum(), [0.0]])
    return np.concatenate([[p[0] - closed[0]], closed, [p[-1] - closed[-1]]])


def _at_centers(logits: Array, mu: Array, scale: Array, levels: int, **wrong: Any) -> Array:
    nothing = np.full_like(scale, 1e-12)  # so little that no center is near two levels
    return law_of_levels(logits, mu, nothing, levels, **wrong)


def _one_bell(logits: Array, mu: Array, scale: Array, levels: int, **wrong: Any) -> Array:
    w = np.exp(logits - np.logaddexp.reduce(logits))
    return law_of_levels(np.zeros(1), (w @ mu)[None], (w @ scale)[None], levels, **wrong)


def law_of_a_grid(logits: Array, mu: Array, scale: Array, levels: int) -> Array:
    """The same shares as they are drawn: of each component, 2,000 numbers u spread over 0 … 1."""
    u, shares = (np.arange(2000) + 0.5) / 2000, 0.0
    for k, weight in enumerate(softmax(logits)):
        x = np.clip(np.rint(mu[k] + scale[k] * logit(u)), 0, levels - 1)
        shares = shares + weight * np.array(
            [(x == level).mean() for level in range(-1, levels + 1)]
        )
    return shares


def _averaged_draws(logits: Array, mu: Array, scale: Array, levels: int) -> Array:
    """Of Σ_k w_k (mu_k + scale_k · a logistic number), all but the last of these on a grid."""
    w = softmax(logits)
    *others, last = w * scale
    grid = logit((np.arange(100) + 0.5) / 100)
    moved = functools.reduce(np.add.outer, [one * grid for one in others], w @ mu)
    edges = np.arange(levels - 1) + 0.5
    below = sigmoid((edges - moved[..., None]) / last).reshape(-1, levels - 1).mean(axis=0)
    return np.diff(below, prepend=[0, 0], append=[1, 1])


_SAMPLERS = (
    Mistake(
        "mean-for-sample",
        "you return the centers of the components: a sample lies about its center, by the scale",
        gives=_at_centers,
    ),
    Mistake(
        "mean-for-sample",
        "you return the mean of the mixture, where hardly any level of the data may lie",
        gives=lambda logits, mu, scale, levels: _one_bell(
            logits, mu, np.full_like(scale, 1e-12), levels
        ),
    ),
    Mistake(
        "one-bell-for-several",
        "what you draw lies about the averaged center: first choose a component, then draw from "
        "that one",
        gives=_one_bell,
    ),
    Mistake(
        "one-bell-for-several",
        "what you draw lies about the averaged center: first choose a component, then draw from "
        "that one",
        gives=_averaged_draws,
    ),
    Mistake(
        "weights-ignored",
        "every component is chosen as often as the others, whatever its logit",
        options={"weights": "equal"},
    ),
    Mistake(
        "most-likely-component",
        "always the component of the greatest weight is chosen: choose each with its probability",
        options={"join": "likeliest"},
    ),
    Mistake(
        "floor-for-round",
        "the fraction is cut off: a level is the NEAREST whole number",
        options={"low": 0.0, "high": 1.0},
    ),
    Mistake(
        "ceiling-for-round",
        "the fraction is rounded up: a level is the NEAREST whole number",
        options={"low": 1.0, "high": 0.0},
    ),
    Mistake(
        "gaussian-for-logistic",
        "the noise is a Gaussian's: a logistic's is log u − log(1 − u), with heavier tails",
        options={"law": "normal"},
    ),
    Mistake("scale-forgotten", "the scale is nowhere in your samples", options={"power": 0.0}),
    Mistake("scale-squared", "the scale is squared in your samples", options={"power": 2.0}),
    Mistake(
        "levels-off-by-one",
        "a level above the last one comes: levels run from 0 to `levels` − 1",
        options={"outside": "one level more"},
    ),
    Mistake(
        "not-clamped",
        "levels below 0 or above the last one come: what lies beyond an end belongs to that end",
        options={"outside": "kept"},
    ),
    Mistake(
        "outside-drawn-again",
        "what falls beyond the ends is drawn again, or spread over the others: it belongs to the "
        "end level",
        options={"outside": "drawn again"},
    ),
)


def _wrapped(logits: Array, mu: Array, scale: Array, levels: int) -> Array:
    far = 40 * levels
    wide = law_of_levels(logits, mu + far, scale, 2 * far + levels)[1:-1]
    places = (np.arange(len(wide)) - far) % levels
    return np.concatenate([[0.0], np.bincount(places, wide, levels), [0.0]])


def _by_one_number(logits: Array, mu: Array, scale: Array, levels: int) -> Array:
    u = (np.arange(20_000) + 0.5) / 20_000
    k = np.minimum(np.searchsorted(softmax(logits).cumsum(), u), len(mu) - 1)
    x = np.clip(np.rint(mu[k] + scale[k] * logit(u)), 0, levels - 1).astype(np.int64)
    return _levels_of(x, levels)


def _of_one_scale(scale_of: Callable[[Array, Array], float]) -> Callable[..., Array]:
    def law(logits: Array, mu: Array, scale: Array, levels: int) -> Array:
        one = np.full_like(scale, scale_of(scale, softmax(logits)))
        return law_of_levels(logits, mu, one, levels)

    return law


def _of_noise(noise: Callable[[Array], Array]) -> Callable[..., Array]:
    """Shares of mu + scale · noise(u), with a component of its weight and u spread over 0 … 1."""

    def law(logits: Array, mu: Array, scale: Array, levels: int) -> Array:
        u = (np.arange(20_000) + 0.5) / 20_000
        drawn = (
            np.clip(np.rint(m + s * noise(u)), 0, levels - 1).astype(np.int64)
            for m, s in zip(mu, scale, strict=True)
        )
        return sum(w * _levels_of(x, levels) for w, x in zip(softmax(logits), drawn, strict=True))

    return law


# Not so far from the right law in every mixture that all draws could tell them from it.
_NEAR_SAMPLERS = (
    *(
        Mistake(
            "std-for-scale",
            "the scale is taken for a standard deviation (a logistic's is π/√3 times its scale)",
            gives=lambda logits, mu, scale, levels, by=by: law_of_levels(
                logits, mu, by * scale, levels
            ),
        )
        for by in (math.sqrt(3) / math.pi, math.pi / math.sqrt(3))
    ),
    Mistake(
        "scale-squared",
        "the root of the scale is in your samples: it is no variance, and belongs there as it is",
        options={"power": 0.5},
    ),
    *(
        Mistake(
            "one-scale-for-all",
            "all components have one scale in your samples, an average: each has its own",
            gives=_of_one_scale(scale_of),
        )
        for scale_of in (lambda scale, w: scale.mean(), lambda scale, w: scale @ w)
    ),
    *(
        Mistake(
            "another-noise",
            f"the noise is {what}: a logistic's is log u − log(1 − u)",
            gives=_of_noise(noise),
        )
        for what, noise in (
            ("−log(−log u), a Gumbel number", lambda u: -np.log(-np.log(u))),
            ("−log u, an exponential number", lambda u: -np.log(u)),
            ("u itself, a uniform number", lambda u: u),
            ("a uniform number about 0", lambda u: u - 0.5),
            ("σ(u), and no inverse of σ", sigmoid),
        )
    ),
    *(
        Mistake(
            "tails-cut-off",
            f"u is kept {least} away from 0 and 1, which cuts the tails off: so much only that its "
            "logarithm stays finite",
            gives=_of_noise(lambda u, least=least: logit(u * (1 - 2 * least) + least)),
        )
        for least in (0.1, 0.05)
    ),
    Mistake(
        "sigmoid-for-softmax",
        "the sigmoid of each logit stands where its weight belongs: the weights are the softmax of "
        "all of them",
        gives=lambda logits, *case: law_of_levels(np.log(sigmoid(logits)), *case),
    ),
    Mistake(
        "one-center-for-all",
        "each sample has the scale of its component, and lies about the averaged center: it lies "
        "about the center of its component",
        gives=lambda logits, mu, *case: law_of_levels(
            logits, np.full_like(mu, softmax(logits) @ mu), *case
        ),
    ),
    Mistake(
        "center-scaled",
        "the center is multiplied by the scale as well: it is mu + scale · noise",
        gives=lambda logits, mu, scale, levels: law_of_levels(logits, mu * scale, scale, levels),
    ),
    Mistake(
        "wrapped-around",
        "what lies beyond an end comes in again at the other one (%): it belongs to the end level",
        gives=_wrapped,
    ),
    Mistake(
        "one-number-for-both",
        "one uniform number chooses the component and is drawn from it: a component then gives a "
        "part of its numbers only; draw another one",
        gives=_by_one_number,
    ),
)


def sampled_mixtures(draw: Draw) -> list[tuple]:
    """Two mixtures of three components on which the usual wrong samplers can be told apart.

    Logits lie far above those whose sigmoids have the ratios of a softmax.
    """
    wrong, near = (
        [p for m in mistakes if (p := program_of(law_of_levels, [m])) is not None]
        for mistakes in (_SAMPLERS, _NEAR_SAMPLERS)
    )
    cases: list[tuple] = []
    while True:
        order = draw.permutation(3)
        logits = np.log(np.array([0.12, 0.3, 0.58]))[order] + 1.5 + float(draw.uniform())
        mu = np.array([0.3, 3.2, 5.4])[draw.permutation(3)] + 0.6 * (draw.uniform(3) - 0.5)
        case = (logits, mu, np.array([0.3, 0.55, 0.8])[draw.permutation(3)], LEVELS)
        law = law_of_levels(*case)
        if any(np.abs(np.asarray(p(*case)) - law).sum() < SEEN_APART for p in near):
            continue
        cases = [*cases[-1:], case]
        if len(cases) < 2:
            continue
        laws = [[np.asarray(p(*case))[None] for case in cases] for p in (law_of_levels, *wrong)]
        if min(apart([laws[0], other]) for other in laws[1:]) > 0.15:
            return cases


def as_often_and_none_else(shares: Any, law: Array) -> bool:
    """Whether the shares of samples are those of the law, and none is outside where it has none."""
    beyond = [0, -1]
    return as_often(shares, law) and not np.any(
        np.asarray(shares)[beyond][np.asarray(law)[beyond] == 0]
    )


def _levels_of(x: Array, levels: int) -> Array:
    return np.bincount(np.clip(x + 1, 0, levels + 1), minlength=levels + 2) / len(x)


def one_component_each(shares: Sequence[Array], mu: Array, scale: Array) -> bool:
    """Whether each of these shares is that of one component, and not always of the same."""
    laws = [law_of_levels(np.zeros(1), mu[[k]], scale[[k]], LEVELS) for k in range(len(mu))]
    found = [[k for k, law in enumerate(laws) if as_often(one, law)] for one in shares]
    return all(found) and len({ks[0] for ks in found}) > 1


@checks("sample", lesson=LESSON, points=3, see="Exercise 5: draw a level")
def levels_as_often_as_they_should(sample: Standin, draw: Draw) -> Iterator[Claim | Cause]:
    """A component, a number from it, and the nearest level."""

    def take(
        logits: Array, mu: Array, scale: Array, levels: int, count: int, generator: Any
    ) -> Array:
        given = (tensor(v) for v in (logits, mu, scale))
        answer = sample(*given, count, levels, generator)
        return expect_array(answer, (count,), "int", "the samples")

    def ask(logits: Array, mu: Array, scale: Array, levels: int) -> Any:
        x = take(logits, mu, scale, levels, DRAWS, draw.generator())
        if np.ptp(x) == 0:
            few = [take(logits, mu, scale, levels, 2, draw.generator())[0] for _ in range(12)]
            if any(one != x[0] for one in few):
                return ONE
        shares = _levels_of(x, levels)
        if not as_often(shares, law_of_levels(logits, mu, scale, levels)):
            calls = [take(logits, mu, scale, levels, DRAWS, draw.generator()) for _ in range(CALLS)]
            if one_component_each([shares, *(_levels_of(c, levels) for c in calls)], mu, scale):
                return ONE_COMPONENT
            few_levels = [tuple(np.unique(c)) for c in (x, *calls)]
            if max(map(len, few_levels)) <= len(mu) and len(set(few_levels)) > 1:
                return ONE_NUMBER
        return shares

    def told(answer: Any) -> str:
        if isinstance(answer, str):
            return answer
        names = ["below", *range(len(answer) - 2), "above"]
        return "shares " + ", ".join(
            f"{n} {s:.1%}" for n, s in zip(names, answer, strict=True) if s
        )

    cases = sampled_mixtures(draw)
    subject = Subject(
        ask=ask,
        rule=lambda *case, **wrong: law_of_levels(*case, **wrong),  # its slips: those of a grid
        forms=(law_of_a_grid,),
        mistakes=(*_SAMPLERS, *_NEAR_SAMPLERS),
        symptoms=(
            Symptom(
                "same-for-all",
                "all samples of a call are alike: each needs a component and a number of its own",
                lambda seen: any(o.answer is ONE for o in seen),
            ),
            Symptom(
                "one-component-for-all",
                "all samples of a call come from one component: each needs a choice of its own",
                lambda seen: any(o.answer is ONE_COMPONENT for o in seen),
            ),
            Symptom(
                "one-number-for-all",
                "all samples of a call that come from one component are alike, as with ONE uniform "
                "number for the whole call: each needs a number of its own",
                lambda seen: any(o.answer is ONE_NUMBER for o in seen),
            ),
        ),
        show=lambda *case: f"{DRAWS:,} samples, " + named("logits mu scale levels", *case),
        told=told,
        alike=as_often_and_none_else,
    )
    right = False
    for one in examine(
        subject,
        draw,
        Property(
            "often",
            "each level comes as often as the discretized mixture says, the ends included",
            lambda draw: sampled_mixtures(draw) if draw.name.endswith("once more") else cases,
            points=1.25,
            asks="the shares that discretized_logistic_mixture gives, within 5.5 % in sum",
        ),
    ):
        right |= isinstance(one, Claim) and one.holds
        yield one
    source = claim_of_the_generator(
        lambda g: take(*cases[0], count=300, generator=g),
        draw,
        1,
        waits_unless(right, "samples that come as often as they should"),
    )
    alone = (np.zeros(1), np.array([LEVELS / 2 - 0.4]), np.array([0.7]), LEVELS)  # one component
    two = (np.log([0.45, 0.55]), np.array([1.0, 5.0]), np.full(2, 1e-3), LEVELS)  # which it was
    laws = [np.asarray(law_of_levels(*case)[1:-1]) for case in (alone, two)]
    yield claim_of_independence(
        lambda: take(*cases[0], count=DRAWS, generator=draw.generator())[:, None],
        np.asarray(law_of_levels(*cases[0])[1:-1]),
        right,
        source,
        "sample",
        few=lambda n: np.stack(
            [take(*case, count=n, generator=draw.generator()) for case in (alone, two)], axis=1
        ),
        law_of_few=np.outer(*laws),
    )
    note_on_default(sample, lambda g: take(*cases[0], count=300, generator=g), right=source.holds)
    yield _claim_on_far_levels(take, draw, right)
    yield source


def _claim_on_far_levels(take: Callable[..., Array], draw: Draw, right: bool) -> Claim:
    """That a level far from the center comes, as seldom as it should."""
    text, points = "what is rare comes as well: levels far from the center", 0.25
    if not right:
        return waiting(text, "samples that come as often as they should", points=points, id="far")
    center, scale, far, count = draw.integer(28, 32), 1.0 + float(draw.uniform()), 7.5, 40_000
    numbers = (np.zeros(1), np.array([float(center)]), np.array([scale]))
    x = take(*numbers, 61, count, draw.generator())
    reach = math.ceil(far * scale)  # levels from here on, on either side
    chance = 2 / (1 + math.exp((reach - 0.5) / scale))
    seen = int((np.abs(x - center) >= reach).sum())
    least, most = binom.ppf(1e-11, count, chance), binom.isf(1e-11, count, chance)
    return claim(
        text,
        least <= seen <= most,
        id="far",
        points=points,
        saw=f"{seen} of {count:,} samples at {reach} levels or more from the center, of scale "
        f"{scale:.3g}",
        asks=f"about {count * chance:.0f}: a logistic's tails go on and on",
        advice=when(
            seen < least,
            "tails-cut-off",
            "the far levels are missing: a uniform number that is kept away from 0 and 1 has no "
            "tails, and a Gaussian's are too thin",
        ),
    )


# --- dequantize -----------------------------------------------------------------------------------

SHARED = "one value of noise for a whole row, or a whole column"
SHARED_BY_ALL = "one value of noise for all numbers of a call, and others in other calls"
CELLS = 24  # of the noise, from −1 to 2 levels: 8 of them in [0, 1)
FAR = 28  # so many cells of y on either side of 0, which grow wider outward


def shares_of_noise(y: Array, x: Array, levels: int) -> Array:
    """Shares of y · levels − x in cells of ⅛ from −1 to 2, and beyond; NaN counts there.

    After them the shares of y itself, in cells of ½ of arsinh 4y: programs that leave the interval
    by far, with all of their noise beyond its cells, are told apart by these.
    """
    noise = np.nan_to_num(y * levels - x, nan=9.0, posinf=9.0, neginf=-9.0)
    noise = np.where(np.abs(noise) < 1e-3, np.abs(noise), noise)  # rounded in single precision
    noise = np.where(np.abs(noise - 1) < 1e-3, np.minimum(noise, 1 - 1e-3), noise)
    cells = np.clip(np.floor((noise + 1) * 8 + 1e-3), -1, CELLS).astype(int) + 1
    values = np.arcsinh(4 * np.nan_to_num(y, nan=1e9, posinf=1e9, neginf=-1e9))
    far = np.clip(np.floor(2 * values + 1e-6), -FAR, FAR - 1).astype(int) + FAR
    counts = [
        np.bincount(cells.reshape(-1), minlength=CELLS + 2),
        np.bincount(far.reshape(-1), minlength=2 * FAR),
    ]
    return np.concatenate(counts) / noise.size


@functools.cache
def evenly(count: int, noise: str) -> Array:
    """The quantiles of the noise in an order that has nothing to do with x."""
    u = np.random.default_rng(0).permutation((np.arange(count) + 0.5) / count)
    if noise == "whole":
        return np.floor(2 * u)
    if noise == "mean of two":
        return np.where(u < 0.5, np.sqrt(u / 2), 1 - np.sqrt((1 - u) / 2))
    return u if noise == "uniform" else torch.special.ndtri(torch.as_tensor(u)).numpy()


def rule_of_noise(
    x: Array,
    levels: int,
    *,
    width: float = 1.0,
    shift: float = 0.0,
    by: int = 0,
    noise: str = "uniform",
    divided: str = "all",
    moved: float = 0.0,
) -> Array:
    """Shares of the noise of (x + u) / levels. Each option turns one thing of it wrong."""
    u = width * evenly(x.size, noise).reshape(x.shape) + shift
    y = {"all": (x + u) / (levels + by), "x": x / (levels + by) + u, "u": x + u / levels, "": x + u}
    y |= {"times": (x + u) * levels, "256": (x + u) / 256, "about 0": 2 * (x + u) / levels - 1}
    y |= {"cut off": np.clip(y["all"], 0.0, 1.0)}
    y |= {"x by one less": x / (levels - 1) + u / levels}
    y |= {"logit": logit(np.clip(y["all"], 1e-9, 1 - 1e-9)), "as in RealNVP": logit(
        0.05 + 0.9 * np.clip(y["all"], 0, 1))}  # fmt: skip
    return shares_of_noise(y[divided] + moved, x, levels)


_NOISES = (
    Mistake(
        "noise-forgotten",
        "nothing random is added: each level stays one point, and a density there has no bound",
        options={"width": 0.0},
    ),
    Mistake(
        "noise-forgotten",
        "each level is moved to the middle of its bin and nothing random is added",
        options={"width": 0.0, "shift": 0.5},
    ),
    Mistake(
        "noise-of-another-width",
        "the noise fills half of a bin: it must fill all of it, from one level to the next",
        options={"width": 0.5},
    ),
    Mistake(
        "noise-of-another-width",
        "the noise fills nine tenths of a bin: it must fill all of it, from one level to the next",
        options={"width": 0.9},
    ),
    Mistake(
        "noise-of-another-width",
        "the noise is twice as wide as a bin: levels overlap, and cannot be told apart again",
        options={"width": 2.0},
    ),
    Mistake(
        "noise-of-another-width",
        "the noise is two bins wide, about the level: levels overlap",
        options={"width": 2.0, "shift": -1.0},
    ),
    Mistake(
        "noise-centered",
        "the noise reaches from −½ to ½: rounded down, half of the values are the level below, and "
        "level 0 leaves the interval",
        options={"shift": -0.5},
    ),
    Mistake(
        "noise-centered",
        "the noise reaches from −½ to ½, and what leaves the interval is cut off: rounded down, "
        "half of the values are the level below",
        options={"shift": -0.5, "divided": "cut off"},
    ),
    Mistake(
        "noise-subtracted",
        "the noise is subtracted: rounded down, the values are the level below",
        options={"width": -1.0},
    ),
    Mistake(
        "levels-off-by-one",
        "you divide by levels − 1: there are `levels` bins in the interval, and the last one has a "
        "width too",
        options={"by": -1},
    ),
    Mistake(
        "gaussian-noise",
        "the noise is a Gaussian's: it must be uniform, so that it fills a bin and no more",
        options={"noise": "normal"},
    ),
    Mistake(
        "noise-after-the-division",
        "the noise is added after the division: one bin is 1/levels wide there, and not 1",
        options={"divided": "x"},
    ),
    Mistake(
        "not-divided",
        "the levels are divided by nothing: the values must lie between 0 and 1",
        options={"divided": "u"},
    ),
    Mistake("not-divided", "the values are not divided by levels", options={"divided": ""}),
    Mistake(
        "not-divided",
        "the values are multiplied by levels: dividing brings them between 0 and 1",
        options={"divided": "times"},
    ),
    Mistake(
        "levels-ignored",
        "you divide by 256, whatever `levels` says",
        options={"divided": "256"},
    ),
    Mistake(
        "another-axis",
        "the axis runs from −1 to 1 in your answer: here it runs from 0 to 1",
        options={"divided": "about 0"},
    ),
    Mistake(
        "levels-off-by-one",
        "x is divided by levels − 1, and the noise by levels: both by `levels`, so that the last "
        "bin ends at 1",
        options={"divided": "x by one less"},
    ),
    Mistake(
        "another-axis",
        "½ is subtracted after the division (as in Glow): the axis runs from 0 to 1 here",
        options={"moved": -0.5},
    ),
    *(
        Mistake(
            "logit-taken",
            "a logit is taken of the values, which belongs to a flow that comes after: levels "
            "spread over [0, 1) are asked",
            options={"divided": how},
        )
        for how in ("logit", "as in RealNVP")
    ),
    Mistake(
        "whole-noise",
        "the noise has two values and nothing between: it must be any number from 0 to 1",
        options={"noise": "whole"},
    ),
    Mistake(
        "noise-not-even",
        "the noise lies more often in the middle of a bin than at its ends, as a mean of two "
        "numbers does: one even number for each is asked",
        options={"noise": "mean of two"},
    ),
)


def grids_of_levels(draw: Draw) -> list[tuple]:
    """Levels 0 … levels − 1 in a table, and in one the last of them does not come."""
    few = draw.integer(4, 9)
    return [
        (draw.rng.integers(0, top, size=(draw.integer(190, 210), 160)), levels)
        for levels, top in ((few, few), (256, 256), (10, 8))
    ]


def _spread_noise(take: Callable[..., Array], draw: Draw) -> str:
    """What shows that the noise of a call is spread evenly over the bin; "" if nothing does."""

    def halves(count: int) -> Array:
        x = np.zeros((count, 1), dtype=np.int64)
        return (take(x, 4, draw.generator()) * 4 >= 0.5).astype(int)

    return too_even(halves, [np.array([0.5, 0.5])]).replace("letter 1", "noise above ½")


@checks("dequantize", lesson=LESSON, points=2, see="Exercise 6: fill the bins")
def levels_fill_their_bins(dequantize: Standin, draw: Draw) -> Iterator[Claim | Cause]:
    """Each level becomes a number anywhere in its bin."""

    def take(x: Array, levels: int, generator: Any) -> Array:
        answer = dequantize(tensor(x), levels, generator)
        return expect_array(answer, x.shape, "float", "the dequantized levels")

    def ask(x: Array, levels: int) -> Any:
        y = take(x, levels, draw.generator())
        noise = y * levels - x
        if np.ptp(noise) > 0.1 and any(np.ptp(noise, axis=a).max() < 1e-3 for a in (0, 1)):
            return SHARED
        if np.ptp(noise) < 1e-3:
            few = [take(x[:1, :1], levels, draw.generator()) * levels - x[:1, :1] for _ in range(4)]
            if np.ptp(few) > 1e-3:
                return SHARED_BY_ALL
        return shares_of_noise(y, x, levels)

    def told(answer: Any) -> str:
        if isinstance(answer, str):
            return answer
        inside = answer[9:17].sum()
        half = answer[9:13].sum()
        return f"y · levels − x in {inside:.1%} between 0 and 1, in {half:.1%} between 0 and ½"

    subject = Subject(
        ask=ask,
        rule=lambda *case, **wrong: rule_of_noise(*case, **wrong),  # no slips: too many numbers
        mistakes=_NOISES,
        show=lambda x, levels: f"{x.shape} whole numbers of {levels} levels",
        symptoms=(
            Symptom(
                "noise-shared",
                "numbers of one call share their noise: draw it in the shape of x",
                lambda seen: any(isinstance(o.answer, str) for o in seen),
            ),
        ),
        told=told,
        alike=lambda a, b: as_often(a, b) and a[b == 0].sum() < 2e-3,
    )
    right = False
    for one in examine(
        subject,
        draw,
        Property(
            "uniform",
            "y · levels − x is uniform between 0 and 1, along each row and column too",
            grids_of_levels,
            points=1,
            asks="every part of a bin is as likely as the others, and nothing lies outside",
        ),
    ):
        right |= isinstance(one, Claim) and one.holds
        yield one
    x, levels = grids_of_levels(draw)[0]
    waits = waits_unless(right, "noise that fills the bins")
    own, spread, told_of = 0, "", ""
    if right:
        noise = (take(x, levels, draw.generator()) * levels - x).round(4)
        own = len(np.unique(noise))
        told_of = f"{own:,} different values of noise for {x.size:,} numbers, to four digits"
        spread = _spread_noise(take, draw) if own > 5_000 else ""
    yield claim(
        "each number has noise of its own",
        own > 5_000 and not spread,
        points=0.5,
        saw=spread or told_of,
        asks="30,000 independent draws: about 9,500 different values of four digits, and not just "
        "as many below ½ as above in every call",
        waits=waits,
        advice=[
            when(
                own <= 5_000,
                "noise-shared",
                "numbers of one call share their noise: draw it in the shape of x",
            ),
            when(
                spread,
                "noise-spread-evenly",
                "the noise of a call fills the bin more evenly than chance does: each number's "
                "must be drawn for itself, and know nothing of the others",
            ),
        ],
    )
    source = claim_of_the_generator(lambda g: take(x[:3, :5], levels, g), draw, 0.5, waits)
    note_on_default(dequantize, lambda g: take(x[:3, :5], levels, g), right=source.holds)
    yield source


# --- bits_per_dim ---------------------------------------------------------------------------------


def rule_of_bits(
    nll: Array,
    dims: int,
    levels: int,
    *,
    base: float = np.log(2),
    unit: float = 1.0,
    over: str = "dims",
    log: float = np.log(2),
) -> Array:
    """nll / (dims · ln 2) + log2 levels. Each option turns one thing of it wrong."""
    price = unit * np.log(levels) / log
    return {
        "dims": nll / (dims * base) + price,
        "nothing": nll / base + price,
        "all": (nll / base + price) / dims,
        "multiplied": nll * dims / base + price,
        "times": nll / base + dims * price,
        "levels times": nll / (dims * base) + dims * price,
    }[over]


_OTHER_RULERS = (
    Mistake(
        "negative-cut-off",
        "what is below 0 is cut off: a density has no upper bound, so its NLL has no lower one",
        after=lambda v, *_: v.clip(0),
    ),
    Mistake(
        "ln-2-twice",
        "log2 of the levels is in bits already, and divided by ln 2 once more",
        options={"log": np.log(2) ** 2},
    ),
    Mistake(
        "another-axis",
        "one bit is missing, as on an axis from −1 to 1, where a level is 2/levels wide: here it "
        "is 1/levels",
        after=lambda v, *_: v - 1,
    ),
    Mistake(
        "multiplied-by-dims",
        "the NLL is multiplied by the dimensions: it is that of all of them together, and is "
        "divided",
        options={"over": "multiplied"},
    ),
    Mistake(
        "levels-of-all-dims",
        "the levels of ALL dimensions are added to the NLL of one: each dimension has its own",
        options={"over": "levels times"},
    ),
    Mistake(
        "whole-bits",
        "log2 levels is rounded up to a whole number of bits: it is what it is",
        gives=lambda nll, dims, levels: nll / (dims * np.log(2)) + np.ceil(np.log2(levels)),
    ),
    Mistake(
        "log-of-nll",
        "a logarithm of the NLL is taken, which is made of logarithms already: divide it by ln 2",
        gives=lambda nll, dims, levels: np.log2(np.abs(nll)) / dims + np.log2(levels),
    ),
)


def bits_plainly(nll: Array, dims: int, levels: int) -> Array:
    """The same without options."""
    return nll / (dims * math.log(2)) + math.log2(levels)


def images_and_nats(draw: Draw) -> list[tuple]:
    """Some NLLs, negative ones too, of few dimensions and of many."""
    cases = [
        (draw.normal(4, scale=dims) - dims, dims, levels)
        for dims, levels in ((draw.integer(2, 9), draw.integer(5, 40)), (3072, 256))
    ]
    dims = draw.integer(3, 9)
    return [*cases, (-9.0 * dims - draw.uniform(2), dims, draw.integer(5, 40))]  # below 0 bits


@checks("bits_per_dim", lesson=LESSON, points=2, see="Exercise 7: one ruler")
def bits_whatever_the_axis(bits_per_dim: Standin, draw: Draw) -> Iterator[Claim | Cause]:
    """From nats of a density on [0, 1) to bits for each level."""
    subject = Subject(
        ask=asking(bits_per_dim, "the bits per dimension"),
        rule=lambda *case, **wrong: rule_of_bits(*case, **wrong),  # slips: of the plain one
        forms=(bits_plainly,),
        mistakes=(
            Mistake(
                "scale-forgotten",
                "the unit is missing: a density of 1 on the interval is 1/levels for a level",
                options={"unit": 0.0},
            ),
            Mistake(
                "scale-sign",
                "the levels make it cheaper in your answer: the finer the levels, the MORE bits a "
                "level needs",
                options={"unit": -1.0},
            ),
            Mistake(
                "dims-forgotten",
                "this is not per dimension: the NLL is that of all dimensions together",
                options={"over": "nothing"},
            ),
            Mistake(
                "dims-forgotten",
                "these are bits of all dimensions together: one dimension's are asked",
                options={"over": "times"},
            ),
            Mistake(
                "scale-divided-by-dims",
                "EVERY dimension has levels of its own: their logarithm is added once for each, so "
                "it is not divided",
                options={"over": "all"},
            ),
            Mistake("nats-for-bits", "the NLL is left in nats", options={"base": 1.0}),
            Mistake("nats-for-bits", "the levels' part is in nats", options={"log": 1.0}),
            Mistake(
                "nats-for-bits",
                "these are nats per dimension: a bit is ln 2 of them",
                options={"base": 1.0, "log": 1.0},
            ),
            Mistake(
                "times-for-divided",
                "a nat is MORE than a bit: divide by ln 2",
                options={"base": 1 / np.log(2)},
            ),
            Mistake(
                "levels-off-by-one",
                "levels − 1 stands there: there are `levels` bins in the interval",
                gives=lambda nll, dims, levels, **w: rule_of_bits(nll, dims, levels - 1, **w),
            ),
            Mistake(
                "sign",
                "the NLL's sign is turned",
                gives=lambda nll, *a, **w: rule_of_bits(-nll, *a, **w),
            ),
            *_OTHER_RULERS,
            Mistake(
                "eight-bits",
                "8 is the logarithm of 256 levels only",
                gives=lambda nll, dims, levels: nll / (dims * np.log(2)) + 8,
            ),
        ),
        show=lambda nll, dims, levels: f"nll = {shown(nll)}, {dims} dimensions, {levels} levels",
        by_hand=lambda nll, dims, levels: (
            f"{nll[0]:.3g} / ({dims} · 0.6931) + log2 {levels} = "
            f"{rule_of_bits(nll, dims, levels)[0]:.4g}"
            if nll.size == 1
            else ""
        ),
        smaller=lambda nll, dims, levels: (
            [(np.array([v]), 2, 8) for v in (0.0, -1.0)] if nll.size > 1 else ()
        ),
        alike=near,
    )
    yield from examine(
        subject,
        draw,
        Property(
            "bits",
            "nats of a density on [0, 1) become bits for each level of each dimension",
            images_and_nats,
            points=1,
            asks="nll / (dims · ln 2), and log2 levels on top for the width of a bin",
        ),
        Property(
            "uniform",
            "a uniform density costs log2 levels, whatever the number of dimensions",
            lambda draw: [
                (np.zeros(3), draw.integer(2, 9), draw.integer(5, 300)) for _ in range(2)
            ],
            points=1,
            asks="nll = 0: what an even choice among the levels costs",
            typical=False,
            needs="bits",
        ),
    )


# --- pit ------------------------------------------------------------------------------------------


def rule_of_pit(
    x: Array,
    logits: Array,
    mu: Array,
    sigma: Array,
    *,
    power: float = 1.0,
    law: str = "normal",
    turned: float = 1.0,
    weights: str = "softmax",
    join: str = "sum",
) -> Array:
    """Σ w_k Φ((x − mu_k)/sigma_k) at each x. Each option turns one thing wrong."""
    x, logits, mu, sigma = doubles(x, logits, mu, sigma)
    z = turned * (x[:, None] - mu) / sigma**power
    parts = {
        "normal": torch.special.ndtr(z),
        "none": z,
        "logistic": torch.sigmoid(z),
        "density": torch.exp(-0.5 * z**2 - CONSTANT) / sigma,
        "erf": torch.special.erf(z),
        "erf of z": 0.5 + 0.5 * torch.special.erf(z),
        "erf of z/√2": torch.special.erf(z / math.sqrt(2)),
        "nearly": torch.sigmoid(1.702 * z),
        "both tails": 2 * torch.special.ndtr(-z.abs()),
    }[law]
    logs = log_weights(logits, weights)
    if join == "sum":
        return (logs.exp() * parts).sum(-1).numpy()
    if join == "one bell":
        w = logs.exp()
        return torch.special.ndtr((x - (w * mu).sum(-1)) / (w * sigma).sum(-1)).numpy()
    if join == "one bell of moments":
        center, width = (torch.as_tensor(one) for one in moments_of(logits, mu, sigma))
        return torch.special.ndtr((x - center) / width).numpy()
    if join == "scores":
        return torch.special.ndtr((logs.exp() * z).sum(-1)).numpy()
    if join == "raw":
        return (logits * parts).sum(-1).numpy()
    if join == "raw shares":
        return (logits * parts).sum(-1).div(logits.sum(-1)).numpy()
    if join == "responsible":
        best = (logs - 0.5 * z**2 - torch.as_tensor(sigma).log()).argmax(-1, keepdim=True)
        return parts.gather(-1, best)[:, 0].numpy()
    return joined(logs, parts.log(), join).exp().numpy()


def pit_plainly(x: Any, logits: Any, mu: Any, sigma: Any) -> Array:
    """The same without options."""
    x, logits, mu, sigma = doubles(x, logits, mu, sigma)
    below = torch.special.ndtr((x[:, None] - mu) / sigma)
    return (logits.softmax(-1) * below).sum(-1).numpy()


_OTHER_TRANSFORMS = (
    Mistake(
        "z-for-probability",
        "the z of the components are averaged: Φ(z), the probability below x, is to be averaged",
        options={"law": "none"},
    ),
    Mistake(
        "erf",
        "erf runs from −1 to 1: the distribution function is ½ + ½ erf(z/√2)",
        options={"law": "erf of z/√2"},
    ),
    Mistake(
        "logistic-for-gaussian",
        "σ(1.702 z) is Φ(z) to a hundredth only: Φ itself is asked",
        options={"law": "nearly"},
    ),
    Mistake(
        "both-tails",
        "this is a two-sided p-value, small on either side: the probability BELOW x grows from 0 "
        "to 1",
        options={"law": "both tails"},
    ),
    Mistake(
        "both-tails",
        "this is 2 · min(F, 1 − F), a two-sided p-value: the probability BELOW x, F, grows from 0 "
        "to 1",
        after=lambda v, *_: 2 * np.minimum(v, 1 - v),
    ),
    *(
        Mistake(
            "z-for-probability",
            "F(x) is turned into a z by the inverse of Φ: the probability itself is asked",
            after=lambda v, *_, small=small: torch.special.ndtri(
                torch.as_tensor(v).clamp(small, 1 - small)
            ).numpy(),
        )
        for small in (0.0, 1e-6, 1e-7, 1e-12)
    ),
    Mistake(
        "logits-not-normalized",
        "the logits are divided by their sum: softmax makes weights of them",
        options={"join": "raw shares"},
    ),
    Mistake(
        "best-component-only",
        "only the component that most likely made x counts: average the distribution functions "
        "of all",
        options={"join": "responsible"},
    ),
    *(
        Mistake(
            "clamped",
            f"your values are kept {small:.0e} away from 0 and 1: far out they are as near to them "
            "as the model says",
            after=lambda v, *_, small=small: v.clip(small, 1 - small),
        )
        for small in (0.01, 1e-3, 1e-4)
    ),
)
_TWO_BELLS = tuple(
    (at, np.array([np.log(odds), 0.0]), np.array([0.0, 2.0]), np.array([1.0, 0.5]))
    for at, odds in ((1.5, 1.0), (1.5, 3.0), (0.0, 3.0))
)


def _pit_by_hand(x: Array, logits: Array, mu: Array, sigma: Array) -> str:
    if x.size > 1 or len(mu) > 2 or logits.ndim > 1:
        return ""
    weights = np.exp(logits) / np.exp(logits).sum()
    terms = " + ".join(
        f"{w:.3g}·Φ({(x[0] - m) / s:.3g})" for w, m, s in zip(weights, mu, sigma, strict=True)
    )
    return f"{terms} = {rule_of_pit(x, logits, mu, sigma)[0]:.4g}"


def tails(draw: Draw) -> list[tuple]:
    """Points so far out that nothing, or everything, lies below them."""
    k = draw.integer(2, 4)
    x = np.array([-1.0, 1.0, -3.0, 5.0]) * draw.integer(200, 900)
    return [(x, draw.normal(k) + 1, draw.normal(k), 0.3 + draw.uniform(k))]


@checks("pit", lesson=LESSON, points=2, see="Exercise 8: does it know how unsure it is?")
def share_below(pit: Standin, draw: Draw) -> Iterator[Claim | Cause]:
    """How much of its own probability the model puts below what came."""
    subject = Subject(
        ask=asking(pit, "the transform"),
        rule=lambda *case, **wrong: rule_of_pit(*case, **wrong),  # slips: of the plain one
        forms=(pit_plainly,),
        mistakes=(
            Mistake(
                "density-for-cdf",
                "this is the density at x: the probability of everything BELOW x is asked",
                options={"law": "density"},
            ),
            Mistake(
                "upper-tail",
                "this is the probability of what lies ABOVE x",
                options={"turned": -1.0},
            ),
            Mistake(
                "ranks-of-x",
                "these are the ranks of x among themselves, which are uniform under any model: "
                "nothing of the model is in them",
                gives=lambda x, *_: (np.argsort(np.argsort(x)) + 1) / len(x),
            ),
            Mistake(
                "ranks-of-x",
                "these are the ranks of x among themselves, which are uniform under any model: "
                "nothing of the model is in them",
                gives=lambda x, *_: (np.argsort(np.argsort(x)) + 0.5) / len(x),
            ),
            Mistake(
                "one-bell-for-several",
                "this is one Gaussian with the averaged center and sigma: average the components' "
                "distribution functions",
                options={"join": "one bell"},
            ),
            Mistake(
                "one-bell-for-several",
                "this is one Gaussian with the mean and the variance of the mixture: average the "
                "components' distribution functions",
                options={"join": "one bell of moments"},
            ),
            Mistake(
                "one-bell-for-several",
                "the z of the components are averaged, and Φ is taken once: average Φ(z), the "
                "components' distribution functions",
                options={"join": "scores"},
            ),
            Mistake(
                "logits-not-normalized",
                "the logits stand where weights belong: softmax makes weights of them",
                options={"join": "raw"},
            ),
            Mistake(
                "logistic-for-gaussian",
                "the sigmoid is the logistic's distribution function: these are Gaussians",
                options={"law": "logistic"},
            ),
            Mistake(
                "erf",
                "erf runs from −1 to 1, and takes z/√2: a distribution function runs from 0 to 1",
                options={"law": "erf"},
            ),
            Mistake("erf", "erf takes z/√2", options={"law": "erf of z"}),
            *_JOINS[2:],
            Mistake(
                "mixture-of-logs",
                "the LOGARITHMS of the components' distribution functions are averaged, which is a "
                "product of them: average the distribution functions themselves",
                options={"join": "logs"},
            ),
            *_WEIGHTS,
            *_VARIANCE[1:2],
            Mistake(
                "variance-squared",
                "x − mu is divided by sigma²: z = (x − mu)/sigma",
                options={"power": 2.0},
            ),
            *_OTHER_TRANSFORMS,
            Mistake("log-for-probability", "these are logarithms", after=lambda v, *_: np.log(v)),
        ),
        symptoms=(_UNDERFLOW,),
        show=show_at("logits mu sigma"),
        by_hand=_pit_by_hand,
        smaller=lambda x, logits, mu, sigma: (
            [
                *((np.array([v]), np.zeros(1), np.zeros(1), np.ones(1)) for v in (0.0, 1.0)),
                *((np.array([v]), z, m, s) for v, z, m, s in _TWO_BELLS),
            ]
            if x.size > 1
            else ()
        ),
        alike=near,
    )
    yield from examine(
        subject,
        draw,
        Property(
            "below",
            "each x becomes the probability that the mixture puts below it",
            lambda draw: [case[:-1] for case in mixture_cases(draw)],
            points=1,
            asks="Σ w_k Φ((x − μ_k)/σ_k), with one mixture for all x or one for each",
        ),
        Property(
            "tails",
            "it runs from 0 far below to 1 far above, without a NaN",
            tails,
            points=1,
            asks="a distribution function: 0 at −∞, 1 at +∞",
            typical=False,
            needs="below",
        ),
    )
