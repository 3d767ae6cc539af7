// The mixture explorer: two logistics over counts of levels; prices and picture are computed here.

const WIDTH = 720, TALL = 200, SLIM = 80, GAP = 24, NARROWEST = 0.02, WIDEST = 80;
const NAMES = { bins: "bins: a table", density: "density at the level", discretized: "discretized: mass of the bin" };

const logSigmoid = (z) => (z < 0 ? z - Math.log1p(Math.exp(z)) : -Math.log1p(Math.exp(-z)));
function logSum(terms) {
  const most = Math.max(...terms);
  return most + Math.log(terms.reduce((sum, t) => sum + Math.exp(t - most), 0));
}

// Logarithms for each level, under each of the three.
function logsOf(model) {
  const counts = model.get("_counts"), bells = model.get("bells"), K = counts.length;
  const total = counts.reduce((a, b) => a + b, 0), unit = model.get("short_axis") ? Math.log(K) : 0;
  const mass = (x, mu, s) => {
    const below = logSigmoid((x + 0.5 - mu) / s), above = logSigmoid((mu - x + 0.5) / s);
    return x === 0 ? below : x === K - 1 ? above : below + above + Math.log(-Math.expm1(-1 / s));
  };
  const density = (x, mu, s) => logSigmoid((x - mu) / s) + logSigmoid((mu - x) / s) - Math.log(s);
  const mixed = (of) => (x) => logSum(bells.map(([w, mu, s]) => Math.log(w) + of(x, mu, s)));
  const at = (f) => counts.map((_, x) => f(x));
  return {
    bins: at((x) => Math.log((counts[x] + 1) / (total + K))),
    density: at((x) => mixed(density)(x) + unit),
    discretized: at(mixed(mass)),
    curve: mixed(density),
    share: counts.map((c) => c / total),
  };
}

const price = (share, logs) => -share.reduce((sum, p, x) => sum + (p ? p * logs[x] : 0), 0);

// The Python module says the same; a test holds the two together.
function inWords(model, logs) {
  const bells = model.get("bells").map(([w, mu, s], k) =>
    `bell ${k + 1}: weight ${fixed(w, 2)}, center ${fixed(mu, 1)}, width ${fixed(s, 2)}`).join("; ");
  const prices = Object.keys(NAMES).map((view) => `${view} ${fixed(price(logs.share, logs[view]), 3)}`).join(", ");
  const axis = `0 to ${model.get("short_axis") ? 1 : logs.share.length}`;
  return `${bells}. Average NLL in nats on the axis ${axis}: ${prices}.`;
}

function render({ model, el }) {
  const K = model.get("_counts").length;
  const root = make("div", { class: "mixture-explorer", role: "group", "aria-label": "mixture explorer",
    "data-lm-suppress-shortcuts": "true" }, el);
  root.addEventListener("keydown", (event) => { if (event.key !== "Tab") event.stopPropagation(); });
  const svg = make("svg", { viewBox: `0 0 ${WIDTH} ${TALL + GAP + SLIM + 18}`, role: "img" }, root);
  const data = make("path", { class: "data" }, svg), line = make("path", { class: "model" }, svg);
  const adds = make("path", { class: "adds" }, svg);
  for (const y of [TALL, TALL + GAP + SLIM]) make("line", { class: "axis", x1: 0, x2: WIDTH, y1: y, y2: y }, svg);
  make("text", { x: 4, y: TALL + 17 }, svg, "what each level adds to the average, in nats");
  const ends = [make("text", { x: 2, y: TALL + GAP + SLIM + 15 }, svg, "0"),
    make("text", { x: WIDTH - 2, y: TALL + GAP + SLIM + 15, "text-anchor": "end" }, svg)];
  const handles = [0, 1].map(() => make("circle", { class: "handle", r: 8, cy: TALL }, svg));

  const prices = make("div", { class: "prices" }, root), buttons = {};
  for (const [view, name] of Object.entries(NAMES)) {
    const button = make("button", { type: "button", class: view }, prices);
    make("span", {}, button, name);
    make("span", { class: "number" }, button);
    button.addEventListener("click", () => save("view", view));
    buttons[view] = button;
  }
  const axis = make("button", { type: "button", class: "unit" }, prices);
  axis.addEventListener("click", () => save("short_axis", !model.get("short_axis")));

  const sliders = make("div", { class: "sliders" }, root);
  const slide = (name, low, high, step, read, write) => {
    const label = make("label", {}, sliders, name);
    const input = make("input", { type: "range", min: low, max: high, step, "aria-label": name }, label);
    input.addEventListener("input", () => change((bells) => write(bells, Number(input.value))));
    return () => { input.value = read(model.get("bells")); };
  };
  const follows = [slide("weight of bell 1", 0.02, 0.98, 0.02, (b) => b[0][0], (b, v) => { b[0][0] = v; b[1][0] = 1 - v; })];
  for (const k of [0, 1]) {
    follows.push(slide(`center of bell ${k + 1}`, -20, K + 20, 0.5, (b) => b[k][1], (b, v) => { b[k][1] = v; }));
    follows.push(slide(`width of bell ${k + 1}, as a logarithm`, Math.log(NARROWEST), Math.log(WIDEST), "any",
      (b) => Math.log(b[k][2]), (b, v) => { b[k][2] = Math.exp(v); }));
  }
  const words = make("p", { class: "words", role: "status", "aria-live": "polite" }, root);
  const theirs = make("p", { class: "theirs" }, root);

  const look = whereKernelRuns(model, root, [], "ask your own function wherever the bells stand");
  const asked = String(model.get("bells")), save = writer(model);
  function change(write) {
    const bells = model.get("bells").map((bell) => [...bell]);
    write(bells);
    save("bells", bells);
  }
  handles.forEach((handle, k) => {
    handle.addEventListener("pointerdown", (event) => handle.setPointerCapture(event.pointerId));
    handle.addEventListener("pointermove", (event) => {
      if (!handle.hasPointerCapture(event.pointerId)) return;
      const x = (pointIn(svg, event).x / WIDTH) * K - 0.5;
      change((bells) => { bells[k][1] = Math.max(-20, Math.min(K + 20, x)); });
    });
  });

  const bars = (values, floor, height) => values.map((v, x) =>
    `M${(x * WIDTH) / K} ${floor}v${(-v * height).toFixed(2)}h${WIDTH / K}v${(v * height).toFixed(2)}z`).join("");
  const told = (values) => values.filter((_, x) => x % Math.max(1, Math.floor(K / 8)) === 0).map((v) => fixed(v, 4)).join(" ");
  function draw() {
    const logs = logsOf(model), view = model.get("view"), unit = model.get("short_axis");
    const most = 1.35 * Math.max(...logs.share);
    const y = (value) => (TALL - (Math.min(value / most, 1) * TALL)).toFixed(2);
    data.setAttribute("d", bars(logs.share.map((v) => v / most), TALL, TALL));
    const steps = (values) => values.map((v, x) => `${x ? "V" : `M0 `}${y(Math.exp(v))}H${((x + 1) * WIDTH) / K}`).join("");
    const curve = Array.from({ length: WIDTH + 1 }, (_, i) => `${i ? "L" : "M"}${i} ${y(Math.exp(logs.curve((i * K) / WIDTH - 0.5)))}`);
    line.setAttribute("d", view === "density" ? curve.join("") : steps(logs[view]));
    const terms = logs.share.map((p, x) => (p ? Math.max(0, -p * logs[view][x]) : 0)), tallest = Math.max(1e-9, ...terms);
    adds.setAttribute("d", bars(terms.map((t) => t / tallest), TALL + GAP + SLIM, SLIM));
    const heights = logs[view].map((v, x) => Math.exp(view === "density" ? logs.curve(x) : v));
    data.dataset.mark = `data ${told(logs.share)}`;
    line.dataset.mark = `${view} ${told(heights)}`;
    adds.dataset.mark = `adds ${told(terms)}`;
    ends[1].textContent = unit ? "1" : `${K}`;
    axis.textContent = unit ? `make the axis 0 to ${K}` : "make the axis 0 to 1";
    for (const [name, button] of Object.entries(buttons)) {
      button.setAttribute("aria-pressed", String(name === view));
      button.querySelector(".number").textContent = `${fixed(price(logs.share, logs[name]), 3)} nats`;
    }
    model.get("bells").forEach(([, mu], k) => {
      handles[k].setAttribute("cx", Math.max(8, Math.min(WIDTH - 8, ((mu + 0.5) * WIDTH) / K)));
      handles[k].dataset.mark = `bell ${k + 1} ${fixed(mu, 1)}`;
    });
    for (const one of follows) one();
    setText(words, inWords(model, logs));
    svg.setAttribute("aria-label", words.textContent);
    // What the function said holds where it was asked.
    const isMoved = !hasKernel(model) && String(model.get("bells")) !== asked;
    setText(theirs, isMoved ? "" : model.get("_theirs"));
    look();
  }
  const end = follow(model, ["bells", "view", "short_axis", "_counts", "_theirs"], [], draw);
  draw();
  return end;
}

export default live(render);
