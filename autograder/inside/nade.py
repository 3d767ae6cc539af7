"""Beside a student's NADE: gradients, a count of operations, and models that are tables."""

from __future__ import annotations

from typing import Any

import torch

from autograder.remote.callbacks import Talk
from autograder.remote.proxy import inside
from course.operations import count_launches, count_operations


@inside
def gradients_of(function: Any, x: Any, *numbers: Any) -> dict[str, Any]:
    """Gradients of Σ function(x, W, c, V, b)² / 2, and whether the arguments stayed as they were.

    A gradient is None where none arrives.
    """
    given = [p.clone().requires_grad_() for p in numbers]
    before = [x.clone(), *(p.detach().clone() for p in given)]
    answer = function(x, *given)
    if isinstance(answer, torch.Tensor) and answer.requires_grad:
        (answer**2 / 2).sum().backward()
    after = [x, *(p.detach() for p in given)]
    return {
        "gradients": [p.grad for p in given],
        "kept": all(torch.equal(a, b) for a, b in zip(before, after, strict=True)),
    }


@inside
def counted(function: Any, *args: Any) -> tuple[int, Any]:
    """How many operations `function(*args)` takes, and its answer."""
    answers = []
    count = count_operations(lambda: answers.append(function(*args)))
    return count, answers[0]


@inside
def launched(function: Any, *args: Any) -> int:
    """How many pieces of work `function(*args)` hands to torch one after the other."""
    return count_launches(function, *args)


class Table(torch.nn.Module):
    """A model of n bits that was computed elsewhere: a row of n logits for each of 2^n vectors.

    table (2^n, n), the first bit changing slowest. Between the bits it is multilinear if `smooth`;
    else x is rounded, and no gradient comes through.
    """

    def __init__(self, table: torch.Tensor, smooth: bool) -> None:
        super().__init__()
        self.n, self.smooth = table.shape[1], smooth
        self.register_buffer("table", table)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Bits (B, n) → logits (B, n)."""
        x = x.to(self.table.dtype)
        x = x if self.smooth else torch.round(x)
        found = self.table.expand(len(x), *self.table.shape)
        for j in range(self.n):
            zero, one = found.chunk(2, dim=1)
            found = (1 - x[:, j, None, None]) * zero + x[:, j, None, None] * one
        return found[:, 0]


class Asking(torch.nn.Module):
    """A model of n bits whose logits, and their gradients, only the judge has."""

    def __init__(self, talk: Talk, n: int) -> None:
        super().__init__()
        self._talk, self.n = talk, n

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Bits (B, n) → logits (B, n)."""
        return _Logits.apply(self._talk, x)


class _Logits(torch.autograd.Function):
    """Asks for the logits, and on the way back for what they say of x."""

    @staticmethod
    def forward(ctx: Any, talk: Talk, x: torch.Tensor) -> torch.Tensor:
        ctx.talk = talk
        ctx.save_for_backward(x)
        return talk.ask("logits", x)

    @staticmethod
    def backward(ctx: Any, slope: torch.Tensor) -> tuple:
        (x,) = ctx.saved_tensors
        return None, ctx.talk.ask("gradients", x, slope).to(x.dtype)


@inside
def begin_search(function: Any, n: int) -> tuple[Any, str, Any]:
    """Begins `function(model)`, where a model of n bits asks the judge."""
    talk = Talk()
    return talk.begin(function, Asking(talk, n))
