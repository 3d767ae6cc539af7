"""Tests of the choice of a device, with availability faked: CI has no GPU."""

import types

import pytest
import torch

from course import training
from course.device import device, is_told, quicker


@pytest.fixture
def machine(monkeypatch):
    """A machine with so many CUDA cards, and with or without MPS."""

    def make(cards=0, mps=False, wanted=None):
        monkeypatch.setattr(torch.cuda, "is_available", lambda: cards > 0)
        monkeypatch.setattr(torch.cuda, "device_count", lambda: cards)
        monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)
        if wanted is None:
            monkeypatch.delenv("COURSE_DEVICE", raising=False)
        else:
            monkeypatch.setenv("COURSE_DEVICE", wanted)

    return make


@pytest.mark.parametrize(
    ("cards", "mps", "chosen"),
    [(0, False, "cpu"), (0, True, "mps"), (1, False, "cuda"), (2, True, "cuda")],
)
def test_the_fastest_available_device_is_chosen(machine, cards, mps, chosen):
    machine(cards, mps)
    assert device() == torch.device(chosen)


@pytest.mark.parametrize(
    ("wanted", "chosen"),
    [("cpu", "cpu"), (" CPU ", "cpu"), ("mps", "mps"), ("cuda:1", "cuda:1"), ("", "cuda")],
)
def test_the_environment_overrides_the_choice(machine, wanted, chosen):
    machine(cards=2, mps=True, wanted=wanted)
    assert device() == torch.device(chosen)


@pytest.mark.parametrize("wanted", ["gpu", "xpu", "meta", "cuda:x"])
def test_a_device_of_no_known_kind_is_refused(machine, wanted):
    machine(wanted=wanted)
    with pytest.raises(ValueError, match=f"must be cpu, cuda, cuda:N or mps: got '{wanted}'"):
        device()


@pytest.mark.parametrize(
    ("cards", "wanted", "message"),
    [(0, "cuda", "sees 0 CUDA cards"), (1, "cuda:1", "sees 1 CUDA cards"), (0, "mps", "no MPS")],
)
def test_a_device_that_is_not_here_is_refused(machine, cards, wanted, message):
    machine(cards, wanted=wanted)
    with pytest.raises(RuntimeError, match=message):
        device()


class Clock:
    """A time that goes on only in the steps of a device, by so many seconds a step."""

    def __init__(self, **seconds):
        self.seconds, self.now, self.steps = seconds, 0.0, []

    def __call__(self):
        return self.now

    def step_on(self, where):
        taken = iter(self.seconds[where.type])

        def step():
            self.steps.append(where.type)
            self.now += next(taken)

        return step


CARD = torch.device("cuda")


@pytest.mark.parametrize(
    ("card", "processor", "chosen"),
    [
        ([], [0.6875], "cpu"),  # 100 steps in 69 seconds: nobody asks the card
        ([], [0.75, 0.125], "cpu"),  # a first step that sets up is no matter
        ([9, 2, 2, 2, 2, 2], [0.75] * 6, "cpu"),
        ([9, 0.75], [0.75] * 6, "cuda"),
        ([9, 2, 2, 2, 2, 0.2], [0.75] * 6, "cuda"),
        ([9, 1], [100], "cuda"),  # one long step tells enough
    ],
)
def test_the_device_whose_steps_take_less_time_is_chosen(card, processor, chosen):
    clock = Clock(cuda=card, cpu=processor)
    assert quicker(clock.step_on, CARD, 100, clock) == torch.device(chosen)
    assert len(clock.steps) == len(card) + len(processor)


class Line(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.w = torch.nn.Parameter(torch.ones(1))

    def nll(self, x):
        return self.w * torch.nn.functional.dropout(x, 0.5).sum(1)


def test_fit_asks_which_device_is_quicker_and_trying_changes_nothing(machine, monkeypatch):
    machine(cards=1)
    asked = []

    def try_one(step_on, card, steps):
        asked.append((card, steps))
        step, rates = step_on(torch.device("cpu")), []
        with monkeypatch.context() as patch:
            patch.setattr(
                torch.optim.AdamW, "step", lambda o: rates.append(o.param_groups[0]["lr"])
            )
            step()
        assert rates == [0.0], "a whole step is timed, which moves nothing"
        step()
        assert model.w.grad is None, "on a copy"
        return torch.device("cpu")

    monkeypatch.setattr("course.device.quicker", try_one)
    x, weights = torch.ones(4, 3), []
    for chosen in (None, "cpu"):
        model = Line()
        training.fit(model, x, x, epochs=2, batch_size=2, progress=False, device=chosen)
        weights.append(model.w.item())
    assert asked == [(CARD, 4)]
    assert weights[0] == weights[1]


def test_small_work_sets_up_no_card(machine, monkeypatch):
    machine(cards=1)
    monkeypatch.setattr(torch.cuda, "_lazy_init", lambda: pytest.fail("a card was set up"))
    x, model = torch.ones(4, 3), Line()
    history = training.fit(model, x, x, epochs=2, batch_size=2, progress=False)
    assert history.device == "cpu" and model.w.item() != 1


def test_a_card_that_is_tried_gets_its_generator_back(machine, monkeypatch):
    machine(cards=1)
    states = {"meta": [], "cpu": []}
    monkeypatch.setattr(training, "_device_state", lambda device: device.type)
    put_back = lambda device, state: states[device.type].append(state)  # noqa: E731
    monkeypatch.setattr(training, "_set_device_state", put_back)

    def try_both(step_on, card, steps):
        step_on(torch.device("cpu"))()
        assert not states["meta"]
        step_on(torch.device("meta"))
        return card

    monkeypatch.setattr("course.device.quicker", try_both)
    before = torch.random.get_rng_state()
    assert training._quicker_device(Line(), [torch.ones(4, 3)], Line.nll, 1) == CARD
    assert states == {"meta": ["meta"], "cpu": ["cpu"]}
    assert torch.equal(before, torch.random.get_rng_state())


def test_a_device_that_is_told_is_not_tried(machine, monkeypatch):
    monkeypatch.setattr("course.device.quicker", None)
    machine(cards=0)
    assert training._quicker_device(Line(), [], None, 1) == torch.device("cpu")
    machine(cards=1, wanted="cuda")
    assert is_told() and training._quicker_device(Line(), [], None, 1) == CARD


@pytest.mark.parametrize(("free", "moved"), [(4 * 48, True), (4 * 48 - 1, False)])
def test_data_lies_on_the_card_where_there_is_room(monkeypatch, free, moved):
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (free, 2**40))
    part = types.SimpleNamespace(
        numel=lambda: 12, element_size=lambda: 4, to=lambda device: str(device)
    )
    assert training._near((part,), CARD) == (("cuda",) if moved else (part,))
    assert training._near((part,), torch.device("cpu")) == (part,)
