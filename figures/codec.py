"""The codec explorer: watch an interval shrink as symbols are coded, and see where the bits go.

The frequencies are those of the student's own `quantize` of the model's conditionals, the file is
their own `encode`'s, and what comes back is their own `decode`'s. The interval is computed in exact
whole numbers, here and in the browser. Whether the model peeks is measured: its tables are asked
for once more with all later symbols hidden.

Arithmetic coding is that of Rissanen (1976) and Pasco (1976).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import traitlets

from figures import widget
from figures.drawing import Drawing
from figures.widget import fixed

MOST_EXAMPLES, MOST_SYMBOLS = 16, 256
MOST_PARTS = 5  # parts of an interval that are drawn one by one, the symbol's own among them
MOST_DIGITS = 24  # settled binary digits that are written out, the last ones


class CodecExplorer(widget.Widget):
    """Draws how a codec spends its bits on an example.

    Use `CodecExplorer.of`. Examples are the rows of x; a row is drawn as a square picture if its
    length is a square and no labels are given, and as text if there are labels.
    """

    _esm, _css = widget.parts("codec", ".codec-explorer")

    # What the JavaScript draws: for each example and symbol a list
    # [symbol, total, below, own, price, received, [[symbol, below, own], …]].
    _rows = traitlets.List().tag(sync=True)
    _labels = traitlets.List().tag(sync=True)  # of the symbols of a text, or empty
    _side = traitlets.Int(0).tag(sync=True)  # of a picture, or 0
    _files = traitlets.List().tag(sync=True)  # bits of each example's own file
    _verdict = traitlets.Unicode("").tag(sync=True)
    _kind = traitlets.Unicode("good").tag(sync=True)
    _title = traitlets.Unicode("").tag(sync=True)
    _notice = traitlets.Unicode("").tag(sync=True)  # in place of the picture
    # Where the reader is.
    _example = traitlets.Int(0).tag(sync=True)
    _step = traitlets.Int(1).tag(sync=True)

    @classmethod
    def of(
        cls,
        encode: Callable,
        decode: Callable | None,
        quantize: Callable,
        model: Any,
        x: Any,
        labels: Sequence[str] | None = None,
        title: str = "an example",
        step: int = 1,
    ) -> CodecExplorer:
        """An explorer of x (B, n) under the student's functions.

        `decode` None leaves out reading back. `labels` are the texts of a single row's symbols. A
        function that is not written yet, or that raises, gives a sentence.

        Raises ValueError, in one sentence, for an x, labels or a step that cannot be drawn.
        """
        explorer = cls()
        x = _batch(x)
        count, n = x.shape
        if labels is not None and (count != 1 or len(labels) != n):
            raise ValueError(f"labels are for a single row of {len(labels)} symbols: got {x.shape}")
        if not 1 <= step <= n:
            raise ValueError(f"step must be in 1 … {n}: got {step}")
        with explorer.hold_sync():
            explorer._title, explorer._step = title, step
            explorer._labels = [str(label) for label in labels or []]
            side = math.isqrt(n)
            explorer._side = side if side * side == n and labels is None else 0
            explorer.draw_from(
                lambda e, d, q, m: explorer._ask(e, d, q, m, x), encode, decode, quantize, model
            )
        return explorer

    # ------------------------------------------------------------------- the student's functions

    def _ask(
        self, encode: Callable, decode: Callable | None, quantize: Callable, model: Any, x: Any
    ) -> None:
        shape, found = tuple(x.shape), {}
        questions: dict[str, tuple[Any, Callable]] = {
            "table": (quantize, lambda: _table(quantize(model.conditionals(x.clone())), shape)),
            "message": (encode, lambda: encode(model, x.clone())),
            "files": (encode, lambda: [len(encode(model, row[None].clone())) * 8 for row in x]),
        }
        if decode is not None:
            questions |= {
                "back": (decode, lambda: _received(decode, model, found["message"], shape)),
                "hidden": (quantize, lambda: self._peeks(quantize, model, x, found["table"])),
            }
        for name, (subject, question) in questions.items():
            found[name], self._notice = widget.asked(subject, question)
            if self._notice:
                return
        table, back = found["table"], found.get("back")
        self._files = found["files"]
        self._rows = [
            [_cell(table[b, i], int(x[b, i]), back, b, i) for i in range(x.shape[1])]
            for b in range(len(x))
        ]
        self._tell(x.numpy(), back, found.get("hidden"), len(found["message"]))

    @staticmethod
    def _peeks(quantize: Callable, model: Any, x: Any, table: np.ndarray) -> list[int]:
        """The columns (from 1) whose tables change when they and all later ones are hidden."""
        changed = []
        for i in range(x.shape[1]):
            known = x.clone()
            known[:, i:] = 0
            again = _table(quantize(model.conditionals(known)), tuple(x.shape))
            if not np.array_equal(again[:, i], table[:, i]):
                changed.append(i + 1)
        return changed

    def _tell(self, x: np.ndarray, back: Any, hidden: list[int] | None, size: int) -> None:
        count = len(x)
        examples = "the example" if count == 1 else f"all {count} examples"
        if hidden is None:
            self._kind, self._verdict = "quiet", f"{8 * size} bits for {examples}, not read back"
            return
        wrong = None if isinstance(back, str) else (back != x)
        if not hidden and wrong is not None and not wrong.any():
            comes = "comes" if count == 1 else "come"
            self._kind = "good"
            self._verdict = f"Lossless: {examples} {comes} back from a file of {8 * size} bits"
            return
        self._kind = "leak"
        if hidden:
            told = ", ".join(f"x{i}" for i in hidden[:4])
            more = f" and {len(hidden) - 4} more" if len(hidden) > 4 else ""
            said = f"Not autoregressive: the tables of {told}{more} see their own or later symbols"
        else:
            said = "Not lossless, though the model sees only the past"
        if wrong is None:
            said += "; the decoder gave up"
        elif wrong.any():
            first = int(wrong.any(axis=0).argmax()) + 1
            said += f"; what comes back is wrong from x{first} on"
        else:
            said += "; these examples came back by luck"
        self._verdict = said

    # --------------------------------------------------------------------------------- in words
    # The JavaScript says the same words; a test holds the two together.

    def interval(self, example: int, step: int) -> tuple[int, int, int]:
        """(low, width, size) after `step` symbols, in units of 2^−size, exactly."""
        low, width, size = 0, 1, 0
        for _, total, below, own, *_ in self._rows[example][:step]:
            low, width = low * total + width * below, width * own
            size += total.bit_length() - 1
        return low, width, size

    def settled(self, example: int, step: int) -> str:
        """The binary digits that all numbers of the interval share."""
        low, width, size = self.interval(example, step)
        same = size - (low ^ (low + width - 1)).bit_length()
        return f"{low >> (size - same):0{same}b}" if same else ""

    def price(self, example: int, step: int) -> float:
        """Bits spent on the first `step` symbols."""
        total = 0.0
        for row in self._rows[example][:step]:
            total += row[4]
        return total

    def step_in_words(self, step: int | None = None, example: int | None = None) -> str:
        """What the symbol of a step (from 1) costs, and what is settled after it."""
        if self._notice:
            return self._notice
        example = self._example if example is None else example
        i = self._step if step is None else step
        row = self._rows[example]
        symbol, total, _, own, price, received, _ = row[i - 1]
        digits = self.settled(example, i)
        shown = ("…" if len(digits) > MOST_DIGITS else "") + digits[-MOST_DIGITS:]
        said = (
            f"{self._called(i, symbol)}: probability {fixed(own / total, 4)}, price "
            f"{fixed(price, 2)} bits. So far {fixed(self.price(example, i), 2)} bits for {i} "
            f"symbol{'s' * (i > 1)}, of {fixed(self.price(example, len(row)), 2)}; "
            f"{len(digits)} binary digit{'s' * (len(digits) != 1)} settled"
        )
        said += f": {shown}." if digits else "."
        if i == len(row):
            said += f" A file of its own takes {self._files[example]} bits."
        if received is not None and received != symbol:
            said += f" The receiver reads {self._label(i, received)} here."
        return said

    def _called(self, i: int, symbol: int) -> str:
        if self._side:
            line, column = divmod(i - 1, self._side)
            return f"Pixel {i} (row {line + 1}, column {column + 1}) is {symbol}"
        return f"Symbol {i} is {self._label(i, symbol)}"

    def _label(self, i: int, symbol: int) -> str:
        if self._labels and symbol == self._rows[0][i - 1][0]:
            return "“" + self._labels[i - 1].replace("\n", "⏎") + "”"
        return str(symbol)

    def picture(self) -> Drawing | None:
        """The prices of the example's symbols, in their places or in a row."""
        rows = self._rows[self._example]
        prices = [row[4] for row in rows]
        most = max(*prices, 1e-9)
        marks = [("price", i, fixed(price, 2)) for i, price in enumerate(prices)]
        if self._side:
            cell = 240 / self._side
            drawing = Drawing(700, 270)
            for mark in marks:
                drawing.mark(*mark)
            for title, left, shade in (
                (self._title, 0, lambda i: rows[i][0] / max(1, *(row[0] for row in rows))),
                (f"bits paid, at most {most:.2f}", 300, lambda i: prices[i] / most),
            ):
                drawing.text(left, 14, title, "quiet")

                def level(r: int, c: int, shade: Callable = shade) -> str:
                    return f"{shade(r * self._side + c):.2f}"

                drawing.grid(left, 24, cell, (self._side, self._side), level)
            return drawing
        drawing = Drawing(700, 190)
        width = 700 / len(rows)
        drawing.text(0, 14, f"Bits paid for each symbol, at most {most:.2f}", "quiet")
        for i, price in enumerate(prices):
            height = 120 * price / most
            drawing.rect(i * width, 150 - height, max(1, width - 2), height, "path")
            drawing.mark(*marks[i])
            label = self._label(i + 1, rows[i][0]).strip("“”")
            if width > 6.5 * len(label):
                drawing.text((i + 0.5) * width, 168, label, anchor="middle", size=12)
        return drawing

    def in_words(self) -> str:
        """Whether the file can be read back."""
        return self._notice or self._verdict

    def __repr__(self) -> str:
        if self._notice:
            return f"CodecExplorer: {self._notice}"
        row = self._rows[self._example]
        dear = sorted(range(len(row)), key=lambda i: -row[i][4])[:3]
        lines = [f"CodecExplorer, {self._title}: {self._verdict}."]
        lines += [self.step_in_words(len(row)), "The dearest symbols:"]
        lines += [self.step_in_words(i + 1) for i in sorted(dear)]
        return "\n".join(lines)


def _batch(x: Any) -> Any:
    import torch

    x = torch.as_tensor(x)
    good = x.ndim == 2 and not x.is_floating_point() and x.numel()
    if not good or len(x) > MOST_EXAMPLES or x.shape[1] > MOST_SYMBOLS:
        raise ValueError(
            f"x must hold whole numbers (B, n), B ≤ {MOST_EXAMPLES} and n ≤ {MOST_SYMBOLS}: got "
            f"{str(x.dtype).removeprefix('torch.')} of shape {tuple(x.shape)}"
        )
    return x.long()


def _table(answer: Any, shape: tuple[int, int]) -> np.ndarray:
    if answer is None:
        raise NotImplementedError
    table = np.asarray(answer.detach().cpu() if hasattr(answer, "detach") else answer)
    if table.ndim != 3 or table.shape[:2] != shape or table.dtype.kind not in "iu":
        raise widget.WrongForm(
            f"whole numbers of shape ({shape[0]}, {shape[1]}, k) are needed: got {table.dtype} of "
            f"shape {table.shape}"
        )
    sums = table.sum(-1)
    if (table < 1).any() or (sums != sums[0, 0]).any() or sums[0, 0] & (sums[0, 0] - 1):
        raise widget.WrongForm("frequencies must be at least 1, and each row must sum to 2^bits")
    return table.astype(np.int64)


def _received(decode: Callable, model: Any, message: bytes, shape: tuple[int, int]) -> Any:
    """What comes back, (B, n), or "gave up"."""
    try:
        answer = decode(model, message, shape[0])
    except AssertionError:
        return "gave up"
    if answer is None:
        raise NotImplementedError
    found = np.asarray(answer.detach().cpu() if hasattr(answer, "detach") else answer)
    if found.shape != shape:
        raise widget.WrongForm(f"symbols of shape {shape} are needed: got {found.shape}")
    return found


def _cell(row: np.ndarray, symbol: int, back: Any, b: int, i: int) -> list:
    ends = row.cumsum()
    total, own = int(ends[-1]), int(row[symbol])
    largest = sorted(np.argsort(-row, kind="stable")[:MOST_PARTS].tolist())
    if symbol not in largest:
        largest = sorted([*sorted(largest, key=lambda s: -row[s])[: MOST_PARTS - 1], symbol])
    parts = [[s, int(ends[s] - row[s]), int(row[s])] for s in largest]
    received = None if back is None or isinstance(back, str) else int(back[b, i])
    price = math.log2(total) - math.log2(own)
    return [symbol, total, int(ends[symbol] - own), own, price, received, parts]
