"""Finds a Chromium for the browser tests, and gets one where there is none.

An install step of `make test` (see `tests.tools`). In order: the system's own; Debian's package,
when we are root; else Playwright's download.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")

# No sandbox: inside a container Chromium cannot make its own. The rest keeps it from calling home.
# Playwright gives every launch a new user-data-dir, and deletes it.
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def find_chromium() -> str | None:
    """The path of a Chromium on this machine, or None. $CHROMIUM, when set, is taken as it is."""
    if os.environ.get("CHROMIUM"):
        return os.environ["CHROMIUM"]
    for name in NAMES:
        if path := shutil.which(name):
            return path
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        path = playwright.chromium.executable_path
    return path if Path(path).exists() else None


def install_chromium() -> str:
    """The path of a Chromium, installed first if need be; RuntimeError where none can be had."""
    if path := find_chromium():
        return path
    is_root = hasattr(os, "geteuid") and os.geteuid() == 0
    if is_root and shutil.which("apt-get"):
        environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
        for command in (["apt-get", "update"], ["apt-get", "install", "-y", "chromium"]):
            subprocess.run(command, env=environment, stdout=sys.stderr, check=False)
        if path := find_chromium():
            return path
    subprocess.run(
        [sys.executable, "-m", "playwright", "install", "chromium"], stdout=sys.stderr, check=False
    )
    if path := find_chromium():
        return path
    raise RuntimeError(
        "no Chromium was found and none could be installed: get one and set CHROMIUM to its path"
    )
