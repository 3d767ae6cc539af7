"""The smallest case that still fails: greedy steps to simpler arguments, with a budget.

An author gives `smaller(*args)`: simpler arguments of the same kind, the simplest first. What is
kept is the simplest case at which the student's function and the rule still differ.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import numpy as np

BUDGET = 60  # questions to the student's function that a search may cost


def smallest(
    args: tuple[Any, ...],
    fails: Callable[[tuple[Any, ...]], bool],
    smaller: Callable[..., Iterable[tuple[Any, ...]]],
    budget: int = BUDGET,
) -> tuple[Any, ...]:
    """The last of the simpler and simpler arguments, from `args` on, at which `fails` holds."""
    while budget > 0:
        for candidate in smaller(*args):
            budget -= 1
            if fails(candidate):
                args = candidate
                break
            if budget <= 0:
                return args
        else:
            return args
    return args


def simpler(cases: Sequence[tuple]) -> Callable[..., Iterator[tuple]]:
    """For `Subject.smaller`: the cases that stand before a case, or all if it is none of them."""
    return lambda *case: itertools.takewhile(lambda other: other != case, cases)


def smaller_than(cases: Sequence[tuple]) -> Callable[..., Iterator[tuple]]:
    """For `Subject.smaller`: the cases whose first array is smaller than that of a case."""
    return lambda array, *_: (case for case in cases if case[0].size < np.size(array))


def shorter(values: np.ndarray) -> Iterator[np.ndarray]:
    """Shorter versions of a vector: its first entries, one fewer each time, down to one."""
    for length in range(1, len(values)):
        yield values[:length].copy()


def tables_of(outcomes: int) -> Iterator[np.ndarray]:
    """Simple probability tables of so many outcomes: even, halving, sharp, with a zero."""
    yield np.full(outcomes, 1 / outcomes)
    halving = 0.5 ** np.arange(1, outcomes + 1)
    halving[-1] *= 2
    if outcomes > 2:
        yield halving
    sharp = np.full(outcomes, 0.1)
    sharp[0] = 1 - 0.1 * (outcomes - 1)
    yield sharp
    never = np.zeros(outcomes)
    never[: outcomes - 1] = 1 / (outcomes - 1)
    yield never
