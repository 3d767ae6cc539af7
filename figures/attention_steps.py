"""One step of attention on words that one types: q·k, the mask, the softmax, the sum of values.

The numbers are those of one head of a trained model. Choose the token that asks, and read its four
rows from above (Vaswani et al., 2017, equation 1).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import traitlets

from figures import widget
from figures.drawing import Drawing
from figures.widget import fixed

MOST = 9  # tokens
SHOWN = 8  # numbers of a value


class AttentionSteps(widget.Widget):
    """Draws the four steps for one token that asks; `of` makes one."""

    _esm, _css = widget.parts("attention_steps", ".attention-steps")

    _text = traitlets.Unicode("").tag(sync=True)  # the reader's
    _head = traitlets.Int(0).tag(sync=True)  # the reader's, counted through all blocks
    _heads = traitlets.List().tag(sync=True)  # their names
    _labels = traitlets.List().tag(sync=True)
    # float32: scores (T, T), weights (T, T), values (T, SHOWN), answers (T, SHOWN).
    _numbers = traitlets.Bytes(b"").tag(sync=True)
    _words = traitlets.List().tag(sync=True)  # a sentence a token
    _verdict = traitlets.List(["waiting", "Nothing to draw yet"]).tag(sync=True)
    _notice = traitlets.Unicode("").tag(sync=True)
    _row = traitlets.Int(-1).tag(sync=True)  # the token that asks, from 0

    @classmethod
    def of(
        cls, model: Any, text: str, attention: Callable | None = None, head: int = 0
    ) -> AttentionSteps:
        """The steps in a ready model (`course.pretrained.LanguageModel`) for the text's tokens.

        attention: the student's function of q, k, v (…, T, d), whose weights are drawn and compared
        with the formula's; without it, the formula's. head: from 0, through all blocks.
        """
        steps = cls()
        heads = model.config["n_head"]
        names = [(b + 1, h + 1) for b in range(len(model.layers)) for h in range(heads)]
        steps._heads = [f"block {b}, head {h}" for b, h in names]
        steps._text, steps._head, steps._live = text, head, True

        def ask(*changed: Any) -> None:
            ids = model.encode(steps._text)[:MOST] or [model.end]
            labels = [widget.visible(model.decode([i])) for i in ids]
            steps._compute(labels, *_read(model, ids, *divmod(steps._head, heads)))

        def draw(attention: Callable | None) -> None:
            steps._attention = attention
            ask()

        steps.draw_from(draw, attention)
        steps.observe(ask, names=["_text", "_head"])
        return steps

    def _compute(self, labels: list[str], q: Any, k: Any, v: Any) -> None:
        import torch

        T, d = q.shape
        scores = q @ k.T / math.sqrt(d)
        future = torch.ones(T, T).triu(1).bool()
        right = scores.masked_fill(future, -math.inf).softmax(-1)
        weights, notice, verdict = right, "", ["plain", "Read the columns of a row from above"]
        if self._attention is not None:
            asked = (x[None, None] for x in (q, k, torch.eye(T)))  # identity: answers are weights
            theirs, notice = widget.asked(self._attention, self._attention, *asked)
            name = widget.name_of(self._attention)
            if theirs is not None and tuple(theirs.shape) == (1, 1, T, T):
                weights = theirs[0, 0].detach()
                off = (weights - right).abs().amax(-1) > 1e-4
                at = int(off.int().argmax())
                verdict = ["good", f"Your {name} gives these weights"]
                if off.any():
                    verdict = ["leak", f"Your {name} differs from the formula at “{labels[at]}”"]
            elif theirs is not None:
                notice = f"{name}: weights of shape (1, 1, {T}, {T}) are needed."
        parts = [scores, weights, v[:, :SHOWN], (weights @ v)[:, :SHOWN]]
        with self.hold_sync():
            self._labels, self._notice, self._verdict = labels, notice, verdict
            self._numbers = b"".join(p.numpy().astype("<f4").tobytes() for p in parts)
            self._words = [self._said(labels, scores[i], weights[i], i) for i in range(T)]
            if not 0 <= self._row < T:  # some come before it, and some after
                self._row = T // 2

    @staticmethod
    def _said(labels: list[str], scores: Any, weights: Any, i: int) -> str:
        best = int(weights.argmax())
        scored = ", ".join(fixed(float(s), 2) for s in scores[: i + 1])
        return (
            f"“{labels[i]}” asks: q·k / √d with itself and what came before it is {scored}; the "
            f"softmax makes {fixed(float(weights[best]), 2)} of “{labels[best]}” the largest share."
        )

    def picture(self) -> Drawing:
        """Scores, mask and weights of the token that asks, one column a token."""
        T, i, drawing = len(self._labels), self._row, Drawing(700, 150)
        numbers = np.frombuffer(self._numbers, "<f4").astype(float)
        scores, weights = (
            numbers[: T * T].reshape(T, T)[i],
            numbers[T * T : 2 * T * T].reshape(T, T)[i],
        )
        for row, name in enumerate(("", "q·k / √d", "mask", "softmax")):
            drawing.text(0, 20 + 36 * row, name, "quiet")
        for j, label in enumerate(self._labels):
            x = 110 + 64.0 * j
            drawing.text(x, 20, label[:8], anchor="middle", bold=j == i)
            drawing.text(x, 56, fixed(scores[j], 2), anchor="middle")
            drawing.text(x, 92, "−∞" if j > i else "✓", "quiet", anchor="middle")
            drawing.rect(x - 26, 108, 52 * min(1, max(0, weights[j])), 6, "path")
            drawing.text(x, 132, fixed(weights[j], 2), anchor="middle")
            drawing.mark("score", j, fixed(scores[j], 2))
            drawing.mark("weight", j, fixed(weights[j], 2))
        return drawing

    def in_words(self, row: int | None = None) -> str:
        """The steps of the token that asks; what stands in the way where nothing is drawn."""
        return self._notice or str(self._words[self._row if row is None else row])

    def __repr__(self) -> str:
        return f"AttentionSteps: {self._notice or self._heads[self._head]}\n{self.in_words()}"


def _read(model: Any, ids: list[int], block: int, head: int) -> Any:
    """q, k, v (T, d) of one head, where the model reads these tokens."""
    import torch

    kept: list[Any] = []
    inner = model.layers[block].self_attn
    hook = inner.register_forward_pre_hook(lambda _, given: kept.append(given[0][0]))
    try:
        model.logits(torch.tensor([ids]))
    finally:
        hook.remove()
    with torch.no_grad():
        joined = torch.nn.functional.linear(kept[0], inner.in_proj_weight, inner.in_proj_bias)
    d = joined.shape[-1] // 3 // inner.num_heads
    return (part[:, head * d : (head + 1) * d] for part in joined.chunk(3, dim=-1))
