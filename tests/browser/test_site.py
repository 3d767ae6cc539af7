"""The web site of two lessons, opened from the disk in Chromium as a reader opens it."""

from __future__ import annotations

import copy
import functools
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
from playwright.sync_api import Browser, Page, expect

from autograder import lessons
from tests.browser.site_check import faults_in_chromium, open_page
from website import executing
from website.building import build, guides, localized, write_sources
from website.executing import RunError, execute, faults_of_run, fresh_notebook
from website.links import faults
from website.notebooks import page_notebook
from website.secrets import leaks, secret_lines

LESSONS = [lessons.load_lesson(name) for name in ("05_made", "06_kl")]
KERNEL = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}

# What a lesson's notebook is made of, in small, and what may fail in one.
RUN = {
    "predict": """
from figures.predict import predict
predict("What is 1 + 1?", ["one", "two"], answer=lambda: 1, why="Count on your fingers.")""",
    "waits": """
from figures.predict import predict
def addition():
    raise NotImplementedError("addition: write your code here")
predict("And what is 2 + 2?", ["three", "four"], answer=addition)""",
    "explorer": """
import torch
from figures.mask_explorer import MaskExplorer
def assign_degrees(n, sizes, generator):
    return [1 + torch.randperm(4, generator=generator) % 2]
def build_masks(degrees, place):
    return [(degrees[0][:, None] >= place).int(), (place[:, None] > degrees[0]).int()]
MaskExplorer.of(build_masks, assign_degrees, n=3, hidden_sizes=(4,))""",
    "bar": """
from tqdm.auto import tqdm
list(tqdm(range(3)))""",
    "fails": "1 / 0",
    "means": "[][1]",
    "warns": "import warnings; warnings.warn('look out')",
    "slider": "import ipywidgets; ipywidgets.IntSlider()",
}


@functools.cache
def ran() -> nbformat.NotebookNode:
    """A small notebook after a run in a kernel."""
    cells = [nbformat.v4.new_code_cell(source.strip(), id=name) for name, source in RUN.items()]
    cells[list(RUN).index("means")].metadata["tags"] = ["raises-exception"]
    return execute(nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": KERNEL}))


def shown(lesson: str) -> nbformat.NotebookNode:
    """A lesson's student notebook, with the cells of the small one, run, at its end."""
    notebook, small = fresh_notebook(lesson, "unsolved"), copy.deepcopy(ran())
    notebook.cells += small.cells[: list(RUN).index("fails")]
    for name in ("widgets", "answers"):
        notebook.metadata[name] = small.metadata[name]
    return notebook


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The built site of lessons 05 and 06, without their solutions."""
    place = tmp_path_factory.mktemp("site")
    notebooks = {name: shown(name) for name in ("05_made", "06_kl")}
    write_sources(notebooks, place / "sources", solved=False)
    build(place / "sources", place / "html")
    return place / "html"


@pytest.fixture
def lesson(browser: Browser, site: Path) -> Iterator[Page]:
    """The page of lesson 05, dark."""
    wrong: list[str] = []
    page = open_page(browser, site / "course/05_made/lesson.html", "dark", wrong)
    yield page
    page.context.close()
    assert wrong == []


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


def test_pages_follow_one_another_and_open_in_colab(lesson: Page) -> None:
    assert lesson.locator(".live-widget .said").count() == 0
    assert "3/3" not in lesson.inner_text("body")
    colab = "https://colab.research.google.com/github/"
    assert lesson.locator(f'a[href^="{colab}"][href$="course/05_made/lesson.ipynb"]').count() >= 1
    lesson.locator("a.right-next").click()
    expect(lesson.locator("article h1")).to_contain_text("KL")


def test_a_prediction_is_played_with_the_answer_that_the_run_gave(lesson: Page) -> None:
    prediction = lesson.locator(".prediction", has_text="What is 1 + 1?")
    expect(prediction.get_by_text("Count on your fingers.")).to_have_count(0)
    prediction.get_by_label("one").check()
    prediction.get_by_role("button", name="Commit, and see").click()
    told = prediction.get_by_role("status").first
    expect(told).to_contain_text("It is: two.")
    expect(told).to_contain_text("Count on your fingers.")


def test_a_prediction_that_an_exercise_answers_says_so_where_it_is_not_solved(lesson: Page) -> None:
    prediction = lesson.locator(".prediction", has_text="And what is 2 + 2?")
    prediction.get_by_label("three").check()
    prediction.get_by_role("button", name="Commit, and see").click()
    told = prediction.get_by_role("status").first
    expect(told).to_contain_text("Your own function knows.")
    expect(told).not_to_contain_text("run this cell")


def test_an_explorer_of_a_lesson_shows_other_orders_and_draws(lesson: Page) -> None:
    explorer = lesson.locator(".mask-explorer").last
    expect(explorer.locator(".verdict")).to_have_text("Autoregressive")
    seen = {explorer.locator(".graph").inner_html()}
    for name in ("reversed", "natural"):
        explorer.get_by_label("Order").select_option(name)
        seen.add(explorer.locator(".graph").inner_html())
    assert len(seen) == 2  # back in the natural order, the degrees are what they were
    explorer.get_by_role("button", name="Reshuffle degrees").click()
    expect(explorer.locator(".verdict")).to_have_text("Autoregressive")
    seen.add(explorer.locator(".graph").inner_html())
    assert len(seen) == 3


def test_search_finds_a_page_without_a_server(browser: Browser, site: Path) -> None:
    wrong: list[str] = []
    page = open_page(browser, site / "index.html", "light", wrong)
    page.goto((site / "search.html").as_uri() + "?q=nbgrader")
    expect(page.locator("#search-results li").first).to_be_visible()
    page.context.close()
    assert wrong == []


def test_no_file_of_the_students_site_tells_a_line_of_a_solution(site: Path) -> None:
    assert leaks(site, LESSONS, guides().values()) == []


def test_a_told_solution_is_found_wherever_it_stands(tmp_path: Path) -> None:
    (tmp_path / "sources" / "_static").mkdir(parents=True)
    solved = page_notebook(fresh_notebook("05_made", "solved"))
    nbformat.write(solved, tmp_path / "sources" / "index.ipynb")
    build(tmp_path / "sources", tmp_path / "html")
    told = leaks(tmp_path / "html", LESSONS[:1], guides().values())
    found = {line.partition("05_made: ")[2] for line in told if line.startswith("index.html")}
    secret = set(secret_lines(LESSONS[:1], guides().values()).values())
    # Code, a model answer and its rubric: all of it, as a page colors and sets it.
    assert {line.partition(": ")[2] for line in secret} == found
    # Words that no page shows any more may not stay in the index.
    (tmp_path / "html" / "index.html").unlink()
    told = leaks(tmp_path / "html", LESSONS[:1], guides().values())
    assert any("searchindex.js: knows" in line for line in told)


def test_a_cell_that_raises_or_warns_is_a_fault_and_one_that_means_to_is_none() -> None:
    told = faults_of_run("05_made", ran())
    assert len(told) == 2
    assert told[0] == "05_made: cell 5 (1 / 0) raised ZeroDivisionError: division by zero"
    assert told[1].startswith("05_made: cell 7 (import warnings; ")
    assert "wrote on stderr: " in told[1] and "look out" in told[1]


def test_a_warning_beside_a_progress_bar_is_a_fault_and_the_bar_is_none() -> None:
    bars = "\r  0%|          | 0/3 [00:00<?, ?it/s]", "\rtrain: 7it [00:01,  5.1it/s]\n"
    warning = "\x1b[0m/kernel.py:2: UserWarning: 100% of it/s were lost\n  warnings.warn(…)"
    told = [cell_that_wrote(text) for text in ("".join(bars), bars[0] + "\n" + warning + bars[1])]
    assert told[0] == []
    assert len(told[1]) == 1 and "UserWarning: 100% of it/s were lost" in told[1][0]
    assert "0/3" not in told[1][0] and "7it" not in told[1][0]


def cell_that_wrote(text: str) -> list[str]:
    """The faults of a run in which one cell wrote this on stderr."""
    output = nbformat.v4.new_output("stream", name="stderr", text=text)
    cell = nbformat.v4.new_code_cell("train()", outputs=[output])
    return faults_of_run("05_made", nbformat.v4.new_notebook(cells=[cell]))


def test_a_run_with_a_fault_stops_the_build_and_is_not_kept(monkeypatch, tmp_path, capsys) -> None:
    monkeypatch.setattr(executing, "KEPT", tmp_path / "kept")
    monkeypatch.setattr(executing, "fresh_notebook", lambda *_, **__: None)
    monkeypatch.setattr(executing, "execute", lambda *_, **__: copy.deepcopy(ran()))
    with pytest.raises(RunError, match=r"05_made: cell 5 \(1 / 0\) raised ZeroDivisionError"):
        executing.run("05_made", "solved")
    assert not (tmp_path / "kept").exists()


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
    with pytest.raises(ValueError, match="a widget of the kind IntSliderModel"):
        page_notebook(ran())
