"""What a saved notebook keeps of a widget: a still picture, its words, and how to make it live.

The live view and this are two outputs. While a live view of the widget is on the page, this is out
of sight and is read to nobody; where no model answers, this is what a reader sees, and JupyterLab's
"model not found" is not. It needs no kernel, no network and no script.
"""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from figures.static import one_image

if TYPE_CHECKING:
    from figures.drawing import Drawing

RUN = "A still picture. Run this cell to make it live."
SAVED, LIVE = "data-saved-view", "data-live-view"


def html_of(key: str, picture: Drawing | None, words: list[str], alt: str = "") -> str:
    """The HTML of a widget's saved view; `key` names its live view.

    alt: the picture in words; without it the first two of `words`.
    """
    said = [line for line in words if line.strip()] or [""]
    image = ""
    if picture is not None:
        alt = alt or " ".join(said[:2])
        image = one_image(picture.svg(False, alt), picture.svg(True, alt), alt)
    paragraphs = "".join(f"<p>{escape(line)}</p>" for line in said[:MOST_WORDS])
    rest = said[MOST_WORDS:]
    if rest:
        lines = "".join(f"<p>{escape(line)}</p>" for line in rest)
        paragraphs += f"<details><summary>All of its words</summary>{lines}</details>"
    return (
        f'<div {SAVED}="{key}"><style>{_style(key)}</style>{image}{paragraphs}'
        f"<p><em>{RUN}</em></p></div>"
    )


MOST_WORDS = 3  # paragraphs that stand open


def _style(key: str) -> str:
    own, live = f'[{SAVED}="{key}"]', f'body:has([{LIVE}="{key}"])'
    child = ".jp-OutputArea-child"
    # JupyterLab: the next output is the live view; without its model it holds no widget. A :has(*)
    # would be asked again, of the whole page, whenever any element comes or goes.
    return (
        f"{live} {own},{live} {child}:has({own}){{display:none}}"
        f"{child}:has({own})+{child}:not(:has(.jp-OutputArea-output .lm-Widget)){{display:none}}"
    )
