"""Where a course and its class lie, and the notebook that submissions are put into."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import json
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

from autograder import closure
from autograder.grading.errors import CourseError
from autograder.grading.key import Key, key_of

ROOT = Path(__file__).resolve().parent.parent.parent
NOTEBOOK = "lesson"  # each lesson is one notebook of this name
_SETTINGS = ("nbgrader_config.py", "pyproject.toml", "term.toml")  # those of them that there are


@dataclass(frozen=True)
class Course:
    """The paths of a course, and nbgrader's configuration of it."""

    root: Path
    submitted: Path
    autograded: Path
    feedback: Path
    records: Path
    source: Path
    db_url: str
    config: Any = field(compare=False, repr=False)

    @property
    def course_id(self) -> str:
        """nbgrader's name of the course."""
        return str(self.config.CourseDirectory.get("course_id", "") or "default_course")

    def submission_of(self, student: str, lesson: str) -> Path:
        """The file that a student handed in."""
        return self.submitted / student / lesson / f"{NOTEBOOK}.ipynb"

    def autograded_of(self, student: str, lesson: str) -> Path:
        """The graded notebook."""
        return self.autograded / student / lesson / f"{NOTEBOOK}.ipynb"

    def feedback_of(self, student: str, lesson: str) -> Path:
        """nbgrader's feedback page."""
        return self.feedback / student / lesson / f"{NOTEBOOK}.html"

    def record_of(self, student: str, lesson: str) -> Path:
        """The record of how the marks were reached."""
        return self.records / lesson / f"{student}.json"

    def own(self, lesson: str) -> Path:
        """The folder of our own files about a lesson: no student's name leads there."""
        return self.submitted.parent / ".autograder" / lesson

    def directory(self, lesson: str) -> Any:
        """nbgrader's CourseDirectory of one lesson."""
        from nbgrader.coursedir import CourseDirectory

        return CourseDirectory(config=self.nbgraders_config(lesson))

    def nbgraders_config(self, lesson: str) -> Any:
        """A copy of the configuration with this class's folders and one lesson."""
        from traitlets.config import Config

        config = Config()
        config.merge(self.config)
        for name in ("submitted", "autograded", "feedback", "source"):
            config.CourseDirectory[f"{name}_directory"] = str(getattr(self, name))
        config.CourseDirectory.root = str(self.root)
        config.CourseDirectory.db_url = self.db_url
        config.CourseDirectory.assignment_id = lesson
        return config


def open_course(
    root: Path | None = None, class_dir: Path | None = None, db_url: str | None = None
) -> Course:
    """The course at `root` (a folder with nbgrader_config.py; default: here, else the checkout).

    `class_dir` holds submitted, autograded, feedback, records and gradebook.db instead of the
    folders of the configuration; `db_url` names another gradebook.
    """
    from traitlets.config import PyFileConfigLoader

    if root is None:
        here = Path.cwd()
        root = here if (here / "nbgrader_config.py").is_file() else ROOT
    root = Path(root).resolve()
    if not (root / "nbgrader_config.py").is_file():
        raise CourseError(f"{root} is no course: it has no nbgrader_config.py")
    config = PyFileConfigLoader("nbgrader_config.py", path=str(root)).load_config()
    configured = config.CourseDirectory

    def place(name: str) -> Path:
        if class_dir is not None and name != "source":
            return Path(class_dir).resolve() / name
        return root / str(configured.get(f"{name}_directory", name))

    if db_url is None and class_dir is not None:
        db_url = f"sqlite:///{Path(class_dir).resolve() / 'gradebook.db'}"
    submitted = place("submitted")
    return Course(
        root=root,
        submitted=submitted,
        autograded=place("autograded"),
        feedback=place("feedback"),
        records=submitted.parent / "records",
        source=place("source"),
        db_url=db_url or configured.get("db_url") or f"sqlite:///{root / 'gradebook.db'}",
        config=config,
    )


# --- the notebook that submissions are put into -------------------------------------------------


@dataclass(frozen=True)
class Template:
    """A lesson's notebook without solutions, as JSON: what submissions are put into."""

    lesson: str
    text: str

    @property
    def notebook(self) -> dict[str, Any]:
        """The notebook as plain data."""
        notebook: dict[str, Any] = json.loads(self.text)
        return notebook

    @functools.cached_property
    def key(self) -> Key:
        """What marks depend on beside the submission, as it is when it is first asked for."""
        return key_of(self.lesson, self.notebook)


def template_of(course: Course, lesson: str, *, keep: bool = True) -> Template:
    """The lesson's grading notebook: nbgrader's release steps up to where it saves the cells.

    Solutions are out, checksums and hidden tests in. With `keep` it is kept until what it is made
    of changes, so that a second run needs neither Jupytext nor nbgrader for it.
    """
    if (kept := kept_template(course, lesson)) is not None:
        return kept
    text = json.dumps(_released(course, lesson), ensure_ascii=False)
    if keep:
        from course.files import write_whole

        data = {"key": source_key(course, lesson), "text": text}
        write_whole(
            course.own(lesson) / "template.json", json.dumps(data, ensure_ascii=False).encode()
        )
    return Template(lesson, text)


def kept_template(course: Course, lesson: str) -> Template | None:
    """What `template_of` has kept, None if the lesson must be built."""
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
        kept = json.loads((course.own(lesson) / "template.json").read_text(encoding="utf-8"))
        if kept["key"] == source_key(course, lesson):
            return Template(lesson, kept["text"])
    return None


def source_key(course: Course, lesson: str) -> str:
    """A hash of what a lesson's template is made of and by."""
    digest = hashlib.sha256()
    for path in template_files(course, lesson):
        with contextlib.suppress(OSError):
            digest.update(f"{path.name}\0".encode() + path.read_bytes() + b"\0")
    for name in ("nbgrader", "jupytext", "nbformat"):
        digest.update(f"{name} {version(name)}\0".encode())
    return digest.hexdigest()


def template_files(course: Course, lesson: str) -> list[Path]:
    """The files that a lesson's template is made of and by, whether they exist or not."""
    steps = course.config.GenerateAssignment.get("preprocessors", [])
    makers = [closure.path_of(step.rpartition(".")[0]) for step in steps if isinstance(step, str)]
    return [
        course.root / "solutions" / lesson / "lesson.py",
        course.source / lesson / f"{NOTEBOOK}.ipynb",
        *(course.root / name for name in _SETTINGS),
        *closure.closure([Path(__file__).resolve(), *filter(None, makers)]),
    ]


def source_notebook(course: Course, lesson: str) -> Any:
    """The instructor's notebook: built afresh from the lesson's text, else nbgrader's source."""
    text = course.root / "solutions" / lesson / "lesson.py"
    built = course.source / lesson / f"{NOTEBOOK}.ipynb"
    with quick_imports():
        import nbformat

        if text.is_file():
            from autograder import lessons

            return lessons.source_notebook(lesson, course.root, dated=False)
    if built.is_file():
        return nbformat.read(built, as_version=4)
    raise CourseError(f"there is no lesson {lesson}: neither {text} nor {built} exists")


def _released(course: Course, lesson: str) -> dict[str, Any]:
    return release_steps(course, lesson, source_notebook(course, lesson), save=False)


def release_steps(course: Course, lesson: str, notebook: Any, *, save: bool) -> dict[str, Any]:
    """`notebook` after the configured GenerateAssignment steps up to SaveCells.

    With `save`, SaveCells also writes the lesson's cells into the gradebook, as nbgrader's own
    generate_assignment does.
    """
    with quick_imports():
        from nbgrader.converters import GenerateAssignment
        from nbgrader.preprocessors import SaveCells
    from traitlets.utils.importstring import import_item

    config = course.nbgraders_config(lesson)
    resources = {
        "nbgrader": {
            "student": ".", "assignment": lesson, "notebook": NOTEBOOK, "db_url": course.db_url
        },
        "metadata": {},
        "unique_key": NOTEBOOK,
    }  # fmt: skip
    steps = GenerateAssignment(coursedir=course.directory(lesson), config=config).preprocessors
    for step in steps:
        step = import_item(step) if isinstance(step, str) else step
        if issubclass(step, SaveCells):
            if save:
                step(config=config)(notebook, resources)
            break
        notebook, resources = step(config=config)(notebook, resources)
    released: dict[str, Any] = json.loads(json.dumps(notebook))
    return released


@contextlib.contextmanager
def quick_imports() -> Iterator[None]:
    """Imports of nbformat and nbgrader without a grammar for IRIs.

    jsonschema looks for checkers of formats that no notebook has; the one for IRIs (rfc3987_syntax)
    builds a parser of about 1.5 CPU seconds when it is imported.
    """
    absent = object()
    before = sys.modules.get("rfc3987_syntax", absent)
    if before is absent:
        sys.modules["rfc3987_syntax"] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        if before is absent:
            sys.modules.pop("rfc3987_syntax", None)


@contextlib.contextmanager
def tools_on_path() -> Iterator[None]:
    """PATH with this interpreter's folder in front: nbgrader runs `alembic` from there."""
    before = os.environ.get("PATH", "")
    os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), before])
    try:
        yield
    finally:
        os.environ["PATH"] = before
