"""Mutants that are the function itself, or that no exercise excludes: one sentence each, by lesson.

A module for each lesson, with its LESSON and EQUIVALENT. The key is (exercise, the line of the
solution, text before, text after), as `python -m tests.mutants.checks` prints them.
"""

from __future__ import annotations

import importlib
import pkgutil

EQUIVALENT: dict[tuple[str, str, str, str, str], str] = {}
for _found in pkgutil.iter_modules(__path__):
    _module = importlib.import_module(f"{__name__}.{_found.name}")
    EQUIVALENT |= {(_module.LESSON, *key): why for key, why in _module.EQUIVALENT.items()}
