"""Whether training can come through a function: a gradient that goes back to what it is given."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from autograder.checks.arguments import COSTS
from autograder.claims import Claim, claim, when
from autograder.inside import slopes, without_gradient
from autograder.remote.proxy import CallTookTooLong, Standin, StudentFailed, expect_array, note


def trainable(function: Standin, names: Sequence[str], *args: Any) -> None:
    """Notes it with the function if no gradient goes back through it to one of its arguments.

    `names` are those of the tensors that training comes to; the last of `args` are they. So it does
    if a gradient is not that of what the function computes, since a part of the way is cut off.
    """

    def find() -> list[str]:
        found = without_gradient(function, len(names), *args)
        return [names[i] for i in found if i in range(len(names))]

    uncut(function, find)
    in_full(function, names, lambda: slopes(function, len(names), *args))


def in_full(
    function: Standin, names: Sequence[str], found: Callable[[], Sequence[Sequence[float]]]
) -> None:
    """Notes it with the function if a slope by its gradient is not the slope that it has.

    `found` gives, for each of the `names`, what `slopes` does. It asks in double precision: who
    stops at that is told nothing here.
    """
    if function._noted is not None:
        return
    try:
        rows = expect_array(found(), (len(names), 3), "float", "the gradients")
    except CallTookTooLong:
        raise
    except StudentFailed:
        return
    apart = [
        (name, told, steps[-1])
        for name, (told, *steps) in zip(names, rows.tolist(), strict=True)
        if all(abs(told - one) > 0.02 * max(abs(told), abs(one)) + 0.002 for one in steps)
    ]
    if apart:
        name, told, measured = apart[0]
        failed = claim(
            "a gradient goes back through it",
            False,
            id="gradient",
            points=COSTS,
            saw=f"along a direction in {name} the answers' squares grow at {measured:.3g}, and the "
            f"gradient says {told:.3g}",
            asks="the gradient of what is computed, in full",
            advice=when(
                True,
                "gradient-cut-in-part",
                "a gradient comes back, and not all of it: a part of the way is cut off "
                "(.detach(), .data, no_grad, .item())",
            ),
        )
        note(function, failed)


def uncut(function: Standin, find: Callable[[], Sequence[str]]) -> None:
    """Notes it with the function if `find` names something that no gradient comes to.

    So it does if the way back ends at a tensor that was written into after it had been used.
    """
    if function._noted is not None:  # one thing is told, and the first
        return
    try:
        cut = find()
    except StudentFailed as why:
        if "inplace operation" not in str(why):
            raise
        note(function, written_over())
        return
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


def written_over() -> Claim:
    """The claim that a gradient comes back, which fails where a tensor was written over."""
    return claim(
        "a gradient goes back through it",
        False,
        id="gradient",
        points=COSTS,
        saw="PyTorch stops on the way back: a tensor was written into after it had been used",
        asks="numbers that training can change: each of them is behind the answer",
        advice=when(
            True,
            "written-over-on-the-way",
            "what a step needs on the way back is written over later: keep each part as it is, and "
            "make one tensor of them at the end",
        ),
    )
