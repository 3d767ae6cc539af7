"""The Pythons that the project declares: which are here, and the check half's tests on each.

`python -m tests.pythons` (`make pythons`) makes an environment a Python in build/pythons, with the
same pins as CI, and runs there what a student's notebook depends on. A Python that is not here is
said, and the exit code is 1.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DECLARED = tuple(
    version
    for line in tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"][
        "classifiers"
    ]
    for version in re.findall(r"Python :: (3\.\d+)$", line)
)
# What a notebook needs: checks, what they judge with, data, training, two lessons from end to end.
CHECK_HALF = (
    "checking", "diagnosis", "protocol", "proxy", "callbacks", "causality", "data", "training",
    "lesson_chain_rule", "lesson_kl", "closure", "layers", "platforms",
)  # fmt: skip


def interpreter(version: str) -> str | None:
    """The command of Python `version`, as 3.12: this one, one on the path, or one of pyenv's."""
    if version == "{}.{}".format(*sys.version_info):
        return sys.executable
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv") / "versions"
    found = [shutil.which(f"python{version}"), *sorted(pyenv.glob(f"{version}.*/bin/python"))]
    for command in filter(None, found):
        asked = [str(command), "-c", "import sys; print('{}.{}'.format(*sys.version_info))"]
        done = subprocess.run(asked, capture_output=True, text=True)
        if done.returncode == 0 and done.stdout.strip() == version:
            return str(command)
    return None


def tested(version: str) -> bool:
    """Whether the check half's tests pass on Python `version`; makes its environment first."""
    command = interpreter(version)
    if command is None:
        print(f"Python {version}: not here")
        return False
    home = ROOT / "build" / "pythons" / version
    python = str(home / "bin" / "python")
    if not (home / "bin" / "python").exists():
        subprocess.run([command, "-m", "venv", str(home)], check=True)
    install = ["-m", "pip", "install", "--quiet", "-c", "constraints.txt", "-e", ".[grade,dev]"]
    subprocess.run([python, *install], check=True, cwd=ROOT)
    tests = [f"tests/test_{name}.py" for name in CHECK_HALF]
    done = subprocess.run([python, "-m", "pytest", "-p", "no:cacheprovider", *tests], cwd=ROOT)
    print(f"Python {version}: {'passed' if done.returncode == 0 else 'FAILED'}", flush=True)
    return done.returncode == 0


if __name__ == "__main__":
    sys.exit(0 if all([tested(version) for version in DECLARED]) else 1)
