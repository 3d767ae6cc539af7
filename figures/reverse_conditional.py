"""A static picture: one Gaussian against the true p(x1 | x2) of lesson 08's step, for three x2.

The world is X1 ~ N(0, 1) and X2 | X1 ~ N(1 if x1 > 0 else 0, ε) with the variance ε = 0.04. By
Bayes p(x1 | x2) is a standard bell in two pieces, weighted 1 − w and w = P(X1 > 0 | x2); the
Gaussian has its mean √(2/π) (2w − 1) and its variance 1 − mean².
"""

from __future__ import annotations

import math
from html import escape

from figures import palette

NAME = "reverse-conditional"
VARIANCE = 0.04
GIVEN = (0.5, 0.6, 1.0)


def above(x2: float) -> float:
    """P(X1 > 0 | x2), the sigmoid of the log-odds (x2 − ½) / ε."""
    return 1 / (1 + math.exp(-(x2 - 0.5) / VARIANCE))


def bell(x: float, mean: float = 0.0, variance: float = 1.0) -> float:
    """The density of N(mean, variance)."""
    return math.exp(-((x - mean) ** 2) / (2 * variance)) / math.sqrt(2 * math.pi * variance)


def truth(x1: float, x2: float) -> float:
    """p(x1 | x2)."""
    return 2 * bell(x1) * (above(x2) if x1 > 0 else 1 - above(x2))


def moments(x2: float) -> tuple[float, float]:
    """(mean, variance) of x1 given x2: those of the best Gaussian."""
    mean = math.sqrt(2 / math.pi) * (2 * above(x2) - 1)
    return mean, 1 - mean * mean


def lost(x2: float) -> float:
    """KL(p(x1 | x2) ‖ the best Gaussian), nats.

    The Gaussian's average NLL is ½ log(2πe Var); the entropy of the truth is that of a bell, less
    log 2 for the sign that is known of each half, plus the entropy of that sign.
    """
    w = above(x2)
    sign = -sum(p * math.log(p) for p in (w, 1 - w) if p > 0)
    return 0.5 * math.log(moments(x2)[1]) + math.log(2) - sign


def _panel_in_words(x2: float) -> str:
    (mean, variance), w = moments(x2), above(x2)
    gaussian = f"the Gaussian has mean {mean:.2f} and variance {variance:.2f}"
    if abs(w - 0.5) < 1e-9:
        shape = "the truth is the standard bell, and so is the Gaussian"
    elif w < 0.99:
        shape = (
            f"the truth jumps at 0 and is {w / (1 - w):.0f} times as high on the right; "
            f"{gaussian}, and its peak is where the truth falls"
        )
    else:
        shape = (
            f"the truth is the right half of a bell, and 0 on the left; {gaussian}, and puts "
            f"{_below_zero(x2):.0%} of its mass on the left"
        )
    return f"At x2 = {x2}, {shape}: {lost(x2):.3f} nats lost."


def _below_zero(x2: float) -> float:
    mean, variance = moments(x2)
    return 0.5 * math.erfc(mean / math.sqrt(2 * variance))


ALT = (
    "Three panels of p(x1 given x2), as an area, and the best Gaussian, as a dashed line. "
    + " ".join(_panel_in_words(x2) for x2 in GIVEN)
)

WIDTH, HEIGHT = 760, 286
PANEL, GAP, LEFT = 232, 18, 14
TOP, FOOT = 66, 226
REACH, TALLEST = 3.2, 0.9  # x1 on either side of 0, and the density at the top of a panel
SANS = "system-ui, -apple-system, Segoe UI, Roboto, Helvetica, Arial, sans-serif"
SERIF = "STIX Two Text, Cambria, Georgia, Times New Roman, serif"


def draw(dark: bool) -> str:
    """The picture as SVG text, for a light or a dark page."""
    color = palette.DARK if dark else palette.LIGHT
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" '
        f'height="{HEIGHT}" role="img" aria-label="{escape(ALT, quote=True)}" '
        f'font-family="{SANS}" font-size="13" fill="{color["ink"]}">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" rx="10" fill="{color["page"]}"/>',
    ]
    for place, x2 in enumerate(GIVEN):
        parts += _panel(LEFT + place * (PANEL + GAP), x2, color)
    parts += _legend(color)
    return "\n".join([*parts, "</svg>"]) + "\n"


def _panel(left: float, x2: float, color: dict[str, str]) -> list[str]:
    def across(x1: float) -> float:
        return left + PANEL * (x1 + REACH) / (2 * REACH)

    def up(height: float) -> float:
        return FOOT - (FOOT - TOP) * height / TALLEST

    def line(points: list[tuple[float, float]]) -> str:
        return "L".join(f"{across(x):.1f} {up(y):.1f}" for x, y in points)

    steps = [REACH * i / 80 for i in range(81)]
    pieces = [(-x, truth(-x, x2)) for x in reversed(steps)]
    pieces += [(x, truth(max(x, 1e-12), x2)) for x in steps]  # the jump is a vertical line
    mean, variance = moments(x2)
    curve = [(x, bell(x, mean, variance)) for x in (-REACH + REACH * i / 80 for i in range(161))]
    middle = left + PANEL / 2
    drawn = [
        f'<text x="{middle:.0f}" y="28" text-anchor="middle" font-family="{SERIF}" font-size="17">'
        f'<tspan font-style="italic">p</tspan>(<tspan font-style="italic">x</tspan>'
        f'<tspan dy="4" font-size="11">1</tspan><tspan dy="-4"> | </tspan>'
        f'<tspan font-style="italic">x</tspan><tspan dy="4" font-size="11">2</tspan>'
        f'<tspan dy="-4"> = {x2})</tspan></text>',
        f'<text x="{middle:.0f}" y="50" text-anchor="middle" font-weight="700" '
        f'fill="{color["good-ink"] if lost(x2) < 1e-9 else color["leak-ink"]}">'
        f"{'✓' if lost(x2) < 1e-9 else '✕'} {abs(lost(x2)):.3f} nats lost</text>",
        f'<path d="M{across(-REACH):.1f} {FOOT}L{line(pieces)}L{across(REACH):.1f} {FOOT}Z" '
        f'fill="{color["path"]}" fill-opacity="0.35" stroke="{color["path"]}" '
        'stroke-width="1.5" stroke-linejoin="round"/>',
        f'<path d="M{line(curve)}" fill="none" stroke="{color["leak"]}" stroke-width="2.4" '
        'stroke-dasharray="7 4"/>',
        f'<line x1="{left}" x2="{left + PANEL}" y1="{FOOT}" y2="{FOOT}" stroke="{color["rim"]}"/>',
    ]
    for tick in range(-3, 4):
        drawn += [
            f'<line x1="{across(tick):.1f}" x2="{across(tick):.1f}" y1="{FOOT}" y2="{FOOT + 4}" '
            f'stroke="{color["rim"]}"/>',
            f'<text x="{across(tick):.1f}" y="{FOOT + 18}" text-anchor="middle" font-size="12" '
            f'fill="{color["quiet"]}">{str(tick).replace("-", "−")}</text>',
        ]
    return drawn


def _legend(color: dict[str, str]) -> list[str]:
    y = HEIGHT - 18
    return [
        f'<rect x="{LEFT + 2}" y="{y - 10}" width="26" height="12" fill="{color["path"]}" '
        f'fill-opacity="0.35" stroke="{color["path"]}"/>',
        f'<text x="{LEFT + 36}" y="{y}">the truth: a bell in two pieces</text>',
        f'<line x1="{LEFT + 262}" x2="{LEFT + 292}" y1="{y - 4}" y2="{y - 4}" '
        f'stroke="{color["leak"]}" stroke-width="2.4" stroke-dasharray="7 4"/>',
        f'<text x="{LEFT + 300}" y="{y}">the best Gaussian: same mean, same variance</text>',
        f'<text x="{WIDTH - LEFT}" y="{y}" text-anchor="end" fill="{color["quiet"]}" '
        f'font-family="{SERIF}" font-size="15"><tspan font-style="italic">x</tspan>'
        '<tspan dy="4" font-size="10">1</tspan></text>',
    ]
