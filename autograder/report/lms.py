"""Fills marks into the file that an LMS gives out for them, and leaves every other byte as it came.

Canvas's exported gradebook (Student, ID, SIS User ID, SIS Login ID, Section, a column "Name (id)"
for each assignment, a row "Points Possible") and Moodle's grading worksheet (Identifier, Full name,
Email address, …, Grade, Maximum Grade, Grade can be changed). A student is found by number, then
e-mail, then login; by a name only where it is unique on both sides, and that is said.
"""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from autograder.grading.course import CourseError
from autograder.grading.handed_in.arrivals import Arrival
from autograder.report.class_report import GRADED, NOT_READ, TO_READ, ClassReport
from autograder.report.marks import ClassMarks, StudentMarks

# Who was not read and has a mark all the same has it because the instructor asked for a 0.
FILLED = (GRADED, TO_READ, NOT_READ)
CANVAS, MOODLE = "canvas", "moodle"
MAX_BYTES = 64 * 2**20
BOM = "\ufeff"


class NoSheet(CourseError):
    """A file that is not the one that the LMS gives out; the message is one sentence."""


# --- a CSV file whose fields keep their bytes ---------------------------------------------------


@dataclass
class Field:
    """One field: as it stands in the file, and the separator or line end behind it."""

    raw: str
    end: str

    @property
    def value(self) -> str:
        """What the field says."""
        raw = self.raw.strip(" ") if self.raw.lstrip(" ").startswith('"') else self.raw
        return raw[1:-1].replace('""', '"') if raw.startswith('"') else raw


@dataclass
class Sheet:
    """The rows of a CSV file. `delimiter` is what separates its fields."""

    rows: list[list[Field]]
    delimiter: str
    bom: bool = False

    def as_bytes(self) -> bytes:
        """The file, byte for byte as it was read but for the fields that were set."""
        text = "".join(one.raw + one.end for row in self.rows for one in row)
        return ((BOM if self.bom else "") + text).encode("utf-8")

    def set(self, row: int, column: int, number: str) -> None:
        """Puts a number into a field; in quotes if it holds the delimiter or stood in quotes."""
        one = self.rows[row][column]
        quoted = one.raw.startswith('"') or self.delimiter in number
        one.raw = f'"{number}"' if quoted else number


def read_sheet(raw: bytes, called: str) -> Sheet:
    """The sheet in a file's bytes; NoSheet if they are no CSV in UTF-8."""
    if len(raw) > MAX_BYTES:
        raise NoSheet(f"{called} has {len(raw) / 2**20:.0f} MB: no gradebook is so large")
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise NoSheet(
            f"{called} is not UTF-8 (byte {error.start:,}): give the file as the LMS exported it,"
            " not as a spreadsheet saved it"
        ) from None
    bom = text.startswith(BOM)
    text = text.removeprefix(BOM)
    first = text.split("\n", 1)[0]
    delimiter = max(",;\t", key=first.count)
    token = re.compile(
        rf'( *"(?:[^"]+|"")*" *|[^"{delimiter}\r\n][^{delimiter}\r\n]*|)({delimiter}|\r\n|\n|\r|\Z)'
    )
    rows: list[list[Field]] = [[]]
    at = 0
    while at < len(text) or (rows[-1] and rows[-1][-1].end == delimiter):
        match = token.match(text, at)
        if match is None:
            line = text.count("\n", 0, at) + 1
            raise NoSheet(f"{called} is no CSV: line {line:,} has a quotation mark out of place")
        rows[-1].append(Field(match[1], match[2]))
        at = match.end()
        if match[2] != delimiter:
            rows.append([])
    return Sheet([row for row in rows if row], delimiter, bom)


# --- who is who -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Person:
    """What is known of somebody, in a row of the LMS or in the gradebook."""

    numbers: tuple[str, ...] = ()
    emails: tuple[str, ...] = ()
    logins: tuple[str, ...] = ()
    names: tuple[str, ...] = ()


def person_of(student: StudentMarks, arrival: Arrival | None = None) -> Person:
    """Whom gradebook and LMS's zip know under a key, which may be a number or end in a long one."""
    key = student.key
    ending = re.search(r"(?:^|[_\-](?=\d{3}))(\d+)$", key)
    told = arrival or Arrival(key, "")
    return Person(
        (student.lms_id, told.number, ending[1] if ending else ""),
        (student.email, told.email, key if "@" in key else ""),
        (told.login, key),
        (student.name, told.name, re.sub(r"[\d_]+", " ", key)),
    )


def _same(text: str) -> str:
    """Text as it is compared: one form of Unicode, no case, no space around."""
    return unicodedata.normalize("NFKC", text).casefold().strip()


def _same_name(text: str) -> str:
    """A name as it is compared: its words in any order, without punctuation."""
    words = re.findall(r"\w+", _same(text))
    return " ".join(sorted(words)) if len(words) > 1 else ""


_WAYS: tuple[tuple[str, Callable[[Person], tuple[str, ...]], Callable[[str], str]], ...] = (
    ("number", lambda person: person.numbers, _same),
    ("e-mail", lambda person: person.emails, _same),
    ("login", lambda person: (*person.logins, *person.emails), _same),
    ("name", lambda person: person.names, _same_name),
)


def match(
    rows: dict[int, Person], students: dict[str, Person]
) -> tuple[dict[int, tuple[str, str]], dict[int, str]]:
    """For each row of the LMS the student's key and how it was found; and why for the others.

    Nobody is found twice: what fits several is left alone.
    """
    found: dict[int, tuple[str, str]] = {}
    why: dict[int, str] = {}
    for way, of, same in _WAYS:
        taken = {key for key, _ in found.values()}
        index: dict[str, set[str]] = defaultdict(set)
        for key, person in students.items():
            for text in filter(None, map(same, of(person))):
                index[text].add(key)
        wanted: dict[int, set[str]] = {}
        for row, person in rows.items():
            if row not in found and row not in why:
                texts = [same(text) for text in of(person)]
                # The first that is known decides: an LMS's own number before the registry's.
                wanted[row] = next((index[text] for text in texts if text in index), set())
        times = Counter(key for keys in wanted.values() for key in keys)
        for row, keys in wanted.items():
            if len(keys) > 1:
                why[row] = f"its {way} fits {', '.join(sorted(keys)[:5])}"
            elif len(keys) == 1:
                (key,) = keys
                if times[key] > 1 or key in taken:
                    why[row] = f"its {way} is {key}'s, whom another row fits too"
                else:
                    found[row] = key, way
    return found, why


# --- filling in -----------------------------------------------------------------------------------


@dataclass
class Filled:
    """A filled sheet, and everything that a person should know about it."""

    content: bytes
    column: str
    filled: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    by_name: list[tuple[str, str]] = field(default_factory=list)
    left: list[tuple[str, str]] = field(default_factory=list)
    unmatched_rows: list[tuple[str, str]] = field(default_factory=list)
    unmatched_students: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Layout:
    """Where a sheet has what: the column to fill, the rows of people, what the LMS says."""

    column: int
    people: dict[int, Person]
    called: dict[int, str]
    most: dict[int, float | None]
    closed: dict[int, str]


def fill(
    kind: str,
    raw: bytes,
    called: str,
    marks: ClassMarks,
    report: ClassReport,
    arrivals: Mapping[str, Arrival] = MappingProxyType({}),
    *,
    column: str | None = None,
    provisional: bool = False,
    scale: bool = False,
    decimal_comma: bool | None = None,
) -> Filled:
    """Marks of `report`'s lesson in the LMS's file `raw`; NoSheet if it is no file of that kind.

    Marks with answers to read are filled in only if `provisional`. With `scale`, a mark becomes
    the same share of what the LMS says the assignment is worth. `decimal_comma` None: as the file.
    """
    sheet = read_sheet(raw, called)
    layout = (_canvas if kind == CANVAS else _moodle)(sheet, called, report, column)
    people = {key: person_of(one, arrivals.get(key)) for key, one in marks.students.items()}
    found, why = match(layout.people, people)
    told = Filled(b"", sheet.rows[0][layout.column].value.strip())
    comma = _has_comma(sheet, layout) if decimal_comma is None else decimal_comma
    states = {one.exact_key: one.state for one in report.students}
    other = set()
    for row, who in layout.called.items():
        if row not in found:
            told.unmatched_rows.append((who, why.get(row, "")))
            continue
        key, way = found[row]
        if way == "name":
            told.by_name.append((who, key))
        student, state = marks.students[key], states.get(key, GRADED)
        if state == TO_READ and not provisional:
            told.left.append((key, "answers to read"))
        elif state not in FILLED or not student.has_marks:
            told.left.append((key, state))
        elif row in layout.closed:
            told.left.append((key, layout.closed[row]))
        else:
            score, most = student.score, layout.most[row]
            if most and abs(most - marks.max_score) > 1e-9:
                other.add(most)
                score = score * most / marks.max_score if scale else score
            number = f"{score:.4f}".rstrip("0").rstrip(".")
            before = sheet.rows[row][layout.column].value.strip()
            if before and _number(before) != _number(number):
                told.changed.append(f"{key}: {before} → {number}")
            if _number(before) != _number(number):
                sheet.set(row, layout.column, number.replace(".", ",") if comma else number)
            told.filled.append(key)
    matched = {key for key, _ in found.values()}
    told.unmatched_students = [
        key for key, one in marks.students.items() if one.marks is not None and key not in matched
    ]
    for most in sorted(other):
        done = "marks were scaled" if scale else "points were written as they are (see --scale)"
        told.notes.append(
            f"the LMS counts {most:g} points, the gradebook {marks.max_score:g}: {done}"
        )
    told.content = sheet.as_bytes()
    return told


def _columns(sheet: Sheet, needed: Iterable[str], called: str, what: str) -> dict[str, int]:
    header = [one.value.strip() for one in sheet.rows[0]] if sheet.rows else []
    missing = [name for name in needed if name not in header]
    if missing:
        raise NoSheet(
            f"{called} is not {what}: it has no column {missing[0]!r};"
            f" there are: {', '.join(header[:12])[:300] or 'none'}"
        )
    return {name: k for k, name in reversed(list(enumerate(header)))}


def _value(row: list[Field], at: int | None) -> str:
    return row[at].value.strip() if at is not None and at < len(row) else ""


def _canvas(sheet: Sheet, called: str, report: ClassReport, wanted: str | None) -> Layout:
    at = _columns(sheet, ("Student", "ID", "Section"), called, "Canvas's exported gradebook")
    assignments = {
        name: k for name, k in at.items() if re.fullmatch(r".+ \(\d+\)", name, re.DOTALL)
    }
    column = _assignment(assignments, wanted, report, called)
    layout = Layout(column, {}, {}, {}, {})
    most = None
    for number, row in enumerate(sheet.rows[1:], start=1):
        name = _value(row, at["Student"])
        if name == "Points Possible":
            most = _number(_value(row, column))
        elif len(row) > column and _value(row, at["ID"]):
            layout.called[number] = name
            layout.most[number] = most
            layout.people[number] = Person(
                (_value(row, at["ID"]), _value(row, at.get("SIS User ID"))),
                (_value(row, at.get("Email")),),
                (_value(row, at.get("SIS Login ID")),),
                (name,),
            )
            if _value(row, column).upper() == "EX":
                layout.closed[number] = "excused in Canvas"
    return layout


def _assignment(
    assignments: dict[str, int], wanted: str | None, report: ClassReport, called: str
) -> int:
    """The column of the lesson: the one that was named, else the one that is called like it."""

    def bare(name: str) -> str:
        return _same(re.sub(r" \(\d+\)$", "", name))

    if wanted is not None:
        fits = [name for name in assignments if _same(wanted) in (_same(name), bare(name))]
    else:
        title = re.sub(r"^[\W\d]+", "", report.title)
        names = {report.lesson, report.lesson.partition("_")[2], report.title, title}
        fits = [name for name in assignments if bare(name) in {_same(n) for n in names if n}]
    if len(fits) != 1:
        asked = f"called {wanted!r}" if wanted is not None else f"for {report.lesson}"
        there = ", ".join(list(assignments)[:12]) or "none"
        raise NoSheet(
            f"{called} has {'no' if not fits else 'more than one'} assignment {asked}:"
            f" name one with --column; there are: {there}"
        )
    return assignments[fits[0]]


def _moodle(sheet: Sheet, called: str, report: ClassReport, wanted: str | None) -> Layout:
    needed = ("Identifier", "Grade", "Maximum Grade", "Grade can be changed")
    at = _columns(sheet, needed, called, "Moodle's grading worksheet")
    layout = Layout(at[wanted] if wanted in at else at["Grade"], {}, {}, {}, {})
    for number, row in enumerate(sheet.rows[1:], start=1):
        identifier = _value(row, at["Identifier"])
        digits = re.search(r"(\d+)$", identifier)
        if not identifier or len(row) <= layout.column:
            continue
        name = _value(row, at.get("Full name"))
        layout.called[number] = name or identifier
        layout.most[number] = _number(_value(row, at["Maximum Grade"]))
        layout.people[number] = Person(
            (digits[1] if digits else "", _value(row, at.get("ID number"))),
            (_value(row, at.get("Email address")),),
            (_value(row, at.get("Username")),),
            (name,),
        )
        if _same(_value(row, at["Grade can be changed"])) == "no":
            layout.closed[number] = "Moodle says that this grade cannot be changed"
    return layout


def _number(text: str) -> float | None:
    try:
        return float(text.replace(",", "."))
    except ValueError:
        return None


def _has_comma(sheet: Sheet, layout: Layout) -> bool:
    """Whether the file itself writes numbers with a decimal comma."""
    fields = [one.value.strip() for row in sheet.rows[1:] for one in row]
    return any(re.fullmatch(r"\d+,\d+", text) for text in fields) and not any(
        re.fullmatch(r"\d+\.\d+", text) for text in fields
    )


# --- a plain table --------------------------------------------------------------------------------

PLAIN = (
    "lesson", "key", "number", "email", "last_name", "first_name", "score", "max_score",
    "late_penalty", "hours_late", "to_read", "state",
)  # fmt: skip


def plain_csv(
    marks: ClassMarks,
    report: ClassReport,
    arrivals: Mapping[str, Arrival] = MappingProxyType({}),
) -> bytes:
    """All students in the order of their numbers, for a spreadsheet: UTF-8 with its mark.

    Who has no mark has an empty field, never a 0.
    """
    out = io.StringIO()
    writer = csv.writer(out, quoting=csv.QUOTE_NONNUMERIC)
    writer.writerow(PLAIN)
    states = {one.exact_key: one.state for one in report.students}

    numbers = {
        key: next(filter(None, person_of(one, arrivals.get(key)).numbers), "")
        for key, one in marks.students.items()
    }

    def order(key: str) -> tuple:
        number = numbers[key]
        return (not number.isdecimal(), int(number) if number.isdecimal() else 0, key)

    for key in sorted(marks.students, key=order):
        one, state = marks.students[key], states.get(key, "")
        told = arrivals.get(key)
        email = one.email or (told.email if told else "")
        last = one.last_name or (told.name if told and not one.name else "")
        texts = (marks.lesson, key, numbers[key], email, last, one.first_name)
        counted = (one.score, marks.max_score, one.penalty, one.seconds_late / 3600, one.to_read)
        known = state in FILLED and one.has_marks
        writer.writerow(
            [*map(safe, texts), *(round(n, 4) if known else "" for n in counted), safe(state)]
        )
    return (BOM + out.getvalue()).encode("utf-8", "replace")


def safe(text: str) -> str:
    """`text` that no spreadsheet takes for a formula: an apostrophe stands before what could be."""
    return "'" + text if text.startswith(("=", "+", "-", "@", "\t", "\r", "\n")) else text
