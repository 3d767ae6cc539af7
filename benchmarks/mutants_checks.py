"""Mechanical mutants of the solutions against their checks, as they were last counted."""

from __future__ import annotations

import json

from tests.mutants import checks

TITLE = "Mutants of the solutions: what the checks refuse, and what they name"


def run() -> str:
    """The Markdown section, of the counts that `python -m tests.mutants.checks --keep` left."""
    counts = json.loads(checks.KEPT.read_text())
    return "\n".join(
        [
            "Every mechanical mutant of a solution, judged by its own check (`python -m",
            "tests.mutants.checks --keep`, by exercise in `mutants_checks.json`); an exercise",
            "that is not among them has not been counted since counts are kept. What earns",
            "full marks and is the same function has a sentence in `tests/mutants/equivalent`. A",
            "refused one is named if its card tells a mistake; a reason is an exception, a shape,",
            "a kind of value.",
            "",
            checks.table(counts),
        ]
    )
