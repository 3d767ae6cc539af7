"""An exercise of several methods has a check for each step, from the lesson's text to the marks."""

from __future__ import annotations

import pytest

from autograder import checking, claim
from autograder.checking import check, checks, judge
from autograder.checks import whole
from autograder.checks.witness import waits_unless
from autograder.grading.matching import checked_exercise, checked_name
from autograder.lessons import LessonError, build_source, parse_lesson
from autograder.steps import call_of, exercise_of, name_in

LESSON, COIN = "00_steps", "01_coin"  # of the registry below, and of a text


@pytest.mark.parametrize("name", ["surprise", "Coin.entropy", "MADE.nll"])
def test_the_text_of_a_checks_cell_and_its_name_say_the_same(name: str):
    assert name_in(call_of(name)) == name
    assert exercise_of(name) == name.split(".")[0]


@pytest.mark.parametrize(
    "text, name",
    [
        ("check( MADE , 'nll' )\n", "MADE.nll"),
        ("check(MADE.nll)", ""),
        ('check(MADE, "n ll")', ""),
        ('check(MADE, "nll") + 6', ""),
        ('check("MADE")', ""),
        ("6.0", ""),
    ],
)
def test_only_a_call_of_a_check_alone_is_one(text: str, name: str):
    assert name_in(text) == name


HEAD = f"""# ---
# jupyter:
#   lesson: {{name: {COIN}, title: t, question: q, minutes: 1, prerequisites: []}}
# ---

# %% exercise="Coin"
class Coin:
    def entropy(self):
        ### BEGIN SOLUTION
        return 0.0
        ### END SOLUTION

"""


def lesson_with(tmp_path, cells: str):
    path = tmp_path / "solutions" / COIN / "lesson.py"
    path.parent.mkdir(parents=True)
    path.write_text(HEAD + cells)
    (tmp_path / "pyproject.toml").write_text(
        '[project.urls]\nRepository = "https://github.com/autoregressive-course/x"\n'
    )
    return parse_lesson(path)


def test_a_step_is_a_graded_cell_of_its_own(tmp_path):
    lesson = lesson_with(
        tmp_path,
        '# %% check="Coin.entropy" points=2\ncheck(Coin, "entropy")\n\n'
        '# %% check="Coin" points=1\ncheck(Coin)\n',
    )
    assert {n: (c.points, c.exercise) for n, c in lesson.checks.items()} == {
        "Coin.entropy": (2, "Coin"),
        "Coin": (1, "Coin"),
    }
    cells = [c for c in build_source(lesson).cells if checked_name(c)]
    assert [c.metadata.nbgrader.grade_id for c in cells] == ["check-Coin-entropy", "check-Coin"]
    assert [checked_name(c) for c in cells] == ["Coin.entropy", "Coin"]
    assert {checked_exercise(c) for c in cells} == {"Coin"}


@pytest.mark.parametrize(
    "cell, told",
    [
        ('# %% check="Coin.entropy" points=1\ncheck(Coin.entropy)', r'check\(Coin, "entropy"\)'),
        ('# %% check="Dice.entropy" points=1\ncheck(Dice, "entropy")', "no exercise 'Dice'"),
        ('# %% check="Coin.a.b" points=1\ncheck(Coin, "a")', "needs a Python name"),
        ('# %% exercise="Coin.entropy"\npass', "needs a Python name"),
    ],
)
def test_a_step_that_is_told_otherwise_is_refused(tmp_path, cell: str, told: str):
    with pytest.raises(LessonError, match=told):
        lesson_with(tmp_path, cell + "\n")


# --- a class of two steps, its checks as a lesson would register them ---


class Coin:
    """The right answer."""

    def entropy(self) -> float:
        """Nats."""
        return 0.5

    def flip(self) -> int:
        """A side."""
        return 1


@pytest.fixture
def registry(monkeypatch: pytest.MonkeyPatch):
    """A lesson 00_steps whose exercise Coin has two steps and a whole."""
    monkeypatch.setattr(checking, "_registry", dict(checking._registry))

    @checks("Coin.entropy", lesson=LESSON, points=1)
    def of_entropy(Coin, draw):
        """Entropy."""
        yield claim(
            "half a nat", Coin().entropy() == 0.5, saw="another", asks="0.5", advice="halve"
        )

    @checks("Coin.flip", lesson=LESSON, points=1)
    def of_flip(Coin, draw):
        """A side."""
        yield claim("a side", Coin().flip() in (0, 1), saw="no side", asks="0 or 1")

    @checks("Coin", lesson=LESSON, points=2)
    def of_a_coin(Coin, draw):
        """Both."""
        hold = yield from whole.each_step(Coin, draw, LESSON, "entropy", "flip")
        yield claim("it is one coin", True, points=2, waits=waits_unless(hold, "the steps"))


def changed(**methods) -> type:
    return type("Coin", (Coin,), methods)


@pytest.mark.usefixtures("registry")
def test_a_step_is_judged_by_itself_and_the_whole_only_by_all():
    wrong = changed(flip=lambda self: 7)
    earned = {n: judge(wrong, name=n, lesson=LESSON).earned for n in ("Coin.entropy", "Coin.flip")}
    assert earned == {"Coin.entropy": 1, "Coin.flip": 0}
    verdict = judge(wrong, name="Coin", lesson=LESSON)
    assert (verdict.status, verdict.earned) == ("failed", 0)
    assert [(c.id, c.holds, bool(c.waits)) for c in verdict.claims] == [
        ("entropy", True, False),
        ("flip", False, False),
        ("it-is-one-coin", False, True),
    ]
    assert verdict.claims[1].saw == "“a side” fails: no side"
    right = judge(Coin, name="Coin", lesson=LESSON)
    assert (right.status, right.earned) == ("passed", 2)


@pytest.mark.usefixtures("registry")
def test_the_whole_names_the_step_that_is_not_written():
    def unwritten(self):
        raise NotImplementedError("Coin: write your code here")

    verdict = judge(changed(flip=unwritten), name="Coin", lesson=LESSON)
    assert verdict.reason.endswith("flip is not written yet")
    assert verdict.earned == 0


@pytest.mark.usefixtures("registry")
def test_a_notebook_asks_for_a_step_by_its_name():
    card = check(Coin, "flip")
    assert (card.name, card.earned, card.points) == ("Coin.flip", 1, 1)
