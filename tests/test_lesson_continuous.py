"""Lesson 07: its numbers, its mathematics, and the mixture explorer's Python half."""

import math
import re
from statistics import NormalDist

import numpy as np
import pytest
import torch

from autograder import lessons
from figures.mixture_explorer import MixtureExplorer

LESSON = "07_continuous"
COUNTS = [0, 3, 9, 4, 1, 0, 7, 2]


def double(*values: float) -> torch.Tensor:
    return torch.tensor(values, dtype=torch.float64)


# --- the numbers of the text ----------------------------------------------------------------------


def test_three_levels_have_the_shares_worked_out_by_hand(solved):
    nll = solved["histogram_nll"](torch.arange(3), torch.tensor([0, 0, 1]), 3, 1.0)
    assert (-nll).exp().tolist() == pytest.approx([1 / 2, 1 / 3, 1 / 6])
    assert round(float(nll[2]), 4) == 1.7918


def test_a_narrow_bell_has_a_negative_nll_and_a_density_above_1(solved):
    wide, narrow = (
        float(solved["gaussian_nll"](double(0), double(0), double(s))) for s in (1, 0.1)
    )
    assert (round(wide, 4), round(narrow, 4), round(math.exp(-narrow), 3)) == (
        0.9189,
        -1.3836,
        3.989,
    )


def test_two_bells_cost_what_is_worked_out_by_hand(solved):
    nll = solved["mixture_nll"](double(0), double(0, 0), double(0, 2), double(1, 1))
    assert round(float(nll), 4) == 1.4852
    apart = solved["gaussian_nll"](double(0), double(0, 2), double(1, 1))
    assert apart.tolist() == pytest.approx([0.9189, 2.9189], abs=1e-4)
    assert round(float(apart.mean()), 4) == 1.9189


def test_a_bin_has_the_mass_worked_out_by_hand(solved):
    log_p = solved["discretized_logistic_mixture"]
    found = float(log_p(torch.tensor([10]), double(0), double(10), double(1), 256))
    assert (round(math.exp(found), 4), round(found, 4)) == (0.2449, -1.4068)
    assert round(0.62246 * 0.62246 * (1 - math.exp(-1)), 4) == 0.2449
    assert round(10 + 2 * math.log(9), 3) == 14.394


def said(told: str, pattern: str) -> float:
    """The number that the notebook prints behind this pattern."""
    found = re.search(pattern + r"\s+(-?[\d.]+)", told)
    assert found, f"nothing is printed behind {pattern!r}"
    return float(found[1])


def test_with_a_thousand_points_the_levels_cost_more_than_gaussian_hills(told):
    hills = [said(told, rf"RNADE, {first} first") for first in "xy"]
    assert abs(hills[0] - hills[1]) < 0.1
    assert said(told, "MADE of 64 levels") - max(hills) > 0.1


def test_neighbors_say_more_than_the_table_and_the_test_strips_cost_more(told):
    bits = {
        name: said(told, name)
        for name in ("table, no neighbors", "1 logistic", "softmax of neighbors")
    }
    assert bits["table, no neighbors"] > bits["softmax of neighbors"] + 1
    assert bits["softmax of neighbors"] > bits["1 logistic"] + 1
    assert 0.9 < said(told, r"1 logistic\s+test") - bits["1 logistic"] < 1.2, "a whole bit"
    assert bits["table, no neighbors"] - bits["1 logistic"] > 3.5, "nearly four bits"


def test_bits_per_dimension_of_the_text(solved):
    bits = solved["bits_per_dim"]
    assert round(float(bits(double(-1), 2, 8)), 4) == 2.2787
    assert float(bits(double(0), 1, 256)) == 8
    assert round(float(bits(double(-3.2), 1, 256)), 3) == 3.383


def test_the_transform_of_the_text_is_the_normal_distribution_function(solved):
    below = solved["pit"](double(0, 1.645), double(0), double(0), double(1))
    assert below.tolist() == pytest.approx([0.5, NormalDist().cdf(1.645)])
    assert round(float(below[1]), 2) == 0.95


# --- the mathematics ------------------------------------------------------------------------------


@pytest.mark.parametrize("scale", [1e-4, 0.3, 20.0, 1e4])
@pytest.mark.parametrize("center", [-40.0, 100.37, 255.0, 900.0])
def test_probabilities_of_all_levels_sum_to_one(solved, scale, center):
    log_p = solved["discretized_logistic_mixture"]
    mu, scales = double(center, 128), double(scale, 3)
    found = log_p(torch.arange(256), double(0.3, -1), mu, scales, 256)
    assert torch.isfinite(found).all()
    assert float(found.exp().sum()) == pytest.approx(1, abs=1e-12)


def test_a_density_integrates_to_one_and_changes_by_the_unit(solved):
    x = torch.linspace(-60, 60, 240_001, dtype=torch.float64)
    parameters = double(0.5, 0), double(-3, 4), double(0.7, 2)
    nll = solved["mixture_nll"](x, *parameters)
    assert float(torch.trapezoid((-nll).exp(), x)) == pytest.approx(1, abs=1e-9)
    logits, mu, sigma = parameters
    there = solved["mixture_nll"](x / 256, logits, mu / 256, sigma / 256)
    assert torch.allclose(nll - there, double(math.log(256)))


def test_the_gradient_in_the_log_densities_is_minus_the_responsibilities(solved):
    logits = double(0.5, 0, -1).requires_grad_()
    solved["mixture_nll"](double(0.3), logits, double(-1, 0.5, 2), double(1, 1, 1)).sum().backward()
    weights = logits.detach().softmax(0)
    heights = torch.exp(-solved["gaussian_nll"](double(0.3), double(-1, 0.5, 2), double(1, 1, 1)))
    responsible = weights * heights / (weights * heights).sum()
    assert torch.allclose(-logits.grad, responsible - weights)


@pytest.mark.parametrize("width", [1.0, 3.0])
def test_the_gap_of_a_dequantized_gaussian_is_as_the_text_says(width):
    x = np.arange(-60, 61)
    u = (np.arange(2_000) + 0.5) / 2_000
    normal = NormalDist(0.5, width)
    mass = np.array([normal.cdf(v + 1) - normal.cdf(v) for v in x])
    log_density = -0.5 * ((x[:, None] + u - 0.5) / width) ** 2 - math.log(
        width * math.sqrt(2 * math.pi)
    )
    keep = mass > 1e-13
    gap = (mass * (np.log(np.maximum(mass, 1e-300)) - log_density.mean(1)))[keep].sum()
    assert 0 < gap == pytest.approx(1 / (24 * width**2), rel=0.1)


def test_samples_and_scores_are_of_one_distribution(solved):
    parameters = double(0.2, -0.4), double(1.0, 6.4), double(0.8, 1.5)
    x = solved["sample"](*parameters, 100_000, 8, torch.Generator().manual_seed(0))
    p = solved["discretized_logistic_mixture"](torch.arange(8), *parameters, 8).exp()
    assert torch.bincount(x, minlength=8).div(100_000).sub(p).abs().max() < 0.01


def test_dequantized_levels_come_back_by_rounding_down(solved):
    x = torch.arange(256).repeat(50, 1)
    y = solved["dequantize"](x, 256, torch.Generator().manual_seed(0)).double()
    assert torch.equal((256 * y - 1e-4).clamp(min=0).floor().clamp(min=x - 1), x) or (
        (256 * y - x).min() >= 0 and (256 * y - x).max() <= 1 + 1e-4
    )


def test_the_lesson_is_of_the_length_that_a_reader_has(text):
    prose = " ".join(
        cell.source for cell in lessons.load_lesson(LESSON).cells if cell.kind != "code"
    )
    assert len(prose.split()) <= 4_500


# --- the mixture explorer -------------------------------------------------------------------------


def test_the_explorer_prices_with_the_formulas_of_the_lesson(solved):
    explorer = MixtureExplorer(COUNTS, bells=((0.3, 2.0, 0.5), (0.7, 5.5, 1.2)))
    logits, mu, scale = double(math.log(0.3), math.log(0.7)), double(2, 5.5), double(0.5, 1.2)
    x = torch.arange(8)
    log_p = solved["discretized_logistic_mixture"](x, logits, mu, scale, 8)
    assert explorer.log_mass() == pytest.approx(log_p.numpy())
    table = solved["histogram_nll"](x, torch.repeat_interleave(x, torch.tensor(COUNTS)), 8, 1.0)
    assert -explorer.log_share() == pytest.approx(table.numpy(), abs=1e-6)


def test_only_the_density_changes_with_the_axis():
    explorer = MixtureExplorer(COUNTS)
    before = explorer.nats()
    explorer.short_axis = True
    after = explorer.nats()
    assert before["bins"] == after["bins"] and before["discretized"] == after["discretized"]
    assert before["density"] - after["density"] == pytest.approx(math.log(8))


@pytest.mark.parametrize(
    "counts, bells, said",
    [
        ([1, 2], ((0.5, 1, 1), (0.5, 2, 1)), "at least 3 levels"),
        ([0, 0, 0], ((0.5, 1, 1), (0.5, 2, 1)), "not all 0"),
        (COUNTS, ((0.5, 1, 1), (0.6, 2, 1)), "sum to 1"),
        (COUNTS, ((0.5, 1, 0), (0.5, 2, 1)), "widths above 0"),
    ],
)
def test_what_makes_no_picture_is_told_in_a_sentence(counts, bells, said):
    with pytest.raises(ValueError, match=said):
        MixtureExplorer(counts, bells)


def test_the_explorer_asks_the_students_function_where_it_stands(solved):
    explorer = MixtureExplorer.of(solved["discretized_logistic_mixture"], COUNTS)
    assert "Yours: " in repr(explorer) and "1.0000 in sum" in repr(explorer)
    explorer.bells = [[0.5, 1.0, 0.02], [0.5, 4.0, 2.0]]
    price = explorer.nats()["discretized"]
    assert f"Yours: {price:.3f} nats" in repr(explorer)


def test_a_fault_in_the_students_function_is_a_sentence():
    def unwritten(*args):
        raise NotImplementedError

    def summed(x, *args):
        return float(x.sum())

    assert "unwritten is not written yet" in repr(MixtureExplorer.of(unwritten, COUNTS))
    assert "it gave shape ()" in repr(MixtureExplorer.of(summed, COUNTS))


def test_an_upright_line_crosses_the_spiral_up_to_four_times():
    turn = np.linspace(0, 1, 100_001)
    x = turn * np.cos(3 * math.pi * turn)
    crossings = [int(np.count_nonzero(np.diff(np.sign(x - at)))) for at in np.linspace(-1, 1, 999)]
    assert max(crossings) == 4
