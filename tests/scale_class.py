"""A class of any size, for tests and benchmarks of scale: copies of a few answers to lesson 01."""

from __future__ import annotations

import json
from pathlib import Path

from autograder import lessons
from autograder.grading.course import ROOT, Course, open_course, template_of
from tests.demo_class import filled

LESSON = "01_exponential_wall"


def hand_in(folder: Path, count: int, db_url: str | None = None) -> Course:
    """A class below `folder` in which `count` students handed in lesson 01.

    Every third has solved all, every third half of it, every third nothing.
    """
    course = open_course(ROOT, class_dir=folder, db_url=db_url)
    handed_out = template_of(course, LESSON).notebook
    solved = {
        name: lessons.exercise_source(LESSON, name)
        for name in lessons.load_lesson(LESSON).exercises
    }
    half = dict(list(solved.items())[: len(solved) // 2])
    texts = [json.dumps(filled(handed_out, cells)) for cells in (solved, half, {})]
    for number in range(count):
        place = course.submission_of(student(number), LESSON)
        place.parent.mkdir(parents=True)
        place.write_text(texts[number % 3], encoding="utf-8")
    return course


def student(number: int) -> str:
    """The name of a student of such a class."""
    return f"student-{number:06}"
