"""Lesson 06: its numbers, its mathematics, its picture, and the KL explorer's Python half."""

import math

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.optimize import minimize
from scipy.stats import norm

from autograder import lessons
from figures import forward_reverse_kl
from figures.kl_explorer import BUMPS, KLExplorer
from tests.predicted import predictions

LESSON = "06_kl"
FAIR, BIASED = np.array([0.5, 0.5]), np.array([0.9, 0.1])


@pytest.fixture(scope="module")
def demos(solved: dict) -> dict:
    """The names that the experiments' demo cells make when everything is solved."""
    namespace = dict(solved)
    wanted = ("def gaussian", "distances = ", "petals = ", "fits = {", "mixture = np")
    wanted += ("widths = ", "by_heart = ", "def scores")
    for cell in lessons.load_lesson(LESSON).cells:
        if any(name in cell.source for name in wanted) and "demo" in cell.tags:
            exec(cell.source, namespace)
    return namespace


# --- the numbers of the text ----------------------------------------------------------------------


def test_the_coins_have_the_numbers_of_the_text(solved) -> None:
    assert round(solved["entropy"](FAIR), 4) == 0.6931
    assert round(solved["entropy"](BIASED), 4) == 0.3251
    assert round(solved["cross_entropy"](FAIR, BIASED), 4) == 1.2040
    assert round(solved["kl"](FAIR, BIASED), 4) == 0.5108
    assert round(solved["kl"](BIASED, FAIR), 4) == 0.3681


def test_sure_heads_is_the_worst_belief_of_a_fair_coin_either_way_round(solved) -> None:
    beliefs = [np.array([h, 1 - h]) for h in np.linspace(0, 1, 101)]
    for divergence in (lambda q: solved["kl"](q, FAIR), lambda q: solved["kl"](FAIR, q)):
        worth = [divergence(q) for q in beliefs]
        assert np.argmin(worth) == 50 and max(worth) == worth[0] == worth[-1]
    assert solved["kl"](np.array([1.0, 0.0]), FAIR) == pytest.approx(math.log(2))


def test_the_words_about_text_hold(solved) -> None:
    scores = np.log([1 / 2, 1 / 8])
    assert solved["perplexity"](scores) == pytest.approx(4)
    assert solved["bits_per_token"](scores) == pytest.approx(2)
    assert solved["perplexity"](np.full(7, -math.log(50))) == pytest.approx(50)
    nats = np.array([-0.9])
    assert round(solved["bits_per_token"](nats), 3) == 1.298
    assert round(solved["perplexity"](nats), 2) == 2.46
    assert round(-math.log(1e-12), 1) == 27.6


def test_four_samples_have_the_numbers_of_the_text(solved) -> None:
    nll, floor, divergence = solved["mle_equals_kl"](np.array([0, 0, 0, 1]), FAIR)
    assert [round(v, 4) for v in (nll, floor, divergence)] == [0.6931, 0.5623, 0.1308]


def test_the_forward_fit_has_the_moments_worked_out_by_hand(solved) -> None:
    grid = np.linspace(-8, 8, 1601)
    p = sum(w * norm.pdf(grid, m, s) for w, m, s in BUMPS)
    mu, sigma = solved["fit_forward"](p, grid)
    assert round(mu, 4) == 0.4 and round(sigma, 4) == 2.0494


def test_one_step_downhill_is_the_one_worked_out_by_hand(solved) -> None:
    grid = np.linspace(-12, 14, 2001)
    step = solved["fit_reverse"](norm.pdf(grid), grid, (1.0, 1.0), steps=1)
    assert step == pytest.approx((0.98, 1.0))


def test_the_price_of_forgetting_a_bump_is_minus_log_its_weight() -> None:
    (right, left, middle) = KLExplorer()._optima["reverse"]
    assert right[2] == pytest.approx(-math.log(0.6), abs=2e-3)
    assert left[2] == pytest.approx(-math.log(0.4), abs=2e-3)
    assert [round(v, 2) for v in (right[2], left[2])] == [0.51, 0.91]
    assert middle[2] > left[2]


def test_the_reverse_fit_chooses_all_at_once(demos) -> None:
    assert round(demos["first"], 1) == 1.3 and round(demos["crossing"], 1) == 1.5
    near = demos["distances"] < 1.25
    assert np.abs(demos["narrow_mu"][near]).max() < 0.01
    assert np.abs(demos["narrow_mu"] - demos["distances"])[~near].max() < 0.05
    assert demos["narrow_kl"][-1] == pytest.approx(math.log(2), abs=1e-3)
    assert (demos["wide_sigma"] < demos["forward_sigma"]).all(), "a little narrower"


def test_the_flowers_have_the_numbers_of_the_text(demos) -> None:
    scores, lengths = demos["scores"], demos["lengths"]
    found = {}
    for name, (mu, sigma) in demos["fits"].items():
        found[name] = scores(demos["gaussian"](lengths, mu, sigma))
    assert found["forward"][0] == pytest.approx(2.07, abs=0.01)
    assert found["forward"][2] == pytest.approx(1 / 6, abs=0.02), "one sample in six"
    assert found["reverse from 1.5"][0] > 50 and found["reverse from 5.0"][0] > 5
    assert max(share for name, (*_, share) in found.items() if name != "forward") < 0.03
    for name, length, nats in (("reverse from 5.0", 1.5, 12), ("reverse from 1.5", 4.9, 77)):
        cost = -norm.logpdf(length, *demos["fits"][name])
        assert round(cost) == nats
    mixed = scores(demos["mixture"])
    assert mixed[0] < found["forward"][0] - 0.4 and mixed[2] < 0.02
    mu, sigma = demos["fits"]["forward"]
    assert norm.cdf(0, mu, sigma) > 0.005, "some of negative length"
    assert not (((demos["petals"] > 2.1) & (demos["petals"] < 2.8)) | (demos["petals"] < 0.8)).any()


def test_spikes_on_the_flowers_gain_on_what_was_seen_and_lose_on_the_rest(demos) -> None:
    def nll(points: np.ndarray, width: float) -> float:
        heights = demos["log_gaussian"](points[:, None], demos["train_petals"], width)
        return -np.mean(np.logaddexp.reduce(heights, axis=1)) + math.log(100)

    seen = [nll(demos["train_petals"], width) for width in demos["widths"]]
    fresh = [nll(demos["test_petals"], width) for width in demos["widths"]]
    assert (np.diff(seen) < 0).all() and seen[-1] < 0, "the training NLL falls, below zero"
    assert seen[-2] - seen[-1] == pytest.approx(math.log(2), abs=1e-3)
    assert 0 < np.argmin(fresh) < 3 and (np.diff(fresh)[2:] > 0).all(), "the test NLL turns early"


def test_a_model_of_a_hundred_pictures_lacks_only_variety(demos, solved) -> None:
    world, by_heart = demos["world"], demos["by_heart"]
    for q in (by_heart, world):
        assert round(solved["cross_entropy"](q, world), 3) == 13.816
    assert solved["kl"](by_heart, world) == pytest.approx(math.log(1e4))
    assert round(math.log(1e4), 1) == 9.2
    assert solved["kl"](world, by_heart) == math.inf
    assert solved["entropy"](world) - solved["entropy"](by_heart) == pytest.approx(math.log(1e4))


def test_alt_text_and_prose_name_the_distance_of_the_jump(text) -> None:
    assert "at d = 1.3" in text


# --- the mathematics of the solution --------------------------------------------------------------


def test_the_forward_fit_is_what_a_minimizer_finds(solved) -> None:
    explorer, grid = KLExplorer(), np.linspace(-9, 9, 1201)
    p = np.exp(explorer.log_p(grid))
    best = minimize(lambda t: explorer.forward(t[0], math.exp(t[1])), (1.0, 0.0), tol=1e-10)
    assert solved["fit_forward"](p, grid) == pytest.approx(
        (best.x[0], math.exp(best.x[1])), abs=1e-4
    )


def test_different_starts_find_different_valleys(solved) -> None:
    explorer, grid = KLExplorer(), np.linspace(-15, 15, 601)
    p = np.exp(explorer.log_p(grid))
    ends = [solved["fit_reverse"](p, grid, start) for start in ((-2, 0.6), (2, 0.6), (0, 2))]
    assert [round(mu, 1) for mu, _ in ends] == [-2.0, 2.0, 0.3]


# --- the explorer ---------------------------------------------------------------------------------


@pytest.mark.parametrize("mu, sigma", [(0.4, 2.05), (2.0, 0.6), (-4.4, 0.3), (4.4, 2.9), (0, 1)])
def test_the_explorers_sums_are_the_integrals(mu: float, sigma: float) -> None:
    explorer = KLExplorer(whole=True)

    def log_p(x: float) -> float:
        return float(np.logaddexp.reduce([math.log(w) + norm.logpdf(x, m, s) for w, m, s in BUMPS]))

    def log_q(x: float) -> float:
        return float(norm.logpdf(x, mu, sigma))

    def forward(x: float) -> float:
        return math.exp(log_p(x)) * (log_p(x) - log_q(x))

    def reverse(x: float) -> float:
        return math.exp(log_q(x)) * (log_q(x) - log_p(x))

    reach = max(8, abs(mu) + 9 * sigma)
    options = {"limit": 400, "points": [-2, 2, mu]}
    assert explorer.forward(mu, sigma) == pytest.approx(
        quad(forward, -9, 9, **options)[0], abs=1e-6
    )
    assert explorer.reverse(mu, sigma) == pytest.approx(
        quad(reverse, -reach, reach, **options)[0], abs=1e-5
    )


def test_the_explorer_asks_the_students_functions(solved) -> None:
    functions = [solved[name] for name in ("kl", "fit_forward", "fit_reverse")]
    explorer = KLExplorer.of(*functions, mu=1.0, sigma=0.8)
    assert not explorer._notices
    assert [direction for direction, *_ in explorer._ends] == ["forward", *["reverse"] * 3]
    for direction in ("forward", "reverse"):
        theirs = float(explorer._their_kl[direction])
        assert theirs == pytest.approx(getattr(explorer, direction)(1.0, 0.8), abs=2e-3)
    explorer._request = {"fit": "reverse", "at": 1}
    assert (explorer.mu, explorer.sigma) == pytest.approx((2.0, 0.604), abs=0.01)
    assert len(explorer._ends) == 5
    assert "Your fit_forward ends at μ = 0.40 and σ = 2.05." in repr(explorer)


def test_an_unsolved_function_costs_one_sentence_and_not_the_picture(solved) -> None:
    def fit_reverse(p, grid, start):
        raise NotImplementedError("fit_reverse: write your code here")

    explorer = KLExplorer.of(solved["kl"], solved["fit_forward"], fit_reverse)
    assert explorer._notices == ["fit_reverse is not written yet: solve its exercise first."]
    assert explorer._their_kl and explorer._ends[0][0] == "forward"


@pytest.mark.parametrize(
    "answer, said",
    [
        ((1.0, 2.0, 3.0), "fit_forward should return a pair of numbers, (mu, sigma)."),
        ((float("nan"), 1.0), "fit_forward ends at mu = nan, sigma = 1."),
        (7, "fit_forward should return a pair of numbers, (mu, sigma)."),
    ],
)
def test_an_odd_answer_is_told_in_one_sentence(answer, said, solved) -> None:
    def fit_forward(p, grid):
        return answer

    explorer = KLExplorer.of(solved["kl"], fit_forward, solved["fit_reverse"])
    assert explorer._notices == [said]


def test_an_exception_is_told_with_the_line_of_the_students_code(solved) -> None:
    def kl(p, q):
        return p[10**9]

    line = kl.__code__.co_firstlineno + 1
    explorer = KLExplorer.of(kl, solved["fit_forward"], solved["fit_reverse"])
    (notice,) = explorer._notices
    assert notice.startswith(f"kl, line {line}: IndexError")


def test_the_text_form_says_what_the_picture_shows() -> None:
    said = repr(KLExplorer(whole=True))
    assert "KL(p‖q) is least, 0.557 nats, at μ = 0.40 and σ = 2.05." in said
    assert "KL(q‖p) is least, 0.510 nats, at μ = 2.00 and σ = 0.60." in said
    assert "other local optima: 0.915 at μ = -2.00, 1.144 at μ = 0.31" in said


@pytest.mark.parametrize(
    "bumps, said",
    [
        (((0.4, 0, 1), (0.4, 1, 1)), "sum to 1"),
        (((1.0, 0, 0.0),), "must be positive"),
        (((1.0, 0),), "bumps must hold"),
    ],
)
def test_bumps_that_make_no_density_are_told_in_one_sentence(bumps, said) -> None:
    with pytest.raises(ValueError, match=said):
        KLExplorer(bumps)


def test_the_pictures_words_have_the_pictures_numbers() -> None:
    optima = KLExplorer()._optima
    (mu, sigma, kl), (right, left) = optima["forward"][0], optima["reverse"][:2]
    assert f"mean {mu:.1f} and standard deviation {sigma:.2f}" in forward_reverse_kl.ALT
    for value in (kl, right[2], left[2]):
        assert f"{value:.3f} nats" in forward_reverse_kl.ALT


def test_every_guess_has_its_answer(demos: dict) -> None:
    told = predictions(LESSON, demos)
    assert len(told) >= 8 and all(place < len(choices) for choices, place in told.values())


def test_three_starts_on_two_bumps_have_three_ends(solved: dict) -> None:
    x = np.linspace(-9, 9, 361)
    p = sum(w * norm.pdf(x, mu, sigma) for w, mu, sigma in BUMPS)
    starts = [(-2.0, 0.6), (2.0, 0.6), (0.0, 2.0)]
    ends = [float(solved["fit_reverse"](p, x, start)[0]) for start in starts]
    assert [round(mu, 1) for mu in ends] == [-2.0, 2.0, 0.3]
