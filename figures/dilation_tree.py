"""The dilation tree: which samples an output of a stack of dilated convolutions hears, and how.

Samples stand below, outputs above, one row for each layer between. Pointing at an output lights
its units layer by layer down to the inputs; dilations and kernel size are changed in the browser.
What is drawn was measured: each layer is the student's own convolution, one input after the other
is changed, and what moves is a connection. The bracket below comes from the student's own
`receptive_field`.

The picture is that of van den Oord and others (2016), "WaveNet", figure 3.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import traitlets

from course.causality import dependency_map
from figures import widget
from figures.drawing import Drawing

SAMPLES = 32
KERNELS = (2, 3)
DILATIONS = (1, 2, 3, 4, 6, 8, 9, 16)
MOST_LAYERS = 4
MOST_NAMED = 3  # leaks that a sentence spells out before it counts the rest
SECONDS = 3.0  # that the student's receptive_field may take for all the stacks one can choose


class DilationTree(widget.Widget):
    """Draws the tree of inputs that an output of a stack of causal convolutions sees.

    `DilationTree.of(CausalConv1d, receptive_field)` measures the student's class and asks the
    student's function. `DilationTree.of_model(wavenet)` also measures a whole WaveNet, from its
    codes to its logits.
    """

    _esm, _css = widget.parts("dilation_tree", ".dilation-tree")

    # What the JavaScript draws. A map has a row for each output, 32 bits, input 1 the lowest; maps
    # stand in the order of kernels, then dilations. Predictions are int32, −1 where unknown, for
    # all stacks of 1, 2, … layers in lexicographic order, for each kernel.
    _maps = traitlets.Bytes(b"").tag(sync=True)
    _predicted = traitlets.Bytes(b"").tag(sync=True)
    _whole = traitlets.Bytes(b"").tag(sync=True)  # a model's map, codes to logits, or nothing
    _shift = traitlets.Bytes(b"").tag(sync=True)  # its map from codes to its first block
    _own = traitlets.List().tag(sync=True)  # [kernel, dilations] that _whole belongs to
    _field_name = traitlets.Unicode("receptive_field").tag(sync=True)
    _notice = traitlets.Unicode("").tag(sync=True)  # in place of the picture
    # Where the reader is.
    _kernel = traitlets.Int(2).tag(sync=True)
    _dilations = traitlets.List().tag(sync=True)
    _output = traitlets.Int(SAMPLES).tag(sync=True)  # from 1

    @classmethod
    def of(
        cls,
        conv: Callable,
        field: Callable,
        kernel_size: int = 2,
        dilations: Sequence[int] = (1, 2, 4, 8),
        output: int | None = None,
    ) -> DilationTree:
        """A tree of the student's own class and function, with this stack and output to begin with.

        conv: `conv(channels_in, channels_out, kernel_size, dilation)`, a module (B, C, T) → (B, C,
        T). field: `field(kernel_size, dilations)`, an int. What is not written yet, or raises,
        gives a sentence. Without an output the worst one is chosen, or the last.

        Raises ValueError for a stack or an output that cannot be drawn.
        """
        dilations = [int(d) for d in dilations]
        if kernel_size not in KERNELS or not _drawable(dilations):
            raise ValueError(
                f"1 to {MOST_LAYERS} layers with dilations out of {DILATIONS} and a kernel out of "
                f"{KERNELS} can be drawn: got {dilations} and {kernel_size}"
            )
        if output is not None and not 1 <= output <= SAMPLES:
            raise ValueError(f"output must be in 1 … {SAMPLES}: got {output}")
        tree = cls()
        tree._kernel, tree._dilations = kernel_size, dilations
        tree._output = SAMPLES if output is None else output
        tree.draw_from(tree._ask, conv, field)
        if output is None:
            tree._choose()
        return tree

    def _choose(self) -> None:
        """Goes to the output that sees the most of what it should not, if one does."""
        if not self._notice:
            leaks = [sum(i > t - self._late for i in seen) for t, seen in enumerate(self._seen())]
            self._output = widget.worst(leaks, self._output - 1) + 1

    def _ask(self, conv: Callable, field: Callable) -> None:
        with self.hold_sync():
            self._field_name = widget.name_of(field)
            maps, self._notice = widget.asked(conv, _measured, conv)
            if not self._notice:
                self._maps = maps
                predicted, self._notice = widget.asked(field, self._predict, field)
                self._predicted = predicted or b""

    @classmethod
    def of_model(cls, model: Any, conv: Callable, field: Callable) -> DilationTree:
        """A tree with a whole model measured: `model(codes)` → (B, levels, T), blocks with `.conv`.

        Its dilations must be such as can be drawn; others give a sentence.
        """
        try:
            convs = [block.conv for block in model.blocks]
            kernel = int(convs[0].kernel_size[0])
            dilations = [int(c.dilation[0]) for c in convs]
        except (AttributeError, IndexError, TypeError):
            return cls(_notice="A model with blocks, each with a convolution `conv`, can be drawn.")
        if kernel not in KERNELS or not _drawable(dilations):
            return cls(
                _notice=f"Up to {MOST_LAYERS} layers with dilations out of {DILATIONS} and a "
                f"kernel "
                f"of {KERNELS[0]} or {KERNELS[1]} can be drawn: this model has {dilations} and "
                f"{kernel}."
            )
        tree = cls.of(conv, field, kernel, dilations)
        if not tree._notice:

            def maps() -> list[np.ndarray]:
                codes = np.zeros((1, SAMPLES), dtype=np.int64)
                ask = {"outputs": 1, "vocabulary": model.levels}
                found = [dependency_map(model, codes, "token", **ask, call=call).sees
                         for call in (None, _entering)]  # fmt: skip
                return [_square(sees, "it") for sees in found]

            measured, tree._notice = widget.asked(type(model), maps)
            if not tree._notice:
                tree._whole, tree._shift = map(_packed, measured)
                tree._own = [kernel, dilations]
                tree._choose()
        return tree

    # -------------------------------------------------------------------- the student's functions

    def _predict(self, field: Callable) -> bytes:
        told, until = [], time.monotonic() + SECONDS
        first = field(self._kernel, list(self._dilations))
        if first is None:
            raise NotImplementedError
        for kernel in KERNELS:
            for stack in _stacks():
                value = -1
                if time.monotonic() < until:
                    value = field(kernel, list(stack))
                whole = isinstance(value, int | float | np.number) and value == int(value)
                told.append(int(value) if whole and 0 <= value < 2**31 else -1)
        return np.array(told, dtype="<i4").tobytes()

    # --------------------------------------------------------------------------------- in words
    # The JavaScript says all this in the same words; a test holds the two.

    def layer_map(self, dilation: int) -> np.ndarray:
        """Which outputs of one layer see which of its inputs, as measured: bool (32, 32)."""
        at = KERNELS.index(self._kernel) * len(DILATIONS) + DILATIONS.index(dilation)
        return _unpacked(self._maps)[at]

    @property
    def _is_whole(self) -> bool:
        """Whether a whole model is drawn: one was measured, and the stack is its own."""
        return bool(self._whole) and self._own == [self._kernel, list(self._dilations)]

    @property
    def _late(self) -> int:
        """How far behind its place an output has to stay: 1 for the logits of a whole model."""
        return int(self._is_whole)

    def reach(self) -> list[np.ndarray]:
        """For each level (inputs first) which of its units each output hears: bool (32, 32).

        A whole model has one level more, its codes, and there stands what was measured on it.
        """
        levels = [np.eye(SAMPLES, dtype=bool)]
        for dilation in reversed(self._dilations):
            levels.append((levels[-1].astype(int) @ self.layer_map(dilation).astype(int)) > 0)
        return [*([_unpacked(self._whole)[0]] if self._is_whole else []), *levels[::-1]]

    def _seen(self) -> list[list[int]]:
        """What each output sees, both from 0."""
        return [np.flatnonzero(row).tolist() for row in self.reach()[0]]

    @property
    def predicted(self) -> int:
        """What the student's function says for the stack that is drawn; −1 if it said nothing."""
        at, size = 0, len(DILATIONS)
        for layers in range(1, len(self._dilations)):
            at += size**layers
        place = 0
        for dilation in self._dilations:
            place = place * size + DILATIONS.index(dilation)
        stacks = sum(size**n for n in range(1, MOST_LAYERS + 1))
        table = np.frombuffer(self._predicted, "<i4")
        return int(table[KERNELS.index(self._kernel) * stacks + at + place])

    def in_words(self) -> str:
        """Whether the stack is causal, has holes, and is as deep as predicted."""
        if self._notice:
            return self._notice
        predicted, late, seen = self.predicted, self._late, self._seen()
        leaks = [(i, t) for t in range(SAMPLES) for i in seen[t] if i > t - late]
        causal, who, sees = "Causal", "the last output", "sees"
        if self._is_whole:
            causal, who, sees = "Autoregressive", f"the logits of x{SAMPLES}", "see"
        if leaks:
            arrow = "x{} → logits of x{}" if self._is_whole else "input {} → output {}"
            named = ", ".join(arrow.format(i + 1, t + 1) for i, t in leaks[:MOST_NAMED])
            more = f" and {len(leaks) - MOST_NAMED} more" if len(leaks) > MOST_NAMED else ""
            at = "at or after" if self._is_whole else "after"
            count = _count(len(leaks), "input")
            return f"Not {causal.lower()}: {count} {at} the output: {named}{more}"
        last = seen[-1]
        if not last:
            return f"{who[0].upper()}{who[1:]} {sees} nothing"
        most = SAMPLES - late
        span = most - last[0]
        holes = span - len(last)
        if holes:
            spans = "span" if self._is_whole else "spans"
            they = "they" if self._is_whole else "it"
            return (
                f"{causal}, with {_count(holes, 'hole')}: of the {span} samples that {who} "
                f"{spans}, {they} {sees} {len(last)}"
            )
        says = f"{self._field_name} says {predicted}"
        if predicted > most and span == most:
            return f"{causal} and without holes, as far as drawn: {says}, and {most} are drawn"
        if predicted < 0:
            return f"{causal} and without holes: {who} {sees} {_count(span, 'sample')}"
        if predicted != span:
            return f"{causal} and without holes, but {says}, and {who} {sees} {span}"
        return f"{causal} and without holes: {who} {sees} {_count(span, 'sample')}, as {says}"

    def shift_in_words(self) -> str:
        """What the model does with its codes before its first block; nothing for a stack."""
        if self._notice or not self._is_whole:
            return ""
        shift = _unpacked(self._shift)[0]
        for by, said in ((1, "a shift by one"), (0, "no shift"), (2, "a shift by two")):
            if (shift == np.eye(SAMPLES, k=-by, dtype=bool)).all():
                return f"The whole model, from codes to logits. Its lowest step is {said}."
        return "The whole model, from codes to logits. Its lowest step is no shift by one."

    def output_in_words(self, output: int | None = None) -> str:
        """What output t (from 1) hears, layer by layer."""
        if self._notice:
            return self._notice
        t = (self._output if output is None else output) - 1
        levels, late = self.reach(), self._late
        layers = []
        for level in range(len(levels) - 2, late, -1):
            units = int(levels[level][t].sum())
            layers.append(f"{_count(units, 'unit')} of layer {level - late}")
        seen = np.flatnonzero(levels[0][t])
        way = f", through {', '.join(layers)}" if layers else ""
        who, sees, noun = f"Output {t + 1}", "sees", "input"
        if late:
            who, sees, noun = f"The logits of x{t + 1}", "see", "code"
        inputs = f"{noun}s {widget.ranges(seen)}" if len(seen) != 1 else f"{noun} {seen[0] + 1}"
        said = f"{who} {sees} {inputs if len(seen) else 'nothing'}{way}."
        wrong = [str(i + 1) for i in seen if i > t - late]
        if wrong and late:
            said += f" Not autoregressive: {', '.join(wrong)} at or after their own."
        elif wrong:
            said += (
                f" Not causal: input{'s' if len(wrong) > 1 else ''} {', '.join(wrong)} come later."
            )
        end = t + 1 - late  # the last that it may see, from 1
        if self.predicted > 0 and end > 0:
            first = max(1, end + 1 - self.predicted)
            said += f" {self._field_name} says {f'{first}–{end}' if first < end else first}."
        return said

    def picture(self) -> Drawing:
        """The tree of the output that is chosen: samples below, the output above."""
        levels, t, late = self.reach(), self._output - 1, self._late
        maps = [self.layer_map(d) for d in self._dilations]
        names = [f"d = {d}" for d in self._dilations]
        if late:
            maps, names = [_unpacked(self._shift)[0], *maps], ["shift", *names]
        drawing, step, band = Drawing(700, 50 + 52 * len(maps)), 640 / SAMPLES, 52
        top = 16 + band * len(maps)
        for lit, role, width in ((False, "line", 1), (True, "path", 2)):
            for level, sees in enumerate(maps):
                ends = [(i, j) for j, i in np.argwhere(sees) if levels[level + 1][t, j] == lit]
                y = top - band * level
                drawing.path("".join(
                    f"M{60 + (i + 0.5) * step:.0f} {y}L{60 + (j + 0.5) * step:.0f} {y - band}"
                    for i, j in ends
                ), role, width)  # fmt: skip
        for level, reached in enumerate(levels):
            y = top - band * level
            drawing.text(0, y + 4, names[level - 1] if level else "input", "quiet", size=12)
            for i in range(SAMPLES):
                x, on = 60 + (i + 0.5) * step, bool(reached[t, i])
                wrong = on and not level and i > t - late
                fill = "leak" if wrong else "path" if on else "node"
                drawing.circle(x, y, 6 if on else 4, fill, stroke="rim")
                if on:
                    drawing.mark("unit", level, i, "late" if wrong else "")
                if wrong:
                    drawing.cross(x, y, 4, "on-leak")
        for i in (0, *range(3, SAMPLES, 4)):
            drawing.text(60 + (i + 0.5) * step, top + 24, i + 1, "quiet", anchor="middle", size=12)
        return drawing

    def __repr__(self) -> str:
        if self._notice:
            return f"DilationTree: {self._notice}"
        stack = f"kernel {self._kernel}, dilations {', '.join(map(str, self._dilations))}"
        lines = [f"DilationTree: {stack}. {self.in_words()}.", self.output_in_words()]
        return "\n".join([*lines, self.shift_in_words()]).rstrip()


def _measured(conv: Callable) -> bytes:
    """The maps of single layers, packed: kernels, then dilations."""
    maps = []
    for kernel, dilation in itertools.product(KERNELS, DILATIONS):
        layer = conv(1, 1, kernel, dilation)
        if layer is None:
            raise NotImplementedError
        signal = np.zeros((1, 1, SAMPLES))
        found = dependency_map(layer, signal, "normal", outputs=1, together=1, draws=2).sees
        maps.append(_square(found, f"with kernel {kernel} and dilation {dilation} it"))
    return b"".join(_packed(m) for m in maps)


def _entering(model: Any, codes: Any) -> Any:
    """What the model's first block, or else its convolution, is given, (B, channels, T)."""
    kept = []
    first = model.blocks[0]
    hooks = [
        part.register_forward_pre_hook(lambda _, given: kept.append(given[0]))
        for part in (first, first.conv)
    ]
    try:
        model(codes)
    finally:
        for hook in hooks:
            hook.remove()
    return kept[0]


def _drawable(dilations: Sequence[int]) -> bool:
    return 1 <= len(dilations) <= MOST_LAYERS and set(dilations) <= set(DILATIONS)


def _stacks() -> list[tuple[int, ...]]:
    return [s for n in range(1, MOST_LAYERS + 1) for s in itertools.product(DILATIONS, repeat=n)]


def _square(sees: np.ndarray, called: str) -> np.ndarray:
    if sees.shape != (SAMPLES, SAMPLES):
        raise widget.WrongForm(
            f"{called} turns {SAMPLES} samples into {sees.shape[0]}: the output should be as long "
            "as the input"
        )
    return sees


def _packed(sees: np.ndarray) -> bytes:
    return np.packbits(sees, axis=1, bitorder="little").tobytes()


def _unpacked(maps: bytes) -> np.ndarray:
    rows = np.frombuffer(maps, np.uint8).reshape(-1, SAMPLES, SAMPLES // 8)
    return np.unpackbits(rows, axis=2, bitorder="little").astype(bool)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" + ("" if number == 1 else "s")
