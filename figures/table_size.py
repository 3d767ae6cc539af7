"""The table's size: drag the number of bits, and see what a table over them no longer fits on.

A table over n bits has 2^n − 1 free numbers of 8 bytes. All is computed in the browser.
"""

from __future__ import annotations

import math

import traitlets

from figures import widget
from figures.drawing import Drawing

MOST = 784  # bits: a scanned digit
# What a table is compared with: its words, and how many free numbers it holds.
LANDMARKS = (
    ("a photo of 4 megabytes", 4 * 10**6 // 8),
    ("a laptop's disk, 1 terabyte", 10**12 // 8),
    ("all disks on Earth, about 10²² bytes", 10**22 // 8),
    ("one number for each atom of the observable universe, about 10⁸⁰", 10**80),
)


class TableSize(widget.Widget):
    """A slider from 1 to 784 bits, and which of the landmarks the table has outgrown.

    Raises ValueError if `bits` is outside 1 … 784.
    """

    _esm, _css = widget.parts("table_size", ".table-size")

    _most = traitlets.Int(MOST).tag(sync=True)
    # Where each landmark is passed, as [words, first n whose table is larger].
    _landmarks = traitlets.List().tag(sync=True)
    _bits = traitlets.Int(8).tag(sync=True)  # where the reader is

    def __init__(self, bits: int = 8) -> None:
        super().__init__()
        if not 1 <= bits <= MOST:
            raise ValueError(f"bits must be in 1 … {MOST}: got {bits}")
        self._landmarks = [[words, passed_at(numbers)] for words, numbers in LANDMARKS]
        self._bits = bits

    def in_words(self, bits: int | None = None) -> str:
        """How large the table over `bits` bits is, and what it has outgrown."""
        n = self._bits if bits is None else bits
        outgrown = [words for words, first in self._landmarks if n >= first]
        numbers = 2**n - 1
        said = f"{numbers:,}" if n <= 30 else f"about 10^{len(str(numbers)) - 1}"
        last = f" More than {outgrown[-1]}." if outgrown else " Less than a photo."
        return f"{n} bits: a table of {said} numbers.{last}"

    def picture(self) -> Drawing:
        """A line of bits, the table on it, and where it outgrows each landmark."""
        drawing = Drawing(700, 42 + 24 * len(self._landmarks))

        def at(bits: int) -> float:  # the landmarks lie close together at its beginning
            return 680 * math.log(bits) / math.log(self._most)

        drawing.line([(0, 16), (680, 16)], "rim")
        drawing.line([(0, 16), (at(self._bits), 16)], "path", 6)
        drawing.circle(at(self._bits), 16, 7, "path")
        for row, (words, first) in enumerate(self._landmarks):
            passed, y = self._bits >= first, 50 + 24 * row
            role, sign = ("leak-ink", "✕") if passed else ("good-ink", "✓")
            drawing.line([(at(first), 8), (at(first), 24)], role, 2)
            drawing.text(0, y, sign, role, bold=True)
            drawing.text(20, y, words, role)
            drawing.text(560, y, f"outgrown at {first} bits", "quiet", size=12)
            drawing.mark("outgrown" if passed else "holds", row)
        return drawing

    def __repr__(self) -> str:
        return f"TableSize: {self.in_words()}"


def passed_at(numbers: int) -> int:
    """The first n with 2^n − 1 > numbers: the length of numbers + 1, written in bits."""
    return (numbers + 1).bit_length()
