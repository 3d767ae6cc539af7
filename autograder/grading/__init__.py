"""The grading half: a class's submissions in, marks in nbgrader's gradebook and feedback out.

Nothing but the text of a submission's cells is used (`submission`, `rebuild`); student code runs in
guests, verdicts are reached outside of them (`judge`); one process writes the gradebook
(`gradebook`); `classroom` leads a whole class through it.
"""
