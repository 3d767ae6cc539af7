"""Takes what was written in an earlier lesson's notebook into a later one.

    from course import earlier

    mine = earlier.answers("gpt2", "causal_attention", "Block", "GPT2")
    GPT2 = mine["GPT2"] if mine else pretrained.LanguageModel

Lessons lie beside each other, so that one's notebook is `../NN_gpt2/lesson.ipynb` of the other's
folder. Of its cells only definitions are run (imports, functions, classes, constants), down to the
last one that is asked for: no training begins anew.
"""

from __future__ import annotations

import ast
import json
import linecache
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from course.demo import is_unsolved


def answers(
    lesson: str, *names: str, beside: Path | None = None, say: Callable[[str], object] = print
) -> dict[str, Any] | None:
    """The names of a lesson's notebook, all of `names` solved; None where that cannot be had.

    Either way one sentence is said (`say`): whose code it is, or why there is none. `lesson` is its
    word, as "gpt2"; `beside` the folder of this notebook, where the kernel runs unless told.
    """
    folder = Path(beside) if beside is not None else Path.cwd()
    found = sorted(folder.resolve().parent.glob(f"[0-9][0-9]_{lesson}/lesson.ipynb"))
    if not found:
        say(f"○ No notebook of the lesson {lesson} lies beside this one's folder.")
        return None
    path = found[0]
    place = f"{path.parent.name}/{path.name}"
    try:
        namespace = _defined(path, names)
    except Exception as error:  # it is a student's file: whatever is wrong with it, say so
        said = (str(error).strip().split("\n") or [""])[0][:200]
        say(f"✗ {place} cannot be used ({type(error).__name__}: {said}).")
        return None
    for name in names:
        if name not in namespace or is_unsolved(namespace[name]):
            say(f"○ `{name}` is not solved in {place}, or not saved.")
            return None
    say(f"✓ {', '.join(f'`{name}`' for name in names)}: as they stand in {place}.")
    return namespace


def _defined(path: Path, names: tuple[str, ...]) -> dict[str, Any]:
    """What the notebook's definitions make, down to the last cell that defines one of `names`."""
    notebook = json.loads(path.read_text(encoding="utf-8"))
    cells = ["".join(c["source"]) for c in notebook["cells"] if c["cell_type"] == "code"]
    parsed = [list(_definitions(cell)) for cell in cells]
    last = max(
        (i for i, nodes in enumerate(parsed) if {getattr(n, "name", "") for n in nodes} & {*names}),
        default=-1,
    )
    namespace: dict[str, Any] = {"__name__": "__main__"}
    for number, (cell, nodes) in enumerate(zip(cells, parsed, strict=True)):
        if number > last:
            break
        file = f"{path.parent.name}/{path.name}, code cell {number + 1}"
        # A message that names a line of theirs can show it.
        linecache.cache[file] = (len(cell), None, cell.splitlines(keepends=True), file)
        exec(compile(ast.Module(nodes, []), file, "exec", dont_inherit=True), namespace)
    return namespace


def _definitions(source: str) -> Iterator[ast.stmt]:
    """The statements of a cell that only define something; none of a cell that is no Python."""
    try:
        statements = ast.parse(source).body
    except SyntaxError:
        return
    for statement in statements:
        if isinstance(statement, ast.Import | ast.ImportFrom | ast.FunctionDef | ast.ClassDef):
            yield statement
        elif isinstance(statement, ast.Assign):
            try:
                ast.literal_eval(statement.value)
            except ValueError:
                continue
            yield statement
