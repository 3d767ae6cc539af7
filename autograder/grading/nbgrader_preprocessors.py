"""What makes nbgrader's own `nbgrader autograde` give the marks of `autograder grade`.

nbgrader_config.py names three things of this module: `CarefulExporter` reads a submission as
`autograder.grading.submission` does, `RebuildCells` puts its text into the instructor's notebook,
and `JudgedExecute` stands in the place of nbgrader's Execute.
"""

from __future__ import annotations

import atexit
import fnmatch
import hashlib
import json
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from nbconvert.exporters import NotebookExporter
from nbformat import NotebookNode, from_dict
from nbgrader.api import Gradebook
from nbgrader.converters import Autograde
from nbgrader.converters.base import NbGraderException
from nbgrader.coursedir import CourseDirectory
from nbgrader.preprocessors import NbGraderPreprocessor
from traitlets import Bool, Dict, Enum, Unicode

from autograder.grading.arrivals import keep_timestamp, parsed_timestamp, time_of
from autograder.grading.classroom import students_of
from autograder.grading.course import Course, Template, open_course, template_of
from autograder.grading.guests import Guests, open_guests
from autograder.grading.judge import judge_notebook
from autograder.grading.late import save_due_date
from autograder.grading.rebuild import (
    UNREADABLE,
    Rebuilt,
    is_graded,
    nbgrader_of,
    nothing_handed_in,
    rebuild,
)
from autograder.grading.recognize import HandedIn, notebook_to_grade, outlines_of
from autograder.grading.submission import Unreadable, parse
from autograder.sandbox.limits import Limits

Resources = dict[str, Any]  # nbconvert's


class CarefulDirectory(CourseDirectory):
    """A course's folders, where a submission's timestamp.txt is read as what a student wrote.

    nbgrader's own opens whatever has that name, be it a pipe, and one that says "yesterday" costs
    its author the marks.
    """

    @classmethod
    def like(cls, other: CourseDirectory) -> CarefulDirectory:
        """The same folders and settings."""
        made = cls(parent=other.parent, config=other.config)
        for name in other.trait_names(config=True):
            setattr(made, name, getattr(other, name))
        return made

    def get_existing_timestamp(self, dest_path: str) -> datetime | None:
        """The time of a submission's, or a graded submission's, timestamp.txt; None without one."""
        folder = Path(dest_path)
        return parsed_timestamp(folder.parent.parent, folder.parent.name, folder.name)


class CarefulExporter(NotebookExporter):
    """Opens a submission with the caps of `autograder.grading.submission`, never through a link.

    Which file is graded, and who is left without marks since nothing can be judged, is found out
    as `autograder grade` does, before nbgrader writes a word into the gradebook. An exporter is
    the one part of Autograde that a configuration can name and that sees it that early.
    """

    unreadable = Enum(
        ("ask", "zero"), "ask", help="ask: leave what cannot be judged without marks; zero: 0."
    ).tag(config=True)

    def __init__(self, **kw: Any) -> None:
        super().__init__(**kw)
        if isinstance(self.parent, Autograde):
            self.parent.coursedir = CarefulDirectory.like(self.parent.coursedir)
            convert = self.parent.convert_notebooks
            self.parent.convert_notebooks = lambda: self._convert_what_can_be_judged(convert)

    def _convert_what_can_be_judged(self, convert: Callable[[], None]) -> None:
        """nbgrader's `convert`, less the submissions that cannot be judged; these end in an error.

        A folder without a lesson.ipynb is no longer passed over in silence, nor given 0.
        """
        autograde: Any = self.parent
        asked = 0
        directory = autograde.coursedir
        course, lesson = course_of_directory(directory), directory.assignment_id
        template = template_of(course, lesson)
        excluded = directory.student_id_exclude.split(",")
        chosen = set(fnmatch.filter(students_of(course, lesson), directory.student_id))
        found: dict[str, list[str]] = {}
        for student in sorted(chosen - set(excluded)):
            path = course.submission_of(student, lesson)
            try:
                if self.unreadable == "ask":
                    read_and_rebuild(course, lesson, student, template)
                found[str(path.parent)] = [str(path)]
            except Unreadable as why:
                autograde.log.error("%s: not graded: %s", student, why)
                asked += 1
        autograde.assignments = found
        convert()
        if asked:
            raise NbGraderException(f"not graded: {asked} of {len(chosen)} submissions")

    def from_filename(self, filename: str, resources: Resources | None = None, **kw: Any) -> Any:
        """Notebook and resources of a submission, or of a notebook that nbgrader itself wrote."""
        if resources is None or not getattr(self.parent, "_sanitizing", False):
            return super().from_filename(filename, resources=resources, **kw)
        resources["autograder_path"] = str(Path(filename).absolute())
        empty = from_dict({"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5})
        return self.from_notebook_node(empty, resources=resources, **kw)


class RebuildCells(NbGraderPreprocessor):
    """Rebuilds the submission from the instructor's notebook and the text of the student's cells.

    The notebook that nbgrader read is not used: the file is read once more, with care.
    """

    trust_timestamps = Bool(
        False,
        help="For late penalties, also take timestamp.txt of a submission for true where neither"
        " the exchange nor an LMS says when it arrived: its author could have written it.",
    ).tag(config=True)

    def preprocess(self, nb: NotebookNode, resources: Resources) -> tuple[NotebookNode, Resources]:
        """The rebuilt notebook; its problems go to the log."""
        about = resources["nbgrader"]
        lesson, student = about["assignment"], about["student"]
        course = course_of(self)
        template, digest = template_of(course, lesson), ""
        try:
            found, rebuilt = read_and_rebuild(course, lesson, student, template)
            digest = hashlib.sha256(found.raw).hexdigest()
            problems, notebook = [*found.notes, *rebuilt.problems], rebuilt.notebook
        except Unreadable as why:
            problems = [f"could not be read: {why}"]
            notebook = nothing_handed_in(template.notebook, str(why))
        for problem in problems:
            self.log.warning("%s: %s", student, problem)
        time = time_of(
            course.submitted, student, lesson, digest, trust_timestamps=self.trust_timestamps
        )
        with Gradebook(about["db_url"]) as gradebook:  # nbgrader has taken timestamp.txt already
            save_due_date(gradebook, course.root, lesson)
            gradebook.update_or_create_submission(lesson, student, timestamp=time)
        graded = course.autograded_of(student, lesson)
        keep_timestamp(course.submitted, student, lesson, graded)
        return from_dict(notebook), resources


def read_and_rebuild(
    course: Course, lesson: str, student: str, template: Template
) -> tuple[HandedIn, Rebuilt]:
    """The file to grade and its notebook, rebuilt; Unreadable if there is nothing to judge."""
    found = notebook_to_grade(course, lesson, student, template)
    outlines = outlines_of(course)
    return found, rebuild(template.notebook, parse(found.raw), lesson, outlines)


class JudgedExecute(NbGraderPreprocessor):
    """Runs a rebuilt notebook in a guest; the verdicts are reached outside of it."""

    sandbox = Unicode("auto", help="auto, warm, bubblewrap, container or plain.").tag(config=True)
    trust_submissions = Bool(
        False, help="Run without a sandbox where none can be had: student code then runs as you."
    ).tag(config=True)
    run_demos = Bool(False, help="Also run the demo cells.").tag(config=True)
    limits = Dict(
        {}, help="Limits that differ from the defaults, as {'seconds_per_cell': 30}."
    ).tag(config=True)

    def preprocess(self, nb: NotebookNode, resources: Resources) -> tuple[NotebookNode, Resources]:
        """The judged notebook, its outcomes in the outputs that SaveAutoGrades reads."""
        notebook = json.loads(json.dumps(nb))
        about = resources["nbgrader"]
        if notebook["metadata"].get(UNREADABLE):
            for cell in notebook["cells"]:
                if is_graded(cell) and cell["cell_type"] == "code":
                    cell["outputs"] = [_nothing(nbgrader_of(cell)["grade_id"])]
            return from_dict(notebook), resources
        limits = Limits.from_mapping(self.limits)
        guests = _guests(self.sandbox, self.trust_submissions)
        result = judge_notebook(
            notebook,
            about["assignment"],
            lambda: guests.spawn(limits),
            limits,
            run_demos=self.run_demos,
        )
        for problem in result.problems:
            self.log.warning("%s: %s", about["student"], problem)
        return from_dict(result.notebook), resources


def _nothing(grade_id: str) -> dict[str, Any]:
    data = {"text/plain": "0.0"}
    return {"output_type": "execute_result", "data": data, "metadata": {}, "execution_count": None}


_open: dict[tuple[str, bool], Guests] = {}


def _guests(kind: str, trust: bool) -> Guests:
    """This process's guests, opened once and closed at its end."""
    if (kind, trust) not in _open:
        _open[kind, trust] = guests = open_guests(kind, trust_submissions=trust)
        atexit.register(guests.close)
    return _open[kind, trust]


def course_of(step: Any) -> Course:
    """The course that nbgrader is grading, from the converter that a preprocessor belongs to."""
    exporter = step.parent
    directory = getattr(getattr(exporter, "parent", None), "coursedir", None)
    return open_course(Path(".")) if directory is None else course_of_directory(directory)


def course_of_directory(directory: Any) -> Course:
    """The course whose folders nbgrader's CourseDirectory names."""
    root = Path(directory.root)
    course = open_course(root)
    places = {
        name: root / getattr(directory, f"{name}_directory")
        for name in ("submitted", "autograded", "feedback", "source")
    }
    records = places["submitted"].parent / "records"
    return Course(
        root=root, records=records, db_url=directory.db_url, config=course.config, **places
    )
