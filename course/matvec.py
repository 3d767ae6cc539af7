"""Linear layers that read their weights with all cores when one token comes at a time.

A model that writes at batch 1 multiplies each weight matrix with one vector. That is no work for
the processor: the time is that of reading the weights once. torch leaves such a product to a
library that may read with one thread only, row by row. Here the matrix is cut along its inputs
into parts, which the cores read side by side; the parts' sums are added at the end:

    W x = Σ_p W_p x_p,    W = (W_1 … W_P),    x = (x_1 … x_P).

`python -m benchmarks gpt2` measures what it gains on a machine.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

PARTS = 4  # enough for the cores of a laptop; more parts, more sums to add
LARGE = 1 << 19  # weights; a smaller matrix stays in the caches, and is read quickly by anyone


class SpreadLinear(nn.Linear):
    """An nn.Linear whose weight lies in memory input by input; the numbers are the same."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(…, in) → (…, out)."""
        if x.numel() != self.in_features or x.device.type != "cpu":
            return super().forward(x)
        parts = self.weight.T.view(PARTS, -1, self.out_features)  # no copy: (P, in / P, out)
        y = torch.bmm(x.reshape(PARTS, 1, -1), parts).sum(0)  # (1, out)
        if self.bias is not None:
            y = y + self.bias
        return y.view(*x.shape[:-1], self.out_features)


def spread(model: nn.Module) -> nn.Module:
    """Lays a model's large weights out for single tokens, in place, and returns the model.

    Linear layers (no subclasses) become `SpreadLinear`; embeddings are stored column by column,
    because a tied head multiplies with them. Parameters stay the same objects with the same shapes
    and numbers: ties, `state_dict` and training go on as before. `copy.deepcopy` keeps the
    layout, `load_state_dict` too.

    Args:
        model: on the CPU; elsewhere the layers do what they did before.
    """
    for module in model.modules():
        weight: Any = getattr(module, "weight", None)
        if type(module) is nn.Linear and module.in_features % PARTS == 0:
            if weight.numel() >= LARGE:
                weight.data = weight.data.T.contiguous().T
                module.__class__ = SpreadLinear
        elif type(module) is nn.Embedding and weight.numel() >= LARGE:
            weight.data = weight.data.T.contiguous().T
    return model
