"""The sharing explorer in a browser says what Python says, and answers pointer and keys."""

from collections.abc import Callable

import pytest
import torch
from playwright.sync_api import Locator, Page, expect

from figures.sharing import SharingExplorer


def nade(x, W, c, V, b) -> torch.Tensor:
    a, logits = c.expand(len(x), -1), []
    for i in range(len(b)):
        logits.append(torch.sigmoid(a) @ V[i] + b[i])
        a = a + x[:, i : i + 1] * W[:, i]
    return torch.stack(logits, 1)


def column_first(x, W, c, V, b) -> torch.Tensor:
    a, logits = c.expand(len(x), -1), []
    for i in range(len(b)):
        a = a + x[:, i : i + 1] * W[:, i]
        logits.append(torch.sigmoid(a) @ V[i] + b[i])
    return torch.stack(logits, 1)


def numbers(n: int = 5, h: int = 3, seed: int = 0) -> list[torch.Tensor]:
    random = torch.Generator().manual_seed(seed)
    return [1.5 * torch.randn(s, generator=random) for s in ((h, n), (h,), (n, h), (n,))]


def words(page: Page) -> Locator:
    return page.locator(".words")


def point_at(page: Page, row: str, lane: int) -> None:
    """Moves the pointer to a lane's (from 1) output or bit."""
    box = page.locator(f".lanes {row}").nth(lane - 1).bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)


@pytest.mark.parametrize("function", [nade, column_first])
@pytest.mark.parametrize(("n", "h", "seed"), [(5, 3, 1), (8, 8, 2), (1, 1, 3), (2, 4, 4)])
def test_steps_and_columns_are_told_as_python_tells_them(
    show: Callable, function: Callable, n: int, h: int, seed: int
) -> None:
    x = torch.randint(0, 2, (n,), generator=torch.Generator().manual_seed(seed))
    widget = SharingExplorer.of(function, *numbers(n, h, seed), x=x)
    page = show(widget)
    assert page.locator(".verdict").inner_text() == widget.in_words()
    for lane in range(1, n + 1):
        point_at(page, ".out", lane)
        assert words(page).inner_text() == widget.step_in_words(lane)
        point_at(page, ".bit", lane)
        assert words(page).inner_text() == widget.column_in_words(lane)


def test_keys_go_from_step_to_step_and_follow_columns(show: Callable) -> None:
    widget = SharingExplorer.of(nade, *numbers(), step=2)
    page = show(widget, kernel=True)
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowRight")
    expect(words(page)).to_have_text(widget.step_in_words(3))
    page.keyboard.press("ArrowDown")
    expect(words(page)).to_have_text(widget.column_in_words(3))
    page.keyboard.press("ArrowLeft")
    expect(words(page)).to_have_text(widget.column_in_words(2))
    assert (
        page.locator(".lanes").get_attribute("aria-valuetext").endswith(widget.column_in_words(2))
    )
    page.keyboard.press("ArrowUp")
    page.keyboard.press("End")
    expect(words(page)).to_have_text(widget.step_in_words(5))
    page.keyboard.press("ArrowRight")  # there is no sixth
    expect(words(page)).to_have_text(widget.step_in_words(5))
    page.keyboard.press("Home")
    page.keyboard.press("Space")
    expect(page.locator(".bit.one")).to_have_count(4)
    assert (widget._bits, widget._step) == ("01111", 1)


def test_a_click_on_a_bit_turns_it_around(show: Callable) -> None:
    widget = SharingExplorer.of(nade, *numbers(), x=[0] * 5, step=5)
    page = show(widget, kernel=True)
    before = page.locator(".prob").all_text_contents()
    point_at(page, ".bit", 3)
    page.mouse.down()
    page.mouse.up()
    page.mouse.move(2, 2)
    expect(page.locator(".bit.one")).to_have_count(1)
    assert widget._bits == "00100"
    expect(words(page)).to_contain_text("x switches on 3")
    after = page.locator(".prob").all_text_contents()
    assert after[:3] == before[:3] and after[3:] != before[3:]


def test_a_step_lights_the_columns_before_it(show: Callable) -> None:
    page = show(SharingExplorer(*numbers(), x=[1, 0, 1, 1, 0], step=4))
    assert page.locator(".frame").count() == 3
    assert page.locator(".link.lit").count() == 4  # c and three columns
    assert page.locator(".link.lit.off").count() == 1  # x_2 is 0
    assert page.locator(".link").count() == 5 * 4 // 2 + 1
    point_at(page, ".bit", 2)
    assert page.locator(".frame").count() == 1
    assert page.locator(".link.lit").count() == 3  # into h3, h4, h5
    assert page.locator(".unit.here").count() == 3 * 3


def test_carrying_the_sum_leaves_one_arrow_a_column(show: Callable) -> None:
    widget = SharingExplorer(*numbers(), x=[1] * 5, step=4)
    page = show(widget, kernel=True)
    page.get_by_role("button", name="Carry the sum along").click()
    expect(page.locator(".link")).to_have_count(1 + 4 + 4)
    assert page.locator(".link.lit").count() == 1 + 3 + 3
    expect(page.get_by_role("button", name="Carry the sum along")).to_have_attribute(
        "aria-pressed", "true"
    )
    assert widget._mode == "sweep"
    page.get_by_role("button", name="Sum anew at each step").click()
    expect(page.locator(".link")).to_have_count(11)


def test_a_leak_is_crossed_dashed_and_said(show: Callable) -> None:
    page = show(SharingExplorer.of(column_first, *numbers(), step=2))
    expect(page.locator(".verdict")).to_contain_text("Not autoregressive: 5 inputs at or after")
    assert page.locator(".lanes .cross").count() == 5
    assert page.locator(".side .cross").count() == page.locator(".cell.leak").count() == 5
    dashes = page.locator(".out.leak").first.evaluate("e => getComputedStyle(e).strokeDasharray")
    assert dashes != "none"
    expect(words(page)).to_contain_text("output 2 sees input 2, at or after its own")


def test_an_unsolved_function_leaves_a_sentence(show: Callable) -> None:
    def nade(x, W, c, V, b):
        raise NotImplementedError

    page = show(SharingExplorer.of(nade, *numbers()))
    expect(page.locator(".notice")).to_have_text(
        "nade is not written yet: solve its exercise first."
    )
    expect(page.locator(".lanes")).to_be_hidden()


def test_dark_pages_have_dark_ground(show: Callable) -> None:
    page = show(SharingExplorer(*numbers()), color_scheme="dark")
    ground = page.locator(".sharing-explorer").evaluate("e => getComputedStyle(e).backgroundColor")
    assert ground == "rgb(20, 25, 31)"


@pytest.mark.parametrize(("mode", "columns"), [("sweep", 1), ("anew", 2)])
def test_what_is_added_flies_up_and_is_counted(show: Callable, mode: str, columns: int) -> None:
    widget = SharingExplorer.of(nade, *numbers(5, 3), step=2, mode=mode)
    page = show(widget)
    flying = page.evaluate(
        """async () => {
          const key = new KeyboardEvent("keydown", { key: "ArrowRight", bubbles: true });
          document.querySelector(".lanes").dispatchEvent(key);
          await new Promise((seen) => setTimeout(seen)); // past the drawing that follows
          return document.querySelectorAll(".flying").length;
        }"""
    )
    assert flying == columns
    expect(page.locator(".count.anew .sum")).to_have_text("9")  # 3 · (0 + 1 + 2)
    expect(page.locator(".count.sweep .sum")).to_have_text("6")  # 3 · (0 + 1 + 1)
    expect(page.locator(".flying")).to_have_count(0)


def test_play_goes_to_the_last_step_and_stops(show: Callable) -> None:
    page = show(SharingExplorer.of(nade, *numbers(3, 2), step=2), reduced_motion="reduce")
    page.get_by_role("button", name="Play the steps").click()
    expect(page.locator(".lanes")).to_have_attribute("aria-valuenow", "3")
    expect(page.get_by_role("button", name="Play the steps")).to_be_visible()
    page.get_by_role("button", name="Play the steps").click()
    expect(page.locator(".lanes")).to_have_attribute("aria-valuenow", "2")
    expect(page.locator(".flying")).to_have_count(0)
