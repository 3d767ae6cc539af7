"""Mechanical mutants of every solution: does its check refuse them, and name what is wrong?"""

from __future__ import annotations

from autograder import lessons
from tests.mutants import checks

TITLE = "Mutants of the solutions: what the checks refuse and name"


def run() -> str:
    """The Markdown section; hours on two cores."""
    table = checks.table(checks.judge_all(lessons.lesson_names()))
    head = "`make mutants-checks`: every mutant of every solution, against its check."
    return "\n".join([head, "", "```", table, "```"])
