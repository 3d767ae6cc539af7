"""A prediction in a browser: chosen with keys, committed once, and told what is true."""

from collections.abc import Callable

from playwright.sync_api import expect

from figures.predict import Prediction
from tests.browser.test_jupyterlab import WAIT, notebook_of

QUESTION = "If 20 bits need a million numbers, how many do 40 bits need?"
CHOICES = ["two million", "forty million", "a million millions"]


def prediction() -> Prediction:
    return Prediction(QUESTION, CHOICES, lambda: 2, "Twice the bits square the table.")


def test_keys_choose_and_commit_and_the_answer_is_said(show: Callable) -> None:
    widget = prediction()
    page = show(widget, kernel=True)
    commit = page.get_by_role("button", name="Commit, and see")
    expect(commit).to_be_disabled()
    expect(page.get_by_role("group", name=QUESTION)).to_be_visible()
    page.get_by_role("radio", name=CHOICES[0]).focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    status = page.get_by_role("status")
    expect(status).to_contain_text("It is: a million millions.")
    expect(status).to_contain_text("Twice the bits square the table.")
    expect(status).to_be_focused()
    assert widget._choice == 1
    for radio in page.get_by_role("radio").all():
        expect(radio).to_be_disabled()
    expect(page.locator(".choice").nth(1)).to_contain_text("(your choice)")
    expect(page.locator(".choice").nth(2)).to_contain_text("(true)")


def test_what_was_committed_is_drawn_at_once(show: Callable) -> None:
    widget = prediction()
    widget._choice = 2
    page = show(widget)
    expect(page.get_by_role("status")).to_contain_text("You predicted it.")
    expect(page.get_by_role("button")).to_be_hidden()


NOTEBOOK = f"""
from figures.predict import predict
predict({QUESTION!r}, {CHOICES!r}, answer=lambda: 2, why="Twice the bits square the table.")
"""


def test_a_saved_notebook_keeps_question_choice_and_answer(lab, lab_page) -> None:
    notebook = notebook_of(NOTEBOOK)
    notebook.cells[0].metadata["jupyter"] = {"source_hidden": True}
    opened = lab.open(lab_page, notebook)
    # A folded cell shows its first line in the place of its code.
    expect(lab_page.locator(".jp-InputPlaceholder")).to_contain_text("from figures.predict")
    opened.run_all()
    cell = opened.cell("predict(")
    widget = cell.locator(".prediction")
    widget.get_by_label(CHOICES[0]).check(timeout=WAIT)
    lab_page.keyboard.press("Enter")
    expect(widget.get_by_role("status")).to_contain_text("It is: a million", timeout=WAIT)
    # The kernel puts what is known now in the place of what was saved when the cell ran.
    first = "window.jupyterapp.shell.currentWidget.content.widgets[0].model.outputs"
    lab_page.wait_for_function(
        f"() => JSON.stringify({first}.toJSON()).includes('You chose')", timeout=WAIT
    )
    saved_view = cell.locator("[data-saved-view]")
    expect(saved_view).to_have_count(1)
    expect(saved_view).to_be_hidden()  # the widget says it already

    outputs = lab_page.evaluate(f"() => {first}.toJSON()")
    kept = "".join(outputs[0]["data"]["text/html"])
    assert QUESTION in kept
    assert "You chose: two million. It is: a million millions." in kept
    assert "Twice the bits square the table." in kept
