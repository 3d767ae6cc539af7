"""Of a submission only the text of its cells is used, and that text cannot act on a page."""

from __future__ import annotations

import itertools
import json
import os
import re

import nbformat
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nbconvert.filters.markdown_mistune import markdown2html_mistune

from autograder.grading import outputs, submission
from autograder.grading.rebuild import inert_markdown, is_added, nbgrader_of, rebuild
from autograder.grading.submission import Unreadable, parse, read_bytes

STUB = 'def double(x):\n    raise NotImplementedError("double: write your code here")'
SOLVED = "def double(x):\n    return 2 * x"


def graded(grade_id, source, *, solution, points=None, kind="code", **more):
    about = {
        "grade": points is not None, "grade_id": grade_id, "locked": not solution,
        "schema_version": 3, "solution": solution, "task": False, "cell_type": kind,
    }  # fmt: skip
    about |= {} if points is None else {"points": points}
    return cell(source, kind, id=grade_id, metadata={"nbgrader": about}, **more)


_numbers = itertools.count(1)


def cell(source, kind="code", id=None, metadata=None, outputs=()):
    id = id or f"cell-{next(_numbers)}"
    one = {"cell_type": kind, "id": id, "metadata": metadata or {}, "source": source}
    if kind == "code":
        one |= {"outputs": list(outputs), "execution_count": None}
    return one


def notebook(*cells, **metadata):
    return {"cells": list(cells), "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}


TEMPLATE = notebook(
    cell("# Doubling", "markdown", id="title"),
    cell("import math", id="setup", metadata={"tags": ["setup"]}),
    graded("double", STUB, solution=True),
    graded("check-double", "check(double)", solution=False, points=2),
    graded("why", "Why?\n\n*Your answer*", solution=True, points=1, kind="markdown"),
    kernelspec={"name": "python3", "display_name": "Python 3", "language": "python"},
)


def submitted(*cells, **metadata):
    return parse(json.dumps(notebook(*cells, **metadata)).encode())


def rebuilt_from(*cells, **metadata):
    result = rebuild(TEMPLATE, submitted(*cells, **metadata), "03_doubling")
    nbformat.validate(nbformat.from_dict(result.notebook))
    return result


def sources(result):
    """The texts of the cells, without the note at the top that tells what was odd."""
    cells = result.notebook["cells"]
    noted = bool(cells) and cells[0]["id"] == "autograder-note"
    assert noted is bool(result.problems)
    return [one["source"] for one in cells[noted:]]


HANDED_IN = [
    TEMPLATE["cells"][0],
    TEMPLATE["cells"][1],
    graded("double", SOLVED, solution=True),
    TEMPLATE["cells"][3],
    TEMPLATE["cells"][4],
]


def test_an_honest_submission_keeps_its_answers_and_nothing_else_changes():
    result = rebuilt_from(*HANDED_IN)
    expected = [c["source"] for c in TEMPLATE["cells"]]
    expected[2] = SOLVED
    assert sources(result) == expected
    assert result.problems == ()


def test_metadata_tags_outputs_and_attachments_are_the_instructors():
    theirs = json.loads(json.dumps(HANDED_IN))
    for one in theirs:
        one["metadata"]["tags"] = ["skip-execution"]
        one["attachments"] = {"x.png": {"image/png": "AAAA"}}
    theirs[3]["metadata"]["nbgrader"]["points"] = 1000
    theirs[3]["outputs"] = [
        {"output_type": "execute_result", "data": {"text/plain": "2.0"}, "metadata": {},
         "execution_count": 1}
    ]  # fmt: skip
    result = rebuilt_from(*theirs, kernelspec={"name": "evil"}, widgets={"x": 1})
    for mine, template in zip(result.notebook["cells"], TEMPLATE["cells"], strict=True):
        assert nbgrader_of(mine) == nbgrader_of(template)
        assert mine["metadata"].get("tags") == template["metadata"].get("tags")
        assert "attachments" not in mine
        assert not mine.get("outputs")
    assert result.notebook["metadata"] == TEMPLATE["metadata"]


def test_an_edited_check_is_put_back_and_told():
    theirs = [*HANDED_IN[:3], graded("check-double", "2.0", solution=True, points=9), HANDED_IN[4]]
    result = rebuilt_from(*theirs)
    assert sources(result)[3] == "check(double)"
    assert any("check-double was changed" in p for p in result.problems)


def test_added_cells_keep_their_places():
    theirs = [
        cell("first = 1"), HANDED_IN[0], HANDED_IN[1], cell("helper = 2"), HANDED_IN[2],
        cell("print(double(3))"), HANDED_IN[3], HANDED_IN[4], cell("last = 4"),
    ]  # fmt: skip
    result = rebuilt_from(*theirs)
    assert [one["source"] for one in result.notebook["cells"] if is_added(one)] == [
        "first = 1", "helper = 2", "print(double(3))", "last = 4",
    ]  # fmt: skip
    assert sources(result)[3:6] == ["helper = 2", SOLVED, "print(double(3))"]


def test_a_missing_answer_counts_as_not_attempted():
    result = rebuilt_from(HANDED_IN[0], HANDED_IN[3])
    assert STUB in sources(result)
    assert "double is missing: it counts as not attempted" in result.problems


def test_of_a_doubled_cell_the_first_is_used_and_it_is_said():
    again = graded("double", "def double(x):\n    return x", solution=True)
    result = rebuilt_from(*HANDED_IN[:3], again, *HANDED_IN[3:])
    assert sources(result)[2] == SOLVED
    ids = [nbgrader_of(c).get("grade_id") for c in result.notebook["cells"]]
    assert ids.count("double") == 1
    assert any("double is there more than once" in p for p in result.problems)


@pytest.mark.parametrize("kept", ["grade_id", "id", "text"])
def test_an_answer_is_found_by_grade_id_or_cell_id_or_first_line(kept):
    one = graded("double", SOLVED, solution=True)
    if kept != "grade_id":
        one["metadata"] = {}
    if kept == "text":
        one["id"] = "a1b2c3d4"
    elif kept == "grade_id":
        one["id"] = "a1b2c3d4"
    result = rebuilt_from(HANDED_IN[3], one)
    assert SOLVED in sources(result)
    assert not any(is_added(c) for c in result.notebook["cells"])


def test_a_retyped_answer_stays_the_kind_of_cell_that_it_was():
    raw = graded("double", SOLVED, solution=True, kind="raw")
    result = rebuilt_from(HANDED_IN[3], raw)
    kinds = {nbgrader_of(c).get("grade_id"): c["cell_type"] for c in result.notebook["cells"]}
    assert kinds["double"] == "code"


def test_raw_cells_become_inert_text():
    result = rebuilt_from(*HANDED_IN, cell("<script>alert(1)</script>", "raw", id="r"))
    last = result.notebook["cells"][-1]
    assert last["cell_type"] == "markdown"
    assert "<script" not in last["source"]


def test_another_lesson_is_refused():
    with pytest.raises(Unreadable, match="not the notebook of 03_doubling"):
        rebuilt_from(cell("LESSON = '04'"), graded("triple", "def triple(): ...", solution=True))


# --- reading -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (b"", "empty"),
        (b"{not json", "not JSON"),
        (b'{"cells": [', "not JSON"),
        (b"\xff\xfe\x00", "not UTF-8"),
        (b"[" * 100_000, "nested too deep"),
        (b'{"nbformat":4,"cells":' + b"[" * 200_000 + b"]" * 200_000 + b"}", "nested too deep"),
        (b"[" + b"[]," * 600_000 + b"1]", "too many lists"),
        (b"[1, 2]", "not a notebook"),
        (b'{"nbformat": 3, "worksheets": 1}', "no list of cells"),
        (b'{"nbformat": true, "cells": []}', "format True, not 4"),
        (b'{"nbformat": 4, "cells": {}}', "no list of cells"),
        (b'{"nbformat": 4, "n": ' + b"9" * 10_000 + b"}", "cannot be read"),
        (json.dumps({"nbformat": 4, "cells": [{}] * 5_000}).encode(), "5,000 cells"),
    ],
)
def test_what_is_no_notebook_is_refused_in_one_sentence(raw, said):
    with pytest.raises(Unreadable) as refused:
        parse(raw)
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_file_is_measured_before_it_is_read(tmp_path):
    path = tmp_path / "lesson.ipynb"
    with path.open("wb") as file:
        file.truncate(50 * 2**20)
    with pytest.raises(Unreadable, match="50 MB; at most 20 MB"):
        read_bytes(path, tmp_path)


def test_links_are_refused_wherever_they_stand(tmp_path):
    secret = tmp_path / "secret.ipynb"
    secret.write_text("{}")
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "lesson.ipynb").symlink_to(secret)
    (tmp_path / "b").symlink_to(tmp_path / "a", target_is_directory=True)
    for path in (tmp_path / "a" / "lesson.ipynb", tmp_path / "b" / "lesson.ipynb"):
        with pytest.raises(Unreadable, match="symbolic link"):
            read_bytes(path, tmp_path)


def test_a_pipe_or_a_folder_is_no_submission(tmp_path):
    os.mkfifo(tmp_path / "lesson.ipynb")
    with pytest.raises(Unreadable, match="is not a file"):
        read_bytes(tmp_path / "lesson.ipynb", tmp_path)
    (tmp_path / "x.ipynb").mkdir()
    with pytest.raises(Unreadable, match="is not a file"):
        read_bytes(tmp_path / "x.ipynb", tmp_path)
    with pytest.raises(Unreadable, match="there is no"):
        read_bytes(tmp_path / "none.ipynb", tmp_path)


def test_halves_of_characters_and_control_characters_are_taken_out():
    text = submission.clean_text("a\x00b\ud800c\r\nd\u202ee\x1b[31m")
    text.encode("utf-8")
    assert text == "ab?c\nde[31m"


# --- inert ---------------------------------------------------------------------------------------

HOSTILE = [
    "<script>alert(1)</script>",
    "<SCRIPT SRC=//evil>",
    "<img src=x onerror=alert(1)>",
    "<svg/onload=alert(1)>",
    "</textarea><script>1</script>",
    "<!-- <script> -->",
    "[x](javascript:alert(1))",
    "[x](&#106;avascript:alert(1))",
    "[x](<javascript:alert(1)>)",
    "[x][1]\n\n[1]: javascript:alert(1)",
    "![x](http://evil/x.png)",
    "![x][1]\n\n[1]: http://evil/x.png",
    "![](/etc/passwd)",
    "![](attachment:x)",
    "<javascript:alert(1)>",
    "<http://evil>",
    "$\\href{javascript:alert(1)}{x}$",
    "$\\\\href{javascript:alert(1)}{x}$",
    "\\\\(\\\\href{javascript:alert(1)}{x}\\\\)",
    "$\\mmlToken{mi}[href='javascript:alert(1)']{x}$",
    "$\\let\\a=\\href \\a{javascript:1}{x}$",
    "$\\def\\a{\\href}$",
    "$\\require{html}\\cssId{q}{x}\\class{y}{z}\\style{color:red}{w}$",
    "\\begin{equation}<script>alert(1)</script>\\end{equation}",
    "$$\n<img src=x onerror=alert(1)>\n$$",
    "```mermaid\nclick A javascript:alert(1)\n```",
    "`<script>`",
    "    <script>alert(1)</script>",
    "| a |\n|---|\n| <script>alert(1)</script> |",
    "<<script>script>alert(1)</script>",
    "<scr<b>ipt>",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "<details open ontoggle=alert(1)>",
    "https://evil.example/x",
]

_TAG = re.compile(r"<\s*/?\s*([a-zA-Z!?][^\s>/]*)([^>]*)>")
_PLAIN_TAGS = {
    "p", "em", "strong", "code", "pre", "ul", "ol", "li", "blockquote", "table", "thead", "tbody",
    "tr", "td", "th", "hr", "br", "del", "div", "span", "h1", "h2", "h3", "h4", "h5", "h6", "a",
}  # fmt: skip


def assert_inert(html):
    """No tag but those of plain prose, no address but an anchor of a heading, no handler."""
    for tag, rest in _TAG.findall(html):
        assert tag.lower() in _PLAIN_TAGS, html
        assert not re.search(r"\bon\w+\s*=|\bsrc\s*=", rest), html
        for address in re.findall(r'href="([^"]*)"', rest):
            assert address.startswith("#"), html
    assert not re.search(r"\\(href|mmlToken|cssId|class|style|require|def|let)(?![a-zA-Z])", html)
    assert 'class="mermaid"' not in html


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_markdown_is_inert_before_and_after_rendering(text):
    inert = inert_markdown(text)
    # As it stands: not even a page that shows it raw may see a tag.
    assert not re.search(r"<[A-Za-z/!?]", inert)
    assert not re.search(r"\]\(|!\[|\]:|&[#A-Za-z]", inert)
    assert_inert(markdown2html_mistune(inert))


@given(st.lists(st.sampled_from([*HOSTILE, "<", "&", "[", "](", "!", "\\", "$", "a", "\n", "`"])))
def test_no_mixture_of_hostile_pieces_gets_through(pieces):
    assert_inert(markdown2html_mistune(inert_markdown("".join(pieces))))


@pytest.mark.parametrize(
    "text",
    [
        "Because $p(x_1 < x_2)$ is *small*, **see** the table.",
        "- one\n- two\n\n$$\\sum_{d=1}^n \\log p(x_d \\mid x_{<d})$$".replace("{<d}", "{< d}"),
        "`a[i] (b)` and 3 < 4, x <= y, A & B",
        "$\\left(\\frac{1}{2}\\right)$ and \\begin{align}a &= b\\end{align}",
    ],
)
def test_honest_markdown_stays_as_it_is(text):
    assert inert_markdown(text) == text


# --- outputs -------------------------------------------------------------------------------------


def picture(width=2, height=2):
    import base64
    import struct

    head = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + struct.pack("!II", width, height)
    return base64.b64encode(head + b"\x08\x06\x00\x00\x00" + b"\0" * 20).decode()


def test_only_text_and_pictures_remain_of_an_output():
    data = {
        "text/html": "<script>alert(1)</script>",
        "application/javascript": "alert(1)",
        "image/svg+xml": "<svg onload=alert(1)>",
        "text/latex": "\\href{javascript:1}{x}",
        "text/markdown": "<script>",
        "application/vnd.jupyter.widget-view+json": {"model_id": "x"},
        "text/plain": "a figure",
        "image/png": picture(),
    }
    (kept,) = outputs.sanitize(
        [
            {
                "output_type": "display_data",
                "data": data,
                "metadata": {"image/png": {"width": "1 onload"}},
            }
        ]
    )
    assert set(kept["data"]) == {"text/plain", "image/png"}
    assert kept["metadata"] == {}


@pytest.mark.parametrize(
    "value",
    ['x" onerror="alert(1)', picture() + '" onerror="', "AAAA", 5, picture(50_000, 50_000), ""],
)
def test_what_is_no_png_of_sane_size_is_left_out(value):
    assert outputs.sanitize([{"output_type": "display_data", "data": {"image/png": value}}]) == []


def test_warnings_on_stderr_are_text_like_any_other():
    (kept,) = outputs.sanitize([{"output_type": "stream", "name": "stderr", "text": "careful\n"}])
    assert kept["name"] == "stdout"


def test_terminal_sequences_and_rewritten_lines_are_taken_out():
    text = "\x1b[31mred\x1b[0m \x1b]8;;http://evil\x07link\x1b]8;;\x07\n10%\r50%\r100%\n"
    (kept,) = outputs.sanitize([{"output_type": "stream", "name": "stdout", "text": text}])
    assert kept["text"] == "red link\n100%\n"


def test_floods_are_cut():
    many = [{"output_type": "stream", "name": "stdout", "text": "x" * 10**6}] * 1_000
    kept = outputs.sanitize(many)
    assert sum(len(o["text"]) for o in kept) < 2 * outputs.MAX_TEXT
    assert "left out" in kept[-1]["text"]


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                ["output_type", "name", "text", "data", "text/plain", "traceback", "ename"]
            ),
            inner | st.sampled_from(["stream", "error", "display_data", "execute_result"]),
            max_size=6,
        )
    ),
    max_leaves=20,
)


@given(_JSON)
def test_whatever_a_guest_says_the_outputs_are_valid(said):
    for output in outputs.sanitize(said if isinstance(said, list) else [said]):
        nbformat.validate(nbformat.from_dict(output), ref="output", version=4)
