"""What a lesson's marks depend on beside the submission, by name: a mark is kept while it holds.

Computed, not listed: the code that the lesson's checks, the judge, the sandbox and the lesson's own
cells import, by content; the cells of the lesson; and the versions of the packages that judging
imports. Each part has a name, so that a difference can be said. What a run is told (limits, demos)
stands in the record by itself.
"""

from __future__ import annotations

import functools
import hashlib
import json
import platform
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from autograder import closure
from autograder.checking import module_of
from autograder.grading.rebuild import Notebook, nbgrader_of, text_of

# What grades one submission: it imports the judge, the sandbox, and both ends of the guest.
WORKER = "autograder.grading.worker"
_DISTRIBUTIONS = {"sklearn": "scikit-learn"}  # where the import's name is another
_DIGITS = 32  # of a hash, in hexadecimal


@dataclass(frozen=True)
class Key:
    """The parts that marks of a lesson depend on.

    files     path below the packages' folder → hash of its content
    cells     grade_id → hash of that cell of the lesson; "" stands for all others together
    versions  package → version
    """

    files: Mapping[str, str]
    cells: Mapping[str, str]
    versions: Mapping[str, str]

    def as_dict(self) -> dict[str, dict[str, Any]]:
        """The parts as plain data, for a record."""
        return {group: dict(getattr(self, group)) for group in _GROUPS}

    def differences(self, earlier: Mapping[str, Any]) -> list[str]:
        """What is another in this key than in the `earlier` one, given as plain data."""
        said: list[str] = []
        for group, sentences in _GROUPS.items():
            before = earlier.get(group)
            said += sentences(before if isinstance(before, Mapping) else {}, getattr(self, group))
        return said


def _changed(before: Mapping[str, Any], now: Mapping[str, Any], what: str) -> Iterator[str]:
    for name in sorted({*before, *now}):
        if name not in before:
            yield f"{what.format(name)} is new"
        elif name not in now:
            yield f"{what.format(name)} is not used any more"
        elif before[name] != now[name]:
            yield f"{what.format(name)} changed"


def _files(before: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[str]:
    return _changed(before, now, "{}")


def _cells(before: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[str]:
    if before.get("") != now.get(""):
        yield "the lesson's text changed"
    was, is_ = ({name: value for name, value in side.items() if name} for side in (before, now))
    yield from _changed(was, is_, "the lesson's cell {}")


def changed_values(
    before: Mapping[str, Any], now: Mapping[str, Any], what: str = ""
) -> Iterator[str]:
    """A sentence for each name with another value now, as "torch 2.12 → 2.13"."""
    for name in sorted({*before, *now}):
        old, new = (_shown(side.get(name)) for side in (before, now))
        if old != new:
            yield f"{what}{name} {old} → {new}"


def _shown(value: Any) -> str:
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "on" if value else "off"
    return f"{value:.12g}" if isinstance(value, int | float) else str(value)


_GROUPS = {"files": _files, "cells": _cells, "versions": changed_values}


def key_of(lesson: str, template: Notebook, root: Path = closure.ROOT) -> Key:
    """The key of `lesson`, whose notebook without solutions is `template`.

    `root` is the folder that holds the packages `autograder` and `course`.
    """
    judges = closure.closure(_starts(lesson, root), root)
    files = judging_files(lesson, template, root)
    return Key(
        files={path.relative_to(root).as_posix(): _hash_of(path.read_bytes()) for path in files},
        cells=_cell_hashes(template),
        versions=_versions(frozenset(closure.outside(judges, root))),
    )


def judging_files(lesson: str, template: Notebook, root: Path = closure.ROOT) -> list[Path]:
    """The files of ours that decide about marks of `lesson`: code, and the data it reads.

    Widgets, which notebooks import, are silent while a notebook is graded and do not count.
    """
    figures = root / "figures"
    starts = [*_starts(lesson, root), *_imported_by(template, root)]
    return [path for path in closure.closure(starts, root) if not path.is_relative_to(figures)]


def _starts(lesson: str, root: Path) -> list[Path]:
    checks = module_of(lesson)
    inside = checks.replace(".checks.", ".inside.")
    found = (closure.path_of(name, root) for name in (WORKER, checks, inside))
    return [path for path in found if path is not None]


def _imported_by(template: Notebook, root: Path) -> list[Path]:
    """The modules of ours that the lesson's own cells import, in whichever process they run."""
    found = []
    for cell in template["cells"]:
        if cell["cell_type"] == "code":
            names = closure.modules_named(text_of(cell))
            found += [path for name in sorted(names) if (path := closure.path_of(name, root))]
    return [path for path in found if not path.is_relative_to(root / "figures")]


def _cell_hashes(template: Notebook) -> dict[str, str]:
    """Of each of nbgrader's cells, and of the others together: kind, text, points and role."""
    parts: dict[str, Any] = {"": []}
    for cell in template["cells"]:
        meta = nbgrader_of(cell)
        what = [cell["cell_type"], text_of(cell), cell["metadata"].get("tags", []), dict(meta)]
        name = meta.get("grade_id") or ""
        if name:
            parts[name] = what
            parts[""].append(name)  # its place
        else:
            parts[""].append([cell.get("id"), *what])
    return {
        name: _hash_of(json.dumps(part, sort_keys=True, ensure_ascii=True).encode())
        for name, part in parts.items()
    }


def _hash_of(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:_DIGITS]


@functools.lru_cache(maxsize=64)
def _versions(imported: frozenset[str]) -> dict[str, str]:
    """Of Python (major and minor), of nbgrader, and of each package in `imported`."""
    major, minor, _ = platform.python_version_tuple()
    found = {"python": f"{major}.{minor}"}
    for name in sorted({*imported, "nbgrader"}):
        name = _DISTRIBUTIONS.get(name, name)
        try:
            found[name.lower()] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue  # not installed, or no package: a word of a docstring
    return found
