"""Reads a lesson's marks from nbgrader's gradebook, a few queries for a whole class.

The gradebook is the one truth about marks: what a person entered and late penalties count. A row
that makes no sense (not a number, not a time) costs its student's line and no other.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from autograder.grading.course import Course, CourseError
from autograder.grading.gradebook import Marks


@dataclass(frozen=True)
class Mark:
    """One graded cell of one student: points, and whether a person gave or must still give them."""

    score: float
    by_hand: bool = False
    to_read: bool = False


@dataclass
class StudentMarks:
    """One student in the gradebook. `marks` is None for who has no submission of the lesson.

    `odd` says in one sentence what in this student's rows makes no sense; marks do not count then.
    """

    key: str
    first_name: str = ""
    last_name: str = ""
    email: str = ""
    lms_id: str = ""
    marks: dict[str, Mark] | None = None
    penalty: float = 0.0
    seconds_late: float = 0.0
    handed_in: datetime | None = None
    odd: str = ""

    @property
    def name(self) -> str:
        """First and last name, "" if the gradebook knows none."""
        return f"{self.first_name} {self.last_name}".strip()

    @property
    def score(self) -> float:
        """Points after a late penalty, never below 0; as nbgrader's own export has it."""
        return max(0.0, sum(mark.score for mark in (self.marks or {}).values()) - self.penalty)

    @property
    def to_read(self) -> int:
        """How many answers a person must still read."""
        return sum(mark.to_read for mark in (self.marks or {}).values())

    @property
    def has_marks(self) -> bool:
        """Whether there are marks, and they make sense."""
        return self.marks is not None and not self.odd


@dataclass(frozen=True)
class ClassMarks:
    """A lesson's marks: the points of each graded cell, and the students by their keys."""

    lesson: str
    points: dict[str, float]
    students: dict[str, StudentMarks] = field(default_factory=dict)

    @property
    def max_score(self) -> float:
        """What the lesson is worth."""
        return sum(self.points.values())


def marks_of_class(course: Course, lesson: str) -> ClassMarks:
    """The marks of all students of the gradebook; CourseError if it has no such lesson."""
    url = course.db_url
    if url.startswith("sqlite:///") and not Path(url.removeprefix("sqlite:///")).is_file():
        raise CourseError(f"there is no gradebook {url}: grade {lesson} first (autograder grade)")
    with Marks(course, lesson) as opened:
        api, db = opened.api, opened.gradebook.db
        assignment = db.query(api.Assignment).filter_by(name=lesson).first()
        if assignment is None:
            raise CourseError(f"the gradebook {url} does not know {lesson}: grade it first")
        cells = {}  # id of a graded cell: its name and points
        for kind in (api.GradeCell, api.TaskCell):
            rows = (
                db.query(kind.id, kind.name, kind.max_score)
                .join(api.Notebook, api.Notebook.id == kind.notebook_id)
                .filter(api.Notebook.assignment_id == assignment.id)
            )
            cells.update({row[0]: (row[1], _number(row[2], "points")) for row in rows})
        students = _students(api, db)
        submissions = _submissions(api, db, assignment, students)
        _fill_in(api, db, assignment, cells, submissions)
    return ClassMarks(lesson, dict(cells.values()), students)


def _students(api: Any, db: Any) -> dict[str, StudentMarks]:
    columns = ("id", "first_name", "last_name", "email", "lms_user_id")
    rows = db.query(*(getattr(api.Student, name) for name in columns)).order_by(api.Student.id)
    found = {}
    for row in rows:
        student, first, last, email, number = ("" if value is None else str(value) for value in row)
        found[student] = StudentMarks(student, first, last, email, number)
    return found


def _submissions(
    api: Any, db: Any, assignment: Any, students: dict[str, StudentMarks]
) -> dict[str, StudentMarks]:
    """The students who have a submission, by its id, with its time and lateness."""
    from sqlalchemy import String, type_coerce

    table = api.SubmittedAssignment
    columns = [table.timestamp, table.extension]
    if db.bind.dialect.name == "sqlite":
        # As text: a value that is no time would end SQLAlchemy's reading for everybody.
        columns = [type_coerce(column, String) for column in columns]
    rows = db.query(table.id, table.student_id, *columns)
    found = {}
    for key, student, timestamp, extension in rows.filter(table.assignment_id == assignment.id):
        one = students.get(str(student))
        if one is None:
            continue
        found[key], one.marks = one, {}
        try:
            when, more = _time(timestamp), _time(extension)
            if when is None:
                continue
            if assignment.duedate is not None:
                more = more - datetime(1970, 1, 1) if isinstance(more, datetime) else more
                due = assignment.duedate + (more or timedelta())
                one.seconds_late = max(0.0, (when - due).total_seconds())
            one.handed_in = when.replace(tzinfo=UTC)
        except (ValueError, TypeError, OverflowError, AttributeError):
            one.odd = "the gradebook's time of this submission is no time"
    return found


def _time(value: Any) -> Any:
    return datetime.fromisoformat(value) if isinstance(value, str) else value


def _fill_in(
    api: Any, db: Any, assignment: Any, cells: dict, submissions: dict[str, StudentMarks]
) -> None:
    notebook, grade = api.SubmittedNotebook, api.Grade
    inside = notebook.assignment_id.in_(
        db.query(api.SubmittedAssignment.id).filter_by(assignment_id=assignment.id)
    )
    rows = db.query(notebook.assignment_id, notebook.late_submission_penalty).filter(inside)
    for key, penalty in rows:
        if (one := submissions.get(key)) is not None:
            with _costing(one):
                one.penalty += _number(penalty, "the late penalty")
    rows = (
        db.query(
            notebook.assignment_id, grade.cell_id, grade.auto_score, grade.manual_score,
            grade.extra_credit, grade.needs_manual_grade,
        )
        .join(notebook, notebook.id == grade.notebook_id)
        .filter(inside)
    )  # fmt: skip
    for key, cell, auto, manual, extra, unread in rows:
        one = submissions.get(key)
        if one is None or one.marks is None or cell not in cells:
            continue
        with _costing(one):
            name, _ = cells[cell]
            score = _number(auto if manual is None else manual, name) + _number(extra, name)
            one.marks[name] = Mark(score, manual is not None, bool(unread))


@contextlib.contextmanager
def _costing(one: StudentMarks) -> Iterator[None]:
    """What makes no sense inside costs this student's line."""
    try:
        yield
    except ValueError as error:
        one.odd = one.odd or str(error)


def _number(value: Any, what: str) -> float:
    """`value` as a finite number, 0.0 for None; ValueError in one sentence for anything else."""
    if value is None:
        return 0.0
    if isinstance(value, bool | str | bytes) or not math.isfinite(value):
        raise ValueError(f"the gradebook holds no number for {what}")
    return float(value)
