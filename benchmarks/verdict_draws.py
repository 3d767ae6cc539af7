"""Verdicts on banked answers at many draws, as they were last counted."""

from __future__ import annotations

import json

from tests.banks import draws

TITLE = "Verdicts that depend on the draw"


def run() -> str:
    """The Markdown section, of the counts that `python -m tests.banks.draws --keep` left."""
    return "\n".join(
        [
            "Every right and every wrong answer of the banks, judged at many seeds (`python -m",
            "tests.banks.draws --keep`, by check in `verdict_draws.json`): a verdict is the points",
            "and, of a wrong answer, the misconceptions that are named. A check that is not among",
            "them has not been counted since counts are kept.",
            "",
            draws.table(json.loads(draws.KEPT.read_text())),
        ]
    )
