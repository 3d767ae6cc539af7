"""Makes figures/mask-explorer.png, the README's picture: `python -m tests.browser.picture`.

Right masks of five variables, with the pointer on output 4.
"""

import io
from pathlib import Path

import numpy as np
from PIL import Image
from playwright.sync_api import sync_playwright

from figures.mask_explorer import MaskExplorer
from figures.page import self_contained_page
from tests.browser.browser import FLAGS, install_chromium

PICTURE = Path(__file__).parents[2] / "figures" / "mask-explorer.png"
DEGREES = [np.array([2, 1, 3, 4, 1, 2, 3]), np.array([1, 3, 2, 4, 2, 3, 1])]


def build_masks(degrees: list[np.ndarray], order: np.ndarray) -> list[np.ndarray]:
    below, masks = np.asarray(order), []
    for layer in degrees:
        masks.append(layer[:, None] >= below[None, :])
        below = layer
    return [*masks, np.asarray(order)[:, None] > below[None, :]]


def main() -> None:
    explorer = MaskExplorer.of(build_masks, lambda *_: DEGREES, n=5, hidden_sizes=(7, 7))
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=install_chromium(), args=FLAGS)
        page = chromium.new_page(viewport={"width": 760, "height": 700}, device_scale_factor=2)
        # The picture shows the buttons that a notebook has: give the page a kernel to ask.
        page.evaluate("window.kernel = async () => ({})")
        page.set_content(self_contained_page(explorer))
        page.locator("body[data-painted=true]").wait_for()
        output_4 = page.locator(".unit .shape").nth(5 + 7 + 7 + 3).bounding_box()
        page.mouse.move(output_4["x"] + 8, output_4["y"] + 8)
        shot = page.locator(".mask-explorer").screenshot()
        chromium.close()
    # Few colors stand in the picture: an indexed image is a third of the size.
    picture = Image.open(io.BytesIO(shot)).convert("RGB").quantize(128, dither=Image.Dither.NONE)
    picture.save(PICTURE, optimize=True)
    print(f"{PICTURE}: {PICTURE.stat().st_size // 1024} KiB, {picture.width} × {picture.height}")


if __name__ == "__main__":
    main()
