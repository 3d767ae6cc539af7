"""`autograder grade --why` and `--dry-run`: what a run would do, and nothing done."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from autograder.grading.classroom import Settings
    from autograder.grading.course import Course
    from autograder.grading.rehearsal import CellChange, Rehearsed

Why = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        help="Only say why this student's marks are kept, or would be graded again.",
    ),
]
UpdateLesson = Annotated[
    bool,
    typer.Option(
        "--update-lesson",
        help="Bring a gradebook with submissions to a lesson whose cells have changed, then grade:"
        " marks by hand stay where the cell does, and a copy of an SQLite gradebook is kept.",
    ),
]


def say_why(
    course: Course, lesson: str, student: str, settings: Settings, console: Console
) -> None:
    """Prints why the student's marks are kept, or each reason to grade again."""
    from rich.text import Text

    from autograder.grading.classroom import students_of
    from autograder.grading.course import CourseError
    from autograder.grading.rehearsal import Rehearsal
    from autograder.grading.summary import printable_line

    if student not in students_of(course, lesson):
        raise CourseError(
            f"{printable_line(student)} has handed in no {lesson}: there is no such folder in"
            f" {course.submitted}"
        )
    rehearsal = Rehearsal(course, lesson, settings)
    reasons = rehearsal.reasons(student)
    key = rehearsal.template.key
    if not reasons:
        text = (
            f"{student}: kept, since nothing that the marks depend on has changed: the notebook,"
            f" {len(key.files)} files of code and data, the lesson's cells, the limits, and the"
            f" versions of {', '.join(key.versions)}"
        )
        console.print(Text(printable_line(text, 1000)), soft_wrap=True)
        return
    console.print(Text(printable_line(f"{student}: would be graded again:")))
    for reason in reasons:
        console.print(Text("  " + printable_line(reason, 1000)), soft_wrap=True)


def rehearse(
    course: Course, lesson: str, settings: Settings, console: Console, *, zipped: bool = False
) -> bool:
    """Prints whose marks a run would change; returns whether each could be told.

    Submissions are those of submitted/: what a zip would bring (`zipped`) is not graded here.
    """
    from rich.console import Console as Screen

    from autograder.grading.rehearsal import Rehearsal
    from autograder.grading.summary import progress_bars

    with progress_bars(Screen(stderr=True)) as progress:
        told = Rehearsal(course, lesson, settings).run(progress=progress)
    print_rehearsal(lesson, told, console)
    if zipped:
        console.print("the notebooks of the zip are not graded in a dry run")
    return not any(one.failed for one in told)


def print_rehearsal(lesson: str, told: list[Rehearsed], console: Console) -> None:
    """The changes as a table, why, and how many marks stay."""
    from rich.text import Text

    from autograder.grading.summary import printable_line

    if any(one.changes or one.cells or one.failed for one in told):
        console.print(_table(lesson, told))
    reasons = dict.fromkeys(reason for one in told for reason in one.reasons)
    for reason in list(reasons)[:12]:
        count = sum(reason in one.reasons for one in told)
        console.print(Text("  " + printable_line(f"{count} × {reason}")))
    if len(reasons) > 12:
        console.print(f"  and {len(reasons) - 12} reasons more: see --why NAME")
    graded = [one for one in told if one.reasons]
    changed = sum(one.changes and not one.failed for one in told)
    console.print(
        f"dry run of {lesson}: {len(graded)} of {len(told)} would be graded, {changed} would get"
        f" other marks, {len(told) - len(graded)} are kept; nothing was written"
    )


def _table(lesson: str, told: list[Rehearsed]) -> Table:
    from rich.table import Table
    from rich.text import Text

    from autograder.grading.handed_in import printable
    from autograder.grading.summary import printable_line

    table = Table(title=f"{lesson}: what would change", title_justify="left")
    table.add_column("who", no_wrap=True)
    table.add_column("marks", justify="right", no_wrap=True)
    table.add_column("by exercise", overflow="fold")
    for one in told:
        if one.failed:
            table.add_row(Text(printable(one.student)), Text("–"), Text(printable_line(one.failed)))
        elif one.changes or one.cells:
            before = f"{one.before:g}" if one.graded_before else "–"
            # Of a first grading the marks say enough; of a second, each cell that differs counts.
            cells = "\n".join(map(_cell, one.cells)) if one.graded_before else "not graded before"
            table.add_row(
                Text(printable(one.student)),
                Text(f"{before} → {one.after:g} / {one.max_score:g}"),
                Text(cells),
            )
    return table


def _cell(cell: CellChange) -> str:
    from autograder.grading.summary import printable_line

    def shown(score: float | None) -> str:
        return "to read" if score is None else f"{score:g}"

    text = f"{cell.grade_id}: {shown(cell.before)} → {shown(cell.after)}"
    if cell.by_hand:
        text += " (given by hand: stays)"
    return printable_line(text + (f": {cell.headline}" if cell.headline else ""))
