"""The table of a class, for a terminal: who, marks, and the first thing to talk about."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bars
from rich.table import Table
from rich.text import Text

from autograder.grading.classroom import ClassResult, Line, Progress
from autograder.grading.handed_in import printable


def table_of(result: ClassResult) -> Table:
    """The class as a rich table; every text that others wrote is plain text in it."""
    table = Table(title=f"{result.lesson}: {len(result.lines)} submissions", title_justify="left")
    table.add_column("who", no_wrap=True)
    table.add_column("marks", justify="right", no_wrap=True)
    table.add_column("state")
    table.add_column("first failed claim, and advice", overflow="fold")
    for line in result.lines:
        table.add_row(Text(printable(line.student)), _marks(line), _state(line), _first(line))
    return table


def _marks(line: Line) -> Text:
    if line.state == "not graded":
        return Text("–")
    return Text(f"{line.score:g} / {line.max_score:g}")


def _state(line: Line) -> Text:
    """Where the marks come from, what a person must still read, and whether it was late."""
    said = [line.state]
    if line.to_read:
        said = ["kept"] * (line.state == "kept") + [f"{line.to_read} to read"]
    if line.seconds_late > 0:
        taken = f": −{line.penalty:g}" if line.penalty else ""
        said.append(f"late {_duration(line.seconds_late)}{taken}")
    return Text(", ".join(said), style="" if line.done else "yellow")


def _duration(seconds: float) -> str:
    minutes = max(int(seconds // 60), 1)
    if minutes < 60:
        return f"{minutes} min"
    hours = minutes // 60
    return f"{hours} h" if hours < 48 else f"{hours // 24} days"


def _first(line: Line) -> Text:
    unread = {"not read": "could not be read: ", "not graded": "not graded: "}
    text = unread.get(line.state, "") + (line.first or "every claim holds")
    return Text(printable_line(text), style="yellow" if line.state in unread else "")


@contextlib.contextmanager
def progress_bars(console: Console) -> Iterator[Progress]:
    """A bar for each stage of a run, on `console`; gives what `grade_class` calls."""
    columns = (TextColumn("{task.description:<16}"), BarColumn(), MofNCompleteColumn())
    with Bars(*columns, TimeElapsedColumn(), console=console) as bars:
        tasks: dict[str, TaskID] = {}

        def progress(what: str, done: int, of: int) -> None:
            if what not in tasks:
                tasks[what] = bars.add_task(what, total=of)
            bars.update(tasks[what], completed=done, total=of)

        yield progress


def printable_line(text: str, most: int = 300) -> str:
    """One line of text without characters that a terminal would act on."""
    text = " ".join(text.split())
    text = "".join(c if c.isprintable() else "?" for c in text)
    return text if len(text) <= most else text[: most - 1] + "…"


def print_result(result: ClassResult, console: Console) -> None:
    """The table, what was odd, and where everything lies."""
    console.print(table_of(result))
    console.print(Text(_counts(result)))
    for line in result.lines:
        for problem in line.problems[:4]:
            console.print(Text(printable_line(f"  {line.student}: {problem}")))
    for sentence in (*result.notes, *result.failed_pages):
        console.print(Text(printable_line(f"  {sentence}")))
    course = result.course
    for label, place in (
        ("gradebook", course.db_url.removeprefix("sqlite:///")),
        ("feedback", course.feedback),
        ("graded notebooks", course.autograded),
        ("records", course.records / result.lesson),
    ):
        console.print(Text(f"{label}: {_near(str(place))}"), soft_wrap=True)


def _counts(result: ClassResult) -> str:
    """How many are graded, wait for a person, have no marks; and what this run did."""
    lines = result.lines
    kept = sum(line.state == "kept" for line in lines)
    unread = sum(line.state != "not graded" and not line.done for line in lines)
    failed = sum(line.state == "not graded" for line in lines)
    said = f"{sum(line.done for line in lines)} graded in {result.seconds:.1f} s"
    if unread:
        said += f", {unread} with answers to read"
    if failed:
        said += f", {failed} NOT GRADED"
    if kept:
        said += f"; {kept} kept from an earlier run"
    return said + (f" (sandbox: {result.sandbox})" if result.sandbox else "")


def _near(path: str) -> str:
    """The path from here, if it lies below."""
    if os.path.isabs(path):
        relative = os.path.relpath(path)
        return path if relative.startswith("..") else relative
    return path
