"""A student's function that runs while the judge answers what it asks of a model.

Whatever stands beside a student's function can be read by it, and counts of what it did are its own
word. So a model whose numbers or habits are a question of the check stays with the judge, and here
is only something to ask: a `Talk`. A guest answers one request at a time and cannot call back.
The function therefore runs in a thread; when it asks, the thread waits, and the question goes out
as the answer to the judge's request; the judge's next request brings the model's answer in.
`autograder.checks.talk` is the judge's end.
"""

from __future__ import annotations

import contextlib
import ctypes
import threading
from queue import SimpleQueue
from typing import Any

from autograder.standin import inside


class Stopped(KeyboardInterrupt):
    """Raised in the student's code when the judge asks no further."""


class Talk:
    """One call of a student's function, with a stop at each question."""

    def __init__(self) -> None:
        self._said: SimpleQueue = SimpleQueue()
        self._heard: SimpleQueue = SimpleQueue()
        self._one_by_one = threading.Lock()
        self._open, self._waits, self._thread = False, False, None

    def __deepcopy__(self, memo: dict) -> Talk:
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
        import torch

        def work() -> None:
            try:
                if not self._open:
                    raise Stopped
                answer = function(*args)
                if answer is None:
                    raise NotImplementedError
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
                    ctypes.c_ulong(thread.ident), ctypes.py_object(Stopped)
                )
        thread.join(0.5)


@inside
def go_on(talk: Any, answer: Any, refused: str = "") -> tuple[str, Any]:
    """Brings the answer to the last question, or why there is none; what `Talk.next` says."""
    talk._heard.put((answer, refused))
    return talk.next()


@inside
def stop(talk: Any) -> None:
    """Ends a talk that leads nowhere."""
    talk.stop()
