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
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import traitlets

from course.causality import dependency_map
from figures import widget

HERE = Path(__file__).parent
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
    _whole = traitlets.Bytes(b"").tag(sync=True)  # a model's map, or nothing
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
        output: int = SAMPLES,
    ) -> DilationTree:
        """A tree of the student's own class and function, with this stack and output to begin with.

        conv: `conv(channels_in, channels_out, kernel_size, dilation)`, a module (B, C, T) → (B, C,
        T). field: `field(kernel_size, dilations)`, an int. What is not written yet, or raises,
        gives a sentence.

        Raises ValueError for a stack or an output that cannot be drawn.
        """
        dilations = [int(d) for d in dilations]
        if kernel_size not in KERNELS or not _drawable(dilations):
            raise ValueError(
                f"1 to {MOST_LAYERS} layers with dilations out of {DILATIONS} and a kernel out of "
                f"{KERNELS} can be drawn: got {dilations} and {kernel_size}"
            )
        if not 1 <= output <= SAMPLES:
            raise ValueError(f"output must be in 1 … {SAMPLES}: got {output}")
        tree = cls()
        with tree.hold_sync():
            tree._kernel, tree._dilations, tree._output = kernel_size, dilations, output
            tree._field_name = widget.name_of(field)
            _, tree._notice = _asked(conv, lambda: tree._measure(conv))
            if not tree._notice:
                _, tree._notice = _asked(field, lambda: tree._predict(field))
        return tree

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

            def whole() -> np.ndarray:
                codes = np.zeros((1, SAMPLES), dtype=np.int64)
                found = dependency_map(model, codes, "token", outputs=1, vocabulary=model.levels)
                return _square(found.sees, type(model).__name__)

            measured, tree._notice = _asked(type(model), whole)
            if not tree._notice:
                tree._whole = _packed(measured)
                tree._own = [kernel, dilations]
        return tree

    # -------------------------------------------------------------------- the student's functions

    def _measure(self, conv: Callable) -> None:
        maps = []
        for kernel, dilation in itertools.product(KERNELS, DILATIONS):
            layer = conv(1, 1, kernel, dilation)
            if layer is None:
                raise NotImplementedError
            signal = np.zeros((1, 1, SAMPLES))
            found = dependency_map(layer, signal, "normal", outputs=1, together=1, draws=2).sees
            called = f"{widget.name_of(conv)} with kernel {kernel} and dilation {dilation}"
            maps.append(_square(found, called))
        self._maps = b"".join(_packed(m) for m in maps)

    def _predict(self, field: Callable) -> None:
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
        self._predicted = np.array(told, dtype="<i4").tobytes()

    # --------------------------------------------------------------------------------- in words
    # The JavaScript says all this in the same words; a test holds the two.

    def layer_map(self, dilation: int) -> np.ndarray:
        """Which outputs of one layer see which of its inputs, as measured: bool (32, 32)."""
        at = KERNELS.index(self._kernel) * len(DILATIONS) + DILATIONS.index(dilation)
        return _unpacked(self._maps)[at]

    def reach(self) -> list[np.ndarray]:
        """For each level (inputs first) which of its units each output hears: bool (32, 32)."""
        levels = [np.eye(SAMPLES, dtype=bool)]
        for dilation in reversed(self._dilations):
            levels.append((levels[-1].astype(int) @ self.layer_map(dilation).astype(int)) > 0)
        return levels[::-1]

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
        sees, predicted = self.reach()[0], self.predicted
        leaks = [(i, t) for t in range(SAMPLES) for i in range(t + 1, SAMPLES) if sees[t, i]]
        if leaks:
            named = ", ".join(f"input {i + 1} → output {t + 1}" for i, t in leaks[:MOST_NAMED])
            more = f" and {len(leaks) - MOST_NAMED} more" if len(leaks) > MOST_NAMED else ""
            return f"Not causal: {_count(len(leaks), 'input')} after the output: {named}{more}"
        seen = np.flatnonzero(sees[-1])
        if not len(seen):
            return "The last output sees nothing"
        span = SAMPLES - int(seen[0])
        holes = span - len(seen)
        if holes:
            return (
                f"Causal, with {_count(holes, 'hole')}: of the {span} samples that the last output "
                f"spans, it sees {len(seen)}"
            )
        says = f"{self._field_name} says {predicted}"
        if predicted > SAMPLES and span == SAMPLES:
            return f"Causal and without holes, as far as drawn: {says}, and {SAMPLES} are drawn"
        if predicted < 0:
            return f"Causal and without holes: the last output sees {_count(span, 'sample')}"
        if predicted != span:
            return f"Causal and without holes, but {says}, and the last output sees {span}"
        return f"Causal and without holes: the last output sees {_count(span, 'sample')}, as {says}"

    def model_in_words(self) -> str:
        """What the whole model's logits see, if one was measured and its stack is drawn."""
        if self._notice or not self._whole or self._own != [self._kernel, list(self._dilations)]:
            return ""
        whole = _unpacked(self._whole)[0]
        leaks = [(i, t) for t in range(SAMPLES) for i in range(t, SAMPLES) if whole[t, i]]
        if leaks:
            named = ", ".join(f"x{i + 1} → logits of x{t + 1}" for i, t in leaks[:MOST_NAMED])
            more = f" and {len(leaks) - MOST_NAMED} more" if len(leaks) > MOST_NAMED else ""
            return f"Not autoregressive: {named}{more}."
        seen = np.flatnonzero(whole[-1])
        if not len(seen):
            return "The whole model: the logits see nothing."
        return (
            f"The whole model: the logits of x{SAMPLES} see {_ranges(seen)}, and no logits see "
            f"their "
            "own sample or a later one."
        )

    def output_in_words(self, output: int | None = None) -> str:
        """What output t (from 1) hears, layer by layer."""
        if self._notice:
            return self._notice
        t = (self._output if output is None else output) - 1
        levels = self.reach()
        layers = []
        for level in range(len(self._dilations) - 1, 0, -1):
            units = int(levels[level][t].sum())
            layers.append(f"{_count(units, 'unit')} of layer {level}")
        seen = np.flatnonzero(levels[0][t])
        way = f", through {', '.join(layers)}" if layers else ""
        inputs = f"inputs {_ranges(seen)}" if len(seen) != 1 else f"input {seen[0] + 1}"
        said = f"Output {t + 1} sees {inputs if len(seen) else 'nothing'}{way}."
        late = [str(i + 1) for i in seen if i > t]
        if late:
            said += (
                f" Not causal: input{'s' if len(late) > 1 else ''} {', '.join(late)} come later."
            )
        if self.predicted > 0:
            first = max(1, t + 2 - self.predicted)
            expected = f"{first}–{t + 1}" if first < t + 1 else f"{first}"
            said += f" {self._field_name} says {expected}."
        return said

    def __repr__(self) -> str:
        if self._notice:
            return f"DilationTree: {self._notice}"
        stack = f"kernel {self._kernel}, dilations {', '.join(map(str, self._dilations))}"
        lines = [f"DilationTree: {stack}. {self.in_words()}.", self.output_in_words()]
        return "\n".join([*lines, self.model_in_words()]).rstrip()


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


def _asked(subject: Any, question: Callable[[], Any]) -> tuple[Any, str]:
    """The answer, and "" or a sentence that says what stood in its way."""
    name = widget.name_of(subject)
    try:
        return question(), ""
    except NotImplementedError as error:
        missing = str(error).split(":")[0] if "write your code here" in str(error) else name
        return None, f"{missing} is not written yet: solve its exercise first."
    except widget.WrongForm as error:
        return None, f"{error}."
    except Exception as error:
        frames = traceback.extract_tb(error.__traceback__)
        here = str(HERE.parent)
        theirs = [f.lineno for f in frames if "ipykernel" in f.filename or "<ipython" in f.filename]
        theirs = theirs or [
            f.lineno
            for f in frames
            if not f.filename.startswith((here + "/figures", here + "/course"))
            and "site-packages" not in f.filename
        ]
        said = str(error).strip().splitlines()
        what = f"{type(error).__name__}: {said[0]}" if said else type(error).__name__
        return None, f"{name}, line {theirs[-1]}: {what}" if theirs else f"{name}: {what}"


def _ranges(places: Sequence[int]) -> str:
    """Places from 0 as words from 1: 1–3, 7, 9–12."""
    said, start, last = [], None, None
    for place in [int(p) + 1 for p in places]:
        if last is not None and place == last + 1:
            last = place
            continue
        if last is not None:
            said.append(f"{start}–{last}" if last > start else f"{start}")
        start = last = place
    if last is not None:
        said.append(f"{start}–{last}" if last > start else f"{start}")
    return ", ".join(said)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" + ("" if number == 1 else "s")
