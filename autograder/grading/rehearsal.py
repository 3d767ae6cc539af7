"""What a run would do, before it does it: whose marks are kept and why, and whose would change.

Reads the class and writes nothing: no file, no row.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autograder.grading.classroom import (
    Progress,
    Settings,
    basis_of,
    job_of,
    students_of,
)
from autograder.grading.course import Course, CourseError, Template, template_of
from autograder.grading.gradebook import Marks, Standing
from autograder.grading.pool import Failed, LocalPool, run_local, run_on
from autograder.grading.record import NoRecord, read_record
from autograder.grading.submission import Unreadable


@dataclass(frozen=True)
class CellChange:
    """A graded cell whose mark would be another; None where a person must read."""

    grade_id: str
    before: float | None
    after: float | None
    headline: str = ""
    by_hand: bool = False  # a person has given the mark that counts: it stays


@dataclass(frozen=True)
class Rehearsed:
    """What a run would do to one student's marks.

    `reasons` are those to grade again, none where the marks are kept; `failed` says why the
    rehearsal has no result.
    """

    student: str
    reasons: tuple[str, ...] = ()
    graded_before: bool = False
    before: float = 0.0
    after: float = 0.0
    max_score: float = 0.0
    cells: tuple[CellChange, ...] = ()
    failed: str = ""

    @property
    def changes(self) -> bool:
        """Whether the marks would be others than now; one that a person gave stays."""
        return not self.graded_before or any(not cell.by_hand for cell in self.cells)


class Rehearsal:
    """The state of a class before a run."""

    def __init__(self, course: Course, lesson: str, settings: Settings) -> None:
        self.course, self.lesson, self.settings = course, lesson, settings
        self.template: Template = template_of(course, lesson, keep=False)
        self.standings = _standings(course, lesson)

    def reasons(self, student: str) -> list[str]:
        """Why the student's submission would be graded (again); [] if its marks are kept."""
        if self.settings.force:
            return ["--force"]
        try:
            record = read_record(self.course.record_of(student, self.lesson))
        except NoRecord:
            record = None
        if record is None or student not in self.standings:
            missing = "gradebook has no marks" if record else "class has no readable record"
            return [f"it was not graded to the end before: the {missing}"]
        basis = basis_of(self.course, self.lesson, student, self.template, self.settings)
        said = basis.differences(record)
        if not self.course.autograded_of(student, self.lesson).is_file():
            said.append("its graded notebook is gone")
        return said

    def run(
        self,
        executor: Executor | None = None,
        progress: Progress = lambda what, done, of: None,
    ) -> list[Rehearsed]:
        """Grades what a run would grade, into nothing.

        The draw is the record's where there is one, so that a change comes from what is judged or
        what judges, and not from other random numbers.
        """
        students = students_of(self.course, self.lesson)
        if not students:
            raise CourseError(
                f"nobody has handed in {self.lesson}: there is no"
                f" {self.course.submitted}/STUDENT/{self.lesson}"
            )
        reasons = {student: self.reasons(student) for student in students}
        told: dict[str, Rehearsed] = {}
        todo = []
        for student in students:
            if reasons[student]:
                todo.append(student)
            else:
                told[student] = self._kept(student)
        progress("rehearsing", 0, len(todo))
        with _pool(self.lesson, self.settings, len(todo), executor) as run:
            for result in run(self._jobs(todo, told, reasons)):
                student = result.job.student if isinstance(result, Failed) else result.student
                told[student] = self._told(student, reasons[student], result)
                progress("rehearsing", len(told) - len(students) + len(todo), len(todo))
        return [told[student] for student in students]

    def _kept(self, student: str) -> Rehearsed:
        now = self.standings[student]
        return Rehearsed(student, (), True, now.score, now.score, now.max_score)

    def _jobs(
        self, students: list[str], told: dict[str, Rehearsed], reasons: dict[str, list[str]]
    ) -> Iterator[Any]:
        from autograder.grading.worker import unreadable

        for student in students:
            seed = self._record(student).get("seed") or None
            try:
                job = job_of(self.course, self.lesson, student, self.template, self.settings, seed)
            except Unreadable as why:
                done = unreadable(student, self.lesson, "", self.template.notebook, str(why))
                told[student] = self._told(student, reasons[student], done)
                continue
            yield job

    def _record(self, student: str) -> dict[str, Any]:
        with contextlib.suppress(NoRecord):
            return read_record(self.course.record_of(student, self.lesson))
        return {}

    def _told(self, student: str, reasons: list[str], result: Any) -> Rehearsed:
        now = self.standings.get(student)
        said = tuple(reasons)
        failed = result.reason if isinstance(result, Failed) else ""
        if not failed and self.settings.unreadable == "ask":
            failed = result.unreadable
        if failed:
            score = now.score if now else 0.0
            return Rehearsed(student, said, bool(now), score, score, failed=failed)
        record = self._record(student)
        before = {o["grade_id"]: o["score"] for o in record.get("outcomes", [])}
        cells = []
        total = 0.0
        for outcome in result.outcomes:
            name, after = outcome.grade_id, outcome.score
            mark = now.marks.get(name) if now else None
            by_hand = mark is not None and mark.score != (before.get(name) or 0.0)
            total += mark.score if mark is not None and by_hand else after or 0.0
            if name not in before or before[name] != after:
                cells.append(CellChange(name, before.get(name), after, outcome.headline, by_hand))
        for name in before.keys() - {o.grade_id for o in result.outcomes}:
            cells.append(CellChange(name, before[name], None, "this cell is not in the lesson"))
        return Rehearsed(
            student,
            said,
            graded_before=now is not None,
            before=now.score if now else 0.0,
            after=total - (now.penalty if now else 0.0),
            max_score=result.max_score,
            cells=tuple(cells),
        )


def _standings(course: Course, lesson: str) -> dict[str, Standing]:
    """What the gradebook says, {} where there is none yet: to open one would make it."""
    place = course.db_url.removeprefix("sqlite:///")
    if place != course.db_url and not Path(place.partition("?")[0]).is_file():
        return {}
    with Marks(course, lesson) as marks:
        return marks.standings()


@contextlib.contextmanager
def _pool(
    lesson: str, settings: Settings, jobs: int, executor: Executor | None
) -> Iterator[Callable[[Iterator[Any]], Iterator[Any]]]:
    """What runs jobs: the executor, or processes of this machine."""
    if executor is not None or not jobs:
        yield lambda some: run_on(executor, some) if executor is not None else some
        return
    workers = max(1, min(settings.workers, jobs))
    pool = LocalPool(lesson, workers, settings.sandbox, settings.trust_submissions)
    try:
        yield lambda some: run_local(pool, some, settings.limits.seconds_per_submission)
    except BaseException:
        pool.kill()
        raise
    finally:
        pool.close()
