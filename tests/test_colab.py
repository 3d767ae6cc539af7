"""A lesson's first cell installs the course in Colab: with git, pip and a build, not in words.

`make colab` runs every student's notebook in an imitation of Colab's runtime; here the same first
cell is run in this environment, with the same stand-in of `google.colab`, into a folder.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from autograder import lessons
from tests.colab import runtime
from tests.tools import COLAB, COLAB_PINS

TELLS = """
import json, sys
import google.colab
exec(open("cell.py").read())
sys.path[:0] = ["installed"]
import course.pretrained, figures.predict
from google.colab.output import _widgets
widget = figures.predict.Prediction("Which?", ["this", "that"], 0)
shown = widget._repr_mimebundle_()
print(json.dumps([LESSON, course.__file__, course.pretrained.held_out()[:4], str(shown)]))
"""


def setup_cell(lesson: str) -> str:
    notebook = json.loads((runtime.ROOT / "course" / lesson / "lesson.ipynb").read_text("utf-8"))
    cells = [c for c in notebook["cells"] if "setup" in c["metadata"].get("tags", [])]
    assert len(cells) == 1 and cells[0]["metadata"]["cellView"] == "form"
    return "".join(cells[0]["source"])


@pytest.fixture(scope="module")
def github(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return runtime.repository(tmp_path_factory.mktemp("github"))


def test_the_first_cell_installs_the_course_with_its_files_and_nothing_else(
    github: Path, tmp_path: Path
):
    (tmp_path / "cell.py").write_text(setup_cell("12_gpt2"))
    variables = runtime.environment(github) | {
        "PYTHONPATH": os.pathsep.join([str(runtime.STUB), str(COLAB)]),
        "PIP_TARGET": str(tmp_path / "installed"),  # not into the tests' own environment
        "PIP_NO_BUILD_ISOLATION": "0",  # pip reads it as a switch: built with what is here
    }
    tell = [sys.executable, "-c", TELLS]
    done = subprocess.run(tell, cwd=tmp_path, env=variables, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    lesson, place, page, shown = json.loads(done.stdout.splitlines()[-1])
    assert (lesson, page) == ("12_gpt2", "ACT ")
    assert Path(place).resolve().is_relative_to(tmp_path.resolve())
    assert "custom_widget_manager" in shown and "manager.js" in shown
    found = {path.name for path in (tmp_path / "installed").iterdir()}
    assert {name for name in found if not name.endswith(".dist-info")} <= {
        "autograder", "bin", "course", "figures",
    }  # fmt: skip


def test_what_lessons_need_and_colab_has_not_got_is_named():
    told = {name: lessons.load_lesson(name).colab for name in lessons.lesson_names()}
    assert {name: packages for name, packages in told.items() if packages} == {
        "14_compression": ("constriction",)
    }
    names = {
        pin.split("==")[0].lower() for pin in (*runtime.PINS, *runtime.WIDGETS, *runtime.OTHERS)
    }
    assert "constriction" not in names


def test_both_imitations_have_the_same_widgets():
    assert set(COLAB_PINS) <= set(runtime.WIDGETS)


def test_the_runtimes_repository_is_this_tree(github: Path):
    log = subprocess.run(
        ["git", "ls-tree", "-r", "--name-only", "main"], cwd=github, capture_output=True, text=True
    )
    assert {"pyproject.toml", "course/models/small_gpt/model.safetensors"} <= set(
        log.stdout.splitlines()
    )
