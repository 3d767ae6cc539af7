"""One HTML page of a ClassReport: a file to open from disk, without server or request.

What others wrote comes into the page by two doors only: Jinja2's escaping, and JSON in an inert
script element, which the page's own script puts into text nodes. The policy in the page's head
allows that one script and style by their hashes, and no HTML made from strings.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
from importlib.resources import files
from pathlib import Path
from statistics import median
from typing import Any
from urllib.parse import quote

from autograder.report.class_report import (
    GRADED,
    MARKED,
    NOT_GRADED,
    NOT_READ,
    NOTHING,
    ODD,
    TO_READ,
    ClassReport,
    StudentReport,
)


def page_of(report: ClassReport, place: Path) -> str:
    """The page, for the file `place`: links to feedback pages are relative to it."""
    from jinja2 import Environment, PackageLoader, StrictUndefined
    from markupsafe import Markup

    from figures.palette import stylesheet

    assets = files("autograder.report")
    style = stylesheet("body") + assets.joinpath("page.css").read_text(encoding="utf-8")
    script = assets.joinpath("page.js").read_text(encoding="utf-8")
    environment = Environment(
        loader=PackageLoader("autograder.report", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"marks": marks, "duration": duration, "megabytes": megabytes}
    payload = _Payload(report, place)
    data = payload.data()
    return environment.get_template("page.html.j2").render(
        report=report,
        policy=policy(style, script),
        style=Markup(style),
        script=Markup(script),
        data=Markup(as_script(data)),
        index=payload.index,
        claim_index=payload.claims,
        mistake_index=payload.mistakes,
        states={
            "graded": GRADED, "to_read": TO_READ, "not_read": NOT_READ, "not_graded": NOT_GRADED,
            "nothing": NOTHING, "odd": ODD,
        },
        cost=_cost(report),
        chart=_chart(report),
    )  # fmt: skip


def policy(style: str, script: str) -> str:
    """The page's Content-Security-Policy: nothing but this very style and script."""
    return "; ".join(
        [
            "default-src 'none'",
            f"style-src '{_hash(style)}'",
            f"script-src '{_hash(script)}'",
            "base-uri 'none'",
            "form-action 'none'",
            "require-trusted-types-for 'script'",
            "trusted-types 'none'",
        ]
    )


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def as_script(value: Any) -> str:
    """`value` as JSON that cannot close a script element or open a comment in it."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return text.replace("<", "\\u003c")


def marks(value: float | None) -> str:
    """A mark with at most two digits after the point; a dash for none."""
    return "–" if value is None else f"{round(value, 2):g}"


def duration(seconds: float | None) -> str:
    """A time in words a person would use: 0.4 s, 75 s, 35 min, 7 h, 3 days."""
    if seconds is None:
        return "–"
    if seconds < 100:
        return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"
    if seconds < 5_400:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.0f} h" if seconds < 172_800 else f"{seconds / 86_400:.0f} days"


def megabytes(size: int | None) -> str:
    """Bytes as MB."""
    return "–" if size is None else f"{size / 1e6:.0f} MB"


def _cost(report: ClassReport) -> dict[str, Any]:
    """Time and memory of the gradings on record."""
    timed = [one for one in report.students if one.seconds]
    held = [one.peak_memory_bytes for one in report.students if one.peak_memory_bytes]
    return {
        "timed": len(timed),
        "median": median(one.seconds or 0.0 for one in timed) if timed else None,
        "total": sum(one.seconds for one in timed),
        "slowest": sorted(timed, key=lambda one: -(one.seconds or 0))[:5],
        "memory": (min(held), median(held), max(held)) if held else None,
    }


CHART = 220  # pixels of the highest bar


def _chart(report: ClassReport) -> dict[str, Any]:
    """The distribution, across in per cent of the picture's width and down in pixels."""
    bars = report.distribution
    top = bars[-1].high if bars else 1.0
    most = max((bar.final + bar.waiting for bar in bars), default=0) or 1
    drawn = []
    for bar in bars:
        final, waiting = (CHART * n / most for n in (bar.final, bar.waiting))
        left, width = 100 * bar.low / top, 100 * (bar.high - bar.low) / top
        drawn.append(
            {
                "bar": bar,
                "count": bar.final + bar.waiting,
                "x": f"{left + width * 0.06:.3f}%",
                "width": f"{width * 0.88:.3f}%",
                "middle": f"{left + width / 2:.3f}%",
                "final_y": round(24 + CHART - final, 2),
                "final": round(final, 2),
                "waiting_y": round(24 + CHART - final - waiting, 2),
                "waiting": round(waiting, 2),
                "words": f"{bar.low:g} to {'' if bar is bars[-1] else 'below '}{bar.high:g}",
            }
        )
    edges = [*(bar.low for bar in bars), top]
    return {
        "bars": drawn,
        "ticks": [(f"{100 * edge / top:.3f}%", f"{edge:g}") for edge in edges],
        "median": f"{100 * report.quartiles[1] / top:.3f}%" if report.quartiles else "",
        "base": 24 + CHART,
    }


class _Payload:
    """The data of the drill-down: each text once, students and claims by their numbers."""

    def __init__(self, report: ClassReport, place: Path) -> None:
        self.report, self.folder = report, place.resolve().parent
        self.texts: dict[str, int] = {"": 0}
        self.claims: dict[tuple[str, str], int] = {}
        self.mistakes: dict[tuple[str, str], int] = {}
        self.index = {one.key: k for k, one in enumerate(report.students)}
        for mistake in report.mistakes:
            self.mistakes[mistake.exercise, mistake.name] = len(self.mistakes)
        for count in report.by_exercise:
            for claim in count.claims:
                self.claims[count.exercise.name, claim.text] = len(self.claims)

    def data(self) -> dict[str, Any]:
        students = [self._student(one) for one in self.report.students]
        numbers = {exercise.name: k for k, exercise in enumerate(self.report.exercises)}
        return {
            "lesson": self.report.lesson,
            "most": self.report.max_score,
            "exercises": [
                {"name": e.name, "title": e.title, "points": e.points, "written": e.written}
                for e in self.report.exercises
            ],
            "claims": [[numbers[e], text] for e, text in self.claims],
            "mistakes": [[numbers[e], name] for e, name in self.mistakes],
            "students": students,
            "texts": list(self.texts),
        }

    def _text(self, text: str) -> int:
        return self.texts.setdefault(text, len(self.texts))

    def _student(self, one: StudentReport) -> dict[str, Any]:
        told: dict[str, Any] = {
            "key": one.key,
            "name": one.name,
            "state": one.state,
            "why": one.why,
            "score": one.score,
            "penalty": one.penalty,
            "late": one.seconds_late,
            "lateness": duration(one.seconds_late) if one.seconds_late else "",
            "again": one.changed_since,
            "seconds": one.seconds,
            "memory": one.peak_memory_bytes,
            "feedback": self._link(one.feedback),
            "attempts": [[a.graded_at[:16].replace("T", " "), a.score] for a in one.attempts],
            "problems": [self._text(text) for text in one.problems],
            "added": [self._text(text) for text in one.added],
            "exercises": [],
        }
        for exercise in self.report.exercises:
            seen = one.exercises.get(exercise.grade_id)
            if seen is None:
                continue
            told["exercises"].append(
                {
                    "score": seen.score,
                    "hand": seen.by_hand,
                    "read": seen.to_read,
                    "status": seen.status,
                    "reason": self._text(seen.reason),
                    "line": self._text(seen.line),
                    "inside": seen.inside,
                    "answer": self._text(seen.answer),
                    "claims": [self._claim(exercise.name, c) for c in seen.claims],
                    "mistakes": [self.mistakes[exercise.name, name] for name in seen.mistakes]
                    if one.state in MARKED
                    else [],
                    "advice": self._text(seen.cause.advice),
                    "example": [[*map(self._text, row)] for row in seen.cause.example],
                }
            )
        return {
            name: value
            for name, value in told.items()
            if value not in (None, "", []) and value is not False
        }

    def _claim(self, exercise: str, claim: Any) -> Any:
        number = self.claims.setdefault((exercise, claim.text), len(self.claims))
        if claim.holds:
            return number
        if claim.holds is None:
            return [number]
        return [number, *map(self._text, (claim.saw, claim.asks, claim.advice))]

    def _link(self, page: Path | None) -> str:
        if page is None:
            return ""
        try:
            path = Path(os.path.relpath(page.resolve(), self.folder)).as_posix()
        except ValueError:  # another drive
            return page.resolve().as_uri()
        return quote(os.fsencode(path))
