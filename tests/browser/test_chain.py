"""The chain explorer in a browser says the factors, their product and what was drawn from them."""

import itertools
import math
import re
from collections.abc import Callable

import numpy as np
import pytest
from playwright.sync_api import Locator, Page, expect

from figures.chain import ChainExplorer, factors_of, number


def some_table(seed: int) -> np.ndarray:
    """A joint of random size; every third one has impossible words and tiny probabilities."""
    rng = np.random.default_rng(seed)
    k, n = [(3, 3), (2, 4), (2, 2), (4, 2), (2, 3), (5, 1)][seed % 6]
    p = rng.dirichlet(np.full(k**n, 0.6)).reshape((k,) * n)
    if seed % 3 == 0:
        p[0] = 0
        p[1] *= 1e-7
    return p / p.sum()


def words(page: Page) -> str:
    return page.locator(".words").inner_text()


def cards(page: Page) -> Locator:
    return page.locator(".card")


def order_shown(page: Page) -> list[int]:
    """Which variable stands on which card, by the titles: p(x3 | x1=…) is variable 2."""
    titles = [title.inner_text() for title in page.locator(".card .title").all()]
    return [int(re.match(r"p\(x\s*(\d)", title.replace("\n", ""))[1]) - 1 for title in titles]


def drag(page: Page, step: int, to: int) -> None:
    start = cards(page).nth(step).locator(".handle").bounding_box()
    end = cards(page).nth(to).locator(".handle").bounding_box()
    page.mouse.move(start["x"] + 40, start["y"] + 8)
    page.mouse.down()
    page.mouse.move(end["x"] + end["width"] / 2, end["y"] + 8, steps=6)
    page.mouse.up()


@pytest.mark.parametrize("seed", range(6))
def test_every_word_is_told_as_python_tells_it_in_several_orders(show: Callable, seed: int):
    explorer = ChainExplorer(some_table(seed))
    n, k = len(explorer._names), len(explorer._values)
    page = show(explorer)
    rng = np.random.default_rng(seed)
    orders = list(itertools.permutations(range(n)))
    for order in [orders[i] for i in rng.permutation(len(orders))[:3]]:
        page.evaluate("order => { widgetModel.set('_order', order) }", list(order))
        for x in rng.integers(0, k, size=(4, n)).tolist():
            page.evaluate("x => { widgetModel.set('_x', x) }", x)
            expect(page.locator(".words")).to_have_text(explorer.in_words(x, order))
        expect(page.locator(".verdict")).to_have_text(explorer.whole_in_words(order))


def test_a_click_on_a_bar_chooses_the_value(show: Callable):
    explorer = ChainExplorer(some_table(1))
    page = show(explorer, kernel=True)
    cards(page).nth(2).locator(".line").nth(1).click()
    expect(page.locator(".words")).to_have_text(explorer.in_words([0, 0, 1, 0], [0, 1, 2, 3]))
    assert explorer._x == [0, 0, 1, 0], "the widget in Python knows where the reader is"
    chosen = page.locator(".line.chosen .value").all_inner_texts()
    assert chosen == ["0", "0", "1", "0"]


def test_arrow_keys_choose_values_and_walk_along_the_chain(show: Callable):
    explorer = ChainExplorer(some_table(4), values="AB")
    page = show(explorer)
    page.keyboard.press("Tab")
    for key in (
        "ArrowDown",
        "ArrowDown",
        "ArrowRight",
        "ArrowRight",
        "ArrowDown",
        "ArrowUp",
        "End",
    ):
        page.keyboard.press(key)
    expect(page.locator(".words")).to_have_text(explorer.in_words([1, 0, 1], [0, 1, 2]))
    card = cards(page).nth(2)
    expect(card).to_be_focused()
    p = factors_of(explorer._p)[2][1, 0, 1]
    expect(card).to_have_attribute("aria-valuetext", f"B, probability {number(p)}")
    expect(card).to_have_attribute("aria-label", "Step 3 of 3: x3, given x1 is B, x2 is A")


def test_dragged_to_another_place_a_factor_changes_and_the_product_does_not(show: Callable):
    explorer = ChainExplorer(some_table(4))
    page = show(explorer, kernel=True)
    first = page.locator(".factor").all_inner_texts()
    total = page.locator(".density .sum strong").all_inner_texts()
    drag(page, 2, 0)
    assert order_shown(page) == [2, 0, 1] == explorer._order
    assert page.locator(".factor").all_inner_texts() != first
    assert page.locator(".density .sum strong").all_inner_texts() == total
    expect(page.locator(".verdict")).to_have_text(explorer.whole_in_words([2, 0, 1]))
    assert words(page) == explorer.in_words()


def test_shift_and_arrow_move_a_card_and_the_focus_goes_with_it(show: Callable):
    explorer = ChainExplorer(some_table(4))
    page = show(explorer)
    page.keyboard.press("Tab")
    page.keyboard.press("Shift+ArrowRight")
    assert order_shown(page) == [1, 0, 2]
    expect(cards(page).nth(1)).to_be_focused()
    page.keyboard.press("Shift+ArrowRight")
    assert order_shown(page) == [1, 2, 0]
    page.keyboard.press("Shift+ArrowRight")  # there is no further place
    assert order_shown(page) == [1, 2, 0]


def test_pointing_at_a_word_tells_it_and_a_click_keeps_it(show: Callable):
    explorer = ChainExplorer(some_table(4))
    page = show(explorer)
    at_rest = words(page)
    box = page.locator(".chart .word .bar").nth(5).bounding_box()
    x, y = box["x"] + box["width"] / 2, page.locator(".chart svg").bounding_box()["y"] + 50
    page.mouse.move(x, y)
    expect(page.locator(".words")).to_have_text(explorer.in_words([1, 0, 1], [0, 1, 2]))
    page.mouse.move(5, 5)
    expect(page.locator(".words")).to_have_text(at_rest)
    page.mouse.click(x, y)
    page.mouse.move(5, 5)
    expect(page.locator(".words")).to_have_text(explorer.in_words([1, 0, 1], [0, 1, 2]))
    page.locator(".chart").press("ArrowLeft")
    expect(page.locator(".words")).to_have_text(explorer.in_words([1, 0, 0], [0, 1, 2]))


def test_a_word_is_drawn_value_by_value_from_the_rows_of_its_prefix(show: Callable):
    explorer = ChainExplorer(some_table(0), seed=3)
    page = show(explorer)
    tables, prefix = factors_of(explorer._p), ()
    for step in range(3):
        page.locator("button.next").click()
        said = page.locator(".drawn").inner_text()
        draws = re.findall(r"u = ([\d.]+) → x(\d) = (\d)", said)
        assert len(draws) == step + 1 and draws[-1][1] == str(step + 1)
        u, value = float(draws[-1][0]), int(draws[-1][2])
        sums = np.append(0, tables[step][prefix].cumsum())
        assert sums[value] - 6e-4 <= u <= sums[value + 1] + 6e-4, "u lies in the value's interval"
        prefix += (value,)
        assert page.locator(".card.waits").count() == max(0, 1 - step), "later rows wait"
    assert words(page) == explorer.in_words(prefix, [0, 1, 2])
    page.locator("button.next").click()
    expect(page.locator(".words")).to_contain_text("A word is being drawn")


def test_words_drawn_in_the_page_come_as_often_as_the_table_says(show: Callable):
    explorer = ChainExplorer(some_table(4), seed=11)
    page = show(explorer)
    drawn = page.evaluate(
        """() => Array.from({ length: 800 }, () => {
            document.querySelector("button.whole").click();
            return widgetModel.get("_x").join("");
        })"""
    )
    for i, p in enumerate(explorer._table):  # the page's seed is fixed, so this never flickers
        share = drawn.count(f"{i:03b}") / 800
        assert abs(share - p) < 4 * math.sqrt(p * (1 - p) / 800) + 1e-9


def test_the_students_sample_stands_beside_the_table(show: Callable):
    def sample(tables: list[np.ndarray], count: int, rng: np.random.Generator) -> np.ndarray:
        return rng.integers(0, 2, size=(count, len(tables)))

    explorer = ChainExplorer.of(some_table(4), factors_of, None, sample, draws=400)
    page = show(explorer)
    assert page.locator(".chart .share").count() == 8 + 1  # and one in the legend
    expect(page.locator(".tally")).to_have_text(explorer.tally_in_words())
    expect(page.locator(".notice")).to_have_text("These factors stand in one order only.")
    drag(page, 0, 2)
    assert order_shown(page) == [0, 1, 2], "there are no factors for another order"


def test_a_wrong_factor_is_said_and_drawn(show: Callable):
    def wrong(p: np.ndarray) -> list[np.ndarray]:
        return [t / t.sum(axis=0, keepdims=True) for t in factors_of(p)]

    explorer = ChainExplorer.of(some_table(4), wrong)
    page = show(explorer)
    assert page.locator(".headline").get_attribute("data-kind") == "leak"
    assert words(page) == explorer.in_words() and "not to 1" in words(page)
    assert page.locator(".chart .word.bad .table").count() > 0
    expect(page.locator(".density .sum.bad")).to_contain_text("another number")


def test_what_is_not_solved_is_one_sentence(show: Callable):
    def conditionals(p: np.ndarray) -> None:
        raise NotImplementedError

    page = show(ChainExplorer.of(some_table(4), conditionals))
    expect(page.locator(".notice")).to_have_text(
        "conditionals is not written yet: solve its exercise first."
    )
    assert not page.locator(".cards").is_visible() and not page.locator(".readout").is_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_fits_a_narrow_page_in_both_themes(show: Callable, scheme: str):
    page = show(
        ChainExplorer(some_table(1)),
        color_scheme=scheme,
        viewport={"width": 400, "height": 900},
    )
    wide = page.evaluate("document.documentElement.scrollWidth")
    assert wide <= 400
    color = page.locator(".chain-explorer").evaluate("e => getComputedStyle(e).backgroundColor")
    assert color == {"light": "rgb(255, 255, 255)", "dark": "rgb(20, 25, 31)"}[scheme]


def test_every_control_has_a_name_and_a_value(show: Callable):
    page = show(ChainExplorer(some_table(4)))
    for slider in page.locator("[role=slider]").all():
        assert slider.get_attribute("aria-label")
        assert slider.get_attribute("aria-valuetext")
        now, most = (int(slider.get_attribute(f"aria-value{what}")) for what in ("now", "max"))
        assert 1 <= now <= most
        assert slider.get_attribute("data-lm-suppress-shortcuts") == "true"
