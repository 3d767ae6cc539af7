"""axe-core on a page: what bars readers with a disability from it."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from playwright.sync_api import Page

from website.npm import package

AXE = (
    "axe-core",
    "4.14.1",
    "sha512-FHfa+lmNjQZfJz1q8wKqIDwC6DExcHt/pkjNQb09a3NPjCKg2rhu5qb2S4r76ASyFNNtuFooJpZe37OgudVGtQ==",
)

# Style sheets are not asked for again: a page on a disk may not ask.
_RUN = """async (within) =>
  (await axe.run(within, { resultTypes: ["violations"], preload: false })).violations"""


def install_axe() -> Path:
    """The folder with axe-core, downloaded first if need be."""
    return package(*AXE)


@cache
def _script() -> str:
    return (install_axe() / "axe.min.js").read_text("utf-8")


def serious_faults(page: Page, within: str = "html") -> list[str]:
    """The faults in an element of the page that axe-core calls serious or critical, in words."""
    page.evaluate(_script())
    found = page.evaluate(_RUN, within)
    return [
        f"{one['id']} ({one['impact']}): {node['html'][:160]}"
        for one in found
        if one["impact"] in ("serious", "critical")
        for node in one["nodes"]
    ]
