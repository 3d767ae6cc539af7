"""A student's process runs without the checks and the figures, and hardly notices."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from autograder.remote.hidden import is_hidden
from tests.test_layers import imports_of_file

ROOT = Path(__file__).resolve().parent.parent

GUEST = """
from autograder.remote import hidden
import autograder.checks.made, figures.palette
hidden.hide()
hidden.hide()
import importlib, sys
assert not [n for n in sys.modules if n.startswith("autograder.checks")]
"""


def in_a_guest(text: str) -> str:
    """What a fresh process prints that has hidden them."""
    done = subprocess.run(
        [sys.executable, "-c", GUEST + text], capture_output=True, text=True, cwd=ROOT, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_figures_take_every_call_and_say_one_sentence():
    text = """
from figures import static
from figures.mask_explorer import MaskExplorer, path_counts
import figures.anything.at_all as module
explorer = MaskExplorer.of(len, abs, n=5)
with explorer as opened:
    list(opened), len(opened), opened[3].masks(1, k=2), f"{opened:.3f}"
assert module.there("is") is not None
print(explorer, static.show("x"), sep="|")
"""
    sentence = "(This is drawn in a notebook, and not while it is graded.)"
    assert in_a_guest(text) == f"{sentence}|{sentence}"


def test_a_figure_is_displayed_as_its_sentence():
    text = """
from IPython.core.formatters import DisplayFormatter
from figures.mask_explorer import MaskExplorer
print(DisplayFormatter().format(MaskExplorer([1]))[0])
"""
    assert in_a_guest(text).startswith("{'text/plain': '(This is drawn in a notebook")


def test_the_checks_are_not_there():
    text = """
for name in ("autograder.checks", "autograder.checks.made"):
    try:
        importlib.import_module(name)
    except ModuleNotFoundError as error:
        print(error)
from autograder import check
def build_masks(): pass
print(repr(check(build_masks)).splitlines()[0])
"""
    assert in_a_guest(text).splitlines() == [
        "autograder.checks is not here while a notebook is graded",
        "autograder.checks is not here while a notebook is graded",
        "○ build_masks: checked by the grader (no points here)",
    ]


@pytest.mark.parametrize(
    "path", sorted((ROOT / "autograder" / "inside").glob("*.py")), ids=lambda p: p.stem
)
def test_what_runs_in_a_guest_needs_nothing_that_a_guest_cannot_see(path: Path):
    assert [found.module for found in imports_of_file(path) if is_hidden(found.module)] == []


@pytest.mark.parametrize(
    "path", sorted((ROOT / "autograder" / "checks").glob("*.py")), ids=lambda p: p.stem
)
def test_what_checks_run_in_a_guest_lies_where_a_guest_finds_it(path: Path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    marked = [
        node.name
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef)
        for decorator in node.decorator_list
        if isinstance(decorator, ast.Name) and decorator.id == "inside"
    ]
    assert marked == []


def test_the_names_of_what_is_unseen():
    hidden = ("figures", "figures.arrow", "autograder.checks", "autograder.checks.made")
    assert all(map(is_hidden, hidden))
    assert not any(map(is_hidden, ("figurestore", "autograder.checking", "autograder.inside.made")))
