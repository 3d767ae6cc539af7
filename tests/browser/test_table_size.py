"""The table's size in a browser says what Python says, at the keys and at the landmarks."""

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from figures.table_size import LANDMARKS, MOST, TableSize, passed_at


def test_a_landmark_is_passed_by_the_first_table_that_is_larger() -> None:
    for _, numbers in LANDMARKS:
        n = passed_at(numbers)
        assert 2 ** (n - 1) - 1 <= numbers < 2**n - 1
    assert [passed_at(numbers) for _, numbers in LANDMARKS] == [19, 37, 71, 266]


def test_the_page_and_python_say_the_same(show: Callable) -> None:
    widget = TableSize(8)
    page = show(widget, kernel=True)
    slider, status = page.get_by_role("slider"), page.get_by_role("status")
    for n in (1, 8, 19, 30, 31, 36, 37, 71, 265, 266, MOST):
        slider.fill(str(n))
        expect(status).to_have_text(widget.in_words(n))
        assert widget._bits == n
    assert page.locator("li[data-kind=leak]").count() == len(LANDMARKS)
    page.keyboard.press("Home")
    slider.press("Home")
    expect(status).to_have_text("1 bits: a table of 1 numbers. Less than a photo.")


@pytest.mark.parametrize("bits", [0, MOST + 1])
def test_other_sizes_are_refused(bits: int) -> None:
    with pytest.raises(ValueError, match=f"bits must be in 1 … {MOST}: got {bits}"):
        TableSize(bits)
