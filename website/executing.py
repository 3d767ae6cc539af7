"""Runs the lessons' notebooks, some at a time, and keeps what they showed until something changes.

A run is kept under the digest of everything that it can depend on: the notebook's text, our own
code and models, and the installed packages.
"""

from __future__ import annotations

import hashlib
import json
import sys
import time
from concurrent.futures import ProcessPoolExecutor, as_completed
from functools import cache
from importlib.metadata import distributions
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from tqdm import tqdm

from autograder.lessons import ROOT, TEXTS
from course.files import write_whole
from tests.notebooks import executed

KEPT = ROOT / "build" / "site" / "executed"
ROOMS = ("course", "figures", "autograder")


@cache
def surroundings() -> str:
    """The digest of what every notebook can import."""
    told = hashlib.sha256(sys.version.encode())
    for name, version in sorted({(d.name, d.version) for d in distributions()}):
        told.update(f"{name} {version}\n".encode())
    for room in ROOMS:
        for path in sorted((ROOT / room).rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts and path.suffix != ".ipynb":
                told.update(f"{path.relative_to(ROOT)}\n".encode() + path.read_bytes())
    return told.hexdigest()


def place_of(lesson: str, whose: str) -> Path:
    """Where the run is kept of a lesson as it now stands."""
    text = (ROOT / TEXTS / lesson / "lesson.py").read_bytes()
    digest = hashlib.sha256(surroundings().encode() + text).hexdigest()[:16]
    return KEPT / f"{lesson}-{whose}-{digest}.ipynb"


def run(lesson: str, whose: str) -> float:
    """Runs the notebook and keeps it; the seconds that it took."""
    began = time.monotonic()
    notebook = executed(lesson, whose)
    place = place_of(lesson, whose)
    place.parent.mkdir(parents=True, exist_ok=True)
    for old in place.parent.glob(f"{lesson}-{whose}-*.ipynb"):
        old.unlink()
    write_whole(place, nbformat.writes(notebook))
    return time.monotonic() - began


def run_all(lessons: list[str], whose: str, workers: int) -> dict[str, NotebookNode]:
    """The notebooks after a run, "solved" or "unsolved"; those that are kept do not run again."""
    missing = [name for name in lessons if not place_of(name, whose).exists()]
    if missing:
        with ProcessPoolExecutor(min(workers, len(missing))) as pool:
            running = {pool.submit(run, name, whose): name for name in missing}
            for done in tqdm(as_completed(running), "running lessons", len(missing), unit="lesson"):
                tqdm.write(f"{running[done]}: {done.result():.0f} s")
    return {name: nbformat.read(place_of(name, whose), as_version=4) for name in lessons}


if __name__ == "__main__":
    for name, notebook in run_all(sys.argv[2:], sys.argv[1], 2).items():
        print(name, len(json.dumps(notebook)) // 1024, "KiB")
