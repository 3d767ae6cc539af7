"""The table of likelihoods is made of the lessons' models, kept line by line, with settings."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from benchmarks import likelihoods
from benchmarks.likelihoods import DIGITS, Setting
from course import data

NAMES = ["coins", "FVSBN", "NADE", "MADE, 1 mask", "MADE, many masks"]


@pytest.fixture(scope="module")
def results() -> list[likelihoods.Result]:
    """All models on row 4 of the digits, 8 pixels, for a moment each."""
    digits = data.digits()
    row = {part: getattr(digits, part)[:, 24:32] for part in ("train", "valid", "test")}
    settings = {
        "FVSBN": Setting(8, 50, 5e-2),
        "NADE": Setting(4, 50, 5e-2, hidden=8),
        "MADE, 1 mask": Setting(8, 50, 2e-2, hidden=32),
        "MADE, many masks": Setting(8, 50, 2e-2, hidden=32, masks=3),
    }
    split = replace(digits, **row)
    return list(likelihoods.train_all(split, settings, "Row 4", progress=False))


def test_every_model_beats_the_coins(results: list) -> None:
    assert [r.model for r in results] == NAMES
    coins, *others = (r.nats for r in results)
    assert all(2.5 < nats < coins - 0.05 for nats in others)
    assert all(0 < r.error < 0.3 for r in results)


def test_parameters_are_those_that_are_used(results: list) -> None:
    n = 8
    assert [r.parameters for r in results[:4]] == [
        n,
        n * (n + 1) // 2,
        2 * n * 8 + 8 + n,
        n * 32 + 32 + n,
    ]


def test_a_sample_of_nade_costs_a_sweep_and_the_others_a_pass_for_each_bit(results: list) -> None:
    cost = {r.model: (r.likelihood, r.sample) for r in results}
    nll, sample = cost["NADE"]
    assert sample < 1.2 * nll
    for model in ("FVSBN", "MADE, 1 mask"):
        nll, sample = cost[model]
        assert sample > 5 * nll


def test_a_run_replaces_its_own_line_only(results: list, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(likelihoods, "STORE", tmp_path / "kept.json")
    for result in reversed(results):
        likelihoods.keep(result)
    likelihoods.keep(replace(results[2], nats=1.5, seed=7))
    kept = likelihoods.stored()
    assert [r.model for r in kept] == NAMES
    assert [r for r in kept if r.model != "NADE"] == [r for r in results if r.model != "NADE"]
    table = likelihoods.table(kept)
    assert "| NADE | 1.50 |" in table and "hidden 8, 4 epochs" in table and "seed 7" in table


def test_mnist_stands_beside_the_published_numbers(results: list) -> None:
    lines = [replace(r, images="MNIST 28×28") for r in results]
    table = likelihoods.table(lines)
    assert "88.86 (Larochelle and Murray, 2011)" in table
    assert "FVSBN: 1: " in table  # the learning curve


def test_the_stored_table_has_the_settings_of_the_lessons() -> None:
    kept = {r.model: r for r in likelihoods.stored() if r.images == "Digits 8×8"}
    assert list(kept) == NAMES
    for model, setting in DIGITS.items():
        assert kept[model].setting == setting.in_words()
    assert 25.1 < kept["coins"].nats < 25.3
    assert 18.0 < kept["FVSBN"].nats < 18.7
    assert 16.5 < kept["NADE"].nats < 17.2
    assert torch.tensor([r.error for r in kept.values()]).max() < 0.35
