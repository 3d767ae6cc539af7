"""Gets a package of npm's registry into build/npm, one version, held by its digest."""

from __future__ import annotations

import base64
import hashlib
import shutil
import subprocess
import tarfile
import tempfile
from pathlib import Path

from autograder.lessons import ROOT

FOLDER = ROOT / "build" / "npm"


def package(name: str, version: str, integrity: str, folder: Path = FOLDER) -> Path:
    """The folder with the package's files, downloaded first if need be.

    integrity: npm's own word on the archive, "sha512-…". Raises RuntimeError where npm is missing
    or gives another archive.
    """
    place = folder / f"{name.replace('/', '+')}-{version}"
    if place.is_dir():
        return place
    npm = shutil.which("npm")
    if npm is None:
        raise RuntimeError(f"{name} {version} comes by npm, which was not found: install Node.js")
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder) as fresh:
        command = [npm, "pack", "--silent", f"{name}@{version}"]
        done = subprocess.run(command, cwd=fresh, capture_output=True, text=True)
        archives = list(Path(fresh).glob("*.tgz"))
        if done.returncode or len(archives) != 1:
            raise RuntimeError(f"npm did not give {name} {version}: {done.stderr.strip()[-300:]}")
        digest = hashlib.sha512(archives[0].read_bytes()).digest()
        if integrity != f"sha512-{base64.b64encode(digest).decode()}":
            raise RuntimeError(f"{name} {version} is not the archive whose digest is {integrity}")
        with tarfile.open(archives[0]) as archive:
            archive.extractall(fresh, filter="data")
        (Path(fresh) / "package").rename(place)
    return place
