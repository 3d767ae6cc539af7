// Draws the page's diagrams in the page's theme, and again when the reader chooses another.
const sources = new Map([...document.querySelectorAll("pre.mermaid")].map((place) => [place, place.textContent]));

// The colors are those of all pictures here (figures/palette.py), as the style sheet has them for this theme.
function looks(place) {
  const style = getComputedStyle(place), color = (role) => style.getPropertyValue(`--${role}`).trim();
  return {
    fontFamily: style.getPropertyValue("--pst-font-family-base") || "sans-serif", fontSize: "15px",
    background: color("page"), primaryColor: color("panel"), primaryBorderColor: color("rim"), primaryTextColor: color("ink"),
    secondaryColor: color("panel"), tertiaryColor: color("page"), lineColor: color("quiet"), textColor: color("ink"),
    nodeTextColor: color("ink"), titleColor: color("ink"), clusterBkg: color("page"), clusterBorder: color("wire"), edgeLabelBackground: color("page"),
  };
}

async function drawDiagrams() {
  const places = [...sources.keys()];
  mermaid.initialize({ startOnLoad: false, theme: "base", themeVariables: looks(places[0]) });
  for (const [place, source] of sources) {
    place.textContent = source;
    delete place.dataset.processed;
  }
  await mermaid.run({ nodes: places });
}

let drawing = Promise.resolve(); // one after the other: the theme says itself a moment after the page is there
const draw = () => { drawing = drawing.then(drawDiagrams); };
draw();
new MutationObserver(draw).observe(document.documentElement, { attributeFilter: ["data-theme"] });
