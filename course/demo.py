"""Lets a demo run on a student's own functions: what is not there costs one friendly sentence.

A cell that only shows something starts with `with solved("build_masks"):`. If the code under it
meets an exercise that is still empty, the reader sees which one to solve first; if the cell of an
exercise was not run, which one to run; if it meets a mistake, one sentence with the line of their
own code; and never a traceback.
"""

from __future__ import annotations

import linecache
import re
import sys
import sysconfig
import traceback
import types
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

_INSTALLED = tuple(sysconfig.get_paths()[key] for key in ("stdlib", "purelib", "platlib"))
_OURS = tuple(
    str(Path(__file__).resolve().parent.parent / half)
    for half in ("course", "figures", "autograder")
)
# What the build writes where a solution stood: "build_masks: write your code here".
_STUB = re.compile(r"(\w+): write your code here")


@contextmanager
def solved(*exercises: str, say: Callable[[str], object] = print) -> Iterator[None]:
    """Runs the block below it; prints (`say`) one sentence in place of an exception.

    `exercises` are the names that the demo needs, for the reader and for the sentence when the
    exception does not tell which of them is missing. A NotImplementedError means "not solved yet".
    A name that no cell has defined yet means that a cell was not run: the exercise's own, or, where
    an earlier demo would have made it, that demo's, which may itself have waited for an exercise.
    Any other exception is told with the line of the student's code that it came from.
    KeyboardInterrupt and SystemExit pass through.
    """
    figures = _open_figures()
    try:
        yield
    except NotImplementedError as error:
        stub = _STUB.match(str(error))
        sentence = _solve_first([stub[1]] if stub else exercises)
    except NameError as error:
        sentence = _missing(error, exercises)
    except Exception as error:
        sentence = _stopped(error)
    else:
        return
    for number in set(_open_figures()) - set(figures):  # half-drawn
        sys.modules["matplotlib.pyplot"].close(number)
    say(sentence)


def _open_figures() -> list[int]:
    plt = sys.modules.get("matplotlib.pyplot")
    return plt.get_fignums() if plt else []


def _solve_first(exercises: tuple[str, ...] | list[str]) -> str:
    names = _named(exercises) or "the exercises above"
    them = "it" if len(exercises) == 1 else "them"
    return f"○ This demo waits for {names}: solve {them} above, then run this cell again."


def _run_first(exercises: list[str]) -> str:
    its = "its cell" if len(exercises) == 1 else "their cells"
    return f"○ {_named(exercises)} {_are(exercises)} not there yet: run {its} above, then this one."


def _named(names: tuple[str, ...] | list[str]) -> str:
    return " and ".join(f"`{name}`" for name in names)


def _are(names: list[str]) -> str:
    return "is" if len(names) == 1 else "are"


def _missing(error: NameError, exercises: tuple[str, ...]) -> str:
    """What to do about a name that nothing has defined."""
    name: str | None = getattr(error, "name", None)
    notebook = _notebook_of(error)
    there = notebook.get("EXERCISES", ())  # the setup cell of a lesson says which it has
    if name is not None and name in (*exercises, *there):
        return _run_first([name])
    if name is None or _in_a_function(_frames_of_theirs(error)):
        return _stopped(error)
    if not_run := [exercise for exercise in exercises if exercise not in notebook]:
        return _run_first(not_run)
    if empty := [exercise for exercise in exercises if is_unsolved(notebook[exercise])]:
        return _solve_first(empty)
    return f"○ `{name}` is not there yet: run the cells above from the first one on, then this one."


def is_unsolved(answer: Any) -> bool:
    """Whether a function, or a method of a class, still holds the stub that the build wrote."""
    if isinstance(answer, type):
        return any(is_unsolved(part) for part in vars(answer).values())
    answer = getattr(answer, "fget", answer)  # a property
    answer = getattr(answer, "__func__", answer)  # a class method, a static method
    code = getattr(getattr(answer, "__wrapped__", answer), "__code__", None)
    return isinstance(code, types.CodeType) and _holds_stub(code)


def _holds_stub(code: types.CodeType) -> bool:
    return any(
        _holds_stub(part)
        if isinstance(part, types.CodeType)
        else isinstance(part, str) and _STUB.fullmatch(part) is not None
        for part in code.co_consts
    )


def _notebook_of(error: Exception) -> Mapping[str, Any]:
    """The names of the notebook in which the demo stands."""
    for frame, _ in traceback.walk_tb(error.__traceback__):
        if not _is_ours(frame.f_code.co_filename):
            return frame.f_globals
    return {}


def _is_ours(filename: str) -> bool:
    return filename.startswith((*_INSTALLED, *_OURS, "<frozen"))


def _frames_of_theirs(error: Exception) -> list[traceback.FrameSummary]:
    """The frames in cells of the notebook, the demo's own first."""
    frames = traceback.extract_tb(error.__traceback__)
    return [frame for frame in frames if not _is_ours(frame.filename)]


def _in_a_function(frames: list[traceback.FrameSummary]) -> bool:
    """Whether it was in a function, the student's: a demo's own comprehension is none."""
    return any(
        frame.filename != frames[0].filename or not frame.name.startswith("<")
        for frame in frames[1:]
    )


def _stopped(error: Exception) -> str:
    theirs = _frames_of_theirs(error)
    said = str(error).strip().split("\n")[0][:300]
    what = f"{type(error).__name__}: {said}" if said else type(error).__name__
    if not _in_a_function(theirs):  # the answer that the demo got has another form than asked
        return f"✗ This demo could not use what your code returned ({what}): run the checks above."
    frame = theirs[-1]
    line = (frame.line or linecache.getline(frame.filename, frame.lineno or 0)).strip()
    where = f"in `{frame.name}`, at your line `{line}`"
    return f"✗ This demo stopped {where} ({what}): run the checks above."
