"""The command line of the grader: `autograder --help` lists its commands.

Everything that a command needs is imported when it runs, so that `--help` is quick.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from autograder.commands import (
    ClassDir,
    GradebookUrl,
    export,
    feedback,
    lesson_name,
    refuse,
    release,
    report,
)
from autograder.commands.rehearse import UpdateLesson, Why, rehearse, say_why
from autograder.commands.submissions import RosterFile, Submissions, Timezone, ZipFormat

app = typer.Typer(
    name="autograder",
    help="Grade a class's notebooks in a sandbox, with verdicts that student code cannot touch.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

Sandbox = Annotated[
    str, typer.Option(help="auto, warm, bubblewrap, container, or plain (no sandbox at all).")
]
Trust = Annotated[
    bool,
    typer.Option(
        "--trust-submissions",
        help="Grade without a sandbox where none can be had: student code then runs as you.",
    ),
]


@app.command()
def grade(
    lesson: Annotated[str, typer.Argument(help="The lesson: 05_made, 05 or made.")],
    class_dir: ClassDir = None,
    submissions: Submissions = None,
    zip_format: ZipFormat = None,
    roster: RosterFile = None,
    timezone: Timezone = None,
    dry_run: Annotated[
        bool,
        typer.Option(
            "--dry-run",
            help="Show whose marks would change, and what a zip would bring; write nothing.",
        ),
    ] = False,
    gradebook: GradebookUrl = None,
    sandbox: Sandbox = "auto",
    trust_submissions: Trust = False,
    workers: Annotated[int, typer.Option(min=1, help="Submissions graded side by side.")] = 2,
    scheduler: Annotated[
        str | None,
        typer.Option(help="A Dask scheduler, as tcp://host:8786: grade on its workers instead."),
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Grade again what an earlier run has graded.")
    ] = False,
    run_demos: Annotated[
        bool, typer.Option("--run-demos", help="Also run the demo cells (they earn nothing).")
    ] = False,
    feedback: Annotated[bool, typer.Option(help="Write nbgrader's feedback pages.")] = True,
    trust_timestamps: Annotated[
        bool,
        typer.Option(
            "--trust-timestamps",
            help="For late penalties, also take a timestamp.txt in submitted/ for true. Without"
            " this, times come from those who saw a submission arrive: `nbgrader collect` here, or"
            " an LMS's zip. A timestamp.txt that came another way is its author's word.",
        ),
    ] = False,
    update_lesson: UpdateLesson = False,
    why: Why = None,
    unreadable: Annotated[
        str,
        typer.Option(
            help="What cannot be judged (no notebook, another lesson's, damaged): ask leaves it"
            " without marks and ends with exit code 1, zero writes 0."
        ),
    ] = "ask",
    limit: Annotated[
        list[str] | None,
        typer.Option(help="A limit, as seconds_per_cell=30 or memory_bytes=2G; repeatable."),
    ] = None,
) -> None:
    """Grade all submissions of a lesson; a run that was stopped picks up where it was."""
    from rich.console import Console

    from autograder.commands.submissions import take_in_zip
    from autograder.grading.classroom import Settings, grade_class, students_of
    from autograder.grading.cluster import executor_of
    from autograder.grading.course import CourseError, open_course
    from autograder.grading.handed_in import name_students
    from autograder.grading.summary import print_result, progress_bars
    from autograder.sandbox import NoSandbox, SandboxError

    try:
        settings = Settings(
            sandbox=sandbox,
            trust_submissions=trust_submissions,
            trust_timestamps=trust_timestamps,
            workers=workers,
            force=force,
            run_demos=run_demos,
            feedback=feedback,
            update_lesson=update_lesson,
            unreadable=unreadable,
            limits=_limits(limit or []),
        )
        course = open_course(class_dir=class_dir, db_url=gradebook)
        name = lesson_name(course.root, lesson)
        if why is not None:
            return say_why(course, name, why, settings, Console())
        without = take_in_zip(
            course,
            name,
            submissions,
            Console(),
            format=zip_format,
            roster=roster,
            timezone=timezone,
            dry_run=dry_run,
        )
        if (without or (dry_run and submissions)) and not students_of(course, name):
            raise typer.Exit(1 if without else 0)
        if dry_run:
            told = rehearse(course, name, settings, Console(), zipped=submissions is not None)
            raise typer.Exit(1 if without or not told else 0)
        with executor_of(scheduler) as executor, progress_bars(Console(stderr=True)) as progress:
            result = grade_class(course, name, settings, executor=executor, progress=progress)
        result.notes += name_students(course, name)
    except (CourseError, LookupError, ValueError, NoSandbox, SandboxError) as error:
        raise refuse(error) from None
    print_result(result, Console())
    if result.failed or without:
        raise typer.Exit(1)


def _limits(given: list[str]):
    from autograder.sandbox.limits import Limits

    pairs = {}
    for one in given:
        name, found, value = one.partition("=")
        if not found:
            raise ValueError(f"a limit is given as name=value: got {one!r}")
        pairs[name.strip()] = value.strip()
    return Limits.from_mapping(pairs)


@app.command()
def replay(
    record: Annotated[Path, typer.Argument(help="A record: class/records/LESSON/STUDENT.json.")],
    check: Annotated[str | None, typer.Argument(help="Only this check's verdict.")] = None,
    sandbox: Sandbox = "auto",
    trust_submissions: Trust = False,
) -> None:
    """Repeat a submission's verdicts from its record, and say whether they are the same."""
    from rich.console import Console
    from rich.text import Text

    from autograder.card import as_text
    from autograder.grading.guests import open_guests
    from autograder.grading.record import NoRecord, read_record
    from autograder.grading.record import replay as repeat
    from autograder.grading.summary import printable_line
    from autograder.sandbox import NoSandbox, SandboxError
    from autograder.sandbox.limits import Limits

    try:
        data = read_record(record)
        if data["unreadable"]:
            raise NoRecord(f"this submission was not run: {data['unreadable']}")
        limits = Limits.from_mapping(data["limits"])
        guests = open_guests(sandbox, trust_submissions=trust_submissions)
        try:
            again = repeat(data, lambda: guests.spawn(limits), check)
        finally:
            guests.close()
    except (NoRecord, LookupError, ValueError, NoSandbox, SandboxError) as error:
        raise refuse(error) from None
    console = Console()
    for one in again:
        word = "the same" if one.same else "DIFFERENT"
        console.print(Text(f"{one.name}: {word} as recorded (seed {data['seed']})"))
        if check is not None or not one.same:
            lines = as_text(one.repeated).split("\n")
            console.print(Text("\n".join(printable_line(line) for line in lines)))
    if not all(one.same for one in again):
        raise typer.Exit(1)


app.command()(feedback.feedback)
app.command()(report.report)
app.command()(export.export)
app.command()(release.release)


@app.command()
def doctor() -> None:
    """Say which sandboxes this machine has, what each keeps out, and what to install."""
    from autograder.sandbox.doctor import doctor as look

    report = look()
    print(report)
    raise typer.Exit(0 if getattr(report, "usable", True) else 1)


@app.command()
def build(
    lessons: Annotated[list[str] | None, typer.Argument(help="Lessons (default: all).")] = None,
) -> None:
    """Build the notebooks of the lessons from their texts."""
    raise typer.Exit(_lessons("build", lessons or []))


@app.command("check-build")
def check_build(
    lessons: Annotated[list[str] | None, typer.Argument(help="Lessons (default: all).")] = None,
) -> None:
    """Say which built notebooks differ from a fresh build; exit code 1 if any does."""
    raise typer.Exit(_lessons("check", lessons or []))


def _lessons(command: str, names: list[str]) -> int:
    from autograder.lessons import main

    here = Path.cwd()
    root = ["--root", str(here)] if (here / "nbgrader_config.py").is_file() else []
    return main([command, *root, *names])


if __name__ == "__main__":
    app()
