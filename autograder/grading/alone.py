"""One grader at a time for a lesson of a class: a second one is refused in a sentence."""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import Iterator

from filelock import FileLock, Timeout

from autograder.grading.course import Course, CourseError


@contextlib.contextmanager
def alone(course: Course, lesson: str) -> Iterator[None]:
    """Holds the lesson's lock, beside the class's records; CourseError if another one holds it.

    The operating system gives the lock back when a process ends, however it ends.
    """
    course.records.mkdir(parents=True, exist_ok=True)
    path = course.records / f".{lesson}.lock"
    who = path.with_suffix(".holder")
    lock = FileLock(path, timeout=0)
    try:
        lock.acquire()
    except Timeout:
        holder = ""
        with contextlib.suppress(OSError, UnicodeDecodeError):
            holder = f" ({who.read_text(encoding='utf-8')[:100]})"
        raise CourseError(
            f"another autograder is grading {lesson} of this class{holder}: wait until it is done"
        ) from None
    try:
        with contextlib.suppress(OSError):
            who.write_text(f"process {os.getpid()} on {socket.gethostname()}", encoding="utf-8")
        yield
    finally:
        lock.release()
