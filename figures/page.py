"""Makes one HTML page of a widget: its own JavaScript, its state, and no server.

The page runs the very ES module that the notebook runs, on a model that keeps the widget's traits
in the page. It serves the browser tests (a page opens in a fraction of the time of JupyterLab) and
any place that shows HTML.
"""

import base64
import json
import re
from pathlib import Path

import anywidget

# Gives a page `showWidget(element, module, state, kernel)`: what runs a widget without Jupyter.
LOADER = (Path(__file__).parent / "page.js").read_text("utf-8")

# What every Jupyter widget carries and no picture reads.
_NOT_STATE = ("_model_", "_view_", "_esm", "_css", "_anywidget", "_dom_classes")
_NOT_STATE_NAMES = {"layout", "tabbable", "tooltip"}

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>__TITLE__</title>
<style>
  :root { color-scheme: light dark; }
  body { margin: 0; padding: 12px; background: Canvas; }
  main { max-width: __WIDTH__px; margin: 0 auto; }
  main > h1 { position: absolute; clip-path: inset(50%); overflow: hidden; width: 1px; }
</style>
<style>__CSS__</style>
</head>
<body>
<main><h1>__TITLE__</h1>
<div id="widget"></div></main>
<script id="state" type="application/json">__STATE__</script>
<script id="module" type="application/json">__MODULE__</script>
<script type="module">
__LOADER__
const read = (id) => JSON.parse(document.getElementById(id).textContent);
const kernel = window.kernel ? (changed) => window.kernel(changed) : null;
const place = document.getElementById("widget");
window.widgetModel = await showWidget(place, read("module"), read("state"), kernel);
document.body.dataset.painted = "true";
</script>
</body>
</html>
"""


def traits_of(widget: anywidget.AnyWidget) -> dict:
    """The traits that the widget's JavaScript reads, as JSON: bytes become {"$bytes": base64}."""
    return json.loads(json.dumps(read_by_pictures(widget.get_state()), default=_plain))


def read_by_pictures(state: dict) -> dict:
    """Those traits of a widget's whole state that its JavaScript reads."""
    return {
        name: value
        for name, value in state.items()
        if not name.startswith(_NOT_STATE) and name not in _NOT_STATE_NAMES
    }


def self_contained_page(
    widget: anywidget.AnyWidget, title: str | None = None, width: int = 760
) -> str:
    """An HTML page with the widget as it stands now: one file, no server, no network.

    Hover and keys work as in a notebook. What needs the kernel (a button that calls the student's
    functions) is not offered, unless the page is given a function `window.kernel`.
    `width` is the widget's greatest width in pixels.
    """
    fields = {
        "TITLE": _text(title or type(widget).__name__),
        "WIDTH": str(int(width)),
        "CSS": str(getattr(widget, "_css", "")).replace("</", "<\\/"),
        "STATE": script_text(traits_of(widget)),
        "MODULE": script_text(str(widget._esm)),
        "LOADER": LOADER,
    }
    # One pass over the template, so that a mark inside a trait's own text is never filled in.
    return re.sub(r"__([A-Z]+)__", lambda mark: fields[mark[1]], _PAGE)


def script_text(value: object) -> str:
    """The value as JSON that can stand in a script element."""
    # "<" would let a text close the script element; JSON may write it as an escape.
    return json.dumps(value, ensure_ascii=False).replace("<", "\\u003c")


def _text(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace('"', "&quot;")


def _plain(value: object) -> object:
    if isinstance(value, bytes | bytearray | memoryview):
        return {"$bytes": base64.b64encode(bytes(value)).decode("ascii")}
    raise TypeError(f"a trait of type {type(value).__name__} cannot stand in a page")
