"""Spreading a product over the cores changes where numbers lie, never what they are."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import nn

from course import matvec


class Tied(nn.Module):
    """An embedding, two linear layers, and the embedding again as a head."""

    def __init__(self):
        super().__init__()
        self.table = nn.Embedding(50, 12)
        self.up, self.down = nn.Linear(12, 20), nn.Linear(20, 12, bias=False)

    def forward(self, tokens):
        x = self.table(tokens)
        return (x + self.down(torch.tanh(self.up(x)))) @ self.table.weight.T


@pytest.fixture
def models(monkeypatch):
    """The same double-precision model twice, the second one spread."""
    monkeypatch.setattr(matvec, "LARGE", 1)
    torch.manual_seed(0)
    plain = Tied().double()
    return plain, matvec.spread(copy.deepcopy(plain))


@pytest.mark.parametrize("shape", [(1, 1), (1, 7), (3, 1), (2, 5)])
def test_a_spread_model_gives_the_same_logits(models, shape):
    plain, spread = models
    tokens = torch.randint(50, shape, generator=torch.Generator().manual_seed(1))
    torch.testing.assert_close(spread(tokens), plain(tokens), rtol=1e-12, atol=1e-12)


def test_one_token_goes_part_by_part_and_several_as_before(models, monkeypatch):
    cut, bmm = [], torch.bmm

    def noted(x, parts):
        cut.append(tuple(parts.shape))
        return bmm(x, parts)

    monkeypatch.setattr(torch, "bmm", noted)
    spread = models[1]
    spread(torch.tensor([[1, 2]]))
    assert cut == []
    spread(torch.tensor([[1]]))
    assert cut == [(matvec.PARTS, 3, 20), (matvec.PARTS, 5, 12)]


def test_gradients_and_a_training_step_are_the_same(models):
    steps = []
    for model in models:
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        model(torch.tensor([[3]])).square().sum().backward()
        optimizer.step()
        steps.append({name: p.detach().clone() for name, p in model.named_parameters()})
    assert steps[0].keys() == steps[1].keys()
    for name in steps[0]:
        torch.testing.assert_close(steps[0][name], steps[1][name], rtol=1e-12, atol=1e-12)


def test_names_shapes_ties_and_numbers_stay(models):
    plain, spread = models
    assert isinstance(spread.up, matvec.SpreadLinear)
    assert spread.up.weight.stride() == (1, 20) and spread.table.weight.stride() == (1, 50)
    ours, theirs = spread.state_dict(), plain.state_dict()
    assert list(ours) == list(theirs)
    assert all(torch.equal(ours[name], theirs[name]) for name in theirs)
    linear = nn.Linear(12, 12)
    tied = nn.ModuleList([linear, nn.Linear(12, 12)])
    tied[1].weight = linear.weight
    assert matvec.spread(tied)[1].weight is tied[0].weight


def test_weights_can_be_loaded_afterwards_and_copied(models):
    spread = models[1]
    torch.manual_seed(1)
    other = Tied().double()
    spread.load_state_dict(other.state_dict())
    again = copy.deepcopy(spread)
    assert again.up.weight.stride() == (1, 20)
    tokens = torch.tensor([[4]])
    torch.testing.assert_close(again(tokens), other(tokens), rtol=1e-12, atol=1e-12)


def test_small_layers_odd_sizes_and_subclasses_are_left_alone(monkeypatch):
    class Own(nn.Linear):
        """A student's."""

    small = nn.Linear(8, 8)
    assert type(matvec.spread(small)) is nn.Linear
    monkeypatch.setattr(matvec, "LARGE", 1)
    assert type(matvec.spread(nn.Linear(7, 8))) is nn.Linear
    assert type(matvec.spread(Own(8, 8))) is Own
