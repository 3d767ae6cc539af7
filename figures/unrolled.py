"""The unrolled network: which states a bit still moves, measured by turning it.

Bits go in one after the other; above each stands the state that has read it. One bit is turned, and
all states are made anew: a state is as full as the share of the change that is left in it. The
student's own loop and cells are asked; what a state must not have read is crossed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import traitlets

from figures import widget
from figures.drawing import Drawing

MOST = 16  # bits
WIDTH, HIGH, LOW = 720, 56, 140  # the picture, and where states and bits stand, in its own units

Step = Callable[[Any, Any], Any]


class Unrolled(widget.Widget):
    """Draws how far each of `bits` (a text of 0 and 1) reaches in the states of several networks.

    steps   name → step(x, h), which reads bits x (B, 1) in states h (B, hidden), all floats.
    hidden  numbers of a state; the first is 0.

    `Unrolled.of(unroll, steps, bits, hidden)` makes the states with the student's own loop.
    Raises ValueError, in one sentence, for what makes no picture.
    """

    _esm, _css = widget.parts("unrolled", ".unrolled")

    _bits = traitlets.Unicode("").tag(sync=True)
    _names = traitlets.List().tag(sync=True)
    _name = traitlets.Int(0).tag(sync=True)  # which network
    _place = traitlets.Int(0).tag(sync=True)  # which bit is turned, from 0
    _moved = traitlets.Bytes(b"").tag(sync=True)  # float32 (networks, bits, bits + 1)
    _notice = traitlets.Unicode("").tag(sync=True)

    def __init__(
        self,
        steps: Mapping[str, Step],
        bits: str,
        hidden: int,
        unroll: Callable[..., Any] | None = None,
    ) -> None:
        super().__init__()
        if not 2 <= len(bits) <= MOST or set(bits) - {"0", "1"}:
            raise ValueError(f"bits must be 2 to {MOST} digits 0 or 1: got {bits!r}")
        if not steps or hidden < 1:
            raise ValueError("a network, and a state of at least one number, are needed")
        self._bits, self._names, self._hidden = bits, list(steps), hidden
        self._place = min(2, len(bits) - 1)
        self.draw_from(self._ask, unroll or _loop, dict(steps))

    @classmethod
    def of(cls, unroll: Callable, steps: Mapping[str, Step], bits: str, hidden: int) -> Unrolled:
        """The same, its states made by `unroll(step, x, h)`: x (B, T, 1) → (B, T + 1, hidden)."""
        return cls(steps, bits, hidden, unroll)

    def _ask(self, unroll: Callable, steps: Mapping[str, Step]) -> None:
        """How far each state moves when each bit is turned."""
        n, hidden = len(self._bits), self._hidden

        def measured() -> np.ndarray | None:
            import torch

            rows = torch.tensor([[float(bit) for bit in self._bits]]).repeat(n + 1, 1)
            rows[range(n), range(n)] = 1 - rows[range(n), range(n)]  # the last row is as it was
            moved = []
            for step in steps.values():
                found = unroll(step, rows[:, :, None], torch.zeros(n + 1, hidden))
                if found is None:
                    return None
                if tuple(found.shape) != (n + 1, n + 1, hidden):
                    raise widget.WrongForm(
                        f"states of shape {(n + 1, n + 1, hidden)} are drawn: got "
                        f"{tuple(found.shape)}"
                    )
                moved.append((found[:-1] - found[-1]).detach().cpu().double().norm(dim=2).numpy())
            return np.stack(moved)

        moved, self._notice = widget.asked(unroll, measured)
        self._moved = (np.zeros((1, n, n + 1)) if moved is None else moved).astype("<f4").tobytes()

    # --- in words ----------------------------------------------------------------------------
    # The JavaScript says the same; a test holds the two together.

    def moved(self) -> np.ndarray:
        """How far each state moves (bits + 1,) when the chosen bit is turned."""
        n = len(self._bits)
        table = np.frombuffer(self._moved, "<f4").astype(float).reshape(-1, n, n + 1)
        return table[min(self._name, len(table) - 1), self._place]

    def shares(self) -> np.ndarray:
        """The same as shares of how far the first state that read the bit moves."""
        moved = self.moved()
        return moved / max(float(moved[self._place + 1]), 1e-30)

    def in_words(self) -> str:
        """How much of the turned bit is left in the last state, and who saw it too early."""
        if self._notice:
            return self._notice
        i, n, moved, shares = self._place, len(self._bits), self.moved(), self.shares()
        early = [f"h{t}" for t in range(i + 1) if moved[t] > 0]
        if early:
            return (
                f"{self._names[self._name]}: bit {i + 1} is seen by {', '.join(early)}, which must "
                "not have read it yet."
            )
        return (
            f"{self._names[self._name]}: bit {i + 1} of {n} is turned. {_percent(shares[n])} of "
            f"the change is left in h{n}, {n - i - 1} step{'' if n - i == 2 else 's'} later."
        )

    def picture(self) -> Drawing:
        """States above, bits below, and what the turned bit moves."""
        n, i, shares = len(self._bits), self._place, self.shares()
        drawing, lane = Drawing(WIDTH, 180), WIDTH / (n + 1)
        drawing.text(
            4, 14, f"{self._names[self._name]}: % of the change left in each state", "quiet"
        )
        at = [lane * (t + 0.5) for t in range(n + 1)]
        for t in range(n):
            lit = "path" if t > i else "wire"
            drawing.line([(at[t] + 16, HIGH), (at[t + 1] - 16, HIGH)], lit, 2 if t > i else 1)
            lit = "path" if t == i else "wire"
            drawing.line([(at[t], LOW - 14), (at[t + 1] - 8, HIGH + 18)], lit, 2 if t == i else 1)
        for t in range(n + 1):
            early = t <= i and shares[t] > 0
            drawing.mark("state", t, "leak" if early else _percent(shares[t]))
            drawing.circle(at[t], HIGH, 15, "page", stroke="rim", stroke_width=1.5)
            drawing.circle(at[t], HIGH, 15 * min(1.0, float(shares[t])) ** 0.5, "path")
            if early:
                drawing.cross(at[t], HIGH, 7)
            drawing.text(at[t], HIGH + 36, t or "h0", "quiet", anchor="middle", size=12)
            share = "≫" if shares[t] > 9.99 else widget.fixed(100 * float(shares[t]), 0)
            drawing.text(at[t], HIGH - 22, share, anchor="middle", size=12)
        for t, bit in enumerate(self._bits):
            drawing.mark("bit", t, bit, "turned" if t == i else "")
            edge = {"stroke": "path", "stroke_width": 3} if t == i else {"stroke": "rim"}
            drawing.rect(at[t] - 12, LOW - 12, 24, 24, "panel", rx=4, **edge)
            drawing.text(at[t], LOW + 5, bit, anchor="middle", bold=t == i)
        return drawing

    def __repr__(self) -> str:
        return f"Unrolled: {self.in_words()}"


def _percent(share: float) -> str:
    """A share as a whole percentage, as the JavaScript writes it."""
    return "> 999 %" if share > 9.99 else f"{widget.fixed(100 * float(share), 0)} %"


def _loop(step: Step, x: Any, h: Any) -> Any:
    import torch

    states = [h]
    for t in range(x.shape[1]):
        states.append(step(x[:, t], states[-1]))
    return torch.stack(states, dim=1)
