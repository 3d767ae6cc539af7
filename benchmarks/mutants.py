"""Mechanical mutants of the trusted code against its tests, as they were last counted."""

from __future__ import annotations

import json

from tests.mutants import grader

TITLE = "Mutants of the trusted code: what the tests notice"


def run() -> str:
    """The Markdown section, of the counts that `make mutants` left."""
    kept = json.loads(grader.KEPT.read_text())
    lines = ["| trusted module | mutants | noticed | the same program | not noticed |"]
    lines.append("|---|---:|---:|---:|---:|")
    tried = unnoticed = 0
    for module in grader.NEAREST:
        if module not in kept:
            lines.append(f"| `{module}` | not counted since counts are kept | | | |")
            continue
        count, same, alive = (
            kept[module]["mutants"],
            len(kept[module]["explained"]),
            len(kept[module]["survivors"]),
        )
        lines.append(f"| `{module}` | {count} | {count - same - alive} | {same} | {alive} |")
        tried, unnoticed = tried + count, unnoticed + alive
    return "\n".join(
        [
            "`make mutants`: a seeded sample of each module, against its nearest tests. What",
            "survived stands in `mutants_grader.json`; why it may, in `tests/mutants/grader.py`.",
            "",
            *lines,
            "",
            f"{1 - unnoticed / tried:.0%} of {tried} noticed or the same program.",
        ]
    )
