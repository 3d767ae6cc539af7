"""What demo cells lean on: a sentence in place of a traceback, and pictures that have words."""

from __future__ import annotations

import ast
import re

import matplotlib.pyplot as plt
import pytest
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell, new_notebook

from autograder import lessons
from course import picture
from course.demo import is_unsolved, solved


def build_masks(degrees, place):
    raise NotImplementedError("build_masks: write your code here")


def test_a_demo_on_solved_functions_runs_as_if_it_stood_alone(capsys):
    with solved("build_masks"):
        print("drawn")
    assert capsys.readouterr().out == "drawn\n"


def test_an_unsolved_exercise_is_named_even_if_another_one_calls_it(capsys):
    with solved("MADE"):
        build_masks([], [])
    assert capsys.readouterr().out == (
        "○ This demo waits for `build_masks`: solve it above, then run this cell again.\n"
    )


def test_without_a_name_in_the_exception_the_demo_names_what_it_needs(capsys):
    with solved("MADE", "connectivity"):
        raise NotImplementedError
    assert "waits for `MADE` and `connectivity`: solve them" in capsys.readouterr().out


def in_a_notebook(cell: str, **names) -> None:
    """Runs a cell's text on a notebook that has these names."""
    exec(compile(cell, "<cell>", "exec"), {"solved": solved, **names})


def test_an_exercise_whose_cell_was_not_run_is_to_be_run_not_solved(capsys):
    in_a_notebook("with solved('connectivity'):\n    connectivity([])")
    assert capsys.readouterr().out == (
        "○ `connectivity` is not there yet: run its cell above, then this one.\n"
    )


def test_what_an_earlier_demo_did_not_make_waits_for_what_is_unsolved(capsys):
    in_a_notebook("with solved('build_masks'):\n    model.sample(3)", build_masks=build_masks)
    assert "waits for `build_masks`: solve it above" in capsys.readouterr().out


def test_what_an_earlier_demo_did_not_make_waits_for_the_cell_that_was_not_run(capsys):
    in_a_notebook("with solved('build_masks', 'MADE'):\n    model.nll()", build_masks=build_masks)
    assert "○ `MADE` is not there yet: run its cell above" in capsys.readouterr().out


def test_what_no_exercise_makes_is_in_a_cell_above(capsys):
    in_a_notebook("with solved('connectivity'):\n    digits", connectivity=lambda masks: masks)
    assert "○ `digits` is not there yet: run the cells above" in capsys.readouterr().out


def test_an_exercise_that_another_one_calls_is_to_be_run(capsys):
    cell = "def MADE():\n    return build_masks()\nwith solved('MADE'):\n    MADE()"
    in_a_notebook(cell, EXERCISES=["build_masks", "MADE"])
    assert "○ `build_masks` is not there yet: run its cell above" in capsys.readouterr().out


def test_a_class_with_one_method_to_write_is_unsolved():
    class MADE:
        def forward(self, x):
            return x

        @property
        def order(self):
            def inner():
                raise NotImplementedError("MADE: write your code here")

            return inner

    assert is_unsolved(MADE) and is_unsolved(build_masks)
    assert not is_unsolved(MADE.forward) and not is_unsolved(len) and not is_unsolved(3)


@pytest.mark.parametrize("name", lessons.lesson_names())
def test_every_demo_tells_what_was_not_run_from_what_is_not_solved(name: str, capsys):
    """After set-up and imports alone each demo asks to run a cell; unsolved, each asks to solve."""
    lesson = lessons.load_lesson(name)
    demos = [
        statement
        for cell in lesson.cells
        if "demo" in cell.tags
        for statement in ast.parse(cell.source).body
        if isinstance(statement, ast.With) and "solved(" in ast.unparse(statement.items[0])
    ]
    imports = next(cell for cell in lesson.cells if cell.kind == "code")
    notebook: dict = {"EXERCISES": list(lesson.exercises)}
    exec(imports.source, notebook)

    def told(statement: ast.With) -> str:
        exec(compile(ast.Module([statement], []), "<cell>", "exec"), notebook)
        return capsys.readouterr().out.strip().split("\n")[-1]

    for statement in demos:
        assert re.fullmatch(r"○ `\w+`.* not there yet: run .*", told(statement))
    for name, cell in lesson.exercises.items():
        stub = f"raise NotImplementedError({f'{name}: write your code here'!r})"
        exec(lessons.without_solutions(cell.source, stub), notebook)
    for statement in demos:
        assert re.match(
            r"○ (This demo waits for |`\w+` is .* run the cells above)", told(statement)
        )


def test_a_kernel_tells_not_run_from_not_solved_from_solved():
    stub = "def f():\n    raise NotImplementedError('f: write your code here')"
    demo = "with solved('f'):\n    print('drawn', f())"
    uses = "def g():\n    return f()"
    told = "with solved('g'):\n    print('drawn', g())"
    cells = [demo, uses, told, stub, demo, told, "def f():\n    return 3", demo, told]
    before = "from course.demo import solved\nEXERCISES = ['f', 'g']"
    notebook = new_notebook(cells=[new_code_cell(source) for source in [before, *cells]])
    NotebookClient(notebook, timeout=120, kernel_name="python3").execute()
    said = [output.text for cell in notebook.cells for output in cell.outputs]
    not_run = "○ `f` is not there yet: run its cell above, then this one.\n"
    unsolved = "○ This demo waits for `f`: solve it above, then run this cell again.\n"
    assert said == [not_run, not_run, unsolved, unsolved, "drawn 3\n", "drawn 3\n"]


def test_a_mistake_is_one_sentence_with_the_line_of_their_code(capsys):
    def connectivity(masks):
        return masks[0] @ masks[99]

    with solved("connectivity"):
        connectivity([1])
    out = capsys.readouterr().out
    assert out.count("\n") == 1
    assert "stopped in `connectivity`, at your line `return masks[0] @ masks[99]`" in out
    assert "(IndexError: list index out of range)" in out


def test_a_name_missing_in_their_code_is_their_mistake(capsys):
    def connectivity(masks):
        return mask.long()  # noqa: F821

    with solved("connectivity"):
        connectivity([1])
    assert "at your line `return mask.long()" in capsys.readouterr().out


def test_an_answer_that_the_demo_cannot_use_is_told(capsys):
    with solved("connectivity"):
        None.shape  # noqa: B018
    out = capsys.readouterr().out
    assert "could not use what your code returned" in out
    assert "run the checks above" in out


def test_stopping_the_kernel_stops_a_demo():
    with pytest.raises(KeyboardInterrupt), solved("MADE"):
        raise KeyboardInterrupt


def test_a_demo_that_stops_leaves_no_half_drawn_figure():
    kept = plt.figure()
    with solved("build_masks"):
        plt.figure()
        build_masks([], [])
    assert plt.get_fignums() == [kept.number]
    plt.close(kept)


@pytest.fixture
def shown(monkeypatch) -> list[dict]:
    bundles = []
    monkeypatch.setattr("IPython.display.display", lambda data, raw: bundles.append(data))
    return bundles


def drawn_figure():
    fig, ax = plt.subplots(figsize=(3, 2))
    ax.plot([1, 2])
    return fig


def test_a_picture_carries_its_words_and_is_shown_once(shown):
    picture.show(drawn_figure(), 'NLL falls from "25" to <17>', caption="The curve & its end")
    (bundle,) = shown
    html = bundle["text/html"]
    assert 'alt="NLL falls from &quot;25&quot; to &lt;17&gt;"' in html
    assert "<figcaption>The curve &amp; its end</figcaption>" in html
    assert bundle["text/plain"].startswith('[picture: NLL falls from "25" to <17>]')
    assert plt.get_fignums() == []


def test_a_picture_is_as_wide_as_its_figure(shown):
    picture.show(drawn_figure(), "a rising line")
    width = int(re.search(r'width="(\d+)"', shown[0]["text/html"])[1])
    assert 200 < width < 320  # 3 inches at 96 dots, less the cropped margin


def test_a_picture_without_words_is_refused():
    fig = drawn_figure()
    with pytest.raises(ValueError, match="needs the picture in words"):
        picture.show(fig, "  ")
    plt.close(fig)
