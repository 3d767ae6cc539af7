"""Samples: how often they come, whether they know of one another, and what draws them.

A law is an array of probabilities: of all 2^n vectors of bits, the first bit changing slowest.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch

from autograder import claim, when
from autograder.checks.witness import shared_in_pairs, waits_unless
from autograder.claims import Claim
from autograder.diagnosis import Symptom
from autograder.diagnosis.examine import shown
from autograder.diagnosis.mistakes import alike
from autograder.draw import Draw

# An exact bound, no χ² approximation: ‖p̂ − p‖₁ ≥ ε has a probability of at most
# (2^K − 2) exp(−N ε² / 2) for K outcomes (Weissman et al., 2003). At K = 8, N = 20,000 and
# ε = 0.055 that is 1.9e-11, far below one false alarm in a million verdicts.
DRAWS, BOUND = 20_000, 0.055

ONE_FOR_ALL = "the same bits in all examples of a call, and others in the next call"


def all_bits(n: int) -> np.ndarray:
    """All 2^n bit vectors, float64 (2^n, n), the first bit changing slowest; n is at most 16."""
    if n > 16:  # a slip of a rule may ask for the vectors of 2^n bits
        raise ValueError(f"all vectors of at most 16 bits can be listed: got n = {n}")
    return np.array(list(itertools.product((0.0, 1.0), repeat=n))).reshape(2**n, n)


def coins(p: np.ndarray) -> np.ndarray:
    """The law of all vectors when bit i is a coin of its own, 1 with probability p_i."""
    every = all_bits(len(p))
    return np.where(every == 1, p, 1 - p).prod(axis=1)


def frequencies(x: np.ndarray) -> np.ndarray:
    """How often each of the 2^n vectors stands among the rows of x, as shares."""
    codes = (x @ (2 ** np.arange(x.shape[1])[::-1])).astype(np.int64)
    return np.bincount(codes, minlength=2 ** x.shape[1]) / len(x)


def tallied(x: np.ndarray, again: Callable[[], np.ndarray]) -> Any:
    """The shares of all vectors among the rows x; or a row that holds no bits; or ONE_FOR_ALL.

    `again` draws a few rows more.
    """
    odd = ~np.isin(x, (0, 1)).all(axis=1)
    if odd.any():
        return [x[odd][0]]
    if len(x) > 1 and (x == x[0]).all():
        few = [again() for _ in range(8)]
        if all((rows == rows[0]).all() for rows in few) and any((r[0] != x[0]).any() for r in few):
            return ONE_FOR_ALL
    return frequencies(x)


def as_often(a: Any, b: Any) -> bool:
    """Whether shares a fit the law b, row by row where there are several; or the same answer."""
    if not (isinstance(a, np.ndarray) and isinstance(b, np.ndarray)):
        return alike(a, b, 1e-3)
    return a.shape == b.shape and bool((np.abs(a - b).sum(axis=-1) < BOUND).all())


def told_shares(answer: Any) -> str:
    """Shares of vectors in words."""
    if isinstance(answer, str):
        return answer
    if isinstance(answer, list):
        return f"values other than 0 and 1, such as {shown(answer[0])},"
    words = all_bits(answer.shape[-1].bit_length() - 1).astype(int)
    rows = [
        ", ".join(
            f"{''.join(map(str, word))} {share:.1%}" for word, share in zip(words, row, strict=True)
        )
        for row in np.atleast_2d(answer)
    ]
    return " and ".join(rows)


SAME_FOR_ALL = Symptom(
    "same-for-all",
    "all examples of a call are alike: every one of them needs its own draw",
    lambda seen: any(isinstance(o.answer, str) and o.answer == ONE_FOR_ALL for o in seen),
)
NO_BITS = Symptom(
    "probabilities-for-bits",
    "values other than 0 and 1 come back: bits are asked, each of them drawn",
    lambda seen: any(isinstance(o.answer, list) for o in seen),
)


def apart(laws: Sequence[Sequence[np.ndarray]]) -> float:
    """The least distance of two samplers, each given by one law or several, the largest counts."""
    return min(
        max(np.abs(p - q).sum(axis=-1).max() for p, q in zip(one, other, strict=True))
        for one, other in itertools.combinations(laws, 2)
    )


def claim_of_independence(x: Callable[[], np.ndarray], law: np.ndarray, right: bool) -> Claim:
    """That each of the rows that `x` draws is drawn for itself; `law` is theirs."""
    shared = ""
    if right:
        shared = shared_in_pairs(x().astype(int), law.reshape((2,) * (len(law).bit_length() - 1)))
    return claim(
        "each example is drawn for itself",
        not shared,
        points=0.5,
        saw=shared,
        asks="pairs of examples that agree as often as independent ones do",
        waits=waits_unless(right, "samples that come as often as they should"),
        advice=when(
            shared,
            "samples-that-know-each-other",
            "the examples come as often as they should, and hang together: none may be made of "
            "another one's random numbers, and none is moved to a place that fits it",
        ),
    )


def claim_of_the_generator(
    ask: Callable[[torch.Generator], np.ndarray], draw: Draw, points: float, waits: str = ""
) -> Claim:
    """That all randomness of `ask(generator)`, an array, comes from the given torch.Generator."""
    seed = draw.integer(1, 2**31)
    generators = [torch.Generator().manual_seed(seed + s) for s in (0, 0, 1)]
    start = generators[0].get_state()
    a, b, c = (ask(generator) for generator in generators)
    first, _, third = (generator.get_state() for generator in generators)
    moved = not torch.equal(start, first)
    same, other = np.array_equal(a, b), not np.array_equal(a, c)
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
                "your draws differ, and the generator that was given has not moved: hand it on to "
                "whatever draws",
            ),
            when(
                not moved,
                "not-random",
                "nothing is drawn here, or from a generator of your own: use the given one",
            ),
            when(
                not same,
                "a-second-source",
                "part of the randomness comes from elsewhere: every draw needs the given generator",
            ),
            when(
                torch.equal(first, third),
                "reseeded",
                "two generators that differed are in the same state after the call: it is set back "
                "inside; use it as it comes, or all calls draw the same",
            ),
            "what is drawn does not change with the generator",
        ],
    )
