"""What appendix A1 shows as stored: a GPT on the digits' bits, GPTs of four sizes on plays.

    python -m benchmarks.images_and_scale images    # 25 minutes on one core
    python -m benchmarks.images_and_scale scale     # 12 minutes; fetches the plays, 5 MB

Both keep what is finished (`course/measured/`) and go on from there; a run that was cut off goes on
from its last epoch. The models are the lessons' own solutions.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import torch

from autograder.lessons import solution_functions
from benchmarks import small_gpt
from course import data, stored
from course.files import write_whole
from course.operations import count_operations
from course.training import evaluate, fit

TITLE = "Images as tokens, and what scale buys: what appendix A1 shows as stored"
SEEDS = (0, 1, 2)

Rows = list[dict[str, Any]]


def keep(name: str, rows: Rows, key: tuple[str, ...]) -> None:
    """Puts rows in the place of those of the same key."""
    kept = {tuple(row[k] for k in key): row for row in [*known(name), *rows]}
    text = json.dumps([kept[k] for k in sorted(kept)], indent=1, ensure_ascii=False)
    write_whole(stored.path_of(name), text + "\n")


def known(name: str) -> Rows:
    """What is stored already."""
    return stored.rows(name) if stored.path_of(name).exists() else []


# --- images ---------------------------------------------------------------------------------------

GPT = {"epochs": 40, "batch_size": 16, "lr": 1e-2, "weight_decay": 0.1, "clip": 1.0, "warmup": 80}
MADE = {"epochs": 100, "batch_size": 100, "lr": 1e-2, "weight_decay": 0.1}
PIXELCNN = {"epochs": 40, "batch_size": 25, "lr": 4e-3, "weight_decay": 0.1}


def images(seeds: tuple[int, ...] = SEEDS, only: str = "") -> None:
    """Trains every model of the table with every seed, and keeps what came."""
    done = {(row["model"], row["seed"]) for row in known("images_as_tokens")}
    for seed in seeds:
        for name, train in MODELS.items():
            if (name, seed) not in done and only in ("", name):
                row = {"model": name, "seed": seed, **train(seed)}
                keep("images_as_tokens", [row], ("model", "seed"))
                checkpoint_of(name, seed).unlink(missing_ok=True)
                print(f"{name}, seed {seed}: {row['nats']:.2f} nats", flush=True)


def checkpoint_of(name: str, seed: int) -> Path:
    """Where a run lies that is not finished."""
    folder = data.cache_folder() / "images_and_scale"
    folder.mkdir(parents=True, exist_ok=True)
    return folder / f"{name.replace(' ', '-').replace(',', '')}-{seed}.pt"


def _trained(
    name: str, model: Any, seed: int, parts: tuple[Any, Any, Any], setting: dict, loss: Any = None
) -> dict[str, Any]:
    """Trains on the first part; the second chooses the epoch, the third is opened once."""
    train, valid, test = parts
    history = fit(
        model, train, valid, seed=seed, loss=loss, progress=False,
        checkpoint=checkpoint_of(name, seed), **setting,
    )  # fmt: skip
    if history.stopped == "interrupted":
        raise KeyboardInterrupt
    nats, error = evaluate(model, test, loss=loss)
    return {
        "nats": round(nats, 4),
        "error": round(error, 4),
        "best_epoch": history.best_epoch,
        "valid": [round(v, 3) for v in history.valid],
        "parameters": history.parameters,
        "seconds": round(history.seconds, 1),
        "setting": ", ".join(f"{k.replace('_', ' ')} {v:g}" for k, v in setting.items()),
    }


def _gpt(seed: int, *, name: str, ordered: bool = True, grid: bool = False) -> dict[str, Any]:
    """The lesson's GPT2 on the bits; also in another order, or with other positions."""
    lesson = solution_functions("A1")
    lesson["GPT2"] = solution_functions("gpt2")["GPT2"]
    split, order = lesson["digits"], None if ordered else order_of(seed)
    model = lesson["small_gpt"](seed, grid=grid)
    labels = {part: getattr(split, f"{part}_labels") for part in ("train", "valid", "test")}
    parts = tuple(lesson["as_tokens"](getattr(split, part), y, order) for part, y in labels.items())
    row = _trained(name, model, seed, parts, GPT, lesson["image_nll"])
    joint = lesson["log_joint"](model, split.test, order)  # (300, 10), log p(c, x)
    row["marginal"] = round(float(-joint.logsumexp(1).mean()), 4)
    row["accuracy"] = round(float((joint.argmax(1) == split.test_labels).float().mean()), 4)
    weights = lesson["attention"](model, parts[1])
    for place, offset in (("above", (-1, 0)), ("left", (0, -1))):
        head = int(lesson["looks_at"](weights, offset, order).argmax())  # chosen on validation
        looks = lesson["looks_at"](lesson["attention"](model, parts[2]), offset, order)
        row[place] = round(float(looks[head]), 4)
    return row


def order_of(seed: int) -> torch.Tensor:
    """A random order of the 64 pixels: the one that comes t-th."""
    return torch.randperm(64, generator=torch.Generator().manual_seed(100 + seed))


def _made(seed: int, *, name: str, ordered: bool = True) -> dict[str, Any]:
    lesson, split = solution_functions("made"), data.digits()
    place = torch.arange(1, 65) if ordered else torch.argsort(order_of(seed)) + 1
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = lesson["MADE"](64, (500,), place, torch.Generator().manual_seed(seed))
    return _trained(name, model, seed, (split.train, split.valid, split.test), MADE)


def _pixelcnn(seed: int, *, name: str, ordered: bool = True) -> dict[str, Any]:
    lesson, split = solution_functions("pixelcnn"), data.digits(levels=2)
    order = torch.arange(64) if ordered else order_of(seed)
    parts = tuple(x[:, order].view(-1, 1, 8, 8) for x in (split.train, split.valid, split.test))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = lesson["PixelCNN"](levels=2, channels=32, kernels=(7, 3, 3), dropout=0.1)
    return _trained(name, model, seed, parts, PIXELCNN)


MODELS: dict[str, Callable[[int], dict[str, Any]]] = {
    name: partial(train, name=name, **how)
    for name, train, how in (
        ("MADE", _made, {}),
        ("MADE, random order", _made, {"ordered": False}),
        ("GPT", _gpt, {}),
        ("GPT, random order", _gpt, {"ordered": False}),
        ("GPT, rows and columns", _gpt, {"grid": True}),
        ("PixelCNN", _pixelcnn, {}),
        ("PixelCNN, random order", _pixelcnn, {"ordered": False}),
    )
}


# --- scale ----------------------------------------------------------------------------------------

WIDTHS = (16, 32, 64, 128)  # of two blocks each: the numbers of a block grow as the square
TOKENS = (2**19, 2**21)  # characters, each of them read once
CONTEXT = 64


def scale(seeds: tuple[int, ...] = SEEDS, rate: float | None = None, only: int = 0) -> None:
    """Trains every size on every number of characters with every seed, and keeps what came."""
    key = ("width", "tokens", "seed")
    done = {tuple(row[k] for k in key) for row in known("small_scaling")}
    for seed in seeds:
        for tokens in TOKENS:
            for width in WIDTHS:
                if (width, tokens, seed) not in done and only in (0, width):
                    row = _sized(width, tokens, seed, rate)
                    print(f"{row}", flush=True)
                    if rate is None:
                        keep("small_scaling", [row], key)


def characters() -> tuple[torch.Tensor, torch.Tensor, int]:
    """The plays as windows of 65 characters, those of Twelfth Night apart; how many symbols."""
    train, held_out = small_gpt.parts()
    symbols = {s: i for i, s in enumerate(sorted({*"".join(train), *held_out}))}

    def windows(text: str) -> torch.Tensor:
        ids = torch.tensor([symbols[s] for s in text])
        count = (len(ids) - 1) // CONTEXT
        return ids[torch.arange(count)[:, None] * CONTEXT + torch.arange(CONTEXT + 1)]

    return torch.cat([*map(windows, train)]), windows(held_out), len(symbols)


def _sized(width: int, tokens: int, seed: int, rate: float | None = None) -> dict[str, Any]:
    """One size, trained once through `tokens` characters and tested on the play held out."""
    lesson, (train, held_out, vocabulary) = solution_functions("A1"), characters()
    lesson["GPT2"] = solution_functions("gpt2")["GPT2"]
    order = torch.randperm(len(train), generator=torch.Generator().manual_seed(seed))
    read = train[order[: tokens // CONTEXT]]
    began = time.perf_counter()
    model, rate = lesson["trained_once"](width, read, vocabulary, seed, rate, progress=False)
    seconds = time.perf_counter() - began
    nats, error = evaluate(model, held_out, loss=lesson["letter_nll"])
    return {
        "width": width,
        "tokens": tokens,
        "seed": seed,
        "parameters": sum(p.numel() for p in model.parameters()),
        "in_blocks": sum(p.numel() for p in model.h.parameters()),
        "operations": round(3 * count_operations(model, held_out[:1, :-1]) / CONTEXT),
        "nats": round(nats, 4),
        "error": round(error, 4),
        "lr": round(rate, 5),
        "seconds": round(seconds, 1),
    }


def run() -> str:
    """The stored results; `main` trains what is missing."""
    lines = ["| model | seed | test nats | ± (s.e.) | parameters | seconds |", "|---" * 6 + "|"]
    for r in known("images_as_tokens"):
        cells = (r["model"], r["seed"], r["nats"], r["error"], r["parameters"], r["seconds"])
        lines.append("| " + " | ".join(map(str, cells)) + " |")
    lines += ["", "| letters | width | seed | nats a letter | lr | seconds |", "|---" * 6 + "|"]
    for r in known("small_scaling"):
        cells = (r["tokens"], r["width"], r["seed"], r["nats"], r["lr"], r["seconds"])
        lines.append("| " + " | ".join(map(str, cells)) + " |")
    return "\n".join(lines)


def main(arguments: list[str] | None = None) -> None:
    """Trains what is not stored yet."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.images_and_scale")
    parser.add_argument("part", choices=["images", "scale"])
    parser.add_argument("--seed", type=int, help="one seed only")
    parser.add_argument("--only", default="", help="one model, or one width, only")
    parser.add_argument("--rate", type=float, help="try a learning rate, and keep nothing")
    options = parser.parse_args(arguments)
    seeds = SEEDS if options.seed is None else (options.seed,)
    torch.set_num_threads(1)
    if options.part == "images":
        images(seeds, options.only)
    else:
        scale(seeds, options.rate, int(options.only or 0))


if __name__ == "__main__":
    main()
