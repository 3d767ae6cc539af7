"""An appendix is a lesson with nothing to solve: built, read and shown, and no assignment."""

from __future__ import annotations

import itertools
import json
import math
import re
import shutil
from pathlib import Path
from typing import Any

import nbformat
import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from autograder import lessons
from autograder.commands import lesson_name
from autograder.grading.course import CourseError
from autograder.lessons import LessonError
from autograder.lessons.term import TermError, read_term
from benchmarks import images_and_scale
from course import earlier, pretrained, stored
from tests.notebooks import executed
from tests.test_folding import SCREEN, SEEN, draws, height
from tests.test_lesson_length import WORDS
from tests.test_notebooks import pictures_without_words, traces
from website.building import front_page

TEXT = Path(__file__).parent / "lesson_sources" / "A1_tosses" / "lesson.py"
APPENDICES = lessons.appendix_names()
every_appendix = pytest.mark.parametrize("name", APPENDICES)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A course of a lesson, the coin, and an appendix that tosses it."""
    for name in ("01_coin", "A1_tosses"):
        (tmp_path / "solutions" / name).mkdir(parents=True)
        source = TEXT.parent.parent / name / "lesson.py"
        shutil.copy(source, tmp_path / "solutions" / name / "lesson.py")
    (tmp_path / "pyproject.toml").write_text(
        "[project.urls]\nRepository = 'https://github.com/a/b'\n"
    )
    return tmp_path


# --- what an author can write ---------------------------------------------------------------------


def test_an_appendix_is_found_and_read_but_is_no_lesson(root: Path):
    assert lessons.lesson_names(root) == ["01_coin"]
    assert lessons.appendix_names(root) == ["A1_tosses"]
    for name in ("A1_tosses", "A1", "tosses"):
        read = lessons.load_lesson(name, root)
        assert (read.name, read.points, read.is_appendix) == ("A1_tosses", 0, True)
        assert read.number == "Appendix A1"


def test_it_is_built_into_course_alone_and_a_rebuild_changes_nothing(root: Path):
    (root / "course").mkdir()
    (root / "course/README.md").write_text("<!-- lessons -->\n<!-- /lessons -->\n")
    lessons.build(root=root)
    notebooks = {str(path.relative_to(root)) for path in root.rglob("*.ipynb")}
    assert notebooks == {
        "build/source/01_coin/lesson.ipynb",
        "course/01_coin/lesson.ipynb",
        "course/A1_tosses/lesson.ipynb",
    }
    notebook = lessons.release_notebook("A1", root)
    nbformat.validate(notebook)
    assert not any("nbgrader" in cell.metadata for cell in notebook.cells)
    assert notebook.cells[0].source.startswith("# Appendix A1 · Tosses\n")
    assert "5 minutes · not graded · good to have met before: 01_coin" in notebook.cells[0].source
    assert "/blob/main/course/A1_tosses/lesson.ipynb" in notebook.cells[0].source
    row = next(r for r in (root / "course/README.md").read_text().split("\n") if "Tosses" in r)
    assert row.startswith("| A1 | [Tosses](A1_tosses/lesson.ipynb) |") and "| 5 | – | 01 |" in row
    assert lessons.build(root=root) == [] == lessons.differences(root=root)


def test_what_is_graded_cannot_stand_in_an_appendix(root: Path):
    path = root / "solutions/A1_tosses/lesson.py"
    path.write_text(path.read_text() + '\n# %% check="toss" points=2\ncheck(toss)\n')
    with pytest.raises(LessonError, match="an appendix is not graded: it has no check"):
        lessons.build(root=root)
    assert not list(root.rglob("*.ipynb"))


def test_nobody_hands_an_appendix_in(root: Path):
    with pytest.raises(CourseError, match="A1_tosses is an appendix: it is handed in by nobody"):
        lesson_name(root, "A1")
    assert lesson_name(root, "coin") == "01_coin"


def test_a_term_may_have_an_appendix_without_a_due_date(root: Path):
    term = root / "term.toml"
    term.write_text("[lessons.01_coin]\n[lessons.A1_tosses]\n")
    assert list(read_term(root).lessons) == ["01_coin", "A1_tosses"]
    lessons.build(root=root)
    assert (root / "build/release/A1_tosses/lesson.ipynb").is_file()
    term.write_text("[lessons.A1_tosses]\ndue = 2026-10-12T23:59:00+02:00\n")
    with pytest.raises(TermError, match=r"lessons.A1_tosses.due cannot be: an appendix"):
        read_term(root)
    term.write_text("[lessons.01_coin]\n")
    with pytest.raises(TermError, match="has no A1_tosses: this term leaves it out"):
        lessons.build(["A1"], root)


def test_the_front_page_counts_lessons_and_lists_appendices():
    page = front_page(["01_exponential_wall", *APPENDICES], solved=True)
    assert "## 1 lessons, one identity" in page
    for name in APPENDICES:
        read = lessons.load_lesson(name)
        assert f'<span class="number">{read.number}</span>' in page
        assert f"{read.minutes} minutes · not graded" in page


# --- what was written in an earlier lesson --------------------------------------------------------

STUB = 'def {0}(x):\n    raise NotImplementedError("{0}: write your code here")'


def notebook_of(root: Path, *cells: str) -> Path:
    """Writes course/04_coin/lesson.ipynb; returns the folder of a notebook beside it."""
    found = [{"cell_type": "code", "source": cell.splitlines(keepends=True)} for cell in cells]
    path = root / "04_coin" / "lesson.ipynb"
    path.parent.mkdir()
    path.write_text(json.dumps({"cells": [{"cell_type": "markdown", "source": []}, *found]}))
    (root / "A1").mkdir()
    return root / "A1"


def test_definitions_of_an_earlier_lesson_are_taken_and_nothing_else_is_run(tmp_path: Path):
    beside = notebook_of(
        tmp_path,
        "import math\nBASE = 2\nrandom = open('/nowhere')\nprint('never')",
        "%matplotlib inline",
        "def half(x):\n    return x / BASE",
        "def entropy(x):\n    return -math.log(half(x))",
        "raise SystemExit",
        "BASE = 3",
    )
    said: list[str] = []
    found = earlier.answers("coin", "half", "entropy", beside=beside, say=said.append)
    assert found is not None and found["entropy"](2) == 0
    assert said == ["✓ `half`, `entropy`: as they stand in 04_coin/lesson.ipynb."]


@pytest.mark.parametrize(
    ("cells", "sentence"),
    [
        ([STUB.format("half")], "○ `half` is not solved in 04_coin/lesson.ipynb, or not saved."),
        (["x = 1"], "○ `half` is not solved in 04_coin/lesson.ipynb, or not saved."),
        (
            ["import nothing_of_this_name\ndef half(x):\n    return x"],
            "✗ 04_coin/lesson.ipynb cannot be used (ModuleNotFoundError: No module named "
            "'nothing_of_this_name').",
        ),
    ],
)
def test_what_cannot_be_taken_is_told_in_a_sentence(tmp_path: Path, cells: list, sentence: str):
    said: list[str] = []
    beside = notebook_of(tmp_path, *cells)
    assert earlier.answers("coin", "half", beside=beside, say=said.append) is None
    assert said == [sentence]


def test_no_notebook_beside_is_told_in_a_sentence(tmp_path: Path, capsys):
    assert earlier.answers("coin", "half", beside=tmp_path) is None
    assert capsys.readouterr().out == (
        "○ No notebook of the lesson coin lies beside this one's folder.\n"
    )


def test_a_notebook_that_is_none_is_told_in_a_sentence(tmp_path: Path, capsys):
    beside = notebook_of(tmp_path)
    (tmp_path / "04_coin/lesson.ipynb").write_text("{")
    assert earlier.answers("coin", "half", beside=beside) is None
    assert capsys.readouterr().out.startswith("✗ 04_coin/lesson.ipynb cannot be used (JSON")


# --- the appendices of this course ----------------------------------------------------------------


@every_appendix
def test_the_committed_notebook_is_a_fresh_build(name: str):
    assert lessons.differences([name]) == [], "run make notebooks"


@every_appendix
def test_an_appendix_is_as_short_as_a_lesson_and_shows_its_first_picture_at_once(name: str):
    cells = lessons.release_notebook(name).cells
    assert sum(len(cell.source.split()) for cell in cells if cell.cell_type == "markdown") <= WORDS
    first = next(i for i, cell in enumerate(cells) if draws(cell))
    assert sum(map(height, cells[: first + 1])) <= SCREEN - SEEN


@every_appendix
def test_it_runs_on_the_solutions_of_the_lessons_beside_it(name: str):
    notebook = executed(name, "solved")
    assert traces(notebook) == []
    assert pictures_without_words(notebook) == []
    assert re.search(r"^✓ .*as they stand in", text_of(notebook), re.MULTILINE)


# --- A1: images as tokens, and scale --------------------------------------------------------------


@pytest.fixture(scope="module")
def names() -> dict[str, Any]:
    """The definitions of A1, with the GPT2 of lesson 12's solution."""
    return with_class(lessons.solution_functions("gpt2")["GPT2"])


def with_class(kind: type) -> dict[str, Any]:
    """The definitions of A1, on this class of GPT."""
    found = lessons.solution_functions("images_and_scale")
    found["GPT2"] = kind
    return found


@pytest.fixture(scope="module", params=["of the lesson", "the course's own"])
def either(request, names) -> dict[str, Any]:
    return with_class(pretrained.LanguageModel) if "own" in request.param else names


def test_an_image_is_a_class_and_then_its_pixels_in_the_order_asked_for(names):
    image, order = torch.arange(64)[None] % 2, torch.arange(63, -1, -1)
    tokens = names["as_tokens"](image.float(), torch.tensor([7]))
    assert tokens[0, :4].tolist() == [9, 0, 1, 0] and tokens.shape == (1, 65)
    turned = names["as_tokens"](image.float(), torch.tensor([0]), order)
    assert turned[0].tolist() == [2, *image[0].flip(0).tolist()]


def test_tokens_that_are_all_alike_to_a_model_cost_log_12_each(either):
    model = either["small_gpt"](seed=0)
    for weight in model.parameters():
        nn.init.zeros_(weight)
    tokens = either["as_tokens"](torch.zeros(2, 64), torch.tensor([3, 4]))
    assert either["image_nll"](model, tokens).tolist() == pytest.approx([64 * math.log(12)] * 2)
    joint = either["log_joint"](model, torch.zeros(2, 64))
    counts = either["digits"].train_labels.bincount(minlength=10).double()
    assert joint.logsumexp(1).tolist() == pytest.approx([-64 * math.log(12)] * 2)
    assert joint[0].argmax() == counts.argmax()


def test_a_class_costs_what_is_worked_out_by_hand():
    log_p = np.logaddexp(math.log(0.5) - 16, math.log(0.5) - 20)
    assert round(-log_p, 3) == 16.675 and round(-log_p - 16, 3) == 0.675
    assert round(-np.logaddexp(-16, -20), 3) == 15.982 and round(math.log(10), 3) == 2.303


def test_attention_is_what_the_heads_of_either_class_do(either):
    model = either["small_gpt"](seed=1)
    tokens = either["as_tokens"](either["digits"].valid[:5], either["digits"].valid_labels[:5])
    before = model(tokens[:, :-1])
    weights = either["attention"](model, tokens)
    assert weights.shape == (4, 64, 64)
    assert torch.allclose(weights.sum(-1), torch.ones(4, 64), atol=1e-5)
    assert (weights.triu(1) == 0).all()
    assert torch.equal(model(tokens[:, :-1]), before), "the model is left as it was"


def test_a_head_that_looks_above_is_found_in_any_order(names):
    shuffled = torch.randperm(64, generator=torch.Generator().manual_seed(0))
    for order in (torch.arange(64), shuffled):
        place, weights = torch.argsort(order), torch.zeros(2, 64, 64)
        for t, pixel in enumerate(order.tolist()):
            if pixel >= 8:
                weights[1, t, place[pixel - 8] + 1 if place[pixel - 8] < t else 0] = 1
        assert names["looks_at"](weights, (-1, 0), order).tolist() == [0, 1]
        assert names["looks_at"](weights, (0, -1), order).tolist() == [0, 0]


def test_influence_finds_what_a_model_reads_and_nothing_else(names):
    def reads_above(ids):
        """A pixel is likely what the one above is: position t, from row 2 on, reads token t − 7."""
        logits = torch.zeros(*ids.shape, 12)
        logits[:, 8:] = 2 * F.one_hot(ids[:, 1:-7], 12).float()
        return logits

    tokens = names["as_tokens"](names["digits"].test[:3], names["digits"].test_labels[:3])
    moved = names["by_offset"](names["influence"](reads_above, tokens))
    assert moved[6, 7] == pytest.approx(2)  # from e²/(e² + 11) to 1/(e² + 11)
    moved[6, 7] = 0
    assert moved.nan_to_num().abs().max() == 0
    assert moved.isnan().sum() == (~known_offsets()).sum()


def known_offsets() -> torch.Tensor:
    rows, columns = torch.arange(7, -1, -1)[:, None], torch.arange(-7, 8)[None]
    alike = (8 - rows) * (8 - columns.abs())
    return (alike >= 14) & ((rows > 0) | (columns < 0))


def test_positions_of_a_grid_share_their_rows_and_columns(names):
    grid = names["Grid"](8, 4)
    vectors = grid(torch.arange(64))
    assert torch.allclose(vectors[9] - vectors[1], vectors[14] - vectors[6])  # a row down
    assert sum(p.numel() for p in grid.parameters()) == 16 * 4
    assert isinstance(names["small_gpt"](0, grid=True).wpe, names["Grid"])


def test_a_drawing_is_repeated_by_its_seed_and_marks_what_is_no_pixel(names):
    model, classes = names["small_gpt"](0).eval(), torch.tensor([0, 5])
    one, two = (names["draw"](model, classes, torch.Generator().manual_seed(4)) for _ in range(2))
    assert torch.equal(one, two) and one.shape == (2, 64)
    assert set(one.unique().tolist()) == {-1, 0, 1}, "untrained, it draws words among the pixels"


def test_a_power_law_is_found_where_there_is_one(names):
    N = np.array([6e3, 25e3, 1e5, 4e5])
    E, A, alpha, rms = names["power_law"](N, 1.5 + 20 * N**-0.4)
    assert (E, A, alpha) == pytest.approx((1.5, 20, 0.4), rel=1e-6) and rms < 1e-9
    E, A, alpha, rms = names["power_law"](N, 1.5 + 20 * N**-0.4, constant=0.0)
    assert E == 0 and alpha < 0.2 and rms > 1e-3


def test_the_published_fits_are_as_worked_out_by_hand():
    assert round(2**-0.076, 3) == 0.949
    assert [round(406.4 / n**0.34, 3) for n in (1e8, 2e8)] == [0.774, 0.612]


def test_stored_images_hold_every_model_with_every_seed(names):
    rows = stored.rows("images_as_tokens")
    assert [(row["model"], row["seed"]) for row in rows] == [
        (model, seed)
        for model in sorted(images_and_scale.MODELS)
        for seed in images_and_scale.SEEDS
    ]
    for row in rows:
        assert row["valid"][row["best_epoch"] - 1] == min(row["valid"])
        assert not row["model"].startswith("GPT") or row["nats"] < row["marginal"]


def test_what_the_text_says_of_the_stored_images_holds(names):
    def mean(model: str, what: str = "nats") -> float:
        return float(names["mean_of"](model, what))

    assert mean("MADE") - mean("GPT") == pytest.approx(2, abs=0.2)
    assert mean("GPT", "marginal") > mean("MADE")
    lost = names["lost_by_order"]()
    assert lost["MADE"] < 0.05 < 0.3 < lost["GPT"] < 0.5 < 0.95 < lost["PixelCNN"] < 1.05
    gained = mean("GPT", "marginal") - mean("GPT, rows and columns", "marginal")
    assert 0 < gained < names["spread_of"]("GPT", "marginal")


def test_what_the_text_says_of_the_stored_sizes_holds(names):
    rows = stored.rows("small_scaling")
    few, many = images_and_scale.TOKENS
    wanted = itertools.product(images_and_scale.SEEDS, (few, many), images_and_scale.WIDTHS)
    assert {(r["seed"], r["tokens"], r["width"]) for r in rows} == set(wanted)
    assert many == 4 * few and few == 256 * 32 * names["CONTEXT"]
    assert round(names["told_share"](32), 1) == 0.7 and round(names["told_share"](128), 1) == 0.9
    N, short = names["losses"](few)
    _, long = names["losses"](many)
    _, _, alpha, rms = names["power_law"](N, short.mean(0))
    assert rms > np.ptp(short, axis=0).mean() and alpha == pytest.approx(0.01)
    assert names["power_law"](N, long.mean(0))[3] < 0.003
    fixed = [names["power_law"](N, long.mean(0), constant) for constant in (0.0, 0.5, 1.0)]
    assert max(fit[3] for fit in fixed) <= 0.004
    assert fixed[2][2] == pytest.approx(2 * fixed[0][2], rel=0.05)
    assert names["refits"](N, long)[:, 0].min() < 0
    steps = -np.diff(long.mean(0))
    assert [round(steps.min(), 2), round(steps.max(), 2)] == [0.14, 0.18]
    assert (long.mean(0)[:-1] < short.mean(0)[1:]).all(), "at equal compute the letters win"


def test_a_name_of_nothing_stored_is_told_in_a_sentence():
    with pytest.raises(ValueError, match="stored results are called images_as_tokens or"):
        stored.rows("nothing")


def text_of(notebook: nbformat.NotebookNode) -> str:
    return "".join(
        output.get("text", "")
        for cell in notebook.cells
        if cell.cell_type == "code"
        for output in cell.outputs
    )
