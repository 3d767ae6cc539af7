"""The record of one graded submission: enough to know what was done, and to do it again.

One JSON file a submission, written last, so that a record means that gradebook and graded notebook
are written too. `replay` repeats its verdicts from the stored cells and the same seed.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from autograder.claims import Verdict
from autograder.grading.gradebook import json_bytes
from autograder.grading.judge import GuestProcess, judge_notebook
from autograder.grading.key import Key, changed_values
from autograder.grading.matching import checked_name, nbgrader_of
from autograder.grading.worker import Graded
from autograder.sandbox.limits import Limits
from course.files import write_whole

FORMAT = 2
READABLE = (1, 2)  # 1 had one hash, `sources`, for all that marks depend on
_NEEDED = ("student", "lesson", "digest", "seed", "limits", "demos", "outcomes", "notebook")
GRADING = ("graded_at", "digest", "score", "max_score")  # what is kept of an earlier grading
MAX_HISTORY = 100


class NoRecord(ValueError):
    """A record that cannot be read or used; the message is one sentence."""


def record_of(
    path: Path, graded: Graded, *, key: Key, limits: Limits, demos: bool, score: float
) -> dict[str, Any]:
    """What `graded` says, what it was judged by, part by part, and the cells' texts.

    `history` has a line for each grading, this one last: graded_at, digest, score, max_score. The
    earlier ones are those of the record that `path` now holds.
    """
    data = {"format": FORMAT, **vars(graded)}
    data["outcomes"] = [outcome.as_dict() for outcome in graded.outcomes]
    notebook = data.pop("notebook")
    data |= {
        "graded_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "depends_on": key.as_dict(),
        "demos": demos,
        "limits": limits.as_dict(),
        "score": score,
        "max_score": graded.max_score,
        "notebook": {
            **notebook,
            "cells": [
                {**cell, "outputs": [], "execution_count": None} if "outputs" in cell else cell
                for cell in notebook["cells"]
            ],
        },
    }
    data["history"] = [*_history(path), {name: data[name] for name in GRADING}][-MAX_HISTORY:]
    return data


def write_record(
    path: Path, graded: Graded, *, key: Key, limits: Limits, demos: bool, score: float
) -> dict[str, Any]:
    """Writes the record of `graded` to `path`, and returns it."""
    data = record_of(path, graded, key=key, limits=limits, demos=demos, score=score)
    write_whole(path, json_bytes(data))
    return data


def _history(path: Path) -> list[dict[str, Any]]:
    """The gradings that the record now at `path` (of any format) tells of, [] if there is none."""
    try:
        before = json.loads(path.read_text(encoding="utf-8"))
        kept = before.get("history") or [{name: before[name] for name in GRADING}]
    except (OSError, ValueError, AttributeError, KeyError):
        return []
    return kept if isinstance(kept, list) else []


def read_record(path: Path) -> dict[str, Any]:
    """The record at `path`; NoRecord if it is none."""
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise NoRecord(
            f"there is no record {path}: they lie in class/records/LESSON/STUDENT.json"
        ) from None
    except (OSError, ValueError) as error:
        raise NoRecord(f"{path} is no record: {error}") from None
    if not isinstance(data, dict) or data.get("format") not in READABLE:
        raise NoRecord(f"{path} is no record of this version of the grader")
    if missing := [name for name in _NEEDED if name not in data]:
        raise NoRecord(f"{path} is no whole record: it has no {', '.join(missing)}")
    return data


@dataclass(frozen=True)
class Basis:
    """What a run would judge a submission by; a mark is kept while its record agrees.

    `digest` is the submission's, `trusted` says that it may be run without a sandbox.
    """

    digest: str
    key: Key
    limits: Limits
    demos: bool
    trusted: bool

    def differences(self, record: dict[str, Any]) -> list[str]:
        """A phrase for each thing that is another than when `record` was written."""
        said = []
        if record.get("digest") != self.digest:
            said.append(f"another notebook was handed in after {record.get('graded_at')}")
        if "depends_on" in record:
            said += self.key.differences(record["depends_on"])
        else:
            said.append("it was graded by an earlier version of the grader")
        said += changed_values(record.get("limits", {}), self.limits.as_dict(), "limit ")
        said += changed_values({"run_demos": record.get("demos")}, {"run_demos": self.demos})
        if record.get("sandbox") == "plain" and not self.trusted:
            said.append("it was graded without a sandbox")
        return said


def is_current(path: Path, basis: Basis) -> dict[str, Any] | None:
    """The record at `path`, if it is of this very submission judged by the same."""
    try:
        data = read_record(path)
    except NoRecord:
        return None
    return None if basis.differences(data) else data


@dataclass(frozen=True)
class Replay:
    """A verdict from a record, and what the same check says today."""

    name: str
    recorded: Verdict
    repeated: Verdict

    @property
    def same(self) -> bool:
        """Whether both say the same: status, and each claim whether it holds and for how much."""
        return _essence(self.recorded) == _essence(self.repeated)


def _essence(verdict: Verdict) -> tuple[Any, ...]:
    claims = tuple((c.text, c.holds, c.points, c.misconception) for c in verdict.claims)
    return verdict.status, verdict.earned, claims


def replay(
    data: dict[str, Any], spawn: Callable[[], GuestProcess], check: str | None = None
) -> list[Replay]:
    """Repeats the verdicts of a record (or that of one check) in a fresh guest at the same seed."""
    recorded = {
        o["grade_id"]: Verdict.from_dict(o["verdict"]) for o in data["outcomes"] if o["verdict"]
    }
    names = {v.name for v in recorded.values()}
    if check is not None and check not in names:
        there = ", ".join(sorted(names)) or "none"
        raise NoRecord(f"this record has no verdict on {check!r}; there are: {there}")
    notebook = data["notebook"]
    if check is not None:  # what stands below the check cannot change its verdict
        at = next(i for i, c in enumerate(notebook["cells"]) if checked_name(c) == check)
        notebook = {**notebook, "cells": notebook["cells"][: at + 1]}
    result = judge_notebook(
        notebook,
        data["lesson"],
        spawn,
        Limits.from_mapping(data["limits"]),
        seed=data["seed"],
        run_demos=data["demos"],
    )
    again = {o.grade_id: o.verdict for o in result.outcomes if o.verdict}
    return [
        Replay(checked_name(cell), recorded[grade_id], again[grade_id])
        for cell in notebook["cells"]
        if (grade_id := str(nbgrader_of(cell).get("grade_id"))) in recorded
        and check in (None, checked_name(cell))
    ]
