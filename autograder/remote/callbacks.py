"""A student's function that runs while the judge answers what it asks of a model.

Whatever stands beside a student's function can be read by it, and counts of what it did are its own
word. So a model whose numbers or habits are a question of the check stays with the judge, and here
is only something to ask: a `Talk`. A guest answers one request at a time and cannot call back.
The function therefore runs in a thread; when it asks, the thread waits, and the question goes out
as the answer to the judge's request; the judge's next request brings the model's answer in.

What is counted at the judge's end (`answered`) is counted by the judge: a function that wants an
answer has to ask for it. What comes in is as untrusted as anything else of that process.
"""

from __future__ import annotations

import contextlib
import ctypes
import threading
from collections.abc import Callable, Sequence
from queue import SimpleQueue
from typing import Any

import torch

from autograder.remote.handles import nothing_returned
from autograder.remote.proxy import Standin, StudentFailed, WrongKind, inside

MOST = 5_000  # questions of one call

# --- the student's end ----------------------------------------------------------------------------


class Stopped(KeyboardInterrupt):
    """Raised in the student's code when the judge asks no further."""


class Talk:
    """One call of a student's function, with a stop at each question."""

    def __init__(self) -> None:
        self._said: SimpleQueue[tuple[str, Any]] = SimpleQueue()
        self._heard: SimpleQueue[tuple[Any, str]] = SimpleQueue()
        self._one_by_one = threading.Lock()
        self._open, self._waits = False, False
        self._thread: threading.Thread | None = None

    def __deepcopy__(self, memo: dict[int, Any]) -> Talk:
        return self  # a copy of a model asks the same judge

    # --- the function's side ----------------------------------------------------------------------

    def ask(self, *question: Any) -> Any:
        """The judge's answer to `question`, plain data; ValueError, in its words, if it refuses."""
        with self._one_by_one:
            if not self._open:
                raise RuntimeError("this model answers during the call that it was handed to only")
            self._waits = True
            self._said.put(("asks", question))
            answer, refused = self._heard.get()
            self._waits = False
        if answer is self:
            raise Stopped
        if refused:
            raise ValueError(refused)
        return answer

    # --- the judge's side -------------------------------------------------------------------------

    def begin(self, function: Any, *args: Any) -> tuple[Talk, str, Any]:
        """Starts `function(*args)`; what `next` says, behind the talk itself."""

        def work() -> None:
            try:
                if not self._open:
                    raise Stopped
                answer = function(*args)
                if answer is None:
                    raise nothing_returned(function)
                states = [a.get_state() for a in args if isinstance(a, torch.Generator)]
                self._said.put(("done", (answer, states)))
            except BaseException as error:
                self._said.put(("raised", error))

        self._thread = threading.Thread(target=work, daemon=True)
        self._open = True
        try:
            self._thread.start()
            return (self, *self.next())
        except BaseException:
            self.stop()
            raise

    def next(self) -> tuple[str, Any]:
        """("asks", the question) or ("done", (answer, states of its generators)); may raise."""
        try:
            kind, value = self._said.get()
        except BaseException:  # the alarm of this process, or somebody's Ctrl-C
            self.stop()
            raise
        if kind != "asks":
            self._open = False
        if kind == "raised":
            raise value
        return kind, value

    def stop(self) -> None:
        """Ends the thread, as far as Python can."""
        self._open = False
        thread = self._thread
        if thread is None or not thread.is_alive():
            return
        if self._waits:
            self._heard.put((self, ""))
        else:
            with contextlib.suppress(Exception):
                ctypes.pythonapi.PyThreadState_SetAsyncExc(
                    ctypes.c_ulong(thread.ident or 0), ctypes.py_object(Stopped)
                )
        thread.join(0.5)


@inside
def go_on(talk: Any, answer: Any, refused: str = "") -> tuple[str, Any]:
    """Brings the answer to the last question, or why there is none; what `Talk.next` says."""
    talk._heard.put((answer, refused))
    said: tuple[str, Any] = talk.next()
    return said


@inside
def stop(talk: Any) -> None:
    """Ends a talk that leads nowhere."""
    talk.stop()


# --- the judge's end ------------------------------------------------------------------------------


def answered(
    first: Any,
    answer: Callable[..., Any],
    generators: Sequence[torch.Generator] = (),
    most: int = MOST,
) -> Any:
    """What the student's function returns in the end, its questions answered by `answer`.

    `first` is what `Talk.begin` said. A question that `answer` refuses (a ValueError, TypeError,
    IndexError or WrongKind) raises ValueError in the student's code, with the same sentence.
    `generators`, those among the function's arguments, come back advanced.
    """
    if not (type(first) is tuple and len(first) == 3 and isinstance(first[0], Standin)):
        raise WrongKind(_NONSENSE)
    talk, message = first[0], first[1:]
    try:
        for _ in range(most):
            kind, value = _parts(message)
            if kind == "done":
                result, states = value
                _advance(generators, states)
                return result
            try:
                reply, refused = answer(*value), ""
            except (ValueError, TypeError, IndexError, WrongKind) as why:
                reply, refused = None, str(why) or "the model was asked nonsense"
            message = go_on(talk, reply, refused)
        raise StudentFailed(f"the model was asked more than {most:,} times")
    except BaseException:
        with contextlib.suppress(Exception):
            stop(talk)
        raise


_NONSENSE = "the process of this notebook answered with nonsense"


def _parts(message: Any) -> tuple[str, tuple[Any, ...]]:
    """("asks", arguments) or ("done", (result, states)); WrongKind for anything else."""
    if type(message) is tuple and len(message) == 2 and type(message[1]) is tuple:
        kind, value = message
        if kind == "asks" or (kind == "done" and len(value) == 2):
            return str(kind), value
    raise WrongKind(_NONSENSE)


def _advance(generators: Sequence[torch.Generator], states: Any) -> None:
    if type(states) is not list or len(states) != len(generators):
        raise WrongKind(_NONSENSE)
    for generator, state in zip(generators, states, strict=True):
        try:
            generator.set_state(state)
        except (RuntimeError, TypeError):
            raise WrongKind(_NONSENSE) from None


def whole_numbers(value: Any, ndim: int, below: int, what: str, most: int = 200_000) -> Any:
    """`value` as int64 (…) in 0 … below − 1, out of a question; ValueError if it is none.

    The dtype is the student's affair, as long as the numbers are whole.
    """
    if not isinstance(value, torch.Tensor) or value.ndim != ndim:
        raise ValueError(f"{what} should be a tensor with {ndim} axes")
    if value.numel() > most:
        raise ValueError(f"{what} of {value.numel():,} numbers: no more than {most:,} are answered")
    if value.is_complex() or (value.is_floating_point() and not (value == value.round()).all()):
        raise ValueError(f"{what} should hold whole numbers")
    if value.numel() and not (0 <= value.min() and value.max() < below):
        raise ValueError(f"{what} should lie in 0 … {below - 1}")
    return value.long()
