"""Training to the letter: steps and rates, what is kept, what is said and what is refused."""

from __future__ import annotations

import inspect
import math
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from course import training
from course.training import History, TrainingDiverged, evaluate, fit

CPU = {"device": "cpu", "progress": False}


def told(error: type[BaseException], call: Any, *args: Any, **options: Any) -> str:
    """The sentence with which a call is refused."""
    with pytest.raises(error) as why:
        call(*args, **options)
    return str(why.value)


class Line(nn.Module):
    """One weight; its loss is w · x, so that every gradient is the mean of a batch."""

    def __init__(self, start: float = 1.0) -> None:
        super().__init__()
        self.w = nn.Parameter(torch.tensor([start]))
        self.seen: list[tuple[bool, list[float]]] = []

    def nll(self, x: torch.Tensor) -> torch.Tensor:
        self.seen.append((self.training, x.tolist()))
        return self.w * x


TRAIN, VALID = torch.tensor([1.0, 2.0, 3.0]), torch.tensor([5.0])


def history(train: Any, valid: Any, **changed: Any) -> History:
    about: dict[str, Any] = {"epochs": 9, "seed": 1, "parameters": 2, "seconds": 3.14}
    return History(train=list(train), valid=list(valid), **about | changed)


# --- a history ------------------------------------------------------------------------------------


def test_a_history_knows_its_best_epoch():
    assert (history([], []).best_epoch, math.isnan(history([], []).best)) == (0, True)
    one = history([3, 2, 2, 2], [4.0, 1.5, 1.5, 2.0])
    assert (one.best_epoch, one.best) == (2, 1.5)
    assert history([1, 1], [math.nan, 7.0]).best_epoch == 2
    assert history([1, 1], [math.nan, math.nan]).best_epoch == 1
    assert (History(1, 2, 3).train, History(1, 2, 3).seconds) == ([], 0.0)


def test_a_history_is_told_in_words():
    nothing = history([], [])
    assert nothing.describe() == "Training stopped before the end of its first epoch."
    one = history([3.0], [4.0])
    assert one.describe() == (
        "Learning curve of 1 epoch: from 3.00 nats in training and 4.00 in validation to 3.00 in "
        "training and 4.00 in validation; the least validation NLL, 4.00, came after epoch 1."
    )
    assert history([3.0, 2.0], [4.0, 3.0]).describe().startswith("Learning curve of 2 epochs: ")
    told = (
        "Learning curve of 3 epochs: from 3.00 nats in training and 4.00 in validation to 1.00 in "
        "training and 2.50 in validation; the least validation NLL, 2.00, came after epoch 2."
    )
    for stopped, why in (
        ("epochs", ""),
        ("patience", " It stopped early, since validation no longer improved."),
        ("interrupted", " It was interrupted."),
        ("diverged", " It stopped because the loss was no finite number."),
    ):
        one = history([3.0, 2.0, 1.0], [4.0, 2.0, 2.5], stopped=stopped)
        assert one.describe() == told + why
    assert repr(one) == f"<History: {one.describe()} 3.1 s>"


def test_a_history_is_drawn_with_two_curves_and_its_best():
    from matplotlib.figure import Figure

    axes = Figure().subplots()
    assert history([3.0, 2.0, 1.0], [4.0, 2.0, 2.5]).plot(axes) is axes
    train, valid, best = axes.lines
    assert (list(train.get_xdata()), list(train.get_ydata())) == ([1, 2, 3], [3.0, 2.0, 1.0])
    assert (list(valid.get_xdata()), list(valid.get_ydata())) == ([1, 2, 3], [4.0, 2.0, 2.5])
    assert (list(best.get_xdata()), list(best.get_ydata())) == ([2], [2.0])
    assert [line.get_color() for line in axes.lines] == ["#E69F00", "#0072B2", "#D55E00"]
    assert (train.get_linestyle(), valid.get_linestyle(), best.get_marker()) == ("--", "-", "o")
    texts = [text.get_text() for text in axes.get_legend().get_texts()]
    assert texts == ["training", "validation", "best: 2.00"]
    assert not axes.get_legend().get_frame_on()
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("epoch", "NLL (nats per example)")
    sides = ("top", "right", "left", "bottom")
    assert [axes.spines[side].get_visible() for side in sides] == [False, False, True, True]
    empty = history([], []).plot(Figure().subplots())
    assert len(empty.lines) == 2 and empty.get_legend() is None


def test_a_history_without_axes_makes_its_own():
    import matplotlib.pyplot as plt

    axes = history([1.0], [2.0]).plot()
    assert axes.figure.get_size_inches().tolist() == [6, 3.2]
    assert axes.figure.get_layout_engine() is not None
    plt.close(axes.figure)


def test_a_history_is_shown_as_a_picture_with_its_words(monkeypatch):
    import base64
    import io

    import matplotlib.figure
    import matplotlib.image

    drawn = []

    class Kept(matplotlib.figure.Figure):
        def __init__(self, *arguments, **named):
            super().__init__(*arguments, **named)
            drawn.append(self)

    monkeypatch.setattr(matplotlib.figure, "Figure", Kept)
    one = history([1.0], [2.0])
    shown = one._repr_html_()
    words = one.describe()
    assert shown.startswith('<figure style="margin:0"><style>') and shown.count("<img") == 1
    assert f' alt="{words}" ' in shown
    assert shown.endswith(f"><figcaption>{words}</figcaption></figure>")
    light = shown.partition('src="data:image/png;base64,')[2].partition('"')[0]
    picture = matplotlib.image.imread(io.BytesIO(base64.b64decode(light)))
    assert picture.shape[:2] == (512, 960)
    assert picture[0, 0].tolist() == [1, 1, 1, 1]
    assert drawn[0].get_layout_engine() is not None  # which keeps labels inside the picture


# --- the steps ------------------------------------------------------------------------------------


def rates_of(**options: Any) -> tuple[list[float], Any, Line]:
    """The learning rate of each step, the history, and the model."""
    rates: list[float] = []
    step = torch.optim.AdamW.step

    def noted(self: Any, *args: Any) -> Any:
        rates.append(self.param_groups[0]["lr"])
        return step(self, *args)

    model = Line()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(torch.optim.AdamW, "step", noted)
        done = fit(model, TRAIN, VALID, **CPU | options)
    return rates, done, model


def test_rates_fall_along_a_cosine_from_the_first_step_to_beyond_the_last():
    rates, done, model = rates_of(epochs=2, batch_size=2, lr=0.1)
    assert rates == pytest.approx([0.1 * (1 + math.cos(math.pi * k / 4)) / 2 for k in range(4)])
    assert rates[0] == 0.1
    assert [(mode, len(x)) for mode, x in model.seen] == [
        (True, 2), (True, 1), (False, 1), (True, 2), (True, 1), (False, 1),
    ]  # fmt: skip
    order = torch.Generator().manual_seed(0)
    first, second = (TRAIN[torch.randperm(3, generator=order)].tolist() for _ in range(2))
    given = [x for mode, x in model.seen if mode]
    assert given == [first[:2], first[2:], second[:2], second[2:]]
    assert (done.epochs, done.seed, done.parameters, done.stopped) == (2, 0, 1, "epochs")
    assert done.seconds > 0 and not model.training and model.w.grad is None
    assert len(rates_of(epochs=1, batch_size=3)[0]) == 1
    assert len(rates_of(epochs=1, batch_size=1)[0]) == 3


def test_a_step_is_adamws_on_the_mean_of_a_batch():
    model = Line()
    done = fit(model, TRAIN, VALID, epochs=1, batch_size=2, lr=0.1, weight_decay=0.5, seed=3, **CPU)
    index = torch.randperm(3, generator=torch.Generator().manual_seed(3))
    mine = torch.nn.Parameter(torch.tensor([1.0]))
    adam = torch.optim.AdamW([mine], lr=0.1, weight_decay=0.5)
    total = 0.0
    for step, part in enumerate((index[:2], index[2:])):
        adam.param_groups[0]["lr"] = 0.1 * 0.5 * (1 + math.cos(math.pi * step / 2))
        adam.zero_grad()
        value = (mine * TRAIN[part]).mean()
        total += value.item() * len(part)
        value.backward()
        adam.step()
    assert model.w.item() == mine.item()
    assert done.train == [pytest.approx(total / 3)]
    assert done.valid == [pytest.approx(5 * mine.item())]


def test_the_gradients_norm_is_bounded_where_that_is_asked_for(monkeypatch):
    asked = []
    monkeypatch.setattr(
        torch.nn.utils, "clip_grad_norm_", lambda ps, most: asked.append((len(ps), most))
    )
    fit(Line(), TRAIN, VALID, epochs=1, **CPU)
    assert asked == []
    fit(Line(), TRAIN, VALID, epochs=1, clip=0.25, **CPU)
    assert asked == [(1, 0.25)]


def test_only_what_requires_a_gradient_is_trained_and_counted():
    model = Line()
    model.still = nn.Parameter(torch.ones(5), requires_grad=False)
    assert fit(model, TRAIN, VALID, epochs=1, weight_decay=0.5, **CPU).parameters == 1
    assert model.still.tolist() == [1.0] * 5
    model.w.requires_grad_(False)
    assert told(ValueError, fit, model, TRAIN, VALID, **CPU) == "Line has no parameters to train"


def test_validation_takes_batches_of_500_or_more_and_each_weighs_by_its_size():
    model = Line()
    valid = torch.ones(501)
    fit(model, TRAIN, valid, epochs=1, batch_size=2, **CPU)
    assert [len(x) for mode, x in model.seen if not mode] == [500, 1]
    model = Line()
    fit(model, TRAIN, torch.ones(601), epochs=1, batch_size=600, **CPU)
    assert [len(x) for mode, x in model.seen if not mode] == [600, 1]


class Scripted(nn.Module):
    """A model whose validation losses are given; its weight counts the epochs."""

    def __init__(self, losses: list[float]) -> None:
        super().__init__()
        self.w = nn.Parameter(torch.zeros(1))
        self.register_buffer("epoch", torch.zeros(()))
        self.losses = losses

    def nll(self, x: torch.Tensor) -> torch.Tensor:
        if self.training:
            self.epoch += 1
            return self.w * x.mean()
        return torch.tensor(self.losses[int(self.epoch) - 1]).expand(len(x))


@pytest.mark.parametrize(
    ("losses", "patience", "epochs", "stopped", "best"),
    [
        ([3.0, 2.0, 2.0, 1.0], None, 4, "epochs", 4),
        ([3.0, 2.0, 2.0, 2.5], None, 4, "epochs", 2),
        ([1.0, 2.0, 0.5, 0.1], 1, 2, "patience", 1),
        ([1.0, 2.0, 0.5, 0.1], 2, 4, "epochs", 4),
        ([1.0, 2.0, 3.0, 0.1], 2, 3, "patience", 1),
        ([2.0, 1.0, 3.0, 4.0], 2, 4, "epochs", 2),
        ([math.nan, 5.0, 6.0, 7.0], 2, 4, "epochs", 2),
    ],
)
def test_the_best_weights_are_kept_and_patience_ends(losses, patience, epochs, stopped, best):
    model = Scripted(losses)
    done = fit(model, torch.ones(2), VALID, epochs=4, patience=patience, **CPU)
    assert (len(done.valid), done.stopped, done.best_epoch) == (epochs, stopped, best)
    assert int(model.epoch) == best


def test_each_epoch_is_shown_in_eval_mode_and_disturbs_no_random_number():
    shown = []

    def show(model: nn.Module, history: History) -> None:
        shown.append((model.training, len(history.valid), len(history.train)))
        torch.rand(3)

    first, second = Scripted([1.0, 1.0]), Scripted([1.0, 1.0])
    before = torch.get_rng_state()
    fit(first, torch.ones(2), VALID, epochs=2, each_epoch=show, **CPU)
    fit(second, torch.ones(2), VALID, epochs=2, **CPU)
    assert shown == [(False, 1, 1), (False, 2, 2)]
    assert torch.equal(torch.get_rng_state(), before)


def test_generators_are_seeded_for_training_and_given_back():
    drawn = []

    def loss(model: Line, x: torch.Tensor) -> torch.Tensor:
        drawn.append(torch.rand(1).item())
        return model.w * x

    before = torch.get_rng_state()
    fit(Line(), TRAIN, VALID, epochs=1, batch_size=3, seed=7, loss=loss, **CPU)
    assert drawn[0] == torch.rand(1, generator=torch.Generator().manual_seed(7)).item()
    assert torch.equal(torch.get_rng_state(), before)


# --- interruption, divergence, checkpoints --------------------------------------------------------


def stops_at(call: int, error: BaseException | None = None, value: float = 0.0) -> Any:
    count = iter(range(1, 1_000))

    def loss(model: Line, x: torch.Tensor) -> torch.Tensor:
        if next(count) == call:
            if error is not None:
                raise error
            return model.w * value
        return model.w * x

    return loss


def test_an_interruption_is_told_and_drops_the_half_epoch(tmp_path: Path, capsys):
    done = fit(
        Line(), TRAIN, VALID, epochs=3, batch_size=2, loss=stops_at(3, KeyboardInterrupt()), **CPU
    )
    assert (done.stopped, done.train, done.valid) == ("interrupted", [], [])
    assert capsys.readouterr().out.strip() == "Training was interrupted."
    path = tmp_path / "run.pt"
    options: Any = {"epochs": 3, "batch_size": 2, "checkpoint": path, **CPU}
    done = fit(Line(), TRAIN, VALID, loss=stops_at(6, KeyboardInterrupt()), **options)
    assert (len(done.train), len(done.valid)) == (1, 1)
    assert capsys.readouterr().out.strip() == (
        f"Training was interrupted; the same call takes it up from {path}."
    )
    again, whole = Line(9.0), Line()
    resumed = fit(again, TRAIN, VALID, **options)
    straight = fit(whole, TRAIN, VALID, epochs=3, batch_size=2, **CPU)
    assert (resumed.train, resumed.valid) == (straight.train, straight.valid)
    assert again.w.item() == whole.w.item()
    assert resumed.seconds > done.seconds
    assert [len(x) for mode, x in again.seen if mode] == [2, 1, 2, 1]
    finished = Line(9.0)
    assert fit(finished, TRAIN, VALID, **options).stopped == "epochs"
    assert (finished.seen, finished.w.item()) == ([], whole.w.item())


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_loss_that_is_no_number_is_told_with_its_place(value: float):
    with pytest.raises(TrainingDiverged) as why:
        fit(
            Line(9.0),
            TRAIN,
            VALID,
            epochs=3,
            batch_size=2,
            lr=0.5,
            loss=stops_at(5, None, value),
            **CPU,
        )
    assert str(why.value) == (
        f"the loss became {value} at step 2 of epoch 2 (step 4 in all): try a learning rate below "
        "0.5, or look for the log of 0"
    )
    assert why.value.history.stopped == "diverged"
    assert len(why.value.history.valid) == 1


def test_a_checkpoint_is_of_one_setting_and_names_the_difference(tmp_path: Path):
    path = tmp_path / "run.pt"
    options: Any = {"epochs": 2, "checkpoint": str(path), **CPU}
    fit(Line(), TRAIN, VALID, **options)
    for change, said in (
        ({"epochs": 3}, "epochs 2 → 3"),
        ({"lr": 0.1, "seed": 4}, "lr 0.005 → 0.1, seed 0 → 4"),
        ({"batch_size": 1}, "batch_size 32 → 1"),
        ({"weight_decay": 0.1}, "weight_decay 0.0 → 0.1"),
        ({"patience": 3}, "patience None → 3"),
        ({"clip": 1.0}, "clip None → 1.0"),
    ):
        assert told(ValueError, fit, Line(), TRAIN, VALID, **options | change) == (
            f"{path} is the checkpoint of another run ({said}): delete it, or name another file"
        )
    assert "valid [[[1], 'torch.float32', " in told(
        ValueError, fit, Line(), TRAIN, TRAIN, **options
    )
    assert "train [[[3], 'torch.float32', " in told(
        ValueError, fit, Line(), TRAIN + 1, VALID, **options
    )
    two = Line()
    two.more = nn.Parameter(torch.zeros(1_000))
    assert "model Line with 1 parameters → Line with 1,001 parameters" in told(
        ValueError, fit, two, TRAIN, VALID, **options
    )
    path.write_bytes(b"no")
    said = told(ValueError, fit, Line(), TRAIN, VALID, **options)
    assert said.startswith(f"{path} is no checkpoint of fit (")
    assert said.endswith("): delete it, or name another file")


def test_a_checkpoint_is_there_from_the_start(tmp_path: Path):
    path = tmp_path / "run.pt"
    fit(Line(), TRAIN, VALID, checkpoint=path, loss=stops_at(1, KeyboardInterrupt()), **CPU)
    state = torch.load(path, weights_only=True)
    assert list(state) == [
        "setting", "history", "model", "best", "optimizer", "order", "random", "random_device",
    ]  # fmt: skip
    assert state["history"]["valid"] == []
    assert state["model"]["w"].tolist() == [1.0]
    assert state["setting"] == {
        "epochs": 40, "batch_size": 32, "lr": 0.005, "weight_decay": 0.0, "patience": None,
        "clip": None, "seed": 0, "model": "Line with 1 parameters",
        "train": training._fingerprint((TRAIN,)), "valid": training._fingerprint((VALID,)),
    }  # fmt: skip


def test_a_fingerprint_tells_shape_dtype_and_content():
    import zlib

    data = torch.arange(6.0).reshape(2, 3).T.requires_grad_()
    raw = data.detach().contiguous().numpy().tobytes()
    assert training._fingerprint((data, torch.ones(1, dtype=torch.int64))) == [
        [[3, 2], "torch.float32", zlib.crc32(raw)],
        [[1], "torch.int64", zlib.crc32(b"\1" + bytes(7))],
    ]


# --- arguments, losses, the bar -------------------------------------------------------------------


@pytest.mark.parametrize(
    "change",
    [
        {"epochs": 0},
        {"batch_size": 0},
        {"lr": 0.0},
        {"lr": -1.0},
        {"lr": math.nan},
        {"patience": 0},
    ],
)
def test_settings_that_cannot_be_are_told(change: dict[str, Any]):
    given = {"epochs": 1, "batch_size": 1, "patience": 1, "lr": 0.005}
    fit(Line(), TRAIN, VALID, **CPU | given)
    wrong = given | change
    assert told(ValueError, fit, Line(), TRAIN, VALID, **CPU | wrong) == (
        "epochs, batch_size and patience must be at least 1 and lr above 0: got "
        + ", ".join(f"{name}={value}" for name, value in wrong.items())
    )


def test_data_that_cannot_be_are_told():
    for wrong in ([], (3,), (torch.tensor(1.0),), (TRAIN, 3)):
        for at, name in ((0, "train"), (1, "valid")):
            data = [TRAIN, TRAIN]
            data[at] = wrong
            assert told(ValueError, fit, Line(), *data, **CPU) == (
                f"{name} must be a tensor (B, …), or a tuple of them: got {type(wrong)}"
            )
    assert told(ValueError, fit, Line(), (TRAIN, VALID), VALID, **CPU) == (
        "train must hold equally many examples, at least one: got {1, 3}"
    )
    assert told(ValueError, evaluate, Line(), TRAIN[:0]) == (
        "x must hold equally many examples, at least one: got {0}"
    )
    assert told(ValueError, evaluate, nn.Linear(1, 1), TRAIN) == (
        "Linear has no method nll(x): write one, or pass loss= a function of model and batch"
    )
    assert evaluate(Line(), [TRAIN])[0] == 2.0


def test_a_loss_that_cannot_be_is_told():
    def losing(value: Any) -> str:
        return told(ValueError, fit, Line(), TRAIN, VALID, loss=lambda m, x: value, **CPU)

    start = (
        "the loss of a batch must be one number for each example, shape (3,), or their mean: got "
    )
    assert losing(torch.ones(2)) == f"{start}(2,)"
    assert losing(torch.ones(3, 1)) == f"{start}(3, 1)"
    assert losing(3.0) == f"{start}float"
    still = (
        "the loss does not depend on the parameters: look for detach, no_grad, .item() or rounding "
        "on its way"
    )
    assert losing(torch.ones(3)) == losing(torch.ones(1)) == losing(torch.tensor(1.0)) == still


def test_evaluate_gives_mean_and_standard_error_and_leaves_the_model():
    model = Line(2.0).train()
    mean, error = evaluate(model, torch.tensor([1.0, 2.0, 6.0]), batch_size=2)
    assert mean == pytest.approx(6.0)
    assert error == pytest.approx(torch.tensor([2.0, 4.0, 12.0]).std().item() / math.sqrt(3))
    assert [(mode, len(x)) for mode, x in model.seen] == [(False, 2), (False, 1)]
    assert model.training
    assert not (evaluate(model.eval(), TRAIN, device="cpu") and model.training)
    model.seen.clear()
    evaluate(model, torch.ones(501))
    assert [len(x) for _, x in model.seen] == [500, 1]
    assert evaluate(model, torch.ones(2)) == (2.0, 0.0)
    assert told(ValueError, evaluate, model, VALID) == (
        "a standard error needs at least 2 examples: got 1"
    )
    assert told(ValueError, evaluate, model, TRAIN, loss=lambda m, x: (m.w * x).mean()) == (
        "the loss must give one number for each example, not their mean, for a standard error"
    )
    assert evaluate(nn.Identity(), TRAIN, loss=lambda m, x: x)[0] == 2.0
    fine = 1 + 2.0**-40  # more digits than float32 has
    assert evaluate(nn.Identity(), TRAIN, loss=lambda m, x: x.double() * 0 + fine)[0] == fine
    broken = Line().train()
    with pytest.raises(ZeroDivisionError):
        evaluate(broken, TRAIN, loss=lambda m, x: 1 / 0)
    assert broken.training


def test_the_bar_tells_losses_of_training_and_validation(monkeypatch):
    made: list[Any] = []

    class Bar:
        def __init__(self, **options: Any) -> None:
            self.options, self.told, self.steps = options, [], 0
            made.append(self)

        def __enter__(self) -> Bar:
            return self

        def __exit__(self, *error: Any) -> None: ...

        def set_postfix_str(self, text: str, refresh: bool = True) -> None:
            self.told.append((text, refresh))

        def update(self, steps: int) -> None:
            self.steps += steps

    monkeypatch.setattr(training, "tqdm", Bar)
    done = fit(Line(), TRAIN, VALID, epochs=2, batch_size=2, device="cpu", lr=1e-9)
    (bar,) = made
    assert bar.options == {
        "total": 4, "initial": 0, "desc": "training", "unit": "step", "disable": False,
    }  # fmt: skip
    assert bar.steps == 4
    first = TRAIN[torch.randperm(3, generator=torch.Generator().manual_seed(0))]
    assert bar.told[:3] == [
        (f"NLL {first[:2].mean():.2f} nats", False), ("NLL 2.00 nats", False),
        ("NLL 2.00, validation 5.00, best 5.00 nats", True),
    ]  # fmt: skip
    assert bar.told[4] == ("NLL 2.00, validation 5.00, best 5.00 nats", False)
    assert len(bar.told) == 6 and done.stopped == "epochs"
    fit(Line(), TRAIN, VALID, epochs=1, **CPU)
    assert made[-1].options["disable"] is True
    assert training._postfix(1.0, history([1, 1], [3.0, 4.0])) == (
        "NLL 1.00, validation 4.00, best 3.00 nats"
    )


def test_a_resumed_bar_begins_where_training_stopped(monkeypatch, tmp_path: Path):
    options: Any = {"epochs": 3, "batch_size": 2, "checkpoint": tmp_path / "run.pt", **CPU}
    fit(Line(), TRAIN, VALID, loss=stops_at(6, KeyboardInterrupt()), **options)
    begun = []
    real = training.tqdm
    monkeypatch.setattr(
        training, "tqdm", lambda **given: begun.append(given["initial"]) or real(**given)
    )
    fit(Line(), TRAIN, VALID, **options)
    assert begun == [2]


def test_the_defaults_are_these():
    def defaults(function: Any) -> dict[str, Any]:
        every = inspect.signature(function).parameters.values()
        return {p.name: p.default for p in every if p.default is not p.empty}

    assert defaults(fit) == {
        "epochs": 40, "batch_size": 32, "lr": 5e-3, "weight_decay": 0.0, "patience": None,
        "clip": None, "seed": 0, "loss": None, "checkpoint": None, "device": None,
        "progress": True, "each_epoch": None, "warmup": 0, "captured": True, "amp": False,
        "compiled": False,
    }  # fmt: skip
    assert defaults(evaluate) == {"loss": None, "batch_size": 500, "device": None}


def test_a_state_on_the_cpu_is_a_copy():
    given = {"a": torch.ones(2, requires_grad=True), "b": 3}
    copy = training._on_cpu(given)
    assert copy["b"] == 3 and not copy["a"].requires_grad
    copy["a"] += 1
    assert given["a"].tolist() == [1.0, 1.0]


def test_other_devices_states_are_taken_and_given_back(monkeypatch):
    done: list[Any] = []
    cuda, mps, cpu = (torch.device(name) for name in ("cuda", "mps", "cpu"))
    for kind, module in (("cuda", torch.cuda), ("mps", torch.mps)):
        monkeypatch.setattr(
            module, "get_rng_state", lambda *d, kind=kind: torch.tensor([len(kind)])
        )
        monkeypatch.setattr(
            module, "set_rng_state", lambda s, *d, kind=kind: done.append((kind, s.tolist(), *d))
        )
        monkeypatch.setattr(module, "manual_seed", lambda s, kind=kind: done.append((kind, s)))
    import contextlib

    monkeypatch.setattr(torch.cuda, "device", lambda device: contextlib.nullcontext())
    assert training._device_state(cuda).tolist() == [4]
    assert training._device_state(mps).tolist() == [3]
    assert training._device_state(cpu) is None
    for device in (cuda, mps, cpu):
        training._set_device_state(device, torch.ones(1))
        training._set_device_state(device, None)
    assert done == [("cuda", [1.0], cuda), ("mps", [1.0])]
    done.clear()
    with torch.random.fork_rng(devices=[]):
        for device in (cuda, mps, cpu):
            training._seed(5, device)
            same = torch.rand(1, generator=torch.Generator().manual_seed(5))
            assert torch.equal(torch.rand(1), same)
            assert done == [(kind, 5) for kind in ("cuda", "mps") if kind == device.type]
            done.clear()
    with training._undisturbed(cuda):
        assert done == []
    assert done == [("cuda", [4], cuda)]
