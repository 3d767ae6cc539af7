"""One browser a session, what tests of one lesson look at, and the turns of several workers."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from playwright.sync_api import Browser, sync_playwright

from autograder import lessons
from tests.browser.browser import FLAGS, install_chromium
from tests.notebooks import executed, printed, run_here
from tests.turns import pytest_collection_modifyitems, pytest_xdist_make_scheduler  # noqa: F401

# As `make test` has it, also where pytest is called by its path: nbgrader runs `alembic` from PATH.
os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])

# Examples are the same in every run, and a busy machine fails none of them. Where only the verdict
# counts (tests/mutants), a failing example is not made smaller.
settings.register_profile(
    "course",
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow],
    phases=[p for p in Phase if p is not Phase.shrink or "UNSHRUNK" not in os.environ],
)
settings.load_profile("course")


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Chromium, started once a session: Playwright cannot be started twice in one process."""
    path = install_chromium()
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, headless=True, args=FLAGS)
        yield chromium
        chromium.close()


# --- the lesson that a module names as its LESSON -------------------------------------------------


@pytest.fixture(scope="module")
def lesson(request: pytest.FixtureRequest) -> lessons.Lesson:
    """The lesson, read."""
    return lessons.load_lesson(request.module.LESSON)


@pytest.fixture(scope="module")
def text(lesson: lessons.Lesson) -> str:
    """The lesson's text: prose and code."""
    return lesson.path.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def solved(lesson: lessons.Lesson) -> dict[str, Any]:
    """The lesson's names, all exercises solved, in a namespace of the module's own."""
    return lessons.solution_functions(lesson.name)


@pytest.fixture(scope="module")
def experiment(lesson: lessons.Lesson) -> dict[str, Any]:
    """The lesson run from top to bottom in this process, solved; see `run_here`."""
    return run_here(lesson.name)


@pytest.fixture(scope="module")
def told(lesson: lessons.Lesson) -> str:
    """All that the instructor's notebook prints; it runs once for this and test_notebooks.py."""
    return printed(executed(lesson.name, "solved"))
