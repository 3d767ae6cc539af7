"""Grades a class: submissions in; graded notebooks, marks, records, feedback out.

A submission is done when its record is written, which is last; a run that was stopped picks up
where it was. Every step for one student stands behind `_ClassRun._barrier`: what goes wrong there
is that student's line, nothing of it is half written, and the next run tries again. Marks are what
the gradebook says, in the table too.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import secrets
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from dataclasses import dataclass, field
from typing import Any

from autograder.grading.alone import alone
from autograder.grading.arrivals import time_of, timestamp_of
from autograder.grading.course import (
    Course,
    CourseError,
    Template,
    kept_template,
    source_notebook,
    template_of,
)
from autograder.grading.gradebook import (
    GradebookLocked,
    Marks,
    Standing,
    json_bytes,
    notebook_bytes,
)
from autograder.grading.pool import Failed, LocalPool, run_local, run_on
from autograder.grading.recognize import notebook_to_grade, outlines_of
from autograder.grading.record import Basis, NoRecord, is_current, read_record, record_of
from autograder.grading.submission import Unreadable
from autograder.sandbox.limits import Limits
from course.files import write_whole, written_together

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Settings:
    """How a class is graded; the command line has an option for each.

    `unreadable` says what becomes of a submission that cannot be judged (no notebook, of another
    lesson, damaged): "ask" leaves it without marks, "zero" writes 0.
    """

    sandbox: str = "auto"
    trust_submissions: bool = False
    trust_timestamps: bool = False
    workers: int = 2
    force: bool = False
    run_demos: bool = False
    feedback: bool = True
    update_lesson: bool = False
    unreadable: str = "ask"
    limits: Limits = field(default_factory=Limits)

    def __post_init__(self) -> None:
        if self.unreadable not in ("ask", "zero"):
            raise ValueError(f"unreadable is 'ask' or 'zero': got {self.unreadable!r}")


@dataclass(frozen=True)
class Line:
    """One student's line of the class's table; all numbers are the gradebook's.

    `state` is "graded", "kept" (graded by an earlier run), "not graded" (it could not be judged, or
    the grader failed: no marks were written) or "not read" (0, since `Settings.unreadable` asks for
    that). `penalty` is taken off `score` already.
    """

    student: str
    state: str
    score: float = 0.0
    max_score: float = 0.0
    to_read: int = 0
    first: str = ""
    problems: tuple[str, ...] = ()
    seconds_late: float = 0.0
    penalty: float = 0.0

    @property
    def done(self) -> bool:
        """Whether the marks are complete: graded, and no answer waits for a person."""
        return self.state != "not graded" and not self.to_read


@dataclass
class ClassResult:
    """What a run did: a line for each student, in order of their names, and what was odd."""

    course: Course
    lesson: str
    lines: list[Line]
    seconds: float = 0.0
    sandbox: str = ""
    notes: list[str] = field(default_factory=list)
    failed_pages: list[str] = field(default_factory=list)

    @property
    def failed(self) -> bool:
        """Whether a submission was left without marks, or without its feedback."""
        return bool(self.failed_pages) or any(line.state == "not graded" for line in self.lines)


def grade_class(
    course: Course,
    lesson: str,
    settings: Settings = Settings(),
    *,
    executor: Executor | None = None,
    progress: Progress = lambda what, done, of: None,
) -> ClassResult:
    """Grades all submissions of `lesson`, on `executor` or on processes of this machine.

    Raises CourseError, or the sandbox's NoSandbox, in one sentence, before anything is written:
    also if another process is grading the same lesson of this class.
    """
    try:
        with alone(course, lesson):
            return _grade_class(course, lesson, settings, executor, progress)
    except OSError as error:  # one student's stay behind the barrier: this is the class's
        raise CourseError(f"{lesson} cannot be graded: {sentence_of(error)}") from None


def _grade_class(
    course: Course,
    lesson: str,
    settings: Settings,
    executor: Executor | None,
    progress: Progress,
) -> ClassResult:
    began = time.monotonic()
    students = students_of(course, lesson)
    if not students:
        raise CourseError(
            f"nobody has handed in {lesson}: there is no {course.submitted}/STUDENT/{lesson}"
        )
    for folder in (course.autograded, course.records):
        there = next(place for place in (folder, *folder.parents) if place.exists())
        tempfile.TemporaryFile(dir=there).close()  # now, not after an hour's work
    _sweep(course, lesson)
    pool, template = None, kept_template(course, lesson)
    try:
        if executor is None and settings.workers > 0:
            # Early, since it takes seconds to warm up; not if all is graded already.
            if settings.force or not all(
                template and _kept(course, lesson, student, template, settings)
                for student in students
            ):
                pool = _pool(lesson, settings, len(students))
        template = template or template_of(course, lesson)
        with Marks(course, lesson) as marks:
            if pool is not None:
                pool.start_server()
            notes = marks.ensure_assignment(
                template.notebook,
                lambda: source_notebook(course, lesson),
                update=settings.update_lesson,
            )
            run = _ClassRun(course, lesson, settings, template, marks, progress)
            todo = run.sort_out(students)
            if todo and pool is None and executor is None:
                pool = _pool(lesson, settings, len(todo))
            run.grade(todo, executor, pool)
            standings = marks.standings()
    except BaseException:
        if pool is not None:
            pool.kill()  # nobody waits for what is still running
        raise
    finally:
        if pool is not None:
            pool.close()
    failed_pages: list[str] = []
    if settings.feedback:
        from autograder.grading.feedback import refresh_feedback

        shown = {s: standings[s] for s in students if s in standings}
        _, failed_pages = refresh_feedback(course, lesson, shown, settings.workers, progress)
    lines = [_line(student, run.told[student], standings.get(student)) for student in students]
    seconds = time.monotonic() - began
    return ClassResult(course, lesson, lines, seconds, run.sandbox, list(notes), failed_pages)


def _sweep(course: Course, lesson: str) -> None:
    """Removes what a killed run left half written; nobody else writes while the lock is held."""
    for folder in (course.records / lesson, *course.autograded.glob(f"*/{lesson}")):
        for part in folder.glob(".*.part"):
            part.unlink(missing_ok=True)


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
    course: Course, lesson: str, student: str, template: Template, settings: Settings
) -> dict[str, Any] | None:
    """The record of an earlier run, if it still holds."""
    if not course.autograded_of(student, lesson).is_file():
        return None
    basis = basis_of(course, lesson, student, template, settings)
    return is_current(course.record_of(student, lesson), basis)


def basis_of(
    course: Course, lesson: str, student: str, template: Template, settings: Settings
) -> Basis:
    """What this run would judge the student's submission by."""
    try:
        handed_in = notebook_to_grade(course, lesson, student, template)
        digest = hashlib.sha256(handed_in.raw).hexdigest()
    except Unreadable as why:
        digest = _digest_of(str(why))
    return Basis(
        digest, template.key, settings.limits, settings.run_demos, settings.trust_submissions
    )


def _digest_of(reason: str) -> str:
    return "unread-" + hashlib.sha256(reason.encode()).hexdigest()


def job_of(
    course: Course,
    lesson: str,
    student: str,
    template: Template,
    settings: Settings,
    seed: int | None = None,
) -> Any:
    """The worker's job for a student's submission; Unreadable if there is no notebook to grade."""
    from autograder.grading.worker import Job

    found = notebook_to_grade(course, lesson, student, template)
    return Job(
        student=student,
        lesson=lesson,
        raw=found.raw,
        digest=hashlib.sha256(found.raw).hexdigest(),
        template=template.text,
        seed=secrets.randbits(64) if seed is None else seed,
        sandbox=settings.sandbox,
        trust_submissions=settings.trust_submissions,
        run_demos=settings.run_demos,
        limits=settings.limits.as_dict(),
        outlines=outlines_of(course),
        notes=found.notes,
    )


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
        self.told: dict[str, _Told] = {}
        self.sandbox = ""
        self.done = self.of = 0

    @contextlib.contextmanager
    def _barrier(self, student: str) -> Iterator[None]:
        """Whatever goes wrong inside costs this student's line, and nobody else's.

        But a gradebook that stays locked is nobody's own: nothing could be written for anyone.
        """
        try:
            yield
        except GradebookLocked:
            raise
        except Exception as error:
            self.told[student] = _Told("not graded", sentence_of(error))

    def sort_out(self, students: list[str]) -> list[str]:
        """Keeps what an earlier run has done; the students whose submissions are to be graded."""
        todo = []
        marked = self.marks.standings()
        for student in students:
            told = None
            # A record that cannot be read is none: the submission is graded again.
            with contextlib.suppress(Exception):
                if student in marked and not self.settings.force:
                    told = self._as_told_before(student)
            if told is None:
                todo.append(student)
            else:
                self.told[student] = told
        return todo

    def _as_told_before(self, student: str) -> _Told | None:
        record = _kept(self.course, self.lesson, student, self.template, self.settings)
        return _told(record, "kept") if record else None

    def grade(self, students: list[str], executor: Executor | None, pool: LocalPool | None) -> None:
        """Grades and writes, one result after the other as they come."""
        self.of = len(students)
        self.progress("grading", 0, self.of)
        jobs = self._jobs(students)
        seconds = self.settings.limits.seconds_per_submission
        if pool is not None:
            results = run_local(pool, jobs, seconds)
        else:
            assert executor is not None, "jobs need a pool, or an executor"
            results = run_on(executor, jobs)
        if not students:
            return
        for result in results:
            student = result.job.student if isinstance(result, Failed) else result.student
            with self._barrier(student):
                if isinstance(result, Failed):
                    self._failed(result)
                elif result.unreadable:
                    self._cannot_judge(student, result.digest, result.unreadable)
                else:
                    self._write(result)
            self._count_one()

    def _count_one(self) -> None:
        self.done += 1
        self.progress("grading", self.done, self.of)

    def _jobs(self, students: list[str]) -> Iterator[Any]:
        """Jobs for the submissions that can be opened; the others are written at once."""
        for student in students:
            job = None
            with self._barrier(student):
                job = self._job(student)
            if job is None:
                self._count_one()
            else:
                yield job

    def _job(self, student: str) -> Any:
        """The job of one submission; None if there is no notebook to grade, which is told then."""
        try:
            return job_of(self.course, self.lesson, student, self.template, self.settings)
        except Unreadable as why:
            self._cannot_judge(student, _digest_of(str(why)), str(why))
            return None

    def _cannot_judge(self, student: str, digest: str, why: str) -> None:
        """A submission that cannot be judged: no marks, or 0 where the instructor wants that.

        The record says why, unless it is that of an earlier submission, whose marks stay.
        """
        from autograder.grading.worker import unreadable

        graded = unreadable(student, self.lesson, digest, self.template.notebook, why)
        if self.settings.unreadable == "zero":
            self._write(graded)
            return
        self.told[student] = _Told("not graded", why)
        place = self.course.record_of(student, self.lesson)
        try:
            if not read_record(place)["unreadable"]:
                return
        except NoRecord:
            pass
        graded.outcomes = []
        record = record_of(
            place,
            graded,
            key=self.template.key,
            limits=self.settings.limits,
            demos=self.settings.run_demos,
            score=0.0,
        )
        write_whole(place, json_bytes(record))

    def _write(self, graded: Any) -> None:
        """Graded notebook, marks and record: all of them or none.

        The files lie ready before the gradebook commits, and the record, which makes this
        submission done, gets its name last.
        """
        student, scores = graded.student, {o.grade_id: o.score for o in graded.outcomes}
        with written_together() as put:
            notebook = self.course.autograded_of(student, self.lesson)
            put(notebook, notebook_bytes(graded.notebook))
            when = time_of(
                self.course.submitted,
                student,
                self.lesson,
                graded.digest,
                trust_timestamps=self.settings.trust_timestamps,
            )
            place = self.course.record_of(student, self.lesson)
            with self.marks.writing(student, graded.notebook, scores, timestamp=when) as score:
                record = record_of(
                    place,
                    graded,
                    key=self.template.key,
                    limits=self.settings.limits,
                    demos=self.settings.run_demos,
                    score=score,
                )
                told = _told(record, "graded")
                if said := timestamp_of(self.course.submitted, student, self.lesson):
                    put(notebook.with_name("timestamp.txt"), said)  # nbgrader sees a newer one
                put(place, json_bytes(record))
        self.sandbox = graded.sandbox or self.sandbox
        self.told[student] = told

    def _failed(self, failed: Failed) -> None:
        if failed.crashed:
            self._cannot_judge(failed.job.student, failed.job.digest, failed.reason)
        else:
            self.told[failed.job.student] = _Told("not graded", failed.reason)


@dataclass(frozen=True)
class _Told:
    """What is to be said of a submission beside its marks.

    `why` says why it was not read or not graded; `missed` has, of each cell that lost points when
    it was judged, its grade_id and a sentence.
    """

    state: str
    why: str = ""
    missed: tuple[tuple[str, str], ...] = ()
    problems: tuple[str, ...] = ()


def _told(record: dict[str, Any], state: str) -> _Told:
    """What a record says."""
    return _Told(
        state="not read" if record["unreadable"] else state,
        why=record["unreadable"],
        missed=tuple(
            (o["grade_id"], f"{_exercise(o)}: {o['headline'] or o['status']}")
            for o in record["outcomes"]
            if o["score"] is not None and o["score"] < o["points"]
        ),
        problems=tuple(record["problems"]),
    )


def _line(student: str, told: _Told, standing: Standing | None) -> Line:
    """The line of a student: the numbers are the gradebook's, the words the record's."""
    if standing is None or told.state == "not graded":
        why = told.why or "the gradebook has no marks"
        if standing is not None:
            why += f" (the gradebook keeps {standing.score:g} / {standing.max_score:g} from before)"
        return Line(student, "not graded", first=why, problems=told.problems)
    lost = {name for name, mark in standing.marks.items() if mark.score < mark.max_score}
    return Line(
        student=student,
        state=told.state,
        score=standing.score,
        max_score=standing.max_score,
        to_read=standing.to_read,
        first=told.why or next((said for name, said in told.missed if name in lost), ""),
        problems=told.problems,
        seconds_late=standing.seconds_late,
        penalty=standing.penalty,
    )


def sentence_of(error: BaseException) -> str:
    """What went wrong, in one line for a person."""
    if isinstance(error, CourseError):
        return str(error)
    if isinstance(error, OSError) and error.strerror:
        full = "the disk is full: " if error.errno in (errno.ENOSPC, errno.EDQUOT) else ""
        place = f": {error.filename}" if error.filename else ""
        return f"{full}{error.strerror}{place}"
    return f"{type(error).__name__}: {error}"


def _exercise(outcome: dict[str, Any]) -> str:
    return str(outcome["verdict"]["name"] if outcome["verdict"] else outcome["grade_id"])
