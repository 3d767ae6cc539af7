"""Right answers, one module a lesson, each with a tuple `ANSWERS` of `tests.banks.bank.Right`."""
