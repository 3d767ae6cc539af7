"""Checks of lesson 11, temperature: what is done with a distribution over the next token.

Notation: z are logits (…, V), p probabilities (…, V); texts are int64 (…, n); all logs are natural
unless a name says bits. Top-k is that of Fan, Lewis and Dauphin (2018), top-p that of Holtzman,
Buys, Du, Forbes and Choi (2020); ties go to the lowest index.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import torch

from autograder import claim, expect_array, when
from autograder.checking import checks
from autograder.checks.witness import looks_at, waits_unless
from autograder.claims import Advice, Claim
from autograder.draw import Draw
from autograder.inside import call_and_keep
from autograder.inside.temperature import Step, begin_search, drifted
from autograder.remote.callbacks import answered, whole_numbers
from autograder.remote.proxy import Standin, StudentFailed, WrongKind, exception_of

LESSON = "11_temperature"

Rule = Callable[..., np.ndarray]


# --- small things ---------------------------------------------------------------------------------


def tensor(array: Any) -> torch.Tensor:
    """The array as a tensor of its own, in single precision, as a notebook has its models."""
    return torch.tensor(np.asarray(array)).to(torch.float32)


def close(a: Any, b: Any, tolerance: float = 5e-5) -> bool:
    """Equal in shape, and in value up to `tolerance` (absolute, and relative to b)."""
    a, b = np.asarray(a, dtype=float), np.asarray(b, dtype=float)
    return a.shape == b.shape and np.allclose(a, b, rtol=tolerance, atol=tolerance)


def fitting(got: Sequence[Any], cases: Sequence[tuple], rules: dict[str, Rule]) -> str:
    """The first name in `rules` whose rule gives what was got, in all cases; "" if none does."""
    for name, rule in rules.items():
        with np.errstate(all="ignore"):
            if all(_equal(g, rule(*case)) for g, case in zip(got, cases, strict=True)):
                return name
    return ""


def _equal(a: np.ndarray, b: np.ndarray) -> bool:
    return a.shape == b.shape and np.allclose(a, b, rtol=2e-4, atol=2e-5, equal_nan=True)


def _named(name: str, texts: dict[str, str]) -> list[str | Advice]:
    """The advice of `texts`, of which that of `name` is given."""
    return [when(name == known, known, text) for known, text in texts.items()]


def shown(values: Any) -> str:
    """A few numbers in words."""
    flat = np.asarray(values, dtype=float).reshape(-1)
    return "(" + ", ".join(f"{v:.4g}" for v in flat[:5]) + (", …)" if flat.size > 5 else ")")


def softmax(z: np.ndarray, axis: int = -1) -> np.ndarray:
    """The softmax along an axis, without overflow; a row of −inf gives NaN."""
    with np.errstate(all="ignore"):
        e = np.exp(z - z.max(axis=axis, keepdims=True))
        return e / e.sum(axis=axis, keepdims=True)


def normalized(p: np.ndarray) -> np.ndarray:
    """Rows that sum to 1."""
    with np.errstate(all="ignore"):
        return p / p.sum(axis=-1, keepdims=True)


def probabilities(draw: Draw, *shape: int, sharp: float = 1.2) -> np.ndarray:
    """Random distributions along the last axis, as they are in single precision."""
    return softmax(draw.normal(*shape, scale=sharp)).astype(np.float32).astype(np.float64)


def number(value: Any, what: str) -> float:
    """`value` as a float; WrongKind if it is anything but one real number."""
    if isinstance(value, bool):
        raise WrongKind(f"{what} should be a number: got {value!r}")
    return float(expect_array(value, (), "number", what))


def _refused(
    function: Standin, wrong: Sequence[tuple], of: str, bounds: str, points: float, see: str
) -> Claim:
    """The claim that arguments which mean nothing raise a ValueError."""
    told = [(args[-1], exception_of(function, *args)) for args in wrong]
    bad = [(value, raised) for value, raised in told if not (raised and raised.is_a(ValueError))]
    said = f"{of} = {bad[0][0]} is answered" if bad else ""
    if bad and bad[0][1]:
        said = f"{of} = {bad[0][0]} gives {bad[0][1]}"
    return claim(
        f"{of} outside {bounds} is refused with a ValueError",
        not bad,
        points=points,
        saw=said,
        asks=f"ValueError unless {bounds}",
        advice=[
            when(
                bad,
                "not-refused",
                f"test {of} first: if it is outside {bounds}, raise ValueError with a sentence "
                "that says so",
            ),
        ],
        see=see,
    )


def _rows_and_kept(
    function: Standin,
    arrays: Sequence[np.ndarray],
    arg: Any,
    rule: Rule,
    points: float,
    see: str,
    more: Sequence[str | Advice] = (),
) -> Claim:
    """The claim that each row of a batch is treated by itself, and the argument left as it was."""
    fits, kept, flat, first_axis = [], [], [], []
    for array in arrays:
        answer, after = call_and_keep(function, tensor(array), arg)
        answer = expect_array(answer, array.shape, "float", "the probabilities")
        after = expect_array(after[0], array.shape, "float", "the argument after the call")
        right = np.stack([rule(row, arg) for row in array.reshape(-1, array.shape[-1])])
        fits.append(close(answer, right.reshape(array.shape)))
        kept.append(np.array_equal(after, tensor(array).double().numpy()))
        flat.append(_equal(answer.reshape(-1), rule(array.reshape(-1), arg)))
        turned = np.moveaxis(array, 0, -1)
        rows = np.stack([rule(row, arg) for row in turned.reshape(-1, turned.shape[-1])])
        first_axis.append(_equal(answer, np.moveaxis(rows.reshape(turned.shape), -1, 0)))
    return claim(
        "each row of a batch is treated by itself, and the argument stays as it was",
        all(fits) and all(kept),
        points=points,
        saw="a tensor of the caller that is changed by the call"
        if not all(kept)
        else f"other values in a batch of shape {arrays[fits.index(False)].shape} than row by row"
        if not all(fits)
        else "",
        asks="the last axis is the vocabulary, whatever comes before it",
        advice=[
            when(
                not all(kept),
                "changed-in-place",
                "you write into the caller's tensor: make a new one (no -=, /=, [mask] = …)",
            ),
            when(
                all(flat),
                "batch-flattened",
                "the whole batch is treated as one long row: sort, sum and select along dim=-1",
            ),
            when(all(first_axis), "wrong-axis", "the vocabulary is the last axis: dim=-1"),
            *more,
            "sort, sum and normalize along dim=-1, with keepdim=True where you divide",
        ],
        see=see,
    )


# --- temperature ----------------------------------------------------------------------------------


def tempered(z: np.ndarray, T: float) -> np.ndarray:
    """softmax(z / T) along the last axis."""
    return softmax(z / T)


WRONG_TEMPERATURES: dict[str, Rule] = {
    "T-multiplied": lambda z, T: softmax(z * T),
    "probabilities-for-logits": lambda z, T: softmax(softmax(z) / T),
    "divided-after-softmax": lambda z, T: softmax(z) / T,
    "T-cancels": lambda z, T: softmax(z),
    "not-normalized": lambda z, T: np.exp(z / T),
    "logits-returned": lambda z, T: z / T,
    "logs-returned": lambda z, T: np.log(softmax(z / T)),
    "squared-T": lambda z, T: softmax(z / T**2),
}
_ON_TEMPERATURE = {
    "T-multiplied": "the logits are multiplied by T here (or p raised to T): a high temperature "
    "must flatten, so divide",
    "probabilities-for-logits": "probabilities are divided and taken for logits again: divide the "
    "LOGITS by T, then one softmax",
    "divided-after-softmax": "the softmax comes first here and T divides its result, which sums "
    "to 1/T then: divide the LOGITS, before the softmax",
    "T-cancels": "T has no effect: probabilities that are divided by T and normalized again are "
    "what they were; divide the LOGITS",
    "not-normalized": "e^(z/T) must be divided by its sum over the vocabulary",
    "logits-returned": "these are tempered logits: probabilities are asked, one softmax more",
    "logs-returned": "these are logarithms: probabilities are asked",
    "squared-T": "T is used twice",
}


@checks("temperature", lesson=LESSON, points=3)
def a_softmax_of_divided_logits(temperature: Standin, draw: Draw) -> Iterator[Claim]:
    """T divides the logits, at every T > 0."""
    see = "Exercise 1: temperature"

    def ask(z: np.ndarray, T: float) -> np.ndarray:
        return expect_array(temperature(tensor(z), T), z.shape, "float", "the probabilities")

    warm = [0.3 + 0.5 * float(draw.uniform()), 1.0, 1.6 + 2 * float(draw.uniform())]
    cases = [(draw.normal(draw.integer(4, 9), scale=1.5) + 0.5, T) for T in warm]
    got = [ask(*case) for case in cases]
    fits = [close(g, tempered(*case)) for g, case in zip(got, cases, strict=True)]
    named = fitting(got, cases, WRONG_TEMPERATURES)
    advice: list[str | Advice] = _named(named, _ON_TEMPERATURE)
    at = fits.index(False) if not all(fits) else 0
    yield claim(
        "p_T = softmax(z / T): below 1 it sharpens, above 1 it flattens, 1 changes nothing",
        all(fits),
        points=1.25,
        saw=f"{shown(got[at])} at T = {cases[at][1]:.3g}, from logits {shown(cases[at][0])}",
        asks="each probability raised to 1/T, and all of them normalized",
        advice=[*advice, "work out (0.6, 0.3, 0.1) at T = 0.5 by hand, and compare"],
        see=see,
    )

    n = draw.integer(5, 8)
    tied = draw.normal(n)
    tied[draw.permutation(n)[: draw.integer(2, 3)]] = 4.0  # float32 has it exactly: a true tie
    large = draw.permutation(n) * 2000.0 + draw.integer(-9000, -4000)
    edges = [(tied, 1e-4), (tied, 1e4), *((large, T) for T in (1e-4, 1.0, 1e4))]
    got_edges, off = [], ""
    for z, T in edges:
        got_edges.append(ask(z, T))
        if not close(got_edges[-1], tempered(z, T), 2e-3):  # 32 bits, after a division by 0.0001
            off = off or f"{shown(got_edges[-1])} at T = {T:g}, from logits {shown(z)}"
    bad = any(not np.isfinite(g).all() for g in got_edges)
    one = got_edges[0].max() > 0.99 and np.isfinite(got_edges[0]).all()
    yield claim(
        "T → 0 is greedy with ties shared, T → ∞ is uniform, and nothing overflows",
        not off,
        points=0.75,
        saw=off,
        asks="at T = 0.0001 the largest logits share all of it, at T = 10,000 all tokens do; "
        "logits in the thousands are no harm",
        advice=[
            *advice,
            when(
                bad,
                "overflow",
                "e to a large number is inf, and inf/inf is NaN: take the largest logit away "
                "first, or let torch.softmax do it",
            ),
            when(
                one and not bad,
                "ties-not-shared",
                "one of several tied tokens gets everything: no argmax, the softmax shares by "
                "itself",
            ),
            "no special cases: the formula is right at every T > 0, if the softmax is stable",
        ],
        see=see,
    )

    n = draw.integer(6, 9)
    z = draw.normal(n)
    never = draw.permutation(n)[: draw.integer(2, 3)]
    z[never] = -np.inf
    answers = [ask(z, T) for T in (1e-4, 0.7, 1e4)]
    right = all(close(a, tempered(z, T)) for a, T in zip(answers, (1e-4, 0.7, 1e4), strict=True))
    nothing = all((a[never] == 0).all() for a in answers)
    bad = any(not np.isfinite(a).all() for a in answers)
    yield claim(
        "a logit of −inf stays impossible at every temperature",
        right and nothing,
        points=0.25,
        saw="NaN"
        if bad
        else f"probabilities up to {max(a[never].max() for a in answers):.3g} for logits of −inf"
        if not nothing
        else "other probabilities for the tokens that are possible",
        asks="e^(−inf) = 0, and the others as if the token did not exist",
        advice=[
            *advice,
            when(bad, "nan-from-inf", "inf − inf or 0 · inf is NaN: let −inf go into the softmax"),
            when(
                not nothing,
                "impossible-made-possible",
                "−inf is replaced by a number, which a high temperature makes probable: leave it",
            ),
            "divide by T, and let the softmax take care of −inf",
        ],
        see=see,
    )
    yield _rows_and_kept(
        temperature, [draw.normal(3, 5), draw.normal(2, 3, 4)], 0.6, tempered, 0.25, see, advice
    )
    wrong = [(tensor(draw.normal(4)), T) for T in (0.0, -1.0)]
    yield _refused(temperature, wrong, "T", "T > 0", 0.5, see)


# --- top-k ----------------------------------------------------------------------------------------


def ranking(p: np.ndarray) -> np.ndarray:
    """Indices from the most probable to the least, ties by index."""
    return np.argsort(-p, kind="stable")


def masked(p: np.ndarray, indices: np.ndarray) -> np.ndarray:
    """p at the given indices, 0 elsewhere."""
    kept = np.zeros_like(p)
    kept[indices] = p[indices]
    return kept


def best_k(p: np.ndarray, k: int) -> np.ndarray:
    """A row (V,) with the k most probable tokens kept, normalized."""
    return normalized(masked(p, ranking(p)[:k]))


WRONG_TOP_KS: dict[str, Rule] = {
    "not-normalized": lambda p, k: masked(p, ranking(p)[:k]),
    "one-too-few": lambda p, k: best_k(p, k - 1),
    "one-too-many": lambda p, k: best_k(p, k + 1),
    "least-probable-kept": lambda p, k: normalized(masked(p, ranking(p)[-k:])),
    "best-removed": lambda p, k: normalized(masked(p, ranking(p)[k:])),
    "first-indices-kept": lambda p, k: normalized(masked(p, np.arange(k))),
    "evenly-shared": lambda p, k: (masked(p, ranking(p)[:k]) > 0) / k,
    "softmax-again": lambda p, k: softmax(masked(p, ranking(p)[:k])),
    "softmax-over-kept": lambda p, k: softmax(np.where(best_k(p, k) > 0, p, -np.inf)),
    "not-put-back": lambda p, k: normalized(np.sort(p)[::-1] * (np.arange(len(p)) < k)),
    "mask-not-put-back": lambda p, k: normalized(p * (np.arange(len(p)) < k)),
}
_ON_TOP_K = {
    "not-normalized": "what is left sums to less than 1: divide by its sum",
    "one-too-few": "one token is missing: k are kept, the k-th among them",
    "one-too-many": "one token too many is kept",
    "least-probable-kept": "the k LEAST probable are kept: sort in descending order",
    "best-removed": "the best k are removed here, and the rest kept",
    "first-indices-kept": "the first k of the vocabulary are kept: rank by probability first",
    "evenly-shared": "the kept tokens share evenly: they keep their proportions",
    "softmax-again": "probabilities are no logits: a softmax flattens them, and gives e⁰ to those "
    "you had set to 0; divide by the sum",
    "softmax-over-kept": "a softmax of probabilities flattens them: divide by their sum",
    "not-put-back": "the answer is in ranked order: put each probability back at its own token",
}


@checks("top_k", lesson=LESSON, points=2)
def the_k_best(top_k: Standin, draw: Draw) -> Iterator[Claim]:
    """The k most probable tokens, and nothing else."""
    see = "Exercise 2: cutting the tail"

    def ask(p: np.ndarray, k: int) -> np.ndarray:
        return expect_array(top_k(tensor(p), k), p.shape, "float", "the probabilities")

    cases = []
    for n, k in ((draw.integer(6, 9), 3), (draw.integer(10, 40), draw.integer(4, 6)), (5, 2)):
        p = probabilities(draw, n)
        while (ranking(p)[:k] < k).all() or np.abs(np.diff(np.sort(p))).min() < 1e-4:
            p = probabilities(draw, n)  # distinct, and the first k are not the best by chance
        cases.append((p, k))
    got = [ask(*case) for case in cases]
    fits = [close(g, best_k(*case)) for g, case in zip(got, cases, strict=True)]
    named = fitting(got, cases, WRONG_TOP_KS)
    if named == "mask-not-put-back":
        named = "first-indices-kept"
    advice: list[str | Advice] = _named(named, _ON_TOP_K)
    at = fits.index(False) if not all(fits) else 0
    yield claim(
        "the k most probable tokens keep their proportions, all others get 0, the sum is 1",
        all(fits),
        points=1,
        saw=f"{(got[at] > 0).sum()} tokens kept, summing to {got[at].sum():.4g}, at k = "
        f"{cases[at][1]} of {len(cases[at][0])}",
        asks="exactly k tokens, their probabilities divided by their sum",
        advice=[*advice, "work out (0.5, 0.25, 0.125, 0.125) with k = 2 by hand, and compare"],
        see=see,
    )

    n = draw.integer(40, 60)
    many = np.full(n, 1.0)
    many[draw.permutation(n)[:3]] = 4.0
    many /= 2.0 ** np.ceil(np.log2(many.sum()))  # powers of two: ties in single precision too
    few = np.array([0.125, 0.25, 0.125, 0.25, 0.125, 0.125])[draw.permutation(6)]
    ties = [(many, draw.integer(8, 12)), (few, 3), (np.full(8, 0.125), 3)]
    found = [ask(*case) for case in ties]
    exact = [bool((f > 0).sum() == k) for f, (_, k) in zip(found, ties, strict=True)]
    lowest = [close(f, best_k(*case)) for f, case in zip(found, ties, strict=True)]
    first = exact.index(False) if not all(exact) else lowest.index(False) if not all(lowest) else 0
    yield claim(
        "where tokens tie, exactly k are kept, the lowest indices first",
        all(lowest),
        points=0.5,
        saw=f"{(found[first] > 0).sum()} tokens kept at k = {ties[first][1]}, among ties"
        if not all(exact)
        else f"token {np.flatnonzero((found[first] > 0) & (best_k(*ties[first]) == 0))[:1]} kept, "
        "and an equally probable one with a lower index not"
        if not all(lowest)
        else "",
        asks="k tokens, chosen by probability first and by index second",
        advice=[
            *advice,
            when(
                any((f > 0).sum() > k for f, (_, k) in zip(found, ties, strict=True)),
                "ties-keep-more",
                "comparing with the k-th largest value keeps all that tie with it: select INDICES",
            ),
            when(
                all(exact),
                "ties-by-chance",
                "tied tokens are chosen in no defined order (torch.topk promises none): sort with "
                "stable=True",
            ),
            "argsort with descending=True, stable=True, and take the first k indices",
        ],
        see=see,
    )
    more = _named(named, _ON_TOP_K)
    yield _rows_and_kept(
        top_k, [probabilities(draw, 4, 7), probabilities(draw, 2, 3, 5)], 2, best_k, 0.25, see, more
    )
    p = probabilities(draw, draw.integer(4, 6))
    answered, why = None, ""
    try:
        answered = ask(p, len(p) + draw.integer(1, 40))
    except StudentFailed as error:
        why = str(error)
    bad = []
    for k in (0, -2):
        raised = exception_of(top_k, tensor(p), k)
        if raised is None or not raised.is_a(ValueError):
            bad.append(k)
    yield claim(
        "k ≥ V keeps all, and k < 1 is refused with a ValueError",
        answered is not None and close(answered, p) and not bad,
        points=0.25,
        saw=why or (f"k = {bad[0]} is answered" if bad else "other probabilities than the given"),
        asks="all tokens are at most V; none at all is no distribution",
        advice=[
            when(
                why,
                "k-beyond-V",
                "torch.topk refuses k > V: use min(k, V), or slices, which end where the row ends",
            ),
            when(
                answered is not None and close(answered, p),
                "not-refused",
                "test k first: if it is below 1, raise ValueError with a sentence that says so",
            ),
            *advice,
            "with k ≥ V nothing is cut",
        ],
        see=see,
    )


# --- top-p ----------------------------------------------------------------------------------------


def nucleus(p: np.ndarray, mass: float) -> np.ndarray:
    """A row (V,) with the smallest set of mass ≥ `mass` kept, normalized."""
    order = ranking(p)
    if mass >= 1:
        return normalized(p)
    count = int((p[order].cumsum() - p[order] < mass).sum())
    return normalized(masked(p, order[:count]))


def _by_ranked(keep: Callable[[np.ndarray, float], np.ndarray], up: bool = False) -> Rule:
    """A rule that keeps the ranked tokens for which keep(ranked probabilities, mass) is true."""

    def rule(p: np.ndarray, mass: float) -> np.ndarray:
        order = ranking(p)[::-1] if up else ranking(p)
        return normalized(masked(p, order[keep(p[order], mass)]))

    return rule


def _count(p: np.ndarray, mass: float) -> int:
    return int((nucleus(p, mass) > 0).sum())


WRONG_TOP_PS: dict[str, Rule] = {
    "crossing-dropped": _by_ranked(lambda r, m: r.cumsum() <= m),
    "crossing-dropped, at least one": _by_ranked(
        lambda r, m: (r.cumsum() <= m) | (np.arange(len(r)) == 0)
    ),
    "one-too-many": lambda p, m: best_k(p, _count(p, m) + 1),
    "not-normalized": lambda p, m: masked(p, ranking(p)[: _count(p, m)]),
    "ascending": _by_ranked(lambda r, m: r.cumsum() - r < m, up=True),
    "ascending, crossing dropped": _by_ranked(lambda r, m: r.cumsum() <= m, up=True),
    "unsorted": lambda p, m: normalized(p * (p.cumsum() - p < m)),
    "unsorted, crossing dropped": lambda p, m: normalized(p * (p.cumsum() <= m)),
    "mask-not-put-back": lambda p, m: normalized(p * (np.arange(len(p)) < _count(p, m))),
    "not-put-back": lambda p, m: np.sort(nucleus(p, m))[::-1],
    "threshold-for-mass": lambda p, m: normalized(p * (p >= m)),
    "threshold-for-mass, 1 − p": lambda p, m: normalized(p * (p >= 1 - m)),
    "fraction-of-tokens": lambda p, m: best_k(p, max(1, math.ceil(m * len(p)))),
    "fraction-of-the-best": lambda p, m: normalized(p * (p >= m * p.max())),
    "softmax-again": lambda p, m: softmax(masked(p, ranking(p)[: _count(p, m)])),
    "evenly-shared": lambda p, m: normalized((nucleus(p, m) > 0) * 1.0),
    "complement": lambda p, m: nucleus(p, 1 - m),
    "nothing-cut": lambda p, m: p,
}
_ON_TOP_P = {
    "crossing-dropped": "the token that crosses the line is dropped: without it the mass is less "
    "than p. Keep a token if the mass BEFORE it is below p",
    "one-too-many": "one token more than needed is kept: stop with the one that reaches p",
    "not-normalized": "what is left sums to less than 1: divide by its sum",
    "ascending": "the sum begins at the least probable tokens: sort in descending order",
    "unsorted": "the sum runs through the vocabulary as it is listed: sort by probability first",
    "mask-not-put-back": "the mask is in ranked order and the probabilities are not: scatter it "
    "back",
    "not-put-back": "the answer is in ranked order: put each probability back at its own token",
    "threshold-for-mass": "single probabilities are compared with p: p is the mass of the kept set",
    "fraction-of-tokens": "p is a share of the tokens here: it is the mass that they hold",
    "fraction-of-the-best": "this compares with the best token (min-p): p is the mass of the set",
    "softmax-again": "probabilities are no logits: divide by their sum, and use no softmax",
    "evenly-shared": "the kept tokens share evenly: they keep their proportions",
    "complement": "1 − p of the mass is kept here: p is what to keep",
    "nothing-cut": "nothing is cut off",
}


@checks("top_p", lesson=LESSON, points=3)
def the_smallest_set_that_holds_p(top_p: Standin, draw: Draw) -> Iterator[Claim]:
    """The nucleus: as few tokens as hold the mass p."""
    see = "Exercise 2: cutting the tail"

    def ask(p: np.ndarray, mass: float) -> np.ndarray:
        return expect_array(top_p(tensor(p), mass), p.shape, "float", "the probabilities")

    cases = []
    for n, least in ((draw.integer(6, 9), 2), (draw.integer(20, 40), 4), (draw.integer(7, 9), 3)):
        while True:
            p, mass = probabilities(draw, n), 0.3 + 0.55 * float(draw.uniform())
            order, sums = ranking(p), np.sort(p)[::-1].cumsum()
            kept = _count(p, mass)
            # Sizes at which all the mistakes differ, and no sum so near that rounding decides.
            if (
                least <= kept < n - 2
                and np.abs(sums - mass).min() > 2e-3
                and p[order[0]] < mass
                and kept not in (math.ceil(mass * n), _count(p, 1 - mass))
                and set(order[:kept]) != set(range(kept))
            ):
                break
        cases.append((p, mass))
    got = [ask(*case) for case in cases]
    fits = [close(g, nucleus(*case)) for g, case in zip(got, cases, strict=True)]
    named = fitting(got, cases, WRONG_TOP_PS).partition(",")[0]
    advice: list[str | Advice] = _named(named, _ON_TOP_P)
    at = fits.index(False) if not all(fits) else 0
    held = cases[at][0][got[at] > 0].sum()
    yield claim(
        "the kept tokens are the fewest that hold at least p, the crossing one with them, "
        "normalized",
        all(fits),
        points=1.25,
        saw=f"{(got[at] > 0).sum()} tokens that held {held:.3f}, now summing to "
        f"{got[at].sum():.4g}, "
        f"at p = {cases[at][1]:.3f}",
        asks=f"{_count(*cases[at])} of the {len(cases[at][0])} tokens, their probabilities "
        "divided by their sum",
        advice=[*advice, "go through the table of (0.5, 0.25, 0.125, 0.125), and compare"],
        see=see,
    )

    halves = np.array([0.5, 0.25, 0.125, 0.0625, 0.0625])[draw.permutation(5)]
    reached, little = (halves, draw.choice((0.75, 0.875))), (halves, 0.1)
    sure = np.eye(draw.integer(3, 6))[draw.integer(0, 2)]
    edge = [reached, little, (sure, 0.9)]
    got_edge = [ask(*case) for case in edge]
    fits = [close(g, nucleus(*case)) for g, case in zip(got_edge, edge, strict=True)]
    at = fits.index(False) if not all(fits) else 0
    empty = [bool(not np.isfinite(g).all() or g.sum() < 0.5) for g in got_edge]
    yield claim(
        "one token is always kept, and no more where the mass is p exactly",
        all(fits),
        points=0.5,
        saw=f"{shown(got_edge[at])} from {shown(edge[at][0])} at p = {edge[at][1]}",
        asks="the first token, however small p is; and a set that holds p exactly is enough",
        advice=[
            when(
                any(empty) or named == "crossing-dropped",
                "crossing-dropped",
                _ON_TOP_P["crossing-dropped"],
            ),
            *advice,
            when(
                not fits[0] and (got_edge[0] > 0).sum() > _count(*reached),
                "more-than-needed",
                "a set of mass p exactly is enough: the mass before a kept token is LESS than p",
            ),
            "keep a token if the mass before it is below p: before the first there is none",
        ],
        see=see,
    )

    n = draw.integer(50, 90)
    p = np.full(n, 2.0**-31)  # in single precision the head alone sums to 1
    p[draw.permutation(n)[:3]] = (0.5, 0.25, 0.25)
    whole = ask(p, 1.0)
    missing = int((whole == 0).sum()) if np.isfinite(whole).all() else n
    yield claim(
        "p = 1 keeps every token, however small",
        close(whole, normalized(p), 1e-6) and missing == 0,
        points=0.5,
        saw="NaN" if not np.isfinite(whole).all() else f"{missing} of {n} tokens lost at p = 1",
        asks="all: the mass 1 is held by nothing less",
        waits=waits_unless(any((g == 0).any() for g in got), "tokens that are cut where p is less"),
        advice=[
            when(
                (whole > 0).sum() <= 1,
                "argmax-of-nothing",
                "where no sum exceeds p, the argmax of the comparison is 0, and nothing is kept "
                "but the first: compare the mass before each token instead",
            ),
            *advice,
            when(
                missing,
                "sum-reaches-one",
                "in 32 bits the sum is 1 before the last tokens are counted: with p = 1 there is "
                "nothing to cut, so return early",
            ),
            "return all tokens if p is 1",
        ],
        see=see,
    )

    ties = [(np.full(8, 0.125), draw.integer(2, 6) / 8)]
    mixed = np.array([0.25, 0.25, 0.125, 0.125, 0.125, 0.125])
    while set(ranking(mixed)[:3]) in ({0, 1, 2}, {3, 4, 5}):  # right by chance, if unsorted
        mixed = mixed[draw.permutation(6)]
    ties.append((mixed, 0.625))
    found = [ask(*case) for case in ties]
    fits = [close(f, nucleus(*case)) for f, case in zip(found, ties, strict=True)]
    sizes = [bool((f > 0).sum() == _count(*case)) for f, case in zip(found, ties, strict=True)]
    at = fits.index(False) if not all(fits) else 0
    yield claim(
        "of tied tokens only as many as needed are kept, the lowest indices first",
        all(fits),
        points=0.25,
        saw=f"tokens {np.flatnonzero(found[at] > 0).tolist()} kept of {shown(ties[at][0])} at p = "
        f"{ties[at][1]}",
        asks="tokens ranked by probability first, by index second",
        advice=[
            *advice,
            when(
                any((f > 0).sum() > _count(*case) for f, case in zip(found, ties, strict=True)),
                "ties-keep-more",
                "more tokens are kept than the mass needs: select places in the ranking, and not "
                "values above a threshold",
            ),
            when(
                all(sizes),
                "ties-by-chance",
                "the right number, in no defined order: sort with descending=True, stable=True",
            ),
            "sort with descending=True, stable=True",
        ],
        see=see,
    )
    batches = []
    for shape in ((4, 8), (2, 2, 6)):
        while True:
            p = probabilities(draw, *shape, sharp=2.0)
            rows = np.sort(p.reshape(-1, shape[-1]))[:, ::-1].cumsum(-1)
            if np.abs(rows - 0.7).min() > 1e-3 and len({_count(r, 0.7) for r in rows}) > 0:
                break
        batches.append(p)
    yield _rows_and_kept(top_p, batches, 0.7, nucleus, 0.25, see, advice)
    wrong = [(tensor(probabilities(draw, 4)), mass) for mass in (0.0, -0.5, 1.5)]
    yield _refused(top_p, wrong, "p", "0 < p ≤ 1", 0.25, see)


# --- all three in order ---------------------------------------------------------------------------


def recipe(z: np.ndarray, T: float, k: int | None, mass: float) -> np.ndarray:
    """Temperature, then top-k, then top-p, of a row of logits."""
    p = tempered(z, T)
    return nucleus(p if k is None else best_k(p, k), mass)


def _cut_first(z: np.ndarray, T: float, k: int | None, mass: float) -> np.ndarray:
    kept = recipe(z, 1.0, k, mass) > 0
    return tempered(np.where(kept, z, -np.inf), T)


WRONG_ORDERS: dict[str, Rule] = {
    "temperature-after-top-p": _cut_first,
    "top-p-before-top-k": lambda z, T, k, m: best_k(nucleus(tempered(z, T), m), k or len(z)),
    "T-ignored": lambda z, T, k, m: recipe(z, 1.0, k, m),
    "k-ignored": lambda z, T, k, m: recipe(z, T, None, m),
    "p-ignored": lambda z, T, k, m: recipe(z, T, k, 1.0),
    "T-multiplied": lambda z, T, k, m: recipe(z, 1 / T, k, m),
    "temperature-on-probabilities": lambda z, T, k, m: nucleus(
        best_k(softmax(softmax(z) / T), k or len(z)), m
    ),
}
_ON_ORDER = {
    "temperature-after-top-p": "the temperature comes last here, so that top-p cuts another "
    "distribution than the one you draw from: temperature first",
    "top-p-before-top-k": "the mass of top-p is counted among ALL tokens here: top-k comes first, "
    "and top-p cuts what it left, normalized",
    "T-ignored": "the temperature has no effect",
    "k-ignored": "top-k has no effect",
    "p-ignored": "top-p has no effect",
    "T-multiplied": "a high temperature sharpens here: the logits are divided by T",
    "temperature-on-probabilities": "temperature takes logits, not probabilities",
}


@checks("next_probs", lesson=LESSON, points=2)
def three_in_their_order(next_probs: Standin, draw: Draw) -> Iterator[Claim]:
    """Temperature, then top-k, then top-p."""
    see = "Part C: in which order?"

    def ask(z: np.ndarray, *args: Any) -> np.ndarray:
        answer = next_probs(tensor(z), *args)
        return expect_array(answer, z.shape, "float", "the probabilities")

    def apart(case: tuple, names: Sequence[str]) -> bool:
        right = recipe(*case)
        z, T, k, mass = case
        p = tempered(z, T)
        sums = np.sort(p if k is None else best_k(p, k))[::-1].cumsum()
        near = np.abs(sums - mass).min() < 2e-3 or np.abs(np.diff(np.sort(p))).min() < 1e-4
        return not near and all(np.abs(right - WRONG_ORDERS[n](*case)).max() > 5e-3 for n in names)

    def case_for(names: Sequence[str], hot: bool | None, with_k: bool) -> tuple:
        while True:
            n = draw.integer(8, 12)
            u = float(draw.uniform())
            T = 1.0 if hot is None else 1.5 + u if hot else 0.4 + 0.3 * u
            k = draw.integer(3, n - 3) if with_k else None
            case = (draw.normal(n, scale=1.6), T, k, 0.45 + 0.4 * float(draw.uniform()))
            if apart(case, names):
                return case

    p_first = ("top-p-before-top-k", "k-ignored", "p-ignored")
    cases = [
        case_for(("temperature-after-top-p", "T-multiplied"), True, False),
        case_for(("temperature-after-top-p", "T-multiplied"), False, False),
        case_for(p_first, None, True),
        case_for(("top-p-before-top-k", "temperature-after-top-p"), True, True),
    ]
    got = [ask(*case) for case in cases]
    fits = [close(g, recipe(*case)) for g, case in zip(got, cases, strict=True)]
    named = fitting(got, cases, WRONG_ORDERS)
    advice: list[str | Advice] = _named(named, _ON_ORDER)
    at = fits.index(False) if not all(fits) else 0
    z, T, k, mass = cases[at]
    yield claim(
        "the temperature comes first, top-k cuts what it gives, top-p what top-k left",
        all(fits),
        points=1.25,
        saw=f"{(got[at] > 0).sum()} tokens kept at T = {T:.2f}, k = {k}, p = {mass:.2f}",
        asks=f"{(recipe(*cases[at]) > 0).sum()} tokens, in the order temperature, top-k, top-p, "
        "each on normalized probabilities",
        advice=[*advice, "three calls, one after the other: try them on the example by hand"],
        see=see,
    )

    z = draw.normal(3, draw.integer(5, 8))
    batch = np.stack([recipe(row, 0.8, 3, 1.0) for row in z])
    plain = expect_array(next_probs(tensor(z)), z.shape, "float", "the probabilities")
    named_k = next_probs(tensor(z), k=3, T=0.8)
    named_k = expect_array(named_k, z.shape, "float", "the probabilities")
    yield claim(
        "left out, each does nothing, and a batch is treated row by row",
        close(plain, softmax(z)) and close(named_k, batch),
        points=0.75,
        saw=f"{shown(plain[0])} without any of them"
        if not close(plain, softmax(z))
        else f"{shown(named_k[0])} at T = 0.8, k = 3",
        asks="T = 1, k = None and p = 1 leave the softmax of the logits as it is",
        advice=[
            *advice,
            when(close(plain, z), "logits-returned", "logits come back: probabilities are asked"),
            "k = None means no top-k; T = 1 and p = 1 change nothing by themselves",
        ],
        see=see,
    )


# --- models to search -----------------------------------------------------------------------------


def model_of(tables: Sequence[np.ndarray]) -> dict[str, Any]:
    """Probability tables (V^t, V) as a model for `autograder.inside.temperature`."""
    with np.errstate(divide="ignore"):
        return {"tables": [tensor(np.log(table)) for table in tables]}


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


def greedy_text(tables: Sequence[np.ndarray], steps: Callable | None = None) -> list[int]:
    """The text of the most probable tokens; `steps(text)` is what the model hears of the prefix."""
    V, text = tables[0].shape[1], []
    for _ in tables:
        prefix = text if steps is None else steps(text)
        text.append(int(tables[len(prefix)][place_of(prefix, V)].argmax()))
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
    score: Callable[[float, float], float] = lambda parent, new: parent + new,
    each: int | None = None,
) -> list[tuple[tuple[int, ...], float]]:
    """Beam search; `score` joins a prefix's score and a token's, `each` limits its tokens."""
    V, kept = tables[0].shape[1], [((), 0.0)]
    for table in tables:
        grown = []
        for text, total in kept:
            with np.errstate(divide="ignore"):
                row = np.log(table[place_of(text, V)])
            # The first step has one prefix, from which all beams must come.
            for token in ranking(row)[: each if each and text else None]:
                grown.append(((*text, int(token)), score(total, float(row[token]))))
        kept = sorted(grown, key=lambda b: -b[1])[:width]
    return kept


# --- greedy ---------------------------------------------------------------------------------------


@checks("greedy", lesson=LESSON, points=1)
def the_best_token_each_time(greedy: Standin, draw: Draw) -> Iterator[Claim]:
    """The most probable token, appended, and again."""
    see = "Exercise 3: the most probable text"
    shortcuts: dict[str, Callable] = {
        "prefix-not-extended": lambda tables: [int(tables[0].argmax())] * len(tables),
        "last-token-only": lambda tables: greedy_text(tables, lambda text: text[-1:]),
        "least-probable": lambda tables: greedy_text([-t for t in tables]),
    }
    while True:
        V, length = draw.integer(3, 4), draw.integer(4, 5)
        tables = random_tables(draw, V, length)
        right = greedy_text(tables)
        best = max(
            itertools.product(range(V), repeat=length), key=lambda x: log_probability(tables, x)
        )
        others = [rule(tables) for rule in shortcuts.values()] + [list(best)]
        gaps = [np.diff(np.sort(t, axis=1))[:, -1].min() for t in tables]
        different = {tuple(text) for text in (right, *others)}
        if len(different) == 1 + len(others) and min(gaps) > 1e-3:
            break
    found, _ = searched(greedy, model_of(tables), length)
    if not isinstance(found, tuple | list) or len(found) != 2:
        raise WrongKind("greedy should return (tokens, log-probability), two things")
    text = expect_array(found[0], (length,), "int", "the tokens").tolist()
    total = number(found[1], "the log-probability")
    named = next((n for n, rule in shortcuts.items() if rule(tables) == text), "")
    yield claim(
        "each token is the most probable one after those chosen before it",
        text == right,
        points=0.6,
        saw=f"{text}",
        asks="at each step the largest entry of step(tokens so far)",
        advice=[
            when(
                named == "prefix-not-extended",
                named,
                "the model is asked the same each time: append the chosen token to the prefix",
            ),
            when(
                named == "last-token-only",
                named,
                "the model sees the last token only: give it ALL tokens so far, (1, t)",
            ),
            when(named == "least-probable", named, "the least probable token is taken: argmax"),
            when(
                text == list(best),
                "searched",
                "this is the most probable TEXT: greedy looks at one step only",
            ),
            "one step at a time: ask, take the largest, append",
        ],
        see=see,
    )
    valid = all(0 <= token < V for token in text)
    own = log_probability(tables, text) if valid else math.nan
    yield claim(
        "the log-probability is that of the whole text, in nats",
        valid and close(total, own) and len(set(text)) > 0,
        points=0.4,
        saw=f"{total:.4g} for a text of {length} tokens",
        asks="the sum of the chosen tokens' log-probabilities",
        advice=[
            when(
                close(total, math.exp(own)),
                "probability-for-log",
                "this is p itself: log p is asked",
            ),
            when(close(total, own / length), "mean-for-sum", "a mean over steps: the SUM is log p"),
            when(
                close(total, own / math.log(2)), "bits-for-nats", "these are bits: nats are asked"
            ),
            when(close(total, -own), "sign", "log p is negative: this is the NLL"),
            when(
                valid and close(total, math.log(tables[-1][place_of(text[:-1], V), text[-1]])),
                "last-step-only",
                "this is the last token's log-probability: add those of all steps",
            ),
            "add the log-probability of each token as you choose it",
        ],
        see=see,
    )


# --- beam search ----------------------------------------------------------------------------------

_PRODUCT = (
    "probabilities are multiplied (or scores are no logarithms): add LOGS, or hundreds of tokens "
    "round to 0"
)
_ON_BEAMS = {
    "beam-is-greedy": "each beam is extended by its best token only, so all of them are greedy: "
    "compare ALL extensions of all beams",
    "parent-score-forgotten": "beams are ranked by their last token alone: add the score of the "
    "prefix",
    "parents-mixed-up": "scores and texts do not belong together: take for each new beam the "
    "prefix that it grew from, tokens[parent]",
}


@checks("beam_search", lesson=LESSON, points=4)
def the_best_prefixes_kept(beam_search: Standin, draw: Draw) -> Iterator[Claim]:
    """The best `width` of all extensions, in logs."""
    see = "Exercise 3: the most probable text"

    def ask(model: dict, width: int, length: int, rows: int) -> tuple[np.ndarray, np.ndarray, list]:
        answer, asked = searched(beam_search, model, width, length)
        if not isinstance(answer, tuple | list) or len(answer) != 2:
            raise WrongKind("beam_search should return (tokens, log-probabilities), two things")
        count = np.asarray(expect_array(answer[0], None, "int", "the tokens")).shape[:1]
        wanted = (rows, length) if count == (rows,) else (None, length)
        texts = expect_array(answer[0], wanted, "int", "the tokens")
        scores = expect_array(answer[1], (len(texts),), "float", "the log-probabilities")
        return texts, scores, asked

    def own(tables: Sequence[np.ndarray], texts: np.ndarray) -> np.ndarray:
        V = tables[0].shape[1]
        valid = ((texts >= 0) & (texts < V)).all()
        return np.array([log_probability(tables, t) if valid else math.nan for t in texts.tolist()])

    # A model on which narrow beams, wide ones and the usual mistakes all differ.
    width, length, V = 3, 5, 3
    while True:
        tables = random_tables(draw, V, length)
        right = beams(tables, width)
        exhaustive = beams(tables, V**length)
        mistakes = {
            "beam-is-greedy": beams(tables, width, each=1),
            "parent-score-forgotten": beams(tables, width, score=lambda parent, new: new),
            "parents-mixed-up": unmoved_beams(tables, width),
        }
        scores = [s for _, s in exhaustive]
        if (
            exhaustive[0][0] not in [t for t, _ in right]
            and all([t for t, _ in m] != [t for t, _ in right] for m in mistakes.values())
            and min(-np.diff(scores[:12])) > 1e-3
            and _margins(tables, width) > 1e-3
        ):
            break
    texts, scores, asked = ask(model_of(tables), width, length, width)
    truth = own(tables, texts)
    fits = (
        len(texts) == width
        and [tuple(t) for t in texts.tolist()] == [t for t, _ in right]
        and close(scores, [s for _, s in right])
    )
    listed = sorted(map(tuple, texts.tolist()))
    equal = len(texts) > 1 and len(set(listed)) == 1
    theirs = [t for t, _ in right]
    with np.errstate(all="ignore"):
        positive = bool(
            (scores > 0).all() and close(np.log(np.where(scores > 0, scores, 1)), truth)
        )
    advice: list[str | Advice] = [
        when(positive, "product-for-logs", _PRODUCT),
        when(
            equal,
            "identical-beams",
            "all beams are one and the same text: start with ONE empty prefix (copies stay "
            "copies), and give each beam a list of its own",
        ),
        *(
            when(texts.tolist() == [list(t) for t, _ in m], name, _ON_BEAMS[name])
            for name, m in mistakes.items()
        ),
        when(
            len(texts) == width
            and close(np.sort(scores)[::-1], [s for _, s in right])
            and not close(scores, truth),
            "parents-mixed-up",
            _ON_BEAMS["parents-mixed-up"],
        ),
        when(
            listed == sorted(theirs) and [tuple(t) for t in texts.tolist()] != theirs,
            "not-sorted",
            "the right beams in another order: the best comes first",
        ),
        when(
            listed == sorted(theirs) and close(scores * length, truth),
            "mean-for-sum",
            "scores are divided by the length: all texts here are equally long, return log p",
        ),
        when(
            len(texts) == width and tuple(texts[0].tolist()) == exhaustive[0][0],
            "not-a-beam",
            "this search finds more than a beam of that width can: only `width` prefixes are kept "
            "at each step",
        ),
        when(
            len(set(listed)) < len(listed),
            "identical-beams",
            "a text stands twice among the beams: start with ONE empty prefix",
        ),
    ]
    narrow = claim(
        "at each step the best `width` of all extensions are kept, each score with its own text",
        fits,
        points=1.25,
        saw=f"{len(texts)} beams, the best {texts[0].tolist() if len(texts) else []} with "
        f"{scores[0] if len(texts) else math.nan:.4g}, at width {width} and {length} steps over "
        f"{V} "
        "tokens",
        asks=f"{width} different beams, best first, each with the sum of its log-probabilities",
        advice=[*advice, "list all extensions with their sums, sort them, keep `width`"],
        see=see,
    )

    high = 0.55 + 0.08 * float(draw.uniform())
    trees = []
    for flip, sure in itertools.product((False, True), ([0.97, 0.03], [0.03, 0.97])):
        first, second = np.array([[high, 1 - high]]), np.array([[0.5, 0.5], sure])
        trees.append([first[:, ::-1], second[::-1]] if flip else [first, second])
    hits, found = [], []
    for two in trees:
        best = beams(two, 4)[0]
        pair, sums, _ = ask(model_of(two), 2, 2, 2)
        found.append((pair, sums))
        hits.append(
            len(pair) > 0 and tuple(pair[0].tolist()) == best[0] and close(sums[0], best[1])
        )
    at = hits.index(False) if not all(hits) else 0
    two, (pair, sums), best = trees[at], found[at], beams(trees[at], 4)[0]
    yield claim(
        "a beam of 2 finds the text that greedy misses on a two-step tree",
        all(hits),
        points=0.75,
        saw=f"{pair[0].tolist()} with {sums[0]:.4g}" if len(pair) else "no beam",
        asks=f"the second-best first token, whose future is sure: p = {math.exp(best[1]):.3f}",
        advice=[
            *advice,
            when(
                len(pair) > 0 and pair[0].tolist() == greedy_text(two),
                "beam-is-greedy",
                "this is what greedy finds: keep two prefixes, and compare all extensions of both",
            ),
            "keep both first tokens, and compare the four sums",
        ],
        see=see,
    )
    yield narrow

    V, length = 3, 4
    tables = random_tables(draw, V, length)
    tables[1][draw.integer(0, V - 1)] = np.eye(V)[draw.integer(0, V - 1)]  # and impossible texts
    every = beams(tables, V**length)
    texts, scores, _ = ask(model_of(tables), V**length + 7, length, V**length)
    whole = sorted(map(tuple, texts.tolist())) == sorted(t for t, _ in every)
    nan = bool(np.isnan(scores).any())
    yield claim(
        "with full width every text is there, with its log-probability, best first",
        whole
        and not nan
        and close(scores, [s for _, s in every])
        and close(scores, own(tables, texts)),
        points=0.75,
        saw=f"{len(set(map(tuple, texts.tolist())))} different texts of {V**length}"
        if not whole
        else "NaN among the scores"
        if nan
        else "log-probabilities that are not those of the texts, or not sorted",
        asks=f"all {V}^{length} = {V**length} texts (width beyond that keeps all), −inf for the "
        "impossible ones",
        advice=[
            when(
                nan, "nan-from-inf", "−inf is a fine log-probability: 0 · inf or inf − inf is not"
            ),
            *advice,
            "while there are fewer extensions than `width`, keep them all",
        ],
        see=see,
    )

    V, n = 10, 400
    ladder = np.linspace(0.13, 0.07, V)
    ladder /= ladder.sum()
    rows = np.stack([ladder[draw.permutation(V)] for _ in range(V + 1)])
    chain = {"chain": (tensor(np.log(rows[0])), tensor(np.log(rows[1:])))}
    texts, scores, _ = ask(chain, 2, n, 2)
    logs = np.log(ladder[:2])
    due = np.array([n * logs[0], (n - 1) * logs[0] + logs[1]])
    valid = len(texts) == 2 and ((texts >= 0) & (texts < V)).all()
    told = (
        [float(np.log(rows[[0, *(t[:-1] + 1)], t]).sum()) for t in texts]
        if valid
        else [math.nan] * 2
    )
    yield claim(
        "a text of 400 tokens has a log-probability, and beams that differ",
        valid and close(scores, due, 2e-4) and close(told, due, 2e-4),
        points=0.5,
        saw=f"scores {shown(scores)}",
        asks=f"{due[0]:.1f} and {due[1]:.1f} nats: in logs nothing underflows",
        advice=[
            when(
                np.isinf(scores).any() or (np.asarray(scores) == 0).any() or positive,
                "product-for-logs",
                _PRODUCT,
            ),
            *advice,
            "carry sums of log-probabilities from step to step",
        ],
        see=see,
    )
    limit = 1 + width * 4
    yield claim(
        "the model is asked about `width` prefixes a step, no more",
        fits and 0 < sum(asked) <= limit,
        points=0.75,
        saw=f"{sum(asked)} prefixes asked about in 5 steps at width {width}"
        if fits
        else "other beams than asked",
        asks=f"at most 1 + 4 · {width} = {limit}",
        advice=[
            when(
                sum(asked) > limit,
                "not-a-beam",
                "more prefixes are extended than are kept: cut to `width` after each step",
            ),
            *advice,
            "one call of step for the kept prefixes, a row each",
        ],
        see=see,
    )


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
    z = z - z.max(axis=-1, keepdims=True)
    log_p = z - np.log(np.exp(z).sum(axis=-1, keepdims=True))
    return -log_p[np.arange(len(tokens)), tokens]


def _pair(nats: float) -> np.ndarray:
    return np.array([nats / math.log(2), math.exp(min(nats, 700.0))])


WRONG_SCORES: dict[str, Rule] = {
    "raw-length": lambda z, x: _pair(token_nats(z, x).sum()),
    "total-bits": lambda z, x: np.array(
        [token_nats(z, x).sum() / math.log(2), math.exp(token_nats(z, x).mean())]
    ),
    "nats-for-bits": lambda z, x: np.array(
        [token_nats(z, x).mean(), math.exp(token_nats(z, x).mean())]
    ),
    "two-to-the-nats": lambda z, x: np.array(
        [token_nats(z, x).mean() / math.log(2), 2 ** token_nats(z, x).mean()]
    ),
    "e-to-the-bits": lambda z, x: np.array(
        [token_nats(z, x).mean() / math.log(2), math.exp(token_nats(z, x).mean() / math.log(2))]
    ),
    "nats-and-two-to-the-nats": lambda z, x: np.array(
        [token_nats(z, x).mean(), 2 ** token_nats(z, x).mean()]
    ),
    "times-ln-2": lambda z, x: np.array(
        [token_nats(z, x).mean() * math.log(2), math.exp(token_nats(z, x).mean())]
    ),
    "mean-of-probabilities": lambda z, x: _pair(-math.log(np.exp(-token_nats(z, x)).mean())),
    "mean-of-inverse-probabilities": lambda z, x: np.array(
        [token_nats(z, x).mean() / math.log(2), np.exp(token_nats(z, x)).mean()]
    ),
    "shifted-again": lambda z, x: _pair(token_nats(z[:-1], x[1:]).mean()),
    "sign": lambda z, x: np.array(
        [-token_nats(z, x).mean() / math.log(2), math.exp(-token_nats(z, x).mean())]
    ),
    "turned-around": lambda z, x: _pair(token_nats(z, x).mean())[::-1],
    "entropy-for-surprise": lambda z, x: _pair(
        float(-(softmax(z) * np.log(softmax(z))).sum(-1).mean())
    ),
}
_SCORE_FAMILY = {
    "total-bits": "raw-length",
    "nats-and-two-to-the-nats": "nats-for-bits",
    "mean-of-inverse-probabilities": "mean-of-probabilities",
}
_ON_SCORE = {
    "raw-length": "the sum grows with the text, so that texts of different lengths cannot be "
    "compared: divide by the number of tokens",
    "nats-for-bits": "these are nats per token: divide by ln 2 for bits",
    "two-to-the-nats": "2 to the NATS: perplexity is 2 to the bits, or e to the nats",
    "e-to-the-bits": "e to the BITS: perplexity is 2 to the bits, or e to the nats",
    "times-ln-2": "a nat is 1/ln 2 = 1.44 bits: divide by ln 2",
    "mean-of-probabilities": "the average is taken of the logarithms, and only then of nothing "
    "else",
    "shifted-again": "row t of the logits belongs to tokens[t] already: no shift",
    "sign": "surprise is MINUS log p",
    "turned-around": "first bits per token, then perplexity",
    "entropy-for-surprise": "this is the model's own entropy: pick the entry of the token that "
    "came",
}


@checks("score", lesson=LESSON, points=2)
def surprise_per_token(score: Standin, draw: Draw) -> Iterator[Claim]:
    """Bits per token and perplexity."""
    see = "Exercise 4: a ruler"

    def ask(z: np.ndarray, x: np.ndarray) -> np.ndarray:
        answer = score(tensor(z), torch.tensor(x))
        if not isinstance(answer, tuple | list) or len(answer) != 2:
            raise WrongKind("score should return (bits per token, perplexity), two numbers")
        return np.array([number(a, "each of the two") for a in answer])

    cases = []
    for n, V in ((draw.integer(4, 6), 3), (draw.integer(8, 14), draw.integer(5, 20)), (3, 7)):
        cases.append((draw.normal(n, V, scale=1.5), draw.rng.integers(0, V, size=n)))
    got = [ask(*case) for case in cases]
    right = [_pair(token_nats(*case).mean()) for case in cases]
    named = fitting(got, cases, WRONG_SCORES)
    named = _SCORE_FAMILY.get(named, named)
    advice: list[str | Advice] = _named(named, _ON_SCORE)
    for i, text in enumerate(
        (
            "bits per token is the average of −log2 p of the tokens that came",
            "perplexity is 2 to the bits per token",
        )
    ):
        fits = [close(g[i], r[i], 2e-4) for g, r in zip(got, right, strict=True)]
        yield claim(
            text,
            all(fits),
            points=0.75,
            saw=f"{got[0][i]:.4g} for {len(cases[0][1])} tokens",
            asks="the softmax of each row, its entry at the token, the average of the logarithms",
            advice=[*advice, "work out the probabilities ½, ¼, ⅛, ⅛ by hand, and compare"],
            see=see,
        )

    n, V = draw.integer(5, 9), draw.integer(4, 30)
    x = draw.rng.integers(0, V, size=n)
    even = ask(np.full((n, V), 3.0), x)
    sure = np.full((n, V), -1e4)
    sure[np.arange(n), x] = 1e4
    certain, far = ask(sure, x), ask(sure / 100, (x + 1) % V)
    flat = close(even, [math.log2(V), V], 2e-4) and close(certain, [0, 1])
    deep = close(far[0], 200 / math.log(2), 1e-4)
    yield claim(
        "uniform over V tokens has perplexity V, certainty has 1, and large logits are no harm",
        flat and deep,
        points=0.5,
        saw=f"perplexity {even[1]:.4g} over {V} tokens"
        if not close(even, [math.log2(V), V], 2e-4)
        else f"{certain[0]:.4g} bits for certainty"
        if not flat
        else f"{far[0]:.4g} bits for a token with p = e^−200",
        asks=f"{V}, 1, and {200 / math.log(2):.1f} bits for p = e^−200",
        advice=[
            when(
                not np.isfinite([*even, *certain, far[0]]).all() or (not deep and flat),
                "overflow",
                "e^−200 rounds to 0, and log 0 is −inf: use log_softmax, not the log of a softmax",
            ),
            *advice,
            "log_softmax, gather, mean",
        ],
        see=see,
    )


# --- joint and token-wise temperature -------------------------------------------------------------


def joint_tempered(p: np.ndarray, T: float) -> np.ndarray:
    """p^(1/T), normalized over all entries."""
    with np.errstate(divide="ignore"):
        return softmax(np.log(p).reshape(-1) / T).reshape(p.shape)


def tokenwise_tempered(p: np.ndarray, T: float, *, which: Callable = lambda t: True) -> np.ndarray:
    """The table of texts drawn token by token; the conditionals t (from 0) of `which` are hot."""
    q = np.ones_like(p)
    for t in range(p.ndim):
        marginal = p.sum(axis=tuple(range(t + 1, p.ndim)))
        with np.errstate(divide="ignore"):
            conditional = np.nan_to_num(softmax(np.log(marginal) / (T if which(t) else 1.0)))
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


_EPSILON = (
    "something small is added to the zeros, and a high temperature makes it large: log 0 = −inf may"
    " go into a softmax as it is"
)
WRONG_JOINTS: dict[str, Rule] = {
    "token-wise-for-joint": tokenwise_tempered,
    "last-token-only": lambda p, T: tokenwise_tempered(p, T, which=lambda t: t == p.ndim - 1),
    "rows-normalized": lambda p, T: normalized(p ** (1 / T)),
    "T-multiplied": lambda p, T: joint_tempered(p, 1 / T),
    "T-cancels": lambda p, T: p,
    "not-normalized": lambda p, T: p ** (1 / T),
    "divided": lambda p, T: p / T,
    "probabilities-for-logits": lambda p, T: softmax(p.reshape(-1) / T).reshape(p.shape),
    "marginals-tempered": independent_tempered,
}
_ON_JOINT = {
    "token-wise-for-joint": "each token is tempered here: joint temperature raises the "
    "probability of the WHOLE text to 1/T, and normalizes once, over all texts",
    "last-token-only": "only the last token is tempered, given the rest: the whole table is meant",
    "rows-normalized": "each row is normalized by itself: all entries together sum to 1",
    "T-multiplied": "p is raised to T: the exponent is 1/T",
    "T-cancels": "T has no effect",
    "not-normalized": "p^(1/T) must be divided by its sum over all texts",
    "divided": "p is divided by T: it is RAISED to 1/T, then normalized",
    "probabilities-for-logits": "probabilities are no logits: their logarithms are",
    "marginals-tempered": "the marginals are tempered, as if the steps were independent",
}


def _table(draw: Draw, *shape: int) -> np.ndarray:
    flat = draw.normal(math.prod(shape), scale=1.3)
    return softmax(flat).reshape(shape).astype(np.float32).astype(np.float64)


@checks("joint_temperature", lesson=LESSON, points=2)
def whole_texts_tempered(joint_temperature: Standin, draw: Draw) -> Iterator[Claim]:
    """Whole texts raised to 1/T, and normalized once."""
    see = "Exercise 5: what does a temperature do to a whole text?"

    def ask(p: np.ndarray, T: float) -> np.ndarray:
        return expect_array(joint_temperature(tensor(p), T), p.shape, "float", "the table")

    cool, hot = 0.4 + 0.3 * float(draw.uniform()), 1.5 + float(draw.uniform())
    cases = [
        (_table(draw, 2, 3), cool),
        (_table(draw, 3, 2, draw.integer(2, 4)), hot),
        (_table(draw, draw.integer(4, 7)), cool),
        (_table(draw, 2, 2, 2, 2), 1.0),
    ]
    got = [ask(*case) for case in cases]
    fits = [close(g, joint_tempered(*case)) for g, case in zip(got, cases, strict=True)]
    named = fitting(got, cases, WRONG_JOINTS)
    advice: list[str | Advice] = _named(named, _ON_JOINT)
    at = fits.index(False) if not all(fits) else 0
    yield claim(
        "each text's probability is raised to 1/T, and all texts together sum to 1",
        all(fits),
        points=1.25,
        saw=f"{shown(got[at])} with sum {got[at].sum():.4g}, at T = {cases[at][1]:.2f}",
        asks="p(x)^(1/T) over the sum of all p(x')^(1/T), for a table of any number of axes",
        advice=[*advice, "square the tree's four numbers by hand, and compare"],
        see=see,
    )
    # The best text does not start with the best first token: tempering tokens is told apart too.
    small = np.array([[3e-5, 3e-5, 1e-9, 0.0], [4.5e-5, 1e-9, 0.0, 1e-7], [1e-8, 0.0, 2e-5, 1e-9]])
    rows, columns = draw.permutation(3), draw.permutation(4)
    small = small[rows][:, columns].astype(np.float32).astype(np.float64)
    certain = small.copy()
    certain[np.unravel_index(int(np.argmin(small)), small.shape)] = 1 - small.sum()
    got_small, got_certain, got_hot = ask(small, 0.01), ask(certain, 0.5), ask(certain, 8.0)
    edge = close(got_small, joint_tempered(small, 0.01), 5e-3)
    edge = edge and close(got_certain, joint_tempered(certain, 0.5))
    edge = edge and close(got_hot, joint_tempered(certain, 8.0))
    nan = not all(np.isfinite(got).all() for got in (got_small, got_certain, got_hot))
    never = max(got_small[small == 0].max(), got_hot[certain == 0].max())
    yield claim(
        "small probabilities survive T = 0.01, and impossible texts stay impossible",
        edge and never == 0,
        points=0.75,
        saw="NaN or inf"
        if nan
        else f"up to {never:.3g} for a text that cannot happen"
        if never > 0
        else f"{shown(got_small)} at T = 0.01, with all entries below 0.0001",
        asks="finite numbers that sum to 1: the largest text gets nearly all, zeros stay zeros",
        advice=[
            when(
                nan or abs(got_small.sum() - 1) > 1e-3,
                "underflow",
                "10^−5 to the power 100 rounds to 0, and 0/0 is NaN: take logarithms, divide by "
                "T, then a softmax",
            ),
            *advice,
            when(never > 0, "epsilon-in-log", _EPSILON),
            "exercise 1's function does it: the logits are log p",
        ],
        see=see,
    )


WRONG_TOKENWISE: dict[str, Rule] = {
    "joint-for-token-wise": joint_tempered,
    "only-the-last-tempered": lambda p, T: tokenwise_tempered(
        p, T, which=lambda t: t == p.ndim - 1
    ),
    "first-not-tempered": lambda p, T: tokenwise_tempered(p, T, which=lambda t: t > 0),
    "only-the-first-tempered": lambda p, T: tokenwise_tempered(p, T, which=lambda t: t == 0),
    "marginals-tempered": independent_tempered,
    "T-multiplied": lambda p, T: tokenwise_tempered(p, 1 / T),
    "T-cancels": lambda p, T: p,
    "rows-normalized": lambda p, T: normalized(p ** (1 / T)),
    "not-normalized": lambda p, T: p ** (1 / T),
    "tempered-before-marginals": lambda p, T: tokenwise_tempered(joint_tempered(p, T), T),
}
_ON_TOKENWISE = {
    "joint-for-token-wise": "this is the joint temperature: a prefix's conditionals come from the "
    "GIVEN p, and each is tempered and normalized by itself",
    "only-the-last-tempered": "only the last conditional is tempered: every step is, the first too",
    "first-not-tempered": "the first token is not tempered: p(x1) is a conditional too, of nothing",
    "only-the-first-tempered": "only the first token is tempered: every step is",
    "marginals-tempered": "each token's marginal is tempered, as if the steps were independent: "
    "the conditional given the prefix is meant",
    "T-multiplied": "the exponent is T here: it is 1/T",
    "T-cancels": "T has no effect",
    "rows-normalized": "this is the last conditional for every prefix: the prefix's own "
    "probability, tempered too, is missing",
    "not-normalized": "each tempered conditional must sum to 1",
    "tempered-before-marginals": "the table is tempered before its marginals are taken: first all "
    "conditionals of the given p, then temper them",
}


@checks("tokenwise_temperature", lesson=LESSON, points=3)
def each_token_tempered(tokenwise_temperature: Standin, draw: Draw) -> Iterator[Claim]:
    """Every conditional raised to 1/T and normalized, then multiplied."""
    see = "Exercise 5: what does a temperature do to a whole text?"

    def ask(p: np.ndarray, T: float) -> np.ndarray:
        return expect_array(tokenwise_temperature(tensor(p), T), p.shape, "float", "the table")

    cool, hot = 0.4 + 0.3 * float(draw.uniform()), 1.5 + float(draw.uniform())
    steps = _table(draw, 2, 3)  # not nearly independent, or both temperatures are one
    while np.abs(tokenwise_tempered(steps, cool) - joint_tempered(steps, cool)).sum() < 0.02:
        steps = _table(draw, 2, 3)
    cases = [
        (steps, cool),
        (_table(draw, 3, 2, draw.integer(3, 4)), hot),
        (_table(draw, 2, 3, 2, 2), cool),
    ]
    got = [ask(*case) for case in cases]
    fits = [close(g, tokenwise_tempered(*case)) for g, case in zip(got, cases, strict=True)]
    named = fitting(got, cases, WRONG_TOKENWISE)
    advice: list[str | Advice] = _named(named, _ON_TOKENWISE)
    at = fits.index(False) if not all(fits) else 0
    yield claim(
        "every conditional is tempered and normalized by itself, and the product is returned",
        all(fits),
        points=1.5,
        saw=f"{shown(got[at])} with sum {got[at].sum():.4g}, at T = {cases[at][1]:.2f}",
        asks="p(x_t | x_<t)^(1/T) over its sum over x_t, multiplied over all steps, the first too",
        advice=[*advice, "work out the tree at T = 0.5 by hand, and compare"],
        see=see,
    )

    a, b, c = (probabilities(draw, n) for n in (2, 3, draw.integer(2, 3)))
    free = a[:, None, None] * b[:, None] * c
    T = cool
    got_free = ask(free, T)
    gap = np.abs(got[0] - joint_tempered(*cases[0])).sum() / 2
    due = np.abs(tokenwise_tempered(*cases[0]) - joint_tempered(*cases[0])).sum() / 2
    yield claim(
        "it equals the joint temperature where the steps are independent, and not in general",
        close(got_free, joint_tempered(free, T)) and close(gap, due, 2e-4),
        points=0.75,
        saw=f"a total variation of {np.abs(got_free - joint_tempered(free, T)).sum() / 2:.4f} for "
        f"independent steps, and {gap:.4f} for others",
        asks=f"0 for independent steps, {due:.4f} for the others",
        advice=[
            *advice,
            "with independent steps, the product of powers is the power of the product",
        ],
        see=see,
    )

    p = _table(draw, 3, 3, 2)
    dead = draw.integer(0, 2)
    p[dead] = 0.0
    p[(dead + 1) % 3, draw.integer(0, 2)] = 0.0
    p /= p.sum()
    answers = [(ask(p, T), tokenwise_tempered(p, T)) for T in (0.02, cool, 8.0)]
    nan = not all(np.isfinite(got).all() for got, _ in answers)
    right = all(close(got, due, 2e-3) for got, due in answers)
    never = max(got[p == 0].max() for got, _ in answers)
    yield claim(
        "a prefix that cannot happen has probability 0, with no NaN, and T = 0.02 is no harm",
        right and not nan and never == 0,
        points=0.75,
        saw="NaN" if nan else f"up to {never:.3g} for texts that cannot happen",
        asks="0 for every text with that prefix",
        advice=[
            when(
                nan,
                "zero-over-zero",
                "a prefix of probability 0 has no conditional, and 0/0 is NaN: its texts have "
                "probability 0 (torch.nan_to_num); and take logs, since small numbers to the "
                "power 1/T round to 0",
            ),
            *advice,
            when(never > 0, "epsilon-in-log", _EPSILON),
            "texts after an impossible prefix are impossible",
        ],
        see=see,
    )


# --- drift ----------------------------------------------------------------------------------------

# The source's surprise takes two values, A after a likely token and B after an unlikely one, so the
# mean at a step says exactly how often the unlikely ones were drawn: q̂ = (mean − A)/(B − A). By
# Hoeffding, |q̂ − q| > BOUND has a probability below 2 exp(−2 DRAWS BOUND²) at a step; a test holds
# that all steps together raise a false alarm in fewer than one of a million runs.
LENGTH, VOCABULARY, DRAWS, BOUND = 5, 4, 8000, 0.04
LIKELY, UNLIKELY = 0.45, 0.05
A, B = -math.log(LIKELY), -math.log(UNLIKELY)


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
        answers = {
            "right": unlikely_shares(model, source),
            "real-prefixes": unlikely_shares(model, source, source),
            "argmax-for-draw": unlikely_shares(model, source, sharpen=True),
            "source-drawn": unlikely_shares(source, source),
            "uniform-drawn": unlikely_shares(
                [np.full_like(t, 1 / VOCABULARY) for t in model], source
            ),
        }
        names = list(answers)
        far = [np.abs(answers[a] - answers[b]).max() for a, b in itertools.combinations(names, 2)]
        if min(far) > 2.2 * BOUND and 0.05 < answers["right"].min() < answers["right"].max() < 0.95:
            return model, source, answers


_ON_DRIFT = {
    "real-prefixes": "the prefixes come from the source here, as in training: drift is measured "
    "on the model's OWN prefixes, so append what the model drew",
    "argmax-for-draw": "the most probable token is taken: draw from the model's distribution",
    "source-drawn": "the tokens are drawn from the source here: the MODEL writes, the source "
    "judges",
    "uniform-drawn": "the tokens are drawn evenly: draw with the model's probabilities",
}


@checks("drift", lesson=LESSON, points=3)
def surprise_of_the_source(drift: Standin, draw: Draw) -> Iterator[Claim]:
    """The model writes on its own prefixes, the source judges."""
    see = "Exercise 6: drift"

    def ask(model: list, source: list, count: int, generator: Any) -> tuple[np.ndarray, np.ndarray]:
        found = drifted(drift, model_of(model), model_of(source), count, len(model), generator)
        answer = found.get("answer") if isinstance(found, dict) else None
        if not isinstance(answer, tuple | list) or len(answer) != 2:
            raise WrongKind("drift should return (mean, standard error), two tensors")
        what = ("the means", "the standard errors")
        mean, error = (
            expect_array(a, (len(model),), "float", w) for a, w in zip(answer, what, strict=True)
        )
        return mean, error

    model, source, answers = drift_case(draw)
    right = answers.pop("right")
    mean, error = ask(model, source, DRAWS, draw.generator())
    share = (mean - A) / (B - A)
    off = np.abs(share - right)
    fits = bool((off <= BOUND).all())
    named = next((n for n, q in answers.items() if (np.abs(share - q) <= BOUND).all()), "")
    entropies, own, before = [], [], np.ones(1)
    for table in model:
        entropies.append(float(-(before[:, None] * table * np.log(table)).sum()))
        before = (before[:, None] * table).reshape(-1)
    own = np.array(entropies)
    due = A + (B - A) * right
    sums = np.cumsum(due)
    slack = BOUND * (B - A)
    advice: list[str | Advice] = [
        *(when(name == named, name, text) for name, text in _ON_DRIFT.items()),
        when(
            (np.abs(mean - own) < 0.12).all(),
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
        when((np.abs(mean + due) < slack).all(), "sign", "surprise is MINUS log p"),
        when(
            (np.abs(mean - due / math.log(2)) < slack / math.log(2)).all(),
            "bits-for-nats",
            "these are bits: nats are asked",
        ),
    ]
    at = int(np.argmax(np.where(np.isnan(off), np.inf, off)))
    yield claim(
        "at each position, the mean of −log p_source of what the model drew after its own prefix",
        fits,
        points=1.5,
        saw=f"{mean[at]:.3f} nats at position {at + 1}",
        asks=f"{due[at]:.3f} nats, up to chance ({BOUND * (B - A):.2f} at most)",
        advice=[
            *advice,
            "draw from the model, ask the source about the drawn token, append it, and go on",
        ],
        see=see,
    )

    sound = bool(((share > 0.01) & (share < 0.99)).all())
    with np.errstate(all="ignore"):
        deviation = (B - A) * np.sqrt(share * (1 - share))
    wanted = deviation / math.sqrt(DRAWS)
    good = sound and close(error / np.where(sound, wanted, 1), np.ones(LENGTH), 3e-3)

    def is_(value: np.ndarray) -> bool:
        return sound and np.allclose(error, value, rtol=5e-3)

    yield claim(
        "the standard error is the standard deviation over the texts, divided by √count",
        good,
        points=0.75,
        saw=f"{error[0]:.4g} at position 1 with {DRAWS:,} texts",
        asks=f"about {wanted[0]:.2g}, from the same surprises as the mean"
        if sound
        else "the spread of the surprises that the mean is taken of",
        advice=[
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
            *advice,
            "surprises (count, length): .std(dim=0) / math.sqrt(count)",
        ],
        see=see,
    )

    seed = draw.integer(1, 2**31)
    generators = [torch.Generator().manual_seed(seed + s) for s in (0, 0, 1)]
    start = generators[0].get_state()
    first, again, other = (ask(model, source, 50, g)[0] for g in generators)
    turned = [t[..., ::-1].copy() for t in model]
    heard = looks_at(lambda one, g: ask(one, source, 50, g)[0], model, turned, draw.apart())
    moved = not torch.equal(start, generators[0].get_state())
    same, differs = bool((first == again).all()), bool((first != other).any())
    yield claim(
        "all randomness comes from the given generator",
        moved and same and differs,
        points=0.75,
        saw="a generator that nobody has used"
        if not moved
        else "different answers from equal generators"
        if not same
        else "equal answers from different generators",
        asks="equal generators give equal draws, others give others",
        waits=waits_unless(heard, "means that change with the model"),
        advice=[
            when(
                not moved and not same,
                "generator-ignored",
                "hand the generator on: torch.multinomial(p, 1, generator=generator)",
            ),
            when(
                not moved,
                "not-random",
                "nothing is drawn here, or from a generator of your own: use the given one",
            ),
            when(
                not differs,
                "reseeded",
                "the generator is set back inside: use it as it comes",
            ),
            "use the given generator, and no other source of randomness",
        ],
        see=see,
    )
