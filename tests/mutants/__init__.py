"""Mechanical mutants: of the solutions, for the checks, and of trusted code, for the tests."""
