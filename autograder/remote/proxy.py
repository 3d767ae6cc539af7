"""Stand-ins: what a check holds in place of the student's function, class or model.

A stand-in passes calls, attributes and copies on to where the object lives
(`autograder.remote.handles`): in a notebook the same process, in the grader the sandbox. A check
cannot tell the two apart, which is why the same check serves both. Whatever the student's code does
to its own process, what reaches a check is plain data, and may be wrong data: use `expect_array`
before comparing.
"""

from __future__ import annotations

import builtins
import functools
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol

import numpy as np

from autograder.claims import Claim
from autograder.remote.handles import Handles
from autograder.remote.protocol import Failure, Ref, Request, ReturnedNothing

MAX_ITEMS = 100_000  # how many items an iteration over a stand-in may bring back


class StudentFailed(Exception):
    """The student's code raised; the message is one sentence, `line` the line of their code.

    `kinds` names the built-in exceptions that theirs is an instance of: see `is_a`.
    """

    def __init__(
        self, sentence: str, line: str = "", number: int = 0, kinds: tuple[str, ...] = ()
    ) -> None:
        super().__init__(sentence)
        self.line, self.number, self.kinds = line, number, kinds

    def is_a(self, *kinds: type[BaseException]) -> bool:
        """Whether their exception is an instance of one of these built-in ones."""
        return any(kind.__name__ in self.kinds for kind in kinds)


class CallTookTooLong(StudentFailed):
    """A call was interrupted at its deadline."""


class NoLength(StudentFailed, TypeError):
    """The object has no length; a TypeError too, so that `list` takes no offense."""


class NotAttempted(Exception):
    """The exercise is not solved yet: NotImplementedError, an empty body, or no such name."""


class WrongKind(Exception):
    """An answer of the wrong type, shape or dtype; the message is one sentence."""


class Channel(Protocol):
    """Carries a request to where the objects live; brings back data with Refs, or a Failure."""

    def ask(self, request: Request) -> Any: ...


class Here:
    """The channel to objects of this process."""

    def __init__(self, namespace: dict[str, Any] | None = None) -> None:
        self.handles = Handles(namespace)
        self._late: Failure | None = None

    def ask(self, request: Request) -> Any:
        """The answer to `request`; once time is over every answer says so, and nothing runs."""
        if self._late is not None:
            return self._late
        answer = self.handles.perform(request)
        if isinstance(answer, Failure) and answer.out_of_time:
            self._late = answer
        return answer


class Standin:
    """Stands for an object of the student's; call it, read its attributes, copy it."""

    def __init__(self, channel: Channel, ref: Ref, *, subject: bool = False) -> None:
        self._channel, self._ref, self._subject = channel, ref, subject
        self._noted: Claim | None = None  # what a check saw of it beside its own claims

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        answer = _ask(self._channel, "call", self._ref, args, kwargs)
        if answer is None and self._subject:
            _ask(self._channel, "inside", "autograder.inside:gave_nothing", (self._ref,), {})
            raise NotAttempted(f"{self._ref.name} returned None")
        return answer

    def __getattr__(self, attribute: str) -> Any:
        if attribute.startswith("__") and attribute.endswith("__"):
            raise AttributeError(attribute)
        return _ask(self._channel, "get", self._ref, attribute)

    def __deepcopy__(self, memo: dict[int, Any]) -> Standin:
        copied: Standin = _ask(self._channel, "copy", self._ref)
        return copied

    def __len__(self) -> int:
        try:
            return int(_ask(self._channel, "get", self._ref, "__len__")())
        except StudentFailed as error:
            raise NoLength(str(error), error.line, error.number, error.kinds) from None

    def __getitem__(self, key: Any) -> Any:
        return _ask(self._channel, "get", self._ref, "__getitem__")(key)

    def __iter__(self) -> Iterator[Any]:
        return iter(_ask(self._channel, "inside", "autograder.inside:items", (self._ref,), {}))

    def __bool__(self) -> bool:
        return True

    def __repr__(self) -> str:
        return f"<stand-in for the {self._ref.kind} {self._ref.name}>"


def standin_for(subject: Any) -> Standin:
    """A stand-in for an object of this process."""
    here = Here()
    return Standin(here, here.handles.put(subject), subject=True)


def standin_by_name(channel: Channel, name: str) -> Standin:
    """A stand-in for what `name` means on the other side; NotAttempted if it means nothing."""
    found = _ask(channel, "lookup", name)
    if not isinstance(found, Standin):
        raise NotAttempted(f"{name} is not a function or class")
    found._subject = True
    return found


def inside(function: Callable[..., Any]) -> Callable[..., Any]:
    """Marks a function of the check library that runs beside the student's objects.

    Called with a stand-in among its arguments, it is executed where the object lives, by its import
    path, and what it returns is as untrusted as any answer. Called with none, it is itself.
    """
    path = f"{function.__module__}:{function.__qualname__}"

    @functools.wraps(function)
    def run(*args: Any, **kwargs: Any) -> Any:
        for value in (*args, *kwargs.values()):
            if isinstance(value, Standin):
                return _ask(value._channel, "inside", path, args, kwargs)
        return function(*args, **kwargs)

    vars(run)["inside_path"] = path
    return run


def _ask(channel: Channel, *request: Any) -> Any:
    answer = channel.ask(tuple(_outgoing(channel, part) for part in request))
    if isinstance(answer, Failure):
        if answer.not_attempted:
            raise NotAttempted(answer.message or "not written yet")
        if answer.type == ReturnedNothing.__name__:
            raise WrongKind(answer.message)
        sentence = f"{answer.type}: {answer.message}" if answer.message else answer.type
        raised = CallTookTooLong if answer.out_of_time else StudentFailed
        raise raised(sentence, answer.line, answer.number, answer.kinds)
    return _incoming(channel, answer)


def _outgoing(channel: Channel, value: Any) -> Any:
    if isinstance(value, Standin):
        if value._channel is not channel:
            raise ValueError(f"{value!r} lives in another process than the one that is asked")
        return value._ref
    if type(value) in (list, tuple):
        return type(value)(_outgoing(channel, v) for v in value)
    if type(value) is dict:
        return {k: _outgoing(channel, v) for k, v in value.items()}
    return value


def _incoming(channel: Channel, value: Any) -> Any:
    if isinstance(value, Ref):
        return Standin(channel, value)
    if type(value) in (list, tuple, set):
        return type(value)(_incoming(channel, v) for v in value)
    if type(value) is dict:
        return {k: _incoming(channel, v) for k, v in value.items()}
    return value


def note(standin: Standin, found: Claim) -> None:
    """Notes what a check saw of an object beside its own claims; the first that is noted counts."""
    standin._noted = standin._noted or found


_KINDS = {"float": "f", "int": "iu", "bool": "b", "number": "iuf", "any": "biufc"}


def expect_array(
    value: Any,
    shape: Sequence[int | None] | None = None,
    kind: str = "any",
    what: str = "the answer",
) -> np.ndarray:
    """`value` as a numpy array, or WrongKind with one sentence that says what came instead.

    `value` may be a tensor, an array, a number or nested lists of numbers. `shape` may have None
    for a free size. `kind`: "float", "int", "bool", "number" (no bool, no complex) or "any". Floats
    come back as float64, integers as int64, so that a comparison never overflows by dtype.
    """
    array = _as_array(value)
    if array is None:
        raise WrongKind(f"{what} should be a tensor or an array: got {describe(value)}")
    if array.dtype.kind not in _KINDS[kind]:
        wanted = {"float": "floats", "int": "integers", "bool": "booleans"}.get(kind, "numbers")
        raise WrongKind(f"{what} should hold {wanted}: got {describe(value)}")
    if shape is not None and not (
        len(shape) == array.ndim
        and all(w is None or w == g for w, g in zip(shape, array.shape, strict=True))
    ):
        raise WrongKind(f"{what} should have shape {_shape(shape)}: got {_shape(array.shape)}")
    if array.dtype.kind == "f":
        return array.astype(np.float64)
    return array.astype(np.int64) if array.dtype.kind in "iu" else array


def _as_array(value: Any) -> np.ndarray | None:
    if isinstance(value, np.ndarray | np.generic):
        array = np.asarray(value)
    elif isinstance(value, Standin):  # an object that is no data: asking it anything is a call
        return None
    elif hasattr(value, "detach") and hasattr(value, "numpy"):
        value = value.detach().cpu()
        array = (value.float() if str(value.dtype) == "torch.bfloat16" else value).numpy()
    elif isinstance(value, bool | int | float | complex | list | tuple):
        try:
            if not _holds_numbers(value):
                return None
            if isinstance(value, list | tuple) and any(hasattr(v, "detach") for v in value):
                value = [_as_array(v) for v in value]
            array = np.asarray(value)
        except (ValueError, OverflowError):
            return None
    else:
        return None
    return array if array.dtype.kind in "biufc" else None


def _holds_numbers(value: Any) -> bool:
    """Whether nested lists hold numbers and arrays only.

    Of strings numpy would make an array whose every item is as long as the longest: gigabytes, out
    of a short list.
    """
    if isinstance(value, list | tuple):
        return all(_holds_numbers(v) for v in value)
    return not isinstance(value, Standin | str | bytes | dict | set) and value is not None


def describe(value: Any) -> str:
    """`value` in a few words: its type, and for an array its dtype and shape."""
    if isinstance(value, Standin):
        return _of_kind(value._ref.kind, value._ref.name)
    if isinstance(value, np.ndarray):
        return f"an array of {value.dtype} with shape {_shape(value.shape)}"
    if hasattr(value, "detach"):
        dtype = str(value.dtype).removeprefix("torch.")
        return f"a tensor of {dtype} with shape {_shape(value.shape)}"
    if isinstance(value, list | tuple):
        return f"a {type(value).__name__} of {len(value)}"
    if isinstance(value, str):
        return "a str"
    if type(value) is int and value.bit_length() > 200:
        return f"an int of {value.bit_length():,} bits"
    if value is None:
        return "None (is `return` missing?)"
    if type(value) in (bool, int, float):
        return f"{value!r}"[:60]
    return f"a {type(value).__name__}"


def _of_kind(kind: str, name: str) -> str:
    """What stayed with the student, in words: an exception that is returned is told apart."""
    raised = getattr(builtins, name, None)
    if (
        kind in ("object", "class")
        and isinstance(raised, type)
        and issubclass(raised, BaseException)
    ):
        return f"a {name} (is `raise` missing?)"
    of = {"function": "a function", "class": "the class", "module": "a model of class"}
    return f"{of.get(kind, 'an object of class')} {name}".strip()


def made_by(owner: Standin, *args: Any, **kwargs: Any) -> Standin:
    """`owner(*args, **kwargs)` for a student's class: the object, which stays where it was made.

    WrongKind, in one sentence, if plain data comes back instead.
    """
    made = owner(*args, **kwargs)
    if not isinstance(made, Standin):
        name = getattr(owner, "_ref", None)
        raise WrongKind(
            f"{getattr(name, 'name', '') or 'the class'}(…) should make an object: "
            f"got {describe(made)}"
        )
    return made


def exception_of(function: Standin, *args: Any, **kwargs: Any) -> StudentFailed | None:
    """What the student's code raises when it is called so, None if it answers."""
    try:
        function(*args, **kwargs)
    except StudentFailed as raised:
        return raised
    return None


def _shape(shape: Sequence[int | None]) -> str:
    return (
        "("
        + ", ".join("any" if s is None else str(s) for s in shape)
        + (",)" if len(shape) == 1 else ")")
    )
