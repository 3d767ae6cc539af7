"""The next-token picture in a browser: its arithmetic is right, and it says what Python says."""

import itertools
import re
from collections.abc import Callable

import numpy as np
import pytest
import torch
from playwright.sync_api import Locator, Page, expect

from figures.next_token import NextToken, quoted


def next_probs(logits, T=1.0, k=None, p=1.0) -> torch.Tensor:
    probs = torch.softmax(logits / T, dim=-1)
    ranked, order = probs.sort(descending=True, stable=True)
    if k is not None:
        ranked = ranked * (torch.arange(len(ranked)) < k)
        ranked = ranked / ranked.sum()
    if p < 1:
        ranked = ranked * (ranked.cumsum(0) - ranked < p)
    return torch.zeros_like(probs).scatter(0, order, ranked / ranked.sum())


def multiplied(logits, T=1.0, k=None, p=1.0) -> torch.Tensor:
    return next_probs(logits, 1 / T, k, p)


def unnormalized(logits, T=1.0, k=None, p=1.0) -> torch.Tensor:
    return next_probs(logits, T, k, p) * torch.softmax(logits / T, -1).max()


def row(V: int = 60, seed: int = 0) -> tuple[torch.Tensor, list[str]]:
    logits = 2 * torch.randn(V, generator=torch.Generator().manual_seed(seed))
    return logits, [f" t{i}" if i % 7 else "\n" for i in range(V)]


TEXTS = {
    "T = 0.5": ([" to", " be", "\n", "\n", " or"], [1.0, 2.0, 0.5, 0.1, 5.0]),
    "T = 1": ([" zounds", ",", " my"], [13.0, 2.0, 9.0]),
}


def words(page: Page) -> Locator:
    return page.locator(".words")


def slide(page: Page, name: str, key: str, times: int = 1) -> None:
    slider = page.get_by_role("slider", name=name)
    slider.focus()
    for _ in range(times):
        page.keyboard.press(key)
    page.locator(".chart").evaluate("e => document.activeElement.blur()")


@pytest.mark.parametrize("V", [1, 5, 60, 400])
def test_the_browser_cuts_as_the_definition_does_at_every_position(show: Callable, V: int) -> None:
    logits, labels = row(V)
    widget = NextToken.of(next_probs, logits, labels)
    page = show(widget)
    positions = np.prod([len(widget._grid[name]) for name in "Tkp"])
    expect(page.locator(".verdict")).to_have_text(
        f"Your next_probs agrees at all {positions:,} positions of the sliders"
    )


def test_what_is_said_of_the_students_function_is_what_python_says(show: Callable) -> None:
    widget = NextToken.of(next_probs, *row(), prompt="Once upon a")
    page = show(widget, kernel=True)
    expect(page.locator(".prompt")).to_have_text(f"after {quoted('Once upon a')}")
    for key, name in itertools.product(("Home", "ArrowRight"), ("temp", "top-k", "top-p")):
        slide(page, re.compile(name), key, 2)
        expect(page.locator(".theirs")).to_have_text(widget.theirs_in_words())
        expect(words(page)).to_contain_text(widget.setting_in_words() + ": ")


def test_numbers_are_those_of_the_distribution(show: Callable) -> None:
    logits, labels = row()
    page = show(NextToken(logits, labels, T=0.7, k=10, p=0.8))
    before = torch.softmax(logits.double() / 0.7, 0).sort(descending=True).values
    after = next_probs(logits.double(), 0.7, 10, 0.8)
    kept = int((after > 0).sum())
    entropy = -float((after[after > 0] * after[after > 0].log2()).sum())
    open_ = -float((before * before.log2()).sum())
    are = "is left. It" if kept == 1 else "are left. They"
    held = f"{100 * before[:kept].sum():.1f} % of the probability"
    assert words(page).inner_text() == (
        f"T = 0.7, top-k 10, top-p 0.8: {kept} of 60 tokens {are} held {held}. "
        f"Entropy {entropy:.2f} bits, before the cut {open_:.2f}."
    )
    assert page.locator(".row.kept").count() == kept
    assert page.locator(".row.cut").count() == 14 - kept
    shown = [float(t) for t in page.locator(".row.kept .p").all_text_contents()]
    assert np.allclose(shown, after.sort(descending=True).values[:kept], atol=6e-4)
    assert page.locator(".diamond").count() == 0


def test_sliders_answer_to_keys_and_tell_their_values(show: Callable) -> None:
    widget = NextToken(*row())
    page = show(widget, kernel=True)
    heat = page.get_by_role("slider", name="temperature T")
    assert heat.get_attribute("aria-valuetext") == "T = 1"
    slide(page, "temperature T", "ArrowLeft", 2)
    expect(heat).to_have_attribute("aria-valuetext", "T = 0.8")
    slide(page, "top-k: at most so many tokens", "Home")
    expect(words(page)).to_contain_text("T = 0.8, top-k 1, top-p 1: 1 of 60 tokens is left.")
    assert widget._grid["k"][widget._at[1]] == 1
    slide(page, "top-k: at most so many tokens", "End")
    slide(page, "top-p: at least this mass", "ArrowLeft")
    expect(words(page)).to_contain_text("top-k all, top-p 0.99: ")


def test_arrow_keys_and_the_pointer_go_from_token_to_token(show: Callable) -> None:
    logits, labels = row()
    page = show(NextToken.of(next_probs, logits, labels, k=2))
    chart = page.get_by_role("slider", name="Tokens", exact=True)
    chart.focus()
    best = quoted(labels[int(logits.argmax())])
    expect(words(page)).to_contain_text(f"{best}, number 1: the model gives it ")
    page.keyboard.press("End")
    expect(words(page)).to_contain_text(", number 14: ")
    expect(words(page)).to_contain_text("; cut off; your next_probs: 0.000.")
    assert chart.get_attribute("aria-valuenow") == "14"
    assert chart.get_attribute("aria-valuetext") == words(page).inner_text()
    page.locator(".row").nth(1).hover()
    expect(words(page)).to_contain_text(", number 2: ")
    expect(words(page)).to_contain_text("; kept, ")
    expect(page.locator(".row.here")).to_have_count(1)


@pytest.mark.parametrize(
    ("function", "said"),
    [
        (multiplied, r"Your multiplied differs at [\d,]+ of [\d,]+ positions, first at T = 0\.1, "),
        (unnormalized, r"Your unnormalized differs at [\d,]+ of [\d,]+ positions"),
    ],
)
def test_a_difference_is_said_in_words_and_marked(
    show: Callable, function: Callable, said: str
) -> None:
    page = show(NextToken.of(function, *row(), T=2.0, p=0.8))
    expect(page.locator(".verdict")).to_have_text(re.compile(said))
    expect(words(page)).to_contain_text(f"Your {function.__name__} differs: it")
    assert page.locator(".diamond.off").count() >= 1
    assert page.locator(".diamond").count() == 14


def test_nan_is_called_nan(show: Callable) -> None:
    page = show(NextToken.of(lambda z, T, k, p: z * float("nan"), *row()))
    expect(words(page)).to_contain_text("differs: it answers NaN.")
    expect(page.locator(".theirs")).to_contain_text("sum NaN, entropy NaN bits.")


def test_impossible_tokens_are_drawn_as_such(show: Callable) -> None:
    logits, labels = row(20)
    logits[::2] = -float("inf")
    page = show(NextToken.of(next_probs, logits, labels))
    expect(page.locator(".verdict")).to_contain_text("agrees at all")


def test_texts_write_themselves_token_by_token(show: Callable) -> None:
    page = show(NextToken(*row(), prompt="To be", texts=TEXTS))
    assert page.locator(".column .title").all_text_contents() == list(TEXTS)
    assert page.locator(".token:visible").count() == 8
    assert page.locator(".mean").all_text_contents() == ["1.72 bits a token", "8.00 bits a token"]
    assert page.locator(".token.double").all_text_contents() == [" zounds"]
    assert page.locator(".token.line").all_text_contents() == [" my"]
    assert page.locator(".token.dotted").all_text_contents() == [" or"]
    # A line end breaks the line once; what follows at once is only shown.
    assert page.locator(".column").nth(0).locator(".token").all_text_contents()[2:4] == ["⏎\n", "⏎"]
    reel = page.get_by_role("slider", name="tokens of the texts that are shown")
    reel.focus()
    page.keyboard.press("Home")
    page.keyboard.press("ArrowRight")
    expect(page.locator(".token:visible")).to_have_count(2)
    page.get_by_role("button", name="Write").click()
    expect(page.locator(".token:visible")).to_have_count(8)
    expect(page.get_by_role("button", name="Write")).to_be_visible()


def test_a_calm_reader_sees_texts_at_once(show: Callable) -> None:
    page = show(NextToken(*row(), texts=TEXTS), reduced_motion="reduce")
    page.get_by_role("slider", name="tokens of the texts that are shown").focus()
    page.keyboard.press("Home")
    expect(page.locator(".token:visible")).to_have_count(0)
    page.get_by_role("button", name="Write").click()
    expect(page.locator(".token:visible")).to_have_count(8)


def test_a_text_is_written_anew_where_a_slider_goes(show: Callable) -> None:
    picture = NextToken.of(next_probs, *row(), texts=TEXTS)
    picture.rewrite("here", lambda T, k, p: ([f" {T:g}", f" {k}", f" {p:g}"], [1.0, 2.0, 3.0]))
    page = show(picture, kernel=True)
    here = page.locator(".column").first
    expect(here.locator(".title")).to_have_text("here")
    expect(here.locator(".said")).to_have_text("1 None 1")
    page.get_by_role("slider", name="temperature T").focus()
    page.keyboard.press("Home")
    expect(here.locator(".said")).to_have_text("0.1 None 1")
    page.get_by_role("slider", name="top-k: at most so many tokens").focus()
    page.keyboard.press("Home")
    expect(here.locator(".said")).to_have_text("0.1 1 1")
    expect(page.locator(".column .title")).to_have_text(["here", *TEXTS])


def test_without_texts_there_is_no_stage(show: Callable) -> None:
    page = show(NextToken(*row()))
    expect(page.locator(".stage")).to_be_hidden()
    expect(page.locator(".verdict")).to_have_text("60 tokens may come next")


def test_an_unsolved_function_leaves_a_sentence_and_the_bars(show: Callable) -> None:
    def next_probs(logits, T=1.0, k=None, p=1.0):
        raise NotImplementedError

    page = show(NextToken.of(next_probs, *row()))
    expect(page.locator(".notice")).to_have_text(
        "next_probs is not written yet: solve its exercise first."
    )
    assert page.locator(".row").count() == 14


@pytest.mark.parametrize(
    ("scheme", "ground"), [("light", "rgb(255, 255, 255)"), ("dark", "rgb(20, 25, 31)")]
)
def test_pages_have_their_themes_ground(show: Callable, scheme: str, ground: str) -> None:
    page = show(NextToken(*row(), texts=TEXTS), color_scheme=scheme)
    root = page.locator(".next-token")
    assert root.evaluate("e => getComputedStyle(e).backgroundColor") == ground


def test_every_slider_has_a_name(show: Callable) -> None:
    page = show(NextToken.of(next_probs, *row(), texts=TEXTS))
    sliders = page.get_by_role("slider").all()
    names = [one.get_attribute("aria-label") for one in sliders]
    assert len(names) == 5 and all(names) and len(set(names)) == 5


def test_a_narrow_page_holds_the_picture(show: Callable) -> None:
    page = show(
        NextToken.of(next_probs, *row(), texts=TEXTS), viewport={"width": 380, "height": 900}
    )
    assert page.evaluate("document.documentElement.scrollWidth") <= 380
