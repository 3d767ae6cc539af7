"""Runs a student's notebook where nothing is installed but what the student half asks for.

`python -m tests.student_half NOTEBOOK [FOLDER …]`: every distribution that the project's own
dependencies do not bring, nbgrader and JupyterLab among them, cannot be imported. FOLDERs come
first on the path: Colab's older widgets, for instance. Prints one line of JSON: versions, and what
each check's cell showed.
"""

from __future__ import annotations

import importlib.abc
import json
import re
import sys
from importlib.metadata import PackageNotFoundError, packages_distributions, requires, version

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


class OnlyWhatIsAllowed(importlib.abc.MetaPathFinder):
    """Hides every top-level module that belongs to none of the allowed distributions."""

    def __init__(self) -> None:
        allowed = allowed_distributions()
        owners = {
            module: {re.sub(r"[-_.]+", "-", d).lower() for d in distributions}
            for module, distributions in packages_distributions().items()
        }
        self.hidden = {m for m, of in owners.items() if not of & allowed}

    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in self.hidden:
            raise ModuleNotFoundError(f"No module named {name!r} in the student half", name=name)
        return None


def main(notebook: str, *folders: str) -> None:
    """Runs the notebook's code cells, and prints what its checks said."""
    sys.path[:0] = folders
    finder = OnlyWhatIsAllowed()
    sys.meta_path.insert(0, finder)
    assert {"nbgrader", "jupyterlab", "nbformat", "typer"} <= finder.hidden

    with open(notebook, encoding="utf-8") as file:
        cells = json.load(file)["cells"]
    from autograder.guest import Guest

    guest = Guest()
    shown, failed = {}, []
    for cell in cells:
        text = "".join(cell["source"])
        if cell["cell_type"] != "code":
            continue
        answer = guest.run(text, seconds=600)
        if answer["status"] != "ok":
            failed.append([text.split("\n")[0], answer["outputs"][-1:]])
        if text.startswith("check("):
            shown[text] = answer["outputs"][-1]["data"]["text/html"]
    versions = {name: version(name) for name in ("torch", "numpy")}
    for name in ("ipywidgets", "anywidget"):  # as imported: a folder may come before the metadata
        versions[name] = sys.modules[name].__version__
    print(json.dumps({"versions": versions, "failed": failed, "shown": shown}))


if __name__ == "__main__":
    main(*sys.argv[1:])
