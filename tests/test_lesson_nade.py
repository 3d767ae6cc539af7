"""Lesson 04: its numbers are true, and its explorer draws the student's own logits."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from autograder.checks import nade as checks
from autograder.checks import samples
from autograder.draw import Draw
from course import data
from course.operations import count_launches, count_operations
from course.training import evaluate, fit
from figures.sharing import SharingExplorer
from tests.predicted import predictions

LESSON = "04_nade"
EXAMPLE = {
    "W": torch.tensor([[1.0, -2, 5], [0, 3, 7]]),
    "c": torch.tensor([0.0, -1]),
    "V": torch.tensor([[1.0, 1], [2, 0], [-1, 1]]),
    "b": torch.tensor([0.0, -1, 0.5]),
}


def numbers(n: int, h: int, seed: int = 0, dtype: torch.dtype = torch.float32) -> list:
    random = torch.Generator().manual_seed(seed)
    shapes = ((h, n), (h,), (n, h), (n,))
    return [1.5 * torch.randn(s, generator=random, dtype=dtype) for s in shapes]


# ---------------------------------------------------------------------------------- the checks


def test_a_draw_tells_all_sampling_mistakes_apart() -> None:
    for seed in range(8):
        names, laws = checks.laws_of(checks.model_that_tells_apart(Draw(seed, "sample")))
        assert np.allclose(laws.sum(1), 1)
        far = checks.distances(names, laws)
        assert far[0].min() > 2 * samples.BOUND
        assert far.min() > 0.08
        assert laws.max() < 0.95, "who draws nothing gives one word in all samples"


def _rounded(p: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    return p.round()


def _once_for_all(p: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    return torch.bernoulli(p[:1], generator=generator).expand(len(p))


@pytest.mark.parametrize(
    "bit, said",
    [(_rounded, {(False, "not-random", True)}), (_once_for_all, {(True, "", True)})],
)
def test_who_draws_nothing_and_who_draws_once_are_told_alike_by_every_draw(
    bit: Callable, said: set
) -> None:
    def sample(W, c, V, b, count, generator):
        a, bits = c.repeat(count, 1), []
        for i in range(len(b)):
            bits.append(bit(torch.sigmoid(torch.sigmoid(a) @ V[i] + b[i]), generator))
            a = a + bits[i][:, None] * W[:, i]
        return torch.stack(bits, dim=1)

    def take(numbers: checks.Numbers, count: int, generator: torch.Generator) -> np.ndarray:
        return sample(*checks.tensors(numbers), count, generator).numpy().astype(np.float64)

    found = [checks._randomness(sample, take, Draw(seed, "sample")) for seed in range(40)]
    assert {(source.holds, source.misconception, form.holds) for source, form in found} == said


def test_a_sweep_draws_from_the_law_of_the_formula() -> None:
    numbers = checks.numbers_of(Draw(0, "law"), 5, 3)
    assert np.allclose(checks.law(*numbers), checks.law_of_a_sweep(*numbers))
    every = checks.all_bits(5)
    assert np.allclose(checks.nade_rule(every, *numbers), checks.sweep(every, *numbers))
    assert (checks.place_of(every) == np.arange(32)).all()


def test_advice_says_nothing_that_a_hint_keeps() -> None:
    known = [*checks._LOGITS, *checks._SAMPLES, *checks._DEPENDENCIES]
    hints = re.compile(r"\[:|\bV\[|torch\.|stack|expand|cartesian|\.any|!=|1 - x|None\]")
    assert not [m.advice for m in known if hints.search(m.advice)]


def test_models_of_the_search_for_dependencies_see_by_little_and_by_much() -> None:
    for seed in range(20):
        for table, _ in checks.gates(Draw(seed, "gates")):
            by_size = [checks.dependencies(table, tolerance=t) for t in (0.0, 0.0001, 0.001)]
            assert (by_size[0] == by_size[1]).all() and (by_size[1] != by_size[2]).any()
        (one, _), (two, _) = checks.dense_and_causal(Draw(seed, "both"))
        assert {checks.dependencies(t, tolerance=0.04).sum() for t in (one, two)} == {
            len(one[0]) ** 2,
            len(one[0]) * (len(one[0]) - 1) // 2,
        }


def test_growth_tells_a_sweep_from_sums_anew(solved: dict) -> None:
    def growth(function: Any) -> float:
        one, two = (
            count_operations(function, torch.zeros(1, n), *numbers(n, checks.HIDDEN))
            for n in checks.SIZES
        )
        return two / one

    assert abs(growth(solved["nade"]) - 2) < 0.01 < checks.GROWTH - 2
    assert growth(solved["nade_naive"]) > 3.5 > checks.GROWTH


def test_launches_tell_a_loop_over_the_bits_from_prefix_sums(solved: dict) -> None:
    sweep, scan = (
        [count_launches(solved[name], torch.zeros(1, n), *numbers(n, 4)) for n in checks.SIZES]
        for name in ("nade", "nade_scan")
    )
    assert scan[0] == scan[1] <= 10
    assert sweep[1] - sweep[0] >= 3 * (checks.SIZES[1] - checks.SIZES[0])


# ------------------------------------------------------------------------- the numbers of the prose


def test_the_worked_numbers(solved: dict, text: str) -> None:
    x = torch.tensor([[1.0, 0, 1]])
    for name in ("nade_naive", "nade", "nade_scan"):
        found = [f"{v:.4f}" for v in solved[name](x, *EXAMPLE.values())[0]]
        assert found == ["0.7689", "0.4621", "0.0379"]
    for number in ("0.7689", "0.4621", "0.0379", "0.683", "0.614", "0.509"):
        assert number in text
    chances = solved["nade"](x, *EXAMPLE.values())[0].sigmoid()
    assert [f"{p:.3f}" for p in chances] == ["0.683", "0.614", "0.509"]


def test_the_counts_of_the_prose() -> None:
    n, h = 784, 500
    assert h * n * (n - 1) // 2 == 153_468_000 and h * (n - 1) == 391_500
    assert 2 * n * h + h + n == 785_284 and n * (n + 1) // 2 == 307_720
    assert h * n * (n - 1) // 2 + 2 * n * h + n == 154_252_784
    assert 2 * 64 * 128 + 128 + 64 == 16_576
    wins = [m for m in range(1, 3000) if 2 * m * h + h + m < m * (m + 1) // 2]
    assert wins[0] == 2002 and wins == list(range(2002, 3000))


def test_fvsbn_overtakes_nade_at_4h_plus_2(solved: dict) -> None:
    nade = solved["nade_parameters"]
    for h in (1, 2, 10, 50, 100, 500):
        before, after = 4 * h + 1, 4 * h + 2
        assert before * (before + 1) // 2 <= nade(before, h)
        assert after * (after + 1) // 2 > nade(after, h)
    assert nade(3, 2) == 17 and 2.5 < nade(784, 500) / 307_720 < 2.6


@pytest.mark.parametrize("n", [1, 2, 5, 8])
def test_probabilities_sum_to_one(solved: dict, n: int) -> None:
    every = torch.tensor(checks.all_bits(n))
    given = numbers(n, 4, n, torch.float64)
    logits = solved["nade"](every, *given)
    assert torch.allclose(logits, solved["nade_naive"](every, *given), atol=1e-10)
    nll = F.binary_cross_entropy_with_logits(logits, every, reduction="none").sum(1)
    assert abs(nll.neg().exp().sum() - 1) < 1e-6


def test_a_column_more_is_no_distribution(solved: dict) -> None:
    every = torch.tensor(checks.all_bits(6))
    given = [p.numpy() for p in numbers(6, 4, 1, torch.float64)]
    leaking = checks.nade_rule(every.numpy(), *given, columns=lambda i: slice(i + 1))
    nll = F.binary_cross_entropy_with_logits(torch.tensor(leaking), every, reduction="none").sum(1)
    assert abs(nll.neg().exp().sum() - 1) > 0.05
    # The lesson makes the same model by a shift.
    W, c, V, b = numbers(6, 4, 1, torch.float64)
    shifted = F.pad(every, (0, 1)), F.pad(W, (0, 1)), c, F.pad(V, (0, 0, 1, 0)), F.pad(b, (1, 0))
    assert torch.allclose(solved["nade_naive"](*shifted)[:, 1:], torch.tensor(leaking))


def test_hidden_units_learn_exactly_one_of_two_from_some_starts(solved: dict) -> None:
    words = torch.tensor([[0.0, 0, 0], [0, 1, 1], [1, 0, 1], [1, 1, 0]])
    losses = []
    for start in (0, 2):
        tiny = solved["NADE"](3, 4, torch.Generator().manual_seed(start))
        optimizer = torch.optim.Adam(tiny.parameters(), lr=0.1)
        for _ in range(400):
            optimizer.zero_grad()
            loss = tiny.nll(words).mean()
            loss.backward()
            optimizer.step()
        losses.append(float(loss.detach()))
    assert abs(losses[0] - 2.5 * math.log(2)) < 0.01  # the ditch: two of four words told apart
    assert abs(losses[1] - 2 * math.log(2)) < 0.01


def test_digits_cost_what_the_lesson_says(solved: dict) -> None:
    digits = data.digits()
    model = solved["NADE"](64, 128, torch.Generator().manual_seed(0))
    assert sum(p.numel() for p in model.parameters()) == 16_576
    fit(
        model,
        digits.train,
        digits.valid,
        epochs=40,
        batch_size=32,
        lr=2e-2,
        weight_decay=0.1,
        progress=False,
        device="cpu",
    )
    nats, error = evaluate(model, digits.test)
    assert 16.5 < nats < 17.2 and 0.2 < error < 0.3
    W = model.W.detach()
    assert W[:, -1].abs().max() < 0.05 * W.abs().max()  # never used: only decayed


def test_networks_apart_are_as_good_as_nade_and_hidden_units_are_what_counts(experiment) -> None:
    test = {of: nats for of, (_, _, (nats, _)) in experiment["controls"].items()}
    apart, nade = "NetworksApart", "NADE"
    assert abs(test[apart, 128] - test[nade, 128]) < 0.12, "as good"
    assert test[nade, 16] - test[apart, 16] > 1, "ahead by more than a nat"
    assert test[nade, 16] > 18.5, "behind the FVSBN of about 18.4"
    assert 18.4 - test[nade, 128] == pytest.approx(1.6, abs=0.1)
    assert experiment["controls"][apart, 128][0].count() == 274_496
    assert experiment["nade_parameters"](64, 128) == 16_576
    assert abs(experiment["nade_parameters"](64, 16) - 2_080) < 100, "about as many as an FVSBN"


def test_networks_apart_are_a_distribution(solved: dict) -> None:
    every = torch.tensor(checks.all_bits(5)).float()
    one = solved["NetworksApart"](5, 3, torch.Generator().manual_seed(1))
    with torch.no_grad():
        for p in one.parameters():
            p.normal_(generator=torch.Generator().manual_seed(2))
    assert float(one.nll(every).detach().neg().exp().sum()) == pytest.approx(1, abs=1e-5)


def test_an_autoencoder_sums_to_more_than_one(solved: dict) -> None:
    rows = data.digits().train[:, 24:32]
    every = torch.tensor(checks.all_bits(8)).float()
    sums, losses = [], []
    for kind in ("Autoencoder", "NADE"):
        one = solved[kind](8, 16, torch.Generator().manual_seed(0))
        fit(one, rows, rows[:200], epochs=12, lr=3e-2, progress=False, device="cpu")
        sums.append(float(one.nll(every).detach().neg().exp().sum()))
        losses.append(evaluate(one, rows)[0])
    assert sums[0] > 10 and abs(sums[1] - 1) < 1e-3
    assert losses[0] < 0.5 and 2.5 < losses[1] < 3.5


# ------------------------------------------------------------------------------------- the widget


def test_the_explorer_draws_the_students_own_logits(solved: dict) -> None:
    given = numbers(5, 3)
    explorer = SharingExplorer.of(solved["nade"], *given, x=[1, 0, 1, 1, 0])
    every = torch.tensor(checks.all_bits(5)).float()
    assert np.allclose(explorer.logits, solved["nade"](every, *given), atol=1e-5)
    assert explorer.in_words().startswith("Autoregressive: every output")
    assert "h4 is made of c and columns 1, 2, 3 of W; x switches on 1, 3" in repr(explorer)


def test_the_explorer_names_leaks_gaps_and_other_models(solved: dict) -> None:
    given = numbers(4, 3)

    def leaking(x, W, c, V, b):
        return solved["nade"](x, W, c, V, b) + x

    def forgetful(x, W, c, V, b):
        return torch.cat([solved["nade"](x, W, c, V, b)[:, :3], b[3:].expand(len(x), 1)], 1)

    def doubled(x, W, c, V, b):
        return 2 * solved["nade"](x, W, c, V, b)

    assert "Not autoregressive: 4 inputs at or after" in repr(SharingExplorer.of(leaking, *given))
    said = SharingExplorer.of(forgetful, *given)
    assert said.in_words() == (
        "Blind to the future, but 3 inputs of the past not seen: input 1 → output 4, input 2 → "
        "output 4, input 3 → output 4"
    )
    assert "Output 4 does not see inputs 1, 2, 3." in said.step_in_words(4)
    assert "Autoregressive, but not NADE: 64 of 64" in repr(SharingExplorer.of(doubled, *given))


def test_the_explorer_says_a_students_trouble_in_one_sentence() -> None:
    def nade(x, W, c, V, b):
        raise NotImplementedError("nade: write your code here")

    assert repr(SharingExplorer.of(nade, *numbers(4, 3))) == (
        "SharingExplorer: nade is not written yet: solve its exercise first."
    )

    def nade(x, W, c, V, b):
        return x @ W

    assert repr(SharingExplorer.of(nade, *numbers(4, 3))).startswith("SharingExplorer: nade, line ")
    short = SharingExplorer.of(lambda x, *a: x[:, :2], *numbers(4, 3))
    assert "floats of shape (16, 4) are needed" in repr(short)


def test_the_explorer_refuses_what_it_cannot_draw() -> None:
    with pytest.raises(ValueError, match="n ≤ 8 and h ≤ 8"):
        SharingExplorer(*numbers(9, 3))
    with pytest.raises(ValueError, match="V must have shape"):
        SharingExplorer(*numbers(4, 3)[:2], torch.zeros(3, 4), torch.zeros(4))
    with pytest.raises(ValueError, match="step must be in 1 … 4"):
        SharingExplorer(*numbers(4, 3), step=5)
    with pytest.raises(ValueError, match="mode is one of"):
        SharingExplorer(*numbers(4, 3), mode="both")
    with pytest.raises(ValueError, match="4 zeros and ones"):
        SharingExplorer(*numbers(4, 3), x=[1, 0])


def test_every_guess_has_its_answer(experiment):
    told = predictions(LESSON, experiment)
    assert len(told) >= 8 and all(place < len(choices) for choices, place in told.values())


def test_rows_with_matrices_of_their_own_cost_what_the_model_answer_says(text: str):
    """A sum is made anew at the beginning of each of 8 rows, and carried within it."""
    pixels, side, columns = 64, 8, 0
    for i in range(pixels):
        columns += i if i % side == 0 else 1
    assert columns == 280 and f"= {columns}$ columns" in text
    assert (
        f"${pixels - 1}\\,h$" in text
        and f"${pixels * (pixels - 1) // 2:,}".replace(",", "{,}") in text
    )
