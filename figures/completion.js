// The completion explorer: a picture to draw on, the votes for one of its pixels, what every pixel
// is expected to be, and the kernel's completions. All but the completions is answered here.

const SIDE = 200; // of each of the three grids, in its own units
const MOST_NAMED = 6;

// ------------------------------------------------------------------------------------- the words
// The Python module writes numbers and says words in the same way; a test holds the two together.
const plain = (value) => fixed(value, 2);
const signed = (value) => { const text = plain(value); return "−N".includes(text[0]) ? text : `+${text}`; };
const sigmoid = (a) => (a >= 0 ? 1 / (1 + Math.exp(-a)) : Math.exp(a) / (1 + Math.exp(a)));
const softplus = (a) => (Number.isNaN(a) ? a : Math.max(a, 0) + Math.log1p(Math.exp(-Math.abs(a))));
const s = (count) => (count > 1 ? "s" : "");

function networkOf(model) {
  const side = model.get("_side"), n = side * side;
  const base = floats(model.get("_base")), votes = floats(model.get("_votes")), sees = model.get("_sees");
  const vote = (i, j) => votes[i * n + j];
  let leaks = 0, gaps = 0;
  for (let i = 0; i < n; i++)
    for (let j = 0; j < n; j++) {
      if (sees[i][j] === "1" && j >= i) leaks++;
      if (sees[i][j] === "0" && j < i) gaps++;
    }
  const kind = leaks ? "leak" : gaps ? "gap" : "good";
  const verdict = leaks ? `Not autoregressive: ${leaks} time${s(leaks)} a logit sees a pixel at or after its own`
    : gaps && gaps === (n * (n - 1)) / 2 ? "No pixel has a vote: these are independent coins"
    : gaps ? `Blind to the future, but ${gaps} votes that the order allows are not counted`
    : "Autoregressive: every logit sees all pixels before its own, and nothing else";

  const sums = (i, bits) => {
    let past = 0, late = 0, count = 0;
    for (let j = 0; j < n; j++) {
      if (bits[j] !== "1") continue;
      if (j < i) { past += vote(i, j); count++; } else late += vote(i, j);
    }
    return { past, late, count, logit: base[i] + past + late };
  };
  const inWords = (i, bits) => {
    const { past, late, count, logit } = sums(i, bits);
    const seers = [];
    for (let j = i; j < n; j++) if (sees[i][j] === "1") seers.push(j + 1);
    let said = `Pixel ${i + 1} (row ${Math.floor(i / side) + 1}, column ${(i % side) + 1}): bias ${plain(base[i])}`;
    said += count ? `, votes of ${count} inked pixel${s(count)} before it ${signed(past)}` : ", no inked pixel before it";
    if (seers.length) said += `, of pixels at or after it ${signed(late)}`;
    said += `; logit ${plain(logit)}, ink with probability ${fixed(sigmoid(logit), 3)}.`;
    if (seers.length) {
      const more = seers.length > MOST_NAMED ? ` and ${seers.length - MOST_NAMED} more` : "";
      said += ` Not autoregressive: this logit sees ${seers.length} pixel${s(seers.length)} at or after its own: ` +
        `${seers.slice(0, MOST_NAMED).join(", ")}${more}.`;
    }
    return said;
  };
  const costInWords = (bits) => {
    let total = 0;
    for (let i = 0; i < n; i++) {
      const { logit } = sums(i, bits);
      total += softplus(bits[i] === "1" ? -logit : logit);
    }
    return `The whole picture costs ${plain(total)} nats.`;
  };
  let most = 0;
  for (const value of votes) if (Math.abs(value) > most && Number.isFinite(value)) most = Math.abs(value);
  return { side, n, base, sees, vote, sums, kind, verdict, inWords, costInWords, most };
}

// ----------------------------------------------------------------------------------- the picture

// The stairs between the pixels before `cut` and those from it on.
function stairs(side, cut, cell) {
  const row = Math.floor(cut / side), column = cut % side, full = side * cell;
  return column === 0 ? `M0 ${row * cell}H${full}`
    : `M0 ${(row + 1) * cell}H${column * cell}V${row * cell}H${full}`;
}

function render({ model, el }) {
  const id = newId("completion-explorer");
  const root = make("div", { class: "completion-explorer" }, el);
  const say = headlineIn(root);
  const body = make("div", { class: "body" }, root);
  const grids = make("div", {
    class: "grids", tabindex: "0", role: "slider", "aria-label": "Pixels", "aria-describedby": `${id}-keys`,
    "data-lm-suppress-shortcuts": "true",
  }, body);
  const panel = (name, title) => {
    const section = make("div", { class: `panel ${name}` }, grids);
    const heading = make("p", { class: "title" }, section, title);
    const svg = make("svg", { viewBox: `-3 -3 ${SIDE + 6} ${SIDE + 6}`, "aria-hidden": "true", focusable: "false" }, section);
    return { heading, svg };
  };
  const picture = panel("picture", "Your picture: click to draw");
  const votes = panel("votes", "");
  const expected = panel("expected", "How likely ink is, pixel by pixel");
  const legend = make("p", { class: "legend" }, body);
  for (const [kind, text] of [["for", "votes for ink"], ["against", "votes against it (pale: that pixel is white)"],
    ["later", "not given: behind the cut"]]) {
    const key = make("span", { class: "key" }, legend);
    make("span", { class: `sign ${kind}`, "aria-hidden": "true" }, key);
    key.append(text);
  }
  const readout = make("div", { class: "readout" }, body);
  const words = make("p", { class: "words", role: "status", "aria-live": "polite" }, readout);
  const cost = make("p", { class: "cost" }, readout);
  const endings = make("div", { class: "endings" }, body);
  const bar = make("p", { class: "controls" }, endings);
  const button = make("button", { type: "button", class: "complete" }, bar, "Complete");
  const next = make("button", { type: "button", class: "next" }, bar, "Draw this pixel");
  const label = make("span", { class: "label", role: "status", "aria-live": "polite" }, bar);
  const strip = make("div", { class: "strip" }, endings);
  const notice = make("p", { class: "notice" }, root);
  const keys = make("p", { class: "keys", id: `${id}-keys` }, root,
    "Arrow keys move the frame · space inks or clears its pixel · Enter completes from there · d draws it with its probability · " +
    "a click on the second or third grid moves the frame too");

  const look = whereKernelRuns(model, root, [button], "let your own network complete what you draw");

  const waits = waitingIn(say, notice, [body, keys]);
  let net = null, pointed = null, asked = 0;
  const bits = () => model.get("_bits"), cursor = () => model.get("_cursor");

  const write = writer(model);
  function toggle(i) {
    const now = bits();
    write("_bits", now.slice(0, i) + (now[i] === "1" ? "0" : "1") + now.slice(i + 1));
  }
  // One step of ancestral sampling: this pixel by its probability, then on to the next one's votes.
  function drawPixel() {
    if (!net) return;
    const i = cursor(), now = bits(), ink = Math.random() < sigmoid(net.sums(i, now).logit) ? "1" : "0";
    pointed = null;
    model.set("_bits", now.slice(0, i) + ink + now.slice(i + 1));
    write("_cursor", Math.min(i + 1, net.n - 1));
  }
  function complete() {
    if (button.hidden) return;
    asked++;
    model.set("_request", { complete: asked });
    model.save_changes();
  }

  function cellUnder(svg, event) {
    const matrix = svg.getScreenCTM();
    if (!matrix || !net) return -1;
    const at = new DOMPoint(event.clientX, event.clientY).matrixTransform(matrix.inverse());
    const cell = SIDE / net.side, row = Math.floor(at.y / cell), column = Math.floor(at.x / cell);
    return row >= 0 && column >= 0 && row < net.side && column < net.side ? row * net.side + column : -1;
  }
  for (const { svg } of [picture, votes, expected]) {
    svg.addEventListener("pointermove", (event) => {
      const i = cellUnder(svg, event);
      const to = i < 0 ? null : i;
      if (to !== pointed) { pointed = to; draw(); }
    });
    svg.addEventListener("pointerleave", () => { pointed = null; draw(); });
    svg.addEventListener("click", (event) => {
      const i = cellUnder(svg, event);
      if (i < 0) return;
      if (svg === picture.svg) toggle(i); else write("_cursor", i);
    });
  }
  grids.addEventListener("keydown", (event) => {
    if (!net || isPages(event)) return;
    const at = cursor(), { side, n } = net;
    const to = { ArrowLeft: at - 1, ArrowRight: at + 1, ArrowUp: at - side, ArrowDown: at + side, Home: 0, End: n - 1 }[event.key];
    if (to === undefined && ![" ", "Enter", "d"].includes(event.key)) return;
    event.preventDefault();
    event.stopPropagation();
    pointed = null;
    if (event.key === " ") toggle(at);
    else if (event.key === "Enter") complete();
    else if (event.key === "d") drawPixel();
    else if (to >= 0 && to < n) write("_cursor", to);
  });
  button.addEventListener("click", complete);
  next.addEventListener("click", drawPixel);

  // -------------------------------------------------------------------------------------- drawing

  const square = (svg, kind, i, share, cell, more = {}) => {
    const size = cell * share, off = (cell - size) / 2;
    return make("rect", { class: kind, x: (i % net.side) * cell + off, y: Math.floor(i / net.side) * cell + off,
      width: size, height: size, ...more }, svg);
  };

  function drawGrids(i) {
    const cell = SIDE / net.side, now = bits(), cut = cursor();
    for (const { svg } of [picture, votes, expected]) {
      anew(svg);
      make("rect", { class: "ground", x: 0, y: 0, width: SIDE, height: SIDE }, svg);
    }
    for (let j = 0; j < net.n; j++) {
      square(picture.svg, `cell${now[j] === "1" ? " ink" : ""}${j >= cut ? " later" : ""}`, j, 0.94, cell,
        now[j] === "1" ? { "data-mark": `ink ${j}` } : {});
      const leak = j >= i, value = net.vote(i, j), visible = Math.sqrt(Math.min(1, Math.abs(value) / (net.most || 1)));
      square(votes.svg, `cell${leak ? " later" : ""}`, j, 0.94, cell, { "data-mark": `vote ${j} ${fixed(value, 2)}` });
      if (value && !(visible < 0.08 && !leak))
        square(votes.svg, `vote ${value > 0 ? "for" : "against"}${now[j] === "1" ? " cast" : ""}${leak ? " leak" : ""}`, j,
          0.86 * Math.max(visible, 0.2), cell);
      if (leak && net.sees[i][j] === "1") {
        const x = (j % net.side) * cell, y = Math.floor(j / net.side) * cell, a = 0.25 * cell, b = 0.75 * cell;
        make("path", { class: "cross", d: `M${x + a} ${y + a}L${x + b} ${y + b}M${x + b} ${y + a}L${x + a} ${y + b}` }, votes.svg);
      }
      square(expected.svg, "cell", j, 0.94, cell);
      const p = sigmoid(net.sums(j, now).logit);
      if (p > 0) square(expected.svg, "p", j, 0.94, cell, { "fill-opacity": p.toFixed(3) });
    }
    make("path", { class: "cut", d: stairs(net.side, cut, cell) }, picture.svg);
    for (const { svg } of [picture, votes, expected]) square(svg, "frame", i, 1, cell);
    votes.heading.textContent = `Votes for pixel ${i + 1}`;
  }

  function drawEndings() {
    const pictures = model.get("_completions"), given = model.get("_given"), waits = model.get("_complete_notice");
    const fresh = given === bits().slice(0, cursor());
    look();
    label.textContent = waits || (!pictures.length ? "" : fresh ? `Drawn after the ${given.length} given pixels:`
      : `Drawn after ${given.length} other pixels: press Complete for new ones`);
    label.classList.toggle("waits", Boolean(waits));
    anew(strip);
    strip.classList.toggle("stale", !fresh);
    pictures.forEach((bits, k) => {
      const drawn = [...bits].filter((bit, j) => bit === "1" && j >= given.length).length;
      const svg = make("svg", { viewBox: "-2 -2 84 84", role: "img", "data-mark": `ending ${k} ${bits}`,
        "aria-label": `Ending ${k + 1}: ${drawn} of ${net.n - given.length} drawn pixels are inked` }, strip);
      const cell = 80 / net.side;
      make("rect", { class: "ground", x: 0, y: 0, width: 80, height: 80 }, svg);
      [...bits].forEach((bit, j) => {
        if (bit === "1") square(svg, j < given.length ? "cell ink" : "drawn", j, j < given.length ? 0.96 : 0.8, cell);
      });
      if (given.length < net.n) make("path", { class: "cut", d: stairs(net.side, given.length, cell) }, svg);
    });
  }

  function draw() {
    if (waits(model.get("_notice"), !model.get("_side"))) {
      net = null;
      return;
    }
    net ??= networkOf(model);
    say(net.kind, net.verdict);
    notice.textContent = model.get("_remark");
    const i = pointed ?? cursor();
    drawGrids(i);
    const text = net.inWords(i, bits());
    setText(words, text);
    cost.textContent = net.costInWords(bits());
    sliderSays(grids, i + 1, 1, net.n, `${bits()[i] === "1" ? "Inked. " : "White. "}${text}`);
    drawEndings();
  }

  const unfollow = follow(model, ["_side", "_base", "_votes", "_sees", "_notice", "_remark"], ["_completions", "_given", "_complete_notice", "_bits", "_cursor"],
    (isNew) => {
      if (isNew) net = null;
      draw();
    });
  draw();
  return unfollow;
}

export default live(render);
