"""A guest from a cold start, in bubblewrap, a container or nothing: confines itself, then serves.

Run by its path, not with -m: importing the package `autograder` may load torch, whose threads
Landlock would not bind. So the sandbox is imported alone, confinement comes first, then the rest.

    cold.py FD       a connected socket that was inherited
    cold.py --stdio  standard input and output, for containers: a pump carries them to a socket

The first line that arrives is the request, the first that leaves says what is in force.
"""

from __future__ import annotations

import contextlib
import functools
import importlib
import importlib.machinery
import json
import os
import select
import shutil
import signal
import socket
import sys
import types
from collections.abc import Callable
from typing import Any

LONGEST_REQUEST = 2**20


def main(arguments: list[str]) -> None:
    """Serves until the connection closes; never returns."""
    if arguments == ["--stdio"]:
        connection = _pumped()
    else:
        connection = socket.socket(fileno=os.dup2(int(arguments[0]), 3))
    request = json.loads(_line(connection))
    try:
        report, hand_over = _confine(request, connection)
        module, _, name = request["serve"].partition(":")
        serve = getattr(importlib.import_module(module), name)
    except BaseException as error:
        connection.sendall(json.dumps({"refused": str(error)}).encode() + b"\n")
        os._exit(70)
    connection.sendall(json.dumps(report).encode() + b"\n")
    code = 0
    try:
        hand_over(serve, connection, request["nonce"])
    except SystemExit as error:
        code = error.code if isinstance(error.code, int) else 1
    except BaseException:
        code = 71
    os._exit(code & 0xFF)


def _line(connection: socket.socket) -> bytes:
    received = bytearray()
    while not received.endswith(b"\n") and len(received) < LONGEST_REQUEST:
        byte = connection.recv(1)
        if not byte:
            os._exit(0)
        received += byte
    return bytes(received)


def _confine(
    request: dict[str, Any], connection: socket.socket
) -> tuple[dict[str, Any], Callable[..., None]]:
    """Imports the sandbox without the rest of its package, confines, forgets the import.

    Returns the report, and what hands the guest over to student code.
    """
    here = os.path.dirname(os.path.abspath(__file__))
    package = types.ModuleType("autograder")
    package.__path__ = [os.path.dirname(here)]
    package.__spec__ = importlib.machinery.ModuleSpec("autograder", None, is_package=True)
    package.__spec__.submodule_search_locations = package.__path__
    inner = types.ModuleType("autograder.sandbox")
    inner.__path__ = [here]
    sys.modules.update({"autograder": package, "autograder.sandbox": inner})
    confinement = importlib.import_module("autograder.sandbox.confine")
    limits = importlib.import_module("autograder.sandbox.limits").Limits.from_mapping(
        request["limits"]
    )
    workdir, found, kept = request["workdir"], {}, {}
    readable = request["readable"]
    if readable is None:  # a container's own paths, which nobody outside knows
        readable = importlib.import_module("autograder.sandbox.readable").readable_paths()
    if request["confine"]:
        layers = confinement.confine(
            limits,
            workdir,
            readable,
            confinement.Surroundings(
                namespaces=True,
                uid=request["uid"],
                outer=frozenset(request["outer"]),
                own_status=True,
            ),
            (connection.fileno(),),
            seed=request["seed"],
            libraries_to_come=True,
        )
        found, kept = layers.found, layers.kept
    else:
        confinement.make_folders(workdir)
        os.environ.update(confinement.guest_environment(workdir, limits, os.environ))
        os.chdir(f"{workdir}/work")
    _take_fonts(request["fonts"])
    for name in [name for name in sys.modules if name.partition(".")[0] == "autograder"]:
        del sys.modules[name]
    importlib.import_module(request["serve"].partition(":")[0])
    with contextlib.suppress(ImportError):
        importlib.import_module("torch")
        importlib.import_module("numpy")
    confinement.reseed(request["seed"], limits)
    if request["confine"]:
        confinement.limit_memory(limits)
    hand_over = functools.partial(confinement.hand_over, limits=limits)
    return {"layers": {"found": found, "kept": kept}}, hand_over


def _take_fonts(folder: str | None) -> None:
    """Copies matplotlib's list of fonts, which takes a second to make."""
    if folder and os.path.isdir(folder):
        target = os.environ["MPLCONFIGDIR"]
        os.makedirs(target, exist_ok=True)
        for name in os.listdir(folder):
            if name.startswith("fontlist"):
                with contextlib.suppress(OSError):
                    shutil.copyfile(f"{folder}/{name}", f"{target}/{name}")


def _pumped() -> socket.socket:
    """Forks: the child goes on with a socket, this process carries bytes until the child ends."""
    ours, theirs = socket.socketpair()
    guest = os.fork()
    if guest == 0:
        ours.close()
        os.set_inheritable(theirs.fileno(), False)
        return socket.socket(fileno=os.dup2(theirs.detach(), 3))
    theirs.close()
    with contextlib.suppress(OSError), ours:
        _pump(0, ours, 1)
    with contextlib.suppress(ProcessLookupError):
        os.kill(guest, signal.SIGKILL)
    code = os.waitstatus_to_exitcode(os.waitpid(guest, 0)[1])
    os._exit(code if code >= 0 else 128 - code)


def _pump(incoming: int, middle: socket.socket, outgoing: int) -> None:
    """Carries bytes both ways until either side closes."""
    ends: list[int | socket.socket] = [incoming, middle]
    while True:
        ready, _, _ = select.select(ends, [], [])
        if incoming in ready:
            data = os.read(incoming, 65536)
            if not data:
                return
            middle.sendall(data)
        if middle in ready:
            data = middle.recv(65536)
            if not data:
                return
            while data:
                data = data[os.write(outgoing, data) :]


if __name__ == "__main__":
    main(sys.argv[1:])
