"""What the checks of lesson 10 run beside the student's objects: they fill, feed, count and change.

Nothing here says what is right.
"""

from __future__ import annotations

import inspect
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode

from autograder.remote.callbacks import Talk
from autograder.remote.proxy import inside
from course.operations import count_operations


@inside
def beside(function: Any, name: str) -> Any:
    """What `name` means in the notebook that a function or class was written in."""
    found, parts = None, [function]
    if isinstance(function, type):
        parts += vars(function).values()  # a class has its methods' notebook
    for part in filter(callable, parts):
        found = found or getattr(inspect.unwrap(part), "__globals__", {}).get(name)
    if found is None:
        raise NotImplementedError(f"{name} is not written yet")
    return found


@inside
def fill(module: Any, values: dict) -> None:
    """Sets parameters and buffers by name; a name that the module lacks is an error of its own."""
    state = dict(module.named_parameters()) | dict(module.named_buffers())
    with torch.no_grad():
        for name, value in values.items():
            if name not in state:
                raise AttributeError(
                    f"there is no parameter {name}: leave the constructor as it is"
                )
            state[name].copy_(torch.as_tensor(value))


@inside
def numbers(module: Any) -> dict[str, Any]:
    """All parameters by name."""
    return {name: value.detach().clone() for name, value in module.named_parameters()}


@inside
def redrawn(module: Any, seed: int, gain: float) -> Any:
    """The module, in double precision and eval mode, with normal parameters, scaled by fan-in."""
    random = torch.Generator().manual_seed(seed)
    module.double().eval()
    with torch.no_grad():
        for value in module.parameters():
            drawn = torch.randn(value.shape, generator=random, dtype=torch.float64)
            fan = max(1, value[0].numel()) if value.ndim > 1 else 4
            value.copy_(drawn * gain / fan**0.5)
    return module


@inside
def gradient_sizes(module: Any, output: str, *args: Any) -> dict[str, float]:
    """The least |gradient| in each parameter, going back from the mean square of an output.

    `output` is "" for the module's own answer, "0" or "1" for a part of it, or a method's name.
    """
    module.zero_grad()
    method = getattr(module, output) if output.isidentifier() else module
    answer = method(*args)
    if output.isdigit():
        answer = answer[int(output)]
    if not isinstance(answer, torch.Tensor) or not answer.requires_grad:
        return {}
    answer.pow(2).mean().backward()
    return {
        name: 0.0 if p.grad is None else float(p.grad.abs().min())
        for name, p in module.named_parameters()
    }


# --- generating -----------------------------------------------------------------------------------


class Asking(torch.nn.Module):
    """A model whose logits only the judge has; it tells what it may see, and asks for the rest.

    Its embedding says where it lives, as a WaveNet's does, and nothing else.
    """

    def __init__(self, levels: int, field: int) -> None:
        super().__init__()
        self._talk, self.levels, self.field = Talk(), levels, field
        self.embed = torch.nn.Embedding(levels, 1)

    def forward(self, codes: Any, label: Any = None) -> Any:
        """Codes (B, T) → logits (B, levels, T); logits t are made of samples before t only."""
        return self._talk.ask(codes, label)


@inside
def asking(function: Any, levels: int, field: int) -> Any:
    """A model for `function`, whose logits the judge has."""
    return Asking(levels, field)


@inside
def begin_drawing(
    function: Any, model: Any, count: int, label: Any, generator: Any
) -> tuple[Any, str, Any]:
    """Begins `function(model, count, label, generator)`, where the model asks the judge."""
    model._talk = Talk()
    return model._talk.begin(function, model, count, label, generator)


@inside
def one_by_one(layer: Any, x: Any) -> Any:
    """What a layer that is fed one column a call answers, put together again: (B, C, T)."""
    with torch.no_grad():
        return torch.cat([layer(x[:, :, t : t + 1]) for t in range(x.shape[2])], dim=2)


@inside
def columns_kept(layer: Any, x: Any) -> list[int]:
    """After each column of x: how many columns' worth of numbers the layer keeps, weights aside."""
    counts = []
    weights = {p.data_ptr() for p in layer.parameters()}
    with torch.no_grad():
        for t in range(x.shape[2]):
            layer(x[:, :, t : t + 1])
            kept = _stored({k: v for k, v in vars(layer).items() if k != "conv"}, weights, 0)
            counts.append(kept // max(1, x.shape[0] * x.shape[1]))
    return counts


def _stored(value: Any, weights: set, depth: int) -> int:
    """Numbers in the tensors that a nest of containers holds."""
    if isinstance(value, torch.Tensor):
        return 0 if value.data_ptr() in weights else value.numel()
    if depth > 6:
        return 0
    if isinstance(value, torch.nn.Module):
        return 0
    if isinstance(value, dict):
        return sum(_stored(v, weights, depth + 1) for v in value.values())
    if hasattr(value, "__iter__") and not isinstance(value, str | bytes):
        return sum(_stored(v, weights, depth + 1) for v in value)
    return 0


@inside
def step_operations(layer: Any, x: Any, columns: list[int]) -> list[int]:
    """How many operations the calls number `columns` take, of a layer fed column by column."""
    counts = []
    for t in range(max(columns) + 1):
        counts.append(count_operations(layer, x[:, :, t : t + 1]))
    return [counts[t] for t in columns]


@inside
def counted(function: Any, *args: Any) -> tuple[int, Any]:
    """How many operations `function(*args)` takes, and its answer."""
    answers = []
    count = count_operations(lambda: answers.append(function(*args)))
    return count, answers[0]


_PRODUCTS = "mm addmm bmm baddbmm mv matmul linear convolution conv1d".split()


class _Products(TorchDispatchMode):
    """Notes the dtypes of all matrix products and convolutions while it is active."""

    def __init__(self) -> None:
        super().__init__()
        self.kinds: set[str] = set()

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple = (), kwargs: dict | None = None
    ) -> Any:
        out = func(*args, **(kwargs or {}))
        name = func._schema.name.removeprefix("aten::")
        if name in _PRODUCTS:
            self.kinds.add(str(out.dtype).removeprefix("torch."))
        return out


@inside
def kinds_of_products(function: Any, *args: Any) -> list[str]:
    """The dtypes of the matrix products and convolutions that `function(*args)` computes."""
    with torch.no_grad(), _Products() as seen:
        function(*args)
    return sorted(seen.kinds)


@inside
def unchanged(function: Any, model: Any, *args: Any) -> bool:
    """Whether `function(model, *args)` leaves the model as it was: modules, numbers, training mode.

    The model is in training mode before, as after some epochs.
    """
    model.train()
    before = {k: v.clone() for k, v in model.state_dict().items()}
    kinds = [(type(m), m.training) for m in model.modules()]
    function(model, *args)
    after = model.state_dict()
    return (
        kinds == [(type(m), m.training) for m in model.modules()]
        and before.keys() == after.keys()
        and all(torch.equal(before[k], after[k]) for k in before)
    )
