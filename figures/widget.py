"""A widget's module and style sheet: what all widgets share, and the widget's own after it.

There is no build step. A notebook, an exported page and Colab get one self-contained module each.
"""

from pathlib import Path

from figures import palette

HERE = Path(__file__).parent


def parts(name: str, root: str) -> tuple[str, str]:
    """The texts for `_esm` and `_css` of the widget whose files are `name`.js and `name`.css.

    root: the selector of the widget's outermost element, as ".mask-explorer".
    """
    shared, own = ((HERE / f"{stem}.css").read_text("utf-8") for stem in ("widget", name))
    css = palette.stylesheet(root) + shared.replace(".widget", root) + own
    return "".join((HERE / f"{stem}.js").read_text("utf-8") for stem in ("widget", name)), css
