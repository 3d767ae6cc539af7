"""Runs a lesson's notebook in a kernel, as an instructor or as a student has it, once a process.

Tests that look at one lesson's runs stand in its own file or name it in their parameters:
`tests.turns` gives them to one worker, so that parallel workers do not repeat a run.
"""

from __future__ import annotations

import contextlib
import functools
import io
import re
from typing import Any

from nbformat import NotebookNode

from autograder import lessons
from website.executing import execute, fresh_notebook, notebooks_beside


@functools.cache
def executed(lesson: str, whose: str) -> NotebookNode:
    """The notebook after a run, "solved" (instructor's) or "unsolved" (student's).

    Both are built afresh from the lesson's text. A cell that raises does not end the run.
    """
    return execute(fresh_notebook(lesson, whose), notebooks_beside(lesson, whose))


def outputs(notebook: NotebookNode) -> list[tuple[NotebookNode, NotebookNode]]:
    """All (cell, output) of the code cells."""
    cells = (cell for cell in notebook.cells if cell.cell_type == "code")
    return [(cell, output) for cell in cells for output in cell.outputs]


def printed(notebook: NotebookNode) -> str:
    """Everything that the cells printed."""
    return "".join(
        output.text
        for _, output in outputs(notebook)
        if output.output_type == "stream" and output.name == "stdout"
    )


def number(pattern: str, told: str) -> float:
    """The number in the first group of `pattern`, found in what was printed."""
    found = re.search(pattern, told)
    assert found, f"{pattern} was not printed in: {told}"
    return float(found[1])


def run_here(lesson: str) -> dict[str, Any]:
    """The names of the solved lesson after a run in this process, checks left out.

    "said" is what it printed, "shown" the list of what it displayed.
    """
    read, shown, said = lessons.load_lesson(lesson), [], io.StringIO()
    names: dict[str, Any] = {"__name__": "__main__", "LESSON": lesson, "display": shown.append}
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(io.StringIO()):
        for cell in read.cells:
            if cell.kind == "code" and cell.role != "check":
                exec(compile(cell.source, str(read.path), "exec", dont_inherit=True), names)
    return names | {"said": said.getvalue(), "shown": shown}
