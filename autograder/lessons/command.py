"""The command line of `python -m autograder.lessons`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from autograder.lessons.lesson import ROOT, LessonError
from autograder.lessons.releasing import build, differences
from autograder.lessons.term import TermError


def main(arguments: list[str] | None = None) -> int:
    """`build` or `check` lessons; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m autograder.lessons", description=main.__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    for command, what in (
        ("build", "write the notebooks of the lessons"),
        ("check", "say which built notebooks differ from a fresh build"),
    ):
        sub = commands.add_parser(command, help=what, description=what)
        sub.add_argument("--root", type=Path, default=ROOT, help="the folder that holds solutions/")
        sub.add_argument("names", nargs="*", help="lessons, like 05_made, 05 or made (default all)")
    given = parser.parse_args(arguments)
    try:
        if given.command == "build":
            changed = build(given.names, given.root)
            print("\n".join(f"wrote {path}" for path in changed) or "nothing changed")
            return 0
        told = differences(given.names, given.root)
        print("\n".join(told) or "all built notebooks are fresh")
        return 1 if told else 0
    except (LessonError, TermError) as error:
        print(error, file=sys.stderr)
        return 1
