"""How many tokens a second a model writes is told beside the memory's bound, and by whom."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from autograder.lessons import solution_functions
from course import writing

SIZES = {"vocab_size": 97, "n_positions": 32, "n_embd": 16, "n_layer": 2, "n_head": 4}


@pytest.fixture
def model(monkeypatch: pytest.MonkeyPatch) -> torch.nn.Module:
    monkeypatch.setattr(writing, "PROMPT", 5)
    monkeypatch.setattr(writing, "COUNT", 7)
    return solution_functions("12_gpt2")["GPT2"](SIZES)


def test_a_token_reads_every_weight_but_the_table_of_positions(model: torch.nn.Module):
    numbers = solution_functions("12_gpt2")["gpt2_parameters"](SIZES)
    assert writing.weights_read(model) == 4 * (numbers - 32 * 16)


def test_the_bound_is_bandwidth_over_bytes():
    speeds = writing.Speeds("a card", "a model", {"quick": 30.0}, 2e9, 50_000_000, "ours")
    assert speeds.bound == 40
    assert speeds.rows() == [
        ("quick", "     30 tokens a second, 75.0% of the bound"),
        ("the bound", "     40 tokens a second: 2 GB/s over 50 MB a token"),
    ]


def test_what_is_measured_is_kept_and_found_again(
    model: torch.nn.Module, monkeypatch: pytest.MonkeyPatch, tmp_path
):
    asked = []

    def write(tokens, count):
        asked.append((tuple(tokens.shape), count))
        return tokens

    monkeypatch.setattr(writing, "STORE", tmp_path / "writing.json")
    monkeypatch.setattr(writing, "bandwidth", lambda device: 1e9)
    found = writing.measured({"mine": lambda model: write}, model, "a test")
    assert set(asked) == {((1, 5), 7)} and len(asked) == writing.TIMES + 1
    assert found.rates["mine"] > 0 and found.size == writing.weights_read(model)
    writing.keep(found)
    assert writing.stored() == found


def test_without_a_card_the_stored_result_is_shown_and_says_so(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("COURSE_DEVICE", "cpu")
    for size in ("auto", "gpu", "laptop"):
        shown = writing.speeds({}, lambda config: pytest.fail("nothing is made"), SIZES, size)
        assert replace(shown, by="") == replace(writing.stored(), by="")
        assert ("no CUDA card here" in repr(shown)) == (size != "laptop")
        assert "stored: measured" in repr(shown)
    ours, theirs = shown.rates, "the reference library, static cache and compiled"
    assert ours["a static cache, one launch a token"] > 1.5 * ours[theirs]


def test_a_copy_reads_and_writes_at_some_speed():
    assert 1e7 < writing.bandwidth(torch.device("cpu"), length=2**20) < 1e13


def test_a_smaller_model_is_measured_on_the_processor(monkeypatch: pytest.MonkeyPatch):
    lesson = solution_functions("12_gpt2")
    for name, value in {"PROMPT": 3, "COUNT": 4, "ROOM": 7, "TIMES": 1}.items():
        monkeypatch.setattr(writing, name, value)
    found = writing.speeds(
        {"mine": lambda model: lesson["static_writer"](model, writing.ROOM)},
        lesson["GPT2"],
        SIZES,
        size="smaller",
    )
    assert (found.device, found.by) == ("cpu", "your code, measured now")
    made = {**SIZES, **writing.SMALLER}
    assert found.size == 4 * (lesson["gpt2_parameters"](made) - 32 * made["n_embd"])


def test_another_size_is_refused_in_a_sentence():
    with pytest.raises(
        ValueError, match="size must be one of auto, gpu, laptop, smaller: got 'xl'"
    ):
        writing.speeds({}, lambda config: None, SIZES, size="xl")
