"""Runs the benchmarks and writes benchmarks/README.md: machine, versions, ratios and spread.

A benchmark is a module of this package with `TITLE` (one line) and `run() -> str`, which measures
both sides in one run and returns a Markdown section. `python -m benchmarks NAME …` runs some; the
sections of the others are kept as they stand in the README.
"""

from __future__ import annotations

import importlib
import os
import pkgutil
import platform
import re
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import benchmarks
from course.files import write_whole

HERE = Path(__file__).parent
PACKAGES = ("torch", "numpy", "nbgrader", "nbclient", "ipykernel", "IPython")


def machine() -> str:
    """One line on the processor, its cores, the system and Python."""
    cpu = platform.processor() or platform.machine()
    for line in Path("/proc/cpuinfo").read_text().splitlines() if os.name == "posix" else []:
        if line.startswith("model name"):
            cpu = line.partition(":")[2].strip()
            break
    return (
        f"{cpu}, {os.cpu_count()} cores, {platform.system()} {platform.release()}, "
        f"Python {platform.python_version()}"
    )


def sections(text: str) -> dict[str, str]:
    """The sections of a README by the name of the benchmark that wrote them."""
    parts = re.split(r"^<!-- (\w+) -->\n", text, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:  # a machine with a card need not have the grader
        return "not installed"


def main(names: list[str]) -> None:
    """Runs the benchmarks `names` (all, if there are none) and writes the README."""
    known = [m.name for m in pkgutil.iter_modules(benchmarks.__path__) if m.name != "__main__"]
    unknown = [n for n in names if n not in known]
    if unknown:
        sys.exit(f"there is no benchmark {unknown[0]}: there are {', '.join(known)}")
    readme = HERE / "README.md"
    kept = sections(readme.read_text()) if readme.exists() else {}
    for name in names or known:
        module = importlib.import_module(f"benchmarks.{name}")
        print(f"{name}: {module.TITLE}", flush=True)
        kept[name] = f"## {module.TITLE}\n\n{module.run().strip()}\n\n"
        print(kept[name], flush=True)
    versions = ", ".join(f"{p} {_version(p)}" for p in PACKAGES)
    head = (
        "# Benchmarks\n\nWritten by `make bench`; both sides of a ratio are measured in one run.\n"
        f"Last machine: {machine()}.\nVersions: {versions}.\n\n"
    )
    body = "".join(f"<!-- {name} -->\n{kept[name]}" for name in known if name in kept)
    write_whole(readme, head + body)


if __name__ == "__main__":
    main(sys.argv[1:])
