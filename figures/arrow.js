// The arrow: a world of two numbers beside its best Gaussian model, along an arrow that turns.
// All numbers came with the model; here they are drawn, and said.

const MAP = { width: 350, height: 250, left: 34, right: 6, top: 24, bottom: 30 };
const CURVE = { width: 350, height: 128, left: 34, right: 6, top: 24, bottom: 26 };
const SAME = 1e-6;

// ------------------------------------------------------------------------------------- the words
// The Python module writes numbers and says words in the same way; a test holds the two together.

function number(value) {
  if (value === null || value === undefined || Number.isNaN(value)) return "NaN";
  if (!Number.isFinite(value)) return value > 0 ? "∞" : "−∞";
  const size = Math.abs(value);
  if (size < 1e-9) return "0";
  const text = size < 0.001 ? size.toExponential(2)
    : size.toFixed(3).replace(/0+$/, "").replace(/\.$/, "");
  return (value < 0 ? "−" : "") + text;
}

const rounded = (value) => (Number.isFinite(value) ? fixed(value, 2) : "NaN");

const totalOf = (lost) => (lost.first === null || lost.second === null ? NaN : lost.first + lost.second);
const hasModel = (model, at) => Object.keys(model.get("_model")[at] ?? {}).length > 0;

function wholeInWords(model) {
  const at = model.get("_at"), eps = number(model.get("_eps")[at]);
  if (model.get("_arrow") === "forward") return `x1 → x2 at ε = ${eps}: Gaussian factors can follow, 0 nats lost`;
  if (model.get("_notice")) return model.get("_notice");
  const off = model.get("_off")[at];
  if (off === null || off > SAME)
    return `x2 → x1 at ε = ${eps}: this is another world, p(x2) p(x1 | x2) differs from ` +
      `p(x1) p(x2 | x1) by up to ${number(off)}`;
  if (!hasModel(model, at))
    return model.get("_fit_notice") || `x2 → x1 at ε = ${eps}: the same world, and no model yet`;
  return `x2 → x1 at ε = ${eps}: Gaussian factors cannot follow, ${number(totalOf(model.get("_lost")[at]))} nats lost`;
}

function inWords(model) {
  const at = model.get("_at");
  if (model.get("_arrow") === "forward") {
    const x1 = model.get("_x1")[model.get("_column")], mu = model.get("_mu");
    return `Given x1 = ${rounded(x1)}: x2 is N(${number(x1 > 0 ? mu[1] : mu[0])}, ${number(model.get("_eps")[at])}), and so ` +
      "says the model. Nothing is lost, here or anywhere.";
  }
  if (model.get("_notice")) return model.get("_notice");
  const row = model.get("_row"), mass = model.get("_mass")[at][row], above = model.get("_above")[at][row];
  let said = `Given x2 = ${rounded(model.get("_x2")[row])}: `;
  if (mass === null) return `${said}p(x1 | x2) is no number there.`;
  said += `x1 is above 0 with probability ${rounded(above)}.`;
  if (Math.abs(mass - 1) > 0.01) said += ` p(x1 | x2) has the mass ${number(mass)} there, not 1.`;
  if (!hasModel(model, at)) return `${said} ${model.get("_fit_notice") || "There is no model yet."}`;
  const { mean, var: variance } = model.get("_model")[at], lost = model.get("_lost")[at];
  said += ` The model's Gaussian has mean ${number(mean[row])} and variance ${number(variance[row])}, and loses ` +
    `${number(lost.here[row])} nats here. On average ${number(lost.second)} are lost ` +
    `in q(x1 | x2), and ${number(lost.first)} in q(x2).`;
  const gapNotice = model.get("_gap_notice");
  if ("gap" in lost) {
    const total = totalOf(lost);
    const agree = lost.gap !== null && Math.abs(lost.gap - total) <= 0.01 + 0.01 * Math.abs(total);
    if (!agree && !gapNotice) said += ` Your gap says ${number(lost.gap)}, the two parts say ${number(total)}.`;
  }
  return said + (gapNotice ? ` ${gapNotice}` : "");
}

// ----------------------------------------------------------------------------------- the picture

const bell = (x, mean, variance) =>
  variance > 0 ? Math.exp(-((x - mean) ** 2) / (2 * variance)) / Math.sqrt(2 * Math.PI * variance) : 0;

// Whole numbers, or halves, or fewer: about five ticks.
function ticksOf(low, high) {
  const rough = (high - low) / 5, power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((m) => m * power).find((s) => s >= rough);
  const ticks = [];
  for (let k = Math.ceil(low / step); k * step <= high + 1e-9; k++) ticks.push(k * step);
  return ticks;
}
const tickText = (value) => String(Number(value.toFixed(6))).replace("-", "−");

function render({ model, el }) {
  const id = newId("arrow-explorer");
  const root = make("div", { class: "arrow-explorer", "data-lm-suppress-shortcuts": "true" }, el);
  const say = headlineIn(root);
  const controls = make("div", { class: "controls" }, root);
  const turn = make("button", { type: "button", class: "turn" }, controls);
  const sign = make("svg", { viewBox: "0 0 104 26", "aria-hidden": "true", focusable: "false" }, turn);
  make("span", {}, turn, "Turn the arrow");
  const variance = make("label", { class: "variance" }, controls);
  make("span", {}, variance, "variance ε");
  const range = make("input", { type: "range", min: "0", step: "1", "data-lm-suppress-shortcuts": "true" }, variance);
  const shown = make("output", {}, variance);
  const maps = make("div", {
    class: "maps", tabindex: "0", role: "slider", "aria-describedby": `${id}-keys`, "aria-valuemin": "1",
    "data-lm-suppress-shortcuts": "true",
  }, root);
  const mapOf = () => {
    const box = make("div", { class: "map" }, maps);
    const canvas = make("canvas", { "aria-hidden": "true" }, box);
    const svg = make("svg", { viewBox: `0 0 ${MAP.width} ${MAP.height}`, "aria-hidden": "true", focusable: "false" }, box);
    canvas.style.left = `${(100 * MAP.left) / MAP.width}%`;
    canvas.style.top = `${(100 * MAP.top) / MAP.height}%`;
    canvas.style.width = `${(100 * (MAP.width - MAP.left - MAP.right)) / MAP.width}%`;
    canvas.style.height = `${(100 * (MAP.height - MAP.top - MAP.bottom)) / MAP.height}%`;
    return { box, canvas, svg };
  };
  const world = mapOf(), fitted = mapOf();
  const factors = make("div", { class: "factors" }, root);
  const curves = [0, 1].map(() => {
    const box = make("div", { class: "factor" }, factors);
    return make("svg", { viewBox: `0 0 ${CURVE.width} ${CURVE.height}`, "aria-hidden": "true", focusable: "false" }, box);
  });
  const legend = make("p", { class: "legend", "aria-hidden": "true" }, root);
  for (const [look, text] of [["area", "the world"], ["dash", "the model's Gaussian"]]) {
    const entry = make("span", {}, legend);
    make("i", { class: look }, entry);
    entry.append(text);
  }
  const readout = make("div", { class: "readout" }, root);
  const words = make("p", { class: "words", role: "status", "aria-live": "polite" }, readout);
  const keys = make("p", { class: "keys", id: `${id}-keys` }, root);

  const x1 = () => model.get("_x1"), x2 = () => model.get("_x2");
  const isForward = () => model.get("_arrow") === "forward";
  let bytes = null, posteriors = null, painted = null;
  // p(x1 | x2) of the chosen variance and a row.
  const posteriorAt = (row) => {
    const view = model.get("_post");
    if (view !== bytes) {
      bytes = view;
      const raw = view.buffer.slice(view.byteOffset, view.byteOffset + view.byteLength);
      posteriors = new Float32Array(raw);
    }
    const start = (model.get("_at") * x2().length + row) * x1().length;
    return posteriors.subarray(start, start + x1().length);
  };
  const mean = (v) => model.get("_mu")[v > 0 ? 1 : 0];

  const save = writer(model);
  const write = (name, value) => { if (model.get(name) !== value) save(name, value); };

  // The heights of both pictures, rows of x2 from below; null where there is nothing to draw.
  function worldHeights() {
    const eps = model.get("_eps")[model.get("_at")];
    if (isForward()) return x2().map((b) => x1().map((a) => bell(a, 0, 1) * bell(b, mean(a), eps)));
    if (model.get("_notice")) return null;
    const p2 = model.get("_p2")[model.get("_at")];
    return x2().map((_, row) => Array.from(posteriorAt(row), (p) => (p2[row] ?? 0) * (p || 0)));
  }
  function modelHeights() {
    const at = model.get("_at"), eps = model.get("_eps")[at];
    if (isForward()) return x2().map((b) => x1().map((a) => bell(a, 0, 1) * bell(b, mean(a), eps)));
    if (model.get("_notice") || !hasModel(model, at)) return null;
    const { mean2, var2, mean: m, var: v } = model.get("_model")[at];
    return x2().map((b, row) => x1().map((a) => bell(b, mean2, var2) * bell(a, m[row] ?? 0, v[row] ?? 0)));
  }

  function paint({ canvas }, heights, top, color) {
    const rows = x2().length, columns = x1().length;
    canvas.width = columns;
    canvas.height = rows;
    const context = canvas.getContext("2d");
    context.clearRect(0, 0, columns, rows);
    if (!heights) return;
    const image = context.createImageData(columns, rows);
    heights.forEach((line, row) => line.forEach((height, column) => {
      const place = 4 * ((rows - 1 - row) * columns + column);
      image.data.set(color, place);
      // The root of the height, or the thin parts would not be seen.
      image.data[place + 3] = Math.round(255 * Math.sqrt(Math.min(1, Math.max(0, height) / top)));
    }));
    context.putImageData(image, 0, 0);
  }

  function colorOf(name) {
    const text = getComputedStyle(root).getPropertyValue(name).trim();
    return [1, 3, 5].map((i) => parseInt(text.slice(i, i + 2), 16));
  }

  const across = (box, value) => {
    const edge = 1.5 * x1()[0] - 0.5 * x1()[1], span = -2 * edge;
    return box.left + ((value - edge) / span) * (box.width - box.left - box.right);
  };
  const half = () => (x2()[1] - x2()[0]) / 2;
  const upOf = (value) => {
    const low = x2()[0] - half(), span = x2().at(-1) + half() - low;
    return MAP.height - MAP.bottom - ((value - low) / span) * (MAP.height - MAP.top - MAP.bottom);
  };
  const acrossX2 = (box, value) => {
    const low = x2()[0], span = x2().at(-1) - low;
    return box.left + ((value - low) / span) * (box.width - box.left - box.right);
  };

  // Frame, ticks and title of a picture, and the group for what moves in it, emptied. Axes that
  // stay are not made again: only the title and the group change while one points.
  const framed = new Map();
  function frame(svg, box, title, axis, ticks, place, kind = "", up = []) {
    const wanted = JSON.stringify([axis, kind, ticks.map(place), up.map(upOf)]);
    let made = framed.get(svg);
    if (made?.wanted !== wanted) {
      svg.replaceChildren();
      made = { wanted, title: make("text", { class: `title ${kind}`, x: box.left + (box === MAP ? 10 : 0), y: 15 }, svg) };
      make("rect", { class: "frame", x: box.left, y: box.top, width: box.width - box.left - box.right,
        height: box.height - box.top - box.bottom }, svg);
      const foot = box.height - box.bottom;
      for (const tick of ticks) {
        make("line", { class: "tick", x1: place(tick), x2: place(tick), y1: foot, y2: foot + 4 }, svg);
        make("text", { x: place(tick), y: foot + 15, "text-anchor": "middle" }, svg, tickText(tick));
      }
      make("text", { x: box.width - box.right, y: foot + 26, "text-anchor": "end" }, svg, axis);
      for (const tick of up) {
        make("line", { class: "tick", x1: box.left - 4, x2: box.left, y1: upOf(tick), y2: upOf(tick) }, svg);
        make("text", { x: box.left - 6, y: upOf(tick) + 4, "text-anchor": "end" }, svg, tickText(tick));
      }
      if (up.length) make("text", { x: 4, y: 15 }, svg, "x2 ↑");
      made.group = make("g", {}, svg);
      framed.set(svg, made);
    }
    setText(made.title, title);
    anew(made.group);
    return made.group;
  }

  function drawMap({ svg }, title, kind) {
    const group = frame(svg, MAP, title, "x1 →", ticksOf(-3.5, 3.5), (v) => across(MAP, v), kind,
      ticksOf(x2()[0], x2().at(-1)));
    const { width, height, left, right, top, bottom } = MAP;
    if (isForward()) {
      const x = across(MAP, x1()[model.get("_column")]);
      make("line", { class: "given", x1: x, x2: x, y1: top, y2: height - bottom }, group);
      make("path", { class: "handle", d: `M${x - 5} ${top}h10l-5 7z` }, group);
    } else {
      const y = upOf(x2()[model.get("_row")]);
      make("line", { class: "given", x1: left, x2: width - right, y1: y, y2: y }, group);
      make("path", { class: "handle", d: `M${left} ${y - 5}v10l7 -5z` }, group);
    }
  }

  function drawCurve(svg, title, axis, points, place, ticks, truth, gaussian) {
    const group = frame(svg, CURVE, title, axis, ticks, place);
    const top = 1.08 * Math.max(1e-9, ...(truth ?? []).map((v) => v || 0), ...(gaussian ?? []).map((v) => v || 0));
    const foot = CURVE.height - CURVE.bottom, tall = foot - CURVE.top;
    const path = (values) => values.map((v, i) =>
      `${i ? "L" : "M"}${place(points[i]).toFixed(1)} ${(foot - (tall * (v || 0)) / top).toFixed(1)}`).join("");
    const some = (name, values) => (svg === curves[1]
      ? { "data-mark": `${name} ${values.filter((_, i) => i % 10 === 0).map((v) => fixed(v, 3)).join(" ")}` } : {});
    if (truth) make("path", { class: "truth", ...some("truth", truth), d: `${path(truth)}L${place(points.at(-1)).toFixed(1)} ${foot}L${place(points[0]).toFixed(1)} ${foot}Z` }, group);
    if (gaussian) make("path", { class: "model-line", ...some("model", gaussian), d: path(gaussian) }, group);
  }

  // The first factor is the same wherever one points, as the maps are.
  function drawCurves(isNew) {
    const at = model.get("_at"), eps = model.get("_eps")[at];
    const onX1 = (v) => across(CURVE, v), onX2 = (v) => acrossX2(CURVE, v);
    const ticks1 = ticksOf(-3.5, 3.5), ticks2 = ticksOf(x2()[0], x2().at(-1));
    if (isForward()) {
      const a = x1()[model.get("_column")];
      const first = x1().map((v) => bell(v, 0, 1)), second = x2().map((v) => bell(v, mean(a), eps));
      if (isNew) drawCurve(curves[0], "first factor: p(x1)", "x1 →", x1(), onX1, ticks1, first, first);
      drawCurve(curves[1], `second: p(x2 | x1 = ${rounded(a)})`, "x2 →", x2(), onX2, ticks2, second, second);
      return;
    }
    const row = model.get("_row"), there = !model.get("_notice"), known = there && hasModel(model, at);
    const fit = known ? model.get("_model")[at] : null;
    if (isNew) drawCurve(curves[0], "first factor: p(x2)", "x2 →", x2(), onX2, ticks2,
      there ? model.get("_p2")[at] : null, fit && x2().map((v) => bell(v, fit.mean2, fit.var2)));
    drawCurve(curves[1], `second: p(x1 | x2 = ${rounded(x2()[row])})`, "x1 →", x1(), onX1, ticks1,
      there ? Array.from(posteriorAt(row)) : null, fit && x1().map((v) => bell(v, fit.mean[row], fit.var[row])));
  }

  function drawSign(forward) {
    sign.replaceChildren();
    const node = (x, name, first) => {
      const g = make("g", first ? { class: "first" } : {}, sign);
      make("circle", { cx: x, cy: 13, r: 11.5 }, g);
      make("text", { x, y: 17.5 }, g, name);
    };
    node(14, "x₁", forward);
    node(90, "x₂", !forward);
    make("path", { class: "shaft", d: forward ? "M30 13H72M65 7L73 13L65 19" : "M74 13H32M39 7L31 13L39 19" }, sign);
  }

  function draw() {
    const at = model.get("_at"), eps = model.get("_eps")[at];
    const text = wholeInWords(model);
    const follows = isForward();
    say(follows ? "good" : "leak", text);
    turn.setAttribute("aria-description", `now ${follows ? "x1 → x2" : "x2 → x1"}`);
    range.max = String(model.get("_eps").length - 1);
    range.value = String(at);
    range.setAttribute("aria-valuetext", `variance ${number(eps)}`);
    shown.textContent = `${number(eps)}, a standard deviation of ${rounded(Math.sqrt(eps))}`;
    drawMap(world, follows ? "the world: p(x1) p(x2 | x1)" : "the world: p(x2) p(x1 | x2)", "");
    drawMap(fitted, follows ? "best Gaussian model: q(x1) q(x2 | x1)" : "best Gaussian model: q(x2) q(x1 | x2)", "model");
    // The maps are the same wherever one points: they are painted when something else has changed.
    const now = [follows, at, ...["_mu", "_x1", "_x2", "_p2", "_post", "_model", "_notice"].map((name) => model.get(name))];
    const isNew = !painted || now.some((value, k) => value !== painted[k]);
    if (isNew) {
      drawSign(follows);
      const top = bell(0, 0, 1) * bell(0, 0, eps);
      paint(world, worldHeights(), top, colorOf("--path"));
      paint(fitted, modelHeights(), top, colorOf("--leak"));
      painted = now;
    }
    drawCurves(isNew);
    const said = inWords(model);
    setText(words, said);
    const list = follows ? x1() : x2(), place = model.get(follows ? "_column" : "_row");
    maps.setAttribute("aria-label", follows ? "Given x1" : "Given x2");
    maps.setAttribute("aria-orientation", follows ? "horizontal" : "vertical");
    maps.setAttribute("aria-valuemax", String(list.length));
    maps.setAttribute("aria-valuenow", String(place + 1));
    maps.setAttribute("aria-valuetext", said);
    setText(keys, `Point at a picture, or Tab there and use ${follows ? "← →" : "↑ ↓"} (Page keys for ten), to choose the ` +
      `given ${follows ? "x1" : "x2"} · Enter turns the arrow`);
  }

  // --------------------------------------------------------------------------- pointer and keys

  function point(event, svg) {
    const screen = svg.getScreenCTM();
    if (!screen) return;
    const { x, y } = new DOMPoint(event.clientX, event.clientY).matrixTransform(screen.inverse());
    const within = (share, list) => Math.max(0, Math.min(list.length - 1, Math.floor(share * list.length)));
    if (isForward()) write("_column", within((x - MAP.left) / (MAP.width - MAP.left - MAP.right), x1()));
    else write("_row", within((MAP.height - MAP.bottom - y) / (MAP.height - MAP.top - MAP.bottom), x2()));
  }
  for (const { box, svg } of [world, fitted]) {
    box.addEventListener("pointermove", (event) => point(event, svg));
    box.addEventListener("pointerdown", (event) => point(event, svg));
  }

  const flip = () => write("_arrow", isForward() ? "reverse" : "forward");
  turn.addEventListener("click", flip);
  range.addEventListener("input", () => write("_at", Number(range.value)));
  maps.addEventListener("keydown", (event) => {
    if (isPages(event)) return;
    const name = isForward() ? "_column" : "_row", last = (isForward() ? x1() : x2()).length - 1;
    const to = (value) => write(name, Math.max(0, Math.min(last, value)));
    const now = model.get(name);
    const act = {
      ArrowRight: () => to(now + 1), ArrowUp: () => to(now + 1),
      ArrowLeft: () => to(now - 1), ArrowDown: () => to(now - 1),
      PageUp: () => to(now + 10), PageDown: () => to(now - 10),
      Home: () => to(0), End: () => to(last), Enter: flip,
    }[event.key];
    if (!act) return;
    event.preventDefault();
    event.stopPropagation();
    act();
  });

  const names = ["_mu", "_eps", "_x1", "_x2", "_p2", "_post", "_mass", "_above", "_off", "_model", "_lost", "_notice",
    "_fit_notice", "_gap_notice", "_arrow", "_at", "_column", "_row"];
  const unfollow = follow(model, names, [], draw);
  const repaint = () => { painted = null; draw(); }; // a canvas does not follow the theme's colors
  const theme = window.matchMedia("(prefers-color-scheme: dark)");
  theme.addEventListener("change", repaint);
  // The notebook's own theme is an attribute of the page.
  const watcher = new MutationObserver(repaint);
  watcher.observe(document.body, { attributes: true, attributeFilter: ["data-jp-theme-light", "class"] });
  watcher.observe(document.documentElement, { attributes: true, attributeFilter: ["theme"] });
  draw();
  return () => {
    unfollow();
    theme.removeEventListener("change", repaint);
    watcher.disconnect();
  };
}

export default live(render);
