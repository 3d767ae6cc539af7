"""Which tests share a worker, and which begin first: `pytest -n … --dist loadgroup` asks here.

What is dear is made once for several tests: a lesson's notebook run in a kernel, a class graded,
a JupyterLab started. Tests that look at one such thing run in one process, one after the other.
The group is read off the node id, so that a new lesson has its own without a mark. Marks
(`xdist_group`) would do as well, but pytest-xdist 3.8 hands their names to its scheduler through an
attribute that pytest 9.2 no longer has (pytest-xdist, issue 1386): every test is then a group of
its own, and no one is told. `test_turns.py` holds that groups stay together.
"""

from __future__ import annotations

import functools
import re
from pathlib import PurePosixPath
from typing import Any

import pytest

from autograder import lessons

BROWSER = "tests/browser"
# Files with a group for each lesson that their parameters name: they share nothing among lessons.
BY_LESSON = ("tests/test_banks.py", "tests/test_every_lesson.py", "tests/test_false_alarms.py")
# Files that ask more of what another one has judged, lesson by lesson.
BESIDE = {"tests/test_three_rules.py": "tests/test_banks.py"}
# Groups of minutes, the longest first: a long one that begins last leaves the other workers idle.
LONG = (
    "tests/test_attacks.py",
    "tests/test_sandbox.py",
    BROWSER,
    "tests/test_false_alarms.py",
    "tests/test_student_half.py",
)


_lessons = functools.cache(lessons.lesson_names)


@functools.cache
def lesson_of(nodeid: str) -> str:
    """The lesson that a node id names, by its file or in its parameters; "" if it names none."""
    file, _, test = nodeid.partition("::")
    word = re.fullmatch(r"test_lesson_(\w+)", PurePosixPath(file).stem)
    parameters = test.partition("[")[2]
    for name in _lessons():
        if (word and name.partition("_")[2] == word[1]) or name in parameters:
            return name
    return ""


def group_of(nodeid: str) -> str:
    """The tests of one group run in one process: a file's, or those of a lesson.

    A lesson's own file and the test of its notebook both look at the run notebook.
    """
    file, lesson = nodeid.partition("::")[0], lesson_of(nodeid)
    file = BESIDE.get(file, file) if lesson else file
    stem = PurePosixPath(file).stem
    if file.startswith(f"{BROWSER}/"):
        return BROWSER  # one Chromium and one JupyterLab
    looks = stem.startswith("test_lesson_") or stem in ("test_notebooks", "test_predictions")
    if lesson and looks:
        return lesson
    return f"{file} {lesson}" if lesson and file in BY_LESSON else file


def rank_of(nodeid: str) -> int:
    """The place of a test's group in the queue: long ones, lessons, and then what is short."""
    group = group_of(nodeid)
    for place, name in enumerate(LONG):
        if group.split()[0] == name:
            return place
    return len(LONG) + (group == nodeid.partition("::")[0])


@pytest.hookimpl(optionalhook=True)  # pytest-xdist's: known only where it is installed
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """`--dist loadgroup` deals out whole groups, in the order of the collection."""
    from xdist.scheduler import LoadScopeScheduling

    if config.getvalue("dist") != "loadgroup":
        return None

    class Turns(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return group_of(nodeid)

    config.option.loadscopereorder = False  # not by the number of tests: few may be long
    return Turns(config, log)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Long groups begin first; every worker has the same order."""
    if hasattr(config, "workerinput"):
        items.sort(key=lambda item: rank_of(item.nodeid))
