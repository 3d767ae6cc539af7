"""Whether an answer looks at what it was given, and whether samples know of each other.

Two answers of one student may agree because both are right, or because neither has looked at
anything: a die agrees with constant logits, a copy of the bytes with another copy. So a point for
agreement is given only to answers that change with OUR model, data or weights, other things equal.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from scipy.stats import binom

from autograder import expect_array
from course.causality import randomize_parameters

TOO_ALIKE = 1e-11  # false-alarm rate of one exact test of pairs


def same(a: Any, b: Any) -> bool:
    """Whether two answers are equal to the last digit; NaN equals NaN."""
    if isinstance(a, list | tuple) and isinstance(b, list | tuple):
        return len(a) == len(b) and all(same(x, y) for x, y in zip(a, b, strict=True))
    if isinstance(a, torch.Tensor | np.ndarray) and isinstance(b, torch.Tensor | np.ndarray):
        a, b = np.asarray(a), np.asarray(b)
        return bool(np.array_equal(a, b, equal_nan=a.dtype.kind in "fc" and b.dtype.kind in "fc"))
    return bool(a == b)


def looks_at(ask: Callable[..., Any], one: Any, other: Any, seed: int | None = None) -> bool:
    """Whether `ask(one)` and `ask(other)` differ.

    With a `seed`, each call gets a torch.Generator of that seed as well: what is drawn without
    looking is then drawn twice. (Answers with a source of randomness of their own differ by chance;
    for these the claim about the generator fails by itself.)
    """
    if seed is None:
        return not same(ask(one), ask(other))
    first, second = (torch.Generator().manual_seed(seed) for _ in range(2))
    return not same(ask(one, first), ask(other, second))


def waits_unless(there: object, what: str) -> str:
    """`what` if it is not there, for `claim(…, waits=…)`."""
    return "" if there else what


def carries_its_weights(
    model: Any, ask: Callable[[Any], Any], rng: np.random.Generator, rows: bool = True
) -> bool:
    """Whether what `ask(model)` gives is made of the model's parameters, and of its input.

    Asked twice for each of two draws of all parameters, of a copy: finite numbers, the same for the
    same parameters, others for others, and (with `rows`) not all rows of the batch alike.
    """
    twin = copy.deepcopy(model).eval()
    answers = []
    for _ in range(2):
        randomize_parameters(twin, rng)
        first, again = (expect_array(ask(twin), None, "float", "the output") for _ in range(2))
        if not (first.size and np.isfinite(first).all() and same(first, again)):
            return False
        if rows and not np.ptp(first, axis=0).any():
            return False
        answers.append(first)
    return not same(*answers)


def letters_of(p: np.ndarray) -> list[np.ndarray]:
    """The law of each letter of words with the joint p."""
    return [p.sum(axis=tuple(a for a in range(p.ndim) if a != i)) for i in range(p.ndim)]


KNOW_EACH_OTHER = "samples-that-know-each-other"


def hang_together(what: str) -> str:
    """The advice where `shared_in_pairs`, or `too_even`, found something; `what` are the rows."""
    return (
        f"the {what} come as often as they should, and hang together: none may be made of another "
        "one's random numbers, and none is moved, spread or put in an order"
    )


def shared_in_pairs(x: np.ndarray, p: np.ndarray) -> str:
    """What pairs of samples share more or less often than independent ones, "" if nothing.

    `x` (N, n) are words of n letters and `p` (k, …, k) is their joint. Neighbors, the two halves,
    and the two ends are paired; in each, the words and each letter that agree are counted, and
    then each two letters that stand in one place: by mirrored random numbers a pair may agree as
    often as chance has it, and its letters still go together. Counts of independent pairs follow a
    binomial law, which is tested exactly: the 3 (1 + n + n k²) tests together miss a right sampler
    less than once in ten million.
    """
    half = len(x) // 2
    pairs = {
        "neighbors": (x[0 : 2 * half : 2], x[1 : 2 * half : 2]),
        "samples half the batch apart": (x[:half], x[half : 2 * half]),
        "samples as far from either end of the batch": (x[:half], x[::-1][:half]),
    }
    rows = letters_of(p)
    for who, (a, b) in pairs.items():
        agree = {"word": ((a == b).all(axis=1), p)}
        agree |= {f"letter {i + 1}": (a[:, i] == b[:, i], row) for i, row in enumerate(rows)}
        for what, (same, law) in agree.items():
            chance, seen = float((law**2).sum()), int(same.sum())
            low, high = binom.cdf(seen, half, chance), binom.sf(seen - 1, half, chance)
            if min(low, high) < TOO_ALIKE:
                return (
                    f"{seen:,} of {half:,} pairs of {who} have the same {what}: about "
                    f"{half * chance:,.0f} independent ones would"
                )
        for i, row in enumerate(rows):
            letters = np.stack([a[:, i], b[:, i]]).astype(int)
            if (letters < 0).any() or (letters >= len(row)).any():
                continue
            table = np.bincount(letters[0] * len(row) + letters[1], minlength=len(row) ** 2)
            law = np.outer(row, row).ravel()
            tails = np.minimum(binom.cdf(table, half, law), binom.sf(table - 1, half, law))
            worst = int(np.argmin(tails))
            if tails[worst] < TOO_ALIKE:
                first, second = divmod(worst, len(row))
                return (
                    f"in {table[worst]:,} of {half:,} pairs of {who} letter {i + 1} is {first} in "
                    f"one and {second} in the other: about {half * law[worst]:,.0f} independent "
                    "ones would have that"
                )
    return ""


CALLS, FEW = 40, 60  # calls for a few samples each


def too_even(few: Callable[[int], np.ndarray], rows: Sequence[np.ndarray]) -> str:
    """What comes as often as expected in too many calls to be drawn at random, "" if nothing.

    `few(count)` draws words (count, n); `rows` are the laws of their letters. Samples that are
    spread over the law, as stratified ones are, come exactly as often as they should in every call;
    a letter of independent ones is within 1 of it in a binomial number of calls, which is tested
    exactly.
    """
    calls = [few(FEW).astype(int) for _ in range(CALLS)]
    for i, row in enumerate(rows):
        letter = int(np.argmax(row * (1 - row)))
        mean = FEW * row[letter]
        near = sum(abs((x[:, i] == letter).sum() - mean) < 1 for x in calls)
        counts = np.arange(FEW + 1)
        chance = float(binom.pmf(counts[np.abs(counts - mean) < 1], FEW, row[letter]).sum())
        if binom.sf(near - 1, CALLS, chance) < TOO_ALIKE:
            return (
                f"{near} of {CALLS} calls for {FEW} samples have letter {i + 1} exactly as often "
                f"as is expected: about {CALLS * chance:.0f} with independent ones would"
            )
    return ""
