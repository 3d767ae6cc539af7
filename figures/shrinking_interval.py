"""A static picture: the word B-A-C as an interval that shrinks, and the number that names it.

A has probability 1/2, B and C have 1/4 each: the interval of B-A-C is [19/32, 20/32), and its
lower end is 0.10011 in binary. This is arithmetic coding (Rissanen, 1976; Pasco, 1976).
"""

from __future__ import annotations

from fractions import Fraction
from html import escape

from figures import palette

NAME = "shrinking-interval"
WORD, LETTERS = "BAC", "ABC"
PARTS = (Fraction(1, 2), Fraction(1, 4), Fraction(1, 4))
ALT = (
    "The word B-A-C as an interval that shrinks in three steps. First the line from 0 to 1 is cut "
    "into A (one half), B and C (a quarter each); B is kept: 1/2 to 3/4. Stretched to full width "
    "and cut in the same way, A is kept: 1/2 to 5/8. Cut again, C is kept: 19/32 to 5/8, of width "
    "1/32. So BAC costs 2 + 1 + 2 = 5 bits, and its file is 10011: 0.10011 in binary is 19/32."
)

WIDTH, HEIGHT = 760, 384
LEFT, RIGHT = 24, 600
TOP, TALL, STEP = 54, 46, 100
SANS = "system-ui, -apple-system, Segoe UI, Roboto, Helvetica, Arial, sans-serif"


def steps() -> list[tuple[Fraction, Fraction]]:
    """(low, width) before each letter, and after the last."""
    low, width, found = Fraction(0), Fraction(1), [(Fraction(0), Fraction(1))]
    for letter in WORD:
        symbol = LETTERS.index(letter)
        low += width * sum(PARTS[:symbol], Fraction(0))
        width *= PARTS[symbol]
        found.append((low, width))
    return found


def draw(dark: bool) -> str:
    """The picture as SVG text, for a light or a dark page."""
    color = palette.DARK if dark else palette.LIGHT
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" '
        f'height="{HEIGHT}" role="img" aria-label="{escape(ALT, quote=True)}" '
        f'font-family="{SANS}" font-size="14" fill="{color["ink"]}">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" rx="10" fill="{color["page"]}"/>',
        _text(LEFT, 22, "each line is the part kept above, stretched", color["quiet"]),
        _text(RIGHT + 36, 22, "price", color["quiet"]),
    ]
    found = steps()
    for row, letter in enumerate(WORD):
        parts += _line(row, letter, *found[row], color)
    low, width = found[-1]
    y = TOP + 3 * STEP - 14
    digits = f"{int(low * 32):05b}"
    parts += [
        _text(LEFT, y + 4, f"BAC is everything from {low} to {low + width}:", color["ink"]),
        _text(
            LEFT, y + 24, f"all binary numbers that begin 0.{digits}", color["path-ink"], bold=True
        ),
        _text(RIGHT + 36, y + 4, "2 + 1 + 2", color["ink"]),
        _text(RIGHT + 36, y + 24, "= 5 bits", color["path-ink"], bold=True),
    ]
    return "\n".join([*parts, "</svg>"]) + "\n"


def _line(row: int, kept: str, low: Fraction, width: Fraction, color: dict) -> list[str]:
    y, long, at = TOP + row * STEP, RIGHT - LEFT, Fraction(0)
    parts = []
    for letter, share in zip(LETTERS, PARTS, strict=True):
        x0, x1 = LEFT + float(at) * long, LEFT + float(at + share) * long
        on = letter == kept
        fill, ink = (color["path"], color["on-path"]) if on else (color["panel"], color["quiet"])
        parts.append(
            f'<rect x="{x0:.1f}" y="{y}" width="{x1 - x0:.1f}" height="{TALL}" fill="{fill}" '
            f'stroke="{color["rim"]}" stroke-width="1.2"/>'
        )
        parts.append(
            f'<text x="{(x0 + x1) / 2:.1f}" y="{y + 29}" text-anchor="middle" font-size="18" '
            f'font-weight="{700 if on else 400}" fill="{ink}">{letter}</text>'
        )
        if on:
            below = y + STEP
            for x, end in ((x0, LEFT), (x1, RIGHT)):
                if row < len(WORD) - 1:
                    parts.append(
                        f'<path d="M{x:.1f} {y + TALL}L{end} {below}" fill="none" '
                        f'stroke="{color["path"]}" stroke-width="1.4" stroke-dasharray="4 4"/>'
                    )
        at += share
    marks = [Fraction(0), PARTS[0], PARTS[0] + PARTS[1], Fraction(1)]
    for i, mark in enumerate(marks):
        anchor = {0: "start", 3: "end"}.get(i, "middle")
        parts.append(
            f'<text x="{LEFT + float(mark) * long:.1f}" y="{y - 6}" text-anchor="{anchor}" '
            f'font-size="12" fill="{color["quiet"]}">{low + mark * width}</text>'
        )
    cost = PARTS[LETTERS.index(kept)].denominator.bit_length() - 1
    parts.append(_text(RIGHT + 36, y + 20, f"{kept}: {cost} bit{'s' * (cost > 1)}", color["ink"]))
    parts.append(_text(RIGHT + 36, y + 39, f"width {width / 2**cost}", color["quiet"]))
    return parts


def _text(x: float, y: float, words: str, fill: str, bold: bool = False) -> str:
    weight = ' font-weight="700"' if bold else ""
    return f'<text x="{x}" y="{y}" fill="{fill}"{weight}>{escape(words)}</text>'
