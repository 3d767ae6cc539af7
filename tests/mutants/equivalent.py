"""Mutants that are the function itself, or that no exercise excludes: one sentence each.

The key is (lesson, exercise, text before, text after) as `python -m tests.mutants.checks` prints.
"""

EQUIVALENT: dict[tuple[str, str, str, str], str] = {}
