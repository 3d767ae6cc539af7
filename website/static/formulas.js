// Draws the page's formulas: a div stands alone, a span in its line. What KaTeX cannot read stays TeX.
for (const place of document.querySelectorAll(".formula"))
  katex.render(place.textContent, place, { displayMode: place.localName === "div", throwOnError: true });

// What is wider than its line can be moved, with keys as well.
const reachable = () => {
  for (const place of document.querySelectorAll("div.formula"))
    if (place.scrollWidth > place.clientWidth) place.setAttribute("tabindex", "0");
    else place.removeAttribute("tabindex");
};
document.fonts.ready.then(reachable); // before, a formula has another width
addEventListener("resize", reachable);
