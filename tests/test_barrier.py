"""Whatever goes wrong for one student costs that student's line, and nobody else's."""

from __future__ import annotations

import dataclasses
import errno
import json
import sqlite3
import threading

import pytest
from typer.testing import CliRunner

from autograder.claims import Verdict
from autograder.cli import app
from autograder.grading import classroom, gradebook, pool, worker
from autograder.grading.classroom import grade_class
from autograder.grading.course import CourseError, template_of
from autograder.grading.record import read_record
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


def graded(course, answer, **settings):
    """The class's lines by student, graded on `answer(job)`."""
    settings = classroom.Settings(**{**PLAIN.__dict__, **settings})
    result = grade_class(course, MADE, settings, executor=Here(answer))
    return {line.student: line for line in result.lines}


def spoiled(spoil):
    """An answer whose result for "bob" is spoiled by `spoil(graded)`."""

    def answer(job):
        done = _untouched(job)
        if job.student == "bob":
            spoil(done)
        return done

    return answer


def _change(done, **changes):
    done.outcomes[0] = dataclasses.replace(done.outcomes[0], **changes)


def a_half_character(done):
    done.problems = ["half \ud800"]
    _change(done, headline=done.problems)


def no_json(done):
    _change(done, verdict=Verdict("x", MADE, 1.0, reason={1, 2}))


def a_huge_number(done):
    _change(done, headline=10**5000)


def a_notebook_without_cells(done):
    del done.notebook["cells"]


def a_score_of_text(done):
    _change(done, score="many")


def no_outcomes(done):
    done.outcomes = None


@pytest.mark.parametrize(
    "spoil", [no_json, a_huge_number, a_notebook_without_cells, a_score_of_text, no_outcomes]
)
def test_a_result_that_cannot_be_written_is_one_line_and_leaves_nothing(course, spoil):
    for student in ("ada", "bob", "cyd"):
        hand_in(course, student)
    lines = graded(course, spoiled(spoil))
    assert {s: line.state for s, line in lines.items()} == {
        "ada": "graded", "bob": "not graded", "cyd": "graded",
    }  # fmt: skip
    assert lines["bob"].first
    assert sorted(gradebook_scores(course)) == ["ada", "cyd"]
    assert not course.record_of("bob", MADE).exists()
    assert not course.autograded_of("bob", MADE).exists()
    assert not list(course.autograded.rglob("*.part"))
    again = Here()
    result = grade_class(course, MADE, PLAIN, executor=again)
    assert again.students == ["bob"] and not result.failed


def test_half_a_character_costs_nobody_a_mark(course):
    for student in ("ada", "bob"):
        hand_in(course, student)
    assert {line.state for line in graded(course, spoiled(a_half_character)).values()} == {"graded"}
    assert read_record(course.record_of("bob", MADE))["problems"] == ["half ?"]


def test_half_a_character_raised_in_one_exercise_leaves_the_other_marks(course):
    from autograder import lessons
    from tests.demo_class import filled

    solved = {n: lessons.exercise_source(MADE, n) for n in lessons.load_lesson(MADE).exercises}
    hurt = "def connectivity(*a, **k):\n    raise ValueError('half \\ud800')"
    raw = json.dumps(filled(template_of(course, MADE).notebook, solved | {"connectivity": hurt}))
    hand_in(course, "ada", raw.encode())
    hand_in(course, "bob")
    result = grade_class(course, MADE, PLAIN)
    assert [line.state for line in result.lines] == ["graded", "graded"]
    record = read_record(course.record_of("ada", MADE))
    lost = {o["verdict"]["name"] for o in record["outcomes"] if o["verdict"] and not o["score"]}
    assert lost == {"connectivity"}


@pytest.mark.parametrize("where", ["autograded", "records"])
@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EACCES])
def test_a_file_that_cannot_be_written_is_one_line(course, monkeypatch, where, number):
    """The disk fills up (or a folder is closed) at the second student's notebook, or record."""
    for student in ("ada", "bob", "cyd"):
        hand_in(course, student)
    template_of(course, MADE)
    mkstemp = classroom.tempfile.mkstemp

    def full(*args, **options):
        if where in str(options.get("dir")) and "bob" in str(options.get("dir")) + str(
            options.get("prefix")
        ):
            raise OSError(number, "No room here")
        return mkstemp(*args, **options)

    monkeypatch.setattr("tempfile.mkstemp", full)
    lines = graded(course, None)
    assert [line.state for line in lines.values()] == ["graded", "not graded", "graded"]
    assert "No room here" in lines["bob"].first
    assert ("the disk is full" in lines["bob"].first) is (number == errno.ENOSPC)
    assert sorted(gradebook_scores(course)) == ["ada", "cyd"]
    monkeypatch.undo()
    assert graded(course, None)["bob"].state in ("graded", "kept")


def test_a_regraded_student_whose_write_fails_keeps_the_earlier_marks(course, monkeypatch):
    hand_in(course, "ada")
    graded(course, None)
    before = course.autograded_of("ada", MADE).read_bytes()
    path = course.submission_of("ada", MADE)
    path.write_text(path.read_text() + " ")
    monkeypatch.setattr(gradebook.Marks, "_comment", lambda *_: 1 / 0)
    line = graded(course, None)["ada"]
    assert line.state == "not graded"
    assert "ZeroDivisionError" in line.first and "from before" in line.first
    assert course.autograded_of("ada", MADE).read_bytes() == before
    monkeypatch.undo()
    assert graded(course, None)["ada"].state == "graded"


def test_a_place_that_cannot_be_written_is_told_before_anything_is_graded(course):
    hand_in(course, "ada")
    course.autograded.write_text("a file where a folder should be")
    executor = Here()
    with pytest.raises(CourseError, match=r"cannot be graded: .*autograded"):
        grade_class(course, MADE, PLAIN, executor=executor)
    assert executor.students == []


# --- a gradebook that another program holds -------------------------------------------------------


@pytest.fixture
def locked(course):
    """A gradebook with ada's marks, locked for writing by another connection."""
    hand_in(course, "ada")
    grade_class(course, MADE, PLAIN, executor=Here())
    holder = sqlite3.connect(
        course.db_url.removeprefix("sqlite:///"), isolation_level=None, check_same_thread=False
    )
    holder.execute("BEGIN IMMEDIATE")
    yield holder
    holder.close()


def test_a_locked_gradebook_is_one_sentence_and_nothing_is_lost(course, locked, monkeypatch):
    monkeypatch.setattr(gradebook, "PATIENCE", 0.2)
    hand_in(course, "bob")
    with pytest.raises(CourseError, match=r"locked by another program for over 0\.2 s"):
        grade_class(course, MADE, PLAIN, executor=Here())
    assert not course.record_of("bob", MADE).exists()
    locked.execute("ROLLBACK")
    result = grade_class(course, MADE, PLAIN, executor=Here())
    assert [line.state for line in result.lines] == ["kept", "graded"]


def test_a_gradebook_locked_even_for_reading_is_exit_code_2(course, locked, monkeypatch):
    monkeypatch.setattr(gradebook, "PATIENCE", 0.2)
    locked.execute("ROLLBACK")
    locked.execute("BEGIN EXCLUSIVE")
    place = str(course.submitted.parent)
    given = ["grade", "05", "--sandbox", "plain", "--trust-submissions", "--class-dir", place]
    ran = CliRunner().invoke(app, given)
    assert ran.exit_code == 2
    (last,) = ran.stderr.strip().splitlines()[-1:]
    assert last.startswith("autograder: the gradebook sqlite:///")
    assert "locked by another program" in last


def test_a_lock_that_is_given_back_in_time_costs_nobody_anything(course, locked, monkeypatch):
    hand_in(course, "bob")
    release = threading.Timer(0.3, locked.execute, ["ROLLBACK"])
    transaction, waited = gradebook.Marks._transaction, []

    def wait_for_the_lock(marks):
        if not waited:
            waited.append(locked.in_transaction)
            release.start()
        return transaction(marks)

    monkeypatch.setattr(gradebook.Marks, "_transaction", wait_for_the_lock)
    result = grade_class(course, MADE, PLAIN, executor=Here())
    release.join()
    assert waited == [True]
    assert [line.state for line in result.lines] == ["kept", "graded"]


# --- what ends a run is told apart by its type ----------------------------------------------------


class Pool:
    """A pool of this process: its jobs are functions."""

    workers = 2

    def submit(self, job):
        return Here(lambda job: job.student()).submit(None, job)

    def alone(self, job, seconds):
        return self.submit(job).result()

    def kill(self):
        pass


class Job:
    def __init__(self, student):
        self.student = student


def raises(error):
    def student():
        raise error

    return Job(student)


@pytest.mark.parametrize("error", [KeyError("x"), IndexError(3), LookupError("y"), OSError("z")])
def test_an_error_on_a_submissions_data_is_that_submissions(error):
    one, two = pool.run_local(Pool(), [raises(error), Job(lambda: "fine")], 1)
    assert one == "fine"
    assert two.reason.startswith(type(error).__name__)
    (alone,) = pool.run_on(Here(lambda job: job.student()), [Job(_key_error)])
    assert alone.reason == "KeyError: 'data'"


def _key_error():
    raise KeyError("data")


def test_a_lesson_without_its_check_ends_the_run(course):
    with pytest.raises(CourseError, match="stop"):
        list(pool.run_local(Pool(), [raises(CourseError("stop"))], 1))
    template = template_of(course, MADE).text.replace("check(MADE)", "check(NADE)")
    job = worker.Job("ada", MADE, b"", "digest", template, 1)
    with pytest.raises(CourseError, match=r"has the cell check\(NADE\), but no check"):
        worker.grade(job)
