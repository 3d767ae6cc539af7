// A prediction: radio buttons, a button that commits, and then what the kernel says is true.

function render({ model, el }) {
  const root = make("form", { class: "prediction", "data-lm-suppress-shortcuts": "true" }, el);
  const fieldset = make("fieldset", {}, root);
  make("legend", {}, fieldset, model.get("_question"));
  const name = newId("prediction");
  const rows = model.get("_choices").map((choice, place) => {
    const row = make("label", { class: "choice" }, fieldset);
    const input = make("input", { type: "radio", name, value: place }, row);
    make("span", {}, row, choice);
    const mark = make("span", { class: "mark" }, row);
    return { row, input, mark };
  });
  const commit = make("button", { type: "submit" }, root, "Commit, and see");
  const result = make("div", { role: "status", "aria-live": "polite" }, root);
  const say = headlineIn(result);
  const why = make("p", { class: "why" }, result);
  const headline = result.querySelector(".headline");

  const selected = () => rows.findIndex(({ input }) => input.checked);

  function draw() {
    const choice = model.get("_choice"), [kind, verdict, explanation, right] = model.get("_told");
    const committed = choice >= 0;
    rows.forEach(({ row, input, mark }, place) => {
      if (committed) input.checked = place === choice;
      input.disabled = committed;
      const notes = [...(committed && place === choice ? ["your choice"] : []), ...(place === right ? ["true"] : [])];
      mark.textContent = notes.length ? `(${notes.join(", ")})` : "";
      row.dataset.kind = place === right ? "good" : "";
      row.dataset.mark = ["choice", place, ...(place === choice ? ["yours"] : []), ...(place === right ? ["true"] : [])].join(" ");
    });
    commit.hidden = committed;
    commit.disabled = selected() < 0;
    headline.hidden = !committed;
    if (verdict) say(kind, verdict);
    else if (committed) say("waiting", "Chosen. The answer comes from the notebook's kernel.");
    why.textContent = explanation ?? "";
    why.hidden = !explanation;
  }
  root.addEventListener("change", draw);
  root.addEventListener("submit", (event) => {
    event.preventDefault();
    if (selected() < 0 || model.get("_choice") >= 0) return;
    model.set("_choice", selected());
    model.save_changes();
    draw();
    result.focus();
  });
  result.tabIndex = -1; // the button that had the focus is gone
  draw();
  return follow(model, ["_choice", "_told"], [], draw);
}

export default live(render);
