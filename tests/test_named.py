"""What checks know by name is recorded while they judge; `make banks` prints what is never told."""

from __future__ import annotations

from autograder.claims import Cause, Claim, Verdict, when
from autograder.diagnosis import Mistake, Subject, Symptom
from autograder.diagnosis.examine import joined
from autograder.diagnosis.mistakes import Observation, alike, explain
from tests.banks.named import recorded, told_by


def test_mistakes_symptoms_and_advice_are_recorded_however_they_are_tried():
    sign = Mistake("sign", "in the sum: a sign is lost after 3.5 steps", after=lambda v: -v)
    twice = Mistake("twice", "it counts twice", after=lambda v: 2 * v)
    large = Symptom("large", "it is large", lambda seen: True)
    with recorded() as known:
        Subject(ask=abs, rule=abs, mistakes=[sign], symptoms=[large])
        explain(abs, [twice], [Observation((1,), 3, 1, alike)])
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
    cause = Cause(("sign", "twice"), joined(["a sign", "two times"]), "reproduced")
    late = Claim("it is early", False, saw="9", advice="begin", misconception="late")
    told = told_by(Verdict("f", "00_made", 1, claims=(late,), cause=cause))
    assert {("sign", "a sign"), ("twice", "two times"), ("late", "")} <= told
