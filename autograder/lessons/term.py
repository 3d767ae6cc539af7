"""One term of a course, from term.toml: lessons, exercises, points, due dates, hints, lateness.

The file is optional and lies beside nbgrader_config.py; without it everything is as it is written.

    time_zone = "Europe/Amsterdam"        # of due dates that have no offset themselves
    hints = true                          # for all lessons

    [late]                                # what a day after the due date costs
    percent_per_day = 10                  # of the points earned; or points_per_day = 2
    # (a changed policy counts for what is graded after it: `autograder grade --force`)
    grace_hours = 1                       # so late costs nothing
    at_most_percent = 50                  # or at_most_points = 10

    [lessons.05_made]                     # the lessons of the term; without any, all of them
    due = 2026-10-12T23:59:00             # a date, a time, and a zone from here or from above
    hints = false
    leave_out = ["average_over_orders"]   # exercises and questions that are not asked
    given = ["connectivity"]              # exercises that the notebook solves: others need them
    points = {build_masks = 6, "MADE.nll" = 2, why_order = 4}
"""

from __future__ import annotations

import ast
import dataclasses
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from autograder.lessons.lesson import BEGIN, END, ROOT, Cell, Lesson
from autograder.lessons.reading import appendix_names, lesson_names, load_lesson, plain_python
from autograder.steps import exercise_of

FILE = "term.toml"
RELEASE_OF_TERM = Path("build/release")  # course/ holds the notebooks of no term

_HINT = re.compile(r"[ \t]*<details>\s*<summary>\s*Hint\b.*?</details>[ \t]*\n?", re.DOTALL)
_FACTS = re.compile(
    r"(?P<names>`\w+`(?:, `\w+`)*) · (?P<how>difficulty [^`\n]*?) · "
    r"(?P<points>\w+(?: \+ \w+)*?)(?: points?)?(?= &|\s*$)",
    re.MULTILINE,
)
_BETWEEN = " &nbsp;·&nbsp; "
_HEADING = re.compile(r"^#+ .*$", re.MULTILINE)
_SECTION_OF_EXERCISE = re.compile(r"#+ Exercise \d+\b")
_SECTION_OF_QUESTION = re.compile(r"^#+ [^\n]*\bquestion\b[^\n]*$.*\Z", re.DOTALL | re.MULTILINE)


class TermError(ValueError):
    """A mistake in term.toml, in one sentence with the key's name."""

    def __init__(self, key: str, sentence: str) -> None:
        super().__init__(f"{FILE}: {key} {sentence}")
        self.key = key


@dataclass(frozen=True)
class LatePolicy:
    """What handing in late costs; amounts are points, or per cent of the points earned."""

    points_per_day: float = 0.0
    percent_per_day: float = 0.0
    grace_hours: float = 0.0
    at_most_points: float | None = None
    at_most_percent: float | None = None


@dataclass(frozen=True)
class LessonTerm:
    """What a term changes in one lesson."""

    due: datetime | None = None  # with a zone
    hints: bool = True
    leave_out: tuple[str, ...] = ()
    given: tuple[str, ...] = ()
    points: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Term:
    """What term.toml says. `lessons` is None where the term has all lessons."""

    hints: bool = True
    late: LatePolicy | None = None
    lessons: Mapping[str, LessonTerm] | None = None

    def of(self, lesson: str) -> LessonTerm:
        """What the term says of a lesson; TermError if it leaves the lesson out."""
        if self.lessons is None:
            return LessonTerm(hints=self.hints)
        if lesson not in self.lessons:
            raise TermError("lessons", f"has no {lesson}: this term leaves it out")
        return self.lessons[lesson]


# --- reading --------------------------------------------------------------------------------------


def read_term(root: Path = ROOT) -> Term | None:
    """The term of the course at `root`, or None without a term.toml; TermError for a mistake."""
    path = Path(root) / FILE
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise TermError("cannot be read:", str(error)) from None
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise TermError("is not valid TOML:", str(error)) from None
    _known("", data, ("time_zone", "hints", "late", "lessons"))
    zone = _zone(data.get("time_zone"))
    hints = _flag("hints", data.get("hints", True))
    lessons = None
    if "lessons" in data:
        names = [*lesson_names(root), *appendix_names(root)]
        tables = _table("lessons", data["lessons"])
        for name in tables:
            if name not in names:
                raise TermError(
                    f"lessons.{name}", f"is no lesson; there are: {', '.join(names) or 'none'}"
                )
        lessons = {
            name: _lesson(load_lesson(name, root), tables[name], zone, hints)
            for name in names
            if name in tables
        }
    late = _late(_table("late", data["late"])) if "late" in data else None
    return Term(hints=hints, late=late, lessons=lessons)


def _lesson(lesson: Lesson, given: Any, zone: ZoneInfo | None, hints: bool) -> LessonTerm:
    key = f"lessons.{lesson.name}"
    table = _table(key, given)
    _known(key, table, ("due", "hints", "leave_out", "given", "points"))
    asked = [*lesson.exercises, *lesson.questions]
    if lesson.is_appendix and "due" in table:
        raise TermError(f"{key}.due", "cannot be: an appendix is handed in by nobody")
    out = _names(f"{key}.leave_out", table.get("leave_out", []), asked)
    solved = _names(f"{key}.given", table.get("given", []), list(lesson.exercises))
    for name in solved:
        if name in out:
            raise TermError(f"{key}.given", f"and leave_out both name {name!r}")
    worth = [*lesson.checks, *lesson.questions]
    points = {}
    for name, number in _table(f"{key}.points", table.get("points", {})).items():
        here = f"{key}.points.{name}"
        if name not in worth:
            raise TermError(here, f"is no exercise with a check, nor a question: {_list(worth)}")
        if exercise_of(name) in (*out, *solved):
            raise TermError(here, "has points, but students are not asked for it")
        if type(number) is not int or number < (0 if name in lesson.checks else 1):
            least = "0 or more" if name in lesson.checks else "1 or more"
            raise TermError(here, f"must be a whole number of points, {least}: got {number!r}")
        points[name] = number
    found = LessonTerm(
        due=_due(f"{key}.due", table["due"], zone) if "due" in table else None,
        hints=_flag(f"{key}.hints", table.get("hints", hints)),
        leave_out=out,
        given=solved,
        points=points,
    )
    _check_uses(key, lesson, found)
    return found


def _check_uses(key: str, lesson: Lesson, term: LessonTerm) -> None:
    """What is left out must not be needed by what stays."""
    for name in term.leave_out:
        for cell in lesson.cells:
            needs = cell.role == "exercise" or cell.is_definition
            if needs and cell.name not in term.leave_out and name in _names_in(cell):
                who = f"exercise {cell.name}" if cell.role else f"the cell of line {cell.line}"
                raise TermError(
                    f"{key}.leave_out",
                    f"cannot have {name!r}, which {who} uses: name it under given, and the"
                    " notebook holds its solution",
                )


def _names_in(cell: Cell) -> set[str]:
    tree = ast.parse(plain_python(cell.source))
    return {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}


def _due(key: str, value: Any, zone: ZoneInfo | None) -> datetime:
    example = "2026-10-12T23:59:00+02:00"
    if not isinstance(value, datetime):
        kind = "a day without a time" if isinstance(value, date) else repr(value)
        raise TermError(key, f"must be a date and a time, as {example}: got {kind}")
    if value.tzinfo is not None:
        return value
    if zone is None:
        raise TermError(key, f"has no time zone: write it as {example}, or give a time_zone")
    return value.replace(tzinfo=zone)


def _zone(name: Any) -> ZoneInfo | None:
    if name is None:
        return None
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, TypeError, OSError):
        raise TermError("time_zone", f"must be as Europe/Amsterdam: got {name!r}") from None


def _late(table: dict[str, Any]) -> LatePolicy:
    known = [one.name for one in dataclasses.fields(LatePolicy)]
    _known("late", table, known)
    for key, value in table.items():
        if type(value) not in (int, float) or not 0 <= value < float("inf"):
            raise TermError(f"late.{key}", f"must be a number of at least 0: got {value!r}")
        if "percent" in key and value > 100:
            raise TermError(f"late.{key}", f"must be at most 100: got {value!r}")
    for one, other in (
        ("points_per_day", "percent_per_day"),
        ("at_most_points", "at_most_percent"),
    ):
        if one in table and other in table:
            raise TermError(f"late.{one}", f"and {other} are both given: one of them counts")
    if not table.get("points_per_day") and not table.get("percent_per_day"):
        raise TermError("late", "needs points_per_day or percent_per_day above 0")
    return LatePolicy(**table)


def _known(key: str, table: Mapping[str, Any], names: Iterable[str]) -> None:
    for name in table:
        if name not in names:
            raise TermError(f"{key}.{name}".strip("."), f"is unknown; there are: {_list(names)}")


def _table(key: str, value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise TermError(key, f"must be a table: got {value!r}")
    return value


def _flag(key: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise TermError(key, f"must be true or false: got {value!r}")
    return value


def _names(key: str, value: Any, there: list[str]) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise TermError(key, f"must be a list of names: got {value!r}")
    for name in value:
        if name not in there:
            raise TermError(key, f"names {name!r}, which is none of: {_list(there)}")
    return tuple(dict.fromkeys(value))


def _list(names: Iterable[str]) -> str:
    return ", ".join(names) or "none"


# --- a lesson in a term ---------------------------------------------------------------------------


def in_term(lesson: Lesson, term: Term | None) -> Lesson:
    """The lesson as the term asks for it; TermError if the term leaves it out."""
    if term is None:
        return lesson
    asked = term.of(lesson.name)
    cells: list[Cell] = []
    for cell in lesson.cells:
        # The prose of an exercise or question is the markdown cell above it.
        if cell.role in ("exercise", "question") and cell.name in asked.leave_out:
            while cells and cells[-1].is_prediction:  # of what is asked next
                cells.pop()
            _take_out_prose(cells, cell)
        elif cell.role == "check" and cell.exercise in (*asked.leave_out, *asked.given):
            continue
        elif "demo" in cell.tags and _shown_by(cell) & set(asked.leave_out):
            continue
        elif cell.role == "exercise" and cell.name in asked.given:
            _tell_points(cells, cell.name, "given")
            cells.append(_solved(cell))
        elif cell.name in asked.points and cell.role in ("check", "question"):
            _tell_points(cells, cell.exercise, str(_worth(lesson, cell.exercise, asked)))
            cells.append(dataclasses.replace(cell, points=asked.points[cell.name]))
        else:
            cells.append(cell)
    if not asked.hints:
        cells = [
            dataclasses.replace(cell, source=_HINT.sub("", cell.source).rstrip())
            if cell.kind == "markdown"
            else cell
            for cell in cells
        ]
    same = tuple(cells) == lesson.cells
    return dataclasses.replace(
        lesson, cells=tuple(cells), due=asked.due, committed=lesson.committed and same
    )


def _worth(lesson: Lesson, name: str, asked: LessonTerm) -> int:
    """The points of an exercise, its steps together, or of a question."""
    worth = (lesson.checks | lesson.questions).values()
    return sum(asked.points.get(c.name, c.points or 0) for c in worth if c.exercise == name)


def _take_out_prose(cells: list[Cell], cell: Cell) -> None:
    """Takes what asks for an exercise or a question out of the prose in `cells`, which is above it.

    A section of the exercise's own goes as a whole; one that also explains keeps all but the line
    of facts and the hints. What asks a question is the last section of the prose above it.
    """
    for at in range(len(cells) - 1, -1, -1):
        above = cells[at].source
        if cells[at].kind != "markdown":
            continue
        if cell.role == "question":
            found = _SECTION_OF_QUESTION.search(above)
            rest = above[: found.start()] if found else None
        else:
            rest = _without_exercise(above, cell.name)
        if rest is None:
            continue
        rest = rest.strip()
        cells[at : at + 1] = [dataclasses.replace(cells[at], source=rest)] if rest else []
        return


def _without_exercise(prose: str, name: str) -> str | None:
    """Prose that no longer asks for an exercise; None if it did not."""
    found = _facts_of(prose, name)
    if found is None:
        return None
    rest = _retold(prose, name, None) or ""
    begin = prose.rfind("\n", 0, found.start()) + 1
    line = rest[begin:].split("\n", 1)[0]
    if line.strip(" #"):
        return rest  # the line still tells of another exercise
    starts = [found.start() for found in _HEADING.finditer(rest)]
    own = max((start for start in starts if start <= begin), default=-1)
    if own == begin or (own >= 0 and _SECTION_OF_EXERCISE.match(rest[own:])):
        end = next((start for start in starts if start > own), len(rest))
        return rest[:own] + rest[end:]
    return _HINT.sub("", rest[:begin] + rest[begin + len(line) :].lstrip("\n"))


def _tell_points(cells: list[Cell], name: str, told: str) -> None:
    """The line of facts in the prose of an exercise says what it is worth now."""
    for at in range(len(cells) - 1, -1, -1):
        if cells[at].kind == "markdown" and (source := _retold(cells[at].source, name, told)):
            cells[at] = dataclasses.replace(cells[at], source=source)
            return


def _retold(prose: str, name: str, worth: str | None) -> str | None:
    """Prose whose line of facts says that an exercise is `worth` so much, or that has it no more.

    Such a line is "`f` · difficulty ●○○ · 5 minutes · 2 points", or "`f`, `g` · … · 2 + 3 points",
    or two of them with a · between. None if no line tells of the exercise.
    """
    found = _facts_of(prose, name)
    if found is None:
        return None
    before, after = prose[: found.start()], prose[found.end() :]
    names, points = found["names"].split(", "), found["points"].split(" + ")
    at = names.index(f"`{name}`")
    if worth is not None:
        points[at] = worth
    else:
        del names[at], points[at]
    if names:
        unit = "" if set(points) == {"given"} else " point" if points == ["1"] else " points"
        return f"{before}{', '.join(names)} · {found['how']} · {' + '.join(points)}{unit}{after}"
    if after.startswith(_BETWEEN):
        return before + after.removeprefix(_BETWEEN)
    return before.removesuffix(_BETWEEN) + after


def _facts_of(prose: str, name: str) -> re.Match[str] | None:
    """Where prose tells an exercise's difficulty, minutes and points."""
    for found in _FACTS.finditer(prose):
        names = found["names"].split(", ")
        if f"`{name}`" in names and len(names) == len(found["points"].split(" + ")):
            return found
    return None


def _solved(cell: Cell) -> Cell:
    """An exercise's cell as a definition that the notebook gives."""
    lines = (line for line in cell.source.split("\n") if BEGIN not in line and END not in line)
    return dataclasses.replace(cell, source="\n".join(lines), role="", name="")


def _shown_by(cell: Cell) -> set[str]:
    """The names that a demo uses, and those in its `with solved("f", …)`."""
    return _names_in(cell) | {
        str(argument.value)
        for node in ast.walk(ast.parse(plain_python(cell.source)))
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "solved"
        for argument in node.args
        if isinstance(argument, ast.Constant)
    }


def due_in_utc(root: Path, lesson: str) -> datetime | None:
    """A lesson's due date as nbgrader keeps it, UTC without a zone; None where none is set."""
    term = read_term(root)
    due = term.of(lesson).due if term is not None else None
    return due.astimezone(UTC).replace(tzinfo=None) if due is not None else None
