// The unrolled network: bits below, states above; a bit is turned, and each state is as full as the
// share of the change that is left in it. All was measured in the kernel.

const WIDTH = 720, TALL = 180, HIGH = 56, LOW = 140;

const percent = (share) => (share > 9.99 ? "> 999 %" : `${fixed(100 * share, 0)} %`);

// How far each state moves, and its share of how far the first state moves that read the bit.
function movedBy(model) {
  const n = model.get("_bits").length, i = model.get("_place"), table = floats(model.get("_moved"));
  const network = Math.min(model.get("_name"), table.length / (n * (n + 1)) - 1);
  const moved = Array.from(table.slice((network * n + i) * (n + 1), (network * n + i + 1) * (n + 1)));
  return { n, i, moved, shares: moved.map((value) => value / Math.max(moved[i + 1], 1e-30)) };
}

// The Python module says the same; a test holds the two together.
function inWords(model, { n, i, moved, shares }) {
  if (model.get("_notice")) return model.get("_notice");
  const name = model.get("_names")[model.get("_name")];
  const early = moved.slice(0, i + 1).flatMap((value, t) => (value > 0 ? [`h${t}`] : []));
  return early.length
    ? `${name}: bit ${i + 1} is seen by ${early.join(", ")}, which must not have read it yet.`
    : `${name}: bit ${i + 1} of ${n} is turned. ${percent(shares[n])} of the change is left in h${n}, `
      + `${n - i - 1} step${n - i === 2 ? "" : "s"} later.`;
}

function render({ model, el }) {
  const root = make("div", { class: "unrolled", role: "group", "aria-label": "unrolled network",
    "data-lm-suppress-shortcuts": "true" }, el);
  const svg = make("svg", { viewBox: `0 0 ${WIDTH} ${TALL}`, role: "slider", tabindex: "0", "aria-label": "the bit that is turned" }, root);
  const networks = make("div", { class: "networks" }, root);
  const words = make("p", { class: "words", role: "status", "aria-live": "polite" }, root);
  make("p", { class: "keys" }, root, "Click a bit, or ← → for the next one; ↑ ↓ for the next network.");

  const draw = () => {
    const bits = model.get("_bits"), now = movedBy(model), { n, i, shares } = now, lane = WIDTH / (n + 1);
    const at = (t) => lane * (t + 0.5), part = (tag, attributes, text = null) => make(tag, attributes, svg, text);
    anew(svg);
    for (let t = 0; t < n; t++) {
      part("line", { class: `wire ${t > i ? "lit" : ""}`, x1: at(t) + 16, y1: HIGH, x2: at(t + 1) - 16, y2: HIGH });
      part("line", { class: `wire ${t === i ? "lit" : ""}`, x1: at(t), y1: LOW - 14, x2: at(t + 1) - 8, y2: HIGH + 18 });
    }
    for (let t = 0; t <= n; t++) {
      const early = t <= i && shares[t] > 0, said = early ? "leak" : percent(shares[t]);
      part("circle", { class: "state", cx: at(t), cy: HIGH, r: 15, "data-mark": `state ${t} ${said}` });
      part("circle", { class: "left", cx: at(t), cy: HIGH, r: 15 * Math.sqrt(Math.min(1, shares[t])) });
      if (early) part("path", { class: "cross", d: `M${at(t) - 7} ${HIGH - 7}l14 14m0 -14l-14 14` });
      part("text", { class: "name", x: at(t), y: HIGH + 36 }, t ? `${t}` : "h0");
      part("text", { class: "share", x: at(t), y: HIGH - 22 }, shares[t] > 9.99 ? "≫" : fixed(100 * shares[t], 0));
    }
    [...bits].forEach((bit, t) => {
      const turned = t === i ? " turned" : "";
      part("rect", { class: `bit${turned}`, x: at(t) - 12, y: LOW - 12, width: 24, height: 24, rx: 4, "data-mark": `bit ${t} ${bit}${turned}` });
      part("text", { class: `digit${turned}`, x: at(t), y: LOW + 5 }, bit);
    });
    svg.toggleAttribute("hidden", Boolean(model.get("_notice")));
    [...networks.children].forEach((button, k) => button.setAttribute("aria-pressed", String(k === model.get("_name"))));
    setText(words, inWords(model, now));
    sliderSays(svg, i + 1, 1, n, words.textContent);
  };
  const save = writer(model), last = model.get("_bits").length - 1;
  const to = (i) => save("_place", Math.max(0, Math.min(last, i)));
  const network = (k) => save("_name", (k + model.get("_names").length) % model.get("_names").length);
  model.get("_names").forEach((name, k) =>
    make("button", { type: "button" }, networks, name).addEventListener("click", () => network(k)));
  svg.addEventListener("click", (event) => to(Math.floor((pointIn(svg, event).x / WIDTH) * (model.get("_bits").length + 1))));
  placesByKeys(svg, () => ({ at: model.get("_place"), last }), to);
  root.addEventListener("keydown", (event) => {
    if (event.key === "Tab") return;
    event.stopPropagation();
    const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!by || isPages(event) || event.target !== svg) return;
    event.preventDefault();
    network(model.get("_name") + by);
  });
  const end = follow(model, ["_moved", "_notice"], ["_place", "_name"], draw);
  draw();
  return end;
}

export default live(render);
