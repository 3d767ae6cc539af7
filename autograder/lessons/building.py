"""Builds the instructor's notebook of a lesson: nbgrader's metadata, stable ids, a setup cell.

Code that a reader need not see first (the setup cell, imports, the demos) is folded: in JupyterLab
by `jupyter.source_hidden`, in Colab by `cellView` and a first line `#@title …`, which JupyterLab
shows as well in the place of the code.
"""

from __future__ import annotations

import ast
import hashlib
import json
import re
import tomllib
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from autograder.lessons.lesson import BRANCH, RELEASE, ROOT, Cell, Lesson, LessonError
from autograder.lessons.reading import plain_python

if TYPE_CHECKING:
    from nbformat import NotebookNode


def repository_address(root: Path = ROOT) -> str:
    """The repository's GitHub address, from pyproject.toml's [project.urls]."""
    path = root / "pyproject.toml"
    try:
        urls = tomllib.loads(path.read_text(encoding="utf-8"))["project"]["urls"]
        address = urls["Repository"].rstrip("/").removesuffix(".git")
    except (OSError, KeyError, tomllib.TOMLDecodeError):
        raise LessonError(path, 1, "[project.urls] needs a Repository") from None
    if not address.startswith("https://github.com/"):
        raise LessonError(path, 1, f"Colab opens GitHub repositories only: got {address}")
    return address


def build_source(lesson: Lesson) -> NotebookNode:
    """The instructor's notebook: solutions in, nbgrader's metadata (schema 3), stable ids."""
    from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

    address = repository_address(lesson.root)
    cells = [
        new_markdown_cell(title_text(lesson, address), id=f"{lesson.name}-title"),
        new_code_cell(
            setup_text(lesson, address),
            id=f"{lesson.name}-setup",
            metadata={"tags": ["setup"], **_folded()},
        ),
    ]
    taken = {cell.id for cell in cells}
    heading = lesson.title
    for cell in lesson.cells:
        heading = _last_heading(cell) or heading
        new_cell = new_markdown_cell if cell.kind == "markdown" else new_code_cell
        metadata: dict[str, Any] = {"tags": list(cell.tags)} if cell.tags else {}
        if cell.role:
            metadata["nbgrader"] = _nbgrader_metadata(cell)
        source = cell.source
        if is_folded(cell):
            metadata |= _folded()
            # A cell magic has to stand first: Colab folds only what has a title above it.
            if not source.startswith("%%"):
                source = f"#@title {_title(cell, heading)}\n{source}"
        identity = _cell_id(lesson.name, cell, taken)
        cells.append(new_cell(source, id=identity, metadata=metadata))
    kernel = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
    metadata = {"kernelspec": kernel, "language_info": {"name": "python"}}
    return new_notebook(cells=cells, metadata=metadata, nbformat_minor=5)


SHORT = 3  # lines of a demo that is no longer than its title's bar


def is_folded(cell: Cell) -> bool:
    """Whether a notebook shows a title in the place of this cell's code.

    Folded are imports, demos longer than three lines, and every `predict`. An author says
    otherwise by a tag, `folded` or `unfolded`. What a student writes or is marked by never is.
    """
    if cell.kind != "code" or cell.role or "unfolded" in cell.tags:
        return False
    if "folded" in cell.tags or _imports_only(cell) or _asks_for_a_guess(cell):
        return True
    return "demo" in cell.tags and len(cell.source.split("\n")) > SHORT


def _statements(cell: Cell) -> list[ast.stmt]:
    return ast.parse(plain_python(cell.source)).body if not cell.source.startswith("%%") else []


def _imports_only(cell: Cell) -> bool:
    statements = _statements(cell)
    return bool(statements) and all(isinstance(s, ast.Import | ast.ImportFrom) for s in statements)


def _asks_for_a_guess(cell: Cell) -> bool:
    return any(
        isinstance(node, ast.Call) and getattr(node.func, "id", "") == "predict"
        for statement in _statements(cell)
        for node in ast.walk(statement)
    )


def _folded() -> dict[str, Any]:
    return {"jupyter": {"source_hidden": True}, "cellView": "form"}


def _title(cell: Cell, heading: str) -> str:
    """The author's title, or what the code is for."""
    if cell.title:
        return cell.title
    if _imports_only(cell):
        return "Imports"
    if _asks_for_a_guess(cell):
        return "Predict"
    names = [getattr(s, "name", "") for s in _statements(cell) if isinstance(s, _DEFINING)]
    return f"Code: {', '.join(names)}" if names else f"Demo: {heading}"


_DEFINING = (ast.FunctionDef, ast.ClassDef)


def _last_heading(cell: Cell) -> str:
    """The text of the last heading in a cell of prose, without signs that a title would show."""
    found = re.findall(r"^#+ +(.+)$", cell.source, re.MULTILINE) if cell.kind == "markdown" else []
    return re.sub(r"[`*$]", "", found[-1]).strip() if found else ""


def _nbgrader_metadata(cell: Cell) -> dict[str, Any]:
    metadata = {
        "grade": cell.role != "exercise",
        "grade_id": cell.grade_id,
        "locked": cell.role == "check",
        "schema_version": 3,
        "solution": cell.role != "check",
        "task": False,
    }
    return metadata if cell.points is None else {**metadata, "points": cell.points}


def _cell_id(lesson: str, cell: Cell, taken: set[str]) -> str:
    """An id that moves with its text, not with the cell's place; unique among `taken`."""
    if cell.role:
        identity = cell.grade_id
    else:
        text = f"{cell.kind}\n{cell.source}"
        digest = hashlib.sha256(text.encode()).hexdigest()[:8]
        identity = f"{lesson[:40]}-{digest}"
        again = 2
        while identity in taken:
            identity = f"{lesson[:40]}-{digest}-{again}"
            again += 1
    taken.add(identity)
    return identity


def badge(lesson: Lesson, address: str) -> str:
    place = f"{(RELEASE / lesson.name).as_posix()}/lesson.ipynb"
    colab = address.replace("https://github.com", "https://colab.research.google.com/github")
    picture = "https://colab.research.google.com/assets/colab-badge.svg"
    return f"[![Open this lesson in Colab]({picture})]({colab}/blob/{BRANCH}/{place})"


def title_text(lesson: Lesson, address: str) -> str:
    facts = [
        f"About {lesson.minutes} minutes",
        "not graded"
        if lesson.is_appendix
        else f"{lesson.points} point{'s' if lesson.points != 1 else ''}",
    ]
    if lesson.prerequisites:
        facts.append(f"good to have met before: {', '.join(lesson.prerequisites)}")
    if lesson.due is not None:
        facts.append(f"due {told_date(lesson.due)}")
    told = [
        f"# {lesson.number} · {lesson.title}",
        f"**{lesson.question}**",
        " · ".join(facts),
    ]
    return "\n\n".join([*told, badge(lesson, address)] if lesson.committed else told)


def told_date(due: datetime) -> str:
    """A due date for people: "12 October 2026, 23:59 (UTC+02:00)"."""
    zone = getattr(due.tzinfo, "key", None) or due.tzname()
    return f"{due.day} {due:%B %Y, %H:%M} ({zone})"


def setup_text(lesson: Lesson, address: str) -> str:
    packages = "".join(f', "{name}"' for name in lesson.colab)
    return f'''\
#@title Set-up: run this first
# Names the lesson; on Colab, and only there, it also installs the course (about half a minute).
import subprocess
import sys

LESSON = "{lesson.name}"
EXERCISES = {json.dumps(list(lesson.exercises))}

if "google.colab" in sys.modules:
    # --no-deps: Colab's own torch and ipywidgets stay as they are.
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps"]
    subprocess.run([*pip, "git+{address}@{BRANCH}"{packages}], check=True)'''
