// The table's size: one slider, a sentence, and the landmarks that the table has outgrown.

function render({ model, el }) {
  const root = make("div", { class: "table-size" }, el);
  const most = model.get("_most"), landmarks = model.get("_landmarks");
  const say = make("p", { class: "say", role: "status", "aria-live": "polite" }, root);
  const range = make("input", { type: "range", min: 1, max: most, step: 1, "aria-label": "Number of bits",
    "data-lm-suppress-shortcuts": "true" }, root);
  const list = make("ul", { class: "landmarks" }, root);
  const rows = landmarks.map(([words]) => {
    const row = make("li", {}, list);
    const sign = make("span", { class: "sign", "aria-hidden": "true" }, row);
    make("span", {}, row, words);
    return { row, sign, said: make("span", { class: "said" }, row) };
  });
  make("p", { class: "keys" }, root, "Drag, or ← → by one bit, Page Up and Page Down by more, Home and End.");

  // The Python module says the same words; a test holds the two together.
  const power = (n) => { // the digits of 2^n − 1, exactly
    const text = (2n ** BigInt(n) - 1n).toString();
    return n <= 30 ? text.replace(/\B(?=(\d{3})+$)/g, ",") : `about 10^${text.length - 1}`;
  };
  function draw() {
    const n = model.get("_bits");
    const outgrown = landmarks.filter(([, first]) => n >= first);
    const last = outgrown.length ? ` More than ${outgrown.at(-1)[0]}.` : " Less than a photo.";
    const text = `${n} bits: a table of ${power(n)} numbers.${last}`;
    if (say.textContent !== text) say.textContent = text;
    range.value = n;
    range.setAttribute("aria-valuetext", text);
    rows.forEach(({ row, sign, said }, i) => {
      const passed = n >= landmarks[i][1];
      row.dataset.kind = passed ? "leak" : "";
      row.dataset.mark = `${passed ? "outgrown" : "holds"} ${i}`;
      sign.textContent = passed ? "✕" : "✓";
      said.textContent = passed ? "too small" : "holds the table";
    });
  }
  const write = writer(model);
  range.addEventListener("input", () => write("_bits", Number(range.value)));
  draw();
  return follow(model, [], ["_bits"], draw);
}

export default live(render);
