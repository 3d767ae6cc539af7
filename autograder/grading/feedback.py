"""Writes nbgrader's feedback pages for a class, with nbgrader's own converter in this process."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection
from pathlib import Path

from autograder.grading.course import Course, quick_imports


def write_feedback(
    course: Course,
    lesson: str,
    students: Collection[str],
    done: Callable[[str], None] = lambda student: None,
) -> list[str]:
    """Feedback pages for `students`; returns one sentence for each that could not be written.

    `done` is called after each page. Pages are nbgrader's; what makes them inert is what the graded
    notebooks hold (see `autograder.grading.rebuild` and `outputs`).
    """
    if not students:
        return []
    with quick_imports():
        from nbgrader.converters import GenerateFeedback
        from nbgrader.converters.base import NbGraderException

    class Pages(GenerateFeedback):
        def init_notebooks(self) -> None:
            wanted = {str(course.autograded_of(s, lesson)): s for s in students}
            self.notebooks = []
            self.assignments = {
                str(Path(path).parent): [path] for path in wanted if Path(path).is_file()
            }

        def convert_single_notebook(self, notebook_filename: str) -> None:
            super().convert_single_notebook(notebook_filename)
            done(Path(notebook_filename).parent.parent.name)

    said = _Errors()
    log = logging.Logger("autograder.feedback", level=logging.ERROR)
    log.addHandler(said)
    config = course.nbgraders_config(lesson)
    directory = course.directory(lesson)
    pages = Pages(coursedir=directory, config=config, log=log)
    pages.force = True
    try:
        pages.start()
    except NbGraderException:
        pass
    missing = [s for s in sorted(students) if not course.feedback_of(s, lesson).is_file()]
    why = f" ({said.last})" if said.last else ""
    return [f"{student}: no feedback page was written{why}" for student in missing]


class _Errors(logging.Handler):
    """Keeps the last line of the last error with a cause."""

    last = ""

    def emit(self, record: logging.LogRecord) -> None:
        text = record.getMessage().strip()
        if "Traceback" in text:
            self.last = text.splitlines()[-1][:200]
