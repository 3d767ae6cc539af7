"""An executed lesson becomes a page's notebook: widgets alive without Jupyter, no progress bars."""

from __future__ import annotations

import hashlib
import re
from html import escape
from typing import Any

from nbformat import NotebookNode
from nbformat.v4 import output_from_msg

from autograder.lessons.lesson import BEGIN, END
from figures.page import read_by_pictures, script_text
from website.recording import VIEW

STATES = "application/vnd.jupyter.widget-state+json"
# Of a prediction whose answer an exercise computes, on the pages without solutions.
YOURS = (
    "waiting",
    "Your own function knows.",
    "An exercise of this lesson computes the answer: choose again in your notebook, and see.",
    -1,
)


class LiveWidgets:
    """The HTML of a page's widgets; a module that several of them run stands there once."""

    def __init__(self) -> None:
        self._there: set[str] = set()

    def html(
        self, module: str, css: str, traits: dict, words: str, answers: dict | None = None
    ) -> str:
        """A place that widgets.js draws in. Where no script runs, it says `words`.

        traits: the widget's state as `figures.page.traits_of` gives it.
        answers: of a kernel, recorded: what each request is answered with; see widgets.js.
        """
        name = hashlib.sha256((module + css).encode()).hexdigest()[:12]
        html = ""
        if name not in self._there:
            self._there.add(name)
            style = css.replace("</", "<\\/")
            html += f"<style>{style}</style>" + _data(module, id=f"module-{name}")
        # A saved still may stand beside it, and says them already.
        said = f'<pre class="said" tabindex="0">{escape(words)}</pre>' if words else ""
        recorded = _data(answers, **{"class": "answers"}) if answers else ""
        return (
            f'{html}<div class="live-widget" data-module="{name}">'
            f"{said}</div>" + _data(traits, **{"class": "state"}) + recorded
        )


def _data(value: object, **attributes: str) -> str:
    told = "".join(f' {name}="{value}"' for name, value in attributes.items())
    return f'<script type="application/json"{told}>{script_text(value)}</script>'


def page_notebook(notebook: NotebookNode) -> NotebookNode:
    """The notebook as the site shows it; the one given is not changed.

    What only a notebook needs is left out: the setup cell, and what says how far a run has come.
    Raises ValueError for a widget that is neither one of ours, nor a progress bar or a box of text.
    """
    page = NotebookNode(notebook.copy())
    states = notebook.metadata.get("widgets", {}).get(STATES, {}).get("state", {})
    answers = notebook.metadata.get("answers", {})
    live = LiveWidgets()
    page.cells = []
    for cell in notebook.cells:
        if "setup" in cell.metadata.get("tags", []):
            continue
        shown = NotebookNode(cell.copy())
        shown.metadata, shown.source = _folded(cell), _unmarked(cell)
        if cell.cell_type == "code":
            outputs = (_output(output, states, answers, live) for output in cell.outputs)
            shown.outputs = [output for output in outputs if output is not None]
        page.cells.append(shown)
    page.metadata = NotebookNode(kernelspec=notebook.metadata.kernelspec)
    return page


def _folded(cell: NotebookNode) -> NotebookNode:
    """The metadata of a cell on the page: code that a notebook folds is folded there too."""
    if not cell.metadata.get("jupyter", {}).get("source_hidden"):
        return NotebookNode()
    title = cell.source.partition("\n")[0].partition("#@title")[2].strip()
    told = {"code_prompt_show": title, "code_prompt_hide": title} if title else {}
    return NotebookNode(tags=["hide-input"], mystnb=told)


def _unmarked(cell: NotebookNode) -> str:
    """The cell's text without what only a notebook reads; a model answer is called so."""
    is_code, lines = cell.cell_type == "code", []
    for line in cell.source.split("\n"):
        if BEGIN in line and not is_code:
            lines.append("**A model answer**\n")
        elif not (BEGIN in line or END in line or line.startswith("#@title")):
            lines.append(line)
    return "\n".join(lines)


def _output(
    output: NotebookNode, states: dict, answers: dict, live: LiveWidgets
) -> NotebookNode | None:
    if re.search(r"\d%\|", str(output.get("data", {}).get("text/plain", ""))):
        return None  # a bar of course.progress
    if output.output_type == "stream" and output.name == "stderr":
        return None  # progress bars: website.executing lets nothing else pass
    view = output.get("data", {}).get(VIEW)
    if view is None:
        return output
    model = states.get(view["model_id"])
    if model is None or "_esm" not in model["state"]:
        if model is None or model["model_name"] == "HBoxModel":  # tqdm's bar
            return None
        if model["model_name"] == "TextModel":
            return _displayed(_as_it_was(model["state"]))
        raise ValueError(f"the site cannot show a widget of the kind {model['model_name']}")
    words, told = str(output.data.get("text/plain", "")), answers.get(view["model_id"])
    module, css = model["state"]["_esm"], model["state"].get("_css", "")
    return _displayed(live.html(module, css, _traits(model), words, _for_readers(told)))


def _displayed(html: str) -> NotebookNode:
    content = {"data": {"text/html": html}, "metadata": {}}
    return output_from_msg({"header": {"msg_type": "display_data"}, "content": content})


def _as_it_was(state: dict[str, Any]) -> str:
    """A box that a kernel reads: what stood in it, and that a page has no kernel."""
    return (
        f'<p class="as-it-was">{escape(state["description"])}: <q>{escape(state["value"])}</q>'
        " <small>In a notebook you can type your own.</small></p>"
    )


def _for_readers(told: dict | None) -> dict | None:
    """What a widget answers on a page: no cell can be run there, and no choice is kept."""
    if told is None or not any(one["_told"][0] == "waiting" for one in told.get("choices", [])):
        return told
    return {"choices": [{"_told": list(YOURS)} for _ in told["choices"]]}


def _traits(model: dict[str, Any]) -> dict[str, Any]:
    """The traits of a model in a notebook's saved state, bytes as figures.page writes them."""
    state = read_by_pictures(model["state"])
    for buffer in model.get("buffers", []):
        (name,) = buffer["path"]
        if buffer["encoding"] != "base64":
            raise ValueError(f"bytes of a widget are saved in base64: got {buffer['encoding']}")
        state[name] = {"$bytes": buffer["data"]}
    return state
