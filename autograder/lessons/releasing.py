"""Releases lessons: students' notebooks through nbgrader, written or compared with a build."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from autograder.lessons.building import (
    badge,
    build_source,
    repository_address,
    setup_text,
    title_text,
)
from autograder.lessons.lesson import GUIDE, RELEASE, ROOT, SOURCE, TEXTS, Lesson, LessonError
from autograder.lessons.reading import (
    appendix_names,
    lesson_names,
    load_lesson,
    without_solutions,
)
from autograder.lessons.term import RELEASE_OF_TERM, Term, in_term, read_term
from course.files import write_whole

if TYPE_CHECKING:
    from nbformat import NotebookNode


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
            if lesson.is_appendix:  # nothing to take out, and no assignment
                fresh[release] = (nbformat.writes(notebook) + "\n").encode()
                continue
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
    config.SaveDueDate.enabled = False

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
    public_of_build = title_text(lesson, "") + setup_text(lesson, "")
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
        met = ", ".join(name[:2] for name in lesson.prerequisites) or "–"
        rows.append(
            f"| {lesson.name[:2]} | [{lesson.title}]({lesson.name}/lesson.ipynb) "
            f"| {lesson.question} | {lesson.minutes} | {lesson.points or '–'} | {met} "
            f"| {badge(lesson, repository_address(lesson.root))} |"
        )
    return before + opened + "\n".join(rows) + "\n" + closed + after


def _fresh(names: Iterable[str], root: Path) -> dict[Path, bytes]:
    """What a build of the named lessons writes; of all lessons, the guide's table as well.

    With a term.toml students' notebooks go to build/release, and course/ stays as it is.
    """
    names = list(names)
    term = read_term(root)
    lessons = chosen(names, root, term)
    fresh = render(lessons)
    if term is not None:
        return {
            RELEASE_OF_TERM / path.relative_to(RELEASE)
            if path.is_relative_to(RELEASE)
            else path: content
            for path, content in fresh.items()
        }
    if not names and (root / GUIDE).is_file():
        text = (root / GUIDE).read_text(encoding="utf-8")
        fresh[GUIDE] = with_table(text, lessons).encode()
    return fresh


def chosen(names: Iterable[str], root: Path, term: Term | None) -> list[Lesson]:
    """The named lessons as the term asks for them; none named: all that the term has."""
    everything = [*lesson_names(root), *appendix_names(root)]
    if term is not None and term.lessons is not None:
        everything = [*term.lessons]
    names = list(names) or everything
    if not names:
        raise LessonError(root / TEXTS, 1, "there is no lesson.py in a folder of this one")
    return [in_term(load_lesson(name, root), term) for name in dict.fromkeys(names)]


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
        known = {*lesson_names(root), *appendix_names(root)}
        for path in sorted((root / RELEASE).glob("*/lesson.ipynb")):
            if path.parent.name not in known:
                told.append(f"{path.relative_to(root)} has no source in {TEXTS}/")
    return told
