"""Checks of lesson 04, NADE: a hidden layer for each bit, made of columns that all steps share.

Notation: h_i = σ(c + Σ_{j<i} W_{·j} x_j), logit_i = b_i + V_{i·} h_i (Larochelle and Murray, 2011,
"The Neural Autoregressive Distribution Estimator"); all logs are natural.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch

from autograder import claim, expect_array, when
from autograder.checking import checks
from autograder.checks.witness import looks_at, waits_unless
from autograder.claims import Advice, Claim
from autograder.draw import Draw
from autograder.inside.nade import Table, begin_search, counted, gradients_of
from autograder.remote.callbacks import answered
from autograder.remote.proxy import Standin

LESSON = "04_nade"

Numbers = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]  # W, c, V, b


# --- what the mathematics says --------------------------------------------------------------------


def sigmoid(a: np.ndarray) -> np.ndarray:
    """σ(a), without overflow."""
    return 0.5 * (1 + np.tanh(0.5 * a))


def softplus(a: np.ndarray) -> np.ndarray:
    """log(1 + e^a), without overflow."""
    return np.logaddexp(0.0, a)


def nade_by_rule(
    x: np.ndarray,
    W: np.ndarray,
    c: np.ndarray,
    V: np.ndarray,
    b: np.ndarray,
    *,
    columns: Callable[[int], slice] = slice,
    activation: Callable[[np.ndarray], np.ndarray] = sigmoid,
    row: Callable[[int], int] = int,
) -> np.ndarray:
    """The logits (B, n); options give the usual corruptions. `columns(i)` is what step i sees."""
    logits = []
    for i in range(len(b)):
        seen = columns(i)
        hidden = activation(x[:, seen] @ W[:, seen].T + c)
        logits.append(hidden @ V[row(i)] + b[i])
    return np.stack(logits, axis=1)


def fed_back(x: np.ndarray, W: np.ndarray, c: np.ndarray, V: np.ndarray, b: np.ndarray) -> Any:
    """The logits when σ of the sum is carried along in place of the sum."""
    a, logits = np.repeat(c[None], len(x), axis=0), []
    for i in range(len(b)):
        a = sigmoid(a)
        logits.append(a @ V[i] + b[i])
        a = a + x[:, i : i + 1] * W[:, i]
    return np.stack(logits, axis=1)


def first_without_c(
    x: np.ndarray, W: np.ndarray, c: np.ndarray, V: np.ndarray, b: np.ndarray
) -> Any:
    """The logits when c is missing at the first step only."""
    logits = nade_by_rule(x, W, c, V, b)
    logits[:, 0] = nade_by_rule(x, W, 0 * c, V, b)[:, 0]
    return logits


def zero_at_first(x: np.ndarray, W: np.ndarray, c: np.ndarray, V: np.ndarray, b: np.ndarray) -> Any:
    """The logits when the first step has no hidden vector at all."""
    logits = nade_by_rule(x, W, c, V, b)
    logits[:, 0] = b[0]
    return logits


WRONG: dict[str, Callable[..., np.ndarray]] = {
    "sees-itself": lambda *a: nade_by_rule(*a, columns=lambda i: slice(i + 1)),
    "autoencoder": lambda *a: nade_by_rule(*a, columns=lambda i: slice(None)),
    "one-column-short": lambda *a: nade_by_rule(*a, columns=lambda i: slice(max(i - 1, 0))),
    "future-columns": lambda *a: nade_by_rule(*a, columns=lambda i: slice(i, None)),
    "later-columns": lambda *a: nade_by_rule(*a, columns=lambda i: slice(i + 1, None)),
    "last-column-only": lambda *a: nade_by_rule(*a, columns=lambda i: slice(max(i - 1, 0), i)),
    "c-forgotten": lambda x, W, c, V, b: nade_by_rule(x, W, 0 * c, V, b),
    "c-forgotten-at-first": first_without_c,
    "first-step-empty": zero_at_first,
    "V-row-shared": lambda *a: nade_by_rule(*a, row=lambda i: 0),
    "V-row-late": lambda *a: nade_by_rule(*a, row=lambda i: i - 1),
    "sigmoid-fed-back": fed_back,
    "sigmoid-forgotten": lambda *a: nade_by_rule(*a, activation=lambda a: a),
    "other-activation": lambda *a: nade_by_rule(*a, activation=np.tanh),
    "relu": lambda *a: nade_by_rule(*a, activation=lambda a: np.maximum(a, 0)),
    "b-forgotten": lambda x, W, c, V, b: nade_by_rule(x, W, c, V, 0 * b),
    "sigmoid-applied": lambda *a: sigmoid(nade_by_rule(*a)),
    "x-forgotten": lambda x, *a: nade_by_rule(np.ones_like(x), *a),
    "bits-inverted": lambda x, *a: nade_by_rule(1 - x, *a),
}
_FAMILY = {
    "later-columns": "future-columns",
    "V-row-late": "V-row-shared",
    "relu": "other-activation",
}
_ADVICE = {
    "sees-itself": "step i uses its own bit: h_i is made of the columns BEFORE i, W[:, :i] when i "
    "counts from 0, so predict first and add column i afterwards",
    "autoencoder": "every step uses all columns: that is an autoencoder, whose outputs see what "
    "they predict",
    "one-column-short": "step i has lost the column of its neighbor i−1: all before i count",
    "future-columns": "these are the columns from i on, the future: step i uses those before it",
    "last-column-only": "step i uses one column only: the sum runs over all j < i, so what is "
    "carried must be kept",
    "c-forgotten": "c is missing: the sum starts from c, at every step",
    "c-forgotten-at-first": "c is missing at the first step: nothing comes before x_1, and a_1 = c",
    "first-step-empty": "the first step has a hidden vector too: h_1 = σ(c), and V_1 votes",
    "V-row-shared": "V is not shared: step i has a row of its own, V[i] when i counts from 0",
    "sigmoid-fed-back": "σ of the sum is carried along: carry the sum a itself, and take σ of it "
    "only where you predict",
    "sigmoid-forgotten": "the hidden units lack their sigmoid: without it NADE is linear again",
    "other-activation": "the hidden units have another activation than the sigmoid",
    "b-forgotten": "b is missing: every logit has a bias of its own",
    "sigmoid-applied": "these are probabilities: the logit is what goes INTO the last sigmoid",
    "x-forgotten": "columns are added whatever the bit is: column j counts times x_j",
    "bits-inverted": "columns are added where the bit is 0: column j counts times x_j",
}


def all_bits(n: int) -> np.ndarray:
    """All 2^n bit vectors, float64 (2^n, n), the first bit changing slowest."""
    return np.array(list(itertools.product((0.0, 1.0), repeat=n))).reshape(2**n, n)


def tensor(array: Any) -> torch.Tensor:
    """The array as a tensor of its own, in single precision, as a notebook has its models."""
    return torch.tensor(np.asarray(array)).to(torch.float32)


def tensors(numbers: Numbers) -> list[torch.Tensor]:
    """W, c, V, b as tensors."""
    return [tensor(array) for array in numbers]


def close(a: np.ndarray, b: np.ndarray, tolerance: float = 5e-5) -> bool:
    """Equal in shape, and in value up to `tolerance` (absolute, and relative to b)."""
    return a.shape == b.shape and np.allclose(a, b, rtol=tolerance, atol=tolerance)


def numbers_of(draw: Draw, n: int, h: int, scale: float = 1.0) -> Numbers:
    """Random W (h, n), c (h,), V (n, h), b (n,), none of them small on the whole."""
    return (
        draw.normal(h, n, scale=scale) + 0.1,
        draw.normal(h, scale=scale) + 0.3,
        draw.normal(n, h, scale=scale) - 0.1,
        draw.normal(n, scale=scale) - 0.2,
    )


def shown(values: np.ndarray) -> str:
    """A few numbers in words."""
    flat = np.asarray(values, dtype=float).reshape(-1)
    return "(" + ", ".join(f"{v:.4g}" for v in flat[:4]) + (", …)" if flat.size > 4 else ")")


# --- logits, naive and in a sweep -----------------------------------------------------------------


def reference(x: torch.Tensor, W: Any, c: Any, V: Any, b: Any) -> torch.Tensor:
    """The logits once more, with gradients."""
    steps = (torch.sigmoid(x[:, :i] @ W[:, :i].T + c) @ V[i] + b[i] for i in range(len(b)))
    return torch.stack(list(steps), dim=1)


def _claims_on_logits(
    function: Standin, draw: Draw, see: str, points: tuple[float, float, float]
) -> Iterator[Claim]:
    """Values, who sees whom, and training: what both ways of computing NADE must fulfill."""

    def ask(x: np.ndarray, *numbers: np.ndarray) -> np.ndarray:
        return expect_array(function(tensor(x), *tensors(numbers)), x.shape, "float", "the logits")

    cases = []
    for n, h, count in (
        (draw.integer(4, 6), draw.integer(7, 9), draw.integer(10, 12)),
        (3, 1, 1),
        (1, 2, 2),
        (draw.integer(9, 13), 3, 4),
    ):
        x = draw.bits(count, n)
        x[0] = np.arange(n) % 2 == 0  # or, once in a while, no column is switched on at all
        cases.append((x, *numbers_of(draw, n, h)))
    got = [ask(*case) for case in cases]
    fits = [close(g, nade_by_rule(*case)) for g, case in zip(got, cases, strict=True)]
    first = fits.index(False) if not all(fits) else 0
    named = next(
        (
            name
            for name, rule in WRONG.items()
            if all(close(g, rule(*case), 1e-4) for g, case in zip(got, cases, strict=True))
        ),
        "",
    )
    named = _FAMILY.get(named, named)
    advice: list[str | Advice] = [when(name == named, name, text) for name, text in _ADVICE.items()]
    n = cases[first][0].shape[1]
    off = [] if all(fits) else np.abs(got[first] - nade_by_rule(*cases[first])).max(0)
    place = next((i for i, o in enumerate(off) if not o < 1e-4), 0)
    yield claim(
        "h_i = σ(c + the columns before i, times their bits), logit_i = b_i + V_i h_i",
        all(fits),
        points=points[0],
        saw=f"logits {shown(got[first][0])} at n = {n}, where logit {place + 1} is the first "
        "that is off",
        asks="for each step the columns j < i of W, c, the sigmoid, and its own row of V and of b",
        advice=[*advice, "work out the three steps of the example by hand, and compare"],
        see=see,
    )

    n, h = draw.integer(5, 7), 12
    seen = np.zeros((n, n), dtype=bool)
    for _ in range(3):
        numbers = numbers_of(draw, n, h, scale=1.5)
        base = draw.bits(1, n)
        rows = np.repeat(base, n + 1, axis=0)
        rows[np.arange(n), np.arange(n)] = 1 - base[0]
        rows[n] = base[0]
        answer = ask(rows, *numbers)
        seen |= (np.abs(answer[:n] - answer[n]) > 1e-4).T  # [i, j]: logit i moves with bit j
    leaks = [(i, j) for i, j in np.argwhere(seen) if j >= i]
    gaps = [(i, j) for i in range(n) for j in range(i) if not seen[i, j]]
    yield claim(
        "no logit sees its own bit or a later one, and each sees all bits before it",
        not leaks and not gaps,
        points=points[1],
        saw=f"logit {leaks[0][0] + 1} changes with x_{leaks[0][1] + 1} at n = {n}"
        if leaks
        else f"logit {gaps[0][0] + 1} never changes with x_{gaps[0][1] + 1} at n = {n}"
        if gaps
        else "",
        asks="logit i depends on x_1 … x_i−1, on all of them, and on nothing else",
        advice=[
            *advice,
            when(leaks and all(i == j for i, j in leaks), "sees-itself", _ADVICE["sees-itself"]),
            "look at the columns that each step uses: the explorer draws them",
        ],
        see=see,
    )

    n, h = draw.integer(3, 5), 4
    numbers = numbers_of(draw, n, h)
    x = draw.bits(6, n)
    x[0], x[1] = 1, 0
    found = gradients_of(function, tensor(x), *tensors(numbers))
    found = found if isinstance(found, dict) else {}
    grads = found.get("gradients")
    grads = grads if isinstance(grads, list) and len(grads) == 4 else [None] * 4
    given = [p.requires_grad_() for p in tensors(numbers)]
    (reference(tensor(x), *given) ** 2 / 2).sum().backward()
    cut = [name for name, grad in zip("WcVb", grads, strict=True) if grad is None]
    good = not cut and all(
        close(expect_array(grad, p.shape, "float", "a gradient"), p.grad.numpy())
        for grad, p in zip(grads, given, strict=True)
    )
    kept = found.get("kept") is True
    yield claim(
        "training reaches W, c, V and b, and nothing is overwritten",
        good and kept,
        points=points[2],
        saw="arguments that are changed by the call"
        if not kept
        else f"no gradient for {', '.join(cut)}"
        if cut
        else "gradients that are not those of the logits",
        asks="the gradient of the logits for all four, and tensors of the caller that stay as they "
        "are",
        advice=[
            *advice,
            when(
                not kept,
                "changed-in-place",
                "you write into a tensor of the caller: a = a + … makes a new one, a += … does not",
            ),
            when(
                cut,
                "gradient-cut",
                ".data, .detach(), .item(), .numpy() or no_grad cut training off",
            ),
            "compute with the tensors that are given, by torch operations only",
        ],
        see=see,
    )


@checks("nade_naive", lesson=LESSON, points=3)
def nade_as_the_formula_says(nade_naive: Standin, draw: Draw) -> Iterator[Claim]:
    """Every step sums the columns before it."""
    see = "Exercise 1: as the formula says"
    yield from _claims_on_logits(nade_naive, draw, see, (1.5, 1, 0.5))


# Counting. At h = 64 the sum of columns anew costs h n (n−1) / 2 multiply-adds, and the rest (σ, V,
# one column a step) a small multiple of n h: from n = 32 to 64 the whole grows by 3.6 or more, a
# sweep by 2.0. The bound stands between.
SIZES, HIDDEN, GROWTH = (32, 64), 64, 2.6


@checks("nade", lesson=LESSON, points=4)
def nade_in_one_sweep(nade: Standin, draw: Draw) -> Iterator[Claim]:
    """The sum is carried along, a column a step."""
    see = "Exercise 2: carry the sum along"
    yield from _claims_on_logits(nade, draw, see, (1.5, 0.5, 0.5))

    counts, right = [], True
    for n in SIZES:
        numbers = numbers_of(draw, n, HIDDEN, scale=0.3)
        x = draw.bits(1, n)
        count, answer = _counted(nade, tensor(x), *tensors(numbers))
        counts.append(count)
        answer = expect_array(answer, x.shape, "float", "the logits")
        right &= close(answer, nade_by_rule(x, *numbers))
    growth = counts[1] / max(counts[0], 1)
    little = counts[0] < SIZES[0] * HIDDEN
    yield claim(
        "the work grows like n: twice the bits, twice the operations",
        right and growth <= GROWTH and not little,
        points=1.5,
        saw="wrong logits at the sizes that were counted"
        if not right
        else f"{counts[0]:,} operations at n = {SIZES[0]}, fewer than V alone needs"
        if little
        else _growth_in_words(counts, growth),
        asks="O(n h): × 2, up to small change",
        advice=[
            when(
                right and growth > GROWTH,
                "quadratic",
                "every step sums its columns anew, or all steps at once: O(n² h); carry a along, "
                "and add one column a step",
            ),
            when(
                right and little,
                "not-counted",
                "the work is done outside torch, where nothing can be trained: use torch",
            ),
            "first the values, then the speed: see the first claim",
        ],
        see=see,
    )


def _growth_in_words(counts: list[int], growth: float) -> str:
    one, two = SIZES
    return f"{counts[0]:,} operations at n = {one}, {counts[1]:,} at n = {two}: × {growth:.2f}"


def _counted(function: Standin, *args: Any) -> tuple[int, Any]:
    found = counted(function, *args)
    if isinstance(found, tuple) and len(found) == 2 and type(found[0]) is int:
        return found
    return 0, None


# --- samples --------------------------------------------------------------------------------------


def joint_of(score: Callable[[np.ndarray], np.ndarray], n: int) -> np.ndarray:
    """p(x) of all 2^n vectors when bit i has the logit score(x)_i."""
    every = all_bits(n)
    logits = score(every)
    return np.exp(-(softplus(logits) - every * logits).sum(1))


def independent(logits: np.ndarray) -> np.ndarray:
    """p(x) of all vectors when bit i is a coin of its own."""
    return joint_of(lambda x: logits + 0 * x, len(logits))


def mean_field(*numbers: np.ndarray) -> np.ndarray:
    """p(x) of all vectors when probabilities, not bits, switch the columns on."""
    n = len(numbers[3])
    x = np.zeros((1, n))
    for i in range(n):
        x[:, i] = sigmoid(nade_by_rule(x, *numbers)[:, i])
    return independent(nade_by_rule(x, *numbers)[0])


def one_uniform(*numbers: np.ndarray) -> np.ndarray:
    """p(x) of all vectors when one uniform number serves all steps of an example."""
    n, grid = len(numbers[3]), (np.arange(4000) + 0.5) / 4000
    x = np.zeros((len(grid), n))
    for i in range(n):
        x[:, i] = grid < sigmoid(nade_by_rule(x, *numbers)[:, i])
    return np.bincount((x @ (2 ** np.arange(n)[::-1])).astype(int), minlength=2**n) / len(grid)


def wrong_samples(*numbers: np.ndarray) -> dict[str, np.ndarray]:
    """The distributions of known misconceptions, and the right one."""
    n = len(numbers[3])

    def drawn(rule: Callable[..., np.ndarray]) -> np.ndarray:
        return joint_of(lambda x: rule(x, *numbers), n)

    return {
        "right": drawn(nade_by_rule),
        "one-pass": independent(nade_by_rule(np.zeros((1, n)), *numbers)[0]),
        "probabilities-carried": mean_field(*numbers),
        "noise-reused": one_uniform(*numbers),
        "bits-inverted": drawn(lambda *a: -nade_by_rule(*a)),
        "x-forgotten": independent(nade_by_rule(np.ones((1, n)), *numbers)[0]),
        "sigmoid-fed-back": drawn(fed_back),
        "c-forgotten": drawn(WRONG["c-forgotten"]),
        "V-row-shared": drawn(WRONG["V-row-shared"]),
        "sigmoid-forgotten": drawn(WRONG["sigmoid-forgotten"]),
        "last-column-only": drawn(WRONG["last-column-only"]),
        "fair-coins": np.full(2**n, 2.0**-n),
    }


_ADVICE_ON_SAMPLES = {
    "one-pass": "nothing that was drawn is heard: add column i, times the drawn bit, each time",
    "probabilities-carried": "the sum is fed with probabilities: add the column times the BIT that "
    "was drawn",
    "noise-reused": "one uniform number serves all steps of an example: draw a new one each time",
    "bits-inverted": "ones and zeros have changed places: a bit is 1 with probability σ(logit)",
    "x-forgotten": "columns are added whatever was drawn: column i counts times the drawn bit",
    **{
        name: _ADVICE[name]
        for name in (
            "sigmoid-fed-back",
            "c-forgotten",
            "V-row-shared",
            "sigmoid-forgotten",
            "last-column-only",
        )
    },
    "fair-coins": "these are fair coins: where is the model?",
}

# An exact bound, no χ² approximation: ‖p̂ − p‖₁ ≥ ε has a probability of at most
# (2^K − 2) exp(−N ε² / 2) for K outcomes (Weissman et al., 2003). At K = 16, N = 20,000 and
# ε = 0.06 that is 1.5e-11, far below one false alarm in a million verdicts.
DRAWS, BOUND = 20_000, 0.06


def model_that_tells_apart(draw: Draw) -> tuple[Numbers, dict[str, np.ndarray]]:
    """Numbers under which all these answers are far from one another, and their distributions."""
    best, found = -1.0, None
    for _ in range(250):
        numbers = numbers_of(draw, 4, 4, scale=2.0)
        answers = wrong_samples(*numbers)
        gap = min(np.abs(p - q).sum() for p, q in itertools.combinations(answers.values(), 2))
        if gap > best:
            best, found = gap, (numbers, answers)
        if best > 0.25:
            break
    return found


def deterministic(draw: Draw, n: int) -> tuple[Numbers, np.ndarray]:
    """A NADE whose bit i copies bit i−1 or turns it around, and `turns` (n,) that says which.

    Hidden unit j is bit j: its sum is ±30. The logits after the first are ±30 too, so that a bit
    goes astray with a probability below 1e-12. The last column of W holds heavy weights that must
    not matter.
    """
    turns = draw.rng.integers(0, 2, size=n)
    W = 60.0 * np.eye(n)
    W[:, -1] = draw.normal(n, scale=500.0)
    V, b = np.zeros((n, n)), np.where(turns == 1, 30.0, -30.0)
    b[0] = 0.0
    V[np.arange(1, n), np.arange(n - 1)] = np.where(turns[1:] == 1, -60.0, 60.0)
    return (W, np.full(n, -30.0), V, b), turns


@checks("sample", lesson=LESSON, points=4)
def a_sweep_that_draws(sample: Standin, draw: Draw) -> Iterator[Claim]:
    """Ancestral sampling that carries the sum: predict, draw, add a column."""
    see = "Exercise 3: one sweep that draws"

    def ask(numbers: Numbers, count: int, generator: Any) -> np.ndarray:
        answer = sample(*tensors(numbers), count, generator)
        x = expect_array(answer, (count, len(numbers[3])), "any", "the samples")
        return x.astype(np.float64)

    numbers, answers = model_that_tells_apart(draw)
    right = answers.pop("right")
    x = ask(numbers, DRAWS, draw.generator())
    is_bits = bool(np.isin(x, (0, 1)).all())
    frequency = np.zeros(16)
    if is_bits:
        frequency = np.bincount((x @ [8, 4, 2, 1]).astype(int), minlength=16) / DRAWS
    worst = int(np.argmax(np.abs(frequency - right)))
    named = next((k for k, p in answers.items() if np.abs(frequency - p).sum() < BOUND), "")
    advice = [when(name == named, name, text) for name, text in _ADVICE_ON_SAMPLES.items()]
    yield claim(
        "samples come as often as the model says",
        is_bits and np.abs(frequency - right).sum() < BOUND,
        points=1.5,
        saw=f"values other than 0 and 1, such as {x[~np.isin(x, (0, 1))][0]:.3g}"
        if not is_bits
        else f"{all_bits(4)[worst].astype(int).tolist()} in {frequency[worst]:.1%} of {DRAWS:,} "
        f"samples, where the model gives it {right[worst]:.1%}",
        asks="bit i drawn with the probability σ(logit i), given the bits drawn before it",
        advice=[
            when(
                not is_bits,
                "probabilities-for-bits",
                "sample returns bits, not probabilities: draw each one",
            ),
            *advice,
            when(
                is_bits and (frequency > 0).sum() == 1,
                "rounded-for-drawn",
                "all samples are equal: draw a bit for each example, with its probability, and do "
                "not round it",
            ),
            "predict from σ(a), draw, and add column i times the drawn bit to a",
        ],
        see=see,
    )

    n = draw.integer(10, 15)
    chain, turns = deterministic(draw, n)
    x = ask(chain, 64, draw.generator())
    is_bits = bool(np.isin(x, (0, 1)).all())
    obey = ((x[:, 1:] == 1) == np.logical_xor(x[:, :-1] == 1, turns[1:] == 1)).all(1)
    both = 0 < x[:, 0].sum() < 64  # fails in one of 2^63 draws
    yield claim(
        "each bit hears exactly the bits that were drawn before it",
        is_bits and obey.all() and both,
        points=0.5,
        saw=f"{(~obey).sum()} of 64 examples in which a bit does not fit the one before it"
        if not obey.all()
        else "values other than 0 and 1"
        if not is_bits
        else f"a first bit that is {x[0, 0]:.0f} in all 64 examples, where it is a fair coin",
        asks=f"a model in which each of {n} bits copies its neighbor, or turns it around, makes "
        "such examples only",
        advice=[
            *advice,
            when(
                is_bits and obey.all() and not both,
                "same-for-all",
                "all examples are alike: every one of them needs its own draw",
            ),
            "add the column of the drawn bit to a before the next step",
        ],
        see=see,
    )

    counts, whole = [], True
    for n in SIZES:
        numbers = numbers_of(draw, n, HIDDEN, scale=0.3)
        count, answer = _counted(sample, *tensors(numbers), 1, draw.generator())
        counts.append(count)
        drawn = expect_array(answer, (1, n), "any", "the samples")
        whole &= bool(np.isin(drawn, (0, 1)).all() and both)
    growth = counts[1] / max(counts[0], 1)
    little = counts[0] < SIZES[0] * HIDDEN
    yield claim(
        "a sample costs one sweep: twice the bits, twice the operations",
        whole and growth <= GROWTH and not little,
        points=1,
        saw=f"{counts[0]:,} operations at n = {SIZES[0]}, fewer than V alone needs"
        if little
        else _growth_in_words(counts, growth),
        asks="O(n h): × 2, up to small change",
        advice=[
            when(
                growth > GROWTH,
                "quadratic",
                "each step begins from the start, as when `nade` is called for every bit: carry a "
                "along, and add one column after each draw",
            ),
            when(
                named == "one-pass",
                "one-pass",
                _ADVICE_ON_SAMPLES["one-pass"],
            ),
            "one step for each bit, with all hidden units",
        ],
        see=see,
    )

    numbers = numbers_of(draw, 5, 3)
    others = (*numbers[:3], -numbers[3] - 1)
    heard = looks_at(lambda one, g: ask(one, 40, g), numbers, others, draw.apart())
    unheard = waits_unless(heard, "samples that change with the model's numbers")
    seed = draw.integer(1, 2**31)
    generators = [torch.Generator().manual_seed(seed + s) for s in (0, 0, 1)]
    start = generators[0].get_state()
    first, again, other = (ask(numbers, 40, g) for g in generators)
    moved = not torch.equal(start, generators[0].get_state())
    same, differs = bool((first == again).all()), bool((first != other).any())
    yield claim(
        "all randomness comes from the given generator",
        moved and same and differs,
        points=0.5,
        saw="a generator that nobody has used"
        if not moved
        else "different draws from equal generators"
        if not same
        else "equal draws from different generators",
        asks="equal generators give equal draws, others give others",
        waits=unheard,
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
                not differs,
                "reseeded",
                "the generator is set back inside: use it as it comes, or all calls draw the same",
            ),
            "use the given generator, and no other source of randomness",
        ],
        see=see,
    )
    raw = sample(*tensors(numbers_of(draw, 1, 2)), 3, draw.generator())
    raw = expect_array(raw, (3, 1), "any", "the samples")
    yield claim(
        "the answer holds bits as floats, for any count and n",
        raw.dtype.kind == "f" and bool(np.isin(raw, (0, 1)).all()) and is_bits and both,
        points=0.5,
        saw=f"an answer of kind {raw.dtype}"
        if raw.dtype.kind != "f"
        else "values other than 0 and 1",
        asks="floats 0. and 1., so that samples can be given back to nade",
        waits=unheard,
        advice=[
            when(
                raw.dtype.kind != "f",
                "bits-not-floats",
                "a column is multiplied by its bit: return floats, as the data have them",
            ),
            "zeros and ones, one row an example",
        ],
        see=see,
    )


# --- autoencoder_dependencies ---------------------------------------------------------------------


def gates_by_rule(chosen: np.ndarray, turned: np.ndarray) -> np.ndarray:
    """Logits (2^n, n): output i is a product over its chosen inputs, each as it is or turned.

    So output i changes with input j at a few vectors only.
    """
    bits = all_bits(len(chosen))[:, None, :]
    return 2 * np.where(chosen, np.where(turned, 1 - bits, bits), 1.0).prod(2) - 0.5


def autoencoder_by_rule(W: np.ndarray, c: np.ndarray, V: np.ndarray, b: np.ndarray) -> np.ndarray:
    """The logits (2^n, n) of an autoencoder with one hidden layer on all vectors."""
    return sigmoid(all_bits(len(b)) @ W.T + c) @ V.T + b


def seen_from(chosen: np.ndarray, turned: np.ndarray, x: np.ndarray) -> np.ndarray:
    """What turning single bits of one vector x finds of `gates_by_rule`: bool (n, n)."""

    def outputs(rows: np.ndarray) -> np.ndarray:
        literal = np.where(turned[None], 1 - rows[:, None], rows[:, None])
        return np.where(chosen[None], literal, 1.0).prod(2)

    rows = np.repeat(x[None], len(x), axis=0)
    rows[np.arange(len(x)), np.arange(len(x))] = 1 - x
    return (outputs(rows) != outputs(x[None])).T


@checks("autoencoder_dependencies", lesson=LESSON, points=3)
def who_sees_whom(autoencoder_dependencies: Standin, draw: Draw) -> Iterator[Claim]:
    """Turning bits around, on all vectors, finds every dependency."""
    see = "Exercise 4: what about an autoencoder?"

    def searched(table: np.ndarray, n: int, smooth: bool) -> tuple[np.ndarray, bool]:
        """The dependencies of a model that answers here, and whether it was asked everything."""
        asked, model = np.zeros(2**n, dtype=bool), Table(tensor(table), smooth)

        def answer(kind: Any, x: Any, slope: Any = None) -> torch.Tensor:
            x = tensor(expect_array(x, (None, n), "any", "the bits").astype(np.float64))
            if len(x) > 10_000 or not torch.isfinite(x).all():
                raise ValueError("this model takes bits, zeros and ones, of up to 10,000 examples")
            if kind == "gradients":
                with torch.enable_grad():
                    x.requires_grad_()
                    weight = tensor(expect_array(slope, tuple(x.shape), "float", "a gradient"))
                    total = (model(x) * weight).sum()
                    on = torch.autograd.grad(total, x, allow_unused=True, materialize_grads=True)
                return on[0]
            bits = x.round().clamp(0, 1).numpy()
            asked[(bits @ (2 ** np.arange(n)[::-1])).astype(np.int64)] = True
            return model(x)

        found = answered(begin_search(autoencoder_dependencies, n), answer)
        return expect_array(found, (n, n), "any", "the dependencies"), bool(asked.all())

    cases, answers, everywhere = [], [], True
    for n in (draw.integer(5, 6), 4, 2):
        chosen = np.zeros((n, n), dtype=bool)
        while (
            chosen.sum() == 0 or (chosen == chosen.T).all() or (n > 2 and chosen.diagonal().all())
        ):
            chosen = draw.uniform(n, n) < 0.6
            chosen[draw.integer(0, n - 1)] = False
            if n > 2:
                chosen[0, 0] = True
        turned = draw.uniform(n, n) < 0.5
        cases.append((chosen, turned))
        answer, asked_all = searched(gates_by_rule(chosen, turned), n, False)
        answers.append(answer)
        everywhere &= asked_all
    binary = all(np.isin(a, (0, 1)).all() for a in answers)
    found = [np.asarray(a, dtype=float) != 0 for a in answers]

    def fits(rule: Callable[[np.ndarray, np.ndarray], np.ndarray]) -> bool:
        return all((f == rule(*case)).all() for f, case in zip(found, cases, strict=True))

    def from_point(value: float) -> bool:
        return fits(lambda c, t: seen_from(c, t, np.full(len(c), value)))

    # An output that sees nothing is among them, and only all 2^n vectors can tell that of it.
    true = fits(lambda c, t: c)
    right = true and everywhere
    f, c = found[0], cases[0][0]
    too_many, too_few = (f & ~c).sum(), (c & ~f).sum()
    yield claim(
        "D[i, j] is true where turning x_j around can change output i, and nowhere else",
        right,
        points=1.5,
        saw=f"{too_many} dependencies too many and {too_few} too few for {len(c)} outputs"
        if (f != c).any()
        else "a wrong answer for a model of fewer bits"
        if not true
        else "a right answer, but by luck: some of the vectors were never tried",
        asks="all 2^n vectors tried, each bit of them turned around, outputs compared",
        advice=[
            when(
                fits(lambda c, t: c.T),
                "transposed",
                "your matrix is transposed: rows are outputs, columns are the inputs that they see",
            ),
            when(
                fits(lambda c, t: c & ~np.eye(len(c), dtype=bool)),
                "diagonal-left-out",
                "whether an output sees its OWN input is the question: keep the diagonal",
            ),
            when(
                not any(f.any() for f in found),
                "gradient-only",
                "nothing found at all: gradients are zero where a model rounds or saturates; turn "
                "the bits around and compare outputs",
            ),
            when(
                from_point(0) or from_point(1),
                "one-vector-only",
                "you try one vector only: an output may change at others; try all 2^n",
            ),
            when(
                fits(lambda c, t: ~c),
                "inverted",
                "true and false have changed places: D is true where an output DOES change",
            ),
            when(
                fits(lambda c, t: np.tri(len(c), k=-1, dtype=bool))
                or fits(lambda c, t: np.ones_like(c)),
                "model-not-asked",
                "this answer does not depend on the model: ask it",
            ),
            when(
                true and not everywhere,
                "vectors-left-out",
                "a dependency may show at a single vector: what you did not try, you cannot know",
            ),
            when(
                not too_many and too_few,
                "not-all-vectors",
                "some dependencies are missed: they show at a few vectors only, so try all 2^n",
            ),
            when(
                not too_many and too_few == 0 and not right,
                "n-fixed",
                "right for one number of bits only: take it from model.n",
            ),
            "ask the model for all vectors, and again with column j turned around",
        ],
        see=see,
    )

    n = draw.integer(5, 6)
    numbers = numbers_of(draw, n, 6, scale=1.5)
    # Rounded, so that no output differs by an error of rounding where nothing has changed.
    tables = [autoencoder_by_rule(*numbers), nade_by_rule(all_bits(n), *numbers)]
    turn = draw.integer(0, 1)  # which of them comes first is not to be known
    both = [searched(table.round(4), n, True) for table in tables[:: 1 - 2 * turn]][:: 1 - 2 * turn]
    (dense, _), (causal, thorough) = ((found.astype(float) != 0, asked) for found, asked in both)
    wanted = np.tri(n, k=-1, dtype=bool)
    yield claim(
        "an autoencoder's outputs see everything, a NADE's what comes before",
        bool(dense.all() and (causal == wanted).all()) and thorough,
        points=1,
        saw=f"{(~dense).sum()} of {n * n} dependencies of an autoencoder are missed"
        if not dense.all()
        else "a right answer, but by luck: some of the vectors were never tried"
        if (causal == wanted).all()
        else f"{(causal & ~wanted).sum()} dependencies too many and {(wanted & ~causal).sum()} too "
        f"few for a NADE of {n} bits",
        asks="all of D for the autoencoder, what lies below the diagonal for NADE",
        advice=[
            when(
                (causal == wanted.T).all() and dense.all(),
                "transposed",
                "your matrix is transposed: rows are outputs, columns are the inputs that they see",
            ),
            when(
                (dense == ~np.eye(n, dtype=bool)).all(),
                "diagonal-left-out",
                "whether an output sees its OWN input is the question: keep the diagonal",
            ),
            when(
                (dense == wanted).all() and (causal == wanted).all(),
                "model-not-asked",
                "both models get the same answer: ask them",
            ),
            "turn one bit around at a time, and compare all outputs with those before",
        ],
        see=see,
    )
    bools = all(a.dtype.kind == "b" for a in answers)
    yield claim(
        "the answer is a matrix of bools",
        (bools or (binary and right))
        and 0 < sum(f.sum() for f in found) < sum(map(np.size, found)),
        points=0.5,
        saw="the same answer for every pair"
        if binary
        else "an answer that holds other numbers than 0 and 1",
        asks="true or false for each pair, (n, n)",
        waits=waits_unless((dense != causal).any(), "matrices that change with the model"),
        advice=[
            when(
                not binary,
                "amount-for-whether",
                "how much or how often an output changes is not asked: WHETHER it does, at one "
                "vector at least",
            ),
            "compare with != and reduce with any",
        ],
        see=see,
    )
