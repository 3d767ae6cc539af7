"""Checks of lesson 12, GPT-2: attention, blocks, the whole model, its weights, and writing with it.

Notation: q (…, T, d), k (…, S, d), v (…, S, E), S ≥ T; width C, H heads (Vaswani et al., 2017,
equation 1; Radford et al., 2019, section 2.3: the norm before each part, and one after the last).
"""

from __future__ import annotations

import functools
import itertools
import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch

from autograder import claim, expect_array, when
from autograder.checking import checks
from autograder.checks.arguments import COSTS, untouched
from autograder.checks.gradients import in_full, uncut
from autograder.checks.numbers import SMALL, log_softmax, softmax
from autograder.checks.witness import (
    KNOW_EACH_OTHER,
    hang_together,
    shared_in_pairs,
    waits_unless,
)
from autograder.claims import Advice, Cause, Claim, waiting
from autograder.diagnosis import Mistake, Property, Subject, Symptom, examine
from autograder.diagnosis.examine import shown
from autograder.diagnosis.mistakes import Observation, alike, several
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
    gradient_of_logits,
    later_parameters,
    parameters_without_gradient,
    rows_of,
    slopes_in_logits,
    toy,
    with_attention_off,
    with_witness,
)
from autograder.remote.callbacks import answered, whole_numbers
from autograder.remote.proxy import Standin, StudentFailed, WrongKind, made_by, note
from course.causality import dependency_map, past

LESSON = "12_gpt2"

Weights = dict[str, np.ndarray]
Said = Iterator[Claim | Cause]


# --- small things ---------------------------------------------------------------------------------


def tensor(array: Any) -> torch.Tensor:
    """The array as a tensor: floats in single precision, ids as int64."""
    made = torch.tensor(np.asarray(array))
    return made.float() if made.is_floating_point() else made.long()


def close(a: Any, b: Any, tolerance: float = 2e-4) -> bool:
    """Equal in shape, and in value up to `tolerance` of b's size; NaN equals NaN. Texts are not."""
    if isinstance(a, str) or isinstance(b, str) or np.shape(a) != np.shape(b):
        return False
    finite = np.asarray(b)[np.isfinite(b)]
    size = max(1.0, float(np.abs(finite).max(initial=0.0)))
    return bool(np.allclose(a, b, rtol=0, atol=tolerance * size, equal_nan=True))


def single(array: np.ndarray) -> np.ndarray:
    """The numbers as they are in single precision."""
    return array.astype(np.float32).astype(np.float64)


def within(where: str, mistakes: Sequence[Mistake]) -> tuple[Mistake, ...]:
    """Mistakes of a part, as those of what is built of it: the ones that are options."""
    return tuple(replace(m, advice=f"{where}: {m.advice}") for m in mistakes if m.options)


# --- causal_attention -----------------------------------------------------------------------------


def may_see(queries: int, keys: int) -> np.ndarray:
    """bool (T, S): query i stands at position S − T + i."""
    return np.arange(keys)[None, :] <= np.arange(keys - queries, keys)[:, None]


def attention(
    q: np.ndarray,
    k: np.ndarray,
    v: np.ndarray,
    *,
    mask: Callable[..., np.ndarray] | None = None,
    scale: Callable[..., float] | None = None,
    fill: float = -np.inf,
    added: bool = False,
    axis: int = -1,
    weigh: Callable[..., np.ndarray] | None = None,
    zeros: bool = False,
) -> np.ndarray:
    """Causal attention (…, T, E). Each option turns one thing of it wrong.

    `mask(q, k)` and `scale(q, k)` stand in the place of the triangle and of 1/√d, `weigh` in that
    of the softmax. Forbidden scores become `fill`, or with `added` lose so much; with `zeros` it is
    the weights that become 0, after the softmax.
    """
    allowed = may_see(q.shape[-2], k.shape[-2]) if mask is None else mask(q, k)
    scores = q @ np.swapaxes(k, -1, -2)
    scores = scores / math.sqrt(q.shape[-1]) if scale is None else scores * scale(q, k)
    if zeros:
        return softmax(scores, axis) * allowed @ v
    scores = np.where(allowed, scores, scores + fill if added else fill)
    return (softmax(scores, axis) if weigh is None else weigh(scores, allowed)) @ v


def triangle(shift: int, *, from_the_left: bool = False) -> Callable[..., np.ndarray]:
    """The mask whose diagonal is `shift` too generous, or one that takes queries for the first."""

    def mask(q: np.ndarray, k: np.ndarray) -> np.ndarray:
        T, S = q.shape[-2], k.shape[-2]
        return np.tril(np.ones((T, S), dtype=bool), shift + (0 if from_the_left else S - T))

    return mask


def everything(q: np.ndarray, k: np.ndarray) -> np.ndarray:
    """No mask."""
    return np.ones((q.shape[-2], k.shape[-2]), dtype=bool)


def plain_exponentials(scores: np.ndarray, allowed: np.ndarray) -> np.ndarray:
    """A softmax in single precision that subtracts nothing."""
    e = np.exp(scores.astype(np.float32))
    return e / e.sum(-1, keepdims=True)


def with_one_more(scores: np.ndarray, allowed: np.ndarray) -> np.ndarray:
    """A softmax with 1 more in the denominator, as if one more key had a score of 0."""
    top = np.maximum(scores.max(-1, keepdims=True), 0)
    e = np.exp(scores - top)
    return e / (np.exp(-top) + e.sum(-1, keepdims=True))


def of_length_one(root: bool) -> Callable[..., np.ndarray]:
    """The scale that makes queries and keys vectors of length 1, with the root of d or without."""

    def scale(q: np.ndarray, k: np.ndarray) -> np.ndarray:
        lengths = [np.maximum(np.linalg.norm(a, axis=-1), 1e-12) for a in (q, k)]
        both = lengths[0][..., :, None] * lengths[1][..., None, :]
        return 1 / both / (math.sqrt(q.shape[-1]) if root else 1)

    return scale


_FINITE = (
    "your mask is a large negative NUMBER, and scores can be larger: only −∞ is beyond all of them"
)
_ATTENTION = (
    Mistake("mask-after-softmax", "you set weights to zero AFTER the softmax: rows no longer sum "
        "to 1, and the denominator still contains the future; forbidden scores must be −∞ before "
        "it", options={"zeros": True}),
    Mistake("no-mask", "there is no mask at work: every position sees the whole text",
        options={"mask": everything}),
    Mistake("masked-where-square", "fewer queries than keys, and nothing is masked: with a cache, "
        "too, the first of several new tokens must not see the next ones", options={"mask":
        lambda q, k: may_see(q.shape[-2], k.shape[-2]) if q.shape[-2] == k.shape[-2]
        else everything(q, k)}),
    Mistake("queries-taken-for-the-first", "one query sees every key, and several are taken for "
        "the FIRST positions: they are the last ones, so the mask's diagonal moves by S − T",
        options={"mask": lambda q, k: everything(q, k) if q.shape[-2] == 1
        else triangle(0, from_the_left=True)(q, k)}),
    Mistake("triu-for-tril", "your mask is upside down: it keeps the future and forbids the past",
        options={"mask": lambda q, k: np.triu(everything(q, k), k.shape[-2] - q.shape[-2])}),
    Mistake("triu-for-tril", "your mask is upside down: it keeps the future, and forbids the past "
        "and oneself", options={"mask": lambda q, k: ~may_see(q.shape[-2], k.shape[-2])}),
    Mistake("triu-for-tril", "your mask is upside down: it keeps the future, and forbids the past "
        "and oneself (a bool mask of scaled_dot_product_attention says who MAY be seen)",
        gives=lambda q, k, v: np.nan_to_num(attention(q, k, v, mask=lambda q, k: ~may_see(
            q.shape[-2], k.shape[-2])))),
    Mistake("mask-with-zero", "a score of 0, or next to it, is no mask: e^0 = 1 is a weight "
        "like any other; use −∞",
        options={"fill": 0.0}),
    *(Mistake(name, advice, options={"scale": scale}) for name, advice, scale in (("no-scale",
        "the division by √d is missing", lambda q, k: 1.0), ("scaled-by-d", "you divide by d: it "
        "is its square root", lambda q, k: 1 / q.shape[-1]), ("scaled-by-model-width", "you "
        "divide by the root of the model's width: d is the length of ONE head's queries", lambda q,
        k: (q.shape[-1] * (q.shape[-3] if q.ndim > 2 else 1)) ** -0.5), ("scaled-by-length", "you "
        "divide by the root of the number of positions: d is the length of a query", lambda q, k:
        k.shape[-2] ** -0.5), ("scale-multiplied", "you multiply by √d: divide", lambda q, k:
        q.shape[-1] ** 0.5))),
    Mistake("softmax-over-queries", "your softmax runs over the queries: the weights of ONE query "
        "over all its keys sum to 1", options={"axis": -2}),
    Mistake("sees-one-ahead", "position i sees i + 1: the mask is one diagonal too generous",
        options={"mask": triangle(1)}),
    Mistake("masks-itself", "your mask forbids a position to see itself, and leaves nothing to "
        "the first: j ≤ i is allowed, the diagonal included", options={"mask": triangle(-1)}),
    Mistake("queries-taken-for-the-first", "with fewer queries than keys your mask starts at the "
        "top left, as if the queries were the first positions: they are the LAST ones, and the "
        "last query sees every key", options={"mask": triangle(0, from_the_left=True)}),
    *(Mistake("looks-back-so-far", "a position sees a few of those before it, and not all: j ≤ i "
        "is allowed, however far back", options={"mask": lambda q, k, n=n:
        may_see(q.shape[-2], k.shape[-2]) & ~triangle(-n)(q, k)}) for n in (2, 4, 8, 16, 32)),
    Mistake("mask-in-some-shapes-only", "your mask is at work only where q has four axes: "
        "whatever stands before the last two axes, each text has its future", options={"mask":
        lambda q, k: (may_see(q.shape[-2], k.shape[-2]) if q.ndim == 4 else everything(q, k))}),
    Mistake("one-more-in-the-sum", "the denominator has 1 more than the sum, so that the weights "
        "of a row sum to less than 1: divide by their own sum", options={"weigh": with_one_more}),
    *(Mistake("queries-of-length-one", "queries and keys are made vectors of length 1 first: they "
        "go into the product as they are", options={"scale": of_length_one(root)}) for root in (
        True, False)),
    Mistake("no-softmax", "these are scores, not weights: the softmax is missing",
        options={"weigh": lambda scores, allowed: np.where(allowed, scores, 0)}),
    Mistake("exp-overflows", "e^1000 is no number: subtract the largest score first, as "
        "torch.softmax does", options={"weigh": plain_exponentials}),
    Mistake("zero-times-infinity", "every number that you give is NaN. A mask multiplied by "
        "−∞ does that, since 0 · (−∞) is NaN: choose the forbidden scores, do not multiply",
        gives=lambda q, k, v: np.full((*q.shape[:-1], v.shape[-1]), np.nan)),
    *(Mistake("finite-mask", _FINITE, options={"fill": float(-size)}) for size in (1e2, 1e3, 1e4,
        65504, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10)),
    *(Mistake("finite-mask", _FINITE, options={"fill": float(-size), "added": True}) for size in
        (1, 10, 1e2, 1e3)),
    Mistake("scaled-by-values", "you divide by the root of the values' length: d is that of the "
        "queries", gives=lambda q, k, v, **wrong: attention(
            q, k, v, **{"scale": lambda *_: v.shape[-1] ** -0.5, **wrong})),
    Mistake("keys-for-values", "you average the keys: the weights are for the values", gives=lambda
        q, k, v, **wrong: attention(q, k, k, **wrong)),
    Mistake("queries-and-keys-swapped", "queries and keys have changed places: row i of the "
        "weights belongs to QUERY i", gives=lambda q, k, v, **wrong: attention(k, q, v, **wrong)),
)  # fmt: skip


def _anew(seen: Sequence[Observation]) -> bool:
    """Whether one and the same question got two answers."""
    return any(
        isinstance(a.answer, np.ndarray)
        and isinstance(b.answer, np.ndarray)
        and all(x is y for x, y in zip(a.args, b.args, strict=True))
        and not np.array_equal(a.answer, b.answer, equal_nan=True)
        for a, b in itertools.combinations(seen, 2)
    )


_RANDOM = Symptom(
    "random-answer",
    "the same arguments give another answer each time: something is drawn on the way (a dropout "
    "that is on, or a layer made anew in each call)",
    _anew,
)
_ON_SHAPES = (
    _RANDOM,
    Symptom("one-length-only", "your function stops when q and k differ in length: scores and mask "
        "have shape (T, S), with as many columns as there are keys", lambda seen:
        any(isinstance(o.answer, str) for o in seen) and not any(
            o.fails and not isinstance(o.answer, str) for o in seen)),
)  # fmt: skip


def attention_case(
    draw: Draw, lead: tuple[int, ...], T: int, S: int, d: int, E: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Random q, k and v."""
    shapes = ((*lead, T, d), (*lead, S, d), (*lead, S, E))
    q, k, v = (draw.normal(*shape, scale=1.4) + 0.25 for shape in shapes)
    return single(q), single(k), single(v)


def square_cases(draw: Draw) -> list[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """As many queries as keys; in one case values of another length, in one a long text."""
    T, d = draw.integer(4, 6), draw.integer(3, 5)
    sizes = (((2, 3), T, T, d, d), ((1, 2), 3, 3, 4, 3), ((), 5, 5, 6, 6), ((1,), 40, 40, 2, 2))
    cases = [attention_case(draw, *size) for size in sizes]
    return [*cases, cases[0]]


def weights_asked(draw: Draw) -> list[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """The identity for values, so that answers ARE weights; two texts differ in the last key."""
    cases = []
    for _ in range(2):
        S = draw.integer(5, 7)
        q, k, _ = attention_case(draw, (2, 2), S, S, S, 1)
        q[1], k[1] = q[0], k[0]
        k[1, ..., -1, :] += 2.0
        cases.append((q, k, np.broadcast_to(np.eye(S), (2, 2, S, S)).copy()))
    return cases


def off_as_weights(weights: np.ndarray, S: int) -> str:
    """What is wrong with weights (2, 2, S, S) of two texts that differ in the last key, or ""."""
    if np.isnan(weights).any():
        return "weights that are no numbers"
    allowed = may_see(S, S)
    leak = np.argwhere((weights != 0) & ~allowed)
    gap = np.argwhere(~(weights > 0) & allowed)
    sums = weights.sum(-1)
    if len(leak):
        return f"weights of position {leak[0][-2] + 1} on position {leak[0][-1] + 1}"
    if not np.allclose(sums, 1, atol=1e-4):
        return f"rows of weights that sum to {shown(sums[0, 0])}"
    if len(gap):
        return f"no weight of position {gap[0][-2] + 1} on position {gap[0][-1] + 1}"
    if not np.allclose(weights[0, :, :-1], weights[1, :, :-1], atol=1e-5):
        return "weights of the past that change with the last key"
    return ""


def short_cases(draw: Draw) -> list[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Fewer queries than keys, and one of each."""
    S = draw.integer(5, 7)
    sizes = (((2, 2), 1, S, 4, 4), ((1, 3), draw.integer(2, 3), S, 3, 3), ((1, 1), 1, 1, 2, 2))
    sizes += (((1, 2), 3, S, 4, 3),)
    return [attention_case(draw, *size) for size in sizes]


def large_cases(draw: Draw) -> list[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Scores near −3·10^10, and a first key that outweighs the others by e^500.

    The future never outweighs the past by so much: weights that become 0 after the softmax and are
    normalized again are the same weights, up to rounding.
    """
    huge, early = (attention_case(draw, (1, 2), 4, 4, 4, 4) for _ in range(2))
    huge[0][..., 0], huge[1][..., 0] = 2.0e5, -np.array([3.0e5, 3.1e5, 3.2e5, 3.3e5])
    early[0][..., 0], early[1][..., 0] = 30.0, np.array([40.0, 2.0, 1.0, 0.0])
    return [huge, early]


def smaller_attentions(q: np.ndarray, k: np.ndarray, v: np.ndarray) -> Iterator[tuple]:
    """One position, two, one query of two, and three; small whole numbers."""
    keys = np.array([[0.0, 0, 0, 0], [1, 1, 0, 0], [2, 0, 1, 1]])
    queries, values = np.array([[2.0, 0, 1, 1], [1, 2, 0, 1], [1, 1, 1, 1]]), np.eye(4)[:3] * 8
    for T, S in ((1, 1), (2, 2), (1, 2), (3, 3)):
        if T * S < q.size * k.size / 16:
            yield queries[S - T : S], keys[:S], values[:S]
            if v.shape[-1] != q.shape[-1] and S > 1:
                yield queries[S - T : S], keys[:S], values[:S, :1]


def attention_by_hand(q: np.ndarray, k: np.ndarray, v: np.ndarray) -> str:
    """The last query's steps, where there are at most three keys."""
    if q.ndim != 2 or len(k) > 3:
        return ""
    scores = k @ q[-1] / math.sqrt(q.shape[-1])
    answer = shown(softmax(scores) @ v)
    return (
        f"the last query's scores q·k/√d: {shown(scores)}; its weights, e^score over their sum: "
        f"{shown(softmax(scores))}; times the values: {answer}"
    )


@checks("causal_attention", lesson=LESSON, points=4, see="Exercise 1: attention that looks back")
def attention_that_looks_back(causal_attention: Standin, draw: Draw) -> Said:
    """Weighted means of values, over the past and oneself."""

    def ask(q: np.ndarray, k: np.ndarray, v: np.ndarray) -> Any:
        usual = v.shape[-1] == q.shape[-1]  # else an answer as long as a key tells what it is
        wanted = (*q.shape[:-1], v.shape[-1]) if usual else None
        try:
            answer = untouched(causal_attention)(tensor(q), tensor(k), tensor(v))
            return expect_array(answer, wanted, "float", "the answer")
        except (StudentFailed, WrongKind) as why:
            if q.shape[-2] == k.shape[-2]:
                raise
            return str(why)

    yield from examine(
        Subject(
            ask,
            attention,
            mistakes=_ATTENTION,
            symptoms=_ON_SHAPES,
            show=lambda q, k, v: f"q {q.shape}, k {k.shape} and v {v.shape}",
            told=lambda a: a if isinstance(a, str) else shown(a),
            by_hand=attention_by_hand,
            smaller=smaller_attentions,
            alike=close,
        ),
        draw,
        Property(
            "mean",
            "y_i is the mean of the values at j ≤ i, weighted by softmax(q_i · k_j / √d)",
            square_cases,
            points=1.5,
            asks="scores over √d, −∞ where j > i, softmax over the keys, times the values",
        ),
        Property(
            "weights",
            "the weights are a distribution over past and present, blind to the future",
            weights_asked,
            points=1,
            asks="rows that sum to 1; exact zeros for j > i, something for every j ≤ i; and "
            "nothing that a later key could change",
            typical=False,
            alike=lambda a, b: not off_as_weights(a, b.shape[-1]) if b.ndim == 4 else close(a, b),
            saw=lambda a, b, *_: off_as_weights(a, b.shape[-1]),
        ),
        Property(
            "last",
            "with fewer queries than keys, the queries are the last positions",
            short_cases,
            points=1,
            asks="what the last rows of as many queries as keys are",
            needs="mean",
        ),
        Property(
            "large",
            "no score is so large that it gets past the mask or overflows",
            large_cases,
            points=0.5,
            asks="a mean of the values at j ≤ i, whatever the scores",
            typical=False,
            needs="mean",
        ),
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
    return {name: single(value) for name, value in w.items()}


@functools.cache
def made_again() -> Weights:
    """The numbers of Block({"n_embd": 4, "n_head": 2}, 0) behind torch.manual_seed(0)."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        sizes = {n: _WIDE.get(n, (1, 1)) for n in ("q", "k", "v", "out", "up", "down")}
        parts = {n: torch.nn.Linear(4 * c, 4 * r) for n, (r, c) in sizes.items()}
    parts = {"ln_1": torch.nn.LayerNorm(4), "ln_2": torch.nn.LayerNorm(4)} | parts
    return {
        f"{name}.{kind}": single(getattr(part, kind).detach().numpy())
        for name, part in parts.items()
        for kind in ("weight", "bias")
    }


def smaller_blocks(x: np.ndarray, w: Weights, heads: int) -> Iterator[tuple]:
    """One position and two, of a block that the reader can make again, or of these weights."""
    again = np.array([[[1.0, 2, 3, 4], [8, 6, 5, 7]]])
    sizes = [t for t in (1, 2) if again[:, :t].size < x.size]
    yield from ((again[:, :t], made_again(), 2) for t in sizes)
    if w is not made_again():
        yield from ((x[:1, :t], w, heads) for t in (1, 2) if x[:1, :t].size < x.size)


def show_block(x: np.ndarray, w: Weights, heads: int) -> str:
    """A case in words: Python's, for a block that can be made again."""
    if w is not made_again():
        return f"x of shape {x.shape} with {heads} heads: {shown(x[0])}"
    rows = [[f"{v:g}." for v in row] for row in x[0]]
    return (
        'torch.manual_seed(0); block = Block({"n_embd": 4, "n_head": 2}, 0); '
        f"block(torch.tensor([[{', '.join('[' + ', '.join(row) + ']' for row in rows)}]]))"
    )


def fill(model: Any, weights: Weights) -> None:
    """Writes the numbers into a model (or a stand-in for one), under the lesson's names.

    Buffers that it has (a stored mask) stay as they are; a parameter that stands in it under a
    second name (a tied head) gets the same numbers there.
    """
    state = model.state_dict()
    kept = {name: state[name] for name, _ in model.named_buffers() if name in state}
    new = {name: tensor(value) for name, value in weights.items()}
    second = state.keys() - kept.keys() - {name for name, _ in model.named_parameters()}
    tied = {
        name: new[first]
        for name in second
        for first in new.keys() & state.keys() - second
        if torch.equal(state[name], state[first])
    }
    model.load_state_dict(kept | new | tied)


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


def split_heads(y: np.ndarray, heads: int, how: str = "") -> np.ndarray:
    """(B, T, C) → (B, H, T, C/H); `how` gives the usual mistakes."""
    B, T, C = y.shape
    if how == "one":
        return y[:, None]
    if how == "view":
        return y.reshape(B, heads, T, C // heads)
    if how == "interleaved":
        return y.reshape(B, T, C // heads, heads).transpose(0, 3, 1, 2)
    if how == "width":
        return y.reshape(B, T, C // heads, heads).transpose(0, 2, 1, 3)
    return y.reshape(B, T, heads, C // heads).transpose(0, 2, 1, 3)


def block_by_rule(
    x: np.ndarray,
    w: Weights,
    heads: int,
    *,
    post: bool = False,
    first_norm: str = "ln_1",
    second_norm: str = "ln_2",
    split: str = "",
    merge: bool = True,
    back: bool = False,
    parts: str = "qkv",
    raw: str = "",
    maps: bool = True,
    out: bool = True,
    adds: tuple[bool, bool] = (True, True),
    parallel: bool = False,
    from_normed: bool = False,
    first_from_normed: bool = False,
    act: Callable[[np.ndarray], np.ndarray] | None = None,
    act_early: bool = False,
    act_late: bool = False,
    **wrong: Any,
) -> np.ndarray:
    """A block's output (B, T, C). Each option turns one thing wrong, `wrong` the attention's.

    `first_norm` and `second_norm` name the norms ("": none), `parts` what serves as queries, keys
    and values (LN₁(x) itself without `maps`), `adds` whether the two parts are added to what they
    read (to what its norm gave, with `first_from_normed` and `from_normed`); with `post`, the norms
    stand behind the sums. Of the parts named in `raw` x itself is mapped; with `back`, heads are
    merged as interleaved ones are split.
    """

    def normed(y: np.ndarray, name: str) -> np.ndarray:
        return norm(y, w[f"{name}.weight"], w[f"{name}.bias"]) if name else y

    read = x if post else normed(x, first_norm)
    given = {name: x if name in raw else read for name in parts}
    q, k, v = (split_heads(linear(given[n], w, n) if maps else read, heads, split) for n in parts)
    y = attention(q, k, v, **wrong)
    y = y.transpose((0, 2, 3, 1) if back else (0, 2, 1, 3)) if merge else y
    y = y.reshape(x.shape)
    y = linear(y, w, "out") if out else y
    x, old = ((read if first_from_normed else x) + y if adds[0] else y), x
    x = normed(x, first_norm) if post else x
    read = old if parallel else x
    read = read if post else normed(read, second_norm)
    x = read if from_normed else x
    act = gelu if act is None else act
    more = linear(act(read), w, "up") if act_early else linear(read, w, "up")
    more = linear(more if act_early or act_late else act(more), w, "down")
    more = act(more) if act_late else more
    x = x + more if adds[1] else more
    return normed(x, second_norm) if post else x


_BLOCK = (
    Mistake("heads-without-transpose", "you cut the heads in one view: a head then holds pieces "
        "of one token; first every token's own C numbers are cut, then heads and time change "
        "places", options={"split": "view", "merge": False}),
    Mistake("heads-without-transpose", "you cut the heads in one view: a head then holds pieces "
        "of one token; first every token's own C numbers are cut, then heads and time change "
        "places", options={"split": "view"}),
    Mistake("heads-interleaved", "your heads take every H-th number: head 1 is the FIRST C/H of "
        "them", options={"split": "interleaved"}),
    Mistake("heads-interleaved", "your heads take every H-th number: head 1 is the FIRST C/H of "
        "them", options={"split": "interleaved", "back": True}),
    *(Mistake("no-first-norm", f"{who} made of x itself: q, k and v are all made of LN₁(x)",
        options={"raw": raw}) for who, raw in (("the values are", "v"), ("the queries are", "q"),
        ("the keys are", "k"), ("keys and values are", "kv"))),
    Mistake("heads-for-width", "you cut C into C/H heads of width H: H heads of width C/H are "
        "asked", options={"split": "width"}),
    Mistake("one-head", "one head of the whole width is at work: q, k and v are cut into H heads, "
        "each attends by itself", options={"split": "one"}),
    Mistake("merged-by-number", "the heads are merged number by number, the first of each head, "
        "then the second of each: a head's answer comes whole, then that of the next head",
        options={"back": True}),
    Mistake("merged-without-transpose", "the heads are merged without their transpose: bring time "
        "back to axis 1 before you reshape", options={"merge": False}),
    Mistake("post-norm", "you normalize the sum (post-LN): GPT-2 normalizes what goes INTO each "
        "part", options={"post": True}),
    Mistake("no-first-norm", "the attention reads x itself: it should read LN₁(x)",
        options={"first_norm": ""}),
    Mistake("no-second-norm", "the second part reads x itself: it should read LN₂ of it",
        options={"second_norm": ""}),
    Mistake("first-norm-twice", "the second part has a norm of its own, LN₂",
        options={"second_norm": "ln_1"}),
    Mistake("norms-swapped", "the two norms have changed places: LN₁ stands before the attention",
        options={"first_norm": "ln_2", "second_norm": "ln_1"}),
    Mistake("residual-of-the-norm", "the second part's answer is added to what the norm gave: "
        "it is added to x itself", options={"from_normed": True}),
    Mistake("residual-of-the-norm", "the attention's answer is added to what the norm gave: it is "
        "added to x itself", options={"first_from_normed": True}),
    Mistake("no-first-residual", "the attention's answer replaces x: it is added to it",
        options={"adds": (False, True)}),
    Mistake("no-second-residual", "the second part's answer replaces x: it is added to it",
        options={"adds": (True, False)}),
    Mistake("parallel", "the second part reads the old x: it starts from x with the attention "
        "added", options={"parallel": True}),
    Mistake("exact-gelu", "this is the exact GELU: GPT-2 has the form with tanh, which F.gelu "
        "gives if asked for it", options={"act": exact_gelu}),
    *(Mistake(name, f"{what} is at work where the formula has GELU", options={"act": act}) for
        name, what, act in (("relu", "a ReLU", lambda a: np.maximum(a, 0)), ("tanh-for-gelu",
        "a tanh", np.tanh), ("no-activation", "nothing", lambda a: a), ("quick-gelu", "z · σ(1.702 "
        "z), another approximation,", lambda a: a / (1 + np.exp(-1.702 * a))), ("silu", "SiLU, "
        "z · σ(z),", lambda a: a / (1 + np.exp(-a))))),
    Mistake("gelu-too-early", "GELU stands before up: the order is down(GELU(up(…)))",
        options={"act_early": True}),
    Mistake("gelu-too-late", "GELU stands behind down: the order is down(GELU(up(…)))",
        options={"act_late": True}),
    Mistake("no-maps-to-qkv", "queries, keys and values are LN₁(x) itself: each is a linear map of "
        "it, self.q, self.k or self.v", options={"maps": False}),
    Mistake("out-forgotten", "self.out is never used: the merged heads go through it",
        options={"out": False}),
    *(Mistake("qkv-swapped", "queries, keys and values have changed places: their order in the "
        "attention is q, k, v", options={"parts": parts}) for parts in ("kqv", "qvk", "vkq", "kvq",
        "vqk", "qkk", "qqv", "kkv", "vvv")),
    *within("in the attention", _ATTENTION),
)  # fmt: skip


_ITS_FORMULA = "numbers that follow the formula"


def seen_positions(
    text: str, made: Standin, inputs: torch.Tensor, draw: Draw, points: float, **how: Any
) -> Claim:
    """A claim that what comes out at t sees the inputs 1 … t, all of them, and no later one."""
    n = inputs.shape[1]
    seen = dependency_map(
        made, inputs, outputs=-1, expected=past(n, own=True), seed=draw.integer(0, 2**31), **how
    )
    leaks, gaps = seen.forbidden(own=True), seen.missing(own=True)
    return claim(
        text,
        not len(leaks) and not len(gaps) and not seen.rows_mix,
        points=points,
        saw="rows of a batch that change each other"
        if seen.rows_mix
        else f"an output at position {leaks[0][0] + 1} that changes with position {leaks[0][1] + 1}"
        if len(leaks)
        else f"an output at position {gaps[0][0] + 1} that never changes with position "
        f"{gaps[0][1] + 1}"
        if len(gaps)
        else "",
        asks="a triangle: the present and all of the past",
        advice=[
            when(
                seen.rows_mix,
                "rows-mix",
                "each text must be computed for itself: nothing of one row of the batch may reach "
                "another",
            ),
            when(
                len(leaks),
                "leak",
                "a later position gets in: self.attend is the only part that may mix positions, "
                "and it needs time on the axis before the last",
            ),
            "what is missing is lost before self.attend, or after it: follow one position through "
            "your lines",
        ],
    )


@checks("Block", lesson=LESSON, points=2, see="Exercise 2: a block")
def a_block_of_gpt2(Block: Standin, draw: Draw) -> Said:
    """Attention and a two-layer network, each added to what it read."""

    def config(C: int, H: int) -> dict[str, int]:
        return {"n_embd": C, "n_head": H, "n_layer": 2, "n_positions": 16, "vocab_size": 20}

    def filled(w: Weights, H: int) -> Standin:
        block = made_by(Block, config(len(w["ln_1.bias"]), H), 1)
        fill(block, w)
        return block

    def ask(x: np.ndarray, w: Weights, H: int) -> np.ndarray:
        out = untouched(filled(w, H), Block)(tensor(x))
        return expect_array(out, x.shape, "float", "the block's output")

    def cases(draw: Draw) -> list[tuple[np.ndarray, Weights, int]]:
        sizes = ((2, draw.integer(4, 6), 3, draw.choice((2, 4))), (1, 3, 2, 3))
        found = [
            (single(draw.normal(B, T, H * d)), block_weights(draw, H * d), H)
            for B, T, H, d in sizes
        ]
        return [*found, found[0]]

    subject = Subject(
        ask,
        block_by_rule,
        mistakes=_BLOCK,
        symptoms=(_RANDOM,),
        show=show_block,
        smaller=smaller_blocks,
        by_hand=block_by_hand,
        # 3e-5 of the size: the two forms of GELU differ by 5e-4.
        alike=lambda a, b: close(a, b, 3e-5),
    )
    fits = yield from examine(
        subject,
        draw,
        Property(
            "formula",
            "x + out(attention(LN₁ x)), then that + down(GELU(up(LN₂ of it)))",
            cases,
            points=1,
            asks="the norm before each part, heads side by side, both answers added",
        ),
    )
    H, d, T = 3, draw.choice((2, 4)), draw.integer(4, 6)
    yield seen_positions(
        "position t sees positions 1 … t, all of them, and nothing else",
        made_by(Block, config(H * d, H), 0),
        tensor(draw.normal(4, T, H * d)),
        draw,
        0.5,
        perturb="normal",
        together=-1,
    )
    w = block_weights(draw, H * d)
    yield cache_of_a_block(filled(w, H), w, H, single(draw.normal(2, T, H * d)), draw, fits)
    if fits:
        note_who_attends(Block, filled(w, H), w, H, single(draw.normal(1, T, H * d)))


def note_who_attends(Block: Standin, block: Standin, w: Weights, H: int, x: np.ndarray) -> None:
    """Notes it if the block attends by another function than its own `attend`."""
    out = with_attention_off(block, tensor(x))
    if isinstance(out, torch.Tensor) and close(out, block_by_rule(x, w, H), 1e-3):
        note(
            Block,
            claim(
                "self.attend is the attention of the block",
                False,
                id="attend",
                points=COSTS,
                saw="the same answer after self.attend was exchanged for another function",
                asks="self.attend(q, k, v): an experiment will exchange it",
                advice=when(
                    True,
                    "another-attention",
                    "the attention is called by its own name, or written out: call "
                    "self.attend(q, k, v), so that it can be exchanged",
                ),
            ),
        )


def block_by_hand(x: np.ndarray, w: Weights, heads: int) -> str:
    """What the last of one or two positions becomes half-way."""
    if len(x) > 1 or x.shape[1] > 2:
        return ""
    read = norm(x, w["ln_1.weight"], w["ln_1.bias"])
    q, k, v = (split_heads(linear(read, w, n), heads) for n in "qkv")
    merged = attention(q, k, v).transpose(0, 2, 1, 3).reshape(x.shape)[0, -1]
    half = x[0, -1] + linear(merged, w, "out")
    who = (
        "one position attends to itself, so the merged heads are v"
        if x.shape[1] == 1
        else "the last position: the merged heads"
    )
    return (
        f"LN₁(x) = {' and '.join(map(shown, read[0]))}; {who} = {shown(merged)}, and x + out of "
        f"them = {shown(half)}; LN₂ of that = "
        f"{shown(norm(half, w['ln_2.weight'], w['ln_2.bias']))}; then up, GELU, down, added"
    )


_ASKED_OF_CACHES = (
    "k, v = cache.append(self.layer, k, v), once, between the split and the attention"
)


def cache_of_a_block(
    block: Standin, w: Weights, H: int, x: np.ndarray, draw: Draw, fits: bool
) -> Claim:
    """What block 1 hands to a cache, and what it makes of the answer."""
    B, T, C = x.shape
    S = T + draw.integer(2, 3)
    k, v = draw.normal(B, H, S, C // H), draw.normal(B, H, S, C // H)
    text = "with a cache, the new keys and values go there, and all that come back are used"
    try:
        first = with_witness(block, tensor(x), 0)
    except StudentFailed:
        if fits:
            raise
        return waiting(text, _ITS_FORMULA, points=0.5)
    try:
        answer = with_witness(block, tensor(x), S - T, tensor(k), tensor(v))
        single = with_witness(block, tensor(x[:, :1]), S - 1, tensor(k), tensor(v))
    except StudentFailed as why:
        if not fits:
            return waiting(text, _ITS_FORMULA, points=0.5)
        return claim(
            text,
            False,
            points=0.5,
            saw=f"{str(why).rstrip('.')[:160]}, where the cache gives back {S} keys and values for "
            f"{T} queries, and no error where it gives back as many",
            asks=_ASKED_OF_CACHES,
            advice=when(
                True,
                "cache-answer-ignored",
                "where the cache holds earlier tokens, there are more keys and values than "
                "queries: are BOTH those that cache.append returns, and do only the queries have "
                "the length of x?",
            ),
        )
    out, given = answer if isinstance(answer, tuple) and len(answer) == 2 else (None, [])
    out = expect_array(out, x.shape, "float", "the block's output")
    given = given if isinstance(given, list) else []
    read = norm(x, w["ln_1.weight"], w["ln_1.bias"])
    own = {name: split_heads(linear(read, w, name), H) for name in "qkv"}
    y = attention(own["q"], k, v).transpose(0, 2, 1, 3).reshape(x.shape)
    after = x + linear(y, w, "out")
    wide = norm(after, w["ln_2.weight"], w["ln_2.bias"])
    wanted = after + linear(gelu(linear(wide, w, "up")), w, "down")
    asked = len(given) == 1 and isinstance(given[0], tuple) and len(given[0]) == 3
    sent = [expect_array(a, None, "float", "a key or value") for a in given[0][1:]] if asked else []
    shaped = all(s.shape == own["k"].shape for s in sent)
    layer = asked and given[0][0] == 1
    sends = asked and all(close(s, own[n], 1e-3) for s, n in zip(sent, "kv", strict=True))
    uses = close(out, wanted, 1e-3)
    begun = isinstance(first, tuple) and len(first) == 2 and bool(first[1])
    newest = isinstance(single, tuple) and len(single) == 2 and bool(single[1])
    proved = not (asked and layer and shaped and begun and newest)  # whatever the formula gives
    return claim(
        text,
        sends and uses and layer and begun and newest,
        points=0.5,
        saw=f"a cache that is asked {len(given)} times, for {T} tokens"
        if not asked
        else "a cache that is not asked when one token comes"
        if not newest
        else "a cache that holds nothing yet, and is not asked"
        if not begun
        else f"layer {given[0][0]!r} named to the cache by block 1"
        if not layer
        else f"keys of shape {sent[0].shape} and values of shape {sent[1].shape} handed to the "
        f"cache, where (B, H, T, C/H) is {own['k'].shape}"
        if not shaped
        else "other keys and values than the block's own"
        if not sends
        else "an output that does not depend on the cache's keys and values as it should",
        asks=_ASKED_OF_CACHES,
        waits=waits_unless(fits or proved or (sends and uses), _ITS_FORMULA),
        advice=[
            when(
                not given and newest,
                "prompt-not-kept",
                "the cache is asked when one token comes, and not when several come at once: the "
                "keys and values of a prompt belong into it, too",
            ),
            when(not given, "cache-unused", "forward has a cache and does not use it"),
            when(
                asked and not newest,
                "single-not-kept",
                "the cache is asked when several tokens come at once, and not when it is one: a "
                "model that writes reads one at a time",
            ),
            when(
                asked and not begun,
                "empty-cache-left-out",
                "a cache that is still empty gets nothing, and stays so: ask only whether there is "
                "one, cache is not None",
            ),
            when(
                asked and not layer,
                "layers-mixed",
                "each block has a place of its own in the cache: self.layer",
            ),
            when(
                sends and not uses and close(out, block_by_rule(x, w, H), 1e-3),
                "cache-answer-ignored",
                "the attention must use what cache.append RETURNS: all keys, not the new ones",
            ),
            "what cache.append returns are all keys and then all values: both go into self.attend, "
            "behind the queries"
            if sends
            else "hand k and v over after the heads are split: (B, H, T, C/H)",
        ],
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
    return {name: single(value) for name, value in w.items()}


def small_config(draw: Draw) -> dict[str, int]:
    """A model that a check can afford."""
    V, n = draw.integer(11, 17), draw.integer(7, 9)
    return {"vocab_size": V, "n_positions": n, "n_embd": 8, "n_layer": 2, "n_head": 2}


def gpt2_by_rule(
    tokens: np.ndarray,
    w: Weights,
    config: dict[str, int],
    start: int = 0,
    *,
    positions: Callable[[np.ndarray, np.ndarray], np.ndarray] | None = None,
    by_token: bool = False,
    by_row: bool = False,
    token: float | str = 1.0,
    layers: Callable[[range], Sequence[int]] | None = None,
    between: str = "",
    last_norm: bool = True,
    **wrong: Any,
) -> np.ndarray:
    """Logits (B, T, V); each token is taken to stand behind `start` others that it cannot see.

    Options turn one thing wrong, `wrong` one of the blocks: `positions` makes others of the right
    ones, `layers` of the order of the blocks; tokens go in `token` times ("√C": as often as that);
    `between` is what happens around each block.
    """
    places = start + np.arange(tokens.shape[1])
    if by_token:
        places = np.minimum(tokens, config["n_positions"] - 1)
    if by_row:
        places = (start + np.arange(len(tokens)))[:, None] % config["n_positions"]
    where = w["wpe.weight"][places] if positions is None else positions(places, w["wpe.weight"])
    times = math.sqrt(config["n_embd"]) if token == "√C" else token
    x = w["wte.weight"][tokens] * times
    x = x if between == "positions" else x + where
    order = range(config["n_layer"])
    for layer in order if layers is None else layers(order):
        inner = {n.partition(f"h.{layer}.")[2]: p for n, p in w.items() if f"h.{layer}." in n}
        before = x + where if between == "positions" else x
        x = block_by_rule(before, inner, config["n_head"], **wrong)
        x = before + x if between == "residual" else x
        each = between in ("norm", "norm, and last")
        x = norm(x, w["ln_f.weight"], w["ln_f.bias"]) if each else x
    if last_norm and between != "norm":
        x = norm(x, w["ln_f.weight"], w["ln_f.bias"])
    return x @ w["wte.weight"].T


_AGAIN = {"vocab_size": 5, "n_positions": 4, "n_embd": 4, "n_layer": 2, "n_head": 2}


@functools.cache
def model_made_again() -> Weights:
    """The numbers that nn.init.normal_ gives the parameters of GPT2(_AGAIN) behind a seed of 0."""
    layers = {
        f"h.{layer}.{name}": value.shape
        for layer in range(_AGAIN["n_layer"])
        for name, value in made_again().items()
    }
    C = _AGAIN["n_embd"]
    shapes: dict[str, tuple[int, ...]] = {"wte.weight": (_AGAIN["vocab_size"], C)}
    shapes |= {"wpe.weight": (_AGAIN["n_positions"], C)} | layers
    shapes |= {"ln_f.weight": (C,), "ln_f.bias": (C,)}
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        made = {name: torch.nn.init.normal_(torch.empty(shape)) for name, shape in shapes.items()}
    return {name: single(value.numpy()) for name, value in made.items()}


def smaller_models(tokens: np.ndarray, w: Weights, config: dict[str, int]) -> Iterator[tuple]:
    """One token and two, in a model that the reader can make again, or in this one."""
    again = np.array([[3, 1]])
    yield from ((again[:, :t], model_made_again(), _AGAIN) for t in (1, 2) if t < tokens.size)
    if w is not model_made_again():
        yield from ((tokens[:1, :t], w, config) for t in (1, 2) if t < tokens.size)


def show_model(tokens: np.ndarray, w: Weights, config: dict[str, int]) -> str:
    """A case in words: Python's, for a model that can be made again."""
    if w is not model_made_again():
        return f"the tokens {tokens.tolist()}"
    settings = ", ".join(f'"{name}": {value}' for name, value in config.items())
    return (
        f"model = GPT2({{{settings}}}); torch.manual_seed(0); [nn.init.normal_(p) for p in "
        f"model.parameters()]; model(torch.tensor({tokens.tolist()}))"
    )


def model_by_hand(tokens: np.ndarray, w: Weights, config: dict[str, int]) -> str:
    """The last position of one text of one token or two, on its way to the head."""
    if tokens.size > 2:
        return ""
    vectors = []  # of the last position, behind so many blocks
    for blocks in range(config["n_layer"] + 1):
        x = w["wte.weight"][tokens] + w["wpe.weight"][np.arange(tokens.shape[1])]
        for layer in range(blocks):
            inner = {n.partition(f"h.{layer}.")[2]: p for n, p in w.items() if f"h.{layer}." in n}
            x = block_by_rule(x, inner, config["n_head"])
        vectors.append(x[0, -1])
    last = norm(vectors[-1], w["ln_f.weight"], w["ln_f.bias"])
    behind = "".join(f"; behind block {i}: {shown(x)}" for i, x in enumerate(vectors[1:]))
    return (
        f"the last position: wte[{tokens[0, -1]}] + wpe[{tokens.shape[1] - 1}] = "
        f"{shown(vectors[0])}{behind}; ln_f of that: {shown(last)}; then the product with each "
        "row of wte"
    )


_GPT2 = (
    Mistake("positions-forgotten", "the positions are missing: only wte goes into the first "
        "block; wpe of the positions is added to it", options={"positions": lambda at, wpe: 0.0}),
    Mistake("positions-from-1", "positions count from 0: the first token's vector is wpe[0]",
        options={"positions": lambda at, wpe: wpe[np.minimum(at + 1, len(wpe) - 1)]}),
    Mistake("one-position-for-all", "all tokens get the same position's vector: each has a "
        "position of its own", options={"positions": lambda at, wpe: wpe[:1]}),
    Mistake("single-without-position", "a single token gets no position's vector, several do: each "
        "token gets one", options={"positions": lambda places, table: table[places] * (
        len(places) > 1)}),
    Mistake("positions-backwards", "the LAST token gets the first position's vector: positions "
        "count from the first token on", options={"positions": lambda places, table:
        table[places[::-1]]}),
    Mistake("positions-subtracted", "the positions' vectors are taken away: they are added",
        options={"positions": lambda at, wpe: -wpe[at]}),
    Mistake("tokens-forgotten", "the tokens' own vectors are missing: only wpe goes into the "
        "first block", options={"token": 0.0}),
    Mistake("embedding-scaled", "the tokens' vectors are multiplied by √C, as in the first "
        "Transformer: here they go in as they are", options={"token": "√C"}),
    Mistake("positions-of-tokens", "wpe is looked up by the token's number: it belongs to the "
        "position", options={"by_token": True}),
    Mistake("positions-of-rows", "the position is that of the text in the batch: it counts along "
        "the text", options={"by_row": True}),
    *(Mistake(name, advice, options={"between": between}) for name, advice, between in (
        ("residual-around", "each block's answer is added to what it read once more: the block "
        "adds by itself", "residual"), ("last-norm-in-each", "ln_f stands behind each block: it "
        "comes once, behind the last", "norm"), ("last-norm-in-each", "ln_f stands behind each "
        "block, and once more at the end: it comes once, behind the last", "norm, and last"),
        ("positions-again", "the positions' vectors are "
        "added before each block: once, before the first", "positions"))),
    *(Mistake(name, advice, options={"layers": layers}) for name, advice, layers in (("no-blocks",
        "no block is at work", lambda order: ()), ("first-block-only", "only the first block is "
        "at work", lambda order: order[:1]), ("last-block-only", "only the last block is at work",
        lambda order: order[-1:]), ("blocks-reversed", "the blocks come last to first", lambda
        order: order[::-1]), ("one-block-for-all", "the first block stands for all", lambda order:
        [0] * len(order)))),
    Mistake("last-norm-forgotten", "the last layer norm, ln_f, is missing before the head",
        options={"last_norm": False}),
    Mistake("softmax-applied", "these are probabilities: return the logits", after=lambda v, *_:
        softmax(v)),
    Mistake("log-softmax", "these are log-probabilities: return the logits as they are",
        after=lambda v, *_: log_softmax(v)),
    # A row of NaN in one block is NaN everywhere in the next: whose it was, nobody can tell.
    Mistake("nothing-to-see", "a position of your attention is left with nothing to see, the first "
        "one by a mask that forbids oneself or the last by one that is upside down, and its NaN "
        "goes everywhere: j ≤ i is allowed, the diagonal included", options={"mask": triangle(-1)}),
    *(m for m in within("in the blocks", _BLOCK) if m.name != "masks-itself"
        and not m.advice.endswith("and oneself")),
)  # fmt: skip


_FROM_ONE = Symptom(
    "positions-from-1",
    "positions count from 0: yours begin with 1, so that a text of n_positions tokens asks for one "
    "more than wpe has",
    lambda seen: (
        any(isinstance(o.answer, str) for o in seen)
        and all(
            close(o.answer, gpt2_by_rule(*o.args, 1), 1e-4)
            for o in seen
            if isinstance(o.answer, np.ndarray)
        )
    ),
)


@checks("GPT2", lesson=LESSON, points=3, see="Exercise 3: GPT-2")
def the_whole_model(GPT2: Standin, draw: Draw) -> Said:
    """Tokens and positions in, logits of the next tokens out."""

    def filled(w: Weights, config: dict[str, int]) -> Standin:
        model = made_by(GPT2, config)
        fill(model, w)
        return model

    def ask(tokens: np.ndarray, w: Weights, config: dict[str, int]) -> np.ndarray | str:
        wanted = (*tokens.shape, config["vocab_size"])
        try:
            answer = filled(w, config)(tensor(tokens))
        except StudentFailed as why:
            if tokens.shape[1] == config["n_positions"] and "out of range" in str(why):
                return str(why)  # at the last position only
            raise
        return expect_array(answer, wanted, "float", "the logits")

    def cases(draw: Draw) -> list[tuple[np.ndarray, Weights, dict[str, int]]]:
        config = small_config(draw)
        V, w = config["vocab_size"], model_weights(draw, config)
        sizes = ((2, 4), (1, config["n_positions"]), (3, 1))
        found = [(draw.rng.integers(0, V, size=size), w, config) for size in sizes]
        return [*found, found[0]]

    fits = yield from examine(
        Subject(
            ask,
            gpt2_by_rule,
            mistakes=_GPT2,
            symptoms=(_RANDOM, _FROM_ONE),
            show=show_model,
            smaller=smaller_models,
            by_hand=model_by_hand,
            alike=lambda a, b: close(a, b, 1e-4),
        ),
        draw,
        Property(
            "logits",
            "the logits are ln_f(blocks(wte[token] + wpe[position])) · wte, for every position",
            cases,
            points=1,
            asks="token and position added, all blocks in their order, the last norm, the tied "
            "head",
        ),
    )
    config = small_config(draw)
    V, n = config["vocab_size"], config["n_positions"]
    texts = tensor(draw.rng.integers(0, V, size=(3, n)))
    yield seen_positions(
        "the logits at t see tokens 1 … t, all of them, and no later one",
        made_by(GPT2, config),
        texts,
        draw,
        0.5,
        perturb="token",
        vocabulary=V,
    )
    w = model_weights(draw, config)
    model = filled(w, config)
    yield cache_of_a_model(model, w, config, draw, fits)
    yield first_numbers(made_by(GPT2, config), texts, fits)
    yield what_training_reaches(model, config, texts)


def cache_of_a_model(
    model: Standin, w: Weights, config: dict[str, int], draw: Draw, fits: bool
) -> Claim:
    """Positions behind a cache, and who asks it."""
    start, T, L = draw.integer(2, 3), 3, config["n_layer"]
    tokens = draw.rng.integers(0, config["vocab_size"], size=(2, T))
    text = "with a cache of s tokens, positions go on at s, and every block gets the cache"
    try:
        answer = with_witness(model, tensor(tokens), start)
    except StudentFailed:
        if fits:
            raise
        return waiting(text, _ITS_FORMULA, points=0.5)
    out, given = answer if isinstance(answer, tuple) and len(answer) == 2 else (None, [])
    out = expect_array(out, (2, T, config["vocab_size"]), "float", "the logits")
    layers = [g[0] for g in given if isinstance(g, tuple) and len(g) == 3]
    asked = layers == list(range(L))
    moved = close(out, gpt2_by_rule(tokens, w, config, start))
    alone = single_behind(model, w, config, tokens[:, :1], start) if asked and moved else ""
    restart = fits and close(out, gpt2_by_rule(tokens, w, config, 0))
    late = fits and close(out, gpt2_by_rule(tokens, w, config, start + 1))
    return claim(
        text,
        asked and moved and not alone,
        points=0.5,
        saw=f"a cache that is asked by the blocks {layers} of {list(range(L))}"
        if not asked
        else f"other logits of a single token behind {start} than of position {start}"
        if alone
        else f"logits of positions 0, 1, … behind {start} tokens"
        if restart
        else f"logits of positions {start + 1}, {start + 2}, … behind {start} tokens"
        if late
        else "other logits than those of the later positions",
        asks="positions start … start + T − 1, and each block asks the cache once, in order",
        waits=waits_unless(fits or not asked or (moved and not alone), _ITS_FORMULA),
        advice=[
            when(
                alone == "none",
                "single-without-position",
                "a single token behind a cache gets no position's vector, several do: a model that "
                "writes reads one at a time",
            ),
            when(
                not layers, "cache-not-handed-on", "no block gets the cache: hand it on to each one"
            ),
            when(
                restart,
                "positions-restart",
                "positions begin at 0 again behind a cache: they go on at cache.length",
            ),
            when(
                layers and not asked and set(layers) < set(range(L)),
                "cache-not-handed-on",
                "some blocks do not get the cache: hand it on to each one",
            ),
            when(
                layers != sorted(layers) == list(range(L)),
                "blocks-in-another-order",
                "every block asks the cache, in another order than they stand in: the first one "
                "comes first",
            ),
            when(
                late,
                "positions-late",
                "behind a cache positions begin one too late: its last token stands at "
                "cache.length − 1, the next at cache.length",
            ),
            "use start: it is how many tokens were read before; every block gets the cache",
        ],
    )


def single_behind(
    model: Standin, w: Weights, config: dict[str, int], token: np.ndarray, start: int
) -> str:
    """What a single token behind `start` others gets: "" its position, "none" no vector."""
    answer = with_witness(model, tensor(token), start)
    out = answer[0] if isinstance(answer, tuple) and len(answer) == 2 else None
    out = expect_array(out, (*token.shape, config["vocab_size"]), "float", "the logits")
    if close(out, gpt2_by_rule(token, w, config, start)):
        return ""
    bare = gpt2_by_rule(token, w, config, positions=lambda places, table: 0 * table[places])
    return "none" if close(out, bare) else "other"


def first_numbers(fresh: Standin, texts: torch.Tensor, fits: bool) -> Claim:
    """Whether a new model is undecided, by small weights that differ, and biases of 0."""
    state = {n: expect_array(v, None, "any", n) for n, v in fresh.state_dict().items()}
    logits = expect_array(fresh(texts), (*texts.shape, None), "float", "the logits")
    p = softmax(logits) * logits.shape[-1]
    off = [n for n, v in state.items() if v.ndim == 1 and "bias" in n and v.any()]
    off += [n for n, v in state.items() if v.ndim == 2 and v.dtype.kind == "f" and not v.std() > 0]
    return claim(
        "a new model holds all tokens about equally likely: small weights, no bias yet",
        p.max() < 2 and p.min() > 0.5 and not off,
        points=0.5,
        saw=f"{off[0]} = {shown(state[off[0]])}"
        if off
        else f"one token {p.max():.3g} times as likely as if all {logits.shape[-1]} were even, and "
        f"another {p.min():.3g} times",
        asks="what the constructor was given for: matrices of small random numbers, biases of 0",
        waits=waits_unless(fits, _ITS_FORMULA),
        advice=when(
            True,
            "not-initialized",
            "the loop at the end of the constructor draws small weights, so that training starts "
            "from a guess of 1/V for each token: leave it as it was given",
        ),
    )


def what_training_reaches(model: Standin, config: dict[str, int], texts: torch.Tensor) -> Claim:
    """Gradients for all numbers, and no more of them than the formula counts."""
    unreached = parameters_without_gradient(model, texts.clamp(max=config["vocab_size"] - 2))
    unreached = unreached if isinstance(unreached, list) else ["?"]
    numbers, formula = count_of_numbers(model), parameters_by_rule(config)
    return claim(
        "training reaches every number, and there is one table for both ends",
        not unreached and numbers == formula,
        points=0.5,
        saw=f"no gradient for {', '.join(map(str, unreached[:3]))}"
        if unreached
        else f"{numbers} numbers where the parts of the lesson's model have {formula}",
        asks="a gradient for each parameter, and no second table for the head",
        advice=[
            when(
                numbers == formula + config["vocab_size"] * config["n_embd"],
                "head-untied",
                "there is a second table: the head is self.wte.weight itself",
            ),
            when(
                unreached,
                "gradient-cut",
                "no gradient comes to these: are they used, and is nothing cut off (no_grad, "
                ".data, .detach())?",
            ),
            "leave the constructor as it was given",
        ],
    )


# --- gpt2_parameters ------------------------------------------------------------------------------

_KEYS = ("vocab_size", "n_positions", "n_embd", "n_layer", "n_head")
_SMALLEST = dict(zip(_KEYS, (50257, 1024, 768, 12, 12), strict=True))
_EXAMPLE = dict(zip(_KEYS, (10, 4, 2, 1, 1), strict=True))


def parameters_by_rule(
    config: Mapping[str, int],
    *,
    tables: int = 1,
    places: int = 1,
    matrices: int = 12,
    biases: int = 9,
    norms: int = 4,
    last: int = 2,
    head_bias: int = 0,
    one_block: bool = False,
) -> int:
    """How many numbers a GPT-2 has. Options are how often its parts are counted, to be wrong."""
    V, n, C, L, _ = (config[name] for name in _KEYS)
    block = matrices * C**2 + (biases + norms) * C
    return (
        (tables * V + places * n) * C + (1 if one_block else L) * block + last * C + head_bias * V
    )


def parameters_part_by_part(config: Mapping[str, int]) -> int:
    """The same, written as a sum over the parts."""
    V, n, C, L, _ = (config[name] for name in _KEYS)
    attention, network = 4 * (C * C + C), (C * 4 * C + 4 * C) + (4 * C * C + C)
    return V * C + n * C + L * (attention + network + 2 * 2 * C) + 2 * C


_COUNTS = (
    Mistake("head-counted-twice", "you count the head: it is tied, the token table once more",
        options={"tables": 2}),
    Mistake("positions-forgotten", "the table of positions is missing: n_positions · C",
        options={"places": 0}),
    Mistake("positions-as-many-as-tokens", "V · C stands twice in it, and n_positions · C not at "
        "all: the head has no numbers of its own, and the table of positions has n_positions rows",
        options={"tables": 2, "places": 0}),
    Mistake("biases-forgotten", "every linear layer has a bias: 9 C a block", options={"biases":
        0}),
    Mistake("some-biases-forgotten", "biases are missing: the attention's four layers have C "
        "each, up 4 C, down C", gives=lambda c, **wrong: parameters_by_rule(c, biases=6, **wrong)),
    Mistake("norms-forgotten", "the layer norms are missing: a scale and a shift each, 4 C a "
        "block and 2 C at the end", options={"norms": 0, "last": 0}),
    Mistake("last-norm-forgotten", "the last layer norm is missing: 2 C", options={"last": 0}),
    Mistake("norms-of-blocks-forgotten", "4 C a block are missing: as many as its two layer norms "
        "have, or the attention's four biases, or up's", options={"norms":
        0}),
    Mistake("norm-shifts-forgotten", "a layer norm has a scale AND a shift", options={"norms": 2,
        "last": 1}),
    Mistake("norm-shifts-forgotten", "2 C numbers a block are missing, as many as the shifts of "
        "its two layer norms: each has a scale AND a shift", options={"norms": 2}),
    Mistake("tokens-forgotten", "the table of tokens is missing: V · C", options={"tables": 0}),
    Mistake("norm-shifts-forgotten", "C numbers are missing: as many as the shift of the last "
        "layer norm (it has a scale AND a shift), or as one row of wpe (it has n_positions)",
        options={"last": 1}),
    Mistake("weights-only", "biases and layer norms are missing: 13 C a block, 2 C at the end",
        options={"biases": 0, "norms": 0, "last": 0}),
    Mistake("output-bias", "the head has no bias", options={"head_bias": 1}),
    Mistake("one-block", "of every block you count the matrices, and the biases and norms of one "
        "only: 13 C belong to each", gives=lambda c, **wrong: parameters_by_rule(c, biases=0,
        norms=0, **wrong) + 13 * c["n_embd"]),
    Mistake("one-block", "you count one block: there are n_layer of them", options={"one_block":
        True}),
    Mistake("a-matrix-forgotten", "C² numbers a block are missing, as many as one of the "
        "attention's four matrices has (q, k, v and out)", options={"matrices": 11}),
    Mistake("a-matrix-forgotten", "4 C² numbers a block are missing, as many as the attention's "
        "four matrices have, or up, or down", options={"matrices": 8}),
    Mistake("no-output-projection", "the attention has four matrices: q, k, v and out",
        options={"matrices": 11, "biases": 8}),
    *several("times-heads", "heads share the width C: their number changes nothing",
        lambda c, **wrong: parameters_by_rule(c, matrices=9 + 3 * c["n_head"], **wrong),
        lambda c, **wrong: parameters_by_rule(
            c, matrices=9 + 3 * c["n_head"], biases=6 + 3 * c["n_head"], **wrong),
        *(lambda c, more=more, **wrong: parameters_by_rule(c, matrices=8 + 4 * c["n_head"],
            biases=more + (9 - more) * c["n_head"], **wrong) for more in (5, 6, 9))),
    Mistake("vocabulary-padded", "V is rounded up to a multiple of 64, as some programs do for "
        "speed: GPT-2's table has V rows", gives=lambda c, **wrong: parameters_by_rule(
            {**c, "vocab_size": -(-c["vocab_size"] // 64) * 64}, **wrong)),
    Mistake("masks-counted", "a stored mask is no parameter: n_positions² a block are too many",
        after=lambda v, c: v + c["n_layer"] * c["n_positions"] ** 2),
    Mistake("last-norm-in-each", "the last layer norm is counted once a block: 2 C once, at the "
        "end", options={"norms": 6, "last": 0}),
    Mistake("last-norm-in-each", "a block has two layer norms, 4 C: yours has three", options={
        "norms": 6}),
    Mistake("narrow-network", "the two-layer network is 4 C wide inside: up is (4 C, C), down (C, "
        "4 C)", options={"matrices": 6, "biases": 6}),
    Mistake("rounded-count", "this is in millions: the number itself is asked", after=lambda v, c:
        round(v / 1e6)),
    Mistake("rounded-count", "this is in millions: the number itself is asked", after=lambda v, c:
        v // 10**6),
)  # fmt: skip
_ON_COUNTS = (
    Symptom("one-answer-only", "this is right for the smallest GPT-2 only: the other numbers of "
        "config count, too", lambda seen: all(o.fails != (o.args[0] == _SMALLEST) for o in seen)),
    Symptom("float-on-the-way", "this is an int, made of floats, which are exact up to 2^53 only: "
        "leave float(…), / and powers of floats out", lambda seen: any(o.fails for o in seen) and
        all(type(o.answer) is int and o.right > 2**53 and abs(o.answer - o.right) < 1e-12 * o.right
            for o in seen if o.fails)),
    Symptom("float-count", "this is a float, exact up to 2^53 only: * and + of ints stay ints, / "
        "does not", lambda seen: (any(isinstance(o.answer, float) for o in seen) and
        all(abs(o.answer - o.right) < 1e-6 * o.right for o in seen))),
)  # fmt: skip


def models_to_count(draw: Draw) -> list[tuple[dict[str, int]]]:
    """The smallest GPT-2, and three others."""
    configs = [_SMALLEST]
    for H in (2, 3, draw.integer(4, 6)):
        values = (draw.integer(50, 900), draw.integer(16, 90), H * draw.integer(3, 9))
        configs.append(dict(zip(_KEYS, (*values, draw.integer(2, 7), H), strict=True)))
    return [(c,) for c in configs]


def models_of_many_numbers(draw: Draw) -> list[tuple[dict[str, int]]]:
    """Two ordinary ones, and two of 10^18 numbers, an odd number each: no float comes so near."""
    found = [models_to_count(draw)[-1] for _ in range(2)]
    while len(found) < 4:
        sizes = (10**9 + draw.integer(1, 99), 10**6 + 3, 10**7 + 2 * draw.integer(1, 999) + 1)
        config = dict(zip(_KEYS, (*sizes, 997, 1), strict=True))
        if parameters_by_rule(config) % 2:
            found.append((config,))
    return found


def counts_alike(a: int | float, b: int | float) -> bool:
    """Equal whole numbers, or a float that is as near."""
    if isinstance(a, int) and isinstance(b, int):
        return a == b
    return abs(a) < 1e300 and abs(float(a) - float(b)) < 0.5


def counted_by_hand(config: Mapping[str, int]) -> str:
    """The parts of the lesson's own example."""
    if config != _EXAMPLE:
        return ""
    return "wte and wpe 28; q, k, v, out 24; up, down 42; the two norms 8; ln_f 4: 106"


@checks("gpt2_parameters", lesson=LESSON, points=2, see="Exercise 4: 124 million")
def numbers_of_a_gpt2(gpt2_parameters: Standin, draw: Draw) -> Said:
    """Every number of the model, counted once."""

    def ask(config: Mapping[str, int]) -> int | float:
        answer = gpt2_parameters(dict(config))
        if type(answer) is int:
            return answer
        if isinstance(answer, bool):
            raise WrongKind("the number of parameters should be a number: got a bool")
        return expect_array(answer, (), "number", "the number of parameters").item()

    yield from examine(
        Subject(
            ask,
            parameters_by_rule,
            forms=(parameters_part_by_part,),
            mistakes=_COUNTS,
            symptoms=_ON_COUNTS,
            show=lambda c: (
                f"V = {c['vocab_size']:,}, {c['n_positions']:,} positions, "
                f"C = {c['n_embd']:,}, {c['n_layer']} blocks, {c['n_head']} heads"
            ),
            told=lambda a: f"{a:,}" if isinstance(a, int) else f"the float {a!r}",
            smaller=lambda c: iter(() if c == _EXAMPLE else [(_EXAMPLE,)]),
            by_hand=counted_by_hand,
            alike=counts_alike,
        ),
        draw,
        Property(
            "once",
            "every number is counted once, the tied table too: 124,439,808 for the smallest GPT-2",
            models_to_count,
            points=1.5,
            asks="tables, blocks with their biases and norms, the last norm, and no head",
        ),
        Property(
            "whole",
            "the answer is an exact whole number, however large",
            models_of_many_numbers,
            points=0.5,
            asks="an int, exact to the last digit",
            typical=False,
            needs="once",
            alike=lambda a, b: isinstance(a, int) and a == b,
        ),
    )


# --- load_hf --------------------------------------------------------------------------------------

_RENAMED = {"attn.c_proj": "out", "mlp.c_fc": "up", "mlp.c_proj": "down"}
Loaded = list[tuple[str, np.ndarray]]


def hub_weights(
    draw: Draw, layers: int, *, prefix: str = "", masks: bool = False, head: bool = False
) -> dict[str, torch.Tensor]:
    """Random weights under the hub's names, as files have them; few numbers in each."""
    V, n, C = 9, 5, 6
    shapes = {"wte.weight": (V, C), "wpe.weight": (n, C)}
    for i in range(layers):
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
        for i in range(layers):
            found[f"{prefix}h.{i}.attn.bias"] = torch.ones(1, 1, n, n).tril()
            found[f"{prefix}h.{i}.attn.masked_bias"] = torch.tensor(-1e4)
    if head:
        found["lm_head.weight"] = found[prefix + "wte.weight"].clone()
    return found


def conv1d(name: str, array: np.ndarray) -> bool:
    """Whether an array of the hub is a Conv1D's weight, stored as (in, out)."""
    return ".c_" in name and array.ndim == 2


def loaded_by_rule(
    hub: Mapping[str, torch.Tensor],
    *,
    turned: Callable[[str, np.ndarray], bool] = conv1d,
    letters: str = "qkv",
    cut: Callable[[np.ndarray], Sequence[np.ndarray]] | None = None,
    late: bool = False,
    split: bool = True,
    renamed: Mapping[str, str] = _RENAMED,
    prefix: str = "transformer.",
    skipped: tuple[str, ...] = (".attn.bias", ".attn.masked_bias"),
    head: bool = False,
    reshaped: bool = False,
) -> Loaded:
    """The same weights under the lesson's names, sorted. Options turn one thing wrong.

    `turned` says what is transposed (with `late`: after the cut), `letters` in which order the
    thirds are taken, `cut` how they are cut; `skipped` are ends of names.
    """
    ours: dict[str, np.ndarray] = {}
    for full, value in hub.items():
        name, array = full.removeprefix(prefix), value.numpy()
        if name.endswith(skipped) or (name == "lm_head.weight" and not head):
            continue
        array = array.T if turned(name, array) and not late else array
        array = array.reshape(array.shape[::-1]) if reshaped and conv1d(name, array) else array
        if "c_attn" in name and split:
            parts = np.split(array, 3) if cut is None else cut(array)
            for letter, part in zip(letters, parts, strict=True):
                part = part.T if late and turned(name, array) else part
                ours[name.replace("attn.c_attn", letter)] = part
            continue
        for theirs, mine in renamed.items():
            name = name.replace(theirs, mine)
        ours[name] = array.T if late and turned(full, array) else array
    return sorted(ours.items(), key=lambda item: item[0])


_TURN = "Conv1D keeps (in, out): transpose every c_… weight"
_ORDER = "the three parts have changed places: queries first, then keys, then values"
_CUT = (
    "q, k and v stand side by side in the OUTPUT axis, a third each, one after the other: look at "
    "the example of 12 numbers"
)
_MASKS = "h.0.attn.bias and h.0.attn.masked_bias are stored masks, no weights: skip them"


def last_axis(array: np.ndarray) -> Sequence[np.ndarray]:
    """Cut into thirds along the last axis."""
    return np.split(array, 3, axis=-1)


def loaded_by_scaling(
    hub: Mapping[str, torch.Tensor], *, kinds: tuple[str, ...], size: int, **wrong: Any
) -> Loaded:
    """The same, the queries' part divided by the root of the width over `size` heads."""
    found = loaded_by_rule(hub, **wrong)
    ends = tuple(f".q.{kind}" for kind in kinds)
    return [
        (name, array / math.sqrt(len(array) // size) if name.endswith(ends) else array)
        for name, array in found
    ]


def _others_right(o: Observation, apart: Callable[[str], bool]) -> bool:
    """Whether an answer to load_hf has all that is right but in the names that are `apart`."""
    have, want = dict(o.answer), dict(o.right)
    known = [name for name in have.keys() | want.keys() if not apart(name)]
    return bool(known) and all(
        name in have and name in want and np.array_equal(have[name], want[name]) for name in known
    )


def _two_digits(name: str) -> bool:
    return bool(re.match(r"h\.\d\d", name))


_ON_FILES = (
    Symptom("prefix-always-cut", "the first twelve letters of every name are cut off, also where "
        "they are not transformer.: take away what stands there, no more", lambda seen: any(
            o.fails and o.answer and "wte.weight" in o.args[0]
            and {name for name, _ in o.answer} <= {name[12:] for name in o.args[0]}
            for o in seen)),
    Symptom("one-digit-only", "layers 0 to 9 are right, and layers 10 and 11 are not: a layer's "
        "number may have two digits", lambda seen: any(o.fails for o in seen) and all(
            _others_right(o, _two_digits) for o in seen if o.fails)),
)  # fmt: skip
_LOADS = (
    Mistake("tables-transposed", "wte and wpe are tables, not Conv1D: leave them as they are",
        options={"turned": lambda name, array: array.ndim == 2}),
    *(Mistake("tables-transposed", f"{table} is a table, no Conv1D: leave it as it is", options={
        "turned": lambda name, a, table=table: conv1d(name, a) or name == f"{table}.weight"}) for
        table in ("wte", "wpe")),
    *(Mistake("names-exchanged", "c_fc and c_proj have changed places: c_fc goes UP, from C to 4 C",
        options={"renamed": {**_RENAMED, "mlp.c_fc": "down", "mlp.c_proj": "up"}, "turned": turned})
        for turned in (conv1d, lambda name, a: False)),
    Mistake("conv1d-not-transposed", "a matrix is cut into rows of another length by a reshape or "
        "view: that mixes its numbers, transpose", options={"turned": lambda name, a: False,
        "reshaped": True}),
    *(Mistake("query-scaled", "the queries' part is divided by a root: the attention does that",
        gives=functools.partial(loaded_by_scaling, kinds=kinds, size=size))
        for kinds in (("weight", "bias"), ("weight",)) for size in (1, 2, 3)),
    Mistake("conv1d-not-transposed", "the attention's c_proj is not transposed: it is square, so "
        "nothing complains", options={"turned": lambda name, a: conv1d(name, a) and a.shape[0] !=
        a.shape[1]}),
    *(Mistake("conv1d-not-transposed", _TURN, options={"turned": turned, "cut": cut}) for
        turned in (lambda name, a: False, lambda name, a: conv1d(name, a) and "c_attn" not in
        name) for cut in (last_axis, None)),
    Mistake("conv1d-not-transposed", "c_attn alone is transposed: Conv1D keeps (in, out) in c_fc "
        "and c_proj too", options={"turned": lambda name, a: conv1d(name, a) and "c_attn" in name}),
    *(Mistake("conv1d-not-transposed",
        f"{part} is not transposed: Conv1D keeps (in, out), in every c_… weight",
        options={"turned": lambda name, a, part=part: conv1d(name, a) and part not in name}) for
        part in ("mlp.c_fc", "mlp.c_proj", "mlp.")),
    Mistake("conv1d-not-transposed", "no c_proj is transposed, the attention's nor the network's: "
        "Conv1D keeps (in, out), in every c_… weight", options={"turned": lambda name, a:
        conv1d(name, a) and "c_proj" not in name}),
    *(Mistake("qkv-order", _ORDER, options={"letters": "".join(order)}) for order in
        itertools.permutations("qkv") if order != tuple("qkv")),
    Mistake("qkv-cut-wrong", _CUT, options={"cut": lambda a: (a[0::3], a[1::3], a[2::3])}),
    Mistake("qkv-cut-wrong", _CUT, options={"cut": last_axis}),
    Mistake("qkv-cut-wrong", _CUT, options={"late": True}),
    Mistake("qkv-bias-dropped", "the biases of q, k and v are missing: h.0.attn.c_attn.bias ends "
        "in attn.bias too, and is no mask", options={"skipped": ("attn.bias",
        ".attn.masked_bias")}),
    Mistake("qkv-bias-dropped", "all biases of the attention are missing: of the names with attn "
        "only the stored masks, attn.bias and attn.masked_bias, are skipped", options={"skipped": (
        "attn.bias", ".attn.masked_bias", ".attn.c_proj.bias")}),
    Mistake("qkv-not-split", "c_attn holds q, k and v in one: cut it into three", options={"split":
        False}),
    *(Mistake("names-kept", "c_proj and c_fc have other names here: see the table",
        options={"renamed": {k: v for k, v in _RENAMED.items() if k in kept}}) for size in range(3)
        for kept in itertools.combinations(_RENAMED, size)),
    *(Mistake("masks-kept", _MASKS, options={"skipped": skipped}) for skipped in ((),
        (".attn.bias",), (".attn.masked_bias",))),
    Mistake("head-kept", "lm_head.weight is wte.weight again: skip it", options={"head": True}),
    *(Mistake("names-doubled", "two c_proj get one name, and one of them is lost: the attention's "
        "is out, the network's is down", options={"renamed": {**_RENAMED, kind: name}})
        for kind, name in (("mlp.c_proj", "out"), ("attn.c_proj", "down"))),
    Mistake("prefix-kept", "some files put transformer. before every name: take it away where it "
        "stands", options={"prefix": "\0"}),
)  # fmt: skip


def named_alike(a: Loaded, b: Loaded) -> bool:
    """Whether the names are the same."""
    return [name for name, _ in a] == [name for name, _ in b]


def numbered_alike(a: Loaded, b: Loaded, ordered: bool = True) -> bool:
    """Whether names and numbers are the same; if not `ordered`, wherever in an array they stand."""
    return named_alike(a, b) and all(
        np.array_equal(x, y) if ordered else np.array_equal(np.sort(x, None), np.sort(y, None))
        for (_, x), (_, y) in zip(a, b, strict=True)
    )


def off_as_loaded(got: Loaded, right: Loaded, *_: Any) -> str:
    """The first name that is missing or too many, or the first array that differs."""
    have, want = dict(got), dict(right)
    for name in want:
        if name not in have:
            return f"no weight {name}"
    for name in have:
        if name not in want:
            return f"a weight {name[:60]}"
    wrong = next(n for n in want if not np.array_equal(have[n], want[n]))
    return f"a wrong {wrong}, of shape {have[wrong].shape}"


def plain_files(draw: Draw) -> list[tuple[dict[str, torch.Tensor]]]:
    """Twelve layers, so that h.1 and h.11 can be told apart."""
    return [(hub_weights(draw, 12),) for _ in range(2)]


def files_of_all_kinds(draw: Draw) -> list[tuple[dict[str, torch.Tensor]]]:
    """Names with a prefix and without, stored masks, a stored head."""
    kinds = (("transformer.", False, True), ("transformer.", True, True), ("", True, False))
    return [(hub_weights(draw, 2, prefix=p, masks=m, head=h),) for p, m, h in kinds]


@checks("load_hf", lesson=LESSON, points=2, see="Exercise 5: somebody else's weights")
def weights_from_the_hub(load_hf: Standin, draw: Draw) -> Said:
    """The hub's weights under the lesson's names, in the layout of nn.Linear."""

    def ask(hub: Mapping[str, torch.Tensor]) -> Loaded:
        answer = untouched(load_hf)({name: value.clone() for name, value in hub.items()})
        if not isinstance(answer, dict) or not all(isinstance(k, str) for k in answer):
            raise WrongKind("load_hf should return a dictionary from names to tensors")
        arrays = {
            k: expect_array(v, None, "any", f"the weight {k[:60]}") for k, v in answer.items()
        }
        return sorted(arrays.items(), key=lambda item: item[0])

    yield from examine(
        Subject(
            ask,
            loaded_by_rule,
            mistakes=_LOADS,
            symptoms=_ON_FILES,
            show=lambda hub: f"a file of {len(hub)} weights that begins with {next(iter(hub))}",
            told=lambda a: f"{len(a)} weights: " + ", ".join(f"{n} {x.shape}" for n, x in a[:3]),
            smaller=lambda hub: iter(
                () if len(hub) <= 16 else [({n: v for n, v in hub.items() if "h.1" not in n},)]
            ),
            alike=numbered_alike,
        ),
        draw,
        Property(
            "names",
            "the names are those of GPT2: every weight has a place, and no other is there",
            plain_files,
            points=0.5,
            asks="the keys of GPT2(config).state_dict(), for twelve layers here",
            alike=named_alike,
            saw=off_as_loaded,
        ),
        Property(
            "values",
            "every value is in its place: Conv1D transposed, and q, k, v cut in this order",
            plain_files,
            points=1,
            asks="(out, in) for every matrix; biases, norms and tables as they are",
            needs="names",
            saw=off_as_loaded,
        ),
        Property(
            "files",
            "names with and without transformer. are taken; stored masks and the tied head are "
            "skipped",
            files_of_all_kinds,
            points=0.5,
            asks="the same dictionary from every such file",
            needs="values",
            alike=lambda a, b: numbered_alike(a, b, ordered=False),
            saw=off_as_loaded,
        ),
    )


# --- sequence_nll and perplexity ------------------------------------------------------------------


@dataclass(frozen=True)
class Waves:
    """The toy model of these numbers, here and beside the student's function."""

    vocabulary: int
    phase: float
    gain: float
    limit: int = 20

    def log_p(self, tokens: np.ndarray) -> np.ndarray:
        """Log-probabilities (B, T, V) of the next token after each."""
        return log_softmax(self.raw(tokens))

    def raw(self, tokens: np.ndarray) -> np.ndarray:
        """The logits (B, T, V) themselves."""
        ours = Toy(self.vocabulary, self.limit, self.phase, self.gain)
        return ours.logits(torch.tensor(tokens).double()).double().numpy()

    def beside(self, function: Standin) -> Any:
        """The same model where the function lives."""
        return toy(function, self.vocabulary, self.limit, self.phase, self.gain)


@dataclass(frozen=True)
class Constant:
    """A model whose logits are the same after any text."""

    logits: tuple[float, ...]

    def log_p(self, tokens: np.ndarray) -> np.ndarray:
        """Log-probabilities (B, T, V) of the next token after each."""
        return log_softmax(self.raw(tokens))

    def raw(self, tokens: np.ndarray) -> np.ndarray:
        """The logits (B, T, V) themselves."""
        return np.broadcast_to(np.array(self.logits), (*tokens.shape, len(self.logits)))

    def beside(self, function: Standin) -> Any:
        """The same model where the function lives."""
        return constant_model(function, torch.tensor(self.logits))


Asked = tuple[Any, np.ndarray, int | None]  # a model, ids (B, T), how many are given


def token_nlls(
    model: Any, tokens: np.ndarray, given: int | None, *, shift: int = 1, early: int = 0
) -> np.ndarray:
    """−log p of each scored token, (B, T − given).

    Options turn one thing wrong: `shift` is how far before a token its logits stand, `early` how
    many tokens too soon the scoring begins and ends.
    """
    log_p = model.log_p(tokens)
    places = range((given or 1) - early, tokens.shape[1] - early)
    rows = np.arange(len(tokens))
    return -np.stack([log_p[rows, t - shift, tokens[:, t]] for t in places], axis=1)


def nll_by_rule(model: Any, tokens: np.ndarray, given: int | None, **wrong: Any) -> np.ndarray:
    """−log p(tokens after the given ones | those), (B,) nats."""
    return token_nlls(model, tokens, given, **wrong).sum(axis=1)


def nll_over_time(model: Any, tokens: np.ndarray, given: int | None) -> np.ndarray:
    """The NLL where each token's logits are normalized over the positions."""
    logits = log_softmax(model.raw(tokens), 1)[:, (given or 1) - 1 : -1]
    return -np.take_along_axis(logits, tokens[:, given or 1 :, None], 2)[:, :, 0].sum(1)


def nll_of(log_p: np.ndarray, tokens: np.ndarray, given: int | None) -> np.ndarray:
    """Minus the sum of what stands in log_p (B, T, V) before each scored token."""
    scored, targets = log_p[:, (given or 1) - 1 : -1], tokens[:, given or 1 :, None]
    return -np.take_along_axis(scored, targets, 2)[:, :, 0].sum(1)


def nll_of_mixed_axes(model: Any, tokens: np.ndarray, given: int | None) -> np.ndarray:
    """The NLL where (B, n, V) became (B, V, n) by a reshape."""
    logits = model.raw(tokens)[:, (given or 1) - 1 : -1]
    B, n, V = logits.shape
    mixed = log_softmax(logits.reshape(B, V, n), 1)
    return -np.take_along_axis(mixed, tokens[:, None, given or 1 :], 1)[:, 0].sum(1)


def by_probabilities(epsilon: float) -> Callable[..., np.ndarray]:
    """The NLL by a softmax in single precision, and then a logarithm of it plus `epsilon`."""

    def nll(model: Any, tokens: np.ndarray, given: int | None) -> np.ndarray:
        p = np.exp(-token_nlls(model, tokens, given)).astype(np.float32)
        return -np.log(p + np.float32(epsilon)).sum(axis=1)

    return nll


def with_a_term_more(
    model: Any, tokens: np.ndarray, given: int | None, of: int | None
) -> np.ndarray:
    """The NLL, and −log p of the text's token `of` (or of token 0) behind its end."""
    more = tokens[:, of] if of is not None else np.zeros(len(tokens), dtype=int)
    behind = model.log_p(tokens)[np.arange(len(tokens)), -1, more]
    return nll_by_rule(model, tokens, given) - behind


def smoothed(model: Any, tokens: np.ndarray, given: int | None, share: float) -> np.ndarray:
    """The NLL of labels of which `share` is spread over all tokens."""
    spread = -model.log_p(tokens)[:, (given or 1) - 1 : -1].mean(axis=2).sum(axis=1)
    return (1 - share) * nll_by_rule(model, tokens, given) + share * spread


_SHIFT = "you score token t by the logits AT t: those are about token t + 1"
_NLL = (
    Mistake("targets-not-shifted", _SHIFT, options={"shift": 0}),
    Mistake("targets-not-shifted", _SHIFT, options={"shift": 0, "early": 1}),
    Mistake("loss-on-the-prompt", "the given tokens are scored as well: start at token `given`",
        gives=lambda m, t, g, **wrong: nll_by_rule(m, t, 1, **wrong)),
    Mistake("one-token-short", "the first token after the given ones is not scored", gives=lambda
        m, t, g: token_nlls(m, t, g)[:, 1:].sum(1)),
    Mistake("past-cut-off", "the model reads only the last of the given tokens and what follows: "
        "it needs all of them", gives=lambda m, t, g, **wrong: nll_by_rule(m, t[:, (g or 1) - 1 :],
        1, **wrong)),
    Mistake("targets-shifted-back", "you score token t by the logits at t + 1, which have read it: "
        "those at t − 1 are about it", options={"shift": -1, "early": 1}),
    *(Mistake("one-token-too-many", "the prediction of the last position is scored, too: what "
        "comes after the text is not known", gives=functools.partial(with_a_term_more, of=of))
        for of in (0, None)),
    Mistake("averaged-over-batch", "each row gets the same number, the mean of the batch: a row "
        "has an NLL of its own", gives=lambda m, t, g: np.full(
            len(t), nll_by_rule(m, t, g).mean())),
    Mistake("entropy-for-surprise", "this is the entropy of the predictions, their surprise on "
        "average: −log p of the token that came is asked", gives=lambda m, t, g: (
            -np.exp(m.log_p(t)) * m.log_p(t))[:, (g or 1) - 1 : -1].sum((1, 2))),
    *(Mistake("labels-smoothed", "a part of each term is the mean of −log p over ALL tokens, as "
        "label smoothing has it in training: −log p of the token that came is asked", gives=
        functools.partial(smoothed, share=share)) for share in (0.1, 0.05)),
    Mistake("not-summed", "one number for each token: a text's NLL is their sum", gives=token_nlls),
    Mistake("token-0-ignored", "token 0 is left out where it comes: it is a token like all",
        gives=lambda m, t, g: (token_nlls(m, t, g) * (t[:, g or 1 :] != 0)).sum(1)),
    Mistake("rows-mixed", "the losses of all texts in one row are cut into columns: text b has the "
        "b-th piece of it, not every B-th", gives=lambda m, t, g: token_nlls(m, t, g).reshape(
            -1, len(t)).sum(0)),
    *(Mistake("mean-for-sum", f"this is the mean over the scored tokens times {of}: T − given of "
        "them are scored, and it is their sum", after=after) for of, after in (
        ("T", lambda v, m, t, g: v / (t.shape[1] - (g or 1)) * t.shape[1]),
        ("T − 1", lambda v, m, t, g: v / (t.shape[1] - (g or 1)) * (t.shape[1] - 1)))),
    Mistake("softmax-over-time", "your probabilities sum to 1 over the positions: they must over "
        "the tokens to choose from", gives=nll_over_time),
    Mistake("given-scored", "the given tokens are scored, and the others are not: it is the other "
        "way round", gives=lambda m, t, g: token_nlls(m, t, 1)[:, : (g or 1) - 1].sum(1)),
    Mistake("given-scored", "the first `given` of the predictions are scored, and the others are "
        "not: those of the tokens AFTER the given ones", gives=lambda m, t, g: token_nlls(
            m, t, 1)[:, : g or 1].sum(1)),
    Mistake("last-token-left-out", "the last token is not scored: the logits before it are about "
        "it", gives=lambda m, t, g: token_nlls(m, t, g)[:, :-1].sum(1)),
    Mistake("summed-over-batch", "one number for each row: add over time, not over the batch",
        after=lambda v, *_: v.sum()),
    Mistake("averaged-over-batch", "one number for each row, and a sum: F.cross_entropy takes "
        "means unless it is told not to", after=lambda v, m, t, g: v.mean() / (t.shape[1] - (g or
        1))),
    Mistake("averaged-over-batch", "one number for each row: this is the mean of the rows' NLLs",
        after=lambda v, *_: v.mean()),
    Mistake("mean-for-sum", "this is the mean over tokens: the chain rule adds", after=lambda v, m,
        t, g: v / (t.shape[1] - (g or 1))),
    Mistake("sign", "this is log p: the NLL has the other sign", after=lambda v, *_: -v),
    Mistake("bits-for-nats", "these are bits: nats are asked", after=lambda v, *_: v /
        math.log(2)),
    Mistake("probability-for-nll", "this is a probability: minus its logarithm is asked",
        after=lambda v, *_: np.exp(-v)),
    Mistake("axes-mixed", "positions and tokens were exchanged by a reshape or view, which mixes "
        "them: transpose", gives=nll_of_mixed_axes),
    Mistake("logits-for-logs", "logits are added as if they were logarithms of probabilities: "
        "normalize each row, with a log-softmax", gives=lambda m, t, g: nll_of(m.raw(t), t, g)),
    Mistake("softmax-twice", "F.cross_entropy takes logits: a softmax before it counts twice",
        gives=lambda m, t, g: nll_of(log_softmax(softmax(m.raw(t)), 2), t, g)),
    Mistake("softmax-then-log", "a probability of e^−10000 is 0, and its log −∞: stay in logs, "
        "where nothing underflows", gives=by_probabilities(0.0)),
    *(Mistake("softmax-then-log", "a small number inside the log changes the answer: a "
        "log-softmax needs none", gives=by_probabilities(epsilon)) for epsilon in SMALL),
)  # fmt: skip


_ON_CLASSES = (
    Symptom("classes-on-the-wrong-axis", "F.cross_entropy takes the axis after the batch for the "
        "tokens to choose from: logits (B, V, n), targets (B, n)", lambda seen: any(
            isinstance(o.answer, str) for o in seen)),
)  # fmt: skip


def show_texts(model: Any, tokens: np.ndarray, given: int | None) -> str:
    """A case in words."""
    first = "the first is" if (given or 1) == 1 else f"the first {given} are"
    return f"{shown(tokens[0])}, the first of {len(tokens)} rows, of which {first} given"


def smaller_texts(model: Any, tokens: np.ndarray, given: int | None) -> Iterator[Asked]:
    """One row of two tokens, of three, and of three with two given."""
    for length, known in ((2, 1), (3, 1), (3, 2)):
        if length < tokens.shape[1]:
            yield model, tokens[:1, :length], known


def terms_by_hand(model: Any, tokens: np.ndarray, given: int | None) -> str:
    """The terms of a row of at most three tokens."""
    if tokens.shape[1] > 3 or len(tokens) > 1:
        return ""
    nlls = token_nlls(model, tokens, given)[0]
    terms = [f"token {(given or 1) + i} has p = {np.exp(-n):.4g}" for i, n in enumerate(nlls)]
    return f"counted from 0, {', '.join(terms)}: the terms −log p are {shown(nlls)}"


def text_with_0(draw: Draw, model: Waves, rows: int, length: int) -> np.ndarray:
    """Tokens (rows, length); the last but one of the first row is 0, a token like all."""
    tokens = draw.rng.integers(0, model.vocabulary, size=(rows, length))
    tokens[0, -2] = 0
    return tokens


def texts_to_score(draw: Draw) -> list[Asked]:
    """Rows of several lengths, with one given token and more."""
    model = Waves(draw.integer(7, 9), float(draw.uniform(1)[0]), 2.0)
    sizes = ((3, draw.integer(6, 8), 1), (2, 7, draw.integer(2, 4)), (2, 5, 4), (1, 4, None))
    return [(model, text_with_0(draw, model, B, T), g) for B, T, g in sizes]


def all_texts(draw: Draw) -> list[Asked]:
    """The 27 texts that go on with three of 3 tokens, for two models: after one token and two."""
    rest = np.array(list(itertools.product(range(3), repeat=3)))
    cases = []
    for given in (1, 2):
        first = np.full((27, given), draw.integer(0, 2))
        model = Waves(3, float(draw.uniform(1)[0]), 1.5)
        cases.append((model, np.concatenate([first, rest], axis=1), given))
    return cases


def huge_logits(draw: Draw) -> list[Asked]:
    """Logits of ten thousand; in one row at least every token has a price, and so has a token 0."""
    model = Waves(5, float(draw.uniform(1)[0]), 1e4)
    while True:
        tokens = draw.rng.integers(0, 5, size=(3, 6))
        dear = token_nlls(model, tokens, 1) > 1
        if dear.all(axis=1).any() and (dear & (tokens[:, 1:] == 0)).any():
            return [(model, tokens, 1)]


def sums_to_one(nlls: np.ndarray | str, right: np.ndarray) -> bool:
    """Whether these are 27 NLLs, not all the same, whose probabilities sum to 1."""
    if isinstance(nlls, str) or right.shape != (27,):
        return close(nlls, right, 1e-5)
    good = nlls.shape == right.shape and np.isfinite(nlls).all() and np.ptp(nlls) > 0.1
    return bool(good and abs(np.exp(-nlls).sum() - 1) < 1e-4)


@checks("sequence_nll", lesson=LESSON, points=2, see="Exercise 6: how likely is a sentence?")
def likelihood_of_a_text(sequence_nll: Standin, draw: Draw) -> Said:
    """The chain rule in nats, over the tokens that are not given."""

    def ask(model: Any, tokens: np.ndarray, given: int | None) -> np.ndarray | str:
        more = {} if given is None else {"given": given}
        try:
            answer = untouched(sequence_nll)(model.beside(sequence_nll), tensor(tokens), **more)
        except StudentFailed as why:
            if "target size" in str(why):
                return str(why)
            raise
        return expect_array(answer, None, "float", "the NLL")

    right = yield from examine(
        Subject(
            ask,
            nll_by_rule,
            mistakes=_NLL,
            symptoms=_ON_CLASSES,
            show=show_texts,
            told=lambda a: a if isinstance(a, str) else shown(a),
            smaller=smaller_texts,
            by_hand=terms_by_hand,
            alike=lambda a, b: close(a, b, 1e-5),
        ),
        draw,
        Property(
            "nll",
            "NLL = −Σ log p(x_t | x_<t), over the tokens after the given ones",
            texts_to_score,
            points=1,
            asks="one number a row; the logits at t − 1 score token t",
        ),
        Property(
            "sums",
            "the probabilities of all continuations sum to 1",
            all_texts,
            points=0.5,
            asks="Σ e^−NLL = 1: these are conditionals, multiplied",
            typical=False,
            alike=sums_to_one,
            saw=lambda a, b, *_: (
                a
                if isinstance(a, str)
                else f"an answer of shape {a.shape} for 27 rows"
                if a.shape != b.shape
                else "the same number for all texts"
                if np.ptp(a) <= 0.1
                else f"a sum of {np.exp(-a).sum():.9g}"
            ),
        ),
        Property(
            "finite",
            "it is finite and right for logits of ten thousand, too",
            huge_logits,
            points=0.5,
            asks="log p by logsumexp: finite while the logits are",
            typical=False,
            needs="nll",
        ),
    )
    if right:
        tokens = tensor(texts_to_score(draw)[0][1])
        uncut(
            sequence_nll,
            lambda: [] if gradient_of_logits(sequence_nll, tokens) else ["the model's logits"],
        )
        in_full(sequence_nll, ["the logits"], lambda: slopes_in_logits(sequence_nll, tokens))


def perplexity_by_rule(model: Any, tokens: np.ndarray, given: int, **wrong: Any) -> float:
    """e to the mean NLL of all scored tokens."""
    return float(np.exp(token_nlls(model, tokens, given, **wrong).mean()))


def perplexity_by_counting(model: Any, tokens: np.ndarray, given: int | None) -> float:
    """The same, divided by the number of scored tokens."""
    scored = tokens.shape[0] * (tokens.shape[1] - (given or 1))
    return float(np.exp(token_nlls(model, tokens, given).sum() / scored))


def of_nlls(rule: Callable[..., Any]) -> Callable[..., float]:
    """The program that makes a number of the scored tokens' NLLs (B, T − given), and of the ids."""
    return lambda model, tokens, given: float(rule(token_nlls(model, tokens, given), tokens))


_PERPLEXITIES = (
    *(Mistake(name, advice, gives=of_nlls(rule)) for name, advice, rule in (("exp-of-the-sum",
        "this is e to the SUM: divide by the number of scored tokens first", lambda n, t:
        np.exp(n.sum())), ("sum-over-batch", "this is e to the NLL of a whole row: divide by its "
        "scored tokens, too", lambda n, t: np.exp(n.sum(1).mean())), ("given-counted", "you "
        "divide by all tokens: the given ones are not scored", lambda n, t: np.exp(n.sum() /
        t.size)), ("one-token-too-few", "you divide by T − 1: T − given tokens are scored", lambda
        n, t: np.exp(n.sum() / (len(t) * (t.shape[1] - 1)))), ("mean-of-perplexities", "you "
        "average the rows' perplexities: the mean belongs inside the exponential", lambda n, t:
        np.exp(n.mean(1)).mean()), ("exp-before-the-mean", "you take e to each token's NLL, and "
        "then the mean: the mean belongs inside the exponential", lambda n, t: np.exp(n).mean()),
        ("base-2", "2 to a number of nats: either e and nats, or 2 and bits", lambda n, t: 2 **
        n.mean()), ("base-mixed", "e to a number of bits, or nats divided by ln 2 once too often: "
        "either e and nats, or 2 and bits", lambda n, t: np.exp(n.mean() / math.log(2))),
        ("no-exp", "this is the mean NLL: perplexity is e to that", lambda n, t: n.mean()),
        ("no-exp", "these are the bits per token: perplexity is 2 to that", lambda n, t: n.mean() /
        math.log(2)), ("given-once", "`given` is taken away once: each row has so many given "
        "tokens", lambda n, t: np.exp(n.sum() / (t.size - t.shape[1] + n.shape[1]))),
        ("mean-of-probabilities", "this is one over the mean of the probabilities: the mean is of "
        "their logarithms", lambda n, t: 1 / np.exp(-n).mean()),
        ("batch-forgotten", "you divide by the tokens of one row: count those of all rows", lambda
        n, t: np.exp(n.sum() / n.shape[1])), ("zeros-not-counted", "token 0 is "
        "not counted: it is a token like all", lambda n, t: np.exp(n.sum() / max(1, (t[:,
        -n.shape[1] :] != 0).sum()))), ("first-row-only", "only the first row counts: the "
        "mean runs over all rows", lambda n, t: np.exp(n[0].mean())), ("last-row-only", "only the "
        "last row counts: the mean runs over all rows", lambda n, t: np.exp(n[-1].mean())))),
    Mistake("given-not-handed-on", "sequence_nll is not told how many tokens are given, and scores "
        "all behind the first: hand `given` on", gives=lambda m, t, g: float(np.exp(
            token_nlls(m, t, 1).sum() / (len(t) * (t.shape[1] - (g or 1)))))),
    Mistake("sign", "this is e to MINUS the mean: a perplexity is at least 1", after=lambda v, *_:
        1 / v),
    *within("in sequence_nll", _NLL),
)  # fmt: skip


def texts_of_batches(draw: Draw) -> list[Asked]:
    """One row and several, with one given token and three."""
    model = Waves(draw.integer(6, 9), float(draw.uniform(1)[0]), 2.5)
    return [(model, text_with_0(draw, model, B, T), g) for B, T, g in _SIZES_OF_BATCHES]


_SIZES_OF_BATCHES = ((1, 6, None), (3, 7, 1), (2, 6, 3))


def even_and_sure(draw: Draw) -> list[Asked]:
    """A model that guesses evenly among V tokens, in a long page too, and one that is sure."""
    V = draw.integer(20, 90)
    many = (Constant((0.0,) * V), draw.rng.integers(0, V, size=(4, 400)), 1)
    sure = Constant(tuple(200.0 if token == 3 else -200.0 for token in range(V)))
    return [
        (Constant((0.0,) * V), draw.rng.integers(0, V, size=(3, 9)), 2),
        (sure, np.full((2, 6), 3), 1),
        many,
    ]


@checks("perplexity", lesson=LESSON, points=1, see="Exercise 6: how likely is a sentence?")
def perplexity_of_a_batch(perplexity: Standin, draw: Draw) -> Said:
    """e to the mean NLL of the scored tokens."""

    def ask(model: Any, tokens: np.ndarray, given: int | None) -> float:
        more = () if given is None else (given,)
        answer = untouched(perplexity)(model.beside(perplexity), tensor(tokens), *more)
        return float(expect_array(answer, (), "number", "the perplexity"))

    def by_hand(model: Any, tokens: np.ndarray, given: int) -> str:
        terms = terms_by_hand(model, tokens, given)
        return f"{terms}, and perplexity is e to their mean" if terms else ""

    yield from examine(
        Subject(
            ask,
            perplexity_by_rule,
            forms=(perplexity_by_counting,),
            mistakes=_PERPLEXITIES,
            show=show_texts,
            smaller=smaller_texts,
            by_hand=by_hand,
            alike=lambda a, b: close(a, b, 2e-4),
        ),
        draw,
        Property(
            "perplexity",
            "perplexity is e to the mean NLL of all scored tokens",
            texts_of_batches,
            points=0.5,
            asks="the mean over rows and scored tokens, inside the exponential",
        ),
        Property(
            "even",
            "a model that guesses evenly has perplexity V, a perfect one 1",
            even_and_sure,
            points=0.5,
            asks="e to ln V in the first case, and to 0 in the second",
            typical=False,
        ),
    )


# --- writing --------------------------------------------------------------------------------------


def windowed(tokens: np.ndarray, limit: int, how: str = "") -> np.ndarray:
    """What the model reads next by the lesson's rule; `how` gives another rule."""
    over, jump = tokens.shape[1] - limit, max(1, limit // 2)
    if how == "slides-by-one":
        return tokens[:, -limit:]
    if how == "window-short":
        return windowed(tokens, max(1, limit - 1))
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


@dataclass(frozen=True)
class Text:
    """A prompt (B, T), how many tokens more were asked, what came, and what the model was asked."""

    prompt: np.ndarray
    count: int
    got: np.ndarray
    calls: list[tuple[int, int, int]]
    failed: str = ""

    def equals(self, text: np.ndarray) -> bool:
        """Whether this text came."""
        return np.array_equal(self.got, text)

    @property
    def told(self) -> str:
        """The first row in words, or why there is none."""
        T = self.prompt.shape[1]
        if self.failed:
            return f"{self.failed} ({self.count} tokens behind {T})"
        if self.got.shape != (len(self.prompt), T + self.count):
            return f"a text of shape {self.got.shape} for {T} tokens and {self.count} more"
        row = self.got[0].tolist()
        return f"{row} for the prompt {self.prompt[0].tolist()} and {self.count} more"


def text_by(
    function: Standin,
    model: Secret,
    prompt: np.ndarray,
    count: int,
    earlier: np.ndarray | None = None,
) -> Text:
    """The student's continuation by a model that answers here; its calls are noted.

    With `earlier`, another prompt, that one was continued by two tokens with the same model before.
    """
    skipped = 0 if earlier is None else len(text_by(function, model, earlier, 2).calls)
    model.calls.clear()
    limit, V = model.config["n_positions"], model.config["vocab_size"]
    before = () if earlier is None else (tensor(earlier),)
    try:
        begun = begin_writing(function, V, limit, tensor(prompt), count, *before)
        got = expect_array(answered(begun, model.answer), None, "int", "the text")
    except StudentFailed as why:
        return Text(prompt, count, np.zeros((0, 0)), model.calls[skipped:], str(why))
    return Text(prompt, count, got, model.calls[skipped:])


def written(
    model: Toy | Secret, tokens: np.ndarray, count: int, *, read: str = "", at: int = -1
) -> np.ndarray:
    """The likeliest continuation, token by token; options give the usual mistakes."""
    for _ in range(count):
        seen = windowed(tokens, model.config["n_positions"], read)
        logits = model.logits(torch.tensor(seen).double()).numpy()[:, at]
        tokens = np.concatenate([tokens, logits.argmax(-1)[:, None]], 1)
    return tokens


def written_forward(model: Secret, tokens: np.ndarray, count: int) -> np.ndarray:
    """As `written`, with each new token put before the others."""
    for _ in range(count):
        logits = model.logits(windowed(tokens, model.config["n_positions"])).numpy()[:, -1]
        tokens = np.concatenate([logits.argmax(-1)[:, None], tokens], 1)
    return tokens


def written_by_the_first(model: Secret, tokens: np.ndarray, count: int) -> np.ndarray:
    """As `written`, with the token of the first row appended to all."""
    for _ in range(count):
        new = written(model, tokens[:1], 1)[:, -1:]
        tokens = np.concatenate([tokens, np.repeat(new, len(tokens), 0)], 1)
    return tokens


def written_to_an_end(
    model: Secret, tokens: np.ndarray, count: int, *, end: int, some: bool, kept: bool
) -> np.ndarray:
    """As `written`, up to the token `end` (−1: the last of the vocabulary) in all or some rows.

    `kept` says whether that token still comes.
    """
    token = end % model.config["vocab_size"]
    for _ in range(count):
        longer = written(model, tokens, 1)
        ended = longer[:, -1] == token
        if ended.any() if some else ended.all():
            return longer if kept else tokens
        tokens = longer
    return tokens


def first_that_fits(texts: Sequence[Text], model: Secret) -> str:
    """The name of the first known mistake that gives every text, "" if none does."""
    choices = itertools.product((0, -1), (False, True), (True, False))
    ends = [
        functools.partial(written_to_an_end, end=end, some=some, kept=kept)
        for end, some, kept in choices
    ]

    def last(model: Secret, tokens: np.ndarray, count: int) -> np.ndarray:
        return written(model, tokens, count)[:, -count:]

    more = [("prompt-dropped", last), *(("stops-at-a-token", program) for program in ends)]
    for name, program in [*_WRITERS.items(), *more]:
        if all(t.equals(program(model, t.prompt, t.count)) for t in texts):
            return name
    return ""


_WRITERS: dict[str, Callable[[Any, np.ndarray, int], np.ndarray]] = {
    "first-position-read": lambda m, t, n: written(m, t, n, at=0),
    "first-pass-at-0": lambda m, t, n: written(m, written(m, t, min(n, 1), at=0), max(n - 1, 0)),
    "first-row-for-all": written_by_the_first,
    "count-in-all": lambda m, t, n: written(m, t, max(0, n - t.shape[1])),
    "prompt-dropped": lambda m, t, n: written(m, t, n)[:, t.shape[1] :],
    "one-token-only": lambda m, t, n: written(m, t, 1),
    "nothing-written": lambda m, t, n: t,
    "one-token-too-many": lambda m, t, n: written(m, t, n + 1),
    "one-token-too-few": lambda m, t, n: written(m, t, n - 1),
    "newest-before-the-others": written_forward,
    "least-likely": lambda m, t, n: written(Least(m), t, n),
}  # fmt: skip


class Least:
    """A model whose likeliest token is the least likely one of another."""

    def __init__(self, model: Secret) -> None:
        self.config, self.logits = model.config, lambda ids: -model.logits(ids)


_ON_TEXTS = {
    "first-position-read": "you take the logits after the FIRST token: the next one is told by "
        "those after the last",
    "first-pass-at-0": "the first new token comes from the logits after the FIRST token of the "
        "prompt: take those after the last one",
    "prompt-dropped": "the prompt belongs to the text that is returned",
    "one-token-only": "only one token is added: count of them are asked",
    "nothing-written": "the prompt comes back as it was: count tokens more are asked",
    "one-token-too-many": "one token too many is added: count of them are asked",
    "one-token-too-few": "one token is missing: count of them are asked",
    "first-row-for-all": "all rows get the first one's token: each row has logits of its own",
    "count-in-all": "your text has `count` tokens in all, the prompt among them: `count` MORE are "
        "asked",
    "drawn-for-likeliest": "the same prompt gave one text and then another: without a generator "
        "nothing is drawn, and the likeliest token comes, as `choose` takes it",
    "stops-at-a-token": "your text stops at some token: count tokens come, whichever they are",
    "newest-before-the-others": "each new token stands before the others: text goes on at its end",
    "least-likely": "the LEAST likely token is taken",
    "one-pass-for-all": "all tokens come from one pass: each must see the ones before it",
}  # fmt: skip


def continuations(model: Toy, prompt: np.ndarray) -> dict[str, np.ndarray]:
    """p of all V² continuations by two tokens: the right one under "", and mistakes by name."""
    V = model.config["vocab_size"]

    def p_after(rows: np.ndarray, at: int = -1) -> np.ndarray:
        return softmax(model.logits(torch.tensor(rows).double()).double().numpy())[:, at]

    first, start = p_after(prompt)[0], p_after(prompt, 0)[0]
    longer = np.array([(*prompt[0], a) for a in range(V)])
    second = p_after(longer)
    greedy = np.zeros((V, V))
    best = int(first.argmax())
    greedy[best, int(second[best].argmax())] = 1
    tables = {
        "": first[:, None] * second,
        "one-pass-for-all": first[:, None] * first[None, :],
        "likeliest-for-drawn": greedy,
        "even-draws": np.full((V, V), 1 / V**2),
        "first-position-read": start[:, None] * start[None, :],
    }
    return {name: table.ravel() for name, table in tables.items()}


def softmax_twice(model: Toy, prompt: np.ndarray) -> np.ndarray:
    """p of all V² continuations by two tokens where a softmax is taken of the softmax."""
    return drawn_from(lambda logits: softmax(softmax(logits)), model, prompt)


def drawn_from(
    rule: Callable[[np.ndarray], np.ndarray], model: Toy, prompt: np.ndarray
) -> np.ndarray:
    """p of all V² continuations by two tokens that are drawn from rule(logits)."""
    V = model.config["vocab_size"]

    def p_after(rows: np.ndarray) -> np.ndarray:
        return rule(model.logits(torch.tensor(rows).double()).double().numpy()[:, -1])

    longer = np.array([(*prompt[0], a) for a in range(V)])
    return (p_after(prompt)[0][:, None] * p_after(longer)).ravel()


def tempered(model: Toy, prompt: np.ndarray, frequency: np.ndarray) -> bool:
    """Whether continuations come as often as a temperature other than 1 makes them come."""
    return any(
        np.abs(drawn_from(lambda z, T=T: softmax(z / T), model, prompt) - frequency).sum() < 0.06
        for T in (0.25, 0.5, 0.6, 0.7, 0.75, 0.8, 1.25, 1.5, 2.0)
    )


BOUND, DRAWS = 0.12, 6000

_ON_DRAWS = {
    "first-row-for-all": "all rows get one and the same draw: each row is drawn for itself",
    "one-pass-for-all": "the second token does not know the first: read the longer text again",
    "likeliest-for-drawn": "the likeliest token is taken although there is a generator: draw",
    "tempered": "the draws are sharper or flatter than the softmax of the logits, as with a "
        "temperature: choose takes the logits as they are",
    "even-draws": "all tokens come equally often: where are the logits?",
    "softmax-twice": "a softmax is taken of the softmax: choose takes the logits as they are",
    "first-position-read": "the tokens come as the logits after the FIRST token of the prompt say",
    "generator-ignored": "the generator that was given is not used, or not alone: hand it on to "
        "what draws",
    "likeliest-only": "only some tokens are ever drawn: none is cut off (top-k, top-p), all are "
        "drawn by their softmax",
    KNOW_EACH_OTHER: hang_together("texts"),
}  # fmt: skip


def drawn(function: Standin, draw: Draw) -> tuple[str, str]:
    """What is wrong with samples of two tokens, and the mistake's name; both "" if nothing is."""
    while True:  # a draw at which all mistakes are far apart
        phase, V = 6.0 * float(draw.uniform(1)[0]), 4
        prompt = draw.rng.integers(0, V, size=(1, 3))
        tables = continuations(Toy(V, 12, phase, 1.2), prompt)
        pairs = itertools.combinations(tables.values(), 2)
        if min(np.abs(p - q).sum() for p, q in pairs) > 2 * BOUND:
            break
    model, seed = toy(function, V, 12, phase, 1.2), draw.integer(1, 2**31)
    rows = np.repeat(prompt, DRAWS, axis=0)

    def take(count: int, seed: int = seed) -> tuple[np.ndarray, bool]:
        generator = torch.Generator().manual_seed(seed)
        start = generator.get_state()
        answer = function(model, tensor(rows[:count]), 2, generator)
        text = expect_array(answer, (count, 5), "int", "the text")
        return text, not torch.equal(start, generator.get_state())

    got, moved = take(DRAWS)
    new = got[:, 3:]
    if (got[:, :3] != rows).any() or (new < 0).any() or (new >= V).any():
        return "texts that do not begin with the prompt, or hold what is no token", ""
    frequency = np.bincount(new[:, 0] * V + new[:, 1], minlength=V * V) / DRAWS
    twice, even = softmax_twice(Toy(V, 12, phase, 1.2), prompt), tables["even-draws"]
    off = {name: float(np.abs(frequency - p).sum()) for name, p in tables.items()}
    if off[""] >= BOUND:
        if float(np.abs(frequency - twice).sum()) < BOUND <= float(np.abs(even - twice).sum()):
            off["softmax-twice"] = 0.0
        if min(off.values()) >= BOUND and tempered(Toy(V, 12, phase, 1.2), prompt, frequency):
            off["tempered"] = 0.0
        worst = int(np.abs(frequency - tables[""]).argmax())
        said = (
            f"the continuation {divmod(worst, V)} in {frequency[worst]:.1%} of {DRAWS:,} texts, "
            f"where the model gives it {tables[''][worst]:.1%}"
        )
        if frequency[worst] == 1 and any((take(2, s)[0] != got[:2]).any() for s in range(12)):
            return said, "first-row-for-all"
        return said, next((name for name, o in off.items() if name and o < BOUND), "")
    if not moved:
        return "a generator whose state is the same after the draws", "generator-ignored"
    if (take(50)[0] != take(50)[0]).any():
        return "two generators of one seed that lead to different texts", "generator-ignored"
    shared = shared_in_pairs(new, tables[""].reshape(V, V))
    if shared:
        return shared, KNOW_EACH_OTHER
    return never_drawn(function, draw)


def never_drawn(function: Standin, draw: Draw) -> tuple[str, str]:
    """Whether one of 60 tokens never comes, each of which has half of an even share or more."""
    V, rows = 60, 3000
    model = toy(function, V, 12, float(draw.uniform(1)[0]), 0.3)
    prompt = np.repeat(draw.rng.integers(0, V, size=(1, 2)), rows, axis=0)
    text = expect_array(function(model, tensor(prompt), 1, draw.generator()), (rows, 3), "int")
    missing = sorted(set(range(V)) - set(text[:, 2].tolist()))
    if not missing:
        return "", ""
    said = f"token {missing[0]} never, and {len(missing)} of {V} never, in {rows:,} texts"
    return f"{said}, though none of them has less than 0.9 %", "likeliest-only"


def named(name: str, texts: Mapping[str, str]) -> list[str | Advice]:
    """The advice of `texts` for this name."""
    return [when(name == one, one, text) for one, text in texts.items()]


@checks("generate", lesson=LESSON, points=2, see="Exercise 7: the model writes")
def a_text_token_by_token(generate: Standin, draw: Draw) -> Said:
    """One pass, one token, appended; and again."""
    V = draw.integer(7, 9)
    ours, texts, wrong = Secret(draw, V, 40), [], []
    for B, T, count in ((1, 3, 14), (3, draw.integer(4, 6), 5), (2, 1, 4), (2, 3, 0)):
        prompt = telling_prompt(ours, draw, T, count) if B == 1 else draw.rng.integers(0, V, (B, T))
        text = text_by(generate, ours, prompt, count)
        if text.failed and (count or not wrong):
            raise_again(generate, ours, text)
        if not text.failed:
            texts.append(text)
        if not text.equals(written(ours, text.prompt, text.count)):
            wrong.append(text)
    passes = [t for t in texts if len(t.calls) != t.count]
    name = "" if not wrong else first_that_fits(texts, ours)
    long = all(t.got.shape == (len(t.prompt), t.prompt.shape[1] + t.count) for t in texts)
    if wrong and not name and long and all(len(t.calls) <= 1 for t in texts):
        name = "one-pass-for-all"
    if wrong and not name and long and drawn_at_once(generate, ours, wrong[0]):
        name = "drawn-for-likeliest"
    yield claim(
        "without a generator, the likeliest next token is appended, count times",
        not wrong and not passes,
        points=1,
        saw=wrong[0].told
        if wrong
        else f"{len(passes[0].calls)} passes for {passes[0].count} tokens"
        if passes
        else "",
        asks="prompt and continuation, (B, T + count); one pass a token",
        advice=[
            *named(name, _ON_TEXTS),
            when(not wrong, "passes", "one pass a token is enough, and needed"),
            "read, take the logits after the last token, choose, append, and again",
        ],
    )
    stops = name == "stops-at-a-token"
    said, name = ("", "") if stops else drawn(generate, draw)
    yield claim(
        "with a generator, each token is drawn from the softmax after the last one",
        not said and not stops,
        points=0.5,
        saw=said,
        waits=waits_unless(not stops, "texts of as many tokens as are asked"),
        asks="texts as often as the product of their conditionals says, each drawn for itself, "
        "from this generator alone",
        advice=[
            *named(name, _ON_DRAWS),
            "compare how often each first token comes with the softmax after the prompt's last "
            "token, then each second token after each first one",
        ],
    )
    text, name = beyond(generate, draw)
    refused = text is not None and bool(text.failed)
    yield claim(
        "beyond the context the window is read, and the whole text is returned",
        text is None and not stops,
        points=0.5,
        saw=text.told if text else "",
        asks="model(window(tokens, limit)), and tokens that grow",
        waits=waits_unless(
            not stops and (text is None or refused or not wrong),
            "a text that is right in a context",
        ),
        advice=[
            *named(name, _ON_WINDOWS),
            "give the model window(tokens, limit) each time, and append to tokens",
        ],
    )


def drawn_at_once(function: Standin, model: Secret, text: Text) -> bool:
    """Whether the same prompt, without a generator, gives another text each time."""
    again = [text_by(function, model, text.prompt, text.count) for _ in range(2)]
    return any(not np.array_equal(one.got, text.got) for one in again)


def telling_prompt(model: Secret, draw: Draw, T: int, count: int) -> np.ndarray:
    """A prompt (1, T) behind which the first and the last token of the vocabulary come early."""
    V = model.config["vocab_size"]
    for _ in range(100):
        prompt = draw.rng.integers(0, V, size=(1, T))
        if {0, V - 1} <= set(written(model, prompt, count - 1)[0, T:].tolist()):
            break
    return prompt


def raise_again(function: Standin, model: Secret, text: Text) -> None:
    """Raises what stopped the student's function, with its line."""
    limit, V = model.config["n_positions"], model.config["vocab_size"]
    answered(begin_writing(function, V, limit, tensor(text.prompt), text.count), model.answer)


_ON_WINDOWS = {
    "window-forgotten": "the model was given more tokens than it has positions: beyond them it "
        "reads the window",
    "window-returned": "you return the window: the text is longer than what the model reads",
    "slides-by-one": "your window slides by one token: use the given window, which jumps by half",
    "window-short": "your window is made for a position less than the model has: its limit is "
        "n_positions itself",
    "stale-cache": "the cache still holds the old window when it jumps: begin an empty one",
    "cache-from-before": "a call begins with a cache that an earlier call has filled (what stands "
        "outside the function, and a default argument, is made once, for all calls): make a new "
        "one in each call",
    "read-afresh": "beyond the context the cache is empty at every pass: the window jumps once, "
        "and then grows by one token a pass again, until it is full",
    "window-not-read": "when the window jumps, the empty cache gets less than the window: all of "
        "it is read afresh",
}  # fmt: skip


def beyond(function: Standin, draw: Draw, *, cached: bool = False) -> tuple[Text | None, str]:
    """The first text longer than the context that is wrong, and the mistake's name, or ""."""
    V = draw.integer(7, 9)
    for limit, T, count in ((8, 5, 14), (7, 19, 6), (8, 8, 3), (1, 1, 3)):
        ours = Secret(draw, V, limit)
        text = text_by(function, ours, draw.rng.integers(0, V, size=(2, T)), count)
        right = written(ours, text.prompt, count)
        wanted = passes_with_a_cache(T, count, limit)
        reads = sum(n for _, n, _ in text.calls) == sum(n for n, _ in wanted)
        if text.equals(right) and (reads or not cached):
            continue
        jumps = [i for i, (_, before) in enumerate(wanted) if not before]
        full = "positions: got" in text.failed  # the model was asked for more than it can read
        stale = any(i < len(text.calls) and text.calls[i][2] for i in jumps)
        stale |= full and "got 0 +" not in text.failed
        stale |= "no token to read" in text.failed and len(text.calls) in jumps
        length = text.got.shape[1] if text.got.ndim == 2 else 0
        if cached and text.calls and text.calls[0][2]:
            return text, "cache-from-before"
        if cached and (short := first_jump_short(text, wanted)):
            return text, short
        if cached and stale:
            return text, "stale-cache"
        if cached and text.equals(right) and read_afresh(text, wanted):
            return text, "read-afresh"
        if text.failed:
            return text, "window-forgotten" if full else ""
        if 0 < length < right.shape[1] and text.equals(right[:, -length:]):
            return text, "window-returned"
        known = ("slides-by-one", "window-short")
        fits = (how for how in known if text.equals(written(ours, text.prompt, count, read=how)))
        return text, "" if text.equals(right) else next(fits, "")
    return None, ""


def first_jump_short(text: Text, wanted: Sequence[tuple[int, int]]) -> str:
    """The name of a jump's first pass that begins with an empty cache and reads too little."""
    jump = next((i for i, (_, before) in enumerate(wanted) if i and not before), 0)
    if not jump or jump >= len(text.calls) or text.calls[0][1] != wanted[0][0]:
        return ""
    _, length, before = text.calls[jump]
    return "window-not-read" if not before and length < wanted[jump][0] else ""


def read_afresh(text: Text, wanted: Sequence[tuple[int, int]]) -> bool:
    """Whether, from the first jump on, every pass begins with an empty cache."""
    jump = next((i for i, (_, before) in enumerate(wanted) if i and not before), len(wanted))
    later = [i for i in range(jump, len(wanted)) if wanted[i][1]]
    same = len(text.calls) == len(wanted)
    return same and bool(later) and not any(text.calls[i][2] for i in later)


def passes_with_a_cache(T: int, count: int, limit: int) -> list[tuple[int, int]]:
    """(tokens read, tokens before them) of each pass, where a jump of the window empties it."""
    found, kept = [], 0
    for length in range(T, T + count):
        seen = windowed(np.zeros((1, length)), limit).shape[1]
        kept = 0 if kept >= seen else kept
        found.append((seen - kept, kept))
        kept = seen
    return found


# --- the cache ------------------------------------------------------------------------------------

Pair = tuple[np.ndarray, np.ndarray]
Script = list[tuple]  # (cache, "length"), (cache, "append", layer, k, v), (cache, "reorder", rows)


class Stop(str):
    """In the place of an answer: an exception, with its sentence; all of them count alike."""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Stop)

    __hash__ = None


def cache_by_rule(
    script: Script,
    *,
    axis: int = 2,
    newest_first: bool = False,
    one_layer: bool = False,
    old_of_first: bool = False,
    joins: Callable[[Pair], Pair] | None = None,
    keep: Callable[[Pair, Pair], Pair] | None = None,
    gives: Callable[[Pair, Pair], Pair] | None = None,
    turn: Callable[[int, Pair, np.ndarray], Pair] | None = None,
) -> list[Any]:
    """What caches say to a script: lengths, and pairs of all keys and all values.

    Options turn one thing wrong. `joins(new)` is what goes behind the old ones, those of layer 0
    with `old_of_first`; `keep(pair, new)` and `gives(pair, new)` are what is stored and
    returned of the joined pair, `turn(layer, pair, rows)` what a reordering makes of a pair.
    """
    stores: tuple[dict[int, Pair], dict[int, Pair]] = ({}, {})
    said: list[Any] = []
    for which, what, *given in script:
        store = stores[which]
        if what == "length":
            said.append(store[0][0].shape[2] if store else 0)
            continue
        try:
            if what == "append":
                layer, *new = given
                place = 0 if one_layer else layer
                later = tuple(new) if joins is None else joins(tuple(new))
                old = 0 if old_of_first else place
                parts = [store[old], later] if place in store else [tuple(new)]
                parts = parts[::-1] if newest_first else parts
                pair = tuple(np.concatenate([p[i] for p in parts], axis) for i in (0, 1))
                store[place] = pair if keep is None else keep(pair, tuple(new))
                said.append(list(pair if gives is None else gives(pair, tuple(new))))
            else:
                rows = given[0]
                for layer, (k, v) in store.items():
                    turned = (k[rows], v[rows]) if turn is None else turn(layer, (k, v), rows)
                    store[layer] = turned
        except (ValueError, IndexError) as why:
            return [*said, Stop(why)]
    return said


_AXIS = "the new ones go behind the old along TIME: (B, H, S, d), that is axis 2"
_KEEP = "what append gives back is not what it keeps: the next call needs all of k and all of v"
_BOTH = "keys and values belong together: what happens to the rows of one happens to the other's"


def first_kept(pair: Pair, new: Pair) -> Pair:
    """What was there before the new ones; the new ones, if nothing was."""
    before = pair[0].shape[2] - new[0].shape[2]
    return tuple(part[:, :, :before] if before > 0 else part for part in pair)


def written_in(layer: int, pair: Pair, rows: np.ndarray) -> Pair:
    """The rows written into the tensors that are there, which keep their size."""
    return tuple(np.broadcast_to(part[rows], part.shape).copy() for part in pair)


def written_one_by_one(layer: int, pair: Pair, rows: np.ndarray) -> Pair:
    """One row after another written into the old tensors, from what stands there by then."""
    parts = tuple(part.copy() for part in pair)
    for part in parts:
        for b, row in enumerate(rows):
            part[b] = part[row]
    return tuple(part[: len(rows)] for part in parts)


def halved(said: list[Any], *_: Any) -> list[Any]:
    """What was said, its keys and values rounded to 16 bits."""
    return [
        [a.astype(np.float16).astype(np.float32) for a in one] if isinstance(one, list) else one
        for one in said
    ]


def scattered(layer: int, pair: Pair, rows: np.ndarray) -> Pair:
    """Row b goes to the place rows[b]."""
    parts = tuple(part.copy() for part in pair)
    for part, old in zip(parts, pair, strict=True):
        part[rows] = old
    return parts


_CACHES = (
    *(Mistake("wrong-axis", _AXIS, options={"axis": axis}) for axis in (0, 1, 3)),
    Mistake("newest-only", "the old ones are lost: put the new ones behind them", options={"gives":
        lambda pair, new: new, "keep": lambda pair, new: new}),
    Mistake("newest-first", "the new ones stand before the old: time runs on",
        options={"newest_first": True}),
    Mistake("keys-for-values", "keys and values have changed places in what you return",
        options={"gives": lambda pair, new: pair[::-1]}),
    Mistake("keys-for-values", "the keys come back in the place of the values", options={"gives":
        lambda pair, new: (pair[0], pair[0])}),
    Mistake("layers-mixed", "every layer has keys of its own: yours are all in one place",
        options={"one_layer": True}),
    Mistake("layers-mixed", "every layer has keys of its own: the old ones are always those of "
        "layer 0", options={"old_of_first": True}),
    Mistake("keys-for-values", "the new keys go behind the old values: the new values belong "
        "there", options={"joins": lambda new: (new[0], new[0])}),
    Mistake("kept-otherwise", "what is kept stays that of the first call: keep what append gives "
        "back", options={"keep": first_kept}),
    *(Mistake("kept-otherwise", _KEEP, options={"keep": keep}) for keep in (lambda pair, new: new,
        lambda pair, new: (pair[0], new[1]), lambda pair, new: (new[0], pair[1]), lambda pair, new:
        (pair[0], pair[1][:, :, -1:]), lambda pair, new: (pair[0][:, :, -1:], pair[1]), lambda
        pair, new: (pair[0][:, :, -1:], pair[1][:, :, -1:]))),
    Mistake("kept-otherwise", "when more comes, old keys and old values have changed places: new "
        "keys go behind the old keys, new values behind the old values", options={"keep":
        lambda pair, new: pair[::-1]}),
    Mistake("kept-otherwise", "when more comes, the values begin with old KEYS: new values go "
        "behind the old values", options={"keep": lambda pair, new: (pair[0], pair[0])}),
    Mistake("one-layer-reordered", "only the layer that was appended to last is reordered: all of "
        "them belong to the row", options={"turn": lambda layer, pair, rows: (pair[0][rows],
        pair[1][rows]) if layer else pair}),
    Mistake("rows-once", "the rows that are named come once each, in the order of their numbers: "
        "they come in the order of `rows`, and as often as there", options={"turn": lambda layer,
        pair, rows: (pair[0][np.unique(rows)], pair[1][np.unique(rows)])}),
    Mistake("old-values-lost", "the values of the newest tokens stand alone: new values go behind "
        "the old ones, as new keys do", options={"keep": lambda pair, new: (pair[0], new[1]),
        "gives": lambda pair, new: (pair[0], new[1])}),
    Mistake("old-values-lost", "the keys of the newest tokens stand alone: new keys go behind the "
        "old ones, as new values do", options={"keep": lambda pair, new: (new[0], pair[1]),
        "gives": lambda pair, new: (new[0], pair[1])}),
    Mistake("first-rows-kept", "the first rows stay, as many as are named: row b becomes what row "
        "rows[b] was", options={"turn": lambda layer, pair, rows: (pair[0][: len(rows)],
        pair[1][: len(rows)])}),
    Mistake("returned-otherwise", "append keeps all, and gives back the new ones only: the "
        "attention needs those of all tokens", options={"gives": lambda pair, new: new}),
    Mistake("not-reordered", "nothing is reordered: row b of the batch becomes what row rows[b] "
        "was", options={"turn": lambda layer, pair, rows: pair}),
    *(Mistake("values-not-reordered", _BOTH, options={"turn": turn}) for turn in (lambda layer,
        pair, rows: (pair[0][rows], pair[1]), lambda layer, pair, rows: (pair[0], pair[1][rows]),
        lambda layer, pair, rows: (pair[0][rows], pair[1][rows * 0]), lambda layer, pair, rows:
        (pair[0][rows * 0], pair[1][rows]), lambda layer, pair, rows: (pair[0][rows],
        pair[0][rows]), lambda layer, pair, rows: (pair[1][rows], pair[0][rows]))),
    Mistake("one-layer-reordered", "only the first layer is reordered: all of them belong to the "
        "row", options={"turn": lambda layer, pair, rows: pair if layer else (pair[0][rows],
        pair[1][rows])}),
    *(Mistake("values-not-reordered", _BOTH, options={"turn": turn}) for turn in (
        lambda layer, pair, rows: (pair[0][rows - 1], pair[1][rows]),
        lambda layer, pair, rows: (pair[0][rows], pair[1][rows - 1]))),
    Mistake("rows-the-other-way", "the rows go where they should come from: new row b is OLD row "
        "rows[b]", options={"turn": lambda layer, pair, rows: (pair[0][np.argsort(rows)],
        pair[1][np.argsort(rows)])}),
    Mistake("rows-the-other-way", "row b is put into the place rows[b]: new row b is OLD row "
        "rows[b], and rows may name more rows than there are, or fewer", options={"turn":
        scattered}),
    Mistake("rows-written-in", "the rows are written one by one into the tensors that they are "
        "read from: a row that was written over is read again, and there is no room for more rows",
        options={"turn": written_one_by_one}),
    Mistake("rounded-in-the-cache", "keys and values come back rounded to 16 bits: they come back "
        "as they went in", after=halved),
    Mistake("rows-written-in", "the rows are written into the old tensors, which have as many rows "
        "as before: rows may name more, or fewer", options={"turn": written_in}),
    Mistake("other-axis-reordered", "the axis of time is reordered: rows are those of the first "
        "one", options={"turn": lambda layer, pair, rows: (pair[0][:, :, rows], pair[1][:, :,
        rows])}),
    Mistake("other-axis-reordered", "another axis than the batch is reordered: rows are those of "
        "the first one", options={"turn": lambda layer, pair, rows: (pair[0][:, rows], pair[1][:,
        rows])}),
)  # fmt: skip
_SHARED = Symptom(
    "cache-shared",
    "a new cache is not empty after others were used: the pairs belong to self, not to the class",
    lambda seen: any(
        what == "length" and said != 0
        for o in seen
        for (_, what, *_), said in zip(o.args[0], o.answer, strict=False)
        if o.args[0][0][1] == "length" and said is o.answer[0]
    ),
)


def only_lengths_fail(seen: Sequence[Observation]) -> bool:
    """Whether every first wrong answer is a length, behind pairs that are right."""
    firsts = [
        next((a for a, b in zip(o.answer, o.right, strict=False) if not alike(a, b)), None)
        for o in seen
        if o.fails
    ]
    return bool(firsts) and all(isinstance(first, int) for first in firsts)


def only_the_last(seen: Sequence[Observation]) -> bool:
    """Whether the first wrong pair of each script is the end of the right one."""
    firsts = [
        next(((a, b) for a, b in zip(o.answer, o.right, strict=False) if not alike(a, b)), None)
        for o in seen
        if o.fails
    ]
    return bool(firsts) and all(
        first is not None
        and all(isinstance(one, list) for one in first)
        and all(
            x.ndim == 4 and 0 < x.shape[2] < y.shape[2] and close(x, y[:, :, -x.shape[2] :], 1e-6)
            for x, y in zip(*first, strict=True)
        )
        for first in firsts
    )


_LAST = Symptom(
    "oldest-dropped",
    "of a long text only the last keys and values are there: those of all tokens are kept",
    only_the_last,
)
_LENGTH = Symptom(
    "length-otherwise",
    "what append gives is right, and length tells another number: it is how many tokens have been "
    "read, the size of the axis of time",
    only_lengths_fail,
)


def pieces(draw: Draw, B: int, H: int, d: int, *lengths: int) -> list[Pair]:
    """Random keys and values, (B, H, length, d) each."""
    return [(single(draw.normal(B, H, n, d)), single(draw.normal(B, H, n, d))) for n in lengths]


def appending(draw: Draw) -> list[tuple[Script]]:
    """Pieces of several lengths, to one layer and to two in turn."""
    cases = []
    for layers in (1, 2):
        lengths = (2, 2, draw.integer(1, 3), 1, 70)[: 6 - layers]
        script: Script = []
        parts = [pieces(draw, 2, 3, draw.integer(4, 5), *lengths) for _ in range(layers)]
        for step in range(len(lengths)):
            script += [(0, "append", layer, *parts[layer][step]) for layer in range(layers)]
            script.append((0, "length"))
        cases.append((script,))
    return cases


def reordering(draw: Draw) -> list[tuple[Script]]:
    """A row taken twice, and a turn of three rows; then the text goes on."""
    cases = []
    for B, rows in ((2, [1, 1, 0]), (3, [1, 2, 0]), (3, [2])):
        d = draw.integer(4, 5)
        script: Script = []
        for layer in (0, 1):
            script.append((0, "append", layer, *pieces(draw, B, 3, d, 2)[0]))
        script.append((0, "reorder", np.array(rows)))
        for layer in (0, 1):
            script.append((0, "append", layer, *pieces(draw, len(rows), 3, d, 1)[0]))
        cases.append(([*script, (0, "length")],))
    return cases


def two_caches(draw: Draw) -> list[tuple[Script]]:
    """Two caches, filled and reordered in turn."""
    a, b, c, d, e = pieces(draw, 2, 3, 4, 2, 1, 3, 1, 2)
    script: Script = [(0, "length"), (1, "length"), (0, "append", 0, *a), (1, "length")]
    script += [(0, "append", 0, *b), (1, "append", 0, *c), (0, "reorder", np.array([1, 0]))]
    return [([*script, (0, "append", 0, *d), (1, "append", 0, *e), (0, "length"), (1, "length")],)]


def off_as_cache(got: list[Any], right: list[Any], *_: Any) -> str:
    """The first answer that differs."""
    for a, b in zip(got, right, strict=False):
        if isinstance(a, Stop):
            return str(a)
        if isinstance(a, int) and a != b:
            return f"a length of {a}"
        if isinstance(a, list):
            shapes = [x.shape for x in a]
            if shapes != [x.shape for x in b]:
                return f"keys of shape {shapes[0]} and values of shape {shapes[1]}"
            for what, x, y in zip(("keys", "values"), a, b, strict=True):
                if not close(x, y, 1e-6):
                    return f"{what} with other numbers"
    return "no answer"


def told_by_cache(said: list[Any]) -> str:
    """What a cache said last, in words."""
    last = said[-1] if said else None
    if isinstance(last, Stop) or last is None:
        return str(last)
    return f"a length of {last}" if isinstance(last, int) else f"keys {shown(last[0])}"


def show_script(script: Script) -> str:
    """What was done, in words."""
    told = [
        f"append {s[3].shape[2]} to layer {s[2]}"
        if s[1] == "append"
        else f"reorder {s[2].tolist()}"
        for s in script
        if s[1] != "length"
    ]
    caches = 1 + max(s[0] for s in script)
    return f"{', '.join(told)}" + (f", in {caches} caches by turns" if caches > 1 else "")


@checks("Cache", lesson=LESSON, points=2, see="Exercise 8: do not read it all again")
def keys_and_values_to_keep(Cache: Standin, draw: Draw) -> Said:
    """What has been read is kept, behind one another, layer by layer."""

    def ask(script: Script) -> list[Any]:
        caches = [made_by(Cache) for _ in range(1 + max(step[0] for step in script))]
        said: list[Any] = []
        for which, what, *given in script:
            cache = caches[which]
            try:
                if what == "length":
                    said.append(rows_of(cache))
                elif what == "append":
                    answer = cache.append(given[0], tensor(given[1]), tensor(given[2]))
                    if not isinstance(answer, tuple | list) or len(answer) != 2:
                        raise WrongKind("append should return two tensors: all keys, all values")
                    said.append([expect_array(a, None, "float", "keys or values") for a in answer])
                else:
                    cache.reorder(torch.tensor(given[0]))
            except StudentFailed as why:
                return [*said, Stop(why)]
        return said

    yield from examine(
        Subject(
            ask,
            cache_by_rule,
            mistakes=_CACHES,
            symptoms=(_SHARED, _LENGTH, _LAST),
            show=show_script,
            told=told_by_cache,
            smaller=lambda script: ((script[:n],) for n in range(1, len(script))),
        ),
        draw,
        Property(
            "append",
            "append puts new keys and values behind the old ones of the same layer, along time",
            appending,
            points=1,
            asks="(B, H, S, d): all that this layer has been given, in order",
            saw=off_as_cache,
        ),
        Property(
            "reorder",
            "after reorder, row b of every layer is what row rows[b] was, and goes on by itself",
            reordering,
            points=0.5,
            asks="keys and values of the rows named, in each layer; one may be taken twice",
            needs="append",
            saw=off_as_cache,
        ),
        Property(
            "fresh",
            "a new cache is empty and its own, and nothing that was kept is written over",
            two_caches,
            points=0.5,
            asks="append and reorder in any order, each cache by itself",
            typical=False,
            needs="reorder",
            saw=off_as_cache,
        ),
    )


@checks("generate_cached", lesson=LESSON, points=2, see="Exercise 8: do not read it all again")
def each_token_is_read_once(generate_cached: Standin, draw: Draw) -> Said:
    """The same text for less reading."""
    V = draw.integer(7, 9)
    ours, texts = Secret(draw, V, 40), []
    for B, T, count in ((1, 4, 4), (3, draw.integer(4, 6), 7), (2, 1, 5), (2, 3, 0)):
        texts.append(text_by(generate_cached, ours, draw.rng.integers(0, V, size=(B, T)), count))
    if all(t.failed for t in texts if t.count):
        raise_again(generate_cached, ours, texts[0])
    two = draw.rng.integers(0, V, size=(2, 2, 6))
    texts.append(text_by(generate_cached, ours, two[0], 4, earlier=two[1, :, :2]))
    from_before = any(t.calls and t.calls[0][2] for t in texts)
    wrong = [t for t in texts if not t.equals(written(ours, t.prompt, t.count))]
    on_reading = named(how_it_read(texts), _ON_READING)
    said, name = ("", "") if wrong else drawn(generate_cached, draw)
    yield claim(
        "the text is the one that reading everything again gives, drawn or likeliest",
        not wrong and not said,
        points=0.5,
        saw=wrong[0].told if wrong else said,
        asks="equal tokens: the cache holds what the past would give again",
        advice=[
            when(from_before, "cache-from-before", _ON_WINDOWS["cache-from-before"]),
            *named(name or (first_that_fits(texts, ours) if wrong else ""), _ON_DRAWS | _ON_TEXTS),
            *on_reading,
            "compare with generate on the same prompt, pass by pass",
        ],
    )
    more = [
        (t, read)
        for t in texts
        if (read := sum(n for _, n, _ in t.calls))
        != (t.prompt.shape[1] + t.count - 1) * (t.count > 0)
    ]
    yield claim(
        "each token is read once: T + count − 1 of them",
        not more and not wrong,
        points=1,
        saw=f"{more[0][1]} tokens read in {len(more[0][0].calls)} passes, for a prompt of "
        f"{more[0][0].prompt.shape[1]} and {more[0][0].count} more"
        if more
        else "",
        asks="the prompt's tokens, and each new one but the last",
        waits=waits_unless(more or not wrong, "the text that reading everything again gives"),
        advice=[
            *on_reading,
            "read the prompt, and then the newest token in each pass",
        ],
    )
    text, name = beyond(generate_cached, draw, cached=True)
    yield claim(
        "when the window jumps, it is read afresh into an empty cache",
        text is None,
        points=0.5,
        saw=""
        if text is None
        else f"{sum(n for _, n, _ in text.calls)} tokens read in {len(text.calls)} passes, "
        f"and {text.told}",
        asks="after a jump all positions are others: one longer pass, then single tokens again",
        waits=waits_unless(
            text is None or not wrong, "the text that reading everything again gives"
        ),
        advice=[
            *named(name, _ON_WINDOWS),
            *on_reading,
            "compare the window's length with cache.length",
        ],
    )


_ON_READING = {
    "cache-unused": "the cache is empty at every pass: make one before the loop, and hand it to "
        "the model",
    "prompt-lost": "single tokens are read without what came before them",
    "one-pass-too-many": "there are count + 1 passes: the first one reads the prompt, and its "
        "logits give the first new token; behind the last new token none is needed",
    "read-again": "tokens that are in the cache are read again: only what is behind them is new",
}  # fmt: skip


def how_it_read(texts: Sequence[Text]) -> str:
    """What the passes of several texts prove, "" if nothing."""
    later = [
        (length, before, t.prompt.shape[1] + i)
        for t in texts
        for i, (_, length, before) in enumerate(t.calls)
        if i
    ]
    if all(len(t.calls) == t.count + 1 for t in texts if t.count) and all(
        length == 1 and before == whole - 1 for length, before, whole in later
    ):
        return "one-pass-too-many"
    firsts = [(t.calls[0], t.prompt.shape[1]) for t in texts if t.calls]
    firsts = firsts if all(len(t.calls) == t.count for t in texts) else []
    if firsts and all(call[1] == 1 and not call[2] for call, _ in firsts):
        if any(T > 1 for _, T in firsts):
            return "prompt-lost"
    if later and all(before == 0 for _, before, _ in later):
        if all(length == whole for length, _, whole in later):
            return "cache-unused"
        return "prompt-lost" if all(length == 1 for length, _, _ in later) else ""
    return "read-again" if any(before and length > 1 for length, before, _ in later) else ""


# --- find_the_leak --------------------------------------------------------------------------------


@dataclass(frozen=True)
class Question:
    """What one suspect was asked: logits or "gradients", of how many tokens, with an open gate?"""

    kind: str
    length: int
    open: bool


@dataclass(frozen=True)
class Round:
    """Five suspects (name → habit), what each was asked, and who is named."""

    who: dict[str, str]
    asked: dict[str, list[Question]]
    named: set[str]
    repeated: bool = False  # whether a name stands in the list more than once

    @property
    def missed(self) -> list[str]:
        """The habits of leaky models that go free."""
        return [habit for name, habit in self.who.items() if habit and name not in self.named]

    @property
    def accused(self) -> list[str]:
        """Names that are named, and are no leaky model's."""
        return sorted(name for name in self.named if not self.who.get(name))

    @property
    def unheard(self) -> list[str]:
        """Models that are accused, and were never asked anything."""
        return [name for name in self.named if name in self.who and name not in self.asked]

    def asked_of(self, habit: str) -> list[Question]:
        """What the models with a habit were asked."""
        return [q for n, h in self.who.items() if h == habit for q in self.asked.get(n, [])]


def suspects_who_answer(
    who: dict[str, str], asked: dict[str, list[Question]]
) -> Callable[..., Any]:
    """Answers what suspects (name → habit) are asked: logits, or the gradients of what reads them.

    A question brings the weights along, so that those who ask may change them as they like. `asked`
    collects what each was asked.
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
        asked.setdefault(str(name), []).append(
            Question(str(kind), x.shape[1], bool(given["gate"].any()))
        )
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


def searched(find_the_leak: Standin, habits: Sequence[str], draw: Draw) -> Round:
    """One round: whom the student's function names among five models, two of them with `habits`."""
    names = [str(n) for n in draw.rng.choice(NAMES, size=5, replace=False)]
    planted = [*habits, *[""] * (5 - len(habits))]
    planted = [planted[i] for i in draw.permutation(5)]
    who, asked = dict(zip(names, planted, strict=True)), {}
    seeds = [draw.integer(0, 2**31) for _ in who]
    answer = answered(begin_search(find_the_leak, names, seeds), suspects_who_answer(who, asked))
    if isinstance(answer, dict):
        raise WrongKind("find_the_leak should return a list of names: got a dict")
    try:
        found = list(answer)
    except TypeError:
        raise WrongKind("find_the_leak should return a list of names") from None
    if not all(isinstance(n, str) for n in found):
        raise WrongKind("find_the_leak should return a list of names, each a str")
    return Round(who, asked, set(found), len(set(found)) < len(found))


_HABITS = {
    "shifted": "one token ahead",
    "late": "the future in the second half of its positions",
    "centered": "the mean over the whole text",
    "gated": "the future through a gate that is closed as yet",
    "rounded": "the future through a rounding",
}  # fmt: skip


def on_search(rounds: Sequence[Round]) -> list[str | Advice]:
    """What rounds prove about how was searched."""
    missed = {habit for one in rounds for habit in one.missed}
    honest = any(one.accused for one in rounds)

    def of(habit: str) -> list[Question]:
        return [q for one in rounds for q in one.asked_of(habit)] if habit in missed else []

    late, gated, rounded = of("late"), of("gated"), of("rounded")
    return [
        when(
            all(one.named >= set(one.who) for one in rounds),
            "own-token-forbidden",
            "you accuse everyone, the honest ones too. Logits at t are about token t + 1, so they "
            "may see token t itself",
        ),
        when(
            all(len(one.asked) == 1 for one in rounds),
            "one-model-asked",
            "only one of the five models is asked anything: does `return` stand inside the loop?",
        ),
        when(
            not any(one.named for one in rounds),
            "nobody-accused",
            "you accuse nobody: ask the map for what is seen and not allowed",
        ),
        when(
            all(one.named == {n for n, h in one.who.items() if not h} for one in rounds),
            "honest-named",
            "you name the three that do NOT see the future: the other two are asked for",
        ),
        when(
            late and not honest and max(q.length for q in late) < Suspect("").config["n_positions"],
            "too-short",
            "a mask may be right for short texts only: test with n_positions tokens",
        ),
        when(
            rounded and not honest and any(q.kind == "gradients" for q in rounded),
            "gradients-only",
            "a gradient is zero behind a rounding and a closed gate: exchange tokens, with fresh "
            "weights, and compare the logits",
        ),
        when(
            missed == {"gated"} and not honest and not any(q.open for q in gated),
            "closed-gate",
            "a gate that is 0 today hides its path: dependency_map draws fresh weights, unless "
            "you tell it not to",
        ),
        when(
            any(one.repeated for one in rounds) and not missed and not honest,
            "named-twice",
            "the list holds a name more than once, as if it came for each forbidden pair: a model "
            "that peeks is named once",
        ),
        "look at dependency_map(…).summary(own=True) of each",
    ]


@checks("find_the_leak", lesson=LESSON, points=2, see="Exercise 9: two of the five peek")
def two_of_the_five_peek(find_the_leak: Standin, draw: Draw) -> Said:
    """Models that see the future are told from those that do not, by running them."""
    plain = [("shifted", "centered"), ("late", draw.choice(("shifted", "centered")))]
    hidden = [("gated", "rounded"), (plain[1][1], draw.choice(LEAKS[3:])), ("rounded", "gated")]
    plain.append(("late", "centered"))  # three groups: whoever guesses is right once in a thousand
    searches = [
        [searched(find_the_leak, habits, draw) for habits in two] for two in (plain, hidden)
    ]
    rounds = [*searches[0], *searches[1]]
    unheard = any(one.unheard for one in rounds)
    repeated = any(one.repeated for one in rounds)
    for two, kinds, text in zip(
        searches,
        (LEAKS[:3], LEAKS[3:]),
        (
            "leaks one token ahead, by a mean, and in late positions are found, and only they",
            "leaks behind a closed gate and behind a rounding are found, and only they",
        ),
        strict=True,
    ):
        missed = [habit for one in rounds for habit in one.missed if habit in kinds]
        accused = [name for one in two for name in one.accused]
        honest = sum(not habit for one in two for habit in one.who.values())
        yield claim(
            text,
            not missed and not accused and not repeated,
            points=1,
            saw=f"a model goes free that sees {_HABITS[missed[0]]}"
            if missed
            else f"in three groups of five, {len(accused)} of {honest} honest models are accused"
            if accused
            else "a list that holds a name more than once"
            if repeated
            else "",
            asks="the two of the five whose outputs change with a later token",
            waits=waits_unless(not unheard, "a question to each model before it is accused"),
            advice=on_search(rounds),
        )
