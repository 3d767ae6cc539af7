"""Checks of lesson 14: prices in bits, whole-number frequencies, and a codec that loses nothing.

An outcome of probability p costs −log2 p bits (Shannon, 1948). A range coder (Martin, 1979) writes
a whole stream for that price and a few bits; it needs frequencies that are whole numbers, and the
same ones at both ends. Probabilities and prices are computed here in double precision.
"""

from __future__ import annotations

import dataclasses
import functools
import itertools
import math
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from autograder import claim, expect_array, when
from autograder.checking import checks
from autograder.checks.numbers import SMALL, softmax
from autograder.checks.witness import looks_at, waits_unless
from autograder.claims import Advice, Cause, Claim, waiting
from autograder.diagnosis import Mistake, Property, Subject, Symptom, examine
from autograder.diagnosis.examine import shown
from autograder.diagnosis.mistakes import several
from autograder.diagnosis.shrinking import smaller_than
from autograder.draw import Draw
from autograder.inside import call_and_keep
from autograder.inside.compression import (
    ask_and_keep,
    ask_each,
    learner,
    looked_model,
    pair_model,
    partner,
)
from autograder.remote.proxy import NotAttempted, Standin, StudentFailed, WrongKind, describe

LESSON = "14_compression"

# A file is allowed this much more than its price: half a percent, and two words of 32 bits.
SHARE, WORDS = 0.005, 64

# --- what the mathematics says --------------------------------------------------------------------


def conditionals(bias: np.ndarray, pairs: np.ndarray, x: np.ndarray) -> np.ndarray:
    """p(x_i = s) ∝ exp(bias[i, s] + Σ_j pairs[i, j, s, x_j]): (B, n, k)."""
    logits = np.repeat(bias[None], len(x), axis=0)
    for j in range(x.shape[1]):
        logits = logits + pairs[:, j][:, :, x[:, j]].transpose(2, 0, 1)
    return softmax(logits)


def price(p: np.ndarray, x: np.ndarray) -> float:
    """−Σ log2 p of the symbols x (B, n) under p (B, n, k)."""
    return float(-np.log2(np.take_along_axis(p, x[..., None], axis=-1)).sum())


def pair_numbers(draw: Draw, n: int, k: int, scale: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    """A bias (n, k), and pairs (n, n, k, k) by which each symbol looks at those before it."""
    pairs = draw.normal(n, n, k, k, scale=scale)
    return draw.normal(n, k), pairs * np.tri(n, k=-1)[:, :, None, None]


def sampled(draw: Draw, bias: np.ndarray, pairs: np.ndarray, count: int) -> np.ndarray:
    """Examples of the model, int64 (count, n)."""
    n, k = bias.shape
    x = np.zeros((count, n), dtype=np.int64)
    for i in range(n):
        edges = conditionals(bias, pairs, x)[:, i].cumsum(axis=-1)
        x[:, i] = np.minimum((draw.uniform(count, 1) > edges).sum(axis=-1), k - 1)
    return x


def symbols(x: np.ndarray) -> torch.Tensor:
    """A batch of symbols as the lesson has them: int64 (B, n)."""
    return torch.tensor(np.asarray(x, dtype=np.int64))


def fits(size: float, bits: float) -> bool:
    """Whether a file of `size` bits is worth its price: not much more, and hardly less."""
    return bits - WORDS <= size <= (1 + SHARE) * bits + WORDS


# --- ideal_bits -----------------------------------------------------------------------------------


def price_in_bits(
    log_probs: np.ndarray, *, total: Callable = np.sum, base: float = 2, inside: Any = None
) -> float:
    """−Σ log p / ln 2. Each option turns one thing of it wrong; `inside` changes each log."""
    logs = log_probs if inside is None else inside(log_probs)
    return float(-total(logs) / math.log(base))


_LEAST = (*(-(10.0**n) for n in range(1, 10)), -20.0, -50.0, *(math.log(v) for v in SMALL))
_HIDDEN = (
    "impossible-hidden",
    "−log2 0 is infinite, and your price of it is a number: hiding that hides the worst mistake "
    "that a model can make",
)
_UNDERFLOW = (
    "through-probabilities",
    "exp of a large negative log is 0 in floating point, and the price of 0 is inf: stay with the "
    "logs, they are all that is needed",
)
_OF_PRICES = (
    *(
        Mistake(name, advice, options={"base": base})
        for name, base, advice in (
            ("nats", math.e, "these are nats: a bit is ln 2 = 0.693 nats, so divide by it"),
            (
                "multiplied",
                math.exp(1 / math.log(2)),
                "multiplied by ln 2, where it has to be divided: 3.466 nats are 5 bits",
            ),
            ("decimal", 10, "these are decimal digits, log base 10: a bit is a factor of 2"),
            ("bytes-for-bits", 256, "these are bytes, 8 bits each: the price is asked in bits"),
            *(
                (
                    "ln-2-rounded",
                    math.exp(ln2),
                    "ln 2 is rounded here: math.log(2) has all its digits",
                )
                for ln2 in (0.7, 0.69, 0.693, 0.6931, 1 / 1.44, 1 / 1.443, 1 / 1.4427)
            ),
        )
    ),
    *(
        Mistake(name, advice, options={"total": total})
        for name, total, advice in (
            (
                "mean",
                np.mean,
                "this is the mean over the symbols: the price of all of them is the sum",
            ),
            (
                "rows-averaged",
                lambda a: a.sum(axis=-1).mean(),
                "the prices of the rows are averaged: the price of all of them is the sum",
            ),
            (
                "probabilities-added",
                lambda a: np.log(np.exp(a).sum()),
                "the probabilities are added before the logarithm: that all of it happens has "
                "their product for its probability, and the logs are what is added",
            ),
            (
                "one-row",
                lambda a: a[0].sum(),
                "only the first row is counted: the array may have any shape",
            ),
            (
                "one-row",
                lambda a: a.sum(axis=-1).reshape(-1)[0],
                "only the first row is counted: the array may have any shape",
            ),
            (
                "each-rounded-up",
                lambda a: -np.ceil(-a / math.log(2)).sum() * math.log(2),
                "each symbol is rounded up by itself: that is a prefix code's loss, which "
                "arithmetic coding avoids",
            ),
            (_UNDERFLOW[0], lambda a: np.log(np.prod(np.exp(a))), _UNDERFLOW[1]),
        )
    ),
    Mistake(*_UNDERFLOW, options={"inside": lambda a: np.log(np.exp(a))}),
    *(
        Mistake(
            "rounded-up",
            "a price is not rounded: the fractions of many outcomes add up in one file",
            after=lambda value, a, rounded=rounded: rounded(value),
        )
        for rounded in (np.ceil, np.floor, np.rint)
    ),
    Mistake("sign", "log-probabilities are negative, prices positive", after=lambda v, a: -v),
    Mistake(
        "weighted",
        "each log is weighted by its probability, as in an entropy, the average over what MIGHT "
        "happen: this has happened, and each outcome is paid once, in full",
        options={"inside": lambda a: np.exp(a) * a},
    ),
    Mistake(
        "log-of-a-log",
        "what is given are logarithms already: yours takes the log of them once more",
        options={"inside": np.log},
    ),
    *(Mistake(*_HIDDEN, options={"inside": lambda a, v=v: np.maximum(a, v)}) for v in _LEAST),
    *(Mistake(*_HIDDEN, options={"inside": lambda a, v=v: np.log(np.exp(a) + v)}) for v in SMALL),
)
_FINITE = Symptom(
    *_HIDDEN,
    lambda seen: (
        all(np.isfinite(o.answer) for o in seen if o.right == np.inf)
        and not any(o.fails for o in seen if o.right != np.inf)
    ),
)


def ordinary_logs(draw: Draw) -> list[tuple]:
    """A vector, a matrix and more axes of log-probabilities; no price is a whole number."""
    arrays = [
        np.log(draw.uniform(draw.integer(3, 9)) * 0.9 + 0.05),
        np.log(draw.uniform(draw.integer(2, 5), draw.integer(3, 8)) * 0.9 + 0.05),
        np.log(draw.uniform(2, 3, 4) * 0.5 + 0.2),
    ]
    arrays[0][0] -= 0.123
    return [(a,) for a in arrays]


def certain_and_impossible(draw: Draw) -> list[tuple]:
    """Certain outcomes, an impossible one, and two that are nearly so, in both precisions."""
    impossible = np.log(draw.uniform(4) * 0.5 + 0.2)
    impossible[draw.integer(0, 3)] = -np.inf
    dear = -float(draw.integer(110, 140)), -float(draw.integer(800, 900))
    return [
        (np.zeros(draw.integer(2, 5)),),
        (impossible,),
        (np.array([dear[0], -3.0], dtype=np.float32),),
        (np.array([dear[1], -1.0]),),
    ]


def two_messages_and_both(draw: Draw) -> list[tuple]:
    """Two sets of examples, and both in one; the product of all probabilities is 0 in any float."""
    a, b = (np.log(draw.uniform(draw.integer(30, 40), 64) * 0.8 + 0.1) for _ in range(2))
    return [(a,), (b,), (np.concatenate([a, b]),)]


_SMALL_LOGS = tuple(
    np.log(v) for v in ([0.5], [0.25, 0.5], [0.25, 0.5, 0.25], [[0.5, 0.25], [0.25, 0.25]])
)


@checks("ideal_bits", lesson=LESSON, points=2, see="Exercise 1: the price of an outcome")
def the_price_of_an_outcome(ideal_bits: Standin, draw: Draw) -> Iterator[Claim | Cause]:
    """Minus the sum of the logs, in bits."""
    subject = Subject(
        ask=lambda a: float(expect_array(ideal_bits(torch.tensor(a)), (), "number", "the price")),
        rule=price_in_bits,
        mistakes=_OF_PRICES,
        symptoms=(_FINITE,),
        show=lambda a: f"logs {shown(a)}",
        by_hand=lambda a: (
            f"the logs sum to {a.sum():.4g} nats; {-a.sum():.4g} / 0.6931 = "
            f"{price_in_bits(a):.4g} bits"
            if a.size <= 4
            else ""
        ),
        smaller=lambda a: ((v,) for v in _SMALL_LOGS if v.size < a.size and np.isfinite(a).all()),
    )
    yield from examine(
        subject,
        draw,
        Property(
            "price",
            "the price of all outcomes is −Σ log p / ln 2 bits",
            ordinary_logs,
            1,
            asks="minus the sum over all entries, divided by ln 2",
        ),
        Property(
            "limits",
            "what is certain costs nothing, what is impossible infinitely much, what is nearly so "
            "its own price",
            certain_and_impossible,
            0.5,
            asks="0 and inf, and a finite price for what is nearly impossible",
            typical=False,
            needs="price",
        ),
        Property(
            "adds",
            "prices of thousands of outcomes are finite, and add up to the fraction of a bit",
            two_messages_and_both,
            0.5,
            asks="the price of two messages in one file is the sum of their prices",
            typical=False,
            needs="price",
        ),
    )


# --- quantize -------------------------------------------------------------------------------------

# What an answer is that holds no frequencies: the rule gives REFUSED where there is no room.
REFUSED, ANSWERED = "a ValueError", "an answer, without any error"
CHANGED = "an answer, and the caller's probabilities changed"
BESIDE = "other frequencies for a row alone than for the same row in a batch"
BY_CHANCE = "other frequencies for the same rows in the next call"


def frequencies(
    p: np.ndarray,
    bits: int | None = None,
    *,
    first: int = 1,
    kept: int = 1,
    rounded: Callable = np.floor,
    least: int = 0,
    rest: Callable | None = np.argmax,
    axis: int | None = -1,
    divided: bool = True,
    single: bool = False,
    missing: int = 0,
) -> Any:
    """Parts of 2^bits: one for each symbol, shares of what is left, the rest to the largest.

    Each option turns one thing of it wrong: `first` parts for each symbol, `kept` of them not
    shared, shares `rounded`, at `least` so many, the `rest` to this symbol (None: to nobody);
    rows not `divided` by their sums, or shared in the `single` precision that they came in; so many
    parts `missing`.
    """
    k, total = p.shape[-1], 2 ** (20 if bits is None else bits) - missing
    if k > total:
        return REFUSED
    p = p if single else p.astype(float)
    p = p / p.sum(axis=axis, keepdims=True) if divided else p
    parts = first + rounded(p * (total - kept * k))
    parts = np.maximum(parts, least).astype(np.int64)
    if rest is not None:
        best = rest(p, axis=-1)[..., None]
        more = total - parts.sum(axis=-1, keepdims=True)
        np.put_along_axis(parts, best, np.take_along_axis(parts, best, -1) + more, -1)
    return parts


def _in_single(p: np.ndarray, bits: int | None) -> Any:
    """Frequencies whose shares are computed in single precision."""
    k, total = p.shape[-1], 2 ** (20 if bits is None else bits)
    if k > total:
        return REFUSED
    short = torch.tensor(p).float()
    short = short / short.sum(dim=-1, keepdim=True)
    parts = 1 + torch.floor(short * (total - k)).long()
    more = total - parts.sum(dim=-1, keepdim=True)
    return parts.scatter_add(-1, short.argmax(dim=-1, keepdim=True), more).numpy()


def _last(p: np.ndarray, axis: int) -> np.ndarray:
    """The last symbol of each row."""
    return np.full(p.shape[:-1], p.shape[-1] - 1)


def _first(p: np.ndarray, axis: int) -> np.ndarray:
    """The first symbol of each row."""
    return np.zeros(p.shape[:-1], dtype=np.int64)


def _one_each(value: Any, p: np.ndarray, bits: int | None) -> Any:
    """One part for each symbol, where the rule has an answer."""
    return value if isinstance(value, str) else np.ones(p.shape, dtype=np.int64)


def _even_shares(value: Any, p: np.ndarray, bits: int | None) -> Any:
    """As many parts for each symbol, the rest for the most probable one."""
    if isinstance(value, str):
        return value
    share, rest = divmod(2 ** (bits or 20), p.shape[-1])
    return share + rest * (np.arange(p.shape[-1]) == p.argmax(-1)[..., None])


_SHARES = {"first": 0, "kept": 0}
_TO_ZERO = (
    "rounded",
    "rounded numbers need not sum to anything, and a small p is rounded to 0: give each symbol "
    "one part first, round the shares down, and the rest to the most probable",
)
_OF_FREQUENCIES = (
    *(
        Mistake(*_TO_ZERO, options={**_SHARES, "rounded": how, "least": least, "rest": None})
        for how in (np.rint, np.floor, np.ceil)
        for least in (0, 1)
    ),
    *(
        Mistake(
            "rounded-then-mended",
            "a small p is still rounded to 0: each symbol gets one part before anything is shared",
            options={**_SHARES, "rounded": how},
        )
        for how in (np.rint, np.floor)
    ),
    *(
        Mistake(
            "one-added-on-top",
            "one part is added on top of all of them: share 2^bits − k, not 2^bits",
            options={"kept": 0, "rest": rest},
        )
        for rest in (None, np.argmax)
    ),
    *(
        Mistake(
            "shares-not-rounded-down",
            "shares that are rounded to the nearest whole number may sum to more than there are: "
            "then the rest is less than 0, and who takes it may be left with nothing. Round down",
            options={"rounded": np.rint, "rest": rest},
        )
        for rest in (np.argmax, _last)
    ),
    *(
        Mistake(
            "raised-to-one-afterwards",
            "shares of 0 are raised to 1 after all parts are shared: where many are, the rest is "
            "less than 0, and who takes it may be left with nothing. Give each symbol its part "
            "first, and share what is left",
            options={**_SHARES, "rounded": how, "least": 1, "rest": rest},
        )
        for how in (np.floor, np.rint)
        for rest in (np.argmax, _last)
    ),
    Mistake(
        "one-part-missing",
        "the parts sum to 2^bits − 1: the numbers from 0 to 2^bits − 1 are 2^bits parts",
        options={"missing": 1},
    ),
    *several(
        "single-precision",
        "the shares are computed in single precision, which holds 24 binary digits: with 30 bits "
        "many parts go to another symbol. Divide and share in double precision",
        _in_single,
        lambda p, bits: (_in_single if p.dtype == np.float32 else frequencies)(p, bits),
    ),
    *several(
        "something-added",
        "a small number is added to each p, which is a whole part only where there are many bits: "
        "give each symbol one part first, and share the others",
        *(
            lambda p, bits, v=v, rest=rest: frequencies(p + v, bits, **_SHARES, rest=rest)
            for v in SMALL[:7]
            for rest in (np.argmax, _last, _first)
        ),
    ),
    *(
        Mistake(
            "another-default",
            "where `bits` is not given there are other than 2^20 parts: 20 is its default",
            gives=lambda p, bits, d=d: frequencies(p, d if bits is None else bits),
        )
        for d in (8, 10, 12, 14, 15, 16, 24, 30, 32)
    ),
    Mistake(
        "no-part-first",
        "room is kept for one part each, and nobody gets it: a symbol of probability 0 has none",
        options={"first": 0},
    ),
    Mistake(
        "rest-forgotten",
        "what rounding down leaves over belongs to somebody: the parts must fill the interval",
        options={"rest": None},
    ),
    Mistake(
        "wrong-axis",
        "your rows are normalized over another axis: a distribution is a ROW, dim=-1",
        options={"axis": -2},
    ),
    *(
        Mistake(
            "not-divided-by-the-sum",
            "your shares are p times the parts, as if each row's sum were 1: in single precision "
            "it is off by up to 10^-5, so divide by it first, in double precision",
            options={"divided": False, "single": single},
        )
        for single in (False, True)
    ),
    *(
        Mistake(
            "p-unused", "the same frequencies, whatever p is: share the parts by p", after=alike
        )
        for alike in (_one_each, _even_shares)
    ),
    Mistake(
        "rest-only",
        "everything goes to the most probable symbol, and one part to each other: share the parts "
        "by p first",
        options={"rounded": np.zeros_like},
    ),
    Mistake(
        "bits-ignored",
        "there are 2^20 parts whatever `bits` is: 20 is its value only where none is given",
        gives=lambda p, bits: ANSWERED if p.shape[-1] > 2 ** (bits or 20) else frequencies(p),
    ),
    Mistake(
        "too-many-symbols",
        "more symbols than parts are answered: there is no part for each of them, so raise a "
        "ValueError",
        after=lambda value, *_: ANSWERED if isinstance(value, str) else value,
    ),
    Mistake(
        "last-room-refused",
        "as many symbols as parts are refused: each gets one part, and that is room enough",
        after=lambda value, p, bits: REFUSED if p.shape[-1] == 2 ** (bits or 20) else value,
    ),
)
_OF_BATCHES = (
    Symptom(
        "changed-in-place",
        "you write into the caller's probabilities: make a new tensor",
        lambda seen: any(isinstance(o.answer, str) and o.answer == CHANGED for o in seen),
    ),
    Symptom(
        "by-chance",
        "the same rows get other frequencies in the next call, by chance or by what a call leaves "
        "behind: the two ends, which call one after the other, cannot agree then",
        lambda seen: any(isinstance(o.answer, str) and o.answer == BY_CHANCE for o in seen),
    ),
    Symptom(
        "batch-matters",
        "rows have other frequencies alone than in their batch: something is taken over the whole "
        "batch, or kept from an earlier call, and two ends that ask otherwise disagree",
        lambda seen: any(isinstance(o.answer, str) and o.answer == BESIDE for o in seen),
    ),
)


def fill(f: np.ndarray) -> bool:
    """Whether frequencies (…, k) are at least 1 and all rows have the same power of two for sum."""
    sums = np.unique(f.sum(axis=-1))
    return bool(f.min() >= 1 and len(sums) == 1 and sums[0] & (sums[0] - 1) == 0)


def as_asked(of: Callable[[np.ndarray, np.ndarray], Any]) -> Callable[[Any, Any], bool]:
    """What counts as the rule's frequencies: any that `of(answer, right)` lets count.

    Only beside frequencies that are right: what a mistake gives has to be met to the last part.
    """

    def alike(a: Any, b: Any) -> bool:
        if isinstance(a, str) or isinstance(b, str):
            return isinstance(a, str) and isinstance(b, str) and a == b
        same = a.shape == b.shape
        return same and bool(np.array_equal(a, b) or (fill(b) and of(a, b)))

    return alike


def full(a: np.ndarray, b: np.ndarray) -> bool:
    """Rows with the same sums."""
    return bool((a.sum(axis=-1) == b.sum(axis=-1)).all())


def near(a: np.ndarray, b: np.ndarray) -> bool:
    """Nowhere more than two parts a symbol apart: one for each, and a rest of fewer than k."""
    return bool(np.abs(a - b).max() <= 2 * a.shape[-1] + 2)


def ordinary_tables(draw: Draw) -> list[tuple]:
    """Distributions of few symbols and of many, with few parts and with many.

    The first have no power of two for k: even shares leave a rest, and who takes it can be seen.
    """
    k = draw.choice([k for k in range(5, 18) if k not in (8, 16)])
    p = softmax(draw.normal(draw.integer(3, 6), k))
    return [
        (p, 20),
        (p[:, ::-1].copy(), 20),
        (p, None),
        (softmax(draw.normal(2, 3, 2, scale=2.0)), 16),
        (np.full((2, 3), 1 / 3), draw.integer(3, 12)),
        (softmax(draw.normal(4, draw.integer(150, 250), scale=0.3)), 10),
        (softmax(draw.normal(64, 4)), 30),
    ]


def hard_tables(draw: Draw) -> list[tuple]:
    """Distributions with symbols of probability 0, and nearly so, and of hardly less than parts."""
    p = softmax(draw.normal(6, 5, scale=3.0))
    p[0] = [0, 0, 1, 0, 0]
    p[1, :2], p[2, 4] = 0, 1e-12
    p[3] = [0.5, 0.5, 0, 0, 0]
    p[4] = np.sort(p[4])  # backwards it is another table, wherever the rest goes
    p /= p.sum(axis=-1, keepdims=True)
    bits = draw.integer(8, 20)
    k = draw.integer(175, 185)  # of 1,024 − k parts each has a good half more than a whole number
    half = np.repeat([1 / 64, 0.0], 64)[None, draw.permutation(128)]
    sharp = softmax(draw.normal(3, 4) * np.array([1.0, 1.0, 1.0, 60.0]))
    crowds = [(np.full((1, k), 1 / k), 10), (half, 10)]
    return [(p, bits), (p[:, ::-1].copy(), bits), (sharp, draw.integer(8, 12)), *crowds]


def single_tables(draw: Draw) -> list[tuple]:
    """Rows in single precision, whose sum is 1 up to 10^-5 only; once in double precision."""
    p = softmax(draw.normal(draw.integer(3, 5), 4, 3, scale=2.0))
    off = 1 + 1e-5 * (0.5 + 0.5 * draw.uniform(len(p), 4, 1))
    short = [((p * off).astype(np.float32), bits) for bits in (20, 24, 30)]
    return [*short, ((p * off)[None], 20)]


def crowded_tables(draw: Draw) -> list[tuple]:
    """More symbols than parts, by a few and by one, and just as many."""
    bits = draw.integer(2, 4)
    return [(softmax(draw.normal(2, 2**bits + more)), bits) for more in (3, 1, 0)]


_SMALL_TABLES = (
    (np.array([[0.5, 0.5]]), 2),
    (np.array([[1.0, 0.0]]), 2),
    (np.array([[0.75, 0.25]]), 3),
    (np.full((1, 3), 1 / 3), 3),
    (np.array([[0.7, 0.3, 0.0]]), 3),
    (np.array([[0.75, 0.25], [0.25, 0.75]]), 3),
    (np.array([[0.5, 0.5, 0.0, 0.0]]), 2),
    (np.full((1, 5), 0.2), 3),
)


def show_table(p: np.ndarray, bits: int | None) -> str:
    """A case in words."""
    return f"p = {shown(p)} and {'20 bits, by default' if bits is None else f'{bits} bits'}"


def told_frequencies(f: Any) -> str:
    """The first row that does not fill an interval, or the first of all, with its sum."""
    if isinstance(f, str):
        return f
    rows = f.reshape(-1, f.shape[-1])
    row = next((row for row in rows if not fill(row[None])), rows[0])
    return f"{shown(row)} with sum {row.sum():,} and least {row.min():,}"


def frequencies_by_hand(p: np.ndarray, bits: int | None) -> str:
    """The formula's steps on one row of few symbols."""
    if p.size > 5 or len(p) > 1 or bits is None:
        return ""
    k, total = p.size, 2**bits
    shares = p[0] * (total - k)
    before = 1 + np.floor(shares)
    return (
        f"{total} − {k} = {total - k} parts to share: {shown(shares)}; rounded down, and one for "
        f"each: {shown(before)}; the rest of {total - before.sum():.0f} to the most probable"
    )


def asked_of(quantize: Standin) -> Callable[[np.ndarray, int | None], Any]:
    """How `quantize` is asked; in single precision, or with four axes, parts of p alone, too."""

    def ask(p: np.ndarray, bits: int | None) -> Any:
        given, how = torch.tensor(p), () if bits is None else (bits,)
        room = 2 ** (20 if bits is None else bits)
        try:
            answer, after = call_and_keep(quantize, given, *how)
        except StudentFailed as why:
            if p.shape[-1] < room:
                raise
            return REFUSED if why.is_a(ValueError) else str(why)[:120]
        if answer is None:
            raise NotAttempted("quantize returned None")
        if p.shape[-1] > room:
            return ANSWERED
        found = expect_array(answer, p.shape, "int", "the frequencies")
        if p.dtype != np.float32 and p.ndim < 4:
            return found
        if not np.array_equal(expect_array(after[0], p.shape, "float", "the probabilities"), p):
            return CHANGED
        again = expect_array(quantize(given, *how), p.shape, "int", "the frequencies")
        if not np.array_equal(found, again):
            return BY_CHANCE
        alone = [
            [expect_array(quantize(row, *how), row.shape, "int", "the frequencies") for row in rows]
            for rows in given
        ]
        return found if np.array_equal(found, np.array(alone)) else BESIDE

    return ask


@checks("quantize", lesson=LESSON, points=4, see="Exercise 2: whole numbers that agree")
def whole_numbers_that_agree(quantize: Standin, draw: Draw) -> Iterator[Claim | Cause]:
    """Frequencies of at least one part each, that sum to a power of two."""
    subject = Subject(
        ask=asked_of(quantize),
        rule=frequencies,
        mistakes=_OF_FREQUENCIES,
        symptoms=_OF_BATCHES,
        show=show_table,
        told=told_frequencies,
        by_hand=frequencies_by_hand,
        smaller=smaller_than(_SMALL_TABLES),
    )
    yield from examine(
        subject,
        draw,
        Property(
            "sums",
            "each row sums to 2^bits, exactly",
            ordinary_tables,
            1,
            asks="the parts fill the interval: no gap, no overlap",
            alike=as_asked(full),
        ),
        Property(
            "parts",
            "no symbol is left without a part, be its probability 0",
            lambda draw: hard_tables(draw) + ordinary_tables(draw),
            1,
            asks="at least 1 for every symbol: what a model calls impossible happens",
            alike=as_asked(lambda a, b: a.min() >= 1),
        ),
        Property(
            "near",
            "frequencies are proportional to p, up to a few parts",
            lambda draw: ordinary_tables(draw) + hard_tables(draw),
            1,
            asks="each within some k parts of p · 2^bits",
            alike=as_asked(near),
        ),
        Property(
            "alone",
            "a row's frequencies come from that row alone, divided by its sum, in single precision "
            "too",
            single_tables,
            0.5,
            asks="the same for a float32 row whose sum is 1 up to 10^-5, whatever stands beside it",
            typical=False,
            needs="near",
            alike=as_asked(lambda a, b: full(a, b) and near(a, b)),
        ),
        Property(
            "refused",
            "more symbols than parts are refused with a ValueError, and as many are not",
            crowded_tables,
            0.5,
            asks="a ValueError when k > 2^bits, and an answer when k = 2^bits",
            typical=False,
            alike=as_asked(lambda a, b: True),
        ),
    )


# --- encode ---------------------------------------------------------------------------------------

# So many examples that frequencies of six bits cost too much in every draw.
MANY = 1200
MADE_OF_THE_MODEL = "files that are made of the model's probabilities: other model, other file"
FILE = "the file of a set costs −log2 p(x) bits, within 0.5 % and 64 bits"


def file_of(value: Any) -> bytes:
    """What `encode` returned, if it is bytes; WrongKind otherwise."""
    if type(value) is not bytes:
        raise WrongKind(f"a file is bytes, as .tobytes() gives them: got {describe(value)}")
    return value


@dataclass(frozen=True)
class Sent:
    """A set of examples and its file: sizes and prices are bits.

    `otherwise` says what the file would cost if the tables were others, by what is wrong with them;
    `padded`, that zlib can shrink it, `packed`, that it begins as a packer's files do: nothing is
    left to predict in a file that costs its price.
    """

    told: str
    size: int
    price: float
    otherwise: dict[str, list[float]]
    padded: bool
    packed: bool

    @property
    def fair(self) -> bool:
        """Whether the file is worth its price."""
        return fits(self.size, self.price) and not self.padded


_OTHER_TABLES = {
    "conditionals-of-zeros": "the model was asked about zeros: the sender knows x, and asks for "
    "p(· | x_<i)",
    "context-unused": "the file is as long as if each symbol were coded without its past: use "
    "conditionals(x)[:, i]",
    "input-shifted": "the file is as long as if the model were asked about x moved by a column: "
    "column i of conditionals(x) is p(· | x_<i) already, so nothing is shifted",
    "leading-row": "the file is as long as if the tables of the first example served all of them: "
    "each example has a row of its own in the table of a column",
    "mean-table": "the file is as long as if one table, the mean over the examples, served all of "
    "them: each example has a row of its own in the table of a column",
    "softmax-again": "the file is as long as with a softmax of the conditionals: they are "
    "probabilities already",
    "one-column-late": "the file is as long as if column i were coded with the table of another "
    "column: [:, i] for both",
    "columns-reversed": "the file is as long as if the symbols of the last column met the table of "
    "the first one, and so on: column i of x and table i belong together",
    "coarse-frequencies": "the file is as long as with frequencies of fewer bits: take BITS, 20",
    "not-compressed": "the file is as long as the symbols themselves, as they lie in memory",
}


def prices_otherwise(
    bias: np.ndarray,
    blank: np.ndarray,
    p: np.ndarray,
    x: np.ndarray,
    shifted: Sequence[np.ndarray] = (),
) -> dict[str, list[float]]:
    """What x costs under other tables than its own p, by what is wrong with them.

    `blank` are the tables of zeros, `shifted` those of x moved by a column.
    """
    (count, _, k), parts = p.shape, 2**20

    def under(q: np.ndarray) -> float:
        return price(q * (1 - k / parts) + 1 / parts, x)  # each symbol has its smallest part

    late = np.roll(p, 1, axis=1)
    late[:, 0] = 1 / k
    coarse = [frequencies(p, bits) / 2**bits for bits in range(5, 13)]
    return {
        "conditionals-of-zeros": [under(blank)],
        "context-unused": [x.size * math.log2(k), under(np.tile(softmax(bias), (count, 1, 1)))],
        "input-shifted": [under(q) for q in shifted],
        "leading-row": [under(np.repeat(p[:1], count, axis=0))] if count > 1 else [],
        "mean-table": [under(np.repeat(p.mean(axis=0, keepdims=True), count, axis=0))],
        "softmax-again": [under(softmax(p))],
        "one-column-late": [
            under(q) for q in (late, np.roll(p, 1, axis=1), np.roll(p, -1, axis=1))
        ],
        "columns-reversed": [under(p[:, ::-1])],
        "coarse-frequencies": [price(q, x) for q in coarse],
        "not-compressed": [bits * float(x.size) for bits in (8, 16, 32, 64)],
    }


def sent(encode: Standin, draw: Draw, n: int, k: int, count: int) -> Sent:
    """A set of examples of a random model, sent."""
    bias, pairs = pair_numbers(draw, n, k, scale=1.2)
    x = sampled(draw, bias, pairs, count)
    file = file_of(encode(pair_model(encode, bias, pairs), symbols(x)))
    p = conditionals(bias, pairs, x)
    blank = conditionals(bias, pairs, np.zeros_like(x))
    moved = np.roll(x, 1, axis=1)
    shifted = [conditionals(bias, pairs, y) for y in (moved, moved * (np.arange(n) > 0))]
    otherwise = prices_otherwise(bias, blank, p, x, shifted)
    padded = len(file) >= 100 and len(zlib.compress(file, 9)) < 0.9 * len(file)
    told = f"{count:,} examples of {n} symbols"
    return Sent(told, 8 * len(file), price(p, x), otherwise, padded, begins_as_packed(file))


def begins_as_packed(file: bytes) -> bool:
    """Whether the file begins as those of zlib, gzip, bz2 or lzma do."""
    by_zlib = len(file) > 1 and file[0] == 0x78 and int.from_bytes(file[:2], "big") % 31 == 0
    return by_zlib or file.startswith((b"\x1f\x8b", b"BZh", b"\xfd7zXZ", b"\x5d\x00\x00"))


def why_that_long(sets: Sequence[Sent]) -> str:
    """The one thing wrong with the tables that would give sets their sizes; "" if none or several.

    The last set is so small that all would. A file is filled up to whole words, and is hardly
    shorter than the price of what is in it.
    """
    if all(fits(s.size, s.price) for s in sets[:2]):
        return ""

    def worth(size: float, bits: float) -> bool:
        return -8 <= size - bits + 0.004 * bits and size - bits <= 0.004 * bits + WORDS

    names = [
        name
        for name in _OTHER_TABLES
        if all(any(worth(s.size, bits) for bits in s.otherwise[name]) for s in sets[:2])
    ]
    return names[0] if len(names) == 1 else ""


def a_stream_for_each(encode: Standin, draw: Draw) -> str:
    """ "example" or "column", if the file of a set is the files of these, one behind another."""
    n, k, count = 4, 5, 3
    flat = np.repeat(softmax(draw.normal(n, 1, k)), k, axis=1)
    x = draw.rng.integers(0, k, size=(count, n))

    def file(columns: slice, rows: slice) -> bytes:
        table = flat[columns]
        model = looked_model(encode, table, np.zeros(len(table), dtype=np.int64))
        return file_of(encode(model, symbols(x[rows, columns])))

    whole, every = file(slice(None), slice(None)), slice(None)
    if whole == b"".join(file(every, slice(b, b + 1)) for b in range(count)):
        return "example"
    return "column" if whole == b"".join(file(slice(i, i + 1), every) for i in range(n)) else ""


def bytes_in_front(encode: Standin, draw: Draw) -> int:
    """How many of the first eight bytes are the same in 64 files, whatever they hold."""
    n, k = 60, 5
    table = np.repeat(softmax(draw.normal(n, 1, k)), k, axis=1)
    model = looked_model(encode, table, np.zeros(n, dtype=np.int64))
    x = draw.rng.integers(0, k, size=(64, n))
    files = ask_each(encode, model, [symbols(word[None]) for word in x])
    if not all(isinstance(file, bytes) and len(file) >= 8 for file in files):
        return 0
    begin = np.array([list(file[:8]) for file in files])
    return int((begin == begin[0]).all(axis=0).sum())


def claim_of_the_price(encode: Standin, draw: Draw, sets: Sequence[Sent]) -> Claim:
    """Files cost what they are worth."""
    failed = next((one for one in sets if not one.fair), None)
    packed = all(s.packed for s in sets)
    named = why_that_long(sets) if failed and not packed else ""
    longer = all(s.size > s.price for s in sets)
    each = a_stream_for_each(encode, draw) if failed and longer and not named else ""
    shorter = any(s.size < s.price - WORDS for s in sets[:2])  # by chance once in 2^64 files
    front = 0 if failed else bytes_in_front(encode, draw)
    saw = ""
    if failed:
        saw = f"{failed.size:,} bits for a price of {failed.price:,.0f}, for {failed.told}"
        saw += ", though zlib makes the file shorter" if failed.padded else ""
    elif front:
        saw = f"{front} of the first 8 bytes are the same in 64 files of different words"
    return claim(
        FILE,
        not failed and not front,
        points=2,
        saw=saw,
        asks="no more than 1.005 times the price and 64 bits, and hardly less; nothing in the file "
        "that could be left out",
        advice=[
            *(when(named == name, name, text) for name, text in _OTHER_TABLES.items()),
            when(
                failed and packed,
                "packed-again",
                "the stream is packed once more, by zlib or the like: in it nothing is left to "
                "predict, so that it grows",
            ),
            when(
                each,
                "stream-for-each",
                f"the file is a stream for each {each}, one behind another, and pays for whole "
                "words each time: one encoder for all of them, and its words once, at the end",
            ),
            when(
                shorter,
                "too-short",
                "the file is shorter than its price: something is missing from it, and it cannot "
                "be read",
            ),
            when(
                front,
                "header",
                "what stands in front is the same whatever x is: nothing goes into the file but "
                "the stream, for both sides know the model, BITS, and how many examples there are",
            ),
            when(
                failed and failed.padded,
                "padded",
                "zlib makes this file smaller: bytes in it say nothing of x",
            ),
            "nothing that is known here gives files of these sizes: one stream for all, in which "
            "column i of x is coded with column i of its own conditionals, is as long as the price",
        ],
    )


def claim_of_the_impossible(encode: Standin, draw: Draw, padded: bool, fair: bool) -> Claim:
    """A table of zeros and ones: a sure thing is free, and the impossible can be written.

    `fair` says that ordinary files cost what they are worth.
    """
    n, k = draw.integer(10, 14), 3
    table = np.zeros((n, k, k))
    favorite = draw.rng.integers(0, k, size=n)
    table[np.arange(n), :, favorite] = 1.0
    model = looked_model(encode, table, np.zeros(n, dtype=np.int64))
    sure = np.repeat(favorite[None], 40, axis=0)
    asked = [sure]
    for column in (0, draw.integer(1, n - 2), n - 1):
        asked.append(sure.copy())
        asked[-1][:8, column] = (favorite[column] + 1) % k
    cheap, *dear = ask_each(encode, model, [symbols(x) for x in asked])
    told = [v for v in (cheap, *dear) if isinstance(v, str)]
    length, *lengths = (8 * len(v) if isinstance(v, bytes) else -1 for v in (cheap, *dear))
    # Eight impossible symbols, at the 14 to 34 bits that the smallest part of an interval costs.
    free, least, most = 0 <= length <= WORDS, 8 * 14, 8 * 34 + WORDS
    odd = next((one for one in lengths if not least <= one <= most), lengths[0])
    return claim(
        "a sure thing costs nothing, and an impossible one can still be written",
        free and least <= odd <= most,
        points=1,
        saw=f"{told[0]} for symbols of probability {1 if isinstance(cheap, str) else 0}"
        if told
        else f"{length} bits for {sure.size} sure symbols, {odd} with 8 impossible ones",
        asks=f"at most {WORDS} bits for the sure ones; a smallest part of the interval for each "
        f"impossible one, so {least} to {most} bits with them",
        waits=waits_unless(not padded, "files whose bytes all say something of x"),
        advice=[
            when(
                free and fair and not told and 8 * 5 < min(lengths) <= max(lengths) < least,
                "few-bits",
                f"an impossible symbol costs no more than {max(lengths) // 8} bits: BITS, 20, says "
                "how small the smallest part of the interval is",
            ),
            when(
                free and fair and max(lengths) < least,  # in whichever column they stand
                "zero-probability",
                "a symbol of probability 0 is lost or refused: quantize gives each symbol a part",
            ),
            "code with quantize(model.conditionals(x), BITS)"
            if fair
            else "what makes ordinary files too long or too short is at work here, too: see the "
            "first sentence",
        ],
    )


def lost_in_long_words(encode: Standin, draw: Draw) -> str:
    """Two words that share a file though only their last two symbols differ, "" if none do.

    Sixteen even symbols: a symbol is half a byte of the stream, so that the last byte of the file
    is told by the last two of them at one of these lengths, wherever in a word it lies.
    """
    k = 16
    for n in range(2, 17, 2):
        even = looked_model(encode, np.full((n, k, k), 1 / k), np.zeros(n, dtype=np.int64))
        x = np.repeat(draw.rng.integers(0, k, size=(1, n)), 24, axis=0)
        x[:, -2], x[:, -1] = np.divmod(draw.permutation(k * k)[:24], k)
        files = [f for f in ask_each(encode, even, [symbols(w[None]) for w in x])
                 if isinstance(f, bytes)]  # fmt: skip
        if len(set(files)) < len(x):
            return f"{len(set(files))} different files for {len(x)} words of {n} symbols"
    return ""


def claims_of_the_words(encode: Standin, draw: Draw) -> Iterator[Claim]:
    """A file for each word, nothing left to chance, and what is read first written first."""
    n = 6
    bias, pairs = pair_numbers(draw, n, 2)
    model = pair_model(encode, bias, pairs)
    every = np.array(list(itertools.product((0, 1), repeat=n)))
    files = ask_each(encode, model, [symbols(word[None]) for word in every])
    different = len({f for f in files if isinstance(f, bytes)})
    shared = (
        "" if different == len(every) else f"{different} different files for {len(every)} words"
    )
    shared = shared or lost_in_long_words(encode, draw)
    answer, after = ask_and_keep(encode, model, symbols(every))
    once_more = encode(model, symbols(every))
    alike = isinstance(answer, bytes) and answer == once_more
    other = pair_model(encode, -bias, -pairs)
    heard = looks_at(lambda one: encode(one, symbols(every)), model, other)
    kept = np.array_equal(expect_array(after, every.shape, "int", "x"), every)
    yield claim(
        "different words have different files, the same word the same, and x stays as it is",
        not shared and alike and kept,
        points=0.5,
        saw="an x that is changed by the call"
        if not kept
        else shared or "two different files for the same x",
        asks="a file from which x can be read: one for each word",
        waits=waits_unless(heard, MADE_OF_THE_MODEL),
        advice=[
            when(not kept, "x-overwritten", "you write into x: the sender's data stay as they are"),
            when(
                isinstance(answer, bytes)
                and isinstance(once_more, bytes)
                and len(once_more) > len(answer)
                and once_more.startswith(answer[: len(answer) // 2]),
                "encoder-kept",
                "the second file of one x begins as the first one does, and is longer: a coder "
                "lives on after the call; make a new one in each",
            ),
            when(
                shared,
                "information-lost",
                "two words share a file, so that nobody can tell them apart: is every column "
                "coded, with the symbols of x, and is every byte in the file?",
            ),
            "the same x gave two files: nothing in a file is left to chance, or to earlier calls",
        ],
    )
    yield claim_of_the_order(encode, draw, waits_unless(heard, MADE_OF_THE_MODEL), bool(shared))


def claim_of_the_order(encode: Standin, draw: Draw, waits: str, lost: bool) -> Claim:
    """Whoever reads a file knows the past only: what is read first has to be written first.

    `lost` says that nobody can read the files: then they show no order.
    Examples that begin alike have files that begin alike. Or the file is a stack: the library's,
    or one that the student's own decode reads.
    """
    n, k, bytes_alike = 120, 4, 11  # two bits a symbol: the first half of x fills 15 bytes
    even = looked_model(encode, np.full((n, k, k), 1 / k), np.zeros(n, dtype=np.int64))
    x = draw.rng.integers(0, k, size=(1, n))
    half = np.arange(n) < n // 2
    asked = [x, np.where(half, x, (x + 1) % k), np.where(half, (x + 1) % k, x)]
    files = ask_each(encode, even, [symbols(each) for each in asked])
    mine, begun_alike, ended_alike = (f if isinstance(f, bytes) else b"" for f in files)
    begins, ends = (
        mine[:bytes_alike] == other[:bytes_alike] for other in (begun_alike, ended_alike)
    )
    waits = waits or waits_unless(mine != begun_alike, "other files for other examples")
    packed = begins_as_packed(mine) and begins_as_packed(ended_alike)
    waits = waits or waits_unless(not packed, "a file that is the stream alone")
    turned = is_a_stack_of(x[0, ::-1], k, mine)  # its words begin with those that were put first
    told = (begins and not turned) or is_a_stack_of(x[0], k, mine)
    if not told and not turned and not waits:
        try:
            told = is_x(Codec(encode, partner(encode, "decode")).back(even, x, retold=False), x)
        except NotAttempted:
            waits = "`decode`, to see whether it reads files that begin with the end of x"
        except (StudentFailed, WrongKind):
            pass
    return claim(
        "a file is read from its first column on: what the reader needs first can be read first",
        told and not packed,
        points=0.5,
        saw="the file is a stack that gives the last symbol first"
        if turned
        else "files that begin alike for two examples of which only the ends are alike, and that "
        "neither a stack nor your decode reads"
        if ends
        else f"files that differ from the first bytes on, for two examples that differ from symbol "
        f"{n // 2 + 1} on, and that neither a stack nor your decode reads",
        asks="a stack that gives the first symbol first"
        if turned
        else "examples that begin alike have files that begin alike, unless a stack reads them",
        waits=waits,
        advice=[
            when(
                turned,
                "stack-order",
                "an AnsCoder is a stack, and yours is filled from the first column on: the last "
                "one is read first then, with a table that depends on all the others. Fill it from "
                "back to front, or take a RangeEncoder",
            ),
            when(
                ends and not lost,
                "columns-backwards",
                "a range coder is a queue, and yours is filled from the last column on: that is "
                "read first then, with a table that depends on all the others",
            ),
            "the reader knows nothing but x_<i when it reads x_i: all that was written before must "
            "be known by then",
        ],
    )


def is_a_stack_of(x: np.ndarray, k: int, file: bytes) -> bool:
    """Whether the library's stack gives the symbols x (n,) back, each of k as probable as another.

    With k a power of two no rounding of the tables can matter.
    """
    from constriction import stream

    try:
        coder = stream.stack.AnsCoder(np.frombuffer(file, dtype=np.uint32))
        found = coder.decode(stream.model.Uniform(k), len(x))
    except Exception:  # no words of a stack
        return False
    return bool(np.array_equal(found, x))


@checks("encode", lesson=LESSON, points=4, see="Exercise 3: write the file")
def a_file_for_its_price(encode: Standin, draw: Draw) -> Iterator[Claim]:
    """A file of x costs −log2 p(x), as good as."""
    first = encode(pair_model(encode, *pair_numbers(draw, 3, 2)), symbols(np.eye(3)))
    if type(first) is not bytes:
        yield claim(
            FILE,
            False,
            points=2,
            saw=describe(first),
            asks="bytes, that could be written to a disk as they are",
            advice=[
                when(
                    isinstance(first, np.ndarray),
                    "words-for-bytes",
                    "this is an array: .tobytes() makes a file of its words",
                ),
                "return the coder's compressed words as bytes",
            ],
        )
        return
    sizes = ((16, 3, MANY), (draw.integer(9, 12), 2, draw.integer(150, 200)), (7, 17, 1))
    sets = [sent(encode, draw, *size) for size in sizes]
    yield claim_of_the_price(encode, draw, sets)
    padded, fair = any(one.padded for one in sets), all(one.fair for one in sets)
    yield claim_of_the_impossible(encode, draw, padded, fair)
    yield from claims_of_the_words(encode, draw)


# --- decode ---------------------------------------------------------------------------------------

# A range coder refuses some 1e-4 of its symbols when they are random, so about 2 of 300 messages
# with 60 symbols each; more than 20 would be refused less than once in 1e12 verdicts.
MESSAGES, EACH, BOUND, REFUSALS = 300, 20, 0.095, 20

GAVE_UP = "the library gives up on the message"
READ = "a decoder that reads the file with the model: other model, or other bytes, other symbols"
SHORT = "short messages that come back"
LONG = "a long message comes back too, to the last symbol"
SHAPE = "both ends ask the model in the same shape, and in symbols that it has"


@dataclass(frozen=True)
class Codec:
    """A student's two ends."""

    encode: Standin
    decode: Standin

    def file(self, model: Standin, x: np.ndarray) -> bytes:
        """The file of x (B, n)."""
        return file_of(self.encode(model, symbols(x)))

    def read(
        self, model: Standin, file: bytes, shape: tuple[int, ...], *, retold: bool = True
    ) -> np.ndarray | str:
        """What comes back, int64 `shape`; where the library gives up, a sentence that says so.

        Another exception is raised again (with `retold`), else its name is the answer.
        """
        count = [shape[0]] if shape[0] != 1 else []  # one example is the default
        [found] = ask_each(self.decode, model, [file], *count)
        if isinstance(found, str):
            if found == "AssertionError":
                return GAVE_UP
            if not retold:
                return found
            try:
                found = self.decode(model, file, *count)  # once more, for the line of their code
            except StudentFailed as why:
                if "Invalid compressed data" in str(why):  # so a stack refuses some files
                    return GAVE_UP
                raise
        return expect_array(found, shape, "int", "what is decoded")

    def back(self, model: Standin, x: np.ndarray, **how: Any) -> np.ndarray | str:
        """What comes back of x."""
        return self.read(model, self.file(model, x), x.shape, **how)


def is_x(found: Any, x: np.ndarray) -> bool:
    """Whether what came back, a refusal or an array of any dtype, is x."""
    return not isinstance(found, str) and np.array_equal(expect_array(found, None, "number"), x)


def is_a_codec(codec: Codec, draw: Draw) -> bool:
    """Whether symbols come from file AND model: two ends that agree might look at neither.

    With another model the file of x must not give x. With a half or a quarter at either end
    exchanged it must not either, but at one of the ends that leaves the symbols that are read first
    (columns or rows) as they were: a decoder reads bit by bit, and looks nothing up. (A stack that
    is one large integer looks BITS ahead at each symbol.) The file is not twice its price.
    """
    n, k, count = 24, 8, 12
    flat = [np.repeat(softmax(draw.normal(n, 1, k)), k, axis=1) for _ in range(2)]
    model, other = (independent(codec, table[:, 0]) for table in flat)
    x = draw.rng.integers(0, k, size=(count, n))
    file = codec.file(model, x)
    bits = price(np.repeat(flat[0][None, :, 0], count, axis=0), x)
    hurt = []
    for part in (len(file) // 2, len(file) // 4) * 2:
        hurt += [file[:-part] + draw.rng.bytes(part), draw.rng.bytes(part) + file[part:]]
    [elsewhere] = ask_each(codec.decode, other, [file], count)
    if 8 * len(file) > 2 * bits + WORDS * n or is_x(elsewhere, x):
        return False
    for value in ask_each(codec.decode, model, hurt, count):
        if isinstance(value, str):
            continue
        found = expect_array(value, (count, n), "int", "what is decoded")
        begins = (found[:, :2] == x[:, :2]).all() or (found[:1] == x[:1]).all()
        if begins and (found != x).mean() > 0.1:
            return True
    return False


def independent(codec: Codec, p: np.ndarray) -> Standin:
    """A model whose column i has the distribution p[i], whatever stands before it: p is (n, k)."""
    n, k = p.shape
    table = np.repeat(p[:, None], k, axis=1)
    return looked_model(codec.decode, table, np.zeros(n, dtype=np.int64))


def messages(codec: Codec, draw: Draw) -> Iterator[tuple[Standin, np.ndarray]]:
    """Models whose symbols look back, and examples of them; the first is a single one."""
    for n, k, count in (
        (draw.integer(7, 9), 2, 1),
        (draw.integer(4, 6), draw.integer(4, 6), draw.integer(7, 9)),
        (draw.integer(20, 24), 2, draw.integer(30, 40)),
        (5, draw.integer(40, 60), 6),
    ):
        bias, pairs = pair_numbers(draw, n, k, scale=1.5)
        x = sampled(draw, bias, pairs, count)
        x[0, 0] = 1
        yield pair_model(codec.decode, bias, pairs), x


def even_columns(codec: Codec, draw: Draw) -> tuple[Standin, np.ndarray]:
    """A model whose columns all have one table, and an x in which no two columns are alike.

    The table is one of whole 64ths, which single and double precision round alike.
    """
    n, count = draw.integer(8, 10), 3
    x = draw.rng.integers(0, 3, size=(count, n))
    x[:, 0], x[:, -1], x[0, 1], x[1, 0] = 0, 2, 1, 1
    table = (1 + draw.rng.multinomial(61, softmax(draw.normal(3)))) / 64
    return independent(codec, np.repeat(table[None], n, axis=0)), x


_MISPLACED: dict[str, tuple[str, Sequence[Callable[[np.ndarray], np.ndarray]]]] = {
    "stack-order": (
        "the columns come back in reverse order: one of your two loops runs the wrong way. A range "
        "coder is a queue, filled and read from the first column on; an AnsCoder is a stack, last "
        "in, first out, filled from back to front and read from the first column on",
        (lambda x: x[:, ::-1], lambda x: x[::-1, ::-1]),
    ),
    "rows-and-columns": (
        "one end goes along the rows and the other along the columns: both code column after "
        "column",
        (lambda x: x.reshape(x.shape[::-1]).T, lambda x: x.T.reshape(x.shape)),
    ),
    "columns-shifted": (
        "the symbols come back in another column than they were sent in: what is read with the "
        "table of column i is column i of x",
        (
            lambda x: np.roll(x, 1, axis=1),
            lambda x: np.roll(x, -1, axis=1),
            lambda x: np.pad(x[:, :-1], ((0, 0), (1, 0))),
            lambda x: np.pad(x[:, 1:], ((0, 0), (0, 1))),
        ),
    ),
    "decoder-begins-anew": (
        "every column comes back as the first one: the message is read from its beginning each "
        "time. One decoder reads all columns: make it before the loop",
        (lambda x: np.repeat(x[:, :1], x.shape[1], axis=1),),
    ),
    "columns-left-out": (
        "the last column is never read: zeros stand there, and all others come back",
        (lambda x: np.pad(x[:, :-1], ((0, 0), (0, 1))),),
    ),
}


def misplaced(codec: Codec, draw: Draw) -> str:
    """How what comes back is another arrangement of what was sent, in two draws; "" if it is not.

    Columns with one table for all: whichever is read, it is read with its own table.
    """
    seen = []
    for one in (draw, draw.again()):
        model, x = even_columns(codec, one)
        found = codec.back(model, x)
        seen.append({name for name, (_, ways) in _MISPLACED.items()
                     if any(is_x(found, way(x)) for way in ways)})  # fmt: skip
    return next((name for name in _MISPLACED if all(name in names for names in seen)), "")


def reads_another_column(codec: Codec, draw: Draw) -> bool:
    """Whether it reads right with tables that are moved by a column, or as if all were one of them.

    Every column has a distribution of its own, whatever stands before it.
    """
    n, k = 6, 5
    p = softmax(draw.normal(n, k, scale=1.5))
    x = draw.rng.integers(0, k, size=(9, n))
    model = independent(codec, p)
    file = codec.file(model, x)
    moved = [np.roll(p, 1, axis=0), np.roll(p, -1, axis=0)]
    if any(is_x(codec.read(independent(codec, q), file, x.shape), x) for q in moved):
        return True
    sets = [draw.rng.integers(0, k, size=(9, n)) for _ in range(6)]
    others = [np.repeat(p[[i]], n, axis=0) for i in (0, -1)]  # all tables as one is
    others += [p[[*range(n - 1), 0]], p[[n - 1, *range(1, n)]]]  # one of the ends' is not used
    return any(_reads_as_if(codec, model, q, sets) for q in others)


def _reads_as_if(codec: Codec, model: Standin, q: np.ndarray, sets: Sequence[np.ndarray]) -> bool:
    """Whether other symbols come back than were sent, and the same ones as with the tables q."""
    other, wrong = independent(codec, q), False
    for x in sets:
        file = codec.file(model, x)
        found, alike = (codec.read(one, file, x.shape) for one in (model, other))
        if isinstance(found, str) or isinstance(alike, str):
            if found is not alike:
                return False
            continue
        if is_x(found, x) or not is_x(alike, found):
            return False
        wrong = True
    return wrong


def leaves_unread(codec: Codec, draw: Draw) -> bool:
    """Whether the same symbols come back, whatever the message."""
    model, x = even_columns(codec, draw)
    hurt = [draw.rng.bytes(len(codec.file(model, x))) for _ in range(4)]
    found = [codec.back(model, x), *(codec.read(model, file, x.shape) for file in hurt)]
    first = found[0]
    return not isinstance(first, str) and all(is_x(one, first) for one in found)


def reads_the_other_coder(codec: Codec, draw: Draw) -> bool:
    """Whether the receiver reads what the library's queue or stack wrote, and the sender's is none.

    With a power of two of even symbols no rounding of the tables can matter.
    """
    from constriction import stream

    n, k = 40, 4
    even = looked_model(codec.decode, np.full((n, k, k), 1 / k), np.zeros(n, dtype=np.int64))
    x = draw.rng.integers(0, k, size=(1, n))
    row, law = x[0].astype(np.int32), stream.model.Uniform(k)
    stack, queue = stream.stack.AnsCoder(), stream.queue.RangeEncoder()
    stack.encode_reverse(row, law)
    queue.encode(row, law)
    reads = [
        is_x(codec.read(even, coder.get_compressed().tobytes(), x.shape, retold=False), x)
        for coder in (stack, queue)
    ]
    return any(reads) and is_a_stack_of(x[0], k, codec.file(even, x)) != reads[0]


def keeps_what_needs_no_rounding(codec: Codec, draw: Draw) -> bool:
    """Whether messages come back whose tables are the same in every precision, quantized or not.

    A short one of 16 even symbols, and a long one of two: a quarter, by the symbol before it.
    """
    even, y = independent(codec, np.full((8, 16), 1 / 16)), draw.rng.integers(0, 16, size=(3, 8))
    n, count = 128, 40
    table = np.repeat(np.array([[[0.25, 0.75], [0.75, 0.25]]]), n, axis=0)
    table[0] = 0.5
    quarters = looked_model(codec.decode, table, np.maximum(np.arange(n) - 1, 0))
    x = draw.rng.integers(0, 2, size=(count, n))
    return is_x(codec.back(even, y), y) and is_x(codec.back(quarters, x), x)


@dataclass(frozen=True)
class Questions:
    """What a receiver asked a model about: shapes, and the least and largest symbol of each."""

    shapes: list[tuple[int, ...]]
    ranges: list[tuple[int, ...]]
    shape: tuple[int, ...]  # of the file: (count, n)


def questions(codec: Codec, draw: Draw) -> Questions:
    """What a receiver asks while it reads two examples, in whose first column stands 1.

    Whoever reads wrong symbols may meet a message that makes no sense, after a question or two, or
    symbols that are all alike: of six sets the first is taken that is read to its end with more
    than one question of its own, or else the one with the most.
    """
    tries: list[tuple[bool, Questions]] = []
    for _ in range(6):
        model = pair_model(codec.decode, *pair_numbers(draw, 6, 2))
        x = draw.rng.integers(0, 2, size=(2, 6))
        x[:, 0] = 1
        file = codec.file(model, x)
        before = len(model.asked)
        read = not isinstance(codec.read(model, file, x.shape), str)
        shapes, ranges = ([tuple(one) for one in list(every)[before:]]
                          for every in (model.asked, model.ranges))  # fmt: skip
        tries.append((read, Questions(shapes, ranges, x.shape)))
        if read and len(set(ranges)) > 1:
            break
    return max(tries, key=lambda one: (one[0], len(set(one[1].ranges)), len(one[1].shapes)))[1]


_ONE_FOR_ALL = (
    "one-example-for-all",
    "all examples of a file come back the same: in each column `count` symbols are to be read, one "
    "for each example",
)
_ROUNDING = (
    "precision-differs",
    "with tables that need no rounding 5,120 symbols come back, with others not: one end rounds "
    "its probabilities otherwise than the other (float32 and float64, quantized and not, to other "
    "bits)",
)


def telling_try(tries: Sequence[tuple[np.ndarray, Any]]) -> tuple[np.ndarray, Any]:
    """The first of `tries` that failed and has several examples, which some advice speaks of."""
    failed = [(x, found) for x, found in tries if not is_x(found, x)]
    return next((one for one in failed if len(one[0]) > 1), failed[0])


def why_misread(
    codec: Codec, draw: Draw, tries: Sequence[tuple[np.ndarray, Any]], asked: Questions
) -> list[str | Advice]:
    """What is wrong with `tries` (what was sent, and what came back); the last has even columns."""
    blank = all(isinstance(found, np.ndarray) and not found.any() for _, found in tries)
    plain = is_x(tries[-1][1], tries[-1][0])
    moved = "" if plain or blank else misplaced(codec, draw)
    once = plain and len(asked.shapes) == 1
    about_one = plain and len(set(asked.ranges)) == 1 and len(set(asked.ranges[0])) == 1
    rounding = keeps_what_needs_no_rounding(codec, draw)
    many = [(x, found) for x, found in tries if len(x) > 1]
    one_for_all = not blank and all(
        isinstance(found, np.ndarray) and (found == found[0]).all() for _, found in many
    )
    unread = not blank and leaves_unread(codec, draw)
    column = plain and not (once or about_one or rounding) and reads_another_column(codec, draw)
    x, found = telling_try(tries)
    where = "" if isinstance(found, str) else (
        f": the first wrong symbol stands in column {(found != x).any(axis=0).argmax() + 1} of "
        f"{x.shape[1]}"
    )  # fmt: skip
    return [
        when(
            blank,
            "never-written",
            "only zeros come back: put each column that was read into x",
        ),
        when(
            unread,
            "message-unread",
            "the same comes out, whatever goes in: x must come from the message",
        ),
        when(one_for_all, *_ONE_FOR_ALL),
        *(when(moved == name, name, text) for name, (text, _) in _MISPLACED.items()),
        when(
            reads_the_other_coder(codec, draw),
            "other-coder",
            "one end is a queue and the other a stack: RangeEncoder and RangeDecoder belong "
            "together, and an AnsCoder reads what an AnsCoder wrote",
        ),
        when(
            once,
            "one-pass",
            "the model is asked once: ask it again after each column, now that you know more",
        ),
        when(
            plain and all(shape[:1] == (1,) for shape in asked.shapes) and asked.shape[0] > 1,
            "asked-for-one",
            f"the model is asked about one example at a time, of a file that holds {asked.shape[0]}"
            ": ask for all of them, each has conditionals of its own",
        ),
        when(
            about_one,
            "prefix-unused",
            f"the model is asked {len(asked.shapes)} times, about the same symbol everywhere: what "
            "was read must stand in x before it is asked again",
        ),
        when(rounding, *_ROUNDING),
        when(
            column,
            "another-column",
            "a column is read with the table of another one: use column i of the model's answer",
        ),
        f"nothing that is known here gives what comes back{where}; do both ends hand the library "
        "the same table there, in the same order?",
    ]


def claim_of_the_long(codec: Codec, draw: Draw, unread: str, back: bool) -> Claim:
    """2,048 tables of 16 entries: between float32 and float64, some 25 are rounded otherwise."""
    n, k, count = 128, 16, 40
    table = softmax(draw.normal(n, k, k, scale=0.3))
    table[0] = table[0, :1]
    x = draw.rng.integers(0, k, size=(count, n))
    model = looked_model(codec.decode, table, np.maximum(np.arange(n) - 1, 0), "float64")
    found = codec.back(model, x) if back else ""
    kept = is_x(found, x)
    rounding = back and not kept and keeps_what_needs_no_rounding(codec, draw)
    return claim(
        LONG,
        kept,
        points=1,
        saw=found
        if isinstance(found, str)
        else f"{(found != x).mean():.0%} of {x.size:,} symbols wrong, in double precision",
        asks="every symbol of 40 long examples",
        waits=unread if kept else waits_unless(back, SHORT),
        advice=[
            when(rounding, *_ROUNDING),
            "short messages come back, and long ones do not, rounded or not: does anything in "
            "the file or at its ends depend on how much is sent?",
        ],
    )


def claim_of_the_questions(
    codec: Codec, draw: Draw, unread: str, back: bool, asked: Questions
) -> Claim:
    """A model whose last digits depend on the shape, and that looks its symbols up."""
    n, k, count = 12, 3, draw.integer(20, 30)
    bias, pairs = pair_numbers(draw, n, k)
    x = sampled(draw, bias, pairs, count)
    model = pair_model(codec.decode, bias, pairs, "float32", 1e-3, True)
    kept = back and is_x(codec.back(model, x, retold=False), x)
    odd = next((s for s in asked.shapes if s != asked.shape), None)
    strange = next((low for low, _ in asked.ranges if low < 0), None)
    saw = "a message that does not come back if the model's last digits depend on the shape"
    if odd:
        saw = f"a question of shape {odd} by the receiver, of a file with examples {asked.shape}"
    if strange is not None:
        saw = f"a question about the symbol {strange}"
    return claim(
        SHAPE,
        kept,
        points=1,
        saw=saw,
        asks="the full shape (count, n) each time, as the sender asks, in symbols 0 … k − 1: "
        "another shape is another kernel, and other last digits",
        waits=unread if kept else waits_unless(back, SHORT),
        advice=[
            when(
                strange is not None,
                "no-symbol",
                f"places that are not read yet hold {strange}, which is no symbol: a model that "
                "looks its symbols up has no row for it; any symbol will do there, such as 0",
            ),
            when(
                odd,
                "shape-differs",
                "ask for all rows and all columns, zeros where you know nothing yet, and use "
                "column i of the answer",
            ),
            "the receiver asks as it should: does the sender ask for all of x in one call?",
        ],
    )


def numbers_that_tell(draw: Draw) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Numbers of a model of three bits, and p(x) of the eight x.

    Receivers that are deaf, that leave the last column out, or that hear the first example where
    they read another one, have other laws.
    """
    every = np.array(list(itertools.product((0, 1), repeat=3)))
    while True:
        bias, pairs = pair_numbers(draw, 3, 2, scale=1.5)
        bias[0] += np.array([1.2, 0.0]) * draw.choice((-1, 1))
        heard = np.exp2([
            [-price(conditionals(bias, pairs, past[None]), w[None]) for w in every]
            for past in every
        ])  # fmt: skip
        p, deaf = heard.diagonal(), heard[0]
        short = np.repeat(p[::2] + p[1::2], 2) * (every[:, -1] == 0)
        if min(np.abs(p - other).sum() for other in (deaf, short, p @ heard)) > 3 * BOUND:
            return bias, pairs, p


def claim_of_the_noise(
    codec: Codec, draw: Draw, unread: str, back: bool, asked: Questions
) -> Claim:
    """Coin flips decode to x with probability p(x); `back` says that what is sent comes back."""
    bias, pairs, p = numbers_that_tell(draw)
    model = pair_model(codec.decode, bias, pairs, "float64")
    noise = [draw.rng.bytes(128) for _ in range(MESSAGES)]
    drawn = [v for v in ask_each(codec.decode, model, noise, EACH) if not isinstance(v, str)]
    counts, alike = np.zeros(8), 0
    for value in drawn:
        found = expect_array(value, (EACH, 3), "int", "what is decoded")
        alike += bool((found == found[0]).all())
        if np.isin(found, (0, 1)).all():
            np.add.at(counts, found @ np.array([4, 2, 1]), 1)
    anew = not back and misplaced(codec, draw) == "decoder-begins-anew"
    same = alike == len(drawn)
    gap = float(np.abs(counts / max(counts.sum(), 1) - p).sum())
    enough = counts.sum() >= EACH * (MESSAGES - REFUSALS)
    return claim(
        "it reads the message and nothing else: random bytes decode to samples of the model",
        enough and gap < BOUND and not anew and not same,
        points=1,
        saw=f"{MESSAGES - len(drawn):,} of {MESSAGES:,} random messages refused"
        if len(drawn) < MESSAGES - REFUSALS
        else "symbols that the model has not"
        if not enough
        else "a message that is read from its beginning again for each column"
        if anew
        else f"{EACH} examples of a message that are all the same"
        if same
        else f"samples whose distribution is {gap:.2f} away from the model's",
        asks="any message is a message: coin flips decode to x with probability p(x), up to chance "
        f"({BOUND} at most)",
        advice=[
            when(
                enough and counts.max() == counts.sum(),
                "message-unread",
                "the same comes out, whatever goes in: x must come from the message",
            ),
            when(anew, "decoder-begins-anew", _MISPLACED["decoder-begins-anew"][0]),
            when(enough and same, *_ONE_FOR_ALL),
            when(
                enough and len(asked.shapes) == 1,
                "one-pass",
                "the model is asked once: ask it again after each column, now that you know more",
            ),
            when(
                len(drawn) < MESSAGES - REFUSALS and not unread,
                "header",
                "whatever refuses random bytes looks for something in them: the message is the "
                "stream alone, as encode wrote it, without a header, a length or a checksum",
            ),
            "nothing but the model and the message may go into x"
            if back
            else "the tables that the message is read with are not the model's for what was read "
            "before: see the first sentence",
        ],
    )


@checks("decode", lesson=LESSON, points=5, see="Exercise 4: read it back")
def what_was_sent_comes_back(decode: Standin, draw: Draw) -> Iterator[Claim]:
    """The receiver has the model and the message, and reads x."""
    codec = Codec(partner(decode, "encode"), decode)
    tries = [
        (x, codec.back(model, x))
        for model, x in (*messages(codec, draw), even_columns(codec, draw))
    ]
    failed = any(not is_x(found, x) for x, found in tries)
    unread = waits_unless(is_a_codec(codec, draw), READ)
    asked = questions(codec, draw)
    saw = ""
    if failed:
        x, found = telling_try(tries)
        saw = found if isinstance(found, str) else (
            f"{(found != x).sum()} of {x.size} symbols wrong at n = {x.shape[1]}, "
            f"{len(x)} example{'s' * (len(x) > 1)}"
        )  # fmt: skip
    yield claim(
        "what was encoded comes back, symbol for symbol",
        not failed,
        points=2,
        saw=saw,
        asks="x itself",
        waits="" if failed else unread,
        advice=why_misread(codec, draw, tries, asked) if failed else "",
    )
    yield claim_of_the_long(codec, draw, unread, not failed)
    yield claim_of_the_questions(codec, draw, unread, not failed, asked)
    yield claim_of_the_noise(codec, draw, unread, not failed, asked)


# --- decode_learning ------------------------------------------------------------------------------

FEW = 18  # symbols that are told one by one
OTHER_LEARNER = "answers that change with what `learn` makes of the blocks that were read"
Blocks = list[np.ndarray]


def in_rows(x: np.ndarray) -> str:
    """Examples in digits."""
    return " ".join("".join(map(str, row)) for row in x.tolist())


@dataclass(frozen=True)
class Parcel:
    """Examples x in blocks, and their files: each is written by what `learn` makes of those before.

    The files are the student's own `encode`'s.
    """

    codec: Codec
    learn: Standin
    x: np.ndarray
    sizes: tuple[int, ...]

    @property
    def told(self) -> str:
        """The blocks, in words; of few symbols, what stands in them."""
        told = f"blocks of {', '.join(map(str, self.sizes))} examples of {self.x.shape[1]} symbols"
        return f"{told}: {in_rows(self.x)}" if self.x.size <= FEW else told

    @functools.cached_property
    def files(self) -> list[bytes]:
        """One a block."""
        ends = np.cumsum(self.sizes)
        return [
            self.codec.file(self.learn(symbols(self.x[: end - size])), self.x[end - size : end])
            for size, end in zip(self.sizes, ends, strict=True)
        ]

    def read(
        self,
        taught: Callable[[Blocks, int], Blocks],
        count: int = 0,
        smallest_first: bool = False,
    ) -> np.ndarray | str:
        """What the student's `decode` makes of the files, if `learn` gets the blocks `taught`.

        Those are told from the blocks that were read, and the size of the next. With `count`, so
        many examples are read from each file, and with `smallest_first` that of the fewest first.
        """
        n, blocks = self.x.shape[1], []
        files = list(zip(self.files, self.sizes, strict=True))
        for file, size in sorted(files, key=lambda f: f[::-1]) if smallest_first else files:
            known = np.concatenate([np.zeros((0, n), dtype=np.int64), *taught(blocks, size)])
            found = self.codec.read(self.learn(symbols(known)), file, (count or size, n))
            if isinstance(found, str):
                return found
            blocks.append(found)
        return np.concatenate(blocks)

    def asked(self, decode_learning: Standin, learn: Standin) -> np.ndarray | str:
        """What the student's receiver reads, or the sentence that the library gives up."""
        n, sizes = self.x.shape[1], list(self.sizes)
        [found] = ask_each(decode_learning, learn, [self.files], sizes, n)
        if isinstance(found, str) and found == "AssertionError":
            return GAVE_UP
        if isinstance(found, str):
            found = decode_learning(learn, self.files, sizes, n)  # once more, for the line
        array = expect_array(found, None, "int", "what is read")
        if array.ndim != 2 or array.shape[1] != n:
            expect_array(found, self.x.shape, "int", "what is read")
        return array


def parcel(codec: Codec, draw: Draw, n: int, k: int, sizes: tuple[int, ...]) -> Parcel:
    """Examples of a random model, in blocks."""
    bias, pairs = pair_numbers(draw, n, k, scale=1.5)
    x = sampled(draw, bias, pairs, sum(sizes))
    return Parcel(codec, learner(codec.decode, n, k), x, sizes)


def ordinary_parcels(codec: Codec, draw: Draw) -> list[tuple[Parcel]]:
    """Three blocks and more, of sizes that differ."""
    sizes = (draw.integer(6, 9), draw.integer(10, 14), draw.integer(16, 20))
    return [
        (parcel(codec, draw, 6, 3, sizes),),
        (parcel(codec, draw, 9, 2, (*sizes[::-1], 12)),),
        (parcel(codec, draw, 3, 11, (8, *sizes)),),
    ]


def small_parcels(codec: Codec, draw: Draw) -> list[tuple[Parcel]]:
    """Blocks of one example, a single block, and both."""
    return [
        (parcel(codec, draw, draw.integer(12, 16), 4, sizes),)
        for sizes in ((1, 1, 1, 1), (draw.integer(8, 12),), (9, 1, 2))
    ]


def smaller_parcels(codec: Codec, draw: Draw, than: Parcel) -> Iterator[tuple[Parcel]]:
    """Blocks whose symbols can be told one by one."""
    for n, sizes in ((2, (1, 2)), (2, (2, 3)), (2, (3, 2, 3)), (3, (3, 3))):
        if n * sum(sizes) < than.x.size:
            yield (parcel(codec, draw, n, 2, sizes),)


def _turned(value: np.ndarray | str, parcel: Parcel) -> np.ndarray | str:
    """The blocks in reverse order, if the library does not give up."""
    if isinstance(value, str):
        return value
    return np.concatenate(np.split(value, np.cumsum(parcel.sizes)[:-1])[::-1])


def _backwards(blocks: Blocks, size: int) -> Blocks:
    """All examples that were read, the last one first."""
    return [np.concatenate(blocks)[::-1]] if blocks else []


def _again_and_again(blocks: Blocks) -> Blocks:
    """After each block all that was read, put behind what was taught before it."""
    return [block for end in range(1, len(blocks) + 1) for block in blocks[:end]]


def _unread(parcel: Parcel, blocks: Blocks) -> Blocks:
    """Zeros in the places of all examples that are not read yet."""
    seen = sum(map(len, blocks))
    return [np.zeros_like(parcel.x[seen:])]


_OF_RECEIVERS = (
    Mistake(
        "ends-differ",
        "your own encode and decode do not give a block back, though both have the same model: "
        "mend them first",
        gives=lambda parcel: parcel.read(lambda blocks, size: blocks),
    ),
    *(
        Mistake(name, advice, gives=lambda parcel, taught=taught: parcel.read(taught))
        for name, taught, advice in (
            (
                "nothing-learned",
                lambda blocks, size: [],
                "every file is read by the model that has learned from nothing: the sender has "
                "learned from all blocks before",
            ),
            (
                "last-block-only",
                lambda blocks, size: blocks[-1:],
                "each model learns from the block before alone: the sender's learns from all of "
                "them",
            ),
            (
                "first-block-only",
                lambda blocks, size: blocks[:1],
                "what was learned from the first block reads all that follow: learn again from "
                "all that was read, before each file",
            ),
            (
                "one-block-late",
                lambda blocks, size: blocks[:-1],
                "the model that reads a block has not learned from the one just before it",
            ),
            *(
                (
                    "learned-in-another-order",
                    taught,
                    "`learn` gets the examples in another order than they were sent in: a rule of "
                    "learning may go by it",
                )
                for taught in (_backwards, lambda blocks, size: blocks[::-1])
            ),
        )
    ),
    *(
        Mistake(
            "learns-from-zeros",
            "`learn` gets zeros for examples that are not read yet, and learns from them: give it "
            "only what was read",
            gives=gives,
        )
        for gives in (
            lambda parcel: parcel.read(lambda blocks, size: blocks + _unread(parcel, blocks)),
            lambda parcel: parcel.read(
                lambda blocks, size: [*blocks, np.zeros_like(parcel.x[:size])]
            ),
            lambda parcel: parcel.read(lambda blocks, size: [np.zeros_like(parcel.x[:1]), *blocks]),
        )
    ),
    Mistake(
        "blocks-taught-twice",
        "`learn` gets blocks that were read more than once: give it each example once",
        gives=lambda parcel: parcel.read(lambda blocks, size: _again_and_again(blocks)),
    ),
    Mistake(
        "rows-sorted-out",
        "`learn` gets each pattern once, though several examples have it: give it all that was "
        "read, in its order",
        gives=lambda parcel: parcel.read(
            lambda blocks, size: [np.unique(np.concatenate(blocks), axis=0)] if blocks else []
        ),
    ),
    Mistake(
        "files-in-another-order",
        "the files are read in the order of their sizes, and not in the order in which they were "
        "written",
        gives=lambda parcel: parcel.read(lambda blocks, size: blocks, smallest_first=True),
    ),
    Mistake(
        "count-forgotten",
        "one example is read from each file: decode has to know how many there are",
        gives=lambda parcel: parcel.read(lambda blocks, size: blocks, 1),
    ),
    Mistake(
        "one-size-for-all",
        "as many examples are read from every file as from the first: each has a size of its own",
        gives=lambda parcel: parcel.read(lambda blocks, size: blocks, parcel.sizes[0]),
    ),
    Mistake(
        "newest-first",
        "the blocks come back in reverse order: what was read last goes behind",
        after=_turned,
    ),
    Mistake(
        "newest-first",
        "each new block is put in FRONT of those before it, for `learn` too: it goes behind them",
        gives=lambda parcel: _turned(parcel.read(lambda blocks, size: blocks[::-1]), parcel),
    ),
    Mistake(
        "last-block-returned",
        "only the last block is returned: put each behind those before it",
        after=lambda value, parcel: value[-parcel.sizes[-1] :],
    ),
    Mistake(
        "last-block-unread",
        "the last file is never read",
        after=lambda value, parcel: value[: -parcel.sizes[-1]],
    ),
    Mistake(
        "first-block-unread",
        "what the first file holds is missing",
        after=lambda value, parcel: value[parcel.sizes[0] :],
    ),
)


def misread(answer: Any, right: np.ndarray, parcel: Parcel) -> str:
    """What came back instead of the examples."""
    if isinstance(answer, str):
        return f"{answer}, for {parcel.told}"
    if answer.shape != right.shape:
        return f"{len(answer)} examples in place of {len(right)}, for {parcel.told}"
    wrong = (answer != right).any(axis=1)
    block = int(np.searchsorted(np.cumsum(parcel.sizes), int(wrong.argmax()), side="right")) + 1
    return f"{wrong.sum()} of {len(right)} examples wrong, from block {block} on, for {parcel.told}"


@checks("decode_learning", lesson=LESSON, points=2, see="Exercise 5: a receiver without a model")
def a_receiver_without_a_model(decode_learning: Standin, draw: Draw) -> Iterator[Claim | Cause]:
    """The receiver learns from what it has read, as the sender did."""
    codec = Codec(partner(decode_learning, "encode"), partner(decode_learning, "decode"))

    def ask(parcel: Parcel) -> np.ndarray | str:
        return parcel.asked(decode_learning, parcel.learn)

    subject = Subject(
        ask=ask,
        rule=lambda parcel: parcel.x,
        drawn=True,
        mistakes=_OF_RECEIVERS,
        show=lambda parcel: parcel.told,
        told=lambda found: (
            found
            if isinstance(found, str)
            else in_rows(found)
            if found.size <= FEW
            else shown(found)
        ),
        smaller=lambda parcel: smaller_parcels(codec, draw.again(), parcel),
    )
    said = list(
        examine(
            subject,
            draw,
            Property(
                "back",
                "each block comes back, read by what was learned from all blocks before it",
                lambda draw: ordinary_parcels(codec, draw),
                1.5,
                asks="x itself: both sides learn from the same examples before each file",
                saw=misread,
            ),
            Property(
                "small",
                "blocks of one example come back too, and a single block",
                lambda draw: small_parcels(codec, draw),
                0.5,
                asks="x itself, whatever the sizes",
                typical=False,
                needs="back",
                saw=misread,
            ),
        )
    )
    # The same files with a learner that takes each symbol for another: x cannot come back.
    [(one,), *_] = ordinary_parcels(codec, draw)
    other = learner(codec.decode, one.x.shape[1], 3, flipped=True)
    kept = is_x(one.asked(decode_learning, other), one.x)
    for claimed in said:
        if kept and isinstance(claimed, Claim) and claimed.holds:
            claimed = waiting(claimed.text, OTHER_LEARNER, points=claimed.points, id=claimed.id)
        yield claimed


# --- round_trip -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Trip:
    """A batch x of a model on its way: `honest` says that x comes back.

    So it does if the model is `causal`, sees only the past, and else by luck. `back` is what the
    student's own two ends make of x, the exception's name where decode gives up.
    """

    told: str
    honest: bool
    codec: Codec
    model: Standin
    x: np.ndarray
    causal: bool = False

    @functools.cached_property
    def back(self) -> Any:
        """What comes back."""
        try:
            file = self.codec.file(self.model, self.x)
        except (StudentFailed, WrongKind) as why:
            return str(why)
        return ask_each(self.codec.decode, self.model, [file], len(self.x))[0]

    @property
    def each(self) -> list[Trip]:
        """The examples, each on a way of its own."""
        return [dataclasses.replace(self, x=self.x[[row]]) for row in range(len(self.x))]

    def came(self, part: Callable[[np.ndarray], Any]) -> bool:
        """Whether something of x's shape comes back, of which `part` says that it is x."""
        if isinstance(self.back, str):
            return False
        found = expect_array(self.back, None, "number", "what is decoded")
        return found.shape == self.x.shape and bool(part(found == self.x))

    def kept(self, of: Callable[[np.ndarray], Any]) -> bool:
        """Whether something comes back with the same `of` as x."""
        if isinstance(self.back, str):
            return False
        found = expect_array(self.back, None, "number", "what is decoded")
        return np.array_equal(of(found), of(self.x))

    def file_came(self, of: Callable[[bytes], Any]) -> bool:
        """Whether `of` is the same for x's file and for the file of what comes back."""
        if isinstance(self.back, str):
            return False
        file, again = self.files
        return bool(of(file) == of(again))

    @functools.cached_property
    def files(self) -> tuple[bytes, bytes]:
        """The file of x, and that of what comes back."""
        file, again = (self.codec.file(self.model, np.asarray(x)) for x in (self.x, self.back))
        return file, again


def honest_trips(codec: Codec, draw: Draw) -> list[tuple[Trip]]:
    """Examples of autoregressive models; the last is one alone, of many that are as likely."""
    found = []
    sizes = ((8, 2, draw.integer(20, 40), 1.5), (6, 5, 9, 1.5), (24, 3, 1, 0.3))
    for n, k, count, scale in sizes:
        bias, pairs = pair_numbers(draw, n, k, scale=scale)
        told = f"{count} example{'s' * (count > 1)} of an autoregressive model"
        model, x = pair_model(codec.decode, bias, pairs), sampled(draw, bias, pairs, count)
        found.append((Trip(told, True, codec, model, x, causal=True),))
    return found


def lucky_trips(codec: Codec, draw: Draw) -> list[tuple[Trip]]:
    """Batches that come back though all symbols see themselves: the student's ends decide which."""
    n, told = 3, "2 examples that come back though all symbols see themselves"
    found, alone = [], []  # `alone`: they do so in two files, too, for who sends each by itself
    for _ in range(6):
        model = looked_model(codec.decode, softmax(draw.normal(n, 2, 2)), np.arange(n))
        every = all_of_two(codec, draw, model)
        lucky = [Trip(told, True, codec, model, x) for x, back in every if is_x(back, x)]
        both = (trip for trip in lucky if all(one.came(np.all) for one in trip.each))
        found += [(trip,) for trip in lucky[:1]]
        alone += [(trip,) for trip in itertools.islice(both, 1)]
        if len(alone) == 3:
            break
    return alone or found


def sends_all_at_once(round_trip: Standin, draw: Draw) -> bool:
    """Whether a batch is sent as one, with a question for each column."""
    model, x = pair_model(round_trip, *pair_numbers(draw, 6, 2)), np.ones((8, 6), dtype=np.int64)
    ask_each(round_trip, model, [symbols(x)])
    shapes = [tuple(one) for one in list(model.asked)]
    return len(shapes) <= 2 * x.shape[1] and all(shape[:1] == (len(x),) for shape in shapes)


def peeking_trips(round_trip: Standin, codec: Codec, draw: Draw) -> list[tuple[Trip]]:
    """Batches of models with a symbol that sees itself, or the next one, which show it."""
    found = []
    at_once = sends_all_at_once(round_trip, draw)

    def add(sees: str, model: Standin, x: np.ndarray) -> None:
        told = f"{len(x):,} example{'s' * (len(x) > 1)} of a model in which {sees}"
        found.append((Trip(told, False, codec, model, x),))

    for own, strength in ((True, 4.0), (True, 0.4), (False, 1.5)):
        n, k = draw.integer(10, 14), 2
        bias, pairs = pair_numbers(draw, n, k)
        x = draw.rng.integers(0, 2, size=(150, n))
        i = draw.integer(2, n - 3)
        pairs[i, i if own else i + 1] += strength * np.eye(k)
        sees = f"symbol {i + 1} sees {'itself' if own else 'the next one'}"
        add(sees, pair_model(codec.decode, bias, pairs), x)
    # So short that every file is one word, whatever is in it.
    bias, pairs = pair_numbers(draw, 4, 2, scale=0.3)
    i = draw.integer(0, 3)
    pairs[i, i] += 20 * np.eye(2)
    x = draw.rng.integers(0, 2, size=(3, 4))
    x[:, i] = draw.choice(((0, 1, 1), (1, 0, 1)))
    add(f"symbol {i + 1} sees itself", pair_model(codec.decode, bias, pairs), x)
    # Only one symbol, the last of 1,020, comes back wrong: 0 or 1 stands there when it is read.
    n = 510
    table = np.repeat(softmax(draw.normal(n, 1, 2, scale=0.2)), 2, axis=1)
    table[-1] = [[1 - 1e-4, 1e-4], [1e-4, 1 - 1e-4]]
    x = draw.rng.integers(0, 2, size=(2, n))
    x[:, -1] = 0, 1
    by = np.maximum(np.arange(n) - 1, 0)
    by[-1] = n - 1
    add("the last symbol sees itself", looked_model(codec.decode, table, by), x)
    # A symbol of 24 comes back wrong, and what comes back has a file of another length: a 1 in the
    # last place is nearly free, a 0 costs a bit.
    n, count = 12, 800 if at_once else 100
    table = np.repeat(softmax(draw.normal(n, 1, 2, scale=0.2)), 2, axis=1)
    table[-1] = [[0.5, 0.5], [1e-4, 1 - 1e-4]]
    x = draw.rng.integers(0, 2, size=(count, n))
    x[:, -1] = np.arange(count) % 4 > 0
    by = np.maximum(np.arange(n) - 1, 0)
    by[-1] = n - 1
    add("the last symbol sees itself", looked_model(codec.decode, table, by), x)
    # So many symbols that a decoder that has lost its way meets a message that makes no sense; of
    # one that asks the model anew for each example, so many would take minutes.
    n, count = 40, 4000 if at_once else 100
    table = softmax(np.log([[0.7, 0.3], [0.3, 0.7]]) + draw.normal(n, 1, 2, scale=0.2))
    x = draw.rng.integers(0, 2, size=(count, n))
    for one in (x, 1 - x):
        add("all symbols see themselves", looked_model(codec.decode, table, np.arange(n)), one)
    # Each example alone comes back: a row looks at the one above it.
    n = 6
    table = np.repeat(softmax(draw.normal(n, 1, 2)), 2, axis=1)
    table[1] = [[0.9, 0.1], [0.1, 0.9]]
    x = draw.rng.integers(0, 2, size=(40, n))
    model = looked_model(codec.decode, table, np.full(n, n - 1), above=True)
    add("symbol 2 sees the last one of the example above", model, x)
    for kept, model, x in changed_in_part(codec, draw):
        add(f"all symbols see themselves: others come back, {kept}", model, x)
    for model, x in in_one_file(codec, draw):
        add("the last symbol sees itself: another comes back, in the same file", model, x)
    return found


_MOVED = "as the same rows in another order"
_KEPT: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "with the same sum in each row": lambda x: x.sum(axis=1),
    "with the same sum in each column": lambda x: x.sum(axis=0),
    _MOVED: lambda x: np.array(sorted(x.tolist())),
    "and the first row as it was": lambda x: x[0],
    "and the last row as it was": lambda x: x[-1],
    "and the first column as it was": lambda x: x[:, 0],
    "and the last column as it was": lambda x: x[:, -1],
}


def all_of_two(codec: Codec, draw: Draw, model: Standin) -> list[tuple[np.ndarray, Any]]:
    """Every two examples of three bits that can be written, with what comes back of them."""
    n, count = 3, 2
    every = np.array(list(itertools.product((0, 1), repeat=n * count))).reshape(-1, count, n)
    words = every[draw.permutation(len(every))]
    files = ask_each(codec.encode, model, [symbols(x) for x in words])
    sent = [(x, f) for x, f in zip(words, files, strict=True) if isinstance(f, bytes)]
    back = ask_each(codec.decode, model, [f for _, f in sent], count)
    return [(x, found) for (x, _), found in zip(sent, back, strict=True)]


def changed_in_part(codec: Codec, draw: Draw) -> Iterator[tuple[str, Standin, np.ndarray]]:
    """What comes back changed, and has kept something: an x for each of what may be kept.

    What becomes of an x is up to the student's two ends: each of 64 is sent, by several models.
    """
    n, wanted = 3, dict(_KEPT)
    for _ in range(12):
        model = looked_model(codec.decode, softmax(draw.normal(n, 2, 2)), np.arange(n))
        for x, found in all_of_two(codec, draw, model):
            if isinstance(found, str) or is_x(found, x):
                continue
            y = expect_array(found, None, "number", "what is decoded")
            if y.shape != x.shape:
                continue
            kept = [name for name, of in _KEPT.items() if np.array_equal(of(y), of(x))]
            kept = [_MOVED] if _MOVED in kept else kept  # which keeps sums, too
            kept = [name for name in kept if name in wanted]
            if kept:
                del wanted[kept[0]]
                yield kept[0], model, x
        if not wanted:
            return


def in_one_file(codec: Codec, draw: Draw) -> Iterator[tuple[Standin, np.ndarray]]:
    """An x that does not come back, though what comes back has the same file.

    The last symbol is sure to be what it is: behind even ones it says nothing that a word shows.
    """
    for n in range(12, 40):
        table = np.full((n, 2, 2), 0.5)
        table[-1] = np.eye(2)
        model = looked_model(codec.decode, table, np.full(n, n - 1))
        x = draw.rng.integers(0, 2, size=(1, n))
        both = [np.append(x[:, :-1], [[last]], axis=1) for last in (0, 1)]
        files = ask_each(codec.encode, model, [symbols(one) for one in both])
        if files[0] == files[1] and isinstance(files[0], bytes):
            [found] = ask_each(codec.decode, model, files[:1], 1)
            lost = [one for one in both if not is_x(found, one)]
            if len(lost) == 1:
                yield model, lost[0]
                return


_CHANGES = "answers that change with the model"
_ONE_ANSWER = "every model that was asked about got the same answer: compare what comes back with x"
_OF_ROUND_TRIPS = (
    Mistake(
        "ends-differ",
        "your own encode and decode do not give x back, of a model that sees only the past: mend "
        "them first",
        gives=lambda trip: trip.came(np.all),
    ),
    Mistake(
        "model-for-file",
        "a model that peeks is refused here, whatever comes back: the question is whether THIS x "
        "comes back from its file, so write it, read it, and compare",
        gives=lambda trip: trip.causal,
    ),
    Mistake("always-true", _ONE_ANSWER, gives=lambda trip: True),
    Mistake("never-true", _ONE_ANSWER, gives=lambda trip: False),
    Mistake(
        "count-forgotten",
        "a single example passes, several do not: decode has to know how many there are",
        gives=lambda trip: len(trip.x) == 1 and trip.honest,
    ),
    Mistake(
        "gave-up-is-an-answer",
        "a decoder that has lost its way may raise an AssertionError: that is a False",
        gives=lambda trip: trip.back if isinstance(trip.back, str) else trip.came(np.all),
    ),
    Mistake(
        "gave-up-passes",
        "where the decoder gives up, you answer True: a file that cannot be read has not come back",
        gives=lambda trip: isinstance(trip.back, str) or trip.came(np.all),
    ),
    *several(
        "compares-files",
        "two files are compared here: compare the symbols, x and what comes back",
        lambda trip: trip.file_came(len),
        lambda trip: trip.file_came(bytes),
    ),
    *several(
        "one-example-is-enough",
        "an example goes into a file of its own here, and it alone decides: send all of them in "
        "one file, and compare all of them",
        lambda trip: trip.each[0].came(np.all),
        lambda trip: trip.each[-1].came(np.all),
        lambda trip: any(one.came(np.all) for one in trip.each[:20]),
    ),
    Mistake(
        "each-example-alone",
        "each example goes into a file of its own: a model that looks from one example at another "
        "is found out in ONE file of all of them",
        gives=lambda trip: all(one.came(np.all) for one in trip.each),
    ),
    Mistake(
        "order-ignored",
        "the same rows in another order pass: compare every symbol with the one in its own place",
        gives=lambda trip: trip.kept(lambda x: np.array(sorted(x.tolist()))),
    ),
    *(
        Mistake(
            "compares-a-summary",
            "what comes back with the same sums as x passes, other symbols or not: compare every "
            "symbol, exactly",
            gives=lambda trip, of=of: trip.kept(of),
        )
        for of in (np.sum, lambda x: x.sum(axis=0), lambda x: x.sum(axis=-1))
    ),
    *(
        Mistake(
            "compares-a-part",
            "a file passes of which only a part comes back: compare every symbol, exactly",
            gives=lambda trip, part=part: trip.came(part),
        )
        for part in (
            lambda same: True,
            np.any,
            lambda same: same[0].all(),
            lambda same: same[-1].all(),
            lambda same: same[:, 0].all(),
            lambda same: same[:, -1].all(),
            *(lambda same, t=t: same.mean() > t for t in (0.5, 0.8, 0.9, 0.95, 0.99, 0.999)),
        )
    ),
)


@checks("round_trip", lesson=LESSON, points=2, see="Exercise 6: the best causality test of all")
def the_best_causality_test(round_trip: Standin, draw: Draw) -> Iterator[Claim | Cause]:
    """True if x comes back exactly, False if not."""
    codec = Codec(partner(round_trip, "encode"), partner(round_trip, "decode"))
    answers = []

    def ask(trip: Trip) -> bool | str:
        [found] = ask_each(round_trip, trip.model, [symbols(trip.x)])
        if isinstance(found, str) and trip.honest and found != "AssertionError":
            found = round_trip(trip.model, symbols(trip.x))  # once more, for the line of their code
        if not isinstance(found, str):
            answer = expect_array(found, (), "any", "the answer")
            if answer.dtype.kind != "b":
                raise WrongKind(f"the answer is True or False: got {describe(found)}")
            found = bool(answer)
        answers.append(found)
        return found

    subject = Subject(
        ask=ask,
        rule=lambda trip: trip.honest,
        mistakes=_OF_ROUND_TRIPS,
        show=lambda trip: trip.told,
        told=str,
    )
    said = list(
        examine(
            subject,
            draw,
            Property(
                "honest",
                "a model that sees only the past passes",
                lambda draw: honest_trips(codec, draw),
                0.75,
                asks="True: all its symbols come back",
            ),
            Property(
                "peeks",
                "a model that peeks fails, however little it peeks",
                lambda draw: peeking_trips(round_trip, codec, draw),
                0.5,
                asks="False: its file cannot be read",
            ),
            Property(
                "luck",
                "what comes back has come back, be it by luck",
                lambda draw: lucky_trips(codec, draw),
                0.25,
                asks="True: the decoder asks with something in the places that it does not know, "
                "and for this x that does no harm",
                typical=False,
                needs="honest",
            ),
        )
    )
    for one in said:
        if isinstance(one, Claim) and one.holds and len(set(answers)) == 1:
            one = waiting(one.text, _CHANGES, points=one.points, id=one.id)
        yield one
    yield claim_of_mistakes_in_code(round_trip, draw, answers)


BROKEN = ("AttributeError", "TypeError", "ValueError", "RuntimeError", "IndexError")


def claim_of_mistakes_in_code(
    round_trip: Standin, draw: Draw, answers: Sequence[bool | str]
) -> Claim:
    """That exceptions of a model's code are passed on; `answers` are those to models that run."""
    n = 4  # the receiver asks a second time at least, if the sender does not
    even, x = np.full((n, 2, 2), 0.5), symbols(draw.rng.integers(0, 2, size=(3, n)))
    answer: Any = ""
    for kind in BROKEN:
        broken = looked_model(round_trip, even, np.zeros(n, dtype=np.int64), broken=kind)
        [answer] = ask_each(round_trip, broken, [x])
        if not isinstance(answer, str):
            break
    raised, passes = isinstance(answer, str), True in answers
    told = {"AttributeError": "a misspelled name"}.get(kind, f"a mistake, an error of kind {kind}")
    return claim(
        "a mistake in the code is not taken for a leak",
        raised,
        points=0.5,
        saw=f"{answer!r} for a model whose code has {told}",
        asks="only AssertionError means that the decoder gave up; anything else is passed on",
        waits=waits_unless(passes, "a model that passes")
        if raised
        else waits_unless(len(set(answers)) > 1, _CHANGES),
        advice=[
            when(
                answer is False and passes,
                "swallows-everything",
                f"an error in the model's code, of kind {kind}, is called a leak: except "
                "AssertionError is enough",
            ),
            "let other exceptions through",
        ],
    )
