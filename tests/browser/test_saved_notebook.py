"""A saved notebook shows what was seen: in JupyterLab on the second day, and as a web page."""

import json

import nbformat
import pytest
from nbconvert import HTMLExporter
from nbgrader.server_extensions.formgrader import handlers
from playwright.sync_api import Page, expect

from figures import saved
from figures.widget import Widget
from tests.browser import test_lab_generators as lessons
from tests.browser.conftest import LAB_NOISE
from tests.browser.gallery import GALLERY
from tests.browser.lab import Lab
from tests.browser.test_jupyterlab import NOTEBOOK, notebook_of

WAIT = 120_000
CHANGED = """
def build_masks(degrees, order):
    hidden = (degrees[0][:, None] >= order[None, :]).float()
    return [hidden, (order[:, None] >= degrees[0][None, :]).float()]
"""
UNSEEN = "Error displaying widget"
# Which of a notebook's outputs take room, each by its beginning.
OUTPUTS = """() => [...document.querySelectorAll(".jp-OutputArea-child")]
  .filter((child) => child.getBoundingClientRect().height > 0)
  .map((child) => child.innerText.trim())"""


def saved_views(page: Page) -> list[bool]:
    """Whether each saved view on the page is seen."""
    return page.evaluate(
        """(name) => [...document.querySelectorAll(`[${name}]`)]
             .map((view) => view.getBoundingClientRect().height > 0)""",
        saved.SAVED,
    )


def test_run_change_save_shut_down_and_reopen(lab: Lab, new_page, tmp_path) -> None:
    # Of a model that is gone JupyterLab also tells the console.
    lab_page = new_page(noise=(*LAB_NOISE, "widget model not found"))
    cells = (NOTEBOOK, lessons.PIXELCNN, lessons.SAMPLING, lessons.WAVENET, CHANGED)
    notebook = lab.open(lab_page, notebook_of(*cells))
    notebook.run_all()
    masks = notebook.cell("explorer").locator(".mask-explorer")

    # The explorer draws the function of the last cell, though it was made by the first.
    expect(masks.locator(".verdict")).to_have_text("Not autoregressive", timeout=WAIT)
    news = "build_masks was changed: this is the new picture."
    expect(masks.locator(".news")).to_have_text(news)
    masks.get_by_role("button", name="Reshuffle degrees").click()
    expect(masks.locator(".verdict")).to_have_text("Not autoregressive")

    # Alive, the saved view is out of sight, and out of the way of a screen reader.
    assert saved_views(lab_page) and not any(saved_views(lab_page))

    notebook.save()
    file = lab.folder / notebook.path
    kept = nbformat.read(file, as_version=4)
    pictures = [c for c in kept.cells if any("still" in json.dumps(o) for o in c.outputs)]
    assert len(pictures) == 4
    assert max(len(json.dumps(cell.outputs)) for cell in pictures) < 200_000

    reopened = lab.reopen(lab_page, notebook.path)
    for text, said in (
        ("explorer = ", "Not autoregressive: 4 inputs at or after the output"),  # as changed
        ("receptive = ", "Autoregressive, with a blind spot"),
        ("player = ", "2 images of 4×4 pixels, 4 levels"),
        ("tree = ", "the logits of x32 see 8 samples, as receptive_field says 8"),
    ):
        cell = reopened.cell(text)
        view = cell.locator(f"[{saved.SAVED}]")
        expect(view).to_contain_text(said, timeout=WAIT)
        expect(view).to_contain_text(saved.RUN)
        box = view.locator("img").bounding_box()
        assert box["height"] > 80 and len(view.locator("img").get_attribute("alt")) > 40
    assert not any(UNSEEN in text for text in lab_page.evaluate(OUTPUTS))

    # A page of the same file, as nbviewer and nbgrader's feedback make it: no script, no network.
    page = new_page(noise=LAB_NOISE, java_script_enabled=False)
    for output in (output for cell in kept.cells for output in cell.outputs):
        output.get("data", {}).pop("text/plain", None)
    html = HTMLExporter(exclude_input=True).from_notebook_node(kept)[0]
    (tmp_path / "page.html").write_text(html, encoding="utf-8")
    page.route("**/*", lambda r: r.continue_() if r.request.url[:4] == "file" else r.abort())
    page.goto((tmp_path / "page.html").as_uri(), wait_until="domcontentloaded")
    assert page.locator(f"[{saved.SAVED}] img").count() == 4
    expect(page.get_by_text(saved.RUN).first).to_be_visible()


# The pages that nbgrader makes of a saved notebook: for a student, and for who grades by hand.
RESOURCES = {
    "feedback": {"nbgrader": {"score": 1.0, "max_score": 2.0, "late_penalty": 0.0}},
    "formgrade": {
        **dict.fromkeys(("submission_id", "notebook_id", "assignment_id", "student"), "x"),
        **{"notebook_path": "x", "last_name": "", "first_name": "", "index": 0, "total": 1},
        "base_url": "http://formgrader.invalid",
    },
}


def saved_outputs(shown: Widget) -> list[nbformat.NotebookNode]:
    """A widget's outputs in a file: its saved view, and a live view whose model is gone."""
    view = {"model_id": "gone", "version_major": 2, "version_minor": 0}
    live = {"application/vnd.jupyter.widget-view+json": view, "text/html": "", "text/plain": ""}
    return [nbformat.v4.new_output("display_data", b) for b in (shown._saved_view(), live)]


@pytest.fixture(scope="module")
def class_notebook() -> nbformat.NotebookNode:
    """One cell for every widget of the gallery, as JupyterLab saves it."""
    notebook = notebook_of(*GALLERY)
    for cell in notebook.cells:
        cell.outputs = saved_outputs(GALLERY[cell.source]())
    return notebook


@pytest.mark.parametrize("template", RESOURCES)
def test_nbgraders_pages_show_every_saved_widget(
    new_page, tmp_path, class_notebook: nbformat.NotebookNode, template: str
) -> None:
    exporter = HTMLExporter(
        template_name=template,
        extra_template_basedirs=[handlers.template_path],
        extra_template_paths=[handlers.static_path + "/node_modules/bootstrap/dist/css"],
    )
    resources = {"metadata": {"name": "x"}, **RESOURCES[template]}
    (tmp_path / "page.html").write_text(
        exporter.from_notebook_node(class_notebook, resources)[0], encoding="utf-8"
    )
    page = new_page(noise=LAB_NOISE, java_script_enabled=False)
    page.route("**/*", lambda r: r.continue_() if r.request.url[:4] == "file" else r.abort())
    page.goto((tmp_path / "page.html").as_uri(), wait_until="domcontentloaded")
    views = page.locator(f"[{saved.SAVED}]")
    expect(views).to_have_count(len(GALLERY))
    for view, cell in zip(views.all(), class_notebook.cells, strict=True):
        expect(view).to_be_visible()
        expect(view.get_by_text(saved.RUN)).to_be_visible()
        assert view.locator("img").bounding_box()["height"] > 40, cell.source
        assert len(view.locator("img").get_attribute("alt")) > 20, cell.source
    text = page.locator("body").inner_text()
    assert UNSEEN not in text and "model_id" not in text
