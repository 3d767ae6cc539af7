"""Why an answer is wrong: named by programs that give the same numbers, or said to be unknown.

`examine` judges a student's function against a rule, case by case, and looks for the cause of what
fails: a known mistake (`mistakes`), a mechanical slip of the rule itself (`slips`), or the smallest
case that fails (`shrinking`). Nothing here says what it cannot show.
"""

from autograder.diagnosis.examine import Property, Subject, Symptom, examine
from autograder.diagnosis.mistakes import Mistake

__all__ = ["Mistake", "Property", "Subject", "Symptom", "examine"]
