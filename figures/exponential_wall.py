"""A static picture: the table over n bits grows into a wall, four other models stay on the ground.

The vertical axis is logarithmic, the horizontal one is not, so the straight line is an exponential.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from html import escape

from figures import palette

NAME = "exponential-wall"
ALT = (
    "Free numbers against the number of bits n, up to n = 784, on a logarithmic axis from 1 to "
    "10^100. The full table, 2^n − 1, is a straight line so steep that it looks like a wall: about "
    "1.3·10^30 at n = 100, past the dashed line of 10^80 atoms in the observable universe at "
    "n = 266, out of the picture at n = 333, and 1.0·10^236 at n = 784. Four models stay at the "
    "bottom: at n = 784 a chain needs 1,567 numbers, FVSBN 307,720, MADE with 500 hidden units "
    "393,284 and NADE with 500 hidden units 785,284."
)

WIDTH, HEIGHT = 760, 400
LEFT, RIGHT, TOP, BOTTOM = 62, 150, 22, 46
MOST_N, MOST_LOG = 784, 100
HIDDEN = 500
SANS = "system-ui, -apple-system, Segoe UI, Roboto, Helvetica, Arial, sans-serif"

# name, color, dashes, and the count at n bits; a MADE with one hidden layer keeps n connections a
# unit, whatever the degrees.
MODELS: tuple[tuple[str, str, str, Callable[[int], int]], ...] = (
    ("NADE", "gap", "9 4", lambda n: 2 * n * HIDDEN + HIDDEN + n),
    ("MADE", "good", "9 3 2 3", lambda n: n * HIDDEN + HIDDEN + n if n > 1 else 1),
    ("FVSBN", "path", "", lambda n: n * (n + 1) // 2),
    ("chain", "rim", "2 4", lambda n: 2 * n - 1),
)


def draw(dark: bool) -> str:
    """The picture as SVG text, for a light or a dark page."""
    color = palette.DARK if dark else palette.LIGHT
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" '
        f'height="{HEIGHT}" role="img" aria-label="{escape(ALT, quote=True)}" '
        f'font-family="{SANS}" font-size="13.5" fill="{color["ink"]}">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" rx="10" fill="{color["page"]}"/>',
        *_axes(color),
        *_models(color),
        *_table(color),
    ]
    return "\n".join([*parts, "</svg>"]) + "\n"


def _x(n: float) -> float:
    return round(LEFT + (WIDTH - LEFT - RIGHT) * n / MOST_N, 2)


def _y(log10: float) -> float:
    return round(HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * log10 / MOST_LOG, 2)


def _power(exponent: int) -> str:
    return f'10<tspan dy="-5" font-size="0.75em">{exponent}</tspan>' if exponent else "1"


def _axes(color: dict[str, str]) -> list[str]:
    parts = []
    for exponent in range(0, MOST_LOG + 1, 20):
        y = _y(exponent)
        parts += [
            f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y}" y2="{y}" stroke="{color["line"]}"/>',
            f'<text x="{LEFT - 9}" y="{y + 4.5}" text-anchor="end" fill="{color["quiet"]}">'
            f"{_power(exponent)}</text>",
        ]
    for n in (0, 100, 266, 400, 600, 784):
        x = _x(n)
        parts += [
            f'<line x1="{x}" x2="{x}" y1="{_y(0)}" y2="{_y(0) + 5}" stroke="{color["rim"]}"/>',
            f'<text x="{x}" y="{_y(0) + 20}" text-anchor="middle" fill="{color["quiet"]}">'
            f"{n}</text>",
        ]
    middle = (LEFT + WIDTH - RIGHT) / 2
    return [
        *parts,
        f'<text x="{middle}" y="{HEIGHT - 8}" text-anchor="middle">bits n</text>',
        f'<text x="{LEFT + 6}" y="{TOP - 6}" text-anchor="start">free numbers</text>',
    ]


def _models(color: dict[str, str]) -> list[str]:
    parts = []
    for place, (name, role, dashes, count) in enumerate(MODELS):
        points = " ".join(
            f"{_x(n)},{_y(math.log10(count(n)))}"
            for n in (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 784)
        )
        ink = color.get(f"{role}-ink", color["quiet"])
        y = _y(0) - 72 + 19 * place
        end = _y(math.log10(count(MOST_N)))
        parts += [
            f'<polyline points="{points}" fill="none" stroke="{color[role]}" stroke-width="2.4" '
            f'stroke-dasharray="{dashes or "none"}"/>',
            f'<line x1="{_x(MOST_N) + 3}" x2="{_x(MOST_N) + 13}" y1="{end}" y2="{y - 4}" '
            f'stroke="{color[role]}"/>',
            f'<text x="{_x(MOST_N) + 17}" y="{y}" fill="{ink}">'
            f'<tspan font-weight="600">{name}</tspan> {count(MOST_N):,}</text>',
        ]
    return parts


def _table(color: dict[str, str]) -> list[str]:
    decade = math.log10(2)  # of a bit
    end = MOST_LOG / decade
    atoms = _y(80)

    def dot(n: int, x: float, y: float, *lines: str) -> list[str]:
        at = f'x="{_x(n) + x}"'
        rows = "".join(
            f'<tspan {at} dy="{17 * bool(i)}">{text}</tspan>' for i, text in enumerate(lines)
        )
        return [
            f'<circle cx="{_x(n)}" cy="{_y(n * decade)}" r="5" fill="{color["page"]}" '
            f'stroke="{color["ink"]}" stroke-width="2"/>',
            f'<text {at} y="{_y(n * decade) + y}">{rows}</text>',
        ]

    return [
        f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{atoms}" y2="{atoms}" '
        f'stroke="{color["leak"]}" stroke-width="1.8" stroke-dasharray="6 4"/>',
        f'<text x="{WIDTH - RIGHT}" y="{atoms - 8}" text-anchor="end" fill="{color["leak-ink"]}">'
        "atoms in the observable universe, about "
        f"{_power(80)}</text>",
        f'<line x1="{_x(0)}" y1="{_y(0)}" x2="{_x(end)}" y2="{_y(MOST_LOG)}" '
        f'stroke="{color["ink"]}" stroke-width="3.2"/>',
        f'<text x="{_x(end) + 12}" y="{TOP + 21}"><tspan font-weight="650">full table</tspan>, '
        f"2ⁿ − 1: at n = 784 it would be {_power(236)}</text>",
        *dot(100, 13, 5, "n = 100:", "1.3·10³⁰"),
        *dot(266, 13, 22, "n = 266: more numbers", "than atoms"),
    ]
