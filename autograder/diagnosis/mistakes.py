"""Known mistakes as data: the right rule with one thing wrong, as a program that can be run.

A mistake is named only if its program gives what the student's function gave, in every case that
was asked. Two that compose are tried as a pair.
"""

from __future__ import annotations

import copy
import functools
import inspect
import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

Program = Callable[..., Any]
Same = Callable[[Any, Any], bool]


@dataclass(frozen=True)
class Observation:
    """One question to the student's function: the arguments, its answer, and what the rule gives.

    `alike` is what counts as the same answer to it, `seconds` what the rule took.
    """

    args: tuple[Any, ...]
    answer: Any
    right: Any
    alike: Same
    seconds: float = 0.0

    @functools.cached_property
    def fails(self) -> bool:
        """Whether the answer is not the rule's."""
        return not self.alike(self.answer, self.right)


@dataclass(frozen=True)
class Mistake:
    """The right rule with one thing wrong, and the advice for who makes it.

    Exactly one of: `gives`, a program of the rule's arguments; `options`, keywords of the rule that
    turn one thing in it wrong; `after`, what is done to the rule's value (and its arguments) at the
    end. Options and `after` compose with another mistake to a pair.
    """

    name: str
    advice: str
    gives: Program | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    after: Callable[..., Any] | None = None

    def __post_init__(self) -> None:
        if (self.gives is not None) + bool(self.options) + (self.after is not None) != 1:
            raise ValueError(f"mistake {self.name} needs one of gives, options and after")


def several(name: str, advice: str, *programs: Program) -> tuple[Mistake, ...]:
    """One mistake that is written in several ways."""
    return tuple(Mistake(name, advice, gives=program) for program in programs)


@dataclass(frozen=True)
class _Composed:
    """The rule with mistakes in it: a program, its options, and what is done to its value."""

    base: Program
    options: Mapping[str, Any]
    afters: Sequence[Callable[..., Any]]

    def __call__(self, *args: Any) -> Any:
        return self.end(self.base(*args, **self.options), *args)

    def end(self, value: Any, *args: Any) -> Any:
        for after in self.afters:
            value = after(value, *args)
        return value

    @property
    def begin(self) -> tuple[Any, ...]:
        """What tells two programs apart before anything is done to their values."""
        return id(self.base), *((name, id(self.options[name])) for name in sorted(self.options))


def program_of(rule: Program, mistakes: Sequence[Mistake]) -> _Composed | None:
    """The rule with all of `mistakes` in it; None if they do not compose."""
    base, afters = rule, []
    options: dict[str, Any] = {}
    for one in mistakes:
        if one.gives is not None:
            if base is not rule:
                return None
            base = one.gives
        elif one.after is not None:
            afters.append(one.after)
        elif options.keys() & one.options.keys():
            return None
        else:
            options.update(one.options)
    if options and not _takes(base, options):
        return None
    return _Composed(base, options, afters)


def _takes(program: Program, options: Mapping[str, Any]) -> bool:
    parameters = inspect.signature(program).parameters
    takes_all = any(p.kind is p.VAR_KEYWORD for p in parameters.values())
    return takes_all or all(name in parameters for name in options)


class NoValue:
    """What a program gives that fails: equal to nothing."""


def value_of(program: Program, args: tuple[Any, ...]) -> Any:
    """What the program gives, `NoValue` if it raises."""
    try:
        with np.errstate(all="ignore"):
            return program(*args)
    except Exception:
        return NoValue()


def telling(seen: Sequence[Observation]) -> list[Observation]:
    """The same in the order in which programs are refuted soonest: what fails, and is cheap."""
    return sorted(seen, key=lambda one: (not one.fails, one.seconds))


def reproduces(program: Program, seen: Sequence[Observation]) -> bool:
    """Whether the program gives every answer that was seen."""
    return bool(seen) and all(_same(one, value_of(program, one.args)) for one in seen)


def _same(one: Observation, value: Any) -> bool:
    """Whether the answer is that value; never, if it is of a kind that cannot be compared.

    The same numbers are; not an int and a float of its value, where an int is asked for.
    Other numbers are the same only if `alike` takes each for the other, and if it takes the value
    for the rule's exactly where it takes the answer for it: a comparison that lets many answers
    count (positive ones, say, or all of no more than the right size) tells nothing else apart.
    """
    if isinstance(value, NoValue):
        return False
    try:
        of_a_kind = isinstance(value, int) == isinstance(one.answer, int)
        if of_a_kind and alike(one.answer, value, 0.0):
            return True
        values = (value, _as_seen(value, one.answer))
        near = (of_a_kind and alike(one.answer, value, 1e-12)) or (
            one.alike(one.answer, value) and any(one.alike(v, one.answer) for v in values)
        )
        return near and any(one.alike(v, one.right) != one.fails for v in values)
    except Exception:
        return False


TOO_SMALL = 1e-3


def _as_seen(value: Any, answer: Any) -> Any:
    """The value with 0 where the answer has 0 for something small.

    What seldom comes was not drawn, and what single precision does not hold is 0 in it.
    """
    if not isinstance(value, np.ndarray) or np.shape(answer) != value.shape:
        return value
    if value.dtype.kind != "f":
        return value
    return np.where((np.asarray(answer) == 0) & (np.abs(value) < TOO_SMALL), 0.0, value)


def explain(
    rule: Program,
    mistakes: Sequence[Mistake],
    seen: Sequence[Observation],
    sizes: Sequence[int] = (1, 2),
    known: dict[Any, Any] | None = None,
) -> tuple[Mistake, ...]:
    """The first mistake that gives every answer seen, else the first such pair, else ().

    Where answers are compared loosely, as shares of samples are, several single mistakes may give
    them: one that is much nearer than the first is taken. `sizes` says how many are tried together.
    `known` keeps what the rule gave with an option, so that a later search with the same mistakes
    and answers costs less.
    """
    if not seen:
        return ()
    known = {} if known is None else known  # what is the same in several pairs is computed once
    ordered = telling(seen)

    def value_in(program: _Composed, one: Observation) -> Any:
        key = (program.begin, id(one))
        if key not in known:
            begin = functools.partial(program.base, **program.options)
            known[key] = value_of(begin, one.args)
        value = known[key]
        if program.afters and not isinstance(value, NoValue):
            return value_of(lambda *args: program.end(copy.deepcopy(value), *args), one.args)
        return value

    best: tuple[Mistake, ...] = ()
    nearest = np.inf
    for chosen in _together(mistakes, sizes):
        if best and len(chosen) > 1:
            break
        program = program_of(rule, chosen)
        if program is None or not all(_same(one, value_in(program, one)) for one in ordered):
            continue
        away = sum(_distance(one.answer, value_in(program, one)) for one in ordered)
        if not best or away < MUCH_NEARER * nearest:
            best, nearest = chosen, away
        if len(chosen) > 1 or nearest < EXACT * len(ordered):
            break
    return best


EXACT = 1e-4  # away from an answer, in the sum of its size: no other mistake is looked for
MUCH_NEARER = 0.6


def _distance(answer: Any, value: Any) -> float:
    """The sum of all differences, as a share of the sum of the answer; 0 of what is no numbers."""
    try:
        a, b = np.asarray(answer, dtype=np.float64), np.asarray(value, dtype=np.float64)
    except (TypeError, ValueError, OverflowError):  # an int beyond all floats, too
        return 0.0
    if a.shape != b.shape or not (np.isfinite(a).all() and np.isfinite(b).all()):
        return 0.0
    return float(np.abs(a - b).sum() / (np.abs(a).sum() + 1e-12))


def _together(mistakes: Sequence[Mistake], sizes: Sequence[int]) -> Iterator[tuple[Mistake, ...]]:
    """So many mistakes at once, of different advice: one thing said twice is not two things."""
    for size in sizes:
        for chosen in itertools.combinations(mistakes, size):
            if len({one.advice for one in chosen}) == size:
                yield chosen


def alike(a: Any, b: Any, tolerance: float = 1e-6) -> bool:
    """Equal in kind, shape and value: infinities equal themselves, NaN equals NaN.

    `tolerance` is absolute and relative to `b`. Lists and tuples are compared item by item.
    """
    if isinstance(a, list | tuple) or isinstance(b, list | tuple):
        both = isinstance(a, list | tuple) and isinstance(b, list | tuple)
        return both and len(a) == len(b) and all(
            alike(x, y, tolerance) for x, y in zip(a, b, strict=True)
        )  # fmt: skip
    if isinstance(a, str | bytes | None | bool) or isinstance(b, str | bytes | None | bool):
        return type(a) is type(b) and a == b
    if isinstance(a, int) and isinstance(b, int):
        return a == b  # exact, however large
    x, y = np.asarray(a), np.asarray(b)
    if x.dtype.kind not in "biufc" or y.dtype.kind not in "biufc" or x.shape != y.shape:
        return False
    return bool(np.allclose(x, y, rtol=tolerance, atol=tolerance, equal_nan=True))
