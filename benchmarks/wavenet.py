"""WaveNet with queues against a forward pass over the last receptive field for each sample."""

from __future__ import annotations

import statistics
import time
from typing import Any

import torch

from autograder.lessons import solution_functions

TITLE = "WaveNet: sampling with queues against whole windows"
LEVELS, CHANNELS, SKIPS = 64, 64, 128
LENGTHS = (128, 512, 2048)
LAYERS = (4, 6, 8, 10, 12)  # in each of two stacks
STEPS = 200  # of a run with queues whose time a step is taken from


def wavenet(solved: dict[str, Any], layers: int) -> Any:
    """Two stacks 1, 2, …, 2^(layers − 1) with kernel 2, random weights, double precision."""
    torch.manual_seed(0)
    dilations = [2**i for i in range(layers)] * 2
    return solved["WaveNet"](LEVELS, CHANNELS, SKIPS, 2, dilations).double().eval()


def both(solved: dict[str, Any], model: Any, count: int) -> tuple[float, float, bool]:
    """Seconds of `generate`, of `generate_fast`, and whether their samples are equal."""
    seconds, codes = [], []
    for name in ("generate_fast", "generate"):
        generator = torch.Generator().manual_seed(1)
        start = time.perf_counter()
        codes.append(solved[name](model, count, generator=generator))
        seconds.append(time.perf_counter() - start)
    return seconds[1], seconds[0], torch.equal(*codes)


def steady(solved: dict[str, Any], model: Any) -> tuple[list[float], float]:
    """Milliseconds of three steps on a full window, and of a step with queues (it is flat)."""
    window = torch.zeros(1, model.field + 1, dtype=torch.int64)
    plain = []
    with torch.no_grad():
        for _ in range(4):
            start = time.perf_counter()
            solved["draw_codes"](model(window)[:, :, -1])
            plain.append(1e3 * (time.perf_counter() - start))
    times = []
    for _ in range(3):  # the copy of the model and its empty queues count too: a few milliseconds
        start = time.perf_counter()
        solved["generate_fast"](model, STEPS)
        times.append(1e3 * (time.perf_counter() - start) / STEPS)
    return plain[1:], statistics.median(times)


def run() -> str:
    """Both sides in one run, on two threads: whole runs by length, single steps by depth."""
    torch.set_num_threads(2)
    solved = solution_functions("09_wavenet")
    model = wavenet(solved, 10)
    solved["generate_fast"](model, 20)  # warm
    rows = [
        f"Solved WaveNet of lesson 09, {CHANNELS} channels, {SKIPS} skip channels, {LEVELS} "
        f"levels, "
        "kernel 2, two stacks of dilations 1, 2, 4, …; double precision, batch 1, two threads.",
        "The plain side is a full forward pass over the last receptive field for each sample (no "
        "more of the past than the model can see); both draw from equal generators.",
        "",
        f"Whole runs, ten layers a stack, receptive field {model.field:,}:",
        "",
        "| samples | plain, s | queues, s | plain / queues | equal bit for bit |",
        "|---|---|---|---|---|",
    ]
    for count in LENGTHS:
        plain, fast, equal = both(solved, model, count)
        rows.append(
            f"| {count:,} | {plain:.1f} | {fast:.2f} | {plain / fast:.1f} | "
            f"{'yes' if equal else 'NO'} |"
        )
    rows += [
        "",
        f"One step in the steady state (plain: median of 3; queues: median of 3 runs of {STEPS}):",
        "",
        "| layers a stack | receptive field | plain, ms | queues, ms | plain / queues (min–max) |",
        "|---|---|---|---|---|",
    ]
    for layers in LAYERS:
        model = wavenet(solved, layers)
        plain, fast = steady(solved, model)
        middle = statistics.median(plain)
        rows.append(
            f"| {layers} | {model.field:,} | {middle:.1f} | {fast:.2f} | {middle / fast:.1f} "
            f"({min(plain) / fast:.1f}–{max(plain) / fast:.1f}) |"
        )
    rows += [
        "",
        "With queues a step costs one column a layer, so its time grows with the number of layers; "
        "without them it grows with the receptive field.",
    ]
    return "\n".join(rows)
