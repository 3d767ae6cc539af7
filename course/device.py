"""Chooses where the notebooks compute: a CUDA card, Apple's MPS, or the processor."""

import os

import torch

VARIABLE = "COURSE_DEVICE"


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
