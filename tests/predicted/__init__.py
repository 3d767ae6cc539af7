"""What is true where a lesson lets one guess: a computation for each `predict`, lesson by lesson.

`tests/predicted/fvsbn.py` has for lesson 03 a dict ANSWERS: the beginning of a question → how its
answer is found. That is a function of what the lesson knows (`Asked`), which gives the place of the
true choice; or the test that holds the answer (`Held`); or, for a question of words or of a clock,
the reason why nothing computes it (`Said`). A prediction whose `answer` is itself a function of
what the exercises give needs no entry.
"""

from __future__ import annotations

import ast
import functools
import importlib
import math
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from nbformat import NotebookNode

from autograder import lessons
from autograder.lessons.reading import plain_python
from figures.predict import Prediction
from tests.notebooks import executed


@dataclass(frozen=True)
class Held:
    """The answer is held by another test: `file::function`, in tests/."""

    by: str


@dataclass(frozen=True)
class Said:
    """Nothing computes the answer, for a reason."""

    reason: str


@dataclass(frozen=True)
class Guess:
    """A call of `predict` in a lesson's cell number `cell`: its parts as expressions."""

    lesson: str
    cell: int
    question: str
    choices: ast.expr
    answer: ast.expr

    @property
    def is_function(self) -> bool:
        """Whether the answer is computed in the notebook when the reader has chosen."""
        return isinstance(self.answer, ast.Lambda)

    def part(self, expression: ast.expr) -> Any:
        """The value of a part, where the lesson's exercises are solved and no demo has run."""
        return eval(compile(ast.Expression(expression), self.lesson, "eval"), solved(self.lesson))

    @property
    def known(self) -> Callable[[Asked], int] | Held | Said | None:
        """How the answer is found, if not by the lesson's own function alone."""
        ways = [
            how for begin, how in answers(self.lesson).items() if self.question.startswith(begin)
        ]
        assert len(ways) < 2, self.question
        return ways[0] if ways else None


@functools.cache
def solved(lesson: str) -> dict[str, Any]:
    """The names of a lesson whose exercises are solved, its demos left out."""
    return lessons.solution_functions(lesson)


def guesses(lesson: str) -> Iterator[Guess]:
    """Every call of `predict` in a lesson, in order, also where other code stands before it."""
    for i, cell in enumerate(lessons.load_lesson(lesson).cells):
        if cell.kind != "code" or "predict(" not in cell.source:
            continue
        for node in ast.walk(ast.parse(plain_python(cell.source))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "predict":
                named = {key.arg: key.value for key in node.keywords}
                parts = dict(zip(("question", "choices", "answer"), node.args, strict=False))
                parts |= named
                question = ast.literal_eval(parts["question"])
                yield Guess(lesson, i, question, parts["choices"], parts["answer"])


def predictions(lesson: str, names: dict[str, Any]) -> dict[str, tuple[list[str], int]]:
    """Each question that a lesson lets one guess, with its choices and the place of the true one.

    `names` is what the notebook knows when it has run; an answer that cannot be had raises, and so
    does one that is another than what is known of it.
    """
    found = {}
    for guess in guesses(lesson):
        choices, answer = (
            eval(compile(ast.Expression(part), lesson, "eval"), names)
            for part in (guess.choices, guess.answer)
        )
        shown = Prediction(guess.question, choices, answer)
        shown._choice = 0
        assert shown._told[0] in ("good", "gap"), (guess.question, shown._told)
        place = shown._told[3]
        if callable(guess.known):
            assert choices[guess.known(Asked(guess))] == choices[place], guess.question
        found[guess.question] = (shown.choices, place)
    return found


def answers(lesson: str) -> dict[str, Callable[[Asked], int] | Held | Said]:
    """What is known of a lesson's guesses: the beginning of each question → how it is answered."""
    name = f"{__name__}.{lesson.partition('_')[2]}"
    return importlib.import_module(name).ANSWERS


class Asked:
    """What an answer may use: the solved names as attributes, and what the notebook printed."""

    def __init__(self, guess: Guess) -> None:
        self._guess = guess

    def __getattr__(self, name: str) -> Any:
        return solved(self._guess.lesson)[name]

    def found(self, pattern: str) -> re.Match[str]:
        """The first match of a pattern below the question, or else above it."""
        cells = executed(self._guess.lesson, "solved").cells
        here = next(
            i
            for i, cell in enumerate(cells)
            if cell.cell_type == "code" and self._guess.question in joined(cell.source)
        )
        below, above = ("".join(map(shown, part)) for part in (cells[here:], cells[:here]))
        found = re.search(pattern, below, re.M) or re.search(pattern, above, re.M)
        assert found, f"{pattern} was not printed"
        return found

    def printed(self, pattern: str) -> str:
        """What the notebook printed in the group of a pattern."""
        return self.found(pattern)[1]

    def numbers(self, pattern: str) -> list[float]:
        """The numbers that the notebook printed in the groups of a pattern."""
        groups = self.found(pattern).groups()
        return [float(group.replace(",", "").replace("−", "-")) for group in groups]


def joined(source: str) -> str:
    """A cell's text with strings that stand in two lines put together."""
    return re.sub(r'"\s*\n\s*"', "", source)


def shown(cell: NotebookNode) -> str:
    """What a cell printed, and the words of what it displayed."""
    text = ""
    for output in cell.get("outputs", []):
        text += output.get("text", "") + output.get("data", {}).get("text/plain", "") + "\n"
    return text


def nearest(value: float, *candidates: float) -> int:
    """The place of the candidate that is next to a value."""
    return min(range(len(candidates)), key=lambda i: abs(candidates[i] - value))


def least(*values: float) -> int:
    """The place of the least value."""
    return min(range(len(values)), key=values.__getitem__)


def only(*holds: object) -> int:
    """The place of the one sentence that is true; an error if it is none, or several."""
    true = [i for i, one in enumerate(holds) if one]
    assert len(true) == 1, holds
    return true[0]


def is_one(total: float) -> bool:
    """Whether probabilities sum to 1, as far as float32 tells."""
    return math.isclose(total, 1, abs_tol=1e-4)
