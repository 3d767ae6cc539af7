"""A lesson that changed under a class: what differs in the gradebook, and bringing it up to date.

nbgrader refuses to add or remove cells of a notebook that has submissions. Here it is done with
nbgrader's own tables and methods: cells that still exist keep their marks and comments, new ones
get empty marks, and those of cells that are gone go with them.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from autograder.grading.course import NOTEBOOK
from autograder.grading.rebuild import Notebook, nbgrader_of, text_of


@dataclass(frozen=True)
class Gone:
    """What the gradebook holds of a cell that the lesson has no more."""

    name: str
    marks: int  # submissions that have marks for it
    by_hand: int  # of these, with a mark that a person gave
    comments: int  # written by a person

    def __str__(self) -> str:
        lost = [
            f"{self.marks} marks ({self.by_hand} given by hand)" if self.marks else "",
            f"{self.comments} written comments" if self.comments else "",
        ]
        return f"{self.name} is gone" + ", with " * any(lost) + " and ".join(filter(None, lost))


@dataclass(frozen=True)
class LessonChange:
    """How the lesson differs from the one in the gradebook.

    `points` has the maxima before and now; `over`, the marks given by hand (student, cell, score,
    new maximum) that are more than a cell is worth now.
    """

    added: tuple[str, ...]
    gone: tuple[Gone, ...]
    points: Mapping[str, tuple[float, float]]
    over: tuple[tuple[str, str, float, float], ...]
    submissions: int

    def sentences(self) -> list[str]:
        """What differs, a phrase for each cell."""
        return [
            *(f"{name} is new" for name in self.added),
            *(f"{name} is worth {now:g} (was {was:g})" for name, (was, now) in self.points.items()),
            *map(str, self.gone),
        ]

    def refusal(self, lesson: str) -> str:
        """Why grading stops, what can be done and what it costs, for a person."""
        return (
            f"the gradebook holds {self.submissions} submissions for an earlier {lesson}"
            f" ({'; '.join(self.sentences()) or 'with other cells'}): --update-lesson brings it to"
            " this one, keeps marks and comments given by hand where the cell still exists, keeps a"
            " copy of an SQLite gradebook, and grades all again; or grade with the earlier lesson;"
            " or begin a new gradebook with --gradebook"
        )


# What nbgrader keeps of a cell, a table each: its name in the API, and which cells it is for.
_KINDS: dict[str, Callable[[Mapping[str, Any]], Any]] = {
    "grade": lambda meta: meta.get("grade"),
    "solution": lambda meta: meta.get("solution"),
    "task": lambda meta: meta.get("task"),
    "source": lambda meta: (
        meta.get("grade") or meta.get("solution") or meta.get("locked") or meta.get("task")
    ),
}


def _wanted(template: Notebook, kind: str) -> dict[str, dict[str, Any]]:
    """The cells of one table, by grade_id, with the columns that nbgrader's SaveCells writes."""
    found = {}
    for cell in template["cells"]:
        meta = nbgrader_of(cell)
        if not _KINDS[kind](meta):
            continue
        info: dict[str, Any] = {} if kind == "solution" else {"cell_type": cell["cell_type"]}
        if kind in ("grade", "task"):
            info["max_score"] = float(meta["points"])
        elif kind == "source":
            info |= {
                "locked": bool(meta.get("locked")),
                "source": text_of(cell),
                "checksum": meta.get("checksum"),
            }
        found[meta["grade_id"]] = info
    return found


def _there(notebook: Any, kind: str) -> dict[str, Any]:
    return {cell.name: cell for cell in getattr(notebook, f"{kind}_cells")}


def change_of(gradebook: Any, lesson: str, template: Notebook) -> LessonChange:
    """How `template` differs from the lesson in `gradebook` (nbgrader's), which must have one."""
    notebook = gradebook.find_notebook(NOTEBOOK, lesson)
    added: dict[str, None] = {}
    missing: dict[str, set[str]] = defaultdict(set)
    points: dict[str, tuple[float, float]] = {}
    for kind in _KINDS:
        wanted, there = _wanted(template, kind), _there(notebook, kind)
        added |= dict.fromkeys(name for name in wanted if name not in there)
        for name in there.keys() - wanted.keys():
            missing[name].add(kind)
        if kind in ("grade", "task"):
            for name in wanted:
                if name in there and there[name].max_score != wanted[name]["max_score"]:
                    points[name] = float(there[name].max_score), wanted[name]["max_score"]
    grades = [grade for one in notebook.submissions for grade in one.grades]
    comments = [comment for one in notebook.submissions for comment in one.comments]
    gone = []
    for name, kinds in sorted(missing.items()):
        marks = [g for g in grades if g.name == name and kinds & {"grade", "task"}]
        said = [c for c in comments if c.name == name and kinds & {"solution", "task"}]
        by_hand = sum(g.manual_score is not None or bool(g.extra_credit) for g in marks)
        gone.append(Gone(name, len(marks), by_hand, sum(bool(c.manual_comment) for c in said)))
    over = tuple(
        (grade.student.id, grade.name, float(grade.manual_score), points[grade.name][1])
        for grade in grades
        if grade.name in points
        and grade.manual_score is not None
        and grade.manual_score > points[grade.name][1]
    )
    return LessonChange(tuple(added), tuple(gone), points, over, len(notebook.submissions))


def bring_up_to_date(gradebook: Any, api: Any, lesson: str, template: Notebook) -> None:
    """Makes the lesson's cells in nbgrader's `gradebook` those of `template`, submissions and all.

    `api` is nbgrader.api. Meant for one transaction: a half of it would be no lesson.
    """
    notebook = gradebook.find_notebook(NOTEBOOK, lesson)
    session = gradebook.db
    marked = {"grade": api.Grade, "task": api.Grade, "solution": api.Comment}
    for kind in _KINDS:
        wanted = _wanted(template, kind)
        for name, cell in _there(notebook, kind).items():
            if name in wanted:
                continue
            if kind != "source":
                for row in (*cell.grades, *cell.comments):
                    session.delete(row)
            session.flush()
            session.delete(cell)
        session.flush()
        session.expire_all()
        before = _there(notebook, kind)
        for name, info in wanted.items():
            cell = getattr(gradebook, f"update_or_create_{kind}_cell")(
                name, NOTEBOOK, lesson, **info
            )
            if name in before or kind == "source":
                continue
            for submission in notebook.submissions:  # as nbgrader's add_submission does
                session.add(marked[kind](cell_id=cell.id, notebook=submission))
                if kind == "task":
                    session.add(api.Comment(cell_id=cell.id, notebook=submission))
        session.flush()
        session.expire_all()
    kernel = template.get("metadata", {}).get("kernelspec", {})
    notebook.kernelspec = json.dumps(kernel)
    session.flush()


def copy_of(db_url: str, lesson: str) -> Path | None:
    """A copy of an SQLite gradebook as it is now, beside it; None for any other database."""
    import sqlite3

    if not db_url.startswith("sqlite:///"):
        return None
    place = Path(db_url.removeprefix("sqlite:///").partition("?")[0])
    now = datetime.now().strftime("%Y-%m-%d-%H%M%S-%f")
    copy = place.with_name(f"{place.name}.before-{lesson}-{now}")
    source, target = sqlite3.connect(place), sqlite3.connect(copy)
    try:
        source.backup(target)
    finally:
        source.close()
        target.close()
    return copy
