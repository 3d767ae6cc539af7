// Draws the page's widgets. website/building.py puts figures/page.js, which has showWidget, before.

// A kernel's recorded answers (website/recording.py): to each choice of a prediction, and for every
// order what the lesson's functions drew, draw after draw.
function recordedKernel({ choices, orders }) {
  let order = Object.keys(orders ?? {})[0], draw = 0;
  return async ({ _choice: choice, _request: asked }) => {
    if (choices) return choices[choice] ?? {};
    if (!asked) return {};
    if (asked.order) order = asked.order;
    else draw += 1;
    return orders[order][draw % orders[order].length];
  };
}

async function drawWidget(place) {
  const data = (selector) => JSON.parse(document.querySelector(selector)?.textContent ?? "null");
  const after = (name) => {
    for (let next = place.nextElementSibling; next?.localName === "script"; next = next.nextElementSibling)
      if (next.className === name) return JSON.parse(next.textContent);
    return null;
  };
  const answers = after("answers"), fresh = document.createElement("div");
  const kernel = answers && recordedKernel(answers);
  place.append(fresh);
  await showWidget(fresh, data(`#module-${place.dataset.module}`), after("state"), kernel);
  place.querySelector(".said")?.remove(); // the words stay where a module cannot be drawn
  place.dataset.painted = "true";
}

for (const place of document.querySelectorAll(".live-widget")) drawWidget(place);
