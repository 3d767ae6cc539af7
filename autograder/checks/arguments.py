"""What a function does to its arguments: nothing, if a caller is to find its data as they were."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from autograder.checks.witness import same
from autograder.claims import Claim, claim, when
from autograder.inside import call_and_keep
from autograder.remote.proxy import Standin, note

_ARTICLES = {
    np.ndarray: "an array",
    torch.Tensor: "a tensor",
    list: "a list",
    dict: "a dictionary",
}
DATA = tuple(_ARTICLES)
COSTS = 0.25  # points, at most


def untouched(function: Standin, owner: Standin | None = None) -> Callable[..., Any]:
    """The same function, asked with copies; whoever writes into one is told so, once.

    Arrays, tensors, lists and dictionaries are looked at. The answer is judged as it is: what was
    written into is noted with the function, and the verdict takes it as a claim (`overwritten`).
    `owner` is the class that a check is about, if `function` was made by it.
    """
    judged = function if owner is None else owner

    def ask(*args: Any, **options: Any) -> Any:
        given = [copy.deepcopy(one) if isinstance(one, DATA) else one for one in args]
        answer, after = call_and_keep(function, *given, **options)
        for before, now in zip(args, after, strict=True):
            if isinstance(before, DATA) and not same(_arrays(now), _arrays(before)):
                note(judged, overwritten(judged, before))
        return answer

    return ask


def overwritten(function: Standin, given: Any) -> Claim:
    """That the function leaves what it is given as it was: a claim that fails."""
    what = _ARTICLES[type(given)]
    return claim(
        "what it is given stays as it was",
        False,
        id="arguments",
        points=COSTS,
        saw=f"{function._ref.name} writes into {what} that it is given",
        asks="the caller's data as they were before the call",
        advice=when(
            True,
            "arguments-overwritten",
            f"{function._ref.name} writes into {what} that it is given, which is then no more what "
            "the caller had: work on a copy (no -=, /=, [mask] = …, no pop, append or sort, and no "
            "function whose name ends in _)",
        ),
    )


def _arrays(value: Any) -> Any:
    """The same, its numbers as arrays, so that NaN equals NaN."""
    if isinstance(value, dict):
        return [_arrays(list(part)) for part in (value.keys(), value.values())]
    if isinstance(value, list | tuple):
        return [_arrays(one) for one in value]
    return np.asarray(value) if isinstance(value, int | float) else value
