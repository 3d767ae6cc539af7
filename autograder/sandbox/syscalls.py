"""The system calls that the sandbox names: their numbers, and the few that it makes itself.

Numbers are those of Linux's own tables: arch/x86/entry/syscalls/syscall_64.tbl for x86_64 and
include/uapi/asm-generic/unistd.h for aarch64. `None` means that the machine has no such call.
"""

from __future__ import annotations

import ctypes
import os
import platform
from typing import Any

MACHINE = platform.machine()
COLUMNS = {"x86_64": 0, "aarch64": 1}

# What ordinary Python, numpy, torch and matplotlib need of the kernel once they are loaded. A call
# that is in no group below does not exist for a guest.
# fmt: off
GROUPS: dict[str, dict[str, tuple[int | None, int | None]]] = {
    "files": {
        "read": (0, 63), "write": (1, 64), "readv": (19, 65), "writev": (20, 66),
        "pread64": (17, 67), "pwrite64": (18, 68), "preadv": (295, 69), "pwritev": (296, 70),
        "preadv2": (327, 286), "pwritev2": (328, 287), "open": (2, None), "openat": (257, 56),
        "creat": (85, None), "close": (3, 57), "close_range": (436, 436), "lseek": (8, 62),
        "stat": (4, None), "lstat": (6, None), "fstat": (5, 80), "newfstatat": (262, 79),
        "statx": (332, 291), "access": (21, None), "faccessat": (269, 48),
        "faccessat2": (439, 439), "getdents": (78, None), "getdents64": (217, 61),
        "getcwd": (79, 17), "chdir": (80, 49), "fchdir": (81, 50), "mkdir": (83, None),
        "mkdirat": (258, 34), "rmdir": (84, None), "unlink": (87, None), "unlinkat": (263, 35),
        "rename": (82, None), "renameat": (264, 38), "renameat2": (316, 276), "link": (86, None),
        "linkat": (265, 37), "symlink": (88, None), "symlinkat": (266, 36),
        "readlink": (89, None), "readlinkat": (267, 78), "ftruncate": (77, 46),
        "fallocate": (285, 47), "fsync": (74, 82), "fdatasync": (75, 83),
        "sync_file_range": (277, 84), "fadvise64": (221, 223), "statfs": (137, 43),
        "fstatfs": (138, 44), "umask": (95, 166), "dup": (32, 23),
        "dup2": (33, None), "dup3": (292, 24), "pipe": (22, None), "pipe2": (293, 59),
        "sendfile": (40, 71), "copy_file_range": (326, 285), "chmod": (90, None),
        "fchmod": (91, 52), "fchmodat": (268, 53), "fchmodat2": (452, 452), "utime": (132, None),
        "utimes": (235, None), "utimensat": (280, 88), "futimesat": (261, None),
        "truncate": (76, 45),
    },
    "wait": {
        "poll": (7, None), "ppoll": (271, 73), "select": (23, None), "pselect6": (270, 72),
        "epoll_create": (213, None), "epoll_create1": (291, 20), "epoll_ctl": (233, 21),
        "epoll_wait": (232, None), "epoll_pwait": (281, 22), "epoll_pwait2": (441, 441),
        "eventfd": (284, None), "eventfd2": (290, 19), "signalfd": (282, None),
        "signalfd4": (289, 74), "timerfd_create": (283, 85), "timerfd_settime": (286, 86),
        "timerfd_gettime": (287, 87),
    },
    "memory": {
        "mmap": (9, 222), "munmap": (11, 215), "mprotect": (10, 226), "mremap": (25, 216),
        "madvise": (28, 233), "brk": (12, 214), "msync": (26, 227), "mincore": (27, 232),
        "mlock": (149, 228), "munlock": (150, 229), "mlock2": (325, 284),
    },
    "sockets": {
        "socketpair": (53, 199), "sendto": (44, 206), "recvfrom": (45, 207), "sendmsg": (46, 211),
        "recvmsg": (47, 212), "sendmmsg": (307, 269), "recvmmsg": (299, 243),
        "shutdown": (48, 210), "getsockname": (51, 204), "getpeername": (52, 205),
        "getsockopt": (55, 209), "setsockopt": (54, 208),
    },
    "threads": {
        "set_robust_list": (273, 99),
        "get_robust_list": (274, 100), "set_tid_address": (218, 96), "rseq": (334, 293),
        "membarrier": (324, 283), "sched_yield": (24, 124), "sched_getaffinity": (204, 123),
        "sched_getparam": (143, 121), "sched_getscheduler": (145, 120),
        "sched_get_priority_max": (146, 125), "sched_get_priority_min": (147, 126),
        "getcpu": (309, 168), "get_mempolicy": (239, 236), "gettid": (186, 178),
        "arch_prctl": (158, None), "exit": (60, 93), "exit_group": (231, 94), "wait4": (61, 260),
        "waitid": (247, 95), "restart_syscall": (219, 128),
    },
    "signals": {
        "rt_sigaction": (13, 134), "rt_sigprocmask": (14, 135), "rt_sigreturn": (15, 139),
        "rt_sigpending": (127, 136), "rt_sigsuspend": (130, 133), "rt_sigtimedwait": (128, 137),
        "sigaltstack": (131, 132), "pause": (34, None), "alarm": (37, None),
        "setitimer": (38, 103), "getitimer": (36, 102), "timer_create": (222, 107),
        "timer_settime": (223, 110), "timer_gettime": (224, 108), "timer_getoverrun": (225, 109),
        "timer_delete": (226, 111),
    },
    "clock": {
        "clock_gettime": (228, 113), "clock_getres": (229, 114), "clock_nanosleep": (230, 115),
        "nanosleep": (35, 101), "gettimeofday": (96, 169), "time": (201, None),
        "times": (100, 153),
    },
    "self": {
        "getpid": (39, 172), "getppid": (110, 173), "getpgrp": (111, None), "getpgid": (121, 155),
        "getsid": (124, 156), "setsid": (112, 157), "setpgid": (109, 154), "getuid": (102, 174),
        "geteuid": (107, 175), "getgid": (104, 176), "getegid": (108, 177),
        "getgroups": (115, 158), "getresuid": (118, 148), "getresgid": (120, 150),
        "capget": (125, 90), "getpriority": (140, 141), "getrlimit": (97, 163),
        "getrusage": (98, 165), "uname": (63, 160), "getrandom": (318, 278),
    },
    "by argument": {
        "clone": (56, 220), "clone3": (435, 435), "fork": (57, None), "vfork": (58, None),
        "prctl": (157, 167), "ioctl": (16, 29), "fcntl": (72, 25), "flock": (73, 32),
        "futex": (202, 98), "kill": (62, 129),
        "tkill": (200, 130), "tgkill": (234, 131), "rt_sigqueueinfo": (129, 138),
        "rt_tgsigqueueinfo": (297, 240), "prlimit64": (302, 261), "sched_setaffinity": (203, 122),
    },
    "other": {
        "mount": (165, 40), "umount2": (166, 39), "pivot_root": (155, 41), "unshare": (272, 97),
        "mount_setattr": (442, 442), "pidfd_open": (434, 434), "capset": (126, 91),
        "seccomp": (317, 277), "landlock_create_ruleset": (444, 444),
        "landlock_add_rule": (445, 445), "landlock_restrict_self": (446, 446),
        "socket": (41, 198), "execve": (59, 221), "execveat": (322, 281), "ptrace": (101, 117),
        "setns": (308, 268), "bpf": (321, 280), "memfd_create": (319, 279),
        "io_uring_setup": (425, 425), "keyctl": (250, 219), "userfaultfd": (323, 282),
        "perf_event_open": (298, 241), "process_vm_readv": (310, 270),
        "process_vm_writev": (311, 271), "personality": (135, 92),
        "open_by_handle_at": (304, 265), "name_to_handle_at": (303, 264),
        "kexec_load": (246, 104), "shmget": (29, 194), "msgget": (68, 186), "semget": (64, 190),
        "mq_open": (240, 180), "inotify_init1": (294, 26), "fanotify_init": (300, 262),
        "sysinfo": (99, 179), "futex_waitv": (449, 449), "setxattr": (188, 5),
        "getxattr": (191, 8), "cachestat": (451, 451),
    },
}
# fmt: on

_libc = ctypes.CDLL(None, use_errno=True)
_libc.syscall.restype = ctypes.c_long


class Unsupported(OSError):
    """This machine or kernel has no such system call."""


def number(name: str) -> int:
    """The number of the call `name` on this machine."""
    column = COLUMNS.get(MACHINE)
    if column is None:
        raise Unsupported(f"the sandbox knows x86_64 and aarch64: this machine is {MACHINE}")
    for group in GROUPS.values():
        if name in group:
            found = group[name][column]
            if found is not None:
                return found
    raise Unsupported(f"{MACHINE} has no system call {name}")


def numbers(group: str) -> list[int]:
    """The numbers of a group's calls on this machine."""
    column = COLUMNS[MACHINE]
    return [n for pair in GROUPS[group].values() if (n := pair[column]) is not None]


Argument = int | bytes | str | ctypes.Array[Any] | ctypes.Structure | None


def _argument(value: Argument) -> object:
    if value is None:
        return ctypes.c_void_p(0)
    if isinstance(value, int):
        return ctypes.c_ulong(value & 0xFFFFFFFFFFFFFFFF)
    if isinstance(value, str):
        return ctypes.c_char_p(os.fsencode(value))
    if isinstance(value, bytes):
        return ctypes.c_char_p(value)
    return ctypes.byref(value)


def call(name: str, *arguments: Argument) -> int:
    """Makes the system call `name`; raises OSError when it fails."""
    result: int = _libc.syscall(ctypes.c_long(number(name)), *map(_argument, arguments))
    if result == -1:
        error = ctypes.get_errno()
        raise OSError(error, f"{name}: {os.strerror(error)}")
    return result


# mount(2)
MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC = 1, 2, 4, 8
MS_REMOUNT, MS_BIND, MS_REC, MS_PRIVATE = 32, 4096, 16384, 1 << 18
MNT_DETACH = 2
# unshare(2)
CLONE_NEWNS, CLONE_NEWCGROUP, CLONE_NEWUTS = 0x00020000, 0x02000000, 0x04000000
CLONE_NEWIPC, CLONE_NEWUSER = 0x08000000, 0x10000000
CLONE_NEWPID, CLONE_NEWNET = 0x20000000, 0x40000000
# prctl(2)
PR_SET_PDEATHSIG, PR_GET_DUMPABLE, PR_SET_DUMPABLE, PR_GET_SECCOMP = 1, 3, 4, 21
PR_CAPBSET_READ, PR_CAPBSET_DROP, PR_SET_SECUREBITS = 23, 24, 28
PR_SET_NO_NEW_PRIVS, PR_GET_NO_NEW_PRIVS, PR_CAP_AMBIENT = 38, 39, 47
PR_CAP_AMBIENT_CLEAR_ALL = 4


def prctl(option: int, *arguments: int) -> int:
    """prctl(2) with its unused arguments 0."""
    padded = (*arguments, 0, 0, 0, 0)[:4]
    return call("prctl", option, *padded)


def mount(source: str | None, target: str, kind: str | None, flags: int, data: str = "") -> None:
    """mount(2); the error names the target."""
    try:
        call("mount", source, target, kind, flags, data or None)
    except OSError as error:
        raise OSError(error.errno, f"{error.strerror} at {target}") from None


class _MountAttributes(ctypes.Structure):
    _fields_ = [(n, ctypes.c_uint64) for n in ("set", "clear", "propagation", "userns")]


def read_only(target: str) -> None:
    """Makes `target`, and every mount below it, read-only, without devices and set-user-id."""
    at_fdcwd, at_recursive = -100, 0x8000
    attributes = _MountAttributes(MS_RDONLY | MS_NOSUID | MS_NODEV)
    call("mount_setattr", at_fdcwd, target, at_recursive, attributes, ctypes.sizeof(attributes))
