"""The sharing explorer: one matrix W, whose columns every step of a NADE uses again.

Each variable has a lane: its bit below, its column of W, its hidden vector, its row of V, its
output. Pointing at a hidden vector lights the columns that make it; pointing at a bit lights every
hidden vector that its column is carried into. The logits are those of the student's own function,
on all words of n bits; beside them stands which output sees which input, measured by flipping bits.

The model is that of Larochelle and Murray (2011), "The Neural Autoregressive Distribution
Estimator": h_i = σ(c + W_{·,<i} x_{<i}), logit_i = b_i + V_{i·} h_i.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from typing import Any

import anywidget
import numpy as np
import traitlets

from figures import widget
from figures.drawing import Drawing
from figures.widget import fixed

MOST_VARIABLES, MOST_HIDDEN = 8, 8  # 256 words, and stacks that fit above one another
MOST_NAMED = 4  # leaks or gaps that a sentence spells out before it counts the rest
MODES = ("anew", "sweep")


class SharingExplorer(widget.Widget):
    """Draws how the hidden vectors of a NADE share the columns of W.

    W (h, n), c (h,), V (n, h), b (n,) are tensors or arrays, n ≤ 8 and h ≤ 8; x is the word to
    begin with, n bits; step the step to begin with, 1 … n; mode "anew" (each step sums its columns
    again) or "sweep" (the sum is carried along).

    Raises ValueError, in one sentence, for arguments that cannot be drawn.

    `SharingExplorer(W, c, V, b)` computes the logits itself, from the formula.
    `SharingExplorer.of(nade, W, c, V, b)` asks the student's `nade(x, W, c, V, b)`.
    """

    _esm, _css = widget.parts("sharing", ".sharing-explorer")

    # What the JavaScript draws: float32, rows one after the other; the logits of all 2^n words, x_1
    # changing slowest; and which output sees which input, one row of "01…" an output.
    _n = traitlets.Int(0).tag(sync=True)
    _h = traitlets.Int(0).tag(sync=True)
    _W = traitlets.Bytes(b"").tag(sync=True)
    _c = traitlets.Bytes(b"").tag(sync=True)
    _V = traitlets.Bytes(b"").tag(sync=True)
    _b = traitlets.Bytes(b"").tag(sync=True)
    _table = traitlets.Bytes(b"").tag(sync=True)
    _sees = traitlets.List().tag(sync=True)
    _name = traitlets.Unicode("the formula").tag(sync=True)  # of whom the logits are
    _notice = traitlets.Unicode("").tag(sync=True)  # in place of the picture
    # Where the reader is.
    _bits = traitlets.Unicode("").tag(sync=True)
    _step = traitlets.Int(1).tag(sync=True)
    _mode = traitlets.Unicode("anew").tag(sync=True)

    def __init__(
        self,
        W: Any,
        c: Any,
        V: Any,
        b: Any,
        x: Sequence | None = None,
        step: int | None = None,
        mode: str = "anew",
    ) -> None:
        super().__init__()
        self._begin(W, c, V, b, x, step, mode)
        table = np.array([self.by_formula(word) for word in _words(self._n)])
        # The formula is autoregressive, whatever the numbers are.
        self._tell(table, np.tri(self._n, self._n, -1, dtype=bool))

    @classmethod
    def of(
        cls,
        nade: Callable,
        W: Any,
        c: Any,
        V: Any,
        b: Any,
        x: Sequence | None = None,
        step: int | None = None,
        mode: str = "sweep",
    ) -> SharingExplorer:
        """An explorer of what the student's own function returns; other arguments as for the class.

        A function that is not written yet, or that raises, gives a sentence.
        """
        explorer = cls.__new__(cls)
        anywidget.AnyWidget.__init__(explorer)
        explorer._begin(W, c, V, b, x, step, mode)
        explorer.draw_from(explorer._ask, nade)
        return explorer

    def _begin(
        self, W: Any, c: Any, V: Any, b: Any, x: Sequence | None, step: int | None, mode: str
    ) -> None:
        W, c, V, b = (_array(p, name) for p, name in zip((W, c, V, b), "WcVb", strict=True))
        h, n = W.shape if W.ndim == 2 else (0, 0)
        if not (1 <= n <= MOST_VARIABLES and 1 <= h <= MOST_HIDDEN):
            raise ValueError(
                f"W (h, n) with n ≤ {MOST_VARIABLES} and h ≤ {MOST_HIDDEN} can be drawn: got shape "
                f"{W.shape}"
            )
        for name, array, wanted in (("c", c, (h,)), ("V", V, (n, h)), ("b", b, (n,))):
            if array.shape != wanted:
                raise ValueError(f"{name} must have shape {wanted}: got {array.shape}")
        if mode not in MODES:
            raise ValueError(f"mode is one of {', '.join(MODES)}: got {mode!r}")
        step = (n + 1) // 2 + 1 if step is None and n > 1 else 1 if step is None else int(step)
        if not 1 <= step <= n:
            raise ValueError(f"step must be in 1 … {n}: got {step}")
        bits = "1" * n if x is None else _bits_of(x, n)
        self._parameters = (W, c, V, b)
        with self.hold_sync():
            self._n, self._h, self._step, self._mode, self._bits = n, h, step, mode, bits
            self._W, self._c, self._V, self._b = (p.astype("<f4").tobytes() for p in (W, c, V, b))

    # -------------------------------------------------------------------- the student's function

    def _ask(self, nade: Callable) -> None:
        """The logits of all words; and who sees whom, on random numbers."""
        import torch

        n, every = self._n, torch.tensor(_words(self._n)).float()
        random = torch.Generator().manual_seed(0)
        self._name = widget.name_of(nade)

        def answer(x: Any, parameters: Sequence) -> np.ndarray:
            found = nade(x.clone(), *[p.clone() for p in parameters])
            if found is None:
                raise NotImplementedError
            found = np.asarray(found.detach().cpu() if hasattr(found, "detach") else found)
            if found.shape != tuple(x.shape) or found.dtype.kind != "f":
                raise widget.WrongForm(
                    f"floats of shape {tuple(x.shape)} are needed: got {found.dtype} of shape "
                    f"{found.shape}"
                )
            return found.astype(np.float64)

        given = [torch.tensor(p).float() for p in self._parameters]

        def measured() -> tuple[np.ndarray, np.ndarray]:
            table = answer(every, given)
            seen = np.zeros((n, n), dtype=bool)
            for _ in range(3):
                noise = [2 * torch.randn(p.shape, generator=random) for p in given]
                base = answer(every, noise)
                for j in range(n):
                    flipped = every.clone()
                    flipped[:, j] = 1 - flipped[:, j]
                    changed = np.abs(answer(flipped, noise) - base) > 1e-5 * (1 + np.abs(base))
                    seen[:, j] |= changed.any(0)
            return table, seen

        found, self._notice = widget.asked(nade, measured)
        if found is not None:
            self._tell(*found)

    def _tell(self, table: np.ndarray, seen: np.ndarray) -> None:
        with self.hold_sync():
            self._table = table.astype("<f4").tobytes()
            self._sees = ["".join("01"[int(s)] for s in row) for row in seen]

    # --------------------------------------------------------------------------------- in words
    # The JavaScript says steps, columns and the whole in the same words; a test holds the two.

    def by_formula(self, bits: Sequence[int]) -> np.ndarray:
        """The n logits of a word by h_i = σ(c + W_{·,<i} x_{<i}), computed here."""
        parameters = [p.astype(np.float32).astype(np.float64) for p in self._parameters]
        return _formula(bits, *parameters)

    @property
    def logits(self) -> np.ndarray:
        """The logits of all 2^n words as they were answered: (2^n, n)."""
        return np.frombuffer(self._table, "<f4").astype(np.float64).reshape(2**self._n, self._n)

    def step_in_words(self, step: int | None = None, bits: str | None = None) -> str:
        """What step i (from 1) of the word uses, costs and says."""
        if self._notice:
            return self._notice
        i, bits = self._step if step is None else step, self._bits if bits is None else bits
        before = [str(j) for j in range(1, i)]
        said = f"Step {i}: h{i} is made of c"
        if before:
            on = [j for j in before if bits[int(j) - 1] == "1"]
            said += f" and column{_s(before)} {', '.join(before)} of W"
            off = "; x switches none of them on" if not on else f"; x switches on {', '.join(on)}"
            said += off
        else:
            said += " alone: nothing comes before"
        said += (
            f". Multiply-adds with W so far: {self._h * i * (i - 1) // 2} when every step sums "
            f"anew, {self._h * (i - 1)} in a sweep."
        )
        logit = self.logits[int(bits, 2), i - 1]
        formula = self.by_formula([int(bit) for bit in bits])[i - 1]
        said += f" Logit {fixed(logit, 2)}, p = {fixed(sigmoid(logit), 3)} by {self._name}"
        said += "." if _same(logit, formula) else f"; these columns give {fixed(formula, 2)}."
        row = self._sees[i - 1]
        leaks = [str(j + 1) for j in range(self._n) if row[j] == "1" and j + 1 >= i]
        gaps = [str(j + 1) for j in range(self._n) if row[j] == "0" and j + 1 < i]
        if leaks:
            said += (
                f" Not autoregressive: output {i} sees input{_s(leaks)} {', '.join(leaks)}, at or "
                "after its own."
            )
        if gaps:
            said += f" Output {i} does not see input{_s(gaps)} {', '.join(gaps)}."
        return said

    def picture(self) -> Drawing:
        """The columns of W that the step uses, and which output sees which input."""
        n, h, step, cell = self._n, self._h, self._step, 26
        W = self._parameters[0]
        most, lane = max(1e-9, float(np.abs(W).max())), 420 / n
        drawing = Drawing(700, 130 + cell * h)
        logits = self.logits[int(self._bits, 2)]
        drawing.text(0, 14, f"p by {self._name} at each step, W below, and the bits x", "quiet")
        for i in range(n):
            x, used = 20 + (i + 0.5) * lane, i + 1 < step
            here = i + 1 == step
            drawing.circle(
                x, 44, 17, stroke="path" if here else "rim", stroke_width=3 if here else 1
            )
            drawing.text(x, 48, fixed(sigmoid(logits[i]), 2), anchor="middle", size=12)
            drawing.mark("p", i, fixed(sigmoid(logits[i]), 2))
            if used:
                drawing.rect(x - 16, 76, 32, cell * h + 6, "panel", stroke="path", stroke_width=2)
            for k in range(h):
                half = 11 * math.sqrt(abs(W[k, i]) / most)
                sign = {"fill": "path"} if W[k, i] > 0 else {"stroke": "leak", "stroke_width": 2}
                y = 79 + (k + 0.5) * cell
                drawing.mark("W", k, i, "plus" if W[k, i] >= 0 else "minus")
                drawing.rect(x - half, y - half, 2 * half, 2 * half, **sign,
                             opacity=1 if used else 0.35)  # fmt: skip
            drawing.text(x, 100 + cell * h, self._bits[i], anchor="middle", bold=True)

        def kind(row: int, column: int) -> str:
            seen = self._sees[row][column] == "1"
            return ("leak" if column >= row else "seen") if seen else "gap" if column < row else ""

        drawing.text(470, 14, "Which output sees which input", "quiet")
        drawing.grid(480, 28, min(30.0, 200 / n), (n, n), kind, "sees")
        return drawing

    def words(self) -> list[str]:
        """The whole, the step that is chosen, and then all steps."""
        first, *rest = super().words()
        return [first, self.step_in_words(), *rest] if not self._notice else [first]

    def column_in_words(self, column: int, bits: str | None = None) -> str:
        """Where column j (from 1) of W is carried."""
        if self._notice:
            return self._notice
        j, n, bits = column, self._n, self._bits if bits is None else bits
        if j == n:
            return f"Column {n} of W is never used: no step comes after x{n}."
        into = ", ".join(f"h{i}" for i in range(j + 1, n + 1))
        times = "once" if n - j == 1 else f"{n - j} times"
        adds = "as it is" if bits[j - 1] == "1" else "as nothing, since x is 0"
        return (
            f"Column {j} of W, times x{j} = {bits[j - 1]} ({adds}), goes into {into}: the same "
            f"{self._h} numbers, used {times}."
        )

    def in_words(self) -> str:
        """Whether the function is autoregressive, and whether it is NADE."""
        if self._notice:
            return self._notice
        n = self._n
        pairs = [(j, i) for i in range(n) for j in range(n)]
        leaks = [(j, i) for j, i in pairs if self._sees[i][j] == "1" and j >= i]
        gaps = [(j, i) for j, i in pairs if self._sees[i][j] == "0" and j < i]
        if leaks:
            return (
                f"Not autoregressive: {len(leaks)} input{_s(leaks)} at or after the output: "
                f"{_arrows(leaks)}"
            )
        if gaps:
            missing = f"{len(gaps)} input{_s(gaps)}"
            return f"Blind to the future, but {missing} of the past not seen: {_arrows(gaps)}"
        logits = self.logits
        wrong = sum(
            not _same(logits[w, i], value)
            for w, word in enumerate(_words(n))
            for i, value in enumerate(self.by_formula(word))
        )
        if wrong:
            return (
                f"Autoregressive, but not NADE: {wrong} of {logits.size} logits are not those of "
                "the columns in use"
            )
        return "Autoregressive: every output sees all inputs before it, and nothing else"

    def __repr__(self) -> str:
        if self._notice:
            return f"SharingExplorer: {self._notice}"
        size = f"{self._n} variables, {self._h} hidden units, x = {' '.join(self._bits)}"
        lines = [f"SharingExplorer: {size}. {self.in_words()}."]
        lines += [self.step_in_words(i) for i in range(1, self._n + 1)]
        return "\n".join(lines)


def sigmoid(a: float) -> float:
    """σ(a), without overflow; NaN for NaN."""
    return 1 / (1 + math.exp(-a)) if a >= 0 else math.exp(a) / (1 + math.exp(a))


def _formula(
    bits: Sequence[int], W: np.ndarray, c: np.ndarray, V: np.ndarray, b: np.ndarray
) -> np.ndarray:
    sums, logits = [float(v) for v in c], []
    for i, bit in enumerate(bits):
        total = float(b[i])
        for k, a in enumerate(sums):  # in this order, as the JavaScript adds
            total += float(V[i, k]) * sigmoid(a)
        logits.append(total)
        sums = [a + (float(W[k, i]) if bit else 0.0) for k, a in enumerate(sums)]
    return np.array(logits)


def _same(a: float, b: float) -> bool:
    return abs(a - b) <= 1e-3 * max(1.0, abs(b))


def _words(n: int) -> list[tuple[int, ...]]:
    return list(itertools.product((0, 1), repeat=n))


def _arrows(pairs: Sequence[tuple[int, int]]) -> str:
    arrows = [f"input {j + 1} → output {i + 1}" for j, i in pairs]
    if len(arrows) <= MOST_NAMED:
        return ", ".join(arrows)
    return f"{', '.join(arrows[:MOST_NAMED])} and {len(arrows) - MOST_NAMED} more"


def _s(things: Sequence) -> str:
    return "" if len(things) == 1 else "s"


def _array(values: Any, name: str) -> np.ndarray:
    if hasattr(values, "detach"):
        values = values.detach().cpu()
    array = np.asarray(values)
    if array.dtype.kind not in "fiu":
        raise ValueError(f"{name} must be an array of numbers: got {type(values).__name__}")
    return array.astype(np.float64)


def _bits_of(x: Sequence, n: int) -> str:
    array = np.asarray(x.detach().cpu() if hasattr(x, "detach") else x).reshape(-1)
    if array.shape != (n,) or not np.isin(array, (0, 1)).all():
        raise ValueError(f"x must hold {n} zeros and ones: got shape {np.shape(x)}")
    return "".join("01"[int(bit)] for bit in array)
