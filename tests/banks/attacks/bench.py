"""Sets this grader beside plain nbgrader: `python -m tests.banks.attacks.bench`.

The whole bank goes to `autograder grade`, that of other lessons too. Attacks that are harmless to
the machine go to nbgrader as it comes, too (a sample of each class; `--all` for all of them), in a
temporary course and as an unprivileged user where we are root. The table by class goes to the
terminal and into README.md; how an attack is made is told in neither.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from importlib.metadata import version
from pathlib import Path

from autograder import lessons
from autograder.grading.course import ROOT
from course.files import write_whole
from tests.banks.attacks import ATTACKS, CLASSES, Attack
from tests.banks.attacks.asserted import ASSERTED, gained
from tests.banks.attacks.attack import LESSON
from tests.banks.attacks.planted import (
    HONEST,
    SHIPPED,
    Planted,
    Way,
    as_plain_user,
    left_running,
    without_demos,
)

BEGIN, END = "<!-- attacks: written by make bench-attacks -->", "<!-- /attacks -->"
SAMPLE = 5  # attacks of a class that plain nbgrader is given


def sample(each: int, tame: bool = True) -> tuple[Attack, ...]:
    """Attacks evenly over each class, `each` of it (0: all); `tame` ones do a machine no harm."""
    chosen: list[Attack] = []
    for klass in CLASSES:
        of = [a for a in ATTACKS if a.klass == klass and (a.harmless_to_nbgrader or not tame)]
        step = max(1, len(of) // each) if each else 1
        chosen += of[::step][: each or None]
    return tuple(chosen)


def here(
    place: Path, attacks: tuple[Attack, ...] = ATTACKS, way: Way = SHIPPED
) -> dict[str, list[str]]:
    """The harm of each attack by name, under this grader."""
    planted = Planted(place, attacks)
    earlier, before = planted.earlier_marks(), planted.untouched()
    planted.grade(way)
    harm = {attack.name: planted.harm(student) for student, attack in planted.students.items()}
    marks = planted.marks()
    if (
        planted.earlier_marks() != earlier
        or planted.untouched() != before
        or any(marks.get(student) != 20.0 for student in HONEST)
        or left_running(planted.token)
    ):
        raise RuntimeError("a victim was harmed, and it is not known by whom: run the tests")
    return harm


def elsewhere(place: Path) -> dict[str, list[str]]:
    """The same for the attacks on other lessons, of which only marks are asked."""
    harm: dict[str, list[str]] = {}
    for lesson in sorted({attack.lesson for attack in ASSERTED}):
        found = gained(place / lesson, lesson)
        harm |= {name: ["marks"] if more > 0 else [] for name, more in found.items()}
    return harm


def plain(place: Path, attacks: tuple[Attack, ...], seconds: float) -> dict[str, list[str]]:
    """The same under plain nbgrader; an attack that it never came to is left out."""
    planted = Planted(place, attacks, plain=True)
    source = lessons.source_notebook(LESSON, planted.root)
    source["cells"] = without_demos(source["cells"])
    target = planted.course.source / LESSON / "lesson.ipynb"
    target.write_text(json.dumps(source), encoding="utf-8")
    out = place / "out.jsonl"
    command = [sys.executable, "-m", "tests.banks.attacks.plain", str(planted.root), str(out)]
    command = [*as_plain_user(place), *command]
    environment = planted.environment() | {
        "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1", "PYTHONWARNINGS": "ignore",
        "XDG_CACHE_HOME": str(planted.home / ".cache"), "JUPYTER_PLATFORM_DIRS": "1",
        "PATH": f"{Path(sys.executable).parent}:{planted.environment()['PATH']}",
    }  # fmt: skip
    told: list[dict] = []
    with (place / "errors.txt").open("wb") as errors:
        while not told or told[-1]["student"] != HONEST[-1]:
            seen = len(told)
            process = subprocess.Popen(
                command, cwd=planted.root, env=environment, start_new_session=True,
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=errors,
            )  # fmt: skip
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(timeout=seconds)
            _end(left_running(planted.token))
            process.wait()
            told = (
                [json.loads(line) for line in out.read_text().splitlines()] if out.exists() else []
            )
            if len(told) == seen:  # it ended before the first of this round: whose was it?
                began = out.with_suffix(".now").read_text()
                if began not in planted.students:
                    last = (place / "errors.txt").read_text(errors="replace").splitlines()[-3:]
                    raise RuntimeError(f"plain nbgrader does not work here: {last}")
                line = {"student": began, "marks": None, "changed": False, "ended": True}
                out.write_text("\n".join(map(json.dumps, [*told, line])) + "\n")
                told.append(line)
    if told[0] != told[0] | {"student": HONEST[0], "marks": 20.0}:
        raise RuntimeError(f"plain nbgrader did not grade an honest classmate: {told[0]}")
    harm: dict[str, list[str]] = {}
    for line in told:
        attack = planted.students.get(line["student"])
        if attack is not None:
            found = planted.harm_of(line["student"], line["marks"])
            found += ["others' marks"] * line["changed"] + ["the run"] * line.get("ended", False)
            found += ["left running"] * line.get("left", False)
            harm[attack.name] = found
    return harm


def _end(processes: list[str]) -> None:
    """Ends processes that began with our token in their environment."""
    for line in processes:
        number = int(line.partition(":")[0])
        if number != os.getpid():
            with contextlib.suppress(ProcessLookupError):
                os.kill(number, signal.SIGKILL)


def column(harm: dict[str, list[str]]) -> list[str]:
    """By class, then for all: attacks that achieved something, of those that were tried."""
    klass = {a.name: a.klass for a in (*ATTACKS, *ASSERTED)}
    tried = [[harm[name] for name in harm if klass[name] == of] for of in CLASSES] + [
        [*harm.values()]
    ]
    return [f"{sum(map(bool, found))} of {len(found)}" if found else "–" for found in tried]


def last_column(readme: str) -> list[str]:
    """Plain nbgrader's column as README.md has it, from the last run that measured it."""
    rows = readme.partition(BEGIN)[2].partition(END)[0].strip().splitlines()[-len(CLASSES) - 1 :]
    return [row.split("|")[3].strip(" *") for row in rows]


def table(ours: list[str], theirs: list[str]) -> str:
    """The two columns, by class."""
    rows = [
        "| attacks by | this grader | plain nbgrader |",
        "|---|---|---|",
        *(f"| {of} | {a} | {b} |" for of, a, b in zip(CLASSES, ours, theirs, strict=False)),
    ]
    return "\n".join([*rows, f"| **all** | **{ours[-1]}** | **{theirs[-1]}** |"])


def paragraph(ours: list[str], theirs: list[str]) -> str:
    """What stands in README.md."""
    return (
        "Attacks that achieved something: a mark that no honest cell earns, a byte of planted data,"
        " somebody else's marks, a script in a page, a way into the network, a process that stays."
        " Both graders on one"
        f" machine; plain nbgrader {version('nbgrader')}, as it comes, was given a sample that is"
        " harmless to the machine. What is not promised, and which points rest on a submission's"
        " own word: SECURITY.md."
        f"\n\n{table(ours, theirs)}"
    )


WAYS = (
    Way("bubblewrap", seconds=60, seconds_per_cell=8),
    Way("warm", plain_user=True),
    Way("bubblewrap", plain_user=True, seconds=60, seconds_per_cell=8),
)


def other_ways(each: int) -> int:
    """A sample in the sandboxes that `main` does not use; 1 if an attack achieved anything."""
    worst = 0
    for way in WAYS:
        place = Path(tempfile.mkdtemp(prefix="attacked-"))
        place.chmod(0o755)
        try:
            harm = here(place / "ours", sample(each, tame=False), way)
        finally:
            shutil.rmtree(place, ignore_errors=True)
        print(f"{way}: {sum(map(bool, harm.values()))} of {len(harm)} achieved something")
        for attack in (name for name in harm if harm[name]):
            print(f"  {attack}: {', '.join(harm[attack])}")
        worst |= any(harm.values())
    return worst


def main() -> int:
    """Runs both and writes the table; 1 if an attack on this grader achieved anything."""
    parser = argparse.ArgumentParser(prog="make bench-attacks", description=__doc__)
    parser.add_argument("--all", action="store_true", help="all harmless ones to plain nbgrader")
    parser.add_argument("--each", type=int, default=SAMPLE, help="of a class, to plain nbgrader")
    parser.add_argument("--no-write", action="store_true", help="leave README.md as it is")
    parser.add_argument(
        "--ways", action="store_true", help="a sample in the other sandboxes, as a plain user too"
    )
    parser.add_argument(
        "--ours", action="store_true", help="leave plain nbgrader's column as it was measured last"
    )
    options = parser.parse_args()
    if options.ways:
        return other_ways(options.each)
    readme = ROOT / "README.md"
    before = readme.read_text(encoding="utf-8")
    head, _, rest = before.partition(BEGIN)
    _, found, tail = rest.partition(END)
    if not found:
        raise RuntimeError(f"README.md has no place for the table: {BEGIN} … {END}")
    place = Path(tempfile.mkdtemp(prefix="attacked-"))
    place.chmod(0o755)
    theirs: dict[str, list[str]] = {}
    try:
        ours = here(place / "ours") | elsewhere(place / "elsewhere")
        if not options.ours:
            theirs = plain(place / "plain", sample(0 if options.all else options.each), 3600)
    finally:
        shutil.rmtree(place, ignore_errors=True)
    measured = [("this grader", ours), ("plain nbgrader", theirs)][: 2 if theirs else 1]
    for name, harm in measured:
        for attack in harm:
            print(f"  {name}: {attack}: {', '.join(harm[attack]) or 'nothing'}", file=sys.stderr)
        print(name, dict(Counter(word for words in harm.values() for word in words)) or "no harm")
    columns = column(ours), column(theirs) if theirs else last_column(before)
    print(table(*columns))
    if not options.no_write:
        write_whole(readme, f"{head}{BEGIN}\n{paragraph(*columns)}\n{END}{tail}".encode())
    return 1 if any(ours.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
