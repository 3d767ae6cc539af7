"""Runs every student's notebook in an imitation of Colab, and tells what each showed.

`python -m tests.colab` (`make colab`): all lessons and appendices unsolved, two lessons solved.
Each notebook meets a runtime without the course, as a student's is, and its own first cell installs
it. Names of lessons after the command choose some, and so does "solved" or "unsolved". The exit
code is 1 if a notebook shows a fault.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

from nbclient import NotebookClient
from nbformat import NotebookNode

from autograder import lessons
from autograder.steps import name_in
from tests.colab import runtime
from website.executing import SECONDS_A_CELL, faults_of_run, fresh_notebook

SOLVED = ("05_made", "12_gpt2")  # widgets of every kind, and files of the package
KINDS = {"unsolved", "solved"}
FIRST = 30  # seconds that the first cell may take
OURS = "autoregressive-course"


@dataclass
class Seen:
    """What a notebook showed: seconds of its first cell and of all, cards, and faults in words."""

    first: float = 0.0
    seconds: float = 0.0
    cards: dict[str, str] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)


def run(notebook: NotebookNode, kernel: str, folder: Path) -> Seen:
    """Executes a notebook's cells in order, whatever they raise."""
    seen, began = Seen(), time.monotonic()
    client = NotebookClient(
        notebook,
        timeout=SECONDS_A_CELL,
        allow_errors=True,
        kernel_name=kernel,
        resources={"metadata": {"path": str(folder)}},
    )

    async def cells() -> None:
        async with client.async_setup_kernel():
            for number, cell in enumerate(notebook.cells):
                at = time.monotonic()
                await client.async_execute_cell(cell, number)
                if "setup" in cell.metadata.get("tags", []):
                    seen.first = time.monotonic() - at

    asyncio.run(cells())
    seen.seconds = time.monotonic() - began
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            if output.output_type == "execute_result" and (name := name_in(cell.source)):
                seen.cards[name] = output.data.get("text/html", "")
    if seen.first > FIRST:
        seen.faults.append(f"its first cell took {seen.first:.0f} s: {FIRST} s are the most")
    return seen


def judged(lesson: str, whose: str, notebook: NotebookNode, seen: Seen) -> list[str]:
    """The faults of a run, the cards that do not say what they should among them."""
    wanted = "every claim holds" if whose == "solved" else "not attempted"
    asked = list(lessons.load_lesson(lesson).checks)
    silent = [name for name in asked if wanted not in seen.cards.get(name, "")]
    return [*faults_of_run(lesson, notebook), *seen.faults] + [
        f"the card of {name} does not say {wanted!r}" for name in silent
    ]


def main(chosen: list[str]) -> int:
    """Makes the runtime and runs the notebooks; 1 if there was a fault, else 0."""
    python = runtime.install()
    everything = [*lessons.lesson_names(), *lessons.appendix_names()]
    packages = {name for lesson in everything for name in lessons.load_lesson(lesson).colab}
    remove = [str(python), "-m", "pip", "uninstall", "--quiet", "--yes", OURS, *sorted(packages)]
    subprocess.run(remove, check=True, stderr=subprocess.DEVNULL)  # of an earlier run
    before = runtime.installed(python)
    print(
        ", ".join(f"{pin}" for pin in (f"Python {runtime.PYTHON}", *runtime.PINS, *runtime.WIDGETS))
    )
    runs = [(lesson, "unsolved") for lesson in everything]
    runs += [(lesson, "solved") for lesson in SOLVED]
    for asked in (set(chosen) - KINDS, set(chosen) & KINDS):
        runs = [run for run in runs if not asked or asked & set(run)]
    bad = 0
    with tempfile.TemporaryDirectory() as scratch:
        place = Path(scratch)
        variables = runtime.environment(runtime.repository(place / "github"))
        with runtime.kernelspec(python, place / "jupyter", variables) as kernel:
            for lesson, whose in runs:
                subprocess.run(remove, check=True, stderr=subprocess.DEVNULL)
                work = Path(tempfile.mkdtemp(dir=place))
                notebook = fresh_notebook(lesson, whose)
                seen = run(notebook, kernel, work)
                faults = judged(lesson, whose, notebook, seen)
                now = runtime.installed(python)
                moved = [name for name, version in before.items() if now.get(name) != version]
                faults += [f"the first cell moved {name}" for name in moved]
                told = f"{seen.first:4.0f} s first cell, {seen.seconds:4.0f} s in all"
                print(f"{lesson:<22} {whose:<9} {told}, {len(seen.cards):2} cards", flush=True)
                for fault in faults:
                    print(f"    {fault}", flush=True)
                bad += bool(faults)
    print("no fault" if not bad else f"{bad} notebooks with faults")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
