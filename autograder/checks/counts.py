"""What all counts of a model's numbers have in common: exact answers, refusals, usual mistakes.

A rule counts by the definition; a known mistake is a count of its own, so that a wrong answer is
recognized by its numbers. Lessons 01, 04 and 05 ask for such counts.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from autograder.checks.arguments import untouched
from autograder.diagnosis import Mistake, Subject, Symptom
from autograder.diagnosis.mistakes import Observation
from autograder.diagnosis.shrinking import simpler
from autograder.remote.proxy import CallTookTooLong, Standin, StudentFailed, describe

Seen = Sequence[Observation]


@dataclass(frozen=True)
class Refused:
    """What is asked of a graph that is no net: a ValueError whose message names one of `nodes`.

    To name a node beside all the others tells nothing: at most `innocent` others may stand there.
    """

    nodes: frozenset[int]
    innocent: int


@dataclass(frozen=True)
class Raised:
    """The student's function raised: what kinds of exception, its sentence, the line it is from."""

    kinds: tuple[str, ...]
    sentence: str = ""
    line: str = ""


def triangle(n: int) -> int:
    """1 + 2 + … + n."""
    return n * (n + 1) // 2


# --- how an answer is read and told ---------------------------------------------------------------


def answer_of(value: Any) -> int | float | str:
    """A student's answer as plain data: an exact int, a float, or a text that says what it is."""
    if isinstance(value, bool | np.bool_ | Standin):
        return describe(value)
    if isinstance(value, int | np.integer):
        return int(value)
    if isinstance(value, float | np.floating):
        return float(value)
    if getattr(value, "shape", None) == ():  # a tensor or array of one number
        item = value.item()
        return item if type(item) in (int, float) else describe(value)
    return describe(value)


def asking(function: Standin) -> Callable[..., Any]:
    """Asks the student's function. An exception is an answer, unless nothing came before it.

    A call that takes too long ends the check: the next ones would too.
    """
    answered, watched = False, untouched(function)

    def ask(*args: Any) -> Any:
        nonlocal answered
        try:
            value = answer_of(watched(*args))
        except StudentFailed as error:
            if not answered or isinstance(error, CallTookTooLong) or error.is_a(TimeoutError):
                raise
            return Raised(error.kinds, str(error), error.line)
        answered = True
        return value

    return ask


def same_count(a: Any, b: Any) -> bool:
    """Equal in kind and value; one may be a refusal that is asked, or an exception of a kind."""
    if isinstance(a, Refused):
        return a == b or (isinstance(b, Raised) and refusal(b, a) == "named")
    if isinstance(b, Refused):
        return refusal(a, b) == "named"
    if isinstance(b, Raised):
        return isinstance(a, Raised) and b.kinds[0] in a.kinds
    if type(a) is not type(b):
        return False
    return a == b or (isinstance(a, float) and math.isclose(a, b, rel_tol=1e-9, abs_tol=1e-9))


def refusal(answer: Any, asked: Refused) -> str:
    """How a graph that is no net was received: "named", "unnamed", "counted" or "other".

    A message names a node by its number.
    """
    if not isinstance(answer, Raised):
        return "counted"
    if "ValueError" not in answer.kinds:
        return "other"
    message = answer.sentence.partition(":")[2]
    numbers = {int(text) for text in re.findall(r"(?<![-\d])\d{1,6}(?!\d)", message)}
    named = numbers & asked.nodes and len(numbers - asked.nodes) <= asked.innocent
    return "named" if named else "unnamed"


def said(value: Any) -> str:
    """An answer in a few words; a huge int by its size, for its digits fill pages."""
    if isinstance(value, Raised):
        return f"raised {value.sentence}"[:200] + (
            f" (your line: {value.line})" if value.line else ""
        )
    if isinstance(value, int):
        if abs(value) < 10**15:
            return f"returned {value:,}"
        return f"returned an integer of {value.bit_length():,} bits"
    if isinstance(value, float):
        return f"returned {value:.17g}, a float"
    return f"returned {value}"


def call_text(name: str) -> Callable[..., str]:
    """Writes a call of `name` as one would, cut where it gets long."""
    return lambda *args: f"{name}({', '.join(map(_short, args))})"


def _short(value: Any) -> str:
    if isinstance(value, list) and len(value) > 8 and all(v == value[0] for v in value):
        return f"[{value[0]}] * {len(value)}"
    if isinstance(value, int) and abs(value) >= 10**15:
        return f"<an integer of {value.bit_length():,} bits>"
    text = repr(value)
    return text if len(text) <= 90 else text[:89] + "…"


def subject(
    function: Standin,
    name: str,
    rule: Callable[..., Any],
    *,
    forms: Sequence[Callable] = (),
    mistakes: Sequence[Mistake],
    symptoms: Sequence[Symptom] = (),
    by_hand: Callable[..., str],
    cases: Sequence[tuple] = (),
    smaller: Callable[..., Iterable[tuple]] | None = None,
) -> Subject:
    """What is asked of a function that counts.

    `cases` are simple ones, the simplest first; `smaller` says which of them stand for a case.
    """
    return Subject(
        ask=asking(function),
        rule=rule,
        forms=forms,
        mistakes=(*mistakes, *ROUNDED),
        symptoms=(*symptoms, FLOAT_SEEN, NO_COUNT),
        show=call_text(name),
        told=said,
        by_hand=by_hand,
        smaller=smaller or simpler(cases),
        alike=same_count,
    )


# --- mistakes that any count may have -------------------------------------------------------------


def wrapped(number: int) -> int:
    """What is left of an integer in 64 bits."""
    return (number + 2**63) % 2**64 - 2**63


def as_a_float(value: Any, *_: Any) -> Any:
    """The count as a float, inf where it is too large for one."""
    if not isinstance(value, int):
        return value
    try:
        return float(value)
    except OverflowError:
        return math.inf


def overflowing(value: Any, *_: Any) -> Any:
    """The count as a float, and Python's exception where it is too large for one."""
    found = as_a_float(value)
    return Raised(("OverflowError",)) if found == math.inf else found


FLOAT_ADVICE = (
    "a count is an integer, and a float keeps only 53 bits of it: multiply Python ints, and divide "
    "with // (or not at all)"
)
ROUNDED = (
    Mistake("float-for-an-integer", FLOAT_ADVICE, after=as_a_float),
    Mistake("float-for-an-integer", FLOAT_ADVICE, after=overflowing),
    Mistake(
        "sign-turned",
        "the sign is turned round: a number of parameters is never below 0",
        after=lambda value, *_: -value if isinstance(value, int) else value,
    ),
    Mistake(
        "counts-nothing",
        "the count is 0 for everything: nothing is added to it",
        after=lambda value, *_: 0 if isinstance(value, int) else value,
    ),
)
FLOAT_SEEN = Symptom(
    "float-for-an-integer",
    FLOAT_ADVICE,
    lambda seen: any(isinstance(o.answer, float) for o in seen),
    weak=True,
)
NO_COUNT = Symptom(
    "not-a-count",
    "a count is an integer: your function returns something that is no number (a text, a truth "
    "value, a list, …)",
    lambda seen: any(isinstance(o.answer, str) for o in seen),
)


def fail_only(seen: Seen, where: Callable[..., bool]) -> bool:
    """Whether everything that fails has arguments for which `where` holds."""
    return all(where(*o.args) for o in seen if o.fails)


def of_floats(seen: Seen) -> bool:
    """Whether an exception is told of floats, and not of C's integers."""
    told = [o.answer.sentence for o in seen if isinstance(o.answer, Raised)]
    return all("float" in text or "out of range" in text for text in told)


def raised(seen: Seen, *kinds: str) -> bool:
    """Whether everything that fails raised, by an exception of one of `kinds` (any, if none)."""
    failed = [o.answer for o in seen if o.fails]
    return all(
        isinstance(a, Raised) and (not kinds or not {*kinds}.isdisjoint(a.kinds)) for a in failed
    )
