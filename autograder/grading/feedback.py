"""Writes nbgrader's feedback pages for a class: those whose marks changed, each within limits.

A page carries a key of all that it shows: marks, comments, penalty and graded notebook. A page
with another key, or with none, is written anew. Pages are made by nbgrader's own converter in
worker processes with a limit on time and memory; one that overruns them is made once more with
plain text in place of colored code.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import multiprocessing
import os
from collections.abc import Callable, Mapping
from concurrent.futures import ProcessPoolExecutor
from importlib.metadata import version
from pathlib import Path

from autograder.grading.course import Course
from autograder.grading.gradebook import Standing
from autograder.grading.page import MARK, SECONDS, Page
from autograder.grading.pool import Failed, Workers, run_local

_FORMAT = 1  # goes up when this module makes other pages of the same marks


def stale_pages(course: Course, lesson: str, standings: Mapping[str, Standing]) -> list[Page]:
    """The pages that are not there, or that show other marks than `standings`."""
    about = {
        "format": _FORMAT,
        "versions": [version("nbgrader"), version("nbconvert")],
        "config": [course.config.get(c, {}) for c in ("GenerateFeedback", "HTMLExporter")],
    }
    pages = []
    for student, standing in sorted(standings.items()):
        try:
            notebook = course.autograded_of(student, lesson).stat()
        except OSError:
            continue  # marks without a graded notebook: there is nothing to show
        shown = about | {
            "notebook": [notebook.st_size, notebook.st_mtime_ns],
            "marks": {name: [m.score, m.max_score] for name, m in standing.marks.items()},
            "comments": standing.comments,
            "penalty": standing.penalty,
        }
        text = json.dumps(shown, sort_keys=True, default=str)
        key = hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()
        if _key_in(course.feedback_of(student, lesson)) != key:
            pages.append(Page(student, key))
    return pages


def _key_in(page: Path) -> str:
    """The key that a page carries; "" if there is no page, or one that nbgrader wrote itself."""
    length = len(MARK.format(key="0" * 64))
    try:
        with page.open("rb") as file:
            file.seek(-length, os.SEEK_END)
            end = file.read().decode("ascii", "replace")
    except OSError:
        return ""
    key = end[-length:][MARK.index("{") :][:64]
    return key if end == MARK.format(key=key) else ""


def refresh_feedback(
    course: Course,
    lesson: str,
    standings: Mapping[str, Standing],
    workers: int = 2,
    progress: Callable[[str, int, int], None] = lambda what, done, of: None,
) -> tuple[int, list[str]]:
    """Writes the pages that do not show `standings`.

    Returns how many there were, and one sentence for each that could not be written. Pages are
    nbgrader's; what makes them inert is what the graded notebooks hold (see
    `autograder.grading.rebuild` and `outputs`).
    """
    pages = stale_pages(course, lesson, standings)
    if not pages:
        return 0, []
    failed: list[Page] = []
    said: list[str] = []
    written: list[str] = []

    def done(student: str) -> None:
        written.append(student)
        progress("writing feedback", len(written), len(pages))

    progress("writing feedback", 0, len(pages))
    pool = PagePool(course, lesson, max(1, min(workers, len(pages))))
    try:
        for result in run_local(pool, pages, SECONDS, slack=SECONDS):
            if isinstance(result, Failed):
                failed.append(dataclasses.replace(result.job, plain=True))
            else:
                done(result)
        for result in run_local(pool, failed, SECONDS, slack=SECONDS):
            if isinstance(result, Failed):
                student = result.job.student
                said.append(f"{student}: no feedback page was written ({result.reason})")
                done(student)
            else:
                done(result)
    finally:
        pool.close()
    return len(pages), sorted(said)


class PagePool(Workers):
    """Worker processes that write feedback pages of one lesson."""

    def __init__(self, course: Course, lesson: str, workers: int) -> None:
        super().__init__(workers, _write)
        self.course, self.lesson = course, lesson

    def _new(self, workers: int) -> ProcessPoolExecutor:
        # For the process that workers are forked from, unless grading has started it already.
        multiprocessing.set_forkserver_preload(["autograder.grading.page_worker"])
        return ProcessPoolExecutor(
            workers, self._context, initializer=_start, initargs=(self.course, self.lesson)
        )


def _write(page: Page) -> str:
    from autograder.grading.page_worker import write_page

    return write_page(page)


def _start(course: Course, lesson: str) -> None:
    from autograder.grading.page_worker import start_worker

    start_worker(course, lesson)
