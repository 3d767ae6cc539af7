"""One step of attention on typed words: the arithmetic is the formula's, page and kernel agree."""

import math
from collections.abc import Callable

import numpy as np
import torch
from playwright.sync_api import expect

from course import pretrained
from figures.attention_steps import AttentionSteps

TEXT = "my good lord"


def causal_attention(q: torch.Tensor, k: torch.Tensor, v: torch.Tensor) -> torch.Tensor:
    future = torch.ones(q.shape[-2], k.shape[-2]).triu(1).bool()
    scores = q @ k.transpose(-2, -1) / math.sqrt(q.shape[-1])
    return scores.masked_fill(future, -math.inf).softmax(-1) @ v


def unmasked(q: torch.Tensor, k: torch.Tensor, v: torch.Tensor) -> torch.Tensor:
    return (q @ k.transpose(-2, -1) / math.sqrt(q.shape[-1])).softmax(-1) @ v


def numbers(steps: AttentionSteps) -> tuple[np.ndarray, ...]:
    T = len(steps._labels)
    flat = np.frombuffer(steps._numbers, "<f4").astype(float)
    scores, weights = flat[: 2 * T * T].reshape(2, T, T)
    values, answers = flat[2 * T * T :].reshape(2, T, -1)
    return scores, weights, values, answers


def test_the_rows_are_the_formulas() -> None:
    scores, weights, values, answers = numbers(AttentionSteps.of(pretrained.language_model(), TEXT))
    raised = np.exp(scores) * np.tri(len(scores))
    assert np.allclose(weights, raised / raised.sum(1, keepdims=True), atol=1e-6)
    assert np.allclose(answers, weights @ values, atol=1e-5)


def test_the_students_function_is_held_against_it() -> None:
    model = pretrained.language_model()
    right = AttentionSteps.of(model, TEXT, causal_attention)
    assert right._verdict == ["good", "Your causal_attention gives these weights"]
    wrong = AttentionSteps.of(model, TEXT, unmasked)
    assert wrong._verdict[0] == "leak" and numbers(wrong)[1][0, 1] > 0
    waiting = AttentionSteps.of(model, TEXT, lambda q, k, v: None)
    assert "is not written yet" in waiting.in_words()


def test_typed_words_are_read_and_keys_choose_who_asks(show: Callable) -> None:
    steps = AttentionSteps.of(pretrained.language_model(), TEXT)
    page = show(steps, kernel=True)
    words = page.locator(".words")
    expect(words).to_have_text(steps.in_words())
    page.get_by_label("Your words").fill("to be, or not")
    page.keyboard.press("Enter")
    expect(page.locator("tr").first.locator("th")).to_have_count(2 + 5)
    page.locator(".body").press("Home")
    expect(words).to_have_text(steps.in_words(0))
    assert steps._row == 0 and steps._text == "to be, or not"
    page.get_by_label("Attention head").select_option("3")
    expect(words).to_have_text(steps.in_words(0))
    assert steps._head == 3
