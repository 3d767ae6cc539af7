"""The evidence explorer in a browser: what dies, what is weighted, and what the words are worth."""

from collections.abc import Callable

import numpy as np
import pytest
from playwright.sync_api import expect

from figures.evidence import EvidenceExplorer

FACTORS = [np.array([0.5, 0.5]), np.array([[0.9, 0.1], [0.2, 0.8]])]


def test_evidence_in_front_costs_a_weighted_word_nothing() -> None:
    widget = EvidenceExplorer(FACTORS, "ab", "a?", count=400)
    assert len(set(widget._weights[2])) == 1 and "worth 400.0" in widget.in_words()
    alive = sum(died == 0 for died in widget._died)
    assert 150 < alive < 250
    assert f"{alive} of 400 words are alive" in widget.in_words(1)


def test_evidence_behind_weighs_a_word_by_what_the_model_had_for_it() -> None:
    widget = EvidenceExplorer(FACTORS, "ab", "?b", count=400)
    for word, weight in zip(widget._weighted, widget._weights[2], strict=True):
        assert word[1] == "b" and weight == {"a": 0.1, "b": 0.8}[word[0]]
    w = np.array(widget._weights[2])
    worth = 400 / (1 + (w.std() / w.mean()) ** 2)
    assert f"worth {worth:.1f}." in widget.in_words()


def test_a_word_dies_where_it_first_contradicts() -> None:
    widget = EvidenceExplorer(FACTORS, "ab", "ab", count=400)
    for word, died in zip(widget._rejected, widget._died, strict=True):
        assert died == (1 if word[0] != "a" else 2 if word[1] != "b" else 0)


def test_typing_a_pattern_draws_words_for_it(show: Callable) -> None:
    widget = EvidenceExplorer(FACTORS, "ab", "a?")
    page = show(widget, kernel=True)
    field = page.get_by_label("Pattern")
    field.fill("?B")
    page.keyboard.press("Enter")
    status = page.get_by_role("status")
    expect(page.locator(".bar").first).to_be_attached()
    expect(status).to_have_text(widget.in_words())
    assert widget._shown == "?b"
    slider = page.get_by_role("slider")
    slider.fill("1")
    expect(status).to_have_text(widget.in_words(1))
    assert page.locator(".dead").count() == 0
    slider.fill("2")
    expect(page.locator(".dead")).to_have_count(sum(died > 0 for died in widget._died))

    field.fill("?bz")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_have_text("A pattern has 2 characters, like ?e: got 3.")


@pytest.mark.parametrize(
    ("letters", "pattern", "words"),
    [
        ("abc", "a?", "factors of shape"),
        ("aa", "a?", "letters must differ"),
        ("ab", "c?", "There is no 'c' among the letters"),
        ("ab", "a", "A pattern has 2 characters"),
    ],
)
def test_what_cannot_be_drawn_is_refused(letters: str, pattern: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        EvidenceExplorer(FACTORS, letters, pattern)
