"""Rebuilds a submission: the instructor's notebook with the student's text in the answer cells.

Metadata, tags, ids, points, outputs and attachments are the instructor's. The student's own added
code and markdown cells keep their places. Notebooks are plain dictionaries here (nbformat 4.5), so
that a worker that grades needs no Jupyter package.
"""

from __future__ import annotations

import copy
import re
from dataclasses import dataclass
from typing import Any

from autograder.grading.submission import Submission, SubmittedCell, Unreadable

Notebook = dict[str, Any]
Cell = dict[str, Any]

# Keys in the metadata of a rebuilt cell: a student's own cell, and an answer that nobody touched.
ADDED, UNTOUCHED = "autograder-added", "autograder-untouched"
UNREADABLE = "autograder-unreadable"  # in the metadata of the notebook
MAX_PROSE = 10_000  # characters of a markdown cell: rendering some texts costs the square of that
_CHECK = re.compile(r"check\(\s*([^\W\d]\w*)\s*\)")


@dataclass(frozen=True)
class Rebuilt:
    """The notebook that is graded, and one sentence for each thing that was odd."""

    notebook: Notebook
    problems: tuple[str, ...] = ()


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


def is_graded(cell: Cell) -> bool:
    """Whether nbgrader takes a score from this cell."""
    return bool(nbgrader_of(cell).get("grade"))


def is_added(cell: Cell) -> bool:
    """Whether this cell of a rebuilt notebook is a student's own."""
    return bool(cell.get("metadata", {}).get(ADDED))


def is_untouched(cell: Cell) -> bool:
    """Whether this answer of a rebuilt notebook is still what the lesson handed out."""
    return bool(cell.get("metadata", {}).get(UNTOUCHED))


def checked_name(cell: Cell) -> str:
    """The name in an instructor's `check(name)` cell, "" for any other cell."""
    if cell.get("cell_type") != "code" or not is_graded(cell) or is_answer(cell):
        return ""
    match = _CHECK.fullmatch(text_of(cell).strip())
    return match[1] if match else ""


def rebuild(template: Notebook, submission: Submission, lesson: str = "this lesson") -> Rebuilt:
    """`template` (the notebook without solutions) with the text of the submission's cells.

    A solution cell is found by its grade_id, else by its cell id, else by the line that begins its
    definition. Raises Unreadable if no graded cell of the lesson is there.
    """
    cells = [copy.deepcopy(cell) for cell in template["cells"]]
    places, extra = _match(cells, submission.cells)
    problems = list(submission.problems)
    if not any(is_answer(cells[at]) or is_graded(cells[at]) for at in places.values()):
        raise Unreadable(f"this is not the notebook of {lesson}: it has none of its graded cells")

    answered: set[int] = set()
    for number, at in places.items():
        mine, theirs = cells[at], submission.cells[number]
        if is_answer(mine):
            touched = theirs.text != text_of(mine)
            mine["source"] = _answer(mine, theirs) if touched else text_of(mine)
            if touched:
                answered.add(at)
            if theirs.kind != mine["cell_type"]:
                problems.append(
                    f"{_called(mine)} was turned into a {theirs.kind} cell: turned back"
                )
        elif mine["cell_type"] == "code" and theirs.text.strip() != text_of(mine).strip():
            problems.append(f"{_called(mine)} was changed: the instructor's text is used")
    problems += _missing(cells, set(places.values()))
    problems += _doubled(cells, submission.cells, extra)

    own: dict[int, list[Cell]] = {}
    before = -1  # the cell of the lesson that an added cell stands below
    count = 0
    for number, theirs in enumerate(submission.cells):
        if number in places:
            before = places[number]
        elif theirs.text.strip():
            count += 1
            own.setdefault(before, []).append(_own_cell(theirs, count))
    rebuilt = list(own.get(-1, []))
    for at, cell in enumerate(cells):
        if is_answer(cell) and at not in answered:
            cell["metadata"][UNTOUCHED] = True
        rebuilt.append(_emptied(cell))
        rebuilt += own.get(at, [])
    notebook = {
        "cells": rebuilt,
        "metadata": copy.deepcopy(template.get("metadata", {})),
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    return Rebuilt(notebook, tuple(problems))


def nothing_handed_in(template: Notebook, reason: str) -> Notebook:
    """The lesson's notebook for a submission that cannot be read, with the reason at its top."""
    note = {
        "cell_type": "markdown",
        "id": "autograder-unreadable",
        "metadata": {},
        "source": "**This submission could not be read.** " + inert_markdown(reason),
    }
    return {
        "cells": [note, *(_emptied(copy.deepcopy(cell)) for cell in template["cells"])],
        "metadata": {**copy.deepcopy(template.get("metadata", {})), UNREADABLE: True},
        "nbformat": 4,
        "nbformat_minor": 5,
    }


def _match(
    cells: list[Cell], submitted: tuple[SubmittedCell, ...]
) -> tuple[dict[int, int], dict[int, int]]:
    """Submitted number → place in the lesson; and the same for cells that are there again."""
    by_grade_id = {nbgrader_of(c)["grade_id"]: i for i, c in enumerate(cells) if _named(c)}
    by_id = {c["id"]: i for i, c in enumerate(cells) if c.get("id")}
    places: dict[int, int] = {}
    again: dict[int, int] = {}
    taken: set[int] = set()

    def take(number: int, at: int | None) -> None:
        if at is None or number in places or number in again:
            return
        if at in taken:
            again[number] = at
        else:
            places[number] = at
            taken.add(at)

    for number, cell in enumerate(submitted):
        take(number, by_grade_id.get(cell.grade_id))
    for number, cell in enumerate(submitted):
        # A copied cell may keep its id; only a cell of the same role counts as "there again".
        at = by_id.get(cell.id)
        if at is not None and (at not in taken or cell.text.strip() == text_of(cells[at]).strip()):
            take(number, at)
    by_text: dict[str, list[int]] = {}
    for at, cell in enumerate(cells):
        if at not in taken:
            by_text.setdefault(text_of(cell).strip(), []).append(at)
    for number, cell in enumerate(submitted):
        free = by_text.get(cell.text.strip())
        if number not in places and number not in again and free:
            take(number, free.pop(0))
    for at, cell in enumerate(cells):
        if at in taken or not is_answer(cell) or cell["cell_type"] != "code":
            continue
        header = _header(cell)
        for number, theirs in enumerate(submitted):
            known = number in places or number in again
            if header and not known and header in theirs.text.split("\n"):
                take(number, at)
                break
    return places, again


def _named(cell: Cell) -> bool:
    return isinstance(nbgrader_of(cell).get("grade_id"), str)


def _header(cell: Cell) -> str:
    """The line that begins the definition of what an exercise asks for."""
    name = re.escape(str(nbgrader_of(cell).get("grade_id", "")))
    for line in text_of(cell).split("\n"):
        if re.match(rf"(def|class)\s+{name}\b", line):
            return line
    return ""


def _answer(mine: Cell, theirs: SubmittedCell) -> str:
    """The student's text for an answer cell."""
    return theirs.text if mine["cell_type"] == "code" else _prose(theirs.text)


def _prose(text: str) -> str:
    """A student's markdown, inert and not too long."""
    rest = len(text) - MAX_PROSE
    return inert_markdown(text[:MAX_PROSE]) + (f"\n\n(… {rest:,} more characters)" * (rest > 0))


def _own_cell(theirs: SubmittedCell, count: int) -> Cell:
    cell: Cell = {"id": f"added-{count}", "metadata": {ADDED: True}}
    if theirs.kind == "code":
        cell |= {"cell_type": "code", "execution_count": None, "outputs": []}
        return {**cell, "source": theirs.text}
    # A raw cell could be HTML that a page shows as it stands.
    return {"cell_type": "markdown", "source": _prose(theirs.text), **cell}


def _emptied(cell: Cell) -> Cell:
    cell["source"] = text_of(cell)
    if cell["cell_type"] == "code":
        cell["outputs"], cell["execution_count"] = [], None
    return cell


def _called(cell: Cell) -> str:
    return str(nbgrader_of(cell).get("grade_id") or f"the cell {cell.get('id', '')}")


def _missing(cells: list[Cell], found: set[int]) -> list[str]:
    told, others = [], 0
    for at, cell in enumerate(cells):
        if at in found:
            continue
        if is_answer(cell):
            told.append(f"{_called(cell)} is missing: it counts as not attempted")
        elif is_graded(cell):
            told.append(f"{_called(cell)} was missing and is put back")
        elif cell["cell_type"] == "code" and "demo" not in cell["metadata"].get("tags", ()):
            others += 1
    if others:
        told.append(f"code cells of the lesson were missing and are put back: {others}")
    return told


def _doubled(
    cells: list[Cell], submitted: tuple[SubmittedCell, ...], again: dict[int, int]
) -> list[str]:
    told = []
    for at in sorted({at for number, at in again.items() if submitted[number].text.strip()}):
        if is_answer(cells[at]) or is_graded(cells[at]):
            told.append(
                f"{_called(cells[at])} is there more than once: the first is used,"
                " the others run as added cells"
            )
    return told


# Commands that make MathJax follow an address, load a part of itself, set attributes or make other
# commands. A space behind the backslash turns each into its plain name.
_TEX = re.compile(
    r"\\(?=(?:href|url|html\w*|class|style|cssId|data|require|mmlToken|unicode|bbox|def|edef|gdef"
    r"|xdef|let|futurelet|(?:re)?newcommand|providecommand|(?:re)?newenvironment|csname|endcsname"
    r"|includegraphics|input|Declare\w*|mathtip|texttip|toggle|action|begingroup|newlabel)"
    r"(?![a-z]))",
    re.IGNORECASE,
)
_SCHEME = re.compile(r"(?i)((?:java|vb|live)script|data)(?=\s*:)|(?<=:)(?=//)")
# From the beginning of a run only, and never back into it: a run of a million would take hours.
_MERMAID = re.compile(r"(?i)((?:(?<!`)`{3,}+|(?<!~)~{3,}+)[^\S\n]*+)(?=mermaid)")


def inert_markdown(text: str) -> str:
    """A student's markdown in which nothing can run, load or lead away, whatever shows it.

    Nothing is taken out, so no new command can arise: a space breaks up each beginning of HTML
    (`<a` → `< a`), entity, link, image, reference and MathJax command that sets addresses or
    attributes. Emphasis, lists, tables, code and mathematics keep their meaning.
    """
    text = re.sub(r"<(?=[^\s=\d])", "< ", text)
    text = re.sub(r"&(?=[#A-Za-z])", "& ", text)
    text = re.sub(r"\](?=[(\[:])", "] ", text)
    text = re.sub(r"!(?=\[)", "! ", text)
    text = _TEX.sub(r"\\ ", text)
    text = _SCHEME.sub(lambda m: f"{m[0]} ", text)
    return _MERMAID.sub(r"\1text-", text)
