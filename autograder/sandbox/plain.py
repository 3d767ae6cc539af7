"""No protection at all: a subprocess with its own folder, for submissions that are trusted.

It can read and write whatever the grader can, and use the network. Only `--trust-submissions`
leads here.
"""

from __future__ import annotations

import shutil
import sys
import tempfile

from autograder.sandbox.guest_process import LaunchedGuest
from autograder.sandbox.launch import COLD, Guests, launch
from autograder.sandbox.limits import Limits
from autograder.sandbox.warm import SERVE, host_environment


class Plain(Guests):
    """Starts each guest as a plain subprocess; a context manager with WarmParent's interface."""

    name = "no protection"

    def __init__(self, serve: str = SERVE) -> None:
        self.serve = serve
        super().__init__()

    def start(self) -> Plain:
        """Nothing to start."""
        return self

    def spawn(
        self, limits: Limits | None = None, *, seed: int | None = None, nonce: str | None = None
    ) -> LaunchedGuest:
        """A guest with no protection but a deadline."""
        limits = limits or Limits()
        folder = tempfile.mkdtemp(prefix="autograder-plain-")
        environment = host_environment()
        request = {
            "serve": self.serve,
            "workdir": folder,
            "readable": [],
            "fonts": environment["MPLCONFIGDIR"],
            "outer": [],
            "confine": False,
            "seed": seed,
            "uid": None,
        }
        try:
            guest = launch(
                [sys.executable, COLD, "{fd}"], request, limits, environment, nonce=nonce
            )
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        guest.at_end.append(lambda: shutil.rmtree(folder, ignore_errors=True))
        return self.keep(guest)

    def __enter__(self) -> Plain:
        return self
