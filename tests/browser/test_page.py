"""A self-contained page runs a widget's module on the widget's own traits, with no server."""

from collections.abc import Callable

import anywidget
import numpy as np
import traitlets
from playwright.sync_api import expect

ESM = """
function render({ model, el }) {
  const button = document.createElement("button");
  const say = () => {
    const bytes = model.get("numbers"), floats = new Float32Array(bytes.buffer, bytes.byteOffset);
    button.textContent = `${model.get("text")}|${[...floats]}|${model.get("count")}`;
  };
  model.on("change:count", say);
  button.addEventListener("click", () => {
    model.set("count", model.get("count") + 1);
    model.save_changes();
  });
  say();
  el.append(button);
}
export default { render };
"""


class Counter(anywidget.AnyWidget):
    _esm = ESM
    _css = "button { color: rgb(1, 2, 3); }"
    text = traitlets.Unicode("</script><!-- __STATE__ “ü”").tag(sync=True)
    numbers = traitlets.Bytes(np.array([0.5, -2.0], dtype=np.float32).tobytes()).tag(sync=True)
    count = traitlets.Int(0).tag(sync=True)


def test_traits_arrive_as_they_are_and_change_in_the_page(show: Callable) -> None:
    page = show(Counter())
    button = page.get_by_role("button")
    expect(button).to_have_text("</script><!-- __STATE__ “ü”|0.5,-2|0")
    expect(button).to_have_css("color", "rgb(1, 2, 3)")
    button.click()
    expect(button).to_have_text("</script><!-- __STATE__ “ü”|0.5,-2|1")


def test_with_a_kernel_what_python_answers_comes_back(show: Callable) -> None:
    counter = Counter()

    def answer(change: dict) -> None:
        counter.text = f"Python saw {change['new']}"

    counter.observe(answer, "count")
    page = show(counter, kernel=True)
    page.get_by_role("button").click()
    expect(page.get_by_role("button")).to_have_text("Python saw 1|0.5,-2|1")
    assert counter.count == 1


def test_a_page_asks_no_other_address_for_anything(show: Callable) -> None:
    page = show(Counter())
    loaded = page.evaluate("performance.getEntriesByType('resource').map((r) => r.name)")
    assert all(name.startswith("blob:") for name in loaded)
