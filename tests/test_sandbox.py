"""What the sandbox promises, each promise tried by a guest that wants to break it.

Every attack on a file, a process or a socket is made on a planted victim that permissions alone
leave open: the file is readable and writable for all, the process belongs to the same user. The
same attacks from an unprotected process come through (`test_the_attacks_have_teeth`).
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from autograder.sandbox import container, readable, seccomp, syscalls
from autograder.sandbox.bubblewrap import Bubblewrap
from autograder.sandbox.choose import NoSandbox, open_sandbox
from autograder.sandbox.container import Container
from autograder.sandbox.doctor import HAZARDS, Report, examine
from autograder.sandbox.guest_process import GuestProcess, SandboxError, reason_of
from autograder.sandbox.limits import GIB, MIB, Limits
from autograder.sandbox.plain import Plain
from autograder.sandbox.probe import ProbeFailed, ask
from autograder.sandbox.readable import placement, readable_paths
from autograder.sandbox.warm import IMPORTS, WarmParent, host_environment

SERVE = "autograder.sandbox.probe:serve"
PROJECT = Path(__file__).resolve().parents[1]
ROOT = os.geteuid() == 0
NOBODY = 65534
LONG = 120.0  # seconds; a deadline for what takes milliseconds, never a wait


def _unlock(then: str) -> tuple[str, ...]:
    """A command in whose view everybody may enter the folders of this Python and project.

    A Python below /root cannot be run by another user; a mount namespace in which /root holds
    nothing but that Python makes it possible, and shows the rest of /root to nobody.
    """
    needed: dict[str, list[str]] = {}
    for path in dict.fromkeys((sys.base_prefix, sys.prefix, str(PROJECT))):
        for folder in reversed(Path(path).parents):
            if not folder.stat().st_mode & 0o001:
                needed.setdefault(str(folder), []).append(path)
                break
    lines = ["set -e", "umask 022"]
    for locked, paths in needed.items():
        lines.append("mount -t tmpfs -o mode=0755 tmpfs /mnt")
        for i, path in enumerate(paths):
            lines += [f"mkdir /mnt/{i}", f"mount --bind '{path}' /mnt/{i}"]
        lines.append(f"mount -t tmpfs -o mode=0755 tmpfs '{locked}'")
        for i, path in enumerate(paths):
            lines += [f"mkdir -p '{path}'", f"mount --move /mnt/{i} '{path}'"]
        lines.append("umount /mnt")
    script = "\n".join([*lines, f'exec {then} "$@"'])
    return ("unshare", "--mount", "--propagation", "private", "sh", "-c", script, "sh")


def _works(*command: str) -> bool:
    with contextlib.suppress(OSError):
        return subprocess.run(command, capture_output=True, timeout=LONG).returncode == 0
    return False


AS_NOBODY = f"setpriv --reuid={NOBODY} --regid={NOBODY} --clear-groups"
MAY_UNSHARE = _works("unshare", "--mount", "--pid", "--fork", "true") if ROOT else False
PLAIN = _unlock(AS_NOBODY) if ROOT and MAY_UNSHARE else ()
PLAIN_MAY_UNSHARE = (not ROOT or bool(PLAIN)) and _works(
    *PLAIN, "unshare", "--user", "--map-root-user", "--mount", "true"
)

# The ways that this machine has: warm forks and bubblewrap, as root and as a plain user, with
# namespaces and without.
WAYS: dict[str, Callable[[], Any]] = {}
if ROOT and MAY_UNSHARE:
    WAYS["warm as root"] = lambda: WarmParent(SERVE)
    WAYS["warm as root, no namespaces"] = lambda: WarmParent(
        SERVE, namespaces=False, imports=(), packages=(), launcher=_unlock("")
    )
if ROOT and not MAY_UNSHARE:
    WAYS["warm as root, no namespaces"] = lambda: WarmParent(SERVE)
if not ROOT or PLAIN:
    WAYS["warm, no namespaces"] = lambda: WarmParent(
        SERVE, namespaces=False, imports=(), packages=(), launcher=PLAIN
    )
if PLAIN_MAY_UNSHARE:
    WAYS["warm"] = lambda: WarmParent(SERVE, launcher=PLAIN)
if PLAIN_MAY_UNSHARE and (ROOT or shutil.which("bwrap")):  # root installs it before the tests
    WAYS["bubblewrap"] = lambda: Bubblewrap(SERVE, launcher=PLAIN)
if ROOT and MAY_UNSHARE:
    WAYS["bubblewrap as root"] = lambda: Bubblewrap(SERVE)

FORKING = [way for way in WAYS if "no namespaces" not in way]
FULL = FORKING or list(WAYS)
ONCE = [way for way in FULL if way != "bubblewrap" or not ROOT]  # a cold start costs seconds
WARM = [way for way in WAYS if way.startswith("warm")]


class Ways:
    """Spawners by name, each started when it is first wanted; and one shared guest of each."""

    def __init__(self) -> None:
        self.spawners: dict[str, Any] = {}
        self.guests: dict[str, GuestProcess] = {}

    def __getitem__(self, name: str) -> Any:
        if name not in self.spawners:
            self.spawners[name] = WAYS[name]().start()
        return self.spawners[name]

    def guest(self, name: str) -> GuestProcess:
        """A guest for attacks that leave it as it was."""
        guest = self.guests.get(name)
        if guest is None or guest.status() is not None:
            guest = self.guests[name] = self[name].spawn()
        return guest


@pytest.fixture(scope="module")
def ways() -> Iterator[Ways]:
    found = Ways()
    with (
        pytest.MonkeyPatch.context() as patch,
        tempfile.TemporaryDirectory(dir="/var/tmp") as cache,
    ):
        os.chmod(cache, 0o777)  # matplotlib's list of fonts, made once for all users
        patch.setenv("XDG_CACHE_HOME", cache)
        patch.setenv("AUTOGRADER_PLANTED", "secret-of-the-environment")
        yield found
        for spawner in found.spawners.values():
            spawner.close()


@pytest.fixture(params=list(WAYS))
def way(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def guest(ways: Ways, way: str) -> GuestProcess:
    return ways.guest(way)


@pytest.fixture(scope="module")
def planted() -> Iterator[Path]:
    """A folder outside all that a guest may see, open to every user of the machine."""
    folder = Path(tempfile.mkdtemp(prefix="planted-", dir="/var/tmp"))
    folder.chmod(0o777)
    for name in ("gradebook.db", "solution.py", "id_rsa"):
        (folder / name).write_text("planted-secret")
        (folder / name).chmod(0o666)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def victim() -> Iterator[subprocess.Popen[bytes]]:
    """A process of the user that a plain guest shares; it ends when its input closes."""
    command = [*PLAIN, "cat"] if ROOT and PLAIN else ["cat"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        process.stdin.write(b"x")
        process.stdin.flush()
        assert process.stdout.read(1) == b"x"  # it is cat by now, not its launcher
        yield process
        process.kill()


TRY = """
import ctypes, errno, os, socket, sys

def comes_through(attempt):
    "True if `attempt` does not raise OSError."
    try:
        attempt()
    except OSError:
        return False
    return True
"""


def attack(guest: GuestProcess, text: str, **facts: Any) -> Any:
    lines = [f"{name} = {value!r}" for name, value in facts.items()]
    return ask(guest.socket, "\n".join([TRY, *lines, text]), LONG)


def test_this_machine_has_a_sandbox() -> None:
    assert WARM, "no way of the sandbox can run here: these tests would prove nothing"


def test_the_attacks_have_teeth() -> None:
    """From an unprotected process every attack of the doctor comes through."""
    finding = examine(Plain(SERVE))
    assert finding.starts
    assert finding.came_through == dict.fromkeys(HAZARDS, True)
    assert not finding.safe


@pytest.mark.parametrize("name", list(dict.fromkeys((FULL[0], FULL[-1]))))
def test_the_doctor_finds_nothing_to_mend(name: str) -> None:
    finding = examine(WAYS[name]())
    assert finding.starts, finding.note
    assert finding.came_through == dict.fromkeys(HAZARDS, False)
    report = Report("this machine", (finding,), ("advice",))
    assert "NOT" not in str(report)
    assert report.usable == (finding.way,)


# --- files ----------------------------------------------------------------------------------------


def test_no_file_outside_is_read(guest: GuestProcess, planted: Path) -> None:
    paths = [str(p) for p in planted.iterdir()]
    paths += ["/etc/shadow", "/etc/hostname", str(PROJECT / "pyproject.toml"), __file__]
    paths += [str(Path.home() / ".bashrc"), "/proc/1/environ", "/dev/vda", "/dev/mem"]
    text = "answer = [p for p in paths if comes_through(lambda: open(p, 'rb').read(1))]"
    assert attack(guest, text, paths=paths) == []


def test_what_answers_exercises_is_neither_read_nor_imported(guest: GuestProcess) -> None:
    """The checks and the figures: source and byte code, by name, by file, and what is alive."""
    hidden = [PROJECT / "autograder" / "checks", PROJECT / "figures"]
    paths = [str(p) for folder in hidden for p in folder.rglob("*") if p.is_file()]
    assert any(path.endswith("made.py") for path in paths)
    text = """
import gc, importlib, types
sys.meta_path[:] = [f for f in sys.meta_path if "autograder" not in type(f).__module__]
for name in [n for n in sys.modules if n.startswith("figures")]:
    del sys.modules[name]
answer = [p for p in paths if comes_through(lambda: open(p, "rb").read(1))]
for name in ("autograder.checks", "autograder.checks.made", "figures", "figures.mask_explorer"):
    try:
        if importlib.import_module(name).__file__:
            answer.append(name)
    except (ImportError, OSError):
        pass
answer += [o.__name__ for o in gc.get_objects() if isinstance(o, types.ModuleType)
           and o.__name__.startswith(("autograder.checks", "figures.")) and o.__spec__.has_location]
"""
    assert attack(guest, text, paths=paths) == []


def test_what_runs_beside_a_students_objects_is_there(guest: GuestProcess) -> None:
    text = "import autograder.inside.made as made\nanswer = made.fill_mask.inside_path"
    assert attack(guest, text) == "autograder.inside.made:fill_mask"


def test_no_folder_outside_is_listed(guest: GuestProcess, planted: Path) -> None:
    text = "answer = [p for p in paths if comes_through(lambda: os.listdir(p))]"
    paths = [str(planted), str(PROJECT / "solutions"), str(PROJECT / "tests"), "/home", "/var"]
    assert attack(guest, text, paths=paths) == []


def test_no_file_outside_is_written(guest: GuestProcess, planted: Path) -> None:
    text = """
db = folder + "/gradebook.db"
attempts = {
    "append": lambda: open(db, "a").close(),
    "create": lambda: open(folder + "/new", "w").close(),
    "truncate": lambda: os.truncate(db, 0),
    "rename": lambda: os.rename(db, folder + "/x"),
    "unlink": lambda: os.unlink(db),
    "mkdir": lambda: os.mkdir(folder + "/d"),
    "symlink": lambda: os.symlink("x", folder + "/s"),
    "library": lambda: open(os.__file__, "a").close(),
    "package": lambda: open(package + "/planted.py", "w").close(),
    "site": lambda: open(os.path.dirname(os.__file__) + "/planted.pth", "w").close(),
}
answer = [name for name, attempt in attempts.items() if comes_through(attempt)]
for change in (lambda: os.chmod(db, 0), lambda: os.utime(db, (0, 0)), lambda: os.chown(db, 1, 1)):
    comes_through(change)  # some ways pretend; what counts is below
"""
    before = (planted / "gradebook.db").stat()
    assert attack(guest, text, folder=str(planted), package=str(PROJECT / "autograder")) == []
    after = (planted / "gradebook.db").stat()
    same = ("st_mode", "st_uid", "st_size", "st_mtime_ns", "st_ctime_ns")
    assert [getattr(before, n) for n in same] == [getattr(after, n) for n in same]
    assert sorted(p.name for p in planted.iterdir()) == ["gradebook.db", "id_rsa", "solution.py"]


def test_links_and_detours_lead_nowhere(guest: GuestProcess, planted: Path) -> None:
    text = """
os.chdir(os.path.expanduser("~"))
for name in ("link", "climb"):
    if os.path.lexists(name):
        os.unlink(name)
os.symlink(secret, "link")
os.symlink("../" * 40 + secret.lstrip("/"), "climb")
root = os.open("/", os.O_PATH | os.O_DIRECTORY)
ways = {
    "symlink": lambda: open("link").read(),
    "climbing symlink": lambda: open("climb").read(),
    "hard link": lambda: os.link(secret, "hard"),
    "climb": lambda: open("../" * 40 + secret.lstrip("/")).read(),
    "proc root": lambda: open("/proc/self/root" + secret).read(),
    "proc cwd": lambda: open("/proc/self/cwd/" + "../" * 40 + secret.lstrip("/")).read(),
    "parent's root": lambda: open(f"/proc/{os.getppid()}/root" + secret).read(),
    "openat": lambda: os.open(secret.lstrip("/"), os.O_RDONLY, dir_fd=root),
    "dot dot of root": lambda: os.open(".." + secret, os.O_RDONLY, dir_fd=root),
    "chroot": lambda: os.chroot("."),
    "move": lambda: os.rename(secret, "mine"),
}
answer = [name for name, way in ways.items() if comes_through(way)]
os.close(root)
"""
    assert attack(guest, text, secret=str(planted / "id_rsa")) == []


def test_its_own_folder_is_its_own(ways: Ways, way: str) -> None:
    """Two guests of one parent see neither each other's files nor each other's processes."""
    first = ways.guest(way)
    text = """
import tempfile
here = os.path.abspath("mine.txt")
open(here, "w").write("mine")
temporary = tempfile.NamedTemporaryFile(delete=False).name
answer = [here, temporary, os.getpid(), os.getcwd()]
"""
    here, temporary, pid, _ = attack(first, text)
    if way.startswith("bubblewrap"):
        pid = first.pid
    text = """
answer = [
    [p for p in paths if comes_through(lambda: open(p).read())],
    "mine.txt" in os.listdir("."),
    pid != os.getpid() and comes_through(lambda: os.kill(pid, 0)),
]
"""
    with ways[way].spawn() as second:
        assert attack(second, text, paths=[here, temporary], pid=pid) == [[], False, False]
    assert attack(first, "answer = open('mine.txt').read()") == "mine"


def test_nothing_of_a_guest_stays_on_the_disk(ways: Ways) -> None:
    """Also when its folder is deeper than any path, and its modes are hostile."""
    text = """
for i in range(300):
    os.mkdir("d" * 20, 0o700)
    os.chdir("d" * 20)
os.mkdir("locked", 0)
"""
    for name in WARM:
        if "no namespaces" in name:
            with ways[name].spawn() as guest:
                folder = attack(guest, "answer = os.path.dirname(os.environ['HOME'])")
                assert os.path.isdir(folder)
                with contextlib.suppress(EOFError):  # or the watch finds it first
                    attack(guest, text)
            assert not os.path.exists(folder)


# --- network --------------------------------------------------------------------------------------


def test_no_socket_reaches_anybody(guest: GuestProcess, planted: Path) -> None:
    text = """
def reach(family, address, kind=socket.SOCK_STREAM):
    with socket.socket(family, kind) as s:
        s.settimeout(20)
        s.sendto(b"x", address) if kind == socket.SOCK_DGRAM else s.connect(address)

def datagrams(address):
    a, b = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    a.sendto(b"x", address)

ways = {
    "tcp": lambda: reach(socket.AF_INET, ("127.0.0.1", port)),
    "tcp6": lambda: reach(socket.AF_INET6, ("::1", port)),
    "udp": lambda: reach(socket.AF_INET, ("127.0.0.1", port), socket.SOCK_DGRAM),
    "abstract": lambda: reach(socket.AF_UNIX, abstract),
    "path": lambda: reach(socket.AF_UNIX, path),
    "datagram to a path": lambda: datagrams(path + ".d"),
    "datagram to an abstract name": lambda: datagrams(abstract + "d"),
    "listen": lambda: socket.create_server(("127.0.0.1", 0)),
    "netlink": lambda: socket.socket(socket.AF_NETLINK, socket.SOCK_RAW),
    "packet": lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW),
    "vsock": lambda: socket.socket(socket.AF_VSOCK, socket.SOCK_STREAM),
    "alg": lambda: socket.socket(socket.AF_ALG, socket.SOCK_SEQPACKET),
}
answer = [name for name, way in ways.items() if comes_through(way)]
"""
    abstract, path = f"\0planted-{os.getpid()}", str(planted / "socket")
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        for name, kind in (
            (abstract, socket.SOCK_STREAM),
            (path, socket.SOCK_STREAM),
            (abstract + "d", socket.SOCK_DGRAM),
            (path + ".d", socket.SOCK_DGRAM),
        ):
            listener = stack.enter_context(socket.socket(socket.AF_UNIX, kind))
            listener.bind(name)
            if kind == socket.SOCK_STREAM:
                listener.listen()
            if name[0] == "/":
                os.chmod(name, 0o777)
                stack.callback(os.unlink, name)
        port = server.getsockname()[1]
        assert attack(guest, text, port=port, abstract=abstract, path=path) == []


# --- other processes ------------------------------------------------------------------------------


def test_no_other_process_is_touched(ways: Ways, way: str, victim: subprocess.Popen[bytes]) -> None:
    """Not the judge, the warm parent, the supervisor, nor a process of the same user."""
    guest = ways.guest(way)
    supervisor = int(Path(f"/proc/{guest.pid}/stat").read_text().rsplit(")", 1)[1].split()[1])
    targets = [victim.pid, os.getpid(), os.getppid(), supervisor]
    targets += [ways[way].pid] if way.startswith("warm") else []
    text = """
libc = ctypes.CDLL(None, use_errno=True)
buffer = ctypes.create_string_buffer(8)
class Span(ctypes.Structure):
    _fields_ = [("base", ctypes.c_void_p), ("length", ctypes.c_size_t)]
span = Span(ctypes.addressof(buffer), 8)
from autograder.sandbox import syscalls
answer = []
for pid in targets:
    if pid in (os.getpid(), 1) or pid < 8 and os.getpid() < 8:
        continue  # its own namespace gives these numbers to its own
    if comes_through(lambda: os.kill(pid, 0)):
        answer.append(("signal", pid))
    if libc.ptrace(16, pid, 0, 0) == 0 or libc.ptrace(0x4206, pid, 0, 0) == 0:
        answer.append(("ptrace", pid))
    if libc.process_vm_readv(pid, ctypes.byref(span), 1, ctypes.byref(span), 1, 0) >= 0:
        answer.append(("read memory", pid))
    if comes_through(lambda: syscalls.call("pidfd_open", pid, 0)):
        answer.append(("pidfd", pid))
    for name in ("mem", "environ", "maps", "fd", "cwd", "root", "stat"):
        if os.path.exists(f"/proc/{pid}/{name}") and comes_through(
            lambda: os.listdir(f"/proc/{pid}/{name}") if name in ("fd", "cwd", "root")
            else open(f"/proc/{pid}/{name}", "rb").read(1)
        ):
            answer.append((name, pid))
    comes_through(lambda: os.kill(pid, 9) if pid == targets[0] else None)
    comes_through(lambda: os.sched_setaffinity(pid, {0}))
    import resource
    comes_through(lambda: resource.prlimit(pid, resource.RLIMIT_NOFILE, (3, 3)))
for pid in (os.getppid(), 1):
    if pid and comes_through(lambda: open(f"/proc/{pid}/mem")):
        answer.append(("mem", pid))
"""
    affinity = os.sched_getaffinity(victim.pid)
    assert attack(guest, text, targets=targets) == []
    assert victim.poll() is None
    assert os.sched_getaffinity(victim.pid) == affinity
    assert guest.status() is None


def test_its_init_outlives_its_signals(ways: Ways) -> None:
    """Signals to the first process of its namespace, its parent or its group hurt only itself."""
    text = """
import signal
for number in (signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGSTOP, signal.SIGHUP):
    for pid in (1, os.getppid()):
        if pid != os.getpid() and pid > 0:
            comes_through(lambda: os.kill(pid, number))
answer = True
"""
    for name in FORKING:
        guest = ways.guest(name)
        assert attack(guest, text)
        assert attack(guest, "answer = 1 + 1") == 2


# --- another guest --------------------------------------------------------------------------------

# What a kernel hangs on the inode of a file that all guests read, hung there by one …
HANG = """
import fcntl, mmap, struct, threading
kept = open(shared, "rb")
lock = struct.pack("hhqqi4x", fcntl.F_RDLCK, 0, 0, 0, 0)
comes_through(lambda: fcntl.flock(kept, fcntl.LOCK_SH))
comes_through(lambda: fcntl.fcntl(kept, fcntl.F_SETLK, lock))
comes_through(lambda: fcntl.fcntl(kept, 37, lock))  # of the open file
comes_through(lambda: fcntl.fcntl(kept, fcntl.F_SETLEASE, fcntl.F_RDLCK))
comes_through(lambda: fcntl.fcntl(kept, 1036, struct.pack("Q", 2)))  # how long its data will live
libc = ctypes.CDLL(None, use_errno=True)
libc.mmap.restype = ctypes.c_void_p
libc.mmap.argtypes = (ctypes.c_void_p, ctypes.c_size_t, *[ctypes.c_int] * 3, ctypes.c_long)
from autograder.sandbox import syscalls
def futex(command, number, patience=None):
    word = libc.mmap(None, 4096, mmap.PROT_READ, mmap.MAP_SHARED, kept.fileno(), 0)
    until = patience and ctypes.byref((ctypes.c_long * 2)(patience, 0))
    arguments = (ctypes.c_void_p(word), command, number, until, 0, 0)
    found = libc.syscall(syscalls.number("futex"), *arguments)
    return found if found >= 0 else errno.errorcode[ctypes.get_errno()]
beginning = int.from_bytes(kept.read(4), sys.byteorder)
"""
# … and sensed by another.
SENSE = (
    HANG.partition("comes_through")[0]
    + HANG[HANG.index("libc") :]
    + """
def sense(attempt):
    "What a command answers, or the name of its error."
    try:
        return attempt()
    except OSError as error:
        return errno.errorcode[error.errno]
wanted = struct.pack("hhqqi4x", fcntl.F_WRLCK, 0, 0, 0, 0)
answer = {
    "lock": sense(lambda: fcntl.flock(kept, fcntl.LOCK_EX | fcntl.LOCK_NB)),
    "record lock": sense(lambda: fcntl.fcntl(kept, fcntl.F_GETLK, wanted) != wanted),
    "lock of an open file": sense(lambda: fcntl.fcntl(kept, 36, wanted) != wanted),
    "lease": sense(lambda: fcntl.fcntl(kept, fcntl.F_SETLEASE, fcntl.F_WRLCK)),
    "hint": sense(lambda: fcntl.fcntl(kept, 1035, bytes(8)).hex()),
    "waiting": futex(1, 1),
}
"""
)
NOTHING_SENSED = dict.fromkeys(
    ("lock", "record lock", "lock of an open file", "lease", "hint", "waiting"), "EINVAL"
) | {"lock": "ENOSYS"}


def test_no_guest_tells_another_by_a_file_that_both_read(ways: Ways, way: str) -> None:
    """Locks, leases, hints, and a wait in a shared page: nothing is hung there, nothing sensed."""
    waits = "answer = [futex(0, beginning, 1), futex(9, beginning, 1)]"
    with ways[way].spawn() as second:
        assert attack(ways.guest(way), HANG + waits, shared=os.__file__) == ["EAGAIN"] * 2
        assert attack(second, SENSE, shared=os.__file__) == NOTHING_SENSED
        attack(ways.guest(way), "kept.close()")


def test_what_guests_could_tell_by_a_file_has_teeth(planted: Path) -> None:
    """Between two unprotected processes each of these is a telegraph."""
    shared = str(planted / "solution.py")
    waits = "threading.Thread(target=futex, args=(0, beginning), daemon=True).start()"
    with Plain(SERVE) as plain, plain.spawn() as first, plain.spawn() as second:
        assert attack(first, HANG + waits + "\nanswer = beginning > 0", shared=shared)
        sensed = attack(second, SENSE, shared=shared)
        assert (sensed["lock"], sensed["lease"]) == ("EAGAIN", "EAGAIN")
        assert sensed["record lock"] is sensed["lock of an open file"] is True
        woken = "while (answer := futex(1, 1)) == 0: os.sched_yield()"
        assert sensed["waiting"] == 1 or attack(second, woken, shared=shared) == 1


def test_nothing_is_told_of_the_machine(guest: GuestProcess) -> None:
    """Memory, load and counts of the whole machine: no file and no call says them."""
    text = """
paths = []
for folder, folders, names in os.walk("/proc"):
    folders[:] = [name for name in folders if folder != "/proc" or not name.isdigit()]
    paths += [p for p in (os.path.join(folder, name) for name in names) if not os.path.islink(p)]
paths += ["/proc/" + name for name in known]
answer = {p for p in paths if comes_through(lambda: open(p, "rb").read(1))} - {"/proc/cpuinfo"}
answer = sorted(answer)
if comes_through(lambda: open("/proc/cpuinfo")):
    answer += [line for line in open("/proc/cpuinfo") if line.split()[-1] not in ("0", "1")]
from autograder.sandbox import syscalls
if comes_through(lambda: syscalls.call("sysinfo", b" " * 112)) or comes_through(os.getloadavg):
    answer.append("sysinfo")
"""
    known = ["meminfo", "loadavg", "stat", "uptime", "vmstat", "interrupts", "pressure/cpu"]
    assert attack(guest, text, known=known) == []


@pytest.mark.skipif(not FORKING, reason="no namespaces here, so no bubblewrap")
def test_bubblewraps_own_proc_says_nothing_where_landlock_is_missing() -> None:
    """Its masks alone: a command that confines itself in no way, in the guest's root."""
    text = """
import os
for folder, folders, names in os.walk("/proc"):
    folders[:] = [name for name in folders if folder != "/proc" or not name.isdigit()]
    for path in (os.path.join(folder, name) for name in names):
        if os.path.islink(path):
            continue  # into a process's folder
        try:
            print(path, len(open(path).read()))
        except OSError:
            pass
"""
    with Bubblewrap(SERVE) as spawner, tempfile.TemporaryFile() as processor:
        line = spawner.command(Limits(), 2, processor.fileno())
        done = subprocess.run(
            [*line[: line.index("--") + 1], sys.executable, "-Ic", text],
            capture_output=True, text=True, timeout=LONG, pass_fds=(processor.fileno(),),
        )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["/proc/cpuinfo", "0"]


# --- system calls ---------------------------------------------------------------------------------

FORBIDDEN = (
    "mount", "umount2", "pivot_root", "unshare", "mount_setattr", "pidfd_open", "capset",
    "landlock_create_ruleset", "seccomp", "socket", "execve", "execveat", "ptrace", "setns", "bpf",
    "memfd_create", "io_uring_setup", "keyctl", "userfaultfd", "perf_event_open",
    "process_vm_readv", "process_vm_writev", "personality", "open_by_handle_at",
    "name_to_handle_at", "kexec_load", "shmget", "msgget", "semget", "mq_open", "inotify_init1",
    "fanotify_init", "setxattr", "getxattr", "cachestat", "sysinfo", "flock", "futex_waitv",
    "clone3",
)  # fmt: skip


def test_forbidden_calls_do_not_exist(guest: GuestProcess) -> None:
    text = """
from autograder.sandbox import syscalls
libc = ctypes.CDLL(None, use_errno=True)
answer = []
for name in names:
    libc.syscall(syscalls.number(name), 0, 0, 0, 0, 0, 0)
    if ctypes.get_errno() not in (errno.EPERM, errno.ENOSYS):
        answer.append((name, ctypes.get_errno()))
for flag in (0x00020000, 0x02000000, 0x04000000, 0x08000000, 0x10000000, 0x20000000, 0x40000000):
    result = libc.syscall(syscalls.number("clone"), flag | 17, 0, 0, 0, 0)
    if result == 0:
        os._exit(0)
    if result > 0 or ctypes.get_errno() != errno.EPERM:
        answer.append(("clone", flag))
for option in (4, 8, 22, 24, 28, 38 + 9):  # dumpable, keepcaps, seccomp, bounding set, …
    if libc.prctl(option, 1, 0, 0, 0) == 0:
        answer.append(("prctl", option))
"""
    assert attack(guest, text, names=FORBIDDEN) == []


def test_no_program_is_run(guest: GuestProcess) -> None:
    text = """
import subprocess
ways = {
    "subprocess": lambda: subprocess.run(["/usr/bin/true"]),
    "python": lambda: subprocess.run([sys.executable, "-c", ""]),
    "spawn": lambda: os.posix_spawn("/usr/bin/true", ["true"], {}),
    "exec": lambda: os.execv("/usr/bin/true", ["true"]),
}
answer = [name for name, way in ways.items() if comes_through(way)]
answer += ["system"] if os.system("true") == 0 else []
"""
    assert attack(guest, text) == []


def test_terminals_and_rights_are_out_of_reach(guest: GuestProcess) -> None:
    text = """
import fcntl
libc = ctypes.CDLL(None)
class Header(ctypes.Structure):
    _fields_ = [("version", ctypes.c_uint32), ("pid", ctypes.c_int)]
data = (ctypes.c_uint32 * 6)()
libc.capget(ctypes.byref(Header(0x20080522, 0)), data)
answer = {
    "capabilities": sum(data),
    "no_new_privs": libc.prctl(39, 0, 0, 0, 0),
    "dumpable": libc.prctl(3, 0, 0, 0, 0),
    "seccomp": libc.prctl(21, 0, 0, 0, 0),
    "root": 0 in os.getresuid() + os.getresgid(),
    "terminal": comes_through(lambda: os.open("/dev/tty", os.O_RDWR)),
    "sti": comes_through(lambda: fcntl.ioctl(0, 0x5412, b"x")),
    "become root": comes_through(lambda: os.setuid(0)),
    "sigio": comes_through(lambda: fcntl.fcntl(3, fcntl.F_SETOWN, 1)),
}
"""
    assert attack(guest, text) == {
        "capabilities": 0,
        "no_new_privs": 1,
        "dumpable": 0,
        "seccomp": 2,
        "root": False,
        "terminal": False,
        "sti": False,
        "become root": False,
        "sigio": False,
    }


def test_another_architecture_is_death(ways: Ways) -> None:
    """Calls of the x32 table have other numbers: one of them ends the guest."""
    with ways[WARM[0]].spawn() as guest:
        x32 = "ctypes.CDLL(None).syscall(0x40000000 | 39)"
        text = x32 if syscalls.MACHINE == "x86_64" else "os.kill(os.getpid(), 31)"
        with pytest.raises(EOFError):
            attack(guest, text)
        ending = guest.wait(LONG)
        assert ending.signal == signal.SIGSYS
        assert ending.reason == "used a system call that is not allowed"


@pytest.mark.parametrize("machine", list(syscalls.COLUMNS))
@pytest.mark.parametrize("forks", [False, True])
@pytest.mark.parametrize("own", [False, True])
def test_the_filter_means_what_it_says(
    monkeypatch: pytest.MonkeyPatch, machine: str, forks: bool, own: bool
) -> None:
    """Interprets the program for each call of the table, on both architectures."""
    monkeypatch.setattr(syscalls, "MACHINE", machine)
    code = seccomp.program(pid=77, own_pid_namespace=own, processes=forks, pretend_metadata=True)
    audit = seccomp._ARCHITECTURE[machine]

    def verdict(name: str, *arguments: int, arch: int = audit) -> str:
        return _run(code, syscalls.number(name), arch, arguments)

    def allowed(name: str, *arguments: int) -> bool:
        return verdict(name, *arguments) == "allow"

    assert all(allowed(n) for n in ("read", "openat", "mmap", "exit_group", "getrandom"))
    for name in FORBIDDEN:
        if name not in ("clone3",):
            assert verdict(name) in ("error 1", "error 38"), name
    assert verdict("clone3") == "error 38"
    assert verdict("read", arch=0x40000003) == "kill"
    assert _run(code, 0x40000000, audit, ()) == "kill" and _run(code, 500, audit, ()) == "error 38"
    thread, new_user = 0x3D0F00, 0x10000000
    assert allowed("clone", thread) and not allowed("clone", thread | new_user)
    assert allowed("clone", 17) == forks and not allowed("clone", 17 | new_user)
    assert allowed("kill", 77) and allowed("kill", 78) == own and allowed("tkill", 77) == own
    assert allowed("socketpair", 1, 1) and allowed("socketpair", 1, 5 | 0o2000000)
    assert not any(allowed("socketpair", *a) for a in ((1, 2), (1, 3), (2, 1), (16, 3)))
    assert all(allowed("fcntl", 3, n) for n in (0, 1, 2, 3, 4, 1030))
    for command in (5, 8, 36, 37, 38, 1024, 1025, 1026, 1031, 1035, 1036, 1038):
        assert verdict("fcntl", 3, command) == "error 22"
    # A record lock never bars its own process; several must not believe that they hold one.
    for command in (6, 7):
        assert verdict("fcntl", 3, command) == ("error 37" if forks else "error 0")
    for command in (0, 1, 3, 4, 5, 6, 9, 10, 9 | 256):
        assert allowed("futex", 8, command | 128)
        waits = command & 127 in (0, 9)
        shared = "allow" if forks else "error 11" if waits else "error 22"
        assert verdict("futex", 8, command) == shared
    assert allowed("ioctl", 0, 0x5401) and not allowed("ioctl", 0, 0x5412)
    assert allowed("prctl", 15) and not allowed("prctl", 22) and not allowed("prctl", 4)
    assert allowed("setsockopt", 3, 1, 7) and not allowed("setsockopt", 3, 1, 26)
    assert allowed("prlimit64", 0) and not allowed("prlimit64", 78)
    assert verdict("fchmodat") == "error 0" and not allowed("truncate") and allowed("ftruncate")


def _run(code: list[tuple[int, int, int, int]], call: int, arch: int, arguments: tuple) -> str:
    """A few lines of classic BPF: what the kernel would answer."""
    words = {0: call, 4: arch}
    for i in range(6):
        value = arguments[i] if i < len(arguments) else 0
        words[16 + 8 * i] = value & 0xFFFFFFFF
    value = position = 0
    while True:
        operation, if_true, if_false, constant = code[position]
        position += 1
        if operation == 0x20:
            value = words[constant]
        elif operation == 0x54:
            value &= constant
        elif operation == 0x06:
            kinds = {0x7FFF0000: "allow", 0x80000000: "kill"}
            return kinds.get(constant) or f"error {constant & 0xFFFF}"
        else:
            test = {0x15: value == constant, 0x35: value >= constant, 0x45: bool(value & constant)}
            position += if_true if test[operation] else if_false


# --- what it holds --------------------------------------------------------------------------------


def test_only_its_socket_is_open(guest: GuestProcess) -> None:
    text = """
import stat
found = {}
for fd in range(1024):
    try:
        found[fd] = os.fstat(fd)
    except OSError:
        pass
null = os.stat("/dev/null").st_rdev
answer = [
    [fd for fd in found if fd > 3],
    [found[fd].st_rdev == null for fd in (0, 1, 2)],
    stat.S_ISSOCK(found[3].st_mode),
]
"""
    assert attack(guest, text) == [[], [True] * 3, True]


def test_the_environment_says_nothing(guest: GuestProcess) -> None:
    text = """
found = dict(os.environ)
libc = ctypes.CDLL(None)
block = ctypes.POINTER(ctypes.c_char_p).in_dll(libc, "environ")
i, raw = 0, []
while block[i]:
    raw.append(block[i].decode())
    i += 1
if os.path.exists("/proc/self/environ"):
    if comes_through(lambda: open("/proc/self/environ")):
        raw.append(open("/proc/self/environ").read())
answer = [sorted(found), "\\n".join(raw), os.environ["HOME"], os.getcwd()]
"""
    names, raw, home, folder = attack(guest, text)
    assert "AUTOGRADER_PLANTED" not in names and "secret-of-the-environment" not in raw
    assert os.path.dirname(home) == os.path.dirname(folder)
    for name in ("HOME", "TMPDIR", "MPLCONFIGDIR", "IPYTHONDIR"):
        assert name in names


def test_guests_draw_different_numbers_unless_seeded(ways: Ways) -> None:
    text = """
import random, numpy, torch
answer = [random.random(), float(numpy.random.rand()), float(torch.rand(()))]
"""
    for name in WARM[:1]:
        drawn = []
        for seed in (None, None, 5, 5):
            with ways[name].spawn(seed=seed) as guest:
                drawn.append(attack(guest, text))
        assert all(a != b for a, b in zip(drawn[0], drawn[1], strict=True))
        assert drawn[2] == drawn[3] != drawn[0]


# --- limits ---------------------------------------------------------------------------------------


def test_memory_has_an_end(ways: Ways, way: str) -> None:
    """Private, shared and fragmentary: the hog gets MemoryError and may go on."""
    text = """
import mmap
def hog(take):
    held, total = [], 0
    try:
        while total < 64 * 2**30:
            held.append(take())
            total += 2**26
    except (MemoryError, OSError):
        pass
    return total
answer = [hog(lambda: bytearray(2**26)), hog(lambda: mmap.mmap(-1, 2**26))]
"""
    with ways[way].spawn(Limits(memory_bytes=256 * MIB)) as guest:
        private, shared = attack(guest, text)
        assert private <= 320 * MIB
        assert shared <= 256 * MIB + GIB + GIB  # and no page of it is touched
        assert attack(guest, "answer = len(bytearray(2**20))") == 2**20


@pytest.mark.parametrize("name", ONCE)
def test_the_disk_has_an_end(ways: Ways, name: str) -> None:
    text = """
def fill(size):
    written = count = 0
    try:
        while count < 10_000:
            with open(f"f{size}-{count}", "wb") as file:
                for _ in range(size // 2**16):
                    written += file.write(b"x" * 2**16)
            count += 1
    except OSError as error:
        return [written, count, error.errno]
    return [written, count, 0]
answer = [fill(2**30), fill(2**21)]
for name in os.listdir("."):
    os.unlink(name)
answer.append(fill(0))
"""
    limits = Limits(disk_bytes=8 * MIB, file_bytes=2 * MIB, files=64)
    with ways[name].spawn(limits) as guest:
        one, many, empty = attack(guest, text)
    assert one[0] <= 2 * MIB and one[2] == 27  # EFBIG
    assert one[0] + many[0] <= 8 * MIB and many[2] == 28  # ENOSPC
    assert name.startswith("bubblewrap") or (empty[1] <= 80 and empty[2] == 28)


@pytest.mark.parametrize("name", [w for w in WARM if "no namespaces" in w])
def test_a_folder_on_disk_is_watched(ways: Ways, name: str) -> None:
    text = """
i = 0
while True:
    with open(f"f{i % 64}", "wb") as file:
        file.write(b"x" * 2**20)
    i += 1
"""
    with ways[name].spawn(Limits(disk_bytes=8 * MIB)) as guest:
        with pytest.raises(EOFError):
            attack(guest, text)
        assert guest.wait(LONG).reason == "disk limit"


def test_threads_have_an_end(ways: Ways, way: str) -> None:
    text = """
import threading
stop, started = threading.Event(), []
try:
    while len(started) < 200:
        thread = threading.Thread(target=stop.wait)
        thread.start()
        started.append(thread)
except RuntimeError:
    pass
stop.set()
for thread in started:
    thread.join()
answer = len(started)
"""
    if way.startswith("bubblewrap"):
        guest = ways.guest(way)
        assert attack(guest, text) <= Limits().threads + 4
        return
    with ways[way].spawn(Limits(threads=12)) as guest:
        # a plain user without namespaces shares the count with what else it runs
        assert 4 <= attack(guest, text) <= 32


FORK_BOMB = """
import signal
reader, writer = os.pipe()
children = 0
try:
    while children < 100:
        if os.fork() == 0:
            os.setsid()
            try:
                while True:
                    if os.fork() == 0:
                        os.setsid()
                        signal.pause()
                    break
            except OSError:
                pass
            while True:
                signal.pause()
        children += 1
except OSError:
    pass
answer = children
"""


def test_nothing_is_forked_unless_allowed(guest: GuestProcess) -> None:
    assert attack(guest, FORK_BOMB) == 0


@pytest.mark.parametrize("name", [way for way in ONCE if way in FORKING])
def test_a_fork_bomb_is_capped_and_swept_away(ways: Ways, name: str) -> None:
    """Daemons of their own sessions hold the guest's socket; killing the guest closes it."""
    with ways[name].spawn(Limits(processes=8, threads=8)) as guest:
        children = attack(guest, FORK_BOMB)
        assert 1 <= children <= 24
        _assert_swept_away(guest, guest.kill)


def _assert_swept_away(guest: GuestProcess, end: Callable[[], Any]) -> None:
    with socket.socket(fileno=os.dup(guest.socket.fileno())) as copy:
        end()
        copy.setblocking(False)
        left = b"x"
        with contextlib.suppress(ConnectionResetError):
            while left:
                left = copy.recv(65536)  # BlockingIOError: somebody still holds the other end
    assert guest.status() is not None


@pytest.mark.parametrize("name", FORKING)
def test_a_daemon_dies_when_its_master_ends_by_itself(ways: Ways, name: str) -> None:
    text = """
import signal
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        os.write(3, b"alive\\n")
        while True:
            signal.pause()
    os._exit(0)
os.wait()
answer = "left one behind"
"""
    with ways[name].spawn(Limits(processes=8)) as guest:
        guest.socket.settimeout(LONG)
        guest.socket.sendall(json.dumps(TRY + text).encode() + b"\n")
        received = b""
        while b"alive" not in received or b"left one behind" not in received:
            received += guest.socket.recv(4096)
        guest.socket.sendall(json.dumps("import os; os._exit(7)").encode() + b"\n")
        _assert_swept_away(guest, lambda: guest.wait(LONG))
        assert guest.status().exit_code == 7
        assert guest.status().reason == "left with exit code 7"


# --- how it ends ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("os._exit(3)", "left with exit code 3"),
        ("os.abort()", "aborted"),
        ("ctypes.string_at(8)", "crashed (segmentation fault)"),
        ("sys.exit(4)", "left with exit code 4"),
    ],
)
def test_an_end_is_told_in_words(ways: Ways, text: str, reason: str) -> None:
    with ways[WARM[0]].spawn() as guest:
        with pytest.raises(EOFError):
            attack(guest, text)
        assert guest.wait(LONG).reason == reason
        assert guest.kill().reason == reason  # killing what is gone changes nothing


def test_a_crash_at_the_memory_limit_is_named_so() -> None:
    assert reason_of(None, signal.SIGABRT, 2 * GIB, GIB) == "memory limit"
    assert reason_of(None, signal.SIGABRT, MIB, GIB) == "aborted"
    assert reason_of(None, signal.SIGKILL).startswith("killed by the system")
    assert reason_of(0, None) == "ended"


@pytest.mark.parametrize("name", [*WARM, *FORKING[-1:]])
def test_an_endless_loop_ends_at_the_deadline(ways: Ways, name: str) -> None:
    """Also when it ignores every signal that can be ignored."""
    text = """
import signal
for number in range(1, 65):
    try:
        signal.signal(number, signal.SIG_IGN)
    except (OSError, ValueError):
        pass
while True:
    pass
"""
    with ways[name].spawn(Limits(seconds_per_submission=1.0)) as guest:
        with pytest.raises(EOFError):
            attack(guest, text)
        assert guest.wait(LONG).reason == "killed at deadline"


def test_a_deadline_does_not_wait_for_those_who_wait() -> None:
    with Plain(SERVE) as plain, plain.spawn(Limits(seconds_per_submission=0.5)) as guest:
        ending = guest.wait(LONG)
        assert ending is not None and ending.reason == "killed at deadline"


def test_a_deadline_leaves_the_socket_to_whoever_reads_it() -> None:
    """A descriptor that another thread closes is a bad one, or somebody else's, to its reader."""
    with Plain(SERVE) as plain, plain.spawn() as guest:
        guest._end_at_deadline()
        with pytest.raises(EOFError):
            attack(guest, "answer = 1")
        assert guest.socket.fileno() >= 0
        assert guest.wait(LONG).reason == "killed at deadline"


def test_kill_gives_its_reason_once(ways: Ways) -> None:
    guest = ways[WARM[0]].spawn()
    assert guest.status() is None
    assert guest.kill("cell took too long").reason == "cell took too long"
    assert guest.kill("again").reason == guest.status().reason == "cell took too long"
    assert not Path(f"/proc/{guest.pid}").exists()


# --- the warm parent ------------------------------------------------------------------------------


def test_the_parent_survives_its_guests(ways: Ways) -> None:
    warm = ways[WARM[0]]
    first = warm.pid
    for text in ("os.abort()", "os._exit(1)", "os.kill(os.getpid(), 9)"):
        with warm.spawn() as guest, contextlib.suppress(EOFError):
            attack(guest, text)
    with warm.spawn() as guest:
        assert attack(guest, "answer = 6 * 7") == 42
    assert warm.pid == first
    children = Path(f"/proc/{first}/task/{first}/children").read_text().split()
    states = [Path(f"/proc/{c}/stat").read_text().rsplit(")", 1)[1].split()[0] for c in children]
    assert states.count("Z") <= 1  # reaped, but for the one that ends just now


def test_nothing_of_one_guest_is_in_the_next(ways: Ways) -> None:
    """The request of a guest is read by its fork: the parent never holds it."""
    warm = ways[WARM[0]]
    nonce = "nonce-of-the-first-guest"
    text = """
import gc
frame, found = sys._getframe(), []
while frame:
    found.append(repr(frame.f_locals))
    frame = frame.f_back
answer = "nonce-of-the-" + "first-guest" in "".join(found)
"""
    with warm.spawn(nonce=nonce) as first:
        assert attack(first, text) is True
    with warm.spawn() as second:
        assert second.nonce != nonce
        assert attack(second, text) is False


def test_a_dead_parent_is_replaced_and_its_guests_work_on(ways: Ways) -> None:
    with WAYS[WARM[-1]]() as warm:
        old = warm.spawn()
        first = warm.pid
        os.kill(first, signal.SIGKILL)
        with warm.spawn() as guest:
            assert attack(guest, "answer = 1") == 1
        assert warm.pid != first
        assert attack(old, "answer = 2") == 2
        _assert_swept_away(old, old.kill)
        left = warm.spawn()
    assert warm.pid == 0
    assert left.status() is not None


def test_many_threads_may_ask_at_once(ways: Ways) -> None:
    """Each gets its own guest, alone behind its own socket."""

    def one(i: int) -> tuple[int, Any]:
        with ways[WARM[0]].spawn(nonce=f"nonce-{i}") as guest:
            return i, attack(guest, "answer = nonce")

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(one, range(16))) == [(i, f"nonce-{i}") for i in range(16)]


def test_guests_end_with_the_grader() -> None:
    """A grader that is killed leaves no guest, no supervisor, no warm parent."""
    program = f"""
import os, sys
from autograder.sandbox.warm import WarmParent
warm = WarmParent({SERVE!r}, imports=(), packages=()).start()
guest = warm.spawn()
print(warm.pid, guest.pid, flush=True)
sys.stdin.read()
"""
    with subprocess.Popen(
        [sys.executable, "-c", program],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=PROJECT,
        text=True,
    ) as grader:
        pids = [int(word) for word in grader.stdout.readline().split()]
        handles = [os.pidfd_open(pid) for pid in pids]
        grader.kill()
        for handle in handles:
            ended, _, _ = select.select([handle], [], [], LONG)
            assert ended
            os.close(handle)


# --- refusing -------------------------------------------------------------------------------------

CONFINE = """
import errno, json, os, sys, types
here = {here!r}
for name, path in (("autograder", os.path.dirname(here)), ("autograder.sandbox", here)):
    sys.modules[name] = types.ModuleType(name)
    sys.modules[name].__path__ = [path]
from autograder.sandbox import confine, landlock, seccomp
from autograder.sandbox.limits import Limits
def broken(*_, **__):
    raise OSError(errno.ENOSYS, "broken for a test")
def silent(*_, **__):
    return 7
def nothing():
    return ()
results = []
for patches, surroundings in {cases!r}:
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        for name, patch in patches.items():
            module, _, function = name.partition(".")
            setattr(globals()[module], function, globals()[patch])
        try:
            confine.confine(
                Limits(), sys.argv[1], ["/usr/lib", here],
                confine.Surroundings(uid=int(sys.argv[2]) or None, **surroundings), (writer,),
            )
            os.write(writer, b"confined")
        except BaseException as error:
            os.write(writer, f"{{type(error).__name__}}: {{error}}".encode())
        os._exit(0)
    os.close(writer)
    with open(reader) as pipe:
        results.append(pipe.read())
    os.waitpid(child, 0)
print(json.dumps(results))
"""


def test_a_missing_layer_is_a_refusal(tmp_path: Path) -> None:
    """Fail closed: what nothing protects, or what only claims to protect, starts no guest."""
    cases: list[tuple[dict[str, str], dict[str, Any]]] = [
        ({}, {}),
        ({"landlock.restrict": "broken"}, {}),
        ({"landlock.restrict": "broken"}, {"private_root": True, "namespaces": True}),
        ({"seccomp.install": "broken"}, {"private_root": True, "namespaces": True}),
        ({"landlock.restrict": "silent"}, {}),
        ({"seccomp.install": "silent"}, {}),
        ({"confine._limit_resources": "broken"}, {}),
        (
            {"landlock.restrict": "broken", "confine.hidden_files": "nothing"},
            {"private_root": True, "namespaces": True},
        ),
    ]
    folder = tmp_path / "private"
    folder.mkdir()
    for path in [folder, *folder.parents][: -len(Path("/tmp").parts)]:
        with contextlib.suppress(PermissionError):
            path.chmod(0o777)
    here = str(PROJECT / "autograder" / "sandbox")
    done = subprocess.run(
        [sys.executable, "-c", CONFINE.format(here=here, cases=cases), str(folder),
         "1879048200" if ROOT else "0"],
        capture_output=True, text=True, timeout=LONG,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    results = json.loads(done.stdout)
    assert results[0] == "confined"
    assert results[1].startswith("Refused: nothing here protects files")
    assert results[2].startswith("Refused: a guest could read")  # there is no private root here
    assert results[3].startswith("Refused: nothing here protects system calls")
    assert results[4].startswith("Refused: Landlock is in force, and /etc")
    assert results[5].startswith("Refused: the system call filter is installed, and a socket")
    assert "broken for a test" in results[6]
    assert results[7] == "confined"  # a private root protects files without Landlock


@pytest.mark.parametrize("name", list(WAYS))
def test_every_guest_has_a_user_id_that_is_not_root(ways: Ways, name: str) -> None:
    """A grader that runs as root gives each guest an id of its own; the kernel knows no other."""
    guest = ways.guest(name)
    inside = attack(guest, "answer = [*os.getresuid(), *os.getresgid(), os.getgroups()]")
    assert 0 not in inside[:6]
    if "as root" in name:
        assert len(set(inside[:6])) == 1 and min(inside[:6]) >= 20_000 and inside[6] == []
    if name.startswith("warm as root"):
        with ways[name].spawn() as other:
            assert attack(other, "answer = os.getuid()") != inside[0]
        status = Path(f"/proc/{guest.pid}/status").read_text()
        assert status.split("Uid:")[1].split()[:4] == [str(inside[0])] * 4


def test_without_a_sandbox_there_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, **__: Any) -> Any:
        raise SandboxError("is not allowed here")

    for way in (WarmParent, Bubblewrap, Container):
        monkeypatch.setattr(way, "start", refuse)
    with pytest.raises(NoSandbox) as caught:
        open_sandbox()
    sentence = str(caught.value)
    assert "install bubblewrap" in sentence and "--trust-submissions" in sentence
    assert "\n" not in sentence
    with open_sandbox(trust_submissions=True) as spawner:
        assert isinstance(spawner, Plain)
    with pytest.raises(NoSandbox):
        open_sandbox("plain")
    with pytest.raises(ValueError, match="sandbox must be one of"):
        open_sandbox("jail")


# --- honest work ----------------------------------------------------------------------------------

HONEST = """
import io, sqlite3, tempfile, datetime, zoneinfo, contextlib
import numpy as np, torch, matplotlib.pyplot as plt
from torch import nn

done = []
from tqdm.auto import tqdm
with contextlib.redirect_stderr(io.StringIO()):
    assert sum(tqdm(range(10))) == 45
    from tqdm.notebook import tqdm as bar
    assert sum(bar(range(3), display=False)) == 3
done.append("tqdm")

figure, axes = plt.subplots()
axes.plot([1, 2]); axes.set_title(r"$p(x_d \\mid x_{<d})$ äß"); axes.imshow(np.eye(3))
for kind in ("png", "svg", "pdf"):
    figure.savefig(buffer := io.BytesIO(), format=kind)
    assert buffer.tell() > 1000
figure.savefig("figure.png")
done.append("matplotlib")

torch.set_num_threads(2)
a = torch.randn(300, 300, requires_grad=True)
(a @ a).relu().sum().backward()
model = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(4 * 36, 2))
optimizer = torch.optim.AdamW(model.parameters())
for x, y in torch.utils.data.DataLoader(
    torch.utils.data.TensorDataset(torch.randn(32, 1, 8, 8), torch.zeros(32, dtype=torch.long)), 8
):
    nn.functional.cross_entropy(model(x), y).backward(); optimizer.step()
torch.save(model.state_dict(), "model.pt"); torch.load("model.pt")
done.append("torch")

from sklearn.datasets import load_digits
assert load_digits().data.shape == (1797, 64)
done.append("digits")

import ipywidgets, anywidget, traitlets
class Counter(anywidget.AnyWidget):
    _esm = "export default { render() {} }"
    value = traitlets.Int(0).tag(sync=True)
counter = Counter(); counter.value = 3
slider = ipywidgets.IntSlider(value=2); slider.value = 5
assert slider.value + counter.value == 8
from IPython.display import Audio, HTML
assert "audio" in Audio(np.sin(np.arange(4000) / 9), rate=8000)._repr_html_()
done.append("widgets")

with tempfile.TemporaryDirectory() as folder, tempfile.NamedTemporaryFile() as file:
    open(folder + "/x", "w").write("x"); file.write(b"y")
import shutil
shutil.copy("model.pt", "copy.pt"); shutil.rmtree("gone", ignore_errors=True)
done.append("files")

base = sqlite3.connect(":memory:")
assert base.execute("select 1 + 1").fetchone() == (2,)
base = sqlite3.connect("notes.db"); base.execute("create table t (x)"); base.commit()
other = sqlite3.connect("notes.db"); other.execute("insert into t values (1)"); other.commit()
assert base.execute("select x from t").fetchall() == [(1,)]
done.append("sqlite")

import filelock, multiprocessing, threading
with filelock.FileLock("once.lock"), filelock.FileLock(tempfile.gettempdir() + "/twice.lock"):
    pass
held, counts = multiprocessing.RLock(), []  # tqdm's; its threads wait for one another
def count():
    for _ in range(200):
        with held:
            counts.append(len(counts))
threads = [threading.Thread(target=count) for _ in range(4)]
for thread in threads: thread.start()
for thread in threads: thread.join()
assert counts == list(range(800))
done.append("locks")

zone = zoneinfo.ZoneInfo("Europe/Berlin")
assert datetime.datetime(2026, 7, 1, tzinfo=zone).utcoffset().total_seconds() == 7200
done.append("time zones")

import xmlrpc.client, wave, scipy.optimize, scipy.signal, course.causality, asyncio
asyncio.run(asyncio.sleep(0))
import multiprocessing.dummy
assert multiprocessing.dummy.Pool(2).map(abs, [-1, 2]) == [1, 2]
import getpass, platform, os
getpass.getuser(); platform.platform(); os.cpu_count(); os.path.expanduser("~")
done.append("imports")
answer = done
"""


@pytest.mark.parametrize("name", ONCE)
def test_honest_work_works(ways: Ways, name: str) -> None:
    with ways[name].spawn() as guest:
        assert ask(guest.socket, HONEST, LONG) == [
            "tqdm",
            "matplotlib",
            "torch",
            "digits",
            "widgets",
            "files",
            "sqlite",
            "locks",
            "time zones",
            "imports",
        ]


def test_a_student_module_is_found_beside_the_notebook(ways: Ways) -> None:
    text = """
open("mine_only.py", "w").write("x = 5")
sys.path.insert(0, "")
import mine_only
answer = mine_only.x
"""
    assert attack(ways.guest(WARM[0]), text) == 5


def test_a_notebook_runs_in_the_real_guest() -> None:
    """The grader's own guest behind its own channel, in the sandbox that this machine gets."""
    from autograder.remote.client import GuestChannel

    with open_sandbox() as spawner, spawner.spawn() as guest:
        channel = GuestChannel(guest.socket, seconds=LONG)
        answer = channel.run("import torch\nprint(torch.ones(2).sum().item())\n6 * 7")
        assert answer["status"] == "ok"
        assert "2.0" in str(answer["outputs"]) and "42" in str(answer["outputs"])
        answer = channel.run("open('/etc/passwd').read(); open('/etc/hostname')")
        assert answer["status"] == "error"
        # Half-precision weights: torch asks what the processor can do, and there is no /proc.
        answer = channel.run("print(torch.ones(3, dtype=torch.float16).float().sum().item())")
        assert "3.0" in str(answer["outputs"])


# --- the pieces -----------------------------------------------------------------------------------


def test_limits_read_sizes_and_refuse_nonsense() -> None:
    limits = Limits.from_mapping({"memory_bytes": "1.5 GiB", "seconds_per_cell": "2.5", "files": 9})
    assert limits.memory_bytes == 3 * GIB // 2
    assert limits.seconds_per_cell == 2.5 and limits.files == 9
    assert Limits.from_mapping(limits.as_dict()) == limits
    for wrong, words in (
        ({"memory": 5}, "is no limit"),
        ({"memory_bytes": "much"}, "such as 512M"),
        ({"threads": "2G"}, "whole number"),
        ({"threads": 0}, "positive"),
        ({"seconds_per_cell": float("nan")}, "positive"),
        ({"seconds_per_cell": "soon"}, "number of seconds"),
        ({"threads": True}, "must be a number"),
        ({"threads": 2.5}, "must be a number"),
        ({"open_files": 3}, "at least 16"),
        ({"memory_bytes": "1M"}, "at least 64M"),
    ):
        with pytest.raises(ValueError, match=words) as caught:
            Limits.from_mapping(wrong)
        assert "\n" not in str(caught.value)


def test_the_project_and_the_home_folder_are_never_readable() -> None:
    granted = readable_paths()
    for precious in (PROJECT, PROJECT / "solutions", PROJECT / "tests", Path.home()):
        assert not any(precious.is_relative_to(os.path.realpath(path)) for path in granted)
    assert str(PROJECT / "course") in granted
    assert str(PROJECT / "autograder" / "inside") in granted
    for hidden in (PROJECT / "autograder" / "checks", PROJECT / "figures"):
        assert not any(hidden.is_relative_to(path) for path in granted)
    with pytest.raises(ValueError, match="which holds the project"):
        readable_paths([PROJECT])


def test_a_library_folder_that_holds_the_checks_is_granted_without_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As where pip has installed the course: packages beside packages, links on the way."""
    site = tmp_path / "lib" / "site-packages"
    for name in ("numpy", "course", "figures", "autograder/checks", "autograder/inside"):
        (site / name).mkdir(parents=True)
        (site / name / "__init__.py").touch()
    (tmp_path / "lib64").symlink_to("lib")
    (site / "autograder" / "itself").symlink_to(".")
    monkeypatch.setattr(readable, "_folders_of", lambda name: [str(site / name)])
    monkeypatch.setattr(readable, "_candidates", lambda: [f"{tmp_path}/lib64", f"{tmp_path}/lib"])
    found = [path for path in readable.readable_paths() if path.startswith(str(tmp_path))]
    real = {os.path.realpath(path) for path in found}
    names = ("numpy", "course", "autograder/__init__.py", "autograder/inside")
    assert real == {str(site / name) for name in names if (site / name).exists()}
    assert str(site) in readable.listed_folders()
    assert not any((site / "figures").is_relative_to(path) for path in real)


def test_a_placement_keeps_every_path_leading_where_it_led(tmp_path: Path) -> None:
    (tmp_path / "real/inner").mkdir(parents=True)
    (tmp_path / "real/file").write_text("x")
    (tmp_path / "link").symlink_to("real")
    (tmp_path / "absolute").symlink_to(tmp_path / "link/inner")
    root = os.path.realpath(tmp_path)
    found = placement([f"{root}/absolute", f"{root}/link/file", f"{root}/real/inner"])
    assert found.binds == (f"{root}/real/file", f"{root}/real/inner")
    assert dict(found.links) == {
        f"{root}/link": "real",
        f"{root}/absolute": f"{root}/link/inner",
    }
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(ValueError, match="too many symbolic links"):
        placement([f"{root}/loop"])


def test_the_host_environment_is_an_allowlist(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "planted")
    assert "planted" not in str(host_environment())
    assert host_environment()["PYTHONSAFEPATH"] == "1"


def test_a_container_gets_no_network_no_rights_and_no_disk() -> None:
    limits = Limits()
    line = " ".join(Container(engine="podman").command(limits, "guest-1"))
    for words in (
        "podman run --rm --interactive --name guest-1",
        "--network none",
        "--read-only",
        "--cap-drop ALL",
        "--security-opt no-new-privileges",
        "--user 65534:65534",
        f"--pids-limit {limits.threads + limits.processes + 8}",
        f"--memory {limits.memory_bytes + GIB}",
        "--ipc private",
        f"--tmpfs /guest:rw,nosuid,nodev,noexec,size={limits.disk_bytes}",
    ):
        assert words in line
    assert "--volume" not in line and "--mount" not in line and "--privileged" not in line


def test_a_container_talks_over_its_standard_streams(
    monkeypatch: pytest.MonkeyPatch, planted: Path
) -> None:
    """With an engine that only runs the command: the pump, the request, the confinement."""
    private = planted.parent / f"{planted.name}-private"
    private.mkdir()
    private.chmod(0o777)
    engine = planted.parent / f"{planted.name}-engine"
    words = shlex.join(PLAIN)
    engine.write_text(
        "#!/bin/sh\n"
        'if [ "$1" != run ]; then exit 0; fi\n'
        "for last; do :; done\ncd /\n"
        f"export PYTHONPATH='{PROJECT}' PYTHONSAFEPATH=1\n"
        f"exec {words} '{sys.executable}' -c \"$last\"\n"
    )
    engine.chmod(0o755)
    monkeypatch.setattr(container.confinement, "PRIVATE", str(private))
    try:
        with Container(SERVE, engine=str(engine)) as spawner, spawner.spawn() as guest:
            assert guest.layers["found"]["seccomp"] == syscalls.MACHINE
            text = "answer = comes_through(lambda: open(path))"
            assert attack(guest, text, path=str(planted / "id_rsa")) is False
            assert attack(guest, "answer = 'x' * 200_000") == "x" * 200_000
            guest.socket.shutdown(socket.SHUT_WR)
            assert guest.wait(LONG) is not None
        with pytest.raises(SandboxError, match="no container engine"):
            Container(engine="no-such-engine").start()
    finally:
        engine.unlink()
        shutil.rmtree(private, ignore_errors=True)


def test_a_probe_tells_what_went_wrong(ways: Ways) -> None:
    with pytest.raises(ProbeFailed, match="ZeroDivisionError"):
        attack(ways.guest(WARM[0]), "1 / 0")


def test_a_guest_has_everything_at_hand(ways: Ways) -> None:
    """Nothing is imported between a request and its answer; what is missing can still be."""
    full = next(name for name in (*FULL, *WARM) if name.startswith("warm"))
    with ways[full].spawn() as guest:
        missing = attack(
            guest, "answer = [n for n in names if n not in sys.modules]", names=IMPORTS
        )
    assert missing == []
