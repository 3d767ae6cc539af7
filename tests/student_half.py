"""Runs a student's notebook where nothing is installed but what the student half asks for.

`python -m tests.student_half NOTEBOOK [FOLDER …]`: every distribution that the project's own
dependencies do not bring, nbgrader and JupyterLab among them, cannot be imported. FOLDERs come
first on the path: Colab's older widgets, for instance; a `google.colab` in one of them is imported
behind the first cell, which would install the course. Prints one line of JSON: versions, and what
each check's cell showed.
"""

from __future__ import annotations

import json
import re
import sys
from importlib.metadata import PackageNotFoundError, packages_distributions, requires, version
from pathlib import Path
from typing import Any

OURS = "autoregressive-course"


def allowed_distributions() -> set[str]:
    """The distributions that `pip install autoregressive-course` brings, without an extra."""
    found, queue = set(), [OURS]
    while queue:
        name = re.sub(r"[-_.]+", "-", queue.pop()).lower()
        if name in found:
            continue
        try:
            needed = requires(name) or []
        except PackageNotFoundError:
            continue
        found.add(name)
        plain = (line for line in needed if "extra ==" not in line)
        queue += [re.match(r"[\w.-]+", line)[0] for line in plain]
    return found


def hidden_modules() -> set[str]:
    """The top-level modules that belong to none of the allowed distributions."""
    allowed = allowed_distributions()
    return {
        module
        for module, owners in packages_distributions().items()
        if not {re.sub(r"[-_.]+", "-", owner).lower() for owner in owners} & allowed
    }


class Hiding:
    """A finder of modules that does not find the hidden ones, as if they were not installed."""

    def __init__(self, finder: Any, hidden: set[str]) -> None:
        self.finder, self.hidden = finder, hidden

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        if name.partition(".")[0] in self.hidden:
            return None
        return self.finder.find_spec(name, path, target)

    def __getattr__(self, attribute: str) -> Any:
        return getattr(self.finder, attribute)


def main(notebook: str, *folders: str) -> None:
    """Runs the notebook's code cells, and prints what its checks said."""
    sys.path[:0] = folders
    hidden = hidden_modules()
    assert {"nbgrader", "jupyterlab", "nbformat", "typer"} <= hidden
    hidden -= {path.name for folder in folders for path in Path(folder).iterdir()}
    in_colab = any((Path(folder) / "google" / "colab").is_dir() for folder in folders)
    sys.meta_path[:] = [Hiding(finder, hidden) for finder in sys.meta_path]

    with open(notebook, encoding="utf-8") as file:
        cells = json.load(file)["cells"]
    from autograder.remote.server import Guest

    guest = Guest()
    shown, failed = {}, []
    for cell in cells:
        text = "".join(cell["source"])
        if cell["cell_type"] != "code":
            continue
        answer = guest.run(text, seconds=600)
        if answer["status"] != "ok":
            failed.append([text.split("\n")[0], answer["outputs"][-1:]])
        if in_colab and "setup" in cell["metadata"].get("tags", []):
            guest.run("import google.colab", seconds=60)
        if text.startswith("check("):
            shown[text] = answer["outputs"][-1]["data"]["text/html"]
    versions = {name: version(name) for name in ("torch", "numpy")}
    for name in ("ipywidgets", "anywidget"):  # as imported: a folder may come before the metadata
        versions[name] = sys.modules[name].__version__
    colab = "google.colab.output" in sys.modules
    print(json.dumps({"colab": colab, "versions": versions, "failed": failed, "shown": shown}))


if __name__ == "__main__":
    main(*sys.argv[1:])
