"""Checks of lesson 11, recurrent: states that are carried, ends that are scored, gradients cut.

Notation: x are symbols of B texts, (B, T) or (B, T, D); a state h is (B, H). A text of T symbols
has T + 1 states, of which the one at place t has read t symbols. The GRU is in PyTorch's convention
(Cho et al., 2014, with the reset gate behind U_n); the end of a text is symbol 0; all logs natural.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import torch

from autograder import claim, expect_array, when
from autograder.checking import checks
from autograder.checks.arguments import COSTS, overwritten, untouched
from autograder.checks.gradients import in_full, trainable, uncut
from autograder.checks.numbers import close, log_softmax, number, sigmoid, softmax, tensor
from autograder.checks.samples import (
    apart,
    as_often,
    claim_of_the_generator,
    frequencies,
    note_on_default,
)
from autograder.checks.witness import (
    KNOW_EACH_OTHER,
    hang_together,
    same,
    shared_in_pairs,
    waits_unless,
)
from autograder.claims import Cause, Claim
from autograder.diagnosis import Mistake, Property, Subject, Symptom, examine
from autograder.diagnosis.examine import shown
from autograder.diagnosis.mistakes import Observation
from autograder.draw import Draw
from autograder.inside.recurrent import (
    begin_unrolling,
    begin_writing,
    launched,
    slopes_of_states,
    state_afterwards,
    unreached,
    windows_of,
)
from autograder.remote.callbacks import answered, whole_numbers
from autograder.remote.proxy import Standin, StudentFailed, WrongKind, note

LESSON = "11_recurrent"
Array = np.ndarray
END = 0

near = functools.partial(close, tolerance=1e-6)


def one_of(name: str, *rows: tuple[str, dict[str, Any]]) -> tuple[Mistake, ...]:
    """One mistake in several forms: (advice, options of the rule)."""
    return tuple(Mistake(name, advice, options=options) for advice, options in rows)


def asking(function: Standin, what: str, kind: str = "float") -> Callable[..., Array]:
    """How a function of tensors is asked: arrays become tensors, the answer an array."""

    def ask(*args: Any) -> Array:
        given = [tensor(a) if isinstance(a, np.ndarray) else a for a in args]
        return expect_array(untouched(function)(*given), None, kind, what)

    return ask


def told_with_shape(answer: Any) -> str:
    """An answer in a few numbers, its shape before them."""
    return answer if isinstance(answer, str) else f"{np.shape(answer)}: {shown(np.ravel(answer))}"


def looks_at_none(what: str) -> Symptom:
    """The symptom of one answer whatever is asked."""

    def same(seen: Sequence[Observation]) -> bool:
        answers = [np.ravel(o.answer) for o in seen if isinstance(o.answer, np.ndarray)]
        return len(answers) > 2 and all(
            a.size and np.ptp(a) == 0 and a[0] == answers[0][0] for a in answers
        )

    return Symptom("the-same-always", f"the same number, whatever {what} are given", same)


# --- rnn_step -------------------------------------------------------------------------------------

_SQUASH: dict[str, Callable[[Array], Array]] = {
    "tanh": np.tanh,
    "sigmoid": sigmoid,
    "relu": lambda v: np.maximum(v, 0),
    "none": lambda v: v,
    "cut": lambda v: np.clip(v, -1, 1),
    "hard sigmoid": lambda v: np.clip(v / 6 + 0.5, 0, 1),
}


def rule_of_step(
    x: Array,
    h: Array,
    W: Array,
    U: Array,
    b: Array,
    *,
    squash: str = "tanh",
    x_by: str = "W",
    h_by: str = "U",
    bias: float = 1.0,
    added: float = 0.0,
    outside: str = "",
    first: bool = False,
    old_first: bool = False,
    share: float = 1.0,
) -> Array:
    """tanh(W x + U h + b), row by row. Each option turns one thing of it wrong.

    `outside` is what is added to a tanh of the rest, `first` lets all rows have the first state;
    with `old_first` it is the old state that is squashed, and not the sum; `share` of the new
    state is taken, and the rest of the old one.
    """
    h = np.broadcast_to(h[:1], h.shape) if first else h
    if old_first:
        h, squash = np.tanh(h), "none"
    maps = {"W": W.T, "U": U.T, "W turned": W, "U turned": U, "": 0.0}
    parts = [
        v @ m if isinstance(m := maps[by], np.ndarray) else 0.0 for v, by in ((x, x_by), (h, h_by))
    ]
    squashed, shift = _SQUASH[squash], bias * b
    new = {
        "": lambda: squashed(parts[0] + parts[1] + shift),
        "b": lambda: squashed(parts[0] + parts[1]) + shift,
        "x": lambda: parts[0] + squashed(parts[1] + shift),
        "h": lambda: squashed(parts[0] + shift) + parts[1],
        "h and b": lambda: squashed(parts[0]) + squashed(parts[1] + shift),
        "x and b": lambda: squashed(parts[0] + shift) + squashed(parts[1]),
    }[outside]()
    return share * new + (1 - share) * h + added * h


def steps(draw: Draw, square: bool) -> list[tuple]:
    """Inputs, states and weights; with `square`, inputs as large as states."""
    cases = []
    for rows in (1, draw.integer(3, 5)):
        H = draw.integer(3, 5)
        D = H if square else H + draw.integer(1, 3)
        sizes = ((rows, D), (rows, H), (H, D), (H, H), (H,))
        cases.append(tuple(draw.normal(*size, scale=0.8) for size in sizes))
    return cases


def small_steps(x: Array, *_: Any) -> Iterator[tuple]:
    """One unit that reads one number; two of them; two rows of two."""
    if x.size > 1:
        for value, state in ((1.0, 0.0), (0.0, 1.0), (1.0, 1.0)):
            yield (
                np.array([[value]]),
                np.array([[state]]),
                np.array([[1.0]]),
                np.array([[0.5]]),
                np.array([0.25]),
            )
    maps = np.array([[1.0, 0], [2, 1]]), np.array([[0.0, 1], [0.5, 0]])
    states = np.array([[1.0, 0], [0, 1]])
    for rows in (1, 2):
        if x.size > 2 * rows and x.size != 1:
            yield np.array([[1.0, -1], [0, 1]])[:rows], states[:rows], *maps, np.array([0.25, 0])


def step_by_hand(x: Array, h: Array, W: Array, U: Array, b: Array) -> str:
    """The sum and its tanh, of small cases."""
    if x.size == 1:
        return (
            f"tanh({W[0, 0]:g}·{x[0, 0]:g} + {U[0, 0]:g}·{h[0, 0]:g} + {b[0]:g}) = "
            f"{rule_of_step(x, h, W, U, b)[0, 0]:.4g}"
        )
    if x.size > 4 or W.shape != (2, 2):
        return ""
    parts = f"{shown(x @ W.T)} of x, {shown(h @ U.T)} of h and b = {shown(b)}"
    return f"{parts}; tanh of their sum = {shown(rule_of_step(x, h, W, U, b))}"


@checks("rnn_step", lesson=LESSON, points=2, see="Exercise 1: one step")
def step_of_a_plain_network(rnn_step: Standin, draw: Draw) -> Iterator[Claim | Cause]:
    """What is read and what was known, mapped, added and squashed."""
    subject = Subject(
        ask=asking(rnn_step, "the state"),
        rule=rule_of_step,
        mistakes=(
            *one_of(
                "not-squashed", ("nothing squashes the sum: tanh is missing", {"squash": "none"})
            ),
            *one_of(
                "another-squashing",
                ("the sigmoid runs from 0 to 1: tanh is asked", {"squash": "sigmoid"}),
                ("ReLU cuts what is below 0: tanh is asked", {"squash": "relu"}),
                ("the sum is cut off at −1 and 1: tanh is asked", {"squash": "cut"}),
            ),
            *one_of(
                "transposed",
                (
                    "W is used the other way round: its rows are the units, its columns the inputs",
                    {"x_by": "W turned"},
                ),
                (
                    "U is used the other way round: row i holds what goes INTO unit i",
                    {"h_by": "U turned"},
                ),
                (
                    "W and U are both used the other way round",
                    {"x_by": "W turned", "h_by": "U turned"},
                ),
            ),
            *one_of(
                "maps-exchanged",
                ("W is for what is read, U for the state", {"x_by": "U", "h_by": "W"}),
                ("the state goes through W: U is its map", {"h_by": "W"}),
                ("what is read goes through U: W is its map", {"x_by": "U"}),
            ),
            *one_of("bias-forgotten", ("b is nowhere in your answer", {"bias": 0.0})),
            *one_of("bias-subtracted", ("b is subtracted", {"bias": -1.0})),
            *one_of("bias-twice", ("b is added twice", {"bias": 2.0})),
            *one_of("state-ignored", ("the state h plays no part", {"h_by": ""})),
            *one_of("input-ignored", ("what is read, x, plays no part", {"x_by": ""})),
            *one_of(
                "squashed-in-parts",
                ("b is added to the tanh: it belongs inside", {"outside": "b"}),
                ("W x is added to the tanh of the rest: one tanh of the sum", {"outside": "x"}),
                ("U h is added to the tanh of the rest: one tanh of the sum", {"outside": "h"}),
                ("each part has a tanh of its own: one tanh of the sum", {"outside": "h and b"}),
                ("each part has a tanh of its own: one tanh of the sum", {"outside": "x and b"}),
                (
                    "the OLD state is squashed, and the sum is not: tanh of the sum",
                    {"old_first": True},
                ),
            ),
            *one_of("first-row-for-all", ("all rows get the first one's state", {"first": True})),
            *one_of("state-added", ("the old state is added to the new one", {"added": 1.0})),
            *one_of(
                "state-kept-in-part",
                *(
                    (
                        f"{1 - share:.0%} of the old state stay: the new one is the tanh alone",
                        {"share": share},
                    )
                    for share in (0.5, 0.1, 0.9)
                ),
            ),
        ),
        show=lambda x, h, W, U, b: (
            f"x = {shown(x)}, h = {shown(h)}, W = {shown(W)}, U = {shown(U)}"
        ),
        told=told_with_shape,
        by_hand=step_by_hand,
        smaller=small_steps,
        alike=near,
    )
    right = yield from examine(
        subject,
        draw,
        Property(
            "square",
            "each row becomes tanh(W x + U h + b), where x is as long as h",
            functools.partial(steps, square=True),
            points=1,
            asks="unit i gets row i of W and row i of U",
        ),
        Property(
            "oblong",
            "and where x is longer than h",
            functools.partial(steps, square=False),
            points=1,
            asks="W: (H, D), so the state has H numbers whatever D is",
            needs="square",
        ),
    )
    if right:
        trainable(rnn_step, ("x", "h", "W", "U", "b"), *map(tensor, steps(draw, square=False)[1]))


# --- unroll ---------------------------------------------------------------------------------------


def read(x: Array, h: Array, A: Array, U: Array) -> Array:
    """The step that the judge hands over: tanh(A x + U h), or a row of A for whole x."""
    return np.tanh((x @ A if x.ndim > 1 else A[x]) + h @ U)


def rule_of_states(
    x: Array,
    h: Array,
    A: Array,
    U: Array,
    *,
    order: int = 1,
    carry: str = "state",
    start: str = "given",
    kept: slice = slice(None),
    axis: int = 1,
    reads: int = 0,
    swapped: bool = False,
    added: bool = False,
) -> Array:
    """The states (B, T + 1, H), from h on. Each option turns one thing of it wrong."""
    if swapped:
        x = x.swapaxes(0, 1)
    states = [{"given": h, "zeros": np.zeros_like(h)}[start]]
    for t in range(x.shape[1])[::order]:
        at = min(max(t + reads, 0), x.shape[1] - 1)
        before = states[0 if carry == "first" else -1]
        states.append(read(x[:, at], before, A, U) + added * before)
    return np.stack(states[kept], axis)


def passed_on(x: Array, h: Array, A: Array, U: Array) -> Array:
    """The states, each text beginning with the last state of the one before."""
    rows, state = [], h[:1]
    for i in range(len(x)):
        row = rule_of_states(x[i : i + 1], state, A, U)
        rows.append(row)
        state = row[:, -1]
    return np.concatenate(rows)


def texts(draw: Draw, whole: bool = False, square: bool = False) -> list[tuple]:
    """Texts with states to begin in, of `whole` symbols or of vectors.

    If `square`, there are as many texts as symbols in one.
    """
    cases = []
    for rows, T in (
        ((n := draw.integer(3, 4), n), (n + 1, n + 1))
        if square
        else ((2, draw.integer(5, 7)), (draw.integer(2, 4), 1))
    ):
        H, D = draw.integer(3, 4), draw.integer(5, 6)
        x = draw.rng.integers(0, D, size=(rows, T)) if whole else draw.normal(rows, T, D)
        cases.append((x, draw.normal(rows, H), draw.normal(D, H), draw.normal(H, H)))
    return cases


def judged_step(A: Array, U: Array) -> Callable[..., torch.Tensor]:
    """What the judge answers to step(x, h): the next state, or a sentence for what does not fit."""

    def step(x: Any, h: Any) -> torch.Tensor:
        if not isinstance(h, torch.Tensor) or h.ndim != 2 or h.shape[1] != len(U):
            raise ValueError(f"step wants states (B, {len(U)}): got {_shape(h)}")
        if isinstance(x, torch.Tensor) and x.ndim == 2:
            given = x.detach().numpy()
            if given.shape != (len(h), len(A)):
                raise ValueError(
                    f"step reads one symbol of each text, (B, {len(A)}): got {_shape(x)} for "
                    f"states {_shape(h)}"
                )
        else:
            given = whole_numbers(x, 1, len(A), "what step reads").numpy()
            if len(given) != len(h):
                raise ValueError(f"step got {len(given)} symbols for {len(h)} states")
        return tensor(read(given, h.detach().numpy().astype(float), A, U))

    return step


def _shape(value: Any) -> str:
    return str(tuple(getattr(value, "shape", ()))) if hasattr(value, "shape") else repr(value)[:40]


def small_texts(x: Array, *_: Any) -> Iterator[tuple]:
    """One text of one number or two, two of two; a state is one number."""
    numbers, one, half = np.array([[1.0, 0], [2, -1]]), np.ones((1, 1)), np.full((1, 1), 0.5)
    for rows, T in ((1, 1), (1, 2), (2, 2)):
        if x.ndim == 3 and x.size > rows * T:
            states = np.array([[1.0], [0.0]])[:rows]
            yield numbers[:rows, :T, None], states, one, half


def show_texts(x: Array, h: Array, A: Array, U: Array) -> str:
    """A case in words: a small one with all its numbers."""
    if A.size > 1:
        return f"{x.shape} of x from h = {shown(h)}"
    rows = ", ".join(shown(row) for row in x[:, :, 0])
    return (
        f"x of shape {x.shape}: {rows}; h of shape {h.shape}: {shown(h[:, 0])}; step(x, h) is "
        "tanh(x + h/2)"
    )


def states_by_hand(x: Array, h: Array, A: Array, U: Array) -> str:
    """The states of small texts, one after the other."""
    if A.size > 1:
        return ""
    return ", and ".join(
        " → ".join(f"{v:.3g}" for v in row) for row in rule_of_states(x, h, A, U)[:, :, 0]
    )


_UNROLLED = (
    *one_of(
        "x-t-for-x-before",
        (
            "the first state is missing: place t holds a state that has read x_t itself, "
            "which it is to predict",
            {"kept": slice(1, None)},
        ),
    ),
    *one_of(
        "last-state-missing",
        (
            "the state that has read the whole text is missing: it predicts the end",
            {"kept": slice(None, -1)},
        ),
    ),
    *one_of(
        "only-one-state",
        ("only the last state comes back: all are asked", {"kept": slice(-1, None)}),
        ("only the first state comes back: all are asked", {"kept": slice(0, 1)}),
    ),
    *one_of(
        "batch-and-time-swapped",
        ("the loop runs over the texts: time is axis 1 of x", {"swapped": True}),
        ("time stands first in your answer: batch first, (B, T + 1, H)", {"axis": 0}),
        (
            "the loop runs over the texts, and time stands first in your answer",
            {"swapped": True, "axis": 0},
        ),
        ("time stands last in your answer: (B, T + 1, H)", {"axis": 2}),
    ),
    *one_of(
        "state-not-carried",
        ("each step starts from the first state again", {"carry": "first"}),
    ),
    *one_of(
        "first-state-ignored",
        ("you begin with zeros, whatever h is given", {"start": "zeros"}),
    ),
    Mistake(
        "first-place-empty",
        "place 0 holds zeros, and the steps begin with h: place 0 is h itself",
        after=lambda v, *_: np.concatenate([0 * v[:, :1], v[:, 1:]], axis=1),
    ),
    *one_of("backwards", ("the text is read from its end to its beginning", {"order": -1})),
    *one_of("one-symbol-only", ("each step reads the first symbol", {"reads": -99})),
    Mistake(
        "written-over",
        "all places hold the last state: a list of one tensor, which each step writes over",
        after=lambda v, *_: np.broadcast_to(v[:, -1:], v.shape),
    ),
    Mistake(
        "x-t-for-x-before",
        "the first state is missing, and the last one stands twice: place 0 holds h itself",
        after=lambda v, *_: np.concatenate([v[:, 1:], v[:, -1:]], axis=1),
    ),
    *one_of(
        "state-added",
        (
            "the old state is added to what step gives: its answer is the next state",
            {"added": True},
        ),
    ),
    Mistake(
        "last-symbol-unread",
        "the last symbol is never read, and the state before it stands twice",
        after=lambda v, *_: np.concatenate([v[:, :-1], v[:, -2:-1]], axis=1),
    ),
    Mistake(
        "joined-side-by-side",
        "the states stand in one long row: time is an axis of its own",
        after=lambda v, *_: v.reshape(len(v), -1),
    ),
    Mistake(
        "axes-mixed",
        "time and batch were exchanged by a reshape: that mixes the texts; exchange axes, or put "
        "the states in their places at once",
        after=lambda v, *_: v.swapaxes(0, 1).reshape(v.shape),
    ),
    *one_of(
        "shifted",
        ("each step reads the symbol before the one that is due", {"reads": -1}),
        ("each step reads the symbol after the one that is due", {"reads": 1}),
    ),
    Mistake(
        "state-not-reset",
        "a text begins with what another text left: each row has a first state of its own",
        gives=passed_on,
    ),
)


@checks("unroll", lesson=LESSON, points=3, see="Exercise 2: unrolled in time")
def states_of_a_text(unroll: Standin, draw: Draw) -> Iterator[Claim | Cause]:
    """One state before each symbol, and one after the last."""

    def ask(x: Array, h: Array, A: Array, U: Array) -> Array:
        step = judged_step(A, U)
        begun = begin_unrolling(unroll, tensor(x), tensor(h))
        found = answered(begun, lambda what, *args: step(*args))
        return expect_array(found, None, "float", "the states")

    subject = Subject(
        ask=ask,
        rule=rule_of_states,
        mistakes=_UNROLLED,
        symptoms=(looks_at_none("texts"),),
        show=show_texts,
        told=told_with_shape,
        smaller=small_texts,
        by_hand=states_by_hand,
        alike=near,
    )
    right = yield from examine(
        subject,
        draw,
        Property(
            "states",
            "T symbols have T + 1 states: the first is h, and that at place t has read t symbols",
            functools.partial(texts, square=True),
            points=1.5,
            asks="h, step(x_1, h), step(x_2, that), …: (B, T + 1, H), h itself the first",
        ),
        Property(
            "oblong",
            "so it is for few long texts, and for many short ones",
            texts,
            points=0.5,
            asks="(B, T, D) gives (B, T + 1, H), whatever B and T are",
            needs="states",
        ),
        Property(
            "symbols",
            "so it is for texts of whole symbols (B, T)",
            functools.partial(texts, whole=True),
            points=1,
            asks="x[:, t], whatever comes behind these two axes",
            needs="states",
        ),
    )
    if right:
        case = tuple(map(tensor, texts(draw)[0]))
        uncut(unroll, lambda: unreached(unroll, *case))
        names = ("the first state", "the step's weights of x", "the step's weights of h")
        in_full(unroll, names, lambda: slopes_of_states(unroll, *case))


# --- gru_step -------------------------------------------------------------------------------------


def rule_of_gru(
    x: Array,
    h: Array,
    W: Array,
    U: Array,
    b: Array,
    c: Array,
    *,
    blocks: str = "rzn",
    keep: str = "z",
    reset: str = "after U",
    biases: tuple[float, float] = (1.0, 1.0),
    proposal: str = "tanh",
    gate: str = "sigmoid",
    old: float = 1.0,
    of_h: str = "",
    of_c: str = "",
    given: str = "bc",
    interleaved: bool = False,
    looks_at: tuple[float, float] = (1.0, 1.0),
    mixed: str = "",
    last: str = "none",
) -> Array:
    """A GRU's next state in PyTorch's convention. Each option turns one thing of it wrong.

    `of_h` is the order of U's blocks where it is not that of W's, `of_c` that of c's where it is
    not that of U's; `given` says which bias goes with W and which with U, `looks_at` what the gates
    have of x and of h, `mixed` what becomes of h before it is kept, `last` what squashes the end.
    """
    H, of_h = h.shape[1], of_h or blocks
    of_c = of_c or of_h
    b, c = ({"b": b, "c": c}[name] for name in given)

    def cut(v: Array, order: str) -> dict[str, Array]:
        parts = [v[:, k::3] for k in range(3)] if interleaved else np.split(v, 3, axis=1)
        return dict(zip(order, parts, strict=True))

    from_x = cut(x @ W.T + biases[0] * b, blocks)
    from_U, from_c = cut(h @ U.T, of_h), cut(biases[1] * c[None], of_c)
    from_h = {k: from_U[k] + from_c[k] for k in "rzn"}
    r, z = (_SQUASH[gate](looks_at[0] * from_x[k] + looks_at[1] * from_h[k]) for k in "rz")
    i = of_h.index("n") * H
    U_n, c_n = U[i : i + H], from_c["n"]
    inner = {
        "after U": lambda: from_x["n"] + r * from_h["n"],
        "before U": lambda: from_x["n"] + (r * h) @ U_n.T + c_n,
        "not the bias": lambda: from_x["n"] + r * (h @ U_n.T) + c_n,
        "none": lambda: from_x["n"] + from_h["n"],
        "all": lambda: r * (from_x["n"] + from_h["n"]),
        "the input": lambda: r * from_x["n"] + from_h["n"],
        "by z": lambda: from_x["n"] + z * from_h["n"],
        "h itself": lambda: from_x["n"] + r * h,
    }[reset]()
    n = _SQUASH[proposal](inner)
    share = {"z": z, "1 - z": 1 - z, "r": r, "-z": -z, "all": np.ones_like(z)}[keep]
    h = r * h if mixed == "reset" else h
    return _SQUASH[last]((1 - share) * n + share * old * h if keep != "all" else n + z * h)


def gru_plainly(*case: Array) -> Array:
    """The same without options."""
    x, h, W, U, b, c = map(torch.tensor, case)
    r, z, n = (x @ W.T + b).chunk(3, dim=1)
    r_h, z_h, n_h = (h @ U.T + c).chunk(3, dim=1)
    r, z = torch.sigmoid(r + r_h), torch.sigmoid(z + z_h)
    n = torch.tanh(n + r * n_h)
    return ((1 - z) * n + z * h).numpy()


def without_state(*case: Array) -> Array:
    """The next state where a state of 0 takes all that goes with it out, its biases too."""
    *others, c = case
    return rule_of_gru(*others, c if case[1].any() else 0 * c)


def gates(draw: Draw, square: bool = False) -> list[tuple]:
    """Inputs, states and weights of GRUs; the last one begins with a state of 0."""
    cases = []
    for rows in (draw.integer(2, 4), 1):
        H = draw.integer(2, 4)
        D = H if square else H + draw.integer(1, 3)
        sizes = ((rows, D), (rows, H), (3 * H, D), (3 * H, H), (3 * H,), (3 * H,))
        cases.append(tuple(draw.normal(*size) for size in sizes))
    x, h, *weights = cases[0]
    return [*cases, (x[:2], 0 * h[:2], *weights)]


def held(draw: Draw) -> list[tuple]:
    """Gates that are nearly shut, or wide open."""
    cases = []
    for gate in (12.0, -12.0):
        x, h, W, U, b, c = gates(draw)[0]
        c = c.copy()
        c[h.shape[1] : 2 * h.shape[1]] = gate
        cases.append((x, h, 0.3 * W, 0.3 * U, 0.3 * b, c))
    return cases


_GATES = (
    Mistake(
        "first-step-otherwise",
        "where the state is 0, c is left out, too: U h is 0 then, and its bias is not",
        gives=without_state,
    ),
    *one_of(
        "gates-exchanged",
        (
            "z is kept for n: PyTorch's z says how much of the OLD state stays",
            {"keep": "1 - z"},
        ),
    ),
    *one_of(
        "blocks-in-another-order",
        *(
            (
                f"you read the blocks as {', '.join(o)}: PyTorch's order is r, z, n",
                {"blocks": o},
            )
            for o in ("zrn", "nrz", "nzr", "rnz", "znr")
        ),
    ),
    *one_of(
        "blocks-in-another-order",
        *(
            (
                f"you read U's blocks as {', '.join(o)}, and W's as r, z, n: in both the "
                "order is r, z, n",
                {"of_h": o} | more,
            )
            for o in ("zrn", "nrz", "nzr", "rnz", "znr")
            for more in ({}, {"of_c": "rzn"})
        ),
    ),
    *one_of(
        "blocks-interleaved",
        (
            "you take every third number for a block: the three blocks stand one under "
            "the other, H rows each",
            {"interleaved": True},
        ),
    ),
    *one_of(
        "gates-half-blind",
        (
            "your gates do not look at the state: r and z are made of x AND h",
            {"looks_at": (1.0, 0.0)},
        ),
        (
            "your gates do not look at x: r and z are made of x AND h",
            {"looks_at": (0.0, 1.0)},
        ),
    ),
    *one_of(
        "reset-before-the-map",
        (
            "r multiplies h before U_n, as in the first paper: here it comes after, for "
            "U_n h + c_n",
            {"reset": "before U"},
        ),
    ),
    *one_of(
        "reset-without-its-bias",
        ("r multiplies U_n h only: it multiplies c_n as well", {"reset": "not the bias"}),
    ),
    *one_of("reset-forgotten", ("r plays no part in your n", {"reset": "none"})),
    *one_of(
        "reset-of-the-input",
        ("r multiplies all of n's sum: only the part of the state", {"reset": "all"}),
        ("r multiplies the part of x: it resets the state's part", {"reset": "the input"}),
    ),
    *one_of(
        "state-not-mapped",
        ("r multiplies h itself in n: it multiplies U_n h + c_n", {"reset": "h itself"}),
    ),
    *one_of(
        "one-gate-for-both",
        ("z stands where r belongs", {"reset": "by z"}),
        ("r stands where z belongs: the mixture is z's", {"keep": "r"}),
    ),
    *one_of(
        "bias-forgotten",
        ("b is missing", {"biases": (0.0, 1.0)}),
        ("c is missing: there are two biases", {"biases": (1.0, 0.0)}),
        ("both biases are missing", {"biases": (0.0, 0.0)}),
    ),
    *one_of(
        "one-bias-for-both",
        ("b stands where c belongs, too: c goes with U", {"given": "bb"}),
        ("c stands where b belongs, too: b goes with W", {"given": "cc"}),
        ("b and c have changed places: b goes with W, c with U", {"given": "cb"}),
    ),
    *one_of(
        "another-squashing",
        ("n is squashed by the sigmoid: tanh is asked", {"proposal": "sigmoid"}),
        ("n is not squashed: tanh is missing", {"proposal": "none"}),
        ("the gates are squashed by tanh: they lie between 0 and 1", {"gate": "tanh"}),
        ("the gates are not squashed: they lie between 0 and 1", {"gate": "none"}),
        ("the gates are cut off at 0 and 1: a sigmoid is asked", {"gate": "hard sigmoid"}),
        (
            "the new state is squashed once more: it is the mixture itself",
            {"last": "tanh"},
        ),
        (
            "the new state is squashed once more: it is the mixture itself",
            {"last": "sigmoid"},
        ),
    ),
    *one_of(
        "no-mixture",
        ("the proposal comes in whole: (1 − z) belongs before it", {"keep": "all"}),
        ("the old state is left out: z times it stays", {"old": 0.0}),
        ("the old state is reset before it is mixed in: r acts in n alone", {"mixed": "reset"}),
        (
            "a sign is lost: the mixture is n + z (h − n), not n + z (n − h)",
            {"keep": "-z"},
        ),
    ),
)


def small_gates(x: Array, h: Array, *_: Any) -> Iterator[tuple]:
    """One unit that reads one number, and two of them."""
    if h.size > 1:
        maps = [[1], [-1], [0.5]], [[1], [0.5], [2]]
        for state in (0, 1):
            case = ([[1]], [[state]], *maps, [0.5] * 3, [-1, -1, 1])
            yield tuple(np.array(v, float) for v in case)
    if h.size > 2:
        U = [[1, 0], [0, 1], [0, 1], [1, 0], [1, 1], [1, -1]]
        case = ([[1]], [[1, -1]], [[1], [0], [-1], [1], [0.5], [2]], U, [0.5, 0] * 3, [-1, 0] * 3)
        yield tuple(np.array(v, float) for v in case)


def show_gates(*case: Array) -> str:
    """A case in words: a small one with all its numbers."""
    names = ("x", "h", "W", "U", "b", "c")
    if case[1].size > 2:
        return ", ".join(f"{n} = {shown(v)}" for n, v in zip(names[:2], case[:2], strict=True))
    return ", ".join(f"{n} = {shown(v, most=12)}" for n, v in zip(names, case, strict=True))


@checks("gru_step", lesson=LESSON, points=3, see="Exercise 3: a gate that keeps")
def step_of_a_gated_network(gru_step: Standin, draw: Draw) -> Iterator[Claim | Cause]:
    """Two gates, a proposal, and a mixture of it with the old state."""
    subject = Subject(
        ask=asking(gru_step, "the state"),
        rule=lambda *case, **wrong: rule_of_gru(*case, **wrong),  # slips: of the plain one
        forms=(gru_plainly,),
        mistakes=_GATES,
        show=show_gates,
        told=told_with_shape,
        smaller=small_gates,
        by_hand=_gru_by_hand,
        alike=near,
    )
    right = yield from examine(
        subject,
        draw,
        Property(
            "gru",
            "the next state is (1 − z) n + z h, of the gates and the proposal of the formula",
            gates,
            points=2,
            asks="what torch.nn.GRUCell gives on these weights, to 1e-6",
        ),
        Property(
            "held",
            "a gate of 1 keeps the state, a gate of 0 replaces it",
            held,
            points=1,
            asks="z → 1: h′ = h; z → 0: h′ = n",
            typical=False,
            needs="gru",
        ),
    )
    if right:
        names = ("x", "h", "W", "U", "b", "c")
        trainable(gru_step, names, *map(tensor, gates(draw)[0]))


def _gru_by_hand(*case: Array) -> str:
    x, h, W, U, b, c = case
    if h.size > 2:
        return ""
    from_x, from_h = ((v @ m.T + k)[0].reshape(3, -1) for v, m, k in ((x, W, b), (h, U, c)))
    r, z = sigmoid(from_x[:2] + from_h[:2])
    n = np.tanh(from_x[2] + r * from_h[2])
    return (
        f"r = {shown(r)}, z = {shown(z)}, n = tanh({shown(from_x[2])} + r·{shown(from_h[2])}) = "
        f"{shown(n)}, h′ = {shown(rule_of_gru(*case)[0])}"
    )


# --- nll ------------------------------------------------------------------------------------------


def rule_of_texts(
    logits: Array,
    x: Array,
    lengths: Array,
    *,
    axis: int = -1,
    end: int = END,
    counted: str = "to the end",
    behind: str = "end",
    shift: int = 0,
    per: str = "text",
    unit: float = 1.0,
    normalized: bool = True,
    late: bool = False,
    reshaped: bool = False,
    flat: bool = False,
    apart: bool = False,
    most: float = np.inf,
) -> Array:
    """−Σ log p of a text's symbols and its end. Each option turns one thing of it wrong.

    With `flat` the logits behind an end are 0; with `apart` the letters have a softmax of their
    own, without the end; no log p is below −`most`.
    """
    if reshaped:
        logits = logits.reshape(len(logits), logits.shape[2], -1).swapaxes(1, 2)
    B, T = x.shape
    place, L = np.arange(T + 1), lengths[:, None]
    logits = np.where((place > L)[:, :, None], 0.0, logits) if flat else logits
    logs = log_softmax(logits, axis) if normalized else logits
    if apart:
        logs = np.concatenate([logs[:, :, :1], log_softmax(logits[:, :, 1:])], axis=2)
    logs = np.maximum(logs, -most)
    padded = np.concatenate([x, np.full((B, 1), end)][:: -1 if late else 1], axis=1)
    targets = np.where(place < L, padded, end) if behind == "end" else padded
    if behind == "first":
        targets = np.where(place < lengths[0], padded, end)
    mask = {
        "to the end": place <= L,
        "letters": place < L,
        "the end inside a row": (place <= L) & (place < T),
        "no empty text": (place <= L) & (L > 0),
        "everything": place <= T,
        "everything but the last": (place < T) & (L >= 0),
        "letters and the last place": (place < L) | (place == T),
        "one too many": place <= L + 1,
        "without the first": (place <= L) & (place > 0),
        "letters but the last": place < L - 1,
        "no end of the longest": (place <= L) & (place < lengths.max()),
        "as the first row has": (place <= lengths[0]) & (L >= 0),
    }[counted] & np.ones((B, 1), bool)
    at = np.minimum(place + shift * (place < L), T)
    costs = -unit * logs[np.arange(B)[:, None], at, targets] * mask
    return {
        "text": lambda: costs.sum(1),
        "symbol": lambda: costs.sum(1) / (lengths + 1),
        "letter": lambda: costs.sum(1) / np.maximum(lengths, 1),
        "place": lambda: costs.mean(1),
        "batch": lambda: costs.sum(),
        "mean of the batch": lambda: costs.sum(1).mean(),
        "mean of all": lambda: costs.sum() / mask.sum(),
        "each": lambda: costs,
    }[per]()


def texts_plainly(logits: Array, x: Array, lengths: Array) -> Array:
    """The same without options."""
    place, ends = np.arange(x.shape[1] + 1), lengths[:, None]
    targets = np.where(place < ends, np.pad(x, ((0, 0), (0, 1))), END)
    losses = -np.take_along_axis(log_softmax(logits), targets[:, :, None], axis=2)[:, :, 0]
    return np.where(place <= ends, losses, 0.0).sum(axis=1)


def texts_by_probabilities(logits: Array, x: Array, lengths: Array) -> Array:
    """The same by a softmax, and then a logarithm of it."""
    with np.errstate(divide="ignore"):
        return texts_plainly(np.log(softmax(logits)), x, lengths)


def unlikely(draw: Draw) -> list[tuple]:
    """Texts with symbols of probability e^−1000 and less; at one place the end is likely."""
    B, T, V = draw.integer(3, 5), draw.integer(4, 6), draw.integer(4, 6)
    logits = 2000 * draw.normal(B, T + 1, V)
    logits[0, 1, END] = logits[0, 1].max() + 500
    x = draw.rng.integers(1, V, size=(B, T))
    x[:, 0] = 1 + logits[:, 0, 1:].argmin(axis=1)
    return [(logits, x, np.full(B, T))]


def batches(draw: Draw, full: bool) -> list[tuple]:
    """Texts that fill their rows, or shorter ones, an empty one too, with anything behind them."""
    cases = []
    for _ in range(2):
        B, T, V = draw.integer(3, 5), draw.integer(4, 6), draw.integer(4, 6)
        x = draw.rng.integers(1, V, size=(B, T))
        lengths = np.full(B, T)
        logits = draw.normal(B, T + 1, V, scale=1.5)
        if not full:
            lengths = draw.rng.integers(1, T, size=B)
            lengths[:3] = 1, T - 1, 0  # in no order of the lengths
            lengths = np.roll(lengths, draw.choice((0, B - 1)))
            behind = np.arange(T + 1) > lengths[:, None]
            logits[behind] *= 4
        cases.append((logits, x, lengths.astype(np.int64)))
    return cases


_SIGN = Mistake("sign", "a sign is lost: MINUS the logarithm", after=lambda v, *_: -v)


_PRICES = (
    *one_of(
        "end-not-scored",
        (
            "the end costs nothing in your answer: it is a symbol like all",
            {"counted": "letters"},
        ),
        (
            "a text that fills its row ends without a price: its end is scored at place T",
            {"counted": "the end inside a row"},
        ),
        ("the empty text costs nothing: it has an end", {"counted": "no empty text"}),
    ),
    *one_of(
        "padding-scored",
        (
            "what stands behind a text's end is paid for, too",
            {"counted": "everything", "behind": "x"},
        ),
        ("after its end a text is made to end again and again", {"counted": "everything"}),
        (
            "all of x is scored, the padding too, and no end",
            {"counted": "everything but the last", "behind": "x"},
        ),
        ("one place behind the end is scored", {"counted": "one too many"}),
        ("one place behind the end is scored", {"counted": "one too many", "behind": "x"}),
    ),
    *one_of(
        "end-at-the-last-place",
        (
            "the end is scored in the last place of the row: it stands where the text ends",
            {"counted": "letters and the last place"},
        ),
    ),
    *one_of(
        "end-not-scored",
        (
            "the end of the longest text costs nothing: it is scored one place behind its last "
            "symbol",
            {"counted": "no end of the longest"},
        ),
    ),
    *one_of(
        "one-length-for-all",
        (
            "all texts are as long as the first one: each row has a length of its own",
            {"counted": "as the first row has", "behind": "first"},
        ),
    ),
    *(
        Mistake(
            "sorted-rows",
            f"the answers stand in the order of the lengths, {how} first: in that of the rows",
            after=after,
        )
        for how, after in (
            ("the longest", lambda v, logits, x, lengths: v[np.argsort(-lengths, kind="stable")]),
            ("the shortest", lambda v, logits, x, lengths: v[np.argsort(lengths, kind="stable")]),
        )
    ),
    *one_of(
        "padding-scored",
        (
            "behind the end the logits are set to 0, and that place is paid for, at ln V each",
            {"counted": "everything", "flat": True},
        ),
    ),
    *one_of(
        "letters-without-the-end",
        (
            "a letter's softmax leaves the end out: all V symbols are in it, at every place",
            {"apart": True},
        ),
    ),
    *(
        Mistake(
            "logs-cut-off",
            f"no log p is below −{most:g} in your answer: one of −1000 costs 1,000 nats",
            options={"most": most},
        )
        for most in (10.0, 50.0, 100.0, 500.0)
    ),
    *one_of(
        "padding-for-the-end",
        (
            "in the place behind a text's last symbol, what x holds there is scored: the "
            "end, symbol 0, belongs there",
            {"behind": "x"},
        ),
    ),
    *one_of(
        "first-not-scored",
        (
            "a text's first symbol is not scored: the first state predicts it",
            {"counted": "without the first"},
        ),
    ),
    *one_of(
        "last-not-scored",
        (
            "a text's last symbol is not scored, nor its end",
            {"counted": "letters but the last"},
        ),
    ),
    *one_of(
        "x-t-for-x-before",
        ("a symbol is scored by the logits that come after it was read", {"shift": 1}),
        (
            "a symbol is scored by the logits that come after it was read, and no end is",
            {"shift": 1, "counted": "letters"},
        ),
    ),
    *one_of(
        "targets-one-late",
        (
            "place t scores the symbol before x_t: the logits at t predict x_t, so the column "
            "more stands BEHIND x",
            {"late": True},
        ),
    ),
    *one_of(
        "axes-mixed",
        (
            "places and symbols were exchanged by a reshape or view, which mixes them: transpose",
            {"reshaped": True},
        ),
    ),
    *one_of(
        "softmax-over-time",
        (
            "your probabilities sum to 1 over the places: they must over the symbols",
            {"axis": 1},
        ),
        (
            "your probabilities sum to 1 over the batch: they must over the symbols",
            {"axis": 0},
        ),
    ),
    *one_of(
        "not-normalized",
        ("logits are added up: they need a log-softmax", {"normalized": False}),
    ),
    *one_of(
        "mean-for-sum",
        ("this is per symbol: a text's NLL is a sum", {"per": "symbol"}),
        ("this is per letter: a text's NLL is a sum", {"per": "letter"}),
        ("this is the mean over all places of the row", {"per": "place"}),
    ),
    *one_of(
        "summed-over-the-batch",
        ("one number for the batch: one for each text is asked", {"per": "batch"}),
        (
            "the mean of the batch: one number for each text is asked",
            {"per": "mean of the batch"},
        ),
        (
            "the mean over all symbols: one number for each text is asked",
            {"per": "mean of all"},
        ),
    ),
    Mistake(
        "softmax-then-log",
        "a probability of e^−1000 is 0, and its log −∞: stay in logs, with a log-softmax",
        gives=texts_by_probabilities,
    ),
    *one_of("not-summed", ("a number for each place: their sum is asked", {"per": "each"})),
    *one_of("bits-for-nats", ("these are bits: nats are asked", {"unit": 1 / np.log(2)})),
    *one_of("end-is-the-last-symbol", ("the end is symbol 0, and not the last one", {"end": -1})),
    _SIGN,
)


@checks("nll", lesson=LESSON, points=3, see="Exercise 4: texts of different lengths")
def price_of_texts(nll: Standin, draw: Draw) -> Iterator[Claim | Cause]:
    """Symbols and the end of each text, and nothing behind."""
    subject = Subject(
        ask=asking(nll, "the NLL"),
        rule=lambda *case, **wrong: rule_of_texts(*case, **wrong),  # its slips take seconds
        forms=(texts_plainly,),
        mistakes=_PRICES,
        show=lambda logits, x, lengths: (
            f"x = {shown(x)}, lengths {shown(lengths)}, V = {logits.shape[2]}"
            + (f", softmax of the logits {shown(softmax(logits))}" if x.size < 4 else "")
        ),
        told=told_with_shape,
        smaller=_small_texts,
        by_hand=lambda logits, x, lengths: (
            " + ".join(
                f"(−log {p:.3g})"
                for p in softmax(logits)[0][np.arange(lengths[0] + 1), [*x[0, : lengths[0]], END]]
            )
            + f" = {rule_of_texts(logits, x, lengths)[0]:.4g}"
            if x.size < 4
            else ""
        ),
        alike=near,
    )
    right = yield from examine(
        subject,
        draw,
        Property(
            "full",
            "a text that fills its row costs −log p of each symbol, and of its end",
            functools.partial(batches, full=True),
            points=1,
            asks="T + 1 terms: logits t for x_t, the last ones for the end",
        ),
        Property(
            "shorter",
            "a shorter text costs its symbols and its end, and nothing that stands behind",
            functools.partial(batches, full=False),
            points=1.5,
            asks="L + 1 terms: at place L the end, behind it nothing",
        ),
        Property(
            "finite",
            "it is finite and right where a symbol is as unlikely as e^−1000, too",
            unlikely,
            points=0.5,
            asks="log p by logsumexp: finite while the logits are",
            typical=False,
            needs="full",
        ),
    )
    if right:
        note_on_padding(nll, subject.ask, *batches(draw, full=False)[0])


def note_on_padding(
    nll: Standin, ask: Callable[..., Array], logits: Array, x: Array, lengths: Array
) -> None:
    """Notes it if logits behind an end that are no numbers come into the answer."""
    logits = logits.copy()
    logits[np.arange(x.shape[1] + 1) > lengths[:, None]] = np.nan
    found = ask(logits, x, lengths)
    if np.isnan(found).any():
        note(
            nll,
            claim(
                "what the logits hold behind the end counts for nothing, NaN too",
                False,
                id="behind",
                points=COSTS,
                saw=f"{shown(found)}, where the logits behind the ends are NaN",
                asks="finite numbers: no logits behind an end come into them",
                advice=when(
                    True,
                    "padding-multiplied-away",
                    "0 times NaN is NaN, and 0 times ∞, too: choose what counts by torch.where or "
                    "masked_fill; do not multiply by a mask",
                ),
            ),
        )


def _small_texts(logits: Array, x: Array, lengths: Array) -> Iterator[tuple]:
    if x.size > 3:
        for length in (2, 1, 0):
            yield (
                np.log(np.array([[[1, 2, 1], [1, 1, 2], [2, 1, 1]]]) / 4),
                np.array([[1, 2]]),
                np.array([length]),
            )


# --- truncated_backprop ---------------------------------------------------------------------------

TWICE = "a second way back through a graph that is gone"


def rule_of_windows(
    x: Array,
    h: Array,
    A: Array,
    U: Array,
    R: Array,
    window: int,
    *,
    cut: str = "windows",
    carry: str = "state",
    predicts: slice = slice(None, -1),
    carried: int = -1,
    tail: bool = True,
    total: str = "sum",
    late: bool = False,
    hidden: str = "last",
    each: bool = False,
) -> list[Any]:
    """[gradients of A, U, R at each update, the sum of losses, the last state]; see windows_of.

    Each option turns one thing of it wrong; with `each`, symbols have losses of their own, added.
    """
    weights = [torch.tensor(w, requires_grad=True) for w in (A, U, R)]
    text, first = torch.tensor(x), torch.tensor(h)
    state, noted, losses = first, [], []
    ends = range(0, text.shape[1] if tail else text.shape[1] // window * window, window)

    def note(of: list[torch.Tensor]) -> None:
        found = (
            torch.autograd.grad(sum(of), weights, allow_unused=True, retain_graph=True)
            if of
            else [None] * 3
        )
        parts = [
            torch.zeros_like(w) if g is None else g for g, w in zip(found, weights, strict=True)
        ]
        noted.append(torch.cat([p.reshape(-1) for p in parts]).numpy())

    for begin in ends:
        symbols = text[:, begin : begin + window]
        zeros = torch.zeros_like(first)
        begins = {"state": state, "zeros": zeros, "first": first}
        begins["zeros behind"] = zeros if begin else first
        states = [begins[carry]]
        for t in range(symbols.shape[1]):
            before = states[-1].detach() if cut == "each step" else states[-1]
            states.append(torch.tanh(symbols[:, t] @ weights[0].T + before @ weights[1].T))
        seen = torch.stack(states, 1)[:, predicts]
        seen = seen.detach() if cut == "before the loss" else seen
        if late:
            note(losses[-1:])
        price = ((seen @ weights[2].T - symbols) ** 2).mean()
        losses.append(price * (symbols.shape[1] if each else 1))
        if not late and "one update" not in cut:
            note(losses[-1:] if total != "running" else losses)
        state = states[carried]
        state = state if cut in ("never", "one update") else state.detach()
    if "one update" in cut:
        note(losses)
    values = [float(one.detach()) for one in losses]
    worth = {
        "sum": sum(values),
        "running": sum(values),
        "last": values[-1],
        "mean": float(np.mean(values)),
        "long": sum(v * min(window, x.shape[1] - t) for v, t in zip(values, ends, strict=False)),
    }
    back = {"last": state, "first": first}[hidden]
    return [np.array(noted), worth[total], back.detach().numpy()]


def zeroed(value: list[Any]) -> list[Any]:
    """The same with a last state of zeros."""
    return [*value[:2], 0 * value[2]]


class SmallNetwork:
    """The network that `windows_of` hands over: its step, its loss, and what update() notes."""

    def __init__(self, A: Array, U: Array, R: Array) -> None:
        self.A, self.U, self.R = self.weights = [
            torch.tensor(w, requires_grad=True) for w in (A, U, R)
        ]
        self.noted: list[torch.Tensor] = []
        self.keeps = 1.0

    def unroll(self, x: torch.Tensor, h: torch.Tensor) -> torch.Tensor:
        """The states (B, w + 1, H) of symbols (B, w, D), from h on."""
        states = [h]
        for t in range(x.shape[1]):
            states.append(torch.tanh(x[:, t] @ self.A.T + states[-1] @ self.U.T))
        return torch.stack(states, 1)

    def loss(self, states: torch.Tensor, symbols: torch.Tensor) -> torch.Tensor:
        """One number; as many states as symbols are needed."""
        if states.shape[:2] != symbols.shape[:2]:
            raise ValueError("loss wants a state for each symbol")
        return ((states @ self.R.T - symbols) ** 2).mean()

    def update(self) -> None:
        """Notes the gradients, sets them back, and lets so much of the weights."""
        grads = [torch.zeros_like(w) if w.grad is None else w.grad for w in self.weights]
        self.noted.append(torch.cat([g.reshape(-1) for g in grads]))
        for w in self.weights:
            w.grad = None
            with torch.no_grad():
                w.mul_(self.keeps)

    def gradients(self) -> Array:
        """What was noted, a row an update."""
        return np.reshape(
            [row.numpy() for row in self.noted], (-1, sum(w.numel() for w in self.weights))
        )


def windows_in_turn(
    x: Array, h: Array, A: Array, U: Array, R: Array, window: int, keeps: float = 1.0
) -> list[Any]:
    """The same without options, window by window; `keeps` is what an update leaves of weights."""
    network, total, state, text = SmallNetwork(A, U, R), 0.0, torch.tensor(h), torch.tensor(x)
    network.keeps = keeps
    for begin in range(0, text.shape[1], window):
        symbols = text[:, begin : begin + window]
        states = network.unroll(symbols, state)
        loss = network.loss(states[:, :-1], symbols)
        loss.backward()
        network.update()
        total += loss.item()
        state = states[:, -1].detach()
    return [network.gradients(), total, state.numpy()]


def overlapping(
    x: Array, h: Array, A: Array, U: Array, R: Array, window: int, *, step: int, last: bool = True
) -> list[Any]:
    """The same where each window begins so far from the end of the one before; 0: one symbol on.

    Without `last`, none begins at the last symbol.
    """
    network, total, state, text = SmallNetwork(A, U, R), 0.0, torch.tensor(h), torch.tensor(x)
    end = text.shape[1] if last else text.shape[1] - 1
    for begin in range(0, end, max(1, window + step) if step else 1):
        symbols = text[:, begin : begin + window]
        states = network.unroll(symbols, state)
        loss = network.loss(states[:, :-1], symbols)
        loss.backward()
        network.update()
        total, state = total + loss.item(), states[:, -1].detach()
    return [network.gradients(), total, state.numpy()]


def long_texts(draw: Draw) -> list[tuple]:
    """Texts of a few windows, the last of them shorter."""
    cases = []
    for window, T in ((3, draw.integer(7, 8)), (2, draw.integer(3, 4) * 2 - 1)):
        B, D, H = draw.integer(2, 3), draw.integer(2, 3), draw.integer(3, 4)
        sizes = ((B, T, D), (B, H), (H, D), (H, H), (D, H))
        cases.append((*(draw.normal(*size, scale=0.7) for size in sizes), window))
    return cases


def whole_windows(draw: Draw) -> list[tuple]:
    """Windows that fit, one of a single symbol, and one that is longer than the text."""
    cases = []
    for window, T in ((2, 4), (1, 3), (9, 4)):
        sizes = ((2, T, 3), (2, 3), (3, 3), (3, 3), (3, 3))
        cases.append((*(draw.normal(*size, scale=0.7) for size in sizes), window))
    return cases


_CUTS = (
    *one_of(
        "gradient-through-the-whole-text",
        (
            "each gradient goes back to the beginning of the text: cut it between windows",
            {"cut": "never"},
        ),
        (
            "one gradient and one update for the whole text: one for each window is asked",
            {"cut": "one update"},
        ),
        (
            "each loss is added to those before, and goes back for all of them",
            {"total": "running"},
        ),
    ),
    *one_of(
        "one-update",
        (
            "update() comes once, behind the last window: once in each, behind its backward()",
            {"cut": "windows, one update"},
        ),
    ),
    *one_of(
        "detached-at-the-wrong-place",
        (
            "the state is cut off at every step: within a window gradients go back",
            {"cut": "each step"},
        ),
        (
            "the states are cut off before the loss: no gradient reaches the step",
            {"cut": "before the loss"},
        ),
    ),
    *one_of(
        "state-not-carried",
        (
            "each window begins with zeros: with the state of the last one's end",
            {"carry": "zeros"},
        ),
        ("each window begins with the first state again", {"carry": "first"}),
    ),
    Mistake(
        "state-not-carried",
        "the state is set to zeros behind each window, the last one too: its own last state goes "
        "on, and comes back",
        gives=lambda *case: zeroed(rule_of_windows(*case, carry="zeros behind")),
    ),
    Mistake(
        "so-many-windows",
        "`window` is the number of your windows here: it is how many symbols are in each",
        gives=lambda x, h, A, U, R, window: rule_of_windows(
            x, h, A, U, R, -(-x.shape[1] // window)
        ),
    ),
    *one_of(
        "x-t-for-x-before",
        (
            "a symbol is predicted by a state that has read it: leave out the LAST",
            {"predicts": slice(1, None)},
        ),
    ),
    *one_of(
        "another-state-carried",
        (
            "the state before a window's last symbol is carried: that one is never read",
            {"carried": -2},
        ),
    ),
    *one_of(
        "rest-left-out",
        ("what is left after the last whole window is not read", {"tail": False}),
    ),
    *one_of(
        "sum-of-losses",
        ("this is the last loss: the sum is asked", {"total": "last"}),
        ("this is the mean of the losses: the sum is asked", {"total": "mean"}),
        ("each loss is weighed by its window's length: the plain sum is asked", {"total": "long"}),
    ),
    *one_of(
        "update-before-backward",
        ("update() comes before the gradient is there", {"late": True}),
    ),
    *one_of(
        "first-state-returned",
        ("the state that was given comes back, and not the last one", {"hidden": "first"}),
    ),
    *one_of(
        "loss-of-each-symbol",
        (
            "loss is asked for each symbol alone, and the answers are added: it is asked once a "
            "window, with all of its states (a mean over 3 symbols is not 3 means)",
            {"each": True},
        ),
    ),
    *(
        Mistake(
            "windows-overlap", advice, gives=functools.partial(overlapping, step=step, last=last)
        )
        for last in (True, False)
        for advice, step in (
            (
                "each window begins with the last symbol of the one before, which is read and "
                "priced twice",
                -1,
            ),
            ("each window begins one symbol after the one before: it begins at its end", 0),
            ("a symbol is left out between two windows", 1),
        )
    ),
    Mistake(
        "no-gradient",
        "no gradient is there when update() is called: backward() of the window's loss puts it "
        "there (torch.autograd.grad gives it back instead)",
        after=lambda v, *_: [0 * v[0], *v[1:]],
    ),
    Mistake("no-update", "update() is never called", after=lambda v, *_: [v[0][:0], *v[1:]]),
)


def small_windows(x: Array, *_: Any) -> Iterator[tuple]:
    """One text of two numbers or three, for a network of one unit."""
    if x.size > 3:
        ones, half = np.ones((1, 1)), np.full((1, 1), 0.5)
        for numbers, window in (([1.0, 0.0], 2), ([1.0, 0.0], 1), ([1.0, 0.0, 1.0], 2)):
            yield np.array(numbers)[None, :, None], ones, ones, half, ones, window


def show_windows(*case: Any) -> str:
    """A case in words: a small one with all its numbers."""
    x, h, *_, window = case
    if x.size > 3:
        return f"x of shape {x.shape} in windows of {window}"
    return (
        f"x = {shown(x[0, :, 0])} from h = {shown(h)}, windows of {window}; step(x, h) is "
        "tanh(a x + u h) with a = 1 and u = 0.5, loss the mean of (r h − x)² with r = 1"
    )


def told_windows(answer: Any) -> str:
    """Updates, the sum of the losses, the last state; of one unit the gradients, too."""
    if isinstance(answer, str):
        return answer
    gradients, total, last = answer
    found = f"{len(gradients)} updates, sum of losses {total:.4g}, last state {shown(last)}"
    if gradients.shape[1:] == (3,):
        found += ", gradients (a, u, r) " + ", ".join(shown(row) for row in gradients)
    return found


def windows_by_hand(*case: Any) -> str:
    """The states that predict, window by window, and what the losses are, of one unit."""
    x, h, A, U, R, window = case
    if x.size > 3:
        return ""
    states, said = rule_of_states(x, h, A.T, U.T)[0, :, 0], []
    for begin in range(0, x.shape[1], window):
        text = x[0, begin : begin + window, 0]
        predicts = states[begin : begin + len(text)]
        loss = ((R[0, 0] * predicts - text) ** 2).mean()
        said.append(f"{shown(predicts)} predict {shown(text)}: loss {loss:.3g}")
    return f"{'; '.join(said)}; the last state is {states[-1]:.3g}"


@checks(
    "truncated_backprop",
    lesson=LESSON,
    points=4,
    see="Exercise 5: carry the state, cut the gradient",
)
def windows_of_a_text(truncated_backprop: Standin, draw: Draw) -> Iterator[Claim | Cause]:
    """The state goes through the whole text, each gradient through one window."""
    attached, tracked = [], []

    def ask(*case: Any, keeps: float = 1.0) -> Any:
        *arrays, window = case
        try:
            found = windows_of(truncated_backprop, *map(tensor, arrays), window, keeps)
        except StudentFailed as why:
            if "second time" in str(why):
                return TWICE
            raise
        if not isinstance(found, dict) or "total" not in found:
            raise WrongKind(
                "the answer should be a pair: the sum of the losses, and the last state"
            )
        gradients = expect_array(found["gradients"], None, "float", "the gradients")
        last = expect_array(found["last"], arrays[1].shape, "float", "the last state")
        attached.append(bool(found["attached"]))
        tracked.append(bool(found["tracked"]))
        return [gradients, number(found["total"], "the sum of the losses"), last]

    subject = Subject(
        ask=ask,
        rule=lambda *case, **wrong: rule_of_windows(*case, **wrong),  # its slips take minutes
        forms=(windows_in_turn,),
        mistakes=_CUTS,
        symptoms=(
            Symptom(
                "gradient-through-the-whole-text",
                "PyTorch stops in the second window, on its way back into the first one: the state "
                "that is carried still knows where it came from",
                lambda seen: any(isinstance(o.answer, str) for o in seen),
            ),
        ),
        show=show_windows,
        told=told_windows,
        smaller=small_windows,
        by_hand=windows_by_hand,
        alike=near,
    )
    right = yield from examine(
        subject,
        draw,
        Property(
            "windows",
            "each window has its loss, its gradient and its update; the state goes on, "
            "and comes back at the end with the sum of all losses",
            long_texts,
            points=2.5,
            asks="gradients that stop at the window's beginning, at a state that was carried there",
        ),
        Property(
            "fits",
            "so it is where windows fit, hold one symbol, or hold all of them",
            whole_windows,
            points=1,
            asks="T / w updates; one, if the window is longer than the text",
            needs="windows",
        ),
    )
    loose = right and not any(attached)
    if right:
        case = long_texts(draw)[0]
        state = ask(*case, keeps=0.5)[2]
        anew = not near(state, windows_in_turn(*case, keeps=0.5)[2])
        stale = near(state, windows_in_turn(*case)[2])
        note_on_windows(truncated_backprop, anew, stale, any(tracked))
    yield claim(
        "no gradient goes back through the state that is returned",
        loose,
        points=0.5,
        saw="a last state that requires a gradient",
        asks="a number that was given, for whoever goes on from there",
        waits=waits_unless(right, "windows that are right"),
        advice=when(
            right and not loose,
            "last-state-attached",
            "the state comes back with the way it was made: cut it, too",
        ),
    )


def note_on_windows(function: Standin, anew: bool, stale: bool, tracked: bool) -> None:
    """Notes a state that is made a second time, or else a sum that keeps all graphs.

    `stale` says that all states were made before the first update().
    """
    if anew or tracked:
        note(
            function,
            claim(
                "the state that goes on is the last of its window's own states"
                if anew
                else "the sum of the losses is a number",
                False,
                id="carried" if anew else "number",
                points=COSTS,
                saw="a last state that the weights before the first update() have made"
                if stale
                else "a last state that other weights have made than its window's states"
                if anew
                else "a sum that requires a gradient",
                asks="the last of the states that the window's loss was taken of"
                if anew
                else "a float: nothing of a window stays but its state",
                advice=[
                    when(
                        stale,
                        "states-made-before",
                        "the first states of all windows are made in advance, by the weights of "
                        "the beginning: each window goes on from the state that the last one made",
                    ),
                    when(
                        anew,
                        "state-made-anew",
                        "the state is made a second time, by other weights (after update()?): "
                        "carry the last of the states that are there, detached",
                    ),
                    when(
                        tracked,
                        "graphs-kept",
                        "the losses are added up with all that they were made of, so that no "
                        "window's graph is freed: add nats.item()",
                    ),
                ],
            ),
        )


# --- sample ---------------------------------------------------------------------------------------

DRAWS, LIMIT, LETTERS = 20_000, 3, 3
Writer = tuple[Array, Array, Array, Array, Array]


def law_of_writing(
    h: Array,
    A: Array,
    U: Array,
    R: Array,
    c: Array,
    *,
    reads: str = "drawn",
    chosen: str = "softmax",
    over: str = "end",
    begins: str = "draws",
) -> Array:
    """The law (3, 3, 3) of texts of three symbols, from the state h (1, H) on.

    Each option turns one thing of it wrong.
    """
    law = np.zeros((LETTERS,) * LIMIT)

    def go(text: tuple[int, ...], state: Array, p: float) -> None:
        if len(text) == LIMIT:
            law[text] += p
            return
        ended = END in (text[:-1] if over == "late" else text)
        if (over in ("end", "late") and ended) or (over == "all at once" and text):
            go((*text, END), state, p)
            return
        if over == "cut" and (END in text or len(text) == LIMIT - 1):
            go((*text, END), state, p)
            return
        z = (state @ R.T + c)[0]
        probs = {
            chosen: lambda: softmax(z / chosen),
            "softmax": lambda: softmax(z),
            "greedy": lambda: np.eye(LETTERS)[z.argmax()],
            "even": lambda: np.full(LETTERS, 1 / LETTERS),
            "sigmoid": lambda: sigmoid(z) / sigmoid(z).sum(),
            "no end": lambda: softmax(np.where(np.arange(LETTERS) == END, -np.inf, z)),
            "hotter": lambda: softmax(z / 2),
            "colder": lambda: softmax(2 * z),
        }[chosen]()
        for symbol in range(LETTERS):
            if probs[symbol]:
                before = text[-1] if text else END
                fed = {"drawn": symbol, "end": END, "one before": before}
                fed["late"] = text[-1] if text else symbol
                after = state if reads == "nothing" else read(np.array([fed[reads]]), state, A, U)
                go((*text, symbol), after, p * probs[symbol])

    start = read(np.array([END]), h, A, U) if begins == "reads" else h
    go((), start, 1.0)
    return law


_WRITERS = (
    *one_of(
        "state-not-carried",
        ("the state never changes: read each symbol that was drawn", {"reads": "nothing"}),
    ),
    *one_of(
        "another-symbol-read",
        ("the end is read at each step: read what was drawn", {"reads": "end"}),
        ("each step reads the symbol BEFORE the one that was drawn", {"reads": "one before"}),
        (
            "from the second symbol on each step reads the symbol BEFORE the one that was drawn",
            {"reads": "late"},
        ),
        (
            "something is read before the first symbol: the given state predicts it",
            {"begins": "reads"},
        ),
    ),
    *one_of("greedy", ("the likeliest symbol comes each time: draw one", {"chosen": "greedy"})),
    *one_of(
        "fair-dice", ("all symbols are equally likely: where is the model?", {"chosen": "even"})
    ),
    *one_of(
        "no-softmax",
        ("these are the shares of sigmoids: a softmax is asked", {"chosen": "sigmoid"}),
    ),
    *one_of(
        "another-temperature",
        ("the logits are halved before the softmax", {"chosen": "hotter"}),
        ("the logits are doubled before the softmax", {"chosen": "colder"}),
    ),
    *one_of("goes-on-after-the-end", ("texts go on after their end", {"over": "nothing"})),
    *one_of(
        "all-end-at-once",
        (
            "all texts end as soon as one of them does: each has its own end",
            {"over": "all at once"},
        ),
    ),
    *one_of(
        "last-place-ends",
        ("the last place always holds the end: a text is cut there as it is", {"over": "cut"}),
    ),
    *one_of(
        "no-end", ("no text of yours ends: the end is a symbol like all", {"chosen": "no end"})
    ),
)


def writer(draw: Draw) -> Writer:
    """A model under which all these laws are far from one another."""
    best, found = -1.0, None
    for _ in range(80):
        h, A, U = draw.normal(1, 3), 1.2 * draw.normal(LETTERS, 3), 0.8 * draw.normal(3, 3)
        case = (h, A, U, 1.5 * draw.normal(LETTERS, 3), 0.5 * draw.normal(LETTERS))
        laws = [[law_of_writing(*case, **options).reshape(1, -1)] for options in _OPTIONS]
        ends_at_once = laws[0][0].reshape((LETTERS,) * LIMIT)[END].sum()
        gap = apart(laws) - (ends_at_once < 0.01)  # some text of many ends at its first place
        if gap > best:
            best, found = gap, case
        if best > 0.16:
            break
    return found


_OPTIONS = ({}, *(m.options for m in _WRITERS))
_WRITERS += (
    *one_of(
        "goes-on-after-the-end",
        (
            "one symbol more is drawn behind an end: from the end on there are ends",
            {"over": "late"},
        ),
    ),
    *one_of(
        "another-temperature",
        *(
            (
                "the logits are divided by a number below 1 before the softmax (a temperature): "
                "softmax(logits) is asked",
                {"chosen": t},
            )
            for t in (0.8, 0.7, 0.6, 0.9)
        ),
        *(
            (
                "the logits are divided by a number above 1 before the softmax (a temperature): "
                "softmax(logits) is asked",
                {"chosen": t},
            )
            for t in (1.2, 1.5)
        ),
    ),
    Mistake(
        "softmax-over-the-batch",
        "your probabilities sum to 1 over the texts: they must over the symbols, dim=-1",
        gives=lambda *case: over_the_batch(*case).reshape(1, -1),
    ),
)


def over_the_batch(h: Array, A: Array, U: Array, R: Array, c: Array) -> Array:
    """The law where each symbol's exponentials are divided by their mean over many texts."""
    texts = {(): (h, 1.0)}
    for _ in range(LIMIT):
        e = {text: np.exp((state @ R.T + c)[0]) for text, (state, _) in texts.items()}
        mean = sum(p * e[text] for text, (_, p) in texts.items())
        after = {}
        for text, (state, p) in texts.items():
            share = e[text] / mean / (e[text] / mean).sum()
            for symbol in (END,) if END in text else range(LETTERS):
                q = p if END in text else p * share[symbol]
                after[(*text, symbol)] = read(np.array([symbol]), state, A, U), q
        texts = after
    law = np.zeros((LETTERS,) * LIMIT)
    for text, (_, p) in texts.items():
        law[text] = p
    return law


def judged_writer(case: Writer, asked: list[int]) -> Callable[..., torch.Tensor]:
    """What the judge answers to step(x, h) and to logits(h); notes how many rows were stepped."""
    _, A, U, R, c = case
    step = judged_step(A, U)

    def answer(what: str, *args: Any) -> torch.Tensor:
        if what == "step":
            asked.append(len(args[1]) if hasattr(args[1], "__len__") else 0)
            if len(asked) > 500 and max(asked) == 1:
                raise ValueError("step gets one text at a time: write all texts side by side")
            return step(*args)
        (state,) = args
        if not isinstance(state, torch.Tensor) or state.ndim != 2 or state.shape[1] != len(U):
            raise ValueError(f"logits wants states (B, {len(U)}): got {_shape(state)}")
        return tensor(state.detach().numpy() @ R.T + c)

    return answer


@checks("sample", lesson=LESSON, points=3, see="Exercise 6: write")
def texts_that_are_written(sample: Standin, draw: Draw) -> Iterator[Claim | Cause]:
    """A symbol from the state, the state from the symbol."""

    def take(case: Writer, count: int, limit: int, generator: Any, asked: list[int]) -> Array:
        begun = begin_writing(sample, tensor(np.repeat(case[0], count, 0)), limit, generator)
        found = answered(begun, judged_writer(case, asked), [generator] if generator else [])
        x = expect_array(found, (count, limit), "int", "the texts")
        if x.size and not 0 <= x.min() <= x.max() < LETTERS:
            raise WrongKind(f"the symbols should lie in 0 … {LETTERS - 1}: got {shown(x)}")
        return x

    def ask(*case: Any) -> Any:
        x = take(case, DRAWS, LIMIT, draw.generator(), [])
        if (x == x[0]).all():
            few = [take(case, 3, LIMIT, draw.generator(), [])[0] for _ in range(12)]
            if any((one != x[0]).any() for one in few):
                return SAME
        return frequencies(x, LETTERS).reshape(1, -1)

    cases: list[Writer] = [writer(draw)]
    subject = Subject(
        ask=ask,
        rule=lambda *case, **wrong: law_of_writing(*case, **wrong).reshape(1, -1),  # no slips
        mistakes=_WRITERS,
        symptoms=(
            Symptom(
                "same-for-all",
                "all texts of a call are alike: each needs draws of its own",
                lambda seen: any(isinstance(o.answer, str) for o in seen),
            ),
        ),
        show=lambda *case: f"{DRAWS:,} texts of at most {LIMIT} symbols",
        told=_told_texts,
        alike=as_often,
    )
    right = yield from examine(
        subject,
        draw,
        Property(
            "often",
            "each text comes as often as the model says, and holds the end from its end on",
            lambda draw: [writer(draw)] if draw.name.endswith("once more") else cases,
            points=1.5,
            asks="symbols from softmax(logits(h)), each read by step before the next one is drawn",
        ),
    )
    endless = (*cases[0][:4], np.array([-9.0, 0, 0]))
    needs = waits_unless(right, "texts that come as often as they should")
    shared = ""
    if right:
        law = law_of_writing(*cases[0])
        shared = shared_in_pairs(take(cases[0], DRAWS, LIMIT, draw.generator(), []), law)
    yield claim(
        "each text is written for itself",
        not shared,
        points=0.5,
        saw=shared,
        asks="pairs of texts that agree as often as independent ones do",
        waits=needs,
        advice=when(shared, KNOW_EACH_OTHER, hang_together("texts")),
    )
    if right:
        note_on_writing(sample, take, cases[0], draw)
    yield from _cost_of_writing(take, draw, right)
    source = claim_of_the_generator(lambda g: take(endless, 40, 9, g, []), draw, 0.5, needs)
    note_on_default(sample, lambda g: take(endless, 40, 9, g, []), right=source.holds)
    yield source


def note_on_writing(sample: Standin, take: Callable, case: Writer, draw: Draw) -> None:
    """Notes texts without all their places where all have ended, or a first state that changes."""
    endless = (*case[:3], 0 * case[3], np.array([-40.0, 0, 0]))
    try:
        take(endless, 1, LIMIT, draw.generator(), [])
    except (StudentFailed, WrongKind) as why:
        note(sample, of_one_text(str(why)))
        return
    off = ""
    try:
        ended = take((*case[:3], 0 * case[3], np.array([40.0, 0, 0])), 4, 5, draw.generator(), [])
        off = "" if not ended.any() else shown(ended)
    except WrongKind as why:
        off = str(why)
    first = tensor(draw.normal(3, 4))
    if off:
        note(
            sample,
            claim(
                "a text has `limit` places, also where all have ended",
                False,
                id="places",
                points=COSTS,
                saw=off,
                asks="int64 (B, limit): from its end on a text holds the end",
                advice=when(
                    True,
                    "places-missing",
                    "who stops when all texts have ended fills up what is left with the end",
                ),
            ),
        )
    elif not same(state_afterwards(sample, first, 3, draw.generator()), first):
        note(sample, overwritten(sample, first))


def of_one_text(saw: str) -> Claim:
    """The claim that a batch may hold one text, which fails."""
    return claim(
        "a batch may hold one text",
        False,
        id="one",
        points=COSTS,
        saw=f"{saw}, for a first state (1, H)",
        asks="int64 (1, limit)",
        advice=when(
            True,
            "one-row-lost",
            "squeeze() takes away every axis of length 1, that of a batch of one text, too: name "
            "the axis",
        ),
    )


def _cost_of_writing(take: Callable, draw: Draw, right: bool) -> Iterator[Claim]:
    """That a symbol costs a step, however many stand before it."""
    asked: list[int] = []
    rows, limit = 4, 16
    if right:
        h, A, U, R, _ = writer(draw)
        take((h, A, U, 0 * R, np.array([-40.0, 0, 0])), rows, limit, draw.generator(), asked)
    most = rows * (limit + 1)
    again = sum(asked) > most
    yield claim(
        "each symbol costs one step, however many stand before it",
        not again,
        id="constant-cost",
        points=0.5,
        saw=f"{sum(asked)} steps for {rows} texts of {limit} symbols",
        asks=f"a step a symbol, {rows * limit}: the past is in the state",
        waits=waits_unless(right, "texts that come as often as they should"),
        advice=when(
            again,
            "past-read-again",
            "the text is read from its beginning for each symbol: keep the state, and read the new "
            "symbol only",
        ),
    )


SAME = "one text for all rows of a call, and another one in the next call"


def _told_texts(answer: Any) -> str:
    if isinstance(answer, str):
        return answer
    law = answer.reshape((LETTERS,) * LIMIT)
    best = sorted(np.ndindex(law.shape), key=lambda at: -law[at])[:5]
    return ", ".join(f"{''.join(map(str, at))} {law[at]:.1%}" for at in best) + ", …"


# --- scan -----------------------------------------------------------------------------------------


def rule_of_scan(
    a: Array,
    b: Array,
    *,
    order: int = 1,
    a_of: int = 0,
    first: str = "zero",
    gives: str = "after",
    decay: str = "a",
    b_by: str = "1",
) -> Array:
    """h_t = a_t h_{t−1} + b_t from 0 on. Each option turns one thing of it wrong."""
    T = b.shape[1]
    h = np.ones_like(b[:, 0]) if first == "one" else np.zeros_like(b[:, 0])
    out = np.zeros_like(b)
    for t in range(T)[::order]:
        before = h
        at = a[:, min(max(t + a_of, 0), T - 1)]
        at = {"a": at, "none": np.ones_like(at), "1 - a": 1 - at}[decay]
        h = at * h + {"1": 1.0, "1 - a": 1 - at, "a": at}[b_by] * b[:, t]
        out[:, t] = {"after": h, "before": before}[gives]
    return out


def in_rounds(
    a: Array,
    b: Array,
    *,
    grow: bool = True,
    turned: bool = False,
    rounds: int = 99,
    early: bool = False,
    before: bool = False,
    start: int = 1,
    further: Callable[[int], int] = lambda distance: 2 * distance,
    goes_on: Callable[..., bool] = lambda distance, B, T: distance < T,
    finished: float = 1.0,
    around: bool = False,
) -> Array:
    """The scan in rounds, with one thing of it wrong.

    `further` gives the next round's distance, `goes_on` says whether there is a round; `finished`
    is what the first places keep, which with `around` are joined to the last ones.
    """
    distance = start
    while goes_on(distance, *a.shape[:2]) and distance < a.shape[1] and rounds > 0:
        here, near_b, near_a = a[:, distance:], b[:, :-distance], a[:, :-distance]
        new_a = np.concatenate([a[:, :distance], here * near_a], 1)
        used = new_a[:, distance:] if early else near_a if turned or before else here
        joined = used * (b[:, distance:] if turned else near_b) + (
            near_b if turned else b[:, distance:]
        )
        if around:
            b = a * np.roll(b, distance, 1) + b
            new_a = a * np.roll(a, distance, 1)
        else:
            b = np.concatenate([finished * b[:, :distance], joined], 1)
        a = new_a if grow else a
        distance, rounds = further(distance), rounds - 1
    return b


def place_by_place(a: Array, b: Array) -> Array:
    """Rounds that write into the arrays they read, from the first place to the last."""
    a, b, distance = a.copy(), b.copy(), 1
    while distance < a.shape[1]:
        for t in range(distance, a.shape[1]):
            b[:, t] += a[:, t] * b[:, t - distance]
            a[:, t] *= a[:, t - distance]
        distance *= 2
    return b


def in_doublings(a: Array, b: Array) -> Array:
    """The scan once more, in as many rounds as the number of steps has binary digits."""
    for k in range(a.shape[1].bit_length()):
        distance = 2**k
        here = a[:, distance:]
        b = np.concatenate([b[:, :distance], here * b[:, :-distance] + b[:, distance:]], axis=1)
        a = np.concatenate([a[:, :distance], here * a[:, :-distance]], axis=1)
    return b


def recurrences(draw: Draw) -> list[tuple]:
    """Of one step, two, a power of two and no power of two, and many."""
    cases = []
    for T in (draw.integer(5, 7), 8, 2, 1, draw.integer(70, 90)):
        B, H = draw.integer(1, 3), draw.integer(2, 3)
        cases.append((draw.normal(B, T, H), draw.normal(B, T, H)))
    return cases


def forgetful(draw: Draw) -> list[tuple]:
    """Hundreds of steps that forget fast, and some that forget all."""
    a = 0.02 + 0.1 * draw.uniform(2, 400, 2)
    zeros = draw.normal(1, 30, 3)
    zeros[:, draw.integer(5, 12)] = 0.0  # more than 16 steps follow: five rounds are needed
    return [(a, draw.normal(2, 400, 2)), (zeros, draw.normal(1, 30, 3))]


def _no_numbers(seen: Sequence[Observation]) -> bool:
    failed = [o for o in seen if o.fails]
    return all(
        isinstance(o.answer, np.ndarray)
        and o.answer.shape == o.right.shape
        and not np.isfinite(o.answer).all()
        for o in failed
    )


def _no_numbers_soon(seen: Sequence[Observation]) -> bool:
    short = [o for o in seen if o.args[0].shape[1] <= 8 and np.abs(o.args[0]).min() > 1e-9]
    return _no_numbers(seen) and any(
        o.fails and np.isnan(o.answer).any() and np.isfinite(o.right).all() for o in short
    )


def _only_long_ones(seen: Sequence[Observation]) -> bool:
    failed = [o for o in seen if o.fails]
    return any(not o.fails and o.args[0].shape[1] > 2 for o in seen) and all(
        o.args[0].shape[1] > 8 and isinstance(o.answer, np.ndarray) for o in failed
    )


def up_the_tree(a: Array, b: Array) -> Array:
    """Pairs joined, then pairs of pairs, …: the first half of Blelloch's scan, and no more."""
    T, distance = b.shape[1], 1
    size = 1 << (T - 1).bit_length()
    a, b = (
        np.concatenate([v, np.ones((len(v), size - T, v.shape[2])) * w], 1)
        for v, w in ((a, 1), (b, 0))
    )
    while distance < size:
        to = np.arange(2 * distance - 1, size, 2 * distance)
        b[:, to] += a[:, to] * b[:, to - distance]
        a[:, to] *= a[:, to - distance]
        distance *= 2
    return b[:, :T]


def with_one_a(a: Array, b: Array) -> Array:
    """The states if the first a stood at every step."""
    return rule_of_scan(np.broadcast_to(a[:, :1], a.shape), b)


def by_sums(a: Array, b: Array) -> Array:
    """A log-space scan that is given a and b in the place of their logarithms."""
    start = np.cumsum(a, axis=1)
    return start + np.logaddexp.accumulate(b - start, axis=1)


def along_the_texts(a: Array, b: Array) -> Array:
    """The scan over the first axis."""
    return rule_of_scan(a.swapaxes(0, 1), b.swapaxes(0, 1)).swapaxes(0, 1)


_SCANS = (
    Mistake("another-axis", "the rounds run over the texts: time is axis 1", gives=along_the_texts),
    Mistake(
        "half-a-scan",
        "pairs are joined, and pairs of pairs, and the way down is missing: only some places hold "
        "all steps before them",
        gives=up_the_tree,
    ),
    Mistake(
        "a-of-another-step",
        "the first a stands at every step: a_t belongs to step t",
        gives=with_one_a,
    ),
    Mistake(
        "logs-not-taken",
        "this is a scan in logarithms, and a and b went in as they are (and they may be negative)",
        gives=by_sums,
    ),
    Mistake(
        "written-in-the-round",
        "a round writes one place after the other, from the front, and later places read what it "
        "has just made: all places of a round read what stood there before it",
        gives=place_by_place,
    ),
    *one_of(
        "a-ignored",
        ("this is the sum of the b: a_t must multiply what came before", {"decay": "none"}),
    ),
    *one_of("backwards", ("the text is read from its end", {"order": -1})),
    *one_of(
        "a-of-another-step",
        ("b_t comes with the a of the step before", {"a_of": -1}),
        ("b_t comes with the a of the next step", {"a_of": 1}),
    ),
    Mistake(
        "another-recurrence",
        "this is the sum of a_t b_t: a_t must multiply the state before, and b_t is added",
        gives=lambda a, b: np.cumsum(a * b, axis=1),
    ),
    *one_of("state-before", ("place t holds the state BEFORE step t", {"gives": "before"})),
    *one_of(
        "another-recurrence",
        ("b_t is multiplied by 1 − a_t: it is added as it is", {"b_by": "1 - a"}),
        ("b_t is multiplied by a_t: it is added as it is", {"b_by": "a"}),
        ("1 − a_t stands where a_t belongs", {"decay": "1 - a"}),
    ),
    Mistake(
        "a-returned",
        "the a of the joined maps comes back: the states are their b",
        gives=lambda a, b: np.cumprod(a, axis=1),
    ),
    Mistake(
        "a-returned",
        "both numbers of the joined maps come back: the states are b alone",
        gives=lambda a, b: np.stack([np.cumprod(a, axis=1), rule_of_scan(a, b)]),
    ),
    Mistake(
        "last-state-only",
        "only the last state comes back: all are asked",
        after=lambda v, *_: v[:, -1],
    ),
    *one_of("begins-with-one", ("the state begins with 1: it begins with 0", {"first": "one"})),
    *(
        Mistake(name, advice, gives=functools.partial(in_rounds, **options))
        for name, advice, options in (
            (
                "a-not-joined",
                "only b is joined in your rounds: a map over two steps has the a of BOTH",
                {"grow": False},
            ),
            (
                "joined-the-other-way-round",
                "the map here comes AFTER the one before: its a multiplies the other's b",
                {"turned": True},
            ),
            (
                "a-of-the-map-before",
                "what comes from the place before is multiplied by the a that stands THERE: by "
                "the a of the place that it comes to",
                {"before": True},
            ),
            (
                "one-round",
                "one round joins two steps: go on with twice the distance",
                {"rounds": 1},
            ),
            *(
                (
                    "a-round-too-few",
                    "the last round is missing: go on as long as the distance is less than "
                    "the number of steps",
                    {"goes_on": goes_on},
                )
                for goes_on in (
                    lambda d, B, T: d < T // 2,
                    lambda d, B, T: 2 * d <= T,
                    lambda d, B, T: 2 * d < T,
                )
            ),
            *(
                (
                    "a-round-too-few",
                    "your rounds end at a distance that does not know how many steps there are",
                    {"goes_on": lambda d, B, T, most=most: d < most},
                )
                for most in (4, 8, 16, 32, 64)
            ),
            (
                "another-axis",
                "the rounds are counted by the number of texts: time is axis 1",
                {"goes_on": lambda d, B, T: d < B},
            ),
            (
                "begins-too-far",
                "your first round joins places two apart: it joins neighbors",
                {"start": 2},
            ),
            (
                "distance-grows-by-one",
                "the distance grows by 1: after each round a place holds twice as many "
                "steps, so it doubles",
                {"further": lambda distance: distance + 1},
            ),
            (
                "finished-places-lost",
                "the first places of a round have nothing before them: they stay as they are",
                {"finished": 0.0},
            ),
            (
                "joined-around",
                "the first places are joined to the last ones: nothing stands before them",
                {"around": True},
            ),
            (
                "a-joined-too-early",
                "b is made with the new a: it needs the a that stood there before",
                {"early": True},
            ),
        )
    ),
)


@checks("scan", lesson=LESSON, points=3, see="Exercise 7: not waiting")
def recurrence_without_waiting(scan: Standin, draw: Draw) -> Iterator[Claim | Cause]:
    """Maps joined over distances of 1, 2, 4, …"""
    subject = Subject(
        ask=asking(scan, "the states"),
        rule=lambda *case, **wrong: rule_of_scan(*case, **wrong),  # slips: of the rounds
        forms=(in_doublings,),
        mistakes=_SCANS,
        symptoms=(
            Symptom(
                "log-of-a-negative",
                "where it fails, your answer is no number, after a few steps already, where no "
                "product of a's is 0: is there a logarithm (or a root)? a and b may be negative",
                _no_numbers_soon,
            ),
            Symptom(
                "divided-by-products",
                "where it fails, your answer is no number: a product of many a became 0, and "
                "something was divided by it",
                _no_numbers,
            ),
            Symptom(
                "few-steps-only",
                "few steps are right, and many are not: do your rounds end too early, or is "
                "something divided by a product of many a's, which is soon 0 or huge?",
                _only_long_ones,
                weak=True,
            ),
        ),
        show=lambda a, b: f"a = {shown(a)}, b = {shown(b)}",
        told=told_with_shape,
        smaller=lambda a, b: (
            [(np.full((1, T, 1), 0.5), np.array([8.0, 4, 2])[None, :T, None]) for T in (2, 3)]
            if a.size > 3
            else ()
        ),
        by_hand=lambda a, b: (
            " → ".join(f"{v:g}" for v in rule_of_scan(a, b)[0, :, 0]) if a.size <= 3 else ""
        ),
        alike=near,
    )
    right = yield from examine(
        subject,
        draw,
        Property(
            "states",
            "place t holds h_t = a_t h_{t−1} + b_t, for any number of steps",
            recurrences,
            points=1.5,
            asks="the states of the loop, from h = 0 on",
        ),
        Property(
            "forgets",
            "also where the state forgets fast, or all at once",
            forgetful,
            points=0.5,
            asks="a product of a's may be 0: nothing is divided by it",
            typical=False,
            needs="states",
        ),
    )
    short, long = (launched(scan, *(tensor(draw.normal(1, T, 2)) for _ in "ab")) for T in (64, 512))
    counts = [n if type(n) is int else 0 for n in (short, long)]
    waits = counts[1] - counts[0] >= 200
    yield claim(
        "no step waits for the one before: 448 steps more take only a few calls more",
        counts[0] > 0 and not waits,
        id="at-once",
        points=1,
        saw=f"{counts[0]} calls one after the other for 64 steps, {counts[1]} for 512",
        asks="three rounds more, each of a few calls on whole arrays",
        waits=waits_unless(right or waits, "states that are right"),
        advice=[
            when(
                waits,
                "a-loop-over-the-steps",
                "the calls grow in number as the steps do: join maps over distances of 1, 2, 4, … "
                "for all places at once, so that twice the steps take one round more",
            ),
            "nothing was done with torch",
        ],
    )
