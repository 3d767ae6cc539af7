"""Trains a model by maximum likelihood, the same way in every lesson, and draws its learning curve.

    history = fit(model, digits.train, digits.valid, epochs=40, lr=5e-3, weight_decay=0.05)
    nats, error = evaluate(model, digits.test)

AdamW (Loshchilov and Hutter 2019) with a cosine schedule to zero (Loshchilov and Hutter 2017,
without restarts); all likelihoods are in nats per example.
"""

import contextlib
import copy
import html
import io
import math
import os
import time
import zlib
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import torch

from course import step as steps_of
from course.files import write_whole
from course.picture import figure_html
from course.progress import tqdm
from course.step import CapturedStep, Loss, NotCaptured, Step, adamw, mixed_precision, values

Data = torch.Tensor | tuple[torch.Tensor, ...]

WORTH_A_CAPTURE = 200  # steps: recording a graph takes about as long as fifty of them
A_LOOK = 0.2  # seconds: on a card the losses are read so often, since reading waits for the card

# Okabe and Ito (2008): safe for the color-blind; the line style is the second channel.
_TRAIN, _VALID, _BEST = "#E69F00", "#0072B2", "#D55E00"


class TrainingDiverged(RuntimeError):
    """The loss became NaN or infinite; the message names the step, the best weights are kept.

    Attributes:
        history: what happened until then.
    """

    history: "History"


@dataclass
class History:
    """What happened in training.

    Attributes:
        train: mean loss of each epoch, nats per example, taken while the weights were moving.
        valid: mean validation loss after each epoch, in eval mode.
        epochs: how many were asked for.
        stopped: "epochs" (all done), "patience", "interrupted" or "diverged".
        seconds: time in training and validation, over all resumptions.
        seed: of the order of batches and of dropout.
        parameters: how many numbers were trained.
        device: where, as torch writes it; of the last run, if there was more than one.
        how: how its steps were taken there, in a sentence.
    """

    epochs: int
    seed: int
    parameters: int
    train: list[float] = field(default_factory=list)
    valid: list[float] = field(default_factory=list)
    stopped: str = ""
    seconds: float = 0.0
    device: str = ""
    how: str = ""

    @property
    def best_epoch(self) -> int:
        """The epoch, from 1, whose weights were kept; 0 if no epoch was finished."""
        # Of equals the first wins.
        best = [_rank(v) for v in self.valid]
        return best.index(min(best)) + 1 if best else 0

    @property
    def best(self) -> float:
        """The least validation loss, nats per example; NaN if no epoch was finished."""
        return self.valid[self.best_epoch - 1] if self.valid else math.nan

    def describe(self) -> str:
        """The learning curve in words: the picture's alternative text."""
        if not self.valid:
            return "Training stopped before the end of its first epoch."
        why = {
            "patience": " It stopped early, since validation no longer improved.",
            "interrupted": " It was interrupted.",
            "diverged": " It stopped because the loss was no finite number.",
        }.get(self.stopped, "")
        done = len(self.valid)
        last = f"{self.train[-1]:.2f} in training and {self.valid[-1]:.2f} in validation"
        return (
            f"Learning curve of {done} epoch{'s' if done > 1 else ''}: from {self.train[0]:.2f} "
            f"nats in training and {self.valid[0]:.2f} in validation to {last}; "
            f"the least validation NLL, {self.best:.2f}, came after epoch {self.best_epoch}.{why}"
        )

    def plot(self, ax: Any = None) -> Any:
        """Draw training and validation NLL over epochs; returns the matplotlib Axes."""
        if ax is None:
            import matplotlib.pyplot as plt

            _, ax = plt.subplots(figsize=(6, 3.2), layout="constrained")
        epochs = range(1, len(self.valid) + 1)
        ax.plot(epochs, self.train, color=_TRAIN, linestyle="--", label="training")
        ax.plot(epochs, self.valid, color=_VALID, label="validation")
        if self.valid:
            label = f"best: {self.best:.2f}"
            ax.plot(self.best_epoch, self.best, "o", color=_BEST, label=label)
            ax.legend(frameon=False)
        ax.set(xlabel="epoch", ylabel="NLL (nats per example)")
        ax.spines[["top", "right"]].set_visible(False)
        return ax

    def __repr__(self) -> str:
        return f"<History: {self.describe()} {self.seconds:.1f} s>"

    def _repr_html_(self) -> str:
        """The picture with its alternative text; drawn without pyplot, so that it shows once."""
        from matplotlib.figure import Figure

        figure = Figure(figsize=(6, 3.2), layout="constrained", facecolor="white")
        self.plot(figure.subplots())
        words = self.describe()
        return (
            f'<figure style="margin:0">{figure_html(figure, words)}'
            f"<figcaption>{html.escape(words)}</figcaption></figure>"
        )


def fit(
    model: torch.nn.Module,
    train: Data,
    valid: Data,
    *,
    epochs: int = 40,
    batch_size: int = 32,
    lr: float = 5e-3,
    weight_decay: float = 0.0,
    patience: int | None = None,
    clip: float | None = None,
    seed: int = 0,
    loss: Loss | None = None,
    checkpoint: str | os.PathLike | None = None,
    device: torch.device | str | None = None,
    progress: bool = True,
    each_epoch: Callable[[torch.nn.Module, History], None] | None = None,
    warmup: int = 0,
    captured: bool = True,
    amp: bool = False,
    compiled: bool = False,
) -> History:
    """Minimize the mean loss over `train`; leave the weights that are best on `valid` in `model`.

    The same seed gives the same weights on a CPU, bit for bit, also when training was interrupted
    and taken up from `checkpoint`. The order of batches comes from a generator of its own;
    everything random in model and loss should come from torch's global generators, which are set to
    `seed` here and given back as they were found.

    On a CUDA card the data lie on the card where they fill a quarter of its free memory at most,
    and a step is captured as a CUDA graph where it is the same each time (`course.step`); how it
    was taken, or why it was not captured, is in `history.how`. There the same seed gives the same
    random numbers and order, and losses that agree up to rounding: some of its sums are added up in
    whatever order they come. A run is taken up there as well, but not bit for bit, and a loss that
    is no number is noticed up to a fifth of a second later.

    The model is in eval mode afterwards, and on the device where it was before. A keyboard
    interrupt (the notebook's stop button) ends training, not the program: the best weights so far
    are in the model and the history is returned, with `stopped == "interrupted"`.

    Args:
        model: any module with `nll(x)`, or any module at all with a `loss` of your own.
        train, valid: a tensor (B, …), or a tuple of tensors of equal length whose batches are
            passed on as several arguments, as in `loss(model, x, y)`.
        epochs: how often to go through `train`; the learning rate falls to 0 over all of them.
        batch_size: examples a step; the last batch of an epoch may be smaller.
        lr: the learning rate at the start.
        weight_decay: AdamW's, decoupled from the gradient.
        patience: stop after so many epochs without a better validation loss; None: never.
        clip: bound on the norm of the gradient; None: no bound.
        seed: of the order of batches, and of dropout.
        loss: `loss(model, *batch)`, one number for each example, (B,), or their mean, in nats;
            `model.nll(x)` unless told.
        checkpoint: a file that is written whole after every epoch, and taken up if it is there:
            the weights that `model` has then do not matter. It belongs to one setting and one data
            set, and is refused for others.
        device: where to train. Unless told, where a step takes less time, by trying a few on
            copies of the model (a loss with a memory of its own is called some times more);
            `COURSE_DEVICE` overrides that (`course.device`).
        progress: show a bar with losses and the time left.
        each_epoch: called as `each_epoch(model, history)` after each epoch, in eval mode: to show
            samples, say. It should not change the weights.
        warmup: over how many steps the learning rate rises to its cosine.
        captured: False: take every step as it is written, on a card too.
        amp: compute the forward pass in bfloat16, or float16 where a card has no bfloat16; a CPU
            goes on in float32. Validation and `evaluate` are in full precision always.
        compiled: `torch.compile` the loss: pays on a card for runs of minutes.

    Raises:
        TrainingDiverged: the loss is NaN or infinite; the message names step and epoch.
        ValueError: the arguments do not fit, or the checkpoint is of another run.
    """
    train, valid = _checked(train, "train"), _checked(valid, "valid")
    if epochs < 1 or batch_size < 1 or not lr > 0 or (patience is not None and patience < 1):
        raise ValueError(
            f"epochs, batch_size and patience must be at least 1 and lr above 0: got {epochs=}, "
            f"{batch_size=}, {patience=}, {lr=}"
        )
    loss = loss or _own_nll(model)
    parameters = [p for p in model.parameters() if p.requires_grad]
    if not parameters:
        raise ValueError(f"{type(model).__name__} has no parameters to train")
    steps = -(-len(train[0]) // batch_size)
    if device is None:
        some = [part[:batch_size] for part in train]
        device = _quicker_device(model, some, loss, epochs * steps)
    device = torch.device(device)
    home = parameters[0].device
    history = History(epochs, seed, sum(p.numel() for p in parameters))
    run = _Run(
        model,
        history,
        loss,
        batch_size=batch_size,
        lr=lr,
        weight_decay=weight_decay,
        clip=clip,
        warmup=warmup,
        captured=captured and epochs * steps >= WORTH_A_CAPTURE,
        amp=amp,
        compiled=compiled,
    )
    setting = {
        "epochs": epochs,
        "batch_size": batch_size,
        "lr": lr,
        "weight_decay": weight_decay,
        "patience": patience,
        "clip": clip,
        "seed": seed,
        "model": f"{type(model).__name__} with {history.parameters:,} parameters",
        "train": _fingerprint(train),
        "valid": _fingerprint(valid),
    }
    if warmup:
        setting["warmup"] = warmup
    path = None if checkpoint is None else Path(checkpoint)
    with _undisturbed(device):
        _seed(seed, device)
        try:
            model.to(device)
            run.start(parameters, seed, device)
            near, near_valid = _near(train, device), _near(valid, device)
            if path is not None and path.exists():
                run.load(path, setting, device)
            elif path is not None:
                run.save(path, setting, device)  # the start: the first epoch can be interrupted too
            history.device = str(device)
            with tqdm(
                total=epochs * steps,
                initial=len(history.valid) * steps,
                desc="training",
                unit="step",
                disable=not progress,
            ) as bar:
                while not history.stopped:
                    began = time.perf_counter()
                    mean = run.epoch(near, steps, bar)
                    held, _ = _mean(model, near_valid, loss, max(batch_size, 500), device)
                    run.finish(mean, held, patience, time.perf_counter() - began)
                    bar.set_postfix_str(_postfix(mean, history))
                    if path is not None:
                        run.save(path, setting, device)
                    if each_epoch is not None:
                        with _undisturbed(device):  # so that a resumed run draws the same
                            each_epoch(model, history)
        except KeyboardInterrupt:
            history.stopped = "interrupted"
            del history.train[len(history.valid) :]
            tqdm.write(
                "Training was interrupted"
                + (f"; the same call takes it up from {path}." if path is not None else ".")
            )
        except TrainingDiverged as error:
            history.stopped = "diverged"
            error.history = history
            raise
        finally:
            run.keep_best()
            model.to(home)
            model.zero_grad(set_to_none=True)
            model.eval()
    return history


def evaluate(
    model: torch.nn.Module,
    x: Data,
    *,
    loss: Loss | None = None,
    batch_size: int = 500,
    device: torch.device | str | None = None,
) -> tuple[float, float]:
    """The mean loss in nats per example, in eval mode, and its standard error over examples.

    The standard error is s / √B with the sample's standard deviation s: what another test set of
    this size would change. It says nothing of another seed, or of another training set.

    Args:
        x: a tensor (B, …) or a tuple of tensors, B ≥ 2.
        loss: `loss(model, *batch)`, one number for each example; `model.nll(x)` unless told.
        device: where to compute; where the model is unless told.

    Raises:
        ValueError: the loss is not one number for each example.
    """
    x = _checked(x, "x")
    if len(x[0]) < 2:
        raise ValueError(f"a standard error needs at least 2 examples: got {len(x[0])}")
    home = next((p.device for p in model.parameters()), torch.device("cpu"))
    device = home if device is None else torch.device(device)
    training = model.training
    try:
        model.to(device)
        mean, each = _mean(model, x, loss or _own_nll(model), batch_size, device)
    finally:
        model.to(home)
        model.train(training)
    if each is None:
        raise ValueError(
            "the loss must give one number for each example, not their mean, for a standard error"
        )
    return mean, float(each.std() / math.sqrt(len(each)))


class _Run:
    """The moving parts of one training run: what a checkpoint has to hold."""

    def __init__(
        self,
        model: torch.nn.Module,
        history: History,
        loss: Loss,
        *,
        batch_size: int,
        lr: float,
        weight_decay: float,
        clip: float | None,
        warmup: int,
        captured: bool,
        amp: bool,
        compiled: bool,
    ) -> None:
        self.model, self.history, self.loss = model, history, loss
        self.batch_size, self.lr, self.weight_decay, self.clip = batch_size, lr, weight_decay, clip
        self.warmup, self.captured, self.amp, self.compiled = warmup, captured, amp, compiled
        self.best = _on_cpu(model.state_dict())  # until an epoch is finished, the start is best
        self.step: Step | None = None

    def start(self, parameters: list[torch.nn.Parameter], seed: int, device: torch.device) -> None:
        """Make optimizer and batch order; after the model has moved to its device."""
        self.device = device
        self.dtype = mixed_precision(device) if self.amp else torch.float32
        self.record = steps_of.RECORDERS.get(device.type) if self.captured else None
        self.optimizer = adamw(parameters, self.lr, self.weight_decay, self.record is not None)
        self.order = torch.Generator().manual_seed(seed)

    def epoch(self, train: Data, steps: int, bar: Any) -> float:
        """One pass through the data; the mean loss in nats."""
        self.model.train()
        done, count, total = len(self.history.valid) * steps, len(train[0]), 0.0
        order = torch.randperm(count, generator=self.order).to(train[0].device)
        unread: list[torch.Tensor] = []  # reading a loss waits for the card
        looked = time.perf_counter()
        for step in range(steps):
            index = order[step * self.batch_size : (step + 1) * self.batch_size]
            batch = [part[index.to(part.device)].to(self.device) for part in train]
            if self.step is None:
                self.step, self.history.how = self._first_step(batch)
            unread.append(self.step(batch, self._rate(done + step, steps)))
            now = time.perf_counter()
            if self.device.type == "cpu" or now - looked > A_LOOK or step == steps - 1:
                first = step + 1 - len(unread)
                for place, nats in enumerate(_numbers(unread), start=first):
                    self._must_be_finite(nats, place, steps)
                    total += nats * min(self.batch_size, count - place * self.batch_size)
                seen = min((step + 1) * self.batch_size, count)
                bar.set_postfix_str(_postfix(total / seen, self.history), refresh=False)
                bar.update(len(unread))
                unread, looked = [], now
        return total / count

    def _rate(self, done: int, steps: int) -> float:
        """The learning rate after `done` steps: a cosine to zero, after a rise."""
        rate = self.lr * 0.5 * (1 + math.cos(math.pi * done / (self.history.epochs * steps)))
        return rate * (done + 1) / self.warmup if done < self.warmup else rate

    def _first_step(self, batch: list[torch.Tensor]) -> tuple[Step, str]:
        """How this run takes its steps, chosen when its first batch is there; and a sentence."""
        undisturbed = partial(_undisturbed, self.device)
        step = Step(self.model, self.loss, self.optimizer, clip=self.clip, dtype=self.dtype)
        said = [] if self.dtype == torch.float32 else [f"in {self.dtype}".replace("torch.", "")]
        if self.compiled:
            step, how = _compiled(step, batch, undisturbed)
            said.append(how)
        if self.record is None or len(batch[0]) < self.batch_size:
            return step, ", ".join(["step by step", *said])
        try:
            with undisturbed():
                if steps_of.remembers(step, batch, undisturbed):
                    raise NotCaptured("the loss has a memory: asked again, it says something else")
                return CapturedStep(step, batch, self.record), ", ".join(
                    ["one graph a step", *said]
                )
        except NotCaptured as error:
            return step, ", ".join(["step by step", *said, f"not captured: {error}"])

    def _must_be_finite(self, nats: float, step: int, steps: int) -> None:
        if math.isfinite(nats):
            return
        epoch = len(self.history.valid)
        raise TrainingDiverged(
            f"the loss became {nats} at step {step + 1} of epoch {epoch + 1} (step "
            f"{epoch * steps + step + 1} in all): try a learning rate below {self.lr:g}, or look "
            "for the log of 0"
        )

    def finish(self, train: float, valid: float, patience: int | None, seconds: float) -> None:
        """Note an epoch; keep its weights if they are the best; see whether to stop."""
        history = self.history
        if not history.valid or _rank(valid) < _rank(history.best):
            self.best = _on_cpu(self.model.state_dict())
        history.train.append(train)
        history.valid.append(valid)
        history.seconds += seconds
        done = len(history.valid)
        if done >= history.epochs:
            history.stopped = "epochs"
        elif patience is not None and done - history.best_epoch >= patience:
            history.stopped = "patience"

    def keep_best(self) -> None:
        """Put the best weights so far into the model."""
        self.model.load_state_dict(self.best)

    def save(self, path: Path, setting: dict[str, Any], device: torch.device) -> None:
        """Write everything that the next epoch depends on."""
        content = io.BytesIO()
        state = {
            "setting": setting,
            "history": asdict(self.history),
            "model": _on_cpu(self.model.state_dict()),
            "best": self.best,
            "optimizer": self.optimizer.state_dict(),
            "order": self.order.get_state(),
            "random": torch.get_rng_state(),
            "random_device": _device_state(device),
        }
        torch.save(state, content)
        write_whole(path, content.getvalue())

    def load(self, path: Path, setting: dict[str, Any], device: torch.device) -> None:
        """Take a run up where its last finished epoch left it."""
        try:
            # weights_only: a checkpoint holds tensors and numbers, and can run no code.
            state = torch.load(path, map_location="cpu", weights_only=True)
            found = state["setting"]
        except Exception as error:
            raise ValueError(
                f"{path} is no checkpoint of fit ({type(error).__name__}): delete it, or name "
                "another file"
            ) from error
        differences = [k for k in setting if found.get(k) != setting[k]]
        if differences:
            was = ", ".join(f"{k} {found.get(k)} → {setting[k]}" for k in differences)
            raise ValueError(
                f"{path} is the checkpoint of another run ({was}): delete it, or name another file"
            )
        self.model.load_state_dict(state["model"])
        self.best = state["best"]
        # The setting is the same; where the rate lies and who computes is this machine's matter.
        own = self.optimizer.state_dict()["param_groups"]
        self.optimizer.load_state_dict({**state["optimizer"], "param_groups": own})
        self.order.set_state(state["order"])
        torch.set_rng_state(state["random"])
        _set_device_state(device, state["random_device"])
        for name, value in state["history"].items():
            setattr(self.history, name, value)


def _rank(value: float) -> float:
    """A validation loss as a number to compare: NaN is worse than all."""
    return math.inf if math.isnan(value) else value


def _checked(data: Data, name: str) -> tuple[torch.Tensor, ...]:
    parts = (data,) if isinstance(data, torch.Tensor) else tuple(data)
    if not parts or not all(isinstance(p, torch.Tensor) and p.ndim for p in parts):
        raise ValueError(f"{name} must be a tensor (B, …), or a tuple of them: got {type(data)}")
    lengths = {len(p) for p in parts}
    if len(lengths) > 1 or 0 in lengths:
        raise ValueError(f"{name} must hold equally many examples, at least one: got {lengths}")
    return parts


def _own_nll(model: torch.nn.Module) -> Loss:
    if not callable(getattr(model, "nll", None)):
        raise ValueError(
            f"{type(model).__name__} has no method nll(x): write one, or pass loss= a function "
            "of model and batch"
        )
    return lambda model, *batch: model.nll(*batch)


def _near(data: tuple[torch.Tensor, ...], device: torch.device) -> tuple[torch.Tensor, ...]:
    """`data` on the card, where it fills at most a quarter of what is free."""
    if device.type != "cuda":
        return data
    free, _ = torch.cuda.mem_get_info(device)
    if 4 * sum(part.numel() * part.element_size() for part in data) > free:
        return data
    return tuple(part.to(device) for part in data)


def _quicker_device(
    model: torch.nn.Module, batch: list[torch.Tensor], loss: Loss, steps: int
) -> torch.device:
    """Where `steps` training steps on `batch` take less time; tried on copies of the model."""
    from course.device import device, is_told, quicker

    card = device()
    if card.type == "cpu" or is_told():
        return card

    def step_on(where: torch.device) -> Callable[[], None]:
        if where.type != "cpu":  # not sooner: who asks a card for its generator sets it up
            kept.enter_context(_undisturbed(where))
        own = copy.deepcopy(model).to(where).train()
        parts = [part.to(where) for part in batch]
        weights = [p for p in own.parameters() if p.requires_grad]
        optimizer = torch.optim.AdamW(weights, lr=0.0)

        def step() -> None:
            value = values(loss(own, *parts), len(parts[0])).mean()
            optimizer.zero_grad(set_to_none=True)
            value.backward()
            optimizer.step()
            weights[0].flatten()[0].item()  # waits for the card

        return step

    with contextlib.ExitStack() as kept:
        kept.enter_context(_undisturbed(torch.device("cpu")))
        return quicker(step_on, card, steps)


def _mean(
    model: torch.nn.Module, data: Data, loss: Loss, batch_size: int, device: torch.device
) -> tuple[float, torch.Tensor | None]:
    """The mean loss in eval mode; each example's too (float64, CPU), if the loss gives them."""
    model.eval()
    count, total, each = len(data[0]), 0.0, []
    with torch.no_grad():
        for first in range(0, count, batch_size):
            batch = [part[first : first + batch_size].to(device) for part in data]
            size = len(batch[0])
            value = values(loss(model, *batch), size).detach().cpu().double()
            total += float(value.mean()) * size
            if value.shape == (size,):
                each.append(value)
    known = sum(map(len, each)) == count
    return total / count, torch.cat(each) if known else None


def _numbers(losses: list[torch.Tensor]) -> list[float]:
    return [float(losses[0])] if len(losses) == 1 else torch.stack(losses).tolist()


def _compiled(step: Step, batch: list[torch.Tensor], undisturbed: Callable) -> tuple[Step, str]:
    """The step with its loss compiled, if a try of it works; and how that went."""
    fast = copy.copy(step)
    fast.loss = torch.compile(step.loss)
    try:
        with undisturbed(), steps_of.unchanged(step.model, step.optimizer):
            fast.value(batch).backward()
    except Exception as error:
        return step, f"not compiled: {type(error).__name__}"
    return fast, "compiled"


def _postfix(train: float, history: History) -> str:
    best = f", best {history.best:.2f}" if history.valid else ""
    valid = f", validation {history.valid[-1]:.2f}" if history.valid else ""
    return f"NLL {train:.2f}{valid}{best} nats"


def _on_cpu(state: dict[str, Any]) -> dict[str, Any]:
    """A copy of a state dict that later steps do not change."""
    return {
        name: value.detach().to("cpu", copy=True) if isinstance(value, torch.Tensor) else value
        for name, value in state.items()
    }


def _fingerprint(data: Data) -> list[Any]:
    """Shape, dtype and checksum of each tensor: enough to tell another data set."""
    marks = []
    for part in data:
        raw = part.detach().cpu().contiguous().view(-1).view(torch.uint8).numpy()
        marks.append([list(part.shape), str(part.dtype), zlib.crc32(raw.data)])
    return marks


@contextlib.contextmanager
def _undisturbed(device: torch.device) -> Iterator[None]:
    """Gives torch's global generators back as they were found."""
    before = _device_state(device)
    try:
        with torch.random.fork_rng(devices=[]):
            yield
    finally:
        _set_device_state(device, before)


def _seed(seed: int, device: torch.device) -> None:
    # Not torch.manual_seed, which would also reseed devices that are not used here.
    torch.default_generator.manual_seed(seed)
    if device.type == "cuda":
        with torch.cuda.device(device):
            torch.cuda.manual_seed(seed)
    elif device.type == "mps":
        torch.mps.manual_seed(seed)


def _device_state(device: torch.device) -> torch.Tensor | None:
    if device.type == "cuda":
        return torch.cuda.get_rng_state(device)
    return torch.mps.get_rng_state() if device.type == "mps" else None


def _set_device_state(device: torch.device, state: torch.Tensor | None) -> None:
    if state is not None and device.type == "cuda":
        torch.cuda.set_rng_state(state, device)
    elif state is not None and device.type == "mps":
        torch.mps.set_rng_state(state)
