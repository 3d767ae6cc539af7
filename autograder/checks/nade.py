"""Checks of lesson 04, NADE: a hidden layer for each bit, made of columns that all steps share.

Notation: h_i = σ(c + Σ_{j<i} W_{·j} x_j), logit_i = b_i + V_{i·} h_i (Larochelle and Murray, 2011,
"The Neural Autoregressive Distribution Estimator"); all logs are natural.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from functools import partial
from typing import Any

import numpy as np
import torch

from autograder import claim, expect_array, when
from autograder.checking import checks
from autograder.checks import counts
from autograder.checks.arguments import overwritten
from autograder.checks.numbers import close, sigmoid, single
from autograder.checks.samples import (
    DRAWS,
    ONE_ROW,
    ONE_ROW_ADVICE,
    all_bits,
    as_often,
    claim_of_independence,
    claim_of_the_generator,
    frequencies,
    of_the_first_row,
    place_of,
)
from autograder.checks.witness import looks_at, same, waits_unless
from autograder.claims import Cause, Claim, waiting
from autograder.diagnosis import Mistake, Property, Subject, Symptom, examine
from autograder.diagnosis.examine import shown
from autograder.diagnosis.mistakes import Observation, several
from autograder.draw import Draw
from autograder.inside import call_and_keep
from autograder.inside.nade import Table, begin_search, counted, gradients_of, launched
from autograder.remote.callbacks import answered
from autograder.remote.proxy import Standin, note

LESSON = "04_nade"

Numbers = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]  # W, c, V, b


# --- what the mathematics says --------------------------------------------------------------------


def logit_of(p: np.ndarray) -> np.ndarray:
    """The logit of a probability, element by element."""
    return np.log(p) - np.log1p(-p)


def nade_rule(
    x: np.ndarray,
    *numbers: np.ndarray,
    columns: Callable[[int], slice] = slice,
    switch: Callable[[np.ndarray], np.ndarray] = lambda x: x,
    share: Callable[[int], float] = lambda i: 1.0,
    times: Callable[[int], float] = lambda i: 1.0,
    activation: Callable[[np.ndarray], np.ndarray] = sigmoid,
    late: float = 0.0,
    row: Callable[[int], int] = int,
    vote: Callable[[int], float] = lambda i: 1.0,
    bias: float = 1.0,
    bias_of: Callable[[int], int] = int,
    out: Callable[[np.ndarray], np.ndarray] = lambda logit: logit,
) -> np.ndarray:
    """The logits (B, n) for W, c, V, b. Each option turns one thing of them wrong.

    Step i sees `columns(i)`, switched on by `switch(x)` and counted `share(i)` times, c counted
    `times(i)` times and `late` times behind σ, `row(i)` of V, `vote(i)` times, and `bias_of(i)` of
    b; `out` is applied at the end.
    """
    W, c, V, b = numbers
    logits = []
    for i in range(len(b)):
        seen = columns(i)
        a = times(i) * c + share(i) * switch(x)[:, seen] @ W[:, seen].T
        hidden = vote(i) * (activation(a) + late * c)
        logits.append(out(hidden @ V[row(i)] + bias * b[bias_of(i)]))
    return np.stack(logits, axis=1)


def sweep(
    x: np.ndarray,
    *numbers: np.ndarray,
    carry: Callable[[np.ndarray], np.ndarray] = lambda a: a,
    bit: Callable[[np.ndarray, np.ndarray], np.ndarray] = lambda x, logit: x,
) -> np.ndarray:
    """The logits once more, the sum carried along: `carry(a)` of it, columns added by `bit`."""
    W, c, V, b = numbers
    a, logits = np.repeat(c[None], len(x), axis=0), []
    for i in range(len(b)):
        logits.append(sigmoid(a) @ V[i] + b[i])
        a = carry(a) + bit(x[:, i], logits[i])[:, None] * W[:, i]
    return np.stack(logits, axis=1)


def _later(sums: np.ndarray) -> np.ndarray:
    return np.concatenate([np.zeros_like(sums[:, :1]), sums[:, :-1]], axis=1)


def _earlier(sums: np.ndarray) -> np.ndarray:
    return np.concatenate([sums[:, 1:], np.zeros_like(sums[:, :1])], axis=1)


def scan(
    x: np.ndarray,
    *numbers: np.ndarray,
    sums: Callable[..., np.ndarray] = lambda x, W: (x[:, :, None] * W.T).cumsum(axis=1),
    shift: Callable[[np.ndarray], np.ndarray] = _later,
) -> np.ndarray:
    """The logits at once: `sums(x, W)` of columns for all steps, (B, n, h), moved by `shift`."""
    W, c, V, b = numbers
    return (sigmoid(c + shift(sums(x, W))) * V).sum(axis=2) + b


_ADVICE = {
    "sees-itself": "step i uses its own bit: h_i is made of the columns BEFORE i, so predict first "
    "and add column i afterwards",
    "autoencoder": "every step uses all columns: that is an autoencoder, whose outputs see what "
    "they predict",
    "future-columns": "these are columns of the future, from i on or after i: step i uses those "
    "before it",
    "one-column-short": "step i has lost the column of its neighbor i−1: all before i count",
    "slices-count-from-0": "the formula counts steps from 1, a slice from 0: the column of the "
    "neighbor is lost at each step, and at the first a −1 takes all columns but the last",
    "c-after-sigmoid": "c is added to σ of the sum: it belongs inside, h = σ(c + …)",
    "summed-over-hidden-units": "the sums run over the hidden units, from one to the next: they "
    "should run over the steps",
    "bits-summed-for-columns": "the bits are added up, and the total multiplies one column: every "
    "bit multiplies its own column, and then these are added",
    "rolled": "the first step gets the sum of all columns, round from the other end: nothing comes "
    "before the first",
    "shifted-to-the-wrong-side": "your sums are moved the wrong way: step i gets the sum that "
    "belongs after it, with columns of the future",
    "last-column-only": "step i uses one column only: the sum runs over all j < i, so what is "
    "carried must be kept",
    "one-pass": "nothing of the past is heard: add column i, times its bit, after each step",
    "c-forgotten": "c is missing: the sum starts from c, at every step",
    "c-forgotten-at-first": "c is missing at the first step: nothing comes before x_1, and a_1 = c",
    "c-added-again": "c is added again with each column: it counts once in every a_i",
    "first-step-empty": "the first step has a hidden vector too: h_1 = σ(c), and V_1 votes",
    "mean-for-sum": "this is a mean of the columns: add them up, and divide by nothing",
    "V-row-shared": "one row of V serves all steps: V is not shared, step i has a row of its own",
    "V-row-late": "step i uses the row of V that belongs to the step before it",
    "b-late": "step i has the number of b that belongs to the step before it",
    "sigmoid-fed-back": "σ of the sum is carried along: carry the sum a itself, and take σ of it "
    "only where you predict",
    "sigmoid-forgotten": "the hidden units lack their sigmoid: without it NADE is linear again",
    "other-activation": "the hidden units have another activation than the sigmoid",
    "b-forgotten": "b is missing: every logit has a bias of its own",
    "sigmoid-applied": "the sigmoid is taken once too often at the end: the logit is what goes "
    "INTO the last one",
    "x-forgotten": "columns are added whatever the bit is: column j counts times x_j",
    "bits-inverted": "columns are added where the bit is 0: column j counts times x_j",
    "spins-for-bits": "a bit of 0 takes its column away: column j counts times x_j, which is 0 "
    "then, so nothing is added",
    "first-example-for-all": "every example gets the columns of the FIRST one's bits: each row of "
    "x has its own",
    "carried-over-examples": "the sum goes on from one example to the next: each begins with c",
    "column-late": "bit i switches on the column of the bit before it (the first one the last): "
    "column i belongs to x_i",
    "column-early": "bit i switches on the column of the bit AFTER it (the last one the first): "
    "column i belongs to x_i",
    "b-forgotten-at-first": "b is missing at the first step: nothing comes before x_1, and it has "
    "a bias all the same",
    "c-twice": "c is added twice, where the sum begins and again inside σ: it counts once",
    "summed-over-the-batch": "the bits of all examples are added up, and switch on the columns of "
    "every one: each row of x has a sum of its own",
    "reshaped-for-turned": "W is reshaped where it should be turned: a reshape leaves the numbers "
    "in their sequence and only breaks the rows elsewhere, and gives no columns",
    "future-filled-in": "bits that come later are filled in with a number and vote: leave their "
    "columns out",
    "padded-at-the-end": "the sums stay where they are, and the last one is made 0: the "
    "zeros belong in front, so that each step gets the sum of the step before it",
    "viewed-for-turned": "the logits stand in memory step after step, all examples of a step "
    "together: another shape alone leaves them so, and mixes the examples. Whose logits stand in "
    "row 0 of your answer?",
    "moved-along-the-hidden-units": "the sums are moved from one hidden unit to the next: they "
    "should be moved from one step to the next",
    "bit-late": "column i is added times the bit BEFORE x_i: the bit just drawn switches on its "
    "own column",
    "probabilities-carried": "columns are added times the probability of their bit: column j "
    "counts times the bit x_j itself",
}


def _known(*ways: tuple[str, dict[str, Any]]) -> tuple[Mistake, ...]:
    return tuple(Mistake(name, _ADVICE[name], options=options) for name, options in ways)


_FUTURE = _known(
    ("sees-itself", {"columns": lambda i: slice(i + 1)}),
    ("autoencoder", {"columns": lambda i: slice(None)}),
    ("future-columns", {"columns": lambda i: slice(i, None)}),
    ("future-columns", {"columns": lambda i: slice(i + 1, None)}),
    ("bits-inverted", {"switch": lambda x: 1 - x}),
)
_SUMS = _known(  # those that can be drawn from
    ("one-column-short", {"columns": lambda i: slice(max(i - 1, 0))}),
    ("last-column-only", {"columns": lambda i: slice(max(i - 1, 0), i)}),
    ("one-pass", {"switch": np.zeros_like}),
    ("c-forgotten", {"times": lambda i: 0}),
    ("c-forgotten-at-first", {"times": lambda i: i > 0}),
    ("c-added-again", {"times": lambda i: i + 1}),
    ("first-step-empty", {"vote": lambda i: i > 0}),
    ("mean-for-sum", {"share": lambda i: 1 / max(i, 1)}),
    ("mean-for-sum", {"share": lambda i: 1 / max(i, 1), "times": lambda i: i == 0}),
    ("mean-for-sum", {"share": lambda i: 1 / (i + 1), "times": lambda i: 1 / (i + 1)}),
    ("V-row-shared", {"row": lambda i: 0}),
    ("V-row-shared", {"row": lambda i: -1}),
    ("V-row-late", {"row": lambda i: i - 1}),
    ("sigmoid-forgotten", {"activation": lambda a: a}),
    ("other-activation", {"activation": np.tanh}),
    ("other-activation", {"activation": lambda a: np.maximum(a, 0)}),
    ("b-forgotten", {"bias": 0.0}),
    ("sigmoid-applied", {"out": sigmoid}),
    ("x-forgotten", {"switch": np.ones_like}),
    ("spins-for-bits", {"switch": lambda x: 2 * x - 1}),
    ("c-twice", {"times": lambda i: 2}),
)


def _further(sums: np.ndarray) -> np.ndarray:
    return np.concatenate([np.zeros_like(sums[:, :, :1]), sums[:, :, :-1]], axis=2)


_SCANS = (
    ("moved-along-the-hidden-units", {"shift": _further}),
    ("rolled", {"shift": lambda sums: np.roll(sums, 1, axis=1)}),
    (
        "padded-at-the-end",
        {"shift": lambda s: np.concatenate([s[:, :-1], np.zeros_like(s[:, :1])], axis=1)},
    ),
    ("shifted-to-the-wrong-side", {"shift": _earlier}),
    *(
        (name, {"sums": sums, "shift": shift})
        for name, sums in (
            ("summed-over-hidden-units", lambda x, W: (x[:, :, None] * W.T).cumsum(axis=2)),
            ("bits-summed-for-columns", lambda x, W: x.cumsum(axis=1)[:, :, None] * W.T),
        )
        for shift in (_later, lambda sums: sums)
    ),
)
_SWEEPS = {
    "sigmoid-fed-back": partial(sweep, carry=sigmoid),
    "probabilities-carried": partial(sweep, bit=lambda x, logit: sigmoid(logit)),
}


def with_the_future_at(value: float, x: np.ndarray, *numbers: np.ndarray) -> np.ndarray:
    """The logits if every bit from i on counts as `value` at step i."""
    W, c, V, b = numbers
    logits = []
    for i in range(len(b)):
        a = c + x[:, :i] @ W[:, :i].T + value * W[:, i:].sum(axis=1)
        logits.append(sigmoid(a) @ V[i] + b[i])
    return np.stack(logits, axis=1)


def one_bit_late(x: np.ndarray, W: np.ndarray, *rest: np.ndarray) -> np.ndarray:
    """The logits if column i is switched on by the bit before it, and the first by none."""
    moved = np.roll(W, -1, axis=1)
    return nade_rule(x, moved, *rest, columns=lambda i: slice(max(i - 1, 0)))


def over_all_examples(x: np.ndarray, *numbers: np.ndarray) -> np.ndarray:
    """The logits of a sweep whose sum is never set back to c."""
    W, c, V, b = numbers
    a, logits = c, np.zeros(x.shape)
    for row, example in enumerate(x):
        for i in range(len(b)):
            logits[row, i] = sigmoid(a) @ V[i] + b[i]
            a = a + example[i] * W[:, i]
    return logits


def word(x: np.ndarray) -> str:
    """A few bits as they are written: 0110."""
    return "".join(f"{bit:.0f}" for bit in x[:12]) + "…" * (len(x) > 12)


def tensors(numbers: Sequence[np.ndarray]) -> list[torch.Tensor]:
    """W, c, V, b as tensors."""
    return [single(array) for array in numbers]


def numbers_of(draw: Draw, n: int, h: int, scale: float = 1.0) -> Numbers:
    """Random W (h, n), c (h,), V (n, h), b (n,), none of them small on the whole."""
    return (
        draw.normal(h, n, scale=scale) + 0.1,
        draw.normal(h, scale=scale) + 0.3,
        draw.normal(n, h, scale=scale) - 0.1,
        draw.normal(n, scale=scale) - 0.2,
    )


# The lesson's worked example: three bits, two hidden units.
EXAMPLE: Numbers = (
    np.array([[1.0, -2, 5], [0, 3, 7]]),
    np.array([0.0, -1]),
    np.array([[1.0, 1], [2, 0], [-1, 1]]),
    np.array([0.0, -1, 0.5]),
)


def first_bits(n: int) -> Numbers:
    """The worked example with its first n bits only."""
    W, c, V, b = EXAMPLE
    return W[:, :n], c, V[:n], b[:n]


def show_numbers(W: np.ndarray, c: np.ndarray, V: np.ndarray, b: np.ndarray) -> str:
    """Small W, c, V, b in words, of larger ones their sizes."""
    if W.size > 6:
        return f"n = {len(b)} bits with h = {len(c)} hidden units"
    W_in_words, V_in_words = ("; ".join(map(shown, rows)) for rows in (W, V))
    return f"W = {W_in_words}, c = {shown(c)}, V = {V_in_words}, b = {shown(b)}"


# --- logits, naive and in a sweep -----------------------------------------------------------------

VALUES = "h_i = σ(c + the columns before i, times their bits), logit_i = b_i + V_i h_i"
TRAINS = "training reaches W, c, V and b, and nothing is overwritten"


def logit_cases(draw: Draw) -> list[tuple[np.ndarray, ...]]:
    """Examples and numbers of several sizes, one bit and one hidden unit among them.

    Once there are as many examples as hidden units: what is lined up wrong is no error there.
    """
    cases = []
    for n, h, count in (
        (draw.integer(4, 6), draw.integer(7, 9), draw.integer(10, 12)),
        (3, 1, 1),
        (1, 2, 2),
        (draw.integer(9, 13), 4, 4),
    ):
        x = draw.bits(count, n)
        x[0] = np.arange(n) % 2 == 0  # or, once in a while, no column is switched on at all
        cases.append((x, *numbers_of(draw, n, h)))
    return cases


def first_off(answer: np.ndarray, right: np.ndarray, x: np.ndarray, *numbers: np.ndarray) -> str:
    """The first logit that is not the rule's."""
    off = ~np.isclose(answer, right, 1e-4, 1e-4)
    i = int(off.any(0).argmax())
    at = int(off[:, i].argmax())
    return (
        f"logit {i + 1} is the first that is off: {answer[at, i]:.4g} after {word(x[at, :i])}"
        f"{'' if i else 'nothing'}, in a model of {show_numbers(*numbers)}"
    )


def logits_by_hand(x: np.ndarray, W: np.ndarray, c: np.ndarray, V: np.ndarray, b: Any) -> str:
    """The steps for one example of a small model."""
    if len(x) > 1 or W.size > 6:
        return ""
    steps, a = [], c
    for i in range(len(b)):
        h = sigmoid(a)
        steps.append(
            f"a_{i + 1} = {shown(a)}, h_{i + 1} = {shown(h)}, logit_{i + 1} = {b[i]:g} + "
            f"{shown(V[i])}·h_{i + 1} = {b[i] + V[i] @ h:.4g}"
        )
        a = a + W[:, i] * x[0, i]
    return "; ".join(steps)


def smaller_examples(x: np.ndarray, *numbers: np.ndarray) -> Iterator[tuple[np.ndarray, ...]]:
    """The worked example, of one bit, two and three; and of one bit with another bias than 0."""
    for n in range(1, min(x.shape[1], 4)):
        yield from ((one[None], *first_bits(n)) for one in all_bits(n)[::-1])
    if x.shape[1] > 1:
        *rest, b = first_bits(1)
        yield np.ones((1, 1)), *rest, b + 1


def show_example(x: np.ndarray, *numbers: np.ndarray) -> str:
    """A case in words."""
    examples = f"the bits {word(x[0])}" if len(x) == 1 else f"{len(x)} examples"
    return f"{examples}, {show_numbers(*numbers)}"


_LOGITS = (
    *_FUTURE,
    *_SUMS,
    *(Mistake(name, _ADVICE[name], gives=gives) for name, gives in _SWEEPS.items()),
    *_known(
        ("slices-count-from-0", {"columns": lambda i: slice(i - 1)}),
        ("c-after-sigmoid", {"times": lambda i: 0, "late": 1.0}),
        ("b-late", {"bias_of": lambda i: i - 1}),
        ("c-added-again", {"times": lambda i: i}),
        ("first-example-for-all", {"switch": lambda x: np.repeat(x[:1], len(x), axis=0)}),
        ("summed-over-the-batch", {"switch": lambda x: np.repeat([x.sum(0)], len(x), axis=0)}),
    ),
    *(
        Mistake(name, _ADVICE[name], gives=gives)
        for name, gives in (
            ("carried-over-examples", over_all_examples),
            ("column-late", lambda x, W, *rest: nade_rule(x, np.roll(W, 1, axis=1), *rest)),
            ("column-early", lambda x, W, *rest: nade_rule(x, np.roll(W, -1, axis=1), *rest)),
            (
                "b-forgotten-at-first",
                lambda x, W, c, V, b: nade_rule(x, W, c, V, b * (np.arange(len(b)) > 0)),
            ),
            (
                "reshaped-for-turned",
                lambda x, W, *rest: nade_rule(x, W.reshape(W.T.shape).T, *rest),
            ),
            *(("future-filled-in", partial(with_the_future_at, v)) for v in (0.5, 1.0, -1.0)),
        )
    ),
    *(Mistake(name, _ADVICE[name], gives=partial(scan, **wrong)) for name, wrong in _SCANS),
    Mistake(
        "viewed-for-turned",
        _ADVICE["viewed-for-turned"],
        after=lambda logits, *_: logits.T.reshape(logits.shape),
    ),
)


def _claims_on_logits(
    function: Standin, draw: Draw, points: tuple[float, float, float]
) -> Generator[Claim | Cause, None, bool]:
    """Values, who sees whom, and training; returns whether the values are right."""

    def ask(x: np.ndarray, *numbers: np.ndarray) -> np.ndarray:
        return expect_array(function(single(x), *tensors(numbers)), x.shape, "float", "the logits")

    subject = Subject(
        ask=ask,
        rule=nade_rule,
        forms=(sweep, scan),
        mistakes=_LOGITS,
        show=show_example,
        told=lambda logits: "; ".join(map(shown, logits[:3])),
        by_hand=logits_by_hand,
        smaller=smaller_examples,
        alike=close,
    )
    values = Property(
        "values",
        VALUES,
        logit_cases,
        points[0],
        asks="for each step the columns j < i of W, c, the sigmoid, and its own row of V and of b",
        saw=first_off,
    )
    right = yield from examine(subject, draw, values)
    yield _who_sees_whom(ask, draw, points[1])
    yield _training(function, draw, points[2], right)
    return right


def _who_sees_whom(ask: Callable[..., np.ndarray], draw: Draw, points: float) -> Claim:
    """Every logit moves with each bit before it, and with no other: of each example, asked alone.

    What the examples of a batch make of each other is a matter of the values.
    """
    n, h = draw.integer(5, 7), 12
    seen = np.zeros((n, n), dtype=bool)
    for _ in range(3):
        numbers = numbers_of(draw, n, h, scale=1.5)
        base = draw.bits(1, n)
        rows = np.repeat(base, n + 1, axis=0)
        rows[np.arange(n), np.arange(n)] = 1 - base[0]
        answer = np.concatenate([ask(row[None], *numbers) for row in rows])
        seen |= (np.abs(answer[:n] - answer[n]) > 1e-4).T  # [i, j]: logit i moves with bit j
    leaks = [(i, j) for i, j in np.argwhere(seen) if j >= i]
    gaps = [(i, j) for i in range(n) for j in range(i) if not seen[i, j]]
    i, j = (leaks or gaps or [(0, 0)])[0]
    return claim(
        "no logit sees its own bit or a later one, and each sees all bits before it",
        not leaks and not gaps,
        id="sees",
        points=points,
        saw=f"logit {i + 1} {'changes' if leaks else 'never changes'} with x_{j + 1} at n = {n}",
        asks="logit i depends on x_1 … x_i−1, on all of them, and on nothing else",
        advice="look at the columns that each step uses: the explorer draws them",
    )


def _keeps(function: Standin, *args: torch.Tensor) -> bool:
    """Whether the arguments stay as they are: of one example what is expanded is no copy."""
    _, after = call_and_keep(function, *(one.clone() for one in args))
    return all(same(now, one) for now, one in zip(after, args, strict=True))


def _training(function: Standin, draw: Draw, points: float, right: bool) -> Claim:
    """The gradients are those of the logits, and the caller's tensors stay as they are."""
    n, h = draw.integer(3, 5), 4
    numbers = numbers_of(draw, n, h)
    x = draw.bits(6, n)
    x[0], x[1] = 1, 0
    found = gradients_of(function, single(x), *tensors(numbers))
    found = found if isinstance(found, dict) else {}
    kept = found.get("kept") is True and _keeps(function, single(x[:1]), *tensors(numbers))
    if kept and not right:  # the gradients of other logits say nothing
        return waiting(TRAINS, f"“{VALUES}”", points=points, id="trains")
    grads = found.get("gradients")
    grads = grads if isinstance(grads, list) and len(grads) == 4 else [None] * 4
    given = [p.requires_grad_() for p in tensors(numbers)]
    W, c, V, b = given
    steps = (torch.sigmoid(single(x)[:, :i] @ W[:, :i].T + c) @ V[i] + b[i] for i in range(n))
    (torch.stack(list(steps), dim=1) ** 2 / 2).sum().backward()
    cut = [name for name, grad in zip("WcVb", grads, strict=True) if grad is None]
    good = not cut and all(
        close(expect_array(grad, p.shape, "float", "a gradient"), p.grad.numpy())
        for grad, p in zip(grads, given, strict=True)
    )
    return claim(
        TRAINS,
        good and kept,
        id="trains",
        points=points,
        saw="arguments that are changed by the call"
        if not kept
        else f"no gradient for {', '.join(cut)}"
        if cut
        else "right logits, with gradients that are not theirs",
        asks="the gradient of the logits for all four, and tensors of the caller that stay as they "
        "are",
        advice=[
            when(
                not kept,
                "changed-in-place",
                "the call writes into a tensor of the caller: make a new one in its place (for a "
                "single example, c as a row and c expanded are c itself, and no copy)",
            ),
            when(
                right,
                "gradient-cut",
                "the values are right, and part of what makes them is cut off from training, as by "
                ".data, .detach(), .item(), .numpy() or no_grad",
            ),
        ],
    )


@checks("nade_naive", lesson=LESSON, points=3, see="Exercise 1: as the formula says")
def nade_as_the_formula_says(nade_naive: Standin, draw: Draw) -> Iterator[Claim | Cause]:
    """Every step sums the columns before it."""
    yield from _claims_on_logits(nade_naive, draw, (1.5, 1, 0.5))


# Counting. At h = 64 the sum of columns anew costs h n (n−1) / 2 multiply-adds, and the rest (σ, V,
# one column a step) a small multiple of n h: from n = 32 to 64 the whole grows by 3.6 or more, a
# sweep by 2.0. The bound stands between.
SIZES, HIDDEN, GROWTH = (32, 64), 64, 2.6
CROWD = 16  # examples of a batch
COST = "O(n h): × 2, up to small change, and no less than a step for each bit with all hidden units"


def growth_in_words(counts: Sequence[int]) -> str:
    """What was counted at the two sizes."""
    growth = counts[1] / max(counts[0], 1)
    counted_at = f"{counts[0]:,} operations at n = {SIZES[0]}"
    if counts[0] < SIZES[0] * HIDDEN:
        return f"{counted_at} and h = {HIDDEN}, fewer than V alone needs"
    return f"{counted_at}, {counts[1]:,} at n = {SIZES[1]}: × {growth:.2f}"


def too_fast_or_slow(counts: Sequence[int]) -> tuple[bool, bool]:
    """Whether fewer operations were counted than n h, and whether they grow faster than n."""
    return counts[0] < SIZES[0] * HIDDEN, counts[1] > GROWTH * counts[0]


@checks("nade", lesson=LESSON, points=4, see="Exercise 2: carry the sum along")
def nade_in_one_sweep(nade: Standin, draw: Draw) -> Iterator[Claim | Cause]:
    """The sum is carried along, a column a step."""
    right = yield from _claims_on_logits(nade, draw, (1.5, 0.5, 0.5))
    yield _linear_work(nade, draw, right, 1.5, _QUADRATIC)


# Of operations only their number is seen, and not whether W or V is to blame.
_QUADRATIC = (
    "somewhere a step does the work of n steps: of W it needs one column more than the step before "
    "(carry a along), and of V its own row alone, not all n logits"
)
_QUADRATIC_AT_ONCE = (
    "somewhere all n steps meet all n others, as in a matrix product of two sizes n: a prefix sum "
    "costs n h, and so does each step's σ with its OWN row of V"
)


def _linear_work(function: Standin, draw: Draw, right: bool, points: float, advice: str) -> Claim:
    """The same logits at two sizes, and twice the bits for twice the operations."""
    found, here = [], True
    for n in SIZES:
        numbers = numbers_of(draw, n, HIDDEN, scale=0.3)
        x = draw.bits(1, n)
        count, answer = _counted(function, single(x), *tensors(numbers))
        found.append(count)
        answer = expect_array(answer, x.shape, "float", "the logits")
        here &= close(answer, nade_rule(x, *numbers))
    little, slow = too_fast_or_slow(found)
    return claim(
        "the work grows like n: twice the bits, twice the operations",
        here and not little and not slow,
        id="grows",
        points=points,
        saw=growth_in_words(found)
        if little or slow
        else f"other logits than the rule's at n = {SIZES[0]} or {SIZES[1]}",
        asks=f"the same logits for {COST}",
        waits=waits_unless(right or slow, f"“{VALUES}”"),
        advice=[
            when(
                slow,
                "quadratic",
                advice,
            ),
            when(
                here and little,
                "not-counted",
                "right logits, and the work is done outside torch, where nothing can be trained",
            ),
            "the logits must be right at every size",
        ],
    )


@checks("nade_scan", lesson=LESSON, points=3, see="Exercise 6: all steps at once")
def nade_without_waiting(nade_scan: Standin, draw: Draw) -> Iterator[Claim | Cause]:
    """A prefix sum gives all steps their sums; no step waits for another."""
    right = yield from _claims_on_logits(nade_scan, draw, (1, 0.5, 0.5))
    yield _linear_work(nade_scan, draw, right, 0.5, _QUADRATIC_AT_ONCE)
    yield _at_once(nade_scan, draw, right)


def _at_once(nade_scan: Standin, draw: Draw, right: bool) -> Claim:
    """Calls of torch for more bits, and for more examples: hardly one more."""
    asked = [
        launched(nade_scan, single(draw.bits(count, n)), *tensors(numbers_of(draw, n, HIDDEN)))
        for n, count in ((SIZES[0], 1), (SIZES[1], 1), (SIZES[0], CROWD))
    ]
    first, second, crowd = (count if type(count) is int else 0 for count in asked)
    waits, one_by_one = second - first >= SIZES[1] - SIZES[0], crowd - first >= CROWD - 1
    return claim(
        "no step waits for another: twice the bits, and hardly a torch call more",
        first > 0 and not waits and not one_by_one,
        id="at-once",
        points=0.5,
        saw=f"{first} calls one after the other at n = {SIZES[0]}, {second} at n = {SIZES[1]}"
        if waits or not one_by_one
        else f"{first} calls one after the other for one example, {crowd} for {CROWD}",
        asks=f"fewer than a call more for each of the {SIZES[1] - SIZES[0]} bits that are new, and "
        "for each example",
        waits=waits_unless(right or waits, f"“{VALUES}”"),
        advice=[
            when(
                waits,
                "a-loop-over-the-bits",
                "every bit has calls of its own, each after the last: let one call make all the "
                "sums, and one each all the rest",
            ),
            when(
                one_by_one,
                "a-loop-over-the-examples",
                "every example has calls of its own, one after the other: a prefix sum along one "
                "axis takes all rows of x at once",
            ),
            "nothing was done with torch",
        ],
    )


def _counted(function: Standin, *args: Any) -> tuple[int, Any]:
    found = counted(function, *args)
    if isinstance(found, tuple) and len(found) == 2 and type(found[0]) is int:
        return found
    return 0, None


# --- samples --------------------------------------------------------------------------------------

OFTEN = "samples come as often as the model says"
COPIES = "where bits copy earlier ones, so do the samples, whatever the first bit is"


def joint_of(logits: np.ndarray) -> np.ndarray:
    """p(x) of all 2^n vectors when bit i of vector x has the logit `logits[x, i]`."""
    every = all_bits(logits.shape[1])
    return np.exp(-(np.logaddexp(0.0, logits) - every * logits).sum(1))


def law(*numbers: np.ndarray, rule: Callable[..., np.ndarray] = nade_rule, **wrong: Any) -> Any:
    """p(x) of all 2^n vectors of a NADE; options as those of `nade_rule`."""
    return joint_of(rule(all_bits(len(numbers[3])), *numbers, **wrong))


def law_of_a_sweep(W: np.ndarray, c: np.ndarray, V: np.ndarray, b: np.ndarray) -> np.ndarray:
    """p(x) once more, in one sweep over all vectors."""
    every = all_bits(len(b))
    a, bits, p = np.repeat(c[None], len(every), axis=0), [], 1.0
    for i in range(len(b)):
        one = sigmoid(sigmoid(a) @ V[i] + b[i])
        bits.append(every[:, i])
        p = p * np.where(bits[i] == 1, one, 1 - one)
        a = a + bits[i][:, None] * W[:, i]
    return p


def one_uniform(*numbers: np.ndarray) -> np.ndarray:
    """p(x) of all vectors when one uniform number serves all steps of an example."""
    (W, c, V, b), grid = numbers, (np.arange(2000) + 0.5) / 2000
    x = np.zeros((len(grid), len(b)))
    for i in range(len(b)):
        hidden = sigmoid(c + x[:, :i] @ W[:, :i].T)
        x[:, i] = grid < sigmoid(hidden @ V[i] + b[i])
    return frequencies(x)


_SAMPLES = (
    *_SUMS,
    *(
        Mistake(name, _ADVICE[name], gives=partial(law, rule=rule))
        for name, rule in _SWEEPS.items()
    ),
    Mistake(
        "bits-inverted",
        "ones and zeros have changed places: a bit is 1 with probability σ(logit)",
        options={"out": lambda logit: -logit},
    ),
    Mistake(
        "logit-for-probability",
        "a logit is no probability: take its sigmoid before you draw",
        options={"out": lambda logit: logit_of(np.clip(logit, 1e-9, 1 - 1e-9))},
    ),
    Mistake("bit-late", _ADVICE["bit-late"], gives=partial(law, rule=one_bit_late)),
    Mistake(
        "first-bit-a-coin",
        "your first bit is a fair coin: it has a probability of its own, σ(b_1 + V_1·σ(c)), though "
        "nothing comes before it",
        gives=lambda *numbers: law(*begins_with(0.0, *numbers)),
    ),
    Mistake(
        "noise-reused",
        "one uniform number serves all steps of an example: draw a new one each time",
        gives=one_uniform,
    ),
    Mistake(
        "fair-coins",
        "these are fair coins: where is the model?",
        gives=lambda *numbers: np.full(2 ** len(numbers[3]), 0.5 ** len(numbers[3])),
    ),
)


def laws_of(numbers: Numbers) -> tuple[list[str], np.ndarray]:
    """The right law, then those of the mistakes, (·, 2^n), and their names."""
    wrong = [m.gives or partial(law, **m.options) for m in _SAMPLES]
    laws = [law(*numbers), *(gives(*numbers) for gives in wrong)]
    return ["", *(m.name for m in _SAMPLES)], np.array(laws)


def distances(names: Sequence[str], laws: np.ndarray) -> np.ndarray:
    """‖p − q‖₁ of all pairs of laws with different names; inf for the others."""
    same = np.equal.outer(np.array(names), np.array(names))
    return np.where(same, np.inf, np.abs(laws[:, None] - laws).sum(2))


def begins_with(
    logit: float, W: np.ndarray, c: np.ndarray, V: np.ndarray, b: np.ndarray
) -> Numbers:
    """The same numbers with another b_1, by which the first bit has this logit."""
    return W, c, V, np.append(logit - V[0] @ sigmoid(c), b[1:])


def model_that_tells_apart(draw: Draw) -> Numbers:
    """Numbers under which all these laws are far from one another, and farther from the right.

    None of them gives one word nearly always, as an answer that draws nothing does: the first logit
    lies between 0 and 1, and so does what is taken for its probability.
    """
    best, found = -1.0, None
    for _ in range(150):
        first = 0.35 + 0.3 * float(draw.uniform())
        numbers = begins_with(first, *numbers_of(draw, 4, 6, scale=2.0))
        names, laws = laws_of(numbers)
        far = distances(names, laws)
        gap = min(far[0].min(), 1.5 * far.min(), 2 * (1 - laws.max(1)).min())
        if gap > best:
            best, found = gap, numbers
        if best > 0.15:
            break
    return found


def deterministic(draw: Draw, n: int) -> tuple[Numbers, np.ndarray]:
    """A NADE whose bit i copies bit i−1 or turns it around, and `turns` (n,) that says which.

    Hidden unit j is bit j: its sum is ±30. The logits after the first are ±30 too, so that a bit
    goes astray with a probability below 1e-12. The last column of W holds heavy weights that must
    not matter.
    """
    turns = draw.rng.integers(0, 2, size=n)
    W = 60.0 * np.eye(n)
    W[:, -1] = draw.normal(n, scale=500.0)
    V, b = np.zeros((n, n)), np.where(turns == 1, 30.0, -30.0)
    b[0] = 0.0
    V[np.arange(1, n), np.arange(n - 1)] = np.where(turns[1:] == 1, -60.0, 60.0)
    return (W, np.full(n, -30.0), V, b), turns


def unlike_the_law(answer: np.ndarray, right: np.ndarray, *numbers: np.ndarray) -> str:
    """The word whose frequency is farthest from its probability, or what is no bit."""
    if answer.ndim > 1:
        return f"values other than 0 and 1, such as {answer[~np.isin(answer, (0, 1))][0]:.3g}"
    worst = int(np.argmax(np.abs(answer - right)))
    return (
        f"{word(all_bits(len(numbers[3]))[worst])} in {answer[worst]:.1%} of {DRAWS:,} samples, "
        f"where the model gives it {right[worst]:.1%}"
    )


def told_frequencies(answer: np.ndarray) -> str:
    """The frequencies of a few words."""
    if answer.ndim > 1:
        return f"samples such as {shown(answer[0])}"
    words = all_bits(int(np.log2(answer.size)))
    return ", ".join(f"{word(x)} in {f:.1%}" for x, f in zip(words[:4], answer[:4], strict=False))


def law_by_hand(W: np.ndarray, c: np.ndarray, V: np.ndarray, b: np.ndarray) -> str:
    """The probabilities of a small model, step by step."""
    if W.size > 4:
        return ""
    steps = [f"p(x_1 = 1) = σ({nade_rule(np.zeros((1, 1)), W, c, V, b[:1])[0, 0]:.4g})"]
    if len(b) > 1:
        logits = nade_rule(all_bits(2)[[0, 2]], W, c, V, b)[:, 1]
        steps += [f"p(x_2 = 1 | x_1 = {x}) = σ({logit:.4g})" for x, logit in enumerate(logits)]
    return ", ".join(steps)


def probabilities_in_place(seen: Sequence[Observation]) -> bool:
    """Whether every entry is a probability of its bit, after some drawn bits or after means."""

    def of_a_model(o: Observation) -> bool:
        if o.answer.ndim < 2:
            return False
        every = all_bits(len(o.args[3]))
        logits = [nade_rule(every, *o.args), sweep(every, *o.args, bit=lambda x, z: sigmoid(z))]
        known = sigmoid(np.concatenate(logits))  # (2^(n+1), n)
        return bool((np.abs(o.answer[:500, None] - known).min(1) < 1e-4).all())

    return all(map(of_a_model, seen))


def _one_word(o: Observation) -> bool:
    return o.answer.ndim == 1 and o.answer.max() == 1


def _likeliest(o: Observation) -> bool:
    """Whether all samples are the word of the likelier bit at each step."""
    x = np.zeros((1, len(o.args[3])))
    for i in range(x.shape[1]):
        x[:, i] = nade_rule(x, *o.args)[:, i] > 0
    return _one_word(o) and bool(o.answer[place_of(x)[0]] == 1)


_IN_PLACE = (
    "the call writes into W, c, V or b, which belong to the caller: after `a = c`, `a += …` "
    "changes c, and what comes next begins with another c: each step makes a new tensor"
)


def _keeps_numbers(sample: Standin, count: int, draw: Draw) -> bool:
    """Whether a call leaves W, c, V and b as they are; if not, that is noted with the function."""
    _, after = call_and_keep(sample, *tensors(EXAMPLE), count, draw.generator())
    kept = all(same(now, one) for now, one in zip(after, tensors(EXAMPLE), strict=False))
    if not kept:
        note(sample, overwritten(sample, tensors(EXAMPLE)[1]))
    return kept


@checks("sample", lesson=LESSON, points=4, see="Exercise 3: one sweep that draws")
def a_sweep_that_draws(sample: Standin, draw: Draw) -> Iterator[Claim | Cause]:
    """Ancestral sampling that carries the sum: predict, draw, add a column."""

    def take(numbers: Sequence[np.ndarray], count: int, generator: Any) -> np.ndarray:
        answer = sample(*tensors(numbers), count, generator)
        x = expect_array(answer, (count, len(numbers[3])), "any", "the samples")
        return x.astype(np.float64)

    def ask(*numbers: np.ndarray) -> np.ndarray:
        """How often each word comes, (2^n,); the samples themselves if they are no bits."""
        x = take(numbers, DRAWS, draw.generator())
        return frequencies(x) if np.isin(x, (0, 1)).all() else x

    chain, turns = deterministic(draw, draw.integer(10, 15))

    def words_of_calls() -> list[np.ndarray]:
        """Two examples of each of 24 calls, of a model whose first bit is a fair coin."""
        return [take(chain, 2, draw.generator()) for _ in range(24)]

    def never_drawn(seen: Sequence[Observation]) -> bool:
        return all(map(_one_word, seen)) and not np.ptp(words_of_calls(), axis=(0, 1)).any()

    def one_row(seen: Sequence[Observation]) -> bool:
        numbers = seen[0].args
        return of_the_first_row(
            lambda: take(numbers, DRAWS, draw.generator()),
            lambda x: sigmoid(nade_rule(x, *numbers)),
        )

    def drawn_once(seen: Sequence[Observation]) -> bool:
        return all(map(_one_word, seen)) and not np.ptp(words_of_calls(), axis=1).any()

    subject = Subject(
        ask=ask,
        rule=law,
        forms=(law_of_a_sweep,),
        mistakes=_SAMPLES,
        symptoms=(
            Symptom(
                "spins-for-bits",
                "zeros and ones are asked: these are −1 and 1",
                lambda seen: all(np.isin(o.answer, (-1, 1)).all() for o in seen),
            ),
            Symptom(
                "probabilities-for-bits",
                "sample returns bits, not probabilities: draw each one",
                probabilities_in_place,
            ),
            Symptom(
                "rounded-for-drawn",
                "all samples are the same, the likelier bit each time: draw a bit for each "
                "example, with its probability, and do not round it",
                lambda seen: all(map(_likeliest, seen)) and never_drawn(seen),
            ),
            Symptom("not-drawn", "every call gives the same word: nothing is drawn", never_drawn),
            Symptom(
                "same-for-all",
                "all examples of a call are alike: every one of them needs its own draw",
                drawn_once,
            ),
            Symptom(ONE_ROW, ONE_ROW_ADVICE, one_row),
            Symptom("changed-in-place", _IN_PLACE, lambda seen: not kept),
        ),
        show=show_numbers,
        told=told_frequencies,
        by_hand=law_by_hand,
        smaller=lambda *numbers: (first_bits(n) for n in range(1, min(len(numbers[3]), 3))),
        alike=as_often,
    )
    often = Property(
        "often",
        OFTEN,
        lambda draw: [model_that_tells_apart(draw)],
        points=1,
        asks="bit i drawn with the probability σ(logit i), given the bits drawn before it",
        saw=unlike_the_law,
    )
    take(EXAMPLE, 2, draw.generator())  # a wrong shape is told before it grows with DRAWS
    kept = all(_keeps_numbers(sample, count, draw) for count in (1, 2))
    right = yield from examine(subject, draw, often)

    source, form = _randomness(sample, take, draw)
    numbers = numbers_of(draw, 3, 4, scale=0.3)  # no bit is nearly certain
    yield claim_of_independence(
        lambda: take(numbers, DRAWS, draw.generator()),
        law(*numbers),
        right,
        source,
        few=lambda count: take(numbers, count, draw.generator()),
    )
    hears = yield from _hearing(take, chain, turns, draw, right)
    yield _cost_of_a_sample(sample, draw, hears)
    yield from (source, form)


def _hearing(
    take: Callable[..., np.ndarray], chain: Numbers, turns: np.ndarray, draw: Draw, right: bool
) -> Generator[Claim, None, bool]:
    """Every bit fits the one before it; returns whether that is so.

    One first bit for all fits, too: whether it is drawn is judged before, `right` or not.
    """
    x = take(chain, 64, draw.generator())
    bits = np.isin(x, (0, 1))
    astray = ((x[:, 1:] == 1) ^ (x[:, :-1] == 1) ^ (turns[1:] == 1)).any(1)
    both = 0 < x[:, 0].sum() < 64  # fails in one of 2^63 draws
    said = claim(
        COPIES,
        bits.all() and not astray.any() and both,
        id="hears",
        points=0.5,
        saw=f"values other than 0 and 1, such as {x[~bits][0]:.3g}"
        if not bits.all()
        else f"{astray.sum()} of 64 examples in which a bit does not fit the one before it"
        if astray.any()
        else f"a first bit that is {x[0, 0]:.0f} in all 64 examples, where it is a fair coin",
        asks=f"examples of a model in which each of {len(turns)} bits copies its neighbor, or "
        "turns it around, the first one a fair coin",
        waits=waits_unless(
            right or both or astray.any() or not bits.all(),
            "a first bit that is 0 in some examples and 1 in others",
        ),
        advice="predict, draw, and add the column of the drawn bit to a before the next step",
    )
    yield said
    return said.holds


def _cost_of_a_sample(sample: Standin, draw: Draw, hears: bool) -> Claim:
    """The operations of one sample at two sizes."""
    counts = []
    for n in SIZES:
        numbers = numbers_of(draw, n, HIDDEN, scale=0.3)
        count, answer = _counted(sample, *tensors(numbers), 1, draw.generator())
        counts.append(count)
        expect_array(answer, (1, n), "any", "the samples")
    little, slow = too_fast_or_slow(counts)
    return claim(
        "a sample costs one sweep: twice the bits, twice the operations",
        not little and not slow,
        id="cost",
        points=1,
        saw=growth_in_words(counts),
        asks=COST,
        waits=waits_unless(hears or little or slow, f"“{COPIES}”"),
        advice=[
            when(
                slow,
                "quadratic",
                "somewhere a step does the work of n steps, as one that begins from the start, "
                "calls `nade`, or computes all n logits: carry a along, add one column after each "
                "draw, and use the step's own row of V",
            ),
            "one step for each bit, with all hidden units, computed in torch",
        ],
    )


def _randomness(
    sample: Standin, take: Callable[..., np.ndarray], draw: Draw
) -> tuple[Claim, Claim]:
    """The given generator, and the form of the answer.

    Two models are asked that differ in b: their first bit is 1 in 62 % and in 12 % of the samples.
    So often are they asked that nobody meets the same words by luck, neither who takes the likelier
    bit nor who draws once in a call.
    """
    numbers = begins_with(0.5, *numbers_of(draw, 5, 3))
    others = begins_with(-2.0, *numbers[:3], -numbers[3] - 1)

    def calls(one: Numbers, generator: Any) -> np.ndarray:
        return np.stack([take(one, 20, generator) for _ in range(40)])

    heard = looks_at(calls, numbers, others, draw.apart())
    unheard = waits_unless(heard, "samples that change with the model's numbers")
    source = claim_of_the_generator(lambda g: calls(numbers, g), draw, 0.5, unheard)
    raw = sample(*tensors(numbers_of(draw, 1, 2)), 3, draw.generator())
    raw = expect_array(raw, (3, 1), "any", "the samples")
    bits = all(np.isin(x, (0, 1)).all() for x in (raw, take(numbers, 40, draw.generator())))
    return source, claim(
        "the answer holds bits as floats, for any count and n",
        raw.dtype.kind == "f" and bits,
        id="form",
        points=0.5,
        saw=f"an answer of kind {raw.dtype}" if bits else "values other than 0 and 1",
        asks="floats 0. and 1., so that samples can be given back to nade",
        waits=unheard,
        advice=[
            when(
                bits,
                "bits-not-floats",
                "a column is multiplied by its bit: return floats, as the data have them",
            ),
            "zeros and ones, one row an example",
        ],
    )


# --- autoencoder_dependencies ---------------------------------------------------------------------

TRIED = "all 2^n vectors are tried: only so an output can be said not to see an input"


def dependencies(
    table: np.ndarray,
    smooth: bool = False,
    *,
    at: slice = slice(None),
    turn: Callable[[int], Any] = int,
    read: Callable[[np.ndarray], np.ndarray] = lambda logits: logits,
    tolerance: float = 0.0,
    reduce: Callable[..., np.ndarray] = np.any,
) -> np.ndarray:
    """D (n, n) of a model whose logits are `table` (2^n, n). Options turn one thing wrong.

    The vectors `at` are tried, the bits `turn(j)` turned, the logits read by `read`, and changes
    above `tolerance` reduced.
    """
    every, columns = all_bits(table.shape[1])[at], []
    before = read(table[place_of(every)])
    for j in range(table.shape[1]):
        turned = every.copy()
        turned[:, turn(j)] = 1 - turned[:, turn(j)]
        changes = np.abs(read(table[place_of(turned)]) - before) > tolerance
        columns.append(reduce(changes, axis=0))
    return np.stack(columns, axis=1)


def by_gradients(table: np.ndarray, smooth: bool, **wrong: Any) -> np.ndarray:
    """D by the model's gradients at the vectors: of a model that rounds, they are 0."""
    return dependencies(table, **wrong) & smooth


def by_means(table: np.ndarray, smooth: bool) -> np.ndarray:
    """D by the mean logits where a bit is 1 and where it is 0: what goes up and down cancels."""
    every = all_bits(table.shape[1])
    means = [
        [table[every[:, j] == bit].mean(axis=0) for bit in (0, 1)] for j in range(len(every.T))
    ]
    return np.stack([np.abs(one - zero) > 1e-6 for zero, one in means], axis=1)


_ON_DEPENDENCIES = {
    "one-vector-only": "you try one vector only: an output may change at others",
    "all-for-any": "an input counts in your answer where the output changes at EVERY vector: one "
    "is enough",
    "tolerance": "small changes are left out: an output that changes by less than a thousandth "
    "sees its input too",
    "probabilities-compared": "probabilities are compared, and where logits are large their "
    "sigmoid is 1 before and after: compare the logits themselves",
    "decisions-compared": "only the sign of a logit is compared: an output changes with its value",
    "turned-bits-kept": "bits stay turned from one input to the next: turn one at a time, the "
    "others as they were",
}
_LEFT_OUT = "a dependency may show at a single vector: what you did not try, you cannot know"
_DEPENDENCIES = (
    Mistake(
        "transposed",
        "your matrix is transposed: rows are outputs, columns are the inputs that they see",
        after=lambda D, *_: D.T,
    ),
    Mistake(
        "diagonal-left-out",
        "whether an output sees its OWN input is the question: keep the diagonal",
        after=lambda D, *_: D & ~np.eye(len(D), dtype=bool),
    ),
    Mistake(
        "inverted",
        "true and false have changed places: D is true where an output DOES change",
        after=lambda D, *_: ~D,
    ),
    *(
        Mistake(
            "model-not-asked",
            "the same matrix comes for every model: D must say what THIS model's outputs do",
            gives=lambda table, smooth, last=last: np.tri(table.shape[1], k=last, dtype=bool),
        )
        for last in (-1, 99)
    ),
    Mistake(
        "compared-with-itself",
        "nothing is ever found to change, whatever the model. Are differences added up before they "
        "are looked at? Over all vectors they cancel. Or are the turned vectors and the others one "
        "tensor? After `t = x`, turning a bit of t turns it in x",
        gives=lambda table, smooth: np.zeros((table.shape[1],) * 2, dtype=bool),
    ),
    Mistake(
        "changes-averaged",
        "means over many vectors are compared: where turning a bit raises an output at some of "
        "them and lowers it at others, they cancel. Compare vector by vector",
        gives=by_means,
    ),
    Mistake(
        "gradient-only",
        "these are gradients, and where a model rounds they are zero: turn the bits around and "
        "compare outputs",
        gives=by_gradients,
    ),
    *(
        Mistake(name, _ON_DEPENDENCIES[name], options=options)
        for name, options in (
            ("one-vector-only", {"at": slice(1)}),
            ("one-vector-only", {"at": slice(-1, None)}),
            ("all-for-any", {"reduce": np.all}),
            *(("tolerance", {"tolerance": t}) for t in (0.001, 0.005, 0.05, 0.5)),
            ("probabilities-compared", {"read": sigmoid}),
            ("decisions-compared", {"read": lambda logits: (logits > 0) * 1.0}),
            ("turned-bits-kept", {"turn": lambda j: slice(j + 1)}),
        )
    ),
)


def gates(draw: Draw) -> list[tuple[np.ndarray, bool]]:
    """Models that round, each output a product of some inputs, as they are or turned.

    So an output changes at a few vectors only, and by much or by little: the changes are 0.0005,
    2, 0.02, 0.2, in turn, and the signs of half of them do not change; those of 2 are changes of
    logits so large that their sigmoid is 1. In each model of more than
    two variables an output sees one input, which tells it at every vector, and another one several.
    """
    cases = []
    for n in (draw.integer(5, 6), 4, 2):
        chosen = np.zeros((n, n), dtype=bool)
        while (
            not chosen.any()
            or (chosen == chosen.T).all()
            or (n > 2 and (chosen.diagonal().all() or 1 not in chosen.sum(1)))
            or (n > 2 and chosen.sum(1).max() < 2)
        ):
            chosen = draw.uniform(n, n) < 0.6
            chosen[draw.integer(0, n - 1)] = False
            if n > 2:
                chosen[0, 0] = True
        size, middle = np.ones(n), np.zeros(n)
        seeing = draw.rng.permutation(np.flatnonzero(chosen.any(1)))
        size[seeing] = np.resize((0.0005, 2, 0.02, 0.2), len(seeing))
        middle[seeing] = np.resize((0.25, 50, 0, 0), len(seeing))
        turned, bits = draw.uniform(n, n) < 0.5, all_bits(n)[:, None, :]
        products = np.where(chosen, np.where(turned, 1 - bits, bits), 1.0).prod(2)
        cases.append((size * (products - 0.5) + middle, False))
    return cases


def gates_and_parities(draw: Draw) -> list[tuple[np.ndarray, bool]]:
    """The same, and a model of parities: a turned bit raises an output here and lowers it there.

    Each is a parity of two bits or three, of itself or not: the sum of all changes is 0.
    """
    seen = np.array([[1, 1, 0, 0], [1, 0, 1, 1], [0, 1, 0, 1], [1, 0, 0, 1]])
    seen = seen[:, draw.permutation(4)]
    parities = (all_bits(4) @ seen.T) % 2
    return [*gates(draw), (2.0 * parities - 1, False)]


def dense_and_causal(draw: Draw) -> list[tuple[np.ndarray, bool]]:
    """An autoencoder and a NADE, in an order that is not to be known.

    Rounded, so that no output differs by an error of rounding where nothing has changed. Each
    dependency changes its logit by more than 1 somewhere, and some change no sign anywhere: what
    the gates ask of tolerances and of decisions is not asked here, whatever the draw.
    """
    n = draw.integer(5, 6)
    while True:
        W, c, V, b = numbers = numbers_of(draw, n, 6, scale=3.0)
        autoencoder = sigmoid(all_bits(n) @ W.T + c) @ V.T + b
        tables = [autoencoder.round(4), nade_rule(all_bits(n), *numbers).round(4)]
        full = [np.ones((n, n), dtype=bool), np.tri(n, k=-1, dtype=bool)]
        large = [dependencies(table, tolerance=1.05) for table in tables]
        signs = [dependencies(table, read=lambda logits: 1.0 * (logits > 0)) for table in tables]
        if all(
            (a == right).all() and (s != right).any()
            for a, s, right in zip(large, signs, full, strict=True)
        ):
            break
    return [(table, True) for table in tables[:: 1 - 2 * draw.integer(0, 1)]]


def same_dependencies(a: Any, b: Any) -> bool:
    """Whether two matrices are nonzero at the same places."""
    return np.shape(a) == np.shape(b) and bool(((a != 0) == (b != 0)).all())


def wrong_entry(answer: np.ndarray, right: np.ndarray, table: np.ndarray, smooth: bool) -> str:
    """The first entry that is wrong, with the vector that shows it."""
    i, j = np.argwhere((answer != 0) != right)[0]
    n = len(right)
    what = f"input {j + 1}, though turning x_{j + 1}"
    if not right[i, j]:
        return f"output {i + 1} is said to see {what} changes it at none of the {2**n} vectors"
    x = all_bits(n)
    turned = x.copy()
    turned[:, j] = 1 - turned[:, j]
    change = table[place_of(turned), i] - table[:, i]
    at = int(np.abs(change).argmax())
    by = f"{change[at]:.3g}"
    return f"output {i + 1} is said not to see {what} at {word(x[at])} changes it by {by}"


def show_model(table: np.ndarray, smooth: bool) -> str:
    """A model in words: of two bits, all its logits."""
    n = table.shape[1]
    if n > 2:
        return f"a model of {n} bits"
    rows = zip(all_bits(n), table, strict=True)
    return ", ".join(f"logits({word(x)}) = {shown(logits)}" for x, logits in rows)


def told_matrix(answer: np.ndarray) -> str:
    """The rows of a matrix."""
    binary = np.isin(answer, (0, 1)).all()
    return "rows " + ", ".join(word(row) if binary else shown(row) for row in answer)


def dependencies_by_hand(table: np.ndarray, smooth: bool) -> str:
    """What turning each bit of a model of two changes, vector by vector."""
    if table.shape[1] > 2:
        return ""
    steps = []
    for j, pairs in enumerate((((0, 2), (1, 3)), ((0, 1), (2, 3)))):
        for a, b in pairs:
            changed = [f"output {i + 1}" for i in np.flatnonzero(table[a] != table[b])]
            ends = " ↔ ".join(word(all_bits(2)[k]) for k in (a, b))
            steps.append(f"{ends} (x_{j + 1} turned) changes {', '.join(changed) or 'nothing'}")
    return "; ".join(steps)


def models_of_two_bits(table: np.ndarray, smooth: bool) -> Iterator[tuple[np.ndarray, bool]]:
    """The worked example, one whose output 2 sees input 1, and one with small changes."""
    if table.shape[1] > 2:
        one, two = all_bits(2).T
        for first, second in (
            (0 * one, one),
            (0 * one, 5 * one * two),
            (two, one - 0.0008 * two),
            (two, 30 + 9 * one),
            (0 * one, 4 * (one != two)),
        ):
            yield np.stack([first + 0.3, second], axis=1), smooth


@checks(
    "autoencoder_dependencies",
    lesson=LESSON,
    points=3,
    see="Exercise 4: what about an autoencoder?",
)
def who_sees_whom(autoencoder_dependencies: Standin, draw: Draw) -> Iterator[Claim | Cause]:
    """Turning bits around, on all vectors, finds every dependency."""
    left_out: list[tuple[int, int]] = []  # of each model: vectors never tried, bits
    answers: list[np.ndarray] = []

    def ask(table: np.ndarray, smooth: bool) -> np.ndarray:
        """The dependencies of a model that answers here, where it is counted what it is asked."""
        n = table.shape[1]
        asked, model = np.zeros(2**n, dtype=bool), Table(single(table), smooth)

        def answer(kind: Any, x: Any, slope: Any = None) -> torch.Tensor:
            x = single(expect_array(x, (None, n), "any", "the bits").astype(np.float64))
            if len(x) > 10_000 or not ((x == 0) | (x == 1)).all():
                raise ValueError("this model takes bits, zeros and ones, of up to 10,000 examples")
            if kind == "gradients":
                with torch.enable_grad():
                    x.requires_grad_()
                    weight = single(expect_array(slope, tuple(x.shape), "float", "a gradient"))
                    total = (model(x) * weight).sum()
                    on = torch.autograd.grad(total, x, allow_unused=True, materialize_grads=True)
                return on[0]
            asked[place_of(x.numpy())] = True
            return model(x)

        found = answered(begin_search(autoencoder_dependencies, n), answer)
        left_out.append((int((~asked).sum()), n))
        answers.append(expect_array(found, (n, n), "any", "the dependencies"))
        return answers[-1]

    subject = Subject(
        ask=ask,
        rule=dependencies,
        mistakes=_DEPENDENCIES,
        symptoms=(
            Symptom(
                "vectors-left-out", _LEFT_OUT, lambda seen: any(missed for missed, _ in left_out)
            ),
        ),
        show=show_model,
        told=told_matrix,
        by_hand=dependencies_by_hand,
        smaller=models_of_two_bits,
        alike=same_dependencies,
        drawn=True,
    )
    yield from examine(
        subject,
        draw,
        Property(
            "where",
            "D[i, j] is true where turning x_j around can change output i, and nowhere else",
            gates_and_parities,
            points=1,
            asks="all 2^n vectors tried, each bit of them turned around, outputs compared",
            saw=wrong_entry,
        ),
        Property(
            "both",
            "an autoencoder's outputs see everything, a NADE's what comes before",
            dense_and_causal,
            points=1,
            asks="all of D for the autoencoder, what lies below the diagonal for NADE",
            typical=False,
            saw=wrong_entry,
        ),
    )
    dense, causal = answers[4:6]  # those of an autoencoder and a NADE, in one order or the other
    blind = waits_unless(
        not same_dependencies(dense, causal), "matrices that change with the model"
    )
    missed, n = max(left_out)
    yield claim(
        TRIED,
        not missed,
        id="tried",
        points=0.5,
        saw=f"{missed} of the {2**n} vectors of {n} bits were never tried",
        asks="the model's outputs at every vector",
        waits=blind,
        advice=when(missed, "vectors-left-out", _LEFT_OUT),
    )
    others = next((a for a in answers if not np.isin(a, (0, 1)).all()), None)
    yield claim(
        "each entry says whether an output sees an input, and not how much",
        others is None,
        id="bools",
        points=0.5,
        saw=""
        if others is None
        else f"an answer that holds {others[~np.isin(others, (0, 1))][0]:.4g}",
        asks="true or false for each pair, or 1 and 0, (n, n)",
        waits=blind,
        advice=when(
            others is not None,
            "amount-for-whether",
            "how much or how often an output changes is not asked: WHETHER it does, at one vector "
            "at least",
        ),
    )


# --- nade_parameters ------------------------------------------------------------------------------


def nade_count(n: int, hidden: int) -> int:
    """W (hidden × n), c (hidden), V (n × hidden) and b (n)."""
    return 2 * n * hidden + hidden + n


def nade_array_by_array(n: int, hidden: int) -> int:
    """The same, one array after the other."""
    return hidden * n + hidden + n * hidden + n


_COUNT = (
    *several(
        "forgets-the-biases",
        "you count the two matrices alone: c has a bias for each hidden unit, b one for each "
        "variable",
        lambda n, h: 2 * n * h,
    ),
    *several(
        "forgets-c-or-the-last-column",
        "you are h numbers short: either c is missing, one bias a hidden unit, or you left out the "
        "last column of W, which no step uses but which is stored",
        lambda n, h: 2 * n * h + n,
    ),
    *several(
        "forgets-b",
        "every conditional has a bias of its own: b, one number a variable",
        lambda n, h: 2 * n * h + h,
    ),
    *several(
        "counts-the-biases-alone",
        "you count the two vectors of biases alone: the matrices W and V are stored too",
        lambda n, h: h + n,
    ),
    *several(
        "biases-of-one-size",
        "both vectors of biases have one size in your count: c has a number for each hidden unit, "
        "b one for each variable",
        lambda n, h: 2 * n * h + 2 * n,
        lambda n, h: 2 * n * h + 2 * h,
    ),
    *several(
        "one-b-for-all",
        "you count a single number of b: every variable has a bias of its own",
        lambda n, h: 2 * n * h + h + 1,
    ),
    *several(
        "counts-one-matrix",
        "you count one matrix: W leads into the hidden layer, V out of it, and they are not the "
        "same",
        lambda n, h: n * h + h + n,
        lambda n, h: n * h,
    ),
    *several(
        "biases-twice",
        "you count c and b twice: two matrices, and ONE vector of biases for each of the two "
        "layers",
        lambda n, h: 2 * (n * h + h + n),
    ),
    *several(
        "square-matrix",
        "one of your matrices is square: W has a column for each variable and a row for each "
        "hidden unit, and V the other way round",
        lambda n, h: n * n + n * h + h + n,
        lambda n, h: h * h + n * h + h + n,
    ),
    *several(
        "counts-an-fvsbn",
        "that is the count of an FVSBN, which has no hidden unit: here h of them stand between, "
        "with numbers of their own",
        lambda n, h: n * (n + 1) // 2,
    ),
    *several(
        "separate-weights-per-step",
        "you give every step weights of its own: all steps share one W (and one c), and step i "
        "uses its first i − 1 columns",
        lambda n, h: n * n * h + n * h + h + n,
        lambda n, h: h * n * (n - 1) // 2 + n * h + h + n,
        lambda n, h: h * n * (n - 1) // 2 + n * h + n * h + n,
    ),
    *several(
        "separate-biases-per-step",
        "you give every step its own c: all steps share one",
        lambda n, h: 3 * n * h + n,
    ),
    *several(
        "one-output-for-all",
        "you share V between the conditionals: each has its own row of V, of h numbers",
        lambda n, h: n * h + 2 * h + n,
        lambda n, h: n * h + 2 * h + 1,
    ),
)


def nade_sizes(draw: Draw) -> list[tuple[int, int]]:
    """Numbers of variables and of hidden units, of either the larger."""
    drawn = (draw.integer(2, 30), draw.integer(31, 60))
    return [(3, 2), (784, 500), (5, 7), drawn, (draw.integer(100, 900), draw.integer(3, 90))]


def nade_growth(draw: Draw) -> list[tuple[int, int]]:
    """One more variable, one more hidden unit, twice as many variables; none, and one."""
    n, h = draw.integer(50, 3000), draw.integer(20, 900)
    return [(n, h), (n + 1, h), (n, h + 1), (2 * n, h), (n, 0), (1, h)]


def nade_by_hand(n: int, hidden: int) -> str:
    """The shapes of what a small NADE stores."""
    if n * hidden > 12:
        return ""
    return f"W is {hidden} × {n}; c has {hidden}; V is {n} × {hidden}; b has {n}"


@checks("nade_parameters", lesson=LESSON, points=2, see="Exercise 5: what does it cost?")
def numbers_of_a_nade(nade_parameters: Standin, draw: Draw) -> Iterator[Claim | Cause]:
    """NADE stores two matrices and two vectors of biases, whatever the step."""
    asked = counts.subject(
        nade_parameters,
        "nade_parameters",
        nade_count,
        forms=(nade_array_by_array,),
        mistakes=_COUNT,
        by_hand=nade_by_hand,
        cases=[(1, 1), (2, 1), (1, 2), (2, 3), (3, 2)],
    )
    yield from examine(
        asked,
        draw,
        Property(
            "stored",
            "W, c, V and b are counted, each once",
            nade_sizes,
            points=1,
            asks="the sizes of h × n, h, n × h and n, added",
        ),
        Property(
            "linear",
            "linear in n: one more variable brings a column of W, a row of V and a bias",
            nade_growth,
            points=1,
            asks="2h + 1 numbers more for each variable; and n biases when there is no hidden unit",
            typical=False,
            needs="stored",
        ),
    )
