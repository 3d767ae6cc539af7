"""A device that is not the processor, on a machine that has no other: for tests of device purity.

    with second_device() as card:
        model.to(card)
        model.sample(4, generator)   # RuntimeError if it mixes devices

Tensors "on" it hold their values in the processor's memory and compute there, so that results can
be compared to the bit. What a CUDA card refuses is refused: two devices in one operation, a
generator of the processor for numbers made on the card, and NumPy. As there, a tensor without
dimensions may come from the processor, and so may the indices of `x[i]`.
"""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves, tree_map_only
from torch.utils.backend_registration import _setup_privateuseone_for_python_backend

NAME = "card"
# Once a process, and not where a real card computes: torch has one other kind of device at a time.
_registered = functools.cache(_setup_privateuseone_for_python_backend)

aten = torch.ops.aten
# They move numbers from one device to another, or index with numbers of either.
_MOVES = {aten._to_copy, aten.copy_, aten._copy_from}
_INDEXES = {aten.index, aten.index_put, aten.index_put_, aten._index_put_impl_}
_MAKES = (torch.tensor, torch.as_tensor, torch.asarray)


class OnCard(torch.Tensor):
    """A tensor that says it is on the card."""

    held: torch.Tensor

    @staticmethod
    def __new__(cls, held: torch.Tensor) -> OnCard:
        made: OnCard = torch.Tensor._make_wrapper_subclass(
            cls,
            held.size(),
            strides=held.stride(),
            storage_offset=held.storage_offset(),
            dtype=held.dtype,
            device=NAME,
        )
        made.held = held.detach()
        return made

    @classmethod
    def __torch_dispatch__(
        cls, func: Any, types: Any, args: tuple = (), kwargs: dict | None = None
    ) -> Any:
        return _compute(func, args, kwargs or {})

    def __repr__(self) -> str:  # type: ignore[override]
        return f"OnCard({self.held})"

    def tolist(self) -> Any:
        return self.held.tolist()

    def numpy(self, *args: Any, **kwargs: Any) -> Any:
        raise TypeError("a tensor of the card has no numpy(): copy it to the processor first")

    __array__ = numpy


def _compute(func: Any, args: tuple, kwargs: dict[str, Any]) -> Any:
    leaves = [leaf for leaf in tree_leaves((args, kwargs)) if isinstance(leaf, torch.Tensor)]
    here = [leaf for leaf in leaves if isinstance(leaf, OnCard)]
    packet = func.overloadpacket
    wanted = kwargs.get("device")
    on_card = bool(here) if wanted is None else torch.device(wanted).type == NAME
    if packet not in _MOVES and here:
        asked = leaves[:1] if packet in _INDEXES else leaves
        away = [leaf for leaf in asked if not isinstance(leaf, OnCard) and leaf.dim()]
        if away or (packet in _INDEXES and not isinstance(leaves[0], OnCard)):
            raise RuntimeError(
                f"Expected all tensors to be on the same device: {func} met {NAME} and cpu"
            )
    if kwargs.get("generator") is not None and on_card:
        raise RuntimeError(f"Expected a '{NAME}' device type for generator but found 'cpu'")
    held_args, held_kwargs = tree_map_only(OnCard, lambda t: t.held, (args, kwargs))
    if wanted is not None:
        held_kwargs["device"] = "cpu"
    out = func(*held_args, **held_kwargs)
    if isinstance(out, torch.Tensor) and any(out is t.held for t in here):
        return next(t for t in here if out is t.held)  # in place
    if packet is aten.copy_:
        return args[0]
    if wanted is not None and not on_card and isinstance(out, torch.Tensor):
        return out.clone() if any(out is t.held for t in here) else out
    return tree_map_only(torch.Tensor, OnCard, out) if on_card else out


class _Dispatch(TorchDispatchMode):
    """Catches what makes a tensor on the card out of none."""

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple = (), kwargs: dict | None = None
    ) -> Any:
        return _compute(func, args, kwargs or {})


class _Making(TorchFunctionMode):
    """`torch.tensor(…, device="card")`: made here, then moved."""

    def __torch_function__(
        self, func: Callable, types: Any, args: tuple = (), kwargs: dict | None = None
    ) -> Any:
        kwargs = dict(kwargs or {})
        if func in _MAKES and kwargs.get("device") is not None:
            device = kwargs.pop("device")
            return func(*args, **kwargs).to(device)
        return func(*args, **kwargs)


@contextlib.contextmanager
def second_device() -> Iterator[torch.device]:
    """A device beside the processor, for the length of the block."""
    _registered(NAME)
    with _Making(), _Dispatch():
        yield torch.device(NAME)


def home(value: Any) -> Any:
    """The same value with all its tensors on the processor."""
    return tree_map_only(OnCard, lambda t: t.held.clone(), value)
