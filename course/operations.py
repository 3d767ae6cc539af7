"""Counts the arithmetic of a computation, so that costs can be compared without a clock.

    count_operations(nade, x, W, c, V, b)      # 1,152

A clock tells of the machine, its load and its libraries; a count tells of the algorithm. What grows
by 2 when n doubles is O(n), what grows by 4 is O(n²).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode

# Counted by what they read; all others by what they write.
_REDUCTIONS = ("sum", "mean", "prod", "amax", "amin", "max", "min", "logsumexp", "norm", "var")


def count_operations(function: Callable, *args: Any, **kwargs: Any) -> int:
    """How many elementary operations `function(*args, **kwargs)` does with torch.

    A matrix product counts its multiply-adds (m·k·n for (m, k) times (k, n)); a sum or a mean the
    numbers that it reads; anything else (a sigmoid, a sum of two vectors, a copy) the numbers that
    it writes. Views, such as slices and transposes, count nothing. Arithmetic outside torch (on
    Python's or numpy's numbers) is not seen. Gradients are not computed.
    """
    with torch.no_grad(), _Counter() as counter:
        function(*args, **kwargs)
    return counter.total


def count_launches(function: Callable, *args: Any, **kwargs: Any) -> int:
    """How many pieces of work `function(*args, **kwargs)` hands to torch one after the other.

    A GPU launches a kernel for each, which takes the same time for a small one as for a large one.
    Views count nothing; gradients are not computed.
    """
    with torch.no_grad(), _Counter() as counter:
        function(*args, **kwargs)
    return counter.launches


class _Counter(TorchDispatchMode):
    """Adds up the operations of everything that is dispatched while it is active."""

    def __init__(self) -> None:
        super().__init__()
        self.total = self.launches = 0

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple = (), kwargs: dict | None = None
    ) -> Any:
        out = func(*args, **(kwargs or {}))
        if not _is_view(func):
            self.launches += 1
            self.total += _cost(func._schema.name.removeprefix("aten::"), args, out)
        return out


def _is_view(func: Any) -> bool:
    returns = func._schema.returns
    return bool(returns) and all(
        r.alias_info is not None and not r.alias_info.is_write for r in returns
    )


def _cost(name: str, args: tuple, out: Any) -> int:
    shapes = [tuple(a.shape) for a in args if isinstance(a, torch.Tensor)]
    if name in ("mm", "bmm") and len(shapes) == 2:
        return math.prod(shapes[0]) * shapes[1][-1]
    if name in ("addmm", "baddbmm") and len(shapes) == 3:
        return math.prod(shapes[1]) * shapes[2][-1]
    if name in ("mv", "dot", "vdot"):
        return math.prod(shapes[0])
    if name == "addmv":
        return math.prod(shapes[1])
    base = name.rstrip("_")
    if base in _REDUCTIONS and shapes:
        return math.prod(shapes[0])
    outs = out if isinstance(out, tuple | list) else (out,)
    return sum(o.numel() for o in outs if isinstance(o, torch.Tensor))
