"""One step of training: forward, backward, update; on a CUDA card played back as one graph.

A small model's step is over before the card has been told of its parts: a step of lesson 5's MADE
launches some forty kernels, and the launches take longer than the work. A CUDA graph is told once
and launched as a whole. What can be told once must be the same each time: batches of one size, in
one place, a learning rate that is a number on the card, no decision that Python takes on the way.

`Step` does a step as it is written, `CapturedStep` plays it back. The capture itself (`cuda_graph`)
is the one part that needs a card; with another recorder `CapturedStep` runs anywhere.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import torch

Loss = Callable[..., torch.Tensor]
Batch = Sequence[torch.Tensor]
Recorder = Callable[[Callable[[], None]], Callable[[], None]]

WARM_UPS = 3  # libraries set themselves up in a first step, which must not be recorded


class NotCaptured(RuntimeError):
    """A step cannot be captured; the message says why, in half a sentence."""


def adamw(
    parameters: list[torch.nn.Parameter], lr: float, weight_decay: float, captured: bool
) -> torch.optim.AdamW:
    """AdamW (Loshchilov and Hutter 2019); `captured`: whose rate is a number where the weights are.

    A graph repeats what it was recorded with: a rate in Python would stay what it was.
    """
    if not captured:
        return torch.optim.AdamW(parameters, lr=lr, weight_decay=weight_decay)
    where = parameters[0].device
    on_card = where.type == "cuda"
    rate = torch.tensor(lr, device=where)
    return torch.optim.AdamW(
        parameters, lr=rate, weight_decay=weight_decay, fused=on_card, capturable=on_card
    )


def mixed_precision(device: torch.device) -> torch.dtype:
    """What a forward pass computes in: bfloat16, float16 on a card without it, float32 on a CPU."""
    if device.type != "cuda":
        return torch.float32
    # Turing (a T4: 7.5) has tensor cores for float16 only.
    has_bfloat16 = torch.cuda.get_device_capability(device) >= (8, 0)
    return torch.bfloat16 if has_bfloat16 else torch.float16


class Step:
    """A step as it is written: its kernels are launched one by one.

    Args:
        model, loss: `loss(model, *batch)` gives one number for each example, (B,), or their mean.
        optimizer: of the model's parameters.
        clip: bound on the norm of the gradient; None: no bound.
        dtype: of the forward pass, where autocast allows; weights and losses stay float32. With
            float16 the loss is scaled, and a step whose gradient overflows is left out.
    """

    def __init__(
        self,
        model: torch.nn.Module,
        loss: Loss,
        optimizer: torch.optim.Optimizer,
        *,
        clip: float | None = None,
        dtype: torch.dtype = torch.float32,
    ) -> None:
        self.model, self.loss, self.optimizer = model, loss, optimizer
        self.clip, self.dtype = clip, dtype
        self.parameters = [p for group in optimizer.param_groups for p in group["params"]]
        self.device = self.parameters[0].device
        half = dtype == torch.float16
        self.scaler = torch.amp.GradScaler(self.device.type) if half else None

    def __call__(self, batch: Batch, lr: float) -> torch.Tensor:
        """Take the step with the learning rate `lr`; the batch's mean loss before it, a scalar."""
        self._set_rate(lr)
        return self._advance(batch)

    def value(self, batch: Batch) -> torch.Tensor:
        """The batch's mean loss, a scalar.

        Raises:
            ValueError: the loss has another shape, or no gradient.
        """
        with self._precision():
            value = values(self.loss(self.model, *batch), len(batch[0])).mean()
        if torch.is_grad_enabled() and not value.requires_grad:
            raise ValueError(
                "the loss does not depend on the parameters: look for detach, no_grad, .item() "
                "or rounding on its way"
            )
        return value

    def _advance(self, batch: Batch) -> torch.Tensor:
        value = self.value(batch)
        self.optimizer.zero_grad(set_to_none=True)
        if self.scaler is None:
            value.backward()
            self._clip()
            self.optimizer.step()
        else:
            self.scaler.scale(value).backward()
            self.scaler.unscale_(self.optimizer)
            self._clip()
            self.scaler.step(self.optimizer)
            self.scaler.update()
        return value.detach()

    def _clip(self) -> None:
        if self.clip is not None:
            torch.nn.utils.clip_grad_norm_(self.parameters, self.clip)

    def _set_rate(self, lr: float) -> None:
        for group in self.optimizer.param_groups:
            if isinstance(group["lr"], torch.Tensor):
                group["lr"].fill_(lr)
            else:
                group["lr"] = lr

    def _precision(self) -> contextlib.AbstractContextManager:
        if self.dtype == torch.float32:
            return contextlib.nullcontext()
        # Without a cache: what a graph keeps must not be made outside of it.
        return torch.autocast(self.device.type, self.dtype, cache_enabled=False)


class CapturedStep(Step):
    """The same step, recorded once for batches like `batch` and played back.

    Recording changes neither weights nor buffers nor the optimizer. A batch of another size (the
    last of an epoch) takes the step as it is written.

    Args:
        step: what to record; its optimizer is of `adamw(…, captured=True)`.
        batch: tensors of the shapes that are to come.
        record: calls a function some times and gives another that repeats it: `cuda_graph`.

    Raises:
        NotCaptured: the step cannot be recorded; `step` is as it was.
    """

    def __init__(self, step: Step, batch: Batch, record: Recorder) -> None:
        super().__init__(step.model, step.loss, step.optimizer, clip=step.clip, dtype=step.dtype)
        if self.scaler is not None:
            raise NotCaptured("with float16, whether a step is taken is decided step by step")
        self.fixed = [part.clone() for part in batch]
        self.nats = torch.zeros((), device=self.device)
        with unchanged(self.model, self.optimizer):
            self.play = record(self._fixed_step)

    def __call__(self, batch: Batch, lr: float) -> torch.Tensor:
        if any(a.shape != b.shape for a, b in zip(batch, self.fixed, strict=True)):
            return super().__call__(batch, lr)
        for mine, part in zip(self.fixed, batch, strict=True):
            mine.copy_(part)
        self._set_rate(lr)
        self.play()
        return self.nats.clone()

    def _fixed_step(self) -> None:
        self.nats.copy_(self._advance(self.fixed))


def cuda_graph(step: Callable[[], None]) -> Callable[[], None]:
    """Capture `step` as a CUDA graph, after three warm-up calls on a stream beside.

    Raises:
        NotCaptured: torch refused, since the step waits for the card, say.
    """
    side = torch.cuda.Stream()
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        for _ in range(WARM_UPS):
            step()
    torch.cuda.current_stream().wait_stream(side)
    graph = torch.cuda.CUDAGraph()
    try:
        with torch.cuda.graph(graph):
            step()
    except Exception as error:
        said = str(error).strip().split("\n")[0][:200]
        raise NotCaptured(f"{type(error).__name__}: {said}") from error
    return graph.replay


RECORDERS: dict[str, Recorder] = {"cuda": cuda_graph}  # kind of device → how steps are recorded


def remembers(
    step: Step, batch: Batch, undisturbed: Callable[[], contextlib.AbstractContextManager]
) -> bool:
    """Whether the loss, asked again for the same batch, gives another number.

    Then it has a memory in Python (whose turn it is among several orders, say), which a graph would
    freeze. `undisturbed()` gives the random generators back as they were.
    """
    asked = []
    with unchanged(step.model, step.optimizer), torch.no_grad():
        for _ in range(3):
            with undisturbed():
                asked.append(float(step.value(batch)))
    # Sums on a card may be added up in another order.
    return any(abs(value - asked[0]) > 1e-6 * max(1.0, abs(asked[0])) for value in asked)


@contextlib.contextmanager
def unchanged(model: torch.nn.Module, optimizer: torch.optim.Optimizer) -> Iterator[None]:
    """Puts weights, buffers and the optimizer's state back, in their places, when it ends."""
    own = [*model.parameters(), *model.buffers()]
    before = [(tensor, tensor.detach().clone()) for tensor in own]
    state = {
        parameter: {k: v.clone() for k, v in parts.items() if isinstance(v, torch.Tensor)}
        for parameter, parts in optimizer.state.items()
    }
    try:
        yield
    finally:
        with torch.no_grad():
            for tensor, was in before:
                tensor.copy_(was)
            for parameter, parts in optimizer.state.items():
                for name, value in parts.items():
                    if isinstance(value, torch.Tensor):
                        old = state.get(parameter, {}).get(name)  # AdamW starts from zeros
                        value.zero_() if old is None else value.copy_(old)
        optimizer.zero_grad(set_to_none=True)


def values(value: Any, count: int) -> torch.Tensor:
    """The loss of a batch, checked: (B,) or a scalar.

    Raises:
        ValueError: it is something else.
    """
    if not isinstance(value, torch.Tensor) or value.shape not in ((), (1,), (count,)):
        got = tuple(value.shape) if isinstance(value, torch.Tensor) else type(value).__name__
        raise ValueError(
            f"the loss of a batch must be one number for each example, shape ({count},), or their "
            f"mean: got {got}"
        )
    return value
