// The dilation tree: an output's units, layer by layer, down to the samples that it hears. The maps
// of single layers came with the model, measured; a stack of any dilations is put together here.

const SAMPLES = 32, KERNELS = [2, 3], DILATIONS = [1, 2, 3, 4, 6, 8, 9, 16], MOST_LAYERS = 4, MOST_NAMED = 3;
const WIDTH = 700, LEFT = 66, STEP = (WIDTH - LEFT - 8) / SAMPLES, ROW = 58, TOP = 22;

// ------------------------------------------------------------------------------------- the words
// The Python module says the same in the same words; a test holds the two together.

const count = (number, noun) => `${number} ${noun}${number === 1 ? "" : "s"}`;

function ranges(places) { // from 0, said from 1
  const said = [];
  let start = null, last = null;
  const close = () => { if (last !== null) said.push(last > start ? `${start}–${last}` : `${start}`); };
  for (const place of places.map((p) => p + 1)) {
    if (last !== null && place === last + 1) { last = place; continue; }
    close();
    start = last = place;
  }
  close();
  return said.join(", ");
}

// A map as 32 rows of 32 bits, the lowest bit the first sample.
function rowsOf(view, at) {
  return Uint32Array.from({ length: SAMPLES }, (_, t) => view.getUint32(4 * (at * SAMPLES + t), true));
}
const sees = (map, t, i) => ((map[t] >>> i) & 1) === 1;
const places = (row) => Array.from({ length: SAMPLES }, (_, i) => i).filter((i) => (row >>> i) & 1);
const compose = (upper, lower) => upper.map((row) => places(row).reduce((all, u) => (all | lower[u]) >>> 0, 0));

function treeOf(model) {
  const kernel = model.get("_kernel"), dilations = model.get("_dilations"), name = model.get("_field_name");
  const maps = model.get("_maps");
  const layer = (d) => rowsOf(maps, KERNELS.indexOf(kernel) * DILATIONS.length + DILATIONS.indexOf(d));
  const layers = dilations.map(layer), names = dilations.map((d) => `d = ${d}`); // from the inputs up
  const eye = Uint32Array.from({ length: SAMPLES }, (_, t) => (1 << t) >>> 0);
  const reach = [eye]; // reach[level] for level = inputs … outputs
  for (const map of [...layers].reverse()) reach.unshift(compose(reach[0], map));
  // A whole model has a row more, its codes; there stands what was measured on it.
  const isWhole = Boolean(model.get("_whole")?.byteLength) && JSON.stringify(model.get("_own")) === JSON.stringify([kernel, dilations]);
  const late = isWhole ? 1 : 0;
  let shifted = "";
  if (isWhole) {
    const shift = rowsOf(model.get("_shift"), 0);
    const by = [1, 0, 2].find((n) => shift.every((row, t) => row === (t < n ? 0 : (1 << (t - n)) >>> 0)));
    shifted = `The whole model, from codes to logits. Its lowest step is ${{ 1: "a shift by one", 0: "no shift", 2: "a shift by two" }[by] ?? "no shift by one"}.`;
    layers.unshift(shift);
    names.unshift(by === 0 ? "no shift" : "shift");
    reach.unshift(rowsOf(model.get("_whole"), 0));
  }

  let at = 0, place = 0, stacks = 0;
  for (let n = 1; n <= MOST_LAYERS; n++) stacks += DILATIONS.length ** n;
  for (let n = 1; n < dilations.length; n++) at += DILATIONS.length ** n;
  for (const d of dilations) place = place * DILATIONS.length + DILATIONS.indexOf(d);
  const predicted = model.get("_predicted").getInt32(4 * (KERNELS.indexOf(kernel) * stacks + at + place), true);

  const leaks = [];
  for (let t = 0; t < SAMPLES; t++) for (const i of places(reach[0][t])) if (i > t - late) leaks.push([i + 1, t + 1]);
  const causal = isWhole ? "Autoregressive" : "Causal", who = isWhole ? `the logits of x${SAMPLES}` : "the last output";
  const see = isWhole ? "see" : "sees", most = SAMPLES - late;
  const seen = places(reach[0][SAMPLES - 1]), span = seen.length ? most - seen[0] : 0, holes = span - seen.length;
  const says = `${name} says ${predicted}`, both = `${causal} and without holes`;
  let verdict, kind = "gap";
  if (leaks.length) {
    const arrow = ([i, t]) => (isWhole ? `x${i} → logits of x${t}` : `input ${i} → output ${t}`);
    verdict = `Not ${causal.toLowerCase()}: ${count(leaks.length, "input")} ${isWhole ? "at or after" : "after"} the output: ` +
      leaks.slice(0, MOST_NAMED).map(arrow).join(", ") + (leaks.length > MOST_NAMED ? ` and ${leaks.length - MOST_NAMED} more` : "");
    kind = "leak";
  } else if (!seen.length) verdict = `${who[0].toUpperCase()}${who.slice(1)} ${see} nothing`;
  else if (holes) verdict = `${causal}, with ${count(holes, "hole")}: of the ${span} samples that ${who} ${isWhole ? "span, they" : "spans, it"} ${see} ${seen.length}`;
  else if (predicted > most && span === most) {
    verdict = `${both}, as far as drawn: ${says}, and ${most} are drawn`;
    kind = "good";
  } else if (predicted < 0) verdict = `${both}: ${who} ${see} ${count(span, "sample")}`;
  else if (predicted !== span) verdict = `${both}, but ${says}, and ${who} ${see} ${span}`;
  else { verdict = `${both}: ${who} ${see} ${count(span, "sample")}, as ${says}`; kind = "good"; }

  const outputInWords = (t) => { // from 0
    const units = [];
    for (let level = reach.length - 2; level > late; level--)
      units.push(`${count(places(reach[level][t]).length, "unit")} of layer ${level - late}`);
    const inputs = places(reach[0][t]), noun = isWhole ? "code" : "input";
    const what = inputs.length === 0 ? "nothing" : inputs.length === 1 ? `${noun} ${inputs[0] + 1}` : `${noun}s ${ranges(inputs)}`;
    let said = `${isWhole ? `The logits of x${t + 1} see` : `Output ${t + 1} sees`} ${what}${units.length ? `, through ${units.join(", ")}` : ""}.`;
    const wrong = inputs.filter((i) => i > t - late).map((i) => i + 1);
    if (wrong.length && isWhole) said += ` Not autoregressive: ${wrong.join(", ")} at or after their own.`;
    else if (wrong.length) said += ` Not causal: input${wrong.length > 1 ? "s" : ""} ${wrong.join(", ")} come later.`;
    const end = t + 1 - late; // the last that it may see, from 1
    if (predicted > 0 && end > 0) {
      const first = Math.max(1, end + 1 - predicted);
      said += ` ${name} says ${first < end ? `${first}–${end}` : first}.`;
    }
    return said;
  };
  return { kernel, dilations, layers, names, late, reach, predicted, verdict, kind, shifted, outputInWords };
}

// ----------------------------------------------------------------------------------- the picture

function render({ model, el }) {
  const id = newId("dilation-tree");
  const root = make("div", { class: "dilation-tree" }, el);
  const say = headlineIn(root);
  const whole = make("p", { class: "whole" }, root);
  const tree = make("div", {
    class: "tree", tabindex: "0", role: "slider", "aria-label": "Output", "aria-describedby": `${id}-keys`,
    "data-lm-suppress-shortcuts": "true",
  }, root);
  const svg = make("svg", { "aria-hidden": "true", focusable: "false" }, tree);
  const readout = make("div", { class: "readout" }, root);
  const words = make("p", { class: "words", role: "status", "aria-live": "polite" }, readout);
  const controls = make("p", { class: "controls", role: "group", "aria-label": "The stack" }, root);
  const notice = make("p", { class: "notice" }, root);
  const keys = make("p", { class: "keys", id: `${id}-keys` }, root,
    "← → go from output to output · Home, End the first and the last · the menus change the stack, bottom layer first");

  const waits = waitingIn(say, notice, [tree, readout, controls, keys]);
  let net = null, pointed = null; // from 0

  const write = writer(model);

  const x = (i) => LEFT + (i + 0.5) * STEP;
  const y = (level) => TOP + (net.layers.length - level) * ROW;

  svg.addEventListener("pointermove", (event) => {
    if (!net) return;
    const at = pointIn(svg, event);
    const i = Math.floor((at.x - LEFT) / STEP), to = i >= 0 && i < SAMPLES ? i : null;
    if (to !== pointed) { pointed = to; draw(); }
  });
  svg.addEventListener("pointerleave", () => { pointed = null; draw(); });
  svg.addEventListener("click", () => { if (net && pointed !== null) write("_output", pointed + 1); });
  placesByKeys(tree, () => net && { at: model.get("_output"), first: 1, last: SAMPLES },
    (to) => { pointed = null; write("_output", to); });

  // -------------------------------------------------------------------------------------- drawing

  function drawTree(t) {
    const depth = net.layers.length, bottom = y(0), { late } = net, end = t + 1 - late; // the last allowed, from 1
    svg.setAttribute("viewBox", `0 0 ${WIDTH} ${bottom + 62}`);
    anew(svg);
    const lit = (level, i) => ((net.reach[level][t] >>> i) & 1) === 1;
    // Quiet wires below, the lit ones on top.
    for (const bright of [false, true])
      for (let level = 1; level <= depth; level++)
        for (let i = 0; i < SAMPLES; i++)
          for (const j of places(net.layers[level - 1][i])) {
            if (lit(level, i) !== bright) continue;
            make("line", { class: `wire${bright ? " lit" : ""}${j > i ? " late" : ""}`, x1: x(j), y1: y(level - 1), x2: x(i), y2: y(level) }, svg);
          }
    let anyHole = false;
    for (let level = 0; level <= depth; level++) {
      const label = level === 0 ? (late ? "codes x" : "input") : level === depth ? (late ? "logits" : "output")
        : level === late ? "shifted" : `layer ${level - late}`;
      make("text", { class: "row", x: 2, y: y(level) + 1 }, svg, label);
      if (level) make("text", { class: "row small", x: 2, y: y(level) + 1, dy: "1.15em" }, svg, net.names[level - 1]);
      for (let i = 0; i < SAMPLES; i++) {
        const on = lit(level, i), wrong = on && level === 0 && i >= end;
        make("circle", { class: `unit${on ? " lit" : ""}${wrong ? " late" : ""}`, cx: x(i), cy: y(level), r: on ? 6.5 : 4.5,
          ...(on ? { "data-mark": `unit ${level} ${i}${wrong ? " late" : ""}` } : {}) }, svg);
        if (wrong) make("path", { class: "cross", d: `M${x(i) - 4} ${bottom - 4}l8 8m0 -8l-8 8` }, svg);
        const hole = level === 0 && !on && i < end && i >= end - net.predicted;
        anyHole ||= hole;
        if (hole) make("circle", { class: "hole", cx: x(i), cy: bottom, r: 7.5 }, svg);
      }
    }
    make("circle", { class: "here", cx: x(t), cy: y(depth), r: 10 }, svg);
    for (let i = 0; i < SAMPLES; i++)
      if (i === 0 || (i + 1) % 4 === 0) make("text", { class: "place", x: x(i), y: bottom + 22 }, svg, String(i + 1));
    if (net.predicted > 0 && end > 0) {
      const first = Math.max(0, end - net.predicted), cut = end - net.predicted < 0;
      const from = x(first) - 7, to = x(end - 1) + 7, low = bottom + 36;
      make("path", { class: `bracket${cut ? " cut" : ""}`, d: `M${from} ${low - 6}${cut ? "m0 6" : "v6"}H${to}v-6` }, svg);
      const middle = Math.min(Math.max((from + to) / 2, LEFT + 120), WIDTH - 130);
      const holes = anyHole ? ", dotted: not seen" : "";
      make("text", { class: "says", x: middle, y: low + 18 }, svg, `${model.get("_field_name")}: ${net.predicted}${holes}`);
    }
  }

  function drawControls() {
    const wanted = JSON.stringify([net.kernel, net.dilations]);
    if (controls.dataset.shown === wanted) return;
    const focused = document.activeElement?.closest?.(".controls") === controls ? document.activeElement.getAttribute("aria-label") : null;
    controls.dataset.shown = wanted;
    controls.replaceChildren();
    const menu = (name, label, options, value, chosen) => {
      const holder = make("label", {}, controls, `${name} `);
      const select = make("select", { "aria-label": label }, holder);
      for (const option of options) {
        const item = make("option", { value: option }, select, String(option));
        if (option === value) item.selected = true;
      }
      select.addEventListener("change", () => chosen(Number(select.value)));
      return select;
    };
    menu("kernel", "Kernel size", KERNELS, net.kernel, (k) => write("_kernel", k));
    net.dilations.forEach((d, level) => menu(`d${level + 1}`, `Dilation of layer ${level + 1}`, DILATIONS, d,
      (to) => write("_dilations", net.dilations.map((old, at) => (at === level ? to : old)))));
    const more = make("button", { type: "button", "aria-label": "Add a layer" }, controls, "+ layer");
    more.disabled = net.dilations.length >= MOST_LAYERS;
    more.addEventListener("click", () => write("_dilations", [...net.dilations, net.dilations.at(-1)]));
    const less = make("button", { type: "button", "aria-label": "Remove the top layer" }, controls, "− layer");
    less.disabled = net.dilations.length <= 1;
    less.addEventListener("click", () => write("_dilations", net.dilations.slice(0, -1)));
    if (focused) controls.querySelector(`[aria-label="${focused}"]`)?.focus();
  }

  function draw() {
    if (waits(model.get("_notice"), !model.get("_maps")?.byteLength)) {
      whole.textContent = "";
      net = null;
      return;
    }
    net ??= treeOf(model);
    say(net.kind, net.verdict);
    whole.textContent = net.shifted;
    const t = pointed ?? model.get("_output") - 1;
    drawTree(t);
    drawControls();
    const text = net.outputInWords(t);
    setText(words, text);
    sliderSays(tree, t + 1, 1, SAMPLES, text);
  }

  draw();
  return follow(model, ["_maps", "_predicted", "_whole", "_shift", "_own", "_field_name", "_notice", "_kernel", "_dilations"],
    ["_output"], (isNew) => {
      if (isNew) net = null;
      draw();
    });
}

export default live(render);
