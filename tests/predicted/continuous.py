"""Answers of lesson 07."""

import itertools
import math

import numpy as np

from tests.predicted import least, only


def _whose(asked) -> int:
    ada, ben = (asked.numbers(rf"{who}: .* validation +([\d.]+) nats")[0] for who in ("Ada", "Ben"))
    same = math.isclose(ada - ben, math.log(256), abs_tol=2e-3)
    return only(not same and ada < ben, not same and ben < ada, same)


def _smoothing(asked) -> int:
    return least(
        *(
            asked.numbers(rf"alpha +{alpha} .* validation +([\d.]+) bits")[0]
            for alpha in (r"0\.01", r"0\.30", r"3\.00")
        )
    )


def _narrow_spikes(asked) -> int:
    costs = [
        asked.numbers(rf"width 1e-{w} +validation +([-\d.]+) nats")[0]
        for w in ("01", "02", "03", "06", "12", "24")
    ]
    down = [a > b for a, b in itertools.pairwise(costs)]
    return only(not any(down), any(down) and not all(down), all(down) and costs[-1] < -40)


def _gap(asked) -> int:
    narrow, wide = (
        asked.numbers(rf"σ +{s} levels .* gap ([\d.]+) ±")[0] for s in (r"0\.3", r"10\.0")
    )
    return only(wide > 2 * narrow, narrow > 2 * wide, 0.5 < wide / narrow < 2)


def _crossings(_) -> int:
    """How often a vertical line crosses one and a half turns, at most."""
    turn = np.linspace(0, 1, 20_001)
    across = turn * np.cos(3 * math.pi * turn)
    most = max((np.diff(np.sign(across - x)) != 0).sum() for x in np.linspace(-0.995, 0.995, 401))
    return only(most == 1, most == 4, most > 4)


def _piles(asked) -> int:
    (ends,) = asked.numbers(r"σ × 0\.5: ([\d.]+)% in the two end tenths")
    return only(ends < 15, ends > 25, 15 <= ends <= 25)


ANSWERS = {
    "Whose model is better": _whose,
    "Which of these α do the validation pixels": _smoothing,
    "What does the NLL of the validation pixels": _narrow_spikes,
    "For which Gaussian": _gap,
    "Given x, how many hills": _crossings,
    "A model's σ is half": _piles,
}
