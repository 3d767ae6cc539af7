"""Lesson 11: its numbers, its mathematics, and the unrolled network's Python half."""

import itertools
import math

import numpy as np
import pytest
import torch
from torch import nn

from course import pretrained
from figures.unrolled import Unrolled

LESSON = "11_recurrent"
BITS = "10110"


def double(*values: float) -> torch.Tensor:
    return torch.tensor(values, dtype=torch.float64)


def unit(solved):
    """The unit of the text: W = 1, U = ½, b = 0."""
    W, U, b = double(1)[None], double(0.5)[None], double(0)
    return lambda x, h: solved["rnn_step"](x, h, W, U, b)


# --- the numbers of the text ----------------------------------------------------------------------


def test_one_unit_remembers_as_worked_out_by_hand(solved):
    x, h = double(1, 0)[None, :, None], double(0)[None]
    states = solved["unroll"](unit(solved), x, h)
    assert states.flatten().numpy().round(4).tolist() == [0, 0.7616, 0.3634]


def test_a_gate_keeps_what_is_worked_out_by_hand(solved):
    zeros = torch.zeros(3, 1, dtype=torch.float64), torch.zeros(3, 1, dtype=torch.float64)
    for bias, left in ((math.log(3), 0.75), (10.0, 0.99995)):
        c = double(0, bias, 0)
        h = solved["gru_step"](double(5)[None], double(1)[None], *zeros, double(0, 0, 0), c)
        assert float(h) == pytest.approx(left, abs=1e-5)
    assert round(float(h) ** 1000, 2) == 0.96


def test_a_letter_and_an_end_cost_what_is_worked_out_by_hand(solved):
    nll = solved["nll"](torch.zeros(1, 4, 3), torch.tensor([[1, 2, 2]]), torch.tensor([1]))
    assert round(float(nll), 4) == 2.1972 == round(2 * math.log(3), 4)


def test_three_maps_are_joined_as_worked_out_by_hand(solved):
    a, b = torch.full((1, 3, 1), 0.5), double(8, 4, 2)[None, :, None]
    assert solved["scan"](a.double(), b).flatten().tolist() == [8, 8, 6]


def test_powers_of_the_text():
    assert f"{1.1**100:,.0f}" == "13,781"
    assert round(0.9**50, 4) == 0.0052
    assert round(math.log(8), 3) == 2.079


# --- the mathematics ------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(3))
def test_the_gru_is_torchs_own(solved, seed):
    torch.manual_seed(seed)
    cell, x, h = nn.GRUCell(5, 7), torch.randn(4, 5), torch.randn(4, 7)
    W, U, b, c = cell.parameters()
    with torch.no_grad():
        assert (solved["gru_step"](x, h, W, U, b, c) - cell(x, h)).abs().max() < 1e-6


def test_all_finite_texts_and_the_rest_sum_to_one(solved):
    """A two-letter model: the texts of up to 10 letters, and what is left for longer ones."""
    torch.manual_seed(0)
    W, U, b, out = (torch.randn(s).double() for s in ((4, 3), (4, 4), (4,), (3, 4)))
    total, reach = 0.0, 0.0
    for length in range(11):
        words = list(itertools.product((1, 2), repeat=length))
        x = torch.tensor(words, dtype=torch.long).reshape(2**length, length)
        one_hot = nn.functional.one_hot(x, 3).double()
        h = torch.zeros(len(x), 4, dtype=torch.float64)
        states = solved["unroll"](lambda x, h: solved["rnn_step"](x, h, W, U, b), one_hot, h)
        logits = states @ out.T
        total += float((-solved["nll"](logits, x, torch.full((len(x),), length))).exp().sum())
        if length == 10:  # the mass of all texts that go on after ten letters
            logs = logits.log_softmax(-1)
            so_far = logs[:, :-1].gather(2, x[..., None])[..., 0].sum(1)
            reach = float((so_far.exp() * (1 - logs[:, -1, 0].exp())).sum())
    assert total < 1
    assert total + reach == pytest.approx(1, abs=1e-12)


def test_padding_leaks_neither_way(solved):
    """What stands behind an end changes no cost, and gets no gradient."""
    logits = torch.randn(2, 5, 4, requires_grad=True)
    x, lengths = torch.tensor([[1, 2, 3, 1], [2, 3, 3, 3]]), torch.tensor([2, 4])
    costs = solved["nll"](logits, x, lengths)
    other = x.clone()
    other[0, 2:] = 0
    assert torch.equal(costs, solved["nll"](logits, other, lengths))
    costs.sum().backward()
    assert logits.grad[0, 3:].abs().max() == 0 and logits.grad[0, :3].abs().min() > 0


@pytest.mark.parametrize("gain", [0.9, 1.1])
def test_at_rest_a_gradient_is_the_gain_to_the_power_of_the_distance(solved, gain):
    turn = torch.linalg.qr(torch.randn(8, 8, dtype=torch.float64))[0]
    step = lambda x, h: solved["rnn_step"](x, h, torch.zeros(8, 1).double(), gain * turn, 0 * h[0])  # noqa: E731
    h = torch.zeros(1, 8, dtype=torch.float64, requires_grad=True)
    end = solved["unroll"](step, torch.zeros(1, 30, 1).double(), h)[0, -1]
    (slope,) = torch.autograd.grad(end[0], h)
    assert float(slope.norm()) == pytest.approx(gain**30)


def test_a_window_as_long_as_the_text_gives_the_whole_gradient(solved):
    torch.manual_seed(0)
    cell, x, h = nn.GRUCell(2, 3), torch.randn(2, 6, 2), torch.zeros(2, 3)
    found = {}
    for window in (6, 2):
        cell.zero_grad()
        solved["truncated_backprop"](
            cell, lambda states, x: (states**2).sum(), x, h, window, lambda: None
        )
        found[window] = cell.weight_hh.grad.clone()
    cell.zero_grad()
    (solved["unroll"](cell, x, h)[:, :-1] ** 2).sum().backward()
    assert torch.allclose(found[6], cell.weight_hh.grad)
    assert not torch.allclose(found[2], cell.weight_hh.grad)


def test_a_scan_is_the_loop(solved):
    a, b = torch.rand(2, 37, 3).double(), torch.randn(2, 37, 3).double()
    h, states = torch.zeros(2, 3).double(), []
    for t in range(37):
        h = a[:, t] * h + b[:, t]
        states.append(h)
    assert torch.allclose(solved["scan"](a, b), torch.stack(states, 1))


# --- the experiments ------------------------------------------------------------------------------


def test_every_copy_ends_as_it_begins(experiment):
    x = experiment["copies"](200, 12, seed=0)
    assert x.shape == (200, 13) and torch.equal(x[:, 0], x[:, -1])
    assert int(x[:, 0].max()) < 8 <= int(x[:, 1:-1].min())


def test_a_longer_window_learns_more_of_the_copy(experiment):
    costs = experiment["last_costs"]
    assert costs[13] < 0.1 < costs[8] < 1 < 2 < costs[4]


def test_out_of_a_window_nothing_comes_back(experiment):
    rows = dict(zip(experiment["RACE"], experiment["rows"], strict=True))
    assert rows["WaveNet, sees 16"][-1] == pytest.approx(math.log(8), abs=0.05)
    assert rows["Transformer"][-1] < 0.1


def test_the_networks_of_the_race_are_of_one_size(experiment):
    sizes = [sum(p.numel() for p in make().parameters()) for make in experiment["RACE"].values()]
    assert max(sizes) / min(sizes) < 1.2


def test_no_topic_stands_in_two_parts(experiment):
    train, valid, test, _ = experiment["topics"]()
    heads = [set(map(tuple, part[: 200 * 50].view(-1, 50).tolist())) for part in (valid, test)]
    assert not heads[0] & heads[1]
    assert len(valid) > 30_000 < len(test) and len(train) > 100_000


def test_the_transformer_has_as_many_numbers_as_the_gru_and_reads_as_often(experiment):
    size = {
        k: sum(p.numel() for p in experiment[k].parameters()) for k in ("letters", "transformer")
    }
    assert size["transformer"] == pytest.approx(size["letters"], rel=0.05)
    train = experiment["train"]
    read = 2 * experiment["windows"](train)[:, 1:].numel()  # two epochs
    assert read / len(train) == pytest.approx(4, rel=0.01)
    small_gpt = sum(p.numel() for p in experiment["gpt"].parameters())
    assert round(small_gpt / size["transformer"]) == 47


def test_windows_price_each_letter_once(experiment):
    ids = torch.arange(64 + 5 * 32) % 7

    class Knows(nn.Module):
        """Gives each letter a price of its own: letter k costs −log softmax(k)."""

        def forward(self, x):
            return torch.arange(7.0).expand(*x.shape, 7)

    price = -torch.arange(7.0).log_softmax(0)
    assert experiment["cost_of_windows"](Knows(), ids) == pytest.approx(float(price[ids].mean()))


def test_the_play_is_as_long_as_the_text_says(text):
    play = (pretrained.folder() / "held_out.txt").read_text("utf-8")
    assert f"{len(play):,} letters of *Twelfth Night*" in text


# --- the unrolled network -------------------------------------------------------------------------


def halving(x, h):
    return 0.5 * h + x


def test_what_is_left_of_a_bit_is_told():
    shown = Unrolled({"halving": halving}, BITS, 1)
    shown._place = 1
    assert shown.moved().tolist() == [0, 0, 1, 0.5, 0.25, 0.125]
    assert "bit 2 of 5 is turned. 13 % of the change is left in h5, 3 steps later" in repr(shown)
    assert {"bit 1 0 turned", "state 2 100 %", "state 0 0 %"} <= shown.picture().marks


def test_a_state_that_read_too_early_is_crossed(solved):
    def early(step, x, h):
        states = solved["unroll"](step, x, h)
        return torch.cat([states[:, 1:], states[:, -1:]], dim=1)

    shown = Unrolled.of(early, {"halving": halving}, BITS, 1)
    assert "is seen by h2, which must not have read it yet" in repr(shown)
    assert "state 2 leak" in shown.picture().marks


@pytest.mark.parametrize(
    ("bits", "steps", "said"),
    [
        ("1", {"a": halving}, "2 to 16 digits"),
        ("12", {"a": halving}, "2 to 16"),
        (BITS, {}, "a net"),
    ],
)
def test_what_makes_no_picture_is_told_in_a_sentence(bits, steps, said):
    with pytest.raises(ValueError, match=said):
        Unrolled(steps, bits, 1)


def test_a_fault_in_the_students_loop_is_a_sentence():
    def unwritten(*args):
        raise NotImplementedError

    def flat(step, x, h):
        return np.zeros(3)

    assert "unwritten is not written yet" in repr(Unrolled.of(unwritten, {"a": halving}, BITS, 1))
    assert "it gave" not in repr(Unrolled.of(flat, {"a": halving}, BITS, 1))
    assert "got (3,)" in repr(Unrolled.of(flat, {"a": halving}, BITS, 1))
