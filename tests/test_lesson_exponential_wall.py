"""Lesson 01: what its checks tell, its numbers, and its experiment on the digits."""

import itertools
import json
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from autograder import judge
from autograder.checks import counts
from autograder.checks import exponential_wall as checks
from autograder.checks.made import made_count
from autograder.checks.nade import nade_count
from autograder.claims import Verdict
from autograder.diagnosis import Mistake, Symptom
from figures import bayes_net_tables, exponential_wall
from figures.dag_editor import CARDINALITIES, PARENTS
from tests.banks.wrong.exponential_wall import ANSWERS as WRONG
from tests.notebooks import executed, printed
from tests.predicted import predictions

LESSON = "01_exponential_wall"


def verdict_on(function: Callable, exercise: str, seed: int) -> Verdict:
    return judge(function, name=exercise, lesson=LESSON, seed=seed)


# --- checks and banks -----------------------------------------------------------------------------


def test_every_misconception_of_the_checks_is_in_the_bank():
    tuples = [v for part in (checks, counts) for v in vars(part).values() if isinstance(v, tuple)]
    listed = [*itertools.chain(*tuples), counts.FLOAT_SEEN, counts.NO_COUNT]
    named = {one.name for one in listed if isinstance(one, Mistake | Symptom)}
    assert len(named) > 30
    banked = {answer.misconception for answer in WRONG}
    assert banked - {"", "arguments-overwritten"} == named  # that one is told by every lesson


def test_a_verdict_never_tells_the_count_that_is_asked(solved: dict[str, Any]):
    verdict = verdict_on(lambda c, p: 5, "bayes_net_parameters", 0)
    told = json.dumps(verdict.as_dict())
    cases = [([4, 2, 3, 2], [[], [0], [0], [1, 2]])]
    for cardinalities, parents in cases:
        count = solved["bayes_net_parameters"](cardinalities, parents)
        assert f" {count}" not in told.replace(str(cardinalities), "")


# --- the numbers of the lesson --------------------------------------------------------------------


def test_784_bits_are_exact(solved: dict[str, Any]):
    assert solved["table_parameters"]([2] * 784) == 2**784 - 1
    assert len(str(2**784 - 1)) == 237
    assert solved["table_parameters"]([2] * 20) == 1_048_575


def test_64_bits_fill_147_million_terabytes():
    assert round(8 * (2**64 - 1) / 10**12 / 10**6, 1) == 147.6


def test_10_to_the_80_needs_266_bits_and_100_bits_are_far_below(solved: dict[str, Any]):
    assert solved["bits_to_exceed"](10**80) == 266 == 14 * 19
    assert solved["bits_to_exceed"](1000) == 10 and solved["bits_to_exceed"](1023) == 11
    assert 1.2e30 < 2**100 < 1.3e30
    assert 150 < 2**100 / 7e27 < 250, "a person has about 7e27 atoms: two hundred people"


def test_a_chain_is_linear_and_the_chain_rule_saves_nothing(solved: dict[str, Any]):
    count = solved["bayes_net_parameters"]
    for n in range(1, 15):
        assert count([2] * n, [[], *([i] for i in range(n - 1))]) == 2 * n - 1
        assert count([2] * n, [list(range(i)) for i in range(n)]) == 2**n - 1
    assert count([3] * 10, [[], *([i] for i in range(9))]) == 56
    for n in range(2, 12):  # a Markov chain of order 2
        assert count([2] * n, [list(range(max(i - 2, 0), i)) for i in range(n)]) == 4 * n - 5


def test_the_garden_needs_17_numbers_everywhere(solved: dict[str, Any]):
    parents = [list(row) for row in PARENTS]
    assert solved["bayes_net_parameters"](list(CARDINALITIES), parents) == 17
    assert sum(bayes_net_tables.free_numbers(one[0]) for one in bayes_net_tables.GARDEN) == 17
    assert solved["table_parameters"](list(CARDINALITIES)) == 63
    for *_, rows in bayes_net_tables.GARDEN:
        assert all(math.isclose(sum(row), 1) for _, row in rows)


def test_the_picture_of_the_wall_counts_as_the_lesson_does(solved: dict[str, Any]):
    count = {name: of for name, _, _, of in exponential_wall.MODELS}
    for n in (1, 2, 64, 784):
        assert count["FVSBN"](n) == solved["fvsbn_parameters"](n)
        assert count["NADE"](n) == nade_count(n, 500)
        assert count["MADE"](n) == made_count(n, [500])
        assert count["chain"](n) == 2 * n - 1
    for number in ("1,567", "307,720", "393,284", "785,284", "n = 266", "n = 333"):
        assert number in exponential_wall.ALT
    assert 2**332 < 10**100 < 2**333 and math.floor(784 * math.log10(2)) == 236


# --- the experiment -------------------------------------------------------------------------------


def test_error_on_new_images_turns_round_as_tables_grow(experiment: dict[str, Any]):
    curve = experiment["curve"]
    sizes = [point[1] for point in curve]
    valid, test = ([point[at] for point in curve] for at in (4, 5))
    assert sizes[0] == 64 and sizes[3] == 495 and 800_000 < sizes[-1] < 10**6
    assert experiment["best"][:2] == (7, 7423)
    assert valid[-1] > valid[7] + 2 and valid[0] > valid[7] + 5
    assert [round(test[m], 2) for m in (0, 1, 3, 7, 12)] == [25.20, 24.13, 20.72, 19.20, 20.59]
    assert round(curve[12][2], 2) == 0.95
    assert min(test) > 18.5, "no table reaches the FVSBN's 18.4 nats"
    seen = [point[3] for point in curve]
    assert (round(seen[10], 1), round(seen[14], 1)) == (17.7, 18.1) and seen[10] == min(seen)
    assert round(valid[3], 2) == 20.63 and "to beat: 20.63" in experiment["said"]
    assert round(2**67 / 1e18) == 148, "million terabytes"


def test_without_laplaces_rule_the_training_error_only_falls(experiment: dict[str, Any]):
    train, spent = experiment["train"], []
    for m in range(15):
        net = [experiment["nearest"](i, m) for i in range(64)]
        tables = []
        for i, parents in enumerate(net):
            rows = experiment["rows_of"](train, parents)
            seen = np.bincount(rows, minlength=2 ** len(parents))
            tables.append(np.bincount(rows, train[:, i], minlength=len(seen)) / np.maximum(seen, 1))
        spent.append(experiment["nll_of_net"](net, tables, train))
    assert (np.diff(spent) < 0).all(), "the control of what the lesson says of Laplace's rule"


def test_rows_of_few_images_make_the_climb_and_empty_ones_a_third_of_it(experiment: dict[str, Any]):
    nobody, empty, thin = (experiment["climb"](least) for least in (0, 1, 8))
    assert [round(v, 2) for v in (nobody, empty, thin)] == [2.63, 1.76, 0.17]
    assert 0.3 < 1 - empty / nobody < 0.36


def test_one_table_for_all_places_costs_seven_nats_with_three_parents(experiment: dict[str, Any]):
    costs = experiment["costs_with"]
    gaps = [costs(m, tied=True) - costs(m, tied=False) for m in (0, 3, 7, 14)]
    assert round(costs(3, tied=True), 2) == 27.92 and 6.9 < gaps[1] < 7.5
    assert min(gaps) == gaps[-1] and round(gaps[-1], 1) == 4.5


def test_which_arrows_matters_more_than_how_many(experiment: dict[str, Any]):
    said = experiment["said"]
    assert "left neighbor alone: 120 numbers, 24.13 nats" in said
    assert "upper neighbor alone: 120 numbers, 22.55 nats" in said
    assert "495 numbers, chosen by the data: 19.58 nats" in said
    assert "your net: 225 numbers" in said


def test_the_tree_of_chow_and_liu_beats_the_left_neighbor_by_3_nats(experiment: dict[str, Any]):
    import numpy as np
    from scipy.sparse.csgraph import breadth_first_order, minimum_spanning_tree

    information = experiment["information"]
    assert np.allclose(information, information.T) and information.min() > -1e-12
    tree = minimum_spanning_tree(information.max() + 1 - information)
    parent = breadth_first_order(tree, 0, directed=False)[1]
    net = [[] if p < 0 else [int(p)] for p in parent]
    tables = experiment["fit_tables"](net, experiment["train"])
    assert sum(map(len, tables)) == 127
    assert round(experiment["nll_of_net"](net, tables, experiment["test"]), 1) == 20.8
    assert experiment["curve"][1][5] - 20.8 > 3


def test_the_tables_are_a_distribution(experiment: dict[str, Any]):
    import numpy as np

    bits = np.array([[i >> b & 1 for b in range(9)] for i in range(512)])
    net = [experiment["nearest"](i, 3, side=3) for i in range(9)]
    tables = experiment["fit_tables"](net, bits[::7])
    nll = [experiment["nll_of_net"](net, tables, bits[i : i + 1]) for i in range(512)]
    assert math.isclose(np.exp(-np.array(nll)).sum(), 1, rel_tol=1e-9)


def test_a_reader_who_solves_nothing_is_told_what_each_demo_waits_for():
    said = printed(executed(LESSON, "unsolved"))
    assert said.count("○ This demo waits for") == 4
    assert "chosen by the data" in said


def test_every_guess_has_its_answer(experiment):
    told = predictions(LESSON, experiment)
    assert len(told) >= 8 and all(place < len(choices) for choices, place in told.values())
