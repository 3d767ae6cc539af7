"""What a guest may read: the interpreter, its libraries, fonts, time zones, and two packages.

Never a folder that merely lies on `sys.path`: a repository's root holds solutions, and often the
gradebook. The packages `course` and `autograder` are named one by one, without the parts that
answer exercises (`autograder.remote.hidden`): a folder that holds such a part is granted child by
child.
"""

from __future__ import annotations

import importlib.util
import os
import site
import sys
import sysconfig
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from autograder.remote.hidden import PATHS

PACKAGES = ("course", "autograder")
_MOST_CHILDREN = 20_000  # of folders that are granted child by child

_SYSTEM = (
    "/lib",
    "/lib64",
    "/usr/lib",
    "/usr/lib64",
    "/usr/local/lib",
    "/usr/share/fonts",
    "/usr/local/share/fonts",
    "/usr/share/zoneinfo",
    "/usr/share/mime",
    "/usr/share/locale",
    "/etc/ld.so.cache",
    "/etc/localtime",
    "/etc/timezone",
    "/etc/mime.types",
    "/etc/os-release",
)
DEVICES = ("/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom")


@dataclass(frozen=True)
class Placement:
    """How paths come to stand in an otherwise empty root.

    binds   real folders and files, parents first; none lies inside another
    links   (link, target): symbolic links on the way to them, outside of every bind
    """

    binds: tuple[str, ...]
    links: tuple[tuple[str, str], ...]


def readable_paths(extra: Iterable[str | os.PathLike[str]] = ()) -> tuple[str, ...]:
    """Absolute paths that a guest may read, those of `extra` included.

    Raises ValueError when one of them holds the home folder or the project that the packages
    belong to: then everything would be readable.
    """
    candidates = [*_candidates(), *(os.fspath(path) for path in extra)]
    found = dict.fromkeys(os.path.abspath(path) for path in candidates if os.path.exists(path))
    for path in found:
        _refuse_what_holds_all(path)
    return _split(found)[0]


def listed_folders() -> tuple[str, ...]:
    """The folders that are granted child by child: to import from them is to list them."""
    return _split([os.path.abspath(path) for path in _candidates() if os.path.exists(path)])[1]


def _candidates() -> list[str]:
    candidates = [*_SYSTEM]
    for prefix in dict.fromkeys((sys.base_prefix, sys.base_exec_prefix)):
        candidates += [f"{prefix}/lib", f"{prefix}/lib64"]
        candidates += [f"{prefix}/share/{name}" for name in ("fonts", "zoneinfo")]
        if prefix.startswith("/nix/store/"):
            candidates.append("/nix/store")
    schemes = sysconfig.get_paths()
    candidates += [schemes[name] for name in ("stdlib", "platstdlib", "purelib", "platlib")]
    candidates += site.getsitepackages()
    if site.ENABLE_USER_SITE and (user := site.getusersitepackages()) in sys.path:
        candidates.append(user)
    candidates += [folder for name in PACKAGES for folder in _folders_of(name)]
    return candidates


def hidden_paths() -> tuple[str, ...]:
    """The folders of our packages that no guest may read."""
    below = [
        os.path.join(folder, part).rstrip("/")  # "" stands for the package itself
        for name, parts in PATHS.items()
        for folder in _folders_of(name)
        for part in parts
    ]
    return tuple(path for path in below if os.path.exists(path))


def hidden_files() -> tuple[str, ...]:
    """A file of each of `hidden_paths`, to be tried from inside."""
    found = []
    for path in hidden_paths():
        found += sorted(entry.path for entry in os.scandir(path) if entry.is_file())[:1]
    return tuple(found)


def _split(paths: Iterable[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """`paths` without what is hidden, and the folders that had to be taken apart for that."""
    hidden = [os.path.realpath(path) for path in hidden_paths()]
    parts: dict[str, None] = {}
    apart: dict[str, None] = {}
    for path in paths:
        _take_apart(path, hidden, parts, apart)
    return tuple(parts), tuple(apart)


def _take_apart(
    path: str, hidden: Sequence[str], parts: dict[str, None], apart: dict[str, None]
) -> None:
    real = os.path.realpath(path)
    if any(Path(real).is_relative_to(one) for one in hidden):
        return
    if not any(Path(one).is_relative_to(real) for one in hidden):
        parts[path] = None
        return
    folder = real if os.path.islink(path) else path
    apart[folder] = None
    children = sorted(os.listdir(folder))
    if len(children) + len(parts) > _MOST_CHILDREN:
        raise ValueError(f"{folder} holds too many files to grant guests all but the checks")
    for name in children:
        child = os.path.join(folder, name)
        leads_back = os.path.islink(child) and Path(real).is_relative_to(os.path.realpath(child))
        if not leads_back:
            _take_apart(child, hidden, parts, apart)


def package_folders() -> list[str]:
    """The folders of `course`, `figures` and `autograder`."""
    return [folder for name in PATHS for folder in _folders_of(name)]


def _folders_of(name: str) -> list[str]:
    if name in sys.modules:
        return list(sys.modules[name].__path__)
    spec = importlib.util.find_spec(name)
    return list(spec.submodule_search_locations or []) if spec is not None else []


def interpreter_paths() -> tuple[str, ...]:
    """What a cold start reads besides: the interpreter's file and the environment's settings."""
    candidates = (sys.executable, f"{sys.prefix}/pyvenv.cfg", getattr(sys, "_base_executable", ""))
    return tuple(dict.fromkeys(path for path in candidates if path and os.path.exists(path)))


def _refuse_what_holds_all(path: str) -> None:
    real = Path(os.path.realpath(path))
    projects = {Path(os.path.realpath(folder)).parent for folder in package_folders()}
    projects = {p for p in projects if p.name not in ("site-packages", "dist-packages")}
    for precious, name in [(Path.home(), "home folder"), *((p, "project") for p in projects)]:
        if Path(os.path.realpath(precious)).is_relative_to(real):
            raise ValueError(
                f"guests would have to read {path}, which holds the {name} {precious}: "
                "install Python or the project somewhere else"
            )


def placement(paths: Iterable[str]) -> Placement:
    """Where to bind and what to link so that every path of `paths` leads where it leads now."""
    real: dict[str, None] = {}
    links: dict[str, str] = {}
    for path in paths:
        _follow(os.path.abspath(path), real, links)
    binds: list[str] = []
    for path in sorted(real):
        if not any(path == b or path.startswith(b + "/") for b in binds):
            binds.append(path)
    outside = [
        (link, target)
        for link, target in sorted(links.items())
        if not any(link.startswith(b + "/") for b in binds)
    ]
    return Placement(tuple(binds), tuple(outside))


def _follow(path: str, real: dict[str, None], links: dict[str, str]) -> None:
    """Walks `path` from the root; notes every link on the way and the real end."""
    parts = [part for part in path.split("/") if part]
    done = "/"
    for _ in range(4096):
        if not parts:
            real[done] = None
            return
        part = parts.pop(0)
        if part == "..":
            done = os.path.dirname(done)
            continue
        if part in ("", "."):
            continue
        here = os.path.join(done, part)
        if not os.path.islink(here):
            done = here
            continue
        target = os.readlink(here)
        links[here] = target
        if target.startswith("/"):
            done = "/"
        parts = [piece for piece in target.split("/") if piece] + parts
    raise ValueError(f"too many symbolic links on the way to {path}")
