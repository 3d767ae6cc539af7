"""nbgrader's own commands, with the shipped configuration, give the marks of `autograder grade`."""

from __future__ import annotations

import json
import logging
import os

import nbformat
import pytest
from nbgrader.api import Gradebook
from nbgrader.converters import Autograde
from nbgrader.converters.base import NbGraderException
from nbgrader.utils import determine_grade

from autograder import lessons
from autograder.grading.classroom import Settings, grade_class
from autograder.grading.course import open_course, source_notebook, template_of
from autograder.grading.gradebook import Marks
from autograder.grading.rebuild import nbgrader_of
from autograder.sandbox.limits import Limits
from tests.demo_class import LESSON, filled, stealing

LIMITS = {"seconds_per_cell": 20.0, "seconds_per_submission": 120.0}


def hand_in_all(course):
    """A few submissions of each kind that a mark may depend on."""
    template = template_of(course, LESSON).notebook
    names = list(lessons.load_lesson(LESSON).exercises)
    solved = {name: lessons.exercise_source(LESSON, name) for name in names}
    half = {name: solved[name] for name in names[:3]}
    dies = solved | {names[3]: "import os\nos._exit(1)"}
    for student, raw in {
        "ada": filled(template, solved, "an answer"),
        "ben": filled(template, half),
        "cyd": b"{not json",
        "dan": stealing(template),
        "eve": filled(template, dies),
        "fay": b'{"nbformat": 3}',
    }.items():
        path = course.submission_of(student, LESSON)
        path.parent.mkdir(parents=True)
        path.write_bytes(raw if isinstance(raw, bytes) else json.dumps(raw).encode())
    link = course.submission_of("gus", LESSON)
    link.parent.mkdir(parents=True)
    link.symlink_to(course.submission_of("ada", LESSON))
    beside = course.submission_of("ada", LESSON).with_name("x.txt")
    beside.symlink_to(course.root / "pyproject.toml")
    course.submission_of("ben", LESSON).with_name("timestamp.txt").write_text("2001-01-01")
    course.submission_of("ada", LESSON).with_name("timestamp.txt").write_text("yesterday")
    course.submission_of("dan", LESSON).with_name("timestamp.txt").write_bytes(b"\xff\xfe")
    os.mkfifo(course.submission_of("eve", LESSON).with_name("timestamp.txt"))
    other = (course.root / "course" / "03_fvsbn" / "lesson.ipynb").read_bytes()
    for student, name, raw in (
        ("hal", "", b""),
        ("ida", "lesson.py", b"print(1)"),
        ("template", "lesson_final (2).ipynb", json.dumps(filled(template, solved)).encode()),
        ("kim", "lesson.ipynb", other),
    ):
        folder = course.submission_of(student, LESSON).parent
        folder.mkdir(parents=True)
        if name:
            (folder / name).write_bytes(raw)


NOT_GRADED = {"cyd", "fay", "gus", "hal", "ida", "kim"}


class Said(logging.Handler):
    """Keeps what nbgrader logs."""

    def __init__(self):
        super().__init__()
        self.lines = []

    def emit(self, record):
        self.lines.append(record.getMessage())


def autograde(course, **options):
    """Runs nbgrader's converter as `nbgrader autograde` does; what it logged, and its failure."""
    config = course.nbgraders_config(LESSON)
    config.JudgedExecute.limits = LIMITS
    config.CarefulExporter.update(options)
    log, said = logging.Logger("kept", level=logging.WARNING), Said()
    log.addHandler(said)
    step = Autograde(coursedir=course.directory(LESSON), config=config, log=log)
    try:
        step.start()
    except NbGraderException as failure:
        return said.lines, str(failure)
    return said.lines, ""


def marks_of(course):
    """Per student: score, each cell's score and whether it is to be read, and the comments."""
    with Gradebook(course.db_url, course.course_id) as gradebook:
        found = {}
        for submission in gradebook.assignment_submissions(LESSON):
            (marked,) = submission.notebooks
            found[submission.student.id] = (
                submission.score,
                {g.name: (g.auto_score, g.needs_manual_grade) for g in marked.grades},
                {c.name: c.comment for c in marked.comments},
                submission.timestamp,
            )
        return found


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    """The same submissions graded by us and by nbgrader: two courses with their own gradebooks."""
    ours = open_course(class_dir=tmp_path_factory.mktemp("ours"))
    theirs = open_course(class_dir=tmp_path_factory.mktemp("theirs"))
    for course in (ours, theirs):
        hand_in_all(course)
    result = grade_class(
        ours, LESSON, Settings(workers=1, feedback=False, limits=Limits.from_mapping(LIMITS))
    )
    ours_said = {line.student: line.first for line in result.lines if line.state == "not graded"}
    template = template_of(theirs, LESSON).notebook
    with Marks(theirs, LESSON) as marks:
        marks.ensure_assignment(template, lambda: source_notebook(theirs, LESSON))
    theirs_said, failure = autograde(theirs)
    return ours, theirs, (ours_said, theirs_said, failure)


def test_scores_comments_and_what_is_to_be_read_are_the_same(both):
    ours, theirs = (marks_of(course) for course in both[:2])
    assert ours == theirs
    assert [ours[s][0] for s in ("ada", "ben", "dan", "template")] == [23, 8, 0, 23]
    assert 0 < ours["eve"][0] < 23


def test_what_cannot_be_judged_has_no_marks_and_both_say_why_in_the_same_words(both):
    ours, theirs, (ours_said, theirs_said, failure) = both
    assert set(ours_said) == NOT_GRADED
    assert not NOT_GRADED & {*marks_of(ours), *marks_of(theirs)}
    told = [line for line in theirs_said if ": not graded: " in line]
    assert told == [f"{student}: not graded: {ours_said[student]}" for student in sorted(ours_said)]
    assert failure == "not graded: 6 of 11 submissions"
    assert ours_said["hal"] == "nothing was handed in: the folder is empty"
    assert ours_said["kim"] == "this is lesson 03_fvsbn"


def test_both_write_zeros_if_told_to(both):
    ours, theirs, _ = both
    before = marks_of(ours)
    settings = Settings(
        workers=1, feedback=False, limits=Limits.from_mapping(LIMITS), unreadable="zero"
    )
    assert not grade_class(ours, LESSON, settings).failed
    assert autograde(theirs, unreadable="zero")[1] == ""
    assert marks_of(ours) == marks_of(theirs)
    assert {s: marks[0] for s, marks in marks_of(ours).items() if s not in before} == dict.fromkeys(
        NOT_GRADED, 0
    )


def test_a_forged_timestamp_is_not_in_the_gradebook(both):
    for course in both[:2]:
        assert marks_of(course)["ben"][3] is None


@pytest.mark.parametrize("student", ["ada", "dan", "eve"])
def test_a_timestamp_that_is_none_costs_no_marks(both, student):
    """ "yesterday", bytes that are no text, and a pipe that nobody writes to."""
    for course in both[:2]:
        assert course.autograded_of(student, LESSON).is_file()
        assert marks_of(course)[student][3] is None


def test_a_student_called_template_shares_no_file_with_the_lesson(both):
    """Neither way: the lesson's own cache is built as before, and the marks are the student's."""
    for course in both[:2]:
        assert marks_of(course)["template"][0] == 23
        assert course.submission_of("template", LESSON).parent.is_dir()
        kept = json.loads((course.own(LESSON) / "template.json").read_text(encoding="utf-8"))
        assert json.loads(kept["text"]) == template_of(course, LESSON, keep=False).notebook
        theirs = (course.submitted, course.autograded, course.feedback, course.records)
        assert not any(course.own(LESSON).is_relative_to(place) for place in theirs)
    record = both[0].record_of("template", LESSON)
    assert json.loads(record.read_text(encoding="utf-8"))["student"] == "template"


def test_no_other_file_of_a_submission_is_copied(both):
    for course in both[:2]:
        files = {p.name for p in course.autograded.rglob("*") if not p.is_dir()}
        assert files == {"lesson.ipynb", "timestamp.txt"}
        kept = course.autograded_of("ben", LESSON).with_name("timestamp.txt")
        assert kept.read_text() == "2001-01-01"  # tells a newer submission; no mark depends on it


def test_the_outputs_say_what_the_gradebook_says(both):
    """nbgrader reads scores from outputs; ours are written from the outcomes. They agree."""
    for course in both[:2]:
        for student, (_, grades, _, _) in marks_of(course).items():
            notebook = nbformat.read(course.autograded_of(student, LESSON), as_version=4)
            nbformat.validate(notebook)
            for cell in notebook.cells:
                if nbgrader_of(cell).get("grade") and student not in NOT_GRADED:
                    score, _ = determine_grade(cell)
                    assert score == grades[nbgrader_of(cell)["grade_id"]][0]


def test_late_penalties_are_nbgraders(tmp_path):
    course = open_course(class_dir=tmp_path)
    course.config.LateSubmissionPlugin.penalty_method = "zero"
    template = template_of(course, LESSON).notebook
    graded = {c["metadata"]["nbgrader"]["grade_id"] for c in template["cells"] if _graded(c)}
    with Marks(course, LESSON) as marks:
        marks.ensure_assignment(template, lambda: source_notebook(course, LESSON))
        marks.gradebook.update_or_create_assignment(LESSON, duedate="2026-01-10")
        scores = dict.fromkeys(graded, 1.0)
        parse = marks.utils.parse_utc
        assert marks.write("ada", template, scores, timestamp=parse("2026-01-09")) == len(graded)
        assert marks.write("ben", template, scores, timestamp=parse("2026-01-11")) == 0
        assert marks.write("cyd", template, scores) == len(graded)


def _graded(cell):
    return cell["metadata"].get("nbgrader", {}).get("grade")


def test_a_gradebook_of_an_earlier_lesson_is_told_in_one_sentence(tmp_path):
    from autograder.grading.course import CourseError

    course = open_course(class_dir=tmp_path)
    template = template_of(course, LESSON).notebook
    with Marks(course, LESSON) as marks:
        marks.ensure_assignment(template, lambda: source_notebook(course, LESSON))
        marks.write("ada", template, {})
        fewer = source_notebook(course, LESSON)
        fewer.cells = [c for c in fewer.cells if nbgrader_of(c).get("grade_id") != "why_order"]
        cells = [c for c in template["cells"] if nbgrader_of(c).get("grade_id") != "why_order"]
        with pytest.raises(CourseError, match=r"an earlier 05_made \(why_order is gone, with 1"):
            marks.ensure_assignment({**template, "cells": cells}, lambda: fewer)


def test_a_write_that_fails_half_way_leaves_the_gradebook_as_it_was(tmp_path, monkeypatch):
    course = open_course(class_dir=tmp_path)
    template = template_of(course, LESSON).notebook
    with Marks(course, LESSON) as marks:
        marks.ensure_assignment(template, lambda: source_notebook(course, LESSON))
        monkeypatch.setattr(marks, "_comment", lambda cell: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            marks.write("ada", template, {})
        assert not marks.has("ada")
        assert [s.id for s in marks.gradebook.students] == []


def test_nbgrader_goes_on_when_one_submission_cannot_be_read(both):
    _, theirs, _ = both
    before = marks_of(theirs)
    _, failure = autograde(theirs)  # all is graded; what cannot be judged is named again
    assert failure == "not graded: 6 of 11 submissions"
    assert marks_of(theirs) == before


def test_nbgrader_grades_a_newer_submission_anew(both):
    _, theirs, _ = both
    stamp = theirs.submission_of("ben", LESSON).with_name("timestamp.txt")
    stamp.write_text("2002-02-02")
    template = template_of(theirs, LESSON).notebook
    names = list(lessons.load_lesson(LESSON).exercises)
    now = filled(template, {names[0]: lessons.exercise_source(LESSON, names[0])})
    theirs.submission_of("ben", LESSON).write_text(json.dumps(now))
    before = marks_of(theirs)["ben"][0]
    autograde(theirs)
    assert 0 < marks_of(theirs)["ben"][0] < before
