"""The small GPT's script: its n-grams, batches, schedule and figures mean what they say."""

from __future__ import annotations

import itertools
import math

import pytest
import torch

from benchmarks import small_gpt
from course import pretrained

TEXT = "the quick brown fox jumps over the lazy dog; the dog barks at the fox. " * 3


@pytest.mark.parametrize("order", [1, 2, 4])
@pytest.mark.parametrize("before", ["", "t", "the ", "zzzz", "§§"])
def test_an_n_grams_probabilities_sum_to_one(order, before):
    model = small_gpt.NGram(TEXT, order)
    everything = [*model.alphabet, "☃"]  # one character stands for all that was never seen
    assert math.isclose(sum(model.probability(c, before) for c in everything), 1.0)


def test_an_n_gram_by_hand():
    model = small_gpt.NGram("abab", 2)
    one = (2 + 2 * (1 / 3)) / (4 + 2)  # a: seen 2 of 4 times, 2 kinds, uniform over a, b and others
    assert math.isclose(model.probability("a", ""), one)
    assert math.isclose(model.probability("a", "b"), (1 + 1 * one) / (1 + 1))
    nats = -math.log(one) - math.log(model.probability("b", "a"))
    assert math.isclose(model.nats("ab"), nats)


def test_a_longer_history_helps_where_there_is_much_text():
    text, test = TEXT * 5, TEXT
    assert small_gpt.NGram(text, 4).nats(test) < small_gpt.NGram(text, 2).nats(test)


def test_an_epochs_windows_do_not_overlap_and_the_next_epoch_cuts_anew():
    size = small_gpt.CONFIG["n_positions"]
    stream = torch.arange(size * (4 * small_gpt.BATCH + 2))
    first, second = (
        torch.cat([small_gpt.batch(stream, 4 * epoch + step)[:, :-1] for step in range(4)])
        for epoch in (0, 1)
    )
    assert first.unique().numel() == first.numel() == 4 * small_gpt.BATCH * size
    assert set(first[:, 0].tolist()) != set(second[:, 0].tolist())
    assert torch.equal(small_gpt.batch(stream, 5), small_gpt.batch(stream, 5))


def test_steps_may_be_changed_while_the_learning_rate_is_constant():
    short = [small_gpt.learning_rate(step, 1000) for step in range(1000)]
    long = [small_gpt.learning_rate(step, 2000) for step in range(600)]
    assert short[:600] == long
    assert max(short) == small_gpt.PEAK and short[-1] == 0
    assert all(a >= b for a, b in itertools.pairwise(short[600:]))


def test_a_texts_nats_do_not_depend_on_where_windows_begin_within_one():
    model = pretrained.language_model()
    text = pretrained.held_out()[:300]
    tokens = torch.tensor([[model.end, *model.encode(text)]])
    assert tokens.shape[1] < model.context
    log_p = model.logits(tokens[:, :-1])[0].log_softmax(1)
    direct = -log_p.gather(1, tokens[0, 1:, None])[:, 0]
    torch.testing.assert_close(small_gpt.token_nats(model, text), direct, rtol=0, atol=1e-4)


def test_every_token_of_a_long_text_is_counted_once():
    model, text = pretrained.language_model(), pretrained.held_out()
    assert len(small_gpt.token_nats(model, text)) == len(model.encode(text)) > 2 * model.context


def test_one_bit_a_byte_is_ln_2_nats_a_character():
    units = small_gpt.figures(math.log(2) * 8, "ÆÆÆÆ", tokens=2)
    assert math.isclose(units["bits_per_byte"], 1)
    assert math.isclose(units["nats_per_character"], 2 * math.log(2))
    assert math.isclose(units["nats_per_token"], 4 * math.log(2))
