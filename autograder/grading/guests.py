"""Where the judge's guests come from: the sandbox, opened once and shared by a pool's workers.

`open_guests` gives an object with `.kind`, `.spawn(limits)` and `.close()`; the judge needs no
more.
"""

from __future__ import annotations

import socket
from typing import Any, Protocol

from autograder.grading.judge import GuestProcess
from autograder.sandbox import open_sandbox
from autograder.sandbox.warm import SharedWarmParent


class Guests(Protocol):
    """Starts guests, one after another or several at once."""

    kind: str

    def spawn(self, limits: Any) -> GuestProcess: ...

    def close(self) -> None: ...


class Sandboxed:
    """Guests of one of the ways in `autograder.sandbox`."""

    def __init__(self, spawner: Any, kind: str = "") -> None:
        self.spawner, self.kind = spawner, kind or spawner.name

    def spawn(self, limits: Any) -> GuestProcess:
        """A confined guest."""
        guest: GuestProcess = self.spawner.spawn(limits)
        return guest

    def close(self) -> None:
        """Ends what the sandbox keeps running."""
        self.spawner.close()

    @property
    def alive(self) -> bool:
        """Whether the warm parent, where there is one, is still there."""
        return bool(getattr(self.spawner, "alive", True))

    @property
    def control(self) -> socket.socket | None:
        """The socket over which another process may ask the same warm parent for guests."""
        return getattr(self.spawner, "control", None)


def open_guests(kind: str = "auto", *, trust_submissions: bool = False) -> Guests:
    """Guests of the sandbox `kind`; raises `autograder.sandbox.NoSandbox` where there is none."""
    return Sandboxed(open_sandbox(kind, trust_submissions))


def attached(control: socket.socket, kind: str) -> Guests:
    """Guests of the warm parent behind `control`, which several processes may share."""
    return Sandboxed(SharedWarmParent(control), kind)
