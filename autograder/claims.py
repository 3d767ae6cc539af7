"""Claims: the sentences of a check about a student's function, and the verdict they add up to.

A check (see `autograder.checking`) yields claims. Each claim is one sentence of mathematics with
the points that it is worth, what was seen, what is asked, and advice. A verdict is the list of
claims together with the seed of the draw, so that it can be repeated.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

PASSED, PARTLY, FAILED = "passed", "partly", "failed"
NOT_ATTEMPTED, ERROR = "not attempted", "error"
ELSEWHERE = "elsewhere"  # said in a student's process while the grader judges from outside


@dataclass(frozen=True)
class Advice:
    """Advice for one known misconception: given when `when` is true."""

    when: bool
    misconception: str
    text: str


def when(condition: object, misconception: str, text: str) -> Advice:
    """Advice `text` for the misconception named `misconception`, given if `condition` is true."""
    return Advice(bool(condition), misconception, text)


@dataclass(frozen=True)
class Claim:
    """One sentence about the student's function, and whether it holds.

    `points` is what the claim is worth; `saw` and `asks` tell what was seen and what the
    mathematics asks; `advice` and `misconception` are empty when the claim holds. `see` names the
    heading of the lesson to go back to. `waits` says which claim must hold before this one can be
    judged: it has no evidence and no advice then, and earns nothing yet. `id` names the claim for
    banks and records, whatever its sentence.
    """

    text: str
    holds: bool
    points: float = 1.0
    saw: str = ""
    asks: str = ""
    advice: str = ""
    misconception: str = ""
    see: str = ""
    picture: str = ""
    id: str = ""
    waits: str = ""

    @property
    def fails(self) -> bool:
        """Whether it was judged and does not hold."""
        return not self.holds and not self.waits


@dataclass(frozen=True)
class Cause:
    """Why claims of a verdict fail, told once.

    `names` are the misconceptions (two where a pair composes), empty where none is known. `how`
    says what stands behind it: "reproduced" (a program with this mistake gave every answer),
    "symptom", "slip" (one kind of mechanical change of the rule gave every answer) or "unknown".
    `explains` says that it gives every answer of the check, so that no claim needs a word more.
    `example` is the smallest failing case, as rows of label and text.
    """

    names: tuple[str, ...]
    advice: str
    how: str
    example: tuple[tuple[str, str], ...] = ()
    slip: str = ""
    picture: str = ""
    explains: bool = False

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Cause:
        """The cause whose `asdict` is `data`."""
        example = tuple((str(label), str(text)) for label, text in data.get("example", ()))
        return cls(**data | {"names": tuple(data["names"]), "example": example})


def waiting(text: str, on: str, *, points: float = 1.0, id: str = "") -> Claim:
    """A claim that cannot be judged yet; `on` says for what it waits, in a few words."""
    return Claim(text, False, float(points), id=id or slug(text), waits=on)


def charged(claims: Sequence[Claim], failed: Claim) -> list[Claim]:
    """The claims and one more, whose points are taken from the one that earns most of them."""
    worth = [one.points if one.holds else 0.0 for one in claims]
    most = worth.index(max(worth))
    cost = min(failed.points, claims[most].points)
    paid = replace(claims[most], points=claims[most].points - cost)
    return [*claims[:most], paid, *claims[most + 1 :], replace(failed, points=cost)]


def slug(text: str) -> str:
    """A sentence as an id: its letters and digits, in lower case, joined by hyphens."""
    return "-".join(re.findall(r"\w+", text.lower()))[:60]


def claim(
    text: str,
    holds: object,
    *,
    id: str = "",
    points: float = 1.0,
    saw: str = "",
    asks: str = "",
    advice: str | Advice | Sequence[str | Advice] = "",
    see: str = "",
    picture: str = "",
    waits: str = "",
) -> Claim:
    """A claim; of `advice`, the first whose condition is true is kept, and only if the claim fails.

    `advice` is a sentence, or a list of `when(condition, misconception, sentence)` that ends in a
    plain sentence for the case that nothing was recognized. `picture` is a data URI of a PNG.
    If `waits` says for what, the claim waits, as by `waiting`.
    """
    if waits:
        return waiting(text, waits, points=points, id=id)
    if isinstance(advice, str | Advice):
        advice = [advice]
    text_of_advice = misconception = ""
    if not holds:
        for item in advice:
            if isinstance(item, str):
                text_of_advice = item
                break
            if item.when:
                text_of_advice, misconception = item.text, item.misconception
                break
    return Claim(
        text=text,
        holds=bool(holds),
        points=float(points),
        saw=saw,
        asks=asks,
        advice=text_of_advice,
        misconception=misconception,
        see=see,
        picture=picture if not holds else "",
        id=id or slug(text),
    )


@dataclass(frozen=True)
class Verdict:
    """What a check says of one function or class.

    `status` is one of "passed", "partly", "failed", "not attempted" and "error". `earned` counts
    the points of the claims that hold, `points` what the check is worth, `seed` the draw it was
    reached with. `reason` is one sentence when the check could not run to its end (not attempted,
    or an exception in the student's code); `line` is the line of the student's code that it came
    from; `late` says that the check was ended at its deadline. `cause` tells once why claims fail,
    where the check looked for it; `see` is the heading of the lesson to go back to.
    """

    name: str
    lesson: str
    points: float
    claims: tuple[Claim, ...] = ()
    seed: int = 0
    status: str = NOT_ATTEMPTED
    reason: str = ""
    line: str = ""
    late: bool = False
    cause: Cause | None = None
    see: str = ""

    @property
    def earned(self) -> float:
        """Points of the claims that hold, never more than the check is worth."""
        return min(self.points, sum(c.points for c in self.claims if c.holds))

    @property
    def first_failed(self) -> Claim | None:
        """The first claim that was judged and does not hold, or None."""
        return next((c for c in self.claims if c.fails), None)

    @property
    def waits_for_another(self) -> bool:
        """Whether nothing fails, and a claim waits: then for another exercise's function."""
        waits = any(c.waits for c in self.claims)
        return waits and not self.reason and self.first_failed is None

    @property
    def misconceptions(self) -> list[str]:
        """Names of the misconceptions that were recognized: the cause's, then the claims', once."""
        names = [*(self.cause.names if self.cause else ())]
        names += [c.misconception for c in self.claims if c.misconception]
        return list(dict.fromkeys(names))

    @property
    def advice(self) -> str:
        """The cause's advice, else that of the first claim that fails with one."""
        if self.cause and self.cause.advice:
            return self.cause.advice
        return next((c.advice for c in self.claims if c.advice), "")

    def headline(self) -> str:
        """One line: the first failed claim with its advice, or why the check did not run."""
        failed = self.first_failed
        if failed is not None:
            cause = self.cause.advice if self.cause else ""
            return f"{failed.text}: {cause or failed.advice or failed.saw}".rstrip(": ")
        return self.reason or "every claim holds"

    def as_dict(self) -> dict[str, Any]:
        """Plain data, for a record that can be replayed and reported."""
        return asdict(self) | {"earned": self.earned}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Verdict:
        """The verdict whose `as_dict` is `data`."""
        data = {k: v for k, v in data.items() if k != "earned"}
        claims = tuple(Claim(**c) for c in data.get("claims", ()))
        cause = Cause.from_dict(data["cause"]) if data.get("cause") else None
        return cls(**data | {"claims": claims, "cause": cause})
