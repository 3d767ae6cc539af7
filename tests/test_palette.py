"""Colors that words are set in can be read, light and dark, and pictures use Okabe and Ito's."""

import pytest

from figures import palette


def luminance(color: str) -> float:
    """Relative luminance, WCAG 2.1."""
    channels = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return sum(w * c for w, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("colors", [palette.LIGHT, palette.DARK])
@pytest.mark.parametrize("ink", ["ink", "quiet", "path-ink", "leak-ink", "good-ink", "gap-ink"])
def test_words_stand_out_from_page_and_panel(colors: dict, ink: str) -> None:
    assert contrast(colors[ink], colors["page"]) >= 4.5
    assert contrast(colors[ink], colors["panel"]) >= 4.5


@pytest.mark.parametrize("colors", [palette.LIGHT, palette.DARK])
@pytest.mark.parametrize("line", ["path", "leak", "rim"])
def test_lines_that_mean_something_stand_out_from_the_page(colors: dict, line: str) -> None:
    assert contrast(colors[line], colors["page"]) >= 3


def test_both_palettes_have_the_same_roles() -> None:
    assert palette.LIGHT.keys() == palette.DARK.keys()


def test_meanings_are_in_the_colors_of_okabe_and_ito() -> None:
    assert {palette.LIGHT[role] for role in ("path", "leak", "good", "gap")} <= set(
        palette.OKABE_ITO.values()
    )
