// The codec explorer: an interval that shrinks with each symbol, in exact whole numbers, and a map
// of where the bits go. All is answered here: the tables of every example came with the model.

const LINES = 3, TALL = 30, STEP = 62, TOP = 22; // the intervals, in their own units
const CELL = 30; // a pixel
const MOST_DIGITS = 24;

// ------------------------------------------------------------------------------------- the words
// The Python module writes numbers and says words in the same way; a test holds the two together.

function codecOf(model) {
  const rows = model.get("_rows"), labels = model.get("_labels"), side = model.get("_side"), files = model.get("_files");
  const interval = (example, step) => {
    let low = 0n, width = 1n, size = 0;
    for (const [, total, below, own] of rows[example].slice(0, step)) {
      low = low * BigInt(total) + width * BigInt(below);
      width *= BigInt(own);
      size += Math.log2(total);
    }
    return { low, width, size };
  };
  const settled = (example, step) => {
    const { low, width, size } = interval(example, step);
    if (!size) return "";
    const first = low.toString(2).padStart(size, "0"), last = (low + width - 1n).toString(2).padStart(size, "0");
    let same = 0;
    while (same < size && first[same] === last[same]) same++;
    return first.slice(0, same);
  };
  const price = (example, step) => rows[example].slice(0, step).reduce((sum, row) => sum + row[4], 0);
  const label = (i, symbol) => labels.length && symbol === rows[0][i - 1][0]
    ? `“${labels[i - 1].replaceAll("\n", "⏎")}”` : String(symbol);
  const called = (i, symbol) => side
    ? `Pixel ${i} (row ${Math.floor((i - 1) / side) + 1}, column ${((i - 1) % side) + 1}) is ${symbol}`
    : `Symbol ${i} is ${label(i, symbol)}`;
  const stepInWords = (i, example) => { // i from 1
    const row = rows[example], [symbol, total, , own, cost, received] = row[i - 1];
    const digits = settled(example, i), n = row.length;
    const shown = (digits.length > MOST_DIGITS ? "…" : "") + digits.slice(-MOST_DIGITS);
    let said = `${called(i, symbol)}: probability ${fixed(own / total, 4)}, price ${fixed(cost, 2)} bits. ` +
      `So far ${fixed(price(example, i), 2)} bits for ${i} symbol${i > 1 ? "s" : ""}, of ${fixed(price(example, n), 2)}; ` +
      `${digits.length} binary digit${digits.length === 1 ? "" : "s"} settled`;
    said += digits.length ? `: ${shown}.` : ".";
    if (i === n) said += ` A file of its own takes ${files[example]} bits.`;
    if (received !== null && received !== undefined && received !== symbol) said += ` The receiver reads ${label(i, received)} here.`;
    return said;
  };
  return { rows, labels, side, price, settled, label, stepInWords, n: rows[0].length, count: rows.length };
}

// ----------------------------------------------------------------------------------- the picture

function render({ model, el }) {
  const id = newId("codec-explorer");
  const root = make("div", { class: "codec-explorer" }, el);
  const say = headlineIn(root);
  const body = make("div", {
    class: "body", tabindex: "0", role: "slider", "aria-label": "Symbol", "aria-describedby": `${id}-keys`,
    "data-lm-suppress-shortcuts": "true",
  }, root);
  const map = make("div", { class: "map", "aria-hidden": "true" }, body);
  const mapTitle = make("p", { class: "title" }, map);
  const grid = make("svg", { focusable: "false" }, map);
  const text = make("div", { class: "text" }, map);
  const legend = make("p", { class: "legend" }, map);
  const lines = make("div", { class: "lines", "aria-hidden": "true" }, body);
  make("p", { class: "title" }, lines, "The interval, stretched to full width at each step");
  const svg = make("svg", { focusable: "false" }, lines);
  const digits = make("p", { class: "digits", "aria-hidden": "true" }, lines);
  const readout = make("div", { class: "readout" }, root);
  const words = make("p", { class: "words", role: "status", "aria-live": "polite" }, readout);
  const controls = make("p", { class: "controls", role: "group", "aria-label": "Which example" }, root);
  const notice = make("p", { class: "notice" }, root);
  const keys = make("p", { class: "keys", id: `${id}-keys` }, root);
  const buttons = [["Example before", -1], ["Next example", 1]].map(([name, by]) => {
    const button = make("button", { type: "button" }, controls, name);
    button.addEventListener("click", () => go({ example: model.get("_example") + by }));
    return button;
  });
  const which = make("span", { class: "which" }, controls);

  const waits = waitingIn(say, notice, [body, readout, keys]);
  let codec = null, pointed = null; // a symbol, from 1

  function go({ example = model.get("_example"), step = model.get("_step") }) {
    if (!codec || example < 0 || example >= codec.count) return;
    const to = Math.min(Math.max(step, 1), codec.n);
    if (example === model.get("_example") && to === model.get("_step")) { draw(); return; } // the keys take over from the pointer
    model.set("_example", example);
    model.set("_step", to);
    model.save_changes();
  }
  const point = (to) => { if (to !== pointed) { pointed = to; draw(); } };

  grid.addEventListener("pointermove", (event) => point(under(event)));
  grid.addEventListener("pointerleave", () => point(null));
  grid.addEventListener("click", (event) => { const at = under(event); if (at) go({ step: at }); });
  text.addEventListener("pointermove", (event) => point(Number(event.target.dataset?.place) || null));
  text.addEventListener("pointerleave", () => point(null));
  text.addEventListener("click", (event) => { const at = Number(event.target.dataset?.place); if (at) go({ step: at }); });
  function under(event) {
    if (!codec) return null;
    const at = pointIn(grid, event);
    const across = codec.side || codec.n, down = codec.side || 1;
    const column = Math.floor(at.x / CELL), line = Math.floor(at.y / CELL);
    return column < 0 || column >= across || line < 0 || line >= down ? null : line * across + column + 1;
  }
  body.addEventListener("keydown", (event) => {
    if (!codec || isPages(event)) return;
    const at = model.get("_step"), example = model.get("_example"), jump = codec.side || 8;
    const to = {
      ArrowLeft: { step: at - 1 }, ArrowRight: { step: at + 1 }, PageUp: { step: at - jump }, PageDown: { step: at + jump },
      Home: { step: 1 }, End: { step: codec.n }, ArrowUp: { example: example - 1 }, ArrowDown: { example: example + 1 },
    }[event.key];
    if (!to) return;
    event.preventDefault();
    event.stopPropagation();
    pointed = null;
    go(to);
  });

  // -------------------------------------------------------------------------------------- drawing

  function drawMap(example, step) {
    const row = codec.rows[example], most = Math.max(4, ...row.map((cell) => cell[4]));
    mapTitle.textContent = `Where the bits go: ${model.get("_title")}`;
    anew(grid);
    grid.style.display = codec.labels.length ? "none" : "";
    text.hidden = !codec.labels.length;
    legend.textContent = codec.labels.length ? "The higher the bar and the deeper the tint, the dearer the token"
      : `Circle: the price; dashed: not coded yet${model.get("_kind") === "leak" ? "; cross: not what comes back" : ""}`;
    if (codec.labels.length) {
      if (text.childElementCount !== codec.n || text.dataset.example !== String(example)) {
        text.replaceChildren();
        text.dataset.example = String(example);
        codec.labels.forEach((label, k) => {
          const token = make("span", { class: "token", "data-place": k + 1, "data-mark": `price ${k} ${fixed(row[k][4], 2)}` }, text, label.replaceAll("\n", "⏎\n"));
          token.style.setProperty("--share", String(Math.min(1, row[k][4] / most)));
        });
      }
      [...text.children].forEach((token, k) => {
        token.classList.toggle("here", k + 1 === step);
        token.classList.toggle("later", k + 1 > step);
      });
      return;
    }
    const across = codec.side || codec.n, down = codec.side || 1;
    grid.setAttribute("viewBox", `-3 -3 ${across * CELL + 6} ${down * CELL + 6}`);
    row.forEach(([symbol, , , , cost, received], k) => {
      const x = (k % across) * CELL, y = Math.floor(k / across) * CELL;
      const later = k + 1 > step ? " later" : "";
      make("rect", { class: `pixel${symbol ? " one" : ""}${later}`, x: x + 1, y: y + 1, width: CELL - 2, height: CELL - 2, rx: 3 }, grid);
      if (codec.rows.flat().some((cell) => cell[0] > 1)) make("text", { class: "symbol", x: x + CELL / 2, y: y + CELL / 2 + 4 }, grid, String(symbol));
      make("circle", { class: `price${later}`, cx: x + CELL / 2, cy: y + CELL / 2, r: (CELL / 2 - 2) * Math.sqrt(Math.min(1, cost / most)),
        "data-mark": `price ${k} ${fixed(cost, 2)}` }, grid);
      if (received !== null && received !== undefined && received !== symbol)
        make("path", { class: "cross", d: `M${x + 7} ${y + 7}l16 16m0 -16l-16 16` }, grid);
    });
    const x = ((step - 1) % across) * CELL, y = Math.floor((step - 1) / across) * CELL;
    make("rect", { class: "frame", x: x - 1, y: y - 1, width: CELL + 2, height: CELL + 2, rx: 4 }, grid);
  }

  function drawLines(example, step) {
    const width = codec.labels.length ? 760 : 520; // beside a grid, or below a text
    const first = Math.max(1, step - LINES + 1), left = 10, long = width - 20;
    svg.setAttribute("viewBox", `0 0 ${width} ${TOP + LINES * STEP - 14}`);
    anew(svg);
    for (let i = first; i <= step; i++) {
      const y = TOP + (i - first) * STEP, [symbol, total, below, own, , , parts] = codec.rows[example][i - 1];
      make("rect", { class: "rest", x: left, y, width: long, height: TALL }, svg);
      for (const [s, from, wide] of parts) {
        const x = left + (long * from) / total, w = (long * wide) / total, own_ = s === symbol;
        make("rect", { class: `part${own_ ? " own" : ""}${i === step ? " now" : ""}`, x, y, width: Math.max(w, own_ ? 1.5 : 0.3), height: TALL }, svg);
        if (w > 22 && (own_ || !codec.labels.length)) {
          const name = codec.label(i, s), room = Math.floor(w / 8);
          make("text", { class: `name${own_ ? " own" : ""}`, x: x + w / 2, y: y + TALL / 2 + 5 }, svg, name.length > room ? `${name.slice(0, room - 1)}…` : name);
        }
      }
      if (i < step) {
        const x0 = left + (long * below) / total, x1 = left + (long * (below + own)) / total, bottom = y + STEP;
        make("path", { class: "zoom", d: `M${x0} ${y + TALL}L${left} ${bottom}M${x1} ${y + TALL}L${left + long} ${bottom}` }, svg);
      }
    }
    for (let i = step + 1; i < first + LINES && i <= codec.n; i++) {
      make("rect", { class: "rest open", x: left, y: TOP + (i - first) * STEP, width: long, height: TALL }, svg);
      make("text", { class: "caption", x: left + 8, y: TOP + (i - first) * STEP - 6 }, svg, `x${i} is not coded yet`);
    }
    for (let i = first; i <= step; i++)
      make("text", { class: "caption", x: left + 8, y: TOP + (i - first) * STEP - 6 }, svg, `x${i} = ${codec.label(i, codec.rows[example][i - 1][0])}`);
    const found = codec.settled(example, step);
    digits.textContent = `settled: 0.${found.length > 40 ? "…" : ""}${found.slice(-40)}`;
    make("span", { class: "open" }, digits, " …");
  }

  function draw() {
    if (waits(model.get("_notice"), !model.get("_rows").length)) {
      controls.hidden = true;
      codec = null;
      return;
    }
    codec ??= codecOf(model);
    controls.hidden = codec.count === 1;
    say(model.get("_kind"), model.get("_verdict"));
    const example = model.get("_example"), step = pointed ?? model.get("_step");
    root.classList.toggle("wide", Boolean(codec.labels.length));
    drawMap(example, step);
    drawLines(example, step);
    const said = codec.stepInWords(step, example);
    setText(words, said);
    sliderSays(body, step, 1, codec.n, said);
    which.textContent = `Example ${example + 1} of ${codec.count}`;
    buttons[0].disabled = example === 0;
    buttons[1].disabled = example === codec.count - 1;
    keys.textContent = `← → go from symbol to symbol · Page Up and Page Down jump by ${codec.side || 8} · Home, End` +
      (codec.count > 1 ? " · ↑ ↓ change the example" : "") + " · point at a symbol to look at it";
  }

  const unfollow = follow(model, ["_rows", "_labels", "_side", "_files", "_verdict", "_kind", "_title", "_notice"], ["_example", "_step"],
    (isNew) => {
      if (isNew) codec = null;
      draw();
    });
  draw();
  return unfollow;
}

export default live(render);
