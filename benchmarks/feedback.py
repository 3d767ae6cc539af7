"""Feedback pages of a class, with and without notebooks that cost a colorizer the square."""

from __future__ import annotations

import os
import shutil
import statistics
import tempfile
import time
from pathlib import Path

from tqdm import tqdm

from autograder.grading.course import ROOT, Course, open_course, source_notebook, template_of
from autograder.grading.feedback import refresh_feedback
from autograder.grading.gradebook import Marks, notebook_bytes
from autograder.grading.rebuild import is_answer
from tests.demo_class import LESSON

TITLE = "Feedback pages: a class with costly notebooks against one without"
STUDENTS = int(os.environ.get("BENCH_STUDENTS", "200"))
COSTLY = max(STUDENTS // 20, 1)
REPEATS = int(os.environ.get("BENCH_REPEATS", "3"))
CASES = (
    ("a cell of 60,000 lines of one space", " \n" * 60_000),
    ("5,000 blank lines", "x = 1\n" + "\n" * 5_000 + "y = 2"),
    ("within the caps, but slow: runs of 400 dots", ("." * 400 + "\n") * 100),
)


def make_class(place: Path, costly: str, count: int) -> Course:
    """A class with graded notebooks and marks; the first `count` have a cell of `costly`."""
    course = open_course(ROOT, class_dir=place)
    with Marks(course, LESSON) as marks:
        template = template_of(course, LESSON)
        marks.ensure_assignment(template.notebook, lambda: source_notebook(course, LESSON))
        for number in range(STUDENTS):
            notebook = template.notebook
            if number < count:
                cells = (c for c in notebook["cells"] if is_answer(c) and c["cell_type"] == "code")
                next(cells)["source"] = costly
            path = course.autograded_of(f"s{number:03}", LESSON)
            path.parent.mkdir(parents=True)
            path.write_bytes(notebook_bytes(notebook))
            marks.write(f"s{number:03}", notebook, {})
    return course


def write(course: Course) -> float:
    """Seconds for all pages of the class, from nothing."""
    shutil.rmtree(course.feedback, ignore_errors=True)
    with Marks(course, LESSON) as marks:
        standings = marks.standings()
    began = time.perf_counter()
    pages, failed = refresh_feedback(course, LESSON, standings)
    seconds = time.perf_counter() - began
    if failed or pages != STUDENTS:
        raise RuntimeError(f"{pages} of {STUDENTS} pages, {len(failed)} failed: {failed[:3]}")
    return seconds


def run() -> str:
    """Measures all cases; a Markdown section."""
    rows = ["| costly cell | without, s | with, s | ratio (least – most) |", "|---|---:|---:|---:|"]
    for title, costly in tqdm(CASES, desc="feedback", unit="case"):
        pairs = []
        with tempfile.TemporaryDirectory(prefix="bench-") as folder:
            honest = make_class(Path(folder) / "honest", costly, 0)
            mixed = make_class(Path(folder) / "mixed", costly, COSTLY)
            for _ in range(REPEATS):
                pairs.append((write(honest), write(mixed)))
        ratios = [b / a for a, b in pairs]
        rows.append(
            f"| {title} | {statistics.median(a for a, _ in pairs):.1f} "
            f"| {statistics.median(b for _, b in pairs):.1f} "
            f"| **{statistics.median(ratios):.2f}** ({min(ratios):.2f} – {max(ratios):.2f}) |"
        )
    return (
        f"{STUDENTS} students of {LESSON}, {COSTLY} of them with one costly cell; two workers, all"
        f" pages from nothing, {REPEATS} repeats in turn, medians. The colorizer alone takes"
        " minutes for the first cell, in each of these notebooks.\n\n" + "\n".join(rows)
    )


if __name__ == "__main__":
    print(run())
