"""Reads a submission: the text of its cells and nothing else, with caps before and while parsing.

A submission is a file that somebody else wrote. Links, folders, devices, huge files, deep nesting
and foreign schemas are refused in one sentence (`Unreadable`); what is odd but harmless is noted.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from autograder.plain import clean_text

MAX_BYTES = 20 * 2**20
MAX_CELLS = 1_000
MAX_TEXT = 500_000  # characters of all cells together
MAX_LINE = 2_000  # characters of a line of code: coloring one costs the square of its length
MAX_BRACKETS = 500_000  # lists and objects: a small file of these fills a large memory
KINDS = ("code", "markdown", "raw")


class Unreadable(Exception):
    """A submission that earns nothing because it cannot be read; the message is one sentence."""


@dataclass(frozen=True)
class SubmittedCell:
    """The text of one cell, and the two names that tell which of the lesson's cells it is."""

    kind: str
    text: str
    grade_id: str = ""
    id: str = ""


@dataclass(frozen=True)
class Submission:
    """The cells of a submission, what was odd about them, and the SHA-256 of its file."""

    cells: tuple[SubmittedCell, ...]
    problems: tuple[str, ...] = ()
    digest: str = field(default="", compare=False)


def read_bytes(path: Path, root: Path, max_bytes: int = MAX_BYTES) -> bytes:
    """The file's content, if it is a plain file and no part of its path below `root` is a link.

    Raises Unreadable otherwise, and for a file of more than `max_bytes`, before reading it.
    """
    path, root = Path(os.path.abspath(path)), Path(os.path.abspath(root))
    here = root
    for part in path.relative_to(root).parts:
        here = here / part
        try:
            status = os.lstat(here)
        except FileNotFoundError:
            raise Unreadable(f"there is no {path.name} in what was handed in") from None
        except OSError as error:
            raise Unreadable(f"{part} cannot be opened: {error.strerror}") from None
        if stat.S_ISLNK(status.st_mode):
            raise Unreadable(f"{part} is a symbolic link; a notebook itself must be handed in")
        if here != path and not stat.S_ISDIR(status.st_mode):
            raise Unreadable(f"{part} is not a folder")
    if not stat.S_ISREG(status.st_mode):
        raise Unreadable(f"{path.name} is not a file")
    if status.st_size > max_bytes:
        raise Unreadable(_too_large(path.name, status.st_size, max_bytes))
    try:
        # Opened without following links and without waiting, and looked at again once open: what
        # lies there may have changed since.
        flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
        with os.fdopen(os.open(path, flags), "rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise Unreadable(f"{path.name} is not a file")
            raw = file.read(max_bytes + 1)
    except OSError as error:
        raise Unreadable(f"{path.name} cannot be opened: {error.strerror}") from None
    if len(raw) > max_bytes:
        raise Unreadable(_too_large(path.name, len(raw), max_bytes))
    return raw


def _too_large(name: str, size: int, most: int) -> str:
    return f"{name} has {size / 2**20:.0f} MB; at most {most / 2**20:.0f} MB are read"


def parse(raw: bytes) -> Submission:
    """The cells of a notebook file; Unreadable, in one sentence, if it is none."""
    digest = hashlib.sha256(raw).hexdigest()
    notebook = _json(raw)
    if not isinstance(notebook, dict) or "nbformat" not in notebook:
        raise Unreadable("this is JSON, but not a notebook")
    version = notebook["nbformat"]
    if type(version) is not int or version not in (3, 4):
        raise Unreadable(
            f"this is a notebook of format {_short(version)}, not 4:"
            " open it in JupyterLab, save it and hand it in again"
        )
    found = notebook.get("cells") if version == 4 else _cells_of_format_3(notebook)
    if not isinstance(found, list):
        raise Unreadable("this notebook has no list of cells")
    if len(found) > MAX_CELLS:
        raise Unreadable(f"this notebook has {len(found):,} cells; at most {MAX_CELLS:,} are read")
    cells, problems, left = [], [], MAX_TEXT
    for number, cell in enumerate(found, start=1):
        one = _cell(cell)
        if one is None:
            problems.append(f"cell {number} has no readable text and is left out")
            continue
        if one.kind == "code" and max(map(len, one.text.split("\n"))) > MAX_LINE:
            problems.append(f"cell {number} has a line of over {MAX_LINE:,} characters: left out")
            continue
        left -= len(one.text)
        if left < 0:
            raise Unreadable(f"the cells have more than {MAX_TEXT:,} characters of text")
        cells.append(one)
    return Submission(tuple(cells), tuple(problems[:5]), digest)


def _cells_of_format_3(notebook: dict[str, Any]) -> list[Any] | None:
    """The cells as format 4 has them, as far as their text goes; None if there is no list."""
    sheets = notebook.get("worksheets")
    if not isinstance(sheets, list):
        return None
    cells: list[Any] = []
    for sheet in sheets:
        found = sheet.get("cells") if isinstance(sheet, dict) else None
        cells += found if isinstance(found, list) else []
    return [_as_format_4(cell) if isinstance(cell, dict) else cell for cell in cells]


def _as_format_4(cell: dict[str, Any]) -> dict[str, Any]:
    if cell.get("cell_type") == "code":
        return {**cell, "source": cell.get("input")}
    if cell.get("cell_type") == "heading":
        return {**cell, "cell_type": "markdown"}
    return cell


def _json(raw: bytes) -> Any:
    if not raw.strip():
        raise Unreadable("the file is empty")
    if raw.count(b"[") + raw.count(b"{") > MAX_BRACKETS:
        raise Unreadable("the file is not a notebook of a lesson: it holds too many lists")
    try:
        text = raw.decode(json.detect_encoding(raw))  # some editors write UTF-16
    except UnicodeDecodeError as error:
        raise Unreadable(f"the file is not UTF-8 text (byte {error.start:,})") from None
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise Unreadable(
            f"the file is not JSON: {error.msg.lower()} in line {error.lineno:,}"
        ) from None
    except RecursionError:
        raise Unreadable("the file is nested too deep") from None
    except (ValueError, MemoryError):
        raise Unreadable("the file holds a number or text that cannot be read") from None


def _cell(cell: Any) -> SubmittedCell | None:
    if not isinstance(cell, dict) or cell.get("cell_type") not in KINDS:
        return None
    source = cell.get("source")
    if isinstance(source, list) and all(isinstance(line, str) for line in source):
        source = "".join(source)
    if not isinstance(source, str):
        return None
    return SubmittedCell(cell["cell_type"], clean_text(source), _grade_id(cell), _name(cell, "id"))


def _grade_id(cell: dict[str, Any]) -> str:
    metadata = cell.get("metadata")
    nbgrader = metadata.get("nbgrader") if isinstance(metadata, dict) else None
    return _name(nbgrader, "grade_id") if isinstance(nbgrader, dict) else ""


def _name(mapping: dict[str, Any], key: str) -> str:
    value = mapping.get(key)
    return value if isinstance(value, str) and len(value) <= 200 else ""


def _short(value: Any) -> str:
    text = str(value) if isinstance(value, int | float | str) else type(value).__name__
    return clean_text(text[:20])
