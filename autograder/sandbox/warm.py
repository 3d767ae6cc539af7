"""The warm parent: imports everything once, then forks one confined guest for each submission.

`python -m autograder.sandbox.warm FD` runs it; `WarmParent` starts it and asks it for guests. It
runs no student code and keeps nothing of one guest that another could find: a request is a pair of
sockets, and what stands in it is read by the fork. A request goes

    judge → warm parent → supervisor (a fork: namespaces, deadline, end) → guest (a fork, confined)

and the first process of the guest's process namespace is `cat`, waiting on a pipe that only the
supervisor holds: its death is the death of every process in there, however detached.

The parent imports and computes nothing: after one operation on several threads, every fork of it
would hang in OpenMP.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import gc
import importlib
import json
import os
import pkgutil
import secrets
import select
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import threading
import time
import weakref
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autograder.remote.hidden import is_hidden
from autograder.sandbox import confine as confinement
from autograder.sandbox.guest_process import (
    PATIENCE,
    SandboxError,
    SupervisedGuest,
    reason_of,
)
from autograder.sandbox.limits import Limits
from autograder.sandbox.readable import (
    PACKAGES,
    Placement,
    package_folders,
    placement,
    readable_paths,
)

SERVE = "autograder.remote.server:serve"

IMPORTS = (
    "IPython.core.interactiveshell",
    "IPython.display",
    "numpy",
    "scipy.special",
    "scipy.stats",
    "torch",
    "torch.nn.functional",
    "torch.utils.data",
    "matplotlib.pyplot",
    "matplotlib.font_manager",
    "matplotlib.backends.backend_agg",
    "matplotlib_inline.backend_inline",
    "PIL.Image",
    "constriction",
    "safetensors.torch",
    "sklearn.datasets",
    "sklearn.linear_model",
    "tokenizers",
    "tqdm.auto",
    "ipywidgets",
    "anywidget",
)


# --- inside the warm parent -----------------------------------------------------------------------


@dataclass(frozen=True)
class _House:
    """What the parent found out at its start, the same for all guests."""

    readable: tuple[str, ...]
    where: Placement
    namespaces: bool
    init: tuple[str, ...]


def main(arguments: Sequence[str]) -> None:
    """Imports, looks what the kernel allows, and forks for each request until the judge is gone."""
    control = socket.socket(fileno=int(arguments[0]))
    settings = json.loads(control.recv(2**20))
    try:
        house = _furnish(settings)
    except Exception as error:
        control.send(json.dumps({"refused": f"{error}"}).encode())
        return
    hello = {"ready": True, "namespaces": house.namespaces, "without": settings.get("without", "")}
    signal.signal(signal.SIGCHLD, lambda *_: None)
    gc.collect()
    gc.freeze()  # no collection writes to these pages, so that forks share them
    control.send(json.dumps(hello).encode())
    woken, waker = os.pipe()
    os.set_blocking(waker, False)
    os.set_blocking(woken, False)
    signal.set_wakeup_fd(waker, warn_on_full_buffer=False)
    poll = select.poll()
    poll.register(control, select.POLLIN)
    poll.register(woken, select.POLLIN)
    while True:
        ready = {descriptor for descriptor, _ in poll.poll()}
        if woken in ready:
            with contextlib.suppress(BlockingIOError):
                os.read(woken, 4096)
            _reap()
        if control.fileno() in ready:
            data, handles, _, _ = socket.recv_fds(control, 16, 2)
            if not data:
                return
            if len(handles) == 2:
                if os.fork() == 0:
                    signal.set_wakeup_fd(-1)
                    _supervise(house, *handles)
                for handle in handles:
                    os.close(handle)


def _furnish(settings: dict[str, Any]) -> _House:
    for name in settings["imports"]:
        importlib.import_module(name)
    for name in settings["packages"]:
        with contextlib.suppress(ModuleNotFoundError):
            _import_all(name)
    target = settings["serve"].partition(":")[0]
    importlib.import_module(target)
    _warm_fonts()
    _know_the_processor()
    readable = readable_paths(settings["readable"])
    where = placement(readable)
    cat = shutil.which("cat", path="/usr/bin:/bin:" + os.environ.get("PATH", ""))
    init = (cat,) if cat else (sys.executable, "-ISc", "import sys; sys.stdin.read()")
    namespaces = False
    if settings["namespaces"]:
        settings["without"] = _why_no_namespaces(where, init)
        namespaces = not settings["without"]
    return _House(readable, where, namespaces, init)


def _import_all(package: str) -> None:
    """Imports a package's modules, so that guests find them.

    Not those of the grading half, and none that a guest may not see: what is imported here is in
    every guest's memory.
    """
    module = importlib.import_module(package)
    for found in pkgutil.iter_modules(module.__path__):
        name = f"{package}.{found.name}"
        if is_hidden(name) or (package == "autograder" and found.name != "inside"):
            continue
        try:
            importlib.import_module(name)
        except Exception:
            continue  # needs a part that is not installed: a student's import says so, too
        if found.ispkg:
            _import_all(name)


def _warm_fonts() -> None:
    """Finds the default font once: guests then know where it is."""
    font_manager = sys.modules.get("matplotlib.font_manager")
    if font_manager is not None:
        font_manager.fontManager.findfont("DejaVu Sans")


def _know_the_processor() -> None:
    """Lets torch read what the processor can do: for guests there is no /proc/cpuinfo."""
    torch = sys.modules.get("torch")
    if torch is not None:
        torch.zeros(1, dtype=torch.float16).float()  # one number, so one thread


def _why_no_namespaces(where: Placement, init: tuple[str, ...]) -> str:
    """Tries namespaces and a private root in a fork; "" if they work, else why not."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        why = "the trial ended early"
        try:
            os.close(reader)
            with _namespaces(init):
                grandchild = os.fork()
                if grandchild == 0:
                    try:
                        confinement.build_private_root(where, Limits(), _guest_owner(None))
                        os._exit(0)
                    except BaseException as error:
                        os.write(writer, str(error).encode()[:4000])
                    os._exit(1)
                os.waitpid(grandchild, 0)
            why = ""
        except BaseException as error:
            why = str(error)
        os.write(writer, why.encode()[:4000])
        os._exit(0)
    os.close(writer)
    with open(reader, "rb") as pipe:
        why = pipe.read().decode(errors="replace")
    os.waitpid(child, 0)
    return why


def _reap() -> None:
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


# --- inside a supervisor --------------------------------------------------------------------------


@contextlib.contextmanager
def _namespaces(init: tuple[str, ...]) -> Any:
    """Namespaces for the children of this process, and an init that dies with it."""
    confinement.enter_namespaces()
    signal.signal(
        signal.SIGCHLD, signal.SIG_IGN
    )  # inherited: the init reaps without a line of code
    process = subprocess.Popen(
        init,
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={},
        cwd="/",
        restore_signals=False,
    )
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def _guest_owner(uid: int | None) -> int:
    """The private folder's owner, as the present user namespace calls it."""
    return uid if uid is not None else os.getuid()


def _supervise(house: _House, connection_fd: int, status_fd: int) -> None:
    """The life of one guest, from namespaces to its last report; never returns.

    It ends the guest when the judge's end of `status_fd` closes, so it needs no parent.
    """
    try:
        # high numbers, since a guest's socket takes a low one
        status = socket.socket(fileno=fcntl.fcntl(status_fd, fcntl.F_DUPFD_CLOEXEC, 100))
        connection_fd = fcntl.fcntl(connection_fd, fcntl.F_DUPFD_CLOEXEC, 100)
        confinement.close_all_but((status.fileno(), connection_fd))
        os.setsid()
        for name in (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT):
            signal.signal(name, signal.SIG_DFL)
        request = json.loads(status.recv(2**20))
        limits = Limits.from_mapping(request["limits"])
        uid = confinement.fresh_uid(os.getpid()) if os.geteuid() == 0 else None
        with contextlib.ExitStack() as stack:
            init, workdir = None, confinement.PRIVATE
            if house.namespaces:
                init = stack.enter_context(_namespaces(house.init))
            else:
                workdir = _temporary_folder(uid)
                stack.callback(_remove, workdir)
            reader, writer = os.pipe()
            if writer <= confinement.SOCKET_FD:
                writer = fcntl.fcntl(writer, fcntl.F_DUPFD_CLOEXEC, 100)
            guest = os.fork()
            if guest == 0:
                _be_guest(house, request, limits, workdir, uid, connection_fd, writer)
            os.close(writer)
            os.close(connection_fd)
            watched = init.pid if init is not None else guest
            handle = os.pidfd_open(watched)
            socket.send_fds(status, [json.dumps({"pid": guest}).encode()], [handle])
            ending = _watch(status, reader, guest, watched, limits, workdir if not init else None)
        status.send(json.dumps({"ended": ending}).encode())
    except BaseException as error:
        with contextlib.suppress(BaseException):
            status.send(json.dumps({"refused": f"{error}"}).encode())
    finally:
        os._exit(0)


def _watch(
    status: socket.socket,
    reader: int,
    guest: int,
    watched: int,
    limits: Limits,
    folder: str | None,
) -> dict[str, Any]:
    """Waits for the guest's end, and brings it about when it is time; the final report."""
    deadline = time.monotonic() + limits.seconds_per_submission
    base = _resident_bytes(guest)
    handle, heard, why = os.pidfd_open(guest), b"", None
    poll = select.poll()
    poll.register(handle, select.POLLIN)
    poll.register(status, select.POLLIN)
    poll.register(reader, select.POLLIN)

    def end(reason: str) -> None:
        nonlocal why
        why = why or reason
        for process in {watched, guest}:
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)

    over = False
    while not over:
        left = deadline - time.monotonic()
        if left <= 0 and why is None:
            end("killed at deadline")
        pause = 1000.0 if why else left * 1000
        if folder is not None:
            pause = min(pause, 250.0)
            if _too_large(folder, limits):
                end("disk limit")
        for descriptor, _ in poll.poll(max(0.0, pause)):
            if descriptor == reader:
                if data := os.read(reader, 65536):
                    heard += data
                    continue
                poll.unregister(reader)
                os.close(reader)
                report = json.loads(heard) if heard else {"refused": "the guest died at its start"}
                status.send(json.dumps(report).encode())
            elif descriptor == status.fileno():
                poll.unregister(status)  # the judge is gone, or has closed this guest
                end("the grader is gone")
            elif descriptor == handle:
                over = True
    _, code, usage = os.wait4(guest, 0)
    number = os.WTERMSIG(code) if os.WIFSIGNALED(code) else None
    exit_code = os.WEXITSTATUS(code) if os.WIFEXITED(code) else None
    peak = usage.ru_maxrss * 1024
    return {
        "exit_code": exit_code,
        "signal": number,
        "reason": why or reason_of(exit_code, number, peak - base, limits.memory_bytes),
        "peak_memory_bytes": peak,
    }


def _resident_bytes(process: int) -> int:
    try:
        with open(f"/proc/{process}/statm") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, IndexError):
        return 0


def _temporary_folder(owner: int | None) -> str:
    """A private folder on disk, for machines without namespaces."""
    path = f"/tmp/autograder-guest-{secrets.token_hex(8)}"
    os.mkdir(path, 0o700)
    confinement.make_folders(path, owner)
    if owner is not None:
        os.chown(path, owner, owner)
    return path


def _too_large(folder: str, limits: Limits) -> bool:
    """Whether the files below `folder` are more, larger or deeper than allowed."""
    size = count = 0
    pending = [folder]
    while pending:
        try:
            with os.scandir(pending.pop()) as entries:
                for entry in entries:
                    count += 1
                    found = entry.stat(follow_symlinks=False)
                    size += found.st_blocks * 512
                    if size > limits.disk_bytes or count > limits.files:
                        return True
                    if stat.S_ISDIR(found.st_mode):
                        pending.append(entry.path)
        except FileNotFoundError:
            continue
        except PermissionError:
            continue
        except OSError as error:
            if error.errno == errno.ENAMETOOLONG:
                return True
    return False


def _remove(folder: str) -> None:
    """Removes a folder that somebody hostile has filled: any depth, no link followed."""
    names = iter(range(2**62))
    pending = True
    while pending:
        pending = False
        with os.scandir(folder) as entries:
            found = list(entries)
        for entry in found:
            if not entry.is_dir(follow_symlinks=False):
                os.unlink(entry.path)
                continue
            os.chmod(entry.path, 0o700)
            with os.scandir(entry.path) as children:
                inside = [child.path for child in children]
            for child in inside:  # one level up, so that no path grows long
                if not os.path.islink(child) and os.path.isdir(child):
                    os.chmod(child, 0o700)
                os.rename(child, f"{folder}/.{next(names)}-{secrets.token_hex(4)}")
                pending = True
            os.rmdir(entry.path)
    os.rmdir(folder)


# --- inside a guest -------------------------------------------------------------------------------


def _be_guest(
    house: _House,
    request: dict[str, Any],
    limits: Limits,
    workdir: str,
    uid: int | None,
    connection_fd: int,
    report_fd: int,
) -> None:
    """Gives up everything, says so, then serves; never returns."""
    code = 70
    try:
        own_proc = False
        if house.namespaces:
            own_proc = confinement.build_private_root(house.where, limits, _guest_owner(uid))
        connection = os.dup2(connection_fd, confinement.SOCKET_FD)
        surroundings = confinement.Surroundings(
            private_root=house.namespaces,
            namespaces=house.namespaces,
            uid=uid,
            own_proc=own_proc,
        )
        try:
            layers = confinement.confine(
                limits,
                workdir,
                house.readable,
                surroundings,
                (connection, report_fd),
                seed=request["seed"],
            )
            if not os.access(os.__file__, os.R_OK):
                raise confinement.Refused(
                    f"user {os.getuid()} cannot read {os.__file__}: install Python where every "
                    "user can read it, or start the grader as a plain user"
                )
        except BaseException as error:
            os.write(report_fd, json.dumps({"refused": f"{error}"}).encode())
            raise
        report = {"layers": {"found": layers.found, "kept": layers.kept}}
        os.write(report_fd, json.dumps(report).encode())
        os.close(report_fd)
        module, _, name = request["serve"].partition(":")
        serve = getattr(importlib.import_module(module), name)
        code = 71
        confinement.hand_over(serve, socket.socket(fileno=connection), request["nonce"], limits)
        code = 0
    except SystemExit as error:
        code = error.code if isinstance(error.code, int) else 1
    except BaseException:
        pass
    finally:
        os._exit(code & 0xFF)


# --- on the judge's side --------------------------------------------------------------------------


def request_guest(
    control: socket.socket,
    serve: str = SERVE,
    limits: Limits | None = None,
    *,
    seed: int | None = None,
    nonce: str | None = None,
) -> SupervisedGuest:
    """Asks the warm parent behind `control` for a guest; raises SandboxError or OSError."""
    ours, theirs = socket.socketpair()
    reports, its_reports = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    guest = SupervisedGuest(ours, reports, nonce)
    request = {
        "serve": serve,
        "limits": (limits or Limits()).as_dict(),
        "seed": seed,
        "nonce": guest.nonce,
    }
    try:
        with theirs, its_reports:
            reports.send(json.dumps(request).encode())
            socket.send_fds(control, [b"guest"], [theirs.fileno(), its_reports.fileno()])
    except OSError:
        ours.close()
        reports.close()
        raise
    guest.await_start()
    return guest


class SharedWarmParent:
    """A warm parent that another process has started, and will end."""

    name = "warm fork"
    alive = True  # as far as this process can tell: a request that fails says more

    def __init__(self, control: socket.socket) -> None:
        self.control = control

    def spawn(
        self, limits: Limits | None = None, *, seed: int | None = None, nonce: str | None = None
    ) -> SupervisedGuest:
        """A confined guest, ready for its first request; raises SandboxError if there is none."""
        if self.control.fileno() < 0:
            raise SandboxError("the warm parent is gone")
        return request_guest(self.control, SERVE, limits, seed=seed, nonce=nonce)

    def close(self) -> None:
        """Lets go of it; it and its other guests go on."""
        self.control.close()


class WarmParent:
    """Starts the warm parent and asks it for guests; a context manager.

    serve        the guest's function, "module:name", called as serve(socket, nonce)
    readable     further paths that guests may read
    imports      modules to have ready; guests find others, too, and pay for them
    packages     packages of ours to have ready
    namespaces   False: do without them (for tests, and for machines where they misbehave)
    launcher     a command to put before the interpreter, such as ("setpriv", "--reuid=…")
    """

    name = "warm fork"

    def __init__(
        self,
        serve: str = SERVE,
        *,
        readable: Iterable[str | os.PathLike[str]] = (),
        imports: Iterable[str] = IMPORTS,
        packages: Iterable[str] = PACKAGES,
        namespaces: bool = True,
        launcher: Sequence[str] = (),
    ) -> None:
        self.serve = serve
        self.namespaces: bool | None = None
        self.without = ""  # why there are no namespaces
        self._settings = {
            "serve": serve,
            "readable": [os.fspath(path) for path in readable],
            "imports": list(imports),
            "packages": list(packages),
            "namespaces": namespaces,
        }
        self._launcher = tuple(launcher)
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None
        self._guests: weakref.WeakSet[SupervisedGuest] = weakref.WeakSet()

    @property
    def pid(self) -> int:
        """The warm parent's process id, 0 before it is started."""
        return self._process.pid if self._process else 0

    def start(self) -> WarmParent:
        """Starts it and waits until it is warm; raises SandboxError if it cannot be."""
        with self._lock:
            self._start()
        return self

    def _start(self) -> None:
        if not sys.platform.startswith("linux"):
            raise SandboxError(f"the warm fork needs Linux: this is {sys.platform}")
        self._stop()
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs, tempfile.TemporaryFile() as errors:
            handle = theirs.fileno()
            self._process = subprocess.Popen(
                (*self._launcher, sys.executable, "-m", "autograder.sandbox.warm", str(handle)),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=errors,
                cwd="/",
                env=host_environment(),
                start_new_session=True,
                pass_fds=(handle,),
            )
            self._control = ours
            theirs.close()
            ours.settimeout(2 * PATIENCE)
            try:
                ours.send(json.dumps(self._settings).encode())
                answer = ours.recv(65536)
            except ConnectionError:
                answer = b""
            except OSError as error:
                answer = json.dumps({"refused": str(error)}).encode()
            ours.settimeout(None)
            if not answer:
                errors.seek(0)
                last = (errors.read().decode(errors="replace").strip() or "no word").splitlines()[
                    -1
                ]
                answer = json.dumps({"refused": f"it ended at its start: {last}"}).encode()
        report = json.loads(answer)
        if "refused" in report:
            self._stop()
            raise SandboxError(f"the warm parent did not start: {report['refused']}")
        self.namespaces = report["namespaces"]
        self.without = report["without"]

    def spawn(
        self, limits: Limits | None = None, *, seed: int | None = None, nonce: str | None = None
    ) -> SupervisedGuest:
        """A confined guest, ready for its first request; raises SandboxError if there is none.

        `seed` seeds the guest's random generators (None: fresh). Threads may call this at once.
        """
        for last in (False, True):
            with self._lock:
                if self._process is None or self._process.poll() is not None:
                    self._start()
                process, control = self._process, self._control
            assert process is not None and control is not None
            try:
                guest = request_guest(control, self.serve, limits, seed=seed, nonce=nonce)
                self._guests.add(guest)
                return guest
            except (SandboxError, OSError):
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(0.05)
                if last or process.poll() is None:
                    raise
        raise AssertionError("unreachable")

    @property
    def alive(self) -> bool:
        """Whether it is running, or has not been started yet."""
        return self._process is None or self._process.poll() is None

    @property
    def control(self) -> socket.socket | None:
        """The socket over which `SharedWarmParent`, in another process, asks it for guests."""
        return self._control

    def close(self) -> None:
        """Ends the warm parent and every guest that is left."""
        with self._lock:
            for guest in list(self._guests):
                guest.kill()
            self._stop()

    def _stop(self) -> None:
        if self._control is not None:
            self._control.close()
            self._control = None
        if self._process is not None:
            try:
                self._process.wait(5)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._process = None

    def __enter__(self) -> WarmParent:
        return self if self._process else self.start()

    def __exit__(self, *_: object) -> None:
        self.close()


HOST_VARIABLES = ("PATH", "LANG", "LC_ALL", "TZ", "LD_LIBRARY_PATH", "PYTHONHOME", "SSL_CERT_DIR")


def host_environment() -> dict[str, str]:
    """The environment of a process that guests come from: an allowlist, without a word of ours.

    A guest's memory holds its first environment for ever, so nothing private may be in it.
    """
    roots = dict.fromkeys(str(Path(folder).parent) for folder in package_folders())
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "autograder"
    return {
        **{name: os.environ[name] for name in HOST_VARIABLES if name in os.environ},
        "HOME": str(cache / "home"),
        "MPLCONFIGDIR": str(cache / "matplotlib"),
        "MPLBACKEND": "module://matplotlib_inline.backend_inline",
        "PYTHONPATH": os.pathsep.join(roots),
        "PYTHONSAFEPATH": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONHASHSEED": "0",  # the order of sets is the same when a verdict is replayed
        "PYTHONWARNINGS": "ignore",
        "MALLOC_ARENA_MAX": "2",
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "MKL_NUM_THREADS": "1",
        "CUDA_VISIBLE_DEVICES": "",
    }


if __name__ == "__main__":
    main(sys.argv[1:])
