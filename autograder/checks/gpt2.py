"""Checks of lesson 10, GPT-2: attention, blocks, the whole model, its weights, and writing with it.

Notation: q (…, T, d), k (…, S, d), v (…, S, E), S ≥ T; width C, H heads (Vaswani et al., 2017,
equation 1; Radford et al., 2019, section 2.3: the norm before each part, and one after the last).
"""

from __future__ import annotations

import contextlib
import itertools
import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import torch

from autograder import claim, expect_array, when
from autograder.checking import checks
from autograder.checks.witness import waits_unless
from autograder.claims import Advice, Claim
from autograder.draw import Draw
from autograder.inside.gpt2 import (
    LEAKS,
    NAMES,
    Suspect,
    Toy,
    begin_search,
    begin_writing,
    constant_model,
    count_of_numbers,
    later_parameters,
    parameters_without_gradient,
    rows_of,
    toy,
    with_witness,
)
from autograder.remote.callbacks import answered, whole_numbers
from autograder.remote.proxy import Standin, StudentFailed, WrongKind, made_by
from course.causality import dependency_map, past

LESSON = "10_gpt2"

Weights = dict[str, np.ndarray]


# --- what the mathematics says --------------------------------------------------------------------


def may_see(queries: int, keys: int) -> np.ndarray:
    """bool (T, S): query i stands at position S − T + i."""
    return np.arange(keys)[None, :] <= np.arange(keys - queries, keys)[:, None]


def softmax(scores: np.ndarray, axis: int = -1) -> np.ndarray:
    """Normalized exponentials; rows of −inf only give NaN, as torch's do."""
    with np.errstate(invalid="ignore"):
        shifted = np.exp(scores - scores.max(axis, keepdims=True))
        return shifted / shifted.sum(axis, keepdims=True)


def attention(
    q: np.ndarray,
    k: np.ndarray,
    v: np.ndarray,
    *,
    allowed: np.ndarray | None = None,
    scale: float | None = None,
    fill: float = -np.inf,
    axis: int = -1,
    after: bool = False,
) -> np.ndarray:
    """Causal attention; options give the usual corruptions. `after`: zeros after the softmax."""
    allowed = may_see(q.shape[-2], k.shape[-2]) if allowed is None else allowed
    scale = 1 / math.sqrt(q.shape[-1]) if scale is None else scale
    scores = q @ np.swapaxes(k, -1, -2) * scale
    if after:
        return softmax(scores, axis) * allowed @ v
    return softmax(np.where(allowed, scores, fill), axis) @ v


def wrong_attentions(q: np.ndarray, k: np.ndarray) -> dict[str, Callable[..., np.ndarray]]:
    """The answers of the known misconceptions, by name, for queries and keys of these shapes."""
    T, S, d = q.shape[-2], k.shape[-2], q.shape[-1]
    heads = q.shape[-3] if q.ndim > 2 else 1
    at = may_see(T, S)
    triangle = np.ones((T, S), dtype=bool)
    return {
        "mask-after-softmax": lambda *a: attention(*a, after=True),
        "no-mask": lambda *a: attention(*a, allowed=triangle),
        "triu-for-tril": lambda *a: attention(*a, allowed=np.triu(triangle, S - T)),
        "mask-with-zero": lambda *a: attention(*a, fill=0.0),
        "no-scale": lambda *a: attention(*a, scale=1.0),
        "scaled-by-d": lambda *a: attention(*a, scale=1 / d),
        "scaled-by-model-width": lambda *a: attention(*a, scale=1 / math.sqrt(d * heads)),
        "scaled-by-length": lambda *a: attention(*a, scale=1 / math.sqrt(S)),
        "scale-multiplied": lambda *a: attention(*a, scale=math.sqrt(d)),
        "softmax-over-queries": lambda *a: attention(*a, axis=-2),
        "sees-one-ahead": lambda *a: attention(*a, allowed=np.tril(triangle, S - T + 1)),
        "masks-itself": lambda *a: attention(*a, allowed=np.tril(triangle, S - T - 1)),
        "queries-taken-for-the-first": lambda *a: attention(*a, allowed=np.tril(triangle)),
        "no-softmax": lambda q, k, v: (
            np.where(at, q @ np.swapaxes(k, -1, -2) / math.sqrt(d), 0) @ v
        ),
        "keys-for-values": lambda q, k, v: attention(q, k, k),
    }


_ON_ATTENTION = {
    "zero-times-infinity": "0 · −∞ is NaN: do not multiply a mask by −inf; use masked_fill or "
    "torch.where",
    "masks-itself": "your mask forbids a position to see itself, and leaves nothing to the first: "
    "j ≤ i is allowed, the diagonal included",
    "mask-after-softmax": "you set weights to zero AFTER the softmax: rows no longer sum to 1, and "
    "the denominator still contains the future; put −inf into the scores before it",
    "no-mask": "there is no mask at work: every position sees the whole text",
    "triu-for-tril": "your mask is upside down: it keeps the future and forbids the past",
    "mask-with-zero": "a score of 0 is no mask: e^0 = 1 is a weight like any other; use −inf",
    "no-scale": "the division by √d is missing",
    "scaled-by-d": "you divide by d: it is its square root",
    "scaled-by-model-width": "you divide by the root of the model's width: d is the length of ONE "
    "head's queries, q.shape[-1]",
    "scaled-by-length": "you divide by the root of the number of positions: d is the length of a "
    "query, q.shape[-1]",
    "scale-multiplied": "you multiply by √d: divide",
    "softmax-over-queries": "your softmax runs over the queries: the weights of one query over all "
    "its keys sum to 1, dim=-1",
    "sees-one-ahead": "position i sees i + 1: the mask is one diagonal too generous",
    "queries-taken-for-the-first": "with fewer queries than keys your mask starts at the top left: "
    "the queries are the LAST positions, so the diagonal moves by S − T",
    "no-softmax": "these are scores, not weights: the softmax is missing",
    "keys-for-values": "you average the keys: the weights are for the values",
}


def norm(x: np.ndarray, weight: np.ndarray, bias: np.ndarray) -> np.ndarray:
    """Layer norm over the last axis; the ε of 1e-5 stands inside the root."""
    centered = x - x.mean(-1, keepdims=True)
    return centered / np.sqrt((centered**2).mean(-1, keepdims=True) + 1e-5) * weight + bias


def gelu(x: np.ndarray) -> np.ndarray:
    """GELU by tanh (Hendrycks and Gimpel, 2016)."""
    return 0.5 * x * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))


def exact_gelu(x: np.ndarray) -> np.ndarray:
    """x Φ(x)."""
    return 0.5 * x * (1 + np.vectorize(math.erf)(x / math.sqrt(2)))


def linear(x: np.ndarray, w: Weights, name: str) -> np.ndarray:
    """x Wᵀ + b."""
    return x @ w[f"{name}.weight"].T + w[f"{name}.bias"]


def block_by_rule(x: np.ndarray, w: Weights, heads: int, option: str = "") -> np.ndarray:
    """A block's output; `option` names the misconception that is built in."""
    B, T, C = x.shape

    def first(y: np.ndarray) -> np.ndarray:
        return norm(y, w["ln_1.weight"], w["ln_1.bias"])

    def second(y: np.ndarray) -> np.ndarray:
        which = "ln_1" if option == "first-norm-twice" else "ln_2"
        return norm(y, w[f"{which}.weight"], w[f"{which}.bias"])

    def split(y: np.ndarray) -> np.ndarray:
        if option == "heads-without-transpose":
            return y.reshape(B, heads, T, C // heads)
        if option == "heads-interleaved":
            return y.reshape(B, T, C // heads, heads).transpose(0, 3, 1, 2)
        return y.reshape(B, T, heads, C // heads).transpose(0, 2, 1, 3)

    post = option == "post-norm"
    read = x if post or option == "no-first-norm" else first(x)
    q, k, v = (split(linear(read, w, name)) for name in "qkv")
    y = attention(q, k, v)
    # Merged without the transpose, the pieces of all heads are shuffled.
    shuffled = option in ("heads-without-transpose", "merged-without-transpose")
    y = (y if shuffled else y.transpose(0, 2, 1, 3)).reshape(B, T, C)
    y = y if option == "out-forgotten" else linear(y, w, "out")
    after = y if option == "no-first-residual" else x + y
    after = first(after) if post else after
    source = x if option == "parallel" else after
    wide = linear(source if post or option == "no-second-norm" else second(source), w, "up")
    act = {"exact-gelu": exact_gelu, "relu": lambda a: np.maximum(a, 0)}.get(option, gelu)
    more = linear(act(wide), w, "down")
    result = more if option == "no-second-residual" else after + more
    return second(result) if post else result


BLOCK_MISTAKES = {
    "heads-without-transpose": "you cut the heads in one view: a head then holds pieces of one "
    "token; view as (B, T, H, C/H) first, and transpose afterwards",
    "heads-interleaved": "your heads take every H-th number: head 1 is the FIRST C/H of them",
    "merged-without-transpose": "the heads are merged without their transpose: bring time back to "
    "axis 1 before you reshape",
    "post-norm": "you normalize the sum (post-LN): GPT-2 normalizes what goes INTO each part",
    "no-first-norm": "the attention reads x itself: it should read ln_1(x)",
    "no-second-norm": "the second part reads x itself: it should read ln_2(x)",
    "first-norm-twice": "the second part has a norm of its own, ln_2",
    "no-first-residual": "the attention's answer replaces x: it is added to it",
    "no-second-residual": "the second part's answer replaces x: it is added to it",
    "parallel": "the second part reads the old x: it starts from x with the attention added",
    "exact-gelu": 'this is the exact GELU: GPT-2 has the tanh form, approximate="tanh"',
    "relu": 'a ReLU is at work: F.gelu(…, approximate="tanh")',
    "out-forgotten": "self.out is never used: the merged heads go through it",
}


def gpt2_by_rule(
    tokens: np.ndarray, w: Weights, config: dict[str, int], start: int = 0, option: str = ""
) -> np.ndarray:
    """Logits (B, T, V); each token is taken to stand behind `start` others that it cannot see."""
    places = start + np.arange(tokens.shape[1])
    if option == "positions-from-1":
        places = np.minimum(places + 1, config["n_positions"] - 1)
    x = w["wte.weight"][tokens]
    if option == "positions-restart":
        places = np.arange(tokens.shape[1])
    if option != "positions-forgotten":
        x = x + w["wpe.weight"][places]
    for layer in range(config["n_layer"]):
        inner = {n.partition(f"h.{layer}.")[2]: p for n, p in w.items() if f"h.{layer}." in n}
        x = block_by_rule(x, inner, config["n_head"])
    if option != "last-norm-forgotten":
        x = norm(x, w["ln_f.weight"], w["ln_f.bias"])
    logits = x @ w["wte.weight"].T
    if option == "softmax-applied":
        return softmax(logits)
    return (
        logits - np.logaddexp.reduce(logits, -1)[..., None] if option == "log-softmax" else logits
    )


GPT2_MISTAKES = {
    "positions-forgotten": "the positions are missing: without wpe a text is a bag of words",
    "positions-from-1": "positions count from 0: the first token's vector is wpe[0]",
    "last-norm-forgotten": "the last layer norm, ln_f, is missing before the head",
    "softmax-applied": "these are probabilities: return the logits",
    "log-softmax": "these are log-probabilities: return the logits as they are",
}


def tensor(array: Any) -> torch.Tensor:
    """The array as a tensor: floats in single precision, ids as int64."""
    made = torch.tensor(np.asarray(array))
    return made.float() if made.is_floating_point() else made.long()


def close(a: np.ndarray, b: np.ndarray, tolerance: float = 1e-4) -> bool:
    """Equal in shape, and in value up to `tolerance` of b's size; NaN equals NaN."""
    if a.shape != b.shape:
        return False
    finite = b[np.isfinite(b)]
    size = max(1.0, float(np.abs(finite).max(initial=0.0)))
    return bool(np.allclose(a, b, rtol=0, atol=tolerance * size, equal_nan=True))


def shown(values: Any) -> str:
    """A few numbers in words."""
    flat = np.asarray(values).reshape(-1)
    return "(" + ", ".join(f"{v:.4g}" for v in flat[:4]) + (", …)" if flat.size > 4 else ")")


# --- causal_attention -----------------------------------------------------------------------------


@checks("causal_attention", lesson=LESSON, points=4)
def attention_that_looks_back(causal_attention: Standin, draw: Draw) -> Iterator[Claim]:
    """Weighted means of values, over the past and oneself."""
    see = "Exercise 1: attention that looks back"

    def ask(q: np.ndarray, k: np.ndarray, v: np.ndarray) -> np.ndarray:
        wanted = (*q.shape[:-1], v.shape[-1])
        return expect_array(
            causal_attention(tensor(q), tensor(k), tensor(v)), wanted, "float", "the answer"
        )

    def case(
        lead: tuple[int, ...], T: int, S: int, d: int, E: int, scale: float = 1.5
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        numbers = (
            draw.normal(*lead, T, d, scale=scale) + 0.2,
            draw.normal(*lead, S, d, scale=scale) + 0.2,
            draw.normal(*lead, S, E) + 0.3,
        )
        return tuple(n.astype(np.float32).astype(np.float64) for n in numbers)

    def first_named(cases: list, answers: list) -> str:
        for answer, (_, _, v) in zip(answers, cases, strict=True):
            if v.shape[-2] > 1 and np.isnan(answer).all():
                return "zero-times-infinity"
        found = {}
        for (q, k, v), answer in zip(cases, answers, strict=True):
            right = attention(q, k, v)
            for name, wrong in wrong_attentions(q, k).items():
                # Where a mistake changes nothing (one position, as many keys as queries) it fits.
                found.setdefault(name, []).append(close(answer, wrong(q, k, v), 1e-3))
            found.setdefault("", []).append(close(answer, right))
        return next((name for name, fits in found.items() if name and all(fits)), "")

    T, d = draw.integer(4, 6), draw.integer(3, 5)
    square = [case((2, 3), T, T, d, d), case((1, 2), 3, 3, 4, 4), case((), 2, 2, 6, 6)]
    answers = [ask(*c) for c in square]
    answers_of_square = answers[0]
    fits = all(close(a, attention(*c)) for a, c in zip(answers, square, strict=True))
    named = "" if fits else first_named(square, answers)
    if not fits and not named and np.isnan(answers[0]).any():
        whole = np.isnan(answers[0]).reshape(-1, T, d)[0].all(-1)
        named = "masks-itself" if whole[0] and not whole[1:].any() else "zero-times-infinity"
    advice: list[str | Advice] = [
        when(name == named, name, text) for name, text in _ON_ATTENTION.items()
    ]
    yield claim(
        "y_i is the mean of the values at j ≤ i, weighted by softmax(q_i · k_j / √d)",
        fits,
        points=1.5,
        saw=f"an answer {shown(answers[0][..., 0, :])} at the first position, which may see its "
        f"own value only, {shown(square[0][2][..., 0, :])}"
        if not close(answers[0][..., 0, :], square[0][2][..., 0, :])
        else "other values than the formula's, from the second position on",
        asks="scores over √d, −inf where j > i, softmax over the keys, times the values",
        advice=[*advice, "work out the three rows of the example by hand, and compare"],
        see=see,
    )

    # With the identity for values, the answers ARE the weights.
    S = draw.integer(5, 7)
    q, k, _ = case((2, 2), S, S, 4, 1)
    eye = np.broadcast_to(np.eye(S), (2, 2, S, S)).copy()
    weights = ask(q, k, eye)
    allowed = may_see(S, S)
    sums = weights.sum(-1)
    leak = np.argwhere((weights != 0) & ~allowed)
    gap = np.argwhere(~(weights > 0) & allowed)
    moved = k.copy()
    moved[..., -1, :] += 2.0
    changed = (ask(q, moved, eye)[..., :-1, :] != weights[..., :-1, :]).any()
    normal = np.allclose(sums, 1, atol=1e-4)
    yield claim(
        "the weights are a distribution over past and present, blind to the future",
        normal and not len(leak) and not len(gap) and not changed,
        points=1,
        saw=f"weights of position {leak[0][-2] + 1} on position {leak[0][-1] + 1}"
        if len(leak)
        else f"rows of weights that sum to {shown(sums[0, 0])}"
        if not normal
        else f"no weight of position {gap[0][-2] + 1} on position {gap[0][-1] + 1}"
        if len(gap)
        else "weights of the past that change with the last key",
        asks="rows that sum to 1; exact zeros for j > i, something for every j ≤ i; and nothing "
        "that a later key could change",
        advice=[
            *advice,
            when(
                not normal and not len(leak),
                "mask-after-softmax",
                _ON_ATTENTION["mask-after-softmax"],
            ),
            "give it the identity for v: what comes back are your weights; look at them",
        ],
        see=see,
    )

    S = draw.integer(5, 7)
    short = [
        case((2, 2), 1, S, 4, 3),
        case((1, 3), draw.integer(2, 3), S, 3, 3),
        case((1, 1), 1, 1, 2, 2),
    ]
    try:
        answers = [ask(*c) for c in short]
        good = all(close(a, attention(*c)) for a, c in zip(answers, short, strict=True))
        other = "" if good else first_named(short, answers)
        said = f"other values for 1 query and {S} keys than the last row of {S} queries has"
    except (StudentFailed, WrongKind) as why:
        good, other, said = False, "one-length-only", f"{why}"
    yield claim(
        "with fewer queries than keys, the queries are the last positions",
        good,
        points=1,
        saw=said,
        asks="query i of T stands at position S − T + i of the S keys",
        advice=[
            *[when(name == other, name, text) for name, text in _ON_ATTENTION.items()],
            when(
                other == "one-length-only",
                "one-length-only",
                "q and k may differ in length: scores and mask have shape (T, S)",
            ),
            *advice,
            "give it the last query alone, and compare with the last row of all queries",
        ],
        see=see,
    )

    # Scores around ±3·10^10: exponentials overflow, and a "large negative" mask is not large.
    q, k, v = case((1, 2), 4, 4, 4, 3)
    q[..., 0], k[..., 0] = 2.0e5, -np.array([3.0e5, 3.1e5, 3.2e5, 3.3e5])
    huge = ask(q, k, v)
    evades = close(huge[..., 0, :], np.broadcast_to(v.mean(-2), huge[..., 0, :].shape), 1e-3)
    q2, k2, _ = case((1, 2), 4, 4, 4, 3)
    q2[..., 0], k2[..., 0] = 30.0, np.array([0.0, 1.0, 2.0, 40.0])  # the future outweighs e^500
    late = ask(q2, k2, v)
    stable = close(huge[..., 0, :], v[..., 0, :]) and np.isfinite(huge).all()
    # Values that come back as they are would prove nothing.
    mixes = not close(answers_of_square, square[0][2])
    covered = close(late[..., 0, :], v[..., 0, :]) and np.isfinite(late).all()
    yield claim(
        "no score is so large that it gets past the mask or overflows",
        stable and covered and mixes,
        points=0.5,
        saw="values that come back as they are"
        if not mixes
        else f"{shown(huge[..., 0, :])} at the first position when all scores are near −3·10^10"
        if not stable
        else f"{shown(late[..., 0, :])} at the first position when the last key scores 600",
        asks="the first position's own value, whatever the scores",
        advice=[
            *advice,
            when(
                np.isfinite(huge).all() and not stable and fits,
                "finite-mask" if evades or not stable else "",
                "your mask is a large negative NUMBER, and scores can be larger: use −math.inf",
            ),
            when(
                fits and not np.isfinite(huge).all(),
                "exp-overflows",
                "e^1000 is no number: torch.softmax subtracts the largest score first",
            ),
            when(
                fits and not np.isfinite(late).all(),
                "masked-too-late",
                "you normalize again after masking: where the future had all the weight, 0/0 is "
                "left; mask before the softmax",
            ),
            "use −inf in the scores, and torch.softmax",
        ],
        see=see,
    )


# --- Block ----------------------------------------------------------------------------------------

_WIDE = {"up": (4, 1), "down": (1, 4)}


def block_weights(draw: Draw, C: int) -> Weights:
    """Random numbers for a block of width C, none of the parts negligible."""
    w: Weights = {}
    for name in ("ln_1", "ln_2"):
        w[f"{name}.weight"] = 1 + draw.normal(C, scale=0.4)
        w[f"{name}.bias"] = draw.normal(C, scale=0.5)
    for name in ("q", "k", "v", "out", "up", "down"):
        rows, columns = (C * n for n in _WIDE.get(name, (1, 1)))
        w[f"{name}.weight"] = draw.normal(rows, columns, scale=1.6 / math.sqrt(columns))
        w[f"{name}.bias"] = draw.normal(rows, scale=0.5)
    return {name: value.astype(np.float32).astype(np.float64) for name, value in w.items()}


def fill(model: Any, weights: Weights) -> None:
    """Writes the numbers into a model (or a stand-in for one), under the lesson's names."""
    model.load_state_dict({name: tensor(value) for name, value in weights.items()})


@checks("Block", lesson=LESSON, points=2)
def a_block_of_gpt2(Block: Standin, draw: Draw) -> Iterator[Claim]:
    """Attention and a two-layer network, each added to what it read."""
    see = "Exercise 2: a block"
    H, d, T = 3, draw.choice((2, 4)), draw.integer(4, 6)
    config = {"n_embd": H * d, "n_head": H, "n_layer": 2, "n_positions": 16, "vocab_size": 20}
    block, w = made_by(Block, config, 1), block_weights(draw, H * d)
    fill(block, w)
    x = draw.normal(2, T, H * d).astype(np.float32).astype(np.float64)
    got = expect_array(block(tensor(x)), x.shape, "float", "the block's output")
    right = block_by_rule(x, w, H)
    # 3e-5 of the size: the two forms of GELU differ by 5e-4.
    fits = close(got, right, 3e-5)
    named = next(
        (n for n in BLOCK_MISTAKES if not fits and close(got, block_by_rule(x, w, H, n), 3e-5)), ""
    )
    advice: list[str | Advice] = [
        when(name == named, name, text) for name, text in BLOCK_MISTAKES.items()
    ]
    yield claim(
        "x + out(attention(LN₁ x)), then that + down(GELU(up(LN₂ of it)))",
        fits,
        points=1,
        saw=f"outputs that differ from the formula's by up to {np.abs(got - right).max():.2g}",
        asks="the norm before each part, heads side by side, both answers added",
        advice=[
            *advice,
            "go through the two formulas part by part; is check(causal_attention) green?",
        ],
        see=see,
    )

    seen = dependency_map(
        made_by(Block, config, 0),
        tensor(draw.normal(4, T, H * d)),
        "normal",
        together=-1,
        outputs=-1,
        expected=past(T, own=True),
        seed=draw.integer(0, 2**31),
    )
    leaks, gaps = seen.forbidden(own=True), seen.missing(own=True)
    yield claim(
        "position t sees positions 1 … t, all of them, and nothing else",
        not len(leaks) and not len(gaps) and not seen.rows_mix,
        points=0.5,
        saw="rows of a batch that change each other"
        if seen.rows_mix
        else f"position {leaks[0][0] + 1} changes with position {leaks[0][1] + 1}"
        if len(leaks)
        else f"position {gaps[0][0] + 1} never changes with position {gaps[0][1] + 1}"
        if len(gaps)
        else "",
        asks="a triangle: the present and all of the past",
        advice=[
            *advice,
            when(
                len(leaks),
                "heads-without-transpose" if not fits else "leak",
                "time and heads have changed places somewhere, or the mask is not at work",
            ),
            "the only part that mixes positions is self.attend",
        ],
        see=see,
    )

    S = T + draw.integer(2, 3)
    k, v = draw.normal(2, H, S, d), draw.normal(2, H, S, d)
    answer = with_witness(block, tensor(x), S - T, tensor(k), tensor(v))
    out, given = answer if isinstance(answer, tuple) and len(answer) == 2 else (None, [])
    out = expect_array(out, x.shape, "float", "the block's output")
    given = given if isinstance(given, list) else []
    read = norm(x, w["ln_1.weight"], w["ln_1.bias"])

    def heads(name: str) -> np.ndarray:
        return linear(read, w, name).reshape(2, T, H, d).transpose(0, 2, 1, 3)

    q = heads("q")
    y = attention(q, k, v).transpose(0, 2, 1, 3).reshape(x.shape)
    after = x + linear(y, w, "out")
    wide = norm(after, w["ln_2.weight"], w["ln_2.bias"])
    wanted = after + linear(gelu(linear(wide, w, "up")), w, "down")
    asked = len(given) == 1 and isinstance(given[0], tuple) and len(given[0]) == 3
    sent = [expect_array(a, None, "float", "a key or value") for a in given[0][1:]] if asked else []
    named_layer = asked and given[0][0] == 1
    sends = asked and all(close(s, heads(n), 1e-3) for s, n in zip(sent, ("k", "v"), strict=True))
    uses = close(out, wanted, 1e-3)
    yield claim(
        "with a cache, the new keys and values go there, and all that come back are used",
        sends and uses and named_layer,
        points=0.5,
        saw="a cache that is never asked"
        if not asked
        else f"keys of shape {tuple(sent[0].shape)} handed to the cache, where (B, H, T, C/H) is "
        f"{(2, H, T, d)}"
        if sent[0].shape != (2, H, T, d)
        else f"layer {given[0][0]!r} named to the cache by block 1"
        if not named_layer
        else "an output that does not depend on the cache's keys and values as it should"
        if not uses
        else "other keys and values than the block's own",
        asks="k, v = cache.append(self.layer, k, v), between the split and the attention",
        advice=[
            when(not asked, "cache-unused", "forward has a cache and does not use it"),
            when(
                asked and named_layer and sends and not uses and fits,
                "cache-answer-ignored",
                "the attention must use what cache.append RETURNS: all keys, not the new ones",
            ),
            when(
                asked and not named_layer,
                "layers-mixed",
                "each block has a place of its own in the cache: self.layer",
            ),
            *advice,
            "hand k and v over after the heads are split: (B, H, T, C/H)",
        ],
        see=see,
    )


# --- GPT2 -----------------------------------------------------------------------------------------


def model_weights(draw: Draw, config: dict[str, int]) -> Weights:
    """Random numbers for a whole model, under the lesson's names."""
    C = config["n_embd"]
    w: Weights = {
        "wte.weight": draw.normal(config["vocab_size"], C, scale=0.7),
        "wpe.weight": draw.normal(config["n_positions"], C, scale=0.7),
        "ln_f.weight": 1 + draw.normal(C, scale=0.4),
        "ln_f.bias": draw.normal(C, scale=0.5),
    }
    for layer in range(config["n_layer"]):
        for name, value in block_weights(draw, C).items():
            w[f"h.{layer}.{name}"] = value
    return {name: value.astype(np.float32).astype(np.float64) for name, value in w.items()}


def small_config(draw: Draw, **changes: int) -> dict[str, int]:
    """A model that a check can afford."""
    config = {
        "vocab_size": draw.integer(11, 17),
        "n_positions": draw.integer(7, 9),
        "n_embd": 8,
        "n_layer": 2,
        "n_head": 2,
    }
    return config | changes


@checks("GPT2", lesson=LESSON, points=3)
def the_whole_model(GPT2: Standin, draw: Draw) -> Iterator[Claim]:
    """Tokens and positions in, logits of the next tokens out."""
    see = "Exercise 3: GPT-2"
    config = small_config(draw)
    V, n = config["vocab_size"], config["n_positions"]
    model, w = made_by(GPT2, config), model_weights(draw, config)
    fill(model, w)
    fits, saw, tables = True, "", []
    for B, T in ((2, 4), (1, n), (3, 1)):
        tokens = draw.rng.integers(0, V, size=(B, T))
        got = expect_array(model(tensor(tokens)), (B, T, V), "float", "the logits")
        tables.append((tokens, got))
        off = np.abs(got - gpt2_by_rule(tokens, w, config)).max()
        if not close(got, gpt2_by_rule(tokens, w, config)):
            fits, saw = False, saw or f"logits that differ by up to {off:.2g} for {T} tokens"
    named = next(
        (
            name
            for name in GPT2_MISTAKES
            if not fits
            and all(close(g, gpt2_by_rule(t, w, config, option=name), 1e-3) for t, g in tables)
        ),
        "",
    )
    advice: list[str | Advice] = [
        when(name == named, name, text) for name, text in GPT2_MISTAKES.items()
    ]
    yield claim(
        "the logits are ln_f(blocks(wte[token] + wpe[position])) · wte, for every position",
        fits,
        points=1,
        saw=saw,
        asks="token and position added, all blocks in their order, the last norm, the tied head",
        advice=[
            *advice,
            "follow the three steps; are check(causal_attention) and check(Block) green?",
        ],
        see=see,
    )

    seen = dependency_map(
        made_by(GPT2, config),
        tensor(draw.rng.integers(0, V, size=(3, n))),
        "token",
        outputs=-1,
        vocabulary=V,
        expected=past(n, own=True),
        seed=draw.integer(0, 2**31),
    )
    leaks, gaps = seen.forbidden(own=True), seen.missing(own=True)
    yield claim(
        "the logits at t see tokens 1 … t, all of them, and no later one",
        not len(leaks) and not len(gaps) and not seen.rows_mix,
        points=1,
        saw="rows of a batch that change each other"
        if seen.rows_mix
        else f"logits at position {leaks[0][0] + 1} that change with token {leaks[0][1] + 1}"
        if len(leaks)
        else f"logits at position {gaps[0][0] + 1} that never change with token {gaps[0][1] + 1}"
        if len(gaps)
        else "",
        asks="a triangle: logits at t are about token t + 1, and may see token t",
        advice=[
            *advice,
            when(
                len(leaks),
                "leak",
                "something beside the blocks mixes positions, or their mask is not at work",
            ),
            when(len(gaps), "past-unseen", "a part of the past is lost: do all blocks run?"),
            "change one token, and look where the logits move",
        ],
        see=see,
    )

    start, T = draw.integer(2, 3), 3
    tokens = draw.rng.integers(0, V, size=(2, T))
    answer = with_witness(model, tensor(tokens), start)
    out, given = answer if isinstance(answer, tuple) and len(answer) == 2 else (None, [])
    out = expect_array(out, (2, T, V), "float", "the logits")
    layers = [g[0] for g in given if isinstance(g, tuple) and len(g) == 3]
    asked = layers == list(range(config["n_layer"]))
    moved = close(out, gpt2_by_rule(tokens, w, config, start))
    restart = close(out, gpt2_by_rule(tokens, w, config, 0))
    yield claim(
        "with a cache of s tokens, positions go on at s, and every block gets the cache",
        asked and moved,
        points=0.5,
        saw=f"a cache that is asked by blocks {layers} of {config['n_layer']}"
        if not asked
        else f"logits of positions 0, 1, … behind {start} tokens"
        if restart
        else "other logits than those of the later positions",
        asks="positions start … start + T − 1, and block(x, cache)",
        advice=[
            when(
                restart and fits,
                "positions-restart",
                "positions begin at 0 again behind a cache: they go on at cache.length",
            ),
            when(
                not asked, "cache-not-handed-on", "hand the cache to every block: block(x, cache)"
            ),
            *advice,
            "use start: it is how many tokens were read before",
        ],
        see=see,
    )

    unreached = parameters_without_gradient(model, tensor(draw.rng.integers(0, V, size=(2, n))))
    unreached = unreached if isinstance(unreached, list) else ["?"]
    C, L = config["n_embd"], config["n_layer"]
    formula = V * C + n * C + L * (12 * C * C + 13 * C) + 2 * C
    numbers = count_of_numbers(model)
    yield claim(
        "training reaches every number, and there is one table for both ends",
        not unreached and numbers == formula,
        points=0.5,
        saw=f"no gradient for {', '.join(map(str, unreached[:3]))}"
        if unreached
        else f"{numbers} numbers",
        asks="a gradient for each parameter, and no second table for the head",
        advice=[
            when(
                unreached,
                "gradient-cut",
                "no_grad, .data, .detach() or a part that is never used cuts training off",
            ),
            when(
                isinstance(numbers, int) and numbers > formula,
                "head-untied",
                "there is a second table: the head is self.wte.weight itself",
            ),
            "leave the constructor as it was given",
        ],
        see=see,
    )


# --- gpt2_parameters ------------------------------------------------------------------------------


def parameters_by_rule(config: dict[str, int], without: str = "") -> int:
    """How many numbers a GPT-2 has; `without` builds a misconception in."""
    V, n, C, L, H = (
        config[name] for name in ("vocab_size", "n_positions", "n_embd", "n_layer", "n_head")
    )
    parts = {
        "tables": (V + n) * C,
        "weights": L * 12 * C * C,
        "attention biases": L * 4 * C,
        "wide biases": L * 5 * C,
        "norms": L * 4 * C,
        "last norm": 2 * C,
    }
    match without:
        case "head-counted-twice":
            parts["head"] = V * C
        case "positions-forgotten":
            parts["tables"] = V * C
        case "biases-forgotten":
            parts["attention biases"] = parts["wide biases"] = 0
        case "norms-forgotten":
            parts["norms"] = parts["last norm"] = 0
        case "last-norm-forgotten":
            parts["last norm"] = 0
        case "times-heads":
            parts["weights"] = L * (3 * C * C * H + 9 * C * C)
        case "norm-shifts-forgotten":
            parts["norms"], parts["last norm"] = L * 2 * C, C
        case "weights-only":
            parts = {"tables": parts["tables"], "weights": parts["weights"]}
        case "output-bias":
            parts["head"] = V
        case "head-untied-with-bias":
            parts["head"] = V * C + V
        case "one-block":
            parts = {k: v // L if k not in ("tables", "last norm") else v for k, v in parts.items()}
        case "no-output-projection":
            parts["weights"], parts["attention biases"] = L * 11 * C * C, L * 3 * C
    return sum(parts.values())


_ON_COUNTS = {
    "head-counted-twice": "you count the head: it is tied, the token table once more",
    "positions-forgotten": "the table of positions is missing: n_positions · C",
    "biases-forgotten": "every linear layer has a bias: 9 C a block",
    "norms-forgotten": "the layer norms are missing: a scale and a shift each, 4 C a block and 2 C "
    "at the end",
    "last-norm-forgotten": "the last layer norm is missing: 2 C",
    "times-heads": "heads share the width C: their number changes nothing",
    "norm-shifts-forgotten": "a layer norm has a scale AND a shift",
    "weights-only": "biases and layer norms are missing: 13 C a block, 2 C at the end",
    "output-bias": "the head has no bias",
    "head-untied-with-bias": "you count a head with a bias: it is tied, and has none",
    "one-block": "you count one block: there are n_layer of them",
    "no-output-projection": "the attention has four matrices: q, k, v and out",
}


@checks("gpt2_parameters", lesson=LESSON, points=2)
def numbers_of_a_gpt2(gpt2_parameters: Standin, draw: Draw) -> Iterator[Claim]:
    """Every number of the model, counted once."""
    see = "Exercise 4: 124 million"
    keys = ("vocab_size", "n_positions", "n_embd", "n_layer", "n_head")
    small = dict(zip(keys, (50257, 1024, 768, 12, 12), strict=True))
    configs = [small]
    for H in (2, 3, draw.integer(4, 6)):
        values = (draw.integer(50, 900), draw.integer(16, 90), H * draw.integer(3, 9))
        configs.append(dict(zip(keys, (*values, draw.integer(2, 7), H), strict=True)))

    def ask(config: dict[str, int]) -> Any:
        answer = gpt2_parameters(dict(config))
        if isinstance(answer, bool) or not isinstance(answer, int | float | np.generic):
            return expect_array(answer, (), "number", "the number of parameters").item()
        return answer

    got = [ask(c) for c in configs]
    right = [parameters_by_rule(c) for c in configs]
    fits = all(abs(g - r) < 0.5 for g, r in zip(got, right, strict=True))
    named = next(
        (
            name
            for name in _ON_COUNTS
            if all(
                abs(g - parameters_by_rule(c, name)) < 0.5
                for g, c in zip(got, configs, strict=True)
            )
        ),
        "",
    )
    only = not fits and abs(got[0] - right[0]) < 0.5
    yield claim(
        "every number is counted once, the tied table too: 124,439,808 for the smallest GPT-2",
        fits,
        points=1.5,
        saw=f"{got[0]:,} for the smallest GPT-2, and {got[1]:,} for {configs[1]}",
        asks="tables, blocks with their biases and norms, the last norm, and no head",
        advice=[
            *[when(name == named, name, text) for name, text in _ON_COUNTS.items()],
            when(only, "one-answer-only", "this is right for the smallest GPT-2 only"),
            "count the example of 106 numbers by hand, part by part",
        ],
        see=see,
    )
    large = {
        "vocab_size": 10**9 + draw.integer(1, 99),
        "n_positions": 10**6 + 3,
        "n_embd": 10**6 + 2 * draw.integer(1, 99) + 1,
        "n_layer": 997,
        "n_head": 1,
    }
    answer = ask(large)
    exact = isinstance(answer, int) and answer == parameters_by_rule(large)
    yield claim(
        "the answer is an exact whole number, however large",
        exact and all(isinstance(g, int) for g in got),
        points=0.5,
        saw=f"{answer!r} for a model of 10^16 numbers",
        asks="an int, exact to the last digit",
        advice=[
            when(
                not all(isinstance(g, int) for g in got),
                "float-count",
                "this is a float, exact up to 2^53 only: * and + of ints stay ints, / does not",
            ),
            "whole numbers times whole numbers: first the formula",
        ],
        see=see,
    )


# --- load_hf --------------------------------------------------------------------------------------


def hub_weights(
    draw: Draw, config: dict[str, int], *, prefix: str, masks: bool, head: bool
) -> dict[str, torch.Tensor]:
    """Random weights under the hub's names, as files have them."""
    C, n = config["n_embd"], config["n_positions"]
    shapes = {"wte.weight": (config["vocab_size"], C), "wpe.weight": (n, C)}
    for i in range(config["n_layer"]):
        for name, shape in {
            "ln_1.weight": (C,),
            "ln_1.bias": (C,),
            "attn.c_attn.weight": (C, 3 * C),
            "attn.c_attn.bias": (3 * C,),
            "attn.c_proj.weight": (C, C),
            "attn.c_proj.bias": (C,),
            "ln_2.weight": (C,),
            "ln_2.bias": (C,),
            "mlp.c_fc.weight": (C, 4 * C),
            "mlp.c_fc.bias": (4 * C,),
            "mlp.c_proj.weight": (4 * C, C),
            "mlp.c_proj.bias": (C,),
        }.items():
            shapes[f"h.{i}.{name}"] = shape
    shapes |= {"ln_f.weight": (C,), "ln_f.bias": (C,)}
    found = {prefix + name: tensor(draw.normal(*shape)) for name, shape in shapes.items()}
    if masks:
        for i in range(config["n_layer"]):
            found[f"{prefix}h.{i}.attn.bias"] = torch.ones(1, 1, n, n).tril()
            found[f"{prefix}h.{i}.attn.masked_bias"] = torch.tensor(-1e4)
    if head:
        found["lm_head.weight"] = found[prefix + "wte.weight"].clone()
    return found


def loaded_by_rule(hub: dict[str, torch.Tensor]) -> Weights:
    """The same weights under the lesson's names."""
    ours: Weights = {}
    new = {"attn.c_proj": "out", "mlp.c_fc": "up", "mlp.c_proj": "down"}
    for full, value in hub.items():
        name, array = full.removeprefix("transformer."), value.numpy()
        if name.endswith((".attn.bias", ".attn.masked_bias")) or name == "lm_head.weight":
            continue
        if ".c_" in name and array.ndim == 2:
            array = array.T
        if "c_attn" in name:
            for letter, part in zip("qkv", np.split(array, 3), strict=True):
                ours[name.replace("attn.c_attn", letter)] = part
            continue
        for theirs, mine in new.items():
            name = name.replace(theirs, mine)
        ours[name] = array
    return ours


@checks("load_hf", lesson=LESSON, points=2)
def weights_from_the_hub(load_hf: Standin, draw: Draw) -> Iterator[Claim]:
    """The hub's weights under the lesson's names, in the layout of nn.Linear."""
    see = "Exercise 5: somebody else's weights"

    def ask(hub: dict[str, torch.Tensor]) -> dict[str, np.ndarray]:
        answer = load_hf({name: value.clone() for name, value in hub.items()})
        if not isinstance(answer, dict) or not all(isinstance(k, str) for k in answer):
            raise WrongKind("load_hf should return a dictionary from names to tensors")
        return {k: expect_array(v, None, "any", f"the weight {k[:60]}") for k, v in answer.items()}

    # Twelve layers, so that h.1 and h.11 can be told apart; few numbers in each.
    config = {"vocab_size": 9, "n_positions": 5, "n_embd": 4, "n_layer": 12, "n_head": 2}
    hub = hub_weights(draw, config, prefix="", masks=False, head=False)
    right, got = loaded_by_rule(hub), ask(hub)
    missing = [name for name in right if name not in got]
    extra = [name for name in got if name not in right]
    loaded = any(np.array_equal(np.sort(got[n], None), np.sort(right[n], None)) for n in right
                 if n in got)  # fmt: skip
    empty = waits_unless(loaded, "numbers of the file under these names")
    yield claim(
        "the names are those of GPT2: every weight has a place, and no other is there",
        not missing and not extra,
        points=0.5,
        saw=f"no weight {missing[0]}" if missing else f"a weight {extra[0][:60]}" if extra else "",
        asks="the keys of GPT2(config).state_dict(), for twelve layers here",
        waits="" if missing or extra else empty,
        advice=[
            when(
                not extra
                and missing
                and all(m.endswith((".q.bias", ".k.bias", ".v.bias")) for m in missing),
                "qkv-bias-dropped",
                "the biases of q, k and v are missing: h.0.attn.c_attn.bias ends in attn.bias too; "
                "stored masks end in .attn.bias, with the dot",
            ),
            when(
                any("c_attn" in e for e in extra),
                "qkv-not-split",
                "c_attn holds q, k and v in one: cut it into three",
            ),
            when(
                any(".c_" in e for e in extra),
                "names-kept",
                "c_proj and c_fc have other names here: see the table",
            ),
            "compare your keys with those of GPT2(config).state_dict()",
        ],
        see=see,
    )

    wrong = [n for n in right if n not in got or not np.array_equal(got[n], right[n])]
    flat = {n: got[n] for n in wrong if n in got}
    parts = {n: n.rpartition(".")[0].rpartition(".")[2] for n in flat}
    square = [n for n in flat if parts[n] == "out" and n.endswith("weight")]
    thirds = [n for n in flat if parts[n] in "qkv"]
    untransposed = [
        n for n in flat if flat[n].shape == right[n].T.shape and np.array_equal(flat[n], right[n].T)
    ]
    swapped = any(
        flat[n].shape == right[m].shape and np.array_equal(flat[n], right[m])
        for n in thirds
        for m in right
        if m != n
    )
    only_square = wrong and len(square) == len(wrong)
    yield claim(
        "every value is in its place: Conv1D transposed, and q, k, v cut in this order",
        not wrong,
        points=1,
        saw=f"a wrong {wrong[0]}"
        + (f", of shape {flat[wrong[0]].shape}" if wrong and wrong[0] in flat else "")
        if wrong
        else "",
        asks="(out, in) for every matrix; biases, norms and tables as they are",
        advice=[
            when(
                any(parts[n] in ("wte", "wpe") for n in untransposed),
                "tables-transposed",
                "wte and wpe are tables, not Conv1D: leave them as they are",
            ),
            when(
                only_square and untransposed,
                "conv1d-not-transposed",
                "the attention's c_proj is not transposed: it is square, so nothing complains",
            ),
            when(
                swapped,
                "qkv-order",
                "the three parts have changed places: queries first, then keys, then values",
            ),
            when(
                untransposed
                and all(
                    n in untransposed for n in flat if n.endswith("weight") and parts[n] != "wte"
                ),
                "conv1d-not-transposed",
                "Conv1D keeps (in, out): transpose every c_… weight",
            ),
            when(
                thirds and not untransposed,
                "qkv-cut-wrong",
                "q, k and v stand side by side in the OUTPUT axis, a third each: transpose, then "
                "cut the first axis into three",
            ),
            when(
                untransposed,
                "conv1d-not-transposed",
                "Conv1D keeps (in, out): transpose every c_… weight",
            ),
            "try the example with 12 numbers by hand",
        ],
        see=see,
    )

    problem, mistake = "", ""
    for prefix, masks, head in (
        ("transformer.", False, True),
        ("transformer.", True, True),
        ("", True, False),
    ):
        hub = hub_weights(draw, config | {"n_layer": 2}, prefix=prefix, masks=masks, head=head)
        right, found = loaded_by_rule(hub), {}
        try:
            found = ask(hub)
        except (StudentFailed, WrongKind) as why:
            problem, mistake = problem or str(why), mistake or ("masks-kept" if masks else "")
        if problem:
            break
        more = [n for n in found if n not in right]
        if more or set(found) != set(right):
            lost = next((n for n in right if n not in found), "")
            problem = f"a weight {more[0][:60]}" if more else f"no weight {lost}"
            mistake = (
                "masks-kept"
                if any(n.endswith(("attn.bias", "masked_bias")) for n in more)
                else "head-kept"
                if any("lm_head" in n for n in more)
                else "prefix-kept"
                if any(n.startswith("transformer.") for n in more)
                else ""
            )
            break
        if wrong == [] and not all(np.array_equal(found[n], right[n]) for n in right):
            problem = "other values when names have a prefix or masks are stored"
            break
    yield claim(
        "names with and without transformer. are taken; stored masks and the tied head are skipped",
        not problem,
        points=0.5,
        saw=problem,
        asks="the same dictionary from every such file",
        waits="" if problem else empty,
        advice=[
            when(
                mistake == "masks-kept",
                "masks-kept",
                "h.0.attn.bias and h.0.attn.masked_bias are stored masks, no weights: skip them",
            ),
            when(
                mistake == "head-kept", "head-kept", "lm_head.weight is wte.weight again: skip it"
            ),
            when(
                mistake == "prefix-kept",
                "prefix-kept",
                'some files put transformer. before every name: name.removeprefix("transformer.")',
            ),
            "look at the last three rows of the table",
        ],
        see=see,
    )


# --- sequence_nll and perplexity ------------------------------------------------------------------


def log_softmax(logits: np.ndarray) -> np.ndarray:
    """Logits minus the log of their exponentials' sum, over the last axis."""
    top = logits.max(-1, keepdims=True)
    return logits - top - np.log(np.exp(logits - top).sum(-1, keepdims=True))


def token_nlls(model: Toy, tokens: np.ndarray, given: int, shift: int = 1) -> np.ndarray:
    """−log p of each scored token, (B, T − given); `shift` 0 is the usual mistake."""
    logits = model.logits(torch.tensor(tokens).double()).double().numpy()
    log_p = log_softmax(logits)
    places = np.arange(given, tokens.shape[1])
    return -np.stack([log_p[:, t - shift][np.arange(len(tokens)), tokens[:, t]] for t in places], 1)


@checks("sequence_nll", lesson=LESSON, points=2)
def likelihood_of_a_text(sequence_nll: Standin, draw: Draw) -> Iterator[Claim]:
    """The chain rule in nats, over the tokens that are not given."""
    see = "Exercise 6: how likely is a sentence?"

    def ask(model: Any, tokens: np.ndarray, given: int | None) -> np.ndarray:
        more = {} if given is None else {"given": given}
        answer = sequence_nll(model, tensor(tokens), **more)
        return expect_array(answer, None, "float", "the NLL")

    phase = float(draw.uniform(1)[0])
    V, limit = draw.integer(7, 9), 20
    ours, theirs = Toy(V, limit, phase, 2.0), toy(sequence_nll, V, limit, phase, 2.0)
    cases = []
    for B, T, given in (
        (3, draw.integer(6, 8), 1),
        (2, 7, draw.integer(2, 4)),
        (2, 5, 4),
        (1, 2, None),
    ):
        tokens = draw.rng.integers(0, V, size=(B, T))
        cases.append((tokens, given or 1, ask(theirs, tokens, given)))

    def all_fit(rule: Callable[[np.ndarray, int], np.ndarray]) -> bool:
        return all(close(got, rule(t, g), 1e-3) for t, g, got in cases)

    def total(tokens: np.ndarray, given: int) -> np.ndarray:
        return token_nlls(ours, tokens, given).sum(1)

    fits = all(close(got, total(t, g), 1e-5) for t, g, got in cases)
    wrong: dict[str, tuple[Callable, str]] = {
        "targets-not-shifted": (
            lambda t, g: token_nlls(ours, t, g, 0).sum(1),
            "you score token t by the logits AT t: those are about token t + 1",
        ),
        "targets-not-shifted ": (
            lambda t, g: token_nlls(ours, t, g - 1, 0)[:, :-1].sum(1),
            "you score token t by the logits AT t: those are about token t + 1",
        ),
        "loss-on-the-prompt": (
            lambda t, g: token_nlls(ours, t, 1).sum(1),
            "the given tokens are scored as well: start at token `given`",
        ),
        "one-token-short": (
            lambda t, g: (
                token_nlls(ours, t, min(g + 1, t.shape[1])).sum(1)
                if g + 1 < t.shape[1]
                else np.zeros(len(t))
            ),
            "the first token after the given ones is not scored",
        ),
        "mean-for-sum": (
            lambda t, g: token_nlls(ours, t, g).mean(1),
            "this is the mean over tokens: the chain rule adds",
        ),
        "sign": (lambda t, g: -total(t, g), "this is log p: the NLL has the other sign"),
        "bits-for-nats": (lambda t, g: total(t, g) / math.log(2), "these are bits: nats are asked"),
        "summed-over-batch": (
            lambda t, g: np.array(total(t, g).sum()),
            "one number for each row: add over time, not over the batch",
        ),
        "averaged-over-batch": (
            lambda t, g: np.array(token_nlls(ours, t, g).mean()),
            "one number for each row, and a sum: F.cross_entropy takes means unless you say "
            'reduction="none"',
        ),
    }
    named = "" if fits else next((n.strip() for n, (rule, _) in wrong.items() if all_fit(rule)), "")
    advice: list[str | Advice] = [
        when(n.strip() == named, n.strip(), text) for n, (_, text) in wrong.items()
    ]
    tokens, given, got = cases[0]
    yield claim(
        "NLL = −Σ log p(x_t | x_<t), over the tokens after the given ones",
        fits,
        points=1,
        saw=f"an answer of shape {got.shape} for {len(tokens)} rows"
        if got.shape != (len(tokens),)
        else f"{shown(got)} for {tokens.shape[1]} tokens of which {given} is given"
        if not close(got, total(tokens, given), 1e-5)
        else "other numbers where more than one token is given",
        asks="one number a row; the logits at t − 1 score token t",
        advice=[*advice, "work out ln 8 of the example by hand"],
        see=see,
    )

    ours, theirs = Toy(3, limit, phase, 1.5), toy(sequence_nll, 3, limit, phase, 1.5)
    first = draw.integer(0, 2)
    every = np.array([(first, *rest) for rest in itertools.product(range(3), repeat=3)])
    got = ask(theirs, every, 1)
    one_each = got.shape == (27,)
    mass = float(np.exp(-got).sum()) if one_each else math.nan
    varies = one_each and np.ptp(got) > 0.1
    yield claim(
        "the probabilities of all continuations sum to 1",
        varies and abs(mass - 1) < 1e-4,
        points=0.5,
        saw=f"a sum of {mass:.4g} over the 27 texts that go on with three of 3 tokens"
        if one_each
        else f"an answer of shape {got.shape} for 27 rows",
        asks="Σ e^−NLL = 1: these are conditionals, multiplied",
        advice=[*advice, "if token t is scored by a distribution that has seen it, the sum is off"],
        see=see,
    )

    ours, theirs = Toy(5, limit, phase, 1e4), toy(sequence_nll, 5, limit, phase, 1e4)
    tokens = draw.rng.integers(0, 5, size=(3, 6))
    got = ask(theirs, tokens, 1)
    right = token_nlls(ours, tokens, 1).sum(1)
    yield claim(
        "it is finite and right for logits of ten thousand, too",
        close(got, right, 1e-4),
        points=0.5,
        saw=f"{shown(got)} nats where every logit is up to 10,000",
        asks="log p by logsumexp: finite while the logits are",
        advice=[
            when(
                fits and not np.isfinite(got).all(),
                "softmax-then-log",
                "a probability of e^−10000 is 0, and its log −inf: F.cross_entropy or log_softmax "
                "never leave the logs",
            ),
            when(
                fits,
                "softmax-then-log",
                "a small number inside the log changes the answer: log_softmax needs none",
            ),
            *advice,
            "stay in logs: F.cross_entropy takes logits",
        ],
        see=see,
    )


@checks("perplexity", lesson=LESSON, points=1)
def perplexity_of_a_batch(perplexity: Standin, draw: Draw) -> Iterator[Claim]:
    """e to the mean NLL of the scored tokens."""
    see = "Exercise 6: how likely is a sentence?"

    def ask(model: Any, tokens: np.ndarray, given: int) -> float:
        answer = perplexity(model, tensor(tokens), given)
        return float(expect_array(answer, (), "number", "the perplexity"))

    phase, V = float(draw.uniform(1)[0]), draw.integer(6, 9)
    ours, theirs = Toy(V, 20, phase, 2.5), toy(perplexity, V, 20, phase, 2.5)
    cases = [
        (draw.rng.integers(0, V, size=(B, T)), given)
        for B, T, given in ((1, 6, 1), (3, 7, 1), (2, 6, 3))
    ]
    got = [ask(theirs, *c) for c in cases]
    each = [token_nlls(ours, *c) for c in cases]

    def fit(values: Sequence[float]) -> bool:
        with np.errstate(over="ignore"):
            return all(
                abs(g - v) <= 1e-3 * max(1.0, abs(v)) for g, v in zip(got, values, strict=True)
            )

    rules = {
        "exp-of-the-sum": (
            [np.exp(min(n.sum(), 700.0)) for n in each],
            "this is e to the SUM: divide by the number of scored tokens first",
        ),
        "sum-over-batch": (
            [np.exp(min(n.sum(1).mean(), 700.0)) for n in each],
            "this is e to the NLL of a whole row: divide by its scored tokens, too",
        ),
        "given-counted": (
            [np.exp(n.sum() / c[0].size) for n, c in zip(each, cases, strict=True)],
            "you divide by all tokens: the given ones are not scored",
        ),
        "one-token-too-few": (
            [
                np.exp(n.sum() / (len(c[0]) * (c[0].shape[1] - 1)))
                for n, c in zip(each, cases, strict=True)
            ],
            "you divide by T − 1: T − given tokens are scored",
        ),
        "mean-of-perplexities": (
            [np.exp(n.mean(1)).mean() for n in each],
            "you average the rows' perplexities: the mean belongs inside the exponential",
        ),
        "base-2": (
            [2 ** n.mean() for n in each],
            "2 to a number of nats: either e and nats, or 2 and bits",
        ),
        "no-exp": ([n.mean() for n in each], "this is the mean NLL: perplexity is e to that"),
        "batch-forgotten": (
            [np.exp(min(n.sum() / n.shape[1], 700.0)) for n in each],
            "you divide by the tokens of one row: count those of all rows",
        ),
    }
    right = [float(np.exp(n.mean())) for n in each]
    fits = fit(right)
    named = "" if fits else next((name for name, (v, _) in rules.items() if fit(v)), "")
    yield claim(
        "perplexity is e to the mean NLL of all scored tokens",
        fits,
        points=0.5,
        saw=f"{got[1]:.4g} for {len(cases[1][0])} rows whose tokens cost {each[1].mean():.3f} nats "
        "on average",
        asks="the mean over rows and scored tokens, inside the exponential",
        advice=[
            *[when(name == named, name, text) for name, (_, text) in rules.items()],
            "work out √8 of the example by hand (and is check(sequence_nll) green?)",
        ],
        see=see,
    )
    V = draw.integer(20, 90)
    even = ask(constant_model(perplexity, torch.zeros(V)), draw.rng.integers(0, V, size=(3, 9)), 2)
    sure = torch.full((V,), -200.0)
    sure[3] = 200.0
    perfect = ask(constant_model(perplexity, sure), np.full((2, 6), 3), 1)
    yield claim(
        "a model that guesses evenly has perplexity V, a perfect one 1",
        abs(even - V) < 1e-2 and abs(perfect - 1) < 1e-3,
        points=0.5,
        saw=f"{even:.4g} for {V} tokens of equal probability, {perfect:.4g} for certainty",
        asks=f"{V} and 1",
        advice=[
            *[when(name == named, name, text) for name, (_, text) in rules.items()],
            "the mean NLL is ln V in the first case, and 0 in the second",
        ],
        see=see,
    )


# --- writing --------------------------------------------------------------------------------------


def windowed(tokens: np.ndarray, limit: int, how: str = "") -> np.ndarray:
    """What the model reads next by the lesson's rule; `how` gives other rules."""
    over, jump = tokens.shape[1] - limit, max(1, limit // 2)
    if how == "slides-by-one":
        return tokens[:, -limit:]
    return tokens if over <= 0 else tokens[:, jump * -(-over // jump) :]


class Secret:
    """A model that only the judge has: nothing but asking tells what it says of a text.

    The keys that stand for a token in a cache are random, too. `calls` lists what was read: (rows,
    tokens read, tokens before them).
    """

    def __init__(self, draw: Draw, vocabulary: int, limit: int) -> None:
        self.config = {"vocab_size": vocabulary, "n_positions": limit}
        self.calls: list[tuple[int, int, int]] = []
        self._seed = [draw.integer(0, 2**31), draw.integer(0, 2**31)]
        self._keys = torch.tensor(draw.normal(vocabulary, 2, 3) + 2.0).double()
        self._rows: dict[bytes, np.ndarray] = {}
        self._pending = False

    def logits(self, ids: Any) -> torch.Tensor:
        """Ids (B, S) → logits (B, S, V), each a random function of all ids up to its own."""
        ids = np.asarray(ids).astype(np.int64)
        found = [[self._row(row[: t + 1]) for t in range(len(row))] for row in ids]
        V = self.config["vocab_size"]
        return torch.tensor(np.array(found).reshape(*ids.shape, V)).float()

    def _row(self, text: np.ndarray) -> np.ndarray:
        name = text.tobytes()
        if name not in self._rows:
            seed = np.random.SeedSequence([*self._seed, *text.tolist()])
            self._rows[name] = np.random.default_rng(seed).normal(size=self.config["vocab_size"])
        return self._rows[name]

    def answer(self, kind: Any, *question: Any) -> Any:
        """To `Reader`: keys and values of tokens that it reads, or logits for the keys it has."""
        V, limit = self.config["vocab_size"], self.config["n_positions"]
        if kind == "read":
            tokens, before = question
            ids = whole_numbers(tokens, 2, V, "the tokens")
            rows, length = ids.shape
            if type(before) is not int or before < 0 or not 1 <= length <= limit - before:
                raise ValueError(f"the model has {limit} positions: got {before} + {length} tokens")
            self.calls.append((rows, length, before))
            self._pending = length
            keys = self._keys[ids].transpose(1, 2)  # (rows, 2, length, 3)
            return keys, -keys
        k, v = (expect_array(part, (None, 2, None, 3), "float", "the keys") for part in question)
        length, self._pending = self._pending, 0
        if not length or k.shape != v.shape or not length <= k.shape[2] <= limit or len(k) > 1000:
            raise ValueError("the cache gave back keys of another length than it was given")
        codes = self._keys.numpy().reshape(V, 6)
        given = k.transpose(0, 2, 1, 3).reshape(*k.shape[::2], 6)
        off = np.abs(given[:, :, None] - codes).max(-1)  # (rows, S, V)
        if not (off.min(-1) < 1e-3).all() or not np.allclose(v, -k, atol=1e-3):
            raise ValueError("the cache gave back keys and values that the model has not made")
        return self.logits(off.argmin(-1))[:, -length:]


def written_by(function: Standin, model: Secret, tokens: np.ndarray, count: int) -> np.ndarray:
    """The student's continuation of `tokens` by a model that answers here; its calls are noted."""
    model.calls.clear()
    limit, V = model.config["n_positions"], model.config["vocab_size"]
    text = answered(begin_writing(function, V, limit, tensor(tokens), count), model.answer)
    return expect_array(text, None, "int", "the text")


def written(
    model: Toy | Secret, tokens: np.ndarray, count: int, *, read: str = "", at: int = -1
) -> Any:
    """The likeliest continuation, token by token; options give the usual mistakes."""
    for _ in range(count):
        seen = windowed(tokens, model.config["n_positions"], read)
        logits = model.logits(torch.tensor(seen).double()).numpy()[:, at]
        tokens = np.concatenate([tokens, logits.argmax(-1)[:, None]], 1)
    return tokens


def continuations(model: Toy, prompt: np.ndarray) -> dict[str, np.ndarray]:
    """p of all V² continuations by two tokens: the right one under "", and mistakes by name."""
    V = model.config["vocab_size"]

    def p_after(rows: np.ndarray, at: int = -1) -> np.ndarray:
        return np.exp(log_softmax(model.logits(torch.tensor(rows).double()).double().numpy()))[
            :, at
        ]

    first = p_after(prompt)[0]
    longer = np.array([(*prompt[0], a) for a in range(V)])
    second = p_after(longer)
    even = np.full((V, V), 1 / V**2)
    greedy = np.zeros((V, V))
    best = int(first.argmax())
    greedy[best, int(second[best].argmax())] = 1
    return {
        "": (first[:, None] * second).ravel(),
        "one-pass-for-all": (first[:, None] * first[None, :]).ravel(),
        "likeliest-for-drawn": greedy.ravel(),
        "even-draws": even.ravel(),
    }


BOUND, DRAWS = 0.12, 6000  # a false alarm: below (2^16 − 2) e^(−N ε² / 2) < 1e-13 for 16 outcomes


def _drawn(function: Standin, draw: Draw) -> tuple[bool, str, str]:
    """Whether samples come as the model says, what was seen, and the misconception."""
    # A draw at which all mistakes are far apart.
    while True:
        phase, V = 6.0 * float(draw.uniform(1)[0]), 4
        prompt = draw.rng.integers(0, V, size=(1, 3))
        tables = continuations(Toy(V, 12, phase, 1.2), prompt)
        if (
            min(np.abs(p - q).sum() for p, q in itertools.combinations(tables.values(), 2))
            > 2 * BOUND
        ):
            break
    model = toy(function, V, 12, phase, 1.2)
    seed = draw.integer(1, 2**31)
    generators = [torch.Generator().manual_seed(seed) for _ in range(2)]
    start = generators[0].get_state()
    rows = np.repeat(prompt, DRAWS, axis=0)
    got = expect_array(
        function(model, tensor(rows), 2, generators[0]), (DRAWS, 5), "int", "the text"
    )
    few = expect_array(
        function(model, tensor(rows[:50]), 2, generators[1]), (50, 5), "int", "the text"
    )
    again = torch.Generator().manual_seed(seed)
    same = expect_array(function(model, tensor(rows[:50]), 2, again), (50, 5), "int", "the text")
    legal = ((got >= 0) & (got < V)).all()
    codes = (got[:, 3] * V + got[:, 4]) if legal else np.zeros(0, dtype=np.int64)
    frequency = np.bincount(codes, minlength=V * V)[: V * V] / DRAWS
    off = {name: float(np.abs(frequency - p).sum()) for name, p in tables.items()}
    moved = not torch.equal(start, generators[0].get_state())
    if off[""] >= BOUND or not legal:
        worst = int(np.abs(frequency - tables[""]).argmax())
        named = next((name for name, o in off.items() if name and o < BOUND), "")
        return (
            False,
            f"the continuation {divmod(worst, V)} in {frequency[worst]:.1%} of {DRAWS:,} texts, "
            f"where the model gives it {tables[''][worst]:.1%}",
            named or "drawn-otherwise",
        )
    if not moved or not (few == same).all():
        return False, "a generator that nobody has used", "generator-ignored"
    return True, "", ""


_ON_DRAWS = {
    "one-pass-for-all": "the second token does not know the first: read the longer text again",
    "likeliest-for-drawn": "the likeliest token is taken although there is a generator: draw",
    "even-draws": "all tokens come equally often: where are the logits?",
    "generator-ignored": "hand the generator on: choose(logits, generator)",
    "drawn-otherwise": "draw from the softmax of the logits after the LAST token",
}


@checks("generate", lesson=LESSON, points=2)
def a_text_token_by_token(generate: Standin, draw: Draw) -> Iterator[Claim]:
    """One pass, one token, appended; and again."""
    see = "Exercise 7: the model writes"
    V = draw.integer(7, 9)
    ours = Secret(draw, V, 40)
    cases = []
    for B, T, count in ((1, 3, 6), (3, draw.integer(4, 6), 5), (2, 1, 4), (2, 3, 0)):
        tokens = draw.rng.integers(0, V, size=(B, T))
        got = written_by(generate, ours, tokens, count)
        cases.append((tokens, count, got, list(ours.calls)))
    fits = all(np.array_equal(got, written(ours, t, n)) for t, n, got, _ in cases)
    tokens, count, got, _ = cases[0]
    passes = [len(c) for *_, c in cases]
    wrong = {
        "first-position-read": all(
            np.array_equal(g, written(ours, t, n, at=0)) for t, n, g, _ in cases
        ),
        "prompt-dropped": all(
            np.array_equal(g, written(ours, t, n)[:, t.shape[1] :]) for t, n, g, _ in cases if n
        ),
        "one-token-only": got.shape[1:] == (tokens.shape[1] + 1,),
        "one-pass-for-all": all(p <= 1 for p in passes),
    }
    named = "" if fits else next((name for name, holds in wrong.items() if holds), "")
    on_text = {
        "first-position-read": "you take the logits after the FIRST token: the next one is told "
        "by those after the last, [:, -1]",
        "prompt-dropped": "the prompt belongs to the text that is returned",
        "one-token-only": "only one token is added: count of them are asked",
        "one-pass-for-all": "all tokens come from one pass: each must see the ones before it",
    }
    advice: list[str | Advice] = [when(n == named, n, text) for n, text in on_text.items()]
    yield claim(
        "without a generator, the likeliest next token is appended, count times",
        fits and passes == [n for _, n, *_ in cases],
        points=1,
        saw=f"a text of shape {got.shape} for {tokens.shape[1]} tokens and {count} more"
        if got.shape != (1, tokens.shape[1] + count)
        else f"{passes[0]} passes for {count} tokens"
        if fits
        else f"{got[0].tolist()} for the prompt {tokens[0].tolist()}",
        asks="prompt and continuation, (B, T + count); one pass a token",
        advice=[
            *advice,
            when(fits, "passes", "one pass a token is enough, and needed"),
            "read, take the logits after the last token, choose, append, and again",
        ],
        see=see,
    )
    good, saw, named = _drawn(generate, draw)
    yield claim(
        "with a generator, each token is drawn from the softmax after the last one",
        good,
        points=0.5,
        saw=saw,
        asks="texts as often as the product of their conditionals says, from this generator alone",
        advice=[*[when(n == named, n, text) for n, text in _ON_DRAWS.items()], "draw"],
        see=see,
    )
    good, saw, named = _beyond(generate, draw)
    yield claim(
        "beyond the context the window is read, and the whole text is returned",
        good,
        points=0.5,
        saw=saw,
        asks="model(window(tokens, limit)), and tokens that grow",
        advice=[
            *[when(n == named, n, text) for n, text in _ON_WINDOWS.items()],
            *advice,
            "give the model window(tokens, limit) each time, and append to tokens",
        ],
        see=see,
    )


_ON_WINDOWS = {
    "window-forgotten": "the model was given more tokens than it has positions: it reads "
    'window(tokens, model.config["n_positions"])',
    "window-returned": "you return the window: the text is longer than what the model reads",
    "slides-by-one": "your window slides by one token: use the given window, which jumps by half",
    "stale-cache": "the cache still holds the old window when it jumps: begin an empty one",
}


def _beyond(function: Standin, draw: Draw, *, cached: bool = False) -> tuple[bool, str, str]:
    """Whether texts longer than the context come out right, what was seen, the misconception."""
    V = draw.integer(7, 9)
    for limit, T, count in ((8, 5, 14), (7, 19, 6), (8, 8, 3), (1, 1, 3)):
        ours = Secret(draw, V, limit)
        tokens = draw.rng.integers(0, V, size=(2, T))
        where = f"{count} tokens behind {T}, in a context of {limit}"
        try:
            got = written_by(function, ours, tokens, count)
        except StudentFailed as why:
            stale = cached and any(before for *_, before in ours.calls)
            return False, f"{why} ({where})", "stale-cache" if stale else "window-forgotten"
        right = written(ours, tokens, count)
        if not np.array_equal(got, right):
            named = ""
            if got.ndim != 2 or not got.size:
                return False, f"a text of shape {got.shape}: {where}", ""
            if got.shape[1] < right.shape[1] and np.array_equal(got, right[:, -got.shape[1] :]):
                named = "window-returned"
            elif np.array_equal(got, written(ours, tokens, count, read="slides-by-one")):
                named = "slides-by-one"
            elif cached:
                named = "stale-cache"
            return False, f"another text than by the rule: {where}", named
        if cached:
            length, expected, kept = T, 0, 0
            for _ in range(count):
                seen = windowed(np.zeros((1, length)), limit).shape[1]
                kept = 0 if kept >= seen else kept
                expected, kept, length = expected + seen - kept, seen, length + 1
            read = sum(n for _, n, _ in ours.calls)
            if read != expected:
                return False, f"{read} tokens read where {expected} do: {where}", "read-again"
    return True, "", ""


# --- the cache ------------------------------------------------------------------------------------


@checks("Cache", lesson=LESSON, points=2)
def keys_and_values_to_keep(Cache: Standin, draw: Draw) -> Iterator[Claim]:
    """What has been read is kept, behind one another, layer by layer."""
    see = "Exercise 8: do not read it all again"
    B, H, d = 2, 3, draw.integer(4, 5)

    def pieces(lengths: Sequence[int]) -> list[tuple[np.ndarray, np.ndarray]]:
        return [(draw.normal(B, H, n, d), draw.normal(B, H, n, d)) for n in lengths]

    def append(cache: Any, layer: int, piece: tuple[np.ndarray, np.ndarray]) -> list[np.ndarray]:
        answer = cache.append(layer, tensor(piece[0]), tensor(piece[1]))
        if not isinstance(answer, tuple | list) or len(answer) != 2:
            raise WrongKind("append should return two tensors: all keys, and all values")
        return [expect_array(a, None, "float", "keys or values") for a in answer]

    def behind(parts: Sequence[tuple[np.ndarray, np.ndarray]], axis: int = 2) -> list[np.ndarray]:
        return [np.concatenate([p[i] for p in parts], axis).astype(np.float32) for i in (0, 1)]

    def equal(a: Sequence[np.ndarray], b: Sequence[np.ndarray]) -> bool:
        return all(close(x, y, 1e-6) for x, y in zip(a, b, strict=True))

    lengths = (2, 2, draw.integer(1, 3), 1)
    layers = [pieces(lengths), pieces(lengths)]
    first = made_by(Cache)
    shared = rows_of(first)
    if not shared:
        with contextlib.suppress(StudentFailed):
            append(Cache(), 0, layers[0][0])
            shared = rows_of(Cache())
    share = when(
        shared,
        "cache-shared",
        "the pairs of all caches are one: they belong to self, not to the class",
    )
    try:
        cache, answers = Cache(), []
        for step in range(len(lengths)):
            for layer in (0, 1):
                answers.append((layer, step, append(cache, layer, layers[layer][step])))
        failed = ""
    except StudentFailed as why:
        failed = str(why)

    def all_fit(rule: Callable[[int, int], list[np.ndarray]]) -> bool:
        return bool(answers) and all(equal(a, rule(layer, s)) for layer, s, a in answers)

    def first_bad() -> str:
        for layer, s, a in answers:
            if not equal(a, behind(layers[layer][: s + 1])):
                return (
                    f"keys of shape {a[0].shape} for layer {layer} after {sum(lengths[: s + 1])} "
                    "tokens"
                )
        return ""

    good = not failed and all_fit(lambda layer, s: behind(layers[layer][: s + 1]))
    wrong_axis = any(
        any(
            equal(a, behind(layers[layer][: s + 1], axis))
            for layer, s, a in answers
            if s == 1  # two pieces of equal length fit along any axis
        )
        for axis in (0, 1, 3)
    )
    only_new = all_fit(lambda layer, s: behind(layers[layer][s : s + 1]))
    reversed_ = all_fit(lambda layer, s: behind(layers[layer][s::-1]))
    swapped = all_fit(lambda layer, s: behind(layers[layer][: s + 1])[::-1])
    mixed = any(a[0].shape[2:3] and a[0].shape[2] > sum(lengths[: s + 1]) for _, s, a in answers)
    count = 0 if failed else rows_of(cache)
    advice: list[str | Advice] = [
        share,
        when(
            wrong_axis,
            "wrong-axis",
            "the new ones go behind the old along TIME: (B, H, S, d) has it at axis 2",
        ),
        when(only_new, "newest-only", "the old ones are lost: put the new ones behind them"),
        when(reversed_, "newest-first", "the new ones stand before the old: time runs on"),
        when(swapped, "keys-for-values", "keys and values have changed places"),
        when(mixed, "layers-mixed", "every layer has keys of its own: self.pairs[layer]"),
    ]
    yield claim(
        "append puts new keys and values behind the old ones of the same layer, along time",
        good and count == sum(lengths),
        points=1,
        saw=failed or first_bad() or f"a length of {count} after {sum(lengths)} tokens",
        asks="(B, H, S, d): all that this layer has been given, in order",
        advice=[*advice, "keep the pair that you return: self.pairs[layer] = (k, v)"],
        see=see,
    )

    picks = [1, 1, 0]
    try:
        cache = Cache()
        old = [behind([layers[layer][0]]) for layer in (0, 1)]
        for layer in (0, 1):
            append(cache, layer, layers[layer][0])
        cache.reorder(torch.tensor(picks))
        new = [tuple(draw.normal(3, H, 1, d) for _ in range(2)) for _ in (0, 1)]
        after = [append(cache, layer, new[layer]) for layer in (0, 1)]
        picked = [
            [
                np.concatenate([o[picks], n.astype(np.float32)], 2)
                for o, n in zip(old[layer], new[layer], strict=True)
            ]
            for layer in (0, 1)
        ]
        holds = [equal(after[layer], picked[layer]) for layer in (0, 1)]
        seen = f"keys of shape {after[0][0].shape} for the rows {picks}"
    except StudentFailed as why:
        holds, seen, after = [False, False], str(why), []
    yield claim(
        "after reorder, row b of every layer is what row rows[b] was, and goes on by itself",
        all(holds),
        points=0.5,
        saw=seen if not all(holds) else "",
        asks="k[rows] and v[rows] for each layer; a row may be taken twice",
        advice=[
            share,
            when(
                holds == [True, False],
                "one-layer-reordered",
                "only the first layer is reordered: all of them belong to the row",
            ),
            when(
                bool(after) and all(a.shape[0] == 3 for a in after[0]),
                "values-not-reordered",
                "keys and values belong together: reorder both, by rows[b], in all layers",
            ),
            when(not after, "not-reordered", "the batch is the FIRST axis: k[rows], v[rows]"),
            *advice,
            "pick rows of the batch, for keys and values, in every layer",
        ],
        see=see,
    )

    fresh, own, kept_whole, turned_well, failed = shared, False, False, False, ""
    try:
        cache, other = Cache(), Cache()
        kept = cache.append(0, tensor(layers[0][0][0]), tensor(layers[0][0][1]))
        before = [expect_array(a, None, "float", "keys").copy() for a in kept]
        append(cache, 0, layers[0][1])
        fresh = fresh or rows_of(other)
        own = not fresh and equal(append(other, 0, layers[0][2]), behind([layers[0][2]]))
        kept_whole = equal(before, behind([layers[0][0]]))
        cache.reorder(torch.tensor([1, 0]))
        whole = behind([layers[0][0], layers[0][1]])
        turned = [
            np.concatenate([w[[1, 0]], n.astype(np.float32)], 2)
            for w, n in zip(whole, layers[0][2], strict=True)
        ]
        turned_well = equal(append(cache, 0, layers[0][2]), turned)
    except StudentFailed as why:
        failed = str(why)
    yield claim(
        "a new cache is empty and its own, and nothing that was kept is written over",
        own and kept_whole and turned_well,
        points=0.5,
        saw=f"a fresh cache of {fresh} tokens"
        if fresh
        else failed
        or (
            "other keys after appending and reordering in turn"
            if own
            else "a cache that another one has changed"
        ),
        asks="append and reorder in any order, each cache by itself",
        advice=[*advice, "make new tensors; never write into those that were handed out"],
        see=see,
    )


@checks("generate_cached", lesson=LESSON, points=2)
def each_token_is_read_once(generate_cached: Standin, draw: Draw) -> Iterator[Claim]:
    """The same text for less reading."""
    see = "Exercise 8: do not read it all again"
    V = draw.integer(7, 9)
    ours, cases, failed = Secret(draw, V, 40), [], ""
    for B, T, count in ((1, 4, 4), (3, draw.integer(4, 6), 7), (2, 1, 5), (2, 3, 0)):
        tokens = draw.rng.integers(0, V, size=(B, T))
        try:
            got = written_by(generate_cached, ours, tokens, count)
        except StudentFailed as why:
            got, failed = np.zeros((0, 0)), failed or str(why)
        cases.append((tokens, count, got, list(ours.calls)))
    fits = all(np.array_equal(got, written(ours, t, n)) for t, n, got, _ in cases)
    tokens, count, got, calls = cases[0]
    read = [sum(n for _, n, _ in c) for *_, c in cases]
    wanted = [t.shape[1] + n - 1 if n else 0 for t, n, *_ in cases]
    passes = [len(c) for *_, c in cases]
    unused = all(before == 0 for *_, c in cases for *_, before in c)
    again = any(n > 1 and before > 0 for *_, c in cases for _, n, before in c)
    draws_good, saw, named = (False, "", "") if not fits else _drawn(generate_cached, draw)
    advice: list[str | Advice] = [
        when(
            unused and calls and all(p >= n for p, (_, n, *_) in zip(passes, cases, strict=True)),
            "cache-unused" if read[0] > wanted[0] else "prompt-lost",
            "the cache is empty at every pass: make one before the loop, and hand it to the model"
            if read[0] > wanted[0]
            else "single tokens are read without what came before them",
        ),
        when(
            again,
            "read-again",
            "tokens that are in the cache are read again: give the model seen[:, cache.length :]",
        ),
    ]
    yield claim(
        "the text is the one that reading everything again gives, drawn or likeliest",
        fits and draws_good,
        points=0.5,
        saw=failed
        or saw
        or f"{got.reshape(-1)[:12].tolist()} for the prompt {tokens[0].tolist()} and {count} more",
        asks="equal tokens: the cache holds what the past would give again",
        advice=[
            *[when(n == named, n, text) for n, text in _ON_DRAWS.items()],
            *advice,
            "compare with generate on the same prompt, pass by pass",
        ],
        see=see,
    )
    yield claim(
        "each token is read once: T + count − 1 of them, in count passes",
        fits and read == wanted and passes == [n for _, n, *_ in cases],
        points=1,
        saw=failed
        or f"{read[0]} tokens read in {passes[0]} passes, for a prompt of {tokens.shape[1]} and "
        f"{count} more",
        asks=f"{wanted[0]} tokens: the prompt at first, and then one at a time",
        advice=[*advice, "the first pass reads the prompt; every later one the newest token"],
        see=see,
    )
    good, saw, named = _beyond(generate_cached, draw, cached=True)
    yield claim(
        "when the window jumps, it is read afresh into an empty cache",
        good,
        points=0.5,
        saw=saw,
        asks="after a jump all positions are others: one longer pass, then single tokens again",
        advice=[
            *advice,
            *[when(n == named, n, text) for n, text in _ON_WINDOWS.items()],
            "compare the window's length with cache.length",
        ],
        see=see,
    )


# --- find_the_leak --------------------------------------------------------------------------------


def suspects_who_answer(who: dict[str, str], asked: set[str]) -> Callable[..., Any]:
    """Answers what suspects (name → habit) are asked: logits, or the gradients of what reads them.

    A question brings the weights along, so that those who ask may change them as they like. `asked`
    collects the names of those who were.
    """

    def answer(kind: Any, name: Any, x: Any, given: Any, slope: Any = None) -> Any:
        model = Suspect(who[name] if isinstance(name, str) and name in who else "")
        config, known = model.config, later_parameters(model)
        sizes = {n: tuple(p.shape) for n, p in known.items()}
        length, size = config["n_positions"], config["n_embd"]
        good = (
            isinstance(x, torch.Tensor)
            and x.dtype in (torch.float32, torch.float64)
            and x.ndim == 3
            and 1 <= x.shape[1] <= length
            and x.shape[2] == size
            and x.shape[0] <= 2_000
            and isinstance(given, dict)
            and {n: tuple(getattr(p, "shape", ())) for n, p in given.items()} == sizes
            and all(isinstance(p, torch.Tensor) and p.dtype == x.dtype for p in given.values())
        )
        if not good:
            raise ValueError("a model was called on something else than the text it embeds")
        for n, p in known.items():
            p.data = given[n].clone()
        asked.add(str(name))
        x = x.clone().requires_grad_(kind == "gradients")
        with torch.set_grad_enabled(kind == "gradients"):
            logits = model.beyond(x)
        if kind != "gradients":
            return logits
        if not isinstance(slope, torch.Tensor) or slope.shape != logits.shape:
            raise ValueError("a gradient has another shape than the logits")
        on = torch.autograd.grad(logits, [x, *known.values()], slope.to(x.dtype), allow_unused=True)
        return on[0], dict(zip(known, on[1:], strict=True))

    return answer


@checks("find_the_leak", lesson=LESSON, points=2)
def two_of_the_five_peek(find_the_leak: Standin, draw: Draw) -> Iterator[Claim]:
    """Models that see the future are told from those that do not, by running them."""
    see = "Exercise 9: two of the five peek"
    unheard: list[str] = []  # accused, and never asked anything

    def round_of(habits: Sequence[str]) -> tuple[dict[str, str], set[str]]:
        names = [str(n) for n in draw.rng.choice(NAMES, size=5, replace=False)]
        planted = [*habits, *[""] * (5 - len(habits))]
        planted = [planted[i] for i in draw.permutation(5)]
        who = dict(zip(names, planted, strict=True))
        seeds = [draw.integer(0, 2**31) for _ in who]
        asked: set[str] = set()
        answer = answered(
            begin_search(find_the_leak, names, seeds), suspects_who_answer(who, asked)
        )
        if isinstance(answer, dict):
            raise WrongKind("find_the_leak should return a list of names: got a dict")
        try:
            named = list(answer)
        except TypeError:
            raise WrongKind("find_the_leak should return a list of names") from None
        if not all(isinstance(n, str) for n in named):
            raise WrongKind("find_the_leak should return a list of names, each a str")
        unheard.extend(n for n in named if n in who and n not in asked)
        return who, set(named)

    def judged(rounds: Sequence[Sequence[str]]) -> tuple[list[str], list[str], int]:
        missed, accused, everyone = [], [], 0
        for habits in rounds:
            who, named = round_of(habits)
            missed += [h for n, h in who.items() if h and n not in named]
            accused += [n for n in named if not who.get(n)]
            everyone += named >= set(who)
        return missed, accused, everyone

    described = {
        "shifted": "one token ahead",
        "late": "the future in the second half of its positions",
        "centered": "the mean over the whole text",
        "gated": "the future through a gate that is closed as yet",
        "rounded": "the future through a rounding",
    }
    plain = [("shifted", "centered"), ("late", draw.choice(("shifted", "centered")))]
    hidden = [("gated", "rounded"), (draw.choice(LEAKS[:3]), draw.choice(LEAKS[3:]))]
    results = [judged(plain), judged(hidden)]
    missed, accused, everyone = (
        sum((r[i] for r in results), type(results[0][i])()) for i in range(3)
    )
    advice: list[str | Advice] = [
        when(
            everyone == 4,
            "own-token-forbidden",
            "you accuse everyone: logits at t are about token t + 1 and may see token t, own=True",
        ),
        when(
            not accused and len(missed) == 8,
            "nobody-accused",
            "you accuse nobody: ask the map for what is seen and not allowed",
        ),
        when(
            not accused and set(missed) == {"late"},
            "too-short",
            "one mask is right for short texts only: test with n_positions tokens",
        ),
        when(
            not accused and set(missed) == {"gated"},
            "closed-gate",
            "a gate that is 0 today hides its path: dependency_map draws fresh weights, unless "
            "you tell it not to",
        ),
        when(
            not accused and set(missed) == {"rounded"},
            "gradients-only",
            "a gradient is zero behind a rounding: exchange tokens, and compare the logits",
        ),
        when(
            not accused and set(missed) == {"gated", "rounded"},
            "gradients-only",
            "gradients are zero behind a rounding and a closed gate: exchange tokens, with fresh "
            "weights",
        ),
        when(
            not accused and {"shifted"} < set(missed) and "centered" not in missed,
            "first-position-only",
            "you look at few positions: any output may leak",
        ),
    ]

    def told(result: tuple[list[str], list[str], int]) -> str:
        lost, wrong, _ = result
        if lost:
            return f"a model goes free that sees {described[lost[0]]}"
        return f"{len(set(wrong))} honest models are accused" if wrong else ""

    for result, text in (
        (
            results[0],
            "leaks one token ahead, by a mean, and in late positions are found, and only they",
        ),
        (results[1], "leaks behind a closed gate and behind a rounding are found, and only they"),
    ):
        yield claim(
            text,
            not result[0] and not result[1],
            points=1,
            saw=told(result),
            asks="the two of the five whose outputs change with a later token",
            waits=waits_unless(not unheard, "a question to each model before it is accused"),
            advice=[*advice, "look at dependency_map(…).summary(own=True) of each"],
            see=see,
        )
