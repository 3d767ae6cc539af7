"""The growth of parameters in a browser: what the cursor reads off is what the functions say."""

import math
from collections.abc import Callable, Sequence

import pytest
from playwright.sync_api import Locator, Page, expect

from autograder.checks.exponential_wall import net_count
from autograder.checks.made import made_count
from figures.parameter_growth import GRID, HIDDEN, MOST, ParameterGrowth, in_words


def table_parameters(cardinalities: Sequence[int]) -> int:
    return math.prod(cardinalities) - 1


def bayes_net_parameters(cardinalities: Sequence[int], parents: Sequence[Sequence[int]]) -> int:
    return net_count(cardinalities, parents)


def fvsbn_parameters(n: int) -> int:
    return n * (n + 1) // 2


def nade_parameters(n: int, hidden: int) -> int:
    return 2 * n * hidden + hidden + n


def made_parameters(n: int, hidden_sizes: Sequence[int]) -> int:
    return made_count(n, hidden_sizes)


def growth(**instead: Callable) -> ParameterGrowth:
    functions = {
        f.__name__: f
        for f in (
            table_parameters,
            bayes_net_parameters,
            fvsbn_parameters,
            nade_parameters,
            made_parameters,
        )
    }
    return ParameterGrowth(**functions | instead)


def words(page: Page) -> Locator:
    return page.locator(".words")


def test_every_place_of_the_cursor_says_what_python_says(show: Callable) -> None:
    widget = growth()
    page = show(widget)
    expect(page.locator(".headline")).to_have_text(widget.headline_in_words())
    page.keyboard.press("Tab")
    page.keyboard.press("Home")
    for n in sorted({*GRID, 2001, 2002}):
        expect(words(page)).to_have_text(widget.at_in_words(n))
        assert page.locator(".plot").get_attribute("aria-valuetext") == widget.at_in_words(n)
        page.keyboard.press("ArrowRight")
    page.keyboard.press("End")
    expect(words(page)).to_have_text(widget.at_in_words(MOST))


def test_the_numbers_are_those_of_the_functions(show: Callable) -> None:
    page = show(growth())
    expect(words(page)).to_have_text(
        "n = 784: table about 1.0·10^236, FVSBN 307,720, NADE 785,284, MADE 393,284, chain 1,567."
    )


def test_the_pointer_reads_the_nearest_n(show: Callable) -> None:
    widget = growth()
    page = show(widget)
    box = page.locator(".plot svg").bounding_box()
    page.mouse.move(box["x"] + 52 / 700 * box["width"] + 1, box["y"] + 60)
    expect(words(page)).to_have_text(widget.at_in_words(1))
    page.mouse.move(box["x"] + box["width"] - 30, box["y"] + 60)
    expect(words(page)).to_have_text(widget.at_in_words(MOST))
    page.mouse.move(2, 2)
    expect(words(page)).to_have_text(widget.at_in_words(784))


@pytest.mark.parametrize("hidden", HIDDEN)
def test_fvsbn_overtakes_nade_at_4h_plus_2_and_the_circle_says_so(
    show: Callable, hidden: int
) -> None:
    widget = growth()
    page = show(widget, kernel=True)
    page.get_by_label("Hidden units h").select_option(str(hidden))
    crossing = 4 * hidden + 2
    expect(page.locator(".headline")).to_have_text(
        f"With h = {hidden}, FVSBN has more parameters than NADE from n = {crossing:,} on."
    )
    assert widget.headline_in_words() == page.locator(".headline").inner_text()
    expect(page.locator(".crossing text")).to_have_text(f"n = {crossing:,}")
    page.locator(".plot").focus()
    page.keyboard.press("c")
    expect(words(page)).to_have_text(widget.at_in_words(crossing))


def nade_unsolved(n: int, hidden: int) -> int:
    raise NotImplementedError("nade_parameters: write your code here")


def made_broken(n: int, hidden_sizes: Sequence[int]) -> int:
    return 1 // (n - n)


def fvsbn_float(n: int) -> float:
    return n * (n + 1) / 2


def test_a_function_that_gives_no_count_has_no_line_and_one_sentence(show: Callable) -> None:
    widget = growth(
        nade_parameters=nade_unsolved, made_parameters=made_broken, fvsbn_parameters=fvsbn_float
    )
    page = show(widget, color_scheme="dark")
    assert page.locator(".curve").count() == 2
    for sentence in (
        "nade_parameters is not written yet: solve its exercise first.",
        "made_broken, line ",
        "fvsbn_float returned 8390656.0, which is no int (a float).",
    ):
        expect(page.locator(".notices")).to_contain_text(sentence)
        assert sentence in repr(widget)
    expect(page.locator(".headline")).to_have_text("How many numbers for n bits?")


def test_a_lesson_that_asks_for_three_counts_has_three_lines_and_no_hidden_units(
    show: Callable,
) -> None:
    widget = ParameterGrowth(table_parameters, bayes_net_parameters, fvsbn_parameters)
    page = show(widget)
    assert page.locator(".curve").count() == 3
    expect(page.get_by_label("Hidden units h")).to_be_hidden()
    expect(words(page)).to_have_text("n = 784: table about 1.0·10^236, FVSBN 307,720, chain 1,567.")
    assert widget.picture() is not None and widget.headline_in_words() in repr(widget)


def test_functions_that_never_cross_are_told_so(show: Callable) -> None:
    widget = growth(fvsbn_parameters=lambda n: n)
    page = show(widget)
    expect(page.locator(".headline")).to_have_text(
        "With h = 500, FVSBN does not overtake NADE up to n = 4,096."
    )
    assert page.locator(".crossing").count() == 0


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (7, "7"),
        (10**15 - 1, "999,999,999,999,999"),
        (2**100 - 1, "about 1.3·10^30"),
        (996 * 10**20, "about 1.0·10^23"),
        (2**784 - 1, "about 1.0·10^236"),
    ],
)
def test_a_count_in_words(count: int, text: str) -> None:
    assert in_words(count) == text


def test_another_number_of_hidden_units_is_refused_in_one_sentence() -> None:
    with pytest.raises(ValueError, match="hidden must be one of 10, 50, 100, 500: got 7"):
        ParameterGrowth(*[None] * 5, hidden=7)
