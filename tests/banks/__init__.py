"""Banks of answers: wrong ones that a check must refuse, right ones that it must accept.

One module a lesson in `wrong` and `right` (`05_made` → `made.py`), found by its name.
`python -m tests.banks.bank` judges all of them and prints a table; `tests/test_banks.py` holds it.
"""
