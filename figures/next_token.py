"""The next-token picture: a distribution, three sliders that change it, and texts drawn with them.

The logits are sent once; temperature, top-k and top-p are computed by the browser, so that a slider
answers at once and without a kernel. Over the browser's bars stand the values of the student's own
function, asked beforehand at every position of the sliders: where the two differ, words say so.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import anywidget
import numpy as np
import traitlets

from figures import widget
from figures.drawing import Drawing
from figures.widget import fixed

ROWS = 14  # tokens that have a bar, the most probable ones
TEMPERATURES = (0.1, 0.2, 0.3, 0.5, 0.7, 0.8, 0.9, 1.0, 1.1, 1.3, 1.5, 1.7, 2.0, 3.0)
COUNTS = (1, 2, 3, 5, 10, 20, 50, 100)  # and all
MASSES = (0.1, 0.3, 0.5, 0.7, 0.8, 0.9, 0.95, 0.99, 1.0)
LARGE = 8192  # a vocabulary from which on the sliders have fewer positions: each is asked for
SEEN = 1e-12  # a probability below it counts as 0


class NextToken(widget.Widget):
    """Draws what temperature, top-k and top-p make of a distribution over the next token.

    logits (V,) are what the model says, of which −inf may be some but not all; labels, V texts,
    are the tokens; prompt is what stands before. texts maps a name to (tokens, surprises in bits):
    drawn texts, side by side. T, k (None for all) and p are where the sliders are at first.

    Raises ValueError, in one sentence, for arguments that cannot be drawn.

    `NextToken(logits, labels)` shows what the browser computes.
    `NextToken.of(next_probs, logits, labels)` adds what the student's
    `next_probs(logits, T, k, p)` answers.
    """

    _esm, _css = widget.parts("next_token", ".next-token")

    # What the JavaScript draws. Tokens are in ranked order: a temperature never changes it.
    _logits = traitlets.Bytes(b"").tag(sync=True)  # float32 (V,)
    _labels = traitlets.List().tag(sync=True)  # of the first rows
    _prompt = traitlets.Unicode("").tag(sync=True)
    _grid = traitlets.Dict().tag(sync=True)  # {"T": […], "k": […, 0 for all], "p": […]}
    _theirs = traitlets.Bytes(b"").tag(sync=True)  # float32 (T, k, p, rows + 3), or nothing
    _texts = traitlets.List().tag(sync=True)  # {"name", "tokens", "bits"}
    _name = traitlets.Unicode("").tag(sync=True)
    _notice = traitlets.Unicode("").tag(sync=True)
    # Where the reader is: positions of the sliders, and how many tokens of the texts are shown.
    _at = traitlets.List([0, 0, 0]).tag(sync=True)
    _written = traitlets.Int(0).tag(sync=True)

    def __init__(
        self,
        logits: Any,
        labels: Sequence[str],
        prompt: str = "",
        texts: Mapping[str, tuple[Sequence[str], Sequence[float]]] | None = None,
        T: float = 1.0,
        k: int | None = None,
        p: float = 1.0,
    ) -> None:
        super().__init__()
        self._begin(logits, labels, prompt, texts, T, k, p)

    @classmethod
    def of(
        cls,
        next_probs: Callable,
        logits: Any,
        labels: Sequence[str],
        prompt: str = "",
        texts: Mapping[str, tuple[Sequence[str], Sequence[float]]] | None = None,
        T: float = 1.0,
        k: int | None = None,
        p: float = 1.0,
    ) -> NextToken:
        """A picture with the values of the student's own function; arguments as for the class.

        A function that is not written yet, or that raises, gives a sentence.
        """
        picture = cls.__new__(cls)
        anywidget.AnyWidget.__init__(picture)
        picture._begin(logits, labels, prompt, texts, T, k, p)
        picture.draw_from(picture._ask, next_probs)
        return picture

    def _begin(
        self,
        logits: Any,
        labels: Sequence[str],
        prompt: str,
        texts: Mapping | None,
        T: float,
        k: int | None,
        p: float,
    ) -> None:
        logits = _array(logits)
        if logits.ndim != 1 or not np.isfinite(logits.max(initial=-np.inf)):
            raise ValueError(
                f"logits must be one row of numbers, one of them finite: got shape {logits.shape}"
            )
        if np.isnan(logits).any() or len(labels) != len(logits):
            raise ValueError(
                f"each of {len(logits)} logits must be a number and have a label: got "
                f"{len(labels)} labels"
            )
        self._row = logits
        self._order = np.argsort(-logits, kind="stable")
        large = len(logits) > LARGE
        grid = {
            "T": _positions(TEMPERATURES[1::2] if large else TEMPERATURES, T),
            "k": [
                *_positions(
                    [c for c in COUNTS[:: 2 if large else 1] if c < len(logits)], k or None
                ),
                0,
            ],
            "p": _positions(MASSES[::2] if large else MASSES, p),
        }
        at = [grid["T"].index(float(T)), grid["k"].index(k or 0), grid["p"].index(float(p))]
        with self.hold_sync():
            self._logits = logits[self._order].astype("<f4").tobytes()
            self._labels = [str(labels[i]) for i in self._order[:ROWS]]
            self._prompt, self._grid, self._at = prompt, grid, at
            self._texts = [_text(name, *text) for name, text in (texts or {}).items()]
            self._written = max((len(text["tokens"]) for text in self._texts), default=0)

    def rewrite(self, name: str, write: Callable) -> None:
        """Adds a text that `write(T, k, p)` → (tokens, surprises) writes anew wherever a slider is.

        T, k (None for all) and p are where the sliders stand; the text comes before the others.
        """

        def again(change: Any = None) -> None:
            T, k, p = (self._grid[axis][i] for axis, i in zip("Tkp", self._at, strict=True))
            others = [text for text in self._texts if text["name"] != name]
            self._texts = [_text(name, *write(T, k or None, p)), *others]

        again()
        self._live = True
        self._written = max(len(text["tokens"]) for text in self._texts)
        self.observe(again, "_at")

    # -------------------------------------------------------------------- the student's function

    def _ask(self, next_probs: Callable) -> None:
        """Asks the function at every position of the sliders."""
        import torch

        self._name = getattr(next_probs, "__name__", type(next_probs).__name__)
        given, grid = torch.tensor(self._row, dtype=torch.float32), self._grid

        def answers() -> list[list[float]]:
            return [
                self._summary(next_probs(given.clone(), T, k or None, p))
                for T in grid["T"]
                for k in grid["k"]
                for p in grid["p"]
            ]

        found, self._notice = widget.asked(next_probs, answers)
        self._theirs = b"" if found is None else np.array(found).astype("<f4").tobytes()

    def _summary(self, probs: Any) -> list[float]:
        """The rows' probabilities, then how many tokens are kept, their sum, and their entropy."""
        if probs is None:
            raise NotImplementedError
        found = np.asarray(probs.detach().cpu() if hasattr(probs, "detach") else probs)
        if found.shape != self._row.shape or found.dtype.kind != "f":
            raise widget.WrongForm(
                f"probabilities of shape {self._row.shape} are needed: got {found.dtype} of shape "
                f"{found.shape}"
            )
        found = found.astype(np.float64)[self._order]
        kept = found[found > SEEN]
        entropy = float(-(kept * np.log2(kept)).sum()) if len(kept) else math.nan
        rows = np.zeros(ROWS)
        rows[: min(ROWS, len(found))] = found[:ROWS]
        return [*rows, float(len(kept)), float(found.sum()), entropy]

    # --------------------------------------------------------------------------------- in words
    # The JavaScript says the same of the student's function; a test holds the two together.

    @property
    def theirs(self) -> np.ndarray | None:
        """What the student's function answered, (T, k, p, rows + 3), or None."""
        if not self._theirs:
            return None
        shape = [len(self._grid[name]) for name in "Tkp"]
        return np.frombuffer(self._theirs, "<f4").astype(np.float64).reshape(*shape, ROWS + 3)

    def setting_in_words(self, at: Sequence[int] | None = None) -> str:
        """Where the sliders stand: positions in the grid, of T, k and p."""
        T, k, p = (self._grid[name][i] for name, i in zip("Tkp", at or self._at, strict=True))
        return f"T = {T:g}, top-k {k or 'all'}, top-p {p:g}"

    def theirs_in_words(self, at: Sequence[int] | None = None) -> str:
        """What the student's function makes of the distribution, at a position of the sliders."""
        if self._notice:
            return self._notice
        theirs = self.theirs
        if theirs is None:
            return ""
        values = theirs[tuple(at or self._at)]
        kept, total, entropy = values[ROWS:]
        best = ", ".join(
            f"{quoted(label)} {fixed(value, 3)}"
            for label, value in zip(self._labels[:3], values, strict=False)
        )
        return (
            f"Your {self._name} keeps {int(kept):,} of {len(self._row):,} tokens: {best}; sum "
            f"{fixed(total, 3)}, entropy {fixed(entropy, 2)} bits."
        )

    def picture(self) -> Drawing:
        """The likeliest tokens of the model, with nothing changed."""
        row = self._row[self._order]
        p = np.exp(row - row[0])
        p /= p.sum()
        drawing = Drawing(700, 24 * len(self._labels) + 30)
        for i, label in enumerate(self._labels):
            y = 26 + 24 * i
            shown = quoted(label)
            shown = shown if len(shown) < 20 else shown[:18] + "…”"
            drawing.text(150, y + 14, shown, anchor="end")
            drawing.rect(160, y, 440 * p[i] / p[0], 18, "path")
            drawing.mark("model", i, fixed(float(p[i]), 3))
            drawing.text(168 + 440 * p[i] / p[0], y + 14, fixed(float(p[i]), 3), size=12)
        drawing.text(0, 14, "The model's likeliest next tokens (T = 1, nothing cut)", "quiet")
        return drawing

    def model_in_words(self) -> str:
        """The model's own best tokens, with nothing changed."""
        row = self._row[self._order]
        weights = np.exp(row - row[0])
        best = ", ".join(
            f"{quoted(label)} {fixed(value, 3)}"
            for label, value in zip(self._labels[:5], weights / weights.sum(), strict=False)
        )
        after = f" after {quoted(self._prompt)}" if self._prompt else ""
        return f"{len(self._row):,} tokens may come next{after}; the best: {best}."

    def __repr__(self) -> str:
        lines = [f"NextToken: {self.model_in_words()}"]
        if self._name:
            lines.append(f"{self.setting_in_words()}: {self.theirs_in_words()}")
        for text in self._texts:
            said = "".join(text["tokens"]).replace("\n", " / ")
            lines.append(f"{text['name']} ({fixed(_mean(text['bits']), 2)} bits a token): {said}")
        return "\n".join(lines)


def quoted(token: str) -> str:
    """A token as a reader sees it: spaces at its ends and line ends made visible."""
    core = token.strip(" ")
    lead = len(token) - len(token.lstrip(" ")) if core else len(token)
    trail = len(token) - len(token.rstrip(" ")) if core else 0
    return "“" + "␣" * lead + core.replace("\n", "⏎") + "␣" * trail + "”"


def _positions(known: Sequence[float], start: float | None) -> list:
    """A slider's positions, with the one that it starts at among them."""
    return sorted({*known, *([] if start is None else [start])})


def _text(name: str, tokens: Sequence[str], bits: Any) -> dict[str, Any]:
    values = [round(float(b), 3) for b in bits]
    if len(values) != len(tokens):
        raise ValueError(
            f"text {name!r} needs a surprise for each token: got {len(values)} for {len(tokens)}"
        )
    return {"name": str(name), "tokens": [str(t) for t in tokens], "bits": values}


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else math.nan


def _array(values: Any) -> np.ndarray:
    if hasattr(values, "detach"):
        values = values.detach().cpu()
    array = np.asarray(values)
    if array.dtype.kind not in "fiu":
        raise ValueError(f"logits must be an array of numbers: got {type(values).__name__}")
    return array.astype(np.float32).astype(np.float64)
