// The KL explorer: p is given, q is a Gaussian to drag, and both divergences follow at once.
// Everything but the student's own functions is computed here, by sums over one grid.

const WIDTH = 700, LEFT = 40, RIGHT = 12;
const TALL = 216, SLIM = 128; // heights of the densities and of the integrand
const MAP = { width: 340, height: 216, left: 36, right: 8, top: 10, bottom: 30 };
const CELLS = [104, 66]; // of a landscape
const BANDS = [0.02, 0.1, 0.25, 0.5, 1, 2, 4, 8, 16]; // nats above the least: the contours
const RATE = 0.03, LONGEST = 0.05; // a step downhill, and its limit in μ and in log σ
const KEYS = {
  first: "Drag the peak for μ and a square for σ; sliders take arrow keys and Page Up/Down.",
  whole: "Drag the peak for μ and a square for σ, or a point of a landscape; sliders take arrow keys and Page Up/Down. " +
    "In the landscapes: ring, where you are; +, a true optimum; ◆, where your own fit ends. Lines: 0.02 to 16 nats above the least.",
};
const NAMES = { forward: "KL(p‖q)", reverse: "KL(q‖p)" };

// ------------------------------------------------------------------------------- the mathematics

const logGaussian = (x, mu, sigma) =>
  -0.5 * ((x - mu) / sigma) ** 2 - Math.log(sigma) - 0.5 * Math.log(2 * Math.PI);

function worldOf(model) {
  const bumps = model.get("_bumps"), [first, spacing, count] = model.get("_grid");
  const logP = (x) => {
    const terms = bumps.map(([w, m, s]) => Math.log(w) + logGaussian(x, m, s));
    const most = Math.max(...terms);
    return most + Math.log(terms.reduce((sum, t) => sum + Math.exp(t - most), 0));
  };
  const x = Float64Array.from({ length: count }, (_, i) => first + spacing * i);
  const logs = x.map(logP), p = logs.map(Math.exp);
  return { x, p, logs, logP, spacing };
}

function divergence(world, direction, mu, sigma) {
  const { x, p, logs, spacing } = world;
  let sum = 0;
  for (let i = 0; i < x.length; i++) {
    const logQ = logGaussian(x[i], mu, sigma), r = logQ - logs[i];
    sum += direction === "forward" ? -p[i] * r : Math.exp(logQ) * r;
  }
  return sum * spacing;
}

// The slopes in μ and in log σ.
function slopes(world, direction, mu, sigma) {
  const { x, p, logs, spacing } = world;
  let inMu = 0, inLog = 0;
  for (let i = 0; i < x.length; i++) {
    const z = (x[i] - mu) / sigma;
    const logQ = logGaussian(x[i], mu, sigma);
    const weight = direction === "forward" ? -p[i] : Math.exp(logQ) * (logQ - logs[i]);
    inMu += weight * z / sigma;
    inLog += weight * (z * z - 1);
  }
  return [inMu * spacing, inLog * spacing];
}

const clip = (value, low, high) => Math.max(low, Math.min(high, value));

// A landscape's values, row by row from the least σ. The reverse KL is −H(q) − E_q[log p], and a sum
// over ±6 σ of q is exact enough for a picture.
function landscape(world, direction, mus, sigmas) {
  const { x, p, logs, logP, spacing } = world;
  let entropy = 0, mean = 0, square = 0;
  for (let i = 0; i < x.length; i++) {
    entropy -= p[i] * logs[i] * spacing;
    mean += p[i] * x[i] * spacing;
    square += p[i] * x[i] * x[i] * spacing;
  }
  const z = Array.from({ length: 61 }, (_, i) => (i - 30) / 5);
  const weight = z.map((t) => Math.exp(-t * t / 2) / Math.sqrt(2 * Math.PI) / 5);
  const half = 0.5 * Math.log(2 * Math.PI);
  return sigmas.map((sigma) => mus.map((mu) => {
    if (direction === "forward")
      return -entropy + Math.log(sigma) + half + (square - 2 * mu * mean + mu * mu) / (2 * sigma * sigma);
    const cost = z.reduce((sum, t, k) => sum + weight[k] * logP(mu + sigma * t), 0);
    return -half - 0.5 - Math.log(sigma) - cost;
  }));
}

// Line pieces where a table of values crosses `level` (marching squares), as SVG path text.
function contour(values, level, at) {
  const pieces = [];
  for (let j = 0; j + 1 < values.length; j++)
    for (let i = 0; i + 1 < values[0].length; i++) {
      const corners = [[i, j], [i + 1, j], [i + 1, j + 1], [i, j + 1]];
      const cuts = [];
      for (let k = 0; k < 4; k++) {
        const [a, b] = corners[k], [c, d] = corners[(k + 1) % 4];
        const from = values[b][a] - level, to = values[d][c] - level;
        if (from > 0 === to > 0) continue;
        const t = from / (from - to);
        cuts.push(at(a + t * (c - a), b + t * (d - b)));
      }
      for (let k = 0; k + 1 < cuts.length; k += 2)
        pieces.push(`M${cuts[k]}L${cuts[k + 1]}`);
    }
  return pieces.join("");
}

// ------------------------------------------------------------------------------------- the words
const signed = (value) => value.toFixed(3).replace("-", "−");
// The Python module says the same; a test holds the two together.

function inWords(world, optima, mu, sigma, whole) {
  const told = ["forward", "reverse"].map((direction) => {
    const value = divergence(world, direction, mu, sigma);
    const above = Math.max(0, value - optima[direction][0][2]);
    return `${NAMES[direction]} = ${value.toFixed(3)} nats${whole ? `, ${above.toFixed(3)} above its least` : ""}`;
  });
  return `Gaussian with μ = ${mu.toFixed(2)} and σ = ${sigma.toFixed(2)}: ${told.join("; ")}.`;
}

// A divergence as a cross-entropy less an entropy: of the world, or of the model.
function inParts(world, direction, sigma, value) {
  const entropy = direction === "forward"
    ? -world.p.reduce((sum, p, i) => sum + p * world.logs[i], 0) * world.spacing
    : Math.log(sigma) + 0.5 * Math.log(2 * Math.PI * Math.E);
  const [surprise, variety] = direction === "forward" ? ["H(p,q)", "H(p)"] : ["E_q[−log p]", "H(q)"];
  return `= ${surprise} ${signed(value + entropy)} less ${variety} ${signed(entropy)}`;
}

function pointInWords(world, direction, mu, sigma, x) {
  const logP = world.logP(x), logQ = logGaussian(x, mu, sigma), p = Math.exp(logP), q = Math.exp(logQ);
  const [term, value] = direction === "forward"
    ? ["p·log(p/q)", p * (logP - logQ)] : ["q·log(q/p)", q * (logQ - logP)];
  return `At x = ${x.toFixed(2)}: p = ${p.toFixed(3)}, q = ${q.toFixed(3)}, ${term} = ${value.toFixed(3)}.`;
}

// ----------------------------------------------------------------------------------- the picture

// The ends of an axis and about four round numbers between.
function ticks(low, high, about = 4) {
  const rough = (high - low) / about, power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((m) => m * power).find((s) => s >= rough) ?? power;
  const found = [];
  for (let v = Math.ceil(low / step) * step; v <= high + 1e-9 * step; v += step) found.push(v);
  return { found, digits: Math.max(0, -Math.floor(Math.log10(step) + 1e-9)) };
}
const label = (value, digits) => value.toFixed(digits).replace(/^-(?=0(\.0*)?$)/, "").replace("-", "−");

function render({ model, el }) {
  const id = newId("kl-explorer");
  const world = worldOf(model), optima = model.get("_optima");
  const [low, high] = model.get("_view"), [least, most] = model.get("_sigmas");
  let mu = model.get("mu"), sigma = model.get("sigma");
  let shaded = "forward", pointed = null, running = null, path = [];
  let ahead = false; // whether the reader has moved q since the kernel was last told

  const root = make("div", { class: "kl-explorer", role: "group", "aria-label": "KL explorer",
    "data-lm-suppress-shortcuts": "true" }, el);
  // Keys that a slider or a button takes are not the notebook's.
  root.addEventListener("keydown", (event) => { if (event.key !== "Tab") event.stopPropagation(); });

  const cards = make("div", { class: "cards" }, root);
  const radios = {}, numbers = {}, parts = {}, aboves = {}, theirs = {};
  for (const direction of ["forward", "reverse"]) {
    const card = make("label", { class: `card ${direction}` }, cards);
    const radio = make("input", { type: "radio", name: `${id}-shade`, value: direction,
      "aria-label": `Shade what each x adds to ${NAMES[direction]}` }, card);
    radio.checked = direction === shaded;
    radio.addEventListener("change", () => { shaded = direction; draw(); });
    radios[direction] = radio;
    const text = make("span", { class: "card-text" }, card);
    make("span", { class: "name" }, text, `${direction} `);
    make("span", { class: "math" }, text, NAMES[direction]);
    numbers[direction] = make("span", { class: "number" }, text);
    parts[direction] = make("span", { class: "above parts" }, text);
    aboves[direction] = make("span", { class: "above" }, text);
    theirs[direction] = make("span", { class: "theirs" }, text);
  }

  const plot = make("svg", { class: "plot", viewBox: `0 0 ${WIDTH} ${TALL + SLIM}`, "aria-hidden": "true", focusable: "false" }, root);
  const controls = make("div", { class: "controls" }, root);
  const slider = (name, text, from, to) => {
    const holder = make("label", { class: "slider" }, controls);
    make("span", { class: "math" }, holder, name);
    const input = make("input", { type: "range", min: from, max: to, step: 0.01, "aria-label": text }, holder);
    const value = make("span", { class: "value", "aria-hidden": "true" }, holder);
    return { input, value };
  };
  const muSlider = slider("μ", "mean μ of the Gaussian", low, high);
  const sigmaSlider = slider("σ", "standard deviation σ of the Gaussian", least, most);
  const buttons = make("div", { class: "buttons" }, root);
  const whole = () => model.get("_whole");
  const reveal = make("button", { type: "button", class: "reveal" }, buttons, "I would put it here: show me where each is least");
  reveal.addEventListener("click", () => {
    writer(model)("_whole", true);
    draw();
    muSlider.input.focus(); // the button is gone: do not lose the reader's place
  });
  const descents = {};
  for (const direction of ["forward", "reverse"]) {
    descents[direction] = make("button", { type: "button", class: `descend ${direction}` }, buttons, `Descend ${NAMES[direction]}`);
    descents[direction].addEventListener("click", () => descend(direction));
  }
  const from = make("button", { type: "button", class: "from-here" }, buttons, "Your fit_reverse from here");
  from.addEventListener("click", () => {
    stop();
    commit();
    model.set("_request", { fit: "reverse", at: Date.now() });
    model.save_changes();
  });
  const look = whereKernelRuns(model, root, [from], "ask your own kl wherever the Gaussian stands, and your fit_reverse from there");
  const words = make("p", { class: "words", role: "status", "aria-live": "polite" }, root);
  const notices = make("div", { class: "notices", role: "status" }, root);
  const maps = make("div", { class: "maps" }, root);
  const key = make("p", { class: "keys" }, root);
  key.id = `${id}-keys`;

  // ------------------------------------------------------------------- densities and integrand

  const toX = (x) => LEFT + (x - low) / (high - low) * (WIDTH - LEFT - RIGHT);
  const fromX = (px) => low + (px - LEFT) / (WIDTH - LEFT - RIGHT) * (high - low);
  const across = Array.from({ length: 281 }, (_, i) => low + (high - low) * i / 280);
  const pThere = across.map((x) => Math.exp(world.logP(x))), pMost = Math.max(...pThere);
  const line = (ys) => "M" + across.map((x, i) => `${toX(x).toFixed(1)} ${ys[i].toFixed(1)}`).join("L");

  const defs = make("defs", {}, plot);
  const hatch = make("pattern", { id: `${id}-hatch`, width: 6, height: 6, patternUnits: "userSpaceOnUse", patternTransform: "rotate(45)" }, defs);
  make("line", { class: "hatch", x1: 0, x2: 0, y1: 0, y2: 6 }, hatch);
  const axes = make("g", { class: "axes" }, plot);
  const pArea = make("path", { class: "p-area" }, plot), pLine = make("path", { class: "p-line" }, plot);
  const qLine = make("path", { class: "q-line" }, plot);
  const plus = make("path", { class: "plus" }, plot), minus = make("path", { class: "minus", style: `fill: url(#${id}-hatch)` }, plot);
  const outline = make("path", { class: "outline" }, plot);
  const cursor = make("path", { class: "cursor" }, plot);
  const pName = make("text", { class: "curve-name", "text-anchor": "middle" }, plot, "p, the world");
  const qName = make("text", { class: "curve-name q-name" }, plot, "q, the model");
  const title = make("text", { class: "title", x: LEFT + 4, y: TALL + 12 }, plot);
  const peak = make("circle", { class: "handle", r: 8 }, plot);
  const sides = [-1, 1].map(() => make("rect", { class: "handle side", width: 13, height: 13, rx: 2 }, plot));

  function drawPlot() {
    const q = across.map((x) => Math.exp(logGaussian(x, mu, sigma)));
    const top = 1.12 * Math.max(pMost, 1 / (sigma * Math.sqrt(2 * Math.PI)));
    const bottom = TALL - 26;
    const toY = (v) => bottom - v / top * (bottom - 8);
    const area = (ys, base) => `${line(ys)}L${toX(high)} ${base}L${toX(low)} ${base}Z`;
    anew(axes);
    const sideways = ticks(low, high, 8);
    for (const v of sideways.found) {
      make("path", { d: `M${toX(v)} ${bottom}v4` }, axes);
      make("text", { x: toX(v), y: bottom + 16, "text-anchor": "middle" }, axes, label(v, sideways.digits));
    }
    const upward = ticks(0, top, 3);
    for (const v of upward.found) make("text", { x: LEFT - 6, y: toY(v) + 4, "text-anchor": "end" }, axes, label(v, upward.digits));
    make("path", { d: `M${LEFT} ${bottom}H${WIDTH - RIGHT}` }, axes);
    const pY = pThere.map(toY);
    pArea.setAttribute("d", area(pY, bottom));
    pLine.setAttribute("d", line(pY));
    qLine.setAttribute("d", line(q.map(toY)));
    for (const [path, name, values] of [[pLine, "p", pThere], [qLine, "q", q]])
      path.dataset.mark = `${name} ${values.filter((_, i) => i % 40 === 0).map((v) => fixed(v, 3)).join(" ")}`;
    // The name of p stands over the bump that q is farthest from; that of q beside its peak, where there is room.
    const far = model.get("_bumps").reduce((a, b) => (Math.abs(b[1] - mu) > Math.abs(a[1] - mu) ? b : a));
    pName.setAttribute("x", toX(far[1])); pName.setAttribute("y", toY(Math.exp(world.logP(far[1]))) - 8);
    const away = far[1] > mu ? -1 : 1;
    qName.setAttribute("x", toX(mu) + away * 14); qName.setAttribute("y", toY(1 / (sigma * Math.sqrt(2 * Math.PI))) - 4);
    qName.setAttribute("text-anchor", away < 0 ? "end" : "start");
    peak.setAttribute("cx", toX(mu)); peak.setAttribute("cy", toY(1 / (sigma * Math.sqrt(2 * Math.PI))));
    sides.forEach((side, k) => {
      side.setAttribute("x", toX(mu + (k ? sigma : -sigma)) - 6.5);
      side.setAttribute("y", toY(Math.exp(logGaussian(mu + sigma, mu, sigma))) - 6.5);
    });

    // The integrand, on its own scale. Below 0 it is hatched: it takes away from the sum.
    const r = across.map((x, i) => logGaussian(x, mu, sigma) - Math.log(pThere[i]));
    const terms = across.map((_, i) => (shaded === "forward" ? -pThere[i] * r[i] : q[i] * r[i]));
    const rise = Math.max(...terms, 0.02), fall = Math.min(...terms, -0.02);
    const room = SLIM - 26, zero = TALL + 18 + room * rise / (rise - fall);
    const toTerm = (v) => zero - v / (rise - fall) * room;
    plus.setAttribute("d", area(terms.map((v) => toTerm(Math.max(v, 0))), zero));
    minus.setAttribute("d", area(terms.map((v) => toTerm(Math.min(v, 0))), zero));
    outline.setAttribute("d", line(terms.map(toTerm)));
    if (!whole()) return;
    make("path", { d: `M${LEFT} ${zero}H${WIDTH - RIGHT}` }, axes);
    const { found, digits } = ticks(fall, rise, 3);
    for (const v of found) make("text", { x: LEFT - 6, y: toTerm(v) + 4, "text-anchor": "end" }, axes, label(v, digits));
    plot.setAttribute("data-shaded", shaded);
    title.textContent = shaded === "forward"
      ? "what each x adds to KL(p‖q):  p·log(p/q)" : "what each x adds to KL(q‖p):  q·log(q/p)";
    cursor.setAttribute("d", pointed === null ? "" : `M${toX(pointed)} 8V${TALL + SLIM - 8}`);
  }

  // ------------------------------------------------------------------------------- landscapes

  const inner = [MAP.width - MAP.left - MAP.right, MAP.height - MAP.top - MAP.bottom];
  const mapX = (m) => MAP.left + (m - low) / (high - low) * inner[0];
  const mapY = (s) => MAP.top + inner[1] * (1 - Math.log(s / least) / Math.log(most / least));
  const mapMu = (px) => low + (px - MAP.left) / inner[0] * (high - low);
  const mapSigma = (py) => least * (most / least) ** (1 - (py - MAP.top) / inner[1]);
  const marks = {};
  for (const direction of ["forward", "reverse"]) {
    const figure = make("div", { class: `map ${direction}` }, maps);
    make("p", { class: "map-title" }, figure, `Landscape of ${NAMES[direction]}`);
    const svg = make("svg", { viewBox: `0 0 ${MAP.width} ${MAP.height}`, "aria-hidden": "true", focusable: "false" }, figure);
    const mus = Array.from({ length: CELLS[0] }, (_, i) => low + (high - low) * i / (CELLS[0] - 1));
    const sigmas = Array.from({ length: CELLS[1] }, (_, j) => least * (most / least) ** (j / (CELLS[1] - 1)));
    const floor = optima[direction][0][2];
    const values = landscape(world, direction, mus, sigmas).map((row) => row.map((v) => v - floor));
    const at = (i, j) => `${(MAP.left + inner[0] * i / (CELLS[0] - 1)).toFixed(1)} ${(MAP.top + inner[1] * (1 - j / (CELLS[1] - 1))).toFixed(1)}`;
    make("rect", { class: "ground", x: MAP.left, y: MAP.top, width: inner[0], height: inner[1] }, svg);
    const cell = [inner[0] / (CELLS[0] - 1), inner[1] / (CELLS[1] - 1)];
    BANDS.forEach((band, k) => {
      // Each band paints what lies below it once more: the deeper, the darker.
      const runs = [];
      values.forEach((row, j) => {
        for (let i = 0; i < row.length; i++) {
          if (row[i] >= band) continue;
          let end = i;
          while (end + 1 < row.length && row[end + 1] < band) end++;
          const x0 = Math.max(MAP.left, MAP.left + (i - 0.5) * cell[0]), x1 = Math.min(MAP.left + inner[0], MAP.left + (end + 0.5) * cell[0]);
          const middle = MAP.top + inner[1] - j * cell[1];
          const y0 = Math.max(MAP.top, middle - cell[1] / 2), y1 = Math.min(MAP.top + inner[1], middle + cell[1] / 2);
          runs.push(`M${x0.toFixed(1)} ${y0.toFixed(2)}H${x1.toFixed(1)}V${y1.toFixed(2)}H${x0.toFixed(1)}Z`);
          i = end;
        }
      });
      make("path", { class: "band", d: runs.join("") }, svg);
      make("path", { class: `contour${k % 2 ? "" : " faint"}`, d: contour(values, band, at) }, svg);
    });
    const sideways = ticks(low, high, 8);
    for (const v of sideways.found) make("text", { class: "tick", x: mapX(v), y: MAP.height - 14, "text-anchor": "middle" }, svg, label(v, sideways.digits));
    const rungs = [0.1, 0.2, 0.5, 1, 2, 5, 10].filter((v) => v >= least && v <= most);
    for (const v of rungs) make("text", { class: "tick", x: MAP.left - 5, y: mapY(v) + 4, "text-anchor": "end" }, svg, String(v));
    make("text", { class: "math", x: MAP.left + inner[0] - 2, y: MAP.height - 2, "text-anchor": "end" }, svg, "μ");
    make("text", { class: "math", x: 4, y: MAP.top + 10 }, svg, "σ");
    for (const [m, s] of optima[direction]) {
      const g = make("g", { class: "optimum", transform: `translate(${mapX(m)} ${mapY(s)})` }, svg);
      make("path", { class: "halo", d: "M-6 0H6M0 -6V6" }, g);
      make("path", { d: "M-6 0H6M0 -6V6" }, g);
    }
    marks[direction] = {
      walk: make("path", { class: "walk" }, svg), ends: make("g", {}, svg), here: make("circle", { class: "here", r: 6 }, svg),
    };
    drag(svg, (event) => {
      const [px, py] = within(svg, event, MAP.width, MAP.height);
      return { move: (e) => { const [a, b] = within(svg, e, MAP.width, MAP.height); go(mapMu(a), mapSigma(b)); }, at: () => go(mapMu(px), mapSigma(py)) };
    });
  }

  function drawMaps() {
    for (const direction of ["forward", "reverse"]) {
      const { walk, ends, here } = marks[direction];
      here.setAttribute("cx", mapX(mu)); here.setAttribute("cy", mapY(sigma));
      walk.setAttribute("d", path.length && path.direction === direction
        ? "M" + path.map(([m, s]) => `${mapX(m).toFixed(1)} ${mapY(s).toFixed(1)}`).join("L") : "");
      anew(ends);
      for (const [of, m, s] of model.get("_ends")) {
        if (of !== direction) continue;
        const x = mapX(clip(m, low, high)), y = mapY(clip(s, least, most));
        make("path", { class: "their-end", d: `M${x} ${y - 7}L${x + 7} ${y}L${x} ${y + 7}L${x - 7} ${y}Z` }, ends);
      }
    }
  }

  // ------------------------------------------------------------------------------------ moving

  function within(svg, event, width, height) {
    const box = svg.getBoundingClientRect();
    return [(event.clientX - box.left) / box.width * width, (event.clientY - box.top) / box.height * height];
  }
  function drag(svg, begin) {
    let grip = null;
    svg.addEventListener("pointerdown", (event) => {
      grip = begin(event);
      if (!grip) return;
      stop();
      path = [];
      svg.setPointerCapture(event.pointerId);
      event.preventDefault();
      grip.at?.();
    });
    svg.addEventListener("pointermove", (event) => grip?.move(event));
    for (const name of ["pointerup", "pointercancel"])
      svg.addEventListener(name, () => { if (grip) { grip = null; commit(); } });
  }
  const onPlot = (event) => within(plot, event, WIDTH, whole() ? TALL + SLIM : TALL);
  drag(plot, (event) => {
    const [px, py] = onPlot(event);
    if (py > TALL) return null;
    const side = [-1, 1].find((sign) => event.target === sides[(sign + 1) / 2]);
    if (side) return { move: (e) => go(mu, (fromX(onPlot(e)[0]) - mu) * side) };
    const offset = event.target === peak ? mu - fromX(px) : 0;
    return { move: (e) => go(fromX(onPlot(e)[0]) + offset, sigma), at: () => go(fromX(px) + offset, sigma) };
  });
  plot.addEventListener("pointermove", (event) => {
    const [px, py] = onPlot(event);
    const there = py > TALL ? clip(fromX(px), low, high) : null;
    if (there === pointed) return;
    pointed = there;
    drawPlot();
    say();
  });
  plot.addEventListener("pointerleave", () => { pointed = null; drawPlot(); say(); });

  function go(newMu, newSigma) {
    mu = clip(newMu, low, high);
    sigma = clip(newSigma, least, most);
    ahead = true;
    draw();
  }
  function commit() {
    ahead = false;
    model.set("mu", mu);
    model.set("sigma", sigma);
    model.save_changes();
  }
  const onSlide = () => { stop(); path = []; go(Number(muSlider.input.value), Number(sigmaSlider.input.value)); };
  for (const { input } of [muSlider, sigmaSlider]) {
    input.addEventListener("input", onSlide);
    input.addEventListener("change", commit);
  }

  function stop() {
    if (running === null) return;
    cancelAnimationFrame(running.frame);
    running = null;
    draw();
  }
  // Gradient descent in μ and log σ; the path is drawn in the landscape.
  function descend(direction) {
    const again = running?.direction === direction;
    if (running) { stop(); commit(); }
    if (again) return;
    path = Object.assign([[mu, sigma]], { direction });
    let steps = 0;
    const step = () => {
      const [inMu, inLog] = slopes(world, direction, mu, sigma);
      if (Math.max(Math.abs(inMu), Math.abs(inLog)) < 1e-5 || ++steps > 6000) return false;
      mu = clip(mu - clip(RATE * inMu, -LONGEST, LONGEST), low, high);
      sigma = clip(sigma * Math.exp(-clip(RATE * inLog, -LONGEST, LONGEST)), least, most);
      if (steps % 4 === 0) path.push([mu, sigma]);
      return true;
    };
    const finish = () => { path.push([mu, sigma]); running = null; draw(); commit(); };
    if (isCalm()) {
      while (step());
      return finish();
    }
    running = { direction };
    const frame = () => {
      for (let k = 0; k < 5; k++) if (!step()) return finish();
      draw();
      running.frame = requestAnimationFrame(frame);
    };
    running.frame = requestAnimationFrame(frame);
    draw();
  }

  // ----------------------------------------------------------------------------------- drawing

  function say() {
    if (running) return; // a live region that changes sixty times a second says nothing
    words.textContent = pointed === null ? inWords(world, optima, mu, sigma, whole())
      : pointInWords(world, shaded, mu, sigma, pointed);
  }
  function draw() {
    // First a guess, then the answer: until the reader commits to a place only the numbers stand.
    root.dataset.whole = whole();
    reveal.hidden = whole();
    maps.hidden = !whole();
    plot.setAttribute("viewBox", `0 0 ${WIDTH} ${whole() ? TALL + SLIM : TALL}`);
    for (const part of [title, plus, minus, outline, cursor]) part.style.display = whole() ? "" : "none";
    for (const radio of Object.values(radios)) radio.hidden = !whole();
    key.textContent = whole() ? KEYS.whole : KEYS.first;
    for (const direction of ["forward", "reverse"]) {
      const value = divergence(world, direction, mu, sigma), above = Math.max(0, value - optima[direction][0][2]);
      numbers[direction].textContent = `${value.toFixed(3)} nats`;
      parts[direction].textContent = whole() ? inParts(world, direction, sigma, value) : "";
      aboves[direction].textContent = whole() ? `${above.toFixed(3)} above its least` : "";
      descents[direction].hidden = !whole();
      const asked = model.get("_their_kl"), their = asked[direction];
      const isHere = Math.abs(asked.mu - mu) + Math.abs(asked.sigma - sigma) < 1e-9;
      const agrees = Math.abs(Number(their) - value) < 0.005 * (1 + Math.abs(value));
      theirs[direction].textContent = their && isHere ? `${agrees ? "✓" : "✗"} your kl says ${their}` : "";
      theirs[direction].dataset.agrees = agrees;
      descents[direction].textContent = running?.direction === direction ? "Stop" : `Descend ${NAMES[direction]}`;
    }
    root.dataset.descending = running !== null;
    for (const [{ input, value }, now] of [[muSlider, mu], [sigmaSlider, sigma]]) {
      input.value = now;
      input.setAttribute("aria-valuetext", now.toFixed(2));
      value.textContent = now.toFixed(2);
    }
    look();
    notices.replaceChildren(...model.get("_notices").map((text) => make("p", {}, null, `○ ${text}`)));
    notices.hidden = !model.get("_notices").length;
    drawPlot();
    drawMaps();
    say();
  }

  const fromKernel = (isNew) => {
    if (running || (!isNew && model.get("mu") === mu && model.get("sigma") === sigma)) return;
    if (!ahead) { // an answer to an earlier place must not pull q out of a hand that drags it
      mu = clip(model.get("mu"), low, high);
      sigma = clip(model.get("sigma"), least, most);
    }
    draw();
  };
  const unfollow = follow(model, ["_ends", "_their_kl", "_notices", "_whole"], ["mu", "sigma"], fromKernel);
  draw();
  return () => { stop(); unfollow(); };
}

export default live(render);
