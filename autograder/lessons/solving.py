"""Solves lessons: what banks, tests and the grader take from a text, or from a built notebook."""

from __future__ import annotations

import linecache
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from autograder.lessons.building import build_source
from autograder.lessons.lesson import BEGIN, END, RELEASE, ROOT, LessonError
from autograder.lessons.reading import find_lesson, load_lesson, plain_python
from autograder.lessons.term import in_term, read_term

if TYPE_CHECKING:
    from nbformat import NotebookNode


def source_notebook(name: str, root: Path = ROOT, *, dated: bool = True) -> NotebookNode:
    """The instructor's notebook of a lesson, built afresh from its text, so never stale.

    It asks what the term of the course at `root` asks. Marks do not depend on a due date, so the
    notebook that they are reached with is not `dated`.
    """
    lesson = in_term(load_lesson(name, root), read_term(root))
    return build_source(lesson if dated else replace(lesson, due=None))


def release_notebook(name: str, root: Path = ROOT) -> NotebookNode:
    """The student's notebook of a lesson, as it lies in course/."""
    import nbformat

    path = root / RELEASE / find_lesson(name, root) / "lesson.ipynb"
    if not path.is_file():
        raise LessonError(path, 1, "this notebook is not built yet: run make notebooks")
    return nbformat.read(path, as_version=4)


def exercise_source(name: str, exercise: str, root: Path = ROOT) -> str:
    """The solved text of an exercise's cell, without the solution markers."""
    lesson = load_lesson(name, root)
    if exercise not in lesson.exercises:
        there = ", ".join(lesson.exercises)
        raise LessonError(lesson.path, 1, f"no exercise is called {exercise!r}; there are: {there}")
    lines = lesson.exercises[exercise].source.split("\n")
    return "\n".join(line for line in lines if BEGIN not in line and END not in line)


def solution_functions(
    name: str, root: Path = ROOT, instead: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """A fresh namespace in which the lesson's exercises are solved.

    Runs the exercise cells and the definition cells (code without role or demo tag), not the
    demos and the checks. Tracebacks show the lines of the lesson's text, or of the answer that
    stands there `instead`: exercise → the text in its cell.
    """
    lesson = load_lesson(name, root)
    namespace: dict[str, Any] = {"__name__": "__main__", "LESSON": lesson.name}
    for cell in lesson.cells:
        if cell.role == "exercise" or cell.is_definition:
            text = (instead or {}).get(cell.name if cell.role else "", cell.source)
            source, file = "\n" * cell.line + plain_python(text), str(lesson.path)
            if text is not cell.source:
                file = f"<{cell.name}, another answer {hash(source):x}>"
                linecache.cache[file] = (len(source), None, source.splitlines(True), file)
            exec(compile(source, file, "exec", dont_inherit=True), namespace)
    return namespace
