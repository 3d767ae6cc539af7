"""Checks of lesson 08, PixelCNN: masks of convolutions, what they see, and what they make.

Notation: an image has `colours` numbers a pixel, in raster order and within a pixel in the order
of its colors; channel k serves color k mod colours (van den Oord, Kalchbrenner and Kavukcuoglu,
2016, "Pixel Recurrent Neural Networks", section 3.4; van den Oord et al., 2016, "Conditional Image
Generation with PixelCNN Decoders", section 2).
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F

from autograder import claim, expect_array, when
from autograder.checking import checks
from autograder.checks.witness import carries_its_weights, waits_unless
from autograder.claims import Advice, Claim
from autograder.draw import Draw
from autograder.inside import call_and_keep, gradient_step, seed_generators
from autograder.inside.pixelcnn import (
    beside,
    end_row,
    facts_about_mask,
    memory_of,
    operations_of_sampling,
    pixel_by,
    weight_gradient,
)
from autograder.remote.proxy import Standin, StudentFailed, WrongKind, made_by
from course.causality import batch_leaks, dependency_map, randomize_parameters

LESSON = "08_pixelcnn"


# --- what the mathematics says --------------------------------------------------------------------


def pair(size: int | tuple[int, int]) -> tuple[int, int]:
    """(height, width) of a kernel."""
    return (size, size) if isinstance(size, int) else size


def mask_by_rule(
    kind: str,
    size: int | tuple[int, int],
    channels_in: int,
    channels_out: int,
    colours: int,
    *,
    color: Callable[[int, int], int] | None = None,
    see: Callable[[int, int], bool] | None = None,
    rows: Callable[[int], bool] = lambda row: row < 0,
    columns: Callable[[int], bool] = lambda column: column < 0,
    everywhere: bool = False,
) -> np.ndarray:
    """The mask as bools (out, in, h, w); the options give the usual corruptions.

    `color(channel, channels)` is the color that a channel serves, `see(i, o)` whether at the middle
    an output of color o sees an input of color i; `rows` and `columns` say which others are past.
    """
    height, width = pair(size)
    color = color or (lambda channel, channels: channel % colours)
    see = see or ((lambda i, o: i < o) if kind == "A" else (lambda i, o: i <= o))
    mask = np.zeros((channels_out, channels_in, height, width), dtype=bool)
    middle = np.array(
        [
            [see(color(i, channels_in), color(o, channels_out)) for i in range(channels_in)]
            for o in range(channels_out)
        ]
    )
    for r, c in itertools.product(range(height), range(width)):
        row, column = r - height // 2, c - width // 2
        if (row, column) == (0, 0):
            mask[:, :, r, c] = middle
        elif rows(row) or (row == 0 and columns(column)):
            mask[:, :, r, c] = middle if everywhere else True
    return mask


def sums_of_offsets(
    layers: Sequence[tuple[str, int]],
    *,
    kinds: str = "",
    right: bool = False,
    first_only: bool = False,
    union: bool = False,
    full: bool = False,
) -> set[tuple[int, int]]:
    """The receptive field of a plain stack; options give the usual corruptions."""
    field = {(0, 0)}
    for place, (kind, size) in enumerate(layers):
        kind, p = kinds or kind, size // 2
        if full:
            layer = set(itertools.product(range(-p, p + 1), repeat=2))
        else:
            layer = set(itertools.product(range(-p, 0), range(-p, p + 1)))
            layer |= {(0, c) for c in range(-p, p + 1 if right else 1) if c or kind == "B"}
        if union:
            field = layer if place == 0 else field | layer
        elif not (first_only and place):
            field = {(a + c, b + d) for a, b in field for c, d in layer}
    return field


def block_by_rule(
    state: dict[str, torch.Tensor],
    kind: str,
    reach: int,
    colours: int,
    v: torch.Tensor,
    h: torch.Tensor,
    *,
    shift: int = 1,
    after_gate: bool = False,
    gate: Callable[[torch.Tensor, torch.Tensor], torch.Tensor] | None = None,
    residual: bool | None = None,
    down: bool = True,
    across: bool = True,
    vertical_from: str = "v",
    out: bool = True,
    gate_vertical: bool = True,
) -> tuple[torch.Tensor, torch.Tensor]:
    """(v', h') of one gated block from its parameters; the options give the usual corruptions."""
    gate = gate or (lambda a, b: torch.tanh(a) * torch.sigmoid(b))
    residual = kind == "B" if residual is None else residual
    p = reach
    below = v if vertical_from == "v" else h
    u = F.conv2d(F.pad(below, (p, p, p, 0)), state["vertical.weight"], state["vertical.bias"])
    new_v = gate(*u.chunk(2, 1)) if gate_vertical else u[:, : u.shape[1] // 2]
    going = torch.cat([new_v, new_v], 1) if after_gate else u
    if shift:
        going = F.pad(going, (0, 0, shift, 0))[:, :, :-shift]
    width = state["across.weight"].shape[-1]
    shape = state["across.weight"].shape
    mask = mask_by_rule(kind, (1, width), shape[1], shape[0], colours)
    weight = state["across.weight"] * torch.tensor(mask).to(h.dtype)
    w = F.conv2d(h, weight, state["across.bias"], padding=(0, width // 2)) if across else 0
    w = w + (F.conv2d(going, state["down.weight"], state["down.bias"]) if down else 0)
    new_h = gate(*w.chunk(2, 1))
    if out:
        shape = state["out.weight"].shape
        mask = mask_by_rule("B", 1, shape[1], shape[0], colours)
        weight = state["out.weight"] * torch.tensor(mask).to(h.dtype)
        new_h = F.conv2d(new_h, weight, state["out.bias"])
    if residual and h.shape == new_h.shape:
        new_h = new_h + h
    return new_v, new_h


def ranks(colours: int, height: int, width: int) -> np.ndarray:
    """When each number of an image (colours, H, W), flattened, has its turn: 0, 1, 2 …"""
    places = np.arange(height * width)[None, :] * colours + np.arange(colours)[:, None]
    return places.reshape(-1)


def tensor(array: Any) -> torch.Tensor:
    """The array as a tensor of its own."""
    return torch.tensor(np.asarray(array))


def close(a: np.ndarray, b: np.ndarray, tolerance: float = 1e-4) -> bool:
    """Equal in shape, and in value up to `tolerance` (absolute, and relative to b)."""
    return a.shape == b.shape and np.allclose(a, b, rtol=tolerance, atol=tolerance)


def log_softmax(logits: np.ndarray, axis: int) -> np.ndarray:
    """log of the normalized exponentials along an axis."""
    top = logits.max(axis, keepdims=True)
    return logits - top - np.log(np.exp(logits - top).sum(axis, keepdims=True))


# --- conv_mask ------------------------------------------------------------------------------------

_SWAPPED = {"A": "B", "B": "A"}


def corrupted_masks(case: tuple) -> dict[str, np.ndarray]:
    """The masks that known misconceptions give, by name; the first name that fits is told."""
    kind, size, channels_in, channels_out, colours = case
    return {
        "all-zero": np.zeros((channels_out, channels_in, *pair(size)), dtype=bool),
        "all-one": np.ones((channels_out, channels_in, *pair(size)), dtype=bool),
        "kinds-swapped": mask_by_rule(_SWAPPED[kind], *case[1:]),
        "always-B": mask_by_rule("B", *case[1:]),
        "always-A": mask_by_rule("A", *case[1:]),
        "right-visible": mask_by_rule(*case, columns=lambda c: c != 0),
        "right-for-left": mask_by_rule(*case, columns=lambda c: c > 0),
        "rows-below": mask_by_rule(*case, rows=lambda r: r > 0),
        "rows-above-lost": mask_by_rule(*case, rows=lambda r: False),
        "upper-left-only": mask_by_rule(*case, rows=lambda r: False)
        | (np.arange(pair(size)[0])[:, None] < pair(size)[0] // 2)
        & (np.arange(pair(size)[1]) <= pair(size)[1] // 2),
        "left-lost": mask_by_rule(*case, columns=lambda c: False),
        "middle-off-by-one": mask_by_rule(*case, columns=lambda c: c < -1),
        "middle-visible": mask_by_rule(*case, see=lambda i, o: True),
        "middle-hidden": mask_by_rule(*case, see=lambda i, o: False),
        "colors-ignored": mask_by_rule(*case, see=lambda i, o: kind == "B"),
        "colors-reversed": mask_by_rule(
            *case, see=(lambda i, o: i > o) if kind == "A" else (lambda i, o: i >= o)
        ),
        "own-color-only": mask_by_rule(*case, see=lambda i, o: kind == "B" and i == o),
        "colors-in-blocks": mask_by_rule(*case, color=lambda k, n: k * colours // n),
        "colors-everywhere": mask_by_rule(*case, everywhere=True),
        "colors-by-channel": mask_by_rule(*case, color=lambda k, n: k),
    }


_ADVICE_ON_MASKS = {
    "all-zero": "nothing is connected: that is blind to the future, and to the past as well",
    "all-one": "everything is connected: this is an ordinary convolution, and sees its answer",
    "kinds-swapped": "A and B have changed places: A is the strict one, for the layer that reads "
    "the image",
    "always-B": "your mask does not depend on kind: A has to hide the middle, or the first layer "
    "shows each pixel to itself",
    "always-A": "your mask does not depend on kind: B shows the middle, which in later layers is a "
    "feature of the past",
    "right-visible": "the middle row is open to the right of the middle too: those pixels come "
    "later",
    "right-for-left": "of the middle row the pixels to the RIGHT stay: those come later",
    "rows-below": "the rows BELOW stay: row 0 of a kernel is its top, the past",
    "rows-above-lost": "the rows above are hidden: they are all past, over their whole width",
    "upper-left-only": "the upper right is hidden: of the rows above ALL columns are past, raster "
    "order is not 'upper left'",
    "left-lost": "of the middle row nothing is left: the pixels left of the middle are past",
    "middle-off-by-one": "the nearest pixel on the left is hidden: the middle column of width w is "
    "w // 2, and everything before it is past",
    "middle-visible": "at the middle every color sees every color, itself included",
    "middle-hidden": "the middle is always hidden: what color, and which kind, may look there?",
    "colors-ignored": "the colors have no order: with three of them G sees R, and B sees R and G, "
    "in the middle of the kernel",
    "colors-reversed": "the colors stand in reverse: B sees G and R, not the other way round; the "
    "mask has shape (out, in), so rows are the outputs",
    "own-color-only": "at the middle each color sees at most itself: G may look at R, and B at "
    "both",
    "colors-in-blocks": "you cut the channels into blocks of one color: channel k has color "
    "k % colours, so the colors take turns",
    "colors-everywhere": "the order of colors holds in the middle only: of past pixels everybody "
    "sees all colors",
    "colors-by-channel": "you compare channel numbers: compare their colors, k % colours",
}


@checks("conv_mask", lesson=LESSON, points=4)
def masks_of_a_convolution(conv_mask: Standin, draw: Draw) -> Iterator[Claim]:
    """Raster order, and the order of colors at the middle, decide which weights may stay."""
    see = "Exercise 1: which weights may stay"
    three = draw.integer(2, 3)
    cases = [
        ("A", 3, 1, draw.integer(2, 4), 1),
        ("B", 3, draw.integer(2, 4), 3, 1),
        ("A", draw.choice((5, 7)), 3, 3 * three, 3),
        ("B", draw.choice((5, 7)), 3 * three, 6, 3),
        ("A", (1, draw.choice((5, 7))), 3, 6, 3),
        ("B", (draw.choice((3, 5)), 7), 6, 3, 3),
        ("B", 1, 6, 3 * draw.integer(3, 5), 3),
        ("A", 1, 2, 4, 2),
        ("B", 1, 2, 3, 1),
    ]
    masks, wrong, turned = [], "", False
    for case in cases:
        kind, size, channels_in, channels_out, colours = case
        got = conv_mask(kind, size, channels_in, channels_out, colours)
        got = expect_array(got, (None,) * 4, "any", "the mask")
        shape = (channels_out, channels_in, *pair(size))
        if got.shape != shape or not np.isin(got, (0, 1)).all():
            wrong = wrong or f"a mask of shape {got.shape} for {case}, where {shape} is asked"
            if got.shape == shape:
                odd = got[~np.isin(got, (0, 1))].flat[0]
                wrong = f"the value {odd:g} in a mask"
            turned |= got.shape == (channels_in, channels_out, *pair(size))
        masks.append(got.astype(bool))
    mixed = all(0 < m.sum() < m.size for m, case in zip(masks, cases, strict=True)
                if case[1] not in (1,))  # fmt: skip
    unmixed = waits_unless(wrong or mixed, "masks that let some weights stay, and not all")
    yield claim(
        "the mask holds zeros and ones, with the shape of the weight: (out, in, height, width)",
        not wrong,
        points=0.5,
        saw=wrong,
        asks="one entry for each weight of nn.Conv2d; kernels may be higher than wide",
        waits=unmixed,
        advice=[
            when(turned, "transposed", "your mask is transposed: outputs are its first axis"),
            "torch.zeros(channels_out, channels_in, height, width) is a start",
        ],
        see=see,
    )
    if wrong:
        return
    right = [mask_by_rule(*case) for case in cases]
    named = next(
        (
            name
            for name in _ADVICE_ON_MASKS
            if all(
                (m == corrupted_masks(case)[name]).all()
                for m, case in zip(masks, cases, strict=True)
            )
        ),
        "",
    )
    known: list[str | Advice] = [
        when(name == named, name, text) for name, text in _ADVICE_ON_MASKS.items()
    ]

    def spots(of: Callable[[np.ndarray, np.ndarray], np.ndarray], middle: bool) -> list[str]:
        """Entries that `of(got, right)` picks, at the middle of the kernel or elsewhere."""
        found = []
        for got, rule, case in zip(masks, right, cases, strict=True):
            h, w = (s // 2 for s in rule.shape[2:])
            for o, i, r, c in np.argwhere(of(got, rule)):
                if ((r, c) == (h, w)) == middle:
                    found.append(
                        f"kind {case[0]}, kernel {case[1]}, {case[4]} colors: weight "
                        f"[{o}, {i}, {r}, {c}] is {int(got[o, i, r, c])}"
                    )
        return found

    alive = all(m.any() for m, rule in zip(masks, right, strict=True) if rule.any())
    late = spots(lambda got, rule: got & ~rule, False)
    yield claim(
        "no pixel after this one is seen",
        alive and not late,
        points=1,
        saw=late[0] if late else "" if alive else "a mask without a single 1",
        asks="ones above the middle and left of it only, whatever kind and colors are",
        advice=[*known, "draw the kernel: what comes after the middle in reading order is future"],
        see=see,
    )
    lost = spots(lambda got, rule: ~got & rule, False)
    yield claim(
        "every pixel before this one is seen, in all its colors",
        not lost,
        points=1,
        waits=unmixed if not lost else "",
        saw=lost[0] if lost else "",
        asks="all columns of the rows above, and the middle row up to the middle",
        advice=[*known, "fill two rectangles with ones: the rows above, and the row to the left"],
        see=see,
    )
    middles = spots(np.not_equal, True)
    singles = [s for s in middles if ", 1 colors" in s]
    yield claim(
        "the middle is hidden by A and shown by B, if there is one color",
        not singles,
        points=0.5,
        saw=singles[0] if singles else "",
        asks="0 at the middle of A, 1 at the middle of B",
        advice=[*known, "A for the layer that reads the image, B for features of the past"],
        see=see,
    )
    colored = [s for s in middles if ", 1 colors" not in s]
    yield claim(
        "at the middle R sees no color, G sees R, B sees R and G; kind B adds the color itself",
        not colored,
        points=1,
        saw=colored[0] if colored else "",
        asks="color(i) < color(o) for A, ≤ for B, with color(k) = k mod colours",
        advice=[*known, "write down the two 3×3 matrices of the example, and compare"],
        see=see,
    )


# --- MaskedConv2d ---------------------------------------------------------------------------------


@checks("MaskedConv2d", lesson=LESSON, points=2)
def a_convolution_with_a_mask(MaskedConv2d: Standin, draw: Draw) -> Iterator[Claim]:
    """The mask works on every call, and is neither trained nor lost."""
    see = "Exercise 2: a convolution with a mask"
    seed_generators(MaskedConv2d, draw.integer(0, 2**31))
    wrong, named = "", ""
    for case in (
        ("A", 1, 4, 3, 1),
        ("B", 4, 2, 5, 1),
        ("B", 3, 6, (1, 5), 3),
        ("A", 3, 3, (3, 1), 3),
    ):
        kind, channels_in, channels_out, size, colours = case
        layer = made_by(MaskedConv2d, *case)
        x = draw.normal(3, channels_in, 5, 6)
        state = _state_of(layer, {"weight", "bias"})
        rule = tensor(mask_by_rule(kind, size, channels_in, channels_out, colours)).double()
        padding = tuple(s // 2 for s in pair(size))

        def conv(
            weight: torch.Tensor,
            bias: torch.Tensor = state["bias"],
            x: np.ndarray = x,
            padding: tuple[int, ...] = padding,
        ) -> np.ndarray:
            return F.conv2d(tensor(x), weight, bias, padding=padding).numpy()

        got = expect_array(layer(tensor(x).float()), None, "float", "the output")
        if close(got, conv(state["weight"] * rule), 1e-3):
            continue
        wrong = wrong or (
            f"outputs of shape {got.shape} for images of 5×6 pixels"
            if got.shape != (3, channels_out, 5, 6)
            else f"kind {kind}, kernel {size}: outputs other than those of the masked weights"
        )
        if close(got, conv(state["weight"]), 1e-3):
            named = named or "mask-unused"
        elif close(got, conv(state["weight"] * rule, 0 * state["bias"]), 1e-3):
            named = named or "bias-forgotten"
        elif close(got, conv(state["weight"] * (1 - rule)), 1e-3):
            named = named or "mask-inverted"
    yield claim(
        "the output is (W∘M) * x + b, with the height and width of x",
        not wrong,
        points=1,
        saw=wrong,
        asks="the mask of conv_mask, entry by entry on the weight; the bias stays whole",
        advice=[
            when(
                named == "mask-unused",
                "mask-unused",
                "all weights are at work: multiply the weight by the mask",
            ),
            when(named == "bias-forgotten", "bias-forgotten", "the bias is missing"),
            when(
                named == "mask-inverted",
                "mask-inverted",
                "the mask keeps what it should remove: a weight stays where the mask is 1",
            ),
            "compute the row (1, 10, 100) of the example by hand, and compare; is conv_mask right?",
        ],
        see=see,
    )

    # Weights, images and masks come from here, and so do the outputs after a step of training, and
    # after the layer's numbers were saved with another mask, loaded into a new layer and trained.
    layer = made_by(MaskedConv2d, "A", 2, 4, 3, 1)
    rule = mask_by_rule("A", 3, 2, 4, 1)
    other = draw.uniform(*rule.shape) < 0.5
    other[0, 0, 1, 1], other[0, 0, 0, 0] = True, False  # neither what rule has there
    x, probe = (tensor(draw.normal(4, 2, 5, 5)).float() for _ in range(2))
    numbers = {"weight": tensor(draw.normal(*rule.shape)), "bias": tensor(draw.normal(4))}
    known = _saved_by(layer)
    layer.load_state_dict({**known, **{n: v.float() for n, v in numbers.items()}})

    def answers(of: Any, mask: np.ndarray) -> bool:
        got = expect_array(of(probe), (4, 4, 5, 5), "float", "the output")
        return close(got, _masked(numbers, mask, probe).numpy(), 1e-3)

    hidden = ~rule
    gradient_step(layer, x, RATE)
    numbers = _after_a_step(numbers, rule, x)
    holds = answers(layer, rule)
    gradient = weight_gradient(layer, x)
    arrives = gradient is not None
    if arrives:
        gradient = expect_array(gradient, hidden.shape, "float", "the gradient of the weight")
    trained = arrives and bool((gradient[hidden] != 0).any())
    idle = not arrives or bool((gradient[~hidden] == 0).all())
    before = expect_array(layer(x), (4, 4, 5, 5), "float", "the output")
    moved = torch.clone(x)
    moved[:, :, 2, 2:] += 1
    after = expect_array(layer(moved), (4, 4, 5, 5), "float", "the output")
    leaks = bool((before != after)[:, :, 2, :3].any() or (before != after)[:, :, :2].any())
    known = _saved_by(layer)
    saved = steady = False
    if np.shape(known.get("mask")) == rule.shape:
        fresh = made_by(MaskedConv2d, "A", 2, 4, 3, 1)
        fresh.load_state_dict({**known, "mask": tensor(other).to(known["mask"].dtype)})
        saved = answers(fresh, other)
        fresh.requires_grad_(True)
        gradient_step(fresh, x, RATE)
        numbers = _after_a_step(numbers, other, x)
        steady = answers(fresh, other)
    # What the student's side says of it: the words rest on it, and no point does alone.
    facts = facts_about_mask(layer)
    facts = {
        k: isinstance(facts, dict) and facts.get(k) is True
        for k in ("parameter", "buffer", "saved", "moves")
    }
    kept = facts["buffer"] and facts["saved"] and facts["moves"] and not facts["parameter"]
    yield claim(
        "the mask holds after a training step, is saved and moved with the layer, never trained",
        kept and holds and saved and steady and not (trained or idle or leaks or wrong),
        points=1,
        saw="pixels that see themselves after one training step"
        if leaks
        else "a gradient for weights that the mask removes"
        if trained
        else "no gradient for the weights"
        if idle
        else "a mask among the parameters"
        if facts["parameter"]
        else "a mask that is missing in state_dict"
        if not facts["saved"]
        else "a mask that stays behind when the layer moves"
        if not facts["moves"]
        else "a mask that does not mask"
        if wrong
        else "other outputs than those of the weights after a step of training"
        if not holds
        else "a layer that answers otherwise once it is saved, loaded and trained",
        asks='self.register_buffer("mask", …), multiplied in forward',
        advice=[
            when(
                facts["parameter"],
                "mask-is-parameter",
                "an nn.Parameter is trained: the optimizer would learn the mask away",
            ),
            when(
                leaks or trained,
                "mask-only-at-init",
                "the optimizer moves weights that you set to zero once: apply the mask in forward, "
                "to self.weight and not to its .data",
            ),
            when(
                idle,
                "gradient-cut",
                "no gradient reaches the weight: .data and .detach() cut it off",
            ),
            when(
                facts["buffer"] and not facts["saved"],
                "mask-not-persistent",
                "with persistent=False a saved model loses its mask: leave that out",
            ),
            when(
                not facts["buffer"],
                "mask-plain-attribute",
                "a plain attribute stays behind on .to(device) and is lost on saving: register it "
                "as a buffer",
            ),
            "keep the mask as the buffer self.mask and multiply by it in forward",
        ],
        see=see,
    )


RATE = 0.5  # of the gradient steps here


def _saved_by(layer: Any) -> dict[str, torch.Tensor]:
    """The tensors of the layer's state_dict; empty if it is none."""
    state = layer.state_dict()
    state = state if isinstance(state, dict) else {}
    return {name: value for name, value in state.items() if isinstance(value, torch.Tensor)}


def _masked(numbers: dict[str, torch.Tensor], mask: np.ndarray, x: torch.Tensor) -> torch.Tensor:
    """(W∘M) * x + b in double precision, with the height and width of x."""
    weight = numbers["weight"] * tensor(mask).double()
    return F.conv2d(x.double(), weight, numbers["bias"], padding=mask.shape[-1] // 2)


def _after_a_step(
    numbers: dict[str, torch.Tensor], mask: np.ndarray, x: torch.Tensor
) -> dict[str, torch.Tensor]:
    """Weight and bias after a step of gradient descent on the mean square of the outputs."""
    given = {name: value.clone().requires_grad_() for name, value in numbers.items()}
    with torch.enable_grad():
        slopes = torch.autograd.grad(_masked(given, mask, x).pow(2).mean(), list(given.values()))
    return {n: numbers[n] - RATE * slope for n, slope in zip(given, slopes, strict=True)}


def _state_of(module: Any, names: set[str]) -> dict[str, torch.Tensor]:
    """The module's parameters `names` in double precision; one sentence if one is missing."""
    state = module.state_dict()
    state = dict(state) if isinstance(state, dict) else {}
    if not state:
        try:
            state = {name: value for name, value in module.named_parameters()}
        except StudentFailed:
            state = {}
    missing = sorted(names - set(state))
    if missing:
        raise WrongKind(f"the layer {missing[0]} of the given constructor should stay: it is gone")
    return {
        name: torch.tensor(expect_array(state[name], None, "float", name)).double()
        for name in names
    }


# --- receptive_field ------------------------------------------------------------------------------


_ADVICE_ON_FIELDS: dict[str, tuple[Callable, str]] = {
    "kind-ignored-B": (
        lambda layers: sums_of_offsets(layers, kinds="B"),
        "a layer of kind A does not have the offset (0, 0): a stack that begins with A never sees "
        "its own pixel",
    ),
    "kind-ignored-A": (
        lambda layers: sums_of_offsets(layers, kinds="A"),
        "a layer of kind B has the offset (0, 0) too: without it the nearest past gets lost",
    ),
    "first-layer-only": (
        lambda layers: sums_of_offsets(layers, first_only=True),
        "this is the field of the first layer: each further layer adds its offsets to all of them",
    ),
    "union-for-sum": (
        lambda layers: sums_of_offsets(layers, union=True),
        "you unite the layers' offsets: they ADD, each sum of one offset of each layer",
    ),
    "right-visible": (
        lambda layers: sums_of_offsets(layers, right=True),
        "in the row 0 nothing right of the middle is seen",
    ),
    "mask-forgotten": (
        lambda layers: sums_of_offsets(layers, full=True),
        "these are the offsets of ordinary convolutions: the mask removes the rows below and half "
        "of the middle row",
    ),
    "blind-spot-unnoticed": (
        lambda layers: _rectangle(layers),
        "this is the whole window before the pixel: a plain stack does not see all of it, since "
        "one column to the right costs one row up",
    ),
    "rows-and-columns-swapped": (
        lambda layers: {(c, r) for r, c in sums_of_offsets(layers)},
        "rows and columns have changed places: an offset is (rows, columns), up is negative",
    ),
    "sign": (
        lambda layers: {(-r, -c) for r, c in sums_of_offsets(layers)},
        "the signs are turned: the past lies at rows below zero, or in row 0 at columns below zero",
    ),
    "size-for-reach": (
        lambda layers: sums_of_offsets([(kind, 2 * size - 1) for kind, size in layers]),
        "a kernel of size k reaches k // 2 pixels to each side, not k − 1",
    ),
}


def _rectangle(layers: Sequence[tuple[str, int]]) -> set[tuple[int, int]]:
    s = sum(size // 2 for _, size in layers)
    field = set(itertools.product(range(-s, 0), range(-s, s + 1))) | {(0, c) for c in range(-s, 0)}
    return field | (set() if any(kind == "A" for kind, _ in layers) else {(0, 0)})


@checks("receptive_field", lesson=LESSON, points=3)
def offsets_of_a_stack(receptive_field: Standin, draw: Draw) -> Iterator[Claim]:
    """Offsets of layers add."""
    see = "Exercise 3: how far does a stack see?"

    def ask(layers: list[tuple[str, int]]) -> set[tuple[int, int]]:
        got = receptive_field(layers)
        if isinstance(got, np.ndarray | torch.Tensor):
            got = expect_array(got, (None, 2), "int", "the offsets").tolist()
        try:
            pairs = {(int(r), int(c)) for r, c in got}
        except (TypeError, ValueError, OverflowError):
            raise WrongKind(
                "receptive_field should return a set of pairs of ints (rows, columns)"
            ) from None
        return pairs

    def wrong_in(cases: list, answers: list) -> tuple[str, list[str | Advice]]:
        saw = ""
        for layers, got in zip(cases, answers, strict=True):
            right = sums_of_offsets(layers)
            if got != right and not saw:
                extra, less = sorted(got - right), sorted(right - got)
                saw = f"{len(got)} offsets for {layers}"
                saw += f", {extra[0]} among them" if extra else ""
                saw += f", {less[0]} missing" if less else ""
        named = next(
            (
                name
                for name, (rule, _) in _ADVICE_ON_FIELDS.items()
                if all(got == rule(layers) for layers, got in zip(cases, answers, strict=True))
            ),
            "",
        )
        known = [when(name == named, name, text) for name, (_, text) in _ADVICE_ON_FIELDS.items()]
        return saw, known

    one = [[(draw.choice("AB"), 3)], [("A", draw.choice((5, 7)))], [("B", draw.choice((5, 7)))]]
    one.append([("A", 3)])
    first = [ask(layers) for layers in one]
    saw, known = wrong_in(one, first)
    yield claim(
        "one layer sees the offsets at which its mask is 1",
        not saw,
        points=1,
        saw=saw,
        asks="rows −p … −1 over columns −p … p, and the row 0 up to the pixel; (0, 0) for B only",
        advice=[*known, "list the four offsets of a 3×3 layer of kind A, and compare"],
        see=see,
    )
    deep = [
        [("A", 3), ("B", 3)],
        [("A", draw.choice((5, 7)))] + [("B", 3)] * draw.integer(2, 4),
        [("A", 3), ("A", draw.choice((3, 5))), ("B", 5)],
        [("B", 3)] * draw.integer(2, 3),
        [("A", 3), ("B", 5), ("B", 1), ("B", 7)],
    ]
    answers = [ask(layers) for layers in deep]
    saw, known = wrong_in([*one, *deep], [*first, *answers])
    yield claim(
        "two layers see every sum of one offset of each, and so on",
        not saw,
        points=1.5,
        saw=saw,
        asks="eleven offsets for a 3×3 layer of kind A below one of kind B",
        advice=[*known, "work out the table of the example, row by row"],
        see=see,
    )
    depth = draw.integer(10, 14)
    layers = [("A", 3)] + [("B", 3)] * (depth - 1)
    blind = ask(layers)
    lost = [(-1, 2), (-2, 3), (1 - depth, depth)]
    known_lost = all(spot not in blind for spot in lost)
    reached = {(-1, 1), (0, -1), (-depth, depth), (-depth, -depth), (0, -depth)} <= blind
    empty = ask([]) == {(0, 0)} and ask([("A", 1)]) == set()
    yield claim(
        "a deep stack keeps its blind spot, and no layer at all sees its own pixel",
        known_lost and reached and empty,
        points=0.5,
        saw=f"{next(s for s in lost if s in blind)} seen at {depth} layers of 3×3"
        if not known_lost
        else f"a far corner unseen at {depth} layers of 3×3"
        if not reached
        else "another answer than {(0, 0)} for a stack without layers, or than none for a 1×1 A",
        asks="one column to the right costs one row up, at any depth",
        advice=[
            *wrong_in([*one, *deep, layers], [*first, *answers, blind])[1],
            "start with the field {(0, 0)}, and take in one layer after the other",
        ],
        see=see,
    )


# --- GatedBlock -----------------------------------------------------------------------------------

_LAYERS = {
    f"{layer}.{kind}" for layer in ("vertical", "down", "across", "out") for kind in
    ("weight", "bias")
}  # fmt: skip

_BLOCKS: dict[str, tuple[dict[str, Any], str]] = {
    "unshifted": (
        {"shift": 0},
        "the vertical features go down unshifted: at row r they have seen row r itself, the pixel "
        "and what comes after it",
    ),
    "shifted-twice": (
        {"shift": 2},
        "the vertical features are shifted by two rows: the row just above is lost",
    ),
    "taken-after-gating": (
        {"after_gate": True},
        "what goes down is taken after the gate: take u, with its 2C channels",
    ),
    "gates-swapped": (
        {"gate": lambda a, b: torch.sigmoid(a) * torch.tanh(b)},
        "tanh and σ have changed places: the first half goes through tanh, the second is the gate",
    ),
    "no-gate": (
        {"gate": lambda a, b: torch.tanh(a)},
        "the gate is missing: multiply by σ of the second half",
    ),
    "relu-for-gate": (
        {"gate": lambda a, b: torch.relu(a)},
        "this is a ReLU: a gate is tanh(a) · σ(b)",
    ),
    "residual-forgotten": ({"residual": False}, "a block of kind B adds its input h to the result"),
    "horizontal-feeds-vertical": (
        {"vertical_from": "h"},
        "the vertical stack reads h: it inherits the horizontal stack's narrow view, and with it a "
        "blind spot",
    ),
    "nothing-handed-down": (
        {"down": False},
        "the vertical stack hands nothing down: the horizontal one sees its own row only",
    ),
    "row-forgotten": ({"across": False}, "the horizontal stack does not look at its own row"),
    "out-forgotten": ({"out": False}, "the 1×1 convolution `out` is missing"),
    "vertical-ungated": (
        {"gate_vertical": False},
        "the new vertical features come without their gate",
    ),
}


@checks("GatedBlock", lesson=LESSON, points=4)
def two_stacks_with_gates(GatedBlock: Standin, draw: Draw) -> Iterator[Claim]:
    """The horizontal stack gets the rows above from the vertical one, and no more."""
    see = "Exercise 4: two stacks and no blind spot"
    seed_generators(GatedBlock, draw.integer(0, 2**31))
    leaks, gaps, shown_leak, shown_gap, mixing, alive = [], [], "", "", False, True
    for kind, channels_in, channels, size, colours in (
        ("B", 2, 2, 3, 1),
        ("A", 3, 3, draw.choice((3, 5)), 3),
        ("B", 3, 3, 3, 3),
    ):
        block = made_by(GatedBlock, kind, channels_in, channels, size, colours)
        height, width, p = 4, 5, size // 2
        x = tensor(draw.normal(2, 2 * channels_in, height, width))
        seen = dependency_map(
            block,
            x,
            "normal",
            call=lambda m, x, c=channels_in: _both_stacks(m(x[:, :c], x[:, c:])),
            expected=_allowed_in_block(kind, channels_in, channels, p, colours, height, width),
            seed=draw.integer(0, 2**31),
            most_draws=8,
        )
        allowed = _allowed_in_block(kind, channels_in, channels, p, colours, height, width)
        if seen.sees.shape != allowed.shape:
            raise WrongKind(
                f"GatedBlock should return (v, h), each with {channels} channels and the height "
                "and width of its input"
            )
        mixing |= seen.rows_mix
        alive &= bool(seen.sees.any())
        for found, name in ((seen.forbidden(allowed), "leak"), (seen.missing(allowed), "gap")):
            spots = [
                _spot(o, channels, height, width) + _spot(i, channels_in, height, width)
                for o, i in found
            ]
            if spots and name == "leak":
                shown_leak = shown_leak or _edge(spots[0], kind, size, "changes with")
                leaks += [(kind, s) for s in spots]
            elif spots:
                shown_gap = shown_gap or _edge(spots[0], kind, size, "never changes with")
                gaps += [(kind, s) for s in spots]
    named, values = _value_of_block(GatedBlock, draw)
    known: list[str | Advice] = [when(name == named, name, text) for name, (_, text) in
                                 _BLOCKS.items()]  # fmt: skip
    same_row = [
        s for _, s in leaks if s[0] == "h" and s[4] == "v" and s[2] == s[6]
    ]  # the horizontal stack at row r sees the vertical input of row r
    yield claim(
        "no feature sees what comes later: h only the rows of v above it, and h to the left",
        not leaks and not mixing and bool(values) and alive,
        points=1.5,
        saw=shown_leak
        or ("rows of a batch that see each other" if mixing else "")
        or "outputs that never change",
        asks="h at row r sees rows of v above r, and of h only what lies left (kind B: and itself)",
        advice=[
            *known,
            when(
                same_row,
                "unshifted",
                _BLOCKS["unshifted"][1],
            ),
            "look at padding and shift: on which side does F.pad put the zeros?",
        ],
        see=see,
    )
    yield claim(
        "no feature loses what it may see: all columns of the rows above, and the row to the left",
        not gaps and bool(values),
        points=1.5,
        saw=shown_gap or "outputs that never change",
        asks="h sees reach + 1 rows of v above it, reach columns to both sides; v as many rows, "
        "its own included",
        advice=[*known, "draw the block in the explorer: which pixels are white?"],
        see=see,
    )
    yield claim(
        "v' = gate(u), h' = out(gate(across(h) + down(u shifted))), plus h in kind B",
        values == "right",
        points=1,
        saw=values or "outputs that never change",
        asks="gate(a, b) = tanh(a) · σ(b), a the first half of the channels",
        advice=[*known, "follow the table line by line with the constructor's own layers"],
        see=see,
    )


def _both_stacks(answer: Any) -> Any:
    if not isinstance(answer, list | tuple) or len(answer) != 2:
        raise WrongKind("GatedBlock should return a pair (v, h)")
    v, h = (a.detach() if hasattr(a, "detach") else a for a in answer)
    if not all(isinstance(a, torch.Tensor) for a in (v, h)) or v.ndim != 4 or v.shape != h.shape:
        raise WrongKind("GatedBlock should return (v, h), two tensors (B, channels, H, W)")
    return torch.cat([v, h], 1)


def _allowed_in_block(
    kind: str, channels_in: int, channels: int, p: int, colours: int, height: int, width: int
) -> np.ndarray:
    """bool (outputs, inputs) over (v, h) stacked: what one block must see, and no more."""
    out_shape, in_shape = (2, channels, height, width), (2, channels_in, height, width)
    r, c = np.arange(height), np.arange(width)
    dr, dc = r[:, None] - r[None, :], c[:, None] - c[None, :]  # output − input

    def grid(rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
        """bool (H, W, H, W)"""
        return rows[:, None, :, None] & columns[None, :, None, :]

    near = np.abs(dc) <= p
    own_rows = grid((dr >= 0) & (dr <= p), near)
    above = grid((dr >= 1) & (dr <= p + 1), near)
    left = grid(dr == 0, (dc >= 1) & (dc <= p))
    here = grid(dr == 0, dc == 0)
    allowed = np.zeros((*out_shape, *in_shape), dtype=bool)
    for o, i in itertools.product(range(channels), range(channels_in)):
        allowed[0, o, :, :, 0, i] = own_rows
        allowed[1, o, :, :, 0, i] = above
        group = i % colours < o % colours if kind == "A" else i % colours <= o % colours
        allowed[1, o, :, :, 1, i] = left | (here if group else False)
    return allowed.reshape(np.prod(out_shape), np.prod(in_shape))


def _spot(index: int, channels: int, height: int, width: int) -> tuple[str, int, int, int]:
    stack, channel, r, c = np.unravel_index(index, (2, channels, height, width))
    return "vh"[stack], int(channel), int(r), int(c)


def _edge(spot: tuple, kind: str, size: int, verb: str) -> str:
    a, k, r, c, b, j, s, d = spot
    return (
        f"kind {kind}, kernel {size}: new {a} at row {r + 1}, column {c + 1} (channel {k}) {verb} "
        f"{b} at row {s + 1}, column {d + 1} (channel {j})"
    )


def _value_of_block(GatedBlock: Standin, draw: Draw) -> tuple[str, str]:
    """The name of the mistake that explains the values, and "right" or what was seen."""
    found, cases = [], []
    for kind, channels_in, channels, size, colours in (
        ("B", 4, 4, 3, 1),
        ("A", 1, 3, 5, 1),
        ("B", 6, 6, 5, 3),
    ):
        block = made_by(GatedBlock, kind, channels_in, channels, size, colours)
        randomize_parameters(block, draw.rng)
        state = _state_of(block, _LAYERS)
        v, h = (tensor(draw.normal(2, channels_in, 5, 6)) for _ in "vh")
        got = _both_stacks(block(v.float(), h.float())).double()
        if not (got - got[:, :, :1, :1]).abs().max() > 1e-9:  # a constant, or NaN
            return "", ""
        cases.append((state, kind, size // 2, colours, v, h))
        found.append(got.numpy())

    def fits(**options: Any) -> bool:
        return all(
            close(got, torch.cat(block_by_rule(*case, **options), 1).numpy(), 1e-3)
            for got, case in zip(found, cases, strict=True)
        )

    if fits():
        return "", "right"
    for name, (options, _) in _BLOCKS.items():
        try:
            if fits(**options):
                return name, "other values than those of the formula"
        except RuntimeError:  # a corruption that does not fit the shapes
            continue
    return "", "other values than those of the formula"


# --- PixelCNN -------------------------------------------------------------------------------------

BOUND, DRAWS = 0.09, 8_000
BOUND_BELOW, DRAWS_BELOW = 0.125, 3_000


@checks("PixelCNN", lesson=LESSON, points=6)
def a_distribution_over_images(PixelCNN: Standin, draw: Draw) -> Iterator[Claim]:
    """All conditionals in one pass, exact likelihoods, and images drawn number by number."""
    see = "Exercise 5: PixelCNN"
    seed_generators(PixelCNN, draw.integer(0, 2**31))
    yield from _claims_on_dependencies(PixelCNN, draw, see)
    model = made_by(PixelCNN, 5, 3, 6, (3, 3))
    x = draw.rng.integers(0, 5, size=(3, 3, 3, 4))
    carried = carries_its_weights(model, lambda m: _logits(m, x, 5), draw.rng)
    deaf = waits_unless(carried, "logits that are made of x and of the layers' weights")
    yield from _claims_on_likelihood(PixelCNN, draw, see, deaf)
    yield from _claims_on_drawing(PixelCNN, draw, see, deaf)


def _claims_on_dependencies(PixelCNN: Standin, draw: Draw, see: str) -> Iterator[Claim]:
    leaks, gaps, maps, mixing = [], [], {}, False
    unswapped = False
    for levels, colours, kernels, height, width in (
        (3, 1, (3, 3, 3), 4, 4),
        (4, 3, (5, 3), 3, 4),
    ):
        model = made_by(PixelCNN, levels, colours, 4 * colours, kernels)
        x = tensor(draw.rng.integers(0, levels, size=(2, colours, height, width)))
        try:
            expect_array(model(x), (2, levels, colours, height, width), "float", "the logits")
        except StudentFailed:
            if not leaks:
                raise
            break  # a leak tells more than what it leads to: a first block of kind B adds h
        order = ranks(colours, height, width)
        options = {"vocabulary": levels, "seed": draw.integer(0, 2**31)}
        seen = dependency_map(model, x, "token", outputs=1, expected=order, most_draws=8, **options)
        maps[colours] = seen.sees
        mixing |= seen.rows_mix
        where = [(colours, height, width, int(o), int(i)) for o, i in seen.forbidden(order)]
        leaks += where
        gaps += [(colours, height, width, int(o), int(i)) for o, i in seen.missing(order)]
        if colours == 3 and where:
            again = dependency_map(
                model,
                x,
                "token",
                outputs=1,
                draws=2,
                call=lambda m, x, s=(levels, colours): _turned(m(x), *s),
                **options,
            )
            unswapped = again.is_autoregressive(order) and bool(again.sees.any())
    alive = all(seen.any() for seen in maps.values())
    itself = bool(leaks) and all(o == i for *_, o, i in leaks)
    inside = bool(leaks) and all(o % (h * w) == i % (h * w) for _, h, w, o, i in leaks)
    everything = all(seen.sum() > 0.9 * seen.size for colours, seen in maps.items())
    yield claim(
        "no logit sees its own number or a later one, of pixels and of colors",
        alive and not leaks and not mixing,
        points=1.5,
        saw=f"the logits of {_name_of(*leaks[0][:4])} change with "
        f"{_name_of(*leaks[0][:3], leaks[0][4])}"
        if leaks
        else "rows of a batch that change each other's logits"
        if mixing
        else "logits that never change, whatever the image is",
        asks="logits that depend on earlier pixels, and on earlier colors of the same pixel",
        advice=[
            when(
                everything,
                "normalizing-over-positions",
                "every output sees every input: something is computed over all positions at once, "
                "such as a mean or a normalization over the image",
            ),
            when(
                mixing,
                "rows-mix",
                "each image must be computed for itself: no statistics over the batch",
            ),
            when(
                itself,
                "b-in-the-first-layer",
                "each number sees itself: the block that reads the image must be of kind A",
            ),
            when(
                unswapped,
                "levels-and-colors-swapped",
                "the output's channels are unfolded as (colours, levels): channel k has color "
                "k % colours, so unfold into (levels, colours)",
            ),
            when(
                inside,
                "colors-mixed",
                "colors of one pixel see later colors: does every masked layer get `colours`, and "
                "is the output unfolded into (levels, colours)?",
            ),
            when(
                not alive,
                "a-on-1x1" if maps[max(maps)].any() else "sees-nothing",
                "logits without any dependency: a 1×1 convolution of kind A has an empty mask, "
                "`hidden` and `output` are of kind B"
                if maps[max(maps)].any()
                else "blind to the future, and to the past as well: do the layers get their input?",
            ),
            "look at your model in the explorer: where does the leak come from?",
        ],
        see=see,
    )
    in_row = bool(gaps) and all(o % (h * w) // w == i % (h * w) // w for _, h, w, o, i in gaps)
    right_above = bool(gaps) and any(
        o % (h * w) // w > i % (h * w) // w and o % w < i % w for _, h, w, o, i in gaps
    )
    yield claim(
        "every logit sees all numbers before its own: no blind spot",
        alive and not gaps,
        points=1,
        saw=f"the logits of {_name_of(*gaps[0][:4])} never change with "
        f"{_name_of(*gaps[0][:3], gaps[0][4])}"
        if gaps
        else "",
        asks="within reach every earlier pixel, upper right included, and every earlier color",
        advice=[
            when(
                not maps[1].any() and maps[max(maps)].any(),
                "a-on-1x1",
                "a 1×1 convolution of kind A has an empty mask if there is one color: `hidden` and "
                "`output` are of kind B",
            ),
            when(
                not alive,
                "sees-nothing",
                "no logit sees anything: do the layers get their input?",
            ),
            when(
                in_row,
                "a-in-every-layer",
                "the nearest pixels of the row are lost: only the first block is of kind A, or "
                "each layer steps back one pixel more",
            ),
            when(
                right_above,
                "blind-spot",
                "pixels above are lost: does the vertical stack get the vertical features of the "
                "block before, and the horizontal stack its own?",
            ),
            "every channel, every color: look at your model in the explorer",
        ],
        see=see,
    )
    model = made_by(PixelCNN, 3, 1, 6, (3, 3))
    images = tensor(draw.rng.integers(0, 3, size=(4, 1, 3, 3)))
    together = batch_leaks(model, images, "token", vocabulary=3, seed=draw.integer(0, 2**31))
    yield claim(
        "in training too each image of a batch is computed for itself",
        alive and not together,
        points=0.5,
        saw="images of a batch that change each other's logits in train mode"
        if together
        else "logits that never change",
        asks="the likelihood of an image does not depend on its neighbors in the batch",
        advice=[
            when(
                together,
                "rows-mix",
                "a statistic over the batch, such as BatchNorm, mixes images in training: leave it "
                "out, or normalize over channels",
            ),
            "compute each image by itself",
        ],
        see=see,
    )


def _turned(logits: Any, levels: int, colours: int) -> Any:
    """Logits whose channels were unfolded as (colours, levels), unfolded the other way."""
    if not isinstance(logits, torch.Tensor):
        raise WrongKind("forward should return a tensor of logits")
    flat = logits.transpose(1, 2).reshape(len(logits), levels * colours, *logits.shape[3:])
    return flat.reshape(logits.shape)


def _name_of(colours: int, height: int, width: int, index: int) -> str:
    k, r, c = np.unravel_index(index, (colours, height, width))
    color = f" color {k + 1} of" if colours > 1 else ""
    return f"{color} row {r + 1}, column {c + 1}".strip()


def _logits(model: Any, x: np.ndarray, levels: int) -> np.ndarray:
    """The model's own logits (B, levels, colours, H, W), float64."""
    shape = (len(x), levels, *x.shape[1:])
    return expect_array(model(tensor(x)), shape, "float", "the logits")


def _claims_on_likelihood(PixelCNN: Standin, draw: Draw, see: str, deaf: str) -> Iterator[Claim]:
    levels, colours, height, width = 5, 3, 3, 4
    model = made_by(PixelCNN, levels, colours, 6, (3, 3))
    x = draw.rng.integers(0, levels, size=(6, colours, height, width))
    randomize_parameters(model, draw.rng, gain=2.0)
    logits = _logits(model, x, levels)

    def surprise(logits: np.ndarray, axis: int = 1) -> np.ndarray:
        picked = np.take_along_axis(log_softmax(logits, axis), x[:, None], 1)
        return -picked[:, 0]

    right = surprise(logits)
    got = expect_array(model.pixel_nll(tensor(x)), None, "float", "pixel_nll")
    moderate = close(got, right, 1e-3)
    gain, large = 4.0, 0.0
    while large < 200 and gain < 1e5:
        randomize_parameters(model, draw.rng, gain=gain)
        wide = _logits(model, x, levels)
        large, gain = float(np.abs(wide).max()), gain * 3
    extreme = expect_array(model.pixel_nll(tensor(x)), None, "float", "pixel_nll")
    stable = close(extreme, surprise(wide), 1e-3)
    # All images of 1×2 pixels with two levels and three colors: 64 of them.
    every = np.array(list(itertools.product((0, 1), repeat=6))).reshape(64, 3, 1, 2)
    tiny = made_by(PixelCNN, 2, 3, 6, (3,))
    randomize_parameters(tiny, draw.rng, gain=2.0)
    each = expect_array(tiny.nll(tensor(every)), (64,), "float", "nll")
    total = float(np.exp(-each).sum())
    varied = float(each.max() - each.min()) > 1e-3
    yield claim(
        "pixel_nll is −log p of each number in nats, and the probabilities of all images sum to 1",
        moderate and stable and abs(total - 1) < 1e-3 and varied,
        points=1,
        saw=f"an answer of shape {got.shape} for images of shape {x.shape}"
        if got.shape != right.shape
        else f"{got.flat[0]:.4f} nats where the logits give {right.flat[0]:.4f}"
        if not moderate
        else f"{extreme[~np.isclose(extreme, surprise(wide), rtol=1e-3, atol=1e-3)][0]:g} for "
        f"logits of {large:.0f}"
        if not stable
        else "one probability for all images"
        if not varied
        else f"64 probabilities that sum to {total:.4f}",
        asks="the softmax runs over the levels, axis 1 of the logits, and the log is natural",
        waits=deaf,
        advice=[
            when(
                moderate and stable and abs(total - 1) >= 1e-3,
                "sum-not-one",
                "each conditional is normalized, but the image does not cost the sum of its "
                "numbers: a number sees itself, or nll has changed",
            ),
            when(
                got.shape == right.shape
                and any(close(got, surprise(logits, a), 1e-3) for a in (2, 3, 4)),
                "softmax-wrong-axis",
                "the softmax runs over another axis than the levels: they are axis 1",
            ),
            when(
                close(got, right / math.log(2), 1e-3),
                "bits-for-nats",
                "these are bits: pixel_nll is in nats, bits_per_dim divides by log 2",
            ),
            when(close(got, -right, 1e-3), "sign", "this is log p: −log p is asked"),
            when(
                close(got, np.exp(-right), 1e-3),
                "log-forgotten",
                "these are probabilities: take −log",
            ),
            when(
                got.ndim == 0 or (got.ndim == 1 and got.shape == (6,)),
                "already-summed",
                "one number for each number of the image, (B, colours, H, W): nll does the sum",
            ),
            when(
                moderate and not stable,
                "softmax-then-log",
                "the softmax underflows to 0 and its log is −inf: take log_softmax, or "
                "F.cross_entropy, which stays with logits",
            ),
            "F.cross_entropy takes logits with the classes on axis 1",
        ],
        see=see,
    )
    randomize_parameters(model, draw.rng, gain=1.0)
    nats = surprise(_logits(model, x, levels)).reshape(len(x), -1).sum(1)
    got = expect_array(model.bits_per_dim(tensor(x)), None, "float", "bits_per_dim")
    right, n = nats / math.log(2) / (colours * height * width), colours * height * width
    yield claim(
        "bits_per_dim is the NLL in bits, divided by how many numbers an image has",
        close(got, right, 1e-3),
        points=0.5,
        saw=f"{got.flat[0]:.4f} for {nats[0]:.2f} nats and {n} numbers"
        if got.size and got.shape == right.shape
        else f"an answer of shape {got.shape} for {len(x)} images",
        asks="−log₂ p(x) / (colours · H · W), one number for each image",
        waits=deaf,
        advice=[
            when(
                close(got, right * math.log(2), 1e-3),
                "nats-for-bits",
                "these are nats per dimension: a bit has log 2 = 0.693 nats, divide by it",
            ),
            when(
                close(got, right * math.log(2) ** 2, 1e-3),
                "times-log-2",
                "a nat is MORE than a bit: divide by log 2, do not multiply",
            ),
            when(
                close(got, right * colours, 1e-3),
                "colors-not-counted",
                "a color pixel has three numbers: divide by colours · H · W",
            ),
            when(
                close(got, right * n, 1e-3), "not-divided", "divide by how many numbers there are"
            ),
            when(
                got.ndim == 0,
                "averaged-over-batch",
                "one number for each image: do not average over the batch",
            ),
            "nll(x) / (log 2 · numbers of one image)",
        ],
        see=see,
    )


_EVERY = np.array(list(itertools.product((0, 1), repeat=4))).reshape(16, 1, 2, 2)
_CODE = np.array([8, 4, 2, 1])


def _scores(model: Any) -> np.ndarray:
    """log p of both levels at each place of all 16 images of 2×2 bits: (16, 2, 2, 2)."""
    return log_softmax(_logits(model, _EVERY, 2), 1)[:, :, 0]


def _drawing(
    scores: np.ndarray,
    order: Sequence[tuple[int, int]],
    *,
    read: Callable[[int, int], tuple[int, int]] = lambda r, c: (r, c),
    fed_back: bool = True,
    turn: bool = False,
    start: np.ndarray | None = None,
) -> np.ndarray:
    """p of all images of 2×2 bits when pixels are drawn in `order`; options give mistakes."""
    log_p = np.zeros(16)
    base = np.zeros((1, 2, 2), dtype=np.int64) if start is None else start
    known = np.repeat(base[None], 16, axis=0)
    for r, c in order:
        a, b = read(r, c)
        bits = _EVERY[:, 0, r, c]
        seen = known.reshape(16, 4) @ _CODE  # which of the 16 images the model is shown
        log_p += scores[seen, 1 - bits if turn else bits, a, b]
        if fed_back:
            known[:, 0, r, c] = bits
    return np.exp(log_p)


_RASTER = [(0, 0), (0, 1), (1, 0), (1, 1)]


def _ways_of_drawing(model: Any, seed: int) -> dict[str, np.ndarray]:
    """Draws weights from `seed`; p(x) under the known mistakes by name, the right one under ""."""
    randomize_parameters(model, np.random.default_rng(seed), gain=2.0)
    scores = _scores(model)
    most, known = np.zeros(16), np.zeros((2, 2), dtype=np.int64)
    for r, c in _RASTER:
        known[r, c] = scores[known.reshape(4) @ _CODE, :, r, c].argmax()
    most[known.reshape(4) @ _CODE] = 1
    return {
        "": _drawing(scores, _RASTER),
        "argmax-for-drawing": most,
        "not-fed-back": _drawing(scores, _RASTER, fed_back=False),
        "rows-and-columns-swapped": _drawing(scores, _RASTER, read=lambda r, c: (c, r)),
        "column-order": _drawing(scores, [(0, 0), (1, 0), (0, 1), (1, 1)]),
        "levels-turned": _drawing(scores, _RASTER, turn=True),
        "uniform-levels": np.full(16, 1 / 16),
    }


def _apart(distributions: dict[str, np.ndarray]) -> float:
    """The least L1 distance of the right one to a mistake, and of mistakes to each other."""
    pairs = itertools.combinations(distributions.values(), 2)
    return min(float(np.abs(p - q).sum()) for p, q in pairs)


_ADVICE_ON_DRAWING = {
    "argmax-for-drawing": "all samples are equal: draw each level with its probability, the most "
    "likely one is no sample",
    "not-fed-back": "every number is drawn from the first image's logits: put each one into x "
    "before the next pass",
    "rows-and-columns-swapped": "rows and columns have changed places: logits are (B, levels, "
    "colours, ROW, COLUMN)",
    "column-order": "you draw column by column: the network was made for rows",
    "levels-turned": "the levels are drawn in reverse",
    "uniform-levels": "all levels are equally likely here: where is the model?",
}


def _claims_on_drawing(PixelCNN: Standin, draw: Draw, see: str, deaf: str) -> Iterator[Claim]:
    model = made_by(PixelCNN, 2, 1, 8, (3, 3))
    best, chosen = -1.0, 0
    # One draw of weights in six tells all apart; 48 without any come in one run of 6,000.
    for seed in draw.rng.integers(0, 2**31, size=48):
        apart = _apart(_ways_of_drawing(model, seed))
        if apart > best:
            best, chosen = apart, seed
        if best > 0.2:
            break
    ways = _ways_of_drawing(model, chosen)
    right = ways.pop("")
    # An exact bound (Weissman et al., 2003): P(‖p̂ − p‖₁ ≥ ε) ≤ (2^K − 2) exp(−N ε² / 2). At
    # K = 16, N = 8,000, ε = 0.09 that is 5.6e-10; below, at K = 4, N = 3,000, ε = 0.125, 9.3e-10.
    seed = draw.integer(1, 2**31)
    generators = [torch.Generator().manual_seed(seed + s) for s in (0, 0)]
    start = generators[0].get_state()
    answer = model.sample(DRAWS, 2, 2, generators[0])
    x = expect_array(answer, (DRAWS, 1, 2, 2), "any", "the samples")
    legal = bool(np.isin(x, (0, 1)).all())
    codes = x.reshape(DRAWS, 4).astype(np.int64) @ np.array([8, 4, 2, 1]) if legal else None
    often = np.bincount(codes, minlength=16) / DRAWS if legal else np.zeros(16)
    off = float(np.abs(often - right).sum())
    named = next((k for k, way in ways.items() if np.abs(often - way).sum() < BOUND), "")
    worst = int(np.argmax(np.abs(often - right)))
    moved = not torch.equal(start, generators[0].get_state())
    again = [
        expect_array(model.sample(200, 2, 3, g), (200, 1, 2, 3), "any", "the samples")
        for g in (torch.Generator().manual_seed(seed), torch.Generator().manual_seed(seed))
    ]
    same = bool((again[0] == again[1]).all())
    painted = made_by(PixelCNN, 3, 3, 6, (3,))
    colored = expect_array(
        painted.sample(50, 1, 2, draw.generator()), (50, 3, 1, 2), "any", "the samples"
    )
    in_color = bool(np.isin(colored, (0, 1, 2)).all() and colored[:, 2].any())
    yield claim(
        "samples come as often as the model says, from the given generator alone",
        legal and off < BOUND and moved and same and in_color,
        points=1,
        saw="levels outside 0 … levels − 1"
        if not legal
        else f"the image {_RASTER_BITS[worst]} in {often[worst]:.1%} of {DRAWS:,} samples, where "
        f"the model gives it {right[worst]:.1%}"
        if off >= BOUND
        else "a generator that nobody has used, or different samples from equal generators"
        if not (moved and same)
        else "colors that are never drawn",
        asks="each number drawn from its conditional, given those drawn before it",
        waits=deaf,
        advice=[
            *(when(named == name, name, text) for name, text in _ADVICE_ON_DRAWING.items()),
            when(
                off < BOUND and not (moved and same),
                "generator-ignored",
                "hand the generator on to draw_levels",
            ),
            when(
                legal and off < BOUND and not in_color,
                "colors-not-drawn",
                "draw every color of a pixel, one after the other",
            ),
            "one pixel at a time: logits, a level, into x, next",
        ],
        see=see,
    )
    given = draw.rng.integers(0, 2, size=(1, 2, 2))
    batch = tensor(np.repeat(given[None], DRAWS_BELOW, axis=0))
    answer, kept = call_and_keep(model.inpaint, batch, 1, draw.generator())
    ends = expect_array(answer, (DRAWS_BELOW, 1, 2, 2), "any", "inpaint")
    before = expect_array(kept[0], (DRAWS_BELOW, 1, 2, 2), "any", "the given images")
    untouched = bool((before == given[None]).all())
    top = bool((ends[:, :, :1] == given[:, :1]).all())
    below = [(1, 0), (1, 1)]
    cond = _drawing(_scores(model), below, start=given).reshape(4, 4)[0]
    codes = (ends[:, 0, 1].astype(np.int64) @ np.array([2, 1])).clip(0, 3)
    often = np.bincount(codes, minlength=4) / DRAWS_BELOW
    off = float(np.abs(often - cond).sum())
    true_end = int(given[0, 1] @ np.array([2, 1]))
    yield claim(
        "inpaint keeps the first rows, and draws the rest from its conditional, on a copy",
        untouched and top and off < BOUND_BELOW,
        points=0.5,
        waits=deaf,
        saw="given images that are changed by the call"
        if not untouched
        else "kept rows that have changed"
        if not top
        else f"lower rows {[0, 0]}, {[0, 1]}, {[1, 0]}, {[1, 1]} in {np.round(often, 3).tolist()} "
        f"of the cases, where the model gives {np.round(cond, 3).tolist()}",
        asks="rows 0 … rows − 1 as they were, all others drawn given them",
        advice=[
            when(
                not untouched,
                "changed-in-place",
                "you write into the caller's images: work on x.clone()",
            ),
            when(
                top and often[true_end] > 0.999,
                "nothing-drawn",
                "the lower rows are the old ones: `rows` counts the rows that are KEPT",
            ),
            when(
                not top,
                "wrong-rows-kept",
                "the kept rows are drawn anew: begin with row `rows`",
            ),
            *(when(named == name, name, text) for name, text in _ADVICE_ON_DRAWING.items()),
            "as sample, but begin at row `rows`",
        ],
        see=see,
    )


_RASTER_BITS = [list(bits) for bits in itertools.product((0, 1), repeat=4)]


# --- BlockMemory ----------------------------------------------------------------------------------

_MEMORIES: dict[str, tuple[dict[str, Any], str]] = {
    "not-stored": (
        {"stored": False},
        "this pixel's own input is missing in the window: store h in self.left before you read it",
    ),
    "window-late": (
        {"late": 1},
        "the window begins one column too late: column c of the image is column c + reach of left, "
        "so the window is left[:, :, c : c + reach + 1]",
    ),
    "nothing-from-above": (
        {"above": False},
        "what the vertical stack hands down is missing: add self.above[:, :, c]",
    ),
    "above-of-another-column": (
        {"column": 0},
        "every pixel gets what belongs to the first column: self.above[:, :, c]",
    ),
    "residual-forgotten": ({"residual": False}, "a block of kind B adds its input h"),
    "gates-swapped": ({"swapped": True}, "tanh and σ have changed places"),
    "out-forgotten": ({"out": False}, "the 1×1 convolution `out` (self.mixing) is missing"),
}


def memory_by_rule(
    state: dict[str, torch.Tensor],
    kind: str,
    p: int,
    colours: int,
    v: torch.Tensor,
    h: torch.Tensor,
    *,
    stored: bool = True,
    late: int = 0,
    above: bool = True,
    column: int | None = None,
    residual: bool | None = None,
    swapped: bool = False,
    out: bool = True,
) -> torch.Tensor:
    """The horizontal output (B, C, H, W) pixel by pixel; the options give the usual mistakes."""
    residual = kind == "B" if residual is None else residual
    u = F.conv2d(F.pad(v, (p, p, p, 0)), state["vertical.weight"], state["vertical.bias"])
    going = F.conv2d(F.pad(u, (0, 0, 1, 0))[:, :, :-1], state["down.weight"], state["down.bias"])
    shape = state["across.weight"].shape
    weight = state["across.weight"] * tensor(mask_by_rule(kind, (1, shape[3]), shape[1], shape[0],
                                                          colours)).double()  # fmt: skip
    kernel = weight[:, :, 0, : p + 1].flatten(1).T
    size = state["out.weight"].shape
    mixing = state["out.weight"] * tensor(mask_by_rule("B", 1, size[1], size[0], colours)).double()
    padded = F.pad(h, (p, late))
    result = []
    for c in range(h.shape[3]):
        window = padded[:, :, :, c + late : c + late + p + 1].clone()  # (B, C, H, p + 1)
        if late:
            window[..., -1] = 0  # not yet drawn
        if not stored:  # nor were those before it
            window[:] = 0
        w = torch.einsum("bchk,cko->boh", window, kernel.view(shape[1], p + 1, -1))
        w = w + state["across.bias"][:, None]
        if above:
            w = w + going[:, :, :, c if column is None else column]
        a, b = w.chunk(2, 1)
        a, b = (b, a) if swapped else (a, b)
        new = torch.tanh(a) * torch.sigmoid(b)
        if out:
            new = torch.einsum("bch,oc->boh", new, mixing[:, :, 0, 0]) + state["out.bias"][:, None]
        if residual and new.shape == h[:, :, :, c].shape:
            new = new + h[:, :, :, c]
        result.append(new)
    return torch.stack(result, dim=3)


@checks("BlockMemory", lesson=LESSON, points=3)
def a_pixel_at_a_time(BlockMemory: Standin, draw: Draw) -> Iterator[Claim]:
    """Features of the past do not change: a pixel needs one column of new ones."""
    see = "Exercise 6: do not compute it twice"
    seed_generators(BlockMemory, draw.integer(0, 2**31))
    GatedBlock = beside(BlockMemory, "GatedBlock")
    fits, found, cases, wrong, carried = True, [], [], "", True
    for kind, channels_in, channels, size, colours in (
        ("B", 4, 4, 3, 1),
        ("A", 1, 3, draw.choice((5, 7)), 1),
        ("B", 6, 6, 5, 3),
        ("A", 3, 6, 3, 3),
    ):
        block = made_by(GatedBlock, kind, channels_in, channels, size, colours).double()
        example = [tensor(draw.normal(2, channels_in, 3, 4)) for _ in range(2)]
        carried &= carries_its_weights(
            block, lambda m, x=example, c=channels: _both_stacks(m(*x))[:, c:], draw.rng
        )
        randomize_parameters(block, draw.rng)
        v = tensor(draw.normal(2, channels_in, 3, draw.integer(4, 6)))
        h = tensor(draw.normal(*v.shape))
        whole = _both_stacks(block(v, h))[:, channels:].numpy()
        # One pixel a question: whoever answers has not seen the next one.
        memory = made_by(memory_of, BlockMemory, block, len(v), v.shape[-1])
        got = np.zeros(whole.shape)
        for r in range(v.shape[2]):
            for c in range(v.shape[3]):
                told = pixel_by(memory, c, h[:, :, r, c])
                got[:, :, r, c] = expect_array(
                    told, (2, channels), "float", "what pixel returns, (B, C) each,"
                )
            end_row(memory, v[:, :, r])
        good = close(got, whole, 1e-7) and bool(np.ptp(whole) > 1e-9)
        if not good and not wrong:
            off = np.argwhere(~np.isclose(got, whole, rtol=1e-7, atol=1e-7))
            _, _, r, c = off[0] if len(off) else (0, 0, 0, 0)
            wrong = f"kind {kind}, kernel {size}: another value at row {r + 1}, column {c + 1}"
        fits &= good
        found.append(got)
        cases.append((_state_of(block, _LAYERS), kind, size // 2, colours, v, h))
    named = next(
        (
            name
            for name, (options, _) in _MEMORIES.items()
            if not fits
            and all(
                close(got, memory_by_rule(*case, **options).numpy(), 1e-6)
                for got, case in zip(found, cases, strict=True)
                if name != "out-forgotten" or got.shape[1]
            )
        ),
        "",
    )
    known = [when(name == named, name, text) for name, (_, text) in _MEMORIES.items()]
    yield claim(
        "pixel(c, h) is what the block gives at column c",
        fits,
        points=1,
        saw=wrong,
        asks="across on the last reach + 1 columns, plus what comes from above, gate, out",
        waits=(deaf := waits_unless(carried, "a GatedBlock that is made of its input and weights")),
        advice=[*known, "compare with GatedBlock.forward line by line"],
        see=see,
    )

    PixelCNN = beside(BlockMemory, "PixelCNN")
    sample_cached = beside(BlockMemory, "sample_cached")
    different, varied, shown = 0, True, ""
    for levels, colours, kernels, height, width, gain in (
        (4, 1, (5, 3), 5, 6, 2.0),
        (3, 3, (3, 3), 3, 4, 1.0),
    ):
        model = made_by(PixelCNN, levels, colours, 6, kernels).double().eval()
        randomize_parameters(model, draw.rng, gain=gain)
        # In double precision the two probabilities differ by about 1e-15, and a level by chance
        # in at most 1e-15 · (numbers drawn) · (levels) of the cases: below 1e-11 here.
        seed = draw.integer(0, 2**31)
        generators = [torch.Generator().manual_seed(seed) for _ in range(2)]
        images = (
            model.sample(8, height, width, generators[0]),
            sample_cached(model, 8, height, width, generators[1]),
        )
        shape = (8, colours, height, width)
        naive, cached = (expect_array(i, shape, "int", "the images") for i in images)
        different += int((naive != cached).sum())
        varied &= bool(np.ptp(naive) > 0)
        shown = shown or (f"{(naive != cached).sum()} of {naive.size} numbers differ"
                          if different else "")  # fmt: skip
    yield claim(
        "cached sampling draws the naive images, bit for bit, under the same generator",
        fits and varied and not different,
        points=1,
        saw=shown or ("" if varied else "images without any variation"),
        asks="the same probabilities up to rounding, the same uniform numbers, the same levels",
        waits=deaf,
        advice=[
            *known,
            "find the first number that differs, and compare its logits with the model's",
        ],
        see=see,
    )
    model = made_by(PixelCNN, 4, 1, 6, (3, 3)).eval()
    sizes = ((3, 6), (6, 48))
    counts = [operations_of_sampling(model, sample_cached, *size) for size in sizes]
    good = all(isinstance(n, int) and n > 0 for n in counts)
    each = [n / math.prod(size) for n, size in zip(counts, sizes, strict=True)] if good else []
    growth = each[1] / each[0] if good else math.inf
    yield claim(
        "a pixel of a large image costs what a pixel of a small one does",
        fits and growth < 1.2,
        points=1,
        saw=f"{growth:.2f} times the operations a pixel at 6×48 pixels as at 3×6"
        if good
        else "no count",
        asks="one column of features for each pixel, whatever the width",
        waits=deaf,
        advice=[
            when(
                growth >= 1.2,
                "whole-row-again",
                "the work for a pixel grows with the image: you compute columns that you do not "
                "need, take the reach + 1 last ones",
            ),
            "first let pixel be right",
        ],
        see=see,
    )
