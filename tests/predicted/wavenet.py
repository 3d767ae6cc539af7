"""Answers of lesson 10."""

import torch
import torch.nn.functional as F

from course import sound
from tests.predicted import Held, Said, only


def _how_many(_) -> int:
    """The best linear guess of the next sample, from the last one, and from the last 36 or so."""
    string = sound.strings([0], 4000, seed=1)[0].double()[:400]
    past = torch.stack([string[i : i + 360] for i in range(40)], dim=1)  # 40 samples, oldest first
    errors = []
    for columns in (past[:, -1:], past[:, [3, 4, 5]]):  # 1 before; 37, 36 and 35 before
        best = torch.linalg.lstsq(columns, string[40:, None]).solution
        errors.append((columns @ best - string[40:, None]).square().mean())
    assert errors[1] < 0.1 * string.square().mean()  # with 36 there is little left for 4,000 to add
    return only(errors[0] <= errors[1], errors[1] < errors[0] / 2, False)


def _floor(asked) -> int:
    """Which codes come back, if the encoder rounds down."""
    codes = torch.arange(256)
    x = asked.mu_law_decode(codes).double()
    y = x.sign() * torch.log1p(255 * x.abs()) / torch.log(torch.tensor(256.0, dtype=torch.float64))
    share = ((255 * (y + 1) / 2).floor() == codes).double().mean()
    return only(share == 1, 0 < share < 1, share == 0)


def _quiet(asked) -> int:
    equal, mu = (
        asked.numbers(rf"last 400 samples, 16 {kind}: noise (\d+)% of")[0] < 40
        for kind in ("equal steps", "μ-law levels")
    )
    return only(equal and not mu, mu and not equal, equal and mu)


def _same(_) -> int:
    x, weight = torch.tensor([[[1.0, 2, 3, 4, 5]]]), torch.tensor([[[10.0, 1]]])
    return [1, 2, 10].index(int(F.conv1d(x, weight, padding="same", dilation=2)[0, 0, 0]))


def _three(asked) -> int:
    true = tuple(
        2**layers == asked.receptive_field(kernel, dilations)
        for layers, kernel, dilations in (
            (10, 2, _STACK),
            (10, 3, _STACK),
            (30, 2, _STACK * 3),
        )
    )
    alternatives = [(True,) * 3, (True, False, False), (True, True, False), (False,) * 3]
    return alternatives.index(true)


_STACK = [2**i for i in range(10)]


def _stands(asked) -> int:
    (net,) = asked.numbers(r"your WaveNet, trained here: ([\d.]+) nats")
    (bigram,) = asked.numbers(r"bigram: given the code before +([\d.]+) nats")
    (linear,) = asked.numbers(r"AR\(2\), fitted to the quantized past +([\d.]+) nats")
    return only(abs(net - bigram) < 0.1, linear < net < bigram - 0.1, net < linear)


def _use(asked) -> int:
    lengths = [1, 2, 4, 6, 8, 32, 128]
    costs = asked.numbers("   ".join(rf"{n}: ([\d.]+)" for n in lengths))
    enough = next(n for n, cost in zip(lengths, costs, strict=True) if cost < costs[-1] + 0.02)
    return only(enough <= 2, 2 < enough <= 8, enough > 32)


def _part(asked) -> int:
    row = r"label +[\d.]+ nats a sample; the first 36: ([\d.]+), after sample 200: ([\d.]+)"
    own, other = (asked.numbers(f"{which} {row}") for which in ("own", "another"))
    pluck, ringing = (abs(a - b) > 1 for a, b in zip(own, other, strict=True))
    return only(pluck and not ringing, ringing and not pluck, pluck and ringing)


def _queue(asked) -> int:
    layer = asked.QueuedConv1d(asked.CausalConv1d(1, 1, 3, 4))
    for t in range(20):
        layer(torch.full((1, 1, 1), float(t)))
    return [4, 8, 12].index(len(layer.queue))


ANSWERS = {
    "You know all samples so far": _how_many,
    "With ⌊·⌋ in place": _floor,
    "Which one keeps the END": _quiet,
    'padding="same" also makes': _same,
    "For which of the three": _three,
    "What does ONE Gaussian make": Said(
        "One mean and one width: the printed nats tell what it costs to cover two hills."
    ),
    "After 240 steps of training": _stands,
    "Of how many samples": _use,
    "Which part of a note": _part,
    "How long does the computer": Said("A clock tells it, and the cell below prints it."),
    "How long is the queue": _queue,
    "How many times faster": Held(
        "test_lesson_wavenet.py::test_the_cost_of_a_step_is_flat_with_queues_and_grows_without"
    ),
}
