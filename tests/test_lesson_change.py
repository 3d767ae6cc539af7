"""A lesson that changed under a class: what can be done is said, and done without losing marks."""

from __future__ import annotations

import dataclasses
import json
import shutil

import nbformat
import pytest
from nbgrader import api
from nbgrader.preprocessors import SaveCells

from autograder.grading import classroom, gradebook
from autograder.grading.classroom import grade_class
from autograder.grading.course import NOTEBOOK, CourseError, Template, open_course, template_of
from autograder.grading.gradebook import Marks
from autograder.grading.lesson_change import bring_up_to_date
from autograder.grading.rebuild import nbgrader_of
from tests.test_grading import MADE, PLAIN, Here, begun, course, hand_in
from tests.test_rebuild import graded, notebook

__all__ = ["begun", "course"]  # fixtures

LESSON = "99_changing"
BEFORE = notebook(
    graded("add", "def add(): ...", solution=True),
    graded("check-add", "check(add)", solution=False, points=2),
    graded("why", "*Your answer.*", solution=True, points=3, kind="markdown"),
    graded("gone", "*Your answer.*", solution=True, points=1, kind="markdown"),
)
AFTER = notebook(
    graded("add", "def add(a): ...", solution=True),
    graded("check-add", "check(add)", solution=False, points=1),
    graded("why", "*Your answer, in a sentence.*", solution=True, points=2, kind="markdown"),
    graded("double", "def double(): ...", solution=True),
    graded("check-double", "check(double)", solution=False, points=4),
)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A class folder whose gradebook has the lesson, two submissions, and marks given by hand."""
    folder = tmp_path_factory.mktemp("made")
    with Marks(open_course(class_dir=folder), LESSON) as marks:
        book = marks.gradebook
        book.add_assignment(LESSON)
        book.add_notebook(NOTEBOOK, LESSON)
        bring_up_to_date(book, api, LESSON, BEFORE)
        book.db.commit()
        for student in ("ada", "bob"):
            marks.write(student, BEFORE, {"check-add": 2.0, "why": None, "gone": None})
        for name, score in (("why", 2.5), ("gone", 1.0)):
            book.find_grade(name, NOTEBOOK, LESSON, "ada").manual_score = score
            comment = book.find_comment(name, NOTEBOOK, LESSON, "ada")
            comment.manual_comment = f"well said: {name}"
        book.db.commit()
    return folder


@pytest.fixture
def marked(made, tmp_path):
    """A copy of that gradebook, open."""
    folder = shutil.copytree(made, tmp_path / "class")
    with Marks(open_course(class_dir=folder), LESSON) as marks:
        yield marks


def standing(marks, student):
    found = marks.standings(student)[student]
    return {name: (m.score, m.max_score) for name, m in found.marks.items()}, found.comments


def test_a_changed_lesson_is_told_cell_by_cell_with_what_can_be_done(marked):
    with pytest.raises(CourseError) as told:
        marked.ensure_assignment(AFTER, lambda: nbformat.from_dict(AFTER))
    assert "2 submissions for an earlier 99_changing" in str(told.value)
    for said in (
        "check-double is new",
        "check-add is worth 1 (was 2)",
        "gone is gone, with 2 marks (1 given by hand) and 1 written comments",
        "--update-lesson",
        "--gradebook",
    ):
        assert said in str(told.value)


def test_an_update_keeps_what_a_person_gave_where_the_cell_still_exists(marked):
    notes = marked.ensure_assignment(AFTER, None, update=True)
    marks, comments = standing(marked, "ada")
    assert marks == {"check-add": (2.0, 1.0), "why": (2.5, 2.0), "check-double": (0.0, 4.0)}
    assert comments == {"why": "well said: why"}
    assert "ada: 2.5 given by hand for why, which is worth 2 now" in notes
    assert any("gone is gone, with 2 marks (1 given by hand)" in note for note in notes)
    scores = {"check-add": 1.0, "why": None, "check-double": 4.0}
    assert marked.write("ada", AFTER, scores) == 1.0 + 2.5 + 4.0
    assert marked.write("bob", AFTER, scores) == 1.0 + 0.0 + 4.0
    assert marked.ensure_assignment(AFTER, None) == []


def test_the_gradebook_as_it_was_is_kept_beside_it(marked):
    *_, note = marked.ensure_assignment(AFTER, None, update=True)
    copy = note.rpartition(": ")[2]
    with api.Gradebook(f"sqlite:///{copy}") as before:
        assert before.find_grade("gone", NOTEBOOK, LESSON, "ada").manual_score == 1.0
        assert {c.name for c in before.find_notebook(NOTEBOOK, LESSON).grade_cells} == {
            "check-add", "why", "gone",
        }  # fmt: skip


def test_nbgrader_itself_finds_its_lesson_there(marked):
    """Its SaveCells refuses submissions to a lesson with other cells, and writes nothing new."""
    marked.ensure_assignment(AFTER, None, update=True)
    about = {"notebook": NOTEBOOK, "assignment": LESSON, "db_url": marked.course.db_url}
    SaveCells()(nbformat.from_dict(AFTER), {"nbgrader": about})
    assert marked.ensure_assignment(AFTER, None) == []
    submission = marked.gradebook.find_submission(LESSON, "bob")
    assert submission.max_score == 7
    book = marked.gradebook
    book.add_student("cyd")
    fresh = book.add_submission(LESSON, "cyd").notebooks[0]
    old = book.find_submission_notebook(NOTEBOOK, LESSON, "ada")
    for rows in ("grades", "comments"):
        names = [sorted(row.name for row in getattr(one, rows)) for one in (old, fresh)]
        assert names[0] == names[1]


def test_an_update_that_fails_half_way_changes_nothing(marked, monkeypatch):
    before = standing(marked, "ada")

    def fails(*given):
        bring_up_to_date(*given)
        raise OSError("no space left")

    monkeypatch.setattr(gradebook, "bring_up_to_date", fails)
    with pytest.raises(OSError):
        marked.ensure_assignment(AFTER, None, update=True)
    assert standing(marked, "ada") == before


def test_a_class_goes_on_with_a_changed_lesson(course, monkeypatch):
    hand_in(course, "ada")
    grade_class(course, MADE, PLAIN, executor=Here())
    with api.Gradebook(course.db_url, course.course_id) as book:
        book.find_grade("why_order", NOTEBOOK, MADE, "ada").manual_score = 1.5
        book.db.commit()
    changed = template_of(course, MADE).notebook
    changed["cells"].append(
        graded("why_not", "*Answer.*", solution=True, points=1, kind="markdown")
    )
    names = [nbgrader_of(cell).get("grade_id", "") for cell in changed["cells"]]
    del changed["cells"][next(i for i, name in enumerate(names) if name.startswith("check-"))]
    template = Template(MADE, json.dumps(changed))
    monkeypatch.setattr(classroom, "kept_template", lambda course, lesson: template)
    source = nbformat.from_dict(changed)
    monkeypatch.setattr(classroom, "source_notebook", lambda course, lesson: source)
    with pytest.raises(CourseError, match="why_not is new"):
        grade_class(course, MADE, PLAIN, executor=Here())
    here = Here()
    settings = dataclasses.replace(PLAIN, update_lesson=True)
    result = grade_class(course, MADE, settings, executor=here)
    assert result.lines[0].score == 1.5
    assert any("why_not is new" in note for note in result.notes)
