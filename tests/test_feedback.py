"""Feedback pages show the marks of today, and no text can hold them up."""

from __future__ import annotations

import dataclasses
import itertools
import json
import os
import subprocess
import sys

import pytest
from nbgrader.api import Gradebook
from typer.testing import CliRunner

from autograder.cli import app
from autograder.grading import feedback, page_worker, rendering
from autograder.grading.classroom import Settings, grade_class
from autograder.grading.course import ROOT
from autograder.grading.feedback import refresh_feedback, stale_pages
from autograder.grading.gradebook import Mark, Marks, Standing
from autograder.grading.page import MARK, Page
from tests.test_grading import MADE, PLAIN, Here, begun, course, hand_in
from tests.test_marks_table import answered, by_hand

__all__ = ["begun", "course"]  # fixtures


def graded(course, *students):
    """The course with these students' marks, no pages yet."""
    for student in students:
        hand_in(course, student)
    grade_class(course, MADE, PLAIN, executor=Here(answered))
    return course


def standings(course):
    with Marks(course, MADE) as marks:
        return marks.standings()


def pages(course):
    """Each page's text by student."""
    return {
        path.parent.parent.name: path.read_text() for path in course.feedback.rglob("lesson.html")
    }


def comment(course, student, text):
    with Gradebook(course.db_url, course.course_id) as gradebook:
        gradebook.find_comment("why_order", "lesson", MADE, student).manual_comment = text
        gradebook.db.commit()


# --- written again when what it shows has changed -------------------------------------------------


def test_pages_follow_the_gradebook_and_only_those_that_changed_are_written(course):
    hand_in(course, "ada")
    hand_in(course, "bob")
    settings = Settings(**{**PLAIN.__dict__, "feedback": True})
    grade_class(course, MADE, settings, executor=Here(answered))
    first = pages(course)
    assert "1.25 / 2.0" not in first["ada"]
    by_hand(course, "ada", why_order=1.25)
    comment(course, "bob", "Well argued.")
    course.feedback_of("ada", MADE).chmod(0o444)
    result = grade_class(course, MADE, settings, executor=Here())  # nobody is graded again
    assert [line.state for line in result.lines] == ["kept", "kept"]
    second = pages(course)
    assert "1.25 / 2.0" in second["ada"]
    assert "Well argued." in second["bob"]
    by_hand(course, "bob", why_order=0.5)
    stamp = course.feedback_of("ada", MADE).stat().st_mtime_ns
    place = str(course.submitted.parent)
    ran = CliRunner().invoke(app, ["feedback", "05", "--class-dir", place])
    assert (ran.exit_code, ran.stdout) == (0, "1 pages written, 1 as they were\n")
    assert "0.5 / 2.0" in pages(course)["bob"]
    assert course.feedback_of("ada", MADE).stat().st_mtime_ns == stamp


def test_nbgraders_own_command_leaves_no_stale_page_and_is_not_held_up(course):
    graded(course, "ada")
    page = course.feedback_of("ada", MADE)
    page.parent.mkdir(parents=True)
    page.write_text("an earlier page")
    notebook = course.autograded_of("ada", MADE)
    cells = json.loads(notebook.read_text())
    code = [c for c in cells["cells"] if c["cell_type"] == "code"]
    code[0]["source"] = COSTLY["lines of one space"]
    notebook.write_text(json.dumps(cells))
    by_hand(course, "ada", why_order=1.25)
    options = [
        f"--CourseDirectory.{name}_directory={getattr(course, name)}"
        for name in ("autograded", "feedback")
    ]
    subprocess.run(
        [sys.executable, "-m", "nbgrader", "generate_feedback", MADE, *options,
         f"--CourseDirectory.db_url={course.db_url}"],
        cwd=ROOT, check=True, capture_output=True,
    )  # fmt: skip
    assert "1.25 / 2.0" in page.read_text()
    assert [p.student for p in stale_pages(course, MADE, standings(course))] == ["ada"]


BEFORE = Standing({"why": Mark(1.0, 2.0, False)}, {"why": "good"}, 0.5)


@pytest.mark.parametrize(
    "change",
    [
        {"marks": {"why": Mark(1.5, 2.0, False)}},
        {"marks": {"why": Mark(1.0, 3.0, False)}},
        {"comments": {"why": "better"}},
        {"comments": {}},
        {"penalty": 0.0},
        "notebook",
        "config",
        "page",
        None,
    ],
    ids=str,
)
def test_a_page_is_stale_when_anything_that_it_shows_has_changed(course, change):
    notebook = course.autograded_of("ada", MADE)
    notebook.parent.mkdir(parents=True)
    notebook.write_text("{}")
    (page,) = stale_pages(course, MADE, {"ada": BEFORE})
    place = course.feedback_of("ada", MADE)
    place.parent.mkdir(parents=True)
    place.write_text("<html></html>" + MARK.format(key=page.key))
    after = BEFORE
    if change == "notebook":
        notebook.write_text("{ }")
    elif change == "config":
        course.config.HTMLExporter.exclude_input = True
    elif change == "page":
        place.write_text("<html>nbgrader's own</html>")
    elif change:
        after = dataclasses.replace(BEFORE, **change)
    stale = stale_pages(course, MADE, {"ada": after, "no-notebook": after})
    assert [p.student for p in stale] == (["ada"] if change else [])


# --- within limits --------------------------------------------------------------------------------

COSTLY = {
    "lines of one space": " \n" * 60_000,
    "blank lines": "x = 1\n" + "\n" * 5_000 + "y = 2",
    "spaces": " " * 10_000,
    "dots": "." * 100_000,
    "very long": "ab " * 100_000,
}


@pytest.fixture
def asked(monkeypatch):
    """What the colorizer was asked to color; it answers at once."""
    seen = []

    def color(self, source, language=None, metadata=None):
        seen.append(source)
        return "colored"

    monkeypatch.setattr(rendering.Highlight2HTML, "__call__", color)
    return seen


@pytest.mark.parametrize("name", COSTLY)
def test_text_that_would_cost_the_square_is_shown_plain_without_asking(asked, name):
    shown = rendering.highlight_code({}, COSTLY[name])
    assert asked == []
    assert shown == f'<div class="highlight"><pre>{COSTLY[name]}</pre></div>'
    assert COSTLY[name] in rendering.markdown2html({}, COSTLY[name])


def test_every_cell_of_the_lessons_is_colored():
    from autograder import lessons

    cells = [c.source for n in lessons.lesson_names() for c in lessons.load_lesson(n).cells]
    assert len(cells) > 100
    assert not any(map(rendering.looks_costly, cells))


def test_plain_text_is_escaped():
    with rendering.plainly():
        assert "<b>" not in rendering.highlight_code({}, "<b>")
        assert "<b>" not in rendering.markdown2html({}, "<b>")


def test_what_takes_long_is_shown_plain_and_a_page_has_so_much_time_only(monkeypatch):
    turns = itertools.count()

    def never(self, *_):
        next(turns)
        while True:
            pass

    monkeypatch.setattr(rendering.Highlight2HTML, "__call__", never)
    page = {"resources": {}}
    for _ in range(5):
        assert "x = 1" in rendering.highlight_code(page, "x = 1")
    # 0.4 s for the first, what is left of 0.6 s for the second, and none for the others.
    assert next(turns) == 2


def test_a_deadline_ends_a_search_that_goes_on_for_ever_and_nothing_after_it():
    import re

    with pytest.raises(rendering.TookTooLong), rendering.deadline(0.1):
        re.match(r"(a+)+$", "a" * 40 + "b")
    with rendering.deadline(0.1):
        pass
    assert not any(rendering.signal.getitimer(rendering.signal.ITIMER_REAL))


def test_a_page_that_overruns_its_deadline_is_made_of_plain_text(course, monkeypatch):
    graded(course, "ada")
    page_worker.start_worker(course, MADE, limit_memory=False)
    real = page_worker._pages.html

    def html(student):
        if rendering._plainly.get():
            return real(student)
        while True:
            pass

    monkeypatch.setattr(page_worker._pages, "html", html)
    monkeypatch.setattr(page_worker, "SECONDS", 0.2)
    monkeypatch.setattr(page_worker, "deadline", _first_only(rendering.deadline))
    assert page_worker.write_page(Page("ada", "0" * 64)) == "ada"
    text = pages(course)["ada"]
    assert "build_masks" in text
    assert 'class="k"' not in text  # no keyword is colored


def _first_only(deadline):
    """The plain page may take its time here: the machine may be slow."""
    turns = itertools.count()
    return lambda seconds: deadline(seconds if next(turns) == 0 else 60.0)


def troublesome(page):
    """Pages that end their worker, want all memory, or fail whatever is done."""
    if page.student == "dies" and not page.plain:
        os._exit(9)
    if page.student == "eats" and not page.plain:
        bytearray(64 * page_worker.MEMORY)
    if page.student == "fails":
        raise OSError("no such luck")
    return page_worker.write_page(page)


def test_a_page_that_ends_its_worker_costs_nobody_else_a_page(course, monkeypatch):
    graded(course, "ada", "dies", "eats", "fails")
    monkeypatch.setattr(feedback, "_write", troublesome)
    count, said = refresh_feedback(course, MADE, standings(course))
    assert count == 4
    assert said == ["fails: no feedback page was written (OSError: no such luck)"]
    written = pages(course)
    assert sorted(written) == ["ada", "dies", "eats"]
    assert {s: 'class="k"' in text for s, text in written.items()} == {
        "ada": True, "dies": False, "eats": False,
    }  # fmt: skip


def test_a_missing_page_is_said_with_exit_code_1(course, monkeypatch):
    graded(course, "ada")
    monkeypatch.setattr(feedback, "refresh_feedback", lambda *_: (1, ["ada: no feedback page"]))
    settings = Settings(**{**PLAIN.__dict__, "feedback": True})
    result = grade_class(course, MADE, settings, executor=Here())
    assert result.failed
    ran = CliRunner().invoke(app, ["feedback", "05", "--class-dir", str(course.submitted.parent)])
    assert ran.exit_code == 1
    assert "ada: no feedback page" in ran.stdout


def test_feedback_before_any_marks_is_one_sentence(course):
    ran = CliRunner().invoke(app, ["feedback", "05", "--class-dir", str(course.submitted.parent)])
    assert ran.exit_code == 2
    assert "nobody has marks for 05_made yet" in ran.stderr
