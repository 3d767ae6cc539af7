"""What a module's code depends on: the files that its imports reach, read and never run.

The import graph of `course`, `figures` and `autograder`. Marks depend on the closure of a lesson's
checks (`autograder.grading.key`), a release ships the closure of its notebooks, and a test holds
that imports run one way.
"""

from __future__ import annotations

import ast
import functools
import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent  # the folder that holds the packages
ROOMS = ("course", "figures", "autograder")


@dataclass(frozen=True)
class Import:
    """One imported module, by its full dotted name."""

    module: str
    line: int
    lazy: bool  # inside a function, or for type checkers only

    @property
    def room(self) -> str:
        """The top-level package."""
        return self.module.split(".")[0]


def imports_of(source: str, package: str) -> Iterator[Import]:
    """All imports of a module's text; `package` is what a leading dot stands for."""

    def walk(node: ast.AST, lazy: bool) -> Iterator[Import]:
        if isinstance(node, ast.Import | ast.ImportFrom):
            for name in _names(node, package):
                yield Import(name, node.lineno, lazy)
        later = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) or (
            isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
        )
        for child in ast.iter_child_nodes(node):
            yield from walk(child, lazy or later)

    yield from walk(ast.parse(source), lazy=False)


def _names(node: ast.Import | ast.ImportFrom, package: str) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
        return
    base = node.module or ""
    if node.level:
        above = package.split(".")
        base = ".".join([*above[: len(above) - node.level + 1], base]).strip(".")
    yield base
    # `from autograder import lessons` imports a module, too.
    yield from (f"{base}.{alias.name}" for alias in node.names)


# --- a graph, quickly ----------------------------------------------------------------------------

_STATEMENT = re.compile(
    r"""(?:^|[:;])[ \t]*(
        (?:from\b(?:[ \t.\w]|\\\n)+)?\bimport\b[ \t]*
        (?:\([^)]*\)|(?:[^\n#;\\]|\\\n)+)
    )""",
    re.MULTILINE | re.VERBOSE,
)
_BY_NAME = re.compile(r"""import_module\(\s*["']([\w.]+)["']|["']([\w.]+):\w+["']""")
_TEXT = re.compile(r"""["']([\w.-]+)["']""")


def modules_named(source: str, package: str = "") -> frozenset[str]:
    """The modules that a text imports, or names to be imported (`"package.module:function"`).

    Its import statements are parsed one by one: a tenth of the time of parsing all of it. One that
    stands in a string counts as well. SyntaxError if the text is no Python.
    """
    found = {name for names in _BY_NAME.findall(source) for name in names if name}
    try:
        for statement in _STATEMENT.findall(source):
            for node in ast.parse(statement).body:
                if isinstance(node, ast.Import | ast.ImportFrom):
                    found.update(_names(node, package))
    except SyntaxError:  # prose, or a form that the pattern does not know
        found.update(one.module for one in imports_of(source, package))
    return frozenset(found)


@functools.lru_cache(maxsize=4096)
def _imported(path: Path, changed: int, size: int, package: str) -> frozenset[str]:
    return modules_named(path.read_text(encoding="utf-8"), package)


def modules_imported(path: Path, root: Path = ROOT) -> frozenset[str]:
    """The full names of all modules that the file at `path` imports, at once or later."""
    now = path.stat()
    return _imported(path, now.st_mtime_ns, now.st_size, package_of(path, root))


def package_of(path: Path, root: Path = ROOT) -> str:
    """The package of a module's file: what a leading dot stands for in it."""
    return ".".join(path.relative_to(root).parent.parts)


def path_of(module: str, root: Path = ROOT) -> Path | None:
    """The file of one of our modules, None for a name inside one and for others' modules."""
    if module.partition(".")[0] not in ROOMS:
        return None
    stem = root.joinpath(*module.split("."))
    for path in (stem.with_suffix(".py"), stem / "__init__.py"):
        if path.is_file():
            return path
    return None


def closure(starts: Iterable[Path], root: Path = ROOT) -> list[Path]:
    """Our files that importing or running `starts` may need, at once or later, by name.

    `starts` belong to it, and so do the packages that any of them lies in, and the files that a
    module reads from its own folder (`data_of`).
    """
    found: set[Path] = set()
    known: dict[str, Path | None] = {}  # a name is looked for once
    folders: set[Path] = set()
    waiting = list(starts)
    while waiting:
        path = waiting.pop()
        if path in found:
            continue
        found.add(path)
        if path.suffix != ".py":
            continue
        for folder in path.parents:
            if folder in folders or folder == root:
                break
            folders.add(folder)
            if (init := folder / "__init__.py").is_file():
                waiting.append(init)
        for name in modules_imported(path, root):
            if name not in known:
                known[name] = path_of(name, root)
            if (to := known[name]) is not None:
                waiting.append(to)
        waiting += data_of(path)
    return sorted(found)


def reach(starts: Iterable[Path], root: Path = ROOT) -> set[Path]:
    """The modules among the `closure` of `starts`."""
    return {path for path in closure(starts, root) if path.suffix == ".py"}


def data_of(path: Path) -> tuple[Path, ...]:
    """The files that a module reads from its own folder: those that a text in it names.

    A folder that is named so counts with all that lies in it, but for prose (`*.md`).
    """
    now = path.stat()
    found: list[Path] = []
    for name in _named_beside(path, now.st_mtime_ns, now.st_size):
        beside = path.with_name(name)
        if beside.is_file():
            found.append(beside)
        elif beside.is_dir() and not (beside / "__init__.py").exists():
            found += (p for p in sorted(beside.rglob("*")) if p.is_file() and _is_data(p))
    return tuple(found)


@functools.lru_cache(maxsize=4096)
def _named_beside(path: Path, changed: int, size: int) -> frozenset[str]:
    source = path.read_text(encoding="utf-8")
    if "__file__" not in source:
        return frozenset()
    return frozenset(_TEXT.findall(source)) - {".", ".."}


def _is_data(path: Path) -> bool:
    return "__pycache__" not in path.parts and path.suffix not in (".md", ".pyc")


def outside(paths: Iterable[Path], root: Path = ROOT) -> set[str]:
    """The top-level packages of others that modules import: neither ours nor Python's own."""
    tops = {
        name.partition(".")[0]
        for path in paths
        if path.suffix == ".py"
        for name in modules_imported(path, root)
    }
    return {top for top in tops - set(sys.stdlib_module_names) - set(ROOMS) if top.isidentifier()}
