"""Checks of lesson 03, FVSBN: one logistic regression for each bit, on the bits before it.

Notation: logit_i = bias_i + Σ_{j<i} weight_ij x_j is the log-odds of x_i = 1 given x_<i (Frey,
Hinton and Dayan, 1996: the logistic autoregressive model); all logs are natural.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import torch

from autograder import claim, expect_array, when
from autograder.checking import checks
from autograder.checks.witness import looks_at, waits_unless
from autograder.claims import Claim
from autograder.draw import Draw
from autograder.inside.fvsbn import gradients_of, keeps_its_arguments
from autograder.remote.proxy import Standin

LESSON = "03_fvsbn"


# --- what the mathematics says --------------------------------------------------------------------


def votes(x: np.ndarray, weight: np.ndarray, bias: np.ndarray, diagonal: int = -1) -> np.ndarray:
    """The logits (B, n); other diagonals give the usual corruptions."""
    return x @ np.tril(weight, diagonal).T + bias


def softplus(a: np.ndarray) -> np.ndarray:
    """log(1 + e^a) without overflow."""
    return np.logaddexp(0.0, a)


def surprise(score: np.ndarray, x: np.ndarray) -> np.ndarray:
    """−log p of each bit in nats, (B, n), for logits and bits."""
    return softplus(score) - x * score


def all_bits(n: int) -> np.ndarray:
    """All 2^n bit vectors, float64 (2^n, n), the first bit changing slowest."""
    return np.array(list(itertools.product((0.0, 1.0), repeat=n))).reshape(2**n, n)


def single(array: Any) -> torch.Tensor:
    """The array as a tensor of its own, in single precision, as a notebook has its models."""
    return torch.tensor(np.asarray(array)).to(torch.float32)


def close(a: np.ndarray, b: np.ndarray, tolerance: float = 1e-4) -> bool:
    """Equal in shape, and in value up to `tolerance` (absolute, and relative to b)."""
    return a.shape == b.shape and np.allclose(a, b, rtol=tolerance, atol=tolerance)


def model_of(draw: Draw, n: int, scale: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    """A weight (n, n), full above the diagonal too, and a bias (n,)."""
    return draw.normal(n, n, scale=scale) + 0.1, draw.normal(n, scale=scale) + 0.3


def shown(values: np.ndarray) -> str:
    """A few numbers in words."""
    flat = np.asarray(values, dtype=float).reshape(-1)
    return "(" + ", ".join(f"{v:.4g}" for v in flat[:4]) + (", …)" if flat.size > 4 else ")")


# --- logits ---------------------------------------------------------------------------------------


def _gradients(
    function: Standin, x: np.ndarray, weight: np.ndarray, bias: np.ndarray
) -> tuple[np.ndarray | None, np.ndarray | None, bool]:
    found = gradients_of(function, single(x), single(weight), single(bias))
    found = found if isinstance(found, dict) else {}
    arrays = []
    for name, like in (("weight", weight), ("bias", bias)):
        grad = found.get(name)
        what = f"the gradient of {name}"
        arrays.append(None if grad is None else expect_array(grad, like.shape, "float", what))
    return arrays[0], arrays[1], found.get("kept") is True


@checks("logits", lesson=LESSON, points=3)
def votes_of_the_bits_before(logits: Standin, draw: Draw) -> Iterator[Claim]:
    """Every bit is voted on by the bits before it, and by no other."""
    see = "Exercise 1: all votes at once"

    def ask(x: np.ndarray, weight: np.ndarray, bias: np.ndarray) -> np.ndarray:
        answer = logits(single(x), single(weight), single(bias))
        return expect_array(answer, x.shape, "float", "the logits")

    wrong: dict[str, Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]] = {
        "includes-diagonal": lambda x, w, b: votes(x, w, b, 0),
        "not-masked": lambda x, w, b: x @ w.T + b,
        "not-masked-transposed": lambda x, w, b: x @ w + b,
        "upper-triangle": lambda x, w, b: x @ np.triu(w, 1).T + b,
        "transposed": lambda x, w, b: x @ np.tril(w, -1) + b,
        "transposed-upper": lambda x, w, b: x @ np.triu(w, 1) + b,
        "upper-triangle-diagonal": lambda x, w, b: x @ np.triu(w).T + b,
        "transposed-diagonal": lambda x, w, b: x @ np.tril(w) + b,
        "one-off-too-many": lambda x, w, b: votes(x, w, b, -2),
        "bias-forgotten": lambda x, w, b: votes(x, w, 0 * b),
        "sigmoid-applied": lambda x, w, b: 1 / (1 + np.exp(-votes(x, w, b))),
        "sign": lambda x, w, b: -votes(x, w, b),
    }
    text = {
        "includes-diagonal": "the diagonal is still there, so that each bit votes about itself: "
        "cut it off too (torch.tril(weight, -1))",
        "not-masked": "the whole weight votes, bits that come later too: keep what is below the "
        "diagonal only, whatever the caller passes above",
        "upper-triangle": "you kept the upper triangle: row i, column j is the vote of bit j about "
        "bit i, and j < i lies BELOW the diagonal",
        "transposed": "rows and columns have changed places: W_ij is the vote of j about i, so a "
        "batch of rows needs x @ W.T",
        "one-off-too-many": "bit i has lost the vote of its neighbor i−1: of row i, all entries "
        "left of the diagonal count",
        "bias-forgotten": "the bias is missing: bit 1 has nothing else",
        "sigmoid-applied": "these are probabilities: the logit is the vote BEFORE the sigmoid",
        "sign": "the sign is turned around: a positive vote makes a ONE likelier",
    }
    family = {
        "not-masked-transposed": "not-masked",
        "transposed-upper": "upper-triangle",
        "upper-triangle-diagonal": "upper-triangle",
        "transposed-diagonal": "transposed",
    }

    cases = []
    for n, count in (
        (draw.integer(4, 6), draw.integer(5, 8)),
        (3, 1),
        (1, 2),
        (draw.integer(9, 14), 3),
    ):
        weight, bias = model_of(draw, n)
        cases.append((draw.bits(count, n), weight, bias))
    cases[0][0][:, 0] = 1  # or, once in a while, nobody votes at all
    got = [ask(*case) for case in cases]
    bad = [
        i for i, (g, case) in enumerate(zip(got, cases, strict=True)) if not close(g, votes(*case))
    ]
    named = next(
        (
            name
            for name, function in wrong.items()
            if all(close(g, function(*case)) for g, case in zip(got, cases, strict=True))
        ),
        "",
    )
    named = family.get(named, named)
    advice = [when(name == named, name, said) for name, said in text.items()]
    first = bad[0] if bad else 0
    yield claim(
        "logit i is bias_i + Σ_{j<i} weight_ij x_j",
        not bad,
        points=1,
        saw=f"{shown(got[first][0])} for n = {cases[first][0].shape[1]}, where the votes add up to "
        "something else",
        asks="the weights below the diagonal, row by row, and the bias",
        advice=[*advice, "work out the three logits of the example by hand, and compare"],
        see=see,
    )

    # A change of one bit, with heavy weights everywhere: which logits move?
    n = draw.integer(5, 8)
    weight, bias = model_of(draw, n)
    weight = np.sign(weight) * draw.rng.uniform(3, 9, size=(n, n))
    base = draw.bits(1, n).repeat(n + 1, axis=0)
    base[np.arange(n), np.arange(n)] = 1 - base[0, np.arange(n)]
    base[n] = np.where(np.arange(n) == 0, 1 - base[0, 0], base[0])  # row 0 with its flip undone
    answer = ask(base, weight, bias)
    moved = np.abs(answer[:n] - answer[n]).T > 1e-2  # [i, j]: logit i moves with bit j
    leaks = [(i, j) for i, j in np.argwhere(moved) if j >= i]
    gaps = [(i, j) for i in range(n) for j in range(i) if not moved[i, j]]
    yield claim(
        "no logit sees its own bit or a later one, and each sees all bits before it",
        not leaks and not gaps,
        points=1,
        saw=f"logit {leaks[0][0] + 1} changes with x_{leaks[0][1] + 1} at n = {n}"
        if leaks
        else f"logit {gaps[0][0] + 1} never changes with x_{gaps[0][1] + 1} at n = {n}"
        if gaps
        else "",
        asks="logit i depends on x_1 … x_i−1, on all of them, and on nothing else",
        advice=[
            *advice,
            when(
                leaks and all(i == j for i, j in leaks),
                "includes-diagonal",
                text["includes-diagonal"],
            ),
            "cut the weight off above its diagonal and on it, before you multiply",
        ],
        see=see,
    )

    n = draw.integer(3, 5)
    x, (weight, bias) = draw.bits(6, n), model_of(draw, n)
    x[0], x[1] = 1, 0
    on_weight, on_bias, kept = _gradients(logits, x, weight, bias)
    score = votes(x, weight, bias)
    right = np.tril(score.T @ x, -1)
    arrives = on_weight is not None and on_bias is not None
    unmasked = arrives and (np.abs(np.triu(on_weight)) > 1e-6).any()
    good = arrives and kept and close(on_weight, right) and close(on_bias, score.sum(0))
    yield claim(
        "training reaches the weights below the diagonal and the bias, and nothing is overwritten",
        good,
        points=1,
        saw="arguments that are changed by the call"
        if not kept
        else "no gradient for the weight or the bias"
        if not arrives
        else "a gradient for weights on or above the diagonal"
        if unmasked
        else "a gradient that is not that of the sum of votes",
        asks="the gradient of a masked weight is 0, that of the others flows, and the caller's "
        "tensors stay as they are",
        advice=[
            *advice,
            when(
                not kept,
                "masked-in-place",
                "you change the caller's tensor: torch.tril returns a new one, tril_ and "
                "assignments to weight[...] write into the old one",
            ),
            when(
                not arrives,
                "gradient-cut",
                ".data, .detach(), .numpy() or no_grad cut training off: use weight itself",
            ),
            when(
                unmasked,
                "gradient-unmasked",
                "the masked entries are zero in value, but still trained: mask inside the "
                "computation, not beside it",
            ),
            "compute with the tensors that are given, by torch operations only",
        ],
        see=see,
    )


# --- nll ------------------------------------------------------------------------------------------


@checks("nll", lesson=LESSON, points=3)
def the_price_of_an_example(nll: Standin, draw: Draw) -> Iterator[Claim]:
    """The surprises of all bits add up to the negative log-likelihood."""
    see = "Exercise 2: the price of a picture"

    def ask(x: np.ndarray, weight: np.ndarray, bias: np.ndarray) -> np.ndarray:
        answer = nll(single(x), single(weight), single(bias))
        return expect_array(answer, None, "float", "nll")

    n, count = draw.integer(4, 7), draw.integer(9, 12)
    x, (weight, bias) = draw.bits(count, n), model_of(draw, n)
    got, each = ask(x, weight, bias), surprise(votes(x, weight, bias), x)
    right = each.sum(1)
    small_n = 1
    alone = ask(*(one := (np.array([[1.0], [0.0]]), np.ones((1, 1)), np.array([0.7]))))
    moderate = close(got, right) and close(alone, surprise(votes(*one), one[0]).sum(1))

    def other(score: np.ndarray) -> np.ndarray:
        return surprise(score, x).sum(1)

    yield claim(
        "nll is the sum of −log p(x_i | x_<i) over the n bits, one number for each example",
        moderate,
        points=1,
        saw=f"one number for {count} examples"
        if got.ndim == 0
        else f"an answer of shape {got.shape} for {count} examples of {n} bits"
        if got.shape != right.shape
        else f"{got[0]:.4g} nats for an example whose surprises are {shown(each[0])}"
        if not close(got, right)
        else f"{shown(alone)} at n = {small_n}",
        asks="softplus(logit) − x · logit, summed over the bits of each example",
        advice=[
            when(
                got.ndim == 0 and close(got, right.sum()),
                "summed-over-batch",
                "you sum over the batch as well: nll has shape (B,), sum over dimension 1 only",
            ),
            when(
                got.ndim == 0,
                "averaged-over-batch",
                "you average over everything: nll has shape (B,), one number for each example",
            ),
            when(
                got.shape == (n,) and n != count,
                "summed-over-batch",
                "you sum over the examples: dimension 0 is the batch, the bits are dimension 1",
            ),
            when(
                close(got, right / n),
                "averaged-over-bits",
                "you average over the n bits: −log p(x) is their SUM, or p is no probability",
            ),
            when(
                got.shape == (count, n),
                "not-summed",
                "one number for each bit: the chain rule adds them, over dimension 1",
            ),
            when(
                close(got, -right),
                "sign",
                "this is log p(x), which is negative: the nll is minus that",
            ),
            when(
                close(got, right / np.log(2)),
                "bits-for-nats",
                "these are bits: the course counts in nats, natural logarithms",
            ),
            when(
                close(got, np.exp(-right)),
                "log-forgotten",
                "this is p(x) itself: −log p(x) is asked",
            ),
            when(
                close(got, surprise(votes(x, weight, bias), 1 - x).sum(1)),
                "bits-inverted",
                "this is the nll of 1 − x, as with log|x − p|: a bit that is 1 has probability "
                "σ(logit), a bit that is 0 has 1 − σ(logit)",
            ),
            when(
                close(got, (x * softplus(-votes(x, weight, bias))).sum(1)),
                "zeros-forgotten",
                "only the ones are counted: a white pixel was a surprise too, −log(1 − σ(logit))",
            ),
            when(
                close(got, other(x @ weight.T + bias))
                or close(got, other(votes(x, weight, bias, 0))),
                "sees-itself",
                "the logits behind this nll see the bit that they predict: look at `logits` first",
            ),
            when(
                close(got, other(np.zeros_like(x) @ weight + bias)),
                "votes-forgotten",
                "only the biases are at work: call logits(x, weight, bias)",
            ),
            "work out the three surprises of the example by hand, and compare",
        ],
        see=see,
    )

    # Logits of ±100, ±300 and ±1000, and bits that go against them: float32, as in training.
    n = 6
    heights = np.array([100.0, -100.0, 300.0, -300.0, 1000.0, -1000.0])
    x = np.concatenate([all_bits(n)[[0, -1]], draw.bits(6, n)])
    flat = np.zeros((n, n))
    large, right_large = ask(x, flat, heights), surprise(heights + 0 * x, x).sum(1)
    exact = close(large, right_large)
    lost = large.shape == right_large.shape and not np.isfinite(large).all()
    shown_at = 0
    if large.shape == right_large.shape:
        with np.errstate(invalid="ignore"):
            difference = np.abs(np.nan_to_num(large, nan=1e9, posinf=1e9, neginf=1e9) - right_large)
        shown_at = int(np.argmax(difference))
    yield claim(
        "large logits cost what they cost: finite, and exact",
        exact,
        points=1,
        saw=f"{large[shown_at]:.4g} nats in place of {right_large[shown_at]:.4g}, at logits of "
        "±100, ±300 and ±1000"
        if large.shape == right_large.shape
        else f"an answer of shape {large.shape}",
        asks="a bit against a logit of 100 costs 100 nats, neither ∞ nor less",
        advice=[
            when(
                lost,
                "sigmoid-then-log",
                "first a sigmoid and then a logarithm loses large logits: σ(100) is exactly 1 in "
                "floats; stay with logits (F.binary_cross_entropy_with_logits, F.softplus)",
            ),
            when(
                moderate and not exact and (large <= right_large + 1e-3).all(),
                "surprise-clipped",
                "large surprises come out too small: an ε inside the log, a clamp, or "
                "F.binary_cross_entropy (which stops at 100) hides what a mistake costs",
            ),
            "the same formula, without ever taking the logarithm of a sigmoid",
        ],
        see=see,
    )

    n = 8
    weight, bias = model_of(draw, n, scale=2.0)
    each = ask(all_bits(n), weight, bias)
    total = float(np.exp(-each).sum()) if each.shape == (2**n,) else float("nan")
    uniform = np.isfinite(total) and np.ptp(each) < 1e-3  # which sums to 1 and says nothing
    yield claim(
        "the probabilities of all 256 vectors of 8 bits sum to 1",
        abs(total - 1) < 1e-4 and not uniform,
        points=0.5,
        saw="the same probability for every vector" if uniform else f"a sum of {total:.6g}",
        asks="Σ_x exp(−nll(x)) = 1 for any weights: then it is a distribution",
        advice=[
            when(
                uniform,
                "uniform",
                "all vectors are equally likely, which sums to 1 for free: where is the model?",
            ),
            when(
                abs(total - 1) > 1e-4 and not moderate,
                "no-distribution",
                "these numbers belong to no distribution: see the first claim",
            ),
            when(
                total > 1,
                "sees-itself",
                "more than one in all: some factor sees the bit that it predicts",
            ),
            "every factor must sum to 1 over its own bit",
        ],
        see=see,
    )

    n = draw.integer(3, 5)
    x, (weight, bias) = draw.bits(7, n), model_of(draw, n)
    x[0], x[1] = 1, 0
    on_weight, on_bias, kept = _gradients(nll, x, weight, bias)
    score = votes(x, weight, bias)
    pull = surprise(score, x).sum(1, keepdims=True) * (1 / (1 + np.exp(-score)) - x)
    arrives = on_weight is not None and on_bias is not None
    good = arrives and close(on_weight, np.tril(pull.T @ x, -1)) and close(on_bias, pull.sum(0))
    yield claim(
        "the gradient of nll trains all weights below the diagonal, and no other",
        good and kept,
        points=0.5,
        saw="no gradient at all"
        if not arrives
        else "arguments that are changed by the call"
        if not kept
        else "a gradient that is not the one of −log p(x)",
        asks="the gradient of a surprise is (σ(logit) − x) on the logit, and from there on the "
        "weights that vote",
        advice=[
            when(
                not arrives,
                "gradient-cut",
                ".data, .detach(), .item(), .numpy() or no_grad cut training off",
            ),
            when(
                arrives and (np.abs(np.triu(on_weight)) > 1e-6).any(),
                "gradient-unmasked",
                "weights on or above the diagonal are trained: look at `logits`",
            ),
            "if the value is right, something on its way is cut off from training",
        ],
        see=see,
    )


# --- samples --------------------------------------------------------------------------------------


def ancestral(weight: np.ndarray, bias: np.ndarray) -> np.ndarray:
    """p(x) of all 2^n vectors."""
    every = all_bits(len(bias))
    return np.exp(-surprise(votes(every, weight, bias), every).sum(1))


def independent(score: np.ndarray) -> np.ndarray:
    """p(x) of all vectors when bit i is a coin of its own, with logit score_i."""
    every = all_bits(len(score))
    return np.exp(-surprise(score + 0 * every, every).sum(1))


def mean_field(weight: np.ndarray, bias: np.ndarray) -> np.ndarray:
    """p(x) of all vectors when probabilities, not bits, are written into the prefix."""
    x = np.zeros((1, len(bias)))
    for i in range(len(bias)):
        x[:, i] = 1 / (1 + np.exp(-votes(x, weight, bias)[:, i]))
    return independent(np.log(x[0]) - np.log1p(-x[0]))


def redrawn(weight: np.ndarray, bias: np.ndarray) -> np.ndarray:
    """p(x) of all vectors when each of the n steps draws all bits anew, given the last picture."""
    every = all_bits(len(bias))
    score = votes(every, weight, bias)
    step = np.exp(-surprise(score[:, None], every[None]).sum(-1))  # from, to
    return np.linalg.matrix_power(step, len(bias))[0]


def one_uniform(weight: np.ndarray, bias: np.ndarray) -> np.ndarray:
    """p(x) of all vectors when one uniform number serves all steps of an example."""
    n, grid = len(bias), (np.arange(20_000) + 0.5) / 20_000
    x = np.zeros((len(grid), n))
    for i in range(n):
        x[:, i] = grid < 1 / (1 + np.exp(-votes(x, weight, bias)[:, i]))
    codes = (x @ (2 ** np.arange(n)[::-1])).astype(int)
    return np.bincount(codes, minlength=2**n) / len(grid)


def inverted(weight: np.ndarray, bias: np.ndarray) -> np.ndarray:
    """p(x) of all vectors when each bit is drawn with the probability of the other one."""
    every = all_bits(len(bias))
    return np.exp(-surprise(-votes(every, weight, bias), every).sum(1))


def model_that_tells_apart(
    draw: Draw, n: int, wrong: Callable[[np.ndarray, np.ndarray], dict[str, np.ndarray]]
) -> tuple[np.ndarray, np.ndarray, dict[str, np.ndarray]]:
    """A model under which all these answers are far from one another, and their distributions."""
    best, found = -1.0, None
    for _ in range(60):
        weight, bias = model_of(draw, n, scale=2.5)
        answers = wrong(weight, bias)
        gap = min(np.abs(p - q).sum() for p, q in itertools.combinations(answers.values(), 2))
        if gap > best:
            best, found = gap, (weight, bias, answers)
        if best > 0.25:
            break
    return found


def frequencies(x: np.ndarray) -> np.ndarray:
    """How often each of the 2^n vectors stands among the rows of x, as shares."""
    codes = (x @ (2 ** np.arange(x.shape[1])[::-1])).astype(np.int64)
    return np.bincount(codes, minlength=2 ** x.shape[1]) / len(x)


def deterministic(draw: Draw, n: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A model whose bit i copies bit i−1 or turns it around, and `turns` (n,) that says which.

    Logits are ±30 after the first bit: a bit goes astray with a probability below 1e-13. Above the
    diagonal stand heavy weights which must not matter.
    """
    turns = draw.rng.integers(0, 2, size=n)
    weight = np.triu(draw.normal(n, n, scale=200.0))
    bias = np.where(turns == 1, 30.0, -30.0)
    bias[0] = 0.0
    weight[np.arange(1, n), np.arange(n - 1)] = np.where(turns[1:] == 1, -60.0, 60.0)
    return weight, bias, turns


def follows(x: np.ndarray, turns: np.ndarray, begin: int = 1) -> np.ndarray:
    """Which rows of x obey the deterministic model from bit `begin` (counted from 0) on."""
    wanted = np.logical_xor(x[:, begin - 1 : -1] == 1, turns[begin:] == 1)
    return ((x[:, begin:] == 1) == wanted).all(1)


# An exact bound, no χ² approximation: ‖p̂ − p‖₁ ≥ ε has a probability of at most
# (2^K − 2) exp(−N ε² / 2) for K outcomes (Weissman et al., 2003). At K = 8, N = 20,000 and
# ε = 0.055 that is 1.9e-11, far below one false alarm in a million verdicts.
DRAWS, BOUND = 20_000, 0.055

_ADVICE_ON_SAMPLES = {
    "one-pass": "all bits come from one pass over an empty picture: each bit must hear the bits "
    "that were drawn before it",
    "probabilities-in-prefix": "the prefix holds probabilities: write the bit that was drawn into "
    "x before the next step",
    "prefix-overwritten": "every step draws all bits anew, so that a bit no longer fits what was "
    "drawn after it: write column i only, once",
    "noise-reused": "one uniform number serves all steps of an example: draw a new one each time",
    "bits-inverted": "ones and zeros have changed places: a bit is 1 with probability σ(logit)",
    "fair-coins": "these are fair coins: where is the model?",
    "logit-for-probability": "a logit is no probability: take its sigmoid before you draw",
}


def wrong_samples(weight: np.ndarray, bias: np.ndarray) -> dict[str, np.ndarray]:
    """The distributions of known misconceptions, and the right one."""
    n = len(bias)
    return {
        "right": ancestral(weight, bias),
        "one-pass": independent(bias),
        "probabilities-in-prefix": mean_field(weight, bias),
        "prefix-overwritten": redrawn(weight, bias),
        "noise-reused": one_uniform(weight, bias),
        "bits-inverted": inverted(weight, bias),
        "fair-coins": np.full(2**n, 2.0**-n),
    }


HEARD = "samples that change with the weights and biases"


@checks("sample", lesson=LESSON, points=4)
def bits_drawn_one_after_the_other(sample: Standin, draw: Draw) -> Iterator[Claim]:
    """Ancestral sampling: each bit from its conditional, given the bits just drawn."""
    see = "Exercise 3: from votes to pictures"

    def ask(weight: np.ndarray, bias: np.ndarray, count: int, generator: Any) -> np.ndarray:
        answer = sample(single(weight), single(bias), count, generator)
        x = expect_array(answer, (count, len(bias)), "any", "the samples")
        return x.astype(np.float64)

    weight, bias, answers = model_that_tells_apart(draw, 3, wrong_samples)
    right = answers.pop("right")
    x = ask(weight, bias, DRAWS, draw.generator())
    is_bits = bool(np.isin(x, (0, 1)).all())
    frequency = frequencies(x) if is_bits else np.zeros(8)
    off = np.abs(frequency - right).sum()
    worst = int(np.argmax(np.abs(frequency - right)))
    named = next((k for k, p in answers.items() if np.abs(frequency - p).sum() < BOUND), "")
    all_equal = is_bits and (frequency > 0).sum() == 1
    yield claim(
        "samples come as often as the model says",
        is_bits and off < BOUND,
        points=1.5,
        saw=f"values other than 0 and 1, such as {x[~np.isin(x, (0, 1))][0]:.3g}"
        if not is_bits
        else f"{all_bits(3)[worst].astype(int).tolist()} in {frequency[worst]:.1%} of {DRAWS:,} "
        f"samples, where the model gives it {right[worst]:.1%}",
        asks="bit i drawn with the probability σ(logit i), given the bits drawn before it",
        advice=[
            when(
                not is_bits,
                "probabilities-for-bits",
                "sample returns bits, not probabilities: draw each one",
            ),
            *(when(name == named, name, said) for name, said in _ADVICE_ON_SAMPLES.items()),
            when(
                all_equal,
                "rounded-for-drawn",
                "all samples are equal: draw a bit for each example, with its probability, and do "
                "not round it",
            ),
            "one bit at a time: compute its probability from what is drawn, draw it, write it down",
        ],
        see=see,
    )

    n = draw.integer(12, 18)
    weight, bias, turns = deterministic(draw, n)
    x = ask(weight, bias, 64, draw.generator())
    is_bits = bool(np.isin(x, (0, 1)).all())
    obey = follows(x, turns)
    both = 0 < x[:, 0].sum() < 64  # fails in one of 2^63 draws
    yield claim(
        "each bit hears exactly the bits that were drawn before it",
        is_bits and obey.all() and both,
        points=1,
        saw=f"{(~obey).sum()} of 64 examples in which a bit does not fit the one before it"
        if not obey.all()
        else "values other than 0 and 1"
        if not is_bits
        else f"a first bit that is {x[0, 0]:.0f} in all 64 examples, where it is a fair coin",
        asks=f"a model in which each of {n} bits copies its neighbor, or turns it around, makes "
        "such examples only",
        advice=[
            *(when(name == named, name, said) for name, said in _ADVICE_ON_SAMPLES.items()),
            when(
                is_bits and obey.all() and not both,
                "same-for-all",
                "all examples are alike: every one of them needs its own draw",
            ),
            "write the drawn bit into x before the next logit is computed, and leave it there",
        ],
        see=see,
    )

    weight, bias = model_of(draw, 1)
    one = ask(weight, bias, 5, draw.generator())
    weight, bias = model_of(draw, 5)
    heard = looks_at(lambda b, g: ask(weight, b, 40, g), bias, -bias - 1, draw.apart())
    unheard = waits_unless(heard, HEARD)
    few = ask(weight, bias, 1, draw.generator())
    raw = sample(single(weight), single(bias), 3, draw.generator())
    raw = expect_array(raw, (3, 5), "any", "the samples")
    floats = raw.dtype.kind == "f"
    yield claim(
        "the answer holds bits as floats, (count, n), for any count and n",
        floats and bool(np.isin(one, (0, 1)).all() and np.isin(few, (0, 1)).all()) and both,
        points=0.5,
        saw=f"an answer of kind {raw.dtype}"
        if not floats
        else "values other than 0 and 1"
        if both
        else "a first bit that never changes",
        asks="floats 0. and 1., so that samples can be given back to logits",
        waits=unheard,
        advice=[
            when(
                not floats,
                "bits-not-floats",
                "logits multiplies its bits: return floats, as the data have them",
            ),
            "zeros and ones, one row an example",
        ],
        see=see,
    )
    yield _claim_on_generator(
        lambda generator: ask(weight, bias, 40, generator), draw, 1, see, unheard
    )


def _claim_on_generator(
    ask: Callable[[Any], np.ndarray], draw: Draw, points: float, see: str, waits: str
) -> Claim:
    seed = draw.integer(1, 2**31)
    generators = [torch.Generator().manual_seed(seed + s) for s in (0, 0, 1)]
    start = generators[0].get_state()
    a, b, c = (ask(g) for g in generators)
    moved = not torch.equal(start, generators[0].get_state())
    same, other = bool((a == b).all()), bool((a != c).any())
    return claim(
        "all randomness comes from the given generator",
        moved and same and other,
        points=points,
        saw="a generator that nobody has used"
        if not moved
        else "different draws from equal generators"
        if not same
        else "equal draws from different generators",
        asks="equal generators give equal draws, others give others",
        waits=waits,
        advice=[
            when(
                not moved and not same,
                "generator-ignored",
                "hand the generator on: torch.bernoulli(p, generator=generator), or torch.rand",
            ),
            when(
                not moved,
                "not-random",
                "nothing is drawn here, or from a generator of your own: use the given one",
            ),
            when(
                not other,
                "reseeded",
                "the generator is set back inside: use it as it comes, or all calls draw the same",
            ),
            "use the given generator, and no other source of randomness",
        ],
        see=see,
    )


# --- complete -------------------------------------------------------------------------------------


def given_prefix(joint: np.ndarray, prefix: Sequence[int], n: int) -> np.ndarray:
    """p(rest | prefix), over the 2^(n−k) endings, of a table of all 2^n vectors."""
    table = joint.reshape((2,) * n)[tuple(int(b) for b in prefix)].reshape(-1)
    return table / table.sum()


def wrong_endings(
    weight: np.ndarray, bias: np.ndarray, prefix: Sequence[int]
) -> dict[str, np.ndarray]:
    """The distributions of the endings under known misconceptions, and the right one."""
    n, k = len(bias), len(prefix)
    joint = ancestral(weight, bias)
    start = np.concatenate([prefix, np.zeros(n - k)])[None]
    first = joint.reshape((2,) * n).sum(axis=tuple(range(k))).reshape(-1)
    none = np.zeros(k, dtype=int)
    late = given_prefix(joint, prefix, n).reshape(2, -1).copy()
    late[0] = given_prefix(joint, [*prefix, 0], n)  # the first missing bit stays 0
    late[1] = 0
    return {
        "right": given_prefix(joint, prefix, n),
        "sampled-then-pasted": first,
        "prefix-unheard": given_prefix(joint, none, n),
        "one-pass": independent(votes(start, weight, bias)[0, k:]),
        "starts-too-late": late.reshape(-1),
        "bits-inverted": given_prefix(inverted(weight, bias), prefix, n),
        "fair-coins": np.full(2 ** (n - k), 2.0 ** -(n - k)),
    }


_ADVICE_ON_ENDINGS = {
    "sampled-then-pasted": "the rest does not know the prefix: these are samples of the whole, "
    "over which the prefix was pasted; put it into x BEFORE the first step",
    "prefix-unheard": "the rest is drawn as if the prefix were all zeros: put it into x before the "
    "first step",
    "one-pass": "all missing bits come from one pass: each must hear the ones drawn before it, not "
    "the prefix alone",
    "starts-too-late": "the first missing bit is never drawn: k bits are given, so the next one is "
    "column k, counted from 0",
    "bits-inverted": "ones and zeros have changed places: a bit is 1 with probability σ(logit)",
    "fair-coins": "these are fair coins: where is the model?",
}


@checks("complete", lesson=LESSON, points=3)
def endings_of_a_beginning(complete: Standin, draw: Draw) -> Iterator[Claim]:
    """What is given stays, and the rest is drawn from its distribution given that."""
    see = "Exercise 4: finish what somebody began"

    def ask(prefix: np.ndarray, weight: np.ndarray, bias: np.ndarray, generator: Any) -> np.ndarray:
        answer = complete(single(prefix), single(weight), single(bias), generator)
        x = expect_array(answer, (len(prefix), len(bias)), "any", "the completed examples")
        return x.astype(np.float64)

    n, k = 5, 2
    prefix = [1, int(draw.integer(0, 1))]

    def wrong(weight: np.ndarray, bias: np.ndarray) -> dict[str, np.ndarray]:
        return wrong_endings(weight, bias, prefix)

    weight, bias, answers = model_that_tells_apart(draw, n, wrong)
    right = answers.pop("right")
    given = np.repeat([prefix], DRAWS, axis=0).astype(np.float64)
    x = ask(given, weight, bias, draw.generator())
    heard = looks_at(lambda b, g: ask(given[:99], weight, b, g), bias, -bias - 1, draw.apart())
    many = draw.bits(30, 4)
    kept_many = ask(many, *model_of(draw, 9), draw.generator())[:, :4]
    kept = bool((x[:, :k] == given).all() and (kept_many == many).all())
    changed = (x[:, :k] != given).any(0)
    yield claim(
        "the given bits stay as they are",
        kept,
        waits=waits_unless(heard, HEARD),  # whoever pads the prefix keeps it, too
        points=0.5,
        saw=f"{(x[:, :k] != given).any(1).sum():,} of {DRAWS:,} examples whose first {k} bits were "
        "changed"
        if changed.any()
        else "other first bits than those that were given",
        asks="the first k columns of the answer are the prefix",
        advice=[
            when(
                not kept and not changed[0] and changed[-1],
                "starts-too-early",
                "the last given bit is drawn again: k bits are given, so the first one to draw is "
                "column k, counted from 0",
            ),
            when(
                not kept and (kept_many == many[0]).all(),
                "first-row-for-all",
                "all examples begin like the first one: each row of prefix has its own",
            ),
            when(
                not kept,
                "prefix-overwritten",
                "your loop draws over the prefix: it starts where the prefix ends",
            ),
        ],
        see=see,
    )
    rest = x[:, k:]
    is_bits = bool(np.isin(rest, (0, 1)).all())
    frequency = frequencies(rest) if is_bits else np.zeros(8)
    worst = int(np.argmax(np.abs(frequency - right)))
    named = next((m for m, p in answers.items() if np.abs(frequency - p).sum() < BOUND), "")
    yield claim(
        "the rest is drawn from p(rest | prefix)",
        is_bits and np.abs(frequency - right).sum() < BOUND,
        points=1,
        saw="values other than 0 and 1"
        if not is_bits
        else f"the ending {all_bits(n - k)[worst].astype(int).tolist()} in {frequency[worst]:.1%} "
        f"of {DRAWS:,} examples that begin with {prefix}; the model gives it {right[worst]:.1%}",
        asks="each missing bit drawn with σ(logit), given the prefix and the bits drawn before it",
        advice=[
            *(when(name == named, name, said) for name, said in _ADVICE_ON_ENDINGS.items()),
            when(
                is_bits and (frequency > 0).sum() == 1,
                "rounded-for-drawn",
                "all endings are equal: draw each bit with its probability, do not round it",
            ),
            when(
                not is_bits,
                "probabilities-for-bits",
                "complete returns bits, not probabilities: draw each one",
            ),
            "it is sampling with a head start: the prefix first, then one bit at a time",
        ],
        see=see,
    )

    n = draw.integer(10, 14)
    weight, bias, turns = deterministic(draw, n)
    k = draw.integer(3, 6)
    beginnings = draw.bits(24, k)
    beginnings[0], beginnings[1] = 0, 1
    x = ask(beginnings, weight, bias, draw.generator())
    own = follows(np.concatenate([beginnings, x[:, k:]], axis=1), turns, begin=k)
    whole = np.concatenate([np.array([[0.0], [1.0]]), np.zeros((2, n - 1))], axis=1)
    for i in range(1, n):
        whole[:, i] = np.logical_xor(whole[:, i - 1] == 1, turns[i] == 1)
    full = ask(whole, weight, bias, draw.generator())
    empty = ask(np.zeros((64, 0)), weight, bias, draw.generator())
    drawn = follows(empty, turns).all() and 0 < empty[:, 0].sum() < 64
    ends = bool((full == whole).all() and drawn)
    yield claim(
        "every example goes on from its own beginning, of any length from 0 to n",
        own.all() and ends,
        points=0.5,
        saw=f"{(~own).sum()} of {len(x)} examples that do not go on from their own beginning"
        if not own.all()
        else "a complete example that was changed"
        if not (full == whole).all()
        else "an empty prefix that does not give samples",
        asks="rows do not mix; with k = n nothing is drawn, with k = 0 all is",
        advice=[
            *(when(name == named, name, said) for name, said in _ADVICE_ON_ENDINGS.items()),
            when(
                not own.all() and own[(beginnings == beginnings[0]).all(1)].all(),
                "first-row-for-all",
                "all examples go on from the first one's beginning: each row has its own",
            ),
            "take count and k from prefix.shape",
        ],
        see=see,
    )

    weight, bias = model_of(draw, 6)
    before = single(draw.bits(30, 2))
    untouched = _kept(complete, before, single(weight), single(bias), draw.generator())
    found = _claim_on_generator(lambda g: ask(before.numpy(), weight, bias, g), draw, 1, see, "")
    yield claim(
        "randomness comes from the given generator, and the caller's prefix is left alone",
        found.holds and untouched,
        points=1,
        saw=found.saw if not found.holds else "a prefix that is changed by the call",
        asks=found.asks,
        waits=waits_unless(heard, HEARD),
        advice=[
            when(found.misconception, found.misconception, found.advice),
            when(
                not untouched,
                "prefix-changed",
                "you write into the tensor of the caller: copy it into a new one first",
            ),
            "use the given generator, and a tensor of your own",
        ],
        see=see,
    )


def _kept(function: Standin, *args: Any) -> bool:
    return keeps_its_arguments(function, *args) is True
