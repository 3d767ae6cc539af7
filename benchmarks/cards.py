"""Seconds until a card stands: right answers, the wrong ones of the banks, and mutants.

`python -m benchmarks.cards 07 08` measures some lessons, prints them, and writes nothing; with
`--over 1` it lists the cards that take longer.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import statistics
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from tqdm import tqdm

from autograder import lessons
from autograder.checking import checks_of, judge, time_limit
from autograder.claims import PASSED
from autograder.remote.protocol import OutOfTime
from autograder.steps import exercise_of
from tests.banks import bank
from tests.mutants.checks import mutants_of

TITLE = "Cards: from the call of check to the verdict"
ENDLESS = "never ended"  # told so by its card, when its time is up
ORDINARY, LONGEST = 1.0, 5.0  # seconds that a card should take, and that none may
MUTANTS = 6  # of each exercise, evenly spread over all of them
GIVEN_UP = 20.0  # seconds: an answer may never end


@dataclass(frozen=True)
class Timed:
    """CPU seconds of one verdict. `kind` is "right", "wrong" or "mutant"; `how` its cause's.

    `how` is ENDLESS where the answer had to be stopped.
    """

    lesson: str
    check: str
    kind: str
    what: str
    how: str
    seconds: float


def forget() -> None:
    """Empties what the checks keep from one verdict to the next: each card is a first one."""
    for name, module in list(sys.modules.items()):
        if name.startswith(("autograder.checks.", "autograder.diagnosis.")):
            for value in vars(module).values():
                if callable(clear := getattr(value, "cache_clear", None)):
                    clear()


def timed(lesson: str, name: str, kind: str, instead: dict[str, str], what: str = "") -> Timed:
    """Judges one answer as a notebook does: in this process, at the fixed draw."""
    with contextlib.redirect_stdout(io.StringIO()), time_limit(GIVEN_UP, raises=OutOfTime):
        subject = lessons.solution_functions(lesson, instead=instead)[exercise_of(name)]
        forget()
        began, clock = time.process_time(), time.monotonic()
        verdict = judge(subject, name=name, lesson=lesson)
        seconds = time.process_time() - began
    how = verdict.cause.how if verdict.cause else verdict.status
    if verdict.status == PASSED:
        how = PASSED
    if verdict.late or time.monotonic() - clock >= 0.9 * GIVEN_UP:
        how = ENDLESS
    return Timed(lesson, name, kind, what, how, seconds)


def mutants(lesson: str, name: str) -> Iterator[Timed]:
    """Some mechanical mutants of the solution; those that do not run are passed over."""
    exercise = exercise_of(name)
    slips = [slip for of, slip in mutants_of(lesson) if of == exercise]
    for slip in slips[:: max(len(slips) // MUTANTS, 1)][:MUTANTS]:
        what = f"{slip.before} → {slip.after or 'nothing'}"
        with contextlib.suppress(Exception, OutOfTime):
            yield timed(lesson, name, "mutant", {exercise: slip.text}, what)


def measured(names: Sequence[str]) -> Iterator[Timed]:
    """All cards, lesson by lesson."""
    for lesson in names:
        checks = checks_of(lesson)
        timed(lesson, next(iter(checks)), "right", {})  # what a first call loads is no part of it
        for name in tqdm(checks, desc=f"{lesson}, mutants", disable=None):
            yield timed(lesson, name, "right", {})
            yield from mutants(lesson, name)
        for answer in tqdm(bank.answers_of(lesson, "wrong"), desc=lesson, disable=None):
            text, name = bank.text_of(lesson, answer), answer.check or answer.exercise
            yield timed(lesson, name, "wrong", {answer.exercise: text}, answer.misconception)


def table(cards: Sequence[Timed]) -> str:
    """A row for each check, and a sentence on all cards together."""
    endless = sum(c.how == ENDLESS for c in cards)
    cards = [c for c in cards if c.how != ENDLESS]
    rows = [
        "| lesson | check | right, s | wrong | median, s | worst, s | mutants | median, s "
        "| worst, s |",
        "|---|---|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for lesson, check in dict.fromkeys((c.lesson, c.check) for c in cards):
        here = [c for c in cards if (c.lesson, c.check) == (lesson, check)]
        row = f"| {lesson[:2]} | `{check}` | {here[0].seconds:.2f} |"
        for kind in ("wrong", "mutant"):
            of = [c.seconds for c in here if c.kind == kind and c.how != PASSED] or [0.0]
            row += f" {len(of)} | {statistics.median(of):.2f} | {max(of):.2f} |"
        rows.append(row)
    seconds = sorted(c.seconds for c in cards)
    within = sum(s <= ORDINARY for s in seconds)
    rows.append("")
    rows.append(
        f"Of {len(seconds):,} cards {within / len(seconds):.1%} stand within {ORDINARY:g} s; the "
        f"median takes {statistics.median(seconds):.2f} s, the longest {seconds[-1]:.2f} s; "
        f"{sum(s > LONGEST for s in seconds)} take more than {LONGEST:g} s. Left out: {endless} "
        "answers that never end, and are told so when their time is up."
    )
    return "\n".join(rows)


def cards_of(names: Sequence[str]) -> list[Timed]:
    """All cards of these lessons, on one thread."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        return list(measured(names))
    finally:
        torch.set_num_threads(threads)


def run() -> str:
    """Measures all cards; a Markdown section."""
    return (
        "CPU seconds of `judge`, in one process, one thread, at the draw of a notebook: with the\n"
        "search for the cause (known mistakes and their pairs, slips of the rule, the smallest\n"
        "case), and nothing kept from another card. Wrong answers are those of the banks; mutants\n"
        f"are up to {MUTANTS} mechanical changes of each solution, of which few are known\n"
        "mistakes, so that all of the search is done.\n\n"
        + table(cards_of(bank.lessons_with("wrong")))
    )


def main() -> None:
    """Prints the table of some lessons, and the cards over a limit."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.cards", description=__doc__)
    parser.add_argument("lessons", nargs="*", help="like 05_made, 05 or made")
    parser.add_argument("--over", type=float, default=LONGEST, help="list cards of more seconds")
    given = parser.parse_args()
    cards = cards_of([lessons.find_lesson(name) for name in given.lessons])
    print(table(cards))
    for one in sorted(cards, key=lambda c: -c.seconds):
        if one.seconds > given.over:
            print(f"{one.seconds:.2f} s {one.check} ({one.kind}: {one.what}): {one.how}")


if __name__ == "__main__":
    main()
