"""Checks of lesson 09, WaveNet: dilated causal convolutions, gates, and sound drawn quickly.

Notation: μ = levels − 1; a layer has kernel size k and dilation d; R = 1 + Σ (k−1) d is the
receptive field (van den Oord and others, 2016, "WaveNet: A Generative Model for Raw Audio",
section 2). All prices are in nats.

Chance: codes are compared with what inverting the cumulative distribution gives for the same
uniform numbers. Two right ways of computing logits in double precision differ by less than
1e-12, so of the fewer than 1,000 draws of a check, at eight levels, one falls between them with a
probability below 1e-8.
"""

from __future__ import annotations

import copy
import itertools
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import torch

from autograder import claim, expect_array, when
from autograder.checking import checks
from autograder.checks.witness import carries_its_weights, waits_unless
from autograder.claims import Advice, Claim
from autograder.draw import Draw
from autograder.inside.wavenet import (
    begin_drawing,
    beside,
    build,
    columns_kept,
    counted,
    fill,
    gradient_sizes,
    numbers,
    one_by_one,
    redrawn,
    step_operations,
    unchanged,
)
from autograder.remote.callbacks import answered, whole_numbers
from autograder.remote.proxy import Standin, StudentFailed, WrongKind, made_by
from course.causality import dependency_map

LESSON = "09_wavenet"


def tensor(array: Any) -> torch.Tensor:
    """A tensor of its own with the array's values."""
    return torch.tensor(np.asarray(array))


def close(a: np.ndarray, b: np.ndarray, tolerance: float = 1e-4) -> bool:
    """Equal in shape, and in value up to `tolerance`, absolute and relative to b."""
    return a.shape == b.shape and bool(np.allclose(a, b, rtol=tolerance, atol=tolerance))


def sigmoid(a: np.ndarray) -> np.ndarray:
    """σ(a), without overflow."""
    return 0.5 * (1 + np.tanh(0.5 * a))


def log_softmax(logits: np.ndarray, axis: int) -> np.ndarray:
    """Logarithms of the probabilities, in nats."""
    top = logits.max(axis, keepdims=True)
    return logits - top - np.log(np.exp(logits - top).sum(axis, keepdims=True))


def first_name(rules: dict[str, Callable[[], bool]]) -> str:
    """The first misconception whose rule holds, or "" if none does."""
    return next((name for name, holds in rules.items() if holds()), "")


def advice_of(name: str, texts: dict[str, str], *rest: str | Advice) -> list[str | Advice]:
    """Advice for the misconception `name`, then `rest`."""
    return [*(when(name == key, key, text) for key, text in texts.items()), *rest]


# --- μ-law ----------------------------------------------------------------------------------------


def companded(x: np.ndarray, mu: float) -> np.ndarray:
    """f(x) = sign(x) ln(1 + μ|x|) / ln(1 + μ)."""
    return np.sign(x) * np.log1p(mu * np.abs(x)) / np.log1p(mu)


def expanded(y: np.ndarray, mu: float) -> np.ndarray:
    """sign(y) ((1 + μ)^|y| − 1) / μ."""
    return np.sign(y) * np.expm1(np.abs(y) * np.log1p(mu)) / mu


def encoded(x: np.ndarray, levels: int) -> np.ndarray:
    """round(μ (f(x) + 1) / 2)."""
    mu = levels - 1
    return np.floor(mu * (companded(np.clip(x, -1, 1), mu) + 1) / 2 + 0.5).astype(np.int64)


ENCODINGS: dict[str, Callable[[np.ndarray, int], np.ndarray]] = {
    "not-rounded": lambda x, n: np.floor((n - 1) * (companded(x, n - 1) + 1) / 2),
    "mu-is-levels": lambda x, n: np.floor(n * (companded(x, n) + 1) / 2 + 0.5),
    "mu-is-levels ": lambda x, n: np.floor((n - 1) * (companded(x, n) + 1) / 2 + 0.5),
    "scaled-by-levels": lambda x, n: np.minimum(np.floor(n * (companded(x, n - 1) + 1) / 2), n - 1),
    "sign-lost": lambda x, n: np.floor((n - 1) * (np.abs(companded(x, n - 1)) + 1) / 2 + 0.5),
    "sign-lost ": lambda x, n: np.floor((n - 1) * np.abs(companded(x, n - 1)) + 0.5),
    "not-companded": lambda x, n: np.floor((n - 1) * (x + 1) / 2 + 0.5),
    "expanded-for-companded": lambda x, n: np.floor((n - 1) * (expanded(x, n - 1) + 1) / 2 + 0.5),
    "levels-ignored": lambda x, n: encoded(x, 256),
    "negative-codes": lambda x, n: np.floor((n - 1) * companded(x, n - 1) / 2 + 0.5),
}
ENCODING_ADVICE = {
    "not-rounded": "you cut off where you should round: add ½ before the floor, or decoding lands "
    "on an edge and many codes do not survive",
    "mu-is-levels": "μ is levels − 1, 255 for 256 levels: codes run from 0 to μ",
    "scaled-by-levels": "the scale is μ = levels − 1, with rounding: codes 0 and μ then stand for "
    "exactly −1 and 1",
    "sign-lost": "the sign is lost: −x and x get one code; the formula ends in sign(x) · …",
    "not-companded": "these are equal steps: the logarithm is missing",
    "expanded-for-companded": "this is the way back: encoding takes the logarithm, decoding the "
    "exponential",
    "levels-ignored": "right for 256 levels only: take μ from the argument",
    "negative-codes": "codes start at 0: shift f from −1 … 1 to 0 … 1 first, (f + 1) / 2",
}
SEE_MU = "Exercise 1: fewer levels, spent where the ear listens"


def signal_off_the_edges(draw: Draw, levels: int) -> np.ndarray:
    """Loud and quiet samples, none near the edge of a code: rounding errors decide nothing."""
    x = np.concatenate([2 * draw.uniform(300) - 1, 0.05 * (2 * draw.uniform(200) - 1)])
    z = (levels - 1) * (companded(x, levels - 1) + 1) / 2 + 0.5
    return x[np.abs(z - np.round(z)) > 2e-3]


@checks("mu_law_encode", lesson=LESSON, points=2)
def codes_of_a_signal(mu_law_encode: Standin, draw: Draw) -> Iterator[Claim]:
    """μ-law codes: rounded, companded, from 0 to levels − 1."""
    cases, raw = [], []
    for levels, dtype in ((256, np.float32), (draw.choice((16, 32, 64, 128)), np.float64)):
        x = signal_off_the_edges(draw, levels)
        answer = mu_law_encode(tensor(x.astype(dtype)), levels)
        cases.append((x, levels, expect_array(answer, x.shape, "number", "the codes")))
        raw.append(cases[-1][2].dtype.kind)
    right = all((got == encoded(x, n)).all() for x, n, got in cases)
    name = first_name(
        {
            key: lambda rule=rule: all((got == rule(x, n)).all() for x, n, got in cases)
            for key, rule in ENCODINGS.items()
        }
    ).strip()
    x, n, got = next((c for c in cases if (c[2] != encoded(c[0], c[1])).any()), cases[0])
    off = int(np.argmax(got != encoded(x, n)))
    yield claim(
        "the code is round(μ (f(x) + 1) / 2), with μ = levels − 1",
        right,
        points=1,
        saw=f"code {got[off]:g} for x = {x[off]:.4f} at {n} levels",
        asks="the logarithm, scaled to 0 … μ, rounded to the nearest whole number",
        advice=advice_of(name, ENCODING_ADVICE, "work out the code of 0.5 and of 0.01 by hand"),
        see=SEE_MU,
    )
    loud = np.array([-7.0, -1.0, 1.0, 1.5, 1e6])
    ends = [
        (n, expect_array(mu_law_encode(tensor(loud), n), loud.shape, "number", "the codes"))
        for n in (256, 16)
    ]
    cut = all((got == np.where(loud < 0, 0, n - 1)).all() for n, got in ends)
    wild = any(((got < 0) | (got > n - 1)).any() for n, got in ends)
    yield claim(
        "±1 are the outermost codes, and what is louder is cut off",
        cut,
        points=0.5,
        saw=f"codes {ends[0][1].astype(int).tolist()} for {loud.tolist()} at 256 levels",
        asks="0 for −1 and below, levels − 1 for 1 and above",
        advice=[
            when(
                wild and right,
                "not-clipped",
                "a sample a little louder than 1 gets a code that does not exist: clamp x first",
            ),
            *advice_of(name, ENCODING_ADVICE),
            "clamp x to −1 … 1 before the logarithm",
        ],
        see=SEE_MU,
    )
    grid = tensor(np.array([[0.3, -0.2, 0.05], [0.7, -0.9, 0.11]]))
    whole = mu_law_encode(grid, 256)
    array = expect_array(whole, (2, 3), "number", "the codes")
    single = isinstance(whole, torch.Tensor) and whole.dtype == torch.int64
    yield claim(
        "codes are int64, and have the shape of x",
        len(np.unique(array)) > 3 and single,
        points=0.5,
        saw=f"codes of kind {getattr(whole, 'dtype', type(whole).__name__)}",
        asks="whole numbers that can pick a row of an embedding",
        waits=waits_unless(right or name, "codes that follow x"),
        advice=[
            when(array.dtype.kind == "f", "floats-for-codes", "a code is a name: end with .long()"),
            when(not single, "other-dtype", "codes should be int64: end with .long()"),
            "one code for each sample",
        ],
        see=SEE_MU,
    )


DECODINGS: dict[str, Callable[[np.ndarray, int], np.ndarray]] = {
    "mu-is-levels": lambda c, n: expanded(2 * c / n - 1, n),
    "mu-is-levels ": lambda c, n: expanded(2 * c / (n - 1) - 1, n),
    "scaled-by-levels": lambda c, n: expanded(2 * c / n - 1, n - 1),
    "scaled-by-levels ": lambda c, n: expanded(2 * (c + 0.5) / n - 1, n - 1),
    "half-added": lambda c, n: expanded(2 * (c + 0.5) / (n - 1) - 1, n - 1),
    "sign-lost": lambda c, n: np.abs(expanded(2 * c / (n - 1) - 1, n - 1)),
    "sign-lost ": lambda c, n: np.expm1((2 * c / (n - 1) - 1) * np.log(n)) / (n - 1),
    "not-expanded": lambda c, n: 2 * c / (n - 1) - 1,
    "companded-again": lambda c, n: companded(2 * c / (n - 1) - 1, n - 1),
    "levels-ignored": lambda c, n: expanded(2 * c / 255 - 1, 255),
}
DECODING_ADVICE = {
    "mu-is-levels": "μ is levels − 1, 255 for 256 levels",
    "scaled-by-levels": "there are μ = levels − 1 steps between the first code and the last: "
    "y = 2c/μ − 1, so that code μ is 1 again",
    "half-added": "nothing is to be added here: a rounded code stands for the middle already",
    "sign-lost": "the sign is lost, or the exponential is taken of y and not of |y|: codes below "
    "the middle are negative samples",
    "not-expanded": "this stops at y: the exponential is missing",
    "companded-again": "this takes the logarithm once more: the way back is the exponential",
    "levels-ignored": "right for 256 levels only: take μ from the argument",
}


@checks("mu_law_decode", lesson=LESSON, points=2)
def signal_of_codes(mu_law_decode: Standin, draw: Draw) -> Iterator[Claim]:
    """The way back, to the middle of what a code stands for."""
    cases = []
    for n in (256, draw.choice((16, 32, 64, 128))):
        codes = draw.permutation(n)
        answer = mu_law_decode(tensor(codes), n)
        cases.append((codes, n, expect_array(answer, (n,), "number", "the samples")))
    right = all(close(got, expanded(2 * c / (n - 1) - 1, n - 1), 2e-5) for c, n, got in cases)
    name = first_name(
        {
            key: lambda rule=rule: all(close(got, rule(c, n), 2e-5) for c, n, got in cases)
            for key, rule in DECODINGS.items()
        }
    ).strip()
    advice = advice_of(name, DECODING_ADVICE, "decode 239 by hand, and compare")
    c, n, got = cases[0]
    yield claim(
        "y = 2c/μ − 1, and x = sign(y) ((1 + μ)^|y| − 1) / μ",
        right,
        points=1,
        saw=f"x = {got[np.argmax(c)]:.4f} for the last code and {got[np.argmin(c)]:.4f} for code "
        f"0, "
        f"at {n} levels",
        asks="−1 for code 0, 1 for code μ, and an exponential in between",
        advice=advice,
        see=SEE_MU,
    )
    survived = [
        int((encoded(np.nan_to_num(got, nan=9), n) == c).sum()) if np.isfinite(got).all() else 0
        for c, n, got in cases
    ]
    x = signal_off_the_edges(draw, 256)
    back = expect_array(
        mu_law_decode(tensor(encoded(x, 256)), 256), x.shape, "number", "the samples"
    )
    step = np.log(256) / 255
    small = bool((np.abs(back - x) <= step * (1 + step) * (np.abs(x) + 1 / 255) + 1e-6).all())
    yield claim(
        "every code survives, and a round trip errs by half a step: little where it is quiet",
        all(s == n for s, (_, n, _) in zip(survived, cases, strict=True)) and small,
        points=0.5,
        saw=f"{survived[0]} of 256 codes come back after decoding and encoding; the largest error "
        f"of a "
        f"round trip is {np.abs(back - x).max():.3g}",
        asks="|error| ≤ ln(1 + μ)/μ · (|x| + 1/μ), up to a few percent",
        advice=advice,
        see=SEE_MU,
    )
    grid = np.array([[0, 1, 128], [127, 254, 255]])
    got = expect_array(mu_law_decode(tensor(grid), 256), (2, 3), "number", "the samples")
    mirrored = expect_array(mu_law_decode(tensor(255 - grid), 256), (2, 3), "number", "the samples")
    yield claim(
        "samples are floats of the codes' shape, mirrored where codes are",
        got.dtype.kind == "f" and close(got, -mirrored, 1e-5) and np.ptp(got) > 1,
        points=0.5,
        saw=f"an answer of kind {got.dtype}"
        if got.dtype.kind != "f"
        else f"{got[0, 0]:.4f} for code 0 and {mirrored[0, 0]:.4f} for code 255",
        asks="decode(μ − c) = −decode(c)",
        advice=advice,
        see=SEE_MU,
    )


# --- CausalConv1d ---------------------------------------------------------------------------------


def convolved(
    x: np.ndarray, W: np.ndarray, b: np.ndarray, delays: Sequence[int], before: Any = 0.0
) -> np.ndarray:
    """y_t = b + Σ_j W[:, :, j] x_{t − delays[j]}, with `before` outside of x (B, C, T)."""
    count = x.shape[2]
    y = np.zeros((len(x), len(W), count)) + b[None, :, None]
    for j, delay in enumerate(delays):
        moved = np.zeros_like(x) + before
        for t in range(count):
            if 0 <= t - delay < count:
                moved[:, :, t] = x[:, :, t - delay]
        y += np.einsum("oi,bit->bot", W[:, :, j], moved)
    return y


def taps(k: int, d: int) -> list[int]:
    """How far back each weight of a causal convolution reaches, the oldest first."""
    return [(k - 1 - j) * d for j in range(k)]


CONVOLUTIONS: dict[str, Callable[[int, int], tuple[list[int], bool]]] = {
    # name: (k, d) → the delays, and whether the bias is there
    "symmetric-padding": lambda k, d: (
        [t - ((k - 1) * d - (k - 1) * d // 2) for t in taps(k, d)],
        True,
    ),
    "looks-ahead": lambda k, d: ([t - (k - 1) * d for t in taps(k, d)], True),
    "kernel-reversed": lambda k, d: (taps(k, d)[::-1], True),
    "dilation-forgotten": lambda k, d: (taps(k, 1), True),
    "one-late": lambda k, d: ([t + 1 for t in taps(k, d)], True),
    "bias-forgotten": lambda k, d: (taps(k, d), False),
}
CONVOLUTION_ADVICE = {
    "symmetric-padding": "you pad on both sides (padding='same' does): output t then hears the "
    "future; all the zeros belong on the left",
    "looks-ahead": "the zeros stand on the right, or the wrong end is cropped: output t hears "
    "samples after t",
    "kernel-reversed": "the last weight belongs to the present, the first to the oldest sample: do "
    "not flip the kernel",
    "dilation-forgotten": "the taps stand next to each other: they should be d apart",
    "one-late": "output t does not hear the present: that shift belongs into WaveNet, once, and "
    "not "
    "into each layer",
    "bias-forgotten": "the bias is missing",
    "dilation-forgotten-in-padding": "(k − 1) zeros are too few for dilated taps: (k − 1)·d",
    "no-padding": "the signal gets shorter by (k − 1)·d: that many zeros are missing on the left",
    "not-cropped": "the signal gets longer: pad on the left only",
    "padding-k-times-d": "k·d zeros are too many: the first tap reaches back by (k − 1)·d",
}
SEE_CONV = "Exercise 2: a convolution that cannot look ahead"


@checks("CausalConv1d", lesson=LESSON, points=3)
def a_convolution_of_the_past(CausalConv1d: Standin, draw: Draw) -> Iterator[Claim]:
    """Output t hears x_t, x_{t−d} … x_{t−(k−1)d}, and the output is as long as the input."""
    cases, failed = [], None
    for k, d, count in (
        (3, 2, 13),
        (2, draw.integer(3, 5), 12),
        (draw.integer(3, 4), draw.integer(2, 4), 4),  # shorter than its own reach
        (1, 2, 5),
        (2, 1, draw.integer(6, 9)),
    ):
        layer = made_by(CausalConv1d, 3, 4, k, d)
        W, b = draw.normal(4, 3, k), draw.normal(4) + 2
        fill(layer, {"weight": tensor(W), "bias": tensor(b)})
        x = draw.normal(2, 3, count)
        try:
            answer = layer(tensor(x).float())
        except StudentFailed as error:  # too few zeros for a signal that is shorter than the reach
            failed = error
            answer = np.zeros((2, 4, 0))
        y = expect_array(answer, (2, 4, None), "float", "the output")
        cases.append((k, d, x, W, b, y))
    if failed is not None and not any(y.shape[2] for *_, y in cases):
        raise failed
    lengths = [(k, d, x.shape[2], y.shape[2]) for k, d, x, _, _, y in cases]
    wrong = [(k, d, t, got) for k, d, t, got in lengths if got != t]
    name = first_name(
        {
            "dilation-forgotten-in-padding": lambda: all(
                got == max(t - (k - 1) * d + (k - 1), 0) for k, d, t, got in lengths
            ),
            "no-padding": lambda: all(got == max(t - (k - 1) * d, 0) for k, d, t, got in lengths),
            "not-cropped": lambda: all(got == t + (k - 1) * d for k, d, t, got in lengths),
            "padding-k-times-d": lambda: all(got == t + d for k, d, t, got in lengths),
        }
        if wrong
        else {
            key: lambda rule=rule: all(
                close(y, convolved(x, W, b if rule(k, d)[1] else 0 * b, rule(k, d)[0]))
                for k, d, x, W, b, y in cases
            )
            for key, rule in CONVOLUTIONS.items()
        }
    )
    advice = advice_of(name, CONVOLUTION_ADVICE, "compute the five outputs of the example by hand")
    k, d, t, got = (wrong or lengths)[0]
    layer, x = made_by(CausalConv1d, 3, 4, 2, 2), tensor(draw.normal(2, 3, 12)).float()
    carried = carries_its_weights(layer, lambda m: m(x), draw.rng)
    yield claim(
        "the output is as long as the input, for signals of any length",
        not wrong,
        points=0.5,
        saw=f"{got} columns from {t}, with kernel {k} and dilation {d}",
        asks="(k − 1)·d zeros, all of them before the first sample",
        waits=waits_unless(wrong or carried, "outputs that are made of x and of the weights"),
        advice=advice,
        see=SEE_CONV,
    )
    fits = [y.shape[2] == x.shape[2] for _, _, x, _, _, y in cases]
    fits = [
        ok and close(y, convolved(x, W, b, taps(k, d)))
        for ok, (k, d, x, W, b, y) in zip(fits, cases, strict=True)
    ]
    bad = cases[fits.index(False)] if not all(fits) else cases[0]
    yield claim(
        "y_t = b + Σ_j W_j x_{t−(k−1−j)d}, zeros before the first sample",
        all(fits),
        points=1,
        saw=f"y_1 = {bad[5].reshape(-1)[0]:.3g} at kernel {bad[0]}, dilation {bad[1]}"
        if bad[5].size
        else "no output at all",
        asks="the weights of the layer itself, the last one on the present",
        advice=advice,
        see=SEE_CONV,
    )
    leaks, gaps, mixing, words = [], [], False, ""
    if not wrong:
        for k, d in ((2, draw.integer(2, 4)), (3, draw.integer(1, 3))):
            count = (k - 1) * d + 5
            wanted = np.zeros((count, count), dtype=bool)
            for delay in taps(k, d):
                wanted |= np.eye(count, k=-delay, dtype=bool)
            layer, x = made_by(CausalConv1d, 2, 3, k, d), draw.normal(3, 2, count)
            expect_array(layer(tensor(x).float()), (3, 3, count), "float", "the output")
            seen = dependency_map(
                layer,
                x,
                "normal",
                outputs=1,
                together=1,
                expected=wanted,
                seed=draw.integer(0, 2**31),
            )
            mixing |= seen.rows_mix
            leaks += [(o, i, k, d) for o, i in seen.forbidden(wanted)]
            gaps += [(o, i, k, d) for o, i in seen.missing(wanted)]
        for verb, edges in (("sees", leaks), ("does not see", gaps)):
            if edges and not words:
                o, i, k, d = edges[0]
                words = f"output {o + 1} {verb} input {i + 1} at kernel {k}, dilation {d}"
    yield claim(
        "output t sees x_t, x_{t−d}, …, x_{t−(k−1)d}, and nothing else",
        not wrong and not leaks and not gaps and not mixing,
        points=1,
        saw=words
        or ("rows of a batch that see each other" if mixing else "outputs of another length"),
        asks="k inputs, d apart, none of them later than t",
        advice=[
            when(mixing, "rows-mix", "each example must be computed for itself"),
            *advice,
        ],
        see=SEE_CONV,
    )
    layer = made_by(CausalConv1d, 2, 3, 2, 2)
    sizes = gradient_sizes(layer, "", tensor(draw.normal(2, 2, 9)).float())
    sizes = sizes if isinstance(sizes, dict) else {}
    trained = sizes.get("weight", 0) > 0 and sizes.get("bias", 0) > 0 and len(sizes) == 2
    yield claim(
        "its weight and its bias are trained, and nothing else is",
        trained,
        points=0.5,
        saw=f"gradients for {', '.join(k for k, v in sizes.items() if v) or 'nothing'}",
        asks="self.weight and self.bias, as nn.Conv1d made them",
        advice=[
            when(
                sizes.get("weight", 0) == 0,
                "gradient-cut",
                "no gradient reaches the weight: .data, .detach() and no_grad cut it off",
            ),
            *advice,
        ],
        see=SEE_CONV,
    )


# --- receptive_field ------------------------------------------------------------------------------

Field = Callable[[int, Sequence[int]], float]
FIELDS: dict[str, Field] = {
    "off-by-one": lambda k, ds: sum((k - 1) * d for d in ds),
    "off-by-one ": lambda k, ds: 2 + sum((k - 1) * d for d in ds),
    "k-for-k-minus-one": lambda k, ds: 1 + sum(k * d for d in ds),
    "k-for-k-minus-one ": lambda k, ds: sum(k * d for d in ds),
    "power-of-two": lambda k, ds: 2 ** len(ds),
    "power-of-two ": lambda k, ds: 2 ** (len(ds) + 1),
    "power-of-two  ": lambda k, ds: k ** len(ds),
    "dilation-forgotten": lambda k, ds: 1 + (k - 1) * len(ds),
    "dilation-forgotten ": lambda k, ds: 1 + len(ds),
    "kernel-forgotten": lambda k, ds: 1 + sum(ds),
    "repeats-dropped": lambda k, ds: 1 + sum((k - 1) * d for d in set(ds)),
    "top-layer-only": lambda k, ds: 1 + (k - 1) * max(ds, default=0),
    "one-layer-forgotten": lambda k, ds: 1 + sum((k - 1) * d for d in list(ds)[1:]),
    "one-layer-forgotten ": lambda k, ds: 1 + sum((k - 1) * d for d in list(ds)[:-1]),
    "one-a-layer": lambda k, ds: sum(1 + (k - 1) * d for d in ds),
}
FIELD_ADVICE = {
    "off-by-one": "one off: an output sees itself too, and counts once, however many layers there "
    "are",
    "k-for-k-minus-one": "a layer with k taps reaches back by (k − 1)·d: there are k − 1 gaps "
    "between k taps",
    "power-of-two": "that is true for kernel 2 and one stack that doubles from 1 only: add up (k "
    "− 1)·d",
    "dilation-forgotten": "the dilations are missing: a layer adds (k − 1)·d",
    "kernel-forgotten": "right for kernel 2 only: a layer adds (k − 1)·d",
    "repeats-dropped": "equal dilations count each time: three stacks see further than one",
    "top-layer-only": "every layer adds its reach, not the widest alone",
    "one-layer-forgotten": "one layer is missing from the sum: all of them count, the first "
    "convolution too",
    "one-a-layer": "the 1 is counted once for the whole stack, not once a layer",
}
SEE_FIELD = "Exercise 3: how far back?"


@checks("receptive_field", lesson=LESSON, points=2)
def how_far_back(receptive_field: Standin, draw: Draw) -> Iterator[Claim]:
    """R = 1 + Σ (k − 1) d, an exact whole number."""
    stack = [2**i for i in range(10)]
    known = [(2, stack), (2, stack * 3), (2, stack * 2), (3, [1, 2, 4])]
    drawn = [
        (draw.integer(3, 5), [draw.integer(1, 40) for _ in range(draw.integer(3, 6))]),
        (draw.integer(3, 7), [5, 1, 5, draw.integer(2, 9)]),
        (2, [3, 3, 7, 1]),
        (1, [1, 2, 4]),
    ]

    def ask(k: int, ds: list[int]) -> float:
        return float(expect_array(receptive_field(k, list(ds)), (), "number", "the field"))

    def rule(k: int, ds: Sequence[int]) -> int:
        return 1 + sum((k - 1) * d for d in ds)

    got = [(k, ds, ask(k, ds)) for k, ds in known + drawn]
    name = first_name(
        {
            key: lambda wrong=wrong: all(value == wrong(k, ds) for k, ds, value in got)
            for key, wrong in FIELDS.items()
        }
    ).strip()
    advice = advice_of(name, FIELD_ADVICE, "go through 1, 2, 4 with kernel 2 on paper: 8")
    off = [(k, ds, value) for k, ds, value in got if value != rule(k, ds)]
    k, ds, value = (off or got)[0]
    shown = ", ".join(map(str, ds[:6])) + (", …" if len(ds) > 6 else "")
    drawn_right = all(value == rule(k, ds) for k, ds, value in got[len(known) :])
    yield claim(
        "R = 1 + Σ (k − 1) d, for any kernel and any dilations",
        drawn_right,
        points=1,
        saw=f"{value:g} for kernel {k} and dilations {shown}",
        asks="each layer adds (k − 1)·d to the one sample that is seen without layers",
        advice=advice,
        see=SEE_FIELD,
    )
    yield claim(
        "1 … 512 with kernel 2 sees 1,024 samples, three such stacks 3,070, and no layer sees 1",
        all(value == rule(k, ds) for k, ds, value in got[: len(known)]) and ask(3, []) == 1,
        points=0.5,
        saw=f"{got[0][2]:,.0f}, {got[1][2]:,.0f} and {ask(3, []):g}",
        asks="1,024, 3,070 and 1",
        advice=advice,
        see=SEE_FIELD,
    )
    far = [2**i for i in range(60)]
    large = receptive_field(2, far)
    whole = type(large) is int or str(getattr(large, "dtype", "")).startswith(("int", "torch.int"))
    yield claim(
        "the answer is a whole number, exact for sixty layers too",
        whole and int(large) == 2**60 and drawn_right,
        points=0.5,
        saw=f"{large!r}"[:60],
        asks="an int: 1 + (1 + 2 + … + 2^59) = 2^60",
        advice=[
            when(
                drawn_right and not whole,
                "float-for-int",
                "a number of samples is an int: floats lose the last digits",
            ),
            *advice,
        ],
        see=SEE_FIELD,
    )


# --- ResidualBlock --------------------------------------------------------------------------------

BLOCK_ADVICE = {
    "order-swapped": "x' comes first, the skip second",
    "gates-swapped": "tanh belongs to the first half of the channels, σ to the second",
    "gate-forgotten": "the gate is missing: z = tanh(f) · σ(g)",
    "gates-added": "the two halves multiply: one says what, the other how much of it",
    "halves-interleaved": "f is the first C channels, g the last C: chunk(2, dim=1)",
    "residual-forgotten": "x' = x + W z: the block's own input is missing",
    "residual-without-weights": "z goes through self.residual before it is added to x",
    "skip-is-residual": "the skip is W_skip z alone: neither x nor the residual's weights belong "
    "into it",
    "label-ignored": "the label changes nothing: add self.condition(label) to f and g",
    "label-at-one-time": "the label is heard at one time only: the same vector belongs to ALL "
    "times "
    "(shape (B, 2C, 1))",
    "label-after-gate": "the label's vector is added BEFORE tanh and σ",
    "label-on-one-half": "the label moves one half only: its 2C numbers belong to f and to g",
}
SEE_BLOCK = "Exercise 4: gates"


def one_by_one_convolution(z: np.ndarray, W: np.ndarray, b: np.ndarray) -> np.ndarray:
    """A convolution with kernel 1: (B, C, T) → (B, out, T)."""
    return np.einsum("oi,bit->bot", W[:, :, 0], z) + b[None, :, None]


def block_rules(
    x: np.ndarray, both: np.ndarray, extra: np.ndarray | None, p: dict[str, np.ndarray]
) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """x' and s as they should be ("right") and as mistakes give them; `extra` is V_label."""
    half = x.shape[1]
    V = 0.0 if extra is None else extra[:, :, None]
    ones = np.ones_like(both)
    first, last = 0 * ones, 0 * ones
    first[:, :, 0], last[:, :, -1] = 1, 1
    upper = ones.copy()
    upper[:, half:] = 0

    def res(z: np.ndarray) -> np.ndarray:
        return one_by_one_convolution(z, p["residual.weight"], p["residual.bias"])

    def skip(z: np.ndarray) -> np.ndarray:
        return one_by_one_convolution(z, p["skip.weight"], p["skip.bias"])

    def ways(z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return x + res(z), skip(z)

    def gated(a: np.ndarray) -> np.ndarray:
        return np.tanh(a[:, :half]) * sigmoid(a[:, half:])

    a = both + V
    f, g = a[:, :half], a[:, half:]
    z = gated(a)
    moved = V[:, :half] if extra is not None else 0.0
    square = p["skip.weight"].shape[0] == half  # x can be added to a skip of its own size only
    return {
        "right": ways(z),
        "order-swapped": (skip(z), x + res(z)),
        "gates-swapped": ways(sigmoid(f) * np.tanh(g)),
        "gate-forgotten": ways(np.tanh(f)),
        "gates-added": ways(np.tanh(f) + sigmoid(g)),
        "halves-interleaved": ways(np.tanh(a[:, ::2]) * sigmoid(a[:, 1::2])),
        "residual-forgotten": (res(z), skip(z)),
        "residual-without-weights": (x + z, skip(z)),
        "skip-is-residual": (x + res(z), x + res(z)),
        "skip-is-residual ": (x + res(z), res(z)),
        "skip-is-residual  ": (x + res(z), skip(x + res(z))),
        "skip-is-residual   ": (x + res(z), skip(x + z)),
        "skip-is-residual    ": (x + res(z), x + skip(z) if square else x),
        "label-ignored": ways(gated(both)),
        "label-at-one-time": ways(gated(both + V * first)),
        "label-at-one-time ": ways(gated(both + V * last)),
        "label-after-gate": ways(gated(both) + moved),
        "label-on-one-half": ways(gated(both + V * upper)),
        "label-on-one-half ": ways(gated(both + V * (1 - upper))),
    }


def pair(answer: Any, shapes: Sequence[tuple]) -> list[np.ndarray]:
    """The two outputs of a block, or WrongKind."""
    if not isinstance(answer, list | tuple) or len(answer) != 2:
        raise WrongKind("forward should return a pair: x' and the skip")
    names = ("x'", "the skip")
    return [
        expect_array(part, None, "float", what)
        for part, what, _ in zip(answer, names, shapes, strict=True)
    ]


@checks("ResidualBlock", lesson=LESSON, points=3)
def a_gated_layer(ResidualBlock: Standin, draw: Draw) -> Iterator[Claim]:
    """tanh · σ, a residual and a skip, and a label that is heard at all times."""
    C, count = 4, 9
    plain, labeled, sizes, carried = [], [], {}, True
    for skips, labels in ((C, 0), (draw.integer(5, 7), 0), (C, 3), (draw.integer(5, 7), 3)):
        block = made_by(ResidualBlock, C, skips, draw.integer(2, 3), draw.integer(1, 3), labels)
        p = {k: expect_array(v) for k, v in numbers(block).items()}
        drawn = {k: draw.normal(*v.shape, scale=1.0) for k, v in p.items()}
        fill(block, {k: tensor(v) for k, v in drawn.items()})
        x = draw.normal(3, C, count)
        given = tensor(x).float()
        both = expect_array(block.conv(given), (3, 2 * C, count), "float", "the convolution")
        carried &= carries_its_weights(block, lambda m, x=given: m.conv(x), draw.rng)
        label = np.array([2, 0, 1]) if labels else None
        answer = block(given, tensor(label)) if labels else block(given)
        got = pair(answer, ((3, C, count), (3, skips, count)))
        extra = drawn["condition.weight"][label] if labels else None
        rules = block_rules(x, both, extra, drawn)
        (labeled if labels else plain).append((got, rules))
        if labels:
            for part in ("0", "1"):
                found = gradient_sizes(block, part, given, tensor(label))
                for key, value in (found if isinstance(found, dict) else {}).items():
                    sizes.setdefault(part, {})[key] = value

    def fits(case: tuple, name: str) -> bool:
        (one, two), rules = case
        return close(one, rules[name][0], 1e-3) and close(two, rules[name][1], 1e-3)

    def named(cases: list) -> str:
        keys = [k for k in cases[0][1] if k != "right"]
        found = first_name({k: lambda k=k: all(fits(c, k) for c in cases) for k in keys})
        # Where skip and channels differ a mistake may give wrong shapes: the square case tells.
        return (found or first_name({k: lambda k=k: fits(cases[0], k) for k in keys})).strip()

    name = named(plain) if not all(fits(c, "right") for c in plain) else ""
    (one, two), rules = next((c for c in plain if not fits(c, "right")), plain[0])
    wrong_first = not close(one, rules["right"][0], 1e-3)
    shown = (one if wrong_first else two).reshape(-1)
    yield claim(
        "z = tanh(f) σ(g), x' = x + W_res z, s = W_skip z",
        all(fits(c, "right") for c in plain),
        points=1.5,
        saw=f"{'x’' if wrong_first else 'the skip'} of shape "
        f"{(one if wrong_first else two).shape} that "
        f"begins with {shown[0]:.4g}"
        if shown.size
        else "an empty output",
        asks="both ways start from the same z, each with weights of its own",
        waits=(deaf := waits_unless(carried, "a convolution that is made of x and its weights")),
        advice=advice_of(name, BLOCK_ADVICE, "work out the example with one channel, and compare"),
        see=SEE_BLOCK,
    )
    heard = all(fits(c, "right") for c in labeled)
    again = named(labeled) if not heard else ""
    yield claim(
        "a label adds the same vector to f and g at all times",
        heard,
        points=1,
        saw="outputs with a label that are not those of conv(x) + V_label",
        asks="self.condition(label), one row for each example, before the gate",
        waits=deaf,
        advice=advice_of(
            again or name, BLOCK_ADVICE, "add self.condition(label)[:, :, None] to the convolution"
        ),
        see=SEE_BLOCK,
    )
    wanted = {
        "0": ("conv.weight", "conv.bias", "condition.weight", "residual.weight", "residual.bias"),
        "1": ("conv.weight", "conv.bias", "condition.weight", "skip.weight", "skip.bias"),
    }
    cut = sorted(
        {k for part, keys in wanted.items() for k in keys if not sizes.get(part, {}).get(k)}
    )
    yield claim(
        "training reaches the convolution, the label's vectors and both ways",
        not cut,
        points=0.5,
        saw=f"no gradient for {', '.join(cut[:3])}",
        asks="a gradient from x' and from s for all that they are made of",
        advice=[
            *advice_of(again or name, BLOCK_ADVICE),
            when(
                cut,
                "gradient-cut",
                "something cuts training off: .data, .detach(), no_grad, or a part that is not "
                "used",
            ),
            "use torch operations only",
        ],
        see=SEE_BLOCK,
    )


# --- WaveNet --------------------------------------------------------------------------------------

WAVENET_ADVICE = {
    "sees-itself": "the logits of x_t see x_t: shift the input by one column, zeros in front",
    "shifted-twice": "one shift too many: logits t should see x_{t−1}, and the targets stay as "
    "they are",
    "looks-ahead": "the logits see LATER samples: is a convolution padded on both sides, or the "
    "input shifted to the left?",
    "rolled": "torch.roll brings the LAST sample to the front, where the past of x_1 should be "
    "nothing: pad with zeros and drop the last column",
    "code-zero-in-front": "you put the code 0 in front, and it has a vector of its own: pad AFTER "
    "embedding, with zeros",
    "codes-as-numbers": "codes went in as amounts: a code is a name, with a vector of its own in "
    "self.embed",
    "label-dropped": "the label does not arrive: hand it to stack, and on to every block",
    "last-skip-only": "only one block's skip arrives: sum the skips of ALL blocks",
    "residual-for-skips": "the head gets the last x', not the sum of the skips",
    "blocks-side-by-side": "every block starts from the same x: each should get the x' of the one "
    "before",
    "skips-averaged": "sum the skips, do not average them",
    "head-forgotten": "the sum of the skips still has to go through self.head",
}
NLL_ADVICE = {
    "cold-start": "the first `given` samples are priced too: they serve as past only, since their "
    "own "
    "past was cut off",
    "given-cut-away": "the first `given` samples were cut off BEFORE the model: then they are no "
    "past "
    "for the others",
    "averaged": "you average over time: −log p is the SUM over the samples",
    "summed-over-batch": "one number for each example, (B,): sum over time only",
    "shifted-twice": "targets are shifted once more: forward has done that, logits t belong to x_t",
    "bits-for-nats": "these are bits: natural logarithms give nats",
    "sign": "this is log p, which is negative: nll is minus that",
    "softmax-twice": "F.cross_entropy takes logits: a softmax before it counts twice",
    "not-summed": "one number for each sample: sum over time",
}
SEE_NET = "Exercise 5: WaveNet"


@checks("WaveNet", lesson=LESSON, points=5)
def a_distribution_over_sounds(WaveNet: Standin, draw: Draw) -> Iterator[Claim]:
    """Logits of all samples at once, each from the R samples before it, and no others."""
    leaks, gaps, mixing, alive, shown = [], [], False, False, ""
    for k, dilations in (
        (2, draw.choice(((1, 2, 4), (1, 2, 1), (4, 2, 1, 1)))),
        (3, draw.choice(((1, 3), (1, 2), (1, 1, 2)))),
    ):
        R = 1 + sum((k - 1) * d for d in dilations)
        count = R + 4
        lag = np.arange(count)[:, None] - np.arange(count)[None, :]
        wanted = (lag >= 1) & (lag <= R)
        model, codes = (
            made_by(WaveNet, 5, 5, 6, k, list(dilations)),
            draw.rng.integers(0, 5, (3, count)),
        )
        expect_array(model(tensor(codes)), (3, 5, count), "float", "the logits")
        seen = dependency_map(
            model,
            codes,
            "token",
            outputs=1,
            vocabulary=5,
            expected=wanted,
            seed=draw.integer(0, 2**31),
        )
        mixing |= seen.rows_mix
        alive |= bool(seen.sees.any())
        leaks += [(o, i, k, dilations, R) for o, i in seen.forbidden(wanted)]
        gaps += [(o, i, k, dilations, R) for o, i in seen.missing(wanted)]
    for verb, edges in (("see", leaks), ("do not see", gaps)):
        if edges and not shown:
            o, i, k, dilations, R = edges[0]
            stack = ", ".join(map(str, dilations))
            shown = (
                f"the logits of x_{o + 1} {verb} x_{i + 1} at kernel {k}, dilations {stack}, "
                f"R = {R}"
            )
    lags = {o - i for o, i, *_ in leaks}
    name = first_name(
        {
            "looks-ahead": lambda: any(lag < 0 for lag in lags),
            "sees-itself": lambda: 0 in lags,
            "shifted-twice": lambda: (
                bool(gaps) and all(o - i == 1 for o, i, *_ in gaps) and min(lags, default=9) > 1
            ),
        }
    )
    yield claim(
        "the logits of x_t see x_{t−R} … x_{t−1}: all of these, and nothing else",
        alive and not leaks and not gaps and not mixing,
        points=1.5,
        saw=shown
        or ("rows of a batch that see each other" if mixing else "logits that never change"),
        asks="R = 1 + Σ (k − 1) d samples, ending with the one before x_t",
        advice=[
            when(mixing, "rows-mix", "each example must be computed for itself"),
            when(
                not leaks and gaps and not alive,
                "sees-nothing",
                "no logit sees anything: does the input reach the blocks, and their skips the "
                "head?",
            ),
            *advice_of(name, WAVENET_ADVICE),
            when(
                leaks and not gaps,
                "sees-too-far",
                "something beside the blocks looks back: the field is R samples",
            ),
            "draw your model in the dilation tree: DilationTree.of_model(model, …)",
        ],
        see=SEE_NET,
    )
    model = made_by(WaveNet, 5, 5, 6, 2, [1, 2])
    codes, x = tensor(draw.rng.integers(0, 5, (3, 9))), tensor(draw.normal(3, 5, 9)).float()
    stacked = carries_its_weights(model, lambda m: m.stack(x), draw.rng)
    carried = carries_its_weights(model, lambda m: m(codes), draw.rng)
    yield from _claims_on_stack(WaveNet, draw, waits_unless(stacked, CARRIED))
    yield from _claims_on_forward(WaveNet, draw, waits_unless(carried, CARRIED))
    yield from _claims_on_nll(WaveNet, draw, waits_unless(carried, CARRIED))


CARRIED = "logits that are made of the sound and of the model's weights"


def ready(WaveNet: Standin, draw: Draw, *settings: Any, gain: float = 1.0) -> Any:
    """A WaveNet with drawn parameters, in double precision."""
    return redrawn(made_by(WaveNet, *settings), draw.integer(0, 2**31), gain)


def _claims_on_stack(WaveNet: Standin, draw: Draw, deaf: str) -> Iterator[Claim]:
    cases = []
    for labels in (0, 3):
        model = ready(WaveNet, draw, 7, 5, 5, 2, [1, 2, 3], labels)
        x, label = tensor(draw.normal(2, 5, 11)), tensor(np.array([2, 1]))
        given = (label,) if labels else ()
        got = expect_array(model.stack(x, *given), None, "float", "the logits of stack")

        def run(chained: bool, model: Any = model, x: Any = x, given: tuple = given) -> list:
            answers, below = [], x
            for i in range(3):
                above, skip = model.blocks[i](below if chained else x, *given)
                answers.append((above, skip))
                below = above
            return answers

        def head(total: Any, model: Any = model) -> np.ndarray:
            return expect_array(model.head(total))

        chain, side = run(True), run(False)
        total = chain[0][1] + chain[1][1] + chain[2][1]
        rules = {
            "right": head(total),
            "last-skip-only": head(chain[-1][1]),
            "last-skip-only ": head(chain[0][1]),
            "residual-for-skips": head(chain[-1][0]),
            "blocks-side-by-side": head(side[0][1] + side[1][1] + side[2][1]),
            "skips-averaged": head(total / 3),
            "head-forgotten": expect_array(total),
        }
        if labels:
            bare, below = 0, x
            for i in range(3):
                below, skip = model.blocks[i](below)
                bare = bare + skip
            rules["label-dropped"] = head(bare)
        cases.append((got, rules))
    right = all(close(got, rules["right"], 1e-7) for got, rules in cases)
    keys = [k for k in cases[1][1] if k != "right"]
    name = first_name(
        {k: lambda k=k: all(close(got, r[k], 1e-7) for got, r in cases if k in r) for k in keys}
    ).strip()
    got, rules = cases[-1]
    yield claim(
        "stack: every block gets the x' of the one before, and the head the sum of all skips",
        right,
        points=1,
        saw=f"logits of shape {got.shape} that begin with {got.reshape(-1)[0]:.4g}",
        asks="blocks in a chain, each with the label; the head once, at the end",
        waits=deaf,
        advice=advice_of(
            name, WAVENET_ADVICE, "look at what goes on to the next block, and what to the head"
        ),
        see=SEE_NET,
    )


def _claims_on_forward(WaveNet: Standin, draw: Draw, deaf: str) -> Iterator[Claim]:
    cases = []
    for labels in (0, 4):
        model = ready(WaveNet, draw, 6, 5, 7, 2, [1, 2], labels)
        codes = draw.rng.integers(0, 6, size=(3, 9))
        codes[:, -1] = (
            1 + codes[:, -1] % 5
        )  # not the code 0, or a roll would look like a mistake of it
        label = (tensor(np.array([3, 0, 2])),) if labels else ()
        got = expect_array(model(tensor(codes), *label), None, "float", "the logits")
        rows = expect_array(model.embed(tensor(np.arange(6))), (6, 5))
        e = rows[codes].transpose(0, 2, 1)

        def front(column: np.ndarray, e: np.ndarray = e) -> np.ndarray:
            return np.concatenate([column, e[:, :, :-1]], axis=2)

        def stack(x: np.ndarray, *given: Any, model: Any = model) -> np.ndarray:
            return expect_array(model.stack(tensor(x), *given))

        zero = np.zeros_like(e[:, :, :1])
        shifted = front(zero)
        rules = {
            "right": stack(shifted, *label),
            "sees-itself": stack(e, *label),
            "shifted-twice": stack(np.concatenate([zero, shifted[:, :, :-1]], 2), *label),
            "looks-ahead": stack(np.concatenate([e[:, :, 1:], zero], 2), *label),
            "rolled": stack(front(e[:, :, -1:]), *label),
            "code-zero-in-front": stack(front(np.repeat(rows[0][None, :, None], 3, 0)), *label),
            "codes-as-numbers": stack(
                np.repeat(np.pad(codes[:, None, :-1], ((0, 0), (0, 0), (1, 0))), 5, 1).astype(
                    float
                ),
                *label,
            ),
            "codes-as-numbers ": stack(
                np.repeat(np.pad(codes[:, None, :-1], ((0, 0), (0, 0), (1, 0))), 5, 1) / 5.0, *label
            ),
        }
        if labels:
            rules["label-dropped"] = stack(shifted)
        cases.append((got, rules))
    right = all(close(got, rules["right"], 1e-7) for got, rules in cases)
    name = first_name(
        {
            k: lambda k=k: all(close(got, r[k], 1e-7) for got, r in cases if k in r)
            for k in cases[1][1]
            if k != "right"
        }
    ).strip()
    got, _ = cases[0]
    yield claim(
        "forward: the codes' own vectors, shifted by one column with zeros in front, through stack",
        right and bool((np.ptp(got, axis=2) > 1e-6).any()),
        points=1,
        saw=f"logits of shape {got.shape} for codes of shape (3, 9)",
        asks="in column t the vector of x_{t−1}; in the first one zeros; the label handed on",
        waits=deaf,
        advice=advice_of(
            name, WAVENET_ADVICE, "look at the three columns of the example: 0, e_7, e_3"
        ),
        see=SEE_NET,
    )


def _claims_on_nll(WaveNet: Standin, draw: Draw, deaf: str) -> Iterator[Claim]:
    model = ready(WaveNet, draw, 6, 5, 7, 2, [1, 2], 3, gain=2.0)
    codes = draw.rng.integers(0, 6, size=(4, 12))
    label, cases = tensor(np.array([2, 0, 1, 0])), []
    logits = expect_array(model(tensor(codes), label), (4, 6, 12), "float", "the logits")

    def price(logits: np.ndarray, codes: np.ndarray) -> np.ndarray:
        picked = np.take_along_axis(log_softmax(logits, 1), codes[:, None], axis=1)
        return -picked[:, 0]

    each = price(logits, codes)
    late = draw.integer(4, 6)
    tail = expect_array(model(tensor(codes[:, late:]), label), (4, 6, 12 - late), "float")
    for given in (0, late):
        answer = (
            model.nll(tensor(codes), label, given) if given else model.nll(tensor(codes), label)
        )
        got = expect_array(answer, None, "float", "nll")
        right = each[:, given:].sum(1)
        cases.append(
            (
                got,
                {
                    "right": right,
                    "cold-start": each.sum(1),
                    "given-cut-away": price(tail, codes[:, late:]).sum(1) if given else right,
                    "averaged": each[:, given:].mean(1),
                    "averaged ": right / 12,
                    "summed-over-batch": right.sum(),
                    "summed-over-batch ": right.mean(),
                    "shifted-twice": price(logits[:, :, :-1], codes[:, 1:])[:, given:].sum(1),
                    "shifted-twice ": price(logits[:, :, :-1], codes[:, 1:])[
                        :, max(given - 1, 0) :
                    ].sum(1),
                    "bits-for-nats": right / np.log(2),
                    "sign": -right,
                    "softmax-twice": price(np.exp(log_softmax(logits, 1)), codes)[:, given:].sum(1),
                    "not-summed": each[:, given:],
                },
            )
        )
    good = all(close(got, rules["right"], 1e-5) for got, rules in cases)
    name = first_name(
        {
            k: lambda k=k: all(close(got, r[k], 1e-5) for got, r in cases)
            for k in cases[0][1]
            if k != "right"
        }
    ).strip()
    (got, rules), words = cases[1], f"with given = {late}"
    if not close(cases[0][0], cases[0][1]["right"], 1e-5):
        (got, rules), words = cases[0], "with given = 0"
    shown = got.reshape(-1)
    yield claim(
        "nll is the price in nats of the samples after the first `given`, one number a sound",
        good,
        points=1,
        saw=f"{shown[0]:.4g} {words}, shape {got.shape}, where the model's own logits give "
        f"{rules['right'][0]:.4g}"
        if shown.size
        else "an empty answer",
        asks="the sum over t > given of −ln p(x_t | x_{<t})",
        waits=deaf,
        advice=advice_of(name, NLL_ADVICE, "price the four samples of the example: 8 and 2 nats"),
        see=SEE_NET,
    )
    model = ready(WaveNet, draw, 3, 5, 5, 2, [1, 2], gain=2.0)
    every = np.array(list(itertools.product(range(3), repeat=4)))
    each = expect_array(model.nll(tensor(every)), (81,), "float", "nll")
    total = float(np.exp(-each).sum())
    varied = float(np.ptp(each)) > 1e-3
    yield claim(
        "the probabilities of all sounds sum to 1, and are not all alike",
        abs(total - 1) < 1e-6 and varied,
        points=0.5,
        saw=f"a sum of {total:.4g} over the 81 sounds of 4 samples at 3 levels"
        if varied or not np.isfinite(total)
        else "the same price for every sound",
        asks="Σ exp(−nll) = 1",
        waits=deaf,
        advice=[
            *advice_of(name, NLL_ADVICE),
            "logits that see their own sample, or a price that is no sum of logarithms, do this",
        ],
        see=SEE_NET,
    )


# --- generate -------------------------------------------------------------------------------------


def picked(logits: np.ndarray, u: np.ndarray) -> np.ndarray:
    """Codes by inverting the cumulative distribution: logits (B, levels, T), u (B, T) → (B, T)."""
    shifted = np.exp(logits - logits.max(1, keepdims=True))
    p = shifted / shifted.sum(1, keepdims=True)
    codes = (p.cumsum(1) <= u[:, None]).sum(1)
    return np.minimum(codes, logits.shape[1] - 1)


def uniforms(generator: torch.Generator, rows: int, count: int) -> np.ndarray:
    """The uniform numbers (B, T) that `count` calls of draw_codes take."""
    drawn = [torch.rand(rows, 1, generator=generator, dtype=torch.float64) for _ in range(count)]
    return torch.cat(drawn, dim=1).numpy()


def table_logits(
    codes: np.ndarray,
    near: np.ndarray,
    far: np.ndarray,
    start: np.ndarray,
    extra: np.ndarray | None,
    field: int,
) -> np.ndarray:
    """Logits (B, levels, T) of the toy model, from the codes before each."""
    rows, count = codes.shape
    logits = np.repeat(start[None, :, None], rows, 0).repeat(count, 2)
    if count > 1:
        logits[:, :, 1:] += near[codes[:, :-1]].transpose(0, 2, 1)
    if count > field:
        logits[:, :, field:] += far[codes[:, :-field]].transpose(0, 2, 1)
    return logits if extra is None else logits + extra[:, :, None]


GENERATE_ADVICE = {
    "past-not-fed": "what is drawn is never put back: each step must see the samples drawn before",
    "argmax": "you take the most probable code each time: draw with draw_codes",
    "label-ignored": "the label does not reach the model",
    "own-place-forgotten": "x_t's own place is missing at the end of the window: the last column "
    "then "
    "speaks of x_{t−1}",
    "wrong-column": "the logits of x_t stand in the LAST column of the window",
    "window-short": "the window is too short: `field` samples before x_t, and its own place, "
    "field + 1 "
    "columns in all",
    "same-for-all": "all rows are alike: draw for every row",
}
SEE_GENERATE = "Exercise 6: drawing sound"
COUNT = 40


@checks("generate", lesson=LESSON, points=3)
def one_sample_after_the_other(generate: Standin, draw: Draw) -> Iterator[Claim]:
    """Each code drawn from the model's own conditional, given the codes drawn before."""
    levels, cases, lengths = 8, [], []
    for rows, field in ((None, draw.integer(5, 7)), (3, draw.integer(3, 4)), (2, 9)):
        near, far = draw.normal(levels, levels, scale=2.0), draw.normal(levels, levels, scale=3.0)
        start, of_label = draw.normal(levels), draw.normal(4, levels, scale=2.0)
        label = None if rows is None else draw.rng.integers(0, 4, size=rows)
        seed = draw.integer(1, 2**31)
        generator = torch.Generator().manual_seed(seed)
        before = generator.get_state()
        asked: list[int] = []

        def logits_for(
            codes: Any,
            label: Any,
            asked: list = asked,
            tables: tuple[np.ndarray, np.ndarray, np.ndarray] = (near, far, start),
            of_label: np.ndarray = of_label,
            field: int = field,
        ) -> torch.Tensor:
            codes = whole_numbers(codes, 2, levels, "the codes").numpy()
            asked.append(codes.shape[1])
            extra = None
            if label is not None:
                extra = of_label[whole_numbers(label, 1, 4, "the label").numpy()]
            return tensor(table_logits(codes, *tables, extra, field))

        given = None if label is None else tensor(label)
        answer = answered(
            begin_drawing(generate, levels, field, COUNT, given, generator),
            logits_for,
            generators=[generator],
        )
        shape = (rows or 1, COUNT)
        codes = expect_array(answer, shape, "number", "the codes")
        legal = bool(np.isin(codes, np.arange(levels)).all())
        codes = codes.astype(np.int64).clip(0, levels - 1)
        extra = None if label is None else of_label[label]
        lengths.append((field, asked))
        u = uniforms(torch.Generator().manual_seed(seed), rows or 1, COUNT)

        def told(
            past: np.ndarray,
            far: np.ndarray = far,
            extra: Any = extra,
            numbers: tuple = (near, start, field),
        ) -> np.ndarray:
            near, start, field = numbers
            return table_logits(past, near, far, start, extra, field)

        rules = {
            "right": picked(told(codes), u),
            "past-not-fed": picked(told(0 * codes), u),
            "argmax": told(codes).argmax(1),
            "label-ignored": picked(told(codes, extra=None), u),
            "own-place-forgotten": picked(
                np.concatenate([told(codes)[:, :, :1], told(codes)[:, :, :-1]], axis=2), u
            ),
            "own-place-forgotten ": picked(
                np.concatenate(
                    [told(codes)[:, :, :1], told(codes, far=0 * far)[:, :, :-1]], axis=2
                ),
                u,
            ),
            "window-short": picked(told(codes, far=0 * far), u),
        }
        cases.append(
            {
                "codes": codes,
                "rules": rules,
                "legal": legal,
                "moved": not torch.equal(before, generator.get_state()),
                "dtype": getattr(answer, "dtype", None),
                "label": label,
            }
        )

    def fits(case: dict, rule: str, at_most: int = 0) -> bool:
        return case["legal"] and int((case["codes"] != case["rules"][rule]).sum()) <= at_most

    right = all(fits(c, "right") for c in cases)
    # Of a column that a rule cannot know (the first, or those before the field) a few may differ.
    name = first_name(
        {
            key: lambda key=key: all(
                fits(c, key, 4 * len(c["codes"]))
                for c in cases
                if key != "label-ignored" or c["label"] is not None
            )
            for key in cases[0]["rules"]
            if key != "right"
        }
    ).strip()
    # Right, or wrong in a known way that needs the logits: the answer is made of what was asked.
    unheard = waits_unless(right or name, "codes that are drawn from the model's logits")
    if not name and not right:
        several = [c["codes"] for c in cases if len(c["codes"]) > 1]
        name = "same-for-all" if all((c == c[:1]).all() for c in several) else ""
    advice = advice_of(
        name if not right else "",
        GENERATE_ADVICE,
        "follow the first five steps by hand, with field 3",
    )
    off = next((c for c in cases if not fits(c, "right")), cases[0])
    place = int(np.argmax((off["codes"] != off["rules"]["right"]).any(0)))
    yield claim(
        "each code is draw_codes of the model's logits, given the codes drawn before",
        right,
        points=1.5,
        saw=f"sample {place + 1} is not what its conditional and its uniform number give"
        if off["legal"]
        else "codes that do not exist",
        asks="the last column of the logits, one call of draw_codes a step",
        advice=advice,
        see=SEE_GENERATE,
    )
    honest = all(seen == [min(t, field) + 1 for t in range(COUNT)] for field, seen in lengths)
    field, seen = lengths[0]
    longest, calls = max(seen, default=0), len(seen)
    yield claim(
        "one call a step, on the last `field` samples and x_t's own place",
        honest,
        points=1,
        saw=f"{calls} calls for {COUNT} samples, the longest on {longest} columns, field {field}",
        asks="windows of 1, 2, …, field, field + 1, field + 1, … columns",
        waits=unheard,
        advice=[
            *advice_of("" if right else name, GENERATE_ADVICE),
            when(
                longest > field + 1,
                "whole-past",
                "you hand over everything each time: what lies before the field changes nothing "
                "and "
                "costs time",
            ),
            when(
                calls > COUNT,
                "several-calls",
                "the model is asked more than once a step",
            ),
            when(
                longest == field,
                "window-short",
                GENERATE_ADVICE["window-short"],
            ),
            *advice,
        ],
        see=SEE_GENERATE,
    )
    moved = all(c["moved"] for c in cases)
    whole = all(c["dtype"] == torch.int64 for c in cases)
    yield claim(
        "all randomness comes from the given generator, and codes are int64",
        moved
        and whole
        and all(c["legal"] for c in cases)
        and name not in ("argmax", "same-for-all"),
        points=0.5,
        saw="a generator that nobody has used"
        if not moved
        else f"codes of kind {cases[0]['dtype']}",
        asks="draw_codes(logits, generator), and int64 (B, count)",
        waits=unheard if moved else "",
        advice=[
            *advice_of("" if right else name, GENERATE_ADVICE),
            when(not moved, "generator-ignored", "hand the generator on to draw_codes"),
            when(not whole, "floats-for-codes", "codes are int64"),
            "one uniform number a row and step",
        ],
        see=SEE_GENERATE,
    )


# --- QueuedConv1d ---------------------------------------------------------------------------------

QUEUE_ADVICE = {
    "queue-one-short": "the queue is one column short, or the new one goes in before the old one "
    "is "
    "read: x_{t−(k−1)d} must still be there at step t",
    "queue-one-long": "the queue is one column too long: the taps come one step late",
    "queue-length-d": "the queue holds d columns: with k taps it must hold (k − 1)·d",
    "no-memory": "nothing is remembered: each column is treated as if it were the first",
    "kernel-reversed": "the last weight belongs to the present, the first to the oldest column",
    "filled-with-first": "at the start the queue holds zeros, the padding, not the first column",
    "bias-forgotten": "the bias is missing",
    "neighbors-for-taps": "the taps are d columns apart, not neighbors",
}
SEE_QUEUE = "Exercise 7: remember, do not recompute"


@checks("QueuedConv1d", lesson=LESSON, points=3)
def a_convolution_with_a_memory(QueuedConv1d: Standin, draw: Draw) -> Iterator[Claim]:
    """Fed column by column, it gives the columns of the causal convolution."""
    conv_class = beside(QueuedConv1d, "CausalConv1d")
    cases, failed = [], []
    for k, d in ((2, draw.integer(2, 4)), (3, draw.integer(2, 4)), (4, 2), (2, 1), (1, 1)):
        conv = build(conv_class, 3, 4, k, d)
        W, b = draw.normal(4, 3, k), draw.normal(4) + 2
        fill(conv, {"weight": tensor(W), "bias": tensor(b)})
        x = draw.normal(2, 3, 2 * (k - 1) * d + 6)
        try:
            answer = one_by_one(made_by(QueuedConv1d, conv), tensor(x).float())
        except StudentFailed as error:
            failed.append((k, d, error))
            continue
        y = expect_array(answer, (2, 4, x.shape[2]), "float", "the columns put together")
        cases.append((k, d, x, W, b, y))
    if not cases:
        raise failed[0][2]

    def delayed(k: int, d: int, by: int) -> list[int]:
        return [t + by if t else 0 for t in taps(k, d)]

    rules: dict[str, Callable] = {
        "right": lambda k, d, x, W, b: convolved(x, W, b, taps(k, d)),
        "kernel-reversed": lambda k, d, x, W, b: convolved(x, W, b, taps(k, d)[::-1]),
        "queue-one-short": lambda k, d, x, W, b: convolved(x, W, b, delayed(k, d, -1)),
        "queue-one-long": lambda k, d, x, W, b: convolved(x, W, b, delayed(k, d, 1)),
        "no-memory": lambda k, d, x, W, b: (
            convolved(x, 0 * W, b, taps(k, d)) + np.einsum("oi,bit->bot", W[:, :, -1], x)
        ),
        "filled-with-first": lambda k, d, x, W, b: convolved(x, W, b, taps(k, d), x[:, :, :1]),
        "bias-forgotten": lambda k, d, x, W, b: convolved(x, W, 0 * b, taps(k, d)),
        "neighbors-for-taps": lambda k, d, x, W, b: convolved(x, W, b, taps(k, 1)),
    }

    def fits(case: tuple, rule: str) -> bool:
        return close(case[5], rules[rule](*case[:5]), 1e-4)

    right = not failed and all(fits(c, "right") for c in cases)
    name = first_name(
        {
            key: lambda key=key: not failed and all(fits(c, key) for c in cases)
            for key in rules
            if key != "right"
        }
    )
    two, more = [c for c in cases if c[0] <= 2], [c for c in cases if c[0] > 2]
    if not right and not name and all(fits(c, "right") for c in two):
        name = "queue-length-d" if failed or not any(fits(c, "right") for c in more) else ""
    elif not right and not name and cases and failed:
        short = [c for c in cases if c[0] > 1]
        name = (
            "queue-one-short" if not short or all(fits(c, "queue-one-short") for c in short) else ""
        )
    advice = advice_of(name, QUEUE_ADVICE, "go through the table of the example, row by row")
    k, d = (
        (failed[0][:2]) if failed else next((c[:2] for c in cases if not fits(c, "right")), (2, 1))
    )
    yield claim(
        "column by column it gives what the causal convolution gives at once",
        right,
        points=1.5,
        saw=f"{failed[0][2]} at kernel {k}, dilation {d}"
        if failed
        else f"columns that differ from the convolution at kernel {k}, dilation {d}",
        asks="y_t from x_t and the columns d, 2d, …, (k − 1)d steps ago; zeros before the first",
        advice=advice,
        see=SEE_QUEUE,
    )
    k, d = 3, draw.integer(3, 4)
    reach, grows, kept, costs = (k - 1) * d, True, [], []
    try:
        x = tensor(draw.normal(1, 3, 4 * reach)).float()
        kept = columns_kept(made_by(QueuedConv1d, build(conv_class, 3, 2, k, d)), x)
        costs = step_operations(
            made_by(QueuedConv1d, build(conv_class, 3, 2, k, d)), x, [reach + 1, 4 * reach - 1]
        )
        grows = kept[-1] > kept[2 * reach] or costs[1] > costs[0]
    except StudentFailed as error:
        failed.append((k, d, error))
    small = bool(kept) and kept[-1] <= reach + k
    yield claim(
        "it keeps (k − 1)·d columns, and a later step costs no more than an early one",
        right and small and not grows,
        points=1,
        saw=f"{kept[-1]} columns kept after {4 * reach} steps, where the oldest tap is {reach} back"
        if kept
        else f"{failed[-1][2]} at kernel {k}, dilation {d}",
        asks=f"{reach} columns at kernel {k} and dilation {d}, however long the sound is",
        advice=[
            when(
                kept and grows,
                "queue-grows",
                "the queue grows for ever: let the oldest column fall out when a new one goes in",
            ),
            when(
                kept and not small,
                "queue-too-long",
                "more is kept than is ever read: (k − 1)·d columns are enough",
            ),
            *advice,
        ],
        see=SEE_QUEUE,
    )
    conv = build(conv_class, 2, 3, 2, 2)
    W, b = draw.normal(3, 2, 2), draw.normal(3)
    fill(conv, {"weight": tensor(W), "bias": tensor(b)})
    x, other = draw.normal(3, 2, 8), draw.normal(3, 2, 8)
    one_by_one(made_by(QueuedConv1d, conv), tensor(other).float())
    fresh = expect_array(
        one_by_one(made_by(QueuedConv1d, conv), tensor(x).float()), (3, 3, 8), "float"
    )
    whole = {key: expect_array(value) for key, value in numbers(conv).items()}
    kept_weights = close(whole["weight"], W) and close(whole["bias"], b)
    again = close(fresh, convolved(x, W, b, taps(2, 2)), 1e-4)
    both = convolved(np.concatenate([other, x], axis=2), W, b, taps(2, 2))
    yield claim(
        "every queue begins empty and belongs to one layer; the convolution stays as it was",
        again and kept_weights,
        points=0.5,
        saw="weights that have changed"
        if not kept_weights
        else "a new layer that gives other columns",
        asks="a queue of its own for each QueuedConv1d, zeros at the start",
        advice=[
            *advice_of(name, QUEUE_ADVICE),
            when(
                close(fresh, both[:, :, 8:], 1e-4) and not again,
                "queue-shared",
                "two layers share one queue: make it in the object, not in the class",
            ),
            "read the weights, do not change them",
        ],
        see=SEE_QUEUE,
    )


# --- generate_fast --------------------------------------------------------------------------------

FAST_ADVICE = {
    "past-not-fed": "what is drawn is never put back: embed the code for the next step",
    "no-memory": "the blocks of your copy have no queue: set block.conv = "
    "QueuedConv1d(block.conv) in "
    "each of them",
    "argmax": "you take the most probable code each time: draw with draw_codes",
    "label-ignored": "the label does not reach stack",
    "code-zero-in-front": "the first column is zeros: nothing comes before x_1, not even the "
    "code 0",
}
SEE_FAST = "Exercise 8: the same sound, much faster"
# With queues a step costs the same at any time: twice the samples, × 2. With windows that grow, as
# they do up to the field of 64, × 3 and more.
STEPS, GROWTH = (16, 32), 2.4


@checks("generate_fast", lesson=LESSON, points=3)
def the_same_sound_quickly(generate_fast: Standin, draw: Draw) -> Iterator[Claim]:
    """Equal to the plain generator bit for bit, at a cost per step that does not grow."""
    WaveNet = beside(generate_fast, "WaveNet")
    levels, cases, same_model, carried = 8, [], True, True
    for labels, k, dilations, rows in (
        (0, 2, [1, 2, 4, 1], 1),
        (4, 3, [1, 2], 3),
        (4, 2, [1, 2, 4, 8], 2),
    ):
        model = redrawn(
            build(WaveNet, levels, 6, 6, k, dilations, labels), draw.integer(0, 2**31), 2.0
        )
        twin, other = copy.deepcopy(model), copy.deepcopy(model)  # a careless answer changes it
        label = draw.rng.integers(0, labels, size=rows) if labels else None
        given = () if label is None else (tensor(label),)
        example = tensor(draw.rng.integers(0, levels, (3, COUNT)))
        carried &= carries_its_weights(model, lambda m, x=example: m(x), draw.rng)
        seed = draw.integer(1, 2**31)
        generator = torch.Generator().manual_seed(seed)
        before = generator.get_state()
        answer = generate_fast(twin, COUNT, *(given or (None,)), generator)
        codes = expect_array(answer, (rows, COUNT), "number", "the codes")
        legal = bool(np.isin(codes, np.arange(levels)).all())
        codes = codes.astype(np.int64).clip(0, levels - 1)
        u = uniforms(torch.Generator().manual_seed(seed), rows, COUNT)

        def logits(past: np.ndarray, *given: Any, model: Any = model) -> np.ndarray:
            return expect_array(model(tensor(past), *given), (len(past), 8, COUNT), "float")

        embedded = expect_array(model.embed(tensor(codes)), (rows, COUNT, 6)).transpose(0, 2, 1)
        zero, row = np.zeros((rows, 6, 1)), expect_array(model.embed(tensor([0]))).reshape(1, 6, 1)

        def stack(x: np.ndarray, given: tuple = given, model: Any = model) -> np.ndarray:
            return expect_array(model.stack(tensor(x), *given))

        shifted = np.concatenate([zero, embedded[:, :, :-1]], axis=2)
        alone = np.concatenate([stack(shifted[:, :, t : t + 1]) for t in range(COUNT)], axis=2)
        from_zero = np.concatenate([row.repeat(rows, 0), embedded[:, :, :-1]], axis=2)
        own = logits(codes, *given)
        cases.append(
            {
                "codes": codes,
                "legal": legal,
                "moved": not torch.equal(before, generator.get_state()),
                "int64": getattr(answer, "dtype", None) == torch.int64,
                "label": label,
                "rules": {
                    "right": picked(own, u),
                    "past-not-fed": picked(stack(np.zeros_like(shifted)), u),
                    "no-memory": picked(alone, u),
                    "argmax": own.argmax(1),
                    "label-ignored": picked(logits(codes), u),
                    "code-zero-in-front": picked(stack(from_zero), u),
                },
            }
        )
        same_model &= (
            unchanged(generate_fast, other, 3, *(given or (None,)), torch.Generator()) is True
        )

    def fits(case: dict, rule: str) -> bool:
        return case["legal"] and bool((case["codes"] == case["rules"][rule]).all())

    right = all(fits(c, "right") for c in cases)
    name = (
        ""
        if right
        else first_name(
            {
                key: lambda key=key: all(
                    fits(c, key) for c in cases if key != "label-ignored" or c["label"] is not None
                )
                for key in cases[0]["rules"]
                if key != "right"
            }
        )
    )
    advice = advice_of(
        name,
        FAST_ADVICE,
        "compare with generate step by step: which is the first sample that differs?",
    )
    off = next((c for c in cases if not fits(c, "right")), cases[0])
    place = int(np.argmax((off["codes"] != off["rules"]["right"]).any(0)))
    yield claim(
        "bit for bit the samples of the plain generator",
        right,
        points=1.5,
        saw=f"sample {place + 1} is not what the model's own conditional gives"
        if off["legal"]
        else "codes that do not exist",
        asks=f"{COUNT} equal codes in each row, for any label, kernel and dilations",
        waits=(deaf := waits_unless(carried, f"a WaveNet with {CARRIED}")),
        advice=advice,
        see=SEE_FAST,
    )
    model = redrawn(
        build(WaveNet, levels, 6, 6, 2, [1, 2, 4, 8, 16, 32]), draw.integer(0, 2**31), 1.0
    )
    counts = []
    for count in STEPS:
        found = counted(generate_fast, copy.deepcopy(model), count, None, draw.generator())
        counts.append(found[0] if isinstance(found, tuple) and isinstance(found[0], int) else 0)
    growth = counts[1] / max(counts[0], 1)
    yield claim(
        "a step costs the same, however long the sound is: twice the samples, twice the operations",
        right and 1.5 < growth <= GROWTH,
        points=1,
        saw=f"{counts[0]:,} operations for {STEPS[0]} samples, {counts[1]:,} for {STEPS[1]}: "
        f"× {growth:.1f}",
        asks="× 2, up to small change",
        waits=deaf,
        advice=[
            when(
                growth > GROWTH,
                "recomputed",
                "each step computes old columns again: feed one column, and let the queues "
                "remember",
            ),
            *advice,
        ],
        see=SEE_FAST,
    )
    moved = all(c["moved"] and c["int64"] for c in cases)
    yield claim(
        "the model stays as it was, and all randomness comes from the given generator",
        same_model and moved and name != "argmax",
        points=0.5,
        saw="a model whose layers or numbers have changed"
        if not same_model
        else "a generator that nobody has used, or codes that are not int64",
        asks="queues in a copy only; draw_codes(logits, generator); int64",
        waits=deaf
        or waits_unless(right or name or not moved, "codes that are drawn from the model's logits"),
        advice=[
            when(
                not same_model,
                "model-changed",
                "the caller's model now has queues in it: work on copy.deepcopy(model)",
            ),
            *advice_of(name, FAST_ADVICE),
            when(not moved, "generator-ignored", "hand the generator on to draw_codes"),
            "use the given generator, and no other source of randomness",
        ],
        see=SEE_FAST,
    )
