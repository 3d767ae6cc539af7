"""A verdict that depends on the draw is found, and what decides no verdict is left out."""

from __future__ import annotations

import pytest

from autograder.claims import Cause, Claim, Verdict
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
