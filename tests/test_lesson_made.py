"""Lesson 05: its numbers hold, its masks are the paper's, its experiment comes out as told."""

from __future__ import annotations

import copy
import math
import os
import re
import socket
import subprocess
import sys

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st

from autograder import judge, lessons
from autograder.checking import checks_of
from autograder.checks import made
from autograder.checks.samples import false_alarm
from autograder.draw import Draw
from autograder.remote.client import GuestChannel
from autograder.remote.proxy import standin_by_name
from autograder.steps import exercise_of
from course.causality import dependency_map
from course.data import digits
from tests.banks.bank import answers_of, text_of
from tests.notebooks import number
from tests.predicted import predictions

LESSON = "05_made"


# --- the checks -----------------------------------------------------------------------------------


def test_all_masks_of_zeros_earn_few_points_though_they_are_blind_to_the_future():
    def build_masks(degrees, place):
        return [torch.zeros(b, a) for a, b in ((len(place), len(degrees[0])),)] + [
            torch.zeros(b, a)
            for a, b in zip(map(len, degrees), [*map(len, degrees[1:]), len(place)], strict=True)
        ]

    verdict = judge(build_masks, name="build_masks", lesson=LESSON)
    assert verdict.earned <= 0.5
    assert "all-zero" in verdict.misconceptions


def test_a_wrong_order_of_sampling_is_caught_however_the_order_is_drawn():
    for seed in range(40):
        place = made.draw_places(Draw(seed), 3 + seed % 4)
        assert sorted(place) == list(range(1, len(place) + 1))
        assert (np.argsort(place) != place - 1).any()


def test_variables_that_are_moved_are_seen_by_others_in_every_draw():
    """Outputs that see themselves alone are those of another mistake."""
    for seed in range(50):
        draw = Draw(seed, "MADE.forward")
        for n in (5, 6, 7):
            place = made.places_that_tell(draw, n)
            ones = [(np.ones((n, n)), place[:, None] > place[None, :], np.zeros(n))]
            for moved_in, moved_out in made._ALL_MOVES:
                x = np.concatenate([np.zeros((1, n)), np.eye(n)])
                logits = made.network(ones, x, place, moved_in=moved_in, moved_out=moved_out)
                sees = (logits[1:] != logits[0]).T
                assert (sees == made.seen_when_moved(place, moved_in, moved_out)).all()
                assert any(place[j] > place[d] for d, j in np.argwhere(sees))


def test_the_bounds_on_pairs_give_no_false_alarm_in_a_million_classes():
    assert 3 * false_alarm(64, made.DRAWS // 2, made.BOUND_OF_PAIRS) < 1e-6
    assert 3 * false_alarm(9, made.CALLS, made.APART) < 1e-6


@pytest.fixture(scope="module")
def elsewhere():
    """A channel to a process that has run the lesson's definitions and solved exercises."""
    ours, theirs = socket.socketpair()
    process = subprocess.Popen(
        [sys.executable, "-m", "autograder.remote.server", str(theirs.fileno())],
        pass_fds=[theirs.fileno()],
        env=os.environ | {"OMP_NUM_THREADS": "1"},
    )
    theirs.close()
    channel = GuestChannel(ours, seconds=60)
    for cell in lessons.load_lesson(LESSON).cells:
        if cell.role == "exercise" or cell.is_definition:
            assert channel.run(cell.source)["status"] == "ok", cell.source
    yield channel
    ours.close()
    process.kill()
    process.wait()


@pytest.mark.parametrize("name", list(checks_of(LESSON)))
def test_a_check_says_the_same_of_a_function_in_another_process(solved, elsewhere, name: str):
    far = judge(standin_by_name(elsewhere, exercise_of(name)), name=name, lesson=LESSON, seed=3)
    near = judge(solved[exercise_of(name)], name=name, lesson=LESSON, seed=3)
    assert far == near
    assert far.status == "passed"


@pytest.mark.parametrize(
    "answer",
    [a for a in answers_of(LESSON, "wrong") if a.misconception in ("mean-of-logs", "rows-mix")]
    + [a for a in answers_of(LESSON, "wrong") if a.misconception == "order-for-its-inverse"],
    ids=lambda answer: answer.misconception,
)
def test_a_misconception_is_named_in_another_process_too(elsewhere, answer):
    right = lessons.exercise_source(LESSON, answer.exercise)
    try:
        assert elsewhere.run(text_of(LESSON, answer))["status"] == "ok"
        standin = standin_by_name(elsewhere, answer.exercise)
        name = answer.check or answer.exercise
        verdict = judge(standin, name=name, lesson=LESSON, seed=4)
    finally:
        elsewhere.run(right)
    assert answer.misconception in verdict.misconceptions
    assert verdict.earned < verdict.points


# --- the mathematics ------------------------------------------------------------------------------

networks = st.tuples(
    st.integers(2, 7), st.lists(st.integers(1, 6), min_size=1, max_size=3), st.integers(0, 2**31)
)


@given(networks)
def test_masks_are_blind_to_the_future_in_every_order(solved: dict, network):
    n, hidden, seed = network
    generator = torch.Generator().manual_seed(seed)
    degrees = solved["assign_degrees"](n, hidden, generator)
    place = 1 + torch.randperm(n, generator=generator)
    masks = solved["build_masks"](degrees, place)
    count = solved["connectivity"](masks)
    assert (count[place[:, None] <= place[None, :]] == 0).all()
    assert (count >= 0).all()
    assert count.dtype == torch.int64


@given(networks)
def test_no_hidden_unit_is_deaf(solved: dict, network):
    n, hidden, seed = network
    degrees = solved["assign_degrees"](n, hidden, torch.Generator().manual_seed(seed))
    masks = solved["build_masks"](degrees, torch.arange(1, n + 1))
    assert all((mask.sum(1) > 0).all() for mask in masks[:-1])
    assert (masks[-1].sum(0) > 0).all(), "a unit that no output hears"


@given(networks)
def test_the_rule_of_the_check_is_the_rule_of_the_lesson(solved: dict, network):
    n, hidden, seed = network
    draw = Draw(seed)
    degrees, place = made.draw_degrees(draw, n, hidden), made.draw_places(draw, n)
    masks = solved["build_masks"]([torch.tensor(d) for d in degrees], torch.tensor(place))
    rule = made.masks_by_rule(degrees, place)
    assert all((a.numpy() == b).all() for a, b in zip(masks, rule, strict=True))
    assert (solved["connectivity"](masks).numpy() == made.paths(rule)).all()


@pytest.mark.parametrize("hidden", [(60,), (60, 60)])
def test_a_made_is_blind_sees_its_past_and_sums_to_one(solved: dict, hidden):
    place = torch.tensor([4, 2, 5, 1, 3])
    model = solved["MADE"](5, hidden, place, torch.Generator().manual_seed(0))
    bits = torch.randint(0, 2, (4, 5)).float()
    seen = dependency_map(model, bits, expected=place)
    assert seen.is_autoregressive(place)
    assert len(seen.missing(place)) == 0
    every = torch.tensor(made.all_bits(5)).float()
    assert model.nll(every).neg().exp().sum().item() == pytest.approx(1, abs=1e-5)


def test_reordering_there_and_back_changes_nothing(solved: dict):
    model = solved["MADE"](6, (20,), generator=torch.Generator().manual_seed(0))
    x = torch.randint(0, 2, (3, 6)).float()
    before, state = model(x), copy.deepcopy(model.state_dict())
    model.reorder(torch.tensor([6, 5, 4, 3, 2, 1]))
    assert not torch.equal(model(x), before)
    model.reorder(torch.arange(1, 7))
    assert torch.equal(model(x), before)
    assert all(torch.equal(a, state[k]) for k, a in model.state_dict().items())


def test_a_made_in_double_precision_and_saved_is_the_same_distribution(solved: dict, tmp_path):
    MADE = solved["MADE"]
    place = torch.tensor([2, 3, 1, 4])
    model = MADE(4, (8,), place, torch.Generator().manual_seed(0))
    torch.save(model.state_dict(), tmp_path / "made.pt")
    other = MADE(4, (8,), generator=torch.Generator().manual_seed(0))
    other.load_state_dict(torch.load(tmp_path / "made.pt"))
    x = torch.tensor(made.all_bits(4)).float()
    assert torch.equal(other.nll(x), model.nll(x))
    assert torch.allclose(model.double().nll(x.double()).float(), other.nll(x), atol=1e-5)


# --- numbers in the prose -------------------------------------------------------------------------


def test_the_worked_masks_and_their_paths(solved: dict):
    masks = solved["build_masks"]([torch.tensor([1, 2])], torch.arange(1, 4))
    assert masks[0].tolist() == [[1, 0, 0], [1, 1, 0]]
    assert masks[1].tolist() == [[0, 0], [1, 0], [1, 1]]
    assert solved["connectivity"](masks).tolist() == [[0, 0, 0], [1, 0, 0], [2, 1, 0]]


def test_the_worked_masked_layer(solved: dict):
    layer = solved["MaskedLinear"](2, 2, torch.tensor([[1, 0], [1, 1]]))
    layer.load_state_dict(
        {
            "weight": torch.tensor([[2.0, 5.0], [3.0, 4.0]]),
            "bias": torch.tensor([1.0, -1.0]),
            "mask": torch.tensor([[1.0, 0.0], [1.0, 1.0]]),
        }
    )
    assert layer(torch.tensor([[1.0, 10.0]])).tolist() == [[3.0, 42.0]]


def test_the_worked_likelihoods_and_the_worked_mean(text: str):
    for value, shown in (
        (-math.log(0.5 * 0.75), "0.9808"),
        (-math.log(0.5 * 0.25), "2.0794"),
        (math.log(0.3), "-1.2040"),
        ((math.log(0.5) + math.log(0.1)) / 2, "-1.4979"),
    ):
        assert f"{value:.4f}" == shown
        assert shown in text
    logits, x = torch.tensor([0.0, math.log(3)]), torch.tensor([1.0, 1.0])
    assert F.binary_cross_entropy_with_logits(logits, x, reduction="sum") == pytest.approx(
        0.9808, abs=1e-4
    )


def test_the_worked_order_is_drawn_in_the_turns_that_the_prose_says():
    assert (1 + torch.argsort(torch.tensor([2, 3, 1]))).tolist() == [3, 1, 2]


def test_floats_do_what_the_prose_says():
    assert torch.sigmoid(torch.tensor(20.0)).item() == 1.0
    assert math.exp(-2000) == 0.0
    assert 500**3 == 125_000_000
    assert 2**24 == 16_777_216
    assert float(np.float32(2**24 + 1)) == 2**24


def test_a_copying_network_gives_two_to_the_n_in_all():
    x = torch.tensor(made.all_bits(6)).float()
    logits = 1e4 * (2 * x - 1)  # output d repeats input d
    p = (-F.binary_cross_entropy_with_logits(logits, x, reduction="none").sum(1)).exp()
    assert p.sum().item() == pytest.approx(2**6)


def test_the_digits_are_as_many_as_the_prose_says(text: str):
    split = digits()
    assert [len(split.train), len(split.valid), len(split.test)] == [1297, 200, 300]
    assert "1,797 handwritten digits of 8×8 pixels" in text
    assert "1,297 to train, 200 to validate, 300 to test" in text


# --- the experiment, as the instructor's notebook ran it ------------------------------------------


def test_the_masked_network_sums_to_one_and_the_unmasked_one_does_not(told: str):
    assert number(r"(?m)^masked: .* sum to ([\d.]+)", told) == pytest.approx(1, abs=1e-5)
    assert abs(number(r"(?m)^unmasked: .* sum to ([\d.]+)", told) - 1) > 0.1


def test_made_beats_independent_pixels_by_about_eight_nats(told: str):
    assert number(r"independent pixels\s+([\d.]+)", told) == pytest.approx(25.20, abs=0.01)
    assert number(r"MADE, one order\s+([\d.]+) ±", told) == pytest.approx(17.2, abs=0.4)


def test_many_orders_do_what_the_prose_reads_from_the_curves(told: str):
    one = number(r"trained on 1 order: ([\d.]+) nats", told)
    four, together = (
        number(rf"trained on 4 orders: {p}", told)
        for p in (r"([\d.]+) nats", r".* nats with one order, ([\d.]+) with 4 averaged")
    )
    new, many = (
        number(rf"trained on ever new orders: {p}", told)
        for p in (r"([\d.]+) nats", r".* nats with one order, ([\d.]+) with 32 averaged")
    )
    assert abs(four - one) < 0.5  # "cost little"
    alone = number(r"each by itself: ([\d.]+) nats on average", told)
    assert 0.4 < alone - together < 0.6  # "half a nat over the mean of their own NLLs"
    assert together < one  # "and ends ahead"
    assert 2.5 < new - one < 3.5  # "the three that were lost"
    assert 0.7 < new - many < 1.3  # "wins back one nat"


def test_the_lead_of_four_orders_has_its_control_and_all_orders_underfit(told: str):
    trained = {
        name: (float(test), float(average or test), float(train))
        for name, test, average, train in re.findall(
            r"(?m)^trained on (.*): ([\d.]+) nats with one order"
            r"(?:, ([\d.]+) with \d+ averaged)? \(([\d.]+) on the training images\)",
            told,
        )
    }
    one, control = trained["1 order"], trained["1 order, weight decay 0.3"]
    four, new = trained["4 orders"], trained["ever new orders"]
    assert one[0] - four[1] > 0.2  # "and ends ahead"
    assert abs(control[0] - four[1]) < 0.15  # "smaller than the standard error"
    assert 5 < new[2] - one[2] < 7  # "by six nats": no overfitting
    assert one[2] + 0.5 < four[2] < new[2] - 0.5  # "four orders stand between one and all"


def test_a_network_with_every_mask_open_has_a_wonderful_loss(told: str):
    assert number(r"every mask open\s+([\d.]+) nats", told) < 3


def test_nade_is_a_masked_network_with_a_block_of_units_for_each_output(told: str):
    assert number(r"largest difference of the logits: ([\d.e+-]+)", told) < 1e-5


def test_eight_units_miss_one_of_four_degrees_in_38_draws_of_100(text: str) -> None:
    missed = sum((-1) ** (k + 1) * math.comb(4, k) * (1 - k / 4) ** 8 for k in range(1, 5))
    assert round(100 * missed) == 38 and "in 38 cases of 100" in text


def test_a_one_layer_made_has_n_connections_a_unit_and_no_layer_is_an_fvsbn(solved: dict) -> None:
    made = solved["made_parameters"]
    assert made(3, [4]) == 19 and made(784, [500]) == 393_284
    for n in (2, 3, 10, 33):
        assert made(n, [7]) == 7 * n + 7 + n
        assert made(n, []) == n * (n + 1) // 2
    assert made(1, [9, 9]) == 1


def test_the_count_is_that_of_the_masks_whatever_the_degrees(solved: dict) -> None:
    place = torch.arange(1, 10)
    for seed in range(5):
        degrees = solved["assign_degrees"](9, (7,), torch.Generator().manual_seed(seed))
        masks = solved["build_masks"](degrees, place)
        assert sum(int(mask.sum()) for mask in masks) + 7 + 9 == solved["made_parameters"](9, [7])


def test_every_guess_has_its_answer(solved: dict) -> None:
    told = predictions(LESSON, solved)
    assert len(told) >= 8 and all(place < len(choices) for choices, place in told.values())
