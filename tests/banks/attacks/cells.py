"""For marks: test cells edited, taken out, doubled, tagged, retyped; ids, points and metadata."""

from __future__ import annotations

import copy
from collections.abc import Callable

from nbformat import from_dict
from nbgrader.utils import compute_checksum

from tests.banks.attacks.attack import (
    CELLS,
    Attack,
    Notebook,
    answering,
    code,
    named,
    tests_of,
)


def each_test(change: Callable[[dict], object]) -> Callable[[Notebook], Notebook]:
    """Applies `change` to each check cell."""

    def build(notebook: Notebook) -> Notebook:
        for cell in tests_of(notebook):
            change(cell)
        return notebook

    return build


def _result(points: float) -> list[dict]:
    data = {"text/plain": repr(float(points))}
    return [{"output_type": "execute_result", "data": data, "metadata": {}, "execution_count": 1}]


def _edit(cell: dict) -> None:
    cell["source"] = "pass"


def _last_expression(cell: dict) -> None:
    cell["source"] = f"{cell['metadata']['nbgrader']['points']}.0"


def _rewrite_with_checksum(cell: dict) -> None:
    cell["source"] = "None"
    cell["metadata"]["nbgrader"]["locked"] = False
    cell["metadata"]["nbgrader"]["checksum"] = compute_checksum(from_dict(cell))


def _skip(cell: dict) -> None:
    cell["metadata"]["tags"] = ["skip-execution"]
    cell["outputs"] = _result(cell["metadata"]["nbgrader"]["points"])


def _skip_without_output(cell: dict) -> None:
    cell["metadata"]["tags"] = ["skip-execution", "raises-exception", "demo"]


def _to_markdown(cell: dict) -> None:
    cell["cell_type"] = "markdown"
    del cell["outputs"], cell["execution_count"]


def _to_raw(cell: dict) -> None:
    _to_markdown(cell)
    cell["cell_type"] = "raw"


def _capture(cell: dict) -> None:
    cell["source"] = "%%capture\n" + cell["source"]


def _points(cell: dict) -> None:
    cell["metadata"]["nbgrader"]["points"] = 1000


def _endless_points(cell: dict) -> None:
    cell["metadata"]["nbgrader"]["points"] = float("inf")


def _schema(cell: dict) -> None:
    cell["metadata"]["nbgrader"]["schema_version"] = 99


def _delete(notebook: Notebook) -> Notebook:
    tests = tests_of(notebook)
    notebook["cells"] = [c for c in notebook["cells"] if c not in tests]
    return notebook


def _double(notebook: Notebook) -> Notebook:
    for cell in tests_of(notebook):
        twin = copy.deepcopy(cell)
        twin["source"] = f"{cell['metadata']['nbgrader']['points']}.0"
        notebook["cells"].insert(notebook["cells"].index(cell), twin)
    return notebook


def _swap_ids(notebook: Notebook) -> Notebook:
    for test in tests_of(notebook):
        exercise = test["metadata"]["nbgrader"]["grade_id"].split("-")[1]
        answer = named(notebook, exercise)
        test["metadata"], answer["metadata"] = answer["metadata"], test["metadata"]
        test["id"], answer["id"] = answer["id"], test["id"]
        answer["source"] = f"{answer['metadata']['nbgrader']['points']}.0"
    return notebook


def _same_ids(notebook: Notebook) -> Notebook:
    for cell in notebook["cells"]:
        cell["id"] = "check-MADE"
        if cell["metadata"].get("nbgrader"):
            cell["metadata"]["nbgrader"]["grade_id"] = "check-MADE"
    return notebook


def _extra_test(notebook: Notebook) -> Notebook:
    about = {
        "grade": True, "grade_id": "extra", "locked": True, "points": 100, "schema_version": 3,
        "solution": False, "task": False, "cell_type": "code",
    }  # fmt: skip
    notebook["cells"].append(code("100.0", metadata={"nbgrader": about}))
    return notebook


def _no_solution(notebook: Notebook) -> Notebook:
    """nbgrader gives full marks, and no review, to a manual cell that is said to be a test."""
    about = named(notebook, "why_order")["metadata"]["nbgrader"]
    about["solution"], about["locked"] = False, True
    return notebook


def _taken_id(notebook: Notebook) -> Notebook:
    for cell in tests_of(notebook):
        cell["metadata"].pop("nbgrader")
        points = {"check-assign_degrees": 2}.get(cell["id"], 6)
        notebook["cells"].insert(2, code(f"{points}.0", id=cell["id"]))
        cell["id"] = "something-else"
    return notebook


def _kernelspec(notebook: Notebook) -> Notebook:
    notebook["metadata"]["kernelspec"] = {
        "name": "../../evil", "display_name": "x", "language": "bash",
        "argv": ["/bin/sh", "-c", "true"],
    }  # fmt: skip
    return notebook


def _language(notebook: Notebook) -> Notebook:
    notebook["metadata"]["language_info"] = {"name": "julia", "file_extension": "/../../x.sh"}
    notebook["metadata"]["jupytext"] = {"formats": "ipynb,/tmp//py"}
    notebook["metadata"]["kernelspec"]["language"] = "R"
    return notebook


def _old_format(notebook: Notebook) -> Notebook:
    notebook["nbformat_minor"] = 0
    for cell in notebook["cells"]:
        del cell["id"]
        about = cell["metadata"].get("nbgrader")
        if about:
            about.update(schema_version=1, grade=False)
            about.pop("cell_type", None)
    return notebook


def _check_again(notebook: Notebook) -> Notebook:
    for test in tests_of(notebook):
        place = notebook["cells"].index(test)
        points = test["metadata"]["nbgrader"]["points"]
        notebook["cells"].insert(place + 1, code(f"{points}.0", metadata=dict(test["metadata"])))
        test["metadata"] = {}
    return notebook


ATTACKS = (
    Attack("edited tests", CELLS, each_test(_edit)),
    Attack("last-expression marks", CELLS, each_test(_last_expression)),
    Attack("edited tests with new checksums", CELLS, each_test(_rewrite_with_checksum)),
    Attack("tests taken out", CELLS, _delete),
    Attack("doubled tests", CELLS, _double),
    Attack("tagged to be skipped, marks stored", CELLS, each_test(_skip)),
    Attack("tagged to be skipped", CELLS, each_test(_skip_without_output)),
    Attack("tests turned into markdown", CELLS, each_test(_to_markdown)),
    Attack("tests turned into raw cells", CELLS, each_test(_to_raw)),
    Attack("tests captured", CELLS, each_test(_capture)),
    Attack("raised points", CELLS, each_test(_points)),
    Attack("infinite points", CELLS, each_test(_endless_points)),
    Attack("schema 99", CELLS, each_test(_schema)),
    Attack("schema 1, notebook 4.0", CELLS, _old_format),
    Attack("ids of tests and answers exchanged", CELLS, _swap_ids),
    Attack("one id for all cells", CELLS, _same_ids),
    Attack("a test of one's own", CELLS, _extra_test),
    Attack("a written answer said to be a test", CELLS, _no_solution),
    Attack("ids of tests taken by own cells", CELLS, _taken_id),
    Attack("metadata of tests moved to own cells", CELLS, _check_again),
    Attack("kernelspec", CELLS, _kernelspec),
    Attack("language metadata", CELLS, _language),
    Attack(
        "answers that end in a number", CELLS, answering("def @NAME@(*a, **k):\n    ...\n\n6.0")
    ),
)
