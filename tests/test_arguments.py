"""A function that writes into what it is given is told so, here as in a student's process."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from autograder.checks.arguments import untouched
from autograder.remote.proxy import WrongKind, standin_for


def zeroed(x: Any) -> float:
    x[0] = 0
    return 1.0


def looked_up(x: dict) -> int:
    return x.pop("a")


def total(x: Any, times: int = 1) -> float:
    return float(sum(x)) * times


@pytest.mark.parametrize(
    "function, given, what",
    [
        (zeroed, np.ones(3), "zeroed writes into an array"),
        (zeroed, torch.ones(3), "zeroed writes into a tensor"),
        (zeroed, [1.0, 2.0], "zeroed writes into a list"),
        (looked_up, {"a": 1}, "looked_up writes into a dictionary"),
    ],
)
def test_what_is_written_into_is_told_and_stays_with_the_check(
    function: Callable, given: Any, what: str
):
    before = str(given)
    with pytest.raises(WrongKind, match=what):
        untouched(standin_for(function))(given)
    assert str(given) == before


@pytest.mark.parametrize("given", [np.ones(3), torch.ones(3), [1.0, np.nan, 2.0], (1, 2)])
def test_what_is_only_read_is_answered(given: Any):
    answer = untouched(standin_for(total))(given, times=2)
    assert answer == 2 * total(given) or np.isnan(answer)
