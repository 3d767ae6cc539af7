"""A function with `generator=None` draws anew in every call: a seed of its own costs points.

Every solution that draws gets such a seed, mechanically, and its check must say so; GPT-2's loop
takes the likeliest token where there is no generator, and draws nothing.
"""

from __future__ import annotations

import ast

import pytest

from autograder import lessons
from autograder.checking import checks_of, judge
from autograder.steps import exercise_of

SEEDED = "generator = torch.Generator().manual_seed(1) if generator is None else generator"
OF_ALL = "torch.manual_seed(1)"
NOTHING_IS_DRAWN = {("12_gpt2", "generate"), ("12_gpt2", "generate_cached")}
GIVEN = ("PixelCNN", "sample")  # stands in the lesson, and hands its generator on to inpaint


def with_default(source: str, line: str) -> dict[str, str]:
    """For each function of `source` with `generator=None`: its name, and all with `line` in it."""
    found = {}
    for function in ast.walk(tree := ast.parse(source)):
        if not isinstance(function, ast.FunctionDef) or function.name == "__init__":
            continue
        given = function.args.args[len(function.args.args) - len(function.args.defaults) :]
        defaults = dict(zip((a.arg for a in given), function.args.defaults, strict=True))
        default = defaults.get("generator")
        if isinstance(default, ast.Constant) and default.value is None:
            place = 1 if ast.get_docstring(function) else 0
            function.body.insert(place, ast.parse(line).body[0])
            found[function.name] = ast.unparse(tree)
            del function.body[place]
    return found


CASES = [
    (lesson, exercise, source, f"{lesson}-{exercise}.{name}-{kind}")
    for lesson in lessons.lesson_names()
    for exercise in lessons.load_lesson(lesson).exercises
    if (lesson, exercise) not in NOTHING_IS_DRAWN
    for kind, line in (("own", SEEDED), ("global", OF_ALL))
    for name, source in with_default(lessons.exercise_source(lesson, exercise), line).items()
    if (exercise, name) != GIVEN
]


def test_every_lesson_that_draws_is_here() -> None:
    assert {lesson[:2] for lesson, *_ in CASES} == {"05", "07", "09", "10", "11"}


@pytest.mark.parametrize(
    "lesson, exercise, source", [pytest.param(*given, id=name) for *given, name in CASES]
)
def test_a_seed_of_its_own_is_told(lesson: str, exercise: str, source: str) -> None:
    functions = lessons.solution_functions(lesson, instead={exercise: source})
    verdicts = [
        judge(functions[exercise], name=check, lesson=lesson, seed=1)
        for check in checks_of(lesson)
        if exercise_of(check) == exercise
    ]
    worst = min(verdicts, key=lambda verdict: verdict.status == "passed")
    assert worst.status != "passed"
    assert "seeded-by-default" in worst.misconceptions
