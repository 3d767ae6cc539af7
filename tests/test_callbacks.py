"""A student's function asks, the judge answers, and what it counts is believed.

The talks run in a thread of this process, as in a student's notebook; in a guest it is the same.
"""

from __future__ import annotations

import copy
import signal
import threading

import pytest
import torch

from autograder import lessons
from autograder.checking import judge
from autograder.inside.temperature import begin_search
from autograder.remote import handles
from autograder.remote.callbacks import MOST, answered, whole_numbers
from autograder.remote.proxy import NotAttempted, StudentFailed, WrongKind, standin_for
from tests.banks.attacks.asserted import SAYS, WORDS


def begun(function, *args):
    return begin_search(standin_for(function), *args)


def prefixes(rows: int = 1) -> torch.Tensor:
    return torch.zeros(rows, 1, dtype=torch.long)


def test_a_question_is_answered_where_the_judge_is():
    here, asked = threading.get_ident(), []

    def answer(rows):
        asked.append((threading.get_ident(), len(rows)))
        return torch.ones(len(rows), 2)

    total = answered(
        begun(lambda step: float(step(prefixes(3)).sum() + step(prefixes()).sum())), answer
    )
    assert total == 8.0
    assert asked == [(here, 3), (here, 1)]


def test_a_refusal_is_an_error_in_the_students_code():
    def student(step):
        try:
            return step(prefixes())
        except ValueError as why:
            return str(why)

    def answer(rows):
        raise ValueError("no such text")

    assert answered(begun(student), answer) == "no such text"
    with pytest.raises(StudentFailed, match="ValueError: no such text"):
        answered(begun(lambda step: step(prefixes())), answer)


def test_who_asks_without_end_is_stopped():
    alive = threading.active_count()

    def student(step):
        while True:
            step(prefixes())

    with pytest.raises(StudentFailed, match="more than 7 times"):
        answered(begun(student), lambda rows: 0, most=7)
    assert threading.active_count() == alive
    assert MOST > 7


def test_nothing_written_is_not_attempted():
    with pytest.raises(NotAttempted):
        answered(begun(lambda step: None), lambda rows: 0)


def test_a_generator_comes_back_advanced():
    generator, twin = (torch.Generator().manual_seed(1) for _ in range(2))
    answered(
        begun(lambda step, g: torch.rand(3, generator=g), generator),
        lambda rows: 0,
        generators=[generator],
    )
    torch.rand(3, generator=twin)
    assert torch.equal(generator.get_state(), twin.get_state())


def test_a_model_answers_during_its_call_only():
    kept = []
    answered(begun(lambda step: kept.append(step) or 1), lambda rows: 0)
    with pytest.raises(RuntimeError, match="during the call"):
        kept[0](prefixes())
    assert copy.deepcopy(kept[0]).talk is kept[0].talk


@pytest.mark.parametrize("first", [None, (1, "done", (1, [])), ("asks",), [1, 2, 3], 7])
def test_nonsense_in_place_of_a_talk_is_no_answer(first):
    with pytest.raises(WrongKind):
        answered(first, lambda rows: 0)


@pytest.mark.parametrize(
    "said", [("done", 1), ("done", (1, [torch.zeros(3)])), ("asks", 1), ("hm", ()), None]
)
def test_nonsense_in_place_of_an_answer_is_none(said, monkeypatch):
    first = begun(lambda step: step(prefixes()))
    with pytest.raises(WrongKind):
        answered((first[0], *(said or (None, None))), lambda rows: 0)


def test_an_alarm_ends_the_thread_too():
    """A guest's alarm interrupts the main thread: the student's function must not go on."""
    main = threading.main_thread().ident

    def student(step):
        signal.pthread_kill(main, signal.SIGALRM)
        while True:
            pass

    class Alarm(KeyboardInterrupt):
        pass

    def ring(*_):
        raise Alarm

    before, alive = signal.signal(signal.SIGALRM, ring), threading.active_count()
    try:
        with pytest.raises(StudentFailed, match="Alarm"):
            answered(begun(student), lambda rows: 0)
    finally:
        signal.signal(signal.SIGALRM, before)
    assert threading.active_count() == alive


@pytest.mark.parametrize(
    "value",
    [[1], torch.ones(2), torch.full((1, 1), 4), torch.full((1, 1), -1), torch.full((1, 1), 0.5)],
)
def test_a_question_is_checked_before_it_is_used(value):
    with pytest.raises(ValueError):
        whole_numbers(value, 2, 4, "prefixes")


def test_whole_numbers_may_come_as_floats():
    assert whole_numbers(torch.full((1, 2), 3.0), 2, 4, "prefixes").tolist() == [[3, 3]]


@pytest.mark.parametrize("word", WORDS, ids=[word.name for word in WORDS])
def test_a_word_is_worth_what_is_true_of_it(word, monkeypatch, capsys):
    # The attack replaces this function: undone with the monkeypatch.
    monkeypatch.setattr(handles, "inside_function", handles.inside_function)
    space = lessons.solution_functions(
        word.lesson, instead={word.exercise: f"{SAYS}\n{word.source}"}
    )
    verdict = judge(space[word.exercise], name=word.exercise, lesson=word.lesson, seed=11)
    assert verdict.status in ("failed", "partly"), verdict.reason
    assert verdict.earned == word.true
