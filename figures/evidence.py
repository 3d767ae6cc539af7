"""The evidence explorer: type a pattern, and watch words die of it or be weighted by it.

Words are drawn letter by letter from a chain of factors. By rejection a word dies as soon as it
contradicts the pattern; by likelihood weighting a known letter is written instead of drawn, and the
word carries the probability that the model had for it (Fung and Chang, 1990). Both are shown after
every letter, with what the words are worth: those alive, and the effective sample size.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import traitlets

from figures import widget
from figures.drawing import Drawing
from figures.widget import fixed

COUNT = 60  # words that can be looked at one by one
ANY = "?"


def weighted_words(
    factors: Sequence[np.ndarray], evidence: dict[int, int], count: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Likelihood weighting: words drawn in order that agree with the evidence, and their weights.

    factors: n arrays, factors[i] of shape (k,) * (i + 1). evidence: place → value, from 0.
    Returns words, int (count, n), and their weights after each step, (n + 1, count).
    """
    words, weights = np.zeros((count, 0), dtype=int), [np.ones(count)]
    for i, factor in enumerate(factors):
        k = factor.shape[-1]
        rows = np.broadcast_to(factor[tuple(words.T)], (count, k))
        if i in evidence:
            letter = np.full(count, evidence[i])
            weights.append(weights[-1] * rows[:, evidence[i]])
        else:
            sums = rows.cumsum(axis=1)
            letter = (rng.random((count, 1)) * sums[:, -1:] >= sums).sum(axis=1)
            weights.append(weights[-1])
        words = np.column_stack([words, letter.clip(max=k - 1)])
    return words, np.array(weights)


class EvidenceExplorer(widget.Widget):
    """Draws words that agree with a pattern in two ways, letter by letter.

    factors   a list of n arrays, factors[i] of shape (k,) * (i + 1): p(x_i | x_<i).
    letters   k different characters, none of them "?".
    pattern   n characters: a letter where it is known, "?" where it is not.

    Raises ValueError, in one sentence, for factors, letters or a pattern of another form.
    """

    _esm, _css = widget.parts("evidence", ".evidence-explorer")

    _pattern = traitlets.Unicode("").tag(sync=True)  # the reader's
    _letters = traitlets.Unicode("").tag(sync=True)
    _draws = traitlets.Int(0).tag(sync=True)  # how often new words were asked for
    _step = traitlets.Int(0).tag(sync=True)  # letters written so far
    # What was drawn for `_shown`: words, the step at which each died (0: alive), and weighted
    # words with their weights after each step.
    _shown = traitlets.Unicode("").tag(sync=True)
    _rejected = traitlets.List().tag(sync=True)
    _died = traitlets.List().tag(sync=True)
    _weighted = traitlets.List().tag(sync=True)
    _weights = traitlets.List().tag(sync=True)
    _words = traitlets.List().tag(sync=True)  # one sentence a step
    _notice = traitlets.Unicode("").tag(sync=True)

    def __init__(
        self, factors: Sequence[Any], letters: str, pattern: str, count: int = COUNT
    ) -> None:
        super().__init__()
        self._factors = [np.asarray(factor, dtype=float) for factor in factors]
        k = len(letters)
        shapes = [factor.shape for factor in self._factors]
        if not shapes or shapes != [(k,) * (i + 1) for i in range(len(shapes))]:
            raise ValueError(
                f"factors of shape (k,), (k, k), … are needed for {k} letters: got {shapes}"
            )
        if len(set(letters)) < k or ANY in letters:
            raise ValueError(f"letters must differ and hold no {ANY!r}: got {letters!r}")
        self._letters, self._count, self._live = letters, count, True
        if said := self.fault_of(pattern):
            raise ValueError(said)
        self._pattern = pattern
        self._draw()
        self._step = len(self._factors)
        self.observe(self._draw, names=["_pattern", "_draws"])

    def fault_of(self, pattern: str) -> str:
        """What is wrong with a pattern, in a sentence; "" if nothing is."""
        n = len(self._factors)
        if len(pattern) != n:
            return f"A pattern has {n} characters, like {ANY * (n - 1)}e: got {len(pattern)}."
        strange = [letter for letter in pattern if letter not in self._letters + ANY]
        return f"There is no {strange[0]!r} among the letters." if strange else ""

    def _draw(self, change: Any = None) -> None:
        pattern = self._pattern.lower()
        if said := self.fault_of(pattern):
            self._notice = said
            return
        n, rng = len(self._factors), np.random.default_rng(self._draws)
        known = {i: self._letters.index(c) for i, c in enumerate(pattern) if c != ANY}
        free, _ = weighted_words(self._factors, {}, self._count, rng)
        died = np.zeros(self._count, dtype=int)
        for i, letter in known.items():
            died[(died == 0) & (free[:, i] != letter)] = i + 1
        words, weights = weighted_words(self._factors, known, self._count, rng)
        with self.hold_sync():
            self._notice, self._shown = "", pattern
            self._rejected, self._died = self._spelled(free), died.tolist()
            self._weighted, self._weights = self._spelled(words), weights.tolist()
            self._words = [self._after(step, died, weights) for step in range(n + 1)]

    def _spelled(self, words: np.ndarray) -> list[str]:
        return ["".join(self._letters[letter] for letter in word) for word in words]

    def _after(self, step: int, died: np.ndarray, weights: np.ndarray) -> str:
        alive = int(((died == 0) | (died > step)).sum())
        w, n = weights[step], len(self._factors)
        worth = w.sum() ** 2 / (w**2).sum() if w.any() else 0.0
        return (
            f"After {step} of {n} letters: {alive} of {self._count} words are alive; the "
            f"{self._count} weighted ones are worth {fixed(worth, 1)}."
        )

    def in_words(self, step: int | None = None) -> str:
        """What both ways have left after `step` letters."""
        return str(self._words[self._step if step is None else step])

    def picture(self) -> Drawing:
        """The words of both ways, dead ones struck out, weighted ones with a bar."""
        columns, wide, step = 6, 56, self._step
        rows = -(-self._count // columns)
        drawing = Drawing(700, 26 * rows + 24)
        drawing.text(0, 12, "Rejection: draw all letters, and throw away", "quiet", size=12)
        drawing.text(358, 12, "Weighting: write what is known", "quiet", size=12)
        most = max(*self._weights[step], 1e-300)
        for i in range(self._count):
            x, y = wide * (i % columns), 38.0 + 26 * (i // columns)
            rest = "·" * (len(self._rejected[i]) - step)
            dead = 0 < self._died[i] <= step
            drawing.text(x, y, self._rejected[i][:step] + rest, "quiet" if dead else "ink")
            if dead:
                drawing.line([(x - 2, y - 4), (x + 40, y - 4)], "leak-ink")
            drawing.mark("dead" if dead else "alive", i)
            drawing.text(358 + x, y, self._weighted[i][:step] + rest)
            share = self._weights[step][i] / most
            drawing.rect(358 + x, y + 4, 40 * share, 4, "path")
            drawing.mark("weight", i, fixed(share, 3))
        return drawing

    def __repr__(self) -> str:
        lines = [f"EvidenceExplorer: words that agree with {self._shown}."]
        return "\n".join([*lines, *map(str, self._words)])
