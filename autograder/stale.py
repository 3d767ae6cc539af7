"""Cells that were edited and not run again: what a card can tell of them.

Only a Jupyter server says which file a kernel belongs to, and only what was saved can be read.
Where either is missing nothing is said.
"""

from __future__ import annotations

import ast
import json
import os
import time
from pathlib import Path
from typing import Any

_ran: dict[str, float] = {}  # the text of each cell that ran, and when; the last one last


def watch_cells() -> None:
    """Keeps from now on, in a kernel, which cells are run and when."""
    try:
        from IPython import get_ipython
    except ImportError:
        return
    shell = get_ipython()
    if hasattr(shell, "kernel") and _keep not in shell.events.callbacks["pre_run_cell"]:
        shell.events.register("pre_run_cell", _keep)


def _keep(info: Any) -> None:
    _ran.pop(info.raw_cell, None)
    _ran[info.raw_cell] = time.time()


def stale_cell(name: str) -> str:
    """A sentence, if the saved cell that defines `name` is newer than the one that ran; else ""."""
    ran = next(((text, at) for text, at in reversed(_ran.items()) if defines(text, name)), None)
    path = Path(os.environ.get("JPY_SESSION_NAME", ""))
    if ran is None or path.suffix != ".ipynb":
        return ""
    try:
        saved_at = path.stat().st_mtime
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        texts = ["".join(c["source"]) for c in cells if c["cell_type"] == "code"]
    except (OSError, ValueError, KeyError, TypeError):
        return ""
    saved = [text for text in texts if defines(text, name)]
    if len(saved) != 1 or saved_at <= ran[1] or saved[0].strip() == ran[0].strip():
        return ""
    return f"The cell of {name} was edited after it ran: run it again, and then this check."


def defines(text: str, name: str) -> bool:
    """Whether a cell's text defines the function or class `name` at its top."""
    if name not in text:
        return False
    try:
        body = ast.parse(text).body
    except (SyntaxError, ValueError):
        return False
    kinds = ast.FunctionDef | ast.ClassDef
    return any(isinstance(node, kinds) and node.name == name for node in body)
