"""Blind answers: `python -m tests.banks.blind [lesson …]` prints how many of them earned points.

An answer is blind if it never looks at the model, step, codec, generator or data that it is given,
or throws away what it saw. It earns nothing: where two answers of one student agree, a claim waits
until one of them is shown to be made of what the judge gave (`autograder.checks.witness`).

For every exercise some are derived from its solution: the right form (type, shape, dtype) with all
numbers exchanged for one, emptied, or what was given in the place of an answer. What only a person
would think of (a die, a codec that copies) is in `tests.banks.blind.written`. Both earn nothing at
all, not for shapes either: a shape is worth a point only where something is in it.
"""

from __future__ import annotations

import argparse
import functools
import types
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from tqdm import tqdm

from autograder import lessons
from autograder.checking import checks_of, judge
from autograder.claims import Verdict
from autograder.steps import exercise_of

SEEDS = (0, 20_260_501)


@dataclass(frozen=True)
class Blind:
    """A blind answer; `cells` are the texts in place of solutions, by exercise.

    `exercise` is the name of the check that judges it: of an exercise, or of one step. Where a cell
    needs an object of ours, `names` holds it.
    """

    what: str
    lesson: str
    exercise: str
    cells: Mapping[str, str] = field(default_factory=dict)
    names: Mapping[str, Any] = field(default_factory=dict)

    def verdicts(self) -> list[Verdict]:
        """What the check says at two draws."""
        if self.names:  # defined behind the solved cells, which it builds on
            space = _solved(self.lesson) | dict(self.names)
            exec(self.cells[exercise_of(self.exercise)], space)
        else:
            space = lessons.solution_functions(self.lesson, instead=self.cells)
        return [
            judge(
                space[exercise_of(self.exercise)],
                name=self.exercise,
                lesson=self.lesson,
                seed=seed,
            )
            for seed in SEEDS
        ]

    def __str__(self) -> str:
        return f"{self.lesson}-{self.exercise}-{self.what}"


@functools.cache
def _solved(lesson: str) -> dict[str, Any]:
    return lessons.solution_functions(lesson)


# --- derived from the solutions -------------------------------------------------------------------

NUMBERS: dict[str, Callable[[torch.Tensor], torch.Tensor]] = {
    "zeros": torch.zeros_like,
    "ones": torch.ones_like,
    "nan": lambda x: torch.full(x.shape, torch.nan),
    "infinities": lambda x: torch.full(x.shape, torch.inf),
    "empty": lambda x: x[:0] if x.ndim else torch.zeros(0),
}


def exchanged(value: Any, change: Callable[[torch.Tensor], torch.Tensor]) -> Any:
    """The value with every number in it exchanged; functions answer likewise."""
    if isinstance(value, dict):
        return {key: exchanged(item, change) for key, item in value.items()}
    if isinstance(value, tuple | list | set):
        return type(value)(exchanged(item, change) for item in value)
    if isinstance(value, torch.Tensor):
        return change(value.detach())
    if isinstance(value, np.ndarray):
        return change(torch.as_tensor(value.copy())).numpy()
    if isinstance(value, bytes):
        return bytes(len(change(torch.zeros(len(value)))))
    if isinstance(value, str):
        return ""
    if isinstance(value, types.FunctionType):
        return lambda *args, **kwargs: exchanged(value(*args, **kwargs), change)
    if isinstance(value, bool | int | float | np.number):
        found = change(torch.as_tensor(float(value), dtype=torch.float64))
        return found.item() if found.ndim == 0 else found
    return value


def constant(solution: Callable, change: Callable[[torch.Tensor], torch.Tensor]) -> Callable:
    """Answers in the form of the solution's answers, with other numbers; it refuses nothing."""
    last = [change(torch.zeros(()))]

    @functools.wraps(solution)
    def answer(*args: Any, **kwargs: Any) -> Any:
        try:
            found = solution(*args, **kwargs)
        except Exception:
            return last[-1]
        last.append(exchanged(found, change))
        return last[-1]

    return answer


def echo(place: int) -> Callable[[Callable], Callable]:
    """Answers what was given, first or last."""

    def blind(solution: Callable) -> Callable:
        @functools.wraps(solution)
        def answer(*args: Any, **kwargs: Any) -> Any:
            given = [a for a in args if not isinstance(a, torch.nn.Module) or len(args) == 1]
            return given[place if len(given) > 1 or place == 0 else 0] if given else args[0]

        return answer

    return blind


def ways() -> dict[str, Callable[[Callable], Callable]]:
    """What is made of a solution, by name."""
    found = {name: functools.partial(constant, change=change) for name, change in NUMBERS.items()}
    return found | {"echo": echo(0), "echo of the last": echo(-1)}


def class_of(solved: type, way: Callable[[Callable], Callable], echoes: bool) -> type:
    """The class with all its methods answered blindly; its constructor stays."""
    methods: dict[str, Any] = {}
    for name, method in vars(solved).items():
        if isinstance(method, types.FunctionType) and not name.startswith("__"):
            methods[name] = _without_self(way(method)) if echoes else way(method)
    return type(solved.__name__, (solved,), methods)


def _without_self(answer: Callable) -> Callable:
    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        return answer(*args, **kwargs) if args else 0

    return method


CLASS = "{name} = blind_\n{name}.__module__ = '__main__'"
FUNCTION = "def {name}(*args, **kwargs):\n    return blind_(*args, **kwargs)"


def derived(lesson: str) -> Iterator[Blind]:
    """Blind answers to every exercise of a lesson, made from its solutions."""
    for check in checks_of(lesson):
        name = exercise_of(check)
        solution = _solved(lesson)[name]
        for what, way in ways().items():
            if isinstance(solution, type):
                made: Any = class_of(solution, way, what.startswith("echo"))
                text = CLASS
            else:
                made, text = way(solution), FUNCTION
            yield Blind(what, lesson, check, {name: text.format(name=name)}, {"blind_": made})


def answers_of(lesson: str) -> list[Blind]:
    """All blind answers of a lesson."""
    from tests.banks.blind.written import WRITTEN

    return [*derived(lesson), *(a for a in WRITTEN if a.lesson == lesson)]


def faults_of(answer: Blind) -> list[str]:
    """What is wrong with the verdicts on a blind answer, in sentences."""
    found = []
    for verdict in answer.verdicts():
        if verdict.earned:
            held = [c.text for c in verdict.claims if c.holds]
            found.append(f"{answer} earns {verdict.earned:g} at seed {verdict.seed}: {held}")
        if verdict.status == "error":
            found.append(f"{answer}: error at seed {verdict.seed}: {verdict.reason}")
    return found


def main(arguments: list[str] | None = None) -> int:
    """Judges the blind answers of the named lessons (all, if none is named); 1 if one earns."""
    parser = argparse.ArgumentParser(prog="python -m tests.banks.blind", description=main.__doc__)
    parser.add_argument("lessons", nargs="*", help="like 05_made, 05 or made")
    names = [lessons.find_lesson(name) for name in parser.parse_args(arguments).lessons]
    work = [a for lesson in names or lessons.lesson_names() for a in answers_of(lesson)]
    faults = [faults_of(a) for a in tqdm(work, desc="blind answers", unit="answer", disable=None)]
    earned = sum(map(bool, faults))
    print(
        f"blind answers that earned points: {earned} (of {len(work)}, at {len(SEEDS)} draws each)"
    )
    print("\n".join(fault for found in faults for fault in found))
    return 1 if earned else 0
