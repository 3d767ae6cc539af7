"""Models that lesson 14's checks hand to a student's `encode` and `decode`, and ways of asking.

A model here is plain arithmetic on arrays that the judge sends. Which of its conditionals see what
they should not, and what must come back, only the judge knows.
"""

from __future__ import annotations

import builtins
from typing import Any

import torch

from autograder.remote.handles import nothing_returned
from autograder.remote.proxy import inside


class PairModel:
    """p(x_i = s | x) ∝ exp(bias[i, s] + Σ_j pairs[i, j, s, x_j]), in an array's own precision.

    `pairs[i, j]` is zero where symbol i does not look at symbol j. With `by_shape`, the answer's
    last digits depend on the shape of the question, as those of real kernels do; if it `looks_up`,
    it has no row for what is no symbol. `asked` lists the shapes of the questions, `ranges` the
    least and the largest symbol of each.
    """

    def __init__(
        self, bias: Any, pairs: Any, dtype: str, by_shape: float, looks_up: bool = False
    ) -> None:
        self.bias = torch.as_tensor(bias).double()  # (n, k)
        # What symbol j adds to all logits is a row of added[j] (k, n, k), which is quick to take.
        added = torch.as_tensor(pairs).double().permute(1, 3, 0, 2).contiguous()
        self.added = added.unbind()
        self.pairs = added.permute(2, 0, 3, 1)  # (n, n, k, k)
        self.n, self.k = self.bias.shape
        self.dtype = getattr(torch, dtype)
        self.by_shape, self.looks_up = by_shape, looks_up
        self.asked: list[tuple[int, ...]] = []
        self.ranges: list[tuple[int, int]] = []

    def conditionals(self, x: Any) -> torch.Tensor:
        """Distributions of all symbols of x (B, n): (B, n, k)."""
        self.asked.append(tuple(x.shape))
        self.ranges.append((int(x.min()), int(x.max())))
        low, high = self.ranges[-1]
        if self.looks_up and not 0 <= low <= high < self.k:
            raise IndexError(f"symbols are 0 … {self.k - 1}: got {low} to {high}")
        B, length = x.shape
        logits = self.bias[:length].repeat(B, 1, 1)
        for j, symbol in enumerate(x.long().unbind(dim=1)):
            logits += self.added[j][symbol][:, :length]
        if self.by_shape:
            shake = torch.Generator().manual_seed(7919 * B + length)
            logits += self.by_shape * torch.randn(self.n, self.k, generator=shake).double()[:length]
        return logits.softmax(dim=-1).to(self.dtype)


class Looked:
    """A model that looks its conditionals up: those of symbol i by what stands at place by[i].

    table (n, k, k): row x_by[i] of table[i] is the distribution of symbol i, zeros allowed. With
    `above` it looks at that place in the example above (the first one: at 0). `broken` names an
    exception that its code raises from the second question on, as a mistake in somebody's would.
    """

    def __init__(
        self, table: Any, by: Any, dtype: str, broken: str = "", above: bool = False
    ) -> None:
        self.table = torch.as_tensor(table).to(getattr(torch, dtype))
        self.by = torch.as_tensor(by).long()
        self.n, self.k = self.table.shape[:2]
        self.broken, self.above, self.questions = broken, above, 0

    def conditionals(self, x: Any) -> torch.Tensor:
        """Distributions of all symbols of x (B, n): (B, n, k)."""
        self.questions += 1
        if self.broken and self.questions > 1:
            raise getattr(builtins, self.broken)("'Looked' object has no attribute 'tabel'")
        length = x.shape[1]
        if self.above:
            x = torch.cat([torch.zeros_like(x[:1]), x[:-1]])
        seen = x.long()[:, self.by[:length].clamp(max=length - 1)]  # (B, length)
        return self.table[torch.arange(length), seen]


class Learner:
    """A rule of learning: called with examples x (seen, n), it gives a Looked model of them.

    Symbol i is counted by the symbol before it, later examples for more, and each count begins with
    1. If it is `flipped`, it takes symbol s for k − 1 − s.
    """

    def __init__(self, n: int, k: int, flipped: bool) -> None:
        self.n, self.k, self.flipped = n, k, flipped

    def __call__(self, x: Any) -> Looked:
        if x.ndim != 2 or x.shape[1] != self.n:
            raise ValueError(
                f"learn takes examples of shape (seen, {self.n}): got shape {tuple(x.shape)}"
            )
        n, k, x = self.n, self.k, x.long()
        before = torch.cat([torch.zeros_like(x[:, :1]), x[:, :-1]], dim=1)
        counts = torch.zeros(n * k * k, dtype=torch.float64)
        cells = (torch.arange(n) * k + before) * k + x  # (seen, n)
        worth = (1 + torch.arange(len(x), dtype=torch.float64) / 4)[:, None].expand(-1, n)
        counts += torch.bincount(cells.flatten(), worth.flatten(), minlength=n * k * k)
        table = counts.view(n, k, k) + 1
        table[0] = table[0, 0].clone()  # nothing stands before the first
        table = table.flip(-1) if self.flipped else table
        by = (torch.arange(n) - 1).clamp(min=0)
        return Looked(table / table.sum(dim=-1, keepdim=True), by, "float64")


@inside
def learner(beside: Any, n: int, k: int, flipped: bool = False) -> Any:
    """A Learner in the process of `beside`."""
    return Learner(n, k, flipped)


@inside
def pair_model(
    beside: Any,
    bias: Any,
    pairs: Any,
    dtype: str = "float32",
    by_shape: float = 0.0,
    looks_up: bool = False,
) -> Any:
    """A PairModel in the process of `beside`."""
    return PairModel(bias, pairs, dtype, by_shape, looks_up)


@inside
def looked_model(
    beside: Any,
    table: Any,
    by: Any,
    dtype: str = "float64",
    broken: str = "",
    above: bool = False,
) -> Any:
    """A Looked model in the process of `beside`."""
    return Looked(table, by, dtype, broken, above)


@inside
def partner(function: Any, name: str) -> Any:
    """The function called `name` in the notebook that `function` belongs to."""
    found = getattr(function, "__globals__", {}).get(name)
    if found is None:
        raise NotImplementedError(f"{name} is not written yet")
    return found


@inside
def ask_each(function: Any, model: Any, items: Any, *more: Any) -> list[Any]:
    """`function(model, item, *more)` for each item; the exception's name where one is raised."""
    answers: list[Any] = []
    for item in items:
        try:
            answers.append(function(model, item, *more))
        except NotImplementedError:
            raise
        except Exception as error:
            answers.append(type(error).__name__)
    if all(answer is None for answer in answers):
        raise nothing_returned(function)
    return answers


@inside
def ask_and_keep(function: Any, model: Any, x: Any) -> tuple[Any, Any]:
    """The answer to `function(model, x)`, and x as it is after the call."""
    answer = function(model, x)
    return answer, x
