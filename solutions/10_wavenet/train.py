"""Trains the two WaveNets that ship with the course: `python solutions/10_wavenet/train.py NAME`.

NAME is wavenet_resonator or wavenet_strings. The network is the lesson's own solution, the sounds
are made on the way and never repeat. Writes weights.npz (half precision), settings.json and log.txt
into course/models/NAME. One thread, seed 0: the same weights on the same machine; four to ten
minutes of one core each.
"""

from __future__ import annotations

import io
import json
import math
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from autograder.lessons import solution_functions  # noqa: E402
from course import sound  # noqa: E402
from course.files import write_whole  # noqa: E402

Batch = tuple[torch.Tensor, ...]
DILATIONS = [1, 2, 4, 8, 16, 32, 64]
SEED, EVERY = 0, 250
RECIPES: dict[str, dict[str, Any]] = {
    "wavenet_resonator": {
        "model": {
            "levels": 64,
            "channels": 32,
            "skip_channels": 64,
            "kernel_size": 2,
            "dilations": DILATIONS,
        },
        "steps": 3000,
        "batch": "8 stretches of 1,024 samples, all new",
    },
    "wavenet_strings": {
        "model": {
            "levels": 256,
            "channels": 32,
            "skip_channels": 64,
            "kernel_size": 2,
            "dilations": DILATIONS,
            "labels": 5,
        },
        "steps": 3500,
        "batch": "one new pluck of each of the 5 notes, 1,600 samples from the start",
    },
}
LR, WEIGHT_DECAY, CLIP, WARM_UP = 3e-3, 0.01, 1.0, 50


def batches(name: str, encode: Callable) -> Iterator[Batch]:
    """Codes (B, T), and labels (B,) for the strings; a fresh seed each, from 1,000,000 on."""
    seed = 1_000_000 * (SEED + 1)
    labels = torch.arange(5)
    while True:
        if name == "wavenet_resonator":
            yield (encode(sound.resonator(8, 1024, seed)),)
        else:
            yield encode(sound.strings(labels, 1600, seed)), labels
        seed += 1


def test_set(name: str, encode: Callable) -> Batch:
    """What the log's prices are taken on: the resonator's are those of the lesson."""
    if name == "wavenet_resonator":
        return (encode(sound.resonator(8, 4096, seed=12)),)
    labels = torch.arange(5).repeat(4)
    return encode(sound.strings(labels, 2400, seed=77)), labels


def main(name: str, steps: int | None = None) -> None:
    """Trains `name` and writes its files; `steps` other than the recipe's is for a trial."""
    recipe = RECIPES[name]
    steps = steps or recipe["steps"]
    torch.set_num_threads(1)
    torch.manual_seed(SEED)
    solved = solution_functions("10_wavenet")
    levels = recipe["model"]["levels"]
    model = solved["WaveNet"](**recipe["model"])

    def encode(x: torch.Tensor) -> torch.Tensor:
        return solved["mu_law_encode"](x, levels)

    def price(*batch: torch.Tensor) -> torch.Tensor:
        return model.nll(*batch).mean() / batch[0].shape[1]

    test = test_set(name, encode)
    optimizer = torch.optim.AdamW(
        model.parameters(), lr=LR, weight_decay=WEIGHT_DECAY, betas=(0.9, 0.99)
    )
    count = sum(p.numel() for p in model.parameters())
    log = [
        f"{name}: {count:,} parameters, seed {SEED}, torch {torch.__version__}, one thread",
        f"AdamW, lr {LR} with {WARM_UP} steps of warm-up and a cosine to 0, weight decay "
        f"{WEIGHT_DECAY}, betas 0.9, 0.99, clip {CLIP}; {steps:,} steps of {recipe['batch']}",
        "step  test nats a sample  CPU seconds",
    ]
    print("\n".join(log), flush=True)
    began = time.process_time()
    for step, batch in zip(range(steps), batches(name, encode), strict=False):
        rate = LR * min(1, (step + 1) / WARM_UP) * 0.5 * (1 + math.cos(math.pi * step / steps))
        for group in optimizer.param_groups:
            group["lr"] = rate
        optimizer.zero_grad()
        price(*batch).backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), CLIP)
        optimizer.step()
        if (step + 1) % EVERY == 0 or step + 1 == steps:
            with torch.no_grad():
                nats = float(price(*test))
            log.append(f"{step + 1:>4}  {nats:.4f}  {time.process_time() - began:.0f}")
            print(log[-1], flush=True)

    half = {key: value.half() for key, value in model.state_dict().items()}
    model.load_state_dict({key: value.float() for key, value in half.items()})
    with torch.no_grad():
        nats = float(price(*test))
    log.append(f"weights rounded to half precision: {nats:.4f} nats a sample")
    print(log[-1], flush=True)
    content = io.BytesIO()
    np.savez_compressed(content, **{key: value.numpy() for key, value in half.items()})
    folder = sound.MODELS / name
    settings = {
        "model": recipe["model"],
        "parameters": count,
        "steps": steps,
        "seed": SEED,
        "nats_a_sample": round(nats, 4),
        "made_by": "solutions/10_wavenet/train.py",
        "license": "MIT",
    }
    write_whole(folder / "weights.npz", content.getvalue())
    write_whole(folder / "settings.json", json.dumps(settings, indent=1) + "\n")
    write_whole(folder / "log.txt", "\n".join(log) + "\n")


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3) or sys.argv[1] not in RECIPES:
        sys.exit(f"usage: python {sys.argv[0]} {' | '.join(RECIPES)} [steps]")
    main(sys.argv[1], int(sys.argv[2]) if len(sys.argv) == 3 else None)
