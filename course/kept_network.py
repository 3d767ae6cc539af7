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

from course.data import DataCorrupt, cache_folder
from course.files import write_whole

COUNT = 10  # images that go with it, and the only batch that it takes


def path_of(name: str) -> Path:
    """Where the network of this name is kept: in the user's cache folder."""
    return cache_folder() / "networks" / f"{name}.pt2"


def keep(name: str, model: torch.nn.Module, images: torch.Tensor) -> str:
    """Writes what `model` computes for `COUNT` images, in double precision, and the first of them.

    One shape and one precision, since a codec's two ends need equal numbers. Where a kernel mixes
    what a mask hides into its sums and takes it out again, double precision leaves 10⁻¹⁶ of it.

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

    The network takes batches of `COUNT` images. MPS knows no double precision: asked for there,
    both are on the processor.

    Raises:
        DataCorrupt: the file is cut short, or another torch wrote it.
    """
    path, place = path_of(name), torch.device(device)
    if not path.exists():
        return None
    if place.type == "mps":
        place = torch.device("cpu")
    found = {"images": ""}
    try:
        program = torch.export.load(path, extra_files=found)
        moved = torch.export.passes.move_to_device_pass(program, place)
        return moved.module(), _read(found["images"]).to(place)
    except Exception as error:  # torch raises what its archive's reader raises
        raise DataCorrupt(
            f"{path} holds no network that this torch reads: delete it, or train again"
        ) from error


def _written(images: torch.Tensor) -> str:
    file = io.BytesIO()
    torch.save(images, file)
    return file.getvalue().hex()


def _read(text: str) -> torch.Tensor:
    return torch.load(io.BytesIO(bytes.fromhex(text)), weights_only=True)
