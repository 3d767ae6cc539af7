"""Mutants that are the function itself, or that no exercise excludes: one sentence each, by lesson.

The key is (lesson, exercise, text before, text after) as `python -m tests.mutants.checks` prints.
"""

from __future__ import annotations

import importlib
import pkgutil

EQUIVALENT: dict[tuple[str, str, str, str], str] = {}
for _module in pkgutil.iter_modules(__path__):
    EQUIVALENT |= importlib.import_module(f"{__name__}.{_module.name}").EQUIVALENT
