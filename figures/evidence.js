// The evidence explorer: words letter by letter; dead ones struck out, weighted ones with a bar.

function render({ model, el }) {
  const root = make("div", { class: "evidence-explorer" }, el);
  const quiet = { "data-lm-suppress-shortcuts": "true" };
  const form = make("form", { class: "controls", ...quiet }, root);
  const label = make("label", {}, form, "Pattern ");
  const input = make("input", { type: "text", size: 6, autocomplete: "off", spellcheck: "false", "aria-describedby": newId("evidence") }, label);
  make("button", { type: "submit" }, form, "Draw");
  const hint = make("span", { class: "hint", id: input.getAttribute("aria-describedby") }, form, "? for a letter that is not known");
  const notice = make("p", { class: "notice", role: "alert" }, root);
  const words = make("p", { class: "words", role: "status", "aria-live": "polite" }, root);
  const range = make("input", { type: "range", min: 0, step: 1, "aria-label": "Letters written", ...quiet }, root);
  const panels = make("div", { class: "panels" }, root);
  const panel = (title) => {
    const section = make("div", { class: "panel" }, panels);
    make("h4", {}, section, title);
    return make("div", { class: "words-of", "aria-hidden": "true" }, section);
  };
  const rejected = panel("Rejection: draw all letters, and throw away");
  const weighted = panel("Weighting: write what is known, and carry a weight");
  make("p", { class: "keys" }, root, "Slide, or ← →, through the letters. A struck word has died; the bar below a word is its weight.");

  const look = whereKernelRuns(model, root, [form], "type another pattern, and draw new words");

  // Words stay where they are; only their letters, and what `decorate` says of them, change.
  function fill(list, texts, step, decorate) {
    while (list.children.length > texts.length) list.lastChild.remove();
    texts.forEach((text, i) => {
      let word = list.children[i];
      if (!word) {
        word = make("span", { class: "word" }, list);
        make("span", { class: "text" }, word);
      }
      setText(word.firstChild, text.slice(0, step) + "·".repeat(text.length - step));
      decorate(word, i);
    });
  }
  function draw() {
    const step = model.get("_step"), died = model.get("_died"), weights = model.get("_weights")[step] ?? [];
    if (document.activeElement !== input && root.getRootNode().activeElement !== input) input.value = model.get("_pattern");
    notice.textContent = model.get("_notice");
    look();
    range.max = model.get("_shown").length;
    range.value = step;
    const said = model.get("_words")[step] ?? "";
    setText(words, said);
    range.setAttribute("aria-valuetext", said);
    const most = Math.max(...weights, 1e-300);
    fill(rejected, model.get("_rejected"), step, (word, i) => {
      const dead = died[i] > 0 && died[i] <= step;
      word.classList.toggle("dead", dead);
      word.dataset.mark = `${dead ? "dead" : "alive"} ${i}`;
    });
    fill(weighted, model.get("_weighted"), step, (word, i) => {
      const bar = word.children[1] ?? make("span", { class: "bar" }, word);
      bar.style.width = `${(100 * (weights[i] ?? 0)) / most}%`;
      word.dataset.mark = `weight ${i} ${fixed((weights[i] ?? 0) / most, 3)}`;
    });
  }
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    model.set("_pattern", input.value.trim().toLowerCase());
    model.set("_draws", model.get("_draws") + 1);
    model.save_changes();
  });
  const write = writer(model);
  range.addEventListener("input", () => write("_step", Number(range.value)));
  draw();
  return follow(model, ["_words", "_notice", "_shown"], ["_step"], draw);
}

export default live(render);
