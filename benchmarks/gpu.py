"""Everything that needs a CUDA card: `make gpu`, or parts of it, on a machine that has one.

    python -m benchmarks.gpu                          # all that is missing, then the table
    python -m benchmarks.gpu likelihoods --minutes 9  # the main table, three seeds; about 8 minutes
    python -m benchmarks.gpu steps purity sampling writing small drafts lessons  # the other parts
    python -m benchmarks.gpu sampling likelihoods-NADE-0    # single ones, in the order given
    python -m benchmarks.gpu --write                  # table and files, from parts made elsewhere

Parts that are done are kept in one file, `--parts` (build/gpu-parts.json), so what was interrupted,
failed or did not fit into `--minutes` is taken up by the same command, and a file that was made on
another machine can be written at home. When what lessons show without a card is there (seed 0 and
GPT-2's speeds), benchmarks/gpu.json, the lessons' results and the section in benchmarks/README.md
are written, all or none; parts that are missing are named. Without a card nothing is run, and the
exit code is 3.

A machine without a network needs MNIST in its cache (`$XDG_CACHE_HOME/autoregressive-course/mnist/
mnist.pkl.gz`, 17 MB) and, beside PyTorch, NumPy, SciPy, matplotlib, scikit-learn and tqdm, the
wheels of ipython, ipywidgets and anywidget; for lesson 12 and the parts about text also tokenizers,
safetensors and transformers, for lesson 14 constriction.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
import traceback
import types
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch

from autograder import lessons
from autograder.lessons import solution_functions
from benchmarks import gpu_text
from course import device as course_device
from course import full_size, kept_network, step, writing
from course.files import write_whole, written_together
from course.full_size import PUBLISHED, SETTINGS, Card, Setting

TITLE = "A GPU: the papers' sizes by the lessons' own models"
HERE = Path(__file__).parent
STORE, README = HERE / "gpu.json", HERE / "README.md"
PARTS = HERE.parent / "build" / "gpu-parts.json"
NOTHING_RAN = 3  # the exit code where there is no card

LESSONS = {
    "FVSBN": "03_fvsbn",
    "NADE": "04_nade",
    "MADE": "05_made",
    "PixelCNN": "09_pixelcnn",
    "WaveNet": "10_wavenet",
}
TARGETS = {"FVSBN": 98.2, "NADE": 88.2, "MADE": 87.9, "PixelCNN": 80.5}  # nats, test, seed 0
SEEDS = (0, 1, 2)
THREADS = 2  # of each lesson's process, as on the laptop that lessons are for
SLOWER = 1.10  # what a lesson may take with a card, over what it takes without
CONTROLS = ("01", "02", "06", "13")  # lessons that never ask for a card
SHORT = 60  # seconds of a pair of runs up to which a lesson is run twice, and the less one counts
DIGITS, SECOND = 100, 8000  # images, and samples of sound

# From data sheets: bytes; 85 % of the bandwidth; 60 % of the products in float32 and half.
SHEETS = {
    name: Card(name, memory * 1e9, 0.85 * bandwidth * 1e9, 0.6 * single * 1e12, 0.6 * half * 1e12)
    for name, memory, bandwidth, single, half in (
        ("T4", 15, 320, 8.1, 65),
        ("L4", 22, 300, 30, 121),
        ("A100", 40, 1555, 19.5, 312),
        ("H100", 80, 3350, 67, 989),
    )
}


@dataclass(frozen=True)
class Bench:
    """Where and how large: a card and the full settings, or for tests a processor and small ones.

    Attributes:
        settings: of each model.
        digits, second: how many images and samples of sound are drawn.
        repeats: how many steps are timed.
        named: the lessons that are run with and without a card.
        root: of their texts.
        compiles: whether torch.compile is tried.
    """

    device: torch.device
    settings: dict[str, Setting]
    digits: int = DIGITS
    second: int = SECOND
    repeats: int = 200
    named: tuple[str, ...] = ()
    root: Path = lessons.ROOT
    compiles: bool = True
    workers: int = 1


def on_card() -> Bench:
    """Everything, as large as the papers."""
    return Bench(
        course_device.device(),
        {name: settings[0] for name, settings in SETTINGS.items()},
        named=tuple(lessons.lesson_names()),
        workers=max(1, (os.cpu_count() or 1) // THREADS),
    )


Part = Callable[[Bench], dict[str, Any]]


def parts() -> dict[str, Part]:
    """What there is to run, by name, in this order."""
    found: dict[str, Part] = {}
    for seed in SEEDS:
        for name in TARGETS:
            found[f"likelihoods-{name}-{seed}"] = lambda b, n=name, s=seed: likelihood(b, n, s)
    found["likelihoods-WaveNet-0"] = lambda bench: likelihood(bench, "WaveNet", 0)
    for name, several in SETTINGS.items():
        for place in range(1, len(several)):
            found[f"others-{name}-{place}"] = lambda b, n=name, p=place: other(b, n, p)
    for name in LESSONS:
        found[f"steps-{name}"] = lambda bench, n=name: steps(bench, n)
    found["purity"] = purity
    found["sampling"] = sampling
    found["codec"] = codec
    for name, part in gpu_text.parts().items():
        found[name] = lambda bench, p=part: p(bench.device)
    found["equal-work"] = lambda bench: both_ways(bench, "laptop")
    found["lessons"] = both_ways
    return found


# --- the parts ------------------------------------------------------------------------------------


def likelihood(bench: Bench, name: str, seed: int) -> dict[str, Any]:
    """The lesson's own model, trained and tested; as lessons store it, and its peak of memory."""
    lesson, setting = solution_functions(LESSONS[name]), bench.settings[name]
    given = {"data": lesson["data_full"](setting.images or 2400)} if name == "WaveNet" else {}
    on_cuda = bench.device.type == "cuda"
    if on_cuda:
        torch.cuda.reset_peak_memory_stats(bench.device)
    run = full_size.train(
        name,
        lesson["make_full"],
        lesson["draw_full"] if seed == 0 and name != "WaveNet" else None,
        setting=setting,
        loss=lesson.get("loss_full"),
        seed=seed,
        device=bench.device,
        **given,
    )
    if name == "WaveNet":
        run.images = "the resonator at 64 levels"
    held = torch.cuda.max_memory_allocated(bench.device) if on_cuda else 0
    return {**full_size.to_store(replace(run, by="by the lesson's own solution")), "held": held}


def other(bench: Bench, name: str, place: int) -> dict[str, Any]:
    """The same of a setting that a smaller card takes: `SETTINGS[name][place]`; seed 0."""
    small = bench.settings[name].size == "smaller"  # a test
    setting = bench.settings[name] if small else SETTINGS[name][place]
    part = likelihood(replace(bench, settings={name: setting}), name, 0)
    return {**part, "size": SETTINGS[name][place].size, "samples": ""}


def steps(bench: Bench, name: str) -> dict[str, Any]:
    """Milliseconds of a training step as it is written, captured and compiled, and whether equal.

    `apart` is the largest difference of the losses of twenty steps, captured against written, over
    the loss: rounding, unless the capture is wrong.
    """
    found: dict[str, Any] = {"losses": {}}
    for how in ("written", "captured", *(["compiled"] if bench.compiles else [])):
        began = time.perf_counter()
        take, batch = _step(bench, name, how)
        losses = [float(take(batch, bench.settings[name].lr / 10)) for _ in range(20)]
        found[f"{how}_start"] = round(time.perf_counter() - began, 2)
        began = time.perf_counter()
        for _ in range(bench.repeats):
            last = take(batch, 0.0)
        float(last)  # waits for the card
        found[how] = 1e3 * (time.perf_counter() - began) / bench.repeats
        found["losses"][how] = losses
        found[f"{how}_as"] = type(take).__name__
    written, captured = found["losses"]["written"], found["losses"]["captured"]
    found["apart"] = max(abs(a - b) / abs(a) for a, b in zip(written, captured, strict=True))
    del found["losses"]
    return found


def _step(bench: Bench, name: str, how: str) -> tuple[step.Step, list[torch.Tensor]]:
    """A step of a fresh model of seed 0 with a batch of random data, set up in the way `how`."""
    lesson, setting = _named_module(LESSONS[name]), bench.settings[name]
    random = torch.Generator().manual_seed(0)
    count, side = setting.batch_size, 28 if setting.size != "smaller" else 8
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(0)
        model = lesson["make_full"](setting, side * side).to(bench.device).train()
    shape = {"PixelCNN": (count, 1, side, side), "WaveNet": (count, 1024)}.get(name)
    if shape is None:
        batch = torch.randint(2, (count, side * side), generator=random).float()
    else:
        batch = torch.randint(2, shape, generator=random)
    loss = lesson.get("loss_full") or (lambda model, x: model.nll(x))
    recorder = step.RECORDERS.get(bench.device.type, _again)
    written = step.Step(
        model,
        torch.compile(loss) if how == "compiled" else loss,
        step.adamw(list(model.parameters()), setting.lr, setting.weight_decay, how == "captured"),
        clip=setting.clip,
        dtype=step.mixed_precision(bench.device) if setting.amp else torch.float32,
    )
    batches = [batch.to(bench.device)]
    torch.manual_seed(0)
    if how != "captured":
        return written, batches
    try:
        captured = step.CapturedStep(written, batches, recorder)
        torch.manual_seed(0)  # recording drew random numbers
        return captured, batches
    except step.NotCaptured:
        return written, batches


def _named_module(lesson: str) -> dict[str, Any]:
    """The lesson's names in a module: torch.compile looks for functions in the module they name."""
    names = solution_functions(lesson)
    module = types.ModuleType(f"solved_{lesson}")
    names["__name__"] = module.__name__
    vars(module).update(names)
    sys.modules[module.__name__] = module
    return names


def _again(taken: Callable[[], None]) -> Callable[[], None]:
    """In the place of a capture, where there is no card."""
    taken()
    return taken


def purity(bench: Bench) -> dict[str, Any]:
    """Every model of the lessons moved to the device: how far from what the processor gives.

    Per entry of tests/test_device_purity.py, the largest ‖there − here‖ / ‖here‖; None for what is
    drawn at random, of which only shapes and kinds are compared.

    Raises:
        RuntimeError: a model mixes devices, or shapes or kinds differ; all of them are named.
    """
    from tests.test_device_purity import ENTRIES, computed

    def where(device: torch.device | str, seed: int) -> Callable[[Any], Any]:
        def move(value: Any) -> Any:
            torch.manual_seed(seed)
            # Dropout draws on the device: another mask there.
            return (value.eval() if isinstance(value, torch.nn.Module) else value).to(device)

        return move

    def drawn(value: torch.Tensor, other: torch.Tensor) -> bool:
        return not value.requires_grad and not torch.equal(value, other)

    apart: dict[str, float | None] = {}
    wrong = []
    for lesson, what in ENTRIES:
        try:
            here, again = (computed(lesson, what, where("cpu", seed), seed) for seed in (1, 2))
            there = [part.cpu() for part in computed(lesson, what, where(bench.device, 1))]
            if [(x.shape, x.dtype) for x in here] != [(x.shape, x.dtype) for x in there]:
                raise RuntimeError("other shapes or kinds")
        except Exception as error:
            wrong.append(f"{lesson} {what}: {type(error).__name__} {error}".split("\n")[0])
            continue
        fixed = [
            float((x - z).norm() / x.norm().clamp(min=1e-30))
            for x, z in (
                (x.detach().double(), z.detach().double())
                for x, y, z in zip(here, again, there, strict=True)
                if not drawn(x, y)
            )
        ]
        apart[f"{lesson}: {what}"] = max(fixed, default=None)
    if wrong:
        raise RuntimeError("; ".join(wrong))
    return {"apart": apart}


def sampling(bench: Bench) -> dict[str, Any]:
    """Seconds for 100 digits from the cached PixelCNN, and for one second of a WaveNet's sound.

    The weights are untrained: a draw takes as long.
    """
    found = {}
    random = torch.Generator(bench.device).manual_seed(0)
    side = 28 if bench.settings["PixelCNN"].size != "smaller" else 8
    pixel = solution_functions(LESSONS["PixelCNN"])
    model = pixel["make_full"](bench.settings["PixelCNN"], side * side).to(bench.device).eval()
    pixel["sample_cached"](model, 2, 2, side, random)  # warm up
    began = time.perf_counter()
    images = pixel["sample_cached"](model, bench.digits, side, side, random).cpu()
    found["digits"] = {"count": len(images), "side": side, "s": time.perf_counter() - began}
    wave = solution_functions(LESSONS["WaveNet"])
    model = wave["make_full"](bench.settings["WaveNet"], 0).to(bench.device).eval()
    wave["generate_fast"](model, 10, generator=random)
    began = time.perf_counter()
    codes = wave["generate_fast"](model, bench.second, generator=random).cpu()
    found["sound"] = {"samples": codes.shape[1], "s": time.perf_counter() - began}
    return found


def codec(bench: Bench) -> dict[str, Any]:
    """Test images in a file: lesson 14's codec with lesson 09's PixelCNN, trained for it, seed 0.

    Bits of the price and of the file, whether the images come back, and seconds to read them.

    Raises:
        RuntimeError: the network was not kept.
    """
    pixel, coder = solution_functions(LESSONS["PixelCNN"]), solution_functions("14_compression")
    setting = bench.settings["PixelCNN"]
    make = pixel["make_full"]
    run = full_size.train("PixelCNN", make, setting=setting, device=bench.device)
    assert run.model is not None and run.test is not None
    said = kept_network.keep("PixelCNN", run.model, run.test)
    found = kept_network.kept("PixelCNN", bench.device)
    if found is None:
        raise RuntimeError(said)
    painter, rows = coder["ImageModel"](*found), found[1].flatten(1).cpu()
    probs = painter.conditionals(rows).gather(-1, rows[..., None])
    file = coder["encode"](painter, rows)
    began = time.perf_counter()
    back = coder["decode"](painter, file, len(rows))
    return {
        "images": len(rows),
        "pixels": painter.n,
        "price": coder["ideal_bits"](probs.log()),
        "bits": 8 * len(file),
        "came back": torch.equal(back, rows),
        "s": time.perf_counter() - began,
    }


def both_ways(bench: Bench, size: str = "auto") -> dict[str, Any]:
    """Seconds of each solved lesson with the card and without, in processes of their own.

    A lesson's `size` chooses what its section "At full size" does: by "auto" the papers' sizes
    with a card and a stored result without, by "laptop" the stored result either way.
    """

    failed = []

    def seconds(name: str) -> list[float]:
        taken: dict[str, list[float]] = {"": [], "cpu": []}
        try:
            for where in ("", "cpu", "cpu", ""):
                if sum(map(sum, taken.values())) > SHORT and all(taken.values()):
                    break
                taken[where].append(run_lesson(name, bench.root, where, size))
        except RuntimeError as error:
            failed.append(f"{error} (COURSE_DEVICE={where!r})")
            return []
        print(f"    {name} {taken}", flush=True)
        return [min(each) for each in taken.values()]

    with ThreadPoolExecutor(bench.workers) as pool:
        both = list(pool.map(seconds, bench.named))
    if failed:
        raise RuntimeError("; ".join(failed))
    seconds_of = dict(zip(bench.named, both, strict=True))
    return {"seconds": seconds_of, "at once": bench.workers, "size": size}


# Runs all code cells of a solved lesson in a shell, one after the other.
ALONE = """
import sys
from pathlib import Path

from IPython.core.interactiveshell import InteractiveShell

from autograder import lessons
from autograder.lessons.reading import plain_python

name, root, size = sys.argv[1:]
shell = InteractiveShell.instance()
shell.push({"LESSON": name})
for cell in lessons.load_lesson(name, Path(root)).cells:
    if cell.kind == "code":
        source = plain_python(cell.source).replace('size = "auto"', f'size = "{size}"')
        shell.run_cell(source).raise_error()
"""


def run_lesson(name: str, root: Path = lessons.ROOT, device: str = "", size: str = "auto") -> float:
    """Seconds in which a process runs the solved lesson; `device` as `COURSE_DEVICE` has it.

    Args:
        size: what the lesson's own `size = "auto"` becomes.

    Raises:
        RuntimeError: a cell fails; the message ends with its last line.
    """
    began = time.perf_counter()
    run_alone(name, root, device, size)
    return round(time.perf_counter() - began, 2)


def run_alone(
    name: str, root: Path, device: str, size: str, before: str = "", after: str = ""
) -> str:
    """What a process prints that runs the solved lesson, and code before and after it.

    Raises:
        RuntimeError: a cell fails; the message ends with its last line.
    """
    environment = {**os.environ, "COURSE_DEVICE": device, "MPLBACKEND": "agg"}
    environment.setdefault("OMP_NUM_THREADS", str(THREADS))
    environment["PYTHONPATH"] = os.pathsep.join([str(HERE.parent), *filter(None, sys.path)])
    done = subprocess.run(
        [sys.executable, "-c", before + ALONE + after, name, str(root), size],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"lesson {name} fails: {(done.stderr or ' ').strip().splitlines()[-1]}")
    return done.stdout


# --- what is kept and written ---------------------------------------------------------------------


class Kept:
    """Parts that are done, in a file that is written whole after each."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.done: dict[str, Any] = {}
        if path.exists():
            self.done = json.loads(path.read_text(encoding="utf-8"))

    def keep(self, name: str, part: dict[str, Any]) -> None:
        self.done[name] = part
        write_whole(self.path, json.dumps(self.done, indent=1, ensure_ascii=False) + "\n")


def measure(bench: Bench, kept: Kept, wanted: list[str], minutes: float) -> list[str]:
    """Runs what of `wanted` is missing, and starts none after `minutes`; what is left.

    A part that fails is told and left, and the next one is run.
    """
    began = time.perf_counter()
    for name in wanted:
        if name in kept.done:
            continue
        if time.perf_counter() - began > 60 * minutes:
            break
        print(f"{name} …", flush=True)
        start = time.perf_counter()
        try:
            part = parts()[name](bench)
        except Exception:
            traceback.print_exc()
            continue
        where = str(bench.device)
        if bench.device.type == "cuda":
            where = torch.cuda.get_device_name(bench.device)
        about = {"card": where, "torch": torch.__version__, "seconds": time.perf_counter() - start}
        kept.keep(name, {**part, "about": about})
    return [name for name in wanted if name not in kept.done]


def write(kept: Kept, store: Path = STORE, shown: Path = full_size.STORE.parent) -> None:
    """Writes gpu.json and, in the folder `shown`, what lessons show without a card: all or none.

    Raises:
        ValueError: a part that lessons show is missing.
    """
    shows = [*(f"likelihoods-{name}-0" for name in LESSONS), "writing-float32"]
    missing = [name for name in shows if name not in kept.done]
    if missing:
        raise ValueError(
            f"{len(missing)} parts that lessons show are missing, {missing[0]} first: run make gpu "
            "again"
        )
    results = {
        name: {k: v for k, v in kept.done[f"likelihoods-{name}-0"].items() if k not in EXTRA}
        for name in LESSONS
    }
    if filed := kept.done.get("codec"):
        results["PixelCNN"]["file"] = {key: filed[key] for key in ("images", "price", "bits")}
    ordered = {name: kept.done[name] for name in parts() if name in kept.done}
    with written_together() as put:
        put(store, json.dumps(ordered, indent=1, ensure_ascii=False) + "\n")
        put(shown / full_size.STORE.name, json.dumps(results, indent=1, ensure_ascii=False) + "\n")
        put(shown / writing.STORE.name, gpu_text.shown(kept.done["writing-float32"]))


EXTRA = ("held", "about")


def table(done: dict[str, Any]) -> str:
    """Markdown of all parts that are there; the others are named at the end."""
    rows = [
        "| model | test nats, seed 0 | all seeds | target | seconds | memory | how | the papers |",
        "|---|---:|---|---|---:|---:|---|---|",
    ]
    total = 0.0
    for name, target in TARGETS.items():
        keys = [f"likelihoods-{name}-{seed}" for seed in SEEDS]
        runs = [done[key] for key in keys if key in done]
        nats, first = [run["nats"] for run in runs], runs[0]
        total += first["seconds"]
        met = "met" if nats[0] <= target else "MISSED"
        spread = f"seed 0 alone of {len(SEEDS)}"
        if len(nats) > 1:
            spread = f"{min(nats):.2f}–{max(nats):.2f}, mean {statistics.mean(nats):.2f}"
            spread += "" if len(nats) == len(SEEDS) else f"; {len(nats)} of {len(SEEDS)}"
        rows.append(
            f"| {name}: {first['setting']} | {nats[0]:.2f} ± {first['error']:.2f} | {spread} "
            f"| ≤ {target}: {met} | {first['seconds']:.0f} | {first['held'] / 1e9:.1f} GB "
            f"| {first['how']} | {PUBLISHED[name]} |"
        )
    for name, several in SETTINGS.items():
        for place in range(1, len(several)):
            less = done.get(f"others-{name}-{place}")
            if less is None:
                continue
            rows.append(
                f"| {name}, {less['size']}: {less['setting']} | {less['nats']:.2f} ± "
                f"{less['error']:.2f} | one seed, {less['device']} | | {less['seconds']:.0f} "
                f"| {less['held'] / 1e9:.1f} GB | {less['how']} | |"
            )
    wave = done["likelihoods-WaveNet-0"]
    rows += [
        "",
        f"Together {total:.0f} s of training for seed 0, on {wave['about']['card']}, torch "
        f"{wave['about']['torch']}. ± is the standard error over test images. Lesson 10's WaveNet: "
        f"{wave['nats']:.4f} nats a sample in {wave['seconds']:.0f} s ({wave['setting']}).",
        "",
        "| a step, ms | as written | captured | quicker | losses apart | compiled (its start) |",
        "|---|---:|---:|---:|---:|---|",
    ]
    for name in LESSONS:
        part = done.get(f"steps-{name}")
        if part is None:
            continue
        ratio = part["written"] / part["captured"]
        compiled = "not tried"
        if "compiled" in part:
            compiled = f"{part['compiled']:.2f} ({part['compiled_start']:.0f} s)"
        if part["captured_as"] != "CapturedStep":
            compiled += ", not captured"
        rows.append(
            f"| {name} | {part['written']:.2f} | {part['captured']:.2f} | {ratio:.1f}× "
            f"| {part['apart']:.0e} | {compiled} |"
        )
    if "purity" in done:
        apart = done["purity"]["apart"]
        rows += [
            "",
            f"{len(apart)} groups of the lessons' models and functions, moved to the card, compute "
            "there what they compute on the processor: largest ‖difference‖ / ‖value‖ "
            f"{max(x for x in apart.values() if x is not None):.0e}.",
        ]
    if "sampling" in done:
        drawn, sound = done["sampling"]["digits"], done["sampling"]["sound"]
        rows += [
            "",
            f"{drawn['count']} digits of {drawn['side']}×{drawn['side']} from the cached PixelCNN: "
            f"{drawn['s']:.1f} s. {sound['samples']:,} samples, a second of sound, from the "
            f"WaveNet with queues: {sound['s']:.1f} s.",
        ]
    if filed := done.get("codec"):
        came = "came back" if filed["came back"] else "did NOT come back"
        rows += [
            "",
            f"{filed['images']} test images of {filed['pixels']} pixels in a file by lesson 14's "
            f"codec with lesson 09's PixelCNN: price {filed['price']:,.0f} bits, file "
            f"{filed['bits']:,} bits; they {came}, in {filed['s']:.0f} s.",
        ]
    rows += seconds_of_lessons(done)
    if missing := [name for name in parts() if name not in done]:
        rows += ["", f"Not run on a card: {', '.join(missing)}."]
    return "\n".join(rows)


def seconds_of_lessons(done: dict[str, Any]) -> list[str]:
    """Markdown: equal work with a card and without, and what the papers' sizes take there."""
    equal, auto = (done.get(part, {}).get("seconds", {}) for part in ("equal-work", "lessons"))
    if not (equal or auto):
        return []
    rows = [
        "",
        "Seconds of the solved lessons, each in a process of its own. Equal work: "
        '`size = "laptop"` on both sides'
        + (f", {done['equal-work']['at once']} at a time, " if equal else ": not measured")
        + (done["equal-work"]["about"]["card"] if equal else "")
        + '. With `size = "auto"` the sections “At full size” train at the papers\' sizes too'
        + (f", {done['lessons']['at once']} at a time:" if auto else ": not measured.")
        + "",
        "",
        "| lesson | with the card | `COURSE_DEVICE=cpu` | ratio | papers' sizes, with the card |",
        "|---|---:|---:|---:|---:|",
    ]
    for name in sorted({*equal, *auto}):
        cells = ["–", "–", "–"]
        if name in equal:
            card, processor = equal[name]
            slower = " SLOWER" if card > SLOWER * processor else ""
            cells = [f"{card:.0f}", f"{processor:.0f}", f"{card / processor:.2f}{slower}"]
        cells.append(f"{auto[name][0]:.0f}" if name in auto else "–")
        rows.append(f"| {name} | {' | '.join(cells)} |")
    if controls := [card / cpu for name, (card, cpu) in equal.items() if name[:2] in CONTROLS]:
        rows += [
            "",
            f"Lessons {', '.join(CONTROLS)} never ask for a card: their ratios, "
            f"{min(controls):.2f} to {max(controls):.2f}, are the noise of this measurement. "
            + done["equal-work"].get("note", ""),
        ]
    return rows


def by_arithmetic() -> str:
    """Markdown: what `size = "auto"` takes on four cards, and the seconds that it expects."""
    rows = [
        'What `size = "auto"` takes, and the seconds that it expects: by arithmetic, from data '
        "sheets (85 % of the bandwidth, 60 % of the products) and by `course.full_size.estimate`, "
        "whose formulas were fitted to one H100; no other card was measured.",
        "",
        f"| model | {' | '.join(SHEETS)} |",
        "|---|" + "---|" * len(SHEETS),
    ]
    for name in SETTINGS:
        cells = []
        for card in SHEETS.values():
            setting = full_size.choose(name, "auto", card)
            assert setting is not None
            cells.append(f"{setting.size}, {full_size.estimate(name, setting, card)[0]:.0f} s")
        rows.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(rows)


def run() -> str:
    """The stored table, or what there is where no card was ever had."""
    if STORE.exists():
        return f"{table(json.loads(STORE.read_text(encoding='utf-8')))}\n\n{by_arithmetic()}"
    rows = [
        "**Not run yet: no CUDA card could be had.** `make gpu` trains the lessons' own models in "
        "the settings below (three seeds), times a step as it is written, captured and compiled, "
        "draws 100 digits and a second of sound, runs every lesson with the card and without, and "
        "writes this section. Its parts are tested on a processor, in small. What stands here was "
        "measured once on one NVIDIA H100, with other code of the same form; the lessons show it "
        "until then.",
        "",
        "| model | other code's test nats | seconds | target | our setting | the papers |",
        "|---|---:|---:|---|---|---|",
    ]
    for name, target in TARGETS.items():
        known = full_size.stored(name)
        rows.append(
            f"| {name} | {known.nats:.2f} | {known.seconds:.0f} | ≤ {target} "
            f"| {SETTINGS[name][0].in_words()} | {PUBLISHED[name]} |"
        )
    return "\n".join([*rows, "", by_arithmetic()])


def main(arguments: list[str] | None = None) -> int:
    """Runs, keeps and writes; the exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gpu", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("kinds", nargs="*", metavar="PART", help="likelihoods, steps-NADE, …; all")
    parser.add_argument("--minutes", type=float, default=1e9, help="start no part after so many")
    parser.add_argument("--parts", type=Path, default=PARTS, help="the file of parts")
    parser.add_argument("--write", action="store_true", help="run nothing, write what is there")
    options = parser.parse_args(arguments)
    kept = Kept(options.parts)
    kinds = {name.split("-")[0] for name in parts()}
    if unknown := set(options.kinds) - kinds - set(parts()):
        parser.error(f"there is no part {min(unknown)}: there are {', '.join(sorted(kinds))}")
    wanted = [n for kind in options.kinds for n in parts() if kind in (n, n.split("-")[0])]
    wanted = list(dict.fromkeys(wanted or parts()))
    if not options.write:
        if course_device.device().type != "cuda":
            print(
                "There is no CUDA card here: nothing was run, and benchmarks/gpu.json is as it was."
            )
            return NOTHING_RAN
        print(asdict(full_size.measure(course_device.device())), flush=True)
        left = measure(on_card(), kept, wanted, options.minutes)
        if left:
            print(f"{len(left)} parts are left, {left[0]} first: run the same command again.")
            return 0
    try:
        write(kept)
    except ValueError as error:
        print(error)
        return 1 if options.write else 0
    from benchmarks.__main__ import main as write_readme

    write_readme(["gpu", "gpu_text"])
    return 0


if __name__ == "__main__":
    sys.exit(main())
