"""Tests that share what is dear share a worker, and the long ones begin first."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from autograder import lessons
from tests.turns import LONG, group_of, rank_of

ROOT = Path(__file__).resolve().parent.parent

# A file whose module fixture says in which worker it was set up.
SHARED = """
import os, pathlib, pytest
@pytest.fixture(scope="module")
def dear():
    with open(pathlib.Path(__file__).parent / "log", "a") as file:
        print(pathlib.Path(__file__).stem, os.environ["PYTEST_XDIST_WORKER"], file=file)
@pytest.mark.parametrize("i", range(9))
def test_it(dear, i):
    pass
"""


def test_a_group_stays_in_one_worker_and_its_fixtures_are_set_up_once(tmp_path: Path):
    names = ["test_one", "test_two", "test_three", "test_four"]
    for name in names:
        (tmp_path / f"{name}.py").write_text(SHARED, encoding="utf-8")
    hooks = "from tests.turns import pytest_collection_modifyitems, pytest_xdist_make_scheduler"
    (tmp_path / "conftest.py").write_text(hooks, encoding="utf-8")
    options = f"-n 2 --dist loadgroup -c {os.devnull} -p no:cacheprovider --rootdir ."
    # Not as a worker of the run that this test is in.
    around = {k: v for k, v in os.environ.items() if not k.startswith("PYTEST_")}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *options.split(), "."],
        cwd=tmp_path,
        env=around | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert "36 passed" in done.stdout, done.stdout + done.stderr
    set_up = (tmp_path / "log").read_text(encoding="utf-8").split()
    assert sorted(set_up[::2]) == sorted(names)
    assert set(set_up[1::2]) == {"gw0", "gw1"}


@pytest.mark.parametrize("lesson", lessons.lesson_names())
def test_a_lessons_file_and_its_notebook_are_one_group(lesson: str):
    file = f"tests/test_lesson_{lesson.partition('_')[2]}.py"
    assert group_of(f"{file}::test_of_anything[0-x]") == lesson
    assert group_of(f"tests/test_notebooks.py::test_pictures[solved-{lesson}]") == lesson
    assert group_of(f"tests/test_predictions.py::test_true[{lesson} How many?]") == lesson
    assert group_of(f"tests/test_banks.py::test_wrong[{lesson}-sample-3-off-by-one]") == (
        f"tests/test_banks.py {lesson}"
    )
    assert group_of(f"tests/test_three_rules.py::test_every[{lesson}]") == (
        f"tests/test_banks.py {lesson}"
    )


def test_other_files_are_groups_and_the_browser_is_started_in_one():
    assert group_of("tests/test_protocol.py::test_a[b@c::d]") == "tests/test_protocol.py"
    assert {group_of(f"tests/browser/test_{x}.py::test_x[dark]") for x in "ab"} == {"tests/browser"}


def test_long_groups_begin_first():
    ids = [f"{file}::test" for file in LONG]
    ids += ["tests/test_lesson_made.py::test", "tests/test_protocol.py::test"]
    assert sorted(ids[::-1], key=rank_of) == ids
    assert all((ROOT / path).exists() for path in LONG)
