"""A trained network on disk, as it computes: lesson 14 writes files with lesson 09's PixelCNN.

kept_network.keep("PixelCNN", model, images)   # where it was trained
network, images = kept_network.kept("PixelCNN")   # in another notebook, without its class
"""

from __future__ import annotations

import copy
import io
from pathlib import Path

import torch
import torch.export.passes

from course.data import cache_folder
from course.files import write_whole

COUNT = 10  # images that go with it, and the only batch that it takes


def path_of(name: str) -> Path:
    """Where the network of this name is kept: in the user's cache folder."""
    return cache_folder() / "networks" / f"{name}.pt2"


def keep(name: str, model: torch.nn.Module, images: torch.Tensor) -> str:
    """Writes what `model` computes for `COUNT` images, in double precision, and the first of them.

    One shape and one precision, since a codec's two ends need equal numbers: in double precision no
    kernel is chosen that mixes what a masked weight is multiplied with into its sums.

    Args:
        model: takes images as they are given.
        images: (B, …), at least `COUNT` of them.

    Returns:
        A sentence: that it is kept, or why torch cannot export it.

    Raises:
        ValueError: too few images.
    """
    if len(images) < COUNT:
        raise ValueError(f"{COUNT} images are kept with a network: got {len(images)}")
    some = images[:COUNT].cpu()
    file = io.BytesIO()
    try:
        with torch.no_grad():
            program = torch.export.export(copy.deepcopy(model).cpu().double().eval(), (some,))
        torch.export.save(program, file, extra_files={"images": _written(some)})
    except Exception as error:  # what a student's forward does is for torch to judge
        why = (str(error).splitlines() or [""])[0]
        return f"Not kept for other notebooks: torch cannot export this {name} ({why})."
    write_whole(path_of(name), file.getvalue())
    return f"This {name} is kept on this machine, with {COUNT} test images, for other notebooks."


def kept(
    name: str, device: torch.device | str = "cpu"
) -> tuple[torch.nn.Module, torch.Tensor] | None:
    """The network and its images (`COUNT`, …), both there; None where none is kept on this machine.

    The network takes batches of `COUNT` images.
    """
    if not path_of(name).exists():
        return None
    found = {"images": ""}
    program = torch.export.load(path_of(name), extra_files=found)
    moved = torch.export.passes.move_to_device_pass(program, torch.device(device))
    return moved.module(), _read(found["images"]).to(device)


def _written(images: torch.Tensor) -> str:
    file = io.BytesIO()
    torch.save(images, file)
    return file.getvalue().hex()


def _read(text: str) -> torch.Tensor:
    return torch.load(io.BytesIO(bytes.fromhex(text)), weights_only=True)
