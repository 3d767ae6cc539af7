"""The guest: the process in which a student's code runs, and the few requests that it answers.

A guest owns an IPython shell and the handles of its objects. It reads one request at a time from a
socket, performs it, and answers with the request's nonce: `run` executes the text of a cell and
returns its outputs, the verbs of `autograder.remote.handles` serve the stand-ins. The judge treats
all of it as what an untrusted process says.

`python -m autograder.remote.server FD` serves a socket that the process inherited; a warm fork
calls `serve` directly.
"""

from __future__ import annotations

import contextlib
import io
import signal
import socket
import sys
from collections.abc import Iterator
from typing import Any

from autograder.remote import protocol
from autograder.remote.handles import Handles, failure_of
from autograder.remote.protocol import Failure, OutOfTime, Request, generators_in


def _on_alarm(signum: int, frame: Any) -> None:
    raise OutOfTime("out of time")


@contextlib.contextmanager
def _alarm(seconds: float) -> Iterator[None]:
    """Interrupts honest code after `seconds`; code that resists is killed from outside."""
    signal.signal(signal.SIGALRM, _on_alarm)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


class Outputs:
    """Collects a cell's outputs in the form of nbformat, up to a number of characters."""

    def __init__(self, limit: int) -> None:
        self.items: list[dict[str, Any]] = []
        self.left = limit

    def text(self, name: str, text: str) -> None:
        """Adds text to the stream `name`."""
        text = text[: max(self.left, 0)]
        self.left -= len(text)
        if not text:
            return
        last = self.items[-1] if self.items else {}
        if last.get("output_type") == "stream" and last.get("name") == name:
            last["text"] += text
        else:
            self.items.append({"output_type": "stream", "name": name, "text": text})

    def data(self, kind: str, data: dict[str, Any], **more: Any) -> None:
        """Adds a display or a result; what is too large is left out."""
        kept: dict[str, Any] = {}
        for mime, value in data.items():
            if isinstance(value, bytes):
                import base64

                value = base64.b64encode(value).decode("ascii")
            if isinstance(mime, str) and isinstance(value, str) and len(value) <= self.left:
                kept[mime] = value
                self.left -= len(value)
        if kept:
            self.items.append({"output_type": kind, "data": kept, "metadata": {}, **more})


class _Stream(io.TextIOBase):
    """A text stream that writes into Outputs."""

    encoding = "utf-8"

    def __init__(self, name: str, outputs: Outputs) -> None:
        self.name, self.outputs = name, outputs

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        self.outputs.text(self.name, str(text))
        return len(text)


class Guest:
    """An IPython shell that runs cells and keeps their outputs."""

    def __init__(self, output_limit: int = 1_000_000) -> None:
        from IPython.core.displayhook import DisplayHook
        from IPython.core.displaypub import DisplayPublisher
        from IPython.core.interactiveshell import InteractiveShell

        guest = self
        self.output_limit = output_limit
        self.outputs = Outputs(output_limit)

        class Publisher(DisplayPublisher):
            def publish(self, data: Any, *_: Any, **__: Any) -> None:
                guest.outputs.data("display_data", data)

            def clear_output(self, wait: bool = False) -> None:
                guest.outputs.items.clear()

        class Hook(DisplayHook):
            def start_displayhook(self) -> None:
                pass

            def write_output_prompt(self) -> None:
                pass

            def write_format_data(self, format_dict: Any, md_dict: Any = None) -> None:
                guest.outputs.data("execute_result", format_dict, execution_count=self.prompt_count)

            def finish_displayhook(self) -> None:
                pass

        class Shell(InteractiveShell):
            def _showtraceback(self, etype: Any, evalue: Any, stb: Any) -> None:
                guest.outputs.items.append(
                    {
                        "output_type": "error",
                        "ename": str(getattr(etype, "__name__", etype))[:200],
                        "evalue": str(evalue)[:2000],
                        "traceback": ["\n".join(map(str, stb))[:20_000]],
                    }
                )

            def enable_gui(self, gui: Any = None) -> None:
                pass

            def system(self, command: str) -> None:
                """A `!pip install` where no command can run must not cost the lines below it."""
                try:
                    super().system(command)
                except OSError:
                    print("(No command runs here.)")

        InteractiveShell.clear_instance()
        from traitlets.config import Config

        config = Config()
        config.HistoryManager.enabled = False
        config.HistoryManager.hist_file = ":memory:"
        config.InteractiveShell.colors = "NoColor"
        self.shell: Any = Shell.instance(
            config=config, display_pub_class=Publisher, displayhook_class=Hook
        )
        self.shell.user_module.__name__ = "__main__"
        sys.modules["__main__"] = self.shell.user_module
        self.handles = Handles(self.shell.user_ns)
        # Plots are drawn into the outputs, as in a notebook; failing that, nowhere.
        with contextlib.suppress(Exception):
            self.shell.run_line_magic("matplotlib", "inline")

    def run(self, text: str, seconds: float) -> dict[str, Any]:
        """Runs the text of one cell; its outputs, and "ok", "error" or "timeout"."""
        self.outputs = Outputs(self.output_limit)
        out, err = _Stream("stdout", self.outputs), _Stream("stderr", self.outputs)
        status = "ok"
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            try:
                with _alarm(seconds):
                    result = self.shell.run_cell(text, store_history=True, silent=False)
                error = result.error_before_exec or result.error_in_exec
                status = "ok" if error is None else "error"
                if isinstance(error, OutOfTime):
                    status = "timeout"
            except OutOfTime:
                status = "timeout"
            except BaseException as error:
                self.outputs.text("stderr", f"{type(error).__name__}: {error}\n")
                status = "error"
        return {"status": status, "outputs": self.outputs.items}

    def ask(self, request: Request, seconds: float) -> Any:
        """Performs one request of a stand-in, its prints thrown away."""
        with (
            contextlib.redirect_stdout(io.StringIO()),
            contextlib.redirect_stderr(io.StringIO()),
        ):
            try:
                with _alarm(seconds):
                    return self.handles.perform(request)
            except OutOfTime as error:
                return failure_of(error)


def serve(connection: socket.socket, nonce: str = "", output_limit: int = 1_000_000) -> None:
    """Answers requests from `connection` until it closes."""
    guest: Guest | None = None
    while True:
        try:
            request, fields = protocol.receive(connection)
        except (EOFError, OSError):
            return
        if guest is None:  # made late, so that a spare guest costs nothing
            guest = Guest(output_limit)
        seconds = float(fields.get("seconds", 30.0))
        if request[0] == "run":
            answer, states = guest.run(request[1], seconds), []
        else:
            states = generators_in(request)
            answer = guest.ask(request, seconds)
        nonce = fields.get("nonce", "")
        try:
            frame = protocol.pack([answer, states], nonce=nonce)
        except Exception as error:
            unsent = Failure("ValueError", str(error)[:300], kinds=("ValueError",))
            frame = protocol.pack([unsent, []], nonce=nonce)
        connection.settimeout(None)
        connection.sendall(frame)


def main() -> None:
    """Serves the inherited socket whose file descriptor is the first argument."""
    connection = socket.socket(fileno=int(sys.argv[1]))
    serve(connection)


if __name__ == "__main__":
    main()
