"""Lesson 03: its numbers are true, and its explorer measures what it is given."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from autograder import lessons
from autograder.checks import fvsbn, samples
from autograder.draw import Draw
from course import data
from course.training import evaluate, fit
from figures.completion import CompletionExplorer
from tests.predicted import predictions

LESSON = "03_fvsbn"
W = torch.tensor([[7.0, 9, 8], [2, 5, 9], [-1, 3, 4]])
B = torch.tensor([0.0, -1, 0.5])


# ---------------------------------------------------------------------------------- the checks


def test_a_draw_tells_all_sampling_mistakes_apart() -> None:
    # Shares of samples are within 0.055 of their law: laws that are twice as far are told apart.
    for seed in range(20):
        weight, bias, *_ = fvsbn.empty_case(Draw(seed, "sample"))
        laws = fvsbn.laws_of(fvsbn._OF_SAMPLES, weight, bias, fvsbn.NOTHING)
        begun = fvsbn.begun_case(Draw(seed, "complete"), fvsbn.REST)
        endings = fvsbn.laws_of(fvsbn._OF_ENDINGS, *begun[:3])
        for tables in (laws, endings):
            assert all(np.allclose(law.sum(axis=-1), 1) for table in tables for law in table)
            assert samples.apart(tables) > 2 * samples.BOUND


def test_false_alarms_of_the_sampling_checks_are_rarer_than_one_in_a_million() -> None:
    for outcomes in (8, 16):  # of lessons 03, 04 and 05
        assert samples.false_alarm(outcomes, samples.DRAWS, samples.BOUND) < 1e-8
    law = np.random.default_rng(0).dirichlet(np.ones(16))
    drawn = np.random.default_rng(1).multinomial(samples.DRAWS, law, size=2000) / samples.DRAWS
    assert np.abs(drawn - law).sum(axis=1).max() < samples.BOUND


@pytest.mark.parametrize("exercise", ["logits", "nll"])
def test_gradients_by_differences_are_those_of_training(solved: dict, exercise: str) -> None:
    rule = {"logits": fvsbn.rule_of_logits, "nll": fvsbn.rule_of_nll}[exercise]
    x, weight, bias, asked = fvsbn.models_to_train(Draw(0, exercise))[0]
    on_weight, on_bias = rule(x, weight, bias, asked)
    assert not np.triu(on_weight).any()
    w, b = (torch.tensor(v, requires_grad=True) for v in (weight, bias))
    (solved[exercise](torch.tensor(x), w, b) ** 2 / 2).sum().backward()
    assert np.allclose(on_weight, w.grad, atol=1e-6) and np.allclose(on_bias, b.grad, atol=1e-6)


# ------------------------------------------------------------------------- the numbers of the prose


def test_the_worked_numbers_of_logits_and_nll(solved: dict, text: str) -> None:
    x = torch.tensor([[1.0, 0, 1]])
    assert solved["logits"](x, W, B).tolist() == [[0, 1, -0.5]]
    cost = float(solved["nll"](x, W, B))
    assert f"{cost:.4f}" == "2.9805" and "2.9805 nats" in text
    assert f"{math.exp(-cost):.4f}" == "0.0508" and "= 0.0508" in text
    steps = F.binary_cross_entropy_with_logits(solved["logits"](x, W, B), x, reduction="none")
    assert [f"{v:.4f}" for v in steps[0]] == ["0.6931", "1.3133", "0.9741"]
    assert f"{1 / (1 + math.exp(-1)):.3f}" == "0.731" and f"{1 / (1 + math.exp(1)):.3f}" == "0.269"


def test_a_sigmoid_of_100_is_exactly_one_in_single_precision() -> None:
    assert torch.sigmoid(torch.tensor(100.0)) == 1
    assert -torch.log(1 - torch.sigmoid(torch.tensor(100.0))) == math.inf


@pytest.mark.parametrize("n", [1, 2, 5, 8])
def test_probabilities_sum_to_one(solved: dict, n: int) -> None:
    random = torch.Generator().manual_seed(n)
    weight = 4 * torch.randn(n, n, generator=random, dtype=torch.float64)
    bias = torch.randn(n, generator=random, dtype=torch.float64)
    every = torch.tensor(samples.all_bits(n))
    assert abs(solved["nll"](every, weight, bias).neg().exp().sum() - 1) < 1e-6
    if n > 1:  # without the last factor: the guess of the lesson
        fewer = solved["nll"](every[:, :-1], weight[:-1, :-1], bias[:-1]).neg().exp()
        assert abs(fewer.sum() - 2) < 1e-6


def test_digits_cost_what_the_lesson_says(solved: dict) -> None:
    digits = data.digits()
    frequency = (digits.train.sum(0) + 1) / (len(digits.train) + 2)
    logit = frequency.logit().expand_as(digits.test)
    coins = F.binary_cross_entropy_with_logits(logit, digits.test, reduction="none").sum(1).mean()
    assert f"{coins:.2f}" == "25.20"
    model = solved["FVSBN"](64)
    fit(
        model,
        digits.train,
        digits.valid,
        epochs=100,
        batch_size=100,
        lr=2e-2,
        progress=False,
        device="cpu",
    )
    nats, error = evaluate(model, digits.test)
    assert 18.0 < nats < 18.7 and 0.2 < error < 0.3
    assert 6.5 < coins - nats < 7.1  # "almost 7 nats", "about 900 times"
    x = torch.zeros(1, 64)
    votes = CompletionExplorer.of(solved["logits"], solved["complete"], model.weight, model.bias, x)
    assert "Autoregressive: every logit sees all pixels" in repr(votes)


def test_two_pixels_of_row_four_are_always_white() -> None:
    row = data.digits().train[:, 24:32]
    assert (row.sum(0) == 0).sum() == 2  # why the copying model's sum is 2^6 = 64
    assert data.digits().train[:, 23].sum() == 1  # pixel 24, once in 1,297 images


def test_no_fvsbn_follows_exactly_one_of_two(solved: dict) -> None:
    # The loss is convex and its gradient vanishes at zero weights: three coins are the optimum.
    words = torch.tensor([[0.0, 0, 0], [0, 1, 1], [1, 0, 1], [1, 1, 0]])
    weight, bias = torch.zeros(3, 3, requires_grad=True), torch.zeros(3, requires_grad=True)
    loss = solved["nll"](words, weight, bias).mean()
    loss.backward()
    assert weight.grad.abs().max() < 1e-7 and bias.grad.abs().max() < 1e-7
    assert abs(float(loss.detach()) - 3 * math.log(2)) < 1e-6


# ------------------------------------------------------------------------------------- the widget


def explorer(logits: Any, n: int = 16, **more: Any) -> CompletionExplorer:
    random = torch.Generator().manual_seed(3)
    weight, bias = torch.randn(n, n, generator=random), torch.randn(n, generator=random)
    keep = more.pop("complete", lambda prefix, w, b, g: F.pad(prefix, (0, n - prefix.shape[1])))
    return CompletionExplorer.of(logits, keep, weight, bias, **more)


def test_the_explorer_measures_the_votes_of_the_given_function(solved: dict) -> None:
    found = explorer(solved["logits"])
    weight = torch.randn(16, 16, generator=torch.Generator().manual_seed(3))
    assert np.allclose(found.votes, weight.tril(-1), atol=1e-5)
    assert found.in_words().startswith("Autoregressive")


def test_the_explorer_names_leaks_gaps_and_coins() -> None:
    leaky = explorer(lambda x, w, b: x @ w.T + b, cursor=14)
    assert leaky.in_words().startswith("Not autoregressive: 136 times")
    assert "sees 2 pixels at or after its own: 15, 16" in leaky.pixel_in_words(14)
    blind = explorer(lambda x, w, b: x @ w.tril(-2).T + b)
    assert (
        blind.in_words()
        == "Blind to the future, but 15 votes that the order allows are not counted"
    )
    assert "independent coins" in explorer(lambda x, w, b: b.expand(x.shape)).in_words()
    curved = explorer(lambda x, w, b: (x @ w.tril(-1).T) ** 2 + b, x=[1] * 16)
    assert "does not add votes up" in repr(curved)


def test_the_explorer_says_a_students_trouble_in_one_sentence(solved: dict) -> None:
    def logits(x, weight, bias):
        raise NotImplementedError("logits: write your code here")

    assert "logits is not written yet" in repr(explorer(logits))

    def logits(x, weight, bias):
        return x @ weight[:3] + bias

    assert repr(explorer(logits)).startswith("CompletionExplorer: logits, line ")
    assert "are needed" in repr(explorer(lambda x, w, b: b))

    def complete(prefix, weight, bias, generator):
        raise NotImplementedError

    waiting = repr(explorer(solved["logits"], complete=complete))
    assert "complete is not written yet" in waiting and "Autoregressive" in waiting
    assert "bits of shape (6, 16) are needed" in repr(
        explorer(solved["logits"], complete=lambda p, w, b, g: p)
    )


def test_the_explorer_refuses_what_it_cannot_draw(solved: dict) -> None:
    with pytest.raises(ValueError, match="square n"):
        explorer(solved["logits"], n=15)
    with pytest.raises(ValueError, match="16 zeros and ones"):
        explorer(solved["logits"], x=[2] * 16)
    with pytest.raises(ValueError, match="cursor"):
        explorer(solved["logits"], cursor=16)


def test_the_explorers_cost_is_the_nll_of_the_lesson(solved: dict) -> None:
    x = [0, 1] * 8
    random = torch.Generator().manual_seed(3)
    weight, bias = torch.randn(16, 16, generator=random), torch.randn(16, generator=random)
    cost = float(solved["nll"](torch.tensor([x]).float(), weight, bias))
    assert (
        explorer(solved["logits"], x=x).cost_in_words()
        == f"The whole picture costs {cost:.2f} nats."
    )


def test_every_guess_has_its_answer(solved: dict[str, Any], lesson: lessons.Lesson) -> None:
    names = dict(solved) | {"display": lambda shown: None}
    for cell in lesson.cells:
        if "def coin_logits" in cell.source or cell.source.startswith("digits = "):
            exec(cell.source, names)
    told = predictions(LESSON, names)
    assert len(told) >= 8 and all(place < len(choices) for choices, place in told.values())
