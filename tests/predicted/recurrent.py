"""Answers of lesson 11."""

import math

from tests.predicted import nearest, only


def _certainly(asked) -> int:
    """Whose past is shorter than the distance: of the four only a window has a length at all."""
    (field,) = asked.numbers(r"WaveNet, sees (\d+) .* 2\.08\d$")
    plain, transformer = (
        asked.numbers(rf"{name} .* ([\d.]+)$")[0] for name in ("plain RNN", "Transformer")
    )
    return only(plain > 2, False, field < 32 and plain < 2 and transformer < 2, transformer > 2)


def _scan(asked) -> int:
    loop, scan = (
        asked.numbers(rf"T = +1024 +{way}: .* ([\d,]+) operations")[0] for way in ("loop", "scan")
    )
    return only(scan < loop, scan == loop, scan > loop)


ANSWERS = {
    "Gain 0.9, and 50 steps": lambda _: nearest(
        math.log(0.9**50), *map(math.log, (0.9, 0.005)), -1e9
    ),
    "With windows of 4": lambda asked: nearest(
        asked.numbers(r"window +4: the last symbol costs ([\d.]+) nats")[0], 0, 1, 2.08
    ),
    "The symbol stands 32": _certainly,
    "1,024 steps in 10 rounds": _scan,
}
