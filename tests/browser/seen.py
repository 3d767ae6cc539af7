"""What a reader would see amiss on a part of a page: one pure function that the page evaluates.

Text that lies on other text, leaves its widget, or is smaller than 11 pixels; a figure that is seen
twice, or beside its own saved view; a white picture on a dark page; a widget that is not there; a
bar that never moved; what a cell wrote to stderr.
"""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Page

SMALLEST = 11  # pixels of the screen, for a letter's size
FAULTS = Path(__file__).with_suffix(".js").read_text("utf-8")


def seen_amiss(page: Page, within: str) -> list[str]:
    """What is wrong with how the first element of selector `within` looks now; [] if nothing."""
    return page.evaluate(FAULTS, [within, SMALLEST])
