"""What needs a card is tried on the processor, in small: the same functions, smaller settings."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from autograder import lessons as course_lessons
from benchmarks import gpu, gpu_text
from course import data, full_size

TINY = {
    name: replace(setting, epochs=1, images=min(setting.images, 60))
    for name, setting in full_size.SMALLER.items()
}


@pytest.fixture
def bench(monkeypatch):
    """The processor in the card's place, 8×8 digits in MNIST's."""

    def no_mnist(**arguments):
        raise data.DataUnavailable

    monkeypatch.setattr(data, "mnist", no_mnist)
    monkeypatch.setattr(full_size, "SHOWN", 2)
    return gpu.Bench(torch.device("cpu"), TINY, digits=3, second=20, repeats=2, compiles=False)


def _made_up_seconds(name: str, root: Path, device: str, size: str) -> float:
    return 9.0 if device else {"laptop": 9.5, "auto": 60.0}[size] + (name == "04_nade")


@pytest.fixture
def kept(bench, tmp_path, monkeypatch):
    """All parts, done in small; the lessons' seconds, and text (`test_gpu_text`), are made up."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    text = {"by": "by the lesson's own solution", "same": {}}
    made_up = {name: lambda device: dict(text) for name in gpu_text.parts()}
    monkeypatch.setattr(gpu_text, "parts", lambda: made_up)
    monkeypatch.setattr(gpu, "run_lesson", _made_up_seconds)
    kept = gpu.Kept(tmp_path / "parts.json")
    lessons = replace(bench, named=("03_fvsbn", "04_nade"))
    assert gpu.measure(lessons, kept, list(gpu.parts()), minutes=60) == []
    return kept


def test_everything_is_measured_kept_and_written(kept, tmp_path, monkeypatch):
    names = list(gpu.parts())
    assert list(gpu.Kept(kept.path).done) == names == list(kept.done)
    assert [n for n in names if n.startswith("likelihoods")][:4] == [
        f"likelihoods-{model}-0" for model in gpu.TARGETS
    ]
    for name in gpu.LESSONS:
        part = kept.done[f"steps-{name}"]
        assert part["apart"] < 1e-5 and part["captured_as"] == "CapturedStep"
        assert part["written"] > 0 < part["captured"]
    assert set(kept.done["purity"]["apart"].values()) == {0.0}  # the processor beside itself
    assert kept.done["sampling"]["digits"]["count"] == 3
    assert kept.done["sampling"]["sound"]["samples"] == 20
    filed = kept.done["codec"]
    assert filed["came back"] and (filed["images"], filed["pixels"]) == (10, 64)
    assert filed["price"] < filed["bits"] < filed["price"] + 64
    seeds = [kept.done[f"likelihoods-FVSBN-{seed}"]["nats"] for seed in gpu.SEEDS]
    assert len(set(seeds)) == 3  # the order of batches: its weights start from zeros

    store = tmp_path / "gpu.json"
    gpu.write(kept, store, tmp_path)
    assert json.loads(store.read_text(encoding="utf-8")) == kept.done
    assert json.loads((tmp_path / "writing.json").read_text())["by"].startswith("stored: measured")
    monkeypatch.setattr(full_size, "STORE", tmp_path / full_size.STORE.name)
    for name in gpu.LESSONS:
        run = full_size.stored(name)
        assert run.by == "by the lesson's own solution"
        assert run.nats == kept.done[f"likelihoods-{name}-0"]["nats"]
        if name != "WaveNet":
            assert run.samples.shape == (2, 8, 8)
    assert full_size.stored("PixelCNN").file["bits"] == filed["bits"]

    text = gpu.table(kept.done)
    assert text.count("not tried") == len(gpu.LESSONS)  # to compile: a processor does not
    kept.done["steps-NADE"] |= {"compiled": 0.5, "compiled_start": 20.0}
    assert "0.50 (20 s)" in gpu.table(kept.done)
    assert "| ≤ 98.2: met |" in text and "| 04_nade | 10 | 9 | 1.17 SLOWER | 61 |" in text
    assert "| 03_fvsbn | 10 | 9 | 1.06 | 60 |" in text
    assert "10 test images of 64 pixels in a file" in text and "they came back" in text
    assert "3 digits of 8×8" in text and "20 samples, a second of sound" in text
    kept.done["likelihoods-NADE-0"]["nats"] = 88.21
    assert "| ≤ 88.2: MISSED |" in gpu.table(kept.done)
    monkeypatch.setattr(gpu, "STORE", store)
    assert gpu.by_arithmetic() in gpu.run()


def test_a_table_of_some_parts_names_the_others(kept):
    shown = [name for name in kept.done if name.startswith("likelihoods") and name.endswith("0")]
    text = gpu.table({name: kept.done[name] for name in shown})
    assert "| seed 0 alone of 3 |" in text
    left = [name for name in gpu.parts() if name not in shown]
    assert text.endswith(f"Not run on a card: {', '.join(left)}.")
    del kept.done["equal-work"]
    assert "on both sides: not measured. With" in gpu.table(kept.done)
    assert "| 03_fvsbn | – | – | – | 60 |" in gpu.table(kept.done)


def test_a_part_that_fails_is_told_and_the_next_one_is_run(bench, tmp_path, monkeypatch, capsys):
    def fails(bench):
        raise RuntimeError("out of memory")

    monkeypatch.setattr(gpu, "parts", lambda: {"first": fails, "second": lambda bench: {"n": 1}})
    kept = gpu.Kept(tmp_path / "parts.json")
    assert gpu.measure(bench, kept, ["first", "second"], minutes=60) == ["first"]
    assert kept.done["second"]["n"] == 1
    assert "RuntimeError: out of memory" in capsys.readouterr().err


def test_a_model_that_mixes_devices_is_named(bench, monkeypatch):
    from tests import test_device_purity as purity

    def mixes(names, to):
        yield to(torch.ones(2)) + torch.ones(2)

    monkeypatch.setattr(purity, "ENTRIES", {("03_fvsbn", "mixes"): mixes})
    assert gpu.purity(bench) == {"apart": {"03_fvsbn: mixes": 0.0}}
    with purity.second_device() as card, pytest.raises(RuntimeError, match="03_fvsbn mixes: Runti"):
        gpu.purity(replace(bench, device=card))


def test_what_was_interrupted_is_taken_up(bench, tmp_path):
    kept = gpu.Kept(tmp_path / "parts.json")
    wanted = ["likelihoods-FVSBN-0", "likelihoods-FVSBN-1"]
    assert gpu.measure(bench, kept, wanted, minutes=0) == wanted
    assert gpu.measure(bench, kept, wanted[:1], minutes=60) == []
    before = dict(kept.done)
    again = gpu.Kept(kept.path)
    assert gpu.measure(bench, again, wanted, minutes=60) == []
    assert again.done[wanted[0]] == before[wanted[0]] and again.done[wanted[1]]


def test_with_a_part_missing_nothing_is_written(tmp_path):
    kept = gpu.Kept(tmp_path / "parts.json")
    kept.keep("sampling", {})
    with pytest.raises(ValueError, match="6 parts that lessons show are missing"):
        gpu.write(kept, tmp_path / "gpu.json", tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["parts.json"]


def test_without_a_card_nothing_is_run_and_the_exit_code_says_so(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("COURSE_DEVICE", "cpu")
    monkeypatch.setattr(gpu, "measure", None)
    assert gpu.main(["--parts", str(tmp_path / "parts.json")]) == gpu.NOTHING_RAN == 3
    assert capsys.readouterr().out == (
        "There is no CUDA card here: nothing was run, and benchmarks/gpu.json is as it was.\n"
    )
    assert not list(tmp_path.iterdir())


def test_parts_from_elsewhere_are_written_without_a_card_or_said_to_be_missing(tmp_path, capsys):
    assert gpu.main(["--write", "--parts", str(tmp_path / "none.json")]) == 1
    assert "6 parts that lessons show are missing" in capsys.readouterr().out


def test_an_unknown_part_is_refused(capsys):
    with pytest.raises(SystemExit):
        gpu.main(["speed"])
    assert "there is no part speed: there are codec, drafts, equal, lessons, likelihoods, " in (
        capsys.readouterr().err
    )


QUESTION = """# %% [markdown] question="why" points=1
r\"\"\"
### BEGIN SOLUTION
Because.
### END SOLUTION
\"\"\"
"""
HEAD = (Path(__file__).parent / "lesson_sources/01_coin/lesson.py").read_text(encoding="utf-8")


def test_the_controls_never_ask_for_a_card():
    asks = re.compile(r"(?<!\.)\bfit\(|full_size|writing\.|course\.device|cuda")
    for name in course_lessons.lesson_names():
        text = (course_lessons.ROOT / "solutions" / name / "lesson.py").read_text("utf-8")
        assert not (name[:2] in gpu.CONTROLS and asks.search(text)), name


def test_a_lesson_is_run_in_a_process_of_its_own(tmp_path):
    cells = {"01_right": "import os\n\nos.environ['COURSE_DEVICE'] + 0 * 'x'", "02_wrong": "1 / 0"}
    cells["03_sized"] = 'size = "auto"\nassert size == "laptop", size'
    for name, cell in cells.items():
        head = HEAD.partition("# %% [markdown]")[0].replace("01_coin", name)
        folder = tmp_path / "solutions" / name
        folder.mkdir(parents=True)
        (folder / "lesson.py").write_text(f"{head}# %%\n{cell}\n\n{QUESTION}", encoding="utf-8")
    assert gpu.run_lesson("01_right", tmp_path, "cpu") > 0
    assert gpu.run_lesson("03_sized", tmp_path, "cpu", "laptop") > 0
    with pytest.raises(RuntimeError, match="lesson 03_sized fails: AssertionError: auto"):
        gpu.run_lesson("03_sized", tmp_path, "cpu")
    with pytest.raises(RuntimeError, match="lesson 02_wrong fails: ZeroDivisionError"):
        gpu.run_lesson("02_wrong", tmp_path, "cpu")


def test_what_was_never_run_says_so_and_shows_the_other_codes_numbers(tmp_path, monkeypatch):
    monkeypatch.setattr(gpu, "STORE", tmp_path / "none.json")
    text = gpu.run()
    assert "Not run yet: no CUDA card could be had." in text and "other code" in text
    for name, target in gpu.TARGETS.items():
        assert f"| {name} | {full_size.stored(name).nats:.2f} |" in text and f"≤ {target}" in text
    assert "| NADE | half the epochs" in text and "by arithmetic, from data sheets" in text


@pytest.mark.parametrize("module", [gpu, gpu_text])
def test_the_readme_has_this_section(module):
    readme = gpu.README.read_text(encoding="utf-8")
    assert f"## {module.TITLE}\n\n{module.run().strip()}\n" in readme
