"""Runs a lesson's notebook in a kernel, as an instructor or as a student has it, once a process.

Tests that look at one lesson's runs carry `pytest.mark.xdist_group(lesson)`, so that parallel
workers do not repeat them.
"""

from __future__ import annotations

import functools
import os
import tempfile

import nbformat
from nbclient import NotebookClient
from nbformat import NotebookNode

from autograder import lessons

SECONDS_A_CELL = 300


@functools.cache
def executed(lesson: str, whose: str) -> NotebookNode:
    """The notebook after a run, "solved" (instructor's) or "unsolved" (student's).

    Both are built afresh from the lesson's text. A cell that raises does not end the run.
    """
    if whose == "solved":
        notebook = lessons.source_notebook(lesson)
    else:
        fresh = lessons.render([lessons.load_lesson(lesson)])
        content = fresh[lessons.RELEASE / lesson / "lesson.ipynb"]
        notebook = nbformat.reads(content.decode(), as_version=4)
    with tempfile.TemporaryDirectory() as folder:
        client = NotebookClient(
            notebook,
            timeout=SECONDS_A_CELL,
            allow_errors=True,
            kernel_name="python3",
            resources={"metadata": {"path": folder}},
        )
        # One thread: tiny networks gain nothing from two, and lose much beside other tests.
        client.execute(env=os.environ | {"OMP_NUM_THREADS": "1"})
    return notebook


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
