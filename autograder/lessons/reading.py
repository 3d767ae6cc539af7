"""Reads a lesson's text: its header, its cells and their roles, checked with file and line."""

from __future__ import annotations

import ast
import functools
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from autograder.lessons.lesson import (
    BEGIN,
    END,
    ROLES,
    ROOT,
    TEXTS,
    Cell,
    Lesson,
    LessonError,
    is_appendix,
)
from autograder.steps import call_of

_MARKER = re.compile(r"^\s*#\s*%%(?P<deeper>%*)(?:\s+(?P<rest>.*))?$")
_KIND = re.compile(r"\[(\w+)\]\s*")
_OPTION = re.compile(r"""(\w+)=("[^"]*"|'[^']*'|\[[^\]]*\]|[^\s"'\[\]]+)(?:\s+|$)""")


def lesson_names(root: Path = ROOT) -> list[str]:
    """The names of all lessons that have a text, in order; appendices are none."""
    return [name for name in _names(root) if not is_appendix(name)]


def appendix_names(root: Path = ROOT) -> list[str]:
    """The names of all appendices, in order: they have nothing to solve, and are no assignments."""
    return [name for name in _names(root) if is_appendix(name)]


def _names(root: Path) -> list[str]:
    return sorted(path.parent.name for path in (root / TEXTS).glob("*/lesson.py"))


def find_lesson(name: str, root: Path = ROOT) -> str:
    """The full name of a lesson called `05_made`, `05` or `made`, or of an appendix."""
    names = _names(root)
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
    if not re.fullmatch(r"(\d\d|A\d)_[a-z0-9_]+", given["name"]):
        raise LessonError(
            path,
            line_of("name"),
            f"a lesson's name is like '05_made', an appendix's like 'A1_scale': got"
            f" {given['name']!r}",
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
        if key not in (*ROLES, "points", "tags", "title"):
            raise LessonError(
                path,
                line,
                f"unknown option {key!r}; there are: exercise, check, question, points, tags,"
                " title",
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
    form = r"[A-Za-z_]\w{0,49}" + r"(\.[A-Za-z_]\w{0,49})?" * (role == "check")
    if role and not (isinstance(name, str) and re.fullmatch(form, name, re.A)):
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
    if "folded" in tags and "unfolded" in tags:
        raise LessonError(path, line, "a cell is folded or unfolded, not both")
    title = options.get("title", "")
    if "title" in options and (not isinstance(title, str) or not title.strip()):
        raise LessonError(path, line, f"a title is a text for a folded cell: got {title!r}")
    if title and (role or kind != "code"):
        raise LessonError(path, line, "a title belongs to a code cell without a role")
    if role and tags:
        raise LessonError(path, line, f"a cell is the {role} {name!r} or has tags, not both")
    if role == "question" and kind != "markdown":
        raise LessonError(path, line, f"the question {name!r} must be a [markdown] cell")
    if role in ("exercise", "check") and kind != "code":
        raise LessonError(path, line, f"the {role} {name!r} must be a code cell")
    found = {"kind": kind, "role": role, "name": name, "points": points, "tags": tuple(tags)}
    return {**found, "title": title}


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
    if cell.role == "check" and cell.source.strip() != call_of(cell.name):
        raise LessonError(path, cell.line, f"this cell must be exactly {call_of(cell.name)}")
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
        return ast.parse(plain_python(source))
    except SyntaxError as error:
        line = cell.line + (error.lineno or 1)
        raise LessonError(path, line, f"{what} is not valid Python: {error.msg}") from None


def plain_python(source: str) -> str:
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
        if lesson.is_appendix:
            raise LessonError(
                lesson.path, cell.line, f"an appendix is not graded: it has no {cell.role}"
            )
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
        elif cell.role == "check" and cell.exercise not in solved:
            raise LessonError(
                lesson.path, cell.line, f"this check has no exercise {cell.exercise!r} above it"
            )
    if lesson.points == 0 and not lesson.is_appendix:
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
