"""A class of 10, 100 and 1,000 on one and on two workers: submissions a minute, memory, cost each.

`python -m benchmarks scale` writes the section of benchmarks/README.md. Lesson 01, of which a third
of the class solved all, a third half, a third nothing; each submission in its own sandbox.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

from autograder.grading.course import ROOT
from tests.scale_class import LESSON, hand_in

TITLE = "Scale"
SIZES = (10, 100, 1_000)

_RUN = """
import json, resource, sys
from pathlib import Path
from autograder.grading.classroom import Settings, grade_class
from autograder.grading.course import open_course
course = open_course(class_dir=Path(sys.argv[1]))
settings = Settings(workers=int(sys.argv[3]), feedback=False)
result = grade_class(course, sys.argv[2], settings)
assert not result.failed
own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
print(json.dumps({"seconds": result.seconds, "own": own, "marks": [l.score for l in result.lines]}))
"""


def measure(count: int, workers: int) -> dict:
    """Seconds of the run, CPU seconds with all children, peak bytes of the writing process."""
    import json

    with tempfile.TemporaryDirectory() as folder:
        hand_in(Path(folder) / "class", count)
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        told = subprocess.run(
            [sys.executable, "-c", _RUN, str(Path(folder) / "class"), LESSON, str(workers)],
            cwd=ROOT,
            env=os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {**json.loads(told.stdout), "cpu": cpu}


def run() -> str:
    """The section: a table by size and workers, marks of one and two workers compared."""
    rows, marks = [], {}
    for count in SIZES:
        for workers in (1, 2):
            got = measure(count, workers)
            marks[count, workers] = got["marks"]
            rows.append(
                f"| {count:,} | {workers} | {60 * count / got['seconds']:.0f} "
                f"| {got['seconds'] / count:.2f} | {got['cpu'] / count:.2f} "
                f"| {got['own'] / 2**20:.0f} |"
            )
    same = all(marks[count, 1] == marks[count, 2] for count in SIZES)
    head = (
        "| class | workers | submissions a minute | seconds each | CPU seconds each "
        "| peak MB of the writing process |\n|---|---|---|---|---|---|"
    )
    return "\n".join(
        [
            "Lesson 01, start and gradebook included, feedback pages not. Marks of one and two "
            f"workers are {'equal' if same else 'NOT equal'}.",
            "",
            head,
            *rows,
        ]
    )
