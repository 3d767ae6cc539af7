"""Progress bars that a notebook shows as plain output, finished when they are finished.

Use `tqdm` of this module wherever something takes more than two seconds. What tqdm writes to
stderr, JupyterLab paints red; what it writes to stdout stands between what a cell prints, every
state of the bar one after the other in the file. So in a notebook a bar is one output that is
replaced, as text: its last state is what is saved. In a terminal it is tqdm's own.
"""

from __future__ import annotations

import io
import sys
from typing import Any

from tqdm import tqdm as _Bar


def _in_a_notebook() -> bool:
    """Whether a kernel runs this, and its page shows what is displayed."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    return getattr(shell, "kernel", None) is not None


class tqdm(_Bar):
    """tqdm, which shows itself as a notebook's output where there is a notebook."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._shown, self._said = None, ""
        self._in_a_notebook = _in_a_notebook() and not kwargs.get("disable")
        if self._in_a_notebook:
            kwargs["file"] = io.StringIO()  # its line ends and returns go nowhere
        super().__init__(*args, **kwargs)

    def close(self) -> None:
        """Leaves the bar as it stands; one that never moved goes, since its loop did not run."""
        if self._in_a_notebook and not getattr(self, "n", 0):
            self.leave = False
        super().close()

    def display(self, msg: str | None = None, pos: int | None = None) -> None:
        """Shows the bar as it stands, or `msg` in its place."""
        if not self._in_a_notebook:
            super().display(msg, pos)
            return
        from IPython.display import display

        said = str(self) if msg is None else msg
        if said == self._said:
            return
        self._said = said
        if self._shown is None:
            self._shown = display({"text/plain": said}, raw=True, display_id=True)
        else:
            self._shown.update({"text/plain": said}, raw=True)
