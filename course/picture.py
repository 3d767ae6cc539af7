"""Shows a matplotlib figure with the words that stand for it, in the theme of the page.

The inline backend gives pictures no alternative text, and paints them white on a dark page.
`show(fig, alt)` gives a screen reader, a terminal and a notebook whose pictures did not load the
same sentence, and a dark page the same figure in its own colors.
"""

from __future__ import annotations

import base64
import colorsys
import hashlib
import io
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SHOWN, DRAWN = 96, 160  # dots per inch: more are drawn than shown, for dense screens
GROUND, INK = (20, 25, 31), (230, 235, 240)  # what white and black become on a dark page
GRAY = 0.15  # a color of less saturation is a gray
LEAST = 0.6  # how light a color is at least on the dark ground, from 0 to 1

# How JupyterLab, Colab, VS Code and Sphinx's theme say that a page is light or dark.
_HOSTS = {
    theme: (
        f'[data-jp-theme-light="{is_light}"]',
        f'html[theme="{theme}"]',
        f"body.vscode-{theme}",
        f'html[data-theme="{theme}"]',
    )
    for theme, is_light in (("light", "true"), ("dark", "false"))
}

Color = tuple[float, float, float, float]


def show(fig: Figure, alt: str, caption: str = "") -> None:
    """Displays `fig` as a PNG with the alternative text `alt`, and closes it.

    `alt` says what a reader should see in the picture, with its numbers ("NLL falls from 25 to 17
    nats…"), not that there is one ("a plot"). `caption` is printed below for everyone.

    Raises ValueError if `alt` is empty.
    """
    if not alt.strip():
        raise ValueError("show needs the picture in words as alt: got an empty text")
    import matplotlib.pyplot as plt
    from IPython.display import display

    image = figure_html(fig, alt, crop=True)
    plt.close(fig)  # or the inline backend shows it a second time, without the words
    if caption:
        image += f"<figcaption>{escape(caption)}</figcaption>"
        image = f'<figure style="margin:0">{image}</figure>'
    text = f"[picture: {alt}]" + (f"\n{caption}" if caption else "")
    display({"text/html": image, "text/plain": text}, raw=True)


def figure_html(fig: Figure, alt: str, crop: bool = False) -> str:
    """HTML of a figure as a PNG, light or dark as the page is. The figure's colors stay dark."""
    light = _png(fig, "white", crop)
    width = int.from_bytes(light[16:20], "big") * SHOWN // DRAWN  # the PNG's header
    darken(fig)
    dark = _png(fig, "#{:02x}{:02x}{:02x}".format(*GROUND), crop)
    return image_html(light, dark, "image/png", alt, width)


def image_html(light: bytes, dark: bytes, kind: str, alt: str, width: int | None = None) -> str:
    """HTML of one image, of type `kind`, that shows `light`, or `dark` in its place on a dark page.

    It is one element, so that no host's style sheet, and no host that drops style sheets, can
    show it twice; there the light one stands on its own light ground.
    """
    sources = [
        f"data:{kind};base64,{base64.b64encode(data).decode('ascii')}" for data in (light, dark)
    ]
    # The same picture twice on a page is the same rule twice.
    key = "figure-" + hashlib.sha256(light + dark).hexdigest()[:12]
    # Where a host says its theme, that counts; elsewhere the reader's system decides.
    rules = [f".{key}{{--{key}:url({sources[1]})}}"]
    rules.append(f"@media (prefers-color-scheme:dark){{.{key}{{content:var(--{key})}}}}")
    for place, shown in (("light", "normal"), ("dark", f"var(--{key})")):
        said = ",".join(f"{host} .{key}" for host in _HOSTS[place])
        rules.append(f"{said}{{content:{shown}}}")
    style = "".join(rules)
    size = f'width="{width}" ' if width else ""
    fit = "max-width:100%;height:auto;border-radius:4px" if width else "max-width:100%"
    return (
        f'<style>{style}</style><img class="{key}" alt="{escape(alt, quote=True)}" {size}'
        f'src="{sources[0]}" style="{fit}">'
    )


def darken(fig: Figure) -> None:
    """Gives a figure that was drawn the colors of a dark page.

    Grays change sides, black becoming light, and dark colors become lighter. Images keep their
    colors, and so does what is drawn on them, which was chosen for them.
    """
    from matplotlib.collections import Collection, QuadMesh
    from matplotlib.colors import to_rgba_array
    from matplotlib.image import AxesImage
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch
    from matplotlib.text import Text

    # Where an image has holes, the ground of its axes is seen: that stays too.
    framed = [ax for ax in fig.axes if ax.axison and (ax.images or _meshes(ax))]
    kept = [one.get_window_extent() for one in [*fig.findobj(AxesImage), *_meshes(fig), *framed]]
    grounds = {fig.patch, *(ax.patch for ax in fig.axes)}

    def lies_on_an_image(artist: Any) -> bool:
        if artist in grounds:
            return any(artist is ax.patch for ax in framed)
        box = artist.get_window_extent()
        if not kept or not np.isfinite(box.extents).all():
            return False
        x, y = (box.x0 + box.x1) / 2, (box.y0 + box.y1) / 2
        inside = [k for k in kept if k.x0 - 1 <= x <= k.x1 + 1 and k.y0 - 1 <= y <= k.y1 + 1]
        return any(box.width <= k.width + 2 and box.height <= k.height + 2 for k in inside)

    def each(artist: Any, *names: str) -> None:
        # All are read before one is set: a marker, or an edge, may have its color from the other.
        colors = [to_rgba_array(getattr(artist, f"get_{name}")()) for name in names]
        for name, found in zip(names, colors, strict=True):
            changed = [on_dark(tuple(c)) if c[3] else tuple(c) for c in found]
            if changed:
                getattr(artist, f"set_{name}")(changed[0] if len(changed) == 1 else changed)

    for artist in fig.findobj(lambda one: one.get_visible()):
        if isinstance(artist, QuadMesh) or (
            isinstance(artist, Text | Line2D | Patch | Collection) and lies_on_an_image(artist)
        ):
            continue
        if isinstance(artist, Text):
            each(artist, "color")
            for part in (artist.get_bbox_patch(), getattr(artist, "arrow_patch", None)):
                if part is not None:
                    each(part, "facecolor", "edgecolor")
        elif isinstance(artist, Line2D):
            each(artist, "color", "markerfacecolor", "markeredgecolor")
        elif isinstance(artist, Patch):
            each(artist, "facecolor", "edgecolor")
        elif isinstance(artist, Collection):
            each(artist, "edgecolor") if artist.get_array() is not None else each(
                artist, "facecolor", "edgecolor"
            )


def _meshes(part: Any) -> list[Any]:
    from matplotlib.collections import QuadMesh

    return part.findobj(QuadMesh)


def on_dark(color: Color) -> Color:
    """What a color of a figure on white, red, green, blue and alpha, is on the dark ground."""
    red, green, blue, alpha = color
    light = colorsys.rgb_to_hls(red, green, blue)[1]
    if max(color[:3]) - min(color[:3]) < GRAY:
        mixed = [(i + (g - i) * light) / 255 for g, i in zip(GROUND, INK, strict=True)]
        return mixed[0], mixed[1], mixed[2], alpha
    # Blue looks darker than green does: what counts is how much light a color gives.
    gives = 0.3 * red + 0.59 * green + 0.11 * blue
    if gives >= LEAST:
        return color
    share = (LEAST - gives) / (1 - gives)  # of white that is mixed in
    red, green, blue = (part + (1 - part) * share for part in (red, green, blue))
    return red, green, blue, alpha


def _png(fig: Figure, ground: str, crop: bool) -> bytes:
    data = io.BytesIO()
    box: dict[str, Any] = {"bbox_inches": "tight"} if crop else {}
    fig.savefig(data, format="png", dpi=DRAWN, facecolor=ground, **box)
    return data.getvalue()
