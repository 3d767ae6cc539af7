// The dependency explorer: an output is chosen, and the inputs that reach it are lit.

const WIDTH = 330, GAP = 0.5; // between panels, in cells

function render({ model, el }) {
  const id = newId("dependency-explorer");
  const root = make("div", { class: "dependency-explorer" }, el);
  const say = headlineIn(root);
  const body = make("div", { class: "body", tabindex: "0", role: "slider", "aria-label": "Output",
    "aria-describedby": `${id}-keys`, "data-lm-suppress-shortcuts": "true" }, root);
  const words = make("p", { class: "words", role: "status", "aria-live": "polite" }, root);
  const notice = make("p", { class: "notice" }, root);
  const keys = make("p", { class: "keys", id: `${id}-keys` }, root,
    "Point at an output, or ← → ↑ ↓ (Home, End): filled inputs reach it, a cross is later than the output's own place.");
  const sides = ["Outputs", "Inputs"].map((title) => {
    const side = make("div", { class: "side" }, body);
    make("p", { class: "title" }, side, title);
    return make("svg", { "aria-hidden": "true", focusable: "false" }, side);
  });
  let pointed = null, cells = null;

  const waits = waitingIn(say, notice, [body, words, keys]);

  function grid(svg, [n, panels, rows, columns]) {
    const cell = Math.min(26, WIDTH / columns), high = panels * (rows + GAP) - GAP;
    svg.setAttribute("viewBox", `-2 -2 ${Math.max(columns * cell, 120) + 4} ${high * cell + 4}`);
    svg.style.maxWidth = `${Math.max(columns * cell, 120) + 4}px`;
    svg.replaceChildren();
    return Array.from({ length: n }, (_, i) => {
      const r = Math.floor((i % (rows * columns)) / columns), c = i % columns;
      const y = (Math.floor(i / (rows * columns)) * (rows + GAP) + r) * cell;
      const g = make("g", { transform: `translate(${c * cell} ${y})`, "data-place": i }, svg);
      make("rect", { x: 1, y: 1, width: cell - 2, height: cell - 2, rx: 2 }, g);
      make("path", { d: `M${0.28 * cell} ${0.28 * cell}l${0.44 * cell} ${0.44 * cell}m0 ${-0.44 * cell}l${-0.44 * cell} ${0.44 * cell}` }, g);
      return g;
    });
  }
  const paint = (g, name, i, kind) => {
    if (g.getAttribute("class") !== `cell ${kind}`) g.setAttribute("class", `cell ${kind}`);
    if (kind) g.dataset.mark = `${name} ${i} ${kind}`; else delete g.dataset.mark;
  };

  function draw() {
    const sees = model.get("_sees");
    if (waits(model.get("_notice"), !sees.byteLength)) return;
    say(...model.get("_verdict"));
    cells ??= ["_outputs", "_inputs"].map((name, k) => grid(sides[k], model.get(name)));
    const [outputs, inputs] = cells, o = pointed ?? model.get("_output"), n = inputs.length, ordered = model.get("_ordered");
    outputs.forEach((g, i) => paint(g, "output", i, i === o ? "here" : ""));
    inputs.forEach((g, i) => {
      const at = o * n + i, seen = (sees.getUint8(at >> 3) >> (7 - (at & 7))) & 1;
      paint(g, "input", i, !seen ? "" : ordered && i > o ? "leak" : "seen");
    });
    setText(words, model.get("_words")[o]);
    sliderSays(body, o + 1, 1, outputs.length, model.get("_words")[o]);
  }

  const write = writer(model);
  const under = (event) => event.target.closest?.("[data-place]")?.dataset.place;
  const point = (to) => { if (to !== pointed) { pointed = to; draw(); } };
  sides[0].addEventListener("pointermove", (event) => point(under(event) === undefined ? null : Number(under(event))));
  sides[0].addEventListener("pointerleave", () => point(null));
  sides[0].addEventListener("click", (event) => { if (under(event) !== undefined) write("_output", Number(under(event))); });
  const places = () => cells && { at: model.get("_output"), last: cells[0].length - 1, across: model.get("_outputs")[3] };
  placesByKeys(body, places, (to) => { pointed = null; write("_output", to); });
  draw();
  return follow(model, ["_inputs", "_outputs", "_sees", "_words", "_verdict", "_notice"], ["_output"], (isNew) => {
    if (isNew) cells = null;
    draw();
  });
}

export default live(render);
