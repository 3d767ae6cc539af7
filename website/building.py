"""Writes the site's sources from the lessons and the guides, and lets Sphinx build them."""

from __future__ import annotations

import os
import re
import shutil
from html import escape
from pathlib import Path, PurePosixPath

import jinja2
import nbformat
import numpy as np
from nbformat import NotebookNode

from autograder.lessons import ROOT, load_lesson, repository_address, solution_functions
from autograder.lessons.lesson import BRANCH, RELEASE
from course.files import write_whole
from figures import palette
from figures.mask_explorer import ORDERS, MaskExplorer
from figures.page import LOADER, traits_of
from website.notebooks import LiveWidgets, page_notebook
from website.npm import package
from website.recording import DRAWN, RESHUFFLE

HERE = Path(__file__).parent
KATEX = (
    "katex",
    "0.16.22",
    "sha512-XCHRdUw4lf3SKBaJe4EvgqIuWwkPSo9XoeO8GjQW94Bp7TWv9hNhzZjZ+OH9yf1UmLygb7DIT5GSFQiyt16zYg==",
)
GUIDES = ("course/README.md", "docs/README.md", "docs/instructor.md", "docs/deployment.md")
GUIDES += ("docs/topics.md", "docs/reuse.md")
INSIDE = ("ARCHITECTURE.md", "CONTRIBUTING.md", "SECURITY.md", "benchmarks/README.md")
INSIDE += ("CHANGELOG.md",)
MERMAID = (
    "@mermaid-js/tiny",
    "12.0.0",
    "sha512-ZW9YXy+3tSLPscBT+NnQO0K0qYH7BGES5nExl6Snoygey7xd2N0cO7Nq30N5k/u7gIeYoCrldyVy+VTCMWrNDQ==",
)
DIAGRAMS = ("mermaid", "diagrams")  # the scripts of a page that has some
DRAWS = 12  # how many networks the front page can show one after the other

_LINK = re.compile(r"\]\((?![a-z]+:)([^)\s#]+)(#[^)\s]*)?\)")
_DIAGRAM = re.compile(r"^```mermaid\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_FOREIGN_PICTURE = re.compile(r"!\[([^\]]*)\]\(https?://[^)]*\)")


def page_of(lesson: str) -> str:
    """The page's place in the sources, which is the notebook's in the repository."""
    return (RELEASE / lesson / "lesson.ipynb").as_posix()


def localized(text: str, here: str, pages: set[str]) -> str:
    """A page's Markdown: links into the repository lead to GitHub, pictures from afar are words.

    here: the page's path in the repository; pages: those of all pages of the site.
    """
    address = repository_address()

    def lead(link: re.Match) -> str:
        target = os.path.normpath(PurePosixPath(here).parent / link[1])
        if target in pages or not (ROOT / target).exists():
            return link[0]
        kind = "tree" if (ROOT / target).is_dir() else "blob"
        return f"]({address}/{kind}/{BRANCH}/{target}{link[2] or ''})"

    text = _LINK.sub(lead, _FOREIGN_PICTURE.sub(r"\1", text))
    static = "../" * here.count("/") + "_static"
    scripts = (f'<script src="{static}/{name}.js" defer></script>' for name in DIAGRAMS)
    if _DIAGRAM.search(text):
        text += f"\n```{{raw}} html\n{''.join(scripts)}\n```\n"
    return _DIAGRAM.sub(_diagram, text)


def _diagram(fence: re.Match) -> str:
    return f'```{{raw}} html\n<pre class="mermaid" tabindex="0">{escape(fence[1])}</pre>\n```'


def front_explorer() -> str:
    """A network whose every line is open, and lesson 05's own functions behind its buttons."""
    names = solution_functions("05_made")
    n, hidden = 4, 5
    drawn = MaskExplorer.of(
        names["build_masks"], names["assign_degrees"], n=n, hidden_sizes=(hidden,)
    )
    answers: dict[str, list[dict]] = {order: [] for order in ORDERS}
    for _ in range(DRAWS):
        for order in ORDERS:
            drawn._answer({"new": {"order": order}})
            traits = traits_of(drawn)
            answers[order].append({name: traits[name] for name in DRAWN})
        drawn._answer({"new": RESHUFFLE})
    dense = MaskExplorer([np.ones((hidden, n)), np.ones((n, hidden))])
    dense._live, told = True, {"orders": answers}
    return LiveWidgets().html(dense._esm, dense._css, traits_of(dense), repr(dense), told)


def front_page(lessons: list[str], solved: bool) -> str:
    """The first page: something to play with, and the way into every lesson."""
    address = repository_address().replace("github.com", "colab.research.google.com/github")
    read = [load_lesson(name) for name in lessons]
    cards = [
        {
            "number": lesson.number,
            "called": lesson.number if lesson.is_appendix else f"Lesson {lesson.number}",
            "title": lesson.title,
            "question": lesson.question,
            "minutes": lesson.minutes,
            "worth": "not graded" if lesson.is_appendix else f"{lesson.points} points",
            "page": page_of(lesson.name).replace(".ipynb", ".html"),
            "colab": f"{address}/blob/{BRANCH}/{page_of(lesson.name)}",
        }
        for lesson in read
    ]
    contents = {
        "Lessons": [page_of(name) for name in lessons],
        "Guides": GUIDES,
        "Inside": INSIDE,
    }
    template = jinja2.Template((HERE / "front.md.j2").read_text("utf-8"))
    made = next((card for card in cards if card["number"] == "5"), cards[0])
    return template.render(
        explorer=front_explorer(),
        lessons=cards,
        count=sum(not lesson.is_appendix for lesson in read),
        made=made,
        contents=contents,
        solved=solved,
    )


def guides() -> dict[str, str]:
    """The texts of the pages that are no lessons, by their paths in the repository."""
    return {path: (ROOT / path).read_text("utf-8") for path in (*GUIDES, *INSIDE)}


def write_sources(notebooks: dict[str, NotebookNode], place: Path, solved: bool) -> None:
    """Writes all of the site's sources, pages and static files, into the folder `place`.

    solved: whether the notebooks are, which the first page says.
    """
    shutil.rmtree(place, ignore_errors=True)
    pages = {page_of(name) for name in notebooks} | {*GUIDES, *INSIDE}
    texts = {"index.md": front_page(list(notebooks), solved)}
    for path, text in guides().items():
        texts[path] = localized(text, path, pages)
    for name, notebook in notebooks.items():
        shown = page_notebook(notebook)
        for cell in shown.cells:
            if cell.cell_type == "markdown":
                cell.source = localized(cell.source, page_of(name), pages)
        texts[page_of(name)] = nbformat.writes(shown)
    texts["_static/widgets.js"] = _alone(LOADER + (HERE / "static/widgets.js").read_text("utf-8"))
    for name in ("site.css", "formulas.js", "theme.js", "diagrams.js"):
        texts[f"_static/{name}"] = (HERE / "static" / name).read_text("utf-8")
    texts["_static/site.css"] += palette.stylesheet("pre.mermaid")
    for path, text in texts.items():
        (place / path).parent.mkdir(parents=True, exist_ok=True)
        write_whole(place / path, text)
    katex = package(*KATEX) / "dist"
    shutil.copytree(katex / "fonts", place / "_static/katex/fonts")
    for name in ("katex.min.css", "katex.min.js"):
        shutil.copy(katex / name, place / "_static/katex")
    shutil.copy(package(*MERMAID) / "dist" / "mermaid.tiny.js", place / "_static/mermaid.js")


def _alone(script: str) -> str:
    return "(() => {\n" + script + "})();\n"


def build(sources: Path, html: Path) -> None:
    """Runs Sphinx; a warning is an error. Raises RuntimeError if it fails."""
    from sphinx.cmd.build import build_main

    shutil.rmtree(html, ignore_errors=True)
    static = f"html_static_path={sources / '_static'}"
    where = ["-c", str(HERE), "-d", str(sources.parent / f"{sources.name}.doctrees")]
    how = ["-q", "-W", "--keep-going", "-j", "2", "-D", static]
    if build_main([*where, *how, str(sources), str(html)]):
        raise RuntimeError("Sphinx found something wrong: its words stand above")
