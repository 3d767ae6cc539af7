"""Rebuilds a submission: the instructor's notebook with the student's text in the answer cells.

Metadata, tags, ids, points, outputs and attachments are the instructor's. The student's own added
code and markdown cells keep their places. Work counts wherever in the notebook it stands: an
untouched stub does not overwrite it, a check above it moves down to it. Notebooks are plain
dictionaries here (nbformat 4.5), so that a worker that grades needs no Jupyter package.
"""

from __future__ import annotations

import copy
import difflib
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from autograder.grading.matching import (
    Cell,
    Matched,
    assigned_names,
    checked_exercise,
    defined_names,
    is_answer,
    is_exercise,
    is_graded,
    is_prose,
    is_question,
    is_stub,
    match,
    nbgrader_of,
    text_of,
)
from autograder.grading.recognize import Outlines, other_lesson, outline_of
from autograder.grading.submission import Submission, SubmittedCell, Unreadable
from autograder.steps import name_in

Notebook = dict[str, Any]

# Keys in the metadata of a rebuilt cell: a student's own cell, an answer that nobody touched, and
# what is run instead of a cell's text.
ADDED, UNTOUCHED, RUNS = "autograder-added", "autograder-untouched", "autograder-runs"
UNREADABLE = "autograder-unreadable"  # in the metadata of the notebook
MAX_PROSE = 10_000  # characters of a markdown cell: rendering some texts costs the square of that


@dataclass(frozen=True)
class Rebuilt:
    """The notebook that is graded, and one sentence for each thing that was odd."""

    notebook: Notebook
    problems: tuple[str, ...] = ()


def is_added(cell: Cell) -> bool:
    """Whether this cell of a rebuilt notebook is a student's own."""
    return bool(cell.get("metadata", {}).get(ADDED))


def is_untouched(cell: Cell) -> bool:
    """Whether this answer of a rebuilt notebook is still what the lesson handed out."""
    return bool(cell.get("metadata", {}).get(UNTOUCHED))


def text_to_run(cell: Cell) -> str:
    """What the judge runs of a code cell: its text, but of a stub only what nobody else defines."""
    return str(cell.get("metadata", {}).get(RUNS, text_of(cell)))


def rebuild(
    template: Notebook,
    submission: Submission,
    lesson: str = "this lesson",
    outlines: Outlines | None = None,
) -> Rebuilt:
    """`template` (the notebook without solutions) with the text of the submission's cells.

    `outlines` tell the course's lessons apart (see `autograder.grading.recognize`). Raises
    Unreadable if this is the notebook of another lesson, or of none.
    """
    known = {**(outlines or {}), lesson: outline_of(lesson, template)}
    if other := other_lesson(submission, lesson, known):
        raise Unreadable(f"this is lesson {other}")
    cells = [copy.deepcopy(cell) for cell in template["cells"]]
    matched = match(cells, submission.cells)
    problems = list(submission.problems)
    asked = {name for name in map(checked_exercise, cells) if name}
    its_own = any(is_answer(cells[at]) or is_graded(cells[at]) for at in matched.places.values())
    if not its_own and not any(asked & _names_in(c.text, asked) for c in submission.cells):
        raise Unreadable(f"this is not the notebook of {lesson}: it has none of its graded cells")

    answered: set[int] = set()
    moved_out: dict[int, str] = {}  # submitted number → code that stood in a cell of the lesson
    for number, at in matched.places.items():
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
            if text := _work_in(mine, theirs, asked):
                moved_out[number] = text
                problems[-1] += ", and your code in it runs as a cell of your own"
    problems += _doubled(cells, submission.cells, matched.again)

    own: dict[int, list[Cell]] = {}
    before = -1  # the cell of the lesson that an added cell stands below
    joining = -1  # the exercise that a cell directly below may be the second half of
    count = 0
    for number, theirs in enumerate(submission.cells):
        if number in matched.places:
            before = joining = matched.places[number]
            if number in moved_out:
                count += 1
                # Above a check, so that it is checked; below what the lesson itself defines.
                place = before - 1 if is_graded(cells[before]) else before
                own.setdefault(place, []).append(
                    _own_cell(SubmittedCell("code", moved_out[number]), count)
                )
        elif theirs.text.strip():
            if joining in answered and _continues(cells[joining], theirs):
                cells[joining]["source"] += "\n" + theirs.text
                problems.append(f"{_called(cells[joining])} was split in two cells: put together")
                continue
            count += 1
            own.setdefault(before, []).append(_own_cell(theirs, count))
            joining = -1
    problems += _answers_elsewhere(cells, submission.cells, matched, answered)
    rebuilt = list(own.get(-1, []))
    for at, cell in enumerate(cells):
        if is_answer(cell) and at not in answered:
            cell["metadata"][UNTOUCHED] = True
        rebuilt.append(_emptied(cell))
        rebuilt += own.get(at, [])
    handed_out = {
        nbgrader_of(c)["grade_id"]: text_of(c) for c in template["cells"] if is_exercise(c)
    }
    work = _Work(rebuilt, asked, handed_out)
    problems += work.missing(cells, set(matched.places.values()))
    problems += work.leave_out_stubs()
    problems += work.not_defined()
    problems += work.move_checks_down()
    notebook = {
        "cells": [*_note(problems), *work.cells],
        "metadata": copy.deepcopy(template.get("metadata", {})),
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    return Rebuilt(notebook, tuple(problems))


def _names_in(text: str, asked: Iterable[str]) -> set[str]:
    """What a text defines: functions and classes, and of the names asked for also variables."""
    return defined_names(text) | (assigned_names(text) & set(asked))


def _work_in(mine: Cell, theirs: SubmittedCell, asked: set[str]) -> str:
    """The student's code in a cell that is the lesson's, "" if it defines nothing asked for."""
    if theirs.kind != "code":
        return ""
    names = _names_in(theirs.text, asked) - _names_in(text_of(mine), asked)
    if not (names & asked or (names and is_graded(mine))):
        return ""
    kept = [line for line in theirs.text.split("\n") if not name_in(line)]
    return "\n".join(kept)


def _continues(exercise: Cell, theirs: SubmittedCell) -> bool:
    """Whether a cell is the second half of an exercise's: it begins indented."""
    first = next((line for line in theirs.text.split("\n") if line.strip()), "")
    return is_exercise(exercise) and theirs.kind == "code" and first[:1] in (" ", "\t")


class _Work:
    """A rebuilt notebook's cells, and where in them the student has defined what is asked for."""

    def __init__(self, cells: list[Cell], asked: set[str], handed_out: Mapping[str, str]) -> None:
        self.cells, self.asked = cells, asked
        homes = [(name, i) for i, text in handed_out.items() for name in defined_names(text)]
        self.home = dict(homes)  # name → the exercise's cell that was handed out to define it
        self.stubs = {name: handed_out[i] for name, i in homes}
        self.given = {
            name
            for cell in cells
            if not is_added(cell) and not is_exercise(cell)
            for name in defined_names(text_of(cell))
        }
        self.names = [self._names(cell) for cell in cells]

    def _names(self, cell: Cell) -> set[str]:
        """What the student has defined in a cell: nothing in a stub that nobody wrote in."""
        if cell["cell_type"] != "code" or not (is_added(cell) or is_exercise(cell)):
            return set()
        text = text_of(cell)
        return {
            name
            for name in _names_in(text, self.asked)
            if name not in self.stubs or not is_stub(text, self.stubs[name])
        }

    @property
    def defined(self) -> set[str]:
        """All that the student has defined, in whatever cell."""
        return set().union(*self.names)

    def leave_out_stubs(self) -> list[str]:
        """A stub that nobody wrote in must not overwrite the same name from another cell."""
        told = []
        for at, cell in enumerate(self.cells):
            if cell["cell_type"] != "code" or not (is_added(cell) or is_exercise(cell)):
                continue
            text = text_of(cell)
            stubs = {n for n in defined_names(text) if n not in self.names[at]}
            if elsewhere := stubs & self.defined:
                cell["metadata"][RUNS] = _without(text, elsewhere)
                if is_exercise(cell):
                    names = " and ".join(sorted(elsewhere))
                    told.append(f"{names} stands in another cell than its own: that one counts")
        return told

    def missing(self, cells: list[Cell], found: set[int]) -> list[str]:
        """A sentence for each graded cell of the lesson that is not there."""
        told, others = [], 0
        for at, cell in enumerate(cells):
            if at in found:
                continue
            if is_exercise(cell) and defined_names(text_of(cell)) & self.defined:
                continue  # leave_out_stubs says where it is
            if is_answer(cell) and is_untouched(cell):
                told.append(f"{_called(cell)} is missing: it counts as not attempted")
            elif is_graded(cell) and not is_answer(cell):
                told.append(f"{_called(cell)} was missing and is put back")
            elif cell["cell_type"] == "code" and "demo" not in cell["metadata"].get("tags", ()):
                others += 1
        if others:
            told.append(f"code cells of the lesson were missing and are put back: {others}")
        return told

    def not_defined(self) -> list[str]:
        """Exercises that nobody has defined, where another name or a markdown cell could be it."""
        told = []
        wanted = sorted(self.asked - self.defined)
        strangers = self.defined - self.given - self.asked - {"check"}
        for name in wanted:
            in_prose = rf"^[ \t]*(?:def|class)[ \t]+{re.escape(name)}\b"
            if any(
                c["cell_type"] == "markdown"
                and is_added(c)
                and re.search(in_prose, text_of(c), re.M)
                for c in self.cells
            ):
                told.append(f"{name} stands in a markdown cell, which does not run")
                continue
            near = self._near(name) & strangers
            alike = difflib.get_close_matches(name, sorted(strangers)[:50], n=1, cutoff=0.75)
            if found := (sorted(near) or alike)[:1]:
                told.append(f"you defined {found[0][:60]}; the exercise asks for {name}")
        return told

    def _near(self, name: str) -> set[str]:
        """What the student defines in the exercise's cell and below it down to its check."""
        found: set[str] = set()
        inside = False
        for cell, names in zip(self.cells, self.names, strict=True):
            if is_exercise(cell):
                inside = self.home.get(name) == nbgrader_of(cell)["grade_id"]
            if inside:
                found |= names
            if checked_exercise(cell) == name:
                return found
        return found

    def move_checks_down(self) -> list[str]:
        """A check that stands above the only work on its exercise is made below that work.

        So are the checks of later exercises whose answers use it. Afterwards `cells` is in the
        order in which it runs.
        """
        last = {name: at for at, names in enumerate(self.names) for name in names & self.asked}
        first: dict[str, int] = {}
        for at, names in enumerate(self.names):
            for name in names & self.asked:
                first.setdefault(name, at)
        moves: dict[int, int] = {}  # check's place → the cell that it is made below
        late: dict[str, int] = {}
        told = []
        for at, cell in enumerate(self.cells):
            name = checked_exercise(cell)
            if not name or name not in last:
                continue
            to = last[name] if first[name] > at else -1
            uses = [
                late[other]
                for other in late
                if any(
                    re.search(rf"\b{re.escape(other)}\b", text_of(self.cells[i]))
                    for i, names in enumerate(self.names)
                    if name in names
                )
            ]
            if to > at:
                told.append(f"{name} stands below its check: it is checked there")
            to = max([to, *uses])
            if to > at:
                moves[at] = late[name] = to
        below: dict[int, list[Cell]] = {}
        for at, to in moves.items():
            below.setdefault(to, []).append(self.cells[at])
        self.cells = [
            cell
            for at, one in enumerate(self.cells)
            for cell in ([] if at in moves else [one]) + below.get(at, [])
        ]
        return list(dict.fromkeys(told))


def _without(text: str, names: set[str]) -> str:
    """A handed-out cell without the definitions of `names`, their decorators and comments above."""
    kept, skipping = [], False
    pending: list[str] = []  # decorators and comments, which belong to what follows
    for line in text.split("\n"):
        if line[:1] in ("@", "#"):
            pending.append(line)
            skipping = False
            continue
        if line.strip() and line[:1] not in (" ", "\t", ")", "]"):
            skipping = bool(defined_names(line) & names)
            kept += [] if skipping else pending
            pending = []
        if not skipping:
            kept.append(line)
    return "\n".join(kept).strip("\n")


def _answers_elsewhere(
    cells: list[Cell], submitted: tuple[SubmittedCell, ...], matched: Matched, answered: set[int]
) -> list[str]:
    """Shows a reader what could be the answer to a question whose cell nobody wrote in.

    Where the cell is there, that is prose of the student's own between the graded cells around it;
    where its cell is lost, any prose of the student's own. Such a question is read, and not 0.
    """
    told = []
    number_of = matched.number_of()
    for at in sorted(matched.by_place):
        told.append(f"{_called(cells[at])} was found by its place: its cell's name is lost")
    used = {number for number, at in matched.places.items() if is_answer(cells[at])}
    for at, cell in enumerate(cells):
        if not is_question(cell) or at in answered:
            continue
        around = [i for i in number_of if (is_answer(cells[i]) or is_graded(cells[i])) and i != at]
        above = max((number_of[i] for i in around if i < at), default=-1)
        below = min((number_of[i] for i in around if i > at), default=len(submitted))
        zone = range(above + 1, below) if at in number_of else range(len(submitted))
        found = [
            text
            for number in zone
            if number not in used
            and number not in matched.again
            and (text := _own_prose(number, cells, submitted, matched))
        ]
        if not found:
            continue
        intro = "*(Nothing is written in this cell. What stands elsewhere in the notebook:)*"
        cell["source"] = _prose("\n\n".join([text_of(cell), intro, *found]))
        answered.add(at)
        told.append(
            f"{_called(cell)} has no answer in its cell: what else was written is shown to a reader"
        )
    return told


def _own_prose(
    number: int, cells: list[Cell], submitted: tuple[SubmittedCell, ...], matched: Matched
) -> str:
    """What a student wrote in a cell of their own, or into the lesson's prose; "" if nothing."""
    theirs = submitted[number]
    if number not in matched.places:
        return theirs.text if is_prose(theirs) else ""
    mine = cells[matched.places[number]]
    if mine["cell_type"] == "code" or theirs.kind == "code":
        return ""
    given = {line.strip() for line in text_of(mine).split("\n")}
    text = "\n".join(line for line in theirs.text.split("\n") if line.strip() not in given)
    return text if is_prose(SubmittedCell("markdown", text)) else ""


def _note(problems: list[str]) -> Iterator[Cell]:
    """A cell at the notebook's top that tells its author what was odd, if anything was."""
    if problems:
        lines = [f"- {inert_markdown(problem)}" for problem in problems]
        source = "\n".join(["**What was odd about this notebook:**", "", *lines])
        yield {"cell_type": "markdown", "id": "autograder-note", "metadata": {}, "source": source}


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


def _doubled(
    cells: list[Cell], submitted: tuple[SubmittedCell, ...], again: dict[int, int]
) -> list[str]:
    told = []
    for at in sorted({at for number, at in again.items() if submitted[number].text.strip()}):
        if is_answer(cells[at]) or is_graded(cells[at]):
            told.append(
                f"{_called(cells[at])} is there more than once: the first that was written in is"
                " used, the others run as added cells"
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
