"""Takes an LMS's zip file apart, into nbgrader's layout: a lesson.ipynb for each student.

Names and sizes in the file are what others wrote: nothing is extracted by its own name, links and
encrypted entries are refused, sizes capped while unpacking.
"""

from __future__ import annotations

import re
import stat
import zipfile
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from autograder.grading.submission import MAX_BYTES
from course.files import write_whole

MAX_ENTRIES = 20_000
MAX_TOTAL = 4 * 2**30
MAX_RATIO = 200  # unpacked to packed, beyond which a large file is a bomb


class NoZip(ValueError):
    """A file that cannot be taken apart at all; the message is one sentence."""


@dataclass(frozen=True)
class Arrival:
    """One entry of the zip: whose it is, and why it was left out ("" if it was not)."""

    entry: str
    student: str = ""
    refused: str = ""


def unpack(archive: Path, submitted: Path, lesson: str) -> list[Arrival]:
    """Writes each notebook of the zip to its place below `submitted`.

    A student's name is the first folder of the entry (an LMS's additions cut off), or for a flat
    zip what stands before the first underscore. Raises NoZip if `archive` is no zip file.
    """
    if not zipfile.is_zipfile(archive):
        raise NoZip(f"{archive} is not a zip file")
    told: list[Arrival] = []
    seen: set[str] = set()
    left = MAX_TOTAL
    try:
        with zipfile.ZipFile(archive) as opened:
            entries = [e for e in opened.infolist() if not e.is_dir()]
            if len(entries) > MAX_ENTRIES:
                raise NoZip(f"{archive} has {len(entries):,} files: more than {MAX_ENTRIES:,}")
            for entry in entries:
                shown = printable(entry.filename)
                if not entry.filename.lower().endswith(".ipynb") or _is_litter(entry.filename):
                    continue
                student, refused = _student_of(entry)
                if not refused and student in seen:
                    refused = f"{student} has an earlier notebook in this zip"
                if not refused and left < entry.file_size:
                    refused = "the zip as a whole is too large"
                if not refused:
                    try:
                        left -= _write(opened, entry, submitted, student, lesson)
                        seen.add(student)
                    except (OSError, RuntimeError, ValueError, zipfile.BadZipFile) as error:
                        refused = printable(str(error)) or type(error).__name__
                told.append(Arrival(shown, student, refused))
    except (zipfile.BadZipFile, OSError, NotImplementedError) as error:
        raise NoZip(f"{archive} cannot be read: {printable(str(error))}") from None
    return told


def printable(text: str) -> str:
    """`text` without characters that a terminal would act on, and not too long."""
    return "".join(c if c.isprintable() else "?" for c in text)[:120]


def _is_litter(name: str) -> bool:
    parts = PurePosixPath(name).parts
    return any(p.startswith(("__MACOSX", ".ipynb_checkpoints", "._")) for p in parts)


def _student_of(entry: zipfile.ZipInfo) -> tuple[str, str]:
    """The student's name, and why the entry is refused."""
    name = entry.filename.replace("\\", "/")
    parts = PurePosixPath(name).parts
    if name.startswith("/") or ".." in parts or any(":" in p for p in parts):
        return "", "its name leads out of the zip"
    mode = entry.external_attr >> 16
    if stat.S_IFMT(mode) not in (0, stat.S_IFREG):
        return "", "it is a link or a device, not a file"
    if entry.flag_bits & 1:
        return "", "it is encrypted"
    if entry.file_size > MAX_BYTES:
        return "", f"it has {entry.file_size / 2**20:.0f} MB"
    if entry.file_size > 2**20 and entry.file_size > MAX_RATIO * max(entry.compress_size, 1):
        return "", "it is packed far too tightly for a notebook"
    if len(parts) > 1:
        whose = re.split(r"_\d+_assignsubmission", parts[0])[0]  # Moodle's folders
    else:
        whose = PurePosixPath(name).stem.split("_")[0]
    student = re.sub(r"[^\w@.+-]+", "_", whose).strip("._")[:100]
    return (student, "") if student else ("", "no student's name can be read from it")


def _write(
    archive: zipfile.ZipFile, entry: zipfile.ZipInfo, submitted: Path, student: str, lesson: str
) -> int:
    folder = submitted / student / lesson
    for place in (submitted / student, folder):
        if place.is_symlink():
            raise ValueError(f"{place} is a symbolic link")
    folder.mkdir(parents=True, exist_ok=True)
    with archive.open(entry) as packed:
        raw = packed.read(MAX_BYTES + 1)  # whatever size the entry says that it has
    if len(raw) > MAX_BYTES:
        raise ValueError("it is larger than it says")
    write_whole(folder / "lesson.ipynb", raw)
    return len(raw)
