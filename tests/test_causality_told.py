"""The parts of the dependency map to the letter: what is called, drawn, compared and said."""

from __future__ import annotations

import inspect
import random
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from course import causality
from course.causality import (
    BatchLeaks,
    DependencyMap,
    NotRepeatable,
    WrongOutput,
    batch_leaks,
    copy_model,
    dependency_map,
    leaking_cuts,
    passes_cuts,
    past,
    randomize_parameters,
)


def told(error: type[Exception], call: Any, *args: Any, **options: Any) -> str:
    """The sentence with which a call is refused."""
    with pytest.raises(error) as why:
        call(*args, **options)
    return str(why.value)


def mapped(sees: Any, **changed: Any) -> DependencyMap:
    sees = np.array(sees, dtype=bool)
    about: dict[str, Any] = {
        "draws": 4, "precision": "double", "randomized": 0, "rows_mix": False,
        "never_finite": np.zeros(len(sees), dtype=bool),
    }  # fmt: skip
    return DependencyMap(sees, **about | changed)


# --- the map in words -----------------------------------------------------------------------------

FULL = np.tril(np.ones((3, 3)), -1)
AUTOREGRESSIVE = "Autoregressive: no output sees itself or the future."


@pytest.mark.parametrize(
    ("seen", "arguments", "said"),
    [
        (
            FULL, {},
            "Autoregressive: each of 3 outputs sees all of its past and nothing else (3 "
            "dependencies).",
        ),
        (
            [[0, 0], [1, 0]], {},
            "Autoregressive: each of 2 outputs sees all of its past and nothing else (1 "
            "dependency).",
        ),
        (
            np.zeros((3, 3)), {},
            f"{AUTOREGRESSIVE} 2 outputs do not see all of the past (output 1 does not see input "
            "0, output 2 does not see input 0, output 2 does not see input 1).",
        ),
        (
            [[0, 0], [0, 0]], {},
            f"{AUTOREGRESSIVE} 1 output does not see all of the past (output 1 does not see input "
            "0).",
        ),
        (
            [[0, 1], [1, 0]], {},
            "Not autoregressive: 1 output sees inputs at or after their own place (output 0 sees "
            "input 1).",
        ),
        (
            np.ones((2, 2)), {},
            "Not autoregressive: 2 outputs see inputs at or after their own place (output 0 sees "
            "input 0, output 0 sees input 1, output 1 sees input 1).",
        ),
        (
            np.ones((2, 2)), {"own": True},
            "Not autoregressive: 1 output sees inputs after their own place (output 0 sees input "
            "1).",
        ),
        (
            [[0, 1], [1, 1]], {"allowed": [[0, 1], [1, 0]]},
            "Not autoregressive: 1 output sees inputs outside what is allowed (output 1 sees input "
            "1).",
        ),
        (
            [[0, 1], [0, 1]], {"allowed": [1, 0]},
            "Not autoregressive: 1 output sees inputs at or after their own place (output 1 sees "
            "input 1).",
        ),
        (
            [[0, 1], [0, 0]], {},
            "Not autoregressive: 1 output sees inputs at or after their own place (output 0 sees "
            "input 1). 1 output does not see all of the past (output 1 does not see input 0).",
        ),
        (
            np.ones((3, 3)), {},
            "Not autoregressive: 3 outputs see inputs at or after their own place (output 0 sees "
            "input 0, output 0 sees input 1, output 0 sees input 2, and 3 more).",
        ),
    ],
)  # fmt: skip
def test_a_map_is_told_in_words(seen: Any, arguments: Any, said: str):
    assert mapped(seen).summary(**arguments) == said
    hides = mapped(seen, never_finite=np.arange(len(seen)) == 1)
    assert hides.summary(**arguments) == (
        f"{said} 1 output gave only NaN or infinity, which hides every dependency."
    )
    assert mapped(seen, rows_mix=True).summary(**arguments) == (
        "The rows of a batch see each other, so that no map of one row can be trusted."
    )


def test_a_map_gives_its_edges_and_whether_it_is_autoregressive():
    seen = mapped([[0, 1], [0, 0]])
    assert seen.forbidden().tolist() == [[0, 1]]
    assert seen.missing().tolist() == [[1, 0]]
    assert seen.forbidden([1, 0]).tolist() == seen.missing([1, 0]).tolist() == []
    assert seen.missing(own=True).tolist() == [[0, 0], [1, 0], [1, 1]]
    assert seen.first_forbidden() == (0, 1)
    assert type(seen.first_forbidden()[0]) is type(seen.first_forbidden()[1]) is int
    assert seen.first_forbidden([1, 0]) is None
    assert seen.first_forbidden(own=True) == (0, 1)
    assert not seen.is_autoregressive() and seen.is_autoregressive([1, 0])
    assert not mapped(FULL, rows_mix=True).is_autoregressive()
    own = mapped(np.eye(2))
    assert own.is_autoregressive(own=True) and not own.is_autoregressive()
    assert repr(seen) == (
        "<DependencyMap: 2 outputs × 2 inputs, 1 dependency, 4 draws, precision double>"
    )
    assert "0 dependencies, 1 draw," in repr(mapped(np.zeros((1, 2)), draws=1))


def test_leaks_between_rows_are_told_in_words():
    alone = BatchLeaks(np.eye(3, dtype=bool), "train")
    assert not alone
    assert alone.summary() == "In train mode each row of a batch sees only itself."
    mixed = BatchLeaks(np.array([[1, 0], [1, 0]], dtype=bool), "eval")
    assert mixed
    assert mixed.summary() == (
        "In eval mode the rows of a batch see each other (row 1 sees row 0): normalizing over the "
        "batch does that."
    )
    five = np.ones((2, 4), dtype=bool)
    assert causality._edges(np.argwhere(five)).endswith("output 0 sees input 2, and 5 more")
    assert causality._count(1_234, "cut") == "1,234 cuts"


def test_the_past_is_what_has_a_lower_rank():
    assert past(3).tolist() == FULL.astype(bool).tolist()
    assert past(2, own=True).tolist() == [[True, False], [True, True]]
    assert past([2, 1]).tolist() == past([1, 0]).tolist() == [[False, True], [False, False]]
    assert past(np.array([1, 0]), own=True).tolist() == [[True, True], [False, True]]
    for wrong in ([0, 0], [[0, 1]]):
        assert told(ValueError, past, wrong) == (
            f"place must give each variable a place of its own: got {wrong}"
        )


def test_what_is_allowed_is_a_matrix_an_order_or_the_natural_order():
    allowed = causality._allowed
    assert allowed(None, (3, 2), False).astype(int).tolist() == [[0, 0], [1, 0], [1, 1]]
    assert allowed(None, (2, 3), True).astype(int).tolist() == [[1, 0, 0], [1, 1, 0]]
    assert allowed([1, 0], (2, 2), False).astype(int).tolist() == [[0, 1], [0, 0]]
    assert allowed([1, 0], (2, 2), True).astype(int).tolist() == [[1, 1], [0, 1]]
    matrix = allowed([[2, 0]], (1, 2), False)
    assert (matrix.tolist(), matrix.dtype) == ([[True, False]], bool)
    assert told(ValueError, allowed, [1, 0], (3, 2), False) == (
        "allowed must have shape (3, 2) (outputs, inputs): got (2, 2)"
    )


# --- positions, outputs, differences --------------------------------------------------------------


def test_positions_are_the_entries_that_are_changed_together():
    positions = causality._positions
    assert positions((4,), ()).tolist() == [[0], [1], [2], [3]]
    assert positions((2, 3), ()).tolist() == [[0], [1], [2], [3], [4], [5]]
    assert positions((2, 3), -1).tolist() == [[0, 1, 2], [3, 4, 5]]
    assert positions((2, 3), 1).tolist() == [[0, 3], [1, 4], [2, 5]]
    assert positions((2, 3), (2, -2)).tolist() == [[0, 1, 2, 3, 4, 5]]
    assert positions((2, 2, 2), (3, 1)).tolist() == [[0, 1, 4, 5], [2, 3, 6, 7]]
    for axes in (0, 3, -3, -4, (1, 0)):
        shown = (axes,) if isinstance(axes, int) else axes
        assert told(ValueError, positions, (2, 3), axes) == (
            f"axes {shown} must be axes of (B, 2, 3), not 0"
        )


def test_an_output_is_an_array_with_a_row_for_each_input():
    rows_of = causality._rows_of
    assert rows_of(torch.ones(2), 2).tolist() == [[1.0], [1.0]]
    assert rows_of([[1, 2]], 1).tolist() == [[1, 2]]
    assert rows_of(np.array([True]), 1).tolist() == [[True]]
    assert rows_of(torch.ones(1, 1, dtype=torch.bfloat16), 1).dtype == np.float32
    given = np.zeros((1, 1))
    assert rows_of(given, 1) is not given
    ending = "(pass call=lambda f, x: … to pick it)"
    assert told(WrongOutput, rows_of, (1,), 3) == (
        "the output must be one array, with a row for each of the 3 input rows: got a tuple "
        f"{ending}"
    )
    start = "the output must have one row of numbers for each of the 2 input rows: got shape"
    for out, shape in (
        (np.zeros(3), "(3,) of float64"),
        (np.array(1), "() of int64"),
        ([[1], [1, 2]], "(0,) of object"),
        (np.array(["a", "b"]), "(2,) of <U1"),
    ):
        assert told(WrongOutput, rows_of, out, 2) == f"{start} {shape}"
    tensor = torch.ones(2, requires_grad=True)
    copy = causality._array(tensor)
    copy += 1
    assert tensor.tolist() == [1.0, 1.0]


def test_differences_are_exact_and_sizes_never_lose_one():
    nan, inf, tiny = np.nan, np.inf, np.finfo(np.float64).tiny
    a = np.array([0.0, nan, nan, inf, 1.0, 5e-324, -inf])
    b = np.array([-0.0, nan, 1.0, inf, 3.0, 0.0, inf])
    assert causality._differs(a, b).tolist() == [False, False, True, False, True, True, True]
    assert causality._sizes(a, b).tolist() == [0.0, 0.0, inf, 0.0, 2.0, tiny, inf]
    assert causality._differs(np.array([1, 2]), np.array([1, 3])).tolist() == [False, True]
    complexes = np.array([complex(nan, 0), 1j])
    assert causality._differs(complexes, complexes).tolist() == [False, False]
    single = np.array([1e30], dtype=np.float32)
    assert causality._sizes(single, np.zeros(1, np.float32))[0] == float(single[0])
    assert causality._sizes(np.array([True]), np.array([False])).tolist() == [1.0]


def test_rounding_is_measured_in_units_of_the_last_place():
    assert causality.ROUNDING == 1_024
    unit = 1_024 * np.finfo(np.float64).eps
    groups = np.array([[0, 1], [2, 3]])
    outputs = np.array([[1.0, -2.0, 8.0, np.inf], [9.0, 9.0, 9.0, 9.0]])

    def rounding(sizes: Any, outputs: Any = outputs) -> Any:
        return causality._rounding(np.array(sizes), outputs, groups)

    assert rounding([[0.0, 0.5], [0.0, 0.0]]).tolist() == [[2 * unit], [8 * unit]]
    assert rounding([[3.0, 0.5], [0.0, 9.0]]).tolist() == [[8 * unit], [9 * unit]]
    assert rounding([[0.0, 4.0], [0.0, np.inf]]).tolist() == [[4 * unit], [8 * unit]]
    single = rounding([[0.0, 0.5], [0.0, 0.0]], outputs.astype(np.float32))
    assert single.tolist() == [[2 * 1_024 * 2.0**-23], [8 * 1_024 * 2.0**-23]]
    whole = rounding([[0.0, 4.0], [1.0, 0.0]], np.ones((2, 4), dtype=int))
    assert whole.tolist() == [[0.0], [0.0]]


# --- starts and replacements ----------------------------------------------------------------------


def source(inputs: Any, perturb: Any = "flip", vocabulary: int | None = None, seed: int = 3) -> Any:
    return causality._Source(inputs, perturb, vocabulary, seed)


def same_numbers() -> np.random.Generator:
    return np.random.default_rng([3, 2])


def test_starts_are_the_given_rows_and_then_drawn_ones():
    given = np.array([[0, 1, 1], [1, 0, 0]])
    one = source(given)
    assert one.shape == (3,)
    assert not one.torch and source(torch.zeros(1, 2)).torch
    first = one.start(0, 1.0)
    assert [first.tolist(), one.start(1, 1.0).tolist()] == given.tolist()
    first += 1
    assert one.examples.tolist() == given.tolist()
    drawn = one.start(2, 1.0)
    assert drawn.tolist() == same_numbers().integers(0, 2, size=3).tolist()
    assert drawn.dtype == given.dtype
    tokens = source(given, "token", 9)
    assert tokens.start(2, 1.0).tolist() == same_numbers().integers(0, 9, size=3).tolist()
    normal = source(given.astype("float32"), "normal")
    expected = (10 * same_numbers().standard_normal(3)).astype("float32")
    assert normal.start(2, 10.0).tolist() == expected.tolist()
    modulo = source(given.astype(float), lambda x, rng: x + 1)
    assert modulo.start(2, 1.0).tolist() == [1, 2, 2]
    assert modulo.start(3, 1.0).tolist() == [2, 1, 1]


def test_a_replacement_has_every_entry_changed():
    bits = source(np.array([[0, 1]], dtype=np.int8))
    flipped = bits.replacement(bits.start(0, 1.0), 1.0)
    assert (flipped.tolist(), flipped.dtype) == ([1, 0], np.int8)
    truth = source(np.array([[True, False]]))
    assert truth.replacement(truth.start(0, 1.0), 1.0).tolist() == [False, True]
    ids = np.array([[0, 5, 6]])
    tokens = source(ids, "token")
    step = same_numbers().integers(1, 7, size=3)
    assert tokens.vocabulary == 7
    assert tokens.replacement(ids[0], 1.0).tolist() == ((ids[0] + step) % 7).tolist()
    uniform = source(np.zeros((1, 2), dtype=np.float32), "uniform")
    expected = same_numbers().random(2).astype(np.float32)
    assert uniform.replacement(np.zeros(2, np.float32), 1.0).tolist() == expected.tolist()
    own = source(np.zeros((1, 2), dtype=np.float32), lambda x, rng: x + np.arange(1, 3))
    made = own.replacement(np.zeros(2, dtype=np.float32), 1.0)
    assert (made.tolist(), made.dtype) == ([1.0, 2.0], np.float32)
    writes = source(np.zeros((1, 2)), lambda x, rng: np.add(x, 1, out=x))
    assert writes.replacement(writes.examples[0], 1.0).tolist() == [1.0, 1.0]


def test_a_vocabulary_is_above_all_ids():
    assert source(np.array([[0, 0]]), "token").vocabulary == 2
    assert source(np.array([[0, 4]]), "token").vocabulary == 5
    assert source(np.array([[0, 4]]), "token", 5).vocabulary == 5
    assert source(np.array([[0, 0]], dtype=np.uint8), "token", 2).vocabulary == 2
    for ids, given, largest in (([[0, 4]], 4, 4), ([[0, 0]], 1, 0), ([[0, 1]], 0, 1)):
        assert told(ValueError, source, np.array(ids), "token", given) == (
            f"vocabulary must be at least 2 and above the largest id {largest}: got {given}"
        )


@pytest.mark.parametrize(
    ("inputs", "perturb", "said"),
    [
        (np.zeros(3), "flip", "inputs must have shape (B, …) with at least one row: got (3,)"),
        (np.zeros((0, 3)), "flip",
         "inputs must have shape (B, …) with at least one row: got (0, 3)"),
        (np.array([[0, 2]]), "flip",
         'perturb="flip" needs inputs of 0 and 1: use "normal" or "token"'),
        (np.zeros((1, 2)), "token", 'perturb="token" needs integers: got float64'),
        (np.zeros((1, 2), int), "normal", 'perturb="normal" needs floats: got int64'),
        (np.zeros((1, 2), int), "uniform", 'perturb="uniform" needs floats: got int64'),
        (np.zeros((1, 2)), "no",
         'perturb must be "flip", "token", "normal", "uniform" or a function of an input and a '
         "generator: got 'no'"),
    ],
)  # fmt: skip
def test_inputs_that_do_not_fit_are_told(inputs: Any, perturb: Any, said: str):
    assert told(ValueError, source, inputs, perturb) == said


def test_a_function_that_changes_too_little_is_told():
    def replaced(perturb: Any) -> str:
        one = source(np.zeros((1, 3)), perturb)
        return told(ValueError, one.replacement, np.zeros(3), 1.0)

    assert replaced(lambda x, rng: x[:2] + 1) == "perturb must return shape (3,): got (2,)"
    assert replaced(lambda x, rng: x + np.eye(3)[1]) == (
        "perturb must change every entry: it left 2 as they were"
    )


# --- what is called, and with what ----------------------------------------------------------------


class Called:
    """A causal function of bits that notes what it is called with."""

    def __init__(self, n: int = 3, leak: float = 0.0) -> None:
        self.batches: list[Any] = []
        self.n, self.leak = n, leak

    def __call__(self, x: Any) -> Any:
        self.batches.append(np.array(x).astype(int).tolist())
        return np.cumsum(x, axis=1) - x + self.leak * x


def test_a_draw_is_a_batch_without_and_batches_with_one_position_changed():
    f = Called()
    seen = dependency_map(f, np.array([[0, 1, 1]]), draws=1)
    start, flipped = [0, 1, 1], [1, 0, 0]
    one_by_one = [[1, 1, 1], [0, 0, 1], [0, 1, 0]]
    twice = [start] * 2
    assert f.batches == [twice, twice, [start] * 3, one_by_one, twice, [flipped, start]]
    assert seen.sees.tolist() == past(3).tolist()
    assert (seen.draws, seen.precision, seen.randomized) == (1, "as given", 0)
    assert (seen.rows_mix, seen.never_finite.tolist()) == (False, [False] * 3)
    f = Called()
    dependency_map(f, np.array([[0, 1, 1]]), draws=1, rows=2)
    assert f.batches[2:5] == [twice, one_by_one[:2], [one_by_one[2], start]]
    f = Called()
    dependency_map(f, np.array([[0, 1, 1]]), draws=1, rows=1)
    assert f.batches[2] == twice
    single = Called()
    dependency_map(single, np.array([[0]]), draws=1)
    assert single.batches[2:4] == [[[0], [0]], [[1], [0]]]


def test_draws_go_on_while_an_expected_edge_is_unseen_and_no_longer():
    def draws_of(f: Any, **options: Any) -> int:
        return dependency_map(f, np.array([[0, 1, 1]]), **options).draws

    def blind(x: Any) -> Any:
        return x * 0

    assert draws_of(Called()) == 4
    assert draws_of(blind) == 4
    assert draws_of(blind, expected=[0, 1, 2]) == 16
    assert draws_of(blind, expected=[0, 1, 2], most_draws=5) == 5
    assert draws_of(blind, expected=[0, 1, 2], draws=3, most_draws=2) == 3
    assert draws_of(Called(), expected=past(3), draws=2) == 2
    assert draws_of(Called(), expected=past(3, own=True), draws=2, most_draws=3) == 3
    count = iter(range(1_000))

    def late(x: Any) -> Any:
        return (np.cumsum(x, axis=1) - x) * (next(count) > 9)

    assert draws_of(late, expected=[0, 1, 2], draws=1) in (4, 5)
    assert told(ValueError, dependency_map, blind, np.zeros((1, 2)), draws=0) == (
        "draws must be at least 1: got 0"
    )


def test_an_output_that_was_finite_at_any_draw_is_finite():
    def hides(x: Any) -> Any:
        out = np.cumsum(x, axis=1) - x
        out[:, 0] = np.nan
        out[:, 2] = np.where(x[:, 0] == x[0, 0], np.inf if x[0, 0] else 1.0, 1.0)
        return out

    seen = dependency_map(hides, np.array([[1.0, 1, 1], [0, 0, 0]]), draws=2)
    assert seen.never_finite.tolist() == [True, False, False]
    classes = dependency_map(lambda x: np.stack([x * np.nan, x], -1), np.zeros((1, 2)), outputs=-1)
    assert classes.never_finite.tolist() == [False, False]
    assert classes.sees.tolist() == np.eye(2, dtype=bool).tolist()


def test_rows_that_mix_are_told():
    assert dependency_map(lambda x: x - x[0], np.zeros((1, 2)), draws=1).rows_mix
    assert not dependency_map(lambda x: x, np.zeros((1, 2)), draws=1).rows_mix


def test_outputs_and_inputs_of_several_entries_are_one_place():
    x = np.zeros((1, 2, 3))
    seen = dependency_map(lambda x: np.cumsum(x, 1) - x, x, "normal", outputs=-1, together=-1)
    assert seen.sees.tolist() == past(2).tolist()
    swapped = dependency_map(
        lambda x: (np.cumsum(x, 1) - x).transpose(0, 2, 1), x, "normal", outputs=1, together=2
    )
    assert swapped.sees.tolist() == past(2).tolist()


def test_outputs_of_changing_shape_are_told():
    count = iter(range(100))
    grows = lambda x: np.zeros((len(x), 2 + (next(count) > 2)))  # noqa: E731
    assert told(WrongOutput, dependency_map, grows, np.zeros((1, 2))) == (
        "outputs of equal batches must have equal shapes: got (2, 2), then (2, 3)"
    )


def test_a_batch_is_changed_one_row_at_a_time():
    f = Called()
    bits = np.array([[0, 1], [1, 1]])
    leaks = batch_leaks(f, bits, draws=1)
    start = bits.tolist()
    assert f.batches[2:] == [start, [[1, 0], [1, 1]], [[0, 1], [0, 0]]]
    assert (leaks.sees.tolist(), leaks.mode) == ([[True, False], [False, True]], "train")
    assert batch_leaks(f, bits, train=False).mode == "eval"
    f = Called()
    batch_leaks(f, bits)
    assert len(f.batches) == 2 + 2 * 3
    first = batch_leaks(lambda x: x - x[0], bits)
    assert first.sees.tolist() == [[False, False], [True, True]]
    calls = iter(range(100))
    at_first = batch_leaks(lambda x: (x - x[0]) * (next(calls) < 5), bits)
    assert at_first.sees.tolist() == [[False, False], [True, True]]
    assert told(ValueError, batch_leaks, f, bits[:1]) == (
        "batch_leaks needs at least 2 rows in inputs: got 1"
    )


def test_at_a_cut_all_of_the_future_is_changed_at_once():
    f = Called()
    assert leaking_cuts(f, np.array([[0, 1, 1]])) == []
    start = [0, 1, 1]
    assert f.batches[2:] == [[start] * 3, [[1, 0, 0], [0, 0, 0], [0, 1, 0]]]
    assert leaking_cuts(Called(leak=1), np.array([[0, 1, 1]])) == [0, 1, 2]
    assert leaking_cuts(Called(leak=1), np.array([[0, 1, 1]]), own=True) == []
    f = Called()
    leaking_cuts(f, np.array([[0, 1, 1]]), place=[3, 1, 2])
    assert f.batches[3] == [[1, 0, 0], [1, 1, 0], [1, 1, 1]]
    assert leaking_cuts(lambda x: x[:, ::-1] * 0, np.zeros((1, 3)), place=[2, 1, 0]) == []
    back = lambda x: np.cumsum(x[:, ::-1], axis=1)[:, ::-1] - x  # noqa: E731
    assert leaking_cuts(back, np.zeros((1, 3)), place=[2, 1, 0]) == []
    assert leaking_cuts(back, np.zeros((1, 3))) == [0, 1, 2]
    assert leaking_cuts(back, np.zeros((1, 3)), allowed=np.ones((3, 3))) == []
    assert not passes_cuts(back, np.zeros((1, 3))) and passes_cuts(Called(), np.zeros((1, 3)))
    one = Called()
    assert leaking_cuts(one, np.array([[0]])) == []
    assert one.batches[2:] == [[[0], [0]], [[1], [0]]]


def test_of_many_cuts_some_are_drawn():
    def changed(n: int, **options: Any) -> list[int]:
        f = Called()
        leaking_cuts(f, np.zeros((1, n)), **options)
        return [n - sum(row) for row in f.batches[3]]

    assert changed(16) == list(range(16))
    assert changed(17) == sorted(np.random.default_rng([0, 2]).choice(17, 16, replace=False))
    assert changed(3, cuts=3) == [0, 1, 2]
    assert len(changed(4, cuts=3)) == len(set(changed(4, cuts=3))) == 3
    sizes = []
    leaking_cuts(lambda x: sizes.append(np.abs(x)) or x * 0, np.zeros((1, 2)), "normal")
    rng = np.random.default_rng([0, 2])
    first, second = np.abs(rng.standard_normal(2)), 10 * np.abs(rng.standard_normal(2))
    assert sizes[-1].tolist() == [first.tolist(), [0.0, second[1]]]
    assert told(ValueError, leaking_cuts, Called(), np.zeros((1, 3)), place=[0, 1]) == (
        "place must hold 3 inputs: got 2"
    )


def test_the_defaults_are_these():
    def defaults(function: Any) -> dict[str, Any]:
        every = inspect.signature(function).parameters.values()
        return {p.name: p.default for p in every if p.default is not p.empty}

    shared = {"perturb": "flip", "call": None, "vocabulary": None, "keep": (), "seed": 0,
              "reseed": None}  # fmt: skip
    ends = {"outputs": (), "together": ()}
    assert defaults(dependency_map) == shared | ends | {
        "draws": 4, "expected": None, "most_draws": 16, "randomize": True, "train": False,
        "rows": 256,
    }  # fmt: skip
    assert defaults(batch_leaks) == shared | {"train": True, "randomize": True, "draws": 2}
    assert defaults(leaking_cuts) == shared | ends | {
        "allowed": None, "own": False, "place": None, "cuts": 16, "randomize": False,
    }  # fmt: skip
    assert causality._REGIMES == (
        (1.0, False, 1.0), (0.3, True, 1.0), (3.0, False, 10.0), (1.0, True, 0.1)
    )  # fmt: skip


# --- random numbers -------------------------------------------------------------------------------


def test_before_each_call_all_generators_are_seeded_and_afterwards_as_they_were():
    numbers, times = [], []

    def draws(x: Any) -> Any:
        numbers.append((torch.rand(1).item(), np.random.rand(), random.random()))
        return x

    before = torch.get_rng_state(), np.random.get_state()[1].tolist(), random.getstate()
    for call in (dependency_map, batch_leaks, leaking_cuts):
        numbers.clear(), times.clear()
        call(draws, np.zeros((2, 2)), seed=2**32 + 5, reseed=lambda: times.append(1))
        torch_first = torch.rand(1, generator=torch.Generator().manual_seed(5)).item()
        expected = (torch_first, np.random.RandomState(5).rand(), random.Random(5).random())
        assert set(numbers) == {expected}
        assert len(times) == len(numbers)
        after = torch.get_rng_state(), np.random.get_state()[1].tolist(), random.getstate()
        assert torch.equal(before[0], after[0]) and before[1:] == after[1:]


def test_what_differs_between_equal_calls_is_refused():
    count = iter(range(10))
    said = (
        "two calls with the same input gave different outputs in {} mode: draw random numbers from "
        "torch's global generator, and only in train mode"
    )
    f = lambda x: x + next(count)  # noqa: E731
    assert told(NotRepeatable, dependency_map, f, np.zeros((1, 2))) == said.format("eval")
    assert told(NotRepeatable, batch_leaks, f, np.zeros((2, 2))) == said.format("train")
    shapes = lambda x: np.zeros((len(x), next(count)))  # noqa: E731
    assert told(NotRepeatable, dependency_map, shapes, np.zeros((1, 2))) == said.format("eval")


# --- models ---------------------------------------------------------------------------------------


class Noted(nn.Module):
    """A linear model that notes mode and dtype of each call, and counts its calls in a buffer."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.full((2, 2), 5.0))
        self.bias = nn.Parameter(torch.zeros(2))
        self.register_buffer("calls", torch.zeros(()))
        self.noted: list[Any] = []

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if x.dtype == torch.float64 and self.single:
            raise RuntimeError("single only")
        assert not torch.is_grad_enabled()
        self.noted.append((self.training, x.dtype, self.weight.dtype, float(self.calls)))
        if self.training:
            self.calls += 1
        self.last = x @ self.weight.T + self.bias
        return self.last

    single = False


def noted(call: Any, model: Noted, x: Any = None, **options: Any) -> tuple[Any, list[Any]]:
    """What a call gives, and what its copies of the model have noted."""
    model.noted = Shared()
    return call(model, torch.zeros(2, 2) if x is None else x, **options), list(model.noted)


class Shared(list):
    """A list that a deep copy shares."""

    def __deepcopy__(self, memo: Any) -> Shared:
        return self


def test_a_model_is_run_in_double_precision_and_eval_mode():
    model = Noted().train()
    seen, calls = noted(dependency_map, model)
    assert set(calls) == {(False, torch.float64, torch.float64, 0.0)}
    assert (seen.precision, seen.randomized, seen.draws) == ("double", 6, 4)
    assert seen.sees.all()
    assert model.training and model.weight.dtype == torch.float32 and not hasattr(model, "last")
    assert model.weight.tolist() == [[5.0, 5.0], [5.0, 5.0]]
    raw, _ = noted(dependency_map, model, randomize=False, keep=["bias"])
    assert raw.randomized == 0
    kept, _ = noted(dependency_map, model, keep=["bias"])
    assert kept.randomized == 4


def test_in_train_mode_each_call_starts_from_the_same_state():
    leaks, calls = noted(batch_leaks, Noted().eval())
    assert set(calls) == {(True, torch.float64, torch.float64, 0.0)}
    assert not leaks
    _, calls = noted(dependency_map, Noted(), train=True, draws=2)
    assert set(calls[:2] + calls[3:4]) == {(True, torch.float64, torch.float64, 0.0)}
    _, calls = noted(batch_leaks, Noted(), train=False)
    assert not any(training for training, *_ in calls)


def test_a_model_that_is_single_is_looked_at_more_often():
    model = Noted()
    model.single = True
    seen, calls = noted(dependency_map, model)
    assert set(calls) == {(False, torch.float32, torch.float32, 0.0)}
    assert (seen.precision, seen.draws) == ("single", 8)
    assert noted(dependency_map, model, draws=9)[0].draws == 9
    broken = lambda m, x: 1 / 0  # noqa: E731
    with pytest.raises(ZeroDivisionError):
        dependency_map(model, torch.zeros(1, 2), call=broken)
    tuples = lambda m, x: (m(x),)  # noqa: E731
    with pytest.raises(WrongOutput):
        dependency_map(model, torch.zeros(1, 2), call=tuples)
    assert dependency_map(model, torch.zeros(1, 2), call=lambda m, x: tuples(m, x)[0]).sees.all()


def test_what_has_a_state_is_a_model():
    has = causality._has_state
    assert has(Noted())
    assert not has(len)
    for wrong in (Noted, 3):
        assert told(TypeError, has, wrong) == (
            f"f must be a model or a function of one input: got {wrong!r}"
        )

    class Half:
        def __call__(self, x: Any) -> Any: ...

        def state_dict(self) -> Any: ...

    half = Half()
    assert not has(half)
    half.load_state_dict = 3
    assert not has(half)
    half.load_state_dict = print
    assert has(half)
    half.state_dict = 3
    assert not has(half)


def test_parameters_are_drawn_by_their_fan_in_and_masks_are_not():
    state = {
        "a": torch.zeros(4, 2, 8), "b": torch.zeros(3, dtype=torch.float64),
        "c": torch.ones(2, 2), "d": torch.zeros(()),
    }  # fmt: skip
    rng = np.random.default_rng(1)
    drawn = causality._drawn(state, ["a", "b", "d"], np.random.default_rng(1), 3.0, False)
    a, b, d = rng.standard_normal((4, 2, 8)), rng.standard_normal(3), rng.standard_normal()
    assert torch.allclose(drawn["a"], torch.tensor(a * 3 / 4, dtype=torch.float32))
    assert (drawn["b"].tolist(), drawn["b"].dtype) == (b.tolist(), torch.float64)
    assert drawn["c"] is state["c"]
    assert drawn["d"].item() == pytest.approx(d)
    positive = causality._drawn(state, ["a", "b", "d"], np.random.default_rng(1), 3.0, True)
    assert torch.equal(positive["a"], drawn["a"])
    assert positive["b"].tolist() == (np.abs(b) + 0.5).tolist()
    assert positive["d"].item() == pytest.approx(abs(d) + 0.5)
    empty = causality._drawn({"a": torch.zeros(2, 0)}, ["a"], rng, 1.0, False)
    assert empty["a"].shape == (2, 0)
    assert state["a"].sum() == 0


@pytest.mark.parametrize(
    ("value", "mask"),
    [
        ([[0.0, 1.0]], True), ([[1.0, 1.0]], False), ([[0.0, 0.0]], False),
        ([[0.0, 1.0, 2.0]], False), ([0.0, 1.0], False), ([[[0.0], [1.0]]], True),
    ],
)  # fmt: skip
def test_a_mask_holds_zeros_and_ones_and_both(value: Any, mask: bool):
    assert causality._is_mask(torch.tensor(value)) is mask


def test_of_a_state_parameters_are_drawn_and_nothing_else():
    model = Noted()
    model.register_buffer("steps", torch.ones(2, 2) * 3)
    model.gate = nn.Parameter(torch.eye(2))
    model.phase = nn.Parameter(torch.ones(1, dtype=torch.complex64))
    model.index = nn.Parameter(torch.ones(1, dtype=torch.int64), requires_grad=False)
    state, names = causality._state(model, ())
    assert names == ["weight", "bias", "phase"]
    assert list(state) == list(model.state_dict())
    state["bias"] += 1
    assert model.bias.tolist() == [0.0, 0.0]
    assert causality._state(model, ["weight"])[1] == ["bias", "phase"]


def test_randomized_parameters_are_in_place_and_counted():
    model = Noted()
    assert randomize_parameters(model, np.random.default_rng(2), gain=2.0) == 6
    rng = np.random.default_rng(2)
    weight, bias = rng.standard_normal((2, 2)) * 2 / np.sqrt(2), rng.standard_normal(2)
    assert torch.allclose(model.weight, torch.tensor(weight, dtype=torch.float32))
    assert torch.allclose(model.bias, torch.tensor(bias, dtype=torch.float32))
    again = Noted()
    assert randomize_parameters(again, np.random.default_rng(2), keep=["weight"]) == 2
    assert again.weight.tolist() == [[5.0, 5.0], [5.0, 5.0]]
    assert randomize_parameters(again, np.random.default_rng(2)) == 6
    assert torch.allclose(again.weight * 2, model.weight)


def test_a_state_is_loaded_beside_what_was_registered_since():
    model = Noted()
    state = {name: value + 1 for name, value in model.state_dict().items()}
    model.register_buffer("later", torch.full((1,), 7.0))
    causality._load(model, state)
    assert (model.bias.tolist(), model.later.tolist()) == ([1.0, 1.0], [7.0])
    with pytest.raises(RuntimeError):
        causality._load(model, {**state, "later": torch.zeros(1), "more": torch.zeros(1)})


def test_a_copy_shares_nothing_and_loses_only_the_graph():
    model = Noted()
    kept = model.weight * 2
    model.last, model.held, model.named = kept, [(kept * 2,)], {"a": kept * 3}
    copy = copy_model(model)
    assert copy.last is not kept and not copy.last.requires_grad
    assert torch.equal(copy.last, kept)
    assert torch.equal(copy.held[0][0], kept * 2) and torch.equal(copy.named["a"], kept * 3)
    assert copy.weight is not model.weight and copy.weight.requires_grad
    assert copy_model([1, [2]]) == [1, [2]]
    assert list(causality._tensors("x")) == []
