"""Reads a zip file that others wrote, and the zip files in it, without writing anything.

Names and sizes in the file are claims: nothing is ever extracted by its own name, links, encrypted
entries and odd compressions are refused, and sizes, ratios and counts are capped while unpacking,
zips in zips as part of the whole.
"""

from __future__ import annotations

import io
import stat
import struct
import unicodedata
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from autograder.grading.submission import MAX_BYTES

MAX_ENTRIES = 200_000  # of the zip and all zips in it; a repository alone may have thousands
MAX_TOTAL = 4 * 2**30
MAX_INNER = 64 * 2**20  # a zip in the zip is held in memory while it is read
MAX_DEPTH = 2  # a student's zip in the LMS's zip in a zip
MAX_RATIO = 200  # unpacked to packed, beyond which a large file is a bomb
MAX_PATH = 1_000  # characters

# What operating systems, editors and Git leave in zips: nobody handed it in.
_LITTER = {"__MACOSX", ".ipynb_checkpoints", ".git", ".DS_Store", "Thumbs.db", "desktop.ini"}
_BROKEN = (
    zipfile.BadZipFile, zlib.error, struct.error, OSError, RuntimeError, ValueError, EOFError,
    OverflowError, MemoryError,
)  # fmt: skip


class NoZip(ValueError):
    """A file that cannot be taken in at all; the message is one sentence."""


class Unusable(Exception):
    """One entry that cannot be read; the message says why."""


@dataclass(frozen=True)
class Entry:
    """One file of the zip: `path` with slashes, through the zips it lies in (a.zip/b.ipynb).

    `refused` says why it may not be read, "" if it may.
    """

    path: str
    place: tuple[int, ...]  # its number in the zip, after that of each zip around it
    refused: str = ""

    @property
    def is_notebook(self) -> bool:
        """Whether its name is a notebook's."""
        return self.path.lower().endswith(".ipynb")

    @property
    def may_hold_a_notebook(self) -> bool:
        """Whether it is a notebook or a zip, by its name."""
        return self.path.lower().endswith((".ipynb", ".zip"))

    def __str__(self) -> str:
        return printable(self.path, 200)


class Archive:
    """A zip file, open for reading; a context manager. Raises NoZip if it is none."""

    def __init__(self, path: Path) -> None:
        self.path = Path(path)
        if not self.path.exists():
            raise NoZip(f"there is no file {path}")
        if not self.path.is_file():
            raise NoZip(f"{path} is not a zip file but a folder or device")
        if not zipfile.is_zipfile(self.path):
            raise NoZip(f"{path} is not a zip file")
        self._left = MAX_TOTAL
        self._count = 0
        self._inner: tuple[tuple[int, ...], zipfile.ZipFile] | None = None
        try:
            self._file = zipfile.ZipFile(self.path)
        except _BROKEN as error:
            raise NoZip(f"{path} cannot be read: {_reason(error)}") from None
        try:
            self.entries = tuple(self._list(self._file, "", ()))
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Archive:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Closes the file."""
        self._file.close()

    def read(self, entry: Entry, most: int = MAX_BYTES) -> bytes:
        """The content of one entry, at most `most` bytes; Unusable if it cannot be had."""
        if entry.refused:
            raise Unusable(entry.refused)
        try:
            return self._unpack(self._zip_around(entry.place[:-1]), entry.place[-1], most)
        except _BROKEN as error:
            raise Unusable(f"it cannot be unpacked: {_reason(error)}") from None

    def _list(self, opened: zipfile.ZipFile, around: str, place: tuple[int, ...]) -> list[Entry]:
        infos = opened.infolist()
        self._count += len(infos)
        if self._count > MAX_ENTRIES:
            raise NoZip(f"{self.path} has more than {MAX_ENTRIES:,} files")
        found = []
        for number, info in enumerate(infos):
            name = _name_of(info)
            if info.is_dir() or name.endswith("/"):
                continue
            path = around + name
            if any(p in _LITTER or p.startswith("._") for p in name.split("/")):
                continue
            entry = Entry(path[:MAX_PATH], (*place, number), _why_refused(info, name, path))
            if entry.refused or not name.lower().endswith(".zip") or len(place) >= MAX_DEPTH:
                found.append(entry)
            else:
                found += self._list_inner(entry)
        return found

    def _list_inner(self, entry: Entry) -> list[Entry]:
        try:
            return self._list(self._zip_around(entry.place), f"{entry.path}/", entry.place)
        except (Unusable, *_BROKEN) as error:
            if isinstance(error, NoZip):
                raise
            return [Entry(entry.path, entry.place, f"its zip cannot be read: {_reason(error)}")]

    def _zip_around(self, place: tuple[int, ...]) -> zipfile.ZipFile:
        """The zip at `place`; the last one read is kept, since its entries come one by one."""
        if not place:
            return self._file
        if self._inner is None or self._inner[0] != place:
            raw = self._unpack(self._zip_around(place[:-1]), place[-1], MAX_INNER)
            self._inner = (place, zipfile.ZipFile(io.BytesIO(raw)))
        return self._inner[1]

    def _unpack(self, opened: zipfile.ZipFile, number: int, most: int) -> bytes:
        info = opened.infolist()[number]
        if self._left <= 0:
            raise Unusable("the zip as a whole is too large")
        packed: IO[bytes]
        with opened.open(info) as packed:
            raw = packed.read(min(most, self._left) + 1)  # whatever size the entry says it has
        self._left -= len(raw)
        if len(raw) > most:
            raise Unusable(f"it has more than {most / 2**20:.0f} MB")
        if self._left < 0:
            raise Unusable("the zip as a whole is too large")
        return raw


def printable(text: str, most: int = 120) -> str:
    """`text` without characters that a terminal would act on, and not too long."""
    return "".join(c if c.isprintable() else "?" for c in text)[:most]


def _reason(error: BaseException) -> str:
    return printable(str(error)) or type(error).__name__


def _name_of(info: zipfile.ZipInfo) -> str:
    """The entry's name in NFC with slashes, decoded as its writer meant it.

    A name without the flag for UTF-8 is cp437 by the standard; macOS and older Moodles write UTF-8
    all the same, and Info-ZIP puts the true name into an extra field.
    """
    name = info.filename
    if not info.flag_bits & 0x800:
        raw = info.orig_filename.encode("cp437", "replace")
        told = _unicode_path(info.extra, raw)
        try:
            name = told or raw.decode("utf-8").split("\0")[0]
        except UnicodeDecodeError:
            pass
    return unicodedata.normalize("NFC", name.replace("\\", "/"))


def _unicode_path(extra: bytes, raw: bytes) -> str:
    """The name in Info-ZIP's Unicode Path field (0x7075), "" if there is none for this name."""
    while len(extra) >= 4:
        kind, size = struct.unpack_from("<HH", extra)
        field, extra = extra[4 : 4 + size], extra[4 + size :]
        if kind == 0x7075 and len(field) > 5 and field[0] == 1:
            if struct.unpack_from("<I", field, 1)[0] == zlib.crc32(raw):
                try:
                    return field[5:].decode("utf-8").split("\0")[0]
                except UnicodeDecodeError:
                    return ""
    return ""


def _why_refused(info: zipfile.ZipInfo, name: str, path: str) -> str:
    parts = name.split("/")
    if name.startswith("/") or ".." in parts or (len(parts[0]) == 2 and parts[0][1] == ":"):
        return "its name leads out of the zip"
    if len(path) > MAX_PATH:
        return f"its name has more than {MAX_PATH:,} characters"
    if stat.S_IFMT(info.external_attr >> 16) not in (0, stat.S_IFREG):
        return "it is a link or a device, not a file"
    if info.flag_bits & 1:
        return "it is encrypted"
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        return "it is packed in a way that is not read here"
    lower = name.lower()
    if lower.endswith(".ipynb") and info.file_size > MAX_BYTES:
        return f"it has {info.file_size / 2**20:.0f} MB"
    if lower.endswith(".zip") and info.file_size > MAX_INNER:
        return f"it is a zip of {info.file_size / 2**20:.0f} MB"
    if info.file_size > 2**20 and info.file_size > MAX_RATIO * max(info.compress_size, 1):
        return "it is packed far too tightly for a notebook"
    return ""
