// Draws the page's diagrams in the page's theme, and again when the reader chooses another.
const sources = new Map([...document.querySelectorAll("pre.mermaid")].map((place) => [place, place.textContent]));

async function drawDiagrams() {
  const dark = document.documentElement.dataset.theme === "dark";
  mermaid.initialize({ startOnLoad: false, theme: dark ? "dark" : "neutral" });
  for (const [place, source] of sources) {
    place.textContent = source;
    delete place.dataset.processed;
  }
  await mermaid.run({ nodes: [...sources.keys()] });
}

let drawing = Promise.resolve(); // one after the other: the theme says itself a moment after the page is there
const draw = () => { drawing = drawing.then(drawDiagrams); };
draw();
new MutationObserver(draw).observe(document.documentElement, { attributeFilter: ["data-theme"] });
