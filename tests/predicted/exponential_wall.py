"""Answers of lesson 01."""

from tests.predicted import nearest, only

_ROW = r"^ +{} +[\d,]+ +\d+% +([\d.]+) +([\d.]+) +([\d.]+)$"


def _repaired(asked) -> int:
    (nobody,) = asked.numbers(r"nobody borrows +: .*, \+([\d.]+) nats")
    (unseen,) = asked.numbers(r"no image borrow +: .*, \+([\d.]+) nats")
    return nearest(1 - unseen / nobody, 1.0, 0.33, 0.0)


def _unseen_images(asked) -> int:
    none, seven, all_ = (asked.numbers(_ROW.format(n))[2] for n in (0, 7, 14))
    return only(none > seven > all_, none > seven < all_, none < seven)


ANSWERS = {
    "From 0 to 7 to 14 parents": _unseen_images,
    "Rows that saw no image": _repaired,
    "Three parents, and one table": lambda asked: nearest(
        asked.numbers(r"3 parents: one table +8 numbers ([\d.]+) nats")[0], 21, 28, 40
    ),
}
