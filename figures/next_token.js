// The next-token picture: bars for the most probable tokens, three sliders, and drawn texts.
// Logits came once, in ranked order; everything that a slider changes is computed here.

const SEEN = 1e-12; // a probability below it counts as 0
const NEAR = 1e-5; // of a mass: nearer to a cut than that, 32-bit sums may decide either way
const SCALES = [0.05, 0.1, 0.2, 0.5, 1];
const PACE = 90; // milliseconds a token, when the texts write themselves

// ------------------------------------------------------------------------------- the mathematics

// The distribution at a temperature, ranked, and its running sums.
function tempered(logits, T) {
  const p = logits.map((z) => Math.exp((z - logits[0]) / T)); // the first is the largest
  const total = p.reduce((sum, v) => sum + v, 0);
  const sums = new Float64Array(p.length);
  let sum = 0;
  for (let i = 0; i < p.length; i++) sums[i] = sum += (p[i] /= total);
  return { p, sums };
}

// How many of the ranked tokens top-k (0: all) and then top-p keep, and what they held.
function cut({ p, sums }, k, mass) {
  const most = k ? Math.min(k, p.length) : p.length;
  const least = (share) => {
    if (share >= 1) return most;
    let low = 1, high = most; // the first count whose sum reaches the share
    while (low < high) {
      const middle = (low + high) >> 1;
      if (sums[middle - 1] >= share * sums[most - 1]) high = middle; else low = middle + 1;
    }
    return low;
  };
  const count = least(mass);
  const between = mass >= 1 ? [most, most] : [least(mass - NEAR), least(mass + NEAR)];
  return { count, held: sums[count - 1], between };
}

function entropyOf(p, count, held) { // in bits
  let sum = 0;
  for (let i = 0; i < count; i++) {
    const q = p[i] / held;
    if (q > SEEN) sum -= q * Math.log2(q);
  }
  return sum;
}

// ------------------------------------------------------------------------------------- the words
// What is said of the student's function, the Python module says too; a test holds the two together.
const whole = (n) => Math.trunc(n).toLocaleString("en-US");
function quoted(token) {
  const core = token.replace(/^ +| +$/g, "");
  const lead = core ? token.length - token.replace(/^ +/, "").length : token.length;
  const trail = core ? token.length - token.replace(/ +$/, "").length : 0;
  return `“${"␣".repeat(lead)}${core.replaceAll("\n", "⏎")}${"␣".repeat(trail)}”`;
}

function worldOf(model) {
  const logits = floats(model.get("_logits")), labels = model.get("_labels"), grid = model.get("_grid");
  const theirs = floats(model.get("_theirs")), name = model.get("_name"), V = logits.length, rows = labels.length;
  const width = theirs.length ? theirs.length / (grid.T.length * grid.k.length * grid.p.length) : 0;
  const heat = grid.T.map((T) => tempered(logits, T));
  const plain = tempered(logits, 1);

  const valuesAt = ([i, j, l]) => {
    if (!theirs.length) return null;
    const from = ((i * grid.k.length + j) * grid.p.length + l) * width;
    const all = theirs.subarray(from, from + width);
    return { p: all.subarray(0, width - 3), kept: all[width - 3], total: all[width - 2], entropy: all[width - 1] };
  };
  const at = ([i, j, l]) => {
    const before = heat[i], { count, held, between } = cut(before, grid.k[j], grid.p[l]);
    const final = (r) => (r < count ? before.p[r] / held : 0);
    return { before, count, held, between, final, entropy: entropyOf(before.p, count, held), open: entropyOf(before.p, V, 1) };
  };
  const setting = ([i, j, l]) => `T = ${grid.T[i]}, top-k ${grid.k[j] || "all"}, top-p ${grid.p[l]}`;

  // Where the student's function differs from the arithmetic here: "" or a part of a sentence.
  const difference = (position) => {
    const own = valuesAt(position);
    if (!own) return "";
    if (Number.isNaN(own.total)) return "it answers NaN";
    const here = at(position);
    if (Math.abs(own.total - 1) > 1e-3) return `its probabilities sum to ${fixed(own.total, 3)}`;
    const seen = (count) => { // how many of the kept are large enough to be seen in 32 bits
      let low = 0, high = count;
      while (low < high) {
        const middle = (low + high) >> 1;
        if (here.before.p[middle] / here.held > SEEN) low = middle + 1; else high = middle;
      }
      return low;
    };
    const [fewest, most] = here.between.map(seen);
    const slack = Math.ceil(0.002 * most); // of a long tail, some stand at the edge of being seen
    if (own.kept < fewest - slack || own.kept > most + slack)
      return `it keeps ${whole(own.kept)} tokens, and ${whole(seen(here.count))} are kept here`;
    if (here.between[0] !== here.between[1]) return "";
    for (let r = 0; r < rows; r++)
      if (!(Math.abs(own.p[r] - here.final(r)) < 1e-3))
        return `it gives ${quoted(labels[r])} ${fixed(own.p[r], 3)}, and here it has ${fixed(here.final(r), 3)}`;
    return "";
  };
  const positions = grid.T.flatMap((_, i) => grid.k.flatMap((_, j) => grid.p.map((_, l) => [i, j, l])));
  const differing = theirs.length ? positions.filter((position) => difference(position)) : [];
  const verdict = !theirs.length ? `${whole(V)} tokens may come next`
    : !differing.length ? `Your ${name} agrees at all ${whole(positions.length)} positions of the sliders`
    : `Your ${name} differs at ${whole(differing.length)} of ${whole(positions.length)} positions, first at ${setting(differing[0])}`;

  const theirsInWords = (position) => {
    const own = valuesAt(position);
    if (!own) return "";
    const best = labels.slice(0, 3).map((label, r) => `${quoted(label)} ${fixed(own.p[r], 3)}`).join(", ");
    return `Your ${name} keeps ${whole(own.kept)} of ${whole(V)} tokens: ${best}; sum ${fixed(own.total, 3)}, entropy ${fixed(own.entropy, 2)} bits.`;
  };
  const inWords = (position) => {
    const here = at(position), one = here.count === 1;
    let said = `${setting(position)}: ${whole(here.count)} of ${whole(V)} tokens ${one ? "is" : "are"} left. `;
    said += `${one ? "It" : "They"} held ${fixed(100 * here.held, 1)} % of the probability. `;
    said += `Entropy ${fixed(here.entropy, 2)} bits, before the cut ${fixed(here.open, 2)}.`;
    const off = difference(position);
    return off ? `${said} Your ${name} differs: ${off}.` : said;
  };
  const rowInWords = (r, position) => {
    const here = at(position), own = valuesAt(position);
    let said = `${quoted(labels[r])}, number ${r + 1}: the model gives it ${fixed(plain.p[r], 3)}, T = ${grid.T[position[0]]} makes it ${fixed(here.before.p[r], 3)}`;
    said += r < here.count ? `; kept, ${fixed(here.final(r), 3)} after the cut` : "; cut off";
    return own ? `${said}; your ${name}: ${fixed(own.p[r], 3)}.` : `${said}.`;
  };
  return { V, rows, labels, grid, plain, at, valuesAt, difference, verdict, differing, inWords, theirsInWords, rowInWords,
    kind: !theirs.length ? "plain" : differing.length ? "leak" : "good" };
}

// ----------------------------------------------------------------------------------- the picture

const visible = (token) => token.replace(/^ /, "␣").replace(/(?<=.) $/, "␣").replaceAll("\n", "⏎");

function render({ model, el }) {
  const id = newId("next-token");
  const root = make("div", { class: "next-token", "data-lm-suppress-shortcuts": "true" }, el);
  root.addEventListener("keydown", (event) => { if (event.key !== "Tab") event.stopPropagation(); });
  const say = headlineIn(root);
  const prompt = make("p", { class: "prompt" }, root);
  const controls = make("div", { class: "sliders" }, root);
  const sliders = ["temperature T", "top-k: at most so many tokens", "top-p: at least this mass"].map((label, i) => {
    const holder = make("label", { class: "slider" }, controls);
    make("span", { class: "name" }, holder, ["T", "top-k", "top-p"][i]);
    const input = make("input", { type: "range", min: "0", step: "1", "aria-label": label }, holder);
    const value = make("span", { class: "value", "aria-hidden": "true" }, holder);
    input.addEventListener("input", () => {
      const to = [...model.get("_at")];
      to[i] = Number(input.value);
      write("_at", to);
    });
    return { input, value };
  });
  // The texts follow the sliders, so that both are on one screen.
  const stage = make("div", { class: "stage", role: "group", "aria-label": "Drawn texts" }, root);
  const play = make("div", { class: "play" }, stage);
  const button = make("button", { type: "button", class: "write" }, play, "Write");
  const reel = make("input", { type: "range", min: "0", step: "1", "aria-label": "tokens of the texts that are shown" }, play);
  const shown = make("span", { class: "value" }, play);
  const columns = make("div", { class: "columns" }, stage);
  make("p", { class: "keys" }, stage, "Underlined: tokens that surprised the model at T = 1, dotted from 4 bits on, a line from 8, double from 12.");
  const look = whereKernelRuns(model, stage, [], "let the sliders write the first text anew");
  const body = make("div", { class: "body" }, root);
  const chart = make("div", {
    class: "chart", tabindex: "0", role: "slider", "aria-label": "Tokens", "aria-orientation": "vertical",
    "aria-describedby": `${id}-keys`, "data-lm-suppress-shortcuts": "true",
  }, body);
  const side = make("dl", { class: "numbers" }, body);
  const numbers = ["tokens kept", "mass kept", "entropy", "as many as an even choice of"].map((name) => {
    make("dt", {}, side, name);
    return make("dd", {}, side);
  });
  const words = make("p", { class: "words", role: "status", "aria-live": "polite" }, root);
  const theirs = make("p", { class: "theirs" }, root);
  const notice = make("p", { class: "notice" }, root);
  const keys = make("p", { class: "keys", id: `${id}-keys` }, root);

  let world = null, chosen = 0, pointed = null, clock = null, columnsOf = null;
  const position = () => model.get("_at");

  const write = writer(model);

  chart.addEventListener("keydown", (event) => {
    if (!world || isPages(event)) return;
    const to = { ArrowUp: chosen - 1, ArrowDown: chosen + 1, ArrowLeft: chosen - 1, ArrowRight: chosen + 1, Home: 0, End: world.rows - 1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    chosen = Math.max(0, Math.min(world.rows - 1, to));
    pointed = null;
    draw(true);
  });
  chart.addEventListener("focus", () => draw(true));
  chart.addEventListener("blur", () => draw());
  chart.addEventListener("pointermove", (event) => {
    const row = event.target.closest?.(".row");
    const to = row ? Number(row.dataset.row) : null;
    if (to !== pointed) { pointed = to; draw(); }
  });
  chart.addEventListener("pointerleave", () => { pointed = null; draw(); });

  // ------------------------------------------------------------------------------------- texts

  function stop() {
    clearInterval(clock);
    clock = null;
    button.textContent = "Write";
  }
  button.addEventListener("click", () => {
    if (clock) { stop(); return; }
    const most = Number(reel.max);
    if (isCalm()) { reel.value = String(most); drawTexts(); return; }
    if (Number(reel.value) >= most) reel.value = "0";
    button.textContent = "Stop";
    clock = setInterval(() => {
      reel.value = String(Number(reel.value) + 1);
      drawTexts();
      if (Number(reel.value) >= most) stop();
    }, PACE);
  });
  reel.addEventListener("input", () => { stop(); drawTexts(); });

  function buildTexts() {
    const texts = model.get("_texts");
    stage.hidden = !texts.length;
    columns.replaceChildren();
    reel.max = String(Math.max(0, ...texts.map((text) => text.tokens.length)));
    reel.value = String(model.get("_written"));
    columnsOf = texts.map((text) => {
      const column = make("section", { class: "column", "aria-label": text.name }, columns);
      make("p", { class: "title" }, column, text.name);
      const mean = make("p", { class: "mean" }, column);
      const said = make("p", { class: "said" }, column);
      make("span", { class: "before" }, said, model.get("_prompt"));
      let before = "";
      const spans = text.tokens.map((token, i) => {
        const bits = text.bits[i], kind = bits >= 12 ? "double" : bits >= 8 ? "line" : bits >= 4 ? "dotted" : "calm";
        // A line end is seen and breaks the line; those that follow it at once are only seen.
        const seen = [...token].map((letter) => {
          const end = letter === "\n" ? (before === "\n" ? "⏎" : "⏎\n") : letter;
          before = letter;
          return end;
        }).join("");
        return make("span", { class: `token ${kind}`, title: `${fixed(bits, 1)} bits` }, said, seen);
      });
      return { spans, mean, bits: text.bits };
    });
    look();
    drawTexts();
  }
  function drawTexts() {
    const count = Number(reel.value);
    shown.textContent = `${count} tokens`;
    for (const { spans, mean, bits } of columnsOf ?? []) {
      spans.forEach((span, i) => { span.hidden = i >= count; });
      const seen = bits.slice(0, count);
      mean.textContent = seen.length ? `${fixed(seen.reduce((a, b) => a + b, 0) / seen.length, 2)} bits a token` : "";
    }
  }

  // -------------------------------------------------------------------------------------- bars

  function drawChart(row) {
    const place = position(), here = world.at(place), own = world.valuesAt(place);
    let most = 0;
    for (let r = 0; r < world.rows; r++)
      most = Math.max(most, here.final(r), here.before.p[r], world.plain.p[r], own && Number.isFinite(own.p[r]) ? own.p[r] : 0);
    const scale = SCALES.find((s) => s >= most) ?? 1;
    const share = (value) => `${Math.max(0, Math.min(100, (100 * value) / scale)).toFixed(2)}%`;
    anew(chart);
    for (let r = 0; r < world.rows; r++) {
      const kept = r < here.count, value = kept ? here.final(r) : here.before.p[r];
      const off = own && !(Math.abs(own.p[r] - here.final(r)) < 1e-3);
      const line = make("div", { class: `row ${kept ? "kept" : "cut"}${r === row ? " here" : ""}`, "data-row": r, "aria-hidden": "true" }, chart);
      make("span", { class: "label" }, line, visible(world.labels[r]));
      const track = make("span", { class: "track" }, line);
      make("span", { class: "bar", style: `width:${share(value)}` }, track);
      make("span", { class: "ghost", style: `width:${share(world.plain.p[r])}`, "data-mark": `model ${r} ${fixed(world.plain.p[r], 3)}` }, track);
      if (own) make("span", { class: `diamond${off ? " off" : ""}`, style: `left:${share(own.p[r])}` }, track);
      make("span", { class: "p" }, line, kept ? fixed(value, 3) : "cut");
    }
    const rest = world.V - world.rows;
    if (rest > 0) {
      const left = Math.max(0, here.count - world.rows);
      const mass = Math.max(0, 1 - Array.from({ length: world.rows }, (_, r) => here.final(r)).reduce((a, b) => a + b, 0));
      make("p", { class: "rest" }, chart, left ? `and ${whole(left)} of ${whole(rest)} more tokens, ${fixed(mass, 3)} together` : `${whole(rest)} more tokens are all cut off`);
    }
    const axis = make("div", { class: "axis", "aria-hidden": "true" }, chart);
    for (const part of [0, 0.5, 1]) make("span", { style: `left:${100 * part}%` }, axis, String(+(scale * part).toFixed(3)));
  }

  function draw(asked = false) {
    if (!model.get("_logits")?.byteLength) return;
    world ??= worldOf(model);
    if (!columnsOf) buildTexts();
    const place = position(), here = world.at(place), waiting = model.get("_notice");
    say(waiting ? "waiting" : world.kind, waiting ? `${whole(world.V)} tokens may come next` : world.verdict);
    notice.textContent = waiting;
    prompt.textContent = model.get("_prompt") ? `after ${quoted(model.get("_prompt"))}` : "";
    sliders.forEach(({ input, value }, i) => {
      const options = world.grid["Tkp"[i]], now = options[place[i]];
      input.max = String(options.length - 1);
      input.value = String(place[i]);
      value.textContent = String(now || "all");
      input.setAttribute("aria-valuetext", `${["T", "k", "p"][i]} = ${now || "all"}`);
    });
    const row = pointed ?? (asked || chart.matches(":focus") ? chosen : null);
    drawChart(row);
    const [kept, mass, entropy, even] = numbers;
    kept.textContent = `${whole(here.count)} of ${whole(world.V)}`;
    mass.textContent = `${fixed(100 * here.held, 1)} %`;
    entropy.textContent = `${fixed(here.entropy, 2)} bits`;
    even.textContent = `${fixed(2 ** here.entropy, 1)} tokens`;
    const text = row === null ? world.inWords(place) : world.rowInWords(row, place);
    setText(words, text);
    theirs.textContent = world.theirsInWords(place);
    keys.textContent = "Solid: what is drawn from. Striped: cut off. Dashed frame: the model itself, T = 1." +
      (theirs.textContent ? " ◆: your function." : "") + " Sliders take arrow keys; ↑ ↓ on the bars go from token to token.";
    sliderSays(chart, chosen + 1, 1, world.rows, world.rowInWords(Math.min(chosen, world.rows - 1), place));
  }

  const unfollow = follow(model, ["_logits", "_labels", "_prompt", "_grid", "_theirs", "_name", "_notice"], ["_at"],
    (isNew) => {
      if (isNew) { world = null; columnsOf = null; stop(); }
      draw();
    });
  const unfollowTexts = follow(model, ["_texts"], ["_written"], () => { columnsOf = null; stop(); draw(); });
  draw();
  return () => { stop(); unfollow(); unfollowTexts(); };
}

export default live(render);
