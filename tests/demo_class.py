"""A small class hands in lesson 05, and is graded: `python -m tests.demo_class`, or `make demo`.

The submissions are made from the banks: full marks, several misconceptions, one handed in twice,
one late, one untouched, one that is no JSON, one that loops for ever, and one that tries to steal
marks. Everything is kept in class/demo: gradebook, graded notebooks, feedback, records, page.
"""

from __future__ import annotations

import argparse
import copy
import json
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

from nbgrader.api import Gradebook
from rich.console import Console

from autograder import lessons
from autograder.grading.classroom import ClassResult, Settings, grade_class
from autograder.grading.course import ROOT, Course, open_course, template_of
from autograder.grading.rebuild import Notebook
from autograder.grading.summary import print_result, progress_bars
from autograder.report import write_report
from autograder.sandbox.limits import Limits
from tests.banks.bank import Right, Wrong, answers_of, text_of

LESSON = "05_made"
PLACE = ROOT / "class" / "demo"
# Nothing honest in this lesson takes a tenth of it; the one that loops is stopped sooner.
LIMITS = Limits(seconds_per_cell=10, seconds_per_submission=120)

ANSWER = (
    "One mask rule serves every order: an output's degree is its place in the order,"
    " so drawing a new order only draws new masks, and $p(x)$ is averaged over them."
)


def the_class(handed_out: Notebook) -> Iterator[tuple[str, Notebook | bytes]]:
    """Each student's name and submission: a notebook, or bytes that are none."""
    exercises = lessons.load_lesson(LESSON).exercises
    solved = {name: lessons.exercise_source(LESSON, name) for name in exercises}
    # Exercises that no other builds on, so that answers of different authors fit together.
    otherwise = ("assign_degrees", "connectivity", "average_over_orders")
    rights = {a.exercise: text_of(LESSON, a) for a in _bank("right") if a.exercise in otherwise}

    def notebook(cells: dict[str, str], answer: str = "") -> Notebook:
        return filled(handed_out, cells, answer)

    yield "ada", notebook(solved, ANSWER)
    yield "ben", notebook(solved | rights, ANSWER)
    yield "cora", notebook(solved | wrong("build_masks", "output-sees-itself"), ANSWER)
    twice = wrong("assign_degrees", "degree-0") | wrong("MADE", "summed-over-batch")
    yield "dev", notebook(solved | twice)
    yield "eli", notebook(solved | wrong("MADE", "natural-order"), ANSWER)
    yield "fen", notebook({name: solved[name] for name in list(solved)[:3]})
    yield "gita", notebook({})
    yield "hugo", json.dumps(notebook(solved)).encode()[:20_000]
    yield "iris", notebook(solved | {"connectivity": "while True:\n    pass"}, ANSWER)
    yield "jonas", stealing(handed_out)


def _bank(kind: str) -> tuple[Wrong, ...] | tuple[Right, ...]:
    return answers_of(LESSON, kind)


def wrong(exercise: str, misconception: str) -> dict[str, str]:
    """The bank's wrong answer to `exercise` that shows `misconception`."""
    for answer in _bank("wrong"):
        if (answer.exercise, answer.misconception) == (exercise, misconception):
            return {exercise: text_of(LESSON, answer)}
    raise LookupError(f"the bank of {LESSON} has no {misconception} of {exercise}")


def filled(handed_out: Notebook, cells: dict[str, str], answer: str = "") -> Notebook:
    """The notebook that was handed out, with these texts in its exercise cells."""
    notebook = copy.deepcopy(handed_out)
    for cell in notebook["cells"]:
        name = cell["metadata"].get("nbgrader", {}).get("grade_id")
        if name in cells:
            cell["source"] = cells[name]
        elif answer and cell["cell_type"] == "markdown" and name:
            cell["source"] += f"\n\n{answer}"
    return notebook


def stealing(handed_out: Notebook) -> Notebook:
    """Nothing solved; checks skipped by a tag, with forged results, and `check` itself replaced."""
    notebook = copy.deepcopy(handed_out)
    for cell in notebook["cells"]:
        if cell["metadata"].get("nbgrader", {}).get("grade_id", "").startswith("check-"):
            cell["metadata"]["tags"] = ["skip-execution"]
            points = str(cell["metadata"]["nbgrader"]["points"])
            data = {"text/plain": points, "text/html": "<script>alert(1)</script>"}
            cell["outputs"] = [
                {"output_type": "execute_result", "data": data, "metadata": {},
                 "execution_count": 1}
            ]  # fmt: skip
    patch = "import autograder\nautograder.check = check = lambda subject: 99.0"
    cell = {"cell_type": "code", "id": "mine", "metadata": {}, "source": patch}
    notebook["cells"].insert(2, {**cell, "outputs": [], "execution_count": None})
    return notebook


def hand_in(course: Course, submissions: Iterable[tuple[str, Notebook | bytes]]) -> None:
    """Writes submissions in nbgrader's layout."""
    for student, submission in submissions:
        path = course.submission_of(student, LESSON)
        path.parent.mkdir(parents=True, exist_ok=True)
        raw = submission if isinstance(submission, bytes) else json.dumps(submission).encode()
        path.write_bytes(raw)


def too_early(handed_out: Notebook) -> Iterator[tuple[str, Notebook]]:
    """What one of them hands in first, with half of the exercises to do."""
    exercises = list(lessons.load_lesson(LESSON).exercises)[:3]
    yield (
        "dev",
        filled(handed_out, {name: lessons.exercise_source(LESSON, name) for name in exercises}),
    )


def keep_times(course: Course) -> None:
    """Tells the gradebook when the lesson was due, and when two of them handed in."""
    due = datetime(2026, 11, 20, 18, 0)
    with Gradebook(course.db_url, course.course_id) as gradebook:
        gradebook.update_or_create_assignment(LESSON, duedate=due)
        for student, hours in (("ben", -2), ("fen", 26)):
            when = due + timedelta(hours=hours)
            gradebook.update_or_create_submission(LESSON, student, timestamp=when)


def run(place: Path, console: Console | None = None) -> ClassResult:
    """Makes the class in `place`, which is emptied first, and grades it."""
    if place.exists():
        shutil.rmtree(place)
    course = open_course(ROOT, class_dir=place)
    handed_out = template_of(course, LESSON).notebook
    # These submissions are ours: where there is no sandbox, the demonstration runs all the same.
    settings = Settings(limits=LIMITS, trust_submissions=True)
    hand_in(course, too_early(handed_out))
    grade_class(course, LESSON, replace(settings, feedback=False, workers=1))
    hand_in(course, the_class(handed_out))
    with progress_bars(console or Console(stderr=True)) as progress:
        result = grade_class(course, LESSON, settings, progress=progress)
    keep_times(course)
    return result


def main() -> None:
    """Runs the demonstration, prints its table, and writes the class page."""
    parser = argparse.ArgumentParser(prog="python -m tests.demo_class", description=__doc__)
    parser.add_argument("--class-dir", type=Path, default=PLACE, help="emptied, then filled")
    result = run(parser.parse_args().class_dir)
    print_result(result, Console())
    print(f"report: {write_report(result.course, LESSON)}")


if __name__ == "__main__":
    main()
