"""Numbers as checks read, compare and compute them: one number, tensors, softmax and its kin."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.special
import torch

from autograder import expect_array
from autograder.diagnosis.mistakes import alike
from autograder.remote.proxy import WrongKind

# Small numbers that are put inside a logarithm, or in the place of a 0.
SMALL = (1e-5, 1e-6, 1e-7, 1e-8, 1e-9, 1e-10, 1e-12, 1e-15, 1e-16, 1e-20, 1e-30, 1e-38, 1e-100)
SMALL += (1e-300, float(np.finfo(float).eps), float(np.finfo(float).tiny))


def number(value: Any, what: str) -> float:
    """`value` as a float; WrongKind if it is anything but one real number."""
    if isinstance(value, bool):
        raise WrongKind(f"{what} should be a number: got {value!r}")
    return float(expect_array(value, (), "number", what))


def tensor(array: Any) -> torch.Tensor:
    """A tensor of its own with the array's values and type."""
    return torch.tensor(np.array(array, order="C"))


def single(array: Any) -> torch.Tensor:
    """A tensor of its own in single precision, as a notebook has its models."""
    return tensor(array).to(torch.float32)


def close(a: Any, b: Any, tolerance: float = 1e-4) -> bool:
    """Equal in kind and shape, and in value to what single precision keeps of a few steps."""
    return alike(a, b, tolerance)


def exactly(a: Any, b: Any) -> bool:
    """Equal to 1e-9, where numbers are in double precision."""
    return alike(a, b, 1e-9)


def softplus(a: Any) -> Any:
    """log(1 + e^a), without overflow."""
    return np.logaddexp(0.0, a)


def sigmoid(a: Any) -> Any:
    """1 / (1 + e^(−a)), without overflow."""
    return scipy.special.expit(a)


def softmax(z: np.ndarray, axis: int | None = -1) -> np.ndarray:
    """The softmax along an axis (None: over all entries), without overflow; of −inf only, NaN."""
    with np.errstate(all="ignore"):
        e = np.exp(z - z.max(axis=axis, keepdims=True))
        return e / e.sum(axis=axis, keepdims=True)


def log_softmax(z: np.ndarray, axis: int = -1) -> np.ndarray:
    """Logarithms of the softmax, in nats."""
    top = z.max(axis, keepdims=True)
    return z - top - np.log(np.exp(z - top).sum(axis, keepdims=True))
