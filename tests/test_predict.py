"""A prediction keeps the choice, tells the answer afterwards, and stands in the saved output."""

from __future__ import annotations

import ast
import json
import re

import pytest

from autograder import lessons
from figures import predict as module
from figures.page import traits_of
from figures.predict import Prediction, predict

QUESTION, CHOICES = "How many numbers does a table over 40 bits need?", ["2 million", "10^12"]


@pytest.fixture(autouse=True)
def nobody_chose(monkeypatch):
    monkeypatch.setattr(module, "_chosen", {})


def test_the_page_holds_no_answer_before_a_choice():
    shown = Prediction(QUESTION, CHOICES, 1, "Twice the bits square the table: SECRET.")
    sent = json.dumps(traits_of(shown))
    assert QUESTION in sent and "10^12" in sent
    assert "SECRET" not in sent and "SECRET" not in repr(shown) and not shown.is_answered


def test_a_right_and_a_wrong_choice_are_told_with_what_is_true():
    right, wrong = (Prediction(QUESTION, CHOICES, 1, "It squares.") for _ in range(2))
    right._choice, wrong._choice = 1, 0
    assert right._told == ["good", "You predicted it.", "It squares.", 1]
    assert wrong._told == ["gap", "It is: 10^12.", "It squares.", 1]
    assert "You chose: 2 million. It is: 10^12. It squares." in repr(wrong)


def test_the_answer_is_computed_when_the_choice_is_made():
    asked = []
    shown = Prediction(QUESTION, CHOICES, lambda: asked.append(1) or 1, lambda: f"{2**40:,}")
    assert asked == []
    shown._choice = 1
    assert asked == [1]
    assert shown._told[2] == "1,099,511,627,776"


def test_an_unsolved_exercise_keeps_the_choice_and_says_what_to_solve():
    def table_parameters():
        raise NotImplementedError("table_parameters: write your code here")

    shown = Prediction(QUESTION, CHOICES, table_parameters)
    shown._choice = 0
    kind, verdict, said, right = shown._told
    assert (kind, verdict, right) == ("waiting", "Your choice is kept.", -1)
    assert "waits for `table_parameters`: solve it above" in said


def test_what_is_saved_has_question_choice_and_answer_and_is_escaped():
    shown = Prediction("Is <b> larger?", ["a < b", "a > b"], 0, "By <definition>.")
    before = shown._saved_view()["text/html"]
    assert "Is &lt;b&gt; larger?" in before and "choose, and commit" in before
    shown._choice = 1
    html = shown._saved_view()["text/html"]
    assert "Is &lt;b&gt; larger?" in html and "By &lt;definition&gt;." in html
    assert "You chose: a &gt; b. It is: a &lt; b." in html
    assert shown.picture().marks == {"choice 0 true", "choice 1 yours"}
    assert "a < b (true)" in shown.picture().svg(False).replace("&lt;", "<")


def test_a_cell_that_runs_again_keeps_what_was_committed(monkeypatch):
    kept: list[dict] = []

    class Handle:
        def update(self, data, raw):
            kept.append(data)

    def display(data, raw=False, **_):
        if isinstance(data, Prediction):
            shown.append(data)
            data._ipython_display_()
        return Handle()

    shown: list = []
    monkeypatch.setattr("IPython.display.display", display)
    predict(QUESTION, CHOICES, 1)
    shown[0]._choice = 0
    assert len(kept) == 1 and "You chose: 2 million." in kept[0]["text/html"]
    predict(QUESTION, CHOICES, 1)
    assert shown[1]._choice == 0 and shown[1].is_answered
    assert len(kept) == 2


@pytest.mark.parametrize(
    ("choices", "answer", "words"),
    [
        (["one"], 0, "two different choices or more: got"),
        (["one", "one"], 0, "two different choices or more: got"),
        (["one", "two"], 2, "a place in 0 … 1: got 2"),
        (["one", "two"], True, "the place of a choice, from 0: got True"),
        (["one", "two"], "two", "the place of a choice, from 0: got 'two'"),
    ],
)
def test_what_is_no_question_is_refused(choices, answer, words):
    with pytest.raises(ValueError, match=words):
        Prediction(QUESTION, choices, answer)


EVERY = [*lessons.lesson_names(), *lessons.appendix_names()]


def asks(cell: lessons.Cell) -> bool:
    return cell.kind == "code" and cell.source.startswith("predict(")


@pytest.mark.parametrize("name", EVERY)
def test_whatever_prose_lets_a_reader_guess_can_be_written_down_first(name: str):
    """A guess that prose asks for, with its answer in a fold, has no place to be written."""
    prose = [cell.source for cell in lessons.load_lesson(name).cells if cell.kind == "markdown"]
    assert not [text for text in prose if "**Predict" in text or "**Decide" in text]


@pytest.mark.parametrize("name", EVERY)
def test_what_a_prediction_says_afterwards_is_said_by_nothing_above_it(name: str):
    """The cells before it hold neither its explanation nor the same question."""
    said, asked = "", set()
    for cell in lessons.load_lesson(name).cells:
        if asks(cell):
            call = ast.parse(cell.source).body[0].value
            question = ast.unparse(call.args[0])
            named = {key.arg: key.value for key in call.keywords}
            why = named.get("why", call.args[3] if len(call.args) > 3 else None)
            assert question not in asked
            asked.add(question)
            assert not isinstance(why, ast.Constant) or why.value not in said
        said += cell.source


@pytest.mark.parametrize("name", lessons.lesson_names())
def test_a_prediction_with_a_demo_to_settle_it_stands_above_that_demo(name: str):
    """Where the answer says "the cell below", a cell that shows something comes after it."""
    cells = lessons.load_lesson(name).cells
    for i, cell in enumerate(cells):
        if asks(cell) and re.search(r"[Tt]he (second )?cells? below|demo below", cell.source):
            assert any("demo" in later.tags and not asks(later) for later in cells[i + 1 : i + 7])
