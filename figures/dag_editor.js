// The DAG editor: arrows of a small Bayes net are clicked on and off, and the conditional tables
// follow at once. The kernel is asked for one thing only: what the student's function says.

const WIDTH = 330, HEIGHT = 290, BOX = 32; // the graph, in its own units
const PANEL = 360, TALL = 196, CELL = 13; // the tables
const MOST_ROWS = 105; // more rows than that are thinner than two pixels: one block stands for them

// ------------------------------------------------------------------------------------- the words
// The Python module says the whole and each node in the same words; a test holds the two together.

const s = (count) => (count === 1 ? "" : "s");
const grouped = (count) => count.toLocaleString("en-US");
const numbers = (count) => `${grouped(count)} free number${s(count)}`;
const product = (sizes) => sizes.reduce((a, b) => a * b, 1);
const and = (words) => (words.length < 2 ? words.join("") : `${words.slice(0, -1).join(", ")} and ${words.at(-1)}`);

function netOf(model) {
  const names = model.get("_names"), cardinalities = model.get("_cardinalities"), parents = model.get("_parents");
  const rows = parents.map((row) => product(row.map((j) => cardinalities[j])));
  const free = rows.map((many, i) => many * (cardinalities[i] - 1));
  const key = `${cardinalities.join(",")}|${parents.map((row) => row.join(",")).join(";")}`;
  return { names, cardinalities, parents, rows, free, key, ring: cycleOf(parents), n: names.length };
}

// The nodes of one cycle along its arrows, from its smallest; empty if there is none.
function cycleOf(parents) {
  let left = new Set(parents.keys());
  for (;;) {
    const without = [...left].filter((i) => !parents[i].some((j) => left.has(j)));
    if (!without.length) break;
    for (const i of without) left.delete(i);
  }
  if (!left.size) return [];
  const path = [Math.min(...left)];
  while (path.indexOf(path.at(-1)) === path.length - 1)
    path.push(Math.min(...parents[path.at(-1)].filter((j) => left.has(j))));
  const ring = path.slice(path.indexOf(path.at(-1)), -1).reverse();
  const at = ring.indexOf(Math.min(...ring));
  return [...ring.slice(at), ...ring.slice(0, at)];
}

function wholeInWords(net) {
  if (net.ring.length)
    return `Not a Bayes net: ${[...net.ring, net.ring[0]].map((i) => net.names[i]).join(" → ")} is a cycle.`;
  const count = net.free.reduce((a, b) => a + b, 0), full = product(net.cardinalities) - 1;
  return count === full ? `${numbers(count)}, as many as the full table.`
    : `${numbers(count)}; the full table needs ${grouped(full)}.`;
}

function nodeInWords(net, i) {
  const k = net.cardinalities[i], parents = net.parents[i], sizes = parents.map((j) => net.cardinalities[j]);
  const many = sizes.length > 1 ? `${sizes.join(" × ")} = ${grouped(net.rows[i])}` : grouped(net.rows[i]);
  const given = parents.length ? `given ${and(parents.map((j) => net.names[j]))}, ${many} row${s(net.rows[i])}` : "no parents, 1 row";
  return `${net.names[i]}: ${k} values, ${given} of ${k} − 1 = ${k - 1}: ${numbers(net.free[i])}.`;
}

function pairInWords(net, [a, b]) {
  const ends = net.parents[b].includes(a) ? [a, b] : net.parents[a].includes(b) ? [b, a] : null;
  if (!ends) return `No arrow between ${net.names[a]} and ${net.names[b]}. Click or press Enter to draw one.`;
  const [from, to] = ends;
  const costs = net.ring.length ? "" : ` It multiplies the rows of ${net.names[to]} by ${net.cardinalities[from]}.`;
  return `Arrow ${net.names[from]} → ${net.names[to]}.${costs} Click or press Enter to remove it, T to turn it round.`;
}

// ----------------------------------------------------------------------------------- the picture

function render({ model, el }) {
  const id = newId("dag-editor");
  const quiet = { "data-lm-suppress-shortcuts": "true" };
  const root = make("div", { class: "dag-editor", ...quiet }, el);
  const headline = make("p", { class: "headline", role: "status", "aria-live": "polite" }, root);
  const said = make("p", { class: "said", role: "status", "aria-live": "polite" }, root);
  const badge = make("span", { class: "badge", "aria-hidden": "true" }, said);
  const what = make("span", { class: "what" }, said);
  const body = make("div", { class: "body" }, root);
  const graph = make("div", {
    class: "graph", tabindex: "0", role: "slider", "aria-label": "Variables and arrows of the Bayes net",
    "aria-describedby": `${id}-keys`, "aria-valuemin": "1", "aria-valuemax": "1", "aria-valuenow": "1", ...quiet,
  }, body);
  const graphSvg = make("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, "aria-hidden": "true", focusable: "false" }, graph);
  const tables = make("div", { class: "tables" }, body);
  const tablesSvg = make("svg", { viewBox: `0 0 ${PANEL} ${HEIGHT}`, "aria-hidden": "true", focusable: "false" }, tables);
  const readout = make("div", { class: "readout" }, root);
  const words = make("p", { class: "words", role: "status", "aria-live": "polite" }, readout);
  const controls = make("div", { class: "controls" }, root);
  const turn = make("button", { type: "button", class: "turn" }, controls, "Turn the arrow round");
  const startLabel = make("label", {}, controls, "Start from ");
  const start = make("select", quiet, startLabel);
  for (const [value, name] of [["", "…"], ["start", "the first graph"], ["none", "no arrows"], ["chain", "a chain"],
    ["common", "one common parent"], ["all", "every arrow"]]) make("option", { value }, start, name);
  const values = make("span", { class: "values" }, controls);
  make("p", { class: "keys", id: `${id}-keys` }, root,
    "Click a dotted line to draw its arrow, an arrow to remove it. Keys: ← → choose a pair of variables, " +
    "Enter draws or removes its arrow, T turns it round, ↑ ↓ read one variable's table.");
  const look = whereKernelRuns(model, root, [], "ask your own function of any graph");

  let net = null, rest = null, over = null;
  const current = () => over ?? rest;
  const same = (a, b) => JSON.stringify(a) === JSON.stringify(b);
  const pairs = () => Array.from({ length: net.n }, (_, b) => Array.from({ length: b }, (_, a) => [a, b])).flat();

  // On a ring no three nodes lie on a line, so every pair has a line of its own; the first node
  // stands on top, the later ones go down on both sides.
  const place = (i) => {
    const right = [...Array(net.n).keys()].filter((j) => j % 2 === 0), left = [...Array(net.n).keys()].filter((j) => j % 2).reverse();
    const at = [...right, ...left].indexOf(i), turned = net.n === 6 ? 0.12 * (i % 2 ? 1 : -1) : 0;
    const angle = (2 * Math.PI * at) / net.n + turned;
    return [WIDTH / 2 + 118 * Math.sin(angle), HEIGHT / 2 + 8 - 120 * Math.cos(angle)];
  };
  const half = (i) => Math.max(30, 4.1 * [...net.names[i]].length + 10);
  // Where the line from node i toward (x, y) leaves its box.
  const rim = (i, [x, y]) => {
    const [cx, cy] = place(i), dx = x - cx, dy = y - cy;
    const t = Math.min((half(i) + 3) / Math.abs(dx || 1e-9), (BOX / 2 + 5) / Math.abs(dy || 1e-9));
    return [cx + t * dx, cy + t * dy];
  };
  const arrowOf = ([a, b]) => (net.parents[b].includes(a) ? [a, b] : net.parents[a].includes(b) ? [b, a] : null);
  const onRing = (from, to) => {
    const at = net.ring.indexOf(from);
    return at >= 0 && net.ring[(at + 1) % net.ring.length] === to;
  };

  function drawGraph() {
    graphSvg.replaceChildren();
    for (const pair of pairs()) {
      const arrow = arrowOf(pair), [a, b] = arrow ?? pair;
      const from = rim(a, place(b)), to = rim(b, place(a));
      const line = { x1: from[0], y1: from[1], x2: to[0], y2: to[1] };
      const g = make("g", { class: "pair", "data-pair": pair.join("-") }, graphSvg);
      if (arrow) {
        g.dataset.mark = `arrow ${a} ${b}`;
        g.classList.toggle("cyclic", onRing(a, b));
        const length = Math.hypot(to[0] - from[0], to[1] - from[1]);
        const ux = (to[0] - from[0]) / length, uy = (to[1] - from[1]) / length;
        make("line", { ...line, x2: to[0] - 8 * ux, y2: to[1] - 8 * uy, class: "arrow" }, g);
        make("path", {
          class: "head",
          d: `M${to[0]} ${to[1]}L${to[0] - 11 * ux - 5.5 * uy} ${to[1] - 11 * uy + 5.5 * ux}L${to[0] - 11 * ux + 5.5 * uy} ${to[1] - 11 * uy - 5.5 * ux}Z`,
        }, g);
      } else make("line", { ...line, class: "ghost" }, g);
      make("line", { ...line, class: "touch" }, g);
      const at = { kind: "pair", pair };
      g.addEventListener("pointerenter", () => pointAt(at));
      g.addEventListener("pointerleave", () => pointAt(null));
      g.addEventListener("click", () => { rest = at; toggle(pair); });
    }
    for (let i = 0; i < net.n; i++) {
      const [x, y] = place(i), w = half(i);
      const g = make("g", { class: "node", "data-node": i, transform: `translate(${x} ${y})` }, graphSvg);
      g.classList.toggle("cyclic", net.ring.includes(i));
      make("rect", { x: -w, y: -BOX / 2, width: 2 * w, height: BOX, rx: 9 }, g);
      make("text", { y: -0.5 }, g, net.names[i]);
      make("text", { y: 12, class: "many" }, g, `${net.cardinalities[i]} values`);
      g.addEventListener("pointerenter", () => pointAt({ kind: "node", i }));
      g.addEventListener("pointerleave", () => pointAt(null));
      g.addEventListener("click", () => { rest = same(rest, { kind: "node", i }) ? null : { kind: "node", i }; light(); });
    }
  }

  function drawTables() {
    tablesSvg.replaceChildren();
    if (net.ring.length) {
      make("text", { class: "none", x: PANEL / 2, y: HEIGHT / 2 - 10 }, tablesSvg, "No tables: on a cycle no variable comes first,");
      make("text", { class: "none", x: PANEL / 2, y: HEIGHT / 2 + 10 }, tablesSvg, "so the product of the tables is no distribution.");
      return;
    }
    const wide = PANEL / net.n;
    for (let i = 0; i < net.n; i++) {
      const k = net.cardinalities[i], rows = net.rows[i];
      const g = make("g", { class: "table", "data-table": i, "data-mark": `free ${i} ${net.free[i]}`, transform: `translate(${(i + 0.5) * wide} 0)` }, tablesSvg);
      make("rect", { class: "ground", x: -wide / 2, y: 0, width: wide, height: HEIGHT }, g);
      make("text", { class: "label", y: 20 }, g, net.names[i]);
      make("text", { class: "sum", y: 37 }, g, `${grouped(rows)} × ${k - 1}`);
      make("text", { class: "sum total", y: 53 }, g, `= ${grouped(net.free[i])}`);
      const w = Math.min(CELL, (wide - 12) / k), top = 62;
      const isBlock = rows > MOST_ROWS, drawn = isBlock ? 1 : rows;
      const h = isBlock ? TALL : Math.min(CELL, TALL / rows), gap = h > 5 ? 1.5 : h > 3 ? 0.8 : 0.3;
      for (let row = 0; row < drawn; row++)
        for (let v = 0; v < k; v++)
          make("rect", {
            class: v === k - 1 ? "cell last" : "cell", x: (v - k / 2) * w + 0.75, y: top + row * h + gap / 2,
            width: w - 1.5, height: h - gap, rx: Math.min(2, h / 4),
          }, g);
      if (isBlock) make("text", { class: "sum", y: top + TALL + 15 }, g, `${grouped(rows)} rows`);
      g.addEventListener("pointerenter", () => pointAt({ kind: "node", i }));
      g.addEventListener("pointerleave", () => pointAt(null));
    }
    make("rect", { class: "cell", x: 6, y: HEIGHT - 13, width: 10, height: 10, rx: 2 }, tablesSvg);
    make("text", { class: "sum", x: 21, y: HEIGHT - 4, style: "text-anchor:start" }, tablesSvg, "free number");
    make("rect", { class: "cell last", x: 108, y: HEIGHT - 13, width: 10, height: 10, rx: 2 }, tablesSvg);
    make("text", { class: "sum", x: 123, y: HEIGHT - 4, style: "text-anchor:start" }, tablesSvg, "fixed: its row sums to 1");
  }

  function drawValues() {
    values.replaceChildren("Values: ");
    net.names.forEach((name, i) => {
      const label = make("label", { style: "margin-right:8px" }, values, `${name} `);
      const select = make("select", { ...quiet, "data-values": i }, label);
      for (let k = 2; k <= 6; k++) make("option", { value: k }, select, k);
      select.value = net.cardinalities[i];
      select.addEventListener("change", () => {
        const next = [...net.cardinalities];
        next[i] = Number(select.value);
        change("_cardinalities", next);
      });
    });
  }

  function light() {
    const at = current();
    for (const g of graphSvg.querySelectorAll(".pair")) {
      const pair = g.dataset.pair.split("-").map(Number);
      g.classList.toggle("chosen", at?.kind === "pair" && same(pair, at.pair));
      g.classList.toggle("feeds", at?.kind === "node" && arrowOf(pair)?.[1] === at.i);
    }
    for (const g of graphSvg.querySelectorAll(".node")) {
      const i = Number(g.dataset.node);
      g.classList.toggle("chosen", at?.kind === "node" && at.i === i);
      g.classList.toggle("parent", at?.kind === "node" && net.parents[at.i].includes(i));
    }
    const child = at?.kind === "node" ? at.i : at?.kind === "pair" ? arrowOf(at.pair)?.[1] : undefined;
    for (const g of tablesSvg.querySelectorAll(".table")) {
      const i = Number(g.dataset.table);
      g.classList.toggle("off", child !== undefined && i !== child);
      g.classList.toggle("chosen", i === child);
    }
    const sentence = !at ? "Point at a variable to read its table, or click a line between two variables."
      : at.kind === "pair" ? pairInWords(net, at.pair) : net.ring.length ? wholeInWords(net) : nodeInWords(net, at.i);
    words.textContent = sentence;
    const all = pairs(), many = at?.kind === "node" ? net.n : all.length;
    const now = at?.kind === "node" ? at.i + 1 : at ? all.findIndex((p) => same(p, at.pair)) + 1 : 1;
    graph.setAttribute("aria-valuemax", many);
    graph.setAttribute("aria-valuenow", now);
    graph.setAttribute("aria-valuetext", at ? sentence : wholeInWords(net));
    turn.disabled = !(rest?.kind === "pair" && arrowOf(rest.pair));
  }

  function drawAnswer() {
    const answer = model.get("_answers")[net.key];
    said.hidden = !model.get("_live");
    said.dataset.kind = answer?.kind ?? "waiting";
    badge.textContent = { good: "✓", bad: "✕" }[answer?.kind] ?? "…";
    what.textContent = answer ? answer.words
      : hasKernel(model) ? "Asking your function …" : "Your function answers where a kernel runs.";
  }

  function draw() {
    net = netOf(model);
    headline.textContent = wholeInWords(net);
    headline.classList.toggle("cyclic", net.ring.length > 0);
    drawGraph();
    drawTables();
    drawAnswer();
    look();
    light();
  }

  // ------------------------------------------------------------------------------- what one does

  function pointAt(at) {
    if (same(at, over)) return;
    over = at;
    light();
  }
  function change(trait, value) {
    model.set(trait, value);
    model.save_changes();
  }
  function connect(from, to, on) {
    const next = net.parents.map((row) => [...row]);
    next[to] = on ? [...next[to], from].sort((a, b) => a - b) : next[to].filter((j) => j !== from);
    return next;
  }
  function toggle(pair) {
    const arrow = arrowOf(pair);
    change("_parents", arrow ? connect(...arrow, false) : connect(...pair, true));
  }
  function turnRound(pair) {
    const arrow = arrowOf(pair);
    if (!arrow) return;
    const [from, to] = arrow, next = connect(from, to, false);
    next[from] = [...next[from], to].sort((a, b) => a - b);
    change("_parents", next);
  }

  turn.addEventListener("click", () => rest?.kind === "pair" && turnRound(rest.pair));
  start.addEventListener("change", () => {
    const each = [...Array(net.n).keys()];
    const graphs = {
      start: model.get("_start"), none: each.map(() => []), chain: each.map((i) => (i ? [i - 1] : [])),
      common: each.map((i) => (i ? [0] : [])), all: each.map((i) => each.slice(0, i)),
    };
    if (graphs[start.value]) change("_parents", graphs[start.value]);
    start.value = "";
  });
  graph.addEventListener("keydown", (event) => {
    if (isPages(event)) return;
    const { key } = event, all = pairs();
    const step = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -1, ArrowDown: 1 }[key];
    const isPair = rest?.kind === "pair", isEnter = key === "Enter" || key === " ", isTurn = key.toLowerCase() === "t";
    if (step === undefined && !(isEnter && isPair) && !(isTurn && isPair) && !(key === "Escape" && rest)) return;
    event.preventDefault();
    event.stopPropagation();
    over = null;
    if (key === "ArrowLeft" || key === "ArrowRight") {
      const at = isPair ? all.findIndex((p) => same(p, rest.pair)) : step > 0 ? -1 : 0;
      rest = { kind: "pair", pair: all[(at + step + all.length) % all.length] };
    } else if (step !== undefined) {
      const at = rest?.kind === "node" ? rest.i : step > 0 ? -1 : 0;
      rest = { kind: "node", i: (at + step + net.n) % net.n };
    } else if (isEnter) return toggle(rest.pair);
    else if (isTurn) return turnRound(rest.pair);
    else rest = null;
    light();
  });
  // Reached by Tab, a pair is chosen at once, so that the first key already does something.
  graph.addEventListener("focus", () => {
    if (graph.matches(":focus-visible") && !rest) {
      rest = { kind: "pair", pair: pairs()[0] };
      light();
    }
  });

  draw();
  drawValues();
  return follow(model, ["_names"], ["_parents", "_answers", "_cardinalities"], (isNew) => {
    draw();
    if (isNew) drawValues();
  });
}

export default live(render);
