"""Checks of lesson 13, temperature: what is done with a distribution over the next token.

Notation: z are logits (…, V), p probabilities (…, V); texts are int64 (…, n); all logs are natural
unless a name says bits. Top-k is that of Fan, Lewis and Dauphin (2018), top-p that of Holtzman,
Buys, Du, Forbes and Choi (2020); ties go to the lowest index.
"""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import torch

from autograder import claim, expect_array, when
from autograder.checking import checks
from autograder.checks.arguments import untouched
from autograder.checks.numbers import SMALL, close, number, single, softmax
from autograder.checks.samples import (
    claim_of_independence,
    claim_of_the_generator,
    frequencies,
)
from autograder.checks.witness import looks_at, waits_unless
from autograder.claims import Advice, Cause, Claim
from autograder.diagnosis import Mistake, Property, Subject, Symptom, examine
from autograder.diagnosis.examine import shown
from autograder.diagnosis.mistakes import Observation, several
from autograder.diagnosis.shrinking import smaller_than
from autograder.draw import Draw
from autograder.inside import call_and_keep
from autograder.inside.temperature import Step, begin_search, drifted
from autograder.remote.callbacks import answered, whole_numbers
from autograder.remote.proxy import NotAttempted, Standin, StudentFailed, WrongKind

LESSON = "13_temperature"
LAST = -1  # the vocabulary's axis


# --- small things ---------------------------------------------------------------------------------


def _at(row: np.ndarray) -> np.ndarray:
    return np.arange(len(row))


def normalized(p: np.ndarray) -> np.ndarray:
    """Rows that sum to 1."""
    with np.errstate(all="ignore"):
        return p / p.sum(axis=LAST, keepdims=True)


def along(row_rule: Callable, array: np.ndarray, axis: int | None = LAST) -> np.ndarray:
    """`row_rule` of each row (V,) along an axis (None: of all entries as one long row)."""
    if axis is None:
        return row_rule(array.reshape(-1)).reshape(array.shape)
    return np.apply_along_axis(row_rule, min(axis, array.ndim - 1), array)


def probabilities(draw: Draw, *shape: int, sharp: float = 1.2) -> np.ndarray:
    """Random distributions along the last axis, as they are in single precision."""
    return softmax(draw.normal(*shape, scale=sharp)).astype(np.float32).astype(np.float64)


# --- what a function of an array and a number is asked --------------------------------------------

# What an answer is that is no array: the rules give REFUSED where the number means nothing.
REFUSED, ANSWERED = "a ValueError", "an answer, without any error"
RAISED, CHANGED = "an exception", "an answer, and the caller's tensor changed"


def asking(
    function: Standin, outside: Callable[[Any], bool], beyond: Callable = lambda array, value: False
) -> Callable[[np.ndarray, Any], Any]:
    """How `function(array, value)` is asked.

    Where `value` is `outside` of what has a meaning, the answer is the kind of refusal; where it is
    `beyond` what an unguarded call bears, it may be RAISED; and after a batch it may be CHANGED.
    """

    def ask(array: np.ndarray, value: Any) -> Any:
        given = single(array)
        if outside(value):
            return refusal(function, given, value)
        try:
            answer, after = call_and_keep(function, given, value)
        except StudentFailed:
            if beyond(array, value):
                return RAISED
            raise
        answer = expect_array(answer, array.shape, "float", "the answer")
        after = expect_array(after[0], array.shape, "float", "the argument after the call")
        kept = array.ndim == 1 or np.array_equal(after, single(array).double().numpy())
        return answer if kept else CHANGED

    return ask


def refusal(function: Standin, *args: Any) -> str:
    """How a call is refused: REFUSED, another exception's sentence, or ANSWERED."""
    try:
        function(*args)
    except StudentFailed as why:
        return REFUSED if why.is_a(ValueError) else str(why)[:120]
    except NotAttempted:
        return ANSWERED
    return ANSWERED


def alike_rows(a: Any, b: Any, tolerance: float = 5e-5) -> bool:
    """Equal words, or arrays equal up to `tolerance`, with zeros at the same places, NaN too."""
    if isinstance(a, str) or isinstance(b, str):
        return isinstance(a, str) and isinstance(b, str) and a == b
    a, b = np.asarray(a, dtype=float), np.asarray(b, dtype=float)
    near = a.shape == b.shape and np.allclose(a, b, tolerance, tolerance, equal_nan=True)
    return bool(near and not a[b == 0].any())


def and_no_less(a: Any, b: Any) -> bool:
    """As `alike_rows`; and what is above 0 in one, however little, is so in the other."""
    return alike_rows(a, b) and (isinstance(a, str) or np.array_equal(a > 0, np.asarray(b) > 0))


def loosely(a: Any, b: Any) -> bool:
    """As `alike_rows`, for what 32 bits hold after a division by a small temperature."""
    return alike_rows(a, b, 2e-3)


def loosely_and_no_less(a: Any, b: Any) -> bool:
    """As `and_no_less`, as loosely."""
    return loosely(a, b) and (isinstance(a, str) or np.array_equal(a > 0, np.asarray(b) > 0))


def of_its_size(a: np.ndarray, b: np.ndarray) -> bool:
    """As `alike_rows`, as loosely, up to a share of the largest number of `b`."""
    largest = np.abs(b).max()
    size = largest if 0 < largest < np.inf else 1.0
    return alike_rows(a / size, b / size, 1e-3)


def told(answer: Any) -> str:
    """An answer in words."""
    if isinstance(answer, str):
        return answer
    text = shown(answer)
    return f"{text} with sum {answer.sum():.4g}" if answer.ndim == 1 else text


def answered_where(
    outside: Callable[[Any], bool], of: str, bounds: str, which: str = ""
) -> Mistake:
    """The mistake of a function that answers where `of`, the number, has no meaning.

    `which` says where, if not everywhere outside of its bounds.
    """
    return Mistake(
        "not-refused",
        f"{which} is answered, which lies outside {bounds}, too: raise a ValueError there"
        if which
        else f"{of} outside {bounds} is answered: test {of} first, and raise a ValueError with a "
        "sentence that says so",
        after=lambda value, array, number: ANSWERED if outside(number) else value,
    )


def words_of_refusal(of: str, bounds: str) -> tuple[Symptom, ...]:
    """Symptoms of what is not refused as asked, whatever else is wrong."""

    def refused_as(which: Callable[[str], bool]) -> Callable[[Sequence[Observation]], bool]:
        def shows(seen: Sequence[Observation]) -> bool:
            failed = [o for o in seen if o.fails]
            refused = [o for o in failed if isinstance(o.right, str) and o.right == REFUSED]
            return len(refused) == len(failed) and any(which(o.answer) for o in refused)

        return shows

    return (
        Symptom(
            "not-refused",
            f"{of} outside {bounds} is answered: test it first, and raise a ValueError",
            refused_as(lambda answer: answer == ANSWERED),
        ),
        Symptom(
            "another-exception",
            f"{of} outside {bounds} ends in another exception than a ValueError: raise that one, "
            "before anything else is done",
            refused_as(lambda answer: answer != ANSWERED),
        ),
    )


_CHANGED = Mistake(
    "changed-in-place",
    "you write into the caller's tensor: make a new one (no -=, /=, [mask] = …)",
    after=lambda value, array, number: CHANGED if array.ndim > 1 else value,
)
_SAW_CHANGED = Symptom(
    _CHANGED.name, _CHANGED.advice, lambda seen: any(isinstance(o.answer, str)
                                                     and o.answer == CHANGED for o in seen)
)  # fmt: skip
_RANDOM = Symptom(
    "random-answer", "the same arguments give another answer each time: something is drawn on the "
    "way, as in gumbel_softmax. The probabilities themselves are asked", lambda seen: any(
        np.array_equal(a.args[0], b.args[0]) and a.args[1:] == b.args[1:]
        and not np.array_equal(a.answer, b.answer, equal_nan=True)
        for a, b in itertools.combinations(seen, 2)
        if isinstance(a.answer, np.ndarray) and isinstance(b.answer, np.ndarray))
)  # fmt: skip
_FLATTENED = Mistake(
    "batch-flattened",
    "the whole batch is treated as one long row: each row along the last axis is one distribution",
    options={"axis": None},
)
_FIRST_AXIS = Mistake(
    "wrong-axis", "the vocabulary is the last axis, and yours is the first", options={"axis": 0}
)
_SECOND_AXIS = Mistake(
    "wrong-axis",
    "the vocabulary is the last axis, and yours is the second, which is the last in a matrix only",
    options={"axis": 1},
)
_OF_BATCHES = (_FLATTENED, _FIRST_AXIS, _SECOND_AXIS, _CHANGED)


def rows(batches: Callable[[Draw], list[tuple]], needs: str, points: float) -> Property:
    """The property that a batch is treated row by row, and kept."""
    return Property(
        "rows",
        "each row of a batch is treated by itself, and the argument stays as it was",
        batches,
        points,
        asks="the last axis is the vocabulary, whatever comes before it",
        typical=False,
        needs=needs,
    )


def refusals(of: str, bounds: str, cases: Callable[[Draw], list[tuple]], points: float) -> Property:
    """The property that arguments which mean nothing raise a ValueError."""
    return Property(
        "refused",
        f"{of} outside {bounds} is refused with a ValueError",
        cases,
        points,
        asks=f"ValueError unless {bounds}",
        typical=False,
    )


# --- temperature ----------------------------------------------------------------------------------


def tempered(
    z: np.ndarray,
    T: float,
    *,
    scaled: Callable = np.divide,
    shared: Callable = softmax,
    axis: int | None = LAST,
) -> Any:
    """softmax(z / T) along the last axis. Each option turns one thing of it wrong."""
    if not T > 0:
        return REFUSED
    return shared(scaled(z, T), axis if axis is None else min(axis, z.ndim - 1))


def tempered_by_powers(z: np.ndarray, T: float) -> Any:
    """The same as `tempered`, from probabilities to the power 1/T."""
    if not T > 0:
        return REFUSED
    logs = np.log(softmax(z)) / T
    powers = np.exp(logs - logs.max(axis=LAST, keepdims=True))
    return powers / powers.sum(axis=LAST, keepdims=True)


def naive_softmax(z: np.ndarray, axis: int | None = LAST) -> np.ndarray:
    """The softmax in 32 bits with nothing taken away first."""
    e = np.exp(z.astype(np.float32))
    return e / e.sum(axis=axis, keepdims=True)


def _divided_by_the_largest(z: np.ndarray, axis: int | None = LAST) -> np.ndarray:
    """The softmax in 32 bits, whose exponentials are divided by the largest of them first."""
    e = np.exp(z.astype(np.float32))
    e = e / e.max(axis=axis, keepdims=True)
    return e / e.sum(axis=axis, keepdims=True)


def _shifted_by_the_batch(z: np.ndarray, axis: int | None = LAST) -> np.ndarray:
    """The softmax in 32 bits after one number is taken away from all rows."""
    return naive_softmax(z - z.max(), axis)


def _powers_in_single(z: np.ndarray, T: float, axis: int | None = LAST) -> Any:
    """p^(1/T), normalized, in 32 bits."""
    if not T > 0:
        return REFUSED
    powers = softmax(z, axis).astype(np.float32) ** np.float32(1 / T)
    return powers / powers.sum(axis=axis, keepdims=True)


def _argmax_when_cold(z: np.ndarray, T: float) -> np.ndarray:
    best = np.arange(z.shape[-1]) == z.argmax(-1)[..., None]
    return z / T if T > 1e-3 else np.where(best, 0.0, -np.inf)


_FLOORS = (*(-(10.0**n) for n in range(2, 12)), -float(np.finfo(np.float32).max))
_OF_TEMPERATURE = (
    Mistake(
        "T-multiplied",
        "the logits are multiplied by T here (or p raised to T): a high temperature must flatten, "
        "so divide",
        options={"scaled": np.multiply},
    ),
    Mistake(
        "probabilities-for-logits",
        "probabilities are divided and taken for logits again: divide the LOGITS by T, then one "
        "softmax",
        options={"scaled": lambda z, T: softmax(z) / T},
    ),
    Mistake(
        "divided-after-softmax",
        "the softmax comes first here and T divides its result, which sums to 1/T then: divide the "
        "LOGITS, before the softmax",
        options={"scaled": lambda z, T: softmax(z) / T, "shared": lambda z, axis: z},
    ),
    Mistake(
        "T-cancels",
        "T has no effect: probabilities that are divided by T and normalized again are what they "
        "were; divide the LOGITS",
        options={"scaled": lambda z, T: z},
    ),
    Mistake(
        "not-normalized",
        "e^(z/T) must be divided by its sum over the vocabulary",
        options={"shared": lambda z, axis: np.exp(z.astype(np.float32))},
    ),
    Mistake(
        "logits-returned",
        "these are tempered logits: probabilities are asked, one softmax more",
        options={"shared": lambda z, axis: z},
    ),
    Mistake(
        "logs-returned",
        "these are logarithms: probabilities are asked",
        options={"shared": lambda z, axis: np.log(softmax(z, axis))},
    ),
    Mistake("squared-T", "T is used twice", options={"scaled": lambda z, T: z / T**2}),
    Mistake(
        "overflow",
        "e to a large number is inf, and inf/inf is NaN: the largest exponent must not be large",
        options={"shared": naive_softmax},
    ),
    Mistake(
        "overflow",
        "e to a large number is inf before the largest is divided out, and inf/inf is NaN: take "
        "the largest LOGIT away, before the exponential",
        options={"shared": _divided_by_the_largest},
    ),
    Mistake(
        "shifted-by-the-batch",
        "one number, the largest of the whole batch, is taken away from every row: far below it "
        "all exponentials of a row round to 0, and 0/0 is NaN. Each row has a largest logit",
        options={"shared": _shifted_by_the_batch},
    ),
    Mistake(
        "powers-underflow",
        "probabilities are raised to 1/T: at a low temperature all powers round to 0, and 0/0 is "
        "NaN. The form with the logits has no such trouble",
        gives=_powers_in_single,
    ),
    *(
        Mistake(
            "T-not-as-given",
            "a small T is not used as it is, but made larger (a least value, or something added): "
            "logits that lie closer together than that are told apart at the T that was given",
            options={"scaled": scaled},
        )
        for scaled in (
            *(lambda z, T, v=v: z / max(T, v) for v in (0.1, 0.05, 0.01, 0.005, 1e-3, 5e-4)),
            *(lambda z, T, v=v: z / (T + v) for v in (0.1, 0.05, 0.01, 1e-3, 1e-4, 1e-5)),
        )
    ),
    Mistake(
        "ties-not-shared",
        "at a low temperature one of several tied tokens gets everything: the formula shares by "
        "itself, and needs no special case",
        options={"scaled": _argmax_when_cold},
    ),
    Mistake(
        "nan-from-inf",
        "with a logit of −inf your answer is NaN, as where the SMALLEST logit is taken away first: "
        "−inf must go into the exponential as it is",
        options={"scaled": lambda z, T: (z - z.min(axis=-1, keepdims=True)) / T},
    ),
    *(
        Mistake(
            "impossible-made-possible",
            "−inf is replaced by a number, which a high temperature makes probable: leave it",
            options={"scaled": scaled},
        )
        for least in _FLOORS
        for scaled in (
            lambda z, T, least=least: np.maximum(z, least) / T,
            lambda z, T, least=least: np.maximum(z / T, least),
        )
    ),
    Mistake(
        "not-normalized",
        "p^(1/T) is not divided by its sum: the softmax before the power was normalized for T = 1",
        gives=lambda z, T: softmax(z) ** (1 / T) if T > 0 else REFUSED,
    ),
    Mistake(
        "logits-returned",
        "at T = 1 the logits come back as they are: T = 1 needs no case of its own, its answer is "
        "the softmax",
        after=lambda value, z, T: z if T == 1 else value,
    ),
    Mistake(
        "wrong-axis",
        "without `dim` a softmax takes the first axis of three: say dim=-1",
        gives=lambda z, T: tempered(z, T, axis=0 if z.ndim == 3 else LAST),
    ),
    *_OF_BATCHES,
    answered_where(lambda T: not T > 0, "T", "T > 0"),
    answered_where(lambda T: T == 0, "T", "T > 0", "T = 0"),
    answered_where(lambda T: T < 0, "T", "T > 0", "a negative T"),
)
_POSSIBLE = Symptom(
    "impossible-made-possible",
    "a token whose logit is −inf gets a probability: nothing may stand in the place of −inf",
    lambda seen: any(
        o.fails and np.ndim(o.args[0]) == 1 and np.isneginf(o.args[0]).any()
        and np.isfinite(o.answer).all() and o.answer[np.isneginf(o.args[0])].max() > 0
        for o in seen if not isinstance(o.answer, str)
    ) and not any(o.fails for o in seen if np.isfinite(o.args[0]).all()),
)  # fmt: skip


def warm_cases(draw: Draw) -> list[tuple]:
    """Logits and temperatures below 1, of 1 and above."""
    warm = [0.3 + 0.5 * float(draw.uniform()), 1.0, 1.6 + 2 * float(draw.uniform())]
    found = [(draw.normal(draw.integer(4, 9), scale=1.5) + 0.5, T) for T in warm]
    return [*found, found[0]]


def extreme_cases(draw: Draw) -> list[tuple]:
    """True ties, cold and hot, logits in the thousands, and near ones."""
    n = draw.integer(5, 8)
    tied = np.minimum(draw.normal(n), 3.0)  # no other one is near
    tied[draw.permutation(n)[: draw.integer(2, 3)]] = 4.0  # float32 has it exactly: a true tie
    large = draw.permutation(n) * 2000.0 + draw.integer(-9000, -4000)
    near = draw.permutation(n) * 2.0**-13  # as near to one another as the temperature is to 0
    cold = [(tied, 1e-4), (large, 1e-4), (near, 2.0**-13)]
    return [*cold, (tied, 1e4), (large, 1.0), (large, 1e4)]


def batches_of_logits(draw: Draw) -> list[tuple]:
    """A matrix, one more axis, and rows that lie so far apart that one largest logit serves one.

    No exponent is so large that it overflows.
    """
    far = np.stack([draw.permutation(5) / 8 + shift for shift in (-60.0, 0.0, 60.0)])
    return [(draw.normal(3, 5), 0.6), (draw.normal(2, 3, 4), 0.6), (far, 1.0)]


def impossible_cases(draw: Draw) -> list[tuple]:
    """Logits of which some are −inf, cold, warm and so hot that no number is small.

    No two are near, or the coldest would tell how a right answer rounds; the three best are near
    enough to tell a temperature that is held at a hundredth, or at a thousandth: e^(−800) is 0, and
    e^(−80) is not.
    """
    n = draw.integer(6, 9)
    z = draw.normal(n)
    while np.diff(np.sort(z)).min() < 0.02:
        z = draw.normal(n)
    z[draw.permutation(n)[: draw.integer(2, 3)]] = -np.inf
    best, second, third = np.argsort(-z)[:3]
    z[second], z[third] = z[best] - 0.03, z[best] - 0.08
    return [(z, T) for T in (1e-4, 0.7, 1e10)]


_SMALL_LOGITS = (
    (np.array([1.0, 0.0]), 2.0),
    (np.array([0.0, -np.inf]), 2.0),
    (np.array([3000.0, 0.0]), 1.0),
    (np.array([2.0, 1.0, 0.0]), 0.5),
    (np.array([2.0**-7, 2.0**-7, 0.0]), 2.0**-12),  # divided they are 32, 32 and 0
    (np.array([2.0**-13, 0.0]), 2.0**-13),
    (np.array([[1.0, 0.0], [0.0, 0.0]]), 2.0),
    (np.array([[400.0, 399.0], [1.0, 0.0]]), 1.0),
    (np.array([[[1.0, 0.0], [0.0, 0.0]]]), 2.0),
)


def temperature_by_hand(z: np.ndarray, T: float) -> str:
    """The formula on two or three logits."""
    if np.ndim(z) > 1 or len(z) > 3 or not T > 0:
        return ""
    powers = np.exp((z - z.max()) / T)
    terms = ", ".join(f"{v:.4g}" for v in powers)
    return f"e^((z − {z.max():g})/T): {terms}; each divided by their sum {powers.sum():.4g}"


@checks("temperature", lesson=LESSON, points=3, see="Exercise 1: temperature")
def a_softmax_of_divided_logits(temperature: Standin, draw: Draw) -> Iterator[Claim | Cause]:
    """T divides the logits, at every T > 0."""
    subject = Subject(
        ask=asking(temperature, lambda T: not T > 0),
        rule=tempered,
        forms=(tempered_by_powers,),
        mistakes=_OF_TEMPERATURE,
        symptoms=(_RANDOM, _SAW_CHANGED, _POSSIBLE, *words_of_refusal("T", "T > 0")),
        show=lambda z, T: f"T = {T:.4g} and logits {shown(z)}",
        told=told,
        by_hand=temperature_by_hand,
        smaller=smaller_than(_SMALL_LOGITS),
        alike=alike_rows,
    )
    yield from examine(
        subject,
        draw,
        Property(
            "softmax",
            "p_T = softmax(z / T): below 1 it sharpens, above 1 it flattens, 1 changes nothing",
            warm_cases,
            1.25,
            asks="each probability raised to 1/T, and all of them normalized",
        ),
        Property(
            "limits",
            "T → 0 is greedy with ties shared, T → ∞ is uniform, and nothing overflows",
            extreme_cases,
            0.75,
            asks="at T = 0.0001 the largest logits share all of it, at T = 10,000 all tokens do; "
            "logits in the thousands are no harm, nor logits that are as near as T is to 0",
            typical=False,
            needs="softmax",
            alike=loosely,
        ),
        Property(
            "impossible",
            "a logit of −inf stays impossible at every temperature, and changes no other token's",
            impossible_cases,
            0.25,
            asks="e^(−inf) = 0, and the others as if the token did not exist",
            typical=False,
            needs="limits",
        ),
        rows(batches_of_logits, "softmax", 0.25),
        refusals("T", "T > 0", lambda d: [(d.normal(4), T) for T in (0.0, -1.0)], 0.5),
    )


# --- top-k ----------------------------------------------------------------------------------------


def ranking(p: np.ndarray) -> np.ndarray:
    """Indices from the most probable to the least, ties by index."""
    return np.argsort(-p, kind="stable")


def ranked_from_the_right(p: np.ndarray) -> np.ndarray:
    """Indices from the most probable to the least, of ties the highest index first."""
    return len(p) - 1 - np.argsort(-p[::-1], kind="stable")


def read_as_written(p: np.ndarray, k: int) -> bool:
    """Whether the first k ranks stand at their tokens, read at the ranking's places or written."""
    order = ranking(p)
    if k >= len(p):  # all of them do as soon as the ranking is its own inverse
        return np.array_equal(order, np.argsort(order))
    return set(order[:k]) == set(np.argsort(order)[:k])


def masked(p: np.ndarray, indices: np.ndarray) -> np.ndarray:
    """p at the given indices, 0 elsewhere."""
    kept = np.zeros_like(p)
    kept[indices] = p[indices]
    return kept


def best_k(
    p: np.ndarray,
    k: int,
    *,
    ranked: Callable = ranking,
    chosen: Callable = lambda order, k: order[:k],
    put: Callable = masked,
    shared: Callable = normalized,
    axis: int | None = LAST,
) -> Any:
    """The k most probable tokens of each row kept, normalized. Each option turns one thing wrong.

    `put(p, indices)` makes of the chosen indices what is kept, `shared` probabilities of it.
    """
    if k < 1:
        return REFUSED
    return along(lambda row: shared(put(row, chosen(ranked(row), k))), p, axis)


def best_k_at_once(p: np.ndarray, k: int) -> Any:
    """The same as `best_k`, of all rows at once."""
    if k < 1:
        return REFUSED
    rows = torch.tensor(p)
    order = rows.argsort(dim=LAST, descending=True, stable=True)
    mask = torch.zeros_like(rows)
    kept = rows * mask.scatter(LAST, order[..., :k], 1.0)
    return (kept / kept.sum(dim=LAST, keepdim=True)).numpy()


_SHARES = (
    *(
        Mistake(
            "cut-mass-given-away",
            f"what was cut off is given to {whom}: the kept tokens keep their proportions, so "
            "divide by their sum",
            options={"shared": shared},
        )
        for whom, shared in (
            (
                "all kept tokens in equal parts",
                lambda kept: kept + (kept > 0) * (1 - kept.sum()) / (kept > 0).sum(),
            ),
            ("the best token", lambda kept: kept + (1 - kept.sum()) * (_at(kept) == kept.argmax())),
        )
    ),
    Mistake(
        "not-normalized",
        "what is left sums to less than 1: divide by its sum",
        options={"shared": lambda kept: kept},
    ),
    Mistake(
        "evenly-shared",
        "the kept tokens share evenly: they keep their proportions",
        options={"shared": lambda kept: (kept > 0) / (kept > 0).sum()},
    ),
    Mistake(
        "softmax-again",
        "probabilities are no logits: a softmax flattens them, and gives e⁰ to those you had set "
        "to 0; divide by the sum",
        options={"shared": softmax},
    ),
    Mistake(
        "softmax-over-kept",
        "a softmax of probabilities flattens them: divide by their sum",
        options={"shared": lambda kept: softmax(np.where(kept > 0, kept, -np.inf))},
    ),
    Mistake(
        "not-put-back",
        "the answer is in ranked order: put each probability back at its own token",
        options={"put": lambda p, kept: np.sort(p)[::-1] * (np.arange(len(p)) < len(kept))},
    ),
    *(
        Mistake(
            "read-for-written",
            "the ranked entries are READ at the places of the ranking (as gather does): the entry "
            "of rank r is to be WRITTEN at the token that has that rank",
            options={"put": put},
        )
        for put in (
            lambda p, kept: (np.sort(p)[::-1] * (np.arange(len(p)) < len(kept)))[ranking(p)],
            lambda p, kept: p * (np.arange(len(p)) < len(kept))[ranking(p)],
        )
    ),
)


def _by_the_first_mass(rule: Callable, but_for: float = math.nan) -> Mistake:
    """The mistake of dividing every row by what the first row of the batch keeps."""

    def divided(p: np.ndarray, much: float) -> Any:
        if isinstance(rule(p, much), str) or much == but_for:
            return rule(p, much)
        kept = rule(p, much, shared=lambda kept: kept)
        return kept / kept.reshape(-1, kept.shape[-1])[0].sum()

    return Mistake(
        "sum-over-the-batch",
        "what is kept is divided by the sum of the first row: each row has a sum of its own, along "
        "the last axis",
        gives=divided,
    )


def sums_over(rule: Callable, axis: int | None, but_for: float = math.nan) -> Mistake:
    """The mistake of dividing a batch by sums along another axis than the last (None: by one).

    `but_for` is the argument at which there is no such mistake.
    """

    def shared_by_others(p: np.ndarray, much: float, **wrong: Any) -> Any:
        kept = rule(p, much, **{"shared": lambda kept: kept, **wrong})
        if isinstance(kept, str):
            return kept
        if much == but_for:
            return rule(p, much, **wrong)
        with np.errstate(all="ignore"):
            return kept / kept.sum(axis=axis, keepdims=True)

    whose = "the whole batch" if axis is None else "its first axis"
    return Mistake(
        "sum-over-the-batch",
        f"what is kept is divided by a sum over {whose}: each row has a sum of its own, along the "
        "last axis",
        gives=shared_by_others,
    )


def of_first_row(rule: Callable, but_for: float = math.nan) -> tuple[Mistake, ...]:
    """The mistakes of keeping in every row what, or as many as, the first row of the batch keeps.

    `but_for` is the argument at which there is no such mistake.
    """

    def of_all(keep: Callable[[np.ndarray, np.ndarray], np.ndarray]) -> Callable:
        def kept(p: np.ndarray, much: float) -> Any:
            right = rule(p, much)
            if isinstance(right, str) or p.ndim == 1 or much == but_for:
                return right
            first = right.reshape(-1, p.shape[-1])[0] > 0
            return normalized(along(lambda row: keep(row, first), p))

        return kept

    advice = (
        "the first row of a batch decides for all of them: each row has probabilities of its own"
    )
    return (
        Mistake("first-row-for-all", advice, gives=of_all(lambda row, first: row * first)),
        Mistake(
            "first-row-for-all",
            advice,
            gives=of_all(lambda row, first: masked(row, ranking(row)[: first.sum()])),
        ),
    )


_TIES = (
    Mistake(
        "ties-keep-more",
        "comparing with the least kept value keeps all that tie with it: select INDICES",
        options={"put": lambda p, kept: p * (p >= p[kept].min())},
    ),
    Mistake(
        "ties-by-chance",
        "of tied tokens the highest index comes first here: the lowest one is asked",
        options={"ranked": ranked_from_the_right},
    ),
)


def _other_ties(seen: Sequence[Observation]) -> bool:
    """Whether what fails keeps the right probabilities, at other tokens that tie with them.

    What raises an exception instead says nothing of ties.
    """
    failed = [o for o in seen if o.fails and not (isinstance(o.answer, str) and o.answer == RAISED)]
    return bool(failed) and all(
        not isinstance(o.answer, str)
        and not isinstance(o.right, str)
        and alike_rows(np.sort(o.answer), np.sort(o.right))
        and alike_rows(o.answer[o.answer > 0] / o.answer.max(),
                       o.args[0][o.answer > 0] / o.args[0].max())
        for o in failed
    )  # fmt: skip


_OTHER_TIES = Symptom(
    "ties-by-chance",
    "as many tokens as asked, but of tied ones not those with the lowest indices: rank them in an "
    "order that is defined for ties",
    _other_ties,
)


def _cut_in_all_rows(p: np.ndarray, k: int) -> Any:
    """Rows without any token that some row does not keep."""
    kept = best_k(p, k)
    if isinstance(kept, str):
        return kept
    always = (kept.reshape(-1, p.shape[-1]) > 0).all(axis=0)
    return normalized(p * always)


def _k_for_each_of_all(p: np.ndarray, k: int) -> Any:
    """The k · rows best of the whole batch, each row divided by its sum."""
    kept = best_k(p, k * (p.size // p.shape[-1]), axis=None)
    return kept if isinstance(kept, str) else normalized(kept)


_OF_TOP_K = (
    *_SHARES,
    Mistake(
        "one-too-few",
        "one token is missing: k are kept, the k-th among them",
        options={"chosen": lambda order, k: order[: k - 1]},
    ),
    Mistake(
        "one-too-few",
        "one token is missing: k are kept, the k-th among them, and not for k = 1 alone",
        options={"chosen": lambda order, k: order[: max(k - 1, 1)]},
    ),
    Mistake(
        "one-too-many",
        "one token too many is kept",
        options={"chosen": lambda order, k: order[: k + 1]},
    ),
    *(
        Mistake(
            "least-probable-kept",
            "the k LEAST probable are kept: sort in descending order",
            options=one,
        )
        for one in (
            {"ranked": lambda p: np.argsort(p, kind="stable")},
            {"chosen": lambda order, k: order[-k:]},
        )
    ),
    Mistake(
        "best-removed",
        "the best k are removed here, and the rest kept",
        options={"chosen": lambda order, k: order[k:]},
    ),
    Mistake(
        "first-indices-kept",
        "the first k of the vocabulary are kept: rank by probability first",
        options={"ranked": lambda p: np.arange(len(p))},
    ),
    *_TIES,
    *_OF_BATCHES,
    *(sums_over(best_k, axis) for axis in (None, 0)),
    of_first_row(best_k)[0],
    _by_the_first_mass(best_k),
    Mistake(
        "rows-mixed",
        "what one row of a batch cuts off is cut off in all of them: each row has a ranking of its "
        "own",
        gives=_cut_in_all_rows,
    ),
    Mistake(
        _FLATTENED.name,
        "as many tokens as all rows together keep are chosen from the whole batch: each row keeps "
        "k of its own",
        gives=_k_for_each_of_all,
    ),
    Mistake(
        _FLATTENED.name,
        "the k best of the whole batch are kept: each row has k of its own",
        gives=lambda p, k: REFUSED if k < 1 else normalized(best_k(p, k, axis=None)),
    ),
    Mistake(
        "k-beyond-V",
        "your function raises an exception for k > V: where k is larger, there is nothing to cut",
        after=lambda value, p, k: RAISED if k > p.shape[-1] else value,
    ),
    answered_where(lambda k: k < 1, "k", "k ≥ 1"),
    answered_where(lambda k: k == 0, "k", "k ≥ 1", "k = 0"),
    answered_where(lambda k: k < 0, "k", "k ≥ 1", "a negative k"),
)
_BEYOND = Symptom(
    "k-beyond-V",
    "your function raises an exception for k > V: where k is larger, there is nothing to cut",
    lambda seen: any(isinstance(o.answer, str) and o.answer == RAISED for o in seen),
)


def cases_for_k(draw: Draw) -> list[tuple]:
    """Distinct probabilities: the first k are not the best, nor found by reading, by chance."""
    cases = []
    sizes = ((draw.integer(6, 9), 3), (draw.integer(10, 40), draw.integer(4, 6)), (5, 2), (6, 1))
    for n, k in sizes:
        p = probabilities(draw, n)
        while (
            (ranking(p)[:k] < k).all()
            or read_as_written(p, k)
            or np.abs(np.diff(np.sort(p))).min() < 1e-4
        ):
            p = probabilities(draw, n)
        cases.append((p, k))
    return cases


def ties_for_k(draw: Draw) -> list[tuple]:
    """Probabilities that are powers of two: they tie in single precision too."""
    n = draw.integer(40, 60)
    many = np.full(n, 1.0)
    many[draw.permutation(n)[:3]] = 4.0
    many /= 2.0 ** np.ceil(np.log2(many.sum()))
    few = np.array([0.125, 0.25, 0.125, 0.25, 0.125, 0.125])[draw.permutation(6)]
    return [(many, draw.integer(8, 12)), (few, 3), (np.full(8, 0.125), 3)]


def batches_for_k(draw: Draw) -> list[tuple]:
    """Batches in which the best of all are not k in each row, nor the same ones in all rows."""
    cases = []
    for shape in ((4, 7), (2, 3, 5)):
        p, k = probabilities(draw, *shape), 2
        while any(
            np.abs(np.nan_to_num(wrong(p, k)) - best_k(p, k)).max() < 0.05
            for wrong in (_k_for_each_of_all, _cut_in_all_rows)
        ):
            p = probabilities(draw, *shape)
        cases.append((p, k))
    return cases


def edges_for_k(draw: Draw) -> list[tuple]:
    """k beyond V, and k that keep nothing."""
    n = draw.integer(4, 6)
    p = probabilities(draw, n)
    while read_as_written(p, n):
        p = probabilities(draw, n)
    return [(p, n), (p, n + draw.integer(1, 40)), (p, 0), (p, -2)]


_FALLING, _RISING = np.array([0.5, 0.375, 0.125]), np.array([0.125, 0.375, 0.5])
_TURNED = np.array([0.125, 0.5, 0.375])  # its ranking is not its own inverse, as of the others
_TIED = np.array([0.25, 0.5, 0.25])
_BATCH = np.array([[0.75, 0.25], [0.25, 0.75]])


def top_k_by_hand(p: np.ndarray, k: int) -> str:
    """The steps on a few probabilities."""
    if np.ndim(p) > 1 or len(p) > 3 or k < 1:
        return ""
    order = ranking(p)
    names = ", ".join(map(str, order[:k]))
    held = p[order[:k]].sum()
    return f"the first {min(k, len(p))} by rank: {names}; they hold {held:g}, which divides them"


@checks("top_k", lesson=LESSON, points=2, see="Exercise 2: cutting the tail")
def the_k_best(top_k: Standin, draw: Draw) -> Iterator[Claim | Cause]:
    """The k most probable tokens, and nothing else."""
    subject = Subject(
        ask=asking(top_k, lambda k: k < 1, lambda p, k: k > p.shape[-1]),
        rule=best_k,
        forms=(best_k_at_once,),
        mistakes=_OF_TOP_K,
        symptoms=(_SAW_CHANGED, _OTHER_TIES, _BEYOND, *words_of_refusal("k", "k ≥ 1")),
        show=lambda p, k: f"k = {k} and p = {shown(p)}",
        told=told,
        by_hand=top_k_by_hand,
        smaller=smaller_than(
            ((_FALLING[:2], 1), *((p, 2) for p in (_RISING, _FALLING, _TURNED, _TIED)), (_BATCH, 1))
        ),
        alike=and_no_less,
    )
    yield from examine(
        subject,
        draw,
        Property(
            "best",
            "the k most probable tokens keep their proportions, all others get 0, the sum is 1",
            cases_for_k,
            1,
            asks="exactly k tokens, their probabilities divided by their sum",
        ),
        Property(
            "ties",
            "where tokens tie, exactly k are kept, the lowest indices first",
            ties_for_k,
            0.5,
            asks="k tokens, chosen by probability first and by index second",
            typical=False,
            needs="best",
        ),
        rows(batches_for_k, "best", 0.25),
        Property(
            "edges",
            "k ≥ V keeps all as they are, and k < 1 is refused with a ValueError",
            edges_for_k,
            0.25,
            asks="all tokens are at most V; none at all is no distribution",
            typical=False,
        ),
    )


# --- top-p ----------------------------------------------------------------------------------------


def nucleus(
    p: np.ndarray,
    mass: float,
    *,
    ranked: Callable = ranking,
    kept: Callable = lambda before, ranks, mass: before < mass,
    whole: bool = True,
    put: Callable = masked,
    shared: Callable = normalized,
    axis: int | None = LAST,
) -> Any:
    """The fewest tokens of each row that hold `mass`, normalized. Each option turns one thing of it
    wrong.

    `kept(mass before, ranked probabilities, mass)` says which ranked tokens stay; `whole`: mass 1
    keeps everything.
    """
    if not 0 < mass <= 1:
        return REFUSED

    def row(p: np.ndarray) -> np.ndarray:
        if whole and mass == 1:
            return shared(p)
        order = ranked(p)
        before = np.concatenate([[0.0], p[order].cumsum()[:-1]])
        return shared(put(p, order[kept(before, p[order], mass)]))

    return along(row, p, axis)


def nucleus_at_once(p: np.ndarray, mass: float) -> Any:
    """The same as `nucleus`, of all rows at once."""
    if not 0 < mass <= 1:
        return REFUSED
    rows = torch.tensor(p)
    if mass == 1:
        return (rows / rows.sum(dim=LAST, keepdim=True)).numpy()
    ranks, order = rows.sort(dim=LAST, descending=True, stable=True)
    before = ranks.cumsum(dim=LAST) - ranks
    nothing = torch.zeros_like(rows)
    kept = nothing.scatter(LAST, order, ranks * (before < mass))
    return (kept / kept.sum(dim=LAST, keepdim=True)).numpy()


def _count(p: np.ndarray, mass: float) -> int:
    return int((nucleus(p, mass) > 0).sum())


def _first_over(before: np.ndarray, ranks: np.ndarray, mass: float) -> np.ndarray:
    return _at(ranks) <= (np.float32(before + ranks) > mass).argmax()


def _marks_moved_left(before: np.ndarray, ranks: np.ndarray, mass: float) -> np.ndarray:
    gone = np.float32(before + ranks) > mass
    gone = np.append(gone[1:], gone[-1:])
    return ~gone | (_at(ranks) == 0)


def _before_of_a_softmax(before: np.ndarray, ranks: np.ndarray, mass: float) -> np.ndarray:
    flat = softmax(ranks)
    return flat.cumsum() - flat < mass


_CROSSING = (
    "the token that crosses the line is dropped: without it the mass is less than p. Keep a token "
    "if the mass BEFORE it is below p"
)
_KEPT_OF_TOP_P = (
    ("crossing-dropped", _CROSSING, lambda b, r, m: b + r < m),
    ("crossing-dropped", _CROSSING, lambda b, r, m: b + r <= m),
    ("crossing-dropped", _CROSSING, lambda b, r, m: (b + r < m) | (_at(r) == 0)),
    ("crossing-dropped", _CROSSING, lambda b, r, m: (b + r <= m) | (_at(r) == 0)),
    (
        "one-too-many",
        "one token more than needed is kept: stop with the one that reaches p",
        lambda b, r, m: np.concatenate([[True], (b < m)[:-1]]),
    ),
    (
        "more-than-needed",
        "a set of mass p exactly is enough: the mass before a kept token is LESS than p",
        lambda b, r, m: b <= m,
    ),
    (
        "softmax-of-probabilities",
        "the sums run over a softmax of the probabilities, which makes them nearly even: add up "
        "the probabilities themselves",
        _before_of_a_softmax,
    ),
    (
        "marks-not-copied",
        "the marks of what goes are moved by one place while they are read, so that the first one "
        "is copied to all: move a copy of them, .clone()",
        lambda b, r, m: (_at(r) == 0) | (r[0] < m),
    ),
    *(
        (
            "threshold-for-mass",
            "single probabilities are compared with p: p is the mass of the kept set",
            kept,
        )
        for kept in (lambda b, r, m: r >= m, lambda b, r, m: r < m)
    ),
    (
        "threshold-for-mass",
        "single probabilities are compared with 1 − p: p is the mass of the kept set",
        lambda b, r, m: r >= 1 - m,
    ),
    *(
        (
            "fraction-of-tokens",
            "p is a share of the tokens here: it is the mass that they hold",
            lambda b, r, m, whole=whole: _at(r) < max(1, whole(m * len(r))),
        )
        for whole in (math.ceil, round, math.floor)
    ),
    (
        "fraction-of-the-best",
        "this compares with the best token (min-p): p is the mass of the set",
        lambda b, r, m: r >= m * r.max(),
    ),
    (
        "fraction-of-the-best",
        "this compares with the best token, times 1 − p (min-p): p is the mass of the set",
        lambda b, r, m: r >= (1 - m) * r.max(),
    ),
    (
        "best-dropped",
        "the best token is never kept: nothing stands before it, so its mass before is 0, and not "
        "the last sum, which roll brings there",
        lambda b, r, m: (b < m) & (_at(r) > 0),
    ),
    (
        "complement",
        "1 − p of the mass is kept here: p is what to keep",
        lambda b, r, m: b < 1 - m,
    ),
    ("nothing-cut", "nothing is cut off", lambda b, r, m: b >= 0),
)
_ONE = "in 32 bits the sum reaches 1 before the last tokens are counted: p = 1 must cut nothing"


def _crossing_in_part(p: np.ndarray, mass: float) -> Any:
    """The nucleus with only so much of its last token that it holds `mass` exactly."""

    def row(p: np.ndarray) -> np.ndarray:
        order = ranking(p)
        upto = p[order].cumsum()
        part = (np.minimum(upto, mass) - np.concatenate([[0.0], upto[:-1]])).clip(min=0)
        kept = np.zeros_like(p)
        kept[order] = part
        return normalized(kept)

    return along(row, p) if 0 < mass < 1 else nucleus(p, mass)


def _as_many_as_the_most(p: np.ndarray, mass: float) -> Any:
    """In every row as many tokens as the row that needs most of them."""
    kept = nucleus(p, mass)
    return kept if isinstance(kept, str) else best_k(p, int((kept > 0).sum(axis=LAST).max()))


_OF_TOP_P = (
    *(Mistake(name, advice, options={"kept": k}) for name, advice, k in _KEPT_OF_TOP_P),
    *_SHARES,
    *(
        Mistake(
            "ascending",
            "the sum begins at the least probable tokens: sort in descending order",
            options={"ranked": ranked},
        )
        for ranked in (lambda p: np.argsort(p, kind="stable"), lambda p: ranking(p)[::-1])
    ),
    Mistake(
        "unsorted",
        "the sum runs through the vocabulary as it is listed: sort by probability first",
        options={"ranked": lambda p: np.arange(len(p))},
    ),
    Mistake(
        "mask-not-put-back",
        "the mask is in ranked order and the probabilities are not: bring the mask back to the "
        "vocabulary's",
        options={"put": lambda p, kept: p * (np.arange(len(p)) < len(kept))},
    ),
    *_TIES,
    Mistake(
        "nothing-kept",
        "where p is tiny nothing is kept, and 0/0 is NaN: beside 1, a p of 1e-8 is lost in single "
        "precision. The first token must stay however small p is",
        gives=lambda p, mass: np.full_like(p, np.nan) if 0 < mass < 1e-7 else nucleus(p, mass),
    ),
    Mistake(
        "divided-by-p",
        "what is kept is divided by p: it holds p at LEAST, so divide by what it holds",
        gives=lambda p, mass: nucleus(p, mass, shared=lambda kept: kept / mass),
    ),
    Mistake(
        "crossing-shortened",
        "the token that crosses the line is kept in part, so that the mass is p exactly: it is "
        "kept whole",
        gives=_crossing_in_part,
    ),
    Mistake("sum-reaches-one", _ONE, options={"whole": False}),
    *(
        Mistake(
            "shifted-the-wrong-way",
            "the marks of what goes are moved to the left, so that the crossing token goes, and "
            "the one before it: a token goes if the mass BEFORE it is enough, so move them right",
            options={"whole": whole, "kept": _marks_moved_left},
        )
        for whole in (True, False)
    ),
    *(
        Mistake(
            "argmax-of-nothing",
            "where no sum exceeds p, the argmax of the comparison is 0, and nothing is kept but "
            "the first: compare the mass before each token instead",
            options={"whole": False, "kept": kept},
        )
        for kept in (_first_over, lambda b, r, m: _first_over(b, r, m) & (_at(r) >= 0))
    ),
    *(
        Mistake("crossing-dropped", _CROSSING, options={"whole": False, "kept": kept})
        for kept in (lambda b, r, m: np.float32(b + r) < m, lambda b, r, m: np.float32(b + r) <= m)
    ),
    *_OF_BATCHES,
    *(sums_over(nucleus, axis, one) for axis in (None, 0) for one in (math.nan, 1.0)),
    *of_first_row(nucleus, 1.0),
    _by_the_first_mass(nucleus, 1.0),
    Mistake(
        "first-row-for-all",
        "every row keeps as many tokens as the row that needs most of them: each has a number of "
        "its own",
        gives=_as_many_as_the_most,
    ),
    *(
        answered_where(outside, "p", "0 < p ≤ 1", which)
        for outside, which in (
            (lambda m: not 0 < m <= 1, ""),
            (lambda m: m <= 0, "p ≤ 0"),
            (lambda m: m == 0, "p = 0"),
            (lambda m: m > 1, "a p above 1"),
        )
    ),
)


def cases_for_p(draw: Draw) -> list[tuple]:
    """Sizes at which all the mistakes differ, and no sum so near that rounding decides."""
    cases = []
    for n, least, rounds in (
        (draw.integer(6, 9), 2, "down"),
        (draw.integer(20, 40), 4, ""),
        (draw.integer(7, 9), 3, "up"),
    ):
        while True:
            p, mass = probabilities(draw, n), 0.3 + 0.55 * float(draw.uniform())
            order, sums = ranking(p), np.sort(p)[::-1].cumsum()
            kept = _count(p, mass)
            if (
                least <= kept < n - 2
                and np.abs(sums - mass).min() > 2e-3
                and p[order[0]] < mass
                and kept not in (math.ceil(mass * n), _count(p, 1 - mass))
                and (not rounds or _rounds_a_softmax(p, mass) == rounds)
                and set(order[:kept]) != set(range(kept))
                and not read_as_written(p, kept)
            ):
                break
        cases.append((p, mass))
    while True:
        p, mass = probabilities(draw, 5, sharp=2.0), 0.3 + 0.1 * float(draw.uniform())
        if p.max() > mass + 0.1 and p.argmax() > 0:  # one token is enough
            return [*cases, (p, mass)]


def _rounds_a_softmax(p: np.ndarray, mass: float) -> str:
    """How a share of the tokens would be rounded to be as many as the sums of a softmax(p) keep.

    "down" where it rounds to the nearest or up otherwise, "up" where that is not the nearest.
    """
    kept, share = int(_before_of_a_softmax(p, np.sort(p)[::-1], mass).sum()), mass * len(p)
    if kept == math.floor(share) < share:
        return "down"
    return "up" if kept == math.ceil(share) != round(share) else ""


def edges_for_p(draw: Draw) -> list[tuple]:
    """A mass that is reached exactly, masses below the first token's, and certainty."""
    halves = np.array([0.5, 0.25, 0.125, 0.0625, 0.0625])[draw.permutation(5)]
    while read_as_written(halves, 1):
        halves = halves[draw.permutation(5)]
    sure = np.eye(draw.integer(3, 6))[draw.integer(0, 2)]
    exact = draw.choice((0.75, 0.875))
    return [(halves, exact), (halves, 0.1), (sure, 0.9), (halves, 1e-8)]


def tails_for_p(draw: Draw) -> list[tuple]:
    """A head that sums to 1 in single precision, and a tail: all of it, and without the tail."""
    n = draw.integer(50, 90)
    p = np.full(n, 2.0**-31)
    p[draw.permutation(n)[:3]] = (0.5, 0.3125, 0.1875)
    return [(p, 1.0), (p, 0.6)]


def ties_for_p(draw: Draw) -> list[tuple]:
    """Powers of two that tie, in an order that is not right by chance."""
    mixed = np.array([0.25, 0.25, 0.125, 0.125, 0.125, 0.125])
    while set(ranking(mixed)[:3]) in ({0, 1, 2}, {3, 4, 5}) or read_as_written(mixed, 3):
        mixed = mixed[draw.permutation(6)]
    return [(np.full(8, 0.125), draw.integer(2, 6) / 8), (mixed, 0.625)]


def batches_for_p(draw: Draw) -> list[tuple]:
    """Batches with no sum near the mass, and one of which everything is kept.

    In each, some row keeps others than those whose share of the best token is as large, or as large
    as what is left out, and not all keep as many.
    """
    cases = []
    for shape in ((4, 8), (2, 2, 6)):
        while True:
            p = probabilities(draw, *shape, sharp=2.0)
            sums = np.sort(p)[..., ::-1].cumsum(-1)
            kept = nucleus(p, 0.7) > 0
            near = [p >= share * p.max(-1, keepdims=True) for share in (0.7, 0.3)]
            differ = all((kept != one).any() for one in near)
            uneven = len(set(kept.sum(axis=LAST).flat)) > 1
            if np.abs(sums - 0.7).min() > 1e-3 and differ and uneven:
                break
        cases.append((p, 0.7))
    return [*cases, (cases[0][0], 1.0)]


def top_p_by_hand(p: np.ndarray, mass: float) -> str:
    """The steps on a few probabilities."""
    if np.ndim(p) > 1 or len(p) > 3 or not 0 < mass < 1:
        return ""
    order = ranking(p)
    before = np.concatenate([[0.0], p[order].cumsum()[:-1]])
    steps = ", ".join(f"token {i} has {b:g} before it" for i, b in zip(order, before, strict=True))
    held = p[order[before < mass]].sum()
    return f"{steps}; kept where that is below {mass:g}; they hold {held:g}, which divides them"


@checks("top_p", lesson=LESSON, points=3, see="Exercise 2: cutting the tail")
def the_smallest_set_that_holds_p(top_p: Standin, draw: Draw) -> Iterator[Claim | Cause]:
    """The nucleus: as few tokens as hold the mass p."""
    small = (
        (_FALLING[:2], 0.75),
        *((p, 0.75) for p in (_RISING, _TURNED)),
        (_FALLING, 0.875),
        (_TIED, 0.625),
        (_BATCH, 0.5),
    )
    subject = Subject(
        ask=asking(top_p, lambda mass: not 0 < mass <= 1),
        rule=nucleus,
        forms=(nucleus_at_once,),
        mistakes=_OF_TOP_P,
        symptoms=(_SAW_CHANGED, _OTHER_TIES, *words_of_refusal("p", "0 < p ≤ 1")),
        show=lambda p, mass: f"a mass of {mass:.4g} and probabilities {shown(p)}",
        told=lambda a: f"{(a > 0).sum()} kept: {told(a)}" if np.ndim(a) == 1 else told(a),
        by_hand=top_p_by_hand,
        smaller=smaller_than(small),
        alike=and_no_less,
    )
    yield from examine(
        subject,
        draw,
        Property(
            "fewest",
            "the kept tokens are the fewest that hold at least p, the crossing one with them, "
            "normalized",
            cases_for_p,
            1.25,
            asks="ranked tokens until they hold p, their probabilities divided by their sum",
        ),
        Property(
            "one",
            "one token is always kept, and no more where the mass is p exactly",
            edges_for_p,
            0.5,
            asks="the first token, however small p is; and a set that holds p exactly is enough",
            typical=False,
            needs="fewest",
        ),
        Property(
            "all",
            "p = 1 keeps every token, however small",
            tails_for_p,
            0.5,
            asks="all: the mass 1 is held by nothing less, and a smaller mass by fewer",
            typical=False,
            needs="fewest",
        ),
        Property(
            "ties",
            "of tied tokens only as many as needed are kept, the lowest indices first",
            ties_for_p,
            0.25,
            asks="tokens ranked by probability first, by index second",
            typical=False,
            needs="fewest",
        ),
        rows(batches_for_p, "fewest", 0.25),
        refusals(
            "p",
            "0 < p ≤ 1",
            lambda d: [(probabilities(d, 4), mass) for mass in (0.0, -0.5, 1.5)],
            0.25,
        ),
    )


# --- all three in order ---------------------------------------------------------------------------


def some_k(p: np.ndarray, k: int) -> Any:
    """The k most probable of rows, normalized; REFUSED for k = 0."""
    return best_k(p, k) if k else REFUSED


def recipe(
    z: np.ndarray,
    T: float = 1.0,
    k: int | None = None,
    mass: float = 1.0,
    *,
    hot: Callable = tempered,
    cut: Callable = some_k,
    hold: Callable = nucleus,
) -> Any:
    """Temperature, then top-k, then top-p, of rows of logits. Each option turns one step wrong."""
    p = hot(z, T)
    if k is not None:
        p = cut(p, k)
    return p if isinstance(p, str) else hold(p, mass)


def _cut_first(z: np.ndarray, T: float = 1.0, k: int | None = None, mass: float = 1) -> Any:
    kept = recipe(z, 1.0, k, mass)
    return kept if isinstance(kept, str) else tempered(np.where(kept > 0, z, -np.inf), T)


def _top_p_first(
    z: np.ndarray, T: float = 1.0, k: int | None = None, mass: float = 1.0, *, hot: Any = tempered
) -> Any:
    p = nucleus(hot(z, T), mass)
    return p if k is None else some_k(p, k)


def _backwards(z: np.ndarray, T: float = 1.0, k: int | None = None, mass: float = 1.0) -> Any:
    with np.errstate(divide="ignore"):
        p = tempered(np.log(nucleus(softmax(z), mass)), T)
    return p if k is None else some_k(p, k)


def _logits_cut(z: np.ndarray, T: float = 1.0, k: int | None = None, mass: float = 1.0) -> Any:
    cut = z if k is None else some_k(z, k)
    return cut if isinstance(cut, str) else recipe(cut, T, None, mass)


def _cut_to_zero(
    z: np.ndarray,
    T: float = 1.0,
    k: int | None = None,
    mass: float = 1.0,
    *,
    by_k: bool = True,
    by_p: bool = True,
) -> Any:
    """The recipe on logits, of which those that are cut become 0."""
    z = z / T
    p = softmax(z) if k is None else some_k(softmax(z), k)
    if isinstance(p, str):
        return p
    if k is not None and by_k:
        z = np.where(p > 0, z, 0.0)
        p = softmax(z)
    kept = nucleus(p, mass) > 0
    return (
        softmax(np.where(kept, z, 0.0))
        if by_p
        else np.where(kept, p, 0.0) / (np.where(kept, p, 0.0).sum(-1, keepdims=True))
    )


def _all_that_tie(p: np.ndarray, k: int) -> Any:
    """Rows without what is less probable than the k-th, normalized."""
    if not k:
        return REFUSED
    least = np.sort(p)[..., ::-1][..., [min(k, p.shape[-1]) - 1]]
    return normalized(p * (p >= least))


def _raw_at_one(z: np.ndarray, T: float = 1.0, k: int | None = None, mass: float = 1.0) -> Any:
    """The recipe without its first step at T = 1, and without its last at p = 1."""
    p = z if T == 1 else tempered(z, T)
    p = p if k is None else some_k(p, k)
    return p if isinstance(p, str) or mass == 1 else nucleus(p, mass)


_OF_ORDER = (
    Mistake(
        "logits-cut",
        "top-k gets the logits here, which sets some of them to 0 and divides the others: it takes "
        "probabilities, so the temperature comes before it",
        gives=_logits_cut,
    ),
    *several(
        "zeros-for-cut",
        "the LOGITS of what is cut become 0 here, and e^0 = 1 is a weight like any other: they "
        "become −∞, or the probabilities 0",
        *(
            functools.partial(_cut_to_zero, by_k=by_k, by_p=by_p)
            for by_k, by_p in ((True, True), (True, False), (False, True))
        ),
    ),
    Mistake(
        "temperature-after-top-p",
        "the temperature comes last here, so that top-p cuts another distribution than the one "
        "you draw from: temperature first",
        gives=_cut_first,
    ),
    Mistake(
        "top-p-before-top-k",
        "the mass of top-p is counted among ALL tokens here: top-k comes first, and top-p cuts "
        "what it left, normalized",
        gives=_top_p_first,
    ),
    Mistake(
        "T-ignored",
        "the temperature has no effect",
        options={"hot": lambda z, T: softmax(z)},
    ),
    Mistake("T-squared", "T is used twice", options={"hot": lambda z, T: tempered(z, T * T)}),
    Mistake(
        "top-p-then-heat",
        "top-p cuts before the temperature here, and top-k after it: the temperature comes first, "
        "and top-p last",
        gives=_backwards,
    ),
    Mistake(
        "top-p-without-k-only",
        "top-p has no effect where a k is given, as with `elif`: all three may be asked at once",
        gives=lambda z, T=1.0, k=None, mass=1.0: recipe(z, T, k, mass if k is None else 1.0),
    ),
    Mistake(
        "top-k-without-p-only",
        "top-k has no effect where a p is given, as with `elif`: all three may be asked at once",
        gives=lambda z, T=1.0, k=None, mass=1.0: recipe(z, T, None if mass < 1 else k, mass),
    ),
    *(
        Mistake(
            "T-not-as-given",
            "a small T is made larger here (a least value, or something added): temperature takes "
            "every T > 0 as it is, and refuses the others by itself",
            options={"hot": lambda z, T, scaled=scaled: softmax(z / scaled(T))},
        )
        for scaled in (
            *(lambda T, v=v: max(T, v) for v in (0.1, 0.05, 0.01, 1e-3)),
            *(lambda T, v=v: T + v for v in (1e-3, 1e-4)),
        )
    ),
    *several(
        "other-defaults",
        "what is left out has an effect: T, k and p are 1, None and 1 where they are not given",
        *(lambda z, T=T, k=None, mass=1.0: recipe(z, T, k, mass) for T in (0.5, 0.7, 0.8, 0.9)),
        *(lambda z, T=1.0, k=k, mass=1.0: recipe(z, T, k, mass) for k in (1, 10, 20, 40, 50, 100)),
        *(lambda z, T=1.0, k=None, mass=m: recipe(z, T, k, mass) for m in (0.5, 0.9, 0.92, 0.95)),
        *(
            lambda z, T=T, k=k, mass=m: recipe(z, T, k, mass)
            for T, k, m in itertools.product((0.7, 0.8, 1.0), (None, 40, 50), (0.9, 0.95))
        ),
    ),
    Mistake(
        "rows-for-V",
        "k = None becomes the length of the logits, which of a batch is the number of its ROWS: "
        "the vocabulary is the last axis",
        gives=lambda z, T=1.0, k=None, mass=1.0: recipe(z, T, len(z) if k is None else k, mass),
    ),
    *several(
        "k-ignored",
        "top-k has no effect: has its result a name, and does top-p get that?",
        lambda z, T=1.0, k=None, mass=1.0: recipe(z, T, None, mass),
        lambda z, T=1.0, k=None, mass=1.0: REFUSED if k == 0 else recipe(z, T, None, mass),
    ),
    Mistake(
        "ties-keep-more",
        "of tokens that tie for the last place all are kept: top-k keeps exactly k, as your top_k",
        options={"cut": _all_that_tie},
    ),
    Mistake(
        "logits-returned",
        "at T = 1 the temperature is left out, and the softmax with it: what follows gets logits",
        gives=_raw_at_one,
    ),
    Mistake(
        "zero-for-none",
        "only None leaves top-k out: your k = 0, which is false in an `if` as well, keeps all",
        options={"cut": lambda p, k: best_k(p, k or p.shape[-1])},
    ),
    Mistake("p-ignored", "top-p has no effect", options={"hold": lambda p, mass: p}),
    Mistake(
        "T-multiplied",
        "a high temperature sharpens here: the logits are divided by T",
        options={"hot": lambda z, T: softmax(z * T)},
    ),
    Mistake(
        "temperature-on-probabilities",
        "temperature takes logits, not probabilities",
        options={"hot": lambda z, T: softmax(softmax(z) / T)},
    ),
    Mistake(
        "logits-returned",
        "logits are cut here as if they were probabilities: the softmax is missing",
        options={"hot": lambda z, T: z / T},
    ),
)
_WRONG_ORDERS = {one.name: one.gives or one.options for one in _OF_ORDER}


def _wrongly(case: tuple, name: str) -> np.ndarray:
    """What a mistake gives."""
    how = _WRONG_ORDERS[name]
    return how(*case) if callable(how) else recipe(*case, **how)


def _far_from(case: tuple, name: str) -> bool:
    return bool(np.abs(recipe(*case) - _wrongly(case, name)).max() > 5e-3)


def _case_of_order(
    draw: Draw, names: Sequence[str], hot: bool | None, with_k: bool, apart: Sequence[str] = ()
) -> tuple:
    """A case at which the mistakes `names` differ, two `apart` too, and no sum or tie is near."""
    while True:
        n = draw.integer(8, 12)
        u = float(draw.uniform())
        T = 1.0 if hot is None else 2.1 + 0.4 * u if hot else 0.4 + 0.3 * u
        k = draw.integer(3, n - 3) if with_k else None
        z, mass = draw.normal(n, scale=1.6), 0.45 + 0.4 * float(draw.uniform())
        p = tempered(z, T)
        sums = np.sort(p if k is None else best_k(p, k))[::-1].cumsum()
        near = np.abs(sums - mass).min() < 2e-3 or np.abs(np.diff(np.sort(p))).min() < 1e-4
        case = (z, T, k, mass)
        if not near and all(_far_from(case, name) for name in names):
            wrong = [_wrongly(case, name) for name in apart]
            if not apart or np.abs(wrong[0] - wrong[1]).max() > 5e-3:
                return case


def cases_of_order(draw: Draw) -> list[tuple]:
    """Hot and cold, with top-k and without, at which the wrong orders differ.

    Of the two that cut with k one tells a mass that is counted among all tokens from a mass without
    effect, the other one from a k without effect.
    """
    first = "top-p-before-top-k"
    both = ("temperature-after-top-p", "T-multiplied")
    sharp = np.log([0.7, 0.2, 0.06, 0.04])[draw.permutation(4)]  # two hold the mass, k or no k
    return [
        _case_of_order(draw, both, True, False),
        _case_of_order(draw, both, False, False),
        _case_of_order(draw, (first, "k-ignored", "p-ignored"), None, True, (first, "p-ignored")),
        _case_of_order(draw, (first, "temperature-after-top-p"), True, True, (first, "k-ignored")),
        (sharp, 1.0, 3, 0.85),
    ]


def cases_left_out(draw: Draw) -> list[tuple]:
    """Batches, with all three left out, and some of them."""
    z = draw.normal(3, draw.integer(5, 8))
    many = draw.normal(2, 150)  # more tokens than any k that is left standing keeps
    return [(z,), (z, 0.8, 3), (z, 0.8), (z, 1.0, z.shape[1] + 2), (many,)]


def cases_at_the_ends(draw: Draw) -> list[tuple]:
    """Cold enough for the largest to take all, logits as near, least k and mass; and k = 0."""
    z = draw.normal(2, 6)
    while tempered(z, 1.3).max(axis=-1).min() > 0.3:  # hardly any mass is less than this, too
        z = draw.normal(2, 6)
    return [
        (2 * draw.permutation(6) / 5.0, 0.05, None, 1.0),
        (2.0**-13 * draw.permutation(6), 2.0**-13, None, 1.0),
        (z, 30.0, None, 1.0),
        (z, 0.7, 1, 1.0),
        (z, 1.3, None, 1e-6),
        (z, 1.0, 0, 1.0),
        (np.array([2.0, 1.0, 1.0, 1.0, 1.0, 3.0])[draw.permutation(6)], 1.0, 3, 1.0),
    ]


def show_recipe(z: np.ndarray, *given: Any) -> str:
    """A case in words."""
    named = [f"{name} = {v:.3g}" for name, v in zip("Tkp", given, strict=False) if v is not None]
    return f"{', '.join(named) or 'the logits alone'}; logits {shown(z)}"


@checks("next_probs", lesson=LESSON, points=2, see="Part C: in which order?")
def three_in_their_order(next_probs: Standin, draw: Draw) -> Iterator[Claim | Cause]:
    """Temperature, then top-k, then top-p."""

    def ask(z: np.ndarray, *given: Any) -> np.ndarray:
        named = {} if len(given) == 3 else dict(zip("Tkp", given, strict=False))
        try:
            answer = next_probs(single(z), *([] if named else given), **named)
        except StudentFailed:
            if given[1:2] == (0,):  # whatever top_k does with it
                return REFUSED
            raise
        if given[1:2] == (0,) and not alike_rows(answer, tempered(z, given[0])):
            return REFUSED
        return expect_array(answer, z.shape, "float", "the probabilities")

    small = tuple(
        (np.log([0.5, 0.375, 0.125]), *given)
        for given in ((), (2.0,), (1.0, 2), (1.0, None, 0.75), (1.0, 2, 0.55), (2.0, 2, 0.55))
    )
    subject = Subject(
        ask=ask,
        rule=recipe,
        mistakes=_OF_ORDER,
        show=show_recipe,
        told=told,
        smaller=smaller_than(small),
        alike=and_no_less,
    )
    yield from examine(
        subject,
        draw,
        Property(
            "order",
            "the temperature comes first, top-k cuts what it gives, top-p what top-k left",
            cases_of_order,
            1,
            asks="the order temperature, top-k, top-p, each on normalized probabilities",
        ),
        Property(
            "left-out",
            "left out, each does nothing, and a batch is treated row by row",
            cases_left_out,
            0.75,
            asks="T = 1, k = None and p = 1 leave the softmax of the logits as it is",
            needs="order",
        ),
        Property(
            "ends",
            "it is right at the ends: cold, hot, one token, ties, hardly any mass, and no k = 0",
            cases_at_the_ends,
            0.25,
            asks="temperature for any T > 0, top-k for any k ≥ 1, top-p for any p up to 1; top-k "
            "has no meaning for k = 0, which is not None",
            typical=False,
            alike=loosely_and_no_less,  # logits in 32 bits, divided by a small T
            needs="order",
        ),
    )


# --- models to search -----------------------------------------------------------------------------


def model_of(tables: Sequence[np.ndarray]) -> dict[str, Any]:
    """Probability tables (V^t, V) as a model for `autograder.inside.temperature`."""
    with np.errstate(divide="ignore"):
        return {"tables": [single(np.log(table)) for table in tables]}


def searched(function: Standin, model: dict[str, Any], *args: Any) -> tuple[Any, list[int]]:
    """`function(step, *args)` on a model that answers here, and how many prefixes each call had."""
    step = Step(model)
    V = model["chain"][0].shape[0] if "chain" in model else model["tables"][0].shape[1]

    def answer(prefixes: Any) -> torch.Tensor:
        return step(whole_numbers(prefixes, 2, V, "prefixes"))

    return answered(begin_search(function, *args), answer), step.asked


def random_tables(draw: Draw, V: int, length: int, sharp: float = 1.3) -> list[np.ndarray]:
    """Random p(next | prefix), a table (V^t, V) for each step."""
    return [probabilities(draw, V**t, V, sharp=sharp) for t in range(length)]


def place_of(text: Sequence[int], V: int) -> int:
    """The row of a prefix in its table."""
    place = 0
    for token in text:
        place = place * V + int(token)
    return place


def log_probability(tables: Sequence[np.ndarray], text: Sequence[int]) -> float:
    """log p of a text."""
    V = tables[0].shape[1]
    with np.errstate(divide="ignore"):
        return float(
            sum(np.log(tables[t][place_of(text[:t], V), text[t]]) for t in range(len(text)))
        )


def greedy_text(
    tables: Sequence[np.ndarray],
    heard: Callable[[list], list] = lambda text: text,
    choose: Callable[[np.ndarray], Any] = np.argmax,
) -> list[int]:
    """The text of the most probable tokens; `heard(text)` is what the model hears of the prefix."""
    V, text = tables[0].shape[1], []
    for _ in tables:
        prefix = heard(text)
        text.append(int(choose(tables[len(prefix)][place_of(prefix, V)])))
    return text


def unmoved_beams(tables: Sequence[np.ndarray], width: int) -> list[tuple[tuple[int, ...], float]]:
    """Beam search in which a beam's token is appended to another text than it grew from."""
    V, texts, scores = tables[0].shape[1], [()], np.zeros(1)
    for table in tables:
        rows = np.log([table[place_of(text, V)] for text in texts])
        total = (scores[:, None] + rows).reshape(-1)
        place = ranking(total)[:width]
        lead = texts if len(texts) == len(place) else [texts[i // V] for i in place]
        texts = [(*text, int(i % V)) for text, i in zip(lead, place, strict=True)]
        scores = total[place]
    return list(zip(texts, scores.tolist(), strict=True))


def beams(
    tables: Sequence[np.ndarray],
    width: int,
    *,
    score: Callable[[float, float], float] = lambda parent, new: parent + new,
    each: int | None = None,
    sort: bool = True,
    begin: Callable[[int], int] = lambda width: 1,
    kept: Callable[[int], int] = lambda width: width,
) -> list[tuple[tuple[int, ...], float]]:
    """Beam search: texts and scores, the best first. Each option turns one thing of it wrong.

    `score` joins a prefix's score and a token's, `each` limits the tokens of a prefix, `sort` says
    whether such beams are ranked again, `begin` with how many empty prefixes it begins, `kept` how
    many are kept.
    """
    V, best = tables[0].shape[1], [((), 0.0)] * begin(width)
    for table in tables:
        grown = []
        for text, total in best:
            with np.errstate(divide="ignore"):
                row = np.log(table[place_of(text, V)])
            # The first step has one prefix, from which all beams must come.
            for token in ranking(row)[: each if each and text else None]:
                grown.append(((*text, int(token)), score(total, float(row[token]))))
        ranked = sort or not best[0][0]
        best = (sorted(grown, key=lambda b: -b[1]) if ranked else grown)[: kept(width)]
    return best


_PRODUCT = (
    "probabilities are multiplied (or scores are no logarithms): add LOGS, or hundreds of tokens "
    "round to 0"
)


# --- greedy ---------------------------------------------------------------------------------------


def total_of(tables: Sequence[np.ndarray], said: Sequence[int]) -> float:
    """log p of a text, NaN if it holds what is no token."""
    valid = all(0 <= token < tables[0].shape[1] for token in said)
    return log_probability(tables, said) if valid else math.nan


def greedy_by_rule(tables: Sequence[np.ndarray], said: Sequence[int], **wrong: Callable) -> list:
    """The text of the most probable tokens, and log p of the text that was said."""
    return [greedy_text(tables, **wrong), total_of(tables, said)]


def _newest_first(tables: Sequence[np.ndarray], said: Sequence[int]) -> list:
    """The same with each token in front of those before it."""
    text = greedy_text(tables, heard=lambda text: text[::-1])
    return [text[::-1], total_of(tables, said)]


def greedy_step_by_step(tables: Sequence[np.ndarray], said: Sequence[int]) -> list:
    """The same as `greedy_by_rule`, in one line a step."""
    text = []
    for t in range(len(tables)):
        row = tables[t][place_of(text, tables[0].shape[1])]
        text.append(int(row.argmax()))
    return [text, total_of(tables, said)]


def _best_text(tables: Sequence[np.ndarray]) -> list[int]:
    every = itertools.product(range(tables[0].shape[1]), repeat=len(tables))
    return list(max(every, key=lambda x: log_probability(tables, x)))


def _looked_ahead(tables: Sequence[np.ndarray], said: Sequence[int]) -> list:
    """The text of the tokens that are best together with the best one after each."""
    V, text = tables[0].shape[1], []
    for t, table in enumerate(tables):
        worth = table[place_of(text, V)].copy()
        if t + 1 < len(tables):
            worth *= [tables[t + 1][place_of([*text, v], V)].max() for v in range(V)]
        text.append(int(worth.argmax()))
    return [text, total_of(tables, said)]


def _last_of(tables: Sequence[np.ndarray], said: Sequence[int]) -> float:
    return math.log(tables[-1][place_of(said[:-1], tables[0].shape[1]), said[-1]])


def _drawn(seen: Sequence[Observation]) -> bool:
    """Whether a model that is asked about twice has two texts."""
    return any(list(o.args[1]) != o.answer[0] for o in seen)


_OTHER_TOKEN = "of tied tokens the one with the lowest index is asked: yours is another"
_OF_GREEDY = (
    *(
        Mistake(name, advice, options=how)
        for name, advice, how in (
            (
                "prefix-not-extended",
                "the model is asked the same each time: append the chosen token to the prefix",
                {"heard": lambda text: text[:0]},
            ),
            (
                "last-token-only",
                "the model sees the last token only: give it ALL tokens so far, (1, t)",
                {"heard": lambda text: text[-1:]},
            ),
            (
                "least-probable",
                "the least probable token is taken: argmax",
                {"choose": np.argmin},
            ),
            (
                "ties-by-chance",
                _OTHER_TOKEN,
                {"choose": lambda row: len(row) - 1 - row[::-1].argmax()},
            ),
        )
    ),
    Mistake(
        "newest-first",
        "each new token stands in FRONT of those before it: it goes behind them, and the model "
        "hears the text from its beginning",
        gives=_newest_first,
    ),
    Mistake(
        "looks-ahead",
        "each token is the best one together with what may follow it: greedy compares the "
        "probabilities of the next token alone",
        gives=_looked_ahead,
    ),
    *(
        Mistake(name, advice, after=lambda v, *case, how=how: [v[0], how(v[1], *case)])
        for name, advice, how in (
            (
                "probability-for-log",
                "this is p itself: log p is asked",
                lambda total, *_: math.exp(total),
            ),
            (
                "mean-for-sum",
                "a mean over steps: the SUM is log p",
                lambda total, tables, said: total / len(said),
            ),
            (
                "bits-for-nats",
                "these are bits: nats are asked",
                lambda total, *_: total / math.log(2),
            ),
            ("sign", "log p is negative: this is the NLL", lambda total, *_: -total),
            ("never-added", "the sum stays 0: nothing is added to it", lambda total, *_: 0.0),
            (
                "last-step-only",
                "this is the last token's log-probability: add those of all steps",
                lambda total, tables, said: _last_of(tables, said),
            ),
            (
                "last-step-forgotten",
                "the last token's log-probability is missing from the sum",
                lambda total, tables, said: total - _last_of(tables, said),
            ),
            (
                "first-step-forgotten",
                "the first token's log-probability is missing from the sum",
                lambda total, tables, said: total - math.log(tables[0][0, said[0]]),
            ),
        )
    ),
)


def _tied_otherwise(seen: Sequence[Observation]) -> bool:
    """Whether each text that is not the right one takes a largest entry at each step."""
    failed = [o for o in seen if o.answer[0] != o.right[0]]
    return bool(failed) and all(
        math.isfinite(total_of(tables, text))
        and all(
            tables[t][place_of(text[:t], tables[0].shape[1])].max()
            == tables[t][place_of(text[:t], tables[0].shape[1]), text[t]]
            for t in range(len(text))
        )
        for tables, text in ((o.args[0], o.answer[0]) for o in failed)
    )


def _searched(seen: Sequence[Observation]) -> bool:
    """Whether each text that is not the right one is a most probable text."""
    failed = [o for o in seen if o.answer[0] != o.right[0]]
    return bool(failed) and all(
        math.isclose(total_of(o.args[0], o.answer[0]), total_of(o.args[0], _best_text(o.args[0])))
        for o in failed
    )


def told_tree(tables: Sequence[np.ndarray]) -> str:
    """A small tree of two tokens in words; of a larger one its size."""
    V = tables[0].shape[1]
    if V > 2 or len(tables) > 3:
        return f"{len(tables)} steps over {V} tokens"
    rows = [f"first {shown(tables[0][0])}"]
    for t, table in enumerate(tables[1:], 1):
        prefixes = itertools.product("01", repeat=t)
        rows += [f"after {''.join(p)} {shown(r)}" for p, r in zip(prefixes, table, strict=True)]
    return ", ".join(rows)


_TREES = (
    [np.array([[0.25, 0.75]])],
    [np.array([[0.5, 0.5]])],
    [np.array([[0.625, 0.375]]), np.array([[0.25, 0.75], [0.875, 0.125]])],
    [
        np.array([[0.375, 0.625]]),
        np.array([[0.625, 0.375], [0.75, 0.25]]),
        np.array([[0.5, 0.5], [0.5, 0.5], [0.25, 0.75], [0.5, 0.5]]),
    ],
    # The second-best first token leads to the best text.
    [np.array([[0.5625, 0.4375]]), np.array([[0.5625, 0.4375], [0.875, 0.125]])],
)


def greedy_by_hand(tables: Sequence[np.ndarray], said: Sequence[int]) -> str:
    """The steps in a tree of two tokens."""
    if tables[0].shape[1] > 2 or len(tables) > 3:
        return ""
    steps, text = [], []
    for t, token in enumerate(greedy_text(tables)):
        row = tables[t][place_of(text, 2)]
        steps.append(f"of {shown(row)} the {'first' if token == 0 else 'second'}, token {token}")
        text.append(token)
    logs = " + ".join(f"ln {tables[t][place_of(text[:t], 2), v]:g}" for t, v in enumerate(text))
    return f"{', then '.join(steps)}; {logs} = {log_probability(tables, text):.4f}"


def greedy_trees(draw: Draw) -> list[Sequence[np.ndarray]]:
    """Trees on which the usual mistakes give other texts, and one with ties."""
    while True:
        V, length = draw.integer(3, 4), draw.integer(4, 5)
        tables = random_tables(draw, V, length)
        texts = [greedy_text(tables), _best_text(tables)]
        texts += [other(tables, [0] * length)[0] for other in (_newest_first, _looked_ahead)]
        texts += [greedy_text(tables, **one.options) for one in _OF_GREEDY[:3]]
        gaps = [np.diff(np.sort(t, axis=1))[:, -1].min() for t in tables]
        if len({tuple(text) for text in texts}) == len(texts) and min(gaps) > 1e-3:
            break
    return [tables, [np.array([[0.25, 0.375, 0.375]]), np.tile([0.375, 0.25, 0.375], (3, 1))]]


def long_chain(draw: Draw) -> tuple[np.ndarray, dict[str, Any], np.ndarray]:
    """Rows of p for the first token and after each of ten, as a model for ever, and their values.

    The values are those of the first row, and those of all others, from the largest on.
    """
    V = 10
    values = np.array([[best, *np.linspace(1.2, 0.8, V - 1)] for best in (9.0, 3.0)])
    values = normalized(values)
    rows = np.stack([p[draw.permutation(V)] for p in (values[0], *[values[1]] * V)])
    return rows, {"chain": (single(np.log(rows[0])), single(np.log(rows[1:])))}, values


def claim_of_a_long_greedy_text(greedy: Standin, draw: Draw, fits: bool) -> Claim:
    """A text so long that its probability is no number of double precision."""
    n = 800
    _, chain, values = long_chain(draw)
    found, _ = searched(greedy, chain, n)
    total = number(found[1], "the log-probability")
    due = float(np.log(values[0, 0]) + (n - 1) * np.log(values[1, 0]))
    holds = close(total, due, 2e-4)
    return claim(
        "a text of 800 tokens has a log-probability",
        holds,
        points=0.15,
        saw=f"{total:.4g}",
        asks=f"{due:.1f} nats: the logarithms of 800 probabilities have a sum, though their "
        "product is no number that a computer has",
        waits=waits_unless(fits, "log-probabilities of short texts"),
        advice=[
            when(np.isneginf(total) or total == 0, "product-for-logs", _PRODUCT),
            "add the chosen tokens' log-probabilities as they come, in each step",
        ],
    )


@checks("greedy", lesson=LESSON, points=1, see="Exercise 3: the most probable text")
def the_best_token_each_time(greedy: Standin, draw: Draw) -> Iterator[Claim | Cause]:
    """The most probable token, appended, and again."""

    def ask(tables: Sequence[np.ndarray], said: Any = None) -> list:
        found, _ = searched(greedy, model_of(tables), len(tables))
        if not isinstance(found, tuple | list) or len(found) != 2:
            raise WrongKind("greedy should return (tokens, log-probability), two things")
        text = expect_array(found[0], (len(tables),), "int", "the tokens").tolist()
        return [text, number(found[1], "the log-probability")]

    @functools.cache
    def cases(draw: Draw) -> list[tuple]:
        return [(tables, ask(tables)[0]) for tables in greedy_trees(draw)]

    subject = Subject(
        ask=ask,
        rule=greedy_by_rule,
        forms=(greedy_step_by_step,),
        mistakes=_OF_GREEDY,
        symptoms=(
            Symptom(
                "drawn",
                "the same model gave one text and then another: greedy draws nothing, it takes the "
                "most probable token",
                _drawn,
            ),
            Symptom("ties-by-chance", _OTHER_TOKEN, _tied_otherwise),
            Symptom(
                "searched",
                "this is the most probable TEXT: greedy looks at one step only",
                _searched,
            ),
        ),
        show=lambda tables, said: told_tree(tables),
        told=lambda a: f"tokens {a[0]} with {a[1]:.4g}",
        by_hand=greedy_by_hand,
        smaller=lambda tables, said: (
            (few, ask(few)[0]) for few in _TREES if few[-1].size < tables[-1].size
        ),
    )
    fits = yield from examine(
        subject,
        draw,
        Property(
            "tokens",
            "each token is the most probable one after those chosen before it",
            cases,
            0.6,
            asks="at each step the largest entry of step(tokens so far), of tied ones the first",
            alike=lambda a, b: a[0] == b[0],
        ),
        Property(
            "log",
            "the log-probability is that of the whole text, in nats",
            cases,
            0.25,
            asks="the sum of the chosen tokens' log-probabilities",
            alike=lambda a, b: close(a[1], b[1]),
        ),
    )
    yield claim_of_a_long_greedy_text(greedy, draw, fits)


# --- beam search ----------------------------------------------------------------------------------


def beams_by_rule(tables: Sequence[np.ndarray], width: int, **wrong: Any) -> list:
    """[texts, scores (w,)] of beam search, the best first."""
    found = beams(tables, width, **wrong)
    return [[text for text, _ in found], np.array([score for _, score in found])]


def beams_step_by_step(tables: Sequence[np.ndarray], width: int) -> list:
    """The same as `beams_by_rule`, of all prefixes at once."""
    V, texts, scores = tables[0].shape[1], [()], np.zeros(1)
    for table in tables:
        with np.errstate(divide="ignore"):
            rows = np.log(np.stack([table[place_of(text, V)] for text in texts]))
        total = (scores[:, None] + rows).reshape(-1)
        place = ranking(total)[:width]
        texts = [(*texts[i // V], int(i % V)) for i in place]
        scores = total[place]
    return [texts, scores]


def _unmoved(tables: Sequence[np.ndarray], width: int) -> list:
    found = unmoved_beams(tables, width)
    return [[text for text, _ in found], np.array([score for _, score in found])]


def _swapped(tables: Sequence[np.ndarray], width: int) -> list:
    """Beam search that takes for a place i the prefix i % V and the token i // V."""
    V, texts, scores = tables[0].shape[1], [()], np.zeros(1)
    for table in tables:
        rows = np.log([table[place_of(text, V)] for text in texts])
        total = (scores[:, None] + rows).reshape(-1)
        place = ranking(total)[:width]
        texts = [(*(texts[i % V] if texts[0] else ()), int(i // V)) for i in place]
        scores = total[place]
    return [texts, scores]


def _divided_by_width(tables: Sequence[np.ndarray], width: int) -> list:
    """Beam search that takes for a place i the prefix i // width, and the token i % V."""
    V, texts, scores = tables[0].shape[1], [()], np.zeros(1)
    for table in tables:
        with np.errstate(divide="ignore"):
            rows = np.log([table[place_of(text, V)] for text in texts])
        total = (scores[:, None] + rows).reshape(-1)
        place = ranking(total)[:width]
        texts = [(*texts[min(i // width, len(texts) - 1)], int(i % V)) for i in place]
        scores = total[place]
    return [texts, scores]


def _ranked_by_last(tables: Sequence[np.ndarray], width: int) -> list:
    """Beam search that keeps the prefixes whose last token is the most probable, and sums."""
    V, texts, scores = tables[0].shape[1], [()], np.zeros(1)
    for table in tables:
        with np.errstate(divide="ignore"):
            rows = np.log([table[place_of(text, V)] for text in texts])
        place = ranking(rows.reshape(-1))[:width]
        scores = scores[place // V] + rows.reshape(-1)[place]
        texts = [(*texts[i // V], int(i % V)) for i in place]
    return [texts, scores]


def _multiplied(tables: Sequence[np.ndarray], width: int, sign: float) -> list:
    """Beam search whose scores begin at 1 and are multiplied by surprises, the least first."""
    V, best = tables[0].shape[1], [((), 1.0)]
    for table in tables:
        with np.errstate(divide="ignore"):
            grown = [
                ((*text, token), score * -float(np.log(table[place_of(text, V), token])))
                for text, score in best
                for token in range(V)
            ]
        best = sorted(grown, key=lambda b: b[1])[:width]
    return [[text for text, _ in best], sign * np.array([score for _, score in best])]


_MIXED = (
    "scores and texts do not belong together: take for each new beam the prefix that it grew from, "
    "and the token that was added to it"
)
_TWICE = (
    "a text stands twice among the beams: each is to come once. Is there ONE empty prefix at the "
    "start (copies stay copies), and has each beam a list of its own?"
)
_OF_BEAMS = (
    *(
        Mistake(
            "beam-is-greedy",
            "each beam is extended by its best token only, so all of them are greedy: compare ALL "
            "extensions of all beams",
            options={"each": 1, "sort": sort},
        )
        for sort in (True, False)
    ),
    Mistake(
        "beam-is-greedy",
        "one prefix alone is kept at each step, which is greedy: keep `width` of them",
        options={"kept": lambda width: 1},
    ),
    Mistake(
        "few-of-each",
        "of each beam its two best extensions are looked at, and no third one: compare ALL "
        "extensions of all beams",
        options={"each": 2},
    ),
    Mistake(
        "parent-score-forgotten",
        "beams are ranked by their last token alone: add the score of the prefix",
        options={"score": lambda parent, new: new},
    ),
    Mistake(
        "parent-score-forgotten",
        "beams are ranked by their last token alone, whatever is added up beside: the sums decide "
        "which of them stay",
        gives=_ranked_by_last,
    ),
    *several(
        "logs-multiplied",
        "scores are MULTIPLIED by log-probabilities: log(p · q) = log p + log q, so logs are added",
        lambda tables, width: _multiplied(tables, width, -1.0),
        lambda tables, width: _multiplied(tables, width, 1.0),
    ),
    Mistake(
        "parents-mixed-up",
        _MIXED,
        gives=_unmoved,
    ),
    Mistake(
        "prefix-and-token-swapped",
        "of a place i in the list of all extensions, i % V is taken for the prefix and i // V for "
        "the token: the other way round, since each prefix has V extensions side by side",
        gives=_swapped,
    ),
    Mistake(
        "divided-by-width",
        "of a place i in the list of all extensions, i // width is taken for the prefix: each "
        "prefix has V extensions side by side, so divide by V",
        gives=_divided_by_width,
    ),
    Mistake(
        "no-more-than-V",
        "never more than V beams are kept: of w prefixes there are w · V extensions, so the limit "
        "is the number of these",
        gives=lambda tables, width: beams_by_rule(tables, min(width, tables[0].shape[1])),
    ),
    Mistake("identical-beams", _TWICE, options={"begin": lambda width: width}),
    Mistake(
        "product-for-logs",
        _PRODUCT,
        after=lambda found, *_: [found[0], np.exp(found[1])],
    ),
    Mistake(
        "mean-for-sum",
        "scores are divided by the length: all texts here are equally long, return log p",
        after=lambda found, tables, width: [found[0], found[1] / len(tables)],
    ),
    Mistake(
        "bits-for-nats",
        "these are bits: nats are asked",
        after=lambda found, *_: [found[0], found[1] / math.log(2)],
    ),
    Mistake(
        "sign",
        "log p is negative: these are surprises",
        after=lambda found, *_: [found[0], -found[1]],
    ),
    Mistake(
        "not-sorted",
        "the right beams in another order: the best comes first",
        after=lambda found, *_: [found[0][::-1], found[1][::-1]],
    ),
    *(
        Mistake(
            name,
            advice,
            options={"kept": kept},
        )
        for name, advice, kept in (
            ("one-too-few", "one beam too few is kept", lambda width: max(width - 1, 1)),
            ("one-too-many", "one beam too many is kept", lambda width: width + 1),
        )
    ),
)


def _scores_of_others(seen: Sequence[Observation]) -> bool:
    """Whether a search has all the right scores, and texts that they do not belong to."""
    return any(
        len(o.answer[0]) == len(o.right[0])
        and close(np.sort(o.answer[1])[::-1], o.right[1])
        and not close(o.answer[1], truth_of(o.args[0], o.answer[0]))
        for o in seen
        if o.fails
    )


def _finds_more(seen: Sequence[Observation]) -> bool:
    """Whether a narrow search finds the best text where a beam of its width cannot."""
    return any(
        o.fails
        and len(o.answer[0]) == len(o.right[0])
        and o.answer[0][0] != o.right[0][0]
        and o.answer[0][0] == beams(o.args[0], o.args[0][0].shape[1] ** len(o.args[0]))[0][0]
        for o in seen
    )


def _changed_alike(join: Callable[[np.ndarray, np.ndarray], np.ndarray]) -> Callable:
    """Whether each search that fails has the right texts, and all its scores are off alike.

    `join(scores, right ones)` is then one number. Of one search at least there are several scores.
    """

    def shows(seen: Sequence[Observation]) -> bool:
        told = 0
        for o in (o for o in seen if o.fails):
            due = truth_of(o.args[0], o.answer[0])  # of texts that tie others may be there
            if not close(np.sort(due), np.sort(o.right[1])):
                return False
            finite = np.isfinite(due)
            if not finite.any():
                continue
            if not np.isfinite(o.answer[1][finite]).all() or (due[finite] == 0).any():
                return False
            off = join(o.answer[1][finite], due[finite])
            if not close(off, np.full_like(off, off[0])):
                return False
            told = max(told, len(set(due[finite].round(3))))
        return told > 1

    return shows


_SEEN_OF_BEAMS = (
    Symptom(
        "nan-from-inf",
        "−inf is a fine log-probability: 0 · inf or inf − inf is not",
        lambda seen: any(np.isnan(o.answer[1]).any() for o in seen),
    ),
    Symptom(
        "identical-beams",
        _TWICE,
        lambda seen: any(o.fails and len(set(o.answer[0])) < len(o.answer[0]) for o in seen),
    ),
    Symptom("parents-mixed-up", _MIXED, _scores_of_others),
    Symptom(
        "scores-scaled",
        "the right texts, and in each search all their scores are their log-probabilities times "
        "one number, as after a division by a power of the length: log p itself is asked",
        _changed_alike(np.divide),
        weak=True,
    ),
    Symptom(
        "scores-shifted",
        "the right texts, and in each search all their scores lie as far from their "
        "log-probabilities, as after a normalization over the beam: log p itself is asked",
        _changed_alike(np.subtract),
        weak=True,
    ),
    Symptom(
        "not-sorted",
        "the right beams in another order: the best comes first",
        lambda seen: all(
            sorted(o.answer[0]) == sorted(o.right[0])
            and close(np.sort(o.answer[1]), np.sort(o.right[1]))
            and close(o.answer[1], truth_of(o.args[0], o.answer[0]))
            for o in seen
            if o.fails
        ),
    ),
)


def beams_of(
    beam_search: Standin, model: dict, width: int, length: int, rows: int
) -> tuple[np.ndarray, np.ndarray, list]:
    """The texts that a search gives (rows of them), their scores, and how much it asked."""
    answer, asked = searched(beam_search, model, width, length)
    if not isinstance(answer, tuple | list) or len(answer) != 2:
        raise WrongKind("beam_search should return (tokens, log-probabilities), two things")
    count = np.asarray(expect_array(answer[0], None, "int", "the tokens")).shape[:1]
    wanted = (rows, length) if count == (rows,) else (None, length)
    texts = expect_array(answer[0], wanted, "int", "the tokens")
    scores = expect_array(answer[1], (len(texts),), "float", "the log-probabilities")
    return texts, scores, asked


def truth_of(tables: Sequence[np.ndarray], texts: Any) -> np.ndarray:
    """The log-probability of each text, NaN for one that holds what is no token."""
    return np.array([total_of(tables, [int(v) for v in text]) for text in texts])


def _paired(found: list) -> dict:
    return dict(zip(found[0], found[1].tolist(), strict=True))


def best_is_right(a: list, b: list) -> bool:
    """Whether the first text and its score are the right ones."""
    return a[0][:1] == b[0][:1] and close(a[1][:1], b[1][:1])


def beams_are_right(a: list, b: list) -> bool:
    """Whether texts and scores are the right ones, in their order."""
    return a[0] == b[0] and close(a[1], b[1])


def all_are_there(a: list, b: list) -> bool:
    """Whether the same texts have the same scores, and the scores their order."""
    one, other = _paired(a), _paired(b)
    return (
        sorted(a[0]) == sorted(b[0])
        and close(a[1], b[1])
        and all(close(one[text], other[text]) for text in other)
    )


def telling_tables(draw: Draw, width: int, length: int, V: int) -> list[np.ndarray]:
    """A model on which narrow beams, wide ones and the usual mistakes all differ."""
    while True:
        tables = random_tables(draw, V, length)
        right = [text for text, _ in beams(tables, width)]
        if (
            any(
                beams_by_rule(tables, width, **one.options)[0] == right
                for one in reversed(_OF_BEAMS[:5])  # the rarest to differ is the first
            )
            or _unmoved(tables, width)[0] == right
        ):
            continue
        exhaustive = beams(tables, V**length)
        if (
            exhaustive[0][0] not in right
            and min(-np.diff([s for _, s in exhaustive[:12]])) > 1e-3
            and _margins(tables, width) > 1e-3
        ):
            return tables


def trees_for_beams(draw: Draw) -> list[tuple]:
    """Trees of two steps on which the second-best first token leads to the best text."""
    high = 0.55 + 0.08 * float(draw.uniform())
    trees = []
    for flip, sure in itertools.product((False, True), ([0.97, 0.03], [0.03, 0.97])):
        first, second = np.array([[high, 1 - high]]), np.array([[0.5, 0.5], sure])
        trees.append(([first[:, ::-1], second[::-1]] if flip else [first, second], 2))
    return trees


def tables_for_all(draw: Draw) -> list[tuple]:
    """A beam that is wide enough for every text, some of them impossible."""
    V, length = 3, 4
    tables = random_tables(draw, V, length)
    tables[1][draw.integer(0, V - 1)] = np.eye(V)[draw.integer(0, V - 1)]
    return [(tables, V**length + 7)]


_UNEVEN = [
    *_TREES[3][:2],
    np.array([[0.5625, 0.4375], [0.9375, 0.0625], [0.25, 0.75], [0.8125, 0.1875]]),
]
_IMPOSSIBLE = [np.array([[1.0, 0.0]]), np.array([[0.25, 0.75], [0.875, 0.125]])]


def trees_without_ties() -> list[tuple[Sequence[np.ndarray], int]]:
    """Small trees with a width, of which no dropped extension is as good as a kept one."""
    cases = itertools.product((_TREES[0], _TREES[2], _UNEVEN), (1, 2, 3))
    told = [case for case in cases if _margins(*case) > 1e-3]
    return [*told, (_IMPOSSIBLE, 4), (_IMPOSSIBLE, 5)]


def show_search(tables: Sequence[np.ndarray], width: int) -> str:
    """A case in words."""
    return f"width {width}, {told_tree(tables)}"


def told_beams(found: list) -> str:
    """The first beams with their scores."""
    texts = [f"{''.join(map(str, t))} with {v:.4g}" for t, v in zip(*found, strict=True)]
    return f"{len(texts)} beam{'s' * (len(texts) != 1)}: {', '.join(texts[:3])}" + (
        " …" * (len(texts) > 3)
    )


def beams_by_hand(tables: Sequence[np.ndarray], width: int) -> str:
    """What is kept after each step in a small tree."""
    if tables[0].shape[1] > 2 or len(tables) > 3:
        return ""
    steps = []
    for t in range(1, len(tables) + 1):
        before = {text for text, _ in beams(tables[: t - 1], width)} if t > 1 else {()}
        grown = [(x, v) for x, v in beams(tables[:t], 2**t) if x[:-1] in before]
        told = ", ".join(f"{''.join(map(str, text))} {score:.3f}" for text, score in grown[:4])
        steps.append(f"step {t}: {told}; the best {min(width, len(grown))} stay")
    return "; ".join(steps)


def claim_of_a_long_text(beam_search: Standin, draw: Draw) -> Claim:
    """A text so long that its probability is no number of single precision.

    Of the first token the second choice costs most, so both beams go on from the first choice.
    """
    n = 400
    rows, chain, (first, ladder) = long_chain(draw)
    V = len(first)
    texts, scores, _ = beams_of(beam_search, chain, 2, n, 2)
    logs = np.log(ladder[:2])
    due = np.log(first[0]) + np.array([(n - 1) * logs[0], (n - 2) * logs[0] + logs[1]])
    valid = len(texts) == 2 and ((texts >= 0) & (texts < V)).all()
    told = (
        [float(np.log(rows[[0, *(t[:-1] + 1)], t]).sum()) for t in texts]
        if valid
        else [math.nan] * 2
    )
    return claim(
        "a text of 400 tokens has a log-probability, and beams that differ",
        valid and close(scores, due, 2e-4) and close(np.array(told), due, 2e-4),
        points=0.5,
        saw=f"scores {', '.join(f'{s:.1f}' for s in scores[:3])}"
        + (f"; by their tokens the texts have {told[0]:.1f} and {told[1]:.1f}" if valid else ""),
        asks=f"{due[0]:.1f} and {due[1]:.1f} nats, and texts that have them: in logs nothing "
        "underflows",
        advice=[
            when(np.isneginf(scores).any(), "product-for-logs", _PRODUCT),
            "each score is its text's own, but these are not the two most probable texts that a "
            "beam of 2 finds, the best one first"
            if valid and close(scores, np.array(told), 2e-4)
            else "add up the logs of your own texts, and compare them with the scores that stand "
            "there",
        ],
    )


@checks("beam_search", lesson=LESSON, points=4, see="Exercise 3: the most probable text")
def the_best_prefixes_kept(beam_search: Standin, draw: Draw) -> Iterator[Claim | Cause]:
    """The best `width` of all extensions, in logs."""
    width, length, V = 3, 5, 3
    work: list[int] = []  # prefixes asked about in the searches of that width

    def ask(tables: Sequence[np.ndarray], width: int) -> list:
        few = min(width, tables[0].shape[1] ** len(tables))
        texts, scores, asked = beams_of(beam_search, model_of(tables), width, len(tables), few)
        if len(tables) == length:
            work.append(sum(asked))
        return [[tuple(text) for text in texts.tolist()], scores]

    limit = 1 + width * (length - 1)
    wide = Symptom(
        "not-a-beam",
        "this search finds more than a beam of that width can: only `width` prefixes are kept at "
        "each step",
        lambda seen: max(work, default=0) > limit and _finds_more(seen),
    )
    subject = Subject(
        ask=ask,
        rule=beams_by_rule,
        forms=(beams_step_by_step,),
        mistakes=_OF_BEAMS,
        symptoms=(*_SEEN_OF_BEAMS, wide),
        show=show_search,
        told=told_beams,
        by_hand=beams_by_hand,
        smaller=lambda tables, width: (
            case for case in trees_without_ties() if _size(*case) < _size(tables, width)
        ),
        alike=beams_are_right,
    )
    fits = False
    for one in examine(
        subject,
        draw,
        Property(
            "tree",
            "a beam of 2 finds the text that greedy misses on a two-step tree, and its log p",
            trees_for_beams,
            0.75,
            asks="the second-best first token, whose future is sure; its logarithms, added",
            typical=False,
            alike=best_is_right,
        ),
        Property(
            "beams",
            "at each step the best `width` of all extensions are kept, each score with its own "
            "text",
            lambda draw: [(telling_tables(draw, width, length, V), width)],
            1.25,
            asks=f"{width} different beams, best first, each with the sum of its log-probabilities",
        ),
        Property(
            "all",
            "with full width every text is there, with its log-probability, best first",
            tables_for_all,
            0.75,
            asks="all texts (width beyond that keeps all), −inf for the impossible ones",
            typical=False,
            alike=all_are_there,
        ),
    ):
        fits |= isinstance(one, Claim) and one.id == "beams" and one.holds
        yield one
    yield claim_of_a_long_text(beam_search, draw)
    most = max(work) if min(work) > 0 else 0
    yield claim(
        "the model is asked about `width` prefixes a step, no more",
        0 < most <= limit,
        points=0.75,
        saw=f"{most} prefixes asked about in {length} steps at width {width}",
        asks=f"at most 1 + {length - 1} · {width} = {limit}",
        waits=waits_unless(fits, "the beams of that width"),
        advice=[
            when(
                most > limit,
                "not-a-beam",
                "the model is asked about more prefixes than the search keeps: ONE, empty, at the "
                "start, and `width` after each step",
            ),
            "the model was asked about nothing at all in this search",
        ],
    )


def _size(tables: Sequence[np.ndarray], width: int) -> int:
    return 10 * tables[-1].size + width


def _margins(tables: Sequence[np.ndarray], width: int) -> float:
    """The least difference between the last kept extension and the first dropped one."""
    V, kept, least = tables[0].shape[1], [((), 0.0)], math.inf
    for table in tables:
        grown = [
            ((*text, token), total + math.log(table[place_of(text, V), token]))
            for text, total in kept
            for token in range(V)
        ]
        grown.sort(key=lambda b: -b[1])
        if len(grown) > width:
            least = min(least, grown[width - 1][1] - grown[width][1])
        kept = grown[:width]
    return least


# --- score ----------------------------------------------------------------------------------------


def token_nats(z: np.ndarray, tokens: np.ndarray) -> np.ndarray:
    """−log p of each token, (n,)."""
    z = z - z.max(axis=LAST, keepdims=True)
    log_p = z - np.log(np.exp(z).sum(axis=LAST, keepdims=True))
    return -log_p[np.arange(len(tokens)), tokens]


def bits_and_perplexity(
    z: np.ndarray,
    tokens: np.ndarray,
    *,
    surprises: Callable = token_nats,
    averaged: Callable = np.mean,
    in_bits: Callable = lambda nats: nats / math.log(2),
    choices: Callable = np.exp,
) -> list[float]:
    """[bits per token, perplexity] of a text. Each option turns one thing wrong."""
    nats = averaged(surprises(z, tokens))
    return [float(in_bits(nats)), float(choices(nats))]


def score_step_by_step(z: np.ndarray, tokens: np.ndarray) -> list[float]:
    """The same as `bits_and_perplexity`."""
    nats = token_nats(z, tokens).mean()
    return [float(nats / math.log(2)), float(np.exp(nats))]


def _picked(table: Callable) -> Callable:
    """Surprises read from a table of the logits, (n, V), at the tokens."""
    return lambda z, x: table(z)[np.arange(len(x)), x]


def _of_the_product(kind: type) -> Callable[[np.ndarray], float]:
    """The average surprise, from the product of all probabilities in the precision `kind`."""

    def averaged(nats: np.ndarray) -> float:
        with np.errstate(divide="ignore"):
            return float(-np.log(np.exp(-nats).astype(kind).prod()) / len(nats))

    return averaged


_OF_SCORE = (
    Mistake(
        "raw-length",
        "the sum grows with the text, so that texts of different lengths cannot be compared: "
        "divide by the number of tokens",
        options={"averaged": np.sum},
    ),
    Mistake(
        "raw-length",
        "the bits are a sum, which grows with the text: divide by the number of tokens",
        after=lambda value, z, x: [value[0] * len(x), value[1]],
    ),
    Mistake(
        "nats-for-bits",
        "these are nats per token: a bit is fewer of them, ln 2",
        options={"in_bits": lambda nats: nats},
    ),
    Mistake(
        "two-to-the-nats",
        "2 to the NATS: perplexity is 2 to the bits, or e to the nats",
        options={"choices": lambda nats: 2**nats},
    ),
    Mistake(
        "e-to-the-bits",
        "e to the BITS: perplexity is 2 to the bits, or e to the nats",
        options={"choices": lambda nats: np.exp(nats / math.log(2))},
    ),
    Mistake(
        "times-ln-2",
        "nats are multiplied by ln 2 here, which makes them fewer: a nat is more than a bit",
        options={"in_bits": lambda nats: nats * math.log(2)},
    ),
    Mistake(
        "no-exponential",
        "perplexity is a number of choices: an exponential is missing",
        options={"choices": lambda nats: nats},
    ),
    Mistake(
        "mean-of-probabilities",
        "the PROBABILITIES are averaged before the logarithm: the average is of the logarithms",
        options={"averaged": lambda nats: -np.log(np.exp(-nats).mean())},
    ),
    Mistake(
        "mean-of-probabilities",
        "perplexity is an average of 1/p here: it is the exponential of the average surprise",
        gives=lambda z, x: [
            bits_and_perplexity(z, x)[0],
            float(np.exp(token_nats(z, x)).mean()),
        ],
    ),
    Mistake(
        "shifted-again",
        "row t of the logits belongs to tokens[t] already: no shift",
        options={"surprises": lambda z, x: token_nats(z[:-1], x[1:])},
    ),
    Mistake(
        "sign",
        "surprise is MINUS log p",
        options={"averaged": lambda nats: -nats.mean()},
    ),
    Mistake(
        "turned-around",
        "first bits per token, then perplexity",
        after=lambda value, *_: value[::-1],
    ),
    Mistake(
        "entropy-for-surprise",
        "this is the model's own entropy: pick the entry of the token that came",
        options={"surprises": lambda z, x: -(softmax(z) * np.log(softmax(z))).sum(-1)},
    ),
    Mistake(
        "best-token-for-text",
        "this is the surprise of the model's own best token in each row: pick the entry of the "
        "token that came",
        options={"surprises": lambda z, x: token_nats(z, z.argmax(axis=LAST))},
    ),
    Mistake(
        "token-left-out",
        "token 0 is left out, as if it were padding: every token of the text counts",
        options={
            "surprises": lambda z, x: token_nats(z, x)[x != 0] if x.any() else np.array(np.nan)
        },
    ),
    Mistake(
        "looked-up-in-every-row",
        "each token is looked up in EVERY row, as by [:, tokens]: tokens[t] in row t alone",
        options={
            "surprises": lambda z, x: np.stack([token_nats(z, np.full_like(x, v)) for v in x])
        },
    ),
    Mistake(
        "probabilities-for-logs",
        "probabilities are averaged as if they were logarithms: a logarithm is missing",
        options={"surprises": _picked(lambda z: -softmax(z))},
    ),
    Mistake(
        "logits-for-logs",
        "logits are averaged as if they were logarithms of probabilities: normalize each row",
        options={"surprises": _picked(lambda z: -z)},
    ),
    Mistake(
        "logits-for-probabilities",
        "logarithms of the LOGITS are averaged, as if these were probabilities: normalize each row "
        "first, by a softmax",
        options={"surprises": _picked(lambda z: -np.log(z))},
    ),
    Mistake(
        "wrong-axis",
        "the softmax runs over the positions here: each row is a distribution over the vocabulary",
        options={"surprises": _picked(lambda z: -np.log(softmax(z, 0)))},
    ),
    Mistake(
        "overflow",
        "the probability of an unlikely token rounds to 0 here, and log 0 is −inf: stay in logs",
        options={"surprises": _picked(lambda z: -np.log(softmax(z.astype(np.float32))))},
    ),
    Mistake(
        "overflow",
        "e to a large logit is inf here: the largest exponent must not be large",
        options={"surprises": _picked(lambda z: -np.log(naive_softmax(z)))},
    ),
    *(
        Mistake(
            "product-for-logs",
            "the probabilities are multiplied first, and of a long text that product rounds to 0: "
            "average the LOGARITHMS",
            options={"averaged": averaged},
        )
        for averaged in (_of_the_product(np.float32), _of_the_product(np.float64))
    ),
    *(
        Mistake(
            "surprise-capped",
            "a small number stands in the place of small probabilities (or is added to them), so "
            "that no surprise is larger than its own: log_softmax needs no such help",
            options={"surprises": _picked(surprise)},
        )
        for least in SMALL
        for surprise in (
            lambda z, least=least: -np.log(np.maximum(softmax(z), least)),
            lambda z, least=least: -np.log(softmax(z) + least),
        )
    ),
)


def scored_texts(draw: Draw) -> list[tuple]:
    """Texts of some tokens over small vocabularies, a token 0 in each, and another one."""
    cases = []
    for n, V in ((draw.integer(4, 6), 3), (draw.integer(8, 14), draw.integer(5, 20)), (3, 7)):
        x = draw.rng.integers(0, V, size=n)
        some, other = draw.permutation(n)[:2]
        x[some], x[other] = 0, max(x[other], 1)
        cases.append((draw.normal(n, V, scale=1.5), x))
    return cases


def extreme_texts(draw: Draw) -> list[tuple]:
    """Evenness, certainty, tokens of probability e^−120, and 600 tokens, token 0 the likeliest."""
    n, V = draw.integer(5, 9), draw.integer(4, 30)
    x = draw.rng.integers(0, V, size=n)
    sure = np.full((n, V), 1e4 - 60)
    sure[np.arange(n), x] = 1e4
    many = draw.normal(600, 9) + np.eye(9)[0], draw.rng.integers(0, 9, size=600)
    return [(np.full((n, V), 3.0), x), (sure, x), (2 * sure[:3], (x[:3] + 1) % V), many]


def _one_of_two(i: int) -> Callable[[Any, Any], bool]:
    return lambda a, b: alike_numbers([a[i]], [b[i]])


def alike_numbers(a: Any, b: Any) -> bool:
    """Equal lists of numbers, NaN and infinities too; beyond 32 bits nothing is compared."""
    same = np.allclose(a, b, rtol=2e-4, atol=2e-4, equal_nan=True)
    return bool(same or all(abs(y) > 1e37 or close(x, y, 2e-4) for x, y in zip(a, b, strict=True)))


def score_by_hand(z: np.ndarray, x: np.ndarray) -> str:
    """The sum on at most two tokens."""
    if len(x) > 2:
        return ""
    p = softmax(z)[np.arange(len(x)), x]
    bits = -np.log2(p)
    terms = " + ".join(f"−log2 {v:.3g}" for v in p)
    return f"({terms}) / {len(x)} = {bits.mean():.4g} bits; 2^{bits.mean():.4g}"


@checks("score", lesson=LESSON, points=2, see="Exercise 4: a ruler")
def surprise_per_token(score: Standin, draw: Draw) -> Iterator[Claim | Cause]:
    """Bits per token and perplexity."""

    def ask(z: np.ndarray, x: np.ndarray) -> list[float]:
        answer = untouched(score)(single(z), torch.tensor(x))
        if not isinstance(answer, tuple | list) or len(answer) != 2:
            raise WrongKind("score should return (bits per token, perplexity), two numbers")
        return [number(a, "each of the two") for a in answer]

    quarters = np.log([[0.5, 0.25, 0.25], [0.25, 0.5, 0.25]])
    subject = Subject(
        ask=ask,
        rule=bits_and_perplexity,
        forms=(score_step_by_step,),
        mistakes=_OF_SCORE,
        show=lambda z, x: f"{len(x)} tokens {shown(x)} of logits {shown(z)}",
        told=lambda two: f"{two[0]:.4g} bits per token, perplexity {two[1]:.4g}",
        by_hand=score_by_hand,
        smaller=smaller_than(
            (
                (quarters[:1], np.array([1])),
                (np.log([[2.0, 1.0, 1.0]]), np.array([1])),
                (quarters, np.array([0, 0])),
                (quarters, np.array([0, 1])),
                (np.array([[0.0, -120.0]]), np.array([1])),
            )
        ),
        alike=alike_numbers,
    )
    asks = "the softmax of each row, its entry at the token, the average of the logarithms"
    yield from examine(
        subject,
        draw,
        Property(
            "bits",
            "bits per token is the average of −log2 p of the tokens that came",
            scored_texts,
            0.75,
            asks=asks,
            alike=_one_of_two(0),
        ),
        Property(
            "perplexity",
            "perplexity is 2 to the bits per token",
            scored_texts,
            0.75,
            asks=asks,
            alike=_one_of_two(1),
        ),
        Property(
            "extremes",
            "uniform over V tokens has perplexity V, certainty has 1, and neither large logits nor "
            "long texts are any harm",
            extreme_texts,
            0.5,
            asks="V, 1, 173.1 bits for p = e^−120, and the average over all of 600 tokens",
            typical=False,
            needs="bits",
        ),
    )


# --- joint and token-wise temperature -------------------------------------------------------------


def joint_tempered(
    p: np.ndarray,
    T: float,
    *,
    powered: Callable = np.divide,
    shared: Callable = softmax,
    floor: float = 0.0,
    axis: int | None = None,
) -> np.ndarray:
    """p^(1/T), normalized over all entries. Each option turns one thing wrong."""
    return shared(powered(np.log(p + floor), T), axis)


def tokenwise_tempered(
    p: np.ndarray,
    T: float,
    *,
    hot: Callable = lambda t, n: True,
    steps: Callable = range,
    powered: Callable = np.divide,
    shared: Callable = softmax,
    floor: float = 0.0,
    never: float = 0.0,
    axis: int = LAST,
) -> np.ndarray:
    """The table of texts drawn token by token. Each option turns one thing wrong.

    `hot(t, n)` says which of the n conditionals t (from 0) are tempered, `steps(n)` which are
    multiplied; `never` is what a conditional is after a prefix that cannot happen.
    """
    q = np.ones_like(p)
    for t in steps(p.ndim):
        logs = np.log(p.sum(axis=tuple(range(t + 1, p.ndim))) + floor)
        conditional = shared(powered(logs, T if hot(t, p.ndim) else 1.0), axis)
        conditional = np.nan_to_num(conditional, nan=never)
        q = q * conditional.reshape(conditional.shape + (1,) * (p.ndim - t - 1))
    return q


def independent_tempered(p: np.ndarray, T: float) -> np.ndarray:
    """The product of the tempered marginals."""
    q = np.ones_like(p)
    for t in range(p.ndim):
        marginal = p.sum(axis=tuple(a for a in range(p.ndim) if a != t))
        shape = [1] * p.ndim
        shape[t] = -1
        q = q * softmax(np.log(marginal) / T).reshape(shape)
    return q


def _of_marginals(
    p: np.ndarray,
    T: float,
    given: Callable[[int, int], Sequence[int]],
    held: Callable = np.sum,
) -> np.ndarray:
    """The product of tempered conditionals of x_t, from marginals over the axes `given(t, n)`.

    `held` makes of the entries of all other axes what a marginal holds.
    """
    q = np.ones_like(p)
    for t in range(p.ndim):
        others = tuple(axis for axis in range(p.ndim) if axis not in given(t, p.ndim))
        marginal = held(p, axis=others, keepdims=True)
        q = q * np.nan_to_num(softmax(np.log(marginal) / T, t))
    return q


def _last(t: int, n: int) -> bool:
    return t == n - 1


_EPSILON = tuple(
    Mistake(
        "epsilon-in-log",
        "something small is added to the zeros, and a high temperature makes it large: log 0 = −inf"
        " may go into a softmax as it is",
        options={"floor": small},
    )
    for small in SMALL
)
_POSSIBLE_TEXT = Symptom(
    "epsilon-in-log",
    "a text of probability 0 gets a probability: nothing may stand in the place of 0 or of its log",
    lambda seen: (
        any(
            o.fails and np.isfinite(o.answer).all() and (o.answer[o.args[0] == 0] > 0).any()
            for o in seen
        )
        and not any(o.fails for o in seen if (o.args[0] > 0).all())
    ),
)
_TWO_AXES = Symptom(
    "two-axes-only",
    "tables of two axes come out right, and not those of more: a text may have any number of "
    "tokens, and its table an axis for each",
    lambda seen: (
        any(o.fails and o.args[0].ndim > 2 and (o.args[0] > 0).all() for o in seen)
        and any(o.args[0].ndim == 2 for o in seen)
        and not any(o.fails for o in seen if o.args[0].ndim == 2)
    ),
)
_POWERS = {
    "T-multiplied": "p is raised to T: the exponent is 1/T",
    "T-cancels": "T has no effect",
}
_POWERED = (
    Mistake("T-multiplied", _POWERS["T-multiplied"], options={"powered": np.multiply}),
    Mistake("T-cancels", _POWERS["T-cancels"], options={"powered": lambda logs, T: logs}),
)
_NOT_SHARED = {"shared": lambda logs, axis: np.exp(logs)}


def _powers_of(logs: np.ndarray, axis: int | None) -> np.ndarray:
    """Numbers whose logarithms are given, divided by their sum, in 32 bits."""
    powers = np.exp(logs).astype(np.float32)
    return powers / powers.sum(axis=axis, keepdims=True)


def _along_each_axis(p: np.ndarray, T: float) -> np.ndarray:
    """p^(1/T), normalized along one axis after another."""
    logs = np.log(p) / T
    for axis in range(p.ndim):
        with np.errstate(divide="ignore"):
            logs = np.log(softmax(logs, axis))
    return np.exp(logs)


_OF_JOINT = (
    Mistake(
        "token-wise-for-joint",
        "each token is tempered here: joint temperature raises the probability of the WHOLE text "
        "to 1/T, and normalizes once, over all texts",
        gives=tokenwise_tempered,
    ),
    Mistake(
        "last-token-only",
        "only the last token is tempered, given the rest: the whole table is meant",
        gives=lambda p, T: tokenwise_tempered(p, T, hot=_last),
    ),
    Mistake(
        "first-token-only",
        "only the first token is tempered, and what follows it kept as it was: the whole table is "
        "meant",
        gives=lambda p, T: tokenwise_tempered(p, T, hot=lambda t, n: t == 0),
    ),
    Mistake(
        "each-axis-in-turn",
        "one axis after another is normalized: all entries together have ONE sum, so flatten first",
        gives=_along_each_axis,
    ),
    Mistake(
        "rows-normalized",
        "each row is normalized by itself: all entries together sum to 1",
        options={"axis": -1},
    ),
    Mistake(
        "columns-normalized",
        "the sum runs along the first axis only: all entries together sum to 1",
        options={"axis": 0},
    ),
    *_POWERED,
    Mistake(
        "not-normalized", "p^(1/T) must be divided by its sum over all texts", options=_NOT_SHARED
    ),
    Mistake(
        "divided-by-the-largest",
        "the powers are divided by the largest of them: their sum is what makes them probabilities",
        options={"shared": lambda logs, axis: np.exp(logs - logs.max(axis=axis, keepdims=True))},
    ),
    Mistake(
        "divided",
        "p is divided by T: it is RAISED to 1/T, then normalized",
        gives=lambda p, T: p / T,
    ),
    Mistake(
        "probabilities-for-logits",
        "probabilities are no logits: their logarithms are",
        gives=lambda p, T: softmax(p / T, None),
    ),
    Mistake(
        "marginals-tempered",
        "the marginals are tempered, as if the steps were independent",
        gives=independent_tempered,
    ),
    Mistake(
        "underflow",
        "at T = 0.01 each p is raised to 100: of thousands of texts none has more than 0.0005, "
        "and 0.0005^100 = 10^−330 is 0 in double precision too, and 0/0 is NaN. So the exercise "
        "asks for the form without such trouble: logarithms, divided by T, in a softmax",
        options={"shared": _powers_of},
    ),
    *_EPSILON,
)


def table(draw: Draw, *shape: int) -> np.ndarray:
    """A random distribution over texts, as it is in single precision."""
    flat = draw.normal(math.prod(shape), scale=1.3)
    return softmax(flat).reshape(shape).astype(np.float32).astype(np.float64)


def _cool(draw: Draw) -> float:
    return 0.4 + 0.3 * float(draw.uniform())


def whole_tables(draw: Draw) -> list[tuple]:
    """Tables of one axis to four, cool and hot."""
    cool, hot = _cool(draw), 1.5 + float(draw.uniform())
    steps = table(draw, 2, 3)  # not nearly independent, or both temperatures are one
    while np.abs(tokenwise_tempered(steps, cool) - joint_tempered(steps, cool)).sum() < 0.02:
        steps = table(draw, 2, 3)
    return [
        (steps, cool),
        (table(draw, 3, 2, draw.integer(2, 4)), hot),
        (table(draw, draw.integer(4, 7)), cool),
        (table(draw, 2, 2, 2, 2), 1.0),
    ]


def many_texts(draw: Draw) -> np.ndarray:
    """A table of 4,096 texts, some of them impossible, none so probable that p^100 is a number.

    The best text does not start with the best first token: tempering tokens is told apart too.
    """
    while True:
        p = softmax(draw.normal(16**3, scale=0.18)).astype(np.float32).astype(np.float64)
        p[draw.permutation(p.size)[:40]] = 0.0
        best, second = np.sort(p)[[-1, -2]]
        p = p.reshape(16, 16, 16)
        first = np.unravel_index(int(p.argmax()), p.shape)[0]
        if best < 5e-4 and best / second > 1.02 and first != p.sum((1, 2)).argmax():
            return p


def small_tables(draw: Draw) -> list[tuple]:
    """Entries that powers round to 0, and zeros."""
    small = np.array([[3e-5, 3e-5, 1e-9, 0.0], [4.5e-5, 1e-9, 0.0, 1e-7], [1e-8, 0.0, 2e-5, 1e-9]])
    small = small[draw.permutation(3)][:, draw.permutation(4)]
    certain = small.astype(np.float32).astype(np.float64)
    certain[np.unravel_index(int(np.argmin(small)), small.shape)] = 1 - small.sum()
    return [(many_texts(draw), 0.01), (certain, 0.5), (certain, 8.0)]


_TREE = np.array([[0.25, 0.25], [0.5, 0.0]])
_SMALL_TABLES = (
    (np.array([0.75, 0.25]), 0.5),
    (np.array([[0.25, 0.25, 0.5]]), 0.5),
    (np.array([[0.375, 0.125], [0.25, 0.25]]), 0.5),
    (np.array([[0.5, 0.25], [0.125, 0.125]]), 0.5),
    (np.array([[0.5, 0.5], [0.0, 0.0]]), 0.5),
    (np.array([[[0.25, 0.25], [0.375, 0.125]]]), 0.5),
    (_TREE, 0.5),
    (_TREE, 8.0),
    (np.array([[[4.0, 1.0], [2.0, 1.0]], [[1.0, 4.0], [2.0, 1.0]]]) / 16, 0.5),
)


def show_table(p: np.ndarray, T: float) -> str:
    """A case in words."""
    return f"T = {T:.4g} and p {shown(p)}"


def joint_by_hand(p: np.ndarray, T: float) -> str:
    """The powers of at most four texts."""
    if p.size > 4:
        return ""
    powers = p ** (1 / T)
    terms = ", ".join(
        f"{a:g}^{1 / T:.3g} = {b:.4g}" for a, b in zip(p.flat, powers.flat, strict=True)
    )
    return f"{terms}; each divided by the sum of all, {powers.sum():.4g}"


def _of_tables(
    function: Standin, rule: Callable, mistakes: Sequence[Mistake], by_hand: Callable
) -> Subject:
    """What is asked of a temperature on the table of all texts."""
    return Subject(
        ask=lambda p, T: expect_array(
            untouched(function)(single(p), T), p.shape, "float", "the table"
        ),
        rule=rule,
        mistakes=mistakes,
        symptoms=(_POSSIBLE_TEXT, _TWO_AXES),
        show=show_table,
        by_hand=by_hand,
        smaller=smaller_than(_SMALL_TABLES),
        alike=alike_rows,
    )


@checks(
    "joint_temperature",
    lesson=LESSON,
    points=2,
    see="Exercise 5: what does a temperature do to a whole text?",
)
def whole_texts_tempered(joint_temperature: Standin, draw: Draw) -> Iterator[Claim | Cause]:
    """Whole texts raised to 1/T, and normalized once."""
    yield from examine(
        _of_tables(joint_temperature, joint_tempered, _OF_JOINT, joint_by_hand),
        draw,
        Property(
            "joint",
            "each text's probability is raised to 1/T, and all texts together sum to 1",
            whole_tables,
            1.25,
            asks="p(x)^(1/T) over the sum of all p(x')^(1/T), for a table of any number of axes",
        ),
        Property(
            "small",
            "small probabilities survive T = 0.01, and impossible texts stay impossible",
            small_tables,
            0.75,
            asks="finite numbers that sum to 1: the largest text gets nearly all, zeros stay zeros",
            typical=False,
            needs="joint",
            alike=of_its_size,
        ),
    )


_OF_TOKENWISE = (
    Mistake(
        "joint-for-token-wise",
        "this is the joint temperature: a prefix's conditionals come from the GIVEN p, and each is "
        "tempered and normalized by itself",
        gives=joint_tempered,
    ),
    Mistake(
        "only-the-last-tempered",
        "only the last conditional is tempered: every step is, the first too",
        options={"hot": _last},
    ),
    Mistake(
        "first-not-tempered",
        "the first token is not tempered: p(x1) is a conditional too, of nothing",
        options={"hot": lambda t, n: t > 0},
    ),
    Mistake(
        "only-the-first-tempered",
        "only the first token is tempered: every step is",
        options={"hot": lambda t, n: t == 0},
    ),
    Mistake(
        "last-not-tempered",
        "the last token is not tempered: every step is",
        options={"hot": lambda t, n: t < n - 1},
    ),
    Mistake(
        "last-step-missing",
        "the last conditional is not multiplied in: the product runs over all steps",
        options={"steps": lambda n: range(n - 1)},
    ),
    Mistake(
        "first-step-missing",
        "p(x1) is not multiplied in: the product runs over all steps",
        options={"steps": lambda n: range(1, n)},
    ),
    Mistake(
        "rows-normalized",
        "this is the last conditional for every prefix: the prefix's own probability, tempered "
        "too, is missing",
        options={"steps": lambda n: range(n - 1, n)},
    ),
    Mistake(
        "middle-steps-missing",
        "only the first and the last conditional are multiplied in: a table of three axes or more "
        "has others between them",
        options={"steps": lambda n: range(0, n, max(n - 1, 1))},
    ),
    Mistake(
        "last-step-twice",
        "the last conditional is multiplied in twice",
        options={"steps": lambda n: (*range(n), n - 1)},
    ),
    Mistake(
        "marginals-tempered",
        "each token's marginal is tempered, as if the steps were independent: the conditional "
        "given the prefix is meant",
        gives=independent_tempered,
    ),
    Mistake(
        "prefix-cut",
        "each conditional looks at the token before alone: the whole prefix is given, p(x1, …, xt) "
        "over p(x1, …, xt−1)",
        gives=lambda p, T: _of_marginals(p, T, lambda t, n: (t - 1, t)),
    ),
    Mistake(
        "last-token-first",
        "the conditionals are those of the last token, of the one before given the last, and so "
        "on: the marginals are sums over all LATER axes",
        gives=lambda p, T: _of_marginals(p, T, lambda t, n: range(t, n)),
    ),
    Mistake(
        "best-future-for-sum",
        "a prefix has the probability of its best text here: the marginal is the SUM over all that "
        "may follow",
        gives=lambda p, T: _of_marginals(p, T, lambda t, n: range(t + 1), np.max),
    ),
    Mistake(
        "rest-in-one-step",
        "all that follows the first token is tempered in one step: each token is a step of its "
        "own, for tables of any number of axes",
        gives=lambda p, T: (
            tokenwise_tempered(p.reshape(len(p), -1), T).reshape(p.shape)
            if p.ndim > 1
            else tokenwise_tempered(p, T)
        ),
    ),
    Mistake(
        "wrong-axis",
        "each conditional is normalized along the first axis: its token is the last",
        options={"axis": 0},
    ),
    *_POWERED,
    Mistake(
        "not-normalized",
        "p^(1/T) is no distribution: each tempered conditional must sum to 1",
        gives=lambda p, T: p ** (1 / T),
    ),
    Mistake(
        "tempered-before-marginals",
        "the table is tempered before its marginals are taken: first all conditionals of the given "
        "p, then temper them",
        gives=lambda p, T: tokenwise_tempered(joint_tempered(p, T), T),
    ),
    Mistake(
        "multiplied-by-p",
        "the product starts at p instead of 1: p is in it twice",
        after=lambda q, p, T: q * p,
    ),
    Mistake(
        "zero-over-zero",
        "a prefix of probability 0 has no conditional, and 0/0 is NaN: its texts have probability "
        "0",
        options={"never": math.nan},
    ),
    *(
        Mistake(
            "underflow",
            "small numbers to the power 1/T round to 0, and 0/0 is no distribution: powers are "
            "safe as logarithms only",
            options={"shared": _powers_of, "never": never},
        )
        for never in (0.0, math.nan)
    ),
    *_EPSILON,
)


def token_tables(draw: Draw) -> list[tuple]:
    """Tables of two axes to four, cool and hot."""
    cool, hot = _cool(draw), 1.5 + float(draw.uniform())
    steps = table(draw, 2, 3)  # not nearly independent, or both temperatures are one
    while np.abs(tokenwise_tempered(steps, cool) - joint_tempered(steps, cool)).sum() < 0.02:
        steps = table(draw, 2, 3)
    return [
        (steps, cool),
        (table(draw, 3, 2, draw.integer(3, 4)), hot),
        (table(draw, 2, 3, 2, 2), cool),
    ]


def free_and_bound_tables(draw: Draw) -> list[tuple]:
    """A table of independent steps, and one whose steps depend."""
    a, b, c = (probabilities(draw, n) for n in (2, 3, draw.integer(2, 3)))
    T = _cool(draw)
    return [(a[:, None, None] * b[:, None] * c, T), (table(draw, 3, 4), T)]


def dead_ends(draw: Draw) -> list[tuple]:
    """A table with prefixes that cannot happen."""
    p = np.ones(1)
    while p.max() > 0.1:  # so small that in 32 bits p^50 is 0
        p = joint_tempered(table(draw, 3, 4, 4), 2.0)
        dead = draw.integer(0, 2)
        p[dead] = 0.0
        p[(dead + 1) % 3, draw.integer(0, 3)] = 0.0
        p /= p.sum()
    return [(p, T) for T in (0.02, _cool(draw), 8.0)]


def tokenwise_by_hand(p: np.ndarray, T: float) -> str:
    """The conditionals of at most four texts of two tokens."""
    if p.size > 4 or p.ndim != 2:
        return ""
    first = p.sum(1)
    then = np.nan_to_num(p / np.where(first > 0, first, np.nan)[:, None])
    lines = "; ".join(f"p(x2 | {i}) = {shown(row)}" for i, row in enumerate(then))
    return f"p(x1) = {shown(first)}; {lines}; each to the power {1 / T:.3g}, divided by its sum"


@checks(
    "tokenwise_temperature",
    lesson=LESSON,
    points=3,
    see="Exercise 5: what does a temperature do to a whole text?",
)
def each_token_tempered(tokenwise_temperature: Standin, draw: Draw) -> Iterator[Claim | Cause]:
    """Every conditional raised to 1/T and normalized, then multiplied."""
    yield from examine(
        _of_tables(tokenwise_temperature, tokenwise_tempered, _OF_TOKENWISE, tokenwise_by_hand),
        draw,
        Property(
            "conditionals",
            "every conditional is tempered and normalized by itself, and the product is returned",
            token_tables,
            1.5,
            asks="p(x_t | x_<t)^(1/T) over its sum over x_t, multiplied over all steps, the first "
            "too",
        ),
        Property(
            "independent",
            "it equals the joint temperature where the steps are independent, and not in general",
            free_and_bound_tables,
            0.75,
            asks="with independent steps, the product of powers is the power of the product",
            needs="conditionals",
        ),
        Property(
            "dead",
            "a prefix that cannot happen has probability 0, with no NaN, and T = 0.02 is no harm",
            dead_ends,
            0.75,
            asks="0 for every text with that prefix",
            typical=False,
            needs="conditionals",
            alike=loosely,
        ),
    )


# --- drift ----------------------------------------------------------------------------------------

# The source's surprise takes two values, A after a likely token and B after an unlikely one, so the
# mean at a step says exactly how often the unlikely ones were drawn: q̂ = (mean − A)/(B − A). By
# Hoeffding, |q̂ − q| > BOUND has a probability below 2 exp(−2 DRAWS BOUND²) at a step; a test holds
# that all steps together raise a false alarm in fewer than one of a million runs.
LENGTH, VOCABULARY, DRAWS, BOUND = 5, 4, 8000, 0.04
LIKELY, UNLIKELY = 0.45, 0.05
A, B = -math.log(LIKELY), -math.log(UNLIKELY)
ENTROPY = 2 * LIKELY * A + 2 * UNLIKELY * B
NEAR = 0.05  # nats: the mean of DRAWS surprises of the model itself is so near to their expectation


def unlikely_shares(
    model: Sequence[np.ndarray],
    source: Sequence[np.ndarray],
    prefixes: Sequence[np.ndarray] | None = None,
    sharpen: bool = False,
) -> np.ndarray:
    """How often a token drawn from `model` is unlikely for `source`, at each step (LENGTH,).

    Prefixes come from `prefixes` (default: from the model itself); `sharpen` takes the argmax.
    """
    q, before = [], np.ones(1)
    for table, truth, lead in zip(model, source, prefixes or model, strict=True):
        drawn = np.eye(table.shape[1])[table.argmax(1)] if sharpen else table
        q.append(float((before[:, None] * drawn * (truth < 0.25)).sum()))
        lead = np.eye(table.shape[1])[table.argmax(1)] if sharpen and prefixes is None else lead
        before = (before[:, None] * lead).reshape(-1)
    return np.array(q)


def surprise_at(writer: Sequence[np.ndarray], judge: Sequence[np.ndarray]) -> np.ndarray:
    """The mean surprise of `judge` at what `writer` draws, at each step (LENGTH,)."""
    surprises, before = [], np.ones(1)
    for table, truth in zip(writer, judge, strict=True):
        surprises.append(float(-(before[:, None] * table * np.log(truth)).sum()))
        before = (before[:, None] * table).reshape(-1)
    return np.array(surprises)


def own_surprise(model: Sequence[np.ndarray]) -> np.ndarray:
    """The mean surprise of the model at its own tokens, its entropy, at each step (LENGTH,)."""
    return surprise_at(model, model)


def drift_case(draw: Draw) -> tuple[list[np.ndarray], list[np.ndarray], dict[str, np.ndarray]]:
    """A model, a source, and what right and wrong answers would find, all of them apart.

    The answers are shares of unlikely tokens at each step; "model-for-source" and "source-drawn"
    are told apart by their values.
    """
    while True:
        model = random_tables(draw, VOCABULARY, LENGTH, sharp=1.2)
        source = []
        for t in range(LENGTH):
            table = np.full((VOCABULARY**t, VOCABULARY), UNLIKELY)
            good = np.argsort(draw.uniform(*table.shape), axis=1)[:, :2]
            np.put_along_axis(table, good, LIKELY, axis=1)
            source.append(table)
        # Prefixes of the source lead to other places than the model's own.
        for t in range(1, LENGTH):
            likely = np.array([1.0])
            for s in range(t):
                likely = (likely[:, None] * (source[s] > 0.25)).reshape(-1)
            on = likely > 0
            follow = normalized(source[t] ** 1.5)
            model[t] = np.where(on[:, None], follow, model[t])
        short, heard = (
            [*tables[:2], *(np.tile(tables[1], (VOCABULARY**t, 1)) for t in range(1, LENGTH - 1))]
            for tables in (model, source)
        )
        answers = {
            "right": unlikely_shares(model, source),
            "last-token-only": unlikely_shares(short, heard),
            "real-prefixes": unlikely_shares(model, source, source),
            "argmax-for-draw": unlikely_shares(model, source, sharpen=True),
            "source-drawn": unlikely_shares(source, source),
            "uniform-drawn": unlikely_shares(
                [np.full_like(t, 1 / VOCABULARY) for t in model], source
            ),
        }
        names = list(answers)
        far = [np.abs(answers[a] - answers[b]).max() for a, b in itertools.combinations(names, 2)]
        # Whatever follows the source alone, its own surprise in every place, is not the model's.
        other = np.abs(own_surprise(model) - (A + (B - A) * answers["source-drawn"])).max()
        if (
            min(far) > 2.2 * BOUND
            and other > 3 * NEAR
            and 0.05 < answers["right"].min() < answers["right"].max() < 0.95
        ):
            return model, source, answers


def turned_from(
    model: Sequence[np.ndarray], source: Sequence[np.ndarray], sharpened: np.ndarray
) -> list[np.ndarray]:
    """The model, its tokens renamed, so that even texts of its best tokens surprise otherwise.

    `sharpened` are the shares of unlikely tokens among these texts of the model as it is.
    """
    renamed = (
        [table[..., list(order)] for table in model]
        for order in itertools.permutations(reversed(range(VOCABULARY)))
    )
    # Some order makes the best first token a likely one or an unlikely one, whichever it is not.
    return next(
        one for one in renamed if (unlikely_shares(one, source, sharpen=True) != sharpened).any()
    )


_ON_DRIFT = {
    "real-prefixes": "the prefixes come from the source here, as in training: drift is measured "
    "on the model's OWN prefixes, so append what the model drew",
    "argmax-for-draw": "the most probable token is taken: draw from the model's distribution",
    "source-drawn": "the tokens are drawn from the source here: the MODEL writes, the source "
    "judges",
    "uniform-drawn": "the tokens are drawn evenly: draw with the model's probabilities",
}


def drawn_by_the_first(model: Sequence[np.ndarray], texts: np.ndarray) -> bool:
    """Whether the second token of all texts (count, t) has the law that ONE first token gives it.

    Each first token of which there are many texts tells how often each second one follows it.
    """
    if texts.ndim != 2 or texts.shape[1] < 2:
        return False
    pairs = frequencies(texts[:, :2].clip(0, VOCABULARY - 1), VOCABULARY)
    pairs = pairs.reshape(VOCABULARY, VOCABULARY)
    often = pairs.sum(axis=1) > 0.05
    follows = normalized(pairs[often])
    near = [(np.abs(follows - law) < 0.1).all() for law in model[1]]
    far = [np.abs(a - b).max() for a, b in itertools.combinations(model[1][often], 2)]
    return any(near) and max(far, default=0.0) > 0.3


def advice_on_means(
    model: Sequence[np.ndarray],
    source: Sequence[np.ndarray],
    mean: np.ndarray,
    due: np.ndarray,
    named: str,
    texts: np.ndarray,
) -> list[str | Advice]:
    """What the means at all positions say; `named` is the mistake whose law they follow.

    `texts` are the longest prefixes that the source was asked about.
    """
    own, sums = own_surprise(model), np.cumsum(due)
    slack = BOUND * (B - A)
    return [
        when(
            drawn_by_the_first(model, texts),
            "first-row-for-all",
            "the next token of every text is drawn by the probabilities of the first text: each "
            "row of model(prefixes) is for the text of that row",
        ),
        when(
            (np.abs(mean - surprise_at(source, model)) < 2 * NEAR).all(),
            "ends-swapped",
            "the source writes here, and the model judges: the MODEL writes, the SOURCE judges",
        ),
        when(
            (np.abs(mean - (due - own)) < slack + NEAR).all(),
            "ratio-for-surprise",
            "this is log p_model − log p_source, the KL divergence on average: the source's "
            "surprise alone is asked",
        ),
        when(
            texts.shape[1] == 1,
            "last-token-only",
            "the source was never asked about a prefix of more than one token: ALL tokens so far "
            "are the prefix",
        ),
        *(when(name == named, name, text) for name, text in _ON_DRIFT.items()),
        when(
            (np.abs(mean - own) < NEAR).all(),
            "model-for-source",
            "the MODEL's surprise is taken, which is its own entropy: ask the source about the "
            "drawn token",
        ),
        when(
            (np.abs(mean - sums) < slack * np.arange(1, LENGTH + 1)).all()
            or (np.abs(mean - sums / np.arange(1, LENGTH + 1)) < slack).all(),
            "accumulated",
            "the positions are added up: one mean for each position, by itself",
        ),
        when(
            np.abs(mean - ENTROPY).max() < 1e-4,
            "entropy-for-surprise",
            "this is the source's own entropy: pick its entry of the token that was drawn",
        ),
        when((np.abs(mean + due) < slack).all(), "sign", "surprise is MINUS log p"),
        when(
            (np.abs(mean - due / math.log(2)) < slack / math.log(2)).all(),
            "bits-for-nats",
            "these are bits: nats are asked",
        ),
    ]


def claim_of_the_error(share: np.ndarray, error: np.ndarray, fits: bool) -> Claim:
    """That errors are standard errors; `share` of the texts had the larger surprise.

    If the means do not fit, they say nothing of how far the surprises lie apart.
    """
    sound = bool(((share > 0.01) & (share < 0.99)).all())
    with np.errstate(all="ignore"):
        deviation = (B - A) * np.sqrt(share * (1 - share))
        wanted = deviation / math.sqrt(DRAWS)
        off = np.nan_to_num(np.abs(error / wanted - 1), nan=np.inf)
    near = np.abs(error - wanted) <= 6e-3 * wanted
    worst = int(np.argmax(off))  # where it is told best from the right one

    def is_(value: np.ndarray) -> bool:
        return sound and np.allclose(error, value, rtol=5e-3)

    return claim(
        "the standard error is the standard deviation over the texts, divided by √count",
        near.all(),
        points=0.75,
        saw=f"{error[worst]:.4g} at position {worst + 1} with {DRAWS:,} texts",
        asks=f"about {wanted[worst]:.3g}, from the same surprises as the mean",
        waits=waits_unless(sound, "means between the source's two surprises")
        or waits_unless(fits or near.all(), "means that are right"),
        advice=[
            when(
                error[0] < 1e-6 < error[1:].min(),
                "expected-for-drawn",
                "at position 1 all texts surprise alike here, though they begin with different "
                "tokens: the surprise of the token that was DRAWN is asked, and not the average "
                "over all that the model might draw",
            ),
            when(
                is_(deviation),
                "deviation-for-error",
                "this is the standard deviation: the mean of N values is √N times as sure",
            ),
            when(is_(deviation / DRAWS), "divided-by-count", "divide by √count, not by count"),
            when(is_(deviation**2), "variance", "this is the variance: its root, over √count"),
            when(
                is_(deviation**2 / math.sqrt(DRAWS)),
                "variance",
                "this comes from the variance: take its root first",
            ),
            when(is_(deviation**2 / DRAWS), "variance", "the root is missing: √(variance / count)"),
            "of each position's surprises, over the texts: their standard deviation, divided by "
            "√count",
        ],
    )


def example_of_drift(ask: Callable, draw: Draw) -> tuple[tuple[str, str], ...]:
    """A small case that fails, as rows of a card: a model that always writes one text; or none."""
    text = (0, 1, 1)
    model = [np.eye(2)[[text[t]] * 2**t] for t in range(3)]
    source = [np.array([[0.5, 0.5]]), np.array([[0.75, 0.25], [0.5, 0.5]])]
    source += [np.array([[0.5, 0.5], [0.875, 0.125], [0.5, 0.5], [0.5, 0.5]])]
    p = (0.5, 0.25, 0.125)
    mean, error, _ = ask(model, source, 4, draw.generator())
    if close(mean, -np.log(p)) and close(error, np.zeros(3)):
        return ()
    return (
        (
            "given",
            f"4 texts of a model that writes {text} for sure, and a source that gives these tokens "
            f"{', '.join(f'{v:g}' for v in p)}, each after those before it",
        ),
        ("your answer", f"means {shown(mean)}, standard errors {shown(error)}"),
        (
            "by hand",
            ", ".join(f"−ln {v:g} = {-math.log(v):.4f}" for v in p)
            + "; all texts are the same, so the standard errors are 0",
        ),
    )


def claim_of_own_texts(texts: np.ndarray, fits: bool, source: Claim) -> Claim:
    """That the texts, as the source was asked about them, know nothing of one another."""
    # How often they came, not how often they should: only what pairs share is asked here.
    came = np.zeros((VOCABULARY,) * (LENGTH - 1))
    told = texts.shape == (DRAWS, LENGTH - 1)  # else they were asked about in another form
    if told:
        came = frequencies(texts.clip(0, VOCABULARY - 1), VOCABULARY).reshape(came.shape)
    needs = "surprises of texts that are drawn from the model"
    return claim_of_independence(
        lambda: texts[: told * DRAWS], came, fits, source, "text", 0.25, needs
    )


@checks("drift", lesson=LESSON, points=3, see="Exercise 6: drift")
def surprise_of_the_source(drift: Standin, draw: Draw) -> Iterator[Claim | Cause]:
    """The model writes on its own prefixes, the source judges."""

    def ask(model: list, source: list, count: int, generator: Any) -> Sequence[np.ndarray]:
        found = drifted(drift, model_of(model), model_of(source), count, len(model), generator)
        answer = found.get("answer") if isinstance(found, dict) else None
        if not isinstance(answer, tuple | list) or len(answer) != 2:
            raise WrongKind("drift should return (mean, standard error), two tensors")
        what = ("the means", "the standard errors")
        mean, error = (
            expect_array(a, (len(model),), "float", w) for a, w in zip(answer, what, strict=True)
        )
        return mean, error, expect_array(found["texts"], (None, None), "int", "the prefixes")

    model, source, answers = drift_case(draw)
    right = answers.pop("right")
    mean, error, texts = ask(model, source, DRAWS, draw.generator())
    share = (mean - A) / (B - A)
    off = np.abs(share - right)
    fits = bool((off <= BOUND).all())
    named = next((n for n, q in answers.items() if (np.abs(share - q) <= BOUND).all()), "")
    if named != "argmax-for-draw" and not (error > 1e-6).all():  # an expectation, and no draws
        named = ""
    due = A + (B - A) * right
    advice = advice_on_means(model, source, mean, due, named, texts)
    at = int(np.argmax(np.where(np.isnan(off), np.inf, off)))
    first = claim(
        "at each position, the mean of −log p_source of what the model drew after its own prefix",
        fits,
        points=1.5,
        saw=f"{mean[at]:.3f} nats at position {at + 1}",
        asks=f"{due[at]:.3f} nats, up to chance ({BOUND * (B - A):.2f} at most)",
        advice=[
            *advice,
            "draw from the model, ask the source about the drawn token, append it, and go on",
        ],
    )
    second = claim_of_the_error(share, error, fits)
    yield first
    yield second
    told = next((one for one in (first, second) if one.fails), None)
    if told and (example := example_of_drift(ask, draw)):
        names = (told.misconception,) if told.misconception else ()
        how = "symptom" if names else "unknown"
        yield Cause(names, told.advice if names else "", how, example)
    turned = turned_from(model, source, answers["argmax-for-draw"])
    heard = looks_at(
        lambda one, g: ask(one, source, 50, g)[0].round(4), model, turned, draw.apart()
    )  # rounded: an expectation over equal rows changes in its last digits alone
    drawn = claim_of_the_generator(
        lambda g: np.concatenate([np.ravel(part) for part in ask(model, source, 50, g)[::2]]),
        draw,
        0.5,
        waits_unless(heard, "means that change with the model"),
    )
    yield claim_of_own_texts(texts, fits, drawn)
    yield drawn
