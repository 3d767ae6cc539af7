"""What a class did, for the person who teaches it: a page to look at, and marks for an LMS.

`marks` reads nbgrader's gradebook, `class_report` joins it with the records to plain data, `page`
makes one HTML file of that, `lms` fills in the files that an LMS gives out.
"""

from __future__ import annotations

from pathlib import Path

from autograder.grading.course import Course


def write_report(
    course: Course, lesson: str, *, out: Path | None = None, names: bool = False
) -> Path:
    """Writes the class page of `lesson` and returns its place (see `class_report`)."""
    from autograder.report.class_report import class_report
    from autograder.report.page import page_of
    from course.files import write_whole

    place = out or course.submitted.parent / "reports" / f"{lesson}.html"
    page = page_of(class_report(course, lesson, names=names), place)
    write_whole(place, page.encode("utf-8"))
    return place
