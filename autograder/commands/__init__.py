"""Commands of the command line, a module each, and what they share: options, refusals, names."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

ClassDir = Annotated[
    Path | None,
    typer.Option(help="Folder with submitted/; marks go there too. Default: nbgrader_config.py's."),
]
GradebookUrl = Annotated[
    str | None, typer.Option(help="The gradebook's URL, as sqlite:///… or postgresql://…")
]


def refuse(sentence: object) -> typer.Exit:
    """Bad input: one sentence on stderr, exit code 2."""
    print(f"autograder: {sentence}", file=sys.stderr)
    return typer.Exit(2)


def lesson_name(root: Path, lesson: str) -> str:
    """The full name of a lesson, from its text or from nbgrader's source folder."""
    from autograder import lessons
    from autograder.grading.course import CourseError, open_course

    if (root / "solutions").is_dir() and lessons.lesson_names(root):
        try:
            found = lessons.find_lesson(lesson, root)
        except lessons.LessonError:
            pass
        else:
            if found in lessons.appendix_names(root):
                raise CourseError(f"{found} is an appendix: it is handed in by nobody, nor graded")
            return found
    source = open_course(root).source
    if (source / lesson / "lesson.ipynb").is_file() and lesson == Path(lesson).name:
        return lesson
    there = sorted(
        {*lessons.lesson_names(root), *(p.parent.name for p in source.glob("*/*.ipynb"))}
    )
    raise CourseError(f"no lesson is called {lesson!r}; there are: {', '.join(there) or 'none'}")
