"""What a student finds where a solution stood: nbgrader's stub, with the exercise named in it.

nbgrader knows one stub for all cells. A message that names its exercise tells more: when `MADE`
calls a `build_masks` that is not written yet, the traceback says which of the two is missing.
"""

from typing import Any

from nbformat.notebooknode import NotebookNode
from nbgrader.preprocessors import ClearSolutions


class NamedStubs(ClearSolutions):
    """`ClearSolutions` that puts the cell's grade_id for `{exercise}` in the configured stub."""

    code_stub: Any  # nbgrader's trait

    def preprocess_cell(
        self, cell: NotebookNode, resources: dict[str, Any], cell_index: int
    ) -> tuple[NotebookNode, dict[str, Any]]:
        configured = self.code_stub
        exercise = cell.metadata.get("nbgrader", {}).get("grade_id", "this cell")
        self.code_stub = {k: stub.replace("{exercise}", exercise) for k, stub in configured.items()}
        try:
            return super().preprocess_cell(cell, resources, cell_index)
        finally:
            self.code_stub = configured
