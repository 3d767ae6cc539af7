"""`autograder report`: the class page of a lesson."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from autograder.commands import ClassDir, GradebookUrl, lesson_name, refuse


def report(
    lesson: Annotated[str, typer.Argument(help="The lesson: 05_made, 05 or made.")],
    class_dir: ClassDir = None,
    gradebook: GradebookUrl = None,
    out: Annotated[
        Path | None, typer.Option(help="The page. Default: reports/LESSON.html beside submitted/.")
    ] = None,
    names: Annotated[
        bool,
        typer.Option("--names", help="Full names where known, and whose an example is."),
    ] = False,
) -> None:
    """Write the class page of a lesson: one HTML file, to open from disk."""
    from autograder.grading.course import CourseError, open_course
    from autograder.report import write_report

    try:
        course = open_course(class_dir=class_dir, db_url=gradebook)
        page = write_report(course, lesson_name(course.root, lesson), out=out, names=names)
    except (CourseError, LookupError, ValueError, OSError) as error:
        raise refuse(error) from None
    print(f"report: {page}")
