"""How each LMS names the entries of its zip, and which of them a zip is.

A format is a description: patterns of a path with named groups, and how the LMS says times. Which
format a zip has is decided by all its notebooks, never by one: a student chooses the name of a
file, but not the names of the others.

Groups: `number` (the LMS's number of a person), `login`, `name`, `submission`, `date`, `late`,
`lesson` and `file` (what the student called it). Where an LMS writes a student's own words beside
its number, the pattern reads the part that the LMS wrote first and the student cannot.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from itertools import islice

from autograder.grading.handed_in.archive import Entry, NoZip

ENOUGH = 0.8  # of the notebooks must have a format's form; the others are named and left out

_DAY = r"[0-9]{1,2}"
_TIME = r"[0-9]{3,4}(?: ?[AP]M)?"
_BRIGHTSPACE_DATE = (
    rf"(?:[^\W\d_]+\.? {_DAY},? [0-9]{{4}},? {_TIME}|{_DAY} [^\W\d_]+\.?,? [0-9]{{4}},? {_TIME})"
)


@dataclass(frozen=True)
class Format:
    """How one LMS names the entries of its zip."""

    name: str  # as --format takes it
    example: str
    patterns: tuple[str, ...]  # each matches a whole path
    own: tuple[str, ...] = ()  # files of the LMS itself, beside the students'
    dates: str = ""  # "local" (no time zone is said), "utc", or "" if none is said
    trusted_dates: bool = True  # whether the LMS says the time, or the student's machine
    numbered_names: bool = False  # Canvas: -2 behind a file's name is the second of that name
    weak: bool = False  # folders that could be anybody's: counts only where no other format fits
    _compiled: tuple[re.Pattern[str], ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_compiled", tuple(re.compile(p) for p in self.patterns))

    def match(self, path: str) -> dict[str, str] | None:
        """The groups of `path`, None if it has not this format's form."""
        for pattern in self._compiled:
            if found := pattern.fullmatch(path):
                return {name: value or "" for name, value in found.groupdict().items()}
        return None

    def is_own(self, path: str) -> bool:
        """Whether `path` is a file that the LMS itself put there."""
        return any(re.fullmatch(pattern, path) for pattern in self.own)


CANVAS = Format(
    "canvas",
    "doejane_LATE_12345_678901_lesson-1.ipynb",
    (
        # With anonymous grading, the key of the person for this assignment.
        r"anon_(?P<anonymous>[A-Za-z0-9]+)(?P<late>_LATE|_late)?(?:_[0-9]+)?_[0-9]+_(?P<file>.+)",
        # Canvas takes _digits_ out of names, so that the first two numbers are its own.
        r"(?![^/]*_assignsubmission_)(?![^/]*_attempt_[0-9]{4}-)"
        r"(?P<name>[^/]*?)(?P<late>_LATE|_late)?_(?P<number>[0-9]+)_(?P<submission>[0-9]+)_(?P<file>.+)",
    ),
    numbered_names=True,
)
MOODLE = Format(
    "moodle",
    "Jane Doe_12345_assignsubmission_file_/lesson.ipynb",
    (
        # Moodle takes low lines out of names. Blind: Participant_12345_….
        r"(?P<name>[^_/]+)_(?P<number>[0-9]+)(?:_[0-9]+)?"
        r"_assignsubmission_(?:file|onlinetext)(?:_/?|/)(?P<file>.+)",
    ),
)
BLACKBOARD = Format(
    "blackboard",
    "05_made_jdoe_attempt_2025-11-03-23-59-00_lesson.ipynb",
    (r"(?P<head>[^/]+?)_attempt_(?P<date>[0-9]{4}(?:-[0-9]{2}){5})_(?P<file>.+)",),
    own=(r"[^/]+?_attempt_[0-9]{4}(?:-[0-9]{2}){5}\.txt",),
    dates="local",
)
BRIGHTSPACE = Format(
    "brightspace",
    "12345-67890 - Jane Doe - Nov 3, 2025 1159 PM/lesson.ipynb",
    (
        rf"(?P<number>[0-9]+)-[0-9]+ ?- ?(?P<name>[^/]+?) ?- ?(?P<date>{_BRIGHTSPACE_DATE})"
        r"/(?P<file>.+)",
        rf"(?P<number>[0-9]+)-[0-9]+ ?- ?(?P<name>[^/]+?) ?- ?(?P<date>{_BRIGHTSPACE_DATE})"
        r" ?- ?(?P<file>.+)",
    ),
    own=(r"index\.html?",),
    dates="local",
)
GRADESCOPE = Format(
    "gradescope",
    "assignment_123_export/submission_1001/lesson.ipynb",
    (r"(?:assignment_[0-9]+_export/)?submission_(?P<submission>[0-9]+)/(?P<file>.+)",),
    own=(r"(?:assignment_[0-9]+_export/)?submission_metadata\.ya?ml",),
    dates="utc",
)
GITHUB = Format(
    "github",
    "05-made-submissions/05-made-janedoe/lesson.ipynb",
    (r"(?P<assignment>[^/]+)-submissions/(?P=assignment)-(?P<login>[A-Za-z0-9_-]+)/(?P<file>.+)",),
)
ILIAS = Format(
    "ilias",
    "MADE/Abgaben/Doe_Jane_jdoe_12345/lesson.ipynb",
    (
        # All submissions of an assignment, alone or in teams; the word is the platform's language.
        r"(?:[^/]+/)*?(?:Abgaben|Submissions|Soumissions|Entregas|Consegne)/(?:Team[ _][^/]+/)?"
        r"(?P<person>[^/]+)_(?P<number>[0-9]+)/(?P<file>.+)",
        # The zip for feedback to many: persons' folders, perhaps in those of their teams.
        r"(?:[^/]+/)?(?:Team[ _][^/]+/)?"
        r"(?P<person>[^/_]+_[^/_]+_[^/]+)_(?P<number>[0-9]+)/(?P<file>.+)",
    ),
    own=(r"(?:[^/]+/)*[^/]+\.(?:xlsx?|csv|html?)", r"(?:[^/]+/)*README\.md"),
)
NBGRADER = Format(
    "nbgrader",
    "jdoe/05_made/lesson.ipynb",
    (
        # Its exchange; a machine of the student's wrote the time.
        r"(?P<login>[^/]+)\+(?P<lesson>[^/+]+)\+(?P<date>[0-9]{4}-[0-9]{2}-[0-9]{2}[^/+]*)"
        r"(?:\+[^/+]+)?/(?P<file>.+)",
        r"(?P<login>[^/]+)/(?P<lesson>[0-9]{2}_[^/.]+)/(?P<file>.+)",
    ),
    own=(r"(?:[^/]+/)+timestamp\.txt",),
    dates="utc",
    trusted_dates=False,
    weak=True,
)
# Nobody's format: a notebook or a folder for each person, called after the person.
PLAIN = Format(
    "plain",
    "Jane Doe.ipynb",
    (r"(?P<name>[^/]+)\.(?i:ipynb)", r"(?P<name>[^/]+?)(?:\.(?i:zip))?/(?P<file>.+)"),
)

FORMATS: dict[str, Format] = {
    one.name: one
    for one in (
        CANVAS, MOODLE, BLACKBOARD, BRIGHTSPACE, GRADESCOPE, GITHUB, ILIAS, NBGRADER, PLAIN,
    )
}  # fmt: skip


@dataclass(frozen=True)
class Recognized:
    """A zip's format, and what it says of each entry that has its form."""

    format: Format
    prefix: str  # folders and zips around everything, to be left out of each path
    groups: dict[Entry, dict[str, str]]

    def inner(self, entry: Entry) -> str:
        """The entry's path without what stands around everything."""
        return entry.path.removeprefix(self.prefix)


def recognize(entries: Sequence[Entry], lesson: str, named: str | None = None) -> Recognized:
    """The format of a zip with these entries, or that of the name `named`.

    Raises NoZip, in one sentence, if no format fits, or two do.
    """
    notebooks = [entry for entry in entries if entry.is_notebook]
    if not notebooks:
        raise NoZip("the zip holds no notebook")
    if named is not None and named not in FORMATS:
        raise NoZip(f"no format is called {named!r}; there are: {', '.join(FORMATS)}")
    if named and named != PLAIN.name:
        return _as_told(FORMATS[named], entries, notebooks)
    for prefix in _prefixes(notebooks) if not named else ():
        fits = [one for one in FORMATS.values() if _share(one, notebooks, prefix) >= ENOUGH]
        fits = [one for one in fits if one is not PLAIN]
        fits = [one for one in fits if not one.weak] or fits
        if len(fits) == 1:
            return _recognized(fits[0], entries, prefix)
        if fits:
            names = " and ".join(one.name for one in fits)
            raise NoZip(f"the zip could be of {names}: say which, with --format NAME")
    return _plain(entries, notebooks, lesson, said=bool(named))


def _as_told(one: Format, entries: Sequence[Entry], notebooks: Sequence[Entry]) -> Recognized:
    prefix = max(_prefixes(notebooks), key=lambda prefix: _share(one, notebooks, prefix))
    if not _share(one, notebooks, prefix):
        raise NoZip(f"no notebook of the zip looks like {one.name}'s, as {one.example} does")
    return _recognized(one, entries, prefix)


def _share(one: Format, notebooks: Sequence[Entry], prefix: str) -> float:
    fitting = sum(one.match(entry.path.removeprefix(prefix)) is not None for entry in notebooks)
    return fitting / len(notebooks)


def _prefixes(notebooks: Sequence[Entry]) -> Iterable[str]:
    """What may stand around all notebooks, from nothing to all folders that they share."""
    folders = [entry.path.split("/")[:-1] for entry in notebooks]
    prefix = ""
    for parts in islice(zip(*folders, strict=False), 5):
        yield prefix
        if len(set(parts)) > 1:
            return
        prefix += f"{parts[0]}/"
    yield prefix


def _recognized(one: Format, entries: Sequence[Entry], prefix: str) -> Recognized:
    groups = {}
    for entry in entries:
        path = entry.path.removeprefix(prefix)
        found = None if one.is_own(path) else one.match(path)
        if found is not None:
            groups[entry] = found
    return Recognized(one, prefix, groups)


# Words that name a thing, not a person; the words of a lesson's name are some, too.
_THINGS = frozenset(
    "lesson lessons untitled notebook notebooks homework hw assignment assignments submission"
    " submissions submitted export solution solutions src source file files data code work final"
    " copy tmp temp new old test course class student students project exercise exercises main"
    " master abgabe abgaben download downloads all ipynb zip".split()
)


def _plain(
    entries: Sequence[Entry], notebooks: Sequence[Entry], lesson: str, *, said: bool
) -> Recognized:
    """A zip without any format, if each name in it is clearly one person's."""
    for prefix in _prefixes(notebooks):
        paths = [entry.path.removeprefix(prefix) for entry in notebooks]
        flat = all("/" not in path for path in paths)
        if not flat and not all("/" in path for path in paths):
            break
        names = {path[: -len(".ipynb")] if flat else path.split("/")[0] for path in paths}
        people = all(_is_a_person(name, lesson) for name in names)
        if not flat and len(names) == 1 and len(paths) > 1:
            # The folder of one person, or of a class: a name that is nobody's tells, or a hand.
            people = people and not paths[0].split("/")[0].lower().endswith(".zip")
            folders = all(path.count("/") > 1 for path in paths)
            if (said and folders) or not (said or people):
                continue
            if not said:
                break
        if said or people:
            one = Format(PLAIN.name, PLAIN.example, (PLAIN.patterns[not flat],))
            return _recognized(one, entries, prefix)
    raise NoZip(
        "the zip has no known form, and its names are not clearly one person's each: say which form"
        f" it has, with --format NAME ({', '.join(FORMATS)})"
    )


def _is_a_person(name: str, lesson: str) -> bool:
    words = [word for word in re.split(r"[\W\d_]+", name.lower()) if word]
    of_lesson = {word for word in re.split(r"[\W\d_]+", lesson.lower()) if word}
    return not all(word in _THINGS for word in words) and not of_lesson & set(words)


# --- what an LMS says of the time ----------------------------------------------------------------


_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")


def moment(text: str, zone: tzinfo | None) -> datetime | None:
    """The time that an LMS's `text` says, in UTC; None if it says none that can be read.

    `zone` is that of a time without one, by default this machine's.
    """
    if not text:
        return None
    try:
        found = _iso(text) or _dashes(text) or _months(text)
        if found is None:
            return None
        if found.tzinfo is None and zone is not None:
            found = found.replace(tzinfo=zone)
        return found.astimezone(UTC)
    except (ValueError, OverflowError, OSError):
        return None


def _iso(text: str) -> datetime | None:
    """2025-11-03 23:59:00.123456789 Z, with or without fraction and zone."""
    found = re.fullmatch(
        r"([0-9]{4}-[0-9]{2}-[0-9]{2})[ T]([0-9]{2})[:_]([0-9]{2})[:_]([0-9]{2})(?:\.[0-9]+)?"
        r" ?(Z|UTC|[+-][0-9]{2}:?[0-9]{2})?",
        text.strip(),
    )
    if found is None:
        return None
    day, hour, minute, second, zone = found.groups()
    zone = {"Z": "+00:00", "UTC": "+00:00", None: ""}.get(zone, zone)
    return datetime.fromisoformat(f"{day}T{hour}:{minute}:{second}{zone}")


def _dashes(text: str) -> datetime | None:
    """2025-11-03-23-59-00"""
    if not re.fullmatch(r"[0-9]{4}(?:-[0-9]{2}){5}", text):
        return None
    return datetime(*map(int, text.split("-")))  # type: ignore[arg-type]


def _months(text: str) -> datetime | None:
    """Nov 3, 2025 1159 PM or 3 November 2025 2359"""
    words = re.findall(r"[^\W\d_]+|[0-9]+", text.lower())
    half = words.pop() if words and words[-1] in ("am", "pm") else ""
    if len(words) != 4:
        return None
    name, day = (words[0], words[1]) if not words[0].isdigit() else (words[1], words[0])
    if name[:3] not in _MONTHS:
        return None
    clock = words[3].zfill(4)
    hour, minute = int(clock[:2]), int(clock[2:])
    if half:
        hour = hour % 12 + 12 * (half == "pm")
    return datetime(int(words[2]), _MONTHS.index(name[:3]) + 1, int(day), hour, minute)
