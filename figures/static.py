"""Static pictures: drawn by script, stored as SVG in light and dark, shown with their alt text.

A picture is a module of this package with `NAME`, `ALT` and `draw(dark: bool) -> str`, which
returns SVG text. `python -m figures.static` (`make figures`) writes `figures/static/NAME-light.svg`
and `NAME-dark.svg`; `--check` says which of them a fresh drawing would change. Notebooks call
`show("NAME")`.
"""

from __future__ import annotations

import ast
import importlib
import io
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

from course.files import write_whole
from course.picture import image_html

FOLDER = Path(__file__).parent / "static"
THEMES = {"light": False, "dark": True}


def pictures() -> dict[str, ModuleType]:
    """The modules of this package that are static pictures, by `NAME`."""
    found = {}
    for path in sorted(Path(__file__).parent.glob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        assigned = {
            target.id
            for node in tree.body
            if isinstance(node, ast.Assign)
            for target in node.targets
            if isinstance(target, ast.Name)
        }
        if {"NAME", "ALT"} <= assigned:
            module = importlib.import_module(f"figures.{path.stem}")
            found[module.NAME] = module
    return found


def to_svg(figure: Any) -> str:
    """A matplotlib figure as SVG text that a second drawing repeats byte for byte."""
    import matplotlib as mpl

    text = io.StringIO()
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": "figures"}):
        figure.savefig(
            text, format="svg", bbox_inches="tight", transparent=True, metadata={"Date": None}
        )
    # Trailing blanks are noise in a diff.
    return "\n".join(line.rstrip() for line in text.getvalue().splitlines()) + "\n"


def drawn() -> dict[Path, str]:
    """What each stored file should hold, by drawing every picture now."""
    return {
        FOLDER / f"{name}-{theme}.svg": module.draw(dark)
        for name, module in pictures().items()
        for theme, dark in THEMES.items()
    }


def stale() -> list[Path]:
    """The stored files that a fresh drawing would change or that no picture makes."""
    fresh = drawn()
    kept = [p for p, text in fresh.items() if not p.exists() or p.read_text("utf-8") != text]
    return kept + sorted(set(FOLDER.glob("*.svg")) - set(fresh))


def write_all() -> list[Path]:
    """Draws every picture and writes what changed; each file whole or not at all."""
    changed = stale()
    fresh = drawn()
    for path in changed:
        if path not in fresh:
            path.unlink()
            continue
        write_whole(path, fresh[path])
    return changed


def picture_html(name: str) -> str:
    """HTML that shows the stored picture in the theme of the page, with its alt text."""
    light, dark = ((FOLDER / f"{name}-{theme}.svg").read_text("utf-8") for theme in THEMES)
    return one_image(light, dark, pictures()[name].ALT)


def one_image(light: str, dark: str, alt: str) -> str:
    """HTML of one image that shows an SVG for a light page, or in its place one for a dark page."""
    return image_html(light.encode(), dark.encode(), "image/svg+xml", alt)


def show(name: str) -> None:
    """Displays a stored picture in a notebook; ValueError if there is no picture of that name."""
    if name not in pictures():
        raise ValueError(f"there is no picture {name!r}: there are {', '.join(pictures())}")
    from IPython.display import HTML, display

    display(HTML(picture_html(name)))


def main() -> None:
    """Writes the pictures, or with --check names the stale ones and fails."""
    if "--check" in sys.argv[1:]:
        old = stale()
        print("\n".join(f"{p.name} is not what its script draws: run make figures" for p in old))
        sys.exit(bool(old))
    for path in write_all():
        print(f"wrote {path.name}")


if __name__ == "__main__":
    main()
