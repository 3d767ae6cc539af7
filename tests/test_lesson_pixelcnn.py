"""Lesson 09: its numbers hold, its networks see what they should, cached pixels are naive ones."""

from __future__ import annotations

import math
import re
from typing import Any

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from autograder import lessons
from autograder.checking import judge
from autograder.checks import pixelcnn as checks
from autograder.checks.samples import false_alarm
from autograder.draw import Draw
from course.causality import dependency_map, passes_cuts
from course.data import digits
from course.training import fit
from figures.receptive_field import ReceptiveFieldExplorer
from figures.sampling import SamplingPlayer
from tests.notebooks import number

LESSON = "09_pixelcnn"


def random_model(solved: dict, *args: Any, gain: float = 1.0, seed: int = 0) -> torch.nn.Module:
    torch.manual_seed(seed)
    model = solved["PixelCNN"](*args).double().eval()
    checks.randomize_parameters(model, np.random.default_rng(seed), gain=gain)
    return model


# --- the checks -----------------------------------------------------------------------------------


def test_what_runs_beside_the_student_holds_no_solution(text: str):
    inside = (lessons.ROOT / "autograder" / "inside" / "pixelcnn.py").read_text(encoding="utf-8")
    solutions = re.findall(r"### BEGIN SOLUTION\n(.*?)### END SOLUTION", text, re.DOTALL)
    lines = {line.strip() for part in solutions for line in part.splitlines()}
    told = {line for line in lines if len(line) > 30 and line in inside}
    assert not told


def test_a_uniform_distribution_earns_only_what_is_true_of_it(solved: dict):
    """It is causal, sums to 1 and can be sampled: none of that was learned from an image."""

    class Uniform(solved["PixelCNN"]):
        def forward(self, x):
            return 0 * super().forward(x)

    for name in ("PixelCNN.forward", "PixelCNN"):
        assert judge(Uniform, name=name, lesson=LESSON).earned == 0


def test_false_alarms_of_the_sampling_claims_are_rarer_than_one_in_a_million():
    for outcomes, draws, bound in (
        (checks.OUTCOMES, checks.DRAWS, checks.BOUND),
        (16, checks.DRAWS_OF_ALL, checks.BOUND_OF_ALL),
    ):
        assert false_alarm(outcomes, draws, bound) < 1e-8


@pytest.mark.parametrize("seed", range(4))
def test_any_draw_tells_a_right_sampler_from_every_mistake(seed: int):
    draw, never = Draw(seed, "PixelCNN.inpaint"), {one.advice for one in checks._OF_DRAWING}
    for levels, shape, rows in (
        *((levels, shape, 0) for levels, shape in checks.ALL_ROWS),
        *((2, shape, rows) for rows, shape in checks.lower_rows()),
    ):
        assert levels ** math.prod(shape) <= checks.OUTCOMES
        given = draw.rng.integers(0, levels, size=shape)
        case = None, checks.telling_table(draw, levels, given, rows), given, rows, 0
        right = checks.drawn_by_rule(*case)
        for one in checks._OF_DRAWING:
            wrong = (one.gives or checks.drawn_by_rule)(*case, **one.options)
            assert (right.sum(), wrong.sum()) == pytest.approx((1, 1))
            if np.abs(right - wrong).sum() > 2 * checks.BOUND:
                never.discard(one.advice)
    assert never == {one.advice for one in checks._OF_DRAWING if one.after}


def test_a_table_of_logits_is_autoregressive():
    table = checks.table_of_logits(Draw(0, "table"), 2, (3, 1, 2))
    every, order = checks.images(2, (3, 1, 2)), checks.ranks(3, 1, 2)
    assert (checks.codes(every, 2) == np.arange(64)).all()
    for place, rank in enumerate(order):
        same_past = (every.reshape(64, 6)[:, order < rank][:, None] ==
                     every.reshape(64, 6)[:, order < rank][None]).all(-1)  # fmt: skip
        logits = table.reshape(64, 2, 6)[:, :, place]
        assert ((logits[:, None] == logits[None]).all(-1) == same_past).all()


# --- what the networks see ------------------------------------------------------------------------


def measured_offsets(model: torch.nn.Module, side: int, target: tuple[int, int]) -> set:
    seen = dependency_map(model, torch.zeros(2, 1, side, side).normal_(), "normal", outputs=1)
    r, c = target
    return {(i // side - r, i % side - c) for i in np.flatnonzero(seen.sees[r * side + c])}


@pytest.mark.parametrize(
    "layers",
    [
        [("A", 3)],
        [("A", 3), ("B", 3), ("B", 3)],
        [("A", 5), ("B", 3)],
        [("A", 3), ("A", 3), ("B", 5)],
        [("B", 3), ("B", 3)],
    ],
)
def test_the_closed_form_is_the_measured_field(solved: dict, layers: list):
    torch.manual_seed(0)
    reach = sum(size // 2 for _, size in layers)
    side, center = 2 * reach + 3, (reach + 1, reach + 1)
    plain = measured_offsets(solved["plain_stack"](layers), side, center)
    assert plain == solved["receptive_field"](layers) == checks.sums_of_offsets(layers)
    if all(kind == "B" for kind, _ in layers[1:]) and layers[0][0] == "A":
        gated = measured_offsets(solved["GatedStack"](layers), side, center)
        assert gated == solved["gated_field"](layers)
        assert plain < gated


@pytest.mark.parametrize("depth", [1, 2, 3, 7, 15, 40])
def test_the_blind_spot_has_the_share_that_the_prose_says(solved: dict, depth: int):
    seen = len(solved["receptive_field"]([("A", 3)] + [("B", 3)] * (depth - 1)))
    legal = 2 * depth**2 + 2 * depth
    assert seen == depth + 3 * depth * (depth + 1) // 2
    assert legal - seen == depth * (depth - 1) // 2
    assert (legal - seen) / legal == pytest.approx((depth - 1) / (4 * (depth + 1)))


def test_the_gated_network_sees_all_colors_of_the_past_and_nothing_else(solved: dict):
    model = random_model(solved, 4, 3, 6, (5, 3))
    order = checks.ranks(3, 3, 4)
    x = torch.randint(4, (2, 3, 3, 4))
    seen = dependency_map(model, x, "token", vocabulary=4, outputs=1, expected=order)
    assert seen.is_autoregressive(order)
    assert len(seen.missing(order)) == 0


def test_sixty_pixels_come_before_the_middle_of_eleven_rows_and_25_lie_to_the_right():
    before = [(r, c) for r in range(11) for c in range(11) if (r, c) < (5, 5)]
    right = [c for r, c in before if c > 5]
    left = [c for r, c in before if r == 5]
    assert (len(before), len(right), len(left)) == (60, 25, 5)
    assert len(before) - len(right) == 35


# --- cached is naive ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("levels", "colors", "kernels", "count", "height", "width"),
    [(16, 1, (7, 3, 3), 16, 28, 28), (4, 3, (5, 3), 7, 6, 9), (2, 1, (3,), 3, 1, 5)],
)
def test_cached_and_naive_pixels_are_equal_bit_for_bit_and_provably(
    solved: dict, levels: int, colors: int, kernels: tuple, count: int, height: int, width: int
):
    """The largest gap of any edge of a cell is smaller than any uniform number's distance to one.

    Both draw the same uniform numbers. A level can differ only if one of them falls between the
    naive edge and the cached one; as long as all images were equal so far, the edges are those of
    the same image, so the margin proves each next pixel equal.
    """
    model = random_model(solved, levels, colors, 6, kernels)
    seeds = [torch.Generator().manual_seed(5) for _ in range(2)]
    cached = solved["sample_cached"](model, count, height, width, seeds[0])
    if height * width > 100:  # the same as `sample`, but drawn along the cached images in one pass
        naive = one_pass_of_naive_draws(solved, model, cached, 5)
    else:
        naive = model.sample(count, height, width, seeds[1])
        assert torch.equal(seeds[0].get_state(), seeds[1].get_state())
    assert torch.equal(naive, cached)
    assert cached.float().std() > 0.1
    edges = recorded_edges(solved, model, count, height, width)
    with torch.no_grad():
        whole = model(cached).softmax(1).cumsum(1)[:, :-1]
    gap = float((edges - whole).abs().max())
    with torch.no_grad():
        assert gap < 1e-12 < solved["narrowest"](model, cached, 5)


def one_pass_of_naive_draws(solved: dict, model: Any, images: Any, seed: int) -> torch.Tensor:
    """What naive sampling draws at each pixel if all before it are those of `images`.

    A causal network's logits do not depend on what comes later, so one pass has them all; by
    induction this equals `images` exactly where naive sampling does.
    """
    generator, drawn = torch.Generator().manual_seed(seed), torch.empty_like(images)
    with torch.no_grad():
        logits = model(images)
    for r in range(images.shape[2]):
        for c in range(images.shape[3]):
            for k in range(images.shape[1]):
                drawn[:, k, r, c] = solved["draw_levels"](logits[:, :, k, r, c], generator)
    return drawn


def recorded_edges(solved: dict, model: Any, count: int, height: int, width: int) -> torch.Tensor:
    """The edges of all cells as cached sampling (seed 5) computed them: (B, levels − 1, …)."""
    recorded, draw = [], solved["draw_levels"]

    def recording(logits: torch.Tensor, generator: Any = None) -> torch.Tensor:
        recorded.append(logits.double().softmax(dim=1).cumsum(dim=1)[:, :-1])
        return draw(logits, generator)

    solved["draw_levels"] = recording  # the namespace that the lesson's functions look into
    try:
        solved["sample_cached"](model, count, height, width, torch.Generator().manual_seed(5))
    finally:
        solved["draw_levels"] = draw
    edges = torch.stack(recorded, dim=-1)  # (B, levels − 1, H · W · colors)
    return edges.view(*edges.shape[:2], height, width, -1).permute(0, 1, 4, 2, 3)


def test_a_cached_pixel_costs_the_same_in_any_image(solved: dict):
    model = solved["PixelCNN"](4, 1, 6, (3, 3)).eval()
    small, large = (
        checks.operations_of_sampling(model, solved["sample_cached"], side, side) / side**2
        for side in (6, 18)
    )
    assert large < 1.02 * small


def test_inpainting_gives_the_conditional_likelihood(solved: dict):
    """log p(lower | upper) = log p(x) − log p(upper), the latter summed over all lower halves."""
    model = random_model(solved, 2, 1, 6, (3,), gain=2.0)
    every = torch.cartesian_prod(*[torch.tensor([0, 1])] * 6).view(64, 1, 3, 2)
    with torch.no_grad():
        log_p, cost = -model.nll(every), model.pixel_nll(every)
    upper = every[:, 0, :2].flatten(1) @ torch.tensor([8, 4, 2, 1])
    for half in upper.unique():
        here = log_p[upper == half]
        lower = -cost[upper == half][:, :, 2:].flatten(1).sum(1)
        assert torch.allclose(lower, here - here.logsumexp(0), atol=1e-9)


# --- the numbers of the prose ---------------------------------------------------------------------


def test_the_worked_numbers(solved: dict, text: str):
    assert math.tanh(0.5493) * 1 / (1 + math.exp(-1.0986)) == pytest.approx(0.375, abs=1e-4)
    assert f"{17.2 / (64 * math.log(2)):.3f}" == "0.388" and round(17.2 / math.log(2)) == 25
    assert f"{70 / (64 * math.log(2)):.3f}" == "1.578"
    for shown in ("0.375", "0.388", "1.578"):
        assert shown in text
    layer = solved["MaskedConv2d"]("A", 1, 1, (1, 3))
    with torch.no_grad():
        layer.weight.copy_(torch.tensor([2.0, 5, 7]).view(1, 1, 1, 3))
        layer.bias.zero_()
    assert layer(torch.tensor([[[[1.0, 10, 100]]]])).flatten().tolist() == [0, 2, 20]
    field = solved["receptive_field"]([("A", 3), ("B", 3)])
    assert [sum(r == row for r, _ in field) for row in (-2, -1, 0)] == [5, 4, 2]
    window = {(r, c) for r in (-2, -1) for c in range(-2, 3)} | {(0, -2), (0, -1)}
    assert window - field == {(-1, 2)}
    logits = torch.tensor([[0.5, 0.25, 0.25]]).log()
    drawn = [
        int(solved["draw_levels"](logits, torch.Generator().manual_seed(seed)))
        for seed in range(3000)
    ]
    assert np.bincount(drawn) / 3000 == pytest.approx([0.5, 0.25, 0.25], abs=0.05)


def test_the_digits_are_as_many_as_the_prose_says(text: str):
    split = digits(levels=16, flat=False)
    assert [len(split.train), len(split.valid), len(split.test)] == [1297, 200, 300]
    assert split.train.shape[1:] == (1, 8, 8) and split.levels == 16
    assert "1,797 digits of 8×8 pixels" in text


# --- the experiments, as the instructor's notebook ran them ---------------------------------------


def test_the_small_networks_probabilities_sum_to_one(told: str):
    assert number(r"the 64 probabilities sum to ([\d.]+)", told) == pytest.approx(1, abs=1e-5)
    assert number(r"an image costs ([\d.]+) bits, in the mean", told) > 6  # Gibbs' inequality


def test_pixelcnn_beats_independent_pixels_at_16_levels_by_half_a_bit(told: str):
    independent = number(r"independent pixels\s+([\d.]+) bits", told)
    assert independent == pytest.approx(2.319, abs=0.002)
    assert number(r"PixelCNN\s+([\d.]+) ± [\d.]+ \(standard", told) == pytest.approx(1.75, abs=0.04)


def test_pixelcnn_does_not_beat_made_on_few_tiny_images(told: str):
    made = number(r"MADE\s+([\d.]+) ±", told)
    two = number(r"PixelCNN\s+([\d.]+) ± [\d.]+ nats", told)
    assert made == pytest.approx(17.1, abs=0.3)
    assert two == pytest.approx(17.9, abs=0.5)
    assert 16.9 < made < two  # 16.9: NADE's, held by the tests of lesson 04


def trained(solved: dict, block: type | None = None) -> tuple[torch.nn.Module, float]:
    """A small PixelCNN on black and white digits, of blocks of that class; its validation nats."""
    black, own = digits(levels=2, flat=False), solved["GatedBlock"]
    solved["GatedBlock"] = block or own  # the name that the lesson's PixelCNN looks up
    try:
        torch.manual_seed(0)
        model = solved["PixelCNN"](levels=2, channels=12, kernels=(5, 3))
    finally:
        solved["GatedBlock"] = own
    run = fit(model, black.train, black.valid, epochs=6, batch_size=25, lr=1e-2, progress=False)
    return model, run.best


def test_a_network_that_sees_itself_has_no_loss_and_draws_no_digits(solved: dict):
    """The two leaks that the lesson names: no shift between the stacks, and B for the first layer.

    The honest network of the same size is the control.
    """

    class Unshifted(solved["GatedBlock"]):
        def forward(self, v, h):
            p = self.reach
            u = self.vertical(F.pad(v, (p, p, p, 0)))
            a, b = u.chunk(2, dim=1)
            v = torch.tanh(a) * torch.sigmoid(b)
            a, b = (self.across(h) + self.down(u)).chunk(2, dim=1)
            new = self.out(torch.tanh(a) * torch.sigmoid(b))
            return v, (h + new if self.kind == "B" else new)

    class FirstIsB(solved["GatedBlock"]):
        def __init__(self, kind, *sizes):
            super().__init__("B", *sizes)

    model, honest = trained(solved)
    assert 16 < honest < 21
    ink = digits(levels=2, flat=False).test.double().mean()
    drawn = model.sample(50, 8, 8, torch.Generator().manual_seed(0)).double().mean()
    assert 0.7 * ink < drawn < 1.3 * ink
    for leak in (Unshifted, FirstIsB):
        model, nats = trained(solved, leak)
        assert nats < 0.5, leak.__name__
        drawn = model.sample(50, 8, 8, torch.Generator().manual_seed(0)).double().mean()
        assert drawn < 0.1 * ink, f"{leak.__name__}: it copies the zeros that stand there"


def test_the_cheapest_color_is_the_last_one_whichever_it_is(solved: dict):
    """The control of "B can look at both": with the channels turned round it is R that is cheap."""
    four, random = digits(levels=4, flat=False), torch.Generator().manual_seed(0)
    train, valid, test = (
        solved["tinted"](part, random).flip(1) for part in (four.train, four.valid, four.test)
    )
    torch.manual_seed(0)
    painter = solved["PixelCNN"](levels=4, colors=3, channels=12, kernels=(5, 3))
    fit(painter, train, valid, epochs=4, batch_size=25, lr=1e-2, progress=False)
    with torch.no_grad():
        blue, green, red = painter.pixel_nll(test).mean((0, 2, 3)).tolist()
    assert red < 0.75 * min(blue, green)


def test_a_label_saves_more_than_perfect_models_allow_and_tells_the_digits_apart(told: str):
    saved, error = (number(p, told) for p in (r"saved ([\d.]+) ±", r"saved [\d.]+ ± ([\d.]+) bits"))
    assert saved - 3 * error > math.log2(10)
    gain, error = (
        number(p, told) for p in (r"nats, ([\d.]+) ±", r"nats, [\d.]+ ± ([\d.]+) better")
    )
    assert gain == pytest.approx(0.86, abs=0.3) and gain > 5 * error
    assert number(r"is the right one for ([\d.]+)%", told) > 85


def test_the_last_color_is_the_cheapest_and_ink_is_kept(told: str):
    red, green, blue = (number(rf"(?m)^{c}: ([\d.]+) bits a number", told) for c in "RGB")
    assert blue < 0.5 * min(red, green)
    assert number(r"(\d+) of 48 drawn digits keep one ink", told) > 24


def test_the_notebooks_naive_and_cached_images_are_equal_and_the_gain_grows(told: str):
    assert number(r"different pixels: (\d+) of", told) == 0
    assert number(r"nearest edge ([\d.e+-]+),", told) > 1e-9
    rows = re.findall(r"(?m)^ +(\d+) +([\d.]+) +([\d.]+) +([\d.]+)$", told)
    gains = {int(side): float(gain) for side, _, _, gain in rows}
    assert list(gains) == [8, 12, 16, 20]
    assert gains[20] > 2 * gains[8]


# --- the widgets ----------------------------------------------------------------------------------


def test_the_explorer_measures_the_students_own_stacks(solved: dict):
    explorer = ReceptiveFieldExplorer.of_stacks(
        {"plain": solved["plain_stack"], "gated": solved["GatedStack"]},
        {"plain": solved["receptive_field"], "gated": solved["gated_field"]},
        side=7,
        depth=3,
    )
    for name in ("plain", "gated"):
        explorer.choose(name, "A", "B", 3)
        said = [explorer.pixel_in_words(o) for o in range(49)]
        assert all(s.endswith("Your formula predicts exactly this.") for s in said)
        assert ("Blind spot" in explorer.pixel_in_words(5 * 7 + 3)) == (name == "plain")
    assert explorer.in_words().startswith("Autoregressive: everything before")
    explorer.choose("plain", "B", "B", 2)
    assert explorer.in_words().startswith("Not autoregressive: 49 of 49 outputs")
    assert "it sees 1 pixel at or after itself: row 4, column 4." in explorer.pixel_in_words(24)
    explorer.choose("gated", "A", "A", 3)
    assert "Lost: " in explorer.pixel_in_words(5 * 7 + 4)
    assert "◎" in repr(explorer) and "█" in repr(explorer)


def test_the_explorer_tells_a_wrong_prediction(solved: dict):
    explorer = ReceptiveFieldExplorer.of_stacks(
        {"plain": solved["plain_stack"]}, {"plain": solved["gated_field"]}, side=5, depth=2
    )
    explorer.choose("plain", "A", "B", 1)
    assert explorer.pixel_in_words(4 * 5 + 2).endswith(
        "Your formula predicts 3 pixels that are not seen, and misses 0 pixels that are."
    )


def test_the_explorer_draws_colors_in_their_order(solved: dict):
    model = solved["PixelCNN"](4, 3, 6, (3, 3))
    explorer = ReceptiveFieldExplorer.of_model(model, 4, 4, colors=3, levels=4, reach=2)
    assert explorer.in_words().startswith("Autoregressive: everything before")
    pixel = 3 * 5
    for k, color in enumerate("RGB"):
        assert list(explorer.sees[pixel + k, pixel : pixel + 3]) == [j < k for j in range(3)]
        assert explorer.pixel_in_words(pixel + k).startswith(f"{color} of row 2, column 2 sees")


def test_an_unsolved_or_failing_network_is_one_sentence():
    def build(layers):
        raise NotImplementedError("MaskedConv2d: write your code here")

    assert repr(ReceptiveFieldExplorer.of_stacks({"plain": build})) == (
        "ReceptiveFieldExplorer: MaskedConv2d is not written yet: solve its exercise first."
    )
    said = repr(ReceptiveFieldExplorer.of_stacks({"plain": lambda layers: layers[99]}))
    assert said.startswith("ReceptiveFieldExplorer: <lambda>") and "IndexError" in said

    class Model:
        def sample(self, *args):
            raise NotImplementedError("PixelCNN: write your code here")

    assert repr(SamplingPlayer.of(Model(), 1, 2, 2)) == (
        "SamplingPlayer: PixelCNN is not written yet: solve its exercise first."
    )


def test_widgets_refuse_what_they_cannot_draw():
    with pytest.raises(ValueError, match="side must be in 2 … 20"):
        ReceptiveFieldExplorer.of_stacks({"plain": list}, side=50)
    with pytest.raises(ValueError, match="at most 400 numbers"):
        ReceptiveFieldExplorer.of_model(None, 28, 28)
    with pytest.raises(ValueError, match=r"whole numbers 0 … 1"):
        SamplingPlayer(np.full((1, 2, 2), 2), levels=2)
    with pytest.raises(ValueError, match="turns must hold each of 0 … 3 once"):
        SamplingPlayer(np.zeros((1, 2, 2), int), turns=[0, 0, 1, 2])
    with pytest.raises(ValueError, match="chances must have shape"):
        SamplingPlayer(np.zeros((1, 2, 2), int), chances=np.zeros((1, 2, 2)))


def test_the_player_adds_up_the_exact_likelihood(solved: dict):
    model = random_model(solved, 4, 3, 6, (3,))
    player = SamplingPlayer.of(model, 2, 3, 2, torch.Generator().manual_seed(0))
    images = model.sample(2, 3, 2, torch.Generator().manual_seed(0))
    with torch.no_grad():
        nats, bits = model.nll(images), model.bits_per_dim(images)
    for k in range(2):
        said = player.step_in_words(18, k)
        assert f"So far {nats[k]:.2f} nats. All is drawn: {bits[k]:.3f} bits per dim" in said
    assert player.step_in_words(0) == "Image 1, step 0 of 18: nothing, nothing drawn yet."
    assert "G of row 1, column 1 becomes level" in player.step_in_words(2)


def test_the_trained_kind_of_network_passes_raw_cuts(solved: dict):
    torch.manual_seed(3)
    model = solved["PixelCNN"](16)
    x = torch.randint(16, (2, 1, 8, 8))
    assert passes_cuts(model, x, "token", vocabulary=16, outputs=1)


def test_a_stack_of_a_alone_loses_the_nearest_pixels_of_its_row(solved: dict) -> None:
    for depth in (2, 3, 5):
        all_a = solved["receptive_field"]([("A", 3)] * depth)
        control = solved["receptive_field"]([("A", 3)] + [("B", 3)] * (depth - 1))
        assert all_a < control
        assert {c for r, c in control - all_a if r == 0} == set(range(1 - depth, 0))
