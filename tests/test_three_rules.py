"""A card is true: its evidence contradicts what is asked, and nothing is said that is not judged.

Held over every wrong answer of the banks. The verdicts are those that `test_banks` judges: both
run in one process (`tests.turns`), and nothing is judged twice.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from autograder.claims import Cause, Claim, Verdict, waiting
from autograder.diagnosis.examine import joined
from tests.banks import bank
from tests.banks.bank import outcome_of_wrong
from tests.banks.rules import broken_by, satisfies


@pytest.mark.parametrize("lesson", bank.lessons_with("wrong"))
def test_every_card_of_a_wrong_answer_is_true(lesson: str):
    broken = [
        f"{answer.exercise} ({answer.misconception}), seed {verdict.seed}: {sentence}"
        for answer in bank.answers_of(lesson, "wrong")
        for verdict in outcome_of_wrong(lesson, answer).verdicts
        for sentence in broken_by(verdict)
    ]
    assert not broken, "\n".join(broken)


@pytest.mark.parametrize(
    "saw, asks",
    [
        ("6 columns", "6"),
        ("up to 0", "0"),
        ("0 of 64 examples", "0"),
        ("12 for n = 4", "at most 12 units"),
        ("1,024", "1024"),
        ("a sum of 1 over all texts", "rows that sum to 1"),
        ("an integral of 1 for ε = 0.2", "∫ p(x2) dx2 = 1 and p ≥ 0, or it is no density"),
        ("shapes (2, 2) and (2, 2)", "shape (2, 2)"),
        ("int64", "int64"),
    ],
)
def test_evidence_that_is_what_is_asked_is_found(saw: str, asks: str):
    assert satisfies(saw, asks)


@pytest.mark.parametrize(
    "saw, asks",
    [
        ("7 columns", "6"),
        ("0.481 for 9 places", "an average"),
        ("a sum of 0.9999 over all texts", "rows that sum to 1"),
        ("12 for n = 4", "less than 12"),
        ("1, 2, 3", "1"),
        ("shapes (2, 2) and (4,)", "shape (2, 2)"),
        ("", ""),
    ],
)
def test_evidence_that_contradicts_is_let_pass(saw: str, asks: str):
    assert not satisfies(saw, asks)


FAILS = Claim("it is 6", False, saw="7", asks="6", advice="count again", misconception="one-more")


@pytest.mark.parametrize(
    "claims, cause, broken",
    [
        ((FAILS,), None, 0),
        ((waiting("it is even", "“it is 6”"),), None, 0),
        ((replace(waiting("it is even", "“it is 6”"), saw="7"),), None, 1),
        ((replace(waiting("it is even", "“it is 6”"), holds=True),), None, 1),
        ((replace(FAILS, saw="6"),), None, 1),
        ((replace(FAILS, saw=""),), None, 1),
        ((replace(FAILS, advice=""),), None, 1),
        ((replace(FAILS, holds=True),), None, 1),
        ((FAILS,), Cause(("one-more",), "count again", "reproduced"), 0),
        ((FAILS,), Cause(("one-more",), "", "reproduced"), 1),
        ((FAILS,), Cause(("a", "b"), joined(["x", "y"]), "reproduced"), 0),
        ((FAILS,), Cause(("a", "b"), joined(["x", "x"]), "reproduced"), 1),
        ((FAILS,), Cause((), "", "unknown", (("your answer", "7"), ("by hand", "2·3 = 6"))), 0),
        ((FAILS,), Cause((), "", "unknown", (("your answer", "(6)"), ("by hand", "2·3 = 6"))), 1),
        ((FAILS, FAILS), Cause((), "", "unknown"), 1),
        ((replace(FAILS, holds=True, advice="", misconception=""),), Cause((), "", "unknown"), 1),
    ],
)
def test_a_card_that_breaks_a_rule_is_told(
    claims: tuple[Claim, ...], cause: Cause | None, broken: int
):
    verdict = Verdict("f", "00_made", 1, claims=claims, cause=cause)
    assert len(broken_by(verdict)) == broken
