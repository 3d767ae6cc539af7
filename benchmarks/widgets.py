"""A key pressed until the picture is painted: every widget, and the same picture by `interact`.

Both sides run in one JupyterLab in one Chromium. The other side is what an author writes without a
widget: ipywidgets' `interact` and matplotlib inline, drawing what the widget's still picture draws.

A key is pressed at its event's own time stamp, which the browser writes when the system hands it
over. The widget is done when the last change of the page's elements is made; the picture is painted
at the first task after the frame that shows it, when style, layout and paint are over. Chromium
does not wait for a screen's 60 Hz, which would add up to 17 ms to both sides. The variable
WIDGETS=chain,codec measures these alone.
"""

from __future__ import annotations

import os
import re
import statistics
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from figures.drawing import MARGIN, Drawing
from figures.palette import LIGHT
from tests.browser.gallery import GALLERY, LARGEST

TITLE = "Widgets: a key pressed until the picture is painted"
PRESSES, SLOW_PRESSES = 60, 20
MOST, LEAST = 16, 20  # milliseconds asked for, and times as fast as `interact`
FORTH = ("ArrowRight", "ArrowDown")
UNBOUND = ["--disable-gpu-vsync", "--disable-frame-rate-limit"]

DISPLAYED = "from tests.browser.gallery import {gallery}\nshown = {gallery}[{name!r}]()\nshown"

# Where the keys go, two keys that go to and fro, and the trait that the reader moves.
PLACES: dict[str, tuple[str, str, str, str]] = {
    "arrow": (".maps", "ArrowRight", "ArrowLeft", "_column"),
    "attention": (".line", "ArrowLeft", "ArrowRight", "_place"),
    "attention_steps": (".body", "ArrowLeft", "ArrowRight", "_row"),
    "chain": (".chart", "ArrowRight", "ArrowLeft", ""),
    "codec": (".body", "ArrowRight", "ArrowLeft", "_step"),
    "completion": (".grids", "ArrowRight", "ArrowLeft", "_cursor"),
    "dag_editor": (".graph", "ArrowRight", "ArrowLeft", ""),
    "dependency": (".body", "ArrowLeft", "ArrowRight", "_output"),
    "dilation_tree": (".tree", "ArrowLeft", "ArrowRight", "_output"),
    "evidence": ("input[type=range]", "ArrowLeft", "ArrowRight", "_step"),
    "kl_explorer": ("input[type=range]", "ArrowRight", "ArrowLeft", ""),
    "mask_explorer": (".graph", "ArrowLeft", "ArrowRight", ""),
    "mixture_explorer": ("input[type=range]", "ArrowRight", "ArrowLeft", ""),
    "next_token": ("input[type=range]", "ArrowLeft", "ArrowRight", ""),
    "parameter_growth": (".plot", "ArrowLeft", "ArrowRight", ""),
    "predict": ("input[type=radio]", "ArrowDown", "ArrowUp", ""),
    "receptive_field": (".grids", "ArrowLeft", "ArrowRight", "_cursor"),
    "sampling": (".stage", "ArrowLeft", "ArrowRight", "_step"),
    "sharing": (".lanes", "ArrowLeft", "ArrowRight", "_step"),
    "table_size": ("input[type=range]", "ArrowRight", "ArrowLeft", "_bits"),
    "unrolled": ("svg[role=slider]", "ArrowRight", "ArrowLeft", "_place"),
}

# Sets window.painted to the milliseconds from the next key's own time stamp until the page's
# elements have changed (for `interact`, an image was set, and has its pixels), and until painted.
WATCH = """([element, image]) => {
  const isImage = (node) => node.matches?.(image) || Boolean(node.querySelector?.(image));
  window.painted = undefined;
  let pressed = null;
  const key = (event) => { pressed = event.timeStamp; };
  const seen = async (records) => {
    if (pressed === null) return;
    const set = (record) => (record.type === "attributes" ? record.target.matches(image)
      : [...record.addedNodes].some(isImage));
    if (image && !(records.some(set) && element.querySelector(image))) return;
    const began = pressed;
    end();
    if (image) await element.querySelector(image).decode();
    const drawn = performance.now() - began;
    requestAnimationFrame(() => {
      const { port1, port2 } = new MessageChannel();
      port1.onmessage = () => { window.painted = [drawn, performance.now() - began]; };
      port2.postMessage(null);
    });
  };
  const observer = new MutationObserver(seen);
  const end = () => { observer.disconnect(); removeEventListener("keydown", key, true); };
  addEventListener("keydown", key, true);
  const all = { subtree: true, childList: true, attributes: true, characterData: true };
  observer.observe(element, all);
}"""


def by_interact(name: str) -> None:
    """Displays a slider and, below it, the widget's still picture, drawn by matplotlib."""
    from ipywidgets import IntSlider, interact

    widget, (_, first, _, trait) = GALLERY[name](), PLACES[name]
    start = getattr(widget, trait) if trait else 1
    low = start if first in FORTH else start - 1

    def show(at: int) -> None:
        if trait:
            setattr(widget, trait, at)
        drawing = widget.picture()
        assert drawing is not None
        painted(drawing)

    interact(show, at=IntSlider(value=start, min=low, max=low + 1))


def painted(drawing: Drawing) -> None:
    """Shows a drawing as a matplotlib figure: one collection for its areas, one for its lines."""
    import matplotlib.pyplot as plt
    from matplotlib.collections import LineCollection, PatchCollection
    from matplotlib.patches import Circle, Rectangle

    def color(role: object) -> str:
        return LIGHT.get(str(role), "gray" if str(role).startswith("rgb") else str(role))

    width, height = drawing.width + 2 * MARGIN, drawing.height + 2 * MARGIN
    _, axes = plt.subplots(figsize=(width / 100, height / 100))
    patches, fills, edges, lines, strokes = [], [], [], [], []
    for tag, a, words in drawing.drawn:
        fill, stroke = color(a.get("fill", "none")), color(a.get("stroke", "none"))
        if tag == "text":
            anchor = {"middle": "center", "end": "right"}.get(str(a.get("text-anchor")), "left")
            axes.text(a["x"], a["y"], words, ha=anchor, color=fill, fontsize=9)
        elif tag == "path":
            pieces = _lines(str(a["d"]))
            lines += pieces
            strokes += [stroke] * len(pieces)
        else:
            shape: Any = (
                Circle((a["cx"], a["cy"]), a["r"])
                if tag == "circle"
                else Rectangle((a["x"], a["y"]), a["width"], a["height"])
            )
            patches.append(shape)
            fills.append(fill)
            edges.append(stroke)
    axes.add_collection(PatchCollection(patches, facecolors=fills, edgecolors=edges))
    axes.add_collection(LineCollection(lines, colors=strokes))
    axes.set(xlim=(-MARGIN, width), ylim=(height, -MARGIN))
    axes.axis("off")
    plt.show()


def _lines(d: str) -> list[list[tuple[float, float]]]:
    """A path of M, L, m and l as its broken lines."""
    lines: list[list[tuple[float, float]]] = []
    x = y = 0.0
    for command, numbers in re.findall(r"([MLml])([^MLmlZz]*)", d):
        a, b = (float(value) for value in re.findall(r"-?[\d.]+", numbers)[:2])
        x, y = (x + a, y + b) if command.islower() else (a, b)
        if command in "Mm":
            lines.append([])
        lines[-1].append((x, y))
    return [line for line in lines if len(line) > 1]


def _timed(
    page: Any, element: Any, image: str, keys: tuple[str, str], presses: int
) -> list[tuple[float, float]]:
    """Of each press, milliseconds until the page's elements have changed, and until painted."""
    times = []
    for press in range(presses + 4):  # the first ones warm up
        element.evaluate(f"(element, image) => ({WATCH})([element, image])", image)
        page.keyboard.press(keys[press % 2])
        page.wait_for_function("window.painted !== undefined", polling=5, timeout=60_000)
        times.append(tuple(page.evaluate("window.painted")))
    return times[4:]


def run() -> str:
    """Measures every widget of the gallery and returns the section."""
    from playwright.sync_api import sync_playwright

    from tests.browser.browser import FLAGS, install_chromium
    from tests.browser.lab import running_lab
    from tests.browser.test_jupyterlab import notebook_of

    began = os.getloadavg()[0]
    rows: list[Row] = []
    large: list[Row] = []
    with (
        tempfile.TemporaryDirectory() as folder,
        running_lab(Path(folder)) as lab,
        sync_playwright() as playwright,
    ):
        chromium = playwright.chromium.launch(
            executable_path=install_chromium(), args=[*FLAGS, *UNBOUND]
        )
        page = chromium.new_page(viewport={"width": 1280, "height": 1000})
        wanted = (os.environ.get("WIDGETS") or ",".join(PLACES)).split(",")
        for name in wanted:
            selector, *keys, _ = PLACES[name]
            ours = DISPLAYED.format(gallery="GALLERY", name=name)
            theirs = f"from benchmarks.widgets import by_interact\nby_interact({name!r})"
            notebook = lab.open(page, notebook_of(ours, "%matplotlib inline", theirs))
            notebook.run_all()
            notebook.wait_until_drawn(0)
            cell = notebook.cell_at(0).locator("[data-live-view]")
            cell.locator(selector).first.focus()
            fast = _timed(page, cell, "", (keys[0], keys[1]), PRESSES)
            cell = notebook.cell_at(2).locator(".jp-Cell-outputWrapper")
            cell.locator("img").wait_for(timeout=60_000)
            cell.locator(".noUi-handle").focus()
            there = ("ArrowRight", "ArrowLeft") if keys[0] in FORTH else ("ArrowLeft", "ArrowRight")
            slow = _timed(page, cell, "img", there, SLOW_PRESSES)
            rows.append(Row(name, *_columns(fast), _columns(slow)[1]))
            print(rows[-1].line(), flush=True)
        for name in [name for name in wanted if name in LARGEST]:
            selector, *keys, _ = PLACES[name]
            ours = DISPLAYED.format(gallery="LARGEST", name=name)
            notebook = lab.open(page, notebook_of(ours))
            notebook.run_all()
            notebook.wait_until_drawn(0)
            cell = notebook.cell_at(0).locator("[data-live-view]")
            cell.locator(selector).first.focus()
            fast = _timed(page, cell, "", (keys[0], keys[1]), PRESSES)
            large.append(Row(name, *_columns(fast), []))
            print(large[-1].line(), flush=True)
        chromium.close()
    loads = f"{began:.1f} before, {os.getloadavg()[0]:.1f} after"
    return _TEXT.format(
        presses=PRESSES,
        slow=SLOW_PRESSES,
        loads=loads,
        most=MOST,
        least=LEAST,
        soon=sum(statistics.median(row.painted) <= MOST for row in rows),
        far=sum(row.ratio >= LEAST for row in rows),
        count=len(rows),
        table="\n".join(row.line() for row in rows),
        large="\n".join(row.line() for row in large),
        large_soon=sum(statistics.median(row.painted) <= MOST for row in large),
        large_count=len(large),
    )


@dataclass
class Row:
    """The milliseconds of each press: the widget's own, painted, and with `interact`, if it was."""

    name: str
    own: list[float]
    painted: list[float]
    interact: list[float]

    @property
    def ratio(self) -> float:
        """How many times as long `interact` takes, by the medians."""
        return statistics.median(self.interact) / statistics.median(self.painted)

    def line(self) -> str:
        """The row of the table."""
        cells = (
            "{:.{n}f} ({:.{n}f}–{:.{n}f})".format(
                statistics.median(times), min(times), max(times), n=places
            )
            for times, places in ((self.own, 1), (self.painted, 1), (self.interact, 0))
            if times
        )
        ratio = f" {self.ratio:.0f} |" if self.interact else ""
        return f"| `{self.name}` | {' | '.join(cells)} |{ratio}"


def _columns(times: list[tuple[float, float]]) -> tuple[list[float], list[float]]:
    return [drawn for drawn, _ in times], [painted for _, painted in times]


_TEXT = """\
{presses} presses of two keys that go to and fro, and {slow} with `interact`: median (least–most)
in milliseconds, in one JupyterLab in Chromium, which does not wait for a screen's beat. *Its own*:
from the key's time stamp until the page's elements have changed; *painted*: until the first task
after the frame that shows them, with JupyterLab's style, layout and paint. The other side is
ipywidgets' `interact` with matplotlib inline, drawing the widget's still picture, painted. Load of
the machine: {loads}.

Painted in {most} ms: {soon} of {count}. At least {least} times as fast as `interact`: {far} of
{count}.

| widget | its own | painted | `interact` | ratio |
|---|---|---|---|---|
{table}

The most that a widget takes (a mask of 784×784, as a scanned digit's, where it takes one), painted
in {most} ms: {large_soon} of {large_count}.

| widget, at its largest | its own | painted |
|---|---|---|
{large}
"""
