"""Where the course runs: every declared Python, systems that are not Unix, and a plain install."""

from __future__ import annotations

import json
import subprocess
import sys
import tomllib
from importlib import import_module

import pytest

from autograder.closure import ROOT, modules_imported, outside, reach
from tests.pythons import DECLARED, interpreter
from tests.test_layers import check_half, modules_of

UNIX_ONLY = ("fcntl", "resource", "pwd", "grp", "termios")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]

# --- Pythons --------------------------------------------------------------------------------------

# Compiles each file, warnings being errors, and looks up what it takes from the standard library.
COMPILE = """
import ast, functools, importlib, json, sys, warnings
warnings.simplefilter("error")

@functools.cache
def there(name):
    "Whether there is a module of this name, or a thing of this name in a module."
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        try:
            importlib.import_module(name)
            return True
        except ImportError:
            within, _, last = name.rpartition(".")
            return bool(within) and there(within) and hasattr(sys.modules[within], last)

wrong = []
for path in json.load(sys.stdin):
    source = open(path, encoding="utf-8").read()
    try:
        tree = ast.parse(source)
        compile(tree, path, "exec")
    except (SyntaxError, SyntaxWarning) as error:
        wrong.append(f"{path}: {error}")
        continue
    for node in ast.walk(tree):
        names = {}
        if isinstance(node, ast.Import):
            names = {alias.name: [] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            names = {node.module: [alias.name for alias in node.names]}
        for name, wanted in names.items():
            if name.partition(".")[0] not in library:
                continue
            wanted = [name, *(f"{name}.{one}" for one in wanted)]
            wrong += [f"{path}: {one}" for one in wanted if not there(one)]
print(json.dumps(wrong))
"""


def test_the_declared_pythons_begin_where_pip_lets_them():
    assert DECLARED == ("3.11", "3.12", "3.13")
    assert PROJECT["requires-python"] == f">={DECLARED[0]}"


def test_every_file_compiles_on_every_declared_python_that_is_here():
    """And takes nothing from the standard library that one of them lacks."""
    rooms = ("course", "figures", "autograder", "solutions", "tests", "benchmarks")
    files = [path for room in rooms for path in modules_of(room)]
    files = [str(path) for path in files if "lesson_sources" not in path.parts]
    here = {version: command for version in DECLARED if (command := interpreter(version))}
    assert "{}.{}".format(*sys.version_info) in here
    library = f"library = {set(sys.stdlib_module_names)!r}\n"
    for version, command in here.items():
        done = subprocess.run(
            [command, "-I", "-c", library + COMPILE],
            input=json.dumps(files), capture_output=True, text=True,
        )  # fmt: skip
        assert done.returncode == 0, f"Python {version}: {done.stderr}"
        assert json.loads(done.stdout) == [], f"Python {version}"


# What the standard library has lost from 3.12 on (PEP 594, PEP 632): also where 3.13 is not here.
GONE = {
    "asynchat", "asyncore", "distutils", "imp", "smtpd", "aifc", "audioop", "cgi", "cgitb", "chunk",
    "crypt", "imghdr", "lib2to3", "mailcap", "msilib", "nis", "nntplib", "ossaudiodev", "pipes",
    "sndhdr", "spwd", "sunau", "telnetlib", "uu", "xdrlib",
}  # fmt: skip


def test_nothing_is_imported_that_a_later_python_has_lost():
    for room in ("course", "figures", "autograder", "solutions", "tests", "benchmarks"):
        for path in modules_of(room):
            if "lesson_sources" in path.parts:
                continue
            tops = {name.partition(".")[0] for name in modules_imported(path)}
            assert not tops & GONE, path


# --- where there is no Unix -----------------------------------------------------------------------

# Modules of ours find none of Unix's, nor what `os`, `signal` and `socket` have there alone; the
# libraries, which know on which system they are, find theirs.
ELSEWHERE = f"""
import builtins, os, signal, socket, sys
real = builtins.__import__
def without(name, globals=None, locals=None, fromlist=(), level=0):
    asking = (globals or {{}}).get("__name__", "").partition(".")[0]
    if name in {UNIX_ONLY!r} and asking in ("autograder", "course", "figures"):
        raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)
    return real(name, globals, locals, fromlist, level)
def leave():
    "From here on this is not Unix."
    builtins.__import__ = without
    for module, names in {{
        os: ("fork", "geteuid", "getuid", "setsid", "pidfd_open", "sched_getaffinity", "WNOHANG"),
        signal: ("SIGKILL", "SIGALRM", "setitimer", "ITIMER_REAL"),
        socket: ("AF_UNIX", "SOCK_SEQPACKET"),
    }}.items():
        for name in names:
            delattr(module, name)
"""


def _run(text: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", text, *arguments], cwd=ROOT, capture_output=True, text=True
    )


def test_the_check_half_is_imported_where_there_is_no_unix():
    files = reach([*check_half(), *modules_of("figures"), *modules_of("course")])
    names = sorted(
        ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        for path in files
    )
    assert {"autograder", "autograder.card", "autograder.checks.made", "course.data"} < set(names)
    text = f"""{ELSEWHERE}
import contextlib, importlib
for name in {sorted(outside(files))!r}:
    with contextlib.suppress(ImportError):  # an example in a docstring
        importlib.import_module(name)
leave()
for name in {names!r}:
    importlib.import_module(name)
"""
    done = _run(text)
    assert done.returncode == 0, done.stderr


def _in_one_sentence(done: subprocess.CompletedProcess[str], *words: str) -> None:
    assert done.returncode == 2, done.stderr
    assert done.stdout == "" and done.stderr.count("\n") == 1, done.stderr
    assert done.stderr.startswith("autograder: ")
    assert all(word in done.stderr for word in words), done.stderr


@pytest.mark.parametrize("command", [("doctor",), ("grade", "05_made")])
def test_grading_says_in_one_sentence_where_there_is_no_unix(command: tuple[str, ...]):
    text = f"""{ELSEWHERE}
builtins.__import__ = without
from autograder.__main__ import main
main()
"""
    _in_one_sentence(_run(text, *command), "needs Linux", "WSL2", "container")


# --- a plain install ------------------------------------------------------------------------------

HIDDEN = """
import sys
from tests.student_half import Hiding, hidden_modules
hidden = {hidden}
sys.meta_path[:] = [Hiding(finder, hidden) for finder in sys.meta_path]
from autograder.__main__ import main
main()
"""


@pytest.mark.parametrize(
    ("hidden", "missing"),
    [("hidden_modules()", "typer"), ("{'rich'}", "rich")],
)
def test_a_plain_install_says_what_to_install(hidden: str, missing: str):
    done = _run(HIDDEN.format(hidden=hidden), "grade", "05_made")
    _in_one_sentence(done, missing, "pip install 'autoregressive-course[grade]'")


def test_the_command_that_pip_installs_is_the_one_that_says_so():
    module, _, name = PROJECT["scripts"]["autograder"].partition(":")
    assert getattr(import_module(module), name) is import_module("autograder.__main__").main
    assert PROJECT["name"] in import_module("autograder.__main__").INSTALL
