"""Mechanical slips: a program's text with one small thing changed, and what kind of change it is.

Two use them. A check mutates its own rule and asks whether exactly one KIND of change gives the
student's numbers: advice of last resort, which names the kind and never the place. `make
mutants-checks` mutates the lessons' solutions and asks whether a check lets one pass.
"""

from __future__ import annotations

import ast
import contextlib
import copy
import functools
import inspect
import itertools
import pickle
import textwrap
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import CodeType
from typing import Any

import numpy as np

from autograder.diagnosis.mistakes import Observation, reproduces, telling


@dataclass(frozen=True)
class Slip:
    """One changed program: the kind of the change, where it stands, and the whole changed text.

    `where` is the line of the program in which the change begins, without its comment.
    """

    kind: str
    line: int
    where: str
    before: str
    after: str
    text: str


_DATA = (np.ndarray, list, dict)  # what a program may write into
ROOM = 2**30  # bytes that trying the slips of a rule may take

# What a card says of a kind: what the numbers look like, never where our own code has it.
SAYS = {
    "equality": "as if equality were let in where it is excluded, or left out where it belongs",
    "comparison": "as if a comparison pointed the other way round",
    "one-off": "as if an index, a count or an end were off by one",
    "sign": "as if a sign were wrong",
    "product-quotient": "as if a product stood in the place of a quotient, or the reverse",
    "term": "as if a term were left out",
    "factor": "as if a factor were left out",
    "sum-mean": "as if a sum stood where a mean belongs, or a mean where a sum belongs",
    "extreme": "as if the largest and the smallest had changed places",
    "function": "as if another function stood there, or none (log2 for log, no square root, …)",
    "axis": "as if it ran over another axis",
    "swap": "as if two arguments had changed places",
    "option": "as if an option of a call were forgotten",
    "step": "as if a step were left out",
    "transpose": "as if rows and columns had changed places",
    "logic": "as if a condition were turned round, or and and or had changed places",
    "type": "as if the numbers had another type",
    "constant": "as if a constant had another value",
    "end": "as if the first of a row stood in the place of the last, or the reverse",
    "power": "as if a power had another exponent, or were left out",
}  # fmt: skip

_COMPARE = {
    ast.Lt: (("equality", ast.LtE), ("comparison", ast.Gt)),
    ast.LtE: (("equality", ast.Lt), ("comparison", ast.GtE)),
    ast.Gt: (("equality", ast.GtE), ("comparison", ast.Lt)),
    ast.GtE: (("equality", ast.Gt), ("comparison", ast.LtE)),
    ast.Eq: (("logic", ast.NotEq),),
    ast.NotEq: (("logic", ast.Eq),),
}
_NAMES = {
    "sum": (("sum-mean", "mean"),),
    "mean": (("sum-mean", "sum"),),
    "prod": (("function", "sum"),),
    "max": (("extreme", "min"),),
    "min": (("extreme", "max"),),
    "maximum": (("extreme", "minimum"),),
    "minimum": (("extreme", "maximum"),),
    "argmax": (("extreme", "argmin"),),
    "argmin": (("extreme", "argmax"),),
    "log": (("function", "log2"), ("function", "log1p")),
    "log2": (("function", "log"),),
    "log1p": (("function", "log"),),
    "exp": (("function", "expm1"),),
    "exp2": (("function", "exp"),),
    "tanh": (("function", "sigmoid"),),
    "sigmoid": (("function", "tanh"),),
    "softmax": (("function", "sigmoid"),),
    "log_softmax": (("function", "softmax"), ("function", "logsigmoid")),
    "logsumexp": (("function", "sum"),),
    "relu": (("function", "tanh"),),
    "gelu": (("function", "relu"),),
    "cumsum": (("function", "cumprod"),),
    "tril": (("transpose", "triu"),),
    "triu": (("transpose", "tril"),),
    "floor": (("function", "ceil"),),
    "ceil": (("function", "floor"),),
    "round": (("function", "floor"),),
    "zeros": (("constant", "ones"),),
    "ones": (("constant", "zeros"),),
    "zeros_like": (("constant", "ones_like"),),
    "ones_like": (("constant", "zeros_like"),),
    "repeat": (("function", "tile"),),
    "tile": (("function", "repeat"),),
    "float": (("type", "half"),),
    "double": (("type", "float"),),
    "float64": (("type", "float32"),),
    "int64": (("type", "int32"),),
    "rand": (("function", "randn"),),
    "sort": (("function", "argsort"),),
    "append": (("function", "extend"),),
    "cat": (("function", "stack"),),
    "stack": (("function", "cat"),),
}  # fmt: skip
_OPERATORS = {
    ast.Add: (("sign", ast.Sub),),
    ast.Sub: (("sign", ast.Add),),
    ast.Mult: (("product-quotient", ast.Div),),
    ast.Div: (("product-quotient", ast.Mult),),
    ast.FloorDiv: (("product-quotient", ast.Mult),),
    ast.Pow: (("power", ast.Mult),),
    ast.MatMult: (("product-quotient", ast.Mult),),
    ast.BitAnd: (("logic", ast.BitOr),),
    ast.BitOr: (("logic", ast.BitAnd),),
}
_AXES = ("dim", "axis", "keepdim", "keepdims")
_REDUCE = "sum mean prod max min any all cumsum cumprod argmax argmin std var softmax flip".split()


def slips_of(text: str) -> Iterator[Slip]:
    """Every single change of the program `text` that this module knows, in the text's order."""
    tree, lines = ast.parse(text), ["", *text.splitlines()]
    told, kept = {ast.unparse(tree)}, pickle.dumps(tree)  # a deep copy takes three times as long
    spots = [node for node in ast.walk(tree) if not isinstance(node, ast.expr_context)]
    no_program = _annotations(tree) | _switches(tree)
    roles, indices = _roles(tree), _indices(tree)
    for place, node in enumerate(spots):
        for kind, change in _changes(node) if id(node) not in no_program else ():
            if kind == "one-off":
                kind = roles.get(id(node), kind)
            elif kind == "sign" and id(node) in indices:
                kind = "end"
            changed = pickle.loads(kept)
            nodes = (n for n in ast.walk(changed) if not isinstance(n, ast.expr_context))
            target = next(itertools.islice(nodes, place, None))
            before = _told(node)
            new = change(target)
            if new is not target:
                changed = _Replace(target, new).visit(changed)
            try:
                after = ast.unparse(changed)
                compile(after, "<slip>", "exec")
            except (SyntaxError, ValueError, AttributeError, TypeError):
                continue
            if after not in told:
                told.add(after)
                line = getattr(node, "lineno", 0)
                shown = "" if new is None else _told(new)
                yield Slip(
                    kind, line, lines[line].partition("  #")[0].strip(), before, shown, after
                )


def _annotations(tree: ast.AST) -> set[int]:
    """The nodes that stand in annotations of types, by their id: no program is made of them."""
    found = (
        getattr(node, name, None) for node in ast.walk(tree) for name in ("annotation", "returns")
    )
    return {id(inner) for one in found if isinstance(one, ast.AST) for inner in ast.walk(one)}


def _switches(tree: ast.AST) -> set[int]:
    """The nodes, by their id, that ask an option of a rule: what turns a mistake on is no slip."""
    options = {
        one.arg
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef)
        for one in node.args.kwonlyargs
    }
    found: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.If | ast.IfExp) and any(
            isinstance(inner, ast.Name) and inner.id in options for inner in ast.walk(node.test)
        ):
            found |= {id(node), *(id(inner) for inner in ast.walk(node.test))}
    return found


def _roles(tree: ast.AST) -> dict[int, str]:
    """Of whole numbers that count nothing, by the node's id, what kind of slip another one is."""
    found: dict[int, str] = {}
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Attribute(attr=name), args=[*_, last]) if name in _REDUCE:
                found |= dict.fromkeys(_number(last), "axis")
            case ast.keyword(arg=name, value=value) if name in _AXES:
                found |= dict.fromkeys(_number(value), "axis")
            case ast.Subscript(slice=ast.UnaryOp(op=ast.USub()) as last):
                found |= dict.fromkeys(_number(last), "end")
            case ast.BinOp(op=ast.Mult() | ast.Div()):
                found |= {id(side): "constant" for side in (node.left, node.right)}
            case ast.BinOp(op=ast.Pow()):
                found[id(node.right)] = "power"
    return found


def _indices(tree: ast.AST) -> set[int]:
    """The numbers that stand in an index, with a sign or not, by their id: −1 is the last place."""
    slices = [node.slice for node in ast.walk(tree) if isinstance(node, ast.Subscript)]
    ends = [end for one in slices for end in (one, *_ends(one))]
    return {inner for end in ends if end is not None for inner in (id(end), *_number(end))}


def _ends(index: ast.AST) -> list[ast.expr | None]:
    return [index.lower, index.upper] if isinstance(index, ast.Slice) else []


def _number(node: ast.AST) -> list[int]:
    """The id of the constant that is the node, with a sign before it or not; or none."""
    at = node.operand if isinstance(node, ast.UnaryOp) else node
    return [id(at)] if isinstance(at, ast.Constant) else []


class _Replace(ast.NodeTransformer):
    """Puts `new` (None: nothing, or `pass`) in the place of one node."""

    def __init__(self, old: ast.AST, new: ast.AST | None) -> None:
        self.old, self.new = old, new

    def visit(self, node: ast.AST) -> Any:
        if node is self.old:
            if self.new is None and isinstance(node, ast.stmt):
                return ast.copy_location(ast.Pass(), node)
            return self.new
        return self.generic_visit(node)


def _told(node: ast.AST) -> str:
    try:
        return ast.unparse(node)[:80]
    except Exception:
        return type(node).__name__


Change = Callable[[Any], "ast.AST | None"]


def _changes(node: ast.AST) -> Iterator[tuple[str, Change]]:
    """The kinds of change of one node, each with what makes it (on a copy of the node)."""
    if isinstance(node, ast.Compare):
        for at, operator in enumerate(node.ops):
            for kind, compare in _COMPARE.get(type(operator), ()):
                yield kind, _set_operator(at, compare)
    elif isinstance(node, ast.BinOp):
        for kind, other in _OPERATORS.get(type(node.op), ()):
            yield kind, _set("op", other())
        if isinstance(node.op, ast.Add | ast.Sub):
            yield "term", _part("left")
            yield "term", _part("right")
        elif isinstance(node.op, ast.Mult | ast.Div):
            yield "factor", _part("left")
            yield "factor", _part("right")
        elif isinstance(node.op, ast.Pow):
            yield "power", _part("left")
        if isinstance(node.op, ast.Sub | ast.Div | ast.MatMult | ast.Pow):
            yield "swap", _swap_sides
    elif isinstance(node, ast.AugAssign):
        for kind, other in _OPERATORS.get(type(node.op), ()):
            yield kind, _set("op", other())
        yield "step", _nothing
    elif isinstance(node, ast.UnaryOp):
        kind = "sign" if isinstance(node.op, ast.USub) else "logic"
        if not (isinstance(node.op, ast.USub) and isinstance(node.operand, ast.Constant)):
            yield kind, _part("operand")
    elif isinstance(node, ast.BoolOp):
        yield "logic", _set("op", ast.Or() if isinstance(node.op, ast.And) else ast.And())
    elif isinstance(node, ast.Constant):
        yield from _constants(node.value)
    elif isinstance(node, ast.Call):
        yield from _calls(node)
    elif isinstance(node, ast.Attribute):
        if node.attr in ("T", "mT"):
            yield "transpose", _part("value")
        for kind, name in _NAMES.get(node.attr, ()):
            yield kind, _set("attr", name)
    elif isinstance(node, ast.Name):
        for kind, name in _NAMES.get(node.id, ()):
            if node.id not in ("float", "round", "repeat"):
                yield kind, _set("id", name)
    elif isinstance(node, ast.Slice):
        for end in ("lower", "upper"):
            if getattr(node, end) is not None:
                for step in (1, -1):
                    yield "one-off", _shift(end, step)
                yield "term", _drop(end)
    elif isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Name):
        for step in (1, -1):
            yield "one-off", _shift("slice", step)
    elif isinstance(node, ast.IfExp):
        yield "logic", _part("body")
        yield "logic", _part("orelse")
    elif isinstance(node, ast.If):
        yield "logic", _never
    elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
        yield "step", _nothing


def _constants(value: Any) -> Iterator[tuple[str, Change]]:
    if isinstance(value, bool):
        yield "option", _set("value", not value)
    elif isinstance(value, int):
        yield "one-off", _set("value", value + 1)
        yield "one-off", _set("value", value - 1)
        if value:
            yield "sign", _set("value", -value)
    elif isinstance(value, float):
        yield "constant", _set("value", value * 2)
        yield "constant", _set("value", value / 2)
        if value:
            yield "sign", _set("value", -value)


def _calls(node: ast.Call) -> Iterator[tuple[str, Change]]:
    if len(node.args) >= 2:
        yield "swap", _swap_arguments
    if len(node.args) == 1 and not node.keywords and not isinstance(node.args[0], ast.Starred):
        yield "function", _argument
    for at, keyword in enumerate(node.keywords):
        if keyword.arg is None:
            continue
        yield ("axis" if keyword.arg in _AXES else "option"), _drop_keyword(at)
        if keyword.arg in ("dim", "axis"):
            for other in (0, -1):
                yield "axis", _set_keyword(at, other)
    name = node.func.attr if isinstance(node.func, ast.Attribute) else ""
    if name in ("transpose", "permute", "flip", "clone", "detach", "contiguous"):
        yield ("transpose" if name in ("transpose", "permute") else "step"), _receiver
    if name == "range" or (isinstance(node.func, ast.Name) and node.func.id == "range"):
        for step in (1, -1):
            yield "one-off", _shift_last_argument(step)


def _set(field: str, value: Any) -> Change:
    def change(node: Any) -> Any:
        setattr(node, field, value)
        return node

    return change


def _set_operator(at: int, other: type) -> Change:
    def change(node: Any) -> Any:
        node.ops[at] = other()
        return node

    return change


def _part(field: str) -> Change:
    return lambda node: getattr(node, field)


def _drop(field: str) -> Change:
    return _set(field, None)


def _nothing(node: Any) -> None:
    return None


def _swap_sides(node: Any) -> Any:
    node.left, node.right = node.right, node.left
    return node


def _swap_arguments(node: Any) -> Any:
    node.args[0], node.args[1] = node.args[1], node.args[0]
    return node


def _argument(node: Any) -> Any:
    return node.args[0]


def _receiver(node: Any) -> Any:
    return node.func.value


def _never(node: Any) -> Any:
    node.test = ast.Constant(False)
    return node


def _plus(node: Any, step: int) -> Any:
    if isinstance(node, ast.Constant) and isinstance(node.value, int):
        return ast.Constant(node.value + step)
    return ast.BinOp(node, ast.Add() if step > 0 else ast.Sub(), ast.Constant(abs(step)))


def _shift(field: str, step: int) -> Change:
    def change(node: Any) -> Any:
        setattr(node, field, _plus(getattr(node, field), step))
        return node

    return change


def _shift_last_argument(step: int) -> Change:
    def change(node: Any) -> Any:
        if node.args:
            node.args[-1] = _plus(node.args[-1], step)
        return node

    return change


def _drop_keyword(at: int) -> Change:
    def change(node: Any) -> Any:
        del node.keywords[at]
        return node

    return change


def _set_keyword(at: int, value: int) -> Change:
    def change(node: Any) -> Any:
        node.keywords[at].value = ast.Constant(value)
        return node

    return change


# --- slips of a check's own rule ------------------------------------------------------------------


def kind_of_slip(forms: Sequence[Callable[..., Any]], seen: Sequence[Observation]) -> str:
    """The one kind of slip in one of the `forms` of a rule that gives every answer seen.

    "" if no slip does, or slips of several kinds do. Each program gets arguments of its own, since
    a slip (`out = b` for `out = zeros_like(b)`) may write into them.
    """
    ordered, found = telling(seen), ""
    with memory_room(ROOM):
        for rule in forms:
            for slip, program in changed_programs(rule):
                if slip.kind != found and reproduces(_with_copies(program), ordered):
                    if found:
                        return ""
                    found = slip.kind
    return found


def _with_copies(program: Callable[..., Any]) -> Callable[..., Any]:
    def call(*args: Any) -> Any:
        return program(*(copy.deepcopy(a) if isinstance(a, _DATA) else a for a in args))

    return call


@contextlib.contextmanager
def memory_room(size: int) -> Iterator[None]:
    """Inside, this process may ask for `size` bytes more than it has: past them, a MemoryError.

    A slip may turn a number of bits or of examples into a size of gigabytes. Where the system knows
    no such limit there is none.
    """
    try:
        import resource

        soft, hard = resource.getrlimit(resource.RLIMIT_AS)
        pages = int(Path("/proc/self/statm").read_text().split()[0])
        least = [n for n in (soft, hard) if n != resource.RLIM_INFINITY]
        room = min([pages * resource.getpagesize() + size, *least])
        resource.setrlimit(resource.RLIMIT_AS, (room, hard))
    except (ImportError, OSError, ValueError):
        yield
        return
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


def changed_programs(rule: Callable[..., Any]) -> Iterator[tuple[Slip, Callable[..., Any]]]:
    """Every slip of the rule's text, and of the functions of its module that it calls, as programs.

    Rules that loop while a condition holds are left alone: a slip could keep them from ending.
    """
    module = inspect.getmodule(rule)
    if module is None or rule.__name__ == "<lambda>":
        return
    functions = _with_helpers(rule, vars(module))
    texts = {name: _text_of(function) for name, function in functions.items()}
    codes = {name: compile(text or "", "<rule>", "exec") for name, text in texts.items()}
    for name, text in texts.items():
        for slip, changed in _changed(text) if text is not None else ():
            namespace = dict(vars(module))
            try:
                for other, code in codes.items():  # they see each other's changed selves
                    exec(changed if other == name else code, namespace)
            except Exception:
                continue
            program = namespace.get(rule.__name__)
            if callable(program):
                yield slip, program


@functools.lru_cache(maxsize=128)
def _changed(text: str) -> tuple[tuple[Slip, CodeType], ...]:
    """Every slip of a text, compiled: made once for all answers that are compared with it."""
    return tuple((slip, compile(slip.text, "<slip>", "exec")) for slip in slips_of(text))


def _with_helpers(rule: Callable[..., Any], names: dict[str, Any]) -> dict[str, Callable[..., Any]]:
    found: dict[str, Callable[..., Any]] = {}
    waiting = [rule]
    while waiting:
        function = waiting.pop()
        if function.__name__ in found:
            continue
        found[function.__name__] = function
        for name in function.__code__.co_names:
            helper = names.get(name)
            if inspect.isfunction(helper) and helper.__module__ == rule.__module__:
                waiting.append(helper)
    return found


def _text_of(function: Callable[..., Any]) -> str | None:
    try:
        text = textwrap.dedent(inspect.getsource(function))
        tree = ast.parse(text)
    except (OSError, TypeError, SyntaxError):
        return None
    if any(isinstance(node, ast.While) for node in ast.walk(tree)):
        return None
    for node in ast.walk(tree):  # what is no part of the computation: texts, annotations
        if isinstance(node, ast.FunctionDef):
            node.decorator_list, node.returns = [], None
            if node.body and isinstance(node.body[0], ast.Expr) and len(node.body) > 1 and (
                isinstance(node.body[0].value, ast.Constant)
            ):  # fmt: skip
                node.body = node.body[1:]
            for argument in [*node.args.args, *node.args.kwonlyargs]:
                argument.annotation = None
    return ast.unparse(tree)
