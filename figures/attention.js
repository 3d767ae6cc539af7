// The attention explorer: a line of tokens, what each position sees, where the heads look, and what
// is expected next. Everything was computed before; pointer and keys are answered here.

const SIDE = 220; // the matrix of who sees whom, in its own units
const MOST_NAMED = 4;
const BEAT = 650; // milliseconds between two passes when the clock runs

// ------------------------------------------------------------------------------------- the words
// The Python module writes numbers and says words in the same way; a test holds the two together.
const s = (things) => (things.length === 1 ? "" : "s");
const listed = (things) => (things.length <= MOST_NAMED ? things.join(", ")
  : `${things.slice(0, MOST_NAMED).join(", ")} and ${things.length - MOST_NAMED} more`);

function lineOf(model) {
  const words = model.get("_words"), sees = model.get("_sees"), top = model.get("_top"), comes = model.get("_comes");
  const blocks = model.get("_blocks"), heads = model.get("_heads"), numbers = floats(model.get("_weights"));
  const T = words.length;
  const weight = (head, i, j) => numbers[(head * T + i) * T + j];
  const leaks = [], gaps = [];
  for (let i = 0; i < T; i++)
    for (let j = 0; j < T; j++) {
      if (sees[i][j] === "1" && j > i) leaks.push(`position ${i + 1} → token ${j + 1}`);
      if (sees[i][j] === "0" && j <= i) gaps.push(`position ${i + 1} → token ${j + 1}`);
    }
  const kind = leaks.length ? "leak" : gaps.length ? "gap" : "good";
  const verdict = leaks.length ? `Not causal: ${leaks.length} leak${s(leaks)}: ${listed(leaks)}`
    : gaps.length ? `Blind to the future, but ${gaps.length} of the past not seen: ${listed(gaps)}`
    : "Causal: every position sees its own token and all before it, and nothing else";
  const placeInWords = (i, head) => { // i from 1
    const row = sees[i - 1], late = [], unseen = [];
    for (let j = 1; j <= T; j++) {
      if (row[j - 1] === "1" && j > i) late.push(j);
      if (row[j - 1] === "0" && j <= i) unseen.push(j);
    }
    let said = `Position ${i}, “${words[i - 1]}”: `;
    if (late.length) said += `sees token${s(late)} ${listed(late)}, which come${late.length === 1 ? "s" : ""} after it.`;
    else if (unseen.length) said += `does not see token${s(unseen)} ${listed(unseen)}, and nothing after itself.`;
    else if (i === 1) said += "sees its own token, and nothing after it.";
    else said += `sees all ${i} tokens up to its own, and nothing after it.`;
    if (numbers.length) {
      let j = 0;
      for (let k = 1; k < T; k++) if (weight(head, i - 1, k) > weight(head, i - 1, j)) j = k;
      said += ` Head ${(head % heads) + 1} of block ${Math.floor(head / heads) + 1} looks most at “${words[j]}”, token ${j + 1} (${fixed(weight(head, i - 1, j), 2)}).`;
    }
    const [word, p] = top[i - 1][0];
    said += ` Likeliest next: “${word}” ${fixed(p, 3)}`;
    return i < T ? `${said}; there comes “${words[i]}” ${fixed(comes[i - 1], 3)}.` : `${said}.`;
  };
  return { T, words, sees, top, comes, blocks, heads, count: blocks * heads, weight, shows: numbers.length > 0, kind, verdict, placeInWords };
}

// ----------------------------------------------------------------------------------- the picture

function render({ model, el }) {
  const id = newId("attention-explorer");
  const root = make("div", { class: "attention-explorer" }, el);
  const say = headlineIn(root);
  const row = make("div", {
    class: "line", tabindex: "0", role: "slider", "aria-label": "Position", "aria-describedby": `${id}-keys`,
    "data-lm-suppress-shortcuts": "true",
  }, root);
  const body = make("div", { class: "body" }, root);
  const next = make("div", { class: "next", "aria-hidden": "true" }, body);
  const side = make("div", { class: "side" }, body);
  make("p", { class: "title" }, side, "What each position (row) sees");
  const matrix = make("svg", { class: "matrix", viewBox: `-20 -4 ${SIDE + 24} ${SIDE + 24}`, "aria-hidden": "true", focusable: "false" }, side);
  const chooser = make("div", { class: "heads", role: "group", "aria-label": "Attention head" }, side);
  const before = make("button", { type: "button", "aria-label": "Previous head" }, chooser, "◀");
  const which = make("span", { class: "which" }, chooser);
  const after = make("button", { type: "button", "aria-label": "Next head" }, chooser, "▶");
  const readout = make("div", { class: "readout" }, root);
  const words = make("p", { class: "words", role: "status", "aria-live": "polite" }, readout);
  const clock = make("div", { class: "clock", role: "group", "aria-label": "Passes" }, root);
  make("p", { class: "title" }, clock, "Passes through the network, as counted");
  const lanes = make("div", { class: "lanes" }, clock);
  const controls = make("p", { class: "controls" }, clock);
  const step = make("button", { type: "button", class: "step" }, controls, "Next pass");
  const run = make("button", { type: "button", class: "run" }, controls, "Run");
  const reset = make("button", { type: "button", class: "reset" }, controls, "From the start");
  make("span", { class: "legend" }, controls, "filled: predicted or written · underlined: read in this pass");
  const told = make("p", { class: "told", role: "status", "aria-live": "polite" }, clock);
  const aside = make("p", { class: "aside" }, root);
  const notice = make("p", { class: "notice" }, root);
  const keys = make("p", { class: "keys", id: `${id}-keys` }, root, "");

  let net = null, pointed = null, timer = null;

  const write = writer(model);
  const place = () => pointed ?? model.get("_place");

  row.addEventListener("pointermove", (event) => {
    const at = event.target.closest(".token");
    if (at && Number(at.dataset.place) !== pointed) { pointed = Number(at.dataset.place); draw(); }
  });
  row.addEventListener("pointerleave", () => { pointed = null; draw(); });
  row.addEventListener("click", (event) => {
    const at = event.target.closest(".token");
    if (at) write("_place", Number(at.dataset.place));
  });
  row.addEventListener("keydown", (event) => {
    if (!net || isPages(event)) return;
    const at = model.get("_place"), head = model.get("_head");
    const to = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 1, End: net.T }[event.key];
    const turn = { ArrowUp: head - 1, ArrowDown: head + 1 }[event.key];
    if (to === undefined && turn === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    pointed = null;
    if (to !== undefined && to >= 1 && to <= net.T) write("_place", to);
    if (turn !== undefined && turn >= 0 && turn < net.count) write("_head", turn);
  });
  const inMatrix = (event) => {
    const at = pointIn(matrix, event);
    const i = Math.ceil((at.y / SIDE) * net.T);
    return i >= 1 && i <= net.T && at.x > -20 && at.x < SIDE + 4 ? i : null;
  };
  matrix.addEventListener("pointermove", (event) => {
    if (!net) return;
    const to = inMatrix(event);
    if (to !== pointed) { pointed = to; draw(); }
  });
  matrix.addEventListener("pointerleave", () => { pointed = null; draw(); });
  matrix.addEventListener("click", (event) => { const to = net && inMatrix(event); if (to) write("_place", to); });
  const turned = (by) => () => {
    const to = model.get("_head") + by;
    if (net && to >= 0 && to < net.count) write("_head", to);
  };
  before.addEventListener("click", turned(-1));
  after.addEventListener("click", turned(1));

  const most = () => Math.max(0, ...model.get("_clock").map(([, reads]) => reads.length));
  function stop() { clearInterval(timer); timer = null; run.textContent = "Run"; }
  step.addEventListener("click", () => { stop(); if (model.get("_tick") < most()) write("_tick", model.get("_tick") + 1); });
  reset.addEventListener("click", () => { stop(); write("_tick", 0); });
  run.addEventListener("click", () => {
    if (timer !== null) { stop(); return; }
    if (model.get("_tick") >= most()) write("_tick", 0);
    run.textContent = "Stop";
    timer = setInterval(() => {
      if (!root.isConnected || model.get("_tick") >= most()) { stop(); return; }
      write("_tick", model.get("_tick") + 1);
      if (model.get("_tick") >= most()) stop();
    }, BEAT);
  });

  // -------------------------------------------------------------------------------------- drawing

  const cellKind = (i, j) => { // from 0
    const seen = net.sees[i][j] === "1", late = j > i;
    return seen ? (late ? "leak" : "seen") : late ? "blind" : "gap";
  };

  function drawLine(at, head) {
    // The tokens stay, so that a pointer that rests on one keeps it.
    anew(row);
    for (let j = 0; j < net.T; j++) {
      const kind = j === at - 1 && cellKind(at - 1, j) === "seen" ? "here" : cellKind(at - 1, j);
      const token = make("span", { class: `token ${kind}`, "data-place": j + 1 }, row, net.words[j]);
      if (net.shows)
        make("span", { class: "level", style: `width:calc(${(100 * net.weight(head, at - 1, j)).toFixed(2)}% - 6px)` }, token);
    }
  }

  function drawNext(at) {
    anew(next);
    make("p", { class: "title" }, next, `Expected after “${net.words[at - 1]}”`);
    const coming = at < net.T ? net.words[at] : null;
    const shown = net.top[at - 1];
    const scale = Math.max(shown[0][1], 1e-9);
    const bar = (word, p, kind) => {
      const line = make("div", { class: `bar ${kind}` }, next);
      make("span", { class: "word" }, line, word);
      make("span", { class: "fill", style: `display:block;width:${(100 * p) / scale}%` }, make("span", { class: "track" }, line));
      make("span", { class: "share" }, line, fixed(p, 3));
    };
    let found = false;
    for (const [word, p] of shown) {
      const comes = word === coming && Math.abs(p - net.comes[at - 1]) < 1e-12;
      found ||= comes;
      bar(word, p, comes ? "comes" : "");
    }
    if (coming !== null && !found) bar(coming, net.comes[at - 1], "comes other");
  }

  function drawMatrix(at, head) {
    const { T } = net, cell = SIDE / T;
    anew(matrix);
    for (let i = 0; i < T; i++) {
      for (let j = 0; j < T; j++) {
        const kind = cellKind(i, j), x = j * cell, y = i * cell, a = 0.3 * cell;
        make("rect", { class: `cell ${kind}${i === at - 1 ? " on" : ""}`, x: x + 1, y: y + 1, width: cell - 2, height: cell - 2, rx: 2,
          ...(kind === "blind" ? {} : { "data-mark": `sees ${i} ${j} ${kind}` }) }, matrix);
        if (net.shows && kind !== "blind") {
          const side = (cell - 3) * Math.sqrt(Math.max(0, Math.min(1, net.weight(head, i, j))));
          make("rect", { class: "weight", x: x + (cell - side) / 2, y: y + (cell - side) / 2, width: side, height: side, rx: 1,
            "data-mark": `weight ${i} ${j} ${fixed(net.weight(head, i, j), 2)}` }, matrix);
        }
        if (kind === "leak") make("path", { class: "cross", d: `M${x + a} ${y + a}L${x + cell - a} ${y + cell - a}M${x + cell - a} ${y + a}L${x + a} ${y + cell - a}` }, matrix);
      }
      const every = T > 14 ? 2 : 1;
      if (i % every === 0) {
        make("text", { x: -11, y: (i + 0.5) * cell + 4 }, matrix, String(i + 1));
        make("text", { x: (i + 0.5) * cell, y: SIDE + 15 }, matrix, String(i + 1));
      }
    }
  }

  function drawClock() {
    const ways = model.get("_clock"), count = model.get("_count"), tick = model.get("_tick");
    clock.hidden = !ways.length;
    anew(lanes);
    const said = [];
    for (const [name, reads] of ways) {
      const all = net.T + count, training = name === "training", done = Math.min(tick, reads.length);
      const lane = make("div", { class: "lane" }, lanes);
      make("span", { class: "name" }, lane, training ? "training, scoring" : name);
      const cells = make("span", { class: "cells", "aria-hidden": "true" }, lane);
      const known = training ? all : net.T + done;
      for (let t = 0; t < all; t++) {
        const made = training ? done > 0 && t > 0 : t >= net.T && t < known;
        // A pass reads the newest tokens of the text as it was before the pass.
        const until = training ? all - 1 : known - 1, from = until - (done ? reads[done - 1] : 0);
        const read = tick > 0 && tick <= reads.length && t >= from && t < until;
        make("span", { class: `${made ? "made" : t < known ? "known" : ""}${read ? " read" : ""}` }, cells);
      }
      const sum = reads.slice(0, done).reduce((a, b) => a + b, 0);
      const passes = `${done} pass${done === 1 ? "" : "es"}`;
      make("span", { class: "tally" }, lane, `${passes}, ${sum} read`);
      said.push(`${name}: ${passes}, ${sum} tokens read`);
    }
    const text = tick ? `${said.join("; ")}.` : "";
    told.className = "told";
    told.style.cssText = "position:absolute;clip-path:inset(50%);width:1px;height:1px;overflow:hidden";
    setText(told, text);
  }

  function draw() {
    const waiting = model.get("_notice");
    const parts = [row, body, readout, keys];
    for (const part of parts) part.hidden = Boolean(waiting);
    clock.hidden = Boolean(waiting);
    setText(notice, waiting);
    setText(aside, waiting ? "" : model.get("_aside"));
    if (waiting || !model.get("_words").length) {
      say("waiting", "Nothing to draw yet");
      net = null;
      for (const part of parts) part.hidden = true;
      clock.hidden = true;
      return;
    }
    net ??= lineOf(model);
    say(net.kind, net.verdict);
    const at = place(), head = Math.min(model.get("_head"), Math.max(0, net.count - 1));
    drawLine(at, head);
    drawNext(at);
    drawMatrix(at, head);
    chooser.hidden = !net.shows;
    setText(which, net.shows ? `block ${Math.floor(head / net.heads) + 1}, head ${(head % net.heads) + 1}` : "");
    setText(keys, `← → go from token to token, or point at one${net.shows ? " · ↑ ↓ or ◀ ▶ change the head · squares and underlines: attention weights" : ""} · ▸: the token that comes`);
    const text = net.placeInWords(at, head);
    setText(words, text);
    sliderSays(row, at, 1, net.T, text);
    drawClock();
  }

  const unfollow = follow(model, ["_words", "_sees", "_weights", "_blocks", "_heads", "_top", "_comes", "_clock", "_count", "_aside", "_notice"], ["_place", "_head", "_tick"],
    (isNew) => {
      if (isNew) net = pointed = null;
      draw();
    });
  draw();
  return () => { stop(); unfollow(); };
}

export default live(render);
