"""Writes marks into nbgrader's gradebook: one process, one transaction a submission.

Scores, comments and late penalties are those that nbgrader's SaveAutoGrades and AssignLatePenalties
would write for the same notebook; what a person entered by hand stays.
"""

from __future__ import annotations

import contextlib
import json
import logging
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from autograder.grading.course import (
    NOTEBOOK,
    Course,
    CourseError,
    quick_imports,
    release_steps,
    tools_on_path,
)
from autograder.grading.rebuild import Notebook, is_graded, nbgrader_of, text_of


class Marks:
    """nbgrader's gradebook of a course, open for writing; a context manager."""

    def __init__(self, course: Course, lesson: str) -> None:
        with quick_imports():
            from nbgrader import api, utils
        from sqlalchemy.exc import SQLAlchemyError

        self.api, self.utils = api, utils
        self.course, self.lesson = course, lesson
        if course.db_url.startswith("sqlite:///"):
            from pathlib import Path

            Path(course.db_url.removeprefix("sqlite:///")).parent.mkdir(parents=True, exist_ok=True)
        try:
            with tools_on_path():
                self.gradebook = api.Gradebook(course.db_url, course.course_id)
        except (SQLAlchemyError, OSError) as error:
            first = str(error).split("\n")[0]
            raise CourseError(f"the gradebook {course.db_url} cannot be opened: {first}") from None

    def __enter__(self) -> Marks:
        return self

    def __exit__(self, *_: object) -> None:
        self.gradebook.close()

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[Any]:
        """nbgrader's API commits after each step; here its steps are written all or none."""
        session = self.gradebook.db
        commit = session.commit
        session.commit = session.flush
        try:
            yield self.gradebook
            commit()
        except BaseException:
            session.rollback()
            raise
        finally:
            session.commit = commit

    def ensure_assignment(self, template: Notebook, source: Any) -> None:
        """Puts the lesson's cells into the gradebook, unless they are there already.

        `source()` gives the instructor's notebook, from which nbgrader's own steps write them.
        """
        if self._knows(template):
            return
        with self._transaction() as gradebook:
            gradebook.update_or_create_assignment(self.lesson)
        try:
            release_steps(self.course, self.lesson, source(), save=True)
        except RuntimeError:
            raise CourseError(
                f"the gradebook holds submissions for an earlier {self.lesson} with other cells:"
                " grade them with that version, or begin a new gradebook"
            ) from None

    def _knows(self, template: Notebook) -> bool:
        """Whether the gradebook has this very lesson: same cells, texts and points."""
        try:
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
        try:
            self.gradebook.find_submission_notebook(NOTEBOOK, self.lesson, student)
        except self.api.MissingEntry:
            return False
        return True

    def write(
        self,
        student: str,
        notebook: Notebook,
        scores: Mapping[str, float | None],
        *,
        timestamp: datetime | None = None,
    ) -> float:
        """Writes the marks of one graded notebook; returns the score after a late penalty.

        `scores` are those of the graded cells by grade_id, None where a person must read; a cell
        without one earns 0. nbgrader would read the same from the notebook's outputs, but would
        take a cell without outputs for a full mark. `timestamp` (UTC) is when it was handed in,
        None if that is not known or not to be trusted: no penalty then.
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
            return float(marked.score) - (penalty or 0.0)

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
    return (json.dumps(whole, ensure_ascii=False, indent=1, sort_keys=True) + "\n").encode()


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
