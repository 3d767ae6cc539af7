"""Writes marks into nbgrader's gradebook: one process, one transaction a submission.

Scores, comments and late penalties are those that nbgrader's SaveAutoGrades and AssignLatePenalties
would write for the same notebook; what a person entered by hand stays.
"""

from __future__ import annotations

import contextlib
import json
import logging
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from autograder.grading.course import (
    NOTEBOOK,
    Course,
    CourseError,
    quick_imports,
    release_steps,
    tools_on_path,
)
from autograder.grading.lesson_change import LessonChange, bring_up_to_date, change_of, copy_of
from autograder.grading.rebuild import Notebook, is_graded, nbgrader_of, text_of

PATIENCE = 30.0  # seconds that SQLite waits for another program's lock


class GradebookError(CourseError):
    """The gradebook cannot be read or written; the message is one sentence."""


class GradebookLocked(GradebookError):
    """Another program has held the gradebook's lock for longer than PATIENCE."""


@dataclass(frozen=True)
class Mark:
    """What the gradebook says of one graded cell; `to_read`: a person must still look at it."""

    score: float
    max_score: float
    to_read: bool


@dataclass(frozen=True)
class Standing:
    """What the gradebook says of one submission: by hand or not, it is the truth about marks."""

    marks: dict[str, Mark] = field(default_factory=dict)
    comments: dict[str, str] = field(default_factory=dict)
    penalty: float = 0.0
    seconds_late: float = 0.0

    @property
    def score(self) -> float:
        """Points after a late penalty."""
        return sum(mark.score for mark in self.marks.values()) - self.penalty

    @property
    def max_score(self) -> float:
        """What the lesson is worth."""
        return sum(mark.max_score for mark in self.marks.values())

    @property
    def to_read(self) -> int:
        """How many cells wait for a person."""
        return sum(mark.to_read for mark in self.marks.values())


class Marks:
    """nbgrader's gradebook of a course, open for writing; a context manager."""

    def __init__(self, course: Course, lesson: str) -> None:
        with quick_imports():
            from nbgrader import api, utils

        self.api, self.utils = api, utils
        self.course, self.lesson = course, lesson
        if course.db_url.startswith("sqlite:///"):
            place = Path(course.db_url.removeprefix("sqlite:///"))
            place.parent.mkdir(parents=True, exist_ok=True)
        with self._in_a_sentence("opened"), tools_on_path():
            self.gradebook = api.Gradebook(_patient(course.db_url), course.course_id)

    def __enter__(self) -> Marks:
        return self

    def __exit__(self, *_: object) -> None:
        self.gradebook.close()

    @contextlib.contextmanager
    def _in_a_sentence(self, what: str) -> Iterator[None]:
        """Errors of the database become GradebookError, or GradebookLocked."""
        from sqlalchemy.exc import SQLAlchemyError

        try:
            yield
        except SQLAlchemyError as error:
            url = self.course.db_url
            if _is_locked(error):
                raise GradebookLocked(
                    f"the gradebook {url} was locked by another program for over {PATIENCE:g} s:"
                    " close that program, then grade again (what was graded so far is kept)"
                ) from None
            why = str(getattr(error, "orig", None) or error).split("\n")[0]
            raise GradebookError(f"the gradebook {url} cannot be {what}: {why}") from None

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[Any]:
        """nbgrader's API commits after each step; here its steps are written all or none."""
        from sqlalchemy import text

        session = self.gradebook.db
        commit = session.commit
        session.commit = session.flush
        try:
            with self._in_a_sentence("written"):
                if self.gradebook.engine.dialect.name == "sqlite":
                    # The lock is taken at once: half-way, nbgrader would report it in its own way.
                    session.execute(text("BEGIN IMMEDIATE"))
                yield self.gradebook
                commit()
        except BaseException:
            with contextlib.suppress(Exception):
                session.rollback()
            raise
        finally:
            session.commit = commit

    def ensure_assignment(
        self, template: Notebook, source: Any, *, update: bool = False
    ) -> list[str]:
        """Puts the lesson's cells into the gradebook, unless they are there already.

        `source()` gives the instructor's notebook, from which nbgrader's own steps write them.
        Where there are submissions to a lesson with other cells, CourseError says what can be done;
        `update` does it. Returns a sentence for each thing that was done then.
        """
        said = self._ensure_cells(template, source, update)
        self._keep_due_date()
        return said

    def _ensure_cells(self, template: Notebook, source: Any, update: bool) -> list[str]:
        if self._knows(template):
            return []
        if update and (change := self._change(template)) is not None:
            return self._update(template, change)
        with self._transaction() as gradebook:
            gradebook.update_or_create_assignment(self.lesson)
        try:
            with self._in_a_sentence("written"):
                release_steps(self.course, self.lesson, source(), save=True)
        except RuntimeError:
            change = self._change(template)
            raise CourseError(change.refusal(self.lesson) if change else "") from None
        return []

    def _change(self, template: Notebook) -> LessonChange | None:
        """How the lesson differs from the gradebook's, if that has submissions to it."""
        with self._in_a_sentence("read"):
            self.gradebook.db.expire_all()
            try:
                change = change_of(self.gradebook, self.lesson, template)
            except self.api.MissingEntry:
                return None
        return change if change.submissions else None

    def _update(self, template: Notebook, change: LessonChange) -> list[str]:
        copy = copy_of(self.course.db_url, self.lesson)
        with self._transaction() as gradebook:
            bring_up_to_date(gradebook, self.api, self.lesson, template)
        kept = (
            f"a copy of the gradebook as it was: {copy}"
            if copy
            else f"no copy was made: {self.course.db_url.partition(':')[0]} is no SQLite file"
        )
        return [
            *(f"{self.lesson} in the gradebook: {said}" for said in change.sentences()),
            *(
                f"{student}: {score:g} given by hand for {name}, which is worth {most:g} now"
                for student, name, score, most in change.over
            ),
            kept,
        ]

    def _keep_due_date(self) -> None:
        """Enters the due date of term.toml; where it was another, penalties are told anew."""
        from autograder.lessons.term import due_in_utc

        if due_in_utc(self.course.root, self.lesson) is None:
            return
        with quick_imports():
            from autograder.grading.late import save_due_date

        with self._transaction() as gradebook:
            if not save_due_date(gradebook, self.course.root, self.lesson):
                return
            gradebook.db.flush()
            for submission in gradebook.assignment_submissions(self.lesson):
                for marked in submission.notebooks:
                    marked.late_submission_penalty = self._late_penalty(
                        submission.student.id, submission, marked
                    )

    def _knows(self, template: Notebook) -> bool:
        """Whether the gradebook has this very lesson: same cells, texts and points."""
        try:
            with self._in_a_sentence("read"):
                notebook = self.gradebook.find_notebook(NOTEBOOK, self.lesson)
        except self.api.MissingEntry:
            return False
        wanted, points = {}, {}
        for cell in template["cells"]:
            meta = nbgrader_of(cell)
            if meta.get("grade") or meta.get("solution") or meta.get("locked") or meta.get("task"):
                wanted[meta["grade_id"]] = (text_of(cell), meta.get("checksum"))
            if is_graded(cell):
                points[meta["grade_id"]] = float(meta["points"])
        return wanted == {c.name: (c.source, c.checksum) for c in notebook.source_cells} and (
            points == {c.name: c.max_score for c in notebook.grade_cells}
        )

    def has(self, student: str) -> bool:
        """Whether the student has marks for the lesson."""
        return student in self.standings(student)

    def standings(self, student: str | None = None) -> dict[str, Standing]:
        """What the gradebook says now of each student (or of one) who has marks for the lesson."""
        api, session = self.api, self.gradebook.db
        with self._in_a_sentence("read"):
            session.expire_all()  # formgrader may have written meanwhile
            try:
                notebook = self.gradebook.find_notebook(NOTEBOOK, self.lesson).id
            except self.api.MissingEntry:
                return {}

            def of(*columns: Any, join: Any = None) -> Any:
                rows = session.query(api.SubmittedAssignment.student_id, *columns)
                rows = rows.join(
                    api.SubmittedNotebook,
                    api.SubmittedNotebook.assignment_id == api.SubmittedAssignment.id,
                )
                if join is not None:
                    rows = rows.join(join, join.notebook_id == api.SubmittedNotebook.id)
                    rows = rows.join(api.BaseCell, join.cell_id == api.BaseCell.id)
                rows = rows.filter(api.SubmittedNotebook.notebook_id == notebook)
                if student is not None:
                    rows = rows.filter(api.SubmittedAssignment.student_id == student)
                return rows

            grade = api.Grade
            marks: dict[str, dict[str, Mark]] = defaultdict(dict)
            for who, name, score, most, unread in of(
                api.BaseCell.name, grade.score, grade.max_score, grade.needs_manual_grade,
                join=grade,
            ):  # fmt: skip
                marks[who][name] = Mark(float(score), float(most), bool(unread))
            comments: dict[str, dict[str, str]] = defaultdict(dict)
            for who, name, text in of(api.BaseCell.name, api.Comment.comment, join=api.Comment):
                if text:
                    comments[who][name] = text
            return {
                who: Standing(marks[who], comments[who], penalty or 0.0, one.total_seconds_late)
                for who, penalty, one in of(
                    api.SubmittedNotebook.late_submission_penalty, api.SubmittedAssignment
                )
            }

    def write(
        self,
        student: str,
        notebook: Notebook,
        scores: Mapping[str, float | None],
        *,
        timestamp: datetime | None = None,
    ) -> float:
        """Writes the marks of one graded notebook; returns the score after a late penalty."""
        with self.writing(student, notebook, scores, timestamp=timestamp) as score:
            return score

    @contextlib.contextmanager
    def writing(
        self,
        student: str,
        notebook: Notebook,
        scores: Mapping[str, float | None],
        *,
        timestamp: datetime | None = None,
    ) -> Iterator[float]:
        """Writes the marks of one graded notebook when the block ends; none of them if it raises.

        `scores` are those of the graded cells by grade_id, None where a person must read; a cell
        without one earns 0. nbgrader would read the same from the notebook's outputs, but would
        take a cell without outputs for a full mark. `timestamp` (UTC) is when it was handed in,
        None if that is not known or not to be trusted: no penalty then. Gives the score after a
        late penalty.
        """
        import nbformat

        cells = {
            nbgrader_of(cell)["grade_id"]: nbformat.from_dict(cell)
            for cell in notebook["cells"]
            if nbgrader_of(cell).get("grade_id")
        }
        with self._transaction() as gradebook:
            gradebook.update_or_create_student(student)
            gradebook.db.flush()
            with gradebook.db.no_autoflush:
                submission = gradebook.update_or_create_submission(
                    self.lesson, student, timestamp=timestamp
                )
            marked = gradebook.find_submission_notebook(NOTEBOOK, self.lesson, student)
            for grade in marked.grades:
                grade.auto_score = scores.get(grade.name, 0.0)
                by_hand = grade.manual_score is not None
                grade.needs_manual_grade = by_hand or grade.auto_score is None
            for comment in marked.comments:
                comment.auto_comment = self._comment(cells.get(comment.name))
            gradebook.db.flush()
            gradebook.db.expire_all()
            penalty = self._late_penalty(student, submission, marked)
            marked.late_submission_penalty = penalty
            yield float(marked.score) - (penalty or 0.0)

    def _comment(self, cell: Any) -> str | None:
        if cell is None or self.utils.is_task(cell):
            return None
        untouched = cell.metadata.nbgrader.get("checksum") == self.utils.compute_checksum(cell)
        return "No response." if untouched else None

    def _late_penalty(self, student: str, submission: Any, marked: Any) -> float | None:
        if submission.total_seconds_late <= 0:
            return None
        with quick_imports():
            from nbgrader.preprocessors import AssignLatePenalties

        step = AssignLatePenalties(config=self.course.nbgraders_config(self.lesson), log=_silent)
        step.init_plugin()
        penalty = step.plugin_inst.late_submission_penalty(
            student, marked.score, submission.total_seconds_late
        )
        return None if penalty is None else step._check_late_penalty(marked, penalty)


def _patient(url: str) -> str:
    """The URL with SQLite's own busy timeout; of any other database the URL as it is."""
    from sqlalchemy.engine import make_url

    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite" or "timeout" in parsed.query:
        return url
    return parsed.update_query_dict({"timeout": str(PATIENCE)}).render_as_string(False)


def _is_locked(error: BaseException) -> bool:
    """Whether SQLite gave up waiting for another connection's lock."""
    import sqlite3

    code = getattr(getattr(error, "orig", None), "sqlite_errorcode", 0)
    return code & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)


_silent = logging.getLogger("autograder.gradebook")
_silent.addHandler(logging.NullHandler())
_silent.propagate = False


def notebook_bytes(notebook: Notebook) -> bytes:
    """The notebook as nbformat writes it: one space of indent, keys sorted, lines as lists."""

    def lines(text: str) -> list[str]:
        return text.splitlines(keepends=True)

    cells = []
    for cell in notebook["cells"]:
        cell = {**cell, "source": lines(text_of(cell))}
        if "outputs" in cell:
            cell["outputs"] = [_split(output) for output in cell["outputs"]]
        cells.append(cell)
    whole = {**notebook, "cells": cells}
    return json_bytes(whole, sort_keys=True) + b"\n"


def json_bytes(data: Any, *, sort_keys: bool = False) -> bytes:
    """`data` as JSON in UTF-8; halves of characters become "?", so that text never stops a mark."""
    text = json.dumps(data, ensure_ascii=False, indent=1, sort_keys=sort_keys)
    return text.encode("utf-8", "replace")


def _split(output: dict[str, Any]) -> dict[str, Any]:
    if "text" in output:
        return {**output, "text": output["text"].splitlines(keepends=True)}
    if "data" in output:
        data = {
            mime: value.splitlines(keepends=True) if mime.startswith("text/") else value
            for mime, value in output["data"].items()
        }
        return {**output, "data": data}
    return output
