"""The way from a lesson's text to its notebooks: nothing lost, nothing leaked, nothing moved."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import types
from pathlib import Path

import jupytext
import nbformat
import pytest
from nbgrader.nbgraderformat import MetadataValidator
from traitlets.config import PyFileConfigLoader

from autograder import lessons
from autograder.lessons import LessonError, build, build_source, parse_lesson

REPOSITORY = "https://github.com/autoregressive-course/autoregressive-course"
COIN = Path(__file__).parent / "lesson_sources" / "01_coin" / "lesson.py"
RELEASED = Path("course/01_coin/lesson.ipynb")
INSTRUCTOR = Path("build/source/01_coin/lesson.ipynb")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A course of one lesson, the coin."""
    text = tmp_path / "solutions" / "01_coin" / "lesson.py"
    text.parent.mkdir(parents=True)
    shutil.copy(COIN, text)
    (tmp_path / "pyproject.toml").write_text(f'[project.urls]\nRepository = "{REPOSITORY}"\n')
    return tmp_path


def edit(root: Path, old: str, new: str) -> Path:
    """Replace `old`, which must stand once in the coin's text; returns the text's path."""
    path = root / "solutions" / "01_coin" / "lesson.py"
    text = path.read_text()
    assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times"
    path.write_text(text.replace(old, new))
    return path


def contents(root: Path) -> dict[str, bytes]:
    """Every file under `root` but the lessons' texts and pyproject.toml."""
    files = (path for path in root.rglob("*") if path.is_file())
    made = {str(path.relative_to(root)): path.read_bytes() for path in files}
    return {
        name: content
        for name, content in made.items()
        if not name.startswith("solutions") and name != "pyproject.toml"
    }


def sources(notebook: nbformat.NotebookNode) -> str:
    return "\n".join(cell.source for cell in notebook.cells)


def by_id(notebook: nbformat.NotebookNode) -> dict[str, nbformat.NotebookNode]:
    return {cell.id: cell for cell in notebook.cells}


# --- reading ------------------------------------------------------------------------------------


def test_header_and_roles_are_read():
    lesson = parse_lesson(COIN)
    assert (lesson.name, lesson.minutes) == ("01_coin", 15)
    assert lesson.title == "A coin, and what it costs"
    assert lesson.question == "How many nats does one flip of a biased coin carry?"
    assert lesson.prerequisites == ("00_counting",)
    assert list(lesson.exercises) == ["surprise", "Coin"]
    assert {name: cell.points for name, cell in lesson.checks.items()} == {"surprise": 2, "Coin": 3}
    assert {name: cell.points for name, cell in lesson.questions.items()} == {"why_fair": 2}
    assert lesson.points == 2 + 3 + 2


def test_each_cell_knows_the_line_of_its_marker():
    lines = COIN.read_text().split("\n")
    cells = parse_lesson(COIN).cells
    assert [cell.line for cell in cells] == [
        number for number, line in enumerate(lines, start=1) if line.startswith("# %%")
    ]
    assert lines[cells[2].line] == cells[2].source.split("\n")[0]


def test_jupytext_alone_reads_the_same_cells():
    """So an author may open the text as a notebook in JupyterLab or an editor."""
    notebook = jupytext.read(COIN)
    assert [cell.source for cell in notebook.cells] == [
        cell.source for cell in parse_lesson(COIN).cells
    ]


@pytest.mark.parametrize("name", ["01_coin", "01", "coin"])
def test_a_lesson_is_found_by_number_and_by_word(root: Path, name: str):
    assert lessons.load_lesson(name, root).name == "01_coin"


def test_an_unknown_lesson_is_told_with_those_that_exist(root: Path):
    with pytest.raises(LessonError, match=r"no lesson is called 'dice'; there are: 01_coin"):
        lessons.load_lesson("dice", root)


# --- the instructor's notebook ------------------------------------------------------------------


def test_instructor_notebook_is_valid_and_has_python3(root: Path):
    notebook = lessons.source_notebook("coin", root)
    nbformat.validate(notebook)
    MetadataValidator().validate_nb(notebook)
    assert (notebook.nbformat, notebook.nbformat_minor) == (4, 5)
    assert notebook.metadata.kernelspec.name == "python3"


def test_roles_become_nbgrader_metadata(root: Path):
    build(root=root)
    notebook = nbformat.read(root / INSTRUCTOR, as_version=4)
    told = {
        cell.metadata.nbgrader.grade_id: (
            cell.cell_type,
            cell.metadata.nbgrader.grade,
            cell.metadata.nbgrader.solution,
            cell.metadata.nbgrader.locked,
            cell.metadata.nbgrader.get("points"),
        )
        for cell in notebook.cells
        if "nbgrader" in cell.metadata
    }
    assert told == {
        "surprise": ("code", False, True, False, None),
        "check-surprise": ("code", True, False, True, 2),
        "Coin": ("code", False, True, False, None),
        "check-Coin": ("code", True, False, True, 3),
        "why_fair": ("markdown", True, True, False, 2),
    }
    assert all(
        cell.metadata.nbgrader.schema_version == 3
        for cell in notebook.cells
        if "nbgrader" in cell.metadata
    )


def test_demo_cells_keep_their_tag(root: Path):
    build(root=root)
    for path in (INSTRUCTOR, RELEASED):
        cells = nbformat.read(root / path, as_version=4).cells
        tagged = {cell.source.split("\n")[0]: cell.metadata.get("tags") for cell in cells}
        assert tagged["boom = surprise(0.5) / 0  # a demo may fail: nothing below may need it"] == [
            "demo"
        ]


def test_first_cell_tells_question_minutes_points_and_opens_colab(root: Path):
    build(root=root)
    title = nbformat.read(root / RELEASED, as_version=4).cells[0]
    assert title.cell_type == "markdown"
    assert "A coin, and what it costs" in title.source
    assert "How many nats does one flip of a biased coin carry?" in title.source
    assert "15 minutes" in title.source and "7 points" in title.source
    assert (
        "(https://colab.research.google.com/github/autoregressive-course/autoregressive-course"
        "/blob/main/course/01_coin/lesson.ipynb)" in title.source
    )


def run_setup(root: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[dict, list]:
    build(root=root)
    cell = nbformat.read(root / RELEASED, as_version=4).cells[1]
    assert cell.metadata.tags == ["setup"]
    calls: list = []
    monkeypatch.setattr(subprocess, "run", lambda *a, **k: calls.append((a[0], k)))
    namespace: dict = {}
    exec(cell.source, namespace)
    return namespace, calls


def test_setup_installs_nothing_at_home(root: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delitem(sys.modules, "google.colab", raising=False)
    namespace, calls = run_setup(root, monkeypatch)
    assert namespace["LESSON"] == "01_coin"
    assert calls == []


def test_setup_installs_the_course_on_colab_and_no_dependency(
    root: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setitem(sys.modules, "google.colab", types.ModuleType("google.colab"))
    _, [(command, options)] = run_setup(root, monkeypatch)
    assert command[:4] == [sys.executable, "-m", "pip", "install"]
    assert "--no-deps" in command
    assert command[-1] == f"git+{REPOSITORY}@main"
    assert options["check"] is True


def test_setup_installs_what_colab_has_not_got(root: Path, monkeypatch: pytest.MonkeyPatch):
    text = root / "solutions/01_coin/lesson.py"
    line = "#     minutes: 15\n"
    text.write_text(text.read_text().replace(line, line + "#     colab: [constriction]\n"))
    monkeypatch.setitem(sys.modules, "google.colab", types.ModuleType("google.colab"))
    _, [(command, _)] = run_setup(root, monkeypatch)
    assert command[-2:] == [f"git+{REPOSITORY}@main", "constriction"]


def test_the_address_comes_from_pyproject(root: Path):
    (root / "pyproject.toml").write_text(
        '[project.urls]\nRepository = "https://github.com/elsewhere/fork.git"\n'
    )
    build(root=root)
    text = sources(nbformat.read(root / RELEASED, as_version=4))
    assert "git+https://github.com/elsewhere/fork@main" in text
    assert "colab.research.google.com/github/elsewhere/fork/blob/main/" in text
    assert REPOSITORY not in text


@pytest.mark.parametrize("text", ["", "[project]\nname = 'x'\n", "[project.urls\n", None], ids=repr)
def test_a_missing_address_is_told(root: Path, text: str | None):
    (root / "pyproject.toml").unlink()
    if text is not None:
        (root / "pyproject.toml").write_text(text)
    with pytest.raises(LessonError, match=r"pyproject.toml:1: \[project.urls\] needs a Repository"):
        build(root=root)
    assert contents(root) in ({}, {"pyproject.toml": b""})


# --- the student's notebook ---------------------------------------------------------------------


def test_student_notebook_is_valid_and_has_no_output(root: Path):
    build(root=root)
    notebook = nbformat.read(root / RELEASED, as_version=4)
    nbformat.validate(notebook)
    MetadataValidator().validate_nb(notebook)
    assert (notebook.nbformat, notebook.nbformat_minor) == (4, 5)
    assert notebook.metadata.kernelspec.name == "python3"
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert code and all(not c.outputs and c.execution_count is None for c in code)


def test_no_solution_text_reaches_the_student(root: Path):
    build(root=root)
    text = (root / RELEASED).read_text()
    for secret in ("-math.log(theta)", "self.theta = ", "sides", "concave", "Rubric", "SOLUTION"):
        assert secret in (root / INSTRUCTOR).read_text()
        assert secret not in text


def test_signatures_docstrings_and_given_code_stay(root: Path):
    build(root=root)
    cells = by_id(nbformat.read(root / RELEASED, as_version=4))
    assert cells["surprise"].source == (
        "def surprise(theta):\n"
        '    """Nats carried by an event of probability theta, in (0, 1]."""\n'
        '    raise NotImplementedError("surprise: write your code here")'
    )
    stub = 'raise NotImplementedError("Coin: write your code here")'
    assert cells["Coin"].source.count(stub) == 2
    assert "0 log 0 = 0" in cells["Coin"].source
    assert cells["why_fair"].source.startswith("Why is a fair coin's entropy the largest?")


def test_the_stub_of_every_exercise_can_be_run_and_says_its_name(root: Path):
    build(root=root)
    cells = by_id(nbformat.read(root / RELEASED, as_version=4))
    namespace: dict = {}
    exec(cells["surprise"].source + "\n" + cells["Coin"].source, namespace)
    with pytest.raises(NotImplementedError, match="surprise: write your code here"):
        namespace["surprise"](0.5)
    with pytest.raises(NotImplementedError, match="Coin: write your code here"):
        namespace["Coin"](0.5)


def test_both_notebooks_have_the_same_ids_in_the_same_order(root: Path):
    build(root=root)
    instructor, student = (
        [cell.id for cell in nbformat.read(root / path, as_version=4).cells]
        for path in (INSTRUCTOR, RELEASED)
    )
    assert instructor == student
    assert len(set(student)) == len(student)


def test_a_planted_leak_is_found(root: Path):
    lesson = lessons.load_lesson("coin", root)
    notebook = build_source(lesson)
    assert "return -math.log(theta)" in lessons.leaked_lines(lesson, notebook)
    notebook.cells = [cell for cell in notebook.cells if "nbgrader" not in cell.metadata]
    assert lessons.leaked_lines(lesson, notebook) == []


# --- a rebuild ----------------------------------------------------------------------------------


def test_a_rebuild_changes_no_byte(root: Path):
    assert build(root=root) == [INSTRUCTOR, RELEASED]
    first = contents(root)
    stamps = [(root / path).stat().st_mtime_ns for path in (INSTRUCTOR, RELEASED)]
    assert build(root=root) == []
    assert contents(root) == first
    assert [(root / path).stat().st_mtime_ns for path in (INSTRUCTOR, RELEASED)] == stamps
    for name in first:
        (root / name).unlink()
    build(root=root)
    assert contents(root) == first


def test_the_build_writes_two_notebooks_and_nothing_else(root: Path):
    build(root=root)
    assert sorted(contents(root)) == sorted([str(INSTRUCTOR), str(RELEASED)])


def test_a_new_cell_moves_no_other_id(root: Path):
    before = [cell.id for cell in build_source(lessons.load_lesson("coin", root)).cells]
    edit(root, "# %%\nimport math", "# %%\nimport cmath\n\n# %%\nimport math")
    after = [cell.id for cell in build_source(lessons.load_lesson("coin", root)).cells]
    [new] = set(after) - set(before)
    assert [identity for identity in after if identity != new] == before


def test_cells_of_the_same_text_have_ids_of_their_own(root: Path):
    edit(root, "# %%\nimport math", "# %%\nimport math\n\n# %%\nimport math")
    cells = build_source(lessons.load_lesson("coin", root)).cells
    first, second = (cell.id for cell in cells if cell.source.endswith("\nimport math"))
    assert second == f"{first}-2"


def test_check_says_which_notebooks_differ(root: Path):
    assert lessons.differences(root=root) == [f"{RELEASED} is missing"]
    build(root=root)
    assert lessons.differences(root=root) == []
    edit(root, "import math", "import math  # the standard library's")
    assert lessons.differences(root=root) == [
        f"{INSTRUCTOR} differs from a fresh build",
        f"{RELEASED} differs from a fresh build",
    ]
    shutil.rmtree(root / "build")  # not under version control: a fresh clone has none
    assert lessons.differences(root=root) == [f"{RELEASED} differs from a fresh build"]


def test_check_names_a_notebook_that_lost_its_source(root: Path):
    build(root=root)
    stray = root / "course" / "02_gone" / "lesson.ipynb"
    stray.parent.mkdir()
    shutil.copy(root / RELEASED, stray)
    assert lessons.differences(root=root) == [
        "course/02_gone/lesson.ipynb has no source in solutions/"
    ]


def test_a_broken_write_leaves_the_old_notebook_whole(root: Path, monkeypatch: pytest.MonkeyPatch):
    build(root=root)
    before = contents(root)
    edit(root, "import math", "import math  # changed")
    replace = os.replace

    def disk_full(part: Path, path: Path) -> None:
        if Path(path).is_relative_to(root):
            raise OSError("no space left on device")
        replace(part, path)

    monkeypatch.setattr(os, "replace", disk_full)
    with pytest.raises(OSError, match="no space"):
        build(root=root)
    assert contents(root) == before


def test_the_command_line_builds_checks_and_exits_with_1(root: Path, capsys: pytest.CaptureFixture):
    at = ["--root", str(root)]
    assert lessons.main(["check", *at]) == 1
    assert "course/01_coin/lesson.ipynb is missing" in capsys.readouterr().out
    assert lessons.main(["build", *at, "coin"]) == 0
    assert "wrote course/01_coin/lesson.ipynb" in capsys.readouterr().out
    assert lessons.main(["check", *at]) == 0
    assert "fresh" in capsys.readouterr().out


def test_a_build_imports_no_torch(root: Path):
    program = (
        "import sys; from autograder.lessons import main; code = main(sys.argv[1:]);"
        "sys.exit(code or ('torch' in sys.modules) * 9)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, "build", "--root", str(root)],
        cwd=lessons.ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr


# --- bad sources: one sentence with file and line, nothing written ------------------------------

SURPRISE_END = "    return -math.log(theta)\n    ### END SOLUTION\n"
BAD = {
    # name: (old text, new text, the start of the line that is told, a part of the sentence)
    "two exercises of one name": (
        'exercise="Coin"\nclass Coin:',
        'exercise="surprise"\nclass surprise:',
        ('# %% exercise="surprise"', 2),
        "a second exercise 'surprise'; the first exercise is in line 28",
    ),
    "question named as an exercise": (
        'question="why_fair"',
        'question="surprise"',
        ("# %% [markdown] question=", 1),
        "a second question 'surprise'; the first exercise is in line 28",
    ),
    "two checks of one exercise": (
        'check="Coin" points=3\ncheck(Coin)',
        'check="surprise" points=3\ncheck(surprise)',
        ('# %% check="surprise"', 2),
        "a second check 'surprise'",
    ),
    "check without an exercise": (
        'check="Coin" points=3\ncheck(Coin)',
        'check="Dice" points=3\ncheck(Dice)',
        ('# %% check="Dice"', 1),
        "this check has no exercise 'Dice' above it",
    ),
    "solution not closed": (
        SURPRISE_END,
        "    return -math.log(theta)\n",
        ("    ### BEGIN SOLUTION", 1),
        "this ### BEGIN SOLUTION has no ### END SOLUTION in its cell",
    ),
    "solution not opened": (
        "    ### BEGIN SOLUTION\n    return -math.log(theta)\n",
        "    return -math.log(theta)\n",
        ("    ### END SOLUTION", 1),
        "### END SOLUTION without a ### BEGIN SOLUTION",
    ),
    "solution opened twice": (
        "    return -math.log(theta)\n",
        "    ### BEGIN SOLUTION\n    return -math.log(theta)\n",
        ("    ### BEGIN SOLUTION", 2),
        "### BEGIN SOLUTION inside the one of line 31",
    ),
    "model answer not closed": (
        "symmetry.\n### END SOLUTION\n",
        "symmetry.\n",
        ("### BEGIN SOLUTION", 1),
        "this ### BEGIN SOLUTION has no ### END SOLUTION in its cell",
    ),
    "exercise without a solution": (
        "    ### BEGIN SOLUTION\n" + SURPRISE_END,
        "    return 0\n",
        ('# %% exercise="surprise"', 1),
        "the exercise 'surprise' has no ### BEGIN SOLUTION",
    ),
    "solution in a definition cell": (
        "import math\n",
        "### BEGIN SOLUTION\nimport math\n### END SOLUTION\n",
        ("# %%", 2),
        "a solution outside an exercise and a question",
    ),
    "solution around the whole function": (
        "def surprise(theta):\n",
        "### BEGIN SOLUTION\n### END SOLUTION\ndef surprise(theta):\n",
        ('# %% exercise="surprise"', 1),
        "the solution of 'surprise' must stand inside a function or method",
    ),
    "exercise that does not define its name": (
        "def surprise(theta):",
        "def surprize(theta):",
        ('# %% exercise="surprise"', 1),
        "must define the function or class surprise",
    ),
    "code that is no Python": (
        "    return -math.log(theta)\n",
        "    return -math.log(theta\n",
        ("    return -math.log(theta", 1),
        "the cell is not valid Python",
    ),
    "check with more than the check": (
        "\ncheck(Coin)",
        "\ncheck(Coin, seed=1)",
        ('# %% check="Coin"', 1),
        "this cell must be exactly check(Coin)",
    ),
    "check of another function": (
        "\ncheck(Coin)",
        "\ncheck(surprise)",
        ('# %% check="Coin"', 1),
        "this cell must be exactly check(Coin)",
    ),
    "check without points": (
        'check="Coin" points=3',
        'check="Coin"',
        ('# %% check="Coin"', 1),
        "the check 'Coin' has no points",
    ),
    "question without points": (
        'question="why_fair" points=2',
        'question="why_fair"',
        ("# %% [markdown] question", 1),
        "the question 'why_fair' has no points",
    ),
    "half points": (
        'check="Coin" points=3',
        'check="Coin" points=2.5',
        ('# %% check="Coin"', 1),
        "the points of check 'Coin' must be a whole number of at least 0: got 2.5",
    ),
    "points in words": (
        'check="Coin" points=3',
        'check="Coin" points=three',
        ('# %% check="Coin"', 1),
        "must be a whole number of at least 0: got three",
    ),
    "points of a truth": (
        'check="Coin" points=3',
        'check="Coin" points=True',
        ('# %% check="Coin"', 1),
        "must be a whole number",
    ),
    "points below zero": (
        'check="Coin" points=3',
        'check="Coin" points=-3',
        ('# %% check="Coin"', 1),
        "must be a whole number of at least 0: got -3",
    ),
    "points on an exercise": (
        'exercise="Coin"',
        'exercise="Coin" points=3',
        ('# %% exercise="Coin"', 1),
        "points belong to a check or a question",
    ),
    "unknown option": (
        'check="Coin" points=3',
        'check="Coin" point=3',
        ('# %% check="Coin"', 1),
        "unknown option 'point'",
    ),
    "option given twice": (
        'check="Coin" points=3',
        'check="Coin" points=3 points=4',
        ('# %% check="Coin"', 1),
        "the option 'points' is given twice",
    ),
    "option without quotation marks": (
        'exercise="Coin"',
        "exercise=Coin",
        ("# %% exercise=Coin", 1),
        "the value of 'exercise' needs quotation marks: got Coin",
    ),
    "a title on the marker": (
        'exercise="Coin"',
        'The coin exercise="Coin"',
        ("# %% The coin", 1),
        "not an option key=value",
    ),
    "two roles": (
        'exercise="Coin"',
        'exercise="Coin" check="Coin"',
        ('# %% exercise="Coin"', 1),
        "a cell has one role: got exercise and check",
    ),
    "a name with a dash": (
        'exercise="Coin"',
        'exercise="the-coin"',
        ('# %% exercise="the-coin"', 1),
        "exercise needs a Python name",
    ),
    "a role with tags": (
        'exercise="Coin"',
        'exercise="Coin" tags=["demo"]',
        ('# %% exercise="Coin"', 1),
        "not both",
    ),
    "tags that are no list": (
        'tags=["demo"]',
        'tags="demo"',
        ("# %% tags=", 1),
        "tags are a list of texts",
    ),
    "the build's own tag": (
        'tags=["demo"]',
        'tags=["setup"]',
        ("# %% tags=", 1),
        'the tag "setup" is for the cell that the build inserts',
    ),
    "a question in code": (
        "# %% [markdown] question",
        "# %% question",
        ("# %% question", 1),
        "the question 'why_fair' must be a [markdown] cell",
    ),
    "an exercise in prose": (
        '# %% exercise="Coin"',
        '# %% [markdown] exercise="Coin"',
        ('# %% [markdown] exercise="Coin"', 1),
        "the exercise 'Coin' must be a code cell",
    ),
    "a raw cell": ("# %%\nimport", "# %% [raw]\nimport", ("# %% [raw]", 1), "got [raw]"),
    "a marker inside a string": (
        "symmetry.\n### END SOLUTION\n",
        "symmetry.\n\n# %%\n### END SOLUTION\n",
        ("# %%", 10),
        "this cell marker stands inside a string",
    ),
    "a cell swallowed by an open string": (
        '"""A coin that knows its entropy."""',
        '"""A coin that knows its entropy.',
        ('# %% check="Coin"', 1),
        "this cell marker stands inside a string",
    ),
    "text above the first cell": (
        "# ---\n\n# %% [markdown]",
        "# ---\nimport os\n# %% [markdown]",
        ("import os", 1),
        "this text stands above the first cell marker",
    ),
    "no header": ("# ---\n# jupyter:", "# jupyter:", (None, 1), "begins with a YAML header"),
    "broken YAML": (
        "    minutes: 15",
        "    minutes: [15",
        ("#     prerequisites", 1),
        "the header is not valid YAML",
    ),
    "no lesson in the header": (
        "#   lesson:\n",
        "#   lecture:\n",
        ("# ---", 1),
        "the header has no mapping 'lesson'",
    ),
    "no title": (
        '#     title: "A coin, and what it costs"\n',
        "",
        ("#   lesson:", 1),
        "the header's lesson has no 'title'",
    ),
    "minutes in words": (
        "minutes: 15",
        "minutes: a few",
        ("#     minutes", 1),
        "the lesson's minutes must be a whole number above 0: got 'a few'",
    ),
    "an unknown key": (
        "#     minutes: 15\n",
        "#     minutes: 15\n#     author: me\n",
        ("#     author", 1),
        "the header's lesson has an unknown key 'author'",
    ),
    "packages for Colab that are no names": (
        "#     minutes: 15\n",
        "#     minutes: 15\n#     colab: [1]\n",
        ("#     colab", 1),
        "colab is a list of names",
    ),
    "another lesson's name": (
        "name: 01_coin",
        "name: 02_dice",
        ("#     name: 02_dice", 1),
        "the lesson is named '02_dice', but lies in '01_coin'",
    ),
}


def line_of(text: str, start: str | None, which: int) -> int:
    if start is None:
        return which
    lines = [n for n, line in enumerate(text.split("\n"), 1) if line.startswith(start)]
    return lines[which - 1]


@pytest.mark.parametrize("old, new, place, sentence", BAD.values(), ids=BAD)
def test_a_bad_source_is_told_in_one_sentence_and_nothing_is_written(
    root: Path, old: str, new: str, place: tuple, sentence: str
):
    path = edit(root, old, new)
    with pytest.raises(LessonError) as caught:
        build(root=root)
    told = str(caught.value)
    assert sentence in told
    assert told.startswith(f"{path}:{line_of(path.read_text(), *place)}: ")
    assert "\n" not in told
    assert contents(root) == {}


def test_points_that_sum_to_0_are_told(root: Path):
    edit(root, 'check="surprise" points=2', 'check="surprise" points=0')
    edit(root, 'check="Coin" points=3', 'check="Coin" points=0')
    path = edit(root, ' question="why_fair" points=2', "")
    text = path.read_text()
    at = text.index("### BEGIN SOLUTION\nEntropy")
    path.write_text(text[:at] + '"""\n' + text[text.index("# %% [markdown]\n", at) :])
    with pytest.raises(
        LessonError, match=r"lesson.py:1: the points of the lesson's cells sum to 0"
    ):
        build(root=root)
    assert contents(root) == {}


def test_a_text_that_is_not_utf8_is_told(root: Path):
    path = root / "solutions" / "01_coin" / "lesson.py"
    path.write_bytes(b"# ---\n# \xff\n")
    with pytest.raises(LessonError, match=r"lesson.py:1: a lesson is a UTF-8 text: byte 8 is not"):
        build(root=root)


def test_one_bad_lesson_stops_the_others_before_a_byte_is_written(root: Path):
    bad = root / "solutions" / "02_dice" / "lesson.py"
    bad.parent.mkdir()
    bad.write_text(COIN.read_text())  # it calls itself 01_coin
    with pytest.raises(LessonError, match="02_dice"):
        build(root=root)
    assert contents(root) == {}


def test_a_bad_lesson_on_the_command_line_is_a_sentence_and_no_traceback(
    root: Path, capsys: pytest.CaptureFixture
):
    edit(root, 'check="Coin" points=3', 'check="Coin"')
    assert lessons.main(["build", "--root", str(root)]) == 1
    told = capsys.readouterr().err.strip()
    assert told.endswith("the check 'Coin' has no points")
    assert re.search(r"lesson\.py:\d+: ", told) and "\n" not in told


def test_a_root_without_lessons_is_told(tmp_path: Path):
    with pytest.raises(LessonError, match=r"solutions:1: there is no lesson.py"):
        build(root=tmp_path)


def test_what_nbgrader_refuses_is_told_with_its_cause(root: Path):
    edit(root, "import math\n", "import math\n### BEGIN HIDDEN TESTS\n")
    with pytest.raises(LessonError, match=r"nbgrader refused the lesson: .*hidden tests"):
        build(root=root)
    assert contents(root) == {}


# --- what banks, tests and the grader read ------------------------------------------------------


def test_solution_functions_are_solved_and_fresh(root: Path):
    names = lessons.solution_functions("coin", root)
    assert names["surprise"](0.25) == pytest.approx(1.3862943611198906)
    assert names["Coin"](0.5).entropy() == pytest.approx(0.6931471805599453)
    assert names["LESSON"] == "01_coin"
    assert names["surprise"] is not lessons.solution_functions("coin", root)["surprise"]


def test_demos_and_checks_are_not_run_for_the_solution_functions(root: Path):
    names = lessons.solution_functions("coin", root)  # the demo divides by zero, check is undefined
    assert "boom" not in names and "check" not in names


def test_a_traceback_of_a_solution_shows_the_line_of_the_lesson(root: Path):
    path = root / "solutions" / "01_coin" / "lesson.py"
    with pytest.raises(ValueError) as caught:
        lessons.solution_functions("coin", root)["surprise"](0)
    entry = caught.traceback[-1]
    assert Path(str(entry.path)) == path.resolve()
    assert path.read_text().split("\n")[entry.lineno].strip() == "return -math.log(theta)"


def test_solutions_run_as_in_a_notebook_magics_aside(root: Path):
    edit(root, "import math\n", "# %matplotlib inline\nimport math\n\nseven = (27\n  % 10)\n")
    edit(root, "def surprise(theta):", "def surprise(theta: float):")
    names = lessons.solution_functions("coin", root)
    assert names["seven"] == 7
    assert names["surprise"].__annotations__ == {"theta": float}  # no text: no __future__ is on


def test_exercise_source_is_the_solved_cell_without_markers(root: Path):
    source = lessons.exercise_source("coin", "surprise", root)
    assert source == (
        "def surprise(theta):\n"
        '    """Nats carried by an event of probability theta, in (0, 1]."""\n'
        "    return -math.log(theta)"
    )
    with pytest.raises(
        LessonError, match="no exercise is called 'dice'; there are: surprise, Coin"
    ):
        lessons.exercise_source("coin", "dice", root)


def test_notebook_readers_agree_with_the_built_files(root: Path):
    with pytest.raises(LessonError, match="not built yet: run make notebooks"):
        lessons.release_notebook("coin", root)
    build(root=root)
    assert lessons.release_notebook("coin", root) == nbformat.read(root / RELEASED, as_version=4)
    assert lessons.source_notebook("coin", root) == nbformat.read(root / INSTRUCTOR, as_version=4)


# --- nbgrader itself ----------------------------------------------------------------------------


def test_nbgrader_config_and_the_build_agree_on_the_folders():
    config = PyFileConfigLoader("nbgrader_config.py", path=str(lessons.ROOT)).load_config()
    assert config.CourseDirectory.source_directory == str(lessons.SOURCE)
    assert config.CourseDirectory.release_directory == str(lessons.RELEASE)
    for folder in ("submitted", "autograded", "feedback"):
        assert config.CourseDirectory[f"{folder}_directory"] == f"class/{folder}"
    assert config.CourseDirectory.db_url.endswith("/class/gradebook.db")


def test_nbgraders_own_command_makes_the_same_bytes_and_the_gradebook(root: Path):
    from nbgrader.api import Gradebook

    build(root=root)
    built = contents(root)
    shutil.copy(lessons.ROOT / "nbgrader_config.py", root)
    (root / "course" / "data.py").write_text("# a module of the course\n")
    environment = {
        **os.environ,
        "PYTHONPATH": str(lessons.ROOT),
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "JUPYTER_CONFIG_DIR": str(root / "jupyter"),
    }
    done = subprocess.run(
        [sys.executable, "-m", "nbgrader", "generate_assignment", "01_coin"],
        cwd=root,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert (root / RELEASED).read_bytes() == built[str(RELEASED)]
    assert not (root / "gradebook.db").exists()
    assert (root / "course" / "data.py").read_text() == "# a module of the course\n"
    with Gradebook(f"sqlite:///{root}/class/gradebook.db") as gradebook:
        notebook = gradebook.find_notebook("lesson", "01_coin")
        assert notebook.max_score == 7
        assert notebook.max_written_score == 2
        assert {cell.name for cell in notebook.solution_cells} == {"surprise", "Coin", "why_fair"}


# --- the lessons of this course -----------------------------------------------------------------


@pytest.mark.parametrize("name", lessons.lesson_names())
def test_committed_student_notebook_is_a_fresh_build(name: str):
    assert lessons.differences([name]) == [], "run make notebooks"


@pytest.mark.parametrize("name", lessons.lesson_names())
def test_committed_student_notebook_holds_no_line_of_a_solution(name: str):
    secret, public, inside = set(), set(), False
    for line in (lessons.ROOT / "solutions" / name / "lesson.py").read_text().split("\n"):
        if "BEGIN SOLUTION" in line or "END SOLUTION" in line:
            inside = "BEGIN SOLUTION" in line
        else:
            (secret if inside else public).add(line.strip())
    notebook = json.loads((lessons.ROOT / "course" / name / "lesson.ipynb").read_text())
    told = {line.strip() for cell in notebook["cells"] for line in cell["source"]}
    assert secret - public
    # The build's own two cells, title and setup, come from no source.
    own = {line.strip() for cell in notebook["cells"][:2] for line in cell["source"]}
    assert told & (secret - public - own) == set()


@pytest.mark.parametrize("name", lessons.lesson_names())
def test_ids_of_a_lesson_are_names_nbgrader_and_nbformat_allow(name: str):
    notebook = lessons.source_notebook(name)
    nbformat.validate(notebook)
    MetadataValidator().validate_nb(notebook)
    ids = [cell.id for cell in notebook.cells]
    assert len(set(ids)) == len(ids)
    assert all(re.fullmatch(r"[A-Za-z0-9_-]{1,64}", identity) for identity in ids)


def test_the_guide_lists_every_lesson_with_its_facts(root: Path):
    guide = root / "course/README.md"
    guide.parent.mkdir(exist_ok=True)
    guide.write_text("before\n<!-- lessons -->\nold\n<!-- /lessons -->\nafter\n")
    build(root=root)
    text = guide.read_text()
    lesson = lessons.load_lesson("01_coin", root)
    assert text.startswith("before\n") and text.endswith("<!-- /lessons -->\nafter\n")
    assert f"| {lesson.question} | {lesson.minutes} | {lesson.points} |" in text
    assert "old" not in text and "colab.research.google.com" in text
    assert lessons.differences(root=root) == []
    guide.write_text(text.replace(lesson.question, "another question"))
    assert lessons.differences(root=root) == ["course/README.md differs from a fresh build"]
