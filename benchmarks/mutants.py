"""Mechanical mutants of the trusted code: does a test notice that a part of it is wrong?"""

from __future__ import annotations

from tests.mutants import grader

TITLE = "Mutants of the trusted code: what the tests notice"
SAMPLE = 40  # of each trusted module


def run() -> str:
    """The Markdown section; an hour on two cores."""
    grader.warm_up()
    lines = ["| trusted module | mutants | noticed | the same program | not noticed |"]
    lines.append("|---|---|---|---|---|")
    tried = unnoticed = 0
    for module, count, left in grader.survivors(list(grader.NEAREST), SAMPLE):
        told = sum(grader.is_explained(module, slip) for slip in left)
        alive = len(left) - told
        lines.append(f"| `{module}` | {count} | {count - len(left)} | {told} | {alive} |")
        print(lines[-1], flush=True)
        tried, unnoticed = tried + count, unnoticed + alive
    share = f"{1 - unnoticed / tried:.0%} of {tried} noticed or the same program."
    head = "`make mutants`: a seeded sample of each module, against its nearest tests."
    return "\n".join([head, "", *lines, "", share])
