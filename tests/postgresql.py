"""A PostgreSQL server of a test's own, from Debian's package, on a socket in a folder."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
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
    quiet: dict = {"stdout": subprocess.DEVNULL, "stderr": subprocess.STDOUT, "cwd": folder, **user}
    initdb = [programs / "initdb", "-D", data, "-U", "course", "-A", "trust", "-N", "-E", "UTF8"]
    control = [programs / "pg_ctl", "-D", data, "-w", "-l", folder / "log"]
    try:
        subprocess.run(initdb, check=True, **quiet)
        options = f"-k {socket} -c listen_addresses='' -c fsync=off"
        subprocess.run([*control, "-o", options, "start"], check=True, **quiet)
        try:
            yield f"postgresql+psycopg://course@/postgres?host={socket}"
        finally:
            subprocess.run([*control, "-m", "immediate", "stop"], check=True, **quiet)
    finally:
        shutil.rmtree(socket, ignore_errors=True)
