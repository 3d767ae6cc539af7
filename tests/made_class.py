"""A class made without grading: gradebook and records as the grader would leave them.

For what reads a class (report, export) and must do so for a thousand students, for odd records and
for hostile ones, where grading would only cost time.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any

from nbgrader import api

from autograder.grading.course import ROOT, Course, open_course
from autograder.grading.record import FORMAT

LESSON = "05_made"
DUE = datetime(2026, 11, 20, 18, 0)
POINTS = {"check-double": 4.0, "check-triple": 2.0, "why": 2.0}

RIGHT = "def double(x):\n    # twice\n    return 2 * x"
WRONG = "def double(x):\n    # twice\n    return x + 2"


@dataclass
class Student:
    """What one student of the class did; see `verdict` for the claims of `double`."""

    key: str
    double: str = RIGHT  # the text of the cell
    mistake: str = ""  # named by the check of double
    advice: str = "2x is not x + 2"
    saw: str = "double(3) = 5"
    reason: str = ""  # why the check of double did not run to its end
    begun: bool = True
    answer: str = "because"  # "" for none
    answer_score: float | None = 1.0  # None: nobody has read it
    manual: float | None = None  # given by hand for double
    penalty: float | None = None
    hours_late: float | None = None
    unreadable: str = ""
    first_name: str | None = None
    last_name: str | None = None
    email: str | None = None
    number: str | None = None
    history: list[dict[str, Any]] = field(default_factory=list)
    added: tuple[str, ...] = ()
    record: bytes | None = None  # instead of a record
    handed_in: bool = True
    marked: bool = True

    @property
    def score(self) -> float:
        """What the check of double gave."""
        right = self.begun and not (self.mistake or self.reason or self.unreadable)
        return 4.0 if right else 1.0 if self.mistake else 0.0


def made_class(place: Path, students: Iterable[Student]) -> Course:
    """Writes the class into `place`."""
    students = list(students)
    course = open_course(ROOT, class_dir=place)
    place.mkdir(parents=True, exist_ok=True)
    for one in students:
        if one.handed_in:
            path = course.submission_of(one.key, LESSON)
            path.parent.mkdir(parents=True)
            path.write_text("{}")
        if one.marked or one.record is not None:
            path = course.record_of(one.key, LESSON)
            path.parent.mkdir(parents=True, exist_ok=True)
            raw = json.dumps(_record(one)).encode("utf-8", "surrogatepass")
            path.write_bytes(raw if one.record is None else one.record)
    _gradebook(course, students)
    return course


@lru_cache(maxsize=1)
def _new_gradebook() -> bytes:
    """A gradebook that has the lesson and nobody, made once: nbgrader takes seconds for it."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "gradebook.db"
        with api.Gradebook(f"sqlite:///{place}", open_course(ROOT).course_id) as gradebook:
            gradebook.add_assignment(LESSON, duedate=DUE)
            gradebook.add_notebook("lesson", LESSON)
            for name, points in POINTS.items():
                kind = "markdown" if name == "why" else "code"
                gradebook.add_grade_cell(name, "lesson", LESSON, max_score=points, cell_type=kind)
        return place.read_bytes()


def _gradebook(course: Course, students: list[Student]) -> None:
    Path(course.db_url.removeprefix("sqlite:///")).write_bytes(_new_gradebook())
    with api.Gradebook(course.db_url, course.course_id) as gradebook:
        assignment = gradebook.find_assignment(LESSON)
        (notebook,) = assignment.notebooks
        cells = {cell.name: cell for cell in notebook.grade_cells}
        session = gradebook.db
        for one in students:
            student = api.Student(
                id=one.key, first_name=one.first_name, last_name=one.last_name, email=one.email,
                lms_user_id=one.number,
            )  # fmt: skip
            session.add(student)
            if not one.marked:
                continue
            when = None if one.hours_late is None else DUE + timedelta(hours=one.hours_late)
            handed_in = api.SubmittedAssignment(
                assignment=assignment, student=student, timestamp=when
            )
            marked = api.SubmittedNotebook(
                assignment=handed_in, notebook=notebook, late_submission_penalty=one.penalty
            )
            right = one.score == 4.0
            scores = {
                "check-double": one.score,
                "check-triple": 2.0 if right else 0.0,
                "why": one.answer_score if one.answer else 0.0,
            }
            for name, cell in cells.items():
                session.add(
                    api.Grade(
                        notebook=marked, cell=cell, auto_score=scores[name],
                        manual_score=one.manual if name == "check-double" else None,
                        needs_manual_grade=scores[name] is None,
                    )
                )  # fmt: skip
        session.commit()


def claim(text: str, holds: bool, **more: Any) -> dict[str, Any]:
    """A claim as a record has it."""
    plain = {"saw": "", "asks": "", "advice": "", "misconception": "", "see": "", "picture": ""}
    return {"text": text, "holds": holds, "points": 1.0, **plain, **more}


def _verdict(name: str, one: Student) -> dict[str, Any]:
    wrong = claim(
        "double(n) is 2n", False, saw=one.saw, asks="double(3) = 6", advice=one.advice,
        misconception=one.mistake,
    )  # fmt: skip
    claims, status = [claim("double(0) is 0", True), claim("double(n) is 2n", True)], "passed"
    if name == "triple":
        claims = [claim("triple(n) is 3n", True)]
    if not one.begun or (name == "triple" and one.score < 4):
        claims, status = [], "not attempted"
    elif one.reason and name == "double":
        claims, status = [], "failed"
    elif one.mistake and name == "double":
        claims, status = [claim("double(0) is 0", False), wrong], "partly"
    return {
        "name": name, "lesson": LESSON, "points": POINTS[f"check-{name}"], "claims": claims,
        "status": status, "reason": one.reason if name == "double" else "", "line": "", "seed": 1,
    }  # fmt: skip


def _cell(kind: str, text: str, grade_id: str = "", grade: bool = False, **more: Any) -> dict:
    nbgrader = {"grade_id": grade_id, "grade": grade, "solution": grade_id != "", **more}
    metadata = {"nbgrader": nbgrader} if grade_id else {"autograder-added": True} if more else {}
    return {"cell_type": kind, "metadata": metadata, "source": text}


def _record(one: Student) -> dict[str, Any]:
    verdicts = {name: _verdict(name, one) for name in ("double", "triple")}
    scores = {"double": one.score, "triple": 2.0 if one.score == 4 else 0.0}
    outcomes = [
        {
            "grade_id": f"check-{name}", "points": verdict["points"], "score": scores[name],
            "status": verdict["status"], "headline": "", "misconception": "", "inside": False,
            "verdict": None if one.unreadable else verdict,
        }
        for name, verdict in verdicts.items()
    ]  # fmt: skip
    outcomes.append(
        {
            "grade_id": "why", "points": 2.0, "score": one.answer_score if one.answer else 0.0,
            "status": "to be read" if one.answer else "not attempted", "headline": "",
            "misconception": "", "inside": False, "verdict": None,
        }
    )  # fmt: skip
    cells = [
        _cell("markdown", "# 5 · Doubling\n\nTwice."),
        *({**_cell("code", text), "metadata": {"autograder-added": True}} for text in one.added),
        _cell("markdown", "## Exercise 1: twice"),
        _cell("code", one.double, "double"),
        _cell("code", "check(double)", "check-double", grade=True, solution=False),
        _cell("code", "def triple(x):\n    return 3 * x", "triple"),
        _cell("code", "check(triple)", "check-triple", grade=True, solution=False),
        _cell("markdown", one.answer or "*Your answer*", "why", grade=True),
    ]
    if not one.answer:
        cells[-1]["metadata"]["autograder-untouched"] = True
    return {
        "format": FORMAT, "student": one.key, "lesson": LESSON,
        "digest": "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a",  # of {}
        "outcomes": outcomes, "problems": [], "unreadable": one.unreadable, "seed": 1,
        "seconds": 1.5, "peak_memory_bytes": 300_000_000, "notebook": {"cells": cells},
        "history": one.history, "score": one.score, "max_score": 8.0,
        "graded_at": "2026-11-21T08:00:00+00:00",
    }  # fmt: skip


NASTY = (
    "</script><script>window.pwned = 1</script><img src=x onerror='window.pwned = 2'>"
    "\x1b[31mred\x1b[0m \x1b]8;;http://example.org\x07 \u202eevil\u2066 \x00 <!--<script>"
    " {{ 7 * 7 }} ${7 * 7} & \" ' ` \ud83d\u2028 javascript:window.pwned=3"
)


NAME = NASTY.replace("\ud83d", "")  # a gradebook takes no half of a character


def hostile() -> list[Student]:
    """Students who try it on in every text that a report may show."""
    long = "A" * 100_000
    return [
        Student(
            "mallory<img src=x onerror=window.pwned=4>", double=NASTY + "\n" + WRONG,
            mistake="adds" + NASTY, advice=NASTY, saw=NASTY, answer=NASTY, answer_score=None,
            first_name=NAME, last_name=NAME, hours_late=3, added=(NASTY, long),
        ),
        Student("trudy", double=long, mistake="adds", saw=long, advice=long, answer=long),
        Student("x\u202eyrolam", reason=NASTY + long),
        Student("=cmd|' /C calc'!A0", unreadable=NASTY),
        Student("honest", double=RIGHT),
        Student("<script>window.pwned=5</script>".replace("/", "⁄"), begun=False, answer=""),
    ]  # fmt: skip
