"""Which sandbox this machine gets: the first of the ways that really starts a guest."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from typing import Any, Protocol

from autograder.sandbox.bubblewrap import Bubblewrap
from autograder.sandbox.container import Container
from autograder.sandbox.guest_process import GuestProcess, SandboxError
from autograder.sandbox.limits import Limits
from autograder.sandbox.plain import Plain
from autograder.sandbox.warm import SERVE, WarmParent

KINDS = ("auto", "warm", "bubblewrap", "container", "plain")


class NoSandbox(Exception):
    """There is no way to run submissions safely here; the message is one sentence."""


class Spawner(Protocol):
    """What all ways have in common; each is a context manager as well."""

    name: str

    def start(self) -> Any:
        """Makes ready; raises SandboxError."""

    def spawn(
        self, limits: Limits | None = None, *, seed: int | None = None, nonce: str | None = None
    ) -> GuestProcess:
        """A new guest; raises SandboxError."""

    def close(self) -> None:
        """Ends every guest that is left."""

    def __enter__(self) -> Any: ...

    def __exit__(self, *_: object) -> None: ...


def open_sandbox(
    kind: str = "auto",
    trust_submissions: bool = False,
    *,
    serve: str = SERVE,
    readable: Iterable[str | os.PathLike[str]] = (),
) -> Spawner:
    """A started spawner; close it, or use it in a `with`.

    "auto" takes the warm fork, else bubblewrap, else a container; each must start one guest to
    count. Without any it raises NoSandbox, unless `trust_submissions`, which then, and for "plain",
    runs them without protection. Raises ValueError for an unknown kind.
    """
    if kind not in KINDS:
        raise ValueError(f"sandbox must be one of {', '.join(KINDS)}: got {kind!r}")
    readable = tuple(readable)
    ways: dict[str, Callable[[], Spawner]] = {
        "warm": lambda: WarmParent(serve, readable=readable),
        "bubblewrap": lambda: Bubblewrap(serve, readable=readable),
        "container": lambda: Container(serve),
    }
    if kind == "plain":
        if not trust_submissions:
            raise NoSandbox(
                "sandbox 'plain' protects nothing: it needs --trust-submissions as well"
            )
        return Plain(serve).start()
    reasons = []
    for name in ways if kind == "auto" else (kind,):
        spawner = ways[name]()
        try:
            spawner.start()
            spawner.spawn().kill()
        except (SandboxError, OSError, ValueError) as error:
            spawner.close()
            reasons.append(f"{name}: {error}")
            continue
        return spawner
    if trust_submissions and kind == "auto":
        return Plain(serve).start()
    raise NoSandbox(
        f"no sandbox works here ({'; '.join(reasons)}): install bubblewrap or podman, "
        "see `autograder doctor`, or pass --trust-submissions to run submissions unprotected"
    )
