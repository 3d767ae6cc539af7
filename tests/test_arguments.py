"""A function that writes into what it is given is told so, here as in a student's process."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from autograder import claim
from autograder.checking import checks, judge
from autograder.checks.arguments import untouched
from autograder.remote.proxy import standin_for


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
    before, standin = str(given), standin_for(function)
    assert untouched(standin)(given) == function(copy.deepcopy(given))
    assert str(given) == before
    assert standin._noted.saw.startswith(what)


@checks("largest", lesson="97_arguments", points=2)
def of_the_largest(largest, draw):
    """The largest of some numbers, and of their opposites."""
    for text, sign in (("the largest", 1), ("the largest of the opposites", -1)):
        x = sign * np.array([1.0, 5.0, 3.0])
        yield claim(text, untouched(largest)(x) == x.max())


@pytest.mark.parametrize(
    "body, earned",
    [("return float(max(x))", 2), ("x.sort()\n    return x[-1]", 1.75),
     ("x.sort()\n    return x[0]", 0), ("x.sort()\n    return 5.0", 0.75)],
)  # fmt: skip
def test_who_writes_into_an_argument_is_told_once_and_judged_to_the_end(body: str, earned: float):
    names: dict[str, Any] = {}
    exec(f"def largest(x):\n    {body}", names)
    verdict = judge(names["largest"], name="largest", lesson="97_arguments")
    kept = [one for one in verdict.claims if one.id == "arguments"]
    assert verdict.earned == earned
    assert sum(one.points for one in verdict.claims) == verdict.points
    assert len(kept) == ("sort" in body)
    assert (verdict.status == "passed") == (earned == 2)


@pytest.mark.parametrize("given", [np.ones(3), torch.ones(3), [1.0, np.nan, 2.0], (1, 2)])
def test_what_is_only_read_is_answered(given: Any):
    answer = untouched(standin_for(total))(given, times=2)
    assert answer == 2 * total(given) or np.isnan(answer)
