"""Names of checks: `build_masks`, or `MADE.nll` for one step of the exercise `MADE`.

An exercise of several methods has a check for each, and one of the whole at the end. In a lesson's
text and in a notebook their cells are `check(MADE, "nll")` and `check(MADE)`.
"""

from __future__ import annotations

import re

_CALL = re.compile(r"""check\(\s*([^\W\d]\w*)\s*(?:,\s*["']([^\W\d]\w*)["']\s*)?\)""")


def exercise_of(name: str) -> str:
    """The exercise that a check judges: "MADE.nll" → "MADE", "MADE" → "MADE"."""
    return name.partition(".")[0]


def call_of(name: str) -> str:
    """The text of a check's cell: "MADE.nll" → `check(MADE, "nll")`."""
    exercise, _, step = name.partition(".")
    return f'check({exercise}, "{step}")' if step else f"check({exercise})"


def name_in(text: str) -> str:
    """The name of the check that a text calls, if it does nothing else; "" for any other text."""
    found = _CALL.fullmatch(text.strip())
    return ".".join(part for part in found.groups() if part) if found else ""
