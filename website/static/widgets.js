// Draws the page's widgets. website/building.py puts figures/page.js, which has showWidget, before.

// A kernel's recorded answers: for every order what the lesson's functions drew, draw after draw.
function recordedKernel(answers) {
  let order = Object.keys(answers)[0], draw = 0;
  return async ({ _request: asked }) => {
    if (!asked) return {};
    if (asked.order) order = asked.order;
    else draw += 1;
    return answers[order][draw % answers[order].length];
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
