"""Lesson 08 beside the student's networks: it runs, counts and looks; it knows no answer."""

from __future__ import annotations

from typing import Any

from autograder.standin import inside


@inside
def beside(subject: Any, name: str) -> Any:
    """What `name` means in the notebook that `subject`, a function or a class, was written in."""
    functions = [subject, *vars(subject).values()] if isinstance(subject, type) else [subject]
    for function in functions:
        found = getattr(function, "__globals__", {}).get(name)
        if found is not None:
            return found
    raise NotImplementedError(f"{name}: write your code here")


@inside
def facts_about_mask(layer: Any) -> dict[str, bool]:
    """Where `layer.mask` is kept, and whether it moves with the layer."""
    parameters = dict(layer.named_parameters())
    buffers = dict(layer.named_buffers())
    saved = layer.state_dict()
    moved = layer.to("meta") if hasattr(layer, "mask") else layer
    return {
        "parameter": "mask" in parameters,
        "buffer": "mask" in buffers,
        "saved": "mask" in saved,
        "moves": getattr(getattr(moved, "mask", None), "device", None) is not None
        and moved.mask.device.type == "meta",
    }


@inside
def weight_gradient(layer: Any, x: Any) -> Any:
    """The gradient of Σ layer(x)² for `layer.weight`; None if none arrives."""
    layer.zero_grad()
    layer(x).pow(2).sum().backward()
    return layer.weight.grad


@inside
def sample_and_count(
    model: Any, count: int, height: int, width: int, generator: Any
) -> tuple[Any, int]:
    """`model.sample(count, height, width, generator)`, and how often it called the model."""
    forward, calls = model.forward, 0

    def counting(*args: Any, **kwargs: Any) -> Any:
        nonlocal calls
        calls += 1
        return forward(*args, **kwargs)

    model.forward = counting
    try:
        return model.sample(count, height, width, generator), calls
    finally:
        del model.forward


@inside
def pixels_by_memory(BlockMemory: Any, block: Any, v: Any, h: Any) -> tuple[Any, Any]:
    """Inputs (v, h) of a block, each (B, C, H, W) → the block's own output h, and the memory's."""
    import torch

    with torch.no_grad():
        whole = block(v, h)[1]
        memory = BlockMemory(block, len(v), v.shape[-1])
        rows = []
        for r in range(v.shape[2]):
            row = [memory.pixel(c, h[:, :, r, c].clone()) for c in range(v.shape[3])]
            if any(one is None for one in row):
                raise NotImplementedError("BlockMemory: write your code here")
            rows.append(torch.stack(row, dim=-1))
            memory.row(v[:, :, r].clone())
        return whole, torch.stack(rows, dim=2)


@inside
def drawn_twice(
    model: Any, sample_cached: Any, count: int, height: int, width: int, seed: int
) -> tuple[Any, Any]:
    """Images of `model.sample` and of `sample_cached`, from generators with the same seed."""
    import torch

    generators = [torch.Generator().manual_seed(seed) for _ in range(2)]
    return (
        model.sample(count, height, width, generators[0]),
        sample_cached(model, count, height, width, generators[1]),
    )


@inside
def operations_of_sampling(model: Any, sample_cached: Any, height: int, width: int) -> int:
    """How many operations `sample_cached` takes for one image."""
    import torch

    from course.operations import count_operations

    return count_operations(
        sample_cached, model, 1, height, width, torch.Generator().manual_seed(0)
    )
