"""Tests of the dependency map: planted leaks are found, correct models are not accused."""

import copy
import itertools
import random

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from course.causality import (
    NotRepeatable,
    WrongOutput,
    batch_leaks,
    copy_model,
    dependency_map,
    leaking_cuts,
    passes_cuts,
    past,
    randomize_parameters,
)

N = 6
BITS = torch.zeros(1, N)


class Masked(nn.Linear):
    """A linear layer with a fixed mask; the mask is a buffer, or a frozen parameter."""

    def __init__(self, mask, frozen=False):
        super().__init__(mask.shape[1], mask.shape[0])
        if frozen:
            self.mask = nn.Parameter(mask, requires_grad=False)
        else:
            self.register_buffer("mask", mask)

    def forward(self, x):
        return nn.functional.linear(x, self.weight * self.mask, self.bias)


def made(n=N, hidden=48, seed=0, frozen=False):
    """A correct MADE in the natural order, wide enough for every output to see its whole past."""
    degrees = torch.arange(hidden) % (n - 1) + 1
    torch.manual_seed(seed)
    inputs, outputs = torch.arange(1, n + 1)[None, :], torch.arange(1, n + 1)[:, None]
    return nn.Sequential(
        Masked((degrees[:, None] >= inputs).float(), frozen),
        nn.ReLU(),
        Masked((outputs > degrees[None, :]).float(), frozen),
    )


class Leaky(nn.Module):
    """A correct MADE plus `leak(x)`, added to output 2 (which may see inputs 0 and 1)."""

    def __init__(self, leak):
        super().__init__()
        self.body, self.leak = made(), leak

    def forward(self, x):
        out = self.body(x).clone()
        out[:, 2] = out[:, 2] + self.leak(x)
        return out


class Elsewhere:
    """Stands for a model in another process: only what the map may use, and only plain copies."""

    def __init__(self, model):
        self._model = model

    def __deepcopy__(self, memo):
        return Elsewhere(copy.deepcopy(self._model))

    def state_dict(self):
        return {k: v.detach().clone() for k, v in self._model.state_dict().items()}

    def named_buffers(self):
        return [(n, b.clone()) for n, b in self._model.named_buffers(remove_duplicate=False)]

    def load_state_dict(self, state):
        self._model.load_state_dict(state)

    def double(self):
        self._model.double()

    def eval(self):
        self._model.eval()

    def train(self):
        self._model.train()

    def __call__(self, x):
        return self._model(x).detach().clone()


def test_a_correct_model_sees_exactly_its_past():
    model = made()
    seen = dependency_map(model, BITS)
    assert np.array_equal(seen.sees, past(N))
    assert seen.is_autoregressive() and seen.first_forbidden() is None
    assert seen.precision == "double" and not seen.rows_mix and not seen.never_finite.any()
    assert seen.randomized == sum(p.numel() for p in model.parameters())
    assert seen.summary() == (
        "Autoregressive: each of 6 outputs sees all of its past and nothing else (15 dependencies)."
    )


@pytest.mark.parametrize("size", [1e-3, 1e-9])
def test_a_small_leak_is_a_leak(size):
    seen = dependency_map(Leaky(lambda x: size * x[:, 4]), BITS)
    assert seen.first_forbidden() == (2, 4)
    assert seen.forbidden().tolist() == [[2, 4]]
    assert not seen.is_autoregressive()
    assert "Not autoregressive: 1 output sees" in seen.summary()
    assert "output 2 sees input 4" in seen.summary()


def by_fourier(x):
    """A causal sum with weights 1, 2, 3, as a product of Fourier transforms."""
    return torch.fft.irfft(
        torch.fft.rfft(x, 32) * torch.fft.rfft(torch.tensor([0.0, 1, 2, 3]).to(x), 32), 32
    )[:, :12]


def zeroed_after_softmax(x):
    """Attention to the past by a softmax over everything, cut and normalized again."""
    weights = torch.softmax(x[:, None, :] * torch.arange(1.0, 13.0).to(x)[:, None] / 6, dim=-1)
    weights = weights * torch.tril(torch.ones(12, 12).to(x), -1)
    weights = weights / weights.sum(-1, keepdim=True).clamp_min(1e-30)
    return (weights * x[:, None, :]).sum(-1)


@pytest.mark.parametrize("f", [by_fourier, zeroed_after_softmax])
def test_what_cancels_up_to_rounding_is_no_leak_and_a_small_leak_beside_it_is(f):
    rng = np.random.default_rng(0)
    x = torch.tensor(rng.standard_normal((4, 12)))
    one = x.clone()
    one[:, 9] += 1.0
    assert not torch.equal(f(x)[:, :9], f(one)[:, :9])  # not bit for bit
    seen = dependency_map(f, x, "normal")
    assert seen.is_autoregressive() and len(np.unique(np.argwhere(seen.sees)[:, 0])) == 11
    assert not leaking_cuts(f, x, "normal")
    leaky = dependency_map(lambda x: f(x) + 1e-9 * x.flip(1), x, "normal")
    assert not leaky.is_autoregressive() and (0, 11) in map(tuple, leaky.forbidden())


def test_a_leak_times_zero_is_no_leak():
    assert dependency_map(Leaky(lambda x: 0.0 * x[:, 4]), BITS).is_autoregressive()


@pytest.mark.parametrize(
    "leak",
    [
        lambda x: (x[:, 4] > 0.5).to(x.dtype),
        lambda x: torch.round(x[:, 4]),
        lambda x: x[:, 4].detach(),
        lambda x: torch.sign(x[:, 4]).to(torch.int64),
    ],
    ids=["threshold", "rounding", "detach", "integers"],
)
@pytest.mark.parametrize("perturb", ["flip", "normal"])
def test_leaks_without_a_gradient_are_found(leak, perturb):
    assert dependency_map(Leaky(leak), BITS, perturb).forbidden().tolist() == [[2, 4]]


class Gate(nn.Module):
    """A leak that the present weights switch off."""

    def __init__(self, kind):
        super().__init__()
        self.kind = kind
        self.w = nn.Parameter(torch.zeros(1, 1) if kind == "zero" else torch.ones(1, 1))
        self.b = nn.Parameter(
            torch.full((1,), {"dead": -1e3, "zero": 0.0, "saturated": 60.0}[kind])
        )

    def forward(self, x):
        gate = torch.sigmoid if self.kind == "saturated" else torch.relu
        return self.w[0, 0] * gate(x[:, 4] + self.b)


@pytest.mark.parametrize("kind", ["dead", "zero", "saturated"])
def test_what_the_weights_switch_off_is_found_by_fresh_weights_only(kind):
    model = Leaky(Gate(kind))
    assert dependency_map(model, BITS, randomize=False).is_autoregressive()
    assert dependency_map(model, BITS).forbidden().tolist() == [[2, 4]]


def test_raw_mode_measures_the_model_as_it_is():
    model = made()
    with torch.no_grad():
        model[2].weight.zero_()
    seen = dependency_map(model, BITS, randomize=False)
    assert seen.randomized == 0 and not seen.sees.any()
    assert len(seen.missing()) == 15
    assert "5 outputs do not see all of the past" in seen.summary()
    assert np.array_equal(dependency_map(model, BITS).sees, past(N))


def test_an_all_zero_mask_is_causal_and_blind():
    seen = dependency_map(Masked(torch.zeros(N, N)), BITS)
    assert seen.is_autoregressive()
    assert len(seen.missing()) == 15


def test_the_model_and_all_generators_are_left_as_they_were():
    model = nn.Sequential(made(), nn.BatchNorm1d(N), nn.Dropout(0.5)).train()
    before = {k: v.clone() for k, v in model.state_dict().items()}
    torch.manual_seed(3), np.random.seed(3), random.seed(3)
    expected = torch.rand(1).item(), np.random.rand(), random.random()
    torch.manual_seed(3), np.random.seed(3), random.seed(3)
    dependency_map(model, BITS)
    batch_leaks(model, torch.zeros(3, N))
    passes_cuts(model, BITS)
    assert (torch.rand(1).item(), np.random.rand(), random.random()) == expected
    assert model.training
    assert all(torch.equal(before[k], v) for k, v in model.state_dict().items())
    assert all(v.dtype != torch.float64 for v in model.state_dict().values())


def test_equal_seeds_give_equal_maps():
    model = made(hidden=5)
    maps = [dependency_map(model, BITS, draws=1, seed=5).sees for _ in range(2)]
    assert np.array_equal(*maps)


@settings(deadline=None, max_examples=25, derandomize=True)
@given(
    n=st.integers(2, 7),
    hidden=st.lists(st.integers(1, 8), min_size=1, max_size=2),
    seed=st.integers(0, 10**6),
)
def test_the_map_of_a_masked_network_is_its_path_count(n, hidden, seed):
    rng = np.random.default_rng(seed)
    order = rng.permutation(n)
    degrees = [order, *(rng.integers(0, max(1, n - 1), size=h) for h in hidden)]
    masks = [b[:, None] >= a[None, :] for a, b in itertools.pairwise(degrees)]
    masks.append(order[:, None] > degrees[-1][None, :])
    paths = np.eye(n)
    layers = []
    for mask in masks:
        paths = mask.astype(float) @ paths
        layers += [Masked(torch.tensor(mask).float()), nn.ReLU()]
    model = nn.Sequential(*layers[:-1])
    seen = dependency_map(model, torch.zeros(1, n), expected=paths > 0, most_draws=64)
    assert np.array_equal(seen.sees, paths > 0)
    assert seen.is_autoregressive(order) and seen.is_autoregressive(order + 1)


@settings(deadline=None, max_examples=25, derandomize=True)
@given(n=st.integers(2, 8), data=st.data())
def test_any_single_planted_edge_is_found(n, data):
    output = data.draw(st.integers(0, n - 1))
    leaked = data.draw(st.integers(output, n - 1))
    mask = torch.ones(n, n).tril(-1)
    mask[output, leaked] = 1
    seen = dependency_map(Masked(mask), torch.zeros(1, n))
    assert seen.forbidden().tolist() == [[output, leaked]]
    assert not len(seen.missing())
    assert leaking_cuts(Masked(mask), torch.zeros(1, n)) == list(range(output, leaked + 1))


def test_draws_go_on_while_an_expected_edge_is_unseen():
    # One unit, alive for about one draw in four: few draws may well miss it.
    mask = torch.tensor([[0.0, 0.0], [1.0, 0.0]])

    class Rare(nn.Module):
        def __init__(self):
            super().__init__()
            self.bias = nn.Parameter(torch.zeros(1, 1))

        def forward(self, x):
            return torch.relu(x @ mask.to(x.dtype).T + 2 * self.bias - 2.5)

    seen = dependency_map(Rare(), torch.zeros(1, 2), draws=1, expected=past(2), most_draws=64)
    assert seen.draws > 1
    assert seen.sees[1, 0]
    blind = dependency_map(Masked(torch.zeros(2, 2)), torch.zeros(1, 2), expected=past(2))
    assert blind.draws == 16


def test_what_is_allowed_is_told_by_the_place_of_each_variable():
    place = np.array([2, 0, 1])
    assert past(place).astype(int).tolist() == [[0, 1, 1], [0, 0, 0], [0, 1, 0]]
    assert np.array_equal(past(place + 1), past(place))
    assert np.array_equal(past(3, own=True), np.tril(np.ones((3, 3), dtype=bool)))
    model = Masked(torch.tensor(past(place)).float())
    seen = dependency_map(model, torch.zeros(1, 3))
    assert seen.is_autoregressive(place) and not len(seen.missing(place))
    assert not seen.is_autoregressive() and not seen.is_autoregressive(np.argsort(place))
    assert passes_cuts(model, torch.zeros(1, 3), place=place)
    assert not passes_cuts(model, torch.zeros(1, 3))
    with pytest.raises(ValueError, match="a place of its own"):
        past([0, 0, 1])


def test_language_models_see_tokens_up_to_their_own_place():
    class Sums(nn.Module):
        def __init__(self):
            super().__init__()
            self.table, self.head = nn.Embedding(7, 5), nn.Linear(5, 7)

        def forward(self, ids):
            return self.head(torch.cumsum(self.table(ids), 1))  # (B, T, 7)

    seen = dependency_map(Sums(), torch.tensor([[1, 2, 3, 4]]), "token", vocabulary=7, outputs=-1)
    assert np.array_equal(seen.sees, past(4, own=True))
    assert seen.is_autoregressive(own=True) and not seen.is_autoregressive()
    assert passes_cuts(Sums(), torch.tensor([[1, 2, 3, 4]]), "token", outputs=-1, own=True)
    transposed = dependency_map(
        Sums(), torch.tensor([[1, 2, 3, 4]]), "token", outputs=1, call=lambda m, x: m(x).mT
    )
    assert np.array_equal(transposed.sees, seen.sees)


def test_images_are_flattened_and_channels_go_together():
    conv = nn.Conv2d(2, 3, 3, padding=1, bias=False)
    seen = dependency_map(conv, torch.zeros(1, 2, 4, 4), "normal", outputs=1, together=1)
    rows, columns = np.divmod(np.arange(16), 4)
    near = (abs(rows[:, None] - rows) <= 1) & (abs(columns[:, None] - columns) <= 1)
    assert np.array_equal(seen.sees, near)
    # Without grouping every channel is a position of its own.
    every = dependency_map(conv, torch.zeros(1, 2, 4, 4), "normal")
    assert np.array_equal(every.sees, np.tile(near, (3, 2)))


def test_one_hot_inputs_are_changed_by_a_function_of_the_callers():
    def other_symbol(x, rng):
        # Each position is one entry here: the classes lie on the last axis, all of them changed.
        return 1 - x

    weights = np.arange(1.0, 5.0)
    seen = dependency_map(
        lambda x: np.cumsum(x @ weights, axis=1),
        np.eye(4)[[[0, 1, 2]]],
        other_symbol,
        together=-1,
    )
    assert np.array_equal(seen.sees, past(3, own=True))
    with pytest.raises(ValueError, match="must change every entry: it left 4"):
        dependency_map(lambda x: x, np.ones((1, 4)), lambda x, rng: x)


def test_more_positions_than_rows_of_a_batch_give_the_same_map():
    model = made(n=11, hidden=60)
    maps = [dependency_map(model, torch.zeros(1, 11), rows=r, seed=4).sees for r in (1, 4, 256)]
    assert np.array_equal(maps[0], maps[1]) and np.array_equal(maps[0], maps[2])


@pytest.mark.parametrize("kind", ["numpy", "torch"])
def test_plain_functions_are_measured_as_they_are(kind):
    inputs = np.zeros((1, 5), dtype=np.float32)
    seen_dtypes = set()

    def running_sum(x):
        seen_dtypes.add((type(x), str(x.dtype).removeprefix("torch.")))
        return x.cumsum(1) - x

    seen = dependency_map(running_sum, inputs if kind == "numpy" else torch.from_numpy(inputs))
    assert seen.is_autoregressive() and not len(seen.missing())
    assert seen.precision == "as given" and seen.randomized == 0
    assert seen_dtypes == {(np.ndarray if kind == "numpy" else torch.Tensor, "float32")}


def test_a_function_that_writes_into_its_input_is_measured_right():
    def in_place(x):
        x[:, 1:] += x[:, :-1]
        return x

    expected = np.eye(4, dtype=bool) | np.eye(4, k=-1, dtype=bool)
    assert np.array_equal(dependency_map(in_place, np.ones((1, 4)), "normal").sees, expected)
    assert not batch_leaks(in_place, np.ones((3, 4)), "normal")


@pytest.mark.parametrize("wrapped", [False, True], ids=["here", "elsewhere"])
def test_normalizing_over_the_batch_leaks_in_train_mode(wrapped):
    model = nn.Sequential(made(), nn.BatchNorm1d(N))
    subject = Elsewhere(model) if wrapped else model
    leaks = batch_leaks(subject, torch.zeros(3, N))
    assert leaks and (leaks.sees | np.eye(3, dtype=bool)).all()
    assert "rows of a batch see each other" in leaks.summary()
    assert not batch_leaks(subject, torch.zeros(3, N), train=False)
    assert np.array_equal(dependency_map(subject, BITS).sees, past(N))
    mixed = dependency_map(subject, BITS, train=True)
    assert mixed.rows_mix and not mixed.is_autoregressive()
    assert "no map of one row can be trusted" in mixed.summary()


def test_dropout_is_accused_neither_across_rows_nor_within():
    model = nn.Sequential(made(), nn.Dropout(0.5))
    assert not batch_leaks(model, torch.zeros(3, N))
    assert np.array_equal(dependency_map(model, BITS).sees, past(N))
    assert dependency_map(model, BITS, train=True).is_autoregressive()


def test_a_leak_between_rows_in_eval_mode_is_found():
    def centered(x):
        return x - x.mean(axis=0, keepdims=True)

    assert batch_leaks(centered, np.zeros((3, 4)), train=False)
    assert dependency_map(centered, np.zeros((1, 4))).rows_mix


def test_randomness_that_no_seed_reaches_is_refused():
    generator = np.random.default_rng(0)
    with pytest.raises(NotRepeatable, match="eval mode"):
        dependency_map(lambda x: x + generator.normal(size=x.shape), np.zeros((1, 3)))
    # … unless the caller can set it.
    held = {"generator": np.random.default_rng(0)}

    def reseed():
        held["generator"] = np.random.default_rng(0)

    seen = dependency_map(
        lambda x: x + held["generator"].normal(size=x.shape), np.zeros((1, 3)), reseed=reseed
    )
    assert np.array_equal(seen.sees, np.eye(3, dtype=bool))


def test_a_model_elsewhere_is_measured_like_one_here():
    for model in (made(), Leaky(lambda x: 1e-3 * x[:, 4])):
        here, there = (
            dependency_map(model, BITS, seed=2),
            dependency_map(Elsewhere(model), BITS, seed=2),
        )
        assert np.array_equal(here.sees, there.sees)
        assert here.randomized == there.randomized and there.precision == "double"
    assert passes_cuts(Elsewhere(made()), BITS)


class MaskLater(nn.Linear):
    """A linear layer that registers its mask at its first call, or a new one at every call."""

    def __init__(self, again=False):
        super().__init__(N, N)
        self.again = again

    def forward(self, x):
        if self.again or not hasattr(self, "mask"):
            self.register_buffer("mask", torch.ones(N, N).tril(-1).to(x))
        return nn.functional.linear(x, self.weight * self.mask, self.bias)


@pytest.mark.parametrize("again", [False, True])
@pytest.mark.parametrize("called", [False, True])
@pytest.mark.parametrize("place", [lambda model: model, Elsewhere])
def test_a_mask_that_is_registered_at_the_first_call_is_a_mask(again, called, place):
    model = MaskLater(again)
    if called:
        model(BITS)
    for train in (False, True):
        assert np.array_equal(dependency_map(place(model), BITS, train=train).sees, past(N))
    assert not batch_leaks(place(model), BITS.expand(2, N))
    assert passes_cuts(place(model), BITS)
    assert randomize_parameters(MaskLater(), np.random.default_rng(0)) == N * N + N


def test_a_module_with_a_compiled_function_can_be_copied():
    class Compiled(nn.Module):
        def __init__(self):
            super().__init__()
            self.body, self.squash = made(), torch.jit.trace(torch.tanh, torch.zeros(2, N))

        def forward(self, x):
            return self.squash(self.body(x))

    model = Compiled()
    assert copy_model(model).squash is model.squash
    assert np.array_equal(dependency_map(model, BITS).sees, past(N))


def test_a_mask_is_no_parameter_wherever_it_is_kept():
    assert np.array_equal(dependency_map(made(frozen=True), BITS).sees, past(N))

    class Twice(nn.Module):  # the same layer under two names, as self.net and self.first
        def __init__(self):
            super().__init__()
            self.first = Masked(0.5 * torch.ones(N, N).tril(-1))
            self.net = nn.Sequential(self.first)

        def forward(self, x):
            return self.net(x)

    assert np.array_equal(dependency_map(Twice(), BITS).sees, past(N))

    scaled = Masked(0.5 * torch.ones(N, N).tril(-1), frozen=True)
    assert not dependency_map(scaled, BITS).is_autoregressive()
    assert dependency_map(scaled, BITS, keep=["mask"]).is_autoregressive()


def test_tied_parameters_stay_tied():
    class Tied(nn.Module):
        def __init__(self):
            super().__init__()
            self.a, self.b = nn.Linear(3, 3, bias=False), nn.Linear(3, 3, bias=False)
            self.b.weight = self.a.weight

        def forward(self, x):
            return self.a(x) - self.b(x)  # exactly zero while they are tied

    assert not dependency_map(Tied(), torch.zeros(1, 3)).sees.any()


def test_a_model_that_casts_to_single_precision_is_measured_in_single():
    class Casts(nn.Module):
        def __init__(self):
            super().__init__()
            self.body = made()

        def forward(self, x):
            return self.body(x.float())

    seen = dependency_map(Casts(), BITS)
    assert seen.precision == "single" and seen.draws == 8
    assert np.array_equal(seen.sees, past(N))


def test_a_module_that_keeps_its_last_hidden_layer_can_be_copied():
    class Keeps(nn.Module):
        def __init__(self):
            super().__init__()
            self.body = made()

        def forward(self, x):
            self.last = [self.body(x)]
            return self.last[0]

    model = Keeps()
    model(BITS)
    with pytest.raises(RuntimeError):
        copy.deepcopy(model)
    assert torch.equal(copy_model(model)(BITS), model(BITS))
    assert dependency_map(model, BITS).is_autoregressive()


def test_nan_and_infinity_are_compared_and_reported():
    def masked_softmax(x):
        out = np.cumsum(x, axis=1) - x
        out[:, 0] = np.nan
        out[:, 1] = -np.inf
        return out

    seen = dependency_map(masked_softmax, np.zeros((1, 4)))
    assert seen.is_autoregressive()
    assert seen.never_finite.tolist() == [True, True, False, False]
    assert seen.missing().tolist() == [[1, 0]]
    assert "2 outputs gave only NaN or infinity" in seen.summary()


def test_negative_zero_is_zero():
    # 0 · (−1) = −0: a correct mask without a bias would be accused by a comparison of bits.
    mask = np.tril(np.ones((4, 4)), -1)
    seen = dependency_map(lambda x: (x[:, None, :] * mask).sum(-1), np.ones((1, 4)), "normal")
    assert np.array_equal(seen.sees, past(4))


def test_cuts_catch_a_leak_of_the_trained_model_in_two_calls():
    calls = []

    def leaky(x):
        calls.append(len(x))
        out = np.cumsum(x, axis=1) - x
        out[:, 0] += 1e-9 * x[:, -1]
        return out

    assert leaking_cuts(leaky, np.zeros((1, 50)), cuts=16)
    assert len(calls) == 4  # two that agree, then the unperturbed and the cut batch
    assert passes_cuts(lambda x: np.cumsum(x, axis=1) - x, np.zeros((1, 50)))
    assert not passes_cuts(lambda x: np.cumsum(x, axis=1), np.zeros((1, 50)))


def test_fresh_parameters_change_all_and_count_them():
    model = made()
    before = {k: v.clone() for k, v in model.state_dict().items()}
    count = randomize_parameters(model, np.random.default_rng(0), positive=True)
    assert count == sum(p.numel() for p in model.parameters())
    for name, value in model.state_dict().items():
        assert torch.equal(value, before[name]) == name.endswith("mask")
    assert all((p >= 0.5).all() for p in model.parameters() if p.ndim == 1)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((np.full((1, 3), 0.5), "flip"), "inputs of 0 and 1"),
        ((np.zeros((1, 3)), "token"), "needs integers"),
        ((np.zeros((1, 3), dtype=int), "normal"), "needs floats"),
        ((np.zeros((1, 3)), "nan"), "perturb must be"),
        ((np.zeros(3), "flip"), r"shape \(B, …\)"),
    ],
)
def test_inputs_that_do_not_fit_are_refused_in_one_sentence(arguments, message):
    with pytest.raises(ValueError, match=message):
        dependency_map(lambda x: x, *arguments)


def test_other_wrong_arguments_are_refused_in_one_sentence():
    x = np.zeros((1, 3))
    ids = np.array([[0, 5, 1]])
    with pytest.raises(ValueError, match="above the largest id 5"):
        dependency_map(lambda x: x, ids, "token", vocabulary=5)
    with pytest.raises(ValueError, match="draws must be at least 1"):
        dependency_map(lambda x: x, x, draws=0)
    with pytest.raises(ValueError, match="not 0"):
        dependency_map(lambda x: x, x, outputs=0)
    with pytest.raises(ValueError, match=r"allowed must have shape \(3, 3\)"):
        dependency_map(lambda x: x, x).forbidden(np.ones((2, 2)))
    with pytest.raises(ValueError, match="at least 2 rows"):
        batch_leaks(lambda x: x, x)
    with pytest.raises(ValueError, match="must hold 3 inputs"):
        leaking_cuts(lambda x: x, x, place=[0, 1])
    with pytest.raises(TypeError, match="a model or a function"):
        dependency_map(Masked, x)


@pytest.mark.parametrize(
    ("f", "message"),
    [
        (lambda x: (x, x), "got a tuple"),
        (lambda x: None, "got a NoneType"),
        (lambda x: x[:1], r"got shape \(1, 3\)"),
        (lambda x: x.sum(), "got a float64"),
        (lambda x: [["a"], ["b"]], "row of numbers"),
    ],
)
def test_an_output_without_rows_is_refused_in_one_sentence(f, message):
    with pytest.raises(WrongOutput, match=message):
        dependency_map(f, np.zeros((1, 3)))


def test_what_the_docstring_says_can_be_missed_is_missed():
    # Held here so that nobody trusts the map for more than it can say.
    saturated = dependency_map(lambda x: np.maximum(x, 100.0), np.zeros((1, 3)), "uniform")
    assert not saturated.sees.any()
    tiny = dependency_map(lambda x: x[:, ::-1] * 1e-20 + 1.0, np.zeros((1, 3)))
    assert not tiny.sees.any()
    rare = dependency_map(lambda x: x * 0 + (x.sum(1, keepdims=True) == 60), np.zeros((1, 64)))
    assert not rare.sees.any()
