"""The checks, one module a lesson: `05_made` is checked by `autograder.checks.made`."""
