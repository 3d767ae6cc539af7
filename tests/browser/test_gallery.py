"""What holds of every widget on its page: no bar to a reader, nothing amiss, a true still picture.

A saved notebook shows a widget's still picture, which Python draws; the live view is JavaScript's.
Both say what they draw in marks, as `sees 2 0 leak`, and have the same.
"""

from collections.abc import Callable
from functools import cache

import pytest
from playwright.sync_api import Page, expect

from benchmarks.widgets import PLACES
from figures.widget import Widget
from tests.browser.axe import serious_faults
from tests.browser.gallery import ASKING, GALLERY, leaky
from tests.browser.seen import seen_amiss
from tests.test_widgets import NAMES

MARKS = """() => [...document.querySelectorAll("[data-mark]")].filter((element) =>
  !element.closest("[hidden]")).flatMap((element) => element.dataset.mark.split("\\n"))"""
CASES = [*GALLERY.items(), *leaky().items()]
IDS = [*GALLERY, *(f"{name}, wrong" for name in leaky())]
# What the page itself draws, whether or not a kernel has more to say of it.
DRAWN_HERE = {"_parents", "_cardinalities", "_at", "bells", "mu", "sigma"}
SPY = """() => {
  const { set } = window.widgetModel;
  window.written = [];
  window.widgetModel.set = function (name, value) {
    window.written.push(name);
    set.call(this, name, value);
  };
}"""
# Counts the elements that one press makes and takes away again: a picture drawn twice.
WASTE = """() => {
  window.wasted = null;
  const all = { subtree: true, childList: true, attributes: true, characterData: true };
  new MutationObserver((records) => {
    const made = new Set(records.flatMap((record) => [...record.addedNodes]));
    window.wasted ??= records.flatMap((record) => [...record.removedNodes])
      .filter((node) => node.nodeType === 1 && made.has(node) && !node.isConnected).length;
  }).observe(document.getElementById("widget"), all);
}"""
# All elements, what they say of themselves, and their texts.
DRAWN = """() => {
  // A picture's own style says how far it is shrunk, which is told once the page has its size.
  const said = ({ localName, attributes }) => [...attributes]
    .filter(({ name, value }) => name !== "style" || (value && localName !== "svg"))
    .map(({ name, value }) => `${name}=${value}`).sort();
  const told = (node) => (node.nodeType === Node.TEXT_NODE ? node.data
    : [node.localName, said(node), [...node.childNodes].map(told)]);
  const whole = document.querySelector("#widget > :first-child").cloneNode(true);
  whole.normalize();
  return told(whole);
}"""
hung = cache(lambda name: GALLERY[name]())  # pages without a kernel change nothing of it


def test_every_widget_hangs_in_the_gallery() -> None:
    assert sorted(GALLERY) == NAMES


@pytest.mark.parametrize("make", [make for _, make in CASES], ids=IDS)
def test_the_still_picture_tells_what_the_live_view_tells(show: Callable, make: Callable) -> None:
    shown = make()
    drawing = shown.picture()
    page = show(shown)
    assert drawing is not None and drawing.marks == set(page.evaluate(MARKS))
    assert drawing.marks, "a picture without marks is compared with nothing"
    assert [line for line in shown.words() if line.strip()] and shown.alt().strip()


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("name", GALLERY)
def test_nothing_bars_a_reader(show: Callable, name: str, theme: str) -> None:
    page = show(hung(name), color_scheme=theme)
    assert serious_faults(page) == []


@pytest.mark.parametrize("width", [320, 760, 1400])
@pytest.mark.parametrize("name", GALLERY)
def test_nothing_lies_on_another_and_all_can_be_read(show: Callable, name: str, width: int) -> None:
    page = show(hung(name), viewport={"width": width, "height": 900})
    assert seen_amiss(page, "#widget") == []


def observed(shown: Widget) -> set[str]:
    """The traits of which the kernel wants to know when a reader changes them."""
    return {name for name, heard in shown._trait_notifiers.items() if any(heard.values())} - {
        "comm"
    }


def test_every_widget_that_asks_the_kernel_is_known() -> None:
    asking = {name for name in GALLERY if observed(hung(name))}
    assert asking - {"predict"} <= set(ASKING), "a prediction says itself where its answer is from"
    assert all(observed(make()) for make in ASKING.values())


@pytest.mark.parametrize("name", ASKING)
def test_where_no_kernel_runs_nothing_asks_one_and_that_is_said(show: Callable, name: str) -> None:
    shown = ASKING[name]()
    page = show(shown)
    expect(page.locator(".alone")).to_contain_text("where a kernel runs")
    expect(page.locator(".alone")).to_be_visible()
    page.evaluate(SPY)
    for button in page.locator("#widget button:visible").all():
        if button.is_visible() and button.is_enabled():
            button.click()
    for field in page.locator("#widget :is(input[type=text], select):visible").all():
        field.press("ArrowDown")
        field.press("Enter")
    assert not set(page.evaluate("window.written")) & (observed(shown) - DRAWN_HERE)


@pytest.mark.parametrize("name", ASKING)
def test_where_a_kernel_runs_it_is_not_said(show: Callable, name: str) -> None:
    page = show(ASKING[name](), kernel=True)
    expect(page.locator(".alone")).to_be_hidden()


def test_keys_are_timed_in_every_widget() -> None:
    assert sorted(PLACES) == NAMES


def assert_keys_draw_once(page: Page, name: str) -> None:
    """Each key of a widget changes its picture, and makes no element that it throws away."""
    selector, *keys, _ = PLACES[name]
    page.locator(selector).first.focus()
    page.evaluate(WASTE)
    for key in keys:
        page.keyboard.press(key)
        page.wait_for_function("window.wasted !== null")
        assert page.evaluate("window.wasted") == 0, f"{key} makes elements and throws them away"
        page.evaluate("window.wasted = null")


@pytest.mark.parametrize("name", PLACES)
def test_a_key_changes_the_picture_and_draws_it_once(show: Callable, name: str) -> None:
    assert_keys_draw_once(show(hung(name)), name)


@pytest.mark.parametrize("name", [name for name, (*_, trait) in PLACES.items() if trait])
def test_over_an_old_picture_the_same_is_drawn_as_on_an_empty_one(
    show: Callable, name: str
) -> None:
    selector, *keys, trait = PLACES[name]
    page = show(hung(name))
    page.locator(selector).first.focus()
    for key in (*keys, keys[0]):
        page.keyboard.press(key)
    at = page.evaluate("trait => window.widgetModel.get(trait)", trait)
    anew = GALLERY[name]()
    assert at != getattr(anew, trait)
    setattr(anew, trait, at)
    drawn = page.evaluate(DRAWN)
    assert drawn == show(anew).evaluate(DRAWN)
