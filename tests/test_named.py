"""Every mistake that a check knows by name is made by an answer of the banks.

What a check knows is recorded while `test_banks` judges: both run in one process (`tests.turns`),
and nothing is judged twice.
"""

from __future__ import annotations

import pytest

from autograder.claims import Cause, Claim, Verdict, when
from autograder.diagnosis import Mistake, Subject, Symptom
from autograder.diagnosis.mistakes import explain
from tests.banks import bank
from tests.banks.bank import outcome_of_wrong
from tests.banks.named import UNPROVOKED, recorded, told_by


@pytest.mark.parametrize("lesson", bank.lessons_with("wrong"))
def test_every_mistake_that_a_check_knows_is_made_by_a_wrong_answer(lesson: str):
    outcomes = [outcome_of_wrong(lesson, answer) for answer in bank.answers_of(lesson, "wrong")]
    known = {one for outcome in outcomes for one in outcome.known}
    told = {one for outcome in outcomes for verdict in outcome.verdicts for one in told_by(verdict)}
    never = {f"{name}: {advice}".rstrip(": ") for name, advice in known - told}
    assert len(known) > 20
    assert never == set(UNPROVOKED.get(lesson, ())), "\n".join(sorted(never))


def test_mistakes_symptoms_and_advice_are_recorded_however_they_are_tried():
    sign = Mistake("sign", "in the sum: a sign is lost after 3.5 steps", after=lambda v: -v)
    twice = Mistake("twice", "it counts twice", after=lambda v: 2 * v)
    large = Symptom("large", "it is large", lambda seen: True)
    with recorded() as known:
        Subject(ask=abs, rule=abs, mistakes=[sign], symptoms=[large])
        explain(abs, [twice], [])
        when(False, "late", "it comes late")
        when(True, "", "no name")
    Subject(ask=abs, rule=abs, symptoms=[Symptom("later", "not recorded", lambda seen: True)])
    assert known == {
        ("sign", "a sign is lost after # steps"),
        ("large", "it is large"),
        ("twice", "it counts twice"),
        ("late", ""),
    }


def test_a_card_tells_both_mistakes_of_a_pair_and_those_of_its_claims():
    cause = Cause(("sign", "twice"), "Two things at once. a sign And: two times", "reproduced")
    late = Claim("it is early", False, saw="9", advice="begin", misconception="late")
    told = told_by(Verdict("f", "00_made", 1, claims=(late,), cause=cause))
    assert {("sign", "a sign"), ("twice", "two times"), ("late", "")} <= told
