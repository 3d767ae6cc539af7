"""A lesson is at most 4,500 words, and ends near its last exercise or says "Appendix"."""

from __future__ import annotations

import re

import pytest

from autograder import lessons

WORDS, CELLS = 4_500, 14


@pytest.mark.parametrize("name", lessons.lesson_names())
def test_a_lesson_has_at_most_4500_words(name: str):
    cells = lessons.release_notebook(name).cells
    words = sum(len(cell.source.split()) for cell in cells if cell.cell_type == "markdown")
    assert words <= WORDS


@pytest.mark.parametrize("name", lessons.lesson_names())
def test_a_lesson_ends_near_its_last_exercise(name: str):
    cells = lessons.release_notebook(name).cells
    last = max(i for i, c in enumerate(cells) if c.metadata.get("nbgrader", {}).get("locked"))
    appendix = (
        i
        for i, c in enumerate(cells)
        if c.cell_type == "markdown" and re.search(r"^## Appendix\b", c.source, re.MULTILINE)
    )
    end = next((i for i in appendix if i > last), len(cells))
    assert end - last - 1 <= CELLS
