"""Functions that run beside the student's object, where autograd and many small steps are cheap.

Those that only one lesson's checks need stand in `autograder.inside.<lesson>`. They say how to ask,
never what is right: a guest can read them, and cannot read `autograder.checks`.

Each is marked `@inside` (see `autograder.remote.proxy`). In the grader they run in the student's
process, so what they return is as untrusted as any other answer of that process.
"""

from __future__ import annotations

import inspect
import itertools
import random
from collections.abc import Iterable
from typing import Any

from autograder.remote.handles import nothing_returned
from autograder.remote.proxy import MAX_ITEMS, inside

_STUB = "NotImplementedError"  # what a lesson puts in the place of a solution


@inside
def gave_nothing(function: Any) -> None:
    """Raises what is to be said of a function that returned None."""
    raise nothing_returned(function)


@inside
def unwritten_methods(owner: Any) -> list[str]:
    """Names of a class's own methods that still raise NotImplementedError, in their order."""
    codes = {
        name: getattr(inspect.unwrap(method), "__code__", None)
        for name, method in vars(owner).items()
    }
    return [name for name, code in codes.items() if code and _STUB in code.co_names]


@inside
def items(iterable: Iterable[Any]) -> list[Any]:
    """The first MAX_ITEMS items of an iterable."""
    return list(itertools.islice(iterable, MAX_ITEMS))


@inside
def seed_generators(beside: Any, seed: int) -> None:
    """Seeds the global generators of the process that `beside` lives in.

    A model draws its first weights from them, so a verdict can be replayed only if they start
    from the draw's seed.
    """
    import numpy as np
    import torch

    random.seed(seed)
    np.random.seed(seed % 2**32)
    torch.manual_seed(seed % 2**63)


@inside
def gradient_step(model: Any, x: Any, lr: float = 0.1) -> float:
    """One step of plain gradient descent on the mean square of `model(x)`; returns the loss before.

    The loss has no meaning but that every weight in use gets a gradient.
    """
    import torch

    model.train()
    loss = model(x).pow(2).mean()
    model.zero_grad()
    loss.backward()
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.grad is not None:
                parameter -= lr * parameter.grad
    return float(loss.detach())


@inside
def call_and_keep(function: Any, *args: Any, **kwargs: Any) -> tuple[Any, tuple]:
    """The function's result, and its positional arguments as they are after the call."""
    result = function(*args, **kwargs)
    if result is None:
        raise nothing_returned(function)
    return result, args


@inside
def without_gradient(function: Any, count: int, *args: Any) -> list[int]:
    """Which of the last `count` arguments get no gradient from Σ function(*args)²."""
    import torch

    first, last = args[: len(args) - count], args[len(args) - count :]
    leaves = [one.detach().clone().requires_grad_() for one in last]
    answer = function(*first, *leaves)
    if not isinstance(answer, torch.Tensor) or not answer.requires_grad:
        return list(range(count))
    answer.pow(2).sum().backward()
    return [i for i, one in enumerate(leaves) if one.grad is None or not one.grad.any()]


@inside
def slopes(function: Any, count: int, *args: Any) -> list[tuple[float, float, float]]:
    """How fast Σ function(*args)² grows along a direction in each of the last `count` arguments.

    Each by its gradient, and by two steps there and back: they differ where a part of the way back
    is cut off. Rounding spoils the smaller step, where the function computes in single precision,
    and a bend the larger one: whoever is right agrees with one of them.
    """
    import torch

    first, last = args[: len(args) - count], [one.double() for one in args[len(args) - count :]]
    ways = [torch.cos(torch.arange(one.numel()).double() + 1).view(one.shape) for one in last]
    leaves = [one.clone().requires_grad_() for one in last]
    function(*first, *leaves).pow(2).sum().backward()
    found = []
    for i, (leaf, way) in enumerate(zip(leaves, ways, strict=True)):
        measured = []
        for step in (1e-4, 1e-2):
            ends = []
            for sign in (1, -1):
                moved = [one.clone() for one in last]
                moved[i] += sign * step * way
                ends.append(float(function(*first, *moved).detach().double().pow(2).sum()))
            measured.append((ends[0] - ends[1]) / (2 * step))
        told = 0.0 if leaf.grad is None else float((leaf.grad * way).sum())
        found.append((told, *measured))
    return found
