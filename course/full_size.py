"""Trains a lesson's own model at the papers' size where there is a card; elsewhere shows what came.

    run = full_size.train("NADE", make, draw, size="auto")    # shows itself: table, curve, samples

`size` is one name for everything: "auto" takes the largest setting that the card here does in six
minutes, by its measured memory and speed; "gpu" the papers' size, however long it takes; "laptop"
trains nothing and shows the stored result; "smaller" trains on the processor, in seconds. Without a
CUDA card "auto" and "gpu" are "laptop", and say so.
"""

from __future__ import annotations

import base64
import html
import json
import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from course import data as images_of
from course.device import SIZES
from course.device import device as device_here
from course.kept_network import COUNT
from course.picture import figure_html
from course.training import History, Loss, evaluate, fit

if TYPE_CHECKING:
    from matplotlib.figure import Figure

STORE = Path(__file__).parent / "measured" / "full_size.json"
PATIENCE = 360.0  # seconds that "auto" lets a training take
SHOWN = 20  # samples

# What papers print for Larochelle and Murray's binarization of MNIST, in nats an image.
PUBLISHED = {
    "FVSBN": "97.45 (commonly cited; not checked in a paper's text)",
    "NADE": "88.86 (Larochelle and Murray, 2011); 88.33 (as commonly cited)",
    "MADE": "88.40 (Germain et al., 2015, one layer and one mask; as commonly cited)",
    "PixelCNN": "81.30 (van den Oord et al., 2016a, table 4)",
    "WaveNet": "none: this sound has bounds instead, which the lesson prints",
}

Make = Callable[["Setting", int], torch.nn.Module]
Draw = Callable[[torch.nn.Module, int, torch.Generator], torch.Tensor]
Parts = tuple[Any, Any, Any]


@dataclass(frozen=True)
class Setting:
    """How large a model is and how it is trained.

    Attributes:
        size: "full", "half", …, or "smaller".
        epochs, batch_size, lr, weight_decay, warmup, clip, amp: as `course.training.fit` has them.
        hidden: units of NADE and MADE.
        channels, blocks: of PixelCNN and WaveNet.
        dropout: of MADE and PixelCNN.
        images: how many of the training set, and a fifth as many to validate and to test; 0: all.
    """

    size: str
    epochs: int
    lr: float
    batch_size: int = 100
    weight_decay: float = 0.0
    warmup: int = 0
    clip: float | None = None
    amp: bool = False
    hidden: int = 0
    channels: int = 0
    blocks: int = 0
    dropout: float = 0.0
    images: int = 0

    def in_words(self) -> str:
        """500 hidden units, 40 epochs of batches of 100, lr 0.002."""
        parts = [f"{self.hidden:,} hidden units"] if self.hidden else []
        parts += [f"{self.channels} channels × {self.blocks} blocks"] if self.channels else []
        parts += [f"{self.epochs} epochs of batches of {self.batch_size}", f"lr {self.lr:g}"]
        parts += [f"weight decay {self.weight_decay:g}"] if self.weight_decay else []
        parts += [f"dropout {self.dropout:g}"] if self.dropout else []
        return ", ".join(parts)


# From large to small. What is full has the papers' size, and the sizes of `PUBLISHED`.
_nade = Setting("full", 40, 2e-3, warmup=500, hidden=500)
_made = Setting("full", 40, 5e-4, weight_decay=0.05, hidden=8000, dropout=0.2)
_pixelcnn = Setting("full", 12, 2e-3, warmup=200, clip=1.0, amp=True, channels=64, blocks=10)
_wavenet = Setting(
    "full", 10, 3e-3, 8, weight_decay=0.01, warmup=50, clip=1.0, channels=32, blocks=7
)
SETTINGS: dict[str, tuple[Setting, ...]] = {
    "FVSBN": (Setting("full", 30, 3e-3),),
    "NADE": (
        _nade,
        replace(_nade, size="half the epochs", epochs=20),
        replace(_nade, size="a quarter", epochs=20, hidden=250),
    ),
    "MADE": (_made, replace(_made, size="a quarter", hidden=2000)),
    "PixelCNN": (
        _pixelcnn,
        replace(_pixelcnn, size="two thirds", channels=48, blocks=8),
        replace(_pixelcnn, size="a third", channels=32, blocks=6),
    ),
    "WaveNet": (_wavenet,),
}
SMALLER: dict[str, Setting] = {
    "FVSBN": Setting("smaller", 30, 2e-2, images=1000),
    "NADE": Setting("smaller", 12, 2e-2, 50, hidden=32, images=1000),
    "MADE": Setting("smaller", 10, 5e-3, 50, weight_decay=0.05, hidden=200, images=1000),
    "PixelCNN": Setting("smaller", 4, 1e-2, 20, channels=8, blocks=3, images=500),
    "WaveNet": Setting("smaller", 4, 4e-3, 8, clip=1.0, channels=16, blocks=4, images=160),
}


# --- what a card can do, and what a setting asks of it --------------------------------------------


@dataclass(frozen=True)
class Card:
    """What was measured of a device, in bytes and seconds.

    Attributes:
        memory: bytes that are free.
        bandwidth: bytes read and written a second by a copy.
        arithmetic: operations a second of a large matrix product in float32.
        mixed: the same in `mixed_precision`'s dtype.
    """

    name: str
    memory: float
    bandwidth: float
    arithmetic: float
    mixed: float


def measure(device: torch.device, side: int = 4096, length: int = 2**26) -> Card:
    """Measure a device: a copy of `length` floats and products of matrices of `side`²; a second."""
    from course.step import mixed_precision

    rates = []
    for dtype in (torch.float32, mixed_precision(device)):
        a = torch.rand(side, side, device=device, dtype=dtype)
        rates.append(2 * side**3 / _quickest(partial(torch.matmul, a, a)))
    x = torch.rand(length, device=device)
    bandwidth = 2 * x.numel() * x.element_size() / _quickest(x.clone)
    del a, x
    free, name = math.inf, str(device)
    if device.type == "cuda":
        torch.cuda.empty_cache()
        free, name = torch.cuda.mem_get_info(device)[0], torch.cuda.get_device_name(device)
    return Card(name, free, bandwidth, *rates)


def _quickest(work: Callable[[], torch.Tensor]) -> float:
    work().flatten()[0].item()
    seconds = []
    for _ in range(5):
        began = time.perf_counter()
        work().flatten()[0].item()  # waits for the card
        seconds.append(time.perf_counter() - began)
    return min(seconds)


IMAGES, PIXELS = 50_000, 784  # of MNIST's training set
LAUNCH = 2.5e-6  # seconds that a kernel of a graph takes at least


def estimate(name: str, setting: Setting, card: Card) -> tuple[float, float]:
    """Seconds of training and bytes at its largest, by arithmetic: not a promise.

    A step's time is that of its operations, of its bytes and of its launches, added up. How often
    a step passes over its arrays was set so that the seconds of one H100 come out as measured.
    """
    batch, n, rate = float(setting.batch_size), PIXELS, card.arithmetic
    operations, moved, held = 0.0, 0.0, 0.0  # of a step; bytes; bytes
    if name == "FVSBN":
        operations, moved, kernels, held = 6 * batch * n * n, 60 * n * n, 40, 40 * n * n
    elif name == "NADE":
        sums = 4.0 * batch * n * setting.hidden  # bytes of all prefix sums
        moved, kernels, held = 53 * sums, 60, max(9, 3 * 500 / batch) * sums
    elif name == "MADE":
        numbers = 2 * n * setting.hidden + n * n
        operations, moved, kernels, held = 6 * batch * numbers, 64 * numbers, 45, 40 * numbers
    elif name == "PixelCNN":
        features = 2.0 * batch * n * setting.channels * setting.blocks  # bytes in half precision
        weights = 23 * 2 * setting.channels**2 * setting.blocks  # of 3×5, 1×5 and 1×1 kernels
        operations, moved, kernels = 6 * batch * n * weights, 345 * features, 60 * setting.blocks
        held, rate = 20 * features, card.mixed
    else:
        features = 4.0 * batch * 1024 * setting.channels * setting.blocks
        moved, kernels, held = 120 * features, 60 * setting.blocks, 30 * features
    # A product of our size reaches about half of what a large one does.
    step = operations / (0.5 * rate) + moved / card.bandwidth + kernels * LAUNCH
    count = 300 if name == "WaveNet" else math.ceil(IMAGES / batch)
    return setting.epochs * count * step, held + 1e9


def choose(name: str, size: str = "auto", card: Card | None = None) -> Setting | None:
    """The setting of the model `name` for a size; None: nothing is trained, the stored is shown.

    Args:
        size: one of `SIZES`.
        card: what was measured of the card here, or is asked about; measured unless told.

    Raises:
        ValueError: another size, or another model.
    """
    if name not in SETTINGS or size not in SIZES:
        raise ValueError(
            f"size must be one of {', '.join(SIZES)} and the model one of {', '.join(SETTINGS)}: "
            f"got {size!r} and {name!r}"
        )
    if size in ("laptop", "smaller"):
        return SMALLER[name] if size == "smaller" else None
    if card is None:
        if device_here().type != "cuda":
            return None
        card = measure(device_here())
    fitting = [s for s in SETTINGS[name] if estimate(name, s, card)[1] < 0.8 * card.memory]
    if size == "auto":
        fitting = [s for s in fitting if estimate(name, s, card)[0] <= PATIENCE] or fitting[-1:]
    return (fitting or [SETTINGS[name][-1]])[0]


# --- data -----------------------------------------------------------------------------------------


def load(setting: Setting, levels: bool = False) -> tuple[Parts, str]:
    """Binarized MNIST, our own seeded draw (seed 0), in three parts, and in words what it is.

    Where it cannot be had, and for "smaller" where it is not on this machine already, the 8×8
    digits, which need no download. `levels`: int64 (B, 1, side, side) in place of bits (B, n).
    """
    small = setting.size == "smaller"
    try:
        split = images_of.mnist(download=not small)
    except images_of.DataUnavailable:
        split = images_of.digits()
    words = f"{split.card.name}, {split.setting}"
    parts = [split.train, split.valid, split.test]
    if setting.images:
        counts = (setting.images, setting.images // 5, setting.images // 5)
        parts = [part[:count] for part, count in zip(parts, counts, strict=True)]
        words = f"the first {len(parts[0]):,} of {words}"
    if levels:
        parts = [part.long().view(-1, 1, split.side, split.side) for part in parts]
    train, valid, test = parts
    return (train, valid, test), words


# --- a run, and what is stored of one -------------------------------------------------------------


@dataclass
class Run:
    """What came of a training.

    Attributes:
        name: the model's.
        setting, images: how it was trained, and on what, in words.
        nats: the test NLL of the epoch that validation chose, nats an image (or a sample).
        error: its standard error over test examples; None where it was not kept.
        seed: of weights, order and dropout.
        seconds: of training.
        device: what trained it.
        by: whose code: "yours", or what is stored says.
        valid: validation NLL by epoch, as (epoch, nats).
        samples: images (count, side, side), or codes; None where none were kept.
        how: how the steps were taken.
        note: why this is not a run of yours, in a sentence, if it is not.
        model, test: the trained model and the first test examples, of a run of yours.
        file: bits of a file of test images by lesson 14's codec, where it was measured: images,
            price, bits.
    """

    name: str
    setting: str
    images: str
    nats: float
    error: float | None
    seed: int
    seconds: float
    device: str
    by: str
    valid: list[tuple[int, float]]
    samples: torch.Tensor | None = None
    how: str = ""
    note: str = ""
    model: torch.nn.Module | None = field(default=None, repr=False)
    test: torch.Tensor | None = field(default=None, repr=False)
    file: dict[str, float] | None = None

    def rows(self) -> list[tuple[str, str]]:
        """What a table shows: name of a number, and the number."""
        error = "" if self.error is None else f" ± {self.error:.2f} (standard error)"
        digits = 4 if self.name == "WaveNet" else 2
        rows = [
            (f"{self.name}", f"{self.nats:.{digits}f}{error} nats, test, {self.by}"),
            ("data", self.images),
            ("setting", f"{self.setting}; seed {self.seed}"),
            ("training", f"{self.seconds:,.0f} s on {self.device}{self.how and f', {self.how}'}"),
        ]
        if "8×8" not in self.images:
            rows.insert(1, ("the papers", PUBLISHED[self.name]))
        if self.by == "yours" and "8×8" not in self.images:
            known = stored(self.name)
            rows.insert(1, ("stored", f"{known.nats:.{digits}f} nats, {known.by}, {known.device}"))
        return rows

    def describe(self) -> str:
        """Curve and samples in words: the pictures' alternative text."""
        curve = "; ".join(f"after epoch {epoch} {nats:.2f}" for epoch, nats in thinned(self.valid))
        words = f"Validation NLL of {self.name}, nats: {curve}."
        if self.samples is not None and self.samples.ndim == 3:
            words += f" Below it {len(self.samples)} images drawn from the model."
        return words

    def __repr__(self) -> str:
        head = [self.note] if self.note else []
        wide = 2 + max(len(key) for key, _ in self.rows())
        return "\n".join([*head, *(f"{key:<{wide}}{text}" for key, text in self.rows())])

    def _repr_html_(self) -> str:
        note = f"<p>{html.escape(self.note)}</p>" if self.note else ""
        rows = "".join(
            f'<tr><th scope="row" style="text-align:left;vertical-align:top">{html.escape(key)}'
            f'</th><td style="text-align:left">{html.escape(text)}</td></tr>'
            for key, text in self.rows()
        )
        picture = figure_html(self._drawn(), self.describe())
        return f'{note}<table style="max-width:60em"><tbody>{rows}</tbody></table>{picture}'

    def _drawn(self) -> Figure:
        from matplotlib.figure import Figure

        images = self.samples if self.samples is not None and self.samples.ndim == 3 else None
        figure = Figure(figsize=(7, 4.4 if images is not None else 2.6), layout="constrained")
        figure.set_facecolor("white")
        parts: list[Any] = (
            [figure] if images is None else [*figure.subfigures(2, 1, squeeze=False).flat]
        )
        ax = parts[0].subplots()
        epochs, nats = zip(*self.valid, strict=True)
        ax.plot(epochs, nats, "o-", color="#0072B2", markersize=3)
        ax.set(xlabel="epoch", ylabel="validation NLL (nats)")
        ax.spines[["top", "right"]].set_visible(False)
        if images is not None:
            axes = parts[1].subplots(2, -(-len(images) // 2), squeeze=False)
            for ax in axes.flat:
                ax.axis("off")
            for ax, image in zip(axes.flat, images, strict=False):
                ax.imshow(image.numpy(), cmap="gray_r", vmin=0, vmax=1)
        return figure


def thinned(valid: list[tuple[int, float]], most: int = 8) -> list[tuple[int, float]]:
    """A curve of at most `most` points and its last one."""
    every = max(1, math.ceil(len(valid) / most))
    return [point for i, point in enumerate(valid) if i % every == 0 or i == len(valid) - 1]


def train(
    name: str,
    make: Make,
    draw: Draw | None = None,
    *,
    size: str = "auto",
    loss: Loss | None = None,
    data: Parts | None = None,
    seed: int = 0,
    setting: Setting | None = None,
    device: torch.device | str | None = None,
    progress: bool = True,
) -> Run:
    """Train `make(setting, n)` at a size, on binarized MNIST; or give the stored result.

    Validation chooses the epoch; the test set is opened once, at the end.

    Args:
        name: of the model, one of `SETTINGS`.
        make: builds the model from a `Setting` for n variables; weights from torch's generator.
        draw: `draw(model, count, generator)` gives samples, on the model's device.
        size: one of `SIZES`.
        loss: as `fit` has it.
        data: (train, valid, test) in place of the images, as `fit` and `evaluate` take them.
        seed: of weights, order and dropout.
        setting: in place of the one that `size` chooses.
        device: where to train; the card where there is one, unless the size is "smaller".
        progress: show a bar.
    """
    setting = setting or choose(name, size)
    if setting is None:
        return replace(stored(name), note=_note(name, size))
    if device is None:
        small = setting.size == "smaller"
        device = torch.device("cpu") if small else device_here()
    device = torch.device(device)
    words = "the data that were given"
    if data is None:
        data, words = load(setting, levels=name == "PixelCNN")
    first = data[0] if isinstance(data[0], torch.Tensor) else data[0][0]
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        model = make(setting, first[0].numel()).to(device)
    history = fit(
        model,
        data[0],
        data[1],
        epochs=setting.epochs,
        batch_size=setting.batch_size,
        lr=setting.lr,
        weight_decay=setting.weight_decay,
        warmup=setting.warmup,
        clip=setting.clip,
        amp=setting.amp,
        seed=seed,
        loss=loss,
        device=device,
        progress=progress,
    )
    nats, error = evaluate(model, data[2], loss=loss)
    samples = None
    if draw is not None:
        with torch.no_grad():
            samples = draw(model, SHOWN, torch.Generator(device).manual_seed(seed)).cpu()
        if first.ndim == 4 or first.dtype.is_floating_point:
            side = math.isqrt(first[0].numel())
            samples = samples.reshape(len(samples), side, side).float()
    return Run(
        name=name,
        setting=setting.in_words(),
        images=words,
        nats=nats,
        error=error,
        seed=seed,
        seconds=history.seconds,
        device=_named(device),
        by="yours",
        valid=list(enumerate(history.valid, start=1)),
        samples=samples,
        how=_how(history),
        model=model.cpu(),
        test=(data[2] if isinstance(data[2], torch.Tensor) else data[2][0])[:COUNT].cpu(),
    )


def _how(history: History) -> str:
    return history.how + (f", stopped: {history.stopped}" if history.stopped != "epochs" else "")


def _named(device: torch.device) -> str:
    return torch.cuda.get_device_name(device) if device.type == "cuda" else "this processor"


def _note(name: str, size: str) -> str:
    why = "" if size == "laptop" else "There is no CUDA card here. "
    full = SETTINGS[name][0].in_words()
    return (
        f'{why}Nothing was trained: this is a stored result. On a card, size = "auto" trains '
        f'yours ({full}); size = "smaller" does so here, in seconds and much smaller.'
    )


def stored(name: str) -> Run:
    """What is stored of a training at full size; the file says where, and by whose code."""
    kept = json.loads(STORE.read_text(encoding="utf-8"))[name]
    samples = unpacked(kept["samples"]) if kept.get("samples") else None
    valid = [(int(epoch), float(nats)) for epoch, nats in kept["valid"]]
    return Run(**{**kept, "name": name, "samples": samples, "valid": valid})


def to_store(run: Run) -> dict[str, Any]:
    """A run as it stands in the file of stored results."""
    images = run.samples is not None and run.samples.ndim == 3
    return {
        "setting": run.setting,
        "images": run.images,
        "nats": round(run.nats, 4),
        "error": None if run.error is None else round(run.error, 4),
        "seed": run.seed,
        "seconds": round(run.seconds, 1),
        "device": run.device,
        "by": run.by,
        "how": run.how,
        "valid": [[epoch, round(nats, 4)] for epoch, nats in run.valid],
        "samples": packed(run.samples) if images and run.samples is not None else "",
    }


def packed(images: torch.Tensor) -> str:
    """Images of bits (count, side, side) as text: their shape, and base64 of eight bits a byte."""
    count, side, _ = images.shape
    bits = np.packbits(images.numpy().astype(np.uint8).ravel())
    return f"{count} {side} {base64.b64encode(bits.tobytes()).decode()}"


def unpacked(text: str) -> torch.Tensor:
    """The images that `packed` wrote."""
    count, side, letters = text.split()
    size = int(count) * int(side) ** 2
    bits = np.unpackbits(np.frombuffer(base64.b64decode(letters), np.uint8))[:size]
    return torch.from_numpy(bits.astype(np.float32)).view(int(count), int(side), int(side))
