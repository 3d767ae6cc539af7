"""What a record holds and how it is read, what its key is made of, and how a difference is said."""

from __future__ import annotations

import dataclasses
import io
import json
import platform
from importlib import metadata
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from autograder.claims import Claim, Verdict
from autograder.grading import key as keys
from autograder.grading import record
from autograder.grading.judge import Outcome
from autograder.grading.key import Key, changed_values, judging_files, key_of
from autograder.grading.record import Basis, NoRecord, Replay
from autograder.grading.worker import Graded
from autograder.sandbox.limits import Limits
from tests.test_rebuild import cell, graded, notebook

KEY = Key({"a.py": "1"}, {"": "2"}, {"torch": "3"})


def told(call: Any, *args: Any, **options: Any) -> str:
    """The sentence with which something is no record."""
    with pytest.raises(NoRecord) as why:
        call(*args, **options)
    return str(why.value)


# --- a record -------------------------------------------------------------------------------------

VERDICT = Verdict("double", "03", 2.0, (Claim("a", True, points=2.0),), 5, "passed")
CHECK = graded("check-double", "check(double)", solution=False, points=2)
NOTEBOOK = notebook(
    cell("# T", "markdown", id="t"),
    {**cell("x = 1", id="x"), "outputs": [1], "execution_count": 4},
    CHECK,
    cell("y = 1", id="y"),
    language="python",
)
GRADED = Graded(
    "ada", "03", "d", NOTEBOOK, [Outcome("check-double", 2.0, 2.0, "passed", verdict=VERDICT)],
    ["odd"], "", 5, 1.5, 7, 1, "warm", {"torch": "3"},
)  # fmt: skip


def test_a_record_is_what_was_graded_and_what_by(tmp_path: Path):
    path = tmp_path / "ada.json"
    options: Any = {"key": KEY, "limits": Limits(), "demos": True, "score": 1.5}
    data = record.write_record(path, GRADED, **options)
    assert json.loads(path.read_text()) == json.loads(json.dumps(data))
    at = data["graded_at"]
    assert at.endswith("+00:00") and len(at) == len("2026-11-26T12:00:00+00:00")
    cells = NOTEBOOK["cells"]
    assert data == {
        "format": 2, "student": "ada", "lesson": "03", "digest": "d",
        "outcomes": [GRADED.outcomes[0].as_dict()], "problems": ["odd"], "unreadable": "",
        "seed": 5, "seconds": 1.5, "peak_memory_bytes": 7, "restarts": 1, "sandbox": "warm",
        "versions": {"torch": "3"}, "graded_at": at,
        "depends_on": {"files": {"a.py": "1"}, "cells": {"": "2"}, "versions": {"torch": "3"}},
        "demos": True, "limits": Limits().as_dict(), "score": 1.5, "max_score": 2.0,
        "notebook": {
            **NOTEBOOK,
            "cells": [cells[0], {**cells[1], "outputs": [], "execution_count": None}, *cells[2:]],
        },
        "history": [{"graded_at": at, "digest": "d", "score": 1.5, "max_score": 2.0}],
    }  # fmt: skip
    assert cells[1]["outputs"] == [1]
    assert record.read_record(path) == json.loads(json.dumps(data))


def test_a_record_keeps_the_last_gradings(tmp_path: Path, monkeypatch):
    assert record.MAX_HISTORY == 100
    monkeypatch.setattr(record, "MAX_HISTORY", 3)
    path = tmp_path / "ada.json"
    for score in range(5):
        record.write_record(path, GRADED, key=KEY, limits=Limits(), demos=False, score=score)
    history = json.loads(path.read_text())["history"]
    assert [line["score"] for line in history] == [2, 3, 4]
    old = {"graded_at": "then", "digest": "e", "score": 1, "max_score": 2}
    for before, kept in (
        (json.dumps({**old, "more": 1}), [old]),
        (json.dumps({**old, "history": []}), [old]),
        (json.dumps({"history": [1]}), [1]),
        (json.dumps({"history": "x", **old}), []),
        (json.dumps({"digest": "e"}), []),
        ("[1]", []),
        ("{", []),
    ):
        path.write_text(before)
        data = record.record_of(path, GRADED, key=KEY, limits=Limits(), demos=False, score=1)
        assert data["history"][:-1] == kept
    data = record.record_of(tmp_path / "no", GRADED, key=KEY, limits=Limits(), demos=False, score=1)
    assert len(data["history"]) == 1


def test_a_record_is_utf_8_whatever_else_this_machine_reads(tmp_path: Path, monkeypatch):
    path = tmp_path / "ada.json"
    options: Any = {"key": KEY, "limits": Limits(), "demos": False, "score": 1.0}
    odd = dataclasses.replace(GRADED, problems=["größer als π"])
    record.write_record(path, odd, **options)
    monkeypatch.setattr(io, "text_encoding", lambda given, level=2: given or "ascii")
    with pytest.raises(UnicodeDecodeError):
        path.read_text()
    assert record.read_record(path)["problems"] == ["größer als π"]
    assert len(record.record_of(path, odd, **options)["history"]) == 2


def test_what_is_no_record_is_told(tmp_path: Path):
    path = tmp_path / "ada.json"
    assert told(record.read_record, path) == (
        f"there is no record {path}: they lie in class/records/LESSON/STUDENT.json"
    )
    path.write_text("{")
    assert told(record.read_record, path).startswith(f"{path} is no record: Expecting property")
    assert told(record.read_record, tmp_path).startswith(f"{tmp_path} is no record: [Errno")
    for data in ([1], {"format": 3}, {"format": 0}, {}, {"format": None}):
        path.write_text(json.dumps(data))
        assert told(record.read_record, path) == (
            f"{path} is no record of this version of the grader"
        )
    names = ["student", "lesson", "digest", "seed", "limits", "demos", "outcomes", "notebook"]
    path.write_text(json.dumps({"format": 1}))
    assert told(record.read_record, path) == (
        f"{path} is no whole record: it has no {', '.join(names)}"
    )
    for version in (1, 2):
        whole = {"format": version, **dict.fromkeys(names)}
        path.write_text(json.dumps(whole))
        assert record.read_record(path) == whole


def test_a_mark_is_kept_while_its_record_agrees(tmp_path: Path):
    path = tmp_path / "ada.json"
    basis = Basis("d", KEY, Limits(), demos=False, trusted=False)
    assert record.is_current(path, basis) is None
    record.write_record(path, GRADED, key=KEY, limits=Limits(), demos=False, score=1)
    assert record.is_current(path, basis) == json.loads(path.read_text())
    assert record.is_current(path, dataclasses.replace(basis, digest="e")) is None


# --- a replay -------------------------------------------------------------------------------------


def test_two_verdicts_are_the_same_if_status_points_and_claims_are():
    same = dataclasses.replace(VERDICT, seed=9, reason="another", line="x")
    assert Replay("double", VERDICT, same).same
    claim = VERDICT.claims[0]
    for changed in (
        {"status": "failed"},
        {"points": 1.0},
        {"claims": ()},
        {"claims": (dataclasses.replace(claim, text="b"),)},
        {"claims": (dataclasses.replace(claim, holds=False, points=0.0), claim)},
        {"claims": (dataclasses.replace(claim, misconception="m"),)},
    ):
        assert not Replay("double", VERDICT, dataclasses.replace(VERDICT, **changed)).same
    zero = dataclasses.replace(VERDICT, claims=(dataclasses.replace(claim, points=3.0),))
    assert not Replay("double", VERDICT, zero).same


def test_a_replay_judges_the_stored_cells_by_the_stored_setting(monkeypatch):
    asked = []
    other = graded("check-triple", "check(triple)", solution=False, points=1)
    book = notebook(*NOTEBOOK["cells"], other, cell("z = 1"))
    again = {
        "check-double": dataclasses.replace(VERDICT, seed=6),
        "check-triple": dataclasses.replace(VERDICT, name="triple", seed=6),
    }
    first = {name: dataclasses.replace(verdict, seed=5) for name, verdict in again.items()}

    def judged(notebook: Any, *args: Any, **options: Any) -> Any:
        asked.append((len(notebook["cells"]), args, options))
        outcomes = [Outcome(name, 1.0, 1.0, "", verdict=verdict) for name, verdict in again.items()]
        return SimpleNamespace(outcomes=[*outcomes, Outcome("why", 1.0, None, "")])

    monkeypatch.setattr(record, "judge_notebook", judged)
    outcomes = [{"grade_id": name, "verdict": verdict.as_dict()} for name, verdict in first.items()]
    data = {
        "outcomes": [*outcomes, {"grade_id": "why", "verdict": None}], "notebook": book,
        "lesson": "03", "limits": Limits().as_dict(), "seed": 5, "demos": True,
    }  # fmt: skip
    doubled = Replay("double", first["check-double"], again["check-double"])
    tripled = Replay("triple", first["check-triple"], again["check-triple"])
    assert record.replay(data, len) == [doubled, tripled]
    assert record.replay(data, len, "double") == [doubled]
    assert record.replay(data, len, "triple") == [tripled]
    setting = (("03", len, Limits()), {"seed": 5, "run_demos": True})
    assert asked == [(6, *setting), (3, *setting), (5, *setting)]
    assert told(record.replay, data, len, "quadruple") == (
        "this record has no verdict on 'quadruple'; there are: double, triple"
    )
    assert told(record.replay, {**data, "outcomes": []}, len, "x") == (
        "this record has no verdict on 'x'; there are: none"
    )
    assert len(book["cells"]) == 6


# --- a key ----------------------------------------------------------------------------------------


def test_each_difference_of_a_key_is_said_in_the_order_of_names():
    now = Key(
        {"a.py": "1", "b.py": "2", "d.py": "4"},
        {"": "1", "one": "1", "two": "2"},
        {"torch": "3", "numpy": "2"},
    )
    before = {
        "files": {"b.py": "1", "c.py": "1", "d.py": "4"},
        "cells": {"": "2", "three": "1", "two": "3"},
        "versions": {"numpy": "1"},
    }
    assert now.differences(before) == [
        "a.py is new",
        "b.py changed",
        "c.py is not used any more",
        "the lesson's text changed",
        "the lesson's cell one is new",
        "the lesson's cell three is not used any more",
        "the lesson's cell two changed",
        "numpy 1 → 2",
        "torch none → 3",
    ]
    assert now.differences(now.as_dict()) == []
    assert KEY.differences({"files": 3}) == [
        "a.py is new", "the lesson's text changed", "torch none → 3",
    ]  # fmt: skip


def test_values_are_said_as_people_write_them():
    before = {"a": True, "b": 1, "c": 0.5, "d": "x", "e": None, "f": 1, "g": 2.0}
    now = {"a": False, "b": 2_000_000_000_000, "c": 1 / 3, "d": ["y"], "e": 1, "f": True, "h": 0}
    assert list(changed_values(before, now, "limit ")) == [
        "limit a on → off",
        "limit b 1 → 2e+12",
        "limit c 0.5 → 0.333333333333",
        "limit d x → ['y']",
        "limit e none → 1",
        "limit f 1 → on",
        "limit g 2 → none",
        "limit h none → 0",
    ]
    assert list(changed_values({"a": 1}, {"a": 1.0})) == []


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Packages of a few small modules, as the lesson 03_toy would have them."""
    texts = {
        "autograder/grading/worker.py": "import numpy, sklearn, json\nfrom course import core",
        "autograder/checks/toy.py": "import no_such_package",
        "autograder/inside/toy.py": "",
        "autograder/checks/other.py": "",
        "course/core.py": "",
        "course/data.py": "import scipy",
        "figures/picture.py": "from course import core",
        "course/unused.py": "",
    }
    for name, text in texts.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        (path.parent / "__init__.py").touch()
    (tmp_path / "autograder/__init__.py").touch()
    return tmp_path


TOY = notebook(
    cell("from course import data\nfrom figures import picture\nimport pandas", id="setup"),
    cell("from course import unused", "markdown", id="prose"),
    graded("one", "x", solution=True),
    graded("check-one", "check(one)", solution=False, points=1),
)


def test_a_key_has_the_files_that_checks_worker_and_cells_reach(root: Path):
    files = [path.relative_to(root).as_posix() for path in judging_files("03_toy", TOY, root)]
    assert files == [
        "autograder/__init__.py",
        "autograder/checks/__init__.py", "autograder/checks/toy.py",
        "autograder/grading/__init__.py", "autograder/grading/worker.py",
        "autograder/inside/__init__.py", "autograder/inside/toy.py",
        "course/__init__.py", "course/core.py", "course/data.py",
    ]  # fmt: skip
    key = key_of("03_toy", TOY, root)
    assert list(key.files) == files
    empty = "e3b0c44298fc1c149afbf4c8996fb924"  # the first half of SHA-256 of nothing
    assert key.files["course/core.py"] == empty
    assert key.files["course/data.py"] != empty
    assert "course/data.py" not in key_of("03_toy", notebook(), root).files


def test_a_key_has_the_versions_of_what_judges(root: Path):
    major, minor, _ = platform.python_version_tuple()
    assert dict(key_of("03_toy", TOY, root).versions) == {
        "python": f"{major}.{minor}",
        **{name: metadata.version(name) for name in ("nbgrader", "numpy", "scikit-learn")},
    }


def test_a_cells_hash_is_of_its_kind_text_tags_and_role():
    def hashes(*cells: dict[str, Any]) -> dict[str, str]:
        return keys._cell_hashes(notebook(*cells))

    one, prose = graded("one", "x", solution=True), cell("prose", "markdown", id="p")
    before = hashes(one, prose)
    assert set(before) == {"", "one"}
    assert {len(value) for value in before.values()} == {32}
    assert hashes({**one, "source": ["x"], "id": "other", "outputs": [1]}, prose) == before
    for changed in (
        {"source": "y"},
        {"cell_type": "markdown"},
        {"metadata": {**one["metadata"], "tags": ["a"]}},
        {"metadata": {"nbgrader": {**one["metadata"]["nbgrader"], "points": 3}}},
    ):
        after = hashes({**one, **changed}, prose)
        assert (after[""] == before[""], after["one"] == before["one"]) == (True, False)
    for others in (
        (prose, one),
        (one,),
        (one, {**prose, "source": "q"}),
        (one, {**prose, "id": 1}),
    ):
        after = hashes(*others)
        assert (after[""] == before[""], after["one"] == before["one"]) == (False, True)
    assert keys._cell_hashes(notebook({**prose, "id": None}))[""] != before[""]
