"""A mistake is named only if a program with that mistake gives the student's own numbers."""

from __future__ import annotations

import base64
import io
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from PIL import Image

from autograder.claims import Cause, Claim
from autograder.diagnosis import Mistake, Property, Subject, Symptom, examine
from autograder.diagnosis.mistakes import Observation, alike, explain, program_of, reproduces
from autograder.diagnosis.pictures import SQUARE, in_words, matrix_of, picture_of
from autograder.diagnosis.shrinking import shorter, smallest, tables_of
from autograder.diagnosis.slips import kind_of_slip, memory_room, slips_of
from autograder.draw import Draw
from tests.mutants.checks import mutants_of
from tests.mutants.equivalent import EQUIVALENT


def mean_square(x: np.ndarray, *, power: int = 2) -> float:
    """The rule of these tests: the mean of the squares."""
    return float((x**power).sum() / len(x))


MISTAKES = (
    Mistake("sum", "the mean is asked", gives=lambda x, power=2: float((x**power).sum())),
    Mistake("cubes", "squares are asked", options={"power": 3}),
    Mistake("root", "no root is asked", after=lambda value, x: value**0.5),
)


def vectors(draw: Draw) -> list[tuple[np.ndarray]]:
    return [(draw.uniform(draw.integer(3, 9)) + 0.5,) for _ in range(3)]


def verdict_on(f: Callable[..., Any], **more: Any) -> tuple[list[Claim], Cause | None]:
    subject = Subject(
        ask=f,
        rule=mean_square,
        mistakes=more.pop("mistakes", MISTAKES),
        show=lambda x: f"x of {len(x)}",
        smaller=lambda x: ((v,) for v in shorter(x)),
        by_hand=lambda x: f"{mean_square(x):.3g}",
        **more,
    )
    said = list(
        examine(
            subject,
            Draw(0, "mean_square"),
            Property("value", "it is the mean square", vectors, 1, asks="the mean of the squares"),
            Property(
                "one",
                "of one number it is its square",
                lambda draw: [(draw.uniform(1) + 2,)],
                1,
                asks="x²",
                typical=False,
                needs="value",
            ),
        )
    )
    causes = [s for s in said if isinstance(s, Cause)]
    assert len(causes) <= 1
    return [s for s in said if isinstance(s, Claim)], causes[0] if causes else None


def test_a_right_answer_has_no_cause():
    claims, cause = verdict_on(lambda x: float(np.mean(x * x)))
    assert [c.holds for c in claims] == [True, True]
    assert cause is None


@pytest.mark.parametrize(
    "f, names",
    [
        (lambda x: float((x * x).sum()), ("sum",)),
        (lambda x: float((x**3).mean()), ("cubes",)),
        (lambda x: float((x * x).mean() ** 0.5), ("root",)),
        (lambda x: float((x**3).sum()), ("sum", "cubes")),
        (lambda x: float((x**3).mean() ** 0.5), ("cubes", "root")),
    ],
)
def test_a_known_mistake_and_a_pair_are_named(f: Callable, names: tuple[str, ...]):
    claims, cause = verdict_on(f)
    assert (cause.names, cause.how) == (names, "reproduced")
    assert not claims[0].holds
    assert claims[0].saw


def test_what_gives_other_numbers_in_one_case_is_not_named():
    """The sum, but for one size that may never be drawn again: the program does not give it."""
    _, cause = verdict_on(lambda x: float((x * x).sum()) if len(x) != 1 else 0.123, mistakes=())
    assert (cause.names, cause.how) == ((), "unknown")


def test_the_case_that_is_shown_bears_out_the_mistake_that_is_named():
    """The sum, and not of one number: the smallest case that fails would contradict the name."""
    _, cause = verdict_on(lambda x: float((x * x).sum()) if len(x) > 1 else -1.0)
    assert (cause.names, dict(cause.example)["given"]) == (("sum",), "x of 2")


def test_a_mistake_of_ordinary_cases_is_shown_at_one_of_them():
    """An edge fails otherwise, and first: the small case is one that the named mistake gives."""
    edge = Property("edge", "0 of zeros", lambda draw: [(np.zeros(4),)], 1, asks="0", typical=False)
    value = Property("value", "it is the mean square", vectors, 1, asks="the mean of the squares")
    subject = Subject(
        ask=lambda x: float((x * x).sum()) if x.any() else -1.0,
        rule=mean_square,
        mistakes=MISTAKES,
        show=lambda x: f"x of {len(x)}",
        smaller=lambda x: ((v,) for v in shorter(x)),
    )
    *_, cause = examine(subject, Draw(0, "mean_square"), edge, value)
    assert (cause.names, cause.explains) == (("sum",), False)
    assert dict(cause.example) == {"given": "x of 2", "your answer": cause.example[1][1]}
    assert float(cause.example[1][1]) > 0


def test_an_edge_that_needs_a_failed_property_waits_without_evidence():
    claims, _ = verdict_on(lambda x: float((x**3).mean()))
    value, one = claims
    assert value.fails
    assert one.waits == "“it is the mean square”"
    assert (one.saw, one.advice, one.holds, one.fails) == ("", "", False, False)


def test_an_edge_that_holds_is_told_though_another_property_fails():
    claims, _ = verdict_on(lambda x: float((x * x).sum()))  # of one number the sum is the mean
    assert [c.holds for c in claims] == [False, True]


@pytest.mark.parametrize(
    "alone, factor, waits", [(True, 2, False), (False, 2, True), (False, 1, False)]
)
def test_a_loose_property_that_is_not_judged_alone_earns_nothing_beside_a_failed_one(
    alone: bool, factor: int, waits: bool
):
    value = Property("value", "it is the mean square", vectors, 1, asks="the mean of the squares")
    near = Property(
        "near",
        "it is about that",
        vectors,
        1,
        asks="half to three times as much",
        needs="value",
        judged_alone=alone,
        alike=lambda a, b: b / 2 < a < 3 * b,
    )
    subject = Subject(ask=lambda x: factor * mean_square(x), rule=mean_square)
    exact, loose, *_ = examine(subject, Draw(0, "mean_square"), value, near)
    assert exact.fails == (factor != 1)
    assert (bool(loose.waits), loose.holds) == (waits, not waits)


@pytest.mark.parametrize("answer, waits", [(1.0, True), (0.0, False)])
def test_a_loose_property_waits_for_answers_that_look_at_what_is_given(answer: float, waits: bool):
    """It lets every positive number count: one number for all that is given is no evidence."""
    positive = Property(
        "positive",
        "it is positive",
        vectors,
        1,
        asks="a positive number",
        alike=lambda a, b: a > 0 and b > 0,
    )
    draw = Draw(0, "mean_square")
    constant = examine(Subject(ask=lambda x: answer, rule=mean_square), draw, positive)
    blind = next(constant)
    assert (bool(blind.waits), blind.holds, blind.fails) == (waits, False, not waits)
    assert next(examine(Subject(ask=lambda x: x.sum(), rule=mean_square), draw, positive)).holds


@pytest.mark.parametrize(
    "loose, answer, value",
    [
        (lambda a, b: a > 0, 2.0, -3.0),  # every positive number counts, and -3 is none
        (lambda a, b: a <= b, 5.0, 9.0),  # whatever is no more than asked
        (lambda a, b: abs(a) < 100, 500.0, 7.0),  # small ones, whatever is asked
        (lambda a, b: abs(a - b) < 2, 6.0, 4.5),  # near both the answer and the rule's 3
        (lambda a, b: abs(b) > 1e3 or a == b, math.nan, math.inf),  # nothing is asked of large ones
    ],
)
def test_a_mistake_is_not_named_by_a_comparison_that_tells_nothing_apart(
    loose: Callable, answer: float, value: float
):
    one = Observation((), answer, 3.0, loose)
    assert not reproduces(lambda: value, [one])
    assert reproduces(lambda: answer, [one])


def test_what_seldom_comes_and_was_not_drawn_is_no_difference():
    def none_else(a: np.ndarray, b: np.ndarray) -> bool:
        return bool(np.abs(a - b).max() < 0.02 and not a[b == 0].any())

    right, drawn = np.array([0.0, 1.0, 0.0]), np.array([0.5, 0.5, 0.0])
    one = Observation((), drawn, right, none_else)
    assert reproduces(lambda: np.array([0.5, 0.4999, 0.0001]), [one])
    assert not reproduces(lambda: np.array([0.5, 0.48, 0.02]), [one])


@pytest.mark.parametrize("f, waits", [(lambda x: 1.0, True), (lambda x: float(len(x)), False)])
def test_a_case_that_only_must_be_unlike_is_no_evidence(f: Callable, waits: bool):
    """One number is 1 of anything: whoever says 1 of two as well has not looked."""
    alone = Property(
        "one",
        "one number has the length 1",
        lambda draw: [(np.ones(1),)],
        1,
        asks="1",
        unlike=lambda draw: [(np.ones(2),)],
    )
    [said] = examine(Subject(ask=f, rule=lambda x: float(len(x))), Draw(0, "f"), alone)
    assert (bool(said.waits), said.holds, said.saw) == (waits, not waits, "")


def test_a_slip_of_the_rule_is_told_by_its_kind_only():
    _, cause = verdict_on(lambda x: float((x * x).sum() * len(x)), mistakes=())
    assert (cause.how, cause.slip, cause.names) == ("slip", "product-quotient", ())


def test_a_symptom_names_what_it_proves():
    symptom = Symptom("negative", "a mean square is never negative", lambda seen: all(
        o.answer < 0 for o in seen
    ))  # fmt: skip
    _, cause = verdict_on(lambda x: -1.5 * float(x.max()), symptoms=(symptom,))
    assert (cause.names, cause.how) == (("negative",), "symptom")


@pytest.mark.parametrize(
    "f, names, how",
    [
        (lambda x: float((x**3).sum()), ("large",), "symptom"),  # and a pair that gives it
        (lambda x: float((x * x).sum()), ("sum",), "reproduced"),  # and the symptom shows
    ],
)
def test_a_symptom_comes_after_single_mistakes_and_before_pairs(
    f: Callable, names: tuple, how: str
):
    large = Symptom("large", "a mean is no larger than its largest term", lambda seen: all(
        o.answer > o.right for o in seen
    ))  # fmt: skip
    _, cause = verdict_on(f, symptoms=(large,))
    assert (cause.names, cause.how) == (names, how)


def test_what_a_program_gives_is_computed_once_for_singles_and_pairs():
    asked = []

    def rule(x: float, *, twice: bool = False) -> float:
        asked.append(x)
        return 2 * x if twice else x

    two = Mistake("two", "once is asked", options={"twice": True})
    one = Mistake("one more", "nothing is added", after=lambda value, x: value + 1)
    seen = [Observation((3.0,), 7.0, 3.0, alike), Observation((5.0,), 11.0, 5.0, alike)]
    known: dict[Any, Any] = {}
    assert explain(rule, (two, one), seen, (1,), known) == ()
    assert explain(rule, (two, one), seen, (2,), known) == (two, one)
    assert sorted(asked) == [3.0, 3.0, 5.0]


@pytest.mark.parametrize("drawn, named", [(0.56, "near"), (0.52, "far")])
def test_of_two_mistakes_that_give_loosely_compared_answers_the_much_nearer_is_named(
    drawn: float, named: str
):
    def of(share: float) -> np.ndarray:
        return np.array([share, 1 - share])

    far, near = (
        Mistake(name, name, gives=lambda share=share: of(share))
        for name, share in (("far", 0.52), ("near", 0.57))
    )
    seen = [Observation((), of(drawn), of(0.3), lambda a, b: float(np.abs(a - b).sum()) < 0.11)]
    assert [one.name for one in explain(lambda: of(0.3), (far, near), seen)] == [named]


def test_a_cause_that_gives_every_answer_explains_all_claims_and_a_part_does_not():
    _, whole = verdict_on(lambda x: float((x * x).sum()))
    _, part = verdict_on(lambda x: float((x * x).sum()) if len(x) > 1 else -1.0)
    assert (whole.names, whole.explains) == (("sum",), True)
    assert (part.names, part.explains) == (("sum",), False)


def test_what_failed_before_an_exception_has_its_cause():
    def answer(x: np.ndarray) -> float:
        if len(x) == 1:
            raise ZeroDivisionError
        return float((x * x).sum())

    subject = Subject(ask=answer, rule=mean_square, mistakes=MISTAKES)
    asked = [
        Property("value", "it is the mean square", vectors, 1, asks="the mean"),
        Property("one", "of one number", lambda d: [(np.ones(1),)], 1, asks="x²"),
    ]
    said = []
    with pytest.raises(ZeroDivisionError):
        for one in examine(subject, Draw(0, "f"), *asked):
            said.append(one)
    assert [type(one).__name__ for one in said] == ["Claim", "Cause"]
    assert (said[1].names, said[1].explains) == (("sum",), False)


def test_a_property_tells_what_of_an_answer_fails():
    length = Property(
        "length",
        "it has a number for each",
        vectors,
        1,
        asks="as many",
        alike=lambda a, b: len(a) == len(b),
        saw=lambda answer, right, x: f"{len(answer)} numbers, not {len(right)}",
    )
    subject = Subject(ask=lambda x: x[1:], rule=lambda x: x, show=lambda x: f"x of {len(x)}")
    draw = Draw(0, "f")
    x = vectors(Draw(0, "f"))[0][0]
    assert next(examine(subject, draw, length)).saw == f"{len(x) - 1} numbers, not {len(x)}"


def test_the_smallest_failing_case_is_shown():
    _, cause = verdict_on(lambda x: float((x * x).mean()) + (0.7 if len(x) > 1 else 0.0))
    assert cause.how == "unknown"
    assert dict(cause.example)["given"] == "x of 2"


def test_a_smaller_case_at_which_the_code_stops_is_not_shown():
    def answer(x: np.ndarray) -> float:
        if len(x) == 2:
            raise ZeroDivisionError
        return float((x * x).mean()) + (0.7 if len(x) > 1 else 0.0)

    _, cause = verdict_on(answer)
    assert dict(cause.example)["given"] == "x of 3"


def test_a_smaller_case_whose_numbers_look_right_is_not_shown():
    """One number alone and in a vector are the same to a reader: nothing is seen to fail."""
    subject = Subject(
        ask=lambda x: x.sum(),
        rule=lambda x: x,
        show=lambda x: f"x of {len(x)}",
        by_hand=lambda x: f"{x[0]:.4g}" if len(x) == 1 else "",
        smaller=lambda x: ((v,) for v in shorter(x)),
    )
    alone = Property("alone", "each number stands alone", vectors, 1, asks="x")
    _, cause = examine(subject, Draw(0, "f"), alone)
    assert "by hand" not in dict(cause.example)
    assert dict(cause.example)["given"] == "x of 2"


def test_what_is_not_refused_is_not_shown_at_a_case_that_is_to_be_answered():
    """The answers are off by what a looser property lets count: they are not what failed."""
    subject = Subject(
        ask=lambda x: "an answer" if x.min() < 0 else float((x * x).mean()) + 1e-4,
        rule=lambda x: "a refusal" if x.min() < 0 else mean_square(x),
        show=lambda x: f"x of {len(x)}",
        smaller=lambda x: ((np.ones(1),), (-np.ones(2),)),
    )
    value = Property(
        "value", "the mean square", vectors, 1, asks="it", alike=lambda a, b: abs(a - b) < 1e-3
    )
    refused = Property("refused", "no negative", lambda draw: [(-np.ones(5),)], 1, asks="none")
    *claims, cause = examine(subject, Draw(0, "f"), value, refused)
    assert [c.holds for c in claims] == [True, False]
    assert dict(cause.example)["given"] == "x of 2"


def test_one_mistake_in_two_ways_is_not_two_mistakes():
    """The last number and the first left out: said twice of what has lost neither."""
    lost = [
        Mistake("lost", "a number is missing", after=after)
        for after in (lambda v, *_: v[:-1], lambda v, *_: [0, *v])
    ]
    seen = [Observation(([1, 2, 3],), [0, 1, 2], [1, 2, 3], alike)]
    assert explain(lambda x: x, lost, seen) == ()


@pytest.mark.parametrize(
    "text, kind",
    [
        ("x.sum(1)", "axis"),
        ("np.cumsum(x, 1)", "axis"),
        ("x.sum(axis=-1)", "axis"),
        ("x[-1]", "end"),
        ("x / 2", "constant"),
        ("x**2", "power"),
        ("x - 1", "one-off"),
        ("x[:1]", "one-off end"),  # up to the second, or up to the last
    ],
)
def test_another_number_is_off_by_one_where_it_counts(text: str, kind: str):
    """Not where it names an axis, the last of a row, a factor or a power."""
    changed = {slip.kind for slip in slips_of(text) if slip.before in ("1", "2", ":1")}
    assert changed & {"axis", "end", "constant", "power", "one-off"} == set(kind.split())


def test_a_program_whose_value_cannot_be_compared_gives_no_answer():
    def as_long(a: list, b: list) -> bool:
        return len(a) == len(b)

    answer = Observation(([1, 2],), [3, 4], [1, 2], as_long)
    assert reproduces(lambda x: [5, 6], [answer])
    assert not reproduces(lambda x: map(abs, x), [answer])


def test_mistakes_compose_where_their_parts_do():
    total, cubes, root = MISTAKES
    assert program_of(mean_square, (total, root))(np.ones(4)) == 2
    assert program_of(mean_square, (total, total)) is None
    assert program_of(mean_square, (cubes, cubes)) is None
    assert explain(mean_square, MISTAKES, ()) == ()


def test_a_mistake_is_one_program():
    with pytest.raises(ValueError, match="one of gives, options and after"):
        Mistake("none", "…")


@pytest.mark.parametrize(
    "a, b, same",
    [
        (np.nan, np.nan, True),
        (np.inf, np.inf, True),
        (np.inf, -np.inf, False),
        (2**70, 2**70 + 1, False),
        (np.zeros(2), np.zeros((2, 1)), False),
        ([1, 2.0], (1, 2.0), True),
        ("a", "a", True),
        (True, 1, False),
        (None, 0.0, False),
    ],
)
def test_answers_are_alike_in_kind_shape_and_value(a: Any, b: Any, same: bool):
    assert alike(a, b) is same


def test_a_search_for_a_small_case_keeps_its_budget():
    asked = []

    def fails(args: tuple) -> bool:
        asked.append(args)
        return len(args[0]) > 2

    found = smallest((np.arange(50),), fails, lambda x: ((v,) for v in shorter(x)), budget=10)
    assert len(found[0]) == 3
    assert len(asked) <= 10
    assert all(abs(p.sum() - 1) < 1e-12 for k in (2, 3, 4) for p in tables_of(k))


def test_slips_change_one_thing_and_stay_programs():
    text = "def f(x, n):\n    return -x[:n].sum(axis=0) / n if n > 1 else x @ x.T\n"
    slips = list(slips_of(text))
    kinds = {slip.kind for slip in slips}
    wanted = {"sign", "one-off", "axis", "product-quotient", "factor", "equality", "comparison"}
    assert wanted | {"transpose", "swap", "sum-mean", "logic"} <= kinds
    assert len({slip.text for slip in slips}) == len(slips) > 20
    for slip in slips:
        compile(slip.text, "slip", "exec")


def large(n: int, copies: int) -> int:
    """A rule that a swap of the call's arguments turns into one of 64 GB."""
    return copies_of(n, copies)


def copies_of(n: int, copies: int) -> int:
    """The size of all vectors of n bits, so many times."""
    return np.ones(2**n).size * copies


def test_a_slip_that_asks_for_gigabytes_is_none():
    seen = [Observation((2, 33), "no number", large(2, 33), alike)]
    assert kind_of_slip([large], seen) == ""
    with memory_room(2**20), pytest.raises(MemoryError):
        np.zeros(2**27)
    assert np.zeros(2**27).size == 2**27, "the room is as it was"


def sums_so_far(b: np.ndarray) -> np.ndarray:
    """A rule that a slip, `out = b`, makes write into what it is given."""
    out = np.zeros_like(b)
    for t in range(len(b)):
        out[t] = b[: t + 1].sum()
    return out


def test_a_slip_that_writes_into_its_argument_hides_no_other():
    seen = []
    for b in (np.array([1.0, 2.0, 4.0]), np.array([3.0, 5.0, 8.0, 2.0])):
        means = np.array([b[: t + 1].mean() for t in range(len(b))])
        seen.append(Observation((b,), means, sums_so_far(b), alike))
    before = [one.args[0].copy() for one in seen]
    assert kind_of_slip([sums_so_far], seen) == "sum-mean"
    assert all(map(np.array_equal, before, (one.args[0] for one in seen)))


def test_wrong_numbers_are_reproduced_where_only_positive_ones_count_as_right():
    seen = [Observation((2.0,), -2.0, 2.0, lambda a, b: a > 0)]
    assert reproduces(lambda x: -x, seen)
    assert not reproduces(lambda x: -2 * x, seen)


def test_types_are_no_place_for_a_slip():
    text = "def f(x: list[1], *, y: dict[2, 3] = 4) -> tuple[5]:\n    z: set[6] = 7\n    return z"
    assert {slip.before for slip in slips_of(text)} == {"4", "7"}


def test_what_is_listed_as_equivalent_is_a_mutant():
    of_lesson: dict[str, set] = {}
    for lesson in dict.fromkeys(key[0] for key in EQUIVALENT):
        slips = mutants_of(lesson)
        of_lesson[lesson] = {(lesson, e, s.where, s.before, s.after) for e, s in slips}
    assert [key for key in EQUIVALENT if key not in of_lesson[key[0]]] == []


def upper(n: int, *, equal: bool = False) -> np.ndarray:
    """A rule whose answer is a matrix: 1 above the diagonal."""
    return np.triu(np.ones((n, n), dtype=int), 0 if equal else 1)


def test_a_matrix_is_drawn_with_its_wrong_entries_crossed():
    subject = Subject(lambda n: upper(n, equal=True), upper, drawn=True)
    ones = Property("above", "it is 1 above", lambda draw: [(4,), (5,)], 1, asks="1 above")
    *_, cause = examine(subject, Draw(0, "upper"), ones)
    assert cause.example[-1][1].startswith("your first wrong answer, 4 × 4; crossed: 4 of 16")
    image = Image.open(io.BytesIO(base64.b64decode(cause.picture.partition(",")[2])))
    crossed, whole = image.getpixel((SQUARE // 2, SQUARE // 2)), image.getpixel((1 + SQUARE, 1))
    assert image.size == (4 * SQUARE + 1, 4 * SQUARE + 1)
    assert crossed == (213, 94, 0) and whole == (0, 114, 178)


@pytest.mark.parametrize(
    ("answer", "right"),
    [
        (np.ones((2, 3)), np.zeros((3, 2))),
        (np.ones(3), np.zeros(4)),
        (np.ones(60), np.zeros(60)),
        (np.float64(1), np.float64(0)),
        ("text", np.zeros((2, 2))),
        ([np.ones((2, 2))], [np.ones((2, 2)), np.ones((2, 2))]),
        (np.ones((2, 2)), np.ones((2, 2))),
        (np.ones((200, 2)), np.zeros((200, 2))),
    ],
)
def test_what_is_no_matrix_of_the_right_shape_is_not_drawn(answer: Any, right: Any):
    assert matrix_of(answer, right) is None


def test_a_sequence_is_drawn_as_a_strip():
    answer = np.array([3, 1, 2, 2])
    strip, wrong = matrix_of(answer, np.array([3, 1, 0, 2]))
    assert in_words(strip, wrong) == "your first wrong answer, a row of 4; crossed: 1, at place 3"
    uri = picture_of(strip, wrong)
    image = Image.open(io.BytesIO(base64.b64decode(uri.partition(",")[2])))
    assert image.size == (4 * SQUARE + 1, SQUARE + 1)
    crossed = [image.getpixel((SQUARE * i + SQUARE // 2, SQUARE // 2)) for i in range(4)]
    assert [color == (213, 94, 0) for color in crossed] == [False, False, True, False]


def test_of_several_matrices_the_first_wrong_one_is_drawn():
    right = [np.zeros((1, 1)), np.zeros((2, 2, 2))]
    answer = [np.zeros((1, 1)), np.array([np.zeros((2, 2)), [[0, np.nan], [-1, 0]]])]
    matrix, wrong = matrix_of(answer, right)
    assert wrong.tolist() == [[False, True], [True, False]]
    assert picture_of(matrix, wrong).startswith("data:image/png;base64,")
