"""How long a slider of lesson 13 takes to write its text anew: in the kernel, and until painted."""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import torch

from autograder.lessons import solution_functions
from benchmarks.widgets import WATCH
from course import pretrained
from figures.next_token import NextToken

TITLE = "Lesson 13: a text that a slider writes anew"
ASKED = 100  # milliseconds


def lesson() -> dict[str, Any]:
    """What the lesson has defined when it shows the picture."""
    names = solution_functions("13_temperature")
    gpt = pretrained.language_model(pretrained.SMALL)
    labels = [gpt.decode([token]) for token in range(gpt.vocab_size)]
    return names | {
        "gpt": gpt,
        "prompt": torch.tensor([gpt.encode("My lord, I")]),
        "labels": labels,
    }


def picture() -> NextToken:
    """The lesson's picture, with the text that follows its sliders."""
    names = lesson()
    # The lesson's function reads the names of its notebook.
    names["write_here"].__globals__.update(names)
    logits = names["gpt"].logits(names["prompt"])[0, -1]
    shown = NextToken.of(names["next_probs"], logits, names["labels"])
    shown.rewrite("here", names["write_here"])
    return shown


def in_the_kernel() -> tuple[list[float], list[float]]:
    """Milliseconds of each move to each position, by the clock and of the processor."""
    shown = picture()
    start, wall, busy = list(shown._at), [], []
    for axis, name in enumerate("Tkp"):
        for place in range(len(shown._grid[name])):
            at = list(start)
            at[axis] = place
            before, working = time.perf_counter(), time.process_time()
            shown._at = at
            if at != start:  # where it stood already, nothing is written
                wall.append(1e3 * (time.perf_counter() - before))
                busy.append(1e3 * (time.process_time() - working))
    return wall, busy


def painted() -> list[float]:
    """Milliseconds from a key on the temperature until its new text is painted, in JupyterLab."""
    from playwright.sync_api import sync_playwright

    from tests.browser.browser import FLAGS, install_chromium
    from tests.browser.lab import running_lab
    from tests.browser.test_jupyterlab import notebook_of

    cell = "from benchmarks.rewriting import picture\nimport torch\ntorch.set_num_threads(1)\n"
    times = []
    with (
        tempfile.TemporaryDirectory() as folder,
        running_lab(Path(folder)) as lab,
        sync_playwright() as playwright,
    ):
        chromium = playwright.chromium.launch(executable_path=install_chromium(), args=FLAGS)
        page = chromium.new_page(viewport={"width": 1280, "height": 1200})
        notebook = lab.open(page, notebook_of(f"{cell}shown = picture()\nshown"))
        notebook.run_all()
        notebook.wait_until_drawn(0)
        view = notebook.cell_at(0).locator("[data-live-view]")
        texts = view.locator(".columns")
        view.locator("input[type=range]").first.focus()
        for key in [*["ArrowLeft"] * 13, *["ArrowRight"] * 13]:
            before = notebook.evaluate("str(shown._texts)")
            texts.evaluate(f'(element) => ({WATCH})([element, ""])')
            page.keyboard.press(key)
            # A kernel answers in turn: what it says now, it says after the text is written.
            if notebook.evaluate("str(shown._texts)") != before:
                page.wait_for_function("window.painted !== undefined", polling=5, timeout=60_000)
                times.append(page.evaluate("window.painted")[1])
        chromium.close()
    return times


def run() -> str:
    """Moves the sliders, one position at a time, on one thread."""
    torch.set_num_threads(1)
    began = os.getloadavg()[0]
    wall, busy = in_the_kernel()
    seen = painted()
    return _TEXT.format(
        moves=len(wall),
        median=statistics.median(wall),
        longest=max(wall),
        busy=statistics.median(busy),
        busiest=max(busy),
        presses=len(seen),
        seen=statistics.median(seen),
        last=max(seen),
        asked=ASKED,
        before=began,
        after=os.getloadavg()[0],
    )


_TEXT = """\
In the kernel, {moves} moves of the three sliders, 12 tokens of the small GPT a move, one thread:
median {median:.0f} ms, longest {longest:.0f} ms; of the processor's time {busy:.0f} and
{busiest:.0f} ms. In JupyterLab in Chromium, {presses} presses of a key on the temperature that
change the text, until it is painted: median {seen:.0f} ms, longest {last:.0f} ms (asked for:
{asked} ms). The logits after a text are kept: a text that begins as one before asks only for its
rest. Load of the machine: {before:.1f} before, {after:.1f} after.
"""
