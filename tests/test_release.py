"""What `autograder release` writes installs and runs by itself, and holds nothing of the grader."""

from __future__ import annotations

import io
import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import nbformat
import pytest
from typer.testing import CliRunner

from autograder import closure, lessons
from autograder.checking import module_of
from autograder.cli import app
from autograder.handout import (
    GRADERS,
    MARK,
    NAME,
    HandoutError,
    code_of,
    handout,
    write_folder,
    write_zip,
)
from autograder.steps import call_of
from tests.test_exchange import Desk

ROOT = Path(__file__).resolve().parent.parent
WALL, MADE = "01_exponential_wall", "05_made"
EXERCISE = "assign_degrees"

# Runs notebooks' code cells in an IPython without a kernel: {notebook: {"failed", "shown"}}.
RUN = """
import json, sys
from IPython.core.interactiveshell import InteractiveShell
import autograder, course, figures
told = {"files": [m.__file__ for m in (autograder, course, figures)]}
for room in ("grading", "cli", "lessons", "sandbox"):
    try:
        __import__("autograder." + room)
        told["grader"] = room
    except ModuleNotFoundError:
        pass
for notebook in sys.argv[1:]:
    shell, failed, shown = InteractiveShell(), [], {}
    for cell in json.load(open(notebook, encoding="utf-8"))["cells"]:
        if cell["cell_type"] == "code":
            text = "".join(cell["source"])
            done = shell.run_cell(text)
            if not done.success:
                failed.append(text)
            if text.startswith("check("):
                shown[text] = getattr(done.result, "status", None)
    told[notebook] = {"failed": failed, "shown": shown}
print("\\n" + json.dumps(told))
"""


@pytest.fixture(scope="module")
def released(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A release of two lessons, as a folder."""
    folder = tmp_path_factory.mktemp("release") / "handed-out"
    write_folder(handout(ROOT, ["01", "made"]), folder)
    return folder


@pytest.fixture(scope="module")
def everything() -> set[str]:
    """The code of a release of all lessons, as paths."""
    every = [lessons.load_lesson(name) for name in lessons.lesson_names()]
    return {path.relative_to(closure.ROOT).as_posix() for path in code_of(every)}


def test_it_installs_and_runs_in_a_clean_environment(released: Path, tmp_path: Path):
    """A new environment with the release alone; torch and the other dependencies are lent to it."""
    source = shutil.copytree(released, tmp_path / "source")
    wheels = tmp_path / "wheels"
    pip = ["pip", "--disable-pip-version-check", "--quiet"]
    build = ["wheel", "--no-deps", "--no-build-isolation", "--no-index", "-w", str(wheels)]
    here = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    run([sys.executable, "-m", *pip, *build, str(source)], env=here, cwd=tmp_path)
    (wheel,) = wheels.glob("*.whl")
    clean = tmp_path / "clean"
    run([sys.executable, "-m", "venv", str(clean)], env=here, cwd=tmp_path)
    python = clean / "bin" / "python"
    install = ["install", "--no-deps", "--no-index", str(wheel)]
    run([str(python), "-m", *pip, *install], env=here, cwd=tmp_path)
    scheme = {"base": str(clean), "platbase": str(clean)}
    packages = Path(sysconfig.get_path("purelib", "venv", vars=scheme))
    lent = "\n".join(dict.fromkeys(sysconfig.get_path(p) for p in ("purelib", "platlib")))
    (packages / "lent.pth").write_text(lent)  # a path alone: no editable install comes with it

    notebooks = {name: released / "course" / name / "lesson.ipynb" for name in (WALL, MADE)}
    opened = nbformat.read(notebooks[MADE], as_version=4)
    for cell in opened.cells:
        if cell.metadata.get("nbgrader", {}).get("grade_id") == EXERCISE:
            cell.source = lessons.exercise_source(MADE, EXERCISE)
    notebooks["one solved"] = tmp_path / "one-solved.ipynb"
    nbformat.write(opened, notebooks["one solved"])
    alone = here | {"MPLBACKEND": "Agg", "IPYTHONDIR": str(tmp_path / "ipython")}
    command = [str(python), "-I", "-c", RUN, *map(str, notebooks.values())]
    told = json.loads(run(command, env=alone, cwd=tmp_path).splitlines()[-1])

    assert all(Path(file).is_relative_to(clean) for file in told["files"])
    assert "grader" not in told
    for name in (WALL, MADE):
        said = told[str(notebooks[name])]
        assert said["failed"] == []
        wanted = [call_of(check) for check in lessons.load_lesson(name).checks]
        assert said["shown"] == dict.fromkeys(wanted, "not attempted")
    one = told[str(notebooks["one solved"])]
    assert one["failed"] == []
    assert [check for check, status in one["shown"].items() if status == "passed"] == [
        f"check({EXERCISE})"
    ]


def run(command: list[str], **how) -> str:
    done = subprocess.run(command, text=True, capture_output=True, **how)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return done.stdout


def test_nothing_of_the_grader_and_no_solution_is_in_it(released: Path, everything: set[str]):
    for name in everything:
        room, _, rest = name.partition("/")
        assert room in ("course", "figures", "autograder"), name
        assert room != "autograder" or re.split(r"[/.]", rest)[0] not in GRADERS, name
        assert Path(name).suffix != ".ipynb"
    for path in released.rglob("*"):
        if path.is_file():
            assert "BEGIN SOLUTION" not in path.read_text(encoding="utf-8"), path
    rooms = {path.name for path in released.iterdir()}
    assert not rooms & {"solutions", "tests", "build", "benchmarks", "class", "Makefile"}


def test_whatever_the_grader_is_made_of_is_named_as_the_graders(everything: set[str]):
    """A new module of autograder/ is shipped because a notebook reaches it, or is the grader's."""
    modules = {p.relative_to(ROOT).as_posix() for p in (ROOT / "autograder").rglob("*.py")}
    kept = {m for m in modules if re.split(r"[/.]", m)[1] not in GRADERS}
    checked_by_lessons_alone = {m for m in kept - everything if "/checks/" in m or "/inside/" in m}
    remote = {m for m in kept - everything if "/remote/" in m}  # the grader's end of the stand-in
    assert kept - everything - checked_by_lessons_alone - remote == {"autograder/closure.py"}


def test_a_release_has_the_code_of_its_lessons_and_no_other(released: Path):
    checks = {path.stem for path in (released / "autograder" / "checks").iterdir()}
    of_lessons = {module_of(name).rpartition(".")[2] for name in lessons.lesson_names()}
    assert checks & of_lessons == {"exponential_wall", "made"}
    assert {path.parent.name for path in released.rglob("*.ipynb")} == {WALL, MADE}


def test_widgets_and_pictures_have_all_their_parts(released: Path):
    """What setuptools takes of figures/ into a wheel is there, in a release of any lesson."""
    kept = {".py", ".js", ".css", ".svg"}
    parts = {p.relative_to(ROOT) for p in (ROOT / "figures").rglob("*") if p.suffix in kept}
    assert parts == {p.relative_to(released) for p in (released / "figures").rglob("*.*")}


def test_the_readme_is_for_students(released: Path):
    text = (released / "README.md").read_text()
    assert "make " not in text
    assert all(lessons.load_lesson(name).title in text for name in (WALL, MADE))
    for link in re.findall(r"\]\((?!http)([^)]+)\)", text):
        assert (released / link).is_file(), link


def test_a_release_is_a_course_folder_of_nbgraders_exchange(released: Path, tmp_path: Path):
    exchange = tmp_path / "exchange"
    exchange.mkdir()
    exchange.chmod(0o777)
    teacher, ada = (Desk(tmp_path / name, exchange) for name in ("teacher", "ada"))
    for desk in (teacher, ada):
        shutil.copytree(released, desk.folder, dirs_exist_ok=True)
    teacher.nbgrader("release_assignment", MADE)
    ada.nbgrader("submit", MADE, "--student=ada")
    (arrived,) = (exchange / "autoregressive" / "inbound").iterdir()
    assert {path.name for path in arrived.iterdir()} == {
        "lesson.ipynb", "timestamp.txt", "submission_secret.txt"
    }  # fmt: skip
    sent = released / "course" / MADE / "lesson.ipynb"
    assert (arrived / "lesson.ipynb").read_bytes() == sent.read_bytes()


# --- the command ----------------------------------------------------------------------------------


@pytest.fixture
def course(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder: a course with two lessons."""
    root = tmp_path / "course"
    for name in ("nbgrader_config.py", "pyproject.toml"):
        root.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, root / name)
    for name in (WALL, MADE):
        shutil.copytree(ROOT / "solutions" / name, root / "solutions" / name)
    monkeypatch.chdir(root)
    return root


def test_a_release_is_of_the_term(course: Path):
    (course / "term.toml").write_text(
        f"[lessons.{MADE}]\ndue = 2026-10-12T23:59:00+02:00\nleave_out = ['connectivity']\n"
    )
    done = CliRunner().invoke(app, ["release", "--to", "out.zip"])
    assert done.exit_code == 0, done.output
    assert MADE in done.output and WALL not in done.output
    with zipfile.ZipFile("out.zip") as archive:
        names = archive.namelist()
        notebook = archive.read(f"{NAME}/course/{MADE}/lesson.ipynb").decode()
        readme = archive.read(f"{NAME}/README.md").decode()
    assert all(name.startswith(f"{NAME}/") for name in names)
    assert not any(WALL in name for name in names)
    assert "check(connectivity)" not in notebook and "check(build_masks)" in notebook
    assert "12 October 2026, 23:59 (UTC+02:00)" in readme
    again = CliRunner().invoke(app, ["release", "--to", "out.zip"])
    assert again.exit_code == 2


@pytest.mark.parametrize(
    "arguments, told",
    [
        (["release", "99"], "no lesson is called '99'"),
        (["release", "01", "--to", "."], "exists and is no release: name another place"),
    ],
)
def test_what_cannot_be_released_is_told_in_a_sentence(course: Path, arguments, told):
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == 2
    assert told in done.output
    assert len(done.output.strip().splitlines()) == 1
    assert (course / "pyproject.toml").is_file()


def test_only_an_earlier_release_is_replaced(tmp_path: Path):
    place = tmp_path / "out"
    write_folder({MARK: b"", "old.txt": b"old"}, place)
    with pytest.raises(HandoutError, match="replace it with --force"):
        write_folder({MARK: b"", "new.txt": b"new"}, place)
    write_folder({MARK: b"", "new.txt": b"new"}, place, force=True)
    assert {path.name for path in place.iterdir()} == {MARK, "new.txt"}
    (place / MARK).unlink()
    with pytest.raises(HandoutError, match="is no release"):
        write_folder({MARK: b""}, place, force=True)
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_the_same_release_has_the_same_bytes(tmp_path: Path):
    files = {"b": b"2", "a/c": b"1"}
    for name in ("one.zip", "two.zip"):
        write_zip(dict(reversed(files.items())) if name == "two.zip" else files, tmp_path / name)
    assert (tmp_path / "one.zip").read_bytes() == (tmp_path / "two.zip").read_bytes()
    with zipfile.ZipFile(io.BytesIO((tmp_path / "one.zip").read_bytes())) as archive:
        assert archive.read(f"{NAME}/a/c") == b"1"
