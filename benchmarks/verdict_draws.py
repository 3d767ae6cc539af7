"""Verdicts on banked answers at many draws, as they were last counted."""

from __future__ import annotations

import json

from tests.banks import bank, draws

TITLE = "Verdicts that depend on the draw"


def run() -> str:
    """The Markdown section, of the counts that `python -m tests.banks.draws --keep` left."""
    counts = json.loads(draws.KEPT.read_text())
    counted = sum(one["answers"] for checks in counts.values() for one in checks.values())
    there = sum(
        len(bank.answers_of(lesson, kind))
        for lesson in bank.lessons_with("wrong")
        for kind in ("right", "wrong")
    )
    return "\n".join(
        [
            "Every right and every wrong answer of the banks, judged at many seeds (`python -m",
            "tests.banks.draws --keep`, by check in `verdict_draws.json`): a verdict is the points",
            "and, of a wrong answer, the misconceptions that are named. A check that is not among",
            "them has not been counted since counts are kept, and a check keeps its count until it",
            f"is counted again: of the {there:,} answers that the banks hold now,",
            f"{there - counted:,} are newer than the count of their check.",
            "",
            draws.table(counts),
        ]
    )
