"""nbgrader's exchange where it meets what students wrote: collecting, and releasing feedback.

Whoever hands in can write any folder into the exchange, with any name, time and link in it. What a
student cannot choose is when the file system saw it change.
"""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

from nbgrader.exchange.default import ExchangeCollect, ExchangeReleaseFeedback
from nbgrader.utils import notebook_hash
from traitlets import Float

from autograder.grading.arrivals import write_arrival
from autograder.grading.submission import Unreadable, read_bytes
from course.files import write_whole

SECRET = "submission_secret.txt"  # names a feedback page, so that only its student finds it
MAX_NOTEBOOKS = 20


class CarefulCollect(ExchangeCollect):
    """`nbgrader collect` that takes plain notebooks, and the time of arrival from the exchange.

    A folder in the exchange carries the time that the student's `nbgrader submit` wrote. It holds
    unless the file system saw the folder change more than `slack_seconds` later: then that change
    is the arrival. Links are not followed; files that are no notebook stay where they are.
    """

    slack_seconds = Float(
        600.0,
        help="Seconds that a submission may take from its stated time until the exchange's file"
        " system has it. Raise it where the exchange was restored or copied: that looks like an"
        " arrival.",
    ).tag(config=True)

    def do_copy(self, src: str, dest: str, log: object = None) -> None:
        """Copies what counts of one submission: notebooks, time, and the secret of its feedback."""
        submitted = Path(dest).parent.parent
        lesson, student = Path(dest).name, Path(dest).parent.name
        arrived = Path(src)
        notebooks: dict[str, bytes] = {}
        for name in sorted(os.listdir(arrived)):
            if not name.endswith(".ipynb") or name.startswith("."):
                continue
            if len(notebooks) == MAX_NOTEBOOKS:
                self.log.warning("%s: only the first %d notebooks", student, MAX_NOTEBOOKS)
                break
            try:
                notebooks[name] = read_bytes(arrived / name, arrived.parent)
            except Unreadable as why:
                self.log.warning("%s was left out of %s's submission: %s", name, student, why)
        time = self._time(arrived, list(notebooks))
        os.makedirs(dest, exist_ok=True)
        for name, raw in notebooks.items():
            write_whole(Path(dest) / name, raw)
        stated = time.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f UTC")
        write_whole(Path(dest) / "timestamp.txt", stated)
        try:
            write_whole(Path(dest) / SECRET, read_bytes(arrived / SECRET, arrived.parent, 1_000))
        except Unreadable:
            self.log.warning("%s handed in without nbgrader: no feedback can be released", student)
        write_arrival(submitted, student, lesson, time, "nbgrader's exchange", notebooks.values())

    def _time(self, arrived: Path, names: list[str]) -> datetime:
        stated: datetime = self._path_to_record(str(arrived))["timestamp"].replace(tzinfo=UTC)
        changes = [os.lstat(path).st_ctime for path in (arrived, *(arrived / n for n in names))]
        seen = datetime.fromtimestamp(max(changes), UTC)
        if seen - stated <= timedelta(seconds=self.slack_seconds):
            return stated
        self.log.warning(
            "%s says that it is of %s, but reached the exchange at %s, which counts",
            arrived.name,
            f"{stated:%Y-%m-%d %H:%M} UTC",
            f"{seen:%Y-%m-%d %H:%M} UTC",
        )
        return seen


class ReleaseFeedback(ExchangeReleaseFeedback):
    """`nbgrader release_feedback` that reads a submission's secret where `collect` has put it.

    nbgrader looks for it beside the feedback page, where it would have copied every file of the
    submission. Whoever did not hand in through the exchange is named and left out.
    """

    def copy_files(self) -> None:
        """Copies each page to the name that only its student can tell."""
        excluded = set(self.coursedir.student_id_exclude.split(","))
        lesson = self.coursedir.assignment_id
        feedback = Path(self.coursedir.format_path(self.coursedir.feedback_directory, ".", "."))
        submitted = Path(self.coursedir.format_path(self.coursedir.submitted_directory, ".", "."))
        asked = self.coursedir.student_id or "*"
        for page in sorted(feedback.resolve().glob(f"{asked}/{lesson}/*.html")):
            student = page.parent.parent.name
            if student in excluded:
                continue
            secret = submitted.resolve() / student / lesson / SECRET
            try:
                found = read_bytes(secret, submitted.resolve(), 1_000).decode("ascii")
            except (Unreadable, ValueError):
                self.log.warning(
                    "%s did not hand in through the exchange: give them %s", student, page
                )
                continue
            checksum = notebook_hash(secret=found, notebook_id=page.stem)
            write_whole(Path(self.dest_path) / f"{checksum}.html", page.read_bytes())
            self.log.info("Released %s's feedback on %s", student, lesson)
