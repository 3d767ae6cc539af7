"""An answer that knows nothing earns nothing: constants, uniform distributions, all and none."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from autograder.checking import judge

SEEDS = (0, 1, 20_260_501)


class Uniform(nn.Module):
    """A MADE in form: consistent in itself in every way, and uniform over all vectors."""

    def __init__(self, n: int, hidden_sizes: Any, order: Any = None, generator: Any = None) -> None:
        super().__init__()
        self.n, self.weight = n, nn.Parameter(torch.randn(7))
        self.order = torch.arange(1, n + 1) if order is None else order

    def reorder(self, order: Any) -> None:
        self.order = order

    def forward(self, x: Any) -> Any:
        return torch.zeros(len(x), self.n)

    def nll(self, x: Any) -> Any:
        losses = nn.functional.binary_cross_entropy_with_logits(self(x), x, reduction="none")
        return losses.sum(1)

    def sample(self, count: int, generator: Any) -> Any:
        x = torch.zeros(count, self.n)
        for d in torch.argsort(self.order):
            x[:, d] = torch.bernoulli(torch.sigmoid(self(x)[:, d]), generator=generator)
        return x


class Coins(Uniform):
    """Independent bits, each with a trained bias: no bit hears another."""

    def __init__(self, n: int, *rest: Any) -> None:
        super().__init__(n, *rest)
        self.bias = nn.Parameter(torch.randn(n))

    def forward(self, x: Any) -> Any:
        return self.bias.expand(len(x), -1)


class Deaf(nn.Linear):
    """A layer that is masked wholly, and by nothing."""

    def __init__(self, in_features: int, out_features: int, mask: Any, bias: bool = True) -> None:
        super().__init__(in_features, out_features, bias=bias)
        self.register_buffer("mask", torch.as_tensor(mask).float())

    def forward(self, x: Any) -> Any:
        return torch.zeros(len(x), self.out_features)


def masks_of(value: float) -> Callable:
    """build_masks with one value everywhere."""

    def build_masks(degrees: list, order: Any) -> list:
        sizes = [len(order), *map(len, degrees), len(order)]
        return [torch.full((b, a), value) for a, b in itertools.pairwise(sizes)]

    return build_masks


def even_rows(p: Any) -> list:
    """conditionals, each row uniform."""
    p = np.asarray(p)
    return [np.full(p.shape[: i + 1], 1 / p.shape[i]) for i in range(p.ndim)]


def seen(value: bool) -> Callable:
    """autoencoder_dependencies with one answer for every pair."""
    return lambda model: torch.full((model.n, model.n), value)


def bits(value: float) -> Callable:
    """sample with one value everywhere, of FVSBN's (weight, bias) or NADE's (W, c, V, b)."""
    return lambda *args: torch.full((args[-2], len(args[-3])), value)


ANSWERS = {
    "uniform MADE": ("05_made", "MADE", Uniform, 0),
    "MADE of independent coins": ("05_made", "MADE", Coins, 0),
    "masked layer that gives zeros": ("05_made", "MaskedLinear", Deaf, 0),
    "masks of ones": ("05_made", "build_masks", masks_of(1.0), 0),
    "masks of zeros": ("05_made", "build_masks", masks_of(0.0), 0),
    "no paths": (
        "05_made", "connectivity", lambda masks: torch.zeros(masks[0].shape[1:] * 2).long(), 0,
    ),
    "the uniform average": (
        "05_made", "average_over_orders",
        lambda model, x, orders: torch.full((len(x),), -x.shape[1] * math.log(2)), 0,
    ),
    "FVSBN: logits of 0": ("03_fvsbn", "logits", lambda x, w, b: torch.zeros(x.shape), 0),
    "FVSBN: n log 2 for all": (
        "03_fvsbn", "nll", lambda x, w, b: torch.full((len(x),), len(b) * math.log(2)), 0,
    ),
    "FVSBN: zeros drawn": ("03_fvsbn", "sample", bits(0.0), 0),
    "FVSBN: ones drawn": ("03_fvsbn", "sample", bits(1.0), 0),
    "NADE, naive: logits of 0": (
        "04_nade", "nade_naive", lambda x, *numbers: torch.zeros(x.shape), 0,
    ),
    "NADE: logits of 0": ("04_nade", "nade", lambda x, *numbers: torch.zeros(x.shape), 0),
    "NADE: zeros drawn": ("04_nade", "sample", bits(0.0), 0),
    "everything is seen": ("04_nade", "autoencoder_dependencies", seen(True), 0),
    "nothing is seen": ("04_nade", "autoencoder_dependencies", seen(False), 0),
    # That there are n tables of the right shapes is true of them.
    "uniform conditionals": ("02_chain_rule", "conditionals", even_rows, 0.5),
    "one number for everything": ("01_exponential_wall", "made_parameters", lambda n, h: 1, 0),
}  # fmt: skip


@pytest.mark.parametrize("name", ANSWERS)
def test_an_answer_that_knows_nothing_earns_nothing(name: str):
    lesson, exercise, answer, most = ANSWERS[name]
    for seed in SEEDS:
        verdict = judge(answer, name=exercise, lesson=lesson, seed=seed)
        assert verdict.earned <= most, [c.text for c in verdict.claims if c.holds]
        assert verdict.status in ("failed", "partly"), verdict.reason
