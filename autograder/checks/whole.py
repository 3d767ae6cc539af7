"""The check of a whole exercise whose steps have checks of their own: it asks for each step again.

In a check of `MADE`, whose points are for a model that is right as a whole:
`hold = yield from each_step(MADE, draw, LESSON, "forward", "nll", "sample")`, and then its own
claims, which wait unless all steps hold.
"""

from __future__ import annotations

from collections.abc import Generator

from autograder.checking import checks_of
from autograder.claims import Cause, Claim
from autograder.draw import Draw
from autograder.remote.proxy import NotAttempted, Standin
from autograder.steps import call_of


def each_step(
    subject: Standin, draw: Draw, lesson: str, *steps: str
) -> Generator[Claim | Cause, None, bool]:
    """A claim of no points for each step, with what the step's own check says at another draw.

    Returns whether all of them hold. NotAttempted names the first step that is not written.
    """
    hold = True
    for step in steps:
        name = f"{draw.name}.{step}"
        judged: list[Claim] = []
        try:
            for one in checks_of(lesson)[name].claims(subject, Draw(draw.seed, f"{name}, again")):
                if isinstance(one, Cause):
                    yield one
                else:
                    judged.append(one)
        except NotAttempted:
            raise NotAttempted(f"{name} is not written yet") from None
        failed = next((one for one in judged if one.fails), None)
        holds = all(one.holds for one in judged)
        hold &= holds
        yield Claim(
            f"everything holds that {call_of(name)} asks",
            holds,
            points=0.0,
            saw=f"“{failed.text}” fails: {failed.saw}" if failed else "",
            asks=failed.asks if failed else "",
            advice=failed.advice if failed else "",
            misconception=failed.misconception if failed else "",
            id=step,
            waits="" if failed or holds else "what its own check waits for",
        )
    return hold
