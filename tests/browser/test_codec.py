"""The codec explorer in a browser says what Python says, and answers pointer and keys."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from playwright.sync_api import Locator, Page, expect

from figures.codec import CodecExplorer

BITS = 12


class Chain:
    """Symbol i likes to repeat the one before it; with `peek`, symbol 4 sees itself."""

    def __init__(self, n: int, k: int, seed: int = 0, peek: bool = False) -> None:
        self.n, self.k, self.peek = n, k, peek
        random = torch.Generator().manual_seed(seed)
        self.bias = torch.randn(n, k, generator=random).double()

    def conditionals(self, x: torch.Tensor) -> torch.Tensor:
        seen = torch.eye(self.k).double()[x]
        logits = self.bias.expand(len(x), -1, -1).clone()
        logits[:, 1:] += 2 * seen[:, :-1]
        if self.peek:
            logits[:, 3] += 9 * seen[:, 3]
        return logits.softmax(-1)


def quantize(p: torch.Tensor, bits: int = BITS) -> torch.Tensor:
    counts = torch.floor(p * (2**bits - p.shape[-1])).long() + 1
    counts[..., 0] += 2**bits - counts.sum(-1)
    return counts


# Not a codec, only what the picture asks for: it stores each symbol's place among the parts, which
# a receiver with the same tables can turn back into the symbol.
def encode(model: Chain, x: torch.Tensor) -> bytes:
    order = model.conditionals(x).argsort(-1, descending=True)
    return bytes((order == x[..., None]).long().argmax(-1).flatten().tolist())


def decode(model: Chain, message: bytes, count: int = 1) -> torch.Tensor:
    places = torch.tensor(list(message)).reshape(count, model.n)
    x = torch.zeros(count, model.n, dtype=torch.int64)
    for i in range(model.n):
        order = model.conditionals(x)[:, i].argsort(-1, descending=True)
        x[:, i] = order.gather(1, places[:, i : i + 1])[:, 0]
    return x


def explorer(n: int = 16, k: int = 2, count: int = 3, peek: bool = False, **more) -> CodecExplorer:
    x = torch.tensor(np.random.default_rng(n).integers(0, k, size=(count, n)))
    x[:, 3] = 1
    return CodecExplorer.of(encode, decode, quantize, Chain(n, k, peek=peek), x, **more)


def words(page: Page) -> Locator:
    return page.locator(".words")


def point_at(page: Page, symbol: int, across: int) -> None:
    box = page.locator(".map svg .pixel").nth(symbol - 1).bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)


@pytest.mark.parametrize("peek", [False, True])
@pytest.mark.parametrize(("n", "k"), [(16, 2), (49, 2), (7, 5)])
def test_each_symbol_is_told_as_python_tells_it(show: Callable, n: int, k: int, peek: bool) -> None:
    widget = explorer(n, k, peek=peek)
    page = show(widget)
    assert page.locator(".verdict").inner_text() == widget.in_words()
    for symbol in range(1, n + 1):
        point_at(page, symbol, n)
        assert words(page).inner_text() == widget.step_in_words(symbol)


def test_keys_go_through_symbols_and_examples(show: Callable) -> None:
    widget = explorer(step=2)
    page = show(widget, kernel=True)
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowRight")
    expect(words(page)).to_have_text(widget.step_in_words(3, 0))
    page.keyboard.press("PageDown")
    expect(words(page)).to_have_text(widget.step_in_words(7, 0))
    page.keyboard.press("ArrowDown")
    expect(words(page)).to_have_text(widget.step_in_words(7, 1))
    page.keyboard.press("End")
    expect(words(page)).to_have_text(widget.step_in_words(16, 1))
    expect(words(page)).to_contain_text("A file of its own takes 128 bits.")
    page.keyboard.press("ArrowRight")  # there is no seventeenth
    expect(words(page)).to_have_text(widget.step_in_words(16, 1))
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowUp")  # nor an example before the first
    page.keyboard.press("Home")
    expect(words(page)).to_have_text(widget.step_in_words(1, 0))
    assert page.locator(".body").get_attribute("aria-valuetext") == widget.step_in_words(1, 0)
    assert (widget._example, widget._step) == (0, 1)


def test_a_button_shows_the_next_example(show: Callable) -> None:
    widget = explorer(step=5)
    page = show(widget, kernel=True)
    expect(page.get_by_role("button", name="Example before")).to_be_disabled()
    page.get_by_role("button", name="Next example").click()
    expect(words(page)).to_have_text(widget.step_in_words(5, 1))
    expect(page.locator(".which")).to_have_text("Example 2 of 3")
    assert widget._example == 1


def test_the_last_three_intervals_are_drawn(show: Callable) -> None:
    page = show(explorer(step=6))
    assert page.locator(".lines .own.part").count() == 3
    assert page.locator(".lines .zoom").count() == 2
    assert page.locator(".lines .caption").all_text_contents()[-1].startswith("x6 = ")
    page.locator(".body").focus()
    page.keyboard.press("Home")
    expect(page.locator(".lines .own.part")).to_have_count(1)


def test_a_dear_symbol_has_a_large_circle(show: Callable) -> None:
    widget = explorer()
    page = show(widget)
    radii = [float(c.get_attribute("r")) for c in page.locator(".map .price").all()]
    prices = [row[4] for row in widget._rows[0]]
    assert np.argsort(radii).tolist() == np.argsort(prices).tolist()


def test_a_leak_is_crossed_and_said(show: Callable) -> None:
    widget = explorer(peek=True, step=4)
    page = show(widget)
    expect(page.locator(".verdict")).to_contain_text("Not autoregressive: the tables of x4 see")
    assert page.locator(".map .cross").count() >= 1
    expect(words(page)).to_contain_text("The receiver reads 0 here.")


def test_a_text_is_tinted_by_price(show: Callable) -> None:
    labels = ["The", " quick", "\n", "brown", " <b>fox</b>", " “jumps”", "."]
    widget = explorer(7, 5, 1, labels=labels, step=2)
    page = show(widget)
    tokens = page.locator(".token")
    assert tokens.count() == 7
    assert tokens.nth(4).inner_text().strip() == "<b>fox</b>"
    for place in range(1, 8):
        tokens.nth(place - 1).hover()
        assert words(page).inner_text() == widget.step_in_words(place)
    shares = [float(t.evaluate("e => e.style.getPropertyValue('--share')")) for t in tokens.all()]
    prices = [row[4] for row in widget._rows[0]]
    assert np.argsort(shares).tolist() == np.argsort(prices).tolist()
    expect(page.locator(".controls")).to_be_hidden()


def test_an_unsolved_function_leaves_a_sentence(show: Callable) -> None:
    def quantize(p: torch.Tensor, bits: int = BITS) -> torch.Tensor:
        raise NotImplementedError

    x = torch.zeros(1, 4, dtype=torch.int64)
    page = show(CodecExplorer.of(encode, decode, quantize, Chain(4, 2), x))
    expect(page.locator(".notice")).to_have_text(
        "quantize is not written yet: solve its exercise first."
    )
    expect(page.locator(".body")).to_be_hidden()


def test_dark_pages_have_dark_ground(show: Callable) -> None:
    page = show(explorer(), color_scheme="dark")
    ground = page.locator(".codec-explorer").evaluate("e => getComputedStyle(e).backgroundColor")
    assert ground == "rgb(20, 25, 31)"
