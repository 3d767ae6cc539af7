"""How long the processor takes for what each lesson trains: whether `fit` would ask for a card.

`fit` asks a card only for work of which the processor makes more than `WORTH_A_CARD` seconds. Every
solved lesson is run here at `size = "laptop"`, and each of its fits estimated as `fit` does where
there is a card: the quickest of some first steps, times their number.
"""

from __future__ import annotations

import json
from pathlib import Path

from autograder import lessons
from benchmarks import gpu
from course.device import TRIES, WORTH_A_CARD

TITLE = "What the lessons train, against what a card is asked for"

# Before a lesson is run: `fit` believes in a card while it chooses, and its estimates are kept.
LISTEN = f"""
import time
from unittest import mock

import torch

import course.device, course.training

estimates = []
chooses = course.training._quicker_device

def estimated(step_on, card, steps):
    step, taken = step_on(torch.device("cpu")), []
    for _ in range({TRIES + 1}):
        began = time.perf_counter()
        step()
        taken.append(time.perf_counter() - began)
    estimates.append(steps * min(taken))
    return torch.device("cpu")

def listened(*given):
    with (
        mock.patch.object(course.device, "device", lambda: torch.device("cuda")),
        mock.patch.object(course.device, "quicker", estimated),
    ):
        return chooses(*given)

course.training._quicker_device = listened
"""
TELL = """
import json
print()
print("ESTIMATES", json.dumps(estimates))
"""


def estimates_of(lesson: str, root: Path = lessons.ROOT) -> list[float]:
    """Seconds that the processor is expected to take for each `fit` of the solved lesson.

    Raises:
        RuntimeError: a cell fails; the message ends with its last line.
    """
    printed = gpu.run_alone(lesson, root, "", "laptop", LISTEN, TELL)
    told = [line for line in printed.splitlines() if line.startswith("ESTIMATES ")][-1]
    return list(json.loads(told.removeprefix("ESTIMATES ")))


def table(found: dict[str, list[float]]) -> str:
    """Markdown: by lesson how many fits, all of them together, and the longest."""
    lines = [
        'Every solved lesson at `size = "laptop"`, each `fit` estimated as `fit` itself does',
        "where there is a card: the quickest of some first steps, times their number, on this",
        f"processor. It asks a card for {WORTH_A_CARD:.0f} s and more; below, a lesson with",
        "a card and without one is the same program. To set up a card takes 6 or 7 s.",
        "",
        "| lesson | fits | together, s | the longest, s | asks a card |",
        "|---|---:|---:|---:|---|",
    ]
    for lesson, seconds in found.items():
        longest = max(seconds, default=0.0)
        asks = "yes" if longest > WORTH_A_CARD else "no"
        lines.append(f"| {lesson} | {len(seconds)} | {sum(seconds):.1f} | {longest:.1f} | {asks} |")
    longest = max((max(each, default=0.0) for each in found.values()), default=0.0)
    lines += [
        "",
        f"The longest takes {longest:.1f} s: a processor of which one step takes "
        f"{WORTH_A_CARD / max(longest, 1e-9):.1f} times as long would be the first to ask.",
    ]
    return "\n".join(lines)


def run() -> str:
    """Runs all lessons, one after the other, and writes the table."""
    found = {}
    for lesson in lessons.lesson_names():
        found[lesson] = estimates_of(lesson)
        print(f"    {lesson} {[round(s, 1) for s in found[lesson]]}", flush=True)
    return table(found)
