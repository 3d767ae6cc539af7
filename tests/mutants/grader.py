"""Mutants of the code that is trusted, each against its nearest tests: `make mutants`.

    python -m tests.mutants.grader [module …] [--sample N] [--keep] [--again]

For each module a seeded sample of mechanical changes (`autograder.diagnosis.slips`) is tried: in a
forked process the changed text stands in the place of the module, and its tests run until one
fails. A mutant that no test notices is listed; `EQUIVALENT` says of some why no test could. With
`--keep`, each module's counts and survivors are written where the benchmarks' table reads them;
with `--again`, only what survived then is tried.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib.abc
import importlib.util
import io
import json
import os
import random
import re
import select
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from tqdm import tqdm

from autograder.diagnosis.slips import Slip, slips_of
from course.files import write_whole

ROOT = Path(__file__).resolve().parent.parent.parent
KEPT = ROOT / "benchmarks" / "mutants_grader.json"
SECONDS = 600  # that a mutant's tests may take; past it, it is noticed
SEED = 0

# Module → its nearest tests, the quickest first. A selection (-k) keeps what has to do with it.
NEAREST: dict[str, tuple[str, ...]] = {
    "autograder.plain": ("tests/test_plain.py", "tests/test_entrance.py"),
    "autograder.remote.protocol": (
        "tests/test_protocol_bounds.py",
        "tests/test_protocol.py",
        "tests/test_entrance.py",
        "tests/test_proxy.py",
    ),
    "autograder.remote.client": ("tests/test_client.py", "tests/test_entrance.py"),
    "autograder.grading.outputs": ("tests/test_outputs.py", "tests/test_rebuild.py"),
    "autograder.grading.submission": ("tests/test_submission.py", "tests/test_rebuild.py"),
    "autograder.grading.rebuild": (
        "tests/test_rebuild_told.py",
        "tests/test_rebuild.py",
        "tests/test_odd_notebooks.py",
    ),
    "autograder.grading.judge": ("tests/test_judge_told.py", "tests/test_grading.py"),
    "autograder.grading.record": (
        "tests/test_record_told.py",
        "tests/test_key.py",
        "tests/test_grading.py",
    ),
    "autograder.grading.key": ("tests/test_record_told.py", "tests/test_key.py"),
    "autograder.sandbox.limits": ("tests/test_limits.py",),
    "course.causality": ("tests/test_causality_told.py", "tests/test_causality.py"),
    "course.training": (
        "tests/test_training_told.py",
        "tests/test_training.py",
        "tests/test_step.py",
        "tests/test_device.py",
    ),
}

OURS = ("autograder", "course", "figures", "tests")

# What takes long, and would notice nothing that these do not.
LONG = (
    "--deselect",
    "tests/test_entrance.py::test_no_answer_of_a_guest_keeps_it_out_of_gradebook_page_and_report",
)

# (module, a line of it, text before, text after): why it is the same program, or one that no test
# should refuse.
EQUIVALENT: dict[tuple[str, str, str, str], str] = {
    (
        "autograder.remote.client",
        "seconds = max(0.05, min(seconds, self.deadline - now))",
        "0.05",
        "0.1",
    ): "The least time of a question: either is short.",
    (
        "autograder.remote.client",
        "for mine, theirs in zip(generators, states, strict=True):",
        "True",
        "False",
    ): "The lengths are compared before.",
    (
        "autograder.remote.protocol",
        "view = memoryview(frame)",
        "memoryview(frame)",
        "frame",
    ): "Bytes are sliced as a view is.",
    (
        "autograder.remote.client",
        "seconds: float = 30.0,",
        "30.0",
        "60.0",
    ): "A default that the grader never uses.",
    (
        "autograder.grading.key",
        "return hashlib.sha256(content).hexdigest()[:_DIGITS]",
        ":_DIGITS",
        ":",
    ): "The whole of a hash tells as much as its start.",
    (
        "autograder.grading.key",
        "name: _hash_of(json.dumps(part, sort_keys=True, ensure_ascii=True).encode())",
        "json.dumps(part, sort_keys=True, ensure_ascii=True)",
        "json.dumps(part, ensure_ascii=True)",
    ): "The parts come from one reader, in one order: sorting guards against another Python.",
    (
        "autograder.grading.key",
        "name: _hash_of(json.dumps(part, sort_keys=True, ensure_ascii=True).encode())",
        "json.dumps(part, sort_keys=True, ensure_ascii=True)",
        "json.dumps(part, sort_keys=True)",
    ): "The default, written out.",
    (
        "autograder.grading.key",
        'what = [cell["cell_type"], text_of(cell), cell["metadata"].get("tags", []), dict(meta)]',
        "dict(meta)",
        "meta",
    ): "A copy of a dict is written as the dict is.",
    (
        "autograder.grading.key",
        'for name in sorted({*imported, "nbgrader"}):',
        "sorted({*imported, 'nbgrader'})",
        "{*imported, 'nbgrader'}",
    ): "They go into a dict, which is compared whatever its order.",
    (
        "autograder.grading.key",
        'figures = root / "figures"',
        "root / 'figures'",
        "'figures'",
    ): "No module that judges imports figures today: the second of two guards.",
    (
        "autograder.grading.submission",
        "raw = file.read(max_bytes + 1)",
        "1",
        "2",
    ): "One byte past the bound tells that the file is too large, as two do.",
    (
        "autograder.grading.rebuild",
        "if to > at:",
        "to > at",
        "to >= at",
    ): "At `at` stands a check, at `to` a definition: never one place.",
    (
        "autograder.grading.judge",
        "return value if 0.0 <= value <= points else 0.0",
        "0.0 <= value <= points",
        "0.0 < value <= points",
    ): "Of 0 points both make 0.",
    (
        "course.causality",
        'said.insert(0, "Autoregressive: no output sees itself or the future.")',
        "0",
        "-1",
    ): "One sentence stands there: before it is before the last.",
    (
        "course.causality",
        "never = ~finite[0].reshape(-1)[groups].any(-1)",
        "0",
        "-1",
    ): "All rows of the base are of the same input.",
    (
        "course.training",
        "count, total, each = len(data[0]), 0.0, []",
        "0",
        "-1",
    ): "All parts of the data are equally long, which is checked before.",
    **{
        (
            "course.training",
            "weights[0].flatten()[0].item()",
            "0",
            other,
        ): "Whichever number is read, reading it waits for the card."
        for other in ("1", "-1")
    },
}


def has_room(slip: Slip) -> bool:
    """Whether a bound that has room to spare (NAME = a large number) is another by one only."""
    return slip.kind == "one-off" and bool(re.match(r"[A-Z_]+ = [\d_]{3,}", slip.where))


def is_same(slip: Slip) -> bool:
    """Whether the larger of two is taken in another order, a class is frozen, or a cache is one
    smaller or larger: the same program for everybody who keeps to it."""
    if slip.kind == "swap":
        return bool(re.match(r"(np\.)?(max|min)(imum)?\(", slip.before))
    return slip.where.startswith(("@dataclass(frozen=", "@functools.lru_cache("))


class _Instead(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Imports one module from another text."""

    def __init__(self, name: str, path: Path, text: str) -> None:
        self.name, self.path, self.text = name, path, text

    def find_spec(self, name, path, target=None):
        if name != self.name:
            return None
        return importlib.util.spec_from_loader(name, self, origin=str(self.path))

    def create_module(self, spec):
        return None

    def exec_module(self, module) -> None:
        module.__file__ = str(self.path)
        exec(compile(self.text, str(self.path), "exec"), vars(module))


def path_of(module: str) -> Path:
    """The file of a module."""
    return ROOT / (module.replace(".", "/") + ".py")


def sample_of(module: str, most: int) -> list[Slip]:
    """At most `most` of the module's mutants, the same ones each time."""
    slips = list(slips_of(path_of(module).read_text(encoding="utf-8")))
    random.Random(f"{SEED} {module}").shuffle(slips)
    return slips[:most]


def noticed(module: str, text: str, tests: Sequence[str]) -> bool:
    """Whether one of the tests fails where `text` stands in the place of the module."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        os.setsid()
        status = 1
        with contextlib.suppress(BaseException):
            status = _run_tests(module, text, tests)
        os.write(writing, b"0" if status == 0 else b"1")
        os._exit(0)
    os.close(writing)
    ready, _, _ = select.select([reading], [], [], SECONDS)
    said = os.read(reading, 1) if ready else b"1"
    if not ready:
        print(f"{module}: a mutant ran for {SECONDS} s", flush=True)
    os.close(reading)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return said != b"0"


def _run_tests(module: str, text: str, tests: Sequence[str]) -> int:
    import pytest

    os.environ["UNSHRUNK"] = "1"
    for name in [n for n in sys.modules if n.partition(".")[0] in OURS]:
        del sys.modules[name]  # what the mutants are made with has imported some of them
    sys.meta_path.insert(0, _Instead(module, path_of(module), text))
    silent = io.StringIO()
    with contextlib.redirect_stdout(silent), contextlib.redirect_stderr(silent):
        arguments = ["-x", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", *LONG, *tests]
        return int(pytest.main(arguments))


def warm_up() -> None:
    """Imports what all tests need, once, before the forks."""
    import hypothesis  # noqa: F401
    import nbconvert  # noqa: F401
    import nbformat  # noqa: F401
    import numpy  # noqa: F401
    import pytest  # noqa: F401
    import torch

    torch.set_num_threads(1)


def survivors(
    modules: Sequence[str], most: int, again: bool = False
) -> Iterator[tuple[str, int, list[Slip]]]:
    """For each module how many mutants were tried, and those that nothing noticed.

    With `again`, those that survived when counts were last kept are tried, and the rest believed.
    """
    for module in modules:
        if not noticed_nothing(module):
            raise SystemExit(f"the tests of {module} fail without a mutant")
        slips = sample_of(module, most)
        tried = [slip for slip in slips if not again or as_kept(slip) in kept_of(module)]
        left = [
            slip
            for slip in tqdm(tried, desc=module, unit="mutant", disable=None)
            if not noticed(module, slip.text, NEAREST[module])
        ]
        yield module, len(slips), left


def is_explained(module: str, slip: Slip) -> bool:
    """Whether a mutant may survive: listed, or the same program by its kind."""
    return (
        (module, slip.where, slip.before, slip.after) in EQUIVALENT
        or has_room(slip)
        or is_same(slip)
    )


def as_kept(slip: Slip) -> dict[str, object]:
    """A mutant as it stands in the file of counts."""
    return {"line": slip.line, "kind": slip.kind, "before": slip.before, "after": slip.after}


def kept_of(module: str) -> list[dict[str, object]]:
    """What survived of a module when its counts were last kept, explained or not."""
    counts = json.loads(KEPT.read_text())[module]
    return [*counts["survivors"], *counts["explained"]]


def keep(module: str, count: int, left: Sequence[Slip]) -> None:
    """Writes how many mutants of a module were tried, and those that survived."""
    kept = json.loads(KEPT.read_text()) if KEPT.exists() else {}
    explained = [is_explained(module, slip) for slip in left]
    kept[module] = {
        "mutants": count,
        "explained": [as_kept(slip) for slip, is_so in zip(left, explained, strict=True) if is_so],
        "survivors": [
            as_kept(slip) for slip, is_so in zip(left, explained, strict=True) if not is_so
        ],
    }
    write_whole(KEPT, json.dumps(kept, indent=1, ensure_ascii=False) + "\n")


def noticed_nothing(module: str) -> bool:
    """Whether the nearest tests pass on the module as it is."""
    return not noticed(module, path_of(module).read_text(encoding="utf-8"), NEAREST[module])


def main(arguments: list[str] | None = None) -> int:
    """Tries the mutants of the named modules (all, if none is named); 1 below the goal."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutants.grader", description=__doc__)
    parser.add_argument("modules", nargs="*", help=f"of {', '.join(NEAREST)}")
    parser.add_argument("--sample", type=int, default=40, help="mutants a module (default 40)")
    parser.add_argument("--goal", type=float, default=0.85, help="share to be noticed")
    parser.add_argument("--keep", action="store_true", help=f"write the counts into {KEPT.name}")
    parser.add_argument("--again", action="store_true", help="only what survived then")
    given = parser.parse_args(arguments)
    unknown = sorted(set(given.modules) - set(NEAREST))
    if unknown:
        parser.error(f"no tests are named for {unknown[0]}")
    warm_up()
    began, tried, alive = time.monotonic(), 0, 0
    for module, count, left in survivors(given.modules or list(NEAREST), given.sample, given.again):
        unexplained = [slip for slip in left if not is_explained(module, slip)]
        if given.keep:
            keep(module, count, left)
        tried += count
        alive += len(unexplained)
        print(f"{module}: {count - len(left)} of {count} noticed", flush=True)
        for slip in unexplained:
            print(f"  line {slip.line} ({slip.kind}): {slip.before!r} -> {slip.after!r}")
    share = 1 - alive / max(tried, 1)
    print(f"all: {share:.0%} of {tried} noticed, in {time.monotonic() - began:.0f} s")
    return 0 if share >= given.goal else 1


if __name__ == "__main__":
    sys.exit(main())
