"""Grading a class: plain `nbgrader autograde` and `autograder grade` on the same submissions."""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from tqdm import tqdm

from autograder.grading.course import (
    ROOT,
    Course,
    open_course,
    source_notebook,
    template_of,
    tools_on_path,
)
from autograder.grading.gradebook import Marks
from autograder.grading.rebuild import Notebook
from tests.demo_class import LESSON, the_class

TITLE = "Grading a class: `autograder grade` against plain `nbgrader autograde`"
HONEST = ("ada", "ben", "cora", "dev", "eli", "fen", "gita")  # nobody loops, breaks or steals
STUDENTS = 8
REPEATS = int(os.environ.get("BENCH_REPEATS", "3"))

_PLAIN = """
c = get_config()
c.CourseDirectory.course_id = {course_id!r}
c.CourseDirectory.root = {place!r}
c.CourseDirectory.db_url = {db_url!r}
c.Execute.timeout = 120
"""


@dataclass(frozen=True)
class Run:
    """One run of one grader: wall seconds, and the marks that it gave."""

    seconds: float
    marks: dict[str, float]


def submissions(demos: bool) -> dict[str, Notebook]:
    """Eight honest submissions of the demonstration's class, the first one twice."""
    with tempfile.TemporaryDirectory() as folder:
        course = open_course(ROOT, class_dir=Path(folder))
        handed_out = template_of(course, LESSON).notebook
    found = {student: one for student, one in the_class(handed_out) if student in HONEST}
    for number in range(STUDENTS - len(found)):
        found[f"zoe{number}"] = found["ada"]
    if not demos:
        for student, notebook in found.items():
            kept = [c for c in notebook["cells"] if "demo" not in c["metadata"].get("tags", ())]
            found[student] = {**notebook, "cells": kept}
    return dict(list(found.items())[:STUDENTS])


def make_class(place: Path, demos: bool) -> Course:
    """Submissions and a gradebook that knows the lesson; no marks yet."""
    course = open_course(ROOT, class_dir=place)
    for student, notebook in submissions(demos).items():
        path = course.submission_of(student, LESSON)
        path.parent.mkdir(parents=True)
        path.write_text(json.dumps(notebook))
    with Marks(course, LESSON) as marks:
        template = template_of(course, LESSON).notebook
        marks.ensure_assignment(template, lambda: source_notebook(course, LESSON))
    return course


def plain(course: Course, place: Path) -> Run:
    """`nbgrader autograde` as nbgrader ships it, from its start to its end."""
    (place / "nbgrader_config.py").write_text(
        _PLAIN.format(course_id=course.course_id, place=str(place), db_url=course.db_url)
    )
    command = [sys.executable, "-m", "nbgrader", "autograde", LESSON]
    return _timed(command, course, place)


def ours(course: Course, place: Path) -> Run:
    """`autograder grade` as shipped, from its start to its end."""
    command = [sys.executable, "-m", "autograder.cli", "grade", LESSON, "--no-feedback"]
    return _timed([*command, "--class-dir", str(place)], course, ROOT)


def _timed(command: list[str], course: Course, where: Path) -> Run:
    with tools_on_path():
        began = time.perf_counter()
        done = subprocess.run(command, cwd=where, capture_output=True, text=True, check=False)
        seconds = time.perf_counter() - began
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command)} failed: {done.stderr[-2000:]}")
    with Marks(course, LESSON) as marks:
        given = marks.gradebook.assignment_submissions(LESSON)
        return Run(seconds, {s.student.id: s.score for s in given})


def compare(demos: bool) -> list[tuple[Run, Run]]:
    """Pairs of runs on fresh copies of one class, the two graders in turn."""
    pairs = []
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        fresh = Path(folder) / "fresh"
        make_class(fresh, demos)
        for number in range(REPEATS):
            runs = []
            for name, grader in (("plain", plain), ("ours", ours)):
                place = Path(folder) / f"{name}{number}"
                shutil.copytree(fresh, place)
                runs.append(grader(open_course(ROOT, class_dir=place), place))
                shutil.rmtree(place)
            pairs.append((runs[0], runs[1]))
    return pairs


CASES = (
    ("as shipped (plain runs the demo cells, `autograder grade` leaves them out)", True),
    ("demo cells on neither side", False),
)


def run() -> str:
    """Measures all cases; a Markdown section."""
    rows = [
        "| case | plain, a minute | ours, a minute | ratio (least – most) | marks |",
        "|---|---:|---:|---:|---|",
    ]
    for title, demos in tqdm(CASES, desc="grading", unit="case"):
        pairs = compare(demos)
        ratios = [a.seconds / b.seconds for a, b in pairs]
        equal = all(a.marks == b.marks for a, b in pairs)
        rows.append(
            f"| {title} | {_per_minute([a for a, _ in pairs]):.1f} "
            f"| {_per_minute([b for _, b in pairs]):.1f} "
            f"| **{statistics.median(ratios):.1f}** ({min(ratios):.1f} – {max(ratios):.1f}) "
            f"| {'equal' if equal else _difference(pairs)} |"
        )
    return (
        f"{STUDENTS} submissions of {LESSON} made from the banks, whole runs from process start to "
        f"end, no feedback pages, {REPEATS} repeats, medians. Plain: nbgrader's own preprocessors. "
        "Ours: two workers, sandboxed, verdicts outside of the student's process.\n\n"
        + "\n".join(rows)
    )


def _per_minute(runs: list[Run]) -> float:
    return 60 * STUDENTS / statistics.median(r.seconds for r in runs)


def _difference(pairs: list[tuple[Run, Run]]) -> str:
    told = {
        f"{student}: {score:g} and {b.marks.get(student, 0):g}"
        for a, b in pairs
        for student, score in a.marks.items()
        if score != b.marks.get(student)
    }
    return "differ: " + ", ".join(sorted(told))


if __name__ == "__main__":
    print(run())
