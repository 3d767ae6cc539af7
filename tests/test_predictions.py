"""The choice that a prediction calls true is the one that the lesson's own code gives."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from autograder import lessons
from tests.predicted import Asked, Guess, Held, Said, answers, guesses

TESTS = Path(__file__).parent
EVERY = [*lessons.lesson_names(), *lessons.appendix_names()]
ALL = [guess for name in EVERY for guess in guesses(name)]


@pytest.mark.parametrize("name", EVERY)
def test_each_entry_is_of_one_question_and_each_question_has_one_at_most(name: str):
    asked = [guess.question for guess in guesses(name)]
    assert len(asked) == len(set(asked)) > 0
    for begin in answers(name):
        assert len([one for one in asked if one.startswith(begin)]) == 1, begin


@pytest.mark.parametrize("guess", ALL, ids=lambda g: f"{g.lesson} {g.question[:40]}")
def test_the_true_choice_is_what_the_lessons_own_code_gives(guess: Guess):
    how = guess.known
    if how is None:
        assert guess.is_function, f"nothing computes the answer of: {guess.question}"
        assert 0 <= guess.part(guess.answer)() < len(guess.part(guess.choices))
        return
    if isinstance(how, Said):
        assert len(how.reason.split()) >= 5
    elif isinstance(how, Held):
        file, _, name = how.by.partition("::")
        tree = ast.parse((TESTS / file).read_text(encoding="utf-8"))
        assert name in [node.name for node in tree.body if isinstance(node, ast.FunctionDef)]
    else:
        choices = guess.part(guess.choices)
        true = choices[how(Asked(guess))]
        said = guess.part(guess.answer)
        if callable(said):
            try:
                said = said()
            except NameError:  # of a demo: the lesson's own test asks it (`predictions`)
                return
        assert choices[said] == true


def test_few_answers_are_only_said():
    said = [guess for guess in ALL if isinstance(guess.known, Said)]
    assert len(said) <= len(ALL) / 10, [guess.question for guess in said]
