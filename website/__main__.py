"""`python -m website [--student] [LESSON …]`: builds the site and looks through what it built.

No link may lead nowhere, no page may fetch anything from a host, and the site without solutions
may hold no line of one.
"""

from __future__ import annotations

import argparse
import sys
import time

from autograder.lessons import ROOT, appendix_names, find_lesson, lesson_names, load_lesson
from website.building import build, guides, write_sources
from website.executing import RunError, run_all
from website.links import faults
from website.secrets import leaks

SITE = ROOT / "build" / "site"


def main(arguments: list[str] | None = None) -> int:
    """Builds the site, all lessons or those named; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m website", description=main.__doc__)
    parser.add_argument("lessons", nargs="*", help="like 05_made, 05 or made (default all)")
    parser.add_argument("--student", action="store_true", help="leave the solutions out")
    parser.add_argument("--workers", type=int, default=2, help="lessons that run at a time")
    parser.add_argument("--fresh", action="store_true", help="run also lessons that are kept")
    given = parser.parse_args(arguments)
    began = time.monotonic()
    everything = [*lesson_names(), *appendix_names()]
    names = [find_lesson(name) for name in given.lessons] or everything
    whose, name = ("unsolved", "student") if given.student else ("solved", "html")
    try:
        notebooks = run_all(names, whose, given.workers, given.fresh)
    except RunError as error:
        print(error, file=sys.stderr)
        return 1
    ran = time.monotonic()
    write_sources(notebooks, SITE / f"{name}.sources", solved=not given.student)
    build(SITE / f"{name}.sources", SITE / name)
    wrong = faults(SITE / name)
    if given.student:
        wrong += leaks(SITE / name, map(load_lesson, lesson_names()), guides().values())
    print("\n".join(wrong), file=sys.stderr)
    seconds = time.monotonic() - began
    print(
        f"{SITE.relative_to(ROOT) / name}/index.html: {len(names)} lessons, {seconds:.0f} s,"
        f" of which the notebooks ran {ran - began:.0f}; {len(wrong)} faults"
    )
    return bool(wrong)


if __name__ == "__main__":
    raise SystemExit(main())
