"""What holds of every lesson, and of a new one as soon as it has a text and checks.

That its notebook runs, solved and not, is in test_notebooks.py; wrong and right answers are in
test_banks.py. A lesson's own file holds its mathematics, its numbers and its pictures.
"""

from __future__ import annotations

import functools
import math
import re
import types
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import torch

from autograder import lessons
from autograder.checking import checks_of, judge
from autograder.claims import Verdict
from autograder.remote.proxy import standin_for
from autograder.steps import exercise_of

LESSONS = lessons.lesson_names()
EXERCISES = [
    pytest.param(lesson, name, id=f"{lesson}-{name}")
    for lesson in LESSONS
    for name in checks_of(lesson)
]


def _defined(word: str) -> list:
    """The exercises whose cell defines them by this word; {} is the place of the name."""
    return [
        one
        for one in EXERCISES
        if word.format(name := exercise_of(one.values[1]))
        in lessons.exercise_source(one.values[0], name)
    ]


CLASSES = _defined("class {}")
OBJECTS = _defined("class {}:")  # what these are asked for is their checks' own matter
every_lesson = pytest.mark.parametrize("lesson", LESSONS)
answered = pytest.mark.parametrize(("lesson", "name"), [x for x in EXERCISES if x not in OBJECTS])
every_exercise = pytest.mark.parametrize(("lesson", "name"), EXERCISES)


@functools.cache
def solved(lesson: str) -> dict[str, Any]:
    """The lesson's names, all exercises solved."""
    return lessons.solution_functions(lesson)


def solution(lesson: str, name: str) -> Any:
    """What the check `name` judges, solved."""
    return solved(lesson)[exercise_of(name)]


def text_of(lesson: str) -> str:
    """The lesson's text: prose and code."""
    return lessons.load_lesson(lesson).path.read_text(encoding="utf-8")


# --- the solution ---------------------------------------------------------------------------------


@every_exercise
def test_the_solution_earns_every_point_at_any_draw(lesson: str, name: str):
    headings = set(re.findall(r"^#+ (.+)$", text_of(lesson), re.MULTILINE))
    for seed in (0, 7, 2**40):
        verdict = judge(solution(lesson, name), name=name, lesson=lesson, seed=seed)
        assert verdict.status == "passed", verdict
        assert sum(c.points for c in verdict.claims) == verdict.points == verdict.earned
        assert {c.see for c in verdict.claims} - {""} <= headings, "advice points at no heading"


@every_lesson
def test_each_exercise_has_its_checks_and_both_say_the_same_points(lesson: str):
    read = lessons.load_lesson(lesson)
    worth = {name: check.points for name, check in checks_of(lesson).items()}
    assert set(read.exercises) == {name for name in worth if exercise_of(name) == name}
    assert set(read.exercises) == set(map(exercise_of, worth))
    assert {name: cell.points for name, cell in read.checks.items()} == worth


@every_lesson
def test_each_exercise_tells_points_difficulty_minutes_and_two_hints(lesson: str):
    text = text_of(lesson)
    cards = re.findall(
        r"((?:`\w+`(?:, )?)+) · difficulty [●○]{3} · \d+\s+minutes · (\d+(?: \+ \d+)*)\s+point",
        text,
    )
    told = {}
    for names, points in cards:  # several small exercises may share a card
        numbers = map(float, points.split(" + "))
        told |= dict(zip(re.findall(r"`(\w+)`", names), numbers, strict=True))
    worth = dict.fromkeys(told, 0.0)
    for name, check in checks_of(lesson).items():
        worth[exercise_of(name)] += check.points
    assert told == worth
    lines = len(re.findall(r"^.*` · difficulty ", text, re.MULTILINE))
    for hint in (1, 2):
        assert text.count(f"<summary>Hint {hint}") == lines


# --- no solution ----------------------------------------------------------------------------------


@every_exercise
def test_what_is_not_written_is_not_attempted(lesson: str, name: str):
    def unwritten(*args: Any, **kwargs: Any) -> None:
        raise NotImplementedError(f"{name}: write your code here")

    for function in (unwritten, lambda *args, **kwargs: None):
        verdict = judge(function, name=name, lesson=lesson)
        assert (verdict.status, verdict.earned) == ("not attempted", 0), verdict
        assert verdict.reason


@every_exercise
def test_a_forgotten_return_is_told_as_one(lesson: str, name: str):
    beside = dict(solved(lesson))  # some exercises use another one
    exec("def answer(*args, **kwargs):\n    len(args)", beside)  # does something, gives nothing
    verdict = judge(beside["answer"], name=name, lesson=lesson)
    assert (verdict.status, verdict.earned) == ("failed", 0), verdict
    assert "is `return` missing?" in verdict.reason


def always(value: Any) -> Callable:
    return lambda *args, **kwargs: value


def given(change: Callable[[torch.Tensor], Any]) -> Callable:
    """An answer that makes something of the first array among its arguments, or of zeros."""

    def answer(*args: Any, **kwargs: Any) -> Any:
        arrays = (a for a in args if isinstance(a, torch.Tensor | np.ndarray))
        return change(torch.as_tensor(next(arrays, np.zeros(3))))

    return answer


# Of no use to any exercise.
NONSENSE = {
    "a number": always(0.1234),
    "nan": always(math.nan),
    "minus infinity": always(-math.inf),
    "a huge whole number": always(10**400),
    "a complex number": always(1j),
    "a text": always("x"),
    "bytes": always(b"abcd"),
    "an empty list": always([]),
    "an empty dict": always({}),
    "an object": always(object()),
    "a class": always(int),
    "an empty tensor": always(torch.zeros(0)),
    "arrays of text": always([np.array(["a"])]),
    "a pair of nan": always((math.nan, math.nan)),
    "tables of infinities": always([np.full((2,) * i, np.inf) for i in (1, 2, 3)]),
    "complex of that shape": given(lambda x: x * 1j),
}
# Of the right kind for some exercises, and nothing more.
WRONG = {
    "true": always(True),
    "what was given": lambda *args, **kwargs: args[0] if args else kwargs,
    "what was given last": lambda *args, **kwargs: args[-1] if args else kwargs,
    "truth values": given(lambda x: x > 0),
    "a numpy array": given(lambda x: x.numpy()),
    "twice what was given": given(lambda x: (x, x)),
    "uniform": given(lambda x: torch.full(x.shape, 1 / (x.shape[-1] if x.ndim else 1))),
}
# What becomes of every number of a right answer: its form stays, or nearly so.
CHANGES = {
    "zeros": torch.zeros_like,
    "ones": torch.ones_like,
    "minus ones": lambda x: torch.full_like(x.to(torch.int64), -1),
    "halves": lambda x: torch.full(x.shape, 0.5),
    "only nan": lambda x: torch.full(x.shape, math.nan),
    "only infinities": lambda x: torch.full(x.shape, math.inf),
    "huge": lambda x: torch.full(x.shape, 1e300, dtype=torch.float64),
    "noise": lambda x: torch.rand(x.shape) if x.is_floating_point() else torch.randint(99, x.shape),
    "the first of it gone": lambda x: x[1:] if x.ndim else x + 1,
}


# A list of names, and a message in bytes: their numbers cannot be exchanged for others.
WITHOUT_NUMBERS = {("12_gpt2", "find_the_leak"), ("14_compression", "encode")}


def changed(value: Any, change: Callable[[torch.Tensor], torch.Tensor]) -> Any:
    """The value with `change` made to every number in it; as it is, if it holds none."""
    if isinstance(value, dict):
        return {key: changed(item, change) for key, item in value.items()}
    if isinstance(value, tuple | list | set):
        return type(value)(changed(item, change) for item in value)
    if isinstance(value, torch.Tensor):
        return change(value.detach())
    if isinstance(value, np.ndarray):
        return change(torch.as_tensor(value)).numpy()
    if isinstance(value, types.FunctionType):
        return lambda *args, **kwargs: changed(value(*args, **kwargs), change)
    if isinstance(value, bool | int | float | np.number):
        return change(torch.as_tensor(float(value), dtype=torch.float64)).item()
    return value


# Defined among the lesson's own names, where a check that builds on several functions finds them.
FUNCTION = """
def {name}(*args, **kwargs):
    return {answer}
"""
MODULE = """
class {name}(solved_):
    def {method}(self, *args, **kwargs):
        return {answer}
"""
INSTEAD = "answer_(*args, **kwargs)"


def verdict_on(answer: Callable, lesson: str, name: str, text: str) -> Verdict:
    """What the check says of `text` in the place of the lesson's solution."""
    namespace = solved(lesson) | {"answer_": answer, "solved_": solution(lesson, name)}
    exec(text, namespace)
    return judge(namespace[exercise_of(name)], name=name, lesson=lesson)


def strange_verdicts(lesson: str, name: str) -> Iterator[tuple[str, Verdict]]:
    """The verdicts on answers, or on the answers of a module, that cannot be right."""
    right, form, changes = solution(lesson, name), FUNCTION, CHANGES
    after = "answer_(solved_(*args, **kwargs))"
    exercise, _, step = name.partition(".")
    method = step or "forward"
    if isinstance(right, type) and issubclass(right, torch.nn.Module):
        form, after = MODULE, f"answer_(solved_.{method}(self, *args, **kwargs))"
    elif (lesson, name) in WITHOUT_NUMBERS:
        changes = {}
    text = form.format(name=exercise, method=method, answer=INSTEAD)
    for what, answer in (NONSENSE | WRONG).items():
        yield what, verdict_on(answer, lesson, name, text)
    text = form.format(name=exercise, method=method, answer=after)
    for what, change in changes.items():
        yield what, verdict_on(functools.partial(changed, change=change), lesson, name, text)


@answered
def test_a_strange_answer_is_told_in_a_sentence_and_earns_half_at_most(lesson: str, name: str):
    for what, verdict in strange_verdicts(lesson, name):
        assert verdict.status in ("failed", "partly"), (what, verdict)
        held = [c.text for c in verdict.claims if c.holds]
        assert verdict.earned <= (0 if what in NONSENSE else verdict.points / 2), (what, held)
        assert "\n" not in verdict.headline(), what
        failed = [c for c in verdict.claims if c.fails]
        assert verdict.reason or verdict.cause or all(c.advice for c in failed), what
        assert all(c.asks and c.saw and (c.see or verdict.see) for c in failed), what


@pytest.mark.parametrize(("lesson", "name"), CLASSES)
def test_a_class_that_makes_no_object_earns_nothing(lesson: str, name: str):
    text = FUNCTION.format(name=exercise_of(name), answer=INSTEAD)
    for what, answer in NONSENSE.items():
        verdict = verdict_on(answer, lesson, name, text)
        assert (verdict.status, verdict.earned) == ("failed", 0), (what, verdict)


# --- another kind of thing ------------------------------------------------------------------------


class Empty:
    """A class without anything."""


class OtherSignature:
    """A class that is made otherwise."""

    def __init__(self, only: Any) -> None:
        pass


class Module(torch.nn.Module):
    """A module that takes everything and has no forward."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__()


class Attributes(Module):
    """A module that has every attribute, each of them a number."""

    def __getattr__(self, name: str) -> Any:
        return vars(self)[name] if name in vars(self) else 3


OTHER_KINDS: dict[str, Any] = {
    "a number": 7,
    "a text": "x",
    "a built-in class": int,
    "an empty class": Empty,
    "another signature": OtherSignature,
    "no forward": Module,
    "numbers for methods": Attributes,
    "an instance": Empty(),
    "a module": torch.nn.Linear(3, 3),
    "a function of nothing": lambda: 0,
    "gives an object": always(Empty()),
    "gives a class": always(Empty),
    "gives a module": always(torch.nn.Linear(2, 2)),
}


def other_methods(solution: type) -> Iterator[tuple[str, type]]:
    """The class, with one method missing, or something else under its name."""

    def missing(self: Any) -> Any:
        raise AttributeError("there is no such method")

    for name, method in vars(solution).items():
        if isinstance(method, types.FunctionType) and name != "__init__":
            for what, instead in {
                "missing": property(missing),
                "a number": 3,
                "a class": int,
                "gives an object": always(Empty()),
                "takes nothing": lambda self: 0,
            }.items():
                yield f"{name}: {what}", type(solution.__name__, (solution,), {name: instead})


@every_exercise
def test_another_kind_of_thing_is_the_students_mistake_and_told_in_a_sentence(
    lesson: str, name: str
):
    right = solution(lesson, name)
    answers = list(OTHER_KINDS.items())
    if isinstance(right, type):
        answers += other_methods(right)
    for what, answer in answers:
        verdict = judge(standin_for(answer), name=name, lesson=lesson)
        assert verdict.status != "error", (what, verdict.reason)
        if what in OTHER_KINDS:
            assert verdict.earned == 0, what
            assert verdict.reason or verdict.first_failed, what
            assert "\n" not in verdict.reason, what
