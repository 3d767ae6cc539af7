"""A lesson and its cells, as read from its text; where texts and notebooks lie."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from autograder.steps import exercise_of

ROOT = Path(__file__).resolve().parent.parent.parent
TEXTS = Path("solutions")
SOURCE = Path("build/source")  # as in nbgrader_config.py; a test holds the two together
RELEASE = Path("course")
GUIDE = RELEASE / "README.md"  # holds a table of the lessons between two marks
BRANCH = "main"

BEGIN, END = "BEGIN SOLUTION", "END SOLUTION"  # nbgrader's delimiters, found anywhere in a line
ROLES = ("exercise", "check", "question")


class LessonError(ValueError):
    """A source that cannot be built: one sentence, with its file and line."""

    def __init__(self, path: Path, line: int, sentence: str) -> None:
        here = Path.cwd()
        shown = path.relative_to(here) if path.is_relative_to(here) else path
        super().__init__(f"{shown}:{line}: {sentence}")
        self.path, self.line, self.sentence = path, line, sentence


def is_appendix(name: str) -> bool:
    """Whether a text of this name is an appendix, as A1_images_and_scale is: nothing is graded."""
    return re.match(r"A\d_", name) is not None


@dataclass(frozen=True)
class Cell:
    """One cell of a lesson's text. `line` is its marker's, counted from 1 in the file."""

    kind: str  # "markdown" or "code"
    source: str
    line: int
    role: str = ""  # one of ROLES, or "" for prose, definitions and demos
    name: str = ""  # of the exercise, check or question; of a step's check as "MADE.nll"
    points: int | None = None
    tags: tuple[str, ...] = ()
    title: str = ""  # what stands for the code where it is folded; "" leaves it to the build

    @property
    def is_definition(self) -> bool:
        """Whether later cells may rely on it: code without a role that is no demo."""
        return self.kind == "code" and not self.role and "demo" not in self.tags

    @property
    def is_prediction(self) -> bool:
        """Whether it asks for a guess, which earns nothing."""
        return "demo" in self.tags and self.source.startswith("predict(")

    @property
    def exercise(self) -> str:
        """The exercise that the cell asks for or checks."""
        return exercise_of(self.name)

    @property
    def grade_id(self) -> str:
        """nbgrader's name for the cell, "" where nbgrader has no part in it."""
        return f"check-{self.name.replace('.', '-')}" if self.role == "check" else self.name


@dataclass(frozen=True)
class Lesson:
    """A lesson's text, read and found sound."""

    path: Path
    name: str
    title: str
    question: str
    minutes: int
    prerequisites: tuple[str, ...]
    cells: tuple[Cell, ...]
    colab: tuple[str, ...] = ()  # packages that the lesson needs and Colab does not have
    due: datetime | None = None  # of a term, with a zone
    committed: bool = True  # whether course/ asks the same: the badge opens it in Colab

    def _of(self, role: str) -> dict[str, Cell]:
        return {cell.name: cell for cell in self.cells if cell.role == role}

    @property
    def exercises(self) -> dict[str, Cell]:
        """Name → cell, in the order of the lesson."""
        return self._of("exercise")

    @property
    def checks(self) -> dict[str, Cell]:
        """Name of the check → its cell, in the order of the lesson."""
        return self._of("check")

    @property
    def questions(self) -> dict[str, Cell]:
        """Name → cell, in the order of the lesson."""
        return self._of("question")

    @property
    def points(self) -> int:
        """What the whole lesson is worth."""
        return sum(cell.points or 0 for cell in self.cells)

    @property
    def number(self) -> str:
        """What stands before the title: "5" of a lesson, "Appendix A1" of an appendix."""
        first = self.name.partition("_")[0]
        return f"Appendix {first}" if self.is_appendix else str(int(first))

    @property
    def is_appendix(self) -> bool:
        """Whether it is a notebook to read and to run, and no assignment."""
        return is_appendix(self.name)

    @property
    def root(self) -> Path:
        """The folder that holds solutions/, course/ and pyproject.toml."""
        return self.path.parent.parent.parent
