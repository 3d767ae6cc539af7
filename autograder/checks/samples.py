"""Samples: how often they come, whether they know of one another, and what draws them.

A law is an array of probabilities: of all 2^n vectors of bits, the first bit changing slowest.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch

from autograder import claim, when
from autograder.checks.witness import (
    KNOW_EACH_OTHER,
    hang_together,
    letters_of,
    shared_in_pairs,
    too_even,
    waits_unless,
)
from autograder.claims import Claim
from autograder.diagnosis import Symptom
from autograder.diagnosis.examine import shown
from autograder.diagnosis.mistakes import alike
from autograder.draw import Draw
from autograder.remote.proxy import CallTookTooLong, Standin, StudentFailed, WrongKind, note

DRAWS, BOUND = 20_000, 0.055  # of up to 16 outcomes: see `false_alarm`

ONE_FOR_ALL = "the same bits in all examples of a call, and others in the next call"


def false_alarm(outcomes: int, draws: int, bound: float) -> float:
    """At most how often frequencies p̂ of independent draws are `bound` from their law, ‖p̂ − p‖₁.

    (2^K − 2) exp(−N ε² / 2), exact and no χ² approximation (Weissman et al., 2003).
    """
    return (2.0**outcomes - 2) * math.exp(-draws * bound**2 / 2)


def all_bits(n: int) -> np.ndarray:
    """All 2^n bit vectors, float64 (2^n, n), the first bit changing slowest; n is at most 16."""
    if n > 16:  # a slip of a rule may ask for the vectors of 2^n bits
        raise ValueError(f"all vectors of at most 16 bits can be listed: got n = {n}")
    return np.array(list(itertools.product((0.0, 1.0), repeat=n))).reshape(2**n, n)


def coins(p: np.ndarray) -> np.ndarray:
    """The law of all vectors when bit i is a coin of its own, 1 with probability p_i."""
    every = all_bits(len(p))
    return np.where(every == 1, p, 1 - p).prod(axis=1)


def place_of(x: np.ndarray, letters: int = 2) -> np.ndarray:
    """Where words of n letters (B, n) stand among all letters^n of them, int64 (B,)."""
    return x.astype(np.int64) @ letters ** np.arange(x.shape[1])[::-1]


def frequencies(x: np.ndarray, letters: int = 2) -> np.ndarray:
    """How often each of the letters^n words stands among the rows of x, as shares."""
    return np.bincount(place_of(x, letters), minlength=letters ** x.shape[1]) / len(x)


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


def as_often(a: Any, b: Any, bound: float = BOUND) -> bool:
    """Whether shares a fit the law b, row by row where there are several; or the same answer."""
    if not (isinstance(a, np.ndarray) and isinstance(b, np.ndarray)):
        return alike(a, b, 1e-3)
    return a.shape == b.shape and bool((np.abs(a - b).sum(axis=-1) < bound).all())


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
ONE_ROW = "one-row-for-all"
ONE_ROW_ADVICE = (
    "all examples of a call are drawn with the probabilities of the FIRST one, as where [0, i] "
    "stands for [:, i]: each example has its own"
)


def of_the_first_row(
    take: Callable[[], np.ndarray], chances: Callable[[np.ndarray], np.ndarray], begin: int = 0
) -> bool:
    """Whether the bits of all rows of a call are coins, with the chances that its first row has.

    `take` makes a call's rows (B, n), of which the bits from `begin` on were drawn; `chances` gives
    (1, n) for one row. So it must be in several calls, with different first rows, for which more
    calls are made where one row is nearly certain.
    """
    first: set[tuple[float, ...]] = set()
    for calls in range(30):
        if calls >= 5 and len(first) > 1:
            break
        x = take()
        law = coins(chances(x[:1])[0, begin:])
        if not (np.isin(x, (0, 1)).all() and as_often(frequencies(x[:, begin:]), law)):
            return False
        first.add(tuple(x[0, begin:-1]))
    return len(first) > 1


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


def claim_of_independence(
    x: Callable[[], np.ndarray],
    law: np.ndarray,
    right: bool,
    source: Claim,
    what: str = "example",
    points: float = 0.5,
    needs: str = "samples that come as often as they should",
    few: Callable[[int], np.ndarray] | None = None,
    law_of_few: np.ndarray | None = None,
) -> Claim:
    """That each of the rows that `x` draws is drawn for itself; `law` is theirs, or their joint.

    It waits for what it `needs` unless all rows come `right`, and for `source`, the claim about the
    generator: who draws the same in every call is told so there. `what` is a row's name.
    `few(count)` draws so many rows in a call of its own, of the law `law_of_few` if it is another
    one: they may not be spread over it.
    """
    waits = waits_unless(right, needs) or waits_unless(source.holds, f"“{source.text}”")
    shared = ""
    if not waits:
        drawn = x().astype(int)
        joint = law.reshape((2,) * drawn.shape[1]) if law.ndim != drawn.shape[1] else law
        shared = shared_in_pairs(drawn, joint)
        if few is not None and not shared:
            shared = too_even(few, letters_of(joint if law_of_few is None else law_of_few))
    return claim(
        f"each {what} is drawn for itself",
        not shared,
        points=points,
        saw=shared,
        asks=f"pairs of {what}s that agree as often as independent ones do",
        waits=waits,
        advice=when(shared, KNOW_EACH_OTHER, hang_together(f"{what}s")),
    )


def _of_torch(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def _state(generator: Any) -> Any:
    """What a generator of torch or of NumPy draws next, in a form that can be compared."""
    if isinstance(generator, torch.Generator):
        return generator.get_state().tolist()
    return generator.bit_generator.state


def _gone_on(generator: Any) -> Any:
    """The same generator after a few draws."""
    if isinstance(generator, torch.Generator):
        torch.rand(7, generator=generator)
    else:
        generator.random(7)
    return generator


def note_on_default(function: Standin, ask: Callable[[Any], np.ndarray], *, right: object) -> None:
    """Notes, of a function that is `right` with a generator, if two calls without draw the same.

    torch's own draws then. The arrays `ask(None)` differ, but for a chance of 1 in 10^9.
    """
    if not right:
        return
    stops, same = "", False
    try:
        same = np.array_equal(ask(None), ask(None))
    except CallTookTooLong:
        raise
    except (StudentFailed, WrongKind) as why:
        stops = str(why)
    if not (stops or same):
        return
    found = claim(
        "without a generator each call draws anew",
        False,
        id="by-default",
        points=0.25,
        saw=f"generator = None: {stops}" if stops else "the same draws in two calls",
        asks="generator=None is torch's own generator, which goes on from call to call",
        advice=[
            when(
                same,
                "seeded-by-default",
                "where no generator is given you begin one, or torch's own, with a seed: begin "
                "none, and hand None on to what draws",
            ),
            when(
                stops,
                "generator-needed",
                "None is asked for what only a generator has: hand it on to what draws as it is",
            ),
        ],
    )
    note(function, found)


def claim_of_the_generator(
    ask: Callable[[Any], np.ndarray],
    draw: Draw,
    points: float = 1.0,
    waits: str = "",
    begin: Callable[[int], Any] = _of_torch,
) -> Claim:
    """That all randomness of `ask(generator)`, an array, comes from the given generator.

    `begin(seed)` makes one. Arrays that `ask` draws must differ, but for a chance of 1 in 10^9.
    """
    seed = draw.integer(1, 2**31)
    generators = [begin(seed + s) for s in (0, 0, 1)]
    start = _state(generators[0])
    a, b, c = (ask(generator) for generator in generators)
    first, _, third = map(_state, generators)
    moved = start != first
    same, other = np.array_equal(a, b), not np.array_equal(a, c)
    met = first == third  # though they differed
    gone_on = (generators[0], _gone_on(begin(seed)))  # after the call, and before one
    again = moved and same and other and any(np.array_equal(a, ask(g)) for g in gone_on)
    return claim(
        "all randomness comes from the given generator",
        moved and same and other and not (met or again),
        points=points,
        saw="a generator that nobody has used"
        if not moved
        else "different draws from equal generators"
        if not same
        else "equal draws from different generators"
        if not other
        else "the same draws again from a generator that goes on"
        if again
        else "generators that differed, and are in one state after the call",
        asks="equal generators give equal draws, others give others, and so does the next call",
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
                met or again,
                "reseeded",
                "what the next call draws does not depend on where the generator stood: use it as "
                "it comes, and set nothing back",
            ),
            "what is drawn does not change with the generator",
        ],
    )
