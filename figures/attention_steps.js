// One step of attention: a table of the tokens, read from above, for the token that asks.

const STEPS = ["q·k / √d", "mask", "softmax", "values"];

function render({ model, el }) {
  const id = newId("attention-steps");
  const root = make("div", { class: "attention-steps" }, el);
  const say = headlineIn(root);
  const quiet = { "data-lm-suppress-shortcuts": "true" };
  const form = make("form", { class: "controls", ...quiet }, root);
  const label = make("label", {}, form, "Your words ");
  const input = make("input", { type: "text", size: 28, autocomplete: "off", spellcheck: "false" }, label);
  make("button", { type: "submit" }, form, "Read");
  const head = make("select", { "aria-label": "Attention head", ...quiet }, form);
  const body = make("div", { class: "body", tabindex: "0", role: "slider", "aria-label": "The token that asks",
    "aria-describedby": `${id}-keys`, ...quiet }, root);
  const table = make("table", { "aria-hidden": "true" }, body);
  const words = make("p", { class: "words", role: "status", "aria-live": "polite" }, root);
  const notice = make("p", { class: "notice" }, root);
  const keys = make("p", { class: "keys", id: `${id}-keys` }, root,
    "Click the token that asks, or ← → · Σ: the values, each times its weight, added up · squares: filled plus, hollow minus, 8 numbers of each");

  const look = whereKernelRuns(model, root, [form], "type words of your own, and choose another head");

  const waits = waitingIn(say, notice, [body, words, keys]);

  function strip(parent, numbers, most, share = 1) {
    const svg = make("svg", { class: "strip", viewBox: "0 0 22 88", style: `opacity:${Math.max(0.2, Math.sqrt(share))}` }, parent);
    numbers.forEach((v, k) => {
      const side = 10 * Math.max(0.15, Math.sqrt(Math.min(1, Math.abs(v) / most)));
      make("rect", { class: v >= 0 ? "plus" : "minus", x: 11 - side / 2, y: 11 * k + 5.5 - side / 2, width: side, height: side }, svg);
    });
  }
  function draw() {
    const labels = model.get("_labels"), T = labels.length, i = Math.min(model.get("_row"), T - 1);
    const isWaiting = waits(model.get("_notice"), !T);
    if (!form.contains(document.activeElement)) input.value = model.get("_text");
    if (head.options.length !== model.get("_heads").length)
      head.replaceChildren(...model.get("_heads").map((name, k) => make("option", { value: k }, null, name)));
    head.value = String(model.get("_head"));
    look();
    if (isWaiting) return;
    say(...model.get("_verdict"));
    const all = floats(model.get("_numbers")), shown = (all.length - 2 * T * T) / (2 * T);
    const scores = all.slice(i * T, i * T + T), weights = all.slice(T * T + i * T, T * T + i * T + T);
    const row = (from, j) => [...all.slice(2 * T * T + from + j * shown, 2 * T * T + from + (j + 1) * shown)];
    const values = labels.map((_, j) => row(0, j)), answer = row(T * shown, i);
    const most = Math.max(...values.flat().map(Math.abs), 1e-9), top = Math.max(...scores.map(Math.abs), 1e-9);
    table.replaceChildren();
    const first = make("tr", {}, table);
    make("th", {}, first, "token");
    labels.forEach((text, j) => make("th", { class: j === i ? "asks" : j > i ? "later" : "", "data-place": j }, first, text));
    make("th", {}, first, "Σ");
    STEPS.forEach((name, step) => {
      const line = make("tr", {}, table);
      make("th", {}, line, name);
      labels.forEach((_, j) => {
        const cell = make("td", { class: j > i ? "later" : "", "data-place": j }, line);
        if (step === 0) {
          cell.dataset.mark = `score ${j} ${fixed(scores[j], 2)}`;
          cell.textContent = fixed(scores[j], 2);
          if (j <= i) cell.style.setProperty("--share", `${Math.round((45 * Math.abs(scores[j])) / top)}%`);
        } else if (step === 1) cell.textContent = j > i ? "−∞" : "✓";
        else if (step === 2) {
          cell.dataset.mark = `weight ${j} ${fixed(weights[j], 2)}`;
          make("span", { class: "bar", style: `width:${100 * Math.min(1, Math.max(0, weights[j]))}%` }, cell);
          cell.append(fixed(weights[j], 2));
        } else strip(cell, values[j], most, weights[j]);
      });
      const sum = make("td", { class: "sum" }, line, step === 2 ? fixed(weights.reduce((a, b) => a + b, 0), 2) : null);
      if (step === 3) strip(sum, answer, most);
    });
    setText(words, model.get("_words")[i] ?? "");
    sliderSays(body, i + 1, 1, T, model.get("_words")[i] ?? "");
  }

  const write = writer(model);
  form.addEventListener("submit", (event) => { event.preventDefault(); write("_text", input.value); });
  head.addEventListener("change", () => write("_head", Number(head.value)));
  table.addEventListener("click", (event) => {
    const at = event.target.closest("[data-place]");
    if (at) write("_row", Number(at.dataset.place));
  });
  placesByKeys(body, () => ({ at: model.get("_row"), last: model.get("_labels").length - 1 }), (to) => write("_row", to));
  draw();
  return follow(model, [], ["_text", "_head", "_heads", "_labels", "_numbers", "_words", "_verdict", "_notice", "_row"], draw);
}

export default live(render);
