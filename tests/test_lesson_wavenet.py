"""Lesson 10: its numbers are true, cached sound is naive sound, and its tree says what it sees."""

from __future__ import annotations

import copy
import itertools
import json
import math
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from autograder.checking import judge
from autograder.checks import wavenet as checks
from autograder.diagnosis.mistakes import program_of, value_of
from autograder.draw import Draw
from autograder.lessons import solution_functions
from course import sound
from course.causality import batch_leaks, dependency_map
from course.operations import count_operations
from figures.dilation_tree import DILATIONS, KERNELS, SAMPLES, DilationTree

LESSON = "10_wavenet"


def drawn(solved: dict, *settings: Any, seed: int = 0, gain: float = 1.0) -> Any:
    """A WaveNet in double precision with weights that make its logits vary."""
    torch.manual_seed(seed)
    model = solved["WaveNet"](*settings).double().eval()
    for p in model.parameters():
        torch.nn.init.normal_(p, std=gain / (p[0].numel() if p.ndim > 1 else 4) ** 0.5)
    return model


# ---------------------------------------------------------------------------------- the checks


def test_a_constant_distribution_earns_no_point_for_summing_to_one(solved: dict) -> None:
    class WaveNet(solved["WaveNet"]):
        def forward(self, codes: Any, label: Any = None) -> Any:
            return self.embed.weight.new_zeros(len(codes), self.levels, codes.shape[1])

    verdict = judge(WaveNet, name="WaveNet", lesson=LESSON)
    held = {c.text for c in verdict.claims if c.holds}
    assert not any(
        "sum to 1" in text or "see x_{t−R}" in text or "forward" in text for text in held
    )


STACKS = [(3, [2, 2, 5]), (3, [1, 3, 3, 4]), (2, [2**i for i in range(60)])]
RULES = (
    (checks.codes_of, checks.OF_ENCODING, lambda d: [*checks.quiet_and_loud(d), (LOUD, 16)]),
    (checks.decoded, checks.OF_DECODING, lambda d: [(d.permutation(n), n) for n in (256, 32)]),
    (checks.convolved, checks.OF_CONVOLUTIONS, checks.signals),
    (checks.field_of, checks.OF_FIELDS, lambda d: STACKS),
    (checks.queued, checks.OF_QUEUES, checks.signals_for_queues),
)
LOUD = np.array([-7.0, 1.5, 1e6])


def test_mistakes_of_different_names_give_different_numbers_and_never_the_rules() -> None:
    for rule, mistakes, cases in RULES:
        asked = cases(Draw(1, rule.__name__))
        given = [(one.name, [value_of(program_of(rule, [one]), c) for c in asked])
                 for one in mistakes]  # fmt: skip
        given.append(("the rule", [rule(*case) for case in asked]))
        for (one, a), (other, b) in itertools.combinations(given, 2):
            same = all(repr(x) == repr(y) for x, y in zip(a, b, strict=True))
            assert one == other or not same, (rule.__name__, one, other)


@pytest.mark.parametrize(
    ("name", "builds_on"), [("QueuedConv1d", "CausalConv1d"), ("generate_fast", "WaveNet")]
)
@pytest.mark.parametrize("instead", ["7", "'x'", "lambda *args: 3", "nn.Linear(2, 2)", "int"])
def test_what_a_check_builds_on_may_be_no_class(name: str, builds_on: str, instead: str) -> None:
    names = solution_functions(LESSON, instead={builds_on: f"{builds_on} = {instead}\n"})
    verdict = judge(names[name], name=name, lesson=LESSON)
    assert (verdict.status, verdict.earned) == ("failed", 0), verdict
    assert verdict.reason


# ------------------------------------------------------------------------- the numbers of the prose


def test_the_worked_mu_law(solved: dict, text: str) -> None:
    encode, decode = solved["mu_law_encode"], solved["mu_law_decode"]
    assert math.log(128.5) / math.log(256) == pytest.approx(0.8757, abs=5e-5)
    assert 255 * 1.8757 / 2 == pytest.approx(239.15, abs=0.01)
    assert encode(torch.tensor([0.5, 0.01]), 256).tolist() == [239, 157]
    back = decode(torch.tensor([239, 157]), 256)
    assert [f"{v:.4f}" for v in back] == ["0.4967", "0.0102"]
    assert 2 * 239 / 255 - 1 == pytest.approx(0.8745, abs=5e-5)
    assert 0.5 - float(back[0]) == pytest.approx(0.0033, abs=5e-5)
    for number in ("0.8757", "239.15", "0.4967", "0.8745", "0.0033", "c = 157", "0.0002"):
        assert number in text


def test_at_the_quiet_end_equal_steps_make_three_times_the_noise(solved: dict) -> None:
    string = sound.strings([0], 4000, seed=1)[0]
    equal = ((string + 1) / 2 * 255).round() / 255 * 2 - 1
    mu = solved["mu_law_decode"](solved["mu_law_encode"](string))
    noise = [(y - string)[3600:].square().mean().sqrt() for y in (equal, mu)]
    assert float(noise[0] / noise[1]) == pytest.approx(3.4, abs=0.4)


def test_codes_survive_by_rounding_and_many_do_not_without(solved: dict) -> None:
    codes = torch.arange(256)
    samples = solved["mu_law_decode"](codes, 256)
    assert torch.equal(solved["mu_law_encode"](samples, 256), codes)
    cut = checks.encoded(samples.numpy(), 256, half=0.0)
    assert 100 < (cut == codes.numpy()).sum() < 256


def test_the_worked_convolution_queue_and_block(solved: dict) -> None:
    conv = solved["CausalConv1d"](1, 1, 2, 2)
    with torch.no_grad():
        conv.weight.copy_(torch.tensor([[[10.0, 1.0]]]))
        conv.bias.zero_()
        x = torch.tensor([[[1.0, 2, 3, 4, 5]]])
        assert conv(x).tolist() == [[[1, 2, 13, 24, 35]]]
        same = F.conv1d(x, conv.weight, padding="same", dilation=2)
        assert same[0, 0, 0] == 2  # the first output hears the second sample
        queued = solved["QueuedConv1d"](conv)
        assert [queued(x[:, :, t : t + 1]).item() for t in range(3)] == [1, 2, 13]
        assert [float(c) for c in queued.queue] == [2, 3]
    block = solved["ResidualBlock"](1, 1, 1, 1)
    with torch.no_grad():
        for p in block.parameters():
            p.zero_()
        block.conv.bias.copy_(torch.tensor([0.5493, 1.0986]))
        block.residual.weight.fill_(2)
        block.skip.weight.fill_(-1)
        out, skip = block(torch.full((1, 1, 1), 2.0))
    assert out.item() == pytest.approx(2.75, abs=1e-4)
    assert skip.item() == pytest.approx(-0.375, abs=1e-4)


def test_the_worked_fields(solved: dict, text: str) -> None:
    field = solved["receptive_field"]
    stack = [2**i for i in range(10)]
    known = [field(2, stack), field(2, stack * 2), field(2, stack * 3), field(2, [1] * 30)]
    assert known == [1024, 2047, 3070, 31]
    assert (field(2, [1, 2, 4]), field(3, [1, 2, 4]), field(3, [1, 2, 4, 8] * 2)) == (8, 15, 61)
    assert 2**30 / sound.RATE / 3600 == pytest.approx(37, abs=0.5)
    for number in ("3,070", "2,047", "31", "37 hours"):
        assert number in text


def test_the_worked_draw(solved: dict) -> None:
    logits = torch.tensor([[0.2, 0.5, 0.3]]).log()

    codes = torch.cat(
        [solved["draw_codes"](logits, torch.Generator().manual_seed(s)) for s in range(4000)]
    )
    share = codes.bincount(minlength=3) / 4000
    assert (share - torch.tensor([0.2, 0.5, 0.3])).abs().max() < 0.04
    seeds = (torch.Generator().manual_seed(s) for s in range(4000))
    u = [torch.rand(1, generator=g, dtype=torch.float64).item() for g in seeds]
    expected = [0 if v < 0.2 else 1 if v < 0.7 else 2 for v in u]
    assert codes.tolist() == expected


def test_given_samples_are_past_and_are_not_priced(solved: dict) -> None:
    model = drawn(solved, 6, 5, 7, 2, [1, 2, 4])
    codes = torch.randint(0, 6, (3, 12), generator=torch.Generator().manual_seed(1))
    first = model.nll(codes[:, :5])
    rest = model.nll(codes, given=5)
    assert torch.allclose(first + rest, model.nll(codes))
    # Cut from the middle, a piece's first samples cost what they do for lack of a past.
    assert not torch.allclose(rest, model.nll(codes[:, 5:]))


# --------------------------------------------------------------------------------- the mathematics


@pytest.mark.parametrize(
    ("k", "dilations"), [(2, [1, 2, 4, 8]), (3, [1, 3]), (2, [1, 2, 4, 1, 2]), (2, [1, 4])]
)
def test_the_measured_field_is_the_closed_form(solved: dict, k: int, dilations: list) -> None:
    R = solved["receptive_field"](k, dilations)
    count = R + 3
    model = solved["WaveNet"](4, 6, 6, k, dilations)
    found = dependency_map(
        model, np.zeros((1, count), dtype=np.int64), "token", outputs=1, vocabulary=4
    )
    last = np.flatnonzero(found.sees[-1])
    assert (last[0], last[-1]) == (count - 1 - R, count - 2)
    assert found.is_autoregressive()
    dense = k ** len(dilations) >= R and dilations != [1, 4]
    assert (len(last) == R) == dense


def test_rows_of_a_batch_do_not_see_each_other(solved: dict) -> None:
    model = solved["WaveNet"](5, 4, 4, 2, [1, 2])
    codes = torch.randint(0, 5, (4, 9), generator=torch.Generator().manual_seed(0))
    assert not batch_leaks(model, codes, "token", vocabulary=5)


def test_all_sounds_together_have_probability_one(solved: dict) -> None:
    model = drawn(solved, 3, 5, 5, 2, [1, 2], 2, gain=2.0)
    every = torch.tensor(list(itertools.product(range(3), repeat=5)))
    for label in (0, 1):
        total = model.nll(every, torch.full((len(every),), label)).neg().exp().sum()
        assert total.item() == pytest.approx(1, abs=1e-9)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(
    ("k", "dilations", "labels"), [(2, [1, 2, 4, 8], 3), (3, [1, 2, 4], 0), (2, [1, 2, 4] * 2, 0)]
)
def test_both_generators_draw_the_same_bit_for_bit(
    solved: dict, k: int, dilations: list, labels: int, seed: int
) -> None:
    model = drawn(solved, 64, 12, 12, k, dilations, labels, seed=seed)
    label = torch.arange(labels) if labels else None
    plain, fast = (
        solved[name](model, 150, label, torch.Generator().manual_seed(seed))
        for name in ("generate", "generate_fast")
    )
    assert torch.equal(plain, fast)
    assert len(plain.unique()) > 5


def test_logits_of_both_ways_agree_to_fifteen_digits(solved: dict) -> None:
    model = drawn(solved, 32, 16, 16, 2, [1, 2, 4, 8], gain=2.0)
    codes = torch.randint(0, 32, (2, 120), generator=torch.Generator().manual_seed(2))
    fast = copy.deepcopy(model)
    for block in fast.blocks:
        block.conv = solved["QueuedConv1d"](block.conv)
    with torch.no_grad():
        x = F.pad(model.embed(codes).transpose(1, 2), (1, 0))[:, :, :-1]
        columns = [fast.stack(x[:, :, t : t + 1]) for t in range(120)]
        off = (torch.cat(columns, 2) - model(codes)).abs().max()
    assert off < 1e-12


def test_the_cost_of_a_step_is_flat_with_queues_and_grows_without(solved: dict) -> None:
    model = drawn(solved, 8, 6, 6, 2, [1, 2, 4, 8, 16, 32])

    def growth(name: str) -> float:
        one, two = (
            count_operations(solved[name], model, count, None, torch.Generator())
            for count in checks.STEPS
        )
        return two / one

    assert 1.7 < growth("generate_fast") < 2.05  # the empty queues are made once
    assert growth("generate") > 3 > checks.GROWTH


# ------------------------------------------------------------------------------ what was trained


def test_the_shipped_resonator_comes_under_the_target(solved: dict, text: str) -> None:
    settings, weights = sound.trained("wavenet_resonator")
    model = solved["WaveNet"](**settings["model"])
    model.load_state_dict(weights)
    heard = sound.resonator(8, 4096, seed=12)
    codes = solved["mu_law_encode"](heard, 64)
    with torch.no_grad():
        price = (model.nll(codes) / 4096).mean().item()
    assert price == pytest.approx(settings["nats_a_sample"], abs=1e-3)
    measured = sound.yardstick(
        lambda x: solved["mu_law_encode"](x, 64),
        lambda c: solved["mu_law_decode"](c, 64),
        64,
        heard,
    )
    assert measured.bound < measured.best < price < 1.64 < measured.ar6 < 1.70 < measured.ar2
    assert round(measured.ar6, 2) == 1.67 and round(measured.ar6 - price, 2) == 0.04
    assert 1.44 < measured.bound < 1.49 and 3.7 < measured.order0 < 3.77
    assert 2.65 < measured.bigram < 2.71 and price - measured.best < 0.03
    assert f"{settings['steps']:,} steps" in text


def test_the_shipped_strings_play_the_note_they_are_asked_for(solved: dict, text: str) -> None:
    settings, weights = sound.trained("wavenet_strings")
    model = solved["WaveNet"](**settings["model"])
    model.load_state_dict(weights)
    assert f"{settings['parameters']:,} parameters" in text
    labels = torch.arange(5)
    codes = solved["mu_law_encode"](sound.strings(labels, 1600, seed=77), 256)
    with torch.no_grad():
        own, other = (model.nll(codes, y).mean() / 1600 for y in (labels, labels.roll(1)))
    assert own < 2 and other > own + 2
    drawn = solved["generate_fast"](model.double(), 1600, labels, torch.Generator().manual_seed(4))
    notes = solved["mu_law_decode"](drawn, 256)
    assert [sound.pitch(note[400:]) for note in notes] == labels.tolist()


def test_shipped_weights_fit_the_given_constructor_and_carry_no_code(solved: dict) -> None:
    for name in ("wavenet_resonator", "wavenet_strings"):
        settings, weights = sound.trained(name)
        model = solved["WaveNet"](**settings["model"])
        assert set(weights) == set(model.state_dict())
        text = (sound.MODELS / name / "settings.json").read_text(encoding="utf-8")
        assert set(json.loads(text)) == {
            "model",
            "parameters",
            "steps",
            "seed",
            "nats_a_sample",
            "made_by",
            "license",
        }


# ------------------------------------------------------------------------------------- the widget


def test_the_tree_draws_what_the_students_layers_see(solved: dict) -> None:
    tree = DilationTree.of(solved["CausalConv1d"], solved["receptive_field"])
    for kernel, dilation in itertools.product(KERNELS, DILATIONS):
        tree._kernel = kernel
        wanted = sum(
            np.eye(SAMPLES, k=-j * dilation, dtype=bool)
            for j in range(kernel)
            if j * dilation < SAMPLES
        )
        assert (tree.layer_map(dilation) == wanted.astype(bool)).all()
    tree._kernel = 2
    assert tree.in_words() == (
        "Causal and without holes: the last output sees 16 samples, as receptive_field says 16"
    )
    assert tree.output_in_words(5) == (
        "Output 5 sees inputs 1–5, through 1 unit of layer 3, 2 units of layer 2, 3 units of layer "
        "1. receptive_field says 1–5."
    )


def test_the_tree_predicts_by_the_students_function_for_every_stack(solved: dict) -> None:
    tree = DilationTree.of(solved["CausalConv1d"], solved["receptive_field"])
    for kernel, stack in itertools.product(KERNELS, ([1], [16, 9], [3, 1, 2], [16, 16, 16, 16])):
        tree._kernel, tree._dilations = kernel, stack
        assert tree.predicted == solved["receptive_field"](kernel, stack)


def test_the_tree_names_leaks_holes_and_wrong_predictions(solved: dict) -> None:
    conv, field = solved["CausalConv1d"], solved["receptive_field"]

    class Same(torch.nn.Conv1d):
        def __init__(self, *settings: int) -> None:
            super().__init__(*settings[:3], dilation=settings[3], padding="same")

    leaking = DilationTree.of(Same, field, 3, (1,))
    assert leaking.in_words().startswith(
        "Not causal: 31 inputs after the output: input 2 → output 1, input 3 → output 2"
    )
    assert "Not causal: input 6 come later" in leaking.output_in_words(5)
    assert "Not causal" in leaking.output_in_words(), "the output that is shown first leaks"
    assert "Causal, with 2 holes: of the 6 samples" in repr(DilationTree.of(conv, field, 2, (1, 4)))
    short = DilationTree.of(conv, lambda k, ds: field(k, ds) - 1)
    assert "receptive_field" not in repr(short)  # it has another name
    assert "but <lambda> says 15, and the last output sees 16" in short.in_words()
    far = DilationTree.of(conv, field, 3, (1, 3, 9, 9))
    assert "as far as drawn: receptive_field says 45, and 32 are drawn" in far.in_words()


def test_the_tree_measures_a_whole_model(solved: dict) -> None:
    conv, field = solved["CausalConv1d"], solved["receptive_field"]
    model = solved["WaveNet"](5, 4, 4, 2, [1, 2, 4])
    tree = DilationTree.of_model(model, conv, field)
    assert tree.in_words() == (
        "Autoregressive and without holes: the logits of x32 see 8 samples, as receptive_field "
        "says 8"
    )
    assert tree.output_in_words(32).startswith("The logits of x32 see codes 24–31, through")
    assert tree.shift_in_words().endswith("Its lowest step is a shift by one.")

    class Unshifted(solved["WaveNet"]):
        def forward(self, codes: Any, label: Any = None) -> Any:
            return self.stack(self.embed(codes).transpose(1, 2), label)

    leaking = DilationTree.of_model(Unshifted(5, 4, 4, 2, [1, 2, 4]), conv, field)
    assert leaking.in_words().startswith(
        "Not autoregressive: 32 inputs at or after the output: x1 → logits of x1, x2 → logits of x2"
    )
    assert leaking.shift_in_words().endswith("Its lowest step is no shift.")
    deep = solved["WaveNet"](5, 4, 4, 2, [1, 2, 4, 8, 16])
    assert "Up to 4 layers" in repr(DilationTree.of_model(deep, conv, field))


def test_the_tree_says_a_students_trouble_in_one_sentence(solved: dict) -> None:
    field = solved["receptive_field"]

    def unsolved(*settings: int) -> Any:
        raise NotImplementedError("CausalConv1d: write your code here")

    assert repr(DilationTree.of(unsolved, field)) == (
        "DilationTree: CausalConv1d is not written yet: solve its exercise first."
    )

    class Short(torch.nn.Conv1d):
        def __init__(self, *settings: int) -> None:
            super().__init__(*settings[:3], dilation=settings[3])

    assert ("turns 32 samples into 31: the output should be as long") in repr(
        DilationTree.of(Short, field)
    )

    def broken(k: int, dilations: list) -> int:
        return k / 0

    assert "broken, line" in repr(DilationTree.of(solved["CausalConv1d"], broken))


def test_the_tree_refuses_what_it_cannot_draw(solved: dict) -> None:
    conv, field = solved["CausalConv1d"], solved["receptive_field"]
    with pytest.raises(ValueError, match="1 to 4 layers"):
        DilationTree.of(conv, field, 2, (1, 2, 4, 8, 16))
    with pytest.raises(ValueError, match="got \\[5\\] and 2"):
        DilationTree.of(conv, field, 2, (5,))
    with pytest.raises(ValueError, match="output must be in 1 … 32"):
        DilationTree.of(conv, field, output=33)


def test_more_than_six_samples_of_the_past_bring_the_resonator_nothing(experiment) -> None:
    heard = experiment["by_past"]
    nats = {m: float(each.mean()) for m, each in heard.items()}
    assert nats[2] > nats[6] + 0.2 and nats[4] > nats[6]
    gain = heard[6] - heard[128]
    assert abs(float(gain.mean())) < 3 * float(gain.std()) / len(gain) ** 0.5 < 0.03


def test_a_wrong_label_costs_more_than_knowing_nothing(experiment) -> None:
    said = experiment["said"]
    assert "its own label  1.71 nats a sample; the first 36: 5.07, after sample 200: 1.39" in said
    assert "another label  21.56 nats a sample; the first 36: 5.08, after sample 200: 23.74" in said
    assert "ln 256 = 5.55 nats" in said and 4 < 23.74 / 5.55 < 4.5


def test_a_linear_recurrence_is_a_scan_and_a_tanh_is_none():
    A, b = (torch.randn(*s, dtype=torch.float64) / 2 for s in ((13, 2, 2), (13, 2)))
    state, expected = torch.zeros(2, dtype=torch.float64), []
    for step, kick in zip(A, b, strict=True):
        state = step @ state + kick
        expected.append(state)
    at_once = solution_functions(LESSON)["linear_scan"](A, b)
    assert torch.allclose(at_once, torch.stack(expected), atol=1e-12)
    # Two steps x → tanh(2x) are no step x → tanh(ax + b): artanh of two of them is no line.
    x = torch.linspace(-1, 1, 41, dtype=torch.float64)
    two = torch.tanh(2 * torch.tanh(2 * x)).atanh()
    assert torch.allclose(torch.tanh(2 * x).atanh().diff().diff(), torch.zeros(39).double())
    assert two.diff().diff().abs().max() > 0.01
