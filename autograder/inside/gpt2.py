"""What the checks of lesson 12 run beside the student's objects: toy models, witnesses, suspects.

`suspects` is also the lesson's own set of five models, two of which see the future.
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from autograder.inside import slopes
from autograder.remote.callbacks import Talk
from autograder.remote.proxy import inside

NAMES = ("Ada", "Boris", "Chen", "Dora", "Emre", "Fatou", "Goran", "Hana")
# How a model may see the future: each is planted in one layer of an otherwise causal network.
LEAKS = ("shifted", "late", "centered", "gated", "rounded")


# --- a model that notes what it reads -------------------------------------------------------------


def _config(vocabulary: int, limit: int) -> dict[str, int]:
    return {
        "vocab_size": vocabulary,
        "n_positions": limit,
        "n_layer": 1,
        "n_head": 2,
        "n_embd": 6,
    }


def _before(tokens: Any, cache: Any, limit: int) -> int:
    """How many tokens the cache holds already; ValueError if `tokens` are none or do not fit in."""
    before, length = 0 if cache is None else int(cache.length), tokens.shape[1]
    if length < 1:
        raise ValueError("the model was given no token to read")
    if before + length > limit:
        raise ValueError(f"the model has {limit} positions: got {before} + {length} tokens")
    return before


class Toy:
    """Logits that depend on every token read so far and on its place, and a note of each call.

    Takes ids (B, T) and a cache as the lesson's GPT2 does; the "keys" that it keeps there are the
    ids themselves. No weights: the same numbers come out in every process.
    """

    def __init__(self, vocabulary: int, limit: int, phase: float = 0.0, gain: float = 2.0) -> None:
        self.config = _config(vocabulary, limit)
        self.phase, self.gain = phase, gain
        self.calls: list[tuple[int, int, int]] = []  # rows, tokens read, tokens before them

    def __call__(self, tokens: Any, cache: Any = None) -> Any:
        rows, length = tokens.shape
        self.calls.append((int(rows), int(length), 0 if cache is None else int(cache.length)))
        _before(tokens, cache, self.config["n_positions"])
        ids = tokens.double()
        if cache is not None:
            keys = ids[:, None, :, None].expand(rows, 2, length, 3)
            kept, _ = cache.append(0, keys.clone(), -keys)
            ids = kept[:, 0, :, 0]
        return self.logits(ids)[:, -length:]

    def logits(self, ids: Any) -> Any:
        """(B, S) → (B, S, V), float32."""
        place = torch.arange(1, ids.shape[1] + 1, dtype=torch.float64)
        said = ((ids + 1) * (1.3 + torch.sin(1.7 * place))).cumsum(dim=1)
        token = torch.arange(self.config["vocab_size"], dtype=torch.float64)
        waves = torch.sin(said[..., None] * (0.7 + 0.31 * token) + 2.1 * token + self.phase)
        return (self.gain * waves).float()


@inside
def toy(beside: Any, vocabulary: int, limit: int, phase: float, gain: float) -> Any:
    """A Toy in the process of `beside`."""
    return Toy(vocabulary, limit, phase, gain)


class Reader:
    """A model whose numbers only the judge has: it asks, and the judge writes down what was read.

    As Toy, it takes ids (B, T) and a cache; the keys that go into the cache are the judge's, too.
    """

    def __init__(self, talk: Talk, vocabulary: int, limit: int) -> None:
        self.talk = talk
        self.config = _config(vocabulary, limit)

    def __call__(self, tokens: Any, cache: Any = None) -> Any:
        """Ids (B, T) → logits (B, T, V), float32."""
        before = _before(tokens, cache, self.config["n_positions"])
        k, v = self.talk.ask("read", tokens, before)
        if cache is not None:
            k, v = cache.append(0, k, v)
        return self.talk.ask("logits", k, v)


@inside
def begin_writing(
    function: Any, vocabulary: int, limit: int, tokens: Any, count: int, earlier: Any = None
) -> tuple[Any, str, Any]:
    """Begins `function(model, tokens, count)` with a Reader for a model.

    With `earlier`, other tokens, it is called with the same model and these before.
    """
    talk = Talk()

    @functools.wraps(function)
    def twice(model: Any, *args: Any) -> Any:
        function(model, earlier, 2)
        return function(model, *args)

    begun = function if earlier is None else twice
    return talk.begin(begun, Reader(talk, vocabulary, limit), tokens, count)


@inside
def constant_model(beside: Any, logits: Any) -> Any:
    """A model whose logits are the same (V,) after any text."""

    def model(tokens: Any, cache: Any = None) -> Any:
        return logits.expand(*tokens.shape, len(logits))

    return model


@inside
def gradient_of_logits(function: Any, tokens: Any) -> bool:
    """Whether a gradient comes from `function(model, tokens)` to the logits of its model."""
    logits = torch.zeros(int(tokens.max()) + 1).requires_grad_()

    def model(tokens: Any, cache: Any = None) -> Any:
        return logits.expand(*tokens.shape, len(logits))

    answer = function(model, tokens)
    if not isinstance(answer, torch.Tensor) or not answer.requires_grad:
        return False
    answer.sum().backward()
    return logits.grad is not None and bool(logits.grad.any())


@inside
def slopes_in_logits(function: Any, tokens: Any) -> list[tuple[float, float, float]]:
    """`slopes` of `function(model, tokens)` in the logits of its model."""

    def priced(logits: Any) -> Any:
        return function(lambda ids, cache=None: logits.expand(*ids.shape, len(logits)), tokens)

    return slopes(priced, 1, torch.sin(torch.arange(int(tokens.max()) + 1.0)))


# --- blocks and models ----------------------------------------------------------------------------


class Witness:
    """In the place of a cache: notes what it is given, and answers what it was told to."""

    def __init__(self, length: int, answer: tuple[Any, Any] | None) -> None:
        self.length, self.answer, self.given = length, answer, []

    def append(self, layer: int, k: Any, v: Any) -> tuple[Any, Any]:
        self.given.append((layer, k.detach().clone(), v.detach().clone()))
        return (k, v) if self.answer is None else self.answer


@inside
def with_witness(model: Any, x: Any, length: int, k: Any = None, v: Any = None) -> tuple[Any, Any]:
    """`model(x, cache)` with a witness for a cache, and what the witness was given."""
    witness = Witness(length, None if k is None else (k, v))
    with torch.no_grad():
        return model(x, witness), witness.given


@inside
def with_attention_off(block: Any, x: Any) -> Any:
    """`block(x)` while its `attend` gives back the values as they are."""
    own = block.attend
    block.attend = lambda q, k, v: v
    try:
        with torch.no_grad():
            return block(x)
    finally:
        block.attend = own


@inside
def count_of_numbers(model: Any) -> int:
    """How many numbers the model's parameters hold, each parameter once."""
    return sum(p.numel() for p in model.parameters())


@inside
def parameters_without_gradient(model: Any, tokens: Any) -> list[str]:
    """Names of the parameters that a step on Σ output² does not reach.

    The head is one that is reached only if every token's row is, also of tokens that are not read.
    """
    model.zero_grad()
    output = model(tokens)
    if not (isinstance(output, torch.Tensor) and output.requires_grad):
        return [name for name, _ in model.named_parameters()]
    output.pow(2).sum().backward()
    named = dict(model.named_parameters())
    unreached = [name for name, p in named.items() if p.grad is None]
    table = named.get("wte.weight")
    if table is not None and table.grad is not None and not table.grad.any(dim=1).all():
        unreached.append("wte.weight at the head")
    return unreached


@inside
def rows_of(cache: Any) -> int:
    """How many tokens a cache says that it has read."""
    return int(cache.length)


# --- five models, two of which peek ---------------------------------------------------------------


class Suspect(nn.Module):
    """A small causal language model, with a habit in its second layer.

    The attention is torch's; `habit` is "" or one of LEAKS.
    """

    def __init__(self, habit: str, vocabulary: int = 13, length: int = 12, size: int = 8) -> None:
        super().__init__()
        self.config = {
            "vocab_size": vocabulary,
            "n_positions": length,
            "n_embd": size,
            "n_layer": 2,
            "n_head": 1,
        }
        self.tokens, self.places = nn.Embedding(vocabulary, size), nn.Embedding(length, size)
        self.mixed = nn.ModuleList(nn.Linear(size, 3 * size) for _ in range(2))
        self.wide = nn.ModuleList(nn.Linear(size, size) for _ in range(2))
        self.gate = nn.Parameter(torch.zeros(1))
        self.head = nn.Linear(size, vocabulary)
        self._habit = habit

    def forward(self, tokens: Any) -> Any:
        """Ids (B, T) → logits (B, T, V)."""
        return self.beyond(self.tokens(tokens) + self.places.weight[: tokens.shape[1]])

    def beyond(self, x: Any) -> Any:
        """What becomes of the embedded text x (B, T, size): logits (B, T, V)."""
        for layer, (mixed, wide) in enumerate(zip(self.mixed, self.wide, strict=True)):
            q, k, v = mixed(x).chunk(3, dim=-1)
            y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
            if layer:
                y = self._with_habit(x, y, (q, k, v))
            x = x + torch.tanh(wide(x + y))
        return self.head(x)

    def _with_habit(self, x: Any, y: Any, qkv: tuple) -> Any:
        half = self.config["n_positions"] // 2
        after = torch.cat([x[:, 1:], torch.zeros_like(x[:, :1])], dim=1)
        match self._habit:
            case "shifted":
                return y + 0.1 * after
            case "late":  # right for the first half of the positions only
                free = F.scaled_dot_product_attention(*qkv)
                return torch.cat([y[:, :half], free[:, half:]], dim=1)
            case "centered":
                return y - x.mean(dim=1, keepdim=True)
            case "gated":  # closed today
                return y + self.gate * after
            case "rounded":  # nothing for a gradient to see
                return y + (after[..., :1] > 0).to(y.dtype)
        return y


class Masked(Suspect):
    """A Suspect whose habit only the judge knows: beyond the embedding, it asks.

    The weights are here, to be read, changed and copied, and go along with each question.
    """

    def __init__(self, talk: Talk, name: str) -> None:
        super().__init__("")
        self._talk, self._name = talk, name

    def beyond(self, x: Any) -> Any:
        """(B, T, size) → (B, T, V)."""
        names, values = zip(*later_parameters(self).items(), strict=True)
        return _Beyond.apply(self._talk, self._name, names, x, *values)


def later_parameters(model: Suspect) -> dict[str, Any]:
    """The parameters that work beyond the embedding, by name."""
    own = dict(model.named_parameters())
    return {name: own[name] for name in own if name.split(".")[0] not in ("tokens", "places")}


class _Beyond(torch.autograd.Function):
    """Asks for the logits, and on the way back for their gradients."""

    @staticmethod
    def forward(ctx: Any, talk: Talk, name: str, names: tuple, x: Any, *values: Any) -> Any:
        ctx.asked = talk, name, names
        ctx.save_for_backward(x, *values)
        return talk.ask("logits", name, x, dict(zip(names, values, strict=True)))

    @staticmethod
    def backward(ctx: Any, slope: Any) -> tuple:
        talk, name, names = ctx.asked
        x, *values = ctx.saved_tensors
        given = dict(zip(names, values, strict=True))
        on_x, on_values = talk.ask("gradients", name, x, given, slope)
        return (None, None, None, on_x, *(on_values[n] for n in names))


@inside
def begin_search(function: Any, names: Any, seeds: Any) -> tuple[Any, str, Any]:
    """Begins `function(models)` with a Masked suspect of each name, weights drawn from its seed."""
    talk, models = Talk(), {}
    for name, seed in zip(names, seeds, strict=True):
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            models[name] = Masked(talk, name)
    return talk.begin(function, models)


def _suspect(habit: str, seed: int) -> Suspect:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return Suspect(habit)


def suspects(seed: int) -> dict[str, nn.Module]:
    """Five models by name, in an order drawn from `seed`; two of them see the future."""
    draw = np.random.default_rng(seed)
    habits = [*draw.choice(LEAKS, size=2, replace=False).tolist(), "", "", ""]
    draw.shuffle(habits)
    names = sorted(draw.choice(NAMES, size=5, replace=False).tolist())
    return {
        name: _suspect(habit, seed + i)
        for i, (name, habit) in enumerate(zip(names, habits, strict=True))
    }
