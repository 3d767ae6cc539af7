"""Draws the mapping of a zip for a terminal, before anything of it is written."""

from __future__ import annotations

from collections.abc import Iterable

from rich.console import Console
from rich.table import Table
from rich.text import Text

from autograder.grading.handed_in.archive import printable
from autograder.grading.handed_in.arrivals import Arrival
from autograder.grading.handed_in.mapping import Mapping, Row
from autograder.grading.handed_in.roster import Roster

MOST = 50  # lines of one kind that are written out one by one


def print_mapping(mapping: Mapping, console: Console) -> None:
    """Who handed in what, and what is left out and why."""
    console.print(table_of(mapping, console.width))
    for row in mapping.refused:
        _say(console, f"{row.entry} is refused: {row.reason}")
    by_reason: dict[str, list[Row]] = {}
    for row in mapping.left_out:
        if row.status != "refused":
            by_reason.setdefault(row.reason, []).append(row)
    for reason, rows in by_reason.items():
        for row in rows[:MOST]:
            _say(console, f"{row.entry} is left out: {reason}")
        if len(rows) > MOST:
            _say(console, f"and {len(rows) - MOST:,} more are left out: {reason}")
    for note in mapping.notes:
        _say(console, note)


def table_of(mapping: Mapping, width: int) -> Table:
    """A line for each notebook that is somebody's; every text that others wrote is plain in it."""
    rows = [row for row in mapping.rows if row.arrival is not None]
    cells = [_cells(row, row.arrival) for row in rows if row.arrival is not None]
    # What this LMS does not say needs no column.
    columns = [n for n in cells[0] if any(one[n] for one in cells)] if cells else ["entry"]
    if width < 120:  # key and entry hold the rest
        columns = [n for n in columns if n not in ("name", "number", "attempt")]
    title = f"{printable(mapping.archive.name)}: {mapping.format.name}, {len(rows)} notebooks"
    table = Table(title=title, title_justify="left")
    for name in columns:
        table.add_column(name, overflow="fold", no_wrap=name in ("key", "status"))
    for row, one in zip(rows, cells, strict=True):
        style = "yellow" if row.status in ("refused", "older", "left out") else ""
        table.add_row(*(Text(printable(one[name])) for name in columns), style=style)
    return table


def _cells(row: Row, arrival: Arrival) -> dict[str, str]:
    return {
        "key": arrival.key,
        "status": row.status,
        "name": arrival.name,
        "number": arrival.number if arrival.number != arrival.key else "",
        "time (UTC)": arrival.time[:16].replace("T", " "),
        "late": {True: "late", False: "no", None: ""}[arrival.late],
        "attempt": "" if arrival.attempt is None else str(arrival.attempt),
        "entry": row.entry,
    }


def print_roster(arrivals: Iterable[Arrival], console: Console, roster: Roster) -> None:
    """Who of a class list handed in, who did not, and who is not in it."""
    joined = roster.join(arrivals)
    for key in joined.by_name:
        _say(console, f"{key} is {joined.people[key]} of the roster by name only")
    for entry in joined.missing:
        _say(console, f"{entry} of the roster has handed in nothing")
    for arrival in joined.unknown:
        _say(console, f"{arrival.key} is not in the roster")
    listed, found = len(roster.entries), len(joined.people)
    _say(console, f"roster: {found} of {listed} handed in, {len(joined.unknown)} unknown")


def _say(console: Console, sentence: str) -> None:
    console.print(Text(printable(sentence, 500)), soft_wrap=True)
