"""How long `make test` takes, and where: the whole suite as it runs in CI.

`python -m benchmarks.suite` runs it and prints the section; `BENCH_TESTS` names some files only.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from xml.etree import ElementTree

from autograder.closure import ROOT

TITLE = "The tests: `make test` on two cores"
WORKERS = 2
FILES = 12  # that are listed
AIM = 35  # minutes


def run() -> str:
    """Runs the suite; a Markdown section. Raises RuntimeError if a test fails."""
    tests = os.environ.get("BENCH_TESTS", "").split()
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        command = [sys.executable, "-m", "pytest", "-n", str(WORKERS), "--dist", "loadgroup"]
        single = {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
        began, before = time.monotonic(), _processor_time()
        done = subprocess.run(
            [*command, f"--junitxml={report}", *tests], cwd=ROOT, env=os.environ | single
        )
        minutes, spent = (time.monotonic() - began) / 60, (_processor_time() - before) / 60
        cases = list(ElementTree.parse(report).iter("testcase"))
    failed = [c for c in cases if c.find("failure") is not None or c.find("error") is not None]
    if failed or done.returncode:
        names = [f"{c.get('classname')}::{c.get('name')}" for c in failed]
        raise RuntimeError(f"{len(failed)} of {len(cases)} tests failed: {names[:5]}")
    skipped = sum(c.find("skipped") is not None for c in cases)
    seconds: Counter[str] = Counter()
    for case in cases:
        seconds[case.get("classname", "").replace(".", "/") + ".py"] += float(case.get("time", 0))
    rows = [f"| `{file}` | {spent:.0f} |" for file, spent in seconds.most_common(FILES)]
    return "\n".join(
        [
            f"{len(cases) - skipped:,} tests passed and {skipped} were skipped in {minutes:.1f}",
            f"minutes, with {spent:.0f} minutes of processor time; at most {AIM} are aimed at.",
            "What takes longest (seconds of one worker, what waits for a sandbox included):",
            "",
            "| file | s |",
            "|---|---:|",
            *rows,
        ]
    )


def _processor_time() -> float:
    """Seconds of processor time of the children that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    print(run())
