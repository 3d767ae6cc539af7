"""One page a test, and no error on any page's console."""

from collections.abc import Callable, Iterator

import anywidget
import pytest
from playwright.sync_api import Browser, Page

from figures.page import self_contained_page, traits_of
from tests.browser.lab import Lab, running_lab

# What the notebook server's own front end says at times, and no widget of ours can cause. Only
# JupyterLab's pages are read with this: a self-contained page must say nothing at all.
LAB_NOISE = ("favicon", "net::ERR_", "Failed to load resource", "ResizeObserver loop")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "tests/browser" in item.path.as_posix():
            item.add_marker(pytest.mark.browser)


@pytest.fixture
def new_page(browser: Browser) -> Iterator[Callable[..., Page]]:
    """Makes pages; the test fails if any of them throws or writes an error to its console."""
    contexts, errors = [], []

    def open_page(noise: tuple[str, ...] = (), **options: object) -> Page:
        context = browser.new_context(**{"viewport": {"width": 760, "height": 900}, **options})
        contexts.append(context)
        page = context.new_page()

        def heard(text: str) -> None:
            if not any(known in text for known in noise):
                errors.append(text)

        page.on("pageerror", lambda error: heard(str(error)))
        page.on("console", lambda m: heard(f"{m.text} {m.location}") if m.type == "error" else None)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert errors == []


@pytest.fixture
def show(new_page: Callable[..., Page], tmp_path) -> Callable[..., Page]:
    """`show(widget)` opens the widget's self-contained page, painted.

    With `kernel=True` the page talks to the Python widget, as a notebook's does: what its
    JavaScript saves is set on the widget, and the widget's traits come back. `before` is a script
    that runs before the page's own. Other keywords (color_scheme, viewport) are Playwright's, for a
    browser context.
    """

    def open_widget(
        widget: anywidget.AnyWidget, kernel: bool = False, before: str = "", **options: object
    ) -> Page:
        page = new_page(**options)
        if before:
            page.add_init_script(before)
        if kernel:

            def answer(changed: dict) -> dict:
                for name, value in changed.items():
                    setattr(widget, name, value)
                return traits_of(widget)

            page.expose_function("kernel", answer)
        file = tmp_path / "widget.html"
        file.write_text(self_contained_page(widget), encoding="utf-8")
        page.goto(file.as_uri())
        page.locator("body[data-painted=true]").wait_for()
        return page

    return open_widget


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """A JupyterLab with folders of its own, started once for all tests that open a notebook."""
    with running_lab(tmp_path_factory.mktemp("lab")) as server:
        yield server


@pytest.fixture
def lab_page(new_page: Callable[..., Page]) -> Page:
    """A page to open notebooks in: `lab.open(lab_page, notebook)`."""
    return new_page(noise=LAB_NOISE, viewport={"width": 1200, "height": 1000})
