"""Makes one HTML page of a widget: its own JavaScript, its state, and no server.

The page runs the very ES module that the notebook runs, on a model that keeps the widget's traits
in the page. It serves the browser tests (a page opens in a fraction of the time of JupyterLab) and
any place that shows HTML.
"""

import base64
import json
import re

import anywidget

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
</style>
<style>__CSS__</style>
</head>
<body>
<main><h1 style="position:absolute;clip-path:inset(50%);width:1px;height:1px">__TITLE__</h1>
<div id="widget"></div></main>
<script id="state" type="application/json">__STATE__</script>
<script id="module" type="application/json">__MODULE__</script>
<script type="module">
const read = (id) => JSON.parse(document.getElementById(id).textContent);
const revive = (value) => value && value.$bytes !== undefined
  ? new DataView(Uint8Array.from(atob(value.$bytes), (c) => c.charCodeAt(0)).buffer) : value;

// What anywidget gives a module: get, set, save_changes, on, off. If the page has a function
// window.kernel, changes go there and its answer (a map of traits) comes back into the model.
class Model {
  constructor(state) {
    this.state = Object.fromEntries(Object.entries(state).map(([k, v]) => [k, revive(v)]));
    this.changed = {};
    this.listeners = new Map();
  }
  get(name) { return this.state[name]; }
  set(name, value) {
    if (this.state[name] === value) return;
    this.state[name] = value;
    this.changed[name] = value;
    this.tell(name);
  }
  tell(name) {
    for (const event of [`change:${name}`, "change"])
      for (const listener of [...(this.listeners.get(event) ?? [])]) listener(this);
  }
  on(events, listener) {
    for (const event of events.split(" "))
      this.listeners.set(event, [...(this.listeners.get(event) ?? []), listener]);
  }
  off(event, listener) {
    for (const name of event ? event.split(" ") : [...this.listeners.keys()])
      this.listeners.set(name, (this.listeners.get(name) ?? []).filter(
        (one) => listener && one !== listener));
  }
  save_changes() {
    const changed = this.changed;
    this.changed = {};
    if (window.kernel) window.kernel(changed).then((answer) => this.receive(answer));
  }
  receive(answer) {
    const names = Object.keys(answer ?? {});
    for (const name of names) this.state[name] = revive(answer[name]);
    for (const name of names) this.tell(name);
  }
  send() {}
}

const address = URL.createObjectURL(new Blob([read("module")], { type: "text/javascript" }));
const module = await import(address);
const definition = typeof module.default === "function" ? await module.default() : module.default;
const model = new Model({ ...read("state"), _live: Boolean(window.kernel) });
window.widgetModel = model;
if (definition.initialize) await definition.initialize({ model });
await definition.render({ model, el: document.getElementById("widget") });
document.body.dataset.painted = "true";
</script>
</body>
</html>
"""


def traits_of(widget: anywidget.AnyWidget) -> dict:
    """The traits that the widget's JavaScript reads, as JSON: bytes become {"$bytes": base64}."""
    state = {
        name: value
        for name, value in widget.get_state().items()
        if not name.startswith(_NOT_STATE) and name not in _NOT_STATE_NAMES
    }
    return json.loads(json.dumps(state, default=_plain))


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
        "STATE": _script(traits_of(widget)),
        "MODULE": _script(str(widget._esm)),
    }
    # One pass over the template, so that a mark inside a trait's own text is never filled in.
    return re.sub(r"__([A-Z]+)__", lambda mark: fields[mark[1]], _PAGE)


def _script(value: object) -> str:
    # "<" would let a text close the script element; JSON may write it as an escape.
    return json.dumps(value, ensure_ascii=False).replace("<", "\\u003c")


def _text(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace('"', "&quot;")


def _plain(value: object) -> object:
    if isinstance(value, bytes | bytearray | memoryview):
        return {"$bytes": base64.b64encode(bytes(value)).decode("ascii")}
    raise TypeError(f"a trait of type {type(value).__name__} cannot stand in a page")
