"""Grades a class: submissions in; graded notebooks, marks, records, feedback out.

A submission is done when its record is written, which is last; a run that was stopped picks up
where it was. Whatever one submission does, the others are graded.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from autograder.grading.arrivals import keep_timestamp, time_of
from autograder.grading.course import Course, CourseError, Template, source_notebook, template_of
from autograder.grading.gradebook import Marks, notebook_bytes
from autograder.grading.pool import Failed, LocalPool, run_local, run_on
from autograder.grading.record import is_current, write_record
from autograder.grading.submission import Unreadable, read_bytes
from autograder.sandbox.limits import Limits
from course.files import write_whole

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Settings:
    """How a class is graded; the command line has an option for each."""

    sandbox: str = "auto"
    trust_submissions: bool = False
    trust_timestamps: bool = False
    workers: int = 2
    force: bool = False
    run_demos: bool = False
    feedback: bool = True
    limits: Limits = field(default_factory=Limits)


@dataclass(frozen=True)
class Line:
    """One student's line of the class's table.

    `state` is "graded", "kept" (graded by an earlier run), "not read" (0, with the reason) or "not
    graded" (our failure: no marks were written).
    """

    student: str
    state: str
    score: float = 0.0
    max_score: float = 0.0
    to_read: int = 0
    first: str = ""
    problems: tuple[str, ...] = ()


@dataclass
class ClassResult:
    """What a run did: a line for each student, in order of their names, and what was odd."""

    course: Course
    lesson: str
    lines: list[Line]
    seconds: float = 0.0
    sandbox: str = ""
    notes: list[str] = field(default_factory=list)

    @property
    def failed(self) -> bool:
        """Whether a submission was left without marks."""
        return any(line.state == "not graded" for line in self.lines)


def grade_class(
    course: Course,
    lesson: str,
    settings: Settings = Settings(),
    *,
    executor: Executor | None = None,
    progress: Progress = lambda what, done, of: None,
) -> ClassResult:
    """Grades all submissions of `lesson`, on `executor` or on processes of this machine.

    Raises CourseError, or the sandbox's NoSandbox, in one sentence, before anything is written.
    """
    began = time.monotonic()
    students = students_of(course, lesson)
    if not students:
        raise CourseError(
            f"nobody has handed in {lesson}: there is no {course.submitted}/STUDENT/{lesson}"
        )
    pool = None
    try:
        if executor is None and settings.workers > 0:
            # Early, since it takes seconds to warm up; not if all is graded already.
            from autograder.grading.course import source_key

            key = source_key(course, lesson)
            if settings.force or any(not _kept(course, lesson, s, key, settings) for s in students):
                pool = _pool(lesson, settings, len(students))
        template = template_of(course, lesson)
        with Marks(course, lesson) as marks:
            if pool is not None:
                pool.start_server()
            marks.ensure_assignment(template.notebook, lambda: source_notebook(course, lesson))
            run = _ClassRun(course, lesson, settings, template, marks, progress)
            todo = run.sort_out(students)
            if todo and pool is None and executor is None:
                pool = _pool(lesson, settings, len(todo))
            run.grade(todo, executor, pool)
    except BaseException:
        if pool is not None:
            pool.kill()  # nobody waits for what is still running
        raise
    finally:
        if pool is not None:
            pool.close()
    if settings.feedback:
        run.write_feedback()
    lines = [run.lines[student] for student in students]
    return ClassResult(course, lesson, lines, time.monotonic() - began, run.sandbox, run.notes)


def _pool(lesson: str, settings: Settings, jobs: int) -> LocalPool:
    workers = max(1, min(settings.workers, jobs))
    return LocalPool(lesson, workers, settings.sandbox, settings.trust_submissions)


def students_of(course: Course, lesson: str) -> list[str]:
    """The students who handed in something for `lesson`, by name."""
    if not course.submitted.is_dir():
        return []
    return sorted(
        entry.name
        for entry in os.scandir(course.submitted)
        if not entry.name.startswith(".") and os.path.lexists(os.path.join(entry.path, lesson))
    )


def _kept(
    course: Course, lesson: str, student: str, key: str, settings: Settings
) -> dict[str, Any] | None:
    """The record of an earlier run, if it still holds."""
    try:
        digest = hashlib.sha256(_read(course, lesson, student)).hexdigest()
    except Unreadable as why:
        digest = _digest_of(str(why))
    record = is_current(course.record_of(student, lesson), digest, key, settings.run_demos)
    return record if record and course.autograded_of(student, lesson).is_file() else None


def _read(course: Course, lesson: str, student: str) -> bytes:
    return read_bytes(course.submission_of(student, lesson), course.submitted)


def _digest_of(reason: str) -> str:
    return "unread-" + hashlib.sha256(reason.encode()).hexdigest()


class _ClassRun:
    """One run over a class."""

    def __init__(
        self,
        course: Course,
        lesson: str,
        settings: Settings,
        template: Template,
        marks: Marks,
        progress: Progress,
    ) -> None:
        self.course, self.lesson, self.settings = course, lesson, settings
        self.template, self.marks, self.progress = template, marks, progress
        self.lines: dict[str, Line] = {}
        self.notes: list[str] = []
        self.sandbox = ""
        self.for_feedback: list[str] = []
        self.done = 0

    def sort_out(self, students: list[str]) -> list[str]:
        """Keeps what an earlier run has done; the students whose submissions are to be graded."""
        todo = []
        for student in students:
            record = None
            if not self.settings.force:
                record = _kept(self.course, self.lesson, student, self.template.key, self.settings)
            if record and self.marks.has(student):
                self.lines[student] = _line(record, "kept")
                if not self.course.feedback_of(student, self.lesson).is_file():
                    self.for_feedback.append(student)
            else:
                todo.append(student)
        return todo

    def grade(self, students: list[str], executor: Executor | None, pool: LocalPool | None) -> None:
        """Grades and writes, one result after the other as they come."""
        self.progress("grading", 0, len(students))
        jobs = self._jobs(students)
        seconds = self.settings.limits.seconds_per_submission
        results = run_on(executor, jobs) if pool is None else run_local(pool, jobs, seconds)
        if not students:
            return
        for result in results:
            if isinstance(result, Failed):
                self._failed(result)
            else:
                self._write(result)
            self.done += 1
            self.progress("grading", self.done, len(students))

    def _jobs(self, students: list[str]) -> Iterator[Any]:
        """Jobs for the submissions that can be opened; the others are written at once."""
        from autograder.grading.worker import Job, unreadable

        settings = self.settings
        for student in students:
            try:
                raw = _read(self.course, self.lesson, student)
            except Unreadable as why:
                digest, template = _digest_of(str(why)), self.template.notebook
                self._write(unreadable(student, self.lesson, digest, template, str(why)))
                self.done += 1
                self.progress("grading", self.done, len(students))
                continue
            yield Job(
                student=student,
                lesson=self.lesson,
                raw=raw,
                digest=hashlib.sha256(raw).hexdigest(),
                template=self.template.text,
                seed=secrets.randbits(64),
                sandbox=settings.sandbox,
                trust_submissions=settings.trust_submissions,
                run_demos=settings.run_demos,
                limits=settings.limits.as_dict(),
            )

    def _write(self, graded: Any) -> None:
        """Notebook, then gradebook, then record: the order that makes a record a receipt."""
        student = graded.student
        place = self.course.autograded_of(student, self.lesson)
        write_whole(place, notebook_bytes(graded.notebook))
        keep_timestamp(self.course.submitted, student, self.lesson, place)
        score = self.marks.write(
            student,
            graded.notebook,
            {outcome["grade_id"]: outcome["score"] for outcome in graded.outcomes},
            timestamp=time_of(
                self.course.submitted,
                student,
                self.lesson,
                graded.digest,
                trust_timestamps=self.settings.trust_timestamps,
            ),
        )
        record = write_record(
            self.course.record_of(student, self.lesson),
            graded,
            key=self.template.key,
            limits=self.settings.limits,
            demos=self.settings.run_demos,
            score=score,
        )
        self.sandbox = graded.sandbox or self.sandbox
        self.lines[student] = _line(record, "not read" if graded.unreadable else "graded")
        self.for_feedback.append(student)

    def _failed(self, failed: Failed) -> None:
        from autograder.grading.worker import unreadable

        student = failed.job.student
        if failed.crashed:
            template = self.template.notebook
            self._write(
                unreadable(student, self.lesson, failed.job.digest, template, failed.reason)
            )
        else:
            self.lines[student] = Line(student, "not graded", first=failed.reason)

    def write_feedback(self) -> None:
        """nbgrader's feedback page for whoever has none of these marks yet."""
        from autograder.grading.feedback import write_feedback

        total, written = len(self.for_feedback), 0

        def done(student: str) -> None:
            nonlocal written
            written += 1
            self.progress("writing feedback", written, total)

        self.progress("writing feedback", 0, total)
        self.notes += write_feedback(self.course, self.lesson, self.for_feedback, done)


def _line(record: dict[str, Any], state: str) -> Line:
    """The line that a record says."""
    if record["unreadable"]:
        state = "not read"
    missed = [o for o in record["outcomes"] if o["score"] is not None and o["score"] < o["points"]]
    first = record["unreadable"]
    if not first and missed:
        first = f"{_exercise(missed[0])}: {missed[0]['headline'] or missed[0]['status']}"
    return Line(
        student=record["student"],
        state=state,
        score=record["score"],
        max_score=record["max_score"],
        to_read=sum(o["score"] is None for o in record["outcomes"]),
        first=first,
        problems=tuple(record["problems"]),
    )


def _exercise(outcome: dict[str, Any]) -> str:
    return outcome["verdict"]["name"] if outcome["verdict"] else outcome["grade_id"]


def import_zip(course: Course, lesson: str, archive: Path) -> list[str]:
    """Puts an LMS's zip into nbgrader's layout; one sentence for each entry that was left out."""
    from autograder.grading.handed_in import NoZip, unpack

    try:
        arrivals = unpack(archive, course.submitted, lesson)
    except NoZip as error:
        raise CourseError(str(error)) from None
    if not arrivals:
        raise CourseError(f"{archive} holds no notebook")
    return [f"{a.entry} was left out: {a.refused}" for a in arrivals if a.refused]
