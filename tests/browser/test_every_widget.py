"""What is asked of every widget on a screen: any width, any zoom, any size, at rest if asked for.

`tests/browser/test_gallery.py` has the still pictures, axe, keys and the kernel. A widget that is
new is found in the gallery, and must say there how large it can get.
"""

import json
from collections.abc import Callable
from functools import cache

import pytest
from playwright.sync_api import Page, expect

from figures import palette
from figures.page import traits_of
from tests.browser.gallery import GALLERY, LARGEST, ONE_SIZE
from tests.browser.seen import seen_amiss
from tests.browser.test_gallery import MARKS, assert_keys_draw_once
from tests.test_widgets import NAMES

WIDTHS = (320, 360, 412, 480, 600, 700, 768, 900, 1024, 1100, 1280, 1400)
KIB = 1024
# Characters that a notebook keeps: of the live view, as JSON, and of the still picture.
MOST = {"lesson": (512 * KIB, 96 * KIB), "largest": (3 * KIB * KIB, 1280 * KIB)}
# Counts what a page sets going: timers that repeat as fast as a film, and animations that a script
# starts. Steps slower than two a second, of a picture that stands still between them, are none.
COUNT = """
window.going = [];
const { setInterval: every } = window, { animate } = Element.prototype;
window.setInterval = (act, pause, ...given) => {
  if (!(pause >= 500)) window.going.push("a timer");
  return every(act, pause, ...given);
};
Element.prototype.animate = function (...given) {
  window.going.push("an animation");
  return animate.apply(this, given);
};"""
MOVING = """() => [...document.querySelectorAll("#widget *")].flatMap((element) => {
  const { transitionDuration, animationName } = getComputedStyle(element);
  const still = transitionDuration.split(", ").every((seconds) => parseFloat(seconds) === 0);
  return still && animationName === "none" ? [] : [element.className];
})"""
hung = cache(lambda name: GALLERY[name]())
largest = cache(lambda name: LARGEST[name]())
GROWN = [name for name in GALLERY if name in LARGEST]


def wider_than_its_page(page: Page) -> list[int]:
    """The widths at which the page could be pushed sideways."""
    found = []
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        if page.evaluate("document.documentElement.scrollWidth > window.innerWidth"):
            found.append(width)
    return found


def press_every_button(page: Page) -> None:
    for button in page.locator("#widget button:visible").all():
        if button.is_visible() and button.is_enabled():
            button.click()


def test_every_widget_says_how_large_it_gets() -> None:
    assert sorted([*LARGEST, *ONE_SIZE]) == NAMES


@pytest.mark.parametrize("name", GALLERY)
def test_at_no_width_is_it_wider_than_its_page(show: Callable, name: str) -> None:
    assert wider_than_its_page(show(hung(name))) == []


@pytest.mark.parametrize("window", [760, 1280])
@pytest.mark.parametrize("name", GALLERY)
def test_at_200_percent_all_can_be_read(show: Callable, name: str, window: int) -> None:
    """A browser's zoom halves the pixels that a page has, and draws each as two by two."""
    half = {"width": window // 2, "height": 450}
    page = show(hung(name), viewport=half, device_scale_factor=2)
    assert seen_amiss(page, "#widget") == []
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


@pytest.mark.parametrize("name", GALLERY)
def test_who_asked_for_less_motion_sees_none(show: Callable, name: str) -> None:
    page = show(hung(name), reduced_motion="reduce", before=COUNT)
    assert page.evaluate(MOVING) == []
    press_every_button(page)
    assert page.evaluate(MOVING) == []
    assert page.evaluate("window.going") == []
    assert page.evaluate("document.getAnimations().length") == 0


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("name", GALLERY)
def test_its_ground_is_the_themes(show: Callable, name: str, theme: str) -> None:
    page = show(hung(name), color_scheme=theme)
    ground = (palette.LIGHT if theme == "light" else palette.DARK)["page"]
    rgb = ", ".join(str(int(ground[i : i + 2], 16)) for i in (1, 3, 5))
    expect(page.locator("#widget > :first-child")).to_have_css("background-color", f"rgb({rgb})")


@pytest.mark.parametrize("name", GALLERY)
def test_what_a_notebook_keeps_of_it_is_bounded(name: str) -> None:
    live, still = MOST["lesson"]
    assert len(json.dumps(traits_of(hung(name)))) <= live
    assert len(hung(name)._saved_view()["text/html"]) <= still


@pytest.mark.parametrize("name", GROWN)
def test_at_its_largest_it_is_bounded_and_painted(show: Callable, name: str) -> None:
    shown = largest(name)
    live, still = MOST["largest"]
    assert len(json.dumps(traits_of(shown))) <= live
    assert len(shown._saved_view()["text/html"]) <= still
    page = show(shown)
    assert set(page.evaluate(MARKS)) == shown.picture().marks
    assert not page.locator("#widget .notice:visible").all_inner_texts()
    assert wider_than_its_page(page) == []


@pytest.mark.parametrize("name", GROWN)
def test_at_its_largest_a_key_draws_once(show: Callable, name: str) -> None:
    assert_keys_draw_once(show(largest(name)), name)
