"""Colab's runtime as far as a machine without Colab can have it: Python, packages, its own module.

The environment is Colab's pinned one of August 2026: its Python, its torch (with CUDA, as Colab's
is), its old IPython, ipykernel and widgets. `google.colab` is a stand-in of a few lines
(`tests/colab/stub`), imported before the first cell, as there. The first cell's address leads to a
copy of this tree, so that what a student's set-up runs is run: pip, git and the build, to the end.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from autograder.lessons.building import repository_address
from course.files import write_whole
from tests.pythons import ROOT, interpreter

STUB = Path(__file__).parent / "stub"
HOME = ROOT / "build" / "colab-runtime"
PYTHON = "3.12"
# What a notebook can meet of Colab's packages, with what they need.
PINS = (
    "torch==2.11.0",
    "numpy==2.1.3",
    "matplotlib==3.10.0",
    "ipython==7.34.0",
    "ipykernel==6.17.1",
    "traitlets==5.7.1",
)
# Without what they need: a notebook server, which lives elsewhere in Colab.
WIDGETS = ("ipywidgets==7.7.1", "anywidget==0.9.21", "ipython_genutils==0.2.0", "psygnal")
# Colab has them, in some version that the project's ranges allow.
OTHERS = (
    "scipy",
    "scikit-learn",
    "pillow",
    "tqdm",
    "safetensors",
    "tokenizers",
    "huggingface_hub",
    "typing_extensions",
    "setuptools",  # IPython 7 asks for it
)


def install() -> Path:
    """The environment's Python; makes the environment first (about 6 GB), or again when pins move.

    Raises:
        RuntimeError: Colab's Python is not on this machine.
    """
    command = interpreter(PYTHON)
    if command is None:
        raise RuntimeError(f"Colab's runtime needs Python {PYTHON}: put it on PATH, or into pyenv")
    python, done = HOME / "bin" / "python", HOME / "pins.txt"
    pins = " ".join((*PINS, *WIDGETS, *OTHERS))
    if not done.exists() or done.read_text() != pins:
        shutil.rmtree(HOME, ignore_errors=True)
        subprocess.run([command, "-m", "venv", str(HOME)], check=True)
        pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, *PINS, *OTHERS], check=True)
        subprocess.run([*pip, "--no-deps", *WIDGETS], check=True)
        done.write_text(pins)
    return python


def installed(python: Path) -> dict[str, str]:
    """The environment's distributions, by name."""
    listing = [str(python), "-m", "pip", "list", "--format=json", "--disable-pip-version-check"]
    found = subprocess.run(listing, check=True, capture_output=True, text=True).stdout
    return {package["name"]: package["version"] for package in json.loads(found)}


def repository(folder: Path) -> Path:
    """A git repository in `folder` with this tree, as it stands, on the branch main."""
    listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(listed, check=True, capture_output=True, text=True, cwd=ROOT).stdout
    for name in filter(None, names.split("\0")):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, folder / name)
    author = ["-c", "user.name=imitation", "-c", "user.email=imitation@example.org"]
    for command in (["init", "--quiet", "--initial-branch=main"], ["add", "--all"]):
        subprocess.run(["git", *command], check=True, cwd=folder)
    subprocess.run(
        ["git", *author, "commit", "--quiet", "-m", "as it stands"], check=True, cwd=folder
    )
    return folder


def environment(repository: Path) -> dict[str, str]:
    """The variables of a process in Colab: its own module is found, GitHub is `repository`."""
    kept = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "VIRTUAL_ENV")}
    return kept | {
        "PYTHONPATH": str(STUB),
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": f"url.{repository.as_uri()}.insteadOf",
        "GIT_CONFIG_VALUE_0": repository_address(ROOT),
        "OMP_NUM_THREADS": "1",
        "MKL_NUM_THREADS": "1",
    }


@contextmanager
def kernelspec(python: Path, folder: Path, variables: dict[str, str]) -> Iterator[str]:
    """The name of a kernel that starts as Colab's does, for the length of the block."""
    argv = [str(python), "-m", "colab_kernel_launcher", "-f", "{connection_file}"]
    spec = {"argv": argv, "display_name": "Colab", "language": "python", "env": variables}
    write_whole(folder / "kernels" / "colab" / "kernel.json", json.dumps(spec))
    before = os.environ.get("JUPYTER_PATH")
    os.environ["JUPYTER_PATH"] = str(folder)
    try:
        yield "colab"
    finally:
        if before is None:
            del os.environ["JUPYTER_PATH"]
        else:
            os.environ["JUPYTER_PATH"] = before
