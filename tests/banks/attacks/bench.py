"""Sets this grader beside plain nbgrader: `python -m tests.banks.attacks.bench`.

The whole bank goes to `autograder grade`. Attacks that are harmless to the machine go to nbgrader
as it comes, too (a sample of each class; `--all` for all of them), in a temporary course and as an
unprivileged user where we are root. The table by class goes to the terminal and into README.md; how
an attack is made is told in neither.
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
from tests.banks.attacks.attack import LESSON
from tests.banks.attacks.planted import HONEST, Planted, left_running, without_demos

BEGIN, END = "<!-- attacks: written by make bench-attacks -->", "<!-- /attacks -->"
NOBODY = 65534
SAMPLE = 5  # attacks of a class that plain nbgrader is given


def sample(each: int) -> tuple[Attack, ...]:
    """Attacks that do a machine no harm, evenly over each class."""
    chosen: list[Attack] = []
    for klass in CLASSES:
        tame = [a for a in ATTACKS if a.klass == klass and a.harmless_to_nbgrader]
        step = max(1, len(tame) // each) if each else 1
        chosen += tame[::step][: each or None]
    return tuple(chosen)


def here(place: Path) -> dict[str, list[str]]:
    """The harm of each attack by name, under this grader."""
    planted = Planted(place, ATTACKS)
    earlier, before = planted.earlier_marks(), planted.untouched()
    planted.grade()
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


def _in_reach(prefix: Path) -> list[str]:
    """A command prefix under which nobody can read an interpreter that lies in root's home.

    In a mount namespace of its own, the folder that is closed becomes an empty one that is open,
    with the interpreter in its place.
    """
    closed = [p for p in reversed(prefix.parents) if not p.stat().st_mode & 0o001]
    if not closed:
        return []
    steps = " && ".join(
        (
            "d=$(mktemp -d)",
            f"mount --bind {prefix} $d",
            f"mount -t tmpfs -o mode=755 none {closed[0]}",
            f"mkdir -p {prefix}",
            f"mount --bind $d {prefix}",
            'exec "$@"',
        )
    )
    return ["unshare", "--mount", "--propagation", "private", "sh", "-c", steps, "sh"]


def plain(place: Path, attacks: tuple[Attack, ...], seconds: float) -> dict[str, list[str]]:
    """The same under plain nbgrader; an attack that it never came to is left out."""
    planted = Planted(place, attacks, plain=True)
    source = lessons.source_notebook(LESSON, planted.root)
    source["cells"] = without_demos(source["cells"])
    target = planted.course.source / LESSON / "lesson.ipynb"
    target.write_text(json.dumps(source), encoding="utf-8")
    out = place / "out.jsonl"
    command = [sys.executable, "-m", "tests.banks.attacks.plain", str(planted.root), str(out)]
    if os.geteuid() == 0:
        for path in (place, *place.rglob("*")):
            os.chown(path, NOBODY, NOBODY, follow_symlinks=False)
        user = [f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", "--inh-caps=-all"]
        command = [*_in_reach(Path(sys.base_prefix)), "setpriv", *user, *command]
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


def table(ours: dict[str, list[str]], theirs: dict[str, list[str]]) -> str:
    """By class: attacks that achieved something, of those that were tried."""
    klass = {a.name: a.klass for a in ATTACKS}

    def column(harm: dict[str, list[str]], of: str) -> str:
        tried = [name for name in harm if klass[name] == of]
        return f"{sum(bool(harm[name]) for name in tried)} of {len(tried)}" if tried else "–"

    rows = [
        "| attacks by | this grader | plain nbgrader |",
        "|---|---|---|",
        *(f"| {of} | {column(ours, of)} | {column(theirs, of)} |" for of in CLASSES),
    ]
    total = [f"{sum(map(bool, h.values()))} of {len(h)}" for h in (ours, theirs)]
    return "\n".join([*rows, f"| **all** | **{total[0]}** | **{total[1]}** |"])


def paragraph(ours: dict[str, list[str]], theirs: dict[str, list[str]]) -> str:
    """What stands in README.md."""
    return (
        "Attacks that achieved something: a mark that no honest cell earns, a byte of planted data,"
        " somebody else's marks, a script in a page, a way into the network, a process that stays."
        " Both graders on one"
        f" machine; plain nbgrader {version('nbgrader')}, as it comes, was given a sample that is"
        " harmless to the machine. Not counted below, and open: two attacks do gain marks in this"
        " grader, 6 of the 20 automatic points of lesson 05 by calling code that the course itself"
        " ships, and 1 by forging a claim about process (SECURITY.md)."
        f"\n\n{table(ours, theirs)}"
    )


def main() -> int:
    """Runs both and writes the table; 1 if an attack on this grader achieved anything."""
    parser = argparse.ArgumentParser(prog="make bench-attacks", description=__doc__)
    parser.add_argument("--all", action="store_true", help="all harmless ones to plain nbgrader")
    parser.add_argument("--each", type=int, default=SAMPLE, help="of a class, to plain nbgrader")
    parser.add_argument("--no-write", action="store_true", help="leave README.md as it is")
    options = parser.parse_args()
    place = Path(tempfile.mkdtemp(prefix="attacked-"))
    place.chmod(0o755)
    try:
        ours = here(place / "ours")
        theirs = plain(place / "plain", sample(0 if options.all else options.each), 3600)
    finally:
        shutil.rmtree(place, ignore_errors=True)
    for name, harm in (("this grader", ours), ("plain nbgrader", theirs)):
        for attack in harm:
            print(f"  {name}: {attack}: {', '.join(harm[attack]) or 'nothing'}", file=sys.stderr)
        print(name, dict(Counter(word for words in harm.values() for word in words)) or "no harm")
    print(table(ours, theirs))
    if not options.no_write:
        readme = ROOT / "README.md"
        head, _, rest = readme.read_text(encoding="utf-8").partition(BEGIN)
        _, found, tail = rest.partition(END)
        if not found:
            raise RuntimeError(f"README.md has no place for the table: {BEGIN} … {END}")
        text = f"{head}{BEGIN}\n{paragraph(ours, theirs)}\n{END}{tail}"
        write_whole(readme, text.encode())
    return 1 if any(ours.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
