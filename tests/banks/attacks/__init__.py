"""The attack bank: hostile submissions of lesson 05 against this grader, and what each may not do.

One module a kind of attack, each with its `ATTACKS`; `planted` is the class that they are handed in
to, with the victims; `asserted` has those of other lessons; `bench` sets this grader beside plain
nbgrader. Everything here is run against our own graders, in temporary courses, on the machine of
whoever tests.
"""

from tests.banks.attacks import cells, files, hooks, liars, machine, others_data, pages
from tests.banks.attacks.attack import CLASSES, Attack

ATTACKS: tuple[Attack, ...] = (
    *cells.ATTACKS,
    *hooks.ATTACKS,
    *liars.ATTACKS,
    *others_data.ATTACKS,
    *machine.ATTACKS,
    *files.ATTACKS,
    *pages.ATTACKS,
)

assert len({attack.name for attack in ATTACKS}) == len(ATTACKS)
assert {attack.klass for attack in ATTACKS} == set(CLASSES)

__all__ = ["ATTACKS", "CLASSES", "Attack"]
