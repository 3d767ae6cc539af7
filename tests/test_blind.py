"""The bank of blind answers holds: what never looks at what it is given earns nothing."""

from __future__ import annotations

import pytest

from autograder import lessons
from autograder.checking import checks_of
from tests.banks import blind
from tests.banks.blind.written import WRITTEN

EXERCISES = [
    pytest.param(lesson, name, id=f"{lesson}-{name}")
    for lesson in lessons.lesson_names()
    for name in checks_of(lesson)
]


@pytest.mark.parametrize(("lesson", "name"), EXERCISES)
def test_a_blind_answer_earns_nothing(lesson: str, name: str):
    answers = [a for a in blind.answers_of(lesson) if a.exercise == name]
    assert len(answers) >= len(blind.ways())
    assert [fault for answer in answers for fault in blind.faults_of(answer)] == []


def test_a_written_answer_is_of_an_exercise_and_no_two_are_the_same():
    assert all(answer.exercise in checks_of(answer.lesson) for answer in WRITTEN)
    texts = [(a.lesson, a.exercise, tuple(a.cells.items())) for a in WRITTEN]
    assert len(set(texts)) == len(texts)


def test_the_bank_notices_an_answer_that_looks():
    solution = lessons.exercise_source("05_made", "connectivity")
    found = blind.faults_of(
        blind.Blind("no", "05_made", "connectivity", {"connectivity": solution})
    )
    assert len(found) == len(blind.SEEDS)
    assert "earns 2 at seed 0" in found[0]
