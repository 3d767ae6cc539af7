"""Judges a student's function against a rule, case by case, and finds the cause of what fails.

A check says what is asked (`Subject`: how to ask, the rule, its known mistakes) and which
properties earn points (`Property`: a sentence and the cases that show it). `examine` yields a claim
for each property, and at the end, if one failed, one `Cause`:

1. a known mistake that gives every answer of two draws;
2. a symptom, which names what it proves and no more;
3. two known mistakes that do so together: after symptoms (but for weak ones), since many a second
   mistake turns a program's numbers into simple ones, such as one answer whatever is asked;
4. one kind of mechanical slip of the rule that gives every answer;
5. otherwise: that nothing known gives these numbers, and the smallest case that fails.
"""

from __future__ import annotations

import dataclasses
import itertools
import re
import time
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from autograder.claims import Cause, Claim, claim, waiting
from autograder.diagnosis.mistakes import (
    Mistake,
    NoValue,
    Observation,
    Same,
    alike,
    explain,
    program_of,
    reproduces,
    value_of,
)
from autograder.diagnosis.pictures import in_words, matrix_of, picture_of
from autograder.diagnosis.shrinking import smallest
from autograder.diagnosis.slips import SAYS, kind_of_slip
from autograder.draw import Draw

Args = tuple[Any, ...]

LOOKS = "answers that differ wherever the right ones do"
TWO_THINGS, AND = "Two things at once: ", ". And: "
NUMBERS = re.compile(r"[-−+.\w]+").findall


@dataclass(frozen=True)
class Property:
    """A sentence about the function, worth points, and the cases of a draw that show it.

    `typical` says that its cases are ordinary ones, which tell rules apart by their numbers: if no
    mistake explains all answers of a check, one that explains all of a typical property is named.
    `needs` is the id of a property without which this one cannot be judged: if both fail, this one
    waits. One that is not `judged_alone` waits then even if its own cases hold, since they are
    compared too loosely to earn a point without it. `alike` (instead of the subject's) says which
    answers count as the rule's; if it lets answers count that are the same where the right ones
    differ, the property waits for others. So it does if `unlike`, cases with other right answers,
    get the same: these are no evidence else. `saw(answer, right, *args)` tells a failing case,
    instead of the subject's `told` and `show`.
    """

    id: str
    text: str
    cases: Callable[[Draw], Sequence[Args]]
    points: float
    asks: str
    typical: bool = True
    needs: str = ""
    judged_alone: bool = True
    alike: Same | None = None
    unlike: Callable[[Draw], Sequence[Args]] | None = None
    saw: Callable[..., str] | None = None


@dataclass(frozen=True)
class Symptom:
    """Something seen that proves what `advice` says, though it is no program.

    A `weak` one says less than two mistakes that give every answer, and is told after them.
    """

    name: str
    advice: str
    shows: Callable[[Sequence[Observation]], bool]
    weak: bool = False


@dataclass(frozen=True)
class Subject:
    """What is asked of a student's function.

    `ask(*args)` calls it and reads the answer as plain data; `rule(*args)` is what the mathematics
    gives; `forms` are other ways to write the same rule, whose slips are tried too. `show(*args)`
    tells a case in words, `told(answer)` an answer. `by_hand(*args)` gives the
    formula's steps for a small case, `smaller(*args)` simpler cases, the simplest first. `drawn`
    says that answers are matrices, or have some, to be looked at as a picture.
    """

    ask: Callable[..., Any]
    rule: Callable[..., Any]
    forms: Sequence[Callable[..., Any]] = ()
    mistakes: Sequence[Mistake] = ()
    symptoms: Sequence[Symptom] = ()
    show: Callable[..., str] | None = None
    told: Callable[[Any], str] | None = None
    by_hand: Callable[..., str] | None = None
    smaller: Callable[..., Iterable[Args]] | None = None
    alike: Same = alike
    drawn: bool = False


def examine(
    subject: Subject, draw: Draw, *properties: Property
) -> Generator[Claim | Cause, None, bool]:
    """A claim for each property, and one Cause if any of them failed; whether all of them hold."""
    seen: dict[str, list[Observation]] = {}
    waits = False
    for one in properties:
        try:
            seen[one.id] = list(_observe(subject, one, draw))
        except Exception:  # the student's: what was found before it is told all the same
            if any(o.fails for all_of in seen.values() for o in all_of):
                yield _cause(subject, [p for p in properties if p.id in seen], seen, whole=False)
            raise
        failed = next((o for o in seen[one.id] if o.fails), None)
        to_judge = failed or not one.judged_alone
        if to_judge and one.needs and any(o.fails for o in seen[one.needs]):
            text = next(p.text for p in properties if p.id == one.needs)
            yield waiting(one.text, f"“{text}”", points=one.points, id=one.id)
            continue
        if failed is None and (
            (one.alike is not None and _blind(seen[one.id]))
            or (one.unlike is not None and _same_elsewhere(subject, one, seen[one.id], draw))
        ):
            waits = True
            yield waiting(one.text, LOOKS, points=one.points, id=one.id)
            continue
        yield claim(
            one.text,
            failed is None,
            id=one.id,
            points=one.points,
            saw=_saw(subject, one, failed) if failed else "",
            asks=one.asks,
        )
    if not any(o.fails for all_of in seen.values() for o in all_of):
        return not waits
    again = draw.again()
    for one in properties:
        seen[one.id] += _observe(subject, one, again)
    yield _cause(subject, properties, seen)
    return False


def _blind(seen: Sequence[Observation]) -> bool:
    """Whether two cases with different right answers got the same answer."""
    return any(
        alike(a.answer, b.answer, 0.0) and not alike(a.right, b.right)
        for a, b in itertools.combinations(seen, 2)
    )


def _same_elsewhere(
    subject: Subject, one: Property, seen: Sequence[Observation], draw: Draw
) -> bool:
    """Whether a case of `unlike` got an answer that was seen, or each its own argument back."""
    others = dataclasses.replace(one, cases=one.unlike or one.cases, unlike=None)
    elsewhere = list(_observe(subject, others, draw))
    given_back = all(any(alike(o.answer, given, 0.0) for given in o.args) for o in elsewhere)
    return given_back or _blind([*seen, *elsewhere])


def _observe(subject: Subject, one: Property, draw: Draw) -> Iterator[Observation]:
    for args in one.cases(draw):
        began = time.perf_counter()
        right = value_of(subject.rule, args)
        seconds = time.perf_counter() - began
        yield Observation(args, subject.ask(*args), right, one.alike or subject.alike, seconds)


def _saw(subject: Subject, one: Property, failed: Observation) -> str:
    if one.saw is not None:
        return one.saw(failed.answer, failed.right, *failed.args)
    told = (subject.told or shown)(failed.answer)
    return f"{told} for {subject.show(*failed.args)}" if subject.show else told


def _cause(
    subject: Subject,
    properties: Sequence[Property],
    seen: dict[str, list[Observation]],
    *,
    whole: bool = True,
) -> Cause:
    """The cause of what failed; `whole` says that every property was asked."""
    everything = [o for one in properties for o in seen[one.id]]
    first = next(o for o in everything if o.fails)
    tried: list[Observation] = []  # what does not give these answers too explains not everything
    small = _smallest(subject, first, tried)
    sets = [[*everything, *tried]]
    typical = [seen[one.id] for one in properties if one.typical]
    held = [o for answers in typical if not any(a.fails for a in answers) for o in answers]
    for answers in typical:
        if any(o.fails for o in answers):
            sets.append([*answers, *held])  # no mistake that what holds contradicts
    found, program = _named(subject, everything, sets)
    if program is not None and not reproduces(program, [small]):  # it must bear out what is said
        borne_out = (o for o in everything if o.fails and reproduces(program, [o]))
        small = _smallest(subject, next(borne_out, first), [], program)
    example, picture = _example(subject, first, small)
    explains = whole and found.explains
    return dataclasses.replace(found, example=example, picture=picture, explains=explains)


def _named(
    subject: Subject, everything: list[Observation], sets: Sequence[list[Observation]]
) -> tuple[Cause, Callable[..., Any] | None]:
    """What is known of why it fails: names, advice, what stands behind them, and its program.

    A program must give all answers of one of `sets`; the first holds everything.
    """
    known: dict[Any, Any] = {}

    def reproduced(together: int) -> tuple[Cause, Callable[..., Any] | None] | None:
        for answers in sets:
            if found := explain(subject.rule, subject.mistakes, answers, (together,), known):
                names, advice = tuple(m.name for m in found), joined([m.advice for m in found])
                cause = Cause(names, advice, "reproduced", explains=answers is sets[0])
                return cause, program_of(subject.rule, found)
        return None

    def shown_by(symptoms: Iterable[Symptom]) -> tuple[Cause, None] | None:
        told = next((one for one in symptoms if one.shows(everything)), None)
        return (Cause((told.name,), told.advice, "symptom"), None) if told else None

    found = (
        reproduced(1)
        or shown_by(one for one in subject.symptoms if not one.weak)
        or reproduced(2)
        or shown_by(one for one in subject.symptoms if one.weak)
    )
    if found:
        return found
    numbers = all(_is_numbers(o.answer) for o in everything if o.fails)
    if numbers and (kind := kind_of_slip((subject.rule, *subject.forms), sets[0])):
        return Cause((), f"Your numbers are {SAYS[kind]}.", "slip", slip=kind), None
    return Cause((), "", "unknown"), None


def _is_numbers(answer: Any) -> bool:
    """Whether an answer is numbers, and no exception or other object."""
    if isinstance(answer, list | tuple):
        return all(_is_numbers(one) for one in answer)
    return np.asarray(answer).dtype.kind in "biufc" or isinstance(answer, int)


def joined(advice: Sequence[str]) -> str:
    """The advice of a cause of one mistake or of two."""
    if len(advice) == 1:
        return advice[0]
    return TWO_THINGS + AND.join(advice)


def parts_of(advice: str) -> list[str]:
    """What `joined` was given."""
    return advice.removeprefix(TWO_THINGS).split(AND)


def _smallest(
    subject: Subject,
    failed: Observation,
    tried: list[Observation],
    program: Callable[..., Any] | None = None,
) -> Observation:
    """The smallest case that fails, from a failing one on; one that `program` gives, if named.

    What is asked on the way, and answered, is put into `tried`.
    """
    found = failed
    told = subject.told or shown
    to_see = _differ_to_see(failed.answer, failed.right, told)

    def fails(args: Args) -> bool:
        nonlocal found
        right = value_of(subject.rule, args)
        if isinstance(right, str) != isinstance(failed.right, str):
            return False  # an answer where a refusal is asked for is shown by no small numbers
        try:
            one = Observation(args, subject.ask(*args), right, failed.alike)
            tried.append(one)
            differs = one.fails and (_differ_to_see(one.answer, right, told) or not to_see)
        except Exception:  # the student's: where it stops is another fault than the one to show
            return False
        if differs and program is not None:
            differs = reproduces(program, [one])
        if differs:
            found = one
        return differs

    if subject.smaller is not None:
        smallest(failed.args, fails, subject.smaller)
    return found


def _example(
    subject: Subject, first: Observation, small: Observation
) -> tuple[tuple[tuple[str, str], ...], str]:
    """The smallest failing case as rows of a table: the input, the answer, the steps by hand.

    And a picture of the first answer that fails, if it is to be drawn.
    """
    rows = [("given", subject.show(*small.args))] if subject.show else []
    rows.append(("your answer", _with_digits(small, subject.told or shown)))
    if subject.by_hand is not None and (steps := subject.by_hand(*small.args)):
        rows.append(("by hand", steps))
    picture = ""
    if subject.drawn and (matrix := matrix_of(first.answer, first.right)):
        picture = picture_of(*matrix)
        rows.append(("picture", in_words(*matrix)))
    return tuple(rows), picture


def _with_digits(one: Observation, told: Callable[[Any], str]) -> str:
    """The answer in words; a number that would look like the right one, with more of its digits."""
    text = told(one.answer)
    numbers = all(isinstance(v, float | np.floating) for v in (one.answer, one.right))
    if numbers and np.isfinite(one.answer) and text == told(one.right):
        return f"{one.answer:.8g}"
    return text


def _differ_to_see(given: Any, right: Any, told: Callable[[Any], str]) -> bool:
    """Whether a reader sees other numbers: a number and a vector of it alone look the same."""
    if isinstance(right, NoValue):
        return True
    if all(isinstance(one, np.ndarray | np.number | float) for one in (given, right)):
        if np.size(given) == 1 and alike(np.ravel(given), np.ravel(right), 1e-3):
            return False
    return NUMBERS(told(given)) != NUMBERS(told(right))


def shown(value: Any, most: int = 6) -> str:
    """A number, a short list or an array in a few characters."""
    if isinstance(value, bool | str) or value is None:
        return repr(value)[:60]
    if isinstance(value, int):
        return f"{value:,}" if abs(value) < 10**15 else f"{value:.4e}" if value < 10**300 else (
            f"an int of {len(str(value)):,} digits"
        )  # fmt: skip
    array = np.asarray(value)
    if array.dtype.kind not in "biufc":
        return repr(value)[:60]
    if array.ndim == 0:
        return f"{array[()] + 0:.4g}"  # never −0
    flat = array.reshape(-1)
    text = ", ".join(f"{v:.3g}" for v in flat[:most]) + (", …" if flat.size > most else "")
    return f"({text})" if array.ndim == 1 else f"{array.shape}: {text}"
