"""When a submission arrived, as somebody else than its author says: nbgrader's exchange or an LMS.

What brings submissions in (`nbgrader collect`, an LMS's zip) writes here, beside submitted/ and
outside of what a student hands in. An arrival holds for the very files that came with it: a
notebook put in their place by hand has none. A `timestamp.txt` in a submission is its author's
word, and counts only where an instructor says so.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from autograder.grading.submission import Unreadable, read_bytes
from course.files import write_whole


@dataclass(frozen=True)
class Arrival:
    """One submission's arrival: its time (with a zone), who says it, SHA-256 of its files."""

    time: datetime
    source: str
    digests: tuple[str, ...]


def place_of_arrival(submitted: Path, student: str, lesson: str) -> Path:
    """The file that holds it: arrivals/LESSON/STUDENT.json beside submitted/."""
    return submitted.parent / "arrivals" / lesson / f"{student}.json"


def write_arrival(
    submitted: Path,
    student: str,
    lesson: str,
    time: datetime,
    source: str,
    files: Iterable[bytes],
) -> None:
    """Writes that `files`, a submission's notebooks, arrived at `time` by the word of `source`.

    `time` needs a zone: ValueError without one.
    """
    if time.utcoffset() is None:
        raise ValueError(f"the arrival of {student} needs a time with a zone: got {time}")
    data = {
        "time": time.astimezone(UTC).isoformat(),
        "source": source,
        "digests": sorted(hashlib.sha256(raw).hexdigest() for raw in files),
    }
    write_whole(place_of_arrival(submitted, student, lesson), json.dumps(data, indent=1))


def read_arrival(submitted: Path, student: str, lesson: str) -> Arrival | None:
    """The arrival of a student's submission, or None if nobody has written one."""
    try:
        data = json.loads(place_of_arrival(submitted, student, lesson).read_text(encoding="utf-8"))
        time = datetime.fromisoformat(data["time"])
        return Arrival(time, str(data["source"]), tuple(data["digests"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def time_of(
    submitted: Path, student: str, lesson: str, digest: str, *, trust_timestamps: bool = False
) -> datetime | None:
    """When the file with this SHA-256 was handed in: UTC without a zone, as nbgrader keeps it.

    None if nobody but the student says when. With `trust_timestamps`, a submission without an
    arrival has the time of its timestamp.txt.
    """
    arrival = read_arrival(submitted, student, lesson)
    if arrival is not None and digest in arrival.digests:
        return arrival.time.astimezone(UTC).replace(tzinfo=None)
    if not trust_timestamps:
        return None
    return parsed_timestamp(submitted, student, lesson)


def parsed_timestamp(submitted: Path, student: str, lesson: str) -> datetime | None:
    """The time of a submission's timestamp.txt (UTC without a zone), None if it says none."""
    return _parsed(timestamp_of(submitted, student, lesson))


def timestamp_of(submitted: Path, student: str, lesson: str) -> str:
    """What a submission's timestamp.txt says; "" if it says no time."""
    path = submitted / student / lesson / "timestamp.txt"
    try:
        text = read_bytes(path, submitted, 1_000).decode("ascii").strip()
    except (Unreadable, ValueError):
        return ""
    return text if _parsed(text) else ""


def _parsed(text: str) -> datetime | None:
    from nbgrader.utils import parse_utc

    try:
        return parse_utc(text) if text else None
    except (ValueError, OverflowError, TypeError):
        return None


def keep_timestamp(submitted: Path, student: str, lesson: str, graded: Path) -> None:
    """Copies a submission's timestamp.txt beside its graded notebook: nbgrader sees a newer one."""
    text = timestamp_of(submitted, student, lesson)
    if text:
        write_whole(graded.with_name("timestamp.txt"), text)
