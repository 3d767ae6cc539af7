"""Whether a verdict depends on the draw: `python -m tests.banks.draws [lesson …] [--draws 25]`.

Every banked answer is judged at many seeds. A check is told where an answer earns other points at
another seed, and, of a wrong answer, where another misconception is named. What costs most of a
card and decides neither (slips of the rule, the smallest failing case) is left out. With `--keep`
the counts of each check whose answers are all judged are put into benchmarks/verdict_draws.json,
and `python -m benchmarks verdict_draws` makes the table of all.
"""

from __future__ import annotations

import argparse
import collections
import contextlib
import importlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

from tqdm import tqdm

from autograder import lessons
from autograder.checking import checks_of
from autograder.claims import Cause, Verdict
from course.files import write_whole
from tests.banks import bank
from tests.banks.bank import Right, Wrong, judge_answer

DRAWS = 25
KEPT = Path(__file__).parents[2] / "benchmarks" / "verdict_draws.json"
Outcome = tuple[float, tuple[str, ...]]
Counts = dict[str, dict[str, dict[str, int]]]  # by lesson and check: answers, draws, differ


@contextlib.contextmanager
def judged_fast(names: bool = True) -> Iterator[None]:
    """Inside, no check looks for slips or small cases; without `names`, for no cause at all."""
    examine = importlib.import_module("autograder.diagnosis.examine")
    nothing = Cause((), "", "unknown")
    with contextlib.ExitStack() as stack:
        if names:
            stack.enter_context(mock.patch.object(examine, "kind_of_slip", lambda *_: ""))
            stack.enter_context(mock.patch.object(examine, "_example", lambda *_: ((), "")))
        else:
            stack.enter_context(mock.patch.object(examine, "_cause", lambda *_, **__: nothing))
        yield


def outcome_of(verdict: Verdict, names: bool) -> Outcome:
    """The points of a verdict, and what it names."""
    return verdict.earned, tuple(sorted(verdict.misconceptions)) if names else ()


def outcomes_of(
    lesson: str, answer: Wrong | Right, seeds: tuple[int, ...], names: bool
) -> dict[Outcome, list[int]]:
    """What is said of an answer, each with the seeds at which it is; one item, if all is well.

    Each seed meets a namespace of its own, as in a student's process: what an answer remembers from
    one judging says nothing of the draw.
    """
    with judged_fast(names):
        verdicts = [judge_answer(lesson, answer, (seed,))[0] for seed in seeds]
    found: dict[Outcome, list[int]] = {}
    for verdict in verdicts:
        names_count = names and isinstance(answer, Wrong)
        found.setdefault(outcome_of(verdict, names_count), []).append(verdict.seed)
    return found


def told(lesson: str, answer: Wrong | Right, found: dict[Outcome, list[int]]) -> str:
    """One line on an answer whose verdict depends on the draw: the commonest outcome first."""
    what = answer.misconception if isinstance(answer, Wrong) else answer.how
    cases = sorted(found.items(), key=lambda item: -len(item[1]))
    said = "; ".join(
        f"{earned:g} {'+'.join(names)}".rstrip()
        + (f" at {len(seeds)} seeds" if len(seeds) > 3 else f" at {', '.join(map(str, seeds))}")
        for (earned, names), seeds in cases
    )
    return f"{lesson} {answer.check or answer.exercise} ({what or 'no name'}): {said}"


def keep(counts: Counts) -> None:
    """Puts the counts of these checks into the file of all."""
    known = json.loads(KEPT.read_text()) if KEPT.exists() else {}
    for lesson, checks in counts.items():
        both = {**known.get(lesson, {}), **checks}
        known[lesson] = {name: both[name] for name in sorted(both.keys() & set(checks_of(lesson)))}
    write_whole(KEPT, json.dumps(dict(sorted(known.items())), indent=1) + "\n")


def table(counts: Counts) -> str:
    """Counts by lesson in Markdown."""
    lines = [
        "| lesson | answers | draws | another verdict at another draw |",
        "|---|---:|---:|---:|",
    ]
    for lesson, checks in counts.items():
        answers, differ = (sum(one[of] for one in checks.values()) for of in ("answers", "differ"))
        there = len(checks_of(lesson))
        part = f" ({len(checks)} of {there} checks)" if len(checks) < there else ""
        draws = min(one["draws"] for one in checks.values())
        lines.append(f"| {lesson}{part} | {answers} | {draws} | {differ} |")
    return "\n".join(lines)


def main(arguments: list[str] | None = None) -> int:
    """Prints the answers whose verdict depends on the draw; 1 if there are any."""
    parser = argparse.ArgumentParser(prog="python -m tests.banks.draws", description=main.__doc__)
    parser.add_argument("lessons", nargs="*", help="like 05_made, 05 or made")
    parser.add_argument("--draws", type=int, default=DRAWS, help="how many seeds, from 0 on")
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--check", default="", help="only the answers that this check judges")
    parser.add_argument("--only", choices=("right", "wrong"), help="only these answers")
    parser.add_argument("--points", action="store_true", help="compare points alone, sooner")
    parser.add_argument("--keep", action="store_true", help="keep the counts of each check")
    given = parser.parse_args(arguments)
    seeds = tuple(range(given.first, given.first + given.draws))
    names = [lessons.find_lesson(name) for name in given.lessons]
    work = [
        (lesson, answer)
        for lesson in names or bank.lessons_with("wrong")
        if checks_of(lesson)
        for kind in ("right", "wrong")
        if given.only in (None, kind)
        for answer in bank.answers_of(lesson, kind)
        if given.check in ("", answer.check or answer.exercise)
    ]
    counts: Counts = {}
    left = collections.Counter((lesson, a.check or a.exercise) for lesson, a in work)
    differ = 0
    for lesson, answer in tqdm(work, desc="judging the banks", unit="answer", disable=None):
        found = outcomes_of(lesson, answer, seeds, not given.points)
        if len(found) > 1:
            differ += 1
            print(told(lesson, answer, found), flush=True)
        of = answer.check or answer.exercise
        here = counts.setdefault(lesson, {}).setdefault(of, {"answers": 0, "differ": 0})
        here["answers"] += 1
        here["differ"] += len(found) > 1
        left[lesson, of] -= 1
        if given.keep and not left[lesson, of] and not (given.only or given.points):
            keep({lesson: {of: {**here, "draws": len(seeds)}}})
    print(f"{differ} of {len(work)} answers have another verdict at another of {len(seeds)} draws")
    return 1 if differ else 0


if __name__ == "__main__":
    # Not this module's own main: the answers are instances of the imported module's classes.
    sys.exit(importlib.import_module("tests.banks.draws").main())
