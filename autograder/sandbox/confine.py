"""Confinement: how a freshly started process gives up everything before it reads student code.

Three steps, each irreversible, in this order:

 1. `enter_namespaces` (in the supervisor, a fork of the warm parent, where the kernel allows it):
    an own view of processes, network, hostname and System V objects; a plain user first takes a
    user namespace.
 2. `build_private_root` (in the guest): a root of read-only binds of what it may read, with a
    private folder in memory; the old root is gone.
 3. `confine` (in the guest): an unprivileged user, no capabilities, no way back (no_new_privs),
    resource limits, a scrubbed environment, no descriptor but its socket, Landlock, seccomp.

`confine` then TRIES what must not work, and reports what is in force. A promise that no layer
keeps raises `Refused`: the process must end without reading a byte of student code. The promises,
and what keeps each (one is enough, all that the machine has are used):

    files             a private root, Landlock, or the outer sandbox
    network           a network namespace, and seccomp: there is no socket()
    other processes   a process namespace, an own user id, or seccomp: it may signal itself alone
    leftovers         a process namespace, or seccomp: nothing can be forked
    privileges        not root, no capabilities, no_new_privs
    memory            resource limits
    system calls      seccomp

So a machine without namespaces (a container with its default settings) is good enough with
Landlock and seccomp; without Landlock it needs namespaces; without seccomp there is no sandbox.
"""

from __future__ import annotations

import contextlib
import ctypes
import importlib
import inspect
import os
import random
import resource
import socket
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from autograder.sandbox import landlock, seccomp, syscalls
from autograder.sandbox.limits import GIB, MIB, Limits
from autograder.sandbox.readable import DEVICES, Placement, hidden_files, listed_folders

PRIVATE = "/guest"  # the private folder in a private root
SOCKET_FD = 3  # where a guest finds its socket

# User ids that no distribution gives to anybody: 0x70000000 up (systemd, "Users, Groups, UIDs and
# GIDs", calls them unused). One is added for each process id, so that no two guests share one.
FIRST_UID = 0x70000000
_INNER_ID = 1000  # what a plain user is called inside its user namespace

_NAMESPACES = (
    syscalls.CLONE_NEWPID
    | syscalls.CLONE_NEWNET
    | syscalls.CLONE_NEWIPC
    | syscalls.CLONE_NEWUTS
    | syscalls.CLONE_NEWCGROUP
)


class Refused(Exception):
    """A layer that is required could not be put in force; the message says which and why."""


@dataclass(frozen=True)
class Surroundings:
    """What holds a guest from outside, told to `confine`.

    private_root   its root was built by `build_private_root`
    namespaces     processes, network and System V objects are its own
    uid            the user id to take, None to keep the present one
    outer          promises that an outer sandbox keeps: bubblewrap, a container
    own_proc       /proc shows the guest's own process namespace, and nothing of the machine
    own_status     only the guest's own folder in /proc is its to read, and /proc/cpuinfo
    """

    private_root: bool = False
    namespaces: bool = False
    uid: int | None = None
    outer: frozenset[str] = frozenset()
    own_proc: bool = False
    own_status: bool = False


@dataclass
class Layers:
    """What is in force, for the report and for the doctor."""

    found: dict[str, Any] = field(default_factory=dict)
    kept: dict[str, list[str]] = field(default_factory=dict)

    def keep(self, promise: str, layer: str) -> None:
        """Notes that `layer` keeps `promise`."""
        self.kept.setdefault(promise, []).append(layer)


PROMISES = (
    "files",
    "network",
    "other processes",
    "leftovers",
    "privileges",
    "memory",
    "system calls",
)


# --- 1. namespaces --------------------------------------------------------------------------------


def enter_namespaces() -> None:
    """Gives this process, and its future children, namespaces of their own; raises OSError.

    Root does without a user namespace and keeps its rights until `confine`; a plain user gets the
    rights over the new namespaces, and over nothing else.
    """
    uid, gid = os.geteuid(), os.getegid()
    flags = _NAMESPACES
    if uid != 0:
        syscalls.prctl(syscalls.PR_SET_DUMPABLE, 1)  # else /proc/self belongs to root
        flags |= syscalls.CLONE_NEWUSER
    syscalls.call("unshare", flags)
    if uid != 0:
        for name, text in (
            ("setgroups", "deny"),
            ("uid_map", f"{_INNER_ID} {uid} 1"),
            ("gid_map", f"{_INNER_ID} {gid} 1"),
        ):
            with open(f"/proc/self/{name}", "w") as file:
                file.write(text)
        syscalls.prctl(syscalls.PR_SET_DUMPABLE, 0)
    with contextlib.suppress(OSError):
        socket.sethostname("guest")


def fresh_uid(pid: int) -> int:
    """A user id for one guest of a grader that runs as root; unique while process `pid` lives.

    Raises Refused when the ids that this root may give away (in a rootless container, say) do not
    include one.
    """
    ranges = []
    with open("/proc/self/uid_map") as file:
        for line in file:
            inside, _, count = map(int, line.split())
            ranges.append((inside, count))
    for inside, count in ranges:
        if inside <= FIRST_UID and FIRST_UID + pid < inside + count:
            return FIRST_UID + pid
    for inside, count in ranges:
        low = max(inside, 20_000)
        if (room := inside + count - low) > 1_000:
            return low + pid % room
    raise Refused("this root may not give away user ids: start the grader as a plain user")


# --- 2. a private root ----------------------------------------------------------------------------


def build_private_root(where: Placement, limits: Limits, owner: int) -> bool:
    """Replaces the root by read-only binds and a private folder; True if there is a /proc.

    Needs rights over the present namespaces. `owner` is the user id that the private folder gets.
    The steps are bubblewrap's: a tmpfs becomes the root, the old root stays below it while binds
    are made, then goes.
    """
    mount, plain = syscalls.mount, syscalls.MS_NOSUID | syscalls.MS_NODEV
    os.umask(0o022)
    syscalls.call("unshare", syscalls.CLONE_NEWNS)
    mount(None, "/", None, syscalls.MS_REC | syscalls.MS_PRIVATE)
    mount("tmpfs", "/tmp", "tmpfs", plain, "size=4m,mode=0755")
    os.mkdir("/tmp/old")
    os.mkdir("/tmp/new")
    os.chdir("/tmp")
    syscalls.call("pivot_root", "/tmp", "/tmp/old")
    os.chdir("/")
    mount("tmpfs", "/new", "tmpfs", plain, "size=4m,mode=0755")

    for path in where.binds:
        _bind(path)
    for link, target in where.links:
        os.makedirs(os.path.dirname("/new" + link), exist_ok=True)
        with contextlib.suppress(FileExistsError):
            os.symlink(target, "/new" + link)
    for folder in ("/etc", "/dev/shm", "/proc", "/tmp", PRIVATE):
        os.makedirs("/new" + folder, exist_ok=True)
    _write_users(owner)
    for device in DEVICES:
        open("/new" + device, "w").close()
    syscalls.read_only("/new")

    private, safe = "/new" + PRIVATE, plain | syscalls.MS_NOEXEC
    room = f"size={limits.disk_bytes},nr_inodes={limits.files + 16}"
    mount("tmpfs", private, "tmpfs", safe, f"{room},mode=0700,uid={owner},gid={owner}")
    make_folders(private, owner)
    for name, target in (("tmp", "/new/tmp"), ("shm", "/new/dev/shm")):
        if not any(path.startswith("/tmp/") for path in where.binds) or name == "shm":
            mount(f"{private}/{name}", target, None, syscalls.MS_BIND)
    for device in DEVICES:
        with contextlib.suppress(OSError):
            mount("/old" + device, "/new" + device, None, syscalls.MS_BIND)
    has_proc = True
    try:
        mount("proc", "/new/proc", "proc", safe, "subset=pid,hidepid=invisible")
    except OSError:  # an old kernel, or a container that hides parts of /proc
        has_proc = False
    os.chdir("/new")
    syscalls.call("pivot_root", ".", ".")
    syscalls.call("umount2", ".", syscalls.MNT_DETACH)
    os.chdir("/")
    return has_proc


def _bind(path: str) -> None:
    source, target = "/old" + path, "/new" + path
    if os.path.isdir(source):
        os.makedirs(target, exist_ok=True)
    else:
        os.makedirs(os.path.dirname(target), exist_ok=True)
        open(target, "w").close()
    syscalls.mount(source, target, None, syscalls.MS_BIND | syscalls.MS_REC)


def _write_users(uid: int) -> None:
    with open("/new/etc/passwd", "w") as file:
        file.write(f"guest:x:{uid}:{uid}:guest:{PRIVATE}/home:/bin/false\n")
    with open("/new/etc/group", "w") as file:
        file.write(f"guest:x:{uid}:\n")


def make_folders(private: str, owner: int | None = None) -> None:
    for name in ("home", "tmp", "work", "shm"):
        path = f"{private}/{name}"
        os.makedirs(path, mode=0o700, exist_ok=True)
        if owner is not None and os.geteuid() == 0:
            os.chown(path, owner, owner)


# --- 3. the process itself ------------------------------------------------------------------------


def confine(
    limits: Limits,
    workdir: str,
    readable: Iterable[str],
    surroundings: Surroundings,
    keep: Iterable[int] = (),
    *,
    seed: int | None = None,
    libraries_to_come: bool = False,
) -> Layers:
    """Takes every right from this process; call it before a byte of student code is read.

    `workdir` is the private folder, `readable` what it may read, `keep` the descriptors that stay
    open besides 0, 1 and 2, which become /dev/null. `seed` seeds the generators (None: fresh).
    `libraries_to_come` leaves room for imports; `limit_memory` takes what they did not use.
    Returns what is in force; raises Refused or OSError, after which the process must end.
    """
    if len(os.listdir("/proc/self/task") if os.path.isdir("/proc/self/task") else ["1"]) > 1:
        raise Refused("Landlock binds one thread: this process has several before it is confined")
    layers = Layers()
    # Looked up while this process may still look: afterwards it could find nothing to try.
    hidden, listed = hidden_files(), listed_folders()
    for promise in surroundings.outer:
        layers.keep(promise, "outer sandbox")
    base = memory_in_use()
    if libraries_to_come:
        base = (base[0] + 2 * GIB, base[1] + GIB)
    tasks = _tasks_of_this_user() if _shares_its_user(surroundings) else 0
    with contextlib.suppress(OSError), open("/proc/self/oom_score_adj", "w") as file:
        file.write("1000")  # if memory runs out, this goes first
    _quiet_standard_streams()
    close_all_but(keep)
    _drop_identity(surroundings, layers)
    _scrub_environment(workdir, limits)
    os.umask(0o077)
    make_folders(workdir)
    os.chdir(f"{workdir}/work")
    _limit_resources(limits, base, tasks)
    layers.keep("memory", "resource limits")
    reseed(seed, limits)
    _restrict_files(workdir, readable, listed, surroundings, layers)
    _filter_calls(limits, surroundings, layers)
    if surroundings.private_root:
        layers.keep("files", "private root")
    if surroundings.namespaces:
        for promise in ("network", "other processes", "leftovers"):
            layers.keep(promise, "namespace")
    _try_what_must_fail(layers)
    missing = [promise for promise in PROMISES if not layers.kept.get(promise)]
    if missing:
        why = "; ".join(f"no {k}: {v}" for k, v in layers.found.items() if isinstance(v, str))
        raise Refused(f"nothing here protects {', '.join(missing)} ({why or 'no layer applies'})")
    for path in hidden:
        if _opens(path):
            raise Refused(
                f"a guest could read {path}, which answers exercises: Landlock, namespaces or "
                "bubblewrap would keep it out, and an image must not hold it (see the Dockerfile)"
            )
    return layers


def _opens(path: str) -> bool:
    try:
        os.close(os.open(path, os.O_RDONLY))
    except OSError:
        return False
    return True


def _quiet_standard_streams() -> None:
    null = os.open("/dev/null", os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(null, stream)
    if null > 2:
        os.close(null)


def close_all_but(keep: Iterable[int]) -> None:
    low = 3
    for descriptor in sorted(set(keep)):
        if descriptor > low:
            _close(low, descriptor - 1)
        low = descriptor + 1
    _close(low, 2**31 - 1)


def _close(first: int, last: int) -> None:
    try:
        syscalls.call("close_range", first, last, 0)
    except OSError:  # before Linux 5.9
        most = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
        os.closerange(first, min(last, most) + 1)


def _drop_identity(surroundings: Surroundings, layers: Layers) -> None:
    """An unprivileged user without capabilities, for good."""
    for capability in range(64):
        try:
            if syscalls.prctl(syscalls.PR_CAPBSET_READ, capability):
                syscalls.prctl(syscalls.PR_CAPBSET_DROP, capability)
        except PermissionError:
            break  # a plain user: it has none to lose, and no_new_privs bars the way to more
        except OSError:
            break  # beyond the kernel's last
    with contextlib.suppress(OSError):
        syscalls.prctl(syscalls.PR_SET_SECUREBITS, 0x2F)  # root means nothing any more; locked
    uid = surroundings.uid
    if uid is not None:
        os.setgroups([])
        os.setresgid(uid, uid, uid)
        os.setresuid(uid, uid, uid)
        layers.keep("other processes", f"own user id {uid}")
    with contextlib.suppress(OSError):
        syscalls.prctl(syscalls.PR_CAP_AMBIENT, syscalls.PR_CAP_AMBIENT_CLEAR_ALL)
    header = (ctypes.c_uint32 * 2)(0x20080522, 0)
    nothing = (ctypes.c_uint32 * 6)()
    syscalls.call("capset", header, nothing)
    syscalls.prctl(syscalls.PR_SET_NO_NEW_PRIVS, 1)
    syscalls.prctl(syscalls.PR_SET_DUMPABLE, 0)
    syscalls.prctl(syscalls.PR_SET_PDEATHSIG, 9)  # a change of user id forgets it: set it last
    if 0 in (*os.getresuid(), *os.getresgid()):
        raise Refused("the guest would still be root")
    layers.found["user id"] = os.getuid()
    layers.keep("privileges", "no root, no capabilities, no_new_privs")


ENVIRONMENT_KEPT = ("TZ", "LANG", "LC_ALL", "PYTHONHASHSEED")


def guest_environment(workdir: str, limits: Limits, present: Mapping[str, str]) -> dict[str, str]:
    """The whole environment of a guest: an allowlist, and folders inside its own."""
    kept = {name: present[name] for name in ENVIRONMENT_KEPT if name in present}
    return {
        "PATH": "/usr/bin:/bin",
        "LANG": "C.UTF-8",
        **kept,
        "HOME": f"{workdir}/home",
        "USER": "guest",
        "LOGNAME": "guest",
        "TMPDIR": f"{workdir}/tmp",
        "MPLCONFIGDIR": f"{workdir}/home/.matplotlib",
        "MPLBACKEND": "module://matplotlib_inline.backend_inline",
        "IPYTHONDIR": f"{workdir}/home/.ipython",
        "OMP_NUM_THREADS": str(limits.torch_threads),
        "MALLOC_ARENA_MAX": "2",
        "PYTHONDONTWRITEBYTECODE": "1",
    }


def _scrub_environment(workdir: str, limits: Limits) -> None:
    wanted = guest_environment(workdir, limits, os.environ)
    os.environ.clear()
    os.environ.update(wanted)
    if (tempfile := sys.modules.get("tempfile")) is not None:
        vars(tempfile)["tempdir"] = None


def _limit_resources(limits: Limits, base: tuple[int, int], tasks: int) -> None:
    """Resource limits; `base` is what the libraries hold already, `tasks` what the user runs."""
    size, data = base
    wanted = {
        "AS": size + limits.memory_bytes + GIB,
        "DATA": data + limits.memory_bytes,
        "FSIZE": limits.file_bytes,
        "NOFILE": limits.open_files,
        "NPROC": tasks + limits.threads + limits.processes + 2,  # supervisor and init may count
        "CORE": 0,
        "MEMLOCK": MIB,
        "MSGQUEUE": 0,
        "SIGPENDING": 256,
        "RTPRIO": 0,
        "NICE": 0,
    }
    for name, value in wanted.items():
        which = getattr(resource, f"RLIMIT_{name}", None)
        if which is None:
            continue
        _, hard = resource.getrlimit(which)
        if hard != resource.RLIM_INFINITY:
            value = min(value, hard)
        resource.setrlimit(which, (value, value))


def limit_memory(limits: Limits) -> None:
    """Lowers the memory limits to what is held now and what is allowed on top."""
    size, data = memory_in_use()
    for which, value in (
        (resource.RLIMIT_AS, size + limits.memory_bytes + GIB),
        (resource.RLIMIT_DATA, data + limits.memory_bytes),
    ):
        _, hard = resource.getrlimit(which)
        if hard == resource.RLIM_INFINITY or value < hard:
            resource.setrlimit(which, (value, value))


def memory_in_use() -> tuple[int, int]:
    """Bytes of address space, and of private data, that this process has now (proc(5), statm)."""
    page = resource.getpagesize()
    try:
        with open("/proc/self/statm") as file:
            numbers = [int(word) for word in file.read().split()]
    except OSError:
        return GIB, GIB
    return numbers[0] * page, numbers[5] * page


def _shares_its_user(surroundings: Surroundings) -> bool:
    """Whether the kernel counts this guest's threads together with its master's."""
    if surroundings.uid is not None:
        return False
    if not surroundings.namespaces:
        return True
    release = os.uname().release.split(".")
    return (int(release[0]), int(release[1].split("-")[0])) < (5, 14)  # counted by namespace since


def _tasks_of_this_user() -> int:
    """Threads that the present user runs, whatever they are."""
    uid, total = os.getuid(), 0
    with contextlib.suppress(OSError):
        for name in os.listdir("/proc"):
            if not name.isdigit():
                continue
            with contextlib.suppress(OSError):
                if os.stat(f"/proc/{name}").st_uid == uid:
                    total += len(os.listdir(f"/proc/{name}/task"))
    return total


def reseed(seed: int | None, limits: Limits) -> None:
    """Fresh random states: children of one warm parent would all draw the same."""
    if seed is None:
        seed = int.from_bytes(os.urandom(8), "big")
    random.seed(seed)
    if (numpy := sys.modules.get("numpy")) is not None:
        numpy.random.seed(seed % 2**32)
    if (torch := sys.modules.get("torch")) is not None:
        torch.set_num_threads(limits.torch_threads)
        torch.manual_seed(seed % 2**63)


def _restrict_files(
    workdir: str,
    readable: Iterable[str],
    listed: Iterable[str],
    surroundings: Surroundings,
    layers: Layers,
) -> None:
    rules = [(path, landlock.READ) for path in readable]
    rules += [(device, landlock.DEVICE) for device in DEVICES]
    rules.append((workdir, landlock.WRITE))
    if surroundings.private_root or "files" in surroundings.outer:
        # The root holds nothing but what may be seen; importing lists the folders on the way.
        rules.append(("/", landlock.LIST))
        rules += [(path, landlock.READ) for path in ("/etc/passwd", "/etc/group")]
        if workdir == PRIVATE:
            rules += [(path, landlock.WRITE) for path in ("/tmp", "/dev/shm")]
    else:
        rules += [(folder, landlock.LIST) for folder in listed]
    if surroundings.own_proc:
        rules.append(("/proc", landlock.READ))
    if surroundings.own_status:
        rules += [(path, landlock.READ) for path in ("/proc/self/", "/proc/cpuinfo")]
    try:
        layers.found["landlock"] = landlock.restrict(rules)
        layers.keep("files", "Landlock")
    except OSError as error:
        layers.found["landlock"] = str(error.strerror or error)


def _filter_calls(limits: Limits, surroundings: Surroundings, layers: Layers) -> None:
    own = surroundings.namespaces
    # Without a process namespace a fork could outlive the submission.
    forks = limits.processes > 1 and own
    walled = surroundings.private_root or surroundings.outer
    same_user = surroundings.uid is None and not walled
    _sort_once()
    try:
        seccomp.install(
            seccomp.program(
                pid=os.getpid(), own_pid_namespace=own, processes=forks, pretend_metadata=same_user
            )
        )
    except OSError as error:
        layers.found["seccomp"] = str(error.strerror or error)
        return
    layers.found["seccomp"] = syscalls.MACHINE
    layers.keep("system calls", "seccomp")
    layers.keep("network", "seccomp")
    if not own:
        layers.keep("other processes", "seccomp")
    if not forks:
        layers.keep("leftovers", "seccomp")


def _sort_once() -> None:
    """Lets the C library ask once how much memory there is (before glibc 2.37 qsort does).

    It looks at no error, so that behind the filter the way it sorts would be left to chance.
    """
    libc, nothing = ctypes.CDLL(None), ctypes.create_string_buffer(4096)
    libc.qsort(nothing, ctypes.c_size_t(4096), ctypes.c_size_t(1), libc.strcmp)


def _try_what_must_fail(layers: Layers) -> None:
    """Believes no return code: tries, and raises Refused if something works that must not."""

    def works(attempt: Any, *arguments: Any) -> bool:
        try:
            attempt(*arguments)
        except OSError:
            return False
        return True

    if "seccomp" in layers.kept.get("network", ()):
        if works(socket.socket, socket.AF_INET, socket.SOCK_STREAM):
            raise Refused("the system call filter is installed, and a socket opens all the same")
        if works(syscalls.call, "ptrace", 0, 0, 0, 0):
            raise Refused("the system call filter is installed, and ptrace works all the same")
    if "Landlock" in layers.kept.get("files", ()):
        for path in ("/etc/hostname", "/etc/shadow", "/proc/1/environ", "/proc/loadavg"):
            if works(os.open, path, os.O_RDONLY):
                raise Refused(f"Landlock is in force, and {path} opens all the same")
    if works(os.setuid, 0):
        raise Refused("the guest can become root")


def hand_over(
    serve: Callable[..., None], connection: socket.socket, nonce: str, limits: Limits
) -> None:
    """Calls `serve(connection, nonce)`; one that takes an `output_limit` gets that of `limits`."""
    importlib.import_module("autograder.remote.hidden").hide()
    more: dict[str, Any] = {}
    if "output_limit" in inspect.signature(serve).parameters:
        more["output_limit"] = limits.output_bytes
    serve(connection, nonce, **more)
