"""Writes feedback pages in a process of its own, each within limits of time and memory."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

from autograder.grading.course import Course, quick_imports

with quick_imports():
    from nbgrader.converters import GenerateFeedback

from autograder.grading.page import MARK, SECONDS, Page
from autograder.grading.rendering import TookTooLong, deadline, plainly
from course.files import write_whole

MEMORY = 2**30  # bytes that a worker may take for its pages

_pages: Any = None  # of this worker: makes the HTML of a student


def start_worker(course: Course, lesson: str, limit_memory: bool = True) -> None:
    """Makes this process a worker for `write_page`."""
    global _pages
    if limit_memory:
        _limit_memory()
    _pages = _Pages(course, lesson)


def _limit_memory() -> None:
    try:
        import resource

        now = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (now + MEMORY, now + MEMORY))
    except (ImportError, OSError, ValueError):
        pass  # no such limit on this system


class _Pages:
    """nbgrader's converter and exporter for one lesson, made once."""

    def __init__(self, course: Course, lesson: str) -> None:
        self.course, self.lesson = course, lesson
        log = logging.Logger("autograder.feedback", level=logging.CRITICAL)
        self.converter = GenerateFeedback(
            coursedir=course.directory(lesson), config=course.nbgraders_config(lesson), log=log
        )
        self.exporter = self.converter.exporter_class(
            parent=self.converter, config=self.converter.config
        )
        for step in self.converter.preprocessors:
            self.exporter.register_preprocessor(step)

    def html(self, student: str) -> str:
        path = str(self.course.autograded_of(student, self.lesson))
        resources = self.converter.init_single_notebook_resources(path)
        return str(self.exporter.from_filename(path, resources=resources)[0])


def write_page(page: Page) -> str:
    """Writes one page in this worker; returns the student's name."""
    html = None
    if not page.plain:
        try:
            with deadline(SECONDS):
                html = _pages.html(page.student)
        except (TookTooLong, MemoryError, RecursionError):
            pass  # once more, outside of what this exception still holds
    if html is None:
        with plainly(), deadline(SECONDS):
            html = _pages.html(page.student)
    place = _pages.course.feedback_of(page.student, _pages.lesson)
    mark = MARK.format(key=page.key)
    write_whole(place, html.encode("utf-8", "replace") + mark.encode())
    _pages.converter.set_permissions(_pages.lesson, page.student)
    return page.student
