"""Lesson 12: it IS GPT-2, its cache changes nothing, its numbers are true."""

from __future__ import annotations

import dataclasses
import itertools
import math
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode
from transformers import GPT2Config, GPT2LMHeadModel

from autograder import lessons
from autograder.checking import judge
from autograder.checks import gpt2 as checks
from autograder.checks.samples import false_alarm
from autograder.claims import Verdict
from autograder.draw import Draw
from autograder.inside.gpt2 import LEAKS, Toy, _suspect, suspects
from course import matvec, pretrained
from course.causality import dependency_map
from course.operations import count_operations
from course.step import RECORDERS, WARM_UPS
from figures.attention import AttentionExplorer

LESSON = "12_gpt2"
SMALL = {"vocab_size": 101, "n_positions": 16, "n_embd": 24, "n_layer": 3, "n_head": 4}
GPT2_124M = {"vocab_size": 50257, "n_positions": 1024, "n_embd": 768, "n_layer": 12, "n_head": 12}


@pytest.fixture(scope="module")
def model(solved: dict) -> nn.Module:
    """The solution with random weights, large enough for all of its parts to matter."""
    torch.manual_seed(0)
    made = solved["GPT2"](SMALL).eval()
    for p in made.parameters():
        nn.init.normal_(p, std=0.3)
    return made


def ids(rows: int, length: int, seed: int = 0, vocabulary: int = 101) -> torch.Tensor:
    return torch.randint(vocabulary, (rows, length), generator=torch.Generator().manual_seed(seed))


# ---------------------------------------------------------------------------------- the checks


def test_a_list_of_everyone_or_no_one_accuses_nobody_rightly() -> None:
    for answer in (lambda models: list(models), lambda models: [], lambda models: list(models)[:2]):
        verdict = judge(answer, name="find_the_leak", lesson=LESSON)
        assert verdict.earned == 0, verdict


def test_a_model_that_is_accused_without_a_question_earns_nothing_though_it_leaks(monkeypatch):
    search = checks.searched

    def knowing(heard: Callable[[list[str]], list[str]]) -> Verdict:
        """The verdict on somebody who names the leaky ones, having asked those of `heard`."""

        def searched(*arguments: Any) -> checks.Round:
            one = search(*arguments)
            leaky = sorted(name for name, habit in one.who.items() if habit)
            asked = {name: [checks.Question("logits", 3, False)] for name in heard(leaky)}
            return dataclasses.replace(one, named=set(leaky), asked=asked)

        monkeypatch.setattr(checks, "searched", searched)
        return judge(lambda models: [], name="find_the_leak", lesson=LESSON)

    assert knowing(lambda leaky: leaky).earned == 2
    for heard in (lambda leaky: [], lambda leaky: leaky[:1]):
        verdict = knowing(heard)
        assert verdict.earned == 0
        assert {c.waits for c in verdict.claims} == {
            "a question to each model before it is accused"
        }


def test_false_alarms_of_the_sampling_check_are_rarer_than_one_in_a_million() -> None:
    assert false_alarm(16, checks.DRAWS, checks.BOUND) < 1e-12


def test_a_draw_tells_all_sampling_mistakes_apart() -> None:
    found = 0
    for seed in range(40):
        draw = Draw(seed, "apart")
        prompt = draw.rng.integers(0, 4, size=(1, 3))
        tables = checks.continuations(Toy(4, 12, 6.0 * float(draw.uniform(1)[0]), 1.2), prompt)
        assert all(abs(table.sum() - 1) < 1e-9 for table in tables.values())
        pairs = itertools.combinations(tables.values(), 2)
        found += min(np.abs(p - q).sum() for p, q in pairs) > 2 * checks.BOUND
    assert found > 20  # the check draws again until they are


# ---------------------------------------------------------------------------------- it IS GPT-2


def reference(config: dict[str, int], seed: int = 0) -> GPT2LMHeadModel:
    torch.manual_seed(seed)
    special = {"bos_token_id": 0, "eos_token_id": 0}
    made = GPT2LMHeadModel(GPT2Config(**config, **special)).eval()
    for p in made.parameters():
        nn.init.normal_(p, std=0.3)
    return made


def in_pieces(solved: dict, model: nn.Module, tokens: torch.Tensor, cuts: list[int]) -> Any:
    """The logits of a text that is fed to a cache piece by piece."""
    cache, logits = solved["Cache"](), []
    for a, b in itertools.pairwise([0, *cuts, tokens.shape[1]]):
        logits.append(model(tokens[:, a:b], cache))
    assert cache.length == tokens.shape[1]
    return torch.cat(logits, dim=1)


@pytest.mark.parametrize("dtype, tolerance", [(torch.float32, 1e-4), (torch.float64, 1e-11)])
def test_logits_equal_the_reference_librarys(solved: dict, dtype: Any, tolerance: float) -> None:
    theirs = reference(SMALL).to(dtype)
    ours = solved["GPT2"](SMALL).to(dtype)
    ours.load_state_dict(solved["load_hf"](theirs.state_dict()))
    tokens = ids(3, 16)
    with torch.no_grad():
        right = theirs(tokens).logits
        assert right.abs().max() > 1
        assert (ours(tokens) - right).abs().max() < tolerance
        for cuts in ([], [1], [5, 6, 12], list(range(1, 16))):
            assert (in_pieces(solved, ours, tokens, cuts) - right).abs().max() < tolerance


def test_names_with_and_without_prefix_masks_and_head_load_alike(solved: dict) -> None:
    theirs = reference(SMALL)
    full = theirs.state_dict()
    bare = {n.removeprefix("transformer."): v for n, v in full.items() if "lm_head" not in n}
    masked = dict(bare)
    for layer in range(3):  # as the hub's file of GPT-2 stores them
        masked[f"h.{layer}.attn.bias"] = torch.ones(1, 1, 16, 16).tril()
        masked[f"h.{layer}.attn.masked_bias"] = torch.tensor(-1e4)
    loaded = [solved["load_hf"](one) for one in (full, bare, masked)]
    own = solved["GPT2"](SMALL).state_dict()
    for one in loaded:
        assert list(sorted(one)) == sorted(own)
        assert all(torch.equal(one[n], loaded[0][n]) and one[n].shape == own[n].shape for n in own)


def test_the_124m_model_equals_the_reference_library_whole_and_in_pieces(solved: dict) -> None:
    with torch.device("meta"):
        theirs, ours = GPT2LMHeadModel(GPT2Config()), solved["GPT2"](GPT2_124M)
    random = torch.Generator().manual_seed(0)
    weights = {}
    for name, value in theirs.state_dict().items():
        scale = 0.12 if "wte" in name else 0.04  # logits of ±100, as the trained model has them
        drawn = torch.empty(value.shape).normal_(0, scale, generator=random)
        weights[name] = drawn + 1 if "ln_" in name and name.endswith("weight") else drawn
    weights["lm_head.weight"] = weights["transformer.wte.weight"]
    theirs.load_state_dict(weights, assign=True)
    ours.load_state_dict(solved["load_hf"](weights), assign=True)
    tokens = ids(1, 24, vocabulary=50257)
    with torch.no_grad():
        right = theirs.eval()(tokens).logits
        assert right.abs().max() > 5
        assert (ours(tokens) - right).abs().max() < 1e-4
        assert (in_pieces(solved, ours, tokens, [8, 9, 20]) - right).abs().max() < 1e-4
    assert sum(p.numel() for p in ours.parameters()) == 124_439_808
    assert solved["gpt2_parameters"](GPT2_124M) == 124_439_808


def test_from_pretrained_reads_a_folder_in_the_hubs_format(solved: dict, tmp_path: Any) -> None:
    theirs = reference(SMALL, seed=3)
    theirs.save_pretrained(tmp_path)
    assert {"config.json", "model.safetensors"} <= {path.name for path in tmp_path.iterdir()}
    ours = solved["GPT2"].from_pretrained(tmp_path)
    assert not ours.training
    tokens = ids(2, 9)
    with torch.no_grad():
        assert (ours(tokens) - theirs(tokens).logits).abs().max() < 1e-4


def test_from_pretrained_lays_the_weights_out_for_writing(
    solved: dict, monkeypatch: pytest.MonkeyPatch
) -> None:
    as_stored = solved["GPT2"].from_pretrained(pretrained.SMALL)
    monkeypatch.setattr(matvec, "LARGE", 1)
    ours = solved["GPT2"].from_pretrained(pretrained.SMALL)
    assert all(type(block.up) is matvec.SpreadLinear for block in ours.h)
    tokens = ids(1, 9) % ours.config["vocab_size"]
    with torch.no_grad():
        assert (
            in_pieces(solved, ours, tokens, list(range(1, 9))) - as_stored(tokens)
        ).abs().max() < 1e-4


def test_the_small_gpt_speaks_through_the_students_model(solved: dict) -> None:
    ours = solved["GPT2"].from_pretrained(pretrained.SMALL)
    ready = pretrained.language_model(pretrained.SMALL)
    tokens = torch.tensor([ready.encode("What is the matter, my good lord?")])
    with torch.no_grad():
        assert (ours(tokens) - ready.logits(tokens)).abs().max() < 1e-4
        assert (in_pieces(solved, ours, tokens, [2]) - ours(tokens)).abs().max() < 1e-4


# ------------------------------------------------------------------------------- cache and window


@pytest.mark.parametrize("length, count", [(1, 5), (7, 9), (12, 30), (16, 3), (40, 20)])
@pytest.mark.parametrize("seed", [None, 3])
def test_cached_text_equals_uncached_text_up_to_and_past_the_context(
    solved: dict, model: nn.Module, length: int, count: int, seed: int | None
) -> None:
    def write(function: Any) -> torch.Tensor:
        random = None if seed is None else torch.Generator().manual_seed(seed)
        return function(model, ids(3, length, seed=length), count, random)

    whole, cached = write(solved["generate"]), write(solved["generate_cached"])
    assert whole.shape == (3, length + count)
    assert torch.equal(whole, cached)


def test_a_reordered_cache_goes_on_as_the_reordered_texts_would(
    solved: dict, model: nn.Module
) -> None:
    tokens, more, again = ids(4, 6), ids(5, 2, seed=1), ids(2, 3, seed=2)
    beams, fewer = torch.tensor([2, 2, 0, 3, 2]), torch.tensor([4, 1])
    cache = solved["Cache"]()
    with torch.no_grad():
        model(tokens, cache)
        cache.reorder(beams)
        second = model(more, cache)
        cache.reorder(fewer)
        third = model(again, cache)
        grown = torch.cat([tokens[beams], more], dim=1)
        assert (second - model(grown)[:, 6:]).abs().max() < 1e-4
        assert (third - model(torch.cat([grown[fewer], again], dim=1))[:, 8:]).abs().max() < 1e-4


def test_too_many_tokens_are_one_clear_error(solved: dict, model: nn.Module) -> None:
    with pytest.raises(ValueError, match=r"the model has 16 positions: got 0 \+ 17 tokens"):
        model(ids(1, 17))
    cache = solved["Cache"]()
    model(ids(1, 10), cache)
    with pytest.raises(ValueError, match=r"the model has 16 positions: got 10 \+ 7 tokens"):
        model(ids(1, 7), cache)


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 8, 64])
def test_the_window_holds_all_that_fits_and_jumps_by_half_a_context(
    solved: dict, limit: int
) -> None:
    window, before = solved["window"], 0
    for length in range(1, 6 * limit + 3):
        tokens = torch.arange(length)[None]
        seen = window(tokens, limit)
        size = seen.shape[1]
        assert torch.equal(seen, tokens[:, length - size :])
        assert 1 <= size <= limit and (size == length or length > limit)
        assert size == before + 1 or (before == limit and size <= limit)
        before = size


def test_the_worked_windows(solved: dict) -> None:
    sizes = {n: solved["window"](torch.zeros(1, n), 8).shape[1] for n in (8, 9, 12, 13)}
    assert sizes == {8: 8, 9: 5, 12: 8, 13: 5}


def test_the_worked_count_of_tokens_read(solved: dict) -> None:
    read = {}
    for name in ("generate", "generate_cached"):
        toy = Toy(5, 20)
        solved[name](toy, torch.zeros(1, 4, dtype=torch.int64), 4)
        read[name] = sum(length for _, length, _ in toy.calls)
    assert read == {"generate": 22, "generate_cached": 7}
    T, N = 4, 4
    assert read["generate"] == T * N + N * (N - 1) // 2 and read["generate_cached"] == T + N - 1


def test_the_cost_of_a_cached_token_is_all_but_flat(solved: dict) -> None:
    config = SMALL | {"n_positions": 128, "n_embd": 128}
    large = solved["GPT2"](config)
    tokens, costs, anew = ids(1, 128), [], []
    for n in (8, 64, 127):
        cache = solved["Cache"]()
        with torch.no_grad():
            large(tokens[:, :n], cache)
        costs.append(count_operations(large, tokens[:, n : n + 1], cache))
        anew.append(count_operations(large, tokens[:, : n + 1]))
    assert costs[2] < 1.5 * costs[0]
    assert anew[2] > 12 * anew[0]


# ------------------------------------------------------------------------------------- the leaks


@pytest.mark.parametrize("habit", LEAKS)
def test_every_planted_leak_is_found_and_no_honest_model_accused(solved: dict, habit: str) -> None:
    for seed in range(6):
        models = {"honest": _suspect("", seed), "leaky": _suspect(habit, seed + 100)}
        assert solved["find_the_leak"](models) == ["leaky"]


def test_five_suspects_hold_two_leaks_and_the_lessons_five_are_found(solved: dict) -> None:
    for seed in (2, 3, 4):
        five = suspects(seed)
        assert len(five) == 5
        assert solved["find_the_leak"](five) == [n for n, m in five.items() if m._habit]
    assert sorted(m._habit for m in suspects(2).values() if m._habit) == ["gated", "late"]


def test_some_leaks_hide_from_the_raw_model_and_from_gradients() -> None:
    def raw(habit: str) -> bool:
        model = _suspect(habit, 0)
        tokens = ids(2, 12, vocabulary=13)
        seen = dependency_map(model, tokens, "token", outputs=-1, vocabulary=13, randomize=False)
        return seen.is_autoregressive(own=True)

    assert raw("gated") and raw("") and not raw("late") and not raw("rounded")
    short = dependency_map(_suspect("late", 0), ids(2, 6, vocabulary=13), "token", outputs=-1)
    assert short.is_autoregressive(own=True)


def test_a_model_of_the_lesson_is_causal_on_both_sides(solved: dict, model: nn.Module) -> None:
    seen = dependency_map(model, ids(2, 16), "token", outputs=-1, vocabulary=101)
    assert len(seen.forbidden(own=True)) == len(seen.missing(own=True)) == 0
    assert not seen.rows_mix


# ------------------------------------------------------------------------ one launch for a token


@pytest.fixture
def recorder(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """A processor that records as a card does: some steps to warm up, then it plays; its plays."""
    plays: list[int] = []

    def record(step: Any) -> Any:
        for _ in range(WARM_UPS):
            step()
        return lambda: plays.append(1) or step()

    monkeypatch.setitem(RECORDERS, "cpu", record)
    return plays


@pytest.mark.parametrize(("length", "count"), [(1, 15), (4, 2), (6, 10), (15, 1)])
def test_equal_steps_write_what_the_growing_cache_writes(
    solved: dict, model: nn.Module, recorder: list[int], length: int, count: int
) -> None:
    line = ids(1, length)
    write = solved["static_writer"](model, 16)
    for text in (line, (line + 1) % 101):  # the second into places that the first has left
        assert torch.equal(write(text, count), solved["generate_cached"](model, text, count))
    assert len(recorder) == 2 * (count - 1)
    assert all(block.attend is solved["causal_attention"] for block in model.h)


def steps_apart(solved: dict, model: nn.Module) -> float:
    """The largest difference between logits of equal steps and of one pass, over a text."""
    line = ids(1, 16)
    cache, token = solved["StaticCache"](model, 16), line[:, :1].clone()
    found = []
    with torch.no_grad(), solved["attending"](model, cache.attend):
        for place in range(16):
            token.copy_(line[:, place : place + 1])
            found.append(solved["static_step"](model, cache, token))
            assert torch.equal(token, found[-1].argmax(-1))
    with torch.no_grad():
        return float((torch.cat(found, dim=1) - model(line)).abs().max())


def test_equal_steps_give_the_logits_of_one_pass(solved: dict, model: nn.Module) -> None:
    exact = solved["GPT2"](SMALL).double()
    exact.load_state_dict(model.state_dict())
    assert steps_apart(solved, exact) < 1e-12
    small = solved["GPT2"].from_pretrained(pretrained.SMALL)
    assert (
        steps_apart(solved, small) < 1e-5 * 4
    )  # logits of about 10: a few units in the last place


class _Trace(TorchDispatchMode):
    """What was handed to torch: operations, with the shapes and the places of what they read."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[tuple] = []

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple = (), kwargs: dict | None = None
    ) -> Any:
        shapes = tuple(tuple(a.shape) for a in args if isinstance(a, torch.Tensor))
        numbers = tuple(a for a in args if isinstance(a, int | float))
        self.seen.append((str(func), shapes, numbers))
        return func(*args, **(kwargs or {}))


def test_a_step_of_fixed_shapes_can_be_recorded_and_a_growing_one_cannot(
    solved: dict, model: nn.Module
) -> None:
    cache, token, grown = solved["StaticCache"](model, 16), ids(1, 1), solved["Cache"]()
    equal, growing = [], []
    for _ in range(5):
        with torch.no_grad(), solved["attending"](model, cache.attend), _Trace() as trace:
            solved["static_step"](model, cache, token)
        equal.append(trace.seen)
        with torch.no_grad(), _Trace() as trace:
            model(token, grown)
        growing.append(trace.seen)
    assert all(seen == equal[0] for seen in equal[1:])
    assert all(seen != growing[1] for seen in growing[2:])
    # Nothing asks the card for a number, which a recording forbids.
    assert not any("_local_scalar_dense" in what or "nonzero" in what for what, *_ in equal[0])


def test_a_text_that_outgrows_the_model_is_refused_by_equal_steps(
    solved: dict, model: nn.Module
) -> None:
    with pytest.raises(ValueError, match=r"the model has 16 positions: got room for 17"):
        solved["static_writer"](model, 17)


def test_launches_and_stored_speeds_are_told(told: str) -> None:
    assert "the same 40 tokens: True" in told
    assert float(re.search(r"largest difference of the logits: (\S+)", told)[1]) < 1e-5
    grown, equal = map(
        int, re.search(r"takes (\d+) launches .*, (\d+) with a static", told).groups()
    )
    assert 200 < equal < grown < 400  # hundreds
    if not torch.cuda.is_available():
        assert "no CUDA card here, stored: measured" in told
        assert "a static cache, one launch a token" in told


# ------------------------------------------------------------------------- the numbers of the prose


def test_the_worked_attention(solved: dict) -> None:
    log2, log5 = math.log(2), math.log(5)
    k = torch.zeros(3, 4)
    k[:, 0] = torch.tensor([0.0, 2 * log2, 2 * log5])
    q = torch.zeros(3, 4)
    q[:, 0] = 1
    v = torch.tensor([[8.0], [4.0], [0.0]])
    answer = solved["causal_attention"](q, k, v)
    assert torch.allclose(answer, torch.tensor([[8.0], [16 / 3], [2.0]]))
    weights = solved["causal_attention"](q, k, torch.eye(3))
    assert torch.allclose(weights[2], torch.tensor([1 / 8, 2 / 8, 5 / 8]))
    assert torch.allclose(solved["causal_attention"](q[2:], k, v), torch.tensor([[2.0]]))


def test_zeros_after_the_softmax_leave_the_sums_that_are_told() -> None:
    scores = torch.tensor([0.0, math.log(2), math.log(5)]).expand(3, 3)
    assert torch.softmax(scores, -1).tril().sum(-1).tolist() == pytest.approx([0.125, 0.375, 1])


def test_the_worked_parameters(solved: dict) -> None:
    tiny = {"vocab_size": 10, "n_positions": 4, "n_embd": 2, "n_layer": 1, "n_head": 1}
    assert solved["gpt2_parameters"](tiny) == 28 + 24 + 42 + 8 + 4 == 106
    assert sum(p.numel() for p in solved["GPT2"](tiny).parameters()) == 106
    assert solved["gpt2_parameters"](GPT2_124M) == 124_439_808
    assert GPT2_124M["vocab_size"] * GPT2_124M["n_embd"] == 38_597_376


def test_the_worked_conv1d(solved: dict) -> None:
    found = solved["load_hf"]({"h.0.attn.c_attn.weight": torch.arange(1.0, 13).view(2, 6)})
    assert found["h.0.q.weight"].tolist() == [[1, 7], [2, 8]]
    assert found["h.0.v.weight"].tolist() == [[5, 11], [6, 12]]


def test_the_worked_likelihood(solved: dict) -> None:
    table = torch.tensor([[0.5, 0.5, 0, 0], [0.25, 0.25, 0.25, 0.25], [1, 0, 0, 0]]).log()

    def model(tokens: torch.Tensor) -> torch.Tensor:
        return table[None]

    tokens = torch.tensor([[3, 1, 2]])
    assert solved["sequence_nll"](model, tokens).item() == pytest.approx(math.log(8))
    assert solved["sequence_nll"](model, tokens, 2).item() == pytest.approx(math.log(4))
    assert solved["perplexity"](model, tokens) == pytest.approx(math.sqrt(8))


def test_the_experiments_say_what_the_prose_says(told: str) -> None:
    def number(before: str, after: str) -> float:
        return float(told.split(before)[1].split(after)[0])

    honest, leaky = number("honest: ", " nats a letter"), number("leaky: ", " nats a letter")
    assert leaky < 0.1 < 1 < honest < 2.5
    honest, leaky = (float(n) for n in re.findall(r"in (\d+)% of the texts it predicts", told))
    assert honest < 20 < 90 < leaky, "the leaky one copies"
    assert "by your formula 3,749,376, by PyTorch 3,749,376" in told
    assert "GPT-2 124,439,808; an untied head would add 38,597,376 or 31%" in told
    assert 1 < number("with the cache: ", " times the cost") < 1.5
    assert number("at 255 tokens: ", " times fewer") > 100
    bits = float(re.search(r"([\d.]+) bits per byte", told)[1])
    assert 1.5 < bits < 3  # of 8; the model goes on training
    ranked = [line for line in told.splitlines() if " nats, " in line and " a token   " in line]
    assert len(ranked) == 5
    assert "where is the king" in ranked[0] and "you is I pray,?" in ranked[-1]


# ------------------------------------------------------------------------------------ the explorer


def test_the_explorer_measures_the_model_and_shows_its_heads(
    solved: dict, model: nn.Module
) -> None:
    tokens = ids(1, 6)
    widget = AttentionExplorer.of(
        model,
        tokens,
        writers={name: solved[name] for name in ("generate", "generate_cached")},
        count=4,
    )
    assert widget.in_words().startswith("Causal")
    assert widget.weights.shape == (3, 4, 6, 6)
    assert np.allclose(widget.weights.sum(-1), 1, atol=1e-5)
    assert not np.triu(widget.weights[0, 0], 1).any()
    assert widget.clock_in_words() == (
        "training: 1 pass, 9 tokens read; generate: 4 passes, 30 tokens read; "
        "generate_cached: 4 passes, 9 tokens read."
    )
    assert "Head 1 of block 1 looks most at" in widget.place_in_words(3)
    assert all(b.attend is solved["causal_attention"] for b in model.h)


def test_the_explorer_says_a_leak_a_gap_and_an_unsolved_model() -> None:
    def leaky(tokens: torch.Tensor) -> torch.Tensor:
        x = tokens.double()
        x = x + torch.cat([x[:, 1:], x[:, -1:]], 1) * 0.1
        return torch.stack([x.cumsum(1), -x.cumsum(1)], -1) * 0.01

    def short(tokens: torch.Tensor) -> torch.Tensor:
        x = tokens.double() * 0.01
        return torch.stack([x, -x], -1)

    def unsolved(tokens: torch.Tensor) -> torch.Tensor:
        raise NotImplementedError("GPT2: write your code here")

    line = torch.tensor([[0, 1, 1, 0]])
    assert "Not causal: 3 leaks: position 1 → token 2" in repr(AttentionExplorer.of(leaky, line))
    assert "6 of the past not seen" in repr(AttentionExplorer.of(short, line))
    said = repr(AttentionExplorer.of(unsolved, line))
    assert said == "AttentionExplorer: GPT2 is not written yet: solve its exercise first."


def test_a_line_that_cannot_be_drawn_is_one_sentence(model: nn.Module) -> None:
    with pytest.raises(ValueError, match="a line of 1 to 24 tokens can be drawn: got 25"):
        AttentionExplorer.of(model, ids(1, 25))
    with pytest.raises(ValueError, match="one row of ids"):
        AttentionExplorer.of(model, ids(2, 3))
    with pytest.raises(ValueError, match="place must be in 1 … 3"):
        AttentionExplorer.of(model, ids(1, 3), place=4)


UNMASKED = "def causal_attention(q, k, v):\n    return F.scaled_dot_product_attention(q, k, v)"


@pytest.mark.parametrize(
    ("blocks", "masked", "same"),
    [(1, True, True), (2, True, False), (1, False, True), (2, False, True), (4, False, True)],
)
def test_without_positions_only_an_unmasked_or_shallow_transformer_sees_a_bag(
    blocks: int, masked: bool, same: bool
) -> None:
    instead = {} if masked else {"causal_attention": UNMASKED}
    names = lessons.solution_functions(LESSON, instead=instead)
    sizes = {"vocab_size": 5, "n_positions": 5, "n_embd": 16, "n_layer": blocks, "n_head": 2}
    model, random = names["GPT2"](sizes).double(), torch.Generator().manual_seed(1)
    orders = torch.tensor([[*order, 4] for order in itertools.permutations(range(4))])
    with torch.no_grad():
        for p in model.parameters():
            p.normal_(std=0.5, generator=random)
        model.wpe.weight.zero_()
        last = model(orders)[:, -1]
    away = float((last - last[0]).abs().max())
    assert away < 1e-12 if same else away > 1e-3


def test_one_step_of_attention_is_shown_and_is_the_students(told: str, solved: dict) -> None:
    q = torch.tensor([[1.0, 0.0], [0.0, 2.0], [1.0, 1.0]])
    k = torch.tensor([[1.0, 1.0], [0.0, 1.0], [2.0, 0.0]])
    v = torch.tensor([[8.0], [4.0], [0.0]])
    for word, y in zip(("my", "good", "lord"), solved["causal_attention"](q, k, v), strict=True):
        assert re.search(rf"^{word} .* {float(y):.2f}$", told, re.MULTILINE)


def test_lengths_of_texts_with_an_end_sum_to_one() -> None:
    assert sum(0.75**n * 0.25 for n in range(200)) == pytest.approx(1)
    assert 256 + 50_000 + 1 == 50_257


def test_the_small_cases_of_a_block_and_of_a_model_can_be_made_again_as_they_are_told(solved: dict):
    names = {"torch": torch, "nn": nn, **solved}

    def made_again(told: str) -> np.ndarray:
        *before, last = told.split("; ")
        space = dict(names)
        for line in before:
            exec(line, space)
        return eval(last, space).detach().numpy()

    block = (np.array([[[1.0, 2, 3, 4], [8, 6, 5, 7]]]), checks.made_again(), 2)
    whole = (np.array([[3, 1]]), checks.model_made_again(), checks._AGAIN)
    for told, rule in (
        (checks.show_block(*block), checks.block_by_rule(*block)),
        (checks.show_model(*whole), checks.gpt2_by_rule(*whole)),
    ):
        assert np.allclose(made_again(told), rule, atol=1e-4 * np.abs(rule).max())
