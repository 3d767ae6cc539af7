"""What is trained at full size, on which card, and what a machine without a card shows instead."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import pytest
import torch

from autograder.lessons import solution_functions
from benchmarks.gpu import LESSONS
from benchmarks.gpu import SHEETS as CARDS
from course import full_size
from course.full_size import PATIENCE, SETTINGS, SIZES, SMALLER, choose, estimate


@pytest.mark.parametrize(
    ("card", "sizes"),
    [
        ("T4", ["full", "half the epochs", "full", "a third", "full"]),
        ("L4", ["full", "half the epochs", "full", "a third", "full"]),
        ("A100", ["full"] * 5),
        ("H100", ["full"] * 5),
    ],
)
def test_each_card_gets_what_it_does_in_minutes(card, sizes):
    chosen = {name: choose(name, "auto", CARDS[card]) for name in SETTINGS}
    assert [setting.size for setting in chosen.values()] == sizes
    for name, setting in chosen.items():
        seconds, held = estimate(name, setting, CARDS[card])
        assert seconds <= PATIENCE and held < CARDS[card].memory
        assert choose(name, "gpu", CARDS[card]).size == "full"


def test_the_arithmetic_gives_the_seconds_that_one_card_took():
    measured = {"FVSBN": (30, 2), "NADE": (40, 57), "MADE": (40, 12), "PixelCNN": (20, 140)}
    for name, (epochs, seconds) in measured.items():
        setting = replace(SETTINGS[name][0], epochs=epochs)
        assert seconds / 1.6 < estimate(name, setting, CARDS["H100"])[0] < seconds * 1.6, name


def test_a_card_with_little_memory_gets_less():
    small = replace(CARDS["H100"], memory=2.5e9)
    assert choose("NADE", "gpu", small).size == "a quarter"
    assert choose("NADE", "gpu", replace(small, memory=1e6)).size == "a quarter"


def test_a_slow_card_gets_the_smallest():
    slow = replace(CARDS["T4"], bandwidth=1e9)
    assert choose("PixelCNN", "auto", slow) == SETTINGS["PixelCNN"][-1]


def test_measuring_a_device_gives_its_speeds():
    card = full_size.measure(torch.device("cpu"), side=64, length=2**16)
    assert 1e6 < card.bandwidth < 1e13 and 1e6 < card.arithmetic < 1e15 and card.mixed > 1e6
    assert card.name == "cpu" and card.memory == math.inf


@pytest.fixture
def no_card(monkeypatch):
    monkeypatch.setenv("COURSE_DEVICE", "cpu")


def never(*arguments):
    raise AssertionError("nothing is trained here")


@pytest.mark.parametrize("name", SETTINGS)
@pytest.mark.parametrize("size", ["auto", "gpu", "laptop"])
def test_without_a_card_the_stored_result_is_shown_and_said_to_be_one(no_card, name, size):
    run = full_size.train(name, never, never, size=size)
    assert "Nothing was trained: this is a stored result." in run.note
    assert ("There is no CUDA card here." in run.note) == (size != "laptop")
    assert run.by != "yours" and run.model is None
    words, page = repr(run), run._repr_html_()
    for said in (f"{run.nats:.2f}"[:-1], run.by, run.device, full_size.PUBLISHED[name][:4]):
        assert said in words and said.replace("'", "&#x27;") in page
    assert f'alt="{run.describe().replace(chr(39), "&#x27;")}"' in page


def test_what_is_stored_says_who_measured_it():
    kept = json.loads(full_size.STORE.read_text(encoding="utf-8"))
    assert kept.keys() == SETTINGS.keys()
    for name, run in kept.items():
        assert full_size.to_store(full_size.stored(name)) == run
        assert run["by"].startswith(("measured with other code", "by the lesson's own solution"))
        if not run["by"].startswith("by the lesson"):
            assert run["error"] is None and run["samples"] == ""


@pytest.mark.parametrize("name", SETTINGS)
def test_the_lessons_own_model_is_trained_on_the_processor_when_smaller(name, monkeypatch):
    def no_mnist(download):
        assert not download
        raise full_size.images_of.DataUnavailable

    monkeypatch.setattr(full_size.images_of, "mnist", no_mnist)
    lesson, given = solution_functions(LESSONS[name]), {}
    if name == "WaveNet":
        given = {"data": lesson["data_full"](SMALLER[name].images)}
        monkeypatch.setitem(
            lesson, "generate_fast", lambda model, count, generator: torch.ones(1, 9)
        )
    run = full_size.train(
        name,
        lesson["make_full"],
        lesson["draw_full"],
        size="smaller",
        loss=lesson.get("loss_full"),
        progress=False,
        **given,
    )
    assert run.by == "yours" and run.how == "step by step" and run.device == "this processor"
    assert len(run.valid) == SMALLER[name].epochs and run.valid[0][1] > run.valid[-1][1]
    assert run.nats == pytest.approx(min(nats for _, nats in run.valid), rel=0.1)
    coins = {"WaveNet": math.log(64)}.get(name, 25.2)
    assert run.nats < coins and run.error > 0
    if name != "WaveNet":
        assert run.samples.shape == (full_size.SHOWN, 8, 8)
        assert set(run.samples.unique().tolist()) == {0.0, 1.0}
        assert "Digits 8×8" in repr(run) and "papers" not in repr(run)
        assert "20 images drawn" in run._repr_html_()
    back = full_size.to_store(run)
    if back["samples"]:
        assert torch.equal(full_size.unpacked(back["samples"]), run.samples)


def test_the_same_seed_trains_the_same_model(no_card):
    lesson = solution_functions("03_fvsbn")
    split = full_size.images_of.digits()
    data = (split.train[:200], split.valid[:50], split.test[:50])
    setting = replace(SMALLER["FVSBN"], epochs=2)
    one, two = (
        full_size.train(
            "FVSBN", lesson["make_full"], data=data, setting=setting, device="cpu", progress=False
        )
        for _ in range(2)
    )
    assert (one.valid, one.nats) == (two.valid, two.nats) and one.samples is None


def test_mnist_is_cut_for_smaller_and_whole_for_a_card(monkeypatch):
    split = replace(full_size.images_of.digits(), card=full_size.images_of.MNIST)
    asked = []
    monkeypatch.setattr(
        full_size.images_of, "mnist", lambda download: asked.append(download) or split
    )
    parts, words = full_size.load(replace(SMALLER["FVSBN"], images=100))
    assert [len(part) for part in parts] == [100, 20, 20]
    assert words.startswith("the first 100 of MNIST 28×28, bits")
    parts, words = full_size.load(SETTINGS["PixelCNN"][0], levels=True)
    assert parts[0].shape == (1297, 1, 8, 8) and parts[0].dtype == torch.int64
    assert words.startswith("MNIST 28×28, bits") and asked == [False, True]


def test_a_model_that_fits_no_word_is_refused():
    for name, size in (("NADE", "huge"), ("VAE", "auto")):
        with pytest.raises(ValueError, match=f"size must be one of {', '.join(SIZES)}"):
            choose(name, size)


@pytest.mark.parametrize("lesson", LESSONS.values())
def test_a_lesson_says_its_size_once_for_its_reader(lesson):
    from autograder import lessons

    cells = lessons.load_lesson(lesson).cells
    named = [cell for cell in cells if 'size = "auto"' in cell.source and cell.kind == "code"]
    assert len(named) == 1 and {"demo", "unfolded"} <= set(named[0].tags)
