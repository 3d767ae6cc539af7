r"""A lesson's text becomes its notebooks: parse, build, release through nbgrader, compare.

A lesson is one percent-format file, `solutions/NN_lesson/lesson.py`. A YAML header names it; a
word on a cell's marker gives the cell's role:

    # ---
    # jupyter:
    #   lesson: {name: 05_made, title: "…", question: "…", minutes: 90, prerequisites: []}
    #   (and, where a lesson needs packages that Colab has not got: colab: [constriction])
    # ---
    # %% [markdown]                        prose, as r'''…''' with double quotes
    # %% exercise="build_masks"            solved between ### BEGIN SOLUTION and ### END SOLUTION
    # %% check="build_masks" points=3      exactly `check(build_masks)`
    # %% [markdown] question="why" points=2    model answer and rubric between the same markers
    # %% tags=["demo"]                     runs on the student's own functions
    # %%                                   definitions and imports that the cells below need

`python -m autograder.lessons build` writes `build/source/NN_lesson/lesson.ipynb` (instructor) and,
through nbgrader's own GenerateAssignment, `course/NN_lesson/lesson.ipynb` (student);
`python -m autograder.lessons check` says which of them differ from a fresh build.
"""

from __future__ import annotations

import argparse
import ast
import functools
import hashlib
import logging
import re
import sys
import tempfile
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from course.files import write_whole

if TYPE_CHECKING:
    from nbformat import NotebookNode

ROOT = Path(__file__).resolve().parent.parent
TEXTS = Path("solutions")
SOURCE = Path("build/source")  # as in nbgrader_config.py; a test holds the two together
RELEASE = Path("course")
GUIDE = RELEASE / "README.md"  # holds a table of the lessons between two marks
BRANCH = "main"

BEGIN, END = "BEGIN SOLUTION", "END SOLUTION"  # nbgrader's delimiters, found anywhere in a line
ROLES = ("exercise", "check", "question")

_MARKER = re.compile(r"^\s*#\s*%%(?P<deeper>%*)(?:\s+(?P<rest>.*))?$")
_KIND = re.compile(r"\[(\w+)\]\s*")
_OPTION = re.compile(r"""(\w+)=("[^"]*"|'[^']*'|\[[^\]]*\]|[^\s"'\[\]]+)(?:\s+|$)""")


class LessonError(ValueError):
    """A source that cannot be built: one sentence, with its file and line."""

    def __init__(self, path: Path, line: int, sentence: str) -> None:
        here = Path.cwd()
        shown = path.relative_to(here) if path.is_relative_to(here) else path
        super().__init__(f"{shown}:{line}: {sentence}")
        self.path, self.line, self.sentence = path, line, sentence


@dataclass(frozen=True)
class Cell:
    """One cell of a lesson's text. `line` is its marker's, counted from 1 in the file."""

    kind: str  # "markdown" or "code"
    source: str
    line: int
    role: str = ""  # one of ROLES, or "" for prose, definitions and demos
    name: str = ""  # of the exercise or question
    points: int | None = None
    tags: tuple[str, ...] = ()

    @property
    def is_definition(self) -> bool:
        """Whether later cells may rely on it: code without a role that is no demo."""
        return self.kind == "code" and not self.role and "demo" not in self.tags

    @property
    def grade_id(self) -> str:
        """nbgrader's name for the cell, "" where nbgrader has no part in it."""
        return f"check-{self.name}" if self.role == "check" else self.name


@dataclass(frozen=True)
class Lesson:
    """A lesson's text, read and found sound."""

    path: Path
    name: str
    title: str
    question: str
    minutes: int
    prerequisites: tuple[str, ...]
    cells: tuple[Cell, ...]
    colab: tuple[str, ...] = ()  # packages that the lesson needs and Colab does not have

    def _of(self, role: str) -> dict[str, Cell]:
        return {cell.name: cell for cell in self.cells if cell.role == role}

    @property
    def exercises(self) -> dict[str, Cell]:
        """Name → cell, in the order of the lesson."""
        return self._of("exercise")

    @property
    def checks(self) -> dict[str, Cell]:
        """Name of the exercise → its check's cell, in the order of the lesson."""
        return self._of("check")

    @property
    def questions(self) -> dict[str, Cell]:
        """Name → cell, in the order of the lesson."""
        return self._of("question")

    @property
    def points(self) -> int:
        """What the whole lesson is worth."""
        return sum(cell.points or 0 for cell in self.cells)

    @property
    def root(self) -> Path:
        """The folder that holds solutions/, course/ and pyproject.toml."""
        return self.path.parent.parent.parent


# --- reading ------------------------------------------------------------------------------------


def lesson_names(root: Path = ROOT) -> list[str]:
    """The names of all lessons that have a text, in order."""
    return sorted(path.parent.name for path in (root / TEXTS).glob("*/lesson.py"))


def find_lesson(name: str, root: Path = ROOT) -> str:
    """The full name of a lesson called `05_made`, `05` or `made`."""
    names = lesson_names(root)
    for candidate in names:
        if name in (candidate, *candidate.split("_", 1)):
            return candidate
    raise LessonError(
        root / TEXTS / name / "lesson.py",
        1,
        f"no lesson is called {name!r}; there are: {', '.join(names) or 'none'}",
    )


def load_lesson(name: str, root: Path = ROOT) -> Lesson:
    """Read the lesson called `name` (`05_made`, `05` or `made`); again only if it has changed."""
    path = root / TEXTS / find_lesson(name, root) / "lesson.py"
    now = path.stat()
    return _parsed(path, now.st_mtime_ns, now.st_size)


@functools.lru_cache(maxsize=64)
def _parsed(path: Path, changed: int, size: int) -> Lesson:
    # Jupytext takes a tenth of a second, and the banks ask for the same text a hundred times.
    return parse_lesson(path)


def parse_lesson(path: Path) -> Lesson:
    """Read a lesson's text and check it; raises LessonError with file and line."""
    path = Path(path).resolve()
    try:
        lines = path.read_text(encoding="utf-8").split("\n")
    except UnicodeDecodeError as error:
        raise LessonError(path, 1, f"a lesson is a UTF-8 text: byte {error.start} is not") from None
    header, header_lines = _read_header(path, lines)
    cells = tuple(_read_cells(path, lines, header_lines))
    lesson = Lesson(path=path, cells=cells, **header)
    _check_pairs(lesson)
    return lesson


def _read_header(path: Path, lines: list[str]) -> tuple[dict[str, Any], int]:
    """The `lesson` mapping, checked, and the number of lines that the header takes."""
    import yaml

    fences = [i for i, line in enumerate(lines) if line.rstrip() == "# ---"]
    if len(fences) < 2 or any(line.strip() for line in lines[: fences[0]]):
        raise LessonError(path, 1, "a lesson begins with a YAML header between two lines '# ---'")
    first, last = fences[:2]
    text = "\n".join(line.removeprefix("#").removeprefix(" ") for line in lines[first + 1 : last])
    try:
        header = yaml.safe_load(text) or {}
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = first + 2 + (mark.line if mark else 0)
        raise LessonError(path, line, "the header is not valid YAML") from None
    header = header if isinstance(header, dict) else {}
    given = (header.get("jupyter") or {}).get("lesson", header.get("lesson"))
    if not isinstance(given, dict):
        raise LessonError(path, first + 1, "the header has no mapping 'lesson' under 'jupyter'")

    def line_of(key: str) -> int:
        here = (i for i in range(first, last) if re.match(rf"#.*\b{key}:", lines[i]))
        return max(here, default=first) + 1

    wanted = {"name": str, "title": str, "question": str, "minutes": int, "prerequisites": list}
    wanted["colab"] = list
    given = {"colab": [], **given}
    for key in given:
        if key not in wanted:
            raise LessonError(path, line_of(key), f"the header's lesson has an unknown key {key!r}")
    for key, kind in wanted.items():
        if key not in given:
            raise LessonError(path, line_of("lesson"), f"the header's lesson has no {key!r}")
        if type(given[key]) is not kind or given[key] in ("", 0):
            raise LessonError(
                path,
                line_of(key),
                f"the lesson's {key} must be {_KINDS[kind]}: got {given[key]!r}",
            )
    if given["name"] != path.parent.name:
        raise LessonError(
            path,
            line_of("name"),
            f"the lesson is named {given['name']!r}, but lies in {path.parent.name!r}",
        )
    if not re.fullmatch(r"\d\d_[a-z0-9_]+", given["name"]):
        raise LessonError(
            path, line_of("name"), f"a lesson's name is like '05_made': got {given['name']!r}"
        )
    lists = ("prerequisites", "colab")
    for key in lists:
        if not all(isinstance(item, str) for item in given[key]):
            raise LessonError(path, line_of(key), f"{key} is a list of names")
    return {**given, **{key: tuple(given[key]) for key in lists}}, last + 1


_KINDS = {str: "a non-empty text", int: "a whole number above 0", list: "a list"}


def _read_cells(path: Path, lines: list[str], begin: int) -> Iterator[Cell]:
    """The cells below the header. Jupytext reads them; the markers' options are read here.

    Each marker is handed to Jupytext with its line number as its only option, so that a cell
    knows where it stands, and a marker inside a string, which is none, is found out.
    """
    import jupytext

    markers: dict[int, dict[str, Any]] = {}
    text = []
    for number, line in enumerate(lines[begin:], start=begin + 1):
        match = _MARKER.match(line)
        if not match:
            if line.strip() and not markers:
                raise LessonError(path, number, "this text stands above the first cell marker")
            text.append(line)
            continue
        if match["deeper"]:
            raise LessonError(path, number, "a cell marker is '# %%', with two per cent signs")
        markers[number] = _read_marker(path, number, match["rest"] or "")
        kind = " [markdown]" if markers[number]["kind"] == "markdown" else ""
        text.append(f"# %%{kind} at={number}")

    notebook = jupytext.reads("\n".join(text) + "\n", fmt="py:percent")
    read = {cell.metadata.get("at"): cell for cell in notebook.cells}
    ends = [*list(markers)[1:], len(lines) + 1]
    for number in markers:
        if number not in read:
            raise LessonError(path, number, "this cell marker stands inside a string")
    for (number, options), end in zip(markers.items(), ends, strict=True):
        cell = Cell(source=read[number].source, line=number, **options)
        _check_cell(path, cell, lines[number : end - 1])
        yield cell


def _read_marker(path: Path, line: int, rest: str) -> dict[str, Any]:
    """What stands behind `# %%`, as the fields of a Cell."""
    kind = "code"
    if match := _KIND.match(rest):
        kind = {"markdown": "markdown", "md": "markdown"}.get(match[1], match[1])
        if kind != "markdown":
            raise LessonError(path, line, f"a cell is [markdown] or code: got [{match[1]}]")
        rest = rest[match.end() :]

    options: dict[str, Any] = {}
    at = 0
    while at < len(rest):
        match = _OPTION.match(rest, at)
        if not match:
            raise LessonError(path, line, f"not an option key=value: {rest[at:].strip()!r}")
        key, value = match.groups()
        at = match.end()
        if key not in (*ROLES, "points", "tags"):
            raise LessonError(
                path,
                line,
                f"unknown option {key!r}; there are: exercise, check, question, points, tags",
            )
        if key in options:
            raise LessonError(path, line, f"the option {key!r} is given twice")
        try:
            options[key] = ast.literal_eval(value)
        except (ValueError, SyntaxError):
            options[key] = value
            if key != "points":
                raise LessonError(
                    path, line, f"the value of {key!r} needs quotation marks: got {value}"
                ) from None

    roles = [role for role in ROLES if role in options]
    if len(roles) > 1:
        raise LessonError(path, line, f"a cell has one role: got {' and '.join(roles)}")
    role = roles[0] if roles else ""
    name = options.get(role, "")
    if role and not (isinstance(name, str) and re.fullmatch(r"[A-Za-z_]\w{0,49}", name, re.A)):
        raise LessonError(path, line, f"{role} needs a Python name, to 50 letters: got {name!r}")
    points = options.get("points")
    if role in ("check", "question"):
        if points is None:
            raise LessonError(path, line, f"the {role} {name!r} has no points")
        least = 0 if role == "check" else 1  # a check may be for the joy of it
        if type(points) is not int or points < least:
            raise LessonError(
                path,
                line,
                f"the points of {role} {name!r} must be a whole number of at least {least}:"
                f" got {points}",
            )
    elif points is not None:
        raise LessonError(path, line, "points belong to a check or a question")
    tags = options.get("tags", [])
    if not (isinstance(tags, list) and all(isinstance(tag, str) for tag in tags)):
        raise LessonError(path, line, f'tags are a list of texts, like ["demo"]: got {tags!r}')
    if "setup" in tags:
        raise LessonError(path, line, 'the tag "setup" is for the cell that the build inserts')
    if role and tags:
        raise LessonError(path, line, f"a cell is the {role} {name!r} or has tags, not both")
    if role == "question" and kind != "markdown":
        raise LessonError(path, line, f"the question {name!r} must be a [markdown] cell")
    if role in ("exercise", "check") and kind != "code":
        raise LessonError(path, line, f"the {role} {name!r} must be a code cell")
    return {"kind": kind, "role": role, "name": name, "points": points, "tags": tuple(tags)}


def _check_cell(path: Path, cell: Cell, raw: list[str]) -> None:
    """Check one cell on its own; `raw` are the file's lines below its marker."""
    opened = 0
    regions = 0
    for line, text in enumerate(raw, start=cell.line + 1):
        if BEGIN in text:
            if opened:
                raise LessonError(path, line, f"### {BEGIN} inside the one of line {opened}")
            opened, regions = line, regions + 1
        elif END in text:
            if not opened:
                raise LessonError(path, line, f"### {END} without a ### {BEGIN} above it")
            opened = 0
    if opened:
        raise LessonError(path, opened, f"this ### {BEGIN} has no ### {END} in its cell")
    answered = cell.role in ("exercise", "question")
    if regions and not answered:
        raise LessonError(path, cell.line, "a solution outside an exercise and a question")
    if answered and not regions:
        raise LessonError(path, cell.line, f"the {cell.role} {cell.name!r} has no ### {BEGIN}")
    if cell.role == "check" and cell.source.strip() != f"check({cell.name})":
        raise LessonError(path, cell.line, f"this cell must be exactly check({cell.name})")
    if cell.kind != "code":
        return

    _parse_code(path, cell, cell.source, "the cell")
    if cell.role == "exercise":
        left = _parse_code(path, cell, without_solutions(cell.source), "the student's cell")
        defined = {getattr(node, "name", None) for node in left.body}
        if cell.name not in defined:
            raise LessonError(
                path,
                cell.line,
                f"outside its solution this cell must define the function or class {cell.name}",
            )
        if any(_raises_at_once(node) for node in left.body):
            raise LessonError(
                path,
                cell.line,
                f"the solution of {cell.name!r} must stand inside a function or method, or the"
                " unsolved cell fails when it runs",
            )


def _parse_code(path: Path, cell: Cell, source: str, what: str) -> ast.Module:
    """The syntax tree of a cell; IPython's own lines are left out."""
    if source.startswith("%%"):
        return ast.Module(body=[], type_ignores=[])
    try:
        return ast.parse(_plain_python(source))
    except SyntaxError as error:
        line = cell.line + (error.lineno or 1)
        raise LessonError(path, line, f"{what} is not valid Python: {error.msg}") from None


def _plain_python(source: str) -> str:
    """The code with IPython's lines (`%…`, `!…`) replaced by `pass`, line for line."""
    try:
        ast.parse(source)
    except SyntaxError:
        return re.sub(r"^([ \t]*)(?:%[A-Za-z]|!).*$", r"\1pass", source, flags=re.MULTILINE)
    return source


def _raises_at_once(node: ast.AST) -> bool:
    """Whether a raise runs with the cell itself, not in a call."""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
        return False
    return isinstance(node, ast.Raise) or any(map(_raises_at_once, ast.iter_child_nodes(node)))


def _check_pairs(lesson: Lesson) -> None:
    """Check the cells against one another."""
    seen: dict[str, Cell] = {}
    solved: set[str] = set()
    for cell in lesson.cells:
        if not cell.role:
            continue
        if cell.grade_id in seen:
            raise LessonError(
                lesson.path,
                cell.line,
                f"a second {cell.role} {cell.name!r}; the first"
                f" {seen[cell.grade_id].role} is in line {seen[cell.grade_id].line}",
            )
        seen[cell.grade_id] = cell
        if cell.role == "exercise":
            solved.add(cell.name)
        elif cell.role == "check" and cell.name not in solved:
            raise LessonError(
                lesson.path, cell.line, f"this check has no exercise {cell.name!r} above it"
            )
    if lesson.points == 0:
        raise LessonError(lesson.path, 1, "the points of the lesson's cells sum to 0")


def without_solutions(source: str, stub: str = 'raise NotImplementedError("")') -> str:
    """A cell's text with each solution region replaced by an indented `stub`, as nbgrader does."""
    kept, inside = [], False
    for line in source.split("\n"):
        if BEGIN in line:
            inside = True
            kept.append(line[: len(line) - len(line.lstrip())] + stub)
        elif END in line:
            inside = False
        elif not inside:
            kept.append(line)
    return "\n".join(kept)


# --- building -----------------------------------------------------------------------------------


def repository_address(root: Path = ROOT) -> str:
    """The repository's GitHub address, from pyproject.toml's [project.urls]."""
    path = root / "pyproject.toml"
    try:
        urls = tomllib.loads(path.read_text(encoding="utf-8"))["project"]["urls"]
        address = urls["Repository"].rstrip("/").removesuffix(".git")
    except (OSError, KeyError, tomllib.TOMLDecodeError):
        raise LessonError(path, 1, "[project.urls] needs a Repository") from None
    if not address.startswith("https://github.com/"):
        raise LessonError(path, 1, f"Colab opens GitHub repositories only: got {address}")
    return address


def build_source(lesson: Lesson) -> NotebookNode:
    """The instructor's notebook: solutions in, nbgrader's metadata (schema 3), stable ids."""
    from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

    address = repository_address(lesson.root)
    cells = [
        new_markdown_cell(_title_text(lesson, address), id=f"{lesson.name}-title"),
        new_code_cell(
            _setup_text(lesson, address),
            id=f"{lesson.name}-setup",
            metadata={"tags": ["setup"]},
        ),
    ]
    taken = {cell.id for cell in cells}
    for cell in lesson.cells:
        new_cell = new_markdown_cell if cell.kind == "markdown" else new_code_cell
        metadata: dict[str, Any] = {"tags": list(cell.tags)} if cell.tags else {}
        if cell.role:
            metadata["nbgrader"] = _nbgrader_metadata(cell)
        identity = _cell_id(lesson.name, cell, taken)
        cells.append(new_cell(cell.source, id=identity, metadata=metadata))
    kernel = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
    metadata = {"kernelspec": kernel, "language_info": {"name": "python"}}
    return new_notebook(cells=cells, metadata=metadata, nbformat_minor=5)


def _nbgrader_metadata(cell: Cell) -> dict[str, Any]:
    metadata = {
        "grade": cell.role != "exercise",
        "grade_id": cell.grade_id,
        "locked": cell.role == "check",
        "schema_version": 3,
        "solution": cell.role != "check",
        "task": False,
    }
    return metadata if cell.points is None else {**metadata, "points": cell.points}


def _cell_id(lesson: str, cell: Cell, taken: set[str]) -> str:
    """An id that moves with its text, not with the cell's place; unique among `taken`."""
    if cell.role:
        identity = cell.grade_id
    else:
        text = f"{cell.kind}\n{cell.source}"
        digest = hashlib.sha256(text.encode()).hexdigest()[:8]
        identity = f"{lesson[:40]}-{digest}"
        again = 2
        while identity in taken:
            identity = f"{lesson[:40]}-{digest}-{again}"
            again += 1
    taken.add(identity)
    return identity


def _badge(lesson: Lesson, address: str) -> str:
    place = f"{(RELEASE / lesson.name).as_posix()}/lesson.ipynb"
    colab = address.replace("https://github.com", "https://colab.research.google.com/github")
    picture = "https://colab.research.google.com/assets/colab-badge.svg"
    return f"[![Open this lesson in Colab]({picture})]({colab}/blob/{BRANCH}/{place})"


def _title_text(lesson: Lesson, address: str) -> str:
    facts = [
        f"About {lesson.minutes} minutes",
        f"{lesson.points} point{'s' if lesson.points != 1 else ''}",
    ]
    if lesson.prerequisites:
        facts.append(f"good to have met before: {', '.join(lesson.prerequisites)}")
    return "\n\n".join(
        [
            f"# {int(lesson.name[:2])} · {lesson.title}",
            f"**{lesson.question}**",
            " · ".join(facts),
            _badge(lesson, address),
        ]
    )


def _setup_text(lesson: Lesson, address: str) -> str:
    packages = "".join(f', "{name}"' for name in lesson.colab)
    return f'''\
# Names the lesson; on Colab, and only there, it also installs the course (about half a minute).
import subprocess
import sys

LESSON = "{lesson.name}"

if "google.colab" in sys.modules:
    # --no-deps: Colab's own torch and ipywidgets stay as they are.
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps"]
    subprocess.run([*pip, "git+{address}@{BRANCH}"{packages}], check=True)'''


# --- releasing ----------------------------------------------------------------------------------


def render(lessons: Iterable[Lesson]) -> dict[Path, bytes]:
    """Fresh notebooks of the lessons, as path under the root → bytes; writes nothing there.

    The student's notebook comes from nbgrader's GenerateAssignment with the settings of
    nbgrader_config.py, in a temporary course folder and without a gradebook.
    """
    import nbformat
    from tqdm import tqdm

    sources = {lesson: build_source(lesson) for lesson in lessons}
    fresh: dict[Path, bytes] = {}
    with tempfile.TemporaryDirectory(prefix="lessons-") as folder:
        for lesson, notebook in tqdm(
            sources.items(), desc="building lessons", unit="lesson", disable=None
        ):
            source = SOURCE / lesson.name / "lesson.ipynb"
            release = RELEASE / lesson.name / "lesson.ipynb"
            nbformat.validate(notebook)
            fresh[source] = (nbformat.writes(notebook) + "\n").encode()
            write_whole(Path(folder) / source, fresh[source])
            _generate_assignment(lesson, Path(folder))
            fresh[release] = (Path(folder) / release).read_bytes()
            released = nbformat.reads(fresh[release].decode(), as_version=4)
            nbformat.validate(released)
            if leaked := leaked_lines(lesson, released):
                raise LessonError(
                    lesson.path, 1, f"a solution's line is in the student notebook: {leaked[0]!r}"
                )
    return fresh


def _generate_assignment(lesson: Lesson, folder: Path) -> None:
    """Run nbgrader's converter on folder/build/source/<lesson> → folder/course/<lesson>."""
    from nbgrader.converters import GenerateAssignment
    from nbgrader.converters.base import NbGraderException
    from nbgrader.coursedir import CourseDirectory
    from traitlets.config import Config, PyFileConfigLoader

    at = lesson.root if (lesson.root / "nbgrader_config.py").exists() else ROOT
    config = Config(PyFileConfigLoader("nbgrader_config.py", path=str(at)).load_config())
    config.CourseDirectory.root = str(folder.resolve())
    config.CourseDirectory.source_directory = str(SOURCE)
    config.CourseDirectory.release_directory = str(RELEASE)
    config.CourseDirectory.assignment_id = lesson.name
    config.CourseDirectory.db_url = "sqlite://"
    config.GenerateAssignment.no_database = True
    config.SaveCells.enabled = False

    said = _FirstCause()
    log = logging.Logger("lessons", level=logging.ERROR)
    log.addHandler(said)
    course = CourseDirectory(config=config, log=log)
    try:
        GenerateAssignment(coursedir=course, config=config, log=log).start()
    except NbGraderException:
        raise LessonError(lesson.path, 1, f"nbgrader refused the lesson: {said.first}") from None


class _FirstCause(logging.Handler):
    """Keeps what nbgrader said first, or the exception's line once it shows a traceback."""

    first = message = ""

    def emit(self, record: logging.LogRecord) -> None:
        message = record.getMessage().strip()
        if not self.first or ("Traceback" in message and "Traceback" not in self.message):
            self.message, self.first = message, message.split("\n")[-1]


def leaked_lines(lesson: Lesson, notebook: NotebookNode) -> list[str]:
    """Lines of the student's notebook that the lesson has only inside its solutions."""
    secret, public = set(), set()
    for cell in lesson.cells:
        shown = {line.strip() for line in without_solutions(cell.source, stub="").split("\n")}
        public |= shown
        secret |= {line.strip() for line in cell.source.split("\n")} - shown
    secret -= public
    public_of_build = _title_text(lesson, "") + _setup_text(lesson, "")
    secret -= {line.strip() for line in public_of_build.split("\n")}
    told = (line.strip() for cell in notebook.cells for line in cell.source.split("\n"))
    return [line for line in told if line in secret]


def with_table(guide: str, lessons: Iterable[Lesson]) -> str:
    """The guide's text with the table of the lessons between its two marks made anew."""
    before, opened, rest = guide.partition("<!-- lessons -->\n")
    _, closed, after = rest.partition("<!-- /lessons -->")
    if not (opened and closed):
        return guide
    rows = [
        "| | Lesson | The question it answers | Minutes | Points | Good to have met | In Colab |",
        "|---|---|---|---|---|---|---|",
    ]
    for lesson in lessons:
        badge = _badge(lesson, repository_address(lesson.root))
        met = ", ".join(name[:2] for name in lesson.prerequisites) or "–"
        rows.append(
            f"| {lesson.name[:2]} | [{lesson.title}]({lesson.name}/lesson.ipynb) "
            f"| {lesson.question} | {lesson.minutes} | {lesson.points} | {met} | {badge} |"
        )
    return before + opened + "\n".join(rows) + "\n" + closed + after


def _fresh(names: Iterable[str], root: Path) -> dict[Path, bytes]:
    """What a build of the named lessons writes; of all lessons, the guide's table as well."""
    names = list(names)
    lessons = _chosen(names, root)
    fresh = render(lessons)
    if not names and (root / GUIDE).is_file():
        text = (root / GUIDE).read_text(encoding="utf-8")
        fresh[GUIDE] = with_table(text, lessons).encode()
    return fresh


def _chosen(names: Iterable[str], root: Path) -> list[Lesson]:
    names = list(names) or lesson_names(root)
    if not names:
        raise LessonError(root / TEXTS, 1, "there is no lesson.py in a folder of this one")
    return [load_lesson(name, root) for name in dict.fromkeys(names)]


def build(names: Iterable[str] = (), root: Path = ROOT) -> list[Path]:
    """Build the named lessons (all, if none is named); returns the files that changed.

    Every lesson is read, built and released before the first byte is written: one bad source,
    and nothing changes. A file whose content is the same is left alone.
    """
    root = Path(root).resolve()
    changed = []
    for path, content in _fresh(names, root).items():
        if not (root / path).is_file() or (root / path).read_bytes() != content:
            write_whole(root / path, content)
            changed.append(path)
    return changed


def differences(names: Iterable[str] = (), root: Path = ROOT) -> list[str]:
    """One line for each built notebook that is missing, differs, or has lost its source.

    build/source is not under version control: there, only a file that exists can differ.
    """
    root = Path(root).resolve()
    names = list(names)
    told = []
    for path, content in _fresh(names, root).items():
        if not (root / path).is_file():
            if path.is_relative_to(RELEASE):
                told.append(f"{path} is missing")
        elif (root / path).read_bytes() != content:
            told.append(f"{path} differs from a fresh build")
    if not names:
        known = set(lesson_names(root))
        for path in sorted((root / RELEASE).glob("*/lesson.ipynb")):
            if path.parent.name not in known:
                told.append(f"{path.relative_to(root)} has no source in {TEXTS}/")
    return told


# --- what banks, tests and the grader read -------------------------------------------------------


def source_notebook(name: str, root: Path = ROOT) -> NotebookNode:
    """The instructor's notebook of a lesson, built afresh from its text, so never stale."""
    return build_source(load_lesson(name, root))


def release_notebook(name: str, root: Path = ROOT) -> NotebookNode:
    """The student's notebook of a lesson, as it lies in course/."""
    import nbformat

    path = root / RELEASE / find_lesson(name, root) / "lesson.ipynb"
    if not path.is_file():
        raise LessonError(path, 1, "this notebook is not built yet: run make notebooks")
    return nbformat.read(path, as_version=4)


def exercise_source(name: str, exercise: str, root: Path = ROOT) -> str:
    """The solved text of an exercise's cell, without the solution markers."""
    lesson = load_lesson(name, root)
    if exercise not in lesson.exercises:
        there = ", ".join(lesson.exercises)
        raise LessonError(lesson.path, 1, f"no exercise is called {exercise!r}; there are: {there}")
    lines = lesson.exercises[exercise].source.split("\n")
    return "\n".join(line for line in lines if BEGIN not in line and END not in line)


def solution_functions(
    name: str, root: Path = ROOT, instead: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """A fresh namespace in which the lesson's exercises are solved.

    Runs the exercise cells and the definition cells (code without role or demo tag), not the
    demos and the checks. Tracebacks show the lines of the lesson's text. `instead` gives other
    answers: exercise → the text that stands in its cell.
    """
    lesson = load_lesson(name, root)
    namespace: dict[str, Any] = {"__name__": "__main__", "LESSON": lesson.name}
    for cell in lesson.cells:
        if cell.role == "exercise" or cell.is_definition:
            text = (instead or {}).get(cell.name if cell.role else "", cell.source)
            source = "\n" * cell.line + _plain_python(text)
            exec(compile(source, str(lesson.path), "exec", dont_inherit=True), namespace)
    return namespace


# --- the command line ---------------------------------------------------------------------------


def main(arguments: list[str] | None = None) -> int:
    """`build` or `check` lessons; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m autograder.lessons", description=main.__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    for command, told in (
        ("build", "write the notebooks of the lessons"),
        ("check", "say which built notebooks differ from a fresh build"),
    ):
        sub = commands.add_parser(command, help=told, description=told)
        sub.add_argument("--root", type=Path, default=ROOT, help="the folder that holds solutions/")
        sub.add_argument("names", nargs="*", help="lessons, like 05_made, 05 or made (default all)")
    given = parser.parse_args(arguments)
    try:
        if given.command == "build":
            changed = build(given.names, given.root)
            print("\n".join(f"wrote {path}" for path in changed) or "nothing changed")
            return 0
        told = differences(given.names, given.root)
        print("\n".join(told) or "all built notebooks are fresh")
        return 1 if told else 0
    except LessonError as error:
        print(error, file=sys.stderr)
        return 1


if __name__ == "__main__":
    raise SystemExit(main())
