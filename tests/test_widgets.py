"""What holds of every widget: what a saved notebook keeps, and that faults are sentences."""

import importlib
from pathlib import Path
from types import SimpleNamespace

import pytest

import figures
from figures import saved, widget
from figures.drawing import Drawing

FOLDER = Path(figures.__file__).parent
NAMES = sorted(
    path.stem for path in FOLDER.glob("*.js") if path.stem not in ("widget", "page")
)  # fmt: skip


# Lines of a widget's own: what the base does for it (figures/widget.*) is not written again.
MOST = {"js": 150, "css": 40, "py": 200}
# Made before the base was, and larger; what is new is not to be put here.
OLDER = {
    "arrow",
    "attention",
    "chain",
    "codec",
    "completion",
    "dag_editor",
    "dilation_tree",
    "kl_explorer",
    "mask_explorer",
    "next_token",
    "parameter_growth",
    "receptive_field",
    "sampling",
    "sharing",
}


def too_long(name: str) -> list[str]:
    """The files of a widget that have more lines than a new one may."""
    return [
        f"{name}.{kind}"
        for kind, most in MOST.items()
        if len((FOLDER / f"{name}.{kind}").read_text("utf-8").splitlines()) >= most
    ]


@pytest.mark.parametrize("name", [name for name in NAMES if name not in OLDER])
def test_a_widget_is_small(name: str) -> None:
    assert too_long(name) == []


@pytest.mark.parametrize("name", sorted(OLDER))
def test_one_that_became_small_stays_so(name: str) -> None:
    assert too_long(name), f"{name} is small now: take it out of OLDER"


@pytest.mark.parametrize("name", NAMES)
def test_its_live_view_hides_the_saved_one(name: str) -> None:
    kinds = vars(importlib.import_module(f"figures.{name}")).values()
    (kind,) = (k for k in kinds if isinstance(k, type) and issubclass(k, widget.Widget))
    assert str(kind._esm).rstrip().endswith("export default live(render);")
    assert kind.words and kind._repr_mimebundle_ is widget.Widget._repr_mimebundle_


def test_a_saved_view_is_one_image_with_words_and_a_way_on() -> None:
    drawing = Drawing(100, 50)
    drawing.text(0, 20, "<b> & “c”", "leak-ink")
    html = saved.html_of("k1", drawing, ["It <leaks>.", "Two.", "Three.", "Four."])
    assert html.count("<img") == 1 and "It &lt;leaks&gt;." in html and saved.RUN in html
    assert "<details>" in html and "<script" not in html
    assert drawing.svg(False) != drawing.svg(True)
    assert "&lt;b&gt; &amp; “c”" in drawing.svg(False)


def test_words_alone_stand_where_there_is_no_picture() -> None:
    html = saved.html_of("k2", None, ["f is not written yet."])
    assert "<img" not in html and "f is not written yet." in html


def stub() -> None:
    raise NotImplementedError("nade: write your code here")


def test_a_fault_is_one_sentence() -> None:
    assert widget.asked(stub, stub) == (None, "nade is not written yet: solve its exercise first.")
    assert widget.asked(len, lambda: None)[1].startswith("len is not written yet")
    answer, said = widget.asked(test_a_fault_is_one_sentence, lambda: 1 // 0)
    assert answer is None and "ZeroDivisionError" in said and "line " in said
    assert widget.asked(len, len, "abc") == (3, "")


def test_a_function_is_looked_up_by_its_name() -> None:
    space: dict = {}
    exec("def f(): return 1\ndef g(): return f", space)
    old = space["f"]
    exec("def f(): return 2", space)
    assert widget.current(old)() == 2
    assert widget.current({"a": (old, 3)})["a"][0]() == 2
    assert widget.current(lambda: 3)() == 3
    space["f"] = 0.5  # a name used for something else is not a function that was changed
    assert widget.current(old)() == 1
    model = SimpleNamespace()
    assert widget.current(model) is model


def test_the_worst_is_shown_first() -> None:
    assert widget.worst([0, 2, 1], otherwise=0) == 1
    assert widget.worst([0, 0, 0], otherwise=2) == 2
