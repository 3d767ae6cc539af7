"""What judges: checks that tell a student what the mathematics says of their code, and the grader.

A notebook needs `check` alone. An author of checks needs `checks`, `claim`, `when`, `inside` and
`expect_array`.
"""

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
