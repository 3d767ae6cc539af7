"""The class page: marks are the gradebook's, counts are right, odd and hostile data stay data."""

from __future__ import annotations

import json
import re
import sqlite3
from html.parser import HTMLParser
from pathlib import Path

import pytest
from typer.testing import CliRunner

from autograder.cli import app
from autograder.grading.course import Course
from autograder.report import write_report
from autograder.report.class_report import (
    GRADED,
    NOT_GRADED,
    NOT_READ,
    NOTHING,
    ODD,
    TO_READ,
    ClassReport,
    class_report,
    compare,
)
from autograder.report.page import as_script, policy
from tests.made_class import LESSON, NASTY, WRONG, Student, hostile, made_class


def reported(place: Path, *students: Student, names: bool = False) -> ClassReport:
    return class_report(made_class(place / "class", students), LESSON, names=names)


def by_key(report: ClassReport) -> dict:
    return {one.key: one for one in report.students}


def count_of(report: ClassReport, exercise: str):
    return next(one for one in report.by_exercise if one.exercise.name == exercise)


# --- marks ----------------------------------------------------------------------------------------


def test_marks_are_the_gradebooks_by_hand_and_late_ones_too(tmp_path) -> None:
    report = reported(
        tmp_path,
        Student("ada"),
        Student("ben", WRONG, mistake="adds", manual=3.5),
        Student("cora", hours_late=30, penalty=2.0),
    )
    ada, ben, cora = report.students
    assert (ada.score, ben.score, cora.score) == (7.0, 4.5, 5.0)  # with 1 for the answer
    assert ben.exercises["check-double"].by_hand
    assert (cora.penalty, cora.seconds_late, report.late) == (2.0, 30 * 3600, [cora])
    assert report.scores == [4.5, 5.0, 7.0]
    assert report.quartiles == (4.75, 5.0, 6.0)


def test_whoever_has_no_mark_is_not_in_the_distribution(tmp_path) -> None:
    report = reported(
        tmp_path,
        Student("ada", answer_score=None),
        Student("ben", answer_score=2.0),
        Student("cora", unreadable="the file is not JSON"),
        Student("dev", marked=False),
        Student("eli", marked=False, handed_in=False),
    )
    states = {one.key: one.state for one in report.students}
    assert states == {
        "ada": TO_READ, "ben": GRADED, "cora": NOT_READ, "dev": NOT_GRADED, "eli": NOTHING,
    }  # fmt: skip
    assert by_key(report)["cora"].why == "the file is not JSON"
    bars = report.distribution
    assert (sum(bar.final for bar in bars), sum(bar.waiting for bar in bars)) == (1, 1)
    assert (bars[0].low, bars[-1].high, bars[-1].final) == (0.0, 8.0, 1)


@pytest.mark.parametrize(
    ("sql", "words"),
    [
        ("UPDATE grade SET auto_score = 9e999", "no number"),
        ("UPDATE grade SET auto_score = 'full'", "no number"),
        ("UPDATE submitted_notebook SET late_submission_penalty = 'x'", "no number"),
        ("UPDATE submitted_assignment SET timestamp = 'yesterday'", "no time"),
    ],
)
def test_an_odd_row_costs_its_own_student_the_line(tmp_path, sql: str, words: str) -> None:
    course = made_class(tmp_path / "class", [Student("ada"), Student("ben")])
    column = {"grade": "notebook_id", "submitted_notebook": "id", "submitted_assignment": "id"}
    table = sql.split()[1]
    mine = "SELECT id FROM submitted_assignment WHERE student_id = 'ada'"
    if table != "submitted_assignment":
        mine = f"SELECT id FROM submitted_notebook WHERE assignment_id IN ({mine})"
    with sqlite3.connect(course.db_url.removeprefix("sqlite:///")) as db:
        assert db.execute(f"{sql} WHERE {column[table]} IN ({mine})").rowcount
    ada, ben = class_report(course, LESSON).students
    assert ada.state == ODD
    assert words in ada.why
    assert (ben.state, ben.score) == (GRADED, 7.0)


@pytest.mark.parametrize(
    "record",
    [
        b"", b"{", b"[]", b"\xff\xfe", b"[" * 100_000, b'{"outcomes": 3, "notebook": []}',
        b'{"outcomes": [{"grade_id": []}, 5], "notebook": {"cells": [7]}, "seconds": "x"}',
        b'{"history": [{"score": "x"}, 1], "problems": [[]], "unreadable": {}}',
    ],
)  # fmt: skip
def test_an_odd_record_leaves_the_mark_and_everybody_else(tmp_path, record: bytes) -> None:
    report = reported(tmp_path, Student("ada", record=record), Student("ben"))
    ada, ben = report.students
    assert ada.state in (GRADED, ODD)
    assert ben.score == 7.0
    assert [e.name for e in report.exercises] == ["double", "triple", "why"]


# --- what went wrong ------------------------------------------------------------------------------


def test_claims_are_counted_among_those_who_could_be_judged(tmp_path) -> None:
    report = reported(
        tmp_path,
        Student("ada"),
        Student("ben", WRONG, mistake="adds"),
        Student("cora", begun=False),
        Student("dev", reason="its cell stopped with NameError: y"),
        Student("eli", unreadable="no JSON"),
    )
    double = count_of(report, "double")
    assert [(c.text, c.failed, c.judged) for c in double.claims] == [
        ("double(0) is 0", ("ben",), 2),
        ("double(n) is 2n", ("ben",), 2),
    ]
    assert (double.full, double.part, double.nothing) == (1, 1, 1)
    assert (double.not_begun, double.stopped) == (("cora",), ("dev",))
    assert double.mean == (4 + 1 + 0 + 0) / 4


def test_mistakes_go_by_students_and_show_where_the_shortest_answer_differs(tmp_path) -> None:
    long = WRONG.replace("# twice", "# twice, as it was asked in the lesson")
    report = reported(
        tmp_path,
        Student("ada", answer_score=2.0),
        Student("ben", long, mistake="adds"),
        Student("cora", WRONG, mistake="adds"),
        Student("dev", "def double(x):\n    return -x", mistake="negates"),
    )
    adds, negates = report.mistakes
    assert (adds.name, adds.students, negates.students) == ("adds", ("ben", "cora"), ("dev",))
    assert adds.example.student == "cora"
    assert [line for line in adds.example.lines if line and line[1]] == [("    return x + 2", True)]
    assert not negates.example.compared  # too far from any right answer
    assert [(p.mistake, len(p.students)) for p in report.talking_points] == [
        ("adds", 2), ("negates", 1),
    ]  # fmt: skip


def test_long_stretches_that_do_not_differ_are_left_out() -> None:
    right = "\n".join(f"line {k}" for k in range(40))
    lines = compare(right.replace("line 20", "line twenty"), [right])
    assert [line and line[0] for line in lines] == [
        "line 0", None, "line 18", "line 19", "line twenty", "line 21", "line 22", None,
    ]  # fmt: skip


def test_progress_takes_the_last_grading_of_each_submission(tmp_path) -> None:
    history = [
        {"graded_at": "2026-11-20T10:00:00+00:00", "digest": "a", "score": 2.0, "max_score": 8.0},
        {"graded_at": "2026-11-20T11:00:00+00:00", "digest": "a", "score": 3.0, "max_score": 8.0},
        {"graded_at": "2026-11-21T11:00:00+00:00", "digest": "b", "score": 7.0, "max_score": 8.0},
    ]
    report = reported(tmp_path, Student("ada", history=history), Student("ben"))
    (ada,) = report.resubmitted
    assert [attempt.score for attempt in ada.attempts] == [3.0, 7.0]
    assert (report.gained, report.median_gain) == (1, 4.0)


def test_a_file_that_changed_after_grading_is_said(tmp_path) -> None:
    course = made_class(tmp_path / "class", [Student("ada"), Student("ben")])
    course.submission_of("ben", LESSON).write_text("{} ")
    assert [one.changed_since for one in class_report(course, LESSON).students] == [False, True]


# --- the page -------------------------------------------------------------------------------------


class Elements(HTMLParser):
    """All elements of a page with their attributes, and the text of its scripts and styles."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[tuple[str, dict]] = []
        self.raw: list[tuple[str, str]] = []
        self.inside = ""
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))
        self.inside = tag

    def handle_endtag(self, tag):
        self.inside = ""

    def handle_data(self, data):
        if self.inside in ("script", "style"):
            self.raw.append((self.inside, data))


def page_of(course: Course, **options) -> str:
    return write_report(course, LESSON, **options).read_text(encoding="utf-8")


def test_the_policy_names_the_very_style_and_script_and_nothing_else(tmp_path) -> None:
    elements = Elements(page_of(made_class(tmp_path / "class", [Student("ada")])))
    (_, style), (_, data), (_, script) = elements.raw
    metas = [attrs for tag, attrs in elements.found if tag == "meta"]
    (given,) = [m["content"] for m in metas if m.get("http-equiv") == "Content-Security-Policy"]
    assert given == policy(style, script)
    assert json.loads(data)["students"][0]["key"] == "ada"
    assert not any(name in attrs for _, attrs in elements.found for name in ("src", "style"))
    assert not re.search(r"https?:|//[a-z]", script + style)


def test_hostile_text_makes_no_element_and_no_attribute(tmp_path) -> None:
    honest = Elements(page_of(made_class(tmp_path / "a" / "class", [Student("ada")])))
    page = page_of(made_class(tmp_path / "b" / "class", hostile()), names=True)
    elements = Elements(page)
    tags = {tag for tag, _ in honest.found} | {"figure", "ul", "pre", "bdi", "details", "strong"}
    assert {tag for tag, _ in elements.found} <= tags | {"code", "figcaption", "ol", "li", "a"}
    assert sum(tag == "script" for tag, _ in elements.found) == 2
    assert not any(name.startswith("on") for _, attrs in elements.found for name in attrs)
    assert not set(page) & set("\x00\x1b\u202e\u2066")
    assert len(page) < 300_000  # of texts of 100,000 characters
    (data,) = [json.loads(text) for _, text in elements.raw if text.startswith("{")]
    assert len(data["students"]) == len(hostile())


def test_json_in_a_script_cannot_end_it() -> None:
    text = as_script({NASTY.replace("\ud83d", ""): "</SCRIPT><!--"})
    assert "<" not in text
    assert json.loads(text) == {NASTY.replace("\ud83d", ""): "</SCRIPT><!--"}


def test_examples_are_anonymous_unless_asked(tmp_path) -> None:
    course = made_class(
        tmp_path / "class",
        [Student("ada", WRONG, mistake="adds", first_name="Ada", last_name="Lovelace")],
    )
    page = page_of(course)
    mistakes = page[page.index('id="mistakes"') : page.index('id="todo"')]
    assert "ada" not in mistakes
    assert "Lovelace" not in page
    page = page_of(course, names=True)
    assert "Lovelace" in page
    assert "ada" in page[page.index('id="mistakes"') : page.index('id="todo"')]


def test_the_page_of_a_class_of_a_thousand_is_bounded(tmp_path) -> None:
    body = "\n".join(f"    # line {k}: " + "x" * 60 for k in range(400))

    def students():
        for k in range(1_000):
            text = f"def double(x):  # {k}\n{body}\n    return x + 2"
            yield Student(f"student-{k}", text, mistake="adds" * (k % 2), saw=f"{k} " * 500)

    course = made_class(tmp_path / "class", students())
    page = page_of(course)
    assert len(page) < 16_000_000
    assert page.count("data-student=") < 500  # the rest is drawn from data


def test_the_command_says_where_the_page_is_or_why_there_is_none(tmp_path) -> None:
    made_class(tmp_path / "class", [Student("ada")])
    run = CliRunner().invoke
    done = run(app, ["report", "05", "--class-dir", str(tmp_path / "class")])
    assert (done.exit_code, done.stdout.splitlines()[-1]) == (
        0, f"report: {tmp_path / 'class' / 'reports' / LESSON}.html",
    )  # fmt: skip
    for where, lesson, words in (("none", "05", "no gradebook"), ("class", "03", "does not know")):
        refused = run(app, ["report", lesson, "--class-dir", str(tmp_path / where)])
        assert refused.exit_code == 2
        assert words in refused.stderr
    assert not (tmp_path / "none").exists()
