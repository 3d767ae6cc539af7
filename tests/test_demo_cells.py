"""What demo cells lean on: a sentence in place of a traceback, and pictures that have words."""

from __future__ import annotations

import re

import matplotlib.pyplot as plt
import pytest

from course import picture
from course.demo import solved


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


def test_a_name_that_an_earlier_demo_did_not_make_is_waited_for(capsys):
    with solved("MADE"):
        never_made.sample(3)  # noqa: F821
    assert "waits for `MADE`" in capsys.readouterr().out


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
