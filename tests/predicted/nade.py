"""Answers of lesson 04."""

import math

import torch

from tests.predicted import is_one, least, nearest, only


def _random(n: int, h: int) -> tuple[torch.Tensor, ...]:
    draw = torch.Generator().manual_seed(0)
    x = torch.randn(3, n, generator=draw)
    return x, *(torch.randn(s, generator=draw) for s in ((h, n), (h,), (n, h), (n,)))


def _with_columns(x, W, c, V, b, more: int) -> torch.Tensor:
    """Logits whose step i, counted from 0, takes the first i + more columns."""
    steps = [
        torch.sigmoid(c + x[:, : i + more] @ W[:, : i + more].T) @ V[i] + b[i]
        for i in range(len(b))
    ]
    return torch.stack(steps, dim=1)


def _which_columns(asked) -> int:
    right, numbers = asked.nade_naive(*_random(5, 4)), _random(5, 4)
    return only(*(torch.allclose(right, _with_columns(*numbers, more)) for more in (0, 1)))


def _two_sums(asked) -> int:
    (before,) = asked.numbers(r"first i − 1 columns: .* sum to ([\d.]+)")
    (own,) = asked.numbers(r"first +i columns: .* sum to ([\d.]+)")
    one = is_one(before), is_one(own)
    return only(all(one), one == (True, False), not any(one))


def _added_first(asked) -> int:
    """What output 3 of 5 sees in a sweep that adds a column and then predicts."""
    x, *numbers = _random(5, 4)
    sees = torch.autograd.functional.jacobian(
        lambda x: _with_columns(x[None], *numbers, 1)[0], x[0]
    )
    own, neighbor = sees[2, 2] != 0, sees[2, 1] != 0
    return only(not own and neighbor, not neighbor, own and neighbor)


def _starts(asked) -> int:
    ends = [asked.numbers(rf"start {i}: ([\d.]+) nats")[0] < 1.4 for i in range(5)]
    return only(all(ends), any(ends) and not all(ends), not any(ends))


def _pale(asked) -> int:
    ink, gradient = asked.numbers(r"pixel 64, .* ink in (\d+) of .* gradient ([\d.e+-]+)")
    return only(ink == 0, ink > 0 and gradient == 0, ink > 0 and gradient > 0)


def _easy_way(asked) -> int:
    sweep, calls = asked.numbers(r"sample: ([\d,]+) operations in your sweep; ([\d,]+) with")
    return nearest(math.log(calls / sweep, 64), 0, 1, 2)


def _apart(asked) -> int:
    (apart,) = asked.numbers(r"NetworksApart 128 units .* test ([\d.]+) ±")
    (nade,) = asked.numbers(r"NADE +128 units .* test ([\d.]+) ±")
    return only(nade < apart - 1, abs(nade - apart) < 0.5, nade > apart + 1)


def _at_a_time(asked) -> int:
    sweep, scan = (
        asked.numbers(rf"n = +64 +{name} .* sums of +([\d,]+) numbers")[0]
        for name in ("nade", "nade_scan")
    )
    return 2 if sweep == scan else least(-sweep, -scan)


def _doubled(asked) -> int:
    (naive,) = asked.numbers(r"nade_naive: .* from size to size × .* ([\d.]+)$")
    (sweep,) = asked.numbers(r"^ +nade: .* from size to size × .* ([\d.]+)$")
    return [(2, 2), (4, 2), (4, 4)].index((round(naive), round(sweep)))


def _more_numbers(asked) -> int:
    fvsbn, nade = asked.numbers(r"n = +784: FVSBN +([\d,]+), NADE +([\d,]+)")
    return only(fvsbn > 2 * nade, 0.5 < nade / fvsbn < 2, nade > 2 * fvsbn)


ANSWERS = {
    "n doubles": _doubled,
    "MNIST has 784 pixels": _more_numbers,
    "In Python, pixels count from 0": _which_columns,
    "With the first i − 1 columns": _two_sums,
    "Somebody adds column i BEFORE": _added_first,
    "How close does training bring": _starts,
    "Where does NADE end": lambda asked: nearest(
        asked.numbers(r"NADE ([\d.]+) ±")[0], 18.4, 17, 12
    ),
    "Why is the last pixel pale": _pale,
    "The easy way calls nade": _easy_way,
    "Which of the two reaches": lambda asked: least(
        *(asked.numbers(rf"{name}: +([\d.]+) nats")[0] for name in ("NADE", "Autoencoder"))
    ),
    "128 hidden units each": _apart,
    "Which of the two holds more": _at_a_time,
}
