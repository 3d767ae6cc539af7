"""Runs the lessons' notebooks, some at a time, and keeps what they showed until something changes.

A run is kept under the digest of everything that it can depend on: the lesson's text, the files
that its code reaches, how notebooks are built and run, and the installed packages. A cell that
raises, or warns, is a fault of the site, unless it says that it means to.
"""

from __future__ import annotations

import hashlib
import os
import re
import sys
import sysconfig
import tempfile
import time
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor, as_completed
from functools import cache
from importlib.metadata import distributions
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from nbformat import NotebookNode
from tqdm import tqdm

from autograder import lessons
from autograder.closure import closure
from autograder.handout import code_of
from autograder.lessons import ROOT
from course.files import write_whole
from website import recording

KEPT = ROOT / "build" / "site" / "executed"
SECONDS_A_CELL = 300
MEANT = "raises-exception"  # Jupyter's tag for a cell whose exception belongs to the lesson
BAR = re.compile(r"\d%\||\d+ ?\w* ?\[\d+:\d\d")  # a line of tqdm's, with its total or without


class RunError(RuntimeError):
    """Cells that did what no reader should meet: a sentence for each, with lesson and cell."""


def fresh_notebook(lesson: str, whose: str) -> NotebookNode:
    """The lesson's notebook, built from its text: "solved" (instructor's) or "unsolved"."""
    if whose == "solved" or lesson in lessons.appendix_names():
        return lessons.source_notebook(lesson)
    fresh = lessons.render([lessons.load_lesson(lesson)])
    released = fresh[lessons.RELEASE / lesson / "lesson.ipynb"]
    return nbformat.reads(released.decode(), as_version=4)


def notebooks_beside(lesson: str, whose: str) -> dict[str, NotebookNode]:
    """What an appendix finds beside it: the lessons that it builds upon, solved or not."""
    read = lessons.load_lesson(lesson)
    names = read.prerequisites if read.is_appendix else ()
    return {name: fresh_notebook(name, whose) for name in names}


def execute(
    notebook: NotebookNode, beside: Mapping[str, NotebookNode] | None = None
) -> NotebookNode:
    """The notebook after a run, whatever its cells raise, in a folder of its own.

    What widgets would answer on a page stands in its metadata: see `website.recording`. `beside`
    are notebooks that lie in folders beside its own, name → notebook, as those of a course do.
    """
    answers: dict[str, dict] = {}

    async def executed(cell: NotebookNode, **_: object) -> None:
        answers.update(await recording.record_answers(client, cell))

    with tempfile.TemporaryDirectory() as course:
        for name, other in (beside or {}).items():
            write_whole(Path(course) / name / "lesson.ipynb", nbformat.writes(other))
        folder = Path(course) / "here"
        folder.mkdir()
        client = NotebookClient(
            notebook,
            timeout=SECONDS_A_CELL,
            allow_errors=True,
            kernel_name="python3",
            resources={"metadata": {"path": str(folder)}},
            on_cell_executed=executed,
        )
        # One thread: tiny networks gain nothing from two, and lose much beside other lessons.
        client.execute(env=os.environ | {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"})
    notebook.metadata["answers"] = answers
    return notebook


def faults_of_run(lesson: str, notebook: NotebookNode) -> list[str]:
    """A sentence for each cell that raised, or wrote on stderr what is no progress bar."""
    found = []
    for number, cell in enumerate(notebook.cells, 1):
        told = f"{lesson}: cell {number} ({_called(cell)})"
        for output in cell.get("outputs", []):
            if output.output_type == "error" and MEANT not in cell.metadata.get("tags", []):
                said = output.evalue.strip().split("\n")[0]
                found.append(f"{told} raised {output.ename}: {said}")
            elif output.output_type == "stream" and output.name == "stderr":
                # A bar begins its line anew by "\r": what else was written may stand between.
                lines = [line.strip() for line in output.text.splitlines()]
                if said := " ".join(line for line in lines if line and not BAR.search(line)):
                    found.append(f"{told} wrote on stderr: {said[:200]}")
    return found


def _called(cell: NotebookNode) -> str:
    """nbgrader's name for the cell, or its first line."""
    name = cell.metadata.get("nbgrader", {}).get("grade_id")
    return name or cell.source.strip().split("\n")[0][:80]


@cache
def packages() -> str:
    """Python and everything that is installed, by version.

    Not what stands on `sys.path`: setuptools, once imported, puts its own copies of packages there.
    """
    places = sorted({sysconfig.get_path(of) for of in ("purelib", "platlib")})
    found = sorted({f"{d.name} {d.version}" for d in distributions(path=places)})
    return "\n".join([sys.version, *found])


def place_of(lesson: str, whose: str) -> Path:
    """Where the run is kept of a lesson as it now stands."""
    read = lessons.load_lesson(lesson)
    ours = (Path(lessons.__file__), Path(__file__), Path(recording.__file__))
    told = hashlib.sha256(packages().encode())
    others = map(lessons.load_lesson, read.prerequisites if read.is_appendix else ())
    texts = {read.path, *(other.path for other in others)}
    for path in sorted({*texts, *closure([*ours, *code_of([read])])}):
        told.update(f"{path.relative_to(ROOT)}\n".encode() + path.read_bytes())
    return KEPT / f"{lesson}-{whose}-{told.hexdigest()[:16]}.ipynb"


def run(lesson: str, whose: str) -> float:
    """Runs the notebook and keeps it; the seconds that it took. RunError if a cell has a fault."""
    began = time.monotonic()
    try:
        notebook = execute(fresh_notebook(lesson, whose), notebooks_beside(lesson, whose))
    except (CellTimeoutError, CellExecutionError, DeadKernelError) as error:
        said = str(error).strip().split("\n")[0]  # these exceptions do not travel: say it here
        raise RunError(f"{lesson} did not run to its end: {said}") from None
    if faults := faults_of_run(lesson, notebook):
        raise RunError("\n".join(faults))
    place = place_of(lesson, whose)
    place.parent.mkdir(parents=True, exist_ok=True)
    for old in place.parent.glob(f"{lesson}-{whose}-*.ipynb"):
        old.unlink()
    write_whole(place, nbformat.writes(notebook))
    return time.monotonic() - began


def run_all(
    names: list[str], whose: str, workers: int, fresh: bool = False
) -> dict[str, NotebookNode]:
    """The notebooks after a run, "solved" or "unsolved"; those that are kept run again if `fresh`.

    RunError, when all have run, tells every cell that has a fault.
    """
    missing = [name for name in names if fresh or not place_of(name, whose).exists()]
    faults: list[str] = []
    if missing:
        with ProcessPoolExecutor(min(workers, len(missing))) as pool:
            running = {pool.submit(run, name, whose): name for name in missing}
            for done in tqdm(as_completed(running), "running lessons", len(missing), unit="lesson"):
                try:
                    tqdm.write(f"{running[done]}: {done.result():.0f} s")
                except RunError as error:
                    faults.append(str(error))
    if faults:
        raise RunError("\n".join(faults))
    return {name: nbformat.read(place_of(name, whose), as_version=4) for name in names}
