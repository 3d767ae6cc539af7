"""Answers of lesson 08."""

import math

import numpy as np
from scipy.integrate import quad
from scipy.stats import norm

from tests.predicted import nearest, only

EPS, MU = 0.04, (0.0, 1.0)  # the world of the lesson's first half
ORDERS = ("raster", "reversed", "column", "random")


def _middle(asked) -> int:
    model = norm(0.5, math.sqrt(0.25 + EPS))
    middle, bump = model.pdf(0.5), model.pdf(0.0)
    truth = float(asked.marginal_x2(np.array([0.5]), MU, EPS)[0])
    assert (round(middle, 2), round(truth, 4)) == (0.74, 0.0876)  # as its explanation says
    return only(middle < bump, math.isclose(middle, truth, rel_tol=0.1), middle > bump)


def _share(_) -> int:
    heights = norm.pdf(100, MU, math.sqrt(EPS))
    with np.errstate(invalid="ignore"):
        w = heights[1] / heights.sum()
    return only(w == 1, w == 0, np.isnan(w))


def _shape(asked) -> int:
    x1 = np.array([-1.0, -0.1, 0.1, 1.0, 2.0])
    p = asked.reverse_posterior(x1, 1.0, MU, EPS)
    bell = norm.pdf(x1)
    right = np.allclose(p[2:], 2 * bell[2:], rtol=1e-3)
    return only(np.allclose(p, bell, rtol=0.1), right and (p[:2] < 1e-3).all(), p[1] > 0.1)


def _as_close(_) -> int:
    """KL of the half bell against the Gaussian of its mean and variance, the best of all."""
    best = norm(math.sqrt(2 / math.pi), math.sqrt(1 - 2 / math.pi))
    loss, _ = quad(
        lambda x: 2 * norm.pdf(x) * (math.log(2) + norm.logpdf(x) - best.logpdf(x)), 0, 9
    )
    return only(loss < 1e-6, False, loss > 0.05)


def _sentences(asked) -> int:
    (joint,) = asked.numbers(r"of the two factorizations +([\d.e-]+)$")
    forward, reverse = asked.numbers(
        r"x1 → x2: the gap is +([\d.]+).*\n.*x2 → x1: the gap is +([\d.]+) nats"
    )
    first, second = joint < 1e-12, abs(forward - reverse) > 0.1
    return only(not first, not second, first and second)


def _where_lost(asked) -> int:
    marginal, conditional = asked.numbers(
        r"Δ = 1√ε: gap [\d.]+, of which q\(x2\) ([\d.]+), q\(x1\|x2\) ([\d.]+)"
    )
    return only(marginal > 2 * conditional, conditional > 2 * marginal, marginal == conditional)


def _noise(_) -> int:
    """h(X2) + h(X1 | X2) − h(X1) − h(X2 | X1), of Gaussians, at three variances of the noise."""
    gaps = [0.5 * math.log((1 + e) * (e / (1 + e)) / e) for e in (0.01, 0.1, 1.0)]
    return only(np.allclose(gaps, 0), np.allclose(gaps, 0.5), gaps[0] > gaps[1] > gaps[2] > 0.1)


def _which_k(asked) -> int:
    losses = [asked.numbers(rf"K Gaussians: .* {k}: ([\d.]+)")[0] for k in (2, 4, 8)]
    return only(losses[0] < 1e-3, losses[0] > 1e-3 > losses[1], min(losses) > 1e-3)


def _histogram(asked) -> int:
    (mixture,) = asked.numbers(r"K Gaussians: .* 5: ([\d.]+)")
    (bins,) = asked.numbers(r"B bins: .* 16: ([\d.]+)")
    return only(bins < 0.8 * mixture, 0.8 < bins / mixture < 1.25, bins > 1.25 * mixture)


def _switches(asked) -> int:
    two, three = (
        asked.numbers(rf"{n} switches: bell at place 1: ([\d.]+)")[0] < 1e-3 for n in (2, 3)
    )
    return only(two and three, two and not three, not two)


def _worst(asked) -> int:
    rows = [
        asked.numbers(rf"^ *{name} +[\d.]+ ± [\d.]+ +minus raster ([+-][\d.]+) ± ([\d.]+)")
        for name in ORDERS
    ]
    lost = [difference for difference, _ in rows]
    first, second = sorted(range(4), key=lambda i: -lost[i])[:2]
    return first if lost[first] - lost[second] > 2 * rows[first][1] else 4


def _left(asked) -> int:
    pattern = r"column +[\d.]+ ± [\d.]+ +minus raster ([+-][\d.]+)"
    (before,) = asked.numbers(rf"biases started at 0: (?:.*\n)*? *{pattern}")
    (after,) = asked.numbers(rf"but for the start of its biases\n(?:.*\n)*? *{pattern}")
    return nearest(max(after, 0.0) / before, 1, 0.5, 0)


ANSWERS = {
    "A single Gaussian has the right mean": _middle,
    "At x2 = 100": _share,
    "x2 lies on top": _shape,
    "A network with x2 for its input": _as_close,
    "Which of the two sentences": _sentences,
    "The bumps lie only one": _where_lost,
    "X2 = X1 + Gaussian noise": _noise,
    "p(x2) is a mixture": _which_k,
    "A mixture of 5 has 15 numbers": _histogram,
    "With the bell first": _switches,
    "Four orders, the same MADE": _worst,
    "Every bias starts at": _left,
}
