"""The dependency explorer: which inputs reach which outputs, of any module or function.

Nothing is read off the module: each input of an example is changed in turn, and the outputs that
move are noted (`course.causality`). Choose an output, and its inputs are lit, in their own shape.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import traitlets

from course.causality import dependency_map
from figures import widget
from figures.drawing import Drawing

MOST = 1024  # inputs, and outputs
ACROSS = 32  # of inputs that lie in a row


class DependencyExplorer(widget.Widget):
    """Draws what `dependency_explorer` measured."""

    _esm, _css = widget.parts("dependency", ".dependency-explorer")

    _inputs = traitlets.List().tag(sync=True)  # how many, and [panels, rows, columns]
    _outputs = traitlets.List().tag(sync=True)
    _sees = traitlets.Bytes(b"").tag(sync=True)  # one bit a pair, output by output
    _words = traitlets.List().tag(sync=True)  # a sentence an output
    _verdict = traitlets.List(["waiting", "Nothing to draw yet"]).tag(sync=True)
    _notice = traitlets.Unicode("").tag(sync=True)
    _ordered = traitlets.Bool(False).tag(sync=True)  # whether a later input is a leak
    _output = traitlets.Int(0).tag(sync=True)  # the reader's, from 0

    def _draw_map(
        self, sees: np.ndarray, inputs: Sequence[int], outputs: Sequence[int], ordered: bool | None
    ) -> None:
        n, places = sees.shape[1], list(np.ndindex(*outputs))
        if ordered is None:
            ordered = len(sees) == n and max(inputs) == max(outputs) == n
        late = [
            np.flatnonzero(row[o + 1 :]) + o + 1 if ordered else [] for o, row in enumerate(sees)
        ]
        names = [f"Output {o + 1}" for o in range(len(sees))]
        if len(outputs) > 1:
            names = [f"{names[o]} at {tuple(i + 1 for i in at)}" for o, at in enumerate(places)]
        leaks = [o for o in range(len(sees)) if len(late[o])]
        pairs = f"{int(sees.sum()):,} of {sees.size:,} pairs of output and input"
        verdict = ["plain", f"{pairs} hang together"]
        if leaks:
            first = f"{names[leaks[0]].lower()} sees input {late[leaks[0]][0] + 1}"
            said = f"Not causal: {len(leaks)} of {n} outputs see a later input; {first}"
            verdict = ["leak", said]
        elif ordered:
            own = sees.diagonal().any()
            strictly = (
                "no output sees a later input" if own else "none sees its own or a later input"
            )
            verdict = ["good", f"Causal: {strictly}"]
        with self.hold_sync():
            self._inputs, self._outputs = _laid_out(inputs), _laid_out(outputs)
            self._sees, self._verdict, self._ordered = np.packbits(sees).tobytes(), verdict, ordered
            self._words = [
                f"{name} sees {int(row.sum())} of {n} inputs"
                + (f": {_short(widget.ranges(np.flatnonzero(row)))}." if row.any() else ".")
                + (f" Later than itself: {_short(widget.ranges(after))}." if len(after) else "")
                for name, row, after in zip(names, sees, late, strict=True)
            ]
            self._output = widget.worst([len(after) for after in late], len(sees) // 2)

    @property
    def sees(self) -> np.ndarray:
        """bool (outputs, inputs): which output was seen to move with which input."""
        shape = self._outputs[0], self._inputs[0]
        bits = np.unpackbits(np.frombuffer(self._sees, np.uint8), count=math.prod(shape))
        return bits.reshape(shape).astype(bool)

    def picture(self) -> Drawing:
        """The outputs, the chosen one framed, and beside them its inputs."""
        row, drawing = self.sees[self._output], Drawing(700, 320)
        for left, name, (n, panels, rows, columns) in (
            (0, "output", self._outputs),
            (370, "input", self._inputs),
        ):
            cell = min(24.0, 330 / columns, 290 / (panels * (rows + 0.5)))
            drawing.text(left, 14, f"{name}s".capitalize(), "quiet")
            for i in range(n):
                panel, (r, c) = i // (rows * columns), divmod(i % (rows * columns), columns)
                kind = "here" if i == self._output else ""
                if name == "input":
                    late = self._ordered and i > self._output
                    kind = "" if not row[i] else "leak" if late else "seen"
                top = 24 + (panel * (rows + 0.5) + r) * cell
                drawing.grid(left + c * cell, top, cell, (1, 1), lambda *_, kind=kind: kind)
                if kind:
                    drawing.mark(name, i, kind)
        return drawing

    def in_words(self, output: int | None = None) -> str:
        """What an output (from 0) sees; what stands in the way where nothing is drawn."""
        return self._notice or str(self._words[self._output if output is None else output])

    def __repr__(self) -> str:
        if self._notice:
            return f"DependencyExplorer: {self._notice}"
        return "\n".join([f"DependencyExplorer: {self._verdict[1]}.", *map(str, self._words)])


def dependency_explorer(
    model: Callable,
    example: Any,
    *,
    outputs: int | Sequence[int] | None = None,
    together: int | Sequence[int] = (),
    ordered: bool | None = None,
    draws: int = 4,
) -> DependencyExplorer:
    """An explorer of any module or function of an array (B, …), on inputs like `example` (B, …).

    outputs: axes of the answer that belong to one output (−1 for the classes of logits); unless
    told, the last one if tokens (whole numbers) have an answer of one more axis. together: axes of
    the input that are changed at once. ordered: whether a later input is a leak; unless told, where
    inputs and outputs are one row of the same length. Whole numbers are tokens, bool is flipped.

    Raises ValueError for an example without a batch, or of more than 1,024 inputs.
    """
    x = np.asarray(example.detach().cpu() if hasattr(example, "detach") else example)
    axes = {axis % x.ndim for axis in np.atleast_1d(together).astype(int)} if x.ndim > 1 else set()
    inputs = [size for axis, size in enumerate(x.shape) if axis and axis not in axes]
    if x.ndim < 2 or not 1 <= math.prod(inputs) <= MOST:
        raise ValueError(f"an example (B, …) of 1 to {MOST:,} inputs is needed: got {x.shape}")
    kind = {"b": "flip", "i": "token", "u": "token"}.get(x.dtype.kind, "normal")
    explorer = DependencyExplorer()

    def measured(model: Callable) -> tuple[np.ndarray, list[int], list[int]]:
        shape: list[int] = []

        def call(model: Callable, x: Any) -> Any:
            answer = model(x)
            if answer is None:
                raise NotImplementedError
            shape[:] = answer.shape
            return answer

        modules = model.modules() if hasattr(model, "modules") else ()
        tables = [m.num_embeddings for m in modules if hasattr(m, "num_embeddings")]
        vocabulary = tables[0] if tables and kind == "token" else None
        sees = dependency_map(
            model, example, kind, together=together, call=call, draws=draws, vocabulary=vocabulary
        ).sees
        classes = kind == "token" and len(shape) > x.ndim
        own = outputs if outputs is not None else -1 if classes else ()
        merged = {axis % len(shape) for axis in np.atleast_1d(own).astype(int)}
        kept = [size for axis, size in enumerate(shape) if axis and axis not in merged]
        if not 1 <= math.prod(kept) <= MOST:
            raise widget.WrongForm(f"it has {math.prod(kept):,} outputs, and {MOST:,} can be drawn")
        sees = sees.reshape(*shape[1:], -1).any(axis=tuple(axis - 1 for axis in merged))
        return sees.reshape(math.prod(kept), -1), inputs, kept

    def draw(model: Callable) -> None:
        found, explorer._notice = widget.asked(model, measured, model)
        if found is not None:
            explorer._draw_map(found[0], found[1], found[2], ordered)

    explorer.draw_from(draw, model)
    return explorer


def _laid_out(shape: Sequence[int]) -> list[int]:
    """How many places, and [panels, rows, columns]: the last two axes are a panel's."""
    n = math.prod(shape)
    if len(shape) < 2:
        return [n, 1, -(-n // ACROSS), min(n, ACROSS)]
    return [n, math.prod(shape[:-2]), *shape[-2:]]


def _short(text: str) -> str:
    return text if len(text) <= 60 else text[:60].rsplit(",", 1)[0] + " …"
