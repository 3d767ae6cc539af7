"""What the lessons' fits ask of a card, on a lesson made here."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import fits
from course.device import WORTH_A_CARD
from tests.test_benchmark_gpu import HEAD, QUESTION

CELL = """
import torch
from course.training import fit

size = "auto"
assert size == "laptop"
model = torch.nn.Linear(2, 1)
x = torch.zeros(10, 2)
fit(model, x, x, loss=lambda m, x: m(x).pow(2)[:, 0], epochs=3, batch_size=5, progress=False)
"""


def test_each_fit_of_a_lesson_is_estimated_and_still_runs_on_the_processor(tmp_path: Path) -> None:
    folder = tmp_path / "solutions" / "01_coin"
    folder.mkdir(parents=True)
    head = HEAD.partition("# %% [markdown]")[0]
    (folder / "lesson.py").write_text(f"{head}# %%\n{CELL}\n{QUESTION}", encoding="utf-8")
    (seconds,) = fits.estimates_of("01_coin", tmp_path)
    assert 0 < seconds < WORTH_A_CARD


@pytest.mark.parametrize(("longest", "asks"), [(WORTH_A_CARD / 7, "no"), (WORTH_A_CARD + 1, "yes")])
def test_the_table_says_who_asks(longest: float, asks: str) -> None:
    told = fits.table({"01_coin": [], "02_dice": [1.0, longest]})
    assert "| 01_coin | 0 | 0.0 | 0.0 | no |" in told
    assert f"| 02_dice | 2 | {1 + longest:.1f} | {longest:.1f} | {asks} |" in told
