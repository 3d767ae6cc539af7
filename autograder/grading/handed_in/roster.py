"""Reads a class list, as LMS's export them, and joins it with what was handed in.

The columns are found by their usual names: Canvas ("Student", "ID", "SIS User ID", "SIS Login ID",
"Section"), Moodle ("First name", "Last name" or "Surname", "ID number", "Email address",
"Identifier"), and plain id, name, login, email.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from autograder.grading.course import CourseError
from autograder.grading.handed_in.arrivals import Arrival
from autograder.grading.handed_in.students import folded

MAX_BYTES = 20 * 2**20
MAX_ROWS = 100_000

_NUMBERS = (
    "id", "sis user id", "id number", "idnumber", "student id", "user id", "userid", "number",
    "sid", "matriculation number", "org defined id", "orgdefinedid", "identifier", "key",
)  # fmt: skip
_LOGINS = (
    "sis login id", "login", "login id", "username", "user name", "user", "github_username",
    "github username",
)  # fmt: skip
_EMAILS = ("email", "e-mail", "email address", "mail", "sis email")
_NAMES = ("student", "name", "full name", "fullname", "student name", "roster_identifier")
_FIRST = ("first name", "firstname", "given name", "vorname")
_LAST = ("last name", "lastname", "surname", "family name", "nachname")
_SECTIONS = ("section", "group", "groups")


@dataclass(frozen=True)
class RosterEntry:
    """One person of a class list."""

    name: str = ""
    numbers: tuple[str, ...] = ()  # all that the list counts this person by
    login: str = ""
    email: str = ""
    section: str = ""

    def __str__(self) -> str:
        said = ", ".join((*self.numbers[:1], *([self.email] if self.email else [])))
        return f"{self.name} ({said})" if self.name and said else self.name or said


@dataclass(frozen=True)
class Roster:
    """A class list."""

    path: Path
    entries: tuple[RosterEntry, ...]

    def join(self, arrivals: Iterable[Arrival]) -> Joined:
        """Who of the list handed in, who did not, and whose hand-in no line of the list explains.

        A number, login or e-mail address joins for certain; a name only where one person of the
        list and one hand-in bear it, and then it is said.
        """
        arrivals = list(arrivals)
        by_sign: dict[str, set[int]] = {}
        for place, entry in enumerate(self.entries):
            for sign in (*entry.numbers, entry.login, entry.email):
                if sign:
                    by_sign.setdefault(folded(sign), set()).add(place)
        joined = Joined()
        taken: set[int] = set()
        for arrival in arrivals:
            signs = (arrival.number, arrival.email, arrival.login, arrival.key)
            for sign in signs:
                places = by_sign.get(folded(sign), set()) if sign else set()
                if len(places) == 1:
                    place = next(iter(places))
                    joined.people[arrival.key] = self.entries[place]
                    taken.add(place)
                    break
        self._by_name(arrivals, taken, joined)
        joined.missing += [e for place, e in enumerate(self.entries) if place not in taken]
        joined.unknown += [a for a in arrivals if a.key not in joined.people]
        return joined

    def _by_name(self, arrivals: list[Arrival], taken: set[int], joined: Joined) -> None:
        listed: dict[str, list[int]] = {}
        for place, entry in enumerate(self.entries):
            for name in _spellings(entry.name):
                listed.setdefault(name, []).append(place)
        handed_in: dict[str, list[Arrival]] = {}
        for arrival in arrivals:
            for name in _spellings(arrival.name):
                handed_in.setdefault(name, []).append(arrival)
        for name, people in handed_in.items():
            places = listed.get(name, [])
            if len(people) == len(places) == 1:
                arrival, place = people[0], places[0]
                if arrival.key not in joined.people and place not in taken:
                    joined.people[arrival.key] = self.entries[place]
                    joined.by_name.append(arrival.key)
                    taken.add(place)


@dataclass
class Joined:
    """A class list and what was handed in, joined."""

    people: dict[str, RosterEntry] = field(default_factory=dict)  # by the student's key
    by_name: list[str] = field(default_factory=list)  # keys that only a name joined
    missing: list[RosterEntry] = field(default_factory=list)
    unknown: list[Arrival] = field(default_factory=list)


def read_roster(path: Path) -> Roster:
    """The class list in a CSV file: UTF-8 with or without BOM; commas, semicolons or tabs.

    Raises CourseError, in one sentence, if it cannot be read or has no column of people.
    """
    path = Path(path)
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise CourseError(f"the roster {path} cannot be opened: {error.strerror}") from None
    if len(raw) > MAX_BYTES:
        raise CourseError(f"the roster {path} has more than {MAX_BYTES / 2**20:.0f} MB")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise CourseError(
            f"the roster {path} is not UTF-8 text (byte {error.start:,}): save it as CSV UTF-8"
        ) from None
    first = text.lstrip().split("\n")[0]
    delimiter = max(",;\t", key=first.count)
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))
    except csv.Error as error:
        raise CourseError(f"the roster {path} is no CSV: {error}") from None
    rows = [row for row in rows if any(cell.strip() for cell in row)]
    if len(rows) > MAX_ROWS:
        raise CourseError(f"the roster {path} has more than {MAX_ROWS:,} lines")
    if not rows:
        raise CourseError(f"the roster {path} is empty")
    columns = [re.sub(r"\s+", " ", cell.strip().lower()) for cell in rows[0]]
    if not set(columns) & {*_NUMBERS, *_LOGINS, *_EMAILS, *_NAMES, *_LAST}:
        raise CourseError(
            f"the roster {path} has no column of people: its first line needs names as Student, ID,"
            " SIS User ID (Canvas), First name, Last name, ID number, Email address (Moodle),"
            " or id, name, email"
        )
    entries = [_entry(columns, row) for row in rows[1:]]
    return Roster(path, tuple(one for one in entries if one is not None))


def _entry(columns: list[str], row: list[str]) -> RosterEntry | None:
    cells = [(column, cell.strip()) for column, cell in zip(columns, row, strict=False)]

    def all_of(names: tuple[str, ...]) -> list[str]:
        return list(dict.fromkeys(cell for column, cell in cells if column in names and cell))

    def one_of(names: tuple[str, ...]) -> str:
        return next(iter(all_of(names)), "")

    name = one_of(_NAMES) or " ".join(filter(None, (one_of(_FIRST), one_of(_LAST))))
    numbers = []
    for number in all_of(_NUMBERS):
        # Moodle's grading worksheet says "Participant 12345".
        found = re.fullmatch(r"[^\W\d_]+ ([0-9]+)", number)
        numbers.append(found[1] if found else number)
    entry = RosterEntry(name, tuple(numbers), one_of(_LOGINS), one_of(_EMAILS), one_of(_SECTIONS))
    signs = entry.numbers or entry.login or entry.email
    # Canvas's second line holds points, its last one a test student.
    if (not signs and name.strip().lower().startswith("points possible")) or (
        name == "Student, Test"
    ):
        return None
    return entry if signs or name else None


def _spellings(name: str) -> set[str]:
    """How a name may be written: its words in any order, and run together, as Canvas does."""
    words = [word for word in re.split(r"[\W_]+", folded(name).replace("'", "")) if word]
    together = {"".join(words[at:] + words[:at]) for at in range(min(len(words), 6))}
    return {" ".join(sorted(words)), *together} - {""}
