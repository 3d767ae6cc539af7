"""The attention explorer in a browser says what Python says, and answers pointer and keys."""

from collections.abc import Callable

import pytest
import torch
from playwright.sync_api import Locator, Page, expect
from torch import nn

from figures.attention import AttentionExplorer

WORDS = ["my", " good", " lord", ",", " what", " is", "\n", "<b>", " it", "?", "é"]


class Part(nn.Module):
    """Has an `attend`, as the lesson's blocks do; looks at the past evenly, but for its head."""

    def __init__(self, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.attend = self.evenly

    def evenly(self, q: torch.Tensor, k: torch.Tensor, v: torch.Tensor) -> torch.Tensor:
        T = k.shape[-2]
        slope = torch.arange(self.heads).view(-1, 1, 1) * torch.arange(T) * 0.7
        scores = slope.expand(self.heads, T, T).masked_fill(torch.ones(T, T).triu(1).bool(), -1e30)
        return scores.softmax(-1) @ v

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        parts = x.view(*x.shape[:2], self.heads, -1).transpose(1, 2)
        return x + self.attend(parts, parts, parts).transpose(1, 2).reshape(x.shape)


class Model(nn.Module):
    """A causal model of two blocks with three heads each, or a leaky one."""

    def __init__(self, leak: bool = False) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.leak = leak
        self.table = nn.Embedding(len(WORDS), 12)
        self.h = nn.ModuleList(Part(3) for _ in range(2))

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        x = self.table(tokens)
        for part in self.h:
            x = part(x)
        if self.leak:
            x = x + torch.cat([torch.zeros_like(x[:, :2]), x[:, 4:5], x[:, 3:]], 1)
        return x @ self.table.weight.T


def decode(ids: list[int]) -> str:
    return "".join(WORDS[i] for i in ids)


@torch.no_grad()
def write(model: nn.Module, tokens: torch.Tensor, count: int) -> torch.Tensor:
    for _ in range(count):
        tokens = torch.cat([tokens, model(tokens)[:, -1:].argmax(-1)], 1)
    return tokens


def explorer(leak: bool = False, **more: object) -> AttentionExplorer:
    line = torch.tensor([[0, 1, 2, 3, 4, 5, 6, 7]])
    return AttentionExplorer.of(Model(leak), line, decode=decode, **more)


def words(page: Page) -> Locator:
    return page.locator(".words")


@pytest.mark.parametrize("leak", [False, True])
def test_places_and_heads_are_told_as_python_tells_them(show: Callable, leak: bool) -> None:
    widget = explorer(leak)
    page = show(widget)
    assert page.locator(".verdict").inner_text() == widget.in_words()
    for place in range(1, 9):
        page.locator(".token").nth(place - 1).hover()
        assert words(page).inner_text() == widget.place_in_words(place)
    page.mouse.move(2, 2)
    for head in range(1, 6):
        page.get_by_role("button", name="Next head").click()
        page.mouse.move(2, 2)
        assert words(page).inner_text() == widget.place_in_words(3 if leak else 8, head)


def test_keys_go_along_the_line_and_through_the_heads(show: Callable) -> None:
    widget = explorer(place=3)
    page = show(widget, kernel=True)
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowLeft")
    expect(words(page)).to_have_text(widget.place_in_words(2))
    page.keyboard.press("ArrowDown")
    expect(words(page)).to_have_text(widget.place_in_words(2, 1))
    page.keyboard.press("End")
    expect(words(page)).to_have_text(widget.place_in_words(8, 1))
    page.keyboard.press("ArrowRight")  # there is no ninth
    page.keyboard.press("ArrowUp")
    expect(words(page)).to_have_text(widget.place_in_words(8, 0))
    page.keyboard.press("ArrowUp")  # nor a head before the first
    page.keyboard.press("Home")
    expect(words(page)).to_have_text(widget.place_in_words(1, 0))
    line = page.locator(".line")
    assert line.get_attribute("aria-valuenow") == "1"
    assert line.get_attribute("aria-valuetext") == widget.place_in_words(1, 0)
    assert (widget._place, widget._head) == (1, 0)


def test_a_place_lights_what_it_sees_and_the_token_that_comes(show: Callable) -> None:
    page = show(explorer(place=3))
    expect(page.locator(".token.seen")).to_have_count(2)
    expect(page.locator(".token.here")).to_have_count(1)
    expect(page.locator(".token.blind")).to_have_count(5)
    expect(page.locator(".bar.comes .word")).to_have_text(",")
    assert page.locator(".token").nth(1).inner_text() == "␣good"
    assert page.locator(".token").nth(6).inner_text() == "↵"
    assert page.locator(".token").nth(7).inner_text() == "<b>"
    assert page.locator(".cell.seen").count() == 36
    page.locator(".token").nth(7).hover()  # the last: nothing comes
    expect(page.locator(".bar.comes")).to_have_count(0)
    expect(page.locator(".token.seen")).to_have_count(7)


def test_a_row_of_the_matrix_is_a_place(show: Callable) -> None:
    widget = explorer(place=1)
    page = show(widget)
    box = page.locator("svg.matrix").bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] * 0.45)
    said = words(page).inner_text()
    assert said in {widget.place_in_words(i) for i in (4, 5)}


def test_a_leak_is_dashed_crossed_and_said(show: Callable) -> None:
    page = show(explorer(True, place=3))
    expect(page.locator(".verdict")).to_contain_text("Not causal: 2 leaks: position 3 → token 4, ")
    expect(page.locator(".token.leak")).to_have_count(2)
    assert page.locator("svg .cross").count() == page.locator(".cell.leak").count() == 2
    style = page.locator(".token.leak").first.evaluate("e => getComputedStyle(e).borderTopStyle")
    assert style == "dashed"
    expect(words(page)).to_contain_text("sees tokens 4, 5, which come after it")


def test_the_clock_ticks_through_the_counted_passes(show: Callable) -> None:
    widget = explorer(writers={"write": write}, count=3)
    assert widget.clock_in_words() == (
        "training: 1 pass, 10 tokens read; write: 3 passes, 27 tokens read."
    )
    page = show(widget, kernel=True)
    tallies, step = page.locator(".tally"), page.get_by_role("button", name="Next pass")
    expect(tallies).to_have_text(["0 passes, 0 read", "0 passes, 0 read"])
    step.click()
    expect(tallies).to_have_text(["1 pass, 10 read", "1 pass, 8 read"])
    lanes = page.locator(".lane")
    expect(lanes.nth(0).locator(".made")).to_have_count(10)
    expect(lanes.nth(1).locator(".made")).to_have_count(1)
    expect(lanes.nth(1).locator(".read")).to_have_count(8)
    for _ in range(4):  # one more than there are
        step.click()
    expect(tallies).to_have_text(["1 pass, 10 read", "3 passes, 27 read"])
    expect(lanes.nth(1).locator(".read")).to_have_count(10)
    expect(page.locator(".told")).to_have_text(widget.clock_in_words())
    page.get_by_role("button", name="From the start").click()
    page.get_by_role("button", name="Run").click()
    expect(tallies).to_have_text(["1 pass, 10 read", "3 passes, 27 read"], timeout=15_000)
    assert widget._tick == 3


def test_a_model_without_heads_shows_the_rest(show: Callable) -> None:
    model = Model()
    widget = AttentionExplorer.of(lambda x: model(x), torch.tensor([[0, 1, 2]]), decode=decode)
    page = show(widget)
    expect(page.locator(".heads")).to_be_hidden()
    expect(page.locator(".clock")).to_be_hidden()
    assert page.locator(".weight").count() == 0
    assert words(page).inner_text() == widget.place_in_words(3)


def test_an_unsolved_model_leaves_a_sentence(show: Callable) -> None:
    def generate(model: nn.Module, tokens: torch.Tensor, count: int) -> torch.Tensor:
        raise NotImplementedError("generate: write your code here")

    def unsolved(tokens: torch.Tensor) -> torch.Tensor:
        raise NotImplementedError("GPT2: write your code here")

    page = show(AttentionExplorer.of(unsolved, torch.tensor([[0, 1]])))
    expect(page.locator(".notice")).to_have_text(
        "GPT2 is not written yet: solve its exercise first."
    )
    expect(page.locator(".line")).to_be_hidden()
    page = show(explorer(writers={"generate": generate}))
    expect(page.locator(".aside")).to_have_text(
        "generate is not written yet: solve its exercise first."
    )
    expect(page.locator(".tally")).to_have_count(1)


def test_dark_pages_have_dark_ground(show: Callable) -> None:
    page = show(explorer(), color_scheme="dark")
    ground = page.locator(".attention-explorer").evaluate(
        "e => getComputedStyle(e).backgroundColor"
    )
    assert ground == "rgb(20, 25, 31)"


def test_another_line_is_read_where_the_first_one_stood(show: Callable) -> None:
    widget = explorer(place=3)
    widget.read(torch.tensor([[2, 1, 0]]))
    assert widget._words == ["␣lord", "␣good", "my"] and widget._place == 3
    page = show(widget)
    expect(page.locator(".token")).to_have_count(3)
    expect(words(page)).to_have_text(widget.place_in_words(3))
