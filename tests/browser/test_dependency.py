"""The dependency explorer draws any module: what was measured, in the shape of its inputs."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from playwright.sync_api import expect
from torch import nn

from figures.dependency import dependency_explorer


class Tokens(nn.Module):
    """Logits over 11 tokens; position t has read tokens up to its own."""

    def __init__(self) -> None:
        super().__init__()
        self.table, self.head = nn.Embedding(11, 4), nn.Linear(4, 11)

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        return self.head(self.table(ids).cumsum(1))


def stack() -> nn.Module:
    return nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 3))


def test_a_dense_stack_connects_everything_and_has_no_order() -> None:
    shown = dependency_explorer(stack(), torch.zeros(1, 6))
    assert shown.sees.shape == (3, 6) and shown.sees.all()
    assert shown._verdict == ["plain", "18 of 18 pairs of output and input hang together"]


def test_a_convolution_sees_its_neighbors_in_every_channel() -> None:
    shown = dependency_explorer(nn.Conv1d(2, 3, 3, padding=1), torch.zeros(1, 2, 8))
    far = np.abs(np.arange(8)[:, None] - np.arange(8)[None]) > 1
    assert np.array_equal(shown.sees, np.tile(~far, (3, 2)))
    assert (shown._inputs, shown._outputs) == ([16, 1, 2, 8], [24, 1, 3, 8])
    assert shown.in_words(8) == "Output 9 at (2, 1) sees 4 of 16 inputs: 1–2, 9–10."


def test_channels_taken_together_are_a_row_with_an_order() -> None:
    conv = nn.Conv1d(2, 3, 3, padding=1)
    shown = dependency_explorer(conv, torch.zeros(1, 2, 8), together=1, outputs=1)
    assert shown._verdict[0] == "leak"
    assert shown.in_words(0) == "Output 1 sees 2 of 8 inputs: 1–2. Later than itself: 2."


def test_tokens_are_exchanged_and_classes_belong_to_one_output() -> None:
    shown = dependency_explorer(Tokens(), torch.tensor([[3, 1, 4, 1, 5]]))
    assert np.array_equal(shown.sees, np.tri(5, dtype=bool))
    assert shown._verdict == ["good", "Causal: no output sees a later input"]


def test_an_images_shape_is_kept() -> None:
    shown = dependency_explorer(nn.Conv2d(1, 1, 3, padding=1), torch.zeros(1, 1, 4, 5))
    assert shown._inputs == [20, 1, 4, 5] and shown.sees[0].sum() == 4


@pytest.mark.parametrize(
    ("function", "words"),
    [
        (lambda x: None, "is not written yet"),
        (lambda x: 1 / 0, "ZeroDivisionError"),
        (lambda x: x.repeat(1, 300), "1,200 outputs, and 1,024 can be drawn"),
    ],
)
def test_what_cannot_be_measured_is_a_sentence(function: Callable, words: str) -> None:
    shown = dependency_explorer(function, torch.zeros(1, 4))
    assert words in shown.in_words() and "\n" not in shown.in_words()


@pytest.mark.parametrize("shape", [(4,), (1, 2000)])
def test_an_example_that_cannot_be_drawn_is_refused(shape: tuple) -> None:
    with pytest.raises(ValueError, match="of 1 to 1,024 inputs is needed: got"):
        dependency_explorer(stack(), torch.zeros(shape))


def test_the_worst_output_is_shown_and_keys_and_pointer_choose(show: Callable) -> None:
    shown = dependency_explorer(lambda x: x.flip(1), torch.zeros(1, 6), ordered=True)
    page = show(shown, kernel=True)
    words = page.locator(".words")
    expect(words).to_have_text("Output 1 sees 1 of 6 inputs: 6. Later than itself: 6.")
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowRight")
    expect(words).to_have_text(shown.in_words(1))
    page.keyboard.press("End")
    expect(words).to_have_text("Output 6 sees 1 of 6 inputs: 1.")
    page.keyboard.press("ArrowRight")  # there is none
    page.locator(".side").first.locator(".cell").nth(2).hover()
    expect(words).to_have_text(shown.in_words(2))
    page.mouse.move(2, 2)
    expect(words).to_have_text(shown.in_words(5))
    assert shown._output == 5
