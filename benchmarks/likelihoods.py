"""One table of test likelihoods: coins, FVSBN, NADE and MADE, as the lessons' solutions have them.

    python -m benchmarks.likelihoods                  # digits, a minute or two
    python -m benchmarks.likelihoods --mnist          # MNIST, in what two cores reach in an hour
    python -m benchmarks.likelihoods --mnist --full   # MNIST in the papers' sizes: for a GPU
    python -m benchmarks.likelihoods --mnist --only FVSBN

Results are kept in benchmarks/likelihoods.json with seed, setting and learning curve, each run
replacing its own lines; an interrupted run goes on from its checkpoint. `python -m benchmarks
likelihoods` trains on the digits again and writes both tables into benchmarks/README.md.
"""

from __future__ import annotations

import argparse
import functools
import itertools
import json
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F

from autograder.lessons import solution_functions
from course import data, full_size
from course.files import write_whole
from course.operations import count_operations
from course.training import evaluate, fit

TITLE = "Likelihoods: the lessons' own models on digits and MNIST"
STORE = Path(__file__).parent / "likelihoods.json"

# What the papers print for Larochelle and Murray's binarized MNIST, in nats.
PUBLISHED = {
    "FVSBN": full_size.PUBLISHED["FVSBN"],
    "NADE": full_size.PUBLISHED["NADE"],
    "MADE, 1 mask": full_size.PUBLISHED["MADE"],
    "MADE, many masks": "88.04 (Germain et al., 2015: one layer, 32 masks); two layers 86.64 (as "
    "commonly cited)",
}


@dataclass(frozen=True)
class Setting:
    """How one model is trained: its size, and `fit`'s arguments."""

    epochs: int
    batch_size: int
    lr: float
    weight_decay: float = 0.0
    hidden: int = 0
    masks: int = 1
    direct: bool = False  # MADE: masked links from the input straight to the output as well

    def in_words(self) -> str:
        """hidden 128, 40 epochs of batches of 32, lr 0.02, weight decay 0.1."""
        parts = [f"hidden {self.hidden}"] if self.hidden else []
        parts += ["direct links"] if self.direct else []
        parts += [f"{self.masks} masks"] if self.masks > 1 else []
        parts += [f"{self.epochs} epochs of batches of {self.batch_size}", f"lr {self.lr:g}"]
        parts += [f"weight decay {self.weight_decay:g}"] if self.weight_decay else []
        return ", ".join(parts)


DIGITS = {  # as in lessons 03, 04 and 05
    "FVSBN": Setting(100, 100, 2e-2),
    "NADE": Setting(40, 32, 2e-2, 0.1, hidden=128),
    "MADE, 1 mask": Setting(100, 100, 1e-2, 0.1, hidden=500),
    "MADE, many masks": Setting(100, 100, 1e-2, 0.1, hidden=500, masks=4),
}
MNIST = {  # two cores, an hour
    "FVSBN": Setting(20, 100, 5e-3),
    "NADE": Setting(40, 250, 1e-2, 0.01, hidden=200),
    "MADE, 1 mask": Setting(30, 100, 3e-3, 0.1, hidden=1200, direct=True),
    "MADE, many masks": Setting(30, 100, 3e-3, 0.1, hidden=1200, masks=4, direct=True),
}
FULL = {  # one GPU
    "FVSBN": Setting(60, 100, 5e-3),
    "NADE": Setting(100, 100, 3e-3, 0.02, hidden=500),
    "MADE, 1 mask": Setting(200, 100, 3e-3, 0.1, hidden=500, direct=True),
    "MADE, many masks": Setting(300, 100, 3e-3, 0.05, hidden=500, masks=32, direct=True),
}


@dataclass(frozen=True)
class Result:
    """One line of the table. `nats` and `error` are the test NLL and its standard error."""

    images: str
    model: str
    setting: str
    seed: int
    parameters: int
    nats: float
    error: float
    seconds: float
    device: str
    valid: list[float] = field(default_factory=list)  # after each epoch
    likelihood: int = 0  # operations of one example's nll
    sample: int = 0  # operations of one sample


def train_all(
    split: data.Split,
    settings: dict[str, Setting],
    images: str,
    seed: int = 0,
    progress: bool = True,
    checkpoints: Path | None = None,
) -> Iterator[Result]:
    """Trains and tests the models of `settings`, one after the other; coins come first.

    `checkpoints` is a folder for unfinished runs.
    """
    began = time.perf_counter()
    frequency = (split.train.sum(0) + 1) / (len(split.train) + 2)
    logit = frequency.logit().expand_as(split.test)
    coins = F.binary_cross_entropy_with_logits(logit, split.test, reduction="none").sum(1)
    yield Result(
        images=images,
        model="coins",
        setting="the frequency of each pixel",
        seed=seed,
        parameters=split.train.shape[1],
        nats=float(coins.mean()),
        error=float(coins.std() / math.sqrt(len(coins))),
        seconds=time.perf_counter() - began,
        device="cpu",
    )
    for name, setting in settings.items():
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)  # layers draw their first weights from the global generator
            model, orders, draw = _made(name, split.train.shape[1], setting, seed)
        loss = None
        if len(orders) > 1:
            loss = _loss_in_turn(orders)
        path = None
        if checkpoints is not None:
            checkpoints.mkdir(parents=True, exist_ok=True)
            path = checkpoints / f"{images}-{name}-{setting.epochs}-{seed}.pt".replace(", ", "-")
        history = fit(
            model,
            split.train,
            split.valid,
            epochs=setting.epochs,
            batch_size=setting.batch_size,
            lr=setting.lr,
            weight_decay=setting.weight_decay,
            seed=seed,
            loss=loss,
            checkpoint=path,
            progress=progress,
        )
        if history.stopped == "interrupted":
            raise KeyboardInterrupt
        if path is not None:
            path.unlink(missing_ok=True)
        if len(orders) > 1:
            average = solution_functions("05_made")["average_over_orders"]
            loss = functools.partial(_ensemble, average, orders)
            nats, error = evaluate(model, split.test, loss=loss)
        else:
            nats, error = evaluate(model, split.test)
        yield Result(
            images=images,
            model=name,
            setting=setting.in_words(),
            seed=seed,
            parameters=_used(name, history.parameters, split.train.shape[1], setting),
            nats=nats,
            error=error,
            seconds=history.seconds,
            device=history.device,
            valid=[round(v, 4) for v in history.valid],
            likelihood=max(1, len(orders)) * count_operations(model.nll, split.test[:1]),
            sample=count_operations(draw, torch.Generator().manual_seed(seed)),
        )


def _made(
    name: str, n: int, setting: Setting, seed: int
) -> tuple[torch.nn.Module, list[torch.Tensor], Callable]:
    """The lesson's model, its orders (none but for MADE), and a function that draws one sample."""
    if name == "FVSBN":
        lesson = solution_functions("03_fvsbn")
        model = lesson["FVSBN"](n)

        def draw(generator: torch.Generator) -> Any:
            return lesson["sample"](model.weight.detach(), model.bias.detach(), 1, generator)

        return model, [], draw
    generator = torch.Generator().manual_seed(seed)
    if name == "NADE":
        lesson = solution_functions("04_nade")
        model = lesson["NADE"](n, setting.hidden, generator)
        return model, [], lambda g: lesson["sample"](*model.numbers(), 1, g)
    orders = [torch.arange(1, n + 1)]
    if setting.masks > 1:
        source = torch.Generator().manual_seed(seed + 9)
        orders = [1 + torch.randperm(n, generator=source) for _ in range(setting.masks)]
    lesson = solution_functions("05_made")
    kind = _with_direct_links(lesson) if setting.direct else lesson["MADE"]
    model = kind(n, (setting.hidden,), orders[0], generator)
    return model, orders, lambda g: model.sample(1, g)


def _with_direct_links(lesson: dict[str, Any]) -> type[torch.nn.Module]:
    """The lesson's MADE with one more masked layer, from the input straight to the output.

    Germain et al. (2015) use such links too. Their mask is that of a network without
    hidden layers: output d sees the inputs before d in the order.
    """

    class DirectMADE(lesson["MADE"]):
        def __init__(self, n, hidden_sizes, place=None, generator=None):
            super().__init__(n, hidden_sizes, place, generator)
            mask = (self.place[:, None] > self.place[None, :]).float()
            self.direct = lesson["MaskedLinear"](n, n, mask, bias=False)
            torch.nn.init.zeros_(self.direct.weight)

        def reorder(self, place):
            super().reorder(place)
            self.direct.mask.copy_((self.place[:, None] > self.place[None, :]).float())

        def forward(self, x):
            return super().forward(x) + self.direct(x)

    return DirectMADE


def _loss_in_turn(orders: list[torch.Tensor]) -> Callable:
    """The loss under another of `orders` for each batch, the first of them in validation."""
    turn = itertools.cycle(orders)

    def loss(model: Any, x: torch.Tensor) -> torch.Tensor:
        model.reorder(next(turn) if model.training else orders[0])
        return model.nll(x)

    return loss


def _ensemble(
    average: Callable, orders: list[torch.Tensor], model: Any, x: torch.Tensor
) -> torch.Tensor:
    return -average(model, x, orders)


def _used(name: str, stored: int, n: int, setting: Setting) -> int:
    """The numbers that matter: what stands above FVSBN's diagonal or behind a mask is not one."""
    if name == "FVSBN":
        return n * (n + 1) // 2
    if name == "MADE, 1 mask":  # each unit keeps n connections in all
        direct = n * (n - 1) // 2 if setting.direct else 0
        return n * setting.hidden + setting.hidden + n + direct
    return stored


def stored() -> list[Result]:
    """All results that were kept, in the order of the tables."""
    if not STORE.exists():
        return []
    return [Result(**line) for line in json.loads(STORE.read_text(encoding="utf-8"))]


def keep(result: Result) -> None:
    """Puts a result in the place of the one of the same images and model."""
    names = ["coins", *DIGITS]
    lines = [r for r in stored() if (r.images, r.model) != (result.images, result.model)]
    lines = sorted([*lines, result], key=lambda r: (r.images, names.index(r.model)))
    write_whole(STORE, json.dumps([asdict(r) for r in lines], indent=1, ensure_ascii=False) + "\n")


def table(results: list[Result]) -> str:
    """Markdown: digits, then MNIST beside the published numbers with its learning curves."""
    parts = []
    for images in dict.fromkeys(r.images for r in results):
        here = [r for r in results if r.images == images]
        published = images.startswith("MNIST")
        parts += [f"### {images}", ""]
        head = ["model", "test nats", "± (s.e.)", "parameters", "seconds", "setting"]
        head += ["published"] if published else ["operations: nll", "sample"]
        parts += [f"| {' | '.join(head)} |", "|" + "---|" * len(head)]
        for r in here:
            cells = [r.model, f"{r.nats:.2f}", f"{r.error:.2f}", f"{r.parameters:,}"]
            cells += [f"{r.seconds:.1f}", f"{r.setting}; seed {r.seed}, {r.device}"]
            if published:
                cells.append(PUBLISHED.get(r.model, ""))
            else:
                cells += [f"{c:,}" if c else "" for c in (r.likelihood, r.sample)]
            parts.append(f"| {' | '.join(cells)} |")
        if published:
            parts += [
                "",
                "The published numbers are for Larochelle and Murray's binarization, ours for a "
                "seeded draw of our own: they do not compare to the last tenths. Where ours is "
                "more than 2 nats behind, training was cut to what two cores do in an hour. "
                "Validation NLL after each epoch:",
                "",
            ]
            parts += [f" - {r.model}: {_curve(r.valid)}" for r in here if r.valid]
        parts.append("")
    return "\n".join(parts)


def _curve(valid: list[float], most: int = 10) -> str:
    step = max(1, math.ceil(len(valid) / most))
    shown = [f"{i + 1}: {v:.2f}" for i, v in enumerate(valid) if i % step == 0]
    if (len(valid) - 1) % step:
        shown.append(f"{len(valid)}: {valid[-1]:.2f}")
    return ", ".join(shown)


def run() -> str:
    """Trains on the digits; MNIST's table is the stored one."""
    for result in train_all(data.digits(), DIGITS, "Digits 8×8", progress=False):
        keep(result)
    intro = (
        "Built from the solutions of lessons 03, 04 and 05. Nats an image; the standard error is "
        "over test images. Operations are counted, for one image (`course.operations`): an FVSBN "
        "and a MADE are asked once for each bit of a sample, as the lessons write it, NADE sweeps "
        "once.\n\n"
    )
    return intro + table(stored())


def main(arguments: list[str] | None = None) -> None:
    """Trains, keeps and prints."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.likelihoods", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--mnist", action="store_true", help="MNIST in place of the digits")
    parser.add_argument("--full", action="store_true", help="the papers' sizes: for a GPU")
    parser.add_argument("--only", choices=list(DIGITS), help="one model only")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(arguments)
    settings = (FULL if options.full else MNIST) if options.mnist else DIGITS
    if options.only:
        settings = {options.only: settings[options.only]}
    split = data.mnist() if options.mnist else data.digits()
    images = "MNIST 28×28" if options.mnist else "Digits 8×8"
    folder = data.cache_folder() / "likelihoods"
    for result in train_all(split, settings, images, options.seed, checkpoints=folder):
        keep(result)
        print(f"{result.model}: {result.nats:.2f} ± {result.error:.2f} nats", flush=True)
    print(table([r for r in stored() if r.images == images]))


if __name__ == "__main__":
    main()
