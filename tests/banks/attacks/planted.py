"""A class with victims: gradebook, sources, classmates, environment and home hold planted secrets.

`Planted` makes the course in a temporary folder, hands the attacks in between honest submissions,
has `autograder grade` grade all of them in one run, and says of each attack what harm it did.
"""

from __future__ import annotations

import contextlib
import copy
import hashlib
import json
import os
import re
import secrets
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nbgrader.api import Gradebook

from autograder.grading.course import ROOT, Course, open_course, template_of, tools_on_path
from autograder.grading.handed_in import NoZip, mapping_of, take_in
from tests.banks.attacks.attack import (
    LEFT,
    LESSON,
    Archive,
    Attack,
    Folder,
    Link,
    Notebook,
    Pipe,
    honest,
)

HONEST = ("vera", "walter")  # a classmate with secrets in her notebook, and one at the run's end
EARLIER = "00_earlier"
LIMITS = {"seconds_per_cell": 3, "seconds_per_submission": 18, "memory_bytes": "1G"}
NOBODY = 65534
DOMAIN_OF_LINKS = "attacker.invalid"


@dataclass(frozen=True)
class Way:
    """How a class is graded: the sandbox's name, whether by somebody who is not root, and limits.

    A cold start is slow on a busy machine, and what a guest asks for first it has to import.
    """

    sandbox: str = "auto"
    plain_user: bool = False
    seconds: float = LIMITS["seconds_per_submission"]
    seconds_per_cell: float = LIMITS["seconds_per_cell"]

    def __str__(self) -> str:
        return f"{self.sandbox}, {'as a plain user' if self.plain_user else 'as whoever we are'}"


SHIPPED = Way()


def as_plain_user(place: Path) -> list[str]:
    """A command prefix that runs as nobody, to whom `place` is given; [] if we are not root."""
    if os.geteuid() != 0:
        return []
    for path in (place, *place.rglob("*")):
        os.chown(path, NOBODY, NOBODY, follow_symlinks=False)
    user = [f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", "--inh-caps=-all"]
    return [*_in_reach(Path(sys.base_prefix)), "setpriv", *user]


def _in_reach(prefix: Path) -> list[str]:
    """A command prefix under which nobody can read an interpreter that lies in root's home.

    In a mount namespace of its own, the folder that is closed becomes an empty one that is open,
    with the interpreter in its place.
    """
    closed = [p for p in reversed(prefix.parents) if not p.stat().st_mode & 0o001]
    if not closed:
        return []
    steps = " && ".join(
        (
            "d=$(mktemp -d)",
            f"mount --bind {prefix} $d",
            f"mount -t tmpfs -o mode=755 none {closed[0]}",
            f"mkdir -p {prefix}",
            f"mount --bind $d {prefix}",
            'exec "$@"',
        )
    )
    return ["unshare", "--mount", "--propagation", "private", "sh", "-c", steps, "sh"]


@dataclass
class Graded:
    """What a run left of one attack. `marks` are what counts in the gradebook, None without any."""

    attack: Attack
    student: str
    marks: float | None
    state: str  # of the record, "not handed in" where there is none
    problems: list[str] = field(default_factory=list)


def _secret(name: str) -> str:
    # Put together here, so that no code that is searched for it holds it.
    return "-".join(("PLANTED", name, secrets.token_hex(8)))


class Planted:
    """The class in `place`; `attacks` are handed in by students called a000, a001, …

    With `plain` it is a course of nbgrader as it comes: its folders, its preprocessors. Of another
    lesson than the bank's own, the honest hand in what was handed out.
    """

    def __init__(
        self,
        place: Path,
        attacks: tuple[Attack, ...],
        plain: bool = False,
        lesson: str = LESSON,
    ) -> None:
        self.place, self.lesson = place, lesson
        self.students = {f"a{i:03d}": attack for i, attack in enumerate(attacks)}
        self.secrets = {
            name: _secret(name)
            for name in ("gradebook", "source", "classmate", "environment", "home", "outside")
        }
        self.token = f"run-{secrets.token_hex(8)}"
        self.root, self.home = place / "course", place / "home"
        self.plain = plain
        self.folder = self.root if plain else self.root / "class"
        self.printed = ""
        self._plant_course()
        self.course: Course = open_course(self.root, None if plain else self.folder)
        self.handed_out = template_of(self.course, self.lesson).notebook
        if plain:  # which would run the demos: minutes of training that no mark depends on
            self.handed_out["cells"] = without_demos(self.handed_out["cells"])
        self._plant_gradebook()
        self._plant_class()

    # --- before ----------------------------------------------------------------------------------

    def _plant_course(self) -> None:
        for name in ("nbgrader_config.py", "pyproject.toml"):
            self.root.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, self.root / name)
        config = self.root / "nbgrader_config.py"
        if self.plain:
            config.write_text(_PLAIN.format(root=str(self.root)))
        else:
            with config.open("a") as file:
                file.write(f"c.JudgedExecute.limits = {LIMITS!r}\n")
        for lesson in (self.root / "solutions" / self.lesson, self.root / "source" / self.lesson):
            lesson.mkdir(parents=True)
        text = (ROOT / "solutions" / self.lesson / "lesson.py").read_text(encoding="utf-8")
        mark = "### BEGIN SOLUTION\n"
        planted = text.replace(mark, f"{mark}    # {self.secrets['source']}\n", 1)
        (self.root / "solutions" / self.lesson / "lesson.py").write_text(planted, encoding="utf-8")
        (self.root / "solutions" / "key.txt").write_text(self.secrets["source"])
        (self.home / ".ipython" / "profile_default" / "startup").mkdir(parents=True)
        (self.home / ".secret").write_text(self.secrets["home"])
        (self.place / "outside.txt").write_text(self.secrets["outside"])

    def _plant_gradebook(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        with tools_on_path(), Gradebook(self.course.db_url, self.course.course_id) as gradebook:
            gradebook.add_assignment(EARLIER)
            gradebook.add_notebook("lesson", EARLIER)
            cell = gradebook.add_grade_cell(
                "test", "lesson", EARLIER, max_score=10, cell_type="code"
            )
            for student, score in (("vera", 7.0), ("wanda", 3.0)):
                gradebook.add_student(student, first_name=self.secrets["gradebook"])
                gradebook.add_submission(EARLIER, student)
                grade = gradebook.find_grade(cell.name, "lesson", EARLIER, student)
                grade.auto_score, grade.manual_score, grade.extra_credit = 1.0, score, 0.5
            gradebook.db.commit()

    def _plant_class(self) -> None:
        for student in HONEST:
            notebook = copy.deepcopy(self.handed_out)
            notebook = honest(notebook) if self.lesson == LESSON else notebook
            if student == "vera":
                for cell in notebook["cells"]:
                    if cell["id"] == "why_order":
                        cell["source"] += f"\n\n{self.secrets['classmate']}"
            self._write(
                self.course.submission_of(student, self.lesson), json.dumps(notebook).encode()
            )
        for student, attack in self.students.items():
            self._hand_in(student, attack)

    def _hand_in(self, student: str, attack: Attack) -> None:
        built = attack.build(copy.deepcopy(self.handed_out))
        if isinstance(built, Archive):
            archive = self.place / f"{student}.zip"
            archive.write_bytes(built.raw)
            for format in (None, "plain"):  # what no format fits is tried as people's folders, too
                with contextlib.suppress(NoZip):
                    take_in(mapping_of(self.course, self.lesson, archive, format=format))
            return
        folder = self.course.submission_of(student, self.lesson).parent
        if not isinstance(built, Folder | Link):
            built = Folder({"lesson.ipynb": built})
        self._write(folder, built)

    def _write(self, path: Path, content: Any) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, Folder):
            path.mkdir(parents=True, exist_ok=True)
            for name, inner in content.files.items():
                self._write(path / name, inner)
        elif isinstance(content, Link):
            path.symlink_to(self._filled(content.target))
        elif isinstance(content, Pipe):
            os.mkfifo(path)
        else:
            raw = content if isinstance(content, bytes) else _as_file(content)
            path.write_bytes(self._filled(raw.decode("latin-1")).encode("latin-1"))

    def _filled(self, text: str) -> str:
        for name, place in (("CLASS", self.folder), ("ROOT", self.root), ("HOME", self.home)):
            text = text.replace(f"@{name}@", str(place))
        return text

    # --- the run ---------------------------------------------------------------------------------

    def environment(self) -> dict[str, str]:
        """The instructor's environment, with a secret and a home folder of its own."""
        cache = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
        return {
            **os.environ, "HOME": str(self.home), "XDG_CACHE_HOME": cache,
            "PLANTED_SECRET": self.secrets["environment"], "OMP_NUM_THREADS": "1",
            # What comes of the run has this in the environment that it began with.
            "PATH": f"{os.environ.get('PATH', '')}:/{self.token}",
        }  # fmt: skip

    def grade(self, way: Way = SHIPPED, workers: int = 3, seconds: float = 1800) -> None:
        """One `autograder grade` over all of them; raises if it does not end, or ends in error."""
        named = LIMITS | {
            "seconds_per_submission": way.seconds,
            "seconds_per_cell": way.seconds_per_cell,
        }
        limits = [part for k, v in named.items() for part in ("--limit", f"{k}={v}")]
        command = [
            sys.executable, "-m", "autograder.cli", "grade", self.lesson,
            "--class-dir", self.folder, "--workers", workers, "--sandbox", way.sandbox, *limits,
        ]  # fmt: skip
        environment = self.environment()
        if way.plain_user:
            command = [*as_plain_user(self.place), *command]
            environment |= {"XDG_CACHE_HOME": str(self.place / "cache"), "PYTHONPATH": str(ROOT)}
            environment["PYTHONDONTWRITEBYTECODE"] = "1"
        done = subprocess.run(
            list(map(str, command)),
            cwd=self.root,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=seconds,
        )
        self.printed = (done.stdout + done.stderr).decode(errors="replace")
        if done.returncode not in (0, 1):  # 1: a submission could not be judged
            raise RuntimeError(f"the run ended with {done.returncode}: {self.printed[-3000:]}")

    # --- after -----------------------------------------------------------------------------------

    def untouched(self) -> dict[str, str]:
        """A hash of every file that nobody may change: sources, home, what was handed in."""
        found = {}
        for folder in (self.root / "solutions", self.home, self.folder / "submitted"):
            for path in sorted(folder.rglob("*")):
                if path.is_file() and not path.is_symlink():
                    found[str(path)] = hashlib.sha256(path.read_bytes()).hexdigest()
        return found

    def marks(self) -> dict[str, float]:
        """What the gradebook says of the lesson, by student; extra credit included."""
        with Gradebook(self.course.db_url, self.course.course_id) as gradebook:
            return {s.student.id: s.score for s in gradebook.assignment_submissions(self.lesson)}

    def earlier_marks(self) -> dict[str, tuple[float, float]]:
        """The planted marks of an earlier lesson: score and highest score, by student."""
        with Gradebook(self.course.db_url, self.course.course_id) as gradebook:
            return {
                s.student.id: (s.score, s.max_score)
                for s in gradebook.assignment_submissions(EARLIER)
            }

    def harm(self, student: str) -> list[str]:
        """What the attack of `student` achieved, in words; [] is what a grader is there for."""
        return self.harm_of(student, self.marks().get(student))

    def harm_of(self, student: str, marks: float | None) -> list[str]:
        """The same, where the marks are known already."""
        found = ["marks"] if (marks or 0.0) > self.students[student].honest else []
        texts = {path: path.read_bytes() for path in self.written_about(student)}
        if any(self.secrets_in(path) for path in texts):
            found.append("others' data")
        if any(
            is_live(raw.decode(errors="replace")) for p, raw in texts.items() if p.suffix == ".html"
        ):
            found.append("script in a page")
        if any(
            b"attack connected" in raw or b"attack listens" in raw
            for p, raw in texts.items()
            if p.parts[-4] == "autograded" and _printed(raw)
        ):
            found.append("network")
        return found

    def results(self) -> dict[str, Graded]:
        """What became of each attack, by student."""
        marks, found = self.marks(), {}
        for student, attack in self.students.items():
            record = self.course.record_of(student, self.lesson)
            if record.is_file():
                data = json.loads(record.read_text(encoding="utf-8"))
                state = "not graded" if data["unreadable"] else "graded"
                problems = [*data["problems"], data["unreadable"]]
            else:
                state, problems = "not handed in", []
            found[student] = Graded(attack, student, marks.get(student), state, problems)
        return found

    def written_about(self, student: str) -> list[Path]:
        """Every file that the run wrote about a student."""
        course = self.course
        folders = [course.autograded / student, course.feedback / student]
        files = [path for folder in folders for path in folder.rglob("*") if path.is_file()]
        record = course.record_of(student, self.lesson)
        return [*files, record] if record.is_file() else files

    def secrets_in(self, path: Path) -> list[str]:
        """Names of the planted secrets that a file holds."""
        raw = path.read_bytes()
        return [name for name, secret in self.secrets.items() if secret.encode() in raw]


_PLAIN = """
c = get_config()
c.CourseDirectory.course_id = "autoregressive"
c.CourseDirectory.root = {root!r}
c.CourseDirectory.db_url = "sqlite:///{root}/gradebook.db"
c.ClearSolutions.code_stub = {{"python": "raise NotImplementedError()"}}
"""


def without_demos(cells: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The cells of a notebook without those that only show something."""
    return [cell for cell in cells if "demo" not in cell["metadata"].get("tags", ())]


def _printed(raw: bytes) -> bool:
    """Whether an attack's word stands in an output of a notebook, not only in its source."""
    notebook = json.loads(raw)
    shown = json.dumps([cell.get("outputs", []) for cell in notebook["cells"]])
    return "attack connected" in shown or "attack listens" in shown


def _as_file(notebook: Notebook) -> bytes:
    return json.dumps(notebook).encode()


def left_running(token: str = LEFT) -> list[str]:
    """Processes that an attack named, or that began with `token` in their environment."""
    found = []
    for process in Path("/proc").iterdir():
        if not process.name.isdigit():
            continue
        try:
            names = {task.joinpath("comm").read_text().strip() for task in process.glob("task/*")}
            command = process.joinpath("cmdline").read_bytes()
        except OSError:
            continue
        try:
            began_with = process.joinpath("environ").read_bytes()
        except OSError:  # another user's
            began_with = b""
        if LEFT in names or LEFT.encode() in command or token.encode() in began_with:
            found.append(f"{process.name}: {sorted(names)}")
    return found


def left_on_disk(place: Path) -> list[str]:
    """Files of an attack outside of what was handed in."""
    found = [
        str(path)
        for folder in ("/tmp", "/dev/shm", "/var/tmp")
        for path in Path(folder).glob(f"{LEFT}*")
    ]
    for path in place.rglob(f"*{LEFT}*"):
        found.append(str(path))
    return found


_LIVE = re.compile(
    r"<script>window\.attack|<[a-z][^<>]*\son\w+\s*=\s*[\"']?window\.attack|<(?:iframe|object|embed|base)\b"
    r"|(?:href|src|action|formaction|data)\s*=\s*[\"']?\s*(?:javascript:|data:text|http://attacker)",
    re.IGNORECASE,
)


def is_live(html: str) -> bool:
    """Whether a page holds a script, handler, frame or link of an attack that a browser would use.

    A search of the text, where no browser is at hand; tests/test_attacks.py opens our pages.
    """
    return bool(_LIVE.search(html))
