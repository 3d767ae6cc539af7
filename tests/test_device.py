"""Tests of the choice of a device, with availability faked: CI has no GPU."""

import pytest
import torch

from course.device import device


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
