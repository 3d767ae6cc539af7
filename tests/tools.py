"""Gets what the tests need beside the environment: a browser, a sandbox, a database and more.

`python -m tests.tools` is an install step of `make test`. As root it asks Debian's packages;
otherwise it says in one sentence what to install.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from tests.browser.axe import install_axe
from tests.browser.browser import install_chromium
from tests.postgresql import install_postgresql

# What Colab has of the packages that widgets need (August 2026), kept beside the environment.
COLAB = Path(__file__).resolve().parent.parent / "build" / "colab"
COLAB_PINS = ("ipywidgets==7.7.1", "anywidget==0.9.21", "ipython_genutils==0.2.0")


def install_colabs_widgets() -> Path:
    """The folder with Colab's versions of the widget packages, filled first if need be."""
    done = COLAB / "pins.txt"
    if not done.exists() or done.read_text() != " ".join(COLAB_PINS):
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        where = ["--no-deps", "--upgrade", "--target", str(COLAB)]
        subprocess.run([*pip, *where, *COLAB_PINS], check=True)
        done.write_text(" ".join(COLAB_PINS))
    return COLAB


def install_bubblewrap() -> str:
    """The path of bwrap, installed first if need be; RuntimeError where it cannot be had."""
    if not sys.platform.startswith("linux"):
        return "not needed here: bubblewrap is a sandbox of Linux"
    if path := shutil.which("bwrap"):
        return path
    if os.geteuid() == 0 and shutil.which("apt-get"):
        environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
        for command in (["apt-get", "update"], ["apt-get", "install", "-y", "bubblewrap"]):
            subprocess.run(command, env=environment, stdout=sys.stderr, check=False)
    if path := shutil.which("bwrap"):
        return path
    raise RuntimeError("the tests of the second sandbox need bubblewrap: install it and try again")


if __name__ == "__main__":
    print(install_bubblewrap())
    print(install_postgresql())
    print(install_chromium())
    print(install_colabs_widgets())
    print(install_axe())
