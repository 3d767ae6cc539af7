"""What a student needs, and nothing else: chosen notebooks and the code that they import.

Computed from the lessons: the closure of what their cells, checks and widgets import. So there is
no solution in it, no bank, no test, and nothing of the grader. It installs by itself, and it is a
course folder for nbgrader's exchange.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import tempfile
import tomllib
import zipfile
from collections.abc import Iterable, Mapping
from io import BytesIO
from pathlib import Path
from typing import Any

from autograder import closure
from autograder.checking import module_of
from autograder.lessons.building import told_date
from autograder.lessons.lesson import GUIDE, RELEASE, Lesson
from autograder.lessons.reading import plain_python
from autograder.lessons.releasing import chosen, render
from autograder.lessons.term import read_term
from course.files import write_whole

NAME = "autoregressive-course"
GRADERS = (
    "__main__", "cli", "commands", "grading", "handout", "lessons", "report", "sandbox", "stubs"
)  # fmt: skip
MARK = ".release"  # tells an earlier release from a folder that holds somebody's work

Files = dict[str, bytes]  # path with /, below the release → content


class HandoutError(ValueError):
    """A release that cannot be made or written; the message is one sentence."""


def handout(root: Path, names: Iterable[str] = ()) -> Files:
    """The files of a release of the named lessons (none: all of the term), at course `root`.

    Notebooks are built afresh, as the course's term.toml asks. Raises LessonError, TermError or
    HandoutError in a sentence.
    """
    root = Path(root).resolve()
    lessons = chosen(names, root, read_term(root))
    fresh = render(lessons)
    files = {
        path.as_posix(): content for path, content in fresh.items() if path.is_relative_to(RELEASE)
    }
    for path in code_of(lessons):
        files[path.relative_to(closure.ROOT).as_posix()] = path.read_bytes()
    about = _about(root)
    texts = {
        "pyproject.toml": _pyproject(about),
        "environment.yml": _ENVIRONMENT,
        "nbgrader_config.py": _NBGRADER.format(course_id=json.dumps(_course_id(root))),
        "README.md": _readme(root, lessons),
        MARK: "".join(f"{lesson.name}\n" for lesson in lessons),
    }
    for name in ("constraints.txt", "LICENSE"):  # exact versions, for who wants these
        for place in (root, closure.ROOT):
            if (place / name).is_file():
                texts.setdefault(name, (place / name).read_text(encoding="utf-8"))
    return {**files, **{name: text.encode() for name, text in texts.items()}}


def code_of(lessons: Iterable[Lesson]) -> list[Path]:
    """The files that notebooks of these lessons need, solved or not: modules, scripts, data."""
    starts = {closure.ROOT / "autograder" / "__init__.py"}
    for lesson in lessons:
        checks = module_of(lesson.name)
        names = {checks, checks.replace(".checks.", ".inside.")}
        for cell in lesson.cells:
            if cell.kind == "code":
                names |= closure.modules_named(plain_python(cell.source))
        starts |= {path for name in names if (path := closure.path_of(name))}
    # Widgets and pictures find their parts by name, so figures/ comes as a whole.
    figures = closure.ROOT / "figures"
    starts |= {*figures.glob("*.py")}
    beside = {p for p in figures.rglob("*") if p.suffix in (".js", ".css", ".svg")}
    found = closure.closure(starts)
    wrong = [p for p in found if (rest := _in_autograder(p)) and rest.split(".")[0] in GRADERS]
    if wrong:
        raise HandoutError(
            f"{wrong[0].relative_to(closure.ROOT)} belongs to the grader, but what notebooks"
            " import reaches it: see autograder/closure.py"
        )
    return sorted({*found, *beside})


def _in_autograder(path: Path) -> str:
    """The first name of a module's path below autograder/, "" for others."""
    parts = path.relative_to(closure.ROOT).parts
    return parts[1] if parts[0] == "autograder" and len(parts) > 1 else ""


# --- what is written for students -----------------------------------------------------------------


def _about(root: Path) -> dict[str, Any]:
    """pyproject.toml of the course, or of the checkout."""
    for place in (root, closure.ROOT):
        if (place / "pyproject.toml").is_file():
            about = tomllib.loads((place / "pyproject.toml").read_text(encoding="utf-8"))
            if about.get("project", {}).get("dependencies"):
                return about
    raise HandoutError(
        f"a release needs the dependencies of pyproject.toml: there is none in {root}"
    )


def _pyproject(about: Mapping[str, Any]) -> str:
    """pyproject.toml of the student half: its dependencies alone, and no command."""
    project = about["project"]
    keep = ("version", "description", "requires-python")
    lines = ["[build-system]", 'requires = ["setuptools>=68"]']
    lines += ['build-backend = "setuptools.build_meta"', "", "[project]", f'name = "{NAME}"']
    lines += [f"{key} = {_toml(project[key])}" for key in keep if key in project]
    lines += ["dependencies = [", *(f"  {_toml(one)}," for one in project["dependencies"]), "]"]
    if urls := project.get("urls"):
        lines += ["", "[project.urls]", *(f"{key} = {_toml(url)}" for key, url in urls.items())]
    setup = about.get("tool", {}).get("setuptools", {})
    lines += ["", "[tool.setuptools.packages.find]"]
    lines += ['include = ["course", "figures", "autograder", "autograder.*"]']
    data = {k: v for k, v in setup.get("package-data", {}).items() if k in ("course", "figures")}
    lines += ["", "[tool.setuptools.package-data]"]
    lines += [f"{package} = {_toml(globs)}" for package, globs in data.items()]
    return "\n".join(lines) + "\n"


def _toml(value: str | list[str]) -> str:
    return json.dumps(value, ensure_ascii=False)  # the same for texts and lists of texts


def _course_id(root: Path) -> str:
    from traitlets.config import PyFileConfigLoader

    if not (root / "nbgrader_config.py").is_file():
        return ""
    config = PyFileConfigLoader("nbgrader_config.py", path=str(root)).load_config()
    return str(config.CourseDirectory.get("course_id", "") or "")


_ENVIRONMENT = f"""\
# For conda: conda env create -f environment.yml
name: {NAME}
channels:
  - conda-forge
dependencies:
  - python>=3.11
  - pip
  - pip:
      - jupyterlab
      - -e .
"""

_NBGRADER = '''\
"""nbgrader's settings, where a course uses its exchange: submit from this folder works."""

c = get_config()  # noqa: F821 (traitlets puts it here)

c.CourseDirectory.course_id = {course_id}
c.CourseDirectory.release_directory = "course"
c.Exchange.assignment_dir = "course"
# Only notebooks travel: nbgrader leaves out every name that does not end in .ipynb.
ending = ".ipynb"
c.CourseDirectory.ignore = [".*", *(ending[i:] for i in range(1, len(ending)))]
c.CourseDirectory.ignore += [f"*[!{{ending[i]}}]{{ending[i + 1:]}}" for i in range(len(ending))]
'''

_README = """\
# Autoregressive generative models, by doing

Notebooks with exercises, checks that tell at once what the mathematics says of your code, and
widgets that draw your own models.

## To begin

You need Python 3.11 or newer. In this folder:

```
python -m venv .venv
.venv/bin/python -m pip install jupyterlab -e .      # on Windows: .venv\\Scripts\\python
.venv/bin/jupyter lab course
```

or, with conda, `conda env create -f environment.yml`, `conda activate {name}`,
`jupyter lab course`.
{pins}
## The lessons

{table}

Hand in `lesson.ipynb` of a lesson as your course asks: uploaded as it is, or, where the course uses
nbgrader, by `nbgrader submit LESSON` from this folder.

{guide}"""

_PINS = """
Should a newer version of some package misbehave one day, `pip install -c constraints.txt …` takes
the versions that this release was tested with.
"""


def _readme(root: Path, lessons: list[Lesson]) -> str:
    dated = any(lesson.due for lesson in lessons)
    head = ["", "Lesson", "The question it answers", "Minutes", "Points"] + ["Due"] * dated
    rows = [head, ["---"] * len(head)]
    for lesson in lessons:
        link = f"[{lesson.title}]({RELEASE.as_posix()}/{lesson.name}/lesson.ipynb)"
        row = [
            lesson.name[:2],
            link,
            lesson.question,
            str(lesson.minutes),
            str(lesson.points or "–"),
        ]
        rows.append(row + [told_date(lesson.due) if lesson.due else "–"] * dated)
    table = "\n".join(f"| {' | '.join(row)} |" for row in rows)
    pins = _PINS if (closure.ROOT / "constraints.txt").is_file() else ""
    return _README.format(name=NAME, table=table, pins=pins, guide=_guide(root))


def _guide(root: Path) -> str:
    """How a lesson works: the course's own guide below its table, for who has no checkout."""
    for place in (root, closure.ROOT):
        if (place / GUIDE).is_file():
            text = (place / GUIDE).read_text(encoding="utf-8")
            rest = text.partition("<!-- /lessons -->")[2].strip()
            parts = [part for part in rest.split("\n\n") if "`make " not in part]
            return re.sub(r"\n{3,}", "\n\n", "\n\n".join(parts)).strip() + "\n"
    return ""


# --- writing --------------------------------------------------------------------------------------


def write_folder(files: Files, to: Path, *, force: bool = False) -> None:
    """Writes a release as the folder `to`, whole or not at all.

    With `force` an earlier release there is replaced; a folder that is none never is.
    """
    to = Path(to).absolute()
    if to.exists() and (not to.is_dir() or any(to.iterdir())):
        if not (to / MARK).is_file():
            raise HandoutError(f"{to} exists and is no release: name another place")
        if not force:
            raise HandoutError(f"{to} holds an earlier release: replace it with --force")
    to.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=to.parent, prefix=f".{to.name}.") as beside:
        new, old = Path(beside) / "new", Path(beside) / "old"
        for name, content in files.items():
            path = new / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        if to.exists():
            os.replace(to, old)
        os.replace(new, to)
        shutil.rmtree(old, ignore_errors=True)


def write_zip(files: Files, to: Path, *, force: bool = False) -> None:
    """Writes a release as a zip file, all below one folder; the same files, the same bytes."""
    if Path(to).exists() and not force:
        raise HandoutError(f"{to} exists: replace it with --force")
    packed = BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in sorted(files):
            entry = zipfile.ZipInfo(f"{NAME}/{name}", date_time=(2020, 1, 1, 0, 0, 0))
            entry.external_attr = 0o100644 << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, files[name])
    write_whole(Path(to), packed.getvalue())
