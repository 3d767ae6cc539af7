"""The second way: bubblewrap around a cold start, where a warm fork may not make namespaces.

bubblewrap (github.com/containers/bubblewrap) makes the namespaces and the private root; the guest
in it confines itself with the same Landlock, seccomp and limits as a warm fork. It costs an import
of torch for each guest.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from autograder.sandbox import confine as confinement
from autograder.sandbox.guest_process import LaunchedGuest, SandboxError
from autograder.sandbox.launch import COLD, Guests, launch, pidfd, read_pid
from autograder.sandbox.limits import Limits
from autograder.sandbox.readable import DEVICES, interpreter_paths, placement, readable_paths
from autograder.sandbox.warm import SERVE, host_environment

FONTS = "/fonts"
# What stands in /proc/cpuinfo: torch counts the processors there before it converts half precision
# (what they can do it asks of themselves), and needs one.
ONE_PROCESSOR = "".join(
    f"{name}\t: {value}\n"
    for name, value in {
        "processor": 0,
        "physical id": 0,
        "siblings": 1,
        "core id": 0,
        "cpu cores": 1,
        "apicid": 0,
    }.items()
)


class Bubblewrap(Guests):
    """Starts each guest in its own bubblewrap; a context manager with WarmParent's interface."""

    name = "bubblewrap"

    def __init__(
        self,
        serve: str = SERVE,
        *,
        readable: Iterable[str | os.PathLike[str]] = (),
        launcher: Iterable[str] = (),
    ) -> None:
        self.serve = serve
        self._extra = tuple(os.fspath(path) for path in readable)
        self._launcher = tuple(launcher)
        self._as_root = os.geteuid() == 0 and not self._launcher
        self._readable: tuple[str, ...] = ()
        super().__init__()

    def start(self) -> Bubblewrap:
        """Looks for bubblewrap; raises SandboxError in one sentence if there is none."""
        if shutil.which("bwrap") is None:
            raise SandboxError("bubblewrap is not installed: apt-get install bubblewrap")
        self._readable = (*readable_paths(self._extra), *interpreter_paths())
        return self

    def command(self, limits: Limits, information_fd: int, processor_fd: int) -> list[str]:
        """The command line; "{fd}" stands for the guest's socket.

        bubblewrap writes what it started to `information_fd`, and reads from `processor_fd` what
        the guest finds in /proc/cpuinfo.
        """
        where = placement(self._readable)
        environment = host_environment()
        line = [*self._launcher, "bwrap"]
        line += ["--unshare-ipc", "--unshare-pid", "--unshare-net", "--unshare-uts"]
        line += [
            "--unshare-cgroup-try",
            "--hostname",
            "guest",
            "--die-with-parent",
            "--new-session",
        ]
        line += ["--cap-drop", "ALL"]
        if self._as_root:  # to become a fresh user; the guest gives these up as well
            for capability in ("CAP_SETUID", "CAP_SETGID", "CAP_SETPCAP"):
                line += ["--cap-add", capability]
        else:
            line += ["--unshare-user", "--uid", "1000", "--gid", "1000"]
        ways = [*where.binds, *(link for link, _ in where.links), *DEVICES]
        folders = {str(folder) for path in ways for folder in Path(path).parents} - {"/"}
        for folder in sorted(folders):  # left to itself, bubblewrap makes them for root alone
            line += ["--perms", "0755", "--dir", folder]
        for path in where.binds:
            line += ["--ro-bind", path, path]
        for link, target in where.links:
            line += ["--symlink", target, link]
        line += ["--ro-bind-try", environment["MPLCONFIGDIR"], FONTS, "--proc", "/proc"]
        line += ["--perms", "0444", "--ro-bind-data", str(processor_fd), "/proc/cpuinfo"]
        line += _masks()
        for device in DEVICES:
            line += ["--dev-bind-try", device, device]
        line += ["--perms", "0777", "--size", str(limits.disk_bytes)]
        line += ["--tmpfs", confinement.PRIVATE]
        for name, link in (("tmp", "/tmp"), ("shm", "/dev/shm")):
            if link not in folders:
                line += ["--symlink", f"{confinement.PRIVATE}/{name}", link]
        line += ["--remount-ro", "/", "--info-fd", str(information_fd), "--"]
        return [*line, sys.executable, COLD, "{fd}"]

    def spawn(
        self, limits: Limits | None = None, *, seed: int | None = None, nonce: str | None = None
    ) -> LaunchedGuest:
        """A confined guest, its libraries imported; raises SandboxError if there is none."""
        if not self._readable:
            self.start()
        limits = limits or Limits()
        reader, writer = os.pipe()
        processor = tempfile.TemporaryFile()
        processor.write(ONE_PROCESSOR.encode())
        processor.seek(0)

        def started(guest: LaunchedGuest) -> dict[str, Any]:
            nonlocal writer
            os.close(writer)
            writer = -1
            inner = read_pid(os.dup(reader), "child-pid")
            guest.inner = pidfd(inner)
            return {"uid": confinement.fresh_uid(guest.process.pid) if self._as_root else None}

        request = {
            "serve": self.serve,
            "workdir": confinement.PRIVATE,
            "readable": [*self._readable, FONTS],
            "fonts": FONTS,
            "outer": ["files", "network", "other processes", "leftovers"],
            "confine": True,
            "seed": seed,
        }
        try:
            guest = launch(
                self.command(limits, writer, processor.fileno()),
                request,
                limits,
                host_environment(),
                nonce=nonce,
                pass_fds=(writer, processor.fileno()),
                started=started,
            )
        finally:
            os.close(reader)
            processor.close()
            if writer >= 0:
                os.close(writer)
        return self.keep(guest)

    def __enter__(self) -> Bubblewrap:
        return self if self._readable else self.start()


def _masks() -> list[str]:
    """Options that hide what /proc tells of the machine and of others: all but processes' folders.

    A warm fork's /proc has no such files (`subset=pid`); bubblewrap cannot mount one without them.
    """
    options: list[str] = []
    with os.scandir("/proc") as entries:
        for entry in sorted(entries, key=lambda entry: entry.name):
            if entry.name.isdigit() or entry.name == "cpuinfo" or entry.is_symlink():
                continue
            if entry.is_dir():
                options += ["--perms", "0555", "--tmpfs", entry.path, "--remount-ro", entry.path]
            else:  # a device on a mount that allows none: it cannot be opened
                options += ["--ro-bind", "/dev/null", entry.path]
    return options
