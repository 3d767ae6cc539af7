"""A static picture: a Bayes net of five variables beside its five conditional tables.

The graph is Pearl's garden ("Causality", 2000, figure 1.2), with a season of four values; the
probabilities are made up. Each row sums to 1, so its last cell is not free: it is drawn hollow.
"""

from __future__ import annotations

from html import escape

from figures import palette

NAME = "bayes-net-tables"
SEASONS = ("winter", "spring", "summer", "autumn")
# name, place in the picture, parents, columns, and the rows (label, probabilities)
GARDEN = (
    ("season", (150, 54), (), SEASONS, (("", (0.25, 0.25, 0.25, 0.25)),)),
    (
        "rain",
        (76, 150),
        ("season",),
        ("yes", "no"),
        tuple(zip(SEASONS, ((0.5, 0.5), (0.4, 0.6), (0.1, 0.9), (0.4, 0.6)), strict=True)),
    ),
    (
        "sprinkler",
        (224, 150),
        ("season",),
        ("yes", "no"),
        tuple(zip(SEASONS, ((0.0, 1.0), (0.3, 0.7), (0.8, 0.2), (0.2, 0.8)), strict=True)),
    ),
    (
        "wet",
        (150, 246),
        ("rain", "sprinkler"),
        ("yes", "no"),
        (
            ("yes, yes", (0.99, 0.01)),
            ("yes, no", (0.9, 0.1)),
            ("no, yes", (0.8, 0.2)),
            ("no, no", (0.0, 1.0)),
        ),
    ),
    ("slippery", (150, 342), ("wet",), ("yes", "no"), (("yes", (0.7, 0.3)), ("no", (0.1, 0.9)))),
)
ALT = (
    "A Bayes net of five variables: arrows lead from season to rain and to sprinkler, from both "
    "to wet, and from wet to slippery. Beside it a conditional table for each: season, 1 row of 4 "
    "cells, 3 free; rain given season and sprinkler given season, 4 rows of 2 cells each, 4 free "
    "each; wet given rain and sprinkler, 4 rows, 4 free; slippery given wet, 2 rows, 2 free. The "
    "last cell of each row is hollow, since its row sums to 1. Together 17 free numbers; the full "
    "table of 4 × 2 × 2 × 2 × 2 = 64 cells needs 63."
)

WIDTH, HEIGHT = 760, 424
CELL, TALL = 44, 20
PLACES = {  # the tables' upper left corners: of their cells, below the heading
    "season": (342, 62),
    "rain": (366, 150),
    "sprinkler": (584, 150),
    "wet": (366, 288),
    "slippery": (584, 288),
}
SANS = "system-ui, -apple-system, Segoe UI, Roboto, Helvetica, Arial, sans-serif"


def free_numbers(name: str) -> int:
    """How many cells of this variable's table are free."""
    _, _, _, columns, rows = next(one for one in GARDEN if one[0] == name)
    return len(rows) * (len(columns) - 1)


def draw(dark: bool) -> str:
    """The picture as SVG text, for a light or a dark page."""
    color = palette.DARK if dark else palette.LIGHT
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" '
        f'height="{HEIGHT}" role="img" aria-label="{escape(ALT, quote=True)}" '
        f'font-family="{SANS}" font-size="13.5" fill="{color["ink"]}">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" rx="10" fill="{color["page"]}"/>',
    ]
    places = {name: at for name, at, *_ in GARDEN}
    for name, at, parents, *_ in GARDEN:
        parts += [_arrow(places[parent], at, color) for parent in parents]
        parts += _node(name, at, color)
    for name, _, parents, columns, rows in GARDEN:
        parts += _table(name, parents, columns, rows, color)
    total = sum(free_numbers(name) for name in PLACES)
    counts = " + ".join(str(free_numbers(name)) for name in PLACES)
    parts.append(
        f'<text x="{WIDTH - 24}" y="{HEIGHT - 18}" text-anchor="end">'
        f'<tspan font-weight="650">{counts} = {total} free numbers</tspan>; the full table of '
        "4 · 2 · 2 · 2 · 2 cells needs 63</text>"
    )
    return "\n".join([*parts, "</svg>"]) + "\n"


def _node(name: str, at: tuple[int, int], color: dict[str, str]) -> list[str]:
    x, y = at
    return [
        f'<rect x="{x - 48}" y="{y - 18}" width="96" height="36" rx="10" fill="{color["node"]}" '
        f'stroke="{color["rim"]}" stroke-width="1.5"/>',
        f'<text x="{x}" y="{y + 5}" text-anchor="middle" font-weight="600" font-size="15">'
        f"{name}</text>",
    ]


def _arrow(start: tuple[int, int], end: tuple[int, int], color: dict[str, str]) -> str:
    """From the lower rim of one box to the upper rim of another, with its head."""
    x0, y0 = start[0] + (end[0] - start[0]) * 0.22, start[1] + 20
    x1, y1 = end[0] - (end[0] - start[0]) * 0.22, end[1] - 21
    length = ((x1 - x0) ** 2 + (y1 - y0) ** 2) ** 0.5
    u, v = (x1 - x0) / length, (y1 - y0) / length
    points = " ".join(
        f"{x1 + a * u + b * v:.1f},{y1 + a * v - b * u:.1f}"
        for a, b in ((0, 0), (-11, 5), (-11, -5))
    )
    return (
        f'<line x1="{x0:.1f}" y1="{y0}" x2="{x1 - 8 * u:.1f}" y2="{y1 - 8 * v:.1f}" '
        f'stroke="{color["rim"]}" stroke-width="2"/>'
        f'<polygon points="{points}" fill="{color["rim"]}"/>'
    )


def _table(
    name: str,
    parents: tuple[str, ...],
    columns: tuple[str, ...],
    rows: tuple[tuple[str, tuple[float, ...]], ...],
    color: dict[str, str],
) -> list[str]:
    left, top = PLACES[name]
    k, many = len(columns), len(rows)
    cell = CELL if k == 2 else 62
    given = f" | {', '.join(parents)}" if parents else ""
    edge = left if not parents else left - 68
    parts = [
        f'<text x="{edge}" y="{top - 28}" font-weight="600">p({name}{given})</text>',
        f'<text x="{left + k * cell + 9}" y="{top + 14.5}" font-size="12.5" '
        f'fill="{color["quiet"]}">'
        f"{many} × {k - 1} = {many * (k - 1)}</text>",
    ]
    for v, column in enumerate(columns):
        parts.append(
            f'<text x="{left + (v + 0.5) * cell}" y="{top - 7}" text-anchor="middle" '
            f'font-size="12" fill="{color["quiet"]}">{column}</text>'
        )
    for i, (label, values) in enumerate(rows):
        y = top + i * TALL
        parts.append(
            f'<text x="{left - 9}" y="{y + 14.5}" text-anchor="end" font-size="12" '
            f'fill="{color["quiet"]}">{label}</text>'
        )
        for v, value in enumerate(values):
            free = v < k - 1
            look = (
                f'fill="{color["path"]}"'
                if free
                else f'fill="none" stroke="{color["rim"]}" stroke-dasharray="2 2"'
            )
            ink = color["on-path"] if free else color["quiet"]
            parts += [
                f'<rect x="{left + v * cell + 1}" y="{y + 1}" width="{cell - 2}" '
                f'height="{TALL - 2}" rx="3" {look}/>',
                f'<text x="{left + (v + 0.5) * cell}" y="{y + 14.5}" text-anchor="middle" '
                f'font-size="12" fill="{ink}">{value:.2f}</text>',
            ]
    return parts
