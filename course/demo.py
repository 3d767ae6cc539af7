"""Lets a demo run on a student's own functions: what is not solved costs one friendly sentence.

A cell that only shows something starts with `with solved("build_masks"):`. If the code under it
meets an exercise that is still empty, the reader sees which one to solve first; if it meets a
mistake, one sentence with the line of their own code; and never a traceback.
"""

from __future__ import annotations

import linecache
import re
import sys
import sysconfig
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_INSTALLED = tuple(sysconfig.get_paths()[key] for key in ("stdlib", "purelib", "platlib"))
_OURS = tuple(
    str(Path(__file__).resolve().parent.parent / half)
    for half in ("course", "figures", "autograder")
)
# What the build writes where a solution stood: "build_masks: write your code here".
_STUB = re.compile(r"(\w+): write your code here")


@contextmanager
def solved(*exercises: str) -> Iterator[None]:
    """Runs the block below it; prints one sentence in place of an exception.

    `exercises` are the names that the demo needs, for the reader and for the sentence when the
    exception does not tell which of them is missing. A NotImplementedError, or a name that no cell
    has defined yet, means "not solved yet"; any other exception is told with the line of the
    student's code that it came from. KeyboardInterrupt and SystemExit pass through.
    """
    figures = _open_figures()
    try:
        yield
    except NotImplementedError as error:
        stub = _STUB.match(str(error))
        _say(_solve_first([stub[1]] if stub else exercises), figures)
    except NameError as error:
        # Another name than a solved exercise's is what an earlier demo would have made.
        if getattr(error, "name", None) is None or _names_of_theirs(error):
            _say(_stopped(error), figures)
        else:
            _say(_solve_first(exercises), figures)
    except Exception as error:
        _say(_stopped(error), figures)


def _open_figures() -> list[int]:
    plt = sys.modules.get("matplotlib.pyplot")
    return plt.get_fignums() if plt else []


def _say(sentence: str, figures: list[int]) -> None:
    """Prints the sentence, and closes the half-drawn figures that the demo leaves behind."""
    for number in set(_open_figures()) - set(figures):
        sys.modules["matplotlib.pyplot"].close(number)
    print(sentence)


def _solve_first(exercises: tuple[str, ...] | list[str]) -> str:
    names = " and ".join(f"`{name}`" for name in exercises) or "the exercises above"
    them = "it" if len(exercises) == 1 else "them"
    return f"○ This demo waits for {names}: solve {them} above, then run this cell again."


def _frames_of_theirs(error: Exception) -> list[traceback.FrameSummary]:
    """The frames in cells of the notebook, the demo's own first."""
    return [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if not frame.filename.startswith((*_INSTALLED, *_OURS, "<frozen"))
    ]


def _names_of_theirs(error: NameError) -> bool:
    """Whether the unknown name stands in a function of the student's, not in the demo itself."""
    return len(_frames_of_theirs(error)) > 1


def _stopped(error: Exception) -> str:
    theirs = _frames_of_theirs(error)
    said = str(error).strip().split("\n")[0][:300]
    what = f"{type(error).__name__}: {said}" if said else type(error).__name__
    if len(theirs) < 2:  # only the demo's own line: the answer it got has another form than asked
        return f"✗ This demo could not use what your code returned ({what}): run the checks above."
    frame = theirs[-1]
    line = (frame.line or linecache.getline(frame.filename, frame.lineno or 0)).strip()
    where = f"in `{frame.name}`, at your line `{line}`"
    return f"✗ This demo stopped {where} ({what}): run the checks above."
