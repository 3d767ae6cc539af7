"""Whether training can come through a function: a gradient that goes back to what it is given."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from autograder.checks.arguments import COSTS
from autograder.claims import claim, when
from autograder.inside import without_gradient
from autograder.remote.proxy import Standin, note


def trainable(function: Standin, names: Sequence[str], *args: Any) -> None:
    """Notes it with the function if no gradient goes back through it to one of its arguments.

    `names` are those of the tensors that training comes to; the last of `args` are they.
    """
    found = without_gradient(function, len(names), *args)
    uncut(function, [names[i] for i in found if i in range(len(names))])


def uncut(function: Standin, cut: Sequence[str]) -> None:
    """Notes it with the function if there is something that no gradient comes to."""
    if cut:
        found = claim(
            "a gradient goes back through it",
            False,
            id="gradient",
            points=COSTS,
            saw=f"no gradient for {', '.join(cut)}",
            asks="numbers that training can change: each of them is behind the answer",
            advice=when(
                True,
                "gradient-cut",
                "no gradient comes to these: is something cut off (no_grad, .data, .detach(), "
                ".item(), numpy), or not used?",
            ),
        )
        note(function, found)
