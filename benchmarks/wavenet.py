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
ROWS = (2, 4, 8, 16)  # sounds drawn at once
STEPS = 100  # of a run with queues whose time a step is taken from
ROUNDS = 7


def wavenet(solved: dict[str, Any], layers: int, labels: int = 0) -> Any:
    """Two stacks 1, 2, …, 2^(layers − 1) with kernel 2; random weights, double precision."""
    torch.manual_seed(0)
    dilations = [2**i for i in range(layers)] * 2
    return solved["WaveNet"](LEVELS, CHANNELS, SKIPS, 2, dilations, labels).double().eval()


def both(solved: dict[str, Any], model: Any, count: int) -> tuple[float, list[float], bool]:
    """Seconds of `generate`, of `generate_fast` before and after it, and whether all are equal."""
    seconds, codes = [], []
    for name in ("generate_fast", "generate", "generate_fast"):
        generator = torch.Generator().manual_seed(1)
        start = time.perf_counter()
        codes.append(solved[name](model, count, generator=generator))
        seconds.append(time.perf_counter() - start)
    equal = all(torch.equal(codes[0], other) for other in codes)
    return seconds[1], [seconds[0], seconds[2]], equal


def steady(solved: dict[str, Any], model: Any, rows: int = 1) -> tuple[list[float], list[float]]:
    """Milliseconds of a step on a full window, and of one with queues (it is flat), in turn."""
    window = torch.zeros(rows, model.field + 1, dtype=torch.int64)
    label = torch.zeros(rows, dtype=torch.int64) if rows > 1 else None  # a label a row
    plain, queues = [], []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        with torch.no_grad():
            solved["draw_codes"](model(window, label)[:, :, -1])
        plain.append(1e3 * (time.perf_counter() - start))
        start = time.perf_counter()  # the copy of the model counts too: a few milliseconds
        solved["generate_fast"](model, STEPS, label)
        queues.append(1e3 * (time.perf_counter() - start) / STEPS)
    return plain, queues


def step_row(solved: dict[str, Any], model: Any, rows: int, first: str) -> str:
    """A line of a table of single steps; the ratio is that of the medians, and of each round."""
    plain, queues = steady(solved, model, rows)
    each = [p / q for p, q in zip(plain, queues, strict=True)]
    middle, quick = statistics.median(plain), statistics.median(queues)
    return (
        f"| {first} | {middle:.1f} | {quick:.2f} | **{middle / quick:.1f}** "
        f"({min(each):.1f} – {max(each):.1f}) |"
    )


def run() -> str:
    """Both sides in one run: whole runs by length, single steps by depth and by batch."""
    torch.set_num_threads(2)
    solved = solution_functions("10_wavenet")
    model = wavenet(solved, 10)
    solved["generate_fast"](model, 20)  # warm
    rows = [
        f"Solved WaveNet of lesson 10, {CHANNELS} channels, {SKIPS} skip channels, {LEVELS} "
        "levels, kernel 2, two stacks of dilations 1, 2, 4, …; double precision, two threads.",
        "The plain side is a full forward pass over the last receptive field for each sample (no "
        "more of the past than the model can see); both draw from equal generators.",
        "",
        f"Whole runs at batch 1, ten layers a stack, receptive field {model.field:,}; queues run "
        "before and after the plain side:",
        "",
        "| samples | plain, s | queues, s | plain / queues (least – most) | equal bit for bit |",
        "|---|---:|---:|---:|---|",
    ]
    for count in LENGTHS:
        plain, fast, equal = both(solved, model, count)
        rows.append(
            f"| {count:,} | {plain:.1f} | {min(fast):.2f}, {max(fast):.2f} | "
            f"**{plain / statistics.mean(fast):.1f}** ({plain / max(fast):.1f} – "
            f"{plain / min(fast):.1f}) | {'yes' if equal else 'NO'} |"
        )
    rows += [
        "",
        f"One step in the steady state, batch 1 (medians of {ROUNDS} rounds in which the sides "
        f"take turns; queues: {STEPS} steps a round):",
        "",
        "| layers a stack, receptive field | plain, ms | queues, ms | plain / queues |",
        "|---|---:|---:|---:|",
    ]
    for layers in LAYERS:
        deep = wavenet(solved, layers)
        rows.append(step_row(solved, deep, 1, f"{layers}, {deep.field:,}"))
    rows += [
        "",
        f"The same by the number of sounds drawn at once, each with a label, receptive field "
        f"{model.field:,}:",
        "",
        "| batch | plain, ms | queues, ms | plain / queues |",
        "|---|---:|---:|---:|",
    ]
    named = wavenet(solved, 10, labels=1)
    rows += [step_row(solved, named, batch, str(batch)) for batch in ROWS]
    rows += [
        "",
        "With queues a step costs one column a layer, so its time grows with the number of layers "
        "and hardly with the batch; without them it grows with the receptive field and the batch.",
    ]
    return "\n".join(rows)
