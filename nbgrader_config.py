"""nbgrader's settings: its commands, Validate and formgrader work from this folder."""

from pathlib import Path

from autograder.lessons.term import RELEASE_OF_TERM, read_term

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
# Only notebooks travel: through the exchange, from a source folder, from a submission. nbgrader's
# globs say what is left out: every name that does not end in .ipynb, and hidden ones.
ending = ".ipynb"
c.CourseDirectory.ignore = [".*", *(ending[i:] for i in range(1, len(ending)))]
c.CourseDirectory.ignore += [f"*[!{ending[i]}]{ending[i + 1 :]}" for i in range(len(ending))]

# The exchange. `collect` says when each submission arrived, for late penalties (class/arrivals/).
c.ExchangeFactory.collect = "autograder.grading.exchange.CarefulCollect"
c.ExchangeFactory.release_feedback = "autograder.grading.exchange.ReleaseFeedback"

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
    "autograder.grading.late.SaveDueDate",
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
# .run_demos and .limits, RebuildCells.trust_timestamps (where neither the exchange nor an LMS says
# when it arrived), CarefulExporter.unreadable ("zero" gives 0 to what cannot be judged; else it is
# named, left without marks, and an error at the end). A newer submission that `collect --update`
# brings is graded anew.
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

# Pages. Code is colored and Markdown rendered within a time limit, in feedback and formgrader. A
# page that is there already may show marks that a person has changed since: it is written anew
# (`autograder feedback` writes only those that changed).
c.GenerateFeedback.force = True
c.HTMLExporter.filters = {
    "highlight_code": "autograder.grading.rendering.highlight_code",
    "markdown2html": "autograder.grading.rendering.markdown2html",
}

# A term: lessons, exercises, points, due dates, late days (see autograder/lessons/term.py for an
# example). Students' notebooks of a term are built into build/release; course/ stays.
term = read_term(root)
if term is not None:
    c.CourseDirectory.release_directory = str(RELEASE_OF_TERM)
    if term.late is not None:
        c.AssignLatePenalties.plugin_class = "autograder.grading.late.LateDays"
        c.LateDays.update({name: v for name, v in vars(term.late).items() if v is not None})
