"""The web site: how long it takes to build, with all lessons run and without, and what is wrong."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

from autograder.lessons import lesson_names

TITLE = "The web site: all lessons, solved and run"
SITE = Path(__file__).parents[1] / "build" / "site"
BUILDS = {
    "all lessons run": ("html", ["--fresh"]),
    "again, nothing changed": ("html", []),
    "without solutions, all lessons run": ("student", ["--fresh", "--student"]),
}


def _last_line(*command: str) -> tuple[str, float]:
    """What the command printed last, and its seconds. Its exit code is in its words: faults."""
    began = time.monotonic()
    told = subprocess.run([sys.executable, "-m", *command], stdout=subprocess.PIPE, text=True)
    return told.stdout.strip().split("\n")[-1], time.monotonic() - began


def run() -> str:
    """Builds both sites afresh, and opens every page of them in Chromium."""
    rows = []
    for what, (folder, how) in BUILDS.items():
        told, seconds = _last_line("website", *how)
        mebibytes = sum(p.stat().st_size for p in (SITE / folder).rglob("*") if p.is_file()) / 2**20
        rows.append(
            f"| {what} | {seconds:.0f} s | {mebibytes:.0f} MiB | {told.rpartition('; ')[2]} |"
        )
    lines = []
    for folder in ("html", "student"):
        told, seconds = _last_line("tests.browser.site_check", str(SITE / folder))
        lines.append(f"- `build/site/{folder}`: {told} ({seconds:.0f} s)")
    return _TEXT.format(
        lessons=len(lesson_names()), builds="\n".join(rows), checks="\n".join(lines)
    )


_TEXT = """\
`make site` on {lessons} lessons, two at a time, one thread each. Faults of a build are links that
lead nowhere, files fetched from a host, and lines of a solution on the pages without.

| build | time | size | |
|---|---|---|---|
{builds}

`make check-site`: every page in Chromium, from the disk. Faults are errors on the console,
requests to a host, what axe-core calls serious or critical, pages wider than a telephone, and links
that lead nowhere.

{checks}
"""
