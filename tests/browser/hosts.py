"""Every lesson's notebook in JupyterLab in Chromium, looked at cell by cell: `make hosts`.

Each lesson is executed as a student has it, and solved; then every output is looked at in both
themes, and the first screen at 1280 and at 900 pixels. Screenshots lie in build/hosts. It takes
the minutes that the lessons take, so `make test` does not collect it:

    python -m pytest -n 0 tests/browser/hosts.py -k "05_made and unsolved"
"""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest

from autograder import lessons
from tests.browser.conftest import LAB_NOISE
from tests.browser.lab import Lab
from tests.browser.seen import seen_amiss

SHOTS = lessons.ROOT / "build" / "hosts"
SECONDS = 900  # a solved lesson takes 90 s on a quiet machine
THEMES = {"light": "JupyterLab Light", "dark": "JupyterLab Dark"}
WIDE, NARROW = {"width": 1280, "height": 800}, {"width": 900, "height": 800}
TALL = {"width": 1280, "height": 1600}  # for cells one by one


def notebook_of(lesson: str, whose: str) -> nbformat.NotebookNode:
    """A lesson's notebook as it is given to students, or with its solutions in."""
    if whose == "solved":
        return lessons.source_notebook(lesson)
    return nbformat.read(lessons.ROOT / lessons.RELEASE / lesson / "lesson.ipynb", as_version=4)


def look(lab: Lab, new_page, notebook: nbformat.NotebookNode, shots: Path) -> list[str]:
    """Runs a notebook and looks at it; what is amiss, each with its theme and cell."""
    shots.mkdir(parents=True, exist_ok=True)
    for old in shots.glob("*.png"):
        old.unlink()
    page = new_page(noise=LAB_NOISE, viewport=WIDE)
    opened = lab.open(page, notebook)
    opened.run_all(SECONDS)
    amiss = []
    for theme, setting in THEMES.items():
        opened.set_theme(setting)
        page.set_viewport_size(TALL)
        for index in opened.cells_with_outputs():
            cell = opened.cell_at(index)
            opened.wait_until_drawn(index)
            outputs = f'.jp-Notebook [data-windowed-list-index="{index}"] .jp-Cell-outputWrapper'
            amiss += [f"{theme}, cell {index}: {one}" for one in seen_amiss(page, outputs)]
            if cell.locator(".jp-OutputArea-output :is([data-live-view], img)").count():
                page.locator(outputs).screenshot(path=shots / f"{theme}-{index:03}.png")
        for size in (NARROW, WIDE):
            page.set_viewport_size(size)
            opened.cell_at(0)
            for index in opened.cells_with_outputs()[:3]:
                opened.cell_at(index)
                opened.wait_until_drawn(index)
            opened.cell_at(0)
            page.screenshot(path=shots / f"first-{theme}-{size['width']}.png")
    return amiss


NOTEBOOKS = [(name, whose) for name in lessons.lesson_names() for whose in ("unsolved", "solved")]
NOTEBOOKS += [(name, "unsolved") for name in lessons.appendix_names()]  # nothing in it to solve


@pytest.mark.parametrize(("lesson", "whose"), NOTEBOOKS)
def test_it_looks_as_it_should(lab: Lab, new_page, lesson: str, whose: str) -> None:
    amiss = look(lab, new_page, notebook_of(lesson, whose), SHOTS / f"{lesson}-{whose}")
    assert not amiss, "\n".join(["", *amiss])
