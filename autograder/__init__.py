"""What judges: checks that tell a student what the mathematics says of their code, and the grader.

A notebook needs `check` alone. An author of checks needs `claim`, `when` and `expect_array`, and
the decorators `autograder.checking.checks` and `autograder.remote.proxy.inside`.
"""

from autograder.checking import check, judge
from autograder.claims import Claim, Verdict, claim, when
from autograder.remote.proxy import expect_array

__all__ = [
    "Claim",
    "Verdict",
    "check",
    "claim",
    "expect_array",
    "judge",
    "when",
]
