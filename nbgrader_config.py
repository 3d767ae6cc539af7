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
# A lesson is one notebook: of a submission, and of a source folder, no other file is copied.
c.CourseDirectory.ignore = ["*"]

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

# Grading: `nbgrader autograde` reads, rebuilds and judges as `autograder grade` does, sandboxed and
# with verdicts that student code cannot touch. Options: JudgedExecute.sandbox, .trust_submissions,
# .run_demos and .limits, RebuildCells.trust_timestamps. A second submission needs --force.
c.Autograde.exporter_class = "autograder.grading.nbgrader_preprocessors.CarefulExporter"
c.Autograde.sanitize_preprocessors = [
    "autograder.grading.nbgrader_preprocessors.RebuildCells",
    "nbgrader.preprocessors.OverwriteKernelspec",
    "nbgrader.preprocessors.OverwriteCells",
    "nbgrader.preprocessors.CheckCellMetadata",
]
c.Autograde.autograde_preprocessors = [
    "autograder.grading.nbgrader_preprocessors.JudgedExecute",
    "nbgrader.preprocessors.SaveAutoGrades",
    "nbgrader.preprocessors.AssignLatePenalties",
    "nbgrader.preprocessors.CheckCellMetadata",
]
