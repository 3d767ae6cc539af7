"""Every lesson's notebook runs from top to bottom, solved and unsolved; new lessons are found."""

from __future__ import annotations

import re

import pytest

from autograder import lessons
from autograder.steps import name_in
from tests.notebooks import executed, outputs

LESSONS = lessons.lesson_names()


def traces(notebook) -> list[str]:
    """What no reader should meet: exceptions, and words on stderr that are no progress bar."""
    found = []
    for cell, output in outputs(notebook):
        first = cell.source.split("\n")[0]
        if output.output_type == "error":
            found.append(f"{first}: {output.ename}: {output.evalue}")
        elif output.output_type == "stream" and output.name == "stderr":
            # A bar ends with a line's end, or wipes its line.
            if output.text.strip() and not re.search(r"\d+%|it/s|step/s", output.text):
                found.append(f"{first}: stderr: {output.text[:200]}")
        if "Traceback" in str(output.get("text", "")):
            found.append(f"{first}: a printed traceback")
    return found


def verdicts(notebook) -> dict[str, tuple[str, str]]:
    """Check → (plain form, HTML card) of its cell."""
    return {
        name: (output.data.get("text/plain", ""), output.data.get("text/html", ""))
        for cell, output in outputs(notebook)
        if (name := name_in(cell.source)) and output.output_type == "execute_result"
    }


def pictures_without_words(notebook) -> list[str]:
    """First lines of cells that show a picture with no alternative text."""
    bare = []
    for cell, output in outputs(notebook):
        data = output.get("data", {})
        html = "".join(data.get("text/html", ""))
        images = re.findall(r"<img\b[^>]*>", html)
        wordless = [image for image in images if not re.search(r'alt="[^"]{20,}', image)]
        # A PNG or SVG of the inline backend can carry no words; HTML beside it takes its place.
        if wordless or ({"image/png", "image/svg+xml"} & set(data) and not images):
            bare.append(cell.source.split("\n")[0])
    return bare


@pytest.mark.parametrize("lesson", LESSONS)
def test_the_instructors_notebook_passes_every_check_with_all_points(lesson: str):
    notebook = executed(lesson, "solved")
    assert traces(notebook) == []
    worth = {name: f"{cell.points}" for name, cell in lessons.load_lesson(lesson).checks.items()}
    assert {name: plain for name, (plain, _) in verdicts(notebook).items()} == worth
    assert all("every claim holds" in card for _, card in verdicts(notebook).values())


@pytest.mark.parametrize("lesson", LESSONS)
def test_the_students_notebook_says_not_attempted_and_nothing_crashes(lesson: str):
    notebook = executed(lesson, "unsolved")
    assert traces(notebook) == []
    assert list(verdicts(notebook)) == list(lessons.load_lesson(lesson).checks)
    for plain, card in verdicts(notebook).values():
        assert plain == "0"
        assert "not attempted" in card


@pytest.mark.parametrize("lesson", LESSONS)
@pytest.mark.parametrize("whose", ["solved", "unsolved"])
def test_every_picture_has_words(lesson: str, whose: str):
    assert pictures_without_words(executed(lesson, whose)) == []
