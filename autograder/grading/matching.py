"""Finds which of a submission's cells is which of the lesson's, also where its ids are lost.

Colab, VS Code and a round trip through a text file change or drop cell ids and metadata, and
students copy, split and replace cells. So a cell is found by its grade_id, else its cell id, else
its text; an exercise also by the name that it defines, a written answer by the cells around it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from autograder.grading.submission import SubmittedCell
from autograder.steps import exercise_of, name_in

Cell = dict[str, Any]

_BEGINS = re.compile(r"^(?:async[ \t]+)?(?:def|class)[ \t]+(\w+)", re.MULTILINE)
_ASSIGNS = re.compile(r"^([^\W\d]\w*)[ \t]*(?::[^=\n]*)?=(?!=)", re.MULTILINE)
_CODE = re.compile(r"(?:async[ \t]|def[ \t]|class[ \t]|import[ \t]|from[ \t]|@)")


def text_of(cell: Cell) -> str:
    """The text of an nbformat cell, whose source may be a list of lines."""
    source = cell.get("source", "")
    return "".join(source) if isinstance(source, list) else source


def nbgrader_of(cell: Cell) -> dict[str, Any]:
    """The cell's nbgrader metadata, {} if it has none."""
    return cell.get("metadata", {}).get("nbgrader") or {}


def is_answer(cell: Cell) -> bool:
    """Whether a student writes this cell: an exercise or a written answer."""
    return bool(nbgrader_of(cell).get("solution"))


def is_exercise(cell: Cell) -> bool:
    """Whether a student writes code in this cell."""
    return is_answer(cell) and cell["cell_type"] == "code"


def is_question(cell: Cell) -> bool:
    """Whether a student writes prose in this cell."""
    return is_answer(cell) and cell["cell_type"] != "code"


def is_graded(cell: Cell) -> bool:
    """Whether nbgrader takes a score from this cell."""
    return bool(nbgrader_of(cell).get("grade"))


def checked_name(cell: Cell) -> str:
    """The name of the check in an instructor's `check(…)` cell, "" for any other cell."""
    if cell.get("cell_type") != "code" or not is_graded(cell) or is_answer(cell):
        return ""
    return name_in(text_of(cell))


def checked_exercise(cell: Cell) -> str:
    """The exercise that an instructor's `check(…)` cell judges, "" for any other cell."""
    return exercise_of(checked_name(cell))


def defined_names(text: str) -> set[str]:
    """Functions and classes that a cell defines; read as text, since parsing it could be costly."""
    return set(_BEGINS.findall(text))


def assigned_names(text: str) -> set[str]:
    """Names that a cell's top level assigns to, as in `double = lambda x: 2 * x`."""
    return set(_ASSIGNS.findall(text))


def own_lines(text: str) -> list[str]:
    """The lines of a code cell that do something: no blank ones, no comments."""
    lines = (line.strip() for line in text.split("\n"))
    return [line for line in lines if line and not line.startswith("#")]


def is_stub(text: str, handed_out: str) -> bool:
    """Whether no line of the cell is the student's own: all of them were handed out."""
    return set(own_lines(text)) <= set(own_lines(handed_out))


@dataclass
class Matched:
    """Which submitted cell is which of the lesson's, by number and place.

    `again` holds cells that are there once more, `by_place` written answers that only the cells
    around them told.
    """

    places: dict[int, int] = field(default_factory=dict)
    again: dict[int, int] = field(default_factory=dict)
    by_place: set[int] = field(default_factory=set)

    def number_of(self) -> dict[int, int]:
        """Place → number of the submitted cell."""
        return {at: number for number, at in self.places.items()}

    def knows(self, number: int) -> bool:
        """Whether the submitted cell is one of the lesson's."""
        return number in self.places or number in self.again


def match(cells: list[Cell], submitted: tuple[SubmittedCell, ...]) -> Matched:
    """Finds the lesson's `cells` among the submitted ones."""
    found = Matched()
    taken: set[int] = set()

    def take(number: int, at: int) -> None:
        found.places[number] = at
        taken.add(at)

    def take_best(candidates: dict[int, list[int]]) -> None:
        """Of several cells for one place the first that a student wrote in, else the first."""
        for at, numbers in candidates.items():
            if at not in taken:
                best = next((n for n in numbers if _is_written(cells[at], submitted[n])), None)
                take(numbers[0] if best is None else best, at)
            for number in numbers:
                if number not in found.places:
                    found.again[number] = at

    by_grade_id = {nbgrader_of(c)["grade_id"]: i for i, c in enumerate(cells) if _has_grade_id(c)}
    candidates: dict[int, list[int]] = {}
    for number, cell in enumerate(submitted):
        if (at := by_grade_id.get(cell.grade_id)) is not None:
            candidates.setdefault(at, []).append(number)
    take_best(candidates)

    by_id = {c["id"]: i for i, c in enumerate(cells) if c.get("id")}
    candidates = {}
    for number, cell in enumerate(submitted):
        at = by_id.get(cell.id)
        # A copied cell may keep its id; only a cell of the same role counts as "there again".
        if at is None or found.knows(number):
            continue
        if at not in taken or cell.text.strip() == text_of(cells[at]).strip():
            candidates.setdefault(at, []).append(number)
    take_best(candidates)

    by_text: dict[str, list[int]] = {}
    for at, mine in enumerate(cells):
        if at not in taken:
            by_text.setdefault(text_of(mine).strip(), []).append(at)
    for number, cell in enumerate(submitted):
        free = by_text.get(cell.text.strip())
        if not found.knows(number) and free:
            take(number, free.pop(0))

    defined = {
        number: defined_names(cell.text) | assigned_names(cell.text)
        for number, cell in enumerate(submitted)
        if not found.knows(number) and (cell.kind == "code" or _CODE.match(cell.text.lstrip()))
    }
    for at, mine in enumerate(cells):
        if at in taken or not is_exercise(mine):
            continue
        name = str(nbgrader_of(mine).get("grade_id", ""))
        numbers = [n for n, names in defined.items() if name in names and not found.knows(n)]
        written = [n for n in numbers if _is_written(mine, submitted[n])]
        if numbers:
            take((written or numbers)[0], at)

    _match_answers(cells, submitted, found)
    return found


def _match_answers(cells: list[Cell], submitted: tuple[SubmittedCell, ...], found: Matched) -> None:
    """Written answers whose ids are lost: prose between the question's neighbors."""
    number_of = found.number_of()
    for at, cell in enumerate(cells):
        if at in number_of or not is_question(cell):
            continue
        above = next((number_of[i] for i in range(at - 1, -1, -1) if i in number_of), -1)
        below = next(
            (number_of[i] for i in range(at + 1, len(cells)) if i in number_of), len(submitted)
        )
        between = [
            number
            for number in range(above + 1, below)
            if not found.knows(number) and is_prose(submitted[number])
        ]
        if between:
            number = max(between, key=lambda n: len(submitted[n].text))
            found.places[number] = at
            number_of[at] = number
            found.by_place.add(at)


def is_prose(cell: SubmittedCell) -> bool:
    """Whether the cell could be a written answer: more than a heading, in any kind of cell.

    Code counts where every line of it is a comment, a string or nothing.
    """
    text = cell.text
    if cell.kind == "code":
        if own_lines(text) and not re.fullmatch(r"\s*[rf]?(\"|')(?s:.*)\1\s*", text):
            return False
        text = "\n".join(line.lstrip("# ") for line in text.split("\n"))
    said = [line for line in text.split("\n") if not line.startswith("#")]
    return len(re.findall(r"\w+", "\n".join(said)[:2_000])) >= 2


def _has_grade_id(cell: Cell) -> bool:
    return isinstance(nbgrader_of(cell).get("grade_id"), str)


def _is_written(mine: Cell, theirs: SubmittedCell) -> bool:
    """Whether a student wrote something in this cell of the lesson."""
    if mine["cell_type"] == "code":
        return not is_stub(theirs.text, text_of(mine))
    return theirs.text.strip() not in ("", text_of(mine).strip())
