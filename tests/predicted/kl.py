"""Answers of lesson 06."""

import itertools

import numpy as np

from tests.predicted import least, only

_WIDTHS = ("1.00", "0.50", "0.20", "0.10", "0.05", "0.02", "0.01")
_LEAST = r"{} is least, [\d.]+ nats, at μ = ([-−\d.]+) and σ = (\d+\.\d+)"


def _places(asked) -> int:
    forward = asked.numbers(_LEAST.format(r"KL\(p‖q\)"))
    reverse = asked.numbers(_LEAST.format(r"KL\(q‖p\)"))
    same = np.allclose(forward, reverse, atol=0.1)
    wide = forward[1] > 1.5
    return only(same and wide, same and not wide, not same)


def _curves(asked) -> int:
    (apart,) = asked.numbers(r"largest \|NLL − H − KL\| over all 97 beliefs: ([\d.e+-]+)")
    return only(False, apart < 1e-12, apart > 0.01)


def _spikes(asked) -> int:
    pairs = [
        asked.numbers(rf"width {w} cm +training flowers +([-−\d.]+) nats +test flowers +([\d.]+)")
        for w in _WIDTHS
    ]
    train, test = (list(one) for one in zip(*pairs, strict=True))
    falls = [all(a > b for a, b in itertools.pairwise(one)) for one in (train, test)]
    turns = test[0] > min(test) < test[-1]
    return only(all(falls), falls[0] and turns, not any(falls))


def _ends(asked) -> int:
    ends = asked.numbers(
        "\n *".join([r"Your fit_reverse ends at μ = ([-−\d.]+) and σ = [\d.]+"] * 3)
    )
    return len({round(mu) if abs(mu) > 1 else 0 for mu in ends}) - 1


def _apart(asked) -> int:
    """Where the reverse fit that begins on a bump ends, at two distances a little apart."""
    grid, ends = np.linspace(-9, 9, 361), []
    for d in (1.2, 1.3):
        p = np.exp(-2 * (grid - d) ** 2) + np.exp(-2 * (grid + d) ** 2)  # two bumps of width ½
        p /= p.sum() * (grid[1] - grid[0])
        ends.append(asked.fit_reverse(p, grid, (d, 0.5))[0])
    before, after = ends
    return only(before < after < 0.5, abs(before) < 0.1 and after > 0.9, before > 0.9)


def _who_wins(asked) -> int:
    rows = [
        asked.numbers(rf"^ *{who} .* test +([\d.]+) ± .* nowhere +([\d.]+)%")
        for who in ("forward", r"reverse from 1\.5", r"reverse from 5\.0")
    ]
    likelihood, samples = (least(*column) for column in zip(*rows, strict=True))
    return only(
        likelihood == samples == 0, likelihood == 0 and samples > 0, likelihood > 0 and samples > 0
    )


ANSWERS = {
    "Will one place of q": _places,
    "Average NLL and KL": _curves,
    "The spikes get narrower": _spikes,
    "Two bumps, as above": _ends,
    "As the bumps move apart": _apart,
    "Who wins the likelihood": _who_wins,
}
