"""Mechanical mutants: of the lessons' solutions, which the checks must refuse and name."""
