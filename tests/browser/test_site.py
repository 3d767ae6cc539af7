"""The web site of two lessons, opened from the disk in Chromium as a reader opens it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
from playwright.sync_api import Browser, Page, expect

from autograder import lessons
from figures.mask_explorer import MaskExplorer
from tests.browser.site_check import faults_in_chromium, open_page
from website.building import build, localized, write_sources
from website.links import faults
from website.notebooks import STATES, VIEW, page_notebook

MASKS = [[[1, 0], [1, 0]], [[0, 0], [1, 0]]]
MODEL = "0123456789abcdef"


def ran(lesson: str) -> nbformat.NotebookNode:
    """A lesson's student notebook with a widget's output and a progress bar, as a run leaves it."""
    fresh = lessons.render([lessons.load_lesson(lesson)])
    notebook = nbformat.reads(fresh[lessons.RELEASE / lesson / "lesson.ipynb"].decode(), 4)
    explorer = MaskExplorer(MASKS)
    states = {
        MODEL: {"model_name": "AnyModel", "state": explorer.get_state()},
        "bar": {"model_name": "HBoxModel", "state": {}},
    }
    notebook.metadata["widgets"] = {STATES: {"state": states}}
    cell = next(c for c in notebook.cells if "matplotlib" in c.source)
    cell.outputs = [
        nbformat.v4.new_output("display_data", {VIEW: {"model_id": name}, "text/plain": words})
        for name, words in ((MODEL, repr(explorer)), ("bar", "0%|   | 0/100"))
    ]
    return notebook


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The built site of lessons 05 and 06, without their solutions."""
    place = tmp_path_factory.mktemp("site")
    write_sources({name: ran(name) for name in ("05_made", "06_kl")}, place / "sources")
    build(place / "sources", place / "html")
    return place / "html"


@pytest.fixture
def front(browser: Browser, site: Path) -> Iterator[Page]:
    """The first page, light, 400 pixels wide."""
    wrong: list[str] = []
    size = {"width": 400, "height": 900}
    page = open_page(browser, site / "index.html", "light", wrong, viewport=size)
    yield page
    page.context.close()
    assert wrong == []


def test_every_link_leads_somewhere_and_nothing_comes_from_a_host(site: Path) -> None:
    assert faults(site) == []


def test_pages_are_whole_quiet_and_accessible_in_both_themes(browser: Browser, site: Path) -> None:
    pages = ("index.html", "course/05_made/lesson.html", "ARCHITECTURE.html", "search.html")
    assert faults_in_chromium(browser, site, [site / page for page in pages]) == []


def test_the_front_page_plays_without_a_kernel(front: Page) -> None:
    explorer = front.locator(".mask-explorer")
    expect(explorer.locator(".verdict")).to_have_text("Not autoregressive")
    explorer.get_by_role("button", name="Reshuffle degrees").click()
    expect(explorer.locator(".words")).not_to_contain_text("Not autoregressive")
    explorer.get_by_label("Order").select_option("reversed")
    explorer.locator(".graph").press("ArrowRight")
    expect(explorer.locator(".words")).to_contain_text("Output ")
    # Nothing is wider than a telephone.
    assert front.evaluate("document.documentElement.scrollWidth") <= 400


def test_pages_follow_one_another_and_open_in_colab(browser: Browser, site: Path) -> None:
    wrong: list[str] = []
    page = open_page(browser, site / "course/05_made/lesson.html", "dark", wrong)
    assert page.locator(".live-widget .said").count() == 0
    assert "0/100" not in page.inner_text("body")
    colab = "https://colab.research.google.com/github/"
    assert page.locator(f'a[href^="{colab}"][href$="course/05_made/lesson.ipynb"]').count() >= 1
    page.locator("a.right-next").click()
    expect(page.locator("article h1")).to_contain_text("KL")
    page.context.close()
    assert wrong == []


def test_search_finds_a_page_without_a_server(browser: Browser, site: Path) -> None:
    wrong: list[str] = []
    page = open_page(browser, site / "index.html", "light", wrong)
    page.goto((site / "search.html").as_uri() + "?q=nbgrader")
    expect(page.locator("#search-results li").first).to_be_visible()
    page.context.close()
    assert wrong == []


def test_no_page_of_the_students_site_has_a_line_of_a_solution(site: Path) -> None:
    for name in ("05_made", "06_kl"):
        told = (site / "course" / name / "lesson.html").read_text("utf-8")
        answer = lessons.load_lesson(name).exercises
        hidden = lessons.without_solutions
        secret = {
            line.strip()
            for cell in answer.values()
            for line in cell.source.split("\n")
            if line not in hidden(cell.source).split("\n") and len(line.strip()) > 30
        }
        assert secret and not [line for line in secret if line in told]


def test_a_page_says_what_leads_nowhere(tmp_path: Path) -> None:
    (tmp_path / "a.html").write_text(
        '<a href="b.html">no</a><a href="#c">no</a><img src="https://host/p.png">'
        '<a id="d" href="#d">yes</a><a href="https://host">far</a>'
    )
    assert faults(tmp_path) == [
        "a.html: b.html: there is no such file in the site",
        "a.html: #c: there is no such place on the page",
        "a.html: fetches https://host/p.png",
    ]


def test_links_into_the_repository_lead_to_github() -> None:
    text = "[a](../SECURITY.md#x) [b](../autograder/claims.py) ![c](https://host/c.svg)"
    told = localized(text, "docs/reuse.md", {"SECURITY.md"})
    address = lessons.repository_address()
    assert told == f"[a](../SECURITY.md#x) [b]({address}/blob/main/autograder/claims.py) c"


def test_a_widget_of_another_kind_is_refused() -> None:
    notebook = ran("05_made")
    notebook.metadata["widgets"][STATES]["state"]["bar"]["model_name"] = "IntSliderModel"
    with pytest.raises(ValueError, match="a widget of the kind IntSliderModel"):
        page_notebook(notebook)
