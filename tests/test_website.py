"""The digest under which the site keeps a lesson's run."""

from __future__ import annotations

from website.executing import packages


def test_what_an_import_adds_to_the_path_changes_no_digest(tmp_path, monkeypatch):
    (tmp_path / "another-1.0.dist-info").mkdir()
    (tmp_path / "another-1.0.dist-info" / "METADATA").write_text("Name: another\nVersion: 1.0\n")
    packages.cache_clear()
    before = packages()
    assert "torch" in before
    packages.cache_clear()
    monkeypatch.syspath_prepend(tmp_path)
    assert packages() == before
