"""Numbers as checks read, compare and compute them: one number, tensors, softmax and its kin."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from autograder import expect_array
from autograder.diagnosis.mistakes import alike
from autograder.remote.proxy import WrongKind


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


def close(a: Any, b: Any, tolerance: float = 5e-5) -> bool:
    """Equal in shape, and in value up to `tolerance` (absolute, and relative to b)."""
    a, b = np.asarray(a, dtype=float), np.asarray(b, dtype=float)
    return a.shape == b.shape and np.allclose(a, b, rtol=tolerance, atol=tolerance)


def exactly(a: Any, b: Any) -> bool:
    """Equal to 1e-9, where numbers are in double precision."""
    return alike(a, b, 1e-9)


def softplus(a: Any) -> Any:
    """log(1 + e^a), without overflow."""
    return np.logaddexp(0.0, a)


def sigmoid(a: Any) -> Any:
    """1 / (1 + e^(−a)), without overflow."""
    return np.exp(-softplus(-a))


def softmax(z: np.ndarray, axis: int | None = -1) -> np.ndarray:
    """The softmax along an axis (None: over all entries), without overflow; of −inf only, NaN."""
    with np.errstate(all="ignore"):
        e = np.exp(z - z.max(axis=axis, keepdims=True))
        return e / e.sum(axis=axis, keepdims=True)


def log_softmax(z: np.ndarray, axis: int = -1) -> np.ndarray:
    """Logarithms of the softmax, in nats."""
    top = z.max(axis, keepdims=True)
    return z - top - np.log(np.exp(z - top).sum(axis, keepdims=True))
