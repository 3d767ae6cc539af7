"""Tests of fit and evaluate: they minimize, resume bit for bit, and stop with a sentence."""

import math

import pytest
import torch
from torch import nn

from course import data
from course.training import History, TrainingDiverged, evaluate, fit

CPU = {"device": "cpu", "progress": False}


class Bernoulli(nn.Module):
    """Independent bits, with a dropout that draws random numbers, and a buffer that moves."""

    def __init__(self, n=6, dropout=0.0):
        super().__init__()
        self.logits = nn.Parameter(torch.zeros(n))
        self.dropout = nn.Dropout(dropout)
        self.norm = nn.BatchNorm1d(n)

    def nll(self, x):
        self.norm(x)  # its running mean makes train mode leave a trace in a buffer
        logits = self.dropout(self.logits.expand_as(x))
        return nn.functional.binary_cross_entropy_with_logits(logits, x, reduction="none").sum(1)


def bits(count=200, n=6, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return (torch.rand(count, n, generator=generator) < torch.linspace(0.1, 0.9, n)).float()


def weights(model):
    return {name: value.clone() for name, value in model.state_dict().items()}


def same(a, b):
    return a.keys() == b.keys() and all(torch.equal(a[k], b[k]) for k in a)


def test_the_maximum_likelihood_of_bits_is_their_frequency():
    model, x = Bernoulli(), bits(2000)
    history = fit(model, x, x, epochs=30, batch_size=200, lr=0.1, **CPU)
    assert torch.allclose(torch.sigmoid(model.logits), x.mean(0), atol=0.01)
    p = x.mean(0)
    entropy = float(-(p * p.log() + (1 - p) * (1 - p).log()).sum())
    assert history.best == pytest.approx(entropy, abs=1e-3)
    assert history.best >= entropy - 1e-6  # no weights have a likelihood above the maximum
    assert history.train[0] > history.train[-1]
    assert len(history.train) == len(history.valid) == 30 and history.stopped == "epochs"
    assert history.parameters == 18


def test_digits_are_learned_better_than_by_independent_bits():
    class Fvsbn(nn.Module):
        def __init__(self):
            super().__init__()
            self.weight = nn.Parameter(torch.zeros(64, 64))
            self.bias = nn.Parameter(torch.zeros(64))

        def nll(self, x):
            logits = x @ self.weight.tril(-1).T + self.bias
            loss = nn.functional.binary_cross_entropy_with_logits(logits, x, reduction="none")
            return loss.sum(1)

    digits = data.digits()
    model = Fvsbn()
    fit(model, digits.train, digits.valid, epochs=15, batch_size=64, lr=5e-2, **CPU)
    nats, error = evaluate(model, digits.test)
    assert 18.0 < nats < 18.9 and 0.2 < error < 0.3


def test_the_same_seed_gives_the_same_weights_and_another_seed_others():
    runs = []
    for seed in (1, 1, 2):
        model = Bernoulli(dropout=0.3)
        history = fit(model, bits(), bits(seed=1), epochs=3, seed=seed, **CPU)
        runs.append((weights(model), history.train, history.valid))
    assert same(runs[0][0], runs[1][0]) and runs[0][1:] == runs[1][1:]
    assert not same(runs[0][0], runs[2][0])


def test_the_global_generator_neither_matters_nor_changes():
    runs = []
    for outside in (5, 6):
        torch.manual_seed(outside)
        expected = torch.rand(1)
        torch.manual_seed(outside)
        model = Bernoulli(dropout=0.3)
        fit(model, bits(), bits(seed=1), epochs=2, **CPU)
        assert torch.equal(torch.rand(1), expected)
        runs.append(weights(model))
    assert same(*runs)


class Stop:
    """A loss that interrupts at its k-th call in train mode."""

    def __init__(self, k, error=KeyboardInterrupt):
        self.left, self.error = k, error

    def __call__(self, model, x):
        self.left -= model.training
        if self.left == 0:
            raise self.error
        return model.nll(x)


@pytest.mark.parametrize("at", [1, 8, 15, 29])
def test_an_interrupted_run_resumes_bit_for_bit(at, tmp_path):
    x, held = bits(), bits(seed=1)
    setting = dict(epochs=5, batch_size=32, lr=0.05, weight_decay=0.01, seed=3, **CPU)
    straight = Bernoulli(dropout=0.3)
    reference = fit(straight, x, held, **setting)

    path = tmp_path / "deep" / "run.pt"
    model = Bernoulli(dropout=0.3)
    first = fit(model, x, held, loss=Stop(at), checkpoint=path, **setting)
    assert first.stopped == "interrupted" and len(first.valid) == (at - 1) // 7
    assert len(first.train) == len(first.valid)
    with torch.no_grad():
        model.logits.fill_(9.0)  # whatever happens to the model in between
    torch.rand(3)
    second = fit(model, x, held, checkpoint=path, **setting)
    assert (second.train, second.valid) == (reference.train, reference.valid)
    assert second.stopped == "epochs" and second.best_epoch == reference.best_epoch
    assert same(weights(model), weights(straight))
    # A finished run is not trained again.
    again = fit(Bernoulli(), x, held, loss=Stop(1), checkpoint=path, **setting)
    assert again.valid == reference.valid and again.seconds == second.seconds


def test_what_each_epoch_shows_does_not_disturb_training(tmp_path):
    calls = []

    def look(model, history):
        assert not model.training
        calls.append(len(history.valid))
        torch.rand(5)

    x, held = bits(), bits(seed=1)
    plain, watched = Bernoulli(dropout=0.3), Bernoulli(dropout=0.3)
    fit(plain, x, held, epochs=3, **CPU)
    fit(watched, x, held, epochs=3, each_epoch=look, **CPU)
    assert calls == [1, 2, 3] and same(weights(plain), weights(watched))


def test_interruption_leaves_the_best_weights_in_the_model():
    kept = {}

    def keep(model, history):
        if history.best_epoch == len(history.valid):
            kept.update(weights(model))

    model = Bernoulli()
    history = fit(
        model, bits(), bits(seed=1), epochs=9, lr=0.3, loss=Stop(40), each_epoch=keep, **CPU
    )
    assert history.stopped == "interrupted" and len(history.valid) == 5
    assert same(weights(model), kept) and not model.training
    assert "interrupted" in history.describe()


def test_interruption_in_the_first_epoch_leaves_the_model_as_it_was():
    model = Bernoulli()
    before = weights(model)
    history = fit(model, bits(), bits(seed=1), loss=Stop(3), **CPU)
    assert history.stopped == "interrupted" and not history.valid
    assert same(weights(model), before)


def test_the_best_weights_by_validation_are_kept_and_patience_stops():
    x = bits(40)
    flipped = 1 - x  # validation gets worse with every step of training
    model = Bernoulli()
    with torch.no_grad():
        model.logits.copy_(-torch.logit(torch.linspace(0.1, 0.9, 6)))
    history = fit(model, x, flipped, epochs=50, lr=0.1, patience=4, **CPU)
    assert history.best_epoch == 1 and history.stopped == "patience" and len(history.valid) == 5
    assert evaluate(model, flipped)[0] == pytest.approx(history.best, abs=1e-5)
    assert "stopped early" in history.describe()


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_loss_that_is_no_number_stops_with_step_and_epoch(value):
    class Breaks(Stop):
        def __call__(self, model, x):
            self.left -= model.training
            return model.nll(x) * (value if self.left <= 0 else 1.0)

    model, kept = Bernoulli(), {}
    with pytest.raises(TrainingDiverged) as caught:
        fit(
            model,
            bits(),
            bits(seed=1),
            batch_size=50,
            lr=0.02,
            loss=Breaks(11),
            each_epoch=lambda m, h: kept.update(weights(m)) if len(h.valid) == 2 else None,
            **CPU,
        )
    sentence = str(caught.value)
    assert f"the loss became {value} at step 3 of epoch 3 (step 11 in all)" in sentence
    assert "below 0.02" in sentence
    assert caught.value.history.stopped == "diverged" and len(caught.value.history.valid) == 2
    assert same(weights(model), kept)
    assert all(v.isfinite().all() for v in weights(model).values())


def test_a_checkpoint_of_another_run_or_of_no_run_is_refused(tmp_path):
    path = tmp_path / "run.pt"
    fit(Bernoulli(), bits(), bits(seed=1), epochs=1, checkpoint=path, **CPU)
    before = path.read_bytes()
    with pytest.raises(ValueError, match=r"another run \(lr 0.005 → 0.1\): delete it"):
        fit(Bernoulli(), bits(), bits(seed=1), epochs=1, lr=0.1, checkpoint=path, **CPU)
    with pytest.raises(ValueError, match=r"another run \(train"):
        fit(Bernoulli(), bits(seed=2), bits(seed=1), epochs=1, checkpoint=path, **CPU)
    assert path.read_bytes() == before
    path.write_bytes(b"no checkpoint")
    with pytest.raises(ValueError, match="is no checkpoint of fit"):
        fit(Bernoulli(), bits(), bits(seed=1), epochs=1, checkpoint=path, **CPU)


def test_a_checkpoint_can_run_no_code(tmp_path):
    class Evil:
        def __reduce__(self):
            return (tmp_path / "ran").mkdir, ()

    torch.save({"setting": Evil()}, tmp_path / "run.pt")
    with pytest.raises(ValueError, match="is no checkpoint of fit"):
        fit(Bernoulli(), bits(), bits(), checkpoint=tmp_path / "run.pt", **CPU)
    assert not (tmp_path / "ran").exists()


def test_the_learning_rate_follows_a_cosine_to_zero():
    rates = []
    step = torch.optim.AdamW.step

    class Watch(nn.Module):
        def __init__(self):
            super().__init__()
            self.p = nn.Parameter(torch.zeros(1))

    def watched(self, closure=None):
        rates.append(self.param_groups[0]["lr"])
        return step(self, closure)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(torch.optim.AdamW, "step", watched)
        x = torch.ones(40)
        fit(Watch(), x, x, epochs=2, batch_size=10, lr=2.0, loss=lambda m, x: m.p * x, **CPU)
    expected = [1 + math.cos(math.pi * k / 8) for k in range(8)]
    assert rates == pytest.approx(expected)


def test_several_tensors_are_batched_together():
    x = torch.randn(64, 2, generator=torch.Generator().manual_seed(0))
    y = (x @ torch.tensor([1.0, -2.0]))[:, None]
    model = nn.Linear(2, 1)

    def squared(model, x, y):
        return (model(x) - y).square().mean(1)

    fit(model, (x, y), (x, y), epochs=60, lr=0.1, loss=squared, **CPU)
    assert torch.allclose(model.weight, torch.tensor([[1.0, -2.0]]), atol=0.02)
    assert evaluate(model, (x, y), loss=squared)[0] < 1e-3


def test_a_mean_loss_serves_for_training_and_weighs_the_last_batch_by_its_size():
    model, x = Bernoulli(), bits(102)
    mean = fit(model, x, x, epochs=2, batch_size=20, loss=lambda m, b: m.nll(b).mean(), **CPU)
    each = fit(Bernoulli(), x, x, epochs=2, batch_size=20, **CPU)
    assert mean.train == pytest.approx(each.train) and mean.valid == pytest.approx(each.valid)


def test_the_gradient_is_clipped():
    model = nn.Linear(1, 1, bias=False)
    norms = []
    model.weight.register_post_accumulate_grad_hook(lambda p: norms.append(p))
    step = torch.optim.AdamW.step

    def watched(self, closure=None):
        assert float(model.weight.grad.norm()) <= 0.5 + 1e-6
        return step(self, closure)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(torch.optim.AdamW, "step", watched)
        x = 100 * torch.ones(8, 1)
        fit(model, x, x, epochs=1, clip=0.5, loss=lambda m, x: m(x).square().mean(1), **CPU)
    assert norms


def test_evaluate_gives_the_mean_and_its_standard_error():
    model, x = Bernoulli(), bits(300)
    with torch.no_grad():
        model.logits.copy_(torch.linspace(-2, 2, 6))
    model.train()
    model.dropout.p = 0.9  # eval mode: it must not matter
    mean, error = evaluate(model, x, batch_size=7)
    assert model.training
    with torch.no_grad():
        each = model.eval().nll(x).double()
    assert mean == pytest.approx(float(each.mean()))
    assert error == pytest.approx(float(each.std() / 300**0.5))


def test_the_model_comes_back_in_eval_mode_without_gradients():
    model = Bernoulli().train()
    fit(model, bits(), bits(), epochs=1, **CPU)
    assert not model.training and model.logits.grad is None
    assert model.logits.device.type == "cpu" and model.logits.requires_grad


def test_the_history_says_where_it_was_trained():
    assert fit(Bernoulli(), bits(), bits(), epochs=1, **CPU).device == "cpu"


def test_the_device_is_asked_for_where_none_is_given(monkeypatch):
    monkeypatch.setenv("COURSE_DEVICE", "abacus")
    with pytest.raises(ValueError, match="COURSE_DEVICE"):
        fit(Bernoulli(), bits(), bits(), epochs=1)


def test_the_bar_shows_nll_and_time_left(capsys):
    fit(Bernoulli(), bits(), bits(seed=1), epochs=2, batch_size=100, device="cpu")
    shown = capsys.readouterr().err
    assert "4/4" in shown and "NLL " in shown and "validation " in shown and "<00:00" in shown


def test_the_history_draws_and_describes_itself():
    history = History(4, 0, 10, [5.0, 4.0, 3.5], [5.5, 4.25, 4.5], "patience", 1.5)
    assert history.best_epoch == 2 and history.best == 4.25
    words = history.describe()
    assert "3 epochs" in words and "4.25, came after epoch 2" in words and "nats" in words
    page = history._repr_html_()
    assert f'alt="{words}"' in page and "data:image/png;base64," in page
    from matplotlib.figure import Figure

    ax = history.plot(Figure().subplots())
    train, valid, best = ax.lines
    assert list(train.get_ydata()) == history.train and train.get_linestyle() == "--"
    assert list(valid.get_xdata()) == [1, 2, 3] and valid.get_color() == "#0072B2"
    assert (best.get_xdata()[0], best.get_ydata()[0]) == (2, 4.25)
    assert "nats" in ax.get_ylabel()


def test_a_history_of_nothing_and_one_with_nan_are_described():
    empty = History(4, 0, 10)
    assert empty.best_epoch == 0 and math.isnan(empty.best)
    assert "before the end of its first epoch" in empty.describe() and empty._repr_html_()
    assert History(3, 0, 1, [1.0] * 3, [math.nan, 2.0, 1.5]).best_epoch == 3


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"model": nn.Linear(6, 6)}, "Linear has no method nll"),
        ({"loss": lambda m, x: m.nll(x).detach()}, "does not depend on the parameters"),
        ({"loss": lambda m, x: m.nll(x)[:, None]}, r"shape \(32,\), or their mean: got \(32, 1\)"),
        ({"loss": lambda m, x: 3.0}, "or their mean: got float"),
        ({"model": nn.Module(), "loss": lambda m, x: x}, "has no parameters to train"),
        ({"epochs": 0}, "must be at least 1"),
        ({"lr": 0.0}, "lr above 0"),
        ({"train": torch.zeros(0, 6)}, "train must hold equally many examples"),
        ({"valid": (torch.zeros(3), torch.zeros(2))}, "valid must hold equally many"),
        ({"train": [1, 2]}, "train must be a tensor"),
    ],
)
def test_arguments_that_do_not_fit_are_refused_in_one_sentence(change, message):
    arguments = {"model": Bernoulli(), "train": bits(), "valid": bits(), **CPU, **change}
    with pytest.raises(ValueError, match=message):
        fit(**arguments)


def test_a_standard_error_needs_one_number_for_each_example():
    with pytest.raises(ValueError, match="one number for each example, not their mean"):
        evaluate(Bernoulli(), bits(), loss=lambda m, x: m.nll(x).mean())
    with pytest.raises(ValueError, match="at least 2 examples: got 1"):
        evaluate(Bernoulli(), bits(1))


class Still(torch.nn.Module):
    """A model whose loss is what the data says: no gradient moves its one weight."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(torch.ones(3))

    def nll(self, x: torch.Tensor) -> torch.Tensor:
        return x[:, 0] + 0 * self.weight.sum()


def test_weight_decay_shrinks_what_no_gradient_moves():
    data = torch.arange(6.0)[:, None]
    norms = []
    for weight_decay in (0.0, 0.5):
        model = Still()
        fit(model, data, data, epochs=1, lr=0.1, weight_decay=weight_decay, progress=False)
        norms.append(float(model.weight.detach().norm()))
    assert norms[0] == pytest.approx(3**0.5)
    assert norms[1] < norms[0] * 0.99


def test_the_training_loss_is_a_mean_over_examples_though_the_last_batch_is_smaller():
    data = torch.tensor([[0.0], [0.0], [0.0], [0.0], [10.0]])
    history = fit(Still(), data, data, epochs=2, batch_size=2, progress=False)
    assert history.train == pytest.approx([2.0, 2.0])
    assert history.valid == pytest.approx([2.0, 2.0])
