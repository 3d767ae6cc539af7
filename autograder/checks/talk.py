"""The judge's end of a talk: a model that a student's function asks, and that only the judge has.

See `autograder.inside.talk`. What is counted here is counted by the judge: a function that wants an
answer has to ask for it. What comes in is as untrusted as anything else of that process.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from typing import Any

import torch

from autograder.inside.talk import go_on, stop
from autograder.standin import Standin, StudentFailed, WrongKind

MOST = 5_000  # questions of one call


def answered(
    first: Any,
    answer: Callable[..., Any],
    generators: Sequence[torch.Generator] = (),
    most: int = MOST,
) -> Any:
    """What the student's function returns in the end, its questions answered by `answer`.

    `first` is what `Talk.begin` said. A question that `answer` refuses (a ValueError, TypeError,
    IndexError or WrongKind) raises ValueError in the student's code, with the same sentence.
    `generators`, those among the function's arguments, come back advanced.
    """
    if not (type(first) is tuple and len(first) == 3 and isinstance(first[0], Standin)):
        raise WrongKind(_NONSENSE)
    talk, message = first[0], first[1:]
    try:
        for _ in range(most):
            kind, value = _parts(message)
            if kind == "done":
                result, states = value
                _advance(generators, states)
                return result
            try:
                reply, refused = answer(*value), ""
            except (ValueError, TypeError, IndexError, WrongKind) as why:
                reply, refused = None, str(why) or "the model was asked nonsense"
            message = go_on(talk, reply, refused)
        raise StudentFailed(f"the model was asked more than {most:,} times")
    except BaseException:
        with contextlib.suppress(Exception):
            stop(talk)
        raise


_NONSENSE = "the process of this notebook answered with nonsense"


def _parts(message: Any) -> tuple[str, tuple]:
    """("asks", arguments) or ("done", (result, states)); WrongKind for anything else."""
    if type(message) is tuple and len(message) == 2 and type(message[1]) is tuple:
        kind, value = message
        if kind == "asks" or (kind == "done" and len(value) == 2):
            return str(kind), value
    raise WrongKind(_NONSENSE)


def _advance(generators: Sequence[torch.Generator], states: Any) -> None:
    if type(states) is not list or len(states) != len(generators):
        raise WrongKind(_NONSENSE)
    for generator, state in zip(generators, states, strict=True):
        try:
            generator.set_state(state)
        except (RuntimeError, TypeError):
            raise WrongKind(_NONSENSE) from None


def whole_numbers(value: Any, ndim: int, below: int, what: str, most: int = 200_000) -> Any:
    """`value` as int64 (…) in 0 … below − 1, out of a question; ValueError if it is none.

    The dtype is the student's affair, as long as the numbers are whole.
    """
    if not isinstance(value, torch.Tensor) or value.ndim != ndim or value.numel() > most:
        raise ValueError(f"{what} should be a tensor with {ndim} axes")
    if value.is_complex() or (value.is_floating_point() and not (value == value.round()).all()):
        raise ValueError(f"{what} should hold whole numbers")
    if value.numel() and not (0 <= value.min() and value.max() < below):
        raise ValueError(f"{what} should lie in 0 … {below - 1}")
    return value.long()
