"""Keeps what the LMS said of each hand-in, in a file of ours: class/arrivals/LESSON.json.

It lies beside the students' folders, never among them, so that no key can be its name. What it says
of a hand-in holds for the very file it was said of, by its SHA-256.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from autograder.grading.course import Course, CourseError, tools_on_path
from course.files import write_whole


@dataclass(frozen=True)
class Arrival:
    """One person's hand-in as the LMS told it. What it did not say is "" or None."""

    key: str
    lms: str  # the format's name
    number: str = ""  # the person's number, login or e-mail address: whatever the LMS counts by
    name: str = ""
    email: str = ""
    login: str = ""
    time: str = ""  # when it was handed in, ISO 8601 in UTC
    trusted: bool = True  # whether the LMS says the time, or the student's machine
    late: bool | None = None
    attempt: int | None = None
    submission: str = ""  # the LMS's number of it, where a later one is larger
    entry: str = ""  # its name in the zip
    sha256: str = ""

    @property
    def identity(self) -> tuple[str, str]:
        """Who this is, for the LMS; without a number the name as it was written."""
        return self.lms, self.number or self.name


_KINDS: dict[str, tuple[type, ...]] = {
    "trusted": (bool,), "late": (bool, type(None)), "attempt": (int, type(None)),
}  # fmt: skip


def arrivals_path(course: Course, lesson: str) -> Path:
    """Where the arrivals of a lesson are kept."""
    return course.submitted.parent / "arrivals" / f"{lesson}.json"


def arrivals_of(course: Course, lesson: str) -> dict[str, Arrival]:
    """What is known of the hand-ins of a lesson, by key; {} if none came through an LMS's zip.

    Raises CourseError if the file is there and broken.
    """
    return _read(arrivals_path(course, lesson))


def known_people(course: Course) -> list[Arrival]:
    """Everybody's hand-ins of all lessons that came through zips."""
    folder = course.submitted.parent / "arrivals"
    return [one for path in sorted(folder.glob("*.json")) for one in _read(path).values()]


def name_students(course: Course, lesson: str) -> list[str]:
    """Fills in names, addresses and numbers of students where the gradebook has none.

    nbgrader's formgrader and exports show them. What a person has entered stays. Moodle's numbers
    are left out: they are others in each assignment. Returns a sentence if it could not be done.
    """
    from sqlalchemy.exc import SQLAlchemyError

    arrivals = arrivals_of(course, lesson)
    try:
        if arrivals:
            _name_students(course, arrivals)
    except (SQLAlchemyError, OSError) as error:
        first = str(error).split("\n")[0]
        return [f"the gradebook was not told the students' names, which the next run does: {first}"]
    return []


def _name_students(course: Course, arrivals: dict[str, Arrival]) -> None:
    from nbgrader.api import Gradebook, Student

    with tools_on_path(), Gradebook(course.db_url, course.course_id) as gradebook:
        for student in gradebook.db.query(Student).all():
            arrival = arrivals.get(student.id)
            if arrival is None:
                continue
            last, comma, first = arrival.name.partition(", ")
            if not comma:
                first, _, last = arrival.name.rpartition(" ")
            if not student.last_name and not student.first_name and arrival.name:
                student.last_name, student.first_name = last, first or None
            student.email = student.email or arrival.email or None
            if arrival.lms != "moodle" and not arrival.number.startswith("submission "):
                student.lms_user_id = student.lms_user_id or arrival.number or None
        gradebook.db.commit()


def write_arrivals(course: Course, lesson: str, arrivals: Mapping[str, Arrival]) -> None:
    """Writes the arrivals of a lesson, whole or not at all; nothing if nothing changed."""
    path = arrivals_path(course, lesson)
    if not arrivals and not path.exists():
        return
    people = {key: asdict(arrivals[key]) for key in sorted(arrivals)}
    text = json.dumps({"lesson": lesson, "arrivals": people}, ensure_ascii=False, indent=1) + "\n"
    if not path.is_file() or path.read_text(encoding="utf-8") != text:
        write_whole(path, text)


def _read(path: Path) -> dict[str, Arrival]:
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        return {key: _arrival(key, one) for key, one in data["arrivals"].items()}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise CourseError(
            f"{path} cannot be read ({type(error).__name__}): put it right or remove it, then take"
            " the zips in again"
        ) from None


def _arrival(key: str, data: dict[str, Any]) -> Arrival:
    told = {one.name: data[one.name] for one in fields(Arrival) if one.name in data}
    for name, value in told.items():
        if not isinstance(value, _KINDS.get(name, (str,))):
            raise TypeError(f"{name} of {key}")
    if told.get("time"):
        if datetime.fromisoformat(told["time"]).utcoffset() != timedelta(0):
            raise ValueError(f"the time of {key}")
    if told.get("key") != key:
        raise ValueError(f"the key of {key}")
    return Arrival(**told)
