"""Right answers earn full marks in the sandbox, beside everything that an honest notebook does."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator

import pytest

from autograder import lessons
from autograder.checking import checks_of
from autograder.grading import guests
from autograder.grading.classroom import Settings, grade_class
from autograder.grading.course import open_course, template_of
from autograder.grading.matching import checked_name, nbgrader_of
from autograder.sandbox.limits import Limits
from tests.banks.bank import answers_of, lessons_with, text_of

LIMITS = Limits(seconds_per_cell=60, seconds_per_submission=300)
LESSONS = [name for name in lessons_with("right") if checks_of(name)]

# What students add to their notebooks, each a cell.
OWN = (
    "import time\nfrom tqdm.auto import tqdm, trange\nfrom tqdm.notebook import tqdm as bar\n"
    "for _ in tqdm(range(50)):\n    pass\nfor _ in bar(range(50)):\n    pass\n"
    "for _ in trange(3, desc='epochs'):\n    time.sleep(0.01)",
    "import ipywidgets as widgets\nfrom IPython.display import display\n"
    "slider = widgets.IntSlider(3, 0, 9)\nout = widgets.Output()\n"
    "slider.observe(lambda change: print(change['new']), 'value')\nslider.value = 7\n"
    "display(widgets.VBox([slider, out]))\nwith out:\n    print('inside')\n"
    "widgets.interact(lambda k: k * 2, k=(0, 9))",
    "import torch\nfrom figures.mask_explorer import MaskExplorer\n"
    "explorer = MaskExplorer([torch.ones(5, 4), torch.ones(4, 5)])\ndisplay(explorer)\nexplorer",
    "import matplotlib.pyplot as plt, numpy as np\nfig, ax = plt.subplots()\n"
    "ax.plot(np.sin(np.arange(99)), label='sine')\nax.set_title('Ångström ≥ $x^2$')\nax.legend()\n"
    "plt.show()\nplt.imshow(np.eye(9)); plt.savefig('mine.png'); plt.close('all')\nfig",
    "from IPython.display import Audio, Markdown, Image, clear_output\n"
    "display(Audio(np.sin(np.arange(8000) / 9), rate=8000), Markdown('**so**'))\n"
    "display(Image('mine.png'))\n"
    "print('first'); clear_output(wait=True); print('then')",
    "torch.set_num_threads(4)\na = torch.randn(600, 600)\n(a @ a).sum()\n"
    "w = torch.nn.Linear(600, 600)\nw(a).pow(2).mean().backward()\n"
    "loader = torch.utils.data.DataLoader(torch.arange(40), batch_size=8)\n"
    "print(sum(len(b) for b in loader), torch.get_num_threads())",
    "import threading, concurrent.futures, tempfile, pathlib, pickle, asyncio, warnings, logging\n"
    "with concurrent.futures.ThreadPoolExecutor(4) as pool:\n"
    "    print(list(pool.map(abs, [-1, 2])))\n"
    "pathlib.Path('model.pkl').write_bytes(pickle.dumps({'w': 1}))\n"
    "torch.save(w.state_dict(), 'w.pt'); torch.load('w.pt')\nwarnings.warn('careful')\n"
    "logging.warning('logged')\nasync def later():\n    await asyncio.sleep(0)\n    return 1\n"
    "await later()",
    "%time sum(range(1000))\n%timeit -n1 -r1 sum(range(10))\n%matplotlib inline\nx = 5\nx?",
    "1 / 0",  # a cell that fails, and is left standing
    "import os; os.environ['MINE'] = '1'\nnp.random.seed(0); torch.manual_seed(0)\n"
    "torch.set_default_dtype(torch.float32)\nimport gc; gc.collect()\n"
    "torch.set_printoptions(precision=3)",
)


def _cell(text):
    return {"cell_type": "code", "id": f"own-{abs(hash(text))}", "metadata": {}, "source": text,
            "outputs": [], "execution_count": None}  # fmt: skip


def _rounds(lesson):
    """The k-th right answer to every exercise, for k = 0, 1, …: answers by exercise."""
    by_exercise: dict[str, list] = {}
    for answer in answers_of(lesson, "right"):
        by_exercise.setdefault(answer.exercise, []).append(answer)
    for k in range(max(map(len, by_exercise.values()))):
        yield {name: listed[k] for name, listed in by_exercise.items() if k < len(listed)}


def _filled(template, lesson, answers, with_own=False):
    """The notebook with these answers by exercise, and the solutions of the other exercises."""
    notebook = copy.deepcopy(template)
    for cell in notebook["cells"]:
        name = nbgrader_of(cell).get("grade_id")
        if name in answers:
            cell["source"] = text_of(lesson, answers[name])
        elif name in lessons.load_lesson(lesson).exercises:
            cell["source"] = lessons.exercise_source(lesson, name)
    if with_own:
        at = next(i for i, c in enumerate(notebook["cells"]) if nbgrader_of(c).get("solution"))
        notebook["cells"][at:at] = [_cell(text) for text in OWN]
    return notebook


class Lent(guests.Sandboxed):
    """The sandbox of several classes, which no class closes."""

    def close(self) -> None:
        pass


@pytest.fixture(scope="session")
def sandbox() -> Iterator[Lent]:
    """Opened once a process: importing torch for it costs more than many a lesson's grading."""
    opened = guests.open_guests()
    yield Lent(opened.spawner, opened.kind)
    opened.close()


@pytest.fixture(scope="module", params=LESSONS)
def graded(request, tmp_path_factory, sandbox):
    """All right answers of a lesson's bank: many in a notebook, and by themselves if need be.

    Answers of different authors need not fit together (both may give one name to something): what
    lost a point beside others is handed in once more beside the solutions. Gives the course, the
    lesson, all lines and, by answer, what its check said last.
    """
    lesson = request.param
    course = open_course(class_dir=tmp_path_factory.mktemp(lesson))
    template = template_of(course, lesson).notebook
    settings = Settings(sandbox="auto", workers=2, feedback=False, limits=LIMITS)

    def grade(held):
        for student, answers in held.items():
            path = course.submission_of(student, lesson)
            path.parent.mkdir(parents=True)
            notebook = _filled(template, lesson, answers, with_own=student == "together-0")
            path.write_text(json.dumps(notebook), encoding="utf-8")
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(guests, "open_guests", lambda *_, **__: sandbox)
            lines = {line.student: line for line in grade_class(course, lesson, settings).lines}
        assert sandbox.alive
        said = {}
        for student, answers in held.items():
            outcomes = _record(course, lesson, lines[student])["outcomes"]
            by_name = {o["verdict"]["name"]: o for o in outcomes if o["verdict"]}
            said |= {a: by_name.get(a.check or name) for name, a in answers.items()}
        return lines, said

    together = {f"together-{k}": answers for k, answers in enumerate(_rounds(lesson))}
    lines, said = grade(together)
    lost = [(name, a) for held in together.values() for name, a in held.items() if _lost(said[a])]
    if lost:
        alone = {f"alone-{k}": {name: answer} for k, (name, answer) in enumerate(lost)}
        lines, more = grade(alone)
        said |= more
    return course, lesson, list(lines.values()), said


def _lost(outcome):
    """Whether a check took a point, or never spoke."""
    return outcome is None or outcome["score"] < outcome["points"]


def _record(course, lesson, line):
    return json.loads(course.record_of(line.student, lesson).read_text(encoding="utf-8"))


def test_every_right_answer_earns_full_marks_in_the_sandbox(graded):
    _course, lesson, _lines, said = graded
    assert set(said) == set(answers_of(lesson, "right"))
    assert {a.how: said[a] and said[a]["headline"] for a in said if _lost(said[a])} == {}


def test_no_process_had_to_be_replaced(graded):
    course, lesson, lines, _said = graded
    for line in lines:
        record = _record(course, lesson, line)
        assert record["restarts"] == 0
        assert record["sandbox"] != "no protection"


def test_what_students_add_works_as_it_does_at_home(graded):
    course, lesson, lines, _said = graded
    seen = 0
    for line in lines:
        path = course.autograded_of(line.student, lesson)
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        own = {"".join(c["source"]): c["outputs"] for c in cells if c["id"].startswith("added-")}
        for text, outputs in own.items():
            errors = [o["ename"] for o in outputs if o["output_type"] == "error"]
            assert errors == (["ZeroDivisionError"] if text == "1 / 0" else []), text
        seen += bool(own)
        pictures = [
            o for outputs in own.values() for o in outputs if "image/png" in o.get("data", {})
        ]
        assert not own or len(pictures) >= 2
        assert all(checked_name(c) == "" or c["outputs"] for c in cells)
    assert seen >= 1
