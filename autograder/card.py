"""A verdict to look at: the HTML card of a notebook, and the text form of a terminal.

Every text that may come from a student's process is escaped, so a card is inert wherever it is
shown: notebook, nbgrader's feedback, formgrader, class report. The card needs no stylesheet and no
script, takes its colors from the page (light or dark), and says by sign and word what it says by
color.
"""

from __future__ import annotations

import textwrap
from dataclasses import dataclass, fields
from html import escape
from typing import Any

from autograder.claims import (
    ELSEWHERE,
    ERROR,
    FAILED,
    NOT_ATTEMPTED,
    PARTLY,
    PASSED,
    Claim,
    Verdict,
)

# Okabe–Ito: bluish green, orange, vermilion, and grey for what is still to come.
_COLOR = {
    PASSED: "#009E73",
    PARTLY: "#E69F00",
    FAILED: "#D55E00",
    ERROR: "#D55E00",
    NOT_ATTEMPTED: "#888888",
    ELSEWHERE: "#888888",
}
_SIGN = {PASSED: "✓", PARTLY: "◐", FAILED: "✗", ERROR: "!", NOT_ATTEMPTED: "○", ELSEWHERE: "○"}
_TITLE = {
    PASSED: "every claim holds",
    PARTLY: "some claims hold",
    FAILED: "not yet",
    ERROR: "the check itself stopped",
    NOT_ATTEMPTED: "not attempted",
    ELSEWHERE: "checked by the grader",
}


def points_text(verdict: Verdict) -> str:
    """ "2 of 3 points"."""
    if verdict.status == ELSEWHERE:
        return "no points here"
    return f"{verdict.earned:g} of {verdict.points:g} points"


def _explanation(verdict: Verdict) -> list[str]:
    """Sentences for a check that did not run to its end."""
    if verdict.status == NOT_ATTEMPTED:
        reason = verdict.reason or f"{verdict.name} is not written yet"
        return [f"{reason}. Replace the NotImplementedError with your code."]
    if verdict.status == ELSEWHERE:
        return ["The grader checks it from outside of this notebook; this cell earns nothing."]
    lines = [verdict.reason] if verdict.reason else []
    if verdict.line:
        lines.append(f"It came from your line: {verdict.line}")
    if verdict.status == ERROR:
        lines.append("This may be our mistake: please report it with the seed below.")
    return lines


def as_text(verdict: Verdict, note: str = "") -> str:
    """The verdict as plain text, for a terminal: title, cause once, claims, a line each."""
    title = f"{_SIGN[verdict.status]} {verdict.name}: {_TITLE[verdict.status]}"
    out = [f"{title} ({points_text(verdict)})"]
    cause = _cause(verdict)
    if cause.sentence:
        out += _wrap(f"{cause.label}: {cause.sentence}" if cause.label else cause.sentence, "  ")
        out += _wrap(f"read again: “{verdict.see}”", "      ") if verdict.see else []
    if cause.example:
        out += _wrap(_SMALLEST, "  ")
    for label, text in cause.example:
        out += _wrap(f"{label}: {text}", "      ")
    for one in verdict.claims:
        out += _wrap(f"{_mark(one)[0]} {one.text}", "  ")
        for label, text in _details(one, cause):
            out += _wrap(f"{label}: {text}", "      ")
    for sentence in [*_explanation(verdict), *filter(None, [note])]:
        out += _wrap(sentence, "  ")
    return "\n".join(out)


def _wrap(text: str, indent: str) -> list[str]:
    return textwrap.wrap(text, 98, initial_indent=indent, subsequent_indent=indent + "  ")


@dataclass(frozen=True)
class _Told:
    """The cause as a card tells it: label and sentence, the smallest failing case, a picture."""

    label: str = ""
    sentence: str = ""
    example: tuple[tuple[str, str], ...] = ()
    picture: str = ""
    explains: bool = False  # a program gave every answer: the claims need not say more


_UNKNOWN = "None of the mistakes that this check knows gives your numbers."
_SMALLEST = "A small case that fails:"


def _cause(verdict: Verdict) -> _Told:
    """What the card says before the claims, once."""
    cause = verdict.cause
    if cause is None:
        return _Told("advice", verdict.advice) if verdict.advice else _Told()
    known = cause.how == "reproduced"
    label = "cause" if known else "advice" if cause.advice else ""
    said = cause.advice or _UNKNOWN
    return _Told(label, said, cause.example, cause.picture, cause.explains)


def _mark(one: Claim) -> tuple[str, str, str]:
    """Sign, word and color of a claim."""
    if one.holds:
        return "✓", "holds", _COLOR[PASSED]
    if one.waits:
        return "○", "waits", _COLOR[NOT_ATTEMPTED]
    return "✗", "fails", _COLOR[FAILED]


def _details(one: Claim, cause: _Told) -> list[tuple[str, str]]:
    """Evidence of a failed claim, and its advice where the card has not said it already."""
    if one.holds:
        return []
    if one.waits:
        return [("waits for", one.waits)]
    advice = "" if one.advice == cause.sentence else one.advice
    pairs = [("seen", one.saw), ("asked", one.asks), ("advice", advice)]
    return [(label, text) for label, text in pairs if text]


def as_html(verdict: Verdict, note: str = "") -> str:
    """The verdict as an accessible HTML card: the cause once, then the claims, a line each."""
    color = _COLOR[verdict.status]
    label = f"Check of {verdict.name}: {_TITLE[verdict.status]}, {points_text(verdict)}"
    told = _cause(verdict)
    sentences = [*_explanation(verdict), *filter(None, [note])]
    tail = "".join(f'<p style="margin:6px 0 0">{escape(s)}</p>' for s in sentences)
    return (
        f'<section role="group" aria-label="{escape(label, quote=True)}" style="border:1px solid '
        f"{color};border-left:6px solid {color};border-radius:6px;padding:10px 14px;margin:4px 0;"
        'max-width:46em;line-height:1.45;color:inherit;background:transparent">'
        f'<div style="display:flex;gap:8px;align-items:baseline;flex-wrap:wrap">'
        f'<strong style="font-size:1.05em"><span aria-hidden="true" style="color:{color}">'
        f"{_SIGN[verdict.status]}</span> <code>{escape(verdict.name)}</code>: "
        f"{_TITLE[verdict.status]}</strong>"
        f'<span style="margin-left:auto;opacity:.85">{points_text(verdict)}</span></div>'
        + _cause_html(verdict, told)
        + _claims_html(verdict, told)
        + tail
        + "</section>"
    )


def _cause_html(verdict: Verdict, told: _Told) -> str:
    if not told.sentence:
        return ""
    label = f'<span style="opacity:.75">{told.label}:</span> ' if told.label else ""
    again = (
        f'<div style="margin:2px 0 0"><span style="opacity:.75">read again:</span> '
        f"“{escape(verdict.see)}”</div>"
        if verdict.see
        else ""
    )
    html = (
        f'<div style="margin:8px 0 0">{label}<strong>{escape(told.sentence)}</strong>{again}</div>'
    )
    if told.example:
        rows = "".join(
            f'<tr><th scope="row" style="text-align:left;font-weight:normal;opacity:.75;'
            f'padding:1px 12px 1px 0;vertical-align:top;white-space:nowrap">{escape(label)}</th>'
            f'<td style="text-align:left;padding:1px 0">{escape(text)}</td></tr>'
            for label, text in told.example
        )
        html += (
            f'<div style="margin:6px 0 0">{_SMALLEST}</div>'
            f'<table style="margin:2px 0 0;border:0;font:inherit;color:inherit">{rows}</table>'
        )
    return html + _picture_html(told.picture, "Picture of your answer: " + told.sentence)


def _picture_html(picture: str, alt: str) -> str:
    if not picture.startswith("data:image/png;base64,"):
        return ""
    return (
        f'<img src="{escape(picture, quote=True)}" style="max-width:100%;margin:4px 0" '
        f'alt="{escape(alt, quote=True)}">'
    )


def _claims_html(verdict: Verdict, told: _Told) -> str:
    if not verdict.claims:
        return ""
    rows = "".join(_claim_html(one, told) for one in verdict.claims)
    listed = f'<ul style="list-style:none;margin:8px 0 0;padding:0">{rows}</ul>'
    failed = sum(c.fails for c in verdict.claims)
    if not (told.explains and failed):
        return listed
    counted = f"{failed} of {len(verdict.claims)} claims fail, and this explains them"
    return f'<details style="margin:8px 0 0"><summary>{counted}</summary>{listed}</details>'


def _claim_html(one: Claim, told: _Told) -> str:
    sign, word, color = _mark(one)
    inner = "".join(
        f'<div style="margin:2px 0 0 1.5em"><span style="opacity:.75">{label}:</span> '
        f"{'<strong>' if label == 'advice' else ''}{escape(text)}"
        f"{'</strong>' if label == 'advice' else ''}</div>"
        for label, text in _details(one, told)
    )
    inner += _picture_html(one.picture, "Picture of what was seen: " + one.saw)
    return (
        f'<li style="margin:4px 0"><span aria-hidden="true" style="color:{color};font-weight:bold">'
        f'{sign}</span> <span style="position:absolute;left:-9999px">{word}:</span>'
        f"{escape(one.text)}{inner}</li>"
    )


@dataclass(frozen=True, repr=False)
class Card(Verdict):
    """A verdict that shows itself: as HTML in a notebook, as text in a terminal.

    `note` is a sentence about the notebook, not about the answer.
    """

    note: str = ""

    @classmethod
    def of(cls, verdict: Verdict, note: str = "") -> Card:
        """The card of a verdict."""
        return cls(**{f.name: getattr(verdict, f.name) for f in fields(Verdict)}, note=note)

    def __repr__(self) -> str:
        return as_text(self, self.note)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        # nbgrader reads the points of a graded cell from the plain text of its result, so in a
        # notebook the plain form is the number and the card is the HTML form.
        return {
            "text/html": as_html(self, self.note),
            "text/plain": f"{self.earned:g}" if _in_a_notebook() else repr(self),
        }


def _in_a_notebook() -> bool:
    try:
        from IPython import get_ipython
    except ImportError:
        return False
    return hasattr(get_ipython(), "kernel")
