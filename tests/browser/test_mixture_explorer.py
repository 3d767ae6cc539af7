"""The mixture explorer in a browser computes and says what NumPy computes and Python says."""

import numpy as np
import pytest
from playwright.sync_api import expect

from autograder import lessons
from figures.mixture_explorer import VIEWS, MixtureExplorer

COUNTS = np.random.default_rng(0).binomial(255, 0.4, size=800)
COUNTS = np.bincount(COUNTS, minlength=256).tolist()


def agrees(page, explorer: MixtureExplorer) -> None:
    """The page's words and numbers are those of Python, where the page says it stands."""
    for name in ("bells", "view", "short_axis"):
        setattr(explorer, name, page.evaluate(f"window.widgetModel.get('{name}')"))
    expect(page.locator(".words")).to_have_text(explorer.in_words())
    for view, price in explorer.nats().items():
        expect(page.locator(f"button.{view} .number")).to_have_text(f"{price:.3f} nats")


@pytest.mark.parametrize("width", [0.02, 0.7, 30.0])
def test_all_three_prices_are_numpys(show, width):
    explorer = MixtureExplorer(COUNTS, bells=((0.35, 101.3, width), (0.65, 250.0, 2 * width)))
    page = show(explorer)
    agrees(page, explorer)
    page.get_by_role("button", name="make the axis 0 to 1").click()
    agrees(page, explorer)
    assert explorer.short_axis


def test_sliders_and_keys_move_a_bell_and_the_notebook_does_not_hear_them(show):
    explorer = MixtureExplorer(COUNTS)
    page = show(explorer)
    page.evaluate("window.heard = 0; document.addEventListener('keydown', () => window.heard++)")
    page.get_by_label("center of bell 1").focus()
    page.keyboard.press("ArrowRight")
    page.get_by_label("weight of bell 1").focus()
    page.keyboard.press("ArrowLeft")
    agrees(page, explorer)
    assert explorer.bells[0][:2] == pytest.approx([0.58, 90.5])
    assert page.evaluate("window.heard") == 0


def test_a_bell_is_dragged_by_its_handle(show):
    explorer = MixtureExplorer(COUNTS)
    page = show(explorer)
    box = page.locator("circle.handle").first.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 100, y)
    page.mouse.up()
    agrees(page, explorer)
    assert explorer.bells[0][1] > 110 and explorer.bells[1][1] == 225


@pytest.mark.parametrize("view", VIEWS)
def test_each_view_draws_its_model_and_what_each_level_adds(show, view):
    page = show(MixtureExplorer(COUNTS))
    page.locator(f"button.{view}").click()
    assert page.locator(f"button.{view}").get_attribute("aria-pressed") == "true"
    assert page.locator("path.model").get_attribute("d").startswith("M0 ")
    assert "NaN" not in page.locator("path.adds").get_attribute("d")


def test_the_students_function_is_asked_where_the_bells_are(show):
    function = lessons.solution_functions("07_continuous")["discretized_logistic_mixture"]
    explorer = MixtureExplorer.of(function, COUNTS)
    page = show(explorer, kernel=True)
    page.get_by_label("center of bell 2").focus()
    page.keyboard.press("ArrowLeft")
    expect(page.locator(".theirs")).to_contain_text("1.0000 in sum over all levels")
    assert explorer.bells[1][1] == 224.5


def test_what_the_function_said_elsewhere_is_not_said_of_here(show):
    function = lessons.solution_functions("07_continuous")["discretized_logistic_mixture"]
    page = show(MixtureExplorer.of(function, COUNTS))
    expect(page.locator(".theirs")).to_contain_text("1.0000 in sum over all levels")
    page.get_by_label("center of bell 2").press("ArrowLeft")
    expect(page.locator(".theirs")).to_be_empty()
