"""Which mistakes the checks know by name, and which of them an answer of the banks provokes.

A name that no wrong answer provokes is a sentence that nobody has seen on a card. What a check had
at hand is recorded while it judges, so that this costs no second judging.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest.mock import patch

from autograder.claims import Advice, Verdict
from autograder.diagnosis import Mistake, Subject, mistakes
from autograder.diagnosis.examine import parts_of

Known = tuple[str, str]  # the name, and the advice without its numbers; "" where a claim gives it


def _plain(advice: str) -> str:
    """Without numbers, and without "in the attention:", the part in which the mistake is made."""
    return re.sub(r"\d[\d.,]*", "#", re.sub(r"^(in [^:]{1,30}: )+", "", advice))


def known_as(one: Any) -> Known:
    """How a mistake or a symptom is known, or the advice of a claim."""
    if isinstance(one, Advice):
        return one.misconception, ""
    return one.name, _plain(one.advice)


@contextmanager
def recorded() -> Iterator[set[Known]]:
    """All that checks could have named meanwhile: mistakes, symptoms, and advice of claims."""
    known: set[Known] = set()
    subject, advice, together = Subject.__init__, Advice.__init__, mistakes._together

    def of_subject(self: Subject, *args: Any, **options: Any) -> None:
        subject(self, *args, **options)
        known.update(known_as(one) for one in (*self.mistakes, *self.symptoms))

    def of_claim(self: Advice, *args: Any, **options: Any) -> None:
        advice(self, *args, **options)
        if self.misconception:
            known.add(known_as(self))

    def of_search(all_of: Sequence[Mistake], sizes: Sequence[int]) -> Iterator[tuple[Mistake, ...]]:
        known.update(known_as(one) for one in all_of)
        return together(all_of, sizes)

    with ExitStack() as patches:
        patches.enter_context(patch.object(Subject, "__init__", of_subject))
        patches.enter_context(patch.object(Advice, "__init__", of_claim))
        patches.enter_context(patch.object(mistakes, "_together", of_search))
        yield known


def told_by(verdict: Verdict) -> set[Known]:
    """What the card of a verdict names."""
    named = [one for one in verdict.claims if one.misconception]
    told = {(one.misconception, text) for one in named for text in ("", _plain(one.advice))}
    if verdict.cause is not None:
        for name in verdict.cause.names:
            told |= {(name, "")}
            told |= {(name, _plain(part)) for part in parts_of(verdict.cause.advice)}
    return told
