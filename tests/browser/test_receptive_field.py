"""The receptive-field explorer in a browser says what Python says, and answers pointer and keys."""

from collections.abc import Callable

import pytest
import torch
from playwright.sync_api import Locator, Page, expect
from torch import nn
from torch.nn import functional as F

from figures import palette
from figures.receptive_field import ReceptiveFieldExplorer

SIDE = 7


class Masked(nn.Conv2d):
    """A masked 3×3 convolution; the lesson's own is checked elsewhere."""

    def __init__(self, kind: str) -> None:
        super().__init__(1, 1, 3, padding=1)
        hidden = 4 if kind == "A" else 5
        self.register_buffer("mask", (torch.arange(9) < hidden).double().view(1, 1, 3, 3))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return F.conv2d(x, self.weight * self.mask, self.bias, padding=1)


def plain(layers: list) -> nn.Module:
    return nn.Sequential(*(Masked(kind) for kind, _ in layers))


def field(layers: list) -> set:
    seen = {(0, 0)}
    for kind, _ in layers:
        past = [(-1, -1), (-1, 0), (-1, 1), (0, -1), *([(0, 0)] if kind == "B" else [])]
        seen = {(a + c, b + d) for a, b in seen for c, d in past}
    return seen


class Colors(nn.Module):
    """Each number sees all numbers before it, in raster order and R, G, B within a pixel."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        turns = x.permute(0, 2, 3, 1).flatten(1)
        before = F.pad(turns, (1, 0))[:, :-1].cumsum(1)
        return before.view(len(x), *x.shape[2:], 3).permute(0, 3, 1, 2)


@pytest.fixture(scope="module")
def stacks() -> ReceptiveFieldExplorer:
    torch.manual_seed(0)
    return ReceptiveFieldExplorer.of_stacks({"plain": plain}, {"plain": field}, SIDE, depth=3)


def words(page: Page) -> Locator:
    return page.locator(".words")


def hover(page: Page, pixel: int, side: int = SIDE, panel: int = 0) -> None:
    box = page.locator(".grids svg").nth(panel).bounding_box()
    cell = box["width"] / side
    x, y = box["x"] + (pixel % side + 0.5) * cell, box["y"] + (pixel // side + 0.5) * cell
    page.mouse.move(x, y)


def test_every_pixel_is_told_as_python_tells_it(
    show: Callable, stacks: ReceptiveFieldExplorer
) -> None:
    for first, rest, depth in (("A", "B", 3), ("B", "B", 2), ("A", "A", 3)):
        stacks.choose("plain", first, rest, depth)
        page = show(stacks)
        assert page.locator(".verdict").inner_text() == stacks.in_words()
        for pixel in (0, 1, 6, 17, 24, 40, 48):
            hover(page, pixel)
            assert words(page).inner_text() == stacks.pixel_in_words(pixel)


def test_the_drawing_marks_what_is_seen_lost_and_leaking(
    show: Callable, stacks: ReceptiveFieldExplorer
) -> None:
    stacks.choose("plain", "A", "B", 3)
    page = show(stacks)
    at = 5 * SIDE + 2
    hover(page, at)
    before, leaks, near, _ = stacks._split(at)
    grid = page.locator(".grids svg")
    expect(grid.locator(".cell.seen")).to_have_count(len(before))
    expect(grid.locator(".cell.near")).to_have_count(len(near))
    expect(grid.locator(".dot")).to_have_count(len(near))
    expect(grid.locator(".ring")).to_have_count(len(before))
    assert not leaks and near and "Blind spot" in words(page).inner_text()
    page.get_by_role("group", name="First layer").get_by_role("button", name="B").click()
    hover(page, at)
    expect(grid.locator(".cross")).to_have_count(1)
    expect(words(page)).to_contain_text("Not autoregressive: it sees 1 pixel at or after itself")


def test_keys_slider_and_buttons_choose(show: Callable, stacks: ReceptiveFieldExplorer) -> None:
    stacks.choose("plain", "A", "B", 2)
    stacks._cursor = 24
    page = show(stacks, kernel=True)
    page.locator(".grids").focus()
    for key, at in (("ArrowRight", 25), ("ArrowDown", 32), ("ArrowLeft", 31), ("ArrowUp", 24)):
        page.keyboard.press(key)
        expect(words(page)).to_have_text(stacks.pixel_in_words(at))
    page.keyboard.press("Home")
    expect(words(page)).to_have_text(
        "Row 1, column 1 is the first: nothing comes before it. Your formula predicts exactly this."
    )
    page.keyboard.press("ArrowLeft")  # nothing lies there
    page.keyboard.press("End")
    page.keyboard.press("+")
    expect(page.locator(".count")).to_have_text("3")
    assert stacks._depth == 3 and stacks._cursor == SIDE * SIDE - 1
    expect(words(page)).to_have_text(stacks.pixel_in_words(SIDE * SIDE - 1))
    page.get_by_role("slider", name="Layers").fill("1")
    expect(page.locator(".count")).to_have_text("1")
    later = page.get_by_role("group", name="Later layers").get_by_role("button", name="A")
    expect(later).to_be_disabled()
    page.keyboard.press("m")  # other keys are left alone
    assert stacks._depth == 1


def test_colors_are_chosen_by_key_and_button(show: Callable) -> None:
    explorer = ReceptiveFieldExplorer.of_model(Colors(), 3, 3, colors=3)
    page = show(explorer, kernel=True)
    expect(page.locator(".grids svg")).to_have_count(3)
    page.locator(".grids").focus()
    for k in (1, 2, 0):
        page.keyboard.press("c")
        expect(words(page)).to_have_text(explorer.pixel_in_words(12 + k))
    page.get_by_role("button", name="B", exact=True).click()
    expect(words(page)).to_have_text("B of row 2, column 2 sees 14 of the 14 numbers before it.")
    hover(page, 0, side=3, panel=1)
    expect(words(page)).to_have_text("B of row 1, column 1 sees 2 of the 2 numbers before it.")


def test_an_unsolved_exercise_is_a_sentence_and_not_a_picture(show: Callable) -> None:
    def build(layers):
        raise NotImplementedError("MaskedConv2d: write your code here")

    page = show(ReceptiveFieldExplorer.of_stacks({"plain": build}))
    expect(page.locator(".notice")).to_contain_text("MaskedConv2d is not written yet")
    expect(page.locator(".grids")).to_be_hidden()


def test_it_has_a_name_a_value_and_words_for_every_reader(
    show: Callable, stacks: ReceptiveFieldExplorer
) -> None:
    stacks.choose("plain", "A", "B", 2)
    page = show(stacks)
    grid = page.get_by_role("slider", name="Pixel of the output")
    expect(grid).to_have_attribute("aria-valuetext", words(page).inner_text())
    assert grid.get_attribute("aria-valuemax") == str(SIDE * SIDE)
    keys = page.locator(f"#{grid.get_attribute('aria-describedby')}")
    expect(keys).to_contain_text("+ and −: layers")
    assert page.get_by_role("status").get_attribute("aria-live") == "polite"
    for drawing in page.locator(".grids svg").all():
        assert drawing.get_attribute("aria-hidden") == "true"
    for reached in page.locator(".receptive-field :is([tabindex='0'], button, input)").all():
        assert reached.get_attribute("data-lm-suppress-shortcuts") == "true"


@pytest.mark.parametrize(("system", "colors"), [("light", palette.LIGHT), ("dark", palette.DARK)])
def test_light_and_dark(
    show: Callable, stacks: ReceptiveFieldExplorer, system: str, colors: dict
) -> None:
    page = show(stacks, color_scheme=system, viewport={"width": 360, "height": 800})
    red, green, blue = (int(colors["page"][i : i + 2], 16) for i in (1, 3, 5))
    expect(page.locator(".receptive-field")).to_have_css(
        "background-color", f"rgb({red}, {green}, {blue})"
    )
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
