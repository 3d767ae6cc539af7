"""Imports run one way: course ← figures ← autograder, and nobody imports a lesson's text.

The check half of the autograder also runs in Colab, where there is no nbgrader and no Jupyter
server: what it reaches, at once or later, must do without them.
"""

from __future__ import annotations

import ast
import builtins
import graphlib
import re
import tomllib
from pathlib import Path

import pytest

from autograder.closure import ROOT, Import, imports_of, package_of, path_of, reach

ROOMS = ("course", "figures", "autograder", "solutions", "tests", "benchmarks")

# Whom a room may import at its modules' top; in a function it may also import LAZILY.
AT_ONCE = {
    "course": {"course"},
    "figures": {"figures", "course"},
    "autograder": {"autograder", "course"},
}
LAZILY = {"course": set(), "figures": set(), "autograder": {"figures"}}

CHECK_HALF = ("__init__", "claims", "checking", "draw", "card", "steps")
NOT_IN_COLAB = ("nbgrader", "jupyter", "nbformat", "jupytext", "typer", "rich", "sqlalchemy")


def imports_of_file(path: Path) -> list[Import]:
    return list(imports_of(path.read_text(encoding="utf-8"), package_of(path, ROOT)))


def against_the_way(room: str, imports: list[Import]) -> list[str]:
    """The imports that a module of `room` must not have."""
    return [
        f"line {found.line}: {found.module}"
        for found in imports
        if found.room in ROOMS
        and found.room not in AT_ONCE[room] | (LAZILY[room] if found.lazy else set())
    ]


def modules_of(room: str) -> list[Path]:
    return sorted(path for path in (ROOT / room).rglob("*.py"))


def check_half() -> list[Path]:
    parts = [ROOT / "autograder" / f"{name}.py" for name in CHECK_HALF]
    folders = [ROOT / "autograder" / name for name in ("checks", "inside", "remote")]
    return parts + [path for folder in folders for path in sorted(folder.rglob("*.py"))]


@pytest.mark.parametrize("room", AT_ONCE)
def test_imports_run_one_way(room: str):
    assert modules_of(room), f"{room}/ has no module"
    wrong = {
        str(path.relative_to(ROOT)): found
        for path in modules_of(room)
        if (found := against_the_way(room, imports_of_file(path)))
    }
    assert wrong == {}


def test_imports_go_in_no_circle():
    """Nor do those that wait inside a function: such a one mostly hides a circle."""
    graph = {
        path: {path_of(one.module) for one in imports_of_file(path)} - {None, path}
        for path in modules_of("autograder")
        if path.name != "__init__.py"
    }
    assert len(list(graphlib.TopologicalSorter(graph).static_order())) > len(graph)


REMOTE = ("hidden", "protocol", "handles", "server", "proxy", "callbacks", "client")


def test_in_the_remote_package_each_module_imports_those_before_it():
    """The judge's side needs the student's, never the other way: what both need is protocol."""
    folder = ROOT / "autograder" / "remote"
    assert {path.stem for path in folder.glob("*.py")} == {"__init__", *REMOTE}
    wrong = {
        name: later
        for i, name in enumerate(REMOTE)
        if (
            later := {f"autograder.remote.{other}" for other in REMOTE[i:]}
            & {one.module for one in imports_of_file(folder / f"{name}.py")}
        )
    }
    assert wrong == {}


def test_nobody_imports_a_lessons_text():
    for room in ("course", "figures", "autograder", "tests", "benchmarks"):
        for path in modules_of(room):
            rooms = {found.room for found in imports_of_file(path)}
            assert "solutions" not in rooms, path


def test_the_check_half_needs_neither_nbgrader_nor_jupyter():
    assert all(path.is_file() for path in check_half())
    wrong = [
        f"{path.relative_to(ROOT)} line {found.line}: {found.module}"
        for path in sorted(reach(check_half()))
        for found in imports_of_file(path)
        if found.room.startswith(NOT_IN_COLAB)
    ]
    assert wrong == []


def told_by_their_heads(source: str) -> list[str]:
    """Sentences that `source` tells a kind of failure by: it begins with an exception's name."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            if node.func.attr in ("startswith", "removeprefix", "partition", "split"):
                texts = [one.value for one in ast.walk(node) if isinstance(one, ast.Constant)]
                heads = [re.match(r"\w*", text)[0] for text in texts if isinstance(text, str)]
                found += [head for head in heads if head in EXCEPTIONS or head.endswith("Error")]
    return found


EXCEPTIONS = {
    name
    for name, value in vars(builtins).items()
    if isinstance(value, type) and issubclass(value, BaseException)
} | {"Timeout"}


def test_a_kind_of_failure_is_a_type_and_not_the_head_of_a_sentence():
    assert told_by_their_heads("x.startswith('ValueError: ')") == ["ValueError"]
    assert told_by_their_heads("x.startswith(('no', 'TooDeepError'))") == ["TooDeepError"]
    assert told_by_their_heads("isinstance(x, ValueError) or x.startswith('http:')") == []
    told = {
        str(path.relative_to(ROOT)): heads
        for path in modules_of("autograder")
        if (heads := told_by_their_heads(path.read_text(encoding="utf-8")))
    }
    assert told == {}


STRICT = {
    "autograder.grading.*", "autograder.sandbox.*", "autograder.remote.*", "autograder.checking",
    "autograder.claims", "autograder.draw", "autograder.card",
}  # fmt: skip
STRICTLY = {
    "disallow_any_generics", "disallow_untyped_defs", "disallow_incomplete_defs",
    "disallow_untyped_decorators", "warn_return_any", "extra_checks",
}  # fmt: skip


def test_types_are_strict_where_trust_is_and_make_test_looks_at_them():
    tools = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]
    overrides = tools["mypy"]["overrides"]
    (trusted,) = (one for one in overrides if set(one["module"]) >= STRICT)
    assert {name for name in STRICTLY if trusted[name] is True} == STRICTLY
    assert not any("ignore_errors" in one for one in (tools["mypy"], *overrides))
    loose = [m for one in overrides if "disable_error_code" in one for m in one["module"]]
    assert not any(package_in(module, STRICT) for module in loose)
    rules = (ROOT / "Makefile").read_text("utf-8")
    assert re.search(r"^test:.* lint\b", rules, re.MULTILINE)
    assert "$(BIN)/mypy\n" in rules.partition("\nlint:")[2].partition("\n\n")[0] + "\n"
    for room in ("course", "figures", "autograder"):
        assert (ROOT / room / "py.typed").is_file()
        assert "py.typed" in tools["setuptools"]["package-data"][room]


def package_in(module: str, names: set[str]) -> bool:
    """Whether a module, or a package's module.*, is one of `names` or inside one."""
    inside = module.removesuffix(".*")
    return any(inside == n or f"{inside}.".startswith(n.removesuffix("*")) for n in names)


def test_architecture_names_what_is_there():
    page = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    prose, pictures = re.subn(r"```mermaid.*?```", "", page, flags=re.DOTALL)
    paths = re.findall(r"`([\w/.]+(?:\.py|/))`", prose)
    # In a picture's box, a line of names: autograder/ or autograder/grading/ is left out.
    boxed = re.findall(r"([\w/]+(?:\.py|/))(?=[,\"\]])", "".join(page.split("```")[1::2]))
    assert pictures == 2 and len(paths) > 20 and len(boxed) > 10
    places = (ROOT, ROOT / "autograder", ROOT / "autograder" / "grading")
    missing = [path for path in paths if not (ROOT / path).exists()]
    missing += [path for path in boxed if not any((folder / path).exists() for folder in places)]
    assert [path for path in missing if path != "submitted/"] == []
    glossary = re.findall(r"^\| (\S+) +\| \S", prose, re.MULTILINE)
    assert 10 <= len(glossary) <= 15


@pytest.mark.parametrize(
    "source, wrong",
    [
        ("import figures", ["line 1: figures"]),
        ("import figures.page as page", ["line 1: figures.page"]),
        ("from figures import page", ["line 1: figures", "line 1: figures.page"]),
        ("from solutions.made import f", ["line 1: solutions.made", "line 1: solutions.made.f"]),
        ("def f():\n    import figures", []),
        ("def f():\n    import solutions", ["line 2: solutions"]),
        ("class A:\n    import figures", ["line 2: figures"]),
        ("if True:\n    import tests", ["line 2: tests"]),
        ("from ..course import data", []),
        ("from .claims import claim\nimport figurative", []),
    ],
)
def test_the_rule_sees_an_import_in_any_dress(source: str, wrong: list[str]):
    imports = list(imports_of(source, "autograder.checks"))
    assert against_the_way("autograder", imports) == wrong


def test_a_leading_dot_is_resolved():
    names = [found.module for found in imports_of("from . import a\nfrom ..b import c", "x.y")]
    assert names == ["x.y", "x.y.a", "x.b", "x.b.c"]
