"""The dilation tree in a browser says what Python says, and answers pointer, keys and menus."""

from collections.abc import Callable

import pytest
import torch
from playwright.sync_api import Locator, Page, expect
from torch import nn

from figures.dilation_tree import SAMPLES, DilationTree


class Causal(nn.Conv1d):
    """Zeros on the left."""

    def __init__(self, *settings: int) -> None:
        super().__init__(*settings[:3], dilation=settings[3])

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        past = (self.kernel_size[0] - 1) * self.dilation[0]
        return super().forward(nn.functional.pad(x, (past, 0)))


class Centered(Causal):
    """Zeros on both sides: a leak."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        past = (self.kernel_size[0] - 1) * self.dilation[0]
        return nn.Conv1d.forward(self, nn.functional.pad(x, (past - past // 2, past // 2)))


def field(kernel_size: int, dilations: list) -> int:
    return 1 + sum((kernel_size - 1) * d for d in dilations)


class Model(nn.Module):
    """Codes to logits, with a shift of one or none."""

    def __init__(self, shift: int) -> None:
        super().__init__()
        self.levels, self.shift = 4, shift
        self.embed = nn.Embedding(4, 3)
        blocks = [nn.Module() for _ in range(2)]
        for block, d in zip(blocks, (1, 2), strict=True):
            block.conv = Causal(3, 3, 2, d)
        self.blocks = nn.ModuleList(blocks)

    def forward(self, codes: torch.Tensor) -> torch.Tensor:
        x = self.embed(codes).mT
        x = nn.functional.pad(x, (self.shift, 0))[:, :, : codes.shape[1]]
        for block in self.blocks:
            x = x + torch.tanh(block.conv(x))
        return x


def words(page: Page) -> Locator:
    return page.locator(".words")


def point_at(page: Page, output: int) -> None:
    """Moves the pointer into the column of an output (from 1)."""
    unit = page.locator(".tree .unit").nth(output - 1)  # the inputs' row comes first
    box = unit.bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] - 20)


@pytest.mark.parametrize(
    ("conv", "kernel", "dilations"),
    [
        (Causal, 2, (1, 2, 4, 8)),
        (Causal, 3, (1, 3, 9)),
        (Causal, 2, (1, 4)),
        (Causal, 3, (16, 16, 16)),
        (Centered, 3, (1, 2)),
    ],
)
def test_outputs_and_the_whole_are_told_as_python_tells_them(
    show: Callable, conv: type, kernel: int, dilations: tuple
) -> None:
    widget = DilationTree.of(conv, field, kernel, dilations)
    page = show(widget)
    assert page.locator(".verdict").inner_text() == widget.in_words()
    for output in (1, 2, 5, 17, SAMPLES):
        point_at(page, output)
        assert words(page).inner_text() == widget.output_in_words(output)


def test_keys_go_from_output_to_output(show: Callable) -> None:
    widget = DilationTree.of(Causal, field, output=30)
    page = show(widget, kernel=True)
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowRight")
    expect(words(page)).to_have_text(widget.output_in_words(31))
    assert page.locator(".tree").get_attribute("aria-valuetext") == widget.output_in_words(31)
    page.keyboard.press("End")
    page.keyboard.press("ArrowRight")  # there is none after the last
    expect(words(page)).to_have_text(widget.output_in_words(32))
    page.keyboard.press("Home")
    expect(words(page)).to_have_text(widget.output_in_words(1))
    page.keyboard.press("ArrowLeft")
    assert widget._output == 1


def test_an_output_lights_its_units_layer_by_layer(show: Callable) -> None:
    page = show(DilationTree.of(Causal, field, 2, (1, 2, 4, 8)))
    assert page.locator(".unit").count() == 5 * SAMPLES
    assert page.locator(".unit.lit").count() == 1 + 2 + 4 + 8 + 16
    assert page.locator(".wire.lit").count() == 2 * (1 + 2 + 4 + 8)
    point_at(page, 1)
    assert page.locator(".unit.lit").count() == 5  # itself, at every level


def test_menus_change_the_stack_without_a_kernel(show: Callable) -> None:
    widget = DilationTree.of(Causal, field, 2, (1, 2, 4, 8))
    page = show(widget)
    page.get_by_label("Dilation of layer 4").select_option("4")
    expect(page.locator(".verdict")).to_have_text(
        "Causal and without holes: the last output sees 12 samples, as field says 12"
    )
    page.get_by_label("Kernel size").select_option("3")
    expect(page.locator(".verdict")).to_contain_text("sees 23 samples, as field says 23")
    page.get_by_role("button", name="Remove the top layer").click()
    expect(page.locator(".unit")).to_have_count(4 * SAMPLES)
    page.get_by_label("Dilation of layer 2").select_option("9")
    expect(page.locator(".verdict")).to_contain_text("Causal, with")
    assert page.locator(".hole").count() > 0
    expect(page.get_by_role("button", name="Add a layer")).to_be_enabled()


def test_a_change_of_the_stack_reaches_python(show: Callable) -> None:
    widget = DilationTree.of(Causal, field, 2, (1, 2))
    page = show(widget, kernel=True)
    page.get_by_role("button", name="Add a layer").click()
    page.get_by_label("Dilation of layer 3").select_option("6")
    expect(page.locator(".verdict")).to_contain_text("Causal, with")
    assert widget._dilations == [1, 2, 6]
    assert page.locator(".verdict").inner_text() == widget.in_words()


def test_a_leak_is_crossed_dashed_and_said(show: Callable) -> None:
    page = show(DilationTree.of(Centered, field, 3, (1, 2), output=10))
    expect(page.locator(".verdict")).to_contain_text("Not causal:")
    assert page.locator(".cross").count() == page.locator(".unit.late").count() == 3
    dashes = page.locator(".wire.late").first.evaluate("e => getComputedStyle(e).strokeDasharray")
    assert dashes != "none"
    expect(words(page)).to_contain_text("Not causal: inputs 11, 12, 13 come later.")


@pytest.mark.parametrize("shift", [0, 1])
def test_a_whole_model_is_told_beside_its_tree(show: Callable, shift: int) -> None:
    widget = DilationTree.of_model(Model(shift), Causal, field)
    page = show(widget)
    assert page.locator(".whole").inner_text() == widget.shift_in_words()
    assert page.locator(".verdict").inner_text() == widget.in_words()
    said = {0: "is no shift", 1: "is a shift by one", 2: "is a shift by two"}
    assert said[shift] in widget.shift_in_words()
    assert ("Not autoregressive" in widget.in_words()) == (shift == 0)
    assert page.locator(".headline").get_attribute("data-kind") == ("leak" if not shift else "good")
    # The row of the shift is drawn, and what must not be seen is crossed out.
    expect(page.locator(".row", has_text="shifted")).to_have_count(1)
    expect(page.locator(".cross")).to_have_count(0 if shift else 1)
    assert words(page).inner_text() == widget.output_in_words(widget._output)
    page.get_by_label("Dilation of layer 1").select_option("3")
    expect(page.locator(".whole")).to_be_empty()  # another stack than the model's


def test_an_unsolved_function_leaves_a_sentence(show: Callable) -> None:
    def receptive_field(kernel_size: int, dilations: list) -> int:
        raise NotImplementedError

    page = show(DilationTree.of(Causal, receptive_field))
    expect(page.locator(".notice")).to_have_text(
        "receptive_field is not written yet: solve its exercise first."
    )
    expect(page.locator(".tree")).to_be_hidden()


def test_dark_pages_have_dark_ground(show: Callable) -> None:
    page = show(DilationTree.of(Causal, field), color_scheme="dark")
    ground = page.locator(".dilation-tree").evaluate("e => getComputedStyle(e).backgroundColor")
    assert ground == "rgb(20, 25, 31)"
