"""A bar in a notebook is one output that ends as it is; in a terminal it is tqdm's own."""

from __future__ import annotations

import pytest
from nbclient import NotebookClient

from course.progress import tqdm
from tests.browser.test_jupyterlab import notebook_of

LOOP = """
from course.progress import tqdm
print("before")
for i in tqdm(range(3), desc="counting", leave={leave}):
    print(i, end=" ")
"""


@pytest.mark.parametrize("leave", [True, False])
def test_in_a_notebook_its_last_state_is_what_is_saved(leave: bool) -> None:
    notebook = notebook_of(LOOP.format(leave=leave))
    NotebookClient(notebook, timeout=120, kernel_name="python3").execute()
    outputs = notebook.cells[0].outputs
    assert "".join(o.text for o in outputs if o.output_type == "stream") == "before\n0 1 2 "
    assert not [o for o in outputs if o.get("name") == "stderr"]
    (bar,) = (o.data["text/plain"] for o in outputs if o.output_type == "display_data")
    assert (bar.startswith("counting: 100%|") and "3/3" in bar) if leave else bar == ""


def test_a_bar_that_never_moved_does_not_stay_at_0_percent() -> None:
    notebook = notebook_of(
        "from course.demo import solved\nfrom course.progress import tqdm\n"
        "with solved('f'):\n    for i in tqdm(range(3)):\n        raise NotImplementedError"
    )
    NotebookClient(notebook, timeout=120, kernel_name="python3").execute()
    bars = [o.data["text/plain"] for o in notebook.cells[0].outputs if "data" in o]
    assert bars == [""]


def test_in_a_terminal_it_is_tqdms_own(capsys: pytest.CaptureFixture) -> None:
    assert sum(tqdm(range(4), desc="counting")) == 6
    assert "counting: 100%" in capsys.readouterr().err
