"""Checks of lesson 05, MADE: masks, and what they make of a network.

Notation: n variables, place[d] the place 1 … n of variable d, m(k) the degree of a hidden unit
(Germain, Gregor, Murray and Larochelle, 2015, "MADE", figure 1 and equations 12 and 13).
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from autograder import claim, expect_array, when
from autograder.checking import checks
from autograder.checks import counts
from autograder.checks.arguments import COSTS, untouched
from autograder.checks.numbers import close, single, softplus, tensor
from autograder.checks.samples import (
    BOUND,
    DRAWS,
    ONE_ROW,
    ONE_ROW_ADVICE,
    all_bits,
    as_often,
    claim_of_the_generator,
    frequencies,
    note_on_default,
    of_the_first_row,
    place_of,
)
from autograder.checks.whole import each_step
from autograder.checks.witness import letters_of, too_even, waits_unless
from autograder.claims import Cause, Claim, waiting
from autograder.diagnosis import Mistake, Property, Subject, Symptom, examine
from autograder.diagnosis.examine import shown
from autograder.diagnosis.mistakes import Observation, explain, several
from autograder.draw import Draw
from autograder.inside import gradient_step
from autograder.inside.made import (
    facts_about_mask,
    fill_mask,
    fill_weights,
    in_evaluation,
    moved_and_back,
    nll_of_logits,
    nll_slope,
    order_of,
    recorded,
    sample_from_tables,
    trains_by_nll,
    weight_gradient,
)
from autograder.remote.proxy import Standin, WrongKind, describe, made_by, note
from course.causality import DependencyMap, dependency_map, past, randomize_parameters

LESSON = "05_made"
_MADE = "Exercise 5: MADE"  # its heading

Masks = list[np.ndarray]
Network = tuple[list[np.ndarray], np.ndarray]  # the degrees of the hidden layers, and the places


# --- what the mathematics says --------------------------------------------------------------------


def masks_by_rule(
    degrees: Sequence[np.ndarray],
    place: np.ndarray,
    *,
    hidden: Callable[..., np.ndarray] = np.greater_equal,
    output: Callable[..., np.ndarray] = np.greater,
    at_inputs: Callable[[np.ndarray], np.ndarray] = np.asarray,
    at_outputs: Callable[[np.ndarray], np.ndarray] = np.asarray,
    heard: str = "below",
    listens: str = "each",
    top: int = -1,
) -> Masks:
    """The masks of MADE as bool arrays (out, in). Each option turns one thing of the rule wrong.

    `at_inputs` and `at_outputs` make something else of the places at one end, `heard` says what a
    hidden layer is compared with: the layer "below", always the "inputs", or always the "first"
    hidden layer; `listens`, whether "each" layer stands there itself, or the "first" for all; `top`
    is the hidden layer that the outputs hear.
    """
    inputs, L = at_inputs(place), len(degrees)
    first = [inputs, *[degrees[0]] * (L - 1)]
    below = {"below": [inputs, *degrees[:-1]], "inputs": [inputs] * L, "first": first}[heard]
    layers = {"each": degrees, "first": [degrees[0]] * L}[listens]
    masks = [hidden(m[:, None], b[None, :]) for m, b in zip(layers, below, strict=True)]
    return [*masks, output(at_outputs(place)[:, None], degrees[top][None, :])]


def masks_in_turn(degrees: Sequence[np.ndarray], place: np.ndarray) -> Masks:
    """The same rule without options, layer by layer."""
    masks, below = [], place
    for layer in degrees:
        masks.append(layer[:, None] >= below[None, :])
        below = layer
    return [*masks, place[:, None] > below[None, :]]


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


def draw_places(draw: Draw, n: int) -> np.ndarray:
    """Places 1 … n; for n ≥ 3 not their own inverse, so that mixing the two up shows."""
    while True:
        place = draw.permutation(n) + 1
        if n < 3 or (place[place - 1] != np.arange(1, n + 1)).any():
            return place


def log_bernoulli(logits: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Σ_d log p(x_d) in nats for logits and bits of shape (B, n)."""
    return -(softplus(logits) - x * logits).sum(-1)


def nearly(a: Any, b: Any) -> bool:
    """Equal as far as single precision carries a sum of many terms."""
    return close(a, b, 1e-3)


def note_unless_tensor(function: Standin, value: Any, what: str, later: str) -> None:
    """Notes with the function that `what` is no tensor, though the lesson needs one `later`."""
    if isinstance(value, torch.Tensor):
        return
    failed = claim(
        "what comes back is a tensor",
        False,
        id="tensor",
        points=COSTS,
        saw=f"{what}: {describe(value)}",
        asks=f"a tensor of dtype int64: {later}",
        advice=when(
            True,
            "no-tensor",
            f"the numbers do not come in a tensor: {later}",
        ),
    )
    note(function, failed)


# --- assign_degrees -------------------------------------------------------------------------------

CALLS, APART = 200, 0.5  # small layers that are asked for, and the L1 distance that is an alarm


@checks("assign_degrees", lesson=LESSON, points=2, see="Exercise 1: a degree for every hidden unit")
def degrees_of_hidden_units(assign_degrees: Standin, draw: Draw) -> Iterator[Claim]:
    """A unit's degree says how many of the first variables it may see."""

    def assign(n: int, hidden: tuple[int, ...], *generator: Any) -> list[np.ndarray]:
        found = assign_degrees(n, hidden, *(generator or (draw.generator(),)))
        if not isinstance(found, list | tuple):
            raise WrongKind("assign_degrees should return a list with one tensor a hidden layer")
        if len(found) != len(hidden):
            more = ", without the inputs' own degrees" * (len(found) == len(hidden) + 1)
            raise WrongKind(
                f"assign_degrees should return {len(hidden)} tensors, one a hidden layer{more}: "
                f"got {len(found)}"
            )
        layers = [
            expect_array(layer, (size,), "int", f"the degrees of hidden layer {i}")
            for i, (layer, size) in enumerate(zip(found, hidden, strict=True), 1)
        ]
        later = "build_masks is given each layer as a tensor, and compares it with others"
        for i, layer in enumerate(found, 1):
            note_unless_tensor(assign_degrees, layer, f"hidden layer {i}", later)
        return layers

    n = draw.integer(5, 8)

    def several(generator: Any) -> np.ndarray:
        """Of many calls: a layer may have one degree by chance, or by one draw for all of it."""
        return np.concatenate([layer for _ in range(40) for layer in assign(n, (4, 3), generator)])

    first, second = assign(n, (draw.integer(3000, 3200), 3000))
    seen = np.concatenate([first, second, several(draw.generator())])
    low, high = seen.min(), seen.max()
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
                "a unit of degree n sees all inputs, so no output may listen to it: a dead unit",
            ),
            "a degree is the number of leading variables that a unit may see, and some output must "
            "be left to use it",
        ],
    )
    outside = waits_unless(low >= 1 and high <= n - 1, "degrees in 1 … n−1")
    evenly = _all_degrees_come(assign, n, first, second, outside)
    yield evenly
    yield _none_is_below(draw, assign, undrawn)
    yield _each_by_itself(draw, assign, undrawn, evenly=evenly.holds)
    source = claim_of_the_generator(several, draw, 0.25)
    note_on_default(assign_degrees, several, right=source.holds)
    yield source


Assign = Callable[..., list[np.ndarray]]
ALL_COME = "every allowed degree is drawn, and equally often"


def _above_a_single_unit(assign: Assign, n: int) -> tuple[int, np.ndarray]:
    """The degree of a unit alone in its layer, neither 1 nor n − 1, and those of 3000 above it.

    Not found, with a probability below 1e-12 where degrees are drawn as asked, it is 0, and none.
    """
    for _ in range(40):
        below, above = assign(n, (1, 3000))
        if 1 < below[0] < n - 1 and below[0] <= above.min():
            return int(below[0]), above
    return 0, np.zeros(0, dtype=np.int64)


def _far_from_even(counts: np.ndarray) -> bool:
    fair = counts.sum() / len(counts)
    return bool(np.abs(counts - fair).max() >= 7 * np.sqrt(fair))


def _all_degrees_come(
    assign: Assign, n: int, first: np.ndarray, second: np.ndarray, outside: str
) -> Claim:
    # Bernoulli counts around N/(n−1): a false alarm at 7 standard deviations has, by Hoeffding
    # and the at most 14 counts, a probability below 1e-9.
    counts = [np.array([(layer == d).sum() for d in range(1, n)]) for layer in (first, second)]
    # Degrees outside the range take their share from those inside, too little to see in every draw.
    even = all(
        c.sum() == len(layer) and not _far_from_even(c)
        for c, layer in zip(counts, (first, second), strict=True)
    )
    of_two = assign(2, (3, 2)) if even else []
    lowest, above = _above_a_single_unit(assign, n) if even else (0, np.zeros(0))
    over = np.array([(above == d).sum() for d in range(lowest, n)])
    piled = lowest > 0 and _far_from_even(over)
    if piled:
        counts, even = [np.array([(first == d).sum() for d in range(1, n)]), over], False
    return claim(
        ALL_COME,
        even and all((layer == 1).all() for layer in of_two),
        points=0.5,
        saw=f"at n = 2 the degrees {' and '.join(str(layer.tolist()) for layer in of_two)}"
        if even
        else f"{over.tolist()} units of degree {lowest} … {n - 1} in a layer over a single unit, "
        f"of degree {lowest}"
        if piled
        else f"{counts[0].tolist()} units of degree 1 … {n - 1} in a layer of {len(first)}, then "
        f"{counts[1].tolist()} in the next, of {len(second)}",
        asks="for two variables degree 1 only"
        if even
        else "every degree from the smallest allowed one to n−1, n−1 included, equally often",
        waits=outside,
        advice=[
            when(
                piled and over[0] > 1.2 * over[1:].max(),
                "moved-up-to-the-minimum",
                "the smallest allowed degree comes far more often than each of the others: what is "
                "drawn below it is moved up to it (clamp, max). Draw from the allowed ones alone",
            ),
            when(
                counts[0][-1] == 0 and counts[0][:-1].all(),
                "degree-never-n-1",
                "the degree n−1 never comes, so no unit sees what the last output needs",
            ),
            when(
                counts[0][0] == 0 and counts[0][1:].all(),
                "degree-1-never",
                "degree 1 never comes, so no unit sees the first variable alone",
            ),
            when(
                counts[0].all() and counts[1][-1] == len(second),
                "maximum-for-minimum",
                "in the second layer only n−1 comes, as if it started at the LARGEST degree below",
            ),
            when(
                counts[0].all() and not counts[1][0] and counts[1][1:].all(),
                "minimum-itself-left-out",
                "a degree equal to the smallest of the layer before is allowed: that unit still "
                "finds somebody below to listen to",
            ),
            when(
                counts[0].max() == len(first),
                "one-draw-for-the-layer",
                "all units of a layer have the same degree: each unit needs a draw of its own",
            ),
            "draw uniformly from the allowed degrees",
        ],
    )


def _none_is_below(draw: Draw, assign: Assign, undrawn: str) -> Claim:
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
    return claim(
        "no degree is below the smallest degree of the layer before",
        not below,
        points=0.25,
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
    )


def _one_by_another(rows: list[list[int]]) -> bool:
    """Whether in every call the degrees of a layer are all different, all equal, or sorted."""
    return (
        all(len(set(row)) == 3 for row in rows)
        or all(len(set(row)) == 1 for row in rows)
        or all(row == sorted(row) for row in rows)
    )


def _calls(assign: Assign, generator: Callable[[], Any]) -> Iterator[tuple[np.ndarray, ...]]:
    """The degrees of both layers, of three units and three possible degrees, in many calls."""
    return zip(*(assign(4, (3, 3), generator()) for _ in range(CALLS)), strict=True)


def _each_by_itself(draw: Draw, assign: Assign, undrawn: str, *, evenly: bool) -> Claim:
    """Pairs of neighbors, in a layer and from one call to the next, are spread over all pairs.

    Whoever never gives two neighbors the same of three degrees is at least 2/3 away. Where degrees
    do not come equally often, neither do pairs of them, though each unit draws by itself.
    """
    generator = draw.generator()  # one for all calls: what is left of it makes the next degrees
    units, above = (np.stack(layers) for layers in _calls(assign, lambda: generator))
    again = ""
    if len(np.unique(units, axis=0)) == 1:  # one and the same degrees, or a generator begun anew
        others, above_them = (np.stack(layers) for layers in _calls(assign, draw.generator))
        if len(np.unique(others, axis=0)) > 1:
            units, above = others, above_them
            again = "degrees that go on with the given generator, from call to call"
    copies = int((units == above).all(1).sum())  # of two layers of their own at most 1 in 6
    inside = bool(((units >= 1) & (units <= 3)).all())
    pairs = {
        "neighbors in a layer": units[:, :2],
        "the second and the third unit of a layer": units[:, 1:],
        "the last unit of one call and the first of the next": np.stack(
            [units[:, 2], np.roll(units[:, 0], -1)], axis=1
        ),
    }
    found = ""
    for what, two in pairs.items() if inside else ():
        share = np.bincount((two[:, 0] - 1) * 3 + two[:, 1] - 1, minlength=9) / CALLS
        if np.abs(share - 1 / 9).sum() >= APART and not found:
            equal = int((two[:, 0] == two[:, 1]).sum())
            found = (
                f"{what}, of 3 possible degrees, were equal {equal} times in {CALLS}; the most "
                f"frequent pair came {int(share.max() * CALLS)} times"
            )
    if copies > 0.8 * CALLS and not found:
        found = f"the second hidden layer had the degrees of the first in {copies} of {CALLS} calls"
    rows = units.tolist()
    varied = inside and len(set(map(tuple, rows))) > 1
    return claim(
        "each unit draws its degree by itself, whatever its neighbors drew",
        not found and inside,
        points=0.5,
        saw=found,
        asks="each of the 9 pairs of degrees about as often as every other",
        waits=undrawn
        or waits_unless(inside, "degrees in 1 … n−1")
        or again
        or waits_unless(
            not varied
            or (
                len(np.unique(units)) == 3
                and (evenly or copies > 0.8 * CALLS or _one_by_another(rows))
            ),
            f"“{ALL_COME}”",
        ),
        advice=[
            when(
                not varied,
                "same-every-call",
                "every call gave the same degrees, though its generator goes on from call to call: "
                "draw from that one, and do not begin again",
            ),
            when(
                all(len(set(row)) == 3 for row in rows),
                "dealt-not-drawn",
                "three units shared three degrees out, in every call: degrees are dealt here. Each "
                "unit draws by itself, so that by chance a degree may come twice, or not at all",
            ),
            when(
                all(len(set(row)) == 1 for row in rows),
                "one-draw-for-the-layer",
                "all units of a layer have the same degree: each unit needs a draw of its own",
            ),
            when(
                copies > 0.8 * CALLS,
                "layer-copied",
                "a layer has the degrees of the one before it: each layer draws its own",
            ),
            when(
                all(row == sorted(row) for row in rows),
                "sorted-degrees",
                "in every call the degrees of a layer rise from unit to unit: they are sorted, and "
                "each unit should draw independently of the others",
            ),
            "each unit draws independently: what one has got says nothing about the next",
        ],
    )


# --- build_masks ----------------------------------------------------------------------------------


def _natural(place: np.ndarray) -> np.ndarray:
    return np.arange(1, len(place) + 1)


def _inverse(place: np.ndarray) -> np.ndarray:
    return np.argsort(place) + 1


def _from_0(place: np.ndarray) -> np.ndarray:
    return place - 1


def _filled(value: int) -> Callable[..., Masks]:
    return lambda masks, *_: [np.full(m.shape, value) for m in masks]


_MISTAKES_OF_MASKS = (
    Mistake("all-zero", "nothing is connected: that is blind to the future, and to the past as "
            "well", after=_filled(0)),
    Mistake("all-one", "everything is connected: compare degrees to decide which connections may "
            "stay", after=_filled(1)),
    Mistake("output-sees-itself", "your output mask uses ≥: output d then sees input d, itself",
            options={"output": np.greater_equal}),
    Mistake("hidden-strict", "your hidden masks use >: a unit may also listen to units of its OWN "
            "degree, and an input of place m may reach a unit of degree m",
            options={"hidden": np.greater}),
    Mistake("strict-between-layers", "from the second hidden layer on your masks use >: a unit "
            "listens to units of its OWN degree too, in every hidden layer",
            gives=lambda degrees, place: [
                *masks_by_rule(degrees[:1], place)[:1],
                *masks_by_rule(degrees, place, hidden=np.greater)[1:]]),
    Mistake("comparisons-swapped", "≥ and > have changed places: hidden units take ≥, outputs "
            "take >", options={"hidden": np.greater, "output": np.greater_equal}),
    Mistake("hidden-reversed", "your hidden comparison points the wrong way: a unit listens to "
            "degrees at most its own, m(k) ≥ m(d)", options={"hidden": np.less_equal}),
    Mistake("output-reversed", "your output comparison points the wrong way: output d listens to "
            "degrees below its place, place[d] > m(k)", options={"output": np.less}),
    Mistake("both-reversed", "both comparisons point the wrong way: a unit listens to degrees at "
            "most its own, an output to degrees below its place",
            options={"hidden": np.less_equal, "output": np.less}),
    Mistake("inputs-below-every-layer", "every mask is made with the INPUTS, the output's too: a "
            "mask stands between a layer and the one directly below it",
            gives=lambda degrees, place: [
                *masks_by_rule(degrees, place, heard="inputs")[:-1],
                place[:, None] > place[None, :]]),
    Mistake("layers-hear-inputs", "your hidden layers are all compared with the inputs: each mask "
            "stands between a layer and the one directly below it", options={"heard": "inputs"}),
    Mistake("layers-hear-the-first", "your hidden layers are all compared with the FIRST one: each "
            "mask stands between a layer and the one directly below it",
            options={"heard": "first"}),
    Mistake("first-layer-for-all", "the degrees of the FIRST hidden layer stand in the place of "
            "every layer's own: mask l is made of the degrees of layer l",
            options={"listens": "first"}),
    Mistake("outputs-hear-the-first-layer", "your output's mask is made of the degrees of the "
            "FIRST hidden layer: it stands between the last one and the outputs",
            options={"top": 0}),
    Mistake("outputs-hear-the-first-layer", "your output's mask has a column for each unit of the "
            "last hidden layer, and compares with the degrees of the FIRST: it stands between the "
            "last one and the outputs",
            gives=lambda degrees, place: [
                *masks_by_rule(degrees, place)[:-1],
                place[:, None] > np.resize(degrees[0], len(degrees[-1]))[None, :]]),
    Mistake("equal-degrees-only", "from the second hidden layer on a unit hears units of exactly "
            "its OWN degree: it listens to those of every degree below too",
            gives=lambda degrees, place: [
                *masks_by_rule(degrees[:1], place)[:1],
                *masks_by_rule(degrees, place, hidden=np.equal)[1:]]),
    Mistake("equal-degrees-only", "your hidden masks ask for EQUAL degrees: a unit listens to "
            "those of every degree below its own too", options={"hidden": np.equal}),
    Mistake("order-ignored", "your masks do not depend on place: the degree of input d is place[d]",
            options={"at_inputs": _natural, "at_outputs": _natural}),
    Mistake("order-ignored-at-output", "the places are used at the inputs only: output d has the "
            "place place[d] too, or it will see variables that come later",
            options={"at_outputs": _natural}),
    Mistake("order-ignored-at-input", "the places are used at the outputs only: input d has the "
            "degree place[d]", options={"at_inputs": _natural}),
    Mistake("order-inverted", "place[d] already is the place of variable d: its inverse is not "
            "needed", options={"at_inputs": _inverse, "at_outputs": _inverse}),
    Mistake("input-degrees-from-0", "at the inputs the places count from 0, at the outputs from 1: "
            "input d has the degree place[d], as output d has",
            options={"at_inputs": _from_0}),
    Mistake("first-layer-strict", "your first mask uses >: an input of place m may reach a unit of "
            "degree m", gives=lambda degrees, place: [
                *masks_by_rule(degrees[:1], place, hidden=np.greater)[:1],
                *masks_by_rule(degrees, place)[1:]]),
    Mistake("output-hears-inputs", "your output's mask stands between the outputs and the INPUTS: "
            "outputs listen to the last hidden layer", gives=lambda degrees, place: [
                *masks_by_rule(degrees, place)[:-1], place[:, None] > place[None, :]]),
    Mistake("output-places-from-0", "at the outputs the places count from 0, at the inputs from 1: "
            "output d listens to degrees below place[d] itself",
            options={"at_outputs": _from_0}),
    Mistake("triangles-by-position", "your masks are triangles, made of where the units stand: "
            "their degrees decide who listens to whom",
            gives=lambda degrees, place: [
                *(np.tri(len(up), len(low), dtype=bool)
                  for low, up in itertools.pairwise([place, *degrees])),
                np.tri(len(place), len(degrees[-1]), -1, dtype=bool)]),
    Mistake("dense-between-layers", "from the second hidden layer on everything is connected: "
            "between hidden layers too a unit listens to no degree above its own",
            gives=lambda degrees, place: [
                np.ones_like(m) if 0 < i < len(degrees) else m
                for i, m in enumerate(masks_by_rule(degrees, place))]),
    Mistake("places-from-0", "places count from 1, as the degrees do: with places from 0 the "
            "second output loses the first input",
            options={"at_inputs": _from_0, "at_outputs": _from_0}),
    Mistake("transposed", "your masks are transposed: rows are the units that listen, columns the "
            "ones heard", after=lambda masks, *_: [m.T for m in masks]),
    Mistake("inverted", "ones and zeros have changed places: 1 is where a connection may stay",
            after=lambda masks, *_: [~m for m in masks]),
    Mistake("output-mask-missing", "the mask of the output layer is missing: L hidden layers have "
            "L + 1 masks", after=lambda masks, *_: masks[:-1]),
    Mistake("hidden-masks-missing", "only the output's mask is there: each hidden layer has one "
            "too", after=lambda masks, *_: masks[-1:]),
    Mistake("last-layer-first", "your list begins with the output's mask: it stands last",
            after=lambda masks, *_: masks[::-1]),
)  # fmt: skip


def _well_formed(masks: Masks, right: Masks) -> bool:
    return [m.shape for m in masks] == [m.shape for m in right] and all(
        np.isin(m, (0, 1)).all() for m in masks
    )


def _reach(masks: Masks, right: Masks) -> tuple[np.ndarray, np.ndarray]:
    """Where there are paths, and where there should be; both empty for what is no chain."""
    if any(b.shape[1:] != a.shape[:1] for a, b in itertools.pairwise(masks)):
        return np.zeros(0, bool), np.zeros(0, bool)
    return paths(masks) > 0, paths(right) > 0


def _no_leak(masks: Masks, right: Masks) -> bool:
    return _well_formed(masks, right) and bool(np.less_equal(*_reach(masks, right)).all())


def _no_gap(masks: Masks, right: Masks) -> bool:
    return _well_formed(masks, right) and bool(np.greater_equal(*_reach(masks, right)).all())


def _fault_of_form(masks: Masks, right: Masks, *case: Any) -> str:
    if len(masks) != len(right):
        return f"{len(masks)} masks for {len(right) - 1} hidden layers"
    for i, (mask, wanted) in enumerate(zip(masks, right, strict=True), 1):
        if mask.shape != wanted.shape:
            return f"mask {i} has shape {mask.shape}, the layer's weight {wanted.shape}"
    return f"other values than 0 and 1 for {_show_network(*case)}"


def _first_leak(masks: Masks, right: Masks, degrees: Any, place: np.ndarray) -> str:
    reach = paths(masks)
    d, j = np.argwhere((reach > 0) & ~past(place))[0]
    count = _count(reach[d, j], "path")
    return f"{count} from input {j + 1} to output {d + 1}, place {place.tolist()}"


def _first_gap(masks: Masks, right: Masks, degrees: Any, place: np.ndarray) -> str:
    d, j = np.argwhere((paths(masks) == 0) & (paths(right) > 0))[0]
    return f"no path from input {j + 1} to output {d + 1}, {_show_network(degrees, place)}"


def _first_odd(masks: Masks, right: Masks, *case: Any) -> str:
    for i, (mask, rule) in enumerate(zip(masks, right, strict=True), 1):
        many, few = ((mask == 1) & ~rule).sum(), ((mask == 0) & rule).sum()
        if many or few:
            return (
                f"mask {i} of {len(masks)} with {_count(many, 'connection')} too many and {few} "
                f"too few, {_show_network(*case)}"
            )
    return ""


def _count(number: int, what: str) -> str:
    return f"1 {what}" if number == 1 else f"{number} {what}s"


def _told_masks(masks: Masks) -> str:
    """Small masks row by row, larger ones by their shapes."""
    if sum(m.size for m in masks) > 40 or not all(np.isin(m, (0, 1)).all() for m in masks):
        return "masks of shapes " + ", ".join(str(m.shape) for m in masks)
    rows = (
        " / ".join("".join(str(int(v)) for v in row) for row in np.atleast_2d(m)) for m in masks
    )
    return " and ".join(f"[{text}]" for text in rows)


def _show_network(degrees: list[np.ndarray], place: np.ndarray) -> str:
    layers = ", then ".join(shown(layer) for layer in degrees)
    return f"degrees {layers} and place {place.tolist()}"


def _compared(degrees: list[np.ndarray], place: np.ndarray) -> str:
    """The comparisons of one hidden layer, where there are few."""
    if len(degrees) > 1 or len(place) * len(degrees[0]) > 4:
        return ""
    hidden = (f"{m} ≥ {p}: {int(m >= p)}" for m in degrees[0] for p in place)
    output = (f"{p} > {m}: {int(p > m)}" for p in place for m in degrees[0])
    return f"hidden {', '.join(hidden)}; output {', '.join(output)}"


def _small_networks(degrees: list[np.ndarray], place: np.ndarray) -> Iterator[Network]:
    """One unit or two, one layer or two, fewer than there are now."""
    size = sum(map(len, degrees)) + len(place)
    for layers in ([[1]], [[2]], [[1, 2]], [[1], [1]], [[1], [2]], [[1], [1, 2]], [[1, 2], [2, 1]],
                   [[1], [1, 2], [1]]):  # fmt: skip
        for places in ([1, 2], [2, 1], [1, 2, 3], [2, 3, 1]):
            if max(map(max, layers)) < len(places) < size - sum(map(len, layers)):
                yield [np.array(layer) for layer in layers], np.array(places)


def _networks(draw: Draw) -> Iterator[Network]:
    """Networks of one to three layers, each twice with other degrees and another order.

    All degrees occur in each layer, so that the rule has a path from every variable to all later
    ones.
    """
    for n, sizes in (
        (draw.integer(4, 6), (draw.integer(9, 14),)),
        (draw.integer(5, 7), (draw.integer(7, 8), draw.integer(9, 11))),
        (draw.integer(3, 4), (5, 6, 7)),
        (4, (3,)),  # the mask has as many rows as the output's has columns
    ):
        one, two = ([_all_degrees(draw, n, size) for size in sizes] for _ in range(2))
        while all(map(np.array_equal, one, two)):
            two = [_all_degrees(draw, n, size) for size in sizes]
        yield one, np.arange(1, n + 1) if len(sizes) == 1 else draw_places(draw, n)
        yield two, draw_places(draw, n)


def _all_degrees(draw: Draw, n: int, size: int) -> np.ndarray:
    more = draw.rng.integers(1, n, size=size - (n - 1))
    return draw.rng.permutation(np.concatenate([np.arange(1, n), more])).astype(np.int64)


def _networks_with_gaps(draw: Draw) -> Iterator[Network]:
    """Degrees as they are drawn, some missing; one unit alone; a single variable."""
    yield from _networks(draw)
    for n, sizes in ((draw.integer(6, 8), (3, 4)), (draw.integer(5, 7), (3, 3, 3))):
        yield draw_degrees(draw, n, sizes), draw_places(draw, n)
    for place in ([1, 2], [2, 1]):
        yield [np.ones(draw.integer(2, 3), dtype=np.int64)], np.array(place)
    yield [np.array([2])], np.arange(1, 4)
    yield [np.array([2])], np.array([3, 1, 2])
    # A chain of single units that rises: it is lost where a unit hears its own degree alone.
    yield [np.array([1]), np.array([2])], draw_places(draw, 3)
    yield [np.array([1]), np.array([2]), np.array([3])], draw_places(draw, 4)
    # One unit alone brings the second variable to the third, and the unit below it is of degree 3.
    yield [np.array([3, 1, 2]), np.array([2, 1, 1])], draw_places(draw, 4)
    yield [np.array([2, 1, 3]), np.array([1, 2])], draw_places(draw, 4)
    yield draw_degrees(draw, 1, (2,)), np.array([1])


@checks("build_masks", lesson=LESSON, points=4, see="Exercise 2: the mask rule")
def masks_of_a_made(build_masks: Standin, draw: Draw) -> Iterator[Claim | Cause]:
    """Degrees decide which connections may stay."""

    def ask(degrees: list[np.ndarray], place: np.ndarray) -> Masks:
        given = untouched(build_masks)([tensor(d) for d in degrees], tensor(place))
        if not isinstance(given, list | tuple):
            raise WrongKind("build_masks should return a list with one mask a layer")
        return [expect_array(m, None, "any", f"mask {i}") for i, m in enumerate(given, 1)]

    subject = Subject(
        ask=ask,
        rule=masks_by_rule,
        forms=(masks_in_turn,),
        mistakes=_MISTAKES_OF_MASKS,
        show=_show_network,
        told=_told_masks,
        by_hand=_compared,
        smaller=_small_networks,
        drawn=True,
    )
    yield from examine(
        subject,
        draw,
        Property(
            "form",
            "there is one mask of zeros and ones for each layer, of shape (out, in)",
            _networks,
            points=0.5,
            asks="hidden layers first, the output's mask last, each shaped like nn.Linear.weight",
            alike=_well_formed,
            saw=_fault_of_form,
        ),
        Property(
            "blind",
            "no output sees itself or the future",
            _networks,
            points=1,
            asks="no path from x_d to output d, nor from a later variable",
            needs="form",
            typical=False,  # many masks have no leak: these answers tell no mistake from another
            alike=_no_leak,
            saw=_first_leak,
        ),
        Property(
            "past",
            "every output sees all of its past, as far as the degrees allow",
            _networks_with_gaps,
            points=1.5,
            asks="a path wherever a chain of degrees leads from the input up to the output",
            needs="form",
            typical=False,  # as many have no gap
            alike=_no_gap,
            saw=_first_gap,
        ),
        Property(
            "rule",
            "every connection that the rule allows is there, and no other",
            _networks_with_gaps,
            points=1,
            asks="hidden M[k, d] = 1 where m(k) ≥ m(d); output M[d, k] = 1 where place[d] > m(k)",
            needs="form",
            saw=_first_odd,
        ),
    )


# --- connectivity ---------------------------------------------------------------------------------


def _random_masks(draw: Draw, n: int, hidden: Sequence[int], density: float = 0.5) -> Masks:
    sizes = [n, *hidden, n]
    return [draw.uniform(b, a) < density for a, b in itertools.pairwise(sizes)]


def _square_masks(draw: Draw) -> Masks:
    """Three masks of one shape, so that a product in the wrong order has a shape, and a name."""
    while True:
        masks = _random_masks(draw, 4, (4, 4))
        if len({p.tobytes() for p in (paths(masks), paths(masks).T, paths(masks[::-1]))}) == 3:
            return masks


def _square_chains(draw: Draw) -> Iterator[tuple[Masks, torch.dtype]]:
    """Two chains that differ in what can be reached at all."""
    one, two = _square_masks(draw), _square_masks(draw)
    while ((paths(one) > 0) == (paths(two) > 0)).all():
        two = _square_masks(draw)
    yield one, torch.float32
    yield two, torch.float32


def _of_any_shape(draw: Draw) -> Iterator[tuple[Masks, torch.dtype]]:
    kinds = (((6,), torch.float32), ((3, 5), torch.bool), ((), torch.int64))
    sizes = np.array([2, 3, 5])[draw.permutation(3)]  # none of them 4, as above
    for n, (hidden, dtype) in zip(sizes, kinds, strict=True):
        yield _random_masks(draw, int(n), hidden), dtype


def _chains(draw: Draw) -> Iterator[tuple[Masks, torch.dtype]]:
    yield from _square_chains(draw)
    yield from _of_any_shape(draw)


def _wide_masks(draw: Draw) -> Iterator[tuple[Masks, torch.dtype]]:
    """So wide that there are more paths than int32 can count."""
    hidden = (draw.integer(401, 420), 411, 403, 400)
    yield _random_masks(draw, 3, hidden, density=0.9), torch.float32


def _smaller_chains(masks: Masks, dtype: torch.dtype) -> Iterator[tuple[Masks, torch.dtype]]:
    """The worked example's masks, and fewer or smaller ones."""
    one, two = np.array([[1, 0], [1, 1]]), np.array([[0, 1], [1, 1]])
    for chain in ([one], [one, two], [one, one, two]):
        if sum(m.size for m in chain) < sum(m.size for m in masks):
            yield [m.astype(bool) for m in chain], dtype


_MISTAKES_OF_COUNTS = (
    Mistake("transposed", "your matrix is transposed: rows are outputs, columns are inputs",
            after=lambda count, *_: count.T),
    Mistake("product-in-wrong-order", "the last layer stands leftmost in the product, as in y = "
            "M3 (M2 (M1 x))", gives=lambda masks, dtype: paths(masks[::-1])),
    Mistake("reachable-for-count", "this says WHETHER there is a path; how many there are tells "
            "more", after=lambda count, *_: (count > 0).astype(np.int64)),
    Mistake("first-and-last-only", "the masks between the first and the last are left out: a path "
            "goes through every layer",
            gives=lambda masks, dtype: paths([masks[0], masks[-1]])),
    *(
        Mistake("one-mask-left-out", f"the {which} mask is left out of the product: a path goes "
                "through every layer", gives=lambda masks, dtype, kept=kept: paths(
                    masks[kept] or masks))
        for which, kept in (("last", slice(-1)), ("first", slice(1, None)))
    ),
    Mistake("first-mask-twice", "the first mask is in the product twice: you begin with it, so the "
            "loop begins with the second",
            gives=lambda masks, dtype: paths([masks[0], *masks])),
    Mistake("elementwise", "your masks are multiplied entry by entry; paths need the matrix "
            "product",
            gives=lambda masks, dtype: np.prod(np.stack(masks).astype(np.int64), axis=0)),
    Mistake("int32-overflow", "your counts run over: int32 ends at 2^31 − 1, and begins anew at "
            "−2^31", after=lambda count, *_: count.astype(np.int32).astype(np.int64)),
    *(
        Mistake("small-integers-overflow", "your counts run over: integers of 8 or 16 bits end at "
                "255, or at 32,767, and begin anew: count in int64",
                after=lambda count, *_, of=of: count.astype(of).astype(np.int64))
        for of in (np.uint8, np.int8, np.int16)
    ),
)  # fmt: skip


def _rounds(seen: Sequence[Observation]) -> bool:
    """Whether small counts are exact, and large ones off by less than one in a thousand."""
    large = [o for o in seen if o.right.max() > 2**24 and close(o.answer, o.right, 1e-3)]
    exact = [o for o in seen if (np.asarray(o.answer) == o.right).all()]
    return bool(large) and len(large) + len(exact) == len(seen)


@checks("connectivity", lesson=LESSON, points=2, see="Exercise 3: counting paths")
def paths_through_the_masks(connectivity: Standin, draw: Draw) -> Iterator[Claim | Cause]:
    """Paths multiply along a chain of layers and add over the units of a layer."""

    def ask(masks: Masks, dtype: torch.dtype) -> np.ndarray:
        n = masks[-1].shape[0]
        answer = untouched(connectivity)([tensor(m).to(dtype) for m in masks])
        counts = expect_array(answer, (n, n), "any", "the connectivity")
        note_unless_tensor(connectivity, answer, "the counts", "the next cell calls paths.double()")
        return counts

    subject = Subject(
        ask=ask,
        rule=lambda masks, dtype: paths(masks),
        drawn=True,
        forms=(_count_in_turn,),
        mistakes=_MISTAKES_OF_COUNTS,
        symptoms=(
            Symptom(
                "float32-rounding",
                "small counts are exact and the largest ones nearly: so does float32, which holds "
                "whole numbers exactly up to 2^24 = 16,777,216 only",
                _rounds,
            ),
            Symptom(
                "floats-for-counts",
                "your counts are floats: turn the masks into whole numbers before you multiply",
                lambda seen: all(o.answer.dtype.kind == "f" for o in seen),
            ),
        ),
        show=lambda masks, dtype: (
            "masks of shapes " + ", ".join(str(m.shape) for m in masks)
            if sum(m.size for m in masks) > 16
            else _told_masks(masks)
        ),
        told=lambda count: str(count.tolist()) if count.size <= 16 else shown(count),
        by_hand=_sum_over_units,
        smaller=_smaller_chains,
        alike=close,
    )
    yield from examine(
        subject,
        draw,
        Property(
            "count",
            "C[d, j] is the number of paths from input j to output d",
            _square_chains,
            points=0.5,
            asks="the matrix product of the masks: paths multiply along layers and add over units",
        ),
        Property(
            "shapes",
            "it is so for one mask and for many, of every shape and dtype",
            _of_any_shape,
            points=0.5,
            asks="the same product, outputs by inputs",
            needs="count",
        ),
        Property(
            "whole",
            "counts are whole numbers of dtype int64",
            _chains,
            points=0.5,
            asks="int64",
            typical=False,
            alike=lambda count, right: count.dtype.kind == "i",
            saw=lambda count, *_: f"an answer of kind {count.dtype}",
        ),
        Property(
            "exact",
            "counts are exact, above 2^24 too",
            _wide_masks,
            points=0.5,
            asks="exact counts: four layers of 400 units make more than ten thousand million paths",
            typical=False,
            needs="count",
            alike=lambda a, b: np.array_equal(a, b),
            saw=lambda count, right, *_: (
                f"a count that is off by {np.abs(count - right).max():.3g}, of about "
                f"{float(right.max()):.0e}"
            ),
        ),
    )


def _count_in_turn(masks: Masks, dtype: torch.dtype) -> np.ndarray:
    count = masks[0].astype(np.int64)
    for mask in masks[1:]:
        count = mask.astype(np.int64) @ count
    return count


def _sum_over_units(masks: Masks, dtype: torch.dtype) -> str:
    """C[2, 1] of two masks of two units, unit by unit."""
    if len(masks) != 2 or masks[0].shape != (2, 2) or masks[1].shape != (2, 2):
        return ""
    first, last = (m.astype(int) for m in masks)
    terms = (f"{last[1, k]}·{first[k, 0]}" for k in range(2))
    return f"from input 1 to output 2, over both units: {' + '.join(terms)} = {paths(masks)[1, 0]}"


# --- MaskedLinear ---------------------------------------------------------------------------------

_HOLDS = "the mask holds on every call: after training steps, and when it is changed"
Affine = tuple[np.ndarray, np.ndarray, np.ndarray | None, np.ndarray, torch.dtype]


def masked_affine(
    weight: np.ndarray,
    mask: np.ndarray,
    bias: np.ndarray | None,
    x: np.ndarray,
    dtype: torch.dtype = torch.float32,
    *,
    kept: Callable[..., np.ndarray] = np.multiply,
    heard: Callable[..., np.ndarray] = lambda x, mask: x,
    offset: Callable[..., np.ndarray] = lambda bias, mask: bias,
) -> np.ndarray:
    """(W∘M) x + b for rows x (B, in). Each option makes something else of one of the three."""
    y = heard(x, mask) @ kept(weight, mask).T
    return y if bias is None else y + offset(bias, mask)


def _affine(
    draw: Draw, size_in: int, size_out: int, bias: bool, dtype: torch.dtype, silent: int = 0
) -> Affine:
    """An input that nobody hears, a unit that hears nothing, and the rest at random."""
    mask = draw.uniform(size_out, size_in) < 0.5
    mask[1, -1], mask[2, 1:3], mask[1:3, 0] = True, (True, False), (True, False)
    mask[:, silent] = mask[0] = False
    weight = draw.normal(size_out, size_in)
    return weight, mask, draw.normal(size_out) + 3 if bias else None, draw.normal(6, size_in), dtype


def _square_layers(draw: Draw) -> Iterator[Affine]:
    for silent in (0, 3):
        yield _affine(draw, 5, 5, True, torch.float32, silent)


def _other_layers(draw: Draw) -> Iterator[Affine]:
    yield _affine(draw, draw.integer(3, 6), draw.integer(7, 9), True, torch.bool)
    yield _affine(draw, 4, 3, False, torch.float32)
    yield _affine(draw, 6, 4, True, torch.int64)


def _without_mask(weight: np.ndarray, mask: np.ndarray) -> np.ndarray:
    return weight


_MISTAKES_OF_A_LAYER = (
    Mistake("transposed", "your mask is transposed: it has the shape and the meaning of "
            "self.weight", options={"kept": lambda weight, mask: weight * mask.T}),
    Mistake("transposed", "your mask is transposed: it has the shape and the meaning of "
            "self.weight", options={"kept": lambda weight, mask: weight * (
                mask.T if len(mask) == len(mask.T) else mask)}),
    Mistake("mask-on-bias", "the bias is masked too: a unit without any input still has its bias",
            options={"offset": lambda bias, mask: bias * mask.any(1)}),
    *(
        Mistake("mask-on-bias", "the bias is masked too, by one column of the mask: it stays whole",
                options={"offset": lambda bias, mask, column=column: bias * mask[:, column]})
        for column in (0, -1)
    ),
    Mistake(
        "mask-on-output",
        "this masks whole outputs: a mask belongs to the weights, one entry a connection",
        gives=lambda w, m, b, x, dtype: masked_affine(w, m, b, x, kept=_without_mask) * m.any(1),
    ),
    Mistake("mask-on-input", "this masks whole inputs: a mask belongs to the weights, one entry a "
            "connection",
            options={"kept": _without_mask, "heard": lambda x, mask: x * mask.any(0)}),
    Mistake("bias-twice", "the bias is added twice, once by F.linear and once more beside it",
            options={"offset": lambda bias, mask: 2 * bias}),
    Mistake("bias-forgotten", "the bias is missing",
            options={"offset": lambda bias, mask: 0 * bias}),
    Mistake(
        "bias-always",
        "a layer that is made with bias=False has no bias",
        gives=lambda w, m, b, x, dtype: masked_affine(
            w, m, np.full(len(w), 3.0) if b is None else b, x
        ),
    ),
    Mistake(
        "bias-in-the-weight",
        "the bias is added to the weight, so that it is multiplied by x: it is the THIRD argument "
        "of F.linear",
        gives=lambda w, m, b, x, dtype: x @ (w * m + (0.0 if b is None else b[:, None])).T,
    ),
    *(
        Mistake("minus-infinity-for-zero", "masked weights are −∞, or a huge negative number, as "
                "before a softmax: a weight that does not exist is 0",
                options={"kept": lambda weight, mask, low=low: np.where(mask, weight, low)})
        for low in (-1e9, -1e10, -1e4)
    ),
    Mistake("mask-added", "the mask is added to the weight: multiply by it, and a weight whose "
            "mask is 0 is gone", options={"kept": np.add}),
    Mistake("divided-by-the-connections", "each unit's weights are divided by the number of its "
            "connections: the mask removes weights, and leaves the others as they are",
            options={"kept": lambda weight, mask: weight * mask / np.maximum(
                mask.sum(1, keepdims=True), 1)}),
    Mistake("mask-inverted", "your mask keeps what it should remove: a connection stays where the "
            "mask is 1", options={"kept": lambda weight, mask: weight * ~mask}),
)  # fmt: skip


def _small_affine(
    weight: np.ndarray, mask: np.ndarray, bias: np.ndarray | None, x: np.ndarray, dtype: torch.dtype
) -> Iterator[Affine]:
    """The worked example's layer, on other inputs."""
    if len(x) > 1:
        weight, mask = np.array([[2.0, 5.0], [3.0, 4.0]]), np.array([[True, False], [True, True]])
        b = None if bias is None else np.array([1.0, -1.0])
        yield weight, mask, b, np.array([[10.0, 1.0]]), dtype
        yield weight, ~mask.T, b, np.array([[10.0, 1.0]]), dtype


def _row_by_row(
    weight: np.ndarray, mask: np.ndarray, bias: np.ndarray | None, x: np.ndarray, dtype: torch.dtype
) -> str:
    if weight.size > 4:
        return ""
    offset = np.zeros(len(weight)) if bias is None else bias
    rows = (
        " + ".join(f"{w:g}·{int(m)}·{v:g}" for w, m, v in zip(*row[:2], x[0], strict=True))
        + f" + {row[2]:g}".replace("+ -", "− ")
        for row in zip(weight, mask, offset, strict=True)
    )
    return "; ".join(rows)


@checks("MaskedLinear", lesson=LESSON, points=3, see="Exercise 4: a linear layer with a mask")
def a_linear_layer_with_a_mask(MaskedLinear: Standin, draw: Draw) -> Iterator[Claim | Cause]:
    """A linear layer in which a connection without a 1 in the mask does not exist."""

    def layer_of(mask: np.ndarray, dtype: torch.dtype, bias: bool) -> Any:
        size_out, size_in = mask.shape
        more = {} if bias else {"bias": False}  # with a bias unless told otherwise
        return made_by(MaskedLinear, size_in, size_out, tensor(mask).to(dtype), **more)

    def ask(
        weight: np.ndarray, mask: np.ndarray, bias: np.ndarray | None, x: np.ndarray, dtype: Any
    ) -> np.ndarray:
        layer = layer_of(mask, dtype, bias is not None)
        offset = np.full(len(weight), 3.0) if bias is None else bias  # of a bias that should not be
        fill_weights(layer, tensor(weight).float(), tensor(offset).float())
        got = layer(tensor(x).float())
        return expect_array(got, (len(x), len(weight)), "float", "the output")

    # A new layer that keeps to its mask, and with other weights does not, has set weights to zero.
    _, mask, _, x, dtype = _affine(draw, 5, 5, True, torch.float32)
    zeroed = not (_sees(layer_of(mask, dtype, True), tensor(x).float()) & ~mask).any()
    unmasked = Mistake(
        "mask-only-at-init" if zeroed else "mask-unused",
        "a new layer keeps to its mask, and forgets it with other weights: what was set to zero "
        "once stays zero only until somebody sets it, as an optimizer or load_state_dict may. "
        "Apply the mask on every call"
        if zeroed
        else "these are the outputs without any mask: multiply by it, on every call",
        options={"kept": _without_mask},
    )
    layers = Subject(
        ask=ask,
        rule=masked_affine,
        forms=(_affine_in_a_line,),
        mistakes=(unmasked, *_MISTAKES_OF_A_LAYER),
        show=lambda w, m, b, x, dtype: (
            f"W {w.tolist()}, M {m.astype(int).tolist()}, "
            f"b {'None (or, if there is one, 3 everywhere)' if b is None else b.tolist()}, "
            f"x {x[0].tolist()}"
            if w.size <= 4
            else f"a layer of {w.shape[1]} inputs and {w.shape[0]} units, mask of {dtype}"
        ),
        by_hand=_row_by_row,
        smaller=_small_affine,
        alike=nearly,
    )
    like = False
    for one in examine(
        layers,
        draw,
        Property(
            "output",
            "the output is (W∘M) x + b",
            _square_layers,
            points=0.5,
            asks="one entry of the mask for each entry of the weight; the bias stays whole",
        ),
        Property(
            "shapes",
            "it is so for every shape, with a bias and without, and for masks of any dtype",
            _other_layers,
            points=0.5,
            asks="y (B, out) for x (B, in), and a mask of bools or whole numbers like floats",
            needs="output",
        ),
    ):
        like |= isinstance(one, Claim) and one.id == "output" and one.holds
        yield one
    unlike = waits_unless(like, "“the output is (W∘M) x + b”")
    yield from _claims_on_the_mask(MaskedLinear, draw, unlike)


def _affine_in_a_line(
    weight: np.ndarray, mask: np.ndarray, bias: np.ndarray | None, x: np.ndarray, dtype: Any
) -> np.ndarray:
    return x @ (weight * mask).T + (0.0 if bias is None else bias)


def _claims_on_the_mask(MaskedLinear: Standin, draw: Draw, unlike: str) -> Iterator[Claim]:
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

    def follows(layer: Any, mask: np.ndarray) -> bool:
        got = expect_array(layer(tensor(probe).float()), (8, n_out), "float", "the output")
        return nearly(got, masked_affine(weight, mask, offset, probe))

    def stepped(mask: np.ndarray) -> None:
        nonlocal weight, offset
        y = masked_affine(weight, mask, offset, x)
        slope = 2 * y / y.size
        weight = weight - rate * (slope.T @ x) * mask
        offset = offset - rate * slope.sum(0)

    gradient_step(layer, single, rate)
    stepped(mask)
    after_step, leak_after_step = follows(layer, mask), _sees(layer, single) & ~mask
    gradient = weight_gradient(layer, single)
    if gradient is not None:
        gradient = expect_array(gradient, (n_out, n_in), "float", "the gradient of the weight")
    untrained = not after_step and (gradient is None or (gradient[mask] == 0).all())
    took = fill_mask(layer, tensor(other).float())
    after_change = follows(layer, other)
    stale = took and not after_change and follows(layer, mask & other)
    got = expect_array(
        in_evaluation(layer, tensor(probe).float()), (8, n_out), "float", "the output"
    )
    evaluates = nearly(got, masked_affine(weight, other, offset, probe))
    # What the student's side says of it: the words rest on it, and no point does alone.
    facts = facts_about_mask(layer)
    facts = {k: isinstance(facts, dict) and facts.get(k) is True for k in (
        "parameter", "named", "buffer", "saved", "moves"
    )}  # fmt: skip
    leak_after_change = _sees(layer, single) & ~other if took else np.zeros_like(mask)
    yield claim(
        _HOLDS,
        after_step and after_change and evaluates,
        points=1,
        saw=f"{leak_after_step.sum()} masked connections at work after one training step"
        if leak_after_step.any()
        else "no gradient for the weights"
        if untrained
        else "other outputs than those of the weights after a step of training"
        if not after_step
        else "no tensor called mask that could be changed"
        if not took
        else f"{leak_after_change.sum()} connections at work that the new mask removes"
        if leak_after_change.any()
        else "other outputs than those of the same weights under the new mask"
        if not after_change
        else "other outputs in evaluation mode, after layer.eval()",
        asks="weights that the mask keeps are trained, the others do not exist, whatever they hold",
        waits=unlike,
        advice=[
            when(
                leak_after_step.any() and facts["parameter"],
                "mask-is-parameter",
                "the mask is applied, and the training step has changed the mask itself: it is "
                "among the parameters, which the optimizer moves",
            ),
            when(
                leak_after_step.any(),
                "mask-only-once",
                "the mask held before the step and does not hold after it: apply it on every call",
            ),
            when(
                untrained,
                "gradient-cut",
                "no gradient reaches the weight: something on its way to the output cuts it off "
                "(.data, .detach(), no_grad)",
            ),
            when(
                after_step and leak_after_change.any(),
                "mask-frozen",
                "forward must read self.mask each time: a product kept from __init__ goes stale",
            ),
            when(
                after_step and stale,
                "masked-for-good",
                "what the first mask removed stays removed under the next: the product with the "
                "mask is kept, in self.weight (.data, a new Parameter) or beside it. Leave the "
                "weight whole, and make the product anew on each call",
            ),
            when(
                after_step and after_change and not evaluates,
                "mask-in-training-only",
                "the mask holds in training and not in evaluation: apply it on EVERY call",
            ),
            "keep the mask as self.mask, and multiply the weight by it in forward: self.weight and "
            "its .data stay as they are",
        ],
    )

    # A copy that loads what was saved, and is then trained with everything set to be trained.
    state = layer.state_dict()
    fresh = made_by(MaskedLinear, n_in, n_out, tensor(mask).float())
    if isinstance(state, dict):
        fresh.load_state_dict(state)
    saved = follows(fresh, other)
    fresh.requires_grad_(True)
    gradient_step(fresh, single, rate)
    stepped(other)
    steady = follows(fresh, other)
    # Whoever answers by other weights, or another mask, may have a buffer that is all it should be.
    sound = facts["buffer"] and facts["moves"] and facts["saved"] and not facts["parameter"]
    unlike = unlike or waits_unless((after_step and after_change) or not sound, f"“{_HOLDS}”")
    yield _a_buffer(facts, saved, steady, unlike)


def _a_buffer(facts: dict[str, bool], saved: bool, steady: bool, unlike: str) -> Claim:
    return claim(
        "the mask is a buffer: saved with the model, moved with it, and never trained",
        saved and steady and facts["moves"] and facts["saved"] and not facts["parameter"],
        points=1,
        saw="a mask among the parameters"
        if facts["parameter"]
        else "no tensor called mask"
        if not facts["named"]
        else "a mask that is left behind when the layer moves to another device"
        if not facts["moves"]
        else "a mask that is missing in state_dict"
        if not facts["saved"]
        else "a layer that answers otherwise once it is saved and loaded"
        if not saved
        else "a layer whose mask does not outlast a step of training",
        asks="a tensor that is saved and moved with the layer, and that no optimizer gets",
        waits=unlike,
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
                not facts["named"],
                "mask-under-another-name",
                "the layer has no tensor called mask, which MADE.reorder will write into: "
                "register_buffer takes the name first",
            ),
            when(
                not facts["buffer"],
                "mask-plain-attribute",
                "a plain attribute stays behind on .to(device) and is lost on saving: register it "
                "as a buffer",
            ),
            "answer from self.weight, self.bias and the buffer self.mask on each call, and leave "
            "all three as they are",
        ],
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


# --- MADE: forward --------------------------------------------------------------------------------

Layers = list[tuple[np.ndarray, np.ndarray, np.ndarray]]  # weight, mask (out, in) and bias each

_LEAK = "no logit sees its own variable or a later one, in the order that was given"


def _in_position(place: np.ndarray) -> np.ndarray:
    return np.arange(len(place))


_MOVES = (_in_position, np.argsort, _from_0)
_ALL_MOVES = list(itertools.product(_MOVES, repeat=2))[1:]


def network(
    layers: Layers,
    x: np.ndarray,
    place: np.ndarray,
    *,
    between: Callable[[np.ndarray], np.ndarray] = lambda x: np.maximum(x, 0),
    last: Callable[[np.ndarray], np.ndarray] = np.asarray,
    masked: bool = True,
    hidden: slice = slice(None),
    around: str = "",
    moved_in: Callable[[np.ndarray], np.ndarray] = _in_position,
    moved_out: Callable[[np.ndarray], np.ndarray] = _in_position,
) -> np.ndarray:
    """Logits (B, n) of MADE with these places.

    Options put something else between layers or behind the last, leave it out but behind the
    `hidden` layers, add what a layer was given to what it makes of it, "ahead" of the
    ReLU or "behind" it, where both are equally wide, or move inputs or outputs: column d is that of
    variable moved(place)[d] then.
    """
    x = x[:, moved_in(place)]
    for i, (weight, mask, bias) in enumerate(layers, 1):
        given, x = x, x @ (weight * mask if masked else weight).T + bias
        added: Any = given if i < len(layers) and given.shape == x.shape else 0.0
        x = x + added if around == "ahead" else x
        followed = range(1, len(layers))[hidden]
        x = between(x) if i in followed else x if i < len(layers) else last(x)
        x = x + added if around == "behind" else x
    return x[:, moved_out(place)]


def _sigmoid(x: np.ndarray) -> np.ndarray:
    return np.exp(-softplus(-x))


_MISTAKES_OF_FORWARD = (
    Mistake("no-relu", "there is no ReLU between your layers: one linear map after another is a "
            "linear map, and the whole network no more than a logistic regression for each "
            "variable", options={"between": np.asarray}),
    Mistake("relu-on-logits", "a ReLU stands behind your LAST layer too: no logit is below 0 "
            "then, and no p below ½", options={"last": lambda x: np.maximum(x, 0)}),
    Mistake("sigmoid-for-relu", "a sigmoid stands where a ReLU is asked, between the layers",
            options={"between": _sigmoid}),
    *(
        Mistake("other-for-relu", "another activation stands where a ReLU is asked, between the "
                "layers: max(0, t), which is 0 for every t below 0", options={"between": between})
        for between in (
            *(lambda x, low=low: np.where(x > 0, x, low * x) for low in (0.01, 0.1, 0.2)),
            lambda x: np.where(x > 0, x, np.expm1(np.minimum(x, 0))),
            softplus,
            lambda x: x * _sigmoid(x),
        )
    ),
    Mistake("last-relu-missing", "no ReLU follows the last hidden layer: it follows every layer "
            "but the output's", options={"hidden": slice(-1)}),
    Mistake("first-relu-missing", "no ReLU follows the first layer: it follows every layer but the "
            "output's", options={"hidden": slice(1, None)}),
    Mistake("spins-for-bits", "the bits go in as −1 and 1: the layers are given x as it is",
            gives=lambda layers, x, place, **wrong: network(layers, 2 * x - 1, place, **wrong)),
    Mistake("tanh-for-relu", "a tanh stands where a ReLU is asked, between the layers",
            options={"between": np.tanh}),
    Mistake("probabilities-for-logits", "these are probabilities, between 0 and 1: forward "
            "returns logits, and the sigmoid comes where a probability is needed",
            options={"last": _sigmoid}),
    Mistake("masks-unused", "your logits come from the whole weights: no layer uses its mask",
            options={"masked": False}),
    *(
        Mistake("added-around-a-layer", "a hidden layer is given to the next one and added to what "
                "comes out, as in a residual network: as a rule unit k of one layer has another "
                "degree than unit k of the next, so the sum goes where the "
                "masks let nothing through",
                options={"around": around})
        for around in ("behind", "ahead")
    ),
    Mistake("sign-of-logits", "your logits have the other sign: they are log-odds of a ONE",
            options={"last": np.negative}),
    *(
        Mistake("variables-moved", "inputs or outputs are moved by their places: input d and logit "
                "d belong to variable d, whatever the order; the masks alone know of it",
                options={"moved_in": moved_in, "moved_out": moved_out})
        for moved_in, moved_out in _ALL_MOVES
    ),
)  # fmt: skip


def seen_when_moved(place: np.ndarray, moved_in: Any, moved_out: Any) -> np.ndarray:
    """Which variable each logit sees if `network` moves them so, all else right: bool (n, n)."""
    seen = np.zeros((len(place), len(place)), dtype=bool)
    seen[:, moved_in(place)] = place[None, :] < place[moved_out(place)][:, None]
    return seen


def places_that_tell(draw: Draw, n: int) -> np.ndarray:
    """Places 1 … n, n ≥ 5, under which any move lets some logit see a variable of later place.

    With some other places, all that leaks is that outputs see themselves, as by another mistake.
    """
    while True:
        place = draw_places(draw, n)
        later = place[None, :] > place[:, None]
        if all((seen_when_moved(place, *moves) & later).any() for moves in _ALL_MOVES):
            return place


def _model_and_layers(
    MADE: Standin, draw: Draw, n: int, hidden: tuple[int, ...]
) -> tuple[Any, Layers | None, np.ndarray]:
    """A model with new weights, its layers where it is built as the lesson does, and its places.

    Whoever has written another constructor is asked for the properties of the logits alone.
    """
    place = draw_places(draw, n)
    model = made_by(MADE, n, hidden, tensor(place), draw.generator())
    randomize_parameters(model, draw.rng, gain=3.0)
    state, count = model.state_dict(), len(hidden) + 1
    names = {f"layers.{i}.{part}" for i in range(count) for part in ("weight", "bias", "mask")}
    if not isinstance(state, dict) or set(state) != names | {"place"}:
        return model, None, place
    arrays = {name: expect_array(state[name], None, "any", name) for name in names}
    return (
        model,
        [
            tuple(arrays[f"layers.{i}.{part}"] for part in ("weight", "mask", "bias"))
            for i in range(count)
        ],
        place,
    )


def _logits(model: Any, x: np.ndarray) -> np.ndarray:
    return expect_array(model(tensor(x).float()), x.shape, "float", "the logits")


@checks("MADE.forward", lesson=LESSON, points=2, see=_MADE)
def conditionals_in_one_pass(MADE: Standin, draw: Draw) -> Iterator[Claim | Cause]:
    """All n conditionals at once, each from the variables before it."""
    yield from _claims_on_paths(MADE, draw)

    seen, flat, numbers, varied, every = [], True, True, False, []
    for hidden in ((160,), (80, 80)):
        for _ in range(4):
            n = draw.integer(5, 6)
            model, layers, place = _model_and_layers(MADE, draw, n, hidden)
            x = all_bits(n)
            logits = _logits(model, x)
            every.append(logits)
            # A constant, what is no number, and noise are log-odds of nothing.
            numbers &= bool(np.isfinite(logits).all() and (_logits(model, x) == logits).all())
            varied |= bool(
                np.ptp(logits, axis=0).any()
            )  # a wrong one may be constant here or there
            flat &= _is_affine(x, logits)
            if layers is not None:
                right = network(layers, x, place)
                seen.append(Observation((layers, x, place), logits, right, nearly))
    waits = waits_unless(
        numbers and varied, "finite logits that change with x, and with nothing else"
    )
    low, high = min(v.min() for v in every), max(v.max() for v in every)
    yield claim(
        "logits are log-odds: any numbers, below 0 and above",
        low < -1.2 and high > 1.2,  # further than any p, or tanh, goes
        points=0.5,
        saw=f"{sum(v.size for v in every):,} logits of random networks, from {low:.3g} to "
        f"{high:.3g}",
        asks="a logit below 0 where p < ½, one above 0 where p > ½, and no end to either side",
        waits=waits,
        advice="ask what the last thing is that happens to your logits: it should be a layer",
    )
    odd = next((o for o in seen if o.fails), None)
    yield claim(
        "the logits are those of the layers in turn, a ReLU behind each but the last"
        if seen
        else "something nonlinear stands between the layers",
        not flat and odd is None,
        points=0.5,
        saw="logits that are straight lines of the bits: each bit adds its own amount, whatever "
        "the others are"
        if flat
        else f"other logits than those of your own layers with ReLUs between them: {_apart(odd)}"
        if odd
        else "",
        asks="what two bits say together is not the sum of what each says alone"
        if flat
        else "the layers in turn, a ReLU behind each of them but the last",
        waits=waits,
        advice=[
            when(
                flat,
                "no-relu",
                "your logits are linear in x: nothing nonlinear stands between the layers, so that "
                "the network is no more than a logistic regression for each variable",
            ),
            "follow one example through your layers by hand",
        ],
    )
    if odd is not None and (found := explain(network, _MISTAKES_OF_FORWARD, seen)):
        advice = " And: ".join(one.advice for one in found)
        yield Cause(tuple(one.name for one in found), advice, "reproduced")


def _apart(odd: Observation) -> str:
    at = np.unravel_index(np.argmax(np.abs(odd.answer - odd.right)), odd.right.shape)
    return f"{odd.answer[at]:.4g} in place of {odd.right[at]:.4g}"


def _is_affine(x: np.ndarray, logits: np.ndarray) -> bool:
    """Whether logits of all bit vectors are sums of what each bit adds, up to single precision."""
    base = np.column_stack([np.ones(len(x)), x])
    if not np.isfinite(logits).all():
        return False
    left = logits - base @ np.linalg.lstsq(base, logits, rcond=None)[0]
    return bool(np.abs(left).max() <= 1e-4 * np.abs(logits).max())


def _claims_on_paths(MADE: Standin, draw: Draw) -> Iterator[Claim]:
    # Layers so wide that every degree occurs in each, or no network could see all of its past:
    # one is missing with a probability below 6 · (5/6)^160 < 2e-12.
    leaks: list[tuple[int, int, str, bool]] = []
    gaps: list[tuple[int, int, str, bool]] = []
    mixing, alive, everything = False, False, True
    for n, hidden, turns in ((2, (8,), 1), (draw.integer(5, 7), (160, 160), 2), (4, (160,), 0)):
        places = places_that_tell if n >= 5 else draw_places
        place = places(draw, n) if turns else np.arange(1, n + 1)  # the natural one too
        given = (tensor(place), draw.generator()) if turns else ()
        model = made_by(MADE, n, hidden, *given)
        _logits(model, draw.bits(3, n))
        for turned in (False, True)[: max(turns, 1)]:
            if turned:
                place = places(draw, n)
                model.reorder(tensor(place))
            seen: DependencyMap = dependency_map(
                model,
                tensor(draw.bits(4, n)).float(),
                expected=place,
                seed=draw.integer(0, 2**31),
            )
            mixing |= seen.rows_mix
            everything &= bool(seen.sees.all())  # which is to see the past for free
            alive |= bool(seen.sees.any())  # a constant, or nothing but NaN, is blind for free
            order = f"place {place.tolist()}" if turns else "no place given"
            where = f"at n = {n}, {order}{' after reorder' * turned}"
            leaks += [(int(d), int(j), where, turned) for d, j in seen.forbidden(place)]
            gaps += [(int(d), int(j), where, turned) for d, j in seen.missing(place)]
    yield claim(
        _LEAK,
        not leaks and not mixing,
        points=0.5,
        saw="rows of a batch that change each other's logits"
        if mixing
        else _edge("changes", leaks),
        asks="logit d depends on the variables before x_d in the order only",
        waits=waits_unless(alive, "logits that change with x"),
        advice=[
            when(
                mixing,
                "rows-mix",
                "each example must be computed for itself: no statistics over the batch",
            ),
            when(
                leaks and all(turned for *_, turned in leaks),
                "reorder-incomplete",
                "before reorder nothing leaks, and after it something does: it leaves a layer "
                "whose mask is not the one of the new order and of the degrees that the model has",
            ),
            when(
                not any(turned for *_, turned in leaks)
                and any("n = 2" not in where for *_, where, _ in leaks),
                "order-not-built-in",
                "after reorder nothing leaks, and before it something does: the constructor builds "
                "masks of another order than it was given",
            ),
            when(
                leaks and all(d == j for d, j, *_ in leaks),
                "output-sees-itself",
                "outputs see their own inputs: by the comparison in the OUTPUT mask, by something "
                "that adds x to the result, or because they stand in other positions than their "
                "variables",
            ),
            "some way leads to a logit that its place does not allow. Usual are a layer whose mask "
            "is wrong or not used, inputs or outputs that are moved (logit d belongs to variable "
            "d), and a sum that goes around a layer and its mask",
        ],
    )
    yield claim(
        "every logit sees all of its past",
        not gaps,
        points=0.5,
        saw=_edge("never changes", gaps),
        asks="at 160 hidden units there is a path from every variable to all later ones",
        waits=waits_unless(not everything, f"“{_LEAK}”"),
        advice=[
            when(
                not alive,
                "sees-nothing",
                "no logit sees anything: do the layers get their input, and the right masks?",
            ),
            "a mask cuts a path, which the explorer shows, or input d or logit d is not that of "
            "variable d",
        ],
    )


def _edge(verb: str, edges: Sequence[tuple[int, int, str, bool]]) -> str:
    if not edges:
        return ""
    d, j, where, _ = edges[0]
    return f"logit {d + 1} {verb} with x_{j + 1} {where}"


# --- MADE: nll ------------------------------------------------------------------------------------


def nll_by_rule(logits: np.ndarray, x: np.ndarray) -> np.ndarray:
    """−log p(x) in nats, (B,)."""
    return (np.logaddexp(0.0, logits) - x * logits).sum(1)


def _sigmoid_first(least: float) -> Callable[..., np.ndarray]:
    """log σ in single precision, as torch computes it; a logarithm is `least` at least."""

    def gives(logits: np.ndarray, x: np.ndarray) -> np.ndarray:
        p, bits = torch.sigmoid(tensor(logits).float()), tensor(x).float()
        logs = p.log().clamp(min=least), (1 - p).log().clamp(min=least)
        return -(bits * logs[0] + (1 - bits) * logs[1]).sum(1).double().numpy()

    return gives


_SIGMOID_FIRST = tuple(
    Mistake(
        "sigmoid-then-log",
        "first a sigmoid and then a logarithm loses large logits: σ(100) is exactly 1 in floats. "
        "Stay with logits",
        gives=_sigmoid_first(least),
    )
    for least in (-np.inf, -100.0)
)


def _in_floats(how: Callable[..., torch.Tensor]) -> Callable[..., np.ndarray]:
    """The nll of `how(logits, bits)` (B, n), in single precision as torch computes it."""
    return lambda logits, x: how(tensor(logits).float(), tensor(x).float()).sum(1).double().numpy()


def _log_loss(p: torch.Tensor, x: torch.Tensor, added: float = 0.0) -> torch.Tensor:
    return -(x * (p + added).log() + (1 - x) * (1 - p + added).log())


_TINY = (1e-4, 1e-5, 1e-6, 1e-7, 1e-8, 1e-9, 1e-10, 1e-12)
_IN_FLOATS = (
    *several(
        "exp-overflows",
        "the formula is right, and e^l is not: past l = 88 it is more than single precision holds, "
        "inf, where log(1 + e^l) is l. F.softplus is log(1 + e^l) for every l",
        _in_floats(lambda v, x: torch.log(1 + torch.exp(v)) - x * v),
        _in_floats(lambda v, x: torch.log(1 + torch.exp((1 - 2 * x) * v))),
    ),
    *several(
        "probabilities-clamped",
        "probabilities are kept away from 0 and 1 (by a clamp, or a small number in the "
        "logarithm): that puts an end to what an unlikely bit costs. Stay with logits",
        *(
            _in_floats(lambda v, x, e=e: _log_loss(torch.sigmoid(v).clamp(e, 1 - e), x))
            for e in _TINY
        ),
        *(_in_floats(lambda v, x, e=e: _log_loss(torch.sigmoid(v), x, e)) for e in _TINY),
    ),
)
_MISTAKES_OF_NLL = (
    Mistake("summed-over-batch", "you sum over the batch as well: nll has one number for each "
            "example", after=lambda nll, *_: nll.sum()),
    Mistake("summed-over-examples", "you sum over the examples, which leaves one number for each "
            "VARIABLE: sum over the variables",
            gives=lambda logits, x: (np.logaddexp(0.0, logits) - x * logits).sum(0)),
    Mistake("averaged-over-batch", "you average over everything: nll has one number for each "
            "example, summed over variables", after=lambda nll, logits, x: nll.sum() / x.size),
    *(
        Mistake("one-variable-left-out", f"the {which} variable is left out of the sum: every one "
                "of the n has its price", gives=lambda logits, x, kept=kept: (
                    np.logaddexp(0.0, logits) - x * logits)[:, kept].sum(1))
        for which, kept in (("last", slice(-1)), ("first", slice(1, None)))
    ),
    *(
        Mistake("averaged-over-examples", "you average over the examples: nll has one number for "
                "each of them", after=after)
        for after in (lambda nll, *_: nll.mean(), lambda nll, *_: np.full(len(nll), nll.mean()))
    ),
    Mistake("averaged-over-variables", "you average over the n variables: −log p(x) is their SUM, "
            "or p is no probability", after=lambda nll, logits, x: nll / x.shape[1]),
    Mistake("sign", "this is log p(x), which is negative: the nll is minus that",
            after=lambda nll, *_: -nll),
    Mistake("bits-for-nats", "these are bits: the course counts in nats, natural logarithms",
            after=lambda nll, *_: nll / np.log(2)),
    Mistake("axis-kept", "the numbers stand in a column, (B, 1): asked is (B,), so leave keepdim "
            "out", after=lambda nll, *_: nll[:, None]),
    Mistake("axis-squeezed", "for ONE example the answer has no axis any more: it is asked as "
            "(1,), and squeeze takes that axis away too", after=lambda nll, *_: np.squeeze(nll)),
    Mistake("sigmoid-twice", "a sigmoid was taken already where the formula takes logits",
            gives=lambda logits, x: nll_by_rule(1 / (1 + np.exp(-logits)), x)),
    Mistake("not-summed", "one number for each variable: a sum over them is missing",
            gives=lambda logits, x: np.logaddexp(0.0, logits) - x * logits),
    Mistake("bits-inverted", "each bit is priced as if it were the other one: a logit is the "
            "log-odds of a ONE",
            gives=lambda logits, x: nll_by_rule(logits, 1 - x)),
    Mistake("x-for-logits", "this is what x says of itself: the logits come from the model",
            gives=lambda logits, x: nll_by_rule(x, x)),
    Mistake("arguments-swapped", "logits and bits have changed places",
            gives=lambda logits, x: nll_by_rule(x, logits)),
    *_SIGMOID_FIRST,
    *_IN_FLOATS,
)  # fmt: skip


def _nll_by_hand(logits: np.ndarray, x: np.ndarray) -> str:
    """The terms of one example of two bits, or of two; no e^v that is out of reach."""
    if logits.size not in (2, 4) or logits.shape[1] != 2:
        return ""

    def term(v: float, bit: float) -> str:
        softplus = f"log(1 + e^{v:.3g})" if v < 30 else f"{v:.3g} + log(1 + e^−{v:.3g})"
        return f"[{softplus} − {int(bit)}·{v:.3g}]"

    return "; ".join(
        " + ".join(map(term, row, bits)) + f" = {nll:.4g}"
        for row, bits, nll in zip(logits, x, nll_by_rule(logits, x), strict=True)
    )


@checks("MADE.nll", lesson=LESSON, points=1, see=_MADE)
def minus_log_probability(MADE: Standin, draw: Draw) -> Iterator[Claim | Cause]:
    """The chain rule as a sum of logs; the model answers with logits of ours."""
    n = draw.integer(5, 7)
    model = made_by(MADE, n, (30,), tensor(draw_places(draw, n)), draw.generator())

    def with_ours(logits: np.ndarray, x: np.ndarray) -> tuple[Any, int]:
        got = nll_of_logits(model, tensor(logits).float(), tensor(x).float())
        if not isinstance(got, tuple) or len(got) != 2:
            raise WrongKind("nll did not come back")
        return got

    # Who takes the logits from the layers, and not from forward, is judged by their own logits.
    own = with_ours(draw.normal(2, n), draw.bits(2, n))[1] == 0
    if own and not _answers_with_x(model, n, draw):
        raise WrongKind(
            "nll does not ask the model for its logits, and the model's own do not depend on x"
        )

    def ask(logits: np.ndarray, x: np.ndarray) -> np.ndarray:
        got = model.nll(tensor(x).float()) if own else with_ours(logits, x)[0]
        return expect_array(got, None, "float", "nll")

    def cases(scale: float) -> Callable[[Draw], Iterator[tuple[np.ndarray, np.ndarray]]]:
        def of(draw: Draw) -> Iterator[tuple[np.ndarray, np.ndarray]]:
            for rows in (12, 20, 1):
                x, logits = draw.bits(rows, n), draw.normal(rows, n, scale=scale)
                if own:
                    randomize_parameters(model, draw.rng, gain=scale)
                    logits = _logits(model, x)
                yield logits, x

        return of

    subject = Subject(
        ask=ask,
        rule=nll_by_rule,
        mistakes=_MISTAKES_OF_NLL,
        show=lambda logits, x: (
            " and ".join(
                f"logits {shown(row)} and x = {shown(bits)}"
                for row, bits in zip(logits[:2], x[:2], strict=True)
            )
            + " …" * (len(x) > 2)
        ),
        by_hand=_nll_by_hand,
        smaller=None if own else _small_likelihoods,
        alike=nearly,
    )
    right = yield from examine(
        subject,
        draw,
        Property(
            "nll",
            "nll is −log p(x) in nats, one number for each example",
            cases(2.0),
            points=0.5,
            asks="the sum over the n variables of the negative log-probability of each bit",
        ),
        Property(
            "large",
            "nll holds for large logits too",
            cases(100.0),
            points=0.25,
            asks="a bit that the model calls all but impossible costs |logit| nats, and not inf",
            needs="nll",
        ),
    )
    yield _the_way_back(model, n, draw, own, right)


def _the_way_back(model: Any, n: int, draw: Draw, own: bool, right: bool) -> Claim:
    """The gradient of nll on a logit is σ(logit) − x; of `own` logits, that there is one."""
    x, logits = draw.bits(6, n), draw.normal(6, n)
    if own:
        slope, back = None, trains_by_nll(model, tensor(x).float()) is True
    else:
        slope = nll_slope(model, tensor(logits).float(), tensor(x).float())
        wanted = 1 / (1 + np.exp(-logits)) - x
        back = slope is not None and close(
            expect_array(slope, x.shape, "float", "the gradient of nll"), wanted, 1e-3
        )
    return claim(
        "training reaches the logits through nll",
        back,
        points=0.25,
        saw="no gradient for the logits" if slope is None else "another gradient than σ(logit) − x",
        asks="the gradient of −log p(x_d) on logit d, which is σ(logit) − x_d",
        waits=waits_unless(right, "“nll is −log p(x) in nats, one number for each example”"),
        advice=when(
            slope is None,
            "gradient-cut",
            "the values are right, and they do not lead back to the logits, as after .data, "
            ".detach(), .item(), .numpy() or under no_grad: training needs the way back",
        ),
    )


def _answers_with_x(model: Any, n: int, draw: Draw) -> bool:
    """Whether the model's own logits are numbers that change with x and with its weights."""
    x, seen = all_bits(n)[[0, -1]], []
    for _ in range(2):
        randomize_parameters(model, draw.rng, gain=2.0)
        seen.append(_logits(model, x))
    first, second = seen
    finite = np.isfinite(first).all() and np.isfinite(second).all()
    return bool(finite and not close(first[0], first[1], 1e-3) and not close(first, second, 1e-3))


def _small_likelihoods(
    logits: np.ndarray, x: np.ndarray
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """The worked example: two variables, one example; and both kinds of it together."""
    if logits.size > 4:
        yield np.array([[0.0, np.log(3)]] * 2), np.array([[1.0, 0.0], [1.0, 1.0]])
    if logits.size > 2 and len(logits) > 1:  # one example alone may be the point
        for high in (np.log(3), 30.0, 120.0):
            for bits in ([1.0, 0.0], [1.0, 1.0]):
                yield np.array([[0.0, high]]), np.array([bits])


# --- MADE: sample ---------------------------------------------------------------------------------

BOUND_OF_PAIRS = 0.115  # of the 64 pairs of words, in half as many draws


def _turns(place: np.ndarray) -> np.ndarray:
    return np.argsort(place)


def drawn(
    tables: np.ndarray,
    place: np.ndarray,
    *,
    turns: Callable[[np.ndarray], np.ndarray] = _turns,
    sign: float = 1.0,
    fill: bool = True,
    out: Callable[[np.ndarray], np.ndarray] = np.asarray,
    reads: Callable[[int, int], int] = lambda t, d: d,
    writes: Callable[[int, int], int] = lambda t, d: d,
) -> np.ndarray:
    """p(x) of all 2^n vectors if pass t, which answers from tables[t], draws variable turns[t].

    Options: other turns, the probability of the other bit, (without `fill`) one pass for all bits,
    over an empty input; `out` of a logit in its place, another variable's logit, or place for it.
    """
    n = tables.shape[2]
    every, log_p, known = all_bits(n), np.zeros(2**n), np.zeros(n)
    for t, d in enumerate(turns(place)):
        logit = out(sign * tables[t if fill else 0][place_of(every * known), reads(t, d)])
        to = writes(t, d)
        log_p -= softplus(np.where(every[:, to] == 1, -logit, logit))
        known[to] = fill
    return np.exp(log_p)


def chances(tables: np.ndarray, place: np.ndarray, row: np.ndarray) -> np.ndarray:
    """The probability of a 1 for each bit of the row (1, n), given the bits drawn before it."""
    found, known = np.zeros(row.shape), np.zeros(row.shape)
    for t, d in enumerate(_turns(place)):
        found[:, d] = 1 / (1 + np.exp(-tables[t][place_of(known), d]))
        known[:, d] = row[:, d]
    return found


def _one_uniform(tables: np.ndarray, place: np.ndarray) -> np.ndarray:
    """p(x) if one uniform number serves all passes of an example."""
    grid = (np.arange(2000) + 0.5) / 2000
    x = np.zeros((len(grid), len(place)))
    for t, d in enumerate(_turns(place)):
        x[:, d] = grid < 1 / (1 + np.exp(-tables[t][place_of(x), d]))
    return frequencies(x)


def _all_anew(tables: np.ndarray, place: np.ndarray) -> np.ndarray:
    """p(x) if pass t draws all bits from tables[t], given what the pass before drew."""
    every, p = all_bits(tables.shape[2]), np.eye(2 ** tables.shape[2])[0]
    for logits in tables[:, :, None]:
        p = p @ np.exp(-softplus(np.where(every == 1, -logits, logits)).sum(-1))
    return p


def _logit_of(p: np.ndarray) -> np.ndarray:
    return np.log(p) - np.log1p(-p)


def _rounded(tables: np.ndarray, place: np.ndarray) -> np.ndarray:
    return drawn(1e4 * tables, place)


_MISTAKES_OF_SAMPLE = (
    Mistake("one-pass-sampling", "all bits come from one pass over an empty input: each "
            "conditional must see the bits that were drawn before it", options={"fill": False}),
    Mistake("order-for-its-inverse", "place[d] is the PLACE of variable d; whose turn it is at "
            "step i is the inverse of that", options={"turns": lambda place: place - 1}),
    Mistake("natural-order", "you draw x_1, x_2, … whatever the order: the first to be drawn has "
            "place 1", options={"turns": lambda place: np.arange(len(place))}),
    Mistake("all-drawn-anew", "every pass draws all bits again, and the last pass leaves none of "
            "those that it was given: at each step one bit is drawn, and kept", gives=_all_anew),
    Mistake("noise-reused", "one uniform number serves all passes of an example: draw a new one "
            "each time", gives=_one_uniform),
    Mistake("reversed-order", "you draw in the order backwards: the variable of place 1 comes "
            "first", options={"turns": lambda place: _turns(place)[::-1]}),
    Mistake("bits-inverted", "ones and zeros have changed places: a bit is 1 with probability "
            "σ(logit)", options={"sign": -1.0}),
    Mistake("fair-coins", "these are fair coins: where is the model?", options={"sign": 0.0}),
    Mistake("logit-for-probability", "the logit itself is taken for a probability: a bit is 1 with "
            "probability σ(logit)",
            options={"out": lambda v: _logit_of(np.clip(v, 1e-9, 1 - 1e-9))}),
    Mistake("logit-of-another-variable", "at step i you read logit i and fill the column of the "
            "variable whose turn it is: read the logit of that variable",
            options={"reads": lambda t, d: t}),
    Mistake("column-of-another-variable", "at step i you fill column i with the bit of the "
            "variable whose turn it is: the bit of variable d belongs to column d",
            options={"writes": lambda t, d: t}),
    *(
        Mistake("columns-by-place", "the samples' columns are sorted by their places at the end: "
                "column d is that of variable d, in every order",
                after=lambda p, tables, place, to=to: p.reshape((2,) * len(place)).transpose(
                    to(place)).ravel())
        for to in (_turns, lambda place: place - 1)
    ),
    Mistake("rounded-for-drawn", "each bit is the likelier one, always: draw it with its "
            "probability, do not round it", gives=_rounded),
)  # fmt: skip
_SYMPTOMS_OF_SAMPLE = (
    Symptom(
        "probabilities-for-bits",
        "sample returns other numbers than 0 and 1: it returns bits, so draw each one",
        lambda seen: all(o.answer.ndim == 2 for o in seen),
    ),
)


def _tables(draw: Draw, place: np.ndarray) -> np.ndarray:
    """Logits (n passes, 2^n, n) that depend on the pass and on the bits before.

    In pass t the logit of the variable whose turn it is has the other sign than in all others: how
    often each vector comes tells which pass has drawn which bit. Of several, those that tell the
    right answer and the known mistakes from each other.
    """
    n, turns = len(place), _turns(place)
    every = all_bits(n)
    best, kept = -1.0, np.zeros((n, 2**n, n))
    for _ in range(100):
        tables = np.zeros((n, 2**n, n))
        for t, d in enumerate(turns):
            before = 2 * every[:, turns[:t]] - 1
            vote = 0.7 * before @ np.where(draw.bits(t) == 1, 1.0, -1.0)
            own = 1.5 if draw.integer(0, 1) else -1.5
            tables[:, :, d] = vote - own
            tables[t, :, d] = vote + own
        options = [{}, *(one.options for one in _MISTAKES_OF_SAMPLE if one.options)]
        given = [_rounded(tables, place), *(drawn(tables, place, **wrong) for wrong in options)]
        apart = min(np.abs(p - q).sum() for p, q in itertools.combinations(given, 2))
        if apart > best:
            best, kept = apart, tables
        if best > 0.2:
            break
    return kept


def _steady(tables: np.ndarray) -> np.ndarray:
    """The same logits in every pass: those of the pass in which each variable has its turn.

    They differ from those of all other passes, which are equal.
    """
    n = len(tables)
    return np.broadcast_to(tables.sum(0) - (n - 1) * np.median(tables, axis=0), tables.shape)


def _worst(frequency: np.ndarray, right: np.ndarray, tables: Any, place: np.ndarray) -> str:
    if frequency.ndim == 2:
        return f"values such as {frequency[~np.isin(frequency, (0, 1))][0]:.3g}"
    worst = int(np.argmax(np.abs(frequency - right)))
    return (
        f"{all_bits(len(place))[worst].astype(int).tolist()} in {frequency[worst]:.1%} of "
        f"{DRAWS:,} samples, where the logits give it {right[worst]:.1%} (place {place.tolist()})"
    )


@checks("MADE.sample", lesson=LESSON, points=2, see=_MADE)
def samples_bit_by_bit(MADE: Standin, draw: Draw) -> Iterator[Claim | Cause]:
    """One variable after the other, in the order; every pass answers with logits of ours."""
    n = 3
    kept: list[tuple[np.ndarray, int]] = []  # what each of the askings below drew, in its passes
    steady = False  # whether bits are drawn again in later passes, by noise that stays

    def sample(model: Any, tables: np.ndarray, count: int, generator: Any) -> np.ndarray:
        table = tensor(_steady(tables) if steady else tables).float()
        got = sample_from_tables(model, count, generator, table)
        if not isinstance(got, tuple) or len(got) != 2:
            raise WrongKind("sample did not come back with its samples")
        x = expect_array(got[0], (count, n), "any", "the samples").astype(np.float64)
        kept.append((x, got[1] if isinstance(got[1], int) else -1))
        return x

    def model_of(place: np.ndarray) -> Any:
        return made_by(MADE, n, (6,), tensor(place), draw.generator())

    def once(tables: np.ndarray, place: np.ndarray) -> np.ndarray:
        x = sample(model_of(place), tables, DRAWS, draw.generator())
        return frequencies(x) if np.isin(x, (0, 1)).all() else x

    def ask(tables: np.ndarray, place: np.ndarray) -> np.ndarray:
        nonlocal steady
        found, right = once(tables, place), drawn(tables, place)
        if steady or as_often(found, right) or kept[-1][1] != n:
            return found
        steady = True
        again = once(tables, place)
        steady = as_often(again, right)
        kept.pop(-2 if steady else -1)
        return again if steady else found

    def cases(draw: Draw) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        for _ in range(2):
            place = draw_places(draw, n)
            yield _tables(draw, place), place

    def alike_in_each_call(seen: Sequence[Observation]) -> bool:
        tables, place = seen[0].args
        few = [sample(model_of(place), tables, 2, draw.generator()) for _ in range(20)]
        same = seen[0].answer.max() == 1 and all((x == x[0]).all() for x in few)
        return bool(same and np.ptp([x[0] for x in few], axis=0).any())

    def one_row(seen: Sequence[Observation]) -> bool:
        tables, place = seen[0].args
        return of_the_first_row(
            lambda: sample(model_of(place), tables, DRAWS, draw.generator()),
            lambda row: chances(tables, place, row),
        )

    subject = Subject(
        ask=ask,
        rule=lambda tables, place, **wrong: drawn(tables, place, **wrong),  # no slips of chance
        mistakes=_MISTAKES_OF_SAMPLE,
        symptoms=(
            *_SYMPTOMS_OF_SAMPLE,
            Symptom(
                "same-for-all",
                "all examples of a call are alike: every one of them needs its own draw",
                alike_in_each_call,
            ),
            Symptom(ONE_ROW, ONE_ROW_ADVICE, one_row),
            Symptom(
                "other-passes",
                f"for {n} bits the model was not asked {n} times: one pass for each variable, and "
                "its bit is drawn from that pass",
                lambda seen: all(passes != n for _, passes in kept),
            ),
        ),
        show=lambda tables, place: f"place {place.tolist()}",
        told=lambda answer: shown(answer, 8),
        alike=as_often,
    )
    often = Property(
        "often",
        "samples come as often as the model says",
        cases,
        points=1,
        asks="each bit drawn from its conditional, given the bits drawn before it",
        saw=_worst,
    )
    right = yield from _judged_by_passes(examine(subject, draw, often), n, kept)
    first, passes = kept[0]

    place = draw_places(draw, n)
    model, tables, seed = model_of(place), _tables(draw, place), draw.apart() % 2**31
    one, other = (torch.Generator().manual_seed(seed) for _ in range(2))
    start = one.get_state()
    x, again, twin = (sample(model, tables, DRAWS // 2, g) for g in (one, one, other))
    moved = not torch.equal(start, one.get_state())
    note_on_default(
        MADE,
        lambda g: sample(model, tables, DRAWS // 2, g),
        right=right and moved and (x == twin).all(),
    )
    yield _apart_from_each_other(
        first,
        x,
        again,
        drawn(tables, place),
        right,
        lambda count: sample(model, tables, count, draw.generator()),
    )
    yield _of_its_passes(n, passes, right, moved, bool((x == twin).all()))


def _of_its_passes(n: int, passes: int, right: bool, moved: bool, equal: bool) -> Claim:
    """n passes, by the given generator, which has moved; `equal`: twins of it drew the same."""
    return claim(
        "sample takes n passes, and its randomness from the given generator alone",
        passes == n and moved and equal,
        points=0.5,
        saw=f"{passes} passes for {DRAWS:,} samples of {n} bits"
        if passes != n
        else "a generator that nobody has used"
        if not moved
        else "different samples from equal generators",
        asks="n passes, whatever the number of samples; equal generators give equal samples",
        waits=waits_unless(right or passes != n or not moved, "“samples come as often …”"),
        advice=[
            when(
                passes == n and not moved,
                "generator-ignored",
                "the given generator has not moved: hand it on to what draws",
            ),
            "one pass for each variable is enough: fill one column of x after each",
        ],
    )


def _judged_by_passes(
    told: Generator[Claim | Cause, None, bool], n: int, kept: Sequence[tuple[np.ndarray, int]]
) -> Generator[Claim | Cause, None, bool]:
    """The same; of more than n passes, whose logits are not those of the turns, nothing is said.

    Every pass has logits of its own, so that frequencies tell which pass drew which bit.
    """
    right = True
    for one in told:
        if isinstance(one, Claim):
            right = one.holds
            if not right and kept[0][1] > n:
                one = waiting(one.text, f"{n} passes for {n} bits", points=one.points, id=one.id)
        elif kept[0][1] > n:
            one = dataclasses.replace(one, example=(), picture="")
        yield one
    return right


def _apart_from_each_other(
    first: np.ndarray,
    x: np.ndarray,
    again: np.ndarray,
    p: np.ndarray,
    right: bool,
    few: Callable[[int], np.ndarray],
) -> Claim:
    """Pairs of samples come as often as two independent ones do; `few(count)` draws more."""
    half = len(x) // 2
    pairs = {
        "a sample and the next": (x[::2], x[1::2]),
        "a sample and the one half a batch later": (
            np.concatenate([x[:half], again[:half]]),
            np.concatenate([x[half:], again[half:]]),
        ),
        "a sample and that of the next call": (x, again),
    }
    found = ""
    for what, (a, b) in pairs.items() if right else ():
        off = np.abs(frequencies(np.concatenate([a, b], axis=1)) - np.outer(p, p).reshape(-1)).sum()
        if off >= BOUND_OF_PAIRS * np.sqrt(DRAWS / 2 / len(a)) and not found:
            same = (a == b).all(1).mean()
            found = (
                f"{what} are the same word in {same:.1%} of the pairs, two independent ones in "
                f"{(p**2).sum():.1%}; all 64 pairs are {off:.2f} away from chance, in sum"
            )
    if right and not found:
        found = too_even(few, letters_of(p.reshape((2,) * x.shape[1])))
    return claim(
        "each sample is drawn by itself, whatever the others are",
        not found,
        points=0.5,
        saw=found,
        asks="two samples are independent: side by side, far apart, and in two calls",
        waits=waits_unless(right, "“samples come as often as the model says”"),
        advice=when(
            found,
            "samples-not-independent",
            "one sample tells something about another: each bit of each sample needs a random "
            "number of its own, and each call new ones",
        ),
    )


# --- MADE as a whole ------------------------------------------------------------------------------


@checks("MADE", lesson=LESSON, points=1, see=_MADE)
def a_distribution_in_one_pass(MADE: Standin, draw: Draw) -> Iterator[Claim | Cause]:
    """A distribution that can be evaluated and sampled, in every order that it is given."""
    hold = yield from each_step(MADE, draw, LESSON, "forward", "nll", "sample")
    waits = waits_unless(hold, "the steps above")
    if waits:
        yield claim(_SUM, False, points=0.5, waits=waits)
        yield claim(_AGREE, False, points=0.5, waits=waits)
        return

    n = draw.integer(6, 8)
    model = made_by(MADE, n, (40, 40), tensor(draw_places(draw, n)), draw.generator())
    randomize_parameters(model, draw.rng, gain=2.0)
    totals = []
    for place in (None, draw_places(draw, n)):
        if place is not None:
            model.reorder(tensor(place))
        totals.append(float(np.exp(-_nll_of_all(model, n)).sum()))
    worst = max(totals, key=lambda total: abs(total - 1))
    yield claim(
        _SUM,
        abs(worst - 1) < 1e-3,
        points=0.5,
        saw=f"a sum of {worst:.9g} over all {2**n} vectors of {n} bits",
        asks="Σ_x exp(−nll(x)) = 1: then it is a distribution, and its nll means something",
        advice="nll and forward are right, each by itself: what do they make of each other?",
    )

    place = draw_places(draw, 3)
    model = made_by(MADE, 3, (60,), tensor(place), draw.generator())
    off: list[float] = []
    for places in (place, place[::-1].copy(), np.argsort(place) + 1):
        randomize_parameters(model, draw.rng, gain=2.0)
        if off:
            model.reorder(tensor(places))
        x = expect_array(model.sample(DRAWS, draw.generator()), (DRAWS, 3), "any", "the samples")
        off.append(float(np.abs(frequencies(x) - np.exp(-_nll_of_all(model, 3))).sum()))
    yield claim(
        _AGREE,
        max(off) < BOUND,
        points=0.5,
        saw=f"frequencies that are {max(off):.2f} away from the probabilities, in sum",
        asks="sample and nll tell of one distribution, in every order",
        advice=[
            when(
                off[0] < BOUND,
                "order-kept",
                "in the first order they agree, and after reorder no more: sample must follow the "
                "order that the model has now",
            ),
            "nll and sample do not belong to one model",
        ],
    )
    if abs(worst - 1) < 1e-3 and max(off) < BOUND:
        _note_what_stays(MADE, draw)


def _note_what_stays(MADE: Standin, draw: Draw) -> None:
    """Notes what no distribution shows: degrees and places that change, and biases that lack."""
    n, hidden, seed = 6, (20, 20), draw.integer(0, 2**31)
    place, other = draw_places(draw, n), draw_places(draw, n)
    x, logits = all_bits(n), []
    for _ in range(2):  # equal generators, equal degrees
        generator = torch.Generator().manual_seed(seed)
        model = made_by(MADE, n, hidden, tensor(place), generator)
        randomize_parameters(model, np.random.default_rng(seed), gain=2.0)
        logits.append(_logits(model, x))
    facts = moved_and_back(MADE, n, hidden, tensor(place), tensor(other), tensor(x).float())
    facts = facts if isinstance(facts, dict) else {}
    first = logits[0][:, place == 1]
    odd = next(
        (
            name
            for name, fails in (
                ("generator-ignored", not nearly(*logits)),
                ("degrees-drawn-anew", facts.get("same") is False),
                ("arguments-overwritten", facts.get("kept") is False),
                ("no-bias", not first.any()),
            )
            if fails
        ),
        "",
    )
    if odd:
        text, saw, asks, advice = _STAYS[odd]
        told = when(True, odd, advice)
        note(MADE, claim(text, False, id=odd, points=COSTS, saw=saw, asks=asks, advice=told))


_STAYS = {  # what is claimed, seen, asked and advised
    "generator-ignored": (
        "equal generators give equal degrees",
        "two models that were made by equal generators have the same weights, and other logits",
        "the degrees are drawn by the given generator",
        "the degrees do not come from the generator that MADE is given: hand it on to "
        "assign_degrees, which draws by it alone",
    ),
    "degrees-drawn-anew": (
        "reorder there and back leaves the model as it was",
        "other logits than at first, after reorder to another order and back",
        "weights and degrees stay, and the masks follow: the old order brings the old model back",
        "reorder changes more than the order: its masks are made of self.degrees, which are drawn "
        "once, by the constructor, and of the order that is given; the weights stay",
    ),
    "arguments-overwritten": (
        "what it is given stays as it was",
        "the caller's place, which is another one after reorder",
        "the caller's data as they were before the call",
        "the model writes into the very tensor that it was given as place: it needs one of its own",
    ),
    "no-bias": (
        "the first variable has a probability of its own",
        "a logit of 0 for the variable of place 1, whatever the weights are",
        "any probability: nothing comes before it, so that its logit is a bias",
        "the first variable is a fair coin for ever: no weight reaches it, and no bias does",
    ),
}
_SUM = "the probabilities of all 2^n vectors sum to 1"
_AGREE = "samples come as often as exp(−nll) says, after reorder too"


def _nll_of_all(model: Any, n: int) -> np.ndarray:
    return expect_array(model.nll(single(all_bits(n))), (2**n,), "float", "nll")


# --- average_over_orders --------------------------------------------------------------------------


@dataclass(frozen=True)
class Ensemble:
    """What a model says of x (B, n) under its own order, first, and under the given ones.

    orders (K + 1, n) places, logits (K + 1, B, n), log_p (K + 1, B).
    """

    orders: np.ndarray
    x: np.ndarray
    logits: np.ndarray
    log_p: np.ndarray


def _ensemble(
    draw: Draw, n: int, orders: int, x: np.ndarray, scale: float, twice: bool = False
) -> tuple[Ensemble]:
    """Logistic regressions under each order, so that nobody's MADE is needed.

    The third of four orders or more may be the second once more: it counts `twice` then.
    """
    weight, bias = draw.normal(n, n, scale=scale), draw.normal(n, scale=0.5)
    places = np.stack([np.arange(1, n + 1), *(draw.permutation(n) + 1 for _ in range(orders))])
    if twice:
        places[3] = places[2]
    logits = np.stack([x @ (weight * past(p)).T + bias for p in places])
    return (Ensemble(places, x, logits, np.stack([log_bernoulli(v, x) for v in logits])),)


def average_by_rule(
    case: Ensemble,
    *,
    terms: Callable[[Ensemble], np.ndarray] = lambda case: case.log_p[1:],
    mean: Callable[[np.ndarray], np.ndarray] | None = None,
) -> np.ndarray:
    """log (1/K) Σ_k p(x | order k), (B,). Options: other terms (K, B), another mean of them."""
    log_p = terms(case)
    if mean is not None:
        return mean(log_p)
    return np.logaddexp.reduce(log_p, axis=0) - np.log(len(log_p))


def _some(log_p: np.ndarray, kept: slice) -> np.ndarray:
    """These of several terms; the only one, where there is one."""
    return log_p[kept] if len(log_p) > 1 else log_p


_MISTAKES_OF_AVERAGES = (
    Mistake("mean-of-logs", "this is the mean of the LOGS, which is less: average the "
            "probabilities", options={"mean": lambda log_p: log_p.mean(0)}),
    Mistake("sign", "this is a negative log-likelihood: log p is asked, the other sign",
            after=lambda value, case: -value),
    Mistake("sign", "the logarithm of the SUM has the other sign, and that of K has not: log p is "
            "logsumexp − log K", gives=lambda case: -average_by_rule(case) - 2 * np.log(
                len(case.log_p) - 1)),
    *(
        Mistake("log-of-another-count", f"the log of {what} is subtracted: K is the number of "
                "orders, len(places)", gives=lambda case, axis=axis: average_by_rule(case) + np.log(
                    len(case.log_p) - 1) - np.log(case.x.shape[axis]))
        for axis, what in ((1, "the number of variables"), (0, "the number of examples"))
    ),
    *(
        Mistake("one-term-only", "the sum has one term, that of "
                f"{which} order, and log K is subtracted all the same: collect the terms of all "
                "orders, and return after the loop",
                gives=lambda case, at=at: case.log_p[at] - np.log(len(case.log_p) - 1))
        for at, which in ((1, "the first"), (-1, "the last"))
    ),
    Mistake("averaged-over-batch", "one number for each example: average over orders, not over "
            "the batch", options={"terms": lambda case: case.log_p[1:].mean(axis=1)}),
    Mistake("log-K-forgotten", "this is the log of the SUM over orders: subtract log K for the "
            "mean", after=lambda value, case: value + np.log(len(case.log_p) - 1)),
    Mistake("divided-by-K", "the logarithm is divided by K here: log(s / K) is log s − log K",
            gives=lambda case: np.logaddexp.reduce(case.log_p[1:], axis=0) / len(case.log_p[1:])),
    Mistake("logits-averaged", "you average logits: that is another model, and not even a "
            "distribution, since every order sees another past",
            gives=lambda case: log_bernoulli(case.logits[1:].mean(0), case.x)),
    Mistake("orders-not-set", "all terms come from the order that the model had: tell it the "
            "order before each nll", options={"terms": lambda case: case.log_p[:1]}),
    Mistake("order-set-too-late", "each term comes from the order BEFORE it, the first from that "
            "which the model had: tell it the order first, and ask then",
            options={"terms": lambda case: case.log_p[:-1]}),
    *(
        Mistake("one-order-left-out", f"the {which} order is left out of the sum: all K of them "
                "are terms", gives=lambda case, kept=kept, less=less: average_by_rule(
                    case, terms=lambda case: _some(case.log_p[1:], kept)) - less * np.log(
                        (len(case.log_p) - 1) / len(_some(case.log_p[1:], kept))))
        for which, kept in (("first", slice(1, None)), ("last", slice(-1)))
        for less in (0, 1)
    ),
    Mistake("best-order-only", "this is the best of the orders, chosen after seeing x: no "
            "distribution", options={"mean": lambda log_p: log_p.max(0)}),
    Mistake("one-order-only", "one of the orders answers for all of them",
            options={"terms": lambda case: case.log_p[-1:]}),
    Mistake("equal-orders-counted-once", "an order that is given twice counts once, as in a set or "
            "a dictionary: every entry of places is a term of the mean",
            options={"terms": lambda case: case.log_p[1:][np.unique(
                case.orders[1:], axis=0, return_index=True)[1]]}),
    Mistake("conditionals-averaged", "you average each bit's probability over the orders, and "
            "multiply then: a bit has another past in every order, so average the probabilities of "
            "whole vectors", gives=lambda case: log_bernoulli(_logit_of(
                _sigmoid(case.logits[1:]).mean(0)), case.x)),
    Mistake("log-forgotten", "this is the mean probability: return its logarithm",
            after=lambda value, case: np.exp(value)),
    Mistake("nll-in-logsumexp", "log p is MINUS nll, and the exponential wants log p",
            options={"terms": lambda case: -case.log_p[1:]}),
    Mistake("averaged-over-batch", "one number for each example: average over orders, not over "
            "the batch", after=lambda value, case: value.mean()),
    Mistake(
        "summed-over-batch",
        "the sum runs over the examples: it should run over the orders, for each example",
        options={"mean": lambda log_p: np.logaddexp.reduce(log_p, axis=1) - np.log(len(log_p))},
    ),
    Mistake(
        "summed-over-everything",
        "one number for each example: the sum runs over orders only, not over examples too",
        options={"mean": lambda log_p: np.logaddexp.reduce(log_p, axis=None) - np.log(len(log_p))},
    ),
    Mistake("one-maximum-for-all", "the largest log p of the whole BATCH is taken out before the "
            "exponential: all terms of an example much less likely than its neighbors are 0 "
            "then. The maximum is over the orders, for each example",
            options={"mean": lambda log_p: np.log(np.exp(log_p - log_p.max()).mean(0))
                     + log_p.max()}),
    Mistake("exp-underflows", "you leave log-space: exp(−2000) is 0 in floating point, and its "
            "logarithm −inf", options={"mean": lambda log_p: np.log(np.exp(log_p).mean(0))}),
)  # fmt: skip


def _very_unlike(case: Ensemble) -> tuple[Ensemble]:
    """The same, the first example's log p smaller by 900, so that no float holds p beside the rest.

    Its answer is smaller by as much.
    """
    log_p = case.log_p.copy()
    log_p[:, 0] -= 900.0
    return (Ensemble(case.orders, case.x, case.logits, log_p),)


def _by_hand_of_two(case: Ensemble) -> str:
    if len(case.log_p) != 3 or len(case.x) != 1:
        return ""
    a, b = np.exp(case.log_p[1:, 0])
    if a == 0 or b == 0:
        return "both probabilities are 0 in floating point, and their logarithms are not −inf"
    return f"log ½ ({a:.3g} + {b:.3g}) = {np.log((a + b) / 2):.4g}"


def _one_bit_fewer(case: Ensemble) -> Iterator[tuple[Ensemble]]:
    """One example, then two orders."""
    if len(case.x) > 1:
        x, logits, log_p = case.x[:1], case.logits[:, :1], case.log_p[:, :1]
        yield (Ensemble(case.orders[:3], x, logits[:3], log_p[:3]),)


@checks("average_over_orders", lesson=LESSON, points=3, see="Exercise 6: many orders, one answer")
def an_average_of_probabilities(
    average_over_orders: Standin, draw: Draw
) -> Iterator[Claim | Cause]:
    """An ensemble over orders: the mean of probabilities, taken in log-space."""

    left: list[tuple[np.ndarray, np.ndarray]] = []  # the model's order after a call, and the last

    def ask(case: Ensemble) -> np.ndarray:
        x, logits, nll = tensor(case.x).float(), tensor(case.logits), tensor(-case.log_p)
        model = recorded(average_over_orders, tensor(case.orders), x, logits, nll)
        got = untouched(average_over_orders)(model, x, [tensor(p) for p in case.orders[1:]])
        now = expect_array(order_of(model), case.orders[-1].shape, "int", "the model's order")
        left.append((now, case.orders[-1]))
        return expect_array(got, None, "float", "the answer")

    def typical(draw: Draw) -> Iterator[tuple[Ensemble]]:
        for rows in (12, 9):
            n = draw.integer(6, 7)  # never as many as there are orders
            yield _ensemble(draw, n, draw.integer(4, 5), draw.bits(rows, n), 2.0, twice=True)

    subject = Subject(
        ask=ask,
        rule=average_by_rule,
        forms=(_average_in_turn,),
        mistakes=_MISTAKES_OF_AVERAGES,
        show=lambda case: "log p of the first example under each order " + shown(case.log_p[1:, 0]),
        by_hand=_by_hand_of_two,
        smaller=_one_bit_fewer,
    )
    right = True
    for one in examine(
        subject,
        draw,
        Property(
            "mean",
            "the answer is log (1/K) Σ_k p(x | order k), one number for each example",
            typical,
            points=1.5,
            asks="probabilities are averaged, and then the logarithm is taken",
            alike=close,
        ),
        Property(
            "sums",
            "the average over orders is a distribution again",
            lambda draw: [_ensemble(draw, 3, 4, all_bits(3), 3.0) for _ in range(2)],
            points=0.5,
            asks="Σ_x exp(answer) = 1: a mixture of distributions is one",
            typical=False,
            alike=lambda a, b: a.shape == b.shape and close(np.exp(a).sum(), np.exp(b).sum()),
            saw=lambda answer, right, *_: (
                f"probabilities of all 8 vectors that sum to {np.exp(answer).sum():.9g}"
                if answer.shape == right.shape
                else f"no number for each of the 8 vectors: an answer of shape {answer.shape}"
            ),
        ),
        Property(
            "underflow",
            "nothing underflows: it holds for thousands of variables too",
            lambda draw: [  # under orders that differ little, so that every one of them counts
                _ensemble(draw, n := draw.integer(1500, 1600), 3, draw.bits(3, n), 0.003),
                _very_unlike(_ensemble(draw, n, 3, draw.bits(3, n), 0.003)[0]),
            ],
            points=1,
            asks="a finite log-likelihood: e^−2000 is 0 in floating point, −2000 is not",
            needs="mean",
            alike=lambda a, b: a.shape == b.shape and np.allclose(a, b, rtol=1e-6, atol=0.05),
        ),
    ):
        right &= not isinstance(one, Claim) or one.holds
        yield one
    if right:  # whoever leaves an order out, or sets it too late, is told of that
        _note_the_order_left(average_over_orders, left)


def _note_the_order_left(
    average_over_orders: Standin, left: Sequence[tuple[np.ndarray, np.ndarray]]
) -> None:
    odd = next(((now, last) for now, last in left if (now != last).any()), None)
    if odd is None:
        return
    failed = claim(
        "the model is left in the last of the orders",
        False,
        id="order-left",
        points=COSTS,
        saw=f"the model has the places {odd[0].tolist()} after the call, and the last of the "
        f"orders are {odd[1].tolist()}",
        asks="the model itself is reordered, and not moved back: one order after the other, the "
        "last one last",
        advice=when(
            True,
            "other-order-left",
            "the model that you are given has another order after the call than the last of "
            "places: reorder that model, not a copy of it, in the order of the list, and leave it "
            "there",
        ),
    )
    note(average_over_orders, failed)


def _average_in_turn(case: Ensemble) -> np.ndarray:
    terms = [log_p for log_p in case.log_p[1:]]
    return np.logaddexp.reduce(np.stack(terms), axis=0) - np.log(len(terms))


# --- made_parameters ------------------------------------------------------------------------------


def made_count(
    n: int,
    hidden_sizes: Sequence[int],
    *,
    degree: Callable[[int, int], int] = lambda k, n: 1 + k % max(n - 1, 1),
    hidden: Callable[[Any, Any], Any] = np.greater_equal,
    output: Callable[[Any, Any], Any] = np.greater,
    between: bool = True,
    runs_on: bool = False,
    alone: bool = True,
    rises: bool = True,
    hidden_biases: Callable[[int], int] = lambda size: size,
    output_biases: Callable[[int], int] = lambda n: n,
) -> int:
    """Open connections and biases of a MADE; the options give the rule's usual corruptions."""
    if alone and n == 1:
        return 1  # no degree in 1 … 0, so no hidden unit: the output's bias
    places = np.arange(1, n + 1)
    below, count, before = places, output_biases(n), 0
    for layer, size in enumerate(hidden_sizes):
        degrees = np.array([degree(before + k, n) for k in range(size)], dtype=np.int64)
        is_open = hidden(degrees[:, None], below[None, :])
        masked = layer == 0 or between
        count += int(is_open.sum()) if masked else is_open.size
        count += hidden_biases(size)
        below, before = degrees if rises else below, before + size * runs_on
    return count + int(output(places[:, None], below[None, :]).sum())


def made_layer_by_layer(n: int, hidden_sizes: Sequence[int]) -> int:
    """The same, one layer after the other."""
    if n == 1:
        return 1
    below = np.arange(1, n + 1)
    count = n
    for size in hidden_sizes:
        degrees = 1 + np.arange(size) % (n - 1)
        count += int((degrees[:, None] >= below[None, :]).sum()) + size
        below = degrees
    places = np.arange(1, n + 1)
    return count + int((places[:, None] > below[None, :]).sum())


def dense_count(n: int, hidden_sizes: Sequence[int]) -> int:
    """The same network without masks."""
    sizes = [n, *hidden_sizes, n]
    return sum(a * b + b for a, b in itertools.pairwise(sizes))


def made_with(name: str, advice: str, *options: dict[str, Any]) -> tuple[Mistake, ...]:
    """A MADE counted with other options of `made_count`."""
    return tuple(Mistake(name, advice, options=one) for one in options)


def _none(size: int) -> int:
    return 0


def _single(size: int) -> int:
    return 1


_COUNT = (
    *several(
        "counts-the-dense-size",
        "you count every entry of the weight matrices; a connection that its mask sets to 0 does "
        "not exist",
        dense_count,
        lambda n, h: 1 if n == 1 else dense_count(n, h),
    ),
    *several(
        "counts-a-nade",
        "that is the count of a NADE, two full matrices: here only those connections count that "
        "the masks leave open",
        lambda n, h: 2 * n * sum(h) + sum(h) + n,
        lambda n, h: 1 if n == 1 else 2 * n * sum(h) + sum(h) + n,
    ),
    *several(
        "half-of-the-dense-size",
        "you halve the dense count, which is near and not exact: count the ones of each mask",
        lambda n, h: (
            n + sum(h) + sum(a * b // 2 for a, b in itertools.pairwise([n, *h, n])) if n > 1 else 1
        ),
    ),
    *several(
        "no-connection-without-hidden-layer",
        "without a hidden layer you count biases alone: the outputs then listen to the inputs",
        lambda n, h: made_count(n, h) if h else n,
    ),
    *made_with(
        "inputs-below-every-layer",
        "every layer is compared with the INPUTS: the layer below is the last hidden one, so put "
        "its degrees in their place before the next layer",
        {"rises": False},
    ),
    *made_with(
        "forgets-the-biases",
        "you count connections alone: every hidden unit and every output has a bias",
        {"hidden_biases": _none, "output_biases": _none},
    ),
    *made_with(
        "forgets-some-biases",
        "the hidden units' biases are missing: every hidden unit has one",
        {"hidden_biases": _none},
    ),
    *made_with(
        "forgets-some-biases",
        "the outputs' biases are missing: every output has one",
        {"output_biases": _none},
    ),
    *made_with(
        "one-bias-per-layer",
        "you count a single bias for a whole layer: every unit of it has its own",
        {"hidden_biases": _single},
        {"output_biases": _single},
        {"hidden_biases": _single, "output_biases": _single},
    ),
    *made_with(
        "output-mask-left-out",
        "the connections into the outputs are missing: the output layer has weights as well",
        {"output": lambda a, b: (a > b) & False},
    ),
    *made_with(
        "hidden-connections-left-out",
        "the connections into the hidden units are missing: only their biases are counted",
        {"hidden": lambda a, b: (a > b) & False},
    ),
    *several(
        "hidden-layers-left-out",
        "you count the output layer alone: each hidden layer has connections and biases",
        lambda n, h: made_count(n, h, hidden=lambda a, b: (a > b) & False, hidden_biases=_none),
    ),
    *made_with(
        "output-sees-itself",
        "your output mask uses ≥: output d is then connected to units that see input d, itself",
        {"output": np.greater_equal},
    ),
    *made_with(
        "strict-at-the-hidden-layer",
        "your hidden mask uses >: a unit of degree m may see input m as well, so it is ≥",
        {"hidden": np.greater},
    ),
    *made_with(
        "masks-exchanged",
        "> and ≥ are exchanged: ≥ belongs to the hidden layers, > to the output",
        {"hidden": np.greater, "output": np.greater_equal},
    ),
    *made_with(
        "mask-turned-round",
        "an inequality points the wrong way: a unit sees SMALLER degrees, or equal ones",
        {"hidden": np.less_equal},
        {"hidden": np.less_equal, "output": np.less},
        {"output": np.less},
    ),
    *made_with(
        "hidden-to-hidden-dense",
        "you count every connection between two hidden layers; they are masked as well, by "
        "m(above) ≥ m(below)",
        {"between": False},
    ),
    *made_with(
        "degrees-from-0",
        "your degrees start at 0: such a unit sees no input; they should run over 1 … n − 1",
        {"degree": lambda k, n: k % max(n - 1, 1)},
        {"degree": lambda k, n: k % n},
    ),
    *made_with(
        "degrees-to-n",
        "your degrees reach n: such a unit sees every input, and no output may use it; take them "
        "modulo n − 1",
        {"degree": lambda k, n: 1 + k % n},
    ),
    *made_with(
        "counts-units-from-1",
        "the first unit has k = 0, and so the degree 1: in each layer k runs from 0",
        {"degree": lambda k, n: 1 + (k + 1) % max(n - 1, 1)},
    ),
    *made_with(
        "degrees-run-on",
        "your degrees run on from one layer into the next: in each layer k starts at 0 again",
        {"runs_on": True},
    ),
    *made_with(
        "units-without-a-degree",
        "at n = 1 the degrees 1 … n − 1 are none, so no hidden unit exists, and none has a bias: "
        "only the output's bias is left",
        {"alone": False},
    ),
    *several(
        "one-layer-formula",
        "you count all hidden units as if they stood in one layer: between two hidden layers there "
        "are masks as well",
        lambda n, h: 1 if n == 1 else counts.triangle(n) if not h else made_count(n, [sum(h)]),
        lambda n, h: n * sum(h) + sum(h) + n,
    ),
)
_COUNT_SEEN = (
    Symptom(
        "needs-a-hidden-layer",
        "your function raises for an empty list of hidden sizes: it is allowed, and the layer "
        "below the outputs is then the inputs, with degrees 1 … n",
        lambda seen: counts.raised(seen) and counts.fail_only(seen, lambda n, h: not h),
    ),
    Symptom(
        "no-degree-at-n-1",
        "at n = 1 the convention divides by n − 1 = 0: there is no degree in 1 … 0, so this case "
        "stands by itself",
        lambda seen: (
            counts.raised(seen, "ZeroDivisionError", "RuntimeError")
            and counts.fail_only(seen, lambda n, h: n == 1)
        ),
    ),
    Symptom(
        "units-without-a-degree",
        "at n = 1 you count more than the output's bias: the degrees 1 … n − 1 are none, so no "
        "hidden unit exists, and none has a bias",
        lambda seen: (
            counts.fail_only(seen, lambda n, h: n == 1)
            and all(isinstance(o.answer, int) and o.answer > 1 for o in seen if o.fails)
        ),
    ),
)


def one_hidden_layer(draw: Draw) -> list[tuple[int, list[int]]]:
    """Networks of one hidden layer, narrower and wider than the input."""
    drawn = (draw.integer(4, 30), [draw.integer(30, 80)])
    narrow = (draw.integer(31, 60), [draw.integer(2, 30)])
    return [(3, [4]), (2, [3]), (5, [9]), (784, [50]), drawn, narrow]


def several_hidden_layers(draw: Draw) -> list[tuple[int, list[int]]]:
    """Networks of two and three hidden layers."""
    shapes = ((draw.integer(6, 9), 2), (draw.integer(10, 16), 2), (draw.integer(5, 12), 3))
    drawn = [(n, [draw.integer(n, 3 * n + 1) for _ in range(layers)]) for n, layers in shapes]
    return [(4, [5, 7]), (5, [7, 6, 9]), *drawn]


def no_hidden_layer(draw: Draw) -> list[tuple[int, list[int]]]:
    """Inputs straight to outputs."""
    return [(n, []) for n in (2, 3, draw.integer(4, 9), draw.integer(10, 60))]


def one_variable(draw: Draw) -> list[tuple[int, list[int]]]:
    """n = 1 with hidden layers and without."""
    sizes = ([draw.integer(1, 9)], [], [draw.integer(2, 9), draw.integer(2, 9)])
    return [(1, h) for h in sizes]


def made_by_hand(n: int, hidden_sizes: Sequence[int]) -> str:
    """The degrees of a small MADE, layer by layer."""
    if n > 3 or sum(hidden_sizes) > 6:
        return ""
    if n == 1:
        return "no degree in 1 … 0, so no hidden unit: one output with its bias"
    layers = [[1 + k % (n - 1) for k in range(size)] for size in hidden_sizes]
    told = "".join(f"; a hidden layer of degrees {', '.join(map(str, m))}" for m in layers)
    places = ", ".join(map(str, range(1, n + 1)))
    return f"inputs {places}{told}; outputs {places}: count the open lines, then the biases"


@checks(
    "made_parameters", lesson=LESSON, points=3, see="Exercise 7: count what the masks leave open"
)
def numbers_of_a_made(made_parameters: Standin, draw: Draw) -> Iterator[Claim | Cause]:
    """A MADE has the connections that its masks leave open, and its biases."""
    asked = counts.subject(
        made_parameters,
        "made_parameters",
        made_count,
        forms=(made_layer_by_layer,),
        mistakes=_COUNT,
        symptoms=_COUNT_SEEN,
        by_hand=made_by_hand,
        cases=[(2, [1]), (2, [2]), (3, [2]), (3, [2, 2]), (3, [4]), (2, []), (3, []), (1, [2])],
    )
    yield from examine(
        asked,
        draw,
        Property(
            "one-layer",
            "the connections and the biases of one hidden layer are counted",
            one_hidden_layer,
            points=1,
            asks="n connections for each hidden unit, whatever its degree, and h + n biases",
            typical=False,  # cannot tell a strict mask from forgotten biases: two layers can
        ),
        Property(
            "layers",
            "so are those of several, with the degrees m_k = 1 + k mod (n − 1) in each",
            several_hidden_layers,
            points=1,
            asks="the ones of every mask, where between hidden layers m(above) ≥ m(below), and a "
            "bias for each unit and output",
        ),
        Property(
            "no-layer",
            "without a hidden layer a MADE is an FVSBN",
            no_hidden_layer,
            points=0.5,
            asks="inputs straight to outputs, masked by >, and n biases: a triangle of numbers",
            typical=False,
        ),
        Property(
            "one-variable",
            "one variable needs one number",
            one_variable,
            points=0.5,
            asks="at n = 1 there is no degree to give, so no hidden unit: the output's bias is all",
            typical=False,
            unlike=lambda draw: [(2, [1]), (3, [2])],  # whoever always says 1 has counted nothing
        ),
    )
