"""Files are written whole or not at all."""

import os
import stat

import pytest

from course.files import write_whole


def test_an_interrupted_write_leaves_the_old_file_and_no_rest(monkeypatch, tmp_path):
    path = tmp_path / "folder" / "file"
    write_whole(path, "old")

    def fail(*_):
        raise OSError("disk full")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match="disk full"):
        write_whole(path, b"new, and longer")
    assert path.read_text() == "old"
    assert list(path.parent.iterdir()) == [path]


def test_a_link_is_replaced_and_not_followed(tmp_path):
    victim, link = tmp_path / "victim", tmp_path / "link"
    victim.write_text("untouched")
    link.symlink_to(victim)
    write_whole(link, "mine")
    assert victim.read_text() == "untouched"
    assert link.read_text() == "mine" and not link.is_symlink()


def test_others_may_read_the_file_as_the_umask_says(tmp_path):
    before = os.umask(0o022)
    try:
        write_whole(tmp_path / "file", "x")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "file").stat().st_mode) == 0o644
