"""A page's own styles do not reach into a widget: nbgrader brings Bootstrap into JupyterLab."""

from collections.abc import Callable

import anywidget
import pytest

from tests.browser import test_attention, test_next_token, test_receptive_field

# What every part of a widget looks like, and where it is.
LOOKS = """() => [...document.querySelectorAll("#widget > * *")].map((element) => {
  const { x, y, width, height } = element.getBoundingClientRect();
  const style = getComputedStyle(element);
  const { fontWeight, fontSize, color, backgroundColor } = style;
  const looks = [x, y, width, height, fontWeight, fontSize, color, backgroundColor];
  return [element.outerHTML.slice(0, 60), ...looks];
})"""
# Rules like Bootstrap's for .row, .label, .panel, dt and p, for every class and tag that is used.
INVADE = """() => {
  const names = new Set(), sheet = document.createElement("style");
  for (const part of document.querySelectorAll("#widget > * *")) {
    if (part.localName !== "div") names.add(part.localName); // the page has divs of its own
    for (const name of part.classList) names.add(`.${name}`);
  }
  sheet.textContent = [...names].map((name) => `
    ${name} { margin: 0 0 20px; padding: 3px 7px; float: left; font: 900 75% serif; }
    ${name} { color: red; background-color: red; }
    ${name}::before, ${name}::after { content: " "; display: table; }`).join("");
  document.head.append(sheet);
  return names.size;
}"""


def next_token() -> anywidget.AnyWidget:
    logits, labels = test_next_token.row()
    return test_next_token.NextToken.of(
        test_next_token.next_probs, logits, labels, texts=test_next_token.TEXTS
    )


def receptive_field() -> anywidget.AnyWidget:
    build, predict = {"plain": test_receptive_field.plain}, {"plain": test_receptive_field.field}
    return test_receptive_field.ReceptiveFieldExplorer.of_stacks(build, predict, side=7, depth=2)


@pytest.mark.parametrize("widget", [test_attention.explorer, next_token, receptive_field])
def test_rules_for_every_class_and_tag_change_nothing(show: Callable, widget: Callable) -> None:
    page = show(widget())
    before = page.evaluate(LOOKS)
    assert page.evaluate(INVADE) > 10
    assert page.evaluate(LOOKS) == before
