"""Lesson 09 beside the student's networks: it runs, counts and looks; it knows no answer."""

from __future__ import annotations

from typing import Any

from autograder.inside.made import weight_of
from autograder.remote.proxy import inside


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
    """The gradient of Σ layer(x)² for `layer.weight`; None if none arrives.

    Of a weight that weight_norm makes anew: for what it made, and not for its length or direction.
    """
    from torch.nn.utils import parametrize

    layer.zero_grad()
    held = getattr(layer, "parametrizations", {})
    with parametrize.cached():
        output = layer(x)
        made = "weight" in held and hasattr(held["weight"], "original0")
        weight = layer.weight if made else weight_of(layer)
        if not weight.is_leaf:
            weight.retain_grad()
        output.pow(2).sum().backward()
    return weight.grad


@inside
def unreached(model: Any, x: Any) -> list[str]:
    """The parameters that no gradient of Σ pixel_nll(x) comes to: at most three, or all of them."""
    import torch

    model.zero_grad()
    nats = model.pixel_nll(x)
    if not isinstance(nats, torch.Tensor) or not nats.requires_grad:
        return ["all weights"]
    nats.sum().backward()
    return [name for name, value in model.named_parameters() if value.grad is None][:3]


@inside
def not_behind_h(block: Any, x: Any) -> list[str]:
    """The parameters of a gated block that no gradient of Σ h'² comes to: at most three, or all."""
    v, h = (x.clone().requires_grad_() * 1 for _ in range(2))  # as of a block before
    _, h = block(v, h)
    if not h.requires_grad:
        return ["all weights"]
    h.pow(2).sum().backward()
    return [name for name, value in block.named_parameters() if value.grad is None][:3]


@inside
def memory_of(BlockMemory: Any, block: Any, count: int, width: int) -> Any:
    """`BlockMemory(block, count, width)`, made as sampling makes it: without gradients."""
    import torch

    with torch.no_grad():
        return BlockMemory(block, count, width)


@inside
def pixel_by(memory: Any, column: int, h: Any) -> Any:
    """`memory.pixel(column, h)`, without gradients."""
    import torch

    with torch.no_grad():
        found = memory.pixel(column, h)
    if found is None:
        raise NotImplementedError("BlockMemory: write your code here")
    return found


@inside
def finish_pixel(memory: Any, column: int, h: Any) -> None:
    """Writes the finished pixel into the row of inputs, as sampling does for the image itself."""
    memory.left[:, :, column + memory.block.reach] = h


@inside
def end_row(memory: Any, v: Any) -> None:
    """`memory.row(v)`, without gradients."""
    import torch

    with torch.no_grad():
        memory.row(v)


@inside
def operations_of_sampling(model: Any, sample_cached: Any, height: int, width: int) -> int:
    """How many operations `sample_cached` takes for one image."""
    import torch

    from course.operations import count_operations

    return count_operations(
        sample_cached, model, 1, height, width, torch.Generator().manual_seed(0)
    )


@inside
def parts_of(model: Any) -> Any:
    """[the gated blocks in their order, `hidden`, `output`] of a network; None without these."""
    blocks = [m for m in model.modules() if hasattr(m, "across") and hasattr(m, "vertical")]
    hidden, output = (getattr(model, name, None) for name in ("hidden", "output"))
    return None if hidden is None or output is None else [blocks, hidden, output]


@inside
def answer_with(model: Any, **answers: Any) -> None:
    """Puts methods in the model's place that answer the given values, whatever they are asked."""
    for name, answer in answers.items():
        setattr(model, name, lambda *args, answer=answer, **kwargs: answer.clone())


@inside
def answer_by_table(model: Any, table: Any) -> None:
    """Lets the model's forward look its logits up in a table (levels^n, levels, colors, H, W).

    The image is read as a number of n digits, in the order in which it is stored.
    """
    import torch

    levels, places = table.shape[1], table[0, 0].numel()
    powers = levels ** torch.arange(places - 1, -1, -1)
    height, width = table.shape[-2:]

    def forward(x: Any) -> Any:
        """Of images that are cut below or on the right, too: what follows does not matter there."""
        h, w = x.shape[-2:]
        whole = torch.nn.functional.pad(x.long(), (0, width - w, 0, height - h))
        return table[whole.flatten(1) @ powers][..., :h, :w]

    model.forward = forward
