"""`autograder feedback`: the pages of a lesson whose marks or comments changed."""

from __future__ import annotations

from typing import Annotated

import typer

from autograder.commands import ClassDir, GradebookUrl, lesson_name, refuse


def feedback(
    lesson: Annotated[str, typer.Argument(help="The lesson: 05_made, 05 or made.")],
    class_dir: ClassDir = None,
    gradebook: GradebookUrl = None,
    workers: Annotated[int, typer.Option(min=1, help="Pages written side by side.")] = 2,
) -> None:
    """Write the feedback pages whose marks or comments have changed, as after formgrader."""
    from rich.console import Console

    from autograder.grading.course import CourseError, open_course
    from autograder.grading.feedback import refresh_feedback
    from autograder.grading.gradebook import Marks
    from autograder.grading.summary import printable_line, progress_bars

    try:
        course = open_course(class_dir=class_dir, db_url=gradebook)
        name = lesson_name(course.root, lesson)
        with Marks(course, name) as marks:
            standings = marks.standings()
        if not standings:
            raise CourseError(f"nobody has marks for {name} yet: grade it first")
        with progress_bars(Console(stderr=True)) as progress:
            pages, failed = refresh_feedback(course, name, standings, workers, progress)
    except (CourseError, LookupError, ValueError, OSError) as error:
        raise refuse(error) from None
    print(f"{pages - len(failed)} pages written, {len(standings) - pages} as they were")
    for sentence in failed:
        print(printable_line(f"  {sentence}"))
    if failed:
        raise typer.Exit(1)
