"""`autograder export`: marks for an LMS, in its own file, or as a plain table."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from autograder.commands import ClassDir, GradebookUrl, lesson_name, refuse

if TYPE_CHECKING:
    from autograder.report.lms import Filled


def export(
    lesson: Annotated[str, typer.Argument(help="The lesson: 05_made, 05 or made.")],
    canvas: Annotated[
        Path | None, typer.Option(help="The gradebook that Canvas exported, to fill in.")
    ] = None,
    moodle: Annotated[
        Path | None, typer.Option(help="The grading worksheet of a Moodle assignment, to fill in.")
    ] = None,
    column: Annotated[
        str | None, typer.Option(help="The column to fill, where it is not called as the lesson.")
    ] = None,
    provisional: Annotated[
        bool, typer.Option("--provisional", help="Also marks with answers still to read.")
    ] = False,
    scale: Annotated[
        bool, typer.Option("--scale", help="To the points of the LMS, where they differ.")
    ] = False,
    decimal_comma: Annotated[
        bool | None, typer.Option(help="17,5 for 17.5. Default: as the file does.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="The new file. Default: in exports/ beside submitted/.")
    ] = None,
    class_dir: ClassDir = None,
    gradebook: GradebookUrl = None,
) -> None:
    """Write marks for an LMS: its own file filled in, or without one a plain CSV."""
    from autograder.grading.course import CourseError, open_course
    from autograder.grading.handed_in.arrivals import arrivals_of
    from autograder.report.class_report import class_report
    from autograder.report.lms import CANVAS, MOODLE, fill, plain_csv
    from autograder.report.marks import marks_of_class
    from course.files import write_whole

    try:
        if canvas and moodle:
            raise CourseError("give one file to fill in, --canvas or --moodle, not both")
        course = open_course(class_dir=class_dir, db_url=gradebook)
        name = lesson_name(course.root, lesson)
        source = canvas or moodle
        kind = CANVAS if canvas else MOODLE if moodle else "marks"
        place = out or course.submitted.parent / "exports" / f"{name}-{kind}.csv"
        if source and place.resolve() == source.resolve():
            raise CourseError(f"{place} is the file of the LMS itself: name another with --out")
        marks, report = marks_of_class(course, name), class_report(course, name)
        arrivals = arrivals_of(course, name)
        told = None
        if source is None:
            content = plain_csv(marks, report, arrivals)
        else:
            told = fill(
                kind, source.read_bytes(), str(source), marks, report, arrivals, column=column,
                provisional=provisional, scale=scale, decimal_comma=decimal_comma,
            )  # fmt: skip
            content = told.content
        write_whole(place, content)
    except (CourseError, LookupError, ValueError, OSError) as error:
        raise refuse(error) from None
    if told is not None:
        _say(told)
    print(f"marks: {place}")


def _say(told: Filled) -> None:
    """What was filled in, and whatever a person should look at, on stderr a line each."""
    from autograder.grading.summary import printable_line

    print(f"{len(told.filled)} marks filled in, column {printable_line(told.column)}")
    lines = list(told.notes)
    lines += [f"changed: {text}" for text in told.changed]
    lines += [f"found by name only: {row} is {key}" for row, key in told.by_name]
    lines += [f"left as it was: {key} ({why})" for key, why in told.left]
    lines += [
        f"not in the gradebook: {row}" + (f" ({why})" if why else "")
        for row, why in told.unmatched_rows
    ]
    lines += [f"not in the LMS's file: {key}" for key in told.unmatched_students]
    for line in lines:
        print(f"  {printable_line(line)}", file=sys.stderr)
