"""The DAG editor in a browser: its tables follow every click, and its words are Python's."""

import math
from collections.abc import Callable, Sequence

import numpy as np
import pytest
from playwright.sync_api import Locator, Page, expect

from figures.dag_editor import DagEditor, cycle_of, free_numbers

IDLE = "Point at a variable to read its table, or click a line between two variables."


def bayes_net_parameters(cardinalities: Sequence[int], parents: Sequence[Sequence[int]]) -> int:
    """What a student may write: right, and it refuses a cycle."""
    if ring := cycle_of(parents):
        raise ValueError(f"node {ring[0]} is its own ancestor")
    return sum(
        (k - 1) * math.prod(cardinalities[j] for j in row)
        for k, row in zip(cardinalities, parents, strict=True)
    )


def random_graph(seed: int) -> tuple[list[int], list[list[int]]]:
    """2 … 6 variables, each pair joined with probability 1/2, in either direction."""
    rng = np.random.default_rng(seed)
    n = int(rng.integers(2, 7))
    parents: list[list[int]] = [[] for _ in range(n)]
    for b in range(n):
        for a in range(b):
            if rng.random() < 0.5:
                child, parent = (a, b) if rng.random() < 0.3 else (b, a)
                parents[child].append(parent)
    return rng.integers(2, 4, n).tolist(), parents


def words(page: Page) -> Locator:
    return page.locator(".words")


def headline(page: Page) -> Locator:
    return page.locator(".headline")


def click_between(page: Page, a: int, b: int) -> None:
    """Clicks the line of two variables, a sixth of its way along: there no other line crosses."""
    ends = page.locator(f'.pair[data-pair="{a}-{b}"] .touch').evaluate(
        """line => [[line.x1, line.y1], [line.x2, line.y2]].map(([x, y]) =>
          new DOMPoint(x.baseVal.value, y.baseVal.value).matrixTransform(line.getScreenCTM()))
          .map((point) => [point.x, point.y])"""
    )
    (x0, y0), (x1, y1) = ends
    page.mouse.click(x0 + (x1 - x0) / 6, y0 + (y1 - y0) / 6)


@pytest.mark.parametrize("seed", range(14))
def test_words_and_cells_are_those_of_the_graph(show: Callable, seed: int) -> None:
    cardinalities, parents = random_graph(seed)
    editor = DagEditor(None, cardinalities, parents, names="abcdef"[: len(parents)])
    page = show(editor)
    expect(headline(page)).to_have_text(editor.in_words())
    expect(page.locator(".said")).to_be_hidden()
    if cycle_of(parents):
        assert page.locator(".table").count() == 0
        assert page.locator(".pair.cyclic").count() == len(cycle_of(parents))
        return
    page.keyboard.press("Tab")
    for i, free in enumerate(free_numbers(cardinalities, parents)):
        page.keyboard.press("ArrowDown")
        expect(words(page)).to_have_text(editor.node_in_words(i))
        if free // (cardinalities[i] - 1) <= 105:
            assert page.locator(f'[data-table="{i}"] .cell:not(.last)').count() == free
    assert page.locator(".arrow").count() == sum(map(len, parents))
    assert page.locator(".ghost").count() == math.comb(len(parents), 2) - sum(map(len, parents))


def test_some_of_the_random_graphs_are_cyclic() -> None:
    cyclic = [bool(cycle_of(random_graph(seed)[1])) for seed in range(14)]
    assert True in cyclic and False in cyclic


def test_a_click_draws_an_arrow_and_another_removes_it(show: Callable) -> None:
    editor = DagEditor(bayes_net_parameters)
    page = show(editor, kernel=True)
    expect(headline(page)).to_have_text("17 free numbers; the full table needs 63.")
    expect(page.locator(".what")).to_have_text(
        "bayes_net_parameters says 17, and so do the tables."
    )
    click_between(page, 0, 3)  # season → wet: 4 times the rows
    expect(headline(page)).to_have_text("29 free numbers; the full table needs 63.")
    expect(page.locator(".what")).to_have_text(
        "bayes_net_parameters says 29, and so do the tables."
    )
    assert editor.parents == [[], [0], [0], [0, 1, 2], [3]]
    assert page.locator('[data-table="3"] .cell:not(.last)').count() == 16
    expect(words(page)).to_have_text(
        "Arrow season → wet. It multiplies the rows of wet by 4. "
        "Click or press Enter to remove it, T to turn it round."
    )
    click_between(page, 0, 3)
    expect(headline(page)).to_have_text("17 free numbers; the full table needs 63.")
    assert editor.parents == [[], [0], [0], [1, 2], [3]]
    assert repr(editor).endswith("bayes_net_parameters says 17, and so do the tables.")


def test_keys_choose_draw_and_turn_an_arrow(show: Callable) -> None:
    editor = DagEditor(bayes_net_parameters)
    page = show(editor, kernel=True)
    page.keyboard.press("Tab")
    expect(words(page)).to_contain_text("Arrow season → rain.")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")  # the pairs: 0-1, 0-2, 1-2
    expect(words(page)).to_have_text(
        "No arrow between rain and sprinkler. Click or press Enter to draw one."
    )
    page.keyboard.press("Enter")
    expect(words(page)).to_contain_text("Arrow rain → sprinkler.")
    page.keyboard.press("t")
    expect(words(page)).to_contain_text("Arrow sprinkler → rain.")
    assert editor.parents == [[], [0, 2], [0], [1, 2], [3]]
    graph = page.locator(".graph")
    assert graph.get_attribute("aria-valuetext") == words(page).inner_text()
    page.keyboard.press("Escape")
    expect(words(page)).to_have_text(IDLE)


def test_hover_says_what_keys_say(show: Callable) -> None:
    editor = DagEditor(bayes_net_parameters)
    page = show(editor)
    page.locator('.node[data-node="3"]').hover()
    expect(words(page)).to_have_text(editor.node_in_words(3))
    assert page.locator(".node.parent").count() == page.locator(".pair.feeds").count() == 2
    page.mouse.move(2, 2)
    expect(words(page)).to_have_text(IDLE)
    page.locator('[data-table="3"]').hover()
    expect(words(page)).to_have_text(editor.node_in_words(3))


def test_a_cycle_is_told_in_words_and_dashes(show: Callable) -> None:
    editor = DagEditor(bayes_net_parameters)
    page = show(editor, kernel=True)
    click_between(page, 0, 3)
    page.get_by_role("button", name="Turn the arrow round").click()
    cycle = "Not a Bayes net: season → rain → wet → season is a cycle."
    expect(headline(page)).to_have_text(cycle)
    assert editor.in_words() == cycle
    assert page.locator(".pair.cyclic").count() == 3 and page.locator(".cell").count() == 0
    expect(page.locator(".what")).to_have_text(
        "bayes_net_parameters refuses it, as it should: ValueError: node 0 is its own ancestor."
    )
    expect(page.locator(".said")).to_have_attribute("data-kind", "good")


def test_every_arrow_needs_the_full_table(show: Callable) -> None:
    page = show(DagEditor(bayes_net_parameters), kernel=True)
    page.get_by_label("Start from").select_option("all")
    expect(headline(page)).to_have_text("63 free numbers, as many as the full table.")
    page.get_by_label("Start from").select_option("chain")
    expect(headline(page)).to_have_text("13 free numbers; the full table needs 63.")
    page.get_by_label("season").select_option("2")
    expect(headline(page)).to_have_text("9 free numbers; the full table needs 31.")
    expect(page.locator(".what")).to_have_text("bayes_net_parameters says 9, and so do the tables.")


def wrong(cardinalities: list[int], parents: list[list[int]]) -> int:
    return 22


def unsolved(cardinalities: list[int], parents: list[list[int]]) -> int:
    raise NotImplementedError("write your code here")


def broken(cardinalities: list[int], parents: list[list[int]]) -> int:
    return cardinalities[9]


def a_float(cardinalities: list[int], parents: list[list[int]]) -> float:
    return 17.0


@pytest.mark.parametrize(
    ("function", "kind", "said"),
    [
        (wrong, "bad", "wrong says 22, but the tables hold 17 free numbers."),
        (a_float, "bad", "a_float says 17.0 (a float), but the tables hold 17 free numbers."),
        (broken, "bad", "broken, line "),
        (unsolved, "waiting", "unsolved is not written yet: solve its exercise first."),
    ],
)
def test_what_the_students_function_says_is_one_sentence(
    show: Callable, function: Callable, kind: str, said: str
) -> None:
    editor = DagEditor(function)
    page = show(editor)
    expect(page.locator(".said")).to_have_attribute("data-kind", kind)
    expect(page.locator(".what")).to_contain_text(said)
    assert said in repr(editor)
    assert page.locator(".table .cell:not(.last)").count() == 17, "the tables stand all the same"


def test_without_a_kernel_the_tables_follow_and_the_function_waits(show: Callable) -> None:
    page = show(DagEditor(bayes_net_parameters), color_scheme="dark")
    click_between(page, 1, 2)
    expect(headline(page)).to_have_text("21 free numbers; the full table needs 63.")
    expect(page.locator(".what")).to_have_text("Your function answers where a kernel runs.")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (((2,), ((),), ("a",)), "the editor draws 2 to 6 variables: got 1"),
        (((2, 9), ((), ()), ("a", "b")), "a variable has 2 to 6 values here: got 9"),
        (((2, 2), ((), (5,)), ("a", "b")), "variable 1 has the parent 5"),
        (((2, 2), ((1,), (0,)), ("a", "b")), "variables 0 and 1 are joined twice"),
        (((2, 2), ((), ()), ("a",)), "each of the 2 variables needs a name"),
    ],
)
def test_a_graph_that_cannot_be_drawn_is_told_in_one_sentence(
    arguments: tuple, sentence: str
) -> None:
    with pytest.raises(ValueError, match=sentence):
        DagEditor(None, *arguments)
