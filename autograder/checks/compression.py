"""Checks of lesson 12: prices in bits, whole-number frequencies, and a codec that loses nothing.

An outcome of probability p costs −log2 p bits (Shannon, 1948). A range coder (Martin, 1979) writes
a whole stream for that price and a few bits; it needs frequencies that are whole numbers, and the
same ones at both ends. Probabilities and prices are computed here in double precision.
"""

from __future__ import annotations

import itertools
import math
import zlib
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch

from autograder import claim, expect_array, when
from autograder.checking import checks
from autograder.checks.witness import looks_at, waits_unless
from autograder.claims import Advice, Claim
from autograder.draw import Draw
from autograder.inside import call_and_keep
from autograder.inside.compression import (
    ask_and_keep,
    ask_each,
    looked_model,
    pair_model,
    partner,
)
from autograder.remote.proxy import Standin, WrongKind, describe, exception_of

LESSON = "12_compression"

# A file is allowed this much more than its price: half a percent, and two words of 32 bits.
SHARE, WORDS = 0.005, 64

# --- what the mathematics says --------------------------------------------------------------------


def softmax(a: np.ndarray) -> np.ndarray:
    """Along the last axis, without overflow."""
    e = np.exp(a - a.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


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

_PRICES = {
    "nats": lambda a: -a.sum(),
    "multiplied": lambda a: -a.sum() * math.log(2),
    "mean": lambda a: -a.mean() / math.log(2),
    "bytes-for-bits": lambda a: -a.sum() / math.log(2) / 8,
    "rounded-up": lambda a: math.ceil(-a.sum() / math.log(2)),
    "each-rounded-up": lambda a: np.ceil(-a / math.log(2)).sum(),
    "sign": lambda a: a.sum() / math.log(2),
    "one-row": lambda a: -a[0].sum() / math.log(2),
    "decimal": lambda a: -a.sum() / math.log(10),
}
_PRICE_ADVICE = {
    "nats": "these are nats: a bit is ln 2 = 0.693 nats, so divide by it",
    "multiplied": "multiplied by ln 2, where it has to be divided: 3.466 nats are 5 bits",
    "mean": "this is the mean over the symbols: the price of all of them is the sum",
    "bytes-for-bits": "these are bytes, 8 bits each: the price is asked in bits",
    "rounded-up": "a price is not rounded: the fractions of many outcomes add up in one file",
    "each-rounded-up": "each symbol is rounded up by itself: that is a prefix code's loss, which "
    "arithmetic coding avoids",
    "sign": "log-probabilities are negative, prices positive",
    "one-row": "only the first row is counted: the array may have any shape",
    "decimal": "these are decimal digits, log base 10: a bit is a factor of 2",
}


def _number(value: Any) -> float:
    return float(expect_array(value, (), "number", "the price"))


@checks("ideal_bits", lesson=LESSON, points=2)
def the_price_of_an_outcome(ideal_bits: Standin, draw: Draw) -> Iterator[Claim]:
    """Minus the sum of the logs, in bits."""
    see = "Exercise 1: the price of an outcome"
    arrays = [
        np.log(draw.uniform(draw.integer(3, 9)) * 0.9 + 0.05),
        np.log(draw.uniform(draw.integer(2, 5), draw.integer(3, 8)) * 0.9 + 0.05),
        np.log(draw.uniform(2, 3, 4) * 0.5 + 0.2),
    ]
    arrays[0][0] -= 0.123  # no price is a whole number by chance
    got = [_number(ideal_bits(torch.tensor(a))) for a in arrays]
    wanted = [-float(a.sum()) / math.log(2) for a in arrays]
    right = all(math.isclose(g, w, rel_tol=1e-6) for g, w in zip(got, wanted, strict=True))
    named = next(
        (
            name
            for name, rule in _PRICES.items()
            if all(math.isclose(g, rule(a), rel_tol=1e-6) for g, a in zip(got, arrays, strict=True))
        ),
        "",
    )
    advice: list[str | Advice] = [when(named == n, n, text) for n, text in _PRICE_ADVICE.items()]
    yield claim(
        "the price of all outcomes is −Σ log p / ln 2 bits",
        right,
        points=1,
        saw=f"{got[1]:.4g} for an array of {arrays[1].shape} that sums to {arrays[1].sum():.4g}",
        asks="minus the sum over all entries, divided by ln 2",
        advice=[*advice, "work out BAC: −3.466 nats are 5 bits"],
        see=see,
    )

    impossible = np.log(draw.uniform(4) * 0.5 + 0.2)
    impossible[draw.integer(0, 3)] = -np.inf
    dear = _number(ideal_bits(torch.tensor(impossible)))
    free = _number(ideal_bits(torch.zeros(draw.integer(2, 5))))
    yield claim(
        "what is certain costs nothing, what is impossible costs infinitely much",
        dear == np.inf and free == 0,
        points=0.5,
        saw=f"{free:g} bits for certain outcomes, {dear:g} bits with an impossible one among them",
        asks="0 and inf",
        advice=[
            when(
                right and dear != np.inf,
                "impossible-hidden",
                "something is added inside the log, or cut off: −log2 0 is infinite, and hiding "
                "that hides the worst mistake a model can make",
            ),
            *advice,
            "log 1 = 0, and −log 0 = ∞",
        ],
        see=see,
    )

    a, b = (np.log(draw.uniform(draw.integer(4, 7)) * 0.8 + 0.1) for _ in range(2))
    parts = [_number(ideal_bits(torch.tensor(v))) for v in (a, b)]
    both = _number(ideal_bits(torch.tensor(np.concatenate([a, b]))))
    yield claim(
        "prices add up, to the fraction of a bit",
        min(parts) > 0
        and math.isfinite(both)
        and math.isclose(both, sum(parts), rel_tol=1e-6)
        and both % 1 != 0,
        points=0.5,
        saw=f"{parts[0]:.4g} and {parts[1]:.4g} apart, {both:.4g} together",
        asks="the price of two messages in one file is the sum of their prices",
        advice=[*advice, "no mean, no rounding"],
        see=see,
    )


# --- quantize -------------------------------------------------------------------------------------


def _to_largest(f: np.ndarray, p: np.ndarray, total: int) -> np.ndarray:
    np.put_along_axis(
        f,
        p.argmax(-1)[..., None],
        np.take_along_axis(f, p.argmax(-1)[..., None], -1) + total - f.sum(-1, keepdims=True),
        -1,
    )
    return f


_FREQUENCIES = {
    "rounded": lambda p, t: np.rint(p * t),
    "rounded-at-least-one": lambda p, t: np.maximum(np.rint(p * t), 1),
    "rounded-then-mended": lambda p, t: _to_largest(np.rint(p * t), p, t),
    "floor-only": lambda p, t: np.floor(p * t),
    "floor-then-mended": lambda p, t: _to_largest(np.floor(p * t), p, t),
    "one-added-on-top": lambda p, t: 1 + np.floor(p * t),
    "rest-forgotten": lambda p, t: 1 + np.floor(p * (t - p.shape[-1])),
    "at-least-one-of-all": lambda p, t: np.maximum(np.floor(p * t), 1),
}
_FREQUENCY_ADVICE = {
    "rounded": "rounded numbers need not sum to anything, and a small p is rounded to 0: give each "
    "symbol one part first, round the shares down, and the rest to the most probable",
    "rounded-then-mended": "a small p is still rounded to 0: each symbol gets one part before "
    "anything is shared",
    "one-added-on-top": "one part is added on top of all of them: share 2^bits − k, not 2^bits",
    "rest-forgotten": "what rounding down leaves over belongs to somebody: the parts must fill the "
    "interval",
}
_FREQUENCY_FAMILY = {
    "rounded-at-least-one": "rounded",
    "floor-only": "rounded",
    "floor-then-mended": "rounded-then-mended",
    "at-least-one-of-all": "rounded",
}


@checks("quantize", lesson=LESSON, points=4)
def whole_numbers_that_agree(quantize: Standin, draw: Draw) -> Iterator[Claim]:
    """Frequencies of at least one part each, that sum to a power of two."""
    see = "Exercise 2: whole numbers that agree"

    def ask(p: torch.Tensor, bits: int) -> np.ndarray:
        return expect_array(quantize(p, bits), tuple(p.shape), "int", "the frequencies")

    k = draw.integer(5, 17)
    cases: list[tuple[np.ndarray, int]] = [
        (softmax(draw.normal(draw.integer(3, 6), k)), 20),
        (softmax(draw.normal(2, 3, 2, scale=2.0)), 16),
        (np.full((2, 3), 1 / 3), draw.integer(3, 12)),
        (softmax(draw.normal(4, draw.integer(150, 250), scale=0.3)), 10),
        (softmax(draw.normal(3, 4) * np.array([1.0, 1.0, 1.0, 60.0])), draw.integer(8, 12)),
    ]
    hard = softmax(draw.normal(6, 5, scale=3.0))
    hard[0] = [0, 0, 1, 0, 0]
    hard[1, :2], hard[2, 4] = 0, 1e-12
    hard[3] = [0.5, 0.5, 0, 0, 0]
    cases.append((hard / hard.sum(-1, keepdims=True), draw.integer(8, 20)))
    got = [ask(torch.tensor(p), bits) for p, bits in cases]

    named = next(
        (
            name
            for name, rule in _FREQUENCIES.items()
            if all(np.array_equal(g, rule(p, 2**b)) for g, (p, b) in zip(got, cases, strict=True))
        ),
        "",
    )
    named = _FREQUENCY_FAMILY.get(named, named)
    advice: list[str | Advice] = [
        when(named == name, name, text) for name, text in _FREQUENCY_ADVICE.items()
    ]
    off = [(int(g.sum(-1).reshape(-1)[r]), b) for g, (_, b) in zip(got, cases, strict=True)
           for r in range(g.size // g.shape[-1]) if g.sum(-1).reshape(-1)[r] != 2**b]  # fmt: skip
    spread = any(len(np.unique(g)) > 3 for g in got)
    by_columns = off and all(
        (g.sum(axis=0) == 2**b).all() for g, (p, b) in zip(got, cases, strict=True) if p.ndim == 2
    )
    yield claim(
        "each row sums to 2^bits, exactly",
        not off,
        points=1,
        saw=f"a row that sums to {off[0][0]:,} with bits = {off[0][1]}" if off else "",
        asks="the parts fill the interval: no gap, no overlap",
        waits=waits_unless(off or spread, "frequencies that change with p"),
        advice=[
            *advice,
            when(by_columns, "wrong-axis", "columns sum to it: a distribution is a ROW, dim=-1"),
            "what rounding down leaves over goes to the most probable symbol",
        ],
        see=see,
    )

    least = min(int(g.min()) for g in got)
    yield claim(
        "no symbol is left without a part, be its probability 0",
        least >= 1 and spread,
        points=1,
        saw=f"a frequency of {least}" if least < 1 else "the same frequencies, whatever p is",
        asks="at least 1 for every symbol: what a model calls impossible happens",
        advice=[
            *advice,
            when(least < 1, "zero-frequency", "a symbol without a part cannot be written"),
            "frequencies are as good as proportional to p",
        ],
        see=see,
    )

    # One part for each, and the rest of fewer than k parts: nothing is further off than 2 k.
    far = [
        np.abs(g - p * 2**b).max() / (2 * p.shape[-1] + 2)
        for g, (p, b) in zip(got, cases, strict=True)
    ]
    good = max(far) <= 1
    worst = int(np.argmax(far))
    yield claim(
        "frequencies are proportional to p, up to a few parts",
        good,
        points=1,
        saw=f"frequencies that are up to {far[worst] * (2 * cases[worst][0].shape[-1] + 2):,.0f} "
        f"parts of 2^{cases[worst][1]} away from p · 2^bits",
        asks="each within some k parts of p · 2^bits",
        advice=[*advice, "share the parts by p, along the last axis"],
        see=see,
    )

    p = softmax(draw.normal(draw.integer(3, 5), 4, 6, scale=2.0))
    single = torch.tensor(p * (1 + 1e-5 * draw.uniform(len(p), 4, 1))).float()
    kept = single.clone()
    whole = ask(single, 20)
    alone = np.stack([[ask(row, 20) for row in rows] for rows in single])
    answer, [after, *_] = call_and_keep(quantize, single, 20)
    again = expect_array(answer, whole.shape, "int", "the frequencies")
    fresh = expect_array(after, whole.shape, "float", "the probabilities")
    near = np.abs(whole - p * 2**20).max() <= 24
    sums = (whole.sum(-1) == 2**20).all()
    same = np.array_equal(whole, alone) and np.array_equal(whole, again)
    untouched = np.array_equal(fresh, kept.double().numpy())
    yield claim(
        "a row's frequencies come from that row alone, in single precision too",
        good and near and sums and same and untouched,
        points=0.5,
        saw="other frequencies for a row alone than for the same row in a batch"
        if not same
        else "probabilities that are changed by the call"
        if not untouched
        else "rows of float32 probabilities that do not sum to 2^bits, or are far from p",
        asks="the same for a float32 row whose sum is 1 up to 10^-5, whatever stands beside it",
        advice=[
            *advice,
            when(not untouched, "changed-in-place", "you write into the caller's probabilities"),
            when(
                not same and good,
                "batch-matters",
                "something is taken over the whole batch, a sum or a maximum: both ends would "
                "disagree as soon as they ask for different batches",
            ),
            "convert to double, divide by the row's sum, then share",
        ],
        see=see,
    )

    bits = draw.integer(2, 4)
    refused = exception_of(quantize, torch.tensor(softmax(draw.normal(2, 2**bits + 3))), bits)
    yield claim(
        "more symbols than parts are refused with a ValueError",
        refused is not None and refused.is_a(ValueError),
        points=0.5,
        saw=str(refused or "") or f"an answer for {2**bits + 3} symbols and 2^{bits} parts",
        asks="a ValueError when k > 2^bits",
        advice=[
            when(not refused, "too-many-symbols", "there is no part for each of them: raise it"),
            "raise ValueError with a sentence that says what was given",
        ],
        see=see,
    )


# --- encode ---------------------------------------------------------------------------------------

# So many examples that frequencies of six bits cost too much in every draw.
MANY = 1200
MADE_OF_THE_MODEL = "files that are made of the model's probabilities: other model, other file"


def file_of(value: Any) -> bytes:
    """What `encode` returned, if it is bytes; WrongKind otherwise."""
    if type(value) is not bytes:
        raise WrongKind(f"a file is bytes, as .tobytes() gives them: got {describe(value)}")
    return value


def _not_bytes(value: Any) -> str:
    return "" if type(value) is bytes else describe(value)


@checks("encode", lesson=LESSON, points=4)
def a_file_for_its_price(encode: Standin, draw: Draw) -> Iterator[Claim]:
    """A file of x costs −log2 p(x), as good as."""
    see = "Exercise 3: write the file"
    cases, sizes, others, padded = [], [], [], False
    for n, k, count in (
        (16, 3, MANY),
        (draw.integer(9, 12), 2, draw.integer(150, 200)),
        (7, 17, 1),
    ):
        bias, pairs = pair_numbers(draw, n, k, scale=1.2)
        x = sampled(draw, bias, pairs, count)
        model = pair_model(encode, bias, pairs)
        value = encode(model, symbols(x))
        if _not_bytes(value):
            yield claim(
                "the file of a set costs −log2 p(x) bits, within 0.5 % and 64 bits",
                False,
                points=2,
                saw=_not_bytes(value),
                asks="bytes, that could be written to a disk as they are",
                advice=[
                    when(
                        isinstance(value, np.ndarray),
                        "words-for-bytes",
                        "these are the words, an array: .tobytes() makes a file of them",
                    ),
                    "return the coder's compressed words as bytes",
                ],
                see=see,
            )
            return
        p = conditionals(bias, pairs, x)
        static = np.maximum(conditionals(bias, pairs, np.zeros_like(x)), 2.0**-20)
        late = np.roll(p, 1, axis=1)
        late[:, 0] = 1 / k
        late = np.maximum(late, 2.0**-20)  # the smallest part is dear, but not that dear
        cases.append(price(p, x))
        sizes.append(8 * len(value))
        # Nothing is left to predict in a file that costs its price: bytes that zlib can shrink
        # are there for their number.
        padded |= len(value) >= 100 and len(zlib.compress(value, 9)) < 0.9 * len(value)
        others.append(
            {
                "uniform": x.size * math.log2(k),
                "conditionals-of-zeros": price(static, x),
                "bias-only": price(np.repeat(softmax(bias)[None], count, axis=0), x),
                "one-column-late": price(late, x),
                "leading-row": price(np.repeat(p[:1], count, axis=0), x),
                "four-bytes-a-symbol": 32.0 * x.size,
                "eight-bytes-a-symbol": 64.0 * x.size,
            }
        )
    good = all(fits(size, bits) for size, bits in zip(sizes, cases, strict=True)) and not padded
    named = next(
        (
            name
            for name in others[0]
            if all(
                abs(size - other[name]) <= 0.01 * other[name] + WORDS
                for size, other in zip(sizes[:2], others, strict=False)
            )
        ),
        "",
    )
    size, bits = sizes[0], cases[0]
    split = not named and size > bits + MANY * 6 and size < bits + MANY * 80
    yield claim(
        "the file of a set costs −log2 p(x) bits, within 0.5 % and 64 bits",
        good,
        points=2,
        saw="files of "
        + ", ".join(
            f"{s:,} bits for a price of {c:,.0f}" for s, c in zip(sizes, cases, strict=True)
        ),
        asks="no more than 1.005 times the price and 64 bits, and hardly less",
        advice=[
            when(
                named == "conditionals-of-zeros",
                named,
                "the model was asked about zeros: the sender knows x, and asks for p(· | x_<i)",
            ),
            when(
                named in ("uniform", "bias-only", "leading-row"),
                "context-unused",
                "the file is as long as if each symbol were coded without its past: use "
                "conditionals(x)[:, i], a row for each example",
            ),
            when(
                named == "one-column-late",
                named,
                "column i is coded with the table of another column: [:, i] for both",
            ),
            when(
                named in ("four-bytes-a-symbol", "eight-bytes-a-symbol"),
                "not-compressed",
                "these are the symbols themselves, as they lie in memory",
            ),
            when(
                split,
                "stream-for-each",
                "a stream for each example or column pays for whole words each time: one encoder "
                "for all of them, and its words once, at the end",
            ),
            when(
                all(s < c - WORDS for s, c in zip(sizes[:2], cases, strict=False)),
                "too-short",
                "the file is shorter than its price: something is missing from it, and it cannot "
                "be read",
            ),
            when(
                all(s > (1 + SHARE) * c + WORDS for s, c in zip(sizes[:2], cases, strict=False)),
                "too-long",
                "look at how fine the frequencies are (20 bits), and whether anything but the "
                "stream goes into the file",
            ),
            when(
                padded,
                "padded",
                "zlib makes this file smaller: bytes in it say nothing of x",
            ),
            "code column after column into one stream, each with its conditionals",
        ],
        see=see,
    )

    n, k = draw.integer(10, 14), 3
    table = np.zeros((n, k, k))
    favorite = draw.rng.integers(0, k, size=n)
    table[np.arange(n), :, favorite] = 1.0
    model = looked_model(encode, table, np.zeros(n, dtype=np.int64))
    sure = np.repeat(favorite[None], 40, axis=0)
    unlucky = sure.copy()
    unlucky[:8, draw.integer(0, n - 1)] += 1
    unlucky %= k
    cheap, dear = ask_each(encode, model, [symbols(sure), symbols(unlucky)])
    told = [v for v in (cheap, dear) if isinstance(v, str)]
    lengths = [8 * len(v) if isinstance(v, bytes) else -1 for v in (cheap, dear)]
    # Eight impossible symbols, at the 8 to 32 bits that the smallest part of an interval costs.
    holds = 0 <= lengths[0] <= WORDS and 8 * 8 <= lengths[1] <= 8 * 34 + WORDS
    yield claim(
        "a sure thing costs nothing, and an impossible one can still be written",
        holds,
        points=1,
        saw=f"{told[0]} for symbols of probability 0"
        if told
        else f"{lengths[0]} bits for {sure.size} sure symbols, {lengths[1]} with 8 impossible ones",
        asks="next to nothing, and a smallest part of the interval for each impossible symbol",
        waits=waits_unless(not padded, "files whose bytes all say something of x"),
        advice=[
            when(
                told or lengths[1] < 64,
                "zero-probability",
                "a symbol of probability 0 is lost or refused: quantize gives each symbol a part",
            ),
            when(
                named in ("uniform", "bias-only", "leading-row"),
                "context-unused",
                "the probabilities are not used",
            ),
            "code with quantize(model.conditionals(x), BITS)",
        ],
        see=see,
    )

    n = 6
    bias, pairs = pair_numbers(draw, n, 2)
    model = pair_model(encode, bias, pairs)
    every = np.array(list(itertools.product((0, 1), repeat=n)))
    files = ask_each(encode, model, [symbols(word[None]) for word in every])
    different = len({f for f in files if isinstance(f, bytes)})
    answer, after = ask_and_keep(encode, model, symbols(every))
    once_more = encode(model, symbols(every))
    alike = isinstance(answer, bytes) and answer == once_more
    other = pair_model(encode, -bias, -pairs)
    heard = looks_at(lambda one: encode(one, symbols(every)), model, other)
    kept = np.array_equal(expect_array(after, every.shape, "int", "x"), every)
    yield claim(
        "different words have different files, the same word the same, and x stays as it is",
        different == len(every) and alike and kept,
        points=1,
        saw="an x that is changed by the call"
        if not kept
        else f"{different} different files for {len(every)} words"
        if different < len(every)
        else "two different files for the same x",
        asks="a file from which x can be read: one for each word",
        waits=waits_unless(heard, MADE_OF_THE_MODEL),
        advice=[
            when(not kept, "x-overwritten", "you write into x: the sender's data stay as they are"),
            when(
                different < len(every),
                "information-lost",
                "two words share a file, so that nobody can tell them apart: is every column "
                "coded, and with the symbols of x?",
            ),
            "nothing in a file is left to chance",
        ],
        see=see,
    )


# --- decode ---------------------------------------------------------------------------------------

# An exact bound: ‖p̂ − p‖₁ ≥ ε has a probability of at most (2^K − 2) exp(−N ε² / 2) for K outcomes
# (Weissman et al., 2003). At K = 8, N = 6,000 and ε = 0.095 that is 4.4e-10. A range coder refuses
# some 1e-4 of its symbols when they are random, so about 2 of 300 messages with 60 symbols each;
# more than 20 would be refused less than once in 1e12 verdicts.
MESSAGES, EACH, BOUND, REFUSED = 300, 20, 0.095, 20


READ = "a decoder that reads the file with the model: other model, or other bytes, other symbols"


def _is_a_codec(encode: Standin, decode: Standin, draw: Draw) -> bool:
    """Whether symbols come from file AND model: two ends that agree might look at neither.

    With another model the file of x must not give x. With its first or its second half exchanged it
    must not either, but one of the two leaves the symbols that are read first (columns or rows) as
    they were: a decoder reads bit by bit, and looks nothing up. The file is not twice its price.
    """
    n, k, count = 24, 8, 12
    flat = [np.repeat(softmax(draw.normal(n, 1, k)), k, axis=1) for _ in range(2)]
    nowhere = np.zeros(n, dtype=np.int64)
    model, other = (looked_model(decode, table, nowhere) for table in flat)
    x = draw.rng.integers(0, k, size=(count, n))
    file = file_of(encode(model, symbols(x)))
    bits = price(np.repeat(flat[0][None, :, 0], count, axis=0), x)
    half, hurt = len(file) // 2, []
    for _ in range(4):
        hurt += [file[:half] + draw.rng.bytes(len(file) - half), draw.rng.bytes(half) + file[half:]]
    [elsewhere] = ask_each(decode, other, [file], count)
    if 8 * len(file) > 2 * bits + WORDS * n or _is_x(elsewhere, x):
        return False
    for value in ask_each(decode, model, hurt, count):
        if isinstance(value, str):
            continue
        found = expect_array(value, (count, n), "int", "what is decoded")
        begins = (found[:, :3] == x[:, :3]).all() or (found[:2] == x[:2]).all()
        if begins and (found != x).mean() > 0.1:
            return True
    return False


def _is_x(found: Any, x: np.ndarray) -> bool:
    """Whether what came back, a refusal or an array of any dtype, is x."""
    return not isinstance(found, str) and np.array_equal(expect_array(found, None, "number"), x)


@checks("decode", lesson=LESSON, points=5)
def what_was_sent_comes_back(decode: Standin, draw: Draw) -> Iterator[Claim]:
    """The receiver has the model and the message, and reads x."""
    see = "Exercise 4: read it back"
    encode = partner(decode, "encode")

    def sent(model: Standin, x: np.ndarray) -> bytes:
        return file_of(encode(model, symbols(x)))

    def received(model: Standin, message: bytes, shape: tuple[int, int]) -> np.ndarray | str:
        [found] = ask_each(decode, model, [message], shape[0])
        if isinstance(found, str):
            if found != "AssertionError":
                found = decode(model, message, shape[0])  # once more, for the line of their code
            return "the library gives up on the message"
        return expect_array(found, shape, "int", "what is decoded")

    cases, answers = [], []
    for n, k, count in (
        (draw.integer(7, 9), 2, 1),
        (draw.integer(4, 6), draw.integer(4, 6), draw.integer(7, 9)),
        (draw.integer(20, 24), 2, draw.integer(30, 40)),
        (5, draw.integer(40, 60), 6),
    ):
        bias, pairs = pair_numbers(draw, n, k, scale=1.5)
        x = sampled(draw, bias, pairs, count)
        x[0, 0] = 1
        model = pair_model(decode, bias, pairs)
        cases.append(x)
        answers.append(received(model, sent(model, x), x.shape))
    right = [isinstance(a, np.ndarray) and np.array_equal(a, x)
             for a, x in zip(answers, cases, strict=True)]  # fmt: skip
    unread = waits_unless(_is_a_codec(encode, decode, draw), READ)
    # The same, for symbols that do not look at one another: what comes back tells what went wrong.
    n, count = draw.integer(8, 10), 3
    x = draw.rng.integers(0, 3, size=(count, n))
    x[:, 0], x[:, -1], x[0, 1], x[1, 0] = 0, 2, 1, 1
    flat = np.repeat(softmax(draw.normal(1, 1, 3)), n, axis=0) + np.zeros((n, 3, 3))
    model = looked_model(decode, flat, np.zeros(n, dtype=np.int64))
    simple = received(model, sent(model, x), x.shape)
    if isinstance(simple, str):
        simple = np.full(x.shape, -1)
    plain = np.array_equal(simple, x)
    backwards = np.array_equal(simple, x[:, ::-1]) or np.array_equal(
        simple.T.reshape(-1), x.T.reshape(-1)[::-1]
    )
    mixed = np.array_equal(simple.T.reshape(-1), x.reshape(-1)) or np.array_equal(
        simple.reshape(-1), x.T.reshape(-1)
    )
    probe = pair_model(decode, *pair_numbers(draw, 6, 2))
    word = draw.rng.integers(0, 2, size=(2, 6))
    message = sent(probe, word)
    before = len(probe.asked)
    received(probe, message, word.shape)
    asked = [tuple(shape) for shape in list(probe.asked)[before:]]
    silent = all(isinstance(a, np.ndarray) and not a.any() for a in answers)
    one_pass = plain and len(asked) <= 1
    first = right.index(False) if not all(right) else 0
    wrong = answers[first]
    yield claim(
        "what was encoded comes back, symbol for symbol",
        all(right) and plain,
        points=2,
        saw=wrong
        if isinstance(wrong, str)
        else f"{(wrong != cases[first]).sum()} of {wrong.size} symbols wrong at n = "
        f"{wrong.shape[1]}, {len(wrong)} examples",
        asks="x itself",
        waits=unread if all(right) and plain else "",
        advice=[
            when(
                silent and not plain,
                "never-written",
                "only zeros come back: put each column that was read into x",
            ),
            when(
                backwards and not plain,
                "stack-order",
                "the columns come back in reverse order: an ANS coder is a stack, last in, first "
                "out, and has to be filled from back to front; a range coder is a queue, and must "
                "be filled from the front",
            ),
            when(
                mixed and not plain,
                "rows-and-columns",
                "one end goes along the rows and the other along the columns: both code column "
                "after column",
            ),
            when(
                one_pass and not all(right),
                "one-pass",
                "the model is asked once, about zeros: ask it again after each column, now that "
                "you know more",
            ),
            when(
                plain,
                "prefix-unused",
                "symbols that do not look back are read well, those that do are not: are the "
                "columns that were read in x before the model is asked again, and do you use "
                "column i of its answer?",
            ),
            "both ends must use the same tables, in the same order",
        ],
        see=see,
    )

    # 2,048 tables of 16 entries: between float32 and float64, some 25 are rounded otherwise.
    n, k, count = 128, 16, 40
    by = np.maximum(np.arange(n) - 1, 0)
    table = softmax(draw.normal(n, k, k, scale=0.3))
    table[0] = table[0, :1]
    x = draw.rng.integers(0, k, size=(count, n))
    model = looked_model(decode, table, by, "float64")
    found = received(model, sent(model, x), x.shape)
    long = isinstance(found, np.ndarray) and np.array_equal(found, x)
    yield claim(
        "a long message too: the tables of both ends agree to the last digit",
        long,
        points=1,
        saw=found
        if isinstance(found, str)
        else f"{(found != x).mean():.0%} of {x.size:,} symbols wrong, in double precision",
        asks="every symbol of 40 long examples",
        waits=unread if long else "",
        advice=[
            when(
                all(right) and plain,
                "precision-differs",
                "short messages come back, this one does not: one end rounds its probabilities "
                "otherwise than the other (float32 and float64, or quantized and not), and in "
                f"{x.size:,} tables that shows",
            ),
            "first make the short messages come back",
        ],
        see=see,
    )

    n, k, count = 12, 3, draw.integer(20, 30)
    bias, pairs = pair_numbers(draw, n, k)
    x = sampled(draw, bias, pairs, count)
    model = pair_model(decode, bias, pairs, "float32", 1e-3)
    found = received(model, sent(model, x), x.shape)
    shaped = isinstance(found, np.ndarray) and np.array_equal(found, x)
    odd = next((s for s in asked if s != word.shape), None)
    yield claim(
        "both ends ask the model in the same shape",
        shaped,
        points=1,
        saw=f"a question of shape {odd} by the receiver, of a file with examples {word.shape}"
        if odd
        else "a message that does not come back if the model's last digits depend on the shape",
        asks="the full shape (count, n), each time, as the sender asks: another shape is another "
        "kernel, and other last digits",
        waits=unread if shaped else "",
        advice=[
            when(
                odd and all(right),
                "shape-differs",
                "ask for all rows and all columns, zeros where you know nothing yet, and use "
                "column i of the answer",
            ),
            "first make the short messages come back",
        ],
        see=see,
    )

    bias, pairs = pair_numbers(draw, 3, 2, scale=1.5)
    bias[0] += np.array([1.2, 0.0]) * draw.choice((-1, 1))
    model = pair_model(decode, bias, pairs, "float64")
    noise = [draw.rng.bytes(128) for _ in range(MESSAGES)]
    every = np.array(list(itertools.product((0, 1), repeat=3)))
    p = np.exp2([-price(conditionals(bias, pairs, w[None]), w[None]) for w in every])
    drawn = [v for v in ask_each(decode, model, noise, EACH) if not isinstance(v, str)]
    places = np.array([4, 2, 1])
    counts = np.zeros(8)
    for value in drawn:
        found = expect_array(value, (EACH, 3), "int", "what is decoded")
        if np.isin(found, (0, 1)).all():
            np.add.at(counts, found @ places, 1)
    total = max(counts.sum(), 1)
    gap = float(np.abs(counts / total - p).sum())
    enough = counts.sum() >= EACH * (MESSAGES - REFUSED)
    yield claim(
        "it reads the message and nothing else: random bytes decode to samples of the model",
        enough and gap < BOUND,
        points=1,
        saw=f"{MESSAGES - len(drawn):,} of {MESSAGES:,} random messages refused"
        if not enough
        else f"samples whose distribution is {gap:.2f} away from the model's",
        asks="any message is a message: coin flips decode to x with probability p(x)",
        advice=[
            when(
                enough and counts.max() == counts.sum(),
                "message-unread",
                "the same comes out, whatever goes in: x must come from the message",
            ),
            when(
                one_pass, "one-pass", "the model is asked once, about zeros: ask after each column"
            ),
            when(
                not enough and all(right),
                "header",
                "the message is the stream alone, as encode wrote it: no header, no length",
            ),
            "nothing but the model and the message may go into x",
        ],
        see=see,
    )


# --- round_trip -----------------------------------------------------------------------------------


@checks("round_trip", lesson=LESSON, points=2)
def the_best_causality_test(round_trip: Standin, draw: Draw) -> Iterator[Claim]:
    """True if x comes back exactly, False if not."""
    see = "Exercise 5: the best causality test of all"

    def ask(model: Standin, x: np.ndarray) -> bool | str:
        [found] = ask_each(round_trip, model, [symbols(x)])
        if isinstance(found, str):
            return found
        answer = expect_array(found, (), "any", "the answer")
        if answer.dtype.kind != "b":
            raise WrongKind(f"the answer is True or False: got {describe(found)}")
        return bool(answer)

    honest = []
    for n, k, count in ((8, 2, draw.integer(20, 40)), (6, 5, 9), (7, 3, 1)):
        bias, pairs = pair_numbers(draw, n, k, scale=1.5)
        x = sampled(draw, bias, pairs, count)
        honest.append((ask(pair_model(round_trip, bias, pairs), x), count))
    passed = [answer is True for answer, _ in honest]

    leaks: list[tuple[str, bool | str]] = []
    for kind, strength in (("its own symbol", 4.0), ("its own symbol", 0.4), ("the next", 1.5)):
        n, k = draw.integer(10, 14), 2
        bias, pairs = pair_numbers(draw, n, k)
        x = draw.rng.integers(0, 2, size=(150, n))
        i = draw.integer(2, n - 3)
        pairs[i, i if kind == "its own symbol" else i + 1] += strength * np.eye(k)
        leaks.append((kind, ask(pair_model(round_trip, bias, pairs), x)))
    # So short that every file is one word, whatever is in it.
    bias, pairs = pair_numbers(draw, 4, 2, scale=0.3)
    i = draw.integer(0, 3)
    pairs[i, i] += 20 * np.eye(2)
    x = draw.rng.integers(0, 2, size=(3, 4))
    x[:, i] = 1
    leaks.append(("its own symbol", ask(pair_model(round_trip, bias, pairs), x)))
    # So many symbols that a decoder that has lost its way meets a message that makes no sense.
    n, count = 40, 4000
    table = softmax(np.log([[0.7, 0.3], [0.3, 0.7]]) + draw.normal(n, 1, 2, scale=0.2))
    x = draw.rng.integers(0, 2, size=(count, n))
    many = looked_model(round_trip, table, np.arange(n))
    lost = [ask(many, x), ask(many, 1 - x)]
    found = [answer is False for _, answer in leaks] + [answer is False for answer in lost]
    never = all(answer is False for answer, _ in honest) and all(found)
    always = all(passed) and not any(found)
    gave_up = [a for a in [*lost, *(a for _, a in leaks)] if isinstance(a, str)]
    yield claim(
        "a model that sees only the past passes",
        all(passed) and any(found),
        points=0.75,
        saw="a model that passes, as all do, those that peek too"
        if all(passed)
        else f"{honest[passed.index(False)][0]} for {honest[passed.index(False)][1]} examples of "
        "an autoregressive model",
        asks="True: all its symbols come back",
        advice=[
            when(
                not all(passed) and passed[2],
                "count-forgotten",
                "one example passes, several do not: decode has to know how many there are",
            ),
            when(always, "always-true", "everything passes: compare what comes back with x"),
            when(never, "never-true", "nothing passes: compare values, in one dtype and shape"),
            "encode, decode as many as were encoded, compare",
        ],
        see=see,
    )

    missed = [kind for kind, answer in leaks if answer is True]
    yield claim(
        "a model that peeks fails, however little it peeks",
        all(found) and any(passed),
        points=0.75,
        saw=f"{gave_up[0]}, where the decoder lost its way"
        if gave_up
        else f"True for a model with a symbol that sees {missed[0]}"
        if missed
        else "True for a model whose symbols see themselves"
        if not all(found)
        else "a model that fails, as all do",
        asks="False: its file cannot be read",
        advice=[
            when(
                "AssertionError" in gave_up,
                "gave-up-is-an-answer",
                "a decoder that has lost its way may raise an AssertionError: that is a False",
            ),
            when(always, "always-true", "everything passes: compare what comes back with x"),
            when(
                missed and not all(passed),
                "compares-sizes",
                "the size of a file says nothing: read it, and compare",
            ),
            when(
                missed,
                "compares-a-part",
                "a small leak passes: compare every symbol, exactly",
            ),
            when(never, "never-true", "nothing passes: compare values, in one dtype and shape"),
            "all symbols of all examples must come back",
        ],
        see=see,
    )

    broken = looked_model(
        round_trip, table[:4], np.zeros(4, dtype=np.int64), "float64", broken=True
    )
    [answer] = ask_each(round_trip, broken, [symbols(draw.rng.integers(0, 2, size=(3, 4)))])
    yield claim(
        "a mistake in the code is not taken for a leak",
        isinstance(answer, str) and any(passed),
        points=0.5,
        saw=f"{answer!r} for a model whose code has a misspelled name"
        if not isinstance(answer, str)
        else "no model that passes",
        asks="only AssertionError means that the decoder gave up; anything else is passed on",
        advice=[
            when(
                answer is False and any(passed),
                "swallows-everything",
                "except Exception swallows every mistake, and calls it a leak: except "
                "AssertionError is enough",
            ),
            "let other exceptions through",
        ],
        see=see,
    )
