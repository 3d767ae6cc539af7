"""Beside a student's FVSBN: gradients of a function, and what it does to its arguments."""

from __future__ import annotations

from typing import Any

import torch

from autograder.remote.proxy import inside


@inside
def gradients_of(function: Any, x: Any, weight: Any, bias: Any) -> dict[str, Any]:
    """Gradients of Σ function(x, weight, bias)² / 2, and whether the arguments stayed as they were.

    A gradient is None where none arrives.
    """
    weight, bias = weight.clone().requires_grad_(), bias.clone().requires_grad_()
    before = x.clone(), weight.detach().clone(), bias.detach().clone()
    answer = function(x, weight, bias)
    if isinstance(answer, torch.Tensor) and answer.requires_grad:
        (answer**2 / 2).sum().backward()
    after = x, weight.detach(), bias.detach()
    return {
        "weight": weight.grad,
        "bias": bias.grad,
        "kept": all(torch.equal(a, b) for a, b in zip(before, after, strict=True)),
    }


@inside
def keeps_its_arguments(function: Any, *args: Any) -> bool:
    """Whether the tensors among the arguments are the same after the call."""
    before = [a.clone() if isinstance(a, torch.Tensor) else None for a in args]
    function(*args)
    return all(b is None or torch.equal(a, b) for a, b in zip(args, before, strict=True))
