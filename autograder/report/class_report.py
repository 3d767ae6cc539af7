"""What a class did in one lesson, as plain data: the gradebook joined with the records.

Marks are the gradebook's. Records tell which claims failed, which mistakes the checks named, what
the students wrote, how long it took. Every text that others wrote is cleaned and cut here; what is
odd about one student costs that student's line.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from difflib import SequenceMatcher
from functools import cached_property
from pathlib import Path
from statistics import median
from typing import Any

from autograder.claims import NOT_ATTEMPTED
from autograder.grading.course import Course
from autograder.grading.matching import checked_name
from autograder.grading.outputs import plain_text
from autograder.grading.rebuild import (
    is_added,
    is_answer,
    is_graded,
    is_untouched,
    nbgrader_of,
    text_of,
)
from autograder.grading.submission import Unreadable, read_bytes
from autograder.report.marks import ClassMarks, StudentMarks, marks_of_class
from autograder.steps import exercise_of

# States of a student. Only those of MARKED count in the distribution of marks.
GRADED, TO_READ = "graded", "to read"
NOT_READ, NOT_GRADED, NOTHING, ODD = "not read", "not graded", "nothing handed in", "odd"
MARKED = (GRADED, TO_READ)

# What of a student's own words is kept, in characters. A claim or an advice is ours and short.
MAX_SENTENCE, MAX_CODE, MAX_EXAMPLE, MAX_NAME = 400, 8_000, 1_500, 80
TEXT_OF_CLASS = 12_000_000  # of all students together, shared out evenly
MAX_RECORD_BYTES = 64 * 2**20
MAX_CLAIMS, MAX_ADDED, MAX_ATTEMPTS = 60, 12, 20


@dataclass(frozen=True)
class ClaimSeen:
    """One claim of one student's verdict. `holds` is None where it could not be judged."""

    text: str
    holds: bool | None
    saw: str = ""
    asks: str = ""
    advice: str = ""
    mistake: str = ""


@dataclass(frozen=True)
class CauseSeen:
    """Why claims of a verdict fail, as the check told it once: the smallest case, and advice."""

    mistakes: tuple[str, ...] = ()
    advice: str = ""
    example: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Exercise:
    """One graded cell of the lesson. `written`: a person reads it."""

    grade_id: str
    name: str
    title: str
    points: float
    written: bool = False


@dataclass(frozen=True)
class ExerciseSeen:
    """One student's mark and verdict for one graded cell. `score` is None without a mark."""

    score: float | None = None
    by_hand: bool = False
    to_read: bool = False
    status: str = ""
    reason: str = ""
    line: str = ""
    claims: tuple[ClaimSeen, ...] = ()
    cause: CauseSeen = CauseSeen()
    answer: str = ""
    inside: bool = False

    @property
    def mistakes(self) -> dict[str, tuple[str, str]]:
        """The mistakes that the verdict names: for each the claim that it fails, and advice."""
        failed = [claim for claim in self.claims if claim.holds is False]
        named = {c.mistake: (c.text, c.advice) for c in reversed(failed) if c.mistake}
        first = failed[0].text if failed else ""
        return {name: (first, self.cause.advice) for name in self.cause.mistakes} | {
            name: told for name, told in named.items() if name not in self.cause.mistakes
        }


@dataclass(frozen=True)
class Attempt:
    """One grading of one submission."""

    graded_at: str
    score: float


@dataclass(frozen=True)
class StudentReport:
    """One student's line. `why` says why there are no marks, for the states that have none.

    `key` is the gradebook's key as it may be shown, `exact_key` as it is.
    """

    key: str
    exact_key: str = field(default="", repr=False)
    name: str = ""
    state: str = NOTHING
    why: str = ""
    score: float | None = None
    penalty: float = 0.0
    seconds_late: float = 0.0
    changed_since: bool = False
    exercises: dict[str, ExerciseSeen] = field(default_factory=dict)
    added: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()
    attempts: tuple[Attempt, ...] = ()
    seconds: float | None = None
    peak_memory_bytes: int | None = None
    feedback: Path | None = None

    @property
    def to_read(self) -> int:
        """How many answers a person must still read."""
        return sum(one.to_read for one in self.exercises.values())


@dataclass(frozen=True)
class ClaimCount:
    """How often a claim failed among the students whom its check could judge."""

    exercise: str
    text: str
    failed: tuple[str, ...]
    judged: int


@dataclass(frozen=True)
class Example:
    """How one student wrote it: lines, and for each whether it differs from a right answer.

    `lines` holds None where lines that do not differ are left out. Nothing differs where nobody has
    a right answer near enough to compare with. `as_right`: it is written as a right answer is, so
    that the mistake comes from an exercise above; there are no lines then.
    """

    student: str
    lines: tuple[tuple[str, bool] | None, ...] = ()
    as_right: bool = False

    @property
    def compared(self) -> bool:
        """Whether the lines were compared with a right answer."""
        return any(line is not None and line[1] for line in self.lines)


@dataclass(frozen=True)
class Mistake:
    """A mistake that the checks know by name, who made it, and how one student wrote it."""

    exercise: str
    name: str
    claim: str
    advice: str
    students: tuple[str, ...]
    example: Example


@dataclass(frozen=True)
class ExerciseCount:
    """How an exercise went. Five counts part those graded: full, part, nothing, not begun, to read.

    `mean` of the marks, those of who did not begin included; None while there are answers to read.
    `stopped`: students whose code ended in an error or ran out of time before its check was done.
    """

    exercise: Exercise
    mean: float | None
    full: int
    part: int
    nothing: int
    not_begun: tuple[str, ...]
    to_read: tuple[str, ...]
    stopped: tuple[str, ...]
    claims: tuple[ClaimCount, ...]


@dataclass(frozen=True)
class TalkingPoint:
    """What to talk about first: a mistake or a failed claim, and how many it concerns."""

    exercise: str
    claim: str
    advice: str
    students: tuple[str, ...]
    mistake: str = ""


@dataclass(frozen=True)
class Bar:
    """One bar of the distribution: marks from `low` to below `high` (the last: `high` included)."""

    low: float
    high: float
    final: int
    waiting: int


@dataclass(frozen=True)
class ClassReport:
    """What a class did in one lesson."""

    lesson: str
    title: str
    max_score: float
    made_at: datetime
    exercises: tuple[Exercise, ...]
    students: tuple[StudentReport, ...]
    names: bool = False

    def in_state(self, *states: str) -> list[StudentReport]:
        """The students in one of `states`."""
        return [one for one in self.students if one.state in states]

    @cached_property
    def marked(self) -> list[StudentReport]:
        """Those whose marks count in the statistics, answers to read or not."""
        return self.in_state(*MARKED)

    @cached_property
    def scores(self) -> list[float]:
        """Marks in rising order."""
        return sorted(one.score for one in self.marked if one.score is not None)

    @property
    def quartiles(self) -> tuple[float, float, float] | None:
        """Lower quartile, median, upper quartile; None without marks."""
        scores = self.scores
        if not scores:
            return None
        half = (len(scores) + 1) // 2  # the median itself belongs to both halves
        return median(scores[:half]), median(scores), median(scores[-half:])

    @cached_property
    def distribution(self) -> list[Bar]:
        """At most a dozen bars of equal width, from 0 to the full mark or the best one."""
        top = max([self.max_score, *self.scores], default=0.0)
        if top <= 0:
            return []
        width = next(w for w in _widths() if top / w <= 12)
        bars = []
        for k in range(math.ceil(top / width - 1e-9)):
            low, high = k * width, (k + 1) * width
            last = high >= top - 1e-9
            inside = [
                one
                for one in self.marked
                if one.score is not None and low <= one.score and (one.score < high or last)
            ]
            waiting = sum(one.state == TO_READ for one in inside)
            bars.append(Bar(low, min(high, top), len(inside) - waiting, waiting))
        return bars

    @cached_property
    def by_exercise(self) -> list[ExerciseCount]:
        """How each exercise went, in the lesson's order; its claims by how often they fail."""
        return [self._count(exercise) for exercise in self.exercises]

    def _count(self, exercise: Exercise) -> ExerciseCount:
        seen = {one.key: one.exercises.get(exercise.grade_id) for one in self.marked}
        known = {key: one for key, one in seen.items() if one is not None}
        failed: dict[str, list[str]] = {}
        judged: dict[str, int] = defaultdict(int)
        for key, one in known.items():
            for said in one.claims:
                failed.setdefault(said.text, [])
                if said.holds is not None:
                    judged[said.text] += 1
                if said.holds is False:
                    failed[said.text].append(key)
        counts = [ClaimCount(exercise.name, t, tuple(who), judged[t]) for t, who in failed.items()]
        to_read = {key for key, one in known.items() if one.to_read}
        not_begun = {
            key
            for key, one in known.items()
            if one.status == NOT_ATTEMPTED and not one.score and key not in to_read
        }
        scores = [
            one.score
            for key, one in known.items()
            if one.score is not None and key not in to_read | not_begun
        ]
        marked = len(scores) + len(not_begun)
        full = sum(score >= exercise.points for score in scores)
        nothing = sum(score <= 0 < exercise.points for score in scores)
        return ExerciseCount(
            exercise,
            mean=sum(scores) / marked if marked and not to_read else None,
            full=full,
            part=len(scores) - full - nothing,
            nothing=nothing,
            not_begun=tuple(sorted(not_begun)),
            to_read=tuple(sorted(to_read)),
            stopped=tuple(k for k, one in known.items() if one.reason and k not in not_begun),
            claims=tuple(sorted(counts, key=lambda c: (-len(c.failed), c.judged))),
        )

    @cached_property
    def mistakes(self) -> list[Mistake]:
        """Mistakes by number of students, each with the shortest answer that shows it alone."""
        found: dict[tuple[Exercise, str], dict[str, tuple[int, int, tuple[str, str], str]]] = {}
        right: dict[Exercise, list[str]] = defaultdict(list)
        for one in self.marked:
            for exercise in self.exercises:
                seen = one.exercises.get(exercise.grade_id)
                if seen is None:
                    continue
                if seen.answer and seen.claims and all(c.holds for c in seen.claims):
                    right[exercise].append(seen.answer)
                for name, told in seen.mistakes.items():
                    made = found.setdefault((exercise, name), {})
                    size = len(seen.answer) or 10**9
                    made[one.key] = (len(seen.mistakes), size, told, seen.answer)
        mistakes = []
        for (exercise, name), made in found.items():
            texts = set(right[exercise])
            by = min(made, key=lambda key: (made[key][3] in texts, made[key][:2], key))
            *_, (claim, advice), answer = made[by]
            as_right = answer in texts
            lines = () if as_right or not answer else compare(answer, right[exercise])
            example = Example(by, lines, as_right)
            mistakes.append(Mistake(exercise.name, name, claim, advice, tuple(made), example))
        place = {exercise.name: k for k, exercise in enumerate(self.exercises)}
        return sorted(mistakes, key=lambda m: (-len(m.students), place[m.exercise], m.name))

    @cached_property
    def talking_points(self) -> list[TalkingPoint]:
        """At most three: what concerns most students, each thing once.

        A claim stands for itself only among those for whom no mistake of the exercise is named.
        """
        points = [
            TalkingPoint(m.exercise, m.claim, m.advice, m.students, m.name) for m in self.mistakes
        ]
        named: dict[str, set[str]] = defaultdict(set)
        for point in points:
            named[point.exercise].update(point.students)
        for count in self.by_exercise:
            for claim in count.claims:
                unexplained = [who for who in claim.failed if who not in named[claim.exercise]]
                if unexplained:
                    points.append(TalkingPoint(claim.exercise, claim.text, "", tuple(unexplained)))
        chosen: list[TalkingPoint] = []
        place = {exercise.name: k for k, exercise in enumerate(self.exercises)}
        for point in sorted(
            points, key=lambda p: (-len(p.students), not p.mistake, place[p.exercise])
        ):
            same = [
                p
                for p in chosen
                if p.exercise == point.exercise or (p.mistake and p.mistake == point.mistake)
            ]
            told = {who for p in same for who in p.students}
            if len(told & set(point.students)) * 2 <= len(point.students):
                chosen.append(point)
        return chosen[:3]

    @cached_property
    def resubmitted(self) -> list[StudentReport]:
        """Students of whom more than one submission was graded, by what they gained."""
        several = [one for one in self.students if len(one.attempts) > 1]
        return sorted(several, key=lambda o: o.attempts[0].score - o.attempts[-1].score)

    @property
    def gained(self) -> int:
        """How many of those who handed in again have more than at first."""
        return sum(one.attempts[-1].score > one.attempts[0].score for one in self.resubmitted)

    @property
    def median_gain(self) -> float | None:
        """Points between first and last submission, the median of those who handed in again."""
        gains = [one.attempts[-1].score - one.attempts[0].score for one in self.resubmitted]
        return median(gains) if gains else None

    @property
    def late(self) -> list[StudentReport]:
        """Students who handed in after their due date, the latest first."""
        late = [one for one in self.students if one.seconds_late > 0]
        return sorted(late, key=lambda one: -one.seconds_late)


def compare(answer: str, right: list[str]) -> tuple[tuple[str, bool] | None, ...]:
    """The answer's lines, marked where they differ from the nearest of some right answers.

    Long stretches that do not differ are left out (None), and what is beyond MAX_EXAMPLE.
    """
    mine = answer.split("\n")
    nearest: list[str] = []
    best = 0.5
    for one in sorted(set(right), key=lambda text: abs(len(text) - len(answer)))[:20]:
        ratio = SequenceMatcher(None, mine, one.split("\n"), autojunk=False).ratio()
        if ratio > best:
            nearest, best = one.split("\n"), ratio
    if not nearest:
        return tuple((line, False) for line in cut(answer, MAX_EXAMPLE).split("\n"))
    differs = [True] * len(mine)
    for block in SequenceMatcher(None, mine, nearest, autojunk=False).get_matching_blocks():
        differs[block.a : block.a + block.size] = [False] * block.size
    differs = [d and bool(line.strip()) for d, line in zip(differs, mine, strict=True)]
    near = [any(differs[max(0, k - 2) : k + 3]) for k in range(len(mine))]
    if not any(near):  # what is wrong is a line that is missing
        return tuple((line, False) for line in cut(answer, MAX_EXAMPLE).split("\n"))
    kept: list[tuple[str, bool] | None] = []
    left = MAX_EXAMPLE
    for k, line in enumerate(mine):
        if (near[k] or k == 0) and left > 0:
            kept.append((cut(line, left), differs[k]))
            left -= len(line) + 1
        elif kept[-1] is not None:
            kept.append(None)
    return tuple(kept)


def _widths() -> Iterator[float]:
    scale = 0.25
    while True:
        for step in (1, 2, 4, 8, 20):
            yield scale * step
        scale *= 40


def class_report(course: Course, lesson: str, *, names: bool = False) -> ClassReport:
    """Reads gradebook and records of `lesson`; CourseError if there is nothing to report.

    With `names`, a student is called by first and last name where the gradebook knows them, and an
    example says whose it is.
    """
    marks = marks_of_class(course, lesson)
    keys = {*marks.students, *_handed_in(course, lesson)}
    exercises, title = _exercises(course, lesson, marks, sorted(keys))
    share = TEXT_OF_CLASS // max(len(keys), 1)
    students: dict[str, StudentReport] = {}
    for key in sorted(keys, key=str.casefold):
        standing = marks.students.get(key) or StudentMarks(key)
        try:
            one = _student(course, lesson, standing, exercises, share, names)
        except Exception as error:  # whatever it is, it is this student's
            why = f"the record makes no sense ({type(error).__name__})"
            one = StudentReport(_shown(key, MAX_NAME), key, state=ODD, why=why)
        while one.key in students:  # two keys may look alike once they are clean
            one = replace(one, key=one.key + "′")
        students[one.key] = one
    return ClassReport(
        lesson,
        title,
        marks.max_score,
        datetime.now(UTC),
        exercises,
        tuple(students.values()),
        names,
    )


def _handed_in(course: Course, lesson: str) -> set[str]:
    """Whoever has a folder of this lesson among the submissions."""
    if not course.submitted.is_dir():
        return set()
    return {
        entry.name
        for entry in os.scandir(course.submitted)
        if not entry.name.startswith(".") and os.path.lexists(os.path.join(entry.path, lesson))
    }


def _record(course: Course, lesson: str, key: str) -> dict[str, Any]:
    """The student's record, {} if there is none; ValueError if it is odd."""
    path = course.record_of(key, lesson)
    try:
        if path.stat().st_size > MAX_RECORD_BYTES:
            raise ValueError("the record is too large to be one")
        data = json.loads(path.read_bytes())
    except FileNotFoundError:
        return {}
    except (OSError, RecursionError) as error:
        raise ValueError(f"the record cannot be read ({type(error).__name__})") from None
    if not isinstance(data, dict):
        raise ValueError("the record is no record")
    return data


def _exercises(
    course: Course, lesson: str, marks: ClassMarks, keys: list[str]
) -> tuple[tuple[Exercise, ...], str]:
    """The graded cells in the lesson's order, and its title, from the first record that has them.

    What no record tells of stands behind, by its name in the gradebook.
    """
    found: dict[str, Exercise] = {}
    title = ""
    for key in keys:
        try:
            cells = _record(course, lesson, key)["notebook"]["cells"]
            heading = ""
            for cell in cells:
                if cell.get("cell_type") == "markdown" and not is_added(cell):
                    told = re.findall(r"^#{1,4} +(.+?)[ \t]*$", text_of(cell), re.MULTILINE)
                    title, heading = title or (told or [""])[0], (told or [heading])[-1]
                name = nbgrader_of(cell).get("grade_id")
                if is_graded(cell) and name in marks.points:
                    called = checked_name(cell) or name
                    found[name] = Exercise(
                        name, _shown(called, MAX_NAME), _shown(heading, 120), marks.points[name],
                        is_answer(cell),
                    )  # fmt: skip
        except (KeyError, TypeError, ValueError, AttributeError):
            found, title = {}, ""
            continue
        if found:
            break
    for name, points in marks.points.items():
        called = _shown(name.removeprefix("check-"), MAX_NAME)
        found.setdefault(name, Exercise(name, called, called, points))
    return tuple(found.values()), _shown(title, 120) or lesson


class _Share:
    """The characters of their own that one student may still fill."""

    def __init__(self, left: int) -> None:
        self.left = left

    def cut(self, text: Any, most: int) -> str:
        kept = cut(plain_text(text, most + 1), min(most, self.left))
        self.left -= len(kept)
        return kept


def cut(text: str, most: int) -> str:
    """`text`, or its beginning and an ellipsis where it has more than `most` characters."""
    return text if len(text) <= most else text[: max(most - 1, 0)].rstrip() + "…" * (most > 0)


def _shown(text: Any, most: int) -> str:
    """One clean line."""
    return cut(" ".join(plain_text(text, most + 1).split()), most)


def _student(
    course: Course,
    lesson: str,
    standing: StudentMarks,
    exercises: tuple[Exercise, ...],
    share: int,
    names: bool,
) -> StudentReport:
    key = standing.key
    shown = _shown(key, MAX_NAME) or "(no name)"
    name = _shown(standing.name, MAX_NAME) if names else ""
    if key != Path(key).name or key in (".", ".."):
        return StudentReport(shown, key, name, ODD, "this key is no name of a folder")
    if standing.odd:
        return StudentReport(shown, key, name, ODD, standing.odd)
    problem = ""
    try:
        record = _record(course, lesson, key)
    except ValueError as error:
        record, problem = {}, str(error)
    unread = record.get("unreadable")
    unread = _shown(unread, MAX_SENTENCE) if unread else ""
    by_hand = any(mark.by_hand for mark in (standing.marks or {}).values())
    digest = _digest(course, lesson, key)
    if standing.marks is None:
        state = NOTHING if digest is None else NOT_GRADED
        why = unread or ("there are no marks in the gradebook yet" if state == NOT_GRADED else "")
        return StudentReport(shown, key, name, state, why)
    if unread and not by_hand:
        state = NOT_READ
    else:
        state = TO_READ if standing.to_read else GRADED
    allowed = _Share(share)
    seen, added = _exercises_seen(record, standing, exercises, allowed)
    problems = [problem] if problem else []
    problems += [_shown(p, MAX_SENTENCE) for p in _list(record.get("problems"))[:8]]
    page = course.feedback_of(key, lesson)
    return StudentReport(
        key=shown,
        exact_key=key,
        name=name,
        state=state,
        why=unread if state == NOT_READ else "",
        score=standing.score,
        penalty=standing.penalty,
        seconds_late=standing.seconds_late,
        changed_since=bool(record and digest and record.get("digest") != digest and not unread),
        exercises=seen,
        added=added,
        problems=tuple(problems),
        attempts=_attempts(record),
        seconds=_positive(record.get("seconds")),
        peak_memory_bytes=int(_positive(record.get("peak_memory_bytes")) or 0) or None,
        feedback=page if page.is_file() else None,
    )


def _digest(course: Course, lesson: str, key: str) -> str | None:
    """SHA-256 of what lies among the submissions now; "" if unreadable, None if there is none."""
    if not os.path.lexists(course.submitted / key / lesson):
        return None
    try:
        raw = read_bytes(course.submission_of(key, lesson), course.submitted)
    except (Unreadable, ValueError, OSError):
        return ""
    return hashlib.sha256(raw).hexdigest()


def _exercises_seen(
    record: dict[str, Any],
    standing: StudentMarks,
    exercises: tuple[Exercise, ...],
    allowed: _Share,
) -> tuple[dict[str, ExerciseSeen], tuple[str, ...]]:
    """What the student earned, was told, and wrote; and the cells that the student added."""
    outcomes = {
        one["grade_id"]: one
        for one in _list(record.get("outcomes"))
        if isinstance(one, dict) and isinstance(one.get("grade_id"), str)
    }
    notebook = record.get("notebook")
    cells = _list(notebook.get("cells")) if isinstance(notebook, dict) else []
    answers, added = {}, []
    for cell in cells:
        if is_answer(cell) and not is_untouched(cell):
            answers[nbgrader_of(cell).get("grade_id")] = text_of(cell)
        elif is_added(cell):
            added.append(text_of(cell))
    seen = {}
    for exercise in exercises:
        mark = (standing.marks or {}).get(exercise.grade_id)
        outcome = outcomes.get(exercise.grade_id, {})
        told = outcome.get("verdict")
        verdict: dict[str, Any] = told if isinstance(told, dict) else {}
        own = exercise_of(exercise.name)
        answer = answers.get(own, answers.get(exercise.grade_id, ""))
        seen[exercise.grade_id] = ExerciseSeen(
            score=None if mark is None else mark.score,
            by_hand=bool(mark and mark.by_hand),
            to_read=bool(mark and mark.to_read),
            status=_shown(outcome.get("status", ""), 40),
            reason=allowed.cut(verdict.get("reason", ""), MAX_SENTENCE),
            line=allowed.cut(verdict.get("line", ""), 200),
            claims=tuple(
                _claim(one, allowed)
                for one in _list(verdict.get("claims"))[:MAX_CLAIMS]
                if isinstance(one, dict)
            ),
            cause=_cause(verdict.get("cause"), allowed),
            answer=allowed.cut(answer, MAX_CODE),
            inside=bool(outcome.get("inside")),
        )
    return seen, tuple(allowed.cut(text, MAX_CODE // 4) for text in added[:MAX_ADDED])


def _claim(one: dict[str, Any], allowed: _Share) -> ClaimSeen:
    text = _shown(one.get("text"), MAX_SENTENCE)
    holds = one.get("holds")
    if not isinstance(holds, bool) or one.get("waits"):
        return ClaimSeen(text, None)
    if holds:
        return ClaimSeen(text, True)
    # What a check asks and advises is ours, and shared by the class; what was seen is not.
    return ClaimSeen(
        text,
        False,
        saw=allowed.cut(one.get("saw"), MAX_SENTENCE),
        asks=_shown(one.get("asks"), MAX_SENTENCE),
        advice=_shown(one.get("advice"), MAX_SENTENCE),
        mistake=_shown(one.get("misconception"), MAX_NAME),
    )


def _cause(told: Any, allowed: _Share) -> CauseSeen:
    if not isinstance(told, dict):
        return CauseSeen()
    names = [_shown(name, MAX_NAME) for name in _list(told.get("names"))[:2]]
    if not names and isinstance(told.get("slip"), str):
        names = [_shown(told["slip"], MAX_NAME)]
    rows = [row for row in _list(told.get("example"))[:8] if isinstance(row, list | tuple)]
    return CauseSeen(
        tuple(name for name in names if name),
        _shown(told.get("advice"), MAX_SENTENCE),
        tuple(
            (_shown(row[0], 60), allowed.cut(row[1], MAX_SENTENCE)) for row in rows if len(row) == 2
        ),
    )


def _attempts(record: dict[str, Any]) -> tuple[Attempt, ...]:
    """The gradings on record; of several gradings of one submission, the last."""
    kept: dict[Any, Attempt] = {}
    for one in _list(record.get("history"))[-MAX_ATTEMPTS:]:
        if isinstance(one, dict) and (score := _positive(one.get("score"))) is not None:
            digest = str(one.get("digest"))
            kept.pop(digest, None)
            kept[digest] = Attempt(_shown(one.get("graded_at"), 40), score)
    return tuple(kept.values())


def _positive(value: Any) -> float | None:
    if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
        return max(0.0, float(value))
    return None


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
