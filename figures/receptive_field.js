// The receptive-field explorer: which inputs one output sees, for each output of several networks.
// All maps are here as bits; the kernel is asked for nothing.

const SIDE = 300; // of a grid, in its own units
const MOST_NAMED = 3;

// ------------------------------------------------------------------------------------- the words
// The Python module says the same in the same words; a test holds the two together.

const s = (count) => (count === 1 ? "" : "s");
const colorName = (k, colors) => (colors === 3 ? "RGB"[k] : `color ${k + 1}`);
const isAre = (count) => (count === 1 ? "is" : "are");

class Network {
  constructor(model, view) {
    this.height = model.get("_height");
    this.width = model.get("_width");
    this.colors = model.get("_colors");
    this.n = this.height * this.width * this.colors;
    this.view = view;
    this.data = model.get("_bits");
  }
  sees(o, i) {
    const bit = o * this.n + i;
    return (this.data.getUint8(this.view.at + (bit >> 3)) >> (7 - (bit & 7))) & 1;
  }
  place(i) {
    const pixel = Math.floor(i / this.colors);
    return [Math.floor(pixel / this.width), pixel % this.width, i % this.colors];
  }
  title(i) {
    const [r, c, k] = this.place(i);
    return `${this.colors > 1 ? `${colorName(k, this.colors)} of ` : ""}row ${r + 1}, column ${c + 1}`;
  }
  count(number) { return `${number} ${this.colors === 1 ? "pixel" : "number"}${s(number)}`; }
  split(o) {
    const found = { before: [], leaks: [], near: [], far: [] };
    const [r, c] = this.place(o), reach = this.view.reach;
    for (let i = 0; i < this.n; i++) {
      const seen = this.sees(o, i);
      if (seen) (i < o ? found.before : found.leaks).push(i);
      else if (i < o) {
        const [a, b] = this.place(i), distance = Math.max(Math.abs(r - a), Math.abs(c - b));
        (reach === null || distance <= reach ? found.near : found.far).push(i);
      }
    }
    return found;
  }
  word(o, near) {
    const [r, c] = this.place(o);
    return near.some((i) => { const [a, b] = this.place(i); return a < r && b > c; }) ? "Blind spot" : "Lost";
  }
  predicted(o) {
    const field = this.view.field;
    if (field === null) return null;
    const [r, c] = this.place(o), inside = new Set();
    for (let j = 0; j < field.length; j += 2) {
      const a = r + field[j], b = c + field[j + 1];
      if (a >= 0 && a < this.height && b >= 0 && b < this.width) inside.add(a * this.width + b);
    }
    return inside;
  }
  pixelInWords(o) {
    const { before, leaks, near, far } = this.split(o), name = this.title(o);
    let said = name[0].toUpperCase() + name.slice(1);
    said += o ? ` sees ${before.length} of the ${this.count(o)} before it.` : " is the first: nothing comes before it.";
    if (leaks.length) {
      const more = leaks.length > MOST_NAMED ? ` and ${leaks.length - MOST_NAMED} more` : "";
      said += ` Not autoregressive: it sees ${this.count(leaks.length)} at or after itself: `
        + `${leaks.slice(0, MOST_NAMED).map((i) => this.title(i)).join("; ")}${more}.`;
    }
    if (near.length)
      said += ` ${this.word(o, near)}: ${this.count(near.length)} before it and within reach ${isAre(near.length)} not seen`
        + `${near.length > 1 ? ", the last of them" : ":"} ${this.title(near[near.length - 1])}.`;
    if (far.length) said += ` ${this.count(far.length)} ${far.length === 1 ? "lies" : "lie"} beyond reach.`;
    const inside = this.predicted(o);
    if (inside === null) return said;
    const seen = new Set([...before, ...leaks]);
    const unseen = [...inside].filter((i) => !seen.has(i)).length, missed = [...seen].filter((i) => !inside.has(i)).length;
    if (!unseen && !missed) return `${said} Your formula predicts exactly this.`;
    return `${said} Your formula predicts ${this.count(unseen)} that ${isAre(unseen)} not seen, and misses `
      + `${this.count(missed)} that ${isAre(missed)}.`;
  }
  verdict() {
    if (this.told) return this.told;
    let leaking = 0, losing = 0, blind = false, any = false;
    for (let o = 0; o < this.n; o++) {
      const { before, leaks, near } = this.split(o);
      any ||= before.length + leaks.length > 0;
      if (leaks.length) leaking++;
      if (near.length) { losing++; blind ||= this.word(o, near) === "Blind spot"; }
    }
    if (leaking)
      this.told = ["leak", `Not autoregressive: ${leaking} of ${this.n} outputs see themselves or what comes later`];
    else if (losing)
      this.told = ["gap", `Autoregressive, ${blind ? "with a blind spot" : "but near pixels are lost"}: ${losing} of ${this.n} outputs do not see all`];
    else if (!any) this.told = ["gap", "Blind to the future, and to the past as well"];
    else this.told = ["good", "Autoregressive: everything before a pixel and within reach is seen, nothing else"];
    return this.told;
  }
}

// ------------------------------------------------------------------------------------ the picture

function render({ model, el }) {
  const root = make("div", { class: "receptive-field" }, el);
  const say = headlineIn(root);
  const notice = make("p", { class: "notice" }, root);
  const body = make("div", {}, root);
  const controls = make("div", { class: "controls" }, body);
  const middle = make("div", { class: "side" }, body);
  const keysId = newId("receptive-field-keys");
  const grids = make("div", { class: "grids", tabindex: "0", role: "slider", "aria-label": "Pixel of the output",
    "aria-describedby": keysId, "data-lm-suppress-shortcuts": "true" }, middle);
  const told = make("div", { class: "told" }, middle);
  const readout = make("div", { class: "readout", role: "status", "aria-live": "polite" }, told);
  const words = make("p", { class: "words" }, readout);
  const legend = make("div", { class: "legend", "aria-hidden": "true" }, told);
  const keys = make("p", { class: "keys", id: keysId }, root);

  let panels = [], pointed = null;
  const networks = new Map();

  const views = () => model.get("_views");
  const chosen = () => {
    const name = model.get("_name"), first = model.get("_first"), depth = model.get("_depth");
    const rest = depth === 1 ? "B" : model.get("_rest");
    return views().find((v) => v.name === name && v.first === first && v.rest === rest && v.depth === depth) ?? views()[0];
  };
  const network = () => {
    const view = chosen();
    if (!networks.has(view)) networks.set(view, new Network(model, view));
    return networks.get(view);
  };
  const write = writer(model);

  // ------------------------------------------------------------------------------------ controls

  function group(label) {
    const box = make("span", { class: "group", role: "group", "aria-label": label }, controls);
    make("span", { "aria-hidden": "true" }, box, label);
    return box;
  }
  const buttons = [];
  function choice(label, trait, values, names = values) {
    const box = group(label);
    values.forEach((value, k) => {
      const button = make("button", { type: "button", "data-lm-suppress-shortcuts": "true" }, box, names[k]);
      button.addEventListener("click", () => write(trait, value));
      buttons.push([button, trait, value]);
    });
    return box;
  }
  let slider = null, count = null, restBox = null, colorButtons = [];
  function buildControls() {
    controls.replaceChildren();
    buttons.length = 0;
    colorButtons = [];
    slider = restBox = null;
    const names = [...new Set(views().map((v) => v.name))], deepest = Math.max(...views().map((v) => v.depth));
    if (names.length > 1) choice("Network", "_name", names);
    if (deepest > 0) {
      const box = make("label", { class: "group" }, controls);
      make("span", {}, box, "Layers");
      slider = make("input", { type: "range", min: "1", max: String(deepest), step: "1", "data-lm-suppress-shortcuts": "true" }, box);
      count = make("span", { class: "count" }, box);
      slider.addEventListener("input", () => write("_depth", Number(slider.value)));
      choice("First layer", "_first", ["A", "B"]);
      restBox = choice("Later layers", "_rest", ["A", "B"]);
    }
    const colors = model.get("_colors");
    if (colors > 1) {
      const box = group("Output");
      for (let k = 0; k < colors; k++) {
        const button = make("button", { type: "button", "data-lm-suppress-shortcuts": "true" }, box, colorName(k, colors));
        button.addEventListener("click", () => toColor(k));
        colorButtons.push(button);
      }
    }
    controls.hidden = !controls.childElementCount;
  }
  function toColor(k) {
    const colors = model.get("_colors"), at = model.get("_cursor");
    write("_cursor", at - (at % colors) + k);
  }

  // -------------------------------------------------------------------------------------- panels

  function buildPanels() {
    grids.replaceChildren();
    const colors = model.get("_colors"), height = model.get("_height"), width = model.get("_width");
    const cell = SIDE / Math.max(height, width);
    grids.classList.toggle("many", colors > 1);
    panels = Array.from({ length: colors }, (_, k) => {
      const panel = make("div", { class: "panel" }, grids);
      if (colors > 1) make("p", { class: "title" }, panel, `Input ${colorName(k, colors)}`);
      const svg = make("svg", { viewBox: `-3 -3 ${width * cell + 6} ${height * cell + 6}`, "aria-hidden": "true" }, panel);
      const under = (event) => {
        const box = svg.getBoundingClientRect(), unit = (width * cell + 6) / box.width;
        const c = Math.floor(((event.clientX - box.left) * unit - 3) / cell), r = Math.floor(((event.clientY - box.top) * unit - 3) / cell);
        if (r < 0 || c < 0 || r >= height || c >= width) return null;
        return (r * width + c) * colors + (model.get("_cursor") % colors);
      };
      svg.addEventListener("pointermove", (event) => { const at = under(event); if (at !== pointed) { pointed = at; draw(); } });
      svg.addEventListener("pointerleave", () => { pointed = null; draw(); });
      svg.addEventListener("click", (event) => { const at = under(event); if (at !== null) write("_cursor", at); });
      return { svg, cell };
    });
  }
  grids.addEventListener("keydown", (event) => {
    if (!views().length || isPages(event)) return;
    const at = model.get("_cursor"), colors = model.get("_colors"), width = model.get("_width");
    const n = colors * width * model.get("_height"), column = Math.floor(at / colors) % width, deepest = Math.max(...views().map((v) => v.depth));
    const to = { ArrowLeft: column > 0 ? at - colors : at, ArrowRight: column < width - 1 ? at + colors : at,
      ArrowUp: at - width * colors, ArrowDown: at + width * colors, Home: at % colors, End: n - colors + (at % colors) }[event.key];
    const depth = model.get("_depth") + ({ "+": 1, "-": -1 }[event.key] ?? 0);
    if (to === undefined && !(deepest && "+-".includes(event.key)) && !(colors > 1 && event.key === "c")) return;
    event.preventDefault();
    event.stopPropagation();
    const pointer = pointed;
    pointed = null;
    if (event.key === "c") toColor((at + 1) % colors);
    else if (to === undefined) { if (depth >= 1 && depth <= deepest) write("_depth", depth); }
    else if (to !== at && to >= 0 && to < n) write("_cursor", to);
    else if (pointer !== null) draw(); // the keys take over where they are
  });

  const square = (svg, kind, r, c, cell, share, more = {}) => make("rect", { class: kind, x: c * cell + (cell * (1 - share)) / 2,
    y: r * cell + (cell * (1 - share)) / 2, width: cell * share, height: cell * share, rx: cell * 0.06, ...more }, svg);
  function cross(svg, r, c, cell) {
    const x = c * cell, y = r * cell, a = 0.28 * cell, b = 0.72 * cell;
    make("path", { class: "cross", d: `M${x + a} ${y + a}L${x + b} ${y + b}M${x + b} ${y + a}L${x + a} ${y + b}` }, svg);
  }

  function drawPanels(net, o) {
    const { before, leaks, near, far } = net.split(o), kinds = new Array(net.n).fill("");
    for (const i of before) kinds[i] = "seen";
    for (const i of leaks) kinds[i] = "leak";
    for (const i of near) kinds[i] = "near";
    for (const i of far) kinds[i] = "before";
    const predicted = net.predicted(o), [r0, c0, k0] = net.place(o);
    panels.forEach(({ svg, cell }, k) => {
      anew(svg);
      make("rect", { class: "ground", x: 0, y: 0, width: net.width * cell, height: net.height * cell }, svg);
      for (let pixel = 0; pixel < net.height * net.width; pixel++) {
        const i = pixel * net.colors + k, r = Math.floor(pixel / net.width), c = pixel % net.width;
        const mark = { seen: "seen", leak: "leak", near: "gap" }[kinds[i]] ?? (i === o ? "here" : null);
        square(svg, `cell ${kinds[i]}`, r, c, cell, kinds[i] === "near" || kinds[i] === "leak" ? 0.8 : 0.92,
          mark ? { "data-mark": `input ${k} ${r} ${c} ${mark}` } : {});
        if (kinds[i] === "leak") cross(svg, r, c, cell);
        if (kinds[i] === "near") make("circle", { class: "dot", cx: (c + 0.5) * cell, cy: (r + 0.5) * cell, r: 0.09 * cell }, svg);
        if (predicted?.has(i))
          make("circle", { class: `ring${kinds[i] === "seen" ? "" : " unseen"}`, cx: (c + 0.5) * cell, cy: (r + 0.5) * cell, r: 0.27 * cell }, svg);
      }
      square(svg, `frame${k === k0 ? "" : " other"}`, r0, c0, cell, 1);
    });
  }

  function drawLegend(net) {
    const entries = [["seen", "seen, and before the pixel"], ["near", "before it and within reach, not seen"],
      ["leak", "seen, and not before it: a leak"], ["", "itself, and after it: must not be seen"],
      ["before", "before it, beyond reach"]];
    if (net.view.reach === null) entries.pop();
    anew(legend);
    for (const [kind, text] of entries) {
      const key = make("span", { class: "key" }, legend), svg = make("svg", { viewBox: "0 0 20 20" }, key);
      square(svg, `cell ${kind}`, 0, 0, 20, 0.84);
      if (kind === "leak") cross(svg, 0, 0, 20);
      if (kind === "near") make("circle", { class: "dot", cx: 10, cy: 10, r: 2.2 }, svg);
      make("span", {}, key, text);
    }
    if (net.view.field !== null) {
      const key = make("span", { class: "key" }, legend), svg = make("svg", { viewBox: "0 0 20 20" }, key);
      make("circle", { class: "ring unseen", cx: 10, cy: 10, r: 6 }, svg);
      make("span", {}, key, "predicted by your formula");
    }
  }

  function draw() {
    const waiting = model.get("_notice");
    body.hidden = keys.hidden = Boolean(waiting) || !views().length;
    notice.textContent = waiting || model.get("_remark");
    if (body.hidden) {
      say("waiting", "Nothing to draw yet");
      return;
    }
    const net = network(), o = pointed ?? model.get("_cursor"), [kind, text] = net.verdict();
    say(kind, text);
    for (const [button, trait, value] of buttons) button.setAttribute("aria-pressed", String(model.get(trait) === value));
    colorButtons.forEach((button, k) => button.setAttribute("aria-pressed", String(net.place(o)[2] === k)));
    if (slider) {
      slider.value = String(model.get("_depth"));
      count.textContent = slider.value;
      for (const button of restBox.querySelectorAll("button")) button.disabled = slider.value === "1";
    }
    drawPanels(net, o);
    drawLegend(net);
    const said = net.pixelInWords(o);
    setText(words, said);
    keys.textContent = "Point at a pixel, or use the arrow keys, Home and End; a click stays."
      + (slider ? " + and −: layers." : "") + (net.colors > 1 ? " c: the next color." : "");
    sliderSays(grids, o + 1, 1, net.n, said);
  }

  // A kernel may send what is here already: then nothing is built anew.
  let built = null;
  function setUp() {
    networks.clear();
    if (!views().length) return;
    const now = JSON.stringify([model.get("_height"), model.get("_width"), model.get("_colors"),
      views().map((v) => [v.name, v.depth])]);
    if (now === built) return;
    built = now;
    buildControls();
    buildPanels();
  }
  setUp();
  draw();
  return follow(model, ["_height", "_width", "_colors", "_views", "_bits", "_notice", "_remark"],
    ["_name", "_first", "_rest", "_depth", "_cursor"], (isNew) => {
      if (isNew) setUp();
      draw();
    });
}

export default live(render);
