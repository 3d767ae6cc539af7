"""Code that a reader need not see first is folded; what a student writes or reads never is."""

from __future__ import annotations

import ast
import copy
import math
from pathlib import Path

import nbformat
import pytest

from autograder import lessons
from autograder.grading.rebuild import rebuild
from autograder.grading.submission import parse
from autograder.lessons import Cell, LessonError, parse_lesson
from autograder.lessons.building import is_folded
from autograder.lessons.reading import plain_python

LESSONS = lessons.lesson_names()
LONG = "a = 1\nb = 2\nc = 3\nprint(a + b + c)"


def hidden(cell) -> bool:
    """Whether JupyterLab folds the cell; Colab has to agree."""
    folded = cell.metadata.get("jupyter", {}).get("source_hidden", False)
    assert folded == (cell.metadata.get("cellView") == "form")
    assert not folded or cell.source.startswith(("#@title ", "%%"))
    return folded


@pytest.mark.parametrize(
    ("source", "tags", "folded"),
    [
        ("import math\nfrom course import data", (), True),
        ("import math\nx = math.pi", (), False),
        (LONG, (), False),
        (LONG, ("folded",), True),
        (LONG, ("demo",), True),
        (LONG, ("demo", "unfolded"), False),
        ("explorer = Explorer()\ndisplay(explorer)", ("demo",), False),
        ("predict('Which?', ['a', 'b'], 0)", ("demo",), True),
        ("%%time\n" + LONG, ("demo",), True),
    ],
)
def test_imports_demos_and_predictions_are_folded_unless_an_author_says_otherwise(
    source: str, tags: tuple[str, ...], folded: bool
):
    assert is_folded(Cell("code", source, 1, tags=tags)) is folded


@pytest.mark.parametrize("role", ["exercise", "check"])
def test_what_is_marked_is_never_folded(role: str):
    assert not is_folded(Cell("code", LONG, 1, role=role, name="f"))


def lesson_with(tmp_path: Path, marker: str) -> Path:
    text = Path(__file__).parent / "lesson_sources/01_coin/lesson.py"
    place = tmp_path / "solutions" / "01_coin" / "lesson.py"
    place.parent.mkdir(parents=True)
    place.write_text(text.read_text().replace('# %% tags=["demo"]', marker))
    (tmp_path / "pyproject.toml").write_text(
        "[project.urls]\nRepository = 'https://github.com/a/b'\n"
    )
    return place


def test_a_title_stands_for_the_code_and_moves_no_id(tmp_path: Path):
    plain = lessons.source_notebook("01_coin", lesson_with(tmp_path / "a", "# %%").parents[2])
    marker = '# %% tags=["demo", "folded"] title="What a flip costs"'
    named = lessons.source_notebook("01_coin", lesson_with(tmp_path / "b", marker).parents[2])
    assert [cell.id for cell in plain.cells] == [cell.id for cell in named.cells]
    (cell,) = [cell for cell in named.cells if "boom" in cell.source]
    assert hidden(cell) and cell.source.startswith("#@title What a flip costs\nboom = ")


@pytest.mark.parametrize(
    ("marker", "words"),
    [
        ('# %% title=""', "a title is a text for a folded cell: got ''"),
        ('# %% tags=["folded", "unfolded"]', "folded or unfolded, not both"),
        ('# %% [markdown] title="x"', "a title belongs to a code cell without a role"),
    ],
)
def test_a_marker_that_cannot_be_meant_is_told(tmp_path: Path, marker: str, words: str):
    with pytest.raises(LessonError, match=words):
        parse_lesson(lesson_with(tmp_path, marker))


@pytest.mark.parametrize("name", LESSONS)
def test_a_lesson_folds_its_set_up_and_shows_what_a_student_works_on(name: str):
    notebook = lessons.release_notebook(name)
    setup, *others = (cell for cell in notebook.cells if cell.cell_type == "code")
    assert hidden(setup)
    assert ast.literal_eval(setup.source.split("EXERCISES = ")[1].split("\n")[0]) == list(
        lessons.load_lesson(name).exercises
    )
    assert not any(hidden(cell) for cell in others if "nbgrader" in cell.metadata)


# About what JupyterLab draws at a width of 1,000 px, in px: a line of prose, a line of code, a bar
# in the place of a folded cell, the space around a cell.
PROSE, CODE, BAR, AROUND, COLUMNS = 22, 17, 24, 22, 120
SCREEN, SEEN = 900, 160  # at least so much of the first picture


def height(cell) -> int:
    if cell.cell_type == "code":
        return AROUND + (BAR if hidden(cell) else CODE * len(cell.source.split("\n")))
    lines = 0
    for paragraph in cell.source.split("\n\n"):
        unwrapped = " ".join(paragraph.split("\n"))
        lines += max(1, math.ceil(len(unwrapped) / COLUMNS)) + 0.6
        lines += 0.8 if paragraph.startswith("#") else 0
    return AROUND + round(PROSE * lines)


def draws(cell) -> bool:
    """Whether a code cell makes the lesson's first picture: a demo that is no mere definition."""
    return cell.cell_type == "code" and "demo" in cell.metadata.get("tags", [])


@pytest.mark.parametrize("name", LESSONS)
def test_the_first_screen_shows_the_question_and_the_picture(name: str):
    notebook = lessons.release_notebook(name)
    first = next(i for i, cell in enumerate(notebook.cells) if draws(cell))
    assert f"**{lessons.load_lesson(name).question}**" in notebook.cells[0].source
    assert sum(map(height, notebook.cells[: first + 1])) <= SCREEN - SEEN


def test_a_rebuild_takes_the_instructors_folds_and_a_student_may_unfold():
    template = lessons.release_notebook("05_made")
    theirs = copy.deepcopy(template)
    for cell in theirs.cells:
        cell.metadata.pop("jupyter", None)
        cell.metadata.pop("cellView", None)
        cell.metadata["tags"] = ["skip-execution"]
    kept, changed = (
        rebuild(template, parse(nbformat.writes(notebook).encode()), "05_made")
        for notebook in (template, theirs)
    )
    assert changed == kept and kept.problems == ()
    assert [hidden(cell) for cell in kept.notebook["cells"]] == [*map(hidden, template.cells)]


@pytest.mark.parametrize("name", lessons.lesson_names())
def test_what_later_cells_rely_on_shows_no_picture(name: str):
    """Grader and banks run these cells too: a prediction or a picture there is a demo."""
    shown = [
        ast.unparse(node)
        for cell in lessons.load_lesson(name).cells
        if cell.is_definition
        for node in ast.parse(plain_python(cell.source)).body
        if isinstance(node, ast.Expr)
    ]
    assert not [text for text in shown if not text.startswith("print(")]


@pytest.mark.parametrize("name", [*LESSONS, *lessons.appendix_names()])
def test_a_lesson_opens_with_words_and_not_with_code(name: str):
    title, *rest = lessons.release_notebook(name).cells
    assert title.cell_type == "markdown"
    first = next(cell for cell in rest if cell.cell_type == "markdown" or not hidden(cell))
    assert first.cell_type == "markdown"
