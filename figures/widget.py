"""What all widgets share: module and style sheet, their text, and sentences on student code.

There is no build step. A notebook, an exported page and Colab get one self-contained module each.
"""

from __future__ import annotations

import math
import traceback
from decimal import ROUND_HALF_UP, Decimal, localcontext
from pathlib import Path
from typing import Any

import anywidget

from figures import palette

HERE = Path(__file__).parent


class Widget(anywidget.AnyWidget):
    """A widget that says in `repr` what it shows, for places where no widget runs."""

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        bundle = super()._repr_mimebundle_(**kwargs)
        if bundle is not None:
            # The base class may cut the text short; where no widget runs, the text is the picture.
            bundle[0]["text/plain"] = repr(self)
        return bundle


class WrongForm(Exception):
    """An answer in another form than the picture needs."""


def parts(name: str, root: str) -> tuple[str, str]:
    """The texts for `_esm` and `_css` of the widget whose files are `name`.js and `name`.css.

    root: the selector of the widget's outermost element, as ".mask-explorer".
    """
    shared, own = ((HERE / f"{stem}.css").read_text("utf-8") for stem in ("widget", name))
    css = palette.stylesheet(root) + shared.replace(".widget", root) + own
    return "".join((HERE / f"{stem}.js").read_text("utf-8") for stem in ("widget", name)), css


def name_of(subject: Any) -> str:
    """A function's or a class's name, or that of an object's class."""
    return getattr(subject, "__name__", type(subject).__name__)


def sentence(function: Any, error: Exception, name: str = "") -> str:
    """The student's error in a sentence, with the line of their own code where there is one."""
    code = getattr(function, "__code__", None)
    lines = [
        frame.lineno
        for frame in traceback.extract_tb(error.__traceback__)
        if code is not None and frame.filename == code.co_filename
    ]
    said = str(error).strip().splitlines()
    what = f"{type(error).__name__}: {said[0]}" if said else type(error).__name__
    name = name or name_of(function)
    return f"{name}, line {lines[-1]}: {what}" if lines else f"{name}: {what}"


def fixed(value: float, places: int) -> str:
    """2.350 as JavaScript's toFixed writes it, with a true minus; widget.js has the same."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    with localcontext(rounding=ROUND_HALF_UP):
        text = format(Decimal(abs(value)), f".{places}f")
    return ("−" if value < 0 and float(text) else "") + text
