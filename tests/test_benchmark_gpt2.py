"""The speed of lesson 12's GPT-2 is measured on sides that do the same work."""

from __future__ import annotations

import pytest
import torch

from autograder.lessons import solution_functions
from benchmarks import gpt2

SIZES = {"vocab_size": 97, "n_positions": 64, "n_embd": 32, "n_layer": 2, "n_head": 4}


@pytest.fixture
def small(monkeypatch):
    """The benchmark on a model of a few thousand weights."""
    for name, value in {"CONFIG": SIZES, "PROMPT": 5, "COUNT": 12, "THREADS": 1}.items():
        monkeypatch.setattr(gpt2, name, value)
    monkeypatch.setattr(gpt2, "REPEATS", 2)
    monkeypatch.setattr(gpt2, "BLOCK", 1 << 20)


def test_all_sides_make_the_same_tokens(small):
    seconds, speeds, equal = gpt2.measure()
    sides = ("as stored", "reference", "uncached")
    assert equal == [f"{side}: 12 of 12 tokens" for side in sides]
    assert {len(each) for each in seconds.values()} == {len(speeds)} == {2}
    assert min(min(each) for each in seconds.values()) > 0


def test_the_walk_reads_every_weight_that_a_token_is_multiplied_with(small):
    ours, theirs = gpt2.models(solution_functions("12_gpt2"))
    size, layers = SIZES["n_embd"], SIZES["n_layer"]
    walked = sum(w.numel() for w in gpt2.matrices(ours))
    assert walked == layers * 12 * size**2 + SIZES["vocab_size"] * size
    others = [p.numel() for p in theirs.parameters() if p.ndim == 1]
    positions = SIZES["n_positions"] * size
    assert walked + sum(others) + positions == theirs.num_parameters()


@torch.no_grad()
def test_int8_weights_change_the_logits_a_little(small):
    ours, _ = gpt2.models(solution_functions("12_gpt2"))
    eight = gpt2.InEightBits(ours).eval()
    tokens = torch.randint(97, (1, 20), generator=torch.Generator().manual_seed(0))
    wanted, got = ours(tokens), eight(tokens)
    error = (got - wanted).square().mean().sqrt() / wanted.std()
    assert 0 < error < 0.1
    kinds = {type(m).__module__ for m in eight.modules() if type(m).__name__ == "Linear"}
    assert kinds == {"torch.ao.nn.quantized.dynamic.modules.linear"}
