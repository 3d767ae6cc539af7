"""The table of a class says what the gradebook says."""

from __future__ import annotations

import io
import json
from dataclasses import replace

import pytest
from nbgrader.api import Gradebook
from rich.console import Console

from autograder.grading.classroom import Settings, grade_class
from autograder.grading.course import template_of
from autograder.grading.summary import print_result
from tests.test_grading import (
    MADE,
    PLAIN,
    Here,
    _untouched,
    begun,
    course,
    gradebook_scores,
    hand_in,
)

__all__ = ["begun", "course"]  # fixtures


def answered(job):
    """Everything right but one check, and the question waits for a person."""
    done = _untouched(job)
    done.outcomes = [
        replace(o, score=None, status="to be read", headline="")
        if o.grade_id == "why_order"
        else replace(o, score=o.points, status="passed", headline="")
        for o in done.outcomes
    ]
    wrong = {"score": 0.0, "status": "failed", "headline": "degrees start at 0"}
    done.outcomes[0] = replace(done.outcomes[0], **wrong)
    return done


def run(course, answer=answered, **settings):
    settings = Settings(**{**PLAIN.__dict__, **settings})
    return grade_class(course, MADE, settings, executor=Here(answer))


def by_hand(course, student, **scores):
    """Marks as a person enters them in formgrader."""
    with Gradebook(course.db_url, course.course_id) as gradebook:
        for name, score in scores.items():
            grade = gradebook.find_grade(name, "lesson", MADE, student)
            grade.manual_score, grade.needs_manual_grade = score, False
        gradebook.db.commit()


def printed(result):
    console = Console(file=io.StringIO(), width=200)
    print_result(result, console)
    return console.file.getvalue()


def test_answers_to_read_are_said_and_are_not_graded_yet(course):
    hand_in(course, "ada")
    result = run(course)
    (line,) = result.lines
    assert (line.to_read, line.done) == (1, False)
    assert "1 to read" in printed(result)
    assert "0 graded in" in printed(result)
    assert "1 with answers to read" in printed(result)


@pytest.mark.parametrize("again", [{}, {"force": True}])
def test_a_later_line_has_the_marks_that_a_person_gave(course, again):
    hand_in(course, "ada")
    before = run(course).lines[0]
    by_hand(course, "ada", why_order=1.5)
    result = run(course, **again)
    (line,) = result.lines
    assert line.score == before.score + 1.5 == gradebook_scores(course)["ada"]
    assert f"{line.score:g} / {line.max_score:g}" in printed(result)
    # nbgrader asks to look again at a mark by hand of a notebook that was graded afresh.
    assert line.to_read == (1 if again else 0)
    assert line.state == ("graded" if again else "kept")


def test_a_claim_that_a_person_let_pass_is_not_the_first_failed_one(course):
    path = hand_in(course, "ada")
    assert "degrees start at 0" in run(course).lines[0].first
    name = next(
        c["metadata"]["nbgrader"]["grade_id"]
        for c in json.loads(path.read_text())["cells"]
        if c["metadata"].get("nbgrader", {}).get("grade")
    )
    by_hand(course, "ada", **{name: 100.0})
    assert run(course).lines[0].first == ""


def test_late_is_said_with_its_penalty(course):
    course.config.LateSubmissionPlugin.penalty_method = "zero"
    hand_in(course, "ada").with_name("timestamp.txt").write_text("2026-01-12 00:00:00 UTC")
    hand_in(course, "bob").with_name("timestamp.txt").write_text("2026-01-09 00:00:00 UTC")
    run(course, force=True)
    with Gradebook(course.db_url, course.course_id) as gradebook:
        gradebook.update_or_create_assignment(MADE, duedate="2026-01-10")
    for settings in ({"force": True, "trust_timestamps": True}, {"trust_timestamps": True}):
        result = run(course, **settings)
        ada, bob = result.lines
        assert (ada.score, ada.penalty, ada.seconds_late) == (0, bob.score, 2 * 86_400)
        assert (bob.seconds_late, bob.penalty) == (0, 0)
        assert f"late 2 days: −{bob.score:g}" in printed(result)


def test_where_record_and_gradebook_disagree_the_gradebook_wins(course):
    hand_in(course, "ada")
    run(course)
    path = course.record_of("ada", MADE)
    path.write_text(json.dumps(json.loads(path.read_text()) | {"score": 99, "max_score": 100}))
    (line,) = run(course).lines
    assert line.state == "kept"
    assert line.score == gradebook_scores(course)["ada"] < 99


def test_marks_that_the_gradebook_lost_are_graded_again(course):
    hand_in(course, "ada")
    run(course)
    with Gradebook(course.db_url, course.course_id) as gradebook:
        gradebook.remove_submission(MADE, "ada")
    assert run(course).lines[0].state == "graded"
    assert list(gradebook_scores(course)) == ["ada"]


def test_the_table_shows_hostile_names_as_plain_text(course):
    hand_in(course, "[red]eve\x1b[2J")
    template_of(course, MADE)
    assert "\x1b" not in printed(run(course))
