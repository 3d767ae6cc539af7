"""Beside a student's recurrent functions: steps that ask the judge, and gradients by windows."""

from __future__ import annotations

from typing import Any

import torch

from autograder.inside import slopes
from autograder.remote.callbacks import Talk
from autograder.remote.handles import nothing_returned
from autograder.remote.proxy import inside


@inside
def begin_unrolling(function: Any, x: Any, h: Any) -> tuple[Any, str, Any]:
    """Begins `function(step, x, h)`, where step asks the judge."""
    talk = Talk()
    return talk.begin(function, lambda x, h: talk.ask("step", x, h), x, h)


@inside
def unreached(function: Any, x: Any, h: Any, A: Any, U: Any) -> list[str]:
    """What no gradient of the last state of `function(step, x, h)` comes to."""
    first, *weights = leaves = [one.clone().requires_grad_() for one in (h, A, U)]
    states = function(lambda x, h: torch.tanh(x @ weights[0] + h @ weights[1]), x, first)
    if isinstance(states, torch.Tensor) and states.requires_grad:
        states[:, -1].pow(2).sum().backward()
    first_cut, *cut = (one.grad is None or not one.grad.any() for one in leaves)
    told = (("the first state", first_cut), ("the step's weights", any(cut)))
    return [f"{name} from the last state" for name, missing in told if missing]


@inside
def slopes_of_states(function: Any, x: Any, *numbers: Any) -> list[tuple[float, float, float]]:
    """`slopes` of `function(step, x, h)` in the first state and in a step's two weights."""

    def states(h: Any, A: Any, U: Any) -> Any:
        return function(lambda x, h: torch.tanh(x @ A + h @ U), x, h)

    return slopes(states, 3, *numbers)


@inside
def state_afterwards(function: Any, h: Any, limit: int, generator: Any) -> Any:
    """The first state h as it is when `function` has written texts from it on."""

    def step(x: Any, state: Any) -> Any:
        return torch.tanh(state + 1)

    def logits(state: Any) -> Any:
        return state.new_zeros(len(state), 3)

    h = h.clone()
    function(step, logits, h, limit, generator)
    return h


@inside
def begin_writing(function: Any, h: Any, limit: int, generator: Any) -> tuple[Any, str, Any]:
    """Begins `function(step, logits, h, limit, generator)`, where step and logits ask the judge."""
    talk = Talk()

    def step(x: Any, h: Any) -> Any:
        return talk.ask("step", x, h)

    def logits(h: Any) -> Any:
        return talk.ask("logits", h)

    return talk.begin(function, step, logits, h, limit, generator)


@inside
def windows_of(
    function: Any, x: Any, h: Any, A: Any, U: Any, R: Any, window: int, keeps: float = 1.0
) -> dict[str, Any]:
    """`function(step, loss, x, h, window, update)` on a small network, and what came back.

    step is tanh(A x + U h), loss the mean of (R h − x)²; update notes the gradients (A, U, R as one
    row) and sets them back, and lets so much of the weights as `keeps` says.
    """
    weights = [w.clone().requires_grad_() for w in (A, U, R)]
    noted: list[torch.Tensor] = []

    def step(x: Any, h: Any) -> Any:
        return torch.tanh(x @ weights[0].T + h @ weights[1].T)

    def loss(states: Any, symbols: Any) -> Any:
        if states.shape[:2] != symbols.shape[:2]:
            raise ValueError(
                f"loss wants a state for each symbol: got states {tuple(states.shape)} for "
                f"symbols {tuple(symbols.shape)}"
            )
        return ((states @ weights[2].T - symbols) ** 2).mean()

    def update() -> None:
        parts = [torch.zeros_like(w) if w.grad is None else w.grad for w in weights]
        noted.append(torch.cat([part.reshape(-1) for part in parts]))
        for w in weights:
            w.grad = None
            if keeps != 1.0:
                with torch.no_grad():
                    w.mul_(keeps)

    answer = function(step, loss, x, h, window, update)
    if answer is None:
        raise nothing_returned(function)
    if not isinstance(answer, tuple | list) or len(answer) != 2:
        return {"other": answer}
    total, last = answer
    size = sum(w.numel() for w in weights)
    return {
        "gradients": torch.stack(noted) if noted else x.new_zeros(0, size),
        "total": total,
        "last": last.detach() if isinstance(last, torch.Tensor) else last,
        "tracked": isinstance(total, torch.Tensor) and total.requires_grad,
        "attached": isinstance(last, torch.Tensor) and last.requires_grad,
    }


@inside
def launched(function: Any, *args: Any) -> int:
    """How many pieces of work `function(*args)` hands to torch one after the other."""
    from course.operations import count_launches

    return count_launches(function, *args)
