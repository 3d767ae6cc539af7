"""Checks of lesson 05, MADE: masks, and what they make of a network.

Notation: n variables, order[d] the place 1 … n of variable d, m(k) the degree of a hidden unit
(Germain, Gregor, Murray and Larochelle, 2015, "MADE", figure 1 and equations 12 and 13).
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch

from autograder import claim, expect_array, when
from autograder.checking import checks
from autograder.checks.witness import carries_its_weights, waits_unless
from autograder.claims import Claim
from autograder.draw import Draw
from autograder.inside import gradient_step
from autograder.inside.made import (
    facts_about_mask,
    fill_mask,
    fill_weights,
    recorded,
    sample_from_tables,
    weight_gradient,
)
from autograder.remote.proxy import Standin, WrongKind, made_by
from course.causality import dependency_map, past, randomize_parameters

LESSON = "05_made"


# --- what the mathematics says --------------------------------------------------------------------


def masks_by_rule(
    degrees: Sequence[np.ndarray],
    order: np.ndarray,
    *,
    hidden: str = ">=",
    output: str = ">",
    order_in: np.ndarray | None = None,
    order_out: np.ndarray | None = None,
) -> list[np.ndarray]:
    """The masks of MADE as bool arrays (out, in); the options give the rule's usual corruptions."""
    compare = {
        ">=": np.greater_equal,
        ">": np.greater,
        "<=": np.less_equal,
        "<": np.less,
    }
    below = order if order_in is None else order_in
    masks = []
    for layer in degrees:
        masks.append(compare[hidden](layer[:, None], below[None, :]))
        below = layer
    above = order if order_out is None else order_out
    return [*masks, compare[output](above[:, None], below[None, :])]


def paths(masks: Sequence[np.ndarray]) -> np.ndarray:
    """Number of paths, int64 (n outputs, n inputs): the product of the masks, last layer first."""
    count = masks[-1].astype(np.int64)
    for mask in reversed(masks[:-1]):
        count = count @ mask.astype(np.int64)
    return count


def draw_degrees(draw: Draw, n: int, hidden_sizes: Sequence[int]) -> list[np.ndarray]:
    """Degrees as the lesson wants them, drawn here, so that no check needs another exercise."""
    degrees, lowest = [], 1
    for size in hidden_sizes:
        layer = draw.rng.integers(lowest, max(n, lowest + 1), size=size)
        degrees.append(layer.astype(np.int64))
        lowest = int(layer.min())
    return degrees


def draw_order(draw: Draw, n: int) -> np.ndarray:
    """Places 1 … n; for n ≥ 3 not their own inverse, so that mixing the two up shows."""
    while True:
        order = draw.permutation(n) + 1
        if n < 3 or (order[order - 1] != np.arange(1, n + 1)).any():
            return order


def all_bits(n: int) -> np.ndarray:
    """All 2^n bit vectors, float32 (2^n, n)."""
    return np.array(list(itertools.product((0, 1), repeat=n)), dtype=np.float32)


def softplus(x: np.ndarray) -> np.ndarray:
    """log(1 + e^x) without overflow."""
    return np.logaddexp(0.0, x)


def log_bernoulli(logits: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Σ_d log p(x_d) in nats for logits and bits of shape (B, n)."""
    return -(softplus(logits) - x * logits).sum(-1)


def tensor(array: Any) -> torch.Tensor:
    """The array as a tensor of its own."""
    return torch.tensor(np.asarray(array))


def close(a: np.ndarray, b: np.ndarray, tolerance: float = 1e-4) -> bool:
    """Equal in shape, and in value up to `tolerance` (absolute, and relative to b)."""
    return a.shape == b.shape and np.allclose(a, b, rtol=tolerance, atol=tolerance)


# --- assign_degrees -------------------------------------------------------------------------------


@checks("assign_degrees", lesson=LESSON, points=2)
def degrees_of_hidden_units(assign_degrees: Standin, draw: Draw) -> Iterator[Claim]:
    """A unit's degree says how many of the first variables it may see."""

    def assign(n: int, hidden: tuple[int, ...], generator: Any = None) -> list[np.ndarray]:
        found = assign_degrees(n, hidden, draw.generator() if generator is None else generator)
        if not isinstance(found, list | tuple):
            raise WrongKind("assign_degrees should return a list with one tensor a hidden layer")
        if len(found) == len(hidden) + 1:
            raise WrongKind(
                f"assign_degrees should return {len(hidden)} tensors, one a hidden layer, without "
                f"the inputs' own degrees: got {len(found)}"
            )
        if len(found) != len(hidden):
            raise WrongKind(
                f"assign_degrees should return {len(hidden)} tensors, one a hidden layer: "
                f"got {len(found)}"
            )
        return [
            expect_array(layer, (size,), "int", f"the degrees of hidden layer {i}")
            for i, (layer, size) in enumerate(zip(found, hidden, strict=True), 1)
        ]

    n, wide = draw.integer(5, 8), (draw.integer(3000, 3200), 3000)
    first, second = assign(n, wide)
    low = min(first.min(), second.min())
    high = max(first.max(), second.max())
    undrawn = waits_unless(low < high, "degrees that are drawn: these are all alike")
    yield claim(
        "every degree lies in 1 … n−1",
        low >= 1 and high <= n - 1,
        points=0.5,
        saw=f"degrees from {low} to {high} at n = {n}",
        asks=f"degrees from 1 to {n - 1}",
        waits=waits_unless(undrawn == "" or low < 1 or high > n - 1, undrawn),
        advice=[
            when(
                low == 0 and high == n - 2,
                "degrees-from-0",
                "your degrees count from 0, the places of the inputs from 1: shift them by one",
            ),
            when(
                low <= 0,
                "degree-0",
                "a unit of degree 0 sees no input at all: it can only act as one more bias",
            ),
            when(
                high == n,
                "degree-n",
                "a unit of degree n sees all inputs, so no output may listen to it: a dead unit "
                "(torch.randint leaves its upper end out)",
            ),
            "a degree is the number of leading variables that a unit may see, and some output must "
            "be left to use it",
        ],
        see="Exercise 1: a degree for every hidden unit",
    )

    # Bernoulli counts around N/(n−1): a false alarm at 7 standard deviations has, by Hoeffding
    # and the at most 14 counts, a probability below 1e-9.
    share = 1 / (n - 1)
    counts = [np.array([(layer == d).sum() for d in range(1, n)]) for layer in (first, second)]
    # Degrees outside the range take their share from those inside, too little to see in every draw.
    even = all(
        c.sum() == len(layer)
        and np.abs(c - len(layer) * share).max() < 7 * np.sqrt(len(layer) * share)
        for c, layer in zip(counts, (first, second), strict=True)
    )
    pair = assign(2, (3, 2)) if even else []
    yield claim(
        "every allowed degree is drawn, and equally often",
        even and all((layer == 1).all() for layer in pair),
        points=0.5,
        saw=f"{counts[0].tolist()} units of degree 1 … {n - 1} in a layer of {len(first)}, then "
        f"{counts[1].tolist()} in the next",
        asks="every degree from the smallest allowed one to n−1, n−1 included",
        advice=[
            when(
                counts[0][-1] == 0 and counts[0][:-1].all(),
                "degree-never-n-1",
                "the degree n−1 never comes, so no unit sees what the last output needs: "
                "torch.randint leaves its upper end out",
            ),
            when(
                counts[0].all() and not counts[1][:-1].any(),
                "maximum-for-minimum",
                "your second layer starts at the LARGEST degree below it, not at the smallest",
            ),
            when(
                counts[0].all() and not counts[1][0],
                "minimum-itself-left-out",
                "a degree equal to the smallest of the layer before is allowed: that unit still "
                "finds somebody below to listen to",
            ),
            "draw uniformly from the allowed degrees",
        ],
        see="Exercise 1: a degree for every hidden unit",
    )

    below = ""
    for _ in range(30):
        m = draw.integer(6, 9)
        layers = assign(m, (2, draw.integer(2, 3), 3))
        for i, (before, after) in enumerate(itertools.pairwise(layers), 1):
            if after.min() < before.min() and not below:
                below = (
                    f"a degree {after.min()} in layer {i + 1} over a layer {i} whose smallest "
                    f"degree is {before.min()}, at n = {m}"
                )
    yield claim(
        "no degree is below the smallest degree of the layer before",
        not below,
        points=0.5,
        saw=below,
        asks="at least one unit below for every unit to listen to",
        waits=undrawn,
        advice=[
            when(
                below,
                "below-the-minimum",
                "a unit may only listen to units of its own degree or less: below the smallest "
                "degree of the layer before there is nobody, and the unit is dead",
            ),
        ],
        see="Exercise 1: a degree for every hidden unit",
    )

    seed = draw.integer(1, 2**31)
    generators = [torch.Generator().manual_seed(seed + s) for s in (0, 0, 1)]
    start = generators[0].get_state()
    a, b, c = (assign(n, (40, 40), g) for g in generators)
    same = all((p == q).all() for p, q in zip(a, b, strict=True))
    other = any((p != q).any() for p, q in zip(a, c, strict=True))
    moved = not torch.equal(start, generators[0].get_state())
    yield claim(
        "the degrees are drawn from the given generator",
        same and other and moved,
        points=0.5,
        saw="other degrees from an equal generator"
        if not same
        else "equal degrees from different generators"
        if not other
        else "a generator that nobody has used",
        asks="equal generators give equal degrees, others give others",
        advice=[
            when(
                not moved,
                "generator-ignored",
                "hand the generator on: torch.randint(…, generator=generator)",
            ),
            "use the given generator, and no other source of randomness",
        ],
        see="Exercise 1: a degree for every hidden unit",
    )


# --- build_masks ----------------------------------------------------------------------------------


def corruptions(degrees: list[np.ndarray], order: np.ndarray) -> dict[str, list[np.ndarray]]:
    """The masks that known misconceptions give, by name; the first name that fits is told."""
    n = len(order)
    natural, inverse = np.arange(1, n + 1), np.argsort(order) + 1
    right = masks_by_rule(degrees, order)
    return {
        "all-zero": [np.zeros_like(m) for m in right],
        "all-one": [np.ones_like(m) for m in right],
        "output-sees-itself": masks_by_rule(degrees, order, output=">="),
        "hidden-strict": masks_by_rule(degrees, order, hidden=">"),
        "comparisons-swapped": masks_by_rule(degrees, order, hidden=">", output=">="),
        "hidden-reversed": masks_by_rule(degrees, order, hidden="<="),
        "output-reversed": masks_by_rule(degrees, order, output="<"),
        "order-ignored": masks_by_rule(degrees, natural),
        "order-ignored-at-output": masks_by_rule(degrees, order, order_out=natural),
        "order-ignored-at-input": masks_by_rule(degrees, order, order_in=natural),
        "order-inverted": masks_by_rule(degrees, inverse),
        "places-from-0": masks_by_rule(degrees, order - 1),
    }


_ADVICE_ON_MASKS = {
    "all-zero": "nothing is connected: that is blind to the future, and to the past as well",
    "all-one": "everything is connected: compare degrees to decide which connections may stay",
    "output-sees-itself": "your output mask uses ≥: output d then sees input d, itself",
    "hidden-strict": "your hidden masks use >: a unit may also listen to units of its OWN degree, "
    "and an input of place m may reach a unit of degree m",
    "comparisons-swapped": "≥ and > have changed places: hidden units take ≥, outputs take >",
    "hidden-reversed": "your hidden comparison points the wrong way: a unit listens to degrees at "
    "most its own, m(k) ≥ m(d)",
    "output-reversed": "your output comparison points the wrong way: output d listens to degrees "
    "below its place, order[d] > m(k)",
    "order-ignored": "your masks do not depend on order: the degree of input d is order[d]",
    "order-ignored-at-output": "the order is used at the inputs only: output d has the "
    "place order[d] too, or it will see variables that come later",
    "order-ignored-at-input": "the order is used at the outputs only: input d has the "
    "degree order[d]",
    "order-inverted": "order[d] already is the place of variable d: no argsort is needed",
    "places-from-0": "places count from 1, as the degrees do: with places from 0 the second output "
    "loses the first input",
}


@checks("build_masks", lesson=LESSON, points=4)
def masks_of_a_made(build_masks: Standin, draw: Draw) -> Iterator[Claim]:
    """Degrees decide which connections may stay."""
    cases = []
    for n, hidden, natural in (
        (draw.integer(4, 6), (draw.integer(9, 14),), True),
        (draw.integer(5, 7), (draw.integer(6, 8), draw.integer(9, 11)), False),
        (draw.integer(3, 4), (5, 6, 7), False),
        (2, (draw.integer(2, 3),), False),
        (1, (2,), True),
    ):
        order = np.arange(1, n + 1) if natural else draw_order(draw, n)
        cases.append((draw_degrees(draw, n, hidden), order))
    # One unit, so that a reversed comparison has no other way to the first input.
    cases.append(([np.array([2])], np.arange(1, 4)))

    answers, problem, turned = [], "", False
    for degrees, order in cases:
        given = build_masks([tensor(d) for d in degrees], tensor(order))
        right = masks_by_rule(degrees, order)
        masks, told, transposed = _masks_from(given, right)
        if told and not problem:
            problem, turned = told, transposed
        answers.append(masks)
    # Of masks that let everything or nothing through, some claims would be true for free.
    trivial = not problem and len({bool(v) for masks in answers for m in masks for v in m.flat}) < 2
    yield claim(
        "there is one mask of zeros and ones for each layer, of shape (out, in)",
        not problem and not trivial,
        points=0.5,
        saw=problem or "masks that are all alike",
        asks="hidden layers first, the output's mask last, each shaped like nn.Linear.weight",
        advice=[
            when(
                turned,
                "transposed",
                "your masks are transposed: rows are the units that listen, columns the ones heard",
            ),
            when(trivial and answers[0][0].all(), "all-one", _ADVICE_ON_MASKS["all-one"]),
            when(trivial, "all-zero", _ADVICE_ON_MASKS["all-zero"]),
            "a network with L hidden layers has L + 1 masks",
        ],
        see="Exercise 2: the mask rule",
    )
    if problem:
        return

    named = next(
        (
            name
            for name in _ADVICE_ON_MASKS
            if all(
                all((a == b).all() for a, b in zip(m, corruptions(d, o)[name], strict=True))
                for (d, o), m in zip(cases, answers, strict=True)
            )
        ),
        "",
    )
    advice = [when(name == named, name, text) for name, text in _ADVICE_ON_MASKS.items()]
    see = "Exercise 2: the mask rule"

    leak, gap, odd, any_path = "", "", "", False
    for (degrees, order), masks in zip(cases, answers, strict=True):
        n, right = len(order), masks_by_rule(degrees, order)
        reach, wanted = paths(masks), paths(right)
        any_path |= bool(reach.any())
        for d, j in np.argwhere((reach > 0) & ~past(order)):
            leak = leak or (
                f"{_paths(reach[d, j])} from input {j + 1} to output {d + 1} at n = {n}, order "
                f"{order.tolist()}"
            )
        for d, j in np.argwhere((reach == 0) & (wanted > 0)):
            gap = gap or (
                f"no path from input {j + 1} to output {d + 1} at n = {n}, order {order.tolist()}"
            )
        for i, (mask, rule) in enumerate(zip(masks, right, strict=True), 1):
            if (mask != rule).any():
                odd = odd or (
                    f"mask {i} of {len(masks)} has {(mask & ~rule).sum()} connections too many and "
                    f"{(rule & ~mask).sum()} too few"
                )
    yield claim(
        "no output sees itself or the future",
        any_path and not leak,
        points=1,
        saw=leak or "no path at all, from any input to any output",
        asks="no path from x_d to output d, nor from a later variable",
        advice=[*advice, "follow one path of the explorer below, and look which step allows it"],
        see=see,
    )
    yield claim(
        "every output sees all of its past, as far as the degrees allow",
        not gap and not trivial,
        points=1.5,
        saw=gap or "a path from everywhere to everywhere, which is no mask at all",
        asks="a path wherever a chain of degrees leads from the input up to the output",
        advice=[*advice, "one of the two comparisons forbids more than it must"],
        see=see,
    )
    yield claim(
        "every connection that the rule allows is there, and no other",
        not odd,
        points=1,
        saw=odd,
        asks="hidden M[k, d] = 1 where m(k) ≥ m(d); output M[d, k] = 1 where order[d] > m(k)",
        advice=[*advice, "compare with the masks of the worked example, entry by entry"],
        see=see,
    )


def _paths(count: int) -> str:
    return "1 path" if count == 1 else f"{count} paths"


def _masks_from(given: Any, right: list[np.ndarray]) -> tuple[list[np.ndarray], str, bool]:
    """The masks as bool arrays; or what is wrong with their form, and whether it is a transpose."""
    if not isinstance(given, list | tuple):
        raise WrongKind("build_masks should return a list with one mask a layer")
    if len(given) != len(right):
        return [], f"{len(given)} masks for {len(right) - 1} hidden layers", False
    masks = [expect_array(m, None, "any", f"mask {i}") for i, m in enumerate(given, 1)]
    wanted, got = [m.shape for m in right], [m.shape for m in masks]
    if got != wanted:
        i = next(i for i, (w, g) in enumerate(zip(wanted, got, strict=True)) if w != g)
        turned = got == [shape[::-1] for shape in wanted]
        return [], f"mask {i + 1} has shape {got[i]}, the layer's weight {wanted[i]}", turned
    for i, mask in enumerate(masks, 1):
        if not np.isin(mask, (0, 1)).all():
            return [], f"mask {i} holds other values than 0 and 1", False
    return [mask.astype(bool) for mask in masks], "", False


# --- connectivity ---------------------------------------------------------------------------------


@checks("connectivity", lesson=LESSON, points=2)
def paths_through_the_masks(connectivity: Standin, draw: Draw) -> Iterator[Claim]:
    """Paths multiply along a chain of layers and add over the units of a layer."""

    def random_masks(n: int, hidden: tuple[int, ...], density: float = 0.6) -> list[np.ndarray]:
        sizes = [n, *hidden, n]
        return [draw.uniform(b, a) < density for a, b in itertools.pairwise(sizes)]

    def count(masks: list[np.ndarray], dtype: torch.dtype) -> np.ndarray:
        n = masks[-1].shape[0]
        answer = connectivity([tensor(m).to(dtype) for m in masks])
        return expect_array(answer, (n, n), "any", "the connectivity")

    # All layers of one width first: a product in the wrong order then has a shape, and a name.
    square = random_masks(4, (4, 4))
    while len({p.tobytes() for p in (paths(square), paths(square).T, paths(square[::-1]))}) < 3:
        square = random_masks(4, (4, 4))
    got, wanted = count(square, torch.float32), paths(square)
    first = [when(*args) for args in _wrong_counts(got, square)]
    fits = close(got.astype(np.float64), wanted.astype(np.float64))
    saw = f"{_listed(got)} for a product of three 4 × 4 masks"
    if fits:
        for hidden, dtype in (((6,), torch.float32), ((3, 5), torch.bool), ((), torch.int64)):
            masks = random_masks(draw.integer(2, 4), hidden)
            got, wanted = count(masks, dtype), paths(masks)
            if not close(got.astype(np.float64), wanted.astype(np.float64)):
                fits = False
                saw = f"{_listed(got)} at hidden sizes {list(hidden)}"
                break
    yield claim(
        "C[d, j] is the number of paths from input j to output d",
        fits,
        points=1,
        saw=saw,
        asks="the matrix product of the masks: paths multiply along layers and add over units",
        advice=[*first, "check your product on the worked example: two paths lead from 1 to 3"],
        see="Exercise 3: counting paths",
    )
    got = count(square, torch.float32)
    yield claim(
        "counts are whole numbers of dtype int64",
        got.dtype.kind == "i" and bool(got.any()),
        points=0.5,
        saw=f"an answer of kind {got.dtype}" if got.dtype.kind != "i" else "no path at all",
        asks="int64",
        waits=waits_unless(np.ptp(got) > 0 or not got.any(), "counts that are not all alike"),
        advice="turn the masks into int64 before you multiply them: mask.long()",
        see="Exercise 3: counting paths",
    )
    wide = random_masks(3, (draw.integer(401, 420), 411, 403), density=0.9)
    got, wanted = count(wide, torch.float32), paths(wide)
    off = np.abs(got.astype(np.float64) - wanted).max()
    yield claim(
        "counts are exact, above 2^24 too",
        off == 0,
        points=0.5,
        saw=f"a count that is off by {off:g}, of about {float(wanted.max()):.0e}",
        asks="exact counts: three layers of 400 units already make tens of millions of paths",
        advice=[
            when(
                fits and 0 < off < 1e-3 * wanted.max(),
                "float32-rounding",
                "float32 holds whole numbers exactly up to 2^24 = 16,777,216 only: use int64",
            ),
            "multiply in int64",
        ],
        see="Exercise 3: counting paths",
    )


def _listed(counts: np.ndarray) -> list:
    """As nested lists; whole numbers without a point."""
    counts = counts.astype(np.float64)
    whole = np.isfinite(counts).all() and (counts == counts.round()).all()
    return (counts.astype(np.int64) if whole else counts.round(3)).tolist()


def _wrong_counts(got: np.ndarray, masks: list[np.ndarray]) -> list[tuple[bool, str, str]]:
    right = paths(masks)
    return [
        (
            close(got, right.T),
            "transposed",
            "your matrix is transposed: rows are outputs, columns are inputs",
        ),
        (
            close(got, paths(masks[::-1])) or close(got, paths(masks[::-1]).T),
            "product-in-wrong-order",
            "the last layer stands leftmost in the product, as in y = M3 (M2 (M1 x))",
        ),
        (
            close(got.astype(float), (right > 0).astype(float)),
            "reachable-for-count",
            "this says WHETHER there is a path; how many there are tells more",
        ),
        (
            close(got, np.prod(masks, axis=0)),
            "elementwise",
            "* multiplies entry by entry; paths need the matrix product @",
        ),
    ]


# --- MaskedLinear ---------------------------------------------------------------------------------


@checks("MaskedLinear", lesson=LESSON, points=3)
def a_linear_layer_with_a_mask(MaskedLinear: Standin, draw: Draw) -> Iterator[Claim]:
    """A linear layer in which a connection without a 1 in the mask does not exist."""
    see = "Exercise 4: a linear layer with a mask"

    # The square one first, so that a transposed mask gives numbers, and its name.
    cases = []
    for size_in, size_out, bias, dtype in (
        (5, 5, True, torch.float32),
        (draw.integer(3, 6), draw.integer(7, 9), True, torch.bool),
        (4, 3, False, torch.float32),
    ):
        mask = draw.uniform(size_out, size_in) < 0.5
        mask[0], mask[1], mask[2, :2] = False, True, (True, False)
        cases.append((size_in, size_out, mask, bias, tensor(mask).to(dtype)))

    wrong, advice = "", []
    for size_in, size_out, mask, bias, given in cases:
        layer = made_by(MaskedLinear, size_in, size_out, given, bias=bias)
        weight = draw.normal(size_out, size_in)
        offset = draw.normal(size_out) + 3
        fill_weights(layer, tensor(weight).float(), tensor(offset).float())
        x = draw.normal(6, size_in)
        got = expect_array(layer(tensor(x).float()), (6, size_out), "float", "the output")
        offset = offset if bias else 0 * offset
        right = x @ (weight * mask).T + offset
        if close(got, right, 1e-3):
            continue
        bare = got - x @ (weight * mask).T
        advice = [
            when(
                close(got, x @ weight.T + offset, 1e-3),
                "mask-only-at-init",
                "new weights escape your mask: multiply by it in forward, each time",
            ),
            when(
                size_in == size_out and close(got, x @ (weight * mask.T).T + offset, 1e-3),
                "transposed",
                "your mask is transposed: it has the shape and the meaning of self.weight",
            ),
            when(
                close(bare, np.broadcast_to(offset * mask.any(1), bare.shape), 1e-3)
                or close(bare, np.broadcast_to(offset * mask[:, 0], bare.shape), 1e-3),
                "mask-on-bias",
                "the bias is masked too: a unit without any input still has its bias",
            ),
            when(
                close(got, (x @ weight.T + offset) * mask.any(1), 1e-3),
                "mask-on-output",
                "this masks whole outputs: a mask belongs to the weights, one entry a connection",
            ),
            when(
                bias and close(got, x @ (weight * mask).T, 1e-3),
                "bias-forgotten",
                "the bias is missing",
            ),
            when(
                close(got, x @ (weight * ~mask).T + offset, 1e-3),
                "mask-inverted",
                "your mask keeps what it should remove: a connection stays where the mask is 1",
            ),
            "compute one output of the worked example by hand, and compare",
        ]
        wrong = (
            f"outputs that differ by up to {np.abs(got - right).max():.2g}, mask of {given.dtype}"
        )
        break
    yield claim(
        "the output is (W∘M) x + b",
        not wrong,
        points=1,
        saw=wrong,
        asks="one entry of the mask for each entry of the weight; the bias stays whole",
        advice=advice or "multiply the weight by the mask, entry by entry",
        see=see,
    )

    # One step of gradient descent on the mean square of the outputs, worked out here as well: what
    # the layer answers after it tells which weights have moved, and how far.
    n_in, n_out, rate = 5, 6, 0.5
    mask = draw.uniform(n_out, n_in) < 0.5
    mask[0], mask[:, 0] = False, True
    other = ~mask
    layer = made_by(MaskedLinear, n_in, n_out, tensor(mask).float())
    weight, offset = draw.normal(n_out, n_in), draw.normal(n_out) + 3
    fill_weights(layer, tensor(weight).float(), tensor(offset).float())
    x, probe = draw.normal(8, n_in), draw.normal(8, n_in)
    single = tensor(x).float()

    def answer(of: Any) -> np.ndarray:
        return expect_array(of(tensor(probe).float()), (8, n_out), "float", "the output")

    def stepped(mask: np.ndarray) -> None:
        nonlocal weight, offset
        y = x @ (weight * mask).T + offset
        slope = 2 * y / y.size
        weight, offset = (
            weight - rate * (slope.T @ x) * mask,
            offset - rate * slope.sum(0),
        )

    gradient_step(layer, single, rate)
    stepped(mask)
    after_step = close(answer(layer), probe @ (weight * mask).T + offset, 1e-3)
    leak_after_step = _sees(layer, single) & ~mask
    gradient = weight_gradient(layer, single)
    arrives = gradient is not None
    if arrives:
        gradient = expect_array(gradient, (n_out, n_in), "float", "the gradient of the weight")
    trained_where_masked = arrives and (gradient[~mask] != 0).any()
    untrained = not arrives or (gradient[mask] == 0).all()
    took = fill_mask(layer, tensor(other).float())
    after_change = close(answer(layer), probe @ (weight * other).T + offset, 1e-3)
    leak_after_change = _sees(layer, single) & ~other if took else np.zeros_like(mask)
    yield claim(
        "the mask holds on every call: after training steps, and when it is changed",
        after_step and after_change,
        points=1,
        saw=f"{leak_after_step.sum()} masked connections at work after one training step"
        if leak_after_step.any()
        else "no gradient for the weights"
        if untrained
        else "a gradient for weights that the mask removes"
        if trained_where_masked
        else "no tensor called mask that could be changed"
        if not took
        else f"{leak_after_change.sum()} connections at work that the new mask removes"
        if leak_after_change.any()
        else "other outputs than those of the weights after a step of training"
        if not after_step
        else "other outputs than those of the same weights under the new mask",
        asks="weights that the mask keeps are trained, the others do not exist, whatever they hold",
        advice=[
            when(
                leak_after_step.any() or trained_where_masked,
                "mask-only-at-init",
                "the optimizer moves weights that you set to zero once: apply the mask in forward",
            ),
            when(
                untrained,
                "gradient-cut",
                "no gradient reaches the weight: .data and .detach() cut it off; use self.weight "
                "itself",
            ),
            when(
                leak_after_change.any(),
                "mask-frozen",
                "forward must read self.mask each time: a product kept from __init__ goes stale",
            ),
            "keep the mask as self.mask and multiply by it in forward",
        ],
        see=see,
    )

    # A copy that loads what was saved, and is then trained with everything set to be trained.
    state = layer.state_dict()
    fresh = made_by(MaskedLinear, n_in, n_out, tensor(mask).float())
    if isinstance(state, dict):
        fresh.load_state_dict(state)
    saved = close(answer(fresh), probe @ (weight * other).T + offset, 1e-3)
    fresh.requires_grad_(True)
    gradient_step(fresh, single, rate)
    stepped(other)
    steady = close(answer(fresh), probe @ (weight * other).T + offset, 1e-3)
    # What the student's side says of it: the words rest on it, and no point does alone.
    facts = facts_about_mask(layer)
    facts = {k: isinstance(facts, dict) and facts.get(k) is True for k in (
        "parameter", "buffer", "saved", "moves"
    )}  # fmt: skip
    yield claim(
        "the mask is a buffer: saved with the model, moved with it, and never trained",
        saved and steady and facts["moves"] and facts["saved"] and not facts["parameter"],
        points=1,
        saw="a mask among the parameters"
        if facts["parameter"]
        else "a mask that is left behind when the layer moves to another device"
        if not facts["moves"]
        else "a mask that is missing in state_dict"
        if not facts["saved"]
        else "a layer that answers otherwise once it is saved and loaded"
        if not saved
        else "a layer whose mask does not outlast a step of training",
        asks='self.register_buffer("mask", …)',
        advice=[
            when(
                facts["parameter"],
                "mask-is-parameter",
                "an nn.Parameter is trained: the optimizer would learn the mask away",
            ),
            when(
                facts["buffer"] and not facts["saved"],
                "mask-not-persistent",
                "with persistent=False a saved model loses its order: leave that out",
            ),
            when(
                not facts["buffer"],
                "mask-plain-attribute",
                "a plain attribute stays behind on .to(device) and is lost on saving: register it "
                "as a buffer",
            ),
            "register the mask as a buffer named mask",
        ],
        see=see,
    )


def _sees(layer: Any, x: torch.Tensor) -> np.ndarray:
    """Which outputs change, bit by bit, when one input does: bool (out, in)."""
    base = expect_array(layer(x), (len(x), None), "float", "the output")
    seen = np.zeros((base.shape[1], x.shape[1]), dtype=bool)
    for j in range(x.shape[1]):
        changed = x.clone()
        changed[:, j] += 1.0
        answer = expect_array(layer(changed), base.shape, "float", "the output")
        seen[:, j] = (answer != base).any(0)
    return seen


# --- MADE -----------------------------------------------------------------------------------------


@checks("MADE", lesson=LESSON, points=6)
def a_distribution_in_one_pass(MADE: Standin, draw: Draw) -> Iterator[Claim]:
    """All n conditionals at once, and a distribution that can be evaluated and sampled."""
    see = "Exercise 5: MADE"

    # Layers so wide that every degree occurs in each, or no network could see all of its past:
    # one is missing with a probability below 6 · (5/6)^160 < 2e-12.
    leaks, gaps, shown, mixing, alive, everything = [], [], "", False, False, True
    for n, hidden, turn in ((2, (8,), False), (draw.integer(5, 7), (160, 160), True)):
        order = draw_order(draw, n)
        model = made_by(MADE, n, hidden, tensor(order), draw.generator())
        expect_array(model(tensor(draw.bits(3, n)).float()), (3, n), "float", "the logits")
        for turned in (False, True)[: 1 + turn]:
            if turned:
                order = draw_order(draw, n)
                model.reorder(tensor(order))
            seen = dependency_map(
                model,
                tensor(draw.bits(4, n)).float(),
                expected=order,
                seed=draw.integer(0, 2**31),
            )
            mixing |= seen.rows_mix
            everything &= bool(seen.sees.all())  # which is to see the past for free
            alive |= bool(seen.sees.any())  # a constant, or nothing but NaN, is blind for free
            leaks += [(d, j, n, order, turned) for d, j in seen.forbidden(order)]
            gaps += [(d, j, n, order, turned) for d, j in seen.missing(order)]
    if leaks:
        d, j, n, order, turned = leaks[0]
        shown = f"logit {d + 1} changes with x_{j + 1} at n = {n}, order {order.tolist()}"
        shown += " after reorder" if turned else ""
    itself = all(d == j for d, j, *_ in leaks)
    yield claim(
        "no logit sees its own variable or a later one, in the order that was given",
        alive and not leaks and not mixing,
        points=1,
        saw=shown
        or ("rows of a batch that change each other's logits" if mixing else "")
        or "logits that never change, whatever x is",
        asks="logit d depends on the variables before x_d in the order only",
        advice=[
            when(
                mixing,
                "rows-mix",
                "each example must be computed for itself: no statistics over the batch",
            ),
            when(
                leaks and all(turned for *_, turned in leaks),
                "reorder-incomplete",
                "after reorder some layer still has masks of the old order",
            ),
            when(
                leaks and itself,
                "output-sees-itself",
                "each output sees its own input: look at the comparison in the OUTPUT mask, and at "
                "anything that adds x to the result",
            ),
            "one layer does not use its mask, or the masks leak: draw them in the explorer"
            if alive
            else "blind to the future, and to the past as well: do the layers get their input?",
        ],
        see=see,
    )
    if gaps:
        d, j, n, order, turned = gaps[0]
        shown = f"logit {d + 1} never changes with x_{j + 1} at n = {n}, order {order.tolist()}"
        shown += " after reorder" if turned else ""
    yield claim(
        "every logit sees all of its past",
        not gaps and not everything,
        points=1,
        saw="logits that see all variables, their own and later ones too" if everything else shown,
        asks="at 160 hidden units there is a path from every variable to all later ones",
        advice=[
            when(
                everything,
                "sees-everything",
                "a network without masks sees everything: use the masks in every layer",
            ),
            when(
                len({(d, n) for d, _, n, *_ in gaps}) >= 2
                and len(gaps) >= sum(k * (k - 1) // 2 for k in (2, n, n)),
                "sees-nothing",
                "no logit sees anything: do the layers get their input, and the right masks?",
            ),
            "some path is cut: draw the masks of your model in the explorer",
        ],
        see=see,
    )

    n = draw.integer(5, 7)
    model, x = made_by(MADE, n, (160,), tensor(draw_order(draw, n))), draw.bits(20, n)
    carried = carries_its_weights(model, lambda m: _logits(m, x), draw.rng)
    yield from _claims_on_nll(MADE, draw, see, blind=not leaks, carried=carried)
    yield from _claims_on_samples(MADE, draw, see, carried)


CARRIED = "logits that are made of x and of the layers' weights"


_CONSTANT = (
    "your logits are the same for every x, so there is no model yet: do the layers get their input?"
)


def _logits(model: Any, x: np.ndarray) -> np.ndarray:
    return expect_array(model(tensor(x).float()), x.shape, "float", "the logits")


def _claims_on_nll(
    MADE: Standin, draw: Draw, see: str, blind: bool, carried: bool
) -> Iterator[Claim]:
    n = draw.integer(5, 7)
    model = made_by(MADE, n, (30,), tensor(draw_order(draw, n)), draw.generator())
    x = draw.bits(40, n)
    gain, logits = 1.0, np.zeros_like(x)
    while np.abs(logits).max() < 300 and gain < 1e4:  # until the largest logits pass ±100 by far
        gain *= 2
        randomize_parameters(model, draw.rng, gain=gain)
        logits = _logits(model, x)
    large = expect_array(model.nll(tensor(x).float()), None, "float", "nll")
    right_large, peak = -log_bernoulli(logits, x), np.abs(logits).max()
    randomize_parameters(model, draw.rng, gain=1.0)
    logits = _logits(model, x)
    got = expect_array(model.nll(tensor(x).float()), None, "float", "nll")
    right = -log_bernoulli(logits, x)
    moderate, extreme = close(got, right, 1e-3), close(large, right_large, 1e-3)
    constant = bool((np.abs(logits - logits[0]) < 1e-6).all())  # true of any nll, and of no model
    scalar = got.ndim == 0
    yield claim(
        "nll is −log p(x) in nats, one number for each example, for large logits too",
        moderate and extreme and not constant,
        points=1,
        saw="logits that do not change with x"
        if constant
        else f"one number for {len(x)} examples"
        if scalar
        else f"an answer of shape {got.shape} for {len(x)} examples of {n} bits"
        if got.shape != right.shape
        else f"{got[0]:.4g} nats where the model's own logits give {right[0]:.4g}"
        if not moderate
        else f"{_worst(large, right_large)} at logits up to ±{peak:.0f}",
        asks="the sum over the n variables of the negative log-probability of each bit",
        waits=waits_unless(carried or constant, CARRIED),
        advice=[
            when(constant, "constant-logits", _CONSTANT),
            when(
                scalar and close(got, right.sum()),
                "summed-over-batch",
                "you sum over the batch as well: nll has shape (B,), sum over dimension 1 only",
            ),
            when(
                scalar,
                "averaged-over-batch",
                "you average over everything: nll has shape (B,), one number for each example",
            ),
            when(
                close(got, right / n, 1e-3),
                "averaged-over-variables",
                "you average over the n variables: −log p(x) is their SUM, or p is no probability",
            ),
            when(
                close(got, -right, 1e-3),
                "sign",
                "this is log p(x), which is negative: the nll is minus that",
            ),
            when(
                close(got, right / np.log(2), 1e-3),
                "bits-for-nats",
                "these are bits: the course counts in nats, natural logarithms",
            ),
            when(
                got.shape == (len(x), n),
                "not-summed",
                "one number for each variable: sum over dimension 1",
            ),
            when(
                close(got, -log_bernoulli(logits, 1 - x), 1e-3),
                "bits-inverted",
                "this is the nll of 1 − x: a logit is the log-odds of a ONE",
            ),
            when(
                moderate and not extreme,
                "sigmoid-then-log",
                "first a sigmoid and then a logarithm loses large logits: σ(100) is exactly 1 in "
                "floats; stay with logits (F.binary_cross_entropy_with_logits, F.softplus)",
            ),
            "work out nll for the worked example and compare",
        ],
        see=see,
    )

    n = draw.integer(6, 8)
    model = made_by(MADE, n, (40, 40), tensor(draw_order(draw, n)), draw.generator())
    randomize_parameters(model, draw.rng, gain=2.0)
    every = all_bits(n)
    each = expect_array(model.nll(tensor(every)), None, "float", "nll")
    total = float(np.exp(-each).sum()) if each.shape == (2**n,) else float("nan")
    uniform = np.isfinite(total) and np.ptp(each) < 1e-3  # which sums to 1 and says nothing
    yield claim(
        "the probabilities of all 2^n vectors sum to 1",
        abs(total - 1) < 1e-3 and not uniform and not constant,
        points=1,
        saw="the same probability for every vector"
        if uniform
        else "logits that do not change with x"
        if constant
        else f"a sum of {total:.4g} over all {2**n} vectors of {n} bits",
        asks="Σ_x exp(−nll(x)) = 1: then it is a distribution, and its nll means something",
        waits=waits_unless(carried or constant, CARRIED),
        advice=[
            when(constant, "constant-logits", _CONSTANT),
            "your logits are blind to the future, so the fault is in nll"
            if blind
            else "the leak above does this: an output that sees its answer is no conditional",
        ],
        see=see,
    )


def _worst(got: np.ndarray, right: np.ndarray) -> str:
    bad = np.argmax(np.where(np.isfinite(got), np.abs(got - right), np.inf))
    return f"{got[bad]:.4g} nats in place of {right[bad]:.4g}"


def ancestral(model: Any, turns: Sequence[int]) -> np.ndarray:
    """p(x) of all 2^n vectors when variables are drawn in `turns`, the others being 0 till then."""
    n = len(turns)
    every, log_p = all_bits(n), np.zeros(2**n)
    for t, d in enumerate(turns):
        known = np.zeros(n, dtype=np.float32)
        known[list(turns[:t])] = 1
        logit = _logits(model, every * known)[:, d]
        log_p += -softplus(np.where(every[:, d] == 1, -logit, logit))
    return np.exp(log_p)


def one_pass(model: Any, n: int, start: np.ndarray) -> np.ndarray:
    """p(x) of all 2^n vectors when all bits are drawn at once from the logits at `start`."""
    return np.exp(log_bernoulli(np.repeat(_logits(model, start[None]), 2**n, 0), all_bits(n)))


def _claims_on_samples(MADE: Standin, draw: Draw, see: str, carried: bool) -> Iterator[Claim]:
    n, count = 3, 20_000
    order = draw_order(draw, n)
    turns = [int(d) for d in np.argsort(order)]
    model = made_by(MADE, n, (60,), tensor(order), draw.generator())
    # Of several draws of the weights, one that tells the right answer from the usual mistakes, and
    # these from each other. (Drawing in reversed order is missing: it gives what one pass gives.)
    best, chosen = -1.0, 0
    for seed in draw.rng.integers(0, 2**31, size=12):
        apart = _apart(_sampling_mistakes(model, turns, order, seed))
        if apart > best:
            best, chosen = apart, seed
        if best > 0.2:
            break
    wrong = _sampling_mistakes(model, turns, order, chosen)
    right = wrong.pop("")
    # Whoever does not hear the bits before it is drawn rightly in one pass, or by tossing coins.
    constant = min(np.abs(right - wrong[k]).sum() for k in ("one-pass-sampling", "fair-coins"))
    constant = constant < 0.055
    # An exact bound, no χ² approximation: ‖p̂ − p‖₁ ≥ ε has a probability of at most
    # (2^K − 2) exp(−N ε² / 2) for K outcomes (Weissman et al., 2003). At K = 8, N = 20,000 and
    # ε = 0.055 that is 1.9e-11, far below one false alarm in a million classes.
    bound = 0.055
    seed = draw.integer(1, 2**31)
    generators = [torch.Generator().manual_seed(seed + s) for s in (0, 0, 1)]
    start = generators[0].get_state()
    x = model.sample(count, generators[0])
    x = expect_array(x, (count, n), "any", "the samples").astype(np.float64)
    is_bits = bool(np.isin(x, (0, 1)).all())
    frequency = _frequency(x) if is_bits else np.zeros(2**n)
    # Once more, with other logits at every pass: how often each vector comes tells which pass has
    # drawn which bit, so no count of passes has to be believed.
    tables, by_passes = _tables_by_pass(draw, turns)
    answered = sample_from_tables(model, count, draw.generator(), tensor(tables).float())
    if not isinstance(answered, tuple) or len(answered) != 2:
        raise WrongKind("sample did not come back with its samples")
    drawn = expect_array(answered[0], (count, n), "any", "the samples").astype(np.float64)
    calls = answered[1] if isinstance(answered[1], int) else -1
    passes = bool(np.isin(drawn, (0, 1)).all())
    passes = passes and np.abs(_frequency(drawn) - by_passes).sum() < bound
    off = np.abs(frequency - right).sum()
    worst = int(np.argmax(np.abs(frequency - right)))
    named = next((k for k, w in wrong.items() if np.abs(frequency - w).sum() < bound), "")
    yield claim(
        "samples come as often as the model says",
        is_bits and off < bound and not constant,
        points=1.5,
        saw="a model whose conditionals do not depend on the bits before them"
        if constant
        else f"values other than 0 and 1, such as {x[~np.isin(x, (0, 1))][0]:.3g}"
        if not is_bits
        else f"{all_bits(n)[worst].astype(int).tolist()} in {frequency[worst]:.1%} of {count:,} "
        f"samples, where the model gives it {right[worst]:.1%} (order {order.tolist()})",
        asks="each bit drawn from its conditional, given the bits drawn before it",
        waits=waits_unless(carried or constant, CARRIED),
        advice=[
            when(constant, "constant-logits", _CONSTANT),
            when(
                named == "one-pass-sampling" and calls > 1,
                "reversed-order",
                "you draw in the order backwards: the variable of place 1 comes first",
            ),
            when(
                named == "one-pass-sampling",
                "one-pass-sampling",
                "all bits come from one pass over an empty input: each conditional must see the "
                "bits that were drawn before it",
            ),
            when(
                named == "order-for-its-inverse",
                "order-for-its-inverse",
                "order[d] is the PLACE of variable d; whose turn it is at step i is the inverse: "
                "torch.argsort(order)[i]",
            ),
            when(
                named == "natural-order",
                "natural-order",
                "you draw x_1, x_2, … whatever the order: the first to be drawn has place 1",
            ),
            when(
                named == "bits-inverted",
                "bits-inverted",
                "ones and zeros have changed places: a bit is 1 with probability σ(logit)",
            ),
            when(named == "fair-coins", "fair-coins", "these are fair coins: where is the model?"),
            when(
                is_bits and (frequency > 0).sum() == 1,
                "rounded-for-drawn",
                "all samples are equal: draw each bit with its probability, do not round it",
            ),
            when(
                not is_bits,
                "probabilities-for-bits",
                "sample returns bits, not probabilities: draw each one",
            ),
            "draw one variable at a time, in the order, and put it into x before the next pass",
        ],
        see=see,
    )
    again = expect_array(model.sample(500, generators[1]), (500, n), "any", "the samples")
    model_again = torch.Generator().manual_seed(seed)
    repeat = expect_array(model.sample(500, model_again), (500, n), "any", "the samples")
    moved = not torch.equal(start, generators[0].get_state())
    same = bool((again == repeat).all())
    yield claim(
        "sample takes n passes, and its randomness from the given generator alone",
        passes and calls == n and moved and same and not constant,
        points=0.5,
        saw="a model whose conditionals do not depend on the bits before them"
        if constant
        else f"{calls} passes for {count:,} samples of {n} bits"
        if calls != n
        else "bits that were not drawn from the pass of their own place"
        if not passes
        else "a generator that nobody has used"
        if not moved
        else "different samples from equal generators",
        asks="n passes, whatever the number of samples; equal generators give equal samples",
        waits=waits_unless(carried or constant, CARRIED),
        advice=[
            when(constant, "constant-logits", _CONSTANT),
            when(
                calls == 1,
                "one-pass-sampling",
                "one pass cannot do: the second bit needs to know the first",
            ),
            when(
                calls >= count,
                "pass-per-sample",
                "draw all samples side by side: x has shape (count, n), one pass a variable",
            ),
            when(
                passes and calls == n and not (moved and same),
                "generator-ignored",
                "hand the generator on to torch.rand or torch.bernoulli",
            ),
            "one pass for each variable is enough: fill one column of x after each",
        ],
        see=see,
    )


def _frequency(x: np.ndarray) -> np.ndarray:
    """How often each of the 2^n vectors stands among the rows of bits x."""
    n = x.shape[1]
    codes = (x @ (2 ** np.arange(n)[::-1])).astype(np.int64)
    return np.bincount(codes, minlength=2**n) / len(x)


def _tables_by_pass(draw: Draw, turns: Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
    """Logits (n passes, 2^n, n) that depend on the pass and on the bits before; p(x) of n passes.

    In pass t the logit of the variable whose turn it is has the other sign than in all others.
    """
    n, every = len(turns), all_bits(len(turns))
    tables, log_p = np.zeros((n, 2**n, n)), np.zeros(2**n)
    for t, d in enumerate(turns):
        vote = 0.7 * (2 * every[:, list(turns[:t])] - 1) @ np.where(draw.bits(t) == 1, 1.0, -1.0)
        own = 1.5 if draw.integer(0, 1) else -1.5
        tables[:, :, d] = vote - own
        tables[t, :, d] = vote + own
        score = tables[t, :, d]
        log_p += -softplus(np.where(every[:, d] == 1, -score, score))
    return tables, np.exp(log_p)


def _sampling_mistakes(
    model: Any, turns: list[int], order: np.ndarray, seed: int
) -> dict[str, np.ndarray]:
    """Draws weights from `seed`; p(x) under the known mistakes by name, the right one under ""."""
    randomize_parameters(model, np.random.default_rng(seed), gain=2.0)
    n = len(turns)
    return {
        "": ancestral(model, turns),
        "one-pass-sampling": one_pass(model, n, np.zeros(n)),
        "order-for-its-inverse": ancestral(model, [int(d) - 1 for d in order]),
        "natural-order": ancestral(model, range(n)),
        "bits-inverted": _inverted(model, turns),
        "fair-coins": np.full(2**n, 2.0**-n),
    }


def _apart(distributions: dict[str, np.ndarray]) -> float:
    """The least L1 distance between any two of them."""
    pairs = itertools.combinations(distributions.values(), 2)
    return min(float(np.abs(p - q).sum()) for p, q in pairs)


def _inverted(model: Any, turns: Sequence[int]) -> np.ndarray:
    """p(x) of all 2^n vectors when each bit is drawn with the probability of the other one."""
    n = len(turns)
    every, log_p = all_bits(n), np.zeros(2**n)
    for t, d in enumerate(turns):
        known = np.zeros(n, dtype=np.float32)
        known[list(turns[:t])] = 1
        logit = _logits(model, every * known)[:, d]
        log_p += -softplus(np.where(every[:, d] == 1, logit, -logit))
    return np.exp(log_p)


# --- average_over_orders --------------------------------------------------------------------------


@checks("average_over_orders", lesson=LESSON, points=3)
def an_average_of_probabilities(average_over_orders: Standin, draw: Draw) -> Iterator[Claim]:
    """An ensemble over orders: the mean of probabilities, taken in log-space."""
    see = "Exercise 6: many orders, one answer"

    def case(
        n: int, orders: int, x: np.ndarray, scale: float
    ) -> tuple[np.ndarray, np.ndarray, Any]:
        """The student's answer, log p(x | order) by order (K, B), and the logits (K, B, n)."""
        weight, bias = draw.normal(n, n, scale=scale), draw.normal(n, scale=0.5)
        places = [draw.permutation(n) + 1 for _ in range(orders)]
        # Logistic regressions under an order, so that this check does not need the student's MADE;
        # natural order first, as in a model that nobody has reordered.
        known = [np.arange(1, n + 1), *places]
        logits = np.stack([x @ (weight * past(p)).T + bias for p in known])
        log_p = np.stack([log_bernoulli(one, x) for one in logits])
        model = recorded(
            average_over_orders,
            tensor(np.stack(known)),
            tensor(x).float(),
            tensor(logits),
            tensor(-log_p),
        )
        got = average_over_orders(model, tensor(x).float(), [tensor(p) for p in places])
        got = expect_array(got, None, "float", "the answer")
        return got, log_p[1:], (logits[1:], log_p[0])

    def mean_of(log_p: np.ndarray) -> np.ndarray:
        return np.logaddexp.reduce(log_p, axis=0) - np.log(len(log_p))

    n = draw.integer(4, 6)
    x, orders = draw.bits(12, n), draw.integer(3, 5)
    got, log_p, (logits, natural) = case(n, orders, x, 2.0)
    right, averaged = mean_of(log_p), log_bernoulli(logits.mean(0), x)
    fits = close(got, right)
    yield claim(
        "the answer is log (1/K) Σ_k p(x | order k), one number for each example",
        fits,
        points=1.5,
        saw=f"an answer of shape {got.shape} for {len(x)} examples"
        if got.shape != right.shape
        else f"{got[0]:.4f} for {orders} orders that give log p = "
        f"{', '.join(f'{v:.3f}' for v in log_p[:, 0])}",
        asks="probabilities are averaged, and then the logarithm is taken",
        advice=[
            when(
                close(got, log_p.mean(0)),
                "mean-of-logs",
                "this is the mean of the LOGS, which is less: average the probabilities "
                "(torch.logsumexp does both steps at once)",
            ),
            when(
                close(got, -right) or close(got, -log_p.mean(0)),
                "sign",
                "this is a negative log-likelihood: log p is asked, the other sign",
            ),
            when(
                close(got, right + np.log(orders)),
                "log-K-forgotten",
                "this is the log of the SUM over orders: subtract log K for the mean",
            ),
            when(
                close(got, averaged),
                "logits-averaged",
                "you average logits: that is another model, and not even a distribution, since "
                "every order sees another past",
            ),
            when(
                close(got, natural),
                "orders-not-set",
                "all terms come from one order: call model.reorder(order) before each nll",
            ),
            when(
                close(got, log_p.max(0)),
                "best-order-only",
                "this is the best of the orders, chosen after seeing x: no distribution",
            ),
            when(
                close(got, np.exp(right)),
                "log-forgotten",
                "this is the mean probability: return its logarithm",
            ),
            when(
                close(got, mean_of(-log_p)) or close(got, -mean_of(-log_p)),
                "nll-in-logsumexp",
                "logsumexp wants log p, which is MINUS nll",
            ),
            when(
                got.ndim == 0,
                "averaged-over-batch",
                "one number for each example: average over orders, not over the batch",
            ),
            "work out the example with p = 0.5 and p = 0.1 by hand, and compare",
        ],
        see=see,
    )

    n = 3
    got, log_p, _ = case(n, 4, all_bits(n).astype(np.float64), 3.0)
    total = float(np.exp(got).sum()) if got.shape == (2**n,) else float("nan")
    between = got.shape == (2**n,) and bool(
        ((got > log_p.min(0) - 1e-3) & (got < log_p.max(0) + 1e-3)).all()
    )
    yield claim(
        "the average over orders is a distribution again",
        abs(total - 1) < 1e-4 and between,
        points=0.5,
        saw="a probability that is larger, or smaller, than under every one of the orders"
        if abs(total - 1) < 1e-4
        else f"probabilities of all {2**n} vectors that sum to {total:.4g}",
        asks="Σ_x exp(answer) = 1: a mixture of distributions is one, and lies between them",
        advice=[
            when(
                close(got, log_p.mean(0)),
                "mean-of-logs",
                "exp of the mean of logs is the geometric mean, which sums to less than 1",
            ),
            "an average with weights 1/K keeps the sum at 1",
        ],
        see=see,
    )

    n = draw.integer(1500, 1600)
    got, log_p, _ = case(n, 3, draw.bits(3, n), 0.05)
    right = mean_of(log_p)
    exact = got.shape == right.shape and np.allclose(got, right, rtol=1e-6, atol=0.05)
    lost = not np.isfinite(got).all()
    yield claim(
        "nothing underflows: it holds for thousands of variables too",
        exact,
        points=1,
        saw=f"{got.reshape(-1)[0]:g} for {n:,} variables, where log p is about {log_p.mean():.0f}"
        if got.size
        else "an empty answer",
        asks="a finite log-likelihood: e^−2000 is 0 in floating point, −2000 is not",
        advice=[
            when(
                lost,
                "exp-underflows",
                "you leave log-space: exp(−2000) is 0 and its log −inf; torch.logsumexp never "
                "takes that step",
            ),
            when(
                fits,
                "exp-underflows",
                "the answer is right for few variables only: stay in log-space (torch.logsumexp)",
            ),
            "the same formula, in log-space",
        ],
        see=see,
    )
