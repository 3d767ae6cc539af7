"""Checks of lesson 09, PixelCNN: masks of convolutions, what they see, and what they make.

Notation: an image has `colors` numbers a pixel, in raster order and within a pixel in the order
of its colors; channel k serves color k mod colors (van den Oord, Kalchbrenner and Kavukcuoglu,
2016, "Pixel Recurrent Neural Networks", section 3.4; van den Oord et al., 2016, "Conditional Image
Generation with PixelCNN Decoders", section 2).
"""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F

from autograder import claim, expect_array, when
from autograder.checking import checks
from autograder.checks.arguments import untouched
from autograder.checks.gradients import uncut
from autograder.checks.numbers import close, softmax, tensor
from autograder.checks.samples import as_often, note_on_default, place_of
from autograder.checks.whole import each_step
from autograder.checks.witness import carries_its_weights, shared_in_pairs, waits_unless
from autograder.claims import Advice, Cause, Claim, waiting
from autograder.diagnosis import Mistake, Property, Subject, Symptom, examine
from autograder.diagnosis.examine import shown
from autograder.diagnosis.shrinking import simpler
from autograder.draw import Draw
from autograder.inside import call_and_keep, gradient_step, seed_generators
from autograder.inside.pixelcnn import (
    answer_by_table,
    answer_with,
    beside,
    end_row,
    facts_about_mask,
    finish_pixel,
    memory_of,
    not_behind_h,
    operations_of_sampling,
    parts_of,
    pixel_by,
    unreached,
    weight_gradient,
)
from autograder.remote.proxy import Standin, StudentFailed, WrongKind, made_by
from course.causality import batch_leaks, dependency_map, randomize_parameters

LESSON = "09_pixelcnn"

Said = Iterator[Claim | Cause]


# --- small things ---------------------------------------------------------------------------------


def pair(size: int | tuple[int, int]) -> tuple[int, int]:
    """(height, width) of a kernel."""
    return (size, size) if isinstance(size, int) else size


def ranks(colors: int, height: int, width: int) -> np.ndarray:
    """When each number of an image (colors, H, W), flattened, has its turn: 0, 1, 2 …"""
    places = np.arange(height * width)[None, :] * colors + np.arange(colors)[:, None]
    return places.reshape(-1)


# --- conv_mask ------------------------------------------------------------------------------------


def mask_by_rule(
    kind: str,
    size: int | tuple[int, int],
    channels_in: int,
    channels_out: int,
    colors: int = 1,
    *,
    kinds: str = "AB",
    color: Callable = lambda channel, channels, colors: channel % colors,
    middle: Callable = lambda kind, i, o: i < o if kind == "A" else i <= o,
    rows: Callable[[int], bool] = lambda row: row < 0,
    above: Callable[[int], bool] = lambda column: True,
    columns: Callable[[int], bool] = lambda column: column < 0,
    at: Callable[[int, int], tuple[int, int]] = lambda h, w: (h // 2, w // 2),
    everywhere: Callable[[int], bool] = lambda colors: False,
) -> np.ndarray:
    """The mask as zeros and ones (out, in, h, w). Each option turns one thing of it wrong.

    `kinds` is what A and B are taken for; `color` is the color of a channel, and `middle` whether
    at the middle an output of color o sees an input of color i; `rows` and `columns` say which
    others are past, and `above` which columns of those rows; `at` is the middle's place.
    """
    height, width = pair(size)
    kind = kinds["AB".index(kind)]
    of_out = color(np.arange(channels_out), channels_out, colors)[:, None]
    of_in = color(np.arange(channels_in), channels_in, colors)[None, :]
    mask = np.zeros((channels_out, channels_in, height, width))
    for r, c in itertools.product(range(height), range(width)):
        row, column = (place - mid for place, mid in zip((r, c), at(height, width), strict=True))
        past = (rows(row) and above(column)) or (row == 0 and columns(column))
        if (row, column) == (0, 0) or (past and everywhere(colors)):
            mask[:, :, r, c] = middle(kind, of_in, of_out)
        elif past:
            mask[:, :, r, c] = 1
    return mask


def mask_step_by_step(
    kind: str, size: int | tuple[int, int], channels_in: int, channels_out: int, colors: int = 1
) -> np.ndarray:
    """The same as `mask_by_rule`, part by part."""
    height, width = pair(size)
    mask = np.zeros((channels_out, channels_in, height, width))
    mask[:, :, : height // 2] = 1
    mask[:, :, height // 2, : width // 2] = 1
    of_out = np.arange(channels_out)[:, None] % colors
    of_in = np.arange(channels_in)[None, :] % colors
    if kind == "A":
        mask[:, :, height // 2, width // 2] = of_in < of_out
    else:
        mask[:, :, height // 2, width // 2] = of_in <= of_out
    return mask


def _middle_row_cleared(kind: str, *case: Any) -> np.ndarray:
    """Kind A with every color closed at the middle; kind B without its middle row, else all ones"""
    mask = mask_by_rule(kind, *case, middle=lambda kind, i, o: 0)
    if kind == "B":
        mask[:] = 1
        mask[:, :, mask.shape[2] // 2] = 0
    return mask


def _rows_by_width(kind: str, size: Any, *case: Any, **wrong: Any) -> np.ndarray:
    """As many rows above as half of the width says."""
    (height, width), right = pair(size), mask_by_rule(kind, size, *case, **wrong)
    mask = np.where(np.arange(height)[:, None] < width // 2, 1, 0 * right)
    middle_row = right[:, :, height // 2]
    mask[:, :, height // 2, : width // 2] = middle_row[..., : width // 2]
    mask[:, :, height // 2, width // 2] = middle_row[..., width // 2]
    return mask


_OF_MASKS = (
    Mistake("all-zero", "nothing is connected: that is blind to the future, and to the past as "
        "well", after=lambda mask, *_: 0 * mask),
    Mistake("all-one", "everything is connected: this is an ordinary convolution, and sees its "
        "answer", after=lambda mask, *_: 0 * mask + 1),
    Mistake("kinds-swapped", "A and B have changed places: A is the strict one, for the layer "
        "that reads the image", options={"kinds": "BA"}),
    Mistake("always-B", "your mask does not depend on kind: A has to hide the middle, or the "
        "first layer shows each pixel to itself", options={"kinds": "BB"}),
    Mistake("nearest-only", "of the middle row the nearest pixel alone stays: all pixels left of "
        "the middle are past", options={"columns": lambda column: column == -1}),
    Mistake("always-A", "your mask does not depend on kind: B shows the middle, which in later "
        "layers is a feature of the past", options={"kinds": "AA"}),
    Mistake("right-visible", "the middle row is open to the right of the middle too: those pixels "
        "come later", options={"columns": lambda column: column != 0}),
    Mistake("right-for-left", "of the middle row the pixels to the RIGHT stay: those come later",
        options={"columns": lambda column: column > 0}),
    Mistake("left-lost", "of the middle row nothing is left: the pixels left of the middle are "
        "past", options={"columns": lambda column: False}),
    Mistake("middle-off-by-one", "the nearest pixel on the left is hidden: everything before the "
        "middle column is past", options={"columns": lambda column: column < -1}),
    Mistake("rows-below", "the rows BELOW stay: row 0 of a kernel is its top, the past",
        options={"rows": lambda row: row > 0}),
    Mistake("rows-above-lost", "the rows above are hidden: they are all past, over their whole "
        "width", options={"rows": lambda row: False}),
    Mistake("row-above-lost", "the row just above is hidden: it is past, over its whole width",
        options={"rows": lambda row: row < -1}),
    Mistake("upper-left-only", "the upper right is hidden: of the rows above ALL columns are "
        "past, raster order is not 'upper left'", options={"above": lambda column: column <= 0}),
    Mistake("upper-left-only", "of the rows above only columns left of the middle stay: ALL their "
        "columns are past, raster order is not 'upper left'",
        options={"above": lambda column: column < 0}),
    Mistake("column-order", "the columns on the left stay, over their whole height: an image is "
        "read row by row",
        gives=lambda kind, size, *case, **wrong: mask_by_rule(
            kind, pair(size)[::-1], *case, **wrong).swapaxes(2, 3)),
    Mistake("sides-swapped", "height and width have changed places: a pair is (height, width)",
        gives=lambda kind, size, *case, **wrong: mask_by_rule(
            kind, pair(size)[::-1], *case, **wrong)),
    Mistake("middle-visible", "at the middle every color sees every color, itself included",
        options={"middle": lambda kind, i, o: 1}),
    Mistake("middle-hidden", "the middle is always hidden: what color, and which kind, may look "
        "there?", options={"middle": lambda kind, i, o: 0}),
    Mistake("A-closes-all-colors", "kind A closes the middle for every pair of colors here: it "
        "hides a color from itself and from those before it, while G still sees R, and B sees both",
        options={"middle": lambda kind, i, o: (kind == "B") & (i <= o)}),
    Mistake("B-opens-all-colors", "kind B opens the middle for every pair of colors here: R may "
        "look at its own features there, and not at those of G and B",
        options={"middle": lambda kind, i, o: (kind == "B") | (i < o)}),
    Mistake("colors-ignored", "the colors have no order: with three of them G sees R, and B sees "
        "R and G, in the middle of the kernel", options={"middle": lambda kind, i, o: kind == "B"}),
    Mistake("colors-reversed", "the colors stand in reverse: B sees G and R, not the other way "
        "round; the mask has shape (out, in), so rows are the outputs",
        options={"middle": lambda kind, i, o: i > o if kind == "A" else i >= o}),
    Mistake("nearest-color-only", "at the middle a color sees the one before it alone: B looks "
        "at G and at R", options={"middle": lambda kind, i, o: (i == o - 1) | (
            (kind == "B") & (i == o))}),
    Mistake("own-color-only", "at the middle each color sees at most itself: G may look at R, and "
        "B at both", options={"middle": lambda kind, i, o: (kind == "B") & (i == o)}),
    Mistake("colors-in-blocks", "you cut the channels into blocks of one color: channel k has "
        "color k % colors, so the colors take turns",
        options={"color": lambda channel, channels, colors: channel * colors // channels}),
    Mistake("colors-by-channel", "you compare channel numbers: compare their colors, k % colors",
        options={"color": lambda channel, channels, colors: channel}),
    Mistake("colors-in-blocks", "channels that lie side by side get one color, k // colors: "
        "channel k has color k % colors, so the colors take turns",
        options={"color": lambda channel, channels, colors: channel // colors}),
    *(Mistake("colors-everywhere", "the order of colors holds in the middle only: of past pixels "
        "everybody sees all colors", options={"everywhere": where}) for where in (
            lambda colors: True, lambda colors: colors > 1)),
    Mistake("one-middle-for-both", "the middle column is found by the height: a kernel "
        "may be higher than wide, or wider than high, and each axis has a middle of its own",
        options={"at": lambda h, w: (h // 2, h // 2)}),
    Mistake("one-middle-for-both", "how much of the middle row is past is counted by the height: "
        "it is half of the WIDTH, and a kernel may be wider than high, or higher than wide",
        gives=lambda kind, size, *case, **wrong: mask_by_rule(kind, size, *case, **wrong, columns=(
            lambda column: column < pair(size)[0] // 2 - pair(size)[1] // 2))),
    Mistake("one-middle-for-both", "how many rows are past is counted by the width: it is half of "
        "the HEIGHT, and a kernel may be wider than high, or higher than wide",
        gives=_rows_by_width),
    Mistake("lower-triangle", "this is the lower triangle of a matrix (tril): an image is read row "
        "by row, so that the rows above are past over their whole width",
        gives=lambda kind, size, i, o, colors=1: np.broadcast_to(
            np.tril(np.ones(pair(size)), 0 if kind == "B" else -1), (o, i, *pair(size)))),
    Mistake("whole-rows", "whole rows stay, as in a stack that may see all of its own row: of the "
        "middle row only what lies left of the middle is past, in both kinds",
        gives=lambda kind, *case, **wrong: mask_by_rule(
            kind, *case, columns=lambda column: kind == "B", middle=lambda kind, i, o: kind == "B",
            **wrong)),
    Mistake("middle-row-for-rows-below", "in kind B the middle row is cleared, and the rows below "
        "it stay: what should go begins one row later",
        gives=_middle_row_cleared),
    *(Mistake("middle-row-lost-in-B", "in kind B nothing of the middle row stays: what lies left "
        "of the middle is past, and the middle itself is a feature of the past",
        gives=lambda kind, *case, hidden=hidden, **wrong: mask_by_rule(
            kind, *case, **({} if kind == "A" else {"columns": lambda column: False}),
            middle=lambda kind, i, o: (kind == "A") & (hidden < (i < o)), **wrong))
        for hidden in (0, 1)),
    Mistake("transposed", "your mask is transposed: outputs are its first axis",
        after=lambda mask, *_: mask.swapaxes(0, 1)),
)  # fmt: skip
_SMALL_MASKS = [
    *((kind, size, 1, 1) for size in (1, (1, 3), 3, 5) for kind in "AB"),
    *((kind, size, *channels, 3) for channels in ((3, 3), (6, 3)) for size in (1, 3)
      for kind in "AB"),
]  # fmt: skip


def masks(draw: Draw) -> list[tuple]:
    """Kernels of both kinds, higher than wide and wider than high, with one color and with more."""
    three = draw.integer(2, 3)
    return [
        ("A", 3, 1, draw.integer(2, 4)),
        ("B", 3, draw.integer(2, 4), 3, 1),
        ("A", draw.choice((5, 7)), 3, 3 * three, 3),
        ("B", draw.choice((5, 7)), 3 * three, 6, 3),
        ("A", (1, draw.choice((5, 7))), 3, 6, 3),
        ("B", (draw.choice((3, 5)), 7), 6, 3, 3),
        ("B", draw.choice(((5, 3), (7, 5))), 2, 1, 1),  # half as high is not beyond its width
        ("B", 1, 6, 3 * draw.integer(3, 5), 3),
        ("A", 1, 2, 4, 2),
        ("B", 1, 2, 3, 1),
        *(("A", 3, 3, 6, colors) for colors in (1, 3)),  # one after the other: no mask is kept
    ]


def masks_of_their_own(draw: Draw) -> list[tuple]:
    """Those of `masks` without the last pair, whose masks differ at the middle alone."""
    return masks(draw)[:-2]


def masks_of(one_color: bool) -> Callable[[Draw], list[tuple]]:
    """Those of `masks` with one color, or with more."""
    return lambda draw: [c for c in masks(draw) if ((*c, 1)[4] == 1) == one_color]


def agree_at(where: Callable[[np.ndarray], np.ndarray]) -> Callable[[Any, Any], bool]:
    """Whether masks agree at some places of their kernels, counted from the middle in raster order.

    A mask without a one, or without a zero, agrees only with such a mask, if it has such places.
    """

    def agree(a: np.ndarray, b: np.ndarray) -> bool:
        if a.shape != b.shape:
            return False
        place = (
            np.arange(a[0, 0].size) - a[0, 0].size // 2
        )  # odd sides: the middle is in the middle
        at = where(place)
        if at.any() and (a.any() != b.any() or a.all() != b.all()):
            return False
        return np.array_equal(*(m.reshape(*m.shape[:2], -1)[..., at] for m in (a, b)))

    return agree


def same_form(a: np.ndarray, b: np.ndarray) -> bool:
    """Equal shapes, zeros and ones only, and both of them where the right mask has both."""
    both = (a.any() and not a.all()) or b.all() or not b.any()
    return bool(a.shape == b.shape and both and np.isin(a, (0, 1)).all())


def told_mask(mask: np.ndarray) -> str:
    """The different kernels of a mask, row by row, each with the channels that it connects."""
    if (odd := mask[~np.isin(mask, (0, 1))]).size:
        return f"shape {mask.shape} with the value {odd.flat[0]:g}"
    kernels: dict[str, list[str]] = {}
    for o, i in np.ndindex(mask.shape[:2]):
        rows = "/".join("".join(f"{v:.0f}" for v in row) for row in mask[o, i])
        kernels.setdefault(rows, []).append(f"{i}→{o}")
    told = [
        f"{rows} for channels {', '.join(which[:4])}{' …' * (len(which) > 4)}"
        for rows, which in kernels.items()
    ]
    return f"shape {mask.shape}: {'; '.join(told[:4])}"


def show_mask(kind: str, size: Any, channels_in: int, channels_out: int, colors: int = 1) -> str:
    """A case in words."""
    kernel = "×".join(map(str, pair(size)))
    said = "one color" if colors == 1 else f"{colors} colors"
    return f"kind {kind}, kernel {kernel}, {channels_in} → {channels_out} channels of {said}"


def mask_by_hand(kind: str, size: Any, i: int, o: int, colors: int = 1) -> str:
    """Where the middle is, and who sees whom there."""
    (height, width), sign = pair(size), "<" if kind == "A" else "≤"
    said = "0 " + sign + " 0" if colors == 1 else f"color(in) {sign} color(out)"
    return (
        f"the middle is row {height // 2}, column {width // 2}: {height // 2} rows lie above it, "
        f"{width // 2} entries left of it, all past; itself it is open where {said}"
    )


@checks("conv_mask", lesson=LESSON, points=4, see="Exercise 1: which weights may stay")
def masks_of_a_convolution(conv_mask: Standin, draw: Draw) -> Said:
    """Raster order, and the order of colors at the middle, decide which weights may stay."""
    subject = Subject(
        ask=lambda *case: expect_array(
            conv_mask(*case), (None,) * 4, "any", "the mask"
        ).astype(float),
        rule=mask_by_rule,
        forms=(mask_step_by_step,),
        mistakes=_OF_MASKS,
        show=show_mask,
        told=told_mask,
        by_hand=mask_by_hand,
        smaller=simpler(_SMALL_MASKS),
        drawn=True,
    )  # fmt: skip

    def with_a_high_one(draw: Draw) -> list[tuple]:
        """And one that is more than twice as high as wide, where the function can do with it."""
        high = ("A", (7, 3), 1, 2)
        try:
            subject.ask(*high)
        except (StudentFailed, ValueError):
            return masks_of_their_own(draw)
        return [*masks_of_their_own(draw), high]

    def aspect(id: str, text: str, alike: Callable, cases: Callable, points: float, asks: str):
        needs = "" if id == "form" else "form"
        return Property(id, text, cases, points, asks, typical=False, needs=needs, alike=alike)

    yield from examine(
        subject,
        draw,
        aspect(
            "form",
            "the mask holds zeros and ones, both where both belong, in the shape of the weight: "
            "(out, in, height, width)",
            same_form,
            masks,
            0.5,
            "one entry for each weight of nn.Conv2d, 0 or 1, and both of them wherever the rule "
            "has both; kernels may be higher than wide",
        ),
        aspect(
            "future",
            "no pixel after this one is seen",
            agree_at(lambda place: place > 0),
            with_a_high_one,
            1,
            "ones above the middle and left of it only, whatever kind and colors are",
        ),
        aspect(
            "past",
            "every pixel before this one is seen, in all its colors",
            agree_at(lambda place: place < 0),
            masks_of_their_own,
            1,
            "all columns of the rows above, and the middle row up to the middle",
        ),
        aspect(
            "middle",
            "the middle is hidden by A and shown by B, if there is one color",
            agree_at(lambda place: place == 0),
            masks_of(one_color=True),
            0.5,
            "0 at the middle of A, 1 at the middle of B",
        ),
        aspect(
            "colors",
            "at the middle R sees no color, G sees R, B sees R and G; kind B adds the color itself",
            agree_at(lambda place: place == 0),
            masks_of(one_color=False),
            1,
            "color(i) < color(o) for A, ≤ for B, with color(k) = k mod colors",
        ),
    )


# --- MaskedConv2d ---------------------------------------------------------------------------------

RATE = 0.5  # of the gradient steps here


def convolved(
    layer: Any,
    numbers: dict[str, torch.Tensor],
    x: torch.Tensor,
    *case: Any,
    masked: Callable = lambda weight, mask: weight * mask,
    bias: bool = True,
    padded: Callable = lambda height, width: (height // 2, width // 2),
) -> np.ndarray:
    """(W∘M) * x + b with the height and width of x. Each option turns one thing of it wrong."""
    weight = masked(numbers["weight"], tensor(mask_by_rule(*case)))
    padding = padded(*weight.shape[2:])
    given = numbers["bias"] if bias else None
    return F.conv2d(x.double(), weight, given, padding=padding).numpy()


def _with_border(x: torch.Tensor, height: int, width: int, mode: str) -> torch.Tensor:
    """x with half a kernel of its border's pixels on each side, repeated or mirrored."""
    return F.pad(x, (width // 2,) * 2 + (height // 2,) * 2, mode=mode)


def _around(x: torch.Tensor, height: int, width: int) -> torch.Tensor:
    """x with half a kernel of itself on each side, from the opposite one."""
    rows, columns = (
        np.arange(-(k // 2), n + k // 2) % n
        for k, n in zip((height, width), x.shape[2:], strict=True)
    )
    return x[:, :, rows][..., columns]


_OF_LAYERS = (
    Mistake("mask-unused", "all weights are at work: multiply the weight by the mask",
        options={"masked": lambda weight, mask: weight}),
    Mistake("bias-forgotten", "the bias is missing", options={"bias": False}),
    Mistake("mask-inverted", "the mask keeps what it should remove: a weight stays where the mask "
        "is 1", options={"masked": lambda weight, mask: weight * (1 - mask)}),
    Mistake("mask-for-weight", "the mask itself is the kernel here: it multiplies the weight",
        options={"masked": lambda weight, mask: mask}),
    Mistake("mask-added", "the mask is added: it multiplies the weight, entry by entry",
        options={"masked": lambda weight, mask: weight + mask}),
    Mistake("padding-forgotten", "the image shrinks: height and width stay if it is padded by "
        "self.padding", options={"padded": lambda height, width: (0, 0)}),
    *(Mistake("one-padding-for-both", "height and width are padded by one number: a kernel may be "
        "higher than wide, and self.padding has a number for each", options={"padded": padded})
        for padded in (lambda height, width: (height // 2,) * 2,
            lambda height, width: (width // 2,) * 2)),
    Mistake("padded-too-much", "the image grows: with the kernel less 1 on both sides there are "
        "zeros for twice as many places as needed, and self.padding is half of that",
        options={"padded": lambda height, width: (height - 1, width - 1)}),
    Mistake("padded-around", "what lies beyond the border is taken from the other side of the "
        "image (circular padding), where pixels come later: there should be zeros",
        gives=lambda layer, numbers, x, *case, **wrong: convolved(
            layer, numbers, _around(x, *pair(case[1])), *case,
            **wrong, padded=lambda height, width: (0, 0))),
    *(Mistake("padded-with-the-border", "what lies beyond the border is taken from the pixels next "
        f"to it ({mode} padding): there should be zeros",
        gives=lambda layer, numbers, x, *case, mode=mode, **wrong: convolved(
            layer, numbers, _with_border(x, *pair(case[1]), mode), *case,
            **wrong, padded=lambda height, width: (0, 0))) for mode in ("replicate", "reflect")),
    Mistake("kernel-reversed", "the kernel is turned round, as mathematicians convolve: F.conv2d "
        "takes it as it stands, and mask and weight belong together as they stand",
        options={"masked": lambda weight, mask: (weight * mask).flip(2, 3)}),
    *(Mistake("weights-scaled-up", "what stays is scaled up for what the mask removes, as dropout "
        "does: here weights stay as they are", options={"masked": masked}) for masked in (
            lambda weight, mask: weight * mask / mask.mean((1, 2, 3), keepdim=True).clamp(1e-6),
            lambda weight, mask: weight * mask / mask.mean())),
    *(Mistake("squashed", "a ReLU or another nonlinearity follows: the layer's own output is asked "
        "for, and what comes after it is the network's", after=lambda y, *_, end=end: end(y))
        for end in (lambda y: np.maximum(y, 0), np.tanh)),
    Mistake("kind-ignored", "every layer has the mask of kind A here: hand `kind` on to conv_mask",
        gives=lambda layer, numbers, x, kind, *case, **wrong: convolved(
            layer, numbers, x, "A", *case, **wrong)),
    Mistake("kind-ignored", "every layer has the mask of kind B here: hand `kind` on to conv_mask",
        gives=lambda layer, numbers, x, kind, *case, **wrong: convolved(
            layer, numbers, x, "B", *case, **wrong)),
    Mistake("colors-not-handed-on", "the mask is that of one color: hand `colors` on to conv_mask",
        gives=lambda layer, numbers, x, kind, size, i, o, colors=1, **wrong: convolved(
            layer, numbers, x, kind, size, i, o, **wrong)),
    Mistake("bias-twice", "the bias is added twice",
        after=lambda y, layer, numbers, *_: y + numbers[ "bias"].numpy()[:, None, None]),
)  # fmt: skip


def _layer_of_the_lesson(MaskedConv2d: Standin) -> tuple:
    """The layer of the worked example: W = (2, 5, 7) of kind A on the row (1, 10, 100)."""
    case = ("A", (1, 3), 1, 1)
    layer = made_by(MaskedConv2d, *("A", 1, 1, (1, 3)))
    numbers = {"weight": torch.tensor([[[[2.0, 5.0, 7.0]]]]), "bias": torch.zeros(1)}
    layer.load_state_dict({**_saved_by(layer), **_as_saved(layer, numbers)})
    x = torch.tensor([[[[1.0, 10.0, 100.0]]]])
    return (layer, {name: value.double() for name, value in numbers.items()}, x, *case)


@checks("MaskedConv2d", lesson=LESSON, points=2, see="Exercise 2: a convolution with a mask")
def a_convolution_with_a_mask(MaskedConv2d: Standin, draw: Draw) -> Said:
    """The mask works on every call, and is neither trained nor lost."""
    seed_generators(MaskedConv2d, draw.integer(0, 2**31))

    def layers(draw: Draw) -> list[tuple]:
        """Layers with their first numbers, an image for each, and the arguments of their masks."""
        found = []
        for kind, channels_in, channels_out, size, *colors in (
            ("A", 1, 4, 3),
            ("B", 4, 2, 5, 1),
            ("B", 3, 6, (1, 5), 3),
            ("A", 3, 3, (3, 1), 3),
        ):
            layer = made_by(MaskedConv2d, kind, channels_in, channels_out, size, *colors)
            numbers = _state_of(layer, {"weight", "bias"})
            x = tensor(draw.normal(3, channels_in, 5, 6)).float()
            found.append((layer, numbers, x, kind, size, channels_in, channels_out, *colors))
        return found

    def smaller(layer: Any, numbers: Any, x: torch.Tensor, *case: Any) -> list[tuple]:
        return [_layer_of_the_lesson(MaskedConv2d)] if x.numel() > 3 else []

    right = yield from examine(
        Subject(
            ask=lambda layer, numbers, x, *case: expect_array(layer(x), None, "float", "outputs"),
            rule=convolved,
            mistakes=_OF_LAYERS,
            show=lambda layer, numbers, x, *case: (
                f"{show_mask(*case)}, images {x.shape[2]}×{x.shape[3]}"
                + (f", W = {shown(numbers['weight'])}, x = {shown(x)}" if x.numel() == 3 else "")
            ),
            by_hand=lambda layer, numbers, x, *case: (
                "mask (1, 0, 0): y = (2·0, 2·1, 2·10)" if x.numel() == 3 else ""
            ),
            smaller=smaller,
            alike=lambda a, b: close(a, b, 1e-3),
        ),
        draw,
        Property(
            "output",
            "the output is (W∘M) * x + b, with the height and width of x",
            layers,
            1,
            asks="the mask of conv_mask, entry by entry on the weight; the bias stays whole",
        ),
    )
    text = "the mask holds after a training step, is saved and moved with the layer, never trained"
    if not right:
        yield waiting(text, "outputs of the masked weights", points=1)
        return
    faults = _faults_in_the_life_of(MaskedConv2d, draw)
    _, saw, _, _ = next((fault for fault in faults if fault[0]), (False, "", "", ""))
    yield claim(
        text,
        not saw,
        points=1,
        saw=saw,
        asks='self.register_buffer("mask", …), multiplied in forward',
        advice=[when(seen, name, advice) for seen, _, name, advice in faults],
    )


def _faults_in_the_life_of(MaskedConv2d: Standin, draw: Draw) -> list[tuple[bool, str, str, str]]:
    """(seen?, what was seen, name, advice) of what can befall a mask, the plainest first.

    Weights, images and masks come from here, and so do the outputs after a step of training, and
    after the layer's numbers were saved with another mask, loaded into a new layer and trained.
    """
    layer, untold = (made_by(MaskedConv2d, "A", 2, 4, 3, 1) for _ in range(2))
    rule = mask_by_rule("A", 3, 2, 4).astype(bool)
    other = draw.uniform(*rule.shape) < 0.5
    other[0, 0, 1, 1], other[0, 0, 0, 0] = True, False  # neither what rule has there
    x, probe = (tensor(draw.normal(4, 2, 5, 5)).float() for _ in range(2))
    numbers = {"weight": tensor(draw.normal(*rule.shape)), "bias": tensor(draw.normal(4))}
    numbers = _as_kept(layer, numbers)
    layer.load_state_dict({**_saved_by(layer), **_as_saved(layer, numbers)})

    def answers(of: Any, mask: np.ndarray) -> bool:
        got = expect_array(of(probe), (4, 4, 5, 5), "float", "the output")
        return close(got, _masked(numbers, mask, probe).numpy(), 1e-3)

    gradient_step(untold, x, RATE)  # nobody has loaded anything into it
    gradient_step(layer, x, RATE)
    numbers = _after_a_step(numbers, rule, x)
    holds = answers(layer, rule)
    gradient = weight_gradient(layer, x)
    idle = gradient is None
    if not idle:
        gradient = expect_array(gradient, rule.shape, "float", "the gradient of the weight")
        idle = bool((gradient[rule] == 0).all())
    leaks, by_training = (_sees_itself(one, x) for one in (layer, untold))
    known = _saved_by(layer)
    saved = np.shape(known.get("mask")) == rule.shape
    refused = steady = False
    if saved:
        again, fresh = (made_by(MaskedConv2d, "A", 2, 4, 3, 1) for _ in range(2))
        try:
            again.load_state_dict(known)
            steady = answers(again, rule)
            masks = [name for name in known if name.split(".")[-1] == "mask"]
            new = {name: tensor(other).to(known[name].dtype) for name in masks}
            fresh.load_state_dict({**known, **_as_saved(layer, numbers), **new})
            steady &= answers(fresh, other)
            fresh.requires_grad_(True)
            gradient_step(fresh, x, RATE)
            numbers = _after_a_step(numbers, other, x)
            steady &= answers(fresh, other)
        except StudentFailed:
            refused = True
    # What the student's side says of it: the words rest on it, and no point does alone.
    facts = facts_about_mask(layer)
    facts = facts if isinstance(facts, dict) else {}
    is_parameter, is_buffer, moves = (
        facts.get(k) is True for k in ("parameter", "buffer", "moves")
    )
    saved &= facts.get("saved") is True
    return [
        (
            is_parameter,
            "a mask among the parameters",
            "mask-is-parameter",
            "an nn.Parameter is trained: the optimizer would learn the mask away",
        ),
        (
            by_training,
            "pixels that see themselves after one training step",
            "mask-only-at-init",
            "a training step brings removed weights back: apply the mask in forward, on every call",
        ),
        (
            leaks,
            "pixels that see themselves after other weights were loaded",
            "mask-only-at-init",
            "weights that are loaded bring removed ones back: apply the mask in forward, on every "
            "call",
        ),
        (
            idle,
            "no gradient for the weights",
            "gradient-cut",
            "no gradient reaches the weight: .data and .detach() would cut it off",
        ),
        (
            is_buffer and not saved,
            "a mask that is missing in state_dict",
            "mask-not-persistent",
            "a saved model loses its mask: persistent=False does that",
        ),
        (
            not is_buffer,
            "a mask that is no buffer",
            "mask-plain-attribute",
            "a plain attribute stays behind on .to(device) and is lost on saving: register it as a "
            "buffer, self.mask",
        ),
        (not moves, "a mask that stays behind when the layer moves", "", "keep the buffer itself"),
        (
            refused,
            "a saved state that a new layer refuses",
            "",
            "register the buffer in the constructor",
        ),
        (
            not holds or not steady,
            "other outputs than those of the weights once the layer was trained"
            + (", saved and loaded" if holds else ""),
            "",
            "forward should multiply self.weight by self.mask, whatever both have become",
        ),
    ]


def _sees_itself(layer: Any, x: torch.Tensor) -> bool:
    """Whether outputs of a layer of kind A change with a pixel that does not lie before them."""
    moved = torch.clone(x)
    moved[:, :, 2, 2:] += 1
    before, after = (
        expect_array(layer(image), (4, 4, 5, 5), "float", "the output") for image in (x, moved)
    )
    changed = before != after
    return bool(changed[:, :, 2, :3].any() or changed[:, :, :2].any())


def _saved_by(layer: Any) -> dict[str, torch.Tensor]:
    """The tensors of the layer's state_dict; empty if it is none."""
    state = layer.state_dict()
    state = state if isinstance(state, dict) else {}
    return {name: value for name, value in state.items() if isinstance(value, torch.Tensor)}


def _plain(name: str) -> str:
    """The name of a parameter, if another one is computed from it on every call.

    What torch's weight_norm keeps, new or old, is called weight_g (lengths) and weight_v.
    """
    for end, plain in (("", ""), ("0", "_g"), ("1", "_v")):
        name = re.sub(rf"parametrizations\.(\w+)\.original{end}$", rf"\1{plain}", name)
    return name


def _length(v: torch.Tensor, g: torch.Tensor) -> torch.Tensor:
    """‖v‖ in the shape of the lengths g."""
    axes = [axis for axis in range(g.ndim) if g.shape[axis] == 1]
    return torch.linalg.vector_norm(v, dim=axes, keepdim=True)


def _with_weights(state: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """The state, and the weights g · v / ‖v‖ of which it keeps a length and a direction (Salimans
    and Kingma, 2016, "Weight Normalization", equation 2)."""
    found = {}
    for name, g in state.items():
        stem = name.removesuffix("_g")
        v = state.get(f"{stem}_v")
        if stem != name and v is not None and g.ndim == v.ndim:
            found[stem] = g * v / _length(v, g)
    return {**state, **found}


def _as_kept(layer: Any, numbers: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """The numbers with the weight as weight_g and weight_v, if the layer keeps it so."""
    g = {_plain(name): value for name, value in _saved_by(layer).items()}.get("weight_g")
    if g is None:
        return numbers
    weight = numbers["weight"]
    rest = {name: value for name, value in numbers.items() if name != "weight"}
    return {"weight_g": _length(weight, g), "weight_v": weight, **rest}


def _as_saved(layer: Any, numbers: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """The numbers in single precision, under the names that the layer has for them."""
    named = {_plain(name): name for name in _saved_by(layer)}
    kept = _as_kept(layer, numbers) if "weight" in numbers else numbers
    return {named.get(name, name): value.float() for name, value in kept.items()}


def _masked(numbers: dict[str, torch.Tensor], mask: np.ndarray, x: torch.Tensor) -> torch.Tensor:
    """(W∘M) * x + b in double precision, with the height and width of x."""
    weight = _with_weights(numbers)["weight"] * tensor(mask).double()
    return F.conv2d(x.double(), weight, numbers["bias"], padding=mask.shape[-1] // 2)


def _after_a_step(
    numbers: dict[str, torch.Tensor], mask: np.ndarray, x: torch.Tensor
) -> dict[str, torch.Tensor]:
    """The numbers after a step of gradient descent on the mean square of the outputs."""
    given = {name: value.clone().requires_grad_() for name, value in numbers.items()}
    with torch.enable_grad():
        slopes = torch.autograd.grad(_masked(given, mask, x).pow(2).mean(), list(given.values()))
    return {n: numbers[n] - RATE * slope for n, slope in zip(given, slopes, strict=True)}


def _state_of(module: Any, names: Iterable[str]) -> dict[str, torch.Tensor]:
    """The module's parameters `names` in double precision; one sentence if one is missing."""
    state = _saved_by(module)
    if not state:
        try:
            state = {name: value for name, value in module.named_parameters()}
        except StudentFailed:
            state = {}
    state = _with_weights({_plain(name): value for name, value in state.items()})
    if missing := sorted(set(names) - set(state)):
        raise WrongKind(f"the layer {missing[0]} of the given constructor should stay: it is gone")
    return {
        name: torch.tensor(expect_array(state[name], None, "float", name)).double()
        for name in names
    }


# --- receptive_field ------------------------------------------------------------------------------

Field = set[tuple[int, int]]


def sums_of_offsets(
    layers: Sequence[tuple[str, int]],
    *,
    kinds: str = "AB",
    reach: Callable[[int], int] = lambda size: size // 2,
    row: Callable[[int, int, str], bool] = lambda c, p, kind: c < 0 or (c == 0 and kind == "B"),
    rows: Callable[[int], range] = lambda p: range(-p, 0),
    above: Callable[[int], bool] = lambda c: True,
    below: bool = False,
    first_only: bool = False,
    union: bool = False,
) -> Field:
    """The receptive field of a plain stack. Each option turns one thing of it wrong.

    `row(column, reach, kind)` says whether a place of the pixel's own row is seen.
    """
    field = {(0, 0)}
    for place, (kind, size) in enumerate(layers):
        kind, p = kinds["AB".index(kind)], reach(size)
        layer = {(r, c) for r in rows(p) for c in range(-p, p + 1) if above(c)}
        layer |= {(0, c) for c in range(-p, p + 1) if row(c, p, kind)}
        if below:
            layer = {(r, c) for r in range(-p, p + 1) for c in range(-p, p + 1)}
        if union:
            field = layer if place == 0 else field | layer
        elif not (first_only and place):
            field = {(a + c, b + d) for a, b in field for c, d in layer}
    return field


def sums_step_by_step(layers: Sequence[tuple[str, int]]) -> Field:
    """The same as `sums_of_offsets`, layer by layer."""
    field = {(0, 0)}
    for kind, size in layers:
        p = size // 2
        above = {(r, c) for r in range(-p, 0) for c in range(-p, p + 1)}
        left = {(0, c) for c in range(-p, 1 if kind == "B" else 0)}
        field = {(a + c, b + d) for a, b in field for c, d in above | left}
    return field


def whole_window(layers: Sequence[tuple[str, int]]) -> Field:
    """Everything before the pixel that lies in the window of a stack."""
    s = sum(size // 2 for _, size in layers)
    field = {(r, c) for r in range(-s, 0) for c in range(-s, s + 1)} | {
        (0, c) for c in range(-s, 0)
    }
    return field | (set() if any(kind == "A" for kind, _ in layers) else {(0, 0)})


def _sums_of(fields: Sequence[Field]) -> Field:
    """Every sum of one offset of each."""
    field = {(0, 0)}
    for layer in fields:
        field = {(a + c, b + d) for a, b in field for c, d in layer}
    return field


_OF_FIELDS = (
    # What keeps the field before a layer beside the sums gives the same: (0, 0) is added to it.
    Mistake("kind-ignored-B", "a stack that begins with A never sees its own pixel: a layer of "
        "kind A does not have the offset (0, 0), and the field before a layer does not stay beside "
        "the sums", options={"kinds": "BB"}),
    *(Mistake("own-pixel-taken-out", "(0, 0) is missing where no layer is of kind A: a stack of B "
        "alone does see its own pixel. Each layer's own kind decides: not its place in the stack, "
        "and nothing is to be taken out at the end", after=after) for after in (
            lambda field, layers: field - {(0, 0)},
            lambda field, layers: field - {(0, 0)} or field)),
    Mistake("kind-ignored-A", "a layer of kind B has the offset (0, 0) too: without it the "
        "nearest past gets lost", options={"kinds": "AA"}),
    Mistake("kinds-swapped", "A and B have changed places: a layer of kind B has the offset (0, "
        "0), one of kind A not", options={"kinds": "BA"}),
    Mistake("first-layer-only", "this is the field of the first layer: each further layer adds "
        "its offsets to all of them", options={"first_only": True}),
    Mistake("first-layer-lost", "the first layer is left out: the field before it is {(0, 0)}, and "
        "EVERY layer's offsets are added", gives=lambda layers, **wrong: sums_of_offsets(
            layers[1:], **wrong)),
    Mistake("last-layer-lost", "the last layer is left out: EVERY layer's offsets are added",
        gives=lambda layers, **wrong: sums_of_offsets(layers[:-1], **wrong)),
    Mistake("last-layer-only", "this is the field of the last layer: its offsets are added to all "
        "of those before it", gives=lambda layers: sums_of_offsets(layers[-1:])),
    Mistake("right-column-lost", "the last column on the right is missing in the rows above: they "
        "reach from −p to p, and range(−p, p) ends before p",
        gives=lambda layers, **wrong: _sums_of(
            [sums_of_offsets([layer], **wrong) - {
                (r, layer[1] // 2) for r in range(-layer[1], 0)} for layer in layers])),
    Mistake("union-for-sum", "you unite the layers' offsets: they ADD, each sum of one offset of "
        "each layer", options={"union": True}),
    Mistake("right-visible", "in the row 0 nothing right of the middle is seen",
        options={"row": lambda c, p, kind: c or kind == "B"}),
    Mistake("row-forgotten", "in the row 0 what lies left of the pixel is seen as well",
        options={"row": lambda c, p, kind: c == 0 and kind == "B"}),
    Mistake("mask-forgotten", "these are the offsets of ordinary convolutions: the mask removes "
        "the rows below and half of the middle row", options={"below": True}),
    Mistake("blind-spot-unnoticed", "this is the whole window before the pixel: a plain stack "
        "does not see all of it, since one column to the right costs one row up",
        gives=whole_window),
    *(Mistake("size-for-reach", "a kernel of size k reaches k // 2 pixels to each side, and yours "
        "reaches further", options={"reach": reach}) for reach in (
            lambda size: size - 1, lambda size: size, lambda size: size // 2 + 1)),
    *(Mistake("upper-left-only", "of the rows above ALL columns are past: the right ones are "
        "missing, and raster order is not 'upper left'", options={"above": above}) for above in (
            lambda c: c <= 0, lambda c: c < 0)),
    Mistake("fixed-window", "the field ends where it should go on: a large stack sees further, and "
        "no size is given beforehand",
        gives=lambda layers: {(r, c) for r, c in sums_of_offsets(layers) if max(-r, abs(c)) < 6}),
    Mistake("nothing-to-begin-with", "the field stays empty, whatever the layers: sums need an "
        "offset to begin with, and that is (0, 0)", gives=lambda layers: set()),
    Mistake("rows-below", "the rows BELOW are taken, 1 … p: the past lies above, rows −p … −1",
        options={"rows": lambda p: range(1, p + 1)}),
    Mistake("rows-above-lost", "the rows above are missing: they are all past, −p … −1",
        options={"rows": lambda p: range(0)}),
    Mistake("row-above-lost", "the row just above is missing: range(−p, −1) ends before −1",
        options={"rows": lambda p: range(-p, -1)}),
    Mistake("top-row-lost", "the topmost row, −p, is missing", options={
        "rows": lambda p: range(-p + 1, 0)}),
    Mistake("first-kind-for-all", "every layer is taken for the kind of the first: each has its "
        "own, and only A hides the middle",
        gives=lambda layers, **wrong: sums_of_offsets(
            [(layers[0][0], size) for _, size in layers], **wrong)),
    Mistake("empty-for-no-layers", "without a layer nothing is seen at all: the field is the "
        "pixel itself then, {(0, 0)}, with which the sums begin",
        gives=lambda layers: sums_of_offsets(layers) if layers else set()),
    Mistake("cone-for-sums", "all kernels are treated as 3×3: a larger one takes more than one "
        "column to the right for each row up",
        gives=lambda layers: {(r, c) for r, c in whole_window(layers) if r == 0 or c <= -r}),
    Mistake("rows-and-columns-swapped", "rows and columns have changed places: an offset is "
        "(rows, columns), up is negative", after=lambda field, layers: {(c, r) for r, c in field}),
    Mistake("sign", "the signs are turned: the past lies at rows below zero, or in row 0 at "
        "columns below zero", after=lambda field, layers: {(-r, -c) for r, c in field}),
)  # fmt: skip
_SMALL_STACKS = [([*layers],) for layers in (
    [], [("A", 1)], [("B", 1)], [("A", 3)], [("B", 3)], [("A", 3), ("B", 3)], [("B", 3), ("B", 3)],
    [("A", 3), ("B", 3), ("B", 3)],
)]  # fmt: skip


def told_field(field: Field) -> str:
    """How many offsets, and which: row by row."""
    rows: dict[int, list[int]] = {}
    for r, c in sorted(field):
        rows.setdefault(r, []).append(c)
    told = [
        f"row {r}: " + (
            f"{cs[0]} … {cs[-1]}" if len(cs) > 2 and cs[-1] - cs[0] == len(cs) - 1
            else ", ".join(map(str, cs[:8]))
        )
        for r, cs in rows.items()
    ]  # fmt: skip
    return f"{len(field)} offsets" + (f" ({'; '.join(told[-6:])})" if told else "")


def field_by_hand(layers: Sequence[tuple[str, int]]) -> str:
    """One layer's offsets in words, or one sum of two layers' offsets."""
    if not layers:
        return "no step at all: (0, 0)"
    if len(layers) == 1:
        p, kind = layers[0][1] // 2, layers[0][0]
        here = "(0, 0), since B shows the middle" if kind == "B" else "not (0, 0), since A hides it"
        return f"{p} rows above, {2 * p + 1} columns each; {p} columns left in row 0; {here}"
    return "each sum of one offset of each layer, such as (−1, 1) + (−1, 1) = (−2, 2)"


@checks("receptive_field", lesson=LESSON, points=3, see="Exercise 3: how far does a stack see?")
def offsets_of_a_stack(receptive_field: Standin, draw: Draw) -> Said:
    """Offsets of layers add."""

    def ask(layers: list[tuple[str, int]]) -> Field:
        got = untouched(receptive_field)([*layers])
        if isinstance(got, np.ndarray | torch.Tensor):
            got = expect_array(got, (None, 2), "int", "the offsets").tolist()
        try:
            return {(int(r), int(c)) for r, c in got}
        except (TypeError, ValueError, OverflowError):
            raise WrongKind(
                "receptive_field should return a set of pairs of ints (rows, columns)"
            ) from None

    def single(draw: Draw) -> list[tuple]:
        drawn = [(draw.choice("AB"), 3), *((kind, draw.choice((5, 7))) for kind in "AB")]
        return [([layer],) for layer in (*drawn, ("A", 3))]

    def several(draw: Draw) -> list[tuple]:
        return [
            ([("A", 3), ("B", 3)],),
            ([("A", draw.choice((5, 7)))] + [("B", 3)] * draw.integer(2, 4),),
            ([("A", 3), ("A", draw.choice((3, 5))), ("B", 5)],),
            ([("B", 3)] * draw.integer(2, 3),),
            ([("A", 3), ("B", 5), ("B", 1), ("B", 7)],),
        ]

    def deep_and_none(draw: Draw) -> list[tuple]:
        return [([("A", 3)] + [("B", 3)] * draw.integer(9, 13),), ([],), ([("A", 1)],)]

    yield from examine(
        Subject(
            ask=ask,
            rule=sums_of_offsets,
            forms=(sums_step_by_step,),
            mistakes=_OF_FIELDS,
            show=lambda layers: f"{layers}" if len(layers) < 6 else f"{len(layers)} layers of 3×3",
            told=told_field,
            by_hand=field_by_hand,
            smaller=simpler(_SMALL_STACKS),
            alike=lambda a, b: a == b,
        ),
        draw,
        Property(
            "layer",
            "one layer sees the offsets at which its mask is 1",
            single,
            points=1,
            asks="rows −p … −1 over columns −p … p, and the row 0 up to the pixel; (0, 0) for B "
            "only",
        ),
        Property(
            "stack",
            "two layers see every sum of one offset of each, and so on",
            several,
            points=1.5,
            asks="eleven offsets for a 3×3 layer of kind A below one of kind B",
            needs="layer",
        ),
        Property(
            "blind-spot",
            "a deep stack keeps its blind spot, and no layer at all sees its own pixel",
            deep_and_none,
            points=0.5,
            asks="one column to the right costs one row up, at any depth; no layer, no step",
            typical=False,
            needs="stack",
        ),
    )


# --- GatedBlock -----------------------------------------------------------------------------------

_LAYERS = tuple(
    f"{layer}.{kind}"
    for layer in ("vertical", "down", "across", "out")
    for kind in ("weight", "bias")
)


def gated(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """tanh(a) · σ(b)."""
    return torch.tanh(a) * torch.sigmoid(b)


def block_by_rule(
    block: Any,
    state: dict[str, torch.Tensor],
    v: torch.Tensor,
    h: torch.Tensor,
    kind: str,
    colors: int = 1,
    *,
    below: Callable = lambda v, h: v,
    padded: Callable = lambda p: (p, p, p, 0),
    gate: Callable = gated,
    gate_vertical: bool = True,
    gate_horizontal: bool = True,
    shift: int = 1,
    moved: Callable = lambda u, shift: F.pad(u, (0, 0, shift, -shift)),  # negative: cut off
    top: Callable = lambda bias: 0 * bias,
    halves: Callable = lambda channels: channels.chunk(2, 1),
    handed_down: Callable = lambda u, new_v: u,
    bias_shifted: bool = False,
    down: bool = True,
    through: bool = True,
    across: bool = True,
    reads: Callable = lambda v, h: h,
    out: bool = True,
    inside: bool = False,
    residual: Callable = lambda kind, h: h if kind == "B" else 0,
) -> np.ndarray:
    """(v', h') of one gated block, one upon the other, from its parameters in double precision.

    Each option turns one thing of it wrong; a pair of gates, or of halves, is for the two stacks.
    """
    p = state["across.weight"].shape[3] // 2
    shape, gates = state["across.weight"].shape, gate if isinstance(gate, tuple) else (gate,) * 2
    mask = tensor(mask_by_rule(kind, (1, shape[3]), shape[1], shape[0], colors))
    mixing = tensor(mask_by_rule("B", 1, shape[0] // 2, shape[0] // 2, colors))
    u = F.conv2d(F.pad(below(v, h), padded(p)), state["vertical.weight"], state["vertical.bias"])
    cut = halves if isinstance(halves, tuple) else (halves,) * 2
    new_v = gates[0](*cut[0](u)) if gate_vertical else u.chunk(2, 1)[0]
    going = handed_down(u, new_v)
    if bias_shifted:
        going = F.conv2d(going, state["down.weight"], state["down.bias"])
        going = moved(going, shift)
    else:
        going = moved(going, shift)
        going[:, :, :1] += top(state["vertical.bias"])[:, None, None]
        if through:
            going = F.conv2d(going, state["down.weight"], state["down.bias"])
    w = F.conv2d(reads(v, h), state["across.weight"] * mask, state["across.bias"], padding=(0, p))
    w = (w if across else 0) + (going if down else 0)
    new_h = gates[1](*cut[1](w)) if gate_horizontal else w.chunk(2, 1)[0]
    if inside:
        new_h = new_h + residual(kind, h)
    if out:
        new_h = F.conv2d(new_h, state["out.weight"] * mixing, state["out.bias"])
    return torch.cat([new_v, new_h if inside else new_h + residual(kind, h)], 1).numpy()


def block_step_by_step(
    block: Any,
    state: dict[str, torch.Tensor],
    v: torch.Tensor,
    h: torch.Tensor,
    kind: str,
    colors: int = 1,
) -> np.ndarray:
    """The same as `block_by_rule`, in one line a step."""
    (C, D, _, size), p = state["across.weight"].shape, state["across.weight"].shape[3] // 2
    across = state["across.weight"] * tensor(mask_by_rule(kind, (1, size), D, C, colors))
    out = state["out.weight"] * tensor(mask_by_rule("B", 1, C // 2, C // 2, colors))
    u = F.conv2d(F.pad(v, (p, p, p, 0)), state["vertical.weight"], state["vertical.bias"])
    above = F.pad(u, (0, 0, 1, 0))[:, :, :-1]
    a, b = u.chunk(2, dim=1)
    new_v = torch.tanh(a) * torch.sigmoid(b)
    here = F.conv2d(h, across, state["across.bias"], padding=(0, p))
    a, b = (here + F.conv2d(above, state["down.weight"], state["down.bias"])).chunk(2, dim=1)
    new_h = F.conv2d(torch.tanh(a) * torch.sigmoid(b), out, state["out.bias"])
    new_h = h + new_h if kind == "B" else new_h
    return torch.cat([new_v, new_h], 1).numpy()


def _changed_places(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    return torch.sigmoid(a) * torch.tanh(b)


def _half_relu(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    return torch.relu(a) * torch.sigmoid(b)


def _halves(w: torch.Tensor) -> tuple[torch.Tensor, ...]:
    return w.chunk(2, 1)


def _in_turn(w: torch.Tensor) -> tuple[torch.Tensor, ...]:
    return w[:, ::2], w[:, 1::2]


_OF_BLOCKS = (
    Mistake("unshifted", "the vertical features go down unshifted: at row r they have seen row r "
        "itself, the pixel and what comes after it", options={"shift": 0}),
    Mistake("shifted-up", "the vertical features are shifted UP: row r gets what the next row "
        "knows, the pixel and what comes after it included", options={"shift": -1}),
    Mistake("shifted-twice", "the vertical features are shifted by two rows: the row just above "
        "is lost", options={"shift": 2}),
    Mistake("rolled", "what the last row knows comes to the top, as torch.roll brings it, where "
        "nothing lies above: there should be zeros",
        options={"moved": lambda u, shift: torch.roll(u, shift, 2)}),
    Mistake("shifted-sideways", "the vertical features are shifted by one COLUMN: the rows are the "
        "last axis but one", options={"moved": lambda u, shift: F.pad(u, (shift, -shift))}),
    Mistake("bias-above", "above row 0 stands the bias of `vertical`, as if a row of zeros had "
        "gone through it: u itself is zero there",
        options={"top": lambda bias: bias}),
    Mistake("vertical-shifted", "v' at row r does not see row r: what is shifted is u on its way "
        "down, and not the vertical stack",
        options={"padded": lambda p: (p, p, p + 1, -1), "shift": 0}),
    Mistake("vertical-shifted", "v' at row r does not see row r, and what goes down is shifted "
        "once more: one shift, of u on its way down",
        options={"padded": lambda p: (p, p, p + 1, -1)}),
    Mistake("halves-interleaved", "a is the first half of the channels, b the second: yours take "
        "turns", options={"halves": _in_turn}),
    Mistake("padded-below", "the zeros for the vertical stack stand BELOW the image: row r sees "
        "the rows that come after it", options={"padded": lambda p: (p, p, 0, p)}),
    Mistake("bias-shifted", "`down` comes before the shift here, so that the zeros on top replace "
        "its bias too: shift u, then take `down` of it", options={"bias_shifted": True}),
    Mistake("taken-after-gating", "what goes down is taken after the gate: take u, with its 2C "
        "channels", options={"handed_down": lambda u, new_v: torch.cat([new_v, new_v], 1)}),
    Mistake("gates-swapped", "tanh and σ have changed places: the first half goes through tanh, "
        "the second is the gate", options={"gate": _changed_places}),
    *(Mistake("gates-swapped", f"tanh and σ have changed places in the {stack} stack: the first "
        "half goes through tanh, the second is the gate", options={"gate": gates})
        for stack, gates in (
            ("vertical", (_changed_places, gated)), ("horizontal", (gated, _changed_places)))),
    *(Mistake("halves-interleaved", f"in the {stack} stack a is the first half of the channels, b "
        "the second: yours take turns", options={"halves": halves})
        for stack, halves in (
            ("vertical", (_in_turn, _halves)), ("horizontal", (_halves, _in_turn)))),
    Mistake("no-gate", "the gate is missing: multiply by σ of the second half",
        options={"gate": lambda a, b: torch.tanh(a)}),
    Mistake("relu-for-gate", "this is a ReLU: a gate is tanh(a) · σ(b)",
        options={"gate": lambda a, b: torch.relu(a)}),
    Mistake("relu-for-tanh", "the first half goes through a ReLU: a gate is tanh(a) · σ(b)",
        options={"gate": lambda a, b: torch.relu(a) * torch.sigmoid(b)}),
    *(Mistake("relu-for-tanh", f"in the {stack} stack the first half goes through a ReLU: a gate "
        "is tanh(a) · σ(b)", options={"gate": gates})
        for stack, gates in (
            ("vertical", (_half_relu, gated)), ("horizontal", (gated, _half_relu)))),
    Mistake("relu-for-sigmoid", "the second half goes through a ReLU: a gate is tanh(a) · σ(b), "
        "and σ lies in 0 … 1", options={"gate": lambda a, b: torch.tanh(a) * torch.relu(b)}),
    Mistake("gates-added", "the two halves are added: they multiply, one says what and the other "
        "how much of it", options={"gate": lambda a, b: torch.tanh(a) + torch.sigmoid(b)}),
    Mistake("linear-gate", "tanh is missing: a gate is tanh(a) · σ(b)",
        options={"gate": lambda a, b: a * torch.sigmoid(b)}),
    Mistake("sigmoid-twice", "the first half goes through tanh, in −1 … 1: σ is the gate alone",
        options={"gate": lambda a, b: torch.sigmoid(a) * torch.sigmoid(b)}),
    Mistake("tanh-twice", "the gate of the second half is σ, in 0 … 1",
        options={"gate": lambda a, b: torch.tanh(a) * torch.tanh(b)}),
    Mistake("vertical-ungated", "the new vertical features come without their gate",
        options={"gate_vertical": False}),
    Mistake("horizontal-ungated", "the new horizontal features come without their gate",
        options={"gate_horizontal": False}),
    Mistake("horizontal-feeds-vertical", "the vertical stack reads h: it inherits the horizontal "
        "stack's narrow view, and with it a blind spot", options={"below": lambda v, h: h}),
    Mistake("horizontal-feeds-vertical", "the vertical stack reads h as well as v: the horizontal "
        "stack never speaks to it", options={"below": lambda v, h: v + h}),
    Mistake("nothing-handed-down", "the vertical stack hands nothing down: the horizontal one "
        "sees its own row only", options={"down": False}),
    Mistake("down-forgotten", "what goes down is added as it is: the 1×1 convolution `down` is "
        "missing", options={"through": False}),
    Mistake("row-forgotten", "the horizontal stack does not look at its own row",
        options={"across": False}),
    Mistake("across-reads-v", "`across` reads v: it works on the horizontal features, h, and what "
        "it should know of v comes down, shifted", options={"reads": lambda v, h: v}),
    Mistake("out-forgotten", "the 1×1 convolution `out` is missing", options={"out": False}),
    Mistake("residual-before-out", "h is added before `out`, and goes through it: it is added to "
        "what `out` gives", options={"inside": True}),
    Mistake("stacks-swapped", "the two have changed places: a block returns (v, h)",
        after=lambda both, *_: np.concatenate(np.split(both, 2, 1)[::-1], 1)),
    Mistake("residual-forgotten", "a block of kind B adds its input h to the result",
        options={"residual": lambda kind, h: 0}),
    *(
        Mistake("residual-in-A", "h is added in a block of kind A too, which shows each pixel to "
            "itself: only kind B has this residual", options={"residual": added})
        for added in (
            lambda kind, h: h,
            lambda kind, h: h if kind == "B" else h.mean(1, keepdim=True),
        )
    ),
    Mistake("residual-averaged", "the mean over the channels of h is added, and in kind A too: "
        "kind B adds h itself, A nothing",
        options={"residual": lambda kind, h: h.mean(1, keepdim=True)}),
    Mistake("residual-of-vertical", "both stacks add their input: only the horizontal one has a "
        "residual, in kind B",
        after=lambda both, block, state, v, h, kind, *_: (
            both + np.concatenate([v, 0 * v], 1) if kind == "B" else both)),
)  # fmt: skip


def _told_block(answer: np.ndarray) -> str:
    """Both stacks in numbers, the last rows first to be told: the top row has nothing above it."""
    v, h = np.split(answer, 2, axis=1)
    return f"v' = {shown(v[:, :, ::-1].reshape(-1))}, h' = {shown(h[:, :, ::-1].reshape(-1))}"


def _block_by_hand(
    block: Any, state: dict, v: torch.Tensor, h: torch.Tensor, kind: str, colors: int = 1
) -> str:
    """The table of the lesson, line by line, for a block of one channel with a kernel of 1."""
    if state["across.weight"].numel() > 2:
        return ""
    n = {name: value.reshape(-1).tolist() for name, value in state.items()}
    (top, last), (_, here) = v.reshape(-1).tolist(), h.reshape(-1).tolist()
    u = [[n["vertical.weight"][k] * x + n["vertical.bias"][k] for k in (0, 1)] for x in (top, last)]
    w = [
        n["across.bias"][k]
        + (n["across.weight"][k] * here if kind == "B" else 0)
        + sum(n["down.weight"][2 * k + j] * u[0][j] for j in (0, 1))
        + n["down.bias"][k]
        for k in (0, 1)
    ]
    gate = math.tanh(w[0]) / (1 + math.exp(-w[1]))
    return (
        f"row 2: u = ({u[1][0]:.3g}, {u[1][1]:.3g}), and above it ({u[0][0]:.3g}, {u[0][1]:.3g}); "
        f"v' = tanh({u[1][0]:.3g}) · σ({u[1][1]:.3g}); w = ({w[0]:.3g}, {w[1]:.3g}), gate "
        f"{gate:.3g}, out {n['out.weight'][0]:.3g} · {gate:.3g} + {n['out.bias'][0]:.3g}"
        + (f", plus h = {here:.3g}" if kind == "B" else "")
    )


def _block_with_numbers(GatedBlock: Standin, draw: Draw, shape: tuple, *case: Any) -> tuple:
    """(block, its numbers, v, h, kind[, colors]) of `GatedBlock(*case)` on images of a shape."""
    kind, channels_in, channels, size, *colors = case
    block = made_by(GatedBlock, *case)
    randomize_parameters(block, draw.rng)
    state = _state_of(block, _LAYERS)
    p = size // 2
    for name, wanted in {
        "vertical": (2 * channels, channels_in, p + 1, size),
        "down": (2 * channels, 2 * channels, 1, 1),
        "across": (2 * channels, channels_in, 1, size),
        "out": (channels, channels, 1, 1),
    }.items():
        if (found := tuple(state[f"{name}.weight"].shape)) != wanted:
            raise WrongKind(
                f"the layer {name} should stay as the constructor gave it, with weights {wanted}: "
                f"got {found}"
            )
    v, h = (tensor(draw.normal(2, channels_in, *shape)) for _ in "vh")
    return (block, state, v, h, kind, *colors)


@checks("GatedBlock", lesson=LESSON, points=4, see="Exercise 4: two stacks and no blind spot")
def two_stacks_with_gates(GatedBlock: Standin, draw: Draw) -> Said:
    """The horizontal stack gets the rows above from the vertical one, and no more."""
    seed_generators(GatedBlock, draw.integer(0, 2**31))
    leaks, gaps, alive, mixing, where = _seen_by_blocks(GatedBlock, draw)
    yield claim(
        "no feature sees what it may not: v' only v, down to its own row; h' only the rows of v "
        "above it, and h to the left",
        alive and not leaks and not mixing,
        id="no-leak",
        points=1.5,
        saw=leaks
        or ("rows of a batch that see each other" if mixing else "a stack that never changes"),
        asks="h at row r sees rows of v above r, and of h only what lies left (kind B: and itself)",
        advice=[
            when(
                "later" in where and "v' sees h" not in where,
                "own-row-handed-down",
                "h at row r changes with row r of v, the pixel and what comes after it: what comes "
                "down to row r may know the rows above it only",
            ),
            when(
                where == {"beside"},
                "own-row-of-v",
                "h at row r changes with row r of v: what it knows of its own row it has from h "
                "alone",
            ),
            "",
        ],
    )
    yield claim(
        "no feature loses what it may see: all columns of the rows above, and the row to the left",
        alive and not gaps,
        points=1.5,
        saw=gaps or "a stack that never changes",
        asks="h sees reach + 1 rows of v above it, reach columns to both sides; v as many rows, "
        "its own included",
    )

    def blocks(draw: Draw) -> list[tuple]:
        cases = (("B", 4, 4, 3), ("A", 1, 3, 5, 1), ("B", 6, 6, 5, 3), ("A", 3, 3, 3, 3))
        return [_block_with_numbers(GatedBlock, draw, (5, 6), *case) for case in cases]

    def smaller(block: Any, state: dict, v: torch.Tensor, *_: Any) -> Iterator[tuple]:
        if v.shape[2] > 2:
            for kind in "AB":
                one = _block_with_numbers(GatedBlock, Draw(0, kind), (2, 1), kind, 1, 1, 1)
                yield (*one[:2], *(x[:1] for x in one[2:4]), kind)

    right = yield from examine(
        Subject(
            ask=lambda block, state, v, h, *_: _both_stacks(
                untouched(block, GatedBlock)(v.float(), h.float())
            ).numpy(),
            rule=block_by_rule,
            forms=(block_step_by_step,),
            mistakes=_OF_BLOCKS,
            show=lambda block, state, v, h, kind, colors=1: (
                f"kind {kind}, {v.shape[1]} channels of {colors} color{'s' * (colors > 1)}"
                + (f", v = {shown(v.reshape(-1))}, h = {shown(h.reshape(-1))}"
                   if v.numel() == 2 else "")
            ),
            told=_told_block,
            by_hand=_block_by_hand,
            smaller=smaller,
            alike=lambda a, b: close(a, b, 1e-3),
        ),
        draw,
        Property(
            "values",
            "v' = gate(u), h' = out(gate(across(h) + down(u shifted))), plus h in kind B",
            blocks,
            points=1,
            asks="gate(a, b) = tanh(a) · σ(b), a the first half of the channels",
            typical=False,
        ),
    )  # fmt: skip
    if right:
        block, x = made_by(GatedBlock, "B", 2, 2, 3), tensor(draw.normal(2, 2, 4, 4)).float()
        uncut(GatedBlock, lambda: not_behind_h(block, x))


def _seen_by_blocks(GatedBlock: Standin, draw: Draw) -> tuple[str, str, bool, bool, set[str]]:
    """What blocks see: the first leak and gap in words, life in both stacks, mixing, and which
    leaks: h' sees v "later" in its own row, or "beside" itself, "v' sees h", or "others".
    """
    leak, gap, alive, mixing, where = "", "", True, False, set()
    for kind, channels_in, channels, size, colors in (
        ("B", 2, 2, 3, 1),
        ("A", 3, 3, draw.choice((3, 5)), 3),
        ("B", 3, 3, 3, 3),
    ):
        block = made_by(GatedBlock, kind, channels_in, channels, size, colors)
        height, width = 4, 5
        allowed = _allowed_in_block(kind, channels_in, channels, size // 2, colors, height, width)
        seen = dependency_map(
            block,
            tensor(draw.normal(2, 2 * channels_in, height, width)),
            "normal",
            call=lambda m, x, c=channels_in: _both_stacks(m(x[:, :c], x[:, c:])),
            expected=allowed,
            seed=draw.integer(0, 2**31),
            most_draws=8,
        )
        if seen.sees.shape != allowed.shape:
            raise WrongKind(
                f"GatedBlock should return (v, h), each with {channels} channels and the height "
                "and width of its input"
            )
        mixing |= seen.rows_mix
        alive &= all(stack.any() for stack in np.split(seen.sees, 2))

        def spots(edges: np.ndarray, channels: int = channels, channels_in: int = channels_in):
            for o, i in edges:
                yield _spot(o, channels, 4, 5) + _spot(i, channels_in, 4, 5)

        # What lies farther back than the kernel reaches is past: the formula is wrong then.
        late = [s for s in spots(seen.forbidden(allowed)) if not _farther_back(*s)]
        lost = list(spots(seen.missing(allowed)))
        if kind == "B":  # of one size, so that names do not depend on the draw
            where |= {_kind_of_leak(*s) for s in late}
        if late and not leak:
            leak = _edge(late[0], kind, size, "changes with")
        if lost and not gap:
            gap = _edge(lost[0], kind, size, "never changes with")
    return leak, gap, alive, mixing, where


def _farther_back(a: str, k: int, r: int, c: int, b: str, j: int, s: int, d: int) -> bool:
    """Whether a feature at (r, c) may know what it sees at (s, d), however far it lies."""
    if (a, b) == ("h", "h"):
        return s == r and d < c
    return b == "v" and (s <= r if a == "v" else s < r)


def _kind_of_leak(a: str, k: int, r: int, c: int, b: str, j: int, s: int, d: int) -> str:
    if (a, b) == ("v", "h"):
        return "v' sees h"
    return ("later" if d > c else "beside") if (a, b, s) == ("h", "v", r) else "others"


def _both_stacks(answer: Any) -> Any:
    if not isinstance(answer, list | tuple) or len(answer) != 2:
        raise WrongKind("GatedBlock should return a pair (v, h)")
    v, h = (a.detach() if hasattr(a, "detach") else a for a in answer)
    if not all(isinstance(a, torch.Tensor) for a in (v, h)) or v.ndim != 4 or v.shape != h.shape:
        raise WrongKind("GatedBlock should return (v, h), two tensors (B, channels, H, W)")
    return torch.cat([v, h], 1)


def _allowed_in_block(
    kind: str, channels_in: int, channels: int, p: int, colors: int, height: int, width: int
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
        group = i % colors < o % colors if kind == "A" else i % colors <= o % colors
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


# --- PixelCNN: forward ----------------------------------------------------------------------------

EXERCISE = "Exercise 5: PixelCNN"


@checks("PixelCNN.forward", lesson=LESSON, points=2, see=EXERCISE)
def logits_of_an_image(PixelCNN: Standin, draw: Draw) -> Said:
    """All conditionals in one pass: each logit sees the past, all of it, and a scaled image."""
    seed_generators(PixelCNN, draw.integer(0, 2**31))
    _has_modules(PixelCNN)
    seen = _seen_by_networks(PixelCNN, draw)
    signs = _signs(seen)
    yield from _claims_on_dependencies(seen, signs)
    yield from examine(
        Subject(
            ask=_asked_for_logits,
            rule=logits_by_rule,
            mistakes=_OF_LOGITS,
            symptoms=[
                _DROPS_ALWAYS,
                *(
                    Symptom(one.misconception, one.text, lambda _: True)
                    for one in itertools.chain(*signs.values())
                    if one.when
                ),
            ],
            show=lambda model, parts, levels, colors, x, seed: (
                f"{len(parts[0])} blocks, {levels} levels"
                + ("" if seed is None else ", dropout in training")
            ),
        ),
        draw,
        Property(
            "logits",
            "the scaled image goes through the blocks, then relu, `hidden`, relu and `output`",
            lambda draw: _networks(PixelCNN, draw, training=False),
            points=0.5,
            asks="v = h = the image on the scale −1 … 1, and the table of the exercise from there",
            typical=False,
        ),
        Property(
            "dropout",
            "in training `self.dropout` works on h after each block, in evaluation on nothing",
            lambda draw: _networks(PixelCNN, draw, training=True),
            points=0.25,
            asks="after every block, on h alone; in evaluation it does nothing",
            typical=False,
            needs="logits",
        ),
    )


_DROPS_ALWAYS = Symptom(
    "dropout-in-evaluation",
    "the same network is right in training, and not in evaluation: self.dropout drops nothing "
    "there, and F.dropout goes on unless it is told",
    lambda seen: all(
        any(p.args[0] is o.args[0] and p.args[-1] is not None and not p.fails for p in seen)
        for o in seen
        if o.fails
    ),
)


def _networks(PixelCNN: Standin, draw: Draw, training: bool) -> list[tuple]:
    """(model, its parts, levels, colors, images, the seed of dropout or None) of some networks.

    The last network of those in evaluation has what the constructor does unless told otherwise;
    in training the first network comes once more at the end, in evaluation.
    """
    cases: list[tuple] = [(5, 3, 6, (5, 3)), (draw.choice((3, 4)), 1, 5, (3, 5, 3))]
    cases += [] if training else [(2,)]
    found = []
    for levels, *more in cases:
        colors, channels, kernels = more or (1, 24, (7, 3, 3))
        model = made_by(PixelCNN, levels, *more, *([0.5] if training else []))
        randomize_parameters(model, draw.rng)
        parts = _parts(model, levels, colors, channels, kernels)
        x = draw.rng.integers(0, levels, size=(3, colors, 3, 4))
        found.append((model, parts, levels, colors, x, draw.apart() if training else None))
    return [*found, (*found[0][:5], None)] if training else found


def _has_modules(PixelCNN: Standin) -> None:
    """Refuses blocks that stand in a list of Python's own: nothing reaches their weights.

    What is seen of such a network is that of one set of weights, and proves nothing.
    """
    model = made_by(PixelCNN, 3, 1, 6, (3, 3))
    parts = parts_of(model)
    if isinstance(parts, list) and len(parts) == 3 and parts[0] == []:
        _parts(model, 3, 1, 6, (3, 3))


def _parts(model: Standin, levels: int, colors: int, channels: int, kernels: tuple) -> list:
    """[blocks, hidden, output] of a PixelCNN; one sentence if they are not the exercise's."""
    parts = parts_of(model)
    if not isinstance(parts, list) or len(parts) != 3 or not isinstance(parts[0], list):
        raise WrongKind("PixelCNN should have layers named hidden and output")
    sizes = []
    for block in parts[0]:
        sizes.append(_state_of(block, ["across.weight"])["across.weight"].shape[3])
    if tuple(sizes) != tuple(kernels):
        raise WrongKind(
            f"PixelCNN should hold one GatedBlock for each of the kernels {tuple(kernels)}, as its "
            f"own modules: got kernels {tuple(sizes)}"
        )
    outputs = {"hidden": channels, "output": levels * colors}
    for (name, wanted), layer in zip(outputs.items(), parts[1:], strict=True):
        found = tuple(_state_of(layer, ["weight"])["weight"].shape)
        if found != (wanted, channels, 1, 1):
            raise WrongKind(
                f"the weights of {name} should have shape {(wanted, channels, 1, 1)} for {levels} "
                f"levels, {colors} color{'s' * (colors != 1)} and {channels} channels: got {found}"
            )
    return parts


def _begin(model: Standin, seed: int | None) -> None:
    model.train(seed is not None)
    seed_generators(model, seed or 0)


def _asked_for_logits(
    model: Standin, parts: list, levels: int, colors: int, x: np.ndarray, seed: int | None
) -> np.ndarray:
    _begin(model, seed)
    return _logits(model, x, levels)


def logits_by_rule(
    model: Standin,
    parts: list,
    levels: int,
    colors: int,
    x: np.ndarray,
    seed: int | None,
    *,
    scaled: Callable = lambda x, levels: 2 * x / (levels - 1) - 1,
    begin: Callable = lambda x: (x, x),
    into: Callable = lambda v, h: (v, h),
    out_of: Callable = lambda v, h: (v, h),
    read: Callable = lambda v, h, hs: h,
    first: Callable = F.relu,
    hidden: Callable = lambda layer, h: layer(h),
    second: Callable = F.relu,
    levels_first: bool = True,
    dropped: Callable = lambda dropout, v, h, last: (v, dropout(h)),
) -> np.ndarray:
    """Logits (B, levels, colors, H, W) that the student's own layers give as the table has it.

    Each option turns one thing of it wrong. With a seed the network trains, and drops by that seed.
    """
    _begin(model, seed)
    blocks, middle, output = parts
    v, h = begin(scaled(tensor(x).float(), levels))
    hs = []
    for place, block in enumerate(blocks):
        v, h = out_of(*block(*into(v, h)))
        v, h = dropped(model.dropout, v, h, place == len(blocks) - 1)
        hs.append(h)
    y = output(second(hidden(middle, first(read(v, h, hs)))))
    if levels_first:
        logits = y.reshape(len(x), levels, colors, *x.shape[2:])
    else:
        logits = y.reshape(len(x), colors, levels, *x.shape[2:]).transpose(1, 2)
    return logits.double().numpy()


_OF_LOGITS = (
    Mistake("not-scaled", "the levels go into the network as they are: `self.scale` brings them "
        "to −1 … 1 first", options={"scaled": lambda x, levels: x}),
    *(
        Mistake("another-scale", "the image is scaled to another range than −1 … 1: `self.scale` "
            "is there for it", options={"scaled": scaled})
        for scaled in (
            lambda x, levels: x / (levels - 1),
            lambda x, levels: x / levels,
            lambda x, levels: 2 * x / levels - 1,
            lambda x, levels: x / levels - 0.5,
            lambda x, levels: 2 * x / (levels - 1),
            lambda x, levels: x / 255,
            lambda x, levels: 1 - 2 * x / (levels - 1),
        )
    ),
    Mistake("scaled-twice", "the image is scaled twice",
        options={"scaled": lambda x, levels: 2 * (2 * x / (levels - 1) - 1) / (levels - 1) - 1}),
    *(Mistake("stack-begins-empty", f"the {which} stack begins with zeros: the image is both the "
        "first v and the first h", options={"begin": begin}) for which, begin in (
            ("vertical", lambda x: (0 * x, x)), ("horizontal", lambda x: (x, 0 * x)))),
    Mistake("blind-spot", "the horizontal features go into both stacks: each block gets v of the "
        "block before, and h", options={"into": lambda v, h: (h, h)}),
    Mistake("stacks-swapped", "v and h change places between the blocks",
        options={"into": lambda v, h: (h, v)}),
    Mistake("stacks-swapped", "a block gives (v, h): the two are taken in the other order",
        options={"out_of": lambda v, h: (h, v)}),
    Mistake("vertical-for-both", "the vertical features go into both stacks: the horizontal one "
        "gets its own", options={"into": lambda v, h: (v, v)}),
    Mistake("output-reads-v", "`hidden` reads the vertical features: at row r they have seen row r "
        "itself, and h alone may be read", options={"read": lambda v, h, hs: v}),
    Mistake("output-reads-v", "`hidden` reads v as well as h: at row r the vertical features have "
        "seen row r itself, and h alone may be read", options={"read": lambda v, h, hs: v + h}),
    Mistake("blocks-summed", "`hidden` reads the sum of what all blocks gave: it reads h of the "
        "last one, which has the others' in it", options={"read": lambda v, h, hs: sum(hs)}),
    Mistake("squashed", "a ReLU follows `output`: logits may be negative",
        after=lambda logits, *_: np.maximum(logits, 0)),
    Mistake("axes-scrambled", "the channels are moved to the end, and a reshape then takes pixels "
        "for channels: cut the channels, axis 1, in two where they stand",
        after=lambda logits, *_: logits.reshape(
            len(logits), -1, *logits.shape[3:]).transpose(0, 2, 3, 1).reshape(logits.shape)),
    Mistake("relu-forgotten", "the ReLU before `hidden` is missing",
        options={"first": lambda h: h}),
    Mistake("relu-forgotten", "the ReLU after `hidden` is missing",
        options={"second": lambda y: y}),
    *(
        Mistake("tanh-for-relu", f"tanh stands in the place of the ReLU {where} `hidden`",
            options={which: torch.tanh})
        for which, where in (("first", "before"), ("second", "after"))
    ),
    Mistake("hidden-forgotten", "the layer `hidden` is not used",
        options={"hidden": lambda layer, h: h}),
    Mistake("levels-and-colors-swapped", "the output's channels are unfolded as (colors, "
        "levels): channel k has color k % colors, so unfold into (levels, colors)",
        options={"levels_first": False}),
    Mistake("normalized-already", "a softmax is taken already: logits are asked",
        after=lambda logits, *_: softmax(logits, 1)),
    Mistake("normalized-already", "a log_softmax is taken already: logits are asked",
        after=lambda logits, *_: np.log(softmax(logits, 1))),
    Mistake("dropout-forgotten", "nothing is dropped in training: `self.dropout` works on h after "
        "each block", options={"dropped": lambda dropout, v, h, last: (v, h)}),
    Mistake("dropout-once", "dropout works after the last block only: it follows each of them",
        options={"dropped": lambda dropout, v, h, last: (v, dropout(h) if last else h)}),
    Mistake("dropout-not-after-the-last", "after the last block nothing is dropped: dropout "
        "follows each of them",
        options={"dropped": lambda dropout, v, h, last: (v, h if last else dropout(h))}),
    *(
        Mistake("dropout-on-v", "dropout works on v: h alone is asked, v stays whole",
            options={"dropped": dropped})
        for dropped in (
            lambda dropout, v, h, last: (dropout(v), h),
            lambda dropout, v, h, last: (dropout(v), dropout(h)),
            lambda dropout, v, h, last: (dropout(h), dropout(v))[::-1],
        )
    ),
)  # fmt: skip


def _claims_on_dependencies(
    seen: dict[str, Any], signs: dict[str, list[Advice]]
) -> Iterator[Claim]:
    """Claims on what networks see, with the advice that what was seen proves."""
    leaks, gaps, alive = seen["leaks"], seen["gaps"], seen["alive"]
    waits = waits_unless(alive, "logits that change with the image")
    yield claim(
        "no logit sees its own number or a later one, of pixels and of colors",
        not leaks and not seen["mixing"],
        waits=waits,
        points=0.5,
        saw=f"the logits of {_name_of(*leaks[0][:4])} change with "
        f"{_name_of(*[*leaks[0][:3], leaks[0][4]])}"
        if leaks
        else "rows of a batch that change each other's logits",
        asks="logits that depend on earlier pixels, and on earlier colors of the same pixel",
        advice=[
            *signs["leaks"],
            "look at your model in the explorer: where does the leak come from?",
        ],
    )
    yield claim(
        "the logits of each number see all numbers before it: no blind spot",
        alive and not gaps,
        points=0.5,
        saw=f"the logits of {_name_of(*gaps[0][:4])} never change with "
        f"{_name_of(*[*gaps[0][:3], gaps[0][4]])}"
        if gaps
        else "logits that never change",
        asks="within reach every earlier pixel, upper right included, and every earlier color",
        advice=[*signs["gaps"], "every channel, every color: look at your model in the explorer"],
    )
    yield claim(
        "in training too each image of a batch is computed for itself",
        not seen["together"],
        points=0.25,
        waits=waits,
        saw="images of a batch that change each other's logits in train mode",
        asks="the likelihood of an image does not depend on its neighbors in the batch",
        advice=[*signs["rows"], ""],
    )


def _signs(seen: dict[str, Any]) -> dict[str, list[Advice]]:
    """What leaks, gaps and rows that mix prove, and no more."""
    leaks, gaps, alive = seen["leaks"], seen["gaps"], seen["alive"]
    one_pixel = bool(leaks) and all(o % (h * w) == i % (h * w) for _, h, w, o, i in leaks)
    lost = [] if leaks else gaps  # of what leaks and has gaps too neither is known to be the cause
    in_row = bool(lost) and all(o % (h * w) // w == i % (h * w) // w for _, h, w, o, i in lost)
    one = [(h, w) for colors, h, w, *_ in lost if colors == 1]
    in_row &= all(len(one) < h * w * (w - 1) // 2 for h, w in one)  # some of the row is seen
    right_above = any(
        o % (h * w) // w > i % (h * w) // w and o % w < i % w for _, h, w, o, i in lost
    )
    silent = [
        when(
            not alive and seen["colored"],
            "a-on-1x1",
            "with one color no logit sees anything, with three some do: a 1×1 convolution of kind "
            "A has an empty mask if there is one color, `hidden` and `output` are of kind B",
        ),
        when(
            not alive,
            "sees-nothing",
            "blind to the future, and to the past as well: do the layers get their input?",
        ),
    ]
    of_leaks = [
        when(
            seen["mixing"],
            "rows-mix",
            "each image must be computed for itself: no statistics over the batch, no other row",
        ),
        when(
            seen["everything"],
            "normalizing-over-positions",
            "every output sees every input: something is computed over all positions at once, "
            "such as a mean or a normalization over the image",
        ),
        when(
            bool(leaks) and all(o == i for *_, o, i in leaks),
            "b-in-the-first-layer",
            "each number sees itself, and nothing later: only kind A may read the image",
        ),
        when(
            seen["unswapped"],
            "levels-and-colors-swapped",
            "the output's channels are unfolded as (colors, levels): channel k has color "
            "k % colors, so unfold into (levels, colors)",
        ),
        when(
            one_pixel,
            "colors-mixed",
            "colors of one pixel see later colors, and no later pixel: does every masked layer get "
            "`colors`?",
        ),
        *silent,
    ]
    of_gaps = [
        *silent,
        when(
            in_row,
            "a-in-every-layer",
            "what is lost lies in the pixel's own row: each block of kind A steps back one pixel "
            "more, so only the first may be of that kind",
        ),
        when(
            right_above,
            "blind-spot",
            "pixels to the upper right are lost: does the vertical stack get the vertical features "
            "of the block before, and the horizontal stack its own?",
        ),
    ]
    of_rows = when(
        seen["together"],
        "rows-mix",
        "a statistic over the batch, such as BatchNorm, mixes images in training: leave it out, or "
        "normalize over channels",
    )
    return {"leaks": of_leaks, "gaps": of_gaps, "rows": [of_rows, *silent]}


def _seen_by_networks(PixelCNN: Standin, draw: Draw) -> dict[str, Any]:
    """What networks for one color and for three see, as facts by name."""
    leaks, gaps, maps, mixing, unswapped = [], [], {}, False, False
    for levels, colors, kernels, height, width in (
        (3, 1, (3, 3, 3), 4, 4),
        (4, 3, (5, 3), 3, 4),
    ):
        model = made_by(PixelCNN, levels, colors, 4 * colors, kernels)
        x = tensor(draw.rng.integers(0, levels, size=(2, colors, height, width)))
        try:
            expect_array(model(x), (2, levels, colors, height, width), "float", "the logits")
        except StudentFailed:
            if not leaks:
                raise
            break  # a leak tells more than what it leads to: a first block of kind B adds h
        order = ranks(colors, height, width)
        options = {"vocabulary": levels, "outputs": 1, "seed": draw.integer(0, 2**31)}
        seen = dependency_map(model, x, "token", expected=order, most_draws=8, **options)
        maps[colors] = seen.sees
        mixing |= seen.rows_mix
        where = [(colors, height, width, int(o), int(i)) for o, i in seen.forbidden(order)]
        leaks += where
        gaps += [(colors, height, width, int(o), int(i)) for o, i in seen.missing(order)]
        if colors == 3 and where:
            turned = lambda m, x, s=(levels, colors): _turned(m(x), *s)  # noqa: E731
            again = dependency_map(model, x, "token", draws=2, call=turned, **options)
            unswapped = again.is_autoregressive(order) and bool(again.sees.any())
    model = made_by(PixelCNN, 3, 1, 6, (3, 3))
    images = tensor(draw.rng.integers(0, 3, size=(4, 1, 3, 3)))
    together = batch_leaks(model, images, "token", vocabulary=3, seed=draw.integer(0, 2**31))
    return {
        "leaks": leaks,
        "gaps": gaps,
        "alive": all(seen.any() for seen in maps.values()),
        "colored": maps[max(maps)].any() and not maps[1].any(),
        "everything": all(seen.sum() > 0.9 * seen.size for seen in maps.values()),
        "mixing": mixing,
        "unswapped": unswapped,
        "together": bool(together),
    }


def _turned(logits: Any, levels: int, colors: int) -> Any:
    """Logits whose channels were unfolded as (colors, levels), unfolded the other way."""
    if not isinstance(logits, torch.Tensor):
        raise WrongKind("forward should return a tensor of logits")
    flat = logits.transpose(1, 2).reshape(len(logits), levels * colors, *logits.shape[3:])
    return flat.reshape(logits.shape)


def _name_of(colors: int, height: int, width: int, index: int) -> str:
    k, r, c = np.unravel_index(index, (colors, height, width))
    color = f" color {k + 1} of" if colors > 1 else ""
    return f"{color} row {r + 1}, column {c + 1}".strip()


def _logits(model: Any, x: np.ndarray, levels: int) -> np.ndarray:
    """The model's own logits (B, levels, colors, H, W), float64."""
    shape = (len(x), levels, *x.shape[1:])
    return expect_array(model(tensor(x)), shape, "float", "the logits")


# --- PixelCNN: likelihoods ------------------------------------------------------------------------


def surprise(
    model: Any, x: np.ndarray, logits: np.ndarray, *, axis: int = 1, log: Callable = np.log
) -> np.ndarray:
    """−log p (B, colors, H, W) of the numbers of x, in nats, from logits (B, levels, …).

    Each option turns one thing of it wrong.
    """
    top = logits.max(axis, keepdims=True)
    scores = logits - top - log(np.exp(logits - top).sum(axis, keepdims=True))
    return -np.take_along_axis(scores, x[:, None], 1)[:, 0]


def _underflowing(model: Any, x: np.ndarray, logits: np.ndarray) -> np.ndarray:
    p = torch.softmax(tensor(logits).float(), 1).log().double().numpy()
    return -np.take_along_axis(p, x[:, None], 1)[:, 0]


def _flattened(model: Any, x: np.ndarray, logits: np.ndarray) -> np.ndarray:
    rows = logits.reshape(-1, logits.shape[1])
    return surprise(model, x.reshape(-1), rows).reshape(x.shape)


def _at_least(least: float) -> Callable:
    """Probabilities of `least` in the place of smaller ones."""
    return lambda model, x, logits: np.minimum(surprise(model, x, logits), -math.log(least))


_OF_SURPRISE = (
    Mistake("cut-in-rows-unturned", "logits (B, levels, …) are cut into rows of `levels` numbers "
        "as they lie in memory: the levels are axis 1, and have to come last before that "
        "(.movedim(1, -1))", gives=_flattened),
    Mistake("negative-probabilities", "these are −p: F.nll_loss takes log p, so log_softmax comes "
        "before it, and F.cross_entropy takes logits", after=lambda nats, *_: -np.exp(-nats)),
    *(Mistake("probabilities-floored", "small probabilities are raised to a least one, so that a "
        "surprise has a ceiling: with log_softmax none needs that", gives=_at_least(least))
        for least in (1e-2, 1e-3, 1e-4, 1e-5, 1e-6, 1e-7, 1e-8, 1e-9, 1e-10, 1e-12)),
    *(
        Mistake("softmax-wrong-axis", "the softmax runs over another axis than the levels: they "
            "are axis 1", options={"axis": axis})
        for axis in (2, 3, 4)
    ),
    Mistake("bits-for-nats", "these are bits: pixel_nll is in nats, bits_per_dim divides by log 2",
        after=lambda nats, *_: nats / math.log(2)),
    Mistake("sign", "this is log p: −log p is asked", after=lambda nats, *_: -nats),
    Mistake("log-forgotten", "these are probabilities: take −log",
        after=lambda nats, *_: np.exp(-nats)),
    Mistake("softmax-then-log", "the softmax underflows to 0 and its log is −inf: take "
        "log_softmax, or F.cross_entropy, which stays with logits", gives=_underflowing),
    *(
        Mistake("already-summed", "one number for each number of the image, (B, colors, H, W): "
            "nll does the sum", after=after)
        for after in (
            lambda nats, *_: nats.sum((1, 2, 3)),
            lambda nats, *_: nats.mean((1, 2, 3)),
            lambda nats, *_: nats.sum(1),
            lambda nats, *_: nats.sum(),
            lambda nats, *_: nats.mean(),
        )
    ),
    *(
        Mistake("averaged", f"every number gets the average over {what}: each has a −log p of its "
            "own (reduction=\"none\", and nothing averaged after it)",
            after=lambda nats, *_, axes=axes: np.broadcast_to(
                nats.mean(axes, keepdims=True), nats.shape))
        for what, axes in (("the whole batch", (0, 1, 2, 3)), ("the image", (1, 2, 3)),
            ("the colors of its pixel", (1,)))
    ),
    Mistake("binary-cross-entropy", "each level is priced as a coin of its own, the others' "
        "absence too (binary cross-entropy): ONE of them comes, by a softmax over all",
        gives=lambda model, x, logits: np.logaddexp(0, logits).sum(1) - np.take_along_axis(
            logits, x[:, None], 1)[:, 0]),
    Mistake("logits-for-logs", "these are the logits themselves: they must be normalized first",
        gives=lambda model, x, logits: -np.take_along_axis(logits, x[:, None], 1)[:, 0]),
)  # fmt: skip


@checks("PixelCNN.pixel_nll", lesson=LESSON, points=1, see=EXERCISE)
def surprise_of_each_number(PixelCNN: Standin, draw: Draw) -> Said:
    """−log p of each number, from logits that are handed in the place of the network's."""
    seed_generators(PixelCNN, draw.integer(0, 2**31))

    def cases(draw: Draw, *sizes: float) -> list[tuple]:
        return [_with_logits(PixelCNN, draw, size) for size in sizes]

    right = yield from examine(
        Subject(
            ask=lambda model, x, logits: expect_array(
                model.pixel_nll(tensor(x)), None, "float", "pixel_nll"
            ),
            rule=surprise,
            mistakes=_OF_SURPRISE,
            show=lambda model, x, logits: (
                f"logits {shown(logits[0, :, 0, 0, 0])} of the level {x[0, 0, 0, 0]}"
            ),
            alike=lambda a, b: close(a, b, 1e-3),
        ),
        draw,
        Property(
            "nats",
            "pixel_nll is −log p of each number in nats",
            lambda draw: cases(draw, 0.5, 2.0),
            points=0.5,
            asks="the softmax runs over the levels, axis 1 of the logits, and the log is natural",
        ),
        Property(
            "large",
            "it is exact for logits in the hundreds",
            lambda draw: cases(draw, 300.0),
            points=0.5,
            asks="log p = −500 is a number, though p is 0 in floating point",
            typical=False,
            needs="nats",
        ),
    )
    if right:
        model, x = made_by(PixelCNN, 5, 3, 6, (3, 3)), draw.rng.integers(0, 5, (2, 3, 4, 4))
        uncut(PixelCNN, lambda: unreached(model, tensor(x)))


def _with_logits(PixelCNN: Standin, draw: Draw, size: float) -> tuple:
    """(model, x, logits): logits of this size that the model's forward answers.

    Where pixel_nll does not ask `self(x)`, they are the model's own, which must be made of its
    weights.
    """
    levels, shape = 5, (3, draw.integer(2, 3), 4)
    x = draw.rng.integers(0, levels, size=(4, *shape))
    model = made_by(PixelCNN, levels, 3, 6, (3,))
    logits = draw.normal(4, levels, *shape, scale=size).astype(np.float32)
    sure = 50 * (np.arange(levels)[:, None, None, None] == x[:, None]).astype(np.float32)
    told = []
    for value in (-sure, sure):  # p ≈ 0 of everything in x, then p ≈ 1
        answer_with(model, forward=tensor(value))
        told.append(expect_array(model.pixel_nll(tensor(x)), None, "any", "pixel_nll"))
    if told[0].shape == told[1].shape and (told[0] == told[1]).all():
        model = made_by(PixelCNN, levels, 3, 6, (3,))
        _carrying(model, x, levels, draw, "pixel_nll should depend on the model's logits")
        return model, x, _logits(model, x, levels)
    answer_with(model, forward=tensor(logits))
    return model, x, logits.astype(np.float64)


def _carrying(model: Standin, x: np.ndarray, levels: int, draw: Draw, asked: str) -> None:
    """Draws weights until the logits are made of them and of x; one sentence if they never are."""
    for _ in range(8):  # the ReLUs of a narrow network may all be shut
        randomize_parameters(model, draw.rng, gain=2.0)
        if carries_its_weights(model, lambda m: _logits(m, x, levels), draw.rng):
            return
    raise WrongKind(f"{asked}: it does not")


LEVELS = 5  # of the model with several images
_OF_BITS = (
    Mistake("log-of-levels", "a bit is log 2 nats, however many levels a number has: divide by "
        "log 2, not by the log of the levels",
        gives=lambda model, nats: nats.sum((1, 2, 3)) / (
            math.log(2 if len(nats) == 1 else LEVELS) * nats[0].size)),
    Mistake("nats-for-bits", "these are nats per dimension: a bit has log 2 = 0.693 nats, divide "
        "by it", after=lambda bits, *_: bits * math.log(2)),
    Mistake("times-log-2", "a nat is MORE than a bit: divide by log 2, do not multiply",
        after=lambda bits, *_: bits * math.log(2) ** 2),
    Mistake("scale-added", "log₂ of the levels is added, as belongs to a density on [0, 1): the "
        "NLL here is one of levels already",
        gives=lambda model, nats: nats.sum((1, 2, 3)) / (math.log(2) * nats[0].size)
        + math.log2(2 if len(nats) == 1 else LEVELS)),
    Mistake("colors-not-counted", "a color pixel has three numbers: divide by colors · H · W",
        after=lambda bits, model, nats: bits * nats.shape[1]),
    Mistake("not-divided", "divide by how many numbers an image has",
        after=lambda bits, model, nats: bits * nats[0].size),
    Mistake("divided-by-batch", "this is divided by the numbers of the whole batch: each image "
        "has its own", after=lambda bits, model, nats: bits / len(nats)),
    Mistake("averaged-over-batch", "one number for each image: do not average over the batch",
        after=lambda bits, *_: bits.mean()),
    Mistake("one-for-each-number", "one number for each image, not for each of its numbers",
        gives=lambda model, nats: nats / math.log(2)),
)  # fmt: skip


@checks("PixelCNN.bits_per_dim", lesson=LESSON, points=1, see=EXERCISE)
def bits_for_each_number(PixelCNN: Standin, draw: Draw) -> Said:
    """The NLL of an image in bits a number, from an NLL that is handed in the model's place."""
    seed_generators(PixelCNN, draw.integer(0, 2**31))

    def cases(draw: Draw) -> list[tuple]:
        return [
            _with_nats(PixelCNN, draw, levels, (count, 3, draw.integer(2, 3), 4))
            for count, levels in ((1, 2), (draw.integer(3, 6), LEVELS))
        ]

    def ask(model: Standin, nats: np.ndarray) -> np.ndarray:
        x = tensor(np.zeros(nats.shape, dtype=np.int64))
        return expect_array(model.bits_per_dim(x), None, "float", "bits_per_dim")

    yield from examine(
        Subject(
            ask=ask,
            rule=lambda model, nats: nats.sum((1, 2, 3)) / (math.log(2) * nats[0].size),
            mistakes=_OF_BITS,
            show=lambda model, nats: (
                f"{nats[0].sum():.4g} nats and {nats[0].size} numbers an image, {len(nats)} "
                f"image{'s' * (len(nats) > 1)}"
            ),
            by_hand=lambda model, nats: (
                f"{nats[0].sum():.4g} / ({nats[0].size} · {math.log(2):.4f})"
                if len(nats) == 1
                else ""
            ),
        ),
        draw,
        Property(
            "bits",
            "bits_per_dim is the NLL in bits, divided by how many numbers an image has",
            cases,
            points=1,
            asks="−log₂ p(x) / (colors · H · W), one number for each image",
        ),
    )


def _with_nats(PixelCNN: Standin, draw: Draw, levels: int, shape: tuple[int, ...]) -> tuple:
    """(model, −log p of each number): what all methods of the model say of images of zeros."""
    model = made_by(PixelCNN, levels, shape[1], 6, (3,))
    gap = draw.normal(*shape, scale=2.0)  # logit of 0 less that of every other level
    nats = np.logaddexp(0, math.log(levels - 1) - gap)
    logits = np.stack([gap, *[0 * gap] * (levels - 1)], 1)
    values = {"forward": logits, "pixel_nll": nats, "nll": nats.sum((1, 2, 3))}
    answer_with(model, **{name: tensor(value) for name, value in values.items()})
    return model, nats


# --- PixelCNN: drawing ----------------------------------------------------------------------------

DRAWS, BOUND, OUTCOMES = 10_000, 0.115, 64
DRAWS_OF_ALL, BOUND_OF_ALL = 3_000, 0.15
CHANGED = "images that are written over by the call"
ALL_ROWS = ((2, (1, 2, 3)), (2, (3, 1, 2)), (3, (1, 3, 1)))  # (levels, colors × H × W)


def lower_rows() -> tuple:
    """(rows that are kept, colors × H × W) of images of two levels: one row, two, one number."""
    return ((1, (1, 2, 3)), (1, (1, 3, 2)), (2, (1, 3, 2)), (1, (2, 3, 1)))


def images(levels: int, shape: tuple[int, ...]) -> np.ndarray:
    """All images of a shape (colors, H, W), in the order of `codes`: (levels^n, colors, H, W)."""
    return np.indices((levels,) * math.prod(shape)).reshape(math.prod(shape), -1).T.reshape(
        -1, *shape
    )  # fmt: skip


def codes(x: np.ndarray, levels: int) -> np.ndarray:
    """The number of each image of x in `images`."""
    return place_of(x.reshape(len(x), -1), levels)


def table_of_logits(draw: Draw, levels: int, shape: tuple[int, ...]) -> np.ndarray:
    """Logits (levels^n, levels, colors, H, W) of all images: of each number given those before."""
    every = images(levels, shape)
    flat, table = every.reshape(len(every), -1), np.zeros((len(every), levels, *shape))
    order = ranks(*shape)
    for place, rank in enumerate(order):
        past = flat[:, np.argsort(order)[:rank]] @ levels ** np.arange(rank)
        given = draw.normal(levels**rank, levels, scale=2.0)[past]  # equal pasts, equal logits
        table[(slice(None), slice(None), *np.unravel_index(place, shape))] = given
    return table


def rows_above(drawn: np.ndarray, row: int) -> np.ndarray:
    """Which numbers (colors, H, W) lie in rows above `row`."""
    return np.broadcast_to(np.arange(drawn.shape[1])[:, None] < row, drawn.shape)


def drawn_by_rule(
    model: Any,
    table: np.ndarray,
    given: np.ndarray,
    rows: int,
    seed: int,
    *,
    order: Callable = lambda r, c, k: (r, c, k),
    colors: Callable[[int], int] = lambda colors: colors,
    kept: Callable[[int, int], int] = lambda rows, height: rows,
    read: Callable = lambda k, r, c, shape: (k, r, c),
    fed_back: Callable[[np.ndarray, int], np.ndarray] = lambda drawn, r: drawn,
    chances: Callable[[np.ndarray], np.ndarray] = lambda p: p,
) -> np.ndarray:
    """p of all images if the rows from `rows` on of `given` are drawn anew, number by number.

    Each option turns one thing of it wrong. `fed_back(drawn, row)` says which of the drawn numbers
    the pass for a number of that row has seen.
    """
    levels, shape, p = table.shape[1], given.shape, softmax(table, 1)
    every, chance = images(levels, shape), np.ones(len(table))
    known, drawn = np.repeat(given[None], len(table), axis=0), np.zeros(shape, dtype=bool)
    spots = itertools.product(
        range(kept(rows, shape[1]), shape[1]), range(shape[2]), range(colors(shape[0]))
    )  # fmt: skip
    for r, c, k in sorted(spots, key=lambda spot: order(*spot)):
        put_back = fed_back(drawn, r)
        known[:, put_back] = every[:, put_back]
        seen = p[codes(known, levels)]  # (levels^n, levels, colors, H, W)
        row = chances(seen[(slice(None), slice(None), *read(k, r, c, shape))])
        chance *= np.take_along_axis(row, every[:, k, r, c][:, None], 1)[:, 0]
        drawn[k, r, c] = True
    return chance * (every == given)[:, ~drawn].all(1)


_OF_DRAWING = (
    Mistake("argmax-for-drawing", "all samples are equal: draw each level with its probability, "
        "the most likely one is no sample",
        options={"chances": lambda p: (p == p.max(1, keepdims=True)).astype(float)}),
    Mistake("not-fed-back", "every number is drawn from the first image's logits: put each one "
        "into x before the next pass", options={"fed_back": lambda drawn, r: np.zeros_like(drawn)}),
    Mistake("not-fed-back", "a whole row comes from one pass: put each number into x before the "
        "next pass", options={"fed_back": lambda drawn, r: drawn & rows_above(drawn, r)}),
    Mistake("rows-and-columns-swapped", "rows and columns have changed places: logits are (B, "
        "levels, colors, ROW, COLUMN)",
        options={"read": lambda k, r, c, shape: (k, c % shape[1], r % shape[2])}),
    Mistake("column-order", "you draw column by column: the network was made for rows",
        options={"order": lambda r, c, k: (c, r, k)}),
    Mistake("rows-from-below", "you draw from the last row upwards: the network was made for rows "
        "from the top down", options={"order": lambda r, c, k: (-r, c, k)}),
    Mistake("kept-rows-lost", "what is drawn is given rows of zeros: the kept rows are those of "
        "the images given", gives=lambda model, table, given, *of: drawn_by_rule(
            model, table, 0 * given, *of)),
    Mistake("color-by-color", "one color of the whole image is drawn before the next: all colors "
        "of a pixel come first", options={"order": lambda r, c, k: (k, r, c)}),
    Mistake("colors-deaf", "the colors of a pixel do not hear each other: they come from one pass, "
        "or in reverse; after R is drawn, G needs a pass that sees it, then B",
        options={"order": lambda r, c, k: (r, c, -k)}),
    Mistake("first-color-for-all", "every color is drawn from the logits of the first one",
        options={"read": lambda k, r, c, shape: (0, r, c)}),
    Mistake("levels-turned", "the levels are drawn in reverse",
        options={"chances": lambda p: p[:, ::-1]}),
    Mistake("uniform-levels", "all levels are equally likely here: where is the model?",
        options={"chances": lambda p: np.full(p.shape, 1 / p.shape[1])}),
    Mistake("softmax-twice", "probabilities are taken for logits: the softmax is taken twice",
        options={"chances": softmax}),
    Mistake("colors-not-drawn", "draw every color of a pixel, one after the other",
        options={"colors": lambda colors: 1}),
    Mistake("wrong-rows-kept", "the kept rows are drawn anew: begin with row `rows`",
        options={"kept": lambda rows, height: 0}),
    Mistake("wrong-rows-kept", "one row more than `rows` is kept",
        options={"kept": lambda rows, height: rows + 1}),
    Mistake("nothing-drawn", "the lower rows are the old ones: begin with row `rows`, and draw",
        options={"kept": lambda rows, height: height if rows else 0}),
    Mistake("rows-for-kept", "`rows` counts the rows that are KEPT, not those that are drawn",
        options={"kept": lambda rows, height: height - rows}),
    Mistake("changed-in-place", "you write into the caller's images: work on x.clone()",
        after=lambda *_: CHANGED),
)  # fmt: skip


def telling_table(
    draw: Draw, levels: int, given: np.ndarray, rows: int, apart: float = 0.3
) -> np.ndarray:
    """A table by which each known mistake that can show at all draws otherwise than the rule."""
    best, far = np.empty(0), -1.0
    for _ in range(48):
        table = table_of_logits(draw, levels, given.shape)
        right = drawn_by_rule(None, table, given, rows, 0)
        wrong = (drawn_by_rule(None, table, given, rows, 0, **m.options) for m in _OF_DRAWING)
        least = min(d for w in wrong if (d := float(np.abs(right - w).sum())) > 1e-6)
        best, far = (table, least) if least > far else (best, far)
        if far > apart:
            break
    return best


def _inpainted(model: Standin, table: np.ndarray, given: np.ndarray, rows: int, seed: int) -> Any:
    """How often inpaint gives each image, or a sentence if it gives no images."""
    batch = np.repeat(given[None], DRAWS, axis=0)
    x, after = _images_by_inpaint(model, batch, rows, seed)
    if not np.array_equal(after, batch):
        return CHANGED
    levels = table.shape[1]
    if not ((x >= 0) & (x < levels)).all():
        return f"levels outside 0 … {levels - 1}"
    return np.bincount(codes(x, levels), minlength=len(table)) / DRAWS


def _images_by_inpaint(
    model: Standin, batch: np.ndarray, rows: int, seed: int | None
) -> tuple[np.ndarray, np.ndarray]:
    """What inpaint gives, and the given images after the call; no seed: without a generator."""
    if not isinstance(inpaint := model.inpaint, Standin):
        raise WrongKind(f"inpaint should be a method: got data of type {type(inpaint).__name__}")
    generator = None if seed is None else torch.Generator().manual_seed(seed)
    answer, kept = call_and_keep(inpaint, tensor(batch), rows, generator)
    x = expect_array(answer, batch.shape, "int", "the drawn images")
    return x, expect_array(kept[0], batch.shape, "any", "the given images")


def _by_table(PixelCNN: Standin, draw: Draw, levels: int, shape: tuple, rows: int) -> tuple:
    """(model, table, given image, rows, seed): the model's forward answers from the table.

    Where inpaint does not ask `self(x)`, the table is the model's own.
    """
    model = made_by(PixelCNN, levels, shape[0], 6, (3,))
    given = draw.rng.integers(0, levels, size=shape)
    table = telling_table(draw, levels, given, rows)
    seed, told = draw.apart(), []
    for level in (0, 1):  # for sure, everywhere
        sure = np.zeros(table.shape)
        sure[:, level] = 60.0
        answer_by_table(model, tensor(sure))
        told.append(_images_by_inpaint(model, np.repeat(given[None], 2, axis=0), 0, seed)[0])
    if (told[0] != told[1]).any():
        answer_by_table(model, tensor(table))
        return model, table, given, rows, seed
    model = made_by(PixelCNN, levels, shape[0], 6, (3,))
    every = images(levels, shape)
    _carrying(model, every, levels, draw, "inpaint should draw from the model's logits")
    return model, _logits(model, every, levels), given, rows, seed


def _told_drawing(answer: Any) -> str:
    """How often the most frequent images come, or the sentence."""
    if isinstance(answer, str):
        return answer
    most = [f"{share:.1%}" for share in -np.sort(-answer)[:3] if share]
    return f"{DRAWS:,} drawn images, of which the most frequent make up {', '.join(most)}"


def _saw_drawing(
    answer: Any,
    right: np.ndarray,
    model: Any,
    table: np.ndarray,
    given: np.ndarray,
    rows: int,
    *_: Any,
) -> str:
    """The image whose share is furthest from the model's, row by row, or the sentence."""
    if isinstance(answer, str):
        return answer
    worst = int(np.argmax(np.abs(answer - right)))
    rgb = images(table.shape[1], given.shape)[worst]
    one = [
        f"{name} {'/'.join(''.join(map(str, row)) for row in color)}"
        for name, color in zip("RGB" if len(rgb) > 1 else ("",), rgb, strict=False)
    ]
    image = ", ".join(one).strip()
    return (
        f"the image {image} in {answer[worst]:.1%} of {DRAWS:,} draws, where the logits give it "
        f"{right[worst]:.1%}; rows = {rows}"
    )


@checks("PixelCNN.inpaint", lesson=LESSON, points=1, see=EXERCISE)
def images_drawn_number_by_number(PixelCNN: Standin, draw: Draw) -> Said:
    """Each number from its conditional, by logits that are handed in the place of the network's."""
    seed_generators(PixelCNN, draw.integer(0, 2**31))

    def all_of(draw: Draw) -> list[tuple]:
        return [_by_table(PixelCNN, draw, levels, shape, 0) for levels, shape in ALL_ROWS]

    def lower_of(draw: Draw) -> list[tuple]:
        return [_by_table(PixelCNN, draw, 2, shape, rows) for rows, shape in lower_rows()]

    often = yield from examine(
        Subject(
            ask=_inpainted,
            rule=drawn_by_rule,
            mistakes=_OF_DRAWING,
            show=lambda model, table, given, rows, seed: (
                f"{given.shape[0]} color{'s' * (given.shape[0] > 1)}, {given.shape[1]}×"
                f"{given.shape[2]} pixels of {table.shape[1]} levels, {rows} rows kept"
            ),
            told=_told_drawing,
            alike=partial(as_often, bound=BOUND),
        ),
        draw,
        Property(
            "often",
            "images come as often as the model says, in a copy of those given",
            all_of,
            points=0.5,
            asks="each number drawn from its conditional, given those drawn before it",
            saw=_saw_drawing,
        ),
        Property(
            "below",
            "inpaint keeps the first rows, and draws the rest from its conditional, on a copy",
            lower_of,
            points=0.25,
            asks="rows 0 … rows − 1 as they were, all others drawn given them",
            typical=False,
            saw=_saw_drawing,
        ),
    )
    text = "each image of a batch is drawn by itself, and all from the given generator alone"
    if not often:
        yield waiting(text, "images that come as often as the model says", points=0.25)
        return
    model, table, given, rows, seed = _by_table(PixelCNN, draw, 2, (1, 2, 3), 0)
    batch = np.repeat(given[None], DRAWS, axis=0)
    first, again = (_images_by_inpaint(model, batch, rows, seed)[0] for _ in range(2))
    other = _images_by_inpaint(model, batch, rows, seed + 1)[0]
    same, fresh = bool((first == again).all()), bool((first != other).any())
    note_on_default(
        PixelCNN,
        lambda _: _images_by_inpaint(model, batch, rows, None)[0],
        right=same and fresh,
    )
    joint = drawn_by_rule(model, table, given, rows, seed).reshape((2,) * given.size)
    shared = shared_in_pairs(first.reshape(DRAWS, -1), joint)
    yield claim(
        text,
        same and fresh and not shared,
        points=0.25,
        saw="different images from equal generators"
        if not same
        else "equal images from different generators"
        if not fresh
        else shared,
        asks="the generator decides what is drawn, and no image knows of another",
        advice=[
            when(
                not (same and fresh),
                "generator-ignored",
                "the given generator does not decide: hand it on to draw_levels",
            ),
            when(shared, "images-not-independent", "one uniform number for each image and number"),
        ],
    )


# --- PixelCNN: the whole --------------------------------------------------------------------------


@checks("PixelCNN", lesson=LESSON, points=1, see=EXERCISE)
def a_distribution_over_images(PixelCNN: Standin, draw: Draw) -> Said:
    """All methods are of one distribution over images."""
    hold = yield from each_step(
        PixelCNN, draw, LESSON, "forward", "pixel_nll", "bits_per_dim", "inpaint"
    )
    steps = waits_unless(hold, "the steps above")
    if not hold:
        yield waiting(_SUM, steps, points=0.5)
        yield waiting(_SAMPLES, steps, points=0.5)
        return
    every = images(2, (3, 1, 2))
    tiny = made_by(PixelCNN, 2, 3, 6, (3,))
    _carrying(tiny, every, 2, draw, "the logits should depend on the weights and on the image")
    nats = expect_array(tiny.nll(tensor(every)), (64,), "float", "nll")
    each = expect_array(tiny.pixel_nll(tensor(every)), every.shape, "float", "pixel_nll")
    total = float(np.exp(-nats).sum())
    yield claim(
        _SUM,
        abs(total - 1) < 1e-3,
        points=0.5,
        saw=f"64 probabilities that sum to {total:.9g}",
        asks="nll adds up the surprises of all numbers of an image, and nothing else",
        advice=[
            when(
                close(nats, each.mean((1, 2, 3)), 1e-3),
                "averaged",
                "nll is the mean of pixel_nll here: logarithms of factors are summed",
            ),
            "",
        ],
    )
    model, every = made_by(PixelCNN, 2, 1, 8, (3, 3)).eval(), images(2, (1, 2, 2))
    for _ in range(48):  # until no pixel is nearly always black or white
        randomize_parameters(model, draw.rng)
        right = np.exp(-expect_array(model.nll(tensor(every)), (16,), "float", "nll"))
        white = right @ every.reshape(16, 4)
        if (0.2 < white).all() and (white < 0.8).all():
            break
    shape, generator = (DRAWS_OF_ALL, 1, 2, 2), draw.generator()
    x = expect_array(model.sample(DRAWS_OF_ALL, 2, 2, generator), shape, "int", "the samples")
    wide = expect_array(tiny.sample(5, 1, 3, generator), (5, 3, 1, 3), "int", "the samples")
    legal = bool(np.isin(x, (0, 1)).all() and np.isin(wide, (0, 1)).all())
    often = np.bincount(codes(x, 2), minlength=16) / DRAWS_OF_ALL if legal else 0 * right
    worst = int(np.argmax(np.abs(often - right)))
    yield claim(
        _SAMPLES,
        legal and as_often(often, right, BOUND_OF_ALL),
        points=0.5,
        saw=f"the image {every[worst].reshape(-1).tolist()} in {often[worst]:.1%} of "
        f"{DRAWS_OF_ALL:,} samples, where nll gives it {right[worst]:.1%}"
        if legal
        else "levels outside 0 … levels − 1",
        asks="all rows drawn: what sample draws and what nll prices is one distribution",
    )


_SUM = "the probabilities of all images sum to 1"
_SAMPLES = "samples come as often as the model says"


# --- BlockMemory ----------------------------------------------------------------------------------


def memory_by_rule(
    make: Any,
    block: Any,
    state: dict[str, torch.Tensor],
    v: torch.Tensor,
    h: torch.Tensor,
    whole: np.ndarray,
    kind: str,
    colors: int = 1,
    *,
    stored: bool = True,
    late: bool = False,
    store: Callable[[int, int], int] = lambda c, p: c + p,
    window: int = 0,
    blank: Callable[[int], slice] = lambda p: slice(0),
    beside: bool = False,
    keeps: Callable = lambda own, result: own,
    masked: bool = True,
    turned: bool = False,
    above: bool = True,
    mixed: Callable[[torch.Tensor], torch.Tensor] = lambda mixing: mixing,
    down: int = 1,
    column: Callable[[int], int] = lambda c: c,
    biases: tuple[int, int] = (1, 1),
    residual: Callable = lambda kind, h, new: h if kind == "B" else 0,
    gate: Callable = gated,
    out: bool = True,
    added: bool = False,
    flipped: bool = False,
    views: bool = False,
    more: str = "",
) -> np.ndarray:
    """The horizontal output (B, C, H, W) pixel by pixel. Each option turns one thing of it wrong.

    `store` is the column of left that a pixel goes to, `keeps` what is stored in the end, `window`
    by how many columns the window begins too late, `blank` which of its columns hold zeros; `late`
    says that it is read before the pixel is stored, `beside` that the pixel is put at its end,
    `turned` that its columns come before its channels, `flipped` that they run from right to left;
    `added` that a pixel is added to what is stored, and `views` that a window of one channel sees
    what is stored after it; and `down` is how often `down` works on what
    comes from above.
    """
    shape = state["across.weight"].shape
    p = shape[3] // 2
    going = _comes_down(state, v, p, down)
    mask = tensor(mask_by_rule(kind, (1, shape[3]), shape[1], shape[0], colors))
    kernel = (state["across.weight"] * (mask if masked else 1))[:, :, 0, : p + 1]
    if turned:  # as a row of numbers, read with the channels of a column together
        kernel = kernel.reshape(shape[0], p + 1, shape[1]).mT
    mask = tensor(mask_by_rule("B", 1, shape[0] // 2, shape[0] // 2, colors))
    mixing = mixed((state["out.weight"] * mask)[:, :, 0, 0])
    left = h.new_zeros(*h.shape[:3], h.shape[3] + 4 * p + 2)  # from column −p − 1 on
    told, result = as_asked(kind, colors, h), []
    for c in range(h.shape[3]):
        here, own = store(c, p) + p + 1, told[..., c]
        start = c + window + p + 1
        if stored and colors > 1:  # what it was asked before stands there
            left[..., here] = before(own) + (left[..., here] if added else 0)
        seen = left[..., start : start + p + 1].clone()  # (B, C, H, p + 1)
        if stored:
            left[..., here] = own + (left[..., here] if added else 0)
        if not late or (views and shape[1] == 1):
            seen = left[..., start : start + p + 1].clone()
        if beside:
            seen[..., p] = own
        seen[..., blank(p)] = 0
        if flipped:
            seen = seen.flip(3)
        w = torch.einsum("bchk,ock->boh", seen, kernel) + biases[0] * state["across.bias"][:, None]
        w = w + (going[:, :, :, column(c)] if above else 0)
        w = w + (state[more][:, None] if more else 0)
        new = gate(*w.chunk(2, 1))
        if out:
            new = torch.einsum("bch,oc->boh", new, mixing) + biases[1] * state["out.bias"][:, None]
        result.append(new + residual(kind, own, new))
        if stored:
            left[..., here] = keeps(left[..., here], result[-1])
        if kind == "A":  # as sampling does when all colors of a pixel are there
            left[..., c + 2 * p + 1] = h[..., c]
    return torch.stack(result, dim=3).numpy()


def _comes_down(state: dict[str, torch.Tensor], v: torch.Tensor, p: int, down: int) -> torch.Tensor:
    """What the vertical stack hands down to each pixel, through `down` so many times."""
    u = F.conv2d(F.pad(v, (p, p, p, 0)), state["vertical.weight"], state["vertical.bias"])
    going = F.pad(u, (0, 0, 1, -1))
    for _ in range(down):
        going = F.conv2d(going, state["down.weight"], state["down.bias"])
    return going


def as_asked(kind: str, colors: int, h: torch.Tensor) -> torch.Tensor:
    """The inputs h when `pixel` is asked: of the image itself the last color is not drawn yet."""
    told = h.clone()
    if kind == "A":
        told[:, colors - 1 :: colors] = 0
    return told


def before(own: Any) -> Any:
    """What `pixel` is asked at a column before `own`, if there are several colors.

    Sampling asks once for each color, with what is known of the pixel by then.
    """
    return own - 1


def as_the_block(*case: Any, **wrong: Any) -> np.ndarray:
    """What the student's own block gives at every column; with `wrong`, what a mistake gives."""
    return memory_by_rule(*case, **wrong) if wrong else case[5]


_OF_MEMORIES = (
    Mistake("not-stored", "this pixel's own input is missing in the window: store h in self.left "
        "before you read it", options={"stored": False}),
    Mistake("not-stored", "the window is read before this pixel's own input is in it: store h in "
        "self.left first", options={"late": True}),
    Mistake("not-stored", "the window is read before this pixel's own input is in it: store h in "
        "self.left first", gives=lambda *case, **wrong: memory_by_rule(
            *case, late=True, views=True, **wrong)),
    Mistake("added-to-the-store", "h is added to what stands in self.left: with several colors a "
        "pixel is asked several times, and the newest h takes the old one's place",
        options={"added": True}),
    Mistake("window-reversed", "the columns of the window run from right to left: self.kernel "
        "begins with the leftmost of them", options={"flipped": True}),
    Mistake("bias-twice", "the bias of `down` is added once more: self.above has it",
        options={"more": "down.bias"}),
    Mistake("mixing-turned", "self.mixing lies ready for `x @ self.mixing`: it is turned already",
        options={"mixed": lambda mixing: mixing.T}),
    Mistake("down-again", "`down` works twice: self.above has been through it in row",
        options={"down": 2}),
    Mistake("never-stored", "the window ends with this pixel, which is stored nowhere: the pixels "
        "after it find zeros in its place, so put h into self.left, where it stays until the row "
        "ends", options={"stored": False, "beside": True}),
    Mistake("outputs-stored", "what comes out is stored in self.left, in the place of h: the "
        "window holds the row's inputs", options={"keeps": lambda own, result: (
            result if result.shape == own.shape else own)}),
    *(Mistake("bias-forgotten", f"the bias of {which} is missing: self.kernel and self.mixing are "
        "weights alone, and the biases are in self.block", options={"biases": biases})
        for which, biases in (("`across`", (0, 1)), ("`out`", (1, 0)), ("both layers", (0, 0)))),
    Mistake("window-late", "the window begins one column too late: column c of the image is "
        "column c + reach of left", options={"window": 1}),
    Mistake("window-early", "the window begins one column too early: it ends with this pixel's "
        "own column", options={"window": -1}),
    Mistake("nothing-from-above", "what the vertical stack hands down is missing: self.above has "
        "it", options={"above": False}),
    Mistake("above-of-another-column", "every pixel gets what belongs to the first column of "
        "self.above", options={"column": lambda c: 0}),
    Mistake("above-of-another-column", "every pixel gets what belongs to the column before it: "
        "column c of self.above is that of column c", options={"column": lambda c: c - 1}),
    Mistake("residual-forgotten", "a block of kind B adds its input h",
        options={"residual": lambda kind, h, new: 0}),
    *(Mistake("residual-in-A", "a block of kind A has no residual, and yours adds h",
        options={"residual": residual}) for residual in (
            lambda kind, h, new: h, lambda kind, h, new: h if h.shape == new.shape else 0)),
    Mistake("not-shifted", "h is stored at column c of left: column c of the image is column c + "
        "reach there, and the window then ends with it", options={"store": lambda c, p: c}),
    Mistake("not-shifted", "h is stored at column c of left and looked for there: sampling writes "
        "a finished pixel to column c + reach, and yours is never told its last color",
        gives=lambda *case, **wrong: memory_by_rule(
            *case, store=lambda c, p: c, window=-(case[2]["across.weight"].shape[3] // 2), **wrong
        )),
    Mistake("row-forgotten", "the window holds this pixel alone: those left of it stay in "
        "self.left until the row ends", options={"blank": slice}),
    Mistake("own-column-missing", "the window ends before this pixel: it has reach + 1 columns, "
        "of which this pixel's own is the last, and kind A's mask hides what it has to",
        options={"blank": lambda p: slice(p, None)}),
    Mistake("mask-forgotten", "these are the weights without their mask: self.kernel has it",
        options={"masked": False}),
    Mistake("window-turned", "the window is laid out column by column: self.kernel wants the reach "
        "+ 1 columns of a channel together, as (B, C, p + 1).flatten(1) has them",
        options={"turned": True}),
    Mistake("gates-swapped", "tanh and σ have changed places",
        options={"gate": _changed_places}),
    Mistake("no-gate", "the gate is missing: multiply by σ of the second half",
        options={"gate": lambda a, b: torch.tanh(a)}),
    Mistake("relu-for-tanh", "the first half goes through a ReLU: a gate is tanh(a) · σ(b)",
        options={"gate": lambda a, b: torch.relu(a) * torch.sigmoid(b)}),
    Mistake("linear-gate", "tanh is missing: a gate is tanh(a) · σ(b)",
        options={"gate": lambda a, b: a * torch.sigmoid(b)}),
    Mistake("out-forgotten", "the 1×1 convolution `out` (self.mixing) is missing",
        options={"out": False}),
)  # fmt: skip


def memory_by_hand(
    make: Any, block: Any, state: dict, v: Any, h: Any, whole: np.ndarray, kind: str, *_: Any
) -> str:
    """The last pixel of a row of two, in a block of one channel and reach 1."""
    if h.numel() > 2:
        return ""
    left, own = float(h[..., 0]), float(as_asked(kind, 1, h)[..., 1])
    kernel = state["across.weight"][:, 0, 0, :2] * torch.tensor([1.0, float(kind == "B")])
    above, bias = state["down.bias"], state["across.bias"]
    one, two = (kernel @ h.flatten() + bias + above).tolist()
    new = math.tanh(one) / (1 + math.exp(-two))
    weight, added = (float(state[name]) for name in ("out.weight", "out.bias"))
    sees = f"({left:.3g}, {own:.3g})" + (", of which A hides the second" if kind == "A" else "")
    end = f" + h = {own:.3g}" if kind == "B" else ""
    return (
        f"column 1: window {sees}; w = (kernel · window) + bias + above = ({one:.3g}, {two:.3g}); "
        f"tanh({one:.3g}) · σ({two:.3g}) = {new:.3g}; {weight:.3g} · {new:.3g} + {added:.3g}{end} "
        f"gives {float(whole[0, 0, 0, 1]):.4g}"
    )


def _pixel_by_pixel(
    BlockMemory: Standin,
    block: Standin,
    state: dict,
    v: Any,
    h: Any,
    whole: np.ndarray,
    kind: str,
    colors: int = 1,
) -> np.ndarray:
    """What `pixel` gives at all places: one pixel a question, so that no later one can be seen."""
    memory = made_by(memory_of, BlockMemory, block, len(v), v.shape[-1])
    got, asked = np.zeros(whole.shape), as_asked(kind, colors, h)
    for r in range(v.shape[2]):
        for c in range(v.shape[3]):
            if colors > 1:
                pixel_by(memory, c, before(asked[:, :, r, c]))
            told = pixel_by(memory, c, asked[:, :, r, c])
            if kind == "A":
                finish_pixel(memory, c, h[:, :, r, c])
            shape = (len(v), whole.shape[1])
            got[:, :, r, c] = expect_array(told, shape, "float", "what pixel returns, (B, C) each,")
        end_row(memory, v[:, :, r])
    return got  # fmt: skip


@checks("BlockMemory", lesson=LESSON, points=3, see="Exercise 6: do not compute it twice")
def a_pixel_at_a_time(BlockMemory: Standin, draw: Draw) -> Said:
    """Features of the past do not change: a pixel needs one column of new ones."""
    seed_generators(BlockMemory, draw.integer(0, 2**31))
    GatedBlock = beside(BlockMemory, "GatedBlock")
    carried = []

    def asked(block: Standin, channels: int, draw: Draw, shape: tuple[int, ...], *of: Any) -> tuple:
        randomize_parameters(block, draw.rng)
        v, h = (tensor(draw.normal(*shape)) for _ in range(2))
        whole = _both_stacks(block(v, h))[:, channels:].numpy()
        return (BlockMemory, block, _state_of(block, _LAYERS), v, h, whole, *of)

    def blocks(draw: Draw) -> list[tuple]:
        found = []
        for kind, channels_in, channels, size, *colors in (
            ("B", 4, 4, 3),
            ("A", 1, 3, draw.choice((5, 7)), 1),
            ("B", 6, 6, 5, 3),
            ("A", 3, 3, 3, 3),
        ):
            block = made_by(GatedBlock, kind, channels_in, channels, size, *colors).double()
            example = [tensor(draw.normal(2, channels_in, 3, 4)) for _ in range(2)]
            carried.append(
                carries_its_weights(
                    block, lambda m, x=example, c=channels: _both_stacks(m(*x))[:, c:], draw.rng
                )
            )
            shape = (2, channels_in, 3, draw.integer(4, 6))
            found.append(asked(block, channels, draw, shape, kind, *colors))
        return found

    def of_two_pixels(*case: Any) -> list[tuple]:
        """Blocks of one channel, on a row of two pixels."""
        if case[4].numel() == 2:
            return []
        made = ((kind, made_by(GatedBlock, kind, 1, 1, 3).double()) for kind in "AB")
        return [asked(block, 1, draw, (1, 1, 1, 2), kind) for kind, block in made]

    said = list(examine(
        Subject(
            ask=_pixel_by_pixel,
            rule=as_the_block,
            forms=(memory_by_rule,),
            mistakes=_OF_MEMORIES,
            show=lambda make, block, state, v, h, whole, kind, colors=1: (
                f"kind {kind}, reach {state['across.weight'].shape[3] // 2}, {colors} "
                f"color{'s' * (colors > 1)}"
            ),
            told=_told_pixels,
            by_hand=memory_by_hand,
            smaller=of_two_pixels,
            alike=lambda a, b: close(a, b, 1e-7),
        ),
        draw,
        Property(
            "pixel",
            "pixel(c, h) is what the block gives at column c",
            blocks,
            points=1,
            asks="across on the last reach + 1 columns, plus what comes from above, gate, out",
            typical=False,
        ),
    ))  # fmt: skip
    fits = all(one.holds for one in said if isinstance(one, Claim))
    deaf = waits_unless(all(carried), "a GatedBlock that is made of its input and weights")
    if deaf:
        yield waiting("pixel(c, h) is what the block gives at column c", deaf, points=1, id="pixel")
    else:
        yield from said
    same = "cached sampling draws the naive images, bit for bit, under the same generator"
    flat = "a pixel of a large image costs what a pixel of a small one does"
    if not fits or deaf:
        for text in (same, flat):
            yield waiting(text, deaf or "“pixel(c, h) is what the block gives”", points=1)
        return
    PixelCNN, sample_cached = (beside(BlockMemory, n) for n in ("PixelCNN", "sample_cached"))
    found = _cached_and_naive(PixelCNN, sample_cached, draw)
    yield claim(
        same,
        not found,
        points=1,
        saw=found,
        asks="the same probabilities up to rounding, the same uniform numbers, the same levels",
        advice="find the first number that differs, and compare its logits with the model's",
    )
    model = made_by(PixelCNN, 4, 1, 6, (3, 3)).eval()
    sizes = ((3, 6), (6, 48))
    counts = [operations_of_sampling(model, sample_cached, *size) for size in sizes]
    good = all(isinstance(n, int) and n > 0 for n in counts)
    each = [n / math.prod(size) for n, size in zip(counts, sizes, strict=True)] if good else []
    growth = each[1] / each[0] if good else math.inf
    yield claim(
        flat,
        growth < 1.2,
        points=1,
        saw=f"{growth:.2f} times the operations a pixel at 6×48 pixels as at 3×6"
        if good
        else "no count",
        asks="one column of features for each pixel, whatever the width",
        advice=when(
            good,
            "whole-row-again",
            "the work for a pixel grows with the image: something is computed, or copied, for the "
            "whole row, and the reach + 1 last columns are all that a pixel needs",
        ),
    )


def _told_pixels(answer: np.ndarray) -> str:
    """The first channel of the first image, row by row."""
    rows = "; ".join(shown(row) for row in answer[0, 0])
    return f"channel 0 of image 0, row by row, {rows}"


MODELS = 5  # one in hundreds draws the same level everywhere


def _cached_and_naive(PixelCNN: Standin, sample_cached: Standin, draw: Draw) -> str:
    """How cached images differ from naive ones in words; "" if they do not."""
    for levels, colors, kernels, height, width, gain in (
        (4, 1, (5, 3), 5, 6, 2.0),
        (3, 3, (3, 3), 3, 4, 1.0),
    ):
        for _ in range(MODELS):
            model = made_by(PixelCNN, levels, colors, 6, kernels).double().eval()
            randomize_parameters(model, draw.rng, gain=gain)
            # In double precision the two probabilities differ by about 1e-15, and a level by chance
            # in at most 1e-15 · (numbers drawn) · (levels) of the cases: below 1e-11 here.
            seed = draw.integer(0, 2**31)
            generators = [torch.Generator().manual_seed(seed) for _ in range(2)]
            drawn = (
                model.sample(8, height, width, generators[0]),
                sample_cached(model, 8, height, width, generators[1]),
            )
            shape = (8, colors, height, width)
            naive, cached = (expect_array(i, shape, "int", "the images") for i in drawn)
            if (naive != cached).any():
                return f"{(naive != cached).sum()} of {naive.size} numbers differ"
            if np.ptp(naive) > 0:
                break
        else:
            return "images without any variation"
    return ""
