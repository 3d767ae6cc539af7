"""Looks where the links of a folder of pages lead, and whether anything comes from elsewhere."""

from __future__ import annotations

import functools
import re
from pathlib import Path
from urllib.parse import unquote, urlsplit

from bs4 import BeautifulSoup

# Attributes that make a browser fetch something when it opens a page.
FETCHED = {
    "script": "src", "img": "src", "link": "href", "iframe": "src", "source": "src",
    "video": "src", "audio": "src", "object": "data", "embed": "src",
}  # fmt: skip
_CSS_URL = re.compile(r"""url\(\s*["']?(?!data:)([^"')]+)|@import\s+["']([^"']+)""")


@functools.cache
def _page(path: Path) -> BeautifulSoup:
    return BeautifulSoup(path.read_text("utf-8"), "html.parser")


@functools.cache
def _names(path: Path) -> frozenset[str]:
    """The places in a page that a link can name."""
    named = {tag.get(key) for tag in _page(path).find_all() for key in ("id", "name")}
    return frozenset(filter(None, named))


def _pages(site: Path) -> list[Path]:
    """The site's pages; the theme leaves templates among its static files."""
    return sorted(path for path in site.rglob("*.html") if "_static" not in path.parts)


def faults(site: Path) -> list[str]:
    """Every internal link that leads nowhere, and everything that a page fetches from a host."""
    found = []
    for path in _pages(site):
        for tag in _page(path).find_all():
            attribute = FETCHED.get(tag.name)
            fetched = attribute and tag.get(attribute)
            if tag.name == "link" and "stylesheet" not in tag["rel"] and "icon" not in tag["rel"]:
                fetched = None  # prev, next, search: these are links
            if fetched and urlsplit(fetched).scheme not in ("", "data"):
                found.append(f"{path.relative_to(site)}: fetches {fetched}")
            for target in filter(None, {tag.get("href"), fetched}):
                if why := _nowhere(target, path, site):
                    found.append(f"{path.relative_to(site)}: {target}: {why}")
    for path in sorted(site.rglob("*.css")):
        for match in _CSS_URL.finditer(path.read_text("utf-8")):
            if urlsplit(match[1] or match[2]).netloc:
                found.append(f"{path.relative_to(site)}: fetches {match[0]}")
    return found


def _nowhere(target: str, page: Path, site: Path) -> str:
    """What is wrong with an internal link, or ""."""
    parts = urlsplit(target)
    if parts.scheme or parts.netloc:
        return ""
    file = (page.parent / unquote(parts.path)).resolve() if parts.path else page
    if not file.is_relative_to(site.resolve()) or not file.is_file():
        return "there is no such file in the site"
    if parts.fragment and file.suffix == ".html" and unquote(parts.fragment) not in _names(file):
        return "there is no such place on the page"
    return ""
