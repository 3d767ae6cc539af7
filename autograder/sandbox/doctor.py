"""What this machine can do: starts a guest in every way there is, and attacks from inside.

Nothing is concluded from a version number. A guest tries to read a planted secret, to reach a
listener, to kill and to read another process, to take memory, to leave something running and to run
a program; the report says what happened.
"""

from __future__ import annotations

import contextlib
import json
import os
import platform
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from autograder.sandbox import landlock
from autograder.sandbox.bubblewrap import Bubblewrap
from autograder.sandbox.choose import Spawner
from autograder.sandbox.container import Container
from autograder.sandbox.guest_process import GuestProcess, SandboxError
from autograder.sandbox.limits import MIB, Limits
from autograder.sandbox.plain import Plain
from autograder.sandbox.probe import ProbeFailed, ask
from autograder.sandbox.warm import WarmParent

SERVE = "autograder.sandbox.probe:serve"
HAZARDS = ("files", "network", "processes", "memory", "leftovers", "programs")

# Each sets `answer` to True if the attack came through.
_ATTACKS = {
    "files": """
try:
    answer = SECRET in open(PATH).read()
except OSError:
    answer = False
try:
    open(PATH + ".written", "w").close()
    answer = True
except OSError:
    pass
""",
    "network": """
import socket
answer = False
for family, address in ((socket.AF_INET, ("127.0.0.1", PORT)), (socket.AF_UNIX, ABSTRACT)):
    try:
        with socket.socket(family, socket.SOCK_STREAM) as s:
            s.settimeout(5)
            s.connect(address)
            answer = True
    except OSError:
        pass
""",
    "processes": """
import ctypes, os
libc = ctypes.CDLL(None)
answer = False
for process in (VICTIM, PARENT):
    try:
        os.kill(process, 0)
        answer = answer or process == VICTIM
    except OSError:
        pass
    try:
        answer = answer or len(open(f"/proc/{process}/environ").read()) > 0
    except OSError:
        pass
    answer = answer or libc.ptrace(16, process, 0, 0) == 0
""",
    "memory": """
answer = True
try:
    taken = bytearray(SIZE)
    del taken
except MemoryError:
    answer = False
""",
    "programs": """
import subprocess
try:
    subprocess.run(["/bin/true"], check=True)
    answer = True
except (OSError, subprocess.SubprocessError):
    answer = False
""",
    # Last, since it leaves something behind: a process of its own session that keeps the socket.
    "leftovers": """
import os
answer = False
try:
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            while os.read(3, 1):
                pass  # until the judge has hung up
        os._exit(0)
    os.wait()
    answer = True
except OSError:
    pass
""",
}


@dataclass(frozen=True)
class Finding:
    """One way: whether guests start, what they could do, and how long one takes to answer.

    `came_through` maps each hazard to True if the attack succeeded. Empty if there is no guest.
    """

    way: str
    starts: bool
    came_through: dict[str, bool] = field(default_factory=dict)
    milliseconds: float = 0.0
    note: str = ""

    @property
    def safe(self) -> bool:
        """Whether it starts, and nothing came through."""
        return self.starts and not any(self.came_through.values())


@dataclass(frozen=True)
class Report:
    """The findings, the machine, and what to do; `str()` is for a terminal."""

    machine: str
    findings: tuple[Finding, ...]
    advice: tuple[str, ...]

    @property
    def usable(self) -> tuple[str, ...]:
        """The ways that keep everything out, best first."""
        return tuple(f.way for f in self.findings if f.safe)

    def as_rows(self) -> list[dict[str, str]]:
        """A table: one dict a way, its columns in order."""
        rows = []
        for finding in self.findings:
            cells = {
                hazard: "—" if not finding.starts
                else "NOT kept out" if finding.came_through[hazard]
                else "kept out"
                for hazard in HAZARDS
            }  # fmt: skip
            took = f"{finding.milliseconds:.0f} ms" if finding.starts else "—"
            starts = "yes" if finding.starts else "no"
            rows.append(
                {"way": finding.way, "works": starts, **cells, "start": took, "note": finding.note}
            )
        return rows

    def __str__(self) -> str:
        rows = self.as_rows()
        names = [name for name in rows[0] if name != "note"]
        widths = {n: max(len(n), *(len(row[n]) for row in rows)) for n in names}
        lines = [self.machine, "", "  ".join(n.ljust(widths[n]) for n in names).rstrip()]
        for row in rows:
            lines.append("  ".join(row[n].ljust(widths[n]) for n in names).rstrip())
            if row["note"]:
                lines.append(f"    {row['note']}")
        return "\n".join([*lines, "", *self.advice])


def doctor(control: bool = False) -> Report:
    """Tries every way, about ten seconds; `control` also attacks from an unprotected process."""
    ways: list[Callable[[], Spawner]] = [
        lambda: WarmParent(SERVE),
        lambda: Bubblewrap(SERVE),
        lambda: Container(SERVE),
    ]
    if control:
        ways.append(lambda: Plain(SERVE))
    findings = tuple(examine(way()) for way in ways)
    return Report(_machine(), findings, _advice(findings))


def examine(spawner: Spawner) -> Finding:
    """Starts one guest of `spawner`, attacks from inside, and says what came through."""
    limits = Limits(memory_bytes=512 * MIB, processes=8)
    with contextlib.closing(spawner):
        try:
            spawner.start()
            began = time.perf_counter()
            guest = spawner.spawn(limits)
        except (SandboxError, OSError, ValueError) as error:
            return Finding(spawner.name, False, note=str(error))
        try:
            ask(guest.socket, "answer = True")
            milliseconds = 1000 * (time.perf_counter() - began)
            came_through = _attack(guest, limits)
        except (ProbeFailed, EOFError, OSError) as error:
            return Finding(spawner.name, False, note=f"the guest broke: {error}")
        finally:
            guest.kill()
    note = ""
    if isinstance(spawner, WarmParent) and not spawner.namespaces:
        note = f"without namespaces ({spawner.without}): Landlock and seccomp protect"
    return Finding(spawner.name, True, came_through, milliseconds, note)


def _attack(guest: GuestProcess, limits: Limits) -> dict[str, bool]:
    secret, abstract = secrets.token_hex(16), "\0" + secrets.token_hex(16)
    with contextlib.ExitStack() as stack:
        folder = Path(
            stack.enter_context(tempfile.TemporaryDirectory(prefix=".doctor-", dir=_home()))
        )
        path = folder / "secret"
        path.write_text(secret)
        listener = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        unix = stack.enter_context(socket.socket(socket.AF_UNIX))
        with contextlib.suppress(OSError):  # Linux only
            unix.bind(abstract)
            unix.listen()
        victim = subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
        stack.callback(victim.wait)
        stack.callback(victim.kill)
        facts = {
            "SECRET": secret,
            "PATH": str(path),
            "PORT": listener.getsockname()[1],
            "ABSTRACT": abstract,
            "VICTIM": victim.pid,
            "PARENT": os.getpid(),
            "SIZE": limits.memory_bytes + 256 * MIB,
        }
        ask(guest.socket, "\n".join(f"{name} = {json.dumps(v)}" for name, v in facts.items()))
        came = {name: bool(ask(guest.socket, text)) for name, text in _ATTACKS.items()}
        if came["leftovers"]:  # it could fork: is it alive after the end?
            came["leftovers"] = _outlives(guest)
        return came


def _outlives(guest: GuestProcess) -> bool:
    """Ends the guest; True if somebody still holds the other end of its socket."""
    with socket.socket(fileno=os.dup(guest.socket.fileno())) as copy:
        guest.kill()
        copy.setblocking(False)
        try:
            while copy.recv(65536):
                pass
        except BlockingIOError:
            return True
        except OSError:
            pass
    return False


def _home() -> str | None:
    """The home folder, if something can be planted there; else the folder for temporary files."""
    home = Path.home()
    return str(home) if os.access(home, os.W_OK) else None


def _machine() -> str:
    user = "root" if hasattr(os, "geteuid") and os.geteuid() == 0 else "a plain user"
    words = f"{platform.system()} {platform.release()} on {platform.machine()}, as {user}"
    if sys.platform.startswith("linux"):
        version = landlock.version()
        words += f", Landlock {f'version {version}' if version else 'absent'}"
    return words


def _advice(findings: tuple[Finding, ...]) -> tuple[str, ...]:
    safe = [f for f in findings if f.safe]
    if safe:
        lines = [f"`autograder grade` uses {safe[0].way} here."]
        if safe[0].way != WarmParent.name:
            lines.append(
                "It imports torch for each submission; see above what the warm fork lacks."
            )
        return tuple(lines)
    lines = ["No way keeps everything out here: `autograder grade` refuses."]
    if sys.platform.startswith("linux"):
        if shutil.which("bwrap") is None:
            lines.append("Install bubblewrap:  apt-get install bubblewrap  (or dnf, pacman).")
        lines.append("Or a container engine:  apt-get install podman.")
        lines.append(
            "Inside a container the grader needs Landlock, or the right to make namespaces."
        )
    else:
        lines.append("Install a container engine (Docker Desktop, podman), or work in WSL2.")
    lines.append("Or trust your students:  --trust-submissions.")
    return tuple(lines)
