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
    # %% check="MADE.nll" points=1         of one method: exactly `check(MADE, "nll")`
    # %% [markdown] question="why" points=2    model answer and rubric between the same markers
    # %% tags=["demo"]                     runs on the student's own functions; folded if long
    # %% tags=["demo", "unfolded"]         one whose code a student reads or changes
    # %% tags=["demo"] title="…"           what stands in the place of a folded cell's code
    # %%                                   definitions and imports that the cells below need

A text that is named like A1_images_and_scale is an appendix: it has no exercise, check or question,
so it is built into course/ alone, where nbgrader takes it for no assignment.

`python -m autograder.lessons build` writes `build/source/NN_lesson/lesson.ipynb` (instructor) and,
through nbgrader's own GenerateAssignment, `course/NN_lesson/lesson.ipynb` (student);
`python -m autograder.lessons check` says which of them differ from a fresh build.
"""

from autograder.lessons.building import build_source, repository_address
from autograder.lessons.command import main
from autograder.lessons.lesson import (
    RELEASE,
    ROOT,
    SOURCE,
    TEXTS,
    Cell,
    Lesson,
    LessonError,
)
from autograder.lessons.reading import (
    appendix_names,
    find_lesson,
    lesson_names,
    load_lesson,
    parse_lesson,
    without_solutions,
)
from autograder.lessons.releasing import build, differences, leaked_lines, render, with_table
from autograder.lessons.solving import (
    exercise_source,
    release_notebook,
    solution_functions,
    source_notebook,
)

__all__ = [
    "RELEASE",
    "ROOT",
    "SOURCE",
    "TEXTS",
    "Cell",
    "Lesson",
    "LessonError",
    "appendix_names",
    "build",
    "build_source",
    "differences",
    "exercise_source",
    "find_lesson",
    "leaked_lines",
    "lesson_names",
    "load_lesson",
    "main",
    "parse_lesson",
    "release_notebook",
    "render",
    "repository_address",
    "solution_functions",
    "source_notebook",
    "with_table",
    "without_solutions",
]
