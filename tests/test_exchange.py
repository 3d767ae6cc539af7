"""A lesson's whole way through nbgrader's exchange, with nbgrader's own commands: one instructor,
ada in time, and ben, who is late and says that he is not."""

from __future__ import annotations

import csv
import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import nbformat
import pytest
from nbgrader.api import Gradebook

from autograder import lessons
from autograder.lessons.term import in_term, read_term

ROOT = Path(__file__).resolve().parent.parent
LESSON = "01_exponential_wall"
COURSE = "autoregressive"
OUT, DEAR = (
    "bits_to_exceed",
    "fvsbn_parameters",
)  # the exercise that the term leaves out, and the one that it makes dearer


class Desk:
    """A person's folder and own Jupyter folders, from which nbgrader's commands are run."""

    def __init__(self, folder: Path, exchange: Path) -> None:
        self.folder = folder
        folder.mkdir(exist_ok=True)
        own = {
            f"JUPYTER_{name}_DIR": str(folder / ".jupyter" / name.lower())
            for name in ("CONFIG", "DATA", "RUNTIME")
        }
        path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
        here = {"PYTHONPATH": str(ROOT), "PATH": path, "OMP_NUM_THREADS": "1"}
        self.environment = os.environ | own | here
        self.exchange = f"--Exchange.root={exchange}"

    def nbgrader(self, command: str, *arguments: str) -> str:
        """What an nbgrader command of the exchange said, on both streams."""
        return self.run("nbgrader", command, *arguments, self.exchange)

    def run(self, *command: str, code: int = 0) -> str:
        """What a command said, on both streams; it must end with `code`."""
        done = subprocess.run(
            command,
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert done.returncode == code, f"{' '.join(command)}\n{done.stdout[-3000:]}"
        return done.stdout

    @property
    def notebook(self) -> Path:
        """A student's fetched notebook."""
        return self.folder / LESSON / "lesson.ipynb"


def solve(notebook: Path, names: list[str]) -> None:
    """Writes the solutions of some exercises into a fetched notebook."""
    opened = nbformat.read(notebook, as_version=4)
    for cell in opened.cells:
        name = cell.metadata.get("nbgrader", {}).get("grade_id")
        if name in names:
            cell.source = lessons.exercise_source(LESSON, name)
    nbformat.write(opened, notebook)


def files_below(folder: Path) -> set[str]:
    """Paths of all files below a folder, hidden ones too."""
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


class Circle:
    """All that the tests look at: the folders, and what each command said."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self.exchange = place / "exchange"
        self.exchange.mkdir()
        self.exchange.chmod(0o777)
        self.teacher = Desk(place / "teacher", self.exchange)
        self.ada = Desk(place / "ada", self.exchange)
        self.ben = Desk(place / "ben", self.exchange)
        self.said: dict[str, str] = {}

    def instructor_releases(self) -> None:
        root = self.teacher.folder
        for name in ("nbgrader_config.py", "pyproject.toml", f"solutions/{LESSON}/lesson.py"):
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, root / name)
        self.term(datetime(2099, 1, 1, tzinfo=UTC))
        self.said["build"] = self.teacher.run(sys.executable, "-m", "autograder.cli", "build")
        source = root / "build" / "source" / LESSON
        # What must never travel: a text with solutions, a template, a gradebook, hidden files.
        for name in ("lesson.py", "template.json", "gradebook.db", ".env", "notes.txt", "ipynb"):
            (source / name).write_text("return 2 ** n  # the solution")
        self.teacher.nbgrader("generate_assignment", LESSON)
        released = root / "build" / "release" / LESSON
        self.generated = files_below(released)
        (released / "solutions.py").write_text("return 2 ** n")
        (released / ".ipynb_checkpoints").mkdir()
        (released / ".ipynb_checkpoints" / "lesson-checkpoint.ipynb").write_text("{}")
        self.teacher.nbgrader("release_assignment", LESSON)

    def term(self, due: datetime) -> None:
        """What the course's term.toml says: one exercise less, another worth more, late days."""
        (self.teacher.folder / "term.toml").write_text(
            "[late]\npercent_per_day = 25\n"
            f"[lessons.{LESSON}]\ndue = {due.isoformat()}\nhints = false\n"
            f'leave_out = ["{OUT}"]\npoints = {{{DEAR} = 7}}\n'
        )

    def students_hand_in(self) -> None:
        self.said["list"] = self.ada.nbgrader("list", f"--course={COURSE}")
        # ben shares the course's configuration, as on a JupyterHub; ada has nbgrader's defaults.
        shutil.copy(ROOT / "nbgrader_config.py", self.ben.folder / "nbgrader_config.py")
        for name, student in (("ada", self.ada), ("ben", self.ben)):
            student.nbgrader("fetch_assignment", LESSON, f"--course={COURSE}", f"--student={name}")
        self.fetched = {n: files_below(self.place / n / LESSON) for n in ("ada", "ben")}
        exercises = list(lessons.load_lesson(LESSON).exercises)
        solve(self.ada.notebook, exercises)
        solve(self.ben.notebook, exercises)
        (self.ada.folder / LESSON / "autograder.py").write_text("raise SystemExit")
        self.ada.nbgrader("submit", LESSON, f"--course={COURSE}", "--student=ada")
        self.due = datetime.now(UTC)
        self.ben.nbgrader("submit", LESSON, f"--course={COURSE}", "--student=ben")
        self.cheat(self.due - timedelta(days=1))

    def cheat(self, stated: datetime) -> None:
        """Someone's folder in the exchange says a day too early; a link shows ada's notebook."""
        inbound = self.exchange / COURSE / "inbound"
        (bens,) = inbound.glob("ben+*")
        (adas,) = inbound.glob("ada+*")
        stamp = stated.strftime("%Y-%m-%d %H:%M:%S.%f UTC")
        cyds = inbound / f"cyd+{LESSON}+{stamp}+forged"
        shutil.copytree(bens, cyds)
        (cyds / "timestamp.txt").write_text(stamp)
        (cyds / "submission_secret.txt").unlink()
        dans = inbound / f"dan+{LESSON}+{stamp}+forged"
        dans.mkdir()
        (dans / "lesson.ipynb").symlink_to(adas / "lesson.ipynb")
        (dans / "submission_secret.txt").symlink_to(adas / "submission_secret.txt")
        os.utime(cyds / "lesson.ipynb", (0, 0))

    def instructor_grades(self) -> None:
        teacher = self.teacher
        self.due_at_first = self.due_in_gradebook()
        self.term(self.due)  # the instructor thinks better of it
        self.said["collect"] = teacher.nbgrader("collect", LESSON)
        command = [sys.executable, "-m", "autograder.cli", "grade", LESSON, "--workers=1"]
        self.said["grade"] = teacher.run(*command, code=1)  # dan is not graded
        self.marks = self.in_gradebook()
        teacher.run("nbgrader", "autograde", LESSON, "--student=ben", "--force")
        self.marks_again = self.in_gradebook()
        teacher.run("nbgrader", "generate_feedback", LESSON, "--force")
        self.said["release_feedback"] = teacher.nbgrader("release_feedback", LESSON)
        for name, student in (("ada", self.ada), ("ben", self.ben)):
            student.nbgrader("fetch_feedback", LESSON, f"--course={COURSE}", f"--student={name}")
        teacher.run("nbgrader", "export")

    def due_in_gradebook(self) -> datetime:
        """The lesson's due date as nbgrader knows it (UTC)."""
        url = f"sqlite:///{self.teacher.folder / 'class' / 'gradebook.db'}"
        with Gradebook(url, COURSE) as gradebook:
            return gradebook.find_assignment(LESSON).duedate

    def in_gradebook(self) -> dict[str, tuple[float, float, datetime]]:
        """Per student: points before the penalty, the penalty, when it was handed in (UTC)."""
        url = f"sqlite:///{self.teacher.folder / 'class' / 'gradebook.db'}"
        with Gradebook(url, COURSE) as gradebook:
            return {
                s.student.id: (
                    sum(n.score for n in s.notebooks),
                    sum(n.late_submission_penalty or 0 for n in s.notebooks),
                    s.timestamp,
                )
                for s in gradebook.assignment_submissions(LESSON)
            }


@pytest.fixture(scope="module")
def circle(tmp_path_factory: pytest.TempPathFactory) -> Circle:
    """The exchange after the whole way there and back."""
    whole = Circle(tmp_path_factory.mktemp("circle"))
    whole.instructor_releases()
    whole.students_hand_in()
    whole.instructor_grades()
    return whole


def collected(circle: Circle, student: str) -> Path:
    return circle.teacher.folder / "class" / "submitted" / student / LESSON


def points_to_earn() -> int:
    """The points of the term that need no person."""
    checks = lessons.load_lesson(LESSON).checks
    return sum(cell.points for name, cell in checks.items() if name not in (OUT, DEAR)) + 7


def test_only_the_notebook_is_generated_released_and_fetched(circle: Circle):
    assert circle.generated == {"lesson.ipynb"}
    assert files_below(circle.exchange / COURSE / "outbound" / LESSON) == {"lesson.ipynb"}
    assert circle.fetched == {"ada": {"lesson.ipynb"}, "ben": {"lesson.ipynb"}}
    assert LESSON in circle.said["list"]


def test_what_was_fetched_is_the_students_notebook_of_the_lesson(circle: Circle):
    """It is the one that `autograder build` makes, byte for byte."""
    term = read_term(circle.teacher.folder)
    asked = replace(term.of(LESSON), due=datetime(2099, 1, 1, tzinfo=UTC))
    term = replace(term, lessons={LESSON: asked})
    fresh = lessons.render([in_term(lessons.load_lesson(LESSON), term)])
    sent = circle.exchange / COURSE / "outbound" / LESSON / "lesson.ipynb"
    assert sent.read_bytes() == fresh[lessons.RELEASE / LESSON / "lesson.ipynb"]
    text = sent.read_text()
    assert OUT not in text and "Hint 1" not in text and "due 1 January 2099" in text


def test_collected_are_the_notebook_its_time_and_the_key_to_its_feedback(circle: Circle):
    kept = {"lesson.ipynb", "timestamp.txt", "submission_secret.txt"}
    assert files_below(collected(circle, "ada")) == kept
    assert files_below(collected(circle, "ben")) == kept
    sent = circle.ada.notebook.read_bytes()
    assert (collected(circle, "ada") / "lesson.ipynb").read_bytes() == sent


def test_a_link_is_not_collected(circle: Circle):
    assert files_below(collected(circle, "dan")) == {"timestamp.txt"}
    assert "symbolic link" in circle.said["collect"]
    assert "dan" not in circle.marks  # what is not there is not graded, and no silent 0


def test_who_is_in_time_keeps_all_points_and_who_is_late_is_penalized(circle: Circle):
    due = circle.due.replace(tzinfo=None)
    full = points_to_earn()
    points, penalty, time = circle.marks["ada"]
    assert (points, penalty) == (full, 0)
    assert time < due
    points, penalty, time = circle.marks["ben"]
    assert (points, penalty) == (full, full / 4)
    assert due < time < due + timedelta(minutes=5)


def test_due_dates_are_those_of_the_term_whenever_it_changes(circle: Circle):
    assert circle.due_at_first == datetime(2099, 1, 1)
    assert circle.due_in_gradebook() == circle.due.replace(tzinfo=None)


def test_a_time_that_the_file_system_contradicts_does_not_count(circle: Circle):
    points, penalty, time = circle.marks["cyd"]
    assert penalty == points / 4 > 0
    assert time > circle.due.replace(tzinfo=None)
    assert "which counts" in circle.said["collect"]


def test_nbgraders_autograde_gives_the_same_marks_at_the_same_times(circle: Circle):
    assert circle.marks_again == circle.marks


def test_feedback_reaches_its_student_and_no_other(circle: Circle):
    for student in (circle.ada, circle.ben):
        (page,) = (student.folder / LESSON / "feedback").rglob("*.html")
        name = student.folder.name
        graded = circle.teacher.folder / "class" / "feedback" / name / LESSON / "lesson.html"
        assert page.read_bytes() == graded.read_bytes()
        assert page.stat().st_size > 10_000
    released = files_below(circle.exchange / COURSE / "feedback")
    assert len(released) == 2  # ada's and ben's; cyd has no secret to find a page by
    assert "cyd did not hand in through the exchange" in circle.said["release_feedback"]


def test_the_export_has_the_gradebooks_scores(circle: Circle):
    with (circle.teacher.folder / "grades.csv").open(newline="") as file:
        rows = {row["student_id"]: row for row in csv.DictReader(file)}
    assert float(rows["ada"]["score"]) == points_to_earn()
    assert float(rows["ben"]["score"]) == points_to_earn() * 3 / 4
    assert float(rows["ben"]["late_submission_penalty"]) == points_to_earn() / 4


def test_an_arrival_holds_for_the_file_that_came_with_it(circle: Circle, tmp_path: Path):
    from autograder.grading.arrivals import read_arrival, time_of, write_arrival

    submitted = circle.teacher.folder / "class" / "submitted"
    arrival = read_arrival(submitted, "ada", LESSON)
    assert arrival.source == "nbgrader's exchange"
    (digest,) = arrival.digests
    assert time_of(submitted, "ada", LESSON, digest) == circle.marks["ada"][2]
    assert time_of(submitted, "ada", LESSON, "0" * 64) is None
    now = datetime(2026, 1, 2, 3, 4, tzinfo=UTC)
    write_arrival(tmp_path / "submitted", "eve", LESSON, now, "an LMS", [b"a notebook"])
    assert json.loads((tmp_path / "arrivals" / LESSON / "eve.json").read_text())["source"]
    with pytest.raises(ValueError, match="a time with a zone"):
        write_arrival(tmp_path, "eve", LESSON, datetime(2026, 1, 2), "an LMS", [])
