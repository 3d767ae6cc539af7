"""Checks of lesson 03, FVSBN: one logistic regression for each bit, on the bits before it.

Notation: logit_i = bias_i + Σ_{j<i} weight_ij x_j is the log-odds of x_i = 1 given x_<i (Frey,
Hinton and Dayan, 1996: the logistic autoregressive model); all logs are natural.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F

from autograder import claim, expect_array, when
from autograder.checking import checks
from autograder.checks.numbers import SMALL, close, sigmoid, single, softplus
from autograder.checks.samples import (
    DRAWS,
    NO_BITS,
    ONE_ROW,
    ONE_ROW_ADVICE,
    SAME_FOR_ALL,
    all_bits,
    apart,
    as_often,
    claim_of_independence,
    claim_of_the_generator,
    coins,
    frequencies,
    of_the_first_row,
    tallied,
    told_shares,
)
from autograder.checks.witness import looks_at, waits_unless
from autograder.claims import Cause, Claim, waiting
from autograder.diagnosis import Mistake, Property, Subject, Symptom, examine
from autograder.diagnosis.examine import shown
from autograder.diagnosis.mistakes import Observation, program_of
from autograder.draw import Draw
from autograder.inside.fvsbn import gradients_of, keeps_its_arguments
from autograder.remote.proxy import Standin

LESSON = "03_fvsbn"

Program = Callable[..., Any]
Case = tuple[Any, ...]
Array = np.ndarray


# --- what the mathematics says --------------------------------------------------------------------


def votes(
    x: Array,
    weight: Array,
    bias: Array,
    *,
    given: Program | None = None,
    kept: Program | None = None,
    turned: bool = False,
    added: Program | None = None,
    read: Program | None = None,
) -> Array:
    """The logits (B, n) of the bits x (B, n). Each option turns one thing of it wrong."""
    strict = np.tril(weight, -1) if kept is None else kept(weight)
    total = (x if given is None else given(x)) @ (strict if turned else strict.T)
    score = total + bias if added is None else added(total, bias, x)
    return score if read is None else read(score)


def votes_one_by_one(x: Array, weight: Array, bias: Array) -> Array:
    """The same as `votes`, bit after bit."""
    return np.stack([x[:, :i] @ weight[i, :i] + bias[i] for i in range(len(bias))], axis=1)


def surprise(score: Array, x: Array) -> Array:
    """−log p of each bit in nats, (B, n), for logits and bits."""
    return softplus(score) - x * score


def price(
    x: Array,
    weight: Array,
    bias: Array,
    *,
    of: Program | None = None,
    over: Program | None = None,
    then: Program | None = None,
    **wrong: Any,
) -> Array:
    """−log p(x) in nats, (B,). Each option, of its own or of `votes`, turns one thing wrong."""
    score = votes(x, weight, bias, **wrong)
    each = surprise(score, x) if of is None else of(score, x)
    nats = each.sum(axis=1) if over is None else over(each)
    return nats if then is None else then(nats)


def price_by_probabilities(x: Array, weight: Array, bias: Array) -> Array:
    """The same as `price`, from the probabilities of ones."""
    p = sigmoid(votes(x, weight, bias))
    return -(x * np.log(p) + (1 - x) * np.log(1 - p)).sum(axis=1)


def model_of(draw: Draw, n: int, scale: float = 1.0) -> tuple[Array, Array]:
    """A weight (n, n), full above the diagonal too, and a bias (n,)."""
    return draw.normal(n, n, scale=scale) + 0.1, draw.normal(n, scale=scale) + 0.3


# --- what a function of (x, weight, bias) is asked ------------------------------------------------

VALUES, GRADIENTS, DEPENDENCIES, TOTAL = "values", "gradients", "dependencies", "total"
# What an answer is that is no array.
CHANGED, CUT = "arguments that the call has changed", "no gradient for the weight or the bias"
UNEVEN, UNIFORM = "no number for each vector", "the same probability for every vector"

MOVES = 1e-4  # far more than rounding in 32 bits, less than any vote of `votes_of_all` alters


def within(most: float, weight: Array, bias: Array) -> tuple[Array, Array]:
    """A model made smaller until no logit is beyond ±most: there 32 bits still hold a sigmoid."""
    factor = min(1.0, most / (np.abs(weight).sum(axis=1) + np.abs(bias)).max())
    return factor * weight, factor * bias


def slopes(program: Program, x: Array, weight: Array, bias: Array) -> list:
    """Gradients of Σ program(x, weight, bias)² / 2 on weight and bias, by central differences."""
    n, start = len(bias), np.concatenate([bias, weight.reshape(-1)])

    def height(at: Array) -> float:
        return (program(x, at[n:].reshape(n, n), at[:n]) ** 2).sum() / 2

    steps = 1e-4 * np.eye(len(start))
    found = np.array([(height(start + d) - height(start - d)) / 2e-4 for d in steps])
    return [found[n:].reshape(n, n), found[:n]]


def dependencies(program: Program, x: Array, weight: Array, bias: Array) -> Array:
    """[i, j]: 1 where output i of the one example x (1, n) moves if bit j is flipped, else 0."""
    n = len(bias)
    batch = np.repeat(x, n + 1, axis=0)
    batch[np.arange(n), np.arange(n)] = 1 - x[0]
    answer = program(batch, weight, bias)
    return (np.abs(answer[:n] - answer[n]).T > MOVES).astype(int)


def total_of(nats: Array, count: int) -> float | str:
    """Σ exp(−nats), or why it is none."""
    if np.shape(nats) != (count,):
        return UNEVEN
    return UNIFORM if np.ptp(nats) < 1e-3 else float(np.exp(-nats).sum())


def answer_of(program: Program, asked: str, x: Array, weight: Array, bias: Array) -> Any:
    """What `program(x, weight, bias)` gives, or what it is like there."""
    if asked == GRADIENTS:
        return slopes(program, x, weight, bias)
    if asked == DEPENDENCIES:
        return dependencies(program, x, weight, bias)
    if asked == TOTAL:
        return total_of(program(x, weight, bias), len(x))
    return program(x, weight, bias)


def asking(function: Standin, what: str, each: bool) -> Program:
    """How the student's function is asked; with `each`, it answers a number for each bit."""

    def values(x: Array, weight: Array, bias: Array) -> Array:
        answer = function(single(x), single(weight), single(bias))
        return expect_array(answer, x.shape if each else None, "float", what)

    def ask(x: Array, weight: Array, bias: Array, asked: str = VALUES) -> Any:
        if asked != GRADIENTS:
            return answer_of(values, asked, x, weight, bias)
        found = gradients_of(function, single(x), single(weight), single(bias))
        found = found if isinstance(found, dict) else {}
        if found.get("kept") is not True:
            return CHANGED
        if found.get("weight") is None or found.get("bias") is None:
            return CUT
        return [
            expect_array(found[name], like.shape, "float", f"the gradient of {name}")
            for name, like in (("weight", weight), ("bias", bias))
        ]

    return ask


def told(answer: Any) -> str:
    """An answer in words."""
    if isinstance(answer, str):
        return answer
    if isinstance(answer, float):
        return f"a sum of {answer:.9g}"
    if isinstance(answer, list):
        masked = np.argwhere(np.abs(np.triu(answer[0])) > 1e-6)
        if len(masked):
            i, j = masked[0]
            return f"a gradient of {answer[0][i, j]:.3g} for weight_{i + 1}{j + 1}"
        return f"gradients {shown(answer[0])} for the weight and {shown(answer[1])} for the bias"
    if np.ndim(answer) == 2 and answer.dtype.kind == "i":
        leaks, gaps = np.argwhere(np.triu(answer)), np.argwhere(np.tril(1 - answer, -1))
        if len(leaks):
            return f"logit {leaks[0][0] + 1} changes with x_{leaks[0][1] + 1}"
        return f"logit {gaps[0][0] + 1} never changes with x_{gaps[0][1] + 1}" if len(gaps) else ""
    return shown(answer)


def show_model(x: Array, weight: Array, bias: Array, asked: str = VALUES) -> str:
    """A case in words."""
    if x.size > 4 or (x.size > 1 and bias.max() > 99):
        size = f"{len(x)} examples of {x.shape[1]} bits" if len(x) > 1 else f"{x.size} bits"
        return f"{size}, at logits of ±100, ±300 and ±1000" if bias.max() > 99 else size
    rows = " and ".join(shown(row) for row in x)
    return f"x = {rows}, W = {' '.join(shown(row) for row in weight)}, b = {shown(bias)}"


_LESSONS_MODEL = np.array([[7.0, 9, 8], [2, 5, 9], [-1, 3, 4]]), np.array([0.0, -1, 0.5])
_SMALL = (
    (np.array([[1.0]]), np.array([[5.0]]), np.array([0.5])),
    (np.array([[1.0, 0]]), np.array([[7.0, 9], [2, 5]]), np.array([0.0, -1])),
    (np.array([[1.0, 0, 1]]), *_LESSONS_MODEL),
    (np.array([[1.0, 0], [1, 1]]), np.array([[7.0, 9], [2, 5]]), np.array([0.0, -1])),
)


def smaller_models(x: Array, weight: Array, bias: Array, asked: str = VALUES) -> Iterator[Case]:
    """Simple models with an example or two; one large logit, where there are several."""
    if asked == VALUES and bias.max() > 99 and x.size > 2:
        for height, bit in itertools.product((100.0, -100.0, 1000.0, -1000.0), (0.0, 1.0)):
            yield np.array([[bit]]), np.zeros((1, 1)), np.array([height])
    elif asked == VALUES and (len(x) > 1 or x.size < 4):  # one example alone may be the point
        yield from (case for case in _SMALL if case[0].size < x.size)


def votes_by_hand(x: Array, weight: Array, bias: Array, asked: str = VALUES) -> str:
    """The sums behind the logits of one example of at most three bits."""
    if asked != VALUES or x.size > 3:
        return ""
    sums = [
        " + ".join([f"{bias[i]:g}", *(f"{weight[i, j]:g}·{x[0, j]:g}" for j in range(i))])
        for i in range(len(bias))
    ]
    score = votes(x, weight, bias)[0]
    return "; ".join(f"logit {i + 1} = {s} = {score[i]:g}" for i, s in enumerate(sums))


def price_by_hand(x: Array, weight: Array, bias: Array, asked: str = VALUES) -> str:
    """The surprises of one example of at most three bits, and their sum."""
    if asked != VALUES or x.size > 3:
        return ""
    score = votes(x, weight, bias)[0]
    terms = " + ".join(
        f"[log(1 + e^{s:g}) − {b:g}·{s:g}]" for s, b in zip(score, x[0], strict=True)
    )
    each = " + ".join(f"{v:.4f}" for v in surprise(score, x[0])) + " = " if x.size > 1 else ""
    return f"{terms} = {each}{price(x, weight, bias)[0]:.4f} nats"


_CHANGED = Symptom(
    "masked-in-place",
    "a tensor that was given is another one after the call: operations whose names end in _ and "
    "assignments to weight[...] write into the caller's tensor, so make a new one",
    lambda seen: any(isinstance(o.answer, str) and o.answer == CHANGED for o in seen),
)
_CUT = Symptom(
    "gradient-cut",
    "the answer does not lead back to weight and bias, as after .data, .detach(), .item(), "
    ".numpy() or under no_grad: training needs the way back",
    lambda seen: any(isinstance(o.answer, str) and o.answer == CUT for o in seen),
)
_UNMASKED = Symptom(
    "gradient-unmasked",
    "weights on or above the diagonal are trained, even where they count as zero: they must have "
    "no part in the computation at all",
    lambda seen: (
        not any(o.fails for o in seen if len(o.args) == 3)
        and any(
            isinstance(o.answer, list) and (np.abs(np.triu(o.answer[0])) > 1e-6).any() for o in seen
        )
    ),
    weak=True,
)


# --- logits ---------------------------------------------------------------------------------------

_ABOVE = "you kept the upper triangle: row i, column j is the vote of bit j about bit i, and j < i "
_ABOVE += "lies BELOW the diagonal"
_OF_VOTES = (
    Mistake("includes-diagonal", options={"kept": np.tril},
            advice="the diagonal is still there, so that each bit votes about itself: cut it "
                   "off too"),
    Mistake("not-masked", options={"kept": np.array},
            advice="the whole weight votes, bits that come later too: keep what is below the "
                   "diagonal only, whatever the caller passes above"),
    Mistake("upper-triangle", options={"kept": lambda w: np.triu(w, 1)},
            advice=_ABOVE),
    Mistake("upper-triangle", options={"kept": np.triu},
            advice=_ABOVE),
    Mistake("transposed", options={"turned": True},
            advice="rows and columns have changed places: weight_ij is the vote of bit j about "
                   "bit i"),
    Mistake("diagonal-only-cut", options={"kept": lambda w: w - np.diag(np.diag(w))},
            advice="the diagonal is cut out, and what lies above it still votes: bits that come "
                   "later"),
    Mistake("one-off-too-many", options={"kept": lambda w: np.tril(w, -2)},
            advice="bit i has lost the vote of its neighbor i−1: of row i, all entries left of "
                   "the diagonal count"),
    Mistake("one-off-too-few", options={"kept": lambda w: np.tril(w, 1)},
            advice="the first diagonal above the main one is still there: each bit hears itself "
                   "and the next one"),
    Mistake("votes-forgotten", options={"kept": np.zeros_like},
            advice="only the biases are at work: where are the votes of the bits before?"),
    Mistake("bias-forgotten", options={"added": lambda total, bias, x: total},
            advice="the bias is missing: bit 1 has nothing else"),
    Mistake("bias-subtracted", options={"added": lambda total, bias, x: total - bias},
            advice="the bias is taken away: it is added"),
    Mistake("bits-as-signs",
            "a bit of 0 votes against here, as if bits were −1 and 1: it does not vote at all",
            options={"given": lambda x: 2 * x - 1}),
    Mistake("bias-times-bit", options={"added": lambda total, bias, x: total + bias * x},
            advice="the bias is not a vote: here it is multiplied by x_i, so that each bit sees "
                   "itself; it is added whatever x_i is"),
)  # fmt: skip
_OF_BATCHES = (
    *(
        Mistake("other-thing-masked", options={"kept": np.array, **how},
                advice="the triangle is cut out of another matrix than the weight: tril is for "
                       "(n, n), a weight for each pair of bits, and x or the votes have a row for "
                       "each EXAMPLE")
        for how in (
            {"added": lambda total, bias, x: np.tril(total, -1) + bias},
            {"added": lambda total, bias, x: np.tril(total + bias, -1)},
            {"given": lambda x: np.tril(x, -1)},
        )
    ),
    *(
        Mistake("minus-infinity-for-zero", options={"kept": lambda w, low=low: np.where(
                    np.tril(np.ones_like(w), -1), w, low)},
                advice="masked weights are −∞, or a huge negative number, as before a softmax: "
                       "here a weight that does not count is 0")
        for low in (-1e9, -1e10, -1e4, -np.inf)
    ),
    Mistake("moved-and-cut", options={"given": lambda x: np.roll(x, 1, axis=1) * (
                np.arange(x.shape[1]) > 0)},
            advice="x is moved on by one place, and the triangle is cut off as well: each of the "
                   "two keeps bit i from itself, and together they lose its neighbor"),
    Mistake("moved-with-the-diagonal", options={"kept": np.tril, "given": lambda x: np.roll(
                x, 1, axis=1) * (np.arange(x.shape[1]) > 0)},
            advice="x is moved on by one place and keeps the diagonal: no bit votes about itself, "
                   "and each weight meets the bit before its own. Cut the diagonal off, and leave "
                   "x in its place"),
    Mistake("first-example-for-all", options={"given": lambda x: np.repeat(x[:1], len(x), axis=0)},
            advice="every example gets the votes of the FIRST one: each row of x has its own"),
)  # fmt: skip
_READ = (
    Mistake("first-left-out", options={"read": lambda s: np.where(np.arange(s.shape[1]), s, 0)},
            advice="the first logit is 0 here: nobody votes on bit 1, and it has a bias"),
    Mistake("sigmoid-applied", options={"read": sigmoid},
            advice="these are probabilities: the logit is the vote BEFORE the sigmoid"),
    Mistake("sign", options={"read": np.negative},
            advice="the sign is turned around: a positive vote makes a ONE likelier"),
)  # fmt: skip


def ordinary_models(draw: Draw) -> list[Case]:
    """Models of some bits with a batch, of three and of one bit, and of a dozen."""
    cases = []
    sizes = (draw.integer(4, 6), draw.integer(5, 8)), (3, 1), (1, 2), (draw.integer(9, 14), 3)
    for n, count in sizes:
        cases.append((draw.bits(count, n), *model_of(draw, n)))
    cases[0][0][:, 0] = 1  # or, once in a while, nobody votes at all
    return cases


def votes_of_all(draw: Draw) -> list[Case]:
    """One example, and weights of which each matters, on and above the diagonal too."""
    n = draw.integer(5, 8)
    weight = np.sign(draw.normal(n, n)) * (0.5 + 0.5 * draw.uniform(n, n))
    return [(draw.bits(1, n), weight, 2 * draw.uniform(n) - 1, DEPENDENCIES)]


def models_to_train(draw: Draw) -> list[Case]:
    """Some examples, all ones and all zeros among them, of a model whose gradient is asked."""
    n = draw.integer(3, 5)
    x = draw.bits(7, n)
    x[0], x[1] = 1, 0
    return [(x, *model_of(draw, n), GRADIENTS)]


def rule_of_logits(x: Array, weight: Array, bias: Array, asked: str = VALUES, **wrong: Any) -> Any:
    """What `votes` answers to what is asked."""
    return answer_of(functools.partial(votes, **wrong), asked, x, weight, bias)


def logits_one_by_one(x: Array, weight: Array, bias: Array, asked: str = VALUES) -> Any:
    """The same as `rule_of_logits`, bit after bit."""
    return answer_of(votes_one_by_one, asked, x, weight, bias)


@checks("logits", lesson=LESSON, points=3, see="Exercise 1: all votes at once")
def votes_of_the_bits_before(logits: Standin, draw: Draw) -> Iterator[Claim | Cause]:
    """Every bit is voted on by the bits before it, and by no other."""
    subject = Subject(
        ask=asking(logits, "the logits", each=True),
        rule=rule_of_logits,
        forms=(logits_one_by_one,),
        mistakes=(*_OF_VOTES, *_OF_BATCHES, *_READ),
        symptoms=(_CHANGED, _CUT, _UNMASKED),
        show=show_model,
        told=told,
        by_hand=votes_by_hand,
        smaller=smaller_models,
        alike=close,
    )
    yield from examine(
        subject,
        draw,
        Property(
            "votes",
            "logit i is bias_i + Σ_{j<i} weight_ij x_j",
            ordinary_models,
            points=1,
            asks="the weights below the diagonal, row by row, and the bias",
        ),
        Property(
            "order",
            "no logit sees its own bit or a later one, and each sees all bits before it",
            votes_of_all,
            points=1,
            asks="logit i depends on x_1 … x_i−1, on all of them, and on nothing else",
            typical=False,
        ),
        Property(
            "trains",
            "training reaches the weights below the diagonal and the bias, and nothing is "
            "overwritten",
            models_to_train,
            points=1,
            asks="the gradient of a masked weight is 0, that of the others flows, and the caller's "
            "tensors stay as they are",
            typical=False,
            needs="votes",
        ),
    )


# --- nll ------------------------------------------------------------------------------------------


def in_singles(formula: Callable[[torch.Tensor, torch.Tensor], torch.Tensor]) -> Program:
    """Each bit's price by a formula of tensors, in 32 bits where a logit is beyond ±20."""

    def of(score: Array, x: Array) -> Array:
        exact = formula(torch.tensor(score), torch.tensor(x)).numpy()
        rough = formula(single(score), single(x)).double().numpy()
        return np.where(np.abs(score) < 20, exact, rough)

    return of


def _of_probability(p: torch.Tensor, x: torch.Tensor, small: float = 0.0) -> torch.Tensor:
    return -(x * (p + small).log() + (1 - x) * (1 - p + small).log())


_BEYOND_FLOATS = (
    *(
        Mistake("sigmoid-then-log", options={"of": in_singles(formula)},
                advice="first a sigmoid and then a logarithm loses large logits: σ(100) is "
                       "exactly 1 in 32 bits; stay with logits")
        for formula in (
            lambda s, x: _of_probability(s.sigmoid(), x),
            lambda s, x: -torch.where(x > 0, s.sigmoid(), 1 - s.sigmoid()).log(),
        )
    ),
    *(
        Mistake("exponential-overflows", options={"of": in_singles(formula)},
                advice="e^100 is more than 32 bits hold: log(1 + e^ℓ) must be computed without "
                       "computing e^ℓ")
        for formula in (
            lambda s, x: (1 + s.exp()).log() - x * s,
            lambda s, x: (1 + ((1 - 2 * x) * s).exp()).log(),
        )
    ),
    *(
        Mistake("surprise-clipped", options={"of": of},
                advice="large surprises come out too small: an ε inside the log, a clamp, or "
                       "F.binary_cross_entropy (which stops at 100) hides what a mistake costs")
        for of in (
            in_singles(lambda s, x: F.binary_cross_entropy(s.sigmoid(), x, reduction="none")),
            *(
                lambda s, x, most=most: surprise(np.clip(s, -most, most), x)
                for most in (10.0, 15.0, 20.0, 30.0, 50.0, 80.0, 88.0, 100.0, 500.0)
            ),
            *(
                in_singles(lambda s, x, e=e: _of_probability(s.sigmoid(), x, e))
                for e in (1e-4, *SMALL[:11])
            ),
            *(
                in_singles(lambda s, x, e=e: _of_probability(s.sigmoid().clamp(e, 1 - e), x))
                for e in (1e-4, *SMALL[:11])
            ),
        )
    ),
)  # fmt: skip


def _only_large_fail(seen: Sequence[Observation]) -> list[Observation]:
    """The failing answers, if all of them are of large logits and have the right shape."""
    failed = [o for o in seen if o.fails]
    large = all(np.abs(o.args[2]).max() >= 30 for o in failed)
    return failed if large and all(o.answer.shape == o.right.shape for o in failed) else []


_NOT_FINITE = Symptom(
    "sigmoid-then-log",
    "at large logits your answer is no finite number: σ(100) is exactly 1 in 32 bits, and e^100 is "
    "more than they hold, so neither may stand inside a logarithm by itself",
    lambda seen: any(not np.isfinite(o.answer).all() for o in _only_large_fail(seen)),
)
_TOO_SMALL = Symptom(
    "surprise-clipped",
    "large surprises come out too small, as after a clamp or with an ε inside the logarithm, and "
    "hide what a mistake costs",
    lambda seen: (
        bool(failed := _only_large_fail(seen))
        and all((o.answer <= o.right * (1 + 1e-4) + 1e-4).all() for o in failed)
    ),
)
_SEES_ITSELF = tuple(
    Mistake(
        "sees-itself",
        "the logits behind this nll see the bit that they predict: look at `logits` first",
        options={"kept": kept},
    )
    for kept in (np.tril, np.array)
)
_OTHER_VOTES = tuple(
    one for one in _OF_VOTES if one.name not in ("includes-diagonal", "not-masked")
)
_OF_PRICES = (
    *(
        Mistake("summed-over-batch", options={"over": over},
                advice="you sum over the examples: each example has a price of its own, the sum "
                       "over its bits")
        for over in (np.sum, lambda each: each.sum(axis=0))
    ),
    *(
        Mistake("averaged-over-batch", options={"over": over},
                advice="you average over the examples: nll has shape (B,), one number for each "
                       "example")
        for over in (lambda each: each.sum(axis=1).mean(), lambda each: each.mean(axis=0))
    ),
    Mistake("averaged-over-batch", options={"over": np.mean},
            advice="you average over all bits of all examples: nll has shape (B,), one number for "
                   "each example, the SUM over its bits"),
    Mistake("averaged-over-bits", options={"over": lambda each: each.mean(axis=1)},
            advice="you average over the n bits: −log p(x) is their SUM, or p is no probability"),
    Mistake("axis-kept", options={"over": lambda each: each.sum(axis=1, keepdims=True)},
            advice="the numbers stand in a column, (B, 1): asked is (B,), so leave keepdim out"),
    Mistake("axis-squeezed", options={"then": np.squeeze},
            advice="for ONE example the answer has no axis any more: it is asked as (1,), and "
                   "squeeze takes that axis away too"),
    *(
        Mistake("factor-forgotten", options={"over": lambda each, part=part:
                    each[:, part].sum(axis=1)},
                advice=f"the {which} factor is missing: all n bits have their price")
        for which, part in (("last", slice(-1)), ("first", slice(1, None)))
    ),
    Mistake("bits-shifted", options={"of": lambda s, x: surprise(s[:, :-1], x[:, 1:])},
            advice="logit i is compared with bit i + 1: in an FVSBN logit i belongs to bit i, for "
                   "the triangle has moved it already"),
    Mistake("not-summed", options={"over": np.array},
            advice="one number for each bit: the chain rule adds them up"),
    Mistake("sign", options={"then": np.negative},
            advice="this is log p(x), which is negative: the nll is minus that"),
    Mistake("bits-for-nats", options={"then": lambda nats: nats / np.log(2)},
            advice="these are bits: the course counts in nats, natural logarithms"),
    Mistake("log-forgotten", options={"then": lambda nats: np.exp(-nats)},
            advice="this is p(x) itself: −log p(x) is asked"),
    Mistake("perplexity", options={"then": np.exp},
            advice="this is 1/p(x), the exponential of the nll: the nll itself is asked"),
    Mistake("squared-error", options={"of": lambda s, x: (x - sigmoid(s)) ** 2},
            advice="these are squared errors of the probabilities: a surprise is −log p"),
    Mistake("softmax-over-bits",
            "the bits of an example share one probability here, as after a softmax: each bit has a "
            "coin of its own",
            options={"of": lambda s, x: -x * (s - np.logaddexp.reduce(s, axis=1, keepdims=True))}),
    Mistake("bits-inverted", options={"read": np.negative},
            advice="each bit is priced as if it were the other one, as with log|x − p|: a bit "
                   "that is 1 has probability σ(logit), a bit that is 0 has 1 − σ(logit)"),
    Mistake("zeros-forgotten", options={"of": lambda s, x: x * softplus(-s)},
            advice="only the ones are counted: a white pixel was a surprise too, −log(1 − "
                   "σ(logit))"),
    *(
        Mistake("bits-unread", options={"of": of},
                advice=f"every bit is priced as a {bit} here, whatever x says: which of the two "
                       "surprises a bit costs depends on the bit")
        for bit, of in (("one", lambda s, x: softplus(-s)), ("zero", lambda s, x: softplus(s)))
    ),
    Mistake("ones-forgotten", options={"of": lambda s, x: (1 - x) * softplus(s)},
            advice="only the zeros are counted: a black pixel was a surprise too, −log σ(logit)"),
    *(
        Mistake("counted-twice",
                f"a {bit} costs twice its surprise here: both kinds of bits have the weight 1",
                options={"of": lambda s, x, bit=bit: surprise(s, x) * np.where(x == bit, 2, 1)})
        for bit in (1, 0)
    ),
    Mistake("logits-for-bits", options={"of": lambda s, x: surprise(x, s)},
            advice="bits and logits have changed places"),
    Mistake("sigmoid-twice", options={"read": sigmoid},
            advice="a sigmoid was taken already where the formula takes logits"),
    Mistake("uniform", options={"of": lambda s, x: np.full(s.shape, np.log(2))},
            advice="all vectors are equally likely, which sums to 1 for free: where is the "
                   "model?"),
)  # fmt: skip


def rule_of_nll(x: Array, weight: Array, bias: Array, asked: str = VALUES, **wrong: Any) -> Any:
    """What `price` answers to what is asked."""
    return answer_of(functools.partial(price, **wrong), asked, x, weight, bias)


def nll_by_probabilities(x: Array, weight: Array, bias: Array, asked: str = VALUES) -> Any:
    """The same as `rule_of_nll`, from the probabilities of ones."""
    return answer_of(price_by_probabilities, asked, x, weight, bias)


def ordinary_prices(draw: Draw) -> list[Case]:
    """A batch under a model of some bits, both bits of a model of one, and a batch of one."""
    n, count = draw.integer(4, 7), draw.integer(9, 12)
    alone = np.array([[1.0], [0.0]]), np.ones((1, 1)), np.array([0.7])
    single_one = draw.bits(1, n), *model_of(draw, n)
    return [(draw.bits(count, n), *model_of(draw, n)), alone, single_one]


def large_logits(draw: Draw) -> list[Case]:
    """Logits of ±100, ±300 and ±1000, and bits that go against them, and large logits alone.

    At 30 a sigmoid is 1 in 32 bits, and e^30 is a number yet.
    """
    heights = np.array([100.0, -100.0, 300.0, -300.0, 1000.0, -1000.0])
    x = np.concatenate([np.ones((1, 6)), np.zeros((1, 6)), draw.bits(6, 6)])
    alone = [
        (np.array([[0.0], [1.0]]), np.zeros((1, 1)), np.array([h]))
        for h in (300.0, -300.0, 30.0, -30.0)
    ]
    return [(x, np.zeros((6, 6)), heights), *alone]


@checks("nll", lesson=LESSON, points=3, see="Exercise 2: the price of a picture")
def the_price_of_an_example(nll: Standin, draw: Draw) -> Iterator[Claim | Cause]:
    """The surprises of all bits add up to the negative log-likelihood."""
    subject = Subject(
        ask=asking(nll, "nll", each=False),
        rule=rule_of_nll,
        forms=(nll_by_probabilities,),
        mistakes=(*_OF_PRICES, *_SEES_ITSELF, *_OTHER_VOTES, *_BEYOND_FLOATS),
        symptoms=(_CHANGED, _CUT, _UNMASKED, _NOT_FINITE, _TOO_SMALL),
        show=show_model,
        told=told,
        by_hand=price_by_hand,
        smaller=smaller_models,
        alike=close,
    )
    yield from examine(
        subject,
        draw,
        Property(
            "sum",
            "nll is the sum of −log p(x_i | x_<i) over the n bits, one number for each example",
            ordinary_prices,
            points=1,
            asks="log(1 + e^ℓ) − x·ℓ for a bit x with the logit ℓ, summed over an example's bits",
        ),
        Property(
            "large",
            "large logits cost what they cost: finite, and exact",
            large_logits,
            points=1,
            asks="a bit against a logit of 100 costs 100 nats, neither ∞ nor less",
            typical=False,
            needs="sum",
        ),
        Property(
            "one",
            "the probabilities of all 256 vectors of 8 bits sum to 1",
            lambda d: [(all_bits(8), *within(12.0, *model_of(d, 8, scale=2.0)), TOTAL)],
            points=0.5,
            asks="Σ_x exp(−nll(x)) = 1 for any weights: then it is a distribution",
            typical=False,
        ),
        Property(
            "trains",
            "the gradient of nll trains all weights below the diagonal, and no other",
            models_to_train,
            points=0.5,
            asks="the gradient of a surprise is (σ(logit) − x) on the logit, and from there on the "
            "weights that vote",
            typical=False,
            needs="sum",
        ),
    )


# --- samples --------------------------------------------------------------------------------------


def ancestral(
    weight: Array,
    bias: Array,
    prefix: Sequence[float] = (),
    *,
    chance: Program | None = None,
    **wrong: Any,
) -> Array:
    """p(rest | prefix) of the 2^(n−k) endings. Each option, here or of `votes`, turns one wrong."""
    endings = all_bits(len(bias) - len(prefix))
    score = votes(after(prefix, endings), weight, bias, **wrong)[:, len(prefix) :]
    p = sigmoid(score) if chance is None else chance(score)
    return np.where(endings == 1, p, 1 - p).prod(axis=1)


def after(prefix: Sequence[float], endings: Array) -> Array:
    """Whole vectors: the prefix, and one of the endings (K, n−k) in each row."""
    return np.concatenate([np.tile(prefix, (len(endings), 1)), endings], axis=1)


REST, BEGINNING = "rest", "beginning"  # what of an example is counted
NOTHING = np.zeros((1, 0))  # what `sample` goes on from


def completed(weight: Array, bias: Array, prefixes: Array, of: str = REST, **wrong: Any) -> Array:
    """The laws (G, …) of the rests, or beginnings, of examples with the prefixes (G, k)."""
    if of == BEGINNING:
        return np.stack([frequencies(prefix[None]) for prefix in prefixes])
    return np.stack([ancestral(weight, bias, prefix, **wrong) for prefix in prefixes])


def completing(rest: Program, begun: Program | None = None) -> Program:
    """A program like `completed`, of what a model and one prefix give for rest and beginning."""

    def laws(weight: Array, bias: Array, prefixes: Array, of: str = REST) -> Any:
        if of == BEGINNING and begun is None:
            return completed(weight, bias, prefixes, of)
        found = [(begun if of == BEGINNING else rest)(weight, bias, p) for p in prefixes]
        return found[0] if isinstance(found[0], list) else np.stack(found)

    return laws


def one_pass(weight: Array, bias: Array, prefix: Array, noise: bool = False) -> Array:
    """The law of the endings when all bits come from one pass over zeros, or over fair coins."""
    x = after(prefix, all_bits(len(bias) - len(prefix)))
    p = sigmoid(votes(x, weight, bias))[:, len(prefix) :]
    return np.mean([coins(row) for row in p], axis=0) if noise else coins(p[0])


def by_means(weight: Array, bias: Array, prefix: Array) -> Array:
    """The missing "bits" when probabilities, not bits, are written into x."""
    x = after(prefix, np.zeros((1, len(bias) - len(prefix))))
    for i in range(len(prefix), len(bias)):
        x[:, i] = sigmoid(votes(x, weight, bias)[:, i])
    return x[0, len(prefix) :]


def redrawn(weight: Array, bias: Array, prefix: Array) -> Array:
    """The law of samples when each of the n steps draws all bits anew, given the last picture."""
    every = all_bits(len(bias))
    score = votes(every, weight, bias)
    step = np.exp(-surprise(score[:, None], every[None]).sum(-1))  # from, to
    return np.linalg.matrix_power(step, len(bias))[0]


def one_uniform(weight: Array, bias: Array, prefix: Array) -> Array:
    """The law of the endings when one uniform number serves all steps of an example."""
    grid = (np.arange(4_000) + 0.5) / 4_000
    x = after(prefix, np.zeros((len(grid), len(bias) - len(prefix))))
    for i in range(len(prefix), len(bias)):
        x[:, i] = grid < sigmoid(votes(x, weight, bias)[:, i])
    return frequencies(x[:, len(prefix) :])


def column_before(weight: Array, bias: Array, prefix: Array) -> Array:
    """The law of the endings when each bit is drawn from the logit of the bit before it."""
    endings = all_bits(len(bias) - len(prefix))
    score = np.roll(votes(after(prefix, endings), weight, bias), 1, axis=1)
    score[:, 0] = bias[-1]  # with nothing drawn yet
    p = sigmoid(score[:, len(prefix) :])
    return np.where(endings == 1, p, 1 - p).prod(axis=1)


def first_at_zero(weight: Array, bias: Array, prefix: Array) -> Array:
    """The law of the endings when their first bit stays 0."""
    law = ancestral(weight, bias, [*prefix, 0.0])
    return np.append(law, 0 * law)


def last_at_zero(weight: Array, bias: Array, prefix: Array) -> Array:
    """The law of the endings when their last bit stays 0."""
    law = ancestral(weight, bias, prefix).reshape(-1, 2).sum(axis=1)
    return np.stack([law, 0 * law], axis=1).reshape(-1)


def after_zeros(weight: Array, bias: Array, prefix: Array) -> Array:
    """The law of the endings when the first k bits are taken for zeros."""
    return ancestral(weight, bias, 0 * prefix)


def of_samples(axis: int) -> Program:
    """The law of the first k bits (axis 1) of whole samples, or of what comes after (axis 0)."""
    return lambda w, b, p: ancestral(w, b).reshape(2 ** len(p), -1).sum(axis=axis)


def prefix_last(axis: int) -> Program:
    """The law of the first k bits (axis 1) or of the rest, the prefix being in the last columns."""

    def law(weight: Array, bias: Array, prefix: Array) -> Array:
        drawn = ancestral(weight, bias).reshape(-1, 2 ** len(prefix)).sum(axis=1)
        whole = np.outer(drawn, frequencies(prefix[None]))
        return whole.reshape(2 ** len(prefix), -1).sum(axis=axis)

    return law


def last_redrawn(weight: Array, bias: Array, prefix: Array) -> Array:
    """The law of the first k bits when the last one of them is drawn again."""
    law = ancestral(weight, bias, prefix[:-1]).reshape(2, -1).sum(axis=1)
    return (frequencies(prefix[None, :-1])[:, None] * law).reshape(-1)


_MEANS = "x holds probabilities where bits belong: draw a bit, and write it down before the next "
_MEANS += "step"
_OF_DRAWS = (
    Mistake("one-pass", "every missing bit is drawn as if all missing ones before it were 0 (one "
            "pass for all, an order from the last to the first, or no votes at all): each must "
            "hear what was drawn before it", gives=completing(one_pass)),
    Mistake("probabilities-in-prefix", _MEANS,
            gives=completing(lambda w, b, p: coins(by_means(w, b, p)))),
    Mistake("probabilities-for-bits", _MEANS,
            gives=completing(lambda w, b, p: [by_means(w, b, p)])),
    Mistake("noise-reused", "one uniform number serves all steps of an example: draw a new one "
            "each time", gives=completing(one_uniform)),
    Mistake("bits-inverted", "ones and zeros have changed places: a bit is 1 with probability "
            "σ(logit)", options={"chance": lambda score: sigmoid(-score)}),
    Mistake("fair-coins", "these are fair coins: where is the model?",
            options={"chance": lambda score: np.full(score.shape, 0.5)}),
    Mistake("rounded-for-drawn", "each bit is the likelier one: it is drawn with its probability, "
            "and not rounded", options={"chance": lambda score: (score > 0).astype(float)}),
    Mistake("logit-for-probability", "a logit is no probability: take its sigmoid before you draw",
            options={"chance": lambda score: np.clip(score, 0, 1)}),
    Mistake("starts-too-late", "the first missing bit is never drawn: k bits are given (none to a "
            "sample), so the next is column k, counted from 0", gives=completing(first_at_zero)),
    Mistake("column-before", "each bit is drawn from the logit of the bit before it: logit i is in "
            "column i", gives=completing(column_before)),
    Mistake("nothing-drawn", "what is missing stays 0 in all examples: it is to be drawn",
            gives=completing(lambda w, b, p: frequencies(np.zeros((1, len(b) - len(p)))))),
    Mistake("ends-too-early", "the last bit is never drawn: the last column is n − 1",
            gives=completing(last_at_zero)),
)  # fmt: skip
_OF_SAMPLES = (
    *_OF_DRAWS,
    Mistake("one-pass", "all bits come from one pass over random bits that are then thrown away: "
            "each must hear the bits that were just drawn before it",
            gives=completing(lambda w, b, p: one_pass(w, b, p, noise=True))),
    Mistake("prefix-overwritten", "every step draws all bits anew, so that a bit no longer fits "
            "what was drawn after it: what is drawn once must stay", gives=completing(redrawn)),
)  # fmt: skip
_OF_ENDINGS = (
    *_OF_DRAWS,
    Mistake("sampled-then-pasted", "the rest does not know the prefix: these are samples of the "
            "whole, over which the prefix was pasted; it must be there BEFORE the first step",
            gives=completing(of_samples(0))),
    Mistake("prefix-overwritten", "your loop draws over the prefix: it starts where the prefix "
            "ends", gives=completing(of_samples(0), of_samples(1))),
    Mistake("prefix-unheard", "the rest is drawn as if the prefix were all zeros: it must be there "
            "before the first step", gives=completing(after_zeros)),
    Mistake("prefix-misplaced", "the first k columns are zeros, and the rest is drawn as if they "
            "had been given: the prefix belongs into the first k columns, before the first step",
            gives=completing(after_zeros, lambda w, b, p: frequencies(0 * p[None]))),
    Mistake("starts-too-early", "the last given bit is drawn again: k bits are given, so the first "
            "one to draw is column k, counted from 0", gives=completing(
                lambda w, b, p: ancestral(w, b, p[:-1]).reshape(2, -1).sum(axis=0), last_redrawn)),
    Mistake("prefix-at-the-end", "the given bits stand in the last columns, and those before them "
            "were drawn: what is given comes first, in columns 0 … k−1",
            gives=completing(prefix_last(0), prefix_last(1))),
    Mistake("prefix-reversed", "the given bits stand in the reverse order: bit j of the prefix is "
            "bit j of the answer", gives=lambda w, b, prefixes, of=REST: completed(
                w, b, prefixes[:, ::-1], of)),
    Mistake("first-row-for-all", "all examples go on from the first one's beginning: each row of "
            "prefix has its own", gives=lambda w, b, prefixes, of=REST: completed(
                w, b, prefixes[[0] * len(prefixes)], of)),
)  # fmt: skip


def laws_of(mistakes: Sequence[Mistake], *case: Any) -> list[list[Array]]:
    """The right laws of rests and beginnings, and those of all mistakes that give bits."""
    programs: list[Callable[..., Any] | None] = [completed]
    programs += [program_of(completed, [one]) for one in mistakes]
    laws = [[program(*case, of) for of in (REST, BEGINNING)] for program in programs if program]
    return [both for both in laws if isinstance(both[0], Array)]


def case_apart(draw: Draw, n: int, prefixes: Array, of: str, mistakes: Sequence[Mistake]) -> Case:
    """A model under which the rests have laws far from one another, whatever the mistake."""
    best, found = -1.0, None
    for _ in range(60):
        case = (*model_of(draw, n, scale=2.5), prefixes)
        gap = apart(laws_of(mistakes, *case))
        if gap > best:
            best, found = gap, (*case, of)
        if best > 0.2:
            break
    return found


def empty_case(draw: Draw) -> Case:
    """A model of three bits to sample from."""
    return case_apart(draw, 3, NOTHING, REST, _OF_SAMPLES)


def begun_case(draw: Draw, of: str) -> Case:
    """A model of five bits, and two beginnings of two bits each, none of them zeros."""
    prefixes = np.array([[0.0, 1], [1, 0], [1, 1]])[draw.permutation(3)[:2]]
    return case_apart(draw, 5, prefixes, of, _OF_ENDINGS)


def show_drawn(weight: Array, bias: Array, prefixes: Array, of: str) -> str:
    """A case in words."""
    given = " and ".join("".join(f"{b:.0f}" for b in prefix) for prefix in prefixes if len(prefix))
    model = f"b = {shown(bias)}" if len(bias) < 3 else f"a model of {len(bias)} bits"
    model += f", W_21 = {weight[1, 0]:g}" if len(bias) == 2 else ""
    return f"{DRAWS:,} examples{' after ' if given else ''}{given}, {model}"


def chances_by_hand(weight: Array, bias: Array, prefixes: Array, of: str) -> str:
    """The probabilities of the steps that a model of at most two bits draws."""
    if of == BEGINNING:
        begun = ("".join(f"{b:.0f}" for b in prefix) for prefix in prefixes)
        return f"every example begins with what is given: {' and '.join(begun)}"
    if len(bias) > 2:
        return ""
    steps = [] if len(prefixes[0]) else [f"p(x_1 = 1) = σ({bias[0]:g}) = {sigmoid(bias[0]):.3f}"]
    for bit in (0, 1) if len(bias) > 1 else ():
        p, terms = sigmoid(bias[1] + weight[1, 0] * bit), f"{bias[1]:g} + {weight[1, 0]:g}·{bit}"
        steps.append(f"p(x_2 = 1 | x_1 = {bit}) = σ({terms}) = {p:.3f}")
    return "; ".join(steps)


def smaller_draws(weight: Array, bias: Array, prefixes: Array, of: str) -> Iterator[Case]:
    """Models of one bit and of two, with at most one given."""
    two = np.array([[0.0, 0.0], [2.0, 0.0]]), np.array([0.0, -1.0])
    if prefixes.shape[1] == 0 and len(bias) > 1:
        yield np.zeros((1, 1)), np.array([1.0]), NOTHING, of
    if len(bias) > 2:
        yield *two, np.array([[1.0], [0.0]])[:, : prefixes.shape[1]][: len(prefixes)], of


def copying(draw: Draw, n: int, near: int = 1) -> tuple[Array, Array, Array, Array]:
    """A model whose bit i copies an earlier bit `parent[i]`, or turns it around where `turns[i]`.

    Bit `near` copies the one just before it.
    Logits are ±30 after the first bit: a bit goes astray with a probability below 1e-13. On and
    above the diagonal stand heavy weights which must not matter.
    """
    turns = draw.rng.integers(0, 2, size=n)
    parent = np.array([0, *(draw.integer(0, i - 1) for i in range(1, n))])
    parent[near] = near - 1
    weight = np.triu(draw.normal(n, n, scale=200.0))
    bias = np.where(turns == 1, 30.0, -30.0)
    bias[0] = 0.0
    weight[np.arange(1, n), parent[1:]] = np.where(turns[1:] == 1, -60.0, 60.0)
    return weight, bias, parent, turns


def follows(x: Array, parent: Array, turns: Array, begin: int = 1) -> Array:
    """Which rows of x obey the copying model from bit `begin` (counted from 0) on."""
    wanted = np.logical_xor(x[:, parent[begin:]] == 1, turns[begin:] == 1)
    return ((x[:, begin:] == 1) == wanted).all(1)


def subject_of_draws(
    ask: Program, mistakes: Sequence[Mistake], begin: Callable[..., Array]
) -> Subject:
    """What is asked of a sampler: how often its answers come.

    `begin(prefixes, weight, bias)` calls it, and gives the whole examples.
    """

    def one_row(seen: Sequence[Observation]) -> bool:
        weight, bias, prefixes, of = next(o for o in seen if o.fails).args
        return of == REST and of_the_first_row(
            lambda: begin(prefixes.repeat(DRAWS // len(prefixes), axis=0), weight, bias),
            lambda x: sigmoid(votes(x, weight, bias)),
            prefixes.shape[1],
        )

    # Whole samples without votes are those of one pass over zeros.
    of_votes = (m for m in _OF_VOTES if m.name != "votes-forgotten" or mistakes is not _OF_SAMPLES)
    return Subject(
        ask=ask,
        rule=completed,
        mistakes=(*mistakes, *of_votes),
        symptoms=(SAME_FOR_ALL, NO_BITS, Symptom(ONE_ROW, ONE_ROW_ADVICE, one_row)),
        show=show_drawn,
        told=told_shares,
        by_hand=chances_by_hand,
        smaller=smaller_draws,
        alike=as_often,
    )


HEARD = "samples that change with the weights and biases"
_VARIED = "a first bit that is 0 in some examples and 1 in others"


@checks("sample", lesson=LESSON, points=4, see="Exercise 3: from votes to pictures")
def bits_drawn_one_after_the_other(sample: Standin, draw: Draw) -> Iterator[Claim | Cause]:
    """Ancestral sampling: each bit from its conditional, given the bits just drawn."""

    def take(weight: Array, bias: Array, count: int, generator: Any) -> Array:
        answer = sample(single(weight), single(bias), count, generator)
        x = expect_array(answer, (count, len(bias)), "any", "the samples")
        return x.astype(np.float64)

    def ask(weight: Array, bias: Array, prefixes: Array, of: str) -> Any:
        found = tallied(
            take(weight, bias, DRAWS, draw.generator()),
            lambda: take(weight, bias, 2, draw.generator()),
        )
        return found[None] if isinstance(found, Array) else found

    often = Property(
        "often",
        "samples come as often as the model says",
        lambda d: [empty_case(d) for _ in range(2)],  # first rows of zeros alone would be rare
        points=1,
        asks="bit i drawn with the probability σ(logit i), given the bits drawn before it",
    )

    def begin(prefixes: Array, weight: Array, bias: Array) -> Array:
        return take(weight, bias, len(prefixes), draw.generator())

    right = yield from examine(subject_of_draws(ask, _OF_SAMPLES, begin), draw, often)

    def several(weight: Array, bias: Array, generator: Any) -> Array:
        """Of several calls, since one call might draw one example for all."""
        return np.stack([take(weight, bias, 8, generator) for _ in range(6)])

    weight, bias = model_of(draw, 5)
    heard = looks_at(lambda b, g: several(weight, b, g), bias, -bias - 1, draw.apart())
    unheard = waits_unless(heard, HEARD)
    even = model_of(draw, 5, scale=0.2)  # no bit is nearly certain, whatever is done with a logit
    source = claim_of_the_generator(lambda g: several(*even, g), draw, 1, unheard)
    yield claim_of_independence(
        lambda: take(*even, DRAWS, draw.generator()),
        ancestral(*even),
        right,
        source,
        few=lambda count: take(*even, count, draw.generator()),
    )

    n = draw.integer(12, 18)
    weight, bias, parent, turns = copying(draw, n)
    x = take(weight, bias, 64, draw.generator())
    obey = follows(x, parent, turns)
    is_bits = bool(np.isin(x, (0, 1)).all())
    both = 0 < x[:, 0].sum() < 64  # fails in one of 2^63 draws
    yield claim(
        "where bits copy earlier ones, so do the samples, whatever the first bit is",
        is_bits and obey.all() and both,
        points=1,
        # One first bit for all obeys, too: that it is drawn is judged above.
        waits=waits_unless(right or both or not (is_bits and obey.all()), _VARIED),
        saw=f"{(~obey).sum()} of 64 examples in which a bit does not fit the earlier one that it "
        "copies"
        if not obey.all()
        else "values other than 0 and 1"
        if not is_bits
        else f"a first bit that is {x[0, 0]:.0f} in all 64 examples, where it is a fair coin",
        asks=f"a model in which each of {n} bits copies an earlier one, or turns it around, makes "
        "such examples only, of either first bit",
        advice="three bits come as often as they should: what is different with more of them?"
        if right
        else "",
    )

    weight, bias = model_of(draw, 5)
    few = [take(*model_of(draw, 1), 5, draw.generator()), take(weight, bias, 1, draw.generator())]
    raw = sample(single(weight), single(bias), 3, draw.generator())
    raw = expect_array(raw, (3, 5), "any", "the samples")
    floats, bits = raw.dtype.kind == "f", all(np.isin(x, (0, 1)).all() for x in (raw, *few))
    yield claim(
        "the answer holds bits as floats, (count, n), for any count and n",
        floats and bits,
        points=0.5,
        saw=f"an answer of kind {raw.dtype}" if not floats else "values other than 0 and 1",
        asks="floats 0. and 1., so that samples can be given back to logits",
        waits=unheard,
        advice=[
            when(
                not floats,
                "bits-not-floats",
                "logits multiplies its bits: return floats, as the data have them",
            ),
            "zeros and ones, one row an example",
        ],
    )
    yield source


# --- complete -------------------------------------------------------------------------------------


def kept_exactly(a: Any, b: Any) -> bool:
    """As `as_often`, and what has probability 0 never comes."""
    return as_often(a, b) and not (isinstance(b, Array) and a[b == 0].any())


@checks("complete", lesson=LESSON, points=3, see="Exercise 4: finish what somebody began")
def endings_of_a_beginning(complete: Standin, draw: Draw) -> Iterator[Claim | Cause]:
    """What is given stays, and the rest is drawn from its distribution given that."""

    def take(prefix: Array, weight: Array, bias: Array, generator: Any) -> Any:
        answer = complete(single(prefix), single(weight), single(bias), generator)
        x = expect_array(answer, (len(prefix), len(bias)), "any", "the completed examples")
        return x.astype(np.float64)

    def ask(weight: Array, bias: Array, prefixes: Array, of: str) -> Any:
        k = prefixes.shape[1]

        def part(rows: Array) -> Array:
            x = take(rows, weight, bias, draw.generator())
            return x[:, :k] if of == BEGINNING else x[:, k:]

        groups = np.split(part(prefixes.repeat(DRAWS, axis=0)), len(prefixes))
        found = [
            frequencies(x)
            if of == BEGINNING and np.isin(x, (0, 1)).all()
            else tallied(x, lambda p=p: part(np.stack([p, p])))
            for x, p in zip(groups, prefixes, strict=True)
        ]
        odd = [answer for answer in found if not isinstance(answer, Array)]
        return odd[0] if odd else np.stack(found)

    weight, bias = model_of(draw, 5)
    some = draw.bits(99, 2)
    heard = looks_at(lambda b, g: take(some, weight, b, g), bias, -bias - 1, draw.apart())
    unheard = waits_unless(heard, HEARD)
    right = False
    properties = (
        Property(
            "kept",
            "the given bits stay as they are",
            lambda d: [begun_case(d, BEGINNING)],
            points=0.5,
            asks="the first k columns of the answer are the prefix",
            typical=False,
            alike=kept_exactly,
        ),
        Property(
            "rest",
            "the rest is drawn from p(rest | prefix)",
            lambda d: [begun_case(d, REST)],
            points=0.5,
            asks="each missing bit drawn with σ(logit), given the prefix and the bits drawn before "
            "it",
        ),
    )

    def begin(prefixes: Array, weight: Array, bias: Array) -> Array:
        return take(prefixes, weight, bias, draw.generator())

    for one in examine(subject_of_draws(ask, _OF_ENDINGS, begin), draw, *properties):
        if isinstance(one, Claim) and one.id == "rest":
            right = one.holds
        if isinstance(one, Claim) and one.id == "kept" and one.holds and unheard:
            one = waiting(one.text, unheard, points=one.points, id=one.id)  # padding keeps it, too
        yield one
    even, given = model_of(draw, 5, scale=0.2), draw.bits(1, 2)  # no bit is nearly certain
    source = _claim_on_randomness(complete, take, draw, unheard)
    yield claim_of_independence(
        lambda: take(given[[0] * DRAWS], *even, draw.generator())[:, 2:],
        ancestral(*even, given[0]),
        right,
        source,
        few=lambda count: take(given[[0] * count], *even, draw.generator())[:, 2:],
    )
    yield _claim_on_any_length(take, draw, right)
    yield source


def _claim_on_any_length(take: Program, draw: Draw, right: bool) -> Claim:
    n, k = draw.integer(10, 14), draw.integer(3, 6)
    weight, bias, parent, turns = copying(draw, n, near=k)
    begun = draw.bits(24, k)
    begun[0], begun[1] = 0, 1
    x = take(begun, weight, bias, draw.generator())
    own = follows(np.concatenate([begun, x[:, k:]], axis=1), parent, turns, begin=k)
    whole = np.zeros((2, n))
    whole[1, 0] = 1
    for i in range(1, n):
        whole[:, i] = np.logical_xor(whole[:, parent[i]] == 1, turns[i] == 1)
    whole[:, -1] = 1 - whole[:, -1]  # as no draw would give it
    full = take(whole, weight, bias, draw.generator())
    empty = take(np.zeros((64, 0)), weight, bias, draw.generator())
    drawn, both = bool(follows(empty, parent, turns).all()), 0 < empty[:, 0].sum() < 64
    fit = bool(own.all() and (full == whole).all() and drawn)
    return claim(
        "every example goes on from its own beginning, of any length from 0 to n",
        fit and both,
        points=0.5,
        saw=f"{(~own).sum()} of {len(x)} examples that do not go on from their own beginning"
        if not own.all()
        else "a complete example that was changed"
        if not (full == whole).all()
        else "examples after an empty prefix in which a bit does not fit the earlier one"
        if not drawn
        else f"a first bit that is {empty[0, 0]:.0f} in all 64 examples after an empty prefix, "
        "where it is a fair coin",
        asks="rows do not mix; with k = n nothing is drawn, with k = 0 all is",
        waits=waits_unless(right or both or not fit, _VARIED),
        advice="two given bits and three drawn ones are as they should be: what is different with "
        "other numbers of them?"
        if right
        else "",
    )


def _claim_on_randomness(complete: Standin, take: Program, draw: Draw, unheard: str) -> Claim:
    weight, bias = model_of(draw, 6, scale=0.2)  # no bit is nearly certain
    given = draw.bits(30, 2)
    args = single(given), single(weight), single(bias), draw.generator()
    untouched = keeps_its_arguments(complete, *args) is True
    found = claim_of_the_generator(lambda g: take(given, weight, bias, g), draw, 1)
    return claim(
        "randomness comes from the given generator, and the caller's prefix is left alone",
        found.holds and untouched,
        points=1,
        saw=found.saw if not found.holds else "an argument that is changed by the call",
        asks=found.asks + ", and all arguments stay as they were",
        waits=unheard,
        advice=[
            when(found.misconception, found.misconception, found.advice),
            when(
                not untouched,
                "prefix-changed",
                "a tensor that you were given is another one after the call: the caller may still "
                "need it",
            ),
            found.advice,
        ],
    )
