"""Checks of lesson 10, WaveNet: dilated causal convolutions, gates, and sound drawn quickly.

Notation: μ = levels − 1; a layer has kernel size k and dilation d; R = 1 + Σ (k−1) d is the
receptive field (van den Oord and others, 2016, "WaveNet: A Generative Model for Raw Audio",
section 2). All prices are in nats.

Chance: codes are compared with what inverting the cumulative distribution gives for the same
uniform numbers. Two right ways of computing logits in double precision differ by less than
1e-12, so of the fewer than 2,000 draws of a check, at eight levels, one falls between them with a
probability below 1e-8.
"""

from __future__ import annotations

import copy
import functools
import itertools
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy import tanh

from autograder import claim, expect_array, when
from autograder.checking import checks
from autograder.checks.arguments import COSTS, untouched
from autograder.checks.numbers import log_softmax, sigmoid, tensor
from autograder.checks.samples import note_on_default
from autograder.checks.witness import carries_its_weights, waits_unless
from autograder.claims import Cause, Claim, waiting
from autograder.diagnosis import Mistake, Property, Subject, Symptom, examine
from autograder.diagnosis.examine import shown
from autograder.draw import Draw
from autograder.inside.wavenet import (
    asking,
    begin_drawing,
    beside,
    columns_kept,
    counted,
    fill,
    gradient_sizes,
    kinds_of_products,
    numbers,
    one_by_one,
    redrawn,
    step_operations,
    unchanged,
)
from autograder.remote.callbacks import answered, whole_numbers
from autograder.remote.proxy import (
    CallTookTooLong,
    Standin,
    StudentFailed,
    WrongKind,
    describe,
    made_by,
    note,
)
from course.causality import dependency_map

LESSON = "10_wavenet"


def close(a: Any, b: Any, tolerance: float = 1e-4) -> bool:
    """Equal in shape, and in value up to `tolerance`, absolute and relative to b; lists by item."""
    if isinstance(a, list | tuple) or isinstance(b, list | tuple):
        return len(a) == len(b) and all(close(x, y, tolerance) for x, y in zip(a, b, strict=True))
    a, b = np.asarray(a), np.asarray(b)
    if a.shape != b.shape:
        return False
    a, b = (np.clip(c, -1e30, 1e30) for c in (a, b))  # more is inf in 32 bits
    return bool(np.allclose(a, b, rtol=tolerance, atol=tolerance, equal_nan=True))


def nearly(tolerance: float) -> Callable[[Any, Any], bool]:
    """Equality up to `tolerance`, for a subject."""
    return lambda a, b: close(a, b, tolerance)


def kind_of(answer: Any) -> str:
    """The dtype of a tensor in a word; of anything else that it is none."""
    if isinstance(answer, torch.Tensor):
        return str(answer.dtype).removeprefix("torch.")
    return f"no tensor ({describe(answer)})"


def mistakes(table: dict[str, tuple]) -> tuple[Mistake, ...]:
    """Of each name its advice, and what makes this mistake: options of a rule, or programs."""
    return tuple(
        Mistake(name, advice, options=way)
        if isinstance(way, dict)
        else Mistake(name, advice, gives=way)
        for name, (advice, *ways) in table.items()
        for way in ways
    )


# Of answers that end with the dtype of codes.
_KINDS = tuple(
    Mistake(
        "floats-for-codes" if kind.startswith("float") else "other-dtype",
        f"codes are names, int64, and yours are {kind}: end with .long()",
        after=lambda value, *_, kind=kind: [*value[:-1], kind],
    )
    for kind in ("float32", "float64", "float16", "int32", "int16", "int8", "uint8")
)


def built(function: Standin, name: str, *args: Any) -> Standin:
    """An object of the class that `name` means where `function` was written."""
    owner = beside(function, name)
    if not isinstance(owner, Standin):
        raise WrongKind(f"{name} should be a class: got {describe(owner)}")
    return made_by(owner, *args)


# --- μ-law ----------------------------------------------------------------------------------------


def companded(x: np.ndarray, mu: float) -> np.ndarray:
    """f(x) = sign(x) ln(1 + μ|x|) / ln(1 + μ)."""
    return np.sign(x) * np.log1p(mu * np.abs(x)) / np.log1p(mu)


def expanded(y: np.ndarray, mu: float) -> np.ndarray:
    """sign(y) ((1 + μ)^|y| − 1) / μ."""
    return np.sign(y) * np.expm1(np.abs(y) * np.log1p(mu)) / mu


def one_less(levels: int) -> int:
    """μ."""
    return levels - 1


def itself(value: Any, *_: Any) -> Any:
    """The value."""
    return value


def encoded(
    x: np.ndarray,
    levels: int,
    *,
    mu: Callable = one_less,
    scale: Callable = one_less,
    curve: Callable = companded,
    lifted: Callable = lambda y: (y + 1) / 2,
    half: float = 0.5,
    whole: Callable = np.floor,
    loud: float = 1.0,
    most: Callable = lambda levels: np.inf,
) -> np.ndarray:
    """round(μ (f(x) + 1) / 2), as floats. Each option turns one thing of it wrong."""
    y = curve(np.clip(np.asarray(x, dtype=float), -loud, loud), mu(levels))
    codes = np.minimum(whole(scale(levels) * lifted(y) + half), most(levels))
    return np.where(np.isnan(codes), -(2.0**63), codes)  # what .long() makes of NaN


def codes_of(x: np.ndarray, levels: int, **wrong: Any) -> list:
    """The codes, and their dtype."""
    return [encoded(x, levels, **wrong), "int64"]


def codes_step_by_step(x: np.ndarray, levels: int) -> list:
    """The same as `codes_of`, in one line a step."""
    mu = levels - 1
    x = np.clip(np.asarray(x, dtype=float), -1, 1)
    y = np.sign(x) * np.log1p(mu * np.abs(x)) / np.log1p(mu)
    return [np.floor(mu * (y + 1) / 2 + 0.5), "int64"]


_MU = "μ is levels − 1, 255 for 256 levels: codes run from 0 to μ"
_DEFAULT = "without an argument there are 256 levels, as the first line of the function says"


def _where_256(rule: Callable, levels: int) -> Callable:
    return lambda array, n: rule(array, levels if n == 256 else n)


_LEVELS = "right for 256 levels only: take μ from the argument"
OF_ENCODING = (
    *mistakes(
        {
            "not-rounded": (
                "you cut off where you should round: decoding then lands on an edge, and many "
                "codes do not survive",
                {"half": 0.0},
            ),
            "mu-is-levels": (
                _MU,
                {"mu": itself, "scale": itself},
                {"mu": itself},
                {"mu": itself, "scale": itself, "most": one_less},
                {"mu": itself, "scale": itself, "most": one_less, "half": 0.0},
            ),
            "scaled-by-levels": (
                "the scale is μ = levels − 1, with rounding: codes 0 and μ then stand for −1 and 1",
                {"scale": itself, "half": 0.0, "most": one_less},
                {"scale": itself},
            ),
            "sign-lost": (
                "the sign is lost: −x and x get one code; the formula begins with sign(x) · …",
                {"curve": lambda x, mu: np.abs(companded(x, mu))},
                {"curve": lambda x, mu: np.abs(companded(x, mu)), "lifted": itself},
            ),
            "sign-in-the-logarithm": (
                "the logarithm is taken of 1 + μx, which is negative for most negative x: it "
                "belongs to |x|, and the sign in front of it",
                {"curve": lambda x, mu: np.log1p(mu * x) / np.log1p(mu)},
            ),
            "not-normalized": (
                "the logarithm is not divided by ln(1 + μ): f should end at ±1",
                {"curve": lambda x, mu: companded(x, mu) * np.log1p(mu)},
                {"curve": lambda x, mu: np.clip(companded(x, mu) * np.log1p(mu), -1, 1)},
            ),
            "logarithms-of-two-bases": (
                "two logarithms of different bases are divided, so that f does not end at ±1: take "
                "the same one above and below",
                {"curve": lambda x, mu: companded(x, mu) / np.log(10)},
                {"curve": lambda x, mu: companded(x, mu) / np.log(2)},
            ),
            "base-mu": (
                "the logarithm is divided by ln μ: it is ln(1 + μ), so that f ends at ±1",
                {"curve": lambda x, mu: companded(x, mu) * np.log1p(mu) / np.log(mu)},
            ),
            "rounded-up": (
                "you round up: a code belongs to the nearest whole number",
                {"half": 1 - 1e-9},
            ),
            "wraps-around": (
                "what is too loud comes out as the code of something quiet: a remainder (%) wraps "
                "round, and x should be clamped",
                lambda x, n: [encoded(x, n, loud=np.inf) % n, "int64"],
            ),
            "scaled-by-the-loudest": (
                "the samples are divided by the loudest of them: a code depends on its own sample "
                "alone",
                lambda x, n, **wrong: codes_of(
                    np.asarray(x, float) / max(np.abs(x).max(), 1e-8), n, **wrong
                ),
            ),
            "not-companded": ("these are equal steps: the logarithm is missing", {"curve": itself}),
            "expanded-for-companded": (
                "this is the way back: encoding takes the logarithm, decoding the exponential",
                {"curve": expanded},
            ),
            "twice-too-large": (
                "f + 1 runs from 0 to 2: halve it before the scale",
                {"lifted": lambda y: y + 1},
            ),
            "another-default": (_DEFAULT, *(_where_256(codes_of, n) for n in (255, 257))),
            "levels-ignored": (
                _LEVELS,
                lambda x, n, **wrong: codes_of(x, 256, **wrong),
                {"mu": lambda n: 255},
                {"scale": lambda n: 255},
            ),
            "codes-from-one": (
                "codes run from 1 here: they start at 0, and end with μ",
                {"half": 1.5},
            ),
            "turned-round": (
                "loud negative samples get the high codes: f + 1 grows with x",
                {"lifted": lambda y: (1 - y) / 2},
            ),
            "one-plus-forgotten": (
                "the logarithm is taken of μ|x|: 1 is added first, so that silence stays silent",
                *(
                    {
                        "curve": lambda x, mu, e=e: (
                            np.sign(x) * np.log(mu * np.abs(x) + e) / np.log1p(mu)
                        )
                    }
                    for e in (0.0, 1e-8, 1e-6, 1e-5, 1e-10, 1e-12)
                ),
            ),
            "negative-codes": (
                "codes start at 0: shift f from −1 … 1 to 0 … 1 first, (f + 1) / 2",
                {"lifted": lambda y: y / 2},
            ),
            "not-clipped": (
                "a sample a little louder than 1 gets a code that does not exist: clamp x first",
                {"loud": np.inf},
                {"loud": np.inf, "whole": np.trunc},
            ),
        }
    ),
    *_KINDS,
)


def quiet_and_loud(draw: Draw) -> list[tuple]:
    """Samples at 256 levels in 32 bits, at fewer in 64; none near the edge of a code."""
    cases = []
    for levels, dtype in ((256, np.float32), (draw.choice((16, 32, 64, 128)), np.float64)):
        x = draw.rng.permutation(signal_off_the_edges(draw, levels))[:72].astype(dtype)
        cases += [(few, levels) for few in x.reshape(12, 6)]
    return cases


def signal_off_the_edges(draw: Draw, levels: int) -> np.ndarray:
    """Loud and quiet samples, none near the edge of a code: rounding errors decide nothing.

    Nor near an edge of codes of another scale, μ or rounding: a mistake's numbers are its own.
    """
    x = np.concatenate([2 * draw.uniform(300) - 1, 0.05 * (2 * draw.uniform(200) - 1)])
    for mu, scale, half in itertools.product((levels - 1, levels), (levels - 1, levels), (0, 0.5)):
        z = scale * (companded(x, mu) + 1) / 2 + half
        x = x[np.abs(z - np.round(z)) > 2e-3]
    return x


def same_codes(a: list, b: list) -> bool:
    """Whether the codes are the same, of whatever dtype."""
    return bool(np.array_equal(a[0], b[0]))


def encoding_by_hand(x: np.ndarray, levels: int) -> str:
    """The steps for one sample."""
    if np.size(x) != 1:
        return ""
    v, mu = float(np.clip(x, -1, 1).item()), levels - 1
    f = companded(np.array(v), mu).item()
    return (
        f"μ = {mu}, f = {'−' if v < 0 else ''}ln(1 + {mu} · {abs(v):g}) / ln {levels} = {f:.4f}, "
        f"and {mu} · ({f:.4f} + 1) / 2 = {mu * (f + 1) / 2:.2f}, rounded"
    )


@checks(
    "mu_law_encode",
    lesson=LESSON,
    points=2,
    see="Exercise 1: fewer levels, spent where the ear listens",
)
def codes_of_a_signal(mu_law_encode: Standin, draw: Draw) -> Iterator[Claim | Cause]:
    """μ-law codes: rounded, companded, from 0 to levels − 1."""

    def ask(x: np.ndarray, levels: int) -> list:
        answer = untouched(mu_law_encode)(tensor(x), *(() if levels == 256 else (levels,)))
        array = expect_array(answer, x.shape, "number", "the codes")
        return [array.astype(float), kind_of(answer)]

    loud = np.array([-7.0, -1.0, 1.0, 1.5, 1e6])
    grid = np.array([[0.3, -0.2, 0.05], [0.7, -0.9, 0.11]])
    yield from examine(
        Subject(
            ask,
            rule=codes_of,
            forms=(codes_step_by_step,),
            mistakes=OF_ENCODING,
            symptoms=(
                Symptom(
                    "no-tensor",
                    "codes should come as a tensor of int64: they pick rows of an embedding",
                    lambda seen: all(
                        o.answer[1].startswith("no tensor") and same_codes(o.answer, o.right)
                        for o in seen
                    ),
                ),
            ),
            show=lambda x, n: f"x = {shown(x)} at {n} levels",
            told=lambda a: f"codes {shown(a[0])} of kind {a[1]}",
            drawn=True,
            by_hand=encoding_by_hand,
            smaller=lambda x, n: (
                (np.array([v]), m)
                for m in (256, 16)
                for v in (0.5, 0.01, -0.5, 1.5)
                if np.size(x) > 1
            ),
            alike=same_codes,
        ),
        draw,
        Property(
            "code",
            "the code is round(μ (f(x) + 1) / 2), with μ = levels − 1",
            quiet_and_loud,
            points=1,
            asks="the logarithm, scaled to 0 … μ, rounded to the nearest whole number",
        ),
        Property(
            "ends",
            "±1 are the outermost codes, and what is louder is cut off",
            lambda draw: [(loud, 256), (loud, 16)],
            points=0.5,
            asks="0 for −1 and below, levels − 1 for 1 and above",
            typical=False,
        ),
        Property(
            "int64",
            "codes are int64, and have the shape of x",
            lambda draw: [(grid, 256), (grid[::-1].copy(), 256), (grid, 32)],
            points=0.5,
            asks="a tensor of int64: whole numbers that can pick a row of an embedding",
            typical=False,
            alike=lambda a, b: a[1] == b[1] and a[0].shape == b[0].shape,
        ),
    )


def decoded(
    codes: np.ndarray,
    levels: int,
    *,
    mu: Callable = one_less,
    scale: Callable = one_less,
    added: float = 0.0,
    twice: float = 2.0,
    low: float = 1.0,
    divide: Callable = np.divide,
    curve: Callable = expanded,
) -> np.ndarray:
    """y = 2c/μ − 1, expanded. Each option turns one thing of it wrong."""
    return curve(divide(twice * (codes + added), scale(levels)) - low, mu(levels))


def decoded_step_by_step(codes: np.ndarray, levels: int) -> np.ndarray:
    """The same as `decoded`, in one line a step."""
    mu = levels - 1
    y = 2 * codes / mu - 1
    return np.sign(y) * np.expm1(np.abs(y) * np.log1p(mu)) / mu


_NO_HALF = (
    "the codes are moved by half a step first: nothing is to be added or taken away, since a "
    "rounded code stands for the middle already"
)
OF_DECODING = mistakes(
    {
        "mu-is-levels": (_MU, {"mu": itself, "scale": itself}, {"mu": itself}),
        "scaled-by-levels": (
            "there are μ = levels − 1 steps between the first code and the last: y = 2c/μ − 1, so "
            "that code μ is 1 again",
            {"scale": itself},
            {"scale": itself, "added": 0.5},
        ),
        "not-centered": ("y runs from −1 to 1: 2c/μ starts at 0, take 1 away", {"low": 0.0}),
        "half-the-range": ("y runs from −1 to 1, over 2: this stops half-way", {"twice": 1.0}),
        "another-default": (_DEFAULT, *(_where_256(decoded, n) for n in (255, 257))),
        "half-added": (_NO_HALF, {"added": 0.5}),
        "half-taken-away": (_NO_HALF, {"added": -0.5}),
        "sign-lost": (
            "the sign is lost, or the exponential is taken of y and not of |y|: codes below the "
            "middle are negative samples",
            {"curve": lambda y, mu: np.abs(expanded(y, mu))},
            {"curve": lambda y, mu: np.expm1(y * np.log1p(mu)) / mu},
            {"curve": lambda y, mu: np.sign(y) * np.expm1(y * np.log1p(mu)) / mu},
        ),
        "one-not-taken-away": (
            "(1 + μ)^|y| is 1 at y = 0: take 1 away, so that silence stays silent",
            {"curve": lambda y, mu: np.sign(y) * np.exp(np.abs(y) * np.log1p(mu)) / mu},
        ),
        "not-divided": (
            "(1 + μ)^|y| − 1 runs from 0 to μ: divide it by μ",
            {"curve": lambda y, mu: mu * expanded(y, mu)},
        ),
        "divided-by-levels": (
            "(1 + μ)^|y| − 1 runs from 0 to μ, and is divided by μ = levels − 1, not by levels",
            {"curve": lambda y, mu: mu / (mu + 1) * expanded(y, mu)},
        ),
        "base-mu": (
            "the base of the power is 1 + μ, as in ln(1 + μ)",
            {"curve": lambda y, mu: np.sign(y) * (mu ** np.abs(y) - 1) / mu},
        ),
        "sign-of-codes": (
            "the sign is that of the codes, which are never negative: y has one",
            lambda c, n, **wrong: np.sign(c) * np.abs(decoded(c, n, **wrong)),
        ),
        "not-expanded": ("this stops at y: the exponential is missing", {"curve": itself}),
        "companded-again": (
            "this takes the logarithm once more: the way back is the exponential",
            {"curve": companded},
        ),
        "base-e": (
            "the base of the power is 1 + μ, and yours is e: (1 + μ)^|y| is exp(|y| · ln(1 + μ))",
            {"curve": lambda y, mu: np.sign(y) * np.expm1(np.abs(y)) / mu},
            {"curve": lambda y, mu: np.sign(y) * np.expm1(np.abs(y)) / np.expm1(1)},
        ),
        "levels-ignored": (
            _LEVELS,
            lambda c, n, **wrong: decoded(c, 256, **wrong),
            {"mu": lambda n: 255},
            {"scale": lambda n: 255},
        ),
        "whole-division": (
            "2c/μ is rounded down to a whole number, as // does, so that few samples are left",
            {"divide": np.floor_divide},
        ),
    }
)


def decoding_by_hand(codes: np.ndarray, levels: int) -> str:
    """The steps for one code."""
    if np.size(codes) != 1:
        return ""
    mu, c = levels - 1, int(codes.item())
    y = 2 * c / mu - 1
    return (
        f"μ = {mu}, y = 2 · {c} / {mu} − 1 = {y:.4f}, "
        f"x = {'−' if y < 0 else ''}({levels}^{abs(y):.4f} − 1) / {mu}"
    )


def mirrored(a: np.ndarray, b: np.ndarray) -> bool:
    """Floats both, of one shape, which turned round are their own negatives; or the same floats."""
    if not (a.dtype.kind == b.dtype.kind == "f" and a.shape == b.shape):
        return False
    return close(a, b, 2e-5) or all(close(c, -c[::-1, ::-1], 1e-5) for c in (a, b))


def in_its_step(a: np.ndarray, b: np.ndarray) -> bool:
    """Whether samples a lie within a twentieth of a code of b, at 256 levels."""
    a = np.nan_to_num(np.asarray(a, dtype=float), nan=9.0)
    return a.shape == b.shape and bool(
        (np.abs(companded(a, 255) - companded(b, 255)) * 127.5 < 0.05).all()
    )


@checks(
    "mu_law_decode",
    lesson=LESSON,
    points=2,
    see="Exercise 1: fewer levels, spent where the ear listens",
)
def signal_of_codes(mu_law_decode: Standin, draw: Draw) -> Iterator[Claim | Cause]:
    """The way back, to the middle of what a code stands for."""

    def ask(codes: np.ndarray, levels: int) -> np.ndarray:
        answer = untouched(mu_law_decode)(tensor(codes), *(() if levels == 256 else (levels,)))
        return expect_array(answer, codes.shape, "number", "the samples")

    def cases(draw: Draw) -> list[tuple]:
        levels = (256, draw.choice((16, 32, 64, 128)))
        return [(few, n) for n in levels for few in draw.permutation(n).reshape(-1, 8)]

    def ends(n: int) -> np.ndarray:
        return np.array([[0, 1, n // 2], [n // 2 - 1, n - 2, n - 1]])

    yield from examine(
        Subject(
            ask,
            rule=decoded,
            forms=(decoded_step_by_step,),
            mistakes=OF_DECODING,
            show=lambda c, n: f"codes {shown(c)} at {n} levels",
            told=lambda a: f"x = {shown(a)}" + ("" if a.dtype.kind == "f" else " (no floats)"),
            by_hand=decoding_by_hand,
            smaller=lambda c, n: (
                (np.array([v]), 256) for v in (239, 157, 255, 0) if np.size(c) > 1
            ),
            alike=nearly(2e-5),
        ),
        draw,
        Property(
            "back",
            "y = 2c/μ − 1, and x = sign(y) ((1 + μ)^|y| − 1) / μ",
            cases,
            points=1,
            asks="−1 for code 0, 1 for code μ, and an exponential in between",
        ),
        Property(
            "survives",
            "every code survives, and a round trip errs by half a step: little where it is quiet",
            lambda draw: [(few, 256) for few in np.arange(256).reshape(-1, 8)],
            points=0.5,
            asks="samples that are encoded to the code they came from, each in the middle of its "
            "step: |error| ≤ ln(1 + μ)/μ · (|x| + 1/μ), up to a few percent",
            typical=False,
            alike=in_its_step,
        ),
        Property(
            "mirrored",
            "samples are floats of the codes' shape, mirrored where codes are",
            lambda draw: [(ends(n), n) for n in (256, 64)],
            points=0.5,
            asks="floats, and decode(μ − c) = −decode(c)",
            typical=False,
            alike=mirrored,
        ),
    )


# --- CausalConv1d ---------------------------------------------------------------------------------


def inside_windows(d: int, W: np.ndarray, b: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Σ_j W[:, :, j] x_{t + j d} + b, for windows inside the signal: (B, O, T − (k−1)d)."""
    count = x.shape[2] - (W.shape[2] - 1) * d
    y = np.zeros((len(x), len(W), max(count, 0))) + b[:, None]
    for j in range(W.shape[2] if count > 0 else 0):
        y += np.einsum("oi,bit->bot", W[:, :, j], x[:, :, j * d : j * d + count])
    return y


def padded(x: np.ndarray, before: int, after: int = 0) -> np.ndarray:
    """x (B, C, T) with zeros before and after it; numbers below 0 cut off, as F.pad does."""
    x = x[:, :, max(-before, 0) : max(x.shape[2] + min(after, 0), 0)]
    return np.pad(x, ((0, 0), (0, 0), (max(before, 0), max(after, 0))))


def left_only(k: int, d: int) -> tuple[int, int]:
    """How many zeros stand before and after the signal."""
    return (k - 1) * d, 0


def convolved(
    k: int,
    d: int,
    W: np.ndarray,
    b: np.ndarray,
    x: np.ndarray,
    *,
    zeros: Callable = left_only,
    apart: Callable = lambda k, d: d,
    taps: Callable = itself,
    bias: float = 1.0,
) -> np.ndarray:
    """y_t = b + Σ_j W[:, :, j] x_{t−(k−1−j)d}: (B, O, T). Each option turns one thing wrong."""
    return inside_windows(apart(k, d), taps(W), bias * b, padded(x, *zeros(k, d)))


def convolved_step_by_step(
    k: int, d: int, W: np.ndarray, b: np.ndarray, x: np.ndarray
) -> np.ndarray:
    """The same as `convolved`, in one line a step."""
    past = (k - 1) * d
    return inside_windows(d, W, b, padded(x, past))


OF_CONVOLUTIONS = mistakes(
    {
        "all-cut-off": (
            "with kernel 1 there is nothing to cut off, and [: -0] leaves nothing: cut to the "
            "length of x",
            lambda k, d, W, b, x: convolved(k, d, W, b, x)[:, :, : None if k > 1 else 0],
        ),
        "symmetric-padding": (
            "you pad on both sides (padding='same' does): output t then hears the future; all the "
            "zeros belong on the left",
            {"zeros": lambda k, d: ((k - 1) * d // 2, (k - 1) * d - (k - 1) * d // 2)},
            {"zeros": lambda k, d: ((k - 1) * d - (k - 1) * d // 2, (k - 1) * d // 2)},
        ),
        "looks-ahead": (
            "the zeros stand on the right, or the wrong end is cropped: output t hears samples "
            "after t",
            {"zeros": lambda k, d: (0, (k - 1) * d)},
        ),
        "kernel-reversed": (
            "the last weight belongs to the present, the first to the oldest sample",
            {"taps": lambda W: W[:, :, ::-1]},
        ),
        "dilation-forgotten": (
            "the taps stand next to each other: they should be d apart",
            {"apart": lambda k, d: 1, "zeros": lambda k, d: (k - 1, 0)},
        ),
        "one-late": (
            "output t does not hear the present: that shift belongs into WaveNet, once, and not "
            "into each layer",
            {"zeros": lambda k, d: ((k - 1) * d + 1, -1)},
            lambda *case: padded(convolved(*case), 1, -1),
        ),
        "bias-forgotten": ("the bias is missing", {"bias": 0.0}),
        "dilation-forgotten-in-padding": (
            "(k − 1) zeros are too few for dilated taps: there are d steps between two of them",
            {"zeros": lambda k, d: (k - 1, 0)},
        ),
        "padding-d": (
            "d zeros are right for two taps only: more of them reach further back",
            {"zeros": lambda k, d: (d, 0)},
        ),
        "first-repeated": (
            "the first sample is repeated in front: what lies before it counts as 0",
            lambda k, d, W, b, x: inside_windows(
                d, W, b, np.pad(x, ((0, 0), (0, 0), ((k - 1) * d, 0)), mode="edge")
            ),
        ),
        "end-in-front": (
            "the end of the signal stands in front of it, as if it went round in a circle: the "
            "first outputs then hear the last samples, and zeros belong there",
            lambda k, d, W, b, x: inside_windows(
                d, W, b, np.pad(x, ((0, 0), (0, 0), ((k - 1) * d, 0)), mode="wrap")
            ),
        ),
        "zeros-in-the-output": (
            "the first outputs are set to zero: the zeros stand before the input, and the first "
            "outputs hear as much of the signal as there is, and the bias",
            lambda k, d, W, b, x: convolved(k, d, W, b, x) * (np.arange(x.shape[2]) >= (k - 1) * d),
        ),
        "two-taps-only": (
            "the first and the last weight are at work, and none between them: a kernel has k taps",
            {"taps": lambda W: W * np.isin(np.arange(W.shape[2]), (0, W.shape[2] - 1))},
        ),
        "no-padding": (
            "the signal gets shorter: zeros are missing on the left",
            {"zeros": lambda k, d: (0, 0)},
        ),
        "not-cropped": (
            "the signal gets longer: pad on the left only",
            {"zeros": lambda k, d: ((k - 1) * d, (k - 1) * d)},
        ),
        "cropped-without-dilation": (
            "k − 1 columns are cut off, and (k − 1)·d are too many: there are d steps between two "
            "taps",
            {"zeros": lambda k, d: ((k - 1) * d, (k - 1) * (d - 1))},
        ),
        "padding-k-times-d": (
            "k·d zeros are too many: the first tap does not reach as far",
            {"zeros": lambda k, d: (k * d, 0)},
            {"zeros": lambda k, d: (k * d, -d)},
        ),
        "signal-before": (
            "the end of the signal of the call before stands in front of this one: zeros belong "
            "there, at every call",
            lambda k, d, W, b, x: convolved(k, d, W, b, np.concatenate([x, -x, x], axis=2))[
                :, :, -x.shape[2] :
            ],
        ),
        "rows-mix": (
            "the rows of a batch are subtracted from each other: each must be computed for itself",
            lambda k, d, W, b, x, **wrong: convolved(k, d, W, b, x - x.mean(0), **wrong),
        ),
    }
)


def layers(draw: Draw, sizes: Sequence[tuple[int, int, int]]) -> list[tuple]:
    """Cases (k, d, W, b, x) of layers from 3 to 4 channels, for sizes (k, d, T)."""
    return [
        (k, d, draw.normal(4, 3, k), draw.normal(4) + 2, draw.normal(2, 3, count))
        for k, d, count in sizes
    ]


def signals(draw: Draw) -> list[tuple]:
    """Layers of several kernels and dilations, and a signal shorter than a layer's reach."""
    return layers(
        draw,
        (
            (3, 2, 13),
            (2, draw.integer(3, 5), 12),
            (draw.integer(3, 4), draw.integer(2, 4), 4),
            (1, 2, 5),
            (2, 1, draw.integer(6, 9)),
        ),
    )


def show_layer(k: int, d: int, W: np.ndarray, b: np.ndarray, x: np.ndarray) -> str:
    """A case in words."""
    if W.shape[:2] == (1, 1):
        weights = ", ".join(f"{w:g}" for w in W[0, 0])
        return f"kernel {k}, dilation {d}, weights ({weights}), bias {b[0]:g}, x = {shown(x[0, 0])}"
    return f"kernel {k}, dilation {d}, {x.shape[2]} columns"


def told_columns(y: Any) -> str:
    """An answer in words."""
    if isinstance(y, str):
        return y
    return f"{y.shape[2]} columns" + (f", y = {shown(y[0, 0])}" if y.shape[2] else "")


def small_layers(k: int, d: int, W: np.ndarray, b: np.ndarray, x: np.ndarray) -> Iterator[tuple]:
    """One channel, few taps, round numbers."""
    if x.shape[1] > 1:
        for few, apart in ((1, 1), (2, 1), (2, 2), (3, 2)):
            weights = np.array([[[10.0, 1.0], [10.0, 100.0, 1.0], [1.0]][few - 2]])[None]
            yield few, apart, weights, np.array([3.0]), np.arange(1.0, 6)[None, None]


def convolution_by_hand(k: int, d: int, W: np.ndarray, b: np.ndarray, x: np.ndarray) -> str:
    """The sum of the last output, for one channel."""
    if W.shape[:2] != (1, 1):
        return ""
    count = x.shape[2]
    terms = []
    for j in range(k):
        t = count - (k - 1 - j) * d
        terms.append(f"{W[0, 0, j]:g} · " + (f"x_{t}" if t > 0 else "0"))
    y = convolved(k, d, W, b, x)[0, 0, -1]
    return f"of {count} columns the last: y_{count} = {b[0]:g} + {' + '.join(terms)} = {y:g}"


@checks(
    "CausalConv1d", lesson=LESSON, points=3, see="Exercise 2: a convolution that cannot look ahead"
)
def a_convolution_of_the_past(CausalConv1d: Standin, draw: Draw) -> Iterator[Claim | Cause]:
    """Output t hears x_t, x_{t−d} … x_{t−(k−1)d}, and the output is as long as the input."""

    def ask(k: int, d: int, W: np.ndarray, b: np.ndarray, x: np.ndarray) -> np.ndarray:
        layer = made_by(CausalConv1d, *W.shape[1::-1], k, *((d,) if d > 1 else ()))
        fill(layer, {"weight": tensor(W), "bias": tensor(b)})
        try:
            layer(tensor(np.concatenate([x, -x], axis=2)).float())  # a signal that ends otherwise
            answer = layer(tensor(x).float())
        except StudentFailed:
            if x.shape[2] > (k - 1) * d:
                raise
            return np.zeros((len(x), len(W), 0))  # too few zeros for so short a signal
        return expect_array(answer, (len(x), len(W), None), "float", "the output")

    subject = Subject(
        ask,
        rule=convolved,
        forms=(convolved_step_by_step,),
        mistakes=OF_CONVOLUTIONS,
        show=show_layer,
        told=told_columns,
        by_hand=convolution_by_hand,
        smaller=small_layers,
        alike=nearly(1e-4),
    )
    long = Property(
        "long",
        "the output is as long as the input, for signals of any length",
        lambda draw: layers(draw, ((3, 2, 13), (3, 2, 13), (2, 4, 3), (2, 1, 9))),
        points=0.5,
        asks="as many columns as came in: (k − 1)·d zeros, all of them before the first sample",
        typical=False,
        alike=lambda a, b: a.shape == b.shape,
    )
    layer, x = made_by(CausalConv1d, 3, 4, 2, 2), tensor(draw.normal(2, 3, 12)).float()
    carried = carries_its_weights(layer, lambda m: m(x), draw.rng)
    if not carried:
        on = "outputs that are made of x and of the weights"
        yield waiting(long.text, on, points=0.5, id="long")
    yield from examine(
        subject,
        draw,
        *([long] if carried else []),
        Property(
            "convolves",
            "y_t = b + Σ_j W_j x_{t−(k−1−j)d}, zeros before the first sample",
            signals,
            points=1,
            asks="the weights of the layer itself, the last one on the present",
        ),
    )
    yield _sees_its_taps(CausalConv1d, draw)
    yield _is_trained(CausalConv1d, draw)


def _sees_its_taps(CausalConv1d: Standin, draw: Draw) -> Claim:
    text = "output t sees x_t, x_{t−d}, …, x_{t−(k−1)d}, and nothing else"
    leaks, gaps, mixing, words = [], [], False, ""
    for k, d in ((2, draw.integer(2, 4)), (3, draw.integer(1, 3))):
        count = (k - 1) * d + 5
        wanted = np.zeros((count, count), dtype=bool)
        for j in range(k):
            wanted |= np.eye(count, k=-j * d, dtype=bool)
        layer, x = made_by(CausalConv1d, 2, 3, k, d), draw.normal(3, 2, count)
        y = expect_array(layer(tensor(x).float()), (3, 3, None), "float", "the output")
        if y.shape[2] != count:
            return waiting(text, "outputs as long as the input", id="taps")
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
    return claim(
        text,
        not leaks and not gaps and not mixing,
        id="taps",
        points=1,
        saw="rows of a batch that see each other" if mixing else words,
        asks="each row by itself, k inputs, d apart, none of them later than t",
        advice=[
            when(mixing, "rows-mix", "each example must be computed for itself"),
            "write down which samples the first, the second and the last output should see, and "
            "compare",
        ],
    )


def _is_trained(CausalConv1d: Standin, draw: Draw) -> Claim:
    layer = made_by(CausalConv1d, 2, 3, 2, 2)
    sizes = gradient_sizes(layer, "", tensor(draw.normal(2, 2, 9)).float())
    sizes = sizes if isinstance(sizes, dict) else {}
    reached = [name for name, size in sizes.items() if size]
    others = [name for name in sizes if name not in ("weight", "bias")]
    return claim(
        "its weight and its bias are trained, and nothing else is",
        sorted(reached) == ["bias", "weight"] and not others,
        id="trained",
        points=0.5,
        saw=f"gradients for {', '.join(reached) or 'nothing'}"
        + (f", and parameters {', '.join(others)}" if others else ""),
        asks="self.weight and self.bias, as nn.Conv1d made them",
        advice=[
            when(
                "weight" not in reached,
                "gradient-cut",
                "no gradient reaches the weight: .data, .detach() and no_grad cut it off",
            ),
            "compute with self.weight and self.bias, and with no parameter beside them",
        ],
    )


# --- receptive_field ------------------------------------------------------------------------------


def field_of(k: int, dilations: Sequence[int]) -> int:
    """R = 1 + Σ (k − 1) d."""
    return 1 + sum((k - 1) * d for d in dilations)


OF_FIELDS = (
    *mistakes(
        {
            "off-by-one": (
                "one off: an output sees itself too, and counts once, however many layers there "
                "are",
                lambda k, ds: sum((k - 1) * d for d in ds),
                lambda k, ds: 2 + sum((k - 1) * d for d in ds),
            ),
            "k-for-k-minus-one": (
                "a layer with k taps reaches back by less: there are k − 1 gaps between k taps",
                lambda k, ds: 1 + sum(k * d for d in ds),
                lambda k, ds: sum(k * d for d in ds),
            ),
            "power-of-two": (
                "a power is right for some kernel and one stack that doubles from 1 at most: add "
                "up what each layer adds",
                lambda k, ds: 2 ** len(ds),
                lambda k, ds: 2 ** (len(ds) + 1),
                lambda k, ds: k ** len(ds),
                lambda k, ds: (k - 1) * 2 ** len(ds),
                lambda k, ds: (k - 1) * (2 ** len(ds) - 1) + 1,
            ),
            "dilation-forgotten": (
                "the dilations are missing: d steps lie between two taps",
                lambda k, ds: 1 + (k - 1) * len(ds),
                lambda k, ds: 1 + len(ds),
            ),
            "kernel-forgotten": (
                "right for kernel 2 only: with more taps a layer reaches further",
                lambda k, ds: 1 + sum(ds),
            ),
            "sum-of-dilations": (
                "this is the sum of the dilations: kernels of more than two taps reach further, "
                "and an output sees itself too",
                lambda k, ds: sum(ds),
            ),
            "multiplied": (
                "you multiply what the layers reach: each ADDS its own",
                lambda k, ds: math.prod(1 + (k - 1) * d for d in ds),
                lambda k, ds: math.prod((k - 1) * d for d in ds),
                lambda k, ds: math.prod(k * d for d in ds),
                lambda k, ds: 1 + (k - 1) * math.prod(ds),
            ),
            "repeats-dropped": (
                "equal dilations count each time: three stacks see further than one",
                lambda k, ds: 1 + sum((k - 1) * d for d in set(ds)),
            ),
            "top-layer-only": (
                "every layer adds its reach, not the widest alone",
                lambda k, ds: 1 + (k - 1) * max(ds, default=0),
                lambda k, ds: k * max(ds, default=0),
                lambda k, ds: 1 + (k - 1) * max(0, 2 * max(ds, default=0) - 1),
                lambda k, ds: 1 + (k - 1) * (2 * max(ds, default=0) - 1),
                lambda k, ds: 2 * (k - 1) * max(ds, default=0),
                lambda k, ds: 2 * (k - 1) * max(ds, default=0) or 1,
                lambda k, ds: k * ds[-1],
                lambda k, ds: k * (ds[-1] if ds else 0),
                lambda k, ds: k * ds[-1] if ds else 1,
                lambda k, ds: 1 + (k - 1) * (ds[-1] if ds else 0),
            ),
            "one-layer-forgotten": (
                "one layer is missing from the sum: all count, the first convolution too",
                lambda k, ds: 1 + sum((k - 1) * d for d in list(ds)[1:]),
                lambda k, ds: 1 + sum((k - 1) * d for d in list(ds)[:-1]),
            ),
            "extra-layer": (
                "one layer too many: the list holds all of them, the first convolution too",
                lambda k, ds: 1 + sum((k - 1) * d for d in [*ds, 1]),
            ),
            "kernel-counted-once": (
                "k − 1 is added once: every layer's dilation is multiplied by it",
                lambda k, ds: k - 1 + sum(ds),
                lambda k, ds: k + sum(ds),
            ),
            "one-in-the-bracket": (
                "the 1 stands outside: times k − 1 belongs to the dilations alone",
                lambda k, ds: (k - 1) * (1 + sum(ds)),
            ),
            "both-sides": (
                "a causal convolution reaches to one side",
                lambda k, ds: 1 + 2 * sum((k - 1) * d for d in ds),
            ),
            "one-a-layer": (
                "the 1 is counted once for the whole stack, not once a layer",
                lambda k, ds: sum(1 + (k - 1) * d for d in ds),
                lambda k, ds: 1 + sum(1 + (k - 1) * d for d in ds),
            ),
        }
    ),
    Mistake(
        "float-for-int",
        "a number of samples is an int: floats lose the last digits",
        after=lambda value, *_: float(value),
    ),
)


@checks("receptive_field", lesson=LESSON, points=2, see="Exercise 3: how far back?")
def how_far_back(receptive_field: Standin, draw: Draw) -> Iterator[Claim | Cause]:
    """R = 1 + Σ (k − 1) d, an exact whole number."""
    stack = [2**i for i in range(10)]
    known = [(2, stack), (2, stack * 3), (2, stack * 2), (3, [1, 2, 4]), (3, [])]

    def ask(k: int, ds: list[int]) -> int | float:
        answer = untouched(receptive_field)(k, list(ds))
        if type(answer) is int:
            return answer
        return expect_array(answer, (), "number", "the field").item()

    def drawn(draw: Draw) -> list[tuple]:
        return [
            (draw.integer(3, 5), [draw.integer(1, 40) for _ in range(draw.integer(3, 6))]),
            (draw.integer(3, 7), [5, 1, 5, draw.integer(2, 9)]),
            (2, [3, 3, 7, 1]),
            (1, [1, 2, 4]),
        ]

    yield from examine(
        Subject(
            ask,
            rule=field_of,
            mistakes=OF_FIELDS,
            show=lambda k, ds: f"kernel {k} and dilations {shown(np.array(ds[:20]))}",
            told=lambda value: repr(value)[:60],
            by_hand=lambda k, ds: (
                " + ".join(["1", *(f"{k - 1} · {d}" for d in ds)]) if len(ds) < 5 else ""
            ),
            smaller=lambda k, ds: (
                (few, some)
                for few, some in ((2, []), (2, [1]), (2, [1, 2]), (3, [1, 2]), (2, [1, 1]))
                if len(some) < len(ds)
            ),
        ),
        draw,
        Property(
            "field",
            "R = 1 + Σ (k − 1) d, for any kernel and any dilations",
            drawn,
            points=1,
            asks="each layer adds (k − 1)·d to the one sample that is seen without layers",
        ),
        Property(
            "known",
            "1 … 512 with kernel 2 sees 1,024 samples, three such stacks 3,070, and no layer "
            "sees 1",
            lambda draw: known,
            points=0.5,
            asks="1,024, two stacks 2,047, three 3,070, kernel 3 with 1, 2, 4 15, and no layer 1",
            typical=False,  # stacks that double are what many another rule is right for
        ),
        Property(
            "exact",
            "the answer is a whole number, exact for sixty layers too",
            lambda draw: [(2, [2**i for i in range(60)]), (3, [2**i for i in range(60)])],
            points=0.5,
            asks="an int: 1 + (1 + 2 + … + 2^59) = 2^60 for kernel 2, 2^61 − 1 for kernel 3",
            typical=False,
            needs="field",
            alike=lambda a, b: type(a) is type(b) and a == b,
        ),
    )


# --- ResidualBlock --------------------------------------------------------------------------------


def by_one(z: np.ndarray, p: dict[str, np.ndarray], name: str) -> np.ndarray:
    """The block's convolution `name` with kernel 1: (B, C, T) → (B, out, T)."""
    W, b = p[f"{name}.weight"], p[f"{name}.bias"]
    return np.einsum("oi,bit->bot", W[:, :, 0], z) + b[:, None]


def two_ways(x: np.ndarray, z: np.ndarray, p: dict[str, np.ndarray]) -> list[np.ndarray]:
    """x' and the skip."""
    return [x + by_one(z, p, "residual"), by_one(z, p, "skip")]


def gated(
    block: Any,
    p: dict[str, np.ndarray],
    both: np.ndarray,
    x: np.ndarray,
    label: np.ndarray | None,
    *,
    label_of: Callable = itself,
    told: Callable = lambda label: True,
    heard: Callable = np.add,
    halves: Callable = lambda a: np.split(a, 2, axis=1),
    gate: Callable = lambda f, g: tanh(f) * sigmoid(g),
    joined: Callable = lambda gate, f, g, V: gate(f, g),
    late: Callable = itself,
    ways: Callable = two_ways,
) -> list[np.ndarray]:
    """x' and s, from what the block's own convolution gives. Each option turns one thing wrong.

    `block` is who was asked, and takes no part; p are its parameters.
    """
    label = None if label is None else label_of(label)
    V = 0.0 if label is None else (p["condition.weight"][label] * told(label))[:, :, None]
    f, g = halves(both if label is None else heard(both, V))
    return ways(x, late(joined(gate, f, g, V), V), p)


def behind_the_gate(gate: Callable, f: np.ndarray, g: np.ndarray, V: Any) -> np.ndarray:
    """The halves of the label's vector, added to tanh(f) and to σ(g)."""
    a, b = np.split(V, 2, axis=1) if np.ndim(V) else (0.0, 0.0)
    return (tanh(f) + a) * (sigmoid(g) + b)


def gated_step_by_step(
    block: Any, p: dict, both: np.ndarray, x: np.ndarray, label: np.ndarray | None
) -> list[np.ndarray]:
    """The same as `gated`, in one line a step."""
    if label is not None:
        both = both + p["condition.weight"][label][:, :, None]
    f, g = np.split(both, 2, axis=1)
    z = tanh(f) * sigmoid(g)
    return [x + by_one(z, p, "residual"), by_one(z, p, "skip")]


def _ways(first: Callable, second: Callable) -> dict[str, Callable]:
    """An option: other ways from x, from what W_res makes of z, and from z, to x' and the skip."""
    return {
        "ways": lambda x, z, p: [
            first(x, by_one(z, p, "residual"), z),
            second(x, by_one(z, p, "residual"), z, lambda a: by_one(a, p, "skip")),
        ]
    }


OF_BLOCKS = mistakes(
    {
        "order-swapped": (
            "x' comes first, the skip second",
            {"ways": lambda *case: two_ways(*case)[::-1]},
        ),
        "residual-forgotten": (
            "x' = x + W z: the block's own input is missing",
            _ways(lambda x, up, z: up, lambda x, up, z, skip: skip(z)),
        ),
        "residual-of-x": (
            "W_res belongs to z, and x is added as it is: here it is the other way round",
            {"ways": lambda x, z, p: [z + by_one(x, p, "residual"), by_one(z, p, "skip")]},
        ),
        "residual-without-weights": (
            "z goes through self.residual before it is added to x",
            _ways(lambda x, up, z: x + z, lambda x, up, z, skip: skip(z)),
        ),
        "skip-is-residual": (
            "the skip is W_skip z alone: neither x nor the residual's weights belong into it",
            _ways(lambda x, up, z: x + up, lambda x, up, z, skip: x + up),
            _ways(lambda x, up, z: x + up, lambda x, up, z, skip: up),
            _ways(lambda x, up, z: x + up, lambda x, up, z, skip: skip(x + up)),
            _ways(lambda x, up, z: x + up, lambda x, up, z, skip: skip(x + z)),
        ),
        "skip-of-x": (
            "the skip is made of the block's input: it is W_skip z, of what the gate lets pass",
            _ways(lambda x, up, z: x + up, lambda x, up, z, skip: skip(x)),
        ),
        "skip-without-weights": (
            "z goes through self.skip before it is handed on",
            _ways(lambda x, up, z: x + up, lambda x, up, z, skip: z),
        ),
        "residual-of-the-sum": (
            "W_res is for z alone: x is added behind it",
            {"ways": lambda x, z, p: [by_one(x + z, p, "residual"), by_one(z, p, "skip")]},
        ),
        "squashed-again": (
            "the residual, or the sum, is squashed once more: x' = x + W z as it is",
            _ways(lambda x, up, z: x + tanh(up), lambda x, up, z, skip: skip(z)),
            _ways(lambda x, up, z: tanh(x + up), lambda x, up, z, skip: skip(z)),
            _ways(lambda x, up, z: np.maximum(x + up, 0), lambda x, up, z, skip: skip(z)),
        ),
        "scaled": (
            "x + W z is scaled by a constant, as other networks do: here it stays as it is",
            *(
                _ways(lambda x, up, z, c=c: c * (x + up), lambda x, up, z, skip, s=s: s * skip(z))
                for c, s in ((0.5**0.5, 1.0), (0.5**0.5, 0.5**0.5), (0.5, 1.0))
            ),
        ),
        "gates-swapped": (
            "tanh belongs to the first half of the channels, σ to the second",
            {"gate": lambda f, g: sigmoid(f) * tanh(g)},
        ),
        "gate-forgotten": (
            "the gate is missing: z = tanh(f) · σ(g)",
            {"gate": lambda f, g: tanh(f)},
        ),
        "another-gate": (
            "another function stands where tanh f belongs",
            {"gate": lambda f, g: sigmoid(f) * sigmoid(g)},
            {"gate": lambda f, g: np.maximum(f, 0) * sigmoid(g)},
            {"gate": lambda f, g: f * sigmoid(g)},
        ),
        "gate-not-squashed": (
            "σ belongs to g: a gate lies between 0 and 1",
            {"gate": lambda f, g: tanh(f) * g},
            {"gate": lambda f, g: tanh(f) * tanh(g)},
        ),
        "gates-added": (
            "the two halves multiply: one says what, the other how much of it",
            {"gate": lambda f, g: tanh(f) + sigmoid(g)},
        ),
        "halves-interleaved": (
            "f is the first C channels, g the last C: yours take turns",
            {"halves": lambda a: (a[:, ::2], a[:, 1::2])},
        ),
        "label-ignored": (
            "the label changes nothing: its vector belongs to f and g",
            {"heard": lambda both, V: both},
        ),
        "label-at-one-time": (
            "the label is heard at one time only: the same vector belongs to ALL times",
            {"heard": lambda both, V: both + V * (np.arange(both.shape[2]) == 0)},
            {"heard": lambda both, V: both + V * (np.arange(both.shape[2])[::-1] == 0)},
        ),
        "label-after-gate": (
            "the label's vector is added BEFORE tanh and σ",
            {
                "heard": lambda both, V: both,
                "late": lambda z, V: z + (V[:, : z.shape[1]] if np.ndim(V) else V),
            },
            {"heard": lambda both, V: both, "joined": behind_the_gate},
        ),
        "label-zero-ignored": (
            "label 0 is a label like all: ask whether there is one, label is not None",
            {"label_of": lambda label: label if label.any() else None},
            {"told": lambda label: label[:, None] > 0},
        ),
        "label-of-the-first-row": (
            "all rows hear the label of the first one: each has its own",
            {"heard": lambda both, V: both + V[:1]},
        ),
        "label-multiplied": (
            "the label's vector is added, not multiplied",
            {"heard": lambda both, V: both * V},
        ),
        "label-on-one-half": (
            "the label moves one half only: its 2C numbers belong to f and to g",
            {"heard": lambda both, V: both + V * (np.arange(8) < 4)[:, None]},
            {"heard": lambda both, V: both + V * (np.arange(8) > 3)[:, None]},
        ),
    }
)


def block_by_hand(block: Any, p: dict, both: np.ndarray, x: np.ndarray, label: Any) -> str:
    """The steps of a block with one channel, at one time."""
    if both.size != 2:
        return ""
    f, g = both.reshape(-1)
    z = np.tanh(f) * sigmoid(g)
    up, out = (p[f"{name}.weight"].item() for name in ("residual", "skip"))
    return (
        f"tanh f = {np.tanh(f):.4g}, σ(g) = {sigmoid(g):.4g}, z = {z:.4g}, "
        f"x' = {x.item():g} + {up:g} · z, s = {out:g} · z"
    )


@checks("ResidualBlock", lesson=LESSON, points=3, see="Exercise 4: gates")
def a_gated_layer(ResidualBlock: Standin, draw: Draw) -> Iterator[Claim | Cause]:
    """tanh · σ, a residual and a skip, and a label that is heard at all times."""

    def case(p: Callable, x: np.ndarray, label: Any, *settings: int) -> tuple:
        block = made_by(ResidualBlock, *settings)
        values = {k: p(*expect_array(v).shape) for k, v in numbers(block).items()}
        fill(block, {k: tensor(v) for k, v in values.items()})
        shape = (len(x), 2 * x.shape[1], x.shape[2])
        both = expect_array(block.conv(tensor(x).float()), shape, "float", "the convolution")
        return block, values, both, x, label

    def cases(draw: Draw, labels: int) -> list[tuple]:
        return [
            case(
                draw.normal,
                draw.normal(3, 4, 9),
                np.array(label) if labels else None,
                *(4, skips, draw.integer(2, 3), draw.integer(1, 3), *([labels] if labels else [])),
            )
            for skips, label in ((4, (2, 0, 1)), (draw.integer(5, 7), (2, 0, 1)), (4, (0, 0, 0)))
            if labels or skips > 4 or any(label)
        ]

    def smaller(block: Any, p: dict, both: np.ndarray, *_: Any) -> Iterator[tuple]:
        if both.size > 2:
            small = case(lambda *shape: np.zeros(shape), np.full((1, 1, 1), 2.0), None, 1, 1, 1, 1)
            values = small[1] | {
                "conv.bias": np.array([0.5493, 1.0986]),
                "residual.weight": np.full((1, 1, 1), 2.0),
                "skip.weight": np.full((1, 1, 1), -1.0),
            }
            fill(small[0], {k: tensor(v) for k, v in values.items()})
            both = expect_array(small[0].conv(tensor(small[3]).float()), (1, 2, 1), "float")
            yield small[0], values, both, small[3], None

    def ask(block: Any, p: dict, both: np.ndarray, x: np.ndarray, label: Any) -> list[np.ndarray]:
        given = () if label is None else (tensor(label),)
        block(tensor(-x[:, :, 1:] if x.shape[2] > 1 else -x).float(), *given)  # another one before
        answer = untouched(block, ResidualBlock)(tensor(x).float(), *given)
        if not isinstance(answer, list | tuple) or len(answer) != 2:
            raise WrongKind("forward should return a pair: x' and the skip")
        names = ("x'", "the skip")
        return [expect_array(a, None, "float", n) for a, n in zip(answer, names, strict=True)]

    block, x = made_by(ResidualBlock, 4, 4, 2, 1, 0), tensor(draw.normal(3, 4, 9)).float()
    first = Property(
        "gated",
        "z = tanh(f) σ(g), x' = x + W_res z, s = W_skip z",
        lambda draw: cases(draw, 0),
        points=1.5,
        asks="both ways start from the same z, each with weights of its own",
    )
    second = Property(
        "label",
        "a label adds the same vector to f and g at all times",
        lambda draw: cases(draw, 3),
        points=1,
        asks="self.condition(label), one row for each example, before the gate",
        needs="gated",
    )
    right = carries_its_weights(block, lambda m: m.conv(x), draw.rng)
    if not right:
        on = "a convolution that is made of x and its weights"
        yield from (waiting(one.text, on, points=one.points, id=one.id) for one in (first, second))
    else:
        subject = Subject(
            ask,
            rule=gated,
            forms=(gated_step_by_step,),
            mistakes=OF_BLOCKS,
            show=lambda block, p, both, x, label: (
                f"f = {both[0, 0, 0]:.4g}, g = {both[0, 1, 0]:.4g}, x = {x.item():g}"
                if both.size == 2
                else f"{x.shape[1]} channels, {len(p['skip.bias'])} of the skip, "
                + ("no label" if label is None else f"labels {label.tolist()}")
            ),
            told=lambda a: (
                f"x' of shape {a[0].shape}: {shown(a[0].reshape(-1), 3)}; the skip of "
                f"shape {a[1].shape}: {shown(a[1].reshape(-1), 3)}"
            ),
            by_hand=block_by_hand,
            smaller=smaller,
            alike=nearly(1e-3),
        )
        right = yield from examine(subject, draw, first, second)
    yield _trains_all(cases(draw, 3)[:2], right)


def _trains_all(cases: list[tuple], right: bool) -> Claim:
    shared = ("conv.weight", "conv.bias", "condition.weight")
    cut: set[str] = set()
    for block, _, _, x, label in cases:
        for part, name, end in (("0", "residual", "x'"), ("1", "skip", "s")):
            found = gradient_sizes(block, part, tensor(x).float(), tensor(label))
            sizes = found if isinstance(found, dict) else {}
            keys = (*shared, f"{name}.weight", f"{name}.bias")
            cut |= {f"{key} from {end}" for key in keys if not sizes.get(key)}
    return claim(
        "training reaches the convolution, the label's vectors and both ways",
        not cut,
        id="reaches",
        points=0.5,
        saw=f"no gradient for parts of {', '.join(sorted(cut)[:3])}",
        asks="a gradient from x' and from s for all that they are made of",
        waits=waits_unless(right, "numbers that are right"),
        advice=when(
            True,
            "gradient-cut",
            "the numbers are right, and something cuts training off: .data, .detach(), no_grad",
        ),
    )


# --- WaveNet --------------------------------------------------------------------------------------

CARRIED = "logits that are made of the sound and of the model's weights"


def ready(WaveNet: Standin, draw: Draw, *settings: Any, gain: float = 1.0) -> Any:
    """A WaveNet with drawn parameters, in double precision."""
    return redrawn(made_by(WaveNet, *settings), draw.integer(0, 2**31), gain)


def given(label: np.ndarray | None) -> tuple:
    """The label as the last arguments of a call; none, if there is none."""
    return () if label is None else (tensor(label),)


def stacked(model: Any, x: np.ndarray, label: np.ndarray | None = None) -> np.ndarray:
    """What the model's own stack gives: logits (B, levels, T)."""
    return expect_array(model.stack(tensor(x), *given(label)), None, "float", "the logits of stack")


@checks("WaveNet", lesson=LESSON, points=5, see="Exercise 5: WaveNet")
def a_distribution_over_sounds(WaveNet: Standin, draw: Draw) -> Iterator[Claim | Cause]:
    """Logits of all samples at once, each from the R samples before it, and no others."""
    yield _sees_its_field(WaveNet, draw)
    codes, x = tensor(draw.rng.integers(0, 5, (3, 9))), tensor(draw.normal(3, 5, 9)).float()

    def carries(ask: Callable) -> bool:  # one of a few: all units of a small network may be dead
        models = (made_by(WaveNet, 5, 5, 6, 2, [1, 2]) for _ in range(4))
        return any(carries_its_weights(model, ask, draw.rng) for model in models)

    carried = carries(lambda m: m(codes))
    for deaf, (subject, one) in (
        (not carries(lambda m: m.stack(x)), _of_stack(WaveNet)),
        (not carried, _of_forward(WaveNet)),
        (not carried, _of_nll(WaveNet)),
    ):
        if deaf:
            yield waiting(one.text, CARRIED, points=one.points, id=one.id)
        else:
            yield from examine(subject, draw, one)
    yield _no_weight_is_idle(WaveNet, draw)
    yield _sums_to_one(WaveNet, draw, waits_unless(carried, CARRIED))


def _sees_its_field(WaveNet: Standin, draw: Draw) -> Claim:
    leaks, gaps, mixing, alive, saw = [], [], False, False, ""
    for k, dilations in (
        (2, draw.choice(((1, 2, 4), (1, 2, 1), (4, 2, 1, 1)))),
        (3, draw.choice(((1, 3), (1, 2), (1, 1, 2)))),
    ):
        R = field_of(k, dilations)
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
        if edges and not saw:
            o, i, k, dilations, R = edges[0]
            stack = ", ".join(map(str, dilations))
            saw = (
                f"the logits of x_{o + 1} {verb} x_{i + 1}: kernel {k}, dilations {stack}, R = {R}"
            )
    lags = {o - i for o, i, *_ in leaks}
    missed = {o - i for o, i, *_ in gaps}
    return claim(
        "the logits of x_t see x_{t−R} … x_{t−1}: all of these, and nothing else",
        not leaks and not gaps and not mixing,
        id="field",
        points=1,
        saw="rows of a batch that see each other" if mixing else saw,
        asks="each row by itself, R = 1 + Σ (k − 1) d samples, ending with the one before x_t",
        advice=[
            when(mixing, "rows-mix", "each example must be computed for itself"),
            when(
                not alive,
                "sees-nothing",
                "no logit sees anything: input, blocks, skips and head should hang together",
            ),
            when(
                min(lags, default=0) < 0,
                "looks-ahead",
                "the logits see LATER samples: is a convolution padded on both sides, the input "
                "shifted to the left, or its end brought to the front (torch.roll)?",
            ),
            when(
                0 in lags,
                "sees-itself",
                "the logits of x_t see x_t itself: a factor of the chain rule may not",
            ),
            when(
                1 in missed and min(lags, default=9) > 1,
                "shifted-twice",
                "one shift too many: the logits of x_t do not see x_{t−1}, and see one sample too "
                "far back",
            ),
            when(
                leaks and not gaps,
                "sees-too-far",
                "something beside the blocks looks back: the field is R samples",
            ),
            "draw your model in the dilation tree: DilationTree.of_model(model, …)",
        ],
    )


def headed(model: Any, total: np.ndarray) -> np.ndarray:
    """What the model's own head makes of the skips."""
    return expect_array(model.head(tensor(total)), None, "float", "the head's logits")


def _sum_of_skips(pairs: Sequence[tuple]) -> Any:
    return sum(skip for _, skip in pairs)


def summed(
    model: Any,
    x: np.ndarray,
    label: np.ndarray | None,
    ways: dict[str, list],
    *,
    way: str = "in a chain",
    total: Callable = _sum_of_skips,
    end: Callable = itself,
) -> np.ndarray:
    """The head of the sum of all skips of the blocks `in a chain`; options turn one thing wrong.

    `ways`: (x', s) of each block, as the blocks of the model give them in a chain, side by side,
    and without the label.
    """
    return end(headed(model, total(ways[way])))


def summed_step_by_step(
    model: Any, x: np.ndarray, label: np.ndarray | None, ways: dict[str, list]
) -> np.ndarray:
    """The same as `summed`, in one line a step."""
    total = 0
    for pair in ways["in a chain"]:
        total = total + pair[1]
    return headed(model, total)


OF_STACKS = mistakes(
    {
        "last-skip-only": (
            "only one block's skip arrives: sum the skips of ALL blocks",
            {"total": lambda pairs: pairs[-1][1]},
            {"total": lambda pairs: pairs[0][1]},
        ),
        "residual-for-skips": (
            "the head gets the last x', not the sum of the skips",
            {"total": lambda pairs: pairs[-1][0]},
        ),
        "skips-averaged": (
            "sum the skips, do not average them",
            {"total": lambda pairs: sum(skip for _, skip in pairs) / len(pairs)},
        ),
        "skips-scaled": (
            "the sum of the skips is scaled by how many there are, as some networks do: here it "
            "stays as it is",
            {"total": lambda pairs: sum(skip for _, skip in pairs) / len(pairs) ** 0.5},
        ),
        "softmax-in-stack": (
            "a softmax follows the head: stack gives logits, and whoever needs probabilities makes "
            "them",
            {"end": lambda z: np.exp(log_softmax(z, 1))},
            {"end": lambda z: log_softmax(z, 1)},
        ),
        "blocks-side-by-side": (
            "every block starts from the same x: each should get the x' of the one before",
            {"way": "side by side"},
        ),
        "label-dropped": (
            "the label does not arrive at the blocks: every one of them should hear it",
            {"way": "without the label"},
        ),
        "label-dropped-later": (
            "the label reaches the first block only: every one of them should hear it",
            {"way": "with the label at first"},
        ),
    }
)


def _of_stack(WaveNet: Standin) -> tuple[Subject, Property]:
    def run(model: Any, x: np.ndarray, label: Any, chained: bool, heard: int = 3) -> list:
        pairs, below = [], x
        for i in range(3):
            answer = model.blocks[i](tensor(below), *given(label if i < heard else None))
            if not isinstance(answer, list | tuple) or len(answer) != 2:
                raise WrongKind("a block should return a pair: x' and the skip")
            pairs.append([expect_array(part, None, "float", "a block's answer") for part in answer])
            below = pairs[-1][0] if chained else x
        return pairs

    def cases(draw: Draw) -> list[tuple]:
        found = []
        for labels in (0, 3):
            model = ready(WaveNet, draw, 7, 5, 5, 2, [1, 2, 3], labels)
            for count in (11, 9):  # one model, asked twice
                x = draw.normal(2, 5, count)
                label = draw.rng.permutation(3)[:2] if labels else None
                ways = {
                    "in a chain": run(model, x, label, True),
                    "side by side": run(model, x, label, False),
                    "without the label": run(model, x, None, True),
                    "with the label at first": run(model, x, label, True, 1),
                }
                found.append((model, x, label, ways))
        return found

    subject = Subject(
        ask=lambda model, x, label, ways: stacked(model, x, label),
        rule=summed,
        forms=(summed_step_by_step,),
        mistakes=OF_STACKS,
        show=lambda model, x, label, ways: (
            f"three blocks, x of shape {x.shape}, "
            + ("no label" if label is None else f"labels {label.tolist()}")
        ),
        alike=nearly(1e-7),
    )
    return subject, Property(
        "stack",
        "stack: every block gets the x' of the one before, and the head the sum of all skips",
        cases,
        points=1.5,
        asks="blocks in a chain, each with the label; the head once, at the end",
    )


def in_front(e: np.ndarray, rows: np.ndarray, columns: int = 1) -> np.ndarray:
    """So many columns of zeros in front of e (B, C, T), as many dropped at the end."""
    return padded(e, columns)[:, :, : e.shape[2]]


def own_vectors(codes: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Of each code its row of the table: (B, T) → (B, C, T)."""
    return rows[codes].transpose(0, 2, 1)


def shifted_in(
    model: Any,
    codes: np.ndarray,
    label: np.ndarray | None,
    rows: np.ndarray,
    *,
    columns: Callable = own_vectors,
    shift: Callable = in_front,
    told: bool = True,
) -> np.ndarray:
    """The model's own stack on the codes' vectors, shifted by one; options turn one thing wrong.

    `rows` is the model's table of vectors, (levels, C).
    """
    return stacked(model, shift(columns(codes, rows), rows), label if told else None)


def shifted_step_by_step(
    model: Any, codes: np.ndarray, label: np.ndarray | None, rows: np.ndarray
) -> np.ndarray:
    """The same as `shifted_in`, in one line a step."""
    x = rows[codes].transpose(0, 2, 1)
    x = np.pad(x, ((0, 0), (0, 0), (1, 0)))[:, :, :-1]
    return stacked(model, x, label)


def _as_amounts(less: int | None) -> Callable:
    """An option: the codes in each channel, divided by levels − less if it is given."""

    def columns(codes: np.ndarray, rows: np.ndarray) -> np.ndarray:
        largest = 1 if less is None else len(rows) - less
        return np.repeat(codes[:, None] / largest, rows.shape[1], axis=1)

    return columns


OF_FORWARD = mistakes(
    {
        "sees-itself": (
            "the logits of x_t see x_t: shift the input by one column, zeros in front",
            {"shift": itself},
        ),
        "shifted-twice": (
            "one shift too many: logits t should see x_{t−1}, and the targets stay as they are",
            {"shift": lambda e, rows: in_front(e, rows, 2)},
        ),
        "looks-ahead": (
            "the logits see LATER samples: the input is shifted to the left",
            {"shift": lambda e, rows: in_front(e[:, :, ::-1], rows)[:, :, ::-1]},
        ),
        "rolled": (
            "the LAST sample comes to the front, as torch.roll brings it, where the past of x_1 "
            "should be nothing",
            {"shift": lambda e, rows: np.roll(e, 1, axis=2)},
        ),
        "code-zero-in-front": (
            "you put the code 0 in front, and it has a vector of its own: pad AFTER embedding",
            {"shift": lambda e, rows: in_front(e - rows[0][:, None], rows) + rows[0][:, None]},
        ),
        "logits-shifted": (
            "the logits are moved by a column in place of the input: those of x_1 are then zeros, "
            "and not what the network gives for an empty past",
            lambda model, codes, label, rows: padded(
                stacked(model, own_vectors(codes, rows), label), 1, -1
            ),
        ),
        "vectors-scaled": (
            "the vectors are multiplied by the root of their size, as transformers do: here they "
            "go in as they are",
            {"columns": lambda codes, rows: own_vectors(codes, rows) * rows.shape[1] ** 0.5},
        ),
        "axes-confused": (
            "(B, T, C) is read as (B, C, T): view and reshape keep the numbers in their order, "
            "and .transpose(1, 2) turns the axes",
            {"columns": lambda codes, rows: rows[codes].reshape(len(codes), rows.shape[1], -1)},
        ),
        "codes-as-numbers": (
            "codes went in as amounts: a code is a name, with a vector of its own in self.embed",
            *({"columns": _as_amounts(less)} for less in (None, 1, 0)),
        ),
        "label-dropped": (
            "the label does not arrive: hand it to stack, and on to every block",
            {"told": False},
        ),
    }
)


def _of_forward(WaveNet: Standin) -> tuple[Subject, Property]:
    def cases(draw: Draw) -> list[tuple]:
        found = []
        for labels in (0, 4):
            model = ready(WaveNet, draw, 6, 5, 7, 2, [1, 2], labels)
            rows = expect_array(model.embed(tensor(np.arange(6))), (6, 5), "float", "the vectors")
            for count in (9, 7):  # one model, asked twice
                codes = draw.rng.integers(0, 6, size=(3, count))
                # Not the code 0, or a roll would look like a mistake of it.
                codes[:, -1] = 1 + codes[:, -1] % 5
                label = draw.rng.permutation(4)[:3] if labels else None
                found.append((model, codes, label, rows))
        return found

    subject = Subject(
        ask=lambda model, codes, label, rows: expect_array(
            model(tensor(codes), *given(label)), None, "float", "the logits"
        ),
        rule=shifted_in,
        forms=(shifted_step_by_step,),
        mistakes=OF_FORWARD,
        show=lambda model, codes, label, rows: (
            f"codes of shape {codes.shape}, "
            + ("no label" if label is None else f"labels {label.tolist()}")
        ),
        alike=nearly(1e-7),
    )
    return subject, Property(
        "forward",
        "forward: the codes' own vectors, shifted by one column with zeros in front, through stack",
        cases,
        points=0.5,
        asks="what stack gives for the vector of x_{t−1} in column t, zeros in the first one, and "
        "the label",
    )


def nats(logits: np.ndarray, codes: np.ndarray) -> np.ndarray:
    """−ln p of each code, (B, T), for logits (B, levels, T)."""
    return -np.take_along_axis(log_softmax(logits, 1), codes[:, None], axis=1)[:, 0]


def priced(
    model: Any,
    codes: np.ndarray,
    label: np.ndarray,
    first: int,
    logits: np.ndarray,
    *,
    each: Callable = nats,
    kept: Callable = lambda prices, first: prices[:, first:],
    added: Callable = lambda prices, codes: prices.sum(1),
) -> np.ndarray:
    """Σ over t > first of −ln p(x_t | x_{<t}), (B,). Each option turns one thing of it wrong."""
    return added(kept(each(logits, codes), first), codes)


def priced_step_by_step(
    model: Any, codes: np.ndarray, label: np.ndarray, first: int, logits: np.ndarray
) -> np.ndarray:
    """The same as `priced`, in one line a step."""
    each = nats(logits, codes)
    return each[:, first:].sum(1)


def _cut_first(model: Any, codes: np.ndarray, label: Any, first: int, logits: Any) -> np.ndarray:
    tail = codes[:, first:]
    return nats(expect_array(model(tensor(tail), tensor(label)), None, "float"), tail).sum(1)


def _one_on(logits: np.ndarray, codes: np.ndarray) -> np.ndarray:
    return nats(logits[:, :, :-1], codes[:, 1:])


def _label_lost(model: Any, codes: np.ndarray, label: Any, first: int, logits: Any) -> np.ndarray:
    return priced(model, codes, label, first, expect_array(model(tensor(codes)), None, "float"))


FIELD = 4  # of a model with kernel 2 and dilations 1, 2
OF_NLL = (
    *mistakes(
        {
            "cold-start": (
                "the first `given` samples are priced too: they serve as past only, since their "
                "own past was cut off",
                {"kept": lambda prices, first: prices},
            ),
            "given-cut-away": (
                "the first `given` samples were cut off BEFORE the model: then they are no past "
                "for the others",
                _cut_first,
            ),
            "one-more-given": (
                "one sample too many is left out: after `given` samples at the start, all are "
                "priced",
                {"kept": lambda prices, first: prices[:, first + 1 :]},
                {"kept": lambda prices, first: prices[:, first + 1 :] if first else prices},
            ),
            "one-less-given": (
                "the last of the `given` samples is priced too: all of them serve as past only",
                {"kept": lambda prices, first: prices[:, max(first - 1, 0) :]},
            ),
            "first-never-priced": (
                "the first sample has no price, though none is given: without a past it costs "
                "−log p(x_1)",
                {"kept": lambda prices, first: prices[:, max(first, 1) :]},
            ),
            "labels-smoothed": (
                "a part of each sample's weight goes to the other codes (label smoothing): the "
                "price of the code that came is asked",
                *(
                    {
                        "each": lambda z, codes, a=a: (
                            (1 - a) * nats(z, codes) - a * log_softmax(z, 1).mean(1)
                        )
                    }
                    for a in (0.1, 0.05, 0.01)
                ),
            ),
            "only-the-given-priced": (
                "the first `given` samples are priced here, and no other: they serve as past, and "
                "the rest is priced",
                {"kept": lambda prices, first: prices[:, :first]},
            ),
            "given-at-the-end": (
                "`given` samples at the END are priced: they stand at the start, and serve as past",
                {"kept": lambda prices, first: prices[:, -first:]},
            ),
            "given-left-out-at-the-end": (
                "`given` samples at the END are left out: they stand at the start, and serve as "
                "past",
                {"kept": lambda prices, first: prices[:, : prices.shape[1] - first]},
            ),
            "field-left-out": (
                "samples with a past shorter than the field are left out: only the first `given` "
                "are, and all others have a price",
                *(
                    {"kept": lambda prices, first, n=n: prices[:, max(first, n) :]}
                    for n in (FIELD, FIELD - 1)
                ),
                {"kept": lambda prices, first: prices[:, max(first, FIELD) if first else 0 :]},
            ),
            "label-dropped": (
                "nll does not hand the label on: the logits are those of a sound without one",
                _label_lost,
            ),
            "softmax-over-time": (
                "the probabilities of a sample's codes should sum to 1: the softmax runs over the "
                "levels, axis 1, and not over time",
                {
                    "each": lambda z, codes: (
                        -np.take_along_axis(log_softmax(z, 2), codes[:, None], axis=1)[:, 0]
                    )
                },
            ),
            "averaged": (
                "you average over time: −log p is the SUM over the samples",
                {"added": lambda prices, codes: prices.mean(1)},
                {"added": lambda prices, codes: prices.sum(1) / codes.shape[1]},
            ),
            "summed-over-batch": (
                "one number for each example, (B,): sum over time only",
                {"added": lambda prices, codes: prices.sum()},
                {"added": lambda prices, codes: prices.sum() / len(prices)},
            ),
            "shifted-twice": (
                "targets are shifted once more: forward has done that, logits t belong to x_t",
                {"each": _one_on},
                {"each": _one_on, "kept": lambda prices, first: prices[:, max(first - 1, 0) :]},
            ),
            "softmax-twice": (
                "F.cross_entropy takes logits: a softmax before it counts twice",
                {"each": lambda z, codes: nats(np.exp(log_softmax(z, 1)), codes)},
            ),
            "not-summed": (
                "one number for each sound: sum over time",
                {"added": lambda prices, codes: prices},
            ),
        }
    ),
    Mistake(
        "bits-for-nats",
        "these are bits: natural logarithms give nats",
        after=lambda value, *_: value / np.log(2),
    ),
    Mistake("sign", "this is log p, which is negative: nll is minus that", after=lambda v, *_: -v),
)


def _of_nll(WaveNet: Standin) -> tuple[Subject, Property]:
    def cases(draw: Draw) -> list[tuple]:
        model = ready(WaveNet, draw, 6, 5, 7, 2, [1, 2], 3, gain=2.0)
        found = []
        for first in (0, draw.integer(4, 6), 1):  # one model, asked three times
            codes = draw.rng.integers(0, 6, size=(4, 12))
            label = draw.rng.permutation(np.array([2, 0, 1, 0]))
            logits = expect_array(
                model(tensor(codes), tensor(label)), (4, 6, 12), "float", "the logits"
            )
            found.append((model, codes, label, first, logits))
        return found

    def ask(model: Any, codes: Any, label: Any, first: int, logits: Any) -> np.ndarray:
        more = (first,) if first else ()
        return expect_array(model.nll(tensor(codes), tensor(label), *more), None, "float", "nll")

    subject = Subject(
        ask,
        rule=priced,
        forms=(priced_step_by_step,),
        mistakes=OF_NLL,
        show=lambda model, codes, label, first, logits: (
            f"{len(codes)} sounds of {codes.shape[1]} samples, given = {first}"
        ),
        alike=nearly(1e-5),
    )
    return subject, Property(
        "price",
        "nll is the price in nats of the samples after the first `given`, one number a sound",
        cases,
        points=0.5,
        asks="the sum over t > given of −ln p(x_t | x_{<t}), p as the model's own logits say",
    )


def _no_weight_is_idle(WaveNet: Standin, draw: Draw) -> Claim:
    codes, x = tensor(draw.rng.integers(0, 5, (8, 12))), tensor(draw.normal(8, 5, 12))
    label, last = tensor(draw.rng.permutation(np.arange(8) % 3)), 2

    def of_block(model: Any, name: str) -> list:  # what others hear of the block with this weight
        parts = name.split(".")
        if parts[0] != "blocks":
            return []
        pair = model.blocks[int(parts[1])](x, label)
        return [expect_array(one) for one in (pair[1:] if int(parts[1]) == last else pair)]

    def of_model(model: Any) -> np.ndarray:
        return expect_array(model(codes, label), (8, 5, 12), "float", "the logits")

    idle: set[str] | None = None
    for _ in range(3):  # a weight may lie behind units that are dead at one draw
        model = ready(WaveNet, draw, 5, 5, 7, 2, [1, 2, 4], 3)
        before, still = of_model(model), set()
        for name, kept in numbers(model).items():
            heard = of_block(model, name)
            fill(model, {name: kept + tensor(draw.normal(*kept.shape))})
            if close(of_model(model), before, 1e-9):
                if not heard or not close(of_block(model, name), heard, 1e-9):
                    still.add(name)
            fill(model, {name: kept})
        idle = still if idle is None else idle & still
        if not idle:
            break
    return claim(
        "no weight is idle: the logits change with each block's skip and label, and with the rest",
        not idle,
        id="idle",
        points=1,
        saw=f"logits that stay when {', '.join(sorted(idle or ())[:3])} changes",
        asks="logits that depend on every weight on which a skip depends, or an x' that a block "
        "hears",
        advice="follow these weights through stack: what is computed with them has to arrive at "
        "the head",
    )


def _sums_to_one(WaveNet: Standin, draw: Draw, deaf: str) -> Claim:
    model = ready(WaveNet, draw, 3, 5, 5, 2, [1, 2], gain=2.0)
    every = np.array(list(itertools.product(range(3), repeat=4)))
    each = expect_array(model.nll(tensor(every)), (81,), "float", "nll")
    total, varied = float(np.exp(-each).sum()), float(np.ptp(each)) > 1e-3
    return claim(
        "the probabilities of all sounds sum to 1, and are not all alike",
        abs(total - 1) < 1e-6 and varied,
        id="sum",
        points=0.5,
        saw=f"a sum of {total:.9g} over the 81 sounds of 4 samples at 3 levels"
        + ("" if varied or not np.isfinite(total) else ", each at the same price"),
        asks="Σ exp(−nll) = 1, and sounds of different prices",
        waits=deaf,
        advice="logits that see their own sample do this, and a price that is not the sum of all "
        "samples' −log p",
    )


# --- generate -------------------------------------------------------------------------------------

LEVELS, COUNT = 8, 40


def picked(logits: np.ndarray, u: np.ndarray) -> np.ndarray:
    """Codes by inverting the cumulative distribution: logits (B, levels, …), u (B, …) → (B, …)."""
    p = np.exp(log_softmax(logits, 1))
    return np.minimum((p.cumsum(1) <= u[:, None]).sum(1), logits.shape[1] - 1)


def uniforms(seed: int, rows: int, count: int) -> np.ndarray:
    """The uniform numbers (B, T) that `count` calls of draw_codes take from a new generator."""
    if rows * count > 10_000:  # in a slip of a rule, a seed stands in their place
        raise ValueError(f"too many uniform numbers: {rows} times {count}")
    generator = torch.Generator().manual_seed(seed)
    drawn = [torch.rand(rows, 1, generator=generator, dtype=torch.float64) for _ in range(count)]
    return torch.cat(drawn, dim=1).numpy()


def first_off(answer: list, right: list, *case: Any) -> str:
    """Which sample is the first that another one should be."""
    off = int(np.argmax((answer[0] != right[0]).any(0))) + 1
    return f"sample {off} is not what its conditional and its uniform number give"


@dataclass(frozen=True)
class Toy:
    """A model of tables: logits from the sample before, the one `field` before, and the label."""

    near: np.ndarray
    far: np.ndarray
    start: np.ndarray
    of_label: np.ndarray
    field: int

    @classmethod
    def drawn(cls, draw: Draw, field: int) -> Toy:
        """Tables that tell all of these apart."""
        near, far = (draw.normal(LEVELS, LEVELS, scale=scale) for scale in (2.0, 3.0))
        return cls(near, far, draw.normal(LEVELS), draw.normal(4, LEVELS, scale=2.0), field)

    def logits(self, codes: np.ndarray, label: np.ndarray | None) -> np.ndarray:
        """Logits (B, levels, T) from the codes (B, T) before each."""
        logits = np.tile(self.start[None, :, None], (len(codes), 1, codes.shape[1]))
        logits[:, :, 1:] += self.near[codes[:, :-1]].transpose(0, 2, 1)
        logits[:, :, self.field :] += self.far[codes[:, : -self.field]].transpose(0, 2, 1)
        return logits if label is None else logits + self.of_label[label][:, :, None]


def window_of(codes: np.ndarray, t: int, field: int) -> np.ndarray:
    """The last `field` samples before x_t, and its own place."""
    return codes[:, max(0, t - field) : t + 1]


def sounded(
    model: Any,
    toy: Toy,
    label: np.ndarray | None,
    seed: int,
    count: int,
    *,
    window: Callable = window_of,
    column: Callable = lambda logits, t: logits[:, :, -1],
    choose: Callable = picked,
    told: bool = True,
    calls: int = 1,
    alone: bool = False,
    together: bool = False,
    moved: bool = True,
) -> list:
    """Drawing sample by sample. Each option turns one thing of it wrong.

    Returns:
        The codes (B, count), the columns of each call of the model, whether the generator has
        moved, and the codes' dtype. `model` is who was asked, and takes no part.
    """
    rows = 1 if label is None else len(label)
    u = uniforms(seed, 1 if alone or together else rows, count)
    codes, asked = np.zeros((rows, count), dtype=np.int64), []
    for t in range(count):
        seen = window(codes, t, toy.field)
        asked += [seen.shape[1]] * calls
        logits = column(toy.logits(seen, label if told else None), t)
        codes[:, t] = choose(logits[:1] if alone else logits, u[:, t])
    return [codes, asked, moved, "int64"]


def sounded_step_by_step(
    model: Any, toy: Toy, label: np.ndarray | None, seed: int, count: int
) -> list:
    """The same as `sounded`, in one line a step."""
    rows = 1 if label is None else len(label)
    u = uniforms(seed, rows, count)
    codes, asked = np.zeros((rows, count), dtype=np.int64), []
    for t in range(count):
        window = codes[:, max(0, t - toy.field) : t + 1]
        asked.append(window.shape[1])
        codes[:, t] = picked(toy.logits(window, label)[:, :, -1], u[:, t])
    return [codes, asked, True, "int64"]


def _row_after_row(model: Any, toy: Toy, label: np.ndarray | None, seed: int, count: int) -> list:
    u = uniforms(seed, 1, count * (1 if label is None else len(label)))
    rows: list[np.ndarray] = []
    asked: list[int] = []
    for one in [None] if label is None else label[:, None]:
        codes = np.zeros((1, count), dtype=np.int64)
        for t in range(count):
            seen = window_of(codes, t, toy.field)
            asked.append(seen.shape[1])
            logits = toy.logits(seen, one)[:, :, -1]
            codes[:, t] = picked(logits, u[:, len(rows) * count + t])
        rows.append(codes)
    return [np.concatenate(rows), asked, True, "int64"]


def _warmed_up(model: Any, toy: Toy, label: np.ndarray | None, seed: int, count: int) -> list:
    """A longer sound, of which the first `field` samples are thrown away."""
    codes, *rest = sounded(model, toy, label, seed, count + toy.field)
    return [codes[:, toy.field :], *rest]


def _by_multinomial(model: Any, toy: Toy, label: np.ndarray | None, seed: int, count: int) -> list:
    rows = 1 if label is None else len(label)
    generator = torch.Generator().manual_seed(seed)
    codes, asked = np.zeros((rows, count), dtype=np.int64), []
    for t in range(count):
        seen = window_of(codes, t, toy.field)
        asked.append(seen.shape[1])
        p = torch.softmax(tensor(toy.logits(seen, label)[:, :, -1]), 1)
        codes[:, t] = torch.multinomial(p, 1, generator=generator)[:, 0].numpy()
    return [codes, asked, True, "int64"]


_IGNORED = Symptom(
    "generator-ignored",
    "the given generator has not moved: hand it on to draw_codes",
    lambda seen: not any(o.answer[-2] for o in seen),
)
_ARGMAX = mistakes(
    {
        "argmax": (
            "you take the most probable code each time: draw with draw_codes",
            {"choose": lambda logits, u: logits.argmax(1), "moved": False},
        ),
        "softmax-twice": (
            "what draw_codes gets are probabilities: it takes logits, and their softmax itself",
            {"choose": lambda logits, u: picked(np.exp(log_softmax(logits, 1)), u)},
        ),
    }
)
OF_SOUNDS = (
    *_ARGMAX,
    *mistakes(
        {
            "past-not-fed": (
                "every step of yours sees a past of zeros: in the window must stand the samples "
                "that were drawn before it",
                {"window": lambda codes, t, n: 0 * window_of(codes, t, n)},
            ),
            "label-ignored": ("the label does not reach the model", {"told": False}),
            "own-place-forgotten": (
                "x_t's own place is missing at the end of the window: the last column then speaks "
                "of x_{t−1}",
                {"window": lambda codes, t, n: codes[:, max(0, t - n) : max(t, 1)]},
            ),
            "window-short": (
                "the window is too short: `field` samples before x_t, and its own place, field + 1 "
                "columns in all",
                {"window": lambda codes, t, n: codes[:, max(0, t - n + 1) : t + 1]},
            ),
            "whole-past": (
                "you hand over everything each time: what lies before the field changes nothing "
                "and costs time",
                {"window": lambda codes, t, n: codes[:, : t + 1]},
                {"window": lambda codes, t, n: codes, "column": lambda z, t: z[:, :, t]},
            ),
            "window-from-the-end": (
                "t − field is below 0 at first, and Python counts that from the END: in a sound no "
                "longer than the field the window then begins too late, so take max(0, t − field)",
                {
                    "window": lambda codes, t, n: (
                        codes[:, t - n : t + 1]
                        if codes[:, t - n : t + 1].size
                        else codes[:, : t + 1]
                    )
                },
            ),
            "window-long": (
                "the window is too long: `field` samples before x_t, and its own place",
                {"window": lambda codes, t, n: codes[:, max(0, t - n - 1) : t + 1]},
            ),
            "code-zero-in-front": (
                "a code 0 stands before the first sample, and the model hears it: nothing comes "
                "before x_1, and the first windows are short",
                {"window": lambda codes, t, n: np.pad(codes, ((0, 0), (n, 0)))[:, t : t + n + 1]},
                {
                    "window": lambda codes, t, n: np.pad(codes, ((0, 0), (1, 0)))[
                        :, max(0, t + 1 - n) : t + 2
                    ]
                },
            ),
            "own-place-and-a-zero": (
                "the window begins with a code 0 that nobody drew, and x_t's own place is missing "
                "at its end: the last column then speaks of x_{t−1}",
                {
                    "window": lambda codes, t, n: np.pad(codes, ((0, 0), (1, 0)))[
                        :, max(0, t + 1 - n) : t + 1
                    ]
                },
            ),
            "first-column": (
                "these are the logits of the first column of the window: x_t's are in the last",
                {"column": lambda logits, t: logits[:, :, 0]},
            ),
            "multinomial-for-draw-codes": (
                "torch.multinomial draws otherwise: these are its codes, and those of draw_codes "
                "are asked, which takes one uniform number a row",
                _by_multinomial,
            ),
            "one-number-for-all": (
                "one uniform number serves all rows: draw_codes takes one for each",
                {"together": True},
            ),
            "row-after-row": (
                "the rows are drawn one after the other: in each step ONE call of the model and of "
                "draw_codes serves all rows",
                _row_after_row,
            ),
            "warmed-up": (
                "`field` samples are drawn first and thrown away: the sound begins with the first "
                "sample that is drawn",
                _warmed_up,
            ),
            "several-calls": ("the model is asked more than once a step", {"calls": 2}),
            "same-for-all": ("all rows are alike: draw for every row", {"alone": True}),
        }
    ),
    *_KINDS,
)


@checks("generate", lesson=LESSON, points=3, see="Exercise 6: drawing sound")
def one_sample_after_the_other(generate: Standin, draw: Draw) -> Iterator[Claim | Cause]:
    """Each code drawn from the model's own conditional, given the codes drawn before."""
    answers: dict[tuple, list] = {}

    @functools.cache
    def cases(draw: Draw) -> list[tuple]:
        found = []
        for rows, field in ((None, draw.integer(5, 7)), (3, draw.integer(3, 4)), (2, 9)):
            model = asking(generate, LEVELS, field)
            for count in (COUNT, COUNT if field < 9 else field):  # one model, two sounds
                label = None if rows is None else draw.rng.integers(0, 4, size=rows)
                toy, seed = Toy.drawn(draw, field), draw.integer(1, 2**31)
                found.append((model, toy, label, seed, count))
        return found

    def ask(model: Any, toy: Toy, label: Any, seed: int, count: int) -> list:
        if (seed, count) not in answers:
            answers[seed, count] = sound_of(model, toy, label, seed, count)
        return answers[seed, count]

    def sound_of(model: Any, toy: Toy, label: Any, seed: int, count: int) -> list:
        generator = torch.Generator().manual_seed(seed)
        before, asked = generator.get_state(), []
        codes, kind = codes_of(model, toy, label, count, generator, asked)
        return [codes, asked, not torch.equal(before, generator.get_state()), kind]

    def codes_of(
        model: Any, toy: Toy, label: Any, count: int, generator: Any, asked: list[int]
    ) -> tuple[np.ndarray, str]:
        def logits_for(codes: Any, label: Any) -> torch.Tensor:
            past = whole_numbers(codes, 2, LEVELS, "the codes").numpy()
            asked.append(past.shape[1])
            if label is not None:
                label = whole_numbers(label, 1, 4, "the label").numpy()
            return tensor(toy.logits(past, label))

        words = None if label is None else tensor(label)
        answer = answered(
            begin_drawing(generate, model, count, words, generator),
            logits_for,
            generators=[generator] if generator else [],
        )
        shape = (1 if label is None else len(label), count)
        return expect_array(answer, shape, "number", "the codes"), kind_of(answer)

    subject = Subject(
        ask,
        rule=sounded,
        forms=(sounded_step_by_step,),
        mistakes=OF_SOUNDS,
        symptoms=(_IGNORED,),
        show=lambda model, toy, label, seed, count: (
            f"{count} samples with field {toy.field}, "
            + ("no label" if label is None else f"labels {label.tolist()}")
        ),
        told=lambda a: (
            f"{len(a[1])} calls on {', '.join(map(str, a[1][:12]))}, … columns, codes "
            f"{shown(a[0][0], 12)} of kind {a[3]}"
            + ("" if a[2] else ", from a generator that nobody has used")
        ),
        alike=lambda a, b: same_codes(a, b),
        drawn=True,
    )
    said = list(
        examine(
            subject,
            draw,
            Property(
                "drawn",
                "each code is draw_codes of the model's logits, given the codes drawn before",
                cases,
                points=1.5,
                asks="the last column of the logits, one call of draw_codes a step",
                saw=first_off,
            ),
            Property(
                "window",
                "one call a step, on the last `field` samples and x_t's own place",
                cases,
                points=1,
                asks="windows of 1, 2, …, field, field + 1, field + 1, … columns",
                typical=False,
                alike=lambda a, b: a[1] == b[1],
            ),
            Property(
                "generator",
                "all randomness comes from the given generator, and codes are int64",
                cases,
                points=0.5,
                asks="draw_codes(logits, generator), and int64 (B, count)",
                typical=False,
                alike=lambda a, b: a[2:] == b[2:],
            ),
        )
    )
    toy, label = Toy.drawn(draw, 4), np.arange(12) % 4
    note_on_default(
        generate,
        lambda g: codes_of(asking(generate, LEVELS, 4), toy, label, COUNT, g, [])[0],
        right=all(one.holds for one in said if isinstance(one, Claim)),
    )
    yield from unless_unheard(said, "drawn", "codes that are drawn from the model's logits")


def unless_unheard(said: Iterable[Claim | Cause], first: str, on: str) -> Iterator[Claim | Cause]:
    """The same; but if claim `first` fails in a way that nobody knows, others earn nothing yet.

    An answer that is not made of the model's logits may have their habits all the same.
    """
    said = list(said)
    known = any(isinstance(one, Cause) and one.how == "reproduced" for one in said)
    wrong = any(isinstance(one, Claim) and one.id == first and not one.holds for one in said)
    for one in said:
        unheard = wrong and not known and isinstance(one, Claim) and one.holds
        yield waiting(one.text, on, points=one.points, id=one.id) if unheard else one


# --- QueuedConv1d ---------------------------------------------------------------------------------

RAISED = "an exception"


def queued(
    k: int,
    d: int,
    W: np.ndarray,
    b: np.ndarray,
    x: np.ndarray,
    *,
    length: Callable = lambda k, d: (k - 1) * d,
    place: Callable = lambda j, k, d: j * d,
    reads: Callable = itself,
    remembers: bool = True,
    empty: Callable = np.zeros_like,
    taps: Callable = itself,
    bias: float = 1.0,
) -> Any:
    """`convolved`, column by column with a queue. Each option turns one thing of it wrong."""
    if length(k, d) < 0:
        return RAISED
    queue, columns = [empty(x[:, :, 0])] * length(k, d), []
    for t in range(x.shape[2]):
        new = [*queue, x[:, :, t]]
        before = reads(queue, new)
        try:
            seen = [before[place(j, k, d)] for j in range(k - 1)] + [x[:, :, t]]
        except IndexError:
            return RAISED
        queue = new[1:] if remembers else queue
        columns.append(
            sum(z @ w.T for z, w in zip(seen, np.moveaxis(taps(W), 2, 0), strict=True)) + bias * b
        )
    return np.stack(columns, axis=2)


def queued_step_by_step(k: int, d: int, W: np.ndarray, b: np.ndarray, x: np.ndarray) -> Any:
    """The same as `queued`, in one line a step."""
    length = (k - 1) * d
    queue = [np.zeros_like(x[:, :, 0])] * length
    columns = []
    for t in range(x.shape[2]):
        try:
            seen = [queue[j * d] for j in range(k - 1)] + [x[:, :, t]]
            columns.append(np.einsum("oij,jbi->bo", W, np.stack(seen)) + b)
        except (IndexError, ValueError):
            return RAISED
        queue = [*queue, x[:, :, t]][1:]
    return np.stack(columns, axis=2)


def _round_in(n: int, k: int, d: int, W: np.ndarray, b: np.ndarray, x: np.ndarray) -> np.ndarray:
    """A ring of n columns: what lies n steps back or more is read one turn later."""
    y = np.zeros((len(x), len(W), x.shape[2])) + b[:, None]
    for j in range(k):
        lag = (k - 1 - j) * d % n
        y += np.einsum("oi,bit->bot", W[:, :, j], padded(x, lag, -lag))
    return y


def _keeping_outputs(k: int, d: int, W: np.ndarray, b: np.ndarray, x: np.ndarray) -> np.ndarray:
    """A queue of what came out, where that has as many channels as what came in."""
    if W.shape[0] != W.shape[1]:
        return convolved(k, d, W, b, x)
    queue, columns = [np.zeros_like(x[:, :, 0])] * ((k - 1) * d), []
    for t in range(x.shape[2]):
        seen = np.stack([*(queue[j * d] for j in range(k - 1)), x[:, :, t]])
        columns.append(np.einsum("oij,jbi->bo", W, seen) + b)
        queue = [*queue, columns[-1]][1:] if queue else queue
    return np.stack(columns, axis=2)


def _two_taps(
    k: int, d: int, W: np.ndarray, b: np.ndarray, x: np.ndarray, least: int = 1
) -> np.ndarray:
    """The first weight on the column d steps back and the last on the present, whatever k is."""
    now = inside_windows(1, W[:, :, -1:], b, x)
    return now + inside_windows(1, W[:, :, :1], 0 * b, padded(x, d, -d)) * (k >= least)


OF_QUEUES = mistakes(
    {
        "outputs-stored": (
            "the queue keeps what came OUT of the layer: it holds the columns that came in",
            _keeping_outputs,
        ),
        "queue-one-short": (
            "the queue is one column short, or the new one goes in before the old one is read: the "
            "oldest tap must still be there when it is needed",
            {"length": lambda k, d: (k - 1) * d - 1},
            {"reads": lambda queue, new: new[1:]},
            {
                "length": lambda k, d: max((k - 1) * d - 1, 0),
                "place": lambda j, k, d: max(j * d - 1, 0),
                "reads": lambda queue, new: new,
            },
        ),
        "queue-one-long": (
            "the queue is too long: the taps come too late",
            {"length": lambda k, d: (k - 1) * d + 1},
            {"length": lambda k, d: k * d},
        ),
        "queue-length-d": (
            "the queue holds d columns: with more than two taps that is too short",
            {"length": lambda k, d: d},
            {"length": lambda k, d: d, "place": lambda j, k, d: 0},
        ),
        "queue-of-fixed-length": (
            "the queue has a length of its own, whatever k and d are: a column that lies further "
            "back is gone, and a later one is read in its place",
            *(functools.partial(_round_in, n) for n in (8, 16, 32, 64)),
        ),
        "weights-turned": (
            "the columns lie one after the other, and the weights, flattened, channel after "
            "channel: put both in one order",
            {
                "taps": lambda W: np.moveaxis(W.reshape(len(W), W.shape[2], W.shape[1]), 1, 2),
            },
        ),
        "two-taps-only": (
            "the first and the last weight are at work, and none between them: a kernel has k taps",
            {"taps": lambda W: W * np.isin(np.arange(W.shape[2]), (0, W.shape[2] - 1))},
        ),
        "kernel-of-two": (
            "this is right for kernel 2 alone: a column d steps back and the present; a kernel has "
            "k taps, d apart",
            _two_taps,
            functools.partial(_two_taps, least=2),
        ),
        "precision-of-its-own": (
            "the columns in the queue have lost digits: keep them in the dtype in which they came",
            {
                "reads": lambda queue, new: [
                    column.astype(np.float32).astype(np.float16).astype(float) for column in queue
                ]
            },
        ),
        "no-memory": (
            "nothing is remembered: each column is treated as if it were the first",
            {"remembers": False},
        ),
        "kernel-reversed": (
            "the last weight belongs to the present, the first to the oldest column",
            {"taps": lambda W: W[:, :, ::-1]},
            {"taps": lambda W: np.roll(W, -1, axis=2)},
        ),
        "filled-with-first": (
            "at the start the queue holds zeros, the padding, not the first column",
            {"empty": itself},
        ),
        "bias-forgotten": ("the bias is missing", {"bias": 0.0}),
        "neighbors-for-taps": (
            "the taps are d columns apart, not neighbors",
            {"place": lambda j, k, d: j - k + 1},
            {"place": lambda j, k, d: j},
        ),
    }
)


def same_columns(a: Any, b: Any) -> bool:
    """Equal columns, or exceptions both."""
    if isinstance(a, str) or isinstance(b, str):
        return isinstance(a, str) and isinstance(b, str)
    return close(a, b, 1e-4)


def signals_for_queues(draw: Draw) -> list[tuple]:
    """Signals of twice each layer's reach and more; one layer has as many channels out as in."""
    sizes = ((2, draw.integer(2, 4)), (3, draw.integer(2, 4)), (4, 2), (2, 1), (1, 1))
    long = (2, 64, 80)  # the dilations of the lesson's network end with 64
    found = layers(draw, [*((k, d, 2 * (k - 1) * d + 6) for k, d in sizes), long])
    k, d, W, b, x = found[0]
    return [*found, (k, d, W[:3], b[:3], x)]


@checks("QueuedConv1d", lesson=LESSON, points=3, see="Exercise 7: remember, do not recompute")
def a_convolution_with_a_memory(QueuedConv1d: Standin, draw: Draw) -> Iterator[Claim | Cause]:
    """Fed column by column, it gives the columns of the causal convolution."""

    def ask(k: int, d: int, W: np.ndarray, b: np.ndarray, x: np.ndarray) -> Any:
        conv = built(QueuedConv1d, "CausalConv1d", *W.shape[1::-1], k, d)
        fill(conv, {"weight": tensor(W), "bias": tensor(b)})
        layer = made_by(QueuedConv1d, conv)
        try:
            answer = one_by_one(layer, tensor(x).float())
        except StudentFailed as raised:
            return str(raised)
        return expect_array(answer, (len(x), len(W), x.shape[2]), "float", "the columns together")

    right = yield from examine(
        Subject(
            ask,
            rule=queued,
            forms=(queued_step_by_step,),
            mistakes=OF_QUEUES,
            show=show_layer,
            told=told_columns,
            by_hand=convolution_by_hand,
            smaller=small_layers,
            alike=same_columns,
        ),
        draw,
        Property(
            "columns",
            "column by column it gives what the causal convolution gives at once",
            signals_for_queues,
            points=1.5,
            asks="y_t from x_t and the columns d, …, (k − 1)d steps ago; zeros before the first",
        ),
    )
    yield _keeps_its_reach(QueuedConv1d, draw, right)
    yield _begins_empty(QueuedConv1d, draw, right)
    if right:
        _in_their_precision(QueuedConv1d, draw)


def _keeps_its_reach(QueuedConv1d: Standin, draw: Draw, right: bool) -> Claim:
    text = "it keeps (k − 1)·d columns, and a later step costs no more than an early one"
    if not right:
        return waiting(text, "the columns of the causal convolution", points=1, id="keeps")
    k, d = 3, draw.integer(3, 4)
    reach = (k - 1) * d
    x = tensor(draw.normal(1, 3, 4 * reach)).float()
    twins = [
        made_by(QueuedConv1d, built(QueuedConv1d, "CausalConv1d", 3, 2, k, d)) for _ in range(2)
    ]
    kept = columns_kept(twins[0], x)
    early, late = step_operations(twins[1], x, [reach + 1, 4 * reach - 1])
    grows, long = kept[-1] > kept[2 * reach], kept[-1] > 2 * reach + k
    saw = [f"{kept[-1]} columns kept after {4 * reach} steps, the oldest tap {reach} back"]
    if late > early:
        saw.append(f"{early:,} operations in step {reach + 2}, {late:,} in step {4 * reach}")
    return claim(
        text,
        not long and not grows and late <= early,
        id="keeps",
        points=1,
        saw="; ".join(saw),
        asks=f"{reach} columns at kernel {k} and dilation {d}, or twice as many (a ring and its "
        "copy), however long the sound is, and steps that cost the same",
        advice=[
            when(
                grows or late > early,
                "queue-grows",
                "the queue grows for ever: let the oldest column fall out when a new one goes in",
            ),
            when(
                long,
                "queue-too-long",
                "more is kept than is ever read: the oldest tap says how far back",
            ),
            "",
        ],
    )


def _begins_empty(QueuedConv1d: Standin, draw: Draw, right: bool) -> Claim:
    text = "every queue begins empty and belongs to one layer; the convolution stays as it was"
    conv = built(QueuedConv1d, "CausalConv1d", 2, 3, 2, 2)
    W, b = draw.normal(3, 2, 2), draw.normal(3)
    fill(conv, {"weight": tensor(W), "bias": tensor(b)})
    x, other = draw.normal(3, 2, 8), draw.normal(3, 2, 8)

    def columns(sound: np.ndarray) -> np.ndarray:
        answer = one_by_one(made_by(QueuedConv1d, conv), tensor(sound).float())
        return expect_array(answer, (3, 3, 8), "float", "the columns together")

    columns(other)
    fresh = columns(x)
    whole = {key: expect_array(value) for key, value in numbers(conv).items()}
    changed = not (close(whole["weight"], W) and close(whole["bias"], b))
    again = close(fresh, convolved(2, 2, W, b, x))
    on = close(fresh, convolved(2, 2, W, b, np.concatenate([other, x], axis=2))[:, :, 8:])
    if not (right or changed or again or on):
        return waiting(text, "the columns of the causal convolution", points=0.5, id="fresh")
    return claim(
        text,
        again and not changed,
        id="fresh",
        points=0.5,
        saw="weights that have changed" if changed else "a new layer that gives other columns",
        asks="a queue of its own for each QueuedConv1d, zeros at the start",
        advice=[
            when(
                on and not again,
                "queue-shared",
                "two layers share one queue: make it in the object, not in the class",
            ),
            when(changed, "weights-changed", "read the weights, do not change them"),
            "whatever a layer has heard belongs to that object, and to no other",
        ],
    )


def _in_their_precision(QueuedConv1d: Standin, draw: Draw) -> None:
    """Notes it with the class if columns in double precision come out less exact than they came."""
    conv = redrawn(built(QueuedConv1d, "CausalConv1d", 3, 2, 3, 2), draw.integer(0, 2**31), 1.0)
    W, b = (expect_array(numbers(conv)[name]) for name in ("weight", "bias"))
    x, saw, own = draw.normal(2, 3, 12), "", True
    try:
        answer = one_by_one(made_by(QueuedConv1d, conv), tensor(x))
        own = getattr(answer, "dtype", torch.float64) == torch.float64
        y = expect_array(answer, (2, 2, 12), "float")
        off = float(np.abs(y - convolved(3, 2, W, b, x)).max())
        saw = f"outputs that are off by {off:.0e} in double precision" if off > 1e-9 else ""
    except StudentFailed:
        saw = "an exception for a layer and columns in double precision"
    if saw:
        found = claim(
            "what is heard in double precision is remembered in it",
            False,
            id="precision",
            points=COSTS,
            saw=saw,
            asks="columns as exact as they came in, as codes that are equal bit for bit need",
            advice=[
                when(
                    not own,
                    "answer-in-another-dtype",
                    "columns in double precision come out in another dtype: the answer has the "
                    "dtype of the column that came in",
                ),
                when(
                    True,
                    "precision-of-its-own",
                    "the queue has a dtype of its own: its zeros take that of the first column, "
                    "and columns are kept as they are",
                ),
            ],
        )
        note(QueuedConv1d, found)


# --- generate_fast --------------------------------------------------------------------------------


def heard(
    model: Any,
    said: np.ndarray,
    label: np.ndarray | None,
    u: np.ndarray,
    before: np.ndarray,
    own: list,
    *,
    told: bool = True,
    choose: Callable = picked,
    moved: bool = True,
    columns: Callable | None = None,
) -> list:
    """What the model draws after each of the codes that were `said`; options turn one thing wrong.

    An answer is equal to it if each code is what the model's conditional and the uniform number u
    give for the codes before: by induction it is then the plain generator's. `before` is what the
    same model said in the call before, `own` the whole answer. Returns codes, whether the generator
    moved, and the dtype.
    """
    words = label if told else None
    if columns is None:
        logits = expect_array(model(tensor(said), *given(words)), None, "float", "the logits")
    else:
        logits = columns(model, said, before, words)
    return [choose(logits, u), moved, "int64"]


def lively(function: Standin, draw: Draw, *settings: Any) -> Standin:
    """A WaveNet of the notebook's whose next code depends on the codes before, as far as it can."""
    for _ in range(20):
        model = redrawn(built(function, "WaveNet", *settings), draw.integer(0, 2**31), 2.0)
        said, u = draw.rng.integers(0, LEVELS, (8, COUNT)), draw.uniform(4, COUNT)
        logits = expect_array(model(tensor(said)), (8, LEVELS, COUNT), "float", "the logits")
        codes = picked(logits, np.tile(u, (2, 1)))
        if (codes[:4] != codes[4:]).mean() > 0.3:
            break
    return model


def vectors_before(model: Any, said: np.ndarray) -> np.ndarray:
    """The columns that go into stack: zeros, then the vectors of the codes (B, C, T)."""
    shape = (*said.shape, model.channels)
    e = expect_array(model.embed(tensor(said)), shape, "float", "the vectors")
    return in_front(e.transpose(0, 2, 1), e)


def _not_fed(model: Any, said: np.ndarray, before: np.ndarray, label: Any) -> np.ndarray:
    return stacked(model, 0 * vectors_before(model, said), label)


def _alone(model: Any, said: np.ndarray, before: np.ndarray, label: Any) -> np.ndarray:
    x = vectors_before(model, said)
    columns = [stacked(model, x[:, :, t : t + 1], label) for t in range(x.shape[2])]
    return np.concatenate(columns, axis=2)


def _from_zero(model: Any, said: np.ndarray, before: np.ndarray, label: Any) -> np.ndarray:
    x = vectors_before(model, said)
    x[:, :, 0] = expect_array(model.embed(tensor(np.zeros(1, dtype=int))))[0]
    return stacked(model, x, label)


def _goes_on(model: Any, said: np.ndarray, before: np.ndarray, label: Any) -> np.ndarray:
    both = [vectors_before(model, codes) for codes in (before, said) if codes.size]
    return stacked(model, np.concatenate(both, axis=2), label)[:, :, -said.shape[1] :]


OF_FAST_SOUNDS = (
    *_ARGMAX,
    *mistakes(
        {
            "past-not-fed": (
                "no code that was drawn is heard: every step gives the logits of a first one. What "
                "goes into stack is the vector of the code before, as it is: it is moved no more",
                {"columns": _not_fed},
            ),
            "no-memory": (
                "the blocks of your copy have no queue that remembers: each column is treated as "
                "if it were the first",
                {"columns": _alone},
            ),
            "queues-survive": (
                "a second sound goes on where the first one ended: every call needs queues of its "
                "own",
                {"columns": _goes_on},
            ),
            "code-zero-in-front": (
                "the first column is zeros: nothing comes before x_1, not even the code 0",
                {"columns": _from_zero},
            ),
            "label-ignored": ("the label does not reach stack", {"told": False}),
        }
    ),
)
# With queues a step costs the same at any time: twice the samples, × 2. With windows that grow, as
# they do up to the field of 64, × 3 and more.
STEPS, GROWTH = (16, 32), 2.4


@checks("generate_fast", lesson=LESSON, points=3, see="Exercise 8: the same sound, much faster")
def the_same_sound_quickly(generate_fast: Standin, draw: Draw) -> Iterator[Claim | Cause]:
    """Equal to the plain generator bit for bit, at a cost per step that does not grow."""
    said = _claims_on_a_fast_generator(generate_fast, draw)
    yield from unless_unheard(said, "equal", "codes that are drawn from the model's logits")


def _claims_on_a_fast_generator(generate_fast: Standin, draw: Draw) -> Iterator[Claim | Cause]:
    carried, same_model, any_precision = False, True, True

    def cases(draw: Draw) -> list[tuple]:
        nonlocal carried, same_model, any_precision
        found = []
        for labels, k, dilations, rows in (
            (0, 2, [1, 2, 4, 1], 1),
            (4, 3, [1, 2], 5),
            (4, 2, [1, 2, 4, 8], 3),
        ):
            settings = (LEVELS, 6, 6, k, dilations, labels)
            model = lively(generate_fast, draw, *settings)
            twin, other = copy.deepcopy(model), copy.deepcopy(model)  # a careless answer changes it
            label = draw.rng.integers(0, labels, size=rows) if labels else None
            words = given(label) or (None,)
            if _needs_single(generate_fast, model, *words):
                any_precision, twin, other = False, twin.float(), other.float()
            example = tensor(draw.rng.integers(0, LEVELS, (3, COUNT)))
            carried |= carries_its_weights(model, lambda m, x=example: m(x), draw.rng)
            keeps = unchanged(generate_fast, other, 3, *words, torch.Generator()) is True
            same_model &= keeps
            before = np.zeros((rows, 0), dtype=int)
            for _ in range(2):  # one model, two sounds
                seed = draw.integer(1, 2**31)
                generator = torch.Generator().manual_seed(seed)
                state = generator.get_state()
                answer = generate_fast(twin, COUNT, *words, generator)
                codes = expect_array(answer, (rows, COUNT), "number", "the codes")
                moved = not torch.equal(state, generator.get_state())
                legal = codes.astype(np.int64).clip(0, LEVELS - 1)
                u = uniforms(seed, rows, COUNT)
                own = [codes, moved, kind_of(answer)]
                found.append((model, legal, label, u, before, own))
                before, twin = legal, twin if keeps else copy.deepcopy(model)
        return found

    cases = functools.cache(cases)
    asked = cases(draw)
    if not carried:
        yield from (
            waiting(text, f"a WaveNet with {CARRIED}", points=points, id=name)
            for name, text, points in (
                ("equal", _EQUAL, 1.5),
                ("flat", _FLAT, 1),
                ("same", _SAME, 0.5),
            )
        )
        return
    subject = Subject(
        ask=lambda model, said, label, u, before, own: own,
        rule=heard,
        mistakes=OF_FAST_SOUNDS,
        symptoms=(_IGNORED,),
        show=lambda model, said, label, u, before, own: (
            f"a {'second' if before.size else 'first'} sound of {said.shape[1]} samples, "
            + ("no label" if label is None else f"labels {label.tolist()}")
        ),
        told=lambda a: f"codes {shown(a[0][0], 12)}",
        alike=same_codes,
    )
    right = yield from examine(
        subject,
        draw,
        Property(
            "equal",
            _EQUAL,
            cases,
            points=1.5,
            asks=f"{COUNT} equal codes in each row, for any label, kernel and dilations, at every "
            "call: each what the model's own conditional and the uniform number give",
            saw=lambda answer, right, *case: (
                f"{first_off(answer, right)}, in a {'second' if case[4].size else 'first'} sound"
            ),
        ),
    )
    settings = (LEVELS, 6, 6, 2, [1, 2, 4, 8], 4)
    model, label = lively(generate_fast, draw, *settings), tensor(np.arange(12) % 4)
    note_on_default(
        generate_fast,
        lambda g: expect_array(generate_fast(copy.deepcopy(model), COUNT, label, g), (12, COUNT)),
        right=right and same_model and any_precision and all(case[-1][1] for case in asked),
    )
    yield _costs_the_same(generate_fast, draw, right, any_precision)
    single = any_precision and kinds_of_products(
        generate_fast, copy.deepcopy(model), 2, label, torch.Generator()
    ) == ["float32"]
    yield _leaves_the_model([case[-1] for case in asked], same_model, any_precision, single is True)


def _needs_single(function: Standin, model: Standin, *words: Any) -> bool:
    """Whether a model in single precision is heard, and the same in double stops the call."""
    try:
        function(copy.deepcopy(model), 1, *words, torch.Generator())
    except CallTookTooLong:
        raise
    except StudentFailed:
        try:
            function(copy.deepcopy(model).float(), 1, *words, torch.Generator())
        except StudentFailed:
            return False
        return True
    return False


_EQUAL = "bit for bit the samples of the plain generator"
_SAME = (
    "the model stays as it was, in the precision that it has, and all randomness comes from the "
    "given generator"
)
_FLAT = "a step costs the same, however long the sound is: twice the samples, twice the operations"


def _costs_the_same(generate_fast: Standin, draw: Draw, right: bool, any_precision: bool) -> Claim:
    if not right:
        return waiting(_FLAT, "the samples of the plain generator", points=1, id="flat")
    model = built(generate_fast, "WaveNet", LEVELS, 6, 6, 2, [1, 2, 4, 8, 16, 32])
    model, counts = redrawn(model, draw.integer(0, 2**31), 1.0), []
    model = model if any_precision else model.float()
    for count in STEPS:
        found = counted(generate_fast, copy.deepcopy(model), count, None, draw.generator())
        counts.append(found[0] if isinstance(found, tuple) and isinstance(found[0], int) else 0)
    growth = counts[1] / max(counts[0], 1)
    return claim(
        _FLAT,
        1.5 < growth <= GROWTH,
        id="flat",
        points=1,
        saw=f"{counts[0]:,} operations for {STEPS[0]} samples, {counts[1]:,} for {STEPS[1]}: "
        f"× {growth:.1f}",
        asks="× 2, up to small change",
        advice=[
            when(
                growth > GROWTH,
                "recomputed",
                "each step computes old columns again: feed one, and let the queues remember",
            ),
            "let torch compute each sample in a step of its own",
        ],
    )


def _leaves_the_model(answers: list, same_model: bool, any_precision: bool, single: bool) -> Claim:
    moved = all(moved for _, moved, _ in answers)
    kinds = sorted({kind for _, _, kind in answers} - {"int64"})
    saw = [
        *(
            ["a model whose layers, numbers or training mode have changed"]
            if not same_model
            else []
        ),
        *(["a generator that nobody has used"] if not moved else []),
        *(f"codes of kind {kind}" for kind in kinds),
        *(["an exception for a model in double precision"] if not any_precision else []),
        *(["a model in double precision that is computed in single"] if single else []),
    ]
    return claim(
        _SAME,
        not saw,
        id="same",
        points=0.5,
        saw=" and ".join(saw),
        asks="queues in a copy only; draw_codes(logits, generator); int64; a model in double "
        "precision, as `player` is, is heard as well as one in single precision",
        advice=[
            when(
                not same_model,
                "model-changed",
                "the caller's model is not what it was: work on copy.deepcopy(model)",
            ),
            when(not moved, "generator-ignored", _IGNORED.advice),
            when(kinds, "floats-for-codes", "codes are int64"),
            when(
                not any_precision,
                "precision-of-its-own",
                "a model in single precision is heard, one in double stops: the first column must "
                "have the dtype of the model's weights",
            ),
            when(
                single,
                "precision-of-its-own",
                "all is computed in single precision, though the model is in double: equal codes "
                "are luck then, so leave the copy's dtype as it is (no .float())",
            ),
        ],
    )
