"""The demonstration's class gets the marks that its answers are worth, and its pages are there."""

from __future__ import annotations

import io
import re

import pytest
from nbgrader.api import Gradebook
from rich.console import Console

from autograder.grading.summary import print_result
from tests import demo_class


@pytest.fixture(scope="module")
def result(tmp_path_factory):
    return demo_class.run(tmp_path_factory.mktemp("demo") / "class", Console(file=io.StringIO()))


@pytest.fixture(scope="module")
def lines(result):
    return {line.student: line for line in result.lines}


def test_every_submission_has_its_line(lines):
    assert list(lines) == [
        "ada", "ben", "cora", "dev", "eli", "fen", "gita", "hugo", "iris", "jonas",
    ]  # fmt: skip
    assert {s for s, line in lines.items() if line.state == "not graded"} == {"hugo"}


def test_right_answers_earn_all_that_a_check_can_give(lines):
    for student in ("ada", "ben"):
        line = lines[student]
        written = 2
        assert line.score == line.max_score - written
        assert (line.first, line.to_read) == ("", 1)


@pytest.mark.parametrize(
    ("student", "exercise", "words"),
    [
        ("cora", "build_masks", "≥"),
        ("dev", "assign_degrees", "degree 0"),
        ("eli", "MADE.sample", "order"),
    ],
)
def test_a_misconception_is_named_and_costs_part_of_the_marks(lines, student, exercise, words):
    line = lines[student]
    assert line.first.startswith(f"{exercise}: ")
    assert words in line.first
    assert 0 < line.score < lines["ada"].score


def test_what_is_not_attempted_is_said_and_earns_nothing(lines):
    assert lines["gita"].score == 0
    assert lines["gita"].first == "assign_degrees: not attempted"
    assert 0 < lines["fen"].score < lines["ada"].score


def test_an_endless_loop_costs_its_own_exercise_only(lines):
    assert "longer than 10 s" in lines["iris"].first
    assert lines["iris"].score == lines["ada"].score - 2


def test_stealing_earns_nothing(lines):
    assert lines["jonas"].score == 0


def test_what_is_no_json_is_a_line_with_the_reason(lines):
    assert "not JSON" in lines["hugo"].first
    assert lines["hugo"].state == "not graded"


def test_the_gradebook_says_what_the_table_says(result, lines):
    with Gradebook(result.course.db_url, result.course.course_id) as gradebook:
        marks = {s.student.id: s.score for s in gradebook.assignment_submissions(demo_class.LESSON)}
    assert marks == {student: line.score for student, line in lines.items() if student != "hugo"}


def test_every_graded_student_has_a_feedback_page_in_which_nothing_of_theirs_runs(result, lines):
    assert result.notes == []
    untouched = result.course.feedback_of("gita", demo_class.LESSON).read_text()
    scripts = re.findall("<script.*?>", untouched)  # MathJax, by nbgrader
    assert not result.course.feedback_of("hugo", demo_class.LESSON).exists()
    for student in set(lines) - {"hugo"}:
        page = result.course.feedback_of(student, demo_class.LESSON).read_text()
        assert "alert(1)" not in page
        assert f"Score: {lines[student].score:g}" in page.replace(".0 /", " /")
        assert re.findall("<script.*?>", page) == scripts
        assert not re.search(r"href=.javascript|\son\w+=", page)


def test_the_table_is_printed_with_where_everything_lies(result):
    out = io.StringIO()
    print_result(result, Console(file=out, width=200))
    text = out.getvalue()
    for word in (
        "ada",
        "not graded: the file is not JSON",
        "gradebook.db",
        "feedback",
        "graded in",
    ):
        assert word in text
