"""Checks, claims, verdicts and cards: what a student is told, and what it is worth."""

from __future__ import annotations

import contextlib
import re
import signal
import sys
import types
import warnings
from collections.abc import Iterator
from html.parser import HTMLParser

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from autograder import check, checking, claim, expect_array, judge, when
from autograder.card import Card, as_html, as_text
from autograder.checking import checks, checks_of, find_check, module_of
from autograder.claims import Cause, Claim, Verdict
from autograder.draw import Draw
from autograder.remote.proxy import WrongKind, exception_of

LESSON = "00_halves"


@checks("halve", lesson=LESSON, points=3)
def halves(halve, draw: Draw) -> Iterator[Claim]:
    """Half of a number."""
    x = draw.normal(draw.integer(3, 5))
    y = expect_array(halve(x), x.shape, "float", "the answer")
    yield claim(
        "it is half of x",
        np.allclose(2 * y, x),
        points=2,
        saw=f"{y[0]:.3f} for {x[0]:.3f}",
        asks="2 · halve(x) = x",
        advice=[
            when(np.allclose(y, 2 * x), "doubled", "you multiply by 2"),
            when(np.allclose(y, -x / 2), "sign", "the sign is turned"),
            "divide by 2",
        ],
        see="Halves",
    )
    zero = expect_array(halve(np.zeros(1)), (1,), "float", "the answer for 0")
    yield claim("half of 0 is 0", zero[0] == 0, points=1)


def judged(halve, seed: int = 0) -> Verdict:
    return judge(halve, name="halve", lesson=LESSON, seed=seed)


# --- verdicts -------------------------------------------------------------------------------------


def test_a_right_answer_passes_with_all_points():
    verdict = judged(lambda x: x / 2)
    assert (verdict.status, verdict.earned, verdict.points) == ("passed", 3, 3)
    assert verdict.first_failed is None
    assert verdict.headline() == "every claim holds"
    assert verdict.misconceptions == []


def test_points_are_earned_claim_by_claim():
    verdict = judged(lambda x: 2 * x)  # 0 is right
    assert (verdict.status, verdict.earned) == ("partly", 1)
    assert [c.holds for c in verdict.claims] == [False, True]
    verdict = judged(lambda x: x / 2 + (x == 0))
    assert (verdict.status, verdict.earned) == ("partly", 2)
    verdict = judged(lambda x: x + 1)
    assert (verdict.status, verdict.earned) == ("failed", 0)


def test_the_first_advice_that_fits_is_given_and_names_the_misconception():
    failed = judged(lambda x: 2 * x).first_failed
    assert (failed.misconception, failed.advice) == ("doubled", "you multiply by 2")
    assert failed.see == "Halves"
    failed = judged(lambda x: x / 3).first_failed
    assert (failed.misconception, failed.advice) == ("", "divide by 2")
    both = claim("…", False, advice=[when(1, "one", "first"), when(True, "two", "second")])
    assert (both.misconception, both.advice) == ("one", "first")


def test_a_claim_that_holds_gives_no_advice_and_no_picture():
    held = claim("…", True, advice=when(True, "name", "text"), picture="data:image/png;base64,AA==")
    assert (held.advice, held.misconception, held.picture) == ("", "", "")


def test_a_claim_takes_numpy_and_torch_truth():
    assert claim("…", np.bool_(True)).holds is True
    assert claim("…", torch.tensor(False)).holds is False


def unfinished(x):
    raise NotImplementedError("halve: write your code here")


def of_words_only(x):
    """To be written."""


@pytest.mark.parametrize("stub", [unfinished, of_words_only, lambda x: None])
def test_a_stub_is_not_attempted_and_no_error(stub):
    verdict = judged(stub)
    assert (verdict.status, verdict.earned, verdict.claims) == ("not attempted", 0, ())
    assert verdict.line == "" or "NotImplementedError" not in as_text(verdict).split("\n")[0]
    assert "not attempted" in as_text(verdict)


def shows_half(x):
    print(x / 2)


def test_a_forgotten_return_is_named():
    verdict = judged(shows_half)
    assert (verdict.status, verdict.earned) == ("failed", 0)
    assert verdict.reason.startswith("shows_half returned None: is `return` missing?")


class Walk:
    """A class of three methods, one of them written."""

    def __init__(self) -> None:
        self.place = 0

    def step(self):
        raise NotImplementedError("")

    def turn(self):
        angle = 90
        raise NotImplementedError(angle)


@checks("Walk", lesson=LESSON, points=2)
def walks(walk_class, draw: Draw) -> Iterator[Claim]:
    """A walk."""
    walk = walk_class()
    yield claim("it starts at 0", walk.place == 0, points=1)
    walk.step()
    yield claim("it moves", walk.place != 0, points=1)


def test_of_a_class_the_methods_that_wait_are_named():
    verdict = judge(Walk, lesson=LESSON)
    assert (verdict.status, verdict.earned) == ("partly", 1)
    assert verdict.reason == "Walk: step and turn are not written yet"
    assert "Walk: step and turn are not written yet" in as_text(verdict)


def test_a_half_written_answer_keeps_what_it_has_earned():
    def halve(x):
        if len(x) == 1:
            raise NotImplementedError
        return x / 2

    verdict = judged(halve)
    assert (verdict.status, verdict.earned) == ("partly", 2)


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        ("a half", "the answer should be a tensor or an array: got a str"),
        ({"half": 1}, "the answer should be a tensor or an array: got a dict"),
        (np.zeros((2, 2)), "the answer should have shape"),
        (np.float64(1), "the answer should have shape"),
        (np.zeros(4, dtype=complex), "the answer should hold floats"),
        (torch.zeros(4, dtype=torch.int32), "got a tensor of int32 with shape (4,)"),
        (np.array(["x"] * 4), "should be a tensor or an array"),
        ([[1.0], [1.0, 2.0]], "the answer should be a tensor or an array: got a list of 2"),
        ([object(), object()], "the answer should be a tensor or an array: got a list of 2"),
        (
            torch.nn.Linear(1, 1),
            "the answer should be a tensor or an array: got a model of class Linear",
        ),
    ],
)
def test_an_answer_of_the_wrong_kind_is_told_in_one_sentence(answer, told):
    verdict = judged(lambda x: answer)
    assert verdict.status == "failed"
    assert told in verdict.reason
    assert "\n" not in verdict.reason


def test_an_exception_is_told_with_the_line_of_their_code():
    def halve(x):
        nothing = 0
        return x[0].item() / nothing * undefined  # noqa: F821

    verdict = judged(halve)
    assert verdict.status == "failed"
    assert verdict.line.startswith("return x[0].item() / nothing")
    assert verdict.reason.startswith("NameError") or "division" in verdict.reason
    assert verdict.line in as_text(verdict)
    assert "Traceback" not in as_text(verdict)


def test_an_exception_inside_a_library_is_told_with_the_line_that_called_it():
    def halve(x):
        return torch.zeros(2, 3) @ torch.zeros(2, 3)

    verdict = judged(halve)
    assert "shapes cannot be multiplied" in verdict.reason
    assert verdict.line == "return torch.zeros(2, 3) @ torch.zeros(2, 3)"


def leave(x):
    sys.exit(0)


def bottomless(x):
    return bottomless(x)


def nan(x):
    return x * np.nan


@pytest.mark.parametrize("hostile", [leave, bottomless, nan])
def test_nothing_that_their_code_does_gets_out_or_earns_points(hostile):
    verdict = judged(hostile)
    assert verdict.status == "failed"
    assert verdict.earned == 0


def test_an_object_that_lies_about_equality_earns_nothing():
    class Yes:
        def __eq__(self, other):
            return True

        def __array__(self, dtype=None, copy=None):
            raise RuntimeError("never asked")

        __hash__ = None

    verdict = judged(lambda x: Yes())
    assert verdict.earned == 0
    assert "should be a tensor or an array" in verdict.reason


def test_an_argument_changed_in_place_does_not_change_what_is_asked():
    def halve(x):
        x *= 0
        return x

    assert judged(halve).claims[0].holds is False


def test_a_mistake_of_the_check_itself_is_owned_and_earns_nothing():
    @checks("odd", lesson=LESSON, points=1)
    def breaks(odd, draw):
        """Breaks."""
        yield claim("…", True, points=0.5)
        raise KeyError("ours")

    verdict = judge(lambda: 1, name="odd", lesson=LESSON)
    assert verdict.status == "error"
    assert "breaks" in verdict.reason
    assert "our mistake" in as_text(verdict)


def test_warnings_and_global_generators_are_left_as_found(capfd):
    def halve(x):
        warnings.warn("noisy", stacklevel=1)
        print("to stderr", file=sys.stderr)
        np.random.seed(7)
        torch.manual_seed(7)
        return x / 2

    np.random.seed(1)
    torch.manual_seed(1)
    before = np.random.get_state()[1].copy(), torch.get_rng_state()
    assert judged(halve).status == "passed"
    assert (np.random.get_state()[1] == before[0]).all()
    assert torch.equal(torch.get_rng_state(), before[1])
    assert capfd.readouterr().err == ""


def test_earned_points_never_exceed_what_the_check_is_worth():
    verdict = Verdict("f", LESSON, 1, (Claim("a", True, 1.0), Claim("b", True, 1.0)))
    assert verdict.earned == 1


def test_a_verdict_survives_being_written_down():
    verdict = judged(lambda x: 2 * x, seed=11)
    again = Verdict.from_dict(verdict.as_dict())
    assert again == verdict
    assert again.seed == 11
    assert verdict.as_dict()["earned"] == 1


# --- finding a check ------------------------------------------------------------------------------


def in_a_notebook(source: str, **names) -> dict:
    """The names of a notebook that has run `source`."""
    notebook = types.ModuleType("notebook")
    vars(notebook).update(names)
    exec(source, vars(notebook))
    return vars(notebook)


def test_check_finds_the_check_by_the_name_and_the_lesson():
    halve = in_a_notebook("def halve(x): return x / 2", LESSON=LESSON)["halve"]
    assert check(halve).status == "passed"


OTHERWISE = """
import functools
def scaled(x, by): return by * x
class Halver:
    def __call__(self, x): return x / 2
"""


@pytest.mark.parametrize(
    "written", ["lambda x: x / 2", "functools.partial(scaled, by=0.5)", "Halver()"]
)
def test_check_finds_the_check_of_what_has_no_name_of_its_own(written):
    told: dict = in_a_notebook(
        f"{OTHERWISE}halve = {written}\ncard = check(halve)", check=check, LESSON=LESSON
    )
    assert told["card"].status == "passed"


def test_an_endless_loop_at_home_is_ended_with_its_line(monkeypatch):
    monkeypatch.setattr(checking, "SECONDS_AT_HOME", 0.05)

    def halve(x):
        while True:
            x = x + 1

    verdict = check(halve)
    assert verdict.status == "failed"
    assert verdict.reason == "Timeout: the check waited for longer than 0 s"
    assert verdict.line in ("while True:", "x = x + 1")


@checks("hasty", lesson=LESSON, points=1, seconds=0.05)
def claims_of_a_hasty_check(hasty, draw):
    yield claim("it answers", hasty(1) == 1, points=1)


def test_a_check_may_wait_for_less_in_a_notebook():
    def hasty(x):
        while True:
            x = x + 1

    assert check(hasty).reason == "Timeout: the check waited for longer than 0 s"


@checks("persistent", lesson=LESSON, points=1)
def claims_of_a_check_that_asks_again(persistent, draw):
    for _ in range(3):
        exception_of(persistent, 1)
    yield claim("it answers", persistent(1) == 1, points=1)


def test_time_that_is_over_is_over_for_all_that_a_check_still_asks(monkeypatch):
    monkeypatch.setattr(checking, "SECONDS_AT_HOME", 0.05)
    asked = []

    def persistent(x):
        asked.append(x)
        while len(asked) == 1:
            x = x + 1
        return x

    assert check(persistent).reason == "Timeout: the check waited for longer than 0 s"
    assert len(asked) == 1


@checks("patient", lesson=LESSON, points=2)
def claims_of_a_patient_check(patient, draw):
    yield claim("it waits", True, points=1)
    with contextlib.suppress(Exception):
        signal.raise_signal(signal.SIGALRM)
    yield claim("it has waited", True, points=1)


def test_no_check_takes_its_own_deadline_for_an_answer():
    with checking.time_limit(3600):
        verdict = judge(lambda: 1, name="patient", lesson=LESSON)
    assert (verdict.status, verdict.earned, verdict.late) == ("partly", 1, True)
    assert verdict.reason == "the check waited for longer than 3600 s"


@pytest.mark.parametrize("holds", [True, False])
def test_a_cause_does_not_explain_a_claim_that_fails_after_it(holds):
    @checks("told", lesson="00_told", points=2)
    def claims_and_a_cause(told, draw):
        yield claim("it is told", False, points=1)
        yield Cause(("doubled",), "you multiply by 2", "reproduced", explains=True)
        yield claim("it was judged later", holds, points=1)

    assert judge(lambda: 1, name="told", lesson="00_told").cause.explains is holds


def test_in_a_guest_check_leaves_it_to_the_grader(monkeypatch):
    monkeypatch.setattr(checking, "judged_elsewhere", True)
    verdict = check(in_a_notebook("def halve(x): return x / 2", LESSON=LESSON)["halve"])
    assert (verdict.earned, verdict.points, verdict.claims) == (0, 0, ())
    assert "halve: checked by the grader" in repr(verdict)
    assert "not written" not in repr(verdict)
    assert "checked by the grader" in verdict._repr_mimebundle_()["text/html"]


def test_check_asks_for_the_function_itself():
    with pytest.raises(ValueError, match=r"as in check\(build_masks\): got float"):
        check(0.5)


def test_a_name_without_a_check_is_told():
    with pytest.raises(LookupError, match="no check named nobody"):
        find_check("nobody")
    with pytest.raises(LookupError, match="lesson 05_made has no check named halve"):
        find_check("halve", "05_made")


def test_a_name_that_two_lessons_check_needs_the_lesson():
    @checks("shared", lesson="00_first", points=1)
    def one(shared, draw):
        """One."""
        yield claim("…", True)

    @checks("shared", lesson="00_second", points=1)
    def two(shared, draw):
        """Two."""
        yield claim("…", True)

    with pytest.raises(LookupError, match="00_first, 00_second"):
        find_check("shared")
    assert find_check("shared", "00_second").about == "Two."


def test_a_check_is_worth_more_than_nothing():
    with pytest.raises(ValueError, match="more than 0 points: got 0"):
        checks("nothing", lesson=LESSON, points=0)


def test_two_modules_cannot_check_one_exercise():
    def other(halve, draw):
        """Other."""
        yield claim("…", True)

    other.__module__ = "somewhere.else"
    with pytest.raises(ValueError, match="two checks named halve"):
        checks("halve", lesson=LESSON, points=1)(other)


def test_the_checks_of_a_lesson_live_in_a_module_of_its_name():
    assert module_of("05_made") == "autograder.checks.made"
    assert {c.lesson for c in checks_of("05_made").values()} == {"05_made"}
    assert all(c.about.endswith(".") for c in checks_of("05_made").values())


@pytest.fixture(autouse=True)
def _forget_what_a_test_registers():
    known = dict(checking._registry)
    yield
    for key in [k for k in checking._registry if k[1].startswith("00_") and k not in known]:
        del checking._registry[key]


# --- the draw -------------------------------------------------------------------------------------


def test_a_seed_replays_a_verdict():
    def close_to_half(x):
        return x / 2 + 1e-3 * (x > 1)

    first = [judged(close_to_half, seed) for seed in range(30)]
    again = [judged(close_to_half, seed) for seed in range(30)]
    assert first == again
    assert len({v.claims[0].saw for v in first}) > 20, "the seeds do not differ"


def test_names_and_seeds_have_streams_of_their_own():
    values = {
        tuple(Draw(seed, name).normal(3))
        for seed in (0, 1, 2**32, 2**32 + 1, 2**62)
        for name in ("", "a", "b")
    }
    assert len(values) == 15


def test_a_negative_seed_is_refused():
    with pytest.raises(ValueError, match="at least 0: got -1"):
        Draw(-1)


@given(st.integers(0, 2**62), st.integers(-5, 5), st.integers(0, 6))
def test_draws_keep_their_ranges_and_kinds(seed: int, low: int, width: int):
    draw = Draw(seed, "kinds")
    assert low <= draw.integer(low, low + width) <= low + width
    assert type(draw.integer(0, 3)) is int
    assert sorted(draw.permutation(6)) == list(range(6))
    assert draw.permutation(6).dtype == np.int64
    assert draw.choice("abc") in "abc"
    assert draw.normal(2, 3).shape == (2, 3)
    assert set(draw.bits(50)) <= {0.0, 1.0}
    assert draw.uniform(4).min() >= 0
    assert draw.uniform(4).max() < 1


def test_both_ends_of_an_integer_are_drawn():
    draw = Draw(3)
    assert {draw.integer(1, 3) for _ in range(200)} == {1, 2, 3}


def test_generators_of_a_draw_are_fresh_and_repeatable():
    def numbers(seed):
        draw = Draw(seed)
        one, two = draw.generator(), draw.generator()
        rng = draw.numpy_generator()
        return torch.rand(2, generator=one), torch.rand(2, generator=two), rng.random(2)

    first, again, other = numbers(5), numbers(5), numbers(6)
    assert all((a == b).all() for a, b in zip(first, again, strict=True))
    assert not torch.equal(first[0], first[1])
    assert all((a != b).any() for a, b in zip(first, other, strict=True))


# --- arrays of unknown origin ---------------------------------------------------------------------


def test_expect_array_widens_dtypes_and_keeps_values():
    assert expect_array(torch.tensor([1, 2], dtype=torch.int8)).dtype == np.int64
    assert expect_array(np.float32([0.5])).dtype == np.float64
    assert expect_array(torch.tensor([1.5], dtype=torch.bfloat16)).tolist() == [1.5]
    assert expect_array(True, kind="bool").dtype == bool
    assert expect_array([torch.tensor(1.0), 2.0], (2,)).tolist() == [1.0, 2.0]
    assert expect_array(torch.ones(2, requires_grad=True), (None,)).tolist() == [1.0, 1.0]


@pytest.mark.parametrize(
    ("value", "kind"),
    [(np.ones(2, bool), "float"), (np.ones(2), "int"), (np.ones(2), "bool"), (1j, "number")],
)
def test_expect_array_holds_kinds_apart(value, kind):
    with pytest.raises(WrongKind, match="should hold"):
        expect_array(value, kind=kind)


# --- the card -------------------------------------------------------------------------------------

ATTACK = "<script>alert(1)</script><img src=x onerror=alert(2)> & \"quotes\" 'too'"


class Page(HTMLParser):
    """Collects the tags, attributes and text of a card."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags, self.attributes, self.words = [], [], []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data):
        self.words.append(data)

    @property
    def text(self) -> str:
        return re.sub(r"\s+", " ", " ".join(self.words))


def hostile_verdict() -> Verdict:
    wrong = Claim(ATTACK, False, 1, ATTACK, ATTACK, ATTACK, "name", ATTACK, ATTACK)
    return Verdict(ATTACK, LESSON, 1, (wrong,), 3, "failed", ATTACK, ATTACK)


def test_nothing_from_a_student_becomes_markup():
    page = Page(as_html(hostile_verdict()))
    assert set(page.tags) <= {"section", "div", "strong", "span", "code", "ul", "li", "p"}
    assert not [name for name, _ in page.attributes if name.startswith("on")]
    assert page.text.count("<script>alert(1)</script>") >= 6


def test_a_picture_is_shown_only_if_it_is_a_png_and_always_with_words():
    def card(picture):
        one = Claim("…", False, saw="a leak", picture=picture)
        return Page(as_html(Verdict("f", LESSON, 1, (one,), status="failed")))

    shown = card("data:image/png;base64,AAAA")
    assert "img" in shown.tags
    assert dict(shown.attributes)["alt"] == "Picture of what was seen: a leak"
    assert "img" not in card("https://example.org/track.png").tags
    assert "img" not in card("data:image/svg+xml;base64,AAAA").tags


def test_the_card_says_by_word_what_it_says_by_color():
    page = Page(as_html(judged(lambda x: 2 * x)))
    attributes = dict(page.attributes[:2])
    assert attributes["role"] == "group"
    assert attributes["aria-label"] == "Check of halve: some claims hold, 1 of 3 points"
    assert "fails: it is half of x" in page.text
    assert "holds: half of 0 is 0" in page.text
    assert "advice: you multiply by 2" in page.text
    signs = [v for k, v in page.attributes if k == "aria-hidden"]
    assert signs == ["true"] * 3  # the signs ✓ ✗ are not read out beside the words


def test_the_card_needs_no_script_and_no_file():
    html = as_html(hostile_verdict())
    assert "<script" not in html
    assert "<style" not in html
    assert "http" not in html


def test_the_text_form_tells_claims_advice_and_where_to_read():
    text = as_text(judged(lambda x: 2 * x))
    assert text.startswith("◐ halve: some claims hold (1 of 3 points)")
    for line in ("✗ it is half of x", "✓ half of 0 is 0", "advice: you multiply by 2", "“Halves”"):
        assert line in text
    assert max(map(len, text.split("\n"))) <= 98
    assert repr(Card.of(judged(lambda x: 2 * x))) == text


def test_outside_a_notebook_the_plain_form_is_the_text_and_there_is_html_beside():
    verdict = judged(lambda x: x / 2)
    bundle = Card.of(verdict)._repr_mimebundle_()
    assert bundle["text/plain"] == as_text(verdict)
    assert bundle["text/html"] == as_html(verdict)


def test_in_a_notebook_the_plain_form_is_the_number_that_nbgrader_reads(monkeypatch):
    monkeypatch.setattr("autograder.card._in_a_notebook", lambda: True)
    assert Card.of(judged(lambda x: 2 * x))._repr_mimebundle_()["text/plain"] == "1"
    assert Card.of(judged(unfinished))._repr_mimebundle_()["text/plain"] == "0"
