"""A verdict that depends on the draw is found, and what decides no verdict is left out."""

from __future__ import annotations

import numpy as np
import pytest

from autograder.checks import continuous
from autograder.claims import Cause, Claim, Verdict
from autograder.draw import Draw
from tests.banks import draws
from tests.banks.bank import Right, Wrong, judge_answer

CLOSED = Wrong("connectivity", misconception="transposed", edit=("return count", "return count.T"))
LOOP = Right("connectivity", "in a loop")


def verdict(seed: int, holds: bool, name: str = "") -> Verdict:
    cause = None if holds else Cause((name,) if name else (), "look again", "reproduced")
    return Verdict("f", "05_made", 1, (Claim("it is 6", holds),), seed=seed, cause=cause)


@pytest.mark.parametrize(
    "answer, names, said",
    [
        (CLOSED, True, "05_made connectivity (transposed): 0 a at 4 seeds; 0 b at 4; 1 at 7"),
        (CLOSED, False, "05_made connectivity (transposed): 0 at 5 seeds; 1 at 7"),
        (LOOP, True, "05_made connectivity (in a loop): 0 at 5 seeds; 1 at 7"),
    ],
)
def test_what_differs_is_told_with_its_seeds(
    monkeypatch: pytest.MonkeyPatch, answer: Wrong | Right, names: bool, said: str
):
    def judged(lesson: str, answer: Wrong | Right, seeds: tuple[int, ...]) -> list[Verdict]:
        return [verdict(seed, seed == 7, "b" if seed == 4 else "a") for seed in seeds]

    monkeypatch.setattr(draws, "judge_answer", judged)
    found = draws.outcomes_of("05_made", answer, (1, 2, 3, 4, 5, 7), names)
    assert draws.told("05_made", answer, found) == said


@pytest.mark.parametrize("names", [True, False])
def test_leaving_out_slips_and_small_cases_changes_no_points_and_no_names(names: bool):
    (whole,) = judge_answer("05_made", CLOSED, (3,))
    found = draws.outcomes_of("05_made", CLOSED, (3,), names)
    assert found == {(whole.earned, tuple(whole.misconceptions) if names else ()): [3]}
    assert whole.cause is None or whole.cause.example, "outside, cards are whole"


SEEDS = range(200)


def test_no_density_of_an_ordinary_mixture_is_so_small_that_1e_12_shows():
    least = min(
        np.exp(-continuous.rule_of_mixture(*case)).min()
        for seed in SEEDS
        for case in continuous.mixture_cases(Draw(seed, "mixture_nll"))
    )
    assert 1e-12 / least < 1e-6, "answers are compared to 2e-5"


@pytest.mark.parametrize("wrong", [{"weights": "equal"}, {"join": "likeliest"}, {"join": "mean"}])
def test_weights_tell_in_the_price_of_a_far_point(wrong: dict[str, str]):
    for seed in SEEDS:
        for case in continuous.far_mixtures(Draw(seed, "mixture_nll")):
            right, given = (continuous.rule_of_mixture(*case, **by) for by in ({}, wrong))
            assert abs(given - right)[-1] > 5 * (2e-5 + 2e-5 * right[-1])


def test_centers_lie_at_one_level_though_they_be_almost_between_two():
    mu = np.array([2.5 - 1e-6, 2.5 + 1e-6, 5.0])
    shares = continuous._at_centers(np.zeros(3), mu, np.ones(3), 8)
    assert shares.tolist() == pytest.approx([0, 0, 0, 1 / 3, 1 / 3, 0, 1 / 3, 0, 0, 0], abs=0)


def test_averages_of_draws_have_their_law_and_no_level_of_it_is_impossible():
    rng = np.random.default_rng(0)
    [(logits, mu, scale, levels), _] = continuous.sampled_mixtures(Draw(0, "sample"))
    weights = np.exp(logits) / np.exp(logits).sum()
    drawn = (mu + scale * rng.logistic(size=(200_000, 3))) @ weights
    seen = np.bincount(drawn.round().clip(0, levels - 1).astype(int), minlength=levels) / len(drawn)
    law = continuous._averaged_draws(logits, mu, scale, levels)
    assert np.abs(law[1:-1] - seen).sum() < 0.02
    assert law[0] == law[-1] == 0 and (law[1:-1] > 0).all() and law.sum() == pytest.approx(1)
