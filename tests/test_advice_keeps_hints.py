"""A function of a library that a hint names is not given away by a card of the same lesson."""

from __future__ import annotations

import ast
import importlib
import inspect
import re
from collections.abc import Iterator

import pytest

from autograder import lessons

FUNCTION = re.compile(r"\b(?:torch|np|F|nn|math|scipy)\.[A-Za-z_.0-9]*[A-Za-z_0-9]")
# Who is told of these has written them, or is told a unit.
WRITTEN_ALREADY = {"F.conv2d", "F.cross_entropy", "F.linear", "F.pad", "math.log", "np.log"}
WRITTEN_ALREADY |= {"nn.Conv1d", "nn.Conv2d"}


def hinted(text: str) -> set[str]:
    """The library functions that the hints of a lesson name."""
    return set(FUNCTION.findall(" ".join(re.findall(r"<details.*?</details>", text, re.S))))


def sentences(source: str) -> Iterator[str]:
    """All texts of a module but its docstrings; parts of an f-string one by one."""
    tree = ast.parse(source)
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef)
    docs = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, documented) and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docs:
            yield node.value


@pytest.mark.parametrize("name", lessons.lesson_names())
def test_no_card_names_what_a_hint_keeps(name: str) -> None:
    kept = hinted(lessons.load_lesson(name).path.read_text("utf-8")) - WRITTEN_ALREADY
    checks = importlib.import_module(f"autograder.checks.{name.partition('_')[2]}")
    told = [text for text in sentences(inspect.getsource(checks)) if FUNCTION.search(text)]
    assert not [text for text in told if kept & set(FUNCTION.findall(text))]


def test_most_lessons_have_hints_that_name_a_function() -> None:
    texts = [lessons.load_lesson(name).path.read_text("utf-8") for name in lessons.lesson_names()]
    assert sum(bool(hinted(text)) for text in texts) > len(texts) / 2


def test_a_sentence_with_a_kept_function_is_found() -> None:
    assert hinted("x `np.log` <details><summary>Hint</summary>`torch.where`.</details>") == {
        "torch.where"
    }
    source = 'def f():\n    """torch.where"""\n    return f"{f} torch.where it is"'
    assert [text for text in sentences(source) if FUNCTION.search(text)] == [" torch.where it is"]
