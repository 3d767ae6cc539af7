// Draws the page's formulas: a div stands alone, a span in its line. What KaTeX cannot read stays TeX.
for (const place of document.querySelectorAll(".formula"))
  katex.render(place.textContent, place, { displayMode: place.localName === "div", throwOnError: true });
