"""A figure is light on a light page and dark on a dark one, in every lesson."""

from __future__ import annotations

import ast
import base64
import io
import re
from collections.abc import Callable, Sequence

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.colors import to_rgba_array
from matplotlib.figure import Figure
from matplotlib.text import Annotation
from PIL import Image

from autograder import lessons
from autograder.lessons.reading import plain_python
from course import picture
from course.training import History


def images(html: str) -> list[np.ndarray]:
    """The light and the dark PNG of a picture's HTML, (height, width, 3)."""
    texts = re.findall(r"data:image/png;base64,([A-Za-z0-9+/=]+)", html)
    opened = {text: Image.open(io.BytesIO(base64.b64decode(text))) for text in texts}
    light = re.search(r'src="data:image/png;base64,([^"]+)"', html)[1]
    (dark,) = set(texts) - {light}
    return [np.asarray(opened[one].convert("RGB")).astype(int) for one in (light, dark)]


def with_a_line(color: str = "0.2") -> Figure:
    fig, ax = plt.subplots(figsize=(3, 2))
    ax.plot([1, 3, 2], color=color)
    ax.set(xlabel="x", title="a title")
    return fig


def test_the_ground_is_the_pages() -> None:
    fig = with_a_line()
    light, dark = images(picture.figure_html(fig, "a line"))
    plt.close(fig)
    assert light.shape == dark.shape
    for corner in ((0, 0), (0, -1), (-1, 0), (-1, -1)):
        assert light[corner].tolist() == [255] * 3
        assert dark[corner].tolist() == list(picture.GROUND)
    # What is black on white is light on dark: axes, letters and lines.
    assert light.min() < 40 and (dark.max(axis=2) > 220).any()
    assert (dark.max(axis=2) < 60).mean() > 0.5


DRAWN: dict[str, Callable[[Axes, str], object]] = {
    "a line": lambda ax, color: ax.plot([1, 3, 2], color=color),
    "a line with markers": lambda ax, color: ax.plot([1, 3, 2], "o--", color=color),
    "markers alone": lambda ax, color: ax.plot([1, 3, 2], "*", color=color),
    "hollow markers": lambda ax, color: ax.plot([1, 3, 2], "s", color=color, mfc="none"),
    "scattered points": lambda ax, color: ax.scatter([1, 3, 2], [1, 2, 3], color=color),
    "points of one color": lambda ax, color: ax.scatter([1, 3, 2], [1, 2, 3], c=color),
    "bars": lambda ax, color: ax.bar([1, 2, 3], [1, 2, 3], color=color),
    "hollow bars": lambda ax, color: ax.bar([1, 2], [1, 2], fill=False, edgecolor=color),
    "error bars": lambda ax, color: ax.errorbar([1, 2], [1, 2], [0.1, 0.2], fmt="o", color=color),
    "an area": lambda ax, color: ax.fill_between([1, 2], [1, 2], color=color),
    "words": lambda ax, color: ax.annotate(
        "x", (0, 0), (1, 1), color=color, arrowprops={"color": color}
    ),
}


def luminance(rgb: Sequence[float]) -> float:
    parts = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in rgb]
    return float(np.dot(parts, (0.2126, 0.7152, 0.0722)))


def colors_of(artist: Artist) -> list[Sequence[float]]:
    """Every color of an artist that is seen."""
    names = ("color", "facecolor", "edgecolor", "markerfacecolor", "markeredgecolor")
    found = [
        color
        for name in names
        if hasattr(artist, f"get_{name}")
        for color in to_rgba_array(getattr(artist, f"get_{name}")())
    ]
    arrow = artist.arrow_patch if isinstance(artist, Annotation) else None
    return [c[:3] for c in found if c[3]] + (colors_of(arrow) if arrow else [])


@pytest.mark.parametrize("color", ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#566173", "k"])
@pytest.mark.parametrize("drawn", DRAWN)
def test_whatever_is_drawn_stands_out_from_the_dark_ground(color: str, drawn: str) -> None:
    fig, ax = plt.subplots(figsize=(3, 2))
    there = set(ax.get_children())
    DRAWN[drawn](ax, color)
    fig.canvas.draw()
    picture.darken(fig)
    colors = [c for artist in set(ax.get_children()) - there for c in colors_of(artist)]
    plt.close(fig)
    ground = luminance([part / 255 for part in picture.GROUND])
    assert colors
    for seen in colors:
        assert (luminance(seen) + 0.05) / (ground + 0.05) >= 3, seen  # what WCAG asks of graphics


def test_an_image_and_what_is_drawn_on_it_keep_their_colors() -> None:
    fig, (left, right) = plt.subplots(1, 2, figsize=(4, 2))
    left.imshow([[0.0, np.nan], [1.0, 0.5]], cmap="gray")
    on_it = left.text(1, 0, "?", color="black")
    beside = right.text(0.5, 0.5, "a word", color="black")
    fig.canvas.draw()
    picture.darken(fig)
    assert on_it.get_color() == "black"
    assert min(plt.matplotlib.colors.to_rgb(beside.get_color())) > 0.8
    assert left.patch.get_facecolor()[:3] == (1, 1, 1)  # seen through the hole
    assert max(right.patch.get_facecolor()[:3]) < 0.2
    plt.close(fig)


def test_a_learning_curve_is_dark_too() -> None:
    curve = History(2, seed=0, parameters=1, train=[3.0, 2.0], valid=[3.1, 2.5])
    light, dark = images(curve._repr_html_())
    assert light[0, 0].tolist() == [255] * 3 and dark[0, 0].tolist() == list(picture.GROUND)


@pytest.mark.parametrize("name", [*lessons.lesson_names(), *lessons.appendix_names()])
def test_every_figure_of_a_lesson_is_shown_with_its_words_in_the_pages_theme(name: str) -> None:
    """Matplotlib's inline backend would show a white one, without words."""
    for cell in lessons.load_lesson(name).cells:
        if cell.kind != "code":
            continue
        calls = [
            ast.unparse(node.func)
            for node in ast.walk(ast.parse(plain_python(cell.source)))
            if isinstance(node, ast.Call)
        ]
        made = sum(call in ("plt.subplots", "plt.figure", "Figure") for call in calls)
        assert "plt.show" not in calls
        assert made <= calls.count("show"), cell.source
