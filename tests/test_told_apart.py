"""Who makes a known mistake is not told of another: two with the same numbers would accuse falsely.

Every check judges its lesson's solution, and the cases that it asks are written down. On these each
known mistake gives its answers, as a student's function with this mistake would. The first mistake
of the check that reproduces them is the one that a card names.
"""

from __future__ import annotations

import dataclasses
import importlib
import inspect
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

import numpy as np
import pytest

from autograder import lessons
from autograder.checking import checks_of, judge
from autograder.diagnosis import Mistake, Property, Subject, examine
from autograder.diagnosis.mistakes import NoValue, Observation, program_of, reproduces, value_of
from autograder.draw import Draw
from autograder.steps import exercise_of

SEEDS = (0, 1)
# What only the student's other functions show: a solution's are right.
OF_OTHERS = ("ends-differ",)


@dataclasses.dataclass
class Asked:
    """What a check asked about one subject, and what each of its mistakes gives there."""

    mistakes: Sequence[Mistake]
    seen: list[Observation]
    gives: list[list[Any]]
    mislabeled: list[str]

    @classmethod
    def of(cls, subject: Subject, seen: list[Observation]) -> Asked:
        programs = [program_of(subject.rule, (one,)) for one in subject.mistakes]
        gives = [
            [NoValue() if program is None else value_of(program, o.args) for o in seen]
            for program in programs
        ]
        return cls(subject.mistakes, seen, gives, [t for o in seen for t in mislabeled(subject, o)])

    def __add__(self, other: Asked) -> Asked:
        gives = [mine + theirs for mine, theirs in zip(self.gives, other.gives, strict=True)]
        labels = self.mislabeled + other.mislabeled
        return Asked(self.mistakes, self.seen + other.seen, gives, labels)

    def answers(self, place: int) -> list[tuple[Observation, int]]:
        """What a function with this mistake answers, where it does; what is wrong comes first."""
        made = [
            (Observation(o.args, value, o.right, o.alike), at)
            for at, (o, value) in enumerate(zip(self.seen, self.gives[place], strict=True))
            if not isinstance(value, NoValue)
        ]
        return sorted(made, key=lambda one: not _fails(one[0]))

    def unseen(self) -> Iterator[str]:
        """Names of which no program is ever wrong; those of parts are seen where the parts are."""
        wrong: dict[str, bool] = {}
        for place, one in enumerate(self.mistakes):
            answers = self.answers(place)
            if answers and not one.advice.startswith("in the "):
                wrong[one.name] = wrong.get(one.name, False) or _fails(answers[0][0])
        for name, seen in wrong.items():
            if not seen and name not in OF_OTHERS:
                yield f"{name} is right in every case"

    def told_as_another(self) -> Iterator[str]:
        """Mistakes for which another one would be named."""
        for place, one in enumerate(self.mistakes):
            answers = self.answers(place)
            if not answers or not _fails(answers[0][0]):
                continue
            for before in range(place):
                other = self.mistakes[before]
                if other.name == one.name or other.advice == one.advice:
                    continue
                given = self.gives[before]
                if all(reproduces(lambda *_, v=given[at]: v, [o]) for o, at in answers):
                    yield f"{one.name} is told as {other.name}: {other.advice}"
                    break

    def one_sided(self) -> Iterator[str]:
        """Mistakes of which one is said to be another, and not the other way round."""
        for place, one in enumerate(self.mistakes):
            for after in range(place + 1, min(place + 6, len(self.mistakes))):
                other = self.mistakes[after]
                both = list(zip(self.seen, self.gives[place], self.gives[after], strict=True))
                there, back = (all(_is(o, *pair[::step]) for o, *pair in both) for step in (1, -1))
                if other.name != one.name and there != back:
                    yield f"{one.name} and {other.name}"


def _is(one: Observation, answer: Any, value: Any) -> bool:
    """Whether a program with this value is said to give that answer."""
    if isinstance(answer, NoValue):
        return isinstance(value, NoValue)
    return reproduces(lambda *_: value, [Observation(one.args, answer, one.right, one.alike)])


LABELED = re.compile(
    r"(?<![\w.])([^\W\d]\w*) = \(?([-−]?[\d,]*\d(?:\.\d+)?(?:e[-+]?\d+)?)(?![\w.·])"
)


def mislabeled(subject: Subject, one: Observation) -> Iterator[str]:
    """What a case in words calls by the name of an argument, though no such number is in it."""
    names: dict[str, list[Any]] = {}
    for function in (subject.rule, subject.ask, subject.show or (lambda: 0)):
        try:
            parameters = list(inspect.signature(function).parameters.values())
        except (TypeError, ValueError):
            continue
        plain = [p.name for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD]
        for name, value in zip(plain, one.args, strict=False):
            names.setdefault(name, []).append(value)
    told = subject.show(*one.args) if subject.show else ""
    told = re.sub(r"\(\d+(?:, \d+)+\): ", "", told)  # the shape of a matrix
    for name, number in LABELED.findall(told):
        if name in names and not any(_holds(given, number) for given in names[name]):
            yield f"{name} is no {number}: {told}"


def _holds(given: Any, number: str) -> bool:
    """Whether the number is one of those given, to three digits, or they are its digits.

    What is no number may hold any.
    """
    numbers = np.asarray(given, dtype=object).reshape(-1)
    if not all(isinstance(n, int | float | np.number) for n in numbers):
        return True
    if "".join(f"{n:g}" for n in numbers) == number:  # a vector of bits
        return True
    value = float(number.replace("−", "-").replace(",", ""))
    return bool(np.isclose(numbers.astype(float), value, rtol=6e-3, atol=6e-3).any())


def _fails(one: Observation) -> bool:
    try:
        return one.fails
    except Exception:  # of a kind that cannot be compared
        return True


@contextmanager
def recorded() -> Iterator[list[tuple[Subject, list[Observation]]]]:
    """All subjects that checks examine meanwhile, with what was asked and answered."""
    module = importlib.import_module("autograder.diagnosis.examine")
    observe, found = module._observe, []

    def kept(subject: Subject, one: Property, draw: Draw) -> Iterator[Observation]:
        answers = list(observe(subject, one, draw))
        if not (found and found[-1][0] is subject):
            found.append((subject, []))
        found[-1][1].extend(answers)
        return iter(answers)

    with patch.object(module, "_observe", kept):
        yield found


def asked_by(lesson: str, name: str) -> list[Asked]:
    """What a check asks the lesson's solution, over several draws."""
    subject = lessons.solution_functions(lesson)[exercise_of(name)]
    draws: list[list[Asked]] = []
    for seed in SEEDS:
        with recorded() as found:
            judge(subject, name=name, lesson=lesson, seed=seed)
        if not found:
            return []
        draws.append([Asked.of(*one) for one in found])
    first, *more = draws
    for other in more:
        first = [a + b for a, b in zip(first, other, strict=True)]
    return first


CHECKS = [(lesson, name) for lesson in lessons.lesson_names() for name in checks_of(lesson)]


@pytest.mark.parametrize(("lesson", "name"), CHECKS)
def test_each_known_mistake_is_seen_and_told_from_the_others(lesson: str, name: str):
    asked = asked_by(lesson, name)
    assert [text for one in asked for text in (*one.unseen(), *one.told_as_another())] == []
    assert [text for one in asked for text in one.one_sided()] == []
    assert {text for one in asked for text in one.mislabeled} == set()


def told_of(*mistakes: Mistake, cases: Sequence[int]) -> list[str]:
    """What is said of mistakes in |x|, asked at `cases`."""
    asked = Property("value", "it is |x|", lambda draw: [(x,) for x in cases], 1, asks="|x|")
    with recorded() as found:
        list(examine(Subject(ask=abs, rule=abs, mistakes=mistakes), Draw(0, "abs"), asked))
    [one] = [Asked.of(*each) for each in found]
    return [*one.unseen(), *one.told_as_another()]


def test_a_number_that_stands_at_another_name_is_found():
    def told(text: str) -> list[str]:
        subject = Subject(ask=max, rule=lambda mu, scale: mu, show=lambda mu, scale: text)
        return list(mislabeled(subject, Observation((np.array([3.0, 0.5]), 2), 3, 3, np.isclose)))

    assert told("mu = (3, 0.5), scale = 2") == told("mu = 3·N(0, 1)") == []
    assert told("mu = 2, scale = 2") == ["mu is no 2: mu = 2, scale = 2"]


def test_mistakes_with_the_same_numbers_are_found():
    left = Mistake("left", "x comes back as it is", gives=lambda x: x)
    turned = Mistake("turned", "the sign is turned", after=lambda value, x: -value)
    assert told_of(left, turned, cases=(-2, 3)) == []
    assert told_of(left, turned, cases=(-2, -3)) == [
        "turned is told as left: x comes back as it is"
    ]
    assert told_of(left, cases=(2, 3)) == ["left is right in every case"]
    assert told_of(left, dataclasses.replace(turned, name="left"), cases=(-2, -3)) == []
