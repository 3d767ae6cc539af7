"""What a run would do is said before it does it: why a mark is kept, and whose would change."""

from __future__ import annotations

import dataclasses
import shutil

import pytest
from nbgrader.api import Gradebook
from rich.console import Console
from typer.testing import CliRunner

from autograder.cli import app
from autograder.commands.rehearse import print_rehearsal
from autograder.grading import course as courses
from autograder.grading.classroom import grade_class
from autograder.grading.course import template_of
from autograder.grading.key import Key
from autograder.grading.record import read_record
from autograder.grading.rehearsal import Rehearsal
from tests.test_grading import HASTY, MADE, PLAIN, Here, _untouched, begun, course, hand_in

__all__ = ["begun", "course"]  # fixtures


def answering(**scores):
    """A judge that gives these scores, and no points for the other cells."""

    def answer(job):
        done = _untouched(job)
        done.seed = job.seed
        for at, outcome in enumerate(done.outcomes):
            score = scores.get(outcome.grade_id.removeprefix("check-"), outcome.score)
            done.outcomes[at] = dataclasses.replace(
                outcome, score=score, headline="as the check says"
            )
        return done

    return answer


def contents(place):
    return {
        path: (path.stat().st_mtime_ns, path.read_bytes())
        for path in place.rglob("*")
        if path.is_file()
    }


def graded_again(course, settings=PLAIN):
    here = Here()
    grade_class(course, MADE, settings, executor=here)
    return here.students == ["ada"]


def _other_limits(course, patch):
    return dataclasses.replace(PLAIN, limits=HASTY), "limit seconds_per_cell 20 → 4"


def _forced(course, patch):
    return dataclasses.replace(PLAIN, force=True), "--force"


def _changed_check(course, patch):
    patch.setattr(courses, "key_of", lambda lesson, template: Key({"a.py": "1"}, {}, {}))
    return PLAIN, "a.py is new"


def _another_notebook(course, patch):
    path = course.submission_of("ada", MADE)
    path.write_text(path.read_text() + " ")
    return PLAIN, "another notebook was handed in after 20"


def _no_record(course, patch):
    course.record_of("ada", MADE).unlink()
    return PLAIN, "the class has no readable record"


def _no_graded_notebook(course, patch):
    course.autograded_of("ada", MADE).unlink()
    return PLAIN, "its graded notebook is gone"


def _no_marks(course, patch):
    with Gradebook(course.db_url, course.course_id) as gradebook:
        gradebook.remove_submission(MADE, "ada")
    return PLAIN, "the gradebook has no marks"


@pytest.mark.parametrize(
    "change",
    [
        _other_limits, _forced, _changed_check, _another_notebook, _no_record,
        _no_graded_notebook, _no_marks,
    ],
)  # fmt: skip
def test_a_reason_is_said_whenever_a_run_grades_again_and_only_then(change, course, monkeypatch):
    hand_in(course, "ada")
    grade_class(course, MADE, PLAIN, executor=Here())
    assert Rehearsal(course, MADE, PLAIN).reasons("ada") == []
    assert not graded_again(course)
    settings, said = change(course, monkeypatch)
    (reason, *_) = Rehearsal(course, MADE, settings).reasons("ada")
    assert said in reason
    assert graded_again(course, settings)


def test_a_dry_run_tells_old_and_new_marks_and_writes_nothing(course, monkeypatch, capsys):
    for student in ("ada", "bob", "cyd"):
        hand_in(course, student)
    first, second, *_ = [
        c["metadata"]["nbgrader"]["grade_id"].removeprefix("check-")
        for c in template_of(course, MADE).notebook["cells"]
        if c["metadata"].get("nbgrader", {}).get("grade")
    ]
    grade_class(course, MADE, PLAIN, executor=Here(answering(**{first: 1.0, second: 1.0})))
    hand_in(course, "dan")
    with Gradebook(course.db_url, course.course_id) as gradebook:
        grade = gradebook.find_grade(f"check-{first}", "lesson", MADE, "bob")
        grade.manual_score = 0.5
        gradebook.db.commit()
    _changed_check(course, monkeypatch)
    before = contents(course.submitted.parent)
    seeds = {}

    def judge(job):
        seeds[job.student] = job.seed
        lower = {} if job.student == "cyd" else {first: 0.0}
        return answering(**{first: 1.0, second: 1.0, **lower})(job)

    told = Rehearsal(course, MADE, PLAIN).run(Here(judge))
    assert contents(course.submitted.parent) == before
    for student in ("ada", "bob", "cyd"):
        assert seeds[student] == read_record(course.record_of(student, MADE))["seed"]
    ada, bob, cyd, dan = told
    assert (ada.before, ada.after, ada.changes) == (2.0, 1.0, True)
    (cell,) = ada.cells
    assert (cell.grade_id, cell.before, cell.after) == (f"check-{first}", 1.0, 0.0)
    assert (bob.before, bob.after, bob.cells[0].by_hand, bob.changes) == (1.5, 1.5, True, False)
    assert not cyd.changes
    assert (dan.graded_before, dan.after) == (False, 1.0)
    print_rehearsal(MADE, told, Console(width=120))
    said = capsys.readouterr().out
    assert f"check-{first}: 1 → 0: as the check says" in said
    assert "given by hand: stays" in said
    assert "3 × a.py is new" in said
    assert "4 of 4 would be graded, 2 would get other marks" in " ".join(said.split())


def test_the_command_says_why_and_rehearses_for_real(course):
    """The whole way: a first dry run over a class that nobody graded, then why."""
    hand_in(course, "ada")
    shutil.rmtree(course.own(MADE))
    before = contents(course.submitted.parent)
    place = ["--class-dir", str(course.submitted.parent)]
    unsafe = ["--sandbox", "plain", "--trust-submissions", "--workers", "1"]
    ran = CliRunner().invoke(app, ["grade", "05", *place, *unsafe, "--dry-run"])
    assert ran.exit_code == 0, ran.output
    assert "– → 0 /" in ran.output
    assert "1 of 1 would be graded" in ran.output
    assert contents(course.submitted.parent) == before
    why = CliRunner().invoke(app, ["grade", "05", *place, "--why", "ada"])
    assert "ada: would be graded again" in why.output
    nobody = CliRunner().invoke(app, ["grade", "05", *place, "--why", "zoe"])
    assert nobody.exit_code == 2
    assert "zoe has handed in no 05_made" in nobody.stderr
    grade_class(course, MADE, PLAIN, executor=Here())
    limits = ["--limit", "seconds_per_cell=20", "--limit", "seconds_per_submission=120"]
    kept = CliRunner().invoke(app, ["grade", "05", *place, *limits, "--trust-submissions",
                                    "--why", "ada"])  # fmt: skip
    assert "ada: kept" in kept.output
    other = CliRunner().invoke(app, ["grade", "05", *place, "--limit", "seconds_per_cell=3",
                                     "--why", "ada"])  # fmt: skip
    assert "limit seconds_per_cell 20 → 3" in other.output
