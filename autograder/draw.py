"""The seeded draw: where a check takes its sizes and values from.

In a notebook the seed is fixed, so that a student sees the same verdict twice. The grader takes a
fresh seed for each run and records it: code that only knows the visible case earns nothing, and
`autograder replay` repeats a verdict from its seed.

What is drawn is sent to the student's process, so it must not lead back: the stream is Philox's
(Salmon and others, 2011, "Parallel random numbers: as easy as 1, 2, 3") under a key that SHA-256
makes of the seed and the check's name. From a Mersenne twister's or a PCG64's output its state can
be computed, and with it all that was drawn before and will be. Seeds of generators that are handed
over are digests of their own (`one_way`), and no part of the stream.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, TypeVar

import numpy as np

if TYPE_CHECKING:
    import torch

T = TypeVar("T")


def one_way(seed: int, *labels: str | int) -> int:
    """A whole number in 0 … 2^63 − 1 for the student's process: it says nothing about the seed.

    SHA-256 of seed and labels: other labels give a number that is independent of this one.
    """
    text = "\0".join(map(str, (seed, *labels)))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "little") >> 1


class Draw:
    """Random sizes and values of one check, all of them from one seed.

    The stream depends on `seed` and on `name` (the check's): checks of one notebook share no
    values, and what a student's process is sent for one says nothing about another.
    """

    def __init__(self, seed: int = 0, name: str = "") -> None:
        if seed < 0:
            raise ValueError(f"the seed of a draw must be at least 0: got {seed}")
        self.seed = seed
        self.name = name
        self._handed_over = 0
        key = hashlib.sha256(f"{seed}\0{name}".encode()).digest()[:16]
        self.rng = np.random.Generator(np.random.Philox(key=int.from_bytes(key, "little")))

    def again(self) -> Draw:
        """Another draw of the same check, independent of this one and fixed by it."""
        return Draw(self.seed, f"{self.name} once more")

    def integer(self, low: int, high: int) -> int:
        """An int in low … high, both included."""
        return int(self.rng.integers(low, high + 1))

    def choice(self, options: Sequence[T]) -> T:
        """One of `options`."""
        return options[int(self.rng.integers(len(options)))]

    def permutation(self, n: int) -> np.ndarray:
        """A permutation of 0 … n−1, int64."""
        return self.rng.permutation(n).astype(np.int64)

    def normal(self, *shape: int, scale: float = 1.0) -> np.ndarray:
        """Normal values with standard deviation `scale`, float64."""
        return self.rng.normal(0.0, scale, size=shape)

    def uniform(self, *shape: int) -> np.ndarray:
        """Uniform values in [0, 1), float64."""
        return self.rng.random(size=shape)

    def bits(self, *shape: int) -> np.ndarray:
        """Fair bits as float64 zeros and ones."""
        return self.rng.integers(0, 2, size=shape).astype(np.float64)

    def generator(self) -> torch.Generator:
        """A fresh torch.Generator, seeded from this draw."""
        import torch

        return torch.Generator().manual_seed(self.apart())

    def numpy_generator(self) -> np.random.Generator:
        """A fresh numpy Generator, seeded from this draw."""
        return np.random.default_rng(self.apart())

    def apart(self) -> int:
        """A fresh seed for a generator that the student's process may see: no part of the stream.

        Such generators tell their state to whoever holds them; this one leads to nothing else.
        """
        self._handed_over += 1
        return one_way(self.seed, self.name, "handed over", self._handed_over)
