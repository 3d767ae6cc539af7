"""Gets the programs that the tests need and pip cannot bring: Chromium and bubblewrap.

`python -m tests.tools` is an install step of `make test`. As root it asks Debian's packages;
otherwise it says in one sentence what to install.
"""

import os
import shutil
import subprocess
import sys

from tests.browser.browser import install_chromium


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
    print(install_chromium())
