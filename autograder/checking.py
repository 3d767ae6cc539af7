"""Checks: generators of claims about a student's function, and how a verdict is reached.

`@checks("build_masks", lesson="05_made", points=3)` registers a generator function of the subject
and the draw. `check(f)` is what stands in a notebook; `judge` reaches the verdict, here or on a
stand-in for an object in another process.
"""

from __future__ import annotations

import contextlib
import dataclasses
import difflib
import importlib
import inspect
import io
import linecache
import os
import pkgutil
import random
import re
import signal
import sys
import threading
import traceback
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

from autograder.card import Card
from autograder.claims import (
    ELSEWHERE,
    ERROR,
    FAILED,
    NOT_ATTEMPTED,
    PARTLY,
    PASSED,
    Cause,
    Claim,
    Verdict,
    charged,
)
from autograder.draw import Draw, one_way
from autograder.inside import seed_generators, unwritten_methods
from autograder.plain import clean_line
from autograder.remote.protocol import OutOfTime
from autograder.remote.proxy import (
    NotAttempted,
    Standin,
    StudentFailed,
    WrongKind,
    standin_for,
)
from autograder.stale import stale_cell, watch_cells

MAX_SENTENCE = 1_000  # characters of one text of a verdict
SECONDS_AT_HOME = 120.0  # that a check in a notebook waits for a student's code

Said = TypeVar("Said", Claim, Cause)
CheckFunction = Callable[[Standin, Draw], Iterator[Claim | Cause]]


@dataclass(frozen=True)
class Check:
    """A registered check: its name, lesson and points, and the generator of claims.

    The name is the exercise's; the check of one step of a class is named as `MADE.nll`. `see` is
    the heading of the lesson that a failed claim leads back to. In a notebook the check waits for
    `seconds`, if they are given: few, where a loop may never end.
    """

    name: str
    lesson: str
    points: float
    claims: CheckFunction
    see: str = ""
    seconds: float | None = None

    @property
    def about(self) -> str:
        """The first line of the check's docstring."""
        return (self.claims.__doc__ or "").strip().split("\n")[0]


class CheckTookTooLong(BaseException):
    """The student's code kept a check waiting for longer than a check may take.

    Not an Exception: no check may take it for something that the student's code raised.
    """


_registry: dict[tuple[str, str], Check] = {}

watch_cells()
judged_elsewhere = False  # in a guest (`autograder.remote.hidden`): the verdict is reached outside


def checks(
    name: str, *, lesson: str, points: float, see: str = "", seconds: float | None = None
) -> Callable[[CheckFunction], CheckFunction]:
    """Registers a generator of claims as the check of exercise `name` of `lesson`.

    `name` is like "MADE", or "MADE.nll" for the check of one step of it. `see` is the heading of
    the lesson where the exercise is explained, `seconds` how long the check waits in a notebook.
    """
    if points <= 0:
        raise ValueError(f"check {name} of {lesson} must be worth more than 0 points: got {points}")

    def register(function: CheckFunction) -> CheckFunction:
        known = _registry.get((lesson, name))
        if known is not None and known.claims.__module__ != function.__module__:
            raise ValueError(f"{lesson} has two checks named {name}")
        _registry[lesson, name] = Check(name, lesson, float(points), function, see, seconds)
        return function

    return register


def module_of(lesson: str) -> str:
    """The module that holds a lesson's checks: "05_made" → "autograder.checks.made"."""
    return "autograder.checks." + lesson.partition("_")[2]


def checks_of(lesson: str) -> dict[str, Check]:
    """All checks of one lesson, by name."""
    with contextlib.suppress(ModuleNotFoundError):
        importlib.import_module(module_of(lesson))
    return {name: c for (of, name), c in _registry.items() if of == lesson}


def find_check(name: str, lesson: str | None = None) -> Check:
    """The check of exercise `name`; LookupError, in one sentence, if there is none, or several."""
    if lesson is not None:
        found = checks_of(lesson).get(name)
        if found is None:
            near = difflib.get_close_matches(name, checks_of(lesson), n=1)
            more = f": did you mean {near[0]}?" if near else ""
            raise LookupError(f"lesson {lesson} has no check named {name}{more}")
        return found
    package = importlib.import_module("autograder.checks")
    for module in pkgutil.iter_modules(package.__path__):
        importlib.import_module(f"autograder.checks.{module.name}")
    several = [c for (_, of), c in _registry.items() if of == name]
    if not several:
        raise LookupError(f"there is no check named {name}")
    if len(several) > 1:
        lessons = ", ".join(sorted(c.lesson for c in several))
        raise LookupError(f'{name} is checked in {lessons}: set LESSON = "…" in the notebook')
    return several[0]


def check(subject: Any, step: str = "") -> Card:
    """The verdict on a function or class of the student's, as a card in a notebook.

    The check is found by the name of the subject, and by `LESSON` of the notebook that defines it;
    `step` names the method of a class that has a check of its own, as in `check(MADE, "nll")`.
    While a notebook is graded, its student's own further calls say that the grader checks.
    """
    # A decorator such as torch.no_grad() comes from another module than the notebook, and a lambda,
    # a partial or a callable object has no name of its own: then it is the one that calls it.
    own = getattr(inspect.unwrap(subject), "__globals__", None) or vars(
        sys.modules.get(getattr(subject, "__module__", "") or "__main__", sys)
    )
    around = sys._getframe(1).f_globals
    lesson = own.get("LESSON") or around.get("LESSON")
    exercise = _name_of(subject, {**around, **own}, lesson)
    name = f"{exercise}.{step}" if step else exercise
    if judged_elsewhere:
        return Card(name, str(lesson or ""), 0.0, status=ELSEWHERE)
    seconds = find_check(name, lesson).seconds or SECONDS_AT_HOME
    with time_limit(seconds, raises=OutOfTime):
        verdict = judge(subject, name=name, lesson=lesson)
    return Card.of(verdict, note=stale_cell(exercise))


def _name_of(subject: Any, namespace: dict[str, Any], lesson: str | None) -> str:
    """The exercise that `subject` answers: its own name, or the one it has in the notebook."""
    own = getattr(subject, "__name__", None)
    known = checks_of(lesson) if lesson is not None else {}
    for name in known:
        if name == own or namespace.get(name) is subject:
            return name
    if not isinstance(own, str):
        raise ValueError(
            "check needs the function or class itself, as in check(build_masks): got "
            f"{type(subject).__name__}"
        )
    return own


@contextlib.contextmanager
def time_limit(*seconds: float, raises: type[BaseException] = CheckTookTooLong) -> Iterator[None]:
    """Raises `raises` after the least of `seconds`, in a main thread; else does nothing."""
    least = min(seconds)
    if threading.current_thread() is not threading.main_thread() or not hasattr(
        signal, "setitimer"
    ):
        yield
        return

    def ring(number: int, frame: Any) -> None:
        raise raises(f"the check waited for longer than {least:.0f} s")

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, least)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def judge(
    subject: Any, *, name: str | None = None, lesson: str | None = None, seed: int = 0
) -> Verdict:
    """Runs the check of `name` on `subject` (an object of this process, or a stand-in).

    Never raises for what the student's code does: every exception becomes part of the verdict.
    """
    from course.causality import NotRepeatable, WrongOutput  # torch: not before a check runs

    found = find_check(name or str(getattr(subject, "__name__", "")), lesson)
    standin = subject if isinstance(subject, Standin) else standin_for(subject)
    claims: list[Claim] = []
    cause: Cause | None = None
    status, reason, line, late = "", "", "", False
    with _quiet():
        try:
            seed_generators(standin, one_way(seed, found.name, "global generators"))
            for one in found.claims(standin, Draw(seed, found.name)):
                if isinstance(one, Cause):
                    cause = cause or one
                    continue
                claims.append(one)
                if cause is not None and one.fails:  # judged after it, and not by its answers
                    cause = dataclasses.replace(cause, explains=False)
        except (CheckTookTooLong, OutOfTime) as why:
            reason, late = str(why), True
        except NotAttempted as why:
            status = NOT_ATTEMPTED if not any(c.holds for c in claims) else ""
            reason = str(why) or f"{found.name} is not written yet"
            reason = reason if "." in found.name else _what_waits(standin) or reason
        except StudentFailed as why:
            reason, line = str(why), why.line
        except (WrongKind, WrongOutput, NotRepeatable) as why:
            reason = str(why)
        except TypeError as why:
            reason = _not_a_method(why)
            status = "" if reason else ERROR
            reason = reason or _our_mistake(why)
        except Exception as why:
            # Our own mistake, or an answer that no check foresaw: it never earns points.
            status, reason = ERROR, _our_mistake(why)
    if claims and standin._noted is not None:
        claims = charged(claims, standin._noted)
        cause = cause and dataclasses.replace(cause, explains=False)
    earned = sum(c.points for c in claims if c.holds)
    if not status:
        complete = not reason and claims and all(c.holds for c in claims)
        status = PASSED if complete else PARTLY if earned > 0 else FAILED
    return Verdict(
        name=found.name,
        lesson=found.lesson,
        points=found.points,
        claims=tuple(_clean(one) for one in claims),
        seed=seed,
        status=status,
        reason=clean_line(reason, MAX_SENTENCE),
        line=clean_line(line, MAX_SENTENCE),
        late=late,
        cause=None if cause is None else _clean(cause),
        see=found.see or next((c.see for c in claims if c.see), ""),
    )


def _what_waits(standin: Standin) -> str:
    """Which methods of a class are not written yet, in a sentence; "" for what is no class."""
    if standin._ref.kind != "class":
        return ""
    try:
        names = [str(one) for one in unwritten_methods(standin)]
    except (StudentFailed, NotAttempted, TypeError):
        return ""
    if not names:
        return ""
    listed = " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
    return f"{standin._ref.name}: {listed} {'is' if len(names) == 1 else 'are'} not written yet"


def _clean(said: Said) -> Said:
    """The same, its texts valid, without control characters, and of one line."""
    texts: dict[str, Any] = {
        field.name: clean_line(value, MAX_SENTENCE)
        for field in dataclasses.fields(said)
        if isinstance(value := getattr(said, field.name), str) and field.name != "picture"
    }
    if isinstance(said, Cause):
        rows = tuple((clean_line(a, 60), clean_line(b, MAX_SENTENCE)) for a, b in said.example)
        texts |= {"example": rows}
    return dataclasses.replace(said, **texts)


def _our_mistake(why: Exception) -> str:
    last = traceback.extract_tb(why.__traceback__)[-1]
    return f"the check stopped at {last.name}: {type(why).__name__}: {why}"


def _not_a_method(why: TypeError) -> str:
    """A sentence, if a check called what the student's object has under a method's name; else "".

    An attribute that is data comes back as itself, so the call fails in the check's own line.
    """
    found = re.fullmatch(r"'(\w+)' object is not (callable|subscriptable)", str(why))
    last = traceback.extract_tb(why.__traceback__)[-1]
    if found is None or f"{os.sep}checks{os.sep}" not in last.filename:
        return ""
    text = linecache.getline(last.filename, last.lineno or 0).encode()[last.colno or 0 :]
    name = re.match(r"[\w.]*?(\w+)[(\[]", text.decode(errors="replace"))
    wanted = "a method" if found[2] == "callable" else "a list of layers"
    return f"{name[1] if name else 'an attribute'} should be {wanted}: got data of type {found[1]}"


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """No warnings on stderr (nbgrader gives 0 for any), and the global generators left as found."""
    import numpy as np
    import torch

    states = random.getstate(), np.random.get_state()
    with (
        torch.random.fork_rng(devices=[]),
        warnings.catch_warnings(),
        contextlib.redirect_stderr(io.StringIO()),
    ):
        warnings.simplefilter("ignore")
        try:
            yield
        finally:
            random.setstate(states[0])
            np.random.set_state(states[1])
