"""Each static picture is seen exactly once, in the theme of the page: in Lab and elsewhere."""

import base64

import pytest
from playwright.sync_api import Page

from figures import static
from tests.browser.test_jupyterlab import notebook_of

# What is painted of the pictures that take room: `content` may replace src.
SEEN = """(place) => [...document.querySelectorAll(`${place} img`)]
  .filter((image) => image.complete && image.getBoundingClientRect().height > 20)
  .map((image) => {
    const { content } = getComputedStyle(image);
    return content.startsWith("url(") ? content.slice(5, -2) : image.src;
  })"""


def source(name: str, theme: str) -> str:
    raw = (static.FOLDER / f"{name}-{theme}.svg").read_bytes()
    return "data:image/svg+xml;base64," + base64.b64encode(raw).decode("ascii")


def seen_in(page: Page, place: str = "body") -> list[str]:
    return page.evaluate(SEEN, place)


def test_in_jupyterlab_in_both_its_themes(lab, lab_page) -> None:
    names = list(static.pictures())
    shows = [f"from figures import static\nstatic.show({name!r})" for name in names]
    notebook = lab.open(lab_page, notebook_of(*shows))
    notebook.run_all()
    for theme, setting in (("light", "JupyterLab Light"), ("dark", "JupyterLab Dark")):
        notebook.set_theme(setting)
        for name in names:
            cell = notebook.cell(f"static.show({name!r})")
            cell.locator("img").first.wait_for()
            index = cell.get_attribute("data-windowed-list-index")
            place = f'.jp-Notebook [data-windowed-list-index="{index}"] .jp-OutputArea'
            assert seen_in(lab_page, place) == [source(name, theme)], (name, theme)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_on_a_page_without_a_word_on_themes_the_system_decides(new_page, theme: str) -> None:
    page = new_page(color_scheme=theme)
    page.set_content("".join(static.picture_html(name) for name in static.pictures()))
    page.wait_for_function("[...document.images].every((image) => image.complete)")
    assert seen_in(page) == [source(name, theme) for name in static.pictures()]


def test_where_style_sheets_are_dropped_the_light_one_is_left(new_page) -> None:
    page = new_page(color_scheme="dark")
    page.set_content("".join(static.picture_html(name) for name in static.pictures()))
    page.evaluate("document.querySelectorAll('style').forEach((style) => style.remove())")
    page.wait_for_function("[...document.images].every((image) => image.complete)")
    assert seen_in(page) == [source(name, "light") for name in static.pictures()]


@pytest.mark.parametrize("system", ["light", "dark"])
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize(
    ("element", "attribute", "values"),
    [
        ("body", "data-jp-theme-light", {"light": "true", "dark": "false"}),
        ("html", "theme", {"light": "light", "dark": "dark"}),
        ("body", "class", {"light": "vscode-light", "dark": "vscode-dark"}),
        ("html", "data-theme", {"light": "light", "dark": "dark"}),
    ],
)
def test_what_a_host_says_of_its_theme_counts_more_than_the_system(
    new_page, system: str, theme: str, element: str, attribute: str, values: dict[str, str]
) -> None:
    page = new_page(color_scheme=system)
    name = next(iter(static.pictures()))
    page.set_content(static.picture_html(name))
    page.eval_on_selector(element, f"(e, v) => e.setAttribute({attribute!r}, v)", values[theme])
    page.wait_for_function("[...document.images].every((image) => image.complete)")
    assert seen_in(page) == [source(name, theme)]
