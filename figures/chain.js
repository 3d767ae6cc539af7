// The unrolled chain: one card a step, bars for p(x_i | what came before), their product and log.
// Everything is answered here: the tables of every order came with the model.

const TOLERANCE = 1e-9;
const CHART = { width: 700, height: 132, left: 34, right: 6, top: 16, bottom: 24 };

// ------------------------------------------------------------------------------------- the words
// The Python module writes numbers and says words in the same way; a test holds the two together.

function number(value) {
  if (Number.isNaN(value)) return "NaN";
  if (!Number.isFinite(value)) return value > 0 ? "∞" : "−∞";
  if (value === 0) return "0";
  const text = Math.abs(value) < 0.001 ? value.toExponential(2)
    : value.toFixed(4).replace(/0+$/, "").replace(/\.$/, "");
  return value < 0 ? text.replace("-", "−") : text;
}

function signed(value) {
  if (Number.isNaN(value)) return "NaN";
  if (!Number.isFinite(value)) return value > 0 ? "∞" : "−∞";
  const text = Math.abs(value).toFixed(3);
  return (value < 0 && Number(text) ? "−" : "") + text;
}

const sumOf = (values) => values.map(signed)
  .map((text, i) => (i === 0 ? text : text.startsWith("−") ? ` − ${text.slice(1)}` : ` + ${text}`)).join("");

const log = (value) => (value === 0 ? -Infinity : value > 0 ? Math.log(value) : NaN);
const same = (a, b) => Math.abs(a - b) <= TOLERANCE;

function chainOf(model) {
  const names = model.get("_names"), values = model.get("_values"), table = model.get("_table");
  const factors = model.get("_factors"), n = names.length, k = values.length;
  const indexOf = (x) => x.reduce((at, value) => at * k + value, 0);
  const wordOf = (index) => Array.from({ length: n }, (_, i) => Math.floor(index / k ** (n - 1 - i)) % k);
  // By the order: its tables, and every word's product. A picture asks for them several times.
  const kept = new Map();
  const tablesOf = (order) => {
    const key = order.join(",");
    if (!kept.has(key)) kept.set(key, { tables: (factors[key] ?? []).map((flat) => flat.map((v) => v ?? NaN)) });
    return kept.get(key).tables;
  };
  const productsOf = (order) => {
    tablesOf(order);
    return (kept.get(order.join(",")).products ??= table.map((_, i) => productOf(factorsAt(wordOf(i), order))));
  };

  // The rows that a word meets on its way: rows[step][value], the last index is the next value.
  const rowsOf = (x, order) => {
    let at = 0;
    return tablesOf(order).map((flat, step) => {
      const row = flat.slice(at * k, at * k + k);
      at = at * k + x[order[step]];
      return row;
    });
  };
  const factorsAt = (x, order) => rowsOf(x, order).map((row, step) => row[x[order[step]]]);
  const productOf = (list) => list.reduce((product, factor) => product * factor, 1);

  const inWords = (x, order) => {
    const given = [], terms = [];
    let said = "";
    const rows = rowsOf(x, order);
    order.forEach((variable, step) => {
      const here = `${names[variable]}=${values[x[variable]]}`;
      terms.push(`p(${here}${given.length ? ` | ${given.join(", ")}` : ""})`);
      given.push(here);
      const sum = rows[step].reduce((a, b) => a + b, 0);
      if (!same(sum, 1)) said += ` The row of ${names[variable]} sums to ${number(sum)}, not to 1.`;
    });
    const list = factorsAt(x, order), product = productOf(list), logs = list.map(log);
    const p = table[indexOf(x)];
    return `${terms.join(" · ")} = ${list.map(number).join(" · ")} = ${number(product)}. ` +
      `Logs: ${sumOf(logs)} = ${signed(logs.reduce((a, b) => a + b, 0))} nats. The table says ${number(p)}` +
      (same(product, p) ? " too." : ": the product is another number.") + said;
  };

  const wrongIn = (order) => productsOf(order).filter((product, i) => !same(product, table[i])).length;
  const wholeInWords = (order) => {
    const wrong = wrongIn(order), place = order.map((v) => names[v]).join(", ");
    return wrong ? `${wrong} of ${table.length} products differ from the table in the order ${place}`
      : `All ${table.length} products equal the table in the order ${place}`;
  };

  const tally = model.get("_tally"), draws = tally.reduce((a, b) => a + b, 0);
  const tallyInWords = (x) => {
    if (!tally.length) return model.get("_sample_notice");
    const at = indexOf(x), word = x.map((v) => values[v]).join(" ");
    return `${word} came ${tally[at]} times in ${draws} draws of sample; p(x) expects ${number(table[at] * draws)}.`;
  };

  return { names, values, table, factors, n, k, indexOf, wordOf, rowsOf, factorsAt, productOf, productsOf, inWords,
    wrongIn, wholeInWords, tally, draws, tallyInWords };
}

// A small generator, so that a page's draws can be repeated (Tommy Ettinger's mulberry32).
function uniforms(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

// The value whose interval holds u: the rows' intervals lie side by side on [0, 1).
function valueAt(row, u) {
  let top = 0, last = 0;
  for (let v = 0; v < row.length; v++) {
    if (!(row[v] > 0)) continue;
    top += row[v];
    last = v;
    if (u < top) return v;
  }
  return last;
}

// ----------------------------------------------------------------------------------- the picture

function render({ model, el }) {
  const id = newId("chain-explorer");
  const root = make("div", { class: "chain-explorer", "data-lm-suppress-shortcuts": "true" }, el);
  const tell = headlineIn(root);
  const body = make("div", { class: "body" }, root);
  const row = make("div", { class: "cards" }, body);
  const two = make("div", { class: "two" }, body);
  const density = make("section", { class: "panel density", "aria-label": "Density estimation" }, two);
  make("h4", {}, density, "Density estimation: x is given");
  const arithmetic = make("p", { class: "arithmetic", "aria-hidden": "true" }, density);
  const sampling = make("section", { class: "panel sampling", "aria-label": "Sampling" }, two);
  make("h4", {}, sampling, "Sampling: x is drawn");
  const drawn = make("p", { class: "drawn", "aria-live": "polite" }, sampling);
  const buttons = make("p", { class: "buttons" }, sampling);
  const next = make("button", { type: "button", class: "next" }, buttons, "Draw one value");
  const whole = make("button", { type: "button", class: "whole" }, buttons, "Draw a word");
  const chart = make("div", {
    class: "chart", tabindex: "0", role: "slider", "aria-label": "All words", "aria-describedby": `${id}-keys`,
    "data-lm-suppress-shortcuts": "true",
  }, body);
  const legend = make("p", { class: "legend" }, chart);
  const svg = make("svg", { "aria-hidden": "true", focusable: "false",
    viewBox: `0 0 ${CHART.width} ${CHART.height}` }, chart);
  const readout = make("div", { class: "readout" }, root);
  const words = make("p", { class: "words", role: "status", "aria-live": "polite" }, readout);
  const tallyWords = make("p", { class: "tally" }, readout);
  const notice = make("p", { class: "notice" }, root);
  const keys = make("p", { class: "keys", id: `${id}-keys` }, root);
  keys.textContent = "Click a bar, or ↑ ↓ on a card, to choose a value · drag a card by its title, or Shift + ← →, " +
    "to change the order · ← → go from card to card · below, ← → go from word to word";

  let chain = null, cards = [], rolled = null, random = uniforms(0), dragged = -1;
  const x = () => model.get("_x"), order = () => model.get("_order");
  // While a word is being drawn, the steps from here on have no value yet.
  const known = () => (rolled ? rolled.length : chain.n);

  const write = writer(model);

  const plain = (v) => /^x\d+$/.test(chain.names[v]);
  function variable(parent, v) {
    if (!plain(v)) return make("span", {}, parent, chain.names[v]);
    const span = make("span", { class: "math" }, parent, "x");
    make("sub", {}, span, chain.names[v].slice(1));
    return span;
  }

  // ------------------------------------------------------------------------------------ the cards

  function build() {
    row.replaceChildren();
    cards = chain.names.map((_, step) => {
      const card = make("div", {
        class: "card", tabindex: "0", role: "slider", "aria-orientation": "vertical",
        "aria-describedby": `${id}-keys`, "aria-valuemin": "1", "aria-valuemax": String(chain.k),
        "data-lm-suppress-shortcuts": "true",
      }, row);
      const handle = make("div", { class: "handle", "aria-hidden": "true" }, card);
      const grip = make("span", { class: "grip" }, handle, "⠿");
      const title = make("span", { class: "title" }, handle);
      const bars = make("div", { class: "bars", "aria-hidden": "true" }, card);
      const lines = chain.values.map((name, value) => {
        const line = make("div", { class: "line" }, bars);
        make("span", { class: "value" }, line, name);
        const track = make("span", { class: "track" }, line);
        const bar = make("span", { class: "bar" }, track);
        const p = make("span", { class: "p" }, line);
        line.addEventListener("click", () => choose(step, value));
        return { line, bar, p };
      });
      const strip = make("div", { class: "strip", "aria-hidden": "true" }, card);
      const parts = chain.values.map((name) => make("span", { class: "part" }, strip, name));
      const mark = make("span", { class: "u" }, strip);
      const factor = make("p", { class: "factor", "aria-hidden": "true" }, card);
      card.addEventListener("keydown", (event) => onCardKey(event, step));
      handle.addEventListener("pointerdown", (event) => grab(event, step));
      return { card, handle, grip, title, lines, strip, parts, mark, factor };
    });
  }

  // What the reader sets ends a draw, which may be all that changes.
  function set(name, value) {
    rolled = null;
    if (String(model.get(name)) === String(value)) draw();
    else write(name, value);
  }

  function choose(step, value) {
    const at = [...x()];
    at[order()[step]] = value;
    set("_x", at);
  }

  // Whether the order could be changed.
  function move(from, to) {
    if (to < 0 || to >= chain.n || from === to) return false;
    const changed = [...order()];
    changed.splice(to, 0, ...changed.splice(from, 1));
    if (!chain.factors[changed.join(",")]) {
      notice.textContent = model.get("_order_notice");
      return false;
    }
    set("_order", changed);
    return true;
  }

  function onCardKey(event, step) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const { key, shiftKey } = event, variable = order()[step], value = x()[variable];
    const act = {
      ArrowUp: () => choose(step, Math.max(0, value - 1)),
      ArrowDown: () => choose(step, Math.min(chain.k - 1, value + 1)),
      Home: () => choose(step, 0),
      End: () => choose(step, chain.k - 1),
      ArrowLeft: () => go(step, -1, shiftKey),
      ArrowRight: () => go(step, 1, shiftKey),
    }[key];
    if (!act) return;
    event.preventDefault();
    event.stopPropagation();
    act();
  }

  function go(step, by, carry) {
    const to = step + by;
    if (to >= 0 && to < chain.n && (!carry || move(step, to))) cards[to].card.focus();
  }

  function grab(event, step) {
    if (event.button !== 0 || chain.n < 2) return;
    event.preventDefault();
    dragged = step;
    cards[step].card.classList.add("dragged");
    cards[step].card.focus({ preventScroll: true });
    const slide = (moved) => {
      const away = cards.map(({ card }) => {
        const box = card.getBoundingClientRect();
        return Math.hypot(moved.clientX - box.x - box.width / 2, (moved.clientY - box.y - box.height / 2) / 3);
      });
      const to = away.indexOf(Math.min(...away));
      if (to === dragged) return;
      if (!move(dragged, to)) return;
      cards[dragged].card.classList.remove("dragged");
      dragged = to;
      cards[to].card.classList.add("dragged");
      cards[to].card.focus({ preventScroll: true });
    };
    const drop = () => {
      cards.forEach(({ card }) => card.classList.remove("dragged"));
      dragged = -1;
      window.removeEventListener("pointermove", slide);
      window.removeEventListener("pointerup", drop);
      window.removeEventListener("pointercancel", drop);
    };
    window.addEventListener("pointermove", slide);
    window.addEventListener("pointerup", drop);
    window.addEventListener("pointercancel", drop);
  }

  function drawCards() {
    const at = x(), now = order(), rows = chain.rowsOf(at, now), until = known();
    cards.forEach(({ card, title, lines, strip, parts, mark, factor }, step) => {
      const v = now[step], waits = step > until, chosen = step < until ? at[v] : -1;
      card.classList.toggle("waits", waits);
      card.classList.toggle("ready", step === until);
      title.replaceChildren();
      make("span", { class: "math" }, title, "p");
      title.append("(");
      variable(title, v);
      now.slice(0, step).forEach((u, i) => {
        title.append(i ? ", " : " | ");
        variable(title, u);
        if (!waits) title.append(`=${chain.values[at[u]]}`);
      });
      title.append(")");
      const p = rows[step], sum = p.reduce((a, b) => a + b, 0);
      lines.forEach(({ line, bar, p: text }, value) => {
        const share = p[value];
        line.className = `line${value === chosen ? " chosen" : ""}`;
        bar.style.width = waits || !(share > 0) ? "0" : `${Math.min(100, 100 * share)}%`;
        text.textContent = waits ? "?" : number(share);
        line.dataset.mark = `p ${step} ${value} ${text.textContent}${value === chosen ? " here" : ""}`;
      });
      parts.forEach((part, value) => {
        part.style.flexGrow = waits || !(p[value] > 0) ? "0" : String(p[value]);
        part.hidden = waits || !(p[value] > 0);
        part.className = `part${value === chosen ? " chosen" : ""}`;
      });
      strip.classList.toggle("broken", !waits && !same(sum, 1));
      const u = rolled?.[step];
      mark.hidden = u === undefined;
      if (u !== undefined) mark.style.left = `${100 * u}%`;
      factor.textContent = chosen < 0 ? "" : `${step ? "× " : ""}${number(p[chosen])}`;
      factor.classList.toggle("bad", !waits && !same(sum, 1));
      if (!waits && !same(sum, 1)) factor.textContent += ` · row sums to ${number(sum)} ✕`;
      const given = now.slice(0, step).map((w) => `${chain.names[w]} is ${chain.values[at[w]]}`).join(", ");
      card.setAttribute("aria-label", `Step ${step + 1} of ${chain.n}: ${chain.names[v]}${given ? `, given ${given}` : ""}`);
      card.setAttribute("aria-valuenow", String(at[v] + 1));
      card.setAttribute("aria-valuetext", waits ? "waits for the values before it"
        : chosen < 0 ? "not drawn yet" : `${chain.values[chosen]}, probability ${number(p[chosen])}`);
    });
  }

  // ----------------------------------------------------------------------------------- the panels

  function drawPanels() {
    const at = x(), now = order(), until = known();
    const list = chain.factorsAt(at, now).slice(0, until), logs = list.map(log);
    const product = chain.productOf(list), total = logs.reduce((a, b) => a + b, 0);
    anew(arithmetic);
    const line = (name, text, result) => {
      const span = make("span", { class: "sum" }, arithmetic);
      make("span", { class: "name" }, span, name);
      const value = make("span", {}, span, text);
      if (result) make("strong", {}, value, result);
    };
    if (list.length) {
      line("multiply", list.map(number).join(" × "), ` = ${number(product)}`);
      line("add the logs", sumOf(logs), ` = ${signed(total)} nats`);
    } else line("multiply", "nothing is drawn yet", "");
    if (until === chain.n) {
      const p = chain.table[chain.indexOf(at)], good = same(product, p);
      const span = make("span", { class: `sum ${good ? "good" : "bad"}` }, arithmetic);
      make("span", { class: "name" }, span, "the table");
      make("span", {}, span, `${number(p)} ${good ? "✓" : "✕ another number"}`);
    }
    if (!rolled) drawn.textContent = "One uniform number u on each card picks the interval that holds it.";
    else if (!rolled.length) drawn.textContent = "Nothing is drawn yet.";
    else drawn.textContent = rolled.map((u, step) =>
      `u = ${u.toFixed(3)} → ${chain.names[now[step]]} = ${chain.values[at[now[step]]]}`).join(", ") + ".";
    next.textContent = rolled && rolled.length < chain.n && rolled.length > 0
      ? `Draw ${chain.names[now[rolled.length]]}` : "Draw one value";
  }

  function roll() {
    if (!rolled || rolled.length === chain.n) rolled = [];
    const step = rolled.length, u = random(), at = [...x()];
    at[order()[step]] = valueAt(chain.rowsOf(at, order())[step], u);
    rolled = [...rolled, u];
    model.set("_x", at);
  }

  next.addEventListener("click", () => {
    roll();
    model.save_changes();
    draw();
  });
  whole.addEventListener("click", () => {
    rolled = [];
    while (rolled.length < chain.n) roll();
    model.save_changes();
    draw();
  });

  // ------------------------------------------------------------------------------------ all words

  function drawChart() {
    const { width, height, left, right, top, bottom } = CHART, count = chain.table.length;
    const shares = chain.tally.map((c) => c / chain.draws);
    const products = chain.productsOf(order());
    const heights = products.map((p) => (p > 0 ? p : 0));
    const most = Math.max(...heights.map((p) => Math.min(p, 1)), ...shares, ...chain.table, 1e-9);
    const pitch = (width - left - right) / count, floor = height - bottom;
    const y = (p) => floor - ((floor - top) * Math.min(p, most)) / most;
    anew(svg);
    make("line", { class: "axis", x1: left, x2: width - right, y1: floor, y2: floor }, svg);
    make("line", { class: "grid", x1: left, x2: width - right, y1: y(most), y2: y(most) }, svg);
    make("text", { class: "tick", x: left - 5, y: y(most) + 4 }, svg, number(Number(most.toPrecision(2))));
    make("text", { class: "tick", x: left - 5, y: floor + 4 }, svg, "0");
    const current = known() === chain.n ? chain.indexOf(x()) : -1;
    // A word is written below its bar where the letters have room, at 11 pixels of the screen.
    const unit = grown(svg);
    const isShort = chain.values.join("").length === chain.k && 6.8 * unit * chain.n <= pitch;
    chain.table.forEach((p, i) => {
      const middle = left + (i + 0.5) * pitch, wide = Math.max(2, 0.68 * pitch);
      const bad = !same(products[i], p);
      const g = make("g", { class: `word${i === current ? " current" : ""}${bad ? " bad" : ""}` }, svg);
      make("rect", { class: "bar", x: middle - wide / 2, width: wide, y: y(heights[i]), height: floor - y(heights[i]) }, g);
      if (bad) make("line", { class: "table", x1: middle - wide / 2, x2: middle + wide / 2, y1: y(p), y2: y(p) }, g);
      if (shares.length) make("circle", { class: "share", cx: middle, cy: y(shares[i]), r: Math.min(3.6, 0.3 * pitch) }, g);
      if (isShort) make("text", { class: "name", x: middle, y: floor + 14 }, g, chain.wordOf(i).map((v) => chain.values[v]).join(""));
      if (i === current) make("path", { class: "here", d: `M${middle - 5} ${height - 1}h10l-5 -6z` }, g);
    });
    legend.replaceChildren();
    const key = (kind, text) => {
      const span = make("span", { class: `key ${kind}` }, legend);
      make("span", { class: "sign", "aria-hidden": "true" }, span);
      span.append(text);
    };
    key("bar", "p(x), the product of the factors");
    if (shares.length) key("share", `share of x among ${chain.draws.toLocaleString("en-US")} draws of sample`);
    if (chain.wrongIn(order())) key("table", "what the table says");
    chart.setAttribute("aria-valuemin", "1");
    chart.setAttribute("aria-valuemax", String(count));
    chart.setAttribute("aria-valuenow", String(chain.indexOf(x()) + 1));
  }

  function wordUnder(event) {
    const matrix = svg.getScreenCTM();
    if (!matrix) return -1;
    const at = new DOMPoint(event.clientX, event.clientY).matrixTransform(matrix.inverse());
    const pitch = (CHART.width - CHART.left - CHART.right) / chain.table.length;
    const i = Math.floor((at.x - CHART.left) / pitch);
    return i >= 0 && i < chain.table.length ? i : -1;
  }

  function pick(i) {
    set("_x", chain.wordOf(Math.max(0, Math.min(chain.table.length - 1, i))));
  }

  svg.addEventListener("click", (event) => {
    const i = wordUnder(event);
    if (i >= 0) pick(i);
  });
  svg.addEventListener("pointermove", (event) => {
    const i = wordUnder(event);
    if (i >= 0) say(chain.wordOf(i));
  });
  svg.addEventListener("pointerleave", () => say(x()));
  chart.addEventListener("keydown", (event) => {
    if (!chain || isPages(event)) return;
    const at = chain.indexOf(x()), last = chain.table.length - 1;
    const to = { ArrowLeft: at - 1, ArrowDown: at - 1, ArrowRight: at + 1, ArrowUp: at + 1, Home: 0, End: last }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    pick(to);
  });

  // -------------------------------------------------------------------------------------- drawing

  function say(at) {
    const partial = known() < chain.n && at === x();
    const text = partial ? "A word is being drawn: its probability is the product once all values are there."
      : chain.inWords(at, order());
    setText(words, text);
    tallyWords.textContent = partial ? "" : chain.tallyInWords(at);
    chart.setAttribute("aria-valuetext", text);
  }

  function draw() {
    const waiting = model.get("_notice");
    body.hidden = readout.hidden = keys.hidden = Boolean(waiting);
    if (waiting) {
      tell("waiting", "Nothing to draw yet");
      notice.textContent = waiting;
      chain = null;
      return;
    }
    const fresh = !chain;
    if (fresh) {
      chain = chainOf(model);
      random = uniforms(model.get("_seed"));
      build();
    }
    const wrong = chain.wrongIn(order());
    tell(wrong ? "leak" : "good", chain.wholeInWords(order()));
    notice.textContent = Object.keys(chain.factors).length > 1 || chain.n === 1 ? "" : model.get("_order_notice");
    drawCards();
    drawPanels();
    drawChart();
    say(x());
  }

  const unfollow = follow(model, ["_names", "_values", "_table", "_factors", "_tally", "_notice", "_order_notice", "_sample_notice"], ["_x", "_order"],
    (isNew) => {
      if (isNew) chain = null;
      draw();
    });
  draw();
  return unfollow;
}

export default live(render);
