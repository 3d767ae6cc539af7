"""Landlock: the files that a guest may read and write, by the kernel, without any privilege.

Landlock (Salaün, landlock(7); Linux 5.13) lets a process give up rights for good. What is granted
is listed; everything else is refused, also through links, /proc and descriptors opened later. The
highest version that the kernel has is used: moves between folders (2), truncation (3), TCP (4),
device controls (5), signals and abstract sockets (6).
"""

from __future__ import annotations

import ctypes
import os
import stat
from collections.abc import Iterable

from autograder.sandbox import syscalls

_EXECUTE, _WRITE, _READ, _LIST = 1 << 0, 1 << 1, 1 << 2, 1 << 3
_REMOVE_DIR, _REMOVE, _CHAR, _DIR, _REGULAR, _SOCKET, _FIFO, _BLOCK, _SYMLINK = (
    1 << bit for bit in range(4, 13)
)
_REFER, _TRUNCATE, _IOCTL = 1 << 13, 1 << 14, 1 << 15
_FILE_RIGHTS = _EXECUTE | _WRITE | _READ | _TRUNCATE | _IOCTL

READ = _READ | _LIST
LIST = _LIST
WRITE = (
    READ | _WRITE | _REMOVE_DIR | _REMOVE | _DIR | _REGULAR | _FIFO | _SYMLINK | _REFER | _TRUNCATE
)
DEVICE = _READ | _WRITE | _TRUNCATE


class _Ruleset(ctypes.Structure):
    _fields_ = [("files", ctypes.c_uint64), ("net", ctypes.c_uint64), ("scoped", ctypes.c_uint64)]


class _Beneath(ctypes.Structure):
    _pack_ = 1
    _fields_ = [("allowed", ctypes.c_uint64), ("parent", ctypes.c_int32)]


def version() -> int:
    """The version of Landlock that this kernel has; 0 for none."""
    try:
        return syscalls.call("landlock_create_ruleset", None, 0, 1)
    except OSError:
        return 0


def restrict(rules: Iterable[tuple[str, int]]) -> int:
    """Leaves this thread only the rights of `rules`, pairs of a path and READ, WRITE, …

    A path that does not exist is passed over. Nothing may be executed and no TCP used. Needs
    no_new_privs. Returns the version that is in force; raises OSError if the kernel has none.
    """
    found = syscalls.call("landlock_create_ruleset", None, 0, 1)
    handled = (1 << 13) - 1
    handled |= _REFER if found >= 2 else 0
    handled |= _TRUNCATE if found >= 3 else 0
    handled |= _IOCTL if found >= 5 else 0
    ruleset = _Ruleset(handled, 0b11 if found >= 4 else 0, 0b11 if found >= 6 else 0)
    size = 8 if found < 4 else 16 if found < 6 else 24
    handle = syscalls.call("landlock_create_ruleset", ruleset, size, 0)
    try:
        for path, rights in rules:
            try:
                where = os.open(path, os.O_PATH | os.O_CLOEXEC)
            except OSError:
                continue
            try:
                if not stat.S_ISDIR(os.fstat(where).st_mode):
                    rights &= _FILE_RIGHTS
                beneath = _Beneath(rights & handled, where)
                syscalls.call("landlock_add_rule", handle, 1, beneath, 0)
            finally:
                os.close(where)
        syscalls.call("landlock_restrict_self", handle, 0)
    finally:
        os.close(handle)
    return found
