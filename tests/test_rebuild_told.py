"""What a rebuilt notebook holds to the letter, and the sentence for each thing that was odd."""

from __future__ import annotations

from typing import Any

import pytest

from autograder.grading import rebuild as rebuilding
from autograder.grading.rebuild import (
    inert_markdown,
    is_added,
    is_untouched,
    nothing_handed_in,
    rebuild,
    text_to_run,
)
from autograder.grading.submission import Unreadable
from tests.test_rebuild import SOLVED, STUB, TEMPLATE, cell, graded, notebook, submitted

TITLE, SETUP, EXERCISE, CHECK, WHY = TEMPLATE["cells"]
DONE = graded("double", SOLVED, solution=True)
ANSWERED = graded("why", "Since it is twice.", solution=True, points=1, kind="markdown")
LESSON = "03_doubling"


def handed_in(*cells: dict[str, Any], template: dict[str, Any] = TEMPLATE) -> Any:
    return rebuild(template, submitted(*cells), LESSON)


def told(*cells: dict[str, Any], template: dict[str, Any] = TEMPLATE) -> tuple[str, ...]:
    """The sentences about a notebook of these cells."""
    return handed_in(*cells, template=template).problems


def texts(result: Any) -> list[str]:
    """The cells' texts below the note at the top."""
    return [c["source"] for c in result.notebook["cells"] if c["id"] != "autograder-note"]


# --- what comes back ------------------------------------------------------------------------------


def test_a_rebuilt_notebook_is_the_lessons_with_the_students_text():
    listed = {**SETUP, "source": ["import ", "math"], "outputs": [1], "execution_count": 4}
    template = notebook(TITLE, listed, EXERCISE, CHECK, WHY, language="python")
    mine = cell("print(1)", id="mine", metadata={"tags": ["x"]})
    result = rebuild(template, submitted(TITLE, SETUP, mine, DONE, CHECK, ANSWERED), LESSON)
    assert result.problems == ()
    assert result.notebook == {
        "cells": [
            TITLE,
            {**SETUP, "outputs": [], "execution_count": None},
            {
                "id": "added-1", "cell_type": "code", "source": "print(1)",
                "metadata": {"autograder-added": True}, "outputs": [], "execution_count": None,
            },
            {**EXERCISE, "source": SOLVED},
            CHECK,
            {**WHY, "source": "Since it is twice."},
        ],
        "metadata": {"language": "python"}, "nbformat": 4, "nbformat_minor": 5,
    }  # fmt: skip
    assert listed["outputs"] == [1]
    assert result.notebook["metadata"] is not template["metadata"]
    assert notebook(*TEMPLATE["cells"]) == {**TEMPLATE, "metadata": {}}


def test_code_comes_through_letter_by_letter_however_long_and_whatever_it_looks_like():
    """Prose is made inert and bounded; code that was would be another program."""
    code = SOLVED + "\n" + 'y = x<2 and "&amp;<b>![i](j)" or "\\\\href{data:x}"'
    code += "\n# " + "\n# ".join(["so it goes"] * 1_200)
    assert len(code) > 10_000
    assert code in texts(handed_in(TITLE, SETUP, {**DONE, "source": code}, CHECK, WHY))
    assert code in texts(handed_in(TITLE, SETUP, cell(code), DONE, CHECK, WHY))


def test_each_cell_tells_whose_it_is():
    result = handed_in(TITLE, SETUP, cell("a = 1"), EXERCISE, CHECK, ANSWERED, cell("*b*", "raw"))
    cells = result.notebook["cells"]
    assert [is_added(c) for c in cells] == [False, False, True, False, False, False, True]
    assert [is_untouched(c) for c in cells] == [False, False, False, True, False, False, False]
    assert cells[-1] == {
        "id": "added-2", "cell_type": "markdown", "source": "*b*",
        "metadata": {"autograder-added": True},
    }  # fmt: skip
    assert not is_added({}) and not is_untouched({})
    assert text_to_run({"source": ["a", "b"]}) == "ab"
    assert text_to_run({"source": "a", "metadata": {"autograder-runs": "b"}}) == "b"


def test_what_was_odd_stands_at_the_top_where_nothing_can_act():
    (note, *_) = handed_in(EXERCISE, cell("x = <b>", id="check-double")).notebook["cells"]
    assert (note["cell_type"], note["id"], note["metadata"]) == ("markdown", "autograder-note", {})
    assert note["source"].startswith("**What was odd about this notebook:**\n\n- ")
    assert "<b>" not in note["source"]


def test_without_a_submission_the_lesson_stands_with_the_reason_at_its_top():
    template = notebook(TITLE, {**SETUP, "outputs": [1]}, EXERCISE, language="python")
    assert nothing_handed_in(template, "no <b> [a](b)") == {
        "cells": [
            {
                "cell_type": "markdown", "id": "autograder-unreadable", "metadata": {},
                "source": "**This submission could not be read.** no < b> [a] (b)",
            },
            TITLE, {**SETUP, "outputs": []}, EXERCISE,
        ],
        "metadata": {"language": "python", "autograder-unreadable": True},
        "nbformat": 4, "nbformat_minor": 5,
    }  # fmt: skip
    bare = nothing_handed_in({"cells": []}, "no")
    assert bare["metadata"] == {"autograder-unreadable": True}
    assert template["cells"][1]["outputs"] == [1]


def test_prose_is_bounded_and_says_how_much_is_left_out(monkeypatch):
    monkeypatch.setattr(rebuilding, "MAX_PROSE", 5)
    for text, kept in (
        ("abcde", "abcde"),
        ("abcdef", "abcde\n\n(… 1 more characters)"),
        ("abcde" + "x" * 1_234, "abcde\n\n(… 1,234 more characters)"),
        ("<bcdef", "< bcde\n\n(… 1 more characters)"),
    ):
        answer = {**WHY, "source": text}
        assert texts(handed_in(TITLE, SETUP, DONE, CHECK, answer))[-1] == kept
        result = handed_in(TITLE, SETUP, DONE, CHECK, ANSWERED, cell(text, "markdown"))
        assert texts(result)[-1] == kept


def test_the_longest_prose_is_ten_thousand_characters():
    assert rebuilding.MAX_PROSE == 10_000


# --- one sentence for each oddity -----------------------------------------------------------------

PUT_BACK = "code cells of the lesson were missing and are put back"
WHOLE = (TITLE, SETUP, DONE, CHECK, ANSWERED)


def test_an_honest_notebook_has_no_sentence():
    assert told(*WHOLE) == ()
    assert told(*TEMPLATE["cells"]) == ()
    assert told(TITLE, SETUP, EXERCISE, {**CHECK, "source": " check(double)\n"}, WHY) == ()


@pytest.mark.parametrize(
    ("cells", "sentences"),
    [
        ((TITLE, SETUP, CHECK, ANSWERED), ["double is missing: it counts as not attempted"]),
        ((TITLE, SETUP, DONE, ANSWERED), ["check-double was missing and is put back"]),
        ((TITLE, DONE, CHECK, ANSWERED), [f"{PUT_BACK}: 1"]),
        ((SETUP, DONE, CHECK, ANSWERED), []),
        (
            (TITLE, SETUP, {**DONE, "cell_type": "markdown"}, CHECK, ANSWERED),
            ["double was turned into a markdown cell: turned back"],
        ),
        (
            (TITLE, SETUP, DONE, {**CHECK, "source": "2.0"}, ANSWERED),
            ["check-double was changed: the instructor's text is used"],
        ),
        (
            (TITLE, {**SETUP, "source": "import cmath"}, DONE, CHECK, ANSWERED),
            ["the cell setup was changed: the instructor's text is used"],
        ),
        (({**TITLE, "source": "# Mine"}, SETUP, DONE, CHECK, ANSWERED), []),
        (
            (TITLE, SETUP, DONE, {**DONE, "source": "double = 2"}, CHECK, ANSWERED),
            [
                "double is there more than once: the first that was written in is used, the others"
                " run as added cells"
            ],
        ),
        ((TITLE, SETUP, DONE, {**DONE, "source": " "}, CHECK, ANSWERED), []),
        (
            (TITLE, SETUP, DONE, CHECK, CHECK, ANSWERED),
            [
                "check-double is there more than once: the first that was written in is used, the"
                " others run as added cells"
            ],
        ),
        (
            (TITLE, SETUP, DONE, cell("    # more\n    pass"), CHECK, ANSWERED),
            ["double was split in two cells: put together"],
        ),
        (
            (TITLE, SETUP, EXERCISE, cell("def duble(x):\n    return 2 * x"), CHECK, ANSWERED),
            ["you defined duble; the exercise asks for double"],
        ),
        (
            (TITLE, SETUP, EXERCISE, cell("def twice(x):\n    return 2 * x"), CHECK, ANSWERED),
            ["you defined twice; the exercise asks for double"],
        ),
        (
            (TITLE, SETUP, EXERCISE, CHECK, cell("def twice(x):\n    return 2 * x"), ANSWERED),
            [],
        ),
        (
            (TITLE, SETUP, EXERCISE, CHECK, cell("def doubles(x):\n    return 2"), ANSWERED),
            ["you defined doubles; the exercise asks for double"],
        ),
        (
            (TITLE, SETUP, EXERCISE, CHECK, ANSWERED, cell(f"So:\n\n  {SOLVED}", "markdown")),
            ["double stands in a markdown cell, which does not run"],
        ),
        (
            (TITLE, SETUP, EXERCISE, cell(SOLVED), CHECK, ANSWERED),
            ["double stands in another cell than its own: that one counts"],
        ),
        (
            (TITLE, SETUP, CHECK, cell(SOLVED, id="mine"), ANSWERED),
            [],
        ),
        (
            (TITLE, SETUP, EXERCISE, CHECK, cell(SOLVED), ANSWERED),
            [
                "double stands in another cell than its own: that one counts",
                "double stands below its check: it is checked there",
            ],
        ),
        (
            (TITLE, SETUP, EXERCISE, {**CHECK, "source": SOLVED + "\ncheck(double)"}, ANSWERED),
            [
                "check-double was changed: the instructor's text is used, and your code in it runs"
                " as a cell of your own",
                "double stands in another cell than its own: that one counts",
            ],
        ),
        (
            (TITLE, SETUP, DONE, CHECK, cell("Since it is twice.", "markdown")),
            ["why was found by its place: its cell's name is lost"],
        ),
        (
            (TITLE, SETUP, DONE, CHECK, WHY, cell("Since it is twice.", "markdown")),
            ["why has no answer in its cell: what else was written is shown to a reader"],
        ),
    ],
)  # fmt: skip
def test_each_oddity_has_its_sentence_and_no_other(cells: Any, sentences: list[str]):
    assert list(told(*cells)) == sentences


def test_a_notebook_with_none_of_its_graded_cells_is_refused():
    with pytest.raises(Unreadable) as why:
        handed_in(TITLE, SETUP, cell("x = 1"))
    assert str(why.value) == (
        "this is not the notebook of 03_doubling: it has none of its graded cells"
    )
    assert handed_in(cell(SOLVED)).notebook["cells"]
    assert handed_in(cell("double = lambda x: 2 * x")).notebook["cells"]
    assert handed_in(WHY).notebook["cells"]
    assert handed_in({**CHECK, "source": "1"}).notebook["cells"]


def test_demos_that_are_missing_are_not_told_and_others_are_counted():
    demo = cell("show()", id="demo", metadata={"tags": ["demo"]})
    more = cell("import os", id="more")
    template = notebook(TITLE, SETUP, more, demo, EXERCISE, CHECK, WHY)
    assert told(TITLE, DONE, CHECK, ANSWERED, template=template) == (
        "code cells of the lesson were missing and are put back: 2",
    )
    assert told(TITLE, SETUP, more, DONE, CHECK, ANSWERED, template=template) == ()


# --- where things go ------------------------------------------------------------------------------


def test_a_second_half_is_put_together_only_where_it_is_one():
    half = cell("    # more")
    assert texts(handed_in(TITLE, SETUP, DONE, half, half, CHECK, ANSWERED))[2] == (
        SOLVED + "\n    # more\n    # more"
    )
    for between in (
        [cell("x = 1")],
        [cell("x = 1"), half],
        [cell("    prose", "markdown")],
        [cell("\n\n\tx", "raw")],
    ):
        result = handed_in(TITLE, SETUP, DONE, *between, CHECK, ANSWERED)
        assert texts(result)[2] == SOLVED
        assert result.problems == ()
    tab = handed_in(TITLE, SETUP, DONE, cell("\n\tpass\nx = 1"), CHECK, ANSWERED)
    assert texts(tab)[2] == SOLVED + "\n\n\tpass\nx = 1"
    untouched = handed_in(TITLE, SETUP, EXERCISE, half, CHECK, ANSWERED)
    assert texts(untouched)[2:4] == [STUB, "    # more"]
    below = handed_in(TITLE, SETUP, DONE, CHECK, half, ANSWERED)
    assert texts(below)[2:5] == [SOLVED, CHECK["source"], "    # more"]


def test_work_in_a_check_runs_above_it_and_work_in_another_cell_below_it():
    check = {**CHECK, "source": "def helper(x):\n    return 2\ncheck(double)"}
    result = handed_in(TITLE, SETUP, cell("a = 1"), DONE, check, cell("b = 1"), ANSWERED)
    assert texts(result) == [
        TITLE["source"], SETUP["source"], "a = 1", SOLVED,
        "def helper(x):\n    return 2", CHECK["source"], "b = 1", ANSWERED["source"],
    ]  # fmt: skip
    ids = [c["id"] for c in result.notebook["cells"] if is_added(c)]
    assert ids == ["added-1", "added-2", "added-3"]
    setup = {**SETUP, "source": f"import math\n{SOLVED}"}
    result = handed_in(TITLE, setup, EXERCISE, CHECK, ANSWERED)
    assert texts(result)[1:4] == ["import math", f"import math\n{SOLVED}", STUB]
    assert text_to_run(result.notebook["cells"][4]) == ""
    helper = {**SETUP, "source": "def helper(x):\n    return 2"}
    assert texts(handed_in(TITLE, helper, DONE, CHECK, ANSWERED)) == [c["source"] for c in WHOLE]
    prose = {**CHECK, "source": SOLVED, "cell_type": "markdown"}
    assert texts(handed_in(TITLE, SETUP, EXERCISE, prose, ANSWERED))[2:4] == [
        STUB, CHECK["source"],
    ]  # fmt: skip


def test_a_stub_is_run_without_what_stands_elsewhere():
    stub = (
        "# about one\n@wraps\ndef one(\n    x,\n):\n    raise NotImplementedError\n\n"
        "# about two\n@wraps\ndef two(x):\n    raise NotImplementedError\n\n"
        "class Three:\n    pass\n\nafter = 1\n"
    )
    run = rebuilding._without
    assert run(stub, set()) == stub.rstrip("\n")
    assert run(stub, {"one"}) == stub[stub.index("# about two") :].rstrip("\n")
    assert run(stub, {"one", "two"}) == "class Three:\n    pass\n\nafter = 1"
    assert run(stub, {"two"}) == (
        "# about one\n@wraps\ndef one(\n    x,\n):\n    raise NotImplementedError\n\n"
        "class Three:\n    pass\n\nafter = 1"
    )
    assert run(stub, {"Three"}).endswith("raise NotImplementedError\n\nafter = 1")
    assert run("def one(x):\n    y = [\n]\n)\n    return y\nz = 1", {"one"}) == "z = 1"


PAIR = notebook(
    graded("double", STUB, solution=True),
    graded("check-double", "check(double)", solution=False, points=2),
    graded("triple", STUB.replace("double", "triple"), solution=True),
    graded("check-triple", "check(triple)", solution=False, points=1),
)
TRIPLE = "def triple(x):\n    return 3 * x"
USES = "def triple(x):\n    return double(x) + x"


def order(*cells: dict[str, Any]) -> list[str]:
    """What the cells of a rebuilt pair of exercises begin with, the stubs left out."""
    result = handed_in(*cells, template=PAIR)
    return [t.split("(x)")[0] for t in texts(result) if "NotImplemented" not in t]


def test_checks_move_down_to_the_work_and_later_ones_that_use_it_too():
    stub, check, other_stub, other_check = PAIR["cells"]
    late, triple = cell(SOLVED, id="late"), {**other_stub, "source": TRIPLE}
    first, second = check["source"], other_check["source"]
    double_at, triple_at = "def double", "def triple"
    assert order(stub, check, triple, other_check, late) == [
        triple_at, second, double_at, first,
    ]  # fmt: skip
    uses = {**other_stub, "source": USES}
    assert order(stub, check, uses, other_check, late) == [triple_at, double_at, first, second]
    assert order(stub, check, triple, late, other_check) == [
        triple_at, double_at, first, second,
    ]  # fmt: skip
    done = {**stub, "source": SOLVED}
    assert order(done, check, triple, other_check, late) == [
        double_at, first, triple_at, second, double_at,
    ]  # fmt: skip
    assert order(late, stub, check, triple, other_check) == [
        double_at, first, triple_at, second,
    ]  # fmt: skip


def test_names_of_two_exercises_are_told_together_and_sorted():
    both = notebook(
        graded("pair", STUB + "\n\n" + STUB.replace("double", "triple"), solution=True),
        *(PAIR["cells"][i] for i in (1, 3)),
    )
    result = handed_in(
        both["cells"][0], cell(TRIPLE + "\n\n" + SOLVED), *both["cells"][1:], template=both
    )
    assert result.problems == (
        "double and triple stands in another cell than its own: that one counts",
    )
    assert text_to_run(next(c for c in result.notebook["cells"] if c["id"] == "pair")) == ""


def test_of_two_exercises_each_is_asked_for_by_its_own_name():
    stub, check, other_stub, other_check = PAIR["cells"]
    twice, thrice = (cell(f"def {name}(x):\n    return x", id=name) for name in ("twice", "thrice"))
    assert told(stub, twice, check, other_stub, thrice, other_check, template=PAIR) == (
        "you defined twice; the exercise asks for double",
        "you defined thrice; the exercise asks for triple",
    )
    long = cell(f"def {'x' * 80}(x):\n    return x")
    assert told(stub, long, check, *PAIR["cells"][2:], template=PAIR) == (
        f"you defined {'x' * 60}; the exercise asks for double",
    )
    given = notebook(cell("def twice(x):\n    return x", id="given"), *PAIR["cells"])
    assert told(given["cells"][0], stub, twice, *PAIR["cells"][1:], template=given) == ()
    again = cell("def check(x):\n    return x")
    assert told(stub, again, *PAIR["cells"][1:], template=PAIR) == ()


# --- written answers ------------------------------------------------------------------------------

ASKS = notebook(
    cell("About *this*.\nAnd that.", "markdown", id="intro"),
    graded("why", "Why?", solution=True, points=1, kind="markdown"),
    graded("check-double", "check(double)", solution=False, points=2),
    graded("how", "How?", solution=True, points=1, kind="markdown"),
)
INTRO = "*(Nothing is written in this cell. What stands elsewhere in the notebook:)*"


def test_prose_around_an_empty_question_is_shown_to_a_reader():
    intro, why, check, how = ASKS["cells"]
    mine = cell("It is <b> so.", "markdown")
    later = cell("# Since: it adds up")
    done = {**how, "source": "So and so."}
    result = handed_in(intro, why, mine, check, done, later, template=ASKS)
    assert texts(result)[1] == f"Why?\n\n{INTRO}\n\nIt is < b> so."
    assert not is_untouched(result.notebook["cells"][2])
    assert handed_in(intro, why, check, mine, done, template=ASKS).problems == ()
    written = {**intro, "source": "About *this*.\nIt is so.\n  And that."}
    result = handed_in(written, why, check, done, template=ASKS)
    assert texts(result)[:2] == [intro["source"], f"Why?\n\n{INTRO}\n\nIt is so."]
    two = handed_in(intro, mine, why, later, check, done, template=ASKS)
    assert texts(two)[2] == f"Why?\n\n{INTRO}\n\nIt is < b> so.\n\n# Since: it adds up"
    changed = {**intro, "cell_type": "code", "source": "# It is so."}
    assert handed_in(changed, why, check, done, template=ASKS).problems == ()


def test_prose_is_shown_below_the_last_graded_cell_above_and_above_the_next():
    intro, why, check, how = ASKS["cells"]
    done, mine = {**why, "source": "It is so."}, cell("It adds up.", "markdown")
    result = handed_in(intro, done, check, how, mine, template=ASKS)
    assert texts(result)[3] == f"How?\n\n{INTRO}\n\nIt adds up."
    result = handed_in(intro, mine, done, check, how, template=ASKS)
    assert result.problems == ()
    lost = handed_in(intro, mine, done, check, template=ASKS)
    assert texts(lost)[-1] == f"How?\n\n{INTRO}\n\nIt adds up."
    assert lost.problems[-1] == (
        "how has no answer in its cell: what else was written is shown to a reader"
    )
    doubled = handed_in(intro, why, {**why, "source": "Why?"}, check, how, template=ASKS)
    assert texts(doubled)[-1] == "How?"


def test_prose_is_looked_for_between_the_nearest_graded_cells():
    intro, why, check, how = ASKS["cells"]
    last = graded("last", "And?", solution=True, points=1, kind="markdown")
    template = notebook(intro, why, check, how, last)
    mine, done = cell("It adds up.", "markdown"), {**why, "source": "It is so."}
    for place, shown in ((1, False), (2, False), (3, True), (4, True), (5, False)):
        cells = [intro, done, check, how, {**last, "source": "So and so."}]
        result = handed_in(*cells[:place], mine, *cells[place:], template=template)
        assert (INTRO in next(t for t in texts(result) if t.startswith("How?"))) is shown


def test_a_definition_in_the_lessons_own_prose_is_no_work():
    prose = cell("So:\n\n    def double(x):", "markdown", id="prose")
    template = notebook(TITLE, SETUP, prose, EXERCISE, CHECK, WHY)
    assert told(*template["cells"], template=template) == ()
    code = cell("x = 1\n'''\n def double(x):\n'''")
    assert told(TITLE, SETUP, EXERCISE, CHECK, ANSWERED, code) == ()


def test_markdown_is_broken_up_where_it_could_act_and_nowhere_else():
    for text, inert in (
        ("a < b <a <= <3", "a < b < a <= <3"),
        ("&amp; &#3; & x", "& amp; & #3; & x"),
        ("[a](b) [a][b] [a]: [a] b", "[a] (b) [a] [b] [a] : [a] b"),
        ("![a] !x", "! [a] !x"),
        (r"\href \HREF \hrefs \Declarex", r"\ href \ HREF \hrefs \ Declarex"),
        ("javascript: vbscript : data: data http://x //x", None),
        ("```mermaid", "```text-mermaid"),
        ("~~~ mermaid", "~~~ text-mermaid"),
        ("``mermaid", "``mermaid"),
    ):
        expected = inert or "javascript : vbscript  : data : data http: //x //x"
        assert inert_markdown(text) == expected
