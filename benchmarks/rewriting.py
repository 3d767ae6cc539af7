"""How long a slider of lesson 13 takes to write its text anew, in the kernel."""

from __future__ import annotations

import os
import statistics
import time

import torch

from autograder.lessons import solution_functions
from course import pretrained
from figures.next_token import NextToken

TITLE = "Lesson 13: a text that a slider writes anew"
ASKED = 100  # milliseconds


def run() -> str:
    """Moves each slider through all its positions, one position at a time, on one thread."""
    torch.set_num_threads(1)
    names = solution_functions("13_temperature")
    gpt = pretrained.language_model(pretrained.SMALL)
    labels = [gpt.decode([token]) for token in range(gpt.vocab_size)]
    names |= {"gpt": gpt, "prompt": torch.tensor([gpt.encode("My lord, I")]), "labels": labels}
    logits = gpt.logits(names["prompt"])[0, -1]
    picture = NextToken.of(names["next_probs"], logits, labels)
    picture.rewrite("here", names["write_here"])
    start, wall, busy = list(picture._at), [], []
    for axis, name in enumerate("Tkp"):
        for place in range(len(picture._grid[name])):
            at = list(start)
            at[axis] = place
            before, working = time.perf_counter(), time.process_time()
            picture._at = at
            if at != start:  # where it stood already, nothing is written
                wall.append(1e3 * (time.perf_counter() - before))
                busy.append(1e3 * (time.process_time() - working))
    return (
        f"{len(wall)} moves of the three sliders, {len(names['LUCK'])} tokens of the small GPT a "
        f"move, one thread, in the kernel: median {statistics.median(wall):.0f} ms, longest "
        f"{max(wall):.0f} ms; of the processor's time {statistics.median(busy):.0f} and "
        f"{max(busy):.0f} ms (asked for: {ASKED} ms). Load of the machine: "
        f"{os.getloadavg()[0]:.1f}."
    )
