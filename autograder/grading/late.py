"""Late days: nbgrader's plugin with the policy of term.toml, and due dates in the gradebook."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from nbformat import NotebookNode
from nbgrader.api import Gradebook
from nbgrader.plugins import BasePlugin
from nbgrader.preprocessors import NbGraderPreprocessor
from traitlets import Float

from autograder.lessons.term import due_in_utc

DAY = 86_400.0


class LateDays(BasePlugin):
    """A penalty for each day begun after the due date, up to a most; within the grace, none.

    Amounts are points, or per cent of the points earned. nbgrader lets no penalty exceed these.
    """

    points_per_day = Float(0.0, help="Points that a day costs.").tag(config=True)
    percent_per_day = Float(0.0, help="Per cent of the points earned.").tag(config=True)
    grace_hours = Float(
        0.0, help="So late costs nothing; later, days count from the due date."
    ).tag(config=True)
    at_most_points = Float(math.inf, help="The highest penalty, in points.").tag(config=True)
    at_most_percent = Float(100.0, help="The highest penalty, of the points earned.").tag(
        config=True
    )

    def late_submission_penalty(
        self, student_id: str, score: float, total_seconds_late: float
    ) -> float | None:
        """The penalty in points, None within the grace."""
        if total_seconds_late <= self.grace_hours * 3600:
            return None
        days = math.ceil(total_seconds_late / DAY)
        penalty = days * (self.points_per_day + score * self.percent_per_day / 100)
        most = min(self.at_most_points, score * self.at_most_percent / 100)
        return round(min(penalty, most), 6)


class SaveDueDate(NbGraderPreprocessor):
    """Puts a lesson's due date from term.toml into the gradebook, with generate_assignment."""

    def preprocess(
        self, nb: NotebookNode, resources: dict[str, Any]
    ) -> tuple[NotebookNode, dict[str, Any]]:
        """The notebook as it is."""
        about = resources["nbgrader"]
        directory = getattr(getattr(self.parent, "parent", None), "coursedir", None)
        root = Path(directory.root) if directory is not None else Path.cwd()
        with Gradebook(about["db_url"]) as gradebook:
            save_due_date(gradebook, root, about["assignment"])
        return nb, resources


def save_due_date(gradebook: Gradebook, root: Path, lesson: str) -> bool:
    """Writes the due date of term.toml into the gradebook; says whether it was another.

    Without one in term.toml, the gradebook keeps what an instructor has entered there.
    """
    due = due_in_utc(root, lesson)
    if due is None or gradebook.find_assignment(lesson).duedate == due:
        return False
    gradebook.update_or_create_assignment(lesson, duedate=due)
    return True
