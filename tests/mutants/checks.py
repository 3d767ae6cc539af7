"""Mutants of the solutions, each judged by its own check.

`python -m tests.mutants.checks [lesson …]`
A mutant that earns full marks is a survivor: the check has a hole, or the mutant is the function
itself written in another way, which `tests.mutants.equivalent` says in one sentence each. Prints
by lesson mutants, survivors that nobody explains, and the share of refused ones whose mistake was
named; it fails for a survivor that is not listed, and for one that is listed and does not survive.
With `--keep` the counts of each exercise are put into benchmarks/mutants_checks.json, in the place
of what is known of it, and `python -m benchmarks mutants_checks` makes the table of all.
"""

from __future__ import annotations

import argparse
import collections
import contextlib
import io
import json
import multiprocessing
import re
import resource
import signal
import sys
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tqdm import tqdm

from autograder import lessons
from autograder.diagnosis.slips import Slip, slips_of
from autograder.steps import exercise_of
from course.files import write_whole
from tests.mutants.equivalent import EQUIVALENT

SECONDS = 20  # of CPU that one mutant's check may take; past it, it counts as refused
MEMORY = 8 * 2**30
SEED = 20_260_501
KEPT = Path(__file__).parents[2] / "benchmarks" / "mutants_checks.json"
NAMED = ("reproduced", "symptom", "slip", "claim", "reason")

Counts = dict[str, int]


@dataclass(frozen=True)
class Judged:
    """One mutant's fate. `state` is "survivor", "refused", "stopped" (raised or ran too long)."""

    lesson: str
    exercise: str
    slip: Slip
    state: str
    how: str = ""  # of the cause: reproduced, symptom, slip, unknown; "claim" for a claim's advice
    told: str = ""

    @property
    def named(self) -> bool:
        """Whether the card tells a mistake, and not only that something fails."""
        return self.how in NAMED

    @property
    def key(self) -> tuple[str, str, str, str, str]:
        """How `tests.mutants.equivalent` names it."""
        slip = self.slip
        return (self.lesson, self.exercise, slip.where, slip.before, slip.after)

    @property
    def is_explained(self) -> bool:
        """Whether it may survive: listed, or another device, of which a check has but one.

        That a solution computes where its model lives is in `tests/test_device_purity.py`.
        """
        elsewhere = re.sub(r", device=[\w.]+", "", self.slip.before) == self.slip.after
        return self.key in EQUIVALENT or elsewhere


def mutants_of(lesson: str) -> Iterator[tuple[str, Slip]]:
    """Every slip of every solution of the lesson, with the exercise's name."""
    for exercise in lessons.load_lesson(lesson).exercises:
        for slip in slips_of(lessons.exercise_source(lesson, exercise)):
            yield exercise, slip


def judge_mutant(lesson: str, exercise: str, slip: Slip, seed: int = SEED) -> Judged:
    """The verdict on one mutant, in this process: of the first of its checks that refuses it."""
    from autograder.checking import checks_of, judge

    def late(*_: Any) -> None:
        raise TimeoutError(f"longer than {SECONDS} s")

    signal.signal(signal.SIGPROF, late)  # CPU time: other work on the machine costs none
    signal.setitimer(signal.ITIMER_PROF, SECONDS, 1)  # again, where an `except` swallowed it
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            names = lessons.solution_functions(lesson, instead={exercise: slip.text})
            for name in checks_of(lesson):
                if exercise_of(name) == exercise:
                    verdict = judge(names[exercise], name=name, lesson=lesson, seed=seed)
                    if verdict.status != "passed":
                        break
    except BaseException as error:
        return Judged(lesson, exercise, slip, "stopped", "reason", f"{type(error).__name__}")
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
    if verdict.status == "passed":
        return Judged(lesson, exercise, slip, "survivor")
    if verdict.status == "error":
        return Judged(lesson, exercise, slip, "error", "", verdict.reason)
    cause = verdict.cause
    how = cause.how if cause else "claim" if verdict.misconceptions else ""
    if verdict.reason and how in ("", "unknown"):
        how = "reason"
    return Judged(lesson, exercise, slip, "refused", how, verdict.headline())


def _start() -> None:
    import torch

    torch.set_num_threads(1)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))


def _judge(job: tuple[str, str, Slip]) -> Judged:
    return judge_mutant(*job)


def judge_all(
    names: list[str],
    exercise: str | None = None,
    workers: int = 2,
    done: Callable[[list[Judged]], None] = lambda judged: None,
) -> list[Judged]:
    """Judges the mutants of these lessons (of one exercise, if it is named), in line order.

    `done` is told of each exercise as soon as all of its mutants are judged.
    """
    work = [
        (lesson, name, slip)
        for lesson in names
        for name, slip in mutants_of(lesson)
        if exercise in (None, name)
    ]
    context = multiprocessing.get_context("spawn")
    with context.Pool(workers, _start, maxtasksperchild=400) as pool:
        results = pool.imap_unordered(_judge, work, chunksize=8)
        judged: list[Judged] = []
        left = collections.Counter((lesson, name) for lesson, name, _ in work)
        for one in tqdm(results, total=len(work), unit="mutant", disable=None):
            judged.append(one)
            left[of := (one.lesson, one.exercise)] -= 1
            if not left[of]:
                done([j for j in judged if (j.lesson, j.exercise) == of])
    return sorted(judged, key=lambda j: (j.lesson, j.exercise, j.slip.line))


def counts_of(judged: list[Judged]) -> dict[str, dict[str, Counts]]:
    """By lesson and exercise: mutants, survivors, explained ones, and the refused ones by cause."""
    found: dict[str, dict[str, Counts]] = {}
    for j in judged:
        here = found.setdefault(j.lesson, {}).setdefault(j.exercise, collections.Counter())
        here["mutants"] += 1
        if j.state == "survivor":
            here["explained" if j.is_explained else "survivors"] += 1
        elif j.state in ("refused", "error"):
            here[j.how or "unnamed"] += 1
        else:
            here["stopped"] += 1  # it raised, or ran too long, before there was a card
    return {lesson: {e: dict(c) for e, c in each.items()} for lesson, each in found.items()}


def keep(counts: dict[str, dict[str, Counts]]) -> None:
    """Puts the counts of these exercises into the file of all."""
    known = json.loads(KEPT.read_text()) if KEPT.exists() else {}
    for lesson, exercises in counts.items():
        there = set(lessons.load_lesson(lesson).exercises)
        both = {**known.get(lesson, {}), **exercises}
        known[lesson] = {name: both[name] for name in sorted(there & both.keys())}
    write_whole(KEPT, json.dumps(dict(sorted(known.items())), indent=1) + "\n")


def table(counts: dict[str, dict[str, Counts]]) -> str:
    """Counts by lesson in Markdown, and by what the cards of the refused ones tell.

    "reason" is a sentence on an exception, a shape or a kind; "unknown" tells the smallest case.
    """
    lines = [
        "| lesson | mutants | earn full marks | the same function | refused | named "
        "| by more than a reason |",
        "|---|---:|---:|---:|---:|---:|---:|",
    ]
    total: collections.Counter[str] = collections.Counter()
    rows = {lesson: collections.Counter[str]() for lesson in counts}
    for lesson, exercises in counts.items():
        for one in exercises.values():
            rows[lesson].update(one)
            total.update(one)
    for lesson, here in [*rows.items(), ("all", total)]:
        refused = sum(here[how] for how in (*NAMED, "unknown", "unnamed"))
        told = sum(here[how] for how in NAMED)
        more = told - here["reason"]
        there = len(lessons.load_lesson(lesson).exercises) if lesson != "all" else 0
        judged = len(counts.get(lesson, ()))
        part = f" ({judged} of {there} exercises)" if judged < there else ""
        lines.append(
            f"| {lesson}{part} | {here['mutants']:,} | {here['survivors']} | {here['explained']} "
            f"| {refused:,} | {told / max(refused, 1):.0%} | {more / max(refused, 1):.0%} |"
        )
    kinds = ", ".join(f"{how} {total[how]:,}" for how in (*NAMED, "unknown", "unnamed"))
    return "\n".join(
        [*lines, "", f"Refused by: {kinds}. Stopped without a card: {total['stopped']}."]
    )


def main(arguments: list[str] | None = None) -> int:
    """Judges all mutants of the named lessons (all, if none is named); 1 if one survives."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutants.checks", description=__doc__)
    parser.add_argument("lessons", nargs="*", help="like 05_made, 05 or made")
    parser.add_argument("--exercise", help="only this one")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--keep", action="store_true", help="keep the counts of each exercise")
    parser.add_argument("--unnamed", action="store_true", help="also list what nothing names")
    given = parser.parse_args(arguments)
    names = [lessons.find_lesson(name) for name in given.lessons] or lessons.lesson_names()

    def done(exercise: list[Judged]) -> None:
        if given.keep:
            keep(counts_of(exercise))

    judged = judge_all(names, given.exercise, given.workers, done)
    print(table(counts_of(judged)))
    left = [j for j in judged if j.state in ("survivor", "error") and not j.is_explained]
    unnamed = [j for j in judged if given.unnamed and j.state == "refused" and not j.named]
    for j in [*left, *unnamed]:
        print(f"{j.state} line {j.slip.line} ({j.slip.kind}): {j.key[1:]} {j.told}")
    judged_all = {(j.lesson, j.exercise) for j in judged}
    alive = {j.key for j in judged if j.state in ("survivor", "error")}
    stale = [key for key in EQUIVALENT if key[:2] in judged_all and key not in alive]
    for key in stale:
        print(f"listed as equivalent, but no survivor: {key}")
    return 1 if left or stale else 0


if __name__ == "__main__":
    sys.exit(main())
