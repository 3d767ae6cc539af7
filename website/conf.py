"""Sphinx's configuration: nothing on a page comes from another host."""

from collections.abc import Callable

from docutils import nodes
from sphinx.application import Sphinx

from autograder.lessons import repository_address
from autograder.lessons.lesson import BRANCH

project = "Autoregressive generative models"
author = "the authors of the course"
extensions = ["myst_nb"]
exclude_patterns = []

# The notebooks come executed, their widgets as HTML of our own: no require.js, no manager.
nb_execution_mode = "off"
nb_ipywidgets_js = {}
myst_enable_extensions = ["dollarmath", "amsmath"]
myst_heading_anchors = 4
suppress_warnings = ["myst.header"]

html_theme = "sphinx_book_theme"
html_title = project
html_math_renderer = "katex"
html_css_files = ["katex/katex.min.css", "site.css"]
SCRIPTS = ("katex/katex.min.js", "formulas.js", "theme.js", "widgets.js")
html_js_files = [(script, {"defer": "defer"}) for script in SCRIPTS]
html_copy_source = False
html_show_sourcelink = False
html_permalinks_icon = "#"
# A summary is fetched from its page, which a page on a disk may not do.
html_show_search_summary = False
html_context = {"default_mode": "auto"}
html_theme_options = {
    "repository_url": repository_address(),
    "repository_branch": BRANCH,
    "path_to_docs": "",
    "use_repository_button": True,
    "use_download_button": False,
    "launch_buttons": {"colab_url": "https://colab.research.google.com"},
    "show_toc_level": 2,
    "navbar_persistent": [],
    "home_page_in_toc": False,
}


def _formula(tag: str) -> Callable:
    """What writes a formula as its TeX in an element that formulas.js finds."""

    def visit(self, node: nodes.Element) -> None:
        self.body.append(self.starttag(node, tag, "", CLASS="formula"))
        self.body.append(f"{self.encode(node.astext())}</{tag}>")
        raise nodes.SkipNode

    return visit


def setup(app: Sphinx) -> None:
    """KaTeX draws the formulas, from files that lie beside the pages."""
    app.add_html_math_renderer("katex", (_formula("span"), None), (_formula("div"), None))
