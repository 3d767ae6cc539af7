"""Judges the banks: `python -m tests.banks.bank [lesson …]` prints a table, one line a lesson.

A wrong answer is a small edit of the solved exercise (or a text of its own), with the claim that
must fail and the misconception that the advice must name. A right answer is the exercise written
in another way, and must get full marks. Each is judged at several seeds, since a check that a draw
can talk round is no check.

    WRONG = Wrong(
        exercise="build_masks",
        edit=("place[:, None] > below", "place[:, None] >= below"),
        fails="no output sees itself or the future",
        misconception="output-sees-itself",
    )
"""

from __future__ import annotations

import argparse
import functools
import importlib
import sys
import textwrap
from dataclasses import dataclass, field
from pathlib import Path

from tqdm import tqdm

from autograder import lessons
from autograder.checking import checks_of, judge
from autograder.claims import NOT_ATTEMPTED, PASSED, Verdict
from autograder.steps import exercise_of
from tests.banks.named import Known, recorded, told_by

SEEDS = (0, 1, 2, 20_260_501)
NAMED_AT_LEAST = 0.9  # share of wrong answers whose misconception the advice must name

Edit = tuple[str, str]


@dataclass(frozen=True)
class Wrong:
    """A wrong answer.

    `fails` is the text of a claim that must fail; where the code cannot run at all, it is "" and
    `stops` is a part of the sentence that must be told. `misconception` is "" where no name is
    asked for. `edit` is one (old, new), or several; each old text must stand once in the solved
    cell. `source` replaces the cell. `check` is the check that judges, if not the exercise's own:
    of another exercise, or of one step.
    """

    exercise: str
    fails: str = ""
    misconception: str = ""
    edit: Edit | tuple[Edit, ...] = ()
    source: str = ""
    check: str = ""
    stops: str = ""


def written(exercise: str, head: str, *rows: tuple[str, str, str]) -> tuple[Wrong, ...]:
    """Wrong answers that begin with `def head:`, of each what fails, the name, and the body."""
    return tuple(
        Wrong(exercise, fails, name, source=f"def {head}:\n{textwrap.indent(body.strip(), '    ')}")
        for fails, name, body in rows
    )


@dataclass(frozen=True)
class Right:
    """A right answer: `how` says in a few words what is different; see `Wrong` for the rest."""

    exercise: str
    how: str
    edit: Edit | tuple[Edit, ...] = ()
    source: str = ""
    check: str = ""


@dataclass(frozen=True)
class Outcome:
    """What became of one answer; without `problems` (sentences) it is as it should be."""

    lesson: str
    answer: Wrong | Right
    verdicts: tuple[Verdict, ...]
    named: bool = False  # the misconception, at every seed
    problems: tuple[str, ...] = field(default=())
    known: frozenset[Known] = frozenset()  # what the check could have named

    @property
    def accepted(self) -> bool:
        """Full marks, at one seed at least."""
        return any(v.earned >= v.points for v in self.verdicts)

    @property
    def refused(self) -> bool:
        """Less than full marks, at one seed at least."""
        return any(v.status != PASSED or v.earned < v.points for v in self.verdicts)


def lessons_with(kind: str) -> list[str]:
    """The lessons that have a bank of `kind` ("wrong" or "right"), in order."""
    folder = Path(__file__).parent / kind
    return [
        name
        for name in lessons.lesson_names()
        if (folder / f"{name.partition('_')[2]}.py").is_file()
    ]


def answers_of(lesson: str, kind: str) -> tuple[Wrong, ...] | tuple[Right, ...]:
    """The answers of one bank; empty if the lesson has none."""
    if lesson not in lessons_with(kind):
        return ()
    return importlib.import_module(f"tests.banks.{kind}.{lesson.partition('_')[2]}").ANSWERS


def text_of(lesson: str, answer: Wrong | Right) -> str:
    """The cell that the answer puts in the place of the solved one.

    Raises ValueError if an edit does not fit: its old text must stand exactly once in the cell.
    """
    if answer.source:
        return answer.source.strip("\n") + "\n"
    text = lessons.exercise_source(lesson, answer.exercise)
    edits = (answer.edit,) if answer.edit and isinstance(answer.edit[0], str) else answer.edit
    if not edits:
        raise ValueError(f"an answer to {answer.exercise} needs an edit or a source")
    for old, new in edits:
        if text.count(old) != 1:
            raise ValueError(
                f"an edit of {answer.exercise} must find its text once: {old!r} stands there "
                f"{text.count(old)} times"
            )
        text = text.replace(old, new)
    return text


def judge_answer(
    lesson: str, answer: Wrong | Right, seeds: tuple[int, ...] = SEEDS
) -> tuple[Verdict, ...]:
    """The verdicts on an answer, one for each seed, in a namespace of its own."""
    instead = {answer.exercise: text_of(lesson, answer)}
    namespace = lessons.solution_functions(lesson, instead=instead)
    name = answer.check or answer.exercise
    subject = namespace[exercise_of(name)]
    return tuple(judge(subject, name=name, lesson=lesson, seed=seed) for seed in seeds)


@functools.cache
def outcome_of_wrong(lesson: str, answer: Wrong) -> Outcome:
    """Whether it is refused, by the claim that must fail, with its misconception named.

    Judged once a process: what else is asked of the verdicts costs no second judging.
    """
    with recorded() as known:
        verdicts = judge_answer(lesson, answer)
    problems = []
    for v in verdicts:
        if v.earned >= v.points:
            problems.append(f"seed {v.seed}: full marks")
        if v.status in ("error", NOT_ATTEMPTED):
            problems.append(f"seed {v.seed}: {v.status}: {v.reason}")
        if answer.fails and answer.fails not in [c.text for c in v.claims if not c.holds]:
            failed = [c.text for c in v.claims if not c.holds]
            problems.append(
                f"seed {v.seed}: {answer.fails!r} does not fail; what fails: {failed or v.reason}"
            )
        if answer.stops and answer.stops not in v.reason:
            problems.append(f"seed {v.seed}: {answer.stops!r} is not said: {v.reason!r}")
    named = all(answer.misconception in v.misconceptions for v in verdicts)
    if answer.misconception and not named:
        told = sorted({name for v in verdicts for name in v.misconceptions})
        problems.append(f"{answer.misconception} is not named at every seed: {told}")
    return Outcome(lesson, answer, verdicts, named, tuple(problems), frozenset(known))


def outcome_of_right(lesson: str, answer: Right) -> Outcome:
    """Whether a right answer gets full marks, at every seed."""
    verdicts = judge_answer(lesson, answer)
    problems = [
        f"seed {v.seed}: {v.earned:g} of {v.points:g}: {v.headline()}"
        for v in verdicts
        if v.status != PASSED
    ]
    return Outcome(lesson, answer, verdicts, problems=tuple(problems))


def table(outcomes: list[Outcome]) -> str:
    """Counts by lesson as text: wrong accepted, right refused, misconceptions named."""
    lines = [f"{'lesson':<20}{'wrong':>7}{'accepted':>10}{'named':>8}{'right':>8}{'refused':>9}"]
    for lesson in [*dict.fromkeys(o.lesson for o in outcomes), "all"]:
        here = [o for o in outcomes if lesson in (o.lesson, "all")]
        wrong = [o for o in here if isinstance(o.answer, Wrong)]
        right = [o for o in here if isinstance(o.answer, Right)]
        lines.append(
            f"{lesson:<20}{len(wrong):>7}{sum(o.accepted for o in wrong):>10}"
            f"{_share_named(wrong):>8.0%}{len(right):>8}{sum(o.refused for o in right):>9}"
        )
    return "\n".join(lines)


def never_told(outcomes: list[Outcome]) -> list[Known]:
    """What the checks knew by name and told to none of these answers, sorted."""
    known = {one for outcome in outcomes for one in outcome.known}
    told = {one for outcome in outcomes for verdict in outcome.verdicts for one in told_by(verdict)}
    return sorted(known - told)


def _share_named(wrong: list[Outcome]) -> float:
    asked = [o for o in wrong if o.answer.misconception]
    return sum(o.named for o in asked) / len(asked) if asked else 1.0


def main(arguments: list[str] | None = None) -> int:
    """Judges the banks of the named lessons (all, if none is named); 1 if they do not hold."""
    parser = argparse.ArgumentParser(prog="python -m tests.banks.bank", description=main.__doc__)
    parser.add_argument("lessons", nargs="*", help="like 05_made, 05 or made")
    names = [lessons.find_lesson(name) for name in parser.parse_args(arguments).lessons]
    work = [
        (lesson, answer)
        for lesson in names or sorted({*lessons_with("wrong"), *lessons_with("right")})
        if checks_of(lesson)
        for kind in ("wrong", "right")
        for answer in answers_of(lesson, kind)
    ]
    outcomes = []
    for lesson, answer in tqdm(work, desc="judging the banks", unit="answer", disable=None):
        judged = outcome_of_wrong if isinstance(answer, Wrong) else outcome_of_right
        outcomes.append(judged(lesson, answer))
    print(table(outcomes))
    for one in outcomes:
        for problem in one.problems:
            what = getattr(one.answer, "misconception", "") or getattr(one.answer, "how", "")
            print(f"{one.lesson} {one.answer.exercise} ({what}): {problem}")
    wrong = [o for o in outcomes if isinstance(o.answer, Wrong)]
    right = [o for o in outcomes if isinstance(o.answer, Right)]
    for lesson in dict.fromkeys(o.lesson for o in wrong):
        for name, advice in never_told([o for o in wrong if o.lesson == lesson]):
            print(f"{lesson}: no answer is told {name}: {advice}")
    holds = not any(o.accepted for o in wrong) and not any(o.refused for o in right)
    return 0 if holds and _share_named(wrong) >= NAMED_AT_LEAST else 1


if __name__ == "__main__":
    # Not this module's own main: the answers are instances of the imported module's classes.
    sys.exit(importlib.import_module("tests.banks.bank").main())
