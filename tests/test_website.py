"""What the site is made of: the runs that it keeps, and texts that tell no solution."""

from __future__ import annotations

import pytest

from autograder.lessons import appendix_names, lesson_names, load_lesson
from website.building import guides
from website.executing import packages
from website.secrets import leaks


@pytest.mark.parametrize("name", appendix_names())
def test_an_appendix_tells_no_line_of_a_solution(name, tmp_path):
    lessons, public = [*map(load_lesson, lesson_names())], guides().values()
    page, text = tmp_path / "lesson.py", load_lesson(name).path.read_text("utf-8")
    page.write_text(text, "utf-8")
    assert leaks(tmp_path, lessons, public) == []
    page.write_text(f"{text}\n    return torch.stack(columns, dim=1)\n", "utf-8")
    [told] = leaks(tmp_path, lessons, public)
    assert "04_nade" in told


def test_what_an_import_adds_to_the_path_changes_no_digest(tmp_path, monkeypatch):
    (tmp_path / "another-1.0.dist-info").mkdir()
    (tmp_path / "another-1.0.dist-info" / "METADATA").write_text("Name: another\nVersion: 1.0\n")
    packages.cache_clear()
    before = packages()
    assert "torch" in before
    packages.cache_clear()
    monkeypatch.syspath_prepend(tmp_path)
    assert packages() == before
