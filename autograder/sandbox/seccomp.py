"""The system call filter: what a guest may ask of the kernel is a list, and the list is short.

A filter of classic BPF (seccomp(2)). Calls of another architecture kill the process. What is not
listed fails with EPERM, or ENOSYS for calls younger than Linux 5.1, so that the C library falls
back to an older one. There is no socket, no exec, no mount, no tracing, no namespace, and, unless
`processes`, no fork.

Guests share the inodes of the libraries that they read, and the kernel hangs more on an inode than
its content: locks, leases, hints, and the queue of those who wait at a futex in a shared page. All
of that is refused, in the way that honest code lives with (`_LOCKS`, `_WAIT`).
"""

from __future__ import annotations

import ctypes
import errno
import struct

from autograder.sandbox import syscalls

_ARCHITECTURE = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
_X32 = 0x40000000  # the bit that marks calls of the x32 ABI
_FIRST_NEW = 424  # numbers are common to all architectures from here on (Linux 5.1)

_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _AND, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x54, 0x06
_ALLOW, _KILL, _ERRNO = 0x7FFF0000, 0x80000000, 0x00050000
_DENY, _ABSENT, _PRETEND = _ERRNO | errno.EPERM, _ERRNO | errno.ENOSYS, _ERRNO

_CLONE_THREAD = 0x00010000
_CLONE_NEW = 0x7E020080  # every CLONE_NEW… flag

# prctl: PDEATHSIG, dumpable (read), name, seccomp (read), bounding set (read), no_new_privs (read),
# transparent huge pages, names of mappings
_PRCTL = (1, 2, 3, 15, 16, 21, 23, 39, 41, 42, 0x53564D41)
# ioctl: close-on-exec, non-blocking, bytes waiting, is it a terminal, its size
_IOCTL = (0x5450, 0x5451, 0x5421, 0x541B, 0x5401, 0x5413)
# fcntl: what concerns the descriptor alone: duplicates, its flags, the file's status flags. Refused
# as by a kernel that does not know them: a look at locks, locks of an open file, leases, notices,
# hints, pipe sizes, who gets SIGIO.
_FCNTL = (0, 1, 2, 3, 4, 1030)
# fcntl's record locks, to set (F_SETLK, F_SETLKW). A process is never barred by its own, so that of
# a guest that is one process nobody misses them: they succeed and do nothing, and SQLite works.
_LOCKS = (6, 7)
# futex: the bit that keeps a wait to one process; the commands that wait
_PRIVATE_FUTEX, _COMMAND = 128, 0x7F
_WAIT = (0, 9)
# setsockopt on a socketpair: sizes, time limits and the like; never a packet filter
_SOCKET_OPTIONS = (2, 7, 8, 9, 13, 16, 20, 21, 66, 67)
_UNIX, _STREAM, _SEQPACKET = 1, 1, 5

_METADATA = (
    "chmod",
    "fchmod",
    "fchmodat",
    "fchmodat2",
    "utime",
    "utimes",
    "utimensat",
    "futimesat",
)

Instruction = tuple[int, int, int, int]


def _argument(index: int) -> Instruction:
    """Loads the lower half of an argument: the kernel reads no more of an int."""
    return (_LOAD, 0, 0, 16 + 8 * index)


def _among(values: tuple[int, ...], found: int) -> list[Instruction]:
    """Returns `found` if what is loaded is one of `values`; else goes on after these."""
    last = len(values) - 1
    tests = [(_EQUAL, last - i, 0 if i < last else 1, v & 0xFFFFFFFF) for i, v in enumerate(values)]
    return [*tests, (_RETURN, 0, 0, found)]


def _one_of(index: int, values: tuple[int, ...], found: int, otherwise: int) -> list[Instruction]:
    return [_argument(index), *_among(values, found), (_RETURN, 0, 0, otherwise)]


def program(
    *, pid: int, own_pid_namespace: bool, processes: bool, pretend_metadata: bool = False
) -> list[Instruction]:
    """The filter as (code, jump if true, jump if false, constant).

    pid                the guest's own process id: the only one it may signal without a namespace
    own_pid_namespace  every process that it can name is its own: signals are free
    processes          fork is allowed
    pretend_metadata   chmod and utime report success and do nothing: for a guest that has its
                       master's user id and no private root, where Landlock does not cover them
    """
    answer: list[Instruction] = [
        (_LOAD, 0, 0, 4),
        (_EQUAL, 1, 0, _ARCHITECTURE[syscalls.MACHINE]),
        (_RETURN, 0, 0, _KILL),
        (_LOAD, 0, 0, 0),
        (_AT_LEAST, 0, 1, _X32),
        (_RETURN, 0, 0, _KILL),
    ]

    def on(name: str, body: list[Instruction]) -> None:
        try:
            number = syscalls.number(name)
        except syscalls.Unsupported:
            return
        answer.append((_EQUAL, 0, len(body), number))
        answer.extend(body)

    def just(action: int) -> list[Instruction]:
        return [(_RETURN, 0, 0, action)]

    may_fork = [(_RETURN, 0, 0, _ALLOW)]
    if not processes:
        may_fork = [(_ANY_BIT, 1, 0, _CLONE_THREAD), (_RETURN, 0, 0, _DENY), *may_fork]
    on("clone", [_argument(0), (_ANY_BIT, 0, 1, _CLONE_NEW), (_RETURN, 0, 0, _DENY), *may_fork])
    on("clone3", just(_ABSENT))  # its flags lie in memory, where a filter cannot look
    on("fork", just(_ALLOW if processes else _DENY))
    on("vfork", just(_ALLOW if processes else _DENY))
    on("prctl", _one_of(0, _PRCTL, _ALLOW, _DENY))
    on("ioctl", _one_of(1, _IOCTL, _ALLOW, _ERRNO | errno.ENOTTY))
    locked = _ERRNO | errno.ENOLCK if processes else _PRETEND
    commands = [_argument(1), *_among(_FCNTL, _ALLOW), *_among(_LOCKS, locked)]
    on("fcntl", [*commands, *just(_ERRNO | errno.EINVAL)])
    on("flock", just(_ABSENT))  # as on a file system without it: then filelock makes lock files
    if processes:  # which need semaphores that several processes see
        on("futex", just(_ALLOW))
    else:
        private = [_argument(1), (_ANY_BIT, 0, 1, _PRIVATE_FUTEX), *just(_ALLOW)]
        # Whoever is told "try again" looks again, as a semaphore does; and nobody has to be woken.
        waits = [(_AND, 0, 0, _COMMAND), *_among(_WAIT, _ERRNO | errno.EAGAIN)]
        on("futex", [*private, *waits, *just(_ERRNO | errno.EINVAL)])
    for name in ("kill", "tgkill", "rt_sigqueueinfo", "rt_tgsigqueueinfo"):
        on(name, just(_ALLOW) if own_pid_namespace else _one_of(0, (pid,), _ALLOW, _DENY))
    on("tkill", just(_ALLOW if own_pid_namespace else _DENY))
    on("prlimit64", _one_of(0, (0, pid), _ALLOW, _DENY))
    on("sched_setaffinity", _one_of(0, (0, pid), _ALLOW, _DENY))
    on("setsockopt", _one_of(2, _SOCKET_OPTIONS, _ALLOW, _DENY))
    # A datagram socket could send to an address of its choice, connected or not.
    kinds = [(_AND, 0, 0, 0xF), (_EQUAL, 2, 0, _STREAM), (_EQUAL, 1, 0, _SEQPACKET)]
    on(
        "socketpair",
        [_argument(0), (_EQUAL, 0, 4, _UNIX), _argument(1), *kinds, *just(_DENY), *just(_ALLOW)],
    )
    if pretend_metadata:
        for name in _METADATA:
            on(name, just(_PRETEND))
        on("truncate", just(_DENY))  # Landlock covers it from its third version on

    plain = sorted(
        {
            n
            for g in syscalls.GROUPS
            if g not in ("by argument", "other")
            for n in syscalls.numbers(g)
        }
    )
    for low, high in _ranges(plain):
        answer.append((_AT_LEAST, 3, 0, high + 1))
        answer.append((_AT_LEAST, 0, 1, low))
        answer.append((_RETURN, 0, 0, _ALLOW))
        answer.append((_RETURN, 0, 0, _ABSENT if low > _FIRST_NEW else _DENY))
    answer.append((_RETURN, 0, 0, _ABSENT))
    return answer


def _ranges(numbers: list[int]) -> list[tuple[int, int]]:
    """Runs of consecutive numbers as (first, last)."""
    runs: list[tuple[int, int]] = []
    for n in numbers:
        if runs and runs[-1][1] == n - 1:
            runs[-1] = (runs[-1][0], n)
        else:
            runs.append((n, n))
    return runs


class _Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("filter", ctypes.c_void_p)]


def install(instructions: list[Instruction]) -> None:
    """Puts the filter on every thread of this process; needs no_new_privs; cannot be undone."""
    code = b"".join(struct.pack("=HBBI", *i) for i in instructions)
    buffer = ctypes.create_string_buffer(code, len(code))
    set_mode_filter, thread_sync = 1, 1
    packed = _Program(len(instructions), ctypes.addressof(buffer))
    syscalls.call("seccomp", set_mode_filter, thread_sync, packed)
