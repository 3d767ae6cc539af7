"""The three rules that every card holds, as sentences about a verdict that breaks one.

1. A claim is judged by itself, or it waits. What was seen contradicts what is asked, and the
   smallest case shows another number than the steps by hand.
2. A mistake that is named has advice, and a card says the same advice once.
3. A claim that waits has no evidence, no advice and no points.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterator

from autograder.claims import Cause, Claim, Verdict
from autograder.diagnosis.examine import parts_of

NUMBER = r"[-−]?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?(?:e[-+]?\d+)?"
SHAPE = r"\(\d+(?:, \d+)*,?\)"
RELATIONS: dict[str, Callable[[float, float], bool]] = {
    "": operator.eq,
    "exactly ": operator.eq,
    "at most ": operator.le,
    "at least ": operator.ge,
    "no more than ": operator.le,
    "less than ": operator.lt,
    "fewer than ": operator.lt,
    "below ": operator.lt,
    "more than ": operator.gt,
    "above ": operator.gt,
}
_ASKED = re.compile(rf"({'|'.join(RELATIONS)})({NUMBER})(?: [a-z]+){{0,3}}")
_SEEN = re.compile(rf"(?:[a-z]+ ){{0,3}}({NUMBER})(?: .*)?")
_TOTAL_ASKED = re.compile(rf"(?:sums? (?:to )?|integrates to |= )({NUMBER})\b")
_TOTAL_SEEN = re.compile(rf"(?:sum of |sums to |integral of )({NUMBER})\b")


def value_of(text: str) -> float:
    """The number that a text writes: "−1,024" is −1024."""
    return float(text.replace(",", "").replace("−", "-"))


def satisfies(saw: str, asks: str) -> bool:
    """Whether evidence is what is asked for: the same text, number, total or shape."""
    if saw and saw == asks:
        return True
    asked, seen = _ASKED.fullmatch(asks), _SEEN.fullmatch(saw)
    if asked and seen and RELATIONS[asked[1]](value_of(seen[1]), value_of(asked[2])):
        return True
    total, due = _TOTAL_SEEN.search(saw), _TOTAL_ASKED.search(asks)
    if total and due and value_of(total[1]) == value_of(due[1]):
        return True
    shapes, wanted = re.findall(SHAPE, saw), re.findall(SHAPE, asks)
    return bool(shapes) and "shape" in saw and len(wanted) == 1 and set(shapes) == set(wanted)


def broken_by_claim(one: Claim) -> Iterator[str]:
    """Sentences about one claim."""
    if one.waits:
        if one.saw or one.advice or one.misconception or one.picture or one.holds:
            yield f"“{one.text}” waits, and has evidence, advice or points"
    elif one.holds:
        if one.advice or one.misconception:
            yield f"“{one.text}” holds, and has advice"
    else:
        if not one.saw:
            yield f"“{one.text}” fails without evidence"
        if satisfies(one.saw, one.asks):
            yield f"“{one.text}” fails, though seen is {one.saw!r} and asked {one.asks!r}"
        if one.misconception and not one.advice:
            yield f"“{one.text}” names {one.misconception} without advice"


def shows_no_failure(cause: Cause) -> str:
    """The number that is both the answer and what is found by hand; "" if there is none."""
    rows = dict(cause.example)
    ends = re.search(rf"= ({NUMBER})(?: [a-z]+)?$", rows.get("by hand", ""))
    answer = re.findall(NUMBER, rows.get("your answer", ""))
    return ends[1] if ends and answer == [ends[1]] else ""


def broken_by(verdict: Verdict) -> list[str]:
    """A sentence for each rule that the verdict breaks; none, if its card is true as it stands."""
    found = [sentence for one in verdict.claims for sentence in broken_by_claim(one)]
    cause = verdict.cause
    if cause is not None:
        if cause.names and not cause.advice:
            found.append(f"{', '.join(cause.names)} is named without advice")
        if hand := shows_no_failure(cause):
            found.append(f"the smallest case has the answer by hand, {hand}")
        parts = parts_of(cause.advice)
        if len(set(parts)) < len(parts):
            found.append(f"the cause says twice: {cause.advice!r}")
        if not any(one.fails for one in verdict.claims):
            found.append("a cause is told, and no claim fails")
        # A card leaves out what its cause has said: what is left is said once, too.
        told = [c.advice for c in verdict.claims if c.advice not in ("", cause.advice)]
        found += [f"twice on one card: {a!r}" for a in sorted(set(told)) if told.count(a) > 1]
    return found
