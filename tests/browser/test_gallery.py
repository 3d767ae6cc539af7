"""What holds of every widget on its page: no bar to a reader, nothing amiss, a true still picture.

A saved notebook shows a widget's still picture, which Python draws; the live view is JavaScript's.
Both say what they draw in marks, as `sees 2 0 leak`, and have the same.
"""

from collections.abc import Callable
from functools import cache

import pytest

from tests.browser.axe import serious_faults
from tests.browser.gallery import GALLERY, leaky
from tests.browser.seen import seen_amiss
from tests.test_widgets import NAMES

MARKS = """() => [...document.querySelectorAll("[data-mark]")].filter((element) =>
  !element.closest("[hidden]")).map((element) => element.dataset.mark)"""
CASES = [*GALLERY.items(), *leaky().items()]
IDS = [*GALLERY, *(f"{name}, wrong" for name in leaky())]
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
