// The MADE mask explorer: draws masks as a layered graph and follows every path in it.
// Everything that a pointer or a key asks for is answered here; the kernel is only asked for
// other degrees or another order. Layer 0 holds the inputs, the last layer the outputs.

const WIDTH = 470, LEFT = 76, RIGHT = 8, TOP = 44, BOTTOM = 44, BAND = 112; // the graph, in its own units
const SIDE = 224; // the matrix, in its own units
const LEAST_NUMBERED = 13; // a cell of the matrix that holds a number, in its own units
const KINDS = ["blind", "seen", "gap", "leak"], LOOKS = ["", "off", "on"]; // of a cell; what pointing makes of it
const RUN = 8; // numbers one after the other of which only the ends are said
const MOST_NAMED = 4; // leaks or gaps that a sentence spells out before it counts the rest

// ---------------------------------------------------------------------------------- the network

// from[l][u][i]: paths from input i to unit u of layer l; to[l][u][o]: paths from there to output o.
// Counts are BigInt: a few wide layers already pass 2^53.
function networkOf(model) {
  const masks = model.get("_masks").map((rows) => rows.map((row) => [...row].map((c) => c === "1")));
  if (!masks.length) return null;
  const toggled = new Set();
  for (const [layer, k, d] of model.get("_breaks")) {
    if (masks[layer]?.[k]?.[d] === undefined) continue;
    masks[layer][k][d] = !masks[layer][k][d];
    toggled.add(`${layer},${k},${d}`);
  }
  const sizes = [masks[0][0].length, ...masks.map((mask) => mask.length)];
  const n = sizes[0];
  const unit = (i) => Array.from({ length: n }, (_, j) => (i === j ? 1n : 0n));
  const add = (a, b) => a.map((count, j) => count + b[j]);
  const none = () => Array(n).fill(0n);
  const from = [Array.from({ length: n }, (_, i) => unit(i))];
  for (const mask of masks)
    from.push(mask.map((row) => row.reduce((sum, open, d) => (open ? add(sum, from.at(-1)[d]) : sum), none())));
  const to = [Array.from({ length: n }, (_, o) => unit(o))];
  for (let layer = masks.length - 1; layer >= 0; layer--)
    to.unshift(masks[layer][0].map((_, d) =>
      masks[layer].reduce((sum, row, k) => (row[d] ? add(sum, to[0][k]) : sum), none())));
  const order = model.get("_order"), degrees = model.get("_degrees");
  const counts = from.at(-1);
  const forbidden = (i, o) => order[i] >= order[o];
  const all = [...Array(n).keys()];
  const pairs = all.flatMap((o) => all.map((i) => [i, o]));
  return {
    masks, toggled, sizes, n, from, to, order, degrees, counts, forbidden, all,
    names: model.get("_names"),
    leaks: pairs.filter(([i, o]) => counts[o][i] && forbidden(i, o)),
    gaps: pairs.filter(([i, o]) => !counts[o][i] && !forbidden(i, o)),
    open: openPaths(masks, order, degrees, n),
  };
}

// Which input could reach which output under the degrees shown: null when they are not known.
function openPaths(masks, order, degrees, n) {
  if (degrees.length !== masks.length - 1) return null;
  let reach = order.map((_, i) => order.map((_, j) => i === j)), below = order;
  const step = (above, allowed) => {
    reach = above.map((m) => order.map((_, i) => below.some((b, d) => allowed(m, b) && reach[d][i])));
    below = above;
  };
  for (const layer of degrees) step(layer, (m, b) => m >= b);
  step(order, (m, b) => m > b);
  return reach;
}

// The connections and units to light for what is pointed at; a connection is [layer, k, d, leaks].
function lightOf(net, at) {
  const { masks, from, to, sizes, forbidden, all } = net;
  const last = sizes.length - 1;
  const wires = [], on = sizes.map(() => new Set()), bad = sizes.map(() => new Set()); // units by layer
  const light = (layer, k, d, leaks) => {
    wires.push([layer, k, d, leaks]);
    on[layer + 1].add(k);
    on[layer].add(d);
    if (!leaks) return;
    bad[layer + 1].add(k);
    bad[layer].add(d);
  };
  const eachWire = (wanted) => masks.forEach((mask, layer) => mask.forEach((row, k) => row.forEach((open, d) => {
    if (open) wanted(layer, k, d, from[layer][d], to[layer + 1][k]);
  })));
  if (!at) {
    if (net.leaks.length)
      eachWire((layer, k, d, seen, feeds) => {
        if (net.leaks.some(([i, o]) => seen[i] && feeds[o])) light(layer, k, d, true);
      });
  } else if (at.kind === "pair") {
    eachWire((layer, k, d, seen, feeds) => {
      if (seen[at.i] && feeds[at.o]) light(layer, k, d, forbidden(at.i, at.o));
    });
    on[0].add(at.i);
    on[last].add(at.o);
  } else {
    const [layer, u] = at.kind === "unit" ? [at.layer, at.u] : [at.layer + 1, at.k];
    const [below, v] = at.kind === "unit" ? [layer, u] : [at.layer, at.d];
    const carried = all.flatMap((i) => all.filter((o) => from[below][v][i] && to[layer][u][o] && forbidden(i, o))
      .map((o) => [i, o]));
    const badInputs = new Set(carried.map(([i]) => i)), badOutputs = new Set(carried.map(([, o]) => o));
    const isOpen = at.kind === "unit" || masks[at.layer][at.k][at.d];
    on[layer].add(u);
    on[below].add(v);
    if (at.kind === "wire" && isOpen) light(at.layer, at.k, at.d, carried.length > 0);
    let reached = new Set([v]);
    for (let l = below - 1; l >= 0 && isOpen; l--) {
      const next = new Set();
      for (const k of reached)
        masks[l][k].forEach((open, d) => {
          if (!open) return;
          next.add(d);
          if (from[l][d].some(Boolean)) light(l, k, d, all.some((i) => from[l][d][i] && badInputs.has(i)));
        });
      reached = next;
    }
    reached = new Set([u]);
    for (let l = layer; l < last && isOpen; l++) {
      const next = new Set();
      masks[l].forEach((row, k) => {
        for (const d of reached) {
          if (!row[d]) continue;
          next.add(k);
          if (to[l + 1][k].some(Boolean)) light(l, k, d, all.some((o) => to[l + 1][k][o] && badOutputs.has(o)));
        }
      });
      reached = next;
    }
  }
  return { wires, on, bad };
}

// ------------------------------------------------------------------------------------- the words
// The Python module says outputs and the whole in the same words; a test holds the two together.

const plural = (things) => (things.length === 1 ? "" : "s");
const some = (things) => things.length <= MOST_NAMED ? things.join(", ")
  : `${things.slice(0, MOST_NAMED).join(", ")} and ${things.length - MOST_NAMED} more`;

// Names in a row; of a long run of numbers the ends.
function listed(names) {
  const said = [];
  for (let at = 0; at < names.length;) {
    let end = at;
    while (/^\d+$/.test(names[at]) && names[end + 1] === String(Number(names[end]) + 1)) end++;
    const isRun = end - at + 1 >= RUN;
    said.push(isRun ? `${names[at]} to ${names[end]}` : names[at]);
    at = isRun ? end + 1 : at + 1;
  }
  return said.join(", ");
}

function unitName(net, layer, u) {
  if (layer === 0) return `input ${net.names[u]}`;
  if (layer === net.sizes.length - 1) return `output ${net.names[u]}`;
  const where = net.sizes.length > 3 ? ` of layer ${layer}` : "";
  const degree = net.degrees[layer - 1]?.[u];
  return `hidden unit ${u + 1}${where}${degree === undefined ? "" : ` (degree ${degree})`}`;
}

const arrow = (net, i, o) => `input ${net.names[i]} → output ${net.names[o]}`;
const capital = (text) => text[0].toUpperCase() + text.slice(1);

function wholeInWords(net) {
  const arrows = (pairs) => some(pairs.map(([i, o]) => arrow(net, i, o)));
  if (net.leaks.length)
    return `Not autoregressive: ${net.leaks.length} input${plural(net.leaks)} at or after the output: ${arrows(net.leaks)}.`;
  if (net.gaps.length)
    return `Blind to the future, but ${net.gaps.length} path${plural(net.gaps)} that the order allows ` +
      `${net.gaps.length === 1 ? "is" : "are"} missing: ${arrows(net.gaps)}.`;
  return "Autoregressive: every output sees all inputs before it, and nothing else.";
}

function whyNot(net, i, o) {
  if (!net.open) return "the order allows it";
  return net.open[o][i] ? "with these degrees it could" : "these degrees leave no path";
}

function outputInWords(net, o) {
  const { names, order, counts, forbidden } = net;
  const seen = net.all.filter((i) => counts[o][i]);
  const leaks = seen.filter((i) => forbidden(i, o));
  const gaps = net.all.filter((i) => !counts[o][i] && !forbidden(i, o));
  const list = (inputs) => listed(inputs.map((i) => names[i]));
  const said = [seen.length ? `Output ${names[o]} sees input${plural(seen)} ${list(seen)}.` : `Output ${names[o]} sees no input.`];
  if (leaks.length)
    said.push(`Not autoregressive: ${leaks.length} input${plural(leaks)} at or after the output: ${list(leaks)}.`);
  for (const why of ["with these degrees it could", "these degrees leave no path", "the order allows it"]) {
    const group = gaps.filter((i) => whyNot(net, i, o) === why);
    if (group.length) said.push(`Output ${names[o]} does not see input${plural(group)} ${list(group)}: ${why}.`);
  }
  return said.join(" ");
}

function inWords(net, at) {
  const { names, from, to, forbidden, all } = net;
  if (!at) return wholeInWords(net);
  if (at.kind === "pair") {
    const { i, o } = at, count = net.counts[o][i];
    const paths = count ? `${count} path${count === 1n ? " leads" : "s lead"}` : "No path leads";
    const tail = count
      ? (forbidden(i, o) ? ". Not autoregressive: the input is at or after the output." : ".")
      : (forbidden(i, o) ? ", as the order asks." : `: ${whyNot(net, i, o)}.`);
    return `${paths} from input ${names[i]} to output ${names[o]}${tail}`;
  }
  if (at.kind === "wire") {
    const open = net.masks[at.layer][at.k][at.d];
    const byHand = net.toggled.has(`${at.layer},${at.k},${at.d}`);
    const entry = `masks[${at.layer}][${at.k}, ${at.d}]`;
    const what = `${unitName(net, at.layer, at.d)} to ${unitName(net, at.layer + 1, at.k)}`;
    const does = byHand ? "undo that" : open ? "break it" : "make one";
    return `${open ? "Connection" : "No connection"} from ${what}: ${entry} is ${open ? 1 : 0}` +
      `${byHand ? " by your hand" : ""}. Click or press Enter to ${does}. ${byHand ? wholeInWords(net) : ""}`.trimEnd();
  }
  const { layer, u } = at, last = net.sizes.length - 1;
  if (layer === last) return outputInWords(net, u);
  const seen = all.filter((i) => from[layer][u][i]), feeds = all.filter((o) => to[layer][u][o]);
  const list = (which) => listed(which.map((i) => names[i]));
  const fed = feeds.length ? `feeds output${plural(feeds)} ${list(feeds)}` : "feeds no output";
  if (layer === 0) {
    const leaks = feeds.filter((o) => forbidden(u, o));
    return `Input ${names[u]} ${fed}.` + (leaks.length
      ? ` Not autoregressive: ${leaks.length} output${plural(leaks)} at or before the input: ${list(leaks)}.` : "");
  }
  const carried = seen.flatMap((i) => feeds.filter((o) => forbidden(i, o)).map((o) => arrow(net, i, o)));
  return `${capital(unitName(net, layer, u))} ${seen.length ? `sees input${plural(seen)} ${list(seen)}` : "sees no input"} and ${fed}.` +
    (carried.length ? ` Not autoregressive: it carries ${some(carried)}.` : "");
}

// ----------------------------------------------------------------------------------- the picture

// Every connection of a band is the same curve stretched sideways, so one solve for the height
// gives where all of them are: that is what makes pointing at one of hundreds cheap.
const bend = (t) => t * t * (3 - 2 * t);
function curveTime(y, bottom, top) {
  const mid = (bottom + top) / 2;
  let low = 0, high = 1;
  for (let step = 0; step < 20; step++) {
    const t = (low + high) / 2, s = 1 - t;
    const at = s * s * s * bottom + 3 * s * t * (s + t) * mid + t * t * t * top;
    if ((at - y) * (bottom - top) > 0) low = t; else high = t;
  }
  return (low + high) / 2;
}

// The width of a line of which there are many: a dense network stays a net and becomes no slab.
const thinned = (width, many) => Math.max(0.25, width * Math.min(1, Math.sqrt(160 / Math.max(1, many))));

function render({ model, el }) {
  const id = newId("mask-explorer");
  const root = make("div", { class: "mask-explorer", "data-lm-suppress-shortcuts": "true" }, el);
  const say = headlineIn(root);
  const body = make("div", { class: "body" }, root);
  const slider = (name, label) => make("div", {
    class: name, tabindex: "0", role: "slider", "aria-label": label, "aria-describedby": `${id}-keys`,
    "aria-valuemin": "1", "aria-valuemax": "1", "aria-valuenow": "1", "data-lm-suppress-shortcuts": "true",
  }, body);
  const graph = slider("graph", "Units of the network");
  const matrix = slider("matrix", "Paths from each input to each output");
  // The connections lie under all else on a layer of their own: what is lit is painted without them.
  const wiresSvg = make("svg", { class: "under", "aria-hidden": "true", focusable: "false" }, graph);
  const graphSvg = make("svg", { "aria-hidden": "true", focusable: "false" }, graph);
  const matrixSvg = make("svg", { "aria-hidden": "true", focusable: "false", viewBox: `0 0 ${SIDE} 1` }, matrix);
  const readout = make("div", { class: "readout" }, root);
  const words = make("p", { class: "words", role: "status", "aria-live": "polite" }, readout);
  const factor = make("p", { class: "factor", "aria-hidden": "true" }, readout);
  const controls = make("div", { class: "controls" }, root);
  const undo = make("button", { type: "button", class: "undo" }, controls, "Undo my breaks");
  const reshuffle = make("button", { type: "button", class: "reshuffle" }, controls, "Reshuffle degrees");
  const orderLabel = make("label", { class: "order" }, controls, "Order ");
  const order = make("select", { "data-lm-suppress-shortcuts": "true" }, orderLabel);
  for (const name of ["natural", "reversed", "random"]) make("option", { value: name }, order, name);
  const keys = make("p", { class: "keys", id: `${id}-keys` }, root);

  let net = null;
  let rest = null;  // what keys or a click chose: it stays
  let over = null;  // what the pointer is on: it goes with the pointer
  let parts = null; // the drawn elements that light changes
  const current = () => over ?? rest;

  const place = (layer, u) => {
    const size = net.sizes[layer], span = WIDTH - LEFT - RIGHT;
    // A short layer is not pulled to the edges: its units keep the look of one group.
    const pitch = Math.min(span / size, 92);
    return [LEFT + span / 2 + (u - (size - 1) / 2) * pitch, TOP + (net.sizes.length - 1 - layer) * BAND];
  };
  const radius = (layer) => Math.min(14, 0.4 * Math.min((WIDTH - LEFT - RIGHT) / net.sizes[layer], 92));
  const curve = ([layer, k, d]) => {
    const [x0, y0] = place(layer, d), [x1, y1] = place(layer + 1, k), mid = (y0 + y1) / 2;
    return `M${x0} ${y0}C${x0} ${mid} ${x1} ${mid} ${x1} ${y1}`;
  };
  const middle = ([layer, k, d]) => {
    const [x0, y0] = place(layer, d), [x1, y1] = place(layer + 1, k);
    return [(x0 + x1) / 2, (y0 + y1) / 2];
  };
  const isPlainName = (i) => net.names[i] === String(i + 1);
  // x with its subscript; an output's hat is drawn, since few fonts put a combining one in place.
  const variable = (parent, i, kind, x, y, hat = false) => {
    const g = make("g", { class: kind, transform: `translate(${x} ${y})` }, parent);
    if (isPlainName(i)) {
      make("text", { class: "math", x: 1, "text-anchor": "end" }, g, "x");
      make("text", { class: "sub", x: 1.5, y: 4 }, g, net.names[i]);
    } else make("text", { "text-anchor": "middle" }, g, [...net.names[i]].slice(0, 6).join(""));
    if (hat && isPlainName(i)) make("path", { class: "hat", d: "M-5.4 -10.5L-2.2 -13.5L1 -10.5" }, g);
  };

  function drawGraph() {
    const last = net.sizes.length - 1, height = TOP + last * BAND + BOTTOM;
    for (const svg of [wiresSvg, graphSvg]) {
      svg.setAttribute("viewBox", `0 0 ${WIDTH} ${height}`);
      svg.replaceChildren();
    }
    // On a narrow page a layer's name stands above its first unit, not beside it.
    const raised = grown(graphSvg) > 1 / 0.6 ? 46 : 0;
    for (let layer = 0; layer <= last; layer++) {
      const y = place(layer, 0)[1];
      const name = layer === 0 ? "inputs" : layer === last ? "outputs" : last > 2 ? `hidden ${layer}` : "hidden";
      const label = make("text", { class: "layer", x: 2, y: y - 1 - raised }, graphSvg);
      make("tspan", { x: 2 }, label, name);
      const isHidden = layer > 0 && layer < last;
      if (!isHidden || net.degrees.length)
        make("tspan", { x: 2, dy: "1.1em", class: "small" }, label, isHidden ? "degree m" : "place");
    }
    const wires = make("path", { class: "wires" }, wiresSvg);
    wires.setAttribute("d", net.masks.flatMap((mask, layer) => mask.flatMap((row, k) =>
      row.flatMap((open, d) => (open ? curve([layer, k, d]) : [])))).join(""));
    const many = net.masks.flat(2).filter(Boolean).length;
    wires.style.strokeWidth = thinned(1.1, many);
    const lit = make("path", { class: "lit" }, graphSvg);
    const leaking = make("path", { class: "leaking" }, graphSvg);
    const lacking = make("path", { class: "lacking" }, graphSvg);
    const pointed = make("path", { class: "pointed" }, graphSvg);
    const marks = make("g", { class: "marks" }, graphSvg);
    for (const key of net.toggled) {
      const wire = key.split(",").map(Number), [x, y] = middle(wire);
      const open = net.masks[wire[0]][wire[1]][wire[2]];
      make("path", { class: open ? "added" : "removed", d: curve(wire) }, marks);
      const mark = make("g", { class: open ? "mark added" : "mark removed", transform: `translate(${x} ${y})` }, marks);
      make("circle", { r: 7.5 }, mark);
      make("path", { d: open ? "M-3.5 0H3.5M0 -3.5V3.5" : "M-3 -3L3 3M3 -3L-3 3" }, mark);
    }
    const units = [];
    for (let layer = 0; layer <= last; layer++)
      for (let u = 0; u < net.sizes[layer]; u++) {
        const [x, y] = place(layer, u), r = radius(layer);
        const isHidden = layer > 0 && layer < last;
        const unit = make("g", { class: "unit", transform: `translate(${x} ${y})` }, graphSvg);
        if (isHidden) make("circle", { class: "halo", r: r + 4.5 }, unit);
        else make("rect", { class: "halo", x: -r - 4.5, y: -r - 4.5, width: 2 * r + 9, height: 2 * r + 9, rx: 0.36 * r + 4 }, unit);
        if (isHidden) make("circle", { class: "shape", r }, unit);
        else make("rect", { class: "shape", x: -r, y: -r, width: 2 * r, height: 2 * r, rx: 0.36 * r }, unit);
        const number = isHidden ? net.degrees[layer - 1]?.[u] : net.order[u];
        if (number !== undefined && r >= 6)
          make("text", { class: "number", y: 0.36 * Math.min(r, 12), style: `font-size:max(${Math.min(13, r + 2)}px, var(--least))` }, unit, number);
        if (!isHidden && r >= 6)
          variable(unit, u, "name", 0, layer === 0 ? r + 20 : -r - 14, layer === last);
        const sign = make("g", { class: "sign", transform: `translate(${0.8 * r} ${-0.8 * r})` }, unit);
        make("circle", { r: 7 }, sign);
        make("path", { class: "cross", d: "M-2.8 -2.8L2.8 2.8M2.8 -2.8L-2.8 2.8" }, sign);
        make("path", { class: "dash", d: "M-3 0H3" }, sign);
        units.push([layer, u, unit]);
      }
    parts = { lit, leaking, lacking, pointed, units, cells: [] };
    graph.setAttribute("aria-valuemax", String(net.sizes.reduce((a, b) => a + b, 0)));
  }

  // Rows are outputs, columns inputs, both in the order: what is wanted is a lower triangle.
  function drawMatrix() {
    const inOrder = [...net.all].sort((a, b) => net.order[a] - net.order[b]);
    const left = 26, top = 48, cell = Math.min(36, (SIDE - left - 4) / net.n), side = cell * net.n;
    const edge = Math.min(1, cell / 8);
    matrixSvg.setAttribute("viewBox", `0 0 ${SIDE} ${top + side + 42}`);
    matrixSvg.replaceChildren();
    make("text", { class: "title", x: left, y: 13 }, matrixSvg, "Paths, input to output");
    const natural = net.order.every((p, i) => p === i + 1);
    make("text", { class: "small", x: left, y: 29 }, matrixSvg,
      natural || net.n > 9 ? "wanted: the lower triangle" : `in the order ${inOrder.map((i) => net.names[i]).join(", ")}`);
    const grid = make("g", { transform: `translate(${left} ${top - 6})` }, matrixSvg);
    const pattern = make("pattern", { id: `${id}-hatch`, width: 6, height: 6, patternUnits: "userSpaceOnUse", patternTransform: "rotate(45)" }, make("defs", {}, grid));
    make("rect", { class: "hatch-ground", width: 6, height: 6 }, pattern);
    make("line", { class: "hatch", x1: 0, y1: 0, x2: 0, y2: 6 }, pattern);
    const kindOf = (i, o) => {
      const wanted = !net.forbidden(i, o);
      return net.counts[o][i] ? (wanted ? "seen" : "leak") : wanted ? "gap" : "blind";
    };
    const hatched = (kind, shape) => { if (kind === "leak") shape.style.fill = `url(#${id}-hatch)`; };
    parts.fine = null;
    if (cell < LEAST_NUMBERED) drawFine(grid, inOrder, cell, edge, kindOf, hatched);
    else inOrder.forEach((o, row) => inOrder.forEach((i, column) => {
      const count = net.counts[o][i], kind = kindOf(i, o);
      const g = make("g", { class: `cell ${kind}`, transform: `translate(${column * cell} ${row * cell})`,
        ...(kind === "blind" ? {} : { "data-mark": `sees ${row} ${column} ${kind}` }) }, grid);
      hatched(kind, make("rect", { x: edge, y: edge, width: cell - 2 * edge, height: cell - 2 * edge, rx: Math.min(4, cell / 6) }, g));
      const text = String(count);
      if (cell >= 6.5 * Math.max(2, Math.min(4, text.length)) && kind !== "blind")
        make("text", { class: "count", x: cell / 2, y: cell / 2 + 4.5, style: `font-size:max(${Math.min(13, (1.5 * cell) / Math.max(2, text.length))}px, var(--least))` },
          g, text.length > 4 ? `e${text.length - 1}` : text);
      parts.cells.push({ i, o, g, look: "" });
    }));
    // The stairs between what an output may see and what it must not.
    make("path", { class: "stairs", d: `M0 ${cell}` + inOrder.slice(1).map(() => `h${cell}v${cell}`).join("") }, grid);
    if (cell >= 11)
      inOrder.forEach((v, at) => {
        const middle = (at + 0.5) * cell;
        variable(grid, v, "axis", -14, middle + 4, true);
        variable(grid, v, "axis", middle, side + 16);
      });
    parts.grid = { inOrder, left, top: top - 6, cell };
    matrix.setAttribute("aria-valuemax", String(net.n * net.n));
  }

  // Cells too small for numbers are thousands: all of a kind and a look are one path, so that the page
  // paints a dozen shapes.
  function drawFine(grid, inOrder, cell, edge, kindOf, hatched) {
    parts.fine = new Map();
    const size = cell - 2 * edge, marks = new Map(KINDS.map((kind) => [kind, []]));
    inOrder.forEach((o, row) => inOrder.forEach((i, column) => {
      const kind = kindOf(i, o);
      marks.get(kind).push(`sees ${row} ${column} ${kind}`);
      parts.cells.push({ i, o, kind, square: `M${column * cell + edge} ${row * cell + edge}h${size}v${size}h${-size}z` });
    }));
    for (const kind of KINDS) {
      const told = kind === "blind" || !marks.get(kind).length ? {} : { "data-mark": marks.get(kind).join("\n") };
      const all = make("g", told, grid);
      for (const look of LOOKS) {
        const path = make("path", {}, make("g", { class: `cell ${kind} ${look}`.trim() }, all));
        hatched(kind, path);
        parts.fine.set(`${kind} ${look}`, path);
      }
    }
  }

  function lightFine(lookOf) {
    const squares = new Map([...parts.fine.keys()].map((key) => [key, []]));
    for (const cell of parts.cells) squares.get(`${cell.kind} ${lookOf(cell)}`).push(cell.square);
    for (const [key, path] of parts.fine) {
      const d = squares.get(key).join("");
      if (path.getAttribute("d") !== d) path.setAttribute("d", d);
    }
  }

  function showFactor(at) {
    factor.replaceChildren();
    const last = net.sizes.length - 1;
    if (at?.kind !== "unit" || at.layer !== last || net.n > 12) return;
    const name = (i) => {
      const span = make("span", { class: "math" });
      if (isPlainName(i)) { span.append("x"); make("sub", {}, span, net.names[i]); } else span.append(net.names[i]);
      return span;
    };
    const seen = net.all.filter((i) => net.counts[at.u][i]);
    factor.append(make("span", { class: "math" }, null, "p"), "(", name(at.u));
    seen.forEach((i, position) => {
      const variable = name(i);
      if (net.forbidden(i, at.u)) variable.classList.add("bad");
      factor.append(position ? ", " : " | ", variable);
    });
    factor.append(")");
  }

  function light() {
    if (!net) return;
    const at = current(), { wires, on, bad } = lightOf(net, at), last = net.sizes.length - 1;
    for (const [path, leaks] of [[parts.lit, false], [parts.leaking, true]]) {
      const lines = wires.filter((w) => w[3] === leaks);
      path.setAttribute("d", lines.map(curve).join(""));
      path.style.strokeWidth = thinned(leaks ? 2.6 : 2.2, lines.length);
    }
    parts.pointed.setAttribute("d", at?.kind === "wire" ? curve([at.layer, at.k, at.d]) : "");
    parts.pointed.classList.toggle("absent", at?.kind === "wire" && !net.masks[at.layer][at.k][at.d]);
    parts.lacking.setAttribute("d", lackingWires().map(curve).join(""));
    const signs = signsOf(at);
    for (const [layer, u, unit] of parts.units) {
      const chosen = at?.kind === "unit" && layer === at.layer && u === at.u;
      const sign = signs.get(`${layer},${u}`) ?? "";
      const look = `unit${on[layer].has(u) ? " on" : ""}${bad[layer].has(u) ? " tainted" : ""}${chosen ? " chosen" : ""}${sign ? ` ${sign}` : ""}`;
      if (unit.getAttribute("class") !== look) unit.setAttribute("class", look);
    }
    const lookOf = ({ i, o }) => (!at ? "" : !isAbout(at, i, o, last) ? "off" : at.kind === "pair" ? "on" : "");
    if (parts.fine) lightFine(lookOf);
    else for (const cell of parts.cells) { // hundreds: only those that change are told
      const look = lookOf(cell);
      if (look === cell.look) continue;
      if (cell.look) cell.g.classList.remove(cell.look);
      if (look) cell.g.classList.add(look);
      cell.look = look;
    }
    root.classList.toggle("pointing", Boolean(at) || wires.length > 0);
    const text = inWords(net, at);
    setText(words, text);
    showFactor(at);
    graph.setAttribute("aria-valuetext", text);
    matrix.setAttribute("aria-valuetext", text);
    if (at?.kind === "unit")
      graph.setAttribute("aria-valuenow", String(1 + at.u + net.sizes.slice(0, at.layer).reduce((a, b) => a + b, 0)));
    if (at?.kind === "pair")
      matrix.setAttribute("aria-valuenow", String(1 + at.i + net.n * at.o));
    keys.textContent = rest?.kind === "wire"
      ? "← → other connections of this unit · Enter breaks or mends · Esc back to the unit"
      : rest?.kind === "unit"
        ? "← → units · ↑ ↓ layers · Enter: its connections, one by one · a click on a line breaks it, on a dotted line mends it"
        : rest?.kind === "pair" ? "← → inputs · ↑ ↓ outputs, both in the order · Esc lets go"
        : "Point at a unit or a line, or Tab here and use the arrow keys · click a unit to keep it, a line to break it";
  }

  function isAbout(at, i, o, last) {
    if (at.kind === "pair") return at.i === i && at.o === o;
    const [layer, u, below, v] = at.kind === "unit" ? [at.layer, at.u, at.layer, at.u] : [at.layer + 1, at.k, at.layer, at.d];
    if (at.kind === "unit" && layer === last) return o === u;
    if (at.kind === "unit" && layer === 0) return i === u;
    return Boolean(net.from[below][v][i] && net.to[layer][u][o]);
  }

  // Signs on inputs and outputs: a cross for a leak, a dash for a path that is allowed but missing.
  function signsOf(at) {
    const signs = new Map(), last = net.sizes.length - 1;
    const about = !at ? () => true : (i, o) => isAbout(at, i, o, last);
    const put = (pairs, sign) => {
      for (const [i, o] of pairs) {
        if (!about(i, o)) continue;
        const isInput = at?.kind === "unit" && at.layer === 0, isOutput = at?.kind === "unit" && at.layer === last;
        if ((sign === "leaks" || !isInput) && at && !signs.has(`0,${i}`)) signs.set(`0,${i}`, sign);
        if ((sign === "leaks" || !isOutput) && !signs.has(`${last},${o}`)) signs.set(`${last},${o}`, sign);
      }
    };
    put(net.leaks, "leaks");
    if (at && (at.kind === "pair" || at.layer === 0 || at.layer === last) && at.kind !== "wire") put(net.gaps, "gapped");
    return signs;
  }

  // A unit that was chosen shows the connections it lacks, so that they can be made.
  function lackingWires() {
    if (rest?.kind !== "unit") return [];
    const { layer, u } = rest;
    if (layer > 0) return net.masks[layer - 1][u].flatMap((open, d) => (open ? [] : [[layer - 1, u, d]]));
    return net.masks[0].flatMap((row, k) => (row[u] ? [] : [[0, k, u]]));
  }

  // --------------------------------------------------------------------------- pointer and keys

  function underPointer(event) {
    const matrixOfScreen = graphSvg.getScreenCTM();
    if (!net || !matrixOfScreen) return null;
    const { x, y } = new DOMPoint(event.clientX, event.clientY).matrixTransform(matrixOfScreen.inverse());
    const last = net.sizes.length - 1;
    for (let layer = 0; layer <= last; layer++)
      for (let u = 0; u < net.sizes[layer]; u++) {
        const [ux, uy] = place(layer, u), reach = radius(layer) + 3;
        // Names belong to their unit: above an output, below an input.
        const up = layer === last ? reach + 26 : reach, down = layer === 0 ? reach + 26 : reach;
        if (Math.abs(x - ux) <= reach && y >= uy - up && y <= uy + down) return { kind: "unit", layer, u };
      }
    const layer = Math.floor((TOP + last * BAND - y) / BAND);
    if (layer < 0 || layer >= last) return null;
    const bottom = TOP + (last - layer) * BAND, time = curveTime(y, bottom, bottom - BAND);
    const lacking = new Set(lackingWires().map(String));
    let best = null, least = 5;
    net.masks[layer].forEach((row, k) => row.forEach((open, d) => {
      const isThere = open || net.toggled.has(`${layer},${k},${d}`);
      if (!isThere && !lacking.has(`${layer},${k},${d}`)) return;
      const x0 = place(layer, d)[0], x1 = place(layer + 1, k)[0];
      const slope = ((x1 - x0) * 6 * time * (1 - time)) / (1.5 * BAND * (1 - 2 * time * (1 - time)));
      const away = Math.abs(x0 + (x1 - x0) * bend(time) - x) / Math.hypot(1, slope) + (isThere ? 0 : 1);
      if (away < least) { least = away; best = { kind: "wire", layer, k, d }; }
    }));
    return best;
  }

  function cellUnderPointer(event) {
    const matrixOfScreen = matrixSvg.getScreenCTM();
    if (!net || !matrixOfScreen) return null;
    const { x, y } = new DOMPoint(event.clientX, event.clientY).matrixTransform(matrixOfScreen.inverse());
    const { inOrder, left, top, cell } = parts.grid;
    const i = inOrder[Math.floor((x - left) / cell)], o = inOrder[Math.floor((y - top) / cell)];
    if (o === undefined || x > left + cell * net.n) return null;
    if (i === undefined) return x < left ? { kind: "unit", layer: net.sizes.length - 1, u: o } : null;
    return { kind: "pair", i, o };
  }

  const same = (a, b) => JSON.stringify(a) === JSON.stringify(b);
  function pointAt(at) {
    if (same(at, over)) return;
    over = at;
    graph.classList.toggle("on-wire", at?.kind === "wire");
    light();
  }

  function toggle({ layer, k, d }) {
    const breaks = model.get("_breaks"), entry = [layer, k, d];
    const kept = breaks.filter((one) => !same(one, entry));
    model.set("_breaks", kept.length < breaks.length ? kept : [...breaks, entry]);
    model.save_changes();
  }

  graph.addEventListener("pointermove", (event) => pointAt(underPointer(event)));
  graph.addEventListener("pointerleave", () => pointAt(null));
  graph.addEventListener("click", (event) => {
    const at = underPointer(event);
    if (at?.kind === "wire") {
      if (rest?.kind === "wire") rest = null;
      toggle(at);
    } else {
      rest = at && !same(at, rest) ? at : null;
      light();
    }
  });
  matrix.addEventListener("pointermove", (event) => pointAt(cellUnderPointer(event)));
  matrix.addEventListener("pointerleave", () => pointAt(null));
  matrix.addEventListener("click", (event) => {
    const at = cellUnderPointer(event);
    rest = at && !same(at, rest) ? at : null;
    light();
  });

  const clamp = (value, most) => Math.max(0, Math.min(most, value));
  const lastOutput = () => ({ kind: "unit", layer: net.sizes.length - 1, u: net.order.indexOf(net.n) });

  function moveUnit(at, key) {
    const last = net.sizes.length - 1;
    let { layer, u } = at;
    if (key === "ArrowLeft") u--;
    else if (key === "ArrowRight") u++;
    else if (key === "Home") u = 0;
    else if (key === "End") u = net.sizes[layer] - 1;
    else {
      const x = place(layer, u)[0];
      layer = clamp(layer + (key === "ArrowUp" ? 1 : -1), last);
      if (layer !== at.layer) {
        const away = [...Array(net.sizes[layer]).keys()].map((v) => Math.abs(place(layer, v)[0] - x));
        u = away.indexOf(Math.min(...away));
      }
    }
    return { kind: "unit", layer, u: clamp(u, net.sizes[layer] - 1) };
  }

  // A unit's connections to the layer below; an input's, to the layer above.
  function wiresOf({ layer, u }) {
    if (layer > 0) return net.masks[layer - 1][u].map((_, d) => ({ kind: "wire", layer: layer - 1, k: u, d, of: [layer, u] }));
    return net.masks[0].map((_, k) => ({ kind: "wire", layer: 0, k, d: u, of: [layer, u] }));
  }

  const ARROWS = ["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown", "Home", "End"];
  graph.addEventListener("keydown", (event) => {
    if (!net || isPages(event)) return;
    const { key } = event, isArrow = ARROWS.includes(key), isEnter = key === "Enter" || key === " ";
    if (!isArrow && !isEnter && !(key === "Escape" && rest)) return;
    event.preventDefault();
    event.stopPropagation();
    over = null;
    if (rest?.kind === "wire" && rest.of) {
      const anchor = { kind: "unit", layer: rest.of[0], u: rest.of[1] };
      const wires = wiresOf(anchor), at = wires.findIndex((wire) => wire.k === rest.k && wire.d === rest.d);
      if (isEnter) return toggle(rest);
      if (key === "Escape") rest = anchor;
      else if (key === "ArrowUp" || key === "ArrowDown") rest = moveUnit(anchor, key);
      else rest = wires[clamp({ ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: wires.length }[key], wires.length - 1)];
    } else if (key === "Escape") rest = null;
    else if (rest?.kind !== "unit") rest = lastOutput();
    else if (isEnter) {
      const wires = wiresOf(rest);
      rest = wires.find((wire) => net.masks[wire.layer][wire.k][wire.d]) ?? wires[0];
    } else rest = moveUnit(rest, key);
    light();
  });
  matrix.addEventListener("keydown", (event) => {
    if (!net || isPages(event)) return;
    const { key } = event;
    if (!ARROWS.includes(key) && !(key === "Escape" && rest)) return;
    event.preventDefault();
    event.stopPropagation();
    over = null;
    const { inOrder } = parts.grid, most = net.n - 1;
    if (key === "Escape") rest = null;
    else if (rest?.kind !== "pair") rest = { kind: "pair", i: inOrder[0], o: inOrder[most] };
    else {
      let row = inOrder.indexOf(rest.o), column = inOrder.indexOf(rest.i);
      if (key === "ArrowUp") row--;
      if (key === "ArrowDown") row++;
      if (key === "ArrowLeft") column--;
      if (key === "ArrowRight") column++;
      if (key === "Home") column = 0;
      if (key === "End") column = most;
      rest = { kind: "pair", i: inOrder[clamp(column, most)], o: inOrder[clamp(row, most)] };
    }
    light();
  });
  // Reached by Tab, something is chosen at once, so that the first arrow already moves.
  graph.addEventListener("focus", () => {
    if (net && graph.matches(":focus-visible") && rest?.kind !== "unit" && rest?.kind !== "wire") {
      rest = lastOutput();
      light();
    }
  });
  matrix.addEventListener("focus", () => {
    if (net && matrix.matches(":focus-visible") && rest?.kind !== "pair") {
      rest = { kind: "pair", i: parts.grid.inOrder[0], o: parts.grid.inOrder[net.n - 1] };
      light();
    }
  });

  let asked = 0;
  const ask = (what) => {
    model.set("_request", { ...what, asked: ++asked, at: Date.now() });
    model.save_changes();
  };
  undo.addEventListener("click", () => {
    model.set("_breaks", []);
    model.save_changes();
    graph.focus(); // the button is about to be disabled: do not lose the reader's place
  });
  reshuffle.addEventListener("click", () => ask({ reshuffle: true }));
  order.addEventListener("change", () => ask({ order: order.value }));

  // ----------------------------------------------------------------------------------- drawing

  const look = whereKernelRuns(model, root, [reshuffle, orderLabel], "reshuffle the degrees and choose another order");

  function exists(at) {
    if (!at || !net) return false;
    if (at.kind === "unit") return at.u < net.sizes[at.layer];
    if (at.kind === "pair") return at.i < net.n && at.o < net.n;
    return net.masks[at.layer]?.[at.k]?.[at.d] !== undefined;
  }

  function draw() {
    net = networkOf(model);
    const notice = model.get("_notice"), hasBreaks = model.get("_breaks").length > 0;
    root.classList.toggle("empty", !net);
    body.hidden = keys.hidden = !net;
    undo.hidden = !net;
    undo.disabled = !hasBreaks;
    look();
    order.value = model.get("_order_name");
    if (!net) {
      say("waiting", "Nothing to draw yet");
      words.textContent = notice;
      factor.replaceChildren();
      return;
    }
    const kind = net.leaks.length ? "leak" : net.gaps.length ? "gap" : "good";
    say(kind, { leak: "Not autoregressive", gap: "Blind to the future, but not complete", good: "Autoregressive" }[kind]);
    if (!exists(rest)) rest = null;
    if (!exists(over)) over = null;
    drawGraph();
    drawMatrix();
    light();
  }

  draw();
  return follow(model, ["_masks", "_order", "_degrees", "_names", "_notice", "_breaks", "_order_name"], [], draw);
}

export default live(render);
