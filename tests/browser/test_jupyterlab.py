"""The widgets in a real JupyterLab: painted, and answering keys through the notebook's own page."""

from pathlib import Path

import nbformat
from playwright.sync_api import expect

WAIT = 120_000
LESSON = Path(__file__).parents[2] / "course" / "05_made" / "lesson.ipynb"

NOTEBOOK = """
import torch
from figures.mask_explorer import MaskExplorer

def assign_degrees(n, hidden_sizes, generator):
    return [1 + torch.arange(size) % (n - 1) for size in hidden_sizes]

def build_masks(degrees, order):
    hidden = (degrees[0][:, None] >= order[None, :]).float()
    return [hidden, (order[:, None] > degrees[0][None, :]).float()]

explorer = MaskExplorer.of(build_masks, assign_degrees, n=5, hidden_sizes=(8,))
explorer
"""


def notebook_of(*sources: str) -> nbformat.NotebookNode:
    notebook = nbformat.v4.new_notebook()
    notebook.metadata["kernelspec"] = {
        "name": "python3",
        "display_name": "Python 3",
        "language": "python",
    }
    notebook.cells = [nbformat.v4.new_code_cell(source.strip()) for source in sources]
    return notebook


def test_the_explorer_lives_in_jupyterlab(lab, lab_page) -> None:
    notebook = lab.open(lab_page, notebook_of(NOTEBOOK))
    notebook.run_all()
    explorer = notebook.cell("explorer").locator(".mask-explorer")
    words = explorer.locator(".words")
    expect(words).to_have_text(
        "Autoregressive: every output sees all inputs before it, and nothing else.", timeout=WAIT
    )

    # Keys are answered in the page, and do not reach the notebook's own shortcuts.
    explorer.locator(".graph").click(position={"x": 5, "y": 5})
    lab_page.keyboard.press("ArrowRight")
    expect(words).to_have_text("Output 5 sees inputs 1, 2, 3, 4.", timeout=WAIT)
    lab_page.keyboard.press("ArrowLeft")
    expect(words).to_have_text("Output 4 sees inputs 1, 2, 3.", timeout=WAIT)

    # The order goes through the kernel, to the student's own function and back.
    explorer.get_by_label("Order").select_option("reversed")
    expect(words).to_have_text("Output 4 sees input 5.", timeout=WAIT)


def test_the_explorer_of_lesson_05_waits_for_the_exercises(lab, lab_page) -> None:
    notebook = lab.open(lab_page, LESSON)
    notebook.run_all()
    dense = notebook.cell("MaskExplorer(dense)").locator(".mask-explorer")
    expect(dense.locator(".verdict")).to_have_text("Not autoregressive", timeout=WAIT)
    dense.locator(".graph").click(position={"x": 5, "y": 5})
    lab_page.keyboard.press("ArrowRight")
    expect(dense.locator(".words")).to_contain_text(
        "Output 4 sees inputs 1, 2, 3, 4.", timeout=WAIT
    )

    own = notebook.cell("MaskExplorer.of(").locator(".mask-explorer")
    expect(own.locator(".words")).to_contain_text("solve its exercise first", timeout=WAIT)


def test_arrows_choose_a_prediction_and_do_not_leave_it(lab, lab_page) -> None:
    source = "from figures.predict import predict\npredict('Which?', ['one', 'two'], 1, 'So.')"
    notebook = lab.open(lab_page, notebook_of(source))
    notebook.run_all()
    notebook.wait_until_drawn(0)
    choices = notebook.cell_at(0).locator(".prediction input[type=radio]")
    choices.first.focus()
    lab_page.keyboard.press("ArrowDown")
    expect(choices.nth(1)).to_be_focused()
    expect(choices.nth(1)).to_be_checked()
    lab_page.keyboard.press("ArrowUp")
    expect(choices.first).to_be_checked()
    lab_page.keyboard.press("Enter")
    expect(notebook.cell_at(0).locator(".verdict")).to_have_text("It is: two.", timeout=WAIT)
