// What a reader would see amiss in an element of the page: a function of [selector, smallest letters
// in pixels] that returns sentences, and changes nothing. tests/browser/seen.py says what it looks for.
async ([within, smallest]) => {
  const faults = [], quote = (text) => `“${text.replace(/\s+/g, " ").trim().slice(0, 40)}”`;
  const area = document.querySelector(within);
  if (!area) return [`nothing on the page is ${within}`];

  const hidden = (element) => {
    for (let one = element; one && one !== document.body; one = one.parentElement) {
      const { clipPath, clip } = getComputedStyle(one);
      if (clipPath.startsWith("inset(50%") || clip.startsWith("rect(0") || clip.startsWith("rect(1px")) return true;
    }
    return !element.checkVisibility({ opacityProperty: true, visibilityProperty: true });
  };

  // Every line of text that is seen, with its letters' size on the screen.
  const lines = [];
  const walk = document.createTreeWalker(area, NodeFilter.SHOW_TEXT);
  for (let node = walk.nextNode(); node; node = walk.nextNode()) {
    const element = node.parentElement;
    if (!node.data.trim() || ["STYLE", "SCRIPT", "TITLE", "OPTION"].includes(element.tagName.toUpperCase()) || hidden(element)) continue;
    const widget = element.closest("[data-live-view] > *");
    const svg = element.ownerSVGElement;
    let size = parseFloat(getComputedStyle(element).fontSize);
    if (svg) {
      const m = element.getScreenCTM();
      size *= Math.sqrt(Math.abs(m.a * m.d - m.b * m.c));
    }
    const range = document.createRange();
    range.selectNodeContents(node);
    for (const box of svg && !element.children.length ? [element.getBoundingClientRect()] : range.getClientRects())
      if (box.width > 0.5 && box.height > 0.5) lines.push({ text: node.data, element, widget, size, box });
  }

  const small = new Map();
  for (const { text, size } of lines)
    if (size < smallest - 0.05) small.set(size.toFixed(1), text);
  for (const [size, text] of small) faults.push(`letters of ${size} px: ${quote(text)}`);

  const byWidget = Map.groupBy(lines.filter(({ widget }) => widget), ({ widget }) => widget);
  for (const [widget, own] of byWidget) {
    const frame = widget.getBoundingClientRect();
    for (const { text, box } of own)
      if (box.left < frame.left - 1 || box.right > frame.right + 1) faults.push(`text leaves its widget: ${quote(text)}`);
    if (widget.scrollWidth > widget.clientWidth + 1) faults.push(`${widget.className} is wider than its place by ${widget.scrollWidth - widget.clientWidth} px`);
    const inner = ({ box }) => [box.left, box.top + 0.2 * box.height, box.right, box.bottom - 0.2 * box.height];
    own.sort((a, b) => a.box.top - b.box.top);
    let told = 0;
    for (let i = 0; i < own.length; i++)
      for (let j = i + 1; j < own.length && own[j].box.top < own[i].box.bottom; j++) {
        if (own[i].element === own[j].element) continue;
        const [a, b] = [inner(own[i]), inner(own[j])];
        const across = Math.min(a[2], b[2]) - Math.max(a[0], b[0]), down = Math.min(a[3], b[3]) - Math.max(a[1], b[1]);
        if (across > 1 && down > 1 && told++ < 8) faults.push(`${quote(own[i].text)} lies on ${quote(own[j].text)}`);
      }
  }

  // Pictures: each once, and their letters too.
  const painted = [...area.querySelectorAll("img")].filter((image) => !hidden(image) && image.getBoundingClientRect().height > 20)
    .map((image) => {
      const { content } = getComputedStyle(image);
      return [image, content.startsWith("url(") ? content.slice(5, -2) : image.src];
    });
  const { jpThemeLight } = document.body.dataset;
  const isDark = jpThemeLight ? jpThemeLight === "false" : matchMedia("(prefers-color-scheme: dark)").matches;
  const isWhite = async (source) => { // at all its corners
    const image = new Image(), canvas = document.createElement("canvas"), paper = canvas.getContext("2d");
    image.src = source;
    await image.decode();
    [canvas.width, canvas.height] = [image.naturalWidth, image.naturalHeight];
    paper.drawImage(image, 0, 0);
    const corners = [0, canvas.width - 1].flatMap((x) => [0, canvas.height - 1].map((y) => [x, y]));
    return corners.every(([x, y]) => paper.getImageData(x, y, 1, 1).data.every((part) => part > 230));
  };
  const sources = painted.map(([, source]) => source);
  if (new Set(sources).size < sources.length) faults.push("a picture is seen twice");
  for (const [image, source] of painted) {
    const { width } = image.getBoundingClientRect();
    if (!source.startsWith("data:image/svg+xml;base64,")) {
      const own = Number(image.getAttribute("width")) || image.naturalWidth;
      if (isDark && await isWhite(source)) faults.push("a white picture on a dark page");
      if (width < 0.8 * own) faults.push(`a picture made for ${own} px is shown at ${Math.round(width)} px`);
      continue;
    }
    const text = new TextDecoder().decode(Uint8Array.from(atob(source.split(",")[1]), (c) => c.charCodeAt(0)));
    const svg = new DOMParser().parseFromString(text, "image/svg+xml").documentElement;
    const scale = width / svg.viewBox.baseVal.width;
    const sizes = new Map();
    for (const words of svg.querySelectorAll("text")) {
      let one = words, size = null;
      while (one && size === null) {
        const said = one.getAttribute("font-size") ?? (one.getAttribute("style") ?? "").match(/font(?:-size)?:[^;]*?([\d.]+)px/)?.[1];
        size = said ? parseFloat(said) : null;
        one = one.parentElement;
      }
      const moved = [...(words.getAttribute("transform") ?? "").matchAll(/scale\(([\d.]+)/g)].map((m) => Number(m[1]));
      if (size) sizes.set(size * scale * (moved[0] ?? 1), words.textContent);
    }
    const least = Math.min(...sizes.keys());
    if (least < smallest - 0.05) faults.push(`letters of ${least.toFixed(1)} px in a picture: ${quote(sizes.get(least))}`);
  }
  for (const view of area.querySelectorAll("[data-saved-view]")) {
    const live = document.querySelector(`[data-live-view="${view.dataset.savedView}"]`);
    if (live && !hidden(view)) faults.push("a widget's saved view is seen beside the live one");
  }

  const said = area.innerText ?? "";
  if (said.includes("Error displaying widget")) faults.push("Error displaying widget");
  for (const pre of area.querySelectorAll("pre"))
    if (/(^|[\s:])0%\|/.test((pre.innerText ?? "").trim().split("\n").at(-1))) faults.push(`a bar stands at 0 %: ${quote(pre.innerText)}`);
  for (const output of area.querySelectorAll('[data-mime-type="application/vnd.jupyter.stderr"]'))
    if (!hidden(output)) faults.push(`written to stderr, which Lab paints red: ${quote(output.innerText)}`);
  return [...new Set(faults)];
}
