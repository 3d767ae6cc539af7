"""A step that is played back does what the step does that is written.

There is no card here: in the place of a CUDA graph stands a recorder that calls the step some
times, as warming up does, and gives it back. Everything but the capture itself is what runs on a
card: fixed tensors, a rate that is a tensor, weights put back, and what is not captured.
"""

from __future__ import annotations

import contextlib
import itertools

import pytest
import torch
from torch import nn

from course import step as steps_of
from course import training
from course.step import CapturedStep, NotCaptured, Step, adamw, remembers
from course.training import TrainingDiverged, fit

CPU = {"device": "cpu", "progress": False, "batch_size": 20}
PLAYED = []


def recorder(step):
    for _ in range(3):
        step()

    def play():
        PLAYED.append(1)
        step()

    return play


@pytest.fixture
def card(monkeypatch):
    """The processor records, too; every run is worth it."""
    monkeypatch.setitem(steps_of.RECORDERS, "cpu", recorder)
    monkeypatch.setattr(training, "WORTH_A_CAPTURE", 1)
    PLAYED.clear()


class Net(nn.Module):
    """Two layers with what a step can leave a trace in: a buffer, dropout."""

    def __init__(self, seed=0):
        super().__init__()
        torch.manual_seed(seed)
        # No bias: what the norm takes away again has a gradient of rounding only.
        self.body = nn.Sequential(
            nn.Linear(6, 16, bias=False),
            nn.BatchNorm1d(16),
            nn.ReLU(),
            nn.Dropout(0.2),
            nn.Linear(16, 6),
        )
        self.unused = nn.Parameter(torch.ones(3))

    def nll(self, x):
        each = nn.functional.binary_cross_entropy_with_logits(self.body(x), x, reduction="none")
        return each.sum(1)


def bits(count, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return (torch.rand(count, 6, generator=generator) < torch.linspace(0.1, 0.9, 6)).float()


SETTING = dict(epochs=6, lr=2e-2, weight_decay=0.1, clip=1.0, warmup=7, **CPU)


def trained(model=None, **change):
    model = model or Net()
    history = fit(model, bits(107), bits(40, 1), **{**SETTING, **change})
    return history, torch.nn.utils.parameters_to_vector(model.parameters()).detach()


def test_a_captured_run_is_the_plain_run(card):
    graph, weights = trained()
    played = len(PLAYED)
    plain, expected = trained(captured=False)
    assert (graph.how, plain.how) == ("one graph a step", "step by step")
    assert played == 6 * 5 == len(PLAYED)  # the sixth batch of an epoch has 7 examples
    assert graph.train == pytest.approx(plain.train, abs=1e-6)
    assert graph.valid == pytest.approx(plain.valid, abs=1e-6)
    assert torch.allclose(weights, expected, atol=1e-6)


def test_recording_changes_neither_weights_nor_buffers_nor_the_optimizer(card):
    model, x = Net(), bits(20)
    step = Step(model, lambda m, x: m.nll(x), adamw(list(model.parameters()), 0.1, 0.1, True))
    step([x], 0.1)  # the optimizer has a state

    def state():
        moments = [v for parts in step.optimizer.state.values() for v in parts.values()]
        return [v.clone() for v in (*model.state_dict().values(), *moments)]

    before = state()
    assert len(before) == 9 + 3 * 5  # the unused weight is not trained
    CapturedStep(step, [x], recorder)
    after = state()
    assert all(map(torch.equal, before, after))
    assert all(p.grad is None for p in model.parameters())


def test_a_captured_step_reads_its_batch_and_its_rate_anew():
    model = nn.Linear(6, 1, bias=False)
    step = Step(model, lambda m, x: m(x)[:, 0], adamw(list(model.parameters()), 1.0, 0.0, True))
    graph = CapturedStep(step, [torch.ones(2, 6)], recorder)
    start = model.weight.detach().clone()
    assert float(graph([torch.zeros(2, 6)], 0.5)) == 0.0
    one = graph([torch.ones(2, 6)], 0.0)
    two = graph([2 * torch.ones(2, 6)], 0.5)
    assert float(one) == pytest.approx(float(start.sum()), abs=1e-6)  # kept, though played again
    assert float(two) == pytest.approx(2 * float(start.sum()), abs=1e-5)
    assert (start - model.weight).min() > 0.3


def test_a_loss_with_a_memory_is_not_captured(card):
    turn = itertools.cycle([1.0, 1.001, 1.0])

    def in_turn(model, x):
        return model.nll(x) * next(turn)

    history, _ = trained(loss=in_turn)
    assert history.how.startswith("step by step, not captured: the loss has a memory")
    assert not PLAYED


def test_dropout_is_no_memory():
    model = Net()
    step = Step(model, lambda m, x: m.nll(x), adamw(list(model.parameters()), 0.1, 0.0, True))
    undisturbed = lambda: training._undisturbed(torch.device("cpu"))  # noqa: E731
    before = {name: value.clone() for name, value in model.state_dict().items()}
    assert not remembers(step, [bits(20)], undisturbed)
    assert remembers(step, [bits(20)], contextlib.nullcontext)
    assert all(torch.equal(before[name], value) for name, value in model.state_dict().items())


def test_a_step_that_cannot_be_captured_is_taken_as_it_is_written(card, monkeypatch):
    def refuses(step):
        step()
        raise NotCaptured("AcceleratorError: operation not permitted when stream is capturing")

    monkeypatch.setitem(steps_of.RECORDERS, "cpu", refuses)
    history, weights = trained()
    assert history.how.startswith("step by step, not captured: AcceleratorError: operation")
    _, expected = trained(captured=False)
    assert torch.allclose(weights, expected, atol=1e-6)


def test_a_short_run_and_one_of_small_batches_are_not_captured(card, monkeypatch):
    assert trained(batch_size=200)[0].how == "step by step"
    monkeypatch.setattr(training, "WORTH_A_CAPTURE", 37)
    assert trained()[0].how == "step by step"
    assert not PLAYED


def test_a_captured_run_is_taken_up_from_a_plain_checkpoint(card, tmp_path):
    straight, expected = trained(captured=False)

    class Stop:
        left = 15

        def __call__(self, model, x):
            self.left -= model.training
            if self.left == 0:
                raise KeyboardInterrupt
            return model.nll(x)

    path = tmp_path / "run.pt"
    first, _ = trained(loss=Stop(), captured=False, checkpoint=path)
    assert first.stopped == "interrupted" and len(first.valid) == 2
    second, weights = trained(Net(5), checkpoint=path)
    assert second.how == "one graph a step" and len(PLAYED) == 4 * 5
    assert second.valid == pytest.approx(straight.valid, abs=1e-6)
    assert torch.allclose(weights, expected, atol=1e-6)


def test_losses_that_are_read_late_are_added_up_and_named_as_ever(monkeypatch):
    class Elsewhere:
        """A device by its kind, whose tensors are here."""

        type = "elsewhere"

    class Late(training._Run):
        def start(self, *arguments):
            super().start(*arguments)
            self.device = Elsewhere()

    def late(data):
        move = torch.Tensor.to
        with monkeypatch.context() as patch:
            patch.setattr(training, "A_LOOK", 60.0)
            patch.setattr(training, "_Run", Late)
            patch.setattr(training, "_undisturbed", lambda device: contextlib.nullcontext())
            patch.setattr(
                torch.Tensor,
                "to",
                lambda t, *a, **k: t if isinstance(a[0], Elsewhere) else move(t, *a, **k),
            )
            return fit(Net(), data, bits(40, 1), **SETTING)

    assert late(bits(107)).train == pytest.approx(trained()[0].train, abs=1e-6)
    data = bits(107)
    data[50] = float("nan")
    with pytest.raises(TrainingDiverged) as at_once:
        fit(Net(), data, bits(40, 1), **SETTING)
    with pytest.raises(TrainingDiverged) as later:
        late(data)
    assert str(later.value) == str(at_once.value)


def test_bfloat16_trains_nearly_as_float32_and_float16_scales_its_loss():
    x = bits(200)
    ends = {}
    for dtype in (torch.float32, torch.bfloat16, torch.float16):
        model = Net()
        step = Step(
            model,
            lambda m, x: m.nll(x),
            adamw(list(model.parameters()), 0.02, 0.0, False),
            clip=10.0,
            dtype=dtype,
        )
        losses = [float(step([x], 0.02)) for _ in range(60)]
        ends[dtype] = losses[-1]
        assert losses[-1] < losses[0] - 0.5
        assert (step.scaler is not None) == (dtype == torch.float16)
        assert all(p.dtype == torch.float32 for p in model.parameters())
    assert max(ends.values()) - min(ends.values()) < 0.1


def test_a_step_with_a_scaled_loss_is_not_captured():
    model = Net()
    optimizer = adamw(list(model.parameters()), 0.02, 0.0, True)
    step = Step(model, lambda m, x: m.nll(x), optimizer, dtype=torch.float16)
    with pytest.raises(NotCaptured, match="float16"):
        CapturedStep(step, [bits(20)], recorder)


@pytest.mark.parametrize(
    ("capability", "dtype"),
    [((7, 5), torch.float16), ((8, 0), torch.bfloat16), ((9, 0), torch.bfloat16)],
)
def test_mixed_precision_is_what_the_card_has(monkeypatch, capability, dtype):
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: capability)
    assert steps_of.mixed_precision(torch.device("cuda")) == dtype
    assert steps_of.mixed_precision(torch.device("cpu")) == torch.float32


def test_amp_changes_nothing_on_a_processor():
    (one, weights), (two, others) = trained(amp=True), trained()
    assert one.valid == two.valid and torch.equal(weights, others) and one.how == "step by step"


def test_a_compiled_loss_is_used_where_a_try_of_it_works(monkeypatch):
    calls = []

    def compiler(loss):
        def fast(*arguments):
            calls.append(1)
            return loss(*arguments)

        return fast

    monkeypatch.setattr(torch, "compile", compiler)
    fast, weights = trained(compiled=True)
    assert fast.how == "step by step, compiled" and len(calls) == 1 + 6 * 6
    plain, expected = trained()
    assert fast.train == plain.train and torch.equal(weights, expected)

    def broken(loss):
        def fast(*arguments):
            raise RuntimeError("no compiler here")

        return fast

    monkeypatch.setattr(torch, "compile", broken)
    slow, weights = trained(compiled=True)
    assert slow.how == "step by step, not compiled: RuntimeError"
    assert slow.train == plain.train and torch.equal(weights, expected)


def test_the_rate_rises_over_the_warm_up_and_falls_as_before(monkeypatch):
    rates = []
    take = Step.__call__
    monkeypatch.setattr(Step, "__call__", lambda self, b, lr: rates.append(lr) or take(self, b, lr))
    trained(epochs=2, warmup=0)
    without, rates[:] = list(rates), []
    trained(epochs=2, warmup=4)
    assert rates[4:] == without[4:] and len(rates) == 12
    assert rates[:4] == pytest.approx([r * k / 4 for k, r in enumerate(without[:4], start=1)])


def test_a_loss_that_is_no_number_is_told_in_a_captured_run_too(card):
    data = bits(107)
    data[50] = float("nan")
    with pytest.raises(TrainingDiverged, match=r"the loss became nan at step \d of epoch 1"):
        fit(Net(), data, bits(40, 1), **SETTING)
