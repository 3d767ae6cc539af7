"""The checks, one module a lesson: `05_made` is checked by `autograder.checks.made`.

`talk` is the judge's end of a model that students' functions ask.
"""
