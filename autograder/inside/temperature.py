"""Functions of lesson 13 that run beside the student's: a model as a `step`, and what it was asked.

A model is plain data. {"tables": [log p(x_1), log p(x_2 | x_1), …]} has a table (V^t, V) for each
step t; {"chain": (log p(x_1) (V,), log p(next | last) (V, V))} goes on for ever.
"""

from __future__ import annotations

from typing import Any

import torch

from autograder.remote.callbacks import Talk
from autograder.remote.handles import nothing_returned
from autograder.remote.proxy import inside


class Asking:
    """A model as `Step` is one, whose tables, and the count of what was asked, are the judge's."""

    def __init__(self, talk: Talk) -> None:
        self.talk = talk

    def __call__(self, prefixes: Any) -> torch.Tensor:
        _look_at(prefixes)
        return self.talk.ask(prefixes)


class Step:
    """A model as lesson 13's exercises see it: prefixes (B, t) → log p(next | prefix), (B, V).

    It keeps how many prefixes each call asked about, and the longest of them.
    """

    def __init__(self, model: dict[str, Any]) -> None:
        self.model, self.asked, self.longest = model, [], torch.zeros(0, 0, dtype=torch.long)

    def __call__(self, prefixes: Any) -> torch.Tensor:
        _look_at(prefixes)
        prefixes = prefixes.long()
        rows, t = prefixes.shape
        self.asked.append(rows)
        if t >= self.longest.shape[1]:
            before = self.longest if t == self.longest.shape[1] else prefixes[:0]
            self.longest = torch.cat([before, prefixes])
        if "chain" in self.model:
            first, then = self.model["chain"]
            return first.expand(rows, -1).clone() if t == 0 else then[prefixes[:, -1]]
        tables = self.model["tables"]
        if t >= len(tables):
            raise ValueError(f"this model has {len(tables)} steps: it was asked after {t} tokens")
        vocabulary = tables[t].shape[1]
        place = torch.zeros(rows, dtype=torch.long)
        for i in range(t):
            place = place * vocabulary + prefixes[:, i]
        return tables[t][place]


def _look_at(prefixes: Any) -> None:
    shape = tuple(getattr(prefixes, "shape", ()))
    if len(shape) != 2 or not isinstance(prefixes, torch.Tensor):
        raise ValueError(
            f"step takes prefixes as a tensor (B, t): got {type(prefixes).__name__} of shape "
            f"{shape}"
        )


@inside
def begin_search(function: Any, *args: Any) -> tuple[Any, str, Any]:
    """Begins `function(step, *args)`, where step asks the judge."""
    talk = Talk()
    return talk.begin(function, Asking(talk), *args)


@inside
def drifted(
    function: Any, model: dict[str, Any], source: dict[str, Any], *args: Any
) -> dict[str, Any]:
    """`function(model's step, source's step, *args)`, and the longest prefixes that source saw."""
    steps = Step(model), Step(source)
    answer = function(*steps, *args)
    if answer is None:
        raise nothing_returned(function)
    return {"answer": answer, "texts": steps[1].longest}
