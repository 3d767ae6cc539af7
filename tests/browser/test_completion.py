"""The completion explorer in a browser says what Python says, and answers pointer and keys."""

from collections.abc import Callable

import pytest
import torch
from playwright.sync_api import Locator, Page, expect

from figures.completion import CompletionExplorer


def causal(x: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor) -> torch.Tensor:
    return x @ weight.tril(-1).T + bias


def leaking(x: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor) -> torch.Tensor:
    return x @ weight.T + bias


def complete(prefix, weight, bias, generator) -> torch.Tensor:
    """The endings are random bits: which ones is no matter of the picture."""
    count, known = prefix.shape
    rest = torch.randint(0, 2, (count, len(bias) - known), generator=generator).float()
    return torch.cat([prefix, rest], 1)


def explorer(logits: Callable = causal, seed: int = 0, **more: object) -> CompletionExplorer:
    random = torch.Generator().manual_seed(seed)
    weight, bias = 2 * torch.randn(16, 16, generator=random), torch.randn(16, generator=random)
    x = torch.randint(0, 2, (16,), generator=random)
    return CompletionExplorer.of(logits, complete, weight, bias, x=more.pop("x", x), **more)


def words(page: Page) -> Locator:
    return page.locator(".words")


def hover(page: Page, grid: str, pixel: int) -> None:
    box = page.locator(f".{grid} svg").bounding_box()
    cell = box["width"] / 4
    x, y = box["x"] + (pixel % 4 + 0.5) * cell, box["y"] + (pixel // 4 + 0.5) * cell
    page.mouse.move(x, y)


@pytest.mark.parametrize("logits", [causal, leaking])
@pytest.mark.parametrize("seed", [1, 2])
def test_every_pixel_is_told_as_python_tells_it(
    show: Callable, logits: Callable, seed: int
) -> None:
    widget = explorer(logits, seed)
    page = show(widget)
    for pixel in range(16):
        hover(page, ("picture", "votes", "expected")[pixel % 3], pixel)
        assert words(page).inner_text() == widget.pixel_in_words(pixel)
    assert page.locator(".verdict").inner_text() == widget.in_words()
    assert page.locator(".cost").inner_text() == widget.cost_in_words()


def test_keys_move_the_frame_and_draw(show: Callable) -> None:
    widget = explorer(x=torch.zeros(16), cursor=5)
    page = show(widget, kernel=True)
    page.keyboard.press("Tab")
    for key, at in (("ArrowRight", 6), ("ArrowDown", 10), ("ArrowLeft", 9), ("ArrowUp", 5)):
        page.keyboard.press(key)
        expect(words(page)).to_have_text(widget.pixel_in_words(at))
    page.keyboard.press("Space")
    expect(page.locator(".picture .ink")).to_have_count(1)
    assert widget._bits == "0000010000000000"
    page.keyboard.press("ArrowRight")
    expect(words(page)).to_contain_text("votes of 1 inked pixel before it")
    assert page.locator(".grids").get_attribute("aria-valuetext").startswith("White. Pixel 7 ")
    page.keyboard.press("Home")
    expect(words(page)).to_contain_text("Pixel 1 (row 1, column 1)")
    page.keyboard.press("ArrowUp")  # nothing lies above
    expect(words(page)).to_contain_text("Pixel 1 (row 1, column 1)")
    page.keyboard.press("End")
    expect(words(page)).to_contain_text("Pixel 16 (row 4, column 4)")


def test_a_click_draws_on_the_picture_and_moves_the_frame_elsewhere(show: Callable) -> None:
    widget = explorer(x=torch.zeros(16), cursor=8)
    page = show(widget, kernel=True)
    hover(page, "picture", 3)
    page.mouse.down()
    page.mouse.up()
    expect(page.locator(".picture .ink")).to_have_count(1)
    assert (widget._bits, widget._cursor) == ("0001000000000000", 8)
    hover(page, "votes", 14)
    page.mouse.down()
    page.mouse.up()
    page.mouse.move(2, 2)
    expect(words(page)).to_contain_text("Pixel 15 ")
    assert widget._cursor == 14


def test_complete_asks_the_students_function_for_this_beginning(show: Callable) -> None:
    widget = explorer(x=torch.tensor([1.0] * 4 + [0] * 12), cursor=4)
    page = show(widget, kernel=True)
    expect(page.locator(".label")).to_have_text("Drawn after the 4 given pixels:")
    first = list(widget._completions)
    assert all(picture.startswith("1111") for picture in first)
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowLeft")
    expect(page.locator(".label")).to_have_text(
        "Drawn after 4 other pixels: press Complete for new ones"
    )
    page.keyboard.press("Enter")
    expect(page.locator(".label")).to_have_text("Drawn after the 3 given pixels:")
    page.locator("button.complete").click()
    expect(page.locator(".strip svg")).to_have_count(6)
    assert widget._completions != first
    label = page.locator(".strip svg").first.get_attribute("aria-label")
    drawn = widget._completions[0][3:].count("1")
    assert label == f"Ending 1: {drawn} of 13 drawn pixels are inked"


def test_a_leak_is_crossed_dashed_and_said(show: Callable) -> None:
    page = show(explorer(leaking, cursor=13))
    expect(page.locator(".verdict")).to_have_text(
        "Not autoregressive: 136 times a logit sees a pixel at or after its own"
    )
    assert page.locator(".votes .cross").count() == 3
    assert page.locator(".votes .vote.leak").count() == 3
    expect(words(page)).to_contain_text("sees 3 pixels at or after its own: 14, 15, 16.")


def test_votes_for_and_against_differ_in_shape(show: Callable) -> None:
    page = show(explorer(cursor=15))
    fill = "e => getComputedStyle(e).fill"
    assert page.locator(".vote.against").first.evaluate(fill) == "none"
    assert page.locator(".vote.for").first.evaluate(fill) != "none"


def test_an_unsolved_function_leaves_a_sentence(show: Callable) -> None:
    def logits(x, weight, bias):
        raise NotImplementedError

    page = show(explorer(logits))
    expect(page.locator(".notice")).to_have_text(
        "logits is not written yet: solve its exercise first."
    )
    expect(page.locator(".grids")).to_be_hidden()


def test_without_a_kernel_no_button_is_offered(show: Callable) -> None:
    page = show(explorer())
    expect(page.locator("button.complete")).to_be_hidden()
    expect(page.locator(".strip svg")).to_have_count(6)


def test_dark_pages_have_dark_ground(show: Callable) -> None:
    page = show(explorer(), color_scheme="dark")
    ground = page.locator(".completion-explorer").evaluate(
        "e => getComputedStyle(e).backgroundColor"
    )
    assert ground == "rgb(20, 25, 31)"


def test_endings_wait_until_they_are_asked_for(show: Callable) -> None:
    widget = explorer(at_once=False)
    page = show(widget, kernel=True)
    assert page.locator(".strip svg").count() == 0
    assert "pictures that begin" not in repr(widget)
    page.get_by_role("button", name="Complete").click()
    expect(page.locator(".strip svg")).to_have_count(6)


def test_a_pixel_is_drawn_with_its_probability_and_the_next_one_asked(show: Callable) -> None:
    bias = torch.full((16,), -99.0).index_fill(0, torch.tensor([14]), 99.0)
    widget = CompletionExplorer.of(
        causal, complete, torch.zeros(16, 16), bias, x=torch.zeros(16), cursor=14
    )
    page = show(widget, kernel=True)
    page.get_by_role("button", name="Draw this pixel").click()
    expect(words(page)).to_contain_text("Pixel 16 (row 4, column 4)")
    assert widget._bits == "0" * 14 + "10"
    page.locator(".grids").focus()
    page.keyboard.press("d")
    expect(words(page)).to_contain_text("Pixel 16 (row 4, column 4)")
    assert (widget._bits, widget._cursor) == ("0" * 14 + "10", 15)
