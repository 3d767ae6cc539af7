"""A real JupyterLab for the browser tests: a server of its own, and a notebook opened in it.

Nothing of the reader's own Jupyter is read or written: configuration, data, runtime, settings,
workspaces and IPython's profile all lie in a temporary folder.
"""

import json
import os
import secrets
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import nbformat

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Locator, Page

ROOT = Path(__file__).parents[2]
START = 120  # seconds for a server, a page or a kernel: a busy machine needs many
QUIET = {"fetchNews": "false", "checkForUpdates": False, "doNotDisturbMode": True}


class Lab:
    """A running JupyterLab: `url`, `token`, and `folder`, which it serves."""

    def __init__(self, url: str, token: str, folder: Path) -> None:
        self.url, self.token, self.folder = url, token, folder

    def open(self, page: "Page", notebook: Path | nbformat.NotebookNode) -> "OpenNotebook":
        """Opens a notebook, a file (which is copied) or a node, and waits for its kernel.

        Cells that raise do not stop it: a lesson not yet solved still shows its widgets.
        """
        self.close_sessions()
        name = f"{secrets.token_hex(4)}.ipynb"
        if not isinstance(notebook, nbformat.NotebookNode):
            notebook = nbformat.read(notebook, as_version=4)
        for cell in notebook.cells:
            cell.metadata["tags"] = [*cell.metadata.get("tags", []), "raises-exception"]
        nbformat.write(notebook, self.folder / name)
        return self._opened(page, name)

    def reopen(self, page: "Page", path: str) -> "OpenNotebook":
        """Opens a file of `folder` as on the second day: every kernel is gone, a new one waits."""
        self.close_sessions()
        return self._opened(page, path)

    def _opened(self, page: "Page", name: str) -> "OpenNotebook":
        page.goto(f"{self.url}lab/tree/{name}?reset&token={self.token}", timeout=START * 1000)
        page.wait_for_function("window.jupyterapp?.restored !== undefined", timeout=START * 1000)
        page.evaluate("window.jupyterapp.restored.then(() => true)")
        page.wait_for_function(
            "window.jupyterapp.shell.currentWidget?.sessionContext?.session?.kernel"
            "?.connectionStatus === 'connected'",
            timeout=START * 1000,
        )
        return OpenNotebook(page)

    def close_sessions(self) -> None:
        """Ends every kernel, so that one test's notebook cannot answer for the next one's."""
        for session in json.load(self._ask("api/sessions")):
            self._ask(f"api/sessions/{session['id']}", method="DELETE")

    def _ask(self, path: str, method: str = "GET") -> object:
        request = urllib.request.Request(self.url + path, method=method)
        request.add_header("Authorization", f"token {self.token}")
        return urllib.request.urlopen(request, timeout=START)


class OpenNotebook:
    """A notebook on the screen."""

    def __init__(self, page: "Page") -> None:
        self.page = page

    def run_all(self, seconds: float = START) -> None:
        """Runs every cell and waits until the last one is done, `seconds` at most."""
        self.page.evaluate("void window.jupyterapp.commands.execute('notebook:run-all-cells')")
        # A cell gets its execution count when its reply is here.
        self.page.wait_for_function(
            """() => window.jupyterapp.shell.currentWidget.content.widgets.every((cell) =>
                cell.model.type !== "code" || !cell.model.sharedModel.source.trim()
                || cell.model.executionCount)""",
            timeout=seconds * 1000,
        )

    def evaluate(self, expression: str) -> str:
        """The repr of an expression in the notebook's kernel, after all that was sent there."""
        answer = self.page.evaluate(
            """async (expression) => {
              const { kernel } = window.jupyterapp.shell.currentWidget.sessionContext.session;
              const asked = { code: "", user_expressions: { value: expression } };
              return (await kernel.requestExecute(asked).done).content.user_expressions.value;
            }""",
            expression,
        )
        assert answer["status"] == "ok", f"{expression} raised {answer.get('evalue')}"
        return answer["data"]["text/plain"]

    @property
    def path(self) -> str:
        """Where the notebook lies in the server's folder."""
        return self.page.evaluate("window.jupyterapp.shell.currentWidget.context.path")

    def save(self) -> None:
        """Writes the notebook to its file."""
        self.page.evaluate("window.jupyterapp.shell.currentWidget.context.save()")

    def set_theme(self, name: str) -> None:
        """Changes JupyterLab's theme ("JupyterLab Light", "JupyterLab Dark") and waits for it."""
        self.page.evaluate(
            "theme => window.jupyterapp.commands.execute('apputils:change-theme', { theme })", name
        )
        self.page.wait_for_function(
            "theme => document.body.dataset.jpThemeName === theme", arg=name, timeout=START * 1000
        )

    def cell(self, text: str) -> "Locator":
        """The first code cell whose source has `text` in it, scrolled to: Lab keeps no others."""
        index = self.page.evaluate(
            """(text) => window.jupyterapp.shell.currentWidget.content.widgets.findIndex((cell) =>
                cell.model.type === "code" && cell.model.sharedModel.source.includes(text))""",
            text,
        )
        assert index >= 0, f"no code cell of this notebook has {text!r} in it"
        return self.cell_at(index)

    def cell_at(self, index: int) -> "Locator":
        """The cell at a place, from 0, scrolled to."""
        self.page.evaluate(
            """async (index) => {
              await window.jupyterapp.shell.currentWidget.content.scrollToItem(index, "start");
            }""",
            index,
        )
        cell = self.page.locator(f'.jp-Notebook [data-windowed-list-index="{index}"]')
        cell.wait_for(timeout=START * 1000)
        return cell

    def cells_with_outputs(self) -> list[int]:
        """The places of the code cells that show something."""
        return self.page.evaluate(
            """() => window.jupyterapp.shell.currentWidget.content.widgets.flatMap((cell, index) =>
                cell.model.type === "code" && cell.model.outputs.length ? [index] : [])"""
        )

    def wait_until_drawn(self, index: int) -> None:
        """Waits until each widget of a cell has its live view, and each image its pixels."""
        self.page.wait_for_function(
            """(index) => {
              const at = `.jp-Notebook [data-windowed-list-index="${index}"]`;
              const cell = document.querySelector(at);
              return cell && [...cell.querySelectorAll("[data-saved-view]")].every((view) =>
                  cell.querySelector(`[data-live-view="${view.dataset.savedView}"] *`))
                && [...cell.querySelectorAll("img")].every((image) => image.complete);
            }""",
            arg=index,
            timeout=START * 1000,
        )


@contextmanager
def running_lab(folder: Path) -> "Iterator[Lab]":
    """JupyterLab on a free port, serving `folder`/work; gone, with its kernels, at the end."""
    work, token = folder / "work", secrets.token_hex(16)
    places = {
        name: str(folder / name.lower())
        for name in (
            "JUPYTER_CONFIG_DIR",
            "JUPYTER_DATA_DIR",
            "JUPYTER_RUNTIME_DIR",
            "IPYTHONDIR",
            "JUPYTERLAB_SETTINGS_DIR",
            "JUPYTERLAB_WORKSPACES_DIR",
        )
    }
    for place in (*places.values(), work):
        Path(place).mkdir(parents=True, exist_ok=True)
    settings = Path(places["JUPYTERLAB_SETTINGS_DIR"]) / "@jupyterlab" / "apputils-extension"
    settings.mkdir(parents=True)
    (settings / "notification.jupyterlab-settings").write_text(json.dumps(QUIET))
    inherited = {k: v for k, v in os.environ.items() if not k.startswith(("JUPYTER", "IPYTHON"))}
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    log = folder / "server.log"
    with log.open("w") as stream:
        server = subprocess.Popen(
            [
                sys.executable, "-m", "jupyterlab", "--no-browser", "--ip=127.0.0.1", "--port=0",
                "--allow-root", f"--IdentityProvider.token={token}",
                "--LabApp.expose_app_in_browser=True", f"--ServerApp.root_dir={work}",
            ],
            cwd=work, env=inherited | places | {"PYTHONPATH": path, "OMP_NUM_THREADS": "1"},
            stdout=stream, stderr=subprocess.STDOUT,
        )  # fmt: skip
    try:
        lab = Lab(_address(server, Path(places["JUPYTER_RUNTIME_DIR"]), log), token, work)
        yield lab
        lab.close_sessions()
    finally:
        server.terminate()
        try:
            server.wait(timeout=20)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


def _address(server: subprocess.Popen, runtime: Path, log: Path) -> str:
    """The server's URL, once it answers. It writes its port into a file of its runtime folder."""
    deadline = time.monotonic() + START
    while time.monotonic() < deadline:
        if server.poll() is not None:
            raise RuntimeError(f"JupyterLab ended while starting: {log.read_text()[-2000:]}")
        for file in runtime.glob("jpserver-*.json"):
            try:
                url = json.loads(file.read_text())["url"]
                urllib.request.urlopen(url + "api", timeout=5).close()
                return url
            except (OSError, ValueError, KeyError, urllib.error.URLError):
                pass  # half-written, or not listening yet
        time.sleep(0.1)
    raise RuntimeError(f"JupyterLab did not answer in {START} s: {log.read_text()[-2000:]}")
