"""Writes files whole or not at all, whatever interrupts."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path


def write_whole(path: Path, content: bytes | str) -> None:
    """Writes `content` (text as UTF-8) to `path`; a reader sees the old file or the new one.

    Folders are made as needed. A symbolic link at `path` is replaced, not followed. Permissions are
    what the process's umask leaves of 666.
    """
    with written_together() as put:
        put(path, content)


@contextlib.contextmanager
def written_together() -> Iterator[Callable[[Path, bytes | str], None]]:
    """Gives `put(path, content)`; the files appear when the block ends, none of them if it raises.

    Until then they lie complete beside their places, so that a full disk is known early and what
    the block does last (a database's commit, say) decides over all of them.
    """
    parts: list[tuple[str, Path]] = []

    def put(path: Path, content: bytes | str) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        raw = content.encode("utf-8") if isinstance(content, str) else content
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
        parts.append((name, path))
        with os.fdopen(handle, "wb") as file:
            file.write(raw)
            file.flush()
            os.fsync(file.fileno())
        mask = os.umask(0)
        os.umask(mask)
        os.chmod(name, 0o666 & ~mask)

    try:
        yield put
        for name, path in parts:
            os.replace(name, path)
    except BaseException:
        for name, _ in parts:
            with contextlib.suppress(OSError):
                os.unlink(name)
        raise
