"""The unrolled network in a browser says what Python says, and answers pointer and keys."""

from collections.abc import Callable

import pytest
import torch
from playwright.sync_api import Page, expect

from figures.unrolled import Unrolled

BITS = "101100111010"


def network(gain: float) -> Callable:
    """A step of two numbers that are turned, and multiplied by `gain`."""
    turn = gain * torch.tensor([[0.6, -0.8], [0.8, 0.6]])
    return lambda x, h: torch.tanh(h @ turn + x)


def loop(step: Callable, x: torch.Tensor, h: torch.Tensor) -> torch.Tensor:
    states = [h]
    for t in range(x.shape[1]):
        states.append(step(x[:, t], states[-1]))
    return torch.stack(states, dim=1)


def early(step: Callable, x: torch.Tensor, h: torch.Tensor) -> torch.Tensor:
    """The states one place too early."""
    states = loop(step, x, h)
    return torch.cat([states[:, 1:], states[:, -1:]], dim=1)


def unrolled(unroll: Callable = loop) -> Unrolled:
    return Unrolled.of(unroll, {f"gain {g:g}": network(g) for g in (0.5, 1.0, 1.7)}, BITS, 2)


def agrees(page: Page, widget: Unrolled) -> None:
    """The page's words are Python's, where the page says it stands."""
    for name in ("_place", "_name"):
        setattr(widget, name, page.evaluate(f"window.widgetModel.get('{name}')"))
    expect(page.locator(".words")).to_have_text(widget.in_words())


def click(page: Page, bit: int) -> None:
    """Clicks the bit (from 1)."""
    box = page.locator("rect.bit").nth(bit - 1).bounding_box()
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)


@pytest.mark.parametrize("unroll", [loop, early])
def test_every_bit_of_every_network_is_told_as_python_tells_it(
    show: Callable, unroll: Callable
) -> None:
    widget = unrolled(unroll)
    page = show(widget)
    for name in widget._names:
        page.get_by_role("button", name=name, exact=True).click()
        for bit in (1, 5, 12):
            click(page, bit)
            agrees(page, widget)
            assert widget._place == bit - 1
    assert widget._name == 2


def test_keys_choose_bit_and_network_and_the_notebook_does_not_hear_them(show: Callable) -> None:
    widget = unrolled()
    page = show(widget)
    page.evaluate("window.heard = 0; document.addEventListener('keydown', () => window.heard++)")
    page.locator("svg[role=slider]").focus()
    for key, place, name in (
        ("ArrowRight", 3, 0), ("ArrowDown", 3, 1), ("End", 11, 1), ("ArrowRight", 11, 1),
        ("Home", 0, 1), ("ArrowLeft", 0, 1), ("ArrowUp", 0, 0), ("ArrowUp", 0, 2),
    ):  # fmt: skip
        page.keyboard.press(key)
        agrees(page, widget)
        assert (widget._place, widget._name) == (place, name)
    assert page.evaluate("window.heard") == 0
    slider = page.locator("svg[role=slider]")
    expect(slider).to_have_attribute("aria-valuetext", widget.in_words())


def test_a_state_that_read_too_early_is_crossed_and_said(show: Callable) -> None:
    page = show(unrolled(early))
    expect(page.locator(".cross")).to_have_count(1)
    expect(page.locator(".words")).to_contain_text("is seen by h2, which must not have read it yet")


def test_an_unsolved_loop_leaves_a_sentence(show: Callable) -> None:
    def unroll(step, x, h):
        raise NotImplementedError

    page = show(unrolled(unroll))
    expect(page.locator(".words")).to_have_text(
        "unroll is not written yet: solve its exercise first."
    )
    expect(page.locator("svg[role=slider]")).to_be_hidden()
