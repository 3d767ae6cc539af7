"""Answers of lesson 03."""

import torch

from tests.predicted import is_one, least, nearest, only


def _random(n: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    draw = torch.Generator().manual_seed(0)
    return torch.rand(1, n, generator=draw).round(), *(
        torch.randn(size, generator=draw) for size in ((n, n), (n,))
    )


def _coins(asked) -> int:
    """Whether coins, an FVSBN without weights, hear what was drawn."""
    white, black = (
        asked.logits(torch.full((1, 6), ink), torch.zeros(6, 6), torch.ones(6))
        for ink in (0.0, 1.0)
    )
    return only(not torch.equal(white, black), torch.equal(white, black))


def _who_votes(asked) -> int:
    """The bits on which output 3 of 6 depends, if the matrix is not turned round."""
    x, weight, _ = _random(6)
    votes = torch.autograd.functional.jacobian(lambda x: x @ weight.tril(-1), x[0])[2] != 0
    before, after = votes[:2].any(), votes[3:].any()
    return only(before and not after, after and not before, False)


def _one_factor_less(asked) -> int:
    """The sum over 256 pictures of the product of their first seven factors."""
    _, weight, bias = _random(8)
    every = torch.cartesian_prod(*[torch.tensor([0.0, 1.0])] * 8)
    total = asked.nll(every[:, :7], weight[:7, :7], bias[:7]).neg().exp().sum().item()
    return only(abs(total - 0.5) < 1e-4, is_one(total), abs(total - 2) < 1e-4)


def _leaky(asked) -> int:
    (total,) = asked.numbers(r"after 100 epochs: .* sum to +([\d.]+)$")
    return only(is_one(total), total < 0.99, total > 1.01)


def _strongest(asked) -> int:
    near, far = asked.numbers(r"left and above ([-\d.]+), of all pixels further back ([-\d.]+)")
    return only(abs(near) > 2 * abs(far), abs(far) > 2 * abs(near), 0.5 < abs(near) / abs(far) < 2)


def _upper_half(asked) -> int:
    """Whether the logits of the first bits hear the last ones."""
    x, weight, bias = _random(6)
    sees = torch.autograd.functional.jacobian(lambda x: asked.logits(x, weight, bias)[0], x)
    hears = sees[:3, 0, 3:].any()
    return only(hears, not hears)


def _missed(asked) -> int:
    alarms = (asked.numbers(rf"{kind}: .* alarm for +(\d+)%")[0] for kind in _KINDS)
    return least(*alarms)


_KINDS = ("pixels shuffled", "empty", "upside down")

ANSWERS = {
    "You change the upper half": _coins,
    "Somebody writes x @ W": _who_votes,
    "Somebody forgets the last factor": _one_factor_less,
    "Trained for 100 epochs": _leaky,
    "Where does training end": lambda asked: nearest(
        asked.numbers(r"FVSBN ([\d.]+) ±")[0], 24, 18, 10
    ),
    "Which earlier pixels": _strongest,
    "You know the lower half": _upper_half,
    "One FVSBN, trained on all digits": _missed,
    "And the best FVSBN?": lambda asked: nearest(
        asked.numbers(r"best FVSBN ([\d.]+)")[0], 1.386, 1.73, 2.079
    ),
}
