"""A feedback page to write: what goes to the worker that makes it."""

from __future__ import annotations

from dataclasses import dataclass

SECONDS = 30.0  # that a page may take
MARK = "\n<!-- autograder feedback {key} -->\n"  # ends each page


@dataclass(frozen=True)
class Page:
    """One page to write: whose, the key to put in, and whether to make it of plain text."""

    student: str
    key: str
    plain: bool = False
