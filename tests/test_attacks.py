"""The attack bank, graded in one run: nothing is gained, told, left behind or live in a page."""

from __future__ import annotations

import contextlib
import json
import logging
import re
import subprocess
from pathlib import Path

import nbformat
import pytest
from nbconvert.exporters import HTMLExporter
from nbgrader.converters import Autograde
from nbgrader.converters.base import NbGraderException
from nbgrader.server_extensions.formgrader import handlers

from autograder.grading.course import source_notebook
from autograder.grading.gradebook import Marks
from tests.banks.attacks import ATTACKS, CLASSES
from tests.banks.attacks.attack import LESSON, MARK, PAGES
from tests.banks.attacks.planted import HONEST, Planted, Way, left_on_disk, left_running


def _ids(names) -> list[str]:
    return [name.replace(" ", "-") for name in names]


STUDENTS = {f"a{i:03d}": one for i, one in enumerate(ATTACKS)}
every_attack = pytest.mark.parametrize("student", STUDENTS, ids=_ids(one.name for one in ATTACKS))


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """All attacks handed in between honest classmates, and graded in one run."""
    made = Planted(tmp_path_factory.mktemp("attacked"), ATTACKS)
    made.earlier, made.before = made.earlier_marks(), made.untouched()
    made.grade()
    made.found = made.results()
    return made


def test_the_bank_is_large_and_of_all_classes():
    assert len(ATTACKS) >= 60
    assert {one.klass for one in ATTACKS} == set(CLASSES)


@every_attack
def test_no_mark_is_gained(run, student):
    result = run.found[student]
    assert (result.marks or 0.0) <= result.attack.honest
    assert result.state in ("graded", "not graded") or "zip:" in result.attack.name
    assert (result.marks is None) == (result.state != "graded")


@every_attack
def test_no_secret_is_told(run, student):
    files = run.written_about(student)
    assert {path.name: run.secrets_in(path) for path in files if run.secrets_in(path)} == {}
    record = run.course.record_of(student, LESSON)
    if run.found[student].state == "graded":
        data = json.loads(record.read_text(encoding="utf-8"))
        graded = run.course.autograded_of(student, LESSON).read_text(encoding="utf-8")
        assert not data["seed"] or str(data["seed"]) not in graded


def test_the_class_is_graded(run):
    marks = run.marks()
    assert {student: marks[student] for student in HONEST} == dict.fromkeys(HONEST, 20.0)
    handed_in = {s for s, r in run.found.items() if r.state != "not handed in"}
    assert all(student in run.printed for student in handed_in)
    graded = {s for s in handed_in if run.found[s].state == "graded"}
    assert graded | set(HONEST) <= set(marks)


def test_a_zip_hands_in_for_nobody_else(run):
    others = set(run.marks()) - set(STUDENTS) - set(HONEST)
    assert all(run.marks()[student] == 0 for student in others)
    notebook = run.course.submission_of("vera", LESSON).read_bytes()
    assert run.secrets["classmate"].encode() in notebook


def test_victims_keep_their_marks(run):
    assert run.earlier_marks() == run.earlier
    assert run.earlier == {"vera": (7.5, 10.0), "wanda": (3.5, 10.0)}


def test_sources_home_and_submissions_are_as_they_were(run):
    assert run.untouched() == run.before


def test_nothing_is_left_running(run):
    assert left_running(run.token) == []


def test_nothing_is_left_on_the_disk(run):
    assert left_on_disk(run.place) == []


def test_the_table_shows_no_secret_and_no_control_character(run):
    assert not [name for name, secret in run.secrets.items() if secret in run.printed]
    assert not re.search(r"[\x00-\x08\x0b\x0c\x0e-\x1a\x1c-\x1f\x7f-\x9f]", run.printed)


# --- the instructor's pages -----------------------------------------------------------------------

_LOOK = f"""() => {{
  const all = [...document.querySelectorAll('*')];
  const hostile = /attacker|javascript:|vbscript:|data:text|{MARK}/i;
  return {{
    ran: window.{MARK} !== undefined,
    scripts: [...document.scripts].map(s => s.src || s.textContent.length),
    handlers: all.filter(e => [...e.attributes].some(a => /^on/i.test(a.name)))
      .map(e => e.outerHTML.slice(0, 120)),
    leads: all.flatMap(e => [...e.attributes]
      .filter(a => /^(href|src|srcset|srcdoc|action|formaction|data|style)$/.test(a.name))
      .filter(a => hostile.test(a.value)).map(a => a.value.slice(0, 120))),
    frames: document.querySelectorAll('iframe,object,embed,base,form,meta[http-equiv]').length,
    styles: document.querySelectorAll('style').length,
  }};
}}"""


@pytest.fixture(scope="module")
def look(browser):
    """`look(file)` opens a page in Chromium and says what is alive in it, and whom it asked."""
    page = browser.new_page()
    asked = []

    def answer(route):
        asked.append(route.request.url)
        route.continue_() if route.request.url.startswith("file:") else route.abort()

    page.route("**/*", answer)

    def look_at(file: Path) -> dict:
        asked.clear()
        page.goto(file.as_uri(), wait_until="load")
        seen = page.evaluate(_LOOK)
        assert page.url == file.as_uri()
        return seen | {"asked": sorted(set(asked) - {file.as_uri()})}

    yield look_at
    page.close()


@pytest.fixture(scope="module")
def honest_page(run, look):
    return look(run.course.feedback_of("walter", LESSON))


@pytest.mark.browser
def test_an_attack_would_show(run, look, tmp_path):
    """The eye is not blind: the same texts in a page that does nothing about them."""
    alive = tmp_path / "alive.html"
    one = next(a for a in ATTACKS if a.name == "handlers in prose")
    cells = one.build(json.loads(json.dumps(run.handed_out)))["cells"]
    alive.write_text("<html><body>" + cells[2]["source"], encoding="utf-8")
    seen = look(alive)
    assert seen["ran"] and seen["handlers"]


@pytest.mark.browser
@every_attack
def test_its_feedback_is_inert(run, look, honest_page, student):
    file = run.course.feedback_of(student, LESSON)
    if run.found[student].state != "graded":
        assert not file.exists()
        return
    assert look(file) == honest_page


@pytest.fixture(scope="module")
def formgrader_page(tmp_path_factory):
    """`formgrader_page(file)`: what formgrader's own exporter and template make of a notebook."""
    exporter = HTMLExporter(
        template_name="formgrade", extra_template_basedirs=[handlers.template_path]
    )
    folder = tmp_path_factory.mktemp("formgrader")

    def make(file: Path) -> Path:
        names = ("submission_id", "notebook_id", "assignment_id", "notebook_path", "student")
        resources = dict.fromkeys(names, "x") | {
            "index": 0, "total": 1, "base_url": "http://formgrader.invalid", "last_name": "",
            "first_name": "", "metadata": {"name": "x"},
        }  # fmt: skip
        html, _ = exporter.from_notebook_node(nbformat.read(file, as_version=4), resources)
        page = folder / f"{file.parts[-3]}.html"
        page.write_text(html, encoding="utf-8")
        return page

    return make


@pytest.mark.browser
@pytest.mark.parametrize(
    "student", [s for s, one in STUDENTS.items() if one.klass == PAGES],
    ids=_ids(one.name for one in ATTACKS if one.klass == PAGES),
)  # fmt: skip
def test_formgraders_page_is_inert(run, look, formgrader_page, student):
    honest = look(formgrader_page(run.course.autograded_of("walter", LESSON)))
    assert look(formgrader_page(run.course.autograded_of(student, LESSON))) == honest


# --- the second sandbox ---------------------------------------------------------------------------

# One of each kind that a sandbox is there for, and two that only a sandbox's files can stop.
UNDER_BUBBLEWRAP = (
    "answers taken from the checks", "facts about process forged", "gradebook written",
    "others' files written", "signals to everybody", "daemons",
)  # fmt: skip


def _bubblewrap_works() -> bool:
    command = ["bwrap", "--unshare-all", "--ro-bind", "/", "/", "true"]
    with contextlib.suppress(OSError):
        return subprocess.run(command, capture_output=True, check=False).returncode == 0
    return False


@pytest.fixture(scope="module")
def under_bubblewrap(tmp_path_factory):
    """A sample of the bank in bubblewrap, or in what else there is on a machine without."""
    chosen = tuple(next(a for a in ATTACKS if a.name == name) for name in UNDER_BUBBLEWRAP)
    made = Planted(tmp_path_factory.mktemp("bubblewrap"), chosen)
    made.earlier = made.earlier_marks()
    made.grade(Way("bubblewrap" if _bubblewrap_works() else "auto", seconds=60, seconds_per_cell=8))
    return made


@pytest.mark.parametrize("number", range(len(UNDER_BUBBLEWRAP)), ids=_ids(UNDER_BUBBLEWRAP))
def test_the_second_sandbox_gives_nothing_either(under_bubblewrap, number):
    assert under_bubblewrap.harm(f"a{number:03d}") == []


def test_the_second_sandbox_grades_the_class(under_bubblewrap):
    marks = under_bubblewrap.marks()
    assert [marks[student] for student in HONEST] == [20.0, 20.0]
    assert under_bubblewrap.earlier_marks() == under_bubblewrap.earlier
    assert left_running(under_bubblewrap.token) == []


# --- nbgrader's own command -----------------------------------------------------------------------

WORST = (
    "tagged to be skipped, marks stored", "schema 99", "one id for all cells",
    "a test of one's own",
    "a written answer said to be a test", "ipykernel_launcher.py beside the notebook",
    "a filter on errors and messages", "gradebook written", "a loop that is deaf", "truncated",
    "deeply nested", "a link to a classmate's notebook", "links beside the notebook", "a pipe",
    "a folder called lesson.ipynb", "a forged time stamp", "streams", "metadata and tags",
)  # fmt: skip


@pytest.fixture(scope="module")
def with_nbgrader(tmp_path_factory):
    """The worst of the bank through nbgrader's converter with the shipped configuration."""
    worst = tuple(next(a for a in ATTACKS if a.name == name) for name in WORST)
    made = Planted(tmp_path_factory.mktemp("nbgrader"), worst)
    made.earlier = made.earlier_marks()
    with Marks(made.course, LESSON) as marks:
        marks.ensure_assignment(made.handed_out, lambda: source_notebook(made.course, LESSON))
    log = logging.Logger("quiet", level=logging.CRITICAL)
    config = made.course.nbgraders_config(LESSON)
    with pytest.raises(NbGraderException, match="not graded: "):
        Autograde(coursedir=made.course.directory(LESSON), config=config, log=log).start()
    return made


@pytest.mark.parametrize("number", range(len(WORST)), ids=_ids(WORST))
def test_nbgrader_gives_nothing_either(with_nbgrader, number):
    student = f"a{number:03d}"
    assert with_nbgrader.marks().get(student, 0.0) == 0
    for path in with_nbgrader.written_about(student):
        assert with_nbgrader.secrets_in(path) == []


def test_nbgrader_grades_the_class(with_nbgrader):
    marks = with_nbgrader.marks()
    assert [marks[student] for student in HONEST] == [20.0, 20.0]
    assert with_nbgrader.earlier_marks() == with_nbgrader.earlier
    assert left_running() == []
