"""Still pictures of widgets: marks in the roles of the palette, written as SVG, light or dark."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from html import escape

from figures import palette

SANS = "system-ui, -apple-system, Segoe UI, Roboto, Helvetica, Arial, sans-serif"
MARGIN = 14


class Drawing:
    """A page of `width` by `height` on which marks are put; `svg(dark)` writes it.

    Colors are roles of the palette ("path", "leak-ink"); every measure is in pixels. `marks` names
    what the picture tells; the live view tells the same on its elements' data-mark, a line each.
    """

    def __init__(self, width: float, height: float) -> None:
        self.width, self.height = width, height
        self.drawn: list[tuple[str, dict[str, object], str]] = []
        self.marks: set[str] = set()

    def _put(self, tag: str, words: str = "", **attributes: object) -> None:
        self.drawn.append((tag, {k.replace("_", "-"): v for k, v in attributes.items()}, words))

    def mark(self, *parts: object) -> None:
        """Notes in words and numbers what was drawn; an empty text is left out."""
        self.marks.add(" ".join(str(part) for part in parts if part != ""))

    def rect(
        self, x: float, y: float, w: float, h: float, fill: str = "none", **attributes: object
    ) -> None:
        """A rectangle; `attributes` are SVG's, as stroke="leak" or fill_opacity=0.4."""
        self._put("rect", x=x, y=y, width=max(0.0, w), height=max(0.0, h), fill=fill, **attributes)

    def circle(
        self, x: float, y: float, r: float, fill: str = "node", **attributes: object
    ) -> None:
        """A disc with its center at (x, y)."""
        self._put("circle", cx=x, cy=y, r=r, fill=fill, **attributes)

    def line(
        self,
        points: Iterable[tuple[float, float]],
        stroke: str = "ink",
        width: float = 1.5,
        dashed: bool = False,
        **attributes: object,
    ) -> None:
        """A line through points."""
        path = "L".join(f"{_short(x)} {_short(y)}" for x, y in points)
        self.path(f"M{path}", stroke, width, dashed, **attributes)

    def path(
        self,
        d: str,
        stroke: str = "ink",
        width: float = 1.5,
        dashed: bool = False,
        **attributes: object,
    ) -> None:
        """What SVG's path language says; not filled unless told so."""
        dash = {"stroke_dasharray": "6 4"} if dashed else {}
        attributes = {"fill": "none", "stroke": stroke, "stroke_width": width, **dash, **attributes}
        self._put("path", d=d, **attributes)

    def cross(self, x: float, y: float, r: float = 5, role: str = "leak-ink") -> None:
        """The sign of a leak."""
        ends = f"M{_short(x - r)} {_short(y - r)}l{2 * r} {2 * r}m0 {-2 * r}l{-2 * r} {2 * r}"
        self.path(ends, role, 2)

    def text(
        self, x: float, y: float, words: object, role: str = "ink", **attributes: object
    ) -> None:
        """Words with their base line at y; anchor="middle", size=12, bold=True where wanted."""
        names = {"anchor": "text_anchor", "size": "font_size"}
        attributes = {names.get(k, k): v for k, v in attributes.items()}
        if attributes.pop("bold", False):
            attributes["font_weight"] = 650
        self._put("text", str(words), x=x, y=y, fill=role, **attributes)

    def grid(
        self,
        x: float,
        y: float,
        cell: float,
        shape: tuple[int, int],
        paint: Callable[[int, int], str],
        name: str = "",
    ) -> None:
        """Cells of a matrix, each by what `paint(row, column)` calls it.

        "seen" is full, "leak" full with a cross, "gap" a dotted ring, "here" framed, a number from
        "0" to "1" a shade, and "" empty. name: what the marks call such a cell.
        """
        for r in range(shape[0]):
            for c in range(shape[1]):
                kind = paint(r, c)
                if kind and name:
                    self.mark(name, r, c, kind)
                left, top, side = x + c * cell + 1, y + r * cell + 1, cell - 2
                if kind in ("seen", "leak", "here"):
                    fill = {"seen": "path", "leak": "leak", "here": "page"}[kind]
                    edge = {"stroke": "ink", "stroke_width": 2} if kind == "here" else {}
                    self.rect(left, top, side, side, fill, rx=2, **edge)
                else:
                    self.rect(left, top, side, side, "panel", rx=2, stroke="line")
                if kind == "leak":
                    self.cross(left + side / 2, top + side / 2, 0.25 * side, "on-leak")
                elif kind == "gap":
                    middle = left + side / 2, top + side / 2
                    self.circle(*middle, 0.3 * side, "none", stroke="gap-ink", stroke_dasharray=2)
                elif kind and kind[0].isdigit():
                    self.rect(left, top, side, side, "ink", rx=1, fill_opacity=kind)

    def plot(
        self,
        box: tuple[float, float, float, float],
        x: Sequence[float],
        y: Sequence[float],
        spans: tuple[tuple[float, float], tuple[float, float]],
        stroke: str,
        dashed: bool = False,
        area: bool = False,
    ) -> None:
        """A curve in the box (left, top, width, height), which shows `spans` of x and of y."""
        left, top, w, h = box
        (x0, x1), (y0, y1) = spans
        points = [
            (left + w * (a - x0) / (x1 - x0), top + h * (1 - (b - y0) / (y1 - y0)))
            for a, b in zip(x, y, strict=True)
            if x0 <= a <= x1 and y0 <= b <= y1  # no number is neither
        ]
        if not points:
            return
        if area:
            ends = [(points[0][0], top + h), *points, (points[-1][0], top + h)]
            self.line(ends, "none", fill=stroke, fill_opacity=0.3)
        self.line(points, stroke, 2.2, dashed)

    def svg(self, dark: bool, alt: str = "") -> str:
        """The picture as SVG text, for a light or a dark page."""
        color = palette.DARK if dark else palette.LIGHT
        width, height = self.width + 2 * MARGIN, self.height + 2 * MARGIN
        parts = [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{-MARGIN} {-MARGIN} {width} '
            f'{height}" width="{width}" height="{height}" role="img" '
            f'aria-label="{escape(alt, quote=True)}" font-family="{SANS}" font-size="13">',
            f'<rect x="{-MARGIN}" y="{-MARGIN}" width="{width}" height="{height}" rx="10" '
            f'fill="{color["page"]}"/>',
        ]
        for tag, attributes, words in self.drawn:
            said = " ".join(f'{k}="{_value(k, v, color)}"' for k, v in attributes.items())
            parts.append(f"<{tag} {said}>{escape(words)}</{tag}>" if words else f"<{tag} {said}/>")
        return "\n".join([*parts, "</svg>"])


def _value(name: str, value: object, color: dict[str, str]) -> str:
    if name in ("fill", "stroke"):
        return color.get(str(value), str(value))
    return _short(value) if isinstance(value, float) else escape(str(value), quote=True)


def _short(value: float) -> str:
    return f"{float(value):.1f}".removesuffix(".0")
