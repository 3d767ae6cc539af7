"""The attention explorer: a line of tokens, what each position sees, and what it expects next.

Which position sees which token is measured on the model that is given, by exchanging tokens one at
a time. If the model's blocks have an `attend(q, k, v)`, its weights are shown head by head: asked
with the identity for values, an attention answers with its weights (Vaswani et al., 2017, equation
1). A clock counts the passes of functions that write, beside the one pass that scoring takes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np
import traitlets

from course.causality import dependency_map
from figures import widget
from figures.drawing import Drawing
from figures.widget import fixed

MOST_TOKENS, MOST_WRITTEN = 24, 16  # what fits into a line, and into the clock's lanes
SHOWN = 6  # of the next tokens
MOST_NAMED = 4  # leaks or gaps that a sentence spells out before it counts the rest


class AttentionExplorer(widget.Widget):
    """Draws who sees whom, where the heads look, and the likeliest next tokens; `of` makes one."""

    _esm, _css = widget.parts("attention", ".attention-explorer")

    # What the JavaScript draws. _sees: one row of "01…" a position. _weights: float32, blocks ×
    # heads × positions × tokens. _top: for each position its likeliest next [word, probability].
    # _comes: the probability of the token that comes. _clock: [name, [tokens read a pass, …]].
    _words = traitlets.List().tag(sync=True)
    _sees = traitlets.List().tag(sync=True)
    _weights = traitlets.Bytes(b"").tag(sync=True)
    _blocks = traitlets.Int(0).tag(sync=True)
    _heads = traitlets.Int(0).tag(sync=True)
    _top = traitlets.List().tag(sync=True)
    _comes = traitlets.List().tag(sync=True)
    _clock = traitlets.List().tag(sync=True)
    _count = traitlets.Int(0).tag(sync=True)  # tokens that the clock's functions write
    _aside = traitlets.Unicode("").tag(sync=True)  # why a part is missing
    _notice = traitlets.Unicode("").tag(sync=True)  # in place of the picture
    # Where the reader is.
    _place = traitlets.Int(1).tag(sync=True)
    _head = traitlets.Int(0).tag(sync=True)
    _tick = traitlets.Int(0).tag(sync=True)

    @classmethod
    def of(
        cls,
        model: Callable,
        tokens: Any,
        *,
        decode: Callable[[list[int]], str] = lambda ids: " ".join(map(str, ids)),
        writers: Mapping[str, Callable] | None = None,
        count: int = 8,
        place: int | None = None,
    ) -> AttentionExplorer:
        """An explorer of `model(ids (B, T)) → logits (B, T, V)` on one line of tokens (1, T).

        decode turns a list of ids into text. writers: name → `function(model, tokens, count)`,
        whose passes the clock counts. place: the position to begin with, 1 … T; without it the
        worst, or the last. A model or function that is not written yet, or that raises, gives a
        sentence.

        Raises ValueError, in one sentence, for a line that cannot be drawn.
        """
        explorer = cls()
        ids = explorer._ids = _ids(tokens)
        if not 1 <= count <= MOST_WRITTEN:
            raise ValueError(f"the clock shows 1 to {MOST_WRITTEN} tokens more: got {count}")
        if place is not None and not 1 <= place <= len(ids):
            raise ValueError(f"place must be in 1 … {len(ids)}: got {place}")
        explorer._place, explorer._count = place or len(ids), count if writers else 0

        def draw(model: Callable, writers: dict[str, Callable]) -> None:
            with explorer.hold_sync():
                explorer._aside = ""
                explorer._ask(model, explorer._ids, decode)
                if not explorer._notice:
                    explorer._time(model, explorer._ids, writers, count)

        explorer.draw_from(draw, model, dict(writers or {}))
        if place is None:
            explorer._go_to_the_worst()
        return explorer

    def read(self, tokens: Any) -> None:
        """Draws another line of tokens (1, T); ValueError for one that cannot be drawn."""
        self._ids = _ids(tokens)
        with self.hold_sync():
            self._place = 1
            self._draw(*self._drawn_from)
            self._go_to_the_worst()
        self.keep()

    def _go_to_the_worst(self) -> None:
        leaks = [row[i + 1 :].count("1") for i, row in enumerate(self._sees)]
        self._place = widget.worst(leaks, len(self._ids) - 1) + 1

    # ----------------------------------------------------------------------- the student's model

    def _ask(self, model: Callable, ids: np.ndarray, decode: Callable) -> None:
        import torch

        line = torch.tensor(ids)[None]
        kept: list[np.ndarray] = []

        def answer(x: Any) -> Any:
            with torch.no_grad():
                found = model(x)
            if found is None:
                raise NotImplementedError
            return found

        def measured() -> tuple[Any, np.ndarray]:
            with _quiet(model), _recording(model, kept):
                logits = answer(line)
            if not hasattr(logits, "detach") or tuple(logits.shape[:2]) != (1, len(ids)):
                raise widget.WrongForm(
                    f"logits of shape (1, {len(ids)}, V) are needed: got "
                    f"{tuple(getattr(logits, 'shape', ())) or type(logits).__name__}"
                )
            table = logits[0].detach().double()
            if not torch.isfinite(table).all():
                raise widget.WrongForm("some logits are NaN or infinite: run the checks above")
            with _quiet(model):
                seen = dependency_map(
                    answer, line, "token", outputs=-1, vocabulary=table.shape[-1], draws=2
                ).sees
            return table, seen

        found, self._notice = widget.asked(model, measured)
        if found is None:
            return
        table, seen = found
        p = table.softmax(-1)
        best = p.topk(min(SHOWN, p.shape[-1]), dim=-1)
        self._words = [widget.visible(decode([int(i)])) for i in ids]
        self._sees = ["".join("01"[int(s)] for s in row) for row in seen]
        self._top = [
            [
                [widget.visible(decode([int(i)])), float(value)]
                for value, i in zip(row, at, strict=True)
            ]
            for row, at in zip(best.values, best.indices, strict=True)
        ]
        self._comes = [float(p[t, ids[t + 1]]) for t in range(len(ids) - 1)]
        shapes = {w.shape for w in kept}
        if len(shapes) == 1 and len(kept[0].shape) == 3 and kept[0].shape[1:] == (len(ids),) * 2:
            stacked = np.stack(kept).astype("<f4")
            self._blocks, self._heads = stacked.shape[:2]
            self._weights = stacked.tobytes()
        elif hasattr(model, "h"):
            self._aside = "No weights to show: do the blocks call self.attend?"

    def _time(self, model: Any, ids: np.ndarray, writers: dict[str, Callable], count: int) -> None:
        """Counts passes, and the tokens read in each, while the functions write."""
        import torch

        if not writers:
            return
        clock = [["training", [len(ids) + count - 1]]]  # the last token is scored, and never read
        for name, write in writers.items():
            reads: list[int] = []

            def note(_module: Any, given: tuple, reads: list[int] = reads) -> None:
                reads.append(int(given[0].shape[1]))

            hook = model.register_forward_pre_hook(note)
            _, aside = widget.asked(write, write, model, torch.tensor(ids)[None], count)
            hook.remove()
            if aside:
                self._aside = aside
            else:
                clock.append([name, reads])
        self._clock = clock

    # --------------------------------------------------------------------------------- in words
    # The JavaScript says places, heads and the whole in the same words; a test holds the two.

    @property
    def weights(self) -> np.ndarray:
        """The attention's weights: (blocks, heads, T, T); empty if the model shows none."""
        T = len(self._words)
        flat = np.frombuffer(self._weights, "<f4").astype(np.float64)
        return flat.reshape(self._blocks, self._heads, T, T)

    def place_in_words(self, place: int | None = None, head: int | None = None) -> str:
        """What position `place` (from 1) sees, where a head looks from there, and what comes."""
        if self._notice:
            return self._notice
        i = self._place if place is None else place
        head, words, row = self._head if head is None else head, self._words, self._sees[i - 1]
        late = [j for j in range(i + 1, len(words) + 1) if row[j - 1] == "1"]
        gaps = [j for j in range(1, i + 1) if row[j - 1] == "0"]
        said = f"Position {i}, “{words[i - 1]}”: "
        if late:
            comes = "comes" if len(late) == 1 else "come"
            said += f"sees token{_s(late)} {_listed(late)}, which {comes} after it."
        elif gaps:
            said += f"does not see token{_s(gaps)} {_listed(gaps)}, and nothing after itself."
        elif i == 1:
            said += "sees its own token, and nothing after it."
        else:
            said += f"sees all {i} tokens up to its own, and nothing after it."
        if self._weights:
            block, h = divmod(head, self._heads)
            weights = self.weights[block, h, i - 1]
            j = int(weights.argmax())
            said += (
                f" Head {h + 1} of block {block + 1} looks most at “{words[j]}”, token {j + 1} "
                f"({fixed(weights[j], 2)})."
            )
        word, p = self._top[i - 1][0]
        said += f" Likeliest next: “{word}” {fixed(p, 3)}"
        if i < len(words):
            return said + f"; there comes “{words[i]}” {fixed(self._comes[i - 1], 3)}."
        return said + "."

    def picture(self) -> Drawing:
        """Who sees whom, and where the head that is chosen looks."""
        T, cell = len(self._words), min(26.0, 270 / len(self._words))
        drawing = Drawing(700, 60 + cell * T)

        def kind(i: int, j: int) -> str:
            seen = self._sees[i][j] == "1"
            return ("leak" if j > i else "seen") if seen else "gap" if j <= i else ""

        drawing.text(0, 14, "Which position sees which token", "quiet")
        for i, word in enumerate(self._words):
            drawing.text(
                90, 30 + (i + 0.65) * cell, word[:11], anchor="end", size=min(12, cell - 1)
            )
        drawing.grid(98, 28, cell, (T, T), kind, "sees")
        if self._weights:
            block, head = divmod(self._head, self._heads)
            weights = self.weights[block, head]
            drawing.text(400, 14, f"Where head {head + 1} of block {block + 1} looks", "quiet")

            def looks(i: int, j: int) -> str:
                return fixed(float(weights[i, j]), 2) if kind(i, j) else ""

            drawing.grid(400, 28, cell, (T, T), looks, "weight")
        return drawing

    def words(self) -> list[str]:
        """The whole, the position that is chosen, and then all positions."""
        first, *rest = super().words()
        return [first, self.place_in_words(), *rest] if not self._notice else [first]

    def clock_in_words(self) -> str:
        """How many passes and tokens each way takes."""
        said = []
        for name, reads in self._clock:
            passes = f"{len(reads)} pass{'' if len(reads) == 1 else 'es'}"
            said.append(f"{name}: {passes}, {sum(reads)} tokens read")
        return "; ".join(said) + "." if said else ""

    def in_words(self) -> str:
        """Whether the model is causal."""
        if self._notice:
            return self._notice
        T = len(self._words)
        pairs = [(i, j) for i in range(T) for j in range(T)]
        leaks = [(i, j) for i, j in pairs if self._sees[i][j] == "1" and j > i]
        gaps = [(i, j) for i, j in pairs if self._sees[i][j] == "0" and j <= i]
        if leaks:
            return f"Not causal: {len(leaks)} leak{_s(leaks)}: {_arrows(leaks)}"
        if gaps:
            return f"Blind to the future, but {len(gaps)} of the past not seen: {_arrows(gaps)}"
        return "Causal: every position sees its own token and all before it, and nothing else"

    def __repr__(self) -> str:
        if self._notice:
            return f"AttentionExplorer: {self._notice}"
        lines = [f"AttentionExplorer: {len(self._words)} tokens. {self.in_words()}."]
        lines += [self.place_in_words(i) for i in range(1, len(self._words) + 1)]
        lines += [text for text in (self.clock_in_words(), self._aside) if text]
        return "\n".join(lines)


@contextmanager
def _quiet(model: Any) -> Iterator[None]:
    """The model in eval mode, and as it was afterwards: dropout would look like a dependency."""
    training = getattr(model, "training", None)
    if training:
        model.eval()
    try:
        yield
    finally:
        if training:
            model.train()


@contextmanager
def _recording(model: Any, kept: list[np.ndarray]) -> Iterator[None]:
    """While it lasts, the weights of every block's `attend` are put into `kept`, in order."""
    import torch

    blocks = [b for b in getattr(model, "h", ()) if callable(getattr(b, "attend", None))]
    theirs = [block.attend for block in blocks]

    def recorder(attend: Callable) -> Callable:
        def watched(q: Any, k: Any, v: Any) -> Any:
            keys = k.shape[-2]
            eye = torch.eye(keys, dtype=v.dtype, device=v.device).expand(*k.shape[:-1], keys)
            kept.append(attend(q, k, eye)[0].detach().cpu().numpy())
            return attend(q, k, v)

        return watched

    try:
        for block, attend in zip(blocks, theirs, strict=True):
            block.attend = recorder(attend)
        yield
    finally:
        for block, attend in zip(blocks, theirs, strict=True):
            block.attend = attend


def _ids(tokens: Any) -> np.ndarray:
    array = np.asarray(tokens.detach().cpu() if hasattr(tokens, "detach") else tokens)
    if (
        array.dtype.kind not in "iu"
        or array.ndim not in (1, 2)
        or array.shape[:-1] not in ((), (1,))
    ):
        raise ValueError(f"tokens must be one row of ids, (1, T): got shape {array.shape}")
    if not 1 <= array.size <= MOST_TOKENS:
        raise ValueError(f"a line of 1 to {MOST_TOKENS} tokens can be drawn: got {array.size}")
    return array.reshape(-1).astype(np.int64)


def _arrows(pairs: list[tuple[int, int]]) -> str:
    arrows = [f"position {i + 1} → token {j + 1}" for i, j in pairs]
    return _listed(arrows)


def _listed(things: list) -> str:
    if len(things) <= MOST_NAMED:
        return ", ".join(map(str, things))
    return f"{', '.join(map(str, things[:MOST_NAMED]))} and {len(things) - MOST_NAMED} more"


def _s(things: list) -> str:
    return "" if len(things) == 1 else "s"
