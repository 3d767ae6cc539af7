// The growth of parameters: curves on logarithmic axes, read off at a cursor that the pointer or the
// arrow keys move. All numbers come from the student's functions; nothing is counted here.

const WIDTH = 700, HEIGHT = 322, LEFT = 52, RIGHT = 74, TOP = 14, BOTTOM = 30;
const DECADES = 8; // the table leaves the picture at 10^8, when n is 27

const grouped = (count) => count.toLocaleString("en-US");

function render({ model, el }) {
  const id = newId("parameter-growth");
  const quiet = { "data-lm-suppress-shortcuts": "true" };
  const root = make("div", { class: "parameter-growth", ...quiet }, el);
  const headline = make("p", { class: "headline", role: "status", "aria-live": "polite" }, root);
  const plot = make("div", {
    class: "plot", tabindex: "0", role: "slider", "aria-label": "Number of variables n",
    "aria-describedby": `${id}-keys`, "aria-valuemin": "1", "aria-valuenow": "1", ...quiet,
  }, root);
  const svg = make("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, "aria-hidden": "true", focusable: "false" }, plot);
  make("p", { class: "axis", "aria-hidden": "true" }, plot, "variables n (bits)");
  const readout = make("div", { class: "readout" }, root);
  const words = make("p", { class: "words", role: "status", "aria-live": "polite" }, readout);
  const controls = make("div", { class: "controls" }, root);
  const label = make("label", {}, controls, "Hidden units h ");
  const hidden = make("select", quiet, label);
  make("p", { class: "keys", id: `${id}-keys` }, controls, "Point at the plot, or move along n with ← → (Home, End: the ends; C: the crossing).");
  const notices = make("p", { class: "notices" }, root);

  const most = () => model.get("_most");
  const x = (n) => LEFT + ((WIDTH - LEFT - RIGHT) * Math.log(n)) / Math.log(most());
  const y = (log) => HEIGHT - BOTTOM - ((HEIGHT - TOP - BOTTOM) * log) / DECADES;
  const h = () => model.get("_hidden");
  const grid = () => model.get("_grid")[h()];
  const points = (name) => {
    const byHidden = model.get("_series")[name]; // none where a lesson does not ask for the count
    return byHidden?.[""] ?? byHidden?.[h()] ?? [];
  };
  const names = () => Object.keys(model.get("_series"));

  let rest = 784, over = null, cursor = null;
  const current = () => {
    const wanted = over ?? rest;
    return grid().reduce((best, n) => (Math.abs(Math.log(n / wanted)) < Math.abs(Math.log(best / wanted)) ? n : best));
  };

  function headlineInWords() {
    if (!points("FVSBN").length || !points("NADE").length) return "How many numbers for n bits?";
    const at = model.get("_crossover")[h()];
    return at ? `With h = ${h()}, FVSBN has more parameters than NADE from n = ${grouped(at)} on.`
      : `With h = ${h()}, FVSBN does not overtake NADE up to n = ${grouped(most())}.`;
  }
  function atInWords(n) {
    const said = names().flatMap((name) => points(name).filter(([at]) => at === n).map(([, , text]) => `${name} ${text}`));
    return said.length ? `n = ${grouped(n)}: ${said.join(", ")}.` : `n = ${grouped(n)}: nothing to show yet.`;
  }

  function drawAxes() {
    for (let decade = 0; decade <= DECADES; decade++) {
      make("line", { class: "grid", x1: LEFT, x2: WIDTH - RIGHT, y1: y(decade), y2: y(decade) }, svg);
      const tick = make("text", { class: "tick", x: LEFT - 8, y: y(decade) + 4, "text-anchor": "end" }, svg, decade < 2 ? String(10 ** decade) : "10");
      if (decade > 1) make("tspan", { class: "up", dy: -5 }, tick, decade);
    }
    for (const n of [1, 10, 100, 784, most()]) {
      make("line", { class: "grid", x1: x(n), x2: x(n), y1: TOP, y2: HEIGHT - BOTTOM }, svg);
      make("text", { class: "tick", x: x(n), y: HEIGHT - BOTTOM + 3, dy: "1em", "text-anchor": "middle" }, svg, grouped(n));
    }
    make("text", { x: LEFT + 6, y: TOP + 10 }, svg, "free numbers");
  }

  function drawCurves() {
    const clip = make("clipPath", { id: `${id}-clip` }, make("defs", {}, svg));
    make("rect", { x: LEFT, y: TOP, width: WIDTH - LEFT - RIGHT, height: HEIGHT - TOP - BOTTOM }, clip);
    const ends = [];
    for (const name of names()) {
      const line = points(name);
      if (!line.length) continue;
      const d = line.map(([n, log], i) => `${i ? "L" : "M"}${x(n).toFixed(2)} ${y(Math.min(log, 3 * DECADES)).toFixed(2)}`).join("");
      make("path", { class: `curve ${name}`, "data-mark": `${name} ${line.length} ${line.at(-1)[2]}`, d, "clip-path": `url(#${id}-clip)` }, svg);
      const inside = line.filter(([, log]) => log <= DECADES);
      const [n, log] = inside.at(-1) ?? line[0];
      if (name === "table") make("text", { class: `name ${name}`, x: x(n) + 22, y: TOP + 26 }, svg, "table");
      else ends.push({ name, x: x(n) + 7, y: y(log) + 4 });
    }
    // Names at the ends of their curves, pushed apart where they would overlap.
    const line = 15 * grown(svg);
    ends.sort((a, b) => a.y - b.y);
    ends.forEach((end, i) => {
      const above = ends[i - 1];
      if (above && end.y - above.y < line && Math.abs(end.x - above.x) < 4 * line) end.y = above.y + line;
      make("text", { class: `name ${end.name}`, x: end.x, y: end.y }, svg, end.name);
    });
    const at = model.get("_crossover")[h()];
    const found = at && points("FVSBN").find(([n]) => n === at);
    if (found) {
      const mark = make("g", { class: "crossing" }, svg);
      make("circle", { cx: x(at), cy: y(found[1]), r: 7 }, mark);
      make("text", { x: x(at) - 12, y: y(found[1]) - 10, "text-anchor": "end" }, mark, `n = ${grouped(at)}`);
    }
  }

  function drawCursor() {
    cursor?.remove();
    const n = current();
    cursor = make("g", {}, svg);
    make("line", { class: "cursor", x1: x(n), x2: x(n), y1: TOP, y2: HEIGHT - BOTTOM }, cursor);
    for (const name of names())
      for (const [at, log] of points(name))
        if (at === n && log <= DECADES) make("circle", { class: "dot", cx: x(n), cy: y(log), r: 4 }, cursor);
    words.textContent = atInWords(n);
    plot.setAttribute("aria-valuemax", most());
    plot.setAttribute("aria-valuenow", n);
    plot.setAttribute("aria-valuetext", atInWords(n));
  }

  function draw() {
    headline.textContent = headlineInWords();
    hidden.replaceChildren();
    for (const each of Object.keys(model.get("_grid"))) make("option", { value: each }, hidden, each);
    hidden.value = h();
    label.hidden = !names().some((name) => ["NADE", "MADE"].includes(name));
    notices.textContent = model.get("_notices").join(" ");
    notices.hidden = !model.get("_notices").length;
    svg.replaceChildren();
    cursor = null;
    drawAxes();
    drawCurves();
    drawCursor();
  }

  plot.addEventListener("pointermove", (event) => {
    const box = svg.getBoundingClientRect();
    const at = ((event.clientX - box.left) / box.width) * WIDTH;
    over = Math.exp(((at - LEFT) / (WIDTH - LEFT - RIGHT)) * Math.log(most()));
    over = Math.max(1, Math.min(most(), over));
    drawCursor();
  });
  plot.addEventListener("pointerleave", () => { over = null; drawCursor(); });
  plot.addEventListener("click", () => { rest = current(); drawCursor(); });
  plot.addEventListener("keydown", (event) => {
    if (isPages(event)) return;
    const all = grid(), at = all.indexOf(current()), crossing = model.get("_crossover")[h()];
    const to = { ArrowLeft: at - 1, ArrowDown: at - 1, ArrowRight: at + 1, ArrowUp: at + 1, Home: 0, End: all.length - 1,
      c: all.indexOf(crossing), C: all.indexOf(crossing) }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    over = null;
    rest = all[Math.max(0, Math.min(all.length - 1, to))];
    drawCursor();
  });
  hidden.addEventListener("change", () => {
    model.set("_hidden", hidden.value);
    model.save_changes();
  });

  const traits = ["_series", "_grid", "_crossover", "_hidden", "_notices"];
  draw();
  return follow(model, traits, [], draw);
}

export default live(render);
