"""The sampling player in a browser says what Python says, plays, pauses and steps."""

from collections.abc import Callable

import numpy as np
import pytest
from playwright.sync_api import Locator, Page, expect

from figures import palette
from figures.sampling import SamplingPlayer


def player(colors: int = 1, **options: object) -> SamplingPlayer:
    random = np.random.default_rng(0)
    images = random.integers(0, 4, size=(3, colors, 3, 4))
    chances = random.dirichlet(np.ones(4), size=(3, colors, 3, 4)).transpose(0, 4, 1, 2, 3)
    return SamplingPlayer(images, 4, chances, **options)


def words(page: Page) -> Locator:
    return page.locator(".words")


def drawn(page: Page, picture: int = 0) -> int:
    return page.locator(".sampling-player svg:has(.ground)").nth(picture).locator(".drawn").count()


@pytest.mark.parametrize("colors", [1, 3])
def test_every_step_is_told_as_python_tells_it(show: Callable, colors: int) -> None:
    widget = player(colors)
    page = show(widget)
    page.locator(".stage").focus()
    for step in range(12 * colors + 1):
        assert words(page).inner_text() == widget.step_in_words(step)
        assert drawn(page) == -(-step // colors)
        page.keyboard.press("ArrowRight")
    page.keyboard.press("3")
    expect(words(page)).to_have_text(widget.step_in_words(12 * colors, 2))
    assert "bits per dimension" in words(page).inner_text()


def test_keys_step_by_one_and_by_rows(show: Callable) -> None:
    widget = player()
    page = show(widget, kernel=True)
    page.locator(".stage").focus()
    for key, step in (
        ("ArrowDown", 4),
        ("ArrowRight", 5),
        ("ArrowUp", 1),
        ("ArrowLeft", 0),
        ("ArrowLeft", 0),
        ("End", 12),
        ("ArrowDown", 12),
        ("Home", 0),
    ):
        page.keyboard.press(key)
        expect(words(page)).to_have_text(widget.step_in_words(step))
        assert widget._step == step
    page.get_by_role("button", name="Step ▶").click()
    page.get_by_role("button", name="◀ Step").click()
    page.get_by_label("Step", exact=True).fill("7")
    expect(words(page)).to_have_text(widget.step_in_words(7))
    assert drawn(page) == drawn(page, 2) == 7


def test_it_plays_to_the_end_and_pauses(show: Callable) -> None:
    page = show(player())
    page.locator(".stage").focus()
    page.keyboard.press("Space")
    expect(page.get_by_role("button", name="Pause")).to_be_visible()
    expect(words(page)).to_contain_text("step 12 of 12", timeout=30_000)
    expect(page.get_by_role("button", name="Play")).to_be_visible()
    page.get_by_role("button", name="Play").click()  # from the start again
    expect(words(page)).not_to_contain_text("step 12 of 12")
    page.get_by_role("button", name="Pause").click()
    at = words(page).inner_text()
    page.evaluate("() => new Promise((done) => setTimeout(done, 300))")
    assert words(page).inner_text() == at


def test_the_bars_are_the_distribution_that_the_level_came_from(show: Callable) -> None:
    widget = player()
    widget._step = 6
    page = show(widget)
    bars = page.locator(".bars .bar")
    heights = [float(bar.get_attribute("height")) / 90 for bar in bars.all()]
    assert sum(heights) == pytest.approx(1, abs=1e-4)
    level = widget._images[5]
    assert "drawn" in bars.nth(level).get_attribute("class")
    assert heights[level] == pytest.approx(widget._chance(0, 5, level), abs=1e-4)


def test_another_order_and_given_numbers(show: Callable) -> None:
    widget = player(turns=list(range(11, -1, -1)), given=4)
    page = show(widget)
    assert drawn(page) == 4
    expect(words(page)).to_have_text("Image 1, step 4 of 12: 4 given numbers, nothing drawn yet.")
    page.locator(".stage").focus()
    page.keyboard.press("ArrowRight")
    expect(words(page)).to_have_text(widget.step_in_words(5))
    assert "row 2, column 4" in words(page).inner_text()
    page.keyboard.press("Home")
    assert drawn(page) == 4


def test_without_chances_there_are_no_bars(show: Callable) -> None:
    widget = SamplingPlayer(np.eye(3, dtype=int)[None], levels=2)
    widget._step = 1
    page = show(widget)
    expect(page.locator(".bars")).to_be_hidden()
    expect(words(page)).to_have_text("Image 1, step 1 of 9: row 1, column 1 becomes level 1.")


def test_a_model_that_fails_is_a_sentence(show: Callable) -> None:
    page = show(SamplingPlayer.of(object(), 1, 2, 2))
    expect(page.locator(".notice")).to_contain_text("object: AttributeError")
    expect(page.locator(".stage")).to_be_hidden()


def test_it_has_a_name_a_value_and_words_for_every_reader(show: Callable) -> None:
    page = show(player())
    stage = page.get_by_role("slider", name="Step of the drawing")
    expect(stage).to_have_attribute("aria-valuetext", words(page).inner_text())
    assert stage.get_attribute("aria-valuemax") == "12"
    expect(page.locator(f"#{stage.get_attribute('aria-describedby')}")).to_contain_text("Space")
    assert page.get_by_role("status").get_attribute("aria-live") == "polite"
    for drawing in page.locator(".sampling-player svg").all():
        assert drawing.get_attribute("aria-hidden") == "true"
    for reached in page.locator(".sampling-player :is([tabindex='0'], button, input)").all():
        assert reached.get_attribute("data-lm-suppress-shortcuts") == "true"


@pytest.mark.parametrize(("system", "colors"), [("light", palette.LIGHT), ("dark", palette.DARK)])
def test_light_and_dark(show: Callable, system: str, colors: dict) -> None:
    page = show(player(), color_scheme=system, viewport={"width": 360, "height": 900})
    red, green, blue = (int(colors["page"][i : i + 2], 16) for i in (1, 3, 5))
    expect(page.locator(".sampling-player")).to_have_css(
        "background-color", f"rgb({red}, {green}, {blue})"
    )
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
