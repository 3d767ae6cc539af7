"""What an attack is, and the few edits of a notebook that most of them are made of.

An attack is a submission of lesson 05, unless it names another one. In its text `@CLASS@`, `@ROOT@`
and `@HOME@` stand for the class's folder, the course's and the home folder of whoever grades: an
attacker may know them.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from autograder import lessons
from autograder.grading.matching import checked_name, nbgrader_of

LESSON = "05_made"
MARK = "attack_ran"  # what every script of an attack sets, as window.attack_ran
SCRIPT = f"<script>window.{MARK}=1</script>"
AWAY = "http://attacker.invalid/"  # where every link, form and image of an attack leads
LEFT = "attackleft"  # the name of every process, and the head of every file, left behind

CELLS = "test cells, ids and metadata"
HOOKS = "patched libraries, hooks, forged messages"
LIARS = "answers that lie"
DRAWS = "answers to the visible draw"
DATA = "others' data"
MACHINE = "the machine"
FILES = "files that are no notebook"
PAGES = "scripts in the instructor's pages"
CLASSES = (CELLS, HOOKS, LIARS, DRAWS, DATA, MACHINE, FILES, PAGES)

Notebook = dict[str, Any]

# Answers that are there and wrong in every way, so that checks run.
EMPTY = "def @NAME@(*args, **kwargs):\n    return []"


@dataclass(frozen=True)
class Link:
    """A symbolic link to `target`."""

    target: str


@dataclass(frozen=True)
class Pipe:
    """A named pipe, which blocks whoever opens it."""


@dataclass(frozen=True)
class Folder:
    """A folder as it is handed in: names to bytes, links, pipes or further folders."""

    files: dict[str, Any]


@dataclass(frozen=True)
class Archive:
    """A zip file that comes in through `--submissions`."""

    raw: bytes


@dataclass(frozen=True)
class Attack:
    """A hostile submission.

    `build` makes it from the notebook that was handed out: a notebook, the bytes of its file, a
    Folder or an Archive. `honest` are the points that its honest cells earn; what a wrong but
    harmless answer earns by a claim that is true of it counts as honest.
    """

    name: str
    klass: str
    build: Callable[[Notebook], Notebook | bytes | Folder | Archive]
    honest: float = 0.0
    harmless_to_nbgrader: bool = True
    lesson: str = LESSON
    tags: frozenset[str] = field(default_factory=frozenset)


EXERCISES = (
    "assign_degrees", "build_masks", "connectivity", "MaskedLinear", "MADE", "average_over_orders",
)  # fmt: skip


def code(text: str, **more: Any) -> dict[str, Any]:
    """A code cell of the student's own."""
    return {
        "cell_type": "code", "id": f"own-{abs(hash(text)) % 10**8}", "metadata": {},
        "source": text.strip("\n"), "outputs": [], "execution_count": None, **more,
    }  # fmt: skip


def markdown(text: str, **more: Any) -> dict[str, Any]:
    """A markdown cell of the student's own."""
    return {
        "cell_type": "markdown", "id": f"own-{abs(hash(text)) % 10**8}", "metadata": {},
        "source": text, **more,
    }  # fmt: skip


def named(notebook: Notebook, grade_id: str) -> dict[str, Any]:
    """The cell of that grade_id."""
    return next(c for c in notebook["cells"] if nbgrader_of(c).get("grade_id") == grade_id)


def tests_of(notebook: Notebook) -> list[dict[str, Any]]:
    """The check cells."""
    return [c for c in notebook["cells"] if checked_name(c)]


def with_cells(*cells: dict[str, Any]) -> Callable[[Notebook], Notebook]:
    """Own cells below the imports, nothing solved."""

    def build(notebook: Notebook) -> Notebook:
        notebook["cells"][2:2] = copy.deepcopy(list(cells))
        return notebook

    return build


def with_code(*texts: str) -> Callable[[Notebook], Notebook]:
    """Own code cells below the imports, nothing solved."""
    return with_cells(*(code(text) for text in texts))


def answering(text: str, *names: str, before: str = "") -> Callable[[Notebook], Notebook]:
    """`text` as the answer to the exercises `names` (default: all functions), @NAME@ replaced."""

    def build(notebook: Notebook) -> Notebook:
        for name in names or EXERCISES:
            named(notebook, name)["source"] = text.strip("\n").replace("@NAME@", name)
        if before:
            notebook["cells"].insert(2, code(before))
        return notebook

    return build


def solved(notebook: Notebook, *names: str, lesson: str = LESSON) -> Notebook:
    """The notebook with the solutions of `names` (default: all exercises of lesson 05)."""
    for name in names or EXERCISES:
        named(notebook, name)["source"] = lessons.exercise_source(lesson, name)
    return notebook


def honest(notebook: Notebook) -> Notebook:
    """What a classmate hands in: everything right."""
    named(solved(notebook), "why_order")["source"] = "The capacity is shared, and Jensen holds."
    return notebook
