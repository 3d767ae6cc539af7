"""A mark is kept while nothing that it depends on has changed, and what has changed is said."""

from __future__ import annotations

import dataclasses
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from autograder import closure
from autograder.checking import module_of
from autograder.grading import key as keys
from autograder.grading.course import ROOT, open_course, source_key, template_files
from autograder.grading.key import WORKER, Key, judging_files, key_of
from autograder.grading.record import Basis
from autograder.sandbox.limits import Limits
from tests.test_rebuild import cell, graded, notebook

LESSON = "12_gpt2"  # its checks use everything: callbacks, inside functions, models from files
TEMPLATE = notebook(
    cell("from course import data, pretrained\nfrom figures import attention"),
    graded("attend", "def attend(x):\n    raise NotImplementedError", solution=True),
    graded("check-attend", "check(attend)", solution=False, points=2),
)
FILES = [p.relative_to(closure.ROOT).as_posix() for p in judging_files(LESSON, TEMPLATE)]


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    """The packages in a folder of their own."""
    root = tmp_path_factory.mktemp("packages")
    for room in closure.ROOMS:
        shutil.copytree(
            closure.ROOT / room,
            root / room,
            ignore=shutil.ignore_patterns("__pycache__", "*.ipynb"),
        )
    return root


@pytest.fixture(scope="module")
def before(copy):
    return key_of(LESSON, TEMPLATE, copy).as_dict()


@pytest.mark.parametrize("name", FILES)
def test_one_byte_more_in_any_judging_file_changes_the_key_and_is_said(name, copy, before):
    path = copy / name
    content = path.read_bytes()
    try:
        path.write_bytes(content + b"\n")
        assert key_of(LESSON, TEMPLATE, copy).differences(before) == [f"{name} changed"]
    finally:
        path.write_bytes(content)


def test_no_other_file_changes_the_key(copy, before):
    others = [
        path
        for path in sorted(copy.rglob("*"))
        if path.is_file() and path.relative_to(copy).as_posix() not in FILES
    ]
    names = {path.relative_to(copy).as_posix() for path in others}
    assert {"autograder/cli.py", "autograder/checks/made.py", "figures/attention.py"} <= names
    for path in others:
        path.write_bytes(path.read_bytes() + b"\n")
    assert key_of(LESSON, TEMPLATE, copy).as_dict() == before


def test_marks_depend_on_the_built_lesson_and_not_on_its_builder(before):
    assert not [name for name in FILES if name.startswith(("autograder/lessons/", "figures/"))]
    assert not {"jupytext", "nbformat"} & set(before["versions"])


def test_a_new_import_brings_its_module_into_the_key(copy, before):
    checks = closure.path_of(module_of(LESSON), copy)
    content = checks.read_bytes()
    try:
        checks.write_bytes(content + b"from course import sound\n")
        said = key_of(LESSON, TEMPLATE, copy).differences(before)
    finally:
        checks.write_bytes(content)
    assert "course/sound.py is new" in said
    assert f"{checks.relative_to(copy).as_posix()} changed" in said


_GRADES = """
import json, sys
from autograder.grading import worker
from autograder.sandbox.limits import Limits
template = json.loads(sys.argv[1])
job = worker.Job("ada", "{lesson}", sys.argv[1].encode(), "", sys.argv[1], 1, "plain", True,
                 limits=Limits(seconds_per_cell=60).as_dict())
done = worker.grade(job)
print(json.dumps([sorted(sys.modules), done.notebook["cells"][0]["outputs"][0]["text"]]))
"""


def test_whatever_is_imported_while_grading_is_in_the_key():
    """Judge and guest are asked for their modules after a real check."""
    lesson = "05_made"
    template = notebook(
        graded("build_masks", "def build_masks(*a):\n    return [[1.0]]", solution=True),
        graded("check-build_masks", "check(build_masks)", solution=False, points=3),
    )
    asks = cell("import sys, course.data\nprint(' '.join(sorted(sys.modules)))")
    template["cells"].insert(0, asks)
    ran = subprocess.run(
        [sys.executable, "-c", _GRADES.format(lesson=lesson), json.dumps(template)],
        capture_output=True, text=True, cwd=closure.ROOT,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr[-2000:]
    judge, guest = json.loads(ran.stdout.splitlines()[-1])
    guest = guest.split()
    assert WORKER in judge and module_of(lesson) in judge and "course.data" in guest
    names = {path for path in judging_files(lesson, template)}
    for module in (*judge, *guest):
        path = closure.path_of(module)
        if path is not None and not module.startswith("figures"):
            assert path in names, module


def test_a_changed_cell_is_named(before, copy):
    for change, said in [
        (("attend", "source", "def attend(x):\n    ..."), ["the lesson's cell attend changed"]),
        (("check-attend", "points", 3), ["the lesson's cell check-attend changed"]),
    ]:
        name, what, value = change
        changed = json.loads(json.dumps(TEMPLATE))
        (one,) = [c for c in changed["cells"] if keys.nbgrader_of(c).get("grade_id") == name]
        (one if what == "source" else one["metadata"]["nbgrader"])[what] = value
        assert key_of(LESSON, changed, copy).differences(before) == said
    more = notebook(*TEMPLATE["cells"], graded("why", "", solution=True, kind="markdown"))
    assert "the lesson's cell why is new" in key_of(LESSON, more, copy).differences(before)
    less = notebook(*TEMPLATE["cells"][:1])
    said = key_of(LESSON, less, copy).differences(before)
    assert "the lesson's cell attend is not used any more" in said


def test_a_package_that_judges_in_another_version_is_said(before, copy):
    assert {"python", "torch", "numpy", "nbgrader", "ipython"} <= set(before["versions"])
    earlier = {**before, "versions": {**before["versions"], "torch": "2.6.0"}}
    now = before["versions"]["torch"]
    assert key_of(LESSON, TEMPLATE, copy).differences(earlier) == [f"torch 2.6.0 → {now}"]


def test_a_template_is_built_again_when_any_of_its_makers_changes(tmp_path):
    course = open_course(class_dir=tmp_path)
    makers = [path.relative_to(ROOT).as_posix() for path in template_files(course, "05_made")]
    built_by = {"autograder/stubs.py", "autograder/lessons/building.py"}
    assert built_by | {"nbgrader_config.py", "term.toml"} <= set(makers)
    before = source_key(course, "05_made")
    assert source_key(course, "05_made") == before
    assert source_key(course, "06_kl") != before
    other = open_course(class_dir=tmp_path)
    other.config.GenerateAssignment.preprocessors = ["autograder.draw.Draw"]
    assert {p.name for p in template_files(other, "05_made")} < {Path(p).name for p in makers}


# --- a run against a record ----------------------------------------------------------------------

KEY = Key({"a.py": "1"}, {"": "2"}, {"torch": "3"})
RECORD = {
    "format": 2, "digest": "d", "graded_at": "2026-11-26", "depends_on": KEY.as_dict(),
    "limits": Limits().as_dict(), "demos": False, "sandbox": "warm",
}  # fmt: skip


def basis(**changed):
    return dataclasses.replace(Basis("d", KEY, Limits(), demos=False, trusted=False), **changed)


def test_the_same_is_kept():
    assert basis().differences(RECORD) == []


@pytest.mark.parametrize("name", [field.name for field in dataclasses.fields(Limits)])
def test_each_limit_counts_and_is_said_with_both_values(name):
    value = getattr(Limits(), name)
    limits = dataclasses.replace(Limits(), **{name: value + 1})
    shown = f"limit {name} {value:.12g} → {value + 1:.12g}"
    assert basis(limits=limits).differences(RECORD) == [shown]


@pytest.mark.parametrize(
    ("record", "changed", "said"),
    [
        ({}, {"digest": "e"}, "another notebook was handed in after 2026-11-26"),
        ({}, {"demos": True}, "run_demos off → on"),
        ({"sandbox": "plain"}, {}, "it was graded without a sandbox"),
        ({}, {"key": Key({"a.py": "2"}, {"": "2"}, {"torch": "3"})}, "a.py changed"),
        ({}, {"key": Key({}, {"": "2"}, {"torch": "3"})}, "a.py is not used any more"),
        ({}, {"key": Key({"a.py": "1"}, {"": "3"}, {"torch": "3"})}, "the lesson's text changed"),
    ],
)
def test_whatever_else_changes_a_mark_is_said(record, changed, said):
    assert basis(**changed).differences({**RECORD, **record}) == [said]


def test_a_record_of_the_format_with_one_hash_is_graded_again():
    old = {name: value for name, value in RECORD.items() if name != "depends_on"}
    said = basis().differences({**old, "format": 1, "sources": "a hash"})
    assert said == ["it was graded by an earlier version of the grader"]


def test_a_mark_given_without_a_sandbox_is_kept_while_submissions_are_trusted():
    assert basis(trusted=True).differences({**RECORD, "sandbox": "plain"}) == []
