"""Opens every page of a built site in Chromium: `python -m tests.browser.site_check [FOLDER]`.

Light and dark, from the disk: no error on the console, no request to a host, every widget and
formula drawn, no fault that axe-core calls serious or critical, nothing wider than a telephone, and
every link leads to a page and a place of it.
"""

from __future__ import annotations

import sys
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright
from tqdm import tqdm

from tests.browser.axe import serious_faults
from tests.browser.browser import FLAGS, install_chromium
from website.links import faults

ROOT = Path(__file__).parents[2]
THEMES = ("light", "dark")
TELEPHONE = {"width": 400, "height": 900}
DRAWN = """() => document.readyState === "complete" && document.fonts.status === "loaded"
  && [...document.querySelectorAll(".live-widget")].every((place) => place.dataset.painted)
  && [...document.querySelectorAll(".formula")].every((place) => place.querySelector(".katex"))
  && [...document.querySelectorAll("pre.mermaid")].every((place) => place.querySelector("svg"))"""


def pages_of(site: Path) -> list[Path]:
    """The site's pages, from the first to the last."""
    return sorted(path for path in site.rglob("*.html") if "_static" not in path.parts)


def open_page(browser: Browser, path: Path, theme: str, wrong: list[str], **options: int) -> Page:
    """The page, drawn. What the console says and what is asked of a host is added to `wrong`."""
    context = browser.new_context(color_scheme=theme, **options)
    page = context.new_page()
    told = f"{path.name} ({theme})"
    page.on("console", lambda m: m.type == "error" and wrong.append(f"{told}: {m.text}"))
    page.on("pageerror", lambda error: wrong.append(f"{told}: {error}"))

    def heard(request: object) -> None:
        if not request.url.startswith(("file:", "data:", "blob:")):
            wrong.append(f"{told}: asks {request.url}")

    page.on("request", heard)
    page.goto(path.as_uri())
    page.wait_for_function(DRAWN, timeout=30_000)
    return page


def faults_in_chromium(browser: Browser, site: Path, pages: list[Path] | None = None) -> list[str]:
    """What is wrong with the pages of a site (all of them), in words."""
    wrong: list[str] = []
    for path in tqdm(pages or pages_of(site), "checking pages", unit="page", disable=None):
        for theme in THEMES:
            page = open_page(browser, path, theme, wrong)
            name = f"{path.relative_to(site)} ({theme})"
            wrong += [f"{name}: {fault}" for fault in serious_faults(page)]
            page.set_viewport_size(TELEPHONE)
            if (width := page.evaluate("document.documentElement.scrollWidth")) > 400:
                wrong.append(f"{name}: {width} pixels wide where the screen has 400")
            page.context.close()
    return wrong


def main() -> int:
    """Checks the site in the folder given; returns the exit code."""
    site = Path(sys.argv[1] if len(sys.argv) > 1 else ROOT / "build" / "site" / "html").resolve()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=install_chromium(), args=FLAGS)
        wrong = faults(site) + faults_in_chromium(browser, site)
        browser.close()
    print("\n".join(wrong))
    print(f"{len(pages_of(site))} pages, light and dark: {len(wrong)} faults")
    return bool(wrong)


if __name__ == "__main__":
    raise SystemExit(main())
