"""Plain nbgrader over a planted course: `python -m tests.banks.attacks.plain ROOT FILE`.

For `bench` alone, and for attacks that are harmless to the machine. Run as somebody who owns
nothing but the course. After each submission it adds a JSON line to FILE: the marks, whether
somebody else's have changed (the gradebook is then put back), what was left running (and is ended).
A second call goes on where the first stopped.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import shutil
import signal
import sqlite3
import sys
from pathlib import Path

from autograder.grading.course import open_course
from tests.banks.attacks.attack import LESSON
from tests.banks.attacks.planted import left_running

SECONDS = 90  # for a submission; nbgrader's own limit is 30 for a cell
_SCORES = (
    "select s.student_id,"
    " sum(coalesce(g.manual_score, g.auto_score, 0) + coalesce(g.extra_credit, 0))"
    " from grade g join submitted_notebook n on g.notebook_id = n.id"
    " join submitted_assignment s on n.assignment_id = s.id"
    " join assignment a on s.assignment_id = a.id"
    " where {} group by s.student_id"
)


class TooLong(BaseException):
    """The submission has used up its time."""


def _ring(number: int, frame: object) -> None:
    raise TooLong


def scores(book: Path, where: str) -> dict[str, float]:
    """Scores by student, read without nbgrader; {} if the gradebook cannot be read."""
    try:
        with sqlite3.connect(f"file:{book}?mode=ro", uri=True) as opened:
            return dict(opened.execute(_SCORES.format(where)).fetchall())
    except sqlite3.Error:
        return {}


def _stragglers() -> bool:
    """Ends what came of this run and is none of our own children; whether there was any."""
    token, found = os.environ["PATH"].rpartition("/")[2], False
    for line in left_running(token):
        number = int(line.partition(":")[0])
        with contextlib.suppress(OSError):
            parent = Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[1]
            if os.getpid() not in (number, int(parent)):
                os.kill(number, signal.SIGKILL)
                found = True
    return found


def main(root: str, out: str) -> None:
    """Grades the students of the course one after another, as nbgrader's commands would."""
    from nbgrader.converters import Autograde, GenerateAssignment, GenerateFeedback

    os.chdir(root)
    signal.signal(signal.SIGALRM, _ring)
    course = open_course(Path(root))
    book = Path(root) / "gradebook.db"
    log = logging.Logger("plain", level=logging.ERROR)
    log.addHandler(logging.FileHandler(Path(root) / "errors.log", delay=True))

    def convert(step: type, student: str = "") -> str:
        config = course.nbgraders_config(LESSON)
        if student:
            config.CourseDirectory.student_id = student
        from nbgrader.coursedir import CourseDirectory

        converter = step(coursedir=CourseDirectory(config=config), config=config, log=log)
        converter.force = True
        signal.alarm(SECONDS)
        try:
            converter.start()
        except BaseException as error:  # whatever it is, the others are tried
            return f"{type(error).__name__}: {error}"[:200]
        finally:
            signal.alarm(0)
        return ""

    file = Path(out)
    lines = file.read_text().splitlines() if file.exists() else []
    seen = [json.loads(line)["student"] for line in lines]
    if not seen and (told := convert(GenerateAssignment)):
        raise SystemExit(told)
    students = sorted(os.listdir(Path(root) / "submitted"))
    order = ["vera", *(s for s in students if s not in ("vera", "walter")), "walter"]
    others = "a.name != '05_made' or s.student_id in ('vera', 'walter')"
    for student in [s for s in order if s not in seen]:
        file.with_suffix(".now").write_text(student)
        before, kept = scores(book, others), Path(root) / "kept.db"
        shutil.copyfile(book, kept)
        problems = [convert(Autograde, student)]
        mine = scores(book, "a.name = '05_made'").get(student)
        left = _stragglers()
        # A book that can no longer be written is changed, too.
        spoiled = before != scores(book, others) or not os.access(book, os.W_OK)
        changed = spoiled and student not in ("vera", "walter")
        if changed:
            with contextlib.suppress(OSError):
                os.chmod(book, 0o644)
            shutil.copyfile(kept, book)
        else:
            problems.append(convert(GenerateFeedback, student))
        line = {
            "student": student,
            "marks": mine,
            "changed": changed,
            "left": left,
            "problems": problems,
        }
        with file.open("a") as told:
            print(json.dumps(line), file=told)


if __name__ == "__main__":
    main(*sys.argv[1:])
