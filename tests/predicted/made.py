"""Answers of lesson 05."""

import numpy as np
import torch
import torch.nn.functional as F

from tests.predicted import Said, is_one, least, nearest, only


def _both_at_least(_) -> int:
    """What outputs see through one hidden layer of all degrees, if both masks compare by ≥."""
    place, degrees = np.arange(1, 6), np.arange(1, 5)
    sees = (place[:, None] >= degrees).astype(int) @ (degrees[:, None] >= place) > 0
    itself, closest = sees.diagonal()[:4].all(), sees.diagonal(-1).all()
    return only(not itself and closest, itself, not itself and not closest)


def _shuffled(asked) -> int:
    degrees = [torch.tensor([1, 2, 3, 4, 4, 1])]
    place = torch.tensor([3, 1, 5, 2, 4])
    natural = asked.connectivity(asked.build_masks(degrees, torch.arange(1, 6)))
    random = asked.connectivity(asked.build_masks(degrees, place))
    moved = torch.as_tensor(natural)[place - 1][:, place - 1]
    same = torch.equal(torch.as_tensor(natural), torch.as_tensor(random))
    return only(same, not same and torch.equal(moved, torch.as_tensor(random)), random.all())


def _zeros_at_first(_) -> int:
    """A step of logistic regressions of all bits on all bits, forbidden weights begun at 0."""
    x = torch.rand(200, 6, generator=torch.Generator().manual_seed(0)).round()
    weight, bias = torch.zeros(6, 6, requires_grad=True), torch.zeros(6)

    def loss(weight):
        return F.binary_cross_entropy_with_logits(x @ weight.T + bias, x)

    (slope,) = torch.autograd.grad(loss(weight), weight)
    back = slope.triu().any()
    masked, free = loss(-0.5 * slope.tril(-1)), loss(-0.5 * slope)
    return only(not back, back and free > masked, back and free < masked)


def _two_sums(asked) -> int:
    one = [
        is_one(asked.numbers(rf"^{kind}: +the 256 '?prob.* sum to ([\d.]+)")[0])
        for kind in ("masked", "unmasked")
    ]
    return only(all(one), one == [True, False], not any(one))


def _saved(asked) -> int:
    (apart,) = asked.numbers(r"independent pixels +([\d.]+) nats")
    (made,) = asked.numbers(r"MADE, one order +([\d.]+) ±")
    return nearest(apart - made, 2, 8, 15)


def _copied(asked) -> int:
    (cost,) = asked.numbers(r"every mask open +([\d.]+) nats")
    return only(15 < cost < 21, 7 < cost < 13, cost < 3)


_SINGLE = r"trained on {}: ([\d.]+) nats with one order"
_WAYS = ("1 order", "4 orders", "ever new orders")


def _single(asked) -> int:
    return least(*(asked.numbers(_SINGLE.format(way))[0] for way in _WAYS))


def _gain(asked) -> int:
    pairs = (asked.numbers(_SINGLE.format(way) + r", ([\d.]+) with") for way in _WAYS[1:])
    return least(0.0, *(averaged - single for single, averaged in pairs))


def _count(asked) -> int:
    place = torch.arange(1, 8)
    cycle, ones = (
        sum(int(torch.as_tensor(m).sum()) for m in asked.build_masks([degrees], place))
        for degrees in (torch.arange(12) % 6 + 1, torch.ones(12, dtype=torch.int64))
    )
    return only(ones > cycle, ones < cycle, ones == cycle)


ANSWERS = {
    "If both rules had ≥": _both_at_least,
    "In the natural order it is white": _shuffled,
    "Forbidden weights are zero": _zeros_at_first,
    "What do the two sums": _two_sums,
    "Independent pixels cost 25": _saved,
    "Its 'test NLL' after 20": _copied,
    "Which network is the best": _single,
    "And which gains most": _gain,
    "Other degrees for one hidden": _count,
    "Which model does this sentence": Said("Masks and a single pass are what defines a MADE."),
}
