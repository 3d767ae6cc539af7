"""A PostgreSQL server of a test's own, from Debian's package, on a socket in a folder."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

_FOLDERS = Path("/usr/lib/postgresql")


def install_postgresql() -> Path:
    """The folder with initdb and postgres, installed first if need be; RuntimeError without it."""
    if found := _programs():
        return found
    if os.geteuid() == 0 and shutil.which("apt-get"):
        environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
        for command in (["apt-get", "update"], ["apt-get", "install", "-y", "postgresql"]):
            subprocess.run(command, env=environment, stdout=sys.stderr, check=False)
    if found := _programs():
        return found
    raise RuntimeError("the tests of marks in PostgreSQL need it: install it and try again")


def _programs() -> Path | None:
    if path := shutil.which("initdb"):
        return Path(path).resolve().parent
    found = sorted(_FOLDERS.glob("*/bin/initdb"))
    return found[-1].parent if found else None


def _wait_until_ready(process: subprocess.Popen) -> None:
    """Reads what the server says until it can be asked; the rest is read and let go."""
    assert process.stdout is not None
    told = []
    for line in process.stdout:
        told.append(line.decode(errors="replace"))
        if b"ready to accept connections" in line:
            threading.Thread(target=process.stdout.read, daemon=True).start()
            return
    raise RuntimeError(f"the server ended at its start: {''.join(told)}")


@contextlib.contextmanager
def server(folder: Path) -> Iterator[str]:
    """The URL of an empty database, served until the block ends."""
    programs = install_postgresql()
    folder.mkdir(parents=True)
    data, socket = folder / "data", Path("/tmp") / f"course-postgresql-{os.getpid()}"
    socket.mkdir()
    user: dict = {}
    if os.geteuid() == 0:  # the server refuses to run as root
        user = {"user": "postgres", "group": "postgres", "extra_groups": []}
        for place in (folder, socket):
            shutil.chown(place, "postgres", "postgres")
        for parent in folder.parents:
            if parent.stat().st_uid == 0 and parent != Path("/") and not parent.stat().st_mode & 1:
                parent.chmod(parent.stat().st_mode | 0o11)
    log, host = folder / "log", str(socket)
    settings = ["-k", host, "-c", "listen_addresses=", "-c", "fsync=off"]
    initdb = [programs / "initdb", "-D", data, "-U", "course", "-A", "trust", "-N", "-E", "UTF8"]
    try:
        with log.open("wb") as out:
            quiet: dict = {"stdout": out, "stderr": subprocess.STDOUT, "cwd": folder, **user}
            subprocess.run(initdb, check=True, **quiet)
        said: dict = {**quiet, "stdout": subprocess.PIPE, "env": os.environ | {"LC_ALL": "C"}}
        process = subprocess.Popen([programs / "postgres", "-D", data, *settings], **said)
        try:
            _wait_until_ready(process)
            yield f"postgresql+psycopg://course@/postgres?host={host}"
        finally:
            process.send_signal(signal.SIGQUIT)  # an immediate end: nothing here is kept
            process.wait()
    finally:
        shutil.rmtree(socket, ignore_errors=True)
