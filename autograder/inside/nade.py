"""Beside a student's NADE: gradients, a count of operations, and models that are tables."""

from __future__ import annotations

from typing import Any

import torch

from autograder.standin import inside
from course.operations import count_operations


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


@inside
def tabled(beside: Any, table: Any, smooth: bool) -> Any:
    """A Table in the process of `beside`."""
    return Table(table, smooth)
