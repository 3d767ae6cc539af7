"""What may be shown of a guest's outputs: kinds, text, pictures, and how much of them."""

from __future__ import annotations

import base64
import struct
from typing import Any

import pytest

from autograder.grading import outputs
from autograder.grading.outputs import Allowance, failure, note, plain_text, png, sanitize

LEFT_OUT = note("(The rest of this cell's output is left out.)")


def stream(text: Any) -> dict[str, Any]:
    return {"output_type": "stream", "name": "stderr", "text": text}


def picture(width: int = 1, height: int = 1, size: int = 33) -> str:
    """Base64 of something that begins as a PNG of this measure and has `size` bytes."""
    raw = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + struct.pack("!II", width, height)
    return base64.b64encode(raw.ljust(size, b"\x00")[:size]).decode()


def shown(data: dict[str, Any], kind: str = "display_data") -> dict[str, Any]:
    return {"output_type": kind, "data": data, "metadata": {"x": 1}}


# --- kinds ----------------------------------------------------------------------------------------


def test_text_pictures_and_errors_are_kept_and_nothing_else_of_them():
    said = [
        stream(["a", "b"]),
        shown({"text/plain": "c", "text/html": "<b>", "image/png": picture()}),
        shown({"text/plain": "d"}, "execute_result"),
        {"output_type": "error", "ename": "E", "evalue": "v", "traceback": ["t", "u"], "x": 1},
    ]
    assert sanitize(said) == [
        {"output_type": "stream", "name": "stdout", "text": "ab"},
        {
            "output_type": "display_data",
            "data": {"text/plain": "c", "image/png": picture()},
            "metadata": {},
        },
        {
            "output_type": "execute_result",
            "data": {"text/plain": "d"},
            "metadata": {},
            "execution_count": None,
        },
        {"output_type": "error", "ename": "E", "evalue": "v", "traceback": ["t\nu"]},
    ]


@pytest.mark.parametrize(
    "said",
    [
        3, None, "text", [3], [{}], [{"output_type": "other"}], [stream(3)], [stream("")],
        [shown({})], [shown({"text/html": "<b>"})], [{"output_type": "display_data", "data": 3}],
        [{"output_type": ["stream"], "text": "x"}],
    ],
)  # fmt: skip
def test_what_is_none_of_these_is_left_out(said: Any):
    assert sanitize(said) == []


def test_an_error_without_words_is_an_error_all_the_same():
    for more in ({}, {"ename": 3, "evalue": None, "traceback": "text"}):
        (kept,) = sanitize([{"output_type": "error", **more}])
        assert kept == {"output_type": "error", "ename": "Error", "evalue": "", "traceback": []}


def test_streams_that_follow_each_other_are_one():
    kept = sanitize([stream("a"), stream("b"), shown({"text/plain": "c"}), stream("d")])
    assert [one.get("text") for one in kept] == ["ab", None, "d"]


def test_our_own_outputs_are_a_line_and_a_failed_cell():
    assert note("a\n\n") == {"output_type": "stream", "name": "stdout", "text": "a\n"}
    assert failure("E", "why") == {
        "output_type": "error", "ename": "E", "evalue": "why", "traceback": ["E: why"],
    }  # fmt: skip


# --- how much -------------------------------------------------------------------------------------


def test_a_cell_has_so_many_outputs_and_a_note_that_says_so(monkeypatch):
    monkeypatch.setattr(outputs, "MAX_OUTPUTS", 3)
    one = shown({"text/plain": "x"})
    assert len(sanitize([one] * 3)) == 3
    assert sanitize([one] * 4)[3:] == [LEFT_OUT]


def test_a_cell_has_so_much_text(monkeypatch):
    monkeypatch.setattr(outputs, "MAX_TEXT", 10)
    assert sanitize([stream("123456"), stream("78")]) == [
        {"output_type": "stream", "name": "stdout", "text": "12345678"}
    ]
    kept = sanitize([stream("123456"), shown({"text/plain": "789012"}), stream("no")])
    assert kept[1]["data"] == {"text/plain": "7890"} and kept[2:] == [LEFT_OUT]


def test_a_notebook_has_so_much_text_and_so_many_pictures():
    allowance = Allowance(text=10, pictures=2 * len(picture()))
    sanitize([stream("123456"), shown({"image/png": picture()})], allowance)
    assert (allowance.text, allowance.pictures) == (4, len(picture()))
    assert sanitize([stream("123456")], allowance) == [{**note("1234"), "text": "1234"}, LEFT_OUT]
    sanitize([shown({"image/png": picture(size=10)})], allowance)
    assert allowance.pictures == len(picture()), "what is no picture costs none"
    assert sanitize([stream("x")], Allowance(text=0)) == [LEFT_OUT]


def test_what_a_notebook_may_hold_altogether():
    whole = Allowance()
    assert whole == Allowance(text=1_000_000, pictures=10 * 2**20)
    assert whole.text >= 10 * outputs.MAX_TEXT and whole.pictures >= 4 * outputs.MAX_PICTURE
    (kept, *_) = sanitize([stream("x" * (outputs.MAX_TEXT - 1))])
    assert len(kept["text"]) == outputs.MAX_TEXT - 1


def test_an_error_is_bounded_in_each_of_its_parts():
    said = {"ename": "n" * 300, "evalue": "v" * 3_000, "traceback": ["t"] * 60}
    (kept,) = sanitize([{"output_type": "error", **said}])
    assert (len(kept["ename"]), len(kept["evalue"])) == (200, 2_000)
    assert kept["traceback"] == ["\n".join("t" * 50)]
    long = {"output_type": "error", "traceback": ["a" * 90, "b" * 90]}
    (kept, *_) = sanitize([long], Allowance(text=100))
    assert kept["traceback"] == ["a" * 50 + "\n" + "b" * 49]


# --- text -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("a\x1b[31mred\x1b[0m", "ared"),
        ("\x1b]0;title\x07x\x1b]8;;http://a\x1b\\link", "xlink"),
        ("\x1bMup\x9b", "up"),
        ("10 %\r50 %\r100 %\r\nnext\r", "100 %\nnext"),
        (["a\n", "b"], "a\nb"),
        (["a", 3], ""),
        (3, ""),
    ],
)
def test_text_is_what_a_terminal_would_leave_standing(given: Any, kept: str):
    assert plain_text(given, 100) == kept


def test_text_has_so_many_characters_and_lines(monkeypatch):
    assert plain_text("x" * 20, 10) == "x" * 10
    assert plain_text("x", 0) == plain_text("x", -1) == ""
    assert plain_text("\x1b[0m" * 2_000 + "x" * 20, 10) == "x" * 10, "sequences are not counted"
    for limit, most in ((1, 10_004), (10, 10_040)):
        hidden = "\x1b[0m" * (most // 4)
        assert plain_text(hidden[4:] + "\x1b[m" + "x", limit) == "x", "and the last that is read"
        assert plain_text(hidden + "x", limit) == "", "but read within bounds"
    monkeypatch.setattr(outputs, "MAX_LINES", 3)
    assert plain_text("a\nb\nc", 100) == "a\nb\nc"
    assert plain_text("a\nb\nc\nd\ne", 100) == "a\nb\nc\n(… 2 more lines)\n"
    assert plain_text(["a"] * 5, 100) == "aaa"


# --- pictures -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("width", "height", "kept"),
    [
        (1, 1, True), (8_000, 2_097, True), (2_097, 8_000, True), (4_096, 4_096, True),
        (0, 1, False), (1, 0, False), (8_001, 1, False), (1, 8_001, False),
        (4_097, 4_096, False), (8_000, 8_000, False),
    ],
)  # fmt: skip
def test_a_picture_has_a_measure(width: int, height: int, kept: bool):
    assert bool(png(picture(width, height), 10_000)) is kept


def test_a_picture_is_encoded_afresh_and_bounded():
    whole = picture(size=3_000)
    assert png(" \n".join([whole[:9], whole[9:]]), 3_000) == whole
    assert png(whole, 2_925) == whole, "some room for line ends"
    assert png(whole, 2_924) == ""
    assert png(picture(size=32), 3_000) == "" and png(picture(size=33), 3_000)


@pytest.mark.parametrize(
    "value", [3, None, "", "no base64!", "AAAA", base64.b64encode(b"GIF89a" * 10).decode()]
)
def test_what_is_no_picture_is_none(value: Any):
    assert png(value, 10_000) == ""
