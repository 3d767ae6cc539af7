"""Lesson 02: what its checks can name, its numbers, its widget in words, and its picture."""

import math
import re
from collections.abc import Callable
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from scipy.stats import chi2

from autograder import judge
from autograder.checks import chain_rule as checks
from autograder.checks.witness import shared_in_pairs
from autograder.draw import Draw
from figures import unrolled_chain
from figures.chain import ChainExplorer, factors_of, number, signed, sum_of
from tests.predicted import predictions

LESSON = "02_chain_rule"


# --- checks and banks -----------------------------------------------------------------------------


def test_a_right_sampler_is_accepted_at_hundreds_of_draws(solved: dict[str, Any]):
    for seed in range(400):
        verdict = judge(solved["sample"], name="sample", lesson=LESSON, seed=10_000 + seed)
        assert verdict.status == "passed", verdict


def test_the_false_alarm_rate_that_the_check_states():
    # The level is nominal; with 125 expected draws in the thinnest cell a Poisson count needs this
    # many standard deviations, and its tail (Chernoff's bound) is far below one in a million.
    low, high = checks.limits(7)
    assert chi2.sf(high, 7) + chi2.cdf(low, 7) < 2e-7
    count, mean = 125 + math.sqrt(125 * high), 125
    assert math.exp(count - mean - count * math.log(count / mean)) < 1e-10


def test_a_mistake_says_nothing_that_a_hint_keeps():
    said = [m.advice for group in (checks._FACTORS, checks._PRODUCT, checks._SCORES) for m in group]
    said += [m.advice for group in (checks._ORDERS, checks._QUERIES) for m in group]
    said += checks._WRONG_SAMPLER.values()
    assert not [s for s in said if re.search(r"transpose|keepdims|None\]|where=|slice|\.T\b", s)]


@pytest.mark.parametrize("seed", range(40))
def test_independent_samples_share_nothing_and_pairs_of_them_do(seed: int):
    draw = Draw(seed, "pairs")
    _, p = checks.draw_apart(draw, 8000)
    cells = draw.rng.choice(8, size=8000, p=p.ravel())
    x = np.stack(np.unravel_index(cells, p.shape), axis=1)
    assert shared_in_pairs(x, p) == ""
    for together in (np.repeat(x[:4000], 2, axis=0), np.tile(x[:4000], (2, 1)), np.sort(x, axis=0)):
        assert shared_in_pairs(together, p)
    assert shared_in_pairs(np.concatenate([x[:4000], x[:4000][::-1]]), p)


def test_mirrored_pairs_are_seen_where_they_agree_as_often_as_chance_has_it() -> None:
    p, rng = np.array([0.2, 0.4875, 0.3125]), np.random.default_rng(0)
    letters = lambda u: (u[:, None] > p.cumsum()[:-1]).sum(1)[:, None]  # noqa: E731
    assert shared_in_pairs(letters(rng.random(8000)), p) == ""
    u = rng.random(4000)
    x = letters(np.stack([u, 1 - u], axis=1).ravel())
    assert abs((x[::2] == x[1::2]).mean() - (p**2).sum()) < 0.02
    assert "pairs of neighbors letter 1 is 2 in one and" in shared_in_pairs(x, p)


def test_one_uniform_number_for_all_steps_draws_from_the_joint_that_the_check_computes():
    tables = checks.draw_tables(Draw(4, "test"), 3, 3)
    p = checks.one_uniform_for_all(tables)
    assert abs(p.sum() - 1) < 1e-12
    u = (np.arange(200_000) + 0.5) / 200_000  # a grid in place of chance
    x = np.zeros((len(u), 0), dtype=int)
    for table in tables:
        rows = np.broadcast_to(table[tuple(x.T)], (len(u), 3))
        x = np.column_stack([x, (u[:, None] >= rows.cumsum(axis=1)).sum(axis=1)])
    seen = np.bincount(np.ravel_multi_index(tuple(x.T), p.shape), minlength=27) / len(u)
    assert np.abs(seen - p.ravel()).max() < 1e-4


# --- the lesson's own numbers ---------------------------------------------------------------------


def test_b_a_c_has_probability_0_12_and_2_120_nats(experiment: dict, solved: dict):
    score = solved["log_likelihood"](experiment["machine"], np.array([[1, 0, 2]]))
    assert abs(score[0] - math.log(0.12)) < 1e-12 and f"{-score[0]:.3f}" == "2.120"
    assert "p(B, A, C) = 0.12, all 27 words together 1.00" in experiment["said"]
    logs = [f"{math.log(p):.3f}" for p in (0.4, 0.5, 0.6)]
    assert logs == ["-0.916", "-0.693", "-0.511"]


def test_c_c_c_is_the_one_word_that_the_machine_never_writes(experiment: dict, solved: dict):
    impossible = np.argwhere(experiment["table"] == 0)
    assert impossible.tolist() == [[2, 2, 2]]
    assert np.isneginf(solved["log_likelihood"](experiment["machine"], impossible)).all()


def test_two_thousand_bits_underflow_and_their_logs_do_not(experiment: dict):
    assert "2,000 fair bits: 0.0" in experiment["said"]
    assert "float64 says 0.0 from 1,075 bits on" in experiment["said"]
    assert "float32 says 0.0 from 150 bits on" in experiment["said"]
    assert f"{2000 * math.log(0.5):.3f}" == "-1386.294"
    assert experiment["product"][-1] == 0 and np.isfinite(experiment["total"]).all()
    assert len(experiment["total"]) * 3 == 2001


def test_the_rain_and_the_umbrella(solved: dict):
    weather = np.array([[0.54, 0.06], [0.08, 0.32]])
    first, second = solved["conditionals"](weather)
    assert np.allclose(first, [0.6, 0.4]) and np.allclose(second, [[0.9, 0.1], [0.2, 0.8]])
    # What broadcasting does without a new axis, and what the lesson's table says of that cell.
    assert np.isclose((first * second)[1, 0], 0.6 * 0.2)
    assert np.isclose(weather[1, 0], 0.4 * 0.2)
    umbrella, rain = solved["reorder"](weather, [1, 0])
    assert np.isclose(umbrella[1], 0.38) and f"{rain[1, 1]:.3f}" == "0.842"
    assert f"{solved['conditional_query'](weather, {1: 1})[1]:.3f}" == "0.842"


def test_factors_hold_as_many_free_numbers_as_the_table(experiment: dict):
    for numbers in ("26", "1,048,575", "531,440"):
        assert f"factors {numbers} free numbers, table {numbers}" in experiment["said"]


def test_in_front_the_last_letter_is_c_in_34_percent_of_all_words(experiment: dict, solved: dict):
    assert f"{solved['reorder'](experiment['table'], [2, 0, 1])[0][2]:.2f}" == "0.34"


def test_one_uniform_for_a_word_never_writes_c_after_b(experiment: dict):
    p = checks.one_uniform_for_all(experiment["machine"]).sum(axis=2)
    assert p[1, 2] == 0 and p[1, 0] > 0 and p[1, 1] > 0


def test_the_numbers_of_the_letters(experiment: dict):
    # The text is that of the running Python: other versions move the second decimal.
    assert abs(experiment["alone"][-1] - 2.84) < 0.02
    assert abs(experiment["curve"][-1] - 2.08) < 0.05
    assert sorted(experiment["curve"], reverse=True) == experiment["curve"]
    steps = experiment["steps"]
    assert (np.diff(steps) < 0).all() and abs(steps[3] / steps[0] - 0.5) < 0.05
    assert f"{math.log(27):.2f}" == "3.30"
    counts = experiment["table_of"](experiment["train"], pseudo_count=0)
    x = experiment["windows"](experiment["test"])
    assert abs((counts[tuple(x.T)] == 0).mean() - 0.02) < 0.005


def test_a_prefix_is_free_and_a_suffix_is_not(experiment: dict):
    count, costs = experiment["count"], experiment["costs"]
    useful = {pattern: worth for pattern, (_, _, worth) in costs.items()}
    assert abs(useful["he??"] - count) < 1e-3 and abs(useful["th??"] - count) < 1e-3
    assert 4000 < useful["?he?"] < 6000 and 1300 < useful["??he"] < 2000
    assert 25 < count / useful["??he"] < 36, "one word in thirty"
    for pattern, (mass, kept, worth) in costs.items():
        assert abs(kept - count * mass) < 6 * math.sqrt(count * mass), pattern
        assert worth > kept, "weighting wastes less than rejection, on all of these"


def test_weights_and_rejection_approach_the_answer_of_the_table(experiment: dict):
    rejection, weighting = map(float, re.findall(r": ([\d.]+) away from", experiment["said"]))
    assert weighting < 0.02 and rejection < 0.08


def test_what_the_costs_are_against_a_table(experiment: dict):
    said = experiment["said"]
    assert "531,441" in said and "1.6 petabytes" in said
    mass, _, worth = experiment["costs"]["?qu?"]
    assert 100 / mass * 4 * 27 > 27**4 > 100 * experiment["count"] / worth * 4 * 27


# --- the widget, in words -------------------------------------------------------------------------


@pytest.fixture(scope="module")
def table(experiment: dict) -> np.ndarray:
    return experiment["table"]


def test_the_explorer_says_the_product_of_the_factors(table: np.ndarray, solved: dict):
    explorer = ChainExplorer(table, values="ABC", x=[1, 0, 2])
    assert explorer.in_words() == (
        "p(x1=B) · p(x2=A | x1=B) · p(x3=C | x1=B, x2=A) = 0.4 · 0.5 · 0.6 = 0.12. "
        "Logs: −0.916 − 0.693 − 0.511 = −2.120 nats. The table says 0.12 too."
    )
    assert explorer.in_words(order=[2, 0, 1]).startswith("p(x3=C) · p(x1=B | x3=C) · p(x2=A | ")
    assert "0.12 too" in explorer.in_words(order=[2, 0, 1])
    assert "All 27 products equal the table in the order x1, x2, x3." in repr(explorer)


def test_the_explorers_own_factors_are_those_of_the_solution(solved: dict):
    p = np.random.default_rng(0).dirichlet(np.ones(16)).reshape(2, 2, 2, 2)
    p[0, 1] = 0
    p /= p.sum()
    for ours, theirs in zip(factors_of(p), solved["conditionals"](p), strict=True):
        assert np.array_equal(ours, theirs)


def test_the_explorer_calls_the_students_functions(table: np.ndarray, solved: dict):
    functions = [solved[name] for name in ("conditionals", "reorder", "sample")]
    explorer = ChainExplorer.of(table, *functions, values="ABC", x=[1, 0, 2], draws=500)
    assert sum(explorer._tally) == 500 and len(explorer._factors) == 6
    for order in ([0, 1, 2], [2, 0, 1], [1, 2, 0]):
        assert explorer.whole_in_words(order).startswith("All 27 products equal")


def test_a_wrong_axis_is_seen_before_a_check_names_it(table: np.ndarray, solved: dict):
    def wrong(joint: np.ndarray) -> list[np.ndarray]:
        return [t / t.sum(axis=0, keepdims=True) for t in solved["conditionals"](joint)]

    explorer = ChainExplorer.of(table, wrong, values="ABC")
    assert "products differ from the table" in explorer.whole_in_words()
    assert "not to 1" in explorer.in_words() and "another number" in explorer.in_words()


def unsolved(*args: object) -> None:
    raise NotImplementedError("write your code here")


def broken(*args: object) -> None:
    raise IndexError("too many indices")


@pytest.mark.parametrize(
    "function, said",
    [
        (unsolved, "is not written yet: solve its exercise first."),
        (broken, "IndexError: too many indices"),
        (lambda p: None, "is not written yet"),
        (lambda p: p, "a list of tables of shape (3,), (3, 3), (3, 3, 3) is needed: got ndarray"),
        (lambda p: [p], "are needed: got (3, 3, 3)"),
        (lambda p: ["a", "b", "c"], "must be arrays of numbers"),
    ],
)
def test_what_goes_wrong_is_told_in_one_sentence(
    function: Callable, said: str, table: np.ndarray, solved: dict
):
    explorer = ChainExplorer.of(table, function)
    assert said in explorer._notice and repr(explorer).count("\n") == 0
    part = ChainExplorer.of(table, solved["conditionals"], lambda p, order: function(p))
    assert part._notice == "" and said in part._order_notice and len(part._factors) == 1
    drawn = ChainExplorer.of(table, solved["conditionals"], None, lambda *a: function(a[0]))
    assert drawn._notice == "" and drawn._sample_notice and drawn._tally == []


def test_numbers_that_are_none_are_said_and_not_hidden(table: np.ndarray):
    explorer = ChainExplorer.of(table, lambda p: [np.full((3,) * i, np.nan) for i in (1, 2, 3)])
    assert "NaN" in explorer.in_words()
    assert explorer.whole_in_words().startswith("27 of 27 products differ")


@pytest.mark.parametrize(
    "given, said",
    [
        (np.ones((2, 3)) / 6, "one axis a variable"),
        (np.ones((2, 2)), "sum to 1"),
        (np.ones((7, 7)) / 49, "at most 4 variables"),
        ("joint", "an array of numbers"),
        (1.0, "one axis a variable"),
    ],
)
def test_a_table_that_cannot_be_drawn_is_refused_in_one_sentence(given: Any, said: str):
    with pytest.raises(ValueError, match=said):
        ChainExplorer(given)


def test_numbers_are_written_as_a_reader_wants_them():
    assert [number(v) for v in (0.4, 1.0, 0.0, 0.12345, 3.2e-5, math.nan, 240.0)] == [
        "0.4", "1", "0", "0.1235", "3.20e-5", "NaN", "240",
    ]  # fmt: skip
    assert [signed(v) for v in (-2.1203, 0.0, -1e-9, -math.inf)] == [
        "−2.120",
        "0.000",
        "0.000",
        "−∞",
    ]
    assert sum_of([-0.5, -1.0, 0.25]) == "−0.500 − 1.000 + 0.250"


# --- the picture ----------------------------------------------------------------------------------


@pytest.mark.parametrize("dark", [False, True])
def test_the_picture_shows_the_machines_numbers(dark: bool, experiment: dict):
    svg = ElementTree.fromstring(unrolled_chain.draw(dark))
    assert svg.get("aria-label") == unrolled_chain.ALT
    shown = " ".join("".join(text.itertext()) for text in svg.iter() if text.tag.endswith("text"))
    for text in ("= 0.12", "= −2.120 nats", "−0.916", "× 0.5", "× 0.6"):
        assert text in shown
    machine = experiment["machine"]
    rows = [machine[0], machine[1][1], machine[2][1, 0]]
    assert np.array_equal(rows, unrolled_chain.ROWS)


def sigmoid_joint(weights: np.ndarray) -> np.ndarray:
    """The joint of n bits whose factors are logistic regressions on the bits before, (n, n + 1)."""
    n = len(weights)
    joint = np.ones((2,) * n)
    for x in np.ndindex(joint.shape):
        for i, row in enumerate(weights):
            logit = row[:i] @ np.array(x[:i]) + row[n]
            joint[x] /= 1 + np.exp(-logit if x[i] else logit)
    return joint


def interaction(joint: np.ndarray) -> float:
    """How far the first bit's logits, given all later ones, are from a weighted sum of these."""
    logits = np.log(joint[1]) - np.log(joint[0])
    features = np.array([[1, *x] for x in np.ndindex(logits.shape)])
    fitted = features @ np.linalg.lstsq(features, logits.reshape(-1), rcond=None)[0]
    return float(np.abs(fitted - logits.reshape(-1)).max())


@pytest.mark.parametrize(("n", "same"), [(2, True), (3, True), (4, False), (5, False)])
def test_orders_of_logistic_regressions_are_families_of_their_own_from_four_bits_on(
    n: int, same: bool
):
    away = [
        interaction(sigmoid_joint(2 * np.random.default_rng(seed).normal(size=(n, n + 1))))
        for seed in range(5)
    ]
    assert (max(away) < 1e-9) == same and (max(away) > 1e-2) != same


def test_useful_words_are_those_of_the_weights_spread():
    weights = np.random.default_rng(1).gamma(0.5, size=1000)
    spread = weights.std() / weights.mean()
    assert weights.sum() ** 2 / (weights**2).sum() == pytest.approx(1000 / (1 + spread**2))


def test_every_guess_has_its_answer(experiment):
    told = predictions(LESSON, experiment)
    assert len(told) >= 8 and all(place < len(choices) for choices, place in told.values())


def test_after_a_thousand_letters_a_row_that_was_seen_is_hardly_better(experiment):
    windows, table_of = experiment["windows"], experiment["table_of"]
    x = windows(experiment["test"])
    some = windows(experiment["train"][:1_000])
    seen = set(map(tuple, some[:, :3].tolist()))
    factor = experiment["conditionals"](table_of(experiment["train"][:1_000]))[3]
    known = np.array([tuple(word[:3]) in seen for word in x.tolist()])
    nats = -np.log(factor[tuple(x.T)])
    assert round(float(nats[known].mean()), 2) == 2.91 and round(math.log(27), 2) == 3.30
    counts = np.unique(some[:, :3], axis=0, return_counts=True)[1]
    assert (counts <= 2).mean() > 0.5, "most of them once or twice"
