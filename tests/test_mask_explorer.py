"""The mask explorer's Python half: what it takes, what it refuses, what it says in text."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from figures.mask_explorer import MaskExplorer, path_counts


def rule(degrees: list, place: torch.Tensor) -> list:
    below, masks = place, []
    for layer in degrees:
        masks.append((layer[:, None] >= below[None, :]).float())
        below = layer
    return [*masks, (place[:, None] > below[None, :]).float()]


def drawn(n: int, hidden_sizes: tuple, generator: torch.Generator) -> list:
    return [torch.randint(1, n, (size,), generator=generator) for size in hidden_sizes]


HIDDEN = [[1, 0, 0], [1, 1, 0]]
OUTPUT = [[0, 0], [1, 0], [1, 1]]


@pytest.mark.parametrize(
    "kind",
    [
        list,
        lambda mask: np.array(mask, dtype=bool),
        lambda mask: np.array(mask, dtype=np.float32),
        lambda mask: torch.tensor(mask, dtype=torch.bool),
        lambda mask: torch.tensor(mask, dtype=torch.float64, requires_grad=True),
        lambda mask: torch.tensor(mask).T.contiguous().T,
    ],
)
def test_a_mask_may_be_any_array_of_zeros_and_ones(kind) -> None:
    explorer = MaskExplorer([kind(HIDDEN), kind(OUTPUT)])
    assert explorer.connectivity.tolist() == [[0, 0, 0], [1, 0, 0], [2, 1, 0]]


@given(seed=st.integers(0, 10**6), n=st.integers(2, 9), sizes=st.lists(st.integers(1, 8)))
def test_masks_by_the_rule_never_leak(seed: int, n: int, sizes: list) -> None:
    generator = torch.Generator().manual_seed(seed)
    place = 1 + torch.randperm(n, generator=generator)
    explorer = MaskExplorer(rule(drawn(n, tuple(sizes), generator), place), place)
    assert not explorer.in_words().startswith("Not autoregressive")


def test_path_counts_are_exact_where_floats_and_int64_are_not() -> None:
    ones = [np.ones((10, 10))] * 41
    assert path_counts(ones)[0, 0] == 10**40


def test_the_text_says_what_every_output_sees() -> None:
    assert repr(MaskExplorer([HIDDEN, OUTPUT], degrees=[[1, 2]])) == (
        "MaskExplorer: 3 inputs, a hidden layer of 2 units, places 1, 2, 3\n"
        "Output 1 sees no input.\n"
        "Output 2 sees input 1.\n"
        "Output 3 sees inputs 1, 2.\n"
        "Autoregressive: every output sees all inputs before it, and nothing else."
    )


def test_the_text_of_an_untrusted_notebook_is_whole() -> None:
    explorer = MaskExplorer([np.ones((8, 6)), np.ones((6, 8))])
    bundle, _ = explorer._repr_mimebundle_()
    assert bundle["text/plain"] == repr(explorer)
    assert "21 inputs at or after the output" in bundle["text/plain"]


def test_a_transposed_mask_reads_as_leaks_or_is_refused_with_its_shape() -> None:
    with pytest.raises(ValueError, match=r"mask 2 has shape \(2, 3\).*is one transposed\?"):
        MaskExplorer([HIDDEN, np.array(OUTPUT).T])
    square = np.tril(np.ones((4, 4)), -1)
    assert "Not autoregressive: 6 inputs" in repr(MaskExplorer([square.T]))


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"masks": []}, "masks is empty"),
        ({"masks": 3}, "masks must be a list with one array a layer: got int"),
        ({"masks": None}, "masks must be a list with one array a layer: got NoneType"),
        ({"masks": ["a", OUTPUT]}, "mask 1 must be an array of numbers: got str"),
        ({"masks": [[[1, 0], [1]], OUTPUT]}, "mask 1 must be an array of numbers: got list"),
        ({"masks": [[1, 0, 0], OUTPUT]}, r"mask 1 must have shape \(out, in\): got shape \(3,\)"),
        ({"masks": [np.array(HIDDEN) * 0.5, OUTPUT]}, "mask 1 must hold 0 and 1 only: got 0.5"),
        ({"masks": [HIDDEN, [[float("nan")] * 2] * 3]}, "mask 2 must hold 0 and 1 only: got nan"),
        ({"masks": [HIDDEN]}, "the last mask must have a row for each of the 3 inputs"),
        ({"masks": [np.ones((500, 64)), np.ones((64, 500))]}, "64 units a layer is the most"),
        ({"place": [0, 1, 2]}, r"place must hold each of 1…3 once: got \[0, 1, 2\]"),
        ({"place": [1, 2]}, r"place must hold each of 1…3 once: got \[1, 2\]"),
        ({"degrees": [[1, 2, 3]]}, "degrees must hold one array a hidden layer, of 2 units"),
        ({"names": ["a"]}, "names must hold 3 names, one an input: got 1"),
    ],
)
def test_what_does_not_fit_is_refused_in_one_sentence(arguments: dict, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence) as refusal:
        MaskExplorer(**{"masks": [HIDDEN, OUTPUT]} | arguments)
    assert "\n" not in str(refusal.value)


# ------------------------------------------------------------------------- the student's functions


def test_a_reshuffle_draws_other_degrees_and_an_order_keeps_them() -> None:
    explorer = MaskExplorer.of(rule, drawn, n=6, hidden_sizes=(12,))
    first = explorer._degrees
    explorer._request = {"reshuffle": True, "asked": 1}
    second = explorer._degrees
    assert second != first
    explorer._request = {"order": "reversed", "asked": 2}
    assert explorer._order == [6, 5, 4, 3, 2, 1]
    assert explorer._degrees == second
    assert not explorer.connectivity[5].any()  # the last variable comes first


def test_a_new_picture_forgets_what_was_broken_by_hand() -> None:
    explorer = MaskExplorer.of(rule, drawn, n=4, hidden_sizes=(6,))
    explorer._breaks = [[1, 0, 0]]
    explorer._request = {"reshuffle": True, "asked": 1}
    assert explorer._breaks == []


@pytest.mark.parametrize("unsolved", [lambda *_: None, None])
def test_an_unsolved_function_asks_for_the_exercise(unsolved) -> None:
    def build_masks(degrees, place):
        raise NotImplementedError("build_masks: write your code here")

    explorer = MaskExplorer.of(unsolved or build_masks, drawn)
    assert repr(explorer).endswith("is not written yet: solve its exercise first.")
    assert explorer.masks == []


def test_unsolved_degrees_are_named_before_the_masks() -> None:
    def assign_degrees(n, hidden_sizes, generator):
        raise NotImplementedError

    assert "assign_degrees is not written yet" in repr(MaskExplorer.of(rule, assign_degrees))


def test_an_error_is_a_sentence_with_the_student_s_own_line() -> None:
    def build_masks(degrees, place):
        return place[99]

    line = build_masks.__code__.co_firstlineno + 1
    said = repr(MaskExplorer.of(build_masks, drawn))
    assert said.startswith(f"MaskExplorer: build_masks, line {line}: IndexError: index 99 is out")
    assert "\n" not in said


def test_masks_that_do_not_fit_are_said_and_do_not_raise() -> None:
    def build_masks(degrees, place):
        return [mask.T for mask in rule(degrees, place)]

    said = repr(MaskExplorer.of(build_masks, drawn, n=5, hidden_sizes=(8, 7)))
    assert "is one transposed?" in said


def test_an_explorer_recovers_when_the_function_does() -> None:
    calls = []

    def build_masks(degrees, place):
        calls.append(place)
        if len(calls) == 1:
            raise RuntimeError("not today")
        return rule(degrees, place)

    explorer = MaskExplorer.of(build_masks, drawn)
    assert "RuntimeError: not today" in repr(explorer)
    explorer._request = {"reshuffle": True, "asked": 1}
    assert "Output 1 sees no input." in repr(explorer)
