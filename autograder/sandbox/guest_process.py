"""A guest as the judge sees it: a socket to talk over, a way to end it, an end that tells why."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import select
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

PATIENCE = 60.0  # seconds for a guest to confine itself, or to be gone, before that is a fault


class SandboxError(Exception):
    """A guest could not be started or confined; the message says why in one sentence."""


@dataclass(frozen=True)
class Ending:
    """How a guest ended.

    exit_code or signal  what the kernel says; both None if nobody could tell
    reason               in words, for the report to a student
    peak_memory_bytes    the largest resident size, 0 if not known
    """

    exit_code: int | None
    signal: int | None
    reason: str
    peak_memory_bytes: int = 0


def reason_of(
    exit_code: int | None, signal_number: int | None, peak: int = 0, allowed: int = 0
) -> str:
    """What an exit code or signal most likely means; `allowed` is the memory limit in bytes."""
    if signal_number is None:
        if exit_code in (None, 0):
            return "ended"
        return f"left with exit code {exit_code}"
    full = allowed and peak >= 0.8 * allowed
    if signal_number == signal.SIGSYS:
        return "used a system call that is not allowed"
    if signal_number in (signal.SIGKILL, signal.SIGSEGV, signal.SIGABRT, signal.SIGBUS) and full:
        return "memory limit"
    words = {
        signal.SIGKILL: "killed by the system, most likely for memory",
        signal.SIGSEGV: "crashed (segmentation fault)",
        signal.SIGBUS: "crashed (bus error: its folder may be full)",
        signal.SIGABRT: "aborted",
        signal.SIGFPE: "crashed (arithmetic fault)",
        signal.SIGILL: "crashed (illegal instruction)",
    }
    try:
        ended_by = signal.Signals(signal_number)
    except ValueError:
        return f"ended by signal {signal_number}"
    return words.get(ended_by, f"ended by signal {ended_by.name}")


class GuestProcess:
    """One confined process; a context manager that kills it on the way out.

    `socket` is connected to the guest's `serve`; read it with recv, never with recvmsg. `pid` is
    the process to watch, `nonce` what the guest was told, `layers` what is in force in it.
    """

    def __init__(self, connection: socket.socket, nonce: str | None = None) -> None:
        self.socket = connection
        self.nonce = nonce or secrets.token_hex(16)
        self.pid = 0
        self.layers: dict[str, Any] = {}
        self._why: str | None = None
        self._ending: Ending | None = None
        self._lock = threading.Lock()

    def kill(self, reason: str = "killed by the grader") -> Ending:
        """Ends the guest and everything that it started; returns when all of it is gone.

        Idempotent. `reason` is told by `status()` unless the guest had ended by itself.
        """
        with self._lock:
            if self._ending is None and not self._is_over(0.0):
                self._why = reason
                self._slay()
                if not self._is_over(PATIENCE):
                    raise SandboxError(f"process {self.pid} is still there after SIGKILL")
            self.socket.close()
            assert self._ending is not None
            return self._ending

    def status(self) -> Ending | None:
        """How it ended; None while it runs."""
        with self._lock:
            self._is_over(0.0)
            return self._ending

    def wait(self, seconds: float = PATIENCE) -> Ending | None:
        """Like `status`, but waits for an end."""
        with self._lock:
            self._is_over(seconds)
            return self._ending

    def _is_over(self, seconds: float) -> bool:
        raise NotImplementedError

    def _slay(self) -> None:
        raise NotImplementedError

    def __enter__(self) -> GuestProcess:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()


class SupervisedGuest(GuestProcess):
    """A guest under a supervisor of the warm parent, which reports over `status_socket`."""

    def __init__(
        self, connection: socket.socket, status_socket: socket.socket, nonce: str | None = None
    ) -> None:
        super().__init__(connection, nonce)
        self._reports = status_socket
        self._handle: int | None = None  # a pidfd of the process whose death ends all

    def await_start(self) -> None:
        """Waits until the guest has confined itself; raises SandboxError when it did not."""
        deadline = time.monotonic() + PATIENCE
        try:
            while not self.layers and self._ending is None:
                if not self._read_report(deadline - time.monotonic()):
                    self._reports.close()
                    raise SandboxError(f"the guest did not start within {PATIENCE:g} seconds")
        except SandboxError:
            self.socket.close()
            raise
        if self._ending is not None:
            self.socket.close()
            raise SandboxError(f"the guest did not start: {self._ending.reason}")

    def _read_report(self, seconds: float) -> bool:
        """Takes one message of the supervisor; False if none came in time."""
        # poll, not select: a grader of a large class has more than 1024 descriptors
        poll = select.poll()
        poll.register(self._reports, select.POLLIN)
        if not poll.poll(max(0.0, seconds) * 1000):
            return False
        try:
            data, handles, _, _ = socket.recv_fds(self._reports, 65536, 1)
        except OSError:
            data, handles = b"", []
        if handles:
            self._handle = handles[0]
        if not data:
            self._finish(Ending(None, None, self._why or "its supervisor is gone"))
            return True
        report = json.loads(data)
        if "pid" in report:
            self.pid = report["pid"]
        if "layers" in report:
            self.layers = report["layers"]
        if "refused" in report:
            self._finish(Ending(None, None, report["refused"]))
            raise SandboxError(f"the sandbox refused to start: {report['refused']}")
        if "ended" in report:
            end = report["ended"]
            reason = self._why or end["reason"]
            self._finish(Ending(end["exit_code"], end["signal"], reason, end["peak_memory_bytes"]))
        return True

    def _finish(self, ending: Ending) -> None:
        if self._ending is None:
            if self._handle is not None:
                # Should the supervisor have died first: nothing may be left.
                self._slay()
                poll = select.poll()
                poll.register(self._handle, select.POLLIN)
                poll.poll(PATIENCE * 1000)
                os.close(self._handle)
                self._handle = None
            self._ending = ending
            self._reports.close()

    def _is_over(self, seconds: float) -> bool:
        deadline = time.monotonic() + seconds
        while self._ending is None:
            with contextlib.suppress(SandboxError):
                if not self._read_report(deadline - time.monotonic()):
                    return False
        return True

    def _slay(self) -> None:
        if self._handle is not None:
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._handle, signal.SIGKILL)


class LaunchedGuest(GuestProcess):
    """A guest in a subprocess of ours: bubblewrap, a container, or nothing at all."""

    def __init__(
        self,
        connection: socket.socket,
        process: subprocess.Popen[bytes],
        nonce: str | None = None,
    ) -> None:
        super().__init__(connection, nonce)
        self.process = process
        self.pid = process.pid
        self.inner: int | None = None  # a pidfd of the innermost init, where there is one
        self.at_end: list[Callable[[], object]] = []  # to tidy up what the process leaves
        self._timer: threading.Timer | None = None
        self._holding_inner = threading.Lock()

    def end_after(self, seconds: float) -> None:
        """Ends it when `seconds` from now have passed, whoever waits for it meanwhile."""
        self._timer = threading.Timer(seconds, self._end_at_deadline)
        self._timer.daemon = True
        self._timer.start()

    def _end_at_deadline(self) -> None:
        # In a thread of its own, so it ends the process and touches nothing else: another thread
        # may be reading the socket (which ends by itself now) or waiting with the lock in hand.
        if self.process.poll() is None:
            self._why = self._why or "killed at deadline"
            self._slay()

    def _is_over(self, seconds: float) -> bool:
        if self._ending is not None:
            return True
        try:
            code = self.process.wait(seconds if seconds > 0 else 0)
        except subprocess.TimeoutExpired:
            return False
        with self._holding_inner:
            inner, self.inner = self.inner, None
        if inner is not None:
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(inner, signal.SIGKILL)
            poll = select.poll()
            poll.register(inner, select.POLLIN)
            poll.poll(PATIENCE * 1000)
            os.close(inner)
        for tidy in self.at_end:
            tidy()
        if self._timer is not None:
            self._timer.cancel()
        number = -code if code < 0 else code - 128 if code > 128 else None
        exit_code = code if number is None else None
        self._ending = Ending(exit_code, number, self._why or reason_of(exit_code, number))
        return True

    def _slay(self) -> None:
        with contextlib.suppress(OSError):
            if self.process.poll() is None:
                os.killpg(self.process.pid, signal.SIGKILL)
        with contextlib.suppress(OSError):
            self.process.kill()
        with self._holding_inner, contextlib.suppress(ProcessLookupError):
            if self.inner is not None:
                signal.pidfd_send_signal(self.inner, signal.SIGKILL)
