"""The seeded draw: where a check takes its sizes and values from.

In a notebook the seed is fixed, so that a student sees the same verdict twice. The grader takes a
fresh seed for each run and records it: code that only knows the visible case earns nothing, and
`autograder replay` repeats a verdict from its seed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import numpy as np

T = TypeVar("T")


class Draw:
    """Random sizes and values of one check, all of them from one seed.

    The stream depends on `seed` and on `name` (the check's), so that checks of one notebook do not
    share their values.
    """

    def __init__(self, seed: int = 0, name: str = "") -> None:
        if seed < 0:
            raise ValueError(f"the seed of a draw must be at least 0: got {seed}")
        self.seed = seed
        self.name = name
        entropy = [seed & 0xFFFFFFFF, seed >> 32, *name.encode()]
        self.rng = np.random.default_rng(np.random.SeedSequence(entropy))

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

    def generator(self):
        """A fresh torch.Generator, seeded from this draw."""
        import torch

        return torch.Generator().manual_seed(int(self.rng.integers(2**62)))

    def numpy_generator(self) -> np.random.Generator:
        """A fresh numpy Generator, seeded from this draw."""
        return np.random.default_rng(int(self.rng.integers(2**62)))
