"""Colors code and renders Markdown for pages, within a time limit; else shows the plain text.

nbgrader_config.py names both functions as filters of nbconvert's HTML exporter, so that feedback
pages and formgrader are bounded alike. Some texts cost a colorizer the square of their length (in
Pygments' ipython3 lexer a run of blank lines, or of dots, does): what looks like that is shown
plain at once, and for whatever else takes long there is a limit, in seconds of the processor, so
that a busy machine changes no page.
"""

from __future__ import annotations

import contextlib
import html
import re
import signal
import threading
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from typing import Any

from jinja2 import pass_context
from nbconvert.filters.highlight import Highlight2HTML
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath

MAX_COLORED = 50_000  # characters of a cell
MAX_RUN = 500  # equal characters, or characters of white space, in a row
CELL_SECONDS = 0.4
PAGE_SECONDS = 0.6  # of all cells that come near their limit, together

_RUNS = re.compile(r"\s+|(\S)\1*")
_plainly: ContextVar[bool] = ContextVar("plainly", default=False)


class TookTooLong(Exception):
    """What ran within a `deadline` ran out of time."""


@contextlib.contextmanager
def plainly() -> Iterator[None]:
    """Everything inside is shown as plain text."""
    token = _plainly.set(True)
    try:
        yield
    finally:
        _plainly.reset(token)


@contextlib.contextmanager
def deadline(seconds: float, *, of_processor: bool = False) -> Iterator[None]:
    """Raises TookTooLong in the block after `seconds` on the clock, or of this process's time.

    It takes a main thread and a system that has timers; elsewhere nothing is raised.
    """
    if threading.current_thread() is not threading.main_thread() or not hasattr(
        signal, "setitimer"
    ):
        yield
        return
    timer, number = signal.ITIMER_REAL, signal.SIGALRM
    if of_processor:
        timer, number = signal.ITIMER_PROF, signal.SIGPROF
    armed = True

    def ring(*_: Any) -> None:
        if armed:
            raise TookTooLong(f"this took longer than {seconds:g} s")

    before = signal.signal(number, ring)
    signal.setitimer(timer, seconds)
    try:
        yield
        armed = False
    finally:
        armed = False
        signal.setitimer(timer, 0)
        signal.signal(number, before)


def looks_costly(text: str) -> bool:
    """Whether `text` is longer, or more monotonous, than code and prose are; linear in it."""
    if len(text) > MAX_COLORED:
        return True
    return any(len(run[0]) > MAX_RUN for run in _RUNS.finditer(text))


@pass_context
def highlight_code(
    context: Any, source: str, language: str | None = None, metadata: Any = None
) -> Any:
    """nbconvert's filter of this name: code as HTML, colored where that is quick."""
    return _within_limits(
        context, source, lambda: Highlight2HTML()(source, language, metadata), _code
    )


@pass_context
def markdown2html(context: Any, source: str) -> str:
    """nbconvert's filter of this name: Markdown as HTML, rendered where that is quick."""

    def rendered() -> str:
        attachments = (context.get("cell") or {}).get("attachments", {})
        renderer = IPythonRenderer(escape=False, attachments=attachments)
        return MarkdownWithMath(renderer=renderer).render(source)

    return _within_limits(context, source, rendered, _prose)


def _within_limits(
    context: Any, source: str, show: Callable[[], str], plain: Callable[[str], str]
) -> str:
    # The exporter makes fresh resources for each page: what this page has left is kept there.
    page = context.get("resources")
    page = {} if page is None else page
    left = page.get("seconds_to_color", PAGE_SECONDS)
    if _plainly.get() or looks_costly(source) or left <= 0:
        return plain(source)
    seconds = min(CELL_SECONDS, left)
    try:
        with deadline(seconds, of_processor=True):
            return show()
    except (TookTooLong, RecursionError):
        page["seconds_to_color"] = left - seconds
        return plain(source)


def _code(source: str) -> str:
    return f'<div class="highlight"><pre>{html.escape(source) or " "}</pre></div>'


def _prose(source: str) -> str:
    return f'<pre style="white-space: pre-wrap">{html.escape(source)}</pre>'
