"""Drawing images with a PixelCNN: a whole pass for each pixel against every feature once."""

from __future__ import annotations

import statistics
import time
from typing import Any

import torch

from autograder.lessons import solution_functions

TITLE = "PixelCNN: naive sampling against cached, over image side and batch"
SIDES, BATCHES, REPEATS = (8, 16, 28, 40), (1, 16), 3
LEVELS, CHANNELS, KERNELS = 16, 32, (7, 3, 3, 3, 3)
# A naive image of 40×40 pixels in batches of 16 takes minutes, and its rows cost the same each:
# above this many pixels only some rows are drawn, and their time is scaled. 28×28 is drawn whole.
WHOLE = 28 * 28
ROWS = 3


def seconds_naive(model: Any, count: int, side: int) -> tuple[float, torch.Tensor | None]:
    """Seconds for all pixels, and the images if all were drawn."""
    empty = torch.zeros(count, 1, side, side, dtype=torch.long)
    kept = 0 if side * side <= WHOLE else side - ROWS
    start = time.perf_counter()
    images = model.inpaint(empty, kept, torch.Generator().manual_seed(1))
    spent = time.perf_counter() - start
    return spent * side / (side - kept), None if kept else images


def run() -> str:
    """Times both on the solved network of lesson 09, in single precision, on two threads."""
    torch.set_num_threads(2)
    solved = solution_functions("09_pixelcnn")
    torch.manual_seed(0)
    model = solved["PixelCNN"](LEVELS, 1, CHANNELS, KERNELS).eval()
    size = sum(p.numel() for p in model.parameters())
    rows = [
        f"Solved network of lesson 09, {len(KERNELS)} gated blocks of {CHANNELS} channels, "
        f"{size:,} parameters, {LEVELS} levels, first weights of seed 0, single precision, two "
        "threads. Naive: `sample`, one pass over the whole image for each pixel. Cached: "
        "`sample_cached`. Both draw from one seed, in one run, in turn; naive once at batch 16 and "
        f"28×28 or more, else median of {REPEATS}.",
        "",
        "| side | batch | naive, ms a pixel | cached, ms a pixel | naive / cached (min–max) "
        "| different pixels |",
        "|---|---|---|---|---|---|",
    ]
    for count in BATCHES:
        for side in SIDES:
            repeats = 1 if count > 1 and side >= 28 else REPEATS
            slow, fast, ratios, different = [], [], [], "not compared"
            solved["sample_cached"](model, count, 4, side)  # warm up
            for _ in range(repeats):
                naive, images = seconds_naive(model, count, side)
                times = []
                for _ in range(REPEATS if repeats == 1 else 1):
                    start = time.perf_counter()
                    cached = solved["sample_cached"](
                        model, count, side, side, torch.Generator().manual_seed(1)
                    )
                    times.append(time.perf_counter() - start)
                ratios += [naive / seconds for seconds in times]
                slow.append(naive)
                fast.append(statistics.median(times))
                if images is not None:
                    different = f"{int((images != cached).sum())} of {images.numel():,}"
            n = side * side
            rows.append(
                f"| {side} | {count} | {1e3 * statistics.median(slow) / n:.2f} "
                f"| {1e3 * statistics.median(fast) / n:.2f} "
                f"| {statistics.median(ratios):.1f} ({min(ratios):.1f}–{max(ratios):.1f}) "
                f"| {different} |"
            )
    rows += [
        "",
        "The cached time of a pixel does not depend on the side, the naive one grows with the "
        f"area. Images of more than {WHOLE} pixels: {ROWS} rows are drawn naively and scaled, "
        "since every row costs the same. In double precision equality is certain but for a "
        "chance of about 1e-11 (tests/test_lesson_pixelcnn.py shows the margins).",
    ]
    return "\n".join(rows)
