// What every widget's module begins with: figures/widget.py puts it before the widget's own text.

const NAMESPACE = "http://www.w3.org/2000/svg";
const SVG_TAGS = new Set(["svg", "g", "path", "rect", "circle", "line", "text", "tspan", "defs", "pattern", "clipPath"]);
const BADGES = { good: "✓", leak: "✕", gap: "!", plain: "?", quiet: "·", waiting: "…" };

// Parents that are being drawn anew, each with those of its children that are still to be used.
const drawn = new Map();

// Draws a parent's children anew, in place of replaceChildren(): what make() now makes in it takes
// the element that stood in the same place, and tells it only what is different. The browser then
// styles and paints what has changed. Those that are left over go when the picture is done. Not for
// children that are listened to, or that are put there by append().
function anew(parent) {
  if (!drawn.size) queueMicrotask(tidy);
  drawn.set(parent, [...parent.childNodes].reverse());
}
function tidy() {
  for (const left of drawn.values()) for (const node of left) node.remove();
  drawn.clear();
}

// The next child of that kind; a few others before it were of things that are no longer drawn.
function standing(left, tag) {
  for (let at = left.length - 1; at >= Math.max(0, left.length - AHEAD); at--)
    if (left[at].localName === tag) {
      while (left.length - 1 > at) left.pop().remove();
      return left.pop();
    }
  return null;
}
const AHEAD = 8;

function told(element, attributes, text) {
  for (const name in attributes) {
    const value = String(attributes[name]);
    if (element.getAttribute(name) !== value) element.setAttribute(name, value);
  }
  if (element.attributes.length !== Object.keys(attributes).length)
    for (const { name } of [...element.attributes])
      if (!(name in attributes || (name === "style" && element.localName === "svg"))) // --grow: legible()
        element.removeAttribute(name);
  const first = element.firstChild;
  if (first && (text === null || first.nextSibling || first.nodeType !== Node.TEXT_NODE)) anew(element);
  if (text === null) return element;
  if (first?.nodeType === Node.TEXT_NODE) {
    if (first.data !== text) first.data = text;
    drawn.get(element)?.pop();
  } else element.prepend(text);
  return element;
}

function make(tag, attributes = {}, parent = null, text = null) {
  const left = drawn.size && parent ? drawn.get(parent) : undefined, old = left && standing(left, tag);
  if (old) return told(old, attributes, text === null ? null : String(text));
  const element = SVG_TAGS.has(tag) ? document.createElementNS(NAMESPACE, tag) : document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  if (text !== null) element.textContent = text;
  if (left?.length) parent.insertBefore(element, left.at(-1)); else parent?.append(element);
  return element;
}

// Unique on the page: every widget has a copy of this module, and a page may show a widget twice.
function newId(name) {
  const counts = (globalThis[Symbol.for("figures.ids")] ??= {});
  return `${name}-${(counts[name] = (counts[name] ?? 0) + 1)}`;
}

// What a widget's module exports. While the view is on the page, the saved picture of the same
// widget is out of sight (figures/saved.py); below stands what became of a changed function.
const live = (render) => ({
  render({ model, el }) {
    el.setAttribute("data-live-view", model.get("_output_id") ?? "");
    const end = render({ model, el });
    el.addEventListener("keydown", keepKeys);
    const watch = legible(el);
    const news = make("p", { class: "news", role: "status" }, el.firstElementChild);
    const tell = () => setText(news, model.get("_news") ?? "");
    tell();
    const unfollow = follow(model, [], ["_news"], tell);
    return () => {
      watch.disconnect();
      unfollow();
      end?.();
    };
  },
});

// Keys by which a control is moved are its own: in JupyterLab an arrow would go to the next cell.
const CONTROLS = "input, select, button", MOVES = new Set([" ", "Enter", "Home", "End", "PageUp", "PageDown"]);
function keepKeys(event) {
  if (isPages(event) || !event.target.matches?.(CONTROLS)) return;
  if (event.key.startsWith("Arrow") || MOVES.has(event.key)) event.stopPropagation();
}

// By how much a picture's own units are smaller than a pixel of the screen: told where known, for to
// measure is to lay the page out.
const grown = (svg) => Number(svg.style.getPropertyValue("--grow")) || measured(svg) || 1;
function measured(svg) {
  const { width } = svg.getBoundingClientRect(), own = svg.viewBox.baseVal?.width;
  return own && width ? Math.max(1, own / width) : 0;
}

// Tells each picture this in --grow, so that a style sheet can keep letters at their size (--least,
// widget.css).
function legible(el) {
  const fit = () => {
    // All are measured before one is told: between the two the page would be laid out anew.
    const found = [...el.querySelectorAll("svg")].map((svg) => [svg, measured(svg)]);
    for (const [svg, grow] of found)
      if (grow && svg.style.getPropertyValue("--grow") !== String(grow)) svg.style.setProperty("--grow", String(grow));
  };
  const watch = new ResizeObserver(fit);
  watch.observe(el);
  fit();
  return watch;
}

// A live region is read anew whenever it is written, and any text is laid out anew. A text that
// takes another's place is no new node, for which the page would look at the style of all around it.
function setText(element, text) {
  const only = element.firstChild, now = String(text ?? "");
  if (only?.nodeType !== Node.TEXT_NODE || only.nextSibling || !now) {
    if (element.textContent !== now) element.textContent = now;
  } else if (only.data !== now) only.data = now;
}

// Whether a key is the page's own, for a modifier is held: Shift with a letter or a sign only writes
// it, but Shift with an arrow selects, and Shift with Enter runs a cell.
const isPages = ({ key, ctrlKey, metaKey, altKey, shiftKey }) =>
  ctrlKey || metaKey || altKey || (shiftKey && (key.length > 1 || key === " "));

// Whether the reader asked for less motion: a film goes to its end at once, and nothing flies.
const isCalm = () => window.matchMedia("(prefers-reduced-motion: reduce)").matches;

// Where the pointer is, in the units of an SVG's own picture; null while it is not drawn.
function pointIn(svg, event) {
  const screen = svg.getScreenCTM();
  return screen && new DOMPoint(event.clientX, event.clientY).matrixTransform(screen.inverse());
}

// What a slider that is drawn here says of itself.
function sliderSays(element, now, least, most, text) {
  const said = { valuemin: least, valuemax: most, valuenow: now, valuetext: text };
  for (const [name, value] of Object.entries(said)) element.setAttribute(`aria-${name}`, String(value));
}

// A function that sets a trait of the reader's and tells the kernel. What follows the trait draws it:
// to draw here too would draw twice a press.
const writer = (model) => (name, value) => {
  model.set(name, value);
  model.save_changes();
};

// Whether somebody answers: a web page that shows a widget has no kernel (figures/page.js says so).
const hasKernel = (model) => !model.get("_alone");

// Elements that ask the kernel are seen where one answers; elsewhere a line tells what they do there.
// Returns a function that looks again; only a widget that asks (_live in Python) has anything to say.
function whereKernelRuns(model, parent, elements, what) {
  const note = make("p", { class: "alone" }, parent, `In a notebook, where a kernel runs, you can ${what}.`);
  return () => {
    const asks = Boolean(model.get("_live"));
    for (const element of elements) element.hidden = !asks || !hasKernel(model);
    note.hidden = !asks || hasKernel(model);
  };
}

// A line with a badge, and a function that says a verdict of one of these kinds in it.
function headlineIn(root) {
  const headline = make("p", { class: "headline" }, root);
  const badge = make("span", { class: "badge", "aria-hidden": "true" }, headline);
  const verdict = make("span", { class: "verdict" }, headline);
  return (kind, text) => {
    headline.dataset.kind = kind;
    setText(badge, BADGES[kind]);
    setText(verdict, text);
  };
}

// Whether a widget has nothing to draw yet: why, where a function is not written or has a fault, or
// because nothing came. Its parts are hidden where the reason stands.
const waitingIn = (say, notice, parts) => (why, isEmpty = false) => {
  for (const part of parts) part.hidden = Boolean(why);
  setText(notice, why);
  const waits = Boolean(why) || isEmpty;
  if (waits) say("waiting", "Nothing to draw yet");
  return waits;
};

// Keys that choose a place: ← → its neighbors, ↑ ↓ those a row away (`across`), Home and End.
// where() is {at, first, last, across}, or null while there are none; go(to) gets a place in it.
function placesByKeys(element, where, go) {
  element.addEventListener("keydown", (event) => {
    const places = where();
    if (!places || isPages(event)) return;
    const { at, first = 0, last, across } = places;
    const to = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: first, End: last,
      ...(across ? { ArrowUp: at - across, ArrowDown: at + across } : {}) }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    go(to < first || to > last ? at : to);
  });
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

