"""What ends the grading of a class: apart from where classes lie, so that a worker can say it."""


class CourseError(ValueError):
    """A course or class that cannot be graded as it lies; the message is one sentence."""
