"""Guests from a cold start: what bubblewrap, containers and plain subprocesses have in common."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from autograder.sandbox.guest_process import PATIENCE, LaunchedGuest, SandboxError
from autograder.sandbox.limits import Limits

COLD = str(Path(__file__).with_name("cold.py"))


class Guests:
    """The guests of one sandbox that are still there: they end with it, at the latest."""

    def __init__(self) -> None:
        self._guests: list[LaunchedGuest] = []

    def keep(self, guest: LaunchedGuest) -> LaunchedGuest:
        """Takes a guest in and gives it back; those that have ended are forgotten."""
        self._guests = [g for g in self._guests if g.status() is None] + [guest]
        return guest

    def close(self) -> None:
        """Ends every guest that is left."""
        for guest in self._guests:
            guest.kill()
        self._guests = []

    def __exit__(self, *_: object) -> None:
        self.close()


def launch(
    command: Sequence[str],
    request: dict[str, Any],
    limits: Limits,
    environment: dict[str, str],
    *,
    nonce: str | None = None,
    pass_fds: Sequence[int] = (),
    over_stdio: bool = False,
    started: Callable[[LaunchedGuest], dict[str, Any]] | None = None,
) -> LaunchedGuest:
    """Starts `command`, in which "{fd}" stands for the guest's socket, and waits for its report.

    `started` is called with the guest as soon as there is a process; what it returns completes the
    request. Raises SandboxError with the command's last words when no report comes.
    """
    ours, theirs = socket.socketpair()
    with theirs, tempfile.TemporaryFile() as errors:
        handle = theirs.fileno()
        try:
            process = subprocess.Popen(
                [part.replace("{fd}", str(handle)) for part in command],
                stdin=handle if over_stdio else subprocess.DEVNULL,
                stdout=handle if over_stdio else subprocess.DEVNULL,
                stderr=errors,
                cwd="/",
                env=environment,
                start_new_session=True,
                pass_fds=tuple(pass_fds) if over_stdio else (handle, *pass_fds),
            )
        except OSError as error:
            ours.close()
            raise SandboxError(f"{command[0]} does not start: {error.strerror}") from None
        theirs.close()
        guest = LaunchedGuest(
            ours,
            process,
            nonce,
        )
        try:
            more = started(guest) if started is not None else {}
            ours.settimeout(PATIENCE)
            whole = {**request, "nonce": guest.nonce, "limits": limits.as_dict(), **more}
            ours.sendall(json.dumps(whole).encode() + b"\n")
            report = json.loads(_first_line(ours))
        except (OSError, ValueError, EOFError) as error:
            guest.kill()
            errors.seek(0)
            words = errors.read().decode(errors="replace").strip().splitlines()
            raise SandboxError(
                f"the guest did not start: {words[-1] if words else error or 'it ended at once'}"
            ) from None
        ours.settimeout(None)
    if "refused" in report:
        guest.kill()
        raise SandboxError(f"the sandbox refused to start: {report['refused']}")
    guest.layers = report["layers"]
    guest.end_after(limits.seconds_per_submission)
    return guest


def _first_line(connection: socket.socket) -> bytes:
    received = bytearray()
    while not received.endswith(b"\n"):
        byte = connection.recv(1)
        if not byte or len(received) > 65536:
            raise EOFError
        received += byte
    return bytes(received)


def read_pid(descriptor: int, key: str) -> int:
    """The process id that a launcher writes as JSON into a pipe; closes the pipe."""
    with open(descriptor, "rb") as pipe:
        text = pipe.read()
    return int(json.loads(text)[key])


def pidfd(process: int) -> int | None:
    """A descriptor that stands for a process; None if it is gone or the system has none."""
    with contextlib.suppress(OSError, AttributeError):
        return os.pidfd_open(process)
    return None
