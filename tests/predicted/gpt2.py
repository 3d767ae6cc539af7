"""Answers of lesson 12."""

import copy
import math

import torch

from autograder.inside.gpt2 import suspects
from tests.predicted import Held, nearest, only

CONFIG = {"vocab_size": 11, "n_positions": 16, "n_embd": 8, "n_layer": 2, "n_head": 2}


def _model(asked):
    torch.manual_seed(0)
    model = asked.GPT2(CONFIG)
    with torch.no_grad():
        for weights in model.parameters():
            weights.normal_(std=0.5)
    return model.eval()


def _keys(asked) -> int:
    q, k, v = (torch.randn(1, 1, t, 4) for t in (1, 3, 3))
    sees = torch.autograd.functional.jacobian(lambda v: asked.causal_attention(q, k, v), v)
    keys = tuple((sees.abs().sum((0, 1, 2, 3, 4, 5, 7)) > 0).tolist())
    return [(True, False, False), (False, False, True), (True, True, True)].index(keys)


def _rows(asked) -> int:
    sums = asked.numbers(r"zeroed after +rows sum to \[([\d.]+), ([\d.]+), ([\d.]+)\]")
    return [[1, 1, 1], [1 / 8, 3 / 8, 1], [0, 1 / 3, 1]].index(sums)


def _head_one(_) -> int:
    x = torch.tensor([[1, 2, 3, 4], [5, 6, 7, 8]])
    head = x.view(1, 2, 2, 2)[0, 0].tolist()
    return [[[1, 2], [5, 6]], [[1, 2], [3, 4]], [[1, 5], [2, 6]]].index(head)


def _order(asked) -> int:
    one, two = (
        asked.numbers(rf"^{n} block\(s\): the last logits change by ([\d.e+-]+)")[0] < 1e-6
        for n in (1, 2)
    )
    return [(True, True), (True, False), (False, True), (False, False)].index((one, two))


def _heads(asked) -> int:
    two, four = (asked.gpt2_parameters(CONFIG | {"n_head": heads}) for heads in (2, 4))
    attention = CONFIG["n_layer"] * 3 * CONFIG["n_embd"] * (CONFIG["n_embd"] + 1)
    return [0, attention, two].index(four - two)


def _caught(_) -> int:
    names = ("h.3.attn.c_proj.bias", "h.3.attn.c_attn.bias")
    caught = [name.endswith("attn.bias") for name in names]
    assert not any(name.endswith(".attn.bias") for name in names)
    return [[True, False], [False, True], [False, False]].index(caught)


def _uniform(asked) -> int:
    V = 11
    value = asked.perplexity(lambda tokens: torch.zeros(*tokens.shape, V), torch.arange(6)[None])
    return nearest(float(value), 1, math.log(V), V)


def _half_dropped(asked) -> int:
    """The next logits from a cache that lost its first half, and from a window read afresh."""
    model, cache = _model(asked), asked.Cache()
    tokens = torch.randint(11, (1, 9), generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        model(tokens[:, :8], cache)
        cut = copy.deepcopy(cache)
        cut.pairs = {i: (k[:, :, 4:], v[:, :, 4:]) for i, (k, v) in cut.pairs.items()}
        same = torch.allclose(
            model(tokens[:, 8:], cut)[:, -1], model(tokens[:, 4:])[:, -1], atol=1e-4
        )
    return only(same, not same)


def _growth(asked) -> int:
    (times,) = asked.numbers(r"with the cache: ([\d.]+) times the cost after 255 tokens")
    return only(times == 1, 1 < times < 10, times > 100)


def _fixed_shapes(asked) -> int:
    """Operations for the second token in a room of 16, and with a cache that grows."""
    model = _model(asked)
    growing, static = asked.Cache(), asked.StaticCache(model, 16)
    token = torch.zeros(1, 1, dtype=torch.int64)
    with torch.no_grad():
        model(token, growing)
        yours = asked.count_operations(lambda: model(token, growing))
        with asked.attending(model, static.attend):
            asked.static_step(model, static, token.clone())
            fixed = asked.count_operations(lambda: asked.static_step(model, static, token.clone()))
    return only(fixed < yours, fixed == yours, fixed > yours)


def _untrained(_) -> int:
    """Whether the two that peek have the least losses, in 20 draws of five untrained models."""
    told = 0
    for seed in range(20):
        costs = {}
        for name, model in suspects(seed).items():
            tokens = torch.randint(
                model.config["vocab_size"],
                (8, model.config["n_positions"]),
                generator=torch.Generator().manual_seed(seed),
            )
            with torch.no_grad():
                logits = model(tokens)[:, :-1]
            costs[name] = float(
                torch.nn.functional.cross_entropy(logits.flatten(0, 1), tokens[:, 1:].flatten())
            )
        told += sum(math.exp(cost) < model.config["vocab_size"] / 2 for cost in costs.values())
    return only(told >= 20, told == 0)


def _who_writes(asked) -> int:
    honest, leaky = (
        asked.numbers(rf"{who}: ([\d.]+) nats a letter on text")[0] for who in ("honest", "leaky")
    )
    fair, peeks = (
        asked.numbers(rf"{who}: [\d.]+ nats a letter(?:.*\n)*?exchange a letter: in (\d+)%")[0]
        for who in ("honest", "leaky")
    )
    return only(honest < leaky, False, leaky < honest and fair < 50 < peeks)


ANSWERS = {
    "T = 1, S = 3": _keys,
    "The three rows of the example": _rows,
    "What would .view(B, H, T": _head_one,
    "Do the last logits stay": _order,
    "Twice as many heads": _heads,
    "You skip everything": _caught,
    "Which perplexity has a model": _uniform,
    "A byte has 8 bits": lambda asked: nearest(
        asked.numbers(r"([\d.]+) bits per byte")[0], 5, 3, 2
    ),
    "The window jumps": _half_dropped,
    "With the cache: how does": _growth,
    "What takes the time": Held("test_lesson_gpt2.py::test_launches_and_stored_speeds_are_told"),
    "Does such a step multiply": _fixed_shapes,
    "Would the losses of the five": _untrained,
    "Whose validation loss": _who_writes,
}
