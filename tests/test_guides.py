"""The guides tell the truth: each command of the instructor's runs, each link leads somewhere."""

from __future__ import annotations

import csv
import re
import shutil
import sys
import zipfile
from pathlib import Path

import nbformat
import pytest
import yaml

from autograder import lessons
from tests.test_exchange import Desk

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
GUIDE = DOCS / "instructor.md"
LESSON = "05_made"
SMALL = "01_exponential_wall"  # stands for lesson 05 where the guide's commands are run
PAGES = sorted(
    [*DOCS.glob("*.md"), ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md"]
)


def blocks(kind: str) -> list[str]:
    """The fenced blocks of the instructor's guide that are marked `kind`."""
    return re.findall(rf"^```{kind}\n(.*?)^```", GUIDE.read_text("utf-8"), re.M | re.S)


def commands() -> list[list[str]]:
    """The guide's commands in order, on the small lesson."""
    lines = [line for block in blocks("sh") for line in block.splitlines() if line.strip()]
    return [line.replace(LESSON, SMALL).split() for line in lines]


@pytest.fixture(scope="module")
def term(tmp_path_factory: pytest.TempPathFactory) -> tuple[Desk, dict[str, str]]:
    """An instructor's folder after all commands of the guide, and what each of them said."""
    place = tmp_path_factory.mktemp("term")
    exchange = place / "exchange"
    exchange.mkdir()
    exchange.chmod(0o777)
    desk = Desk(place / "teacher", exchange)
    for name in ("autograder", "course", "figures", "solutions", "nbgrader_config.py"):
        target = desk.folder / name
        if name == "solutions":
            shutil.copytree(ROOT / name / SMALL, target / SMALL)
        elif name.endswith(".py"):
            shutil.copy(ROOT / name, target)
    for name in ("pyproject.toml", "README.md", "LICENSE", "environment.yml"):
        shutil.copy(ROOT / name, desk.folder / name)
    (toml,) = blocks("toml")
    of_small = toml.replace(LESSON, SMALL).replace("build_masks", "table_parameters")
    (desk.folder / "term.toml").write_text(of_small, encoding="utf-8")
    said: dict[str, str] = {}
    for command in commands():
        if "--submissions" in command and not (desk.folder / "canvas.zip").exists():
            _download_from_canvas(desk.folder)
        line = " ".join(command)
        if command[0] == "autograder":
            command = [sys.executable, "-m", "autograder.cli", *command[1:]]
        elif command[1].startswith(("release_", "collect")):
            command.append(desk.exchange)
        said[line] = desk.run(*command)
    return desk, said


def _download_from_canvas(folder: Path) -> None:
    """What an LMS gives: the submissions, the class list, and its gradebook."""
    released = nbformat.read(folder / "build" / "release" / SMALL / "lesson.ipynb", as_version=4)
    with zipfile.ZipFile(folder / "canvas.zip", "w") as archive:
        for number, name, solved in ((101, "lovelaceada", True), (102, "turingalan", False)):
            for cell in released.cells:
                exercise = cell.metadata.get("nbgrader", {}).get("grade_id")
                if solved and exercise in lessons.load_lesson(SMALL).exercises:
                    cell.source = lessons.exercise_source(SMALL, exercise)
                elif not solved and exercise == "fvsbn_parameters":
                    cell.source = "def fvsbn_parameters(n):\n    return n * n"
            archive.writestr(
                f"{name}_{number}_{number + 900}_lesson.ipynb", nbformat.writes(released)
            )
    people = [("Lovelace, Ada", 101, "ada@example.org"), ("Turing, Alan", 102, "alan@example.org")]
    with (folder / "roster.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("Student", "ID", "Email"), *people])
    head = ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", f"{SMALL} (7)"]
    rows = [["    Points Possible", "", "", "", "", "100"]]
    rows += [[name, number, "", address, "A", ""] for name, number, address in people]
    with (folder / "canvas_grades.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([head, *rows])


def test_the_guide_has_ten_steps_and_its_commands_are_run(term):
    text = GUIDE.read_text("utf-8")
    assert [int(n) for n in re.findall(r"^## (\d+) · ", text, re.M)] == list(range(1, 11))
    _, said = term
    assert len(said) >= 14


def test_the_term_ends_with_marks_in_the_lms(term):
    desk, said = term
    (filled,) = (desk.folder / "class" / "exports").glob("*.csv")
    rows = {row["ID"]: row for row in csv.DictReader(filled.open(encoding="utf-8-sig"))}
    assert float(rows["101"][f"{SMALL} (7)"]) > float(rows["102"][f"{SMALL} (7)"] or 0)
    assert (desk.folder / "class" / "reports" / f"{SMALL}.html").stat().st_size > 10_000
    mapping = next(text for line, text in said.items() if "--roster" in line and "dry" in line)
    assert "lovelaceada-101" in mapping
    with zipfile.ZipFile(desk.folder / "build" / "handout.zip") as handout:
        assert any(name.endswith("lesson.ipynb") for name in handout.namelist())


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_of_the_guides_lead_somewhere(page: Path):
    links = re.findall(r"\]\((?!https?:|#|mailto:)([^)#\s]+)", page.read_text("utf-8"))
    for link in links:
        assert (page.parent / link).exists(), link


def test_the_compose_file_names_targets_that_the_dockerfile_has():
    deployment = DOCS / "deployment"
    services = yaml.safe_load((deployment / "compose.yml").read_text("utf-8"))["services"]
    stages = set(re.findall(r"^FROM .* AS (\w+)$", (deployment / "Dockerfile").read_text(), re.M))
    built = [service["build"] for service in services.values() if "build" in service]
    assert {build["target"] for build in built} <= stages
    assert all((ROOT / build["dockerfile"]).is_file() for build in built)
