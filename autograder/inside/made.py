"""Beside a student's MADE: weights and masks are written, copies moved, answers recorded before."""

from __future__ import annotations

import copy
from typing import Any

import torch

from autograder.remote.proxy import inside


def weight_of(layer: Any) -> Any:
    """The parameter behind `layer.weight`, which a parametrized layer computes anew."""
    held = getattr(layer, "parametrizations", {})
    return held["weight"].original if "weight" in held else layer.weight


@inside
def fill_weights(layer: Any, weight: Any, bias: Any) -> None:
    """Writes new values into the parameters of a layer, as loading a trained model does."""
    with torch.no_grad():
        weight_of(layer).copy_(weight)
        if layer.bias is not None:
            layer.bias.copy_(bias)


@inside
def fill_mask(layer: Any, mask: Any) -> bool:
    """Writes a new mask into the buffer, as `MADE.reorder` does; False if there is none."""
    if not isinstance(getattr(layer, "mask", None), torch.Tensor):
        return False
    with torch.no_grad():
        layer.mask.copy_(mask)
    return True


@inside
def weight_gradient(layer: Any, x: Any) -> Any:
    """Gradient of Σ output² with respect to the weight, or None if none arrives."""
    layer.zero_grad()
    output = layer(x)
    if not output.requires_grad:
        return None
    output.pow(2).sum().backward()
    return weight_of(layer).grad


@inside
def in_evaluation(layer: Any, x: Any) -> Any:
    """`layer(x)` in evaluation mode."""
    layer.eval()
    try:
        return layer(x)
    finally:
        layer.train()


@inside
def facts_about_mask(layer: Any) -> dict[str, bool]:
    """Where the mask of a layer lives: parameter, buffer, state, and on which device."""
    moved = copy.deepcopy(layer).to("meta")  # a device that every machine has
    mask = getattr(moved, "mask", None)
    return {
        "parameter": any(name.endswith("mask") for name, _ in layer.named_parameters()),
        "named": isinstance(getattr(layer, "mask", None), torch.Tensor),
        "buffer": any(name.endswith("mask") for name, _ in layer.named_buffers()),
        "saved": any(name.endswith("mask") for name in layer.state_dict()),
        "moves": isinstance(mask, torch.Tensor) and mask.device.type == "meta",
    }


@inside
def nll_of_logits(model: Any, logits: Any, x: Any) -> tuple[Any, int]:
    """`model.nll(x)` while the model answers `logits`, and how often it was asked for them."""
    calls = 0

    def answer(*_: Any, **__: Any) -> Any:
        nonlocal calls
        calls += 1
        return logits.to(torch.get_default_dtype())

    model.forward = answer
    try:
        return model.nll(x), calls
    finally:
        del model.forward


@inside
def nll_slope(model: Any, logits: Any, x: Any) -> Any:
    """The gradient of Σ nll(x) on the `logits` that the model answers, or None if none arrives."""
    asked = logits.to(torch.get_default_dtype()).requires_grad_()
    model.forward = lambda *_, **__: asked
    try:
        with torch.enable_grad():
            total = model.nll(x).sum()
        if total.requires_grad:
            total.backward()
        return asked.grad
    finally:
        del model.forward


@inside
def trains_by_nll(model: Any, x: Any) -> bool:
    """Whether a gradient of Σ nll(x) that is not 0 arrives at a parameter of the model."""
    model.zero_grad()
    with torch.enable_grad():
        total = model.nll(x).sum()
    if not total.requires_grad:
        return False
    total.backward()
    slopes = [p.grad for p in model.parameters() if p.grad is not None]
    return any(bool((slope != 0).any()) for slope in slopes)


@inside
def sample_from_tables(model: Any, count: int, generator: Any, tables: Any) -> tuple[Any, int]:
    """`model.sample(count, generator)` while call k of the model answers from `tables[k]`.

    tables (K, 2^n, n): for each vector of n bits, the first bit changing slowest, n numbers. After
    the last table the first one follows. Returns the samples and the number of calls.
    """
    n, calls = tables.shape[2], 0
    digits = 2 ** torch.arange(n - 1, -1, -1)

    def answer(x: Any, *_: Any, **__: Any) -> Any:
        nonlocal calls
        table = tables[calls % len(tables)]
        calls += 1
        bits = torch.nan_to_num(x.detach().float()).round().clamp(0, 1).long()
        return table[(bits.reshape(-1, n) * digits).sum(1)].to(torch.get_default_dtype())

    model.forward = answer
    try:
        return model.sample(count, generator), calls
    finally:
        del model.forward


class Recorded(torch.nn.Module):
    """Answers about a few vectors under a few orders, computed elsewhere; it knows no others.

    orders (K, n) int, the first one holds at the start; x (B, n); logits (K, B, n); nll (K, B).
    """

    def __init__(self, orders: Any, x: Any, logits: Any, nll: Any) -> None:
        super().__init__()
        self._orders, self._x, self._logits, self._nll = orders, x, logits, nll
        self._now = 0

    def __getattr__(self, name: str) -> Any:
        try:
            return super().__getattr__(name)
        except AttributeError:
            if name.startswith("__"):
                raise
            raise AttributeError(
                "this model has reorder(place) and nll(x), and needs no more: there is no "
                f"{name} here (and nobody asks for the order that it had)"
            ) from None

    def reorder(self, place: Any) -> None:
        """Gives the variables their places 1 … n; ValueError for an order that is not recorded."""
        same = (torch.as_tensor(place).reshape(1, -1) == self._orders).all(1)
        if not same.any():
            raise ValueError(f"this model knows the orders that were given to you: got {place}")
        self._now = int(same.long().argmax())

    def _rows(self, x: Any) -> Any:
        same = (x[:, None, :] == self._x[None]).all(2)
        if not same.any(1).all():
            raise ValueError("this model knows the vectors x that were given to you, and no others")
        return same.long().argmax(1)

    def forward(self, x: Any) -> Any:
        """Logits (B, n)."""
        return self._logits[self._now][self._rows(x)]

    def nll(self, x: Any) -> Any:
        """(B,) in nats."""
        return self._nll[self._now][self._rows(x)]


@inside
def recorded(beside: Any, orders: Any, x: Any, logits: Any, nll: Any) -> Any:
    """A Recorded model in the process of `beside`."""
    return Recorded(orders, x, logits, nll)


@inside
def moved_and_back(made: Any, n: int, hidden: Any, place: Any, other: Any, x: Any) -> Any:
    """Of a new model that is given another order, and the first one again: what is as it was.

    Whether the given tensor `place` is, and whether the logits of x are.
    """
    given = place.clone()
    model = made(n, hidden, given)
    before = model(x)
    model.reorder(other)
    kept = bool((given == place).all())
    model.reorder(place.clone())
    return {"kept": kept, "same": bool(torch.allclose(model(x), before, atol=1e-5))}


@inside
def order_of(model: Any) -> Any:
    """The places of a Recorded model, as `reorder` has set them last."""
    return model._orders[model._now]
