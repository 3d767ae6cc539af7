"""A static picture: the word B-A-C unrolled into its three factors, their product and its log.

The numbers are those of lesson 02: a machine that writes three letters over A, B, C, and gives the
letters of B-A-C the probabilities 0.4, 0.5 and 0.6.
"""

from __future__ import annotations

import math
from html import escape

from figures import palette

NAME = "unrolled-chain"
WORD, LETTERS = "BAC", "ABC"
ROWS = ((0.3, 0.4, 0.3), (0.5, 0.2, 0.3), (0.1, 0.3, 0.6))  # p(x_1), p(x_2 | B), p(x_3 | B, A)
ALT = (
    "The word B-A-C as a chain of three steps. Each step is a row of probabilities for A, B, C, "
    "given the letters before: 0.3, 0.4, 0.3, of which B takes 0.4; after B 0.5, 0.2, 0.3, of "
    "which A takes 0.5; after B, A 0.1, 0.3, 0.6, of which C takes 0.6. Arrows lead from every "
    "letter to all later steps, none back. Below, the product 0.4 × 0.5 × 0.6 = 0.12 and the "
    "sum of the logs −0.916 − 0.693 − 0.511 = −2.120 nats."
)

WIDTH, HEIGHT = 760, 362
CARD, GAP, LEFT = 158, 30, 14
TOP, TALL = 92, 146  # the cards
LENGTH = 125  # of a bar of probability 1
SANS = "system-ui, -apple-system, Segoe UI, Roboto, Helvetica, Arial, sans-serif"
SERIF = "STIX Two Text, Cambria, Georgia, Times New Roman, serif"


def draw(dark: bool) -> str:
    """The picture as SVG text, for a light or a dark page."""
    color = palette.DARK if dark else palette.LIGHT
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" '
        f'height="{HEIGHT}" role="img" aria-label="{escape(ALT, quote=True)}" '
        f'font-family="{SANS}" font-size="14" fill="{color["ink"]}">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" rx="10" fill="{color["page"]}"/>',
        '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" '
        f'markerHeight="7" orient="auto"><path d="M0 0L8 4L0 8Z" fill="{color["quiet"]}"/>'
        "</marker></defs>",
    ]
    for step in range(3):
        parts += _arrows(step, color)
    for step in range(3):
        parts += _card(step, color)
    parts += _totals(color)
    return "\n".join([*parts, "</svg>"]) + "\n"


def _left(step: int) -> int:
    return LEFT + step * (CARD + GAP)


def _middle(step: int) -> float:
    return _left(step) + CARD / 2


def _arrows(step: int, color: dict[str, str]) -> list[str]:
    """From the letter of this step to every later card: what comes later knows it."""
    drawn = []
    for later in range(step + 1, 3):
        x0, x1 = _middle(step) + 17, _middle(later) - 32 + 12 * step
        rise = 30 if later == step + 1 else 52
        drawn.append(
            f'<path d="M{x0} {46}C{x0 + 40} {46 - rise} {x1 - 26} {46 - rise} {x1} {TOP - 4}" '
            f'fill="none" stroke="{color["quiet"]}" stroke-width="1.6" marker-end="url(#tip)"/>'
        )
    return drawn


def _card(step: int, color: dict[str, str]) -> list[str]:
    x, middle = _left(step), _middle(step)
    given = ", ".join(WORD[:step])
    title = (
        f'<tspan font-style="italic">p</tspan>(<tspan font-style="italic">x</tspan>'
        f'<tspan dy="4" font-size="11">{step + 1}</tspan><tspan dy="-4">'
        f"{' | ' + given if given else ''})</tspan>"
    )
    drawn = [
        f'<circle cx="{middle}" cy="48" r="18" fill="{color["path"]}"/>',
        f'<text x="{middle}" y="54" text-anchor="middle" font-weight="700" font-size="17" '
        f'fill="{color["on-path"]}">{WORD[step]}</text>',
        f'<rect x="{x}" y="{TOP}" width="{CARD}" height="{TALL}" rx="8" fill="{color["panel"]}" '
        f'stroke="{color["line"]}"/>',
        f'<text x="{middle}" y="{TOP + 26}" text-anchor="middle" font-family="{SERIF}" '
        f'font-size="17">{title}</text>',
    ]
    for place, (letter, p) in enumerate(zip(LETTERS, ROWS[step], strict=True)):
        y = TOP + 44 + place * 33
        chosen = letter == WORD[step]
        fill = f'fill="{color["path"]}"' if chosen else f'fill="none" stroke="{color["rim"]}"'
        weight = "700" if chosen else "400"
        drawn += [
            f'<text x="{x + 14}" y="{y + 16}" font-weight="{weight}">{letter}</text>',
            f'<rect x="{x + 32}" y="{y + 2}" width="{LENGTH * p:.1f}" height="18" rx="3" {fill}/>',
            f'<text x="{x + 38 + LENGTH * p:.1f}" y="{y + 16}" font-weight="{weight}">{p:.1f}'
            f"{' ◂' if chosen else ''}</text>",
        ]
    return drawn


def _totals(color: dict[str, str]) -> list[str]:
    factors = [row[LETTERS.index(letter)] for row, letter in zip(ROWS, WORD, strict=True)]
    logs = [math.log(factor) for factor in factors]
    x, first, second = _left(3), TOP + TALL + 40, TOP + TALL + 96
    product = [f"{'× ' if step else ''}{factor:.1f}" for step, factor in enumerate(factors)]
    total = [f"−{-log:.3f}" for log in logs]
    drawn = []
    for y, name, texts, result in (
        (first, "factors multiply", product, f"= {math.prod(factors):.2f}"),
        (second, "log-factors add", total, f"= −{-sum(logs):.3f} nats"),
    ):
        drawn += [
            f'<line x1="{LEFT}" x2="{WIDTH - LEFT}" y1="{y - 25}" y2="{y - 25}" '
            f'stroke="{color["line"]}"/>',
            f'<text x="{x}" y="{y + 3}" font-size="19" font-weight="700" '
            f'fill="{color["path-ink"]}">{result}</text>',
            f'<text x="{x}" y="{y + 21}" font-size="13" fill="{color["quiet"]}">{name}</text>',
        ]
        drawn += [
            f'<text x="{_middle(step)}" y="{y + 3}" text-anchor="middle" font-size="19">{text}'
            "</text>"
            for step, text in enumerate(texts)
        ]
    notes = ("each letter is drawn", "from its row, and", "every later row", "knows it")
    drawn += [
        f'<text x="{x}" y="{TOP + 40 + 20 * i}" fill="{color["quiet"]}">{line}</text>'
        for i, line in enumerate(notes)
    ]
    return drawn
