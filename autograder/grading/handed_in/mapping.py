"""Decides which entry of a zip counts for whom, before anything is written.

Each notebook is claimed for a person; of one person the newest attempt counts, and of its notebooks
the one of the lesson. A key that two people claim is given to neither. The mapping says all of it,
entry by entry; `take_in` then writes what it says.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, tzinfo
from pathlib import Path, PurePosixPath

from autograder.grading.arrivals import read_arrival, write_arrival
from autograder.grading.course import Course
from autograder.grading.handed_in import formats, said
from autograder.grading.handed_in.archive import Archive, Entry, NoZip, Unusable
from autograder.grading.handed_in.arrivals import (
    Arrival,
    arrivals_of,
    known_people,
    write_arrivals,
)
from autograder.grading.handed_in.roster import Roster
from autograder.grading.handed_in.students import folded, login_key, named_key, numbered_key
from autograder.grading.submission import Unreadable, read_bytes
from autograder.plain import clean_text
from course.files import write_whole

IsOfLesson = Callable[[bytes], bool | None]


@dataclass(frozen=True)
class Row:
    """One line of the mapping: an entry, whose it is, and what becomes of it.

    `status` is "new", "newer" (than what is there), "same", "older" (an earlier attempt),
    "refused" (the person stays without it) or "left out"; the last three have a `reason`.
    """

    entry: str
    status: str
    reason: str = ""
    arrival: Arrival | None = None

    @property
    def key(self) -> str:
        """The student's key, "" if the entry is nobody's."""
        return self.arrival.key if self.arrival else ""


@dataclass
class Mapping:
    """What a zip holds for a lesson. Nothing is written yet."""

    course: Course
    lesson: str
    archive: Path
    format: formats.Format
    rows: list[Row]
    notes: list[str] = field(default_factory=list)
    places: dict[str, Entry] = field(default_factory=dict, repr=False)  # key → what to write

    @property
    def arrivals(self) -> dict[str, Arrival]:
        """Whose hand-ins count after this zip, by key."""
        return {row.key: row.arrival for row in self.rows if row.status in _COUNTS and row.arrival}

    @property
    def refused(self) -> list[Row]:
        """Notebooks that their people stay without, each with a sentence."""
        return [row for row in self.rows if row.status == "refused"]

    @property
    def left_out(self) -> list[Row]:
        """All entries that do not count, each with its reason."""
        return [row for row in self.rows if row.status not in _COUNTS]


_COUNTS = ("new", "newer", "same")


@dataclass(frozen=True)
class _Claim:
    """A notebook that the zip gives to a person; `arrival` has no key and digest yet."""

    entry: Entry
    arrival: Arrival
    file: str
    when: datetime | None
    new_key: str = ""  # the person's, if nothing is known of them


def mapping_of(
    course: Course,
    lesson: str,
    archive: Path,
    *,
    format: str | None = None,
    zone: tzinfo | None = None,
    is_of_lesson: IsOfLesson | None = None,
    roster: Roster | None = None,
) -> Mapping:
    """Reads a zip and says what it holds for `lesson`; writes nothing.

    `format` names the zip's format if it cannot be told; `zone` is that of times without one (by
    default this machine's). `is_of_lesson(raw)` says whether a notebook is the lesson's, None if
    it cannot say. `roster` fills in names and e-mail addresses; a person whose address is known
    from another lesson keeps the key, since Moodle numbers people anew in each.

    Raises NoZip, in one sentence, if the zip as a whole cannot be understood, and CourseError if
    the class's own record of arrivals is broken.
    """
    with Archive(archive) as opened:
        try:
            zip_ = formats.recognize(opened.entries, lesson, format)
        except NoZip as error:
            raise NoZip(f"{archive}: {error}") from None
        read = _Reader(opened, lesson, zone, zip_)
        rows, people = read.claims()
        mapping = Mapping(course, lesson, Path(archive), zip_.format, rows, read.notes)
        chosen = []
        for claims in people.values():
            claim, others = _one_of(claims, opened, lesson, zip_.format, is_of_lesson)
            rows += others
            chosen += [replace(claim, new_key=_new_key(claim.arrival))] if claim else []
        before = arrivals_of(course, lesson)
        if roster is not None:
            chosen = _named_by(roster, chosen)
        known = known_people(course)
        if zip_.format is formats.MOODLE and roster is None:
            mapping.notes += _numbered_anew(known, chosen)
        for claim, row in _with_keys(course, known, chosen):
            rows.append(row or _status(course, lesson, opened, claim, before))
            if rows[-1].status in _COUNTS:
                mapping.places[rows[-1].key] = claim.entry
        mapping.rows = rows = _with_the_keys_of_their_people(rows)
    order = {str(entry): number for number, entry in enumerate(opened.entries)}
    rows.sort(key=lambda row: (order.get(row.entry, -1), row.key))
    return mapping


def take_in(mapping: Mapping) -> list[Row]:
    """Writes what `mapping` says: first what the LMS said, then each notebook, whole or not at all.

    A notebook that cannot be written becomes a refused row, and the others go on; returns these.
    """
    course, lesson = mapping.course, mapping.lesson
    known = arrivals_of(course, lesson)
    write_arrivals(course, lesson, known | _to_tell(known, mapping.arrivals))
    failed = []
    with Archive(mapping.archive) as opened:
        for number, row in enumerate(mapping.rows):
            if row.status not in _COUNTS or row.arrival is None:
                continue
            try:
                raw = opened.read(mapping.places[row.key])
                if hashlib.sha256(raw).hexdigest() != row.arrival.sha256:
                    raise Unusable("the zip changed while it was read")
                if row.status != "same":
                    write_whole(_place(course, row.key, lesson), raw)
                _tell_the_time(course, lesson, row.arrival, raw)
            except (Unusable, OSError) as error:
                mapping.rows[number] = replace(row, status="refused", reason=str(error))
                failed.append(mapping.rows[number])
    return failed


def _to_tell(known: dict[str, Arrival], brought: dict[str, Arrival]) -> dict[str, Arrival]:
    """What is to be kept of a zip. The same file again changes nothing, not even its time."""
    told = {}
    for key, arrival in brought.items():
        before = known.get(key)
        if before is not None:
            email = arrival.email or before.email
            same = before.sha256 == arrival.sha256
            arrival = replace(before if same else arrival, name=arrival.name, email=email)
        told[key] = arrival
    return told


def _tell_the_time(course: Course, lesson: str, arrival: Arrival, raw: bytes) -> None:
    """Late penalties take the time from here, unless this very file has one already."""
    if not (arrival.time and arrival.trusted):
        return
    before = read_arrival(course.submitted, arrival.key, lesson)
    if before is None or arrival.sha256 not in before.digests:
        time = datetime.fromisoformat(arrival.time)
        write_arrival(course.submitted, arrival.key, lesson, time, arrival.lms, [raw])


def _place(course: Course, key: str, lesson: str) -> Path:
    path = course.submission_of(key, lesson)
    for folder in (path.parent.parent, path.parent):
        if folder.is_symlink():
            raise Unusable(f"{folder} is a symbolic link")
    return path


# --- who claims what -----------------------------------------------------------------------------


class _Reader:
    """Reads the claims of a zip's entries, with what the LMS says in its own files."""

    def __init__(
        self, opened: Archive, lesson: str, zone: tzinfo | None, zip_: formats.Recognized
    ) -> None:
        self.opened, self.lesson, self.zone, self.zip = opened, lesson, zone, zip_
        self.notes: list[str] = []
        self.submissions: dict[str, said.Submission] = {}
        self.attempts: dict[str, said.Attempt] = {}
        if zip_.format is formats.GRADESCOPE:
            self._read_gradescope()
        if zip_.format is formats.BLACKBOARD:
            self._read_blackboard()
        self.heads = {groups["head"] for groups in zip_.groups.values() if "head" in groups}

    def claims(self) -> tuple[list[Row], dict[tuple[str, str], list[_Claim]]]:
        """The entries that are nobody's, and the claims of each person."""
        rows: list[Row] = []
        people: dict[tuple[str, str], list[_Claim]] = {}
        for entry in self.opened.entries:
            if self.zip.format.is_own(self.zip.inner(entry)):
                continue
            groups = self.zip.groups.get(entry)
            why = self._why_not(entry, groups)
            if why:
                # A notebook that the zip's own form gives to somebody, and that cannot be had.
                lost = entry.refused and groups is not None and entry.may_hold_a_notebook
                rows.append(Row(str(entry), "refused" if lost else "left out", why))
                continue
            for claim in self._claims(entry, groups or {}):
                people.setdefault(claim.arrival.identity, []).append(claim)
        return rows, people

    def _why_not(self, entry: Entry, groups: dict[str, str] | None) -> str:
        if entry.refused:
            return entry.refused
        if not entry.is_notebook:
            return "it is no notebook"
        if groups is None:
            return f"its name has not the form of {self.zip.format.name}'s"
        if groups.get("lesson", self.lesson) not in (self.lesson, ""):
            return f"it is of {groups['lesson']}"
        if (
            self.zip.format.name == formats.PLAIN.name
            and clean_text(groups["name"]) != (groups["name"])
        ):
            return "the name of its person has characters that nobody sees"
        return ""

    def _claims(self, entry: Entry, groups: dict[str, str]) -> Iterator[_Claim]:
        format = self.zip.format
        arrival = Arrival("", format.name, trusted=format.trusted_dates, entry=str(entry))
        date = groups.get("date", "")
        if "late" in groups:
            arrival = replace(arrival, late=bool(groups["late"]))
        if groups.get("anonymous"):
            arrival = replace(arrival, number=groups["anonymous"], name="anon")
        elif "head" in groups:
            told = self.attempts.get(f"{groups['head']} {date}", said.Attempt())
            login = said.blackboard_login(groups["head"], self.heads, told)
            arrival = replace(arrival, number=login, login=login, name=told.name)
        elif "person" in groups:  # Last_First_login; names and logins may have low lines of theirs
            name, _, login = groups["person"].rpartition("_")
            arrival = replace(
                arrival, number=groups["number"], name=name.replace("_", " "), login=login
            )
        elif "login" in groups:
            arrival = replace(arrival, number=groups["login"], login=groups["login"])
        else:
            arrival = replace(
                arrival, number=groups.get("number", ""), name=groups.get("name", "").strip()
            )
        file = groups.get("file", "") or PurePosixPath(entry.path).name
        if format.numbered_names:
            arrival = replace(
                arrival, attempt=_count(file)[1], submission=groups.get("submission", "")
            )
        if format is formats.GRADESCOPE:
            yield from self._submitters(entry, groups["submission"], arrival, file)
            return
        yield self._claim(entry, arrival, file, date)

    def _claim(self, entry: Entry, arrival: Arrival, file: str, date: str) -> _Claim:
        arrival = replace(arrival, name=clean_text(arrival.name)[:200])
        zone = self.zone if self.zip.format.dates == "local" else UTC
        when = formats.moment(date, zone)
        return _Claim(entry, replace(arrival, time=when.isoformat() if when else ""), file, when)

    def _submitters(
        self, entry: Entry, number: str, arrival: Arrival, file: str
    ) -> Iterator[_Claim]:
        """A claim for each member of a group; for the submission itself if nobody is told."""
        told = self.submissions.get(number, said.Submission())
        numbered = [one for one in told.submitters if one.sid or one.email]
        for one in told.submitters:
            if one in numbered:
                who = replace(arrival, number=one.sid or one.email, name=one.name, email=one.email)
                yield self._claim(entry, who, file, told.created)
            elif numbered:
                self.notes.append(f"{entry}: {one.name} is left out: no number is said")
        if not numbered:
            self.notes.append(
                f"{entry}: submission_metadata.yml says nobody's number for submission {number};"
                " its own number is taken, which changes when it is handed in again"
            )
            name = told.submitters[0].name if told.submitters else "submission"
            who = replace(arrival, number=f"{_SUBMISSION}{number}", name=name)
            yield self._claim(entry, who, file, told.created)

    def _own(self) -> Iterator[Entry]:
        for entry in self.opened.entries:
            if self.zip.format.is_own(self.zip.inner(entry)):
                yield entry

    def _read_gradescope(self) -> None:
        for entry in self._own():
            try:
                self.submissions |= said.gradescope_metadata(self.opened.read(entry, said.MAX_YAML))
            except Unusable as why:
                raise NoZip(f"{entry} cannot be read: {why}") from None

    def _read_blackboard(self) -> None:
        for entry in self._own():
            head, _, date = self.zip.inner(entry).removesuffix(".txt").rpartition("_attempt_")
            try:
                raw = self.opened.read(entry)
            except Unusable as why:
                self.notes.append(f"{entry} was not read: {why}")
            else:
                self.attempts[f"{head} {date}"] = said.blackboard_attempt(raw)


_SUBMISSION = "submission "  # before a submission's number, where nobody's is known


# --- one notebook a person -----------------------------------------------------------------------


def _count(file: str) -> tuple[str, int | None]:
    """A file's name without Canvas's count, and the count: lesson-1.ipynb is lesson, 1."""
    stem = PurePosixPath(file).stem
    found = re.fullmatch(r"(.+)-([0-9]{1,4})", stem)
    return (found[1], int(found[2])) if found else (stem, None)


def _one_of(
    claims: list[_Claim],
    opened: Archive,
    lesson: str,
    format: formats.Format,
    is_of_lesson: IsOfLesson | None,
) -> tuple[_Claim | None, list[Row]]:
    """The claim that counts of one person's, and a row for each of the others."""
    rows: list[Row] = []

    def keep(kept: Iterable[_Claim], status: str, reason: str) -> list[_Claim]:
        nonlocal claims
        kept = list(kept)
        for claim in claims:
            if claim not in kept:
                rows.append(Row(str(claim.entry), status, reason, claim.arrival))
        claims = kept
        return kept

    if len(claims) > 1:
        newest = max((c.when for c in claims if c.when), default=None)
        if newest:
            keep((c for c in claims if c.when == newest), "older", "there is a newer attempt")
    if len(claims) > 1:
        _different(claims, opened, keep)
    if len(claims) > 1 and is_of_lesson is not None:
        ours = [c for c in claims if is_of_lesson(opened.read(c.entry))]
        if ours:
            keep(ours, "left out", f"its cells are not those of {lesson}")
    if len(claims) > 1:
        named = [c for c in claims if _is_named_for(c.file, lesson)]
        if named:
            keep(named, "left out", f"another notebook of this person is called {named[0].file}")
    if len(claims) > 1 and format.numbered_names and len({_count(c.file)[0] for c in claims}) == 1:
        last = max(c.arrival.attempt or 0 for c in claims)
        same = [c for c in claims if (c.arrival.attempt or 0) == last]
        keep(same, "older", "there is a newer attempt")
    if len(claims) > 1:
        both = " and ".join(str(c.entry) for c in claims[:4])
        why = f"one person handed in {both}, and which one counts cannot be told"
        keep((), "refused", why)
    return (claims[0] if claims else None), rows


def _different(
    claims: list[_Claim], opened: Archive, keep: Callable[[Iterable[_Claim], str, str], object]
) -> None:
    """Leaves out what cannot be read, and all but one of the same file."""
    first: dict[str, _Claim] = {}
    broken = {}
    for claim in claims:
        try:
            digest = hashlib.sha256(opened.read(claim.entry)).hexdigest()
        except Unusable as why:
            broken[claim.entry] = str(why)
        else:
            first.setdefault(digest, claim)
    if not first:
        keep((), "refused", next(iter(broken.values())))
        return
    keep((c for c in claims if c.entry not in broken), "left out", "it cannot be unpacked")
    keep((c for c in claims if c in first.values()), "left out", "it is the same file again")


def _is_named_for(file: str, lesson: str) -> bool:
    stem = folded(PurePosixPath(file).stem)
    return stem.startswith("lesson") or folded(lesson) in stem


def _with_the_keys_of_their_people(rows: list[Row]) -> list[Row]:
    """Rows of a person's other notebooks also say the key."""
    keys = {row.arrival.identity: row.key for row in rows if row.arrival and row.key}
    return [
        replace(row, arrival=replace(row.arrival, key=keys.get(row.arrival.identity, "")))
        if row.arrival and not row.key
        else row
        for row in rows
    ]


# --- keys ----------------------------------------------------------------------------------------


def _named_by(roster: Roster, claims: list[_Claim]) -> list[_Claim]:
    """The claims with the names and addresses that a class list says."""
    # No claim has a key yet, and what stands in for one must not be anybody's number.
    numbered = [replace(c.arrival, key=f"\0{n}") for n, c in enumerate(claims)]
    people = roster.join(numbered).people
    found = []
    for number, claim in enumerate(claims):
        if entry := people.get(f"\0{number}"):
            one = claim.arrival
            # Without a number the name is who it is: it stays as the zip has it.
            name = (entry.name or one.name) if one.number else one.name
            claim = replace(claim, arrival=replace(one, name=name, email=entry.email or one.email))
        found.append(claim)
    return found


def _numbered_anew(known: list[Arrival], claims: list[_Claim]) -> list[str]:
    """A sentence if people of Moodle's may have handed in other lessons under other numbers."""
    numbers = {one.identity for one in known}
    names = {folded(one.name) for one in known if one.lms == formats.MOODLE.name}
    anew = sum(
        claim.arrival.identity not in numbers and folded(claim.arrival.name) in names
        for claim in claims
    )
    if not anew:
        return []
    return [
        f"{anew} names are known from other lessons with other numbers, since Moodle numbers people"
        " anew in each assignment: with --roster FILE (its participants with e-mail addresses) they"
        " keep their keys"
    ]


def _with_keys(
    course: Course, known: list[Arrival], claims: list[_Claim]
) -> list[tuple[_Claim, Row | None]]:
    """Each claim with its person's key; with a refusing row where two people claim one key."""
    by_identity = {one.identity: one for one in reversed(known)}
    by_address = {(one.lms, folded(one.email)): one for one in reversed(known) if one.email}
    people = _People(known)
    keyed = []
    for claim in claims:
        arrival = claim.arrival
        before = by_identity.get(arrival.identity)
        if before is None and arrival.email:
            before = by_address.get((arrival.lms, folded(arrival.email)))
        key = before.key if before else claim.new_key
        people.add(key, arrival, before)
        keyed.append(replace(claim, arrival=replace(arrival, key=key)))
    if course.submitted.is_dir():
        people.folders = {folded(place.name): place.name for place in course.submitted.iterdir()}
    return [(claim, people.clash(claim.arrival)) for claim in keyed]


class _People:
    """Who holds which key: people known from earlier zips, and those of this one."""

    def __init__(self, known: list[Arrival]) -> None:
        self.holders: dict[str, dict[tuple[str, str], str]] = {}
        self.folders: dict[str, str] = {}
        self.known: set[tuple[str, str]] = set()
        for one in known:
            self.known.add(one.identity)
            self.add(one.key, one, None)

    def add(self, key: str, arrival: Arrival, before: Arrival | None) -> None:
        """`arrival` claims `key`; it is the person of `before`, if that is told."""
        # An address joins a person's numbers; whoever has none is the number.
        first = before or arrival
        person = (arrival.lms, folded(first.email)) if first.email else first.identity
        told = arrival.number or arrival.name
        self.holders.setdefault(folded(key), {})[person] = f"{told} ({arrival.lms})"
        if before is not None:
            self.known.add(arrival.identity)

    def clash(self, arrival: Arrival) -> Row | None:
        """The row that refuses a key which is not this person's alone."""
        why = ""
        if not arrival.key:
            why = "no student's name can be read from it"
        else:
            others = sorted(self.holders[folded(arrival.key)].values())
            if len(others) > 1:
                names = " and ".join(others[:4])
                why = f"{arrival.key} is claimed by {names}: none of them is taken in"
            folder = self.folders.get(folded(arrival.key))
            theirs = folder is not None and arrival.identity not in self.known
            if not why and theirs and folder != arrival.key:
                why = f"{arrival.key} and the folder {folder} have one name: it is not taken in"
            if not why and theirs and not arrival.number and folder != arrival.name:
                why = f"the folder {folder} may be another person's: it is not taken in"
        return Row(arrival.entry, "refused", why, arrival) if why else None


def _new_key(arrival: Arrival) -> str:
    if arrival.login and arrival.login == arrival.number:
        return login_key(arrival.login)
    if arrival.number:
        return numbered_key(arrival.name, arrival.number.removeprefix(_SUBMISSION))
    return named_key(arrival.name)


def _status(
    course: Course, lesson: str, opened: Archive, claim: _Claim, before: dict[str, Arrival]
) -> Row:
    """What becomes of the claim that counts for a person."""
    arrival = claim.arrival
    try:
        digest = hashlib.sha256(opened.read(claim.entry)).hexdigest()
    except Unusable as why:
        return Row(arrival.entry, "refused", str(why), arrival)
    arrival = replace(arrival, sha256=digest)
    try:
        there = read_bytes(course.submission_of(arrival.key, lesson), course.submitted)
    except Unreadable:
        return Row(arrival.entry, "new", "", arrival)
    if hashlib.sha256(there).hexdigest() == digest:
        return Row(arrival.entry, "same", "", arrival)
    if _is_older(arrival, before.get(arrival.key)):
        return Row(arrival.entry, "older", "a newer attempt is there already", arrival)
    return Row(arrival.entry, "newer", "", arrival)


def _is_older(arrival: Arrival, before: Arrival | None) -> bool:
    if before is None:
        return False
    if arrival.time and before.time:
        return datetime.fromisoformat(arrival.time) < datetime.fromisoformat(before.time)
    if arrival.lms == before.lms and arrival.submission and before.submission:
        return int(arrival.submission) < int(before.submission)
    return False
