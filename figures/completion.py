"""The completion explorer: votes of earlier pixels, what they make likely, and pictures finished.

A black-and-white picture is cut at one pixel. The student's `logits` are asked what every pixel
before the cut has to say about it, and the student's `complete` draws the rest, several times.
Pointing at a pixel asks about that one; a pixel that sees itself or a later one is said in words.

The model is the fully visible sigmoid belief network (Frey, Hinton and Dayan, 1996): logit i is
bias_i + Σ_{j<i} weight_ij x_j, so one picture with a single inked pixel j measures column j.
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

MOST_SIDE = 16  # 256 pixels: cells that can still be hit with a pointer
MOST_NAMED = 6  # pixels that a sentence spells out before it counts the rest


class CompletionExplorer(widget.Widget):
    """Draws what a model of pixels says of each one, given those before it.

    `CompletionExplorer.of(logits, complete, weight, bias, x=digit, cursor=32)` asks the student's
    functions. A function that is not written yet, or that raises, gives a sentence.
    """

    _esm, _css = widget.parts("completion", ".completion-explorer")

    # What the JavaScript draws: float32 logits of the empty picture (n,), what each pixel adds to
    # each logit (n, n), and which logit can see which pixel at all, one row of "01…" a logit.
    _side = traitlets.Int(0).tag(sync=True)
    _base = traitlets.Bytes(b"").tag(sync=True)
    _votes = traitlets.Bytes(b"").tag(sync=True)
    _sees = traitlets.List().tag(sync=True)
    _completions = traitlets.List().tag(sync=True)  # pictures as "0110…"
    _given = traitlets.Unicode("").tag(sync=True)  # the beginning that they share
    _notice = traitlets.Unicode("").tag(sync=True)  # in place of the picture
    _complete_notice = traitlets.Unicode("").tag(sync=True)  # in place of the completions
    _remark = traitlets.Unicode("").tag(sync=True)  # below the picture
    # Where the reader is, and the last button.
    _bits = traitlets.Unicode("").tag(sync=True)
    _cursor = traitlets.Int(0).tag(sync=True)
    _request = traitlets.Dict().tag(sync=True)

    @classmethod
    def of(
        cls,
        logits: Callable,
        complete: Callable,
        weight: Any,
        bias: Any,
        x: Sequence | None = None,
        cursor: int | None = None,
        count: int = 6,
        seed: int = 0,
        at_once: bool = True,
    ) -> CompletionExplorer:
        """An explorer of what the student's own functions make of `weight` and `bias`.

        weight (n, n) and bias (n,) are tensors, n a square number of at most 256; x is the picture
        to begin with, n bits (empty if left out); cursor the pixel, from 0, that is asked first.
        at_once False shows no endings before the reader asks for some.
        Calls `logits(x, weight, bias)` and `complete(prefix, weight, bias, generator)`.

        Raises ValueError, in one sentence, for arguments that cannot be drawn.
        """
        import torch

        weight, bias = torch.as_tensor(weight).detach(), torch.as_tensor(bias).detach()
        n = len(bias) if bias.ndim == 1 else 0
        side = math.isqrt(n)
        if not 1 <= side <= MOST_SIDE or side * side != n or weight.shape != (n, n):
            raise ValueError(
                f"weight (n, n) and bias (n,) with a square n of at most {MOST_SIDE**2} can be "
                f"drawn: got {tuple(weight.shape)} and {tuple(bias.shape)}"
            )
        bits = "0" * n if x is None else _bits_of(x, n)
        cursor = n // 2 if cursor is None else int(cursor)
        if not 0 <= cursor < n:
            raise ValueError(f"cursor must be in 0 … {n - 1}: got {cursor}")
        explorer = cls()
        explorer._side, explorer._bits, explorer._cursor = side, bits, cursor

        def draw(logits: Callable, complete: Callable) -> None:
            explorer._ask(logits, weight, bias)
            if not explorer._notice:
                explorer._functions = (complete, weight, bias, count)
                explorer._generator = torch.Generator().manual_seed(seed)
                if at_once or explorer._completions:
                    explorer._complete()
                explorer._live = True

        explorer.draw_from(draw, logits, complete)
        explorer.observe(lambda change: explorer._complete(), names="_request")
        return explorer

    _functions: tuple = ()

    # ------------------------------------------------------------------- the student's functions

    def _ask(self, logits: Callable, weight: Any, bias: Any) -> None:
        """Measures the votes, on the given numbers; and who can see whom, on random ones."""
        import torch

        n = len(bias)
        single = torch.cat([torch.zeros(1, n), torch.eye(n)]).to(bias.dtype)  # empty, then pixel j
        here = torch.tensor([[float(b) for b in self._bits]]).to(bias.dtype)
        random = torch.Generator().manual_seed(0)

        def answer(x: Any, weight: Any, bias: Any) -> np.ndarray:
            found = logits(x.clone(), weight.clone(), bias.clone())
            if found is None:
                raise NotImplementedError
            found = np.asarray(found.detach().cpu() if hasattr(found, "detach") else found)
            if found.shape != tuple(x.shape) or found.dtype.kind != "f":
                raise widget.WrongForm(
                    f"floats of shape {tuple(x.shape)} are needed: got {found.dtype} of shape "
                    f"{found.shape}"
                )
            return found.astype(np.float64)

        def measured() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
            seen = np.zeros((n, n), dtype=bool)
            for _ in range(2):
                noise = [torch.randn(s, generator=random).to(bias.dtype) for s in ((n, n), (n,))]
                probe = answer(single, *noise)
                seen |= (probe[1:] != probe[0]).T
            return seen, answer(single, weight, bias), answer(here, weight, bias)[0]

        told, self._notice = widget.asked(logits, measured)
        if told is None:
            return
        seen, found, check = told
        base, votes = found[0], (found[1:] - found[0]).T
        self._remark = ""
        straight = base + votes @ np.array([float(b) for b in self._bits])
        if not np.allclose(check, straight, rtol=1e-3, atol=1e-3):
            self._remark = (
                f"{widget.name_of(logits)} does not add votes up: what is drawn holds for pictures "
                "with one inked pixel only."
            )
        with self.hold_sync():
            self._base = base.astype("<f4").tobytes()
            self._votes = votes.astype("<f4").tobytes()
            self._sees = ["".join("01"[int(s)] for s in row) for row in seen]

    def _complete(self) -> None:
        """Asks for new endings of the picture as it stands, cut before the cursor."""
        import torch

        if not self._functions:
            return
        complete, weight, bias, count = widget.current(self._functions)
        given, n = self._bits[: self._cursor], len(self._bits)
        prefix = torch.tensor([[float(b) for b in given]] * count).reshape(count, len(given))

        def endings() -> list[str]:
            answer = complete(prefix.to(bias.dtype), weight.clone(), bias.clone(), self._generator)
            if answer is None:
                raise NotImplementedError
            drawn = np.asarray(answer.detach().cpu() if hasattr(answer, "detach") else answer)
            if drawn.shape != (count, n) or not np.isin(drawn, (0, 1)).all():
                raise widget.WrongForm(
                    f"bits of shape {(count, n)} are needed: got shape {drawn.shape}"
                )
            return ["".join("01"[int(bit)] for bit in row) for row in drawn]

        pictures, notice = widget.asked(complete, endings)
        with self.hold_sync():
            self._given, self._completions, self._complete_notice = given, pictures or [], notice

    # --------------------------------------------------------------------------------- in words
    # The JavaScript says pixels and the whole in the same words; a test holds the two together.

    @property
    def votes(self) -> np.ndarray:
        """What pixel j adds to logit i, as `logits` answered: (n, n), row i, column j."""
        n = len(self._bits)
        return np.frombuffer(self._votes, "<f4").astype(np.float64).reshape(n, n)

    def pixel_in_words(self, i: int) -> str:
        """The arithmetic of pixel i (from 0) on the picture as it stands."""
        if self._notice:
            return self._notice
        base, votes = np.frombuffer(self._base, "<f4").astype(np.float64), self.votes
        inked = [j for j, bit in enumerate(self._bits) if bit == "1"]
        past = _added(votes[i], [j for j in inked if j < i])
        late = _added(votes[i], [j for j in inked if j >= i])
        seers = [j for j in range(i, len(self._bits)) if self._sees[i][j] == "1"]
        count = sum(j < i for j in inked)
        row, column = i // self._side + 1, i % self._side + 1
        said = f"Pixel {i + 1} (row {row}, column {column}): bias {_plain(base[i])}"
        if not count:
            said += ", no inked pixel before it"
        else:
            said += f", votes of {count} inked pixel{'s' * (count > 1)} before it {_signed(past)}"
        if seers:
            said += f", of pixels at or after it {_signed(late)}"
        logit = base[i] + past + late
        said += f"; logit {_plain(logit)}, ink with probability {fixed(sigmoid(logit), 3)}."
        if seers:
            named = ", ".join(str(j + 1) for j in seers[:MOST_NAMED])
            more = f" and {len(seers) - MOST_NAMED} more" if len(seers) > MOST_NAMED else ""
            said += (
                f" Not autoregressive: this logit sees {len(seers)} pixel{'s' * (len(seers) > 1)} "
                f"at or after its own: {named}{more}."
            )
        return said

    def in_words(self) -> str:
        """Whether the logits are blind to the future and see all of the past."""
        if self._notice:
            return self._notice
        n = len(self._bits)
        pairs = [(i, j) for i in range(n) for j in range(n)]
        leaks = sum(self._sees[i][j] == "1" and j >= i for i, j in pairs)
        gaps = sum(self._sees[i][j] == "0" and j < i for i, j in pairs)
        if leaks:
            return (
                f"Not autoregressive: {leaks} time{'s' * (leaks > 1)} a logit sees a pixel at or "
                "after its own"
            )
        if gaps and gaps == n * (n - 1) // 2:
            return "No pixel has a vote: these are independent coins"
        if gaps:
            return f"Blind to the future, but {gaps} votes that the order allows are not counted"
        return "Autoregressive: every logit sees all pixels before its own, and nothing else"

    def picture(self) -> Drawing:
        """The picture, the votes for the pixel that is asked, and the endings that were drawn."""
        side, cell, at = self._side, 190 / self._side, self._cursor
        drawing = Drawing(700, 230 + (130 if self._completions else 0))
        votes = self.votes[at]
        most = max(1e-9, *(abs(votes)))

        def paint(left: float, top: float, cell: float, bits: str, mark: int) -> None:
            drawing.rect(left, top, cell * side, cell * side, "page", stroke="rim")
            for i, bit in enumerate(bits):
                if bit == "1":
                    x, y = left + i % side * cell, top + i // side * cell
                    drawing.rect(x, y, cell, cell, "ink", fill_opacity=1 if i < mark else 0.55)
            drawing.rect(left + mark % side * cell, top + mark // side * cell, cell, cell,
                         stroke="leak", stroke_width=2.5)  # fmt: skip

        drawing.text(0, 14, f"The picture, and pixel {at + 1}", "quiet")
        paint(0, 26, cell, self._bits, at)
        drawing.text(240, 14, f"Votes for pixel {at + 1}: full for ink, hollow against", "quiet")
        drawing.rect(240, 26, cell * side, cell * side, "page", stroke="rim")
        for j, vote in enumerate(votes):
            drawing.mark("vote", j, fixed(float(vote), 2))
            if self._bits[j] == "1":
                drawing.mark("ink", j)
            x, y = 240 + (j % side + 0.5) * cell, 26 + (j // side + 0.5) * cell
            half = 0.46 * cell * float(np.sqrt(abs(vote) / most))
            if half > 0.4 and np.isfinite(half):
                sign = {"fill": "path"} if vote > 0 else {"stroke": "leak", "stroke_width": 1.5}
                drawing.rect(x - half, y - half, 2 * half, 2 * half, **sign)
        for k, ending in enumerate(self._completions[:6]):
            drawing.text(0, 244, f"Drawn after the {at} given pixels", "quiet")
            paint(k * 116, 254, 100 / side, ending, at)
            drawing.mark("ending", k, ending)
        return drawing

    def words(self) -> list[str]:
        """The whole, the pixel, and what the picture costs; its blocks are drawn."""
        return [line for line in super().words() if not set("·█") & set(line[:8])]

    def cost_in_words(self) -> str:
        """−log p of the picture as it stands, in nats."""
        if self._notice:
            return self._notice
        base, votes, total = np.frombuffer(self._base, "<f4").astype(np.float64), self.votes, 0.0
        inked = [j for j, bit in enumerate(self._bits) if bit == "1"]
        for i, bit in enumerate(self._bits):
            logit = base[i] + _added(votes[i], [j for j in inked if j < i])
            logit += _added(votes[i], [j for j in inked if j >= i])
            total += softplus(-logit if bit == "1" else logit)
        return f"The whole picture costs {_plain(total)} nats."

    def __repr__(self) -> str:
        if self._notice:
            return f"CompletionExplorer: {self._notice}"
        lines = [f"CompletionExplorer: {self._side}×{self._side} pixels. {self.in_words()}."]
        lines += [self.pixel_in_words(self._cursor), self.cost_in_words()]
        lines += [text for text in (self._remark, self._complete_notice) if text]
        if self._completions:
            lines.append(f"{len(self._completions)} pictures that begin with these pixels:")
            for line in range(self._side):
                part = slice(line * self._side, (line + 1) * self._side)
                lines.append("   ".join(p[part] for p in self._completions))
        text = "\n".join(lines[: -self._side]) if self._completions else "\n".join(lines)
        drawn = lines[-self._side :] if self._completions else []
        return "\n".join([text, *(d.replace("0", "·").replace("1", "█") for d in drawn)])


def sigmoid(a: float) -> float:
    """σ(a), without overflow; NaN for NaN."""
    return 1 / (1 + math.exp(-a)) if a >= 0 else math.exp(a) / (1 + math.exp(a))


def softplus(a: float) -> float:
    """log(1 + e^a), without overflow; NaN for NaN."""
    return max(a, 0.0) + math.log1p(math.exp(-abs(a))) if a == a else a


def _added(row: np.ndarray, pixels: Sequence[int]) -> float:
    total = 0.0
    for j in pixels:  # in this order, as the JavaScript adds
        total += float(row[j])
    return total


def _plain(value: float) -> str:
    return fixed(value, 2)


def _signed(value: float) -> str:
    text = fixed(value, 2)
    return text if text[0] in "−N" else f"+{text}"


def _bits_of(x: Sequence, n: int) -> str:
    array = np.asarray(x.detach().cpu() if hasattr(x, "detach") else x).reshape(-1)
    if array.shape != (n,) or not np.isin(array, (0, 1)).all():
        raise ValueError(f"x must hold {n} zeros and ones: got shape {np.shape(x)}")
    return "".join("01"[int(bit)] for bit in array)
