"""nbgrader's settings: its commands, Validate and formgrader work from this folder."""

from pathlib import Path

c = get_config()  # noqa: F821 (traitlets puts it here)

root = Path(__file__).resolve().parent
(root / "class").mkdir(exist_ok=True)  # SQLite makes a file, but not the folder it lies in

# Where things lie. Instructor notebooks are built from solutions/ (`make notebooks`); what a class
# hands in, its marks and its feedback stay under class/, out of version control.
c.CourseDirectory.course_id = "autoregressive"
c.CourseDirectory.root = str(root)
c.CourseDirectory.source_directory = "build/source"
c.CourseDirectory.release_directory = "course"
c.CourseDirectory.submitted_directory = "class/submitted"
c.CourseDirectory.autograded_directory = "class/autograded"
c.CourseDirectory.feedback_directory = "class/feedback"
c.CourseDirectory.solution_directory = "class/solution"
c.CourseDirectory.source_with_tests_directory = "build/source_with_tests"
c.CourseDirectory.db_url = f"sqlite:///{root / 'class' / 'gradebook.db'}"
# Modules that a student hands in would shadow the installed ones.
c.CourseDirectory.ignore = [
    ".ipynb_checkpoints",
    "__pycache__",
    "feedback",
    "*.py",
    "*.pyc",
    "*.so",
    ".*",
]

# The release: nbgrader's own steps, with a stub that names its exercise.
c.GenerateAssignment.force = True  # the built notebooks are committed, so they are always there
c.GenerateAssignment.preprocessors = [
    "nbgrader.preprocessors.IncludeHeaderFooter",
    "nbgrader.preprocessors.InstantiateTests",
    "nbgrader.preprocessors.LockCells",
    "autograder.stubs.NamedStubs",
    "nbgrader.preprocessors.ClearOutput",
    "nbgrader.preprocessors.CheckCellMetadata",
    "nbgrader.preprocessors.ComputeChecksums",
    "nbgrader.preprocessors.SaveCells",
    "nbgrader.preprocessors.ClearHiddenTests",
    "nbgrader.preprocessors.ClearMarkScheme",
    "nbgrader.preprocessors.ComputeChecksums",
    "nbgrader.preprocessors.CheckCellMetadata",
]
c.ClearSolutions.code_stub = {
    "python": 'raise NotImplementedError("{exercise}: write your code here")'
}
c.ClearSolutions.text_stub = "*Your answer (double-click to write).*"
