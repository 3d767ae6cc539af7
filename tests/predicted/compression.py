"""Answers of lesson 14."""

import math

import numpy as np
import torch

from tests.predicted import Said, least, nearest, only


class Peeks:
    """A model of n bits whose column i looks at column i, which the reader does not have yet."""

    n, k = 6, 2

    def conditionals(self, x: torch.Tensor) -> torch.Tensor:
        one = 0.02 + 0.96 * x.double()
        return torch.stack([1 - one, one], dim=2)


def _comes_back(asked, model, x) -> bool:
    try:
        return torch.equal(asked.decode(model, asked.encode(model, x), len(x)), x)
    except Exception:  # a decoder that gives up
        return False


def _chooser(_) -> int:
    chances, questions = np.array([0.5, 0.25, 0.25]), np.array([1, 2, 2])
    return [3, 4.5, 4.75, 5].index(3 * float(chances @ questions))


def _impossible(asked) -> int:
    price = float(asked.ideal_bits(torch.tensor([-math.inf])))
    return only(price == 0, price == 64, math.isinf(price))


def _rounded(_) -> int:
    parts = np.round(np.full(3, 1 / 3) * 8)
    return only(parts.sum() == 8, parts.sum() == 9, parts.min() == 0)


def _eight_bits(asked) -> int:
    row = asked.numbers(r"^ +8 +([\d.]+) +(inf|[\d.]+)$")
    fits = [math.isfinite(lost) for lost in row]
    return only(all(fits), fits == [True, False], not any(fits))


def _stack(asked) -> int:
    columns = asked.numbers(r"stack: \[\[(\d), \d\], \[(\d), \d\], \[(\d), \d\]\]")
    return [[0, 1, 2], [2, 1, 0]].index(columns)


def _looks_ahead(asked) -> int:
    """A file by a model that looks at what it is to predict: how long, and does it come back?"""
    x = torch.randint(2, (40, 6), generator=torch.Generator().manual_seed(0))
    longer = 8 * len(asked.encode(Peeks(), x)) > x.numel()
    back = _comes_back(asked, Peeks(), x)
    return only(longer, not back and not longer, back)


def _noise(asked) -> int:
    """The price of what is decoded from random bytes, against white noise and real digits."""
    model = asked.PixelRegressions(asked.digits.train.numpy(), sees=lambda i: range(i))
    message = np.random.default_rng(0).bytes(400)

    def price(x):
        p = model.conditionals(x).gather(2, x[..., None]).double()
        return float(asked.ideal_bits(p.log().flatten())) / len(x)

    try:
        drawn = price(asked.decode(model, message, 24))
    except Exception:  # that would be the third choice
        return 2
    white = price(torch.randint(2, (24, 64), generator=torch.Generator().manual_seed(0)))
    return nearest(drawn, white, price(asked.test[:100]))


def _page(asked) -> int:
    (plain,) = asked.numbers(r"as it is +([\d,]+) bytes +8\.00 bits a character")
    (codec,) = asked.numbers(r"your codec +([\d,]+) bytes +[\d.]+ bits a character")
    return nearest(10 * codec / plain, 5.5, 2.5, 0.5)


def _peeking(asked) -> int:
    varied = torch.randint(2, (40, 6), generator=torch.Generator().manual_seed(0))
    zeros, others = (
        _comes_back(asked, Peeks(), x) for x in (torch.zeros(40, 6, dtype=torch.int64), varied)
    )
    return only(not zeros and not others, zeros and not others, zeros and others)


def _shortest(asked) -> int:
    """Sizes and fates of three files: the shortest is the third, and the first alone comes back."""
    rows = ("sees the pixels before", "sees all but its own", "sees its own pixel, too")
    sizes = [asked.numbers(rf"{row}: .* file +([\d,]+) bits")[0] for row in rows]
    fates = [asked.printed(rf"{row}: .* bits, (comes back|does NOT come back)") for row in rows]
    back = tuple(fate == "comes back" for fate in fates)
    alternatives = [
        (0, (True, False, False)),
        (1, (True, True, False)),
        (2, (True, True, True)),
        (2, (True, False, False)),
    ]
    return alternatives.index((least(*sizes), back))


ANSWERS = {
    "BAC takes five questions": _chooser,
    "What does an outcome cost": _impossible,
    "round(p * 2**bits)": _rounded,
    "For which of the two will 8": _eight_bits,
    "In which order does the stack": _stack,
    "What if a conditional of column i": _looks_ahead,
    "What does your decode make": _noise,
    "zlib needs six bytes": _page,
    "One part in a million": Said(
        "The cell below tries it: the decoder reads on with other tables."
    ),
    "The sender trains on blocks": Said(
        "What has not been read yet cannot have been learned from."
    ),
    "What does a digit of the first": lambda asked: nearest(
        asked.numbers(r"bits a digit, block by block: ([\d.]+),")[0], 26, 45, 67
    ),
    "Is there an x that comes back": _peeking,
    "Which file is the shortest": _shortest,
}
