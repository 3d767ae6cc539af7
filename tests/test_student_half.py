"""The student half stands alone: no nbgrader, no JupyterLab, and Colab's older widgets too."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from autograder import lessons
from autograder.steps import call_of
from tests.colab.runtime import STUB
from tests.tools import COLAB, COLAB_PINS

ROOT = Path(__file__).resolve().parent.parent


def run_alone(lesson: str, folder: Path, *first: Path) -> dict:
    """What `tests.student_half` says of the student's notebook of a lesson."""
    notebook = ROOT / "course" / lesson / "lesson.ipynb"
    done = subprocess.run(
        [sys.executable, str(ROOT / "tests/student_half.py"), str(notebook), *map(str, first)],
        cwd=folder,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout.splitlines()[-1])


def says_not_attempted(told: dict, lesson: str) -> None:
    assert told["failed"] == []
    wanted = [call_of(name) for name in lessons.load_lesson(lesson).checks]
    assert list(told["shown"]) == wanted
    assert all("not attempted" in card for card in told["shown"].values())


# Below, all lessons run without it; with these widgets they run in test_notebooks.py.
@pytest.mark.parametrize("lesson", ["01_exponential_wall", "05_made", "12_gpt2"])
def test_a_students_notebook_runs_without_the_grading_half(lesson: str, tmp_path: Path):
    says_not_attempted(run_alone(lesson, tmp_path), lesson)


@pytest.mark.parametrize("lesson", lessons.lesson_names())
def test_a_students_notebook_runs_with_the_widgets_that_colab_has(lesson: str, tmp_path: Path):
    told = run_alone(lesson, tmp_path, COLAB, STUB)
    pins = dict(pin.split("==") for pin in COLAB_PINS)
    assert told["versions"]["ipywidgets"] == pins["ipywidgets"]
    assert told["versions"]["anywidget"] == pins["anywidget"]
    assert told["colab"]  # anywidget asks it for its manager of widgets
    says_not_attempted(told, lesson)
