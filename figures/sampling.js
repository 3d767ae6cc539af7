// The sampling player: images appear number by number. Everything to be played is here already.

const SIDE = 240; // of the large picture, in its own units
const LEFT = 18; // of the bars, for the scale
const FRAMES_A_SECOND = 12;

// The Python module writes numbers and says words in the same way; a test holds the two together.

function filmOf(model) {
  const [count, height, width, colors, levels] = ["_count", "_height", "_width", "_colors", "_levels"].map((t) => model.get(t));
  const n = height * width * colors, turns = model.get("_turns"), given = model.get("_given");
  const images = model.get("_images"), chances = model.get("_chances");
  const level = (image, number) => images.getUint8(image * n + number);
  const known = Boolean(chances && chances.byteLength);
  const chance = (image, number, l) => chances.getFloat32(4 * ((image * n + number) * levels + l), true);
  const title = (number) => {
    const pixel = Math.floor(number / colors);
    return `${colors > 1 ? `${"RGB"[number % colors]} of ` : ""}row ${Math.floor(pixel / width) + 1}, column ${(pixel % width) + 1}`;
  };
  function inWords(step, image) {
    const head = `Image ${image + 1}, step ${step} of ${n}: `;
    if (step === given) return `${head}${step ? `${step} given numbers` : "nothing"}, nothing drawn yet.`;
    const number = turns[step - 1];
    let said = `${head}${title(number)} becomes level ${level(image, number)}`;
    if (!known) return `${said}.`;
    let nats = 0;
    for (const t of turns.slice(given, step)) nats -= Math.log(chance(image, t, level(image, t)));
    said += `, which had probability ${fixed(chance(image, number, level(image, number)), 3)}. So far ${fixed(nats, 2)} nats.`;
    if (step === n) said += ` All is drawn: ${fixed(nats / Math.LN2 / (n - given), 3)} bits per dimension.`;
    return said;
  }
  const when = new Array(n); // the step after which a number is known
  turns.forEach((number, t) => { when[number] = t + 1; });
  return { count, height, width, colors, levels, n, turns, given, level, chance, known, title, inWords, when };
}

function render({ model, el }) {
  const root = make("div", { class: "sampling-player" }, el);
  const notice = make("p", { class: "notice" }, root);
  const body = make("div", {}, root);
  const keysId = newId("sampling-keys");
  const stage = make("div", { class: "stage", tabindex: "0", role: "slider", "aria-label": "Step of the drawing",
    "aria-describedby": keysId, "data-lm-suppress-shortcuts": "true" }, body);
  const large = make("div", { class: "large" }, stage);
  const beside = make("div", { class: "beside" }, stage);
  const barsTitle = make("p", { class: "title" }, beside);
  const bars = make("svg", { class: "bars", viewBox: "0 0 320 124", "aria-hidden": "true" }, beside);
  make("p", { class: "title" }, body, "All images at this step");
  const strip = make("div", { class: "strip", role: "group", "aria-label": "Images" }, body);
  const controls = make("div", { class: "controls" }, body);
  const quiet = { type: "button", "data-lm-suppress-shortcuts": "true" };
  const back = make("button", quiet, controls, "◀ Step");
  const play = make("button", { ...quiet, class: "play" }, controls, "▶ Play");
  const ahead = make("button", quiet, controls, "Step ▶");
  const range = make("input", { type: "range", step: "1", "aria-label": "Step", "data-lm-suppress-shortcuts": "true" }, controls);
  const readout = make("div", { class: "readout" }, body);
  const words = make("p", { class: "words", role: "status", "aria-live": "polite" }, readout);
  make("p", { class: "keys", id: keysId }, body,
    "Space: play or pause. Left and right: one step. Up and down: one row. Home, End: first and last step. 1 … 9: another image.");

  let film = null, pictures = [], timer = null;
  const step = () => model.get("_step"), image = () => model.get("_image");

  const write = writer(model);
  function go(to) {
    write("_step", Math.min(film.n, Math.max(film.given, to)));
  }
  function stop() {
    if (timer === null) return;
    clearInterval(timer);
    timer = null;
    play.textContent = "▶ Play";
    play.setAttribute("aria-label", "Play");
    words.setAttribute("aria-live", "polite");
    model.save_changes();
  }
  function start() {
    if (isCalm()) { go(film.n); return; }
    if (step() >= film.n) go(film.given);
    play.textContent = "❚❚ Pause";
    play.setAttribute("aria-label", "Pause");
    words.setAttribute("aria-live", "off"); // or a screen reader would read every frame
    const stride = Math.max(1, Math.round(film.n / 200));
    timer = setInterval(() => {
      if (!root.isConnected) { clearInterval(timer); return; }
      model.set("_step", Math.min(film.n, step() + stride)); // sent to the kernel when it stops
      if (step() >= film.n) stop();
    }, 1000 / FRAMES_A_SECOND);
  }
  const toggle = () => (timer === null ? start() : stop());

  play.addEventListener("click", toggle);
  back.addEventListener("click", () => { stop(); go(step() - 1); });
  ahead.addEventListener("click", () => { stop(); go(step() + 1); });
  range.addEventListener("input", () => { stop(); go(Number(range.value)); });
  stage.addEventListener("keydown", (event) => {
    if (!film || isPages(event)) return;
    const row = film.width * film.colors, at = step();
    const to = { ArrowLeft: at - 1, ArrowRight: at + 1, ArrowUp: at - row, ArrowDown: at + row, Home: film.given, End: film.n }[event.key];
    const other = /^[1-9]$/.test(event.key) ? Number(event.key) - 1 : null;
    if (to === undefined && event.key !== " " && other === null) return;
    event.preventDefault();
    event.stopPropagation();
    if (event.key === " ") { toggle(); return; }
    if (other !== null) { if (other < film.count) write("_image", other); return; }
    stop();
    go(to);
  });

  // -------------------------------------------------------------------------------------- pictures

  class Picture {
    constructor(parent, index) {
      this.index = index;
      const { height, width, colors } = film;
      this.cell = SIDE / Math.max(height, width);
      this.svg = make("svg", { viewBox: `-2 -2 ${width * this.cell + 4} ${height * this.cell + 4}`, "aria-hidden": "true" }, parent);
      make("rect", { class: `ground${colors > 1 ? " colored" : ""}`, x: 0, y: 0, width: width * this.cell, height: height * this.cell }, this.svg);
      this.cells = Array.from({ length: height * width }, (_, pixel) => {
        const x = (pixel % width) * this.cell, y = Math.floor(pixel / width) * this.cell;
        const dot = make("circle", { class: "empty", cx: x + this.cell / 2, cy: y + this.cell / 2, r: this.cell * 0.07 }, this.svg);
        return [make("rect", { class: "pixel", x, y, width: this.cell * 1.01, height: this.cell * 1.01 }, this.svg), dot];
      });
      this.shown = -1;
    }
    draw(at) {
      const { colors, levels, when, level } = film, most = levels - 1;
      this.cells.forEach(([rect, dot], pixel) => {
        const last = Math.max(...Array.from({ length: colors }, (_, k) => when[pixel * colors + k]));
        const first = Math.min(...Array.from({ length: colors }, (_, k) => when[pixel * colors + k]));
        if (this.shown >= 0 && this.index === this.was && (Math.max(at, this.shown) < first || Math.min(at, this.shown) >= last)) return;
        const drawn = at >= first;
        dot.style.display = drawn ? "none" : "";
        rect.setAttribute("class", drawn ? "pixel drawn" : "pixel");
        delete rect.dataset.mark;
        const ink = level(this.index, pixel * colors) / most;
        if (drawn && this.button) rect.dataset.mark = `image ${this.index} ${pixel} ${fixed(ink, 2)}`;
        if (!drawn) { rect.removeAttribute("style"); rect.removeAttribute("fill-opacity"); return; }
        if (colors === 1) rect.setAttribute("fill-opacity", (level(this.index, pixel) / most).toFixed(3));
        else {
          const rgb = Array.from({ length: 3 }, (_, k) => {
            const number = pixel * colors + k;
            return at >= when[number] ? Math.round((255 * level(this.index, number)) / most) : 0;
          });
          rect.style.fill = `rgb(${rgb.join(",")})`;
        }
      });
      this.shown = at;
      this.was = this.index;
    }
  }

  function build() {
    large.replaceChildren();
    strip.replaceChildren();
    pictures = [];
    if (!film) return;
    const main = new Picture(large, image());
    main.frame = make("rect", { class: "frame", width: main.cell, height: main.cell }, main.svg);
    pictures.push(main);
    for (let k = 0; k < film.count; k++) {
      const button = make("button", { type: "button", class: "thumb", "aria-label": `Image ${k + 1}`, "data-lm-suppress-shortcuts": "true" }, strip);
      button.addEventListener("click", () => write("_image", k));
      const picture = new Picture(button, k);
      picture.button = button;
      pictures.push(picture);
    }
    range.min = String(film.given);
    range.max = String(film.n);
  }

  function drawBars(number, at) {
    anew(bars);
    const shown = film.known && at > film.given;
    bars.style.display = film.known ? "" : "none";
    barsTitle.hidden = !film.known;
    setText(barsTitle, shown ? `Probability of each of ${film.levels} levels (▲: drawn)` : `Each number has a distribution over ${film.levels} levels`);
    for (const [p, label] of [[1, "1"], [0.5, "½"], [0, "0"]]) {
      make("line", { class: p ? "grid" : "axis", x1: LEFT, x2: 320, y1: 98 - 90 * p, y2: 98 - 90 * p }, bars);
      make("text", { class: "tick", x: LEFT - 5, y: 102 - 90 * p }, bars, label);
    }
    if (!shown) return;
    const w = (320 - LEFT) / film.levels, got = film.level(image(), number);
    for (let l = 0; l < film.levels; l++) {
      const p = film.chance(image(), number, l), x = LEFT + (l + 0.08) * w;
      make("rect", { class: `bar${l === got ? " drawn" : ""}`, x, width: 0.84 * w, y: 98 - 90 * p, height: 90 * p }, bars);
      const share = l / (film.levels - 1);
      const rgb = [0, 1, 2].map((k) => (k === number % film.colors ? Math.round(255 * share) : 0)).join(",");
      make("rect", { class: "shade", x, width: 0.84 * w, y: 101, height: 9,
        ...(film.colors === 1 ? { "fill-opacity": share.toFixed(3) } : { style: `fill:rgb(${rgb})` }) }, bars);
    }
    const x = LEFT + (got + 0.5) * w;
    make("path", { class: "marker", d: `M${x} 112L${x + 5} 121L${x - 5} 121Z` }, bars);
  }

  function draw() {
    const waiting = model.get("_notice");
    setText(notice, waiting);
    notice.hidden = !waiting;
    body.hidden = Boolean(waiting) || !film;
    if (body.hidden) { if (timer !== null) stop(); return; }
    const at = step(), [main] = pictures, number = at > film.given ? film.turns[at - 1] : -1;
    main.index = image();
    for (const picture of pictures) picture.draw(at);
    for (const { button, index } of pictures.slice(1)) button.setAttribute("aria-pressed", String(index === image()));
    main.frame.style.display = number < 0 ? "none" : "";
    if (number >= 0) {
      const pixel = Math.floor(number / film.colors);
      main.frame.setAttribute("x", String((pixel % film.width) * main.cell));
      main.frame.setAttribute("y", String(Math.floor(pixel / film.width) * main.cell));
    }
    drawBars(number, at);
    const said = film.inWords(at, image());
    setText(words, said);
    range.value = String(at);
    range.setAttribute("aria-valuetext", `${at} of ${film.n}`);
    sliderSays(stage, at, film.given, film.n, said);
    back.disabled = at <= film.given;
    ahead.disabled = at >= film.n;
  }

  // A kernel may send what is here already: then nothing is built anew.
  let built = null;
  function setUp() {
    const bytes = [model.get("_images"), model.get("_chances")].map((view) =>
      view?.byteLength ? Array.from(new Uint8Array(view.buffer, view.byteOffset, view.byteLength)).join() : "");
    const now = JSON.stringify([...["_count", "_height", "_width", "_colors", "_levels", "_turns", "_given"].map((t) => model.get(t)), bytes]);
    if (now === built) return;
    built = now;
    film = model.get("_count") ? filmOf(model) : null;
    build();
  }
  const unfollow = follow(model,
    ["_count", "_height", "_width", "_colors", "_levels", "_turns", "_given", "_images", "_chances", "_notice"],
    ["_step", "_image"], (isNew) => {
      if (isNew) setUp();
      draw();
    });
  setUp();
  draw();
  return () => {
    clearInterval(timer);
    unfollow();
  };
}

export default live(render);
