"""What is read of a file that was handed in: its cells' text, in bounds, or a sentence why not."""

from __future__ import annotations

import hashlib
import json
import os
import stat
from pathlib import Path
from typing import Any

import pytest

from autograder.grading import submission
from autograder.grading.submission import SubmittedCell, Unreadable, parse, read_bytes


def told(call: Any, *args: Any) -> str:
    """The sentence with which something is unreadable."""
    with pytest.raises(Unreadable) as why:
        call(*args)
    return str(why.value)


# --- the file -------------------------------------------------------------------------------------


def test_a_file_is_read_whole_up_to_the_bound(tmp_path: Path):
    path = tmp_path / "ada" / "lesson.ipynb"
    path.parent.mkdir()
    path.write_bytes(b"x" * 100)
    assert read_bytes(path, tmp_path, 100) == b"x" * 100
    path.write_bytes(b"x" * (3 * 2**20 + 1))
    assert told(read_bytes, path, tmp_path, 2**20) == (
        "lesson.ipynb has 3 MB; at most 1 MB are read"
    )


def test_a_file_is_read_where_the_system_has_no_such_flags(tmp_path: Path, monkeypatch):
    (tmp_path / "lesson.ipynb").write_bytes(b"{}")
    monkeypatch.delattr(os, "O_NOFOLLOW")
    monkeypatch.delattr(os, "O_NONBLOCK")
    assert read_bytes(tmp_path / "lesson.ipynb", tmp_path) == b"{}"


def test_a_file_that_grew_after_it_was_looked_at_is_bounded_all_the_same(tmp_path, monkeypatch):
    path = tmp_path / "lesson.ipynb"
    path.write_bytes(b"x" * (2**20 + 1))
    real = os.lstat

    def smaller(name: Any) -> os.stat_result:
        seen = list(real(name))
        seen[stat.ST_SIZE] = 1
        return os.stat_result(seen)

    monkeypatch.setattr(submission.os, "lstat", smaller)
    assert told(read_bytes, path, tmp_path, 2**20) == (
        "lesson.ipynb has 1 MB; at most 1 MB are read"
    )


def test_a_name_that_no_file_can_have_is_told(tmp_path: Path):
    name = "x" * 300
    assert told(read_bytes, tmp_path / name, tmp_path, 100) == (
        f"{name} cannot be opened: File name too long"
    )


def test_what_is_no_file_below_the_folder_is_told(tmp_path: Path):
    (tmp_path / "there").write_bytes(b"{}")
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "there")
    os.mkfifo(tmp_path / "pipe")
    for name, sentence in {
        "gone": "there is no gone in what was handed in",
        "folder": "folder is not a file",
        "pipe": "pipe is not a file",
        "link": "link is a symbolic link; a notebook itself must be handed in",
        "there/in": "there is not a folder",
    }.items():
        assert told(read_bytes, tmp_path / name, tmp_path, 100) == sentence


@pytest.mark.parametrize("kind", ["link", "pipe"])
def test_what_changed_between_looking_and_opening_is_not_followed(tmp_path, monkeypatch, kind):
    path, other = tmp_path / "lesson.ipynb", tmp_path / "secret"
    path.write_bytes(b"{}")
    other.write_bytes(b"secret")
    real = os.open

    def swapped(name: Any, flags: int) -> int:
        path.unlink()
        path.symlink_to(other) if kind == "link" else os.mkfifo(path)
        return real(name, flags)

    monkeypatch.setattr(submission.os, "open", swapped)
    assert told(read_bytes, path, tmp_path, 100).startswith(
        "lesson.ipynb cannot be opened: " if kind == "link" else "lesson.ipynb is not a file"
    )


# --- the notebook ---------------------------------------------------------------------------------


def notebook(*cells: Any, **fields: Any) -> bytes:
    return json.dumps({"nbformat": 4, "cells": list(cells), **fields}).encode()


def code(source: Any = "x = 1", **fields: Any) -> dict[str, Any]:
    return {"cell_type": "code", "source": source, **fields}


def test_cells_keep_their_kind_text_and_names():
    raw = notebook(
        code(["a\n", "b\x00"], id="one", metadata={"nbgrader": {"grade_id": "g"}}),
        {"cell_type": "markdown", "source": "# t", "id": 5, "metadata": 3},
        {"cell_type": "raw", "source": "", "metadata": {"nbgrader": [1]}},
        code("c", id="x" * 200, metadata={"nbgrader": {"grade_id": "y" * 201}}),
    )
    found = parse(raw)
    assert found.cells == (
        SubmittedCell("code", "a\nb", "g", "one"),
        SubmittedCell("markdown", "# t", "", ""),
        SubmittedCell("raw", "", "", ""),
        SubmittedCell("code", "c", "", "x" * 200),
    )
    assert (found.problems, found.digest) == ((), hashlib.sha256(raw).hexdigest())


@pytest.mark.parametrize(
    "cell",
    [3, None, [], {}, {"cell_type": "heading", "source": "x"}, code(3), code(None), code(["x", 3])],
)
def test_a_cell_without_text_is_left_out_and_named(cell: Any):
    found = parse(notebook(code("first"), cell, code("third")))
    assert [one.text for one in found.cells] == ["first", "third"]
    assert found.problems == ("cell 2 has no readable text and is left out",)


def test_only_some_problems_are_told():
    found = parse(notebook(*[3] * 9))
    assert len(found.problems) == 5 and found.problems[-1].startswith("cell 5 ")


@pytest.mark.parametrize(
    ("raw", "sentence"),
    [
        (b" \n", "the file is empty"),
        (b"[1]", "this is JSON, but not a notebook"),
        (b'"nbformat"', "this is JSON, but not a notebook"),
        (b"{}", "this is JSON, but not a notebook"),
        (b'{"nbformat": 4}', "this notebook has no list of cells"),
        (b'{"nbformat": 4, "cells": {}}', "this notebook has no list of cells"),
        (b'{"nbformat": 3}', "this notebook has no list of cells"),
        (b'{"nbformat": 2}', "this is a notebook of format 2, not 4: open it in JupyterLab"),
        (b'{"nbformat": 5}', "this is a notebook of format 5, not 4: open it in JupyterLab"),
        (b'{"nbformat": true}', "this is a notebook of format True, not 4"),
        (b'{"nbformat": 4.0}', "this is a notebook of format 4.0, not 4"),
        (b'{"nbformat": [4]}', "this is a notebook of format list, not 4"),
        (b'{"nbformat": "4\\u001b[31m\\ud800"}', "this is a notebook of format 4[31m?, not 4"),
        (b'{"nbformat": "123456789012345678901"}', "format 12345678901234567890, not 4"),
        (b"{", "the file is not JSON: expecting property name enclosed"),
        (b"{}\n\n]", "the file is not JSON: extra data in line 3"),
        (b'{"a": "\xff"}', "the file is not UTF-8 text (byte 7)"),
        (b'{"a": ' + b"1" * 5_000 + b"}", "the file holds a number or text that cannot be read"),
    ],
)  # fmt: skip
def test_what_is_no_notebook_is_told_in_a_sentence(raw: bytes, sentence: str):
    assert sentence in told(parse, raw)


def test_utf_16_is_read():
    assert parse(notebook(code("ä")).decode().encode("utf-16")).cells[0].text == "ä"


def test_format_3_is_read_as_far_as_its_text_goes():
    sheets = [
        {"cells": [{"cell_type": "code", "input": "a"}, {"cell_type": "heading", "source": "b"}]},
        {"cells": [{"cell_type": "markdown", "source": "c"}, 3]},
        {"cells": {}},
        4,
    ]
    found = parse(json.dumps({"nbformat": 3, "worksheets": sheets}).encode())
    assert [(c.kind, c.text) for c in found.cells] == [
        ("code", "a"), ("markdown", "b"), ("markdown", "c"),
    ]  # fmt: skip
    assert found.problems == ("cell 4 has no readable text and is left out",)


# --- its bounds -----------------------------------------------------------------------------------


def test_cells_lines_and_text_are_bounded(monkeypatch):
    monkeypatch.setattr(submission, "MAX_CELLS", 3)
    assert len(parse(notebook(*[code()] * 3)).cells) == 3
    assert told(parse, notebook(*[code()] * 4)) == ("this notebook has 4 cells; at most 3 are read")
    monkeypatch.setattr(submission, "MAX_LINE", 5)
    found = parse(
        notebook(code("12345\n12345"), code("123456"), {**code("1" * 9), "cell_type": "raw"})
    )
    assert [len(one.text) for one in found.cells] == [11, 9]
    assert found.problems == ("cell 2 has a line of over 5 characters: left out",)
    monkeypatch.setattr(submission, "MAX_TEXT", 10)
    assert len(parse(notebook(code("12345"), code("12345"))).cells) == 2
    assert told(parse, notebook(code("12345"), code("1234"), code("12"))) == (
        "the cells have more than 10 characters of text"
    )


def test_lists_are_counted_before_they_are_read(monkeypatch):
    monkeypatch.setattr(submission, "MAX_BRACKETS", 4)
    assert parse(b'{"nbformat": 4, "cells": [{"cell_type": "x"}, {}]}').cells == ()
    assert told(parse, b'{"nbformat": 4, "cells": [{}, {}, {}]}') == (
        "the file is not a notebook of a lesson: it holds too many lists"
    )
    monkeypatch.undo()
    assert told(parse, b"[" * 5_000) == "the file is nested too deep"
