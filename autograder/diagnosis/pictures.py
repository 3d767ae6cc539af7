"""Pictures of a student's answer: a matrix as a grid of squares, crosses on wrong entries.

A sequence is a grid of one row, a strip.

What is drawn is the answer that was given. Pillow draws it, in a few milliseconds.
"""

from __future__ import annotations

import base64
import io
from typing import Any

import numpy as np

SQUARE = 18  # pixels of an entry
MOST = 24  # rows and columns that are drawn
LONGEST = 48  # entries of a strip
_LINE, _EMPTY, _FULL, _CROSS = (150, 150, 150), (255, 255, 255), (0, 114, 178), (213, 94, 0)


def matrix_of(answer: Any, right: Any) -> tuple[np.ndarray, np.ndarray] | None:
    """The first matrix in `answer` that is not the right one, and which entries are wrong.

    `answer` is a matrix, a sequence (a matrix of one row), a tensor of more axes (the first slice
    of its last two that differs) or a list of such. None if it has no matrix of the right shape, or
    one that is too large to draw.
    """
    if isinstance(answer, list | tuple):
        if not isinstance(right, list | tuple) or len(answer) != len(right):
            return None
        pairs = (matrix_of(a, b) for a, b in zip(answer, right, strict=True))
        return next((pair for pair in pairs if pair is not None), None)
    a, b = np.asarray(answer), np.asarray(right)
    if a.shape != b.shape or a.ndim < 1 or a.dtype.kind not in "biuf" or not a.size:
        return None
    a, b = (np.atleast_2d(x.astype(float)) for x in (a, b))
    a, b = (x.reshape(-1, *x.shape[-2:]) for x in (a, b))
    wrong = ~np.isclose(a, b, equal_nan=True)
    differs = wrong.any(axis=(1, 2))
    if max(a.shape[1:]) > (LONGEST if a.shape[1] == 1 else MOST) or not differs.any():
        return None
    first = int(differs.argmax())
    return a[first], wrong[first]


def picture_of(matrix: np.ndarray, wrong: np.ndarray) -> str:
    """A data URI of a PNG: blue where the entry is large, white where it is 0, crosses on `wrong`.

    Negative entries and NaN are gray.
    """
    from PIL import Image, ImageDraw

    rows, columns = matrix.shape
    image = Image.new("RGB", (columns * SQUARE + 1, rows * SQUARE + 1), _EMPTY)
    draw = ImageDraw.Draw(image)
    most = np.nanmax(matrix, initial=0.0)
    for (i, j), value in np.ndenumerate(matrix):
        box = (j * SQUARE, i * SQUARE, (j + 1) * SQUARE, (i + 1) * SQUARE)
        share = value / most if most > 0 else 0.0
        fill = _mixed(share) if np.isfinite(value) and value >= 0 else _LINE
        draw.rectangle(box, fill, _LINE)
        if wrong[i, j]:
            x0, y0, x1, y1 = box[0] + 4, box[1] + 4, box[2] - 4, box[3] - 4
            for line in ((x0, y0, x1, y1), (x0, y1, x1, y0)):
                draw.line(line, _EMPTY, 5)
                draw.line(line, _CROSS, 3)
    out = io.BytesIO()
    image.save(out, "PNG", optimize=True)
    return "data:image/png;base64," + base64.b64encode(out.getvalue()).decode("ascii")


def _mixed(share: float) -> tuple[int, int, int]:
    r, g, b = (round(e + (f - e) * min(share, 1.0)) for e, f in zip(_EMPTY, _FULL, strict=True))
    return r, g, b


def in_words(matrix: np.ndarray, wrong: np.ndarray) -> str:
    """What the picture shows: its size, and where the first wrong entries are."""
    rows, columns = matrix.shape
    first = np.argwhere(wrong)[:2].tolist()
    more = ", …" if wrong.sum() > len(first) else ""
    if rows == 1:
        at = ", ".join(str(j + 1) for _, j in first)
        return (
            f"your first wrong answer, a row of {columns}; crossed: {int(wrong.sum())}, at place "
            f"{at}{more}"
        )
    places = [f"({i}, {j})" for i, j in first]
    return (
        f"your first wrong answer, {rows} × {columns}; crossed: {int(wrong.sum())} of {matrix.size}"
        f" entries, at (row, column) {', '.join(places)}{more}"
    )
