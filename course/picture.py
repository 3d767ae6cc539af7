"""Shows a matplotlib figure with the words that stand for it, for whoever cannot see it.

The inline backend gives pictures no alternative text. `show(fig, alt)` gives a screen reader, a
terminal and a notebook whose pictures did not load the same sentence.
"""

from __future__ import annotations

import base64
import io
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SHOWN, DRAWN = 96, 160  # dots per inch: more are drawn than shown, for dense screens


def show(fig: Figure, alt: str, caption: str = "") -> None:
    """Displays `fig` as a PNG with the alternative text `alt`, and closes it.

    `alt` says what a reader should see in the picture, with its numbers ("NLL falls from 25 to 17
    nats…"), not that there is one ("a plot"). `caption` is printed below for everyone. The
    picture stands on white, so that it reads on a dark page too.

    Raises ValueError if `alt` is empty.
    """
    if not alt.strip():
        raise ValueError("show needs the picture in words as alt: got an empty text")
    import matplotlib.pyplot as plt
    from IPython.display import display

    data = io.BytesIO()
    fig.savefig(data, format="png", dpi=DRAWN, bbox_inches="tight", facecolor="white")
    plt.close(fig)  # or the inline backend shows it a second time, without the words
    png = data.getvalue()
    width = int.from_bytes(png[16:20], "big") * SHOWN // DRAWN  # the PNG's header
    image = (
        f'<img alt="{escape(alt, quote=True)}" width="{width}" style="max-width:100%;height:auto;'
        'background:#fff;border-radius:4px" src="data:image/png;base64,'
        f'{base64.b64encode(png).decode("ascii")}">'
    )
    if caption:
        image += f"<figcaption>{escape(caption)}</figcaption>"
        image = f'<figure style="margin:0">{image}</figure>'
    text = f"[picture: {alt}]" + (f"\n{caption}" if caption else "")
    display({"text/html": image, "text/plain": text}, raw=True)
