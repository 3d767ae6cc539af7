"""Every model of the course computes where it lives: moved to another device it gives the same.

There is no card here, so the other device is one that cannot mix with the processor
(`tests.second_device`). Each entry is computed on both, from the same seed, and compared.
"""

from __future__ import annotations

import ast
import functools
import types
from collections.abc import Callable
from typing import Any

import pytest
import torch

from autograder import lessons
from autograder.lessons.reading import plain_python
from autograder.remote.handles import failure_of
from course.causality import dependency_map
from tests.second_device import NAME, OnCard, home, second_device

Move = Callable[[Any], Any]


@functools.cache
def names_of(lesson: str) -> types.SimpleNamespace:
    """The lesson's names, exercises solved; of its demos the functions and classes, too."""
    found = lessons.solution_functions(lesson)
    for cell in lessons.load_lesson(lesson).cells:
        if "demo" in cell.tags:
            kept = [
                node
                for node in ast.parse(plain_python(cell.source)).body
                if isinstance(node, ast.FunctionDef | ast.ClassDef)
            ]
            exec(compile(ast.Module(kept, []), lesson, "exec"), found)
    return types.SimpleNamespace(**found)


def random(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def bits(*shape: int) -> torch.Tensor:
    return (random(*shape) > 0).float()


def numbers(*shape: int, below: int) -> torch.Tensor:
    return torch.randint(below, shape, generator=torch.Generator().manual_seed(0))


# Wrong on purpose, to be looked at, or made of parts that are in an entry.
SHOWN = {"ClearedOnce", "OneMADE", "GatedStack", "QueuedConv1d"}

ENTRIES: dict[tuple[str, str], Callable[[Any, Move], Any]] = {}


def entry(lesson: str, what: str) -> Callable:
    """Registers what a lesson's names give: `f(names, to)`, where `to` moves a model or tensor."""

    def keep(f: Callable[[Any, Move], Any]) -> Callable[[Any, Move], Any]:
        ENTRIES[lesson, what] = f
        return f

    return keep


@entry("03_fvsbn", "logits, nll, sample, complete")
def _(names, to):
    weight, bias, x = to(random(6, 6)), to(random(6)), to(bits(3, 6))
    given = to(bits(3, 2))
    yield names.logits(x, weight, bias)
    yield names.nll(x, weight, bias)
    yield names.sample(weight, bias, 4, None)
    yield names.complete(given, weight, bias, None)


@entry("03_fvsbn", "FVSBN")
def _(names, to):
    yield to(names.FVSBN(6)).nll(to(bits(3, 6)))


@entry("04_nade", "nade_naive, nade, sample")
def _(names, to):
    weights = [to(random(*shape)) for shape in ((4, 6), (4,), (6, 4), (6,))]
    x = to(bits(3, 6))
    yield names.nade_naive(x, *weights)
    yield names.nade(x, *weights)
    yield names.sample(*weights, 4, None)


@entry("04_nade", "NADE, Autoencoder, NetworksApart")
def _(names, to):
    for model in (names.NADE, names.Autoencoder, names.NetworksApart):
        yield to(model(6, 4)).nll(to(bits(3, 6)))


@entry("05_made", "MADE")
def _(names, to):
    model, x = (
        to(names.MADE(6, [16, 16], generator=torch.Generator().manual_seed(0))),
        to(bits(3, 6)),
    )
    yield model(x)
    yield model.nll(x)
    yield model.sample(4)
    orders = [torch.tensor([6, 5, 4, 3, 2, 1]), to(torch.tensor([2, 1, 4, 3, 6, 5]))]
    yield names.average_over_orders(model, x, orders)


@entry("04_nade", "nade_scan, at full size")
def _(names, to):
    model = to(names.ScanNADE(6, 4))
    yield model.nll(to(bits(3, 6)))
    yield names.draw_full(model, 4, None)


@entry("05_made", "at full size")
def _(names, to):
    model = to(names.LargeMADE(6, 16, 0.2))
    yield model.nll(to(bits(3, 6)))
    yield names.draw_full(model.eval(), 4, None)


@entry("05_made", "its map of dependencies")
def _(names, to):
    model = names.MADE(6, [64], generator=torch.Generator().manual_seed(0))
    yield torch.as_tensor(dependency_map(to(model), to(bits(8, 6))).sees)


@entry("08_order", "Ordered")
def _(names, to):
    yield to(names.Ordered(torch.arange(6), hidden=8)).nll(to(bits(3, 6)))


@entry("09_pixelcnn", "PixelCNN")
def _(names, to):
    torch.manual_seed(0)
    model = to(names.PixelCNN(3, colors=2, channels=4, kernels=(3, 3)))
    x = to(numbers(2, 2, 3, 3, below=3))
    yield model(x)
    yield model.nll(x)
    yield model.bits_per_dim(x)
    yield model.inpaint(x, 1)
    yield model.sample(2, 3, 3)
    yield names.sample_cached(model, 2, 3, 3)
    label = torch.tensor([1, 2])
    ten = to(names.told(names.PixelCNN(2, channels=4, kernels=(3, 3)), label))
    yield names.told(ten, to(label)).nll(to(numbers(2, 1, 3, 3, below=2)))


@entry("10_wavenet", "mu-law")
def _(names, to):
    codes = names.mu_law_encode(to(random(3, 5).clamp(-1, 1)))
    yield codes
    yield names.mu_law_decode(codes)


@entry("10_wavenet", "WaveNet")
def _(names, to):
    torch.manual_seed(0)
    model, label = to(names.WaveNet(8, 4, 4, 2, (1, 2), labels=3)), to(torch.tensor([0, 2]))
    codes = to(numbers(2, 7, below=8))
    yield model(codes, label)
    yield model.nll(codes, label, given=2)
    yield names.generate(model, 5, label)
    yield names.generate_fast(model, 5, label)
    free = to(names.WaveNet(8, 4, 4, 2, (1, 2)))
    yield names.generate(free, 5)
    yield names.generate_fast(free, 5)


def small_gpt(names: Any) -> Any:
    torch.manual_seed(0)
    config = {"vocab_size": 7, "n_positions": 6, "n_embd": 8, "n_layer": 2, "n_head": 2}
    return names.GPT2(config)


@entry("10_wavenet", "linear_scan")
def _(names, to):
    yield names.linear_scan(to(random(5, 2, 2)), to(random(5, 2)))


@entry("12_gpt2", "GPT2")
def _(names, to):
    model, tokens = to(small_gpt(names)), to(numbers(2, 5, below=7))
    yield model(tokens)
    yield names.sequence_nll(model, tokens)
    yield torch.as_tensor(names.perplexity(model, tokens))
    yield names.generate(model, tokens, 4)
    yield names.generate_cached(model, tokens, 4)
    yield names.static_writer(model, 6)(tokens[:1, :2], 4)
    cache = names.Cache()
    yield model(tokens, cache)
    cache.reorder(torch.tensor([1, 0]))
    yield model(tokens[:, :1], cache)


@entry("12_gpt2", "causal_attention")
def _(names, to):
    yield names.causal_attention(*(to(random(2, 4, 3, seed=s)) for s in range(3)))


@entry("12_gpt2", "find_the_leak")
def _(names, to):
    model = to(small_gpt(names))
    assert names.find_the_leak({"mine": model}) == []
    yield torch.zeros(1)


@entry("13_temperature", "temperature, top_k, top_p, next_probs, score")
def _(names, to):
    logits = to(random(3, 7))
    yield names.temperature(logits, 0.7)
    yield names.top_k(logits.softmax(-1), 3)
    yield names.top_p(logits.softmax(-1), 0.7)
    yield names.next_probs(logits, 0.7, 3, 0.7)
    yield torch.as_tensor(names.score(logits, to(torch.tensor([0, 2, 4]))))


@entry("13_temperature", "joint_temperature, tokenwise_temperature")
def _(names, to):
    p = to(random(2, 3, 2).flatten().softmax(0).view(2, 3, 2))
    yield names.joint_temperature(p, 0.5)
    yield names.tokenwise_temperature(p, 0.5)


@entry("14_compression", "ideal_bits, quantize")
def _(names, to):
    probs = to(random(3, 5).softmax(-1))
    yield torch.as_tensor(names.ideal_bits(probs.log()))
    yield names.quantize(probs)


@entry("07_continuous", "likelihoods, sample, dequantize, pit")
def _(names, to):
    logits, mu = to(random(3)), to(4 + random(3, seed=1))
    scale = to(random(3, seed=2).exp())
    x = to(numbers(5, below=8))
    yield names.histogram_nll(x, to(numbers(9, below=8)), 8, 0.5)
    yield names.gaussian_nll(x.float(), mu[0], scale[0])
    yield names.mixture_nll(x.float(), logits, mu, scale)
    yield names.discretized_logistic_mixture(x, logits, mu, scale, 8)
    yield names.sample(logits, mu, scale, 6, 8, None)
    yield names.bits_per_dim(to(random(4)), 3, 8)
    yield names.dequantize(x, 8, None)
    yield names.pit(x.float(), logits, mu, scale)


@entry("07_continuous", "MixtureOfNeighbors, SoftmaxOfNeighbors")
def _(names, to):
    x, seen = to(numbers(3, below=256)), to(numbers(3, 4, below=256))
    for make in (lambda: names.MixtureOfNeighbors(2), names.SoftmaxOfNeighbors):
        torch.manual_seed(0)
        yield to(make()).nll(x, seen)


@entry("07_continuous", "RNADE, LevelMADE")
def _(names, to):
    levels = to(numbers(4, 2, below=64))
    for make, points in ((names.LevelMADE, levels), (lambda: names.RNADE((1, 0)), levels / 64)):
        torch.manual_seed(0)
        yield to(make()).nll(points)


@entry("11_recurrent", "rnn_step, unroll, gru_step, nll, sample, scan")
def _(names, to):
    x, h = to(random(2, 3)), to(random(2, 4, seed=1))
    W, U, b = to(random(4, 3)), to(random(4, 4)), to(random(4))
    yield names.rnn_step(x, h, W, U, b)
    yield names.unroll(lambda x, h: names.rnn_step(x, h, W, U, b), to(random(2, 5, 3)), h)
    gates = to(random(12, 3)), to(random(12, 4)), to(random(12)), to(random(12, seed=1))
    yield names.gru_step(x, h, *gates)
    texts, lengths = to(numbers(2, 5, below=3)), to(torch.tensor([2, 5]))
    yield names.nll(to(random(2, 6, 3)), texts, lengths)
    embed, out = to(random(3, 3)), to(random(3, 4))
    yield names.sample(
        lambda x, h: names.rnn_step(embed[x], h, W, U, b), lambda h: h @ out.T, h, 6, None
    )
    yield names.scan(to(random(2, 5, 3)), to(random(2, 5, 3, seed=1)))


@entry("11_recurrent", "Recurrent")
def _(names, to):
    torch.manual_seed(0)
    model = to(names.Recurrent(6, hidden=4, width=3))
    x = to(numbers(2, 5, below=6))
    states = names.unroll(model.step, x, model.start(2))
    yield states
    yield model.loss(states[:, :-1], x)
    yield model.priced(states[:, :-1], x)


@entry("11_recurrent", "Last, Waves, Attends")
def _(names, to):
    x = to(numbers(2, 5, below=12))
    for make in (
        lambda: names.Last(torch.nn.RNN, 4),  # a GRU's fused kernel is of real cards only
        lambda: names.Waves(4, (1, 2)),
        lambda: names.Attends(4),
    ):
        torch.manual_seed(0)
        yield to(make())(x)


def computed(lesson: str, what: str, to: Move, seed: int = 1) -> list[Any]:
    found = []
    torch.manual_seed(seed)
    for part in ENTRIES[lesson, what](names_of(lesson), to):
        found.append(part)
        torch.manual_seed(seed)  # the next model's weights, whatever was drawn elsewhere
    return found


@pytest.mark.parametrize(("lesson", "what"), ENTRIES, ids=lambda text: text.replace(" ", "-"))
def test_a_model_gives_the_same_where_it_was_moved_to(lesson: str, what: str):
    here = computed(lesson, what, lambda value: value)
    with second_device() as card:
        there = home(computed(lesson, what, lambda value: value.to(card)))
    assert len(here) == len(there)
    for mine, theirs in zip(here, there, strict=True):
        assert torch.equal(mine, theirs)


def test_every_model_of_the_lessons_has_an_entry():
    defined = {
        node.name
        for name in lessons.lesson_names()
        for cell in lessons.load_lesson(name).cells
        if cell.kind == "code"
        for node in ast.walk(ast.parse(plain_python(cell.source)))
        if isinstance(node, ast.ClassDef) and "nn." in "".join(map(ast.unparse, node.bases))
    }
    moved: set[str] = set()

    def note(value: Any) -> Any:
        if isinstance(value, torch.nn.Module):
            moved.update(type(part).__name__ for part in value.modules())
        return value

    for lesson, what in ENTRIES:
        computed(lesson, what, note)
    assert defined - moved <= SHOWN


# --- a slip of a student -------------------------------------------------------------------------

SLIP = """
class MADE(MADE):
    def sample(self, count, generator=None):
        x = torch.zeros(count, self.n)
        for d in range(self.n):
            x[:, d] = torch.bernoulli(torch.sigmoid(self(x)[:, d]), generator=generator)
        return x
"""


@pytest.mark.parametrize(
    ("generator", "said"),
    [
        (None, "what is made without device= is on the processor, and the model is not: Exp"),
        (torch.Generator(), "the generator is of another device than what is drawn with it: Exp"),
    ],
)
def test_a_sampler_that_mixes_devices_is_told_so(generator: Any, said: str):
    names = dict(vars(names_of("05_made")))
    mends = SLIP.replace("count, self.n)", "count, self.n, device=self.place.device)")
    exec(mends if generator else SLIP, names)
    with second_device() as card:
        model = names["MADE"](6, [8]).to(card)
        with pytest.raises(RuntimeError) as raised:
            model.sample(2, generator)
    failure = failure_of(raised.value)
    assert failure.message.startswith(said)
    assert failure.type == "RuntimeError"


# --- the device itself ----------------------------------------------------------------------------


def test_the_second_device_computes_as_the_processor_does():
    layer, x = torch.nn.Linear(3, 2), random(4, 3)
    before = layer(x)
    with second_device() as card:
        y = layer.to(card)(x.to(card))
        assert (type(y), y.device.type) == (OnCard, NAME)
        assert torch.equal(y.cpu(), before)
        y[:, 0] = 1
        assert y.tolist()[0][0] == y[0, 0].item() == 1.0
        assert torch.equal(torch.tensor([1, 2], device=card).cpu(), torch.tensor([1, 2]))


@pytest.mark.parametrize(
    "mixes",
    [
        lambda x: x + torch.ones(3),
        lambda x: torch.cat([x, torch.ones(1, 3)]),
        lambda x: torch.ones(2, 3)[x > 0],
        lambda x: torch.rand(2, device=x.device, generator=torch.Generator()),
        lambda x: torch.bernoulli(x.sigmoid(), generator=torch.Generator()),
        lambda x: x.numpy(),
    ],
    ids=["add", "cat", "index", "generator", "bernoulli", "numpy"],
)
def test_the_second_device_refuses_what_a_card_refuses(mixes: Callable):
    with second_device() as card:
        x = random(2, 3).to(card)
        with pytest.raises((RuntimeError, TypeError), match=r"same device|generator|numpy"):
            mixes(x)
