"""Reads results that take longer than a notebook waits, and were kept.

    from course import stored

    stored.rows("images_as_tokens")      # a dictionary for each trained model

They lie in `course/measured/`; `python -m benchmarks.images_and_scale` makes them anew.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

NAMES = ("images_as_tokens", "small_scaling")


def path_of(name: str) -> Path:
    """The file that holds the results called `name`.

    Raises:
        ValueError: another name.
    """
    if name not in NAMES:
        raise ValueError(f"stored results are called {' or '.join(NAMES)}: got {name!r}")
    return Path(__file__).parent / "measured" / f"{name}.json"


def rows(name: str) -> list[dict[str, Any]]:
    """What is stored under `name`: a dictionary for each trained model, in a fixed order."""
    return json.loads(path_of(name).read_text(encoding="utf-8"))
