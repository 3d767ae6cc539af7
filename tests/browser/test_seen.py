"""What is amiss on a page is found, each kind by itself; what is as it should be is left alone."""

import base64
import io
from collections.abc import Callable

import pytest
from PIL import Image

from tests.browser.hosts import look
from tests.browser.lab import Lab
from tests.browser.seen import seen_amiss
from tests.browser.test_jupyterlab import notebook_of

DOT = (  # a gray pixel
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwAD"
    "hgGAWjR9awAAAABJRU5ErkJggg=="
)
WIDGET = '<div data-live-view="k"><div style="width:300px">{}</div></div>'
SVG = WIDGET.format('<svg width="300" height="100" viewBox="0 0 {} 100">{}</svg>')
PRE = "<pre>{}</pre>"
STDERR = '<div data-mime-type="application/vnd.jupyter.stderr"><pre>warning</pre></div>'


@pytest.mark.parametrize(
    ("html", "words"),
    [
        (SVG.format(300, '<text y="30">one word</text><text x="20" y="34">two</text>'), "lies on"),
        (SVG.format(900, '<text y="30" font-size="16">small</text>'), "letters of 5.3 px: “small”"),
        (SVG.format(300, '<text x="290" y="30">far too long</text>'), "leaves its widget"),
        (WIDGET.format('<p style="font-size:9px">small</p>'), "letters of 9.0 px"),
        (WIDGET.format('<p style="width:400px">wide</p>'), "wider than its place by"),
        (2 * f'<img src="{DOT}" width="50" height="50">', "a picture is seen twice"),
        (WIDGET.format("live") + '<div data-saved-view="k">still</div>', "beside the live one"),
        (PRE.format("Error displaying widget: model not found"), "Error displaying widget"),
        (PRE.format("before\ntraining:   0%|          | 0/15 [00:00&lt;?]"), "a bar stands at 0 %"),
        (STDERR, "written to stderr"),
    ],
)
def test_each_kind_is_found(new_page: Callable, html: str, words: str) -> None:
    page = new_page()
    page.set_content(f'<div id="place" style="padding:9px">{html}</div>')
    found = seen_amiss(page, "#place")
    assert len(found) == 1 and words in found[0], found


@pytest.mark.parametrize(
    "html",
    [
        SVG.format(300, '<text y="30">one</text><text x="90" y="30">two</text>'),
        SVG.format(300, '<text y="30">one line</text><text y="46">and the next</text>'),
        SVG.format(300, '<text y="30">seen</text><text y="34" visibility="hidden">not</text>'),
        WIDGET.format('live<p style="position:absolute;clip-path:inset(50%)">told only</p>'),
        f'<img src="{DOT}" width="50" height="50">',
        WIDGET.format("live") + '<div data-saved-view="k" hidden>still</div>',
        PRE.format("training: 100%|██████████| 15/15"),
    ],
)
def test_what_is_right_is_left_alone(new_page: Callable, html: str) -> None:
    page = new_page()
    page.set_content(f'<div id="place" style="padding:9px">{html}</div>')
    assert seen_amiss(page, "#place") == []


def test_a_white_picture_is_found_on_a_dark_page_only(new_page: Callable) -> None:
    for scheme, shade, found in (
        ("light", 255, []),
        ("dark", 255, ["a white picture on a dark page"]),
        ("dark", 20, []),
    ):
        data = io.BytesIO()
        Image.new("RGB", (40, 30), (shade, shade, shade)).save(data, "PNG")
        source = f"data:image/png;base64,{base64.b64encode(data.getvalue()).decode()}"
        page = new_page(color_scheme=scheme)
        page.set_content(f'<div id="place"><img src="{source}" width="40" height="30"></div>')
        page.wait_for_function("document.images[0].complete")
        assert seen_amiss(page, "#place") == found


CELLS = (
    "from figures import static\nstatic.show('shrinking-interval')",
    "from figures.table_size import TableSize\nTableSize(bits=8)",
    "import matplotlib.pyplot as plt\nfrom course.picture import show\n"
    "fig, ax = plt.subplots()\nax.plot([1, 3, 2])\nshow(fig, 'a line that rises and falls')",
    "from course.progress import tqdm\nfor i in tqdm(range(3)):\n    print(i)",
)


def test_a_notebook_of_a_picture_a_widget_and_a_bar(lab: Lab, new_page, tmp_path) -> None:
    assert look(lab, new_page, notebook_of(*CELLS), tmp_path) == []
    assert len(list(tmp_path.glob("*.png"))) == 2 * (3 + 2)  # themes × (cells + first screens)
