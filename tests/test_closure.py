"""The closure of a module is read from its text: nothing that it may import is missed."""

from __future__ import annotations

from pathlib import Path

import pytest

from autograder import closure
from autograder.closure import ROOT, imports_of, modules_imported, package_of, path_of

OURS = [path for room in closure.ROOMS for path in sorted((ROOT / room).rglob("*.py"))]


def _exactly(path: Path, root: Path) -> set[str]:
    source = path.read_text(encoding="utf-8")
    return {one.module for one in imports_of(source, package_of(path, root))}


def _written(folder: Path, **texts: str) -> dict[str, Path]:
    """A package `autograder` of modules with these texts; `a__b` is a module b of a package a."""
    paths = {}
    for name, text in {"__init__": "", **texts}.items():
        path = folder.joinpath("autograder", *name.split("___")).with_suffix(".py")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        paths[name] = path
    return paths


def _names(paths, folder: Path) -> list[str]:
    return [path.relative_to(folder / "autograder").as_posix() for path in paths]


def test_reading_quickly_finds_our_imports_as_parsing_does():
    """An example in a docstring counts as well, and leads nowhere else."""
    for path in OURS:
        quick, exact = modules_imported(path), _exactly(path, ROOT)
        assert exact <= quick, path
        named = {n for pair in closure._BY_NAME.findall(path.read_text("utf-8")) for n in pair}
        more = {path_of(name) for name in quick - exact - named} - {None, path}
        assert {one for one in more if one.name != "__init__.py"} == set(), path


@pytest.mark.parametrize(
    "text",
    [
        "from autograder.other import x",
        "from .other import x",
        "from . import other",
        "import autograder.other as x, os",
        "def f():\n    from autograder import (\n        os,  # why (so)\n        other,\n    )",
        "if True: from autograder import other",
        "x = 1; import autograder.other",
        "from autograder \\\n    import other",
        "from autograder import os, \\\n    other",
        '"""import the other\n"""\nfrom autograder.other import x',
        "import importlib\nimportlib.import_module('autograder.other')",
        'SERVE = "autograder.other:serve"',
        'Path(__file__).with_name("other.py")',
    ],
)
def test_an_import_in_any_form_leads_on(text: str, tmp_path: Path):
    paths = _written(tmp_path, start=text, other="from . import third", third="", fourth="")
    found = _names(closure.closure([paths["start"]], tmp_path), tmp_path)
    assert found == ["__init__.py", "other.py", "start.py", "third.py"]


def test_packages_on_the_way_count_and_data_that_a_module_names(tmp_path: Path):
    paths = _written(
        tmp_path,
        start="from autograder.inner.deep import x",
        inner_____init__="from autograder import third",
        inner___deep='DATA = Path(__file__).parent / "tables"',
        third="",
    )
    for name in ("tables/a.csv", "others/b.csv"):
        data = paths["inner___deep"].parent / name
        data.parent.mkdir()
        data.write_text("1")
    found = _names(closure.closure([paths["start"]], tmp_path), tmp_path)
    assert found == [
        "__init__.py", "inner/__init__.py", "inner/deep.py", "inner/tables/a.csv", "start.py",
        "third.py",
    ]  # fmt: skip


def test_a_changed_import_is_seen_though_the_graph_is_kept(tmp_path: Path):
    paths = _written(tmp_path, start="", other="")
    assert paths["other"] not in closure.reach([paths["start"]], tmp_path)
    paths["start"].write_text("from autograder import other")
    assert paths["other"] in closure.reach([paths["start"]], tmp_path)


def test_others_packages_are_told_from_ours_and_pythons(tmp_path: Path):
    paths = _written(tmp_path, start="import os, numpy.linalg\nfrom torch import nn\nimport course")
    assert closure.outside([paths["start"]], tmp_path) == {"numpy", "torch"}
