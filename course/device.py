"""Chooses where the notebooks compute: a CUDA card, Apple's MPS, or the processor."""

import os
import time
from collections.abc import Callable

import torch

VARIABLE = "COURSE_DEVICE"
SIZES = ("auto", "gpu", "laptop", "smaller")  # of what the sections "At full size" do
TRIES = 5  # of a step, on each device
WORTH_A_CARD = 70.0  # seconds: to set up a card takes 6 or 7, so to ask it costs a tenth at most
A_LONG_STEP = 1.0  # seconds


def device() -> torch.device:
    """Return the fastest device that torch can use here: CUDA, else MPS, else the CPU.

    The environment variable `COURSE_DEVICE` overrides the choice (`cpu`, `cuda`, `cuda:1`, `mps`):
    `COURSE_DEVICE=cpu` makes a run deterministic on a machine with a GPU.

    Raises:
        ValueError: `COURSE_DEVICE` names no such kind of device.
        RuntimeError: `COURSE_DEVICE` asks for a device that torch cannot use here.
    """
    wanted = os.environ.get(VARIABLE, "").strip().lower()
    if not wanted:
        if torch.cuda.is_available():
            return torch.device("cuda")
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    try:
        chosen = torch.device(wanted)
    except RuntimeError:
        chosen = None
    if chosen is None or chosen.type not in ("cpu", "cuda", "mps"):
        raise ValueError(f"{VARIABLE} must be cpu, cuda, cuda:N or mps: got {wanted!r}")
    if chosen.type == "cuda":
        cards = torch.cuda.device_count() if torch.cuda.is_available() else 0
        if (chosen.index or 0) >= cards:
            raise RuntimeError(
                f"{VARIABLE} asks for {wanted!r}, but torch {torch.__version__} sees {cards} CUDA "
                f"cards here: unset {VARIABLE}, or set it to cpu"
            )
    if chosen.type == "mps" and not torch.backends.mps.is_available():
        raise RuntimeError(
            f"{VARIABLE} asks for {wanted!r}, but torch {torch.__version__} has no MPS here: "
            f"unset {VARIABLE}, or set it to cpu"
        )
    return chosen


def is_told() -> bool:
    """Whether `COURSE_DEVICE` says where to compute."""
    return bool(os.environ.get(VARIABLE, "").strip())


def quicker(
    step_on: Callable[[torch.device], Callable[[], None]],
    card: torch.device,
    steps: int,
    clock: Callable[[], float] = time.perf_counter,
) -> torch.device:
    """The device that does `steps` steps in less time: `card`, or the processor.

    A card is built for much work at once. A small model's step is over before the card has been
    told of it, and then the processor is the quicker one. And a card takes seconds to set up, in
    vain if it is not quicker: what the processor does in `WORTH_A_CARD` seconds, it does without
    asking, so that asking in vain costs a tenth at most.

    Args:
        step_on: `step_on(device)` prepares there and returns a step without arguments, which
            returns when its work is done.
        card: the other device; its first step is not counted, since much is set up in it.
        steps: how many there will be.
        clock: a time in seconds.
    """
    processor = torch.device("cpu")
    step = step_on(processor)
    best = _seconds(step, clock)
    for _ in range(TRIES):  # the first sets up some things here, too
        if best * steps <= WORTH_A_CARD:
            return processor
        if best > A_LONG_STEP:
            break  # nobody waits for more of them
        best = min(best, _seconds(step, clock))
    step = step_on(card)
    step()
    for _ in range(TRIES):
        if _seconds(step, clock) <= best:
            return card
    return processor


def _seconds(step: Callable[[], None], clock: Callable[[], float]) -> float:
    began = clock()
    step()
    return clock() - began
