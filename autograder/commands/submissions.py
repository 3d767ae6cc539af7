"""`autograder grade --submissions`: its options; what a zip brings is shown, then taken in."""

from __future__ import annotations

from collections.abc import Callable
from datetime import tzinfo
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rich.console import Console

    from autograder.grading.course import Course

Submissions = Annotated[
    Path | None,
    typer.Option(
        help="A zip of an LMS (Canvas, Moodle, Blackboard, Brightspace, Gradescope, GitHub"
        " Classroom, ILIAS, nbgrader): shown, then taken into submitted/, then graded."
    ),
]
ZipFormat = Annotated[
    str | None,
    typer.Option("--format", help="The zip's format, where it cannot be told: moodle, plain, …"),
]
RosterFile = Annotated[
    Path | None,
    typer.Option(help="A class list as CSV: says who is missing, and who is unknown."),
]
Timezone = Annotated[
    str | None,
    typer.Option(
        help="Zone of the times that Blackboard and Brightspace write without one, as"
        " Europe/Berlin. Default: this machine's."
    ),
]


def take_in_zip(
    course: Course,
    lesson: str,
    submissions: Path | None,
    console: Console,
    *,
    format: str | None = None,
    roster: Path | None = None,
    timezone: str | None = None,
    dry_run: bool = False,
) -> int:
    """Shows what a zip and a class list say, and takes the zip in unless `dry_run`.

    Returns how many notebooks their people stay without. Without a zip, the list is joined with
    what earlier zips brought. Raises NoZip and CourseError, in one sentence, before anything is
    written.
    """
    from autograder.grading.handed_in import arrivals_of, mapping_of, read_roster, take_in
    from autograder.grading.handed_in.shown import print_mapping, print_roster

    zone = _zone(timezone)
    listed = read_roster(roster) if roster else None
    if submissions is None:
        if listed is not None:
            print_roster(arrivals_of(course, lesson).values(), console, listed)
        return 0
    mapping = mapping_of(
        course,
        lesson,
        submissions,
        format=format,
        zone=zone,
        roster=listed,
        is_of_lesson=_told_by_its_cells(course, lesson),
    )
    print_mapping(mapping, console)
    if listed is not None:
        print_roster(mapping.arrivals.values(), console, listed)
    if not dry_run:
        for row in take_in(mapping):
            console.print(f"{row.entry} could not be taken in: {row.reason}", markup=False)
    return len(mapping.refused)


def _told_by_its_cells(course: Course, lesson: str) -> Callable[[bytes], bool]:
    """Whether a notebook is the lesson's; asked only where a person handed in several."""
    from autograder.grading.recognize import lesson_of, outlines_of
    from autograder.grading.submission import Unreadable, parse

    outlines = cache(lambda: outlines_of(course))

    def is_of_lesson(raw: bytes) -> bool:
        try:
            return lesson_of(parse(raw), outlines()) == lesson
        except Unreadable:
            return False

    return is_of_lesson


def _zone(name: str | None) -> tzinfo | None:
    from zoneinfo import ZoneInfo

    if name is None:
        return None
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, LookupError):
        raise ValueError(f"no time zone is called {name!r}; one is, as Europe/Berlin") from None
