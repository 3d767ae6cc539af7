"""Text and mappings of others: what is kept of them, and how much."""

from __future__ import annotations

import numpy as np
import pytest

from autograder.plain import MAX_BITS, clean_line, clean_text, plain_fields, whole_characters


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("a\r\nb\rc\td", "a\nb\nc\td"),
        ("\x00\x08\x0b\x1f\x7f\x9fx", "x"),
        ("\u202aright\u202e\u2066left\u2069\ufeff", "rightleft"),
        ("half \ud800", "half ?"),
    ],
)
def test_text_keeps_what_can_be_read(given: str, kept: str):
    assert clean_text(given) == kept


def test_a_line_is_bounded_before_it_is_cleaned_and_after():
    assert clean_line("a\n b\t c", 10) == "a b c"
    assert clean_line("x" * 20, 10) == "x" * 10
    assert clean_line(" " * 30 + "x" * 20, 10) == "x" * 10
    assert clean_line(" " * 40 + "x", 10) == ""
    assert clean_line(" " * 39 + "xy", 10) == "x"
    assert (clean_line(3, 10), clean_line(["x"], 10)) == ("int", "list")


def test_whole_characters_change_halves_and_nothing_else():
    assert whole_characters("\x1b[2J\r\n \ud83d ä") == "\x1b[2J\r\n ? ä"


class Odd(str):
    """No text of ours: a subclass may do anything."""


@pytest.mark.parametrize(
    "dropped",
    [1, 1.5, None, True, np.zeros(2), Odd("x"), ["x", 1], [Odd("x")], [["x"]], ("x",), b"x"],
)
def test_of_a_mapping_only_text_is_kept(dropped):
    assert plain_fields({"kept": "x", "dropped": dropped}) == {"kept": "x"}
    assert plain_fields({"in": {"kept": "x", "dropped": dropped}}) == {"in": {"kept": "x"}}


def test_of_a_mapping_texts_and_lists_of_texts_are_kept_one_level_deep():
    given = {"a": "x", "b": ["x", "y"], "c": [], "d": {"e": "x", "f": {"g": "x"}}, 1: "x"}
    kept = {"a": "x", "b": ["x", "y"], "c": [], "d": {"e": "x"}}
    assert plain_fields({**given, Odd("h"): "x"}) == kept


def test_an_integer_of_the_most_bits_can_be_written():
    assert 4_200 < len(str(2**MAX_BITS - 1)) < 4_300
