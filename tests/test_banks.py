"""The banks hold: no wrong answer gets full marks, no right one loses any, all are named."""

from __future__ import annotations

import pytest

from autograder.checking import checks_of
from tests.banks import bank
from tests.banks.bank import Right, Wrong, outcome_of_right, outcome_of_wrong


def answers(kind: str) -> list:
    """One test a lesson's answer, with a name that says which."""
    return [
        pytest.param(
            lesson,
            answer,
            id=f"{lesson}-{answer.exercise}-{i}-{getattr(answer, 'misconception', '') or 'answer'}",
        )
        for lesson in bank.lessons_with(kind)
        for i, answer in enumerate(bank.answers_of(lesson, kind))
    ]


@pytest.mark.parametrize(("lesson", "answer"), answers("wrong"))
def test_a_wrong_answer_fails_the_claim_that_it_breaks(lesson: str, answer: Wrong):
    assert outcome_of_wrong(lesson, answer).problems == ()


@pytest.mark.parametrize(("lesson", "answer"), answers("right"))
def test_a_right_answer_gets_full_marks_however_it_is_written(lesson: str, answer: Right):
    assert outcome_of_right(lesson, answer).problems == ()


@pytest.mark.parametrize("lesson", bank.lessons_with("wrong"))
def test_every_mistake_that_a_check_names_is_told_to_an_answer(lesson: str):
    outcomes = [outcome_of_wrong(lesson, one) for one in bank.answers_of(lesson, "wrong")]
    assert bank.never_told(outcomes) == []


@pytest.mark.parametrize("lesson", bank.lessons_with("wrong"))
def test_a_bank_is_large_enough_and_knows_each_exercise(lesson: str):
    wrong, right = (bank.answers_of(lesson, kind) for kind in ("wrong", "right"))
    assert len(wrong) >= 10
    assert len(right) >= 4
    judged = {answer.check or answer.exercise for answer in wrong}
    assert judged == set(checks_of(lesson)), "an exercise has no wrong answer"


@pytest.mark.parametrize("lesson", bank.lessons_with("wrong"))
def test_wrong_answers_of_one_lesson_differ(lesson: str):
    # One text may stand twice if it breaks two claims.
    texts = [
        (a.check, a.exercise, a.fails, bank.text_of(lesson, a))
        for a in bank.answers_of(lesson, "wrong")
    ]
    assert len(set(texts)) == len(texts)


def test_an_error_is_told_with_the_line_of_the_answer_that_stands_there():
    source = "\ndef entropy(p):\n    far = 10**6\n    return p[far]\n"
    [verdict] = bank.judge_answer("06_kl", Wrong("entropy", stops="", source=source), (0,))
    assert verdict.line == "return p[far]"


def test_an_edit_that_does_not_fit_is_told_in_one_sentence():
    gone = Wrong("build_masks", "…", edit=("no such text", "…"))
    with pytest.raises(ValueError, match="'no such text' stands there 0 times"):
        bank.text_of("05_made", gone)


def test_the_bank_notices_a_wrong_answer_that_is_right_and_the_reverse():
    fine = bank.lessons.exercise_source("05_made", "connectivity")
    accepted = outcome_of_wrong("05_made", Wrong("connectivity", "…", source=fine))
    assert accepted.accepted
    assert any("full marks" in problem for problem in accepted.problems)
    turned = ("return count", "return count.T")
    refused = outcome_of_right("05_made", Right("connectivity", "transposed", edit=turned))
    assert refused.refused
    assert refused.problems
    table = bank.table([accepted, refused])
    assert table.splitlines()[-1].split() == ["all", "1", "1", "100%", "1", "1"]
