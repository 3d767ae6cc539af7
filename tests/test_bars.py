"""Progress bars are text: a saved notebook shows a finished one as finished."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
READ = [*ROOT.glob("course/*.py"), *ROOT.glob("figures/*.py"), *ROOT.glob("solutions/*/lesson.py")]


@pytest.mark.parametrize("path", READ, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_bar_is_a_widget(path: Path) -> None:
    """tqdm.auto makes one in a notebook, whose saved words stay at 0 %."""
    assert not re.search(r"tqdm\.(auto|notebook)", path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("path", READ, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_bar_goes_to_stderr(path: Path) -> None:
    """JupyterLab paints it red; course.progress has a tqdm that does not go there."""
    if path.name != "progress.py":
        assert not re.search(r"^(from|import) tqdm", path.read_text(encoding="utf-8"), re.M)
