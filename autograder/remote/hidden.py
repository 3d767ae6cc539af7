"""What a student's process does not see while it is graded: the checks, and code that answers them.

A check computes what it asks for, and a widget what it draws: to call them would be to copy. So
their files are out of reach of a guest (`autograder.sandbox`), no process that guests are forked
from imports them, and `hide` puts silent modules in the place of `figures`, which notebooks import:
every name in them is an object that takes any call and draws nothing.
"""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import sys
import types
from collections.abc import Iterator, Sequence
from typing import Any

CHECKS = "autograder.checks"
FIGURES = "figures"
HIDDEN = (CHECKS, FIGURES)

# Folders below those of the packages, byte code and all.
PATHS = {"autograder": ("checks",), "course": (), "figures": ("",)}


def is_hidden(module: str) -> bool:
    """Whether guests may not import `module`."""
    return any(module == name or module.startswith(f"{name}.") for name in HIDDEN)


class Silence:
    """Takes every call, has every public attribute, holds nothing, and shows one sentence."""

    def __init__(self, *_: Any, **__: Any) -> None:
        pass

    def __getattr__(self, name: str) -> Silence:
        if name.startswith("_"):
            raise AttributeError(name)
        return Silence()

    def __call__(self, *_: Any, **__: Any) -> Silence:
        return Silence()

    def __getitem__(self, key: Any) -> Silence:
        return Silence()

    def __iter__(self) -> Iterator[Any]:
        return iter(())

    def __len__(self) -> int:
        return 0

    def __enter__(self) -> Silence:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def __format__(self, how: str) -> str:
        return "…"

    def __repr__(self) -> str:
        return "(This is drawn in a notebook, and not while it is graded.)"


class _Silencer(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds the hidden modules before anybody else does: silent, or not there."""

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: Any = None
    ) -> importlib.machinery.ModuleSpec | None:
        if not is_hidden(name):
            return None
        if name == CHECKS or name.startswith(f"{CHECKS}."):
            raise ModuleNotFoundError(f"{name} is not here while a notebook is graded", name=name)
        return importlib.machinery.ModuleSpec(name, self, is_package=True)

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> types.ModuleType:
        return types.ModuleType(spec.name)

    def exec_module(self, module: types.ModuleType) -> None:
        def public(name: str) -> Silence:
            if name.startswith("__"):
                raise AttributeError(name)
            return Silence()

        module.__getattr__ = public  # type: ignore[method-assign]


def hide() -> None:
    """Makes this process a guest: the hidden modules are silent, and `check` leaves it to others.

    Comfort for honest notebooks: what keeps the others out is that there is no file to read.
    """
    for name in [name for name in sys.modules if is_hidden(name)]:
        del sys.modules[name]
    if "autograder" in sys.modules:
        vars(sys.modules["autograder"]).pop("checks", None)
    if not any(isinstance(finder, _Silencer) for finder in sys.meta_path):
        sys.meta_path.insert(0, _Silencer())
    from autograder import checking

    checking.judged_elsewhere = True
