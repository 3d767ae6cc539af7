"""A cell that was edited and not run again, in a real kernel beside the file of its notebook."""

from __future__ import annotations

import os

import nbformat
import pytest
from nbclient import NotebookClient

SET_UP = 'from autograder import check\nLESSON = "06_kl"\nimport numpy as np'
RAN = "def entropy(p):\n    return 0.0"
EDITED = "def entropy(p):\n    return 1.0"
SENTENCE = "The cell of entropy was edited after it ran: run it again, and then this check."


@pytest.mark.parametrize(
    ("saved", "age", "told"),
    [
        (EDITED, +60, True),  # edited and saved after the run
        (RAN, +60, False),  # saved after the run, as it ran
        (EDITED, -60, False),  # saved before: what ran is newer than the file
    ],
)
def test_a_card_tells_of_a_saved_cell_that_is_newer_than_its_run(tmp_path, saved, age, told):
    path = tmp_path / "lesson.ipynb"
    cells = [nbformat.v4.new_code_cell(t) for t in (SET_UP, RAN)]
    write = f"""
import os, time, nbformat
n = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell({saved!r})])
nbformat.write(n, {str(path)!r})
os.utime({str(path)!r}, (time.time() + {age},) * 2)"""
    cells += [nbformat.v4.new_code_cell(write), nbformat.v4.new_code_cell("repr(check(entropy))")]
    notebook = nbformat.v4.new_notebook(cells=cells)
    client = NotebookClient(notebook, timeout=120, kernel_name="python3")
    client.create_kernel_manager()
    client.execute(env=os.environ | {"JPY_SESSION_NAME": str(path)})
    card = notebook.cells[-1].outputs[0]["data"]["text/plain"]
    assert (SENTENCE in card) == told
