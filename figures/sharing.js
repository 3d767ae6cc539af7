// The sharing explorer: a lane for each variable, with its bit, its column of W, its hidden vector,
// its row of V and its output. All is answered here: the logits of every word came with the model.

const WIDTH = 500, CELL = 15, TOP = 28, LINKS = 92; // the lanes, in their own units
const SIDE = 190; // the matrix of who sees whom, in its own units
const MOST_NAMED = 4;
const REST = 150; // milliseconds between a step and what flies

// ------------------------------------------------------------------------------------- the words
// The Python module writes numbers and says words in the same way; a test holds the two together.
const sigmoid = (a) => (a >= 0 ? 1 / (1 + Math.exp(-a)) : Math.exp(a) / (1 + Math.exp(a)));
const same = (a, b) => Math.abs(a - b) <= 1e-3 * Math.max(1, Math.abs(b));
const s = (things) => (things.length === 1 ? "" : "s");

function networkOf(model) {
  const n = model.get("_n"), h = model.get("_h"), name = model.get("_name"), sees = model.get("_sees");
  const [W, c, V, b, table] = ["_W", "_c", "_V", "_b", "_table"].map((trait) => floats(model.get(trait)));
  const w = (k, j) => W[k * n + j], v = (i, k) => V[i * h + k];
  const logit = (bits, i) => table[parseInt(bits, 2) * n + i];
  // a[i] and the formula's logit of each step.
  const run = (bits) => {
    const sums = [], logits = [];
    let a = Array.from(c);
    for (let i = 0; i < n; i++) {
      sums.push(a);
      let total = b[i];
      for (let k = 0; k < h; k++) total += v(i, k) * sigmoid(a[k]);
      logits.push(total);
      a = a.map((value, k) => value + (bits[i] === "1" ? w(k, i) : 0));
    }
    return { sums, logits };
  };
  const leaks = [], gaps = [];
  for (let i = 0; i < n; i++)
    for (let j = 0; j < n; j++) {
      if (sees[i][j] === "1" && j >= i) leaks.push([j, i]);
      if (sees[i][j] === "0" && j < i) gaps.push([j, i]);
    }
  let wrong = 0;
  for (let word = 0; word < 2 ** n; word++) {
    const bits = word.toString(2).padStart(n, "0");
    run(bits).logits.forEach((value, i) => { wrong += same(logit(bits, i), value) ? 0 : 1; });
  }
  const arrows = (pairs) => {
    const all = pairs.map(([j, i]) => `input ${j + 1} → output ${i + 1}`);
    return all.length <= MOST_NAMED ? all.join(", ")
      : `${all.slice(0, MOST_NAMED).join(", ")} and ${all.length - MOST_NAMED} more`;
  };
  const kind = leaks.length ? "leak" : gaps.length || wrong ? "gap" : "good";
  const verdict = leaks.length ? `Not autoregressive: ${leaks.length} input${s(leaks)} at or after the output: ${arrows(leaks)}`
    : gaps.length ? `Blind to the future, but ${gaps.length} input${s(gaps)} of the past not seen: ${arrows(gaps)}`
    : wrong ? `Autoregressive, but not NADE: ${wrong} of ${table.length} logits are not those of the columns in use`
    : "Autoregressive: every output sees all inputs before it, and nothing else";

  const stepInWords = (i, bits) => { // i from 1
    const before = Array.from({ length: i - 1 }, (_, j) => j + 1);
    let said = `Step ${i}: h${i} is made of c`;
    if (before.length) {
      const on = before.filter((j) => bits[j - 1] === "1");
      said += ` and column${s(before)} ${before.join(", ")} of W`;
      said += on.length ? `; x switches on ${on.join(", ")}` : "; x switches none of them on";
    } else said += " alone: nothing comes before";
    said += `. Multiply-adds with W so far: ${(h * i * (i - 1)) / 2} when every step sums anew, ${h * (i - 1)} in a sweep.`;
    const value = logit(bits, i - 1), formula = run(bits).logits[i - 1];
    said += ` Logit ${fixed(value, 2)}, p = ${fixed(sigmoid(value), 3)} by ${name}`;
    said += same(value, formula) ? "." : `; these columns give ${fixed(formula, 2)}.`;
    const inputs = [...sees[i - 1]].map((seen, j) => [seen === "1", j + 1]);
    const late = inputs.filter(([seen, j]) => seen && j >= i).map(([, j]) => j);
    const unseen = inputs.filter(([seen, j]) => !seen && j < i).map(([, j]) => j);
    if (late.length) said += ` Not autoregressive: output ${i} sees input${s(late)} ${late.join(", ")}, at or after its own.`;
    if (unseen.length) said += ` Output ${i} does not see input${s(unseen)} ${unseen.join(", ")}.`;
    return said;
  };
  const columnInWords = (j, bits) => { // j from 1
    if (j === n) return `Column ${n} of W is never used: no step comes after x${n}.`;
    const into = Array.from({ length: n - j }, (_, k) => `h${j + 1 + k}`).join(", ");
    const adds = bits[j - 1] === "1" ? "as it is" : "as nothing, since x is 0";
    return `Column ${j} of W, times x${j} = ${bits[j - 1]} (${adds}), goes into ${into}: the same ${h} numbers, ` +
      `used ${n - j === 1 ? "once" : `${n - j} times`}.`;
  };
  let most = 1e-9;
  for (const value of [...W, ...V]) if (Number.isFinite(value)) most = Math.max(most, Math.abs(value));
  return { n, h, w, v, sees, logit, run, kind, verdict, stepInWords, columnInWords, most };
}

// ----------------------------------------------------------------------------------- the picture

function render({ model, el }) {
  const id = newId("sharing-explorer");
  const root = make("div", { class: "sharing-explorer" }, el);
  const say = headlineIn(root);
  const body = make("div", { class: "body" }, root);
  const lanes = make("div", {
    class: "lanes", tabindex: "0", role: "slider", "aria-label": "Step", "aria-describedby": `${id}-keys`,
    "data-lm-suppress-shortcuts": "true",
  }, body);
  const svg = make("svg", { "aria-hidden": "true", focusable: "false" }, lanes);
  const side = make("div", { class: "side" }, body);
  make("p", { class: "title" }, side, "Which output sees which input");
  const matrix = make("svg", { viewBox: `-22 -4 ${SIDE + 26} ${SIDE + 28}`, "aria-hidden": "true", focusable: "false" }, side);
  const readout = make("div", { class: "readout" }, root);
  const words = make("p", { class: "words", role: "status", "aria-live": "polite" }, readout);
  const controls = make("p", { class: "controls", role: "group", "aria-label": "How h is computed" }, root);
  const buttons = [["anew", "Sum anew at each step"], ["sweep", "Carry the sum along"]].map(([mode, text]) => {
    const button = make("button", { type: "button", class: mode }, controls, text);
    button.addEventListener("click", () => write("_mode", mode));
    return [mode, button];
  });
  const play = make("button", { type: "button", class: "play", "data-lm-suppress-shortcuts": "true" }, controls, "▶ Play the steps");
  // The work so far in both ways, one bar below the other.
  const counter = make("div", { class: "counter" }, root);
  make("p", { class: "title" }, counter, "Multiply-adds with W so far");
  const bars = [["anew", "summed anew"], ["sweep", "carried along"]].map(([mode, text]) => {
    const row = make("div", { class: `count ${mode}` }, counter);
    make("span", { class: "way" }, row, text);
    const track = make("span", { class: "track", "aria-hidden": "true" }, row);
    return { mode, bar: make("span", { class: "bar" }, track), number: make("span", { class: "sum" }, row) };
  });
  const notice = make("p", { class: "notice" }, root);
  const keys = make("p", { class: "keys", id: `${id}-keys` }, root,
    "← → go from step to step · ↓, or pointing at a bit, follows its column, ↑ goes back · space or a click on a bit turns it around");

  const waits = waitingIn(say, notice, [body, readout, controls, counter, keys]);
  let net = null, pointed = null; // { step } or { column }, from 1
  let below = false; // whether the keys stand on the bits, and follow columns
  const bits = () => model.get("_bits");

  const write = writer(model);
  function toggle(j) { // from 1
    const now = bits();
    write("_bits", now.slice(0, j - 1) + (now[j - 1] === "1" ? "0" : "1") + now.slice(j));
  }

  // From step i to the next: what is added flies up, column i alone or all columns before it again.
  // It flies where the reader rests: one who holds a key down does not wait for pictures that move.
  // What flies is a picture of its own, above the other: to move it the browser draws neither anew.
  let flights = [];
  function goTo(step) {
    const from = model.get("_step");
    write("_step", step);
    for (const column of flights) land(column);
    flights = [];
    if (step !== from + 1 || isCalm()) return;
    const p = place(), sweep = model.get("_mode") === "sweep";
    for (let j = sweep ? from : 1; j <= from; j++) {
      const column = make("svg", { class: "flying", viewBox: `0 0 ${WIDTH} ${p.height}`, "aria-hidden": "true" }, lanes);
      for (let k = 0; k < net.h; k++) number(column, p.x(j), p.W + (k + 0.5) * CELL, net.w(k, j - 1), "used");
      const off = bits()[j - 1] !== "1"; // times 0: it arrives as nothing
      const moved = `translate(${(100 * (p.x(step) - p.x(j))) / WIDTH}%, ${(100 * (p.hidden - p.W)) / p.height}%)`;
      flights.push(column);
      setTimeout(() => {
        if (column.isConnected)
          column.animate([{ transform: "none", opacity: 1 }, { transform: moved, opacity: off ? 0 : 1 }],
            { duration: 600, easing: "ease-in-out" }).finished.then(() => column.remove(), () => {});
      }, REST);
    }
  }
  function land(column) {
    for (const flight of column.getAnimations()) flight.cancel();
    column.remove();
  }
  let playing = null;
  function stop() {
    clearInterval(playing);
    playing = null;
    play.textContent = "▶ Play the steps";
  }
  play.addEventListener("click", () => {
    if (playing) return stop();
    pointed = null;
    below = false;
    if (model.get("_step") >= net.n) write("_step", 1);
    play.textContent = "❚❚ Pause";
    const ahead = () => {
      goTo(model.get("_step") + 1);
      if (model.get("_step") >= net.n) stop();
    };
    playing = setInterval(ahead, 900);
    ahead();
  });

  // Where things stand: lanes side by side, from the outputs down to the bits.
  const place = () => {
    const { n, h } = net, lane = (WIDTH - 66) / n, stack = h * CELL;
    const out = TOP, V = out + 24, hidden = V + stack + 14, W = hidden + stack + LINKS, bit = W + stack + 10;
    return { lane, stack, out, V, hidden, W, bit, height: bit + 30 + 8, x: (i) => 56 + (i - 0.5) * lane };
  };

  function under(event) {
    const at = pointIn(svg, event);
    const p = place(), i = Math.ceil((at.x - 56) / p.lane);
    if (i < 1 || i > net.n) return null;
    return at.y > p.W - LINKS / 2 ? { column: i, bit: at.y > p.bit - 4 } : { step: i };
  }
  svg.addEventListener("pointermove", (event) => {
    if (!net) return;
    const to = under(event);
    if (to?.step !== pointed?.step || to?.column !== pointed?.column) { pointed = to; draw(); }
  });
  svg.addEventListener("pointerleave", () => { pointed = null; draw(); });
  svg.addEventListener("click", (event) => {
    const to = net && under(event);
    if (to?.bit) toggle(to.column); else if (to?.step) write("_step", to.step);
  });
  lanes.addEventListener("keydown", (event) => {
    if (!net || isPages(event)) return;
    const at = model.get("_step");
    const to = { ArrowLeft: at - 1, ArrowRight: at + 1, ArrowDown: at, ArrowUp: at, Home: 1, End: net.n }[event.key];
    if (to === undefined && event.key !== " ") return;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") below = event.key === "ArrowDown";
    event.preventDefault();
    event.stopPropagation();
    pointed = null;
    if (event.key === " ") toggle(at); else if (to >= 1 && to <= net.n) goTo(to);
  });

  // -------------------------------------------------------------------------------------- drawing

  function drawLanes(step, column) {
    const p = place(), { n, h } = net, now = bits(), sweep = model.get("_mode") === "sweep";
    const { sums } = net.run(now);
    svg.setAttribute("viewBox", `0 0 ${WIDTH} ${p.height}`);
    anew(svg);
    const label = (letter, y) => make("text", { class: "row math", x: 4, y: y + 5 }, svg, letter);
    label("p", p.out);
    label("V", p.V + p.stack / 2);
    label("h", p.hidden + p.stack / 2);
    label("W", p.W + p.stack / 2);
    label("x", p.bit + 13);
    if (!column) make("rect", { class: "lane", x: p.x(step) - p.lane / 2 + 3, y: 4, width: p.lane - 6,
      height: p.hidden + p.stack + 4, rx: 6 }, svg);

    // The arrows: [from column or vector, to vector, lit].
    const curve = (x0, y0, x1, y1) => `M${x0} ${y0}C${x0} ${y0 - 40} ${x1} ${y1 + 46} ${x1} ${y1 + 6}`;
    const arrow = (d, lit, off, x, y, turn) => {
      const kind = `${lit ? "lit" : "wire"}${off ? " off" : ""}`;
      make("path", { class: `link ${kind}`, d }, svg);
      const tip = turn ? `M${x} ${y}l-7 -4v8z` : `M${x} ${y}l-4 7h8z`;
      make("path", { class: `tip ${kind}`, d: tip }, svg);
    };
    const bottom = p.hidden + p.stack + 3, middle = p.hidden + p.stack / 2;
    const links = [];
    for (let j = 1; j <= n; j++)
      for (let i = j + 1; i <= (sweep ? Math.min(j + 1, n) : n); i++)
        links.push([j, i, column ? j === column : sweep ? i <= step : i === step]);
    links.sort((a, b) => a[2] - b[2]); // what is lit lies on top
    for (const [j, i, lit] of links) {
      const spread = sweep ? 0 : ((j - (i - 1) / 2 - 0.5) / n) * 0.5 * p.lane;
      arrow(curve(p.x(j), p.W - 4, p.x(i) + spread, bottom), lit, now[j - 1] !== "1", p.x(i) + spread, bottom);
    }
    arrow(`M38 ${middle}H${p.x(1) - CELL / 2 - 9}`, !column, false, p.x(1) - CELL / 2 - 3, middle, true);
    make("text", { class: "math", x: 30, y: middle + 5 }, svg, "c");
    if (sweep)
      for (let i = 2; i <= n; i++) {
        const lit = column ? i > column + 1 : i <= step;
        const from = p.x(i - 1) + CELL / 2 + 4, to = p.x(i) - CELL / 2 - 4;
        arrow(`M${from} ${middle}H${to - 6}`, lit, false, to, middle, true);
      }

    for (let i = 1; i <= n; i++) {
      const x = p.x(i), before = i < step, chosen = column ? i === column : i === step;
      // W's column i: in use by the chosen step, or followed.
      const used = column ? i === column : before;
      for (let k = 0; k < h; k++) {
        number(svg, x, p.W + (k + 0.5) * CELL, net.w(k, i - 1), `${used ? "used" : "idle"}${now[i - 1] === "1" ? "" : " off"}`,
          { "data-mark": `W ${k} ${i - 1} ${net.w(k, i - 1) >= 0 ? "plus" : "minus"}` });
        const here = column ? i > column : i === step;
        make("rect", { class: `unit${here ? " here" : ""}`, x: x - CELL / 2 + 1, y: p.hidden + k * CELL + 1, width: CELL - 2, height: CELL - 2 }, svg);
        make("rect", { class: `level${here ? " here" : ""}`, x: x - CELL / 2 + 1,
          y: p.hidden + k * CELL + 1 + (CELL - 2) * (1 - sigmoid(sums[i - 1][k])), width: CELL - 2,
          height: (CELL - 2) * sigmoid(sums[i - 1][k]) }, svg);
        number(svg, x, p.V + (k + 0.5) * CELL, net.v(i - 1, k), !column && chosen ? "used" : "idle");
      }
      if (used) make("rect", { class: "frame", x: x - CELL / 2 - 3, y: p.W - 3, width: CELL + 6, height: p.stack + 6, rx: 3 }, svg);
      if (i === n) make("text", { class: "never", x: x + p.lane / 2 - 4, y: p.W - 8 }, svg, "never used");
      const leaks = [...net.sees[i - 1]].some((seen, j) => seen === "1" && j + 1 >= i);
      const value = net.logit(now, i - 1);
      make("circle", { class: `out${chosen && !column ? " here" : ""}${leaks ? " leak" : ""}`, cx: x, cy: p.out, r: 17 }, svg);
      make("text", { class: `prob${chosen && !column ? " here" : ""}`, x, y: p.out + 4, "data-mark": `p ${i - 1} ${fixed(sigmoid(value), 2)}` }, svg, fixed(sigmoid(value), 2).replace(/^0/, ""));
      if (leaks) make("path", { class: "cross", d: `M${x + 11} ${p.out - 21}l9 9m0 -9l-9 9` }, svg);
      make("rect", { class: `bit${now[i - 1] === "1" ? " one" : ""}`, x: x - 13, y: p.bit, width: 26, height: 26, rx: 4 }, svg);
      make("text", { class: `digit${now[i - 1] === "1" ? " one" : ""}`, x, y: p.bit + 18 }, svg, now[i - 1]);
    }
  }

  // A number as a square: filled for plus, hollow for minus, its side by its size.
  function number(parent, x, y, value, kind, more = {}) {
    const size = (CELL - 3) * Math.max(0.18, Math.sqrt(Math.min(1, Math.abs(value) / net.most)));
    return make("rect", { class: `number ${value >= 0 ? "plus" : "minus"} ${kind}`, x: x - size / 2, y: y - size / 2, width: size, height: size, ...more }, parent);
  }

  function drawMatrix(step, column) {
    const { n } = net, cell = SIDE / n;
    anew(matrix);
    for (let i = 0; i < n; i++) {
      for (let j = 0; j < n; j++) {
        const seen = net.sees[i][j] === "1", late = j >= i, kind = seen ? (late ? "leak" : "seen") : late ? "blind" : "gap";
        const on = column ? j + 1 === column : i + 1 === step;
        make("rect", { class: `cell ${kind}${on ? "" : " faded"}`, x: j * cell + 1.5, y: i * cell + 1.5, width: cell - 3, height: cell - 3, rx: 2,
          ...(kind === "blind" ? {} : { "data-mark": `sees ${i} ${j} ${kind}` }) }, matrix);
        const a = 0.3 * cell, x = j * cell, y = i * cell;
        if (kind === "leak") make("path", { class: "cross", d: `M${x + a} ${y + a}L${x + cell - a} ${y + cell - a}M${x + cell - a} ${y + a}L${x + a} ${y + cell - a}` }, matrix);
      }
      make("text", { class: "place", x: -11, y: (i + 0.5) * cell + 4 }, matrix, String(i + 1));
      make("text", { class: "place", x: (i + 0.5) * cell, y: SIDE + 17 }, matrix, String(i + 1));
    }
  }

  function draw() {
    if (waits(model.get("_notice"), !model.get("_n"))) {
      net = null;
      return;
    }
    net ??= networkOf(model);
    say(net.kind, net.verdict);
    const step = pointed?.step ?? model.get("_step");
    const column = pointed ? pointed.column : below ? step : undefined;
    drawLanes(step, column);
    drawMatrix(step, column);
    const text = column ? net.columnInWords(column, bits()) : net.stepInWords(step, bits());
    setText(words, text);
    sliderSays(lanes, step, 1, net.n, `x${step} is ${bits()[step - 1]}. ${text}`);
    const sums = { anew: (net.h * step * (step - 1)) / 2, sweep: net.h * (step - 1) };
    for (const { mode, bar, number } of bars) {
      bar.style.width = `${(100 * sums[mode]) / Math.max(1, (net.h * net.n * (net.n - 1)) / 2)}%`;
      setText(number, sums[mode]);
    }
    for (const [mode, button] of buttons) button.setAttribute("aria-pressed", String(mode === model.get("_mode")));
  }

  const unfollow = follow(model, ["_n", "_h", "_W", "_c", "_V", "_b", "_table", "_sees", "_name", "_notice"], ["_bits", "_step", "_mode"],
    (isNew) => {
      if (isNew) net = null;
      draw();
    });
  draw();
  return () => {
    clearInterval(playing);
    unfollow();
  };
}

export default live(render);
