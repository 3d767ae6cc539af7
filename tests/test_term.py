"""term.toml: what it changes in a lesson, and each mistake in one sentence with the key's name."""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import math
import re
import shutil
from datetime import UTC, datetime
from pathlib import Path

import nbformat
import pytest
from nbgrader.api import Gradebook

from autograder import lessons
from autograder.grading.arrivals import time_of, write_arrival
from autograder.grading.course import open_course, source_notebook, template_of
from autograder.grading.gradebook import Marks
from autograder.grading.late import LateDays
from autograder.grading.rebuild import nbgrader_of
from autograder.lessons.term import TermError, in_term, read_term
from autograder.steps import exercise_of, name_in

ROOT = Path(__file__).resolve().parent.parent
MADE = "05_made"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A course with the configuration and one lesson."""
    for name in ("nbgrader_config.py", "pyproject.toml", f"solutions/{MADE}/lesson.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    return tmp_path


def write(root: Path, text: str) -> None:
    (root / "term.toml").write_text(text, encoding="utf-8")


def asked(root: Path, text: str) -> lessons.Lesson:
    """Lesson 05 as a term.toml asks for it; `text` stands under its table."""
    write(root, f"[lessons.{MADE}]\n{text}")
    return in_term(lessons.load_lesson(MADE, root), read_term(root))


def text_of(lesson: lessons.Lesson) -> str:
    return "\n".join(cell.source for cell in lesson.cells)


def test_without_a_term_a_lesson_is_as_it_is_written(root: Path):
    assert read_term(root) is None
    lesson = lessons.load_lesson(MADE, root)
    assert in_term(lesson, None) is lesson


@pytest.mark.parametrize("text", ["", "hints = true", f"[lessons.{MADE}]"])
def test_a_term_that_says_nothing_changes_nothing(root: Path, text: str):
    write(root, text)
    lesson = lessons.load_lesson(MADE, root)
    assert in_term(lesson, read_term(root)) == lesson


def test_a_left_out_exercise_is_gone_with_its_prose_its_check_and_its_demos(root: Path):
    lesson = asked(root, 'leave_out = ["average_over_orders"]')
    assert "average_over_orders" not in lesson.exercises | lesson.checks
    assert "average_over_orders" not in text_of(lesson)
    assert "many orders, one answer" not in text_of(lesson)
    assert lesson.points == lessons.load_lesson(MADE).points - 3


@pytest.mark.parametrize("name", lessons.lesson_names())
def test_a_left_out_exercise_takes_the_guess_about_it_along(name: str):
    lesson = lessons.load_lesson(name)
    pairs = [(a, b) for a, b in itertools.pairwise(lesson.cells) if b.role == "exercise"]
    for guess, exercise in pairs:
        with contextlib.suppress(TermError):
            left = in_term(lesson, _leaving_out(lesson, exercise.name)).cells
            assert not guess.is_prediction or guess not in left


def test_a_left_out_question_is_gone_with_what_asks_it(root: Path):
    lesson = asked(root, 'leave_out = ["why_order"]')
    assert not lesson.questions
    assert "A question to answer in words" not in text_of(lesson)
    assert "What you should remember" in text_of(lesson)


@pytest.mark.parametrize("name", lessons.lesson_names())
def test_whatever_is_left_out_is_asked_nowhere(name: str):
    """For every exercise and question of every lesson that nothing else needs."""
    lesson = lessons.load_lesson(name)
    left_out = 0
    for one in [*lesson.exercises, *lesson.questions]:
        try:
            term = _leaving_out(lesson, one)
        except TermError as error:
            assert "name it under given" in str(error)
            continue
        left_out += 1
        shown = text_of(in_term(lesson, term))
        assert not re.search(rf"`{one}`(, `\w+`)* · difficulty", shown)
        assert not any(exercise_of(name) == one for name in map(name_in, shown.split("\n")))
        assert f"def {one}(" not in shown and f"class {one}(" not in shown
    assert left_out > 1


def _leaving_out(lesson: lessons.Lesson, name: str):
    from autograder.lessons import term

    chosen = term.LessonTerm(leave_out=(name,))
    term._check_uses("lessons", lesson, chosen)
    return term.Term(lessons={lesson.name: chosen})


def test_a_given_exercise_is_solved_and_not_asked(root: Path):
    lesson = asked(root, 'given = ["build_masks"]')
    assert "build_masks" not in lesson.exercises | lesson.checks
    (cell,) = [c for c in lesson.cells if "def build_masks(" in c.source]
    assert not cell.role and "SOLUTION" not in cell.source and "return" in cell.source
    assert "`build_masks` · difficulty ●●○ · 10 minutes · given\n" in text_of(lesson)
    released = lessons.render([lesson])[lessons.RELEASE / MADE / "lesson.ipynb"].decode()
    assert cell.source.split("\n")[-1].strip() in released


def test_points_are_told_where_they_count(root: Path):
    lesson = asked(root, "points = {build_masks = 1, why_order = 9}")
    assert lesson.checks["build_masks"].points == 1
    assert lesson.questions["why_order"].points == 9
    assert "`build_masks` · difficulty ●●○ · 10 minutes · 1 point\n" in text_of(lesson)
    cells = lessons.build_source(lesson).cells
    points = {c.metadata.nbgrader.get("grade_id"): c.metadata.nbgrader.get("points")
              for c in cells if "nbgrader" in c.metadata}  # fmt: skip
    assert (points["check-build_masks"], points["why_order"]) == (1, 9)
    assert f"{lesson.points} points" in cells[0].source


def test_the_points_of_a_step_are_told_with_those_of_the_others(root: Path):
    lesson = asked(root, 'points = {"MADE.nll" = 3}')
    assert lesson.checks["MADE.nll"].points == 3
    assert "`MADE` · difficulty ●●● · 20 minutes · 8 points\n" in text_of(lesson)


@pytest.mark.parametrize(
    "facts, of, worth, told",
    [
        ("`f` · difficulty ●○○ · 5 minutes · 2 points", "f", "1", "· 1 point"),
        ("`f`, `g` · difficulty ●○○ · 9 minutes · 2 + 2 points", "g", "5", "· 2 + 5 points"),
        ("`f`, `g` · difficulty ●○○ · 9 minutes · 2 + 2 points", "g", None, "9 minutes · 2 points"),
        (
            "`f`, `g` · difficulty ●○○ · 9 minutes · 2 + 2 points",
            "f",
            "given",
            "· given + 2 points",
        ),
        ("### `f` · difficulty ●○○ · 5 minutes · 1 point\n\nText.", "f", None, ""),
        ("## Exercise 2: g\n`f` · difficulty ●○○ · 1 minutes · 2 points\nText.", "f", None, ""),
    ],
)
def test_the_line_of_facts_is_told_anew(facts: str, of: str, worth: str | None, told: str):
    from autograder.lessons import term

    new = term._without_exercise(facts, of) if worth is None else term._retold(facts, of, worth)
    assert new.endswith(told) and (told or not new)


def test_of_two_exercises_on_one_line_the_other_stays():
    from autograder.lessons.term import _without_exercise

    one, other = (f"`{name}` · difficulty ●○○ · 2 minutes · 1 point" for name in "fg")
    for out, stays in (("f", other), ("g", one)):
        both = f"## Exercise 6\n\n{one} &nbsp;·&nbsp; {other}\n\nText."
        assert _without_exercise(both, out) == f"## Exercise 6\n\n{stays}\n\nText."


def test_hidden_hints_are_gone_and_answers_stay(root: Path):
    shown = text_of(asked(root, "hints = false"))
    assert "Hint" not in shown
    assert shown.count("<details>") == shown.count("</details>") > 0
    whole = text_of(asked(root, ""))
    answers = whole.count("<summary>") - whole.count("<summary>Hint")
    assert shown.count("<summary>") == answers > 0


def test_the_badge_opens_only_what_course_holds(root: Path):
    assert "colab" in lessons.build_source(asked(root, "")).cells[0].source
    dated = lessons.build_source(asked(root, "due = 2026-10-12T23:59:00+02:00")).cells[0].source
    assert "colab" in dated and "due 12 October 2026, 23:59 (UTC+02:00)" in dated
    assert "colab" not in lessons.build_source(asked(root, "hints = false")).cells[0].source


def test_a_build_writes_beside_course(root: Path):
    write(root, f"[lessons.{MADE}]\nhints = false")
    written = {str(path) for path in lessons.build(root=root)}
    assert written == {f"build/{kind}/{MADE}/lesson.ipynb" for kind in ("source", "release")}
    assert not (root / "course").exists()
    assert open_course(root).config.CourseDirectory.release_directory == "build/release"


def test_a_zone_for_all_dates(root: Path):
    write(root, f'time_zone = "Europe/Amsterdam"\n[lessons.{MADE}]\ndue = 2026-12-24T18:00:00')
    assert read_term(root).of(MADE).due.isoformat() == "2026-12-24T18:00:00+01:00"


@pytest.mark.parametrize(
    "text, told",
    [
        ("lesson = 1", "term.toml: lesson is unknown; there are: time_zone, hints, late, lessons"),
        ("hints = 1", "term.toml: hints must be true or false: got 1"),
        ("time_zone = 'Nowhere'", "term.toml: time_zone must be as Europe/Amsterdam"),
        ("[lessons.04_made]", "term.toml: lessons.04_made is no lesson; there are: 05_made"),
        ("[lessons.05_made]\nleave_out = ['f']", "lessons.05_made.leave_out names 'f', which is"),
        ("[lessons.05_made]\nleave_out = 'f'", "leave_out must be a list of names: got 'f'"),
        ("[lessons.05_made]\nleave_out = ['build_masks']", "name it under given"),
        ("[lessons.05_made]\ngiven = ['why_order']", "lessons.05_made.given names 'why_order'"),
        ("[lessons.05_made]\ndue = 2026-10-12T23:59:00", "lessons.05_made.due has no time zone"),
        ("[lessons.05_made]\ndue = 2026-10-12", "due must be a date and a time"),
        ("[lessons.05_made]\ndue = 'Monday'", "due must be a date and a time"),
        ("[lessons.05_made]\npoints = {MADE = -1}", "points.MADE must be a whole number of points"),
        ("[lessons.05_made]\npoints = {MADE = 1.5}", "points.MADE must be a whole number"),
        ("[lessons.05_made]\npoints = {mode = 1}", "points.mode is no exercise with a check"),
        ("[lessons.05_made]\npoints = {MADE = 1}\ngiven = ['MADE']", "students are not asked"),
        ("[lessons.05_made]\nhint = true", "lessons.05_made.hint is unknown"),
        ("[late]", "term.toml: late needs points_per_day or percent_per_day above 0"),
        ("[late]\npercent_per_day = 120", "late.percent_per_day must be at most 100: got 120"),
        ("[late]\npoints_per_day = -2", "late.points_per_day must be a number of at least 0"),
        ("[late]\npercent_per_day = 5\npoints_per_day = 1", "are both given: one of them counts"),
        ("[late", "term.toml: is not valid TOML:"),
    ],
)
def test_a_mistake_is_told_in_one_sentence(root: Path, text: str, told: str):
    write(root, text)
    with pytest.raises(TermError) as caught:
        read_term(root)
    assert told in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_mistake_stops_a_build_in_a_sentence(root: Path, capsys: pytest.CaptureFixture):
    write(root, f"[lessons.{MADE}]\ndue = 2026-10-12")
    assert lessons.main(["build", "--root", str(root)]) == 1
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 1 and said[0].startswith("term.toml: lessons.05_made.due")


def test_a_lesson_that_the_term_has_not_is_not_built(root: Path):
    shutil.copytree(ROOT / "solutions/06_kl", root / "solutions/06_kl")
    write(root, f"[lessons.{MADE}]")
    with pytest.raises(TermError, match="has no 06_kl: this term leaves it out"):
        lessons.source_notebook("06_kl", root)


def test_marks_depend_on_what_is_asked_and_not_on_dates(root: Path):
    templates = []
    for text in ("", "due = 2026-10-12T23:59:00Z", 'points = {"MADE.nll" = 2}', "given = ['MADE']"):
        write(root, f"[lessons.{MADE}]\n{text}")
        templates.append(template_of(open_course(root), MADE).text)
    assert templates[0] == templates[1]
    assert len({*templates}) == 3


# --- in the gradebook, and late days --------------------------------------------------------------


def test_the_gradebook_knows_points_due_dates_and_what_a_late_day_costs(root: Path):
    late = "[late]\npercent_per_day = 10\ngrace_hours = 1\n"
    term = f"[lessons.{MADE}]\npoints = {{build_masks = 40}}\nleave_out = ['why_order']\n"
    write(root, f"{late}{term}due = 2026-01-10T01:00:00+01:00")
    course = open_course(root)
    template = template_of(course, MADE).notebook
    points = {
        nbgrader_of(c)["grade_id"]: float(nbgrader_of(c)["points"])
        for c in template["cells"]
        if nbgrader_of(c).get("grade")
    }
    with Marks(course, MADE) as marks:
        marks.ensure_assignment(template, lambda: source_notebook(course, MADE))
        for student, day in (("ada", 9), ("ben", 11), ("cyd", 13)):
            marks.write(student, template, points, timestamp=datetime(2026, 1, day, 12))
    full = sum(points.values())
    assert points["check-build_masks"] == 40 and "why_order" not in points
    assert scores(course) == {"ada": full, "ben": full * 0.8, "cyd": full * 0.6}

    write(root, f"{late}{term}due = 2026-01-11T12:30:00+01:00")  # within ben's grace
    with Marks(open_course(root), MADE) as marks:
        marks.ensure_assignment(template, lambda: source_notebook(course, MADE))
    assert scores(course) == {"ada": full, "ben": full, "cyd": full * 0.7}


def test_the_time_that_an_lms_says_decides_about_the_penalty(root: Path):
    """Arrivals of a zip reach nbgrader's late days; a timestamp.txt of the student's does not."""
    write(root, f"[late]\npoints_per_day = 2\n[lessons.{MADE}]\ndue = 2026-01-10T12:00:00Z")
    course = open_course(root)
    template = template_of(course, MADE).notebook
    points = dict.fromkeys(
        (nbgrader_of(c)["grade_id"] for c in template["cells"] if nbgrader_of(c).get("grade")), 1.0
    )
    with Marks(course, MADE) as marks:
        marks.ensure_assignment(template, lambda: source_notebook(course, MADE))
        for student, day in (("ada", 10), ("ben", 11)):
            path = course.submission_of(student, MADE)
            path.parent.mkdir(parents=True)
            path.write_bytes(student.encode())
            path.with_name("timestamp.txt").write_text("2026-01-01 00:00:00 UTC")
            when = datetime(2026, 1, day, 11, tzinfo=UTC)
            write_arrival(course.submitted, student, MADE, when, "an LMS", [student.encode()])
            digest = hashlib.sha256(student.encode()).hexdigest()
            time = time_of(course.submitted, student, MADE, digest)
            marks.write(student, template, points, timestamp=time)
    full = len(points)
    assert scores(course) == {"ada": full, "ben": full - 2}


def scores(course) -> dict[str, float]:
    """Each student's points after the penalty, by nbgrader's own sum."""
    with Gradebook(course.db_url, course.course_id) as gradebook:
        return {
            s.student.id: pytest.approx(s.score - sum(n.late_submission_penalty or 0
                                                      for n in s.notebooks))
            for s in gradebook.assignment_submissions(MADE)
        }  # fmt: skip


HOUR, DAY = 3600, 86_400


@pytest.mark.parametrize(
    "policy, score, late, penalty",
    [
        ({"percent_per_day": 10}, 20, 1, 2),
        ({"percent_per_day": 10}, 20, DAY, 2),
        ({"percent_per_day": 10}, 20, DAY + 1, 4),
        ({"percent_per_day": 10}, 20, 100 * DAY, 20),
        ({"percent_per_day": 10, "at_most_percent": 50}, 20, 9 * DAY, 10),
        ({"percent_per_day": 10, "grace_hours": 2}, 20, 2 * HOUR, None),
        ({"percent_per_day": 10, "grace_hours": 2}, 20, 2 * HOUR + 1, 2),
        ({"points_per_day": 3}, 20, 2 * DAY, 6),
        ({"points_per_day": 3}, 2, 2 * DAY, 2),
        ({"points_per_day": 3, "at_most_points": 4}, 20, 2 * DAY, 4),
        ({"points_per_day": 3}, 0, DAY, 0),
    ],
)
def test_a_late_day_costs_what_the_policy_says(policy, score, late, penalty):
    assert LateDays(**policy).late_submission_penalty("ada", score, late) == penalty
    assert penalty is None or not math.isinf(penalty)


def test_built_notebooks_of_a_term_are_valid(root: Path):
    asked(root, 'leave_out = ["connectivity", "why_order"]\ngiven = ["MaskedLinear"]')
    lessons.build(root=root)
    for path in (root / "build").rglob("lesson.ipynb"):
        nbformat.validate(nbformat.read(path, as_version=4))
