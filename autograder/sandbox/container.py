"""The third way: a container engine, for macOS, Windows, and Linux without namespaces or Landlock.

docker and podman take the same options. The image must hold the course's packages; the Dockerfile
says how it is built. The guest talks over the engine's standard input and output.
"""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
from collections.abc import Iterable

from autograder.sandbox import confine as confinement
from autograder.sandbox.guest_process import PATIENCE, LaunchedGuest, SandboxError
from autograder.sandbox.launch import Guests, launch
from autograder.sandbox.limits import Limits
from autograder.sandbox.warm import SERVE

ENGINES = ("docker", "podman")
IMAGE = "autoregressive-course"

# What runs in the image: its own Python, and the file of this package wherever pip has put it.
_INSIDE = (
    "import importlib.util, runpy, sys; sys.argv = ['cold.py', '--stdio']; "
    "place = importlib.util.find_spec('autograder').submodule_search_locations[0]; "
    "runpy.run_path(place + '/sandbox/cold.py', run_name='__main__')"
)


class Container(Guests):
    """Starts each guest in a container; a context manager with WarmParent's interface."""

    name = "container"

    def __init__(
        self, serve: str = SERVE, *, engine: str | None = None, image: str = IMAGE
    ) -> None:
        self.serve = serve
        self.image = image
        self._engine = engine
        super().__init__()

    def start(self) -> Container:
        """Looks for an engine that answers and for the image; raises SandboxError."""
        candidates: Iterable[str] = (self._engine,) if self._engine else ENGINES
        found = [name for name in candidates if shutil.which(name)]
        if not found:
            raise SandboxError("there is no container engine: install podman or docker")
        words = ""
        for name in found:
            words = _complaint([name, "image", "inspect", self.image])
            if not words:
                self._engine = name
                return self
        raise SandboxError(f"{found[-1]} has no image {self.image} to run: {words}")

    def command(self, limits: Limits, name: str) -> list[str]:
        """The engine's command line for a container called `name`."""
        memory = str(limits.memory_bytes + 2**30)  # the libraries come on top
        line = [self._engine or "docker", "run", "--rm", "--interactive", "--name", name]
        line += ["--network", "none", "--read-only", "--cap-drop", "ALL", "--ipc", "private"]
        line += ["--security-opt", "no-new-privileges", "--user", "65534:65534", "--init"]
        line += ["--memory", memory, "--memory-swap", memory]
        line += ["--pids-limit", str(limits.threads + limits.processes + 8)]
        line += ["--ulimit", f"nofile={limits.open_files}", "--ulimit", "core=0"]
        line += ["--ulimit", f"fsize={limits.file_bytes}"]
        folder = f"rw,nosuid,nodev,noexec,size={limits.disk_bytes},mode=1777"
        line += ["--tmpfs", f"{confinement.PRIVATE}:{folder}", "--tmpfs", f"/tmp:{folder}"]
        line += ["--hostname", "guest", "--workdir", "/", "--env", "PYTHONSAFEPATH=1"]
        line += ["--env", "PYTHONDONTWRITEBYTECODE=1", "--env", "PYTHONHASHSEED=0"]
        line += ["--env", "OMP_NUM_THREADS=1", "--env", "OPENBLAS_NUM_THREADS=1"]
        return [*line, self.image, "python", "-c", _INSIDE]

    def spawn(
        self, limits: Limits | None = None, *, seed: int | None = None, nonce: str | None = None
    ) -> LaunchedGuest:
        """A guest in its own container; raises SandboxError if there is none."""
        limits = limits or Limits()
        name = f"autograder-guest-{secrets.token_hex(8)}"
        request = {
            "serve": self.serve,
            "workdir": confinement.PRIVATE,
            "readable": None,  # what the image's own Python needs
            "fonts": None,
            "outer": list(confinement.PROMISES),
            "confine": True,
            "uid": None,
            "seed": seed,
        }
        environment = {k: os.environ[k] for k in _ENGINE_VARIABLES if k in os.environ}
        guest = launch(
            self.command(limits, name), request, limits, environment, nonce=nonce, over_stdio=True
        )
        guest.at_end.append(lambda: _complaint([self._engine or "docker", "rm", "--force", name]))
        return self.keep(guest)

    def __enter__(self) -> Container:
        return self.start()


_ENGINE_VARIABLES = ("PATH", "HOME", "DOCKER_HOST", "DOCKER_CONTEXT", "XDG_RUNTIME_DIR")


def _complaint(command: list[str]) -> str:
    """The last words of a command that fails; "" if it succeeds."""
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=PATIENCE, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    if done.returncode == 0:
        return ""
    return (done.stderr.strip() or f"exit code {done.returncode}").splitlines()[-1]
