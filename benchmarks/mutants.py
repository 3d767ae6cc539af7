"""Mechanical mutants: of the trusted code against its tests, of solutions against their checks."""

from __future__ import annotations

from autograder import lessons
from tests.mutants import checks, grader

TITLE = "Mutants: what the tests notice, and what the checks refuse"
SAMPLE = 40  # of each trusted module


def run() -> str:
    """The Markdown section; about half an hour on two cores."""
    grader.warm_up()
    lines = ["| trusted module | mutants | noticed | the same program | not noticed |"]
    lines.append("|---|---|---|---|---|")
    tried = unnoticed = 0
    for module, count, left in grader.survivors(list(grader.NEAREST), SAMPLE):
        told = sum(grader.is_explained(module, slip) for slip in left)
        alive = len(left) - told
        lines.append(f"| `{module}` | {count} | {count - len(left)} | {told} | {alive} |")
        tried, unnoticed = tried + count, unnoticed + alive
    share = f"{1 - unnoticed / tried:.0%} of {tried} noticed or the same program."
    judged = checks.judge_all(lessons.lesson_names())
    return "\n".join(
        [
            "`make mutants`: a seeded sample of each module, against its nearest tests.",
            "",
            *lines,
            "",
            f"{share} `make mutants-checks`: every mutant of every solution, against its check.",
            "",
            "```",
            checks.table(judged),
            "```",
        ]
    )
