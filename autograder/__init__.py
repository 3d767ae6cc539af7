"""What judges: checks that tell a student what the mathematics says of their code, and the grader.

A notebook needs `check` alone. An author of checks needs `checks`, `claim`, `when`, `inside` and
`expect_array`.
"""

# Two modules have a decorator's name. Loading a module binds its name here, once: so they are
# loaded first, and the decorators keep the names.
import autograder.checks
import autograder.inside  # noqa: F401
from autograder.checking import check, checks, judge
from autograder.claims import Claim, Verdict, claim, when
from autograder.standin import expect_array, inside

__all__ = [
    "Claim",
    "Verdict",
    "check",
    "checks",
    "claim",
    "expect_array",
    "inside",
    "judge",
    "when",
]
