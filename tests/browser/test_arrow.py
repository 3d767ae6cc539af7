"""The arrow in a browser draws and says what Python says, for every arrow, variance and value."""

import re

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from figures.arrow import ArrowExplorer, marginal, posterior


def slide(page: Page, place: int) -> None:
    """Moves the slider of the variance, as a pointer would."""
    page.get_by_label("variance ε").evaluate(
        "(slider, value) => { slider.value = value; slider.dispatchEvent(new Event('input')); }",
        place,
    )


def turn(page: Page) -> None:
    page.get_by_role("button", name="Turn the arrow").click()


def pixels(page: Page, which: int) -> np.ndarray:
    """The opacity of every cell of a map, as drawn."""
    flat = (
        page.locator(".map canvas")
        .nth(which)
        .evaluate(
            "(c) => Array.from(c.getContext('2d').getImageData(0, 0, c.width, c.height).data)"
        )
    )
    return np.array(flat).reshape(81, 96, 4)[..., 3]


def said(page: Page) -> tuple[str, str]:
    return page.locator(".verdict").inner_text(), page.locator(".words").inner_text()


def test_every_sentence_is_pythons(show) -> None:
    explorer = ArrowExplorer()
    page = show(explorer)
    rng = np.random.default_rng(3)
    for arrow in ("forward", "reverse"):
        if arrow == "reverse":
            turn(page)
        for at in range(len(explorer._eps)):
            slide(page, at)
            column, row = int(rng.integers(96)), int(rng.integers(81))
            page.evaluate(
                "([column, row]) => { for (const [k, v] of [['_column', column], ['_row', row]])"
                " window.widgetModel.set(k, v); }",
                [column, row],
            )
            assert said(page) == (
                explorer.whole_in_words(arrow, at),
                explorer.in_words(arrow, at, column, row),
            )


def test_turning_the_arrow_leaves_the_world_and_changes_the_model(show) -> None:
    page = show(ArrowExplorer())
    world, model = pixels(page, 0), pixels(page, 1)
    assert (world == model).all() and world.max() > 200
    turn(page)
    assert np.abs(pixels(page, 0) - world).max() <= 1, "the same world, to a rounding"
    assert np.abs(pixels(page, 1) - model).max() > 100
    expect(page.locator(".verdict")).to_have_text(re.compile("cannot follow, 0.496 nats lost"))
    expect(page.locator(".badge")).to_have_text("✕")
    turn(page)
    assert (pixels(page, 1) == model).all()
    expect(page.locator(".badge")).to_have_text("✓")


def test_the_maps_hold_the_joint_and_the_models_density(show) -> None:
    explorer = ArrowExplorer(arrow="reverse", at=3)
    page = show(explorer)
    eps, x1, x2 = explorer._eps[3], np.array(explorer._x1), np.array(explorer._x2)[::-1, None]

    def bell(x, mean, variance):
        return np.exp(-((x - mean) ** 2) / (2 * variance)) / np.sqrt(2 * np.pi * variance)

    world = bell(x1, 0, 1) * bell(x2, x1 > 0, eps)
    mean, var = (np.array(explorer._model[3][k])[::-1, None] for k in ("mean", "var"))
    model = bell(x2, 0.5, eps + 0.25) * bell(x1, mean, var)
    top = bell(0, 0, 1) * bell(0, 0, eps)
    for which, heights in enumerate((world, model)):
        wanted = 255 * np.sqrt(np.minimum(1, heights / top))
        assert np.abs(pixels(page, which) - wanted).max() <= 1


def test_pointing_and_keys_choose_what_is_given(show) -> None:
    explorer = ArrowExplorer(arrow="reverse")
    page = show(explorer)
    box = page.locator(".map canvas").first.bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 0.25 * box["height"])
    row = page.evaluate("window.widgetModel.get('_row')")
    assert row in (60, 61)
    expect(page.locator(".words")).to_have_text(explorer.in_words(row=row))

    maps = page.get_by_role("slider", name="Given x2")
    maps.focus()
    walk = {"Home": 0, "ArrowUp": 1, "PageUp": 11, "ArrowDown": 10, "End": 80}
    for key, wanted in walk.items():
        page.keyboard.press(key)
        assert page.evaluate("window.widgetModel.get('_row')") == wanted
        expect(maps).to_have_attribute("aria-valuetext", explorer.in_words(row=wanted))
        expect(maps).to_have_attribute("aria-valuenow", str(wanted + 1))
    page.keyboard.press("Enter")
    maps = page.get_by_role("slider", name="Given x1")
    page.keyboard.press("Home")
    expect(maps).to_have_attribute("aria-valuetext", explorer.in_words("forward", column=0))


def test_truth_and_model_differ_by_shape_and_by_word(show) -> None:
    page = show(ArrowExplorer(arrow="reverse"))
    expect(page.locator(".model-line")).to_have_count(2)
    expect(page.locator(".model-line").first).to_have_css("stroke-dasharray", re.compile(r"\d"))
    expect(page.locator(".truth").first).not_to_have_css("fill", "none")
    expect(page.locator(".legend")).to_have_text("the worldthe model's Gaussian")
    expect(page.locator(".map .title").nth(1)).to_have_text("best Gaussian model: q(x2) q(x1 | x2)")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_maps_take_the_pages_colors(show, scheme: str) -> None:
    page = show(ArrowExplorer(), color_scheme=scheme)
    name = "--path"
    wanted = page.locator(".arrow-explorer").evaluate(
        f"(e) => getComputedStyle(e).getPropertyValue('{name}').trim()"
    )
    drawn = page.locator(".map canvas").first.evaluate(
        "(c) => { const d = c.getContext('2d').getImageData(0, 0, c.width, c.height).data;"
        " let best = 3; for (let i = 3; i < d.length; i += 4) if (d[i] > d[best]) best = i;"
        " return [d[best - 3], d[best - 2], d[best - 1]]; }"
    )
    assert np.abs(np.array(drawn) - [int(wanted[i : i + 2], 16) for i in (1, 3, 5)]).max() <= 2


def test_an_unsolved_function_leaves_its_place_empty_and_says_why(show) -> None:
    def best_reverse_gaussian(mu, eps):
        raise NotImplementedError("best_reverse_gaussian: write your code here")

    own = ArrowExplorer()
    explorer = ArrowExplorer.of(marginal, posterior, best_reverse_gaussian)
    page = show(explorer)
    assert said(page) == (explorer.whole_in_words(), explorer.in_words())
    assert "best_reverse_gaussian is not written yet" in said(page)[0]
    assert pixels(page, 0).max() > 200 and pixels(page, 1).max() == 0
    expect(page.locator(".model-line")).to_have_count(0)

    def posterior_of_nothing(x1, x2, mu, eps):
        raise NotImplementedError

    explorer = ArrowExplorer.of(marginal, posterior_of_nothing)
    page = show(explorer)
    assert said(page) == (explorer.whole_in_words(), explorer.in_words())
    assert pixels(page, 0).max() == 0
    turn(page)
    assert said(page) == (own.whole_in_words("forward"), explorer.in_words("forward"))
    assert pixels(page, 0).max() > 200, "the given arrow needs no solution"
