"""A check can be read: none of its functions is longer than a page."""

from __future__ import annotations

import ast
from pathlib import Path

import autograder.checks
import autograder.diagnosis

LINES = 120


def test_no_function_of_a_check_is_longer_than_a_page():
    places = [Path(package.__path__[0]) for package in (autograder.checks, autograder.diagnosis)]
    functions = [
        (path.name, node.name, (node.end_lineno or 0) - node.lineno + 1)
        for place in places
        for path in sorted(place.glob("*.py"))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef)
    ]
    assert len(functions) > 1_000
    assert [one for one in functions if one[2] > LINES] == []
