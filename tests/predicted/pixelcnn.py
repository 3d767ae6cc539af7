"""Answers of lesson 09."""

import numpy as np

from tests.predicted import Held, least, nearest, only


def _weights(asked) -> int:
    kept = tuple(int(asked.conv_mask(kind, 3, 1, 1).sum()) for kind in "AB")
    return [(4, 4), (4, 5), (5, 5), (8, 9)].index(kept)


def _missing(asked) -> int:
    legal = {(r, c) for r in (-2, -1, 0) for c in range(-2, 3) if (r, c) < (0, 0)}
    (missing,) = legal - asked.receptive_field([("A", 3), ("B", 3)])
    return [(0, -2), (-1, 2), (-2, 2)].index(missing)


def _all_of_a(asked) -> int:
    (lost,) = asked.numbers(r"2 layers: .*in its own row those \[(\d)\] to the left")
    return only(lost == 1, False, lost == 2)


def _who_wins(asked) -> int:
    made, pixelcnn = asked.numbers(r"MADE +([\d.]+) ± .*\n *PixelCNN ([\d.]+) ±")
    return only(pixelcnn < made - 1, made - 1 < pixelcnn < made, made < pixelcnn)


def _label(_) -> int:
    """H(x) − H(x | c) in bits: where x tells c it is log₂ 10, and in random worlds less."""
    draw, most = np.random.default_rng(0), np.log2(10)

    def saved(p):
        p = p / p.sum()
        apart = p.sum(0, keepdims=True) * p.sum(1, keepdims=True)
        return (p[p > 0] * np.log2(p[p > 0] / apart[p > 0])).sum()

    told = np.kron(np.eye(10), np.ones((1, 8)))
    random = [saved(draw.exponential(size=(10, 80)) ** 4) for _ in range(20)]
    return only(np.isclose(saved(told), most) and max(random) < most, max(random) > most, False)


def _cheapest(asked) -> int:
    return least(*(asked.numbers(rf"{color}: ([\d.]+) bits a number")[0] for color in "RGB"))


def _mean_cost(asked) -> int:
    (bits,) = asked.numbers(r"an image costs ([\d.]+) bits, in the mean over all 64")
    return only(bits < 5.95, 5.95 < bits < 6.05, bits > 6.05)


ANSWERS = {
    "Of the 9 weights": _weights,
    "The two layers together see 11": _missing,
    "Every layer is of kind A": _all_of_a,
    "What becomes of the training loss": Held(
        "test_lesson_pixelcnn.py::test_a_network_that_sees_itself_has_no_loss_and_draws_no_digits"
    ),
    "What does an image cost": _mean_cost,
    "How many of the 4 bits": lambda asked: nearest(
        asked.numbers(r"PixelCNN +([\d.]+) ± [\d.]+ \(standard")[0], 3.3, 2.6, 1.75
    ),
    "A convolution knows": _who_wins,
    "Two perfect models": _label,
    "Which of the three colors": _cheapest,
    "And the time for ONE": Held(
        "test_lesson_pixelcnn.py::test_a_cached_pixel_costs_the_same_in_any_image"
    ),
}
