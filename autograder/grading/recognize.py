"""Tells which lesson a notebook is of, and which file of a student's folder is the one to grade.

Names of files say little: browsers add "(2)", Colab "Copy of", students "final". What tells a
lesson is what stands in the cells: their ids and grade_ids, `check(name)`, the exercises' names.
"""

from __future__ import annotations

import functools
import hashlib
import json
import os
import re
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autograder.grading.matching import (
    defined_names,
    is_answer,
    is_exercise,
    is_stub,
    match,
    nbgrader_of,
    text_of,
)
from autograder.grading.submission import (
    Submission,
    SubmittedCell,
    Unreadable,
    clean_text,
    parse,
    read_bytes,
)
from autograder.steps import name_in

NOTEBOOK = "lesson.ipynb"
MAX_NOTEBOOKS = 20  # of one student; more are not compared
MAX_ENTRIES = 2_000  # of one student's folder
_LESSON = re.compile(r"""^LESSON[ \t]*=[ \t]*["'](\w{1,60})["']""", re.MULTILINE)
_WEIGHT = {"lesson": 3, "grade": 2, "check": 2, "defines": 2, "id": 1, "text": 1}
_LITTER = ("._", "__MACOSX", ".ipynb_checkpoints", ".DS_Store", "Thumbs.db", "desktop.ini", "~$")
_BROUGHT = ("timestamp.txt", "submission_secret.txt")  # by nbgrader's exchange

# Lesson → what tells it from others: the marks of its cells.
Outlines = Mapping[str, frozenset[str]]


def outline_of(lesson: str, notebook: Mapping[str, Any]) -> frozenset[str]:
    """What tells `lesson` from others, read off the notebook that was handed out (plain data)."""
    marks = {f"lesson:{lesson}"}
    for cell in notebook["cells"]:
        text = text_of(cell)
        about = nbgrader_of(cell)
        kind = cell["cell_type"]
        one = SubmittedCell(kind, text, str(about.get("grade_id", "")), str(cell.get("id", "")))
        marks |= _marks(one, definitions=is_exercise(cell))
    return frozenset(marks)


@functools.lru_cache(maxsize=4)
def outlines_of(course: Any) -> dict[str, frozenset[str]]:
    """The outlines of all lessons whose released or built notebooks lie in `course`."""
    release = course.root / course.config.CourseDirectory.get("release_directory", "release")
    found: dict[str, frozenset[str]] = {}
    for folder in (course.source, release):
        for path in sorted(folder.glob(f"*/{NOTEBOOK}")):
            try:
                notebook = json.loads(path.read_text(encoding="utf-8"))
                found[path.parent.name] = outline_of(path.parent.name, notebook)
            except (OSError, ValueError, LookupError, TypeError, AttributeError):
                continue  # not a lesson's notebook: it tells nothing
    return found


def lesson_of(submission: Submission, outlines: Outlines) -> str:
    """The lesson that a submission is of, "" if that cannot be told."""
    marks = _marks_of(submission)
    found = {lesson: _weight(marks & outline) for lesson, outline in outlines.items()}
    best = sorted(found, key=found.__getitem__, reverse=True)[:2]
    if not best or found[best[0]] == 0:
        return ""
    return "" if len(best) > 1 and found[best[0]] == found[best[1]] else best[0]


def other_lesson(submission: Submission, lesson: str, outlines: Outlines) -> str:
    """The lesson that a submission is of, if it is another than `lesson`; else "".

    Of two lessons only what tells them apart counts. A notebook that holds both is of both.
    """
    marks = _marks_of(submission)
    mine = outlines.get(lesson, frozenset())
    found = {}
    for other, outline in outlines.items():
        theirs = _weight(marks & (outline - mine))
        if theirs > max(2 * _weight(marks & (mine - outline)), 5):
            found[other] = theirs
    return max(found, key=found.__getitem__, default="")


def _weight(marks: frozenset[str] | set[str]) -> int:
    return sum(_WEIGHT[mark.partition(":")[0]] for mark in marks)


def _marks_of(submission: Submission) -> set[str]:
    marks: set[str] = set()
    for cell in submission.cells:
        marks |= _marks(cell, definitions=True)
        marks |= {f"lesson:{name}" for name in _LESSON.findall(cell.text)}
    return marks


def _marks(cell: SubmittedCell, definitions: bool) -> set[str]:
    marks = {f"grade:{cell.grade_id}", f"id:{cell.id}"} - {"grade:", "id:"}
    text = cell.text.strip()
    if cell.kind == "code":
        if name := name_in(text):
            marks.add(f"check:{name}")
        if definitions:
            marks |= {f"defines:{name}" for name in defined_names(text)}
    if len(text) >= 40:
        digest = hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:16]
        marks.add(f"text:{digest}")
    return marks


# --- the file -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class HandedIn:
    """The file to grade: its bytes, and a sentence if it was one of several or oddly named."""

    raw: bytes
    name: str = NOTEBOOK
    notes: tuple[str, ...] = ()


def notebook_to_grade(course: Any, lesson: str, student: str, template: Any) -> HandedIn:
    """The notebook of `lesson` in the folder that a student of `course` handed in.

    `template` is the lesson's, from `autograder.grading.course.template_of`. A lone notebook is
    taken, whatever its name; of several the one named lesson.ipynb, if it is this lesson's and
    somebody wrote in it, else the only one of which that holds. Raises Unreadable, in one sentence
    that says what lies there, if there is none or one cannot be chosen.
    """
    folder, root = course.submission_of(student, lesson).parent, course.submitted
    notebooks, others = _what_lies_in(folder, root)
    if not notebooks:
        raise Unreadable(_none_of(others))
    if len(notebooks) == 1:
        name = notebooks[0]
        raw = read_bytes(folder / name, root)
        notes = () if name == NOTEBOOK else (f"the notebook handed in is called {_shown(name)}",)
        return HandedIn(raw, name, notes)
    if len(notebooks) > MAX_NOTEBOOKS:
        raise Unreadable(f"{len(notebooks)} notebooks were handed in: which is the one to grade?")
    return _chosen(folder, root, lesson, template.notebook, outlines_of(course), notebooks)


@dataclass(frozen=True)
class _Candidate:
    name: str
    raw: bytes = b""
    submission: Submission | None = None
    why_not: str = ""  # why it is not of this lesson
    written: bool = False  # whether its author wrote an answer


def _chosen(
    folder: Path,
    root: Path,
    lesson: str,
    template: Mapping[str, Any],
    outlines: Outlines,
    notebooks: list[str],
) -> HandedIn:
    candidates = [_look(folder / n, root, n, lesson, template, outlines) for n in notebooks]
    right = [one for one in candidates if not one.why_not]
    if not right:
        told = "; ".join(f"{_shown(one.name)}: {one.why_not}" for one in candidates[:4])
        raise Unreadable(f"no notebook of this lesson was handed in ({told})")
    pool = [one for one in right if one.written] or right
    named = [one for one in pool if one.name == NOTEBOOK]
    different = {one.submission.cells: one for one in reversed(pool) if one.submission}
    if not named and len(different) > 1:
        names = " and ".join(_shown(one.name) for one in sorted(pool, key=lambda one: one.name)[:6])
        raise Unreadable(f"which of them is to be graded: {names}?")
    one = (named or pool)[0]
    left = ", ".join(_shown(name) for name in notebooks if name != one.name)
    return HandedIn(one.raw, one.name, (f"{_shown(one.name)} was graded, and not {left}",))


def _look(
    path: Path, root: Path, name: str, lesson: str, template: Mapping[str, Any], outlines: Outlines
) -> _Candidate:
    try:
        raw = read_bytes(path, root)
        submission = parse(raw)
    except Unreadable as why:
        return _Candidate(name, why_not=str(why))
    found = lesson_of(submission, {**outlines, lesson: outline_of(lesson, template)})
    if found != lesson:
        told = f"this is lesson {found}" if found else "this is of no lesson"
        return _Candidate(name, raw, submission, told)
    return _Candidate(name, raw, submission, written=is_written_in(submission, template))


def is_written_in(submission: Submission, template: Mapping[str, Any]) -> bool:
    """Whether the notebook holds an answer, or anything of the student's own that could be one."""
    cells = list(template["cells"])
    matched = match(cells, submission.cells)
    for number, cell in enumerate(submission.cells):
        at = matched.places.get(number)
        if at is None:
            if number not in matched.again and cell.text.strip():
                return True
        elif is_answer(cells[at]):
            given = text_of(cells[at])
            if cell.kind == "code" and is_exercise(cells[at]):
                if not is_stub(cell.text, given):
                    return True
            elif cell.text.strip() not in ("", given.strip()):
                return True
    return False


def _what_lies_in(folder: Path, root: Path) -> tuple[list[str], list[str]]:
    """Names of the notebooks of a folder and of its other files, relative to it, litter left out.

    Of the notebooks only those of the uppermost level that has any. A lesson.ipynb that is a link
    or a folder counts where no file does, so that `read_bytes` can say what it is.
    """
    _open_folder(folder, root)
    level, deeper, others, seen = [folder], [], [], 0
    odd: list[str] = []
    for _ in range(4):
        notebooks = []
        for here in level:
            try:
                entries = sorted(os.scandir(here), key=lambda entry: entry.name)
            except OSError as error:
                raise Unreadable(
                    f"{_shown(here.name)} cannot be opened: {error.strerror}"
                ) from None
            for entry in entries:
                seen += 1
                if seen > MAX_ENTRIES:
                    raise Unreadable(f"more than {MAX_ENTRIES:,} files were handed in")
                name = os.path.relpath(entry.path, folder)
                if entry.name.startswith(_LITTER) or entry.name in _BROUGHT:
                    continue
                mode = entry.stat(follow_symlinks=False).st_mode
                notebook = entry.name.lower().endswith(".ipynb")
                if notebook and stat.S_ISREG(mode):
                    notebooks.append(name)
                elif notebook and name == NOTEBOOK:
                    odd.append(name)
                elif stat.S_ISDIR(mode):
                    deeper.append(Path(entry.path))
                else:
                    others.append(name)
        if notebooks or odd:
            return notebooks or odd, others
        level, deeper = deeper, []
    return [], others


def _open_folder(folder: Path, root: Path) -> None:
    """Raises Unreadable if a part of the folder's path below `root` is no folder."""
    here = Path(os.path.abspath(root))
    for part in Path(os.path.abspath(folder)).relative_to(here).parts:
        here = here / part
        try:
            mode = os.lstat(here).st_mode
        except OSError as error:
            raise Unreadable(f"{_shown(part)} cannot be opened: {error.strerror}") from None
        if stat.S_ISLNK(mode):
            raise Unreadable(f"{_shown(part)} is a symbolic link; a notebook must be handed in")
        if not stat.S_ISDIR(mode):
            raise Unreadable(f"{_shown(part)} is a file, and not a folder with a notebook")


_KINDS = {
    ".py": "a Python file", ".zip": "a zip file", ".html": "a web page", ".htm": "a web page",
    ".docx": "a Word document", ".pdf": "a PDF", ".md": "a Markdown file", ".txt": "a text file",
    ".json": "a JSON file", ".gz": "an archive", ".rar": "an archive", ".7z": "an archive",
}  # fmt: skip


def _none_of(others: list[str]) -> str:
    if not others:
        return "nothing was handed in: the folder is empty"
    first = others[0]
    kind = _KINDS.get(os.path.splitext(first)[1].lower(), "no notebook")
    more = f", and {len(others) - 1} more" if len(others) > 1 else ""
    return f"no notebook was handed in: {_shown(first)} is {kind}{more}"


def _shown(name: str) -> str:
    """A file's name as it may stand in a sentence."""
    text = clean_text(os.fsencode(name).decode("utf-8", "replace")).replace("\n", " ")
    return text if len(text) <= 80 else text[:79] + "…"
