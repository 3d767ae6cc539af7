// What every widget's module begins with: figures/widget.py puts it before the widget's own text.

const NAMESPACE = "http://www.w3.org/2000/svg";
const SVG_TAGS = new Set(["svg", "g", "path", "rect", "circle", "line", "text", "tspan", "defs", "pattern", "clipPath"]);
const BADGES = { good: "✓", leak: "✕", gap: "!", plain: "?", quiet: "·", waiting: "…" };

function make(tag, attributes = {}, parent = null, text = null) {
  const element = SVG_TAGS.has(tag) ? document.createElementNS(NAMESPACE, tag) : document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  if (text !== null) element.textContent = text;
  parent?.append(element);
  return element;
}

let serial = 0;
const newId = (name) => `${name}-${++serial}`; // a page may show a widget twice

// A line with a badge, and a function that says a verdict of one of these kinds in it.
function headlineIn(root) {
  const headline = make("p", { class: "headline" }, root);
  const badge = make("span", { class: "badge", "aria-hidden": "true" }, headline);
  const verdict = make("span", { class: "verdict" }, headline);
  return (kind, text) => {
    headline.dataset.kind = kind;
    badge.textContent = BADGES[kind];
    verdict.textContent = text;
  };
}

// Draws when traits change, once for all of a message: draw(true) if one of `content` did, and not
// only the reader's `place`. Returns a function that ends it.
function follow(model, content, place, draw) {
  let pending = false, anew = false;
  const listener = (isContent) => () => {
    anew ||= isContent;
    if (pending) return;
    pending = true;
    queueMicrotask(() => {
      const isNew = anew;
      pending = anew = false;
      draw(isNew);
    });
  };
  const listeners = [[content, listener(true)], [place, listener(false)]];
  const each = (act) => { for (const [names, heard] of listeners) for (const name of names) model[act](`change:${name}`, heard); };
  each("on");
  return () => each("off");
}

function floats(view) { // 32-bit, little-endian
  return Float64Array.from({ length: (view?.byteLength ?? 0) / 4 }, (_, i) => view.getFloat32(4 * i, true));
}

// The Python modules write numbers in the same way.
function fixed(value, places) {
  if (Number.isNaN(value)) return "NaN";
  if (!Number.isFinite(value)) return value > 0 ? "∞" : "−∞";
  const text = Math.abs(value).toFixed(places);
  return (value < 0 && Number(text) ? "−" : "") + text;
}

