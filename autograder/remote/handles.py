"""The student's side of a stand-in: a table of live objects, and what one may ask of them.

A check never holds the student's object. It holds a `Standin` (see `autograder.remote.proxy`),
whose requests `Handles` perform: look a name up, call, read an attribute, copy, run a function of
ours beside the objects. What goes back is plain data (None, bool, int, float, complex, str, bytes,
lists, tuples, dicts, sets, arrays, tensors) or a `Ref` to an object that stays here.

In a student's own notebook the objects live in the same process; in the grader they live in the
sandbox, and requests and replies cross as the data-only messages of `autograder.remote.protocol`.
"""

from __future__ import annotations

import difflib
import dis
import importlib
import inspect
import itertools
import linecache
import os
import sys
import sysconfig
import traceback
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from autograder.remote.protocol import (
    MAX_KINDS,
    Failure,
    OutOfTime,
    Ref,
    Request,
    ReturnedNothing,
)

MAX_DEPTH = 24
MAX_MESSAGE = 400  # characters of a student's error message that are passed on

# Where functions stand that run beside the student's objects: a package, and one module.
INSIDE = ("autograder.inside", "autograder.remote.callbacks")

_SCALARS: tuple[type[Any], ...] = (bool, int, float, complex, str, bytes)


Arguments = tuple[Any, ...]
Keywords = dict[str, Any]


class Handles:
    """Holds objects by number, and performs requests on them."""

    def __init__(self, namespace: Mapping[str, Any] | None = None) -> None:
        self.namespace = namespace if namespace is not None else {}
        self.objects: dict[int, Any] = {}
        self._numbers = itertools.count(1)

    def put(self, value: Any) -> Ref:
        """Keeps `value` here and returns its Ref."""
        number = next(self._numbers)
        self.objects[number] = value
        return Ref(number, kind_of(value), str(getattr(value, "__name__", type(value).__name__)))

    def perform(self, request: Request) -> Any:
        """Performs `(verb, …)` and returns plain data with Refs, or a Failure; never raises.

        Verbs: ("lookup", name) · ("call", ref, args, kwargs) · ("get", ref, attribute) ·
        ("copy", ref) · ("inside", "module:function", args, kwargs) · ("release", ids).
        """
        try:
            verb, *rest = request
            return self.plain(getattr(self, "_" + verb)(*rest))
        except BaseException as error:
            if isinstance(error, SystemExit | GeneratorExit):
                error = RuntimeError(f"the code tried to end the process ({type(error).__name__})")
            return failure_of(error)

    def _lookup(self, name: str) -> Any:
        if name not in self.namespace:
            own = [n for n, v in self.namespace.items() if kind_of(v) in ("function", "class")]
            near = difflib.get_close_matches(name, own, n=1)
            more = f", but {near[0]}: was it renamed?" if near else ""
            raise NotImplementedError(f"there is no {name} in this notebook{more}")
        found = self.namespace[name]
        return None if found is None else self.put(found)

    def _call(self, ref: Ref, args: Arguments, kwargs: Keywords) -> Any:
        return self.objects[ref.id](*self.live(args), **self.live(kwargs))

    def _get(self, ref: Ref, attribute: str) -> Any:
        return getattr(self.objects[ref.id], attribute)

    def _copy(self, ref: Ref) -> Any:
        from course.causality import copy_model  # torch: not before there is something to copy

        return self.put(copy_model(self.objects[ref.id]))

    def _inside(self, path: str, args: Arguments, kwargs: Keywords) -> Any:
        return inside_function(path)(*self.live(args), **self.live(kwargs))

    def _release(self, ids: list[int]) -> None:
        for number in ids:
            self.objects.pop(number, None)

    def live(self, value: Any) -> Any:
        """`value` with each Ref replaced by its object, and data copied: no caller shares it."""
        if isinstance(value, Ref):
            return self.objects[value.id]
        if isinstance(value, list | tuple | set | frozenset):
            return type(value)(self.live(v) for v in value)
        if isinstance(value, dict):
            return {k: self.live(v) for k, v in value.items()}
        if isinstance(value, np.ndarray):
            return value.copy()
        if _is_tensor(value):
            return value.detach().clone()
        return value

    def plain(self, value: Any, depth: int = 0) -> Any:
        """`value` as plain data; what is not data is kept here and becomes a Ref."""
        if depth > MAX_DEPTH:
            raise ValueError(f"the answer is nested more than {MAX_DEPTH} deep")
        if value is None or type(value) in _SCALARS or isinstance(value, Ref | Failure):
            return value
        for base in _SCALARS:  # subclasses (an enum, a numpy float64) lose their class
            if isinstance(value, base) and not isinstance(value, np.generic):
                return base(value)
        if isinstance(value, np.generic):
            return value if value.dtype.kind in "biufcSU" else self.put(value)
        if isinstance(value, np.ndarray):
            return np.array(value, copy=True) if value.dtype.kind in "biufc" else self.put(value)
        if _is_tensor(value):
            return value.detach().to("cpu").to_dense().clone()
        if isinstance(value, list):
            return [self.plain(v, depth + 1) for v in value]
        if isinstance(value, tuple):
            return tuple(self.plain(v, depth + 1) for v in value)
        if isinstance(value, set | frozenset):
            return {self.plain(v, depth + 1) for v in value}
        if isinstance(value, Mapping):
            return {self.plain(k, depth + 1): self.plain(v, depth + 1) for k, v in value.items()}
        if type(value).__module__ == "torch" and type(value).__name__ in ("dtype", "device"):
            return str(value)
        return self.put(value)


def kind_of(value: Any) -> str:
    """ "class", "module" (a torch.nn.Module), "function" or "object"."""
    if isinstance(value, type):
        return "class"
    torch = sys.modules.get("torch")
    if torch is not None and isinstance(value, torch.nn.Module):
        return "module"
    return "function" if callable(value) else "object"


def _is_tensor(value: Any) -> bool:
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(value, torch.Tensor)


def nothing_returned(function: Any) -> Exception:
    """What is to be raised of a function that returned None.

    NotImplementedError if its body does nothing (`pass`, `...`, a text), else ReturnedNothing.
    """
    name = getattr(function, "__name__", "") or "your function"
    code = getattr(inspect.unwrap(function), "__code__", None)
    if code and {step.opname for step in dis.get_instructions(code)} <= _EMPTY:
        return NotImplementedError(f"{name} is not written yet")
    return ReturnedNothing(
        f"{name} returned None: is `return` missing? (print shows a value, and gives none back; "
        "and every way through a function needs a return of its own)"
    )


# What an empty body is made of, in all versions of Python that are declared.
_EMPTY = {"RESUME", "NOP", "LOAD_CONST", "RETURN_VALUE", "RETURN_CONST"}


def inside_function(path: str) -> Callable[..., Any]:
    """The function marked `@inside` at `module:name`; only the modules of INSIDE are searched."""
    module, _, name = path.partition(":")
    if module not in INSIDE and not module.startswith(INSIDE[0] + "."):
        raise ValueError(f"{path} is not a function of the check library")
    function = getattr(importlib.import_module(module), name)
    if getattr(function, "inside_path", None) != path:
        raise ValueError(f"{path} is not marked @inside")
    wrapped: Callable[..., Any] = function.__wrapped__
    return wrapped


_ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

# Code that is not the student's: the standard library, installed packages, and the check library.
_NOT_THEIRS = tuple(
    {
        os.path.realpath(p) + os.sep
        for p in (
            sysconfig.get_paths()["stdlib"],
            sysconfig.get_paths()["purelib"],
            sysconfig.get_paths()["platlib"],
            os.path.join(_ROOT, "autograder"),
            os.path.join(_ROOT, "course"),
        )
    }
)


def failure_of(error: BaseException) -> Failure:
    """The exception as data, with the last line of the student's code that it passed through."""
    line, number, within = "", 0, ""
    for frame in traceback.extract_tb(error.__traceback__, limit=-200):
        name = frame.filename
        if name.startswith("<frozen") or os.path.realpath(name).startswith(_NOT_THEIRS):
            continue
        number = frame.lineno or 0
        line = (frame.line or linecache.getline(name, number)).strip()
        within = frame.name
    message = " ".join(str(error).split())  # one sentence, one line
    if isinstance(error, NotImplementedError) and not message and within.isidentifier():
        message = f"{within} is not written yet"
    if type(error) is KeyboardInterrupt and not message:
        message = "the code was interrupted"
    if isinstance(error, RuntimeError):
        message = _of_devices(message)
    return Failure(
        type="Timeout" if isinstance(error, OutOfTime) else type(error).__name__,
        message=_shorten(message),
        line=_shorten(line, 200),
        number=number,
        kinds=_kinds(type(error)),
        out_of_time=isinstance(error, OutOfTime),
    )


def _of_devices(message: str) -> str:
    """What torch says of two devices in one operation, after what has happened."""
    if "tensors to be on the same device" in message:
        return f"what is made without device= is on the processor, and the model is not: {message}"
    if "device type for generator" in message:
        return f"the generator is of another device than what is drawn with it: {message}"
    return message


def _kinds(raised: type) -> tuple[str, ...]:
    """The names of the built-in exceptions among a class and its bases."""
    built_in = [k for k in type.mro(raised) if k.__module__ == "builtins" and k is not object]
    return tuple(k.__name__ for k in built_in)[:MAX_KINDS]


def _shorten(text: str, length: int = MAX_MESSAGE) -> str:
    return text if len(text) <= length else text[: length - 1] + "…"
