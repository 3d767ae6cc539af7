"""Grades one submission in a process of its own: the function that an executor runs.

A job is plain data and carries the submission's bytes, so that a worker needs no access to the
class folder. A worker opens its sandbox once, or asks the warm parent that its pool shares.
"""

from __future__ import annotations

import json
import multiprocessing
import multiprocessing.connection
import os
import platform
import socket
import threading
from dataclasses import dataclass, field
from functools import lru_cache
from importlib import metadata
from typing import Any

from autograder.checking import checks_of
from autograder.grading.errors import CourseError
from autograder.grading.guests import Guests, attached, open_guests
from autograder.grading.judge import Outcome, judge_notebook
from autograder.grading.matching import checked_name
from autograder.grading.rebuild import (
    Notebook,
    is_graded,
    nbgrader_of,
    nothing_handed_in,
    rebuild,
)
from autograder.grading.submission import Unreadable, parse
from autograder.sandbox.limits import Limits
from autograder.steps import call_of


@dataclass(frozen=True)
class Job:
    """What a worker needs to grade one submission. `template` is the lesson's notebook as JSON.

    `outlines` tell the course's lessons apart, `notes` say how the file was chosen (see
    `autograder.grading.recognize`).
    """

    student: str
    lesson: str
    raw: bytes
    digest: str
    template: str
    seed: int
    sandbox: str = "auto"
    trust_submissions: bool = False
    run_demos: bool = False
    limits: dict[str, Any] = field(default_factory=dict)
    outlines: dict[str, frozenset[str]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


@dataclass
class Graded:
    """A graded submission. `unreadable` says why it could not be judged: then it has no marks.

    (Or 0, where the instructor wants that: its notebook and outcomes are those of an empty one.)
    """

    student: str
    lesson: str
    digest: str
    notebook: Notebook
    outcomes: list[Outcome] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    unreadable: str = ""
    seed: int = 0
    seconds: float = 0.0
    peak_memory_bytes: int = 0  # of its largest process, the libraries included; 0 if not known
    restarts: int = 0
    sandbox: str = ""
    versions: dict[str, str] = field(default_factory=dict)

    @property
    def score(self) -> float:
        """Points earned so far."""
        return sum(o.score or 0.0 for o in self.outcomes)

    @property
    def max_score(self) -> float:
        """What the lesson is worth."""
        return sum(o.points for o in self.outcomes)


_guests: dict[tuple[str, bool], Guests] = {}


def start_worker(
    lesson: str, sandbox: str, trust: bool, control: socket.socket | None, kind: str
) -> None:
    """Makes a process of a pool ready, and sees to it that it does not outlive its pool."""
    import torch  # here, so that the process that only hands out jobs does without

    torch.set_num_threads(1)
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_follow, args=(parent.sentinel,), daemon=True).start()
    if control is not None:
        _guests[sandbox, trust] = attached(control, kind)
    checks_of(lesson)


def _follow(sentinel: int) -> None:
    multiprocessing.connection.wait([sentinel])
    os._exit(1)


def guests_of(sandbox: str, trust: bool) -> Guests:
    """This process's guests, opened once."""
    if (sandbox, trust) not in _guests:
        _guests[sandbox, trust] = open_guests(sandbox, trust_submissions=trust)
    return _guests[sandbox, trust]


def grade(job: Job) -> Graded:
    """Parses, rebuilds and judges one submission."""
    template = _template(job.template)
    known = checks_of(job.lesson)
    for cell in template["cells"]:
        if (name := checked_name(cell)) and name not in known:
            raise CourseError(
                f"{job.lesson} has the cell {call_of(name)}, but no check of that name"
            )
    try:
        rebuilt = rebuild(template, parse(job.raw), job.lesson, job.outlines)
    except Unreadable as why:
        return unreadable(job.student, job.lesson, job.digest, template, str(why))
    limits = Limits.from_mapping(job.limits)
    guests = guests_of(job.sandbox, job.trust_submissions)
    result = judge_notebook(
        rebuilt.notebook,
        job.lesson,
        lambda: guests.spawn(limits),
        limits,
        seed=job.seed,
        run_demos=job.run_demos,
    )
    return Graded(
        student=job.student,
        lesson=job.lesson,
        digest=job.digest,
        notebook=result.notebook,
        outcomes=result.outcomes,
        problems=[*job.notes, *rebuilt.problems, *result.problems],
        seed=result.seed,
        seconds=round(result.seconds, 3),
        peak_memory_bytes=result.peak_memory_bytes,
        restarts=result.restarts,
        sandbox=guests.kind,
        versions=versions(),
    )


def unreadable(student: str, lesson: str, digest: str, template: Notebook, why: str) -> Graded:
    """A submission that could not be judged, and why; its outcomes are 0 where 0 is wanted."""
    outcomes = [
        Outcome(
            nbgrader_of(cell)["grade_id"],
            float(nbgrader_of(cell)["points"]),
            score=0.0,
            status="not read",
            headline=why,
        )
        for cell in template["cells"]
        if is_graded(cell)
    ]
    return Graded(
        student, lesson, digest, nothing_handed_in(template, why), outcomes, unreadable=why
    )


@lru_cache(maxsize=4)
def _template(text: str) -> Notebook:
    notebook: Notebook = json.loads(text)
    return notebook


@lru_cache(maxsize=1)
def _versions() -> tuple[tuple[str, str], ...]:
    found = [("python", platform.python_version())]
    for name in ("torch", "numpy", "ipython", "nbgrader", "autoregressive-course"):
        try:
            found.append((name, metadata.version(name)))
        except metadata.PackageNotFoundError:
            continue
    return tuple(found)


def versions() -> dict[str, str]:
    """The versions that a verdict may depend on."""
    return dict(_versions())
