"""Right work earns full marks, however odd the notebook that it stands in; nothing is a silent 0.

One small lesson, handed in by one class in as many ways as students find, and graded in one run.
"""

from __future__ import annotations

import concurrent.futures
import copy
import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jupytext
import nbformat
import pytest
from nbgrader.api import Gradebook

from autograder import claim
from autograder.checking import checks
from autograder.grading.classroom import Settings, grade_class
from autograder.grading.course import ROOT, open_course, template_of
from autograder.grading.record import read_record
from autograder.grading.worker import grade
from autograder.sandbox.limits import Limits

LESSON, OTHER = "90_twice", "91_thrice"
TEXT = '''\
# ---
# jupyter:
#   lesson:
#     name: @LESSON@
#     title: "Twice"
#     question: "What is twice twice?"
#     minutes: 10
#     prerequisites: []
# ---

# %% [markdown]
r"""
Doubling adds a number to itself, and is the first thing that a computer does well.
"""

# %%
import math


class Tally:
    """Keeps a total."""

    def __init__(self):
        self.total = 0


# %% exercise="@double@"
def @double@(x):
    """Twice x."""
    ### BEGIN SOLUTION
    return @n@ * x
    ### END SOLUTION


# %% check="@double@" points=2
check(@double@)

# %% exercise="Counter"
class Counter(Tally):
    """Adds up twice what it is given."""

    def add(self, x):
        ### BEGIN SOLUTION
        self.total += @double@(x)
        ### END SOLUTION


# %% check="Counter" points=2
check(Counter)

# %% exercise="quadruple"
def quadruple(x):
    ### BEGIN SOLUTION
    return @double@(@double@(x))
    ### END SOLUTION


# %% check="quadruple" points=1
check(quadruple)

# %% [markdown]
r"""
## A question
Why does doubling twice make four times as much? Two sentences.
"""

# %% [markdown] question="why" points=2
r"""
### BEGIN SOLUTION
Because two times two is four.
### END SOLUTION
"""

# %% [markdown]
r"""
## Sources
None; but this cell stands below the question.
"""
'''
FULL = 5.0
SOLVED = {
    "double": 'def double(x):\n    """Twice x."""\n    return 2 * x',
    "Counter": (
        'class Counter(Tally):\n    """Adds up twice what it is given."""\n\n'
        "    def add(self, x):\n        self.total += double(x)"
    ),
    "quadruple": "def quadruple(x):\n    return double(double(x))",
}
ANSWER = "Two times two is four, and multiplication is associative."


@checks("double", lesson=LESSON, points=2)
def doubling(double, draw):
    """Twice a number."""
    n = draw.integer(2, 10**6)
    yield claim("double(n) is 2n", double(n) == 2 * n, points=2, advice="add it to itself")


@checks("Counter", lesson=LESSON, points=2)
def counting(Counter, draw):
    """Twice what it is given."""
    counter = Counter()
    counter.add(3)
    yield claim("it adds twice", counter.total == 6, points=2, advice="call double")


@checks("quadruple", lesson=LESSON, points=1)
def quadrupling(quadruple, draw):
    """Four times a number."""
    yield claim("quadruple(5) is 20", quadruple(5) == 20, advice="double twice")


# --- what students do ----------------------------------------------------------------------------

Notebook = dict[str, Any]


def code(text: str, **more: Any) -> dict[str, Any]:
    return {
        "cell_type": "code", "id": f"x{abs(hash(text)) % 10**9}", "metadata": {}, "source": text,
        "outputs": [], "execution_count": None, **more,
    }  # fmt: skip


def prose(text: str) -> dict[str, Any]:
    return {"cell_type": "markdown", "id": f"m{abs(hash(text)) % 10**9}", "metadata": {},
            "source": text}  # fmt: skip


def at(notebook: Notebook, grade_id: str) -> int:
    cells = enumerate(notebook["cells"])
    return next(
        i for i, c in cells if c["metadata"].get("nbgrader", {}).get("grade_id") == grade_id
    )


def solved(notebook: Notebook, names=tuple(SOLVED), answer: str = ANSWER) -> Notebook:
    for name in names:
        notebook["cells"][at(notebook, name)]["source"] = SOLVED[name]
    if answer:
        notebook["cells"][at(notebook, "why")]["source"] = answer
    return notebook


def without_ids(notebook: Notebook) -> Notebook:
    """As a notebook of format 4.4 is: no ids, and here no metadata."""
    for cell in notebook["cells"]:
        cell.pop("id", None)
        cell["metadata"] = {}
    return {**notebook, "nbformat_minor": 4}


def colab(notebook: Notebook) -> Notebook:
    """As Colab saves it: ids of its own in the metadata, forms, outputs of its own kind."""
    for number, cell in enumerate(notebook["cells"]):
        del cell["id"]
        cell["metadata"] = {"id": f"Qx{number:09d}", "colab": {"base_uri": "https://localhost/"}}
        if cell["cell_type"] == "code":
            cell["metadata"]["cellView"] = "form"
            cell["execution_count"] = number
            cell["outputs"] = [
                {"output_type": "stream", "name": "stdout", "text": ["● every claim holds\n"]}
            ]
    metadata = {"colab": {"provenance": [], "gpuType": "T4"}, "accelerator": "GPU"}
    return {**notebook, "metadata": metadata, "nbformat_minor": 0}


def vs_code(notebook: Notebook) -> Notebook:
    for number, cell in enumerate(notebook["cells"]):
        cell["id"] = f"{number:08x}"
        cell["metadata"] = {"vscode": {"languageId": "python"}, "notebookRunGroups": {"x": 1}}
        cell["source"] = cell["source"].splitlines(keepends=True)
    return notebook


def through_jupytext(notebook: Notebook) -> Notebook:
    read = nbformat.from_dict(notebook)
    for cell in read.cells:
        cell.metadata = nbformat.from_dict({})
    text = jupytext.writes(read, fmt="py:percent")
    return json.loads(json.dumps(jupytext.reads(text, fmt="py:percent")))


def as_format_3(notebook: Notebook) -> Notebook:
    cells = []
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            one = {"cell_type": "code", "input": cell["source"], "language": "python",
                   "outputs": [], "collapsed": False, "metadata": {}}  # fmt: skip
        else:
            one = {"cell_type": "markdown", "source": cell["source"], "metadata": {}}
        cells.append(one)
    return {"nbformat": 3, "nbformat_minor": 0, "metadata": {"name": "x"},
            "worksheets": [{"cells": cells, "metadata": {}}]}  # fmt: skip


def with_bom(notebook: Notebook) -> bytes:
    text = json.dumps(notebook, indent=1).replace("\\n", "\\r\\n").replace("\n", "\r\n")
    return b"\xef\xbb\xbf" + text.encode()


def pasted(*names: str, before: str = "", after: str = "") -> str:
    return "\n\n\n".join([*([before] * bool(before)), *(SOLVED[n] for n in names), after])


def put(notebook: Notebook, place: int, *cells: dict[str, Any]) -> Notebook:
    notebook["cells"][place:place] = cells
    return notebook


def in_one_cell_at(place) -> Any:
    def build(notebook: Notebook) -> Notebook:
        solved(notebook, ())
        number = len(notebook["cells"]) if place == "end" else at(notebook, place)
        return put(notebook, number, code(pasted(*SOLVED)))

    return build


def in_the_first_exercise(notebook: Notebook) -> Notebook:
    solved(notebook, ())["cells"][at(notebook, "double")]["source"] = pasted(
        *SOLVED, before="import math\n\n\nclass Tally:\n    total = 0"
    )
    return notebook


def each_below_its_check(notebook: Notebook) -> Notebook:
    solved(notebook, ())
    for name in SOLVED:
        put(notebook, at(notebook, f"check-{name}") + 1, code(SOLVED[name]))
    return notebook


def double_at_the_end(notebook: Notebook) -> Notebook:
    return put(solved(notebook, ("Counter", "quadruple")), 99, code(SOLVED["double"]))


def in_the_checks(notebook: Notebook) -> Notebook:
    solved(notebook, ())
    for name in SOLVED:
        notebook["cells"][at(notebook, f"check-{name}")]["source"] = (
            f"{SOLVED[name]}\n\ncheck({name})"
        )
    return notebook


def in_a_cell_of_the_lesson(notebook: Notebook) -> Notebook:
    cell = next(c for c in solved(notebook, ())["cells"] if "class Tally" in c["source"])
    cell["source"] += "\n\n\n" + pasted(*SOLVED)
    return notebook


def stub_copied_below(notebook: Notebook) -> Notebook:
    stub = copy.deepcopy(notebook["cells"][at(notebook, "double")])
    return put(solved(notebook), at(notebook, "double") + 1, stub)


def solved_in_the_copy(notebook: Notebook) -> Notebook:
    """The cell was copied, and the copy below was written in."""
    untouched = copy.deepcopy(notebook["cells"][at(notebook, "double")])
    return put(solved(notebook), at(notebook, "double"), untouched)


def twice_over(first_solved: bool) -> Any:
    def build(notebook: Notebook) -> Notebook:
        plain = copy.deepcopy(notebook["cells"])
        done = solved(notebook)["cells"]
        return {**notebook, "cells": done + plain if first_solved else plain + done}

    return build


def split(notebook: Notebook) -> Notebook:
    place = at(solved(notebook), "Counter")
    head, tail = SOLVED["Counter"].split("\n\n")
    notebook["cells"][place]["source"] = head
    return put(notebook, place + 1, code(tail))


def reversed_order(notebook: Notebook) -> Notebook:
    cells = solved(notebook)["cells"]
    return {**notebook, "cells": cells[::-1]}


def with_helpers(notebook: Notebook) -> Notebook:
    solved(notebook)["cells"][at(notebook, "double")]["source"] = (
        "def double(x):\n    return twice(x)"
    )
    put(notebook, at(notebook, "double"), code("def twice(x):\n    return x + x"))
    return put(notebook, at(notebook, "Counter"), code("def unused():\n    return double(1)"))


def twice_defined(notebook: Notebook) -> Notebook:
    wrong = "def double(x):\n    return 3 * x"
    solved(notebook, ("Counter", "quadruple"))["cells"][at(notebook, "double")]["source"] = wrong
    return put(notebook, at(notebook, "double") + 1, code(SOLVED["double"]))


def played_with_below(notebook: Notebook) -> Notebook:
    """What a student tries below a check does not count against the answer above it."""
    return put(solved(notebook), 99, code("def double(x):\n    return x  # what if?"))


def with_magics(notebook: Notebook) -> Notebook:
    for name, magic in (("double", "%%time\n"), ("Counter", "%matplotlib inline\n"),
                        ("quadruple", "!pip install torch\n")):  # fmt: skip
        solved(notebook)["cells"][at(notebook, name)]["source"] = magic + SOLVED[name]
    return notebook


def by_assignment(notebook: Notebook) -> Notebook:
    put(solved(notebook, ("Counter", "quadruple")), 2, code("def mine(x):\n    return 2 * x\n"))
    return put(notebook, 3, code("double = mine"))


def with_typed_signature(notebook: Notebook) -> Notebook:
    solved(notebook)["cells"][at(notebook, "double")]["source"] = (
        "from typing import Any\n\ndef double(x: Any) -> Any:\n    return 2 * x"
    )
    return without_ids(notebook)


def checks_deleted(notebook: Notebook) -> Notebook:
    cells = solved(notebook)["cells"]
    return {**notebook, "cells": [c for c in cells if not c["source"].startswith("check(")]}


def turned_to_markdown(notebook: Notebook) -> Notebook:
    cell = solved(notebook)["cells"][at(notebook, "double")]
    cell["cell_type"] = "markdown"
    del cell["outputs"], cell["execution_count"]
    return notebook


@dataclass(frozen=True)
class Odd:
    """What was handed in, and what comes of it: `score` None is "not graded"."""

    build: Any
    score: float | None = FULL
    to_read: int = 1
    said: str = ""


def _file(name: str, build=solved) -> Any:
    return lambda n: {name: build(n)}


def _only(name: str, raw: bytes = b"x") -> Any:
    return lambda n: {name: raw}


CASES = {
    # tools
    "as handed out, solved": Odd(solved),
    "Colab": Odd(lambda n: colab(solved(n))),
    "VS Code": Odd(lambda n: vs_code(solved(n))),
    "jupytext": Odd(lambda n: through_jupytext(solved(n))),
    "no ids": Odd(lambda n: without_ids(solved(n))),
    "no ids, typed signature": Odd(with_typed_signature),
    "format 3": Odd(lambda n: as_format_3(solved(n))),
    "byte order mark, Windows lines": Odd(lambda n: with_bom(solved(n))),
    "UTF-16": Odd(lambda n: json.dumps(solved(n)).encode("utf-16")),
    # places
    "one cell at the top": Odd(
        in_one_cell_at("double"), said="double stands in another cell than its own"
    ),
    "one cell in the middle": Odd(in_one_cell_at("check-Counter"), said="below its check"),
    "one cell at the end": Odd(in_one_cell_at("end"), said="double stands below its check"),
    "one cell at the end, no ids": Odd(lambda n: without_ids(in_one_cell_at("end")(n))),
    "all in the first exercise": Odd(in_the_first_exercise),
    "all in the first exercise, no ids": Odd(lambda n: without_ids(in_the_first_exercise(n))),
    "nothing but the solutions": Odd(
        lambda n: {**n, "cells": [code(pasted(*SOLVED))]}, to_read=0, said="why is missing"
    ),
    "new cells below the checks": Odd(each_below_its_check, said="below its check"),
    "what others use at the end": Odd(double_at_the_end),
    "in the checks' cells": Odd(in_the_checks, said="your code in it runs"),
    "in a cell of the lesson": Odd(in_a_cell_of_the_lesson),
    "stub copied below": Odd(stub_copied_below, said="more than once"),
    "solved in the copy": Odd(solved_in_the_copy, said="more than once"),
    "notebook twice, first solved": Odd(twice_over(True)),
    "notebook twice, second solved": Odd(twice_over(False)),
    "notebook twice, second solved, no ids": Odd(lambda n: without_ids(twice_over(False)(n))),
    "split in two": Odd(split, said="Counter was split in two cells"),
    "split in two, no ids": Odd(lambda n: without_ids(split(n))),
    "upside down": Odd(reversed_order),
    "with helpers": Odd(with_helpers),
    "defined twice": Odd(twice_defined, said="defined in 2 cells"),
    "played with below": Odd(played_with_below),
    "magics": Odd(with_magics),
    "by assignment": Odd(by_assignment),
    "checks deleted": Odd(checks_deleted),
    "turned to markdown": Odd(turned_to_markdown, said="turned into a markdown cell"),
    # the written answer
    "answer below its cell": Odd(
        lambda n: put(solved(n, answer=""), at(n, "why") + 1, prose(ANSWER)), said="a reader"
    ),
    "answer in the question's cell": Odd(
        lambda n: (solved(n, answer="")["cells"][at(n, "why") - 1].update(
            source=n["cells"][at(n, "why") - 1]["source"] + "\n\n" + ANSWER) or n),
        said="a reader",
    ),
    "answer as a comment in a code cell": Odd(
        lambda n: put(solved(n, answer=""), at(n, "why") + 1, code(f"# {ANSWER}"))
    ),
    "answer's cell deleted, answer at the end": Odd(
        lambda n: (n["cells"].pop(at(solved(n, answer=""), "why")) and put(n, 99, prose(ANSWER)))
    ),
    "no answer, no ids": Odd(lambda n: without_ids(solved(n, answer="")), to_read=0),
    # what is not right, and said
    "untouched": Odd(lambda n: n, score=0.0, to_read=0),
    "untouched, no ids": Odd(without_ids, score=0.0, to_read=0),
    "renamed": Odd(
        lambda n: (solved(n, ("Counter", "quadruple"))["cells"][at(n, "double")].update(
            source="def doubled(x):\n    return 2 * x") or n),
        score=0.0, said="you defined doubled; the exercise asks for double",
    ),
    "in a markdown cell of their own": Odd(
        lambda n: put(solved(n, ("double", "Counter")), 99,
                      prose(f"Mine:\n```python\n{SOLVED['quadruple']}\n```")),
        score=4.0, said="quadruple stands in a markdown cell",
    ),
    "a syntax error in the pasted cell": Odd(
        lambda n: put(solved(n, ()), at(n, "double"), code(pasted(*SOLVED, after="x = = 1"))),
        score=0.0, said="stands in another cell",
    ),
    # files
    "another name": Odd(_file("lesson_final (2).ipynb"), said="lesson_final (2).ipynb"),
    "in a folder": Odd(lambda n: {"my work": {"Copy of lesson.ipynb": solved(n)}}),
    "beside litter": Odd(lambda n: {
        "work.ipynb": solved(n), "._work.ipynb": b"\0", "Thumbs.db": b"",
        ".ipynb_checkpoints": {"work-checkpoint.ipynb": n},
    }, said="work.ipynb"),
    "beside the untouched one": Odd(
        lambda n: {"lesson.ipynb": copy.deepcopy(n), "mine.ipynb": solved(n)},
        said="mine.ipynb was graded, and not lesson.ipynb",
    ),
    "beside another lesson": Odd(lambda n: {"a.ipynb": OTHER, "b.ipynb": solved(n)}),
    "the same twice": Odd(lambda n: {"a.ipynb": solved(n), "b.ipynb": solved(n)}),
    "named so, beside an earlier one": Odd(
        lambda n: {"draft.ipynb": solved(copy.deepcopy(n), ("double",)), "lesson.ipynb": solved(n)}
    ),
    "two that differ": Odd(
        lambda n: {"a.ipynb": solved(copy.deepcopy(n), ("double",)), "b.ipynb": solved(n)},
        score=None, said="a.ipynb and b.ipynb?",
    ),
    "another lesson": Odd(lambda n: {"lesson.ipynb": OTHER}, None, said=f"this is lesson {OTHER}"),
    "another lesson, no ids": Odd(
        lambda n: {"lesson.ipynb": f"{OTHER} without ids"}, None, said=f"this is lesson {OTHER}"
    ),
    "no lesson": Odd(lambda n: {**n, "cells": [code("6.0")]}, None, said="not the notebook of"),
    "no cells": Odd(lambda n: {**n, "cells": []}, None, said="not the notebook of"),
    "truncated": Odd(lambda n: json.dumps(solved(n)).encode()[:2_000], None, said="not JSON"),
    "nothing": Odd(lambda n: {}, None, said="nothing was handed in"),
    "a script": Odd(_only("lesson.py"), None, said="lesson.py is a Python file"),
    "a zip": Odd(_only("work.zip"), None, said="work.zip is a zip file"),
    "a page": Odd(_only("lesson.html"), None, said="lesson.html is a web page"),
    "a document": Odd(_only("x.docx"), None, said="x.docx is a Word document"),
}  # fmt: skip
STUDENTS = {f"s{i:02d}": name for i, name in enumerate(CASES)}


class Here(concurrent.futures.Executor):
    """Grades in this process, where the checks of the small lesson are known."""

    def submit(self, function, job):
        future = concurrent.futures.Future()
        future.set_result(grade(job))
        return future


def lesson_text(lesson: str) -> str:
    words = {"double": "double", "n": "2"} if lesson == LESSON else {"double": "treble", "n": "3"}
    text = TEXT.replace("@LESSON@", lesson)
    for word, value in words.items():
        text = text.replace(f"@{word}@", value)
    return text


def hand_in(folder: Path, files: dict[str, Any], others: dict[str, Any]) -> None:
    folder.mkdir(parents=True)
    for name, content in files.items():
        if isinstance(content, str):
            content = others[content]
        if isinstance(content, dict) and "cells" not in content and "worksheets" not in content:
            hand_in(folder / name, content, others)
        else:
            raw = content if isinstance(content, bytes) else json.dumps(content).encode()
            (folder / name).write_bytes(raw)


def make_course(root: Path, students: dict[str, str]):
    for name in ("nbgrader_config.py", "pyproject.toml"):
        root.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, root / name)
    for lesson in (LESSON, OTHER):
        place = root / "solutions" / lesson / "lesson.py"
        place.parent.mkdir(parents=True)
        place.write_text(lesson_text(lesson))
    course = open_course(root)
    templates = {lesson: template_of(course, lesson) for lesson in (LESSON, OTHER)}
    for lesson, template in templates.items():
        release = root / "course" / lesson / "lesson.ipynb"
        release.parent.mkdir(parents=True)
        release.write_text(template.text)
    other = templates[OTHER].notebook
    others = {OTHER: other, f"{OTHER} without ids": without_ids(copy.deepcopy(other))}
    for student, name in students.items():
        built = CASES[name].build(templates[LESSON].notebook)
        notebook = isinstance(built, bytes) or "cells" in built or "worksheets" in built
        files = {"lesson.ipynb": built} if notebook else built
        hand_in(course.submitted / student / LESSON, files, others)
    return course


@pytest.fixture(scope="module")
def key_stands_still():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("autograder.grading.course.source_key", lambda course, lesson: "a key")
        yield


@pytest.fixture(scope="module")
def run(tmp_path_factory, key_stands_still):
    """The class, graded in one run."""
    course = make_course(tmp_path_factory.mktemp("odd") / "course", STUDENTS)
    settings = Settings(
        workers=0, feedback=False,
        limits=Limits(seconds_per_cell=20, seconds_per_submission=60),
    )  # fmt: skip
    result = grade_class(course, LESSON, settings, executor=Here())
    return course, result, {line.student: line for line in result.lines}


every_student = pytest.mark.parametrize(
    "student", STUDENTS, ids=[name.replace(" ", "-") for name in CASES]
)


@every_student
def test_work_earns_its_marks_and_what_is_odd_is_said(run, student):
    course, _, lines = run
    line, expected = lines[student], CASES[STUDENTS[student]]
    said = " | ".join([line.first, *line.problems])
    if expected.score is None:
        assert line.state == "not graded", said
        assert read_record(course.record_of(student, LESSON))["unreadable"] == line.first
        assert not course.autograded_of(student, LESSON).exists()
    else:
        assert line.state == "graded", said
        assert (line.score, line.to_read) == (expected.score, expected.to_read), said
        read_record(course.record_of(student, LESSON))
        nbformat.validate(nbformat.read(course.autograded_of(student, LESSON), as_version=4))
    assert expected.said in said


def test_what_is_not_graded_is_not_in_the_gradebook(run):
    course, result, lines = run
    assert result.failed
    with Gradebook(course.db_url, course.course_id) as gradebook:
        marked = {s.student.id for s in gradebook.assignment_submissions(LESSON)}
    assert marked == {s for s, line in lines.items() if line.state == "graded"}
